"""The Gaussian kernel and its random Fourier features.

    k(x, z) = exp(-||x - z||^2 / (2 sigma^2)) = E_w cos(2 pi w.(x - z)),   w ~ N(0, I_d / (2 pi sigma)^2)

Two feature maps with the same tau: the real pair phi(x, w) = (cos 2 pi w.x, sin 2 pi w.x), d2 = 2, whose Gram
matrices are real, and the complex phi(x, w) = exp(-2 pi i w.x), d2 = 1, whose Gram matrices are Hermitian (every
^T of the theorem is then a ^*; GLSS, Remark 3.4). Both have ||phi|| = 1, so k(x, x) = 1.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Ball, BallMatrix, ball
from reference.differences import far, kernel_balls, negligible, scaled_differences
from reference.preconditions import (
    SMALLEST_NORMAL,
    UNIT_ROUNDOFF,
    Float64,
    gamma,
    non_negative,
    points,
    positive,
    same_dimension,
)
from reference.relu_tangent import chunks


def gaussian_kernel(X: Any, sigma: Any, Z: Any = None) -> Float64:
    """Give the kernel between two sets of points, or of one set with itself.

    K_ij = exp(-||x_i - z_j||^2 / (2 sigma^2))

    Parameters
    ----------
    X : (n, d) float
    sigma : bandwidth, positive
    Z : (k, d) float; None for X itself

    Returns
    -------
    K : (n, k), in [0, 1]; exactly symmetric with unit diagonal when Z is None, and then within
        `gaussian_kernel_error(X, sigma)`

    Raises
    ------
    OverflowError : a difference of points exceeds the float range
    """
    with np.errstate(over="ignore"):  # a distance of more than 2^512 bandwidths is a kernel value of 0
        squares = sum(t**2 for t in scaled_differences(X, sigma, Z, "gaussian_kernel"))
    kernel: Float64 = np.exp(-squares / 2)
    return kernel


def gaussian_kernel_error(X: Any, sigma: Any) -> float:
    """Bound the floating-point error of `gaussian_kernel(X, sigma)` in the spectral norm.

    ||fl(K) - K||_2 <= (n - 1) (gamma_{d+6} / 2 + 8 u) + underflow

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    sigma : bandwidth, taken at its exact value

    Returns
    -------
    error : float >= 0

    Notes
    -----
    Each term of t = ||x - z||^2 / (2 sigma^2) carries at most d + 5 roundings and none is negative, so t is off by
    at most t gamma_{d+5}, exp(-t) by at most t e^-t gamma_{d+5} e^(t gamma) <= gamma_{d+5} / e up to second
    order, and exp itself adds 8 u. The diagonal is exact. The error matrix is symmetric with zero diagonal, so
    its spectral norm is at most n - 1 times its largest entry. Where exp or a square underflows (or a distance
    overflows) the value is off by at most d 2^-1022 instead.
    """
    n, d = points(X, "gaussian_kernel_error: X").shape
    positive(sigma, "gaussian_kernel_error: sigma")
    error: float = (n - 1) * (gamma(d + 6) / 2 + 8 * UNIT_ROUNDOFF + d * SMALLEST_NORMAL) * (1 + gamma(8))
    return error


def gaussian_kernel_balls(X: Any, sigma: Any, bits: int) -> BallMatrix:
    """Enclose the kernel matrix of the float data, entry by entry.

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    sigma : bandwidth, taken at its exact value
    bits : working precision

    Returns
    -------
    K : (n, n) ball matrix, symmetric ball by ball, unit diagonal
    """
    twice_square = 2 * Fraction(positive(sigma, "gaussian_kernel_balls: sigma")) ** 2

    def entry(differences: list[Fraction]) -> Ball:
        t = sum((x * x for x in differences), Fraction(0)) / twice_square
        return negligible(bits) if t > far(bits) else ball(-t, bits).exp()

    return kernel_balls(X, "gaussian_kernel_balls", bits, entry)


def sample_frequencies(d: int, sigma: Any, rng: np.random.Generator, m: int) -> Float64:
    """Draw frequencies from the kernel's own law p.

    w ~ N(0, I_d / (2 pi sigma)^2)

    Parameters
    ----------
    d : dimension of the data
    sigma : bandwidth, positive
    rng : source of randomness
    m : number of draws

    Returns
    -------
    W : (m, d) float
    """
    return rng.standard_normal((m, d)) / (2 * np.pi * positive(sigma, "sample_frequencies: sigma"))


def fourier_features(X: Any, W: Any) -> tuple[Float64, Float64]:
    """Give cosine and sine of every point at every frequency.

    phi(x_i, w_r) = (cos 2 pi w_r.x_i, sin 2 pi w_r.x_i);   the complex feature is cos - i sin

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float, one frequency per row

    Returns
    -------
    cos, sin : (n, m) each, in [-1, 1], within 2 pi gamma_{d+1} |w||x| + 16 u of the truth; not divided by sqrt(m)
    """
    data, draws = points(X, "fourier_features: X"), points(W, "fourier_features: W")
    same_dimension(data, draws, "fourier_features: W")
    turns = data @ draws.T
    # whole turns drop out without rounding, so large phases cost no accuracy beyond the inner product's
    turns -= np.rint(turns)
    turns *= 2 * np.pi
    return np.cos(turns), np.sin(turns)


def fourier_gram(X: Any, W: Any, weights: Any) -> Float64:
    """Give the Gram matrix of weighted real features, streamed: never n x m numbers at once.

    Psi Psi^T = (C diag(weights) C^T + S diag(weights) S^T) / m

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float
    weights : (m,) float >= 0, p / q_bar at the draws; ones when w ~ p

    Returns
    -------
    Psi Psi^T : (n, n), exactly symmetric, positive semidefinite up to rounding; divided by m
    """
    data, draws, root = _weighted_draws(X, W, weights, "fourier_gram")
    total = np.zeros((len(data), len(data)))
    for block in chunks(len(draws)):
        features = np.hstack(fourier_features(data, draws[block])) * np.tile(root[block], 2)
        total += features @ features.T
    return total / len(draws)


def complex_fourier_gram(X: Any, W: Any, weights: Any) -> npt.NDArray[np.complex128]:
    """Give the Gram matrix of weighted complex features, streamed; its real part is `fourier_gram`.

    Psi Psi^* = Z diag(weights) Z^* / m,   Z = C - i S

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float
    weights : (m,) float >= 0, p / q_bar at the draws

    Returns
    -------
    Psi Psi^* : (n, n), exactly Hermitian, positive semidefinite up to rounding; divided by m
    """
    data, draws, root = _weighted_draws(X, W, weights, "complex_fourier_gram")
    mixed = np.zeros((len(data), len(data)))
    for block in chunks(len(draws)):
        c, s = fourier_features(data, draws[block])
        mixed += (c * root[block]) @ (s * root[block]).T
    return fourier_gram(data, draws, weights) + 1j * (mixed - mixed.T) / len(draws)


def _weighted_draws(X: Any, W: Any, weights: Any, where: str) -> tuple[Float64, Float64, Float64]:
    """Read the arguments of a weighted Gram matrix; the third is sqrt(weights)."""
    data, draws = points(X, f"{where}: X"), points(W, f"{where}: W")
    same_dimension(data, draws, f"{where}: W")
    return data, draws, np.sqrt(non_negative(weights, len(draws), f"{where}: weights"))
