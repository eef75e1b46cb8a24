import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from theorems.checking.means import STAKES, detectable_effect, draws_needed, mean_log_wealth

LINE = math.log(1e6)


def expected_wealth(law, n, mean, low, high):
    """E[exp(log wealth)] over every sequence of n draws from a finite law {value: probability}."""
    return math.fsum(
        math.prod(law[x] for x in draws) * math.exp(mean_log_wealth(np.array(draws), mean, low, high))
        for draws in product(law, repeat=n)
    )


# --- validity


@pytest.mark.parametrize("p", [0.01, 0.3, 0.5, 0.96])
def test_a_coin_of_the_claimed_mean_has_expected_wealth_one(p):
    assert expected_wealth({0.0: 1 - p, 1.0: p}, 9, p, 0, 1) == pytest.approx(1, abs=1e-12)


@given(st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.05, 0.9))
@settings(deadline=None, max_examples=30)
def test_so_has_a_law_on_three_points(low, width, p):
    high = low + width
    values = [low, low + 0.4 * width, high]
    law = dict(zip(values, [(1 - p) / 2, p, (1 - p) / 2], strict=True))
    mean = sum(x * w for x, w in law.items())
    assert expected_wealth(law, 5, mean, low, high) == pytest.approx(1, abs=1e-10)


def test_the_draws_may_depend_on_the_past_as_long_as_the_mean_does_not():
    """After an up the next draw is certain, after a down a fair coin: E[x | past] = 1/2 throughout."""
    total = 0.0

    def grow(draws, chance):
        nonlocal total
        if len(draws) == 8:
            total += chance * math.exp(mean_log_wealth(np.array(draws), 0.5, 0, 1))
        elif draws and draws[-1] == 1:
            grow([*draws, 0.5], chance)
        else:
            grow([*draws, 0.0], chance / 2)
            grow([*draws, 1.0], chance / 2)

    grow([], 1.0)
    assert total == pytest.approx(1, abs=1e-12)


def test_a_poisoned_bet_is_caught():
    """Betting after looking: taking the better of the two directions has expected wealth above 1."""

    def best(draws):
        gain = 2 * np.array(draws) - 1
        return max(math.prod(1 + 0.5 * gain), math.prod(1 - 0.5 * gain))

    assert math.fsum(best(draws) / 2**6 for draws in product((0.0, 1.0), repeat=6)) > 1.1


def test_the_formula_by_hand():
    factors = [(1 + c * (0.5 - 0.2) / 0.2) * (1 - c * 0.2 / 0.2) for c in STAKES]
    factors += [(1 - c * (0.5 - 0.2) / 0.8) * (1 + c * 0.2 / 0.8) for c in STAKES]
    expected = math.log(sum(factors) / (2 * len(STAKES)))
    assert mean_log_wealth([0.5, 0.0], 0.2, 0, 1) == pytest.approx(expected, abs=1e-14)


def test_no_draw_no_wealth():
    assert mean_log_wealth(np.empty(0), 0.2, 0, 1) == pytest.approx(0, abs=1e-14)


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.01, 0.99))
@settings(deadline=None)
def test_mirror_scale_and_order_do_not_matter(values, mean):
    x = np.array(values)
    wealth = mean_log_wealth(x, mean, 0, 1)
    assert mean_log_wealth(1 - x, 1 - mean, 0, 1) == pytest.approx(wealth, abs=1e-9)
    assert mean_log_wealth(8 * x, 8 * mean, 0, 8) == pytest.approx(wealth, abs=1e-9)
    assert mean_log_wealth(x[::-1], mean, 0, 1) == pytest.approx(wealth, abs=1e-9)


# --- power


@pytest.mark.parametrize("truth", [0.4, 0.6])
def test_a_wrong_mean_is_refuted_and_the_right_one_is_not(truth):
    rng = np.random.default_rng(20201206)
    n = draws_needed(0.1, 0.5, 0, 1, 1e-6, 0.999)
    draws = (rng.random(n) < truth).astype(float)
    assert mean_log_wealth(draws, 0.5, 0, 1) > LINE
    assert mean_log_wealth(draws, truth, 0, 1) < LINE


@pytest.mark.parametrize(
    ("effect", "mean", "truth"), [(0.2, 0.5, 0.7), (0.2, 0.5, 0.3), (0.1, 0.1, 0.2), (0.05, 0.05, 0.0), (0.3, 0.9, 0.6)]
)
def test_the_promised_power_is_there_exactly(effect, mean, truth):
    """For a coin, the least favourable law: summed over the number of ones."""
    n = draws_needed(effect, mean, 0, 1, 1e-3, 0.8)
    refuted = [mean_log_wealth([1.0] * k + [0.0] * (n - k), mean, 0, 1) >= math.log(1e3) for k in range(n + 1)]
    assert binom.pmf(np.arange(n + 1), n, truth)[refuted].sum() >= 0.8


@pytest.mark.parametrize(("effect", "mean"), [(0.3, 0.35), (0.3, 0.65), (0.2, 0.9)])
def test_the_bound_is_the_one_of_the_notes(effect, mean):
    """Recomputed through E[W^-theta] summed over the ones of a coin, for every stake, theta and direction."""
    alpha, power = 0.01, 0.7

    def kept(n, truth):
        ones = np.arange(n + 1)
        up = 1 if truth > mean else -1
        exponents = []
        for c in STAKES:
            stake = c / mean if up > 0 else -c / (1 - mean)
            log_wealth = ones * math.log1p(stake * (1 - mean)) + (n - ones) * math.log1p(-stake * mean)
            for theta in np.geomspace(1 / 64, 1, 13):
                tilted = math.log((binom.pmf(ones, n, truth) * np.exp(-theta * log_wealth)).sum())
                exponents.append(tilted + theta * math.log(2 * len(STAKES) / alpha))
        return min(exponents) <= math.log1p(-power)

    n = draws_needed(effect, mean, 0, 1, alpha, power)
    truths = [p for p in (mean - effect, mean + effect) if 0 <= p <= 1]
    assert all(kept(n, p) for p in truths)
    assert not all(kept(n - 1, p) for p in truths)


def test_the_price_is_within_a_factor_of_the_information_bound():
    n = draws_needed(0.1, 0.5, 0, 1, 1e-6, 0.5)
    kl = 0.6 * math.log(1.2) + 0.4 * math.log(0.8)
    assert LINE / kl < n < 2 * LINE / kl


@given(st.floats(0.02, 0.98), st.integers(100, 5000), st.floats(0.05, 0.99))
@settings(deadline=None)
def test_draws_and_effect_invert_each_other(mean, draws, power):
    effect = detectable_effect(draws, mean, 0, 1, 1e-3, power)
    assert draws_needed(effect, mean, 0, 1, 1e-3, power) <= draws
    assert draws_needed(0.995 * effect, mean, 0, 1, 1e-3, power) > draws


def test_units_scale():
    assert draws_needed(0.2, 1, 0, 2, 1e-6, 0.9) == draws_needed(0.1, 0.5, 0, 1, 1e-6, 0.9)
    assert detectable_effect(500, 1, 0, 2, 1e-6, 0.9) == pytest.approx(2 * detectable_effect(500, 0.5, 0, 1, 1e-6, 0.9))


# --- at the door


@pytest.mark.parametrize(
    ("mean", "low", "high"),
    [(0, 0, 1), (1, 0, 1), (math.nan, 0, 1), (0.5, -math.inf, 1), (0.5, 0, math.inf), (2, 3, 1)],
)
def test_a_claim_needs_room_on_both_sides(mean, low, high):
    for call in (
        lambda: mean_log_wealth([0.5], mean, low, high),
        lambda: draws_needed(0.1, mean, low, high, 0.1, 0.5),
        lambda: detectable_effect(10, mean, low, high, 0.1, 0.5),
    ):
        with pytest.raises(ValueError, match="need low < mean < high"):
            call()


@pytest.mark.parametrize("wrong", [math.nan, -0.1, 1.0000001, math.inf])
def test_a_value_outside_is_named(wrong):
    with pytest.raises(ValueError, match=r"got values\[1\] = "):
        mean_log_wealth([0.5, wrong], 0.5, 0, 1)


def test_values_have_one_dimension():
    with pytest.raises(ValueError, match=r"got shape \(1, 1\)"):
        mean_log_wealth([[0.5]], 0.5, 0, 1)


@pytest.mark.parametrize(("alpha", "power"), [(0, 0.5), (1, 0.5), (0.1, 0), (0.1, 1)])
def test_rates_are_rates(alpha, power):
    with pytest.raises(ValueError, match="alpha and power must be in"):
        draws_needed(0.1, 0.5, 0, 1, alpha, power)


def test_effects_must_fit_and_be_seen():
    for effect in (0, -0.1, 0.6, math.nan):
        with pytest.raises(ValueError, match=f"got effect = {effect}"):
            draws_needed(effect, 0.5, 0, 1, 0.1, 0.5)
    with pytest.raises(ValueError, match="no stake grows for effect = 1e-05"):
        draws_needed(1e-5, 0.5, 0, 1, 0.1, 0.5)
    with pytest.raises(ValueError, match="draws = 3 refute no mean"):
        detectable_effect(3, 0.5, 0, 1, 1e-6, 0.9)
