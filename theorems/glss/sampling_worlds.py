"""More exact worlds for Theorem 3.3 and its variants: dominating functions that are wasteful, adversarial or tight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from reference import finite_features as finite
from reference.dominating import rounded_up
from reference.finite_features import FiniteFeatures
from theorems.glss.sampling_instances import DELTA, EPS, RAMP, SPIKE, FiniteWorld


def dominated(
    name: str, says: str, world: FiniteWorld, tau_tilde: Callable[[FiniteFeatures, Fraction], list[Fraction]]
) -> FiniteWorld:
    """Give a world another q_tilde = p tau_tilde, a function of its features and ridge."""
    return replace(world, name=name, says=says, tau_tilde=tuple(tau_tilde(world.features, world.lam)), curve=False)


def diluted(name: str, says: str, S: Fraction, *, eps: Fraction, delta: Fraction, lam: Fraction) -> FiniteWorld:
    """Give the family N(S) of one direction, K = 1, with a null feature that takes what q_tilde has beyond s_lambda.

    p = (1/2, 1/2),   tau = (2 / (1 + lam), 0),   s_q_tilde = S, so that N ~ Bin(m, s_lambda / S) draws count
    """
    s = 1 / (1 + lam)
    if s >= S:
        raise ValueError(f"diluted: S must exceed s_lambda = {s}, got S = {S}")
    return FiniteWorld(
        name=name,
        says=says,
        features=finite.with_null_atom(finite.coupon(1), Fraction(1, 2)),
        tau_tilde=(2 * s, 2 * (S - s)),
        lam=lam,
        eps=eps,
        delta=delta,
    )


THREE_TIMES = dominated(
    "three-times-leverage",
    "K = diag(1, 1/2, 1/4, 1/8), q_tilde = 3 q_lambda: the law of leverage at three times the price",
    RAMP,
    lambda features, lam: [3 * t for t in features.leverage(lam)],
)
TRACE_BOUND = dominated(
    "largest-norm-over-ridge",
    "K = diag(1, 1/100), q_tilde = p max ||Phi||_F^2 / lambda: draws from p at the classical price",
    SPIKE,
    lambda features, lam: (
        [max(sum(G[i][i] for i in range(features.n)) for G in features.grams) / lam] * len(features.p)
    ),
)
DYADIC = dominated(
    "leverage-rounded-up",
    "K = diag(1, 1/2, 1/4, 1/8), q_tilde = q_lambda rounded up to quarters of p",
    RAMP,
    lambda features, lam: rounded_up(features.leverage(lam), bits=2),
)
SPIKY = dominated(
    "spiky",
    "K = diag(1, 1/2, 1/4, 1/8), q_tilde a thousand times too large on the direction that matters least",
    RAMP,
    lambda features, lam: [t * (1000 if j == 3 else 1) for j, t in enumerate(features.leverage(lam))],
)
JUST_ABOVE_A_HALF = diluted(
    "just-above-a-half",
    "one direction, lambda = .999 ||K||, s_q_tilde = .52: the corner where the cited lemma does not give the theorem",
    Fraction(52, 100),
    eps=EPS,
    delta=DELTA,
    lam=Fraction(999, 1000),
)
TIGHT = diluted(
    "tight",
    "one direction in a hundred draws, eps = .49, delta = 1e-300: where the constant shows",
    Fraction(100),
    eps=Fraction(49, 100),
    delta=Fraction(1, 10**300),
    lam=Fraction(1, 10**6),
)


def more_worlds() -> tuple[FiniteWorld, ...]:
    """Give the worlds inside the printed theorem."""
    return (THREE_TIMES, TRACE_BOUND, DYADIC, SPIKY, JUST_ABOVE_A_HALF, TIGHT)
