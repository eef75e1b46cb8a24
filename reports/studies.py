"""Reading a studies file: tables that fit their columns, and figures that draw numbers that are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports.shapes import (
    Fault,
    Shape,
    among,
    every,
    fields,
    one,
    or_null,
    read,
    require_version,
    text,
    whole,
)

SCHEMA_VERSION = 1


def read_studies(path: Path) -> dict[str, Any]:
    """The checked content of a studies file.

    Parameters
    ----------
    path : a JSON document of schema version 1

    Returns
    -------
    document : as parsed; every number finite, every row as long as the columns, and what is drawn a number or null

    Raises
    ------
    RecordsUnreadable : not JSON, a NaN, another version, a fact missing or of another form; names the file
    OSError : the file cannot be read
    """
    return read(path, _check)


def _check(document: Any) -> None:
    require_version(document, SCHEMA_VERSION)
    _DOCUMENT(document, "")
    ids = [study["id"] for study in document["studies"]]
    if len(set(ids)) < len(ids):
        raise Fault(f"studies must have different ids, got {', '.join(ids)}")
    for study in document["studies"]:
        _check_table(study, f"study {study['id']}")


def _check_table(study: dict[str, Any], where: str) -> None:
    names = [column["name"] for column in study["columns"]]
    if len(set(names)) < len(names):
        raise Fault(f"{where}: columns must have different names, got {', '.join(names)}")
    for index, row in enumerate(study["rows"]):
        if len(row) != len(names):
            raise Fault(f"{where}: rows[{index}] must have {len(names)} cells, got {len(row)}")
    for index, figure in enumerate(study["figures"]):
        others = [*figure["by"], *filter(None, [figure["panels"]]), *(name for name, _ in figure["where"])]
        for name in (figure["x"], *figure["y"], *others):
            if name not in names:
                raise Fault(f"{where}: figures[{index}] must draw a column of the table, got {name!r}")
        for row in drawn(study, figure):
            for name in (figure["x"], *figure["y"]):
                if isinstance(row[name], str):
                    raise Fault(f"{where}: figures[{index}] must draw numbers, got {row[name]!r} in {name!r}")


def drawn(study: dict[str, Any], figure: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a study that a figure draws, as {column: cell}."""
    names = [column["name"] for column in study["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in study["rows"]]
    return [row for row in rows if all(row[name] == value for name, value in figure["where"])]


_LARGEST = 1e200  # of what is drawn: an axis spans the difference of two, and squares it


def _drawable(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST


_CELL = one(
    "text, a number up to 1e200 in size or null",
    lambda value: value is None or isinstance(value, str) or _drawable(value),
)
_LEVEL = one("a number up to 1e200 in size", _drawable)


def _pair(first: Shape, second: Shape) -> Shape:
    def check(value: Any, where: str) -> None:
        every(_ANYTHING, length=2)(value, where)
        first(value[0], f"{where}[0]")
        second(value[1], f"{where}[1]")

    return check


_ANYTHING = one("anything", lambda _: True)
_SCALE = among("linear", "log")
_FIGURE = fields(
    {
        "x": text,
        "y": every(text),
        "by": every(text),
        "panels": text,
        "x_scale": _SCALE,
        "y_scale": _SCALE,
        "level": or_null(_pair(_LEVEL, text)),
        "where": every(_pair(text, _CELL)),
        "says": text,
    }
)
_STUDY = fields(
    dict.fromkeys(("id", "title", "says", "profile", "command"), text)
    | {
        "about": every(text),
        "seed": whole,
        "columns": every(fields({"name": text, "says": text})),
        "rows": every(every(_CELL)),
        "figures": every(_FIGURE),
    }
)
_DOCUMENT = fields({"code_digest": text, "studies": every(_STUDY)})
