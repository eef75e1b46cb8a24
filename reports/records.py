"""Reading a records file: every fact the page draws is there, in the promised form, or one line says what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.shapes import (
    Fault,
    RecordsUnreadable,
    among,
    count,
    every,
    fields,
    mapping,
    number,
    or_null,
    probability,
    ratio,
    rational,
    read,
    require_version,
    scalar,
    size,
    text,
    truth,
    whole,
)

__all__ = ["RecordsUnreadable", "read_records"]

SCHEMA_VERSION = 1


def read_records(path: Path) -> dict[str, Any]:
    """The checked content of a records file.

    Parameters
    ----------
    path : a JSON document of schema version 1

    Returns
    -------
    document : as parsed; every number finite

    Raises
    ------
    RecordsUnreadable : not JSON, a NaN, another version, a fact missing or of another form; names the file
    OSError : the file cannot be read
    """
    return read(path, _check)


def _check(document: Any) -> None:
    require_version(document, SCHEMA_VERSION)
    _DOCUMENT(document, "")
    known = [statement["id"] for statement in document["statements"]]
    repeated = sorted({name for name in known if known.count(name) > 1})
    if repeated:
        raise Fault(f"statements must have different ids, got {repeated[0]!r} twice")
    for room in ("records", "twins"):
        for index, entry in enumerate(document.get(room, [])):
            if entry["statement"] not in known:
                raise Fault(f"{room}[{index}].statement must name a statement of this file, got {entry['statement']!r}")


_finding = among("SUPPORTED", "REFUTED", "UNDECIDED", "VACUOUS")

_HYPOTHESIS = fields({"says": text, "guaranteed": text})
_MISPRINT = fields(dict.fromkeys(("id", "says", "instead", "witness"), text))
_STATEMENT = fields(
    dict.fromkeys(
        ("id", "number", "title", "kind", "says", "plainly", "source", "identifier", "place", "deviation", "price"),
        text,
    )
    | {
        "constant": among("explicit", "proved here", "hidden"),
        "recalled": truth,
        "hypotheses": every(_HYPOTHESIS),
        "expected": _finding,
        "verdict": _finding,
        "as_declared": truth,
        "misprints": every(_MISPRINT),
        "notes": every(text),
    }
)
_POINT = fields(
    {"c": ratio, "m": size, "kind": among("exact", "sampled"), "trials": count, "failures": count}
    | dict.fromkeys(("lower", "upper", "estimate"), probability)
)
_MEASURED = mapping(scalar)
_RECORD = fields(
    dict.fromkeys(("id", "statement", "number", "instance", "instance_says", "instance_digest", "claim"), text)
    | dict.fromkeys(("because", "table", "excluded", "price", "slack_says", "fault"), text)
    | dict.fromkeys(("trials", "failures", "unsure"), count)
    | dict.fromkeys(("seed", "batch_size"), whole)
    | dict.fromkeys(("delta", "rho", "slack"), or_null(number))
    | {
        "twin": or_null(text),
        "verdict": _finding,
        "expected": _finding,
        "as_declared": truth,
        "evidence": among("exact", "trials", "comparisons", "slope"),
        "probability": or_null(every(rational, length=2)),
        "alpha": number,
        "measured": _MEASURED,
        "comparisons": every(mapping(text)),
        "curve": every(_POINT),
    },
    maybe={"layers": every(mapping(text))},
)
_TWIN = fields(dict.fromkeys(("statement", "twin", "because"), text) | {"killed_by": every(text), "survived": truth})
_DOCUMENT = fields(
    {
        "tool": fields({"name": text, "version": text}),
        "seed": whole,
        "profile": text,
        "campaign": whole,
        "code_digest": text,
        "machine": mapping(text),
        "budget": fields({"alpha_refuted": number, "alpha_supported": number, "says": text}, maybe={"trials": count}),
        "statements": every(_STATEMENT),
        "records": every(_RECORD),
        "not_run": every(fields({"id": text, "why": text})),
        "summary": fields({"as_declared": count, "total": count, "exit_code": whole}),
    },
    maybe={"twins": every(_TWIN)},
)
