"""Smaller and rounder instances that hurt nearly as much.

Fewer rows, atoms and dimensions, smaller whole numbers, rounder scalars, fewer digits: whatever keeps nine tenths of
the ratio, and keeps a violation one. A shrunk instance is a new one: it needs fresh trials of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from theorems.checking.search import rows
from theorems.checking.search.coordinates import short
from theorems.checking.search.families import attempt, renamed, weight
from theorems.checking.search.objective import Seen
from theorems.statement import Instance

KEPT = Fraction(9, 10)  # of the worst ratio
_ROUND = (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000))
_DIGITS = (1, 2, 4, 8, 16)


def shrunk(
    worst: Instance, ratio: float, look: Callable[[Instance], Seen], budget: int
) -> tuple[Instance, Seen] | None:
    """The smallest instance found that keeps the violation; None where no smaller one does.

    Parameters
    ----------
    worst, ratio : where it begins
    look : what an instance's ratio is
    budget : looks
    """
    least = max(float(KEPT) * ratio, 1.0) if ratio > 1 else float(KEPT) * ratio
    best: tuple[Instance, Seen] | None = None
    at, left, tries = worst, budget, smaller(worst)
    while left > 0 and (x := next(tries, None)) is not None:
        if size(x) >= size(at):
            continue
        left -= 1
        seen = look(x)
        if seen.ratio >= least and (ratio <= 1 or seen.ratio > 1):
            at, best, tries = x, (x, seen), smaller(x)
    return best


def size(x: Instance) -> tuple[int, int]:
    """Numbers first, then the bits that they are written with."""
    return weight(x), _bits(x)


def smaller(x: Instance) -> Iterator[Instance]:
    """Proposals, the boldest first."""
    for make in _makers(x):
        made = attempt(make)
        if made is not None:
            yield made


def _makers(x: Instance) -> Iterator[Callable[[], Instance]]:
    for inner, sizes in ((False, rows.lengths(x)), (True, rows.inner_sizes(x))):
        for n in sizes:
            for change in rows.shorter(n):
                yield partial(_changed, x, n, change, inner)
    names = [f.name for f in fields(x) if f.init and f.name not in ("name", "says", "curve")]
    for name in names:
        value = getattr(x, name)
        if isinstance(value, Fraction):
            yield from (partial(renamed, x, **{name: v}) for v in (*_ROUND, value.limit_denominator(10)))
        elif type(value) is int:
            yield from (partial(renamed, x, **{name: v}) for v in dict.fromkeys((1, value // 2, value - 1)))
    for digits in _DIGITS:
        for name in names:
            yield partial(_rounded, x, name, digits)


def _changed(x: Instance, n: int, change: rows.Change, inner: bool) -> Instance:
    return renamed(rows.changed(x, n, change, inner=inner))


def _rounded(x: Instance, name: str, digits: int) -> Instance:
    return renamed(x, **{name: _short(getattr(x, name), digits)})


def _short(value: Any, digits: int) -> Any:
    if isinstance(value, Fraction):
        return short(float(value), digits)
    if isinstance(value, float):
        return float(short(value, digits))
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return np.reshape([float(short(v, digits)) for v in value.ravel().tolist()], value.shape)
    return tuple(_short(v, digits) for v in value) if isinstance(value, tuple) else value


def _bits(value: Any) -> int:
    if isinstance(value, Instance) or hasattr(value, "__dataclass_fields__"):
        return sum(_bits(getattr(value, f.name)) for f in fields(value) if f.name not in ("name", "says", "curve"))
    if isinstance(value, Fraction):
        return value.numerator.bit_length() + value.denominator.bit_length()
    if isinstance(value, float):
        return _bits(Fraction(value))
    if isinstance(value, np.ndarray):
        return sum(_bits(v) for v in value.ravel().tolist())
    if isinstance(value, tuple | list):
        return sum(map(_bits, value))
    return value.bit_length() if isinstance(value, int) else 0
