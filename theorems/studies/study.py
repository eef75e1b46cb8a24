"""What a study is: a table over a grid, the figure that shows it, and the words that explain both.

A study measures: how much more a theorem asks than is needed, how fast an error falls, what a method costs. It
gives no verdict, so it spends no error budget; where its numbers are estimates, its columns say how sure they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """

    x: str
    y: tuple[str, ...]
    by: tuple[str, ...] = ()
    panels: str = ""
    x_scale: Literal["linear", "log"] = "linear"
    y_scale: Literal["linear", "log"] = "linear"
    level: tuple[float, str] | None = None


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
    rows : (profile, sitting, store) -> its rows, one cell per column; a longer profile has more rows
    figures : how it is drawn
    """

    id: str
    title: str
    about: tuple[str, ...]
    says: str
    columns: tuple[Column, ...]
    rows: Callable[[str, Sitting, Store], Sequence[Sequence[Cell]]]
    figures: tuple[Figure, ...] = ()
