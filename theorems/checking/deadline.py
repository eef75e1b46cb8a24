"""A deadline for what other people wrote: a trial that sleeps or loops for ever must not hang the run.

The clock decides no evidence. What timed out gave no answer: it is counted against both verdicts in this run, it is
never stored, and a later run, on a faster machine or with more patience, may still get the answer.

The alarm is SIGALRM, which Python hands to the main thread between two steps of its interpreter: sleeps, locks and
loops in Python end; one call into C ends only when it returns. Where there is no such alarm (Windows, other threads
than the main one) there is no deadline; the workers of a process pool run their tasks in their main threads.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from threading import current_thread, main_thread
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

# Seconds for one batch of trials, or for one thing that a statement is asked for. It is there to end what hangs and not
# what is slow: a user's own matrix of 2000 rows takes half an hour a batch.
DEADLINE = 3600.0

_LONGEST = 1e9  # seconds; what the timers of all systems hold
_AGAIN = 1.0  # seconds between alarms: code that catches everything may swallow the first


class TimedOut(RuntimeError):
    """No answer before the deadline: wait longer, or take a faster machine."""


class _Alarm(BaseException):
    """What ends the task. Not an Exception, so that `except Exception` in it does not go on."""


def check_deadline(where: str, seconds: float) -> None:
    """Raise ValueError unless 0 < seconds <= 1e9; `where` is the function and argument at fault."""
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"{where}: need seconds in (0, {_LONGEST:g}]; got {seconds}")


def within(seconds: float, task: Callable[[], T]) -> T:
    """Do a task, for at most so many seconds.

    The handler and the timer of SIGALRM that were there are back on any exit; a timer that ran out meanwhile rings
    then.

    Parameters
    ----------
    seconds : see `check_deadline`
    task : is called once

    Raises
    ------
    TimedOut : the alarm rang, whatever the task made of it
    """
    if not _has_alarm():
        return task()
    running, rang = True, False

    def ring(*_: Any) -> None:
        nonlocal rang
        if running:
            rang = True
            raise _Alarm

    handler, timer, began = signal.signal(signal.SIGALRM, ring), (0.0, 0.0), monotonic()
    try:
        try:
            timer = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
            answer = task()
        finally:
            running = False
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:
        if not rang:
            raise
    finally:
        running = False  # once more: an alarm may have fallen into the line above that says so
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if timer[0]:
            signal.setitimer(signal.ITIMER_REAL, max(timer[0] - (monotonic() - began), 1e-6), timer[1])
    if rang:
        raise TimedOut(f"timed out after {seconds:g} s")
    return answer


def _has_alarm() -> bool:
    """Whether an alarm can be set here, and the present handler put back: one that C code installed cannot."""
    return (
        hasattr(signal, "setitimer")
        and current_thread() is main_thread()
        and signal.getsignal(signal.SIGALRM) is not None
    )
