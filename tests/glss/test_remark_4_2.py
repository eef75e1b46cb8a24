"""Remark 4.2: derivatives against exact difference quotients, the recipe against its proof, widths against limits."""

from dataclasses import replace
from fractions import Fraction
from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference.deep_networks import (
    decaying_flow,
    deep_current_kernel,
    deep_initialisation,
    deep_outputs,
    deep_tangent_kernel,
    euler_products,
)
from reports.mathematics import pieces
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.store import Store
from theorems.glss import (
    remark_4_2_as_printed,
    remark_4_2_kernel_shrinkage,
    remark_4_2_several_layers,
    remark_4_2_width,
)
from theorems.glss.bootstrapped_exponents import exponent, median_ratio
from theorems.glss.remark_4_2_networks import BIASED, FOUR, PARTLY, THREE, TWO, evaluate
from theorems.statement import Answer, Finding

LAYERS, SHRINKAGE = remark_4_2_several_layers.STATEMENT, remark_4_2_kernel_shrinkage.STATEMENT
PRINTED = remark_4_2_as_printed.STATEMENT
START, PATH = remark_4_2_width.STATEMENTS
EXACT, ALL = [LAYERS, SHRINKAGE, PRINTED], [LAYERS, SHRINKAGE, PRINTED, START, PATH]


def sitting():
    return Sitting(seed=1, campaign=1, budget=0, code="c" * 64)


def answers(conclusion, x):
    return {decide(claim).answer for claim in conclusion.claims(x)}


@pytest.mark.parametrize("statement", ALL, ids=lambda s: s.id)
def test_the_court_decides_every_instance_as_declared(statement):
    with Store.memory() as store:
        for nth, x in enumerate(statement.instances("quick"), start=1):
            found = hear(statement, x, place=1, nth=nth, sitting=sitting(), store=store)
            assert found.as_declared, (x.name, found.because)
            assert found.verdict == statement.expected.value


@pytest.mark.parametrize("statement", ALL, ids=lambda s: s.id)
def test_the_court_refutes_every_twin(statement):
    assert len(statement.twins) >= 3
    with Store.memory() as store:
        for nth, twin in enumerate(statement.twins, start=1):
            found = hear_twin(statement, twin, place=1, nth=nth, sitting=sitting(), store=store)
            assert found.verdict == Finding.REFUTED.value, (twin.name, found.because)


@pytest.mark.parametrize("statement", [LAYERS, SHRINKAGE], ids=lambda s: s.id)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(data=st.data())
def test_drawn_networks_obey_both_identities(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    assert answers(statement.conclusion, x) == {Answer.IN}


def test_longer_profiles_begin_with_the_shorter_one_and_names_differ():
    for s in ALL:
        quick, night = (s.instances(profile) for profile in ("quick", "night"))
        names = [x.name for x in night]
        assert names[: len(quick)] == [x.name for x in quick]
        assert len(set(names)) == len(names)
        assert pieces(s.says)


# --------------------------------------------------------------------------------- the exact networks, by other routes


@pytest.mark.parametrize("x", [TWO, THREE, FOUR, PARTLY, BIASED], ids=lambda x: x.name)
def test_derivatives_are_exact_difference_quotients(x):
    """Without a kink between, f is an affine function of any one weight: the quotient has no error."""
    here, t = evaluate(x, x.weights), Fraction(1, 10**6)
    for place, k in enumerate(x.trained):
        rows, columns = x.weights[k - 1].shape
        for i, j in {(0, 0), (rows - 1, columns - 1), (0, columns - 1)}:
            layers = [W.copy() for W in x.weights]
            layers[k - 1][i, j] += t
            there = evaluate(x, layers)
            assert here.margin > 0
            np.testing.assert_array_equal((there.u - here.u) / t, here.gradients[place][:, i, j])


@pytest.mark.parametrize("x", [TWO, THREE, FOUR], ids=lambda x: x.name)
def test_the_float_networks_agree(x):
    layers, X = [W.astype(float) for W in x.weights], np.array(x.X, float)
    here = evaluate(x, x.weights)
    np.testing.assert_allclose(deep_outputs(layers, X), here.u.astype(float), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(deep_current_kernel(layers, X), here.kernel.astype(float), rtol=1e-12, atol=1e-12)
    each = [(g * W[None]).sum(axis=(1, 2)).astype(float) for g, W in zip(here.gradients, x.weights, strict=True)]
    np.testing.assert_allclose(euler_products(layers, X), each, rtol=1e-12, atol=1e-12)


def test_biases_want_the_regulariser_of_their_depth():
    """With b_l -> c^l b_l f is homogeneous: sum_l <df/dW_l, W_l> + l <df/db_l, b_l> = L f."""
    here = evaluate(BIASED, BIASED.weights)
    total = 0
    for k, (g, W) in enumerate(zip(here.gradients, BIASED.weights, strict=True), start=1):
        products = g * W[None]
        total = total + products[:, :, :-1].sum(axis=(1, 2)) + k * products[:, :, -1].sum(axis=1)
    np.testing.assert_array_equal(total, 2 * here.u)
    assert LAYERS.violated(BIASED) == ["the layers must have no biases, got some"]


def test_a_neuron_on_a_kink_is_refused():
    W = ((Fraction(0), Fraction(1)), *TWO.layers[0][1:])
    assert LAYERS.violated(replace(TWO, layers=(W, TWO.layers[1]))) == ["a neuron lies on a kink of a point"]
    assert "got lam = 1" in LAYERS.violated(replace(TWO, lam=Fraction(1)))[0]


# -------------------------------------------------------------------------------------------------------- the recipe


@pytest.mark.parametrize("x", PRINTED.instances("night"), ids=lambda x: x.name)
def test_the_enclosure_holds_what_an_integrator_finds(x):
    u = decaying_flow([[float(x.mu)]], [1.0], [float(x.horizon)], lam=float(x.lam), L=x.L)[0, 0]
    low, high = x.reached
    assert float(low) - 1e-10 <= u <= float(high) + 1e-10
    assert 0 <= high - low <= Fraction(1, 2**40)


def test_the_proof_of_the_recipe_bounds_every_horizon():
    least = 2 / 9 * (1 - 1 / sqrt(7))
    assert least > 1 / 8 > float(remark_4_2_as_printed.ONE.eps)
    gaps = []
    for k in range(1, 60):
        T = Fraction(k, 4)
        low, high = remark_4_2_as_printed.reached(Fraction(1), Fraction(1, 2), Fraction(1, 2), T)
        q = exp(-float(T) / 2)
        assert 2 / 3 - float(high) >= 2 / 9 - q / 3 + 7 * q**3 / 9 - 1e-12
        gaps.append(2 / 3 - float(low))
    assert min(gaps) >= least
    q = 1 / sqrt(7)
    assert 2 / 9 - q / 3 + 7 * q**3 / 9 == pytest.approx(least)


def test_one_layer_is_kernel_regression():
    """With L = 1 nothing shrinks, and the sentence is true: the hypothesis L >= 2 is what makes it false."""
    x = replace(remark_4_2_as_printed.TEN, L=1)
    assert abs(x.target - x.reached[0]) < x.eps / 100
    assert answers(PRINTED.conclusion, x) == {Answer.UNSURE}  # nothing is known about the probability
    assert PRINTED.violated(x) == ["at least two layers must be trained, got L = 1"]


def test_a_small_ridge_is_not_refuted():
    """At lam T << 1 even two layers come within eps: the print is right for lambda = O(1/sqrt m)."""
    x = replace(remark_4_2_as_printed.TEN, lam=Fraction(1, 10**4))
    assert abs(x.target - x.reached[0]) < x.eps / 10
    assert answers(PRINTED.conclusion, x) == {Answer.UNSURE}


def test_lower_starts_end_lower():
    """u(T) increases with u(0), so that u(0) <= 0 ends below the solution from 0."""
    x = remark_4_2_as_printed.ONE
    ends = [
        decaying_flow([[float(x.mu)]], [1.0], [float(x.horizon)], lam=float(x.lam), L=x.L, start=[start])[0, 0]
        for start in (-2.0, -0.5, 0.0, 0.5)
    ]
    assert ends == sorted(ends)
    assert ends[2] == pytest.approx(float(x.reached[0]), abs=1e-10)


def test_half_of_the_networks_start_below_zero():
    """16384 networks of two layers; five standard deviations of a frequency. Equality has probability 2^-64 or less."""
    rng = np.random.default_rng(7)
    active = np.maximum(rng.standard_normal((16384, 64)), 0)
    outputs = (active * rng.standard_normal((16384, 64))).sum(axis=1)
    assert abs((outputs <= 0).mean() - 0.5) < 5 / 2 / np.sqrt(16384)


@pytest.mark.parametrize(
    ("network", "least"), [(Fraction(1, 2), 0), (Fraction(41, 100), 0), (Fraction(40, 100), Fraction(1, 2)), (2, 0)]
)
def test_only_ends_below_the_target_count(network, least):
    """An end above u* says nothing about lower starts."""
    goal = (Fraction(1, 2), Fraction(1, 2))
    assert remark_4_2_as_printed.failure((network, network), goal, Fraction(9, 100)) == (least, 1)


@pytest.mark.parametrize("change", [{"eps": Fraction(1, 8)}, {"delta": Fraction(1, 10)}])
def test_accuracies_outside_the_theorem_are_named(change):
    [name] = change
    assert PRINTED.violated(replace(remark_4_2_as_printed.ONE, **change)) == [
        f"{name} must lie in (0, 1/10), got {name} = {change[name]}"
    ]


# --------------------------------------------------------------------------------------------------------- the widths


@pytest.mark.parametrize("L", [2, 3, 4])
def test_the_limiting_descent_follows_the_decaying_flow_as_steps_shrink(L):
    x = replace(remark_4_2_width.TWO, L=L, step=0.25 / 64, steps=40 * 64)
    first = np.array([0.3, -0.6])
    u = remark_4_2_width.limiting_descent(x, first)
    flow = decaying_flow(deep_tangent_kernel(x.X, L), x.Y, [10.0], lam=x.lam, L=L, start=first)[0]
    assert u == pytest.approx(flow, abs=4e-3)  # first order in the step


def test_a_kernel_that_does_not_shrink_leads_elsewhere():
    x = remark_4_2_width.TWO
    shrinking = remark_4_2_width.limiting_descent(x, np.zeros(2))
    fixed = remark_4_2_width.limiting_descent(x, np.zeros(2), remark_4_2_width.Limiting(kernel=lambda _: 0))
    assert np.linalg.norm(shrinking - fixed) > 0.1


def test_networks_of_a_width_are_those_of_their_key():
    x = replace(remark_4_2_width.TWO, runs=2)
    first, again = x.networks(16), x.networks(16)
    np.testing.assert_array_equal(first[1][0], again[1][0])
    assert not np.array_equal(first[0][0], first[1][0])
    assert not np.array_equal(first[0][0], deep_initialisation(2, 16, 2, x.rng(17, 0))[0])


def test_too_few_widths_are_refused():
    assert START.violated(replace(remark_4_2_width.TWO, widths=(8, 16, 32))) == ["got widths 8, 16, 32"]


def test_exponents_of_known_power_laws():
    rng = np.random.default_rng(4)
    sizes = np.array([1.0, 10, 100, 1000, 10000])
    noisy = 3 * sizes[:, None] ** -0.5 * np.exp(0.1 * rng.standard_normal((5, 40)))
    low, middle, high = exponent(sizes, noisy, rng)
    assert low <= middle <= high
    assert low > -0.55
    assert high < -0.45
    assert exponent(sizes, 2 * sizes[:, None] ** 3.0 * np.ones((1, 3)), rng) == pytest.approx((3, 3, 3))
    with pytest.raises(ValueError, match="values must be"):
        exponent(sizes, np.ones((5, 1)), rng)
    with pytest.raises(ValueError, match="must be positive"):
        exponent(sizes, np.zeros((5, 2)), rng)


def test_ratios_of_known_medians():
    low, ratio, high = median_ratio([2.0, 2.0, 2.0], [4.0, 4.0, 4.0], np.random.default_rng(5))
    assert (low, ratio, high) == pytest.approx((0.5, 0.5, 0.5))
