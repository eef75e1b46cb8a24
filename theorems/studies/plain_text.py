"""A study for the terminal: its words and an aligned table."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from theorems.studies.study import Cell

WIDTH = 100  # of the words; a table is as wide as it must be


def lines(entry: dict[str, Any]) -> Iterator[str]:
    """Write a study of a studies document: title, words, table, and what each column says.

    Parameters
    ----------
    entry : with `id`, `title`, `says`, `columns`, `rows`, `command`
    """
    yield f"{entry['title']}   [{entry['id']}]"
    yield from (f"  {line}" for line in wrap(entry["says"], WIDTH))
    yield ""
    names = [column["name"] for column in entry["columns"]]
    columns = [[written(cell) for cell in column] for column in zip(*entry["rows"], strict=True)]
    textual = [any(isinstance(cell, str) for cell in column) for column in zip(*entry["rows"], strict=True)]
    widths = [max(len(cell) for cell in (name, *column)) for name, column in zip(names, columns, strict=True)]
    for row in (names, *zip(*columns, strict=True)):
        cells = zip(row, widths, textual, strict=True)
        yield ("  " + "  ".join(f"{c:<{w}}" if text else f"{c:>{w}}" for c, w, text in cells)).rstrip()
    yield ""
    indent = max(map(len, names)) + 2
    for column in entry["columns"]:
        first, *rest = wrap(column["says"], WIDTH - indent) or [""]
        yield f"  {column['name']:<{indent}}{first}".rstrip()
        yield from (f"  {'':<{indent}}{line}" for line in rest)
    yield f"  {len(entry['rows'])} rows; again: {entry['command']}"
    yield ""


def written(cell: Cell) -> str:
    """A cell as a reader wants it: whole numbers in full with commas, others to four digits, nothing where empty."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.4g}"
