"""Reading a document: what is drawn must be there and have the promised form, or one line says what is not.

A shape is a function of (value, where it stands) that raises on a value of another form. Unknown keys pass, so
that a later version may say more.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

Shape = Callable[[Any, str], None]


class RecordsUnreadable(ValueError):
    """A file that cannot be drawn: make it again with `theorems verify`, or `theorems study`."""


class Fault(ValueError):
    """What is wrong and where, not yet knowing in which file."""


def read(path: Path, check: Callable[[Any], None]) -> dict[str, Any]:
    """The content of a JSON document that a check accepts.

    Parameters
    ----------
    path : a JSON document
    check : raises a `Fault` on a document of another form

    Returns
    -------
    document : as parsed; every number finite

    Raises
    ------
    RecordsUnreadable : not JSON, a NaN, or refused by the check; names the file
    OSError : the file cannot be read
    """
    content = path.read_bytes()
    try:
        document = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
        check(document)
    except RecursionError:
        raise RecordsUnreadable(f"{path}: nested too deeply to be a records file") from None
    except ValueError as fault:
        raise RecordsUnreadable(f"{path}: {fault}") from None
    checked: dict[str, Any] = document
    return checked


def require_version(document: Any, version: int) -> None:
    """The version first: a file of another version is wrong as a whole, not in its first odd field."""
    fields({"schema_version": whole})(document, "")
    if document["schema_version"] != version:
        raise Fault(f"schema_version must be {version}, got {document['schema_version']}")


def _refuse_constant(name: str) -> float:
    raise Fault(f"numbers must be finite, got {name}")


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _refuse_constant(digits)


def wrong(where: str, needed: str, value: object) -> Fault:
    """Say that the value at a place is not what is needed there."""
    shown = repr(value)
    return Fault(f"{where or 'the document'} must be {needed}, got {shown if len(shown) <= 60 else shown[:57] + '...'}")


def one(needed: str, fits: Callable[[Any], bool]) -> Shape:
    """A value that a predicate accepts; `needed` says which."""

    def check(value: Any, where: str) -> None:
        if not fits(value):
            raise wrong(where, needed, value)

    return check


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_whole(value) or isinstance(value, float)


def _is_rational(value: Any) -> bool:
    try:
        Fraction(value)
    except (ValueError, TypeError, ZeroDivisionError):
        return False
    return isinstance(value, str)


text = one("text", lambda value: isinstance(value, str))
truth = one("true or false", lambda value: isinstance(value, bool))
whole = one("an integer", _is_whole)
number = one("a number", _is_number)
size = one("a positive integer", lambda value: _is_whole(value) and value > 0)
count = one("a nonnegative integer", lambda value: _is_whole(value) and value >= 0)
ratio = one("a positive number", lambda value: _is_number(value) and value > 0)
probability = one("a number in [0, 1]", lambda value: _is_number(value) and 0 <= value <= 1)
scalar = one("a number or text", lambda value: isinstance(value, str | int | float))
rational = one("a rational number as text, like '1/3' or '2.5e-10'", _is_rational)


def among(*words: str) -> Shape:
    """One of some words."""
    return one("one of " + ", ".join(words), lambda value: value in words)


def or_null(shape: Shape) -> Shape:
    """Null, or a value of a shape."""

    def check(value: Any, where: str) -> None:
        if value is not None:
            shape(value, where)

    return check


def every(shape: Shape, *, length: int | None = None) -> Shape:
    """A list of one shape, of a given length or of any."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise wrong(where, "a list", value)
        if length is not None and len(value) != length:
            raise wrong(where, f"a list of {length}", value)
        for index, entry in enumerate(value):
            shape(entry, f"{where}[{index}]")

    return check


def mapping(shape: Shape) -> Shape:
    """An object with values of one shape and any keys."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise wrong(where, "an object", value)
        for key, entry in value.items():
            shape(entry, f"{where}[{key!r}]")

    return check


def fields(required: dict[str, Shape], maybe: dict[str, Shape] | None = None) -> Shape:
    """An object with a value of its own shape at each key; those of `maybe` may be missing."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise wrong(where, "an object", value)
        for key, shape in required.items():
            if key not in value:
                raise Fault(f"{where or 'the document'} must have {key!r}, got none")
            shape(value[key], f"{where}.{key}".lstrip("."))
        for key, shape in (maybe or {}).items():
            if key in value:
                shape(value[key], f"{where}.{key}".lstrip("."))

    return check
