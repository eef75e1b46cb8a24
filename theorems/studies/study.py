"""What a study is: a table over a grid, the figure that shows it, and the words that explain both.

A study measures: how much more a theorem asks than is needed, how fast an error falls, what a method costs. It
gives no verdict, so it spends no error budget; where its numbers are estimates, its columns say how sure they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from theorems.checking.court import Sitting
from theorems.checking.store import Store

Cell: TypeAlias = str | int | float | None
"""None is an empty cell; nan and infinities are not allowed."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : as in the head of the table
    says : what the number is, in words, with its unit and how sure it is
    """

    name: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """How a table is drawn: one line for each value of `by`.

    Parameters
    ----------
    x, y : names of numeric columns; several y are several lines
    by : names of the columns whose values tell lines apart
    panels : name of the column whose values tell panels apart; '' for one panel
    x_scale, y_scale : of the axes
    level : a horizontal line, with its words; None for none
    where : columns with the value that a row must have to be drawn; all rows when left out
    says : the caption, what to see in it

    A row with an empty cell at `x` is not drawn, and one with an empty cell at a `y` not on that line.
    """

    x: str
    y: tuple[str, ...]
    by: tuple[str, ...] = ()
    panels: str = ""
    x_scale: Literal["linear", "log"] = "linear"
    y_scale: Literal["linear", "log"] = "linear"
    level: tuple[float, str] | None = None
    where: tuple[tuple[str, Cell], ...] = ()
    says: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that the figure reads."""
        return (self.x, *self.y, *self.by, *filter(None, [self.panels]), *(name for name, _ in self.where))


@dataclass(frozen=True, kw_only=True)
class Study:
    """A table over a grid, as a function of nothing but the profile and the seed.

    Parameters
    ----------
    id : lower case letters, digits, '.', '_' and '-'
    title : of the table
    about : ids of the statements it belongs to
    says : what to read off it, two or three sentences
    columns : of the table
    rows : (profile, sitting, store) -> its rows, one cell per column; a longer profile has more rows, and one in
        which the study takes no part has none
    figures : how it is drawn

    Raises
    ------
    ValueError : an id of other characters, two columns of one name, or a figure of a column that is not there
    """

    id: str
    title: str
    about: tuple[str, ...]
    says: str
    columns: tuple[Column, ...]
    rows: Callable[[str, Sitting, Store], Iterable[Sequence[Cell]]]
    figures: tuple[Figure, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9._-]+", self.id):
            raise ValueError(f"Study: id must be lower case letters, digits, '.', '_' and '-', got id = {self.id!r}")
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError(f"Study {self.id}: columns must have different names, got {', '.join(names)}")
        unknown = [name for figure in self.figures for name in figure.names if name not in names]
        if unknown:
            raise ValueError(f"Study {self.id}: figures must draw its columns, got {unknown[0]!r}")
