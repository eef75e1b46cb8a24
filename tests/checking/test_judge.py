import re
from dataclasses import replace
from fractions import Fraction
from math import inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems.checking.bernoulli import greatest_supporting, least_refuting, log_e_refute, log_e_support
from theorems.checking.budget import Allowance
from theorems.checking.judge import judge, settled
from theorems.statement import (
    Answer,
    Comparison,
    Comparisons,
    Enclosure,
    ExactProbability,
    Finding,
    Slope,
    Trials,
    Wealth,
)

ALPHA = Fraction(1, 10**6)
ALLOWANCE = Allowance(refute=ALPHA, support=ALPHA)
DELTA, RHO = Fraction(1, 10), Fraction(3, 2)
S, R, U, V = Finding.SUPPORTED, Finding.REFUTED, Finding.UNDECIDED, Finding.VACUOUS

counts = st.integers(0, 400).flatmap(
    lambda n: st.integers(0, n).flatmap(lambda f: st.tuples(st.just(n), st.just(f), st.integers(0, n - f)))
)
deltas = st.sampled_from([Fraction(1, 100), DELTA, Fraction(1, 2), Fraction(2, 3), Fraction(9, 10)])


def on(n, failures, unsure=0, delta=DELTA, rho=RHO):
    return judge(Trials(trials=n, failures=failures, unsure=unsure), allowance=ALLOWANCE, delta=delta, rho=rho)


# ------------------------------------------------------------------------------------------------- trials


@given(counts, deltas)
def test_unsure_never_helps(c, delta):
    n, failures, unsure = c
    found = on(n, failures, unsure, delta).finding
    if found is S:
        assert on(n, failures + unsure, 0, delta).finding is S
    if found is R:
        assert on(n, failures, 0, delta).finding is R


@given(counts, deltas)
def test_more_failures_never_support_and_fewer_never_refute(c, delta):
    n, failures, unsure = c
    found = on(n, failures, unsure, delta).finding
    if found is S and failures:
        assert on(n, failures - 1, unsure, delta).finding is S
        assert on(n, failures - 1, unsure + 1, delta).finding is S
    if found is R and unsure:
        assert on(n, failures + 1, unsure - 1, delta).finding is R


@given(counts, deltas)
def test_the_finding_is_what_the_e_values_say(c, delta):
    n, failures, unsure = c
    verdict = on(n, failures, unsure, delta)
    line = 1 / float(ALPHA)
    if verdict.finding is R:
        assert log_e_refute(failures, n, delta) >= 0.999999 * _log(line)
        assert verdict.table == "above_delta"
    elif verdict.finding is S:
        at = delta if verdict.table == "below_delta" else RHO * delta
        assert log_e_support(failures + unsure, n, at) >= 0.999999 * _log(line)
    else:
        assert verdict.finding is (U if n else V)
        assert verdict.table == ""
        assert verdict.excluded == ""


def _log(x):
    from math import log

    return log(x)


def test_no_trial_is_no_verdict():
    assert on(0, 0).finding is V


def test_tables_are_named():
    n = next(n for n in range(1, 400) if on(n, 0).finding is S)
    assert on(n, 0).table == "below_rho_delta"
    assert "p >= 0.15 excluded at 1e-06; promise 0.1" in on(n, 0).excluded
    more = next(m for m in range(n, 400) if on(m, 0).table == "below_delta")
    assert more > n
    assert on(more, 0).excluded == "p >= 0.1 excluded at 1e-06"
    refuted = on(more, more)
    assert refuted.table == "above_delta"
    assert refuted.excluded == "p <= 0.1 excluded at 1e-06"


@pytest.mark.parametrize("delta", [Fraction(2, 3), Fraction(9, 10)])
def test_a_resolution_beyond_one_is_not_asked(delta):
    # rho delta >= 1: no failure probability is left to exclude, so only the promise itself can be supported
    assert {on(n, 0, delta=delta).table for n in range(1, 300)} == {"", "below_delta"}


def test_alphas_are_the_ones_allowed():
    split = Allowance(refute=Fraction(1, 10**9), support=Fraction(1, 10**3))
    seen = Trials(trials=100, failures=100, unsure=0)
    assert judge(seen, allowance=split, delta=DELTA, rho=RHO).alpha == 1e-9
    assert judge(replace(seen, failures=0), allowance=split, delta=DELTA, rho=RHO).alpha == 1e-3


@pytest.mark.parametrize("n", [1, 10, 50])
def test_the_price_without_failures_is_exact(n):
    verdict = on(n, 0)
    more = int(re.fullmatch(r"(\d+) more trials without a failure", verdict.price)[1])
    assert on(n + more, 0).finding is S
    assert on(n + more - 1, 0).finding is U


@pytest.mark.parametrize("exponent", [13, 30, 99])
def test_the_price_of_a_promise_beyond_all_budgets_is_said(exponent):
    verdict = on(64, 0, delta=Fraction(1, 10**exponent))
    assert (verdict.finding, verdict.price) == (U, "more than 2^40 trials without a failure")


def test_the_price_of_a_small_promise_is_still_a_number():
    assert re.fullmatch(r"\d+ more trials without a failure", on(64, 0, delta=Fraction(1, 10**11)).price)


@pytest.mark.parametrize(("n", "failures", "unsure"), [(64, 1, 0), (64, 2, 2), (64, 12, 0), (500, 60, 3), (40, 0, 1)])
def test_the_price_at_the_rate_seen_is_true(n, failures, unsure):
    verdict = on(n, failures, unsure)
    assert verdict.finding is U
    more = int(re.match(r"(\d+) more trials, should they go on", verdict.price)[1])
    times = 1 + more // n
    assert more == (times - 1) * n
    assert on(times * n, times * failures, times * unsure).finding in (S, R)
    assert f"{failures} failures and {unsure} unsure per {n} trials" in verdict.price


def test_no_price_is_invented_where_trials_cannot_decide():
    for n, failures, unsure in ((32, 0, 32), (40, 4, 2)):  # unsure, or a rate between delta and rho delta
        assert on(n, failures, unsure).price.startswith("more than 2^40 trials, should they go on")


@given(counts)
def test_settled_is_refuted_or_supported_at_the_promise(c):
    n, failures, unsure = c
    verdict = on(n, failures, unsure)
    over = settled(Trials(trials=n, failures=failures, unsure=unsure), delta=DELTA, allowance=ALLOWANCE)
    assert over == (verdict.finding is R or verdict.table == "below_delta")


def test_unsure_trials_settle_nothing():
    supporting = greatest_supporting(300, DELTA, ALPHA)
    for unsure, over in ((supporting, True), (supporting + 1, False), (300, False)):
        seen = Trials(trials=300, failures=0, unsure=unsure)
        assert settled(seen, delta=DELTA, allowance=ALLOWANCE) == over


def test_the_decision_lines_are_those_of_the_tables():
    n = 300
    refuting, supporting = least_refuting(n, DELTA, ALPHA), greatest_supporting(n, DELTA, ALPHA)
    assert on(n, refuting).finding is R
    assert on(n, refuting - 1).finding is not R
    assert on(n, supporting).table == "below_delta"
    assert on(n, supporting + 1).table != "below_delta"


def test_a_promise_is_needed():
    seen = Trials(trials=1, failures=0, unsure=0)
    with pytest.raises(TypeError, match=r"judge\(delta\)"):
        judge(seen, allowance=ALLOWANCE, rho=RHO)
    with pytest.raises(TypeError, match=r"judge\(rho\)"):
        judge(seen, allowance=ALLOWANCE, delta=DELTA)
    with pytest.raises(TypeError, match=r"judge\(delta\)"):
        judge(ExactProbability(failure=Enclosure(lower=DELTA, upper=DELTA)), allowance=ALLOWANCE)


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1), Fraction(-1), Fraction(2)])
def test_a_promise_outside_the_unit_interval_is_an_error(delta):
    with pytest.raises(ValueError, match="delta must be in"):
        on(10, 0, delta=delta)


# -------------------------------------------------------------------------------------------------- exact


def exactly(low, high):
    evidence = ExactProbability(failure=Enclosure(lower=Fraction(low), upper=Fraction(high)))
    return judge(evidence, allowance=ALLOWANCE, delta=DELTA)


@pytest.mark.parametrize(
    ("low", "high", "finding"),
    [
        ("0", "0", S),
        ("1/10", "1/10", S),  # P[fail] <= delta
        ("1/20", "1/10", S),
        ("1/10", "1/9", U),
        ("1/20", "1/9", U),
        ("100000001/1000000000", "1", R),
        ("1", "1", R),
    ],
)
def test_exact_probabilities(low, high, finding):
    verdict = exactly(low, high)
    assert verdict.finding is finding
    assert verdict.alpha == 0
    assert bool(verdict.price) == (finding is U)
    assert verdict.table == ("" if finding is U else "exact")


def test_exact_words_show_tiny_numbers():
    tiny = Fraction(1, 2**2000)
    assert "P[fail] = about 2^-2000 <= 0.1" in exactly(tiny, tiny).because
    assert "P[fail] = 0 <= 0.1" in exactly(0, 0).because
    assert "P[fail] in [0.5, 0.75] > 0.1" in exactly("1/2", "3/4").because
    assert "straddles 0.1" in exactly(0, 1).because


# ---------------------------------------------------------------------------------------------- comparisons


def compare(*answers):
    each = (
        Comparison(says=f"c{i}", answer=a, seen="1", allowed="2", certificate="proof") for i, a in enumerate(answers)
    )
    return judge(Comparisons(all=tuple(each)), allowance=ALLOWANCE)


@given(st.lists(st.sampled_from(Answer), max_size=5))
def test_comparisons(answers):
    expected = V if not answers else R if Answer.OUT in answers else U if Answer.UNSURE in answers else S
    assert compare(*answers).finding is expected


def test_comparisons_name_the_first_culprit():
    assert compare(Answer.IN, Answer.OUT).because == "c1: seen 1, allowed 2 (proof)"
    assert "1 of 2 undecided, first c1: seen 1, allowed 2" in compare(Answer.IN, Answer.UNSURE).because


@pytest.mark.parametrize(("answer", "finding"), [(0, S), (1, R), (2, U), (7, U)])
def test_a_plain_number_is_no_pass_by_accident(answer, finding):
    assert compare(answer).finding is finding


# -------------------------------------------------------------------------------------------------- wealth


@pytest.mark.parametrize(
    ("log_e", "finding"), [(13.8, U), (13.82, R), (inf, R), (-inf, U), (0.0, U), (nan, U)]
)  # log 10^6 = 13.8155
def test_an_e_value_refutes_or_is_silent(log_e, finding):
    verdict = judge(Wealth(log_e=log_e, draws=9, says="draws"), allowance=ALLOWANCE)
    assert verdict.finding is finding
    assert verdict.alpha == 1e-6
    assert bool(verdict.price) == (finding is U)


def test_a_nan_e_value_says_so():
    assert "got nan" in judge(Wealth(log_e=nan, draws=9, says="draws"), allowance=ALLOWANCE).because


# --------------------------------------------------------------------------------------------------- slopes

SLOPE = Slope(lower=0.9, upper=1.1, claimed=Fraction(1), tolerance=Fraction(1, 10), decades=2.0, points=6)


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, U),  # the float 1.1 lies above 11/10
        ({"upper": 1.09}, S),
        ({"lower": 1.05, "upper": 1.2}, U),
        ({"lower": 1.11, "upper": 1.2}, R),
        ({"upper": 1.09, "decades": 1.49}, U),
        ({"upper": 1.09, "points": 4}, U),
        ({"upper": 1.09, "decades": nan}, U),
        ({"lower": nan, "upper": 1.0}, U),
        ({"lower": 1.5, "upper": nan}, U),
        ({"lower": 2.0, "upper": 1.0}, U),
    ],
)
def test_slopes(changes, finding):
    verdict = judge(replace(SLOPE, **changes), allowance=ALLOWANCE)
    assert verdict.finding is finding
    assert bool(verdict.price) == (finding is U)
    assert verdict.table == ("" if finding is U else "range")


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"upper": 1.0, "decades": 1.5}, S),  # the least range, and with it the least number of sizes, is enough
        ({"upper": 1.0, "points": 5}, S),
        ({"lower": 1.0, "upper": 1.0}, S),
        ({"lower": 0.5, "upper": 1.25, "tolerance": Fraction(1, 4)}, S),  # on the line is within the claim
        ({"lower": 1.25, "upper": 1.5, "tolerance": Fraction(1, 4)}, U),
        ({"lower": 1.5, "upper": 1.5}, R),
    ],
)
def test_slopes_on_the_line(changes, finding):
    verdict = judge(replace(SLOPE, **changes), allowance=ALLOWANCE)
    assert (verdict.finding, verdict.alpha) == (finding, 0.0)


# -------------------------------------------------------------------------------- what a verdict carries along


def test_what_is_proven_without_sampling_spends_no_error_rate():
    for evidence in (
        Comparisons(all=()),
        replace(SLOPE, points=4),
        SLOPE,
        replace(SLOPE, upper=1.0),
        replace(SLOPE, lower=1.5, upper=1.5),
    ):
        assert judge(evidence, allowance=ALLOWANCE).alpha == 0.0
    for answers in ((Answer.IN,), (Answer.OUT,), (Answer.UNSURE,)):
        assert compare(*answers).alpha == 0.0
    assert on(0, 0).alpha == 0.0


def test_an_undecided_trial_verdict_has_the_rate_of_its_support():
    split = Allowance(refute=Fraction(1, 10**9), support=Fraction(1, 10**3))
    verdict = judge(Trials(trials=10, failures=1, unsure=0), allowance=split, delta=DELTA, rho=RHO)
    assert (verdict.finding, verdict.alpha) == (U, 1e-3)


def test_every_verdict_says_what_is_excluded_and_by_which_table():
    seen = [exactly(Fraction(0), Fraction(0)), exactly(Fraction(1), Fraction(1))]
    assert [v.excluded for v in seen] == ["p > 0.1 excluded exactly", "p <= 0.1 excluded exactly"]
    assert [v.table for v in (compare(Answer.IN), compare(Answer.OUT), compare(Answer.UNSURE))] == [
        "decided",
        "decided",
        "",
    ]
    assert compare(Answer.UNSURE).price == "more precision"
    law = judge(Wealth(log_e=20.0, draws=9, says="draws"), allowance=ALLOWANCE)
    assert (law.table, law.excluded) == ("e-value", "the claimed law excluded at 1e-06")


def test_an_e_value_on_the_line_refutes():
    assert judge(Wealth(log_e=-log(ALPHA), draws=9, says="draws"), allowance=ALLOWANCE).finding is R


def test_settled_at_the_very_count_that_refutes():
    refuting = least_refuting(300, DELTA, ALPHA)
    for failures, over in ((refuting, True), (refuting - 1, False)):
        assert settled(Trials(trials=300, failures=failures, unsure=0), delta=DELTA, allowance=ALLOWANCE) == over


# ---------------------------------------------------------------------------------------- the price, exactly


def doublings(n, failures, unsure=0):
    """Count the doublings after which the same rate decides, from the tables; None beyond 2^40 trials."""
    for k in range(1, 60):
        if n * 2**k > 2**40:
            return None
        refuting = least_refuting(n * 2**k, DELTA, ALPHA)
        supporting = greatest_supporting(n * 2**k, RHO * DELTA, ALPHA)
        if (refuting is not None and failures * 2**k >= refuting) or (
            supporting is not None and (failures + unsure) * 2**k <= supporting
        ):
            return k
    raise AssertionError


@pytest.mark.parametrize("n", [32, 40, 64])
def test_the_price_is_the_first_doubling_that_decides(n):
    for failures in range(1, n):
        verdict = on(n, failures)
        if verdict.finding is not U:
            continue
        k = doublings(n, failures)
        expected = "more than 2^40" if k is None else f"{(2**k - 1) * n} more"
        assert verdict.price.startswith(f"{expected} trials, should they go on")


@pytest.mark.parametrize("side", ["refuting", "supporting"])
def test_a_doubling_that_lands_on_the_decision_line_decides(side):
    """At the very count of the table at 2 n, not one beyond it."""
    for n in range(20, 400):
        line = (
            least_refuting(2 * n, DELTA, ALPHA)
            if side == "refuting"
            else greatest_supporting(2 * n, RHO * DELTA, ALPHA)
        )
        if line and line % 2 == 0 and on(n, line // 2).finding is U:
            assert on(n, line // 2).price.startswith(f"{n} more trials, should they go on")
            return
    raise AssertionError


def test_prices_are_named_up_to_2_to_the_40_trials_and_not_beyond():
    n, beyond_one = 2**39, Fraction(20)  # a resolution that is not asked: only the promise itself decides
    failures = -(-least_refuting(2 * n, DELTA, ALPHA) // 2)
    assert on(n, failures, rho=beyond_one).price.startswith(f"{n} more trials, should they go on")
    later = -(-least_refuting(8 * n, DELTA, ALPHA) // 8)
    assert later < failures
    assert on(n, later, rho=beyond_one).price.startswith("more than 2^40 trials")
