"""Extreme eigenvalues of an exact matrix, enclosed without rounding, and the spectral error of an approximation.

The matrices are (n, n) over the rationals with real eigenvalues only: symmetric ones, and A^-1 S with A positive
definite and S symmetric, which is similar to A^-1/2 S A^-1/2.
"""

from __future__ import annotations

from fractions import Fraction

from reference.arithmetic import Exact, Interval, Rows, exact, rational_matrix, rational_solve
from reference.exact_linear_algebra import combined, eigenvalues_above, rank, shifted


def largest_eigenvalue(M: Rows, bits: int = 60) -> Interval:
    """Enclose the largest eigenvalue by bisection.

    Parameters
    ----------
    M : (n, n) exact numbers, n >= 1, all eigenvalues real
    bits : the enclosure is narrower than 2^-bits times a power of two that is at least every |mu_i|

    Returns
    -------
    (lower, upper) : dyadic; equal when the eigenvalue is one of the dyadic numbers met on the way
    """
    reach = Fraction(1)
    while reach < max(sum(abs(exact(x)) for x in row) for row in M):
        reach *= 2
    lower, upper = -2 * reach, 2 * reach
    for _ in range(bits + 2):
        middle = (lower + upper) / 2
        if eigenvalues_above(M, middle):
            lower = middle
        elif rank(shifted(M, -middle)) < len(M):
            return middle, middle
        else:
            upper = middle
    return lower, upper


def smallest_eigenvalue(M: Rows, bits: int = 60) -> Interval:
    """Enclose the smallest eigenvalue: -mu_max(-M), see `largest_eigenvalue`."""
    lower, upper = largest_eigenvalue([[-exact(x) for x in row] for row in M], bits)
    return -upper, -lower


def relative_difference(K: Rows, Kt: Rows, lam: Exact) -> list[list[Fraction]]:
    """Give the difference of two kernels in units of K + lam I.

    (K + lam I)^-1 (Kt - K), with the eigenvalues of (K + lam I)^-1/2 (Kt - K) (K + lam I)^-1/2

    Parameters
    ----------
    K, Kt : (n, n) exact numbers, symmetric; K positive semidefinite
    lam : positive exact number

    Returns
    -------
    G : (n, n) Fractions, not symmetric, real eigenvalues
    """
    if exact(lam) <= 0:
        raise ValueError(f"relative_difference: lam must be positive, got lam = {lam}")
    return rational_solve(shifted(K, lam), combined(1, Kt, -1, K))


def spectral_error(K: Rows, Kt: Rows, lam: Exact, bits: int = 60) -> Interval:
    """Enclose the least eps for which Kt approximates K at ridge lam.

    eps* = || (K + lam I)^-1/2 (Kt - K) (K + lam I)^-1/2 ||

    Parameters
    ----------
    K, Kt : (n, n) exact numbers, symmetric positive semidefinite
    lam : positive exact number
    bits : see `largest_eigenvalue`

    Returns
    -------
    (lower, upper) : dyadic, lower >= 0

    References
    ----------
    GLSS, equations (2) and (11)
    """
    return spectral_radius(relative_difference(K, Kt, lam), bits)


def spectral_radius(M: Rows, bits: int = 60) -> Interval:
    """Enclose the largest absolute value of an eigenvalue, see `largest_eigenvalue`; the lower end is >= 0."""
    if not rational_matrix(M):
        return Fraction(0), Fraction(0)
    high, low = largest_eigenvalue(M, bits), smallest_eigenvalue(M, bits)
    return max(high[0], -low[1], Fraction(0)), max(high[1], -low[0], Fraction(0))
