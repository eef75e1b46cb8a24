"""The search: strategies propose one after the other, each given what was seen before; a budget of looks is shared.

    structured families  ->  Hypothesis over the statement's strategy  ->  CMA-ES  ->  scipy's global optimisers

Every look is cached by the digest of its instance; looking twice at one instance costs nothing. No clock and no global
random state has a say: the same seed and budget give the same looks in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Protocol

import numpy as np

from theorems.checking.keys import digest
from theorems.checking.search.families import neighbours, weight
from theorems.checking.search.objective import Objective, Seen
from theorems.statement import Instance

LIGHT = 150  # numbers in an instance: heavier ones are looked at when all else is done
HEAVIEST = 20_000  # one look at a heavier one costs as much as a search
BASES = 6  # instances whose neighbourhood is looked through


class Enough(BaseException):
    """The budget, or the share of one strategy, is spent.

    Not an Exception: what calls a strategy's callback must not take it for an answer.
    """


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One instance that was looked at.

    Parameters
    ----------
    by : the strategy that proposed it, with the family where there is one
    nth : how many looks it took
    """

    instance: Instance
    digest: str
    seen: Seen
    by: str
    nth: int


@dataclass(kw_only=True)
class Search:
    """What was seen so far; grows by one look at a time, which is why this class, alone here, is not frozen.

    Parameters
    ----------
    objective : what is made large
    budget : looks
    excluded : digests of instances that must not be looked at
    known : looks of an earlier run by digest, and what is called with each new one
    found : is shown every sight that looks violated; True ends the search
    """

    objective: Objective
    budget: int
    excluded: frozenset[str] = frozenset()
    known: dict[str, Seen] = field(default_factory=dict)
    keep: Callable[[str, Seen], None] = lambda _digest, _seen: None
    found: Callable[[Sight], bool] = lambda _: False
    sights: dict[str, Sight] = field(default_factory=dict)
    limit: int = 0

    def look(self, x: Instance, by: str) -> Seen:
        """Look at an instance, once.

        Raises
        ------
        Enough : no look is left
        """
        name = digest(x)
        if name in self.excluded:
            return Seen(ratio=0.0, exact=True, by="excluded")
        if name in self.sights:
            return self.sights[name].seen
        if weight(x) > HEAVIEST:
            return Seen(ratio=0.0, exact=True, by="too heavy")
        if len(self.sights) >= min(self.limit, self.budget):
            raise Enough
        seen = self.known.get(name)
        if seen is None:
            seen = self.objective(x)
            self.keep(name, seen)
        self.sights[name] = Sight(instance=x, digest=name, seen=seen, by=by, nth=len(self.sights) + 1)
        if seen.ratio > 1 and self.found(self.sights[name]):
            self.budget = len(self.sights)
            raise Enough
        return seen

    @property
    def best(self) -> list[Sight]:
        """All sights, the worst instance first; of equal ones the lighter, then the earlier."""
        return sorted(self.sights.values(), key=lambda s: (*(-v for v in s.seen.order), weight(s.instance), s.nth))


class Strategy(Protocol):
    """Proposes instances by looking at them; may read what was seen before."""

    def __call__(self, search: Search, own: Sequence[Instance]) -> None:
        """Look until nothing is left to propose or `Enough` is raised."""


def run(search: Search, own: Sequence[Instance], portfolio: Iterable[tuple[Strategy, Fraction]]) -> Search:
    """Let every strategy have its part of the looks that are left, in order.

    Parameters
    ----------
    own : the instances that the statement brings along
    portfolio : strategies, each with the part of what is left that it may spend
    """
    usable = sorted((x for x in own if weight(x) <= HEAVIEST), key=weight)
    for strategy, part in portfolio:
        left = search.budget - len(search.sights)
        if left <= 0:
            break
        search.limit = len(search.sights) + -(-left * part.numerator // part.denominator)
        try:
            strategy(search, usable)
        except Enough:
            continue
    return search


def listed(search: Search, own: Sequence[Instance]) -> None:
    """The statement's own light instances of all profiles, the lightest first.

    Those without floats come first where there are any: theirs are the exact worlds, and nothing is sampled there.
    """
    light = [x for x in own if weight(x) <= LIGHT]
    for x in [x for x in light if not _has_floats(x)] or light:
        search.look(x, "listed")


def listed_heavy(search: Search, own: Sequence[Instance]) -> None:
    """All of the statement's own instances."""
    for x in own:
        search.look(x, "listed")


def _has_floats(x: Instance) -> bool:
    return any(isinstance(getattr(x, f.name), np.ndarray) for f in fields(x))


def structured(search: Search, own: Sequence[Instance]) -> None:
    """Neighbours of the worst instances, one of each in turn."""
    admits = search.objective.admits
    around = [s.instance for s in search.best if s.seen.ratio > 0 or admits(s.instance)] or list(own)
    walks = [neighbours(x, own, admits) for x in _different(around)]
    while walks:
        for walk in list(walks):
            made = next(walk, None)
            if made is None:
                walks.remove(walk)
            else:
                search.look(made[1], f"structured: {made[0]}")


def _different(instances: Sequence[Instance]) -> list[Instance]:
    """The first few, but at least one of every class."""
    chosen = list(instances[:BASES])
    for x in instances:
        if type(x) not in {type(y) for y in chosen}:
            chosen.append(x)
    return chosen
