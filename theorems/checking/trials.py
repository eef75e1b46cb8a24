"""Guarded trials: a batch of answers as a pure function of its key.

Nothing else may decide an answer: no clock, no worker, no arrival order and no hidden random state. A trial that
crashes is UNSURE, which counts against both verdicts; it is never skipped.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isnan, nan
from types import ModuleType
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import numpy.typing as npt

from theorems.checking.keys import check_count, digest, generator, key_digest
from theorems.checking.store import BatchRow, Series, Store
from theorems.statement import Answer, Batch, Experiment, Trials

# Plain integers: NumPy looks attributes up on an IntEnum operand and drops a Ctrl-C that falls into the look-up.
_OUT, _UNSURE = int(Answer.OUT), int(Answer.UNSURE)
_LEAST, _LARGEST = int(min(Answer)), int(max(Answer))
_CANARIES = 3  # of 256 batches, about 1 %, are run twice
_LONGEST_ERROR = 400  # characters of an error text that are kept


class GlobalRandomness(RuntimeError):
    """A trial used randomness beside its key: draw from the generator that `run` is given, and from no other."""


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


def run_batch(
    experiment: Experiment,
    *,
    statement: str,
    instance_digest: str,
    stream: str,
    seed: int,
    index: int,
    canary: bool,
) -> BatchRow:
    """Draw one whole batch from its key and decide each trial.

    An exception in a trial, global randomness or malformed answers make every trial of the batch UNSURE, with the
    reason in `error`. Lack of memory and interruptions are no answers: they propagate and nothing is recorded.

    Parameters
    ----------
    experiment : what to run; its batch size is part of the key
    statement, instance_digest, stream, seed, index : the rest of the key, see `keys.key_digest`
    canary : run the batch twice; different answers make it UNSURE, with the error 'nondeterministic'

    Raises
    ------
    TypeError, ValueError : a key out of range
    MemoryError, KeyboardInterrupt : from the trial, also where C code has put another error in its place
    """
    trials = experiment.batch_size

    def once() -> BatchRow:
        rng = generator(
            statement=statement,
            instance=instance_digest,
            stream=stream,
            seed=seed,
            batch_size=trials,
            index=index,
        )
        try:
            with guarded(), catch_warnings():
                # a warning that continues would hide a fault, and answers must not depend on the caller's filters
                simplefilter("error")
                batch = experiment.run(rng, trials)
            _check(batch, trials)
            return _row(index, batch.answers, stress=float(batch.stress), error="")
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:
            if _interrupted(error):
                raise KeyboardInterrupt from error
            return _unsure(index, trials, f"{type(error).__name__}: {error}")

    row = once()
    if canary and not once().agrees_with(row):
        return _unsure(index, trials, "nondeterministic: two runs of one key gave different answers")
    return row


def _interrupted(error: BaseException | None) -> bool:
    """Whether an error stands for a Ctrl-C: object arithmetic in C turns one that falls into it into SystemError."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt | SystemError):
            return True
        error = error.__cause__ or error.__context__
    return False


def collect(
    experiment: Experiment,
    *,
    statement: str,
    instance_digest: str,
    stream: str,
    seed: int,
    code: str,
    store: Store,
    decide: Callable[[Trials], bool],
    budget: int,
) -> tuple[Trials, float, list[str]]:
    """Walk the batches 0, 1, 2, ... until `decide` is content or the budget is spent.

    Stored rows are taken as they are, missing ones are run and stored, so the result does not depend on what was
    stored before. About 1 % of the fresh batches, chosen by key, are run twice.

    Parameters
    ----------
    experiment, statement, instance_digest, stream, seed : as for `run_batch`
    code : `source.code_digest()`; rows of other code are not looked at
    store : where rows are found and kept
    decide : stop rule, asked about every prefix of whole batches, the empty one included
    budget : trials, >= 0; rounded up to whole batches

    Returns
    -------
    trials : counts over the prefix
    stress : largest stress of its batches; nan when none has one
    errors : one line for each batch that crashed

    Raises
    ------
    Divergence, StoreFull, StoreUnreadable : from the store
    """
    check_count("collect(budget)", budget)
    series = Series(
        statement=statement,
        instance=instance_digest,
        stream=stream,
        seed=seed,
        batch_size=experiment.batch_size,
        size=experiment.size,
        code=code,
    )
    counts = Trials(trials=0, failures=0, unsure=0)
    stress = nan
    errors: list[str] = []
    index = 0
    while counts.trials < budget and not decide(counts):
        row = store.find(series, index)
        if row is None:
            row = run_batch(
                experiment,
                statement=statement,
                instance_digest=instance_digest,
                stream=stream,
                seed=seed,
                index=index,
                canary=_is_canary(series, index),
            )
            store.insert(series, row)
        counts = Trials(
            trials=counts.trials + row.trials,
            failures=counts.failures + row.failures,
            unsure=counts.unsure + row.unsure,
        )
        if isnan(stress) or row.stress > stress:
            stress = row.stress
        if row.error:
            errors.append(f"batch {index}: {row.error}")
        index += 1
    return counts, stress, errors


def _is_canary(series: Series, index: int) -> bool:
    key = key_digest(
        statement=series.statement,
        instance=series.instance,
        stream=series.stream,
        seed=series.seed,
        batch_size=series.batch_size,
        index=index,
    )
    return key[0] < _CANARIES


def _check(batch: Batch, trials: int) -> None:
    # Experiments may be other people's code: the annotations are no proof.
    answers: Any = batch.answers
    if type(answers) is not np.ndarray or answers.dtype != np.int8 or answers.shape != (trials,):
        shape = f"{answers.dtype} of shape {answers.shape}" if isinstance(answers, np.ndarray) else repr(answers)
        raise TypeError(f"answers: need an int8 array of shape ({trials},); got {type(answers).__name__} {shape}")
    strange = answers[(answers < _LEAST) | (answers > _LARGEST)]
    if strange.size:
        raise ValueError(f"answers: need 0 (IN), 1 (OUT) or 2 (UNSURE); got {strange[0]}")
    if not isinstance(batch.stress, float):
        raise TypeError(f"stress: need a float; got {type(batch.stress).__name__} {batch.stress!r}")


def _row(index: int, answers: npt.NDArray[np.int8], *, stress: float, error: str) -> BatchRow:
    return BatchRow(
        index=index,
        trials=answers.size,
        failures=int(np.count_nonzero(answers == _OUT)),
        unsure=int(np.count_nonzero(answers == _UNSURE)),
        answers_digest=hashlib.sha256(answers.tobytes()).hexdigest(),
        stress=stress,
        error=error,
    )


def _unsure(index: int, trials: int, error: str) -> BatchRow:
    # A message may hold anything; the store holds text.
    text = error[:_LONGEST_ERROR].encode("utf-8", "backslashreplace").decode()
    return _row(index, np.full(trials, _UNSURE, dtype=np.int8), stress=nan, error=text)
