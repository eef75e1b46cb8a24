from xml.etree import ElementTree as ET

import pytest

from theorems.junit import junit


def record(verdict="SUPPORTED", expected="SUPPORTED", twin=None, **changes):
    name = f"s/{twin}@x" if twin else "s@x"
    return {
        "id": name,
        "statement": "s",
        "twin": twin,
        "verdict": verdict,
        "expected": expected,
        "as_declared": verdict == expected,
        "because": "1 < 2 & <3>",
        "price": "9 more trials",
        "fault": "the statement",
        "trials": 5,
        "failures": 1,
        "alpha": 1e-6,
        "delta": 0.1,
        "slack": None,
        "seed": 4,
    } | changes


def parse(*records):
    return ET.fromstring(junit({"records": list(records)}))


def test_counts_and_cases():
    suite = parse(
        record(),
        record("REFUTED"),
        record("UNDECIDED"),
        record("VACUOUS"),
        record("REFUTED", "REFUTED", twin="t"),
        record("UNDECIDED", "REFUTED", twin="u"),
    )
    assert [suite.get(k) for k in ("name", "tests", "failures", "skipped", "errors")] == [
        "theorems",
        "6",
        "2",
        "2",
        "0",
    ]
    kinds = [[child.tag for child in case if child.tag != "properties"] for case in suite]
    assert kinds == [[], ["failure"], ["skipped"], ["skipped"], [], ["failure"]]


def test_a_failure_carries_the_reason_and_the_fault():
    [case] = parse(record("REFUTED"))
    assert (case.get("classname"), case.get("name")) == ("s", "s@x")
    failure = case.find("failure")
    assert failure.get("message") == "REFUTED, declared SUPPORTED: 1 < 2 & <3>"
    assert failure.text == "the statement"


def test_an_undecided_case_is_skipped_with_its_price():
    [case] = parse(record("UNDECIDED"))
    assert case.find("skipped").get("message") == "UNDECIDED: 1 < 2 & <3>; 9 more trials"


def test_properties_are_there():
    [case] = parse(record())
    seen = {p.get("name"): p.get("value") for p in case.find("properties")}
    assert seen == {
        "verdict": "SUPPORTED",
        "expected": "SUPPORTED",
        "trials": "5",
        "failures": "1",
        "alpha": "1e-06",
        "delta": "0.1",
        "slack": "None",
        "seed": "4",
    }


@pytest.mark.parametrize("records", [[], [record()]])
def test_the_bytes_are_stable_and_end_in_a_line(records):
    once, twice = junit({"records": records}), junit({"records": records})
    assert once == twice
    assert once.startswith("<?xml")
    assert once.endswith("\n")


def test_twins_of_equal_looks_are_counted_each():
    # two records may be equal but for nothing: both count
    suite = parse(record("UNDECIDED"), record("UNDECIDED"))
    assert suite.get("skipped") == "2"


def test_what_xml_cannot_hold_is_escaped():
    [failure] = [case.find("failure") for case in parse(record("REFUTED", because="\x1b[31m\udce9", fault="\x00"))]
    assert failure.get("message").endswith(r"\x1b[31m\udce9")
    assert failure.text == r"\x00"
    [skipped] = [case.find("skipped") for case in parse(record("UNDECIDED", price="\x1b"))]
    assert skipped.get("message").endswith(r"\x1b")
