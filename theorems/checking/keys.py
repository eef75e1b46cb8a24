"""Names for data and seeds for batches: one digest per value, one random generator per key.

Two values that differ must never share a digest, and two batches must never share draws. `SeedSequence` promises
neither: it reads [7, 5] and [7, 5, 0] as one key. So values become tagged, length-prefixed bytes and keys go
through SHA-256.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

_UNIT_SEPARATOR = "\x1f"
_LARGEST = 2**63 - 1  # what a column of the evidence store holds
_WIDEST = {"b": "|b1", "i": "<i8", "u": "<u8", "f": "<f8", "c": "<c16"}  # exact home of each kind of array entry


def canonical_bytes(obj: object) -> bytes:
    """Unambiguous bytes of a value: equal bytes if and only if equal type and content.

    tag (1 byte) | length of payload (8 bytes, big endian) | payload; containers hold the bytes of their parts.

    Parameters
    ----------
    obj : None, bool, int of any size, float or complex without nan, str, bytes, Fraction, Enum member; tuple, list,
        dict (its order is forgotten), numpy array of bool, integer, float or complex entries without nan (any
        memory order, byte order and strides); frozen dataclass (its `init` fields, except those whose metadata says
        {"digest": False}); nested as you like

    Returns
    -------
    bytes. By design a tuple equals the list of the same parts, and an array equals its copy of another width
    (float32 against float64, int8 against int64), since widening is exact. Everything else that differs in type or
    content differs here: True and 1, 1 and 1.0, "1" and b"1", -0.0 and 0.0, signed and unsigned arrays.

    Raises
    ------
    TypeError : any other type, subclasses of the above included (numpy scalars, masked arrays, np.matrix)
    ValueError : a nan, which equals nothing, itself included
    """
    tag, payload = _tag_and_payload(obj)
    return tag + len(payload).to_bytes(8, "big") + payload


def digest(obj: object) -> str:
    """SHA-256 of `canonical_bytes(obj)`: 64 lowercase hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(obj)).hexdigest()


def key_digest(*, statement: str, instance: str, stream: str, seed: int, batch_size: int, index: int) -> bytes:
    """The 32 bytes that name one batch of trials.

    SHA-256("leverage-theorems/1" US statement US instance US stream US seed US batch_size US index), where US is
    the unit separator, character 31, which no part can contain.

    Parameters
    ----------
    statement, stream : printable, not empty
    instance : digest of the instance, 64 lowercase hexadecimal digits
    seed, index : integers in [0, 2^63)
    batch_size : trials per batch, a power of two up to 1024

    Raises
    ------
    TypeError, ValueError : an argument outside its range
    """
    for name, text in (("statement", statement), ("stream", stream)):
        if not text or not text.isprintable():
            raise ValueError(f"key_digest({name}): need printable text, not empty; got {text!r}")
    check_digest("key_digest(instance)", instance)
    for name, number in (("seed", seed), ("batch_size", batch_size), ("index", index)):
        check_count(f"key_digest({name})", number)
    if batch_size not in {2**k for k in range(11)}:
        raise ValueError(f"key_digest(batch_size): need a power of two in [1, 1024]; got {batch_size}")
    parts = ("leverage-theorems/1", statement, instance, stream, str(seed), str(batch_size), str(index))
    return hashlib.sha256(_UNIT_SEPARATOR.join(parts).encode()).digest()


def generator(
    *, statement: str, instance: str, stream: str, seed: int, batch_size: int, index: int
) -> np.random.Generator:
    """The random generator of one batch: Philox with the first 128 bits of `key_digest` as its key.

    Parameters and errors are those of `key_digest`. Two of 10^12 batches share a key with probability 1.5e-15.
    """
    key = key_digest(
        statement=statement, instance=instance, stream=stream, seed=seed, batch_size=batch_size, index=index
    )
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key[:16], "big")))


def check_count(where: str, value: int) -> None:
    """Raise unless `value` is a plain integer in [0, 2^63); `where` is the function and argument at fault."""
    if type(value) is not int:
        raise TypeError(f"{where}: need an int; got {type(value).__name__} {value!r}")
    if not 0 <= value <= _LARGEST:
        raise ValueError(f"{where}: need an integer in [0, 2^63); got {value}")


def check_digest(where: str, value: str) -> None:
    """Raise unless `value` is written like a digest: 64 lowercase hexadecimal digits."""
    if len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise ValueError(f"{where}: need 64 lowercase hexadecimal digits; got {value!r}")


def _tag_and_payload(obj: Any) -> tuple[bytes, bytes]:
    # Exact types: a subclass may carry state that its base class does not show.
    kind = type(obj)
    if obj is None:
        return b"N", b""
    if kind is bool:
        return b"B", b"\x01" if obj else b"\x00"
    if kind is int:
        return b"I", obj.to_bytes(obj.bit_length() // 8 + 1, "big", signed=True)
    if kind is float:
        return b"F", _float_payload(obj)
    if kind is complex:
        return b"C", canonical_bytes(obj.real) + canonical_bytes(obj.imag)
    if kind is str:
        return b"S", obj.encode("utf-8", "surrogatepass")
    if kind is bytes:
        return b"Y", obj
    if kind is Fraction:
        return b"Q", canonical_bytes(obj.numerator) + canonical_bytes(obj.denominator)
    if kind is tuple or kind is list:
        return b"L", b"".join(canonical_bytes(part) for part in obj)
    if kind is dict:
        pairs = sorted((canonical_bytes(key), canonical_bytes(value)) for key, value in obj.items())
        return b"D", b"".join(key + value for key, value in pairs)
    if kind is np.ndarray and obj.dtype.kind in _WIDEST:
        return b"A", _array_payload(obj)
    if isinstance(obj, Enum):
        return b"E", canonical_bytes(_qualified_name(kind)) + canonical_bytes(obj.name)
    parameters = kind.__dict__.get("__dataclass_params__")
    if parameters is not None and parameters.frozen:
        return b"R", _record_payload(obj)
    shown = f"numpy.ndarray of dtype {obj.dtype}" if kind is np.ndarray else _qualified_name(kind)
    raise TypeError(
        "canonical_bytes(obj): need None, bool, int, float, complex, str, bytes, Fraction, Enum, tuple, list, dict, "
        f"numeric numpy.ndarray or frozen dataclass; got {shown}: {repr(obj)[:80]}"
    )


def _float_payload(value: float) -> bytes:
    if value != value:
        raise ValueError(f"canonical_bytes(obj): need floats other than nan; got {value}")
    return value.hex().encode()


def _array_payload(array: npt.NDArray[Any]) -> bytes:
    kind = array.dtype.kind
    widest = np.dtype(_WIDEST[kind])
    if array.dtype.itemsize > widest.itemsize:
        raise TypeError(f"canonical_bytes(obj): need entries that fit {widest}; got dtype {array.dtype}")
    if kind in "fc" and np.isnan(array).any():
        where = np.argwhere(np.isnan(array))[0].tolist()
        raise ValueError(f"canonical_bytes(obj): need arrays without nan; got nan at index {where}")
    return canonical_bytes(kind) + canonical_bytes(array.shape) + array.astype(widest).tobytes()


def _record_payload(record: Any) -> bytes:
    kept = [f.name for f in fields(record) if f.init and f.metadata.get("digest", True)]
    parts = [(name, getattr(record, name)) for name in kept]
    return canonical_bytes(_qualified_name(type(record))) + canonical_bytes(parts)


def _qualified_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
