# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from theorems import verification
from theorems.catalogue import CATALOGUE
from theorems.checking.store import FILE_NAME
from theorems.command_line import app
from theorems.console import stop
from theorems.streams import Signalled

ROOT = Path(__file__).parents[1]
COUPON = "3.3@coupon-3"  # one exact world


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*args):
        return CliRunner().invoke(app, [str(a) for a in args])

    return call


def failed(result, code, *words):
    """Exactly one line on stderr that names the trouble, nothing on stdout, and the exit code."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("theorems: ")
    for word in words:
        assert word in line
    return line


def shell(*args, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "theorems", *map(str, args)],
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


# ---------------------------------------------------------------------------------------------- reading only


def test_help_without_a_command_is_usage(run):
    result = run()
    assert result.exit_code == 2
    assert "Usage" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["", "list", "show", "verify", "report", "twins", "loewner"])
def test_help_is_on_stdout(run, command):
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout
    assert result.stderr == ""


def test_help_waits_for_nothing_heavy(tmp_path):
    code = (
        "import sys; sys.argv = ['theorems', '--help']\n"
        "from theorems.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "heavy = {'numpy', 'scipy', 'flint', 'matplotlib', 'rich', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_list_shows_every_statement_under_its_part_of_the_paper(run):
    result = run("list")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert all(any(f" {s.id} " in line and s.title in line for line in lines) for s in CATALOGUE)
    assert "NOT COVERED YET" in next(line for line in lines if "Theorem 10, lower bound" in line)
    assert re.match(r"GLSS: \d+ of \d+ parts covered", lines[0])


def test_list_as_json(run):
    listed = json.loads(run("list", "--json").stdout)
    assert {s["id"] for s in listed["statements"]} == {s.id for s in CATALOGUE}
    assert {s["status"] for s in listed["statements"]} == {"NOT RUN"}
    [printed] = [s for s in listed["statements"] if s["id"] == "glss.thm3.3"]
    assert printed["twins"] == [t.name for t in CATALOGUE[0].twins]
    assert [c["covered"] for c in listed["contents"] if c["part"].startswith("Theorem 3.3")] == [True]


def test_the_records_tell_how_to_make_them_again(run):
    made = json.loads(run("verify", "3.3", "-k", "glss.thm3.3@linear", "--json", "-q").stdout)
    assert made["command"] == "theorems verify 3.3 --profile quick -k glss.thm3.3@linear --seed 20201206 --budget 4096"
    again = json.loads(run(*made["command"].split()[1:], "--json", "-q").stdout)
    assert again["records"] == made["records"]


def test_list_shows_what_the_last_run_said(run):
    assert run("verify", "3.3", "-k", "glss.thm3.3@linear", "-q").exit_code == 0
    [line] = [line for line in run("list").stdout.splitlines() if " glss.thm3.3 " in line]
    assert line.split()[0] == "SUPPORTED"


@pytest.mark.parametrize("name", ["3.3", "glss.thm3.3"])
def test_show_is_the_whole_card(run, name):
    result = run("show", name)
    assert (result.exit_code, result.stderr) == (0, "")
    [s] = [s for s in CATALOGUE if s.id == "glss.thm3.3"]
    for words in [s.plainly, s.says, *(h.says for h in s.hypotheses), *(t.because for t in s.twins), s.notes[0]]:
        assert words in result.stdout


def test_show_says_what_is_assumed(run, world, catalogue):
    catalogue(world.statement(deviation="a word"))
    shown = run("show", "made.up").stdout
    assert "[ASSUMED: made up]" in shown
    assert "deviation from print: a word" in shown


# ---------------------------------------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("nonsense", ["nonsense"]),
        ("verify --nonsense", ["--nonsense"]),
        ("show", ["ID"]),
        ("show 9.9", ["'9.9'", "glss.thm3.3"]),
        ("verify 9.9", ["'9.9'"]),
        ("twins 9.9", ["'9.9'"]),
        ("verify --profile huge", ["--profile", "quick, ci, night", "'huge'"]),
        ("verify --seed -1", ["--seed must lie in [0, 9223372036854775807], got -1"]),
        ("verify --seed 9223372036854775808", ["--seed", "9223372036854775808"]),
        ("verify --seed x", ["--seed", "integer"]),
        ("verify --budget 0", ["--budget must lie in [1, 1099511627776], got 0"]),
        ("verify --budget 9999999999999", ["--budget", "9999999999999"]),
        ("verify --budget 1.5", ["--budget"]),
        ("verify --jobs 0", ["--jobs must lie in [1, 1024], got 0"]),
        ("verify --jobs -2", ["--jobs", "-2"]),
        ("twins --seed -1", ["--seed", "-1"]),
        ("twins --budget 0", ["--budget", "0"]),
        ("verify -k no-such-record", ["-k", "'no-such-record'"]),
        ("verify --eps 2", ["--eps needs --data, got --eps 2"]),
        ("verify --delta 0", ["--delta needs --data"]),
        ("verify --lam 1", ["--lam needs --data"]),
        ("verify --sigma 1", ["--sigma needs --data"]),
        ("verify --features relu", ["--features needs --data"]),
        ("verify --data missing.npy", ["--data missing.npy", "No such file"]),
        ("verify --data .", ["--data .", "Is a directory"]),
        ("verify --data junk", ["--data junk", ".npy"]),
        ("verify --data /dev/null", ["--data /dev/null", "regular file"]),
        ("verify -k glss.thm3.3@linear --junitxml /dev/null -q", ["/dev/null: not a regular file"]),
        ("verify --data X.npy --features cosine", ["--features", "relu or fourier", "'cosine'"]),
        ("verify --data X.npy --sigma 2", ["--sigma needs --features fourier, got --features relu"]),
        ("verify --data X.npy --eps nan", ["--eps", "'nan'"]),
        ("verify --data X.npy --eps 1e999999999", ["--eps", "'1e999999999'"]),
        ("verify --data X.npy --lam 1/0", ["--lam", "'1/0'"]),
        ("verify --data X.npy --delta", ["--delta"]),
        ("verify --store junk", ["junk", "File exists"]),
        ("verify --store junk/store", ["junk/store", "Not a directory"]),
        ("twins --store junk", ["junk", "File exists"]),
        ("report", ["no records in .theorems/records.json", "theorems verify"]),
        ("report --store junk/x", ["junk/x"]),
        ("loewner", ["FILE", "--lower"]),
        ("loewner --lower X.npy", ["--upper"]),
        ("loewner a.json --lower X.npy --upper X.npy", ["FILE"]),
        ("loewner missing.json", ["missing.json", "No such file"]),
        ("loewner --lower X.npy --upper junk", ["X.npy"]),
    ],
)
def test_wrong_usage_is_one_line(run, tmp_path, args, words):
    (tmp_path / "junk").write_text("no matrix")
    np.save(tmp_path / "X.npy", np.eye(3)[:, :2])
    failed(run(*args.split()), 2, *words)


def test_a_store_that_cannot_be_written_to(run, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    failed(run("verify", "-k", COUPON, "--store", "s"), 2, "--store must be a folder that can be written to, got s")


def test_data_is_judged_by_its_theorem_only(run, tmp_path, world, catalogue):
    np.save(tmp_path / "X.npy", np.eye(3))
    catalogue(world.statement())
    failed(run("verify", "--data", "X.npy"), 2, "--data is judged by glss.thm3.3 only, got made.up")


# ------------------------------------------------------------------------------------------ invalid instances


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--eps 2", ["eps must lie in (0, 1/2), got eps = 2"]),
        ("--eps 0", ["eps = 0"]),
        ("--eps 1/2", ["eps = 0.5"]),
        ("--delta 0", ["delta must lie in (0, 1), got delta = 0"]),
        ("--delta 1", ["delta = 1"]),
        ("--lam 0", ["lambda must be positive, got lambda = 0"]),
        ("--lam -1", ["lambda must be positive, got lambda = -1"]),
        ("--lam 9", ["lambda must be proven below ||K||, got lambda = 9"]),
        ("--eps 2 --delta 2 --lam -1", ["eps = 2", "delta = 2", "lambda = -1"]),
        ("--features fourier --sigma 0", ["--sigma must be positive, got 0"]),
        ("--features fourier --sigma 1e99", ["--sigma must lie in [2^-300, 2^300], got 1e99"]),
        ("--lam 1e-15", ["lambda must be above", "twice the error of K in float64, got lambda = 1e-15"]),
        ("--eps 1e-10", ["X.npy: 3 rows ask for m = ", "draws, and m must be below 2^63"]),
    ],
)
def test_numbers_outside_the_theorem(run, tmp_path, options, words):
    np.save(tmp_path / "X.npy", np.eye(3))
    failed(run("verify", "-q", "--data", "X.npy", *options.split()), 4, "invalid instance", *words)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([[1.0, np.nan]]), ["X.npy", "finite", "nan at (0, 1)"]),
        (np.zeros((0, 2)), ["empty", "(0, 2)"]),
        (np.zeros(4), ["2 axes", "(4,)"]),
        (np.eye(2) * 1j, ["complex128"]),
        (np.zeros((3, 3)), ["lambda must be positive"]),  # K = 0 has no ridge below its norm
        (np.full((2, 3), 1.7e308), ["X.npy: the largest entry of X must lie in [2^-480, 2^480], got 1.7e+308"]),
    ],
    ids=["nan", "empty", "1-d", "complex", "zero", "huge"],
)
def test_matrices_outside_the_theorem(run, tmp_path, array, words):
    np.save(tmp_path / "X.npy", array)
    failed(run("verify", "-q", "--data", "X.npy"), 4, "invalid instance", *words)


def test_a_catalogue_instance_outside_its_theorem(run, world, catalogue):
    catalogue(world.statement(world.Coin(name="two", says="impossible", p=2.0)))
    failed(run("verify", "-q"), 4, "made.up on two: p must lie in [0, 1], got p = 2")


def test_data_is_judged(run, tmp_path):
    np.save(tmp_path / "X.npy", np.eye(3)[:, :2])
    result = run("verify", "--data", "X.npy", "--lam", "0.1", "--eps", "0.4", "--json")
    assert result.exit_code == 0
    [record] = json.loads(result.stdout)["records"]
    assert (record["id"], record["measured"]["eps"]) == ("glss.thm3.3@data-relu", 0.4)
    assert record["instance_says"] == "X.npy, 3 x 2, relu features, lambda = 0.1"


def test_the_chosen_ridge_is_shown(run, tmp_path):
    np.save(tmp_path / "X.npy", np.eye(3)[:, :2])
    shown = run("verify", "--data", "X.npy", "--eps", "0.4").stdout
    assert "lambda = 0.050048828125, a tenth of ||K|| to 8 bits" in shown


def test_a_users_own_instance_gets_its_place_from_the_store(run, tmp_path, monkeypatch):
    np.save(tmp_path / "X.npy", np.eye(3)[:, :2])
    heard = []
    monkeypatch.setattr(verification, "verify", lambda cases, **_: heard.extend(cases) or stop(2, "seen"))
    run("verify", "--data", "X.npy")
    assert [case.nth for case in heard] == [None]


# --------------------------------------------------------------------------------------------- verdicts


def test_all_as_declared_is_zero(run, tmp_path):
    result = run("verify", "3.3", "-k", COUPON)
    assert result.exit_code == 0
    last = result.stdout.splitlines()[-1]
    assert last.startswith("1 of 1 as declared, 0 of 0 twins refuted; seed 20201206, profile quick,")
    assert "=> SUPPORTED" in result.stdout
    assert result.stderr.splitlines()[0] == "[1/1] SUPPORTED glss.thm3.3@coupon-3"
    assert (tmp_path / ".theorems" / "records.json").exists()


def test_quiet_is_one_line(run):
    result = run("verify", "-q", "-k", COUPON)
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == ""


def test_verbose_shows_layers_and_digests(run):
    shown = run("verify", "-v", "-k", COUPON).stdout
    assert "layer expectation identity" in shown
    assert "digest " in shown
    assert "layer" not in run("verify", "-k", COUPON).stdout


def test_a_statement_named_twice_is_heard_once(run):
    made = json.loads(run("verify", "3.3", "glss.thm3.3", "-k", COUPON, "--json").stdout)
    assert made["summary"]["total"] == 1


def test_longer_profiles_hear_more(run, world, catalogue):
    few, more = (world.Coin(name=n, says="a coin") for n in ("few", "more"))
    catalogue(world.statement(instances=lambda profile: (few,) if profile == "quick" else (few, more)))
    heard = {p: json.loads(run("verify", "--profile", p, "--json").stdout) for p in ("quick", "ci", "night")}
    assert [d["summary"]["total"] for d in heard.values()] == [1, 2, 2]
    assert [d["budget"]["trials"] for d in heard.values()] == [4096, 16384, 131072]
    assert heard["quick"]["not_run"] == [{"id": "made.up@more", "why": "not selected"}]


@pytest.mark.parametrize(
    ("fields", "twin", "code", "words"),
    [
        ({}, 1.0, 0, "1 of 1 twins refuted"),
        ({"p": 1.0}, 1.0, 1, "NOT AS DECLARED (SUPPORTED)"),
        ({}, 0.0, 1, "0 of 1 twins refuted"),
        ({"unsure": 1.0}, 1.0, 3, "a decision costs more than 2^40 trials"),
        ({"unsure": 1.0}, 0.0, 1, "0 of 1 twins refuted"),
    ],
)
def test_exit_codes_of_verdicts(run, world, catalogue, fields, twin, code, words):
    catalogue(world.statement(world.Coin(name="coin", says="a coin", **fields), twins=(world.twin(p=twin),)))
    result = run("verify", "--budget", 256)
    assert result.exit_code == code
    assert words in result.stdout


def test_a_tiny_budget_is_undecided_with_its_price(run, world, catalogue):
    catalogue(world.statement())
    result = run("verify", "--budget", 1, "-q")
    assert result.exit_code == 3
    assert result.stderr == ""
    shown = run("verify", "--budget", 1).stdout
    assert "UNDECIDED" in shown
    assert "more trials without a failure" in shown
    assert run("verify", "--budget", 4096).exit_code == 0  # the same store goes on


def test_a_crash_in_a_trial_is_shown_and_undecided(run, world, catalogue):
    def crash(x, m):
        def draw(rng, trials):
            raise ZeroDivisionError("no such draw")

        return draw

    catalogue(world.statement(conclusion=world.conclusion(draw=crash)))
    result = run("verify", "--budget", 64)
    assert result.exit_code == 3
    assert "first error: batch 0: ZeroDivisionError: no such draw" in result.stdout


def test_no_color_and_no_terminal_mean_no_escapes(run, monkeypatch):
    assert "\x1b" not in run("verify", "-k", COUPON).output


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("", True), ("1", False)])
def test_no_color_is_respected_on_a_terminal(monkeypatch, no_color, coloured):
    from theorems import console

    monkeypatch.setattr(sys, "stdout", type("Terminal", (), {"isatty": staticmethod(lambda: True)})())
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    paint = console._colours()
    assert all(("\x1b" in paint(word)) == coloured for word in ("SUPPORTED", "REFUTED", "UNDECIDED", "VACUOUS"))


def test_a_terminal_gets_a_bar(monkeypatch):
    from theorems import console

    class Terminal:
        written = ""
        encoding = "utf-8"

        def isatty(self):
            return True

        def write(self, text):
            self.written += text
            return len(text)

        def flush(self):
            pass

    record = type("R", (), {"verdict": "SUPPORTED", "id": "made.up@coin"})()
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with console.progress(1, enabled=True) as tell:
        tell(record)
    assert "made.up@coin" in terminal.written


def test_every_kind_of_evidence_has_a_line(run, world, catalogue):
    from fractions import Fraction

    from theorems.statement import Claim, ForEach

    claim = Claim(says="1 <= 2", left=Fraction(1), relation="<=", right=Fraction(2))
    catalogue(world.statement(conclusion=ForEach(claims=lambda x: [claim])))
    assert "comparisons" in run("verify").stdout


# -------------------------------------------------------------------------------------- the same bytes again


def test_json_is_the_same_for_every_run_and_number_of_jobs(run, tmp_path):
    selection = ("verify", "--json", "-q", "-k", "glss.thm3.3@linear", "--budget", 512)
    [first, again, cold] = [run(*selection, "--store", s).stdout for s in ("a", "a", "b")]
    assert first == again == cold
    assert len(json.loads(first)["records"]) == 1
    both = ("verify", "3.3", "--json", "-q", "-k", "@complex", "--budget", 512)  # the statement and a twin
    alone, together = (run(*both, "--jobs", jobs, "--store", f"jobs-{jobs}").stdout for jobs in (1, 2))
    assert alone == together
    assert len(json.loads(alone)["records"]) == 2
    assert (tmp_path / "a/records.json").read_text() == first


def test_another_seed_is_another_campaign(run, world, catalogue):
    catalogue(world.statement(world.Coin(name="coin", says="a coin", p=0.03)))
    made = {s: json.loads(run("verify", "--seed", s, "--json").stdout) for s in (1, 2, 1)}
    assert [made[s]["campaign"] for s in (1, 2)] == [2, 3]
    assert made[1]["records"][0]["seed"] == 1


def test_junit_is_written_beside(run, tmp_path):
    assert run("verify", "-q", "-k", COUPON, "--junitxml", "out/junit.xml").exit_code == 0
    suite = ET.parse(tmp_path / "out/junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    (tmp_path / "folder").mkdir()
    result = run("verify", "-q", "-k", COUPON, "--junitxml", "folder")
    failed(result, 2, "folder: ", "directory")


# ------------------------------------------------------------------------------------------- corrupt evidence


@pytest.mark.parametrize(
    "content", [b"no database, but long enough to be looked at" * 9, b"SQLite format 3\0" + b"x" * 99]
)
def test_a_corrupt_store_is_five(run, tmp_path, content, world, catalogue):
    catalogue(world.statement())
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / FILE_NAME).write_bytes(content)
    failed(run("verify", "-q", "--store", "s"), 5, FILE_NAME)
    failed(run("verify", "-q", "--store", "s", "--seed", 3), 5, FILE_NAME)
    assert (tmp_path / "s" / FILE_NAME).read_bytes() == content


def test_divergent_evidence_is_five(run, tmp_path, world, catalogue, monkeypatch):
    catalogue(world.statement())
    assert run("verify", "-q").exit_code == 0
    # the row is lost on reading, computed again, and found to differ on writing
    with sqlite3.connect(tmp_path / ".theorems" / FILE_NAME) as db:
        db.execute("UPDATE evidence SET failures = 1, answers_digest = ?", ("0" * 64,))
    db.close()
    from theorems.checking.store import Store

    find, forgotten = Store.find, []

    def forget_once(self, series, index):
        if forgotten:
            return find(self, series, index)
        forgotten.append(index)
        return None

    monkeypatch.setattr(Store, "find", forget_once)
    failed(run("verify", "-q"), 5, "one key, two answers")


@pytest.mark.parametrize("content", ["{", "[]", '{"schema_version": 99}', '{"schema_version": 1}', '{"a": NaN}'])
def test_corrupt_records_are_five(run, tmp_path, content):
    (tmp_path / ".theorems").mkdir()
    (tmp_path / ".theorems/records.json").write_text(content)
    failed(run("report"), 5, ".theorems/records.json")
    assert not (tmp_path / "theorems-report.html").exists()


# ---------------------------------------------------------------------------------------------- internal errors


def explode(*_, **__):
    raise RuntimeError("a\nbroken \x1breference object")


def test_an_internal_error_is_one_line(run, world, catalogue, monkeypatch):
    catalogue(world.statement())
    monkeypatch.setattr(verification, "hear", explode)
    line = failed(run("verify", "-q"), 70, r"internal error: RuntimeError: a broken \x1breference object")
    assert "test_command_line.py:" in line


def test_a_traceback_only_when_asked_for(run, world, catalogue, monkeypatch):
    catalogue(world.statement())
    monkeypatch.setattr(verification, "hear", explode)
    result = run("verify", "-q", "-v")
    assert result.exit_code == 70
    assert "Traceback (most recent call last)" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("theorems: internal error: RuntimeError")


def test_no_room_is_seventy(run, world, catalogue, monkeypatch):
    from theorems.checking.store import Store, StoreFull

    def full(self, *_):
        raise StoreFull("s: no room to write")

    catalogue(world.statement())
    monkeypatch.setattr(Store, "insert", full)
    failed(run("verify", "-q"), 70, "no room to write")


def test_every_door_reports_in_one_line(run, monkeypatch):
    def explode(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr("theorems.documents.as_json", explode)
    failed(run("list", "--json"), 70, "internal error: RuntimeError: broken")


def test_an_error_of_the_command_line_itself_is_not_hidden(run, monkeypatch):
    def explode(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("typer.core.TyperGroup.main", explode)
    result = run("list")
    assert isinstance(result.exception, RuntimeError)


def test_an_early_interruption_is_130(run, monkeypatch):
    def abort(*_, **__):
        raise typer.Abort

    monkeypatch.setattr("typer.core.TyperGroup.main", abort)
    failed(run("list"), 130, "interrupted")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BrokenPipeError(32, "Broken pipe"), 141, ""),  # head and its like
        (OSError(28, "No space left on device"), 70, "theorems: stdout: No space left on device\n"),
    ],
)
@pytest.mark.parametrize("args", [["list"], ["verify", "-q", "-k", COUPON]])
def test_data_that_cannot_be_written_are_no_success(run, monkeypatch, args, error, code, line):
    kept = []

    def lost(*_, **__):
        kept.append(sys.stdout)  # the runner reads it afterwards
        raise error

    monkeypatch.setattr("typer.echo", lost)
    result = run(*args)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", line)


@pytest.mark.parametrize("place", ["make_context", "invoke"])
def test_help_that_nobody_reads_is_no_trouble(run, monkeypatch, place):
    kept = []

    def gone(*_, **__):
        kept.append(sys.stdout)  # the runner reads it afterwards
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(f"typer.core.TyperGroup.{place}", gone)
    result = run("list")
    assert (result.exit_code, result.stderr) == (141, "")


@pytest.mark.parametrize("errno", [28, 5])
def test_a_disk_without_room_is_not_the_commands_fault(run, monkeypatch, errno):
    def full(*_):
        raise OSError(errno, os.strerror(errno), "junit.xml")

    monkeypatch.setattr("theorems.documents.write_atomically", full)
    failed(run("verify", "-q", "-k", COUPON, "--junitxml", "junit.xml"), 70, "junit.xml: ", os.strerror(errno))


HEARD = "verify 3.3 -k glss.thm3.3@diabetes-32-relu --budget 1"  # undecided, in a second


@pytest.mark.parametrize(
    ("args", "streams", "code", "err"),
    [
        (HEARD, ">&-", 2, "theorems: stdout must be open, got a closed one\n"),
        (HEARD, ">/dev/full", 70, "theorems: stdout: No space left on device\n"),
        (HEARD, "2>&-", 3, ""),
        (HEARD, "2>/dev/full", 3, ""),
        (HEARD, "<&- 2>&-", 3, ""),
        ("--help", ">/dev/full", 70, "theorems: stdout: No space left on device\n"),
        ("verify --help", ">/dev/full", 70, "theorems: stdout: No space left on device\n"),
    ],
)
def test_standard_streams_that_fail(tmp_path, args, streams, code, err):
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m theorems {args} {streams}', sys.executable],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    told = [line for line in done.stderr.splitlines(keepends=True) if not line.startswith("[")]
    assert (done.returncode, "".join(told)) == (code, err)
    assert ("Next: theorems report" in done.stdout) == (code == 3)


# ----------------------------------------------------------------------------------------------- interruption


def test_an_interruption_is_130_and_resumes(run, world, catalogue, monkeypatch):
    catalogue(world.statement())

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(verification, "hear", interrupt)
        failed(run("verify", "-q"), 130, "interrupted", "resumes")
    assert run("verify", "-q").exit_code == 0


@pytest.mark.parametrize(
    "error",
    [SystemError("error return without exception set"), Signalled(signal.SIGINT), ValueError("in its place")],
)
def test_an_interruption_in_disguise_is_130(run, world, catalogue, monkeypatch, error):
    catalogue(world.statement())
    error.__context__ = KeyboardInterrupt()

    def interrupt(*_, **__):
        raise error

    monkeypatch.setattr(verification, "hear", interrupt)
    failed(run("verify", "-q"), 130, "interrupted")


@pytest.mark.parametrize("place", ["make_context", "invoke"])
@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Signalled(signal.SIGTERM), 143)])
def test_an_interruption_beside_the_commands_is_one_line(run, monkeypatch, place, error, code):
    def interrupt(*_, **__):
        raise error

    monkeypatch.setattr(f"typer.core.TyperGroup.{place}", interrupt)
    failed(run("list"), code, "interrupted")


def of_group(group):
    """Processes of a group that are more than zombies."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, pgrp = stat.read_text().rsplit(")", 1)[1].split()[:3]
            if int(pgrp) == group and state != "Z":
                yield stat.parent


@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGINT, "1"), (signal.SIGINT, "2"), (signal.SIGTERM, "2")])
def test_a_signal_in_a_shell(tmp_path, number, jobs):
    process = subprocess.Popen(
        [sys.executable, "-m", "theorems", "verify", "--profile", "night", "-k", "@digits", "--jobs", jobs],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / ".theorems" / FILE_NAME).exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "the store was never opened"
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert out == ""
    [line] = [line for line in err.splitlines() if not line.startswith("[")]  # beside progress
    assert line.startswith("theorems: interrupted")
    while list(of_group(process.pid)):  # the workers, and what watches their locks
        assert time.monotonic() < deadline + 60, "a worker stayed"
        time.sleep(0.02)


# ------------------------------------------------------------------------------------------------- other doors


def test_twins_print_the_kill_matrix(run, world, catalogue):
    catalogue(world.statement(twins=(world.twin("sure"), world.twin("coy", p=0.0))))
    result = run("twins", "--budget", 512)
    assert result.exit_code == 1
    header, sure, coy, total = result.stdout.splitlines()
    assert header.split() == ["event"]
    assert sure.split() == ["sure", "X"]
    assert coy.split() == ["coy", ".", "SURVIVED"]
    assert total == "1 of 2 twins refuted by at least one layer; seed 20201206"


def test_twins_as_json_and_for_one_statement(run, world, catalogue):
    catalogue(world.statement(twins=(world.twin(),)), world.statement(id="made.other", number="0.2"))
    made = json.loads(run("twins", "made.up", "--json", "--seed", 5, "--store", "s").stdout)
    assert [t["twin"] for t in made["twins"]] == ["biased"]
    assert made["seed"] == 5


def test_twins_leave_the_records_of_verify_alone(run, tmp_path, world, catalogue):
    catalogue(world.statement(twins=(world.twin(),)))
    run("verify", "-q")
    before = (tmp_path / ".theorems/records.json").read_bytes()
    assert run("twins").exit_code == 0
    assert (tmp_path / ".theorems/records.json").read_bytes() == before
    assert run("twins", "--store", "other").exit_code == 0
    failed(run("report", "--store", "other"), 2, "no records")


def test_twins_stop_when_the_source_changes(run, world, catalogue, monkeypatch):
    from theorems.checking import source

    catalogue(world.statement(twins=(world.twin(),)))
    monkeypatch.setattr(source, "_PACKAGES", ("reports",))
    result = run("twins")
    assert result.exit_code == 5
    assert result.stdout == ""


def test_twins_alone_say_nothing_about_their_statement(run, world, catalogue):
    catalogue(world.statement(twins=(world.twin(),)))
    result = run("verify", "-k", "/biased")
    assert result.exit_code == 0
    assert "=>" not in result.stdout


def test_report_draws_what_verify_left(run, tmp_path):
    assert run("verify", "-q", "-k", COUPON).exit_code == 0
    result = run("report")
    assert (result.exit_code, result.stdout) == (0, "theorems-report.html\ntheorems-report.md\n")
    assert "coupon-3" in (tmp_path / "theorems-report.html").read_text()
    assert run("report", "--html", "a.html", "--markdown", "b.md").exit_code == 0
    assert (tmp_path / "b.md").exists()
    failed(run("report", "--html", "a.html", "--markdown", "a.html"), 2, "--html, --markdown", "three files")
    failed(run("report", "--html", "none/a.html"), 2, "none/a.html")
    failed(run("report", "--html", ".theorems/records.json"), 2, "must lie outside the store")


def loewner_file(path, lam="1/4"):
    question = {"schema": "loewner-nasty/1", "K": [[1]], "Kt": [[2]], "lam": lam, "eps": "3/10", "side": "up"}
    path.write_text(json.dumps(question))
    return path


def test_loewner_decides_files(run, tmp_path):
    files = loewner_file(tmp_path / "a.json"), loewner_file(tmp_path / "b.json", lam="100")
    result = run("loewner", *files)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["VIOLATED", "HOLDS"]
    assert "v = (" in result.stdout.splitlines()[0]
    decisions = json.loads(run("loewner", *files, "--json").stdout)["decisions"]
    assert [d["verdict"] for d in decisions] == ["VIOLATED", "HOLDS"]
    assert decisions[0]["file"] == str(files[0])


def test_loewner_decides_pairs(run, tmp_path):
    np.save(tmp_path / "A.npy", np.eye(2))
    np.save(tmp_path / "B.npy", 2 * np.eye(2))
    assert run("loewner", "--lower", "A.npy", "--upper", "B.npy").stdout.startswith("HOLDS")
    assert run("loewner", "--lower", "B.npy", "--upper", "A.npy").stdout.startswith("VIOLATED")


def test_no_name_reaches_the_terminal_raw(run, tmp_path):
    raw, shown = "\x1b[31m\udce9", r"\x1b[31m\udce9"
    file = loewner_file(tmp_path / f"{raw}.json")
    assert run("loewner", file).stdout.split()[1].endswith(f"{shown}.json")
    assert json.loads(run("loewner", file, "--json").stdout)["decisions"][0]["file"] == str(file)
    np.save(tmp_path / f"{raw}.npy", np.eye(3)[:, :2])
    assert shown in run("verify", "--data", f"{raw}.npy", "--eps", "0.4").stdout
    made = json.loads((tmp_path / ".theorems/records.json").read_text(encoding="utf-8"))
    assert made["command"].startswith(f"theorems verify --profile quick --data '{shown}.npy'")
    assert run("report", "--html", f"{raw}.html", "--markdown", "a.md").stdout == f"{shown}.html\na.md\n"
    assert raw not in (tmp_path / f"{raw}.html").read_text(encoding="utf-8")
    failed(run("verify", "--data", f"{raw}.none"), 2, f"--data {shown}.none")
    failed(run("verify", "-k", raw), 2, "'\\x1b[31m\\udce9'")
    failed(run("report", "--store", raw), 2, f"no records in {shown}")
    assert "\x1b" not in run("doctor", "--store", raw).output


def test_an_undecided_file_is_three(run, tmp_path, monkeypatch):
    from theorems.checking import loewner_files

    unsure = loewner_files.FileDecision(file="a", verdict="UNSURE", rung="precision exhausted", bits=4096, witness=None)
    monkeypatch.setattr(loewner_files, "decide_file", lambda _: unsure)
    result = run("loewner", "a.json")
    assert result.exit_code == 3
    assert result.stdout == "UNSURE    a  [precision exhausted, 4096 bits]\n"


def test_the_shell_sees_the_same_codes(tmp_path):
    done = shell("verify", "-q", "-k", COUPON, "--json", cwd=tmp_path, NO_COLOR="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["summary"]["exit_code"] == 0
    assert done.stdout == (tmp_path / ".theorems/records.json").read_text()
    bad = shell("verify", "--profile", "huge", cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.count("\n") == 1


@pytest.mark.parametrize("line", ["verify 3.3 --junitxml .theorems/x.xml", "report --html .theorems/x.html"])
def test_outputs_never_land_in_the_store(run, line):
    assert run("verify", "3.3", "-k", "glss.thm3.3@linear", "-q").exit_code == 0
    failed(run(*line.split()), 2, "must lie outside the store")


def test_source_that_changes_during_a_run_stops_it_without_records(run, monkeypatch, tmp_path):
    from theorems.checking import source

    monkeypatch.setattr(source, "_PACKAGES", ("reports",))  # what is on disk is not what was read at the start
    failed(run("verify", "3.3", "-k", "glss.thm3.3@linear", "-q"), 5, "the source must not change while it runs")
    assert not (tmp_path / ".theorems/records.json").exists()
