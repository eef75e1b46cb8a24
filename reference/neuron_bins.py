"""Neurons sorted by how many activation boundaries are near: none, one, or more.

With b_l = v.n_l and half width h, a neuron belongs to

    the bulk     |b_l| > h for every l: only its cell matters, and the cell keeps a count and a sum
    a layer      |b_l| <= h for one l: its facet keeps b_l of every neuron, and a count and a sum for the rest
    a corner     |b_l| <= h for two or more: kept as a vector

Counts are exact. Sums are of a_r v_r, in pieces of `CHUNK` neurons, each added up in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reference.activation_boundaries import Boundaries
from reference.preconditions import Float64

CHUNK = 1 << 16
MOST_BOUNDARIES = 56  # a pattern and a boundary share one 64-bit key

Signs = npt.NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, eq=False)
class Facet:
    """The layer neurons of one boundary between the same two cells.

    Parameters
    ----------
    boundary : its index l
    pattern : (P,) bool, which points are active throughout; False for those on the boundary
    count : neurons, of both signs
    total : (d,) float, sum of a v
    positive : b_l of the neurons with a = +1
    negative : b_l of the neurons with a = -1
    """

    boundary: int
    pattern: npt.NDArray[np.bool_]
    count: int
    total: Float64
    positive: Float64
    negative: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class Bins:
    """All neurons of a network, sorted at one half width.

    Parameters
    ----------
    half_width : h >= 0
    patterns : (C, P) bool, of the cells that have bulk neurons
    counts : (C,) int64
    totals : (C, d) float, sum of a v over each cell's bulk
    facets : those that have neurons
    corners : (k, d) float, neurons near two boundaries or exactly on one
    corner_signs : (k,) int8, their a
    """

    half_width: float
    patterns: npt.NDArray[np.bool_]
    counts: npt.NDArray[np.int64]
    totals: Float64
    facets: tuple[Facet, ...]
    corners: Float64
    corner_signs: Signs

    @property
    def layer_neurons(self) -> int:
        """Count the neurons of all layers."""
        return sum(facet.count for facet in self.facets)

    @property
    def neurons(self) -> int:
        """Count all neurons."""
        return int(self.counts.sum()) + self.layer_neurons + len(self.corners)


class Binning:
    """Bins that are being filled.

    Parameters
    ----------
    bounds : the boundaries, at most 56
    half_width : h >= 0

    Raises
    ------
    ValueError : more boundaries than that
    """

    def __init__(self, bounds: Boundaries, half_width: float) -> None:
        lines, d = bounds.normals.shape
        if lines > MOST_BOUNDARIES:
            raise ValueError(f"Binning: bounds must hold at most {MOST_BOUNDARIES} boundaries, got {lines}")
        self._bounds, self._half_width = bounds, half_width
        self._powers = 1 << np.arange(lines, dtype=np.int64)
        self._cells: dict[int, tuple[int, Float64]] = {}
        self._facets: dict[int, list[tuple[Float64, Signs, Float64]]] = {}
        self._corners: list[Float64] = [np.empty((0, d))]
        self._corner_signs: list[Signs] = [np.empty(0, dtype=np.int8)]

    def add(self, V: Float64, a: Signs) -> None:
        """Sort more neurons.

        Parameters
        ----------
        V : (k, d) float
        a : (k,) int8, +1 or -1
        """
        for start in range(0, len(V), CHUNK):
            self._add(V[start : start + CHUNK], a[start : start + CHUNK])

    def _add(self, V: Float64, a: Signs) -> None:
        b = V @ self._bounds.normals.T
        near = np.abs(b) <= self._half_width
        codes = (b >= 0) @ self._powers
        how_many = near.sum(axis=1)
        # on a boundary both sides are active: only a vector remembers that
        how_many[(b == 0).any(axis=1)] = 2
        signed = V * a[:, None]
        bulk = how_many == 0
        for code, rows in _grouped(codes, np.flatnonzero(bulk)):
            self._add_cell(code, len(rows), signed[rows].sum(axis=0))
        corner = how_many > 1
        self._corners.append(V[corner])
        self._corner_signs.append(a[corner])
        layer = np.flatnonzero(how_many == 1)
        line = near[layer] @ np.arange(len(self._powers))
        keys = np.zeros_like(codes)
        keys[layer] = (codes[layer] & ~self._powers[line]) | (line << len(self._powers))
        for key, rows in _grouped(keys, layer):
            offsets = b[rows, key >> len(self._powers)]
            self._facets.setdefault(key, []).append((offsets, a[rows], signed[rows].sum(axis=0)))

    def add_bulk(self, sides: npt.NDArray[np.bool_], count: int, total: Float64) -> None:
        """Add bulk neurons that are known by their number and sum only.

        Parameters
        ----------
        sides : (L,) bool, the side of every boundary they lie on
        count : how many
        total : (d,) float, their sum of a v
        """
        self._add_cell(int(sides @ self._powers), count, total)

    def _add_cell(self, code: int, count: int, total: Float64) -> None:
        known, so_far = self._cells.get(code, (0, np.zeros_like(total)))
        self._cells[code] = (known + count, so_far + total)

    def finished(self) -> Bins:
        """Give the bins."""
        codes = sorted(self._cells)
        return Bins(
            half_width=self._half_width,
            patterns=self._patterns(codes),
            counts=np.array([self._cells[code][0] for code in codes], dtype=np.int64),
            totals=np.array([self._cells[code][1] for code in codes]).reshape(
                len(codes), self._bounds.normals.shape[1]
            ),
            facets=tuple(self._facet(key) for key in sorted(self._facets)),
            corners=np.concatenate(self._corners),
            corner_signs=np.concatenate(self._corner_signs),
        )

    def _patterns(self, codes: list[int]) -> npt.NDArray[np.bool_]:
        sides = (np.array(codes, dtype=np.int64)[:, None] & self._powers) != 0
        return self._bounds.patterns(sides.reshape(len(codes), len(self._powers)))

    def _facet(self, key: int) -> Facet:
        lines = len(self._powers)
        boundary = key >> lines
        pattern = self._patterns([key & ((1 << lines) - 1)])[0]
        offsets, signs, totals = zip(*self._facets[key], strict=True)
        b, a = np.concatenate(offsets), np.concatenate(signs)
        return Facet(
            boundary=boundary,
            pattern=pattern & (self._bounds.of_point != boundary),
            count=len(b),
            total=np.sum(totals, axis=0),
            positive=b[a > 0],
            negative=b[a < 0],
        )


def _grouped(keys: npt.NDArray[np.int64], rows: npt.NDArray[np.intp]) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Cut rows into groups of one key each."""
    if not len(rows):
        return
    order = rows[np.argsort(keys[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(keys[order])) + 1
    for group in np.split(order, starts):
        yield int(keys[group[0]]), group
