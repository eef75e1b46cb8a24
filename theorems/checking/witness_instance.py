"""Instances as data: every field exactly, in JSON, and back; a class is a name that the statement's own instances know.

null, true, 7                                  themselves
"3/4"                                          Fraction, always with its denominator
"0x1.8000000000000p+1"                         float
[...]                                          tuple
{"text": "..."}, {"list": [...]}               str, list
{"array": "float64", "shape": [..], "entries": [..]}
{"record": "FiniteWorld", "fields": {..}}      frozen dataclass, its `init` fields
{"enum": "Shape", "member": "ROUND"}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from theorems.checking.witness_file import MOST_DIGITS, Refused, check_keys, number, whole
from theorems.statement import Instance

Data: TypeAlias = Any
Classes: TypeAlias = Mapping[str, type]

MOST_ENTRIES = 2**20
ARRAYS = {"float64": np.float64, "int64": np.int64, "bool": np.bool_}
_DIGITS = 10**MOST_DIGITS


class Unwritable(ValueError):
    """Something that a witness cannot hold: too large, or of a type that is no data."""


def written(value: object) -> Data:
    """Write a value as data.

    Raises
    ------
    Unwritable : a type that is no data, a number that is not finite or has more than 4,000 digits
    """
    kind = type(value)
    if value is None or kind is bool:
        return value
    if isinstance(value, Enum):
        return {"enum": kind.__name__, "member": value.name}
    if isinstance(value, int) and kind is int:
        return in_digits(value)
    if isinstance(value, Fraction) and kind is Fraction:
        return f"{in_digits(value.numerator)}/{in_digits(value.denominator)}"
    if isinstance(value, float) and kind is float:
        if not np.isfinite(value):
            raise Unwritable(f"written(value): need finite floats; got {value}")
        return value.hex()
    if isinstance(value, str) and kind is str:
        return {"text": value}
    if isinstance(value, tuple) and kind is tuple:
        return [written(x) for x in value]
    if isinstance(value, list) and kind is list:
        return {"list": [written(x) for x in value]}
    if isinstance(value, np.ndarray) and kind is np.ndarray and value.dtype.name in ARRAYS:
        return {
            "array": value.dtype.name,
            "shape": list(value.shape),
            "entries": [written(x) for x in value.ravel().tolist()],
        }
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "record": kind.__name__,
            "fields": {f.name: written(getattr(value, f.name)) for f in fields(value) if f.init},
        }
    raise Unwritable(f"written(value): need data; got a {kind.__name__}: {value!r:.80}")


def in_digits(value: int) -> int:
    """Give an integer that a file may hold.

    Raises
    ------
    Unwritable : more than 4,000 digits
    """
    if not -_DIGITS < value < _DIGITS:
        raise Unwritable(
            f"written(value): need integers of at most {MOST_DIGITS} digits; got {value.bit_length()} bits"
        )
    return value


def instance_of(data: Data, classes: Classes) -> Instance:
    """Build the instance that data describes.

    Parameters
    ----------
    classes : name -> class, see `classes_of`; no other class is ever looked up

    Raises
    ------
    Refused : data that describes no instance of these classes
    """
    try:
        made = _built(data, classes)
    except (TypeError, ValueError) as error:
        raise Refused(f"the instance cannot be built: {' '.join(str(error).split())}") from error
    if not isinstance(made, Instance):
        raise Refused(f"the data describe a {type(made).__name__}, no instance")
    return made


def classes_of(instances: Iterable[Instance]) -> dict[str, type]:
    """Every dataclass and enumeration that these instances are made of, by name."""
    found: dict[str, type] = {}
    for kind in {k: None for x in instances for k in _kinds(x)}:
        if found.setdefault(kind.__name__, kind) is not kind:
            raise Unwritable(f"classes_of(instances): two classes have the name {kind.__name__}")
    return found


def _kinds(value: object) -> Iterator[type]:
    if isinstance(value, Enum):
        yield type(value)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _kinds(part)
    elif is_dataclass(value):
        yield type(value)
        for f in fields(value):
            if f.init:
                yield from _kinds(getattr(value, f.name))


def _built(data: Data, classes: Classes) -> Any:
    if data is None or type(data) in (bool, int):
        return data
    if isinstance(data, str):
        value = number(data)
        return value if "/" in data else float(value) if value else float.fromhex(data)
    if isinstance(data, list):
        return tuple(_built(x, classes) for x in data)
    match data:
        case {"text": str(text)} if len(data) == 1:
            return text
        case {"list": list(parts)} if len(data) == 1:
            return [_built(x, classes) for x in parts]
        case {"array": str(dtype), "shape": list(shape), "entries": list(entries)} if len(data) == 3:
            return _array(dtype, shape, [_built(x, classes) for x in entries])
        case {"enum": str(name), "member": str(member)} if len(data) == 2:
            kind = classes.get(name)
            if kind is None or not issubclass(kind, Enum) or member not in kind.__members__:
                raise Refused(f"unknown {name!r:.80} {member!r:.80}")
            return kind.__members__[member]
        case {"record": str(name), "fields": dict(parts)} if len(data) == 2:
            kind = classes.get(name)
            if kind is None or not is_dataclass(kind):
                raise Refused(f"no instance of this statement is or has a {name!r:.80}")
            check_keys(name, parts, {f.name for f in fields(kind) if f.init})
            return kind(**{key: _built(x, classes) for key, x in parts.items()})
    raise Refused(f"{data!r:.80} describes nothing")


def _array(dtype: str, shape: list[Any], entries: list[Any]) -> Any:
    sides = [whole("shape", side, MOST_ENTRIES) for side in shape]
    kind = {"float64": float, "int64": int, "bool": bool}.get(dtype)
    if kind is None or len(sides) > 8 or any(type(x) is not kind for x in entries):
        raise Refused(f"an array must be of float64, int64 or bool entries, got {dtype!r:.80}")
    return np.array(entries, dtype=ARRAYS[dtype]).reshape(sides)
