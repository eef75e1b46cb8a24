"""Slopes of measured curves: Theil and Sen's median of all slopes, and how it varies between repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from reference.preconditions import Float64
from theorems.statement import Slope


def theil_sen(x: Float64, y: Float64) -> float:
    """Give the median slope of all pairs of points.

    Parameters
    ----------
    x, y : (k,) float, k >= 2, the x all different
    """
    i, j = np.triu_indices(len(x), 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i])))


def slope_over(sizes: Sequence[int], values: Float64, claimed: Fraction, tolerance: Fraction) -> Slope:
    """Fit log values against log sizes, once per repetition.

    The interval runs from the least to the largest of S slopes; it contains their median but with probability
    2^(1-S), whatever their law.

    Parameters
    ----------
    sizes : (k,) increasing
    values : (S, k) float > 0, independent rows
    claimed, tolerance : of the sentence 'slope <= claimed + tolerance'
    """
    x = np.log(np.array(sizes, dtype=np.float64))
    slopes = [theil_sen(x, y) for y in np.log(values)]
    return Slope(
        lower=min(slopes),
        upper=max(slopes),
        claimed=claimed,
        tolerance=tolerance,
        decades=float((x[-1] - x[0]) / np.log(10)),
        points=len(sizes),
    )
