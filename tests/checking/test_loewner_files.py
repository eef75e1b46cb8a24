"""Questions in files: the ten nasty ones answered right, and everything that is not a question refused in one line."""

from __future__ import annotations

import json
import os
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theorems.checking import loewner_files
from theorems.checking.loewner import spectral_sides
from theorems.checking.loewner_files import UnreadableInput, decide_file, decide_pair

NASTY = sorted((Path(__file__).parents[1] / "nasty").glob("*.json"))
GOOD: dict[str, Any] = {
    "schema": "loewner-nasty/1",
    "side": "lo",
    "lam": "0x1.0p-1",
    "eps": "1/4",
    "K": [[2, "1/3"], ["1/3", "0x1p+0"]],
    "Kt": [[2, "1/3"], ["1/3", 1]],
}


def write(path: Path, content: dict[str, Any] | str | bytes) -> Path:
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(call: Any, reason: str) -> str:
    with pytest.raises(UnreadableInput, match=reason) as caught:
        call()
    line = str(caught.value)
    assert "\n" not in line
    return line


# --------------------------------------------------------------------------------------------------- answers


def test_there_are_ten_nasty_files() -> None:
    assert len(NASTY) == 10


@pytest.mark.parametrize("path", NASTY, ids=lambda p: p.stem)
def test_nasty_files(path: Path) -> None:
    found = decide_file(path)
    data = json.loads(path.read_text())
    assert found.verdict == data["truth"]
    assert found.file == str(path)
    assert (found.witness is not None) == (found.verdict == "VIOLATED")
    if found.witness is not None:
        K, Kt = ([[Fraction(float.fromhex(x)) for x in row] for row in data[key]] for key in ("K", "Kt"))
        lower, _ = spectral_sides(K, Kt, float.fromhex(data["lam"]), float.fromhex(data["eps"]))
        v = [Fraction(x) for x in found.witness]
        assert sum(a * b * lower[i][j] for i, a in enumerate(v) for j, b in enumerate(v)) < 0


def test_transcendental_data_is_enclosed_not_rounded() -> None:
    found = decide_file(next(p for p in NASTY if p.stem.startswith("n14")))
    assert (found.rung, found.bits) == ("balls", 128)


def test_factors_are_what_counts(tmp_path: Path) -> None:
    data = json.loads(next(p for p in NASTY if p.stem.startswith("n10")).read_text())
    assert decide_file(write(tmp_path / "a.json", data)).verdict == "HOLDS"
    del data["factors"]
    assert decide_file(write(tmp_path / "b.json", data)).verdict == "VIOLATED"


@pytest.mark.parametrize(
    ("side", "w", "verdict"), [("lo", "0x1p+1", "VIOLATED"), ("up", "0x1p+1", "VIOLATED"), ("lo", "1", "HOLDS")]
)
def test_fourier_questions(tmp_path: Path, side: str, w: str, verdict: str) -> None:
    question = {
        "schema": "loewner-nasty/1",
        "side": side,
        "lam": "1/100" if verdict == "VIOLATED" else 10,
        "eps": "9/10",
        "kernel": "exp(-(x-z)^2/2)",
        "feature": "sqrt(1/m)(cos wx, sin wx)",
        "x": [0, 1, "5/2"],
        "w": [w],
    }
    x = np.array([0, 1, 2.5])
    gap = x[:, None] - x
    K, Kt = np.exp(-(gap**2) / 2), np.cos(float.fromhex(w) * gap)
    lam = 0.01 if verdict == "VIOLATED" else 10.0
    a = 0.1 if side == "lo" else 1.9
    M = (Kt - a * K) * (1 if side == "lo" else -1) + 0.9 * lam * np.eye(3)
    least = np.linalg.eigvalsh(M)[0]
    assert abs(least) > 1e-3  # far from rounding: floats may serve as the oracle here
    assert (least > 0) == (verdict == "HOLDS")
    assert decide_file(write(tmp_path / "f.json", question)).verdict == verdict


def test_both_sides_and_all_ways_to_write_a_number(tmp_path: Path) -> None:
    assert decide_file(write(tmp_path / "a.json", GOOD)).verdict == "HOLDS"
    assert decide_file(write(tmp_path / "b.json", {**GOOD, "side": "up"})).verdict == "HOLDS"
    assert decide_file(write(tmp_path / "c.json", {**GOOD, "side": "up", "Kt": [[9, 0], [0, 9]]})).verdict == "VIOLATED"
    assert (
        decide_file(write(tmp_path / "d.json", {**GOOD, "n": 2, "lam": "-0x0p+0"} | {"lam": "+3/7"})).verdict == "HOLDS"
    )
    exact = {**GOOD, "K": [[4]], "eps": "1/2", "lam": 1, "Kt": [["3/2"]]}
    assert decide_file(write(tmp_path / "e.json", exact)).verdict == "HOLDS"  # equality
    exact["Kt"] = [[f"{3 * 10**60 - 1}/{2 * 10**60}"]]
    assert decide_file(write(tmp_path / "f.json", exact)).verdict == "VIOLATED"


# -------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": "witness/1"}, "schema must be 'loewner-nasty/1', got 'witness/1'"),
        ({"schema": None}, "schema must be"),
        ({"side": "left"}, "side must be 'lo' or 'up', got 'left'"),
        ({"side": ...}, "side is missing"),
        ({"lam": ...}, "lam is missing"),
        ({"lam": 0}, "lam must be positive and below 2\\^1023, got lam = 0"),
        ({"lam": "-0x1p+0"}, "got lam = -1"),
        ({"eps": 1}, "eps must be positive and below 1, got eps = 1"),
        ({"K": ...}, "K is missing"),
        ({"Kt": ...}, "Kt is missing"),
        ({"K": []}, "K must be a list of rows"),
        ({"K": [2]}, "each row of K must be a list of numbers"),
        ({"K": [[]]}, "each row of K must be a list of numbers"),
        ({"K": [[1, 2], [3, 4]]}, r"K must be symmetric, got K\[1, 0\] off its mirror image by 1"),
        ({"K": [[1, 2]]}, "1 rows of other lengths"),
        ({"K": [[1]]}, "K and Kt must have one size, got 1 and 2"),
        ({"n": 3}, r"K must be \(n, n\) with n = 3, got 2 rows"),
        ({"lam": "0.5"}, "'0.5' is not an integer, 'a/b' or a hexadecimal float"),
        ({"lam": "1_000"}, "'1_000' is not"),
        ({"lam": " 1"}, "' 1' is not"),
        ({"lam": "1/0"}, "1/0 divides by zero"),
        ({"lam": "٣"}, "is not an integer"),
        ({"lam": True}, "True is not an integer"),
        ({"lam": None}, "None is not"),
        ({"lam": ["1"]}, "is not an integer"),
        ({"lam": "0x1.8"}, "'0x1.8' is not"),
        ({"lam": "0x.8p+0"}, "is not"),
        ({"lam": "0X1P+0"}, "is not"),
        ({"lam": "0x1.8p+9999"}, "0x1.8p\\+9999 is not a float64"),
        ({"lam": "0x1p-1075"}, "is not a float64"),
        ({"lam": "0x1.ffffffffffffffp+1023"}, "is not a float64"),
        ({"lam": "0x1.00000000000001p+0"}, "is not a float64"),
        ({"lam": "1" * 4001}, "is not an integer"),
        ({"factors": 3}, "factors must be an object"),
        ({"factors": {"K": 3}}, "factors of K must have kind 'sum_k"),
        ({"factors": {"Kt": {"kind": "other"}}}, "factors of Kt must have kind .*, got 'other'"),
        ({"factors": {"K": {"kind": "sum_k w_k X[:,k] X[:,k]^T", "X": [[1]]}}}, "w is missing"),
        (
            {"factors": {"K": {"kind": "sum_k w_k X[:,k] X[:,k]^T", "X": [[1], [1, 2]], "w": [1, 2]}}},
            "X must have one column for each of the 2 weights",
        ),
        ({"w": [1]}, r"kernel must be 'exp\(-\(x-z\)\^2/2\)', got None"),
        ({"w": [1], "kernel": "exp(-(x-z)^2/2)", "feature": "sin"}, "feature must be .*, got 'sin'"),
        (
            {"w": [1], "kernel": "exp(-(x-z)^2/2)", "feature": "sqrt(1/m)(cos wx, sin wx)"},
            "x is missing",
        ),
        (
            {"w": [1], "kernel": "exp(-(x-z)^2/2)", "feature": "sqrt(1/m)(cos wx, sin wx)", "x": [0] * 513},
            "x must have at most 512 points, got 513",
        ),
    ],
)
def test_files_that_pose_no_question(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    question = {key: value for key, value in {**GOOD, **change}.items() if value is not ...}
    path = write(tmp_path / "q.json", question)
    assert refused(lambda: decide_file(path), reason).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b"[]", "must hold one JSON object"),
        (b"\xff{}", "codec can't decode"),
        (b'{"lam": 1, "lam": -1}', "key 'lam' is given twice"),
        (b'{"a": {"b": 1, "b": 1}}', "key 'b' is given twice"),
        (b'{"lam": NaN}', "NaN is not a number in JSON"),
        (b'{"lam": -Infinity}', "-Infinity is not a number"),
        (b'{"lam": 0.5}', "0.5 is a decimal, which is not exact"),
        (b'{"lam": 1e999}', "1e999 is a decimal"),
        (b'{"lam": ' + b"9" * 4001 + b"}", "an integer of 4001 digits is longer than 4000"),
        (b"[" * 17, "nested deeper than 16"),
        (b"[" * 100_000, "nested deeper than 16"),
        (b'{"a":' * 17, "nested deeper than 16"),
        (b'"\\', "Unterminated|Invalid"),
        (b'{"a": 1} x', "Extra data"),
    ],
)
def test_files_that_are_no_strict_json(tmp_path: Path, content: bytes, reason: str) -> None:
    path = write(tmp_path / "q.json", content)
    refused(lambda: decide_file(path), reason)


def test_depth_counts_structure_not_text(tmp_path: Path) -> None:
    text = json.dumps({**GOOD, "why": 'brackets [[[[[[[[[[[[[[[[[[ in "words" \\'})
    assert decide_file(write(tmp_path / "q.json", text)).verdict == "HOLDS"
    deep = json.dumps({**GOOD, "note": json.loads("[" * 15 + "]" * 15)})
    assert decide_file(write(tmp_path / "r.json", deep)).verdict == "HOLDS"


def test_a_hostile_string_is_scanned_in_linear_time(tmp_path: Path) -> None:
    """Quadratic scanning of 2 MiB would not end within any test run."""
    path = write(tmp_path / "q.json", b'"' + b'\\"' * 2**20)
    refused(lambda: decide_file(path), "Unterminated")
    keys = ",".join(f'"{k}":0' for k in range(200_000))
    path = write(tmp_path / "r.json", f"{{{keys}}}")
    refused(lambda: decide_file(path), "schema must be")


def test_sizes_are_checked_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(2**33)
    refused(lambda: decide_file(path), f"{2**33} bytes are more than {8 * 2**20}")
    refused(lambda: decide_pair(path, path), f"{2**33} bytes are more than {64 * 2**20}")


def test_what_is_no_file(tmp_path: Path) -> None:
    refused(lambda: decide_file(tmp_path / "none.json"), r"none\.json: No such file")
    refused(lambda: decide_file(tmp_path), "not a regular file")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    refused(lambda: decide_file(fifo), "not a regular file")
    refused(lambda: decide_pair(fifo, fifo), "not a regular file")
    refused(lambda: decide_file("a\0b"), "null")


# ----------------------------------------------------------------------------------------------------- pairs


def save(path: Path, array: Any) -> Path:
    np.save(path, array, allow_pickle=True)
    return path


def pair(tmp_path: Path, A: Any, B: Any) -> Any:
    return decide_pair(save(tmp_path / "a.npy", A), save(tmp_path / "b.npy", B))


def test_pairs(tmp_path: Path) -> None:
    A = np.array([[1.0, 0.5], [0.5, 1.0]])
    found = pair(tmp_path, A, A + np.eye(2))
    assert (found.verdict, found.rung) == ("HOLDS", "shifted Cholesky")
    assert found.file == f"{tmp_path / 'a.npy'} <= {tmp_path / 'b.npy'}"
    violated = pair(tmp_path, A + np.eye(2), A)
    assert violated.verdict == "VIOLATED"
    assert violated.witness is not None
    assert pair(tmp_path, A, A).verdict == "HOLDS"
    assert pair(tmp_path, A, A).rung == "characteristic polynomial"
    assert pair(tmp_path, A.astype(np.float32), A + np.eye(2)).verdict == "HOLDS"
    assert pair(tmp_path, 1j * np.array([[0, 1], [-1, 0]]), 2 * np.eye(2, dtype=complex)).verdict == "HOLDS"
    assert pair(tmp_path, 1j * np.array([[0, 2], [-2, 0]]), np.eye(2, dtype=complex)).verdict == "VIOLATED"


def test_pairs_whose_difference_rounds(tmp_path: Path) -> None:
    """fl(1 - 2^-60) = 1 and fl(1e308 + 1e308) = inf: the difference is taken exactly where it matters."""
    assert pair(tmp_path, [[2.0**-60]], [[1.0]]).verdict == "HOLDS"
    A, B = np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([[2.0, 2.0 + 2.0**-51], [2.0 + 2.0**-51, 2.0]])
    A[0, 0] = 2.0**-60
    B[0, 0] = 1 + 2.0**-51
    exact = [
        [Fraction(b) - Fraction(a) for a, b in zip(*r, strict=True)] for r in zip(A.tolist(), B.tolist(), strict=True)
    ]
    det = exact[0][0] * exact[1][1] - exact[0][1] ** 2
    assert pair(tmp_path, A, B).verdict == ("HOLDS" if det >= 0 else "VIOLATED")
    assert pair(tmp_path, [[-1.5e308]], [[1.5e308]]).verdict == "HOLDS"
    assert pair(tmp_path, [[1.5e308]], [[-1.5e308]]).verdict == "VIOLATED"


@pytest.mark.parametrize("scale", [1e-200, 1e-300, 1e300])
def test_pairs_at_any_scale(tmp_path: Path, scale: float) -> None:
    """The rounding of a difference is bounded from its largest entry, whose square would underflow."""
    A = scale * np.array([[0.1, 0.3], [0.3, 0.7]])
    B = scale * np.array([[0.4, 0.9], [0.9, 1.9]])
    exact = [
        [Fraction(b) - Fraction(a) for a, b in zip(*r, strict=True)] for r in zip(A.tolist(), B.tolist(), strict=True)
    ]
    holds = exact[0][0] * exact[1][1] >= exact[0][1] ** 2
    assert pair(tmp_path, A, B).verdict == ("HOLDS" if holds else "VIOLATED")


def test_large_integers_in_pairs(tmp_path: Path) -> None:
    assert pair(tmp_path, np.array([[2**63 - 1]]), np.array([[2**63]], dtype=np.uint64)).verdict == "HOLDS"
    assert pair(tmp_path, np.array([[2**63]], dtype=np.uint64), np.array([[2**63 - 1]])).verdict == "VIOLATED"


def test_bad_pairs(tmp_path: Path) -> None:
    one = np.eye(1)
    refused(lambda: pair(tmp_path, one, np.eye(2)), r"a\.npy <= .*b\.npy: sizes differ: 1 and 2")
    refused(lambda: pair(tmp_path, np.array([[np.nan]]), one), r"a\.npy must be finite and symmetric .*\[0, 0\] = nan")
    refused(lambda: pair(tmp_path, one, np.array([[1.0, 2.0], [0.0, 1.0]])), r"b\.npy.* off its mirror image by 2")
    refused(lambda: pair(tmp_path, one, np.array([[Fraction(1)]], dtype=object)), "Object arrays cannot be loaded")
    refused(lambda: pair(tmp_path, one, np.array([[True]])), "got dtype bool")
    refused(lambda: pair(tmp_path, one, np.zeros((0, 0))), "b.npy")
    refused(lambda: pair(tmp_path, one, np.zeros(3)), r"got shape \(3,\)")
    good = save(tmp_path / "a.npy", one)
    archive = tmp_path / "archive.npz"
    np.savez(archive, one)
    for content in (b"", b"PK\3\4 no archive", b"\x80\x04N.", archive.read_bytes(), b"\x93NUMP"):
        refused(lambda c=content: decide_pair(good, write(tmp_path / "c.npy", c)), r"c\.npy: not a \.npy array")
    whole = save(tmp_path / "d.npy", np.eye(8)).read_bytes()
    for version, reason in ((b"\3", r"version \(3, 0\), not 1.0 or 2.0"), (b"\7", "version")):
        path = write(tmp_path / "c.npy", whole[:6] + version + whole[7:])
        refused(lambda p=path: decide_pair(good, p), reason)
    for content in (
        whole[:100],
        whole[:-8],
        whole[:7],
        whole.replace(b"(8, 8)", b"(8, 9)"),
        whole.replace(b"'<f8'", b"'<x8'"),
    ):
        refused(lambda c=content: decide_pair(good, write(tmp_path / "c.npy", c)), r"c\.npy: ")


def test_a_header_cannot_claim_more_than_the_file_holds(tmp_path: Path) -> None:
    whole = save(tmp_path / "d.npy", np.eye(8)).read_bytes()
    start = whole.index(b"(8, 8), }")
    for shape in (
        b"(999999999, 999999999), }",
        b"(9, 10**9), }",
        b"(9223372036854775807, 9), }",
        b"(-8, -8), }",
        b"(2305843009213693952, 8), }",
    ):
        claim = whole[:start] + shape + whole[start + len(shape) :]
        path = write(tmp_path / "c.npy", claim)
        refused(lambda p=path: decide_pair(p, p), r"c\.npy: ")


def test_the_words_cover_every_answer() -> None:
    assert sorted(loewner_files.WORDS.values()) == ["HOLDS", "UNSURE", "VIOLATED"]
    assert re.fullmatch(r"loewner-nasty/\d+", loewner_files.SCHEMA)
