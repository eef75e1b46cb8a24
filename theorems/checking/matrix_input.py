"""The door for matrices: what is taken, at which exact value, and what is refused and why.

Nothing is symmetrised, cast or dropped on the way in. A float means the number it stores; integers and Fractions
mean themselves; a complex Hermitian matrix becomes the real symmetric [[Re, -Im], [Im, Re]], which is positive
semidefinite exactly when it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Exact, exact

Floats = npt.NDArray[np.float64]
Rows: TypeAlias = list[list[Fraction]]
GivenMatrix: TypeAlias = npt.NDArray[Any] | Sequence[Sequence[int | Fraction]]

LARGEST_INTEGER = 2**53  # every integer up to it is a float64


def symmetric_matrix(where: str, name: str, M: GivenMatrix) -> Floats | Rows:
    """Take a real symmetric or complex Hermitian matrix at its exact value, or say what is wrong with it.

    Parameters
    ----------
    where, name : what the error message calls the function and the argument
    M : (n, n), n >= 1: an array of int, float16..float64 or complex, or nested sequences (or an object array)
        of int and Fraction

    Returns
    -------
    a fresh (n, n) float64 array when every entry is one, else rows of Fractions; (2 n, 2 n) for a complex array

    Raises
    ------
    TypeError : booleans, masked arrays, np.matrix, long doubles, lists of floats, other types
    ValueError : not two-dimensional, not square, empty, nan or inf, complex diagonal, asymmetric (with i, j, size)
    """
    if isinstance(M, np.ndarray) and type(M) is not np.ndarray:
        raise TypeError(f"{where}: {name} must be a plain array, got {type(M).__name__}")
    if not isinstance(M, np.ndarray | list | tuple):
        raise TypeError(f"{where}: {name} must be an array or nested lists, got {type(M).__name__}")
    if not isinstance(M, np.ndarray) or M.dtype == object:
        return _exact_rows(where, name, M)
    _check_square(where, name, M.shape)
    if M.dtype.kind in "iu":
        if int(M.max()) > LARGEST_INTEGER or int(M.min()) < -LARGEST_INTEGER:
            return _exact_rows(where, name, M.tolist())
    elif M.dtype.kind not in "fc" or M.dtype.itemsize > (8 if M.dtype.kind == "f" else 16):
        raise TypeError(f"{where}: {name} must hold int, float64 or complex128 at most, got dtype {M.dtype}")
    values = M.astype(np.complex128 if M.dtype.kind == "c" else np.float64)
    fault = first_not_finite(values) or first_asymmetry(values)
    if fault:
        raise ValueError(f"{where}: {name} must be finite and symmetric (Hermitian), got {name}{fault}")
    if np.iscomplexobj(values):
        return np.block([[values.real, -values.imag], [values.imag, values.real]])
    return np.ascontiguousarray(values)


def fractions(M: Floats | Rows) -> Rows:
    """Give the exact entries, (n, n), of what `symmetric_matrix` returned."""
    return [[Fraction(x) for x in row] for row in (M.tolist() if isinstance(M, np.ndarray) else M)]


def exact_in_range(where: str, name: str, x: Exact, high: int = 2**1023) -> Fraction:
    """Take a number at its exact value and require 0 < x < high.

    Raises
    ------
    TypeError : not an int, float or Fraction
    ValueError : nan, infinite or out of range; 2^1023 keeps x within float64
    """
    try:
        value = exact(x)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {name} must be a finite real number, got {name} = {x!r}") from error
    if not 0 < value < high:
        limit = "2^1023" if high == 2**1023 else high
        raise ValueError(f"{where}: {name} must be positive and below {limit}, got {name} = {x}")
    return value


def first_not_finite(M: npt.NDArray[Any]) -> str:
    """Name the first nan or infinity as '[i, j] = nan', or ''."""
    bad = ~np.isfinite(M)
    if not bad.any():
        return ""
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"{list(index)} = {M[index]}"


def first_asymmetry(M: npt.NDArray[Any]) -> str:
    """Name the largest |M_ij - conj(M_ji)| over (..., n, n), with its place and both values, or ''; M is finite."""
    mirror = np.swapaxes(M, -1, -2)
    mirror = mirror.conj() if np.iscomplexobj(M) else mirror
    if (mirror == M).all():
        return ""
    with np.errstate(over="ignore"):
        gap = np.abs(M - mirror)
    index = tuple(int(i) for i in np.unravel_index(int(gap.argmax()), gap.shape))
    return f"{list(index)} = {M[index]}, off its mirror image by {gap[index]}"


def _check_square(where: str, name: str, shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
        raise ValueError(f"{where}: {name} must be (n, n) with n >= 1, got shape {shape}")


def _exact_rows(where: str, name: str, M: GivenMatrix) -> Rows:
    if isinstance(M, np.ndarray):
        _check_square(where, name, M.shape)
    rows = [list(row) if isinstance(row, list | tuple | np.ndarray) else None for row in M]
    if not rows or any(row is None or len(row) != len(rows) for row in rows):
        raise ValueError(f"{where}: {name} must be (n, n) with n >= 1, got {len(rows)} rows of other lengths")
    values = [[_exact_entry(where, name, x, i, j) for j, x in enumerate(row or ())] for i, row in enumerate(rows)]
    for i, row in enumerate(values):
        for j in range(i):
            if row[j] != values[j][i]:
                gap = abs(row[j] - values[j][i])
                raise ValueError(
                    f"{where}: {name} must be symmetric, got {name}[{i}, {j}] off its mirror image by {gap}"
                )
    return values


def _exact_entry(where: str, name: str, x: object, i: int, j: int) -> Fraction:
    if isinstance(x, bool) or not isinstance(x, int | Fraction):
        raise TypeError(
            f"{where}: {name} in nested lists must hold int and Fraction, got {type(x).__name__} at "
            f"{name}[{i}, {j}]; give floats as a float64 array"
        )
    return Fraction(x)
