"""Hypothesis strategies for exact Fourier worlds; only modules of this name import `hypothesis`.

One point, duplicates, points that a frequency cannot tell apart, a single frequency, rare ones, lambda down to 1e-12.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from theorems.akm17.fourier_worlds import (
    FIVE_TWELVE_THIRTEEN,
    HALF,
    QUARTER,
    STILL,
    THREE_FOUR_FIVE,
    THREE_QUARTERS,
    fourier_world,
)
from theorems.glss.sampling_instances import FiniteWorld

_TURNS = (STILL, QUARTER, HALF, THREE_QUARTERS, THREE_FOUR_FIVE, FIVE_TWELVE_THIRTEEN)
_RIDGES = st.sampled_from([Fraction(1, 10**12), Fraction(1, 1000), Fraction(1, 10), Fraction(1, 2), Fraction(1)])


@st.composite
def fourier_worlds(draw: st.DrawFn) -> FiniteWorld:
    """Draw a world; lambda <= 1 = k(0) <= ||K||."""
    turns = draw(st.lists(st.sampled_from(_TURNS), min_size=1, max_size=4, unique=True))
    masses = draw(st.lists(st.sampled_from([1, 2, 100]), min_size=len(turns), max_size=len(turns)))
    return fourier_world(
        "drawn",
        "drawn",
        [Fraction(a, sum(masses)) for a in masses],
        turns,
        draw(st.lists(st.integers(-3, 4), min_size=1, max_size=4)),
        draw(_RIDGES),
        draw(st.sampled_from([Fraction(1, 10), Fraction(1, 2)])),
    )
