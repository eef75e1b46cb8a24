"""Definition 3.2: the mean by enumeration against the literal features, the support condition, the court's findings."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import pi

import numpy as np
import pytest
from hypothesis import given

from reference.random_features import modified_features
from theorems.checking.claims import decide
from theorems.glss import definition_3_2_as_printed, definition_3_2_modified_random_features
from theorems.glss.definition_3_2_as_printed import NULL_ATOM
from theorems.glss.draw_instances import MISSED, UNEVEN, weighted_draws
from theorems.glss.leverage_instances import NEURONS, line, plane_I2
from theorems.statement import Answer, Finding

DEF32, AS_PRINTED = definition_3_2_modified_random_features.STATEMENT, definition_3_2_as_printed.STATEMENT
STATEMENTS = [DEF32, AS_PRINTED]


def found(conclusion, x):
    return [decide(c).answer for c in conclusion.claims(x)]


def twin(name):
    return next(t for t in DEF32.twins if t.name == name)


@pytest.mark.parametrize(
    ("s", "x"), [pytest.param(s, x, id=f"{s.id}-{x.name}") for s in STATEMENTS for x in s.instances("ci")]
)
def test_every_instance_is_as_declared(s, x):
    assert s.violated(x) == []
    answers = set(found(s.conclusion, x))
    assert answers == ({Answer.IN} if s.expected is Finding.SUPPORTED else {Answer.OUT})


@pytest.mark.parametrize(
    ("s", "twin"), [pytest.param(s, t, id=f"{s.id}-{t.name}") for s in STATEMENTS for t in s.twins]
)
def test_every_twin_is_refuted_inside_the_hypotheses_it_keeps(s, twin):
    assert s.violated(twin.refuted_on, without=twin.without) == []
    assert Answer.OUT in found(twin.conclusion, twin.refuted_on)


@given(DEF32.strategy())
def test_the_mean_is_the_kernel_in_every_corner(x):
    assert DEF32.violated(x) == []
    assert set(found(DEF32.conclusion, x)) == {Answer.IN}


@given(AS_PRINTED.strategy())
def test_the_printed_support_condition_fails_wherever_a_feature_vanishes(x):
    assert AS_PRINTED.violated(x) == []
    assert found(AS_PRINTED.conclusion, x) == [Answer.OUT]


# ------------------------------------------------------------------------------------------------------ references


def test_the_mean_of_the_literal_features_over_all_sequences():
    """The definition with its square roots, in floats: neurons drawn by leverage, m = 2."""
    x = next(x for x in weighted_draws("quick") if x.name == "neurons-by-leverage")
    phi, p, q = (np.array(v, dtype=float) for v in (NEURONS.phi, x.features.p, x.q))
    mean, second = np.zeros((4, 4)), np.zeros((4, 4))
    for draws in product(np.flatnonzero(q), repeat=2):
        Psi = modified_features(phi[list(draws)].transpose(1, 0, 2), p[list(draws)] / q[list(draws)])
        mean += q[list(draws)].prod() * Psi @ Psi.T
        second += q[list(draws)].prod() * (Psi @ Psi.T) ** 2
    for claim, value in zip(DEF32.conclusion.claims(x), (mean, second), strict=True):
        np.testing.assert_allclose(np.array(claim.left, dtype=float), value, rtol=1e-12, atol=1e-12)


def test_part_F_T05a_without_the_root_the_mean_is_K_times_p_over_q():
    left = twin("root_forgotten").conclusion.claims(UNEVEN)[0].left
    for i, k in enumerate((Fraction(1), Fraction(1, 100))):
        assert left[i][i] == k * UNEVEN.features.p[i] / UNEVEN.q[i]


def test_part_F_T05b_without_weights_the_mean_is_K_times_q_over_p():
    left = twin("weights_dropped").conclusion.claims(UNEVEN)[0].left
    assert [left[i][i] for i in (0, 1)] == [Fraction(80, 47), Fraction(1, 100) * Fraction(14, 47)]


def test_copies_of_one_draw_have_the_right_mean_and_the_wrong_spread():
    assert found(twin("one_draw_repeated").conclusion, UNEVEN) == [Answer.IN, Answer.OUT]


def test_erratum_E11_I2_the_unseen_cell():
    (claim,) = AS_PRINTED.conclusion.claims(plane_I2())
    assert float(claim.left[0]) == pytest.approx((pi - 2.6) / (2 * pi), rel=1e-14)


# ------------------------------------------------------------------------------------------------------ hypotheses


@pytest.mark.parametrize(
    ("x", "clause"),
    [
        (MISSED, "q must be positive where p(w) Phi(w) != 0, got q = 0 at feature 2"),
        (replace(UNEVEN, q=(Fraction(1),)), "q must be 2 probabilities, got 1 with sum 1 and least 1"),
        (replace(UNEVEN, q=(Fraction(2), Fraction(-1))), "q must be 2 probabilities, got 2 with sum 1 and least -1"),
        (replace(UNEVEN, q=(Fraction(1, 2), Fraction(1, 3))), "q must be 2 probabilities, got 2 with sum 5/6"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(x, clause):
    assert any(clause in fault for fault in DEF32.violated(x))


def test_where_every_feature_is_seen_the_printed_condition_is_fine():
    x = replace(plane_I2(), X=np.array([[1.0, 0.0], [-1.0, 0.1], [0.0, 1.0], [0.1, -1.0]]))
    assert AS_PRINTED.violated(x) == ["Phi must vanish with positive probability, got no such feature"]
    assert found(AS_PRINTED.conclusion, x) == [Answer.IN]


def test_features_without_classes_are_refused():
    with pytest.raises(TypeError, match="no classes of features are known for a FourierRidge"):
        AS_PRINTED.conclusion.claims(line(8))


def test_longer_profiles_begin_with_shorter_ones():
    names = [[x.name for x in DEF32.instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2][: len(names[1])] == names[1]
    assert len(set(names[2])) == len(names[2])
    assert NULL_ATOM in AS_PRINTED.instances("quick")
