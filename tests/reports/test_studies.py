import copy
import json
from pathlib import Path

import pytest

from reports import RecordsUnreadable
from reports.studies import drawn, read_studies

EXAMPLE = json.loads(Path(__file__).with_name("studies_example.json").read_text(encoding="utf-8"))


def changed(*keys, to=None, remove=False):
    document = copy.deepcopy(EXAMPLE)
    place = document
    for key in keys[:-1]:
        place = place[key]
    if remove:
        del place[keys[-1]]
    else:
        place[keys[-1]] = to
    return document


def written(tmp_path, document):
    path = tmp_path / "studies.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def test_the_example_is_read_as_it_is(tmp_path):
    assert read_studies(written(tmp_path, EXAMPLE)) == EXAMPLE


@pytest.mark.parametrize("key", ["id", "title", "says", "about", "profile", "seed", "command", "columns", "rows"])
def test_every_fact_is_required(tmp_path, key):
    with pytest.raises(RecordsUnreadable, match=f"must have '{key}'"):
        read_studies(written(tmp_path, changed("studies", 0, key, remove=True)))


@pytest.mark.parametrize("key", ["x", "y", "by", "panels", "x_scale", "y_scale", "level", "where", "says"])
def test_every_fact_of_a_figure_is_required(tmp_path, key):
    with pytest.raises(RecordsUnreadable, match=f"must have '{key}'"):
        read_studies(written(tmp_path, changed("studies", 0, "figures", 0, key, remove=True)))


FIGURE = ("studies", 0, "figures", 0)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "Expecting"),
        ("[]", "the document must be an object"),
        (changed("schema_version", to=2), "schema_version must be 1, got 2"),
        (changed("code_digest", remove=True), "must have 'code_digest'"),
        (changed("studies", 1, "id", to="made.up"), "studies must have different ids"),
        (json.dumps(EXAMPLE).replace("1e-300", "NaN"), "numbers must be finite"),
        (json.dumps(EXAMPLE).replace("1e-300", "1e999"), "numbers must be finite"),
        (changed("studies", 0, "rows", 1, to=[1]), r"study made\.up: rows\[1\] must have 5 cells, got 1"),
        (changed("studies", 0, "rows", 1, 0, to=[]), "must be text, a number up to 1e200 in size or null"),
        (changed("studies", 0, "rows", 1, 0, to=10**400), "must be text, a number up to 1e200 in size or null"),
        (changed("studies", 0, "rows", 1, 0, to=-1e201), "must be text, a number up to 1e200 in size or null"),
        (changed("studies", 0, "rows", 1, 0, to=True), "must be text, a number up to 1e200 in size or null"),
        (changed("studies", 0, "columns", 1, "name", to="kind"), "columns must have different names"),
        (changed(*FIGURE, "x", to="z"), r"figures\[0\] must draw a column of the table, got 'z'"),
        (changed(*FIGURE, "y", to=["error", "z"]), "got 'z'"),
        (changed(*FIGURE, "by", to=["z"]), "got 'z'"),
        (changed(*FIGURE, "panels", to="z"), "got 'z'"),
        (changed(*FIGURE, "where", to=[["z", 1]]), "got 'z'"),
        (changed(*FIGURE, "where", to=[["kind"]]), "must be a list of 2"),
        (changed(*FIGURE, "where", to=[[1, 1]]), "must be text"),
        (changed(*FIGURE, "x", to="kind"), "must draw numbers, got 'a' in 'kind'"),
        (changed(*FIGURE, "level", to=["asked", 1]), r"level\[0\] must be a number"),
        (changed(*FIGURE, "level", to=[1]), "level must be a list of 2"),
        (changed(*FIGURE, "x_scale", to="sqrt"), "one of linear, log"),
    ],
)
def test_another_form_is_refused_in_one_line(tmp_path, document, words):
    path = written(tmp_path, document)
    with pytest.raises(RecordsUnreadable, match=words) as caught:
        read_studies(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_unknown_keys_and_a_figure_without_level_pass(tmp_path):
    read_studies(written(tmp_path, changed("studies", 0, "new", to=1)))
    read_studies(written(tmp_path, changed(*FIGURE, "level", to=None)))


def test_a_figure_draws_the_rows_that_its_where_names():
    study = EXAMPLE["studies"][0]
    figure = study["figures"][0]
    assert len(drawn(study, figure)) == 6
    assert [row["m"] for row in drawn(study, figure | {"where": [["kind", "a"], ["eps", 0.5]]})] == [4, 2]


def test_text_outside_the_drawn_rows_is_no_fault(tmp_path):
    document = changed("studies", 0, "rows", 3, 4, to="too long")
    with pytest.raises(RecordsUnreadable, match="must draw numbers"):
        read_studies(written(tmp_path, document))
    document["studies"][0]["figures"][0]["where"] = [["kind", "a"]]
    read_studies(written(tmp_path, document))
