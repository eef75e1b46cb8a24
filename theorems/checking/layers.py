"""The power layers: what is looked at besides the event, so that no mistake hides behind its slack.

Each layer looks at one facet of a construction and gives evidence, or None where the construction has no such
facet. Together with the event they kill every broken sampler of the catalogue; none of them alone does.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np

from theorems.checking.claims import decide
from theorems.checking.facets import drawn_counts, drawn_indices
from theorems.checking.independence import independence_log_wealth
from theorems.checking.sampler_law import law_log_wealth
from theorems.statement import Answer, Comparison, Comparisons, Construction, Evidence, Layer, Wealth

LAW_DRAWS = 4096
INDEPENDENCE_DRAWS = 256


def look(layer: Layer, construction: Construction, rng: np.random.Generator) -> Evidence | None:
    """Give the evidence that one layer finds on a construction, or None where it has nothing to look at.

    Raises
    ------
    TypeError, ValueError : a sampler or a mean that is malformed, and whatever they raise
    """
    return _LAYERS[layer](construction, rng)


def _size(construction: Construction, _: np.random.Generator) -> Evidence | None:
    """Compare the size with the statement's own bound, recomputed at high precision."""
    needed = construction.size_needed
    if needed is None:
        return None
    lower, upper = needed
    answer = Answer.UNSURE
    if construction.size >= upper:
        answer = Answer.IN
    elif construction.size < lower:
        answer = Answer.OUT
    return Comparisons(
        all=(
            Comparison(
                says="m is at least the size asked for",
                answer=answer,
                seen=str(construction.size),
                allowed=f"at least {ceil(upper)}",
                certificate="ball arithmetic, 512 bits",
            ),
        )
    )


def _mean(construction: Construction, rng: np.random.Generator) -> Evidence | None:
    """Decide whether the construction has the mean that the statement says."""
    return None if construction.mean is None else Comparisons(all=(decide(construction.mean(rng)),))


def _law(construction: Construction, rng: np.random.Generator) -> Evidence | None:
    """Bet against the claimed law, half on draws in order and half on the counts that the trials use.

    The average of two e-values is an e-value.
    """
    sampling = construction.sampling
    if sampling is None:
        return None
    claimed = sampling.claimed.tolist()
    in_order = np.bincount(drawn_indices(sampling, LAW_DRAWS, rng), minlength=len(claimed))
    one, other = (law_log_wealth(counts, claimed) for counts in (in_order, drawn_counts(sampling, LAW_DRAWS, rng)))
    with np.errstate(invalid="ignore"):  # a nan stays a nan, which the judge refuses
        log_e = float(np.logaddexp(one, other) - np.log(2))
    return Wealth(log_e=log_e, draws=2 * LAW_DRAWS, says="draws against the claimed law")


def _independence(construction: Construction, rng: np.random.Generator) -> Evidence | None:
    """Bet on repetitions among consecutive draws of the sampler."""
    sampling = construction.sampling
    if sampling is None:
        return None
    draws = drawn_indices(sampling, INDEPENDENCE_DRAWS, rng)
    return Wealth(
        log_e=independence_log_wealth(draws, sampling.claimed.tolist()),
        draws=INDEPENDENCE_DRAWS,
        says="repetitions against independence",
    )


_LAYERS: dict[Layer, Callable[[Construction, np.random.Generator], Evidence | None]] = {
    Layer.SIZE: _size,
    Layer.MEAN: _mean,
    Layer.LAW: _law,
    Layer.INDEPENDENCE: _independence,
}
