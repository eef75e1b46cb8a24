"""The activation cells of data in the plane: where the pattern of active points is constant.

In R^2 the sign of w.x_i changes only across the line orthogonal to x_i, so the patterns are constant on arcs
of directions, and under w ~ N(0, I_2) an arc has probability its angle / (2 pi). Which boundaries coincide and
which points an arc sees is decided exactly, in integers; only the angles are rounded.

Degenerate data: parallel and antiparallel rows share a boundary; a zero row has none and is active everywhere
(1[0 >= 0] = 1, contributing 0); if all rows are zero there is one cell. Boundaries have probability 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from math import gcd, lcm
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Interval, atan2, enclose, pi
from reference.preconditions import SMALLEST_NORMAL, UNIT_ROUNDOFF, Float64, points
from reference.relu_tangent import inner_products

Direction: TypeAlias = tuple[int, int]

PROBABILITY_ERROR = 16 * UNIT_ROUNDOFF
"""Relative: cross and inner product are correctly rounded (2 u in the angle, since |sin cos| <= theta), atan2
within 8 u, division by 2 pi within 2 u."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Activation patterns with their probabilities, counterclockwise.

    Parameters
    ----------
    patterns : (C, n) bool, all different; s_ci = 1[w.x_i >= 0] in the interior of cell c
    probability : (C,) float, positive, summing to 1 within rounding; under w ~ N(0, I_2)
    probability_error : relative error bound of each probability
    """

    patterns: npt.NDArray[np.bool_]
    probability: Float64
    probability_error: float

    def gram(self, X: Any) -> Float64:
        """Give Phi_c Phi_c^T = (X X^T) o s_c s_c^T of every cell.

        Parameters
        ----------
        X : (n, 2) float, the rows the cells were made of

        Returns
        -------
        grams : (C, n, n); sum_c probability_c grams_c is the tangent kernel matrix
        """
        data = points(X, "Cells.gram: X")
        if len(data) != self.patterns.shape[1]:
            raise ValueError(f"Cells.gram: X must have {self.patterns.shape[1]} rows, got {len(data)}")
        s = self.patterns.astype(np.float64)
        return inner_products(data, "Cells.gram") * s[:, :, None] * s[:, None, :]


def plane_cells(X: Any) -> Cells:
    """Cut the plane into the cells of constant activation pattern.

    Parameters
    ----------
    X : (n, 2) float, taken at its exact value

    Returns
    -------
    cells : twice as many as there are different lines x_i^perp; 1 if all rows are zero

    Raises
    ------
    ValueError : X does not have two columns; or an arc too thin for float64 (probability below 2^-1022)
    """
    rows = _integer_rows(X, "plane_cells: X")
    arcs = _arcs(rows)
    angles = np.array([np.arctan2(*_rounded(_cross(*arc), _dot(*arc))) for arc in arcs])
    if (angles < 8 * SMALLEST_NORMAL).any():
        raise ValueError("plane_cells: X must not hold rows parallel to within 2^-1020; got such a pair")
    return Cells(
        patterns=np.array([_pattern(arc, rows) for arc in arcs] or [[True] * len(rows)]),
        probability=angles / (2 * np.pi) if arcs else np.ones(1),
        probability_error=PROBABILITY_ERROR,
    )


def plane_cells_balls(X: Any, bits: int) -> list[Interval]:
    """Enclose the probabilities of the cells, in the order of `plane_cells(X)`.

    Parameters
    ----------
    X : (n, 2) float, taken at its exact value
    bits : working precision

    Returns
    -------
    probability : C pairs (lower, upper) of Fractions
    """
    arcs = _arcs(_integer_rows(X, "plane_cells_balls: X"))
    half_turn = pi(bits)
    return [
        enclose(lambda t, p: t / (2 * p), atan2(_cross(*arc), _dot(*arc), bits), half_turn, bits=bits) for arc in arcs
    ] or [(Fraction(1), Fraction(1))]


def _integer_rows(X: Any, where: str) -> list[Direction]:
    """Scale every row by its own positive factor to coprime integers: directions, exactly."""
    data = points(X, where)
    if data.shape[1] != 2:
        raise ValueError(f"{where} must have 2 columns, got {data.shape[1]}")
    rows = []
    for a, b in data.tolist():
        (p, q), (r, s) = a.as_integer_ratio(), b.as_integer_ratio()
        common = lcm(q, s)
        first, second = p * (common // q), r * (common // s)
        divisor = gcd(first, second) or 1
        rows.append((first // divisor, second // divisor))
    return rows


def _cross(a: Direction, b: Direction) -> int:
    return a[0] * b[1] - a[1] * b[0]


def _clockwise(a: Direction, b: Direction) -> int:
    return -_cross(a, b)


def _dot(a: Direction, b: Direction) -> int:
    return a[0] * b[0] + a[1] * b[1]


def _arcs(rows: list[Direction]) -> list[tuple[Direction, Direction]]:
    """Give the ends of every arc, counterclockwise from the positive x-axis on."""
    lines = set()
    for a, b in rows:
        if (a, b) != (0, 0):
            # the end of the orthogonal line in the upper half plane, so that parallel and antiparallel rows agree
            lines.add((-b, a) if a > 0 or (a == 0 and b < 0) else (b, -a))
    ends = sorted(lines, key=cmp_to_key(_clockwise))
    ends += [(-a, -b) for a, b in ends]
    return [(ends[k], ends[(k + 1) % len(ends)]) for k in range(len(ends))]


def _pattern(arc: tuple[Direction, Direction], rows: list[Direction]) -> list[bool]:
    """Decide the pattern at a direction strictly inside the arc."""
    (a, b), (c, d) = arc
    # the two ends of a half turn cancel; a quarter turn from the first is inside then
    inside = (a + c, b + d) if _cross(*arc) else (-b, a)
    return [_dot(inside, row) >= 0 for row in rows]


def _rounded(cross: int, dot: int) -> tuple[float, float]:
    """Scale both by one power of two and round each correctly."""
    scale = 1 << max(cross.bit_length(), dot.bit_length())
    return cross / scale, dot / scale
