"""The extreme eigenvalues of an exact symmetric matrix: exactly where they are rational, else enclosed.

With D the common denominator, D M is an integer matrix, so its characteristic polynomial is monic with integer
coefficients and every rational eigenvalue of it is an integer: one candidate in a short enclosure, then one rank.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, lcm

from reference.arithmetic import Interval, Rows, exact
from reference.exact_linear_algebra import eigenvalues_above, rank, shifted
from reference.exact_spectra import largest_eigenvalue


def greatest_eigenvalue(M: Rows, bits: int = 128) -> Interval:
    """Give the largest eigenvalue, as a point where it is rational.

    Parameters
    ----------
    M : (n, n) exact numbers, symmetric, n >= 1
    bits : the enclosure of an irrational one is narrower than 2^-bits times twice the largest row sum of |M|

    Returns
    -------
    (lower, upper) : equal if and only if the eigenvalue is rational
    """
    D = lcm(*(exact(x).denominator for row in M for x in row))
    integers = [[exact(x) * D for x in row] for row in M]
    reach = ceil(max(sum(abs(x) for x in row) for row in integers))
    # narrower than 1, so that at most one integer lies inside
    lower, upper = largest_eigenvalue(integers, bits + reach.bit_length() + 1)
    candidate = ceil(lower)
    at_most = candidate <= upper and not eigenvalues_above(integers, candidate)
    if at_most and rank(shifted(integers, -candidate)) < len(M):
        return Fraction(candidate, D), Fraction(candidate, D)
    return lower / D, upper / D


def least_eigenvalue(M: Rows, bits: int = 128) -> Interval:
    """Give the smallest eigenvalue, -mu_max(-M), as a point where it is rational; see `greatest_eigenvalue`."""
    lower, upper = greatest_eigenvalue([[-exact(x) for x in row] for row in M], bits)
    return -upper, -lower
