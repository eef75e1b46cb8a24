"""How important each row of a matrix is for its row space: leverage without a ridge.

    sigma_i(A) = a_i^T (A^T A)^+ a_i

It owns sigma. Rank-deficient A is fine, since the pseudoinverse is; a zero row has sigma 0. Exact: whether a score
is 1 is a question about rank, which no float can answer.
"""

from __future__ import annotations

from fractions import Fraction

from reference.arithmetic import quadratic_form, rational_product
from reference.exact_linear_algebra import Rows, pseudoinverse, transposed


def row_leverage(A: Rows) -> list[Fraction]:
    """Measure the part of every row that the other rows cannot compose.

    sigma_i = a_i^T (A^T A)^+ a_i

    Parameters
    ----------
    A : (m, n) exact numbers, m, n >= 1; rows a_i

    Returns
    -------
    sigma : (m,) Fractions in [0, 1], summing to rank A

    References
    ----------
    GLSS, Section 2, "Leverage scores"
    """
    inverse = pseudoinverse(rational_product(transposed(A), A))
    return [quadratic_form(inverse, row) for row in A]


def residual_of_row(A: Rows, i: int) -> Fraction:
    """Measure how far a row is from the span of the others.

    r_i = min_c ||a_i - sum_{j != i} c_j a_j||^2

    Parameters
    ----------
    A : (m, n) exact numbers, m, n >= 1
    i : which row, 0 <= i < m

    Returns
    -------
    r : Fraction >= 0; ||a_i||^2 when there is no other row
    """
    row, others = [A[i]], [a for j, a in enumerate(A) if j != i]
    squares = rational_product(row, transposed(row))[0][0]
    if not others:
        return squares
    inside = rational_product(rational_product(row, pseudoinverse(others)), others)
    return squares - rational_product(inside, transposed(inside))[0][0]
