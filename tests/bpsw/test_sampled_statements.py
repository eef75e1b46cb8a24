"""Statements about probabilities and growth: verdicts, sizes and constants by other routes, every mistake refuted."""

from dataclasses import replace
from fractions import Fraction
from math import exp, log, sqrt

import numpy as np
import pytest

from reference.gauss_newton import exact_step
from reports.mathematics import pieces
from theorems.bpsw import (
    contraction_against_width,
    cost_of_a_step,
    growth,
    halving_every_step,
    sketch_distortion,
    steps_against_data,
)
from theorems.bpsw.halving_every_step import LOUD, ONE_STEP, POINT, constants, largest_ratio, needed, problem
from theorems.bpsw.sketch_distortion import EIGHT, SIXTEEN, TROPP, asked, random_network, tropp
from theorems.bpsw.training_runs import rule
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.events import answers
from theorems.checking.store import Store
from theorems.statement import Answer, Finding, HighProbability

STATEMENTS = [
    module.STATEMENT
    for module in (
        sketch_distortion,
        halving_every_step,
        cost_of_a_step,
        contraction_against_width,
        steps_against_data,
    )
]
SITTING = Sitting(seed=1, campaign=1, budget=512)
OWN = [(s, x) for s in STATEMENTS for x in s.instances("quick")]
TWINS = [(s, t) for s in STATEMENTS for t in s.twins]


@pytest.mark.parametrize(("s", "x"), OWN, ids=[f"{s.id}-{x.name}" for s, x in OWN])
def test_every_quick_instance_is_supported(s, x):
    assert s.violated(x) == []
    with Store.memory() as store:
        record = hear(s, x, place=1, nth=1, sitting=SITTING, store=store)
    assert record.verdict == Finding.SUPPORTED, (record.because, record.layers)


@pytest.mark.parametrize(("s", "t"), TWINS, ids=[f"{s.id}-{t.name}" for s, t in TWINS])
def test_every_mistake_is_refuted(s, t):
    assert s.violated(t.refuted_on, without=t.without) == []
    assert not t.without or s.violated(t.refuted_on)
    with Store.memory() as store:
        record = hear_twin(s, t, place=1, nth=1, sitting=SITTING, store=store)
    assert record.verdict == Finding.REFUTED, (record.because, record.layers)


@pytest.mark.parametrize("s", STATEMENTS, ids=lambda s: s.id)
def test_profiles_grow_and_meet_the_hypotheses(s):
    names = [[x.name for x in s.instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2][: len(names[1])] == names[1]
    assert [s.violated(x) for x in s.instances("night") if s.violated(x)] == []
    assert pieces(s.says)
    assert len(s.twins) >= 3
    assert not (s.constant == "hidden" and isinstance(s.conclusion, HighProbability))


# ---------------------------------------------------------------------------------------------- distortion


def test_the_size_of_the_catalogue():
    x = replace(SIXTEEN, W=np.ones((1024, 8)))  # N = 8192
    low, high = asked(tropp, x)
    assert float(low) == pytest.approx(4 * (4 + sqrt(8 * log(16 * 8192))) ** 2 * log(16), rel=1e-12)
    assert 2084 < low <= high < 2085


def test_the_two_tails_of_the_proof_are_below_one_over_n():
    a, b = 5 / 6, 7 / 6
    below = 4 * log(exp(-a) / (1 - a) ** (1 - a))
    above = 4 * log(exp(b) / (1 + b) ** (1 + b))
    assert below == pytest.approx(-2.138, abs=1e-3)
    assert above == pytest.approx(-2.034, abs=1e-3)
    assert float(TROPP[0]) < sqrt(1 - a)
    assert sqrt(1 + b) < float(TROPP[1])


@pytest.mark.parametrize("s", [8, 24, 40, 1127])
def test_the_event_is_that_of_the_singular_values(s):
    construction = sketch_distortion.STATEMENT.conclusion.construction(EIGHT, s)
    drawn = construction.draw(np.random.default_rng(s), 8)
    G = drawn.K / float((TROPP[0] ** 2 + TROPP[1] ** 2) / 2)
    root = np.linalg.cholesky(G)
    found = answers(drawn)
    for M, answer in zip(drawn.Kt, found, strict=True):
        half = np.linalg.solve(root, np.linalg.solve(root, M).T)
        sigma = np.sqrt(np.linalg.eigvalsh((half + half.T) / 2).clip(0))
        inside = sigma[0] >= 0.40 and sigma[-1] <= 1.48
        assert answer == (Answer.IN if inside else Answer.OUT)


def test_the_error_of_a_sketched_gram_matrix_is_bounded():
    """In longdouble from the same draw: the stated radius covers the difference."""
    x = random_network(4, 3, 8)
    construction = sketch_distortion.STATEMENT.conclusion.construction(x, 16)
    drawn = construction.draw(np.random.default_rng(3), 1)
    S = sketch_distortion.SRHT.draw(8, 3, 16, np.random.default_rng(3))
    seen = (x.X @ x.W.T >= 0).astype(np.longdouble)
    J = (seen * x.a.astype(np.longdouble) / np.sqrt(np.longdouble(8)))[:, :, None] * x.X.astype(np.longdouble)[:, None]
    padded = np.zeros((4, 32), dtype=np.longdouble)
    padded[:, :24] = (J * S.flips).reshape(4, -1)
    H = np.array([[(-1) ** (p & q).bit_count() for q in range(32)] for p in S.sample], dtype=np.longdouble)
    B = H @ padded.T / 4
    assert np.linalg.norm((B.T @ B - drawn.Kt[0]).astype(float), 2) <= drawn.Kt_radius[0]


def test_networks_outside_the_theorem_are_named():
    violated = sketch_distortion.STATEMENT.violated
    assert "n must be at least 4, got n = 3: 3 / n promises nothing" in violated(random_network(3, 4, 512))
    assert any("the size must be at most N = 64" in fault for fault in violated(random_network(4, 4, 16)))
    twice = replace(EIGHT, X=np.ones((8, 4)) / 2)
    assert any(fault.startswith("J must have independent rows") for fault in violated(twice))


# -------------------------------------------------------------------------------------------------- halving


def test_the_width_by_hand():
    """n = 1: Lambda_0 = 1/2, ||X|| = 1, the conditions in plain floats."""
    e, delta = 1 / 20, 1 / 2
    B = 1 + sqrt(2 * log(12 / delta))
    radius = 4 * (1 + e) * B / 0.5
    conditions = {
        "outputs": sqrt(16 * log(6 / delta)),
        "kernel": (sqrt(log(6 / delta) / 2) + 2 * radius) / 0.25,
        "counts": log(3 / delta) / (0.635 * radius),
        "halving": 4 * (1 + e) * radius / 0.5 / (0.5 - e),
    }
    found = constants(POINT)
    for name, value in conditions.items():
        assert float(found[name][1]) == pytest.approx(value, rel=1e-9)
    assert float(needed(POINT)[1]) == pytest.approx(max(conditions.values()) ** 2, rel=1e-9)


def test_at_the_width_asked_the_promised_factor_is_one_half():
    for x in (POINT, problem("two", "two", np.eye(2), [1, -1], eps0=Fraction(1, 7))):
        found, m = constants(x), needed(x)[1]
        n = len(x.X)
        R = float(found["radius"][1]) / sqrt(m)
        factor = float(x.eps0) + 4 * sqrt(n) * (1 + float(x.eps0)) * R / 0.5
        assert factor <= 0.5 + 1e-9


def test_the_ratio_of_a_run_is_enclosed():
    low, high = largest_ratio(ONE_STEP, 4096, lambda _x, _rng: exact_step, np.random.default_rng(1))
    assert 0 <= low <= high < Fraction(1, 2)
    assert high - low < Fraction(1, 10**6)
    short = largest_ratio(ONE_STEP, 4096, lambda x, rng: rule("too short", x.eps0, rng), np.random.default_rng(1))
    assert float(short[0]) == pytest.approx(0.05, abs=0.03)


def test_problems_outside_the_theorem_are_named():
    violated = halving_every_step.STATEMENT.violated
    assert violated(LOUD) == ["labels must lie in [-1, 1], got |y| = 1e+06"]
    assert violated(replace(POINT, eps0=Fraction(1, 2))) == ["eps0 must lie in [0, 1/2), got eps0 = 1/2"]
    assert violated(replace(POINT, X=np.array([[1.5]])))[0].startswith("rows must have length at most 1")
    parallel = problem("parallel", "parallel", [[1, 0], [1, 0]], [1, -1])
    assert any(fault.startswith("Lambda_0 must be positive") for fault in violated(parallel))


# --------------------------------------------------------------------------------------------------- growth


def test_local_slopes_of_a_power():
    slope = growth.of_counts((1, 2, 4, 8, 32), (3, 12, 48, 192, 3072), Fraction(2))
    assert (slope.lower, slope.upper, slope.points) == (pytest.approx(2), pytest.approx(2), 5)
    assert slope.decades == pytest.approx(log(32) / log(10))


def test_fitted_slopes_of_repetitions():
    slope = growth.of_repetitions(
        (1, 2, 4, 8, 32), lambda size, k: 7.0 * size ** (0.5 + k / 10), 3, Fraction(1, 2), Fraction(1, 4)
    )
    assert (slope.lower, slope.upper) == (pytest.approx(0.5), pytest.approx(0.7))


def test_a_short_range_is_named():
    fault = growth.WIDE_RANGE.holds(replace(cost_of_a_step.DENSE_N, sizes=(4, 8, 16, 32, 64)))
    assert "increasing from s to at least 32 s" in fault


def test_closed_forms_of_the_counts():
    n, m, d = 16, 1024, 8
    dense = cost_of_a_step.operations(cost_of_a_step.DENSE_N, n)
    assert dense["gram"] == m * d * n * (n + 1) // 2
    sketched = cost_of_a_step.operations(cost_of_a_step.SKETCHED_M, m)
    assert sketched["transform"] == n * (m * 10 + d * 3)
    s = 8 * n
    assert sketched["qr"] == sum((s - j) * (2 * (n - j) - 1) for j in range(n))
    assert sketched["iterations"] >= 10 * 2 * n * m * d


def test_families_outside_the_hypotheses_are_named():
    late = replace(cost_of_a_step.SKETCHED_N, m=256)
    assert "n^3 must be at most n m d for a sketched step, got n = 64 and m d = 2048" in (
        cost_of_a_step.STATEMENT.violated(late)
    )
    few = replace(steps_against_data.EXACT, m=8)
    assert steps_against_data.STATEMENT.violated(few) == ["m d must be at least 2 n, got m d = 128, n = 128"]
    loud = replace(contraction_against_width.QUICK, scale=Fraction(3))
    assert contraction_against_width.STATEMENT.violated(loud) == ["labels must lie in [-1, 1], got scale 3"]


def test_starts_differ_and_data_do_not_while_the_width_grows():
    x = contraction_against_width.QUICK
    first, second = (x.problem(256, k) for k in (0, 1))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[2], second[2])
    grown = steps_against_data.EXACT
    assert not np.array_equal(grown.problem(8, 0)[0], grown.problem(8, 1)[0])
