import copy
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest

from reports.drawing import power_of_ten
from reports.figures import failure_curve, least_sizes, sizes

EXAMPLE = json.loads(Path(__file__).with_name("records_example.json").read_text(encoding="utf-8"))
EXACT, SAMPLED = (copy.deepcopy(record) for record in EXAMPLE["records"] if record["curve"])


def changed(record, **fields):
    return copy.deepcopy(record) | fields


def test_a_figure_is_wellformed_described_and_free_of_dates_and_addresses():
    svg = failure_curve(EXACT, prefix="a")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    title, says = root[0], root[1]
    assert root.get("aria-labelledby").split() == [title.get("id"), says.get("id")] == ["a-title", "a-says"]
    assert "coupon-2" in title.text
    assert "promise 0.1" in says.text
    assert "://" not in svg
    assert not re.search(r"20\d\d-\d\d-\d\d", svg)
    assert "Matplotlib" not in svg


def test_the_same_record_gives_the_same_bytes_and_leaves_the_style_alone():
    before = dict(mpl.rcParams)
    assert failure_curve(SAMPLED, prefix="a") == failure_curve(SAMPLED, prefix="a")
    assert dict(mpl.rcParams) == before


def test_the_style_of_the_reader_has_no_influence():
    plain = failure_curve(EXACT, prefix="a")
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True, "svg.fonttype": "path"}):
        assert failure_curve(EXACT, prefix="a") == plain


def test_ids_are_those_of_the_prefix_and_every_reference_is_met():
    svg = failure_curve(SAMPLED, prefix="curve-7")
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("curve-7-") for name in ids)
    wanted = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    assert wanted
    assert wanted <= set(ids)


def test_colours_come_from_the_style_sheet():
    svg = failure_curve(EXACT, prefix="a")
    assert "var(--line)" in svg
    assert "var(--refuted)" in svg
    assert "#01020" not in svg


def test_promise_asked_and_least_are_labelled():
    svg = failure_curve(EXACT, prefix="a")
    for words in ("promise δ = 0.1", ">asked<", "least m = 38", "P[fail]", "c = m / m asked"):
        assert words in svg


def test_what_is_not_known_is_not_drawn():
    svg = failure_curve(changed(EXACT, delta=None, measured={"least m": 38}), prefix="a")
    assert "promise" not in svg
    assert "least m" not in svg


def test_close_labels_stand_one_above_the_other():
    def height(svg, words):
        found = re.search(rf'<text [^>]*y="([-\d.]+)"[^>]*>{words}', svg)
        found = found or re.search(rf"<text [^>]*translate\([-\d.]+ ([-\d.]+)\)[^>]*>{words}", svg)
        return float(found[1])

    near = failure_curve(changed(EXACT, measured={"m asked": 431, "least m": 400}), prefix="a")
    far = failure_curve(EXACT, prefix="a")
    assert height(near, "least m") < height(near, "asked") - 8
    assert height(far, "least m") == pytest.approx(height(far, "asked"), abs=0.5)


def test_zero_and_tiny_probabilities_stay_inside_the_frame():
    points = copy.deepcopy(EXACT["curve"])
    points[-1] |= {"lower": 0.0, "estimate": 0.0, "upper": 0.0}
    points[-2] |= {"lower": 5e-320, "estimate": 5e-320, "upper": 5e-320}
    points[-3] |= {"lower": 1e-250, "estimate": 1e-250, "upper": 1e-250}
    svg = failure_curve(changed(EXACT, curve=points), prefix="a")
    assert "nan" not in svg
    assert "inf" not in svg
    labels = re.findall(r">10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+)<", svg)
    assert 3 <= len(labels) <= 7


def test_a_point_without_failures_is_a_triangle_not_a_square():
    def markers(svg):
        return len(set(re.findall(r'href="#([^"]+)"', svg)))

    seen = [point for point in SAMPLED["curve"] if point["failures"]]
    assert (
        markers(failure_curve(SAMPLED, prefix="a"))
        == markers(failure_curve(changed(SAMPLED, curve=seen), prefix="a")) + 1
    )


def test_one_point_and_long_ranges_are_drawn():
    failure_curve(changed(EXACT, curve=EXACT["curve"][-1:], measured={}), prefix="a")
    points = [point | {"c": c} for point, c in zip(EXACT["curve"], (1e-4, 1e-2, 1.0), strict=False)]
    svg = failure_curve(changed(EXACT, curve=points), prefix="a")
    assert ">0.01<" in svg
    assert ">0.02<" not in svg


def test_least_sizes_has_a_row_per_instance_with_its_slack():
    records = [record for record in EXAMPLE["records"] if None not in sizes(record)]
    svg = least_sizes(records, prefix="sizes")
    ElementTree.fromstring(svg)
    for record in records:
        assert record["instance"] in svg
        assert f"× {record['slack']:.3g}" in svg
    assert "coupon-2: 38 of 431" in svg
    assert "×" not in least_sizes([changed(EXACT, slack=None)], prefix="sizes")


def test_names_are_escaped_shortened_and_never_formulas():
    odd = changed(EXACT, instance="<script>$x^2$" + "中" + "y" * 40)
    svg = least_sizes([odd], prefix="sizes")
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "$x^2$" in svg
    assert r"\u4e2d" in svg
    assert "..." in svg
    ElementTree.fromstring(failure_curve(odd, prefix="a"))


@pytest.mark.parametrize("asked", [50_000, 3_000_000, 10_000_000])
def test_large_sizes_have_short_labels(asked):
    svg = least_sizes([changed(EXACT, measured={"m asked": asked, "least m": asked // 7})], prefix="sizes")
    labels = re.findall(r"<text [^>]*>([^<]+)</text>", svg)
    assert all(len(label) <= 10 for label in labels if "coupon" not in label)


def test_sizes_are_positive_numbers_or_nothing():
    assert sizes({"measured": {"m asked": 9, "least m": 2.5}}) == (9, 2.5)
    assert sizes({"measured": {"m asked": "many", "least m": 0}}) == (None, None)


@pytest.mark.parametrize(("value", "shown"), [(1.0, "1"), (0.1, "0.1"), (1e-3, "10⁻³"), (1e-12, "10⁻¹²"), (1e5, "10⁵")])
def test_powers_of_ten(value, shown):
    assert power_of_ten(value) == shown
