"""Failure probabilities without sampling: how likely multinomial counts leave a box.

    P(not all low_j <= N_j <= high_j),   N ~ Mult(m, q)

Independent Poisson counts of means m q_j, given that they sum to m, are multinomial. So P(inside) is one
coefficient of a product of truncated Poisson series over P(Poisson(m) = m), computed in balls whose precision
grows until the *failure* probability, often far below the rounding of 1, is known to the asked relative width.
Every factor is the law of a sum, so far tails of partial products are cut off and charged to the answer: without
that, thousands of categories would cost the square of m.
A second route counts in integers, for small cases and as an oracle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, lcm

from reference.arithmetic import (
    Ball,
    Interval,
    ball,
    ball_series_product,
    binomial_tails,
    interval,
    poisson_mass,
    poisson_series,
    precision,
)
from theorems.statement import Enclosure

_FIRST_BITS = 128
_GUARD_BITS = 64  # beyond those that a cut tail is measured in


def multinomial_leaves_box(
    m: int,
    q: Sequence[Fraction],
    low: Sequence[int],
    high: Sequence[int],
    *,
    relative: Fraction | float = 2.0**-40,
    exact: bool = False,
) -> Enclosure:
    """Enclose P(not all low_j <= N_j <= high_j) for N ~ Mult(m, q).

    Parameters
    ----------
    m : draws, >= 0
    q : (J,) exact probabilities >= 0 with sum 1
    low, high : (J,) integers; may lie outside 0 .. m and may leave no room
    relative : width of the answer allowed, relative to its lower end
    exact : count in integers instead, O(J m^2): lower == upper

    Returns
    -------
    the probability in [0, 1]; the lower end is 0 only when it is exactly 0

    Raises
    ------
    ValueError : lengths differ, q is no exact probability vector, m < 0, or relative is not positive
    """
    _check(m, q, low, high, relative)
    box = [(p, a, b) for p, a, b in zip(q, low, high, strict=True) if p > 0]
    if any(p == 0 and not a <= 0 <= b for p, a, b in zip(q, low, high, strict=True)):
        return _sharp(Fraction(1))
    if len(box) == 1:  # the only category is drawn m times
        _, a, b = box[0]
        return _sharp(Fraction(0 if a <= m <= b else 1))
    if all(a <= 0 and b >= m for _, a, b in box):
        return _sharp(Fraction(0))
    box = _trimmed(m, box)
    if not box:
        return _sharp(Fraction(1))
    if exact:
        return _sharp(1 - _chance_by_counting(m, box))
    if len(box) == 2:
        p, a, b = box[0]
        return _refined(lambda bits: binomial_tails(m, p, a, b, bits), relative)
    return _refined(lambda bits: _complement_by_series(m, box, bits), relative)


def binomial_leaves_interval(
    m: int,
    q: Fraction,
    low: int,
    high: int,
    *,
    relative: Fraction | float = 2.0**-40,
    exact: bool = False,
) -> Enclosure:
    """Enclose P(N < low or N > high) for N ~ Bin(m, q); each tail on its own, so tails of 1e-300 are no worse.

    Parameters
    ----------
    m : draws, >= 0; a million is fine
    q : exact, in [0, 1]
    low, high, relative, exact : as in `multinomial_leaves_box`, also for errors
    """
    if not 0 <= q <= 1:
        raise ValueError(f"binomial_leaves_interval: q must be in [0, 1], got q = {q}")
    return multinomial_leaves_box(m, (q, 1 - q), (low, 0), (high, m), relative=relative, exact=exact)


def least_size(fails: Callable[[int], bool], asked: int, window: int) -> int:
    """Least size from which on a claim works, as far as a window proves it.

    Failure probabilities are sawtooth in m, so one working size proves little. Bisection proposes a size with
    a failing predecessor; then every size of its window is tried, largest first, and a failure moves the
    proposal just behind itself, until a whole window works.

    Parameters
    ----------
    fails : size >= 1 -> whether the claim fails there; called at most once per size
    asked : a size at which it works, >= 1
    window : how many sizes behind the proposal are tried, >= 0

    Returns
    -------
    m with: fails(m - 1), or m = 1; not fails(k) for every k in m .. min(m + window, asked).
    A failing size above m + window is not excluded, nor is a longer working stretch below m - 1.

    Raises
    ------
    ValueError : fails(asked), asked < 1 or window < 0
    """
    if asked < 1 or window < 0:
        raise ValueError(f"least_size: need asked >= 1 and window >= 0, got asked = {asked}, window = {window}")
    known: dict[int, bool] = {0: True}

    def failing(m: int) -> bool:
        if m not in known:
            known[m] = fails(m)
        return known[m]

    if failing(asked):
        raise ValueError(f"least_size: the claim must work at asked, got a failure at asked = {asked}")
    works, broken = asked, asked // 2
    while not failing(broken):
        works, broken = broken, broken // 2
    while works - broken > 1:
        middle = (works + broken) // 2
        works, broken = (works, middle) if failing(middle) else (middle, broken)
    tried = works
    while tried <= min(works + window, asked):
        last = next((k for k in range(min(works + window, asked), tried - 1, -1) if failing(k)), None)
        tried = min(works + window, asked) + 1
        if last is not None:
            works, tried = last + 1, max(tried, last + 1)
    return works


Box = list[tuple[Fraction, int, int]]


def _trimmed(m: int, box: Box) -> Box:
    """Cut away what the sum m rules out; [] when nothing is left."""
    bounded = [(p, max(a, 0), min(b, m)) for p, a, b in box]
    least, most = sum(a for _, a, _ in bounded), sum(b for _, _, b in bounded)
    if not least <= m <= most or any(a > b for _, a, b in bounded):
        return []
    return [(p, max(a, m - (most - b)), min(b, m - (least - a))) for p, a, b in bounded]


@dataclass(frozen=True, kw_only=True)
class _Sum:
    """P(counts in their ranges, with sum start + k) for independent Poisson counts, k = 0, 1, ...

    Parameters
    ----------
    masses : balls around these probabilities, near the middle of the law
    lost : at most this much probability lies outside the window
    """

    start: int
    masses: list[Ball]
    lost: Fraction

    def plus(self, other: _Sum, bits: int) -> _Sum:
        """Add an independent sum: a product of series, none of whose coefficients sum to more than 1."""
        length = len(self.masses) + len(other.masses) - 1
        return _cut(
            _Sum(
                start=self.start + other.start,
                masses=ball_series_product([self.masses, other.masses], length, bits + _GUARD_BITS),
                lost=self.lost + other.lost,
            ),
            bits,
        )

    def at(self, total: int) -> Interval:
        """Enclose the probability of one value of the sum."""
        k = total - self.start
        low, high = interval(self.masses[k]) if 0 <= k < len(self.masses) else (Fraction(0), Fraction(0))
        return max(low, Fraction(0)), high + self.lost


def _cut(law: _Sum, bits: int) -> _Sum:
    """Drop at most 2^-bits of probability from either end."""
    allowed = Fraction(1, 2**bits)
    with precision(bits + _GUARD_BITS):
        first, last = (_negligible(masses, allowed, bits) for masses in (law.masses, law.masses[::-1]))
    kept = law.masses[first : len(law.masses) - last] or [ball(0, bits)]  # all of it may be negligible
    return _Sum(start=law.start + first, masses=kept, lost=law.lost + 2 * allowed)


def _negligible(masses: Sequence[Ball], allowed: Fraction, bits: int) -> int:
    """Count how many leading masses sum to no more than is allowed."""
    most, total = ball(allowed, bits), ball(0, bits)
    for k, mass in enumerate(masses):
        total += mass
        if not total <= most:
            return k
    return len(masses)


def _repeated(law: _Sum, times: int, bits: int) -> _Sum:
    """Add `times` >= 1 independent copies of a sum, by squaring."""
    if times == 1:
        return law
    half = _repeated(law, times // 2, bits)
    both = half.plus(half, bits)
    return both.plus(law, bits) if times % 2 else both


def _complement_by_series(m: int, box: Box, bits: int) -> Interval:
    """Enclose 1 - P(inside); equal categories share one series and a power."""
    whole = _Sum(start=0, masses=[ball(1, bits)], lost=Fraction(0))
    for (p, a, b), times in Counter(box).items():
        series = poisson_series(m * p, a, b, bits + _GUARD_BITS)
        law = _cut(_Sum(start=a, masses=series.coeffs(), lost=Fraction(0)), bits)
        whole = whole.plus(_repeated(law, times, bits), bits)
    with precision(bits):
        return interval(1 - ball(whole.at(m), bits) / poisson_mass(m, bits))


def _chance_by_counting(m: int, box: Box) -> Fraction:
    """Count the words of m letters inside the box, letter j coming in a_j colours.

    W_j(t) = sum_k C(t, k) a_j^k W_(j-1)(t-k) words have t letters, all among the first j.
    """
    total = lcm(*(p.denominator for p, _, _ in box))
    words = [1] + [0] * m
    for p, a, b in box:
        colours = int(p * total)
        words = [sum(comb(t, k) * colours**k * words[t - k] for k in range(a, min(b, t) + 1)) for t in range(m + 1)]
    return Fraction(words[m], total**m)


def _refined(at: Callable[[int], Interval], relative: Fraction | float) -> Enclosure:
    """Double the bits until a positive number is known to the relative width, hence its lower end positive."""
    bits = _FIRST_BITS
    while True:
        lower, upper = at(bits)
        if upper - lower <= Fraction(relative) * lower:
            return Enclosure(lower=lower, upper=min(upper, Fraction(1)))
        bits *= 2


def _sharp(p: Fraction) -> Enclosure:
    return Enclosure(lower=p, upper=p)


def _check(m: int, q: Sequence[Fraction], low: Sequence[int], high: Sequence[int], relative: Fraction | float) -> None:
    if m < 0:
        raise ValueError(f"multinomial_leaves_box: m must be >= 0, got m = {m}")
    if not len(q) == len(low) == len(high) >= 1:
        raise ValueError(
            f"multinomial_leaves_box: q, low, high must have one length >= 1, got {len(q)}, {len(low)}, {len(high)}"
        )
    for j, p in enumerate(q):
        if not isinstance(p, Fraction | int) or p < 0:
            raise ValueError(f"multinomial_leaves_box: q must be exact and >= 0, got q[{j}] = {p!r}")
    if sum(q) != 1:
        raise ValueError(f"multinomial_leaves_box: q must sum to 1, got {sum(q)}")
    if not relative > 0:
        raise ValueError(f"multinomial_leaves_box: relative must be positive, got relative = {relative}")
