import pytest

from theorems.catalogue import CATALOGUE
from theorems.studies import registry
from theorems.studies.plain_text import lines, written
from theorems.studies.registry import STUDIES, UnknownStudy, chosen
from theorems.studies.study import Column, Figure


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Made Up"}, "id must be lower case"),
        ({"name": ""}, "id must be lower case"),
        ({"columns": (Column(name="m", says=""), Column(name="m", says=""))}, "columns must have different names"),
        ({"figures": (Figure(x="m", y=("nothing",)),)}, "figures must draw its columns, got 'nothing'"),
        ({"figures": (Figure(x="m", y=("error",), by=("b",)),)}, "got 'b'"),
        ({"figures": (Figure(x="m", y=("error",), panels="p"),)}, "got 'p'"),
        ({"figures": (Figure(x="m", y=("error",), where=(("w", 1),)),)}, "got 'w'"),
    ],
)
def test_a_study_that_does_not_fit_together_is_refused(study, changes, words):
    with pytest.raises(ValueError, match=words):
        study(**changes)


def test_the_registry_has_each_study_once_about_statements_that_exist():
    ids = [s.id for s in STUDIES]
    assert "thm3.3.tightness" in ids
    assert len(set(ids)) == len(ids)
    known = {s.id for s in CATALOGUE}
    for s in STUDIES:
        assert s.about
        assert set(s.about) <= known
        assert s.says
        assert all(column.says for column in s.columns)


def test_named_studies_come_once_in_the_order_of_the_report(study, studies):
    first, second = study("first"), study("second")
    studies(first, second)
    assert chosen([]) == (first, second) == registry.STUDIES
    assert chosen(["second", "first", "second"]) == (first, second)
    assert chosen(["second"]) == (second,)
    with pytest.raises(UnknownStudy, match="'third' is unknown; there are: first, second"):
        chosen(["first", "third"])


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        ("a", "a"),
        (1234567, "1,234,567"),
        (0, "0"),
        (1.5, "1.5"),
        (1e-300, "1e-300"),
        (123456.0, "1.235e+05"),
    ],
)
def test_cells_are_written_as_a_reader_wants_them(cell, text):
    assert written(cell) == text


def test_the_table_is_aligned_and_every_column_explained():
    entry = {
        "id": "made.up",
        "title": "A table",
        "says": "It falls. " * 30,
        "command": "theorems study made.up",
        "columns": [{"name": "kind", "says": "which"}, {"name": "m", "says": "draws " * 30}],
        "rows": [["low", 2], ["highest", 1234567], ["none", None]],
    }
    found = list(lines(entry))
    assert found[0] == "A table   [made.up]"
    place = found.index("  kind             m")
    assert found[place + 1 : place + 4] == ["  low              2", "  highest  1,234,567", "  none"]
    assert max(map(len, found)) <= 110
    assert any(line.startswith("  m ") and "draws" in line for line in found)
    assert "  3 rows; again: theorems study made.up" in found
