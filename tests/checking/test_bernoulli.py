import math
from fractions import Fraction
from math import comb

import mpmath
import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from theorems.checking import bernoulli
from theorems.checking.bernoulli import (
    REFUTE_GRID,
    SUPPORT_GRID,
    below_delta,
    below_rho_delta,
    confidence_sequence,
    greatest_supporting,
    least_refuting,
    log_e_refute,
    log_e_support,
    log_incomplete_beta,
    refuting_mixture,
    refuting_table,
    resolved,
    supporting_mixture,
    supporting_table,
    trials_to_support,
)
from theorems.checking.operating_characteristics import follow

TENTH, MILLIONTH = Fraction(1, 10), Fraction(1, 10**6)

deltas = st.fractions(min_value=Fraction(1, 1000), max_value=Fraction(999, 1000), max_denominator=1000)
mixtures = st.sampled_from([refuting_mixture, supporting_mixture])


def exact_e(mixture, S, n):
    return sum(
        w * x**S * y ** (n - S) for w, x, y in zip(mixture.weights, mixture.on_failure, mixture.on_pass, strict=True)
    )


def expectation(mixture, n, p):
    return sum(comb(n, S) * p**S * (1 - p) ** (n - S) * exact_e(mixture, S, n) for S in range(n + 1))


# --- the mixtures


def test_the_grids_are_the_published_ones():
    refuting, supporting = refuting_mixture(TENTH), supporting_mixture(TENTH)
    below_one = [g for g in REFUTE_GRID if g < 10]
    assert [x * TENTH for x in refuting.on_failure] == [g / 10 for g in below_one] + [Fraction(11, 20)]
    assert set(refuting.weights) == {Fraction(1, len(below_one) + 1)}
    assert supporting.on_failure == (0, *SUPPORT_GRID)
    assert supporting.weights == (Fraction(1, 2), *[Fraction(1, 16)] * 8)


@given(deltas, mixtures, st.integers(0, 6))
def test_the_e_value_has_mean_one_on_the_line_exactly(delta, mixture, n):
    assert expectation(mixture(delta), n, delta) == 1


@given(deltas, st.integers(1, 6), st.fractions(0, 1, max_denominator=50))
def test_the_e_value_has_mean_at_most_one_on_the_whole_null(delta, n, part):
    assert expectation(refuting_mixture(delta), n, part * delta) <= 1
    assert expectation(supporting_mixture(delta), n, delta + part * (1 - delta)) <= 1


@given(deltas, mixtures, st.integers(1, 10**6), st.floats(0, 1))
@settings(deadline=None)
def test_the_float_error_is_below_its_bound(delta, make, n, part):
    mixture, S = make(delta), round(part * n)
    value, error = mixture.log_e(np.array(S), np.array(n))
    with mpmath.workdps(60):
        truth = mpmath.log(
            sum(
                mpmath.mpf(w.numerator)
                / w.denominator
                * (mpmath.mpf(x.numerator) / x.denominator) ** S
                * (mpmath.mpf(y.numerator) / y.denominator) ** (n - S)
                for w, x, y in zip(mixture.weights, mixture.on_failure, mixture.on_pass, strict=True)
            )
        )
        assert abs(truth - mpmath.mpf(float(value))) <= float(error)
    assert error <= 1e-6  # the bound is of use


def test_e_values_broadcast_and_start_at_one():
    assert log_e_refute(0, 0, 0.1) == pytest.approx(0, abs=1e-14)
    assert log_e_support(0, 0, TENTH) == pytest.approx(0, abs=1e-14)
    grid = log_e_refute(np.arange(3)[:, None], np.array([5, 6]), TENTH)
    assert grid.shape == (3, 2)
    assert grid[2, 1] == log_e_refute(2, 6, TENTH)


@given(deltas, st.integers(1, 3000))
@settings(deadline=None)
def test_evidence_is_monotone_in_the_failures(delta, n):
    S = np.unique(np.linspace(0, n, 40).astype(int))
    assert (np.diff(log_e_refute(S, n, delta)) > 0).all()
    assert (np.diff(log_e_support(S, n, delta)) < 0).all()


# --- the tables


@pytest.mark.parametrize(("delta", "alpha"), [(TENTH, MILLIONTH), (Fraction(3, 10), Fraction(1, 20)), (0.01, 1e-6)])
def test_every_boundary_point_agrees_with_256_bit_balls(delta, alpha):
    n = np.arange(1, 6001, 11)
    exact, line = Fraction(delta), 1 / Fraction(alpha)

    def reaches(mixture, S, trials):
        ball = sum(
            arb(fmpq(w.numerator, w.denominator))
            * arb(fmpq(x.numerator, x.denominator)) ** S
            * arb(fmpq(y.numerator, y.denominator)) ** (trials - S)
            for w, x, y in zip(mixture.weights, mixture.on_failure, mixture.on_pass, strict=True)
        ) - arb(fmpq(line.numerator, line.denominator))
        assert ball > 0 or ball < 0
        return bool(ball > 0)

    before, ctx.prec = ctx.prec, 256
    try:
        refuting, supporting = refuting_mixture(exact), supporting_mixture(exact)
        for trials, least, most in zip(
            n.tolist(),
            refuting_table(n, delta, alpha).tolist(),
            supporting_table(n, delta, alpha).tolist(),
            strict=True,
        ):
            assert not reaches(refuting, least - 1, trials)
            assert least == trials + 1 or reaches(refuting, least, trials)
            assert not reaches(supporting, most + 1, trials)
            assert most == -1 or reaches(supporting, most, trials)
    finally:
        ctx.prec = before


@given(deltas, st.integers(1, 40), st.data())
@settings(deadline=None)
def test_equality_decides_and_a_hair_less_does_not(delta, n, data):
    """Floats cannot tell these alphas apart; the tables must."""
    S = data.draw(st.integers(1, n))
    e = exact_e(refuting_mixture(delta), S, n)
    if e > 1:
        assert least_refuting(n, delta, 1 / e) == S
        assert least_refuting(n, delta, 1 / e - Fraction(1, 10**60) / e) == (S + 1 if n > S else None)
    S = data.draw(st.integers(0, n - 1))
    e = exact_e(supporting_mixture(delta), S, n)
    if e > 1:
        assert greatest_supporting(n, delta, 1 / e) == S
        assert greatest_supporting(n, delta, 1 / e - Fraction(1, 10**60) / e) == (S - 1 if S else None)


def test_one_more_trial_moves_a_boundary_by_zero_or_one():
    n = np.arange(0, 5000)
    for table in (refuting_table(n, TENTH, MILLIONTH), supporting_table(n, TENTH, MILLIONTH)):
        assert set(np.diff(table).tolist()) == {0, 1}
    assert refuting_table(n, TENTH, MILLIONTH)[0] == 1  # nothing refutes without a trial
    assert supporting_table(n, TENTH, MILLIONTH)[0] == -1


def test_single_entries_are_the_table():
    for n in (0, 1, 50, 136, 137, 3224):
        least, most = refuting_table([n], TENTH, MILLIONTH)[0], supporting_table([n], TENTH, MILLIONTH)[0]
        assert least_refuting(n, TENTH, MILLIONTH) == (None if least == n + 1 else least)
        assert greatest_supporting(n, TENTH, MILLIONTH) == (None if most == -1 else most)
    assert least_refuting(0, TENTH, MILLIONTH) is None
    assert greatest_supporting(136, TENTH, MILLIONTH) is None
    assert greatest_supporting(137, TENTH, MILLIONTH) == 0


def test_the_two_tables_by_name():
    n, rho = np.arange(0, 400), Fraction(3, 2)
    assert resolved(TENTH, rho) == Fraction(3, 20)
    np.testing.assert_array_equal(below_delta(n, TENTH, MILLIONTH), supporting_table(n, TENTH, MILLIONTH))
    wider = below_rho_delta(n, TENTH, MILLIONTH, rho)
    np.testing.assert_array_equal(wider, supporting_table(n, Fraction(3, 20), MILLIONTH))
    assert (wider >= below_delta(n, TENTH, MILLIONTH)).all()


@pytest.mark.parametrize(("delta", "needed"), [(TENTH, 137), (Fraction(3, 20), 89), (Fraction(1, 100), 1432)])
def test_trials_to_support_without_a_failure(delta, needed):
    assert trials_to_support(delta, MILLIONTH) == needed
    assert greatest_supporting(needed, delta, MILLIONTH) == 0
    assert greatest_supporting(needed - 1, delta, MILLIONTH) is None


@given(deltas, st.fractions(Fraction(1, 10**9), Fraction(999, 1000)))
@settings(deadline=None)
def test_trials_to_support_is_the_first_row_of_the_table(delta, alpha):
    n = trials_to_support(delta, alpha)
    assert n >= 1
    assert greatest_supporting(n, delta, alpha) is not None
    assert greatest_supporting(n - 1, delta, alpha) is None


# --- the confidence sequence


def test_the_incomplete_beta_keeps_its_logarithm_where_it_underflows():
    log_x, log_y = math.log(0.01), math.log1p(-0.01)
    assert log_incomplete_beta(5000, 1e5, log_x, log_y) == pytest.approx(-3934.222200910, abs=1e-8)


@given(st.floats(1, 500), st.floats(1, 500), st.floats(0.001, 0.999))
@settings(deadline=None)
def test_the_incomplete_beta_against_mpmath(a, b, x):
    with mpmath.workdps(40):
        truth = mpmath.betainc(a, b, 0, x, regularized=True)
        expected = float(mpmath.log(truth))
    assert log_incomplete_beta(a, b, math.log(x), math.log1p(-x)) == pytest.approx(expected, rel=1e-10, abs=1e-11)


@pytest.mark.parametrize(("S", "n"), [(1, 1), (3, 10), (1, 50), (100, 1000), (999, 1000), (2000, 100_000)])
@pytest.mark.parametrize("prior", [(1.0, 1.0), (1.0, 3.0)])
def test_the_lower_end_is_where_the_mixture_reaches_its_line(S, n, prior):
    alpha, (a, b) = 0.01, prior
    lower, upper = confidence_sequence(S, n, alpha, prior)
    assert 0 <= lower < S / n <= upper <= 1

    def log_e(d):
        with mpmath.workdps(40):
            x = 1 - mpmath.mpf(d)
            posterior = mpmath.log(mpmath.beta(a + S, b + n - S)) + mpmath.log(
                mpmath.betainc(b + n - S, a + S, 0, x, regularized=True)
            )
            before = mpmath.log(mpmath.beta(a, b)) + mpmath.log(mpmath.betainc(b, a, 0, x, regularized=True))
            return posterior - before - S * mpmath.log(d) - (n - S) * mpmath.log1p(-mpmath.mpf(d))

    assert log_e(lower) >= math.log(2 / alpha)  # rounded outward
    assert log_e(lower * (1 + 1e-6)) < math.log(2 / alpha)  # and sharp


def test_the_two_ends_mirror_each_other():
    lower, upper = confidence_sequence(7, 40, 0.05, (1.0, 2.0))
    other_lower, other_upper = confidence_sequence(33, 40, 0.05, (2.0, 1.0))
    assert upper == pytest.approx(1 - other_lower, abs=1e-15)
    assert other_upper == pytest.approx(1 - lower, abs=1e-15)
    for S in range(20):
        upper, mirrored = confidence_sequence(S, 20, 0.05)[1], confidence_sequence(20 - S, 20, 0.05)[0]
        assert Fraction(upper) >= 1 - Fraction(mirrored)  # outward, in exact numbers


def test_without_trials_nothing_is_known():
    assert confidence_sequence(0, 0, 0.05) == (0.0, 1.0)
    assert confidence_sequence(0, 100, 0.05)[0] == 0.0
    assert confidence_sequence(100, 100, 0.05)[1] == 1.0


def test_a_hundred_times_the_trials_give_a_tenth_of_the_width():
    narrow, wide = (
        (upper - lower)
        for lower, upper in (confidence_sequence(10**5, 10**6, 0.05), confidence_sequence(1000, 10**4, 0.05))
    )
    assert 0.09 < narrow / wide < 0.13


def test_the_sequence_covers_at_all_times_at_once():
    """Exactly: the chance that p ever lies outside, by the lattice recursion."""
    p, alpha, horizon = Fraction(1, 5), Fraction(1, 5), 45
    looks = []
    for n in range(1, horizon + 1):
        ends = [confidence_sequence(S, n, alpha) for S in range(n + 1)]
        above = next((S for S, (lower, _) in enumerate(ends) if lower > p), n + 1)
        below = sum(upper < p for _, upper in ends) - 1
        looks.append((above, below))
    *_, (too_high, too_low, covered) = follow(looks, p, 1)
    assert 0 < too_high <= alpha / 2
    assert 0 < too_low <= alpha / 2
    assert covered >= 1 - alpha


# --- at the door


@pytest.mark.parametrize("delta", [0, 1, -0.1, 1.5, math.nan, True])
def test_delta_outside_is_refused(delta):
    for call in (lambda: log_e_refute(0, 1, delta), lambda: least_refuting(5, delta, 0.1)):
        with pytest.raises(ValueError, match=r"delta must be in \(0, 1\), got delta"):
            call()


@pytest.mark.parametrize("alpha", [0, 1, math.nan, True])
def test_alpha_outside_is_refused(alpha):
    for call in (
        lambda: greatest_supporting(5, 0.1, alpha),
        lambda: trials_to_support(0.1, alpha),
        lambda: confidence_sequence(1, 2, alpha),
    ):
        with pytest.raises(ValueError, match=r"alpha must be in \(0, 1\), got alpha"):
            call()


@pytest.mark.parametrize(
    ("S", "n", "says"), [(-1, 3, "0 <= S <= n"), (4, 3, "0 <= S <= n"), (1.0, 3, "integers"), (1, True, "integers")]
)
def test_impossible_counts_are_refused(S, n, says):
    with pytest.raises(ValueError, match=says):
        log_e_support(S, n, 0.1)


@pytest.mark.parametrize("n", [[-1], [1.5], [[1]], 3])
def test_a_table_wants_a_list_of_counts(n):
    with pytest.raises(ValueError, match="refuting_table: n must be integers"):
        refuting_table(n, 0.1, 0.1)


def test_a_resolution_must_resolve():
    for rho in (1, 0.5, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"rho must be above 1, got rho = {rho}"):
            resolved(0.1, rho)
    with pytest.raises(ValueError, match="rho \\* delta must be below 1"):
        below_rho_delta([5], 0.5, 0.1, 2)


def test_a_confidence_sequence_wants_a_log_concave_prior_and_a_small_alpha():
    with pytest.raises(ValueError, match="prior must be >= 1"):
        confidence_sequence(1, 2, 0.05, (0.5, 1.0))
    with pytest.raises(ValueError, match="above max\\(prior\\)"):
        confidence_sequence(1, 2, 0.05, (4.0, 1.0))


# --- at the edges of what floats may propose


@pytest.mark.parametrize("make", [refuting_mixture, supporting_mixture])
def test_what_lies_within_the_stated_float_error_is_asked_of_the_balls(make, monkeypatch):
    """The band is the error of log E and 8 units of the line; inside it no float decides, outside it one may."""
    mixture, S, n = make(TENTH), np.array([30]), np.array([100])
    value, error = (float(x[0]) for x in mixture.log_e(S, n))
    asked = []
    monkeypatch.setattr(bernoulli, "power_sum_reaches", lambda *_: asked.append(1) or True)
    if value < 1:
        S = np.array([1])
        value, error = (float(x[0]) for x in mixture.log_e(S, n))
    assert value > 1
    for part, balls in ((0.5, True), (-0.5, True), (4.0, False)):
        alpha = Fraction(math.exp(-(value + error + part * 2.0**-50 * value)))
        line = -bernoulli._log(alpha)
        distance = abs(value - line) - error
        assert (distance <= 2.0**-50 * line) == balls
        asked.clear()
        mixture.reaches(S, n, alpha)
        assert bool(asked) == balls


def test_equality_without_a_failure_is_decided_too():
    for delta, n in ((Fraction(1, 2), 5), (TENTH, 40), (Fraction(1, 100), 700)):
        alpha = 1 / exact_e(supporting_mixture(delta), 0, n)
        assert trials_to_support(delta, alpha) == n
        assert trials_to_support(delta, alpha * (1 - Fraction(1, 10**30))) == n + 1


def test_a_prior_as_strong_as_the_line_is_refused():
    line = math.log(2) + bernoulli._log(Fraction(20))
    assert line == math.log(2) - bernoulli._log(Fraction(1, 20))
    for prior in ((line, 1.0), (1.0, line)):
        with pytest.raises(ValueError, match="must be above max\\(prior\\)"):
            confidence_sequence(3, 10, Fraction(1, 20), prior)
    confidence_sequence(3, 10, Fraction(1, 20), (math.nextafter(line, 0), 1.0))


def log_e_above(S, n, d):
    """Log E_d for the uniform prior, 60 digits."""
    with mpmath.workdps(60):
        x, F = 1 - mpmath.mpf(d), n - S
        tail = mpmath.betainc(F + 1, S + 1, 0, x, regularized=True)
        posterior = mpmath.log(mpmath.beta(S + 1, F + 1)) + mpmath.log(tail)
        return posterior - mpmath.log(x) - S * mpmath.log(d) - F * mpmath.log(x)


@pytest.mark.parametrize(("S", "n"), [(1, 1), (1, 2), (1, 5), (2, 2), (3, 5)])
@pytest.mark.parametrize("digits", [60, 130, 200, 290])
def test_the_lower_end_is_proven_at_the_smallest_alphas(S, n, digits):
    alpha = Fraction(1, 10**digits)
    lower, _ = confidence_sequence(S, n, alpha)
    with mpmath.workdps(60):
        assert log_e_above(S, n, lower) >= mpmath.log(2 * mpmath.mpf(10) ** digits)
        assert log_e_above(S, n, lower * (1 + 1e-9)) < mpmath.log(2 * mpmath.mpf(10) ** digits)


@pytest.mark.parametrize(("S", "n"), [(1, 10**6), (10**6, 10**6)])
def test_the_lower_end_stays_sharp_over_a_million_trials(S, n):
    lower, _ = confidence_sequence(S, n, 0.01)
    room = lower if n > S else 1 - lower
    line = math.log(2 / 0.01)
    assert bernoulli._log_e_above(S, n - S, lower, 1.0, 1.0) == pytest.approx(line, abs=1e-6)
    assert bernoulli._log_e_above(S, n - S, lower + 1e-6 * room, 1.0, 1.0) < line


def test_one_count_broadcasts_over_many_trials():
    for log_e in (log_e_refute, log_e_support):
        many = log_e(1, [[10, 20, 30]], TENTH)
        assert many.shape == (1, 3)
        singly = [log_e(1, n, TENTH).item() for n in (10, 20, 30)]
        assert many[0].tolist() == pytest.approx(singly, rel=1e-12)


def test_the_tables_hold_integers():
    for table in (refuting_table, supporting_table):
        assert table([10, 300], TENTH, MILLIONTH).dtype == np.int64
