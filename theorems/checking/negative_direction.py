"""An exact vector that shows that a matrix is not positive semidefinite: elimination in rationals."""

from __future__ import annotations

from fractions import Fraction

from theorems.statement import Rows


def negative_direction(M: Rows) -> list[Fraction] | None:
    """Find v with v^T M v < 0; None where M is positive semidefinite.

    Congruences e_i -> e_i - (M_ik / M_kk) e_k clear the rows of positive pivots. A negative pivot is its own
    direction; a zero pivot k with M_ik = c != 0 has (t e_k + e_i)^T M (t e_k + e_i) = 2 t c + M_ii.

    Parameters
    ----------
    M : (n, n) symmetric, exact
    """
    n = len(M)
    rest = [[Fraction(x) for x in row] for row in M]
    basis = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    for k in range(n):
        pivot = rest[k][k]
        if pivot < 0:
            return basis[k]
        if pivot == 0:
            for i in range(k + 1, n):
                if (c := rest[i][k]) != 0:
                    t = -(rest[i][i] + 1) / (2 * c)
                    return [t * x + y for x, y in zip(basis[k], basis[i], strict=True)]
            continue
        for i in range(k + 1, n):
            ratio = rest[i][k] / pivot
            if ratio:
                basis[i] = [y - ratio * x for x, y in zip(basis[k], basis[i], strict=True)]
                for j in range(k + 1, n):
                    rest[i][j] -= ratio * rest[k][j]
        for i in range(k + 1, n):
            rest[i][k] = Fraction(0)
    return None
