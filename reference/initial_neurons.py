"""The neurons a network starts from, sorted at any half width without ever being drawn twice.

    given       they are data
    streamed    w_r ~ N(0, I_d), a_r = +-1, a function of one key: seen again, the same, at every half width
    aggregated  counts per cell, all neurons near a boundary, and Gaussian sums of the others in each cell

Aggregated neurons exist at one half width h. At a larger h' the neurons of the shell between are drawn from their
law given what is known already. In a cell with N bulk neurons whose signed sum is M, z_r = a_r v_r and C = (N - N_s)
E[v v^T | bulk at h']:

    N_s ~ Bin(N, P(shell) / P(bulk at h))
    (z_1, .., z_Ns) has density ~ prod p(z_r) exp(-(M - Z)^T C^-1 (M - Z) / 2) on the shell, Z = sum z_r
                               ~ prod [p(z_r) exp(l.z_r)] exp(-(Z - Z_0)^T C^-1 (Z - Z_0) / 2),   Z_0 = M - C l

for any l, and p(z) exp(l.z) is N(l, I) on the shell and its mirror image: exact draws, of which one is kept with
the second factor as probability. With l = (C + C_s)^-1 M, C_s the second moment of Z, it is centred at the mean of Z
and kept with probability det(1 + C_s C^-1)^(-1/2), near 1 for thin shells. The rest has the sum M - Z. So the half
width may depend on what a run has shown. The only approximations are M, Gaussian with the exact second moment, and
N_s, whose law given N leaves out the information in M, of relative order sqrt(N_s) / N.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from reference.activation_boundaries import Boundaries
from reference.neuron_bins import Binning, Bins, Signs
from reference.preconditions import SMALLEST_NORMAL, Float64
from reference.truncated_wedges import Wedge, plane_wedges

BLOCK = 1 << 17  # neurons drawn at a time

SMALL = 1000
"""A cell with so few bulk neurons keeps them as vectors."""

PROPOSALS = 100
"""More are needed only where a shell takes nearly all neurons of a cell."""

BERRY_ESSEEN = 0.56
"""For sums of independent variables of different laws (Shevtsova, Doklady Mathematics 82, 2010)."""


class Uncertified(ArithmeticError):
    """No half width was found at which the run is certified: use a greater width, fewer steps or explicit neurons."""


class Population(Protocol):
    """What can be sorted at a half width."""

    law: str

    def bins(self, half_width: float) -> Bins:
        """Sort the same neurons; half widths must not decrease from call to call."""

    def berry_esseen(self) -> float:
        """Bound the distance of the law of every u_i(0), as drawn, from the exact one; see `Aggregated`."""


class Given:
    """Neurons that are known.

    Parameters
    ----------
    bounds : the boundaries
    V : (m, d) float
    a : (m,) int8, +1 or -1
    """

    law = "given neurons"

    def __init__(self, bounds: Boundaries, V: Float64, a: Signs) -> None:
        self._bounds, self._V, self._a = bounds, V, a

    def bins(self, half_width: float) -> Bins:
        """Sort them."""
        binning = Binning(self._bounds, half_width)
        binning.add(self._V, self._a)
        return binning.finished()

    def berry_esseen(self) -> float:
        """Nothing is approximated."""
        return 0.0


class Streamed:
    """Standard normal neurons with fair signs, drawn in blocks and never held together.

    Parameters
    ----------
    bounds : the boundaries
    m : width
    rng : asked for one key of 128 bits, of which all neurons are a function
    """

    law = "exact initial law"

    def __init__(self, bounds: Boundaries, m: int, rng: np.random.Generator) -> None:
        self._bounds, self._m = bounds, m
        self._key = rng.integers(0, 2**64, size=2, dtype=np.uint64)

    def bins(self, half_width: float) -> Bins:
        """Sort them, drawing all of them again."""
        rng, binning = np.random.Generator(np.random.Philox(key=self._key)), Binning(self._bounds, half_width)
        for start in range(0, self._m, BLOCK):
            k = min(BLOCK, self._m - start)
            binning.add(rng.standard_normal((k, self._bounds.normals.shape[1])), _signs(k, rng))
        return binning.finished()

    def berry_esseen(self) -> float:
        """Nothing is approximated."""
        return 0.0


class Aggregated:
    """Standard normal neurons in the plane with fair signs, of which only those near a boundary are drawn.

    Parameters
    ----------
    bounds : the boundaries of data in the plane, at least one
    m : width
    rng : source of randomness, kept: a larger half width draws more
    """

    law = "approximate initial law"

    def __init__(self, bounds: Boundaries, m: int, rng: np.random.Generator) -> None:
        self._bounds, self._m, self._rng = bounds, m, rng
        self._wedges = plane_wedges(bounds.normals)
        masses = np.array([wedge.mass(0.0) for wedge in self._wedges])
        self._counts = [int(k) for k in rng.multinomial(m, masses / masses.sum())]
        self._totals: list[Float64 | None] = [None] * len(self._wedges)
        self._drawn: list[tuple[Float64, Signs]] = []
        self._half_width = 0.0

    def bins(self, half_width: float) -> Bins:
        """Sort them, drawing those that came near.

        Raises
        ------
        ValueError : half_width is smaller than before
        Uncertified : a cell has too few bulk neurons left to draw the shell given their sum
        """
        if half_width < self._half_width:
            raise ValueError(f"Aggregated.bins: half_width must be >= {self._half_width}, got {half_width}")
        for c, wedge in enumerate(self._wedges):
            if self._counts[c] and (half_width > self._half_width or self._totals[c] is None):
                self._widen(c, wedge, half_width)
        self._half_width = half_width
        binning = Binning(self._bounds, half_width)
        for V, a in self._drawn:
            binning.add(V, a)
        for wedge, count, total in zip(self._wedges, self._counts, self._totals, strict=True):
            if count and total is not None:
                binning.add_bulk(np.array(wedge.sides), count, total)
        return binning.finished()

    def _widen(self, c: int, wedge: Wedge, h: float) -> None:
        """Take the shell up to h out of the bulk of one cell."""
        before, after, count = wedge.mass(self._half_width), wedge.mass(h), self._counts[c]
        removed = int(self._rng.binomial(count, min(max(1 - after / before, 0.0), 1.0)))
        rest, total = count - removed, self._totals[c]
        covariance = rest * wedge.second_moment(h) / after if rest else np.zeros((2, 2))
        if total is None:
            drawn = draw_shell(wedge, self._half_width, h, removed, np.zeros(2), self._rng)
            if rest <= SMALL:
                self._drawn.append(draw_bulk(wedge, h, rest, self._rng))
                rest = 0
            else:
                self._totals[c] = _gaussian(covariance, self._rng)
        else:
            drawn, of_shell = self._given_total(wedge, h, removed, total, covariance)
            self._totals[c] = total - of_shell
        self._drawn.append(drawn)
        self._counts[c] = rest

    def _given_total(
        self, wedge: Wedge, h: float, removed: int, total: Float64, covariance: Float64
    ) -> tuple[tuple[Float64, Signs], Float64]:
        """Draw the neurons of a shell given the sum of the whole, and give their sum."""
        before = self._half_width
        share = removed / max(wedge.mass(before) - wedge.mass(h), SMALLEST_NORMAL)
        of_shell = share * (wedge.second_moment(before) - wedge.second_moment(h))
        if np.linalg.det(covariance) > 0:
            tilt = np.linalg.solve(covariance + of_shell, total).astype(np.float64)
            for _ in range(PROPOSALS):
                V, a = draw_shell(wedge, before, h, removed, tilt, self._rng)
                drawn: Float64 = (V * a[:, None]).sum(axis=0)
                off = drawn - total + covariance @ tilt
                if self._rng.random() < np.exp(-off @ np.linalg.solve(covariance, off) / 2):
                    return (V, a), drawn
        raise Uncertified(
            f"Aggregated: a cell of opening {wedge.opening} has too few neurons beyond {h}, m = {self._m}"
        )

    def berry_esseen(self) -> float:
        """Bound sup_x |P(u_i(0) <= x) - P(u_i(0) <= x as drawn)|, given all that is not Gaussian, over the points i.

        0.56 sum_c N_c r_c / (sum_c N_c s_c^2)^(3/2), over the cells active at i, with s_c^2 = E (v.x_i)^2 and
        r_c = E |v.x_i|^3 <= sqrt(s_c^2 3 |x_i|^4 / (2 P_c)), because E (g_+)^4 = 3/2
        """
        sides = self._bounds.patterns(np.array([wedge.sides for wedge in self._wedges]))
        largest = 0.0
        for i, height in enumerate(self._bounds.height):
            if height:
                x, variance, third = self._bounds.normals[self._bounds.of_point[i]], 0.0, 0.0
                for c in np.flatnonzero(sides[:, i]):
                    if self._counts[c] and self._totals[c] is not None:
                        mass = self._wedges[c].mass(self._half_width)
                        square = float(x @ self._wedges[c].second_moment(self._half_width) @ x) / mass
                        variance += self._counts[c] * square
                        third += self._counts[c] * float(np.sqrt(1.5 * square / mass))
                if variance:
                    largest = max(largest, BERRY_ESSEEN * third / variance**1.5)
        return largest


def _signs(k: int, rng: np.random.Generator) -> Signs:
    return 2 * rng.integers(0, 2, size=k, dtype=np.int8) - np.int8(1)


def _gaussian(covariance: Float64, rng: np.random.Generator) -> Float64:
    values, vectors = np.linalg.eigh(covariance)
    result: Float64 = vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.standard_normal(len(values)))
    return result


def draw_shell(
    wedge: Wedge, h: float, h_next: float, count: int, tilt: Float64, rng: np.random.Generator
) -> tuple[Float64, Signs]:
    """Draw neurons (v, a) with v in C_h but not in C_h', by rejection: a v ~ N(tilt, I) there and on the mirror image.

    Proposals take a side of the wedge at random and lie within its strip; one that lies in both strips is kept half
    the time.

    Parameters
    ----------
    wedge : the cell
    h, h_next : 0 <= h < h_next, the half widths
    count : how many
    tilt : (2,) float
    rng : source of randomness

    Returns
    -------
    V : (count, 2)
    a : (count,) int8
    """
    tangent = np.stack([-wedge.inward[:, 1], wedge.inward[:, 0]], axis=1)
    found, vectors, signs = 0, [np.empty((0, 2))], [np.empty(0, dtype=np.int8)]
    while found < count:
        k = min(BLOCK, 4 * (count - found) + 16)
        side, a = rng.integers(0, 2, size=k), _signs(k, rng)
        b = h + (h_next - h) * rng.random(k)
        t = rng.standard_normal(k) + (tangent @ tilt)[side]
        V = b[:, None] * wedge.inward[side] + (a * t)[:, None] * tangent[side]
        from_sides = V @ wedge.inward.T
        strips = np.maximum((from_sides <= h_next).sum(axis=1), 1)
        lean = (wedge.inward @ tilt)[side]
        keep = (from_sides > h).all(axis=1)
        keep &= rng.random(k) * strips < np.exp((h * h - b * b) / 2 + a * lean * b - np.abs(lean) * h_next)
        rows = np.flatnonzero(keep)[: count - found]
        vectors.append(V[rows])
        signs.append(a[rows])
        found += len(rows)
    return np.concatenate(vectors), np.concatenate(signs)


def draw_bulk(wedge: Wedge, h: float, count: int, rng: np.random.Generator) -> tuple[Float64, Signs]:
    """Draw neurons (v, a) with v in C_h, by rejection from the wedge moved to the apex q of C_h.

    |q + y|^2 = |q|^2 + 2 q.y + |y|^2 with q.y >= 0, so y ~ N(0, I) on the wedge is kept with probability exp(-q.y).

    Parameters
    ----------
    wedge : the cell
    h : half width >= 0
    count : how many
    rng : source of randomness

    Returns
    -------
    V : (count, 2)
    a : (count,) int8
    """
    apex = h * wedge.inward.sum(axis=0) / (2 * np.sin(wedge.opening / 2) ** 2)
    found, vectors = 0, [np.empty((0, 2))]
    while found < count:
        angle = wedge.opening * rng.random(BLOCK)
        radius = np.sqrt(2 * rng.standard_exponential(BLOCK))
        direction = np.cos(angle)[:, None] * wedge.along[0] + np.sin(angle)[:, None] * wedge.inward[0]
        y = radius[:, None] * direction
        rows = np.flatnonzero(rng.random(BLOCK) < np.exp(-y @ apex))[: count - found]
        vectors.append(apex + y[rows])
        found += len(rows)
    return np.concatenate(vectors), _signs(count, rng)
