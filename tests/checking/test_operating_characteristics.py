from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import binom

from theorems.checking.bernoulli import (
    below_rho_delta,
    refuting_mixture,
    refuting_table,
    supporting_mixture,
    supporting_table,
)
from theorems.checking.operating_characteristics import (
    detectable_excess,
    follow,
    operating_characteristics,
    trials_needed,
    worst_errors,
)

TENTH, MILLIONTH = Fraction(1, 10), Fraction(1, 10**6)
FALSE_ALARM = 1e-9  # of each comparison with simulated counts


def inside_band(count, trials, chance):
    """Whether a binomial count is not in either tail of probability FALSE_ALARM / 2."""
    return min(binom.cdf(count, trials, chance), binom.sf(count - 1, trials, chance)) > FALSE_ALARM / 2


# --- the published figures


@pytest.mark.parametrize(
    ("ratio", "refuted", "supported", "undecided", "mean_trials"),
    [
        ("0", 0, 1, 0, 137),
        ("0.5", 2.4e-11, 1, 0, 976),
        ("0.9", 3.8e-8, 0.872, 0.128, 27_598),
        ("1", 6.65e-7, 8.95e-7, 1, 40_000),
        ("1.1", 0.848, 1.3e-7, 0.152, 28_161),
        ("1.5", 1, 2e-10, 0, 1285),
        ("2", 1, 5e-14, 0, 353),
        ("3", 1, 6e-22, 0, 105),
        ("10", 1, 0, 0, 10),
    ],
)
def test_the_court_at_one_in_a_million(ratio, refuted, supported, undecided, mean_trials):
    seen = operating_characteristics(TENTH, MILLIONTH, MILLIONTH, 40_000, Fraction(ratio) * TENTH)
    assert seen.refuted == pytest.approx(refuted, rel=0.08)
    assert seen.supported == pytest.approx(supported, rel=0.08)
    assert seen.undecided == pytest.approx(undecided, rel=0.01, abs=1e-5)
    assert seen.mean_trials == pytest.approx(mean_trials, rel=0.005)
    assert seen.refuted + seen.supported + seen.undecided == pytest.approx(1, abs=1e-10)


def test_the_promised_error_is_used():
    refuted, supported = worst_errors(TENTH, MILLIONTH, MILLIONTH, 40_000)
    assert refuted == pytest.approx(6.65e-7, rel=1e-3)
    assert supported == pytest.approx(8.95e-7, rel=1e-3)


@pytest.mark.parametrize(
    ("delta", "excess", "needed"),
    [
        ("0.3", "1.25", 2967),
        ("0.3", "3", 41),
        ("0.1", "1.5", 3224),
        ("0.1", "1.25", 11_935),
        ("0.1", "2", 891),
        ("0.1", "5", 80),
        ("0.05", "3", 598),
    ],
)
def test_trials_needed_for_power_999(delta, excess, needed):
    assert trials_needed(Fraction(delta), MILLIONTH, Fraction(excess), 0.999) == needed


# --- the recursion against independent routes


def by_hand(delta, alpha_refute, alpha_support, horizon, p):
    """The same court by exact rationals, straight from the e-values."""

    def reached(mixture, alpha, S, n):
        terms = zip(mixture.weights, mixture.on_failure, mixture.on_pass, strict=True)
        return sum(w * x**S * y ** (n - S) for w, x, y in terms) >= 1 / alpha

    refuting, supporting = refuting_mixture(delta), supporting_mixture(delta)
    alive, refuted, supported, mean_trials = {0: Fraction(1)}, Fraction(0), Fraction(0), Fraction(0)
    for n in range(1, horizon + 1):
        mean_trials += sum(alive.values())
        after = {}
        for S, mass in alive.items():
            after[S] = after.get(S, 0) + mass * (1 - p)
            after[S + 1] = after.get(S + 1, 0) + mass * p
        alive = {}
        for S, mass in after.items():
            if reached(refuting, alpha_refute, S, n):
                refuted += mass
            elif reached(supporting, alpha_support, S, n):
                supported += mass
            else:
                alive[S] = mass
    return refuted, supported, sum(alive.values()), mean_trials


@pytest.mark.parametrize("p", [Fraction(1, 10), Fraction(1, 3), Fraction(1, 2)])
def test_against_exact_rationals(p):
    delta, alpha_refute, alpha_support = Fraction(1, 4), Fraction(1, 6), Fraction(1, 9)
    expected = by_hand(delta, alpha_refute, alpha_support, 40, p)
    seen = operating_characteristics(delta, alpha_refute, alpha_support, 40, p)
    got = (seen.refuted, seen.supported, seen.undecided, seen.mean_trials)
    assert got == pytest.approx([float(x) for x in expected], rel=1e-13)
    assert expected[0] > 0
    assert expected[1] > 0


@pytest.mark.parametrize(("delta", "alpha"), [(TENTH, Fraction(1, 20)), (Fraction(1, 5), Fraction(1, 100))])
def test_against_simulation(delta, alpha):
    horizon, worlds = 600, 20_000
    rng = np.random.default_rng(20201206)
    n = np.arange(1, horizon + 1)
    refuting, supporting = refuting_table(n, delta, alpha), supporting_table(n, delta, alpha)
    S, state = np.zeros(worlds, int), np.zeros(worlds, int)
    for k in range(horizon):
        S += rng.random(worlds) < float(delta)
        state = np.where((state == 0) & (refuting[k] <= S), 1, state)
        state = np.where((state == 0) & (supporting[k] >= S), 2, state)
    exact = operating_characteristics(delta, alpha, alpha, horizon, delta)
    for verdict, chance in ((1, exact.refuted), (2, exact.supported), (0, exact.undecided)):
        assert inside_band(int((state == verdict).sum()), worlds, chance)


def test_the_band_catches_a_wrong_chance():
    exact = operating_characteristics(TENTH, 0.05, 0.05, 600, TENTH)
    assert not inside_band(round(20_000 * exact.refuted), 20_000, 1.5 * exact.refuted)


def test_a_walk_without_tables_is_binomial():
    for look_every in (1, 4):
        *_, last = follow([(100, 8), (100, 8)] if look_every == 4 else [(100, -1)] * 7 + [(100, 8)], 0.3, look_every)
        assert last == pytest.approx((0, 1, 0), abs=1e-15)
    *_, (refuted, supported, alive) = follow([(100, -1), (4, 2)], Fraction(3, 10), 4)
    pmf = [comb(8, k) * 0.3**k * 0.7 ** (8 - k) for k in range(9)]
    assert (refuted, supported, alive) == pytest.approx((sum(pmf[4:]), sum(pmf[:3]), pmf[3]))


# --- the error rates of every table that ships


@pytest.mark.parametrize("delta", [Fraction(1, 2), Fraction(3, 10), TENTH, Fraction(1, 20), Fraction(1, 100)])
@pytest.mark.parametrize("alpha", [Fraction(1, 20), Fraction(1, 1000), MILLIONTH])
@pytest.mark.parametrize("rho", [None, Fraction(3, 2)])
def test_no_table_errs_more_often_than_alpha(delta, alpha, rho):
    sharp = worst_errors(delta, alpha, alpha, 4096, 1, rho)
    batched = worst_errors(delta, alpha, alpha, 4096, 64, rho)
    assert max(*sharp, *batched) <= alpha
    assert sharp[0] > alpha / 4  # and the level is not wasted


def test_the_ends_of_the_nulls_are_the_worst():
    given = (TENTH, 0.05, 0.05, 1500)
    for rho, line in ((None, TENTH), (Fraction(3, 2), Fraction(3, 20))):
        grid = [operating_characteristics(*given, Fraction(k, 100), rho=rho) for k in range(0, 101, 5)]
        assert (np.diff([x.refuted for x in grid]) >= -1e-12).all()
        assert (np.diff([x.supported for x in grid]) <= 1e-12).all()
        refuted, supported = worst_errors(*given, rho=rho)
        assert refuted == operating_characteristics(*given, TENTH, rho=rho).refuted
        assert supported == operating_characteristics(*given, line, rho=rho).supported


def test_a_tight_theorem_is_supported_at_its_resolution_only():
    rho = Fraction(3, 2)
    assert operating_characteristics(TENTH, MILLIONTH, MILLIONTH, 10_000, TENTH).supported < 1e-6
    assert operating_characteristics(TENTH, MILLIONTH, MILLIONTH, 10_000, TENTH, rho=rho).supported > 0.999
    assert operating_characteristics(TENTH, MILLIONTH, MILLIONTH, 10_000, Fraction(0), rho=rho).mean_trials == 89


def test_a_verdict_waits_for_the_batch():
    seen = operating_characteristics(TENTH, MILLIONTH, MILLIONTH, 1600, 0, look_every=16)
    assert (seen.supported, seen.mean_trials) == (1, 144)  # the first multiple of 16 from 137 on


def test_a_count_inside_both_tables_is_refuted():
    n = 30_000  # one look, between delta and rho * delta
    least = refuting_table([n], TENTH, MILLIONTH)[0]
    most = below_rho_delta([n], TENTH, MILLIONTH, Fraction(3, 2))[0]
    assert least < most
    *_, (refuted, supported, _) = follow([(int(least), int(most))], Fraction(1, 8), n)
    assert refuted > 0.999
    assert refuted + supported <= 1 + 1e-9


# --- poisoned courts


def test_peeking_with_clopper_pearson_is_caught():
    alpha, horizon = 1e-3, 4000
    n = np.arange(1, horizon + 1)
    least = binom.isf(alpha, n, 0.1).astype(int) + 1  # P(S >= least | delta) <= alpha at each single n
    assert (binom.sf(least - 1, n, 0.1) <= alpha).all()
    *_, (refuted, _, _) = follow(((k, -1) for k in least.tolist()), TENTH, 1)
    assert refuted > 10 * alpha


def test_a_court_whose_alpha_is_off_by_ten_is_caught():
    wrong = 10 * MILLIONTH
    refuted, supported = worst_errors(TENTH, wrong, wrong, 20_000)
    assert refuted > MILLIONTH
    assert supported > MILLIONTH


def test_a_court_that_skips_lost_failures_is_caught():
    """p = .13 > delta, but 40 % of failures crash and are dropped instead of counted against SUPPORTED."""
    alpha, p = Fraction(1, 20), Fraction(13, 100)
    kept = p * Fraction(6, 10) / (1 - p * Fraction(4, 10))
    assert operating_characteristics(TENTH, alpha, alpha, 4096, p).supported < alpha
    assert operating_characteristics(TENTH, alpha, alpha, 4096, kept).supported > 3 * alpha


# --- what a number of trials can see


@pytest.mark.parametrize("power", [0.1, 0.9])
@pytest.mark.parametrize(("delta", "trials"), [(TENTH, 60), (0.3, 500), (Fraction(1, 50), 3000)])
def test_trials_and_excess_invert_each_other(delta, trials, power):
    excess = detectable_excess(trials, delta, 1e-4, power)
    assert trials_needed(delta, 1e-4, excess, power) <= trials
    with pytest.raises(ValueError, match="not refuted within most"):
        trials_needed(delta, 1e-4, excess * Fraction(997, 1000), power, most=trials)


def test_more_power_and_a_smaller_excess_cost_more():
    def cost(excess, power):
        return trials_needed(0.1, 1e-4, excess, power)

    assert cost(1.5, 0.5) < cost(1.5, 0.9) < cost(1.5, 0.999)
    assert cost(3, 0.9) < cost(2, 0.9) < cost(1.5, 0.9)


def test_trials_needed_is_the_least():
    n = trials_needed(TENTH, 1e-3, 3, 0.9)
    looks = [(least, -1) for least in refuting_table(np.arange(1, n + 1), TENTH, 1e-3).tolist()]
    chances = [refuted for refuted, _, _ in follow(looks, Fraction(3, 10), 1)]
    assert chances[-1] >= 0.9 > chances[-2]
    assert trials_needed(TENTH, 1e-3, 3, 0.9, most=n) == n


# --- at the door


@pytest.mark.parametrize(("horizon", "look_every"), [(10, 3), (0, 1), (10, 0), (-4, 2)])
def test_the_horizon_is_whole_batches(horizon, look_every):
    with pytest.raises(ValueError, match=f"got horizon = {horizon}, look_every = {look_every}"):
        operating_characteristics(0.1, 0.1, 0.1, horizon, 0.1, look_every)


def test_out_of_range_arguments_are_named():
    with pytest.raises(ValueError, match=r"p must be in \[0, 1\], got p = 1\.5"):
        operating_characteristics(0.1, 0.1, 0.1, 10, 1.5)
    with pytest.raises(ValueError, match="excess > 1"):
        trials_needed(0.1, 0.1, 1, 0.5)
    with pytest.raises(ValueError, match="excess \\* delta <= 1"):
        trials_needed(0.5, 0.1, 3, 0.5)
    with pytest.raises(ValueError, match="trials_needed: power must be in"):
        trials_needed(0.1, 0.1, 2, 1.0)
    with pytest.raises(ValueError, match="detectable_excess: power must be in"):
        detectable_excess(10, 0.1, 0.1, 0.0)


def test_what_cannot_be_seen_is_said():
    with pytest.raises(ValueError, match=r"excess = 1\.01 is not refuted"):
        trials_needed(0.1, 0.01, 1.01, 0.5, most=10**15)  # known without walking there
    with pytest.raises(ValueError, match="not even p = 1 is refuted within trials = 2"):
        detectable_excess(2, 0.1, 1e-6, 0.5)


@pytest.mark.parametrize("delta", [0, 1, float("nan")])
def test_the_promise_is_a_probability(delta):
    with pytest.raises(ValueError, match=r"trials_needed: delta must be in \(0, 1\)"):
        trials_needed(delta, 0.1, 2, 0.5)
    with pytest.raises(ValueError, match=r"detectable_excess: delta must be in \(0, 1\)"):
        detectable_excess(10, delta, 0.1, 0.5)


@pytest.mark.parametrize("excess", [float("nan"), float("inf"), 1])
def test_an_excess_is_finite_and_above_one(excess):
    with pytest.raises(ValueError, match="got excess"):
        trials_needed(0.1, 0.1, excess, 0.5)
