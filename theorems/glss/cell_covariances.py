"""Second moments of Gaussian neurons on the activation cells of points in the plane, in balls.

    E[w w^T 1_c] = (1 / pi) int_alpha^beta (cos t, sin t)^T (cos t, sin t) dt,   w ~ N(0, I_2), E |w|^2 = 2

for the arc c = [alpha, beta]. With them outputs at the start have covariances: E[sigma(w.x) sigma(w.z) 1_c].
"""

from __future__ import annotations

import numpy as np

from reference.arithmetic import atan2, ball, pi
from theorems.glss.ridge_instances import Matrix, Vector
from theorems.glss.tangent_worlds import BITS, Numbers, World


def second_moments(w: World, rows: Matrix) -> Numbers:
    """Give E[w w^T 1_c] of every cell, to be called inside `precision(BITS)`.

    Parameters
    ----------
    w : enclosed world of the points
    rows : (k, 2) the same points, some of them not 0

    Returns
    -------
    M : (C, 2, 2) balls, summing to the identity
    """
    turn = ball(pi(BITS), BITS)
    across, up = _first_boundary(rows)
    end = ball(atan2(up, across, BITS), BITS)
    moments = []
    # cells follow each other counterclockwise from the first boundary in the upper half plane
    for mass in w.mass:
        start, end = end, end + 2 * turn * mass
        even = turn * mass
        tilt = ((2 * end).sin() - (2 * start).sin()) / 4
        slant = (end.sin() ** 2 - start.sin() ** 2) / 2
        moments.append([[(even + tilt) / turn, slant / turn], [slant / turn, (even - tilt) / turn]])
    return np.array(moments, dtype=object)


def _first_boundary(rows: Matrix) -> Vector:
    """Give the end in the upper half plane of the line orthogonal to a point, the first counterclockwise."""
    first: Vector = ()
    for a, b in rows:
        end = (-b, a) if a > 0 or (a == 0 and b < 0) else (b, -a)
        if any(end) and (not first or end[0] * first[1] - end[1] * first[0] > 0):
            first = end
    return first


def output_covariances(w: World, rows: Matrix) -> Numbers:
    """Give E[sigma(w.x_i) sigma(w.x_j) 1_c] = 1_ic 1_jc x_i^T E[w w^T 1_c] x_j: (C, k, k)."""
    forms = np.array([w.x @ M @ w.x.T for M in second_moments(w, rows)], dtype=object)
    covariances: Numbers = forms * w.seen[:, :, None] * w.seen[:, None, :]
    return covariances
