"""The hyperplanes on which activations change, one for each different line through a data point.

    b_l = v.n_l,   x_i = c_i n_l for the points i of boundary l,   s_i(v) = 1[c_i b_l >= 0]

Parallel and antiparallel rows share a boundary; a zero row has none and is active everywhere (1[0 >= 0] = 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reference.preconditions import UNIT_ROUNDOFF, Float64

NONE = -1
"""The boundary of a zero row."""

SAME = 8 * UNIT_ROUNDOFF
"""Unit normals closer than this are one boundary: the inner products that would tell them apart are rounded more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Boundaries:
    """Which boundary each point lies on, and how.

    Parameters
    ----------
    normals : (L, d) float, of norm 1 within 2 roundings, pairwise neither parallel nor antiparallel
    of_point : (P,) int, the boundary of each point; `NONE` for a zero row
    height : (P,) float, x_i = height_i normals[of_point_i]; 0 for a zero row
    """

    normals: Float64
    of_point: npt.NDArray[np.int64]
    height: Float64

    def patterns(self, sides: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Tell which points are active on given sides of the boundaries.

        Parameters
        ----------
        sides : (C, L) bool, b_l >= 0

        Returns
        -------
        patterns : (C, P) bool; correct off the boundaries themselves
        """
        result = np.ones((len(sides), len(self.height)), dtype=np.bool_)
        on = self.of_point != NONE
        result[:, on] = sides[:, self.of_point[on]] == (self.height[on] > 0)
        return result


def boundaries(X: Float64) -> Boundaries:
    """Find the different boundaries of the rows of X.

    Parameters
    ----------
    X : (P, d) float, finite
    """
    normals: list[Float64] = []
    of_point, height = np.full(len(X), NONE, dtype=np.int64), np.zeros(len(X))
    for i, row in enumerate(X):
        largest = np.abs(row).max()
        if largest == 0:
            continue
        norm = largest * float(np.sqrt(((row / largest) ** 2).sum()))
        unit = row / norm
        aligned = [1.0 if unit @ normal >= 0 else -1.0 for normal in normals]
        same = [line for line, sign in enumerate(aligned) if np.abs(unit - sign * normals[line]).max() <= SAME]
        if not same:
            normals.append(unit)
            aligned.append(1.0)
        line = same[0] if same else len(normals) - 1
        of_point[i], height[i] = line, aligned[line] * norm
    return Boundaries(normals=np.array(normals).reshape(len(normals), X.shape[1]), of_point=of_point, height=height)
