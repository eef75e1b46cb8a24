"""Means of n independent draws from a finite law on rational matrices, with their failure probability enumerated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Any

import numpy as np

from reference.arithmetic import is_positive_semidefinite
from reference.exact_linear_algebra import eigenvalues_above, rank, shifted
from reference.finite_draws import finite_draws
from reference.finite_features import FiniteFeatures, Matrix, diagonal
from theorems.statement import Instance, Rows

MOST_OUTCOMES = 4000  # count vectors that one enumeration may visit


@dataclass(frozen=True, kw_only=True, eq=False)
class MatrixMeans(Instance):
    """A finite law on matrices, and what Lemma 7 asks of it.

    Parameters
    ----------
    p : (J,) probabilities
    values : (J, d1, d2) Fractions, R = values_j with probability p_j
    draws : n
    t : deviation
    L : bound of ||R||
    M1, M2 : (d1, d1), (d2, d2) bounds of E R R^T and E R^T R
    """

    p: tuple[Fraction, ...]
    values: tuple[Matrix, ...]
    draws: int
    t: Fraction
    L: Fraction
    M1: Matrix
    M2: Matrix


def traces(x: MatrixMeans) -> Fraction:
    """Give tr M1 + tr M2."""
    return sum((M[i][i] for M in (x.M1, x.M2) for i in range(len(M))), Fraction(0))


@lru_cache(maxsize=64)
def failure_probability(x: MatrixMeans) -> Fraction:
    """Sum the probabilities of all count vectors with ||mean - B|| >= t.

    ||D|| >= t exactly when D^T D has an eigenvalue >= t^2.
    """
    values = [np.array(R, dtype=object) for R in x.values]
    B = sum(q * R for q, R in zip(x.p, values, strict=True))
    total = Fraction(0)
    for counts in _compositions(x.draws, len(x.p)):
        D = sum(k * R for k, R in zip(counts, values, strict=True)) / Fraction(x.draws) - B
        square = (D.T @ D).tolist()
        if eigenvalues_above(square, x.t**2) or rank(shifted(square, -(x.t**2))) < len(square):
            total += _mass(counts, x.p)
    return total


def _compositions(n: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (n,)
        return
    for k in range(n + 1):
        for rest in _compositions(n - k, parts - 1):
            yield (k, *rest)


def _mass(counts: Sequence[int], p: Sequence[Fraction]) -> Fraction:
    mass, left = Fraction(1), sum(counts)
    for k, q in zip(counts, p, strict=True):
        mass *= comb(left, k) * q**k
        left -= k
    return mass


# ---------------------------------------------------------------------------------------------------- hypotheses


def law_holds(x: MatrixMeans) -> str | None:
    """Check the law, and that it can be enumerated."""
    if sum(x.p) != 1 or min(x.p) <= 0 or len(x.p) != len(x.values):
        return f"p must be positive and sum to 1, one per value, got {[str(q) for q in x.p]}"
    outcomes = comb(x.draws + len(x.p) - 1, len(x.p) - 1)
    return None if x.draws >= 1 and outcomes <= MOST_OUTCOMES else f"too many outcomes to enumerate, got {outcomes}"


def bounds_hold(x: MatrixMeans) -> str | None:
    """Check ||R|| <= L and both second moments, exactly."""
    values = [np.array(R, dtype=object) for R in x.values]
    for j, R in enumerate(values):
        if not _at_most((R.T @ R).tolist(), x.L**2):
            return f"||R|| must be at most L, got L = {x.L} at value {j}"
    for name, M, moments in (
        ("M1", x.M1, [R @ R.T for R in values]),
        ("M2", x.M2, [R.T @ R for R in values]),
    ):
        moment = sum(q * S for q, S in zip(x.p, moments, strict=True))
        if not is_positive_semidefinite((np.array(M, dtype=object) - moment).tolist()):
            return f"{name} must dominate the second moment, got {[[str(v) for v in row] for row in M]}"
    return None


def range_holds(x: MatrixMeans) -> str | None:
    """Check t >= sqrt(m(R)/n) + 2L/(3n), that is M <= n (t - 2L/(3n))^2 for both M."""
    rest = x.t - 2 * x.L / (3 * x.draws)
    if rest >= 0 and all(_at_most(M, x.draws * rest**2) for M in (x.M1, x.M2)):
        return None
    return f"t must be at least sqrt(m(R)/n) + 2L/(3n), got t = {float(x.t):g}"


def _at_most(M: Rows, c: Fraction) -> bool:
    return eigenvalues_above(M, c) == 0


# ----------------------------------------------------------------------------------------------------- instances


def means(
    name: str, says: str, p: Sequence[Fraction], values: Sequence[Any], draws: int, t: Fraction, L: Fraction
) -> MatrixMeans:
    """Give the instance whose M1 and M2 are the second moments themselves."""
    arrays = [np.array([[Fraction(v) for v in row] for row in R], dtype=object) for R in values]
    moments = [
        sum(q * S for q, S in zip(p, squares, strict=True))
        for squares in ([R @ R.T for R in arrays], [R.T @ R for R in arrays])
    ]
    return MatrixMeans(
        name=name,
        says=says,
        p=tuple(p),
        values=tuple(_matrix(R) for R in arrays),
        draws=draws,
        t=t,
        L=L,
        M1=_matrix(moments[0]),
        M2=_matrix(moments[1]),
    )


def _matrix(M: Any) -> Matrix:
    return tuple(tuple(row) for row in M)


def one_draw_of(features: FiniteFeatures, lam: Fraction, whitening: Sequence[Fraction]) -> tuple[Any, Any, Fraction]:
    """Give the law and values of Y = B M B for a diagonal whitening B with B (K + lam I) B = I, and s_lambda.

    Raises
    ------
    ValueError : B does not whiten K + lam I
    """
    law, B = finite_draws(features, lam), np.diag(np.array(whitening, dtype=object))
    whitened = B @ law.A @ B
    if (whitened != np.eye(len(B), dtype=int)).any():
        raise ValueError(f"one_draw_of: whitening must turn K + lam I into I, got {[str(b) for b in whitening]}")
    return tuple(law.q_bar), [B @ M @ B for M in law.matrices], law.s_q_tilde


_HALF, _QUARTER = Fraction(1, 2), Fraction(1, 4)
SIGNS = means(
    "signs",
    "R = +1 or -1 with equal probability, 200 draws",
    (_HALF, _HALF),
    [[[1]], [[-1]]],
    200,
    Fraction(2, 5),
    Fraction(1),
)
RARE_EVENT = means(
    "rare-event",
    "R = 1 with probability 1/100, else 0; 10 draws",
    (Fraction(1, 100), Fraction(99, 100)),
    [[[1]], [[0]]],
    10,
    Fraction(3, 10),
    Fraction(1),
)
EVERY_SIGN = means(
    "every-sign",
    "R = diag(+-1, +-1), all four sign patterns equally likely; 4 draws",
    (_QUARTER,) * 4,
    [[[1, 0], [0, 1]], [[1, 0], [0, -1]], [[-1, 0], [0, 1]], [[-1, 0], [0, -1]]],
    4,
    Fraction(3, 4),
    Fraction(1),
)
RECTANGULAR = means(
    "rectangular",
    "2 x 3 matrices, one entry each; 24 draws",
    (_HALF, _QUARTER, _QUARTER),
    [[[1, 0, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 1]], [[0, 0, 0], [2, 0, 0]]],
    24,
    Fraction(3, 2),
    Fraction(2),
)
CONSTANT = means(
    "constant", "R is constant: the mean never errs", (Fraction(1),), [[[3, 4]]], 5, Fraction(6), Fraction(5)
)


def _coupon_draws() -> MatrixMeans:
    """Give the proof's own use of the lemma: Y_r of K = diag(3/4, 3/4, 3/4), lam = 1/4."""
    k = Fraction(3, 4)
    p, values, s = one_draw_of(diagonal((k, k, k)), _QUARTER, (Fraction(1),) * 3)
    return means(
        "coupon-draws", "Y_r of section 4 of GLSS for K = 3/4 I on three points, 40 draws", p, values, 40, _HALF, s
    )


COUPON_DRAWS = _coupon_draws()


def instances(profile: str) -> tuple[MatrixMeans, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[MatrixMeans, ...] = (SIGNS, RARE_EVENT, EVERY_SIGN, RECTANGULAR, CONSTANT, COUPON_DRAWS)
    if profile in ("ci", "night"):
        longer = means(
            "signs-1000", "R = +1 or -1, 1000 draws", (_HALF, _HALF), [[[1]], [[-1]]], 1000, Fraction(1, 5), Fraction(1)
        )
        found += (longer,)
    return found
