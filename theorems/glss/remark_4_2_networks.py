"""Deep ReLU networks in exact numbers: the instances of Remark 4.2.

    h_0 = x,   h_l = sqrt(2 / m_l) sigma(W_l h_{l-1}),   f = W_L h_{L-1}

Hidden widths are twice a square number, so that all scales are rational. A bias is a last column of W_l, fed by 1.
Derivatives are by the chain rule, layer by layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isqrt

import numpy as np

from reference.arithmetic import exact
from reference.rational_networks import Exactly, fractions
from theorems.glss.ridge_instances import Matrix, Vector, matrix, vector
from theorems.statement import Hypothesis, Instance


@dataclass(frozen=True, kw_only=True, eq=False)
class DeepMoment(Instance):
    """A deep network at one moment of its training, with its data.

    Parameters
    ----------
    X : (n, d) data
    Y : (n,) labels
    layers : W_1, .., W_L, (m_l, m_{l-1}), or (m_l, m_{l-1} + 1) with biases; m_L = 1
    trained : which layers are trained, counted from 1
    lam : ridge
    biased : whether the layers have biases
    """

    X: Matrix
    Y: Vector
    layers: tuple[Matrix, ...]
    trained: tuple[int, ...]
    lam: Fraction
    biased: bool = False

    @cached_property
    def weights(self) -> list[Exactly]:
        """Give the layers as arrays."""
        return [fractions(W) for W in self.layers]

    def scaled(self, c: Fraction) -> list[Exactly]:
        """Give the layers with all trained ones multiplied by c."""
        return [c * W if k in self.trained else W for k, W in enumerate(self.weights, start=1)]


@dataclass(frozen=True, kw_only=True, eq=False)
class DeepPass:
    """Outputs and derivatives.

    Parameters
    ----------
    u : (n,) outputs f
    gradients : of the trained layers in order, (n, m_l, m_{l-1}), with a last column for biases where there are any
    margin : least |entry| of a W_l h_{l-1} before the activation; None without hidden layer
    """

    u: Exactly
    gradients: list[Exactly]
    margin: Fraction | None

    @property
    def kernel(self) -> Exactly:
        """Give the tangent kernel of the trained layers, sum_l <df_i/dW_l, df_j/dW_l>: (n, n)."""
        H: Exactly = np.sum([np.tensordot(g, g, axes=([1, 2], [1, 2])) for g in self.gradients], axis=0)
        return H


def evaluate(x: DeepMoment, layers: Sequence[Exactly]) -> DeepPass:
    """Run a network forward and back on the data of `x`, on the branch W h >= 0 where a neuron lies on a kink."""
    h = fractions(x.X)
    inputs, slopes, margins = [_fed(h, x.biased)], [], []
    for W in layers[:-1]:
        products = inputs[-1] @ W.T
        slope = fractions((products >= 0).astype(int)) / isqrt(len(W) // 2)
        margins.append(exact(min(abs(products).flat)))
        slopes.append(slope)
        inputs.append(_fed(slope * products, x.biased))
    u: Exactly = (inputs[-1] @ layers[-1].T)[:, 0]
    outer = [fractions([[1]] * len(h))]
    for W, slope in zip(layers[:0:-1], slopes[::-1], strict=True):
        outer.insert(0, outer[0] @ W[:, : slope.shape[1]] * slope)
    every = [delta[:, :, None] * h[:, None, :] for delta, h in zip(outer, inputs, strict=True)]
    return DeepPass(
        u=u,
        gradients=[gradient for k, gradient in enumerate(every, start=1) if k in x.trained],
        margin=min(margins, default=None),
    )


def _fed(h: Exactly, biased: bool) -> Exactly:
    return np.hstack([h, fractions([[1]] * len(h))]) if biased else h


# -------------------------------------------------------------------------------------------------- instances


def _filled(rows: int, columns: int, start: int) -> list[list[Fraction]]:
    """Give weights of both signs without a pattern: quadratic residues of 13, shifted off the integers."""
    return [
        [Fraction((start + 5 * i + 3 * j) ** 2 % 13 - 6, 4) + Fraction(1, 7 + i) for j in range(columns)]
        for i in range(rows)
    ]


def network(
    name: str,
    says: str,
    sizes: Sequence[int],
    *,
    trained: Sequence[int] = (),
    lam: Fraction = Fraction(1, 10),
    start: int = 1,
    biased: bool = False,
) -> DeepMoment:
    """Make a network with hidden widths `sizes` on three points of the plane; all layers trained unless said."""
    shape = [2, *sizes, 1]
    layers = [_filled(shape[k + 1], shape[k] + biased, start + 2 * k) for k in range(len(shape) - 1)]
    return DeepMoment(
        name=name,
        says=says,
        X=matrix([[1, 0], [Fraction(3, 5), Fraction(4, 5)], [Fraction(-1, 2), 1]]),
        Y=vector([1, -1, Fraction(1, 2)]),
        layers=tuple(matrix(W) for W in layers),
        trained=tuple(trained) or tuple(range(1, len(layers) + 1)),
        lam=lam,
        biased=biased,
    )


LINEAR = network("linear", "no hidden layer: a linear model, L = 1", [])
TWO = network("two", "two layers, both trained, width 8", [8])
FIRST = network("first-of-two", "two layers, the first one trained: the network of Definition 3.5", [8], trained=[1])
THREE = network("three", "three trained layers, widths 8 and 2", [8, 2], lam=Fraction(1, 3))
FOUR = network("four", "four trained layers, widths 2, 8 and 8", [2, 8, 8], start=3, lam=Fraction(1, 1000))
PARTLY = network("two-of-four", "four layers, the second and the fourth trained", [8, 2, 8], trained=[2, 4], start=4)
BIASED = network("biased", "two trained layers with trained biases", [2], biased=True, start=5)


def instances(profile: str) -> tuple[DeepMoment, ...]:
    """Give the catalogued networks."""
    return (LINEAR, TWO, FIRST, THREE, FOUR, PARTLY) + (() if profile == "quick" else (WIDE,))


WIDE = network("five-wide", "five trained layers, widths 18, 32, 18 and 8", [18, 32, 18, 8], start=2)

NO_BIASES = Hypothesis(
    says="no biases (the print does not say so; false with them)",
    holds=lambda x: "the layers must have no biases, got some" if x.biased else None,
)
HYPOTHESES = (
    NO_BIASES,
    Hypothesis(
        says="no neuron lies on a kink at a data point (almost every t)",
        holds=lambda x: "a neuron lies on a kink of a point" if evaluate(x, x.weights).margin == 0 else None,
    ),
    Hypothesis(
        says="lambda in (0, 1) and at least one trained layer",
        holds=lambda x: (
            None if 0 < x.lam < 1 and x.trained else f"got lam = {x.lam} and trained layers {list(x.trained)}"
        ),
    ),
    Hypothesis(
        says="theta(t) follows the gradient flow of ||Y - u||^2 / 2 plus the regulariser",
        guaranteed_by="dtheta/dt is minus that gradient, in exact numbers; nothing else of the flow is used",
    ),
)
