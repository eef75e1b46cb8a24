"""Section 4's phases and Lemma 4.1: every constant against another route, every false neighbour, every instance."""

from dataclasses import replace
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf, owens_t

from reference.arithmetic import acos, ball, binomial_tails, enclose, reference_quad
from reference.gradient_descent import descend
from reference.relu_tangent import tangent_kernel
from reports.mathematics import pieces
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.events import Event
from theorems.checking.keys import digest
from theorems.checking.store import Store
from theorems.glss import (
    fitted_slopes,
    lemma_4_1_as_printed,
    lemma_4_1_explicit,
    section_4_initialization_kernel,
    section_4_initialization_second_moment,
    section_4_outputs_at_the_start,
    section_4_phase_exponents,
    section_4_radial_gauge,
    section_4_training_flip_counts,
    section_4_training_flips,
)
from theorems.glss import section_4_initialization_kernel as kernel_start
from theorems.glss import section_4_radial_gauge as gauge
from theorems.glss.networks_at_the_start import batch_of, pair_counts
from theorems.glss.section_4_training_flip_counts import inside
from theorems.glss.training_instances import I2
from theorems.statement import Answer, Finding

SITTING = Sitting(seed=20201206, campaign=1, budget=4096)
DECIDED = [
    module.STATEMENT
    for module in (
        section_4_initialization_second_moment,
        section_4_training_flips,
        section_4_radial_gauge,
        lemma_4_1_as_printed,
    )
]
SAMPLED = [
    module.STATEMENT
    for module in (
        section_4_initialization_kernel,
        section_4_training_flip_counts,
        section_4_outputs_at_the_start,
        lemma_4_1_explicit,
    )
]
RATE = section_4_phase_exponents.STATEMENT
ALL = [*DECIDED, *SAMPLED, RATE]


def answers(conclusion, x):
    return {decide(claim).answer for claim in conclusion.claims(x)}


# ------------------------------------------------------------------------------------------------ all of them


@pytest.mark.parametrize("statement", ALL, ids=lambda s: s.id)
def test_every_quick_instance_is_judged_as_declared(statement):
    with Store.memory() as store:
        for k, x in enumerate(statement.instances("quick"), start=1):
            record = hear(statement, x, place=60, nth=k, sitting=SITTING, store=store)
            assert record.verdict == statement.expected.value, (x.name, record.because, record.layers)


@pytest.mark.parametrize("statement", ALL, ids=lambda s: s.id)
def test_every_twin_is_refuted_on_an_instance_inside_the_hypotheses(statement):
    assert len(statement.twins) >= 3
    with Store.memory() as store:
        for k, twin in enumerate(statement.twins, start=1):
            assert statement.violated(twin.refuted_on, without=twin.without) == []
            record = hear_twin(statement, twin, place=60, nth=k, sitting=SITTING, store=store)
            assert record.verdict == Finding.REFUTED.value, (twin.name, record.because)


@pytest.mark.parametrize("statement", ALL, ids=lambda s: s.id)
def test_the_page_can_draw_the_sentence_and_profiles_grow(statement):
    assert pieces(statement.says)
    names = [[x.name for x in statement.instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2][: len(names[1])] == names[1]
    assert len(set(names[2])) == len(names[2])
    for x in statement.instances("night"):
        assert statement.violated(x) == []
        assert len(digest(x)) == 64


@pytest.mark.parametrize("statement", DECIDED, ids=lambda s: s.id)
@given(data=st.data())
def test_a_drawn_instance_is_decided_as_declared(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    found = answers(statement.conclusion, x)
    assert Answer.OUT in found if statement.expected is Finding.REFUTED else found == {Answer.IN}


@pytest.mark.parametrize("statement", SAMPLED[:3], ids=lambda s: s.id)
@given(data=st.data())
def test_a_drawn_construction_fits_together_and_fails_seldom(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    m = statement.conclusion.size(x)
    built = statement.conclusion.construction(x, m)
    assert built.size_needed[1] <= m < built.size_needed[1] + 1
    drawn = built.draw(np.random.default_rng(5), 8)
    assert (drawn.lower <= drawn.upper).all()
    if x.delta == Fraction(1, 1000):  # P[four failures of eight] <= 7e-11
        assert (drawn.lower > float(drawn.allowed[1])).sum() < 4


# ---------------------------------------------------------------------------------------- initialization phase


@pytest.mark.parametrize("X", [I2, np.array([[1.0, 2.0], [-1.0, -2.0], [0.0, 0.0], [3.0, 6.0]]), np.eye(3)])
def test_counts_of_cells_and_of_neurons_have_the_mean_of_the_kernel(X):
    """Six standard deviations of an indicator's mean, for each entry."""
    m, trials = 50, 400
    seen = pair_counts(X, m, np.random.default_rng(3), trials)
    wide = np.hstack([X, np.zeros((len(X), 4))])  # another dimension, the same cells
    W = np.random.default_rng(4).standard_normal((trials, m, wide.shape[1]))
    active = (W @ wide.T >= 0).astype(float)
    counted = active.swapaxes(1, 2) @ active
    for found in (seen, counted):
        mean = X @ X.T * found.mean(axis=0) / m
        assert (np.abs(mean - tangent_kernel(X)) <= np.abs(X @ X.T) * 3 / np.sqrt(m * trials) + 1e-12).all()


def test_orthogonal_data_fail_with_the_probability_of_independent_binomials():
    """Exact: two independent binomial counts. The frequency of 16384 trials lies within five standard deviations."""
    x = replace(kernel_start.PAIR, X=np.eye(2))
    m = kernel_start.STATEMENT.conclusion.size(x)
    low, high = int(np.ceil(m * 7 / 16)), int(np.floor(m * 9 / 16))
    one = float(binomial_tails(m, Fraction(1, 2), low, high, 128)[0])
    assert one == pytest.approx(sum(comb(m, k) for k in range(m + 1) if not low <= k <= high) / 2**m)
    both = 1 - (1 - one) ** 2
    built = kernel_start.STATEMENT.conclusion.construction(x, m)
    assert built.box is None
    failures = sum(
        int((Event(construction=built).run(np.random.default_rng(k), 1024).answers == Answer.OUT).sum())
        for k in range(16)
    )
    assert abs(failures / 16384 - both) < 5 * np.sqrt(both / 16384)
    assert both < x.delta


def test_on_a_line_the_trials_agree_with_the_box():
    x = kernel_start.LINE
    m = kernel_start.STATEMENT.conclusion.size(x)
    built = kernel_start.construct(x, m, kernel_start.Reading(allowed=lambda eps: eps / 3))
    exact = binomial_tails(m, Fraction(1, 2), built.box.low[0], built.box.high[0], 128)
    found = Event(construction=built).run(np.random.default_rng(8), 4096).answers
    p = float(exact[0])
    assert abs((found == Answer.OUT).mean() - p) < 5 * np.sqrt(p / 4096)


def test_the_mean_squared_distance_agrees_with_sampled_networks():
    x = section_4_initialization_second_moment.FAN
    X = np.array([[float(v) for v in row] for row in x.X])
    H = X @ X.T * pair_counts(X, x.m, np.random.default_rng(9), 200_000) / x.m
    squares = np.square(H - tangent_kernel(X)).sum(axis=(1, 2))
    [claim] = section_4_initialization_second_moment.STATEMENT.conclusion.claims(x)
    assert abs(squares.mean() - float(claim.right[0])) < 6 * squares.std() / np.sqrt(len(squares))


# ----------------------------------------------------------------------------------------------- training phase


@pytest.mark.parametrize("x", section_4_training_flips.instances("quick")[:4], ids=lambda x: x.name)
def test_the_event_by_owens_function(x):
    """P(near the wedge) = alpha/2pi + p/2 + theta/2pi (1 - e^(-R^2/2)) - (Q(R) - 2 T(R, cot(alpha/2)))."""
    R, theta = float(x.radius), float(acos(x.cosine)[0])
    p, opening = erf(R / 2**0.5), np.pi - theta
    inner = (1 - p) / 2 - 2 * owens_t(R, 1 / np.tan(opening / 2))
    expected = opening / (2 * np.pi) + p / 2 + theta / (2 * np.pi) * -np.expm1(-(R**2) / 2) - inner
    low, high = section_4_training_flips.event(x)
    assert high - low < Fraction(1, 10**30)
    assert float(low) == pytest.approx(expected, abs=1e-14)


def test_the_envelope_by_another_quadrature_and_the_reference_values():
    x = section_4_training_flips.RIGHT
    # at a right angle z_i and z_j are independent: 2 p (1 + p) / 2 - p^2 = p
    density = reference_quad(lambda s: 2.718281828459045 ** (-(s**2) / 2), [Fraction(-3, 10), Fraction(3, 10)], 20)
    assert float(section_4_training_flips.envelope(x)[0]) == pytest.approx(
        float(density) / (2 * np.pi) ** 0.5, abs=1e-14
    )
    measured = [0.2328, 0.2137, 0.1614]  # at right angles, 2.5 and 3.0
    found = [float(section_4_training_flips.event(y)[0]) for y in section_4_training_flips.instances("quick")[:3]]
    assert np.abs(np.subtract(found, measured)).max() < 5e-4


def test_the_event_and_the_envelope_by_sampled_neurons():
    """A neuron is within R of the boundary of {z_i >= 0, z_j >= 0} iff some nudge of length R changes the product."""
    x = section_4_training_flips.OBTUSE
    R, theta = float(x.radius), float(acos(x.cosine)[0])
    points = np.array([[1.0, 0.0], [np.cos(theta), np.sin(theta)]])
    rng = np.random.default_rng(6)
    w = rng.standard_normal((40_000, 2))
    turn = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    nudges = R * np.stack([np.cos(turn), np.sin(turn)])
    z = (w @ points.T)[:, :, None] + (points @ nudges)[None]
    product = (z >= 0).all(axis=1)
    before = (w @ points.T >= 0).all(axis=1)
    # the corner itself can be within reach of no direction that was tried
    changed = (product != before[:, None]).any(axis=1)
    held = inside(w @ points.T, np.array(R))[:, 0, 1]
    assert not (changed & ~held).any()
    p = float(section_4_training_flips.event(x)[0])
    assert abs(changed.mean() - p) < 5 * np.sqrt(p / len(w)) + 1e-3
    envelope = erf(R / 2**0.5)
    assert abs(held.mean() - envelope) < 5 * np.sqrt(envelope / len(w))


def test_the_constant_of_the_count():
    """Chernoff: Bin(m, c R) >= 2 R m has probability at most exp(-m R (2 ln(2/c) - (2 - c))), c = 2 / sqrt(2 pi)."""
    c = 2 / np.sqrt(2 * np.pi)
    assert 0.635 < 2 * np.log(2 / c) - (2 - c) < 0.6365


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=2), st.floats(0, 2))
def test_the_envelope_is_a_band_of_the_lower_one(z, R):
    assert inside(np.array(z), np.array(R))[0, 1] == (abs(min(z)) <= R)


@given(st.integers(0, 2**32))
def test_no_perturbation_leaves_the_envelope(seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((3, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    W, R = rng.standard_normal((200, 3)), 0.2
    moved = rng.standard_normal(W.shape)
    V = W + R * rng.random((200, 1)) * moved / np.linalg.norm(moved, axis=1, keepdims=True)
    before, after = W @ X.T >= 0, V @ X.T >= 0
    products = [s[:, :, None] & s[:, None, :] for s in (before, after)]
    assert not ((products[0] != products[1]) & ~inside(W @ X.T, np.array(R))).any()


def test_the_variance_of_the_outputs_seldom_exceeds_one():
    """P(S_i > 1) <= exp(-.0646 m): the moment generating function of sigma(g)^2 at s = .215, in balls."""
    low, high = enclose(
        lambda s: -(((-s).exp() * (ball(Fraction(1, 2), 128) + (1 - 2 * s).sqrt() ** -1 / 2)).log()),
        Fraction(215, 1000),
    )
    assert Fraction(646, 10**4) <= low <= high < Fraction(65, 1000)
    assert 16 * low >= 1  # so that 16 ln(6n/delta) neurons have it below delta/(6n)


# ------------------------------------------------------------------------------------------------- radial gauge


@pytest.mark.parametrize("x", [gauge.SQUARE_LEAP, gauge.TRIANGLE_PATH, gauge.PAIR_PATH], ids=lambda x: x.name)
def test_the_exact_path_is_the_float_trajectory(x):
    X, Y, W, a = (np.array(M, float) for M in (x.X, x.Y, x.W, x.a))
    run = descend(X, Y, W, a, kappa=float(x.kappa), lam=float(x.lam), step=float(x.step), steps=x.steps)
    last = x.networks()[-1].W.astype(float)
    np.testing.assert_allclose(float(x.decay) ** x.steps * run.v, last, rtol=1e-11, atol=1e-11)
    bounds = [float(high) for _, high in gauge.bounds(x, x.networks(), gauge.Reading())]
    assert (run.displacement <= np.array(bounds) + 1e-12).all()


def test_the_bound_is_attained_by_one_neuron_on_one_point():
    claims = [c for c in gauge.STATEMENT.conclusion.claims(gauge.LONE) if "v_r" in c.says]
    assert all(c.left == c.right for c in claims)
    assert len(claims) == 5


def test_neurons_are_thrown_over_somewhere():
    assert gauge.STATEMENT.conclusion.facts(gauge.SQUARE_LEAP)["flips"] > 0
    assert gauge.root(Fraction(4, 9)) == (Fraction(2, 3), Fraction(2, 3))
    low, high = gauge.root(Fraction(2))
    assert low < high
    assert low**2 < 2 < high**2


# ---------------------------------------------------------------------------------------------------- Lemma 4.1


def test_E6_all_items_fail_as_time_grows():
    """n = d = 1, x = Y = 1, m = 4096, lambda = 1/64: the movement grows beyond every accuracy, and H leaves H(0)."""
    rng = np.random.default_rng(1)
    W, a = rng.standard_normal((4096, 1)), rng.choice([-1.0, 1.0], 4096)
    settings = {"kappa": 1, "lam": 1 / 64, "step": 1, "kernels": True}
    moved, turned = [], []
    for T in (1, 10, 64, 640):
        run = descend(np.ones((1, 1)), np.ones(1), W, a, steps=T, **settings)
        w = (1 - 1 / 64) ** T * run.v
        moved.append(float(np.abs(w - W).max()))
        turned.append(float(np.abs(run.kernels[-1] - run.kernels[0]).max()))
    assert sorted(moved) == moved
    assert moved[-1] > 2
    assert turned[-1] > 0.2


def test_a_failing_neuron_is_one_that_sees_nothing():
    """The recipe by simulation: with lambda T >= 1 nearly all networks have a neuron that moves by more than Delta."""
    rng = np.random.default_rng(2)
    x = lemma_4_1_as_printed.ONE
    T, m = lemma_4_1_as_printed.setting(x, lemma_4_1_as_printed.Reading())
    lam = float(x.ridge) / m**0.5
    assert 0 < lam < 1 <= lam * T
    failed = 0
    for _ in range(50):
        W = rng.standard_normal((m, 1))
        run = descend(
            np.ones((1, 1)), np.ones(1), W, rng.choice([-1.0, 1.0], m), kappa=1, lam=lam, step=0.5, steps=2 * T
        )
        w = (1 - 0.5 * lam) ** (2 * T) * run.v
        failed += bool((np.abs(w - W) > float(x.accuracy)).any())
    assert failed == 50


@pytest.mark.parametrize("x", lemma_4_1_as_printed.STATEMENT.instances("night"), ids=lambda x: x.name)
def test_the_ridge_of_the_recipe_is_below_one(x):
    """At C = 10 and 1000 the width is 1, and lambda = 1 / sqrt m would be 1."""
    _, m = lemma_4_1_as_printed.setting(x, lemma_4_1_as_printed.Reading())
    assert lemma_4_1_as_printed.STATEMENT.violated(x) == []
    assert (m == 1) == (x.C > 1)
    for ridge in (Fraction(1, 10**9), Fraction(1)):
        faults = lemma_4_1_as_printed.STATEMENT.violated(replace(x, ridge=ridge))
        assert faults == (["lam must lie in (0, 1), got lam = 1 / sqrt(1)"] if ridge == m == 1 else [])


def test_failure_probability_of_the_recipe():
    low, high = lemma_4_1_as_printed.failure(Fraction(1, 10), 3)
    p = (1 - erf(0.2 / 2**0.5)) / 2
    assert float(low) == pytest.approx(1 - (1 - p) ** 3, abs=1e-14)
    assert high == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"X": np.array([[2.0]])}, "||x_i|| must be at most 1"),
        ({"Y": np.array([5.0])}, "|y_i| must be at most 1"),
        ({"m": 100}, "m must be at least"),
        ({"step": Fraction(8)}, "h (kappa^2 ||H_cts|| + lam) must be at most 1"),
    ],
)
def test_networks_outside_the_lemma_are_named(change, fault):
    faults = lemma_4_1_explicit.STATEMENT.violated(replace(lemma_4_1_explicit.POINT, **change))
    assert any(fault in f for f in faults), faults


# ---------------------------------------------------------------------------------------------------- exponents


@given(st.floats(-3, 3), st.integers(0, 2**32))
def test_a_power_law_has_its_exponent(exponent, seed):
    sizes = [10, 40, 200, 900, 5000]
    noise = np.exp(0.01 * np.random.default_rng(seed).standard_normal((3, 5)))
    noise[:, 2] *= 50  # one outlier does not move the median slope far
    values = np.array(sizes, float) ** exponent * noise
    found = fitted_slopes.slope_over(sizes, values, Fraction(0), Fraction(1, 4))
    assert found.lower <= found.upper
    assert abs((found.lower + found.upper) / 2 - exponent) < 1
    exact = fitted_slopes.slope_over(sizes, values / noise, Fraction(0), Fraction(1, 4))
    assert exact.lower == pytest.approx(exponent, abs=1e-9)
    assert exact.points == 5


def test_batches_are_powers_of_two():
    assert [batch_of(k) for k in (0, 1, 2**9, 2**15, 2**19, 2**30)] == [1024, 1024, 1024, 16, 1, 1]
