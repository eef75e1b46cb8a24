"""The finite worlds on which the proof of Theorem 3.3 is followed step by step.

One draw is the random matrix Y = (p / q_bar) B Phi Phi^T B^T, B = Sigma^-1 V. B has square roots; its sentences are
decided in rationals after multiplication by B^-1 from both sides, see `reference.finite_draws`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from reference import finite_features as finite
from reference.finite_draws import FiniteDraws, finite_draws
from reference.finite_features import FiniteFeatures
from theorems.glss.sampling_instances import (
    COMPLEX,
    COUPON_3,
    COUPON_8,
    COUPON_20,
    DELTA,
    EPS,
    LINEAR,
    NULL_ATOM,
    RAMP,
    SPIKE,
    FiniteWorld,
)
from theorems.statement import Rows


def world(
    name: str, says: str, features: FiniteFeatures, lam: Fraction, tau_tilde: Sequence[Fraction] | None = None
) -> FiniteWorld:
    """Give a finite world; eps and delta play no part in a step about one draw."""
    return FiniteWorld(
        name=name,
        says=says,
        features=features,
        lam=lam,
        tau_tilde=None if tau_tilde is None else tuple(tau_tilde),
        eps=EPS,
        delta=DELTA,
    )


@lru_cache(maxsize=64)
def draws(x: FiniteWorld) -> FiniteDraws:
    """Give the law of one draw on an instance."""
    return finite_draws(x.features, x.lam, x.tau_tilde)


def second_moment(x: FiniteWorld) -> Any:
    """Give E[M (K + lam I)^-1 M], which is E Y^2 before whitening."""
    law = draws(x)
    return sum(q * (M @ law.A_inverse @ M) for q, M in zip(law.q_bar, law.matrices, strict=True))


def rows(matrix: Any) -> Rows:
    """Read an object array of Fractions as rows."""
    return [list(row) for row in matrix]


def _wasteful() -> FiniteWorld:
    features, lam = finite.diagonal((1, Fraction(1, 5))), Fraction(1, 20)
    tau = features.leverage(lam)
    return world(
        "wasteful",
        "K = diag(1, 1/5), lambda = 1/20; q_tilde is q_lambda at the first feature and five times it at the second",
        features,
        lam,
        (tau[0], 5 * tau[1]),
    )


def _rotated() -> FiniteWorld:
    """Give a kernel whose whitening Sigma^-1 V is rational: K + I/16 = V^T diag(1, 1/4) V, V a 3-4-5 rotation."""
    V = np.array([[Fraction(3, 5), Fraction(4, 5)], [Fraction(-4, 5), Fraction(3, 5)]])
    both = np.array([[Fraction(3, 8), Fraction(0)], [Fraction(0), Fraction(3, 8)]])
    first = V.T @ np.array([[Fraction(3, 2), Fraction(0)], [Fraction(0), Fraction(0)]]) @ V
    grams = tuple(tuple(tuple(row) for row in G) for G in (both, first))
    return world(
        "rotated",
        "eigenvalues 15/16 and 3/16 on a 3-4-5 rotation, lambda = 1/16; one isotropic feature, one along the first",
        FiniteFeatures(p=(Fraction(1, 2), Fraction(1, 2)), grams=grams),
        Fraction(1, 16),
    )


ROTATED = _rotated()
ROTATED_WHITENING = ((Fraction(3, 5), Fraction(4, 5)), (Fraction(-8, 5), Fraction(6, 5)))
"""Sigma^-1 V of `ROTATED`."""

WASTEFUL = _wasteful()
ONE_POINT = world("one-point", "n = 1, one feature, K = 1, lambda = 1", finite.coupon(1), Fraction(1))
TINY_RIDGE = world(
    "tiny-ridge", "K = diag(1, 1/2), lambda = 1e-12", finite.diagonal((1, Fraction(1, 2))), Fraction(1, 10**12)
)
CORNERS = world(
    "corners",
    "linear kernel of a point, its duplicate, its antipode and a zero row",
    finite.linear_kernel([[1, 2], [1, 2], [-1, -2], [0, 0]]),
    Fraction(1, 2),
)
TWO_OUTPUTS = world(
    "two-outputs",
    "d2 = 2: integer features of rank two on three points",
    finite.from_features(
        (Fraction(1, 3), Fraction(2, 3)),
        [[[1, 0], [0, 1], [1, 1]], [[2, 1], [-1, 0], [0, 3]]],
    ),
    Fraction(3),
)


def _larger(n: int) -> FiniteWorld:
    X = [[(i * j + i + j) % 5 - 2 for j in range(n + 2)] for i in range(n)]
    return world(
        f"integers-{n}",
        f"linear kernel of {n} integer points in {n + 2} dimensions",
        finite.linear_kernel(X),
        Fraction(n),
    )


def instances(profile: str) -> tuple[FiniteWorld, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[FiniteWorld, ...] = (
        ONE_POINT,
        COUPON_3,
        SPIKE,
        RAMP,
        NULL_ATOM,
        LINEAR,
        COMPLEX,
        ROTATED,
        WASTEFUL,
        TINY_RIDGE,
        CORNERS,
        TWO_OUTPUTS,
    )
    if profile in ("ci", "night"):
        found += (COUPON_8, _larger(6))
    if profile == "night":
        found += (COUPON_20, _larger(12))
    return found
