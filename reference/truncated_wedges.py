"""Gaussian masses and second moments of a plane wedge without the strips along its two sides.

    C_h = {v in R^2 : N_1.v > h, N_2.v > h},   v ~ N(0, I_2)

with N_1, N_2 the inward unit normals of a wedge of opening theta <= pi, and a = cot(theta / 2). The bisector cuts C_h
into two mirror images of {b > h, t > a b}, whose mass is Owen's. The divergence theorem turns second moments into
integrals over the two sides, where the density is one-dimensional:

    P(C_h)       = Q(h) - 2 T(h, a)
    E[v v^T; C_h] = P(C_h) I + phi(h) sum_f N_f (h Q(a h) N_f + phi(a h) e_f)^T

e_f points along side f into infinity, phi and Q are the density and upper tail of N(0, 1). All of this is closed
form but for Owen's function, so nothing is cut off and nothing depends on h being small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import owens_t

from reference.activation_cells import plane_cells
from reference.preconditions import Float64

MASS_ERROR = 2.0**-50
"""Absolute, of a mass and of each entry of a second moment, for h <= 4 and openings from 1e-3: what rounding leaves of
the closed forms, if `scipy.special.owens_t` is within 2^-52 (compared with 30 digits in the tests)."""


def _density(x: float) -> float:
    return math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _upper_tail(x: float) -> float:
    return math.erfc(x / math.sqrt(2)) / 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Wedge:
    """One activation cell of the plane.

    Parameters
    ----------
    sides : (L,) bool, which side of every boundary it lies on
    opening : theta in (0, pi]
    inward : (2, 2) float, the inward normals N_f of its two sides; equal for a half plane
    along : (2, 2) float, the directions e_f of its two sides; opposite for a half plane
    """

    sides: tuple[bool, ...]
    opening: float
    inward: Float64
    along: Float64

    def mass(self, h: float) -> float:
        """Give P(C_h), h >= 0, within `MASS_ERROR`; theta / (2 pi) at h = 0."""
        if h == 0:
            return self.opening / (2 * math.pi)
        return max(_upper_tail(h) - 2 * float(owens_t(h, self._slope())), 0.0)

    def second_moment(self, h: float) -> Float64:
        """Give E[v v^T; C_h], h >= 0: not divided by the mass.

        Returns
        -------
        S : (2, 2), exactly symmetric, each entry within `MASS_ERROR`
        """
        ah = self._slope() * h
        total = self.mass(h) * np.eye(2)
        for normal, edge in zip(self.inward, self.along, strict=True):
            total += _density(h) * np.outer(normal, h * _upper_tail(ah) * normal + _density(ah) * edge)
        symmetric: Float64 = (total + total.T) / 2
        return symmetric

    def _slope(self) -> float:
        # theta = pi gives 6e-17, as good as 0
        return 1 / math.tan(self.opening / 2)


def plane_wedges(normals: Float64) -> list[Wedge]:
    """Cut the plane into wedges along given lines.

    Parameters
    ----------
    normals : (L, 2) float unit normals, L >= 1, pairwise neither parallel nor antiparallel

    Returns
    -------
    wedges : 2 L, counterclockwise; their masses at h = 0 sum to 1 within rounding
    """
    cells = plane_cells(normals)
    sides = cells.patterns
    wedges = []
    for c, probability in enumerate(cells.probability):
        first, last = (int(np.flatnonzero(sides[c] != sides[k])[0]) for k in (c - 1, (c + 1) % len(sides)))
        inward = np.array([normals[line] if sides[c, line] else -normals[line] for line in (first, last)])
        # a quarter turn back from the inward normal of the first side, a quarter turn on from that of the last
        along = np.array([[inward[0, 1], -inward[0, 0]], [-inward[1, 1], inward[1, 0]]])
        wedges.append(
            Wedge(
                sides=tuple(bool(s) for s in sides[c]),
                opening=2 * math.pi * float(probability),
                inward=inward,
                along=along,
            )
        )
    return wedges
