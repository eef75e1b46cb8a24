"""Structured families: instances that are known to hurt, made from those that a statement brings along.

Scalars at the corners of the hypotheses, rows doubled, opposed, nearly parallel, zero or far out, spectra with steps,
orthonormal and equispaced points, diluted and spiky laws, and fields exchanged between instances. What a class or a
hypothesis refuses is worth nothing and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import product
from math import isqrt
from typing import Any

import numpy as np

from theorems.checking.search import rows
from theorems.checking.search.coordinates import is_law, is_symmetric
from theorems.statement import Instance

Admits = Callable[[Instance], bool]
Made = Iterator[tuple[str, Instance | None]]  # None where the class refused

BISECTIONS = 20  # to the corner of a hypothesis
_WORDS = ("name", "says", "curve")
_LADDER = tuple(Fraction(2) ** k for k in (-30, -12, -6, -3, -1, 1, 3, 6, 12))
_FIXED = (Fraction(1, 10**6), Fraction(1, 100), Fraction(1, 4), Fraction(49, 100), Fraction(99, 100), Fraction(1))
MOST_COMBINED = 4  # scalars that are pushed to their corners together


def weight(x: Any) -> int:
    """How many numbers an instance holds: the light ones are looked at first."""
    if is_dataclass(x):
        return sum(weight(getattr(x, f.name)) for f in fields(x))
    if isinstance(x, np.ndarray):
        return int(x.size)
    if isinstance(x, int):
        return 1 + isqrt(abs(x))  # a size asks for as much work as many numbers
    return sum(map(weight, x)) if isinstance(x, tuple | list) else 1


def neighbours(x: Instance, others: Sequence[Instance], admits: Admits) -> Iterator[tuple[str, Instance]]:
    """What can be made of one instance, alternating between families so that none is starved."""
    kinds = [_scalars(x, admits), _changed(x), _crossed(x, others), _laws(x, admits), _shapes(x), _wholes(x)]
    while kinds:
        for kind in list(kinds):
            found = next((made for made in kind if made[1] is not None), None)
            if found is None:
                kinds.remove(kind)
            else:
                yield found[0], found[1]  # type: ignore[misc]


def _crossed(x: Instance, others: Sequence[Instance]) -> Made:
    """One field taken from another instance of the same class."""
    for other in others:
        if type(other) is type(x) and other is not x:
            for name in _free(x):
                yield f"{name} exchanged", _with(x, **{name: getattr(other, name)})


def _free(x: Instance) -> list[str]:
    return [f.name for f in fields(x) if f.init and f.name not in _WORDS]


def _with(x: Instance, **new: Any) -> Instance | None:
    return attempt(lambda: renamed(x, **new))


def renamed(x: Instance, **new: Any) -> Instance:
    """An instance with other fields, under the name of all that a search proposes.

    Raises
    ------
    TypeError : a field whose metadata say {"follows": True} is determined by the others, and no hypothesis would see
        that it no longer does: such an instance can only be made by its own paper
    """
    bound = [f.name for f in fields(x) if f.metadata.get("follows", False)]
    if bound:
        raise TypeError(f"renamed(x): need fields that are free of each other, but {bound[0]} follows from the others")
    return replace(x, name="proposed", says="proposed by the search", curve=False, **new)


def attempt(make: Callable[[], Instance]) -> Instance | None:
    """An instance, or None where its class refuses it: a proposal may be anything."""
    try:
        return make()
    except (TypeError, ValueError, ArithmeticError, IndexError):
        return None


# ------------------------------------------------------------------------------------------------------ scalars


def _scalars(x: Instance, admits: Admits) -> Made:
    names = [n for n in _free(x) if isinstance(getattr(x, n), Fraction | float)]
    corners: dict[str, list[Any]] = {}
    for name in names:
        value = getattr(x, name)
        values = [corner(x, name, up, admits) for up in (False, True)] if value > 0 else []
        corners[name] = [v for v in values if v is not None and v != value]
        for v in corners[name]:
            yield f"{name} at the corner", _with(x, **{name: v})
    for name in names:
        value = getattr(x, name)
        for c in (*_LADDER, -1, 0):
            yield f"{name} scaled", _with(x, **{name: value * (c if isinstance(value, Fraction) else float(c))})
        for fixed in _FIXED:
            yield f"{name} fixed", _with(x, **{name: fixed if isinstance(value, Fraction) else float(fixed)})
    some = names[:MOST_COMBINED]
    for chosen in product(*([getattr(x, n), *corners[n]] for n in some)):
        yield "several corners", _with(x, **dict(zip(some, chosen, strict=True)))


def corner(x: Instance, name: str, up: bool, admits: Admits) -> Any:
    """The last value of a field that the hypotheses admit on the way up or down; None where they admit everything."""

    def admitted(value: Any) -> bool:
        made = _with(x, **{name: value})
        return made is not None and admits(made)

    inside = getattr(x, name)
    outside = inside * (2**20 if up else Fraction(1, 2**20) if isinstance(inside, Fraction) else 2.0**-20)
    if not admitted(inside):
        return None
    if admitted(outside):
        return outside if not up else None
    for _ in range(BISECTIONS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if admitted(middle) else (inside, middle)
    return inside


# -------------------------------------------------------------------------------------------------- rows and laws


def _changed(x: Instance) -> Made:
    for inner, sizes in ((False, rows.lengths(x)), (True, rows.inner_sizes(x))):
        for n in sizes:
            for change in rows.changes(n):
                yield change.says, attempt(partial(_rows_changed, x, n, change, inner=inner))


def _rows_changed(x: Instance, n: int, change: rows.Change, *, inner: bool) -> Instance:
    return renamed(rows.changed(x, n, change, inner=inner))


def _laws(x: Instance, admits: Admits) -> Made:
    """Other laws on the same atoms, and other densities: flat, spiky, wasteful."""
    for holder, name, law in _all_laws(x):
        J = len(law)
        for i in dict.fromkeys((0, J - 1)):
            rest = Fraction(1) - law[i]
            if rest:
                yield (
                    "atom missed",
                    _put(x, holder, name, tuple(v / rest if k != i else v * 0 for k, v in enumerate(law))),
                )
        for ratio in (Fraction(1, 100), Fraction(1, 4), Fraction(9)):
            parts = [Fraction(ratio**k) if J <= 4 else (ratio if k == 0 else Fraction(1)) for k in range(J)]
            yield "skewed law", _put(x, holder, name, tuple(v / sum(parts) for v in parts))
            yield "skewed law", _put(x, holder, name, tuple(v / sum(parts) for v in parts[::-1]))
        yield "flat law", _put(x, holder, name, (Fraction(1, J),) * J)
        for other in _free(x):
            value = getattr(x, other)
            if value is None or (isinstance(value, tuple) and len(value) == J and not is_law(value)):
                yield from _densities(x, other, value, J, admits)


def _densities(x: Instance, name: str, value: Any, J: int, admits: Admits) -> Made:
    for k in range(-20, 12):
        flat = _with(x, **{name: (Fraction(2) ** k,) * J})
        if flat is not None and admits(flat):
            yield "flat density", flat
            for c in (2, 4, 8, 64):
                yield "spiky density", _with(x, **{name: (Fraction(2) ** k * c, *(Fraction(2) ** k,) * (J - 1))})
                yield "spiky density", _with(x, **{name: (*(Fraction(2) ** k,) * (J - 1), Fraction(2) ** k * c)})
            break
    if isinstance(value, tuple) and all(isinstance(v, Fraction) for v in value):
        for part in (Fraction(1, 100), Fraction(1, 4), Fraction(4)):
            yield "scaled density", _with(x, **{name: tuple(part * v for v in value)})


def _all_laws(x: Instance) -> Iterator[tuple[str | None, str, tuple[Fraction, ...]]]:
    for name in _free(x):
        value = getattr(x, name)
        if is_law(value):
            yield None, name, value
        if is_dataclass(value):
            yield from ((name, f.name, getattr(value, f.name)) for f in fields(value) if is_law(getattr(value, f.name)))


def _put(x: Instance, holder: str | None, name: str, value: Any) -> Instance | None:
    if holder is None:
        return _with(x, **{name: value})
    return attempt(lambda: renamed(x, **{holder: replace(getattr(x, holder), **{name: value})}))


# ----------------------------------------------------------------------------------------- whole fields


def _shapes(x: Instance) -> Made:
    """Orthonormal rows, points equispaced on the circle, labels that alternate or single one out."""
    for name in _free(x):
        value = getattr(x, name)
        if isinstance(value, np.ndarray) and value.ndim == 2:
            n, d = value.shape
            yield "orthonormal", _with(x, **{name: np.eye(n, d)})
            if d >= 2:
                angles = 2 * np.pi * np.arange(n) / n
                circle = np.zeros((n, d))
                circle[:, 0], circle[:, 1] = np.cos(angles), np.sin(angles)
                yield "equispaced on the circle", _with(x, **{name: circle})
            yield "equispaced on a line", _with(x, **{name: np.linspace(-1, 1, n * d).reshape(n, d)})
        elif is_symmetric(value):
            n = len(value)
            yield "identity", _with(x, **{name: _diagonal([Fraction(1)] * n)})
            yield "zero matrix", _with(x, **{name: _diagonal([Fraction(0)] * n)})
            yield "rank one", _with(x, **{name: ((Fraction(1),) * n,) * n})
            for c in (Fraction(1, 10), Fraction(1, 1000)):
                yield "spectrum with steps", _with(x, **{name: _diagonal([c**k for k in range(n)])})
        elif isinstance(value, tuple) and value and all(isinstance(v, Fraction) for v in value) and not is_law(value):
            n = len(value)
            for word, entries in (
                ("alternating", [(-1) ** k for k in range(n)]),
                ("one entry", [1, *[0] * (n - 1)]),
                ("all ones", [1] * n),
                ("zeros", [0] * n),
                ("growing", list(range(1, n + 1))),
            ):
                yield f"{word} vector", _with(x, **{name: tuple(map(Fraction, entries))})


def _diagonal(entries: Sequence[Fraction]) -> tuple[tuple[Fraction, ...], ...]:
    return tuple(tuple(v if i == j else Fraction(0) for j in range(len(entries))) for i, v in enumerate(entries))


def _wholes(x: Instance) -> Made:
    """Whole numbers up and down; flags the other way."""
    for name in _free(x):
        value = getattr(x, name)
        if isinstance(value, int) and not isinstance(value, bool):
            for v in dict.fromkeys((value + 1, value - 1, 2 * value, value // 2, 10 * value, isqrt(abs(value)), 1)):
                yield f"{name} changed", _with(x, **{name: v})
        if isinstance(value, tuple) and value and all(type(v) is int for v in value):
            for c in (2, 4):
                yield f"{name} scaled", _with(x, **{name: tuple(c * v for v in value)})
                yield f"{name} scaled down", _with(x, **{name: tuple(v // c for v in value)})
