import copy
import json
import os
import re
import stat
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import reports
from reports import RecordsUnreadable, write_reports
from reports.page import MARKDOWN_LIMIT

EXAMPLE_PATH = Path(__file__).with_name("records_example.json")
EXAMPLE = json.loads(EXAMPLE_PATH.read_text(encoding="utf-8"))
STUDIES_PATH = Path(__file__).with_name("studies_example.json")
STUDIES = json.loads(STUDIES_PATH.read_text(encoding="utf-8"))["studies"]
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Outline(HTMLParser):
    """Checks that every tag is closed in order, and gathers tags, attributes and text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.words, self.targets = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        self.targets += [value for name, value in attrs if name in {"src", "href", "xlink:href", "action"}]
        assert not [name for name in given if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def outline(html):
    parser = Outline()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def pages(folder, document=EXAMPLE):
    records = folder / "records.json"
    records.write_text(json.dumps(document), encoding="utf-8")
    write_reports(records, folder / "page.html", folder / "page.md")
    return (folder / "page.html").read_text(encoding="utf-8"), (folder / "page.md").read_text(encoding="utf-8")


def text_of(html):
    return re.sub(r"\s+", " ", "".join(outline(html).words))


def variant(change):
    """The example changed, without its curves: drawing them is most of the time."""
    document = copy.deepcopy(EXAMPLE)
    for record in document["records"]:
        record["curve"] = []
    change(document)
    return document


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return pages(tmp_path_factory.mktemp("example"))


# ------------------------------------------------------------------------------------------- self-contained


def test_the_page_is_closed_html_without_scripts_addresses_or_dates(example):
    html, markdown = example
    seen = outline(html)
    assert len(seen.ids) == len(set(seen.ids))
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(seen.tags)
    assert all(target.startswith("#") for target in seen.targets)
    assert {target[1:] for target in seen.targets} <= set(seen.ids)
    for text in (html, markdown):
        assert "://" not in text
        assert "@import" not in text
        assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d", text)
    assert not re.search(r"url\((?!#)", html)
    assert "prefers-color-scheme: dark" in html


def test_bytes_depend_on_the_records_alone(tmp_path, example):
    code = (
        "import sys; from pathlib import Path; from reports import write_reports; "
        "write_reports(*map(Path, sys.argv[1:]))"
    )
    paths = [str(EXAMPLE_PATH), str(tmp_path / "other.html"), str(tmp_path / "other.md")]
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
        "SOURCE_DATE_EPOCH": "1",
        "PYTHONPATH": str(Path(reports.__file__).parents[1]),
    }
    subprocess.run([sys.executable, "-W", "error", "-c", code, *paths], check=True, env=environment, cwd=tmp_path)
    assert Path(paths[1]).read_text(encoding="utf-8") == example[0]
    assert Path(paths[2]).read_text(encoding="utf-8") == example[1]


# ---------------------------------------------------------------------------------------------- what it says


def test_both_say_the_outcome_the_seed_and_how_to_judge_again(example):
    html, markdown = example
    again = (
        "theorems verify glss.thm3.3 glss.eq4 glss.eq13-printed glss.thm3.6-explicit "
        "--profile quick --seed 20200911 --budget 4096"
    )
    assert again in text_of(html)
    assert again in markdown
    for text in (text_of(html), markdown):
        assert "12 of 15 as declared" in text
        assert "profile quick" in text
        assert "seed 20200911" in text
        assert EXAMPLE["budget"]["says"] in text
        assert EXAMPLE["code_digest"] in text
        assert "4 statements on 10 instances, with 5 broken twins" in text


def flat(text):
    """Markdown as its reader sees it: escapes and entities undone."""
    plain = re.sub(r"\\([\\`*_\[\]|$~#])", r"\1", text)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def test_every_fact_of_every_statement_is_on_both(example):
    html, markdown = text_of(example[0]), flat(example[1])
    for statement in EXAMPLE["statements"]:
        facts = [
            statement[name] for name in ("title", "plainly", "source", "place", "identifier", "deviation", "price")
        ]
        facts += [h["says"] for h in statement["hypotheses"]] + statement["notes"]
        facts += [text for misprint in statement["misprints"] for text in misprint.values()]
        for fact in facts:
            assert fact in html
            assert fact in markdown


def test_every_fact_of_every_record_is_on_both(example):
    html, markdown = text_of(example[0]), flat(example[1])
    for record in EXAMPLE["records"]:
        for text in (html, markdown):
            assert record["instance"] in text
            if record["twin"] is None:
                assert record["because"] in text
                assert record["excluded"] in text
                assert record["price"] in text
                assert record["fault"] in text
                assert record["instance_digest"][:16] in text
            else:
                assert record["twin"] in text
        assert record["claim"] in html
        assert record["slack_says"] in html
        for layer in record["layers"]:
            assert layer["because"] in html
    for point in (point for record in EXAMPLE["records"] for point in record["curve"]):
        assert f"{point['m']:,}" in markdown
    for words in ("0 failures in 2,048 trials", "exact: P[fail] = 2.79e-10", "14 comparisons: 14 IN", "fitted slope"):
        assert words in html
        assert words in markdown


def test_verdicts_differ_in_word_shape_and_class(example):
    html, markdown = example
    for verdict, shape in {"SUPPORTED": "●", "REFUTED": "◆", "UNDECIDED": "◐", "VACUOUS": "○"}.items():
        assert f'class="badge {verdict}"><i aria-hidden="true">{shape}</i>{verdict}</span>' in html
        assert f".{verdict} {{" in html
        assert f"{shape} {verdict}" in markdown


def test_a_declared_refutation_is_calm_and_an_undeclared_verdict_is_not(example):
    html, markdown = example
    printed = html[html.index('id="glss.eq13-printed"') : html.index('id="glss.thm3.6-explicit"')]
    assert "alarm" not in printed
    assert "as declared" in printed
    undecided = html[html.index('id="glss.thm3.6-explicit"') :]
    assert 'class="badge UNDECIDED alarm"' in undecided
    assert "declared SUPPORTED" in undecided
    assert "◐ UNDECIDED (**declared SUPPORTED**)" in markdown


def test_assumed_hypotheses_are_bold_and_others_are_not(example):
    html, markdown = example
    assert '<strong class="who assumed">assumed: a finite sample cannot show it' in html
    assert '<span class="who">checked</span>' in html
    assert "**assumed**: a finite sample" in markdown
    assert "**checked**" not in markdown
    assert "by construction: q\\_lambda" in markdown


def test_a_surviving_twin_is_red_and_explained(example):
    html, markdown = example
    assert html.count('<strong class="bad">survived') == 2
    assert html.count("has no power against this mistake") == 1
    assert markdown.count("has no power against this mistake") == 1


def test_the_kill_matrix_has_a_mark_per_kill(example):
    html, markdown = example
    kills = sum(len(twin["killed_by"]) for twin in EXAMPLE["twins"])
    assert html.count('class="killed"') == kills
    assert markdown.count("| ✕") == kills
    layers = ["event", "m recomputed", "expectation identity", "sampler law", "independence"]
    assert f"| twin | {' | '.join(layers)} |" in markdown
    assert "| 3.3 one\\_draw\\_repeated | · | · | · | · | ✕ |" in markdown


def test_formulas_are_mathml_on_the_page_and_latex_in_its_twin(example):
    html, markdown = example
    assert html.count("<math ") == 6
    assert markdown.count("$$") == 2 * len(EXAMPLE["statements"])
    assert r"\preceq\bar\Psi\bar\Psi^{\top}" in markdown
    assert r"\," not in markdown


def test_figures_stand_where_a_curve_is_and_nowhere_else(example, tmp_path):
    html, _ = example
    assert html.count("<svg ") == 3

    def without(document):
        for record in document["records"]:
            record["measured"] = {}

    html, markdown = pages(tmp_path, variant(without))
    assert "<svg" not in html
    assert "least m" not in markdown.split("## Theorem 3.3")[0]


def test_long_lists_of_comparisons_show_the_worst_first_and_say_what_is_left(tmp_path, example):
    assert "and 2 more in the records file" in text_of(example[0])

    def failing(document):
        record = next(r for r in document["records"] if r["statement"] == "glss.eq4")
        record["comparisons"][-1] |= {"answer": "OUT", "says": "the last one"}
        record["comparisons"][-2] |= {"answer": "odd", "says": "an odd one"}

    html, markdown = pages(tmp_path, variant(failing))
    for text in (html, markdown):
        assert text.index("the last one") < text.index("0 &lt;= q")
        assert "an odd one" not in text


def test_not_run_machine_and_glossary_are_listed(example):
    for text in (text_of(example[0]), flat(example[1])):
        assert "needs the night profile" in text
        assert "Linux x86_64" in text
        assert "survived a test that would have caught an excess" in text
        assert "no instance met the hypotheses" in text


def test_a_small_green_file_says_so_without_the_optional_parts(tmp_path):
    def small(document):
        document["statements"] = [s | {"records": None} for s in document["statements"] if s["id"] == "glss.eq4"]
        document["records"] = [
            r for r in document["records"] if r["statement"] == "glss.eq4" and r["instance"] == "duplicated"
        ]
        for record in document["records"]:
            del record["layers"]
        document["summary"] = {"as_declared": 1, "total": 1, "exit_code": 0}
        document["not_run"], document["machine"] = [], {}
        del document["twins"], document["budget"]["trials"]

    html, markdown = pages(tmp_path, variant(small))
    assert 'class="good">1 of 1 as declared' in html
    for text in (text_of(html), markdown):
        assert "Everything came out as declared." in text
        assert "1 statement on 1 instance, with 0 broken twins" in text
        for absent in ("Not run", "Broken twins", "Which layer", "--budget", "What is asked"):
            assert absent not in text


@pytest.mark.parametrize(("code", "tone"), [(0, "good"), (1, "bad"), (3, "open"), (5, "bad"), (99, "bad")])
def test_the_colour_of_the_outcome_follows_the_exit_code(tmp_path, code, tone):
    html, _ = pages(tmp_path, variant(lambda d: d["summary"].update(exit_code=code)))
    assert f'<strong class="{tone}">12 of 15' in html
    assert ("no name here" in html) == (code == 99)


def test_twins_without_a_list_are_read_from_their_records(tmp_path):
    html, markdown = pages(tmp_path, variant(lambda d: d.pop("twins")))
    for text in (html, markdown):
        assert "Which layer kills" not in text
        assert text.count("has no power against this mistake") == 1
    assert "one_draw_repeated" in html


def test_a_twin_without_a_record_and_a_statement_without_instances_are_said(tmp_path):
    def bare(document):
        document["records"] = [r for r in document["records"] if r["statement"] != "glss.eq4"]

    html, markdown = pages(tmp_path, variant(bare))
    assert "No instance was judged." in html
    assert "No instance was judged." in markdown
    assert "| **lambda\\_times\\_n** | K + n lambda I where K + lambda I is meant | – | – | – |" in markdown


# ---------------------------------------------------------------------------------------------- hostile text


HOSTILE = "<script>alert(1)</script>&\"'`|*_$\n# x"


def poison(value, key=""):
    keep = {"id", "statement", "verdict", "expected", "evidence", "constant", "kind", "answer", "probability"}
    if key in keep:
        return value
    if isinstance(value, dict):
        return {name: poison(entry, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [poison(entry, key) for entry in value]
    return HOSTILE if isinstance(value, str) else value


def test_no_text_of_the_records_becomes_markup(tmp_path):
    document = poison(copy.deepcopy(EXAMPLE))
    for poisoned, plain in zip(document["statements"], EXAMPLE["statements"], strict=True):
        poisoned["says"], poisoned["kind"] = plain["says"], HOSTILE
    for poisoned, plain in zip(document["records"], EXAMPLE["records"], strict=True):
        poisoned["twin"] = plain["twin"] and HOSTILE
    html, markdown = pages(tmp_path, document)
    seen = outline(html)
    assert "script" not in seen.tags
    assert "<script" not in markdown
    assert "alert(1)" in "".join(seen.words)
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    rules = [width for row, width in zip(rows, widths, strict=True) if re.fullmatch(r"[| :-]+", row)]
    assert set(widths) == set(rules)


def test_shell_words_in_ids_are_quoted(tmp_path):
    document = json.loads(json.dumps(EXAMPLE).replace("glss.eq4", "a; rm -rf x"))
    html, _ = pages(tmp_path, document)
    assert "glss.thm3.3 'a; rm -rf x' glss" in text_of(html)
    assert 'href="#a%3B%20rm%20-rf%20x"' in html


def test_the_markdown_twin_stays_below_a_mebibyte_and_says_where_it_was_cut(tmp_path):
    def long(document):
        document["records"] = [r | {"because": "é" * 4000} for r in document["records"] for _ in range(16)]

    html, markdown = pages(tmp_path, variant(long))
    content = markdown.encode("utf-8")
    assert MARKDOWN_LIMIT - 9000 < len(content) <= MARKDOWN_LIMIT
    assert markdown.endswith("|\n\n**Cut here: the HTML page holds the rest.**\n")
    assert len(html.encode("utf-8")) > MARKDOWN_LIMIT


# -------------------------------------------------------------------------------------------------- failures


def test_an_unreadable_file_or_formula_leaves_the_old_pages(tmp_path):
    html, markdown = tmp_path / "page.html", tmp_path / "page.md"
    html.write_text("old", encoding="utf-8")
    records = tmp_path / "records.json"
    records.write_text("{", encoding="utf-8")
    with pytest.raises(RecordsUnreadable, match=re.escape(str(records))):
        write_reports(records, html, markdown)
    strange = variant(lambda d: d["statements"][1].update(says=r"\foo"))
    records.write_text(json.dumps(strange), encoding="utf-8")
    with pytest.raises(RecordsUnreadable, match=r"records\.json: statement glss\.eq4: unknown command \\foo"):
        write_reports(records, html, markdown)
    assert html.read_text(encoding="utf-8") == "old"
    assert not markdown.exists()


def test_the_paths_must_differ(tmp_path):
    records = tmp_path / "records.json"
    records.write_text(json.dumps(EXAMPLE), encoding="utf-8")
    before = records.read_bytes()
    for paths in ((records, tmp_path / "p.md"), (tmp_path / "p", tmp_path / "." / "p")):
        with pytest.raises(ValueError, match="the paths must differ"):
            write_reports(records, *paths)
    assert records.read_bytes() == before


def test_a_write_error_names_the_path_in_one_line_and_leaves_nothing_behind(tmp_path):
    missing = tmp_path / "missing" / "page.html"
    with pytest.raises(FileNotFoundError, match=r"cannot write the report \(No such file or directory\)") as caught:
        write_reports(EXAMPLE_PATH, missing, tmp_path / "page.md")
    assert str(missing) in str(caught.value)
    assert "\n" not in str(caught.value)
    blocked = tmp_path / "folder.html"
    blocked.mkdir()
    with pytest.raises(IsADirectoryError, match="cannot write the report"):
        write_reports(EXAMPLE_PATH, blocked, tmp_path / "page.md")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_a_full_disk_leaves_the_old_page_whole(tmp_path, monkeypatch):
    html, markdown = tmp_path / "page.html", tmp_path / "page.md"
    html.write_text("old", encoding="utf-8")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*page\.html"):
        write_reports(EXAMPLE_PATH, html, markdown)
    assert html.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_existing_pages_are_replaced_and_readable_by_the_usual_people(tmp_path):
    pages(tmp_path)
    plain = tmp_path / "plain"
    plain.touch()
    for name in ("page.html", "page.md"):
        (tmp_path / name).write_text("old", encoding="utf-8")
    html, _ = pages(tmp_path)
    assert html.startswith("<!DOCTYPE html>")
    assert stat.S_IMODE((tmp_path / "page.html").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "page.md", "plain", "records.json"]


def test_reports_import_no_other_room():
    code = (
        "import sys, reports; "
        "assert not {m.split('.')[0] for m in sys.modules} & {'reference', 'theorems', 'flint'}; "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    folder = str(Path(reports.__file__).parents[1])
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": folder})


def test_the_command_that_made_the_records_is_shown_as_it_was(tmp_path):
    document = copy.deepcopy(EXAMPLE)
    document["command"] = "theorems verify 3.3 -k 'a b' --seed 7"
    (tmp_path / "records.json").write_text(json.dumps(document))
    write_reports(tmp_path / "records.json", tmp_path / "page.html", tmp_path / "page.md")
    assert "theorems verify 3.3 -k &#39;a b&#39; --seed 7" in (tmp_path / "page.html").read_text()
    assert "theorems verify 3.3 -k 'a b' --seed 7" in (tmp_path / "page.md").read_text()


# -------------------------------------------------------------------------------------------------- studies


@pytest.fixture(scope="module")
def with_studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies")
    write_reports(EXAMPLE_PATH, folder / "page.html", folder / "page.md", studies=STUDIES_PATH)
    return (folder / "page.html").read_text(encoding="utf-8"), (folder / "page.md").read_text(encoding="utf-8")


def test_a_page_without_studies_has_no_word_of_them(example, with_studies):
    for plain, drawn in zip(example, with_studies, strict=True):
        assert "Studies" not in plain
        assert "Studies" in drawn


def test_studies_are_closed_html_without_addresses_and_every_link_is_met(with_studies):
    html, _ = with_studies
    seen = outline(html)
    assert len(seen.ids) == len(set(seen.ids))
    assert {"study-made.up", "study-long"} <= set(seen.ids)
    assert all(target.startswith("#") for target in seen.targets)
    assert {target[1:] for target in seen.targets} <= set(seen.ids)
    assert "#study-made.up" in seen.targets
    assert "://" not in html


def test_every_fact_of_every_study_is_on_both(with_studies):
    html, markdown = text_of(with_studies[0]), flat(with_studies[1])
    for study in STUDIES:
        facts = [study["id"], study["title"], study["says"], study["command"], *study["about"][1:]]
        facts += [column[name] for column in study["columns"] for name in ("name", "says")]
        for fact in facts:
            assert fact in html
            assert fact in markdown
    assert "about 3.3, elsewhere" in html
    assert "about 3.3, elsewhere" in markdown
    assert "| b | 0.5 | 0.01 | 2 | 1,234,567 |" in markdown
    assert "| b | 0.5 | 0.01 | 4 |  |" in markdown
    assert "1,234,567" in html


def test_a_study_is_drawn_and_a_long_table_waits(with_studies):
    html, markdown = with_studies
    short, long = (
        html[html.index(f'<article id="study-{name}">') :].split("</article>")[0] for name in ("made.up", "long")
    )
    assert short.count("<svg ") == 1
    assert "<details>" not in short
    assert long.count("<svg ") == 0
    assert "The table, 20 rows" in long
    assert markdown.count("The table, 20 rows") == 1


def test_other_code_than_that_of_the_verdicts_is_said(tmp_path, with_studies):
    assert "Measured with other code" in with_studies[0]
    document = json.loads(STUDIES_PATH.read_text(encoding="utf-8")) | {"code_digest": EXAMPLE["code_digest"]}
    same = tmp_path / "studies.json"
    same.write_text(json.dumps(document), encoding="utf-8")
    write_reports(EXAMPLE_PATH, tmp_path / "page.html", tmp_path / "page.md", studies=same)
    assert "Measured with other code" not in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Measured with other code" not in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_unreadable_studies_leave_the_old_page(tmp_path):
    (tmp_path / "page.html").write_text("old", encoding="utf-8")
    (tmp_path / "studies.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RecordsUnreadable, match=r"studies\.json: "):
        write_reports(EXAMPLE_PATH, tmp_path / "page.html", tmp_path / "page.md", studies=tmp_path / "studies.json")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "old"
    with pytest.raises(ValueError, match="the paths must differ"):
        write_reports(EXAMPLE_PATH, tmp_path / "page.html", tmp_path / "page.md", studies=EXAMPLE_PATH)
