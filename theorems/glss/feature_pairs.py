"""Pairs (phi, p) with their kernels, as a user would hand them in, and what a proof must know about each.

    Laplace, Matern   phi(x, w) = (cos, sin)(2 pi w.x),          p heavy-tailed       (`reference.shift_invariant`)
    RandomPhase       phi(x, w) = sqrt 2 cos(2 pi (v.x + b)),    w = (v, b): v Gaussian, b uniform on [0, 1)
    Rectified         phi(x, w) = max(w.x, 0),                   p = N(0, I): the arc-cosine kernel of order 1

A family is data, so that an instance has a digest; `pair_of` gives its functions. Phases are reduced to a turn
exactly wherever float64 would lose digits, so that heavy tails cost no accuracy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from reference.arc_cosine import arc_cosine_features, arc_cosine_kernel, arc_cosine_kernel_error
from reference.gaussian_fourier import gaussian_kernel, gaussian_kernel_error, sample_frequencies
from reference.preconditions import UNIT_ROUNDOFF, Float64, exact_rows, gamma, inner
from reference.shift_invariant import (
    laplace_kernel,
    laplace_kernel_error,
    matern_kernel,
    matern_kernel_error,
    sample_laplace_frequencies,
    sample_matern_frequencies,
)
from reference.user_features import UserFeatures

_NEAR = 64.0  # turns up to which an inner product in float64 is accurate enough


@dataclass(frozen=True, kw_only=True)
class Laplace:
    """K = exp(-||x - z||_1 / sigma)."""

    sigma: float


@dataclass(frozen=True, kw_only=True)
class Matern:
    """The Matern kernel of smoothness nu = 1/2, 3/2 or 5/2."""

    sigma: float
    nu: float


@dataclass(frozen=True, kw_only=True)
class RandomPhase:
    """A user's own pair: one cosine with a random phase, as in scikit-learn's RBFSampler; K Gaussian."""

    sigma: float


@dataclass(frozen=True, kw_only=True)
class Rectified:
    """The arc-cosine kernel of order 1."""


Family: TypeAlias = Laplace | Matern | RandomPhase | Rectified


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """A pair (phi, p) and what bounds it.

    Parameters
    ----------
    features : phi, draws from p, the kernel and its error
    propose : (rng, m) -> draws from p g / E_p g, where the growth g compensates features that are not bounded
    growth : W -> (m,) g(w) > 0
    mean_growth : E_p g
    reach : X -> (n,) with ||phi(x_i, w)|| <= reach_i sqrt(g(w)), computed or true
    slip : X -> s with ||fl(Phi(w)) - Phi(w)||_F <= s sqrt(g(w)) for every w
    """

    features: UserFeatures
    propose: Callable[[np.random.Generator, int], Float64]
    growth: Callable[[Float64], Float64]
    mean_growth: float
    reach: Callable[[Float64], Float64]
    slip: Callable[[Float64], float]


def pair_of(family: Family, d: int) -> Pair:
    """Give the functions of a family on R^d."""
    match family:
        case Laplace(sigma=sigma):
            return _bounded(
                UserFeatures(
                    phi=waves,
                    sample=lambda rng, m: sample_laplace_frequencies(d, sigma, rng, m),
                    kernel=lambda X: laplace_kernel(X, sigma),
                    kernel_error=lambda X: laplace_kernel_error(X, sigma),
                ),
                most=1.0,
            )
        case Matern(sigma=sigma, nu=nu):
            return _bounded(
                UserFeatures(
                    phi=waves,
                    sample=lambda rng, m: sample_matern_frequencies(d, sigma, nu, rng, m),
                    kernel=lambda X: matern_kernel(X, sigma, nu),
                    kernel_error=lambda X: matern_kernel_error(X, sigma, nu),
                ),
                most=1.0,
            )
        case RandomPhase(sigma=sigma):
            return _bounded(
                UserFeatures(
                    phi=shifted_cosines,
                    sample=lambda rng, m: np.hstack([sample_frequencies(d, sigma, rng, m), rng.random((m, 1))]),
                    kernel=lambda X: gaussian_kernel(X, sigma),
                    kernel_error=lambda X: gaussian_kernel_error(X, sigma),
                ),
                most=float(np.sqrt(2)),
            )
        case Rectified():
            return Pair(
                features=UserFeatures(
                    phi=lambda X, W: arc_cosine_features(X, W, 1)[:, :, None],
                    sample=lambda rng, m: rng.standard_normal((m, d)),
                    kernel=lambda X: arc_cosine_kernel(X, 1),
                    kernel_error=lambda X: arc_cosine_kernel_error(X, 1),
                ),
                propose=lambda rng, m: longer_normals(d, rng, m),
                growth=lambda W: np.square(W).sum(axis=1),
                mean_growth=float(d),
                reach=lambda X: np.sqrt(np.square(X).sum(axis=1)) * (1 + gamma(2 * d + 8)),
                # an inner product is off by gamma_d |w||x|, and max(., 0) brings nothing further apart
                slip=lambda X: gamma(d) * float(np.linalg.norm(X)) * (1 + gamma(X.size + 8)),
            )


def _bounded(features: UserFeatures, *, most: float) -> Pair:
    """Complete a pair of bounded cosines and sines: g = 1, and each is off by at most most * delta.

    delta = 2 pi (gamma_{d+4} 64 + 2 u) + 20 u for phases near 0; farther ones are reduced exactly.
    """

    def slip(X: Float64) -> float:
        delta = 2 * np.pi * (gamma(X.shape[1] + 5) * _NEAR + 2 * UNIT_ROUNDOFF) + 20 * UNIT_ROUNDOFF
        return most * delta * float(np.sqrt(2 * len(X))) * (1 + gamma(16))

    return Pair(
        features=features,
        propose=features.draws,
        growth=lambda W: np.ones(len(W)),
        mean_growth=1.0,
        reach=lambda X: np.full(len(X), most * (1 + gamma(32))),
        slip=slip,
    )


def turns(X: Float64, W: Float64) -> Float64:
    """Give w_r.x_i less the nearest integer, (n, m) in [-1/2, 1/2].

    Up to 64 turns in float64, to within gamma_{d+1} 64; beyond in exact rationals, rounded once.
    """
    found = X @ W.T
    far = np.flatnonzero(np.sqrt(np.square(X).sum(axis=1).max() * np.square(W).sum(axis=1)) > _NEAR / 2)
    found -= np.rint(found)
    if far.size:
        rows, draws = exact_rows(X), exact_rows(W[far])
        for r, w in zip(far, draws, strict=True):
            whole = [inner(x, w) for x in rows]
            found[:, r] = [float(t - round(t)) for t in whole]
    return found


def waves(X: Float64, W: Float64) -> Float64:
    """Give (cos, sin)(2 pi w.x): (n, m, 2)."""
    angle = 2 * np.pi * turns(X, W)
    return np.stack([np.cos(angle), np.sin(angle)], axis=2)


def shifted_cosines(X: Float64, W: Float64) -> Float64:
    """Give sqrt 2 cos(2 pi (v.x + b)), w = (v, b): (n, m, 1)."""
    values: Float64 = np.sqrt(2) * np.cos(2 * np.pi * turns(np.hstack([X, np.ones((len(X), 1))]), W))
    return values[:, :, None]


def longer_normals(d: int, rng: np.random.Generator, m: int) -> Float64:
    """Draw from |w|^2 N(0, I_d) / d: a uniform direction, and a squared length chi^2 with d + 2 degrees of freedom."""
    W = rng.standard_normal((m, d))
    length: Float64 = np.sqrt(rng.chisquare(d + 2, m) / np.square(W).sum(axis=1))
    return W * length[:, None]
