r"""Section 3.2.2: the tangent kernel has the form of (3), and the network's kernel is its random feature approximation.

    K_ntk(x, z) = E_{w ~ p} [phi(x, w)^T phi(z, w)],   phi(x, w) = x sigma'(w.x) in R^d,   p = N(0, I_d)
    <df(W, x)/dW, df(W, z)/dW> = (1/m) sum_r phi(x, w_r)^T phi(z, w_r)

The first is an average over activation cells against the closed form; the second holds for every W off the kinks, and
makes the width m the number of features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.rational_networks import Exactly, fractions
from theorems.glss.flow_moments import DUPLICATES, SQUARE, TRIANGLE, Moment, instances
from theorems.glss.network_moments import NO_KINKS, SIGNS, everything
from theorems.glss.tangent_instances import LAW
from theorems.glss.tangent_worlds import world
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Expectation, Hypothesis, Misprint, Statement

Product = Callable[[Exactly, Exactly, Exactly], Exactly]
"""(points, products w.x, 1[w.x >= 0]) of one neuron -> phi(x, w)^T phi(z, w) for all pairs: (k, k)."""


def printed_product(Z: Exactly, _products: Exactly, seen: Exactly) -> Exactly:
    """Give x.z sigma'(w.x) sigma'(w.z)."""
    phi = seen[:, None] * Z
    products: Exactly = phi @ phi.T
    return products


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the features of the tangent kernel.

    Parameters
    ----------
    product : of the features of one neuron
    share : m -> factor of the sum over neurons
    law : probabilities of the cells -> those used
    """

    product: Product = printed_product
    share: Callable[[int], Fraction] = lambda m: Fraction(1, m)
    law: Callable[[Exactly], Exactly] = lambda mass: mass


PRINTED = Reading()


def conclusion(reading: Reading) -> Expectation:
    """Give the sentence for a reading of the features, the printed one or a broken one."""

    def claims(x: Moment) -> Sequence[Claim]:
        Z, net = everything(x), x.network
        products = net.W @ Z.T
        pairs = zip(products, fractions((products > 0).astype(int)), strict=True)
        sums = sum((reading.product(Z, along, seen) for along, seen in pairs), start=0 * (Z @ Z.T))
        gradients = net.gradients(Z).reshape(len(Z), -1) / x.kappa
        w = world((*x.X, *x.new), True)
        mean = np.tensordot(reading.law(w.mass), [printed_product(Z, s, s) for s in w.seen], axes=1)
        return [
            Claim(
                says="<df(W, x)/dW, df(W, z)/dW> = (1/m) sum_r phi(x, w_r)^T phi(z, w_r)",
                left=(gradients @ gradients.T).tolist(),
                relation="=",
                right=(reading.share(len(net.W)) * sums).tolist(),
            ),
            Claim(
                says="E_{w ~ p} phi(x, w)^T phi(z, w) = K_ntk(x, z)",
                left=mean.tolist(),
                relation="=",
                right=w.kernel.tolist(),
            ),
        ]

    return Expectation(claims=claims)


def _steps(_Z: Exactly, _products: Exactly, seen: Exactly) -> Exactly:
    """Give 1[w.x >= 0] 1[w.z >= 0]: features of one coordinate, the step alone."""
    return np.outer(seen, seen)


def _outputs(_Z: Exactly, products: Exactly, seen: Exactly) -> Exactly:
    """Give sigma(w.x) sigma(w.z)."""
    return np.outer(products * seen, products * seen)


def _unseen(Z: Exactly, _products: Exactly, _seen: Exactly) -> Exactly:
    """Give x.z whether or not the neuron sees the points."""
    return Z @ Z.T


def _twin(name: str, because: str, refuted_on: Moment, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.flow_strategies import moments

    return moments()


STATEMENT = Statement(
    id="glss.ntkfeat",
    number="3.2.2, features",
    title="The tangent kernel as a kernel of random features",
    kind="Section",
    says=r"K_{\mathrm{ntk}}(x,z)=\mathbb{E}_{w\sim p}[\phi(x,w)^{\top}\phi(z,w)]\quad\phi(x,w)=x\,\sigma'(w^{\top}x)"
    r"\quad\left\langle\frac{\partial f_{\mathrm{nn}}(W,x)}{\partial W},"
    r"\frac{\partial f_{\mathrm{nn}}(W,z)}{\partial W}\right\rangle"
    r"=\frac{1}{m}\sum_{r=1}^{m}\phi(x,w_r)^{\top}\phi(z,w_r)",
    plainly="The tangent kernel averages the features x 1[w.x >= 0] over Gaussian neurons, and a network of width m "
    "has the kernel of m such features.",
    source=GLSS.at("Section 3.2.2, first display"),
    deviation="The second identity is said in words: 'the width of the network corresponds to the size of the feature "
    "vector'. The feature vector has m d entries.",
    constant="explicit",
    hypotheses=(
        NO_KINKS,
        SIGNS,
        LAW,
        Hypothesis(
            says="all angles are multiples of 30 or 45 degrees, so that numbers are exact",
            guaranteed_by="the instances; other data are in glss.eq8",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin("outputs_for_gradients", "sigma for sigma': the features of the second layer", SQUARE, product=_outputs),
        _twin("step_alone", "the feature is x times the step", SQUARE, product=_steps),
        _twin("activation_forgotten", "a neuron that does not see x has no gradient there", SQUARE, product=_unseen),
        _twin("mean_forgotten", "each gradient carries 1/sqrt m", TRIANGLE, share=lambda _m: Fraction(1)),
        _twin(
            "root_of_the_width",
            "1/sqrt m in each of two gradients is 1/m",
            DUPLICATES,
            share=lambda m: Fraction(1, round(m**0.5)),
        ),
        _twin(
            "cells_equally_likely",
            "a cell has the probability of its angle",
            DUPLICATES,
            law=lambda mass: 0 * mass + Fraction(1, len(mass)),
        ),
    ),
    misprints=(
        Misprint(
            id="E4",
            says="after (9): Phi(w) = [phi(x_1, w)^T, ..., phi(x_n, w)^T]^T in R^{n x d_2}",
            instead="[phi(x_1, w), ..., phi(x_n, w)]^T, as in Section 4; the printed stack is n d_2 x 1. Here d_2 = d",
            witness="`glss.def3.1.as_printed`",
        ),
    ),
    strategy=_drawn,
)
