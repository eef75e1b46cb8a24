"""Trials: a batch of answers as a pure function of its key.

Nothing else may decide an answer: no clock, no worker, no arrival order and no hidden random state. A trial that
crashes is UNSURE, which counts against both verdicts; it is never skipped. A batch that times out is UNSURE in the
run at hand and unknown to the store, since another run may get its answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from theorems.checking.deadline import DEADLINE, TimedOut, check_deadline
from theorems.checking.guard import in_words, interrupted, watched
from theorems.checking.keys import check_count, generator, key_digest
from theorems.checking.store import BatchRow, Series, Store
from theorems.statement import Answer, Batch, Experiment, Trials

# Plain integers: NumPy looks attributes up on an IntEnum operand and drops a Ctrl-C that falls into the look-up.
_OUT, _UNSURE = int(Answer.OUT), int(Answer.UNSURE)
_LEAST, _LARGEST = int(min(Answer)), int(max(Answer))
_CANARIES = 3  # of 256 batches, about 1 %, are run twice
_SAME_STRESS = 1e-3  # relative: far above rounding, even in a badly conditioned world, and below what chance gives


@dataclass(frozen=True, kw_only=True)
class CutShort(Trials):
    """Counts of a walk that the clock ended, its last batch UNSURE: nothing may be concluded from them."""


def run_batch(
    experiment: Experiment,
    *,
    statement: str,
    instance_digest: str,
    stream: str,
    seed: int,
    index: int,
    canary: bool,
    deadline: float = DEADLINE,
) -> BatchRow:
    """Draw one whole batch from its key and decide each trial.

    An exception in a trial, global randomness or malformed answers make every trial of the batch UNSURE, with the
    reason in `error`. Lack of memory, of time and interruptions are no answers: they propagate and there is no row.

    Parameters
    ----------
    experiment : what to run; its batch size is part of the key
    statement, instance_digest, stream, seed, index : the rest of the key, see `keys.key_digest`
    canary : run the batch twice; different answers make it UNSURE, with the error 'nondeterministic', and so does a
        stress that moved: where no trial fails, it is all that shows that other numbers were drawn
    deadline : seconds for one run of the batch

    Raises
    ------
    TypeError, ValueError : a key or the deadline out of range
    TimedOut : the deadline passed
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
            batch = watched(lambda: experiment.run(rng, trials), deadline=deadline)
            _check(batch, trials)
            return _row(index, batch.answers, stress=float(batch.stress), error="")
        except (MemoryError, TimedOut):
            raise
        except (Exception, SystemExit) as error:
            if interrupted(error):
                raise KeyboardInterrupt from error
            return _unsure(index, trials, in_words(error))

    check_deadline("run_batch(deadline)", deadline)
    row = once()
    if canary and not _same(row, once()):
        return _unsure(index, trials, "nondeterministic: two runs of one key gave different answers")
    return row


def _same(one: BatchRow, other: BatchRow) -> bool:
    moved = abs(one.stress - other.stress) > _SAME_STRESS * max(abs(one.stress), _SAME_STRESS)  # False for a nan
    return one.agrees_with(other) and not moved


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
    deadline: float = DEADLINE,
) -> tuple[Trials, float, list[str]]:
    """Walk the batches 0, 1, 2, ... until `decide` is content, the budget is spent or a batch times out.

    Stored rows are taken as they are, missing ones are run and stored, so the result does not depend on what was
    stored before. Fresh batches are run twice where they are number 0, so that no experiment escapes, and else about
    1 % of them, chosen by key.

    The batch that times out ends the walk: it counts as UNSURE, it is not stored, and what comes after it would be
    read past a gap that the clock made.

    Parameters
    ----------
    experiment, statement, instance_digest, stream, seed : as for `run_batch`
    code : `source.code_digest()`; rows of other code are not looked at
    store : where rows are found and kept
    decide : stop rule, asked about every prefix of whole batches, the empty one included
    budget : trials, >= 0; rounded up to whole batches
    deadline : seconds for one run of a batch

    Returns
    -------
    trials : counts over the prefix; `CutShort` where a batch timed out
    stress : largest stress of its batches; nan when none has one
    errors : one line for each batch that crashed or timed out

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
            try:
                row = run_batch(
                    experiment,
                    statement=statement,
                    instance_digest=instance_digest,
                    stream=stream,
                    seed=seed,
                    index=index,
                    canary=_is_canary(series, index),
                    deadline=deadline,
                )
            except TimedOut as error:
                size = series.batch_size
                cut = CutShort(trials=counts.trials + size, failures=counts.failures, unsure=counts.unsure + size)
                return cut, stress, [*errors, f"batch {index}: {error}"]
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
    if index == 0:
        return True
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
    return _row(index, np.full(trials, _UNSURE, dtype=np.int8), stress=nan, error=error)
