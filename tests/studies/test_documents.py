import json
import math

import numpy as np
import pytest

from reports.studies import read_studies
from theorems.checking.source import SourceChanged
from theorems.documents import STUDIES, as_json
from theorems.studies import documents
from theorems.studies.documents import StudiesUnreadable, measure


@pytest.fixture
def run(tmp_path):
    """Measure studies in a folder; what is told on the way is dropped."""

    def call(*studies, profile="quick", seed=7, directory=tmp_path, progress=lambda *_: None):
        return measure(studies, profile=profile, seed=seed, directory=directory, progress=progress)

    return call


def kept(folder):
    return json.loads((folder / STUDIES).read_text(encoding="utf-8"))


def test_the_file_holds_table_words_and_figures(run, study, studies, tmp_path):
    studies(study())
    made = run(study())
    assert (tmp_path / STUDIES).read_text(encoding="utf-8") == as_json(made)
    [entry] = made["studies"]
    assert entry["rows"] == [["low", 2, 0.5], ["low", 4, 0.25], ["high", 2, None], ["high", 4, 1e-300]]
    assert [c["name"] for c in entry["columns"]] == ["kind", "m", "error"]
    assert entry["figures"][0]["level"] == (0.3, "asked")
    assert (entry["profile"], entry["seed"]) == ("quick", 7)
    assert entry["command"] == "theorems study made.up --profile quick --seed 7"
    assert read_studies(tmp_path / STUDIES)["studies"][0]["title"] == "A table"


def test_the_same_seed_and_profile_give_the_same_bytes(run, study, studies, tmp_path):
    studies(study())
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed in zip(folders, (1, 1, 2), strict=True):
        folder.mkdir()
        run(study(), profile="ci", seed=seed, directory=folder)
    first, again, other = ((folder / STUDIES).read_bytes() for folder in folders)
    assert first == again != other


def test_studies_not_measured_now_stay(run, study, studies, tmp_path):
    first, second = study("first"), study("second")
    studies(first, second)
    run(second)
    made = run(first, profile="ci")
    assert [entry["id"] for entry in made["studies"]] == ["first"]
    assert [(e["id"], e["profile"]) for e in kept(tmp_path)["studies"]] == [("first", "ci"), ("second", "quick")]
    run(second, seed=8)
    assert [(e["id"], e["seed"]) for e in kept(tmp_path)["studies"]] == [("first", 7), ("second", 8)]


def test_studies_of_other_code_go(run, study, studies, tmp_path):
    studies(study("first"), study("second"))
    run(study("first"))
    old = kept(tmp_path) | {"code_digest": "0" * 64}
    (tmp_path / STUDIES).write_text(json.dumps(old), encoding="utf-8")
    run(study("second"))
    assert [entry["id"] for entry in kept(tmp_path)["studies"]] == ["second"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema_version": 1}', "null", "\udcff"])
def test_a_damaged_file_stops_before_the_work_and_stays(run, study, studies, tmp_path, content):
    studies(study())
    content = content.encode("utf-8", "surrogateescape")
    (tmp_path / STUDIES).write_bytes(content)
    told = []
    with pytest.raises(StudiesUnreadable, match=r"studies\.json"):
        run(study(), progress=lambda *what: told.append(what))
    assert told == []
    assert (tmp_path / STUDIES).read_bytes() == content


def test_what_was_finished_survives_an_interruption(run, study, studies, tmp_path):
    def interrupt(*_):
        yield ("low", 1, 1.0)
        raise KeyboardInterrupt

    first, second = study("first"), study("second", rows=interrupt)
    studies(first, second)
    with pytest.raises(KeyboardInterrupt):
        run(first, second)
    assert [entry["id"] for entry in kept(tmp_path)["studies"]] == ["first"]


def test_a_study_without_rows_in_a_profile_is_left_out(run, study, studies, tmp_path):
    at_night = study("night", rows=lambda profile, *_: [("low", 1, 1.0)] if profile == "night" else [])
    studies(at_night)
    assert run(at_night)["studies"] == []
    assert not (tmp_path / STUDIES).exists()
    assert len(run(at_night, profile="night")["studies"]) == 1
    assert run(at_night)["studies"] == []
    assert len(kept(tmp_path)["studies"]) == 1


def test_progress_counts_rows_from_zero(run, study, studies):
    studies(study())
    told = []
    run(study(), progress=lambda s, rows: told.append((s.id, rows)))
    assert told == [("made.up", k) for k in range(5)]


@pytest.mark.parametrize(
    "cell", [math.nan, math.inf, True, np.float64(1), np.int64(1), [1], 1j], ids=lambda cell: repr(cell)
)
def test_a_cell_that_is_no_plain_finite_number_is_refused(run, study, studies, tmp_path, cell):
    broken = study(rows=lambda *_: [("low", 1, cell)])
    studies(broken)
    with pytest.raises(ValueError, match=r"study made\.up: a cell must be .* in 'error'"):
        run(broken)
    assert not (tmp_path / STUDIES).exists()


def test_a_row_of_another_length_is_refused(run, study, studies):
    broken = study(rows=lambda *_: [("low", 1)])
    studies(broken)
    with pytest.raises(ValueError, match="a row must have 3 cells, got 2"):
        run(broken)


def test_source_that_changes_meanwhile_leaves_no_table(run, study, studies, tmp_path, monkeypatch):
    def changed(_):
        raise SourceChanged("the source must not change")

    monkeypatch.setattr(documents, "require_unchanged", changed)
    studies(study())
    with pytest.raises(SourceChanged):
        run(study())
    assert not (tmp_path / STUDIES).exists()


def test_what_is_finished_is_not_measured_again(run, study, studies):
    studies(study())
    first, told = run(study()), []
    assert run(study(), progress=lambda _, rows: told.append(rows)) == json.loads(as_json(first))
    assert told == [0]
    run(study(), seed=8, progress=lambda _, rows: told.append(rows))
    assert told == [0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("cell", ["NaN", "1e999"])
def test_a_file_that_could_not_be_written_again_stops_before_the_work(run, study, studies, tmp_path, cell):
    studies(study("first"), study("second"))
    run(study("first"))
    path = tmp_path / STUDIES
    path.write_text(path.read_text(encoding="utf-8").replace("1e-300", cell), encoding="utf-8")
    with pytest.raises(StudiesUnreadable, match="damaged"):
        run(study("second"))


def test_a_file_nested_beyond_reason_stops_before_the_work(run, study, studies, tmp_path):
    studies(study())
    (tmp_path / STUDIES).write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(StudiesUnreadable, match="damaged"):
        run(study())
