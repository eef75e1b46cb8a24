"""Loewner-order questions that arrive as files: `A <= B` from JSON or .npy, read strictly, answered by the ladder.

JSON, schema "loewner-nasty/1": `K`, `Kt` (or their `factors`), `lam`, `eps` and `side` ("lo" for
(1-eps)(K+lam I) <= Kt+lam I, "up" for Kt+lam I <= (1+eps)(K+lam I)); or `x` and `w` for the Gaussian kernel and
its Fourier features on the line, which are then enclosed, not rounded. Other keys are the author's notes. A number
is an integer, "a/b" or a C99 hexadecimal float: never a decimal, which would not be the number it shows.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from reference.arithmetic import enclose
from theorems.checking.loewner import Decision, Refine, Rung, Side, decide_psd, decide_spectral
from theorems.checking.matrix_input import Floats, Rows, exact_in_range, fractions, symmetric_matrix
from theorems.statement import Answer

SCHEMA = "loewner-nasty/1"
LARGEST_JSON = 8 * 2**20
LARGEST_ARRAY = 64 * 2**20
DEEPEST = 16
MOST_DIGITS = 4000
MOST_POINTS = 512

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
Word: TypeAlias = Literal["HOLDS", "VIOLATED", "UNSURE"]
WORDS: dict[Answer, Word] = {Answer.IN: "HOLDS", Answer.OUT: "VIOLATED", Answer.UNSURE: "UNSURE"}
SIDES: dict[str, Side] = {"lo": "lower", "up": "upper"}
HEXADECIMAL = re.compile(r"([+-]?)0x([0-9a-f]{1,16})(?:\.([0-9a-f]{0,16}))?p([+-]?[0-9]{1,4})", re.ASCII)
STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)  # linear even where no JSON
RATIO = re.compile(rf"([+-]?[0-9]{{1,{MOST_DIGITS}}})(?:/([0-9]{{1,{MOST_DIGITS}}}))?", re.ASCII)


class UnreadableInput(ValueError):
    """A file that is not what it should be: one line, naming the file and the reason."""


@dataclass(frozen=True, kw_only=True)
class FileDecision:
    """The answer for one file.

    Parameters
    ----------
    file : its name as given; two names for a pair
    verdict : whether the claimed order holds
    rung, bits, witness : as in `Decision`
    """

    file: str
    verdict: Word
    rung: Rung
    bits: int
    witness: tuple[float, ...] | None


def decide_file(path: str | os.PathLike[str]) -> FileDecision:
    """Decide the inequality that a JSON file poses.

    Parameters
    ----------
    path : a file of schema "loewner-nasty/1", at most 8 MiB, nested at most 16 deep

    Raises
    ------
    UnreadableInput : the file is missing, too large, not strict JSON, or does not pose a question
    """
    name = os.fspath(path)
    try:
        question = _parse(_sized(name, LARGEST_JSON).read_bytes())
        decision = _answer(question)
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(name, error) from error
    return _file_decision(name, decision)


def decide_pair(lower_path: str | os.PathLike[str], upper_path: str | os.PathLike[str]) -> FileDecision:
    """Decide A <= B for two matrices in .npy files, each entry taken at its exact value.

    Parameters
    ----------
    lower_path, upper_path : A and B, (n, n) arrays, symmetric or Hermitian, at most 64 MiB each; never unpickled

    Raises
    ------
    UnreadableInput : a file is missing, too large, not a .npy array of numbers, or A and B do not match
    """
    names = os.fspath(lower_path), os.fspath(upper_path)
    matrices = []
    for name in names:
        try:
            matrices.append(symmetric_matrix("decide_pair", Path(name).name, _load(name)))
        except (OSError, ValueError, TypeError) as error:
            raise _unreadable(name, error) from error
    lower, upper = matrices
    if len(lower) != len(upper):
        reason = ValueError(f"sizes differ: {len(lower)} and {len(upper)} (a complex matrix counts double)")
        raise _unreadable(" <= ".join(names), reason)
    return _file_decision(" <= ".join(names), _order(lower, upper))


def _order(lower: Floats | Rows, upper: Floats | Rows) -> Decision:
    """Decide upper - lower >= 0: in floats with the rounding of the difference as radius, else exactly.

    |fl(b - a) - (b - a)| <= u |fl(b - a)| in every entry, so the spectral norm is off by at most n u max |fl(b - a)|.
    """
    if isinstance(lower, np.ndarray) and isinstance(upper, np.ndarray):
        with np.errstate(over="ignore", invalid="ignore"):
            difference = upper - lower
            radius = 2.0**-52 * len(difference) * float(np.abs(difference).max())
        if np.isfinite(radius):
            decision = decide_psd(difference, radius=radius, exact=False)
            if decision.answer != Answer.UNSURE:
                return decision
    pairs = zip(fractions(lower), fractions(upper), strict=True)
    return decide_psd([[b - a for a, b in zip(*pair, strict=True)] for pair in pairs])


def _answer(question: dict[str, Any]) -> Decision:
    if question.get("schema") != SCHEMA:
        raise ValueError(f"schema must be {SCHEMA!r}, got {question.get('schema')!r:.80}")
    side = SIDES.get(str(_need(question, "side")))
    if side is None:
        raise ValueError(f"side must be 'lo' or 'up', got {question['side']!r:.80}")
    lam = exact_in_range("file", "lam", _number(_need(question, "lam")))
    eps = exact_in_range("file", "eps", _number(_need(question, "eps")), high=1)
    if "w" in question:
        refine = _fourier_enclosure(question, lam, eps, side)
        middle, radius = refine(128)
        # a symmetric matrix with entries of at most r_ij has a spectral norm of at most its largest row sum
        return decide_psd(middle, radius=max(sum(row) for row in radius), refine=refine)
    K, Kt = (_given_matrix(question, name) for name in ("K", "Kt"))
    if question.get("n", len(K)) != len(K):
        raise ValueError(f"K must be (n, n) with n = {question['n']!r:.80}, got {len(K)} rows")
    return decide_spectral(K, Kt, lam, eps, side)


def _given_matrix(question: dict[str, Any], name: str) -> Rows:
    factors = question.get("factors", {})
    if not isinstance(factors, dict):
        raise ValueError("factors must be an object")  # noqa: TRY004  # the file is at fault, not a type
    if name not in factors:
        return _matrix(_need(question, name), name)
    given = factors[name]
    kind = given.get("kind") if isinstance(given, dict) else None
    if kind != "sum_k w_k X[:,k] X[:,k]^T":
        raise ValueError(f"factors of {name} must have kind 'sum_k w_k X[:,k] X[:,k]^T', got {kind!r:.80}")
    X, weights = _matrix(_need(given, "X"), "X"), _vector(_need(given, "w"), "w")
    if any(len(row) != len(weights) for row in X):
        raise ValueError(f"factors of {name}: X must have one column for each of the {len(weights)} weights")
    return [[sum(w * a * b for w, a, b in zip(weights, x, z, strict=True)) or Fraction(0) for z in X] for x in X]


def _fourier_enclosure(question: dict[str, Any], lam: Fraction, eps: Fraction, side: Side) -> Refine:
    """Enclose a side for k(x, z) = exp(-(x-z)^2/2) and Kt = 1/m sum_j cos(w_j (x - z)) = the features' Gram matrix."""
    for key, only in (("kernel", "exp(-(x-z)^2/2)"), ("feature", "sqrt(1/m)(cos wx, sin wx)")):
        if question.get(key) != only:
            raise ValueError(f"{key} must be {only!r}, got {question.get(key)!r:.80}")
    x, w = _vector(_need(question, "x"), "x"), _vector(_need(question, "w"), "w")
    if len(x) > MOST_POINTS:
        raise ValueError(f"x must have at most {MOST_POINTS} points, got {len(x)}")
    a = 1 - eps if side == "lower" else 1 + eps
    sign = 1 if side == "lower" else -1

    def entry(gap: Fraction, bits: int) -> tuple[Fraction, Fraction]:
        lower, upper = enclose(
            lambda t, k, *ws: sign * (sum((v * t).cos() for v in ws) / len(ws) - k * (-t * t / 2).exp()),
            gap,
            a,
            *w,
            bits=bits,
        )
        return lower, upper

    def refine(bits: int) -> tuple[Rows, Rows]:
        ends = {gap: entry(gap, bits) for gap in {abs(s - t) for s in x for t in x}}
        pairs = [[ends[abs(s - t)] for t in x] for s in x]
        middle = [[(low + high) / 2 for low, high in row] for row in pairs]
        for i, row in enumerate(middle):
            row[i] += eps * lam
        return middle, [[(high - low) / 2 for low, high in row] for row in pairs]

    return refine


def _sized(name: str, largest: int) -> Path:
    path = Path(name)
    size = path.stat().st_size
    if size > largest:
        raise ValueError(f"{size} bytes are more than {largest}")
    if not path.is_file():
        raise ValueError("not a regular file")
    return path


def _load(name: str) -> npt.NDArray[Any]:
    """Load a .npy array whose header claims no more than the file holds."""
    path = _sized(name, LARGEST_ARRAY)
    with path.open("rb") as file:
        if file.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
            raise ValueError("not a .npy array")
        file.seek(0)
        version = npy.read_magic(file)
        if version not in HEADERS:
            raise ValueError(f"a .npy array of version {version}, not 1.0 or 2.0")
        shape, _, dtype = HEADERS[version](file)
        if math.prod(shape) * dtype.itemsize > path.stat().st_size or min(shape, default=0) < 0:
            raise ValueError(f"the header claims shape {shape}, which is not what the file holds")
        file.seek(0)
        return np.asarray(np.load(file, allow_pickle=False))


def _parse(data: bytes) -> dict[str, Any]:
    """Parse strict JSON: one object, UTF-8, no duplicate keys, no NaN or Infinity, depth and digits capped."""
    text = data.decode("utf-8")
    depth = 0
    for mark in STRINGS_AND_BRACKETS.findall(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
        if depth > DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST}")
    question = json.loads(
        text,
        object_pairs_hook=_unique_keys,
        parse_constant=_refuse("not a number in JSON"),
        parse_float=_refuse("a decimal, which is not exact: write a hexadecimal float or 'a/b'"),
        parse_int=_integer,
    )
    if not isinstance(question, dict):
        raise ValueError("the file must hold one JSON object")  # noqa: TRY004  # the file is at fault
    return question


def _refuse(reason: str) -> Callable[[str], NoReturn]:
    def refuse(literal: str) -> NoReturn:
        raise ValueError(f"{literal:.80} is {reason}")

    return refuse


def _integer(literal: str) -> int:
    if len(literal) > MOST_DIGITS:
        raise ValueError(f"an integer of {len(literal)} digits is longer than {MOST_DIGITS}")
    return int(literal)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"key {key!r:.80} is given twice")
        seen[key] = value
    return seen


def _need(question: dict[str, Any], key: str) -> Any:
    if key not in question:
        raise ValueError(f"{key} is missing")
    return question[key]


def _number(given: object) -> Fraction:
    """Read an integer, 'a/b' or a hexadecimal float that is a float64, at its exact value."""
    if isinstance(given, int) and not isinstance(given, bool):
        return Fraction(given)
    text = given if isinstance(given, str) else ""
    if ratio := RATIO.fullmatch(text):
        if int(ratio[2] or 1) == 0:
            raise ValueError(f"{text:.80} divides by zero")
        return Fraction(int(ratio[1]), int(ratio[2] or 1))
    if parts := HEXADECIMAL.fullmatch(text):
        fraction = parts[3] or ""
        value = Fraction(int(parts[1] + "1") * int(parts[2] + fraction, 16)) * Fraction(2) ** (
            int(parts[4]) - 4 * len(fraction)
        )
        if abs(value) <= Fraction(sys.float_info.max) and Fraction(float(value)) == value:
            return value
        raise ValueError(f"{text:.80} is not a float64")
    raise ValueError(f"{given!r:.80} is not an integer, 'a/b' or a hexadecimal float")


def _vector(given: object, name: str) -> list[Fraction]:
    if not isinstance(given, list) or not given:
        raise ValueError(f"{name} must be a list of numbers")
    return [_number(x) for x in given]


def _matrix(given: object, name: str) -> Rows:
    if not isinstance(given, list) or not given:
        raise ValueError(f"{name} must be a list of rows")
    return [_vector(row, f"each row of {name}") for row in given]


def _unreadable(name: str, error: Exception) -> UnreadableInput:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UnreadableInput(f"{name}: {' '.join(reason.split())}")


def _file_decision(name: str, decision: Decision) -> FileDecision:
    return FileDecision(
        file=name,
        verdict=WORDS[decision.answer],
        rung=decision.rung,
        bits=decision.bits,
        witness=decision.witness,
    )
