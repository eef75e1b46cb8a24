"""Drawing from q_bar = p tau / s_lambda itself: propose from p, keep with probability tau / envelope.

The envelopes are proven: no draw whatever has a larger leverage. They are what rejection costs, envelope / s_lambda
proposals per draw, and serve as tau_tilde where nothing better is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference.gaussian_fourier import gaussian_kernel, gaussian_kernel_error
from reference.leverage import whitener, whitening_residual
from reference.preconditions import Float64, gamma, points, positive
from reference.relu_tangent import tangent_kernel, tangent_kernel_error


def envelope_tangent(X: Any, lam: Any) -> float:
    """Bound tau of ReLU tangent features over all activation patterns, proven.

    max_s s^T M s <= (sum_ij M_ij + 2 sum_i |sum_j M_ij| + sum_ij |M_ij|) / 4,   M = (K + lam I)^-1 o X X^T

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    lam : positive float

    Returns
    -------
    envelope : float >= tau(w) for every w, the computed tau included

    Raises
    ------
    ArithmeticError : K + lam I is too ill-conditioned for float64

    Notes
    -----
    Put s = (1 + t) / 2 with signs t and bound the linear and the quadratic term separately; on random unit data it
    lies within 1.4 of the maximum over all 2^n patterns. M, made from the computed whitener B, carries at most
    n + d + 2 roundings per term, in the absolute values |B|^T |B| o |X| |X|^T; the sums and the computed tau add
    n^2 + 3n + d + 8 more; `whitening_residual` covers the step from B to the truth.
    """
    data = points(X, "envelope_tangent: X")
    n, d = data.shape
    K, error = tangent_kernel(data), tangent_kernel_error(data)
    B, r = whitener(K, lam), whitening_residual(K, lam, error)
    M = (B.T @ B) * (data @ data.T)
    size = float((np.abs(B).T @ np.abs(B) * (np.abs(data) @ np.abs(data).T)).sum())
    quarter = float(M.sum() + 2 * np.abs(M.sum(axis=1)).sum() + np.abs(M).sum()) / 4
    bound: float = (quarter + gamma(n * n + 4 * n + 2 * d + 16) * size) / (1 - r) * (1 + gamma(16))
    return bound


def envelope_fourier(X: Any, sigma: Any, lam: Any) -> float:
    """Bound tau of Fourier features over all frequencies, proven.

    max_w tau(w) <= min(n / lam, sum_ij |(K + lam I)^-1_ij|)

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    sigma : bandwidth
    lam : positive float

    Returns
    -------
    envelope : float >= tau(w) for every w, the computed tau included

    Raises
    ------
    ArithmeticError : K + lam I is too ill-conditioned for float64
    """
    data, ridge = points(X, "envelope_fourier: X"), positive(lam, "envelope_fourier: lam")
    K, error = gaussian_kernel(data, sigma), gaussian_kernel_error(data, sigma)
    B, r = whitener(K, ridge), whitening_residual(K, ridge, error)
    n = len(data)
    by_entries = float(absolute_form(B).sum()) / (1 - r)
    # the computed tau may exceed n / lam by the whitening error; the truth may not
    return min(by_entries, n / ridge / (1 - r)) * (1 + gamma(4 * n * n + 48 * n + 64))


def absolute_form(B: Float64) -> Float64:
    """Bound |B^T B| entry by entry: for |v_i| <= e_i, ||B v||^2 <= e^T (this) e, computed or true.

    The added term covers the rounding of B^T B, of B v (twice gamma_n), and entries of v off by 16 u.
    """
    return np.abs(B.T @ B) + gamma(4 * len(B) + 48) * (np.abs(B).T @ np.abs(B))


def rejection_sample(
    draw: Callable[[np.random.Generator, int], Float64],
    tau: Callable[[Float64], Float64],
    envelope: float,
    rng: np.random.Generator,
    m: int,
) -> tuple[Float64, Float64]:
    """Draw from q_bar = p tau / s_lambda: propose from p, keep with probability tau / envelope.

    Parameters
    ----------
    draw : (rng, k) -> (k, d) independent draws from p
    tau : (k, d) -> (k,), the leverage of each
    envelope : at least tau everywhere; the mean number of proposals is m envelope / s_lambda
    rng : source of randomness
    m : number of draws to return

    Returns
    -------
    W : (m, d), independent draws from q_bar
    tau : (m,), their leverage, positive; the weights are p / q_bar = s_lambda / tau

    Raises
    ------
    ValueError : the envelope is exceeded (with the value), or 2^20 proposals in a row were all refused
    """
    kept_draws: list[Float64] = []
    kept_tau: list[Float64] = []
    accepted, refused = 0, 0
    if m < 1:
        raise ValueError(f"rejection_sample: m must be at least 1, got m = {m}")
    while accepted < m:
        proposals = draw(rng, min(2**16, max(256, 2 * (m - accepted))))
        values = tau(proposals)
        if values.max() > envelope:
            raise ValueError(
                f"rejection_sample: envelope must bound tau, got envelope = {envelope}, tau = {values.max()}"
            )
        keep = rng.random(len(values)) * envelope < values
        kept_draws.append(proposals[keep])
        kept_tau.append(values[keep])
        refused = 0 if keep.any() else refused + len(values)
        accepted += int(keep.sum())
        if refused >= 2**20:
            raise ValueError(
                f"rejection_sample: tau must not be negligible against the envelope {envelope}; "
                f"{refused} proposals in a row were refused"
            )
    return np.concatenate(kept_draws)[:m], np.concatenate(kept_tau)[:m]
