"""Rank, pseudoinverse and counts of eigenvalues over the rationals: decided, never estimated.

Entries are exact numbers (a float means the dyadic rational it stores). Degenerate cases: a zero matrix has rank 0
and a zero pseudoinverse; an eigenvalue equal to the threshold is not above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from reference.arithmetic import Exact, exact, fractions_of, rational_matrix, rational_product, rational_solve

Rows = Sequence[Sequence[Exact]]


def identity(n: int) -> list[list[Fraction]]:
    """Give the identity: (n, n) Fractions."""
    return [[Fraction(i == j) for j in range(n)] for i in range(n)]


def transposed(A: Rows) -> list[list[Fraction]]:
    """Turn rows into columns: (n, k) to (k, n), k >= 1."""
    return [[exact(x) for x in column] for column in zip(*A, strict=True)]


def shifted(A: Rows, ridge: Exact) -> list[list[Fraction]]:
    """Add a ridge to the diagonal: A + ridge I.

    Parameters
    ----------
    A : (n, n) exact numbers
    ridge : exact number of either sign
    """
    return [[exact(x) + exact(ridge) * (i == j) for j, x in enumerate(row)] for i, row in enumerate(A)]


def combined(a: Exact, A: Rows, b: Exact, B: Rows) -> list[list[Fraction]]:
    """Form a A + b B.

    Parameters
    ----------
    a, b : exact numbers
    A, B : (n, k) exact numbers each
    """
    s, t = exact(a), exact(b)
    return [
        [s * exact(x) + t * exact(y) for x, y in zip(row, other, strict=True)] for row, other in zip(A, B, strict=True)
    ]


def column(values: Sequence[Exact]) -> list[list[Fraction]]:
    """Stand a list of n numbers up: (n, 1) Fractions."""
    return [[exact(x)] for x in values]


def rank(A: Rows) -> int:
    """Count the linearly independent rows.

    Parameters
    ----------
    A : (n, k) exact numbers; a matrix without rows has rank 0

    Returns
    -------
    r : in [0, min(n, k)]
    """
    return int(rational_matrix(A).rank()) if A else 0


def pseudoinverse(A: Rows) -> list[list[Fraction]]:
    """Give the Moore-Penrose inverse.

    A = C F with C the pivot columns and F the nonzero rows of the reduced echelon form;
    A^+ = F^T (F F^T)^-1 (C^T C)^-1 C^T

    Parameters
    ----------
    A : (n, k) exact numbers, n, k >= 1, of any rank

    Returns
    -------
    inverse : (k, n) Fractions
    """
    echelon, r = rational_matrix(A).rref()
    F = fractions_of(echelon)[: int(r)]
    if not F:
        return [[Fraction(0)] * len(A) for _ in A[0]]
    pivots = [next(j for j, x in enumerate(row) if x) for row in F]
    C_T = [[exact(row[j]) for row in A] for j in pivots]
    inner = rational_solve(rational_product(C_T, transposed(C_T)), C_T)
    F_T = transposed(F)
    return rational_product(F_T, rational_solve(rational_product(F, F_T), inner))


def eigenvalues_above(A: Rows, threshold: Exact) -> int:
    """Count the eigenvalues above a threshold, with multiplicity.

    By Descartes' rule a polynomial with only real roots has as many positive ones as its coefficients change sign;
    here it is det(x I - (A - threshold I)).

    Parameters
    ----------
    A : (n, n) exact numbers, n >= 1, with only real eigenvalues: symmetric, or B^-1 D for symmetric D and
        positive definite B; this is trusted
    threshold : exact number

    Returns
    -------
    count : in [0, n]
    """
    integers, _ = rational_matrix(shifted(A, -exact(threshold))).numer_denom()
    signs = [c > 0 for c in integers.charpoly().coeffs() if c != 0]
    return sum(a != b for a, b in pairwise(signs))
