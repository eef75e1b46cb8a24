"""Theorem 3.3 with the operator norm: the norm itself by another route, the gain, exact probabilities, findings."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from reference.operator_leverage import dominates_feature, operator_leverage
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.store import Store
from theorems.glss.leverage_instances import NEURONS, TWO_BY_THREE
from theorems.glss.sampling_constructions import construct, kernel, quantities
from theorems.glss.sampling_instances import COMPLEX, COUPON_8, in_the_plane
from theorems.glss.sampling_recipe import PAPER
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT as PRINTED
from theorems.glss.theorem_3_3_operator_norm import ALL_AT_ONCE, EIGHT, MANY_AND_ONE, PAIRS, STATEMENT, instances
from theorems.statement import Finding

SITTING = Sitting(seed=20201206, campaign=1, budget=4096)


@pytest.mark.parametrize("x", instances("quick"), ids=lambda x: x.name)
def test_every_quick_instance_is_supported(x):
    with Store.memory() as store:
        record = hear(STATEMENT, x, place=1, nth=1, sitting=SITTING, store=store)
    assert record.verdict == Finding.SUPPORTED.value, record.because


@pytest.mark.parametrize("twin", STATEMENT.twins, ids=lambda t: t.name)
def test_every_twin_is_refuted(twin):
    with Store.memory() as store:
        record = hear_twin(STATEMENT, twin, place=1, nth=1, sitting=SITTING, store=store)
    assert record.verdict == Finding.REFUTED.value, record.because


@given(STATEMENT.strategy())
def test_drawn_worlds_meet_every_hypothesis_and_what_the_proof_uses(x):
    assert STATEMENT.violated(x) == []
    found = quantities(x)
    top = float(np.linalg.eigvalsh(kernel(x)[0])[-1])
    assert top / (top + float(x.lam)) <= float(found.s_q_tilde[0]) * (1 + 1e-12)
    # rounding up to 2^-6 aside, the norm is never dearer than the trace
    assert found.s_q_tilde[0] <= found.s_lambda[0] + Fraction(1, 2**6)


@settings(max_examples=30)
@given(STATEMENT.strategy())
def test_no_weighted_draw_exceeds_s_q_tilde(x):
    """(p/q_bar) G_j = s_q_tilde / t_j G_j <= s_q_tilde (K + lam I); where t_j = 0 the feature vanishes."""
    for j, t in enumerate(x.tau_tilde):
        assert dominates_feature(x.features, j, x.lam, t)
        assert t > 0 or not any(map(any, x.features.grams[j]))


# ---------------------------------------------------------------------------------------------- the norm and its gain


@pytest.mark.parametrize("x", [NEURONS, TWO_BY_THREE], ids=lambda x: x.name)
def test_the_norm_is_that_of_the_small_matrix(x):
    """||Phi^T (K + lam I)^-1 Phi||, d2 x d2, in floats."""
    phi, p, lam = np.array(x.phi, dtype=float), np.array(x.p, dtype=float), float(x.lam)
    K = np.einsum("j,jik,jlk->il", p, phi, phi)
    inverse = np.linalg.inv(K + lam * np.eye(len(K)))
    features = next(y for y in instances("quick") if y.name == x.name).features
    for Phi, t in zip(phi, operator_leverage(features, x.lam, bits=20), strict=True):
        norm = np.linalg.norm(Phi.T @ inverse @ Phi, 2)
        assert norm - 1e-12 <= float(t) <= norm + 2**-20 + 1e-12


def test_rank_one_features_have_norm_and_trace_alike():
    tau = COMPLEX.features.leverage(COMPLEX.lam)
    for t, norm in zip(tau, operator_leverage(COMPLEX.features, COMPLEX.lam), strict=True):
        assert t <= norm < t + Fraction(1, 2**12)
    assert EIGHT.tau_tilde == tuple(COUPON_8.features.leverage(COUPON_8.lam))


def test_pairs_cost_half():
    found = quantities(PAIRS)
    assert found.s_q_tilde[0] == found.s_lambda[0] / 2
    assert any("q_tilde must be at least q_lambda" in fault for fault in PRINTED.violated(PAIRS))


def test_the_integral_may_fall_below_one_with_a_large_dimension():
    found = quantities(ALL_AT_ONCE)
    assert (found.s_q_tilde[0], found.s_lambda[0]) == (Fraction(23, 30), Fraction(16, 3))


def test_one_direction_of_thirty_one_is_drawn_half_the_time():
    law = construct(MANY_AND_ONE, 10, PAPER).sampling.claimed
    np.testing.assert_allclose(law, [0.5, 0.5])


# ------------------------------------------------------------------------------------------------------ hypotheses


def test_a_function_below_the_norm_is_named():
    low = replace(PAIRS, tau_tilde=tuple(t - Fraction(1, 10**9) for t in PAIRS.tau_tilde))
    assert any("q_tilde/p must be at least" in fault and "at feature 0" in fault for fault in STATEMENT.violated(low))


def test_other_kinds_of_features_and_ridges_are_named():
    assert "features must be finitely many, got a CellWorld" in STATEMENT.violated(in_the_plane()[0])
    assert STATEMENT.violated(replace(PAIRS, lam=Fraction(0)))[0] == "lambda must be positive, got lambda = 0"


@pytest.mark.parametrize("lam", [0, Fraction(-1, 2)])
def test_operator_leverage_needs_a_positive_ridge(lam):
    with pytest.raises(ValueError, match="lam must be positive"):
        operator_leverage(COUPON_8.features, lam)


def test_longer_profiles_begin_with_shorter_ones():
    names = [[x.name for x in STATEMENT.instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2] == names[1]
