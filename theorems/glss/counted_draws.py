"""What constructions share that draw how often each feature occurs: the box of counts, and the sampler as data."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

import numpy as np

from reference.preconditions import Float64
from theorems.glss.sampling_recipe import Event, Numbers, Recipe
from theorems.statement import CountsBox, Sampling

Row = tuple[int | None, Fraction, Fraction]
"""One direction of a diagonal world: which feature serves it, what one draw of that adds, and the entry of K."""


def counts_box(m: int, law: Numbers, rows: Iterable[Row], event: Event, eps: Fraction, lam: Fraction) -> CountsBox:
    """Read the event on a diagonal world as a box of counts, exactly.

    (1 - eps)(k + a) - b <= unit N_j <= (1 + eps)(k + a) - b   for every direction

    Parameters
    ----------
    m : draws
    law : (J,) Fractions
    rows : the directions; a feature may serve several, and a direction is served by one feature or by None
    event : gives eps, a and b
    """
    low, high = [0] * len(law), [m] * len(law)
    accuracy, a, b = event.eps(eps), event.kernel_ridge(lam), event.sample_ridge(lam)
    for j, unit, k in rows:
        least, most = (1 - accuracy) * (k + a) - b, (1 + accuracy) * (k + a) - b
        if j is not None:
            low[j], high[j] = max(low[j], ceil(least / unit)), min(high[j], floor(most / unit))
        elif not least <= 0 <= most:
            low[0], high[0] = 1, 0
    return CountsBox(m=m, law=tuple(law), low=tuple(low), high=tuple(high))


def sampling_of(recipe: Recipe, claimed: Float64, law: Float64) -> Sampling:
    """Give the sampler that the trials use, next to the law that the theorem asks for."""
    return Sampling(
        claimed=claimed,
        indices=lambda count, rng: recipe.drawing.indices(law, count, rng),
        counts=lambda count, rng: recipe.drawing.counts(law, count, rng, 1)[0],
    )


def as_floats(numbers: object) -> Float64:
    """Round exact numbers, each correctly."""
    return np.asarray(numbers, dtype=object).astype(np.float64)
