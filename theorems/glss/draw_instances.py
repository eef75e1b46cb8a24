"""The instances of Definition 3.2: features, the law they are drawn from, and how many are."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from reference import finite_features as finite
from reference.datasets import load
from reference.finite_features import FiniteFeatures
from theorems.glss.leverage_instances import HERMITIAN, I6, NEURONS, SPECTRUM
from theorems.statement import Instance


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedDraws(Instance):
    """Modified random features over a finite world.

    Parameters
    ----------
    features : p_j and Gram matrices
    q : (J,) probabilities drawn from
    m : how many are drawn
    """

    features: FiniteFeatures
    q: tuple[Fraction, ...]
    m: int


def leverage_law(features: FiniteFeatures, lam: Fraction) -> tuple[Fraction, ...]:
    """Give q_lambda / s_lambda."""
    mass = [p * t for p, t in zip(features.p, features.leverage(lam), strict=True)]
    return tuple(x / sum(mass) for x in mass)


UNEVEN = WeightedDraws(
    name="spike-by-leverage",
    says="K = diag(1, 1/100), two draws from q_lambda / s_lambda at lambda = 1/20",
    features=finite.diagonal((1, Fraction(1, 100))),
    q=leverage_law(finite.diagonal((1, Fraction(1, 100))), Fraction(1, 20)),
    m=2,
)
NULL_NEVER_DRAWN = WeightedDraws(
    name="null-feature-never-drawn",
    says="half of p lies on a feature that vanishes; q never draws it",
    features=finite.with_null_atom(finite.coupon(2), Fraction(1, 2)),
    q=(Fraction(1, 2), Fraction(1, 2), Fraction(0)),
    m=2,
)
MISSED = WeightedDraws(
    name="feature-missed",
    says="three orthogonal features, the third never drawn",
    features=finite.coupon(3),
    q=(Fraction(1, 2), Fraction(1, 2), Fraction(0)),
    m=1,
)


@cache
def weighted_draws(profile: str) -> tuple[WeightedDraws, ...]:
    """Give weighted draws; a longer profile begins with the shorter one."""
    neurons = finite.from_features(NEURONS.p, NEURONS.phi)
    digits = finite.linear_kernel(np.rint(load("digits", 4)[:, [18, 26, 28, 36]] * 64).astype(int).tolist())
    found: tuple[WeightedDraws, ...] = (
        UNEVEN,
        NULL_NEVER_DRAWN,
        WeightedDraws(
            name="I6-by-leverage",
            says="linear kernel of X = [[1, 2], [3, -1]], three draws in proportion to 59 and 54",
            features=I6.features,
            q=(Fraction(59, 113), Fraction(54, 113)),
            m=3,
        ),
        WeightedDraws(
            name="own-law",
            says="two draws from p itself: all weights are 1",
            features=SPECTRUM.features,
            q=SPECTRUM.features.p,
            m=2,
        ),
        WeightedDraws(
            name="rarely-drawn",
            says="one of two features is drawn once in 10^12",
            features=finite.coupon(2),
            q=(1 - Fraction(1, 10**12), Fraction(1, 10**12)),
            m=2,
        ),
        WeightedDraws(
            name="hermitian-by-leverage",
            says="three Gaussian-integer features in C^2, two draws by leverage at lambda = 1/4",
            features=HERMITIAN.features,
            q=leverage_law(HERMITIAN.features, HERMITIAN.lam),
            m=2,
        ),
        WeightedDraws(
            name="neurons-by-leverage",
            says="ReLU tangent features of four integer points at eight neurons, two draws by leverage",
            features=neurons,
            q=leverage_law(neurons, NEURONS.lam),
            m=2,
        ),
        WeightedDraws(
            name="digits-by-leverage",
            says="linear kernel of four digits in four pixels, two draws by leverage at lambda = 64",
            features=digits,
            q=leverage_law(digits, Fraction(64)),
            m=2,
        ),
    )
    if profile in ("ci", "night"):
        found += (
            WeightedDraws(
                name="neurons-three-draws",
                says="ReLU tangent features of four integer points at eight neurons, three draws by leverage",
                features=neurons,
                q=leverage_law(neurons, NEURONS.lam),
                m=3,
            ),
        )
    return found
