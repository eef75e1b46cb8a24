"""The records file: verdicts with all their words in one JSON document, the only thing a report reads."""

from __future__ import annotations

import errno
import json
import os
import platform
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from theorems import __version__
from theorems.catalogue import CATALOGUE
from theorems.checking import budget
from theorems.checking.court import Sitting
from theorems.contents import CONTENTS
from theorems.statement import Finding, Record, Statement
from theorems.streams import printable

SCHEMA_VERSION = 1
RECORDS = "records.json"
STUDIES = "studies.json"


def overall(statement: Statement, records: Iterable[Record]) -> Finding:
    """What the records of a statement say together: supporting it needs every instance.

    Where only its twins were heard nothing is decided about the statement itself.
    """
    seen = {r.verdict for r in records if r.statement == statement.id and r.twin is None}
    if not seen:
        return Finding.UNDECIDED
    for finding in (Finding.REFUTED, Finding.UNDECIDED, Finding.SUPPORTED):
        if finding.value in seen:
            return finding
    return Finding.VACUOUS


def exit_code(records: Sequence[Record]) -> int:
    """0 all as declared; 1 a verdict differs or a twin survived; 3 only undecided ones fall short."""
    off = [r for r in records if not r.as_declared]
    if not off:
        return 0
    if all(r.twin is None and r.verdict == Finding.UNDECIDED.value for r in off):
        return 3
    return 1


def document(
    records: Sequence[Record],
    *,
    words: Sequence[str],
    sitting: Sitting,
    profile: str,
    left_out: Sequence[dict[str, str]],
) -> dict[str, Any]:
    """Put records and their words into one JSON document, the only thing a report reads."""
    spoken = [s for s in CATALOGUE if any(r.statement == s.id for r in records)]
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "leverage-theorems", "version": __version__},
        "command": "theorems "
        + printable(shlex.join([*words, "--seed", str(sitting.seed), "--budget", str(sitting.budget)])),
        "seed": sitting.seed,
        "profile": profile,
        "campaign": sitting.campaign,
        "code_digest": sitting.code,
        "machine": machine(),
        "budget": {
            "alpha_refuted": float(budget.ALPHA_REFUTED),
            "alpha_supported": float(budget.ALPHA_SUPPORTED),
            "trials": sitting.budget,
            "says": "The probability that a true statement is ever called REFUTED is at most "
            f"{float(budget.ALPHA_REFUTED):g} over all statements, instances and campaigns of one store. The "
            "probability that a statement is ever called SUPPORTED although on some instance its failure probability "
            f"exceeds what that line excludes is at most {float(budget.ALPHA_SUPPORTED):g}. What is decided without "
            "sampling spends nothing.",
        },
        "statements": [
            _sentence(s, overall(s, records), heard=any(r.statement == s.id and r.twin is None for r in records))
            for s in spoken
        ],
        "records": [asdict(r) for r in records],
        "twins": [
            {
                "statement": r.statement,
                "twin": r.twin,
                "because": r.claim,
                "killed_by": [x["name"] for x in r.layers if x["finding"] == Finding.REFUTED.value],
                "survived": not r.as_declared,
            }
            for r in records
            if r.twin is not None
        ],
        "not_run": list(left_out),
        "summary": {
            "as_declared": sum(r.as_declared for r in records),
            "total": len(records),
            "exit_code": exit_code(records),
        },
    }


def _sentence(s: Statement, verdict: Finding, *, heard: bool) -> dict[str, Any]:
    def guarantor(checked: bool, by: str | None, assumed: str | None) -> str:
        return "checked" if checked else f"by construction: {by}" if by else f"assumed: {assumed}"

    return {
        "id": s.id,
        "number": s.number,
        "title": s.title,
        "kind": s.kind,
        "says": s.says,
        "plainly": s.plainly,
        "source": f"{s.source.source.authors} {s.source.source.year}, {s.source.source.title}",
        "identifier": s.source.source.identifier,
        "place": s.source.place,
        "deviation": s.deviation,
        "constant": s.constant,
        "recalled": s.recalled,
        "hypotheses": [
            {"says": h.says, "guaranteed": guarantor(h.holds is not None, h.guaranteed_by, h.assumed)}
            for h in s.hypotheses
        ],
        "expected": s.expected.value,
        "verdict": verdict.value,
        "as_declared": verdict is s.expected,
        "price": "" if heard else f"theorems verify {s.id}",
        "misprints": [asdict(m) for m in s.misprints],
        "notes": list(s.notes),
    }


def machine() -> dict[str, str]:
    """What the bytes of a record may depend on; verdicts do not."""
    from importlib.metadata import version

    from threadpoolctl import threadpool_info

    kernels = sorted({f"{i['internal_api']} {i.get('version')} {i.get('architecture', '')}" for i in threadpool_info()})
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "python-flint")},
        "processor": platform.machine(),
        "blas": "; ".join(k for k in kernels if "openmp" not in k) + ", one thread",
    }


def write_atomically(path: Path, text: str) -> None:
    """Write a file whole or not at all: temporary file, flush to disk, rename.

    Raises
    ------
    OSError : naming the path
    """
    if path.exists() and not (path.is_file() or path.is_dir()):  # a device would be replaced
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as f:
            f.write(text)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
    except OSError as e:
        raise OSError(e.errno, e.strerror, str(path)) from e
    finally:
        temporary.unlink(missing_ok=True)


def as_json(value: Any) -> str:
    """One JSON document, stable bytes, no NaN; what a terminal would obey, or UTF-8 cannot hold, stays escaped."""
    lines = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False).split("\n")
    return "".join(f"{line if line.isprintable() else _escaped(line)}\n" for line in lines)


def _escaped(line: str) -> str:
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def last_verdicts(records: Path) -> dict[str, str]:
    """Read what the last run said of each statement; empty when there was none, or its file cannot be read."""
    try:
        made = json.loads(records.read_text(encoding="utf-8"))
        return {s["id"]: s["verdict"] for s in made["statements"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def listing(status: dict[str, str]) -> dict[str, Any]:
    """Put the catalogue into the order of the papers' tables of contents.

    Parameters
    ----------
    status : id -> verdict of the last run
    """
    by_id = {s.id: s for s in CATALOGUE}
    return {
        "statements": [
            {
                "id": s.id,
                "number": s.number,
                "title": s.title,
                "kind": s.kind,
                "source": str(s.source),
                "constant": s.constant,
                "recalled": s.recalled,
                "expected": s.expected.value,
                "status": status.get(s.id, "NOT RUN"),
                "twins": [t.name for t in s.twins],
            }
            for s in (by_id[i] for _, _, ids in CONTENTS for i in ids)
        ],
        "contents": [
            {"paper": source.key, "part": part, "statements": list(ids), "covered": bool(ids)}
            for source, part, ids in CONTENTS
        ],
    }
