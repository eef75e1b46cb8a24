"""The activation cells of data of rank at most 3: patterns, decided exactly, and their Gaussian probabilities.

Only the projection of w on the span of the rows matters, so the cells are faces of an arrangement of great circles
on a sphere of dimension rank - 1. This covers every X with d <= 3 and every X with n <= 3, in any dimension. A face
with inward normals y_i is a convex spherical polygon, and by Gauss and Bonnet

    P(cell) = 1/2 - (1 / 4 pi) sum_{corners} angle(y_i, y_j),   y_i, y_j the sides that meet at the corner

Which circles coincide, which meet in one point and what each face sees is decided in integers; only angles are
rounded. Parallel and antiparallel rows share a circle, a zero row has none and is active everywhere
(1[0 >= 0] = 1), coplanar rows meet in two antipodal points, and one circle alone leaves two half spheres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from math import gcd, lcm
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.activation_cells import Cells, plane_cells, plane_cells_balls
from reference.arithmetic import Interval, atan2, ball, interval, pi, precision, rational_matrix
from reference.preconditions import SMALLEST_NORMAL, UNIT_ROUNDOFF, points
from reference.relu_tangent import activations, chunks

Vector: TypeAlias = tuple[int, ...]
Signs: TypeAlias = tuple[int, ...]
"""One sign per circle: +1 where w.x >= 0 for the row the circle was first seen in."""

PROBABILITY_ERROR = 2 * UNIT_ROUNDOFF
"""Relative: each probability is enclosed to 60 digits of 2 and then rounded once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Arrangement:
    """Great circles, and which data row belongs to which.

    Parameters
    ----------
    normals : (k,) integer vectors of length 3, pairwise not parallel; coordinates in which signs are right
    rows : (k,) integer vectors of length d, the same normals in the geometry of the data
    circle_of : (n,) per data row its circle and orientation (+1 or -1), None for a zero row
    """

    normals: tuple[Vector, ...]
    rows: tuple[Vector, ...]
    circle_of: tuple[tuple[int, int] | None, ...]

    def pattern(self, signs: Signs) -> list[bool]:
        """Give the activation of every data row in a face."""
        return [place is None or signs[place[0]] == place[1] for place in self.circle_of]


def sphere_cells(X: Any) -> Cells:
    """Cut the space into the cells of constant activation pattern.

    Parameters
    ----------
    X : (n, d) float of rank at most 3, taken at its exact value

    Returns
    -------
    cells : in descending lexicographic order of the patterns, so all active comes first if it occurs; in general
        position and rank 3 there are n^2 - n + 2 of them

    Raises
    ------
    ValueError : rank above 3; or a cell too thin for float64 (probability below 2^-1022)
    """
    arrangement = _arrangement(X, "sphere_cells")
    faces, bits = _faces(arrangement), 128
    masses = _masses(arrangement, faces, bits)
    # every face has positive mass, so thin ones too are known well enough in the end
    while any((high - low) * 2**60 > low for low, high in masses):
        bits *= 2
        masses = _masses(arrangement, faces, bits)
    if any(low < Fraction(SMALLEST_NORMAL) for low, _ in masses):
        raise ValueError("sphere_cells: X must have no cell of probability below 2^-1022; got such a cell")
    return Cells(
        patterns=np.array([arrangement.pattern(signs) for signs in faces]),
        probability=np.array([float(low) for low, _ in masses]),
        probability_error=PROBABILITY_ERROR,
    )


def sphere_cells_balls(X: Any, bits: int) -> list[Interval]:
    """Enclose the probabilities of the cells, in the order of `sphere_cells(X)`.

    Parameters
    ----------
    X : (n, d) float of rank at most 3, taken at its exact value
    bits : working precision; the error is absolute, of order 2^-bits

    Returns
    -------
    probability : C pairs (lower, upper) of Fractions
    """
    arrangement = _arrangement(X, "sphere_cells_balls")
    return _masses(arrangement, _faces(arrangement), bits)


def sampled_patterns(X: Any, rng: np.random.Generator, m: int) -> npt.NDArray[np.uint8]:
    """Draw activation patterns in any dimension, where the cells are too many to list.

    s_r = 1[X w_r >= 0],   w_r ~ N(0, I_d)

    Parameters
    ----------
    X : (n, d) float
    rng : source of randomness
    m : number of draws, >= 1

    Returns
    -------
    patterns : (m, ceil(n / 8)) uint8, eight points to a byte, the first in the highest bit and unused bits 0;
        `numpy.unpackbits(patterns, axis=1, count=n)` undoes it
    """
    data = points(X, "sampled_patterns: X")
    if m < 1:
        raise ValueError(f"sampled_patterns: m must be at least 1, got m = {m}")
    n, d = data.shape
    patterns = np.empty((m, -(-n // 8)), dtype=np.uint8)
    for block in chunks(m):
        draws = rng.standard_normal((min(block.stop, m) - block.start, d))
        patterns[block] = np.packbits(activations(data, draws), axis=0).T
    return patterns


def _arrangement(X: Any, where: str) -> _Arrangement:
    rows = [_direction(row) for row in points(X, f"{where}: X").tolist()]
    circles: dict[Vector, tuple[int, int]] = {}
    kept: list[tuple[Vector, Vector]] = []
    circle_of: list[tuple[int, int] | None] = []
    for row, normal in zip(rows, _coordinates(rows, where), strict=True):
        if not any(row):
            circle_of.append(None)
            continue
        if row not in circles:
            circles[row], circles[tuple(-a for a in row)] = (len(kept), 1), (len(kept), -1)
            kept.append((normal, row))
        circle_of.append(circles[row])
    return _Arrangement(
        normals=tuple(normal for normal, _ in kept), rows=tuple(row for _, row in kept), circle_of=tuple(circle_of)
    )


def _direction(row: Sequence[float]) -> Vector:
    """Scale a row by a positive factor to coprime integers."""
    ratios = [x.as_integer_ratio() for x in row]
    common = lcm(*(q for _, q in ratios))
    integers = [p * (common // q) for p, q in ratios]
    divisor = gcd(*integers) or 1
    return tuple(a // divisor for a in integers)


def _coordinates(rows: list[Vector], where: str) -> list[Vector]:
    """Give every row three coordinates such that {signs of X w} = {signs of C u}.

    X = C T with C independent columns of X and T onto, so X w and C u take the same values.
    """
    echelon, rank = rational_matrix(rows).rref()
    if rank > 3:
        raise ValueError(f"{where}: X must have rank at most 3, got rank {rank}")
    pivots = [next(c for c, x in enumerate(line) if x != 0) for line in echelon.tolist()[:rank]]
    return [tuple(row[c] for c in pivots) + (0,) * (3 - rank) for row in rows]


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _dot(a: Vector, b: Vector) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _sign(a: int) -> int:
    return (a > 0) - (a < 0)


def _faces(arrangement: _Arrangement) -> dict[Signs, list[tuple[int, int]]]:
    """List the faces in descending order of their signs, each with its corners: the two circles that meet there."""
    normals = arrangement.normals
    if len(normals) < 2:
        return {(1,): [], (-1,): []} if normals else {(): []}
    corners: dict[Signs, list[tuple[int, int]]] = {}
    for i in range(len(normals)):
        for j in range(i + 1, len(normals)):
            vertex = _cross(normals[i], normals[j])
            sides = [_sign(_dot(vertex, normal)) for normal in normals]
            # where more than two circles meet, the first two speak for the vertex
            if sides.index(0) == i and sides.index(0, i + 1) == j:
                for signs, pair in _corners(vertex, sides, normals):
                    # the antipode has the opposite faces
                    for face in (signs, tuple(-s for s in signs)):
                        corners.setdefault(face, []).append(pair)
    return dict(sorted(corners.items(), reverse=True))


def _corners(vertex: Vector, sides: list[int], normals: Sequence[Vector]) -> list[tuple[Signs, tuple[int, int]]]:
    """Go round a vertex: the faces there, each with the two circles that bound it there.

    Turn the normals of the circles through the vertex into one half plane and sort them by angle, e_0, e_1, ...
    Going round, w crosses the circles in that order, and each crossing turns the sign of one e.w from + to -.
    """
    first, *others = (c for c, side in enumerate(sides) if side == 0)

    def turning(a: int, b: int) -> int:
        return _dot(vertex, _cross(normals[a], normals[b]))

    facing = {first: 1} | {c: _sign(turning(first, c)) for c in others}

    def later(a: int, b: int) -> int:
        return -facing[a] * facing[b] * turning(a, b)

    order = [first, *sorted(others, key=cmp_to_key(later))]
    corners = []
    for crossed in range(1, len(order) + 1):
        pair = (order[crossed - 1], order[crossed % len(order)])
        for half in (1, -1):
            signs = list(sides)
            for place, c in enumerate(order):
                signs[c] = half * facing[c] * (-1 if place < crossed else 1)
            corners.append((tuple(signs), pair))
    return corners


def _masses(arrangement: _Arrangement, faces: dict[Signs, list[tuple[int, int]]], bits: int) -> list[Interval]:
    """Enclose the probability of every face."""
    rows = arrangement.rows
    with precision(bits):
        half_turn = ball(pi(bits), bits)
        angles = {}
        for i, j in {pair for corners in faces.values() for pair in corners}:
            dot = _dot(rows[i], rows[j])
            sine = ball(_dot(rows[i], rows[i]) * _dot(rows[j], rows[j]) - dot**2, bits).sqrt()
            angles[i, j, 1] = ball(atan2(interval(sine), dot, bits), bits)
            angles[i, j, -1] = half_turn - angles[i, j, 1]
        whole = ball(Fraction(1, 2 if rows else 1), bits)
        return [
            interval(
                whole - sum((angles[i, j, signs[i] * signs[j]] for i, j in corners), ball(0, bits)) / (4 * half_turn)
            )
            for signs, corners in faces.items()
        ]


def cells(X: Any) -> Cells:
    """Cut the space of neurons into the cells of constant activation pattern, for data of rank at most 3.

    Parameters
    ----------
    X : (n, d) float, taken at its exact value; the plane's own arcs when d = 2
    """
    data = points(X, "cells: X")
    return plane_cells(data) if data.shape[1] == 2 else sphere_cells(data)


def cells_balls(X: Any, bits: int) -> list[Interval]:
    """Enclose the probabilities of the cells, in the order of `cells(X)`."""
    data = points(X, "cells_balls: X")
    return plane_cells_balls(data, bits) if data.shape[1] == 2 else sphere_cells_balls(data, bits)
