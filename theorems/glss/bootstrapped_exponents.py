"""The exponent of a power law from a few sizes and several runs at each, with an interval.

    slope = median over pairs of sizes of (y_j - y_i) / (x_j - x_i),   y = log of the median over runs    (Theil-Sen)

The interval is the bootstrap's: runs are drawn again, with replacement, at every size on its own, and the middle 99 %
of the slopes are taken. It is an approximation, and says nothing about sizes that were not measured.
"""

from __future__ import annotations

from math import log10

import numpy as np
import numpy.typing as npt

from reference.preconditions import Float64
from theorems.glss.fitted_slopes import theil_sen

RESAMPLES = 400
TAIL = 0.005


def exponent(sizes: npt.ArrayLike, values: npt.ArrayLike, rng: np.random.Generator) -> tuple[float, float, float]:
    """Fit values ~ sizes^slope.

    Parameters
    ----------
    sizes : (p,) positive and different
    values : (p, runs) positive
    rng : of the bootstrap

    Returns
    -------
    lower, slope, upper

    Raises
    ------
    ValueError : sizes or values that have no logarithm, or one run only
    """
    x, found = np.asarray(sizes, float), np.asarray(values, float)
    if found.ndim != 2 or len(found) != len(x) or found.shape[1] < 2:
        raise ValueError(f"exponent: values must be ({len(x)}, at least 2 runs), got shape {found.shape}")
    if not ((x > 0).all() and (found > 0).all()):
        raise ValueError("exponent: sizes and values must be positive, got one that is not")
    again = _resampled(np.log(found), rng)
    lower, upper = np.quantile([theil_sen(np.log(x), y) for y in again], [TAIL, 1 - TAIL])
    middle = theil_sen(np.log(x), np.median(np.log(found), axis=1))
    return float(min(lower, middle)), middle, float(max(upper, middle))


def median_ratio(above: npt.ArrayLike, below: npt.ArrayLike, rng: np.random.Generator) -> tuple[float, float, float]:
    """Give median(above) / median(below) with the middle 99 % of its bootstrap: lower, ratio, upper.

    Parameters
    ----------
    above, below : (runs,) positive
    rng : of the bootstrap
    """
    logs = np.log(np.stack([np.asarray(above, float), np.asarray(below, float)]))
    again = _resampled(logs, rng)
    lower, upper = np.quantile(np.exp(again[:, 0] - again[:, 1]), [TAIL, 1 - TAIL])
    one, other = np.median(logs, axis=1)
    return float(lower), float(np.exp(one - other)), float(upper)


def _resampled(values: Float64, rng: np.random.Generator) -> Float64:
    """Give medians over runs drawn again: (p, runs) to (RESAMPLES, p)."""
    drawn = rng.integers(values.shape[1], size=(RESAMPLES, *values.shape))
    medians: Float64 = np.median(np.take_along_axis(values[None], drawn, axis=2), axis=2)
    return medians


def decades(sizes: npt.ArrayLike) -> float:
    """Give log10 of the largest size over the smallest."""
    x = np.asarray(sizes, float)
    return log10(x.max() / x.min())
