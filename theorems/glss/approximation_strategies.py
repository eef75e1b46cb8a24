"""Hypothesis strategies for pairs of kernel matrices that meet (2), and for pairs that need not.

One point, duplicates, antipodes, zero rows, features that were never drawn, lambda from 1e-12 to large. Only modules
of this name import `hypothesis`.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from reference.exact_spectra import spectral_error
from theorems.glss.approximation_instances import Approximation, approximates
from theorems.glss.new_point_instances import NewPoint, cut

RIDGES = st.sampled_from([Fraction(1, 10**12), Fraction(1, 1000), Fraction(1, 4), Fraction(1), Fraction(50)])
_MULTIPLES = st.sampled_from([Fraction(k, 4) for k in range(8)])


@st.composite
def any_pairs(draw: st.DrawFn) -> Approximation:
    """Draw K = Phi Phi^T and Kt = Phi diag(c) Phi^T with 0 <= c < 2, integer Phi; eps need not fit."""
    n, s = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    Phi = [[Fraction(draw(st.integers(-3, 3))) for _ in range(s)] for _ in range(n)]
    c = [draw(_MULTIPLES) for _ in range(s)]

    def weighted(weights: list[Fraction]) -> tuple[tuple[Fraction, ...], ...]:
        return tuple(
            tuple(sum((w * a * b for w, a, b in zip(weights, r, q, strict=True)), Fraction(0)) for q in Phi)
            for r in Phi
        )

    return Approximation(
        name="drawn",
        says="drawn",
        K=weighted([Fraction(1)] * s),
        Kt=weighted(c),
        lam=draw(RIDGES),
        eps=draw(st.sampled_from([Fraction(1, 100), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)])),
        Y=tuple(Fraction(draw(st.integers(-5, 5))) for _ in range(n)),
    )


def _fitting(x: Approximation) -> Approximation:
    """Raise eps to the pair's own error where it is too small."""
    return x if approximates(x, x.eps) else replace(x, eps=spectral_error(x.K, x.Kt, x.lam)[1])


def approximations() -> st.SearchStrategy[Approximation]:
    """Draw pairs that meet (2) with an eps below 1."""
    return any_pairs().map(_fitting).filter(lambda x: x.eps < 1)


def new_points_drawn() -> st.SearchStrategy[NewPoint]:
    """Draw pairs that meet (2) on X and z together."""
    return approximations().filter(lambda x: len(x.K) > 1).map(cut)
