"""Hypothesis strategies for means of random matrices inside Lemma 7; only modules of this name import `hypothesis`."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from hypothesis import strategies as st

from reference.exact_spectra import largest_eigenvalue
from theorems.akm17.matrix_means import MatrixMeans, means


def _root_above(x: Fraction) -> Fraction:
    """Round the square root up to a multiple of 1/64."""
    return Fraction(isqrt(int(x * 64**2) + 1) + 1, 64)


@st.composite
def matrix_means(draw: st.DrawFn) -> MatrixMeans:
    """Draw up to three integer matrices of one shape, up to twelve draws, and t at its least value or above."""
    d1, d2, J = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    entries = st.integers(-2, 2)
    values = [[[draw(entries) for _ in range(d2)] for _ in range(d1)] for _ in range(J)]
    values[0][0][0] = values[0][0][0] or 1  # m(R) = 0 has no bound
    masses = [draw(st.integers(1, 9)) for _ in range(J)]
    n = draw(st.integers(1, 12))
    L = max(_root_above(Fraction(sum(v * v for row in R for v in row))) for R in values)
    loose = means("drawn", "drawn", [Fraction(a, sum(masses)) for a in masses], values, n, Fraction(1), L)
    m = max(largest_eigenvalue(M)[1] for M in (loose.M1, loose.M2))
    t = _root_above(m / n) + 2 * L / (3 * n) + draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(2)]))
    return means("drawn", "drawn", loose.p, values, n, t, L)
