"""Optimisers on the coordinates of the worst instances: CMA-ES, differential evolution, dual annealing.

Each starts in the coordinates of one instance. A proposal that its class or a hypothesis refuses is worth nothing, and
among those nothing pulls anywhere; so do ties, which the stress of an instance breaks where it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from theorems.checking.keys import digest
from theorems.checking.search.coordinates import Chart, chart
from theorems.checking.search.families import attempt, renamed
from theorems.checking.search.portfolio import Enough, Search
from theorems.statement import Instance

MOST_COORDINATES = 60
STARTS = 3
STEP = 0.3  # of the coordinates: logarithms, and entries of about 1
REACH = 3.0  # half the width of the box that global optimisers search
MOST_PROPOSALS = 400  # around one start: what is refused at the door takes no look, and must end too
LONG = 10**6  # generations: the looks run out before


def cma_es(search: Search, own: Sequence[Instance]) -> None:
    """Evolve around the worst instances, an equal part of the looks each."""
    import cma

    for start, seed in _starts(search, own):
        centre = np.array(start.at)
        if len(centre) < 2:
            centre = np.append(centre, 0.0)  # the strategy needs two coordinates; the second changes nothing
        draw = np.random.default_rng(seed).standard_normal
        # without these two words it would draw from, and seed, the global generator
        own_draws = {"seed": np.nan, "randn": lambda *shape, draw=draw: draw(shape)}
        options = {**own_draws, "verbose": -9, "maxiter": LONG}
        evolution = cma.CMAEvolutionStrategy(centre, STEP, options)
        look, before = _value(search, start, "CMA-ES"), len(search.sights)
        part = max(1, (search.limit - before) // STARTS)
        while not evolution.stop() and len(search.sights) < before + part:
            asked = evolution.ask()
            evolution.tell(asked, [look(c[: len(start.at)]) for c in asked])


def differential(search: Search, own: Sequence[Instance]) -> None:
    """Search a box around the worst instances by differential evolution."""
    from scipy.optimize import differential_evolution

    for start, seed in _starts(search, own):
        box = [(v - REACH, v + REACH) for v in start.at]
        look = _value(search, start, "differential evolution")
        differential_evolution(look, box, rng=np.random.default_rng(seed), maxiter=4, popsize=3, polish=False)


def annealed(search: Search, own: Sequence[Instance]) -> None:
    """Search a box around the worst instances by simulated annealing."""
    from scipy.optimize import dual_annealing

    for start, seed in _starts(search, own):
        box = [(v - REACH, v + REACH) for v in start.at]
        look = _value(search, start, "dual annealing")
        dual_annealing(look, box, rng=np.random.default_rng(seed), maxiter=LONG, no_local_search=True)


def _starts(search: Search, own: Sequence[Instance]) -> list[tuple[Chart, int]]:
    """Coordinates of the worst instances, and a seed for each that depends on the search's and nothing else."""
    found: list[tuple[Chart, int]] = []
    for x in (s.instance for s in search.best) if search.sights else own:
        at = chart(x)
        if 0 < len(at.at) <= MOST_COORDINATES and np.isfinite(at.at).all():
            found.append((at, int(digest((search.objective.seed, len(found)))[:16], 16)))
        if len(found) == STARTS:
            break
    return found


def _value(search: Search, start: Chart, by: str) -> Callable[[Any], float]:
    proposals = 0

    def value(c: Any) -> float:
        nonlocal proposals
        proposals += 1
        if proposals > MOST_PROPOSALS:
            raise Enough
        x = attempt(lambda: renamed(start.back([float(v) for v in c])))
        if x is None:
            return 0.0
        seen = search.look(x, by)
        return -seen.ratio - 1e-6 * min(seen.order[1], 1e6)

    return value
