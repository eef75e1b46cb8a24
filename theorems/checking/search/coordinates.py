"""An instance as a vector of numbers and back, whatever its fields are called.

Fractions, floats, arrays of floats, tuples of them and frozen records of those have coordinates; everything else stays.
Positive numbers alone in their field go by their logarithm, a tuple of Fractions that sums to 1 by logarithms of its
parts, a symmetric positive semidefinite matrix by a root R with M = R R^T: what comes back is in the same set.
What comes back from Fractions has few binary digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from math import exp, frexp, log
from typing import Any

import numpy as np
import numpy.typing as npt

from theorems.statement import Instance

Floats = npt.NDArray[np.float64]

DIGITS = 20  # binary digits that are kept of a number
_WORDS = ("name", "says", "curve")  # of an instance: no numbers of it
_WIDEST = 600.0  # of a logarithm


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Coordinates of one value, and the value at others."""

    at: tuple[float, ...]
    back: Callable[[Sequence[float]], Any]


def chart(value: Any) -> Chart:
    """Give coordinates to a value."""
    if isinstance(value, Instance) or (is_dataclass(value) and not isinstance(value, type)):
        return _record(value)
    if isinstance(value, Fraction | float):
        return _number(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return Chart(
            at=tuple(value.ravel().tolist()), back=lambda c: np.reshape(np.asarray(c, np.float64), value.shape)
        )
    if isinstance(value, tuple) and value:
        if is_law(value):
            return _law(value)
        if is_kernel(value):
            return _kernel(value)
        return _several([_entry(v) if isinstance(v, Fraction | float) else chart(v) for v in value], tuple)
    return Chart(at=(), back=lambda _: value)


def short(x: float, digits: int = DIGITS) -> Fraction:
    """The nearest number of so many binary digits."""
    mantissa, exponent = frexp(x)
    return Fraction(round(mantissa * 2**digits)) * Fraction(2) ** (exponent - digits)


def is_law(value: Any) -> bool:
    """Whether a value is a probability vector with at least two parts."""
    return (
        isinstance(value, tuple)
        and len(value) > 1
        and all(isinstance(v, Fraction) and v >= 0 for v in value)
        and sum(value) == 1
    )


def is_kernel(value: Any) -> bool:
    """Whether a value is an exact symmetric matrix that looks positive semidefinite."""
    if not is_symmetric(value):
        return False
    M = np.array([[float(v) for v in row] for row in value])
    return bool(np.linalg.eigvalsh(M)[0] >= -1e-9 * np.abs(M).max())


def is_symmetric(value: Any) -> bool:
    """Whether a value is an exact symmetric matrix."""
    if not (isinstance(value, tuple) and value and all(isinstance(row, tuple) for row in value)):
        return False
    n = len(value)
    if not all(len(row) == n and all(isinstance(v, Fraction) for v in row) for row in value):
        return False
    return all(value[i][j] == value[j][i] for i in range(n) for j in range(i))


def _several(parts: list[Chart], build: Callable[[list[Any]], Any]) -> Chart:
    ends = np.cumsum([0, *(len(p.at) for p in parts)]).tolist()

    def back(c: Sequence[float]) -> Any:
        return build([p.back(c[a:b]) for p, a, b in zip(parts, ends[:-1], ends[1:], strict=True)])

    return Chart(at=tuple(v for p in parts for v in p.at), back=back)


def _record(value: Any) -> Chart:
    names = [f.name for f in fields(value) if f.init and not (isinstance(value, Instance) and f.name in _WORDS)]
    parts = [chart(getattr(value, n)) for n in names]
    return _several(parts, lambda made: replace(value, **dict(zip(names, made, strict=True))))


def _number(value: Fraction | float) -> Chart:
    if value <= 0:
        return _entry(value)
    exact = isinstance(value, Fraction)

    def back(c: Sequence[float]) -> Fraction | float:
        x = exp(min(max(c[0], -_WIDEST), _WIDEST))
        return short(x) if exact else x

    return Chart(at=(_log(value),), back=back)


def _log(value: Fraction | float) -> float:
    return log(value.numerator) - log(value.denominator) if isinstance(value, Fraction) else log(value)


def _entry(value: Fraction | float) -> Chart:
    if isinstance(value, Fraction):
        return Chart(at=(float(value),), back=lambda c: short(c[0]))
    return Chart(at=(value,), back=lambda c: float(c[0]))


def _law(value: tuple[Fraction, ...]) -> Chart:
    least = Fraction(1, 2**DIGITS)

    def back(c: Sequence[float]) -> tuple[Fraction, ...]:
        top = max(c)
        parts = [Fraction(round(2**DIGITS * exp(max(v - top, -_WIDEST)))) for v in c]
        return tuple(p / sum(parts) for p in parts)

    return Chart(at=tuple(_log(max(v, least)) for v in value), back=back)


def _kernel(value: tuple[tuple[Fraction, ...], ...]) -> Chart:
    M = np.array([[float(v) for v in row] for row in value])
    n = len(M)
    spectrum, directions = np.linalg.eigh(M)
    root = directions * np.sqrt(np.maximum(spectrum, 0))

    def back(c: Sequence[float]) -> tuple[tuple[Fraction, ...], ...]:
        R = [[short(c[i * n + j]) for j in range(n)] for i in range(n)]
        return tuple(
            tuple(sum((a * b for a, b in zip(R[i], R[j], strict=True)), Fraction(0)) for j in range(n))
            for i in range(n)
        )

    return Chart(at=tuple(root.ravel().tolist()), back=back)
