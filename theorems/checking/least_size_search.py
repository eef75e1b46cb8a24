"""How many draws are needed? A search over sizes, with an error rate of its own.

A size *works* when P[fail] < delta and *fails* when P[fail] > delta, each decided by the Bernoulli e-processes on keyed
trials that serve nothing else. Sizes are bisected on the grid most, most 2^-1/4, most 2^-1/2, ..., 1.

The j-th size that is tried, j = 1, 2, ..., may err with probability level * 6/(pi j)^2, whatever was seen before, and
each of its two answers can be false under one truth only. So with probability at least 1 - level everything that the
search says is true. It says: works at the one size, fails at the other. That failure falls as the size grows is no
theorem (it is sawtooth where features are few): larger sizes may fail again, and smaller ones work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import isqrt, nan
from typing import Any

import numpy as np

from theorems.checking.bernoulli import inside, refuting_mixture, supporting_mixture
from theorems.checking.budget import share
from theorems.checking.court import Sitting
from theorems.checking.events import Event, answers, bounded
from theorems.checking.keys import digest
from theorems.checking.store import Store
from theorems.checking.trials import collect
from theorems.statement import Batch, BoundBatch, HighProbability, Trials

LEVEL = Fraction(1, 1000)  # of one search; it measures, and spends nothing of the court's budget
TRIALS = 1024  # most of one size; rounded up to whole batches


class Outcome(StrEnum):
    """What the trials of one size say."""

    WORKS = "works"  # P[fail] >= delta excluded
    FAILS = "fails"  # P[fail] <= delta excluded
    OPEN = "open"  # neither, within the budget


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One size that was tried, with its trials; UNSURE ones count against both answers."""

    size: int
    outcome: Outcome
    seen: Trials


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """What a search found: with probability at least 1 - level the claim fails at the one size and works at the other.

    Parameters
    ----------
    fails_at : greatest size below `works_at` that was found to fail; 0 for none, as no features are no approximation
    works_at : least size that was found to work; None when not even the largest one was
    probes : in the order in which they were made
    """

    fails_at: int
    works_at: int | None
    level: Fraction
    probes: tuple[Probe, ...]

    @property
    def trials(self) -> int:
        """Trials of all probes."""
        return sum(p.seen.trials for p in self.probes)


class Answered(Event):
    """A construction as an experiment that answers and measures nothing else: a search wants no stress."""

    def run(self, rng: np.random.Generator, trials: int) -> Batch:
        """Draw `trials` independent trials from `rng` and decide each."""
        drawn = self.construction.draw(rng, trials)
        found = bounded(drawn).answers if isinstance(drawn, BoundBatch) else answers(drawn)
        return Batch(answers=found, stress=nan)


def bracket_least_size(
    name: str,
    conclusion: HighProbability,
    instance: Any,
    *,
    sitting: Sitting,
    store: Store,
    most: int | None = None,
    trials: int = TRIALS,
    level: Fraction = LEVEL,
) -> Bracket:
    """Enclose how many draws a conclusion needs on an instance.

    Parameters
    ----------
    name : who asks, part of every key
    conclusion, instance : P[fail] <= delta is looked at; the construction is asked for at any size up to `most`
    most : largest size tried, >= 1; None for the size that the conclusion asks for
    trials : budget of one size, > 0
    level : error rate of the search, in (0, 1)

    Raises
    ------
    ValueError : an argument out of range
    """
    if trials < 1:
        raise ValueError(f"bracket_least_size: trials must be at least 1, got trials = {trials}")
    inside("bracket_least_size", "level", level)
    delta, instance_digest = conclusion.delta(instance), digest(instance)
    probes: list[Probe] = []

    def probe(size: int) -> Outcome:
        alpha = level * share(len(probes) + 1)
        seen, _, _ = collect(
            Answered(construction=conclusion.construction(instance, size)),
            statement=name,
            instance_digest=instance_digest,
            stream=f"search at {size}",
            seed=sitting.seed,
            code=sitting.code,
            store=store,
            decide=lambda seen: decided(seen, delta, alpha) is not Outcome.OPEN,
            budget=trials,
        )
        probes.append(Probe(size=size, outcome=decided(seen, delta, alpha), seen=seen))
        return probes[-1].outcome

    fails_at, works_at = bisect(probe, geometric_sizes(conclusion.size(instance) if most is None else most))
    return Bracket(fails_at=fails_at, works_at=works_at, level=level, probes=tuple(probes))


def decided(seen: Trials, delta: Fraction, alpha: Fraction) -> Outcome:
    """Tell what trials say about P[fail] against delta, either answer at the error rate alpha."""
    n, failed, counted = (np.array([k]) for k in (seen.trials, seen.failures, seen.failures + seen.unsure))
    if refuting_mixture(delta).reaches(failed, n, alpha)[0]:
        return Outcome.FAILS
    if supporting_mixture(delta).reaches(counted, n, alpha)[0]:
        return Outcome.WORKS
    return Outcome.OPEN


def geometric_sizes(most: int) -> list[int]:
    """Give the integers floor(most 2^(-k/4)) >= 1, k = 0, 1, ..., in rising order, each once.

    Raises
    ------
    ValueError : most < 1
    """
    if most < 1:
        raise ValueError(f"geometric_sizes: most must be at least 1, got most = {most}")
    fourth = most**4
    return sorted({isqrt(isqrt(fourth >> k)) for k in range(fourth.bit_length())})


def bisect(probe: Callable[[int], Outcome], sizes: Sequence[int]) -> tuple[int, int | None]:
    """Look for neighbours of which one fails and one works, closing in from both sides on what stays open.

    Parameters
    ----------
    probe : size -> outcome, asked at most once for each size
    sizes : in rising order

    Returns
    -------
    fails_at, works_at : see `Bracket`; every size between them that was tried stayed open, and where none lies
        between them on the grid the search is as sharp as it gets
    """
    known: dict[int, Outcome] = {}

    def outcome(i: int) -> Outcome:
        if i not in known:
            known[i] = probe(sizes[i])
        return known[i]

    def close(below: int, above: int, is_above: Callable[[Outcome], bool]) -> int:
        while above - below > 1:
            middle = (below + above) // 2
            below, above = (below, middle) if is_above(outcome(middle)) else (middle, above)
        return above

    works = close(-1, len(sizes), lambda found: found is Outcome.WORKS)
    failed = [i for i, found in known.items() if i < works and found is Outcome.FAILS]
    fails = close(max(failed, default=-1), works, lambda found: found is not Outcome.FAILS) - 1
    # closing in on the failures may have met a smaller size that works
    works = min((i for i, found in known.items() if i > fails and found is Outcome.WORKS), default=len(sizes))
    return sizes[fails] if fails >= 0 else 0, sizes[works] if works < len(sizes) else None
