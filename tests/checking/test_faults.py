"""Fault injection: whatever is killed, full, interrupted or damaged, a resumed run gives the undisturbed result.

Processes are forked by one fresh interpreter per test (`IN_A_PROCESS` and a script), so that a fork never copies
the threads of the test run and a kill costs milliseconds.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import theorems.checking.store
from theorems.checking.keys import digest
from theorems.checking.store import FILE_NAME, Divergence, Series, Store, StoreUnreadable
from theorems.checking.trials import collect, run_batch
from theorems.statement import Batch

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and signals")

KEY = {"statement": "s", "instance_digest": "0" * 64, "stream": "event", "seed": 7}
CODE = "c" * 64
B = 16
SERIES = Series(statement="s", instance="0" * 64, stream="event", seed=7, batch_size=B, size=3, code=CODE)


class Coin:
    size = 3
    batch_size = B

    def run(self, rng, trials):
        return Batch(answers=(rng.random(trials) < 0.1).astype(np.int8), stress=float(rng.random()))

    def exact_failure(self):
        return None


def gather(store, batches):
    return collect(Coin(), **KEY, code=CODE, store=store, decide=lambda counts: counts.trials < 0, budget=B * batches)


def undisturbed(batches):
    with Store.memory() as store:
        return gather(store, batches)


def rows(directory: Path) -> list[tuple]:
    with closing(sqlite3.connect(directory / FILE_NAME)) as connection:
        return connection.execute("SELECT * FROM evidence ORDER BY idx").fetchall()


IN_A_PROCESS = """
import json, os, resource, signal, sys, time
from pathlib import Path
import numpy as np
from theorems.checking.store import Store, StoreFull
from theorems.checking.trials import collect
from theorems.statement import Batch

directory, seed = Path(sys.argv[1]), int(sys.argv[2])
chance = np.random.default_rng(seed)

class Coin:
    size = 3
    batch_size = 16
    def run(self, rng, trials):
        return Batch(answers=(rng.random(trials) < 0.1).astype(np.int8), stress=float(rng.random()))

class Acknowledging(Store):
    def insert(self, series, row):
        super().insert(series, row)
        os.write(log, f"{row.index}\\n".encode())

log = os.open(directory.with_suffix(".log"), os.O_CREAT | os.O_APPEND | os.O_WRONLY)

def write(coin, batches):
    with Acknowledging.open(directory) as store:
        collect(coin, statement="s", instance_digest="0" * 64, stream="event", seed=7, code="c" * 64,
                store=store, decide=lambda counts: False, budget=16 * batches)

def fork(work):
    child = os.fork()
    if child == 0:
        status = 70
        try:
            work()
            status = 0
        except KeyboardInterrupt:
            status = 130
        except MemoryError:
            status = 71
        except StoreFull as error:
            print(json.dumps(str(error)), flush=True)
            status = 74
        except BaseException as error:
            print(json.dumps(repr(error)), flush=True)
        finally:
            os._exit(status)
    return child

def end(child, signal_number):
    os.kill(child, signal_number)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

FOREVER = 10**9
"""


def run_script(script: str, directory: Path, seed: int = 0) -> list:
    root = Path(theorems.checking.store.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS + script, str(directory), str(seed)],
        env=os.environ | {"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def acknowledged(directory: Path) -> list[int]:
    return [int(line) for line in directory.with_suffix(".log").read_text().split()]


def assert_resumes_as_if_nothing_happened(directory: Path) -> int:
    """Check every stored row, then the result of resuming; returns how many rows there were."""
    stored = rows(directory)
    batches = len(stored) + 3
    with Store.memory() as fresh:
        expected = gather(fresh, batches)
        assert [fresh.find(SERIES, row[6]).answers_digest for row in stored] == [row[11] for row in stored]
    with Store.open(directory) as store:
        assert gather(store, batches) == expected
    assert [row[6] for row in rows(directory)] == list(range(batches))
    return len(stored)


# ---------------------------------------------------------------------------------- processes that die


def test_thirty_kills_of_two_writers_lose_nothing_and_double_nothing(tmp_path):
    directory = tmp_path / "store"
    ends = run_script(
        """
writers = [fork(lambda: write(Coin(), FOREVER)) for _ in range(2)]
for kill in range(30):
    time.sleep(chance.uniform(0, 0.1))
    victim = chance.integers(2)
    print(end(writers[victim], signal.SIGKILL), flush=True)
    writers[victim] = fork(lambda: write(Coin(), FOREVER))
while directory.with_suffix(".log").read_text().count("\\n") < 30:
    time.sleep(0.01)
for child in writers:
    print(end(child, signal.SIGKILL), flush=True)
""",
        directory,
        seed=1,
    )
    assert ends == [-9] * 32  # each was alive, and ended by nothing else
    promised = acknowledged(directory)
    stored = [row[6] for row in rows(directory)]
    assert set(promised) <= set(stored)
    assert stored == list(range(len(stored)))
    assert assert_resumes_as_if_nothing_happened(directory) == len(stored) >= 30


def test_interrupts_leave_whole_batches_only(tmp_path):
    directory = tmp_path / "store"
    ends = run_script(
        """
for interrupt in range(15):
    before = len(directory.with_suffix(".log").read_text())
    child = fork(lambda: write(Coin(), FOREVER))
    while len(directory.with_suffix(".log").read_text()) == before:
        time.sleep(0.002)
    time.sleep(chance.uniform(0, 0.05))
    print(end(child, signal.SIGINT), flush=True)
""",
        directory,
        seed=2,
    )
    assert ends == [130] * 15
    assert set(acknowledged(directory)) <= {row[6] for row in rows(directory)}
    assert assert_resumes_as_if_nothing_happened(directory) >= 15


def test_an_interrupt_ends_a_trial_that_sleeps(tmp_path):
    directory = tmp_path / "store"
    [status] = run_script(
        """
class Sleeper(Coin):
    runs = 0
    def run(self, rng, trials):
        self.runs += 1
        if self.runs > 5:
            directory.with_suffix(".asleep").touch()
            time.sleep(3600)
        return super().run(rng, trials)
child = fork(lambda: write(Sleeper(), FOREVER))
while not directory.with_suffix(".asleep").exists():
    time.sleep(0.002)
print(end(child, signal.SIGINT))
""",
        directory,
    )
    assert status == 130
    assert assert_resumes_as_if_nothing_happened(directory) >= 3


def test_batches_that_time_out_are_not_kept(tmp_path):
    directory = tmp_path / "store"
    [[counts, errors]] = run_script(
        """
class Slow(Coin):
    runs = 0
    def run(self, rng, trials):
        self.runs += 1
        if self.runs > 5:
            time.sleep(3600)
        return super().run(rng, trials)
with Store.open(directory) as store:
    counts, _, errors = collect(Slow(), statement="s", instance_digest="0" * 64, stream="event", seed=7, code="c" * 64,
                                store=store, decide=lambda counts: False, budget=FOREVER, deadline=0.2)
print(json.dumps([[counts.trials, counts.unsure], errors]))
""",
        directory,
    )
    batches, unsure = counts[0] // B, counts[1]
    assert (unsure, errors) == (B, [f"batch {batches - 1}: timed out after 0.2 s"])
    assert assert_resumes_as_if_nothing_happened(directory) == batches - 1


def test_two_runs_at_once_give_the_rows_of_one(tmp_path):
    script = """
children = [fork(lambda: write(Coin(), 100)) for _ in range(int(seed))]
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""
    for name, writers in (("one", 1), ("again", 1), ("four", 4)):
        assert run_script(script, tmp_path / name, seed=writers) == [[0] * writers]
    assert len(rows(tmp_path / "one")) == 100
    assert len({digest(rows(tmp_path / name)) for name in ("one", "again", "four")}) == 1


def test_processes_that_open_a_new_store_together_agree_on_campaigns(tmp_path):
    numbers = run_script(
        """
def enter(k):
    while time.monotonic() < start:
        pass
    with Store.open(directory) as store:
        print(json.dumps([store.campaign(k, "a" * 64), store.campaign(k, "b" * 64)]), flush=True)
start = time.monotonic() + 0.05
children = [fork(lambda: enter(k)) for k in range(6)]
for child in children:
    os.waitpid(child, 0)
""",
        tmp_path / "store",
    )
    assert sorted(number for pair in numbers for number in pair) == list(range(2, 14))


# --------------------------------------------------------------------------------------- no more room


@pytest.mark.parametrize(
    ("limit", "least"), [(1_000, 0), (5_000, 0), (20_000, 0), (40_000, 0), (80_000, 1), (200_000, 10)]
)
def test_no_room_on_disk_is_named_and_costs_nothing_that_was_stored(tmp_path, limit, least):
    directory = tmp_path / "store"
    message, status = run_script(
        f"""
def work():
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    write(Coin(), FOREVER)
print(os.waitstatus_to_exitcode(os.waitpid(fork(work), 0)[1]))
""",
        directory,
    )
    assert (status, message.split(": ")[:2]) == (74, [str(directory / FILE_NAME), "no room to write"])
    Store.open(directory).close()
    assert set(acknowledged(directory)) <= {row[6] for row in rows(directory)}
    assert assert_resumes_as_if_nothing_happened(directory) >= least


def test_a_trial_that_runs_out_of_memory_is_not_recorded(tmp_path):
    directory = tmp_path / "store"
    [status] = run_script(
        """
class Hungry(Coin):
    batches = 0
    def run(self, rng, trials):
        self.batches += 1
        if self.batches == 10:
            np.ones(2**31, dtype=np.int8)
        return super().run(rng, trials)
def work():
    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
    write(Hungry(), FOREVER)
print(os.waitstatus_to_exitcode(os.waitpid(fork(work), 0)[1]))
""",
        directory,
    )
    assert status == 71
    stored = rows(directory)
    assert 5 <= len(stored) <= 9  # canaries are run twice
    assert all(row[10] == 0 and row[13] == "" for row in stored)  # nothing unsure, no error
    assert_resumes_as_if_nothing_happened(directory)


# ------------------------------------------------------------------------------------- damaged files

BATCHES = 100
FLIPS = 200


def outcome(directory: Path, expected) -> str:
    """What a user gets from a damaged store."""
    try:
        with Store.open(directory) as store:
            counts, stress, errors = gather(store, BATCHES)
    except StoreUnreadable as refusal:
        return "refused" if str(directory / FILE_NAME) in str(refusal) else "refused without the path"
    if counts != expected[0]:
        return "other counts"
    return "harmless" if (stress, errors) == expected[1:] else "other display"


def flipped(source: Path, target: Path, name: str, chance: np.random.Generator) -> None:
    """A copy of a store with one random bit of one of its files flipped."""
    shutil.copytree(source, target)
    damaged = bytearray((target / name).read_bytes())
    bit = int(chance.integers(8 * len(damaged)))
    damaged[bit // 8] ^= 1 << bit % 8
    (target / name).write_bytes(damaged)


def recompute(directory: Path) -> None:
    with Store.open(directory) as store:
        for index in range(BATCHES):
            store.insert(SERIES, run_batch(Coin(), **KEY, index=index, canary=False))


def test_a_flipped_bit_is_refused_or_harmless_or_found_by_recomputing(tmp_path):
    # SQLite keeps no checksums, so a bit that turns a stored count into another legal one passes (4 of 4000 flips
    # when measured). What is promised: no crash, no error without the path, and a fresh batch shows the difference.
    expected = undisturbed(BATCHES)
    with Store.open(tmp_path / "good") as store:
        gather(store, BATCHES)
    chance = np.random.default_rng(20201206)
    seen = Counter()
    for flip in range(FLIPS):
        directory = tmp_path / str(flip)
        flipped(tmp_path / "good", directory, FILE_NAME, chance)
        result = outcome(directory, expected)
        seen[result] += 1
        if result == "other counts":
            with pytest.raises(Divergence):
                recompute(directory)
        shutil.rmtree(directory)
    assert seen.keys() <= {"refused", "harmless", "other display", "other counts"}
    assert seen["refused"] > 0
    assert seen["harmless"] > 0


@pytest.mark.parametrize("column", ["failures", "unsure", "answers_digest"])
def test_a_legal_value_in_place_of_another_is_found_by_recomputing(tmp_path, column):
    with Store.open(tmp_path) as store:
        gather(store, BATCHES)
    other = {"failures": "9", "unsure": "7", "answers_digest": f"'{'f' * 64}'"}[column]
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as connection:
        connection.execute(f"UPDATE evidence SET {column} = {other} WHERE idx = 50")
    with pytest.raises(Divergence, match="index=50"):
        recompute(tmp_path)


def test_a_flipped_bit_in_the_log_costs_at_most_a_tail_of_batches(tmp_path):
    with Store.open(tmp_path / "live") as store:
        gather(store, BATCHES)
        (tmp_path / "good").mkdir()
        for name in (FILE_NAME, FILE_NAME + "-wal"):
            shutil.copy(tmp_path / "live" / name, tmp_path / "good" / name)
    good = rows(tmp_path / "live")
    chance = np.random.default_rng(20201207)
    kept = []
    for flip in range(100):
        directory = tmp_path / str(flip)
        flipped(tmp_path / "good", directory, FILE_NAME + "-wal", chance)
        Store.open(directory).close()
        stored = rows(directory)
        assert stored == good[: len(stored)]
        kept.append(len(stored))
        shutil.rmtree(directory)
    assert min(kept) < BATCHES / 2 < max(kept)


def test_a_store_that_is_deleted_is_recomputed(tmp_path):
    with Store.open(tmp_path / "store") as store:
        first = gather(store, BATCHES)
    before = digest(rows(tmp_path / "store"))
    shutil.rmtree(tmp_path / "store")
    with Store.open(tmp_path / "store") as store:
        assert gather(store, BATCHES) == first
    assert digest(rows(tmp_path / "store")) == before


def test_two_rows_that_differ_stop_the_run(tmp_path):
    class Fair(Coin):
        def run(self, rng, trials):
            return Batch(answers=(rng.random(trials) < 0.5).astype(np.int8), stress=0.0)

    with Store.open(tmp_path) as store:
        gather(store, 3)
        other = run_batch(Fair(), **KEY, index=2, canary=False)
        with pytest.raises(Divergence, match="one key, two answers"):
            store.insert(SERIES, other)
        assert gather(store, 3)[0] == undisturbed(3)[0]
