r"""Equation (8): the mean inner product of the gradients of a random network is the tangent kernel.

    E <df_nn(W, x)/dW, df_nn(W, z)/dW> = (|a|^2 / m) x.z P(w.x >= 0, w.z >= 0) = (|a|^2 / m) x.z (pi - theta) / (2 pi)

The left side is a sum over neurons of sums over the activation cells of the two points, whose probabilities are
enclosed as corners of orthants; the right side is the closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import cos, sin
from typing import Any

from reference.arithmetic import Exact, precision
from reference.datasets import NAMES, load
from theorems.glss.ridge_instances import Matrix, Vector, matrix, on_circle, vector
from theorems.glss.tangent_instances import CORNERS, LAW, ROOTS, TRIANGLE
from theorems.glss.tangent_worlds import BITS, Number, World, number, world
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Expectation, Hypothesis, Instance, Misprint, Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class Gradients(Instance):
    """Points and the second layer of a network.

    Parameters
    ----------
    X : (n, d) points, of any rank
    a : (m,) second layer, real numbers
    rational : all angles are multiples of 30 or 45 degrees
    """

    X: Matrix
    a: Vector
    rational: bool


def gradients(
    name: str, says: str, X: Iterable[Iterable[Exact]], a: Iterable[Exact], *, rational: bool = False
) -> Gradients:
    """Take every number at its exact value."""
    return Gradients(name=name, says=says, X=matrix(X), a=vector(a), rational=rational)


ONE_RADIAN = gradients("one-radian", "two unit vectors at angle 1, two neurons", [[1, 0], [cos(1), sin(1)]], [1, -1])
SQUARE = gradients(
    "square-signs", "multiples of 45 degrees, three neurons", [[1, 0], [1, 1], [0, -2]], [1, -1, 1], rational=True
)
REAL_SECOND_LAYER = gradients(
    "real-second-layer",
    "multiples of 45 degrees, a = (1, 2, -1/2): |a|^2 / m = 7/4",
    [[1, 0], [1, 1], [0, -2]],
    [1, 2, Fraction(-1, 2)],
    rational=True,
)


@cache
def _enclosed() -> tuple[Gradients, ...]:
    fan = on_circle(0.0, 1e-7, 0.3, 1.5, 2.9, 3.1415926)
    return (
        gradients(
            "fan", "angles 0, 1e-7, .3, 1.5, 2.9, 3.1415926: nearly parallel and antiparallel", fan.tolist(), [1]
        ),
        *(gradients(f"{name}-4", f"four rows of {name}", load(name, 4).tolist(), [1, -1]) for name in NAMES),
    )


@cache
def _more(n: int) -> tuple[Gradients, ...]:
    return tuple(gradients(f"{name}-{n}", f"{n} rows of {name}", load(name, n).tolist(), [1, -1]) for name in NAMES)


def instances(profile: str) -> tuple[Gradients, ...]:
    """Give lattices, then enclosed data; a longer profile begins with the shorter one."""
    found: tuple[Gradients, ...] = (
        ONE_RADIAN,
        SQUARE,
        REAL_SECOND_LAYER,
        *(gradients(x.name, x.says, x.X, [1, -1], rational=True) for x in (CORNERS, TRIANGLE, ROOTS)),
        *_enclosed(),
    )
    if profile in ("ci", "night"):
        found += _more(12)
    if profile == "night":
        found += _more(32)
    return found


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the closed form.

    Parameters
    ----------
    second_layer : (|a|^2, m) -> factor of the kernel
    kernel : (x.z, closed form of the kernel, P(w.x >= 0, w.z >= 0), the arithmetic) -> kernel
    """

    second_layer: Callable[[Fraction, int], Fraction] = lambda squares, m: squares / m
    kernel: Callable[[Number, Number, Number, World], Number] = lambda _product, kernel, _both, _w: kernel


PRINTED = Reading()


def conclusion(reading: Reading) -> Expectation:
    """Give the sentence for a reading of (8), the printed one or a broken one."""

    def claims(x: Gradients) -> list[Claim]:
        with precision(BITS):
            return [_entry(reading, x, i, j) for i in range(len(x.X)) for j in range(i + 1)]

    return Expectation(claims=claims)


def _entry(reading: Reading, x: Gradients, i: int, j: int) -> Claim:
    w = world((x.X[i], x.X[j]), x.rational)
    product, m = w.products()[0, 1], len(x.a)
    both = (w.mass * w.seen[:, 0] * w.seen[:, 1]).sum()
    # df/dw_r = (a_r / sqrt m) 1_r x, and every neuron has the same law
    mean = sum((number(a * a / m, x.rational) for a in x.a), number(0, x.rational)) * product * both
    kernel = reading.kernel(product, w.kernel[0, 1], both, w)
    factor = reading.second_layer(sum((a * a for a in x.a), Fraction(0)), m)
    return Claim(
        says=f"E <df(x_{i + 1})/dW, df(x_{j + 1})/dW> = (|a|^2 / m) K(x_{i + 1}, x_{j + 1})",
        left=w.quantity(mean),
        relation="=",
        right=w.quantity(w.number(factor) * kernel),
    )


def _twin(name: str, because: str, refuted_on: Gradients, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.tangent_strategies import gradient_pairs

    return gradient_pairs()


SECOND_LAYER = Misprint(
    id="E26",
    says="(8) is written for the network of Section 3.2.1 with a_r in R, without a factor",
    instead="(|a|^2 / m) x.z P(w.x >= 0, w.z >= 0): the kernel itself when a_r = +-1, as Definition 3.5 draws them. "
    "The signs must also be random: with a_r = 1 the outputs at the start are of the order sqrt m",
    witness="real-second-layer: a = (1, 2, -1/2), the mean is 7/4 of the kernel",
)

STATEMENT = Statement(
    id="glss.eq8",
    number="(8)",
    title="The neural tangent kernel",
    kind="Equation",
    says=r"\mathbb{E}\left[\left\langle\frac{\partial f_{\mathrm{nn}}(W,x)}{\partial W},"
    r"\frac{\partial f_{\mathrm{nn}}(W,z)}{\partial W}\right\rangle\right]"
    r"=\frac{\lVert a\rVert_2^2}{m}K_{\mathrm{ntk}}(x,z)"
    r"\quad K_{\mathrm{ntk}}(x,z)=x^{\top}z\,\frac{\pi-\theta(x,z)}{2\pi}",
    plainly="Over Gaussian neurons the inner product of two gradients has the mean x.z (pi - theta) / (2 pi), at every "
    "width, times |a|^2 / m, which is 1 for signs.",
    source=GLSS.at("Section 3.2.1, equation (8)"),
    deviation="The factor |a|^2 / m is added (E26); the closed form is not printed, and it is what the definition can "
    "be wrong about. 0 where a point is 0.",
    constant="explicit",
    hypotheses=(
        Hypothesis(
            says="the second layer is fixed and not empty",
            holds=lambda x: None if x.a else "a must hold at least one neuron, got none",
        ),
        LAW,
    ),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "inner_product_forgotten",
            "the features are x 1[w.x >= 0], not 1[w.x >= 0]",
            ONE_RADIAN,
            kernel=lambda _product, _kernel, both, _w: both,
        ),
        _twin(
            "angle_reflected",
            "pi + theta counts the neurons that see at least one of the two points",
            ONE_RADIAN,
            kernel=lambda product, kernel, _both, _w: product - kernel,
        ),
        _twin(
            "half_forgotten",
            "half of all neurons see a point: ||x||^2 / 2 on the diagonal",
            ONE_RADIAN,
            kernel=lambda _product, kernel, _both, _w: 2 * kernel,
        ),
        _twin(
            "second_layer_forgotten",
            "as printed, for a_r in R",
            REAL_SECOND_LAYER,
            second_layer=lambda _squares, _m: Fraction(1),
        ),
        _twin(
            "independent_activations",
            "P(w.x >= 0, w.z >= 0) = 1/4 at right angles only",
            SQUARE,
            kernel=lambda product, _kernel, _both, w: product * w.number(Fraction(1, 4)),
        ),
        _twin(
            "mean_over_neurons_forgotten",
            "without 1/sqrt m in the network the kernel grows with the width",
            SQUARE,
            second_layer=lambda squares, _m: squares,
        ),
    ),
    misprints=(SECOND_LAYER,),
    notes=(
        "At angle 1 the mean is .1842; without the inner product it would be .3408, with pi + theta .3561, without the "
        "half .3683.",
    ),
    strategy=_drawn,
)
