# ruff: noqa: NPY002 - the legacy functions are what is guarded against
import hashlib
import os
import random
import re
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import rand as rand_by_name

from theorems.checking.deadline import TimedOut
from theorems.checking.keys import generator, key_digest
from theorems.checking.store import BatchRow, Divergence, Series, Store
from theorems.checking.trials import CutShort, collect, run_batch
from theorems.statement import Batch, Trials

KEY = {"statement": "s", "instance_digest": "0" * 64, "stream": "event", "seed": 7}
CODE = "c" * 64


@dataclass
class Coin:
    """Fails with probability p, decided by the rng alone; counts how often it ran."""

    p: float = 0.1
    size: int = 3
    batch_size: int = 16
    runs: int = 0

    def run(self, rng: np.random.Generator, trials: int) -> Batch:
        self.runs += 1
        return Batch(answers=(rng.random(trials) < self.p).astype(np.int8), stress=float(rng.random()))

    def exact_failure(self) -> None:
        return None


@dataclass
class Scripted(Coin):
    """Answers as it is told, whatever the rng says."""

    act: Callable[[], object] = list

    def run(self, *_):
        self.runs += 1
        return self.act()


def batch(experiment, index=0, canary=False) -> BatchRow:
    return run_batch(experiment, **KEY, index=index, canary=canary)


def never(counts: Trials) -> bool:
    return False


def always(counts: Trials) -> bool:
    return True


def gather(experiment, store, *, decide=never, budget=160, **changes):
    return collect(experiment, **KEY | {"code": CODE} | changes, store=store, decide=decide, budget=budget)


def digest_of(answers) -> str:
    return hashlib.sha256(np.asarray(answers, dtype=np.int8).tobytes()).hexdigest()


# ------------------------------------------------------------------------------------------- one batch


def test_a_batch_is_the_draw_of_its_key():
    rng = generator(statement="s", instance="0" * 64, stream="event", seed=7, batch_size=16, index=4)
    answers = rng.random(16) < 0.5
    row = batch(Coin(p=0.5), index=4)
    assert row == BatchRow(
        index=4,
        trials=16,
        failures=int(answers.sum()),
        unsure=0,
        answers_digest=digest_of(answers),
        stress=rng.random(),
        error="",
    )
    assert 0 < row.failures < 16


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.sampled_from([1, 2, 64, 1024]))
@settings(max_examples=30)
def test_the_row_depends_on_the_key_alone(seed, index, batch_size):
    rows = []
    for noise in (1, 2):
        np.random.default_rng(noise).random(noise)
        rows.append(run_batch(Coin(batch_size=batch_size), **KEY | {"seed": seed}, index=index, canary=noise == 2))
    assert rows[0] == rows[1]
    assert rows[0].trials == batch_size


@pytest.mark.parametrize(
    "change", [{"statement": "t"}, {"instance_digest": "1" * 64}, {"stream": "law"}, {"seed": 8}, {"index": 1}]
)
def test_other_keys_draw_other_batches(change):
    coin = Coin(p=0.5, batch_size=1024)
    one = run_batch(coin, **KEY | {"index": 0}, canary=False)
    other = run_batch(coin, **KEY | {"index": 0} | change, canary=False)
    assert one.answers_digest != other.answers_digest


def test_each_answer_is_counted_where_it_belongs():
    answers = np.array([0] * 9 + [1] * 5 + [2] * 2, dtype=np.int8)
    row = batch(Scripted(act=lambda: Batch(answers=answers, stress=nan)))
    assert (row.trials, row.failures, row.unsure, row.error) == (16, 5, 2, "")
    assert isnan(row.stress)


def answering(answers, stress=0.0):
    return lambda: Batch(answers=answers, stress=stress)


def crashing(error: BaseException):
    def act():
        raise error

    return act


BROKEN = [
    (crashing(ValueError("bad luck")), "ValueError: bad luck"),
    (crashing(RecursionError("deep")), "RecursionError: deep"),
    (lambda: np.random.normal(), "GlobalRandomness: numpy.random.normal"),
    (lambda: random.random(), "GlobalRandomness: random.random"),
    (lambda: np.random.default_rng(), "GlobalRandomness: numpy.random.default_rng"),
    (rand_by_name, "GlobalRandomness: numpy.random: need its global generator"),
    (lambda: None, "AttributeError"),
    (answering([0] * 16), "TypeError: answers: need an int8 array of shape \\(16,\\); got list"),
    (answering(np.zeros(16)), "TypeError: answers: .* got ndarray float64 of shape \\(16,\\)"),
    (answering(np.zeros(16, dtype=bool)), "got ndarray bool"),
    (answering(np.zeros(15, dtype=np.int8)), "of shape \\(15,\\)"),
    (answering(np.zeros((16, 1), dtype=np.int8)), "of shape \\(16, 1\\)"),
    (answering(np.ma.zeros(16, dtype=np.int8)), "got MaskedArray"),
    (answering(np.full(16, 3, dtype=np.int8)), "ValueError: answers: need 0 .* got 3"),
    (answering(np.array([0] * 15 + [-1], dtype=np.int8)), "ValueError: .* got -1"),
    (answering(np.zeros(16, dtype=np.int8), stress=None), "TypeError: stress: need a float; got NoneType None"),
]


@pytest.mark.parametrize(("act", "error"), BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("canary", [False, True])
def test_a_broken_trial_is_unsure_and_says_why(act, error, canary):
    row = batch(Scripted(act=act), index=2, canary=canary)
    assert (row.index, row.trials, row.failures, row.unsure) == (2, 16, 0, 16)
    assert row.answers_digest == digest_of([2] * 16)
    assert isnan(row.stress)
    assert re.search(error, row.error)


@pytest.mark.parametrize("filters", ["ignore", "error", "default"])
def test_a_warning_in_a_trial_is_an_error_whatever_the_filters_of_the_caller(filters):
    def act():
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)
        return Batch(answers=np.zeros(16, np.int8), stress=0.0)

    with warnings.catch_warnings():
        warnings.simplefilter(filters)
        row = batch(Scripted(act=act))
    assert (row.unsure, row.error) == (16, "RuntimeWarning: overflow")


def test_error_texts_are_cut_and_made_storable():
    row = batch(Scripted(act=crashing(ValueError("\ud800" + "x" * 5000))))
    assert row.error.startswith("ValueError: \\ud800xxx")
    assert len(row.error) < 500
    row.error.encode()


@pytest.mark.parametrize("kind", [MemoryError, KeyboardInterrupt])
@pytest.mark.parametrize("canary", [False, True])
def test_what_is_no_answer_propagates(kind, canary):
    original = np.random.normal
    with pytest.raises(kind):
        batch(Scripted(act=crashing(kind())), canary=canary)
    assert np.random.normal is original


def test_an_allocation_that_fails_propagates():
    with pytest.raises(MemoryError):
        batch(Scripted(act=lambda: np.empty(2**62, dtype=np.int8)))


@pytest.mark.parametrize(
    ("change", "says"),
    [({"batch_size": 3}, r"batch_size\): need a power of two"), ({"batch_size": 2048}, "got 2048")],
)
def test_a_batch_size_out_of_range_is_an_error_of_the_caller(change, says):
    with pytest.raises(ValueError, match=says):
        batch(Coin(**change))


def test_the_canary_runs_twice_and_others_once():
    coin = Coin()
    assert batch(coin, canary=False) == batch(coin, canary=True)
    assert coin.runs == 3


def forgetful():
    """Answers that depend on how often it was asked."""
    asked = iter(range(10))

    def act():
        return Batch(answers=np.full(16, next(asked) % 2, dtype=np.int8), stress=0.0)

    return act


def crashing_once():
    asked = iter(range(10))

    def act():
        return Batch(answers=np.full(16, 1 // next(asked), dtype=np.int8), stress=0.0)

    return act


@pytest.mark.parametrize("act", [forgetful, crashing_once])
def test_the_canary_sees_answers_that_are_no_function_of_the_key(act):
    row = batch(Scripted(act=act()), canary=True)
    assert row.error == "nondeterministic: two runs of one key gave different answers"
    assert (row.failures, row.unsure) == (0, 16)


def with_stress(*values: float):
    """Trials of which none fails, whose stress alone shows what was drawn."""
    stress = iter(values)
    return Scripted(act=lambda: Batch(answers=np.zeros(16, dtype=np.int8), stress=next(stress)))


@pytest.mark.parametrize(
    ("one", "other"), [(0.25, 0.25 * (1 + 1e-9)), (0.0, 1e-17), (nan, nan), (nan, 0.5), (0.5, nan)]
)
def test_the_canary_overlooks_rounding_in_the_stress(one, other):
    row = batch(with_stress(one, other), canary=True)
    assert (row.error, repr(row.stress)) == ("", repr(one))


@pytest.mark.parametrize(("one", "other"), [(0.25, 0.26), (0.0, 0.01), (0.01, 0.0), (2.0, 1.99)])
def test_the_canary_sees_other_draws_where_no_trial_fails(one, other):
    row = batch(with_stress(one, other), canary=True)
    assert row.error == "nondeterministic: two runs of one key gave different answers"


def test_draws_from_the_entropy_of_the_system_are_seen_in_the_first_batch():
    # two stresses of 53 random bits agree to one part in a thousand with probability below 0.002; ten times, never
    def act():
        largest = max(int.from_bytes(os.urandom(7)) / 2**56 for _ in range(16))
        return Batch(answers=np.zeros(16, dtype=np.int8), stress=largest)

    with Store.memory() as store:
        errors = [gather(Scripted(act=act), store, budget=16, seed=seed)[2] for seed in range(10)]
    assert ["batch 0: nondeterministic: two runs of one key gave different answers"] in errors


# ---------------------------------------------------------------------------------------- many batches


def prefix(coin: Coin, batches: int) -> Trials:
    rows = [batch(coin, index) for index in range(batches)]
    return Trials(
        trials=sum(r.trials for r in rows), failures=sum(r.failures for r in rows), unsure=sum(r.unsure for r in rows)
    )


def test_collect_counts_the_prefix_and_keeps_the_largest_stress():
    with Store.memory() as store:
        counts, stress, errors = gather(Coin(), store)
    assert counts == prefix(Coin(), 10)
    assert stress == max(batch(Coin(), index).stress for index in range(10))
    assert errors == []


@pytest.mark.parametrize(("budget", "trials"), [(0, 0), (1, 16), (16, 16), (17, 32), (160, 160)])
def test_the_budget_is_rounded_up_to_whole_batches(budget, trials):
    coin = Coin()
    with Store.memory() as store:
        counts, stress, _ = gather(coin, store, budget=budget)
    assert counts.trials == trials
    assert coin.runs >= trials // 16
    assert isnan(stress) == (trials == 0)


def test_collect_stops_as_soon_as_decide_is_content():
    asked = []

    def decide(counts):
        asked.append(counts)
        return counts.trials >= 48

    with Store.memory() as store:
        counts, _, _ = gather(Coin(), store, decide=decide)
        series = Series(statement="s", instance="0" * 64, stream="event", seed=7, batch_size=16, size=3, code=CODE)
        assert [store.find(series, index) is None for index in range(4)] == [False] * 3 + [True]
    assert asked == [prefix(Coin(), k) for k in range(4)]
    assert counts == asked[-1]


def test_a_stop_rule_that_needs_nothing_draws_nothing():
    coin = Coin()
    with Store.memory() as store:
        assert gather(coin, store, decide=always)[0] == Trials(trials=0, failures=0, unsure=0)
    assert coin.runs == 0


def test_stored_rows_are_not_run_again():
    with Store.memory() as store:
        first = gather(Coin(), store)
        again = Coin()
        assert gather(again, store) == first
        assert again.runs == 0
        longer = Coin()
        counts, _, _ = gather(longer, store, budget=192)
        assert longer.runs in {2, 3, 4}  # two new batches; a canary counts twice
    assert counts == prefix(Coin(), 12)


@pytest.mark.parametrize("change", [{"code": "d" * 64}, {"seed": 8}, {"stream": "law"}, {"statement": "t"}])
def test_rows_of_other_keys_are_not_reused(change):
    with Store.memory() as store:
        gather(Coin(), store)
        fresh = Coin()
        gather(fresh, store, **change)
    assert fresh.runs >= 10


def test_rows_of_another_size_are_not_reused():
    with Store.memory() as store:
        gather(Coin(), store)
        fresh = Coin(size=4)
        gather(fresh, store)
    assert fresh.runs >= 10


def test_the_result_does_not_depend_on_what_was_stored_before():
    with Store.memory() as empty:
        expected = gather(Coin(), empty)
    for kept in ([0], [9], [1, 3, 5], range(10)):
        with Store.memory() as store:
            series = Series(statement="s", instance="0" * 64, stream="event", seed=7, batch_size=16, size=3, code=CODE)
            for index in kept:
                store.insert(series, batch(Coin(), index))
            assert gather(Coin(), store) == expected


class Moody(Coin):
    """Crashes on about half of its batches, by key."""

    def run(self, rng, trials):
        if rng.random() < 0.5:
            raise ValueError("bad luck")
        return Batch(answers=np.zeros(trials, dtype=np.int8), stress=0.5)


def test_crashed_batches_are_counted_and_listed():
    with Store.memory() as store:
        first = gather(Moody(), store)
        assert gather(Moody(), store) == first
    counts, stress, errors = first
    assert counts.trials == 160
    assert counts.unsure == 16 * len(errors)
    assert 0 < len(errors) < 10
    assert all(line.endswith(": ValueError: bad luck") and line.startswith("batch ") for line in errors)
    assert stress == 0.5


def test_lack_of_memory_stores_nothing_and_resumes():
    def act():
        if scripted.runs == 4:
            raise MemoryError
        return Batch(answers=np.zeros(16, dtype=np.int8), stress=0.5)

    scripted = Scripted(act=act)
    with Store.memory() as store:
        with pytest.raises(MemoryError):
            gather(scripted, store)
        [rows] = store._connection.execute("SELECT count(*) FROM evidence").fetchone()
        assert rows == 2  # the first batch is run twice
        assert gather(scripted, store)[0] == Trials(trials=160, failures=0, unsure=0)


def test_a_trial_that_is_no_function_of_its_key_diverges_between_two_writers(tmp_path):
    with Store.open(tmp_path) as one, Store.open(tmp_path) as two:

        def meanwhile():
            gather(Scripted(act=answering(np.ones(16, dtype=np.int8))), two, budget=16)
            return Batch(answers=np.zeros(16, dtype=np.int8), stress=0.0)

        with pytest.raises(Divergence, match=r"failures=16[\s\S]*failures=0"):
            gather(Scripted(act=meanwhile), one, budget=16)


def test_the_first_batch_of_every_series_is_a_canary():
    for seed in range(50):
        coin = Coin()
        with Store.memory() as store:
            gather(coin, store, budget=16, seed=seed)
        assert coin.runs == 2


def test_about_one_percent_of_the_batches_are_canaries_chosen_by_key():
    coin = Coin(batch_size=1)
    with Store.memory() as store:
        gather(coin, store, budget=1000)
    chosen = [
        key_digest(statement="s", instance="0" * 64, stream="event", seed=7, batch_size=1, index=i)[0] < 3
        for i in range(1, 1000)
    ]
    assert coin.runs == 1001 + sum(chosen)
    assert 1 <= sum(chosen) <= 40  # a fixed number, since keys are; expected 11.7


def test_a_canary_that_differs_is_reported():
    index = next(
        i
        for i in range(1, 10_000)
        if key_digest(statement="s", instance="0" * 64, stream="event", seed=7, batch_size=1024, index=i)[0] < 3
    )
    calls = iter(range(10**6))

    def act():
        return Batch(answers=np.full(1024, next(calls) % 2, dtype=np.int8), stress=0.0)

    with Store.memory() as store:
        _, _, errors = gather(Scripted(act=act, batch_size=1024), store, budget=1024 * (index + 1))
    assert errors == [f"batch {i}: nondeterministic: two runs of one key gave different answers" for i in (0, index)]


@pytest.mark.parametrize(("budget", "kind"), [(-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_a_budget_out_of_range_is_refused(budget, kind):
    with Store.memory() as store, pytest.raises(kind, match=r"collect\(budget\): need an int"):
        gather(Coin(), store, budget=budget)


def test_seeds_of_the_global_generators_do_not_matter():
    rows = []
    for seed in (0, 1):
        np.random.seed(seed)
        random.seed(seed)
        rows.append([batch(Coin(), index) for index in range(3)])
    assert rows[0] == rows[1]


def test_a_trial_that_exits_is_unsure_and_ends_nothing():
    def act():
        sys.exit(0)

    row = batch(Scripted(act=act))
    assert (row.unsure, row.error) == (16, "SystemExit: 0")


def test_an_interruption_in_disguise_is_no_evidence():
    def disguised():
        raise SystemError("returned a result with an exception set")

    def wrapped():
        raise ValueError("wrapped") from KeyboardInterrupt()

    for act in (disguised, wrapped):
        with pytest.raises(KeyboardInterrupt):
            batch(Scripted(act=act))


# -------------------------------------------------------------------------------------------- deadlines


def hanging(from_run: int = 1):
    """Sleeps for an hour, from one run on."""

    def act():
        if scripted.runs >= from_run:
            time.sleep(3600)
        return Batch(answers=np.ones(16, dtype=np.int8), stress=0.5)

    scripted = Scripted(act=act)
    return scripted


@pytest.mark.parametrize("from_run", [1, 2])
def test_a_batch_that_hangs_is_no_row(from_run):
    # the canary's second run has a deadline as well
    with pytest.raises(TimedOut, match=r"^timed out after 0\.3 s$"):
        run_batch(hanging(from_run), **KEY, index=0, canary=True, deadline=0.3)


def test_a_walk_ends_with_the_batch_that_hangs_which_is_unsure_and_not_stored():
    scripted = hanging(from_run=5)  # two runs of batch 0, one each of batches 1 and 2
    with Store.memory() as store:
        counts, stress, errors = gather(scripted, store, deadline=0.3)
        assert counts == CutShort(trials=64, failures=48, unsure=16)
        assert (stress, errors) == (0.5, ["batch 3: timed out after 0.3 s"])
        [rows] = store._connection.execute("SELECT count(*) FROM evidence").fetchone()
        assert rows == 3
        patient = Scripted(act=lambda: Batch(answers=np.ones(16, dtype=np.int8), stress=0.5))
        assert gather(patient, store) == (Trials(trials=160, failures=160, unsure=0), 0.5, [])


def test_crashes_before_the_deadline_are_still_listed():
    def act():
        if scripted.runs <= 2:
            raise ValueError("bad luck")
        time.sleep(3600)

    scripted = Scripted(act=act)
    with Store.memory() as store:
        counts, _, errors = gather(scripted, store, deadline=0.3)
    assert counts == CutShort(trials=32, failures=0, unsure=32)
    assert errors == ["batch 0: ValueError: bad luck", "batch 1: timed out after 0.3 s"]


@pytest.mark.parametrize("deadline", [0, -1.0, nan, 1e10])
def test_a_deadline_out_of_range_is_an_error_of_the_caller(deadline):
    coin = Coin()
    with pytest.raises(ValueError, match=r"run_batch\(deadline\): need seconds in \(0, 1e\+09\]; got "):
        run_batch(coin, **KEY, index=0, canary=False, deadline=deadline)
    assert coin.runs == 0
