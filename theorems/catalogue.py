"""Every statement, in the order of its registration; adding one is one file and one line here.

Append only: a statement's position pays for its share of the error budget (`theorems.checking.budget`).
"""

from __future__ import annotations

from theorems.glss import theorem_3_3_kernel_approximation
from theorems.statement import Statement

CATALOGUE: tuple[Statement, ...] = (theorem_3_3_kernel_approximation.STATEMENT,)


class UnknownStatement(LookupError):
    """No statement, or more than one, answers to this name: the message lists the candidates."""


def find(name: str) -> Statement:
    """Give the statement called `name`: its id, or its number as printed while that is unique.

    Raises
    ------
    UnknownStatement : with the candidates
    """
    matches = [s for s in CATALOGUE if s.id == name] or [s for s in CATALOGUE if s.number == name]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(f"{s.id} ({s.number})" for s in matches or CATALOGUE)
    trouble = "is not unique; candidates" if matches else "is unknown; the catalogue has"
    raise UnknownStatement(f"statement {name!r} {trouble}: {known}")


def position(statement: Statement) -> int:
    """Give the statement's place in the catalogue, from 1."""
    return CATALOGUE.index(statement) + 1
