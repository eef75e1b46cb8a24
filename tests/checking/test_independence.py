import math
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from theorems.checking.independence import (
    LAGS,
    STAKES,
    detectable_stickiness,
    draws_needed,
    independence_log_wealth,
)

LINE = math.log(1e6)
SKEW = [Fraction(1, 8), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2)]
RAMP = [Fraction(j, 36) for j in range(1, 9)]

laws = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(lambda w: [Fraction(x, sum(w)) for x in w])


def sticky(rng, q, n, lag, stickiness):
    fresh = rng.choice(len(q), size=n, p=[float(x) for x in q])
    for t in range(lag, n):
        if rng.random() < stickiness:
            fresh[t] = fresh[t - lag]
    return fresh


def first_refuted(draws, q):
    return next((n for n in range(1, len(draws) + 1) if independence_log_wealth(draws[:n], q) >= LINE), math.inf)


# --- validity


@given(laws, st.integers(0, 6))
@settings(deadline=None, max_examples=40)
def test_expected_wealth_is_one_for_every_law(q, n):
    total = math.fsum(
        float(math.prod(q[j] for j in draws)) * math.exp(independence_log_wealth(np.array(draws, int), q))
        for draws in product(range(len(q)), repeat=n)
    )
    assert total == pytest.approx(1, abs=1e-11)


def test_repetitions_taken_as_independent_are_caught():
    """The naive test bets at sum q^2 as if coincidences were independent: its expected wealth is above 1."""
    q, stake = [Fraction(1, 10), Fraction(9, 10)], Fraction(1, 2)
    level = sum(x * x for x in q)

    def naive(draws):
        wins = sum(a == b for a, b in pairwise(draws))
        return (1 + stake * (1 - level) / level) ** wins * (1 - stake) ** (len(draws) - 1 - wins)

    total = sum(math.prod(q[j] for j in draws) * naive(draws) for draws in product((0, 1), repeat=6))
    assert total > 1


def test_the_formula_by_hand():
    draws, q = [1, 1, 0], [Fraction(1, 4), Fraction(3, 4)]
    expected = 0.0
    for s in STAKES:
        expected += (1 + s * (1 / 4) / (3 / 4)) * (1 - s)  # lag 1: a repetition, then none
        expected += 1 - s  # lag 2: none
        expected += 2  # lags 3 and 4: nothing to compare yet
    assert independence_log_wealth(draws, q) == pytest.approx(math.log(expected / (len(LAGS) * len(STAKES))))


def test_no_draw_no_wealth_and_an_impossible_one_refutes():
    assert independence_log_wealth([], [1]) == pytest.approx(0, abs=1e-14)
    assert independence_log_wealth([0, 0, 0, 0, 0], [1]) == pytest.approx(0, abs=1e-14)
    assert independence_log_wealth([0, 1], [1, 0]) == math.inf


# --- twins


@pytest.mark.parametrize("q", [SKEW[:3] + SKEW[3:], RAMP, [Fraction(1, 20)] * 20])
def test_one_draw_repeated_is_refuted_within_thirty_draws(q):
    """Whatever the draw, unless it was likely to begin with: q_x <= 1/2."""
    for j in range(len(q)):
        assert first_refuted([j] * 30, q) <= 30


def test_blocks_of_four_are_refuted_within_forty_draws():
    rng = np.random.default_rng(20201206)
    q = [Fraction(1, 6)] * 6
    for _ in range(20):
        assert first_refuted(np.repeat(rng.integers(6, size=10), 4), q) <= 40


@pytest.mark.parametrize("lag", LAGS)
def test_other_lags_are_seen(lag):
    rng = np.random.default_rng(lag)
    assert first_refuted(sticky(rng, RAMP, 150, lag, 0.75), RAMP) <= 150


def test_independent_draws_are_not_refuted():
    rng = np.random.default_rng(20201206)
    for q in (SKEW, RAMP):
        draws = sticky(rng, q, 2000, 1, 0)
        assert max(independence_log_wealth(draws[:n], q) for n in range(1, 2000, 7)) < LINE


# --- power


@pytest.mark.parametrize(("lag", "stickiness"), [(1, 1.0), (1, 0.7), (2, 0.9), (3, 0.5)])
def test_the_promised_power_is_there(lag, stickiness):
    """At one look; a shortfall this large would have probability 1e-9 if the promise held."""
    rng, power, chains = np.random.default_rng(20201206), 0.9, 300
    n = draws_needed(stickiness, lag, RAMP, 1e-6, power)
    refuted = sum(independence_log_wealth(sticky(rng, RAMP, n, lag, stickiness), RAMP) >= LINE for _ in range(chains))
    assert binom.cdf(refuted, chains, power) > 1e-9


@pytest.mark.parametrize(("lag", "stickiness", "power"), [(1, 1.0, 0.3), (1, 0.8, 0.02), (2, 1.0, 0.1), (3, 1.0, 0.02)])
def test_the_recursion_is_the_sum_over_all_sequences(lag, stickiness, power):
    """The same Chernoff bound with E[prod f^-theta] written out; both must first keep the promise at one n."""
    q, alpha, thetas = np.array([0.2, 0.3, 0.5]), 0.9, np.geomspace(1 / 64, 1, 13)

    def log_bound(n):
        draws = np.array(list(product(range(3), repeat=n)))
        now, before = draws[:, lag:], draws[:, :-lag]
        same = now == before
        chance = q[draws[:, :lag]].prod(axis=1) * (stickiness * same + (1 - stickiness) * q[now]).prod(axis=1)
        bounds = []
        for s in STAKES:
            wealth = np.where(same, 1 + s * (1 - q[before]) / q[before], 1 - s).prod(axis=1)
            for theta in thetas:
                entry = theta * math.log(len(LAGS) * len(STAKES) / alpha)
                bounds.append(entry + math.log((chance * wealth**-theta).sum()))
        return min(bounds)

    n = draws_needed(stickiness, lag, q.tolist(), alpha, power)
    assert lag + 1 < n <= 9
    assert log_bound(n) <= math.log1p(-power) < log_bound(n - 1)


def test_stickier_chains_cost_less_and_stickiness_inverts_draws():
    costs = [draws_needed(s, 1, RAMP, 1e-6, 0.9) for s in (0.25, 0.5, 0.75, 1.0)]
    assert costs == sorted(costs, reverse=True)
    for lag, draws in ((1, 60), (4, 200)):
        least = detectable_stickiness(draws, lag, RAMP, 1e-6, 0.9)
        assert draws_needed(least, lag, RAMP, 1e-6, 0.9) <= draws
        with pytest.raises(ValueError, match="not refuted within most"):
            draws_needed(least - 1 / 64, lag, RAMP, 1e-6, 0.9, most=draws)


def test_the_price_of_one_draw_repeated():
    uniform = [Fraction(1, 20)] * 20
    assert draws_needed(1, 1, uniform, 1e-6, 0.999) <= 12
    assert draws_needed(1, 1, SKEW, 1e-6, 0.999) <= 40
    assert detectable_stickiness(10**4, 1, uniform, 1e-6, 0.9) < 0.1


def test_a_fair_price_for_a_mild_chain():
    """Within a factor two of log(1/alpha) over the growth of the best single bet."""
    q, s = [0.25] * 4, 0.5
    growth = 0.625 * math.log(0.625 / 0.25) + 0.375 * math.log(0.5)
    n = draws_needed(s, 1, q, 1e-6, 0.5)
    assert LINE / growth < n < 2 * LINE / growth


# --- at the door


@pytest.mark.parametrize("draws", [[2], [-1], [0.0], [[0]]])
def test_what_are_no_draws_is_refused(draws):
    with pytest.raises(ValueError, match=r"draws must be integers in 0 \.\. 1"):
        independence_log_wealth(draws, [0.5, 0.5])


@pytest.mark.parametrize(("stickiness", "lag"), [(0, 1), (1.1, 1), (0.5, 5), (0.5, 0), (math.nan, 1)])
def test_what_is_no_sticky_chain_is_refused(stickiness, lag):
    with pytest.raises(ValueError, match=f"got {lag} and {stickiness}"):
        draws_needed(stickiness, lag, [0.5, 0.5], 0.1, 0.5)


def test_what_cannot_be_seen_is_said():
    with pytest.raises(ValueError, match="draws = 3 refute no stickiness at lag = 1"):
        detectable_stickiness(3, 1, [0.5, 0.5], 1e-6, 0.9)
    with pytest.raises(ValueError, match="stickiness = 1 is not refuted within most = 50"):
        draws_needed(1, 1, [1], 1e-6, 0.9, most=50)
    with pytest.raises(ValueError, match="alpha and power must be in"):
        draws_needed(1, 1, [0.5, 0.5], 1, 0.9)
    with pytest.raises(ValueError, match="alpha and power must be in"):
        detectable_stickiness(5, 1, [0.5, 0.5], 0.1, 0)
