"""Hypothesis strategies for single features with feasible points; only modules of this name import `hypothesis`."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from theorems.akm17.primal_dual_instances import OneFeature, real


@st.composite
def one_feature(draw: st.DrawFn) -> OneFeature:
    """Draw integer features, up to three on up to three points with up to two outputs, and integer trial points."""
    J, n, d2 = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))

    def numbers(*shape: int) -> object:
        if not shape:
            return Fraction(draw(st.integers(-3, 3)))
        return [numbers(*shape[1:]) for _ in range(shape[0])]

    masses = [draw(st.integers(1, 9)) for _ in range(J)]
    alpha = [[Fraction(draw(st.integers(-3, 3))) for _ in range(d2)] for _ in range(n)]
    alpha[0][0] = alpha[0][0] or Fraction(1)
    return real(
        "drawn",
        "drawn",
        [Fraction(a, sum(masses)) for a in masses],
        numbers(J, n, d2),
        draw(st.sampled_from([Fraction(1, 10**12), Fraction(1, 10), Fraction(1), Fraction(20)])),
        draw(st.integers(0, J - 1)),
        y=numbers(J, d2, d2),
        alpha=alpha,
    )
