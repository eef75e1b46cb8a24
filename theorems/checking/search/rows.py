"""Rows, atoms and spectra of an instance changed together: whatever has length n along its first axis belongs together.

Tuples and arrays of one length are the rows of one thing, in nested frozen records too: points and their labels, atoms
and their probabilities. A symmetric matrix of that size changes on both sides, as D M D; a law is divided by its new
sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from theorems.checking.search.coordinates import is_law, is_symmetric

LONGEST = 64  # rows of a thing whose rows are changed one by one


@dataclass(frozen=True, kw_only=True)
class Change:
    """New rows from old ones.

    Parameters
    ----------
    says : the family, for the table of what was found by which
    indices : old row of each new one
    factors : what each new row is multiplied by
    nudge : part of the next old row that is added to the last new one
    """

    says: str
    indices: tuple[int, ...]
    factors: tuple[Fraction, ...]
    nudge: Fraction = Fraction(0)


def lengths(x: Any) -> list[int]:
    """The lengths of first axes in a record, each once, in order of appearance."""
    found: dict[int, None] = {}
    for value in _values(x):
        if len(value) <= LONGEST:
            found[len(value)] = None
    return list(found)


def inner_sizes(x: Any) -> list[int]:
    """The sizes of symmetric matrices of which there is a sequence."""
    found = {len(v[0]): None for v in _values(x) if _are_kernels(v) and len(v[0]) <= LONGEST}
    return list(found)


def changed(x: Any, n: int, change: Change, *, inner: bool = False) -> Any:
    """Change everything of length n in a record; with `inner`, the symmetric matrices of size n in sequences."""
    alone = not any(_depth(v) > 1 for v in _values(x) if len(v) == n)

    def new(value: Any) -> Any:
        if is_dataclass(value):
            return changed(value, n, change, inner=inner)
        if not isinstance(value, tuple | np.ndarray) or not len(value):
            return value
        if inner:
            return tuple(_both_sides(M, change) for M in value) if _are_kernels(value) and len(value[0]) == n else value
        if len(value) != n or isinstance(value[0], int | str):
            return value
        return _rows(value, change, alone=alone)

    made = {f.name: new(getattr(x, f.name)) for f in fields(x) if f.init}
    return replace(x, **made)


def changes(n: int) -> Iterator[Change]:
    """The structured families for a thing with n rows."""
    one, every = Fraction(1), tuple(range(n))
    ones = (one,) * n
    tiny = Fraction(1, 2**20)
    for c in (Fraction(1, 10), Fraction(10), Fraction(1, 1000), Fraction(1000)):
        yield Change(says=f"all rows times {c}", indices=every, factors=(c,) * n)
    for c in (Fraction(1, 2), Fraction(1, 10), Fraction(1, 100)):
        yield Change(says=f"geometric spectrum, ratio {c}", indices=every, factors=tuple(c**k for k in every))
    for c in (Fraction(1, 16), Fraction(30), Fraction(1, 10**4)):
        yield Change(says=f"one row times {c}", indices=every, factors=(c, *ones[1:]))
        if n > 1:
            yield Change(says=f"last row times {c}", indices=every, factors=(*ones[1:], c))
    for i in dict.fromkeys((0, n - 1)):
        for c, word in ((one, "duplicate"), (-one, "antipode"), (one * 0, "zero row"), (Fraction(40), "outlier")):
            yield Change(says=word, indices=(*every, i), factors=(*ones, c))
    yield Change(says="every row twice", indices=every * 2, factors=ones * 2)
    yield Change(says="every row and its antipode", indices=every * 2, factors=(*ones, *(-c for c in ones)))
    if n > 1:
        yield Change(says="near-parallel pair", indices=(*every, 0), factors=(*ones, one), nudge=tiny)
        yield Change(says="rows turned by one", indices=(*every[1:], 0), factors=ones)
        yield Change(says="one row kept", indices=(0,), factors=(one,))
        yield from (_without(n, i) for i in dict.fromkeys((0, n - 1)))
    for times in (4, 8):
        if n * times <= LONGEST:
            yield Change(says=f"every row {times} times", indices=every * times, factors=ones * times)


def _without(n: int, i: int) -> Change:
    kept = tuple(k for k in range(n) if k != i)
    return Change(says="one row less", indices=kept, factors=(Fraction(1),) * (n - 1))


def shorter(n: int) -> Iterator[Change]:
    """Half of the rows, then all but one, for every one; what shrinking tries."""
    if n > 2:
        for kept in (range(n // 2), range(n // 2, n)):
            yield Change(says="half of the rows", indices=tuple(kept), factors=(Fraction(1),) * len(kept))
    if n > 1:
        yield from (_without(n, i) for i in range(n))


def _values(x: Any) -> Iterator[Any]:
    for f in fields(x):
        value = getattr(x, f.name)
        if is_dataclass(value):
            yield from _values(value)
        elif isinstance(value, tuple | np.ndarray) and len(value) and not isinstance(value[0], int | str):
            yield value


def _depth(value: Any) -> int:
    return 1 + _depth(value[0]) if isinstance(value, tuple | np.ndarray) and len(value) else 0


def _are_kernels(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) > 0 and _depth(value) == 3 and all(map(is_symmetric, value))


def _rows(value: Any, change: Change, *, alone: bool) -> Any:
    if is_law(value):
        parts = [value[i] for i in change.indices]
        return tuple(p / sum(parts) for p in parts)
    if is_symmetric(value):
        return _both_sides(value, change)
    scaled = _depth(value) > 1 or alone
    factors: Sequence[Fraction] = change.factors if scaled else (Fraction(1),) * len(change.factors)
    made = [_times(value[i], c) for i, c in zip(change.indices, factors, strict=True)]
    if change.nudge and scaled:
        other = value[(change.indices[-1] + 1) % len(value)]
        made[-1] = _plus(made[-1], _times(other, change.nudge))
    return np.array(made, np.float64) if isinstance(value, np.ndarray) else tuple(made)


def _both_sides(M: Any, change: Change) -> Any:
    pairs = list(zip(change.indices, change.factors, strict=True))
    return tuple(tuple(M[i][j] * a * b for j, b in pairs) for i, a in pairs)


def _times(value: Any, c: Fraction) -> Any:
    if isinstance(value, tuple):
        return tuple(_times(v, c) for v in value)
    return value * (c if isinstance(value, Fraction | int) else float(c))


def _plus(a: Any, b: Any) -> Any:
    return tuple(_plus(u, v) for u, v in zip(a, b, strict=True)) if isinstance(a, tuple) else a + b
