"""The studies file: tables with all their words in one JSON document beside the records, for the report to draw."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from theorems import __version__
from theorems.checking.budget import TRIALS
from theorems.checking.court import Sitting
from theorems.checking.source import require_unchanged
from theorems.checking.store import Store
from theorems.documents import STUDIES, as_json, machine, write_atomically
from theorems.studies import registry
from theorems.studies.study import Cell, Study

SCHEMA_VERSION = 1

Progress = Callable[[Study, int], None]
"""Told about a study and the number of its rows so far; once with 0 before the first."""


class StudiesUnreadable(RuntimeError):
    """The studies file of the store cannot be read: delete it, and the studies in it are measured again."""


def measure(
    studies: Sequence[Study], *, profile: str, seed: int, directory: Path, progress: Progress
) -> dict[str, Any]:
    """Measure studies one by one; after each, put it into the studies file of `directory`.

    Studies of the file that are not measured now stay, when the same code measured them. An interrupted run leaves
    the studies that were finished, and the next one does not measure them again.

    Parameters
    ----------
    profile : quick, ci or night: how many rows
    seed : of every key, for studies that sample
    directory : of the store, which exists

    Returns
    -------
    the document of what was measured now, without what the file had before

    Raises
    ------
    StudiesUnreadable : the file that is there is none of ours, or damaged; it is left as it is
    SourceChanged : the source was edited meanwhile; what is not in the file yet is lost
    ValueError : a study whose row does not fit its columns
    """
    # A study gives no verdict, so it spends no error budget and opens no campaign.
    sitting = Sitting(seed=seed, campaign=1, budget=TRIALS[profile])
    path = directory / STUDIES
    finished = {entry["id"]: entry for entry in _read(path, sitting.code)}
    made = []
    with threadpool_limits(limits=1), Store.open(directory) as store:
        for study in studies:
            rows: list[list[Cell]] = []
            progress(study, 0)
            before = finished.get(study.id, {})
            if all(before.get(key) == now for key, now in _run(profile, seed).items()):
                made.append(before)  # a pure function of code, profile and seed
                continue
            for row in study.rows(profile, sitting, store):
                rows.append(_checked(study, row))
                progress(study, len(rows))
            if not rows:
                continue
            require_unchanged(sitting.code)
            made.append(_entry(study, rows, profile=profile, seed=seed))
            kept = {entry["id"]: entry for entry in (*_read(path, sitting.code), made[-1])}
            order = {known.id: place for place, known in enumerate(registry.STUDIES)}
            whole = sorted(kept.values(), key=lambda entry: (order.get(entry["id"], len(order)), entry["id"]))
            write_atomically(path, as_json(_document(whole, sitting.code)))
    return _document(made, sitting.code)


def _document(entries: Sequence[dict[str, Any]], code: str) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "leverage-theorems", "version": __version__},
        "code_digest": code,
        "studies": list(entries),
    }


def _entry(study: Study, rows: Sequence[Sequence[Cell]], *, profile: str, seed: int) -> dict[str, Any]:
    """Put a study into words and numbers; profile, seed and machine are its own, as the runs of a file may differ."""
    return {
        "id": study.id,
        "title": study.title,
        "about": list(study.about),
        "says": study.says,
        **_run(profile, seed),
        "command": f"theorems study {study.id} --profile {profile} --seed {seed}",
        "columns": [asdict(column) for column in study.columns],
        "rows": [list(row) for row in rows],
        "figures": [asdict(figure) for figure in study.figures],
    }


def _run(profile: str, seed: int) -> dict[str, Any]:
    return {"profile": profile, "seed": seed, "machine": machine()}


def _checked(study: Study, row: Sequence[Cell]) -> list[Cell]:
    if len(row) != len(study.columns):
        raise ValueError(f"study {study.id}: a row must have {len(study.columns)} cells, got {len(row)}")
    for column, cell in zip(study.columns, row, strict=True):
        plain = cell is None or type(cell) in (str, int, float)  # no bool, no number of NumPy's
        if not plain or (isinstance(cell, float) and not math.isfinite(cell)):
            raise ValueError(
                f"study {study.id}: a cell must be text, an integer, a finite float or None, got {cell!r} in "
                f"{column.name!r}"
            )
    return list(row)


def _read(path: Path, code: str) -> list[dict[str, Any]]:
    """Give the studies of the file that the same code measured; none when there is no file."""
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if (found["schema_version"], found["code_digest"]) != (SCHEMA_VERSION, code):
            return []
        as_json(found).encode()  # what could not be written again is refused before the work
        return [{**entry, "id": str(entry["id"])} for entry in found["studies"]]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise StudiesUnreadable(f"{path}: not a studies file, or damaged ({fault!r}); delete it") from None
