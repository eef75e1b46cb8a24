import json
from dataclasses import asdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems.checking.records import Hearing, outward, record
from theorems.statement import (
    Answer,
    Comparison,
    Comparisons,
    Enclosure,
    ExactProbability,
    Finding,
    Slope,
    Trials,
    Verdict,
)

POSITIVE = st.fractions(min_value=Fraction(1, 10**9), max_value=10**9)


@given(POSITIVE)
def test_slack_is_never_overstated_and_loses_at_most_a_hundredth(x):
    shown = Fraction(repr(outward(x)))
    assert shown <= x < shown * Fraction(101, 100)
    assert len(str(shown.numerator if shown >= 100 else shown * 10**12).rstrip("0")) <= 3


@pytest.mark.parametrize(
    ("x", "shown"), [("123/100", 1.23), ("5386/1000", 5.38), ("1", 1.0), ("99999/100", 999.0), ("2/3", 0.666)]
)
def test_slack_has_three_digits(x, shown):
    assert outward(Fraction(x)) == shown


def a_record(world, evidence, verdict=None, *, twin=None, seed=3, statement=None, **hearing):
    given = verdict or Verdict(finding=Finding.SUPPORTED, because="b", alpha=0.0)
    heard = Hearing(verdict=given, evidence=evidence, **hearing)
    x = world.Coin(name="coin", says="a coin")
    return record(statement or world.statement(), twin, x, heard, seed=seed)


def exact(low, high):
    return ExactProbability(failure=Enclosure(lower=Fraction(low), upper=Fraction(high)))


def test_an_enclosure_is_rounded_outward(world):
    seen = a_record(world, exact(Fraction(1, 3), Fraction(2, 3))).probability
    assert seen == ("3.33333e-1", "6.66667e-1")
    assert a_record(world, exact(0, Fraction(1, 8))).probability == ("0", "1.25000e-1")


@given(st.fractions(min_value=0, max_value=1))
def test_an_enclosure_contains_the_truth(world_class, p):
    low, high = a_record(world_class, exact(p, p)).probability
    assert Fraction(low) <= p <= Fraction(high)
    assert Fraction(high) - Fraction(low) <= p / 10**5


@pytest.fixture(scope="module")
def world_class(request):
    # Hypothesis refuses function-scoped fixtures; the class itself has no state
    return request.config.pluginmanager.get_plugin(str(request.config.rootpath / "tests/conftest.py")).World()


def test_tiny_probabilities_do_not_underflow(world):
    p = Fraction(1, 3**5000)
    low, high = a_record(world, exact(p, p)).probability
    assert low.endswith("e-2386")
    assert Fraction(low) <= p <= Fraction(high)


def test_a_record_is_json(world):
    comparison = Comparison(says="s", answer=Answer.OUT, seen="1", allowed="0", certificate="c")
    made = asdict(a_record(world, Comparisons(all=(comparison,)), measured={"m": 3}, layers=[{"name": "event"}]))
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["comparisons"] == [{"says": "s", "answer": "OUT", "seen": "1", "allowed": "0", "certificate": "c"}]


@pytest.mark.parametrize(
    ("evidence", "kind"),
    [
        (exact(0, 1), "exact"),
        (Trials(trials=3, failures=1, unsure=1), "trials"),
        (Comparisons(all=()), "comparisons"),
        (Slope(lower=0, upper=1, claimed=Fraction(1), tolerance=Fraction(0), decades=2, points=5), "slope"),
    ],
)
def test_evidence_is_named(world, evidence, kind):
    made = a_record(world, evidence)
    assert made.evidence == kind
    assert (made.trials, made.failures, made.unsure) == ((3, 1, 1) if kind == "trials" else (0, 0, 0))
    assert (made.probability is None) == (kind != "exact")


def test_the_resolution_is_named_only_where_it_spoke(world):
    for table, rho in (("below_rho_delta", 1.5), ("below_delta", None), ("", None)):
        verdict = Verdict(finding=Finding.SUPPORTED, because="b", alpha=0.0, table=table)
        assert a_record(world, exact(0, 1), verdict, delta=Fraction(1, 10)).rho == rho
    assert a_record(world, exact(0, 1), delta=Fraction(1, 10)).delta == 0.1


@pytest.mark.parametrize(
    ("finding", "expected", "is_twin", "alpha", "unsure", "words"),
    [
        ("SUPPORTED", "SUPPORTED", False, 0.0, 0, ""),
        ("REFUTED", "REFUTED", False, 0.0, 0, ""),
        ("REFUTED", "SUPPORTED", True, 0.0, 0, ""),
        ("SUPPORTED", "SUPPORTED", True, 0.0, 0, "the harness: a false sentence survived"),
        ("SUPPORTED", "REFUTED", False, 0.0, 0, "the statement's record: it declares a refutation"),
        ("UNDECIDED", "SUPPORTED", False, 1e-6, 0, "nobody's yet: nothing was decided"),
        ("UNDECIDED", "SUPPORTED", False, 1e-6, 2, "nobody's yet: 2 trials were unsure or crashed"),
        ("UNDECIDED", "SUPPORTED", True, 1e-6, 0, "nobody's yet"),
        ("VACUOUS", "SUPPORTED", False, 0.0, 0, "the instance: the statement says nothing about it"),
        (
            "REFUTED",
            "SUPPORTED",
            False,
            1e-7,
            0,
            "or the sampler; chance alone does this with probability at most 1e-07",
        ),
        ("REFUTED", "SUPPORTED", False, 0.0, 0, "or the sampler; not chance"),
    ],
)
def test_whose_fault_it_can_be(world, finding, expected, is_twin, alpha, unsure, words):
    verdict = Verdict(finding=Finding(finding), because="b", alpha=alpha)
    statement = world.statement(expected=Finding(expected))
    trials = Trials(trials=9, failures=0, unsure=unsure)
    made = a_record(world, trials, verdict, twin=world.twin() if is_twin else None, statement=statement)
    assert words in made.fault
    assert (made.fault == "") == made.as_declared


def test_a_hidden_constant_is_suspected_too(world):
    verdict = Verdict(finding=Finding.REFUTED, because="b", alpha=0.0)
    made = a_record(world, exact(1, 1), verdict, statement=world.statement(constant="hidden"))
    assert "(its constant is hidden)" in made.fault
