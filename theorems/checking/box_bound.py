"""How likely multinomial counts leave a box, at least: a proof in integers, with the standard library alone.

An independent route to what `exact_probability` encloses in balls.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Atom = tuple[int, Fraction, int, int]
Series = tuple[int, list[int], int]  # first power, coefficients in units of 2^-bits, and what was cut off


def leaves_box_at_least(m: int, law: Sequence[Atom], delta: Fraction) -> Fraction:
    """Give a lower bound of P[not all low_j <= N_j <= high_j], N ~ Multinomial(m, law), good enough to compare.

    P[inside] = m!/m^m [z^m] prod_j sum_(low_j <= k <= high_j) (m p_j z)^k / k!, every rounding upward.

    Parameters
    ----------
    m : draws
    law : (times, p, low, high) for each group of equal atoms
    delta : bounds below it are sharpened, with twice the bits
    """
    if any(low > high or (p == 0 and not low <= 0 <= high) for _, p, low, high in law):
        return Fraction(1)
    law = [(times, p, max(low, 0), min(high, m)) for times, p, low, high in law if p > 0]
    if any(low > high for _, _, low, high in law) or not sum(t * a for t, _, a, _ in law) <= m <= sum(
        t * b for t, _, _, b in law
    ):
        return Fraction(1)
    found = Fraction(0)
    for doubling in range(2):
        guard = 2 * m.bit_length() + 32
        bits = ((96 + (1 / delta).numerator.bit_length() - (1 / delta).denominator.bit_length()) << doubling) + guard
        found = max(found, 1 - _inside_at_most(m, law, bits, guard))
        if found > delta:
            break
    return found


def _inside_at_most(m: int, law: Sequence[Atom], bits: int, guard: int) -> Fraction:
    factor, series = (1, 0), []
    for times, p, low, high in law:
        one, scale = _truncated(m * p, low, high, bits, guard)
        series.append(_times(one, times, bits, guard))
        for _ in range(times):
            factor = _up(factor, scale, bits)
    for t in range(1, m + 1):
        factor = _up(factor, Fraction(t, m), bits)
    while len(series) > 2:
        series.sort(key=lambda s: len(s[1]))
        series[:2] = [_product(series[0], series[1], bits, guard)]
    (first, a, lost), (start, b, more) = series[0], series[1] if len(series) > 1 else (0, [1 << bits], 0)
    middle = sum(x * b[m - first - start - i] for i, x in enumerate(a) if 0 <= m - first - start - i < len(b))
    whole = (middle >> bits) + 1 + ((lost * sum(b) + more * sum(a)) >> bits) + 1
    return min(Fraction(1), Fraction(factor[0] * whole) * Fraction(2) ** (factor[1] - bits))


def _truncated(mean: Fraction, low: int, high: int, bits: int, guard: int) -> tuple[Series, Fraction]:
    """Give sum_(low <= k <= high) mean^k z^k / k! divided by its sum, and that sum, rounded upward."""
    top = min(max(int(mean), low), high)
    up, down = [1 << bits], list[int]()
    lost = 0
    for side, step, last in ((up, 1, high), (down, -1, low)):
        k, x = top, 1 << bits
        while k != last:
            ratio = mean / (k + 1) if step > 0 else k / mean  # falls as k moves away from the top
            x, k = -((-x * ratio.numerator) // ratio.denominator), k + step
            side.append(x)
            if ratio < 1 and x * ratio / (1 - ratio) < 1 << guard:
                lost += 1 << guard
                break
    terms = down[::-1] + up
    total = sum(terms) + lost
    series = (top - len(down), [-((-x << bits) // total) for x in terms], -((-lost << bits) // total))
    power = (1, 0)
    for k in range(1, top + 1):
        power = _up(power, mean / k, bits)
    return series, Fraction(power[0] * total) * Fraction(2) ** (power[1] - bits)


def _times(one: Series, times: int, bits: int, guard: int) -> Series:
    if times == 1:
        return one
    half = _times(one, times // 2, bits, guard)
    both = _product(half, half, bits, guard)
    return _product(both, one, bits, guard) if times % 2 else both


def _product(x: Series, y: Series, bits: int, guard: int) -> Series:
    """Multiply two series, as two long integers, and cut what is negligible at either end."""
    (first, a, lost), (start, b, more) = x, y
    size = (max(a).bit_length() + max(b).bit_length() + min(len(a), len(b)).bit_length() + 7) // 8
    packed = [int.from_bytes(b"".join(c.to_bytes(size, "little") for c in s), "little") for s in (a, b)]
    data = (packed[0] * packed[1]).to_bytes(size * (len(a) + len(b)), "little")
    made = [(int.from_bytes(data[size * i : size * (i + 1)], "little") >> bits) + 1 for i in range(len(a) + len(b) - 1)]
    lost = ((lost * (sum(b) + more) + more * sum(a)) >> bits) + 1
    ends = []
    for side in (made, made[::-1]):
        cut, dropped = 0, 0
        while cut < len(side) - 1 and dropped + side[cut] < 1 << guard:
            dropped, cut = dropped + side[cut], cut + 1
        ends.append(cut)
        lost += dropped
    return first + start + ends[0], made[ends[0] : len(made) - ends[1]] or [1], lost


def _up(x: tuple[int, int], by: Fraction, bits: int) -> tuple[int, int]:
    """Multiply (mantissa, exponent) by a positive number, rounded upward."""
    product = x[0] * by.numerator
    shift = max(0, bits + 64 + by.denominator.bit_length() - product.bit_length())
    value = -((-product << shift) // by.denominator)
    spare = max(0, value.bit_length() - bits - 64)
    return (value >> spare) + 1, x[1] - shift + spare
