"""Random features drawn one by one from q_bar, with proven errors: a grid of frequencies, or rejection from p."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from reference import arithmetic
from reference.arithmetic import Interval
from reference.dominating import envelope_fourier, envelope_tangent, rejection_sample
from reference.dominating_grid import piecewise_constant
from reference.gaussian_fourier import fourier_gram, gaussian_kernel, gaussian_kernel_error, sample_frequencies
from reference.leverage import (
    fourier_leverage,
    leverage_relative_error,
    statistical_dimension_enclosure,
    tangent_leverage,
    whitener,
    whitening_residual,
)
from reference.preconditions import UNIT_ROUNDOFF, Float64, gamma
from reference.rejection import absolute_form
from reference.relu_tangent import chunks, tangent_gram, tangent_kernel, tangent_kernel_error
from theorems.glss.feature_pairs import pair_of
from theorems.glss.sampling_instances import FourierData, PairData, TangentData

# Cells of the piecewise-constant q_tilde, by dimension. Measured at n = 8, lambda = ||K||/100, s_q_tilde exceeds
# s_lambda by .06 % in one dimension and 3 % in two; in three, 32768 cells cost 53 %.
GRID_CELLS = {1: 2**13, 2: 2**16, 3: 2**18}


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """Features drawn one by one.

    Parameters
    ----------
    K : (n, n), within `K_radius` of the truth in the spectral norm
    whitener : B with B (K + lam I) B^T = I, up to `residual` in norm
    trace : around tr (K + lam I)^-1 Psi Psi^T, the same in every draw where q_tilde is a multiple of q_lambda, or as
        good as one; None where it is only known to be at most s_q_tilde
    draw : (m, rng) -> frequencies or neurons (m, d), weights p/q_bar (m,)
    gram : (W, weights) -> Psi Psi^T
    relative : bound of the relative error of the weights
    feature_error : (W, weights) -> bound of what rounded features cost Psi Psi^T, in the spectral norm
    """

    K: Float64
    K_radius: float
    whitener: Float64
    residual: float
    trace: Interval | None
    s_lambda: Interval
    s_q_tilde: Interval
    draw: Callable[[int, np.random.Generator], tuple[Float64, Float64]]
    gram: Callable[[Float64, Float64], Float64]
    relative: float
    feature_error: Callable[[Float64, Float64], float]


@lru_cache(maxsize=8)
def stream_of(x: TangentData | FourierData | PairData) -> Stream:
    """Prepare the sampler: a grid for frequencies in d <= 3, else rejection from p under a proven envelope.

    With rejection, q_tilde = p tau_float (1 + 2 eta), where eta bounds the relative error of the computed tau: it
    dominates q_lambda, its integral is s_lambda (1 + 2 eta) up to a factor in [1 - eta, 1 + eta], and the weights
    s_q_tilde / tau_tilde = s_lambda / tau_float are right up to a factor in [1 - 2 eta, 1 + 2 eta].
    """
    lam, X = float(x.lam), x.X
    if Fraction(lam) != x.lam:
        raise ValueError(f"stream_of: lambda must be a float64 number on streamed data, got lambda = {x.lam}")
    if isinstance(x, PairData):
        return _stream_of_pair(x, lam)
    if isinstance(x, FourierData):
        K, radius = gaussian_kernel(X, x.sigma), gaussian_kernel_error(X, x.sigma)
    else:
        K, radius = tangent_kernel(X), tangent_kernel_error(X)
    s_lambda = statistical_dimension_enclosure(K, radius, x.lam)
    middle = float(sum(s_lambda) / 2)
    width = float((s_lambda[1] - s_lambda[0]) / s_lambda[0])
    B, on_a_grid = whitener(K, lam), isinstance(x, FourierData) and X.shape[1] in GRID_CELLS
    if isinstance(x, FourierData) and on_a_grid:
        grid = piecewise_constant(X, x.sigma, lam, GRID_CELLS[X.shape[1]])
        s_q_tilde, relative = grid.integral, float((grid.integral[1] - grid.integral[0]) / grid.integral[0])
        draw: Callable[[int, np.random.Generator], tuple[Float64, Float64]] = grid.sample
    else:
        eta = leverage_relative_error(K, lam, X.shape[1], radius)
        if isinstance(x, FourierData):
            eta += _fourier_leverage_error(X, x.sigma, K, lam, B)
        exact_eta = Fraction(eta)
        s_q_tilde = (
            s_lambda[0] * (1 - exact_eta) * (1 + 2 * exact_eta),
            s_lambda[1] * (1 + exact_eta) * (1 + 2 * exact_eta),
        )
        relative = width + 3 * eta
        if isinstance(x, FourierData):
            sigma, envelope = x.sigma, envelope_fourier(X, x.sigma, lam)

            def draw(m: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
                W, tau = rejection_sample(
                    lambda g, k: sample_frequencies(X.shape[1], sigma, g, k),
                    lambda W: fourier_leverage(X, W, B),
                    envelope,
                    rng,
                    m,
                )
                return W, middle / tau
        else:
            ceiling = envelope_tangent(X, lam)

            def draw(m: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
                W, tau = rejection_sample(
                    lambda g, k: g.standard_normal((k, X.shape[1])),
                    lambda W: tangent_leverage(X, W, B),
                    ceiling,
                    rng,
                    m,
                )
                return W, middle / tau

    fourier = isinstance(x, FourierData)
    return Stream(
        K=K,
        K_radius=radius,
        whitener=B,
        residual=whitening_residual(K, lam, radius),
        trace=None if on_a_grid else s_lambda,
        s_lambda=s_lambda,
        s_q_tilde=s_q_tilde,
        draw=draw,
        gram=(lambda W, r: fourier_gram(X, W, r)) if fourier else (lambda W, r: tangent_gram(X, W, r)),
        relative=relative,
        feature_error=lambda W, weights: _fourier_gram_error(X, W, weights) if fourier else 0.0,
    )


def _fourier_gram_error(X: Float64, W: Float64, weights: Float64) -> float:
    """Bound what rounded cosines and sines cost: rows off by delta in both entries move a Gram matrix by 3 n delta."""
    delta = _fourier_error(X, float(np.sqrt((W * W).sum(axis=1).max())))
    return float(3 * len(X) * delta * weights.mean() * (1 + gamma(len(W) + 16)))


def _stream_of_pair(x: PairData, lam: float) -> Stream:
    """Prepare rejection for a pair (phi, p), with a q_tilde that dominates at every w, however small phi(w) is.

    q_tilde = p T,   T(w) = (||B Phi(w)||_F + c sqrt(g(w)))^2 k >= tau(w),   computed,
    c = ||B||_F (slip + gamma_{n+8} ||reach||),   k = (1 + gamma_{d+32}) / (1 - r),   r = `whitening_residual`

    c covers what rounding moves B Phi, and k what it moves the rest, the growth g included. By Minkowski

    s_lambda <= int q_tilde <= (sqrt((1 + r) s_lambda) + 2 c sqrt(E_p g))^2 k (1 + gamma_{d+32})

    A draw has T(w) <= theta g(w) with probability at most theta E_p g / s_q_tilde. Up to theta = (2^26 c)^2, which is
    of the order 1e-11, each weighted trace s_q_tilde tau / T lies within 2^-24 of s_q_tilde, relatively.
    """
    X, d = x.X, x.X.shape[1]
    pair = pair_of(x.family, d)
    K, radius = pair.features.kernel_matrix(X)
    s_lambda = statistical_dimension_enclosure(K, radius, x.lam)
    B, r = whitener(K, lam), whitening_residual(K, lam, radius)
    reach = pair.reach(X)
    size = float(np.linalg.norm(reach))
    c = float(np.linalg.norm(B)) * (pair.slip(X) + gamma(len(X) + 8) * size) * (1 + gamma(len(X) ** 2 + 16))
    k = (1 + gamma(d + 32)) / (1 - r)

    def over_growth(W: Float64) -> Float64:
        whitened = [np.tensordot(B, pair.features.features(X, W[block]), axes=1) for block in chunks(len(W))]
        norms = np.concatenate([np.sqrt(np.square(part).sum(axis=(0, 2))) for part in whitened])
        ratio: Float64 = (norms / np.sqrt(pair.growth(W)) + c) ** 2 * k
        return ratio

    # tau <= ||Phi||^2 / lam and, entry by entry, reach^T |(K + lam I)^-1| reach, per unit of growth
    most = min(float(reach @ absolute_form(B) @ reach), size**2 / lam * (1 + r)) * (1 + gamma(len(X) ** 2 + 16))
    ceiling = (float(np.sqrt(most)) + 2 * c) ** 2 * k * (1 + gamma(16))
    above = arithmetic.enclose(
        lambda s, added, factor: (s.sqrt() + added) ** 2 * factor,
        s_lambda[1] * (1 + Fraction(r)),
        Fraction(2 * c * float(np.sqrt(pair.mean_growth)) * (1 + gamma(8))),
        Fraction(k) * (1 + Fraction(gamma(d + 32))),
    )[1]

    def draw(m: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
        W, ratio = rejection_sample(pair.propose, over_growth, ceiling, rng, m)
        return W, float(above) / (ratio * pair.growth(W))

    def error(W: Float64, weights: Float64) -> float:
        """Bound the mean of weight (2 ||Phi|| slip + slip^2) g."""
        slip = pair.slip(X)
        return float((weights * pair.growth(W)).mean() * (3 * size * slip + slip**2)) * (1 + gamma(len(W) + d + 16))

    return Stream(
        K=K,
        K_radius=radius,
        whitener=B,
        residual=r,
        trace=(s_lambda[0] * (1 - Fraction(1, 2**23)), above),
        s_lambda=s_lambda,
        s_q_tilde=(s_lambda[0], above),
        draw=draw,
        gram=lambda W, weights: pair.features.gram(X, W, weights),
        relative=float((above - s_lambda[0]) / s_lambda[0]) + gamma(2 * d + 48),
        feature_error=error,
    )


def _fourier_error(X: Float64, frequency: float) -> float:
    """Bound the error of each cosine and sine up to a frequency's norm, see `reference.gaussian_fourier`."""
    reach = float(np.sqrt((X * X).sum(axis=1).max()))
    return 2 * np.pi * gamma(X.shape[1] + 4) * reach * frequency + 20 * UNIT_ROUNDOFF


def _fourier_leverage_error(X: Float64, sigma: float, K: Float64, lam: float, B: Float64) -> float:
    """Bound the relative error that rounded cosines and sines cause in tau.

    Features off by e with ||e|| <= sqrt(2n) delta move ||B phi|| >= sqrt(n / ||A||) by at most ||B|| ||e||: a
    relative x = sqrt(2 ||A||) ||B|| delta, and 2x + x^2 <= 3x in the square. delta is taken at the norm
    (sqrt(d) + 12) / (2 pi sigma), which a frequency exceeds with probability below e^-72.
    """
    delta = _fourier_error(X, (np.sqrt(X.shape[1]) + 12) / (2 * np.pi * sigma))
    x = float(np.sqrt(2 * (np.abs(K).sum(axis=1).max() + lam) * np.square(B).sum())) * delta
    if not x < 1 / 8:
        raise ValueError(
            f"stream_of: X must lie closer to the origin against sigma = {sigma}: features are off by {delta:.2g}"
        )
    return 3 * x
