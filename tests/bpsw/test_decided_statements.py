"""Statements that are decided on each instance: drawn and catalogued ones, false neighbours, and other routes."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.gauss_newton import exact_step, gradient_step, train
from reference.jacobian import jacobian
from reference.preconditions import exact_rows
from reference.sketched_solver import richardson
from reference.two_layer import outputs
from reports.mathematics import pieces
from theorems.bpsw import (
    gauss_newton_step,
    halving_as_printed,
    iteration_rates,
    jacobian_structure,
    preconditioner_condition,
    residual_after_a_step,
    sketch_of_kronecker_rows,
)
from theorems.bpsw.bpsw_instances import (
    FEW_ROWS,
    PLANE,
    POINT,
    SPACE,
    exact_network,
    random_system,
    sketched_instances,
)
from theorems.bpsw.halving_as_printed import DELTA, ONE, failure, label, reach, ties, width
from theorems.bpsw.residual_after_a_step import EXACT, LOUD, NARROW, a_run, at_start, crossings, left_over
from theorems.bpsw.sketch_of_kronecker_rows import PADDED, SYMMETRIC
from theorems.bpsw.training_runs import gaussian_start, norm, output_error, rule, watched, weight_error
from theorems.checking.claims import decide
from theorems.statement import Answer, Finding

STATEMENTS = [
    module.STATEMENT
    for module in (
        jacobian_structure,
        gauss_newton_step,
        sketch_of_kronecker_rows,
        preconditioner_condition,
        iteration_rates,
        residual_after_a_step,
        halving_as_printed,
    )
]
each = pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.id)


def answers(conclusion, x):
    return {decide(claim).answer for claim in conclusion.claims(x)}


@pytest.mark.parametrize("statement", [s for s in STATEMENTS if s.strategy], ids=lambda s: s.id)
@settings(max_examples=20)
@given(data=st.data())
def test_a_drawn_instance_meets_the_hypotheses_and_every_claim(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    assert answers(statement.conclusion, x) == {Answer.IN}


@each
def test_every_catalogued_instance_is_decided_as_declared(statement):
    for x in statement.instances("quick"):
        assert statement.violated(x) == []
        expected = Answer.IN if statement.expected is Finding.SUPPORTED else Answer.OUT
        assert answers(statement.conclusion, x) == {expected}, x.name


@each
def test_every_twin_is_false_on_an_instance_that_keeps_what_it_does_not_drop(statement):
    assert len(statement.twins) >= 3
    for twin in statement.twins:
        assert statement.violated(twin.refuted_on, without=twin.without) == []
        assert not twin.without or statement.violated(twin.refuted_on)
        assert Answer.OUT in answers(twin.conclusion, twin.refuted_on), twin.name


@each
def test_profiles_grow_and_the_formula_can_be_drawn(statement):
    names = [[x.name for x in statement.instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2][: len(names[1])] == names[1]
    assert pieces(statement.says)
    assert statement.recalled


# ------------------------------------------------------------------------------------------- Jacobian, step


def test_the_jacobian_of_a_point_by_hand():
    assert POINT.J.tolist() == [[Fraction(-3, 2)]]
    assert [[Fraction(9, 4)]] == POINT.G


@pytest.mark.parametrize("x", [PLANE, SPACE], ids=lambda x: x.name)
def test_the_exact_jacobian_is_that_of_the_running_code(x):
    W, a, X = (np.array(v, dtype=float) for v in (x.W, x.a, x.X))
    dense = jacobian(W, a, X).part(slice(None), slice(None)).reshape(len(X), -1)
    assert x.J.astype(float) == pytest.approx(dense, abs=1e-15)


@pytest.mark.parametrize("x", [PLANE, SPACE], ids=lambda x: x.name)
def test_the_step_is_that_of_least_squares(x):
    J, r = x.J.astype(float), np.array(x.r, dtype=float)
    D = gauss_newton_step.move(x, gauss_newton_step.coefficients(x)).astype(float)
    assert pytest.approx(np.linalg.lstsq(J, r, rcond=None)[0], abs=1e-12) == D


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"X": [[1, 0], [2, 0], [-1, 1]]}, "G = J J^T must be positive definite, got rank 1 of 3"),
        ({"X": [[1, 0], [0, 0], [-1, 1]]}, "no neuron may lie on a kink of a point, got w_0"),
        ({"a": [1, -1, 2, 1]}, "a must hold signs, got ['1', '-1', '2', '1']"),
    ],
)
def test_networks_outside_the_hypotheses_are_named(change, fault):
    given_ = {"X": PLANE.X, "W": PLANE.W, "a": PLANE.a, "r": PLANE.r} | change
    x = exact_network("broken", "broken", **given_)
    assert fault in gauss_newton_step.STATEMENT.violated(x)


# ----------------------------------------------------------------------------------------------- sketches


def test_all_draws_are_listed():
    draws = list(sketch_of_kronecker_rows.every_draw(PADDED))
    assert len(draws) == 2**5 * 4 * 2
    assert (
        len({(*S.neuron_flips, *S.coordinate_flips, S.neuron_sample[0], S.coordinate_sample[0]) for S in draws}) == 256
    )


def test_the_mean_over_fresh_draws_agrees_with_the_listed_one():
    """Four independent rows in place of one row four times: the mean is the same, the spread smaller."""
    rng, v = np.random.default_rng(5), np.array(SYMMETRIC.v, dtype=float)
    kind = sketch_of_kronecker_rows.TensorSRHT
    lengths = [np.square(kind.draw(2, 2, 4, rng).times(v)).sum() for _ in range(4000)]
    # ||S v||^2 <= (sum |v|)^2 = 36: a mean of 4000 is within 6 standard deviations of at most 18 but for p < 1e-8
    assert abs(np.mean(lengths) - np.square(v).sum()) <= 6 * 18 / np.sqrt(4000)


@pytest.mark.parametrize("x", [FEW_ROWS, sketched_instances("quick")[2]], ids=lambda x: x.name)
def test_the_distortion_is_that_of_the_singular_values_on_the_range(x):
    m, d = x.W.shape
    J = x.jacobian.part(slice(None), slice(None)).reshape(len(x.X), -1)
    basis = np.linalg.qr(J.T)[0]  # (m d, n)
    S = np.array([x.drawn.times(e.reshape(m, d)) for e in np.eye(m * d)]).T if x.sketch != "CountSketch" else None
    sigma = np.linalg.svd(S @ basis, compute_uv=False)
    assert float(x.distortion) == pytest.approx(np.abs(sigma - 1).max(), rel=1e-5)
    assert float(x.distortion) > np.abs(sigma - 1).max()


def test_sizes_that_would_be_rounded_are_refused():
    x = sketched_instances("quick")[0]
    violated = preconditioner_condition.STATEMENT.violated
    assert violated(replace(x, s=32)) == ["s must be a power of 4 up to 2^14, got s = 32"]
    assert violated(replace(x, X=x.X + 2.0**-20)) == ["X must hold multiples of 2^-14 up to 4"]
    assert "s must be at least n = 8, got s = 4" in preconditioner_condition.ENOUGH_ROWS.holds(replace(x, s=4))
    assert "must distort lengths by less than 1" in preconditioner_condition.DISTORTS.holds(
        random_system(16, 8, 256, "TensorSRHT", 16)
    )


# --------------------------------------------------------------------------------------------- iterations


def test_rates_at_a_tenth():
    rates, e = iteration_rates.Rates(), Fraction(1, 10)
    assert float(rates.unit(e)) == pytest.approx(0.235, abs=5e-4)
    k = ((1 + e) / (1 - e)) ** 2
    assert rates.best(e) == (k - 1) / (k + 1)
    assert rates.conjugate(e) == ((1 + e) / (1 - e) - 1) / ((1 + e) / (1 - e) + 1)
    assert iteration_rates.predicted(e, (Fraction(1), Fraction(1)), Fraction(15, 10**5)) == 4


def test_the_exact_iteration_is_that_of_the_running_code():
    x = sketched_instances("quick")[1]
    step = iteration_rates.best_step(x.distortion)
    squares = iteration_rates.squares_of_residuals(x, step)
    run = richardson(x.jacobian, x.r, x.preconditioner, step=float(step), accuracy=1e-5, at_most=100)
    G, T = np.array(x.G, dtype=float), x.preconditioner.triangle
    for k, g in enumerate(run.iterates[:4]):
        assert np.linalg.norm(np.linalg.solve(T.T, x.r - G @ g)) ** 2 == pytest.approx(float(squares[k]), rel=1e-9)


# --------------------------------------------------------------------------------------------------- steps


def exactly(W, a, X, square_root_of_m):
    """Give f in rationals."""
    rows = exact_rows(W)
    return [
        sum(
            (Fraction(float(s)) * max(sum(p * q for p, q in zip(w, x, strict=True)), Fraction(0)))
            for w, s in zip(rows, a, strict=True)
        )
        / square_root_of_m
        for x in exact_rows(X)
    ]


def test_enclosures_of_the_residuals_hold_the_exact_ones():
    """In rationals from the weights on: f(W - J^T g) - y, with J^T g exact too."""
    x = a_run("small", "small", 3, 2, 64)
    for step in x.taken:
        f = exactly(step.before, x.a, x.X, 8)
        X, g = exact_rows(x.X), [Fraction(float(v)) for v in step.g]
        moved = []
        for w, s in zip(exact_rows(step.before), x.a, strict=True):
            seen = [sum(p * q for p, q in zip(w, u, strict=True)) >= 0 for u in X]
            pull = [sum((v * u[k] for v, u, b in zip(g, X, seen, strict=True) if b), Fraction(0)) for k in range(2)]
            moved.append([p - Fraction(float(s)) / 8 * q for p, q in zip(w, pull, strict=True)])
        after = [
            sum(
                Fraction(float(s)) * max(sum(p * q for p, q in zip(w, u, strict=True)), Fraction(0))
                for w, s in zip(moved, x.a, strict=True)
            )
            / 8
            for u in X
        ]
        for values, (low, high) in ((f, at_start(x, step)), (after, left_over(x, step))):
            square = sum((v - Fraction(float(y))) ** 2 for v, y in zip(values, x.y, strict=True))
            assert low**2 <= square <= high**2
            assert high - low <= 1e-9
        W_after = step.after
        error = output_error(W_after, x.X) + weight_error(W_after, step.g, x.X)
        assert np.abs(outputs(W_after, x.a, x.X) - np.array(after, dtype=float)).max() <= error


def test_neurons_that_cross_are_among_those_counted():
    for x in (EXACT, LOUD):
        for step in x.taken:
            crossed = (step.before @ x.X.T >= 0) != (step.after @ x.X.T >= 0)
            assert crossed.sum(axis=0).max() <= crossings(x, step)


def test_norms_are_enclosed():
    low, high = norm(np.array([3.0, 4.0]), 0.0)
    assert low <= 5 <= high
    assert high - low < 1e-14
    low, high = norm(np.array([0.0]), 0.25)
    assert (low, high) == (0, Fraction(1, 2))


@pytest.mark.parametrize("kind", ["exact", "too short", "too long", "sideways", "sketched"])
def test_rules_miss_by_what_they_are_told(kind):
    rng = np.random.default_rng(3)
    X = EXACT.X
    W, a = gaussian_start(512, 8, rng)
    _, taken = watched(X, EXACT.y, W, a, rule(kind, Fraction(1, 5), rng), accuracy=1e-9, at_most=3)
    for step in taken:
        missed = np.linalg.norm(step.G @ step.g - step.r) / np.linalg.norm(step.r)
        assert missed <= 0.2
        if kind in ("too short", "too long", "sideways"):
            assert missed == pytest.approx(0.2, rel=1e-5)
        if kind in ("too short", "too long"):
            sign = 1 if kind == "too short" else -1
            assert step.G @ step.g == pytest.approx((1 - sign * 0.2) * step.r, rel=1e-4)


def test_what_is_watched_is_the_run_itself():
    rng = np.random.default_rng(4)
    W, a = gaussian_start(256, 8, rng)
    run, taken = watched(EXACT.X, EXACT.y, W, a, exact_step, accuracy=1e-9, at_most=5)
    plain = train(EXACT.X, EXACT.y, W, a, exact_step, accuracy=1e-9, at_most=5)
    assert np.array_equal(run.residuals, plain.residuals)
    assert np.array_equal(taken[-1].after, plain.W)
    assert np.array_equal(taken[0].before, W)


def test_B4_gradient_descent_takes_many_more_steps():
    W, a = gaussian_start(4096, 8, np.random.default_rng(2))
    short = train(EXACT.X, EXACT.y, W, a, exact_step, accuracy=1e-6, at_most=20)
    long = train(EXACT.X, EXACT.y, W, a, gradient_step(1.0), accuracy=1e-6, at_most=2000)
    assert len(short.operations) <= 4
    assert len(long.operations) > 20  # log2(1e6)


def test_runs_outside_the_hypotheses_are_named():
    violated = residual_after_a_step.STATEMENT.violated
    assert violated(NARROW) == ["there must be at least as many weights as data, got m d = 8 and n = 16"]
    assert violated(replace(EXACT, X=2 * EXACT.X))[0].startswith("rows must have length at most 1, got 1.99")


# ------------------------------------------------------------------------------------------ halving as recalled


def test_ties_by_enumeration():
    law = {1: Fraction(1, 4), -1: Fraction(1, 4), 0: Fraction(1, 2)}
    for m in (1, 2, 5):
        total = Fraction(0)
        for steps in product(law, repeat=m):
            p = Fraction(1)
            for s in steps:
                p *= law[s]
            total += p if sum(steps) == 0 else 0
        assert total == ties(m) == Fraction(comb(2 * m, m), 4**m)


def test_the_recipe_fails_as_often_as_it_says():
    """Run it: the first exact step at m = 16 with the label of the recipe."""
    m, rng, runs = width(ONE), np.random.default_rng(11), 2000
    y, failures = np.array([float(label(m))]), 0
    for _ in range(runs):
        W, a = gaussian_start(m, 1, rng)
        residuals = train([[1.0]], y, W, a, exact_step, accuracy=1e-3, at_most=1).residuals
        failures += residuals[1] > residuals[0] / 2
    low = float(failure(m)[0])
    # at least `low`; and P[N- > N+] = (1 - ties) / 2 is the truth but for draws beyond M
    spread = 6 * np.sqrt(0.25 / runs)
    assert low - spread <= failures / runs <= float(1 - ties(m)) / 2 + 0.01 + spread
    assert low > DELTA


def test_the_reach_is_hardly_ever_exceeded():
    for m in (16, 1000, 16000):
        assert 1 - failure(m)[0] * 2 - ties(m) <= Fraction(1, 50)
        assert float(reach(m)) == pytest.approx(np.sqrt(2 * np.log(100 * m)))


def test_a_constant_must_be_positive():
    assert halving_as_printed.STATEMENT.violated(halving_as_printed.constant(0)) == ["C must be positive, got C = 0"]
