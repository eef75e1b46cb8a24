import json

import pytest
from typer.testing import CliRunner

from theorems.command_line import app
from theorems.documents import STUDIES


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*args):
        return CliRunner().invoke(app, [str(a) for a in args])

    return call


def failed(result, code, *words):
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    line = result.stderr.splitlines()[-1]
    assert line.startswith("theorems: ")
    for word in words:
        assert word in line


def test_tables_on_stdout_progress_on_stderr(run, study, studies, tmp_path):
    studies(study("first"), study("second"))
    result = run("study")
    assert result.exit_code == 0, result.output
    assert "A table   [first]" in result.stdout
    assert "A table   [second]" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "measured first (4 rows), second (4 rows); seed 20201206, profile quick. Next: theorems report"
    )
    assert result.stderr.split("\n")[:2] == ["measuring first", "measuring second"]
    assert (tmp_path / ".theorems" / STUDIES).exists()


def test_quiet_is_the_last_line(run, study, studies):
    studies(study())
    result = run("study", "-q")
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""


def test_json_is_one_document_of_what_was_measured_now(run, study, studies):
    studies(study("first"), study("second"))
    run("study", "first")
    result = run("study", "second", "--json", "--seed", "3", "--profile", "ci", "--store", ".theorems")
    made = json.loads(result.stdout)
    assert [(e["id"], e["seed"], e["profile"]) for e in made["studies"]] == [("second", 3, "ci")]
    assert made["studies"][0]["rows"][-1] == ["low", 8, 3]
    assert run("study", "second", "--json", "--seed", "3", "--profile", "ci").stdout == result.stdout


def test_nothing_in_the_profile_is_said(run, study, studies):
    studies(study(rows=lambda *_: []))
    result = run("study")
    assert result.exit_code == 0
    assert "measured nothing" in result.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["third"], ["'third' is unknown", "first, second"]),
        (["--profile", "fast"], ["--profile", "quick, ci, night", "'fast'"]),
        (["--seed", "-1"], ["--seed", "-1"]),
        (["--seed", str(2**63)], ["--seed", str(2**63)]),
    ],
)
def test_wrong_usage_is_one_line(run, study, studies, args, words):
    studies(study("first"), study("second"))
    failed(run("study", *args), 2, *words)


def test_a_store_that_is_a_file_is_usage(run, study, studies, tmp_path):
    studies(study())
    (tmp_path / "file").touch()
    failed(run("study", "--store", "file"), 2, "file")


def test_a_damaged_studies_file_is_five(run, study, studies, tmp_path):
    studies(study())
    (tmp_path / ".theorems").mkdir()
    (tmp_path / ".theorems" / STUDIES).write_text("{")
    failed(run("study"), 5, STUDIES, "delete it")


def test_a_row_that_does_not_fit_is_internal(run, study, studies):
    studies(study(rows=lambda *_: [("low", 1)]))
    failed(run("study"), 70, "internal error", "3 cells")


def test_an_interruption_is_130(run, study, studies):
    def interrupt(*_):
        raise KeyboardInterrupt

    studies(study(rows=interrupt))
    failed(run("study"), 130, "interrupted")


def test_the_report_draws_what_was_measured(run, study, studies, tmp_path):
    assert run("verify", "3.3", "-k", "3.3@coupon-3", "-q").exit_code == 0
    assert run("report").exit_code == 0
    assert "Studies" not in (tmp_path / "theorems-report.md").read_text(encoding="utf-8")
    studies(study())
    run("study")
    assert run("report").exit_code == 0
    for name in ("theorems-report.html", "theorems-report.md"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "A table" in text
        assert "theorems study made.up --profile quick" in text
    (tmp_path / ".theorems" / STUDIES).write_text("{}")
    failed(run("report"), 5, STUDIES, "schema_version")
