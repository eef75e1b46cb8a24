"""The statements of AKM+17: reference values, other routes to every number, drawn instances, every false neighbour."""

from dataclasses import replace
from fractions import Fraction
from math import comb, exp, log, sqrt

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.enclosed_features import gaussian_enclosed
from reference.fourier_enclosures import line_leverage, line_leverage_integral
from reports.mathematics import pieces
from theorems.akm17 import (
    corollary_6_statistical_dimension,
    lemma_2_risk,
    lemma_7_matrix_concentration,
    lemma_8_leverage_sampling,
    lemma_14_leverage_as_minimum,
    lemma_15_leverage_as_maximum,
    proposition_4_leverage_bounds,
    proposition_5_integral_of_the_leverage,
    theorem_9_plain_features,
)
from theorems.akm17.fourier_worlds import LINE, ORTHOGONAL, PYTHAGOREAN, RARE, STANDING, gaussian_line
from theorems.akm17.matrix_means import COUPON_DRAWS, RARE_EVENT, SIGNS, failure_probability, one_draw_of
from theorems.akm17.primal_dual_instances import QUARTER_TURNS, UNEVEN
from theorems.checking.claims import decide
from theorems.checking.events import answers as event_answers
from theorems.checking.exact_probability import binomial_leaves_interval, multinomial_leaves_box
from theorems.glss.approximation_instances import FLAT_TAIL, LINEAR
from theorems.glss.sampling_constructions import quantities
from theorems.glss.sampling_instances import SPIKE, line_grid
from theorems.statement import Answer

DECIDED = [
    module.STATEMENT
    for module in (
        lemma_2_risk,
        proposition_4_leverage_bounds,
        proposition_5_integral_of_the_leverage,
        corollary_6_statistical_dimension,
        lemma_7_matrix_concentration,
        lemma_14_leverage_as_minimum,
        lemma_15_leverage_as_maximum,
    )
]
SAMPLED = [module.STATEMENT for module in (lemma_8_leverage_sampling, theorem_9_plain_features)]


def answers(conclusion, x):
    return {decide(claim).answer for claim in conclusion.claims(x)}


def floats(M):
    return np.array([[float(v) for v in row] for row in M])


@pytest.mark.parametrize("statement", DECIDED, ids=lambda s: s.id)
@given(data=st.data())
def test_a_drawn_instance_meets_the_hypotheses_and_every_claim(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    assert answers(statement.conclusion, x) == {Answer.IN}


@pytest.mark.parametrize("statement", DECIDED, ids=lambda s: s.id)
def test_every_catalogued_instance_holds(statement):
    for x in statement.instances("ci"):
        assert statement.violated(x) == []
        assert answers(statement.conclusion, x) == {Answer.IN}, x.name


@pytest.mark.parametrize("statement", DECIDED, ids=lambda s: s.id)
def test_every_twin_is_false_on_an_instance_inside_the_hypotheses(statement):
    assert len(statement.twins) >= 3
    for twin in statement.twins:
        assert statement.violated(twin.refuted_on, without=twin.without) == []
        assert Answer.OUT in answers(twin.conclusion, twin.refuted_on), twin.name


@pytest.mark.parametrize("statement", [*DECIDED, *SAMPLED], ids=lambda s: s.id)
def test_the_page_can_draw_the_sentence_and_profiles_grow(statement):
    assert pieces(statement.says)
    names = [[x.name for x in statement.instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2][: len(names[1])] == names[1]


# ---------------------------------------------------------------------------------------------------- Lemma 2


def test_t50_a_risk_of_the_flat_tail():
    _, kept = lemma_2_risk.STATEMENT.conclusion.claims(FLAT_TAIL)
    assert float(kept.left) == pytest.approx(0.0998, abs=5e-5)
    twin = next(t for t in lemma_2_risk.STATEMENT.twins if t.name == "additive_term_dropped")
    _, broken = twin.conclusion.claims(FLAT_TAIL)
    assert float(broken.right) == pytest.approx(0.0556, abs=5e-5)


def test_the_risk_formula_is_the_mean_squared_error_of_a_simulation():
    K, f = floats(LINEAR.K), np.array([float(y) for y in LINEAR.Y])
    smoother = np.linalg.solve(K + float(LINEAR.lam) * np.eye(2), K)
    noise = np.random.default_rng(19).standard_normal((40000, 2))
    errors = (((f + noise) @ smoother.T - f) ** 2).mean(axis=1)
    expected = float(lemma_2_risk.risk(LINEAR.K, LINEAR.lam, LINEAR.Y, Fraction(1)))
    assert abs(errors.mean() - expected) < 6 * errors.std() / sqrt(len(errors))


# --------------------------------------------------------------------------------- Propositions 4, 5, Corollary 6


def test_d4_one_point_has_leverage_one_over_one_plus_lambda_everywhere():
    x = gaussian_line("x", "x", (0.5,), Fraction(1, 3))
    for low, high in line_leverage(x.X, x.sigma, x.lam, x.frequencies):
        assert low <= Fraction(3, 4) <= high
        assert high - low < Fraction(1, 10**30)


def test_d4_two_points_in_closed_form():
    gap, lam = mpmath.mpf("0.75"), mpmath.mpf("0.125")
    x = gaussian_line("x", "x", (0.25, 1.0), Fraction(1, 8))
    with mpmath.workdps(40):
        k = mpmath.exp(-(gap**2) / 2)
        for w, (low, high) in zip(x.frequencies, line_leverage(x.X, 1.0, x.lam, x.frequencies), strict=True):
            turn = mpmath.cos(2 * mpmath.pi * mpmath.mpf(w.numerator) / w.denominator * gap)
            tau = (2 * (1 + lam) - 2 * k * turn) / ((1 + lam) ** 2 - k**2)
            assert abs(tau - mpmath.mpf(low.numerator) / low.denominator) < mpmath.mpf(10) ** -30
            assert low < high
        s = (2 * (1 + lam) - 2 * k**2) / ((1 + lam) ** 2 - k**2)
        low, high = gaussian_enclosed(x.X, 1.0).statistical_dimension(x.lam)
        assert abs(s - mpmath.mpf(low.numerator) / low.denominator) < mpmath.mpf(10) ** -30


@pytest.mark.parametrize("sigma", [0.25, 1.0, 3.0])
def test_the_trapezoidal_rule_agrees_with_quadrature_within_its_error(sigma):
    low, high = line_leverage_integral(LINE.X, sigma, LINE.lam)
    assert high - low < Fraction(1, 10**12)
    X = [mpmath.mpf(float(v)) for v in LINE.X[:, 0]]
    with mpmath.workdps(30):
        K = mpmath.matrix(len(X), len(X))
        for i, a in enumerate(X):
            for j, b in enumerate(X):
                K[i, j] = mpmath.exp(-((a - b) ** 2) / (2 * sigma**2))
        inverse = (K + mpmath.eye(len(X)) / 10) ** -1
        width = 1 / (2 * mpmath.pi * sigma)

        def q(w):
            tau = sum(
                inverse[i, j] * mpmath.cos(2 * mpmath.pi * w * (a - b))
                for i, a in enumerate(X)
                for j, b in enumerate(X)
            )
            return tau * mpmath.npdf(w, 0, width)

        integral = 2 * mpmath.quad(q, [k * width for k in range(13)])
    assert float(low) - 1e-12 <= float(integral) <= float(high) + 1e-12


@pytest.mark.parametrize(
    ("call", "clause"),
    [
        (lambda: line_leverage([[0.0]], 1.0, 0, [0]), "lam must be positive, got lam = 0"),
        (lambda: line_leverage([[0.0, 1.0]], 1.0, 1, [0]), "X must have one column, got 2"),
    ],
)
def test_data_off_the_line_are_refused(call, clause):
    with pytest.raises(ValueError, match=clause):
        call()


def test_leverage_bounds_are_attained():
    tau = STANDING.features.leverage(STANDING.lam)
    assert tau == [Fraction(3, 4)]  # n / (n + lam) = 3/4
    assert ORTHOGONAL.features.leverage(Fraction(1)) == [Fraction(2)] * 4  # n / (1 + lam)


def test_fourier_worlds_have_the_kernel_of_their_frequencies():
    """K_ij = sum_k p_k cos(2 pi eta_k (x_i - x_j)) with the angles of the rational points."""
    angles = np.array([0, -np.arctan2(4, 3), np.arctan2(12, 5)])
    points = np.array([-1, 0, 1, 2, 5])
    gaps = np.subtract.outer(points, points)
    p = np.array([float(q) for q in PYTHAGOREAN.features.p])
    K = floats(PYTHAGOREAN.features.kernel())
    np.testing.assert_allclose(K[:5, :5], (p[:, None, None] * np.cos(angles[:, None, None] * gaps)).sum(axis=0))
    np.testing.assert_allclose(K[5:, :5], (p[:, None, None] * np.sin(angles[:, None, None] * gaps)).sum(axis=0))


def test_features_that_are_no_exponentials_are_refused():
    assert "features must be complex exponentials" in proposition_4_leverage_bounds.STATEMENT.violated(SPIKE)[0]


# ---------------------------------------------------------------------------------------------------- Lemma 7


def test_enumeration_agrees_with_binomial_tails():
    far = sum(comb(200, k) for k in range(201) if abs(2 * k - 200) >= 80)
    assert failure_probability(SIGNS) == Fraction(far, 2**200)
    tail = binomial_leaves_interval(10, Fraction(1, 100), 0, 3, exact=True)  # |N/10 - 1/100| >= 3/10 means N >= 4
    assert failure_probability(RARE_EVENT) == tail.lower


def test_enumeration_agrees_with_the_box_of_counts():
    """Y_r of three orthogonal directions: the mean errs by less than 1/2 when every count is in the open box."""
    value = COUPON_DRAWS.values[0][0][0]
    assert value * Fraction(1, 3) == Fraction(3, 4)
    inside = [k for k in range(41) if abs(k * value / 40 - Fraction(3, 4)) < COUPON_DRAWS.t]
    box = multinomial_leaves_box(40, COUPON_DRAWS.p, [min(inside)] * 3, [max(inside)] * 3, exact=True)
    assert failure_probability(COUPON_DRAWS) == box.lower


def test_the_bound_at_signs_by_hand():
    (claim,) = lemma_7_matrix_concentration.STATEMENT.conclusion.claims(SIGNS)
    assert float(claim.right[0]) == pytest.approx(8 * exp(-(200 * 0.16 / 2) / (1 + 2 * 0.4 / 3)))


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"t": Fraction(1, 100)}, "t must be at least sqrt(m(R)/n) + 2L/(3n), got t = 0.01"),
        ({"L": Fraction(1, 2)}, "||R|| must be at most L, got L = 1/2 at value 0"),
        ({"M1": ((Fraction(1, 2),),)}, "M1 must dominate the second moment"),
        ({"p": (Fraction(1, 2), Fraction(1, 3))}, "p must be positive and sum to 1"),
        ({"draws": 10**6}, "too many outcomes to enumerate, got 1000001"),
    ],
)
def test_a_broken_hypothesis_of_the_concentration_is_named(change, clause):
    faults = lemma_7_matrix_concentration.STATEMENT.violated(replace(SIGNS, **change))
    assert any(clause in f for f in faults), faults


def test_a_matrix_that_does_not_whiten_is_refused():
    with pytest.raises(ValueError, match="whitening must turn K"):
        one_draw_of(SPIKE.features, Fraction(1), (Fraction(1), Fraction(1)))


# ----------------------------------------------------------------------------------------- Lemma 8, Theorem 9


@pytest.mark.parametrize("statement", SAMPLED, ids=lambda s: s.id)
def test_sizes_are_the_formula_in_floats(statement):
    for x in statement.instances("quick"):
        found = quantities(x)
        whole = float(found.s_q_tilde[0]) if statement is SAMPLED[0] else x.features.n / float(x.lam)
        bound = 8 / 3 * whole * log(16 * float(found.s_lambda[0]) / 0.1) / float(x.eps) ** 2
        m = statement.conclusion.size(x)
        assert bound * (1 - 1e-12) <= m <= bound * (1 + 1e-12) + 1


@pytest.mark.parametrize("statement", SAMPLED, ids=lambda s: s.id)
@given(data=st.data())
def test_a_drawn_world_meets_the_hypotheses_and_its_mean_is_the_kernel(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    m = statement.conclusion.size(x)
    built = statement.conclusion.construction(x, m)
    assert m >= built.size_needed[1]
    assert decide(built.mean(np.random.default_rng(3))).answer is Answer.IN
    drawn = event_answers(built.draw(np.random.default_rng(5), 16))
    # at most delta = 1/10 each: more than 12 of 16 have probability below 1e-9
    assert (drawn == Answer.OUT).sum() <= 12


def test_lemma_8_holds_on_gaussian_data_and_asks_less_than_theorem_3_3():
    x, statement = line_grid(), SAMPLED[0]
    assert statement.violated(x) == []
    assert x in statement.instances("ci")
    found = quantities(x)
    printed = 3 * float(found.s_q_tilde[0]) * log(16 * float(found.s_q_tilde[0] * found.s_lambda[0]) / 0.1)
    assert statement.conclusion.size(x) < printed / float(x.eps) ** 2


def test_plain_features_are_drawn_from_p_with_weight_one():
    built = SAMPLED[1].conclusion.construction(RARE, 512)
    np.testing.assert_allclose(built.sampling.claimed, [255 / 256, 1 / 256])
    drawn = built.draw(np.random.default_rng(7), 4)
    np.testing.assert_allclose(np.einsum("bii->b", drawn.Kt), 4)  # |z| = 1 on two points, twice in the embedding


@pytest.mark.parametrize("statement", SAMPLED, ids=lambda s: s.id)
def test_every_twin_of_a_sampling_statement_fails_more_often_than_promised(statement):
    assert len(statement.twins) >= 3
    for twin in statement.twins:
        x = twin.refuted_on
        assert statement.violated(x, without=twin.without) == []
        built = twin.conclusion.construction(x, twin.conclusion.size(x))
        found = event_answers(built.draw(np.random.default_rng(29), 128))
        # a true statement fails at most 128/10 times on average; 40 has probability below 1e-9
        assert (found == Answer.OUT).sum() > 40, twin.name


def test_an_accuracy_above_one_half_is_outside_lemma_8():
    faults = SAMPLED[0].violated(replace(ORTHOGONAL, eps=Fraction(51, 100)))
    assert "Delta must lie in (0, 1/2], got Delta = 0.51" in faults


# ----------------------------------------------------------------------------------------- Lemmas 14 and 15


def test_the_minimum_is_found_by_least_squares_in_floats():
    """min_y ||Phi D y - z||^2 / lam + ||D^(1/2) y||^2 as one stacked least-squares problem."""
    x = UNEVEN
    p, Phi = np.array([float(q) for q in x.p]), np.array([[float(v[0]) for v in M] for M in x.phi])
    rows = np.vstack([Phi.T * p / sqrt(float(x.lam)), np.diag(np.sqrt(p))])
    target = np.concatenate([Phi[x.atom] / sqrt(float(x.lam)), np.zeros(2)])
    _, residual, _, _ = np.linalg.lstsq(rows, target, rcond=None)
    assert residual[0] == pytest.approx(float(x.leverage()))


def test_the_maximum_is_a_generalised_eigenvalue():
    x = QUARTER_TURNS
    p = np.array([float(q) for q in x.p])
    Z = np.array([[complex(M[i][0], M[3 + i][0]) for i in range(3)] for M in x.phi])
    A = (Z.T * p) @ Z.conj() + float(x.lam) * np.eye(3)
    z = Z[x.atom]
    root = np.linalg.cholesky(A)
    w = np.linalg.solve(root, z)
    assert np.vdot(w, w).real == pytest.approx(float(x.leverage()))


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"lam": Fraction(0)}, "lambda must be positive, got lambda = 0"),
        ({"p": (Fraction(1), Fraction(1))}, "p must be positive and sum to 1, got ['1', '1']"),
        ({"alpha": ((Fraction(0),), (Fraction(0),))}, "alpha must not be 0"),
    ],
)
def test_a_broken_hypothesis_of_the_characterisations_is_named(change, clause):
    faults = lemma_15_leverage_as_maximum.STATEMENT.violated(replace(UNEVEN, **change))
    assert any(clause in f for f in faults), faults
