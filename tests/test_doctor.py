"""The doctor sees what is wrong, and the same answers come from any number of threads, workers and orders."""

import hashlib
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from typer.testing import CliRunner

from theorems import doctor
from theorems.catalogue import find
from theorems.checking.calibration import HONEST, Fault
from theorems.checking.keys import digest, key_digest
from theorems.checking.operating_characteristics import Characteristics
from theorems.checking.poisons import POISONS
from theorems.checking.store import FILE_NAME, Store
from theorems.checking.synthetic import EXCESSES
from theorems.command_line import app
from theorems.statement import ForEach
from theorems.verification import docket

# --- the installation


def test_this_installation_is_in_order(tmp_path):
    checks = list(doctor.examine(tmp_path / "not" / "there"))
    assert [check for check in checks if not check.ok] == []
    assert list(tmp_path.iterdir()) == []
    groups = dict.fromkeys(check.group for check in checks)
    assert list(groups) == ["versions", "numbers", "draws", "verdicts", "evidence"]
    assert {"python", "numpy", "python-flint"} <= {check.name for check in checks}


def test_an_old_dependency_is_seen(monkeypatch):
    real = doctor.version
    monkeypatch.setattr(doctor, "version", lambda name: "1.9.30" if name == "numpy" else real(name))
    assert [check.name for check in doctor.versions() if not check.ok] == ["numpy"]


def test_versions_compare_as_numbers(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda _: ["numpy>=2.9", "ruff>=99; extra == 'test'"])
    monkeypatch.setattr(doctor, "version", lambda _: "2.10.0rc1")
    assert [(check.name, check.ok) for check in doctor.versions()] == [("python", True), ("numpy", True)]


def test_blas_that_cannot_be_held_is_seen(monkeypatch):
    with threadpool_limits(limits=2):
        assert doctor.blas().ok
        monkeypatch.setattr(doctor, "threadpool_limits", lambda **_: nullcontext())
        assert not doctor.blas().ok


def philox(key, counter):
    """Philox 4x64-10 by the paper: Salmon, Moraes, Dror, Shaw, SC 2011, with plain integers."""
    mask = 2**64 - 1
    k = [key & mask, key >> 64]
    c = [counter >> 64 * i & mask for i in range(4)]
    for _ in range(10):
        a, b = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
        c = [b >> 64 ^ c[1] ^ k[0], b & mask, a >> 64 ^ c[3] ^ k[1], a & mask]
        k = [(k[0] + 0x9E3779B97F4A7C15) & mask, (k[1] + 0xBB67AE8584CAA73B) & mask]
    return tuple(c)


def test_the_known_draws_by_another_route():
    assert philox(0, 0) == doctor.PHILOX_WORDS
    name = key_digest(statement="doctor", instance="0" * 64, stream="self test", seed=0, batch_size=1, index=0)
    key = int.from_bytes(name[:16], "big")
    assert philox(key, 1) == doctor.KEYED_WORDS
    assert (philox(key, 2)[0] >> 11) * 2.0**-53 == doctor.KEYED_UNIFORM


@pytest.mark.parametrize(
    ("name", "says"),
    [("PHILOX_WORDS", "Philox words"), ("KEYED_WORDS", "keyed words"), ("KEYED_UNIFORM", "keyed uniform")],
)
def test_other_draws_are_seen(monkeypatch, name, says):
    monkeypatch.setattr(doctor, name, None)
    check = doctor.draws()
    assert not check.ok
    assert f"{says} DIFFER" in check.says
    assert check.says.count("DIFFER") == 1


def test_other_tables_are_seen(monkeypatch):
    assert doctor.tables().ok
    monkeypatch.setattr(doctor, "RHO", Fraction(1501, 1000))
    assert not doctor.tables().ok


def test_wrong_exact_arithmetic_is_seen(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "ladder", POISONS[-1].parts.order)
    bad = [check for check in doctor.examine(tmp_path) if not check.ok]
    assert [check.name for check in bad] == ["exact arithmetic (FLINT)"]
    assert "scalar below the line" in bad[0].says


def test_a_store_that_is_there_is_opened_and_left_alone(tmp_path):
    Store.open(tmp_path).close()
    before = (tmp_path / FILE_NAME).read_bytes()
    assert doctor.store(tmp_path).ok
    assert [p.name for p in tmp_path.iterdir()] == [FILE_NAME]
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_damaged_store_is_seen(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"no database, but long enough to be taken for one" * 100)
    check = doctor.store(tmp_path)
    assert not check.ok
    assert str(tmp_path / FILE_NAME) in check.says


def test_a_place_without_room_for_a_store_is_seen(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        check = doctor.store(place)
        assert not check.ok
        assert "Not a directory" in check.says


def test_a_store_that_forgets_is_seen(monkeypatch, tmp_path):
    monkeypatch.setattr(Store, "find", lambda *_: None)
    monkeypatch.setattr(Store, "insert", lambda *_: None)
    check = doctor.store(tmp_path)
    assert not check.ok
    assert "does NOT come back" in check.says


# --- the court


@pytest.mark.parametrize(
    ("rho", "ratio", "refuted", "supported", "mean_trials"),
    [
        (None, "0", 0, 1, 137),
        (None, "1", 6.65e-7, 8.95e-7, 40_000),
        (None, "1.5", 1, 2.15e-10, 1285),
        ("1.5", "0", 0, 1, 89),
        ("1.5", "0.9", 3.85e-8, 1, 1024),
        ("1.5", "1", 4.90e-7, 1, 1504),
        ("1.5", "1.1", 1.20e-3, 0.9988, 2410),
        ("1.5", "1.5", 1, 7.81e-7, 1285),
        ("1.5", "2", 1, 2.40e-9, 353),
    ],
)
def test_operating_characteristics_of_both_tables(rho, ratio, refuted, supported, mean_trials):
    check = doctor.characteristics(Fraction(ratio), rho and Fraction(rho))
    assert check.ok
    assert check.figures["refuted"] == pytest.approx(refuted, rel=5e-3)
    assert check.figures["supported"] == pytest.approx(supported, rel=5e-3)
    assert check.figures["mean trials"] == pytest.approx(mean_trials, rel=1e-3)


@pytest.mark.parametrize(
    ("refuted", "supported", "rho", "ok"),
    [  # at p = 0.9, 1, 1.1, 1.5, 2 times delta
        (1.0, 0.0, None, "BAD BAD ok ok ok"),
        (0.0, 1.0, None, "ok BAD BAD BAD BAD"),
        (0.0, 1.0, Fraction(3, 2), "ok ok ok BAD BAD"),
        (1e-6, 1e-6, None, "ok ok ok ok ok"),
    ],
)
def test_too_many_errors_are_bad_where_they_are_errors(monkeypatch, refuted, supported, rho, ok):
    seen = Characteristics(refuted=refuted, supported=supported, undecided=0.0, mean_trials=1.0)
    monkeypatch.setattr(doctor, "operating_characteristics", lambda *_, **__: seen)
    checks = [doctor.characteristics(Fraction(ratio), rho) for ratio in ("0.9", "1", "1.1", "1.5", "2")]
    assert " ".join("ok" if check.ok else "BAD" for check in checks) == ok


def test_every_table_that_ships_keeps_its_promise(monkeypatch):
    monkeypatch.setattr(doctor, "HORIZON", 4096)
    checks = list(doctor.error_rates())
    assert len(checks) == len({check.name for check in checks}) == 3 * 4 * 2
    assert all(check.ok for check in checks)
    assert all(check.figures["refuted"] > 0 and check.figures["supported"] > 0 for check in checks)


@pytest.mark.parametrize("errors", [(2e-6, 0.0), (0.0, 2e-6)])
def test_a_table_that_breaks_its_promise_is_bad(monkeypatch, errors):
    monkeypatch.setattr(doctor, "worst_errors", lambda *_, **__: errors)
    assert not any(check.ok for check in doctor.error_rates())


def test_counts_outside_their_band_are_bad(monkeypatch):
    monkeypatch.setattr(doctor, "REPLICATES", 8)
    real = doctor.end_to_end
    assert all(check.ok for check in doctor.tallies(EXCESSES[0]))
    monkeypatch.setattr(doctor, "end_to_end", lambda *given: [replace(t, band=(9, 9)) for t in real(*given)])
    assert not any(check.ok for check in doctor.tallies(EXCESSES[0]))


def test_the_honest_court_and_all_its_twins_are_shown():
    checks = list(doctor.courts())
    assert [check.name for check in checks] == ["honest", *(f"poisoned: {p.name}" for p in POISONS)]
    assert all(check.ok for check in checks)
    assert checks[0].says == "no fault"
    assert all(check.says.startswith("caught: ") for check in checks[1:])


def test_a_dirty_court_and_twins_that_survive_are_bad(monkeypatch):
    fault = Fault(part="decide", says="something wrong")
    monkeypatch.setattr(doctor, "calibrate", lambda parts: (fault,) if parts is HONEST else ())
    dirty, *survivors = doctor.courts()
    assert (dirty.ok, dirty.says) == (False, "something wrong")
    assert {(check.ok, check.says) for check in survivors} == {(False, "NOT CAUGHT")}


def told(matrices):
    done = []
    return doctor.campaign(matrices, done.append), done


def test_the_campaign_counts_every_matrix_once(monkeypatch):
    whole, done = told(60)
    assert whole.ok
    assert done == [whole.figures["tried"]] == [60]
    assert whole.figures["bare_wrong"] > 0
    monkeypatch.setattr(doctor, "CHUNK", 25)
    parts, done = told(60)
    assert (parts.ok, parts.figures["tried"], done) == (True, 60, [25, 50, 60])
    assert parts.figures != whole.figures  # each part has a key of its own


@pytest.mark.parametrize("name", ["wrong", "undecided", "bad_witness"])
def test_one_wrong_matrix_is_bad(monkeypatch, name):
    real = doctor.loewner_campaign
    monkeypatch.setattr(doctor, "loewner_campaign", lambda *given: real(*given) | {name: 1})
    assert not told(5)[0].ok


# --- one digest


def some_cases():
    return [
        c
        for c in docket([find("glss.thm3.3")], "quick")
        if c.twin is None and c.instance.name in ("coupon-8", "spike", "ramp")
    ]


def test_one_and_two_blas_threads_give_one_digest():
    cases = some_cases()
    with threadpool_limits(limits=2):
        assert max(pool["num_threads"] for pool in threadpool_info()) == 2
    one = doctor.answers_digest(cases, 1)
    assert one == doctor.answers_digest(cases, 2)
    all_in = hashlib.sha256(bytes(256)).hexdigest()
    assert one != digest([all_in] * len(cases))  # some trials fail: there is something to differ in
    assert len({doctor.answers_digest([case], 1) for case in cases}) == len(cases)
    assert doctor.threads(cases).ok


def test_answers_that_depend_on_threads_are_bad(monkeypatch):
    monkeypatch.setattr(doctor, "answers_digest", lambda _, blas_threads: str(blas_threads))
    check = doctor.threads(iter(some_cases()))
    assert not check.ok
    assert check.name.startswith("3 instances")


def test_only_probabilities_have_answers_to_digest(monkeypatch):
    certain = SimpleNamespace(conclusion=ForEach(claims=lambda _: ()))
    monkeypatch.setattr(doctor, "find", lambda _: certain)
    assert doctor.answers_digest(some_cases(), 1) == digest([])


TINY_SUITE = """
import os
from fractions import Fraction
from pathlib import Path

import pytest

from theorems.checking.events import Event
from theorems.checking.synthetic import coin
from theorems.checking.trials import run_batch
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT

[coupon] = [instance for instance in STATEMENT.instances("quick") if instance.name == "coupon-8"]
EXPERIMENTS = {
    "coin": coin(Fraction(1, 3), 64),
    "coupon": Event(construction=STATEMENT.conclusion.construction(coupon, 200)),
}


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_batch(name, index):
    key = {"statement": name, "instance_digest": "0" * 64, "stream": "evidence", "seed": 1}
    row = run_batch(EXPERIMENTS[name], **key, index=index, canary=True)
    assert not row.error
    assert row.failures
    Path(os.environ["ANSWERS"], f"{name}-{index}").write_text(row.answers_digest)
"""


def answers_of_the_tiny_suite(folder, workers, order):
    answers = folder / f"answers-{workers}-{order}"
    answers.mkdir(parents=True)
    (folder / "test_tiny.py").write_text(TINY_SUITE)
    (folder / "pytest.ini").write_text("[pytest]\n")
    plugins = ["-p", "xdist", "-p", "randomly", "-p", "no:cacheprovider"]  # no other is loaded: they cost seconds
    asked = ["-q", *plugins, "-n", str(workers), f"--randomly-seed={order}"]
    wanted = {"ANSWERS": str(answers), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *asked, "test_tiny.py"],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))} | wanted,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {p.name: p.read_text() for p in answers.iterdir()}
    assert len(found) == len(set(found.values())) == 10
    return digest(found)


def test_any_number_of_workers_and_any_order_give_one_digest(tmp_path):
    digests = {answers_of_the_tiny_suite(tmp_path, n, order) for n, order in ((0, 1), (1, 2), (2, 3), (4, 4))}
    assert len(digests) == 1


# --- the command


def run(*arguments):
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_the_command_prints_a_line_for_each_check(tmp_path):
    done = run("--store", str(tmp_path / "store"))
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) == len(list(doctor.examine(tmp_path)))
    assert all(line.startswith("ok ") for line in lines)


def test_the_command_fails_when_something_is_bad(tmp_path):
    (tmp_path / "file").touch()
    done = run("--store", str(tmp_path / "file"), "--json")
    assert done.exit_code == 1
    made = json.loads(done.stdout)
    assert made["ok"] is False
    assert [check["name"] for check in made["checks"] if not check["ok"]] == ["store"]
    text = run("--store", str(tmp_path / "file"))
    assert text.exit_code == 1
    assert [line.split()[2] for line in text.stdout.splitlines() if line.startswith("BAD")] == ["store"]


def test_matrices_go_with_calibrate(tmp_path):
    done = run("--matrices", "5", "--store", str(tmp_path))
    assert done.exit_code == 2
    assert "--matrices goes with --calibrate, got --matrices 5 alone" in done.stderr
    assert run("--calibrate", "--matrices", "0").exit_code == 2


def test_calibrate_measures_everything(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "HORIZON", 256)
    monkeypatch.setattr(doctor, "REPLICATES", 2)
    monkeypatch.setattr(doctor, "CHUNK", 10)
    monkeypatch.setattr(doctor, "docket", lambda *_: some_cases())
    done = run("--calibrate", "--matrices", "15", "--json", "--store", str(tmp_path))
    assert done.exit_code == 0, done.output
    made = json.loads(done.stdout)
    assert made["ok"] is True
    count = dict.fromkeys((check["group"] for check in made["checks"]), 0)
    for check in made["checks"]:
        count[check["group"]] += 1
    assert {k: count[k] for k in list(count)[5:]} == {
        "operating characteristics": 2 * len(doctor.RATIOS),
        "worst error rates": 24,
        "end to end": 12,
        "courts": 1 + len(POISONS),
        "answers": 1,
        "Loewner order": 1,
    }
    assert done.stderr.splitlines() == ["10 matrices", "15 matrices"]
