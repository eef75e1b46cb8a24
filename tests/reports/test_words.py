from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (7292, "7,292"),
        (431.0, "431"),
        (1e-6, "1e-06"),
        (0.123456, "0.1235"),
        (1e12, "1e+12"),
        ("2^26", "2^26"),
        (True, "True"),
        (-3, "-3"),
    ],
)
def test_numbers_are_written_for_readers(value, shown):
    assert words.number(value) == shown


@pytest.mark.parametrize(
    ("lower", "upper", "shown"),
    [
        ("0", "0", "= 0"),
        ("1/2", "1/2", "= 0.5"),
        ("1/3", "1/3", "≈ 0.333"),
        ("2.79e-10", "2.79e-10", "= 2.79e-10"),
        ("1e-400", "1e-400", "= 1e-400"),
        ("0.33331", "0.33332", "≈ 0.333"),
        ("0.12341", "0.56781", "in [0.123, 0.568]"),
        ("0", "1/3", "in [0, 0.334]"),
        ("1", "1", "= 1"),
    ],
)
def test_a_probability_is_one_number_or_an_outward_interval(lower, upper, shown):
    assert words.enclosed(lower, upper) == shown


@given(st.fractions(0, 1), st.fractions(0, 1))
def test_a_shown_interval_contains_the_enclosure(a, b):
    low, high = min(a, b), max(a, b)
    shown = words.enclosed(str(low), str(high))
    if shown.startswith("in "):
        left, right = shown[4:-1].split(", ")
        assert Fraction(left) <= low <= high <= Fraction(right)
    else:
        value = Fraction(shown[2:])
        assert abs(value - low) <= Fraction(1, 199) * value


def record(kind, **fields):
    empty = {"evidence": kind, "probability": None, "trials": 0, "failures": 0, "unsure": 0, "comparisons": []}
    return empty | fields


@pytest.mark.parametrize(
    ("given_record", "shown"),
    [
        (record("exact", probability=["1/4", "1/4"]), "exact: P[fail] = 0.25"),
        (record("exact"), "exact"),
        (record("trials", trials=2048), "0 failures in 2,048 trials"),
        (record("trials", trials=1, failures=1), "1 failure in 1 trial"),
        (record("trials", trials=9, failures=2, unsure=3), "2 failures in 9 trials, 3 unsure"),
        (record("comparisons"), "none"),
        (record("comparisons", comparisons=[{"answer": "IN"}]), "1 comparison: 1 IN"),
        (
            record("comparisons", comparisons=[{"answer": x} for x in ("IN", "OUT", "IN", "UNSURE")]),
            "4 comparisons: 2 IN, 1 OUT, 1 UNSURE",
        ),
        (record("comparisons", comparisons=[{}, {}]), "2 comparisons"),
        (record("slope"), "fitted slope"),
    ],
)
def test_evidence_in_words(given_record, shown):
    assert words.evidence(given_record) == shown


def test_a_guarantee_is_who_and_how():
    assert words.guarantee("checked") == ("checked", "")
    assert words.guarantee("assumed: smooth: twice") == ("assumed", "smooth: twice")


def test_every_verdict_has_a_word_and_a_shape_of_its_own():
    assert set(words.GLOSSARY) == set(words.SHAPES) == {"SUPPORTED", "REFUTED", "UNDECIDED", "VACUOUS"}
    assert len(set(words.SHAPES.values())) == 4
