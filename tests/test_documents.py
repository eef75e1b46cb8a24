import json
import os
from dataclasses import replace
from math import nan

import pytest

from reports.records import read_records
from theorems import documents
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.store import Store
from theorems.documents import as_json, document, exit_code, machine, overall, write_atomically
from theorems.statement import Finding

SITTING = Sitting(seed=5, campaign=2, budget=256)


@pytest.fixture
def made(world):
    """A record of a statement, and one of its twin."""
    statement = world.statement(twins=(world.twin(),))
    with Store.memory() as store:
        own = hear(statement, statement.instances("quick")[0], place=1, nth=1, sitting=SITTING, store=store)
        twin = hear_twin(statement, statement.twins[0], place=1, nth=1, sitting=SITTING, store=store)
    return statement, own, twin


def found(record, verdict, expected="SUPPORTED"):
    return replace(record, verdict=verdict, expected=expected, as_declared=verdict == expected)


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([], "UNDECIDED"),
        (["SUPPORTED"], "SUPPORTED"),
        (["VACUOUS"], "VACUOUS"),
        (["SUPPORTED", "VACUOUS"], "SUPPORTED"),
        (["SUPPORTED", "UNDECIDED", "VACUOUS"], "UNDECIDED"),
        (["SUPPORTED", "UNDECIDED", "REFUTED"], "REFUTED"),
    ],
)
def test_the_worst_instance_speaks_for_the_statement(made, verdicts, whole):
    statement, own, twin = made
    records = [found(own, v) for v in verdicts] + [twin]  # a refuted twin is no refutation
    assert overall(statement, records) is Finding(whole)
    assert overall(replace(statement, id="other"), records) is Finding.UNDECIDED


@pytest.mark.parametrize(
    ("verdicts", "twin_verdict", "code"),
    [
        (["SUPPORTED"], "REFUTED", 0),
        (["UNDECIDED"], "REFUTED", 3),
        (["UNDECIDED", "SUPPORTED"], "REFUTED", 3),
        (["UNDECIDED", "REFUTED"], "REFUTED", 1),
        (["VACUOUS"], "REFUTED", 1),
        (["SUPPORTED"], "UNDECIDED", 1),
        (["SUPPORTED"], "SUPPORTED", 1),
        (["UNDECIDED"], "UNDECIDED", 1),
    ],
)
def test_exit_codes(made, verdicts, twin_verdict, code):
    _, own, twin = made
    records = [found(own, v) for v in verdicts] + [found(twin, twin_verdict, "REFUTED")]
    assert exit_code(records) == code


def test_a_declared_refutation_is_green(made):
    assert exit_code([found(made[1], "REFUTED", "REFUTED")]) == 0
    assert exit_code([]) == 0


@pytest.fixture
def whole(made, catalogue):
    statement, own, twin = made
    catalogue(statement)
    return document(
        [own, twin], words=["verify"], sitting=SITTING, profile="quick", left_out=[{"id": "x", "why": "not selected"}]
    )


def test_a_document_is_one_that_reports_can_draw(whole, tmp_path):
    path = tmp_path / "records.json"
    path.write_text(as_json(whole))
    assert read_records(path) == json.loads(as_json(whole))


def test_a_document_says_who_when_and_how_much(whole):
    assert (whole["seed"], whole["campaign"], whole["profile"]) == (5, 2, "quick")
    assert whole["budget"]["trials"] == 256
    assert whole["summary"] == {"as_declared": 2, "total": 2, "exit_code": 0}
    assert whole["not_run"] == [{"id": "x", "why": "not selected"}]
    assert whole["twins"] == [
        {
            "statement": "made.up",
            "twin": "biased",
            "because": "it always fails",
            "killed_by": ["event"],
            "survived": False,
        }
    ]


def test_a_sentence_carries_its_words(whole):
    [sentence] = whole["statements"]
    assert (sentence["verdict"], sentence["as_declared"], sentence["price"]) == ("SUPPORTED", True, "")
    assert [h["guaranteed"] for h in sentence["hypotheses"]] == ["checked", "assumed: made up"]


def test_a_construction_is_named_as_guarantor(made):
    from theorems.catalogue import CATALOGUE

    guaranteed = [h for s in CATALOGUE for h in s.hypotheses if h.guaranteed_by]
    assert guaranteed
    sentence = documents._sentence(CATALOGUE[0], Finding.SUPPORTED, heard=True)
    assert any(h["guaranteed"].startswith("by construction: ") for h in sentence["hypotheses"])


def test_twins_alone_say_nothing_about_their_statement(made, catalogue):
    statement, _, twin = made
    catalogue(statement)
    [sentence] = document([twin], words=["verify"], sitting=SITTING, profile="quick", left_out=[])["statements"]
    assert sentence["verdict"] == "UNDECIDED"
    assert sentence["price"] == "theorems verify made.up"


def test_a_statement_without_records_is_not_spoken_of(made, catalogue):
    statement, own, _ = made
    catalogue(statement, replace(statement, id="silent"))
    assert [
        s["id"] for s in document([own], words=["verify"], sitting=SITTING, profile="quick", left_out=[])["statements"]
    ] == ["made.up"]


def test_the_machine_is_named():
    seen = machine()
    assert set(seen) == {"python", "numpy", "scipy", "python-flint", "processor", "blas"}
    assert all(isinstance(v, str) and v for v in seen.values())
    assert seen["blas"].endswith(", one thread")


def test_json_is_stable_and_knows_no_nan():
    assert as_json({"a": "λ", "b": [1]}) == '{\n "a": "λ",\n "b": [\n  1\n ]\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"a": nan})


def test_json_holds_nothing_that_a_terminal_obeys_and_loses_nothing():
    given = {"a": "\x1b[31m\x7f\x9b\u202e\udce9", "λ": "\U000e0001\n"}
    text = as_json(given)
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == given
    assert "λ" in text


def test_the_command_is_shown_without_what_a_terminal_obeys(made, catalogue):
    statement, own, _ = made
    catalogue(statement)
    words = ["verify", "--data", "\x1b[31m\udce9.npy"]
    shown = document([own], words=words, sitting=SITTING, profile="quick", left_out=[])["command"]
    assert shown.startswith(r"theorems verify --data '\x1b[31m\udce9.npy'")


# -------------------------------------------------------------------------------------------------- writing


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "new" / "records.json"
    for text in ("one", "zwölf"):
        write_atomically(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert os.listdir(path.parent) == ["records.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch, step):
    path = tmp_path / "records.json"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync" if step == "fsync" else "pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left") as error:
        write_atomically(path, "new")
    assert error.value.filename == str(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["records.json"]


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "records.json", "new")
    assert os.listdir(tmp_path) == []


def test_a_folder_in_the_way_is_named(tmp_path):
    (tmp_path / "records.json").mkdir()
    with pytest.raises(OSError) as error:  # noqa: PT011  # its file name is what is looked at
        write_atomically(tmp_path / "records.json", "new")
    assert error.value.filename == str(tmp_path / "records.json")
    assert os.listdir(tmp_path) == ["records.json"]


def test_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file") as error:
        write_atomically(tmp_path / "pipe", "new")
    assert error.value.filename == str(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()
