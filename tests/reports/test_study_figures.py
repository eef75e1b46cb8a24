import copy
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from reports.drawing import SERIES
from reports.study_figures import Line, panels_of, study_figure

STUDY = json.loads(Path(__file__).with_name("studies_example.json").read_text(encoding="utf-8"))["studies"][0]
FIGURE = STUDY["figures"][0]


def many(count, **changes):
    """A study of as many lines as asked for, two points each."""
    study = copy.deepcopy(STUDY)
    study["rows"] = [[f"line {k}", 0.5, 0.1, m, k + m] for k in range(count) for m in (1, 2)]
    return study, FIGURE | {"by": ["kind"], "panels": "", "level": None} | changes


def words_of(svg):
    return [text.text for text in ElementTree.fromstring(svg).iter() if text.tag.endswith("text")]


def test_lines_run_from_left_to_right_in_panels_of_rising_numbers():
    found = panels_of(STUDY, FIGURE)
    # 0.0 has no place on a logarithmic axis, and the empty cell none at all
    assert found == {
        "eps = 0.25": [Line(name="delta = 0.1", points=((2.0, 1e-300),))],
        "eps = 0.5": [
            Line(name="delta = 0.1", points=((2.0, 0.5), (4.0, 0.25))),
            Line(name="delta = 0.01", points=((2.0, 1234567.0),)),
        ],
    }
    assert list(found) == ["eps = 0.25", "eps = 0.5"]


def test_a_linear_axis_has_a_place_for_zero():
    found = panels_of(STUDY, FIGURE | {"y_scale": "linear"})
    assert Line(name="delta = 0.01", points=((4.0, 0.0),)) in found["eps = 0.25"]


def test_several_y_are_several_lines_named_after_their_columns():
    figure = FIGURE | {"y": ["error", "delta"], "by": [], "panels": ""}
    assert [line.name for line in panels_of(STUDY, figure)[""]] == ["error", "delta"]
    both = panels_of(STUDY, figure | {"by": ["kind"]})[""]
    assert [line.name for line in both] == ["error, a", "delta, a", "error, b", "delta, b"]


def test_text_tells_panels_apart_without_the_name_of_its_column():
    assert list(panels_of(STUDY, FIGURE | {"panels": "kind"})) == ["a", "b"]


def test_lines_with_long_names_that_begin_alike_stay_two():
    study, figure = many(2)
    for row in study["rows"]:
        row[0] = "the same long beginning of a name that goes on and on and on " + row[0]
    assert len(panels_of(study, figure)[""]) == 2
    assert study_figure(study, figure, prefix="a")


def test_a_figure_is_wellformed_described_and_free_of_addresses():
    svg = study_figure(STUDY, FIGURE, prefix="study-3")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    assert root[0].text == "A & B: error against m"
    assert "eps = 0.5, delta = 0.1: from 0.5 at 2 to 0.25 at 4" in root[1].text
    assert "://" not in svg
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("study-3-") for name in ids)
    assert {"eps = 0.25", "eps = 0.5", "delta = 0.1", "delta = 0.01", "asked for", "error", "m"} <= set(words_of(svg))


def test_colours_come_from_the_style_sheet():
    svg = study_figure(*many(len(SERIES)), prefix="a")
    assert all(f"var(--series-{k})" in svg for k in range(len(SERIES)))
    assert "#01020" not in svg


def test_beyond_six_lines_colours_return_dashed():
    six, seven = (study_figure(*many(count), prefix="a") for count in (6, 7))
    assert "stroke-dasharray" not in six
    assert "stroke-dasharray" in seven


def test_a_line_alone_needs_no_key():
    svg = study_figure(*many(1), prefix="a")
    assert "line 0" not in words_of(svg)
    assert "error" in words_of(svg)
    assert "asked for" in words_of(study_figure(*many(1, level=[2.5, "asked for"]), prefix="a"))


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_panels_stand_three_in_a_row_and_each_is_named(count):
    study, figure = many(count, panels="kind", by=[])
    svg = study_figure(study, figure, prefix="a")
    assert {f"line {k}" for k in range(count)} <= set(words_of(svg))
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups())
    assert height == pytest.approx(72 * 2.7 * -(-count // 3))
    assert width == pytest.approx(72 * {2: 7.6}.get(count, 9.4))


def test_nothing_to_draw_is_no_figure():
    assert study_figure(STUDY, FIGURE | {"where": [["kind", "c"]]}, prefix="a") is None


@pytest.mark.parametrize("name", ["$x$", "_x", "ε", "名", "a" * 200, ""])
def test_names_of_any_kind_are_drawn(name):
    study, figure = many(2)
    study["columns"][4]["name"] = name
    for row in study["rows"]:
        row[0] = f"{name}{row[0]}"
    assert study_figure(study, figure | {"y": [name], "level": [1.0, name]}, prefix="a")


@pytest.mark.parametrize("value", [1e-300, 1e-9, 1.0, 1e15, 1e300])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_numbers_of_any_size_are_drawn(value, scale):
    study = copy.deepcopy(STUDY)
    study["rows"] = [["a", 0.5, 0.1, value, value], ["a", 0.5, 0.1, 2 * value, value]]
    assert study_figure(study, FIGURE | {"x_scale": scale, "y_scale": scale, "level": None}, prefix="a")


def test_the_same_study_gives_the_same_bytes_under_any_style():
    first = study_figure(STUDY, FIGURE, prefix="a")
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path", "legend.fontsize": 40}):
        assert study_figure(STUDY, FIGURE, prefix="a") == first
