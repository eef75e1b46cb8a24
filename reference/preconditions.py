"""What may enter: points, Gram matrices, ridges, checked once at the door of each public function.

`where` names the function and the argument, as in "tangent_kernel: X"; it opens the message.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

UNIT_ROUNDOFF: float = 2.0**-53
SMALLEST_NORMAL: float = 2.0**-1022

_WIDENED_EXACTLY = (np.float16, np.float32, np.float64)


def gamma(k: int) -> float:
    """Bound the relative error of k roundings in a row, rounded up.

    gamma_k = k u / (1 - k u), u = 2^-53

    Parameters
    ----------
    k : number of roundings, k u < 1/2
    """
    return k * UNIT_ROUNDOFF / (1 - k * UNIT_ROUNDOFF) * (1 + 4 * UNIT_ROUNDOFF)


def real_array(values: Any, where: str, ndim: int) -> Float64:
    """Read real numbers as float64 without changing any of them.

    Parameters
    ----------
    values : array-like of integers or floats of at most 64 bits
    where : function and argument, for the message
    ndim : number of axes it must have

    Returns
    -------
    array : float64, C-contiguous, `ndim` axes, none of length 0, every entry finite

    Raises
    ------
    TypeError : complex, boolean, object, long double, masked arrays or np.matrix
    ValueError : wrong number of axes, an axis of length 0, nan or infinity (with its index), an integer that
        float64 cannot hold
    """
    if isinstance(values, np.ma.MaskedArray | np.matrix):
        raise TypeError(f"{where} must be a plain array, got {type(values).__name__}")
    array = np.asarray(values)
    integer = array.dtype.kind in "iu"
    if not integer and array.dtype.type not in _WIDENED_EXACTLY:
        raise TypeError(f"{where} must hold real numbers of at most 64 bits, got dtype {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"{where} must have {ndim} axes, got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{where} must not be empty, got shape {array.shape}")
    result = np.ascontiguousarray(array, dtype=np.float64)
    if integer:
        for index in map(tuple, np.argwhere(np.abs(result) >= 2.0**53).tolist()):  # smaller ones are all exact
            if int(array[index]) != int(result[index]):
                raise ValueError(f"{where} must be exact in float64, got {array[index]} at {index}")
    elif not np.isfinite(result).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(result))[0])
        raise ValueError(f"{where} must be finite, got {result[index]} at {index}")
    return result


def points(X: Any, where: str) -> Float64:
    """Read data or draws: (n, d) float64, finite, n >= 1 and d >= 1; see `real_array` for what is refused."""
    return real_array(X, where, ndim=2)


def same_dimension(X: Float64, Z: Float64, where: str) -> None:
    """Refuse two sets of points that live in different spaces."""
    if X.shape[1] != Z.shape[1]:
        raise ValueError(f"{where} must have as many columns as X, got {Z.shape[1]} where X has {X.shape[1]}")


def one_each(values: Any, count: int, where: str) -> Float64:
    """Read one real number per item: (count,) float64, finite."""
    result = real_array(values, where, ndim=1)
    if len(result) != count:
        raise ValueError(f"{where} must have length {count}, got {len(result)}")
    return result


def non_negative(values: Any, count: int, where: str) -> Float64:
    """Read one weight per item: (count,) float64, finite, >= 0."""
    result = one_each(values, count, where)
    if (result < 0).any():
        i = int(np.flatnonzero(result < 0)[0])
        raise ValueError(f"{where} must be >= 0, got {result[i]} at {i}")
    return result


def positive(value: Any, where: str) -> float:
    """Read a scalar such as `lam` or `sigma`: a finite positive float, kept exactly.

    Raises
    ------
    TypeError : not an int, float or Fraction
    ValueError : not positive, not finite, or not a float64
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | Fraction | np.integer | np.floating):
        raise TypeError(f"{where} must be a real number, got {type(value).__name__}")
    name = where.rsplit(" ", 1)[-1]
    if not value > 0 or math.isinf(value):
        raise ValueError(f"{where} must be positive and finite, got {name} = {value}")
    result = float(value)
    if result != value:
        raise ValueError(f"{where} must be exact in float64, got {name} = {value}")
    return result


def gram(K: Any, where: str) -> Float64:
    """Read a Gram matrix: (n, n) float64, finite, exactly symmetric; positive semidefinite is trusted.

    Raises
    ------
    ValueError : not square, or K_ij != K_ji (with both entries); see `real_array` for the rest
    """
    result = real_array(K, where, ndim=2)
    n, k = result.shape
    if n != k:
        raise ValueError(f"{where} must be square, got shape {result.shape}")
    if not np.array_equal(result, result.T):
        i, j = (int(t) for t in np.argwhere(result != result.T)[0])
        raise ValueError(
            f"{where} must be symmetric, got {result[i, j]} at ({i}, {j}) and {result[j, i]} at ({j}, {i})"
        )
    return result


def exact_rows(X: Float64) -> list[list[Fraction]]:
    """Give the exact values of a float matrix, row by row."""
    return [[Fraction(float(x)) for x in row] for row in X]


def inner(x: Sequence[Fraction], z: Sequence[Fraction]) -> Fraction:
    """Give the exact inner product of two rows."""
    return sum((a * b for a, b in zip(x, z, strict=True)), Fraction(0))
