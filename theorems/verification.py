"""From a list of statements to the records file: who is heard, where, and what is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from theorems.catalogue import CATALOGUE, find, position
from theorems.checking import budget
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.keys import digest
from theorems.checking.source import SourceChanged, code_digest, require_unchanged
from theorems.checking.store import Store
from theorems.documents import RECORDS, as_json, document, write_atomically
from theorems.statement import Instance, Record, Statement


@dataclass(frozen=True, kw_only=True)
class Case:
    """One hearing, small enough to send to another process.

    Parameters
    ----------
    statement, twin : id of the statement and name of its twin, None for itself
    nth : place of the instance or of the twin in its list, from 1; None for an instance that a user brings, which
        gets its place from the store
    """

    statement: str
    twin: str | None
    instance: Instance
    nth: int | None

    @property
    def id(self) -> str:
        """The id of the record that this case will make."""
        name = self.statement if self.twin is None else f"{self.statement}/{self.twin}"
        return f"{name}@{self.instance.name}"


def docket(statements: Iterable[Statement], profile: str) -> list[Case]:
    """List the hearings of a profile: each statement on its instances, then each twin."""
    cases = []
    for s in statements:
        cases += [
            Case(statement=s.id, twin=None, instance=x, nth=k) for k, x in enumerate(s.instances(profile), start=1)
        ]
        cases += [
            Case(statement=s.id, twin=t.name, instance=t.refuted_on, nth=k) for k, t in enumerate(s.twins, start=1)
        ]
    return cases


def not_run(cases: Sequence[Case]) -> list[dict[str, str]]:
    """List what the profile or the selection leaves out; NOT RUN is no verdict."""
    chosen = {c.id for c in cases}
    return [{"id": c.id, "why": "not selected"} for c in docket(CATALOGUE, "night") if c.id not in chosen]


def hear_case(case: Case, *, sitting: Sitting, directory: Path) -> Record:
    """Judge one case, with one BLAS thread: two are slower on small matrices, and change bits.

    Raises
    ------
    HypothesisNotMet : the instance lies outside the theorem
    SourceChanged : this process has imported other source than the one that sent the case
    """
    if code_digest() != sitting.code:
        raise SourceChanged(f"a worker imported source {code_digest()[:16]}, the run began with {sitting.code[:16]}")
    from threadpoolctl import threadpool_limits

    statement = find(case.statement)
    place = position(statement)
    with threadpool_limits(limits=1), Store.open(directory) as store:
        nth = _nth(case, store)
        if case.twin is None:
            return hear(statement, case.instance, place=place, nth=nth, sitting=sitting, store=store)
        twin = next(t for t in statement.twins if t.name == case.twin)
        return hear_twin(statement, twin, place=place, nth=nth, sitting=sitting, store=store)


def _nth(case: Case, store: Store) -> int:
    return store.place_of(case.statement, digest(case.instance)) if case.nth is None else case.nth


def hear_all(
    cases: Sequence[Case], *, sitting: Sitting, directory: Path, executor: Executor | None
) -> Iterator[Record]:
    """Judge cases in order, here or on an executor; the records do not depend on which."""
    directory = directory.absolute()  # a trial may change the working folder
    if any(case.nth is None for case in cases):  # places go by the order of the cases, not by who is heard first
        with Store.open(directory) as store:
            cases = [replace(case, nth=_nth(case, store)) for case in cases]
    task = partial(hear_case, sitting=sitting, directory=directory)
    if executor is None:
        yield from map(task, cases)
    else:  # not `map`, which cancels what is pending when one fails: loky stumbles over that
        yield from (pending.result() for pending in [executor.submit(task, case) for case in cases])


def open_sitting(*, seed: int, trials: int, directory: Path) -> Sitting:
    """Register the campaign of this seed and code in the store, or find it there."""
    require_unchanged(code_digest())
    if seed == budget.RELEASE_SEED:
        return Sitting(seed=seed, campaign=1, budget=trials)
    with Store.open(directory) as store:
        return Sitting(seed=seed, campaign=store.campaign(seed, code_digest()), budget=trials)


Progress = Callable[[Record], None]


def verify(
    cases: Sequence[Case],
    *,
    words: Sequence[str],
    sitting: Sitting,
    profile: str,
    directory: Path,
    executor: Executor | None,
    progress: Progress,
) -> dict[str, Any]:
    """Judge every case, tell `progress` about each, and leave the document in `directory`.

    Parameters
    ----------
    words : of the command that selects the cases, for the page that tells how to see them again

    Raises
    ------
    HypothesisNotMet : an instance lies outside its statement; the message names every hypothesis
    SourceChanged : the source was edited meanwhile; no document is left
    """
    records = []
    directory = directory.absolute()  # a trial may change the working folder
    for record in hear_all(cases, sitting=sitting, directory=directory, executor=executor):
        records.append(record)
        progress(record)
    require_unchanged(sitting.code)
    made = document(records, words=words, sitting=sitting, profile=profile, left_out=not_run(cases))
    write_atomically(directory / RECORDS, as_json(made))
    return made
