"""The arc-cosine kernel of order 0 on activation cells: step features are constant there, so that counts suffice.

    phi(x_i, w) = 1[w.x_i >= 0] = s_ci in cell c,   Phi_c Phi_c^T = s_c s_c^T,   tau_c = s_c^T (K + lam I)^-1 s_c

The cells are those of the ReLU tangent features; only what is seen in each differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from reference.arc_cosine import arc_cosine_kernel_balls
from reference.arithmetic import Interval, ball, ball_inverse, interval, matrix_of_balls, precision
from reference.dominating import DominatingAtoms, rounded_up
from reference.orthants import cells, cells_balls
from reference.preconditions import Float64
from theorems.glss.sampling_instances import SamplingInstance

_BITS = 160  # working precision of the leverage, far beyond the 12 binary digits that it is rounded up to


@dataclass(frozen=True, kw_only=True, eq=False)
class StepWorld(SamplingInstance):
    """Step features of points of rank at most 3; q_tilde is q_lambda rounded up on each activation cell.

    Parameters
    ----------
    X : (n, d); any d up to three rows, any number of rows up to d = 3; a zero row is active everywhere
    """

    X: Float64


def step_grams(patterns: npt.NDArray[np.bool_]) -> Float64:
    """Give Phi_c Phi_c^T = s_c s_c^T of every cell: (C, n) -> (C, n, n)."""
    s = patterns.astype(np.float64)
    return s[:, :, None] * s[:, None, :]


def dominate_steps(X: Float64, lam: Fraction) -> DominatingAtoms:
    """Dominate the leverage of step features by dyadic numbers, proven with balls.

    Parameters
    ----------
    X : (n, d) float of rank at most 3, taken at its exact value
    lam : positive

    Returns
    -------
    atoms : in the order of `reference.orthants.cells(X)`; the cell that sees nothing is never drawn
    """
    if lam <= 0:
        raise ValueError(f"dominate_steps: lam must be positive, got lam = {lam}")
    found = cells(X)
    tau = rounded_up([upper for _, upper in step_leverage_balls(X, lam, found.patterns)])
    masses = cells_balls(X, _BITS)
    lower, upper = (sum((mass[side] * t for mass, t in zip(masses, tau, strict=True)), Fraction(0)) for side in (0, 1))
    value = np.array([float(t) for t in tau])
    mass = found.probability * value
    return DominatingAtoms(
        tau=tuple(tau),
        integral=(lower, upper),
        law=mass / mass.sum(),
        weights=np.divide(float(upper), value, out=np.zeros_like(value), where=value > 0),
    )


def step_leverage_balls(X: Float64, lam: Fraction, patterns: npt.NDArray[np.bool_]) -> list[Interval]:
    """Enclose s^T (K + lam I)^-1 s for every pattern s.

    Parameters
    ----------
    X : (n, d) float
    lam : positive
    patterns : (C, n) bool

    Returns
    -------
    tau : C pairs (lower, upper) of Fractions, lower >= 0
    """
    size, K = range(len(X)), arc_cosine_kernel_balls(X, 0, _BITS)
    with precision(_BITS):
        ridge = ball(lam, _BITS)
        inverse = ball_inverse(matrix_of_balls([[K[i, j] + ridge * (i == j) for j in size] for i in size]), _BITS)
        sums = inverse * matrix_of_balls([[ball(int(s[i]), _BITS) for s in patterns] for i in size])
        forms = [sum((sums[i, c] for i in size if s[i]), ball(0, _BITS)) for c, s in enumerate(patterns)]
    # tau >= 0 by definition, so a ball that reaches below 0 may be cut there
    return [(max(low, Fraction(0)), high) for low, high in map(interval, forms)]
