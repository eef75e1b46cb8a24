"""From records and studies to the page and its Markdown twin: read, arrange, render, and only then write both."""

from __future__ import annotations

import os
import re
import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import words
from reports.figures import failure_curve, least_sizes, sizes
from reports.mathematics import UnsupportedMath, for_markdown, pieces
from reports.records import RecordsUnreadable, read_records
from reports.studies import read_studies
from reports.study_figures import panels_of, study_figure

__all__ = ["RecordsUnreadable", "write_reports"]

COMPARISONS_SHOWN = 12
ROWS_SHOWN = 12  # a longer table of a study waits behind a click
MARKDOWN_LIMIT = 1 << 20  # bytes; what a GitHub job summary accepts

_FOLDER = Path(__file__).parent
_ANSWERS = ("OUT", "UNSURE", "IN")  # the worst first


def write_reports(records_path: Path, html_path: Path, markdown_path: Path, *, studies: Path | None = None) -> None:
    """Draw a records file as one self-contained HTML page and its Markdown twin.

    Nothing is written before both are complete; each file is replaced whole or left as it was. The bytes depend on
    the records and the studies alone.

    Parameters
    ----------
    records_path : a records file of schema version 1
    html_path, markdown_path : where to write; existing files are replaced
    studies : a studies file of schema version 1, drawn behind the statements; None for a page without

    Raises
    ------
    RecordsUnreadable : a file cannot be drawn; one line naming it and the reason
    ValueError : two of the paths are one file
    OSError : a file cannot be read or written; the message names it
    """
    paths = (records_path, html_path, markdown_path, *([] if studies is None else [studies]))
    if len({path.resolve() for path in paths}) < len(paths):
        raise ValueError(f"write_reports: the paths must differ, got {', '.join(map(str, paths))}")
    document = read_records(records_path)
    measured = {"code_digest": "", "studies": []} if studies is None else read_studies(studies)
    try:
        view = _arrange(document) | _arrange_studies(measured, document)
    except UnsupportedMath as fault:
        raise RecordsUnreadable(f"{records_path}: {fault}") from fault
    html, markdown = _render_html(view), _render_markdown(view)
    _replace(html_path, html)
    _replace(markdown_path, markdown)


# ---------------------------------------------------------------------------------------------- arranging


def _arrange(document: dict[str, Any]) -> dict[str, Any]:
    """Everything the templates say, in reading order."""
    records = [_with_words(record) for record in document["records"]]
    twins = document.get("twins", [])
    statements = [_statement(statement, records, twins) for statement in document["statements"]]
    for index, record in enumerate(r for r in records if r["curve"]):
        record["figure"] = Markup(failure_curve(record, prefix=f"curve-{index}"))
    numbers = {statement["id"]: statement["number"] for statement in statements}
    sized = [r for r in records if r["twin"] is None and None not in sizes(r)]
    run = f"--profile {shlex.quote(document['profile'])} --seed {document['seed']}"
    if "trials" in document["budget"]:
        run += f" --budget {document['budget']['trials']}"
    names = " ".join(shlex.quote(statement["id"]) for statement in statements)
    return document | {
        "statements": statements,
        "papers": list(dict.fromkeys((s["source"], s["identifier"]) for s in statements)),
        "instances": sum(record["twin"] is None for record in records),
        "twin_count": sum(len(statement["twins"]) for statement in statements),
        "layers": list(dict.fromkeys(layer for twin in twins for layer in twin["killed_by"])),
        "matrix": [twin | {"number": numbers[twin["statement"]]} for twin in twins],
        "sized": sized,
        "sizes_figure": Markup(least_sizes(sized, prefix="sizes")) if sized else "",
        "again": document.get("command") or f"theorems verify {names} {run}",
        "outcome": words.OUTCOMES.get(document["summary"]["exit_code"], "The outcome has no name here."),
    }


def _with_words(record: dict[str, Any]) -> dict[str, Any]:
    """A record with its numbers written out."""
    asked, least = record["measured"].get("m asked"), record["measured"].get("least m")
    rest = {name: value for name, value in record["measured"].items() if name not in {"m asked", "least m"}}
    worst_first = sorted(record["comparisons"], key=_badness)
    return record | {
        "evidence_says": words.evidence(record),
        "asked": None if asked is None else words.number(asked),
        "least": None if least is None else words.number(least),
        "measured_rest": {name: words.number(value) for name, value in rest.items()},
        "slack_text": None if record["slack"] is None else f"× {record['slack']:.3g}",
        "shown": worst_first[:COMPARISONS_SHOWN],
        "not_shown": len(worst_first[COMPARISONS_SHOWN:]),
        "layers": record.get("layers", []),
        "columns": list(dict.fromkeys(name for row in worst_first[:COMPARISONS_SHOWN] for name in row)),
    }


def _badness(comparison: dict[str, str]) -> int:
    answer = comparison.get("answer", "")
    return _ANSWERS.index(answer) if answer in _ANSWERS else len(_ANSWERS)


def _statement(
    statement: dict[str, Any], records: Sequence[dict[str, Any]], twins: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """A statement with its formula, its records and its twins."""
    name = statement["id"]
    try:
        formula = pieces(statement["says"])
    except UnsupportedMath as fault:
        raise UnsupportedMath(f"statement {name}: {fault}") from fault
    mine = [record for record in records if record["statement"] == name]
    own = [record for record in mine if record["twin"] is None]
    return statement | {
        "formula": [Markup(piece) for piece in formula],
        "latex": Markup(for_markdown(statement["says"])),
        "guarantees": [(h["says"], *words.guarantee(h["guaranteed"])) for h in statement["hypotheses"]],
        "constant_says": words.CONSTANTS[statement["constant"]],
        "records": own,
        "sized": any(record["asked"] is not None for record in own),
        "excludes": any(record["excluded"] for record in own),
        "twins": _twins([r for r in mine if r["twin"] is not None], [t for t in twins if t["statement"] == name]),
    }


def _twins(records: Sequence[dict[str, Any]], entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line per broken twin; without an entry of its own, one that came out otherwise than declared survived."""
    rows = [entry | {"records": [r for r in records if r["twin"] == entry["twin"]]} for entry in entries]
    named = {entry["twin"] for entry in entries}
    for twin in dict.fromkeys(r["twin"] for r in records if r["twin"] not in named):
        own = [record for record in records if record["twin"] == twin]
        survived = not all(record["as_declared"] for record in own)
        rows.append({"twin": twin, "because": "", "killed_by": [], "survived": survived, "records": own})
    return rows


def _arrange_studies(measured: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The studies in reading order; `foreign` is their code digest where the verdicts have another."""
    shown = {statement["id"]: statement["number"] for statement in document["statements"]}
    other = bool(measured["studies"]) and measured["code_digest"] != document["code_digest"]
    return {
        "studies": [_study(study, index, shown) for index, study in enumerate(measured["studies"])],
        "foreign": measured["code_digest"] if other else "",
    }


def _study(study: dict[str, Any], index: int, shown: dict[str, str]) -> dict[str, Any]:
    """A study with its figures, its cells written out, and the statements of this page that it is about."""
    figures = [
        (study_figure(study, figure, prefix=f"study-{index}-{k}"), len(panels_of(study, figure)), figure["says"])
        for k, figure in enumerate(study["figures"])
    ]
    columns = list(zip(*study["rows"], strict=True)) or [()] * len(study["columns"])
    return study | {
        "about": [(name, shown.get(name)) for name in study["about"]],
        "drawn": [(Markup(drawing), panels, says) for drawing, panels, says in figures if drawing is not None],
        "textual": [any(isinstance(cell, str) for cell in column) for column in columns],
        "cells": [["" if cell is None else words.number(cell) for cell in row] for row in study["rows"]],
        "long": len(study["rows"]) > ROWS_SHOWN,
    }


# ----------------------------------------------------------------------------------------------- rendering


def _environment(**options: Any) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    environment.globals |= {"GLOSSARY": words.GLOSSARY, "SHAPES": words.SHAPES, "SURVIVED": words.SURVIVED}
    environment.filters["number"] = words.number
    return environment


def _render_html(view: dict[str, Any]) -> str:
    return _environment().get_template("page.html.jinja").render(view)


def _render_markdown(view: dict[str, Any]) -> str:
    environment = _environment(finalize=_escape_markdown)
    environment.filters["code"] = _code
    return _within_limit(environment.get_template("page.md.jinja").render(view))


def _escape_markdown(value: object) -> Markup:
    """Text that Markdown shows as it is, on one line; what a template has marked safe passes."""
    if isinstance(value, Markup):
        return value
    flat = " ".join(str(value).split())
    entities = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(re.sub(r"([\\`*_\[\]|$~#])", r"\\\1", entities))


def _code(value: object) -> Markup:
    """Text in code type; HTML, since a Markdown code span cannot hold every back-tick or bar."""
    return Markup("<code>{}</code>").format(_escape_markdown(value))


def _within_limit(text: str) -> str:
    """Cut after a whole line, and say so, where a job summary would refuse the whole."""
    content = text.encode("utf-8")
    if len(content) < MARKDOWN_LIMIT:
        return text
    says = "\n\n**Cut here: the HTML page holds the rest.**\n"
    kept = content[: content.rindex(b"\n", 0, MARKDOWN_LIMIT - len(says))]
    return kept.decode("utf-8") + says


# ------------------------------------------------------------------------------------------------- writing


def _replace(path: Path, text: str) -> None:
    """Write beside the target and rename: a reader sees the old file or the new one, never a part."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with beside.open("xb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as fault:
        raise OSError(fault.errno, f"cannot write the report ({fault.strerror})", str(path)) from fault
    finally:
        if os.path.lexists(beside):
            beside.unlink()
