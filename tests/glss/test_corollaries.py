"""The consequences of (2) that users rely on: reference values, drawn pairs, and every false neighbour refuted."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reports.mathematics import pieces
from theorems.checking.claims import decide
from theorems.glss import (
    corollary_in_sample_predictions,
    corollary_new_point,
    corollary_optimal_value,
    corollary_out_of_sample,
    corollary_preconditioner,
    corollary_rank,
    corollary_statistical_dimension,
)
from theorems.glss.approximation_instances import (
    BOTH_ENDS,
    FLAT_TAIL,
    LINEAR,
    NOTHING_DRAWN,
    TINY,
    approximates,
    diagonal,
    instances,
)
from theorems.glss.approximation_strategies import any_pairs, approximations
from theorems.glss.new_point_instances import APART, cut
from theorems.statement import Answer

TRUE = [
    module.STATEMENT
    for module in (
        corollary_in_sample_predictions,
        corollary_new_point,
        corollary_optimal_value,
        corollary_preconditioner,
        corollary_rank,
        corollary_statistical_dimension,
    )
]
FALSE = corollary_out_of_sample.STATEMENT
EVERY = [*TRUE, FALSE]


def answers(conclusion, x):
    return {decide(claim).answer for claim in conclusion.claims(x)}


def floats(M):
    return np.array([[float(v) for v in row] for row in M])


@pytest.mark.parametrize("statement", TRUE, ids=lambda s: s.id)
@given(data=st.data())
def test_a_drawn_instance_meets_the_hypotheses_and_every_claim(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    assert answers(statement.conclusion, x) == {Answer.IN}


@pytest.mark.parametrize("statement", EVERY, ids=lambda s: s.id)
def test_every_catalogued_instance_is_decided_as_declared(statement):
    for x in statement.instances("night"):
        assert statement.violated(x) == []
        expected = {Answer.OUT} if statement is FALSE else {Answer.IN}
        assert answers(statement.conclusion, x) == expected, x.name


@pytest.mark.parametrize("statement", EVERY, ids=lambda s: s.id)
def test_every_twin_is_false_on_an_instance_inside_the_hypotheses(statement):
    assert len(statement.twins) >= 3
    for twin in statement.twins:
        assert statement.violated(twin.refuted_on, without=twin.without) == []
        assert Answer.OUT in answers(twin.conclusion, twin.refuted_on), twin.name


@pytest.mark.parametrize("statement", EVERY, ids=lambda s: s.id)
def test_the_page_can_draw_the_sentence(statement):
    assert pieces(statement.says)


def test_a_longer_profile_begins_with_the_shorter_one():
    names = [[x.name for x in instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2][: len(names[1])] == names[1]


def sides(statement, x):
    return [(c.left, c.right) for c in statement.conclusion.claims(x)]


def test_t51_half_of_the_label_moves_where_eps_would_allow_less():
    (distance, bound), _ = sides(corollary_in_sample_predictions.STATEMENT, NOTHING_DRAWN)
    assert (distance, bound) == (Fraction(1, 4), Fraction(1, 2))  # .5 against .707; with eps for eps/(1-eps): .354


def test_t52_one_of_two_directions_suffices():
    ((needed, had),) = sides(corollary_rank.STATEMENT, TINY)
    assert (needed, had) == (1, 1)


def test_condition_number_three_is_attained():
    ((high, low),) = sides(corollary_preconditioner.STATEMENT, BOTH_ENDS)
    assert high == low == (Fraction(3, 2), Fraction(3, 2))


def test_optimal_values_move_by_exactly_the_factor_where_nothing_is_drawn():
    _, (approximate, bound) = sides(corollary_optimal_value.STATEMENT, NOTHING_DRAWN)
    assert approximate == bound == Fraction(1, 2)


def test_statistical_dimension_of_the_flat_tail_by_hand():
    ((s, bound),) = sides(corollary_statistical_dimension.STATEMENT, FLAT_TAIL)
    assert s == Fraction(2, 3) + 19 * Fraction(2, 7)
    assert bound == (Fraction(2, 3) + Fraction(2, 5) * 20) / Fraction(7, 5)


@given(approximations())
def test_every_side_agrees_with_numpy(x):
    """Another route: eigenvalues and solves in floating point."""
    K, Kt, lam, eps, Y = floats(x.K), floats(x.Kt), float(x.lam), float(x.eps), np.array([float(y) for y in x.Y])
    assume(lam >= 1e-3)  # float64 loses the answer below
    A, At = K + lam * np.eye(len(K)), Kt + lam * np.eye(len(K))
    f, f_tilde = K @ np.linalg.solve(A, Y), Kt @ np.linalg.solve(At, Y)
    (distance, bound), _ = sides(corollary_in_sample_predictions.STATEMENT, x)
    value = Y @ np.linalg.solve(A, Y) * lam
    assert float(distance) == pytest.approx(((f - f_tilde) ** 2).sum(), rel=1e-6, abs=1e-9)
    assert float(bound) == pytest.approx((eps / (1 - eps)) ** 2 * value, rel=1e-6, abs=1e-9)
    (low, approximate), _ = sides(corollary_optimal_value.STATEMENT, x)
    assert float(low) == pytest.approx(value / 2 / (1 + eps), rel=1e-6, abs=1e-9)
    assert float(approximate) == pytest.approx(lam * Y @ np.linalg.solve(At, Y) / 2, rel=1e-6, abs=1e-9)
    ((high, scaled),) = sides(corollary_preconditioner.STATEMENT, x)
    mu = np.linalg.eigvals(np.linalg.solve(A, At)).real
    assert float(high[1]) == pytest.approx(mu.max(), rel=1e-6)
    assert float(scaled[0]) == pytest.approx(mu.min() * (1 + eps) / (1 - eps), rel=1e-6)
    ((s, _),) = sides(corollary_statistical_dimension.STATEMENT, x)
    assert float(s) == pytest.approx(np.trace(np.linalg.solve(At, Kt)), rel=1e-6, abs=1e-9)


@given(any_pairs())
def test_approximation_is_decided_like_the_whitened_norm_in_floats(x):
    root = np.linalg.cholesky(floats(x.K) + max(float(x.lam), 1e-3) * np.eye(len(x.K)))
    x = replace(x, lam=max(x.lam, Fraction(1, 1000)))
    whitened = np.linalg.solve(root, np.linalg.solve(root, floats(x.Kt) - floats(x.K)).T)
    norm = np.abs(np.linalg.eigvalsh((whitened + whitened.T) / 2)).max()
    if abs(norm - float(x.eps)) > 1e-6:
        assert approximates(x, x.eps) == (norm <= float(x.eps))


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"lam": Fraction(0)}, "lambda must be positive, got lambda = 0"),
        ({"eps": Fraction(1)}, "eps must lie in (0, 1), got eps = 1"),
        ({"eps": Fraction(0)}, "eps must lie in (0, 1), got eps = 0"),
        ({"eps": Fraction(1, 100)}, "Kt must approximate K within eps, got eps = 0.01"),
        ({"Kt": diagonal(-1, 1)}, "Kt must be positive semidefinite, got"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(change, clause):
    faults = corollary_rank.STATEMENT.violated(replace(LINEAR, **change))
    assert any(clause in f for f in faults), faults


def test_a_new_point_outside_the_approximation_is_refused():
    faults = corollary_new_point.STATEMENT.violated(APART)
    assert faults == ["Kt must approximate K within eps on X and z together, got eps = 0.25"]
    bent = replace(APART, row=(Fraction(2),))
    assert "K must be positive semidefinite on X and z together" in FALSE.violated(bent)


def test_cutting_and_extending_are_inverse():
    x = cut(LINEAR)
    assert (x.extended().K, x.extended().Kt) == (LINEAR.K, LINEAR.Kt)


def test_predictions_of_the_witness_by_hand():
    ((moved, bound),) = sides(FALSE, APART)
    assert (moved, bound) == (Fraction(1, 4), Fraction(1, 9) * Fraction(1, 2))
