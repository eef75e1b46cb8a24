"""The polynomial kernel as a finite mixture of monomials, in exact rationals.

    (x.z)^k = E_j phi(x, j) phi(z, j),   j uniform on [d]^k,   phi(x, j) = d^(k/2) x_{j_1} ... x_{j_k}

Index words j with the same letters have the same feature, so they are merged into one atom per monomial x^alpha,
|alpha| = k, of probability k! / (alpha_1! ... alpha_d!) / d^k: a merge changes neither K nor any draw of Phi.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from math import factorial, prod

from reference.arithmetic import Exact, exact
from reference.finite_features import FiniteFeatures


def polynomial_kernel(X: Sequence[Sequence[Exact]], degree: int) -> FiniteFeatures:
    """Build the homogeneous polynomial kernel from its monomials.

    K_ij = (x_i.x_j)^degree,   p_alpha = degree! / (alpha! d^degree),   G_alpha = d^degree x^alpha (x^alpha)^T

    Parameters
    ----------
    X : (n, d) exact numbers
    degree : k >= 1; degree 1 is `linear_kernel`

    Returns
    -------
    features : C(d + k - 1, k) atoms, in lexicographic order of their sorted words

    Raises
    ------
    ValueError : X is empty or ragged, or degree is not at least 1
    """
    rows = [[exact(x) for x in row] for row in X]
    d = len(rows[0]) if rows else 0
    if d == 0 or any(len(row) != d for row in rows):
        raise ValueError(f"polynomial_kernel: X must be a matrix, got rows of lengths {[len(row) for row in rows]}")
    if degree < 1:
        raise ValueError(f"polynomial_kernel: degree must be at least 1, got degree = {degree}")
    words = list(combinations_with_replacement(range(d), degree))
    monomials = [[prod((row[j] for j in word), start=Fraction(1)) for row in rows] for word in words]
    return FiniteFeatures(
        p=tuple(Fraction(_spellings(word), d**degree) for word in words),
        grams=tuple(tuple(tuple(d**degree * a * b for b in values) for a in values) for values in monomials),
    )


def _spellings(word: Sequence[int]) -> int:
    """Count the orders in which the letters of a word can be written."""
    return factorial(len(word)) // prod(factorial(times) for times in Counter(word).values())
