"""The proof of Theorem 3.3 step by step: reference values, other routes to every number, every false neighbour."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.exact_spectra import largest_eigenvalue, relative_difference, smallest_eigenvalue, spectral_error
from reference.finite_draws import finite_draws
from reference.finite_features import diagonal
from reports.mathematics import pieces
from theorems.checking.claims import decide
from theorems.checking.events import answers as event_answers
from theorems.glss import (
    equation_11_whitened_norm,
    equation_12_concentration,
    section_4_mean_of_a_draw,
    section_4_mean_of_a_draw_as_printed,
    section_4_norm_of_a_draw,
    section_4_norm_of_a_draw_as_printed,
    section_4_second_moment_of_a_draw,
)
from theorems.glss.approximation_instances import TINY, approximates
from theorems.glss.approximation_strategies import any_pairs
from theorems.glss.sampling_constructions import construct
from theorems.glss.sampling_instances import COUPON_3, LINEAR, NULL_ATOM, SPIKE, real_data
from theorems.glss.sampling_recipe import PAPER
from theorems.glss.sampling_strategies import finite_worlds
from theorems.glss.section_4_worlds import ROTATED, ROTATED_WHITENING, WASTEFUL, draws
from theorems.statement import Answer, Finding

DECIDED = [
    module.STATEMENT
    for module in (
        equation_11_whitened_norm,
        section_4_mean_of_a_draw,
        section_4_mean_of_a_draw_as_printed,
        section_4_norm_of_a_draw,
        section_4_norm_of_a_draw_as_printed,
        section_4_second_moment_of_a_draw,
    )
]
SAMPLED = equation_12_concentration.STATEMENT


def answers(conclusion, x):
    return {decide(claim).answer for claim in conclusion.claims(x)}


def floats(M):
    return np.array([[float(v) for v in row] for row in M])


@pytest.mark.parametrize("statement", [s for s in DECIDED if s.strategy], ids=lambda s: s.id)
@given(data=st.data())
def test_a_drawn_instance_meets_the_hypotheses_and_every_claim(statement, data):
    x = data.draw(statement.strategy())
    assert statement.violated(x) == []
    assert answers(statement.conclusion, x) == {Answer.IN}


@pytest.mark.parametrize("statement", DECIDED, ids=lambda s: s.id)
def test_every_catalogued_instance_is_decided_as_declared(statement):
    for x in statement.instances("ci"):
        assert statement.violated(x) == []
        found = answers(statement.conclusion, x)
        assert Answer.OUT in found if statement.expected is Finding.REFUTED else found == {Answer.IN}, x.name


@pytest.mark.parametrize("statement", DECIDED, ids=lambda s: s.id)
def test_every_twin_is_false_on_an_instance_inside_the_hypotheses(statement):
    assert len(statement.twins) >= 3
    for twin in statement.twins:
        assert statement.violated(twin.refuted_on, without=twin.without) == []
        assert Answer.OUT in answers(twin.conclusion, twin.refuted_on), twin.name


@pytest.mark.parametrize("statement", [*DECIDED, SAMPLED], ids=lambda s: s.id)
def test_the_page_can_draw_the_sentence_and_profiles_grow(statement):
    assert pieces(statement.says)
    names = [[x.name for x in statement.instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2][: len(names[1])] == names[1]


# ------------------------------------------------------------------------------------------------ equation (11)


def test_t11_whitening_by_the_kernel_alone_gives_norm_one_where_the_true_one_is_tiny():
    assert spectral_error(TINY.K, TINY.Kt, TINY.lam)[1] < Fraction(1, 1000)
    twin = next(t for t in equation_11_whitened_norm.STATEMENT.twins if t.name == "whitened_by_the_kernel_alone")
    held, claimed = twin.conclusion.claims(TINY)[0].left, twin.conclusion.claims(TINY)[0].right
    assert (held, claimed) == (1, 0)


@given(any_pairs())
def test_the_norm_agrees_with_an_eigenvalue_decomposition_in_floats(x):
    """Sigma^-1 V literally: K + lam I = V^T Sigma^2 V."""
    x = replace(x, lam=max(x.lam, Fraction(1, 1000)))
    squares, V_T = np.linalg.eigh(floats(x.K) + float(x.lam) * np.eye(len(x.K)))
    B = V_T.T / np.sqrt(squares)[:, None]
    norm = np.linalg.norm(B @ (floats(x.Kt) - floats(x.K)) @ B.T, 2)
    lower, upper = spectral_error(x.K, x.Kt, x.lam)
    assert upper - lower < Fraction(1, 2**40)
    assert float(lower) == pytest.approx(norm, rel=1e-8, abs=1e-9)
    assert approximates(x, upper)
    assert not approximates(x, lower - Fraction(1, 2**50))


def test_extreme_eigenvalues_of_a_known_matrix():
    M = [[Fraction(2), Fraction(1)], [Fraction(1), Fraction(2)]]
    assert largest_eigenvalue(M) == (3, 3)
    assert smallest_eigenvalue(M) == (1, 1)
    golden = largest_eigenvalue([[1, 1], [1, 0]], bits=80)
    assert golden[0] < golden[1]
    assert all((g * g - g - 1 > 0) == above for g, above in zip(golden, (False, True), strict=True))
    assert largest_eigenvalue([[0]]) == smallest_eigenvalue([[0]]) == (0, 0)
    assert largest_eigenvalue([[-5]]) == (-5, -5)


def test_a_ridge_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="relative_difference: lam must be positive, got lam = 0"):
        relative_difference([[1]], [[1]], 0)


# ------------------------------------------------------------------------------------------------- one draw


def test_t12_a_norm_of_a_wasteful_draw_exceeds_the_statistical_dimension():
    law = draws(WASTEFUL)
    trace = np.trace(law.A_inverse @ law.matrices[0])
    assert float(law.s_q_tilde) == pytest.approx(4.952, abs=5e-4)
    assert trace == law.s_q_tilde
    assert float(WASTEFUL.features.statistical_dimension(WASTEFUL.lam)) == pytest.approx(1.752, abs=5e-4)


def test_the_rotated_world_is_whitened_by_its_rational_matrix():
    law, B = draws(ROTATED), np.array(ROTATED_WHITENING, dtype=object)
    assert (np.eye(2, dtype=int) == B @ law.A @ B.T).all()
    Y = [B @ M @ B.T for M in law.matrices]
    norms = [np.linalg.norm(floats(y), 2) for y in Y]
    assert max(norms) <= float(law.s_q_tilde) * (1 + 1e-12)
    second = floats(sum(q * (y @ y) for q, y in zip(law.q_bar, Y, strict=True)))
    slack = np.linalg.eigvalsh(float(law.s_q_tilde) * np.diag([15 / 16, 3 / 4]) - second)
    assert slack.min() >= -1e-12


@given(finite_worlds())
def test_draws_are_those_of_the_construction(x):
    """The sampler of Theorem 3.3 draws from the same law with the same weights."""
    law, built = finite_draws(x.features, x.lam, x.tau_tilde), construct(x, 1, PAPER)
    np.testing.assert_allclose(built.sampling.claimed, [float(q) for q in law.q_bar], rtol=1e-12)
    assert float(law.s_q_tilde) == pytest.approx(built.facts["s_q_tilde"])
    mean = sum(q * M for q, M in zip(law.q_bar, law.matrices, strict=True))
    assert (mean == law.K).all()


@given(finite_worlds())
def test_norm_and_second_moment_agree_with_floats(x):
    x = replace(x, lam=max(x.lam, Fraction(1, 1000)), tau_tilde=None)
    law = draws(x)
    B = np.linalg.inv(np.linalg.cholesky(floats(law.A)))
    Y = [B @ floats(M) @ B.T for M in law.matrices]
    s = float(law.s_q_tilde)
    assert max(np.linalg.norm(y, 2) for y in Y) <= s * (1 + 1e-9)
    second = sum(float(q) * y @ y for q, y in zip(law.q_bar, Y, strict=True))
    assert np.linalg.eigvalsh(s * B @ floats(law.K) @ B.T - second).min() >= -1e-8 * s


def test_a_feature_that_is_never_drawn_must_vanish():
    with pytest.raises(ValueError, match="tau_tilde must be positive where Phi is not 0, got 0 at feature 1"):
        finite_draws(diagonal((1, 1)), 1, (Fraction(1), Fraction(0)))
    with pytest.raises(ValueError, match="nothing to draw"):
        finite_draws(diagonal((0, 0)), 1)


def test_s_q_bar_as_printed_is_one_and_the_draw_is_ten():
    law = draws(NULL_ATOM)
    assert (sum(law.q_bar), law.s_q_tilde) == (1, 10)
    assert np.trace(law.A_inverse @ law.matrices[0]) == 10 * Fraction(1000, 1001)


def test_other_kinds_of_data_have_no_single_draws():
    with pytest.raises(TypeError, match="no draws are known for a TangentData"):
        section_4_norm_of_a_draw.STATEMENT.conclusion.claims(real_data(32)[0])


def test_e5_the_printed_products_at_a_quarter_turn():
    x = section_4_mean_of_a_draw_as_printed.QUARTER_TURN
    claims = section_4_mean_of_a_draw_as_printed.STATEMENT.conclusion.claims(x)
    z = np.array([1, -1j])
    for claim, part in zip(claims, (np.real, np.imag), strict=True):
        np.testing.assert_array_equal(floats(claim.left), part(np.outer(z, z)))
        np.testing.assert_array_equal(floats(claim.right), part(np.outer(z, z.conj())))


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"p": (Fraction(1, 2),)}, "p must be positive and sum to 1"),
        ({"imaginary": ((Fraction(0), Fraction(2)),)}, "|phi| must be 1, got |phi|^2 in ['1', '4']"),
    ],
)
def test_complex_features_outside_the_remark_are_named(change, clause):
    statement = section_4_mean_of_a_draw_as_printed.STATEMENT
    faults = statement.violated(replace(section_4_mean_of_a_draw_as_printed.QUARTER_TURN, **change))
    assert any(clause in f for f in faults), faults


# ------------------------------------------------------------------------------------------------ equation (12)


@pytest.mark.parametrize("x", [COUPON_3, SPIKE, LINEAR], ids=lambda x: x.name)
@pytest.mark.parametrize("m", [5, 40])
def test_the_whitened_event_is_the_event_of_theorem_3_3(x, m):
    """Same generator, same draws: (12) and (5) must be answered alike, failures included."""
    whitened = SAMPLED.conclusion.construction(x, m)
    direct = construct(x, m, PAPER)
    found = event_answers(whitened.draw(np.random.default_rng(17), 100))
    expected = event_answers(direct.draw(np.random.default_rng(17), 100))
    assert (found == expected)[found != Answer.UNSURE].all()
    assert (found == Answer.UNSURE).sum() <= 2
    assert Answer.OUT in found or m == 40


@given(finite_worlds(), st.integers(0, 2**32))
def test_the_whitened_event_is_never_answered_otherwise_on_drawn_worlds(x, seed):
    assert SAMPLED.violated(x) == []
    x = replace(x, lam=max(x.lam, Fraction(1, 10**6)))
    m = 12
    found = event_answers(SAMPLED.conclusion.construction(x, m).draw(np.random.default_rng(seed), 8))
    expected = event_answers(construct(x, m, PAPER).draw(np.random.default_rng(seed), 8))
    assert ((found == expected) | (found == Answer.UNSURE)).all()


@pytest.mark.parametrize("twin", SAMPLED.twins, ids=lambda t: t.name)
def test_every_twin_of_the_concentration_fails_in_most_trials(twin):
    x = twin.refuted_on
    assert SAMPLED.violated(x, without=twin.without) == []
    built = twin.conclusion.construction(x, twin.conclusion.size(x))
    found = event_answers(built.draw(np.random.default_rng(23), 64))
    assert (found == Answer.OUT).sum() > 32
