"""Hypothesis strategies for the instances of BPSW. Only such modules import `hypothesis`.

Directions of the square lattice, opposite points and multiples included; weights p + 1/4 and q + 1/8, so that no neuron
lies on a kink; sketches from barely enough rows to many.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from theorems.bpsw.bpsw_instances import (
    DEFINITE,
    ExactNetwork,
    SketchedSystem,
    SketchName,
    exact_network,
    random_system,
)
from theorems.bpsw.sketch_of_kronecker_rows import SmallSketch
from theorems.statement import Hypothesis, Instance

_DIRECTIONS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
_POINTS = st.builds(
    lambda direction, scale: [scale * t for t in direction],
    st.sampled_from(_DIRECTIONS),
    st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3)]),
)


def _holds(hypothesis: Hypothesis, x: Instance) -> bool:
    return hypothesis.holds is not None and hypothesis.holds(x) is None


@st.composite
def exact_networks(draw: st.DrawFn) -> ExactNetwork:
    """Draw up to four points of the plane and up to nine neurons."""
    X = draw(st.lists(_POINTS, min_size=1, max_size=4))
    m = draw(st.sampled_from([1, 4, 9]))
    W = [[draw(st.integers(-3, 3)) + Fraction(1, 4), draw(st.integers(-3, 3)) + Fraction(1, 8)] for _ in range(m)]
    return exact_network(
        "drawn",
        "drawn",
        X=X,
        W=W,
        a=draw(st.lists(st.sampled_from([-1, 1]), min_size=m, max_size=m)),
        r=draw(st.lists(st.fractions(-2, 2, max_denominator=5), min_size=len(X), max_size=len(X))),
    )


def definite_networks() -> st.SearchStrategy[ExactNetwork]:
    """Draw networks with independent gradients."""
    return exact_networks().filter(lambda x: _holds(DEFINITE, x))


def sketched_systems() -> st.SearchStrategy[SketchedSystem]:
    """Draw systems of two to six points with distortions up to 9/10, and conditions up to 10^6.

    Closer to 1 Richardson's iteration takes tens of thousands of steps; beyond the condition floats know the distortion
    too badly for a bound on it.
    """
    sizes = st.sampled_from([(16, 16), (64, 16), (64, 64), (256, 64)])  # an SRHT has at most padded(m d) rows
    kinds: tuple[SketchName, ...] = ("SRHT", "TensorSRHT", "CountSketch")
    return st.builds(
        lambda n, d, size, kind, key: random_system(n, d, size[0], kind, size[1], key),
        st.integers(2, 6),
        st.integers(2, 5),
        sizes,
        st.sampled_from(kinds),
        st.integers(2, 2**31),
    ).filter(lambda x: np.linalg.cond(np.array(x.G, dtype=np.float64)) <= 1e6 and x.distortion <= Fraction(9, 10))


@st.composite
def small_sketches(draw: st.DrawFn) -> SmallSketch:
    """Draw vectors of up to four by three eighths, zero included, and one or four rows."""
    m, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    entry = st.integers(-64, 64).map(lambda k: Fraction(k, 8))
    return SmallSketch(
        name="drawn",
        says="drawn",
        v=tuple(tuple(draw(entry) for _ in range(d)) for _ in range(m)),
        s=draw(st.sampled_from([1, 4])),
        points=draw(st.integers(1, 5)),
    )
