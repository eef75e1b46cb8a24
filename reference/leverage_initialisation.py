"""Neurons drawn by leverage, for the reweighed network of Definition 3.8.

    w_r ~ q = q_lambda / s_lambda = p tau / s_lambda,   omega_r = sqrt(p / q)(w_r) = sqrt(s_lambda / tau(w_r))

tau is constant on activation cells and on rays, so in the plane q is a mixture of arcs: arc c with probability
P_c tau_c / s_lambda, its direction uniform and its length as under p = N(0, I). Elsewhere q is drawn by rejection from
p under a proven envelope. Both are exact but for the rounding of the floats. Neurons that see no data point are never
drawn: q vanishes there, and so does every feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.activation_cells import plane_cells
from reference.leverage import cell_leverage, statistical_dimension, tangent_leverage, whitener
from reference.preconditions import Float64, points
from reference.rejection import envelope_tangent, rejection_sample
from reference.relu_tangent import tangent_kernel


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightedNeurons:
    """Independent draws from q with their frozen weights.

    Parameters
    ----------
    W : (m, d), w_r(0)
    omega : (m,), sqrt(p/q)(w_r(0)) > 0; E omega^2 = P(w sees some x_i) <= 1
    """

    W: Float64
    omega: Float64


def leverage_initialisation(X: Any, lam: Any, m: int, rng: np.random.Generator) -> WeightedNeurons:
    """Draw neurons from the ridge leverage density of the tangent kernel.

    Parameters
    ----------
    X : (n, d) float
    lam : positive float
    m : how many, >= 1
    rng : source of randomness

    Returns
    -------
    neurons : `WeightedNeurons`

    Raises
    ------
    ValueError : all rows of X are zero, nothing to draw; m < 1
    ArithmeticError : d != 2 and K + lam I is too ill-conditioned for float64

    References
    ----------
    GLSS, equation (9) and Definition 3.8
    """
    data = points(X, "leverage_initialisation: X")
    if m < 1:
        raise ValueError(f"leverage_initialisation: m must be at least 1, got m = {m}")
    if not data.any():
        raise ValueError("leverage_initialisation: X must have a row that is not zero, got none")
    K = tangent_kernel(data)
    W, tau = _from_arcs(data, K, lam, m, rng) if data.shape[1] == 2 else _by_rejection(data, K, lam, m, rng)
    return WeightedNeurons(W=W, omega=np.sqrt(statistical_dimension(K, lam) / tau))


def _by_rejection(X: Float64, K: Float64, lam: Any, m: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
    B = whitener(K, lam)
    return rejection_sample(
        lambda source, k: source.standard_normal((k, X.shape[1])),
        lambda W: tangent_leverage(X, W, B),
        envelope_tangent(X, lam),
        rng,
        m,
    )


def _from_arcs(X: Float64, K: Float64, lam: Any, m: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
    cells = plane_cells(X)
    tau = np.maximum(cell_leverage(cells, X, K, lam), 0)
    mass = cells.probability * tau
    arc = rng.choice(len(mass), size=m, p=mass / mass.sum())
    # arcs follow each other counterclockwise from the first boundary in the upper half plane
    first = min(np.arctan2(a, -b) % np.pi for a, b in X if a or b)
    ends = first + 2 * np.pi * np.cumsum(cells.probability)
    angle = ends[arc] - 2 * np.pi * cells.probability[arc] * rng.random(m)
    length = np.sqrt(rng.chisquare(2, m))
    return length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), tau[arc]
