"""Theorem 3.3: reference values, exact and sampled routes against each other, hypotheses, and the recipe's identity."""

from dataclasses import replace
from fractions import Fraction
from math import log

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.finite_features import coupon as coupon_features
from reference.leverage import whitener
from reference.random_features import modified_features
from theorems.checking.events import Event, answers, bounded, exact_failure
from theorems.checking.exact_probability import multinomial_leaves_box
from theorems.checking.loewner import decide_psd
from theorems.checking.sampler_law import law_log_wealth
from theorems.glss.sampling_constructions import construct, kernel, quantities
from theorems.glss.sampling_instances import (
    COMPLEX,
    COUPON_2,
    COUPON_3,
    COUPON_8,
    COUPON_20,
    LINEAR,
    NULL_ATOM,
    RAMP,
    SPIKE,
    FourierData,
    TangentData,
    in_the_plane,
    line_grid,
    real_data,
)
from theorems.glss.sampling_recipe import PAPER, features_asked, over, safe_ceiling
from theorems.glss.sampling_strategies import as_stream, finite_worlds, plane_worlds
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT, TWINS
from theorems.statement import Answer, BoundBatch

EXACT = [COUPON_2, COUPON_3, COUPON_8, COUPON_20, SPIKE, RAMP, NULL_ATOM]


@pytest.mark.parametrize(
    ("x", "m", "p"),
    [(COUPON_2, 431, "2.8e-10"), (COUPON_3, 727, "3.0e-08"), (COUPON_8, 2321, "1.5e-07"), (COUPON_20, 7292, "1.2e-07")],
    ids=lambda v: getattr(v, "name", str(v)),
)
def test_exact_failure_probability_at_the_printed_size_reproduces_the_measured_table(x, m, p):
    assert PAPER.size(quantities(x)) == m
    failure = exact_failure(construct(x, m, PAPER))
    assert f"{float(failure.upper):.1e}" == p
    assert failure.upper - failure.lower <= failure.upper * 2**-30


def test_two_atoms_in_rationals_agree_with_ball_arithmetic():
    box = construct(COUPON_2, 431, PAPER).box
    rational = multinomial_leaves_box(box.m, box.law, box.low, box.high, exact=True)
    balls = multinomial_leaves_box(box.m, box.law, box.low, box.high)
    assert rational.lower == rational.upper
    assert balls.lower <= rational.lower <= balls.upper


@pytest.mark.parametrize("x", [*EXACT, LINEAR, COMPLEX], ids=lambda x: x.name)
def test_size_is_the_least_integer_above_the_bound_at_fifty_digits(x):
    found = quantities(x)
    with mpmath.workdps(50):
        s, q = (mpmath.mpf(v[0].numerator) / v[0].denominator for v in (found.s_lambda, found.s_q_tilde))
        eps, delta = (mpmath.mpf(v.numerator) / v.denominator for v in (x.eps, x.delta))
        bound = 3 * q * mpmath.log(16 * q * s / delta) / eps**2
        assert safe_ceiling(features_asked(found)) == int(mpmath.ceil(bound))


@pytest.mark.parametrize("x", EXACT, ids=lambda x: x.name)
@pytest.mark.parametrize("part", [1, 8])
def test_the_box_of_counts_is_the_event(x, part):
    m = max(1, PAPER.size(quantities(x)) // part)
    built, rng = construct(x, m, PAPER), np.random.default_rng([3, part])
    counts_rng = np.random.default_rng([3, part])
    decided = answers(built.draw(rng, 200))
    counts = PAPER.drawing.counts(np.array([float(q) for q in built.box.law]), m, counts_rng, 200)
    inside = ((counts >= built.box.low) & (counts <= built.box.high)).all(axis=1)
    assert (decided == np.where(inside, Answer.IN, Answer.OUT)).all()


NOT_A_BOX = {
    "one_draw_repeated",
    "blocks_of_eight",
    "blocks_of_four",
    "real_part_only",
}  # dependent draws, a kernel not diagonal


@pytest.mark.parametrize("twin", [t for t in TWINS if t.name not in NOT_A_BOX], ids=lambda t: t.name)
def test_the_box_of_a_twin_is_its_event_too(twin):
    x = twin.refuted_on
    m = max(1, twin.conclusion.size(x) // 16)
    built = twin.conclusion.construction(x, m)
    law = np.array([float(q) for q in built.box.law])
    counts = np.random.default_rng(5).multinomial(m, law, size=60)
    inside = ((counts >= built.box.low) & (counts <= built.box.high)).all(axis=1)
    drawn = built.draw(np.random.default_rng(5), 60)
    decided = bounded(drawn).answers if isinstance(drawn, BoundBatch) else answers(drawn)
    assert (decided == np.where(inside, Answer.IN, Answer.OUT)).all()


def test_sampled_failures_agree_with_the_exact_probability_within_a_binomial_band():
    built = construct(COUPON_2, 43, PAPER)  # a tenth of the size asked: p = .049
    p, trials = float(exact_failure(built).upper), 4096
    failures = int((Event(construction=built).run(np.random.default_rng(11), trials).answers == Answer.OUT).sum())
    # Chernoff: each side is left with probability at most exp(-trials kl), 1e-9 in all
    rate = failures / trials
    kl = rate * log(rate / p) + (1 - rate) * log((1 - rate) / (1 - p))
    assert trials * kl < log(2e9)


def test_gram_matrices_are_those_of_definition_3_2():
    x, m = LINEAR, 12
    counts = np.random.default_rng(2).multinomial(m, [59 / 113, 54 / 113])
    draws = np.repeat([0, 1], counts)
    phi = np.sqrt(2) * np.array([[1.0, 2.0], [3.0, -1.0]])[:, draws, None]
    ratio = (np.array([0.5, 0.5]) / np.array([59 / 113, 54 / 113]))[draws]
    Psi = modified_features(phi, ratio)
    Kt = construct(x, m, PAPER).draw(np.random.default_rng(2), 1).Kt[0]
    np.testing.assert_allclose(Psi @ Psi.T, Kt, rtol=1e-12)


@pytest.mark.parametrize("x", [LINEAR, RAMP, *in_the_plane(), line_grid(), *real_data(32)], ids=lambda x: x.name)
def test_whitened_trace_of_every_draw_is_the_integral_of_q_tilde_times_leverage(x):
    """tr (K + lam I)^-1 Kt = mean of s_q_tilde tau/tau_tilde: at most s_q_tilde; s_lambda if q_tilde = q_lambda."""
    found = quantities(x)
    drawn = construct(x, 64, PAPER).draw(np.random.default_rng(7), 4)
    B = whitener(drawn.K, float(x.lam))
    traces = np.einsum("ij,bjk,ik->b", B, drawn.Kt, B)
    assert (traces <= float(found.s_q_tilde[1]) * (1 + 1e-9)).all()
    if x in (LINEAR, RAMP, *real_data(32)):
        np.testing.assert_allclose(traces, float(found.s_lambda[1]), rtol=1e-9)


def test_rejection_and_cells_draw_from_one_law():
    """The cells' law, tested on neurons that rejection drew; a correct sampler fails with probability below 1e-9."""
    from reference.activation_cells import plane_cells
    from reference.dominating import dominate_cells, envelope_tangent
    from reference.leverage import tangent_leverage
    from reference.rejection import rejection_sample

    x = in_the_plane()[0]
    K, _ = kernel(x)
    B = whitener(K, float(x.lam))
    W, _ = rejection_sample(
        lambda g, k: g.standard_normal((k, 2)),
        lambda W: tangent_leverage(x.X, W, B),
        envelope_tangent(x.X, float(x.lam)),
        np.random.default_rng(13),
        4000,
    )
    cells = plane_cells(x.X)
    patterns = (x.X @ W.T >= 0).T
    index = [int(np.flatnonzero((cells.patterns == s).all(axis=1))[0]) for s in patterns]
    counts = np.bincount(index, minlength=len(cells.probability))
    exact_law = cells.probability * np.array([float(t) for t in dominate_cells(x.X, x.lam, bits=40).tau])
    assert law_log_wealth(counts, (exact_law / exact_law.sum()).tolist()) < log(1e9)
    assert law_log_wealth(counts, cells.probability.tolist()) > log(1e9)  # and it can tell: not the law of p


@given(finite_worlds())
def test_exact_worlds_meet_every_hypothesis_and_its_consequences(x):
    assert STATEMENT.violated(x) == []
    found = quantities(x)
    assert Fraction(1, 2) < found.s_lambda[0] <= found.s_q_tilde[0]
    assert safe_ceiling(features_asked(found)) >= 1


@given(finite_worlds(), st.integers(1, 40), st.integers(0, 2**32))
def test_decisions_agree_with_exact_rationals_in_every_corner(x, m, seed):
    drawn = construct(x, m, PAPER).draw(np.random.default_rng(seed), 3)
    for found, b in zip(answers(drawn), range(3), strict=True):
        K, Kt = drawn.exact(b)
        n = range(len(K))
        sides = [
            [[sign * (Kt[i][j] - K[i][j]) + x.eps * (K[i][j] + x.lam * (i == j)) for j in n] for i in n]
            for sign in (1, -1)
        ]
        assert (found == Answer.IN) == all(decide_psd(M).answer is Answer.IN for M in sides)


@given(plane_worlds(), st.integers(0, 2**32))
def test_cells_and_streams_promise_the_same_statistical_dimension(x, seed):
    cells, stream = quantities(x), quantities(as_stream(x))
    assert cells.s_lambda == stream.s_lambda
    assert cells.s_lambda[0] <= cells.s_q_tilde[1]
    assert (answers(construct(x, 10**6, PAPER).draw(np.random.default_rng(seed), 4)) != Answer.UNSURE).any()


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"lam": Fraction(0)}, "lambda must be positive, got lambda = 0"),
        ({"lam": Fraction(-1, 10)}, "lambda must be positive, got lambda = -0.1"),
        ({"lam": Fraction(1)}, "lambda must be below ||K||, got lambda = 1, ||K|| = 1"),
        ({"eps": Fraction(1, 2)}, "eps must lie in (0, 1/2), got eps = 0.5"),
        ({"eps": Fraction(2)}, "eps must lie in (0, 1/2), got eps = 2"),
        ({"eps": Fraction(0)}, "eps must lie in (0, 1/2), got eps = 0"),
        ({"delta": Fraction(0)}, "delta must lie in (0, 1), got delta = 0"),
        ({"delta": Fraction(1)}, "delta must lie in (0, 1), got delta = 1"),
        ({"tau_tilde": (Fraction(1), Fraction(1))}, "q_tilde must be at least q_lambda"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(change, clause):
    faults = STATEMENT.violated(replace(COUPON_2, **change))
    assert any(clause in f for f in faults), faults


def test_a_ridge_just_below_the_norm_is_accepted_exactly():
    assert STATEMENT.violated(replace(COUPON_2, lam=1 - Fraction(1, 10**9))) == []


def test_every_false_neighbour_of_the_table_has_its_twin():
    """Part by part: logarithm, constants, domination, weights, ridge, accuracy."""
    failures = {
        "log_factor_dropped": 0.5,
        "log_without_s": 0.99,
        "constant_a_hundred_times_smaller": 0.99,
        "domination_dropped": 0.9,
        "weights_dropped": 0.99,
        "ridge_beyond_the_norm": 1,
        "accuracy_ten_times_better": 0.99,
        "no_ridge_in_the_event": 1,
        "eps_for_eps_squared": 0.5,
    }
    twins = {t.name: t for t in TWINS}
    for name, least in failures.items():
        x = twins[name].refuted_on
        built = twins[name].conclusion.construction(x, twins[name].conclusion.size(x))
        assert exact_failure(built).lower >= least, name
        assert exact_failure(built).lower > x.delta, name


def test_streamed_features_refuse_any_other_recipe():
    twin = next(t for t in TWINS if t.name == "weights_dropped")
    with pytest.raises(TypeError, match="know only the theorem's recipe"):
        twin.conclusion.construction(real_data(32)[0], 10)


def test_an_unknown_kind_of_instance_is_refused():
    with pytest.raises(TypeError, match="no kernel is known"):
        kernel(object())


def test_streamed_data_in_any_dimension_take_the_given_size():
    x = TangentData(name="x", says="x", X=np.eye(3), lam=Fraction(1, 32), eps=Fraction(1, 4), delta=Fraction(1, 10))
    drawn = construct(x, 5, PAPER).draw(np.random.default_rng(1), 2)
    # orthonormal rows: Kt is diagonal, each diagonal entry a multiple of the weight over m
    assert drawn.Kt.shape == (2, 3, 3)
    assert (drawn.Kt[:, ~np.eye(3, dtype=bool)] == 0).all()


def test_never_drawn_features_get_weight_zero():
    assert over(np.array([1.0, 2.0]), np.array([0.0, 4.0])).tolist() == [0.0, 0.5]
    exact = over(np.array([Fraction(1), Fraction(2)], dtype=object), np.array([Fraction(0), Fraction(4)], dtype=object))
    assert exact.tolist() == [Fraction(0), Fraction(1, 2)]


def test_coupon_worlds_have_the_identity_as_kernel():
    K = coupon_features(3).kernel()
    assert [[int(v) for v in row] for row in K] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_a_ridge_that_float64_cannot_hold_is_refused_on_streamed_data():
    x = TangentData(name="x", says="x", X=np.eye(3), lam=Fraction(1, 10), eps=Fraction(1, 4), delta=Fraction(1, 10))
    with pytest.raises(ValueError, match="lambda must be a float64 number on streamed data"):
        construct(x, 5, PAPER)


@pytest.mark.parametrize("d", [2, 3])
def test_frequencies_in_two_and_three_dimensions_come_from_the_grid(d):
    X = np.random.default_rng(d).standard_normal((5, d))
    x = FourierData(name="x", says="x", X=X, sigma=1.0, lam=Fraction(1, 8), eps=Fraction(1, 4), delta=Fraction(1, 10))
    found = quantities(x)
    assert found.s_lambda[0] < found.s_q_tilde[0] < 2 * found.s_lambda[1]
    assert (answers(construct(x, 4000, PAPER).draw(np.random.default_rng(1), 4)) == Answer.IN).all()
