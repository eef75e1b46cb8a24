"""Are draws from a finite law independent? Bet that a draw repeats the one `lag` steps before.

    E = mean over lags k and stakes s of prod_t f_t,   f_t = 1 + s (1 - q_x)/q_x  if X_t = X_(t-k) = x
                                                       f_t = 1 - s                if X_t != X_(t-k) = x

For independent draws from q the chance of a repetition, given all the past, is q_x for the category x that was
there: the factor has conditional mean 1 for every q, uniform or not, although the repetitions themselves are
dependent. So E is a martingale with start 1 and P(E ever reaches 1/alpha) <= alpha. The bet with stake s is the
likelihood ratio of the sticky chain that repeats with probability s and draws afresh otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from theorems.checking.sampler_law import check_rates, probabilities

LAGS = (1, 2, 3, 4)
STAKES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 7 / 8, 63 / 64)

_LOG_BETS = math.log(len(LAGS) * len(STAKES))
_TILTS = np.geomspace(1 / 64, 1, 13)  # theta, the exponent of the Chernoff bound
_STEPS = 64  # stickiness is resolved to 1/64


def independence_log_wealth(draws: npt.ArrayLike, q: Sequence[Fraction | float]) -> float:
    """Log e-value against independent draws from q.

    Parameters
    ----------
    draws : (n,) integers in 0 .. J-1, in the order drawn
    q : (J,) a law, as in `sampler_law.law_log_wealth`

    Returns
    -------
    log E; +inf when a category with q_j = 0 was drawn

    Raises
    ------
    ValueError : a draw outside 0 .. J-1, or q is no law
    """
    law = probabilities("independence_log_wealth", q)
    x = np.asarray(draws)
    if x.ndim != 1 or (x.size and x.dtype.kind not in "iu") or ((x < 0) | (x >= law.size)).any():
        raise ValueError(f"independence_log_wealth: draws must be integers in 0 .. {law.size - 1}, got {draws!r}"[:200])
    x = x.astype(np.int64)
    chance = law[x]
    if (chance == 0).any():
        return math.inf
    stakes = np.array(STAKES)[:, None]
    log_products = [
        np.where(
            x[lag:] == x[:-lag],
            np.log1p(stakes * (1 - chance[:-lag]) / chance[:-lag]),
            np.log1p(-stakes),
        ).sum(axis=1)
        for lag in LAGS
    ]
    return float(logsumexp(log_products)) - _LOG_BETS


def draws_needed(
    stickiness: float,
    lag: int,
    q: Sequence[Fraction | float],
    alpha: float,
    power: float,
    most: int = 100_000,
) -> int:
    """Draws after which a sticky chain has been refuted with probability at least `power`.

    The chain repeats the draw `lag` steps before with probability `stickiness`, else draws afresh from q; at
    lag 1 and stickiness 1 one draw is repeated for ever.

    Parameters
    ----------
    stickiness : in (0, 1]
    lag : one of LAGS
    q : (J,) a law
    alpha, power : in (0, 1)
    most : where to give up

    Raises
    ------
    ValueError : an argument out of range, or more than `most` draws needed

    Notes
    -----
    One bet has weight 1/(LAGS STAKES), so by Markov's inequality P(E_n < 1/alpha) is at most
    (weight alpha)^-theta E[prod_t f_t^-theta], for every theta > 0 and stake. The draws at distance `lag` are `lag`
    independent Markov chains, and the expectation for each is computed exactly by a backward recursion.
    """
    check_rates("draws_needed", alpha, power)
    for n, log_miss in _log_miss(stickiness, lag, probabilities("draws_needed", q), alpha, most):
        if log_miss <= math.log1p(-power):
            return n
    raise ValueError(f"draws_needed: stickiness = {stickiness} is not refuted within most = {most} draws")


def detectable_stickiness(draws: int, lag: int, q: Sequence[Fraction | float], alpha: float, power: float) -> float:
    """Least multiple of 1/64 from which on every stickiness is refuted by `draws` draws with the given power.

    Parameters as in `draws_needed`; the multiples of 1/64 themselves are tried, from 1 downwards.

    Raises
    ------
    ValueError : an argument out of range, or one draw repeated for ever is not refuted by `draws` draws
    """
    check_rates("detectable_stickiness", alpha, power)
    law, goal = probabilities("detectable_stickiness", q), math.log1p(-power)

    def seen(steps: int) -> bool:
        return any(miss <= goal for _, miss in _log_miss(steps / _STEPS, lag, law, alpha, draws))

    unseen = next(steps for steps in range(_STEPS, -1, -1) if steps == 0 or not seen(steps))
    if unseen == _STEPS:
        raise ValueError(f"detectable_stickiness: draws = {draws} refute no stickiness at lag = {lag}")
    return (unseen + 1) / _STEPS


def _log_miss(
    stickiness: float, lag: int, law: npt.NDArray[np.float64], alpha: float, most: int
) -> Iterator[tuple[int, float]]:
    """Bound log P(E_n < 1/alpha) for n = lag .. most draws of the sticky chain, one n after the other."""
    if lag not in LAGS or not 0 < stickiness <= 1:
        raise ValueError(f"sticky chain: need lag in {LAGS} and stickiness in (0, 1], got {lag} and {stickiness}")
    q, theta = law[law > 0], _TILTS[None, :, None]
    stakes = np.array(STAKES)[:, None, None]
    repeated = (1 + stakes * (1 - q) / q) ** -theta  # (bets, tilts, J)
    changed = (1 - stakes) ** -theta
    entry = theta[..., 0] * (_LOG_BETS - math.log(alpha))
    future = np.ones_like(repeated)  # E[prod of f^-theta over the steps to come | state], times a scale
    now, scale = np.zeros_like(entry), np.zeros_like(entry)  # log of its mean over the first draw; of the scale
    for n in range(lag, most + 1, lag):
        average = (future * q).sum(axis=-1, keepdims=True)
        future = (stickiness + (1 - stickiness) * q) * repeated * future + (1 - stickiness) * changed * (
            average - q * future
        )
        top = future.max(axis=-1, keepdims=True)
        future, scale = future / top, scale + np.log(top[..., 0])
        after = scale + np.log((future * q).sum(axis=-1))
        for longer in range(min(lag, most - n + 1)):  # so many of the chains are one step ahead
            yield n + longer, float((entry + longer * after + (lag - longer) * now).min())
        now = after
