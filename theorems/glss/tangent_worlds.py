"""Data under the tangent kernel: activation cells, their law and the kernel, in one of two arithmetics.

    seen_ci = 1[w.x_i >= 0] in cell c,   mass_c = P(w in c),   K_ij = x_i.x_j (pi - theta_ij) / (2 pi)

Where all angles are multiples of 30 or 45 degrees every number is rational; elsewhere it is a ball. The formulas of
Section 3.2 are written once, over object arrays of either, and must run inside `precision(BITS)`. The kernel comes
from its closed form, never from the cells, so that sums over cells have something to agree with.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Interval, ball, ball_inverse, interval, matrix_of_balls, rational_inverse
from reference.orthants import cells, cells_balls
from reference.preconditions import Float64, exact_rows
from reference.rational_angles import rational_tangent_kernel
from reference.relu_tangent import tangent_kernel_balls
from theorems.glss.ridge_instances import Matrix
from theorems.statement import Claim, Quantity

BITS = 256

Number: TypeAlias = Any  # a Fraction or a ball
Numbers: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Points and the neurons that see them.

    Parameters
    ----------
    rational : whether numbers are Fractions; else they are balls
    x : (k, d) numbers, the points
    seen : (C, k) 0 or 1
    mass : (C,) numbers, positive, summing to 1
    kernel : (k, k) numbers, the tangent kernel in closed form
    """

    rational: bool
    x: Numbers
    seen: Numbers
    mass: Numbers
    kernel: Numbers

    def number(self, value: Fraction | int) -> Number:
        """Take an exact number into the arithmetic."""
        return number(value, self.rational)

    def numbers(self, values: Any) -> Numbers:
        """Take exact numbers of any shape into the arithmetic."""
        return numbers(values, self.rational)

    def inverse(self, A: Numbers) -> Numbers:
        """Invert an (n, n) matrix."""
        rows = A.tolist()
        found = rational_inverse(rows) if self.rational else ball_inverse(matrix_of_balls(rows), BITS).tolist()
        return np.array(found, dtype=object)

    def quantity(self, value: Number) -> Quantity:
        """Give a number to the court: exact, or as an enclosure."""
        return Fraction(value) if self.rational else interval(value)

    def interval(self, value: Number) -> Interval:
        """Give a number as an interval, a point where it is exact."""
        return (value, value) if self.rational else interval(value)

    def shifted(self, A: Numbers, ridge: Number) -> Numbers:
        """Give A + ridge I."""
        result: Numbers = A + ridge * self.numbers([[i == j for j in range(len(A))] for i in range(len(A))])
        return result

    def products(self) -> Numbers:
        """Give the inner products x_i.x_j: (k, k)."""
        result: Numbers = self.x @ self.x.T
        return result

    def grams(self) -> Numbers:
        """Give Phi_c Phi_c^T with Phi_c = diag(seen_c) X: (C, k, k)."""
        result: Numbers = self.products() * self.seen[:, :, None] * self.seen[:, None, :]
        return result

    def equal(self, says: str, left: Numbers, right: Numbers) -> list[Claim]:
        """Claim that two arrays agree, at once where they are exact and entry by entry where they are enclosed."""
        pairs = list(zip(left.flat, right.flat, strict=True))
        if self.rational:
            columns = ([[Fraction(v)] for v in side] for side in zip(*pairs, strict=True))
            return [Claim(says=says, left=next(columns), relation="=", right=next(columns))]
        return [
            Claim(says=f"{says}, entry {i}", left=self.quantity(a), relation="=", right=self.quantity(b))
            for i, (a, b) in enumerate(pairs, start=1)
        ]


def number(value: Fraction | int, rational: bool) -> Number:
    """Read an exact number as a Fraction or as a ball."""
    return Fraction(value) if rational else ball(Fraction(value), BITS)


def numbers(values: Any, rational: bool) -> Numbers:
    """Read exact numbers in their shape."""
    array = np.array(values, dtype=object)
    return np.array([number(v, rational) for v in array.flat], dtype=object).reshape(array.shape)


def floats(rows: Matrix) -> Float64:
    """Give the points as floats, which must hold them exactly.

    Raises
    ------
    ValueError : a coordinate is no float64
    """
    X = np.array([[float(t) for t in row] for row in rows])
    if exact_rows(X) != [list(row) for row in rows]:
        raise ValueError(f"floats: coordinates must be exact in float64, got {[[str(t) for t in row] for row in rows]}")
    return X


@lru_cache(maxsize=512)
def world(rows: Matrix, rational: bool) -> World:
    """Cut the space of neurons into the activation cells of some points, of rank at most 3.

    Parameters
    ----------
    rows : (k, d), coordinates exact in float64
    rational : the angles are multiples of 30 or 45 degrees, and numbers are to be exact
    """
    X = floats(rows)
    masses = cells_balls(X, BITS)
    K: list[list[Number]]
    if rational:
        K = rational_tangent_kernel(rows, rows)
        mass = [_on_the_grid(low, high) for low, high in masses]
    else:
        K = tangent_kernel_balls(X, BITS).tolist()
        mass = [ball(pair, BITS) for pair in masses]
    return World(
        rational=rational,
        x=numbers(rows, rational),
        seen=cells(X).patterns.astype(int).astype(object),
        mass=np.array(mass, dtype=object),
        kernel=np.array(K, dtype=object),
    )


def _on_the_grid(low: Fraction, high: Fraction) -> Fraction:
    """Give the probability of a cell whose angles are multiples of 30 or 45 degrees: a multiple of 1/48.

    Corners are pi/12 times an integer, so by Gauss and Bonnet P = 1/2 - (sum of corners) / (4 pi) = integer / 48; in
    the plane P = corner / (2 pi). The enclosure is far narrower than 1/48.
    """
    mass = Fraction(round(24 * (low + high)), 48)
    if not low <= mass <= high:
        raise ValueError(f"world: cells of rational data must have probability k/48, got {float(low)}")
    return mass
