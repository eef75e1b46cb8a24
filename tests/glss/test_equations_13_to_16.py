"""(13) to (16) and the end of Section 4: the derivatives by the chain rule against the printed right sides, exactly."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.gradient_descent import descend
from reports.mathematics import pieces
from theorems.checking.claims import decide
from theorems.glss import (
    equation_13_14_as_printed,
    equation_13_14_distance_along_the_flow,
    equation_15_16_test_predictors,
    section_4_step_of_gradient_descent,
    section_4_test_predictors_as_printed,
)
from theorems.glss.equation_13_14_distance_along_the_flow import printed, right_side, terms
from theorems.glss.flow_moments import ONE_NEURON, SQUARE, TRIANGLE, instances, moment
from theorems.statement import Answer, Finding

STEP = section_4_step_of_gradient_descent.STATEMENT
TRUE = [equation_13_14_distance_along_the_flow.STATEMENT, equation_15_16_test_predictors.STATEMENT, STEP]
FALSE = [equation_13_14_as_printed.STATEMENT, section_4_test_predictors_as_printed.STATEMENT]
DRAWN = [*TRUE, FALSE[0]]


def answers(conclusion, x):
    return {decide(claim).answer for claim in conclusion.claims(x)}


@pytest.mark.parametrize("statement", DRAWN, ids=lambda s: s.id)
@given(data=st.data())
def test_a_drawn_moment_is_decided_as_declared(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    expected = Answer.IN if statement.expected is Finding.SUPPORTED else Answer.OUT
    assert answers(statement.conclusion, x) == {expected}


@pytest.mark.parametrize("statement", [*TRUE, *FALSE], ids=lambda s: s.id)
def test_every_catalogued_instance_is_decided_as_declared(statement):
    for x in statement.instances("night"):
        assert statement.violated(x) == []
        expected = Answer.IN if statement.expected is Finding.SUPPORTED else Answer.OUT
        assert expected in answers(statement.conclusion, x), x.name
        assert statement.expected is Finding.REFUTED or len(answers(statement.conclusion, x)) == 1


@pytest.mark.parametrize("statement", [*TRUE, *FALSE], ids=lambda s: s.id)
def test_every_twin_is_false_on_an_instance_inside_the_hypotheses(statement):
    assert len(statement.twins) >= 3
    for twin in statement.twins:
        assert statement.violated(twin.refuted_on) == []
        assert Answer.OUT in answers(twin.conclusion, twin.refuted_on), twin.name


def test_E1_I0_reference_values():
    assert ONE_NEURON.u_star == [Fraction(5, 9)]
    assert ONE_NEURON.network.distance_velocity(ONE_NEURON.u_star) == Fraction(-1, 120)
    t = terms(ONE_NEURON)
    assert right_side(ONE_NEURON, t) == Fraction(-1, 120)
    assert printed(ONE_NEURON, t) == Fraction(-17, 540)


def test_T13_b_I0_terms_and_the_flipped_sum():
    t = terms(ONE_NEURON)
    first, second = t.decay / 4 + t.shrinkage, t.perturbation / 4
    assert (first, second) == (Fraction(-7, 3240), Fraction(-1, 162))
    assert first - second == Fraction(13, 3240)


def test_T15_I0_test_point_and_its_mutations():
    net = ONE_NEURON.network
    two = np.array([[Fraction(2)]], dtype=object)
    assert net.velocity(two) == [Fraction(3, 20)]
    residual, u_test, rows = net.Y - net.outputs(net.X), net.outputs(two), net.kernel(two)
    assert ONE_NEURON.kappa * rows @ residual - ONE_NEURON.lam * u_test == [Fraction(2, 5)]
    assert ONE_NEURON.kappa**2 * rows @ residual == [Fraction(1, 4)]
    assert ONE_NEURON.kappa**2 * rows @ residual + ONE_NEURON.lam * u_test == [Fraction(7, 20)]


@pytest.mark.parametrize("x", [SQUARE, TRIANGLE], ids=lambda x: x.name)
def test_the_flow_agrees_with_a_small_step_of_gradient_descent(x):
    """An oracle that knows no derivative: move W a little along dW/dt and look at the squared distance."""
    W, v = (np.array(M, float) for M in (x.W, x.network.weight_velocity()))
    X, Y, a, u_star = (np.array(M, float) for M in (x.X, x.Y, x.a, x.u_star))

    def distance(W):
        u = float(x.kappa) / len(W) ** 0.5 * np.maximum(X @ W.T, 0) @ a
        return ((u_star - u) ** 2).sum()

    h = 1e-6
    slope = (distance(W + h * v) - distance(W - h * v)) / (2 * h)
    assert slope == pytest.approx(float(x.network.distance_velocity(x.u_star)), rel=1e-7)
    assert np.linalg.norm(Y) > 0


def test_the_printed_form_is_right_for_kappa_one():
    assert TRIANGLE.kappa == 1
    assert printed(TRIANGLE, terms(TRIANGLE)) == right_side(TRIANGLE, terms(TRIANGLE))
    assert FALSE[0].violated(TRIANGLE) == ["kappa must be below 1, got kappa = 1"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"kappa": Fraction(2)}, "kappa must lie in"),
        ({"lam": Fraction(0)}, "lam must lie in"),
        ({"a": [3]}, "a must hold signs"),
        ({"W": [[0]]}, "no neuron may lie on a kink"),
    ],
)
def test_moments_outside_the_hypotheses_are_named(change, fault):
    given = {
        "X": [[1]],
        "new": [[2]],
        "Y": [1],
        "W": [[1]],
        "a": [1],
        "kappa": Fraction(1, 2),
        "lam": Fraction(1, 10),
    } | change
    [found] = TRUE[0].violated(moment("m", "m", **given))
    assert fault in found


def test_the_formulas_can_be_typeset():
    for s in (*TRUE, *FALSE):
        assert pieces(s.says)


def test_the_catalogued_moments_have_names_of_their_own():
    assert len({x.name for x in instances("night")}) == len(instances("night"))


def test_E22_steps_that_cross_are_among_the_instances():
    counts = {x.name: STEP.conclusion.facts(x)["crossings"] for x in STEP.instances("quick")}
    assert counts["I0-small-step"] == counts["triangle-small-step"] == 0
    assert min(counts[name] for name in ("square-leap", "triangle-leap", "duplicates-leap")) > 0


def test_secant_slopes_lie_between_nothing_and_one():
    for x in STEP.instances("quick"):
        theta = section_4_step_of_gradient_descent.slopes(x)
        assert ((theta >= 0) & (theta <= 1)).all()


def test_the_step_agrees_with_the_float_trajectory():
    """The reference implementation of gradient descent knows the same secants."""
    for x in (SQUARE, TRIANGLE):
        step = section_4_step_of_gradient_descent.step_from(x, "s", "s", Fraction(3, 2))
        X, Y, W, a = (np.array(M, float) for M in (x.X, x.Y, x.W, x.a))
        seen = descend(X, Y, W, a, kappa=float(x.kappa), lam=float(x.lam), step=1.5, steps=1, kernels=True)
        ours = section_4_step_of_gradient_descent.secant_kernel(step).astype(float)
        np.testing.assert_allclose(seen.secants[0], ours, rtol=1e-13, atol=1e-13)


def test_a_step_beyond_the_ridge_is_refused():
    x = section_4_step_of_gradient_descent.step_from(SQUARE, "s", "s", Fraction(7))
    assert STEP.violated(x) == ["h lam must lie in (0, 1), got h = 7, lam = 1/7"]
