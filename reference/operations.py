"""A counter that is handed to whatever is to be counted.

An operation is a multiplication, division or square root with at most one addition, or an addition where nothing is
multiplied. Entries 0 and 1 of activation patterns and signs count like any other factor, so that the number depends on
sizes and on the iterations made, never on values. Steps that LAPACK carries out are counted by their textbook formula.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Operations:
    """How many operations were carried out, by kind of work.

    Parameters
    ----------
    by_work : kind of work to number, filled by `add`; empty at first
    """

    by_work: dict[str, int] = field(default_factory=dict)

    def add(self, work: str, number: int) -> None:
        """Count `number` more operations of one kind."""
        self.by_work[work] = self.by_work.get(work, 0) + number

    def total(self) -> int:
        """Give the number of operations of all kinds so far."""
        return sum(self.by_work.values())
