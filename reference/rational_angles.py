"""The tangent kernel on integer data whose angles are multiples of 30 or 45 degrees: a rational matrix.

    K(x, z) = x.z (pi - theta) / (2 pi),   theta / pi rational as soon as cos^2 theta is 0, 1/4, 1/2, 3/4 or 1

So data on a lattice - orthogonal, opposite, on a triangle or a square - have an exact H_cts.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from reference.arithmetic import Exact, exact

# cos^2 of an acute angle -> the angle, as a part of pi
_TURNS = {
    Fraction(1): Fraction(0),
    Fraction(3, 4): Fraction(1, 6),
    Fraction(1, 2): Fraction(1, 4),
    Fraction(1, 4): Fraction(1, 3),
    Fraction(0): Fraction(1, 2),
}


def rational_tangent_kernel(X: Sequence[Sequence[Exact]], Z: Sequence[Sequence[Exact]]) -> list[list[Fraction]]:
    """Give the tangent kernel between two sets of points, exactly.

    Parameters
    ----------
    X : (n, d) exact numbers
    Z : (k, d) exact numbers

    Returns
    -------
    K : (n, k) Fractions, 0 where a row is zero

    Raises
    ------
    ValueError : an angle is no multiple of 30 or 45 degrees

    References
    ----------
    GLSS, equation (8)
    """
    return [[_entry([exact(t) for t in x], [exact(t) for t in z]) for z in Z] for x in X]


def _entry(x: Sequence[Fraction], z: Sequence[Fraction]) -> Fraction:
    product = _dot(x, z)
    norms = _dot(x, x) * _dot(z, z)
    if not norms:
        return Fraction(0)
    square = product**2 / norms
    if square not in _TURNS:
        raise ValueError(
            f"rational_tangent_kernel: cos^2 must be 0, 1/4, 1/2, 3/4 or 1, got {square} between "
            f"{[str(t) for t in x]} and {[str(t) for t in z]}"
        )
    turn = _TURNS[square] if product >= 0 else 1 - _TURNS[square]
    return product * (1 - turn) / 2


def _dot(x: Sequence[Fraction], z: Sequence[Fraction]) -> Fraction:
    return sum((s * t for s, t in zip(x, z, strict=True)), Fraction(0))
