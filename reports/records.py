"""Reading a records file: every fact the page draws is there and has the promised form, or one line says what is not.

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

SCHEMA_VERSION = 1

Shape = Callable[[Any, str], None]


class RecordsUnreadable(ValueError):
    """A records file that cannot be drawn: make it again with `theorems verify`."""


class _Fault(ValueError):
    """What is wrong and where, not yet knowing in which file."""


def read_records(path: Path) -> dict[str, Any]:
    """The checked content of a records file.

    Parameters
    ----------
    path : a JSON document of schema version 1

    Returns
    -------
    document : as parsed; every number finite

    Raises
    ------
    RecordsUnreadable : not JSON, a NaN, another version, a fact missing or of another form; names the file
    OSError : the file cannot be read
    """
    content = path.read_bytes()
    try:
        document = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
        _check(document)
    except RecursionError:
        raise RecordsUnreadable(f"{path}: nested too deeply to be a records file") from None
    except ValueError as fault:
        raise RecordsUnreadable(f"{path}: {fault}") from None
    checked: dict[str, Any] = document
    return checked


def _refuse_constant(name: str) -> float:
    raise _Fault(f"numbers must be finite, got {name}")


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _refuse_constant(digits)


def _check(document: Any) -> None:
    """The version first: a file of another version is wrong as a whole, not in its first odd field."""
    _fields({"schema_version": _whole})(document, "")
    if document["schema_version"] != SCHEMA_VERSION:
        raise _Fault(f"schema_version must be {SCHEMA_VERSION}, got {document['schema_version']}")
    _DOCUMENT(document, "")
    known = [statement["id"] for statement in document["statements"]]
    repeated = sorted({name for name in known if known.count(name) > 1})
    if repeated:
        raise _Fault(f"statements must have different ids, got {repeated[0]!r} twice")
    for room in ("records", "twins"):
        for index, entry in enumerate(document.get(room, [])):
            if entry["statement"] not in known:
                raise _Fault(
                    f"{room}[{index}].statement must name a statement of this file, got {entry['statement']!r}"
                )


def _wrong(where: str, needed: str, value: object) -> _Fault:
    shown = repr(value)
    return _Fault(
        f"{where or 'the document'} must be {needed}, got {shown if len(shown) <= 60 else shown[:57] + '...'}"
    )


def _one(needed: str, fits: Callable[[Any], bool]) -> Shape:
    def check(value: Any, where: str) -> None:
        if not fits(value):
            raise _wrong(where, needed, value)

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


_text = _one("text", lambda value: isinstance(value, str))
_truth = _one("true or false", lambda value: isinstance(value, bool))
_whole = _one("an integer", _is_whole)
_number = _one("a number", _is_number)
_size = _one("a positive integer", lambda value: _is_whole(value) and value > 0)
_count = _one("a nonnegative integer", lambda value: _is_whole(value) and value >= 0)
_ratio = _one("a positive number", lambda value: _is_number(value) and value > 0)
_probability = _one("a number in [0, 1]", lambda value: _is_number(value) and 0 <= value <= 1)
_scalar = _one("a number or text", lambda value: isinstance(value, str | int | float))
_rational = _one("a rational number as text, like '1/3' or '2.5e-10'", _is_rational)


def _among(*words: str) -> Shape:
    return _one("one of " + ", ".join(words), lambda value: value in words)


def _or_null(shape: Shape) -> Shape:
    def check(value: Any, where: str) -> None:
        if value is not None:
            shape(value, where)

    return check


def _all(shape: Shape, *, length: int | None = None) -> Shape:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise _wrong(where, "a list", value)
        if length is not None and len(value) != length:
            raise _wrong(where, f"a list of {length}", value)
        for index, entry in enumerate(value):
            shape(entry, f"{where}[{index}]")

    return check


def _mapping(shape: Shape) -> Shape:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, "an object", value)
        for key, entry in value.items():
            shape(entry, f"{where}[{key!r}]")

    return check


def _fields(required: dict[str, Shape], maybe: dict[str, Shape] | None = None) -> Shape:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(where, "an object", value)
        for key, shape in required.items():
            if key not in value:
                raise _Fault(f"{where or 'the document'} must have {key!r}, got none")
            shape(value[key], f"{where}.{key}".lstrip("."))
        for key, shape in (maybe or {}).items():
            if key in value:
                shape(value[key], f"{where}.{key}".lstrip("."))

    return check


_finding = _among("SUPPORTED", "REFUTED", "UNDECIDED", "VACUOUS")

_HYPOTHESIS = _fields({"says": _text, "guaranteed": _text})
_MISPRINT = _fields(dict.fromkeys(("id", "says", "instead", "witness"), _text))
_STATEMENT = _fields(
    dict.fromkeys(
        ("id", "number", "title", "kind", "says", "plainly", "source", "identifier", "place", "deviation", "price"),
        _text,
    )
    | {
        "constant": _among("explicit", "proved here", "hidden"),
        "recalled": _truth,
        "hypotheses": _all(_HYPOTHESIS),
        "expected": _finding,
        "verdict": _finding,
        "as_declared": _truth,
        "misprints": _all(_MISPRINT),
        "notes": _all(_text),
    }
)
_POINT = _fields(
    {"c": _ratio, "m": _size, "kind": _among("exact", "sampled"), "trials": _count, "failures": _count}
    | dict.fromkeys(("lower", "upper", "estimate"), _probability)
)
_MEASURED = _mapping(_scalar)
_RECORD = _fields(
    dict.fromkeys(("id", "statement", "number", "instance", "instance_says", "instance_digest", "claim"), _text)
    | dict.fromkeys(("because", "table", "excluded", "price", "slack_says", "fault"), _text)
    | dict.fromkeys(("trials", "failures", "unsure"), _count)
    | dict.fromkeys(("seed", "batch_size"), _whole)
    | dict.fromkeys(("delta", "rho", "slack"), _or_null(_number))
    | {
        "twin": _or_null(_text),
        "verdict": _finding,
        "expected": _finding,
        "as_declared": _truth,
        "evidence": _among("exact", "trials", "comparisons", "slope"),
        "probability": _or_null(_all(_rational, length=2)),
        "alpha": _number,
        "measured": _MEASURED,
        "comparisons": _all(_mapping(_text)),
        "curve": _all(_POINT),
    },
    maybe={"layers": _all(_mapping(_text))},
)
_TWIN = _fields(dict.fromkeys(("statement", "twin", "because"), _text) | {"killed_by": _all(_text), "survived": _truth})
_DOCUMENT = _fields(
    {
        "tool": _fields({"name": _text, "version": _text}),
        "seed": _whole,
        "profile": _text,
        "campaign": _whole,
        "code_digest": _text,
        "machine": _mapping(_text),
        "budget": _fields(
            {"alpha_refuted": _number, "alpha_supported": _number, "says": _text}, maybe={"trials": _count}
        ),
        "statements": _all(_STATEMENT),
        "records": _all(_RECORD),
        "not_run": _all(_fields({"id": _text, "why": _text})),
        "summary": _fields({"as_declared": _count, "total": _count, "exit_code": _whole}),
    },
    maybe={"twins": _all(_TWIN)},
)
