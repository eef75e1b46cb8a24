"""Theorem 3.3 with the size of its proof: the proof's inequalities, tightness, exact failures, findings."""

from dataclasses import replace
from fractions import Fraction
from math import exp, log, sqrt

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import binom

from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.events import exact_failure
from theorems.checking.store import Store
from theorems.glss.leverage_strategies import diagonal_worlds
from theorems.glss.sampling_constructions import kernel, quantities
from theorems.glss.sampling_instances import COUPON_2, COUPON_8, NULL_ATOM
from theorems.glss.sampling_recipe import features_asked
from theorems.glss.sampling_worlds import JUST_ABOVE_A_HALF, SPIKY, TIGHT, diluted, more_worlds
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT as PRINTED
from theorems.glss.theorem_3_3_sharpened import STATEMENT, asked, instances, proved
from theorems.statement import Finding

SITTING = Sitting(seed=20201206, campaign=1, budget=4096)


def failure(x, m):
    return exact_failure(STATEMENT.conclusion.construction(x, m))


@pytest.mark.parametrize("x", instances("quick"), ids=lambda x: x.name)
def test_every_quick_instance_is_supported(x):
    with Store.memory() as store:
        record = hear(STATEMENT, replace(x, curve=False), place=1, nth=1, sitting=SITTING, store=store)
    assert record.verdict == Finding.SUPPORTED.value, record.because


@pytest.mark.parametrize("twin", STATEMENT.twins, ids=lambda t: t.name)
def test_every_twin_is_refuted(twin):
    with Store.memory() as store:
        record = hear_twin(STATEMENT, twin, place=1, nth=1, sitting=SITTING, store=store)
    assert record.verdict == Finding.REFUTED.value, record.because


@pytest.mark.parametrize("x", more_worlds(), ids=lambda x: x.name)
def test_more_worlds_lie_inside_the_printed_theorem_and_it_holds_on_them(x):
    assert PRINTED.violated(x) == []
    built = PRINTED.conclusion.construction(x, PRINTED.conclusion.size(x))
    assert exact_failure(built).upper <= x.delta


@pytest.mark.parametrize("x", instances("quick"), ids=lambda x: x.name)
def test_the_size_is_the_least_integer_above_the_bound_at_fifty_digits(x):
    found = quantities(x)
    with mpmath.workdps(50):
        (s_low, s_high), (q_low, q_high) = found.s_lambda, found.s_q_tilde
        eps, delta = (mpmath.mpf(v.numerator) / v.denominator for v in (x.eps, x.delta))
        bounds = [
            2 * (1 + eps / 3) * q * mpmath.log(16 * s / delta) / eps**2
            for s, q in (
                (mpmath.mpf(v.numerator) / v.denominator for v in pair) for pair in ((s_low, q_low), (s_high, q_high))
            )
        ]
    assert int(mpmath.ceil(bounds[0])) <= STATEMENT.conclusion.size(x) <= int(mpmath.ceil(bounds[1])) + 1
    if s_low == s_high:
        assert STATEMENT.conclusion.size(x) == int(mpmath.ceil(bounds[0]))


@given(STATEMENT.strategy())
def test_the_steps_of_the_proof_hold_in_every_corner(x):
    """Range of the Bernstein inequality, its bound at the size asked, and mu <= s_lambda <= s_q_tilde."""
    assert STATEMENT.violated(x) == []
    found, m = quantities(x), STATEMENT.conclusion.size(x)
    top = float(np.linalg.eigvalsh(kernel(x)[0])[-1])
    mu, s_lambda, s, eps = top / (top + float(x.lam)), *map(float, (found.s_lambda[0], found.s_q_tilde[0], x.eps))
    assert mu <= s_lambda * (1 + 1e-12)
    assert s_lambda <= s * (1 + 1e-12)
    assert mu >= 0.5
    assert sqrt(s * mu / m) + s / (3 * m) <= eps
    bound = 8 * s_lambda / mu * exp(-m * eps**2 / (2 * s * (mu + eps / 3)))
    assert bound <= float(x.delta) * (1 + 1e-9)


@settings(max_examples=25)
@given(diagonal_worlds())
def test_enumerated_failures_stay_below_delta(x):
    assert STATEMENT.violated(x) == []
    assert failure(x, STATEMENT.conclusion.size(x)).upper <= x.delta


@given(diagonal_worlds())
def test_it_asks_for_no_more_than_the_print_where_s_q_tilde_is_at_least_one(x):
    found = quantities(x)
    if found.s_q_tilde[0] >= 1 and x.eps < Fraction(1, 2):
        assert asked(proved, found)[0] <= features_asked(found)[1]


# ------------------------------------------------------------------------------------------------------ references


def test_part_E_least_size_of_the_tight_family():
    """m* = 651,074 was measured in the limit lambda -> 0."""
    lam = Fraction(1, 10**15)
    x = diluted("limit", "limit", Fraction(100), eps=TIGHT.eps, delta=TIGHT.delta, lam=lam)
    assert failure(x, 651_074).upper <= x.delta
    assert failure(x, 651_073).lower > x.delta


def test_the_constant_is_within_four_percent_of_the_least_that_works():
    m = STATEMENT.conclusion.size(TIGHT)
    assert failure(TIGHT, m).upper <= TIGHT.delta
    assert failure(TIGHT, int(m / 1.04)).lower > TIGHT.delta


def test_enumeration_agrees_with_binomial_tails():
    x, m = NULL_ATOM, 100
    box = STATEMENT.conclusion.construction(x, m).box
    tails = binom.cdf(box.low[0] - 1, m, float(box.law[0])) + binom.sf(box.high[0], m, float(box.law[0]))
    assert float(failure(x, m).upper) == pytest.approx(tails, rel=1e-10)


def test_a_smaller_corner_than_the_cited_lemma_reaches():
    """E10: with s_q_tilde < 1 the printed logarithm is the smaller one, and the sharpened size needs no case."""
    found = quantities(JUST_ABOVE_A_HALF)
    assert found.s_q_tilde[0] < 1
    assert 16 * float(found.s_q_tilde[0] * found.s_lambda[0]) < 16 * float(found.s_lambda[0])
    m = STATEMENT.conclusion.size(JUST_ABOVE_A_HALF)
    s, eps = float(found.s_q_tilde[0]), 0.3
    assert m == -int(-(2 * (1 + eps / 3) * s * log(16 * float(found.s_lambda[0]) / 0.1) / eps**2) // 1)
    assert failure(JUST_ABOVE_A_HALF, m).upper < Fraction(1, 10**30)


# ------------------------------------------------------------------------------------------------------ hypotheses


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"eps": Fraction(1)}, "eps must lie in (0, 1), got eps = 1"),
        ({"eps": Fraction(0)}, "eps must lie in (0, 1), got eps = 0"),
        ({"lam": Fraction(1)}, "lambda must be below ||K||"),
        ({"tau_tilde": (Fraction(1), Fraction(1))}, "q_tilde must be at least q_lambda"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(change, clause):
    assert any(clause in fault for fault in STATEMENT.violated(replace(COUPON_2, **change)))


def test_an_accuracy_beyond_the_print_is_inside():
    coarse = replace(COUPON_8, eps=Fraction(99, 100))
    assert STATEMENT.violated(coarse) == []
    assert PRINTED.violated(coarse) != []


def test_a_dilution_below_the_statistical_dimension_is_refused():
    with pytest.raises(ValueError, match="S must exceed s_lambda"):
        diluted("x", "x", Fraction(1, 2), eps=Fraction(1, 2), delta=Fraction(1, 2), lam=Fraction(1, 2))


def test_the_spike_is_where_it_matters_least():
    tau = SPIKY.features.leverage(SPIKY.lam)
    ratio = [high / low for high, low in zip(SPIKY.tau_tilde, tau, strict=True)]
    assert ratio[tau.index(min(tau))] == 1000 == max(ratio)
