"""Witness files: one JSON object with exact numbers only, read strictly, byte for byte in its canonical form.

A number is an integer, "a/b" or a C99 hexadecimal float. Needs nothing but the standard library, like everything
that goes into the replay that a witness is shipped with (`theorems.replaying`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import lcm
from typing import Any, NoReturn

SCHEMA = "leverage-theorems/witness/1"
LARGEST = 4 * 2**20  # bytes of a file
DEEPEST = 16
MOST_DIGITS = 4000
MOST_ROWS = 512
MOST_COMMON = 2**15  # bits of the least common denominator of a list: sums in it stay quick

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
MARKS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)  # linear even where no JSON
RATIO = re.compile(rf"(-?[0-9]{{1,{MOST_DIGITS}}})/([0-9]{{1,{MOST_DIGITS}}})", re.ASCII)
HEXADECIMAL = re.compile(r"(-?)0x([01])\.([0-9a-f]{1,13})p([+-][0-9]{1,4})", re.ASCII)

FIELDS = {"schema", "statement", "twin", "mutation", "claim", "name", "instance", "instance_digest"}
EVIDENCE = {
    "claims": {"kind", "of", "refuted"},
    "probability": {"kind", "m", "delta", "law"},
    "trials": {"kind", "delta", "alpha", "trials", "failures", "unsure", "key", "shared", "listed"},
}


class Refused(ValueError):
    """A file that is no witness: one line with the reason."""


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a witness: a regular file of at most 4 MiB whose bytes are those of its canonical form.

    Raises
    ------
    OSError : no regular file to be read; links are not followed
    Refused : naming the file and the reason
    """
    data = _bytes_of(path)
    try:
        return document_of(data)
    except ValueError as error:
        raise Refused(f"{os.fspath(path)!r}: {' '.join(str(error).split())}") from error


def _bytes_of(path: str | os.PathLike[str]) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
        if found.st_size > LARGEST:
            raise Refused(f"{os.fspath(path)!r}: {found.st_size} bytes are more than {LARGEST}")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(LARGEST + 1)
    finally:
        os.close(descriptor)


def document_of(data: bytes) -> dict[str, Any]:
    """Parse and check the bytes of a witness.

    Raises
    ------
    Refused : with the reason
    """
    if len(data) > LARGEST:
        raise Refused(f"{len(data)} bytes are more than {LARGEST}")
    text = data.decode("ascii")
    depth = 0
    for mark in MARKS.findall(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        if depth > DEEPEST:
            raise Refused(f"nested deeper than {DEEPEST}")
    made: dict[str, Any] = json.loads(
        text,
        object_pairs_hook=_unique,
        parse_constant=_refuse("not a number in JSON"),
        parse_float=_refuse("a decimal, which is not exact"),
        parse_int=_integer,
    )
    _printable(made)
    check_keys("the witness", made, FIELDS | {"evidence", "digest"})
    if made["schema"] != SCHEMA:
        raise Refused(f"schema must be {SCHEMA!r}, got {made['schema']!r:.80}")
    for key in ("statement", "twin", "name"):
        if made[key] is None and key == "twin":
            continue
        if not isinstance(made[key], str) or not NAME.fullmatch(made[key]):
            raise Refused(f"{key} must be 1 to 64 of A-Z a-z 0-9 _ . -, got {made[key]!r:.80}")
    if not isinstance(made["claim"], str) or not isinstance(made["mutation"], str | None):
        raise Refused("claim must be a sentence, and mutation a sentence or null")
    if not isinstance(made["instance_digest"], str) or not DIGEST.fullmatch(made["instance_digest"]):
        raise Refused("instance_digest must be 64 hexadecimal digits")
    kind = made["evidence"].get("kind") if isinstance(made["evidence"], dict) else None
    if not isinstance(kind, str) or kind not in EVIDENCE:
        raise Refused(f"evidence must be of kind {', '.join(EVIDENCE)}, got {kind!r:.80}")
    check_keys("evidence", made["evidence"], EVIDENCE[kind])
    body = {key: value for key, value in made.items() if key != "digest"}
    if made["digest"] != hashlib.sha256(canonical(body)).hexdigest():
        raise Refused("the digest does not fit the content: a byte was changed")
    if data != canonical(made):
        raise Refused("not in canonical form: a byte was changed")
    return made


def canonical(document: dict[str, Any]) -> bytes:
    """Give the one form in which a document is written and digested."""
    return (json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n").encode("ascii")


def _refuse(reason: str) -> Callable[[str], NoReturn]:
    def refuse(literal: str) -> NoReturn:
        raise Refused(f"{literal:.80} is {reason}")

    return refuse


def _integer(literal: str) -> int:
    if len(literal.lstrip("-")) > MOST_DIGITS:
        raise Refused(f"an integer of {len(literal.lstrip('-'))} digits is longer than {MOST_DIGITS}")
    return int(literal)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = dict(pairs)
    if len(seen) < len(pairs):
        keys = [key for key, _ in pairs]
        raise Refused(f"key {next(k for k in keys if keys.count(k) > 1)!r:.80} is given twice")
    return seen


def _printable(value: Any) -> None:
    if isinstance(value, str) and not value.isprintable():
        raise Refused(f"a control character in {value!r:.80}")
    for part in (
        [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    ):
        _printable(part)


def check_keys(where: str, value: Any, *allowed: set[str]) -> None:
    """Refuse anything but an object with exactly the keys of one of the sets."""
    if not isinstance(value, dict) or value.keys() not in allowed:
        raise Refused(f"{where} must be an object with the keys {', '.join(sorted(allowed[0]))}")


def number(given: Any) -> Fraction:
    """Read an integer, 'a/b' or a hexadecimal float at its exact value."""
    if type(given) is int:
        return Fraction(given)
    text = given if isinstance(given, str) else ""
    if (ratio := RATIO.fullmatch(text)) and int(ratio[2]):
        return Fraction(int(ratio[1]), int(ratio[2]))
    if (parts := HEXADECIMAL.fullmatch(text)) and -1074 <= int(parts[4]) <= 1023:
        return Fraction(int(parts[1] + "1") * int(parts[2] + parts[3], 16)) * Fraction(2) ** (
            int(parts[4]) - 4 * len(parts[3])
        )
    raise Refused(f"{given!r:.80} is no integer, 'a/b' or hexadecimal float")


def whole(name: str, given: Any, most: int) -> int:
    """Read an integer in [0, most]."""
    if type(given) is not int or not 0 <= given <= most:
        raise Refused(f"{name} must be an integer in [0, {most}], got {given!r:.80}")
    return given


def vector(given: Any) -> list[Fraction]:
    """Read a list of 1 to 512 numbers."""
    if not isinstance(given, list) or not 0 < len(given) <= MOST_ROWS:
        raise Refused(f"a vector must be a list of 1 to {MOST_ROWS} numbers, got {given!r:.80}")
    numbers = [number(x) for x in given]
    check_common(numbers)
    return numbers


def check_common(numbers: Iterable[Fraction]) -> None:
    """Refuse numbers without a common denominator of at most 32,768 bits: adding them up could take for ever."""
    common = 1
    for x in numbers:
        common = lcm(common, x.denominator)
        if common.bit_length() > MOST_COMMON:
            raise Refused(f"numbers must have a common denominator of at most {MOST_COMMON} bits")


def matrix(side: Any) -> tuple[list[list[Fraction]], Fraction]:
    """Read {rows, radius}: the true matrix is within radius of the rows in the spectral norm."""
    check_keys("a matrix", side, {"rows", "radius"})
    if not isinstance(side["rows"], list) or not 0 < len(side["rows"]) <= MOST_ROWS:
        raise Refused(f"rows must be a list of 1 to {MOST_ROWS} vectors")
    rows, radius = [vector(row) for row in side["rows"]], number(side["radius"])
    check_common(x for row in rows for x in row)
    if radius < 0 or len({len(row) for row in rows}) != 1:
        raise Refused("a matrix must have rows of one length and a radius >= 0")
    return rows, radius


def enclosure(side: Any) -> tuple[Fraction, Fraction]:
    """Read a number, or [lower, upper]."""
    ends = [number(x) for x in side] if isinstance(side, list) else [number(side)] * 2
    if len(ends) != 2 or ends[0] > ends[1]:
        raise Refused(f"an enclosure must be two numbers in order, got {side!r:.80}")
    return ends[0], ends[1]
