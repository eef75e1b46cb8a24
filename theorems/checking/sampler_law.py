"""Do draws follow the claimed finite law? A Dirichlet mixture of all other laws bets against it.

    log E = lG(A) - lG(A + n) + sum_j [ lG(1/2 + n_j) - lG(1/2) ] - sum_j n_j log q_j,   A = J/2

over the J categories with q_j > 0. E is the likelihood ratio of a mixture of laws on the support of q to q
itself: a martingale with start 1 when the draws are independent with law q, so P(E ever reaches 1/alpha) <= alpha.
The order of the draws does not matter here; it does in `independence`.

Source: Krichevsky and Trofimov 1981 for the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

_TILTS = 2.0 ** -np.arange(0, 6, 1 / 8)  # theta, the exponent of the Chernoff bound; contains 1/2
_MOST = 2**40  # draws


def law_log_wealth(counts: npt.ArrayLike, q: Sequence[Fraction | float]) -> float:
    """Log e-value against independent draws from q.

    Parameters
    ----------
    counts : (J,) integers >= 0, draws of each category
    q : (J,) probabilities >= 0; Fractions with sum 1, or floats whose sum is 1 up to J 2^-52

    Returns
    -------
    log E; +inf when a category with q_j = 0 was drawn. The float error is about n 2^-50 max_j |log q_j|.

    Raises
    ------
    ValueError : counts are no counts, q is no law, or the lengths differ
    """
    law = probabilities("law_log_wealth", q)
    n = np.asarray(counts)
    if n.dtype.kind not in "iu" or n.shape != law.shape or (n < 0).any():
        raise ValueError(f"law_log_wealth: counts must be {law.size} integers >= 0, got counts = {counts!r}"[:200])
    possible = law > 0
    if n[~possible].any():
        return math.inf
    n, law = n[possible], law[possible]
    half = law.size / 2
    mixture = gammaln(half) - gammaln(half + n.sum()) + (gammaln(n + 0.5) - gammaln(0.5)).sum()
    return float(mixture - (n * np.log(law)).sum())


def draws_needed(truth: Sequence[Fraction | float], q: Sequence[Fraction | float], alpha: float, power: float) -> int:
    """Draws after which independent draws from `truth` have refuted q with probability at least `power`.

    Parameters
    ----------
    truth, q : (J,) laws, different
    alpha, power : in (0, 1)

    Raises
    ------
    ValueError : an argument out of range, or truth == q

    Notes
    -----
    E is at least exp(-R_n) times the likelihood ratio of truth to q (`regret`). By Markov's inequality, for
    0 < theta <= 1, P(E_n < 1/alpha) <= (exp(R_n)/alpha)^theta (sum_j truth_j^(1-theta) q_j^theta)^n. As theta
    falls to 0 the base tends to exp(-theta KL(truth || q)): about (log(1/alpha) + R_n)/KL draws on average.
    The exponent is concave in n and starts above its goal, so it crosses it once.
    """
    p, law = probabilities("draws_needed", truth), probabilities("draws_needed", q)
    check_rates("draws_needed", alpha, power)
    if p.shape != law.shape or (p == law).all():
        raise ValueError("draws_needed: truth must be another law than q on the same categories")
    support, drawn = int((law > 0).sum()), p > 0
    with np.errstate(divide="ignore"):  # log 0 is right: a category impossible under q is infinitely telling
        logs = np.log(p[drawn, None]) * (1 - _TILTS) + np.log(law[drawn, None]) * _TILTS
        per_draw = np.log(np.exp(logs).sum(axis=0))

    def enough(n: int) -> bool:
        exponent = _TILTS * (regret(n, support) - math.log(alpha)) + n * per_draw
        return bool(exponent.min() <= math.log1p(-power))

    below, above = 0, 1
    while not enough(above):
        if above > _MOST:
            raise ValueError(f"draws_needed: truth and q are too close to tell apart in {_MOST} draws")
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if enough(middle) else (middle, above)
    return above


def detectable_divergence(draws: int, categories: int, alpha: float, power: float) -> float:
    """Divergence D from q that `draws` draws refute with probability at least `power`, whatever the law.

    D_1/2(truth || q) >= (log(1/alpha) + R_n + 2 log(1/(1 - power))) / n  suffices; the Kullback-Leibler
    divergence is never below D_1/2.

    Parameters
    ----------
    draws : n >= 1
    categories : number of q_j > 0, >= 1
    alpha, power : in (0, 1)

    Notes
    -----
    `draws_needed` at theta = 1/2, solved for the divergence: see there.

    Raises
    ------
    ValueError : an argument out of range
    """
    if draws < 1 or categories < 1:
        raise ValueError(f"detectable_divergence: draws and categories must be >= 1, got {draws} and {categories}")
    check_rates("detectable_divergence", alpha, power)
    return (regret(draws, categories) - math.log(alpha) - 2 * math.log1p(-power)) / draws


def divergence(truth: Sequence[Fraction | float], q: Sequence[Fraction | float]) -> float:
    """Renyi divergence of order 1/2, D_1/2 = -2 log sum_j sqrt(truth_j q_j) >= 0; +inf for disjoint supports.

    Raises
    ------
    ValueError : not two laws on the same categories
    """
    p, law = probabilities("divergence", truth), probabilities("divergence", q)
    if p.shape != law.shape:
        raise ValueError(f"divergence: truth and q must have one length, got {p.size} and {law.size}")
    overlap = float(np.sqrt(p * law).sum())
    return max(0.0, -2 * math.log(overlap)) if overlap else math.inf


def regret(n: int, categories: int) -> float:
    """What the mixture loses to the best law in hindsight, at most, in the log wealth of n draws.

    R_n = lG(n + J/2) - lG(J/2) - lG(n + 1/2) + lG(1/2)

    Parameters
    ----------
    n : draws, >= 0
    categories : J >= 1

    Notes
    -----
    The loss is sum_j h(n_j) - n log n + lG(n + J/2) - lG(J/2), h(k) = k log k - lG(k + 1/2) + lG(1/2). As
    trigamma(x) < 1/(x - 1/2), h is convex with h(0) = 0, hence superadditive: all draws in one category are worst.
    """
    return float(gammaln(n + categories / 2) - gammaln(categories / 2) - gammaln(n + 0.5) + gammaln(0.5))


def probabilities(function: str, q: Sequence[Fraction | float]) -> npt.NDArray[np.float64]:
    """Check a finite law and give it as (J,) floats; `function` is named in the error.

    Raises
    ------
    ValueError : no entry, a negative or non-finite one, or a sum that is not 1 (J 2^-52 off for floats)
    """
    law = np.array([float(x) for x in q])
    if not law.size or not ((law >= 0) & (law <= 1)).all():
        raise ValueError(f"{function}: q must be probabilities in [0, 1], got q = {q!r}"[:200])
    total = sum((Fraction(x) for x in q), Fraction(0))
    slack = Fraction(0) if all(isinstance(x, Fraction | int) for x in q) else Fraction(law.size, 2**52)
    if abs(total - 1) > slack:
        raise ValueError(f"{function}: q must sum to 1, got a sum of {float(total)!r}")
    return law


def check_rates(function: str, alpha: float, power: float) -> None:
    """Raise ValueError, naming `function`, unless alpha and power are in (0, 1)."""
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ValueError(f"{function}: alpha and power must be in (0, 1), got {alpha} and {power}")
