"""Hypothesis as a searcher: examples of the statement's own strategy, steered by `target` towards larger ratios.

Derandomised by the search's seed, without a database and without shrinking, which would shrink to the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from theorems.checking.search.portfolio import Search
from theorems.statement import Instance

MOST_EXAMPLES = 4  # examples tried for one look: many are duplicates


def hypothesis_targets(search: Search, own: Sequence[Instance]) -> None:
    """Draw from the strategy, and let Hypothesis climb."""
    if search.objective.statement.strategy is None or not own:
        return
    from hypothesis import HealthCheck, Phase, given, seed, settings, target

    @seed(search.objective.seed)
    @settings(
        database=None,
        deadline=None,
        max_examples=max(1, MOST_EXAMPLES * (search.limit - len(search.sights))),
        phases=(Phase.generate, Phase.target),
        suppress_health_check=list(HealthCheck),
    )
    @given(search.objective.statement.strategy())
    def climb(x: Instance) -> None:
        seen = search.look(x, "Hypothesis")
        target(min(seen.ratio, 1e9) if seen.ratio < 1 else 1 + log(seen.ratio))

    climb()
