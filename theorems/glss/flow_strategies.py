"""Hypothesis strategies for moments of the gradient flow. Only such modules import `hypothesis`.

Data on the square lattice (angles that are multiples of 45 degrees), duplicates and opposite points included; weights
with coordinates p + 1/3 and q + 1/7, so that no neuron lies on a kink.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from theorems.glss.flow_moments import Moment, moment
from theorems.glss.section_4_step_of_gradient_descent import Step, step_from

_DIRECTIONS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
_POINTS = st.builds(
    lambda direction, scale: [scale * t for t in direction],
    st.sampled_from(_DIRECTIONS),
    st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3)]),
)
_LABELS = st.fractions(min_value=-2, max_value=2, max_denominator=4)


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    """Draw up to three points, two test points and nine neurons, kappa = 1 included."""
    X = draw(st.lists(_POINTS, min_size=1, max_size=3))
    m = draw(st.sampled_from([1, 4, 9]))
    # coordinates p + 1/3 and q + 1/7 never satisfy w_1 = 0, w_2 = 0 or w_1 = +-w_2
    W = [[draw(st.integers(-3, 3)) + Fraction(1, 3), draw(st.integers(-3, 3)) + Fraction(1, 7)] for _ in range(m)]
    return moment(
        "drawn",
        "drawn",
        X=X,
        new=draw(st.lists(_POINTS, min_size=1, max_size=2)),
        Y=draw(st.lists(_LABELS, min_size=len(X), max_size=len(X))),
        W=W,
        a=draw(st.lists(st.sampled_from([-1, 1]), min_size=m, max_size=m)),
        kappa=draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 7), Fraction(99, 100)])),
        lam=draw(st.sampled_from([Fraction(1, 10**12), Fraction(1, 10), Fraction(999, 1000)])),
    )


def steps() -> st.SearchStrategy[Step]:
    """Draw moments with steps that leave all neurons on their side, or throw most of them over."""
    sizes = st.sampled_from([Fraction(1, 1000), Fraction(1, 2), Fraction(1), Fraction(7), Fraction(100)])
    return (
        st.tuples(moments(), sizes)
        .filter(lambda drawn: drawn[1] * drawn[0].lam < 1)
        .map(lambda drawn: step_from(drawn[0], "drawn", "drawn", drawn[1]))
    )
