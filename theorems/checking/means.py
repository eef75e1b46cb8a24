"""Is the mean of bounded draws what is claimed? Bet against it, both ways, on a fixed grid of stakes.

With y = (x - low)/(high - low) in [0, 1] and mu the claimed mean on that scale,

    E = 1/(2K) sum_c [ prod_t (1 + c (y_t - mu)/mu)  +  prod_t (1 - c (y_t - mu)/(1 - mu)) ]

Under E[x_t | past] = mean every factor has mean 1 and is at least 1 - c > 0, so E is a martingale with start 1
and P(E ever reaches 1/alpha) <= alpha. A large E says that the mean is wrong; a small one says nothing.

Source: Waudby-Smith and Ramdas 2024.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

STAKES = (0.99, *(2.0**-k for k in range(1, 9)))  # c: the part of the wealth at risk in one draw

_LOG_BETS = math.log(2 * len(STAKES))
_TILTS = np.geomspace(1 / 64, 1, 13)  # theta, the exponent of the Chernoff bound
_RESOLUTION = 1.001


def mean_log_wealth(values: npt.ArrayLike, mean: float, low: float, high: float) -> float:
    """Log e-value against E[x_t | past] = mean.

    Parameters
    ----------
    values : (n,) draws in [low, high], in order; n = 0 gives 0
    mean : the claim, low < mean < high
    low, high : the known range

    Returns
    -------
    log E, good to about n 2^-50: an error of e in log E moves alpha by a factor exp(e)

    Raises
    ------
    ValueError : a value outside [low, high] or nan, or not low < mean < high
    """
    centre = _centre("mean_log_wealth", mean, low, high)
    x = np.asarray(values, np.float64)
    if x.ndim != 1:
        raise ValueError(f"mean_log_wealth: values must have one dimension, got shape {x.shape}")
    outside = np.flatnonzero(~((x >= low) & (x <= high)))
    if outside.size:
        at = outside[0]
        raise ValueError(f"mean_log_wealth: values must be in [{low}, {high}], got values[{at}] = {x[at]}")
    gain = (x - mean) / (high - low)
    stakes = np.array(STAKES)[:, None]
    up = np.log1p(stakes * gain / centre).sum(axis=1)
    down = np.log1p(-stakes * gain / (1 - centre)).sum(axis=1)
    return float(logsumexp([*up, *down])) - _LOG_BETS


def draws_needed(effect: float, mean: float, low: float, high: float, alpha: float, power: float) -> int:
    """Draws after which a mean off by `effect` or more has been refuted with probability at least `power`.

    Parameters
    ----------
    effect : > 0, in the units of the draws; mean + effect <= high or mean - effect >= low
    mean, low, high : the claim
    alpha, power : in (0, 1)

    Raises
    ------
    ValueError : an argument out of range, or an effect too small for every stake

    Notes
    -----
    For theta > 0 the function (1 + l (y - mu))^-theta is convex in y, so among laws on [0, 1] of mean p its
    expectation is greatest, rho, for the coin with P(y = 1) = p. One bet has weight 1/(2K), hence by Markov's
    inequality P(E_n < 1/alpha) <= (2K/alpha)^theta rho^n. The answer takes the best theta and stake for the worse
    of the two directions; it holds whenever E[x_t | past] is off by `effect` in one direction throughout.
    """
    needed = _bound("draws_needed", effect, _centre("draws_needed", mean, low, high), high - low, alpha, power)
    if math.isinf(needed):
        raise ValueError(f"draws_needed: no stake grows for effect = {effect}")
    return math.ceil(needed)


def detectable_effect(draws: int, mean: float, low: float, high: float, alpha: float, power: float) -> float:
    """Least effect, rounded up by at most one part in a thousand, with `draws_needed` at most `draws`.

    Raises
    ------
    ValueError : an argument out of range, or `draws` too few for any mean in [low, high]
    """
    centre = _centre("detectable_effect", mean, low, high)
    below, above = 0.0, max(high - mean, mean - low)
    if not _bound("detectable_effect", above, centre, high - low, alpha, power) <= draws:
        raise ValueError(f"detectable_effect: draws = {draws} refute no mean in [{low}, {high}] from {mean}")
    while above > _RESOLUTION * below:
        middle = (below + above) / 2
        seen = math.ceil(_bound("detectable_effect", middle, centre, high - low, alpha, power)) <= draws
        below, above = (below, middle) if seen else (middle, above)
    return above


def _bound(function: str, effect: float, centre: float, width: float, alpha: float, power: float) -> float:
    """The draws needed before rounding, inf where no stake grows; falls as the effect grows."""
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ValueError(f"{function}: alpha and power must be in (0, 1), got {alpha} and {power}")
    shift = effect / width
    reachable = [c for c in (centre, 1 - centre) if shift <= 1 - c]
    if not (effect > 0 and reachable):
        raise ValueError(f"{function}: effect must be > 0 and leave room in the range, got effect = {effect}")
    return max(_one_way(c, c + shift, alpha, power) for c in reachable)


def _one_way(centre: float, truth: float, alpha: float, power: float) -> float:
    stakes, theta = np.array(STAKES)[:, None], _TILTS
    win, lose = 1 + stakes * (1 - centre) / centre, 1 - stakes
    log_rho = np.log(truth * win**-theta + (1 - truth) * lose**-theta)
    to_pay = theta * (_LOG_BETS - math.log(alpha)) - math.log1p(-power)
    grows = log_rho < 0
    return float(np.where(grows, to_pay / np.where(grows, -log_rho, 1.0), np.inf).min())


def _centre(function: str, mean: float, low: float, high: float) -> float:
    if not (math.isfinite(low) and math.isfinite(high) and low < mean < high):
        raise ValueError(
            f"{function}: need low < mean < high, all finite, got low = {low}, mean = {mean}, high = {high}"
        )
    return (mean - low) / (high - low)
