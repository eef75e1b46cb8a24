"""Finitely many random features, drawn once and then taken at their float values: a finite world of the size of data.

    p_j = 1/N,   K = (1/N) sum_j Phi_j Phi_j^T,   tau_j = tr (K + lam I)^-1 Phi_j Phi_j^T

Once the pool is drawn it is the law, so that K, q_lambda and the sampling from it are exact up to rounding in any
dimension, where a grid of frequencies is out of reach. K approximates the kernel that the features came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.gaussian_fourier import fourier_features, sample_frequencies
from reference.leverage import leverage_relative_error
from reference.preconditions import SMALLEST_NORMAL, Float64, gamma, non_negative, points, real_array


@dataclass(frozen=True, kw_only=True, eq=False)
class RandomPool:
    """N features Phi_j, equally likely.

    Parameters
    ----------
    features : (N, d2, n) float, features[j] = Phi_j^T, taken at its exact value

    Raises
    ------
    ValueError : not three axes, an empty one, nan or infinity
    """

    features: Float64

    def __post_init__(self) -> None:
        real_array(self.features, "RandomPool: features", ndim=3)

    @property
    def n(self) -> int:
        """The number of data points."""
        return int(self.features.shape[2])

    @property
    def count(self) -> int:
        """The number N of features."""
        return len(self.features)

    def gram(self, weights: Any) -> Float64:
        """Sum weighted Gram matrices: sum_j weights_j Phi_j Phi_j^T; features of weight 0 cost nothing.

        Parameters
        ----------
        weights : (N,) float >= 0

        Returns
        -------
        G : (n, n), exactly symmetric, within `gram_error` of the truth
        """
        given = non_negative(weights, self.count, "RandomPool.gram: weights")
        used = np.flatnonzero(given)
        rows = (self.features[used] * np.sqrt(given[used])[:, None, None]).reshape(-1, self.n)
        G: Float64 = rows.T @ rows
        return (G + G.T) / 2  # a BLAS may sum (i, j) and (j, i) in different orders

    def gram_error(self, G: Float64) -> float:
        """Bound the floating-point error of a matrix that `gram` returned, in the spectral norm.

        ||fl(G) - G||_2 <= gamma_{N d2 + n + 16} tr G + underflow

        Notes
        -----
        Each of the at most N d2 terms of G_ik carries two roundings of a square root, two of its products, one of
        the product of both, those of the sum and one of the mean with G_ki, so G_ik is off by
        gamma sum |terms| <= gamma sqrt(G_ii G_kk): a rank-one matrix of norm gamma tr G. The rest of the index covers
        the trace itself.
        """
        terms = self.count * self.features.shape[1]
        bound: float = gamma(terms + self.n + 16) * float(np.trace(G)) + 4 * self.n * terms * SMALLEST_NORMAL
        return bound

    def kernel(self) -> Float64:
        """Give K = (1/N) sum_j Phi_j Phi_j^T, (n, n), within `gram_error(K)` of the truth."""
        return self.gram(np.full(self.count, 1 / self.count))

    def leverage(self, whitener: Any) -> Float64:
        """Give tau_j = ||B Phi_j||_F^2 of every feature.

        Parameters
        ----------
        whitener : B, (n, n), the function `whitener` of `reference.leverage` on the kernel of the pool

        Returns
        -------
        tau : (N,), within `leverage_error` of the truth, relatively; mean_j tau_j = s_lambda
        """
        B = points(whitener, "RandomPool.leverage: whitener")
        if B.shape != (self.n, self.n):
            raise ValueError(f"RandomPool.leverage: whitener must be {self.n} x {self.n}, got shape {B.shape}")
        tau: Float64 = np.square(self.features @ B.T).sum(axis=(1, 2))
        return tau

    def leverage_error(self, lam: float) -> float:
        """Bound the relative error of `leverage`; see `leverage_relative_error`."""
        K = self.kernel()
        return leverage_relative_error(K, lam, self.features.shape[1], self.gram_error(K))


def fourier_pool(X: Any, sigma: Any, N: int, rng: np.random.Generator) -> RandomPool:
    """Draw a pool of Gaussian Fourier features (cos, sin)(2 pi w.x), w ~ N(0, I / (2 pi sigma)^2).

    Its kernel is (1/N) sum_j cos 2 pi w_j.(x - z), close to exp(-||x - z||^2 / (2 sigma^2)) for large N.

    Parameters
    ----------
    X : (n, d) float
    sigma : bandwidth, positive
    N : number of features, at least 1; a power of two makes 1/N exact
    rng : source of randomness
    """
    if N < 1:
        raise ValueError(f"fourier_pool: N must be at least 1, got N = {N}")
    data = points(X, "fourier_pool: X")
    cos, sin = fourier_features(data, sample_frequencies(data.shape[1], sigma, rng, N))
    return RandomPool(features=np.stack([cos.T, sin.T], axis=1))
