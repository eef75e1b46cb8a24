"""The alarm: everything that Python can interrupt ends, and whoever used SIGALRM before finds it untouched."""

import signal
import threading
import time
from functools import partial
from math import inf, nan

import loky
import pytest

from theorems.checking import deadline
from theorems.checking.deadline import DEADLINE, TimedOut, check_deadline, within

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")

SOON = 0.05
FOREVER = partial(time.sleep, 3600)


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    handler = signal.getsignal(signal.SIGALRM)
    yield
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(deadline, "_AGAIN", SOON)


def loop():
    while True:
        pass


def wait_for_a_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


@pytest.mark.parametrize("task", [FOREVER, loop, wait_for_a_lock])
def test_what_hangs_is_ended(task):
    with pytest.raises(TimedOut, match=r"^timed out after 0\.05 s$"):
        within(SOON, task)


def test_an_answer_in_time_is_given_and_nothing_rings_later():
    assert within(SOON, lambda: 17) == 17
    time.sleep(2 * SOON)


@pytest.mark.parametrize("kind", [ZeroDivisionError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_errors_of_the_task_pass(kind):
    def fail():
        raise kind

    with pytest.raises(kind):
        within(DEADLINE, fail)


def swallow_once_and_answer():
    try:
        FOREVER()
    except BaseException:
        return "an answer all the same"


def swallow_once_and_go_on():
    swallow_once_and_answer()
    FOREVER()


def raise_another():
    try:
        FOREVER()
    except BaseException as alarm:
        raise ValueError("put in its place") from alarm


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("task", [swallow_once_and_answer, swallow_once_and_go_on, raise_another])
def test_an_alarm_cannot_be_talked_away(task):
    with pytest.raises(TimedOut):
        within(SOON, task)


def test_code_that_catches_exceptions_does_not_go_on():
    caught = []

    def careless():
        try:
            FOREVER()
        except Exception as error:
            caught.append(error)

    with pytest.raises(TimedOut):
        within(SOON, careless)
    assert caught == []


@pytest.mark.parametrize("kind", [MemoryError, KeyboardInterrupt])
def test_what_is_no_answer_counts_for_more_than_the_alarm(kind):
    def late():
        try:
            FOREVER()
        except BaseException:
            raise kind from None

    with pytest.raises(kind):
        within(SOON, late)


def test_an_interruption_ends_the_task_at_once():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            within(DEADLINE, lambda: signal.raise_signal(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_alarm_on_its_way_when_the_task_ends_does_nothing():
    rings = []
    within(DEADLINE, lambda: rings.append(signal.getsignal(signal.SIGALRM)))
    rings[0](signal.SIGALRM, None)


@pytest.fixture
def other():
    """Somebody else's use of SIGALRM: its handler notes when it rings."""
    rang = []

    def note(*_):
        rang.append(True)

    before = signal.signal(signal.SIGALRM, note)
    yield note, rang
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("task", [list, loop, partial(int, "x")])
def test_another_timer_and_its_handler_are_back(other, task):
    note, rang = other
    signal.setitimer(signal.ITIMER_REAL, 500, 7)
    try:
        within(SOON, task)
    except (TimedOut, ValueError):
        assert task is not list
    left, again = signal.getitimer(signal.ITIMER_REAL)
    assert 0 < left <= (500 - SOON / 2 if task is loop else 500)  # the clock of the other one went on
    assert again == pytest.approx(7)
    assert signal.getsignal(signal.SIGALRM) is note
    assert rang == []


def test_another_timer_that_ran_out_meanwhile_rings_afterwards(other):
    _, rang = other
    signal.setitimer(signal.ITIMER_REAL, SOON)
    within(DEADLINE, lambda: time.sleep(2 * SOON))
    for _ in range(1000):
        if rang:
            break
        time.sleep(SOON)
    assert rang == [True]


def test_deadlines_nest():
    def outer():
        with pytest.raises(TimedOut, match=r"0\.05 s"):
            within(SOON, FOREVER)
        FOREVER()

    with pytest.raises(TimedOut, match=r"0\.2 s"):
        within(4 * SOON, outer)


# ---------------------------------------------------------------------------------- where there is no alarm


def longer_than_allowed():
    time.sleep(2 * SOON)
    return 17


def test_other_threads_have_no_deadline():
    answers = []
    thread = threading.Thread(target=lambda: answers.append(within(SOON, longer_than_allowed)))
    thread.start()
    thread.join()
    assert answers == [17]


def test_systems_without_an_alarm_have_no_deadline(monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.delattr(signal, "setitimer")
        assert within(SOON, longer_than_allowed) == 17


def test_a_handler_that_could_not_be_put_back_is_left_alone(monkeypatch):
    with monkeypatch.context() as foreign:
        foreign.setattr(signal, "getsignal", lambda _: None)
        assert within(SOON, longer_than_allowed) == 17


def test_the_workers_of_a_pool_have_one():
    executor = loky.ProcessPoolExecutor(max_workers=1)
    try:
        with pytest.raises(TimedOut, match=r"timed out after 0\.05 s"):
            executor.submit(within, SOON, FOREVER).result()
        assert executor.submit(within, DEADLINE, partial(int, "17")).result() == 17
    finally:
        executor.shutdown(kill_workers=True)


@pytest.mark.parametrize("seconds", [0, -1, nan, inf, 1.1e9])
def test_seconds_out_of_range_are_refused(seconds):
    with pytest.raises(ValueError, match=r"Sitting\(deadline\): need seconds in \(0, 1e\+09\]; got "):
        check_deadline("Sitting(deadline)", seconds)


def test_the_deadline_itself_is_in_range():
    check_deadline("here", DEADLINE)
