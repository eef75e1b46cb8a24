import math
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from theorems.checking.sampler_law import (
    detectable_divergence,
    divergence,
    draws_needed,
    law_log_wealth,
    probabilities,
    regret,
)

LINE = math.log(1e6)
SPIKE = [Fraction(1, 64)] * 7 + [Fraction(57, 64)]

laws = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(lambda w: [Fraction(x, sum(w)) for x in w])


def compositions(n, parts):
    if parts == 1:
        yield (n,)
        return
    for k in range(n + 1):
        for rest in compositions(n - k, parts - 1):
            yield (k, *rest)


def chance(counts, q):
    left, result = sum(counts), Fraction(1)
    for k, p in zip(counts, q, strict=True):
        result *= comb(left, k) * p**k
        left -= k
    return result


def one_by_one(draws, q):
    """The same wealth as a product of predictions (n_j + 1/2)/(n + J/2) over q_j, in exact rationals."""
    seen, wealth = [0] * len(q), Fraction(1)
    for j in draws:
        wealth *= (seen[j] + Fraction(1, 2)) / (sum(seen) + Fraction(len(q), 2)) / q[j]
        seen[j] += 1
    return wealth


# --- validity


@given(laws, st.integers(0, 6))
@settings(deadline=None)
def test_expected_wealth_is_one(q, n):
    total = math.fsum(float(chance(c, q)) * math.exp(law_log_wealth(c, q)) for c in compositions(n, len(q)))
    assert total == pytest.approx(1, abs=1e-11)


@given(laws, st.data())
@settings(deadline=None)
def test_the_closed_form_is_the_product_of_predictions(q, data):
    draws = data.draw(st.lists(st.integers(0, len(q) - 1), max_size=12))
    counts = np.bincount(draws, minlength=len(q)) if draws else np.zeros(len(q), int)
    assert law_log_wealth(counts, q) == pytest.approx(math.log(one_by_one(draws, q)), abs=1e-11)


def test_an_impossible_draw_refutes_at_once():
    q = [Fraction(1, 2), Fraction(0), Fraction(1, 2)]
    assert law_log_wealth([3, 1, 2], q) == math.inf
    assert law_log_wealth([3, 0, 2], q) == law_log_wealth([3, 2], [0.5, 0.5])


def test_a_certain_law_says_nothing():
    assert law_log_wealth([40], [1]) == pytest.approx(0, abs=1e-12)


def test_a_poisoned_mixture_is_caught():
    """Fitting the law to the draws first (maximum likelihood) has expected wealth far above 1."""
    q = [Fraction(1, 3)] * 3
    fitted = sum(float(chance(c, q)) * math.prod((k / 6 / (1 / 3)) ** k for k in c) for c in compositions(6, 3))
    assert fitted > 3


# --- twins


@pytest.mark.parametrize(
    ("truth", "within"),
    [
        ([Fraction(1, 8)] * 8, 50),  # uniform sampling where leverage is claimed
        ([*SPIKE[1:7], SPIKE[7], SPIKE[0]], 50),  # categories mixed up
    ],
)
def test_a_wrong_sampler_is_refuted(truth, within):
    rng = np.random.default_rng(20201206)
    counts = rng.multinomial(within, [float(x) for x in truth])
    assert law_log_wealth(counts, SPIKE) > LINE


def test_the_claimed_sampler_is_not_refuted():
    rng = np.random.default_rng(20201206)
    draws = rng.choice(8, size=3000, p=[float(x) for x in SPIKE])
    seen = [law_log_wealth(np.bincount(draws[:n], minlength=8), SPIKE) for n in range(1, 3000, 7)]
    assert max(seen) < LINE


# --- the regret


@pytest.mark.parametrize("categories", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 9])
def test_the_regret_is_the_worst_loss_and_is_attained(n, categories):
    uniform = [Fraction(1, categories)] * categories
    losses = []
    for counts in compositions(n, categories):
        best = sum(k * math.log(k / n * categories) for k in counts if k)
        losses.append(best - law_log_wealth(counts, uniform))
    assert max(losses) == pytest.approx(regret(n, categories), abs=1e-11)


# --- power


@given(laws, laws, st.integers(1, 2000), st.floats(0.05, 0.95))
@settings(deadline=None)
def test_a_detectable_divergence_is_detected(truth, q, draws, power):
    if len(truth) == len(q) and divergence(truth, q) >= detectable_divergence(draws, len(q), 1e-4, power) * (1 + 1e-9):
        assert draws_needed(truth, q, 1e-4, power) <= draws


def test_the_detectable_divergence_solves_the_bound_at_one_half():
    n, categories, alpha, power = 80, 5, 1e-4, 0.9
    least = detectable_divergence(n, categories, alpha, power)
    miss = math.exp((regret(n, categories) - math.log(alpha)) / 2 - n * least / 2)
    assert miss == pytest.approx(1 - power)


@pytest.mark.parametrize("power", [0.3, 0.9])
@pytest.mark.parametrize(
    ("truth", "q"),
    [([0.5, 0.5], [0.25, 0.75]), ([0.0, 1.0], [0.25, 0.75]), ([0.25, 0.75], [0.0, 1.0]), ([0.25, 0.75], [0.5, 0.5])],
)
def test_the_promised_power_is_there_exactly(truth, q, power):
    n = draws_needed(truth, q, 1e-3, power)
    refuted = [law_log_wealth([k, n - k], q) >= math.log(1e3) for k in range(n + 1)]
    assert binom.pmf(np.arange(n + 1), n, truth[0])[refuted].sum() >= power


def test_the_price_is_near_the_kullback_leibler_bound():
    truth, q = [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]
    n = draws_needed(truth, q, 1e-6, 0.5)
    kl = sum(p * math.log(p / x) for p, x in zip(truth, q, strict=True))
    assert LINE / kl < n < 1.6 * (LINE + regret(n, 3)) / kl


@given(laws, laws)
def test_the_divergence_is_below_kullback_leibler_and_zero_on_the_diagonal(p, q):
    assert divergence(p, p) == pytest.approx(0, abs=1e-14)
    if len(p) == len(q):
        kl = sum(float(x) * math.log(x / y) for x, y in zip(p, q, strict=True))
        assert 0 <= divergence(p, q) <= kl + 1e-14


def test_disjoint_laws_are_infinitely_far():
    assert divergence([1, 0], [0, 1]) == math.inf
    assert draws_needed([1, 0], [0, 1], 1e-6, 0.999) == 1


# --- at the door


@pytest.mark.parametrize(
    ("q", "says"),
    [
        ([], "q must be probabilities"),
        ([1.5, -0.5], "q must be probabilities"),
        ([math.nan, 1.0], "q must be probabilities"),
        ([math.inf, 0.0], "q must be probabilities"),
        ([Fraction(1, 3), Fraction(1, 3)], "must sum to 1, got a sum of 0.666"),
        ([0.5, 0.5 + 1e-12], "must sum to 1"),
    ],
)
def test_what_is_no_law_is_refused(q, says):
    with pytest.raises(ValueError, match=says):
        law_log_wealth([1] * len(q), q)


def test_floats_may_miss_one_by_rounding_and_fractions_may_not():
    assert probabilities("here", [0.1] * 10).sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="here: q must sum to 1"):
        probabilities("here", [Fraction(1, 10)] * 9 + [Fraction(1, 10) + Fraction(1, 2**60)])


@pytest.mark.parametrize("counts", [[1, 2, 3], [1.0, 2.0], [-1, 2], [[1, 2]]])
def test_what_are_no_counts_is_refused(counts):
    with pytest.raises(ValueError, match="counts must be 2 integers >= 0"):
        law_log_wealth(counts, [0.5, 0.5])


def test_out_of_range_arguments_are_named():
    with pytest.raises(ValueError, match="another law than q"):
        draws_needed([0.5, 0.5], [0.5, 0.5], 0.1, 0.5)
    with pytest.raises(ValueError, match="another law than q"):
        draws_needed([0.5, 0.5], [1.0], 0.1, 0.5)
    with pytest.raises(ValueError, match="too close to tell apart"):
        draws_needed([0.5, 0.5], [0.5 + 1e-16, 0.5 - 1e-16], 0.1, 0.5)
    with pytest.raises(ValueError, match="alpha and power must be in"):
        draws_needed([1, 0], [0, 1], 0, 0.5)
    with pytest.raises(ValueError, match="got 0 and 3"):
        detectable_divergence(0, 3, 0.1, 0.5)
    with pytest.raises(ValueError, match="alpha and power must be in"):
        detectable_divergence(5, 3, 0.1, 1)
    with pytest.raises(ValueError, match="one length, got 1 and 2"):
        divergence([1], [0.5, 0.5])


def test_every_sequence_counts_the_same_whatever_its_order():
    q = [Fraction(1, 4), Fraction(3, 4)]
    for draws in product((0, 1), repeat=5):
        assert one_by_one(draws, q) == one_by_one(sorted(draws), q)
