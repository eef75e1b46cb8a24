"""The court is clean and each of its broken twins is caught, for the reason it was made for."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom

from theorems.checking import synthetic
from theorems.checking.budget import Allowance
from theorems.checking.calibration import (
    ALLOWANCE,
    BATCH_SIZE,
    BATCHES,
    CODE,
    DELTA,
    HONEST,
    HORIZON,
    LOOK_EVERY,
    NASTY,
    RHO,
    calibrate,
    error_faults,
    error_rates,
    key_faults,
    ladder,
    order_faults,
    unsure_faults,
)
from theorems.checking.calibration_matrices import is_psd_by_elimination
from theorems.checking.judge import judge, settled
from theorems.checking.keys import generator
from theorems.checking.loewner import spectral_sides
from theorems.checking.operating_characteristics import follow, refuting_table
from theorems.checking.poisons import (
    POISONS,
    arrival_order,
    bare_eigenvalue,
    peeking_clopper_pearson,
    skipped_unsure,
    tail,
)
from theorems.checking.store import Store
from theorems.checking.synthetic import (
    BAND_LEVEL,
    EXCESSES,
    LEVEL,
    binomial_band,
    binomial_weights,
    chances_of_verdicts,
    coin,
    end_to_end,
)
from theorems.checking.trials import collect
from theorems.statement import Answer, Finding, Trials, Verdict

# --- the courts


def test_the_honest_court_is_clean():
    assert calibrate(HONEST) == ()


CAUGHT_AT = {
    "always SUPPORTED": ("decide", "SUPPORTED at p = rho delta with chance 1,"),
    "alpha off by ten": ("decide", "REFUTED at p = delta"),
    "peeking Clopper-Pearson": ("decide", "REFUTED at p = delta"),
    "skipped UNSURE": ("decide", "not had one unsure trial failed"),
    "arrival order": ("collect", "after later batches were stored"),
    "reused confirm seeds": ("generator", "equal draws for stream = 'search' and 'confirm'"),
    "bare eigvalsh": ("order", "scalar below the line: IN, truth OUT"),
}


@pytest.mark.parametrize("poison", POISONS, ids=lambda p: p.name)
def test_each_poisoned_court_is_caught_where_it_is_broken(poison):
    part, says = CAUGHT_AT[poison.name]
    faults = calibrate(poison.parts)
    assert any(says in fault.says for fault in faults)
    assert {fault.part for fault in faults} == {part}
    assert replace(poison.parts, **{part: getattr(HONEST, part)}) == HONEST  # broken nowhere else


def test_every_poison_is_known_to_this_test():
    assert {p.name for p in POISONS} == CAUGHT_AT.keys()


# --- trials to verdict


def test_the_error_rates_are_those_of_the_tables():
    n = np.arange(LOOK_EVERY, HORIZON + 1, LOOK_EVERY)
    looks = [(least, -1) for least in refuting_table(n, DELTA, ALLOWANCE.refute).tolist()]
    *_, (refuted, _, _) = follow(looks, DELTA, LOOK_EVERY)
    rates = error_rates(judge)
    assert float(rates["REFUTED at p = delta"]) == pytest.approx(refuted, rel=1e-12)
    assert all(0 < rate <= Fraction(1, 20) for rate in rates.values())


def verdict(finding, table=""):
    return Verdict(finding=finding, because="", alpha=0.0, table=table)


def test_the_error_rates_of_one_look_are_binomial_tails():
    def last_look(evidence, **_):
        if evidence.trials == HORIZON and evidence.failures >= 24:
            return verdict(Finding.REFUTED)
        if evidence.trials == HORIZON and evidence.failures <= 8:
            return verdict(Finding.SUPPORTED, "below_delta" if evidence.failures <= 5 else "below_rho_delta")
        return verdict(Finding.UNDECIDED)

    rates = [float(rate) for rate in error_rates(last_look).values()]
    assert rates == pytest.approx(
        [binom.sf(23, HORIZON, 0.25), binom.cdf(5, HORIZON, 0.25), binom.cdf(8, HORIZON, 0.375)], rel=1e-9
    )


def test_a_rule_that_never_decides_has_no_faults():
    def silent(evidence, **_):
        return verdict(Finding.UNDECIDED)

    assert error_faults(silent) == unsure_faults(silent) == ()


def test_doubt_may_help_neither_verdict():
    def guilty(evidence, **_):
        return verdict(Finding.REFUTED if evidence.failures + evidence.unsure > 5 else Finding.UNDECIDED)

    def innocent(evidence, **_):
        return verdict(Finding.SUPPORTED if evidence.failures <= 2 else Finding.UNDECIDED)

    [fault] = unsure_faults(guilty)
    assert fault.says.startswith("REFUTED on 0 failures and 6 unsure in 10 trials")
    [fault] = unsure_faults(innocent)
    assert fault.says == "SUPPORTED on 2 failures and 1 unsure in 10 trials, but not had one unsure trial failed"


def test_peeking_is_the_fixed_test_at_each_single_look():
    for n, S, p in ((64, 24, DELTA), (10, 0, RHO * DELTA), (7, 7, DELTA)):
        assert float(tail(n, range(S, n + 1), p)) == pytest.approx(binom.sf(S - 1, n, float(p)))
        assert float(tail(n, range(S + 1), p)) == pytest.approx(binom.cdf(S, n, float(p)))
    asked = {"allowance": ALLOWANCE, "delta": DELTA, "rho": RHO}
    tables = [peeking_clopper_pearson(Trials(trials=64, failures=S, unsure=0), **asked).table for S in range(65)]
    assert sorted(set(tables)) == ["", "above_delta", "below_delta", "below_rho_delta"]
    for table, p in (("above_delta", DELTA), ("below_delta", DELTA), ("below_rho_delta", RHO * DELTA)):
        error = sum(binom.pmf(S, 64, float(p)) for S in range(65) if tables[S] == table)
        assert error <= 0.05  # honest once; the fault is in asking again


def test_skipping_is_honest_without_doubt():
    asked = {"allowance": ALLOWANCE, "delta": DELTA, "rho": RHO}
    for S in range(0, 25, 3):
        sure = Trials(trials=24, failures=S, unsure=0)
        assert skipped_unsure(sure, **asked) == judge(sure, **asked)


# --- keys to trials


@pytest.mark.parametrize("name", ["statement", "instance", "stream", "seed", "batch_size", "index"])
def test_a_key_that_forgets_a_part_is_caught(name):
    fixed = {"statement": "x", "instance": "2" * 64, "stream": "x", "seed": 5, "batch_size": 4, "index": 5}
    [fault] = key_faults(lambda **key: generator(**key | {name: fixed[name]}))
    assert fault.part == "generator"
    assert f"equal draws for {name} =" in fault.says


def test_draws_that_do_not_repeat_are_caught():
    rng = np.random.default_rng(3)
    [fault] = key_faults(lambda **_: rng)
    assert fault.says == "one key gives different draws"


def test_arrival_order_is_honest_on_an_empty_store():
    def walk(how, decide):
        key = {"statement": "s", "instance_digest": "0" * 64, "stream": "evidence", "seed": 1, "code": CODE}
        with Store.memory() as store:
            return how(coin(DELTA, BATCH_SIZE), **key, store=store, decide=decide, budget=BATCHES * BATCH_SIZE)[0]

    for decide in (lambda _: False, lambda seen: seen.trials >= 48):
        assert walk(arrival_order, decide) == walk(collect, decide)
    assert walk(collect, lambda seen: seen.trials >= 48).trials == 48


# --- matrices


@pytest.mark.parametrize("nasty", NASTY, ids=lambda n: n.name)
def test_the_truths_of_the_nasty_matrices_by_elimination(nasty):
    lower, _ = spectral_sides(nasty.K, nasty.Kt, nasty.lam, nasty.eps)
    assert (nasty.truth is Answer.IN) == is_psd_by_elimination(lower)
    assert ladder(nasty.K, nasty.Kt, nasty.lam, nasty.eps, "lower") is nasty.truth


@pytest.mark.parametrize("answer", list(Answer))
def test_one_answer_for_all_is_caught(answer):
    faults = order_faults(lambda *_: answer)
    assert len(faults) == sum(nasty.truth is not answer for nasty in NASTY)
    assert len(faults) >= 1


def test_the_bare_eigenvalue_is_right_away_from_the_line():
    K = np.diag([1.0, 3.0])
    for Kt, side, answer in (
        (K, "lower", Answer.IN),
        (K, "upper", Answer.IN),
        (2 * K, "lower", Answer.IN),
        (2 * K, "upper", Answer.OUT),
        (K / 2, "lower", Answer.OUT),
    ):
        assert bare_eigenvalue(Kt=Kt, K=K, lam=0.5, eps=0.25, side=side) is answer
        assert ladder(K, Kt, 0.5, 0.25, side) is answer


# --- end to end


@pytest.mark.parametrize("excess", EXCESSES, ids=str)
def test_the_counts_of_verdicts_lie_in_their_bands(excess):
    tallies = end_to_end(excess, 40)
    assert sum(tally.count for tally in tallies) == 40
    assert [tally for tally in tallies if not tally.inside] == []


def test_the_verdicts_are_a_function_of_the_seeds():
    assert end_to_end(EXCESSES[1], 5) == end_to_end(EXCESSES[1], 5)


def test_a_court_whose_trials_are_not_what_they_claim_leaves_the_bands(monkeypatch):
    monkeypatch.setattr(synthetic, "coin", lambda p, batch_size: coin(p * EXCESSES[2], batch_size))
    assert any(not tally.inside for tally in end_to_end(Fraction(1), 20))


def test_replicates_are_counted_from_one():
    with pytest.raises(ValueError, match="replicates must be at least 1, got replicates = 0"):
        end_to_end(Fraction(1), 0)


@pytest.mark.parametrize("p", [Fraction(0), Fraction(1, 3), Fraction(1)])
def test_a_coin_fails_as_often_as_it_says(p):
    trials = coin(p, 1024)
    answers = trials.run(np.random.Generator(np.random.Philox(key=7)), 1024).answers
    low, high = binomial_band(1024, p, BAND_LEVEL)
    assert set(answers.tolist()) <= {Answer.IN, Answer.OUT}
    assert low <= int((answers == Answer.OUT).sum()) <= high


@pytest.mark.parametrize("excess", EXCESSES, ids=str)
def test_the_chances_of_verdicts_add_up(excess):
    chances = chances_of_verdicts(excess * synthetic.DELTA)
    assert sum(chances.values()) == pytest.approx(1, abs=1e-12)
    assert min(chances.values()) >= 0
    if excess <= 1:
        assert chances["REFUTED"] <= LEVEL
    if excess >= 1:
        assert chances["SUPPORTED below_delta"] <= LEVEL


def test_the_walk_behind_the_chances_stops_where_the_court_does():
    """At every look and on both sides of every boundary: the tables of the walk are `settled` and `judge`."""
    n = np.arange(synthetic.BATCH_SIZE, synthetic.HORIZON + 1, synthetic.BATCH_SIZE)
    refuting = refuting_table(n, synthetic.DELTA, LEVEL).tolist()
    supporting = synthetic.below_delta(n, synthetic.DELTA, LEVEL).tolist()
    wide = int(synthetic.below_rho_delta(n[-1:], synthetic.DELTA, LEVEL, synthetic.RHO)[0])
    allowance = Allowance(refute=LEVEL, support=LEVEL)

    def seen(trials, failures):
        return Trials(trials=trials, failures=failures, unsure=0)

    def stops(trials, failures):
        return settled(seen(trials, failures), delta=synthetic.DELTA, allowance=allowance)

    for trials, least, most in zip(n.tolist(), refuting, supporting, strict=True):
        assert not stops(trials, least - 1)
        assert not stops(trials, most + 1)
        assert least > trials or stops(trials, least)
        assert most < 0 or stops(trials, most)

    def final(failures):
        at_horizon = seen(synthetic.HORIZON, failures)
        return judge(at_horizon, allowance=allowance, delta=synthetic.DELTA, rho=synthetic.RHO)

    assert supporting[-1] < wide < refuting[-1] - 1
    assert [final(S).table for S in (supporting[-1], supporting[-1] + 1, wide)] == [
        "below_delta",
        "below_rho_delta",
        "below_rho_delta",
    ]
    assert [final(S).finding for S in (wide + 1, refuting[-1] - 1, refuting[-1])] == [
        Finding.UNDECIDED,
        Finding.UNDECIDED,
        Finding.REFUTED,
    ]


# --- bands


@pytest.mark.parametrize(("n", "p"), [(1, Fraction(1, 2)), (40, Fraction(1, 3)), (400, Fraction(3, 1000))])
@pytest.mark.parametrize("level", [Fraction(1, 10**9), Fraction(1, 20)])
def test_a_band_is_as_narrow_as_its_level_allows(n, p, level):
    low, high = binomial_band(n, p, level)
    assert tail(n, range(low), p) <= level / 2 < tail(n, range(low + 1), p)
    assert tail(n, range(high + 1, n + 1), p) <= level / 2 < tail(n, range(high, n + 1), p)


def test_a_certain_count_has_no_room():
    assert binomial_band(9, Fraction(0), BAND_LEVEL) == (0, 0)
    assert binomial_band(9, 1.0, BAND_LEVEL) == (9, 9)


@pytest.mark.parametrize("p", [-0.1, Fraction(11, 10), float("nan")])
def test_a_band_wants_a_probability(p):
    with pytest.raises(ValueError, match=r"binomial_band: p must be in \[0, 1\], got p = "):
        binomial_band(9, p, BAND_LEVEL)


def test_binomial_weights_are_exact():
    assert binomial_weights(3, Fraction(1, 4)) == [27, 27, 9, 1]
    assert sum(binomial_weights(50, Fraction(3, 7))) == 7**50
