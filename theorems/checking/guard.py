"""What a statement provides runs guarded: no hidden randomness, no warning that continues, no hanging.

A trial that breaks these rules is UNSURE, anything else that does keeps its record UNDECIDED. Lack of memory and
interruptions are no answers: they always propagate.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, TypeVar
from warnings import catch_warnings, simplefilter

import numpy as np

from theorems.checking.deadline import TimedOut, within
from theorems.checking.keys import digest
from theorems.statement import HypothesisNotMet

T = TypeVar("T")

_LONGEST_ERROR = 400  # characters of an error text that are kept


class GlobalRandomness(RuntimeError):
    """A statement used randomness beside its key: draw from the generator that is given, and from no other."""


class NoAnswer(RuntimeError):
    """What a statement provides crashed, hung or contradicts itself: mend the statement, or wait longer."""


def _public_functions(module: ModuleType) -> list[tuple[ModuleType, str, Callable[..., Any]]]:
    # Classes stay: they take seeds, and others ask isinstance of them.
    return [
        (module, name, value)
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and not isinstance(value, type)
    ]


# Read once on import, so that guards that nest or overlap can only ever put the true functions back.
_GUARDED = _public_functions(random) + _public_functions(np.random)
_python_state, _numpy_state, _default_rng = random.getstate, np.random.get_state, np.random.default_rng


class _Watch:
    """Whether the block of one guard is still running."""

    def __init__(self) -> None:
        self.on = True

    def over(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """What stands in for `function`: it raises while the watch is on.

        Afterwards it is the function again: a module first imported in the block may have kept it.
        """

        def stand_in(*args: Any, **options: Any) -> Any:
            seeded = function is _default_rng and any(a is not None for a in (*args, *options.values()))
            if self.on and not seeded:
                raise GlobalRandomness(f"{name}: need draws from the rng of the trial; got a global generator")
            return function(*args, **options)

        return stand_in


@contextmanager
def guarded() -> Iterator[None]:
    """Within the block, global randomness raises.

    The functions of `random` and `numpy.random` are replaced, and put back on any exit; the state of both global
    generators is compared too, which catches functions that were imported by name. `default_rng(seed)` and the
    generator classes stay allowed. The whole process is affected: run trials in one thread per process.

    Raises
    ------
    GlobalRandomness : in the block, naming the function; or at its end, when a global generator moved
    """
    before = _global_states()
    watch = _Watch()
    try:  # from here on: a Ctrl-C must not leave stand-ins behind
        for module, name, function in _GUARDED:
            setattr(module, name, watch.over(function, f"{module.__name__}.{name}"))
        yield
    finally:
        watch.on = False
        for module, name, function in _GUARDED:
            setattr(module, name, function)
    for owner, old, new in zip(("random", "numpy.random"), before, _global_states(), strict=True):
        if old != new:
            raise GlobalRandomness(f"{owner}: need its global generator untouched by a trial; got a new state")


def _global_states() -> tuple[object, object]:
    return _python_state(), digest(_numpy_state(legacy=False))


def watched(task: Callable[[], T], *, deadline: float) -> T:
    """Do a task without global randomness, warnings and hanging.

    Warnings are errors: one that continues would hide a fault, and answers must not depend on the caller's filters.
    What the task prints goes to stderr: stdout carries data.

    Raises
    ------
    GlobalRandomness, Warning, TimedOut, and whatever the task raises
    """
    # the deadline is innermost: no alarm may fall into the guard while it puts things back
    with guarded(), redirect_stdout(sys.stderr), catch_warnings():
        simplefilter("error")
        return within(deadline, task)


def interrupted(error: BaseException | None) -> bool:
    """Whether an error stands for a Ctrl-C: object arithmetic in C turns one that falls into it into SystemError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt | SystemError):
            return True
        error = error.__cause__ or error.__context__
    return False


def answered(what: str, task: Callable[[], T], *, deadline: float) -> T:
    """Ask a statement for something.

    Parameters
    ----------
    what : that it is asked for, in words
    task : does the asking, and checks what comes back
    deadline : seconds

    Raises
    ------
    NoAnswer : the task failed in any ordinary way, exits included; what, why and in which line
    HypothesisNotMet : from the task: an instance outside the theorem is no fault of the statement
    MemoryError, KeyboardInterrupt : from the task, also where C code has put another error in its place
    """
    try:
        return watched(task, deadline=deadline)
    except (HypothesisNotMet, MemoryError):
        raise
    except TimedOut as error:
        raise NoAnswer(f"{what}: {error}") from None
    except (Exception, SystemExit) as error:
        if interrupted(error):
            raise KeyboardInterrupt from error
        where = extract_tb(error.__traceback__)[-1]
        raise NoAnswer(f"{what}: {in_words(error)} ({Path(where.filename).name}:{where.lineno})") from error


def in_words(error: BaseException) -> str:
    """Type and message of an error, cut, as text that a store and a report can hold: a message may hold anything."""
    return f"{type(error).__name__}: {error}"[:_LONGEST_ERROR].encode("utf-8", "backslashreplace").decode()
