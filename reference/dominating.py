"""Functions q_tilde = p tau_tilde >= q_lambda, their integrals, and how to draw from q_bar = q_tilde / s_q_tilde.

Theorem 3.3 allows any dominating function and pays for it only through the integral s_q_tilde. So each case takes
the one it can draw from: dyadic values on finitely many atoms or activation cells, a piecewise constant on a grid
of frequencies, and tau itself, through rejection from p under a proven envelope. Domination is proven: float
values of tau are never trusted without their error bound. tau_tilde = 0 means never drawn, and only where tau = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Exact, Interval, ball, ball_inverse, exact, interval, matrix_of_balls, precision
from reference.dominating_grid import PiecewiseConstant, piecewise_constant
from reference.finite_features import FiniteFeatures
from reference.orthants import cells, cells_balls
from reference.preconditions import Float64, exact_rows, inner, points
from reference.rejection import envelope_fourier, envelope_tangent, rejection_sample
from reference.relu_tangent import tangent_kernel_balls

__all__ = [
    "DominatingAtoms",
    "PiecewiseConstant",
    "dominate_cells",
    "dominate_features",
    "envelope_fourier",
    "envelope_tangent",
    "piecewise_constant",
    "rejection_sample",
    "rounded_up",
]


def rounded_up(tau: Sequence[Exact], bits: int = 12) -> list[Fraction]:
    """Round every value up to a multiple of 2^-bits.

    Parameters
    ----------
    tau : (J,) exact numbers >= 0
    bits : binary digits after the point; 12 costs the integral at most 2^-12

    Returns
    -------
    tau_tilde : (J,) dyadic Fractions, tau_j <= tau_tilde_j < tau_j + 2^-bits; 0 stays 0
    """
    values = [exact(x) for x in tau]
    if any(x < 0 for x in values):
        raise ValueError(f"rounded_up: tau must be >= 0, got {min(values)}")
    return [Fraction(ceil(x * 2**bits), 2**bits) for x in values]


@dataclass(frozen=True, kw_only=True, eq=False)
class DominatingAtoms:
    """A dominating function on finitely many atoms (or cells), with its sampler.

    Parameters
    ----------
    tau : (J,) Fractions, tau_tilde_j >= tau_j
    integral : (lower, upper) around s_q_tilde = sum_j p_j tau_tilde_j; equal ends when p is rational
    law : (J,) float, q_bar_j = p_j tau_tilde_j / s_q_tilde, summing to 1; relative error below 2^-47
    weights : (J,) float, p / q_bar = s_q_tilde / tau_tilde_j; 0 on atoms that are never drawn
    """

    tau: tuple[Fraction, ...]
    integral: Interval
    law: Float64
    weights: Float64

    def counts(self, m: int, trials: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Count the atoms among m draws from q_bar, `trials` times over: (trials, J) int64, rows summing to m."""
        return rng.multinomial(m, self.law, size=trials)


def dominate_features(features: FiniteFeatures, lam: Exact, bits: int = 12) -> DominatingAtoms:
    """Dominate the leverage of finite features by dyadic numbers, exactly.

    Parameters
    ----------
    features : a finite world
    lam : positive exact number
    bits : see `rounded_up`

    Raises
    ------
    ValueError : K = 0, nothing to draw
    """
    tau = rounded_up(features.leverage(lam), bits)
    integral = sum((p * t for p, t in zip(features.p, tau, strict=True)), Fraction(0))
    return _atoms(features.float_p(), tau, (integral, integral))


def dominate_cells(X: Any, lam: Exact, bits: int = 12) -> DominatingAtoms:
    """Dominate the leverage of the activation cells of data of rank at most 3 by dyadic numbers, proven with balls.

    Parameters
    ----------
    X : (n, d) float of rank at most 3, taken at its exact value
    lam : positive exact number
    bits : see `rounded_up`

    Returns
    -------
    atoms : in the order of `reference.orthants.cells(X)`

    Raises
    ------
    ValueError : all rows are zero, nothing to draw
    """
    found, working_bits = cells(X), 160
    tau = rounded_up([upper for _, upper in _cell_leverage_balls(X, exact(lam), found.patterns, working_bits)], bits)
    masses = cells_balls(X, working_bits)
    lower, upper = (sum((mass[side] * t for mass, t in zip(masses, tau, strict=True)), Fraction(0)) for side in (0, 1))
    return _atoms(found.probability, tau, (lower, upper))


def _atoms(p: Float64, tau: list[Fraction], integral: Interval) -> DominatingAtoms:
    if not integral[0] > 0:
        raise ValueError("dominating: K must not be zero: there is nothing to draw")
    value = np.array([float(t) for t in tau])
    mass = p * value
    return DominatingAtoms(
        tau=tuple(tau),
        integral=integral,
        law=mass / mass.sum(),
        weights=np.divide(float(integral[1]), value, out=np.zeros_like(value), where=value > 0),
    )


def _cell_leverage_balls(X: Any, lam: Fraction, patterns: npt.NDArray[np.bool_], bits: int) -> list[Interval]:
    """Enclose s^T ((K + lam I)^-1 o X X^T) s for every pattern s."""
    if lam <= 0:
        raise ValueError(f"dominate_cells: lam must be positive, got lam = {lam}")
    rows = exact_rows(points(X, "dominate_cells: X"))
    size = range(len(rows))
    K = tangent_kernel_balls(X, bits)
    with precision(bits):
        ridge = ball(lam, bits)
        inverse = ball_inverse(matrix_of_balls([[K[i, j] + ridge * (i == j) for j in size] for i in size]), bits)
        form = matrix_of_balls([[inverse[i, j] * ball(inner(rows[i], rows[j]), bits) for j in size] for i in size])
        sums = form * matrix_of_balls([[ball(int(s[i]), bits) for s in patterns] for i in size])
        forms = [sum((sums[i, c] for i in size if s[i]), ball(0, bits)) for c, s in enumerate(patterns)]
    # tau >= 0 by definition, so a ball that reaches below 0 may be cut there
    return [(max(low, Fraction(0)), high) for low, high in map(interval, forms)]
