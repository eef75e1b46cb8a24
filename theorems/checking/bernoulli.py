"""Is a failure probability above or below a line? Two one-sided e-processes over failures S among n trials.

    E(S, n) = sum_k w_k (q_k/delta)^S ((1-q_k)/(1-delta))^(n-S)

* refuting  p <= delta: all q_k > delta;    REFUTED   when E >= 1/alpha
* supporting p < delta: all q_k < delta;    SUPPORTED when E >= 1/alpha, which excludes p >= delta

Under its null E is a nonnegative supermartingale with start 1, so P(E ever reaches 1/alpha) <= alpha (Ville):
stopping at any time is honest. Each term of the first sum grows in S at fixed n, since its logarithm has slope
log(q/delta) - log((1-q)/(1-delta)) > 0, and each of the second falls. So each rule is one integer for every n,
found by bisection: the least refuting and the greatest supporting S. Floats only propose these integers; a
comparison closer than the float error is decided in ball arithmetic.

What the test can see is in `operating_characteristics`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from reference.arithmetic import power_sum_reaches

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

REFUTE_GRID = tuple(map(Fraction, ("1.05", "1.1", "1.2", "1.4", "1.7", "2", "3", "5", "10", "20", "50")))
SUPPORT_GRID = tuple(map(Fraction, ("0.02", "0.1", "0.25", "0.5", "0.7", "0.83", "0.9", "0.95")))

_UNIT = 2.0**-53


# -------------------------------------------------------------------------------------------- the mixtures


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """A prior over alternatives q_k to the line delta.

    Parameters
    ----------
    weights : (k,) exact, positive, summing to 1
    on_failure : (k,) exact q_k / delta
    on_pass : (k,) exact (1 - q_k) / (1 - delta)
    """

    weights: tuple[Fraction, ...]
    on_failure: tuple[Fraction, ...]
    on_pass: tuple[Fraction, ...]

    def log_e(self, S: Counts, n: Counts) -> tuple[Floats, Floats]:
        """Log E and a bound of its float error, both of the shape of S and n.

        Notes
        -----
        With u = 2^-53: the logarithms are good to 8 u relative (`_log`), products and sums add 3 u, so term k is
        off by at most 11 u M_k, M_k = |log w_k| + S |log on_failure_k| + F |log on_pass_k|. Log-sum-exp is
        1-Lipschitz in the largest such error; its own K terms e^x, x <= 0, are each off by at most
        (|x| e^x + 2) u <= 3 u of a sum >= 1, the sum by K u, log and last addition by 2 u (1 + |log E|).
        All of it is below 16 u (max_k M_k + K + 1).
        """
        shape = (-1,) + (1,) * np.broadcast(S, n).ndim
        failures, passes = np.asarray(S, float), np.asarray(n - S, float)
        log_w = np.array([_log(w) for w in self.weights]).reshape(shape)
        log_fail = np.array([_log(r) if r else 0.0 for r in self.on_failure]).reshape(shape)
        log_pass = np.array([_log(r) for r in self.on_pass]).reshape(shape)
        terms = log_w + failures * log_fail + passes * log_pass
        sizes = np.abs(log_w) + failures * np.abs(log_fail) + passes * np.abs(log_pass)
        for k, ratio in enumerate(self.on_failure):
            if ratio == 0:  # q = 0 dies with the first failure
                terms[k] = np.where(failures > 0, -np.inf, terms[k])
        top = terms.max(axis=0)
        value = top + np.log(np.exp(terms - top).sum(axis=0))
        return value, 16 * _UNIT * (sizes.max(axis=0) + len(self.weights) + 1)

    def reaches(self, S: Counts, n: Counts, alpha: Fraction) -> npt.NDArray[np.bool_]:
        """Decide E(S, n) >= 1/alpha, exactly, in every entry of S and n, shape (k,) each."""
        line = -_log(alpha)
        value, error = self.log_e(S, n)
        answer = value >= line
        for i in np.flatnonzero(np.abs(value - line) <= error + 8 * _UNIT * line):
            failures, passes = int(S[i]), int(n[i] - S[i])
            terms = [
                (w, x, failures, y, passes) for w, x, y in zip(self.weights, self.on_failure, self.on_pass, strict=True)
            ]
            answer[i] = power_sum_reaches(terms, 1 / alpha)
        return answer


@lru_cache(maxsize=64)
def refuting_mixture(delta: Fraction) -> Mixture:
    """Equal weights on delta * REFUTE_GRID, as far as it is below 1, and on (1 + delta)/2."""
    qs = [delta * g for g in REFUTE_GRID if delta * g < 1] + [(1 + delta) / 2]
    return _mixture(delta, qs, [Fraction(1, len(qs))] * len(qs))


@lru_cache(maxsize=64)
def supporting_mixture(delta: Fraction) -> Mixture:
    """Half the weight on q = 0, the rest spread equally on delta * SUPPORT_GRID."""
    qs = [Fraction(0)] + [delta * g for g in SUPPORT_GRID]
    return _mixture(delta, qs, [Fraction(1, 2)] + [Fraction(1, 2 * len(SUPPORT_GRID))] * len(SUPPORT_GRID))


def _mixture(delta: Fraction, qs: list[Fraction], weights: list[Fraction]) -> Mixture:
    return Mixture(
        weights=tuple(weights),
        on_failure=tuple(q / delta for q in qs),
        on_pass=tuple((1 - q) / (1 - delta) for q in qs),
    )


def _log(x: Fraction) -> float:
    """Logarithm of an exact positive number, good to 8 units of 2^-53 relative where libm is good to 2 ulp.

    Near 1 the difference x - 1 is formed exactly before rounding: log1p has condition number at most
    1.45 on [-1/2, 1]. Elsewhere |log x| >= log 2 and the rounding of x moves it by at most 1.45 units.
    """
    if Fraction(1, 2) <= x <= 2:
        return math.log1p(float(x - 1))
    return math.log(float(x))


# ------------------------------------------------------------------------------------------------ e-values


def log_e_refute(S: npt.ArrayLike, n: npt.ArrayLike, delta: Fraction | float) -> Floats:
    """Log e-value against p <= delta.

    Parameters
    ----------
    S, n : failures and trials; integers with 0 <= S <= n, any two shapes that broadcast
    delta : in (0, 1); a float means the dyadic number it stores

    Returns
    -------
    broadcast shape, floats; E is 1 at n = 0 and grows with S

    Raises
    ------
    ValueError : counts or delta out of range

    Source: Robbins 1970; Ville 1939.
    """
    return refuting_mixture(inside("log_e_refute", "delta", delta)).log_e(*_counts("log_e_refute", S, n))[0]


def log_e_support(S: npt.ArrayLike, n: npt.ArrayLike, delta: Fraction | float) -> Floats:
    """Log e-value against p >= delta; arguments, shapes and errors as in `log_e_refute`."""
    return supporting_mixture(inside("log_e_support", "delta", delta)).log_e(*_counts("log_e_support", S, n))[0]


# ------------------------------------------------------------------------------------------ integer tables


def refuting_table(n: npt.ArrayLike, delta: Fraction | float, alpha: Fraction | float) -> Counts:
    """Least number of failures that refutes p <= delta, for each n; n + 1 where none does.

    Parameters
    ----------
    n : (k,) integers >= 0
    delta, alpha : in (0, 1)

    Returns
    -------
    (k,) integers in 1 .. n + 1, exact
    """
    mixture, level = refuting_mixture(inside("refuting_table", "delta", delta)), _level("refuting_table", alpha)
    return _first(lambda S, trials: mixture.reaches(S, trials, level), _trials("refuting_table", n))


def supporting_table(n: npt.ArrayLike, delta: Fraction | float, alpha: Fraction | float) -> Counts:
    """Greatest number of failures that excludes p >= delta, for each n; -1 where none does.

    Parameters as in `refuting_table`; (k,) integers in -1 .. n, exact.
    """
    mixture = supporting_mixture(inside("supporting_table", "delta", delta))
    level = _level("supporting_table", alpha)
    return _first(lambda S, trials: ~mixture.reaches(S, trials, level), _trials("supporting_table", n)) - 1


def least_refuting(n: int, delta: Fraction | float, alpha: Fraction | float) -> int | None:
    """Least number of failures among n trials that refutes p <= delta at alpha; None if none does."""
    least = int(refuting_table([n], delta, alpha)[0])
    return least if least <= n else None


def greatest_supporting(n: int, delta: Fraction | float, alpha: Fraction | float) -> int | None:
    """Greatest number of failures among n trials that excludes p >= delta at alpha; None if none does."""
    greatest = int(supporting_table([n], delta, alpha)[0])
    return greatest if greatest >= 0 else None


def below_delta(n: npt.ArrayLike, delta: Fraction | float, alpha: Fraction | float) -> Counts:
    """Tabulate SUPPORTED at the promise itself: the greatest counts that exclude p >= delta."""
    return supporting_table(n, delta, alpha)


def below_rho_delta(
    n: npt.ArrayLike, delta: Fraction | float, alpha: Fraction | float, rho: Fraction | float
) -> Counts:
    """Tabulate SUPPORTED at resolution rho: the greatest counts that exclude p >= rho * delta.

    Raises
    ------
    ValueError : rho is not above 1, or rho * delta is not below 1
    """
    return supporting_table(n, resolved(delta, rho), alpha)


def resolved(delta: Fraction | float, rho: Fraction | float) -> Fraction:
    """The line rho * delta of the table `below_rho_delta`, exactly; errors as there."""
    if not 1 < rho < math.inf:
        raise ValueError(f"resolved: rho must be above 1, got rho = {rho}")
    line = inside("resolved", "delta", delta) * Fraction(rho)
    if not line < 1:
        raise ValueError(f"resolved: rho * delta must be below 1, got {float(line)} = {rho} * {delta}")
    return line


def trials_to_support(delta: Fraction | float, alpha: Fraction | float) -> int:
    """Least number of trials that excludes p >= delta when none of them fails.

    At S = 0 every term of E is a power of (1-q)/(1-delta) > 1, so E grows with n and one bisection finds the
    least n. Half the weight lies on q = 0, so n <= (log(1/alpha) + log 2) / -log(1-delta) suffices.
    """
    exact = inside("trials_to_support", "delta", delta)
    mixture, level = supporting_mixture(exact), _level("trials_to_support", alpha)
    most = math.ceil((math.log(2) - _log(level)) / -_log(1 - exact)) + 1
    top = np.array([most], np.int64)
    return int(_first(lambda n, _: mixture.reaches(np.zeros_like(n), n, level), top)[0])


def _first(flag: Callable[[Counts, Counts], npt.NDArray[np.bool_]], n: Counts) -> Counts:
    """Least S in 0 .. n with flag(S, n), n + 1 if none; `flag` must never fall back to False as S grows."""
    below, above = np.full_like(n, -1), n + 1
    while (still := np.flatnonzero(above - below > 1)).size:
        middle = (below[still] + above[still]) // 2
        found = flag(middle, n[still])
        above[still] = np.where(found, middle, above[still])
        below[still] = np.where(found, below[still], middle)
    return above


# ------------------------------------------------------------------------------- a picture of what is known


def confidence_sequence(
    S: int, n: int, alpha: Fraction | float, prior: tuple[float, float] = (1.0, 1.0)
) -> tuple[float, float]:
    """Interval that contains p at all n at once with probability at least 1 - alpha; for display.

    lower = inf{d : E_d < 2/alpha} for the Beta(a, b) prior cut to (d, 1), upper likewise with (0, d):

        log E_d = lB(a+S, b+F) + log I_{1-d}(b+F, a+S) - lB(a, b) - log I_{1-d}(b, a) - S log d - F log(1-d)

    Parameters
    ----------
    S, n : failures and trials, 0 <= S <= n
    alpha : in (0, 1), and small enough: log(2/alpha) > max(prior)
    prior : (a, b), both >= 1

    Returns
    -------
    lower, upper : floats in [0, 1], rounded outward

    Raises
    ------
    ValueError : an argument out of range

    Notes
    -----
    For a, b >= 1 the derivative of log E_d is negative where (n+b) d < S, and beyond that point
    E_d <= exp(n kl(S/n, S/(n+b))) <= e^b. So there is exactly one crossing of 2/alpha > e^b, and bisection
    finds it. The upper end is the lower end for passes: d -> 1-d, S <-> F, a <-> b.

    Source: Robbins 1970.
    """
    level = _level("confidence_sequence", alpha)
    _counts("confidence_sequence", S, n)
    a, b = prior
    if not (a >= 1 and b >= 1):
        raise ValueError(f"confidence_sequence: both numbers of prior must be >= 1, got prior = {prior}")
    line = math.log(2) - _log(level)
    if not line > max(a, b):
        raise ValueError(f"confidence_sequence: log(2/alpha) must be above max(prior), got {line} for alpha = {alpha}")
    lower = _excluded_below(S, n - S, line, a, b)
    upper = math.nextafter(1 - _excluded_below(n - S, S, line, b, a), 2)
    return lower, min(upper, 1.0)


def _excluded_below(S: int, F: int, line: float, a: float, b: float) -> float:
    """Greatest d found with p <= d proven excluded: log E_d is above `line` by more than its float error."""
    below, above = 0.0, S / (S + F) if S else 0.0
    while below < (middle := (below + above) / 2) < above:
        # lgamma and log are good to a few units of 2^-53 relative; 2^-47 leaves a factor ten
        error = 2.0**-47 * (1 + math.lgamma(a + b + S + F) - S * math.log(middle) - F * math.log1p(-middle))
        if _log_e_above(S, F, middle, a, b) >= line + error:
            below = middle
        else:
            above = middle
    return below


def _log_e_above(S: int, F: int, d: float, a: float, b: float) -> float:
    log_d, log_rest = math.log(d), math.log1p(-d)
    posterior = _log_beta(a + S, b + F) + log_incomplete_beta(b + F, a + S, log_rest, log_d)
    prior = _log_beta(a, b) + log_incomplete_beta(b, a, log_rest, log_d)
    return posterior - prior - S * log_d - F * log_rest


def log_incomplete_beta(a: float, b: float, log_x: float, log_y: float) -> float:
    """Logarithm of the regularised incomplete beta function I_x(a, b), finite where I_x underflows.

    Parameters
    ----------
    a, b : > 0
    log_x, log_y : log x and log(1 - x), 0 < x < 1; both, because each is precise where the other is not

    Source: DLMF 8.17.22, evaluated by Lentz's method; for large x through 1 - I_{1-x}(b, a).
    """
    x = math.exp(log_x)
    if x > (a + 1) / (a + b + 2):
        return math.log1p(-math.exp(log_incomplete_beta(b, a, log_y, log_x)))
    c, ratio = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction, k, step = ratio, 0, 0.0
    while abs(step - 1) > 4 * _UNIT:
        k += 1
        even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k))
        ratio, c = 1 / (1 + even * ratio), 1 + even / c
        fraction *= ratio * c
        odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))
        ratio, c = 1 / (1 + odd * ratio), 1 + odd / c
        step = ratio * c
        fraction *= step
    return a * log_x + b * log_y - math.log(a) - _log_beta(a, b) + math.log(fraction)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


# ------------------------------------------------------------------------------------------- at the door


def inside(function: str, name: str, value: Fraction | float) -> Fraction:
    """Give a number in (0, 1) exactly; ValueError naming function, argument and value for anything else."""
    if isinstance(value, bool | np.bool_) or not 0 < value < 1:
        raise ValueError(f"{function}: {name} must be in (0, 1), got {name} = {value}")
    return Fraction(value)


def _level(function: str, alpha: Fraction | float) -> Fraction:
    return inside(function, "alpha", alpha)


def _trials(function: str, n: npt.ArrayLike) -> Counts:
    trials = np.asarray(n)
    if trials.dtype.kind not in "iu" or trials.ndim != 1 or (trials < 0).any():
        raise ValueError(f"{function}: n must be integers >= 0 in one dimension, got n = {n!r}"[:200])
    return trials.astype(np.int64)


def _counts(function: str, S: npt.ArrayLike, n: npt.ArrayLike) -> tuple[Counts, Counts]:
    failures, trials = np.asarray(S), np.asarray(n)
    if failures.dtype.kind not in "iu" or trials.dtype.kind not in "iu":
        raise ValueError(f"{function}: S and n must be integers, got {failures.dtype.name} and {trials.dtype.name}")
    if (failures < 0).any() or (failures > trials).any():
        raise ValueError(f"{function}: need 0 <= S <= n, got S = {S!r}, n = {n!r}"[:200])
    return failures.astype(np.int64), trials.astype(np.int64)
