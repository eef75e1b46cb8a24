"""How a measured number grows with a size: local slopes of exact counts, fitted slopes of measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import log, log10
from typing import Protocol

import numpy as np

from theorems.statement import Hypothesis, Slope

TOLERANCE = Fraction(1, 4)
LEAST_RATIO = 32  # a little more than 1.5 decades


class Family(Protocol):
    """Problems of growing size."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Increasing sizes."""


def of_counts(sizes: Sequence[int], counts: Sequence[int], claimed: Fraction) -> Slope:
    """Give the range of the local slopes of log(count) against log(size): counts have no error."""
    steps = zip(pairwise(sizes), pairwise(counts), strict=True)
    slopes = [log(after / before) / log(large / small) for (small, large), (before, after) in steps]
    return _slope(sizes, min(slopes), max(slopes), claimed, TOLERANCE)


def of_repetitions(
    sizes: Sequence[int],
    measured: Callable[[int, int], float],
    repetitions: int,
    claimed: Fraction,
    tolerance: Fraction,
) -> Slope:
    """Fit one slope of log(measured) against log(size) to each repetition by least squares, and give their range.

    Parameters
    ----------
    sizes : increasing
    measured : (size, repetition) -> positive number
    repetitions : independent ones
    claimed, tolerance : of the sentence
    """
    slopes = []
    for k in range(repetitions):
        y = np.log([measured(size, k) for size in sizes])
        slopes.append(float(np.polyfit(np.log(sizes), y, 1)[0]))
    return _slope(sizes, min(slopes), max(slopes), claimed, tolerance)


def _slope(sizes: Sequence[int], lower: float, upper: float, claimed: Fraction, tolerance: Fraction) -> Slope:
    return Slope(
        lower=lower,
        upper=upper,
        claimed=claimed,
        tolerance=tolerance,
        decades=log10(sizes[-1] / sizes[0]),
        points=len(sizes),
    )


def doubling(start: int, count: int) -> tuple[int, ...]:
    """Give start, 2 start, 4 start, ..."""
    return tuple(start * 2**k for k in range(count))


def _range_is_wide(x: Family) -> str | None:
    growing = len(x.sizes) >= 5 and all(0 < a < b for a, b in pairwise(x.sizes))
    if growing and x.sizes[-1] >= LEAST_RATIO * x.sizes[0]:
        return None
    return f"sizes must be five or more, increasing from s to at least {LEAST_RATIO} s, got {x.sizes}"


WIDE_RANGE = Hypothesis(says="at least five sizes over 1.5 decades", holds=_range_is_wide)
