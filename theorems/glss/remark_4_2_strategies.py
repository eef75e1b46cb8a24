"""Hypothesis strategies for deep networks in exact numbers. Only such modules import `hypothesis`."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from theorems.glss.remark_4_2_networks import DeepMoment, evaluate
from theorems.glss.ridge_instances import matrix, vector

_WEIGHTS = st.integers(-4, 4).map(lambda k: k + Fraction(1, 3))
_COORDINATES = st.fractions(min_value=-2, max_value=2, max_denominator=3)


def deep_moments() -> st.SearchStrategy[DeepMoment]:
    """Draw networks without a neuron on a kink, dead last layers included."""
    return _networks().filter(lambda x: evaluate(x, x.weights).margin != 0)


@st.composite
def _networks(draw: st.DrawFn) -> DeepMoment:
    """Draw up to four layers of width 2 or 8, any of them trained."""
    sizes = [2, *draw(st.lists(st.sampled_from([2, 8]), max_size=3)), 1]
    L = len(sizes) - 1
    layers = [
        draw(
            st.lists(
                st.lists(_WEIGHTS, min_size=sizes[k], max_size=sizes[k]), min_size=sizes[k + 1], max_size=sizes[k + 1]
            )
        )
        for k in range(L)
    ]
    X = draw(st.lists(st.tuples(_COORDINATES, _COORDINATES), min_size=1, max_size=3))
    return DeepMoment(
        name="drawn",
        says="drawn",
        X=matrix(X),
        Y=vector(draw(st.lists(_COORDINATES, min_size=len(X), max_size=len(X)))),
        layers=tuple(matrix(W) for W in layers),
        trained=tuple(sorted(draw(st.sets(st.integers(1, L), min_size=1)))),
        lam=draw(st.sampled_from([Fraction(1, 10**12), Fraction(1, 10), Fraction(999, 1000)])),
    )
