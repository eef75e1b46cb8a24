"""Equation (12): the mean of m whitened draws concentrates.

    P[ || (1/m) sum_r Y_r - E Y || <= eps ] >= 1 - delta   at the m of Theorem 3.3

By equation (11) this is the event of Theorem 3.3. Here it is decided in whitened coordinates, from the matrix
B (Psi Psi^T - K) B^T with B (K + lam I) B^T = I.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

import numpy as np

from reference import finite_features as finite
from reference.leverage import whitener, whitening_residual
from reference.preconditions import UNIT_ROUNDOFF, gamma
from theorems.glss.sampling_constructions import construct, quantities
from theorems.glss.sampling_instances import (
    COMPLEX,
    COUPON_3,
    COUPON_8,
    LINEAR,
    NULL_ATOM,
    RAMP,
    SPIKE,
    FiniteWorld,
    SamplingInstance,
    in_the_plane,
)
from theorems.glss.sampling_recipe import PAPER, Quantities, Recipe, Scheme, over, safe_ceiling
from theorems.glss.theorem_3_3_kernel_approximation import (
    ACCURACY,
    DOMINATION,
    FAILURE,
    RIDGE_BELOW_NORM,
    RIDGE_POSITIVE,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Construction, HighProbability, Hypothesis, SpectralBatch, Statement


def _whitened(built: Construction, ridge: float) -> Construction:
    """Move every draw of a construction into coordinates in which K + ridge I is the identity.

    The event (1 - eps) I <= I + B D B^T <= (1 + eps) I, D = Kt - K, is || B D B^T || <= eps.

    Error: the triple product carries at most 2n + 2 roundings per term, D itself is off by both radii and one
    rounding per entry, and B whitens up to the residual r, which scales the norm by at most 1 / (1 - r).
    """

    def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
        given = cast(SpectralBatch, built.draw(rng, trials))  # what every recipe of this paper draws
        n = len(given.K)
        B, r = whitener(given.K, ridge), whitening_residual(given.K, ridge, given.K_radius)
        D = given.Kt - given.K
        moved = B @ D @ B.T
        sizes = np.linalg.norm(np.abs(B) @ np.abs(D) @ np.abs(B).T, axis=(1, 2))
        inner = given.Kt_radius + given.K_radius + UNIT_ROUNDOFF * np.linalg.norm(D, axis=(1, 2))
        radius = gamma(2 * n + 4) * sizes + inner * np.square(B).sum() + 2 * r / (1 - r) * sizes
        return SpectralBatch(
            K=np.eye(n),
            K_radius=0.0,
            Kt=np.eye(n) + (moved + moved.swapaxes(1, 2)) / 2,
            Kt_radius=(radius + 2 * UNIT_ROUNDOFF * (n + sizes)) * (1 + gamma(n * n + 16)),
            eps=given.eps,
            a=Fraction(0),
            b=Fraction(0),
        )

    # the box of counts decides (5); here it is (12) that is decided
    return replace(built, draw=draw, box=None)


def conclusion(recipe: Recipe, ridge: Callable[[float], float] = lambda lam: lam) -> HighProbability:
    """Give the sentence for a recipe and the ridge of the whitening, the paper's or broken ones."""
    return HighProbability(
        size=lambda x: recipe.size(quantities(x)),
        construction=lambda x, m: _whitened(construct(x, m, recipe), ridge(float(x.lam))),
        delta=lambda x: x.delta,
        stress="|| mean of Y - E Y || / eps",
    )


def _instances(profile: str) -> tuple[SamplingInstance, ...]:
    found = (COUPON_3, SPIKE, RAMP, NULL_ATOM, LINEAR, COMPLEX, *in_the_plane())
    return found if profile == "quick" else (*found, COUPON_8)


def _first_order(x: Quantities) -> int:
    """Give 3 s_q_tilde / eps, rounded up."""
    return safe_ceiling((3 * x.s_q_tilde[0] / x.eps, 3 * x.s_q_tilde[1] / x.eps))


def _strategy() -> Any:
    from theorems.glss.sampling_strategies import finite_worlds

    return finite_worlds()


_FAR_BELOW = FiniteWorld(
    name="far-below",
    says="K = diag(1, 1/16384), lambda = 1/64: the second direction is seldom drawn, and need not be",
    features=finite.diagonal((1, Fraction(1, 2**14))),
    lam=Fraction(1, 64),
    eps=Fraction(49, 100),
    delta=Fraction(1, 10),
)

STATEMENT = Statement(
    id="glss.eq12",
    number="(12)",
    title="The mean of the weighted draws concentrates",
    kind="Equation",
    says=r"P\left[\lVert\frac{1}{m}\sum_{r=1}^{m}Y_r-\mathbb{E}[Y_r]\rVert\le\varepsilon\right]\ge 1-\delta"
    r"\quad\text{once}\quad m\ge 3\varepsilon^{-2}s_{\tilde q_\lambda}"
    r"\ln\frac{16\,s_{\tilde q_\lambda}s_\lambda(K)}{\delta}",
    plainly="At the size of Theorem 3.3 the average of the weighted, whitened draws is within eps of its mean.",
    source=GLSS.at("Section 4, equation (12)"),
    deviation="E[Y_r] for the printed E[Y_i], see E5; the size is that of Theorem 3.3",
    constant="explicit",
    hypotheses=(
        RIDGE_POSITIVE,
        RIDGE_BELOW_NORM,
        ACCURACY,
        FAILURE,
        DOMINATION,
        Hypothesis(
            says="w_1..w_m are independent draws from q_bar",
            guaranteed_by="keyed Philox streams, tested for law and independence at Theorem 3.3",
        ),
    ),
    conclusion=conclusion(PAPER),
    instances=_instances,
    twins=(
        BrokenTwin(
            name="whitened_by_the_kernel_alone",
            because="directions far below lambda are seldom drawn, and K^-1/2 blows them up",
            conclusion=conclusion(PAPER, ridge=lambda lam: lam * 2.0**-40),
            refuted_on=_FAR_BELOW,
        ),
        BrokenTwin(
            name="weights_dropped",
            because="the mean of the draws is then not K",
            conclusion=conclusion(replace(PAPER, scheme=lambda p, q_bar: Scheme(law=q_bar, weight=over(p, p)))),
            refuted_on=SPIKE,
        ),
        BrokenTwin(
            name="one_over_m_forgotten",
            because="a sum of m draws is m times its mean",
            conclusion=conclusion(replace(PAPER, scale=lambda _m: Fraction(1))),
            refuted_on=LINEAR,
        ),
        BrokenTwin(
            name="variance_forgotten",
            because="m = 3 eps^-1 s: averages err like m^-1/2, not like 1/m",
            conclusion=conclusion(replace(PAPER, size=_first_order)),
            refuted_on=COUPON_8,
        ),
    ),
    strategy=_strategy,
)
