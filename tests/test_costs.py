# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from theorems import costs
from theorems.costs import MOST_DRAWS, MOST_OPERATIONS, MOST_PROPOSALS, cost, free_memory, require_affordable
from theorems.glss.sampling_constructions import STREAMED_BATCH, construct
from theorems.glss.sampling_instances import CellWorld, FourierData, TangentData
from theorems.glss.sampling_recipe import PAPER
from theorems.statement import HypothesisNotMet

NUMBERS = {"name": "x", "says": "x", "lam": Fraction(1, 2), "eps": Fraction(2, 5), "delta": Fraction(1, 10)}


def made(kind, n, d):
    X = np.random.default_rng([n, d]).standard_normal((n, d))
    X /= np.linalg.norm(X, axis=1)[:, None]
    if kind == "fourier":
        return FourierData(**NUMBERS, X=X, sigma=1.0)
    return (CellWorld if kind == "cells" else TangentData)(**NUMBERS, X=X)


@pytest.mark.parametrize(
    ("kind", "n", "d", "m", "trials"),
    [
        ("tangent", 8, 3, 200_000, 1),
        ("tangent", 8, 20, 50_000, 1),
        ("tangent", 48, 4, 500, STREAMED_BATCH),
        ("fourier", 8, 1, 200_000, 1),
        ("fourier", 4, 2, 200_000, 1),
        ("fourier", 8, 5, 100_000, 1),
        ("cells", 24, 2, 10**12, 256),
    ],
)
def test_the_estimate_is_enough_and_not_ten_times_too_much(kind, n, d, m, trials):
    x = made(kind, n, d)
    tracemalloc.start()
    try:
        construct(x, m, PAPER).draw(np.random.default_rng(0), trials)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= cost(kind, n, d, m).bytes <= 10 * peak


def test_draws_cost_memory_where_they_are_streamed_and_none_where_they_are_counted():
    assert cost("cells", 16, 2, 10**15) == cost("cells", 16, 2, 1)
    few, many = cost("tangent", 16, 5, 10**6), cost("tangent", 16, 5, 10**9)
    assert many.bytes > 900 * (few.bytes - cost("tangent", 16, 5, 0).bytes)
    assert cost("tangent", 16, 5, 10**6, proposals=100.0).operations > 20 * few.operations


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"m": MOST_DRAWS + 1}, ["8 rows ask for m = 9,223,372,036,854,775,808 draws", "below 2^63"]),
        ({"m": 10**10}, ["8 rows ask for m = 10,000,000,000 draws", "bytes", "the 16,000,000,000 that are free"]),
        ({"n": 4096, "m": 0}, ["X: 4096 rows, about", "bytes"]),
        ({"m": 10**7, "d": 2, "n": 500, "proposals": 9e3}, ["operations", f"at most {MOST_OPERATIONS:.2g}"]),
        ({"m": 10, "proposals": MOST_PROPOSALS + 1.0}, ["16,385 proposals", "larger --lam"]),
    ],
)
def test_what_is_too_much_is_refused_by_name(monkeypatch, asked, words):
    monkeypatch.setattr(costs, "free_memory", lambda: 16 * 10**9)
    with pytest.raises(HypothesisNotMet) as error:
        require_affordable("X", "tangent", **{"n": 8, "d": 2} | asked)
    for word in words:
        assert word in str(error.value)


def test_what_is_affordable_is_not_refused(monkeypatch):
    monkeypatch.setattr(costs, "free_memory", lambda: 16 * 10**9)
    require_affordable("X", "tangent", 1000, 20, 10_000)
    require_affordable("X", "cells", 64, 2, MOST_DRAWS)


def test_memory_is_what_the_system_has():
    assert free_memory() > 2**20


@pytest.mark.parametrize(
    ("said", "free"),
    [
        ({"meminfo": "MemTotal: 9 kB\nMemAvailable: 3 kB\n"}, 3072),
        ({"meminfo": "MemAvailable: 3 kB\n", "memory.max": "max\n", "memory.current": "1000\n"}, 3072),
        ({"meminfo": "MemAvailable: 3 kB\n", "memory.max": "2000\n", "memory.current": "500\n"}, 1500),
        ({"meminfo": "MemAvailable: 3 kB\n", "memory.max": "20\n", "memory.current": "500\n"}, 0),
    ],
)
def test_memory_ends_with_the_container(monkeypatch, said, free):
    monkeypatch.setattr(costs, "_text", lambda path: said.get(path.rsplit("/", 1)[-1], ""))
    assert free_memory() == free


def test_a_system_that_says_nothing_is_believed_in_full(monkeypatch):
    monkeypatch.setattr(costs, "Path", lambda path: Path("/nowhere"))
    assert free_memory() > 2**20
