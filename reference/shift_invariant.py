"""Two shift-invariant kernels besides the Gaussian, with the laws of their Fourier features.

    Laplace   k(x, z) = exp(-||x - z||_1 / sigma)              p: independent Cauchy coordinates, scale 1 / (2 pi sigma)
    Matern    k(x, z) = poly(a) exp(-a),                       p: multivariate t with 2 nu degrees of freedom,
              a = sqrt(2 nu) ||x - z||_2 / sigma                  scale 1 / (2 pi sigma)
              poly = 1 (nu = 1/2), 1 + a (3/2), 1 + a + a^2 / 3 (5/2)

Conventions of `gaussian_fourier`: k(x, z) = E_{w ~ p} cos(2 pi w.(x - z)), k(x, x) = 1, so its `fourier_features`,
`fourier_gram`, `complex_fourier_gram` and their tau serve here too. The laws have heavy tails: a frequency with
|w||x| > 2^50 has a phase of which float64 knows nothing; for |x| <= sigma that has probability of order d^1.5 2^-53.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import Ball, BallMatrix, ball
from reference.differences import far, kernel_balls, negligible, scaled_differences
from reference.preconditions import (
    SMALLEST_NORMAL,
    UNIT_ROUNDOFF,
    Float64,
    gamma,
    points,
    positive,
)


def laplace_kernel(X: Any, sigma: Any, Z: Any = None) -> Float64:
    """Give the Laplace kernel between two sets of points, or of one set with itself.

    K_ij = exp(-||x_i - z_j||_1 / sigma)

    Parameters
    ----------
    X : (n, d) float
    sigma : bandwidth, positive
    Z : (k, d) float; None for X itself

    Returns
    -------
    K : (n, k), in [0, 1]; exactly symmetric with unit diagonal when Z is None, and then within
        `laplace_kernel_error(X, sigma)`

    Raises
    ------
    OverflowError : a difference of coordinates exceeds the float range
    """
    kernel: Float64 = np.exp(-sum(np.abs(t) for t in scaled_differences(X, sigma, Z, "laplace_kernel")))
    return kernel


def laplace_kernel_error(X: Any, sigma: Any) -> float:
    """Bound the floating-point error of `laplace_kernel(X, sigma)` in the spectral norm.

    ||fl(K) - K||_2 <= (n - 1) (gamma_{d+2} / 2 + 8 u) + underflow

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    sigma : bandwidth, taken at its exact value

    Returns
    -------
    error : float >= 0

    Notes
    -----
    t = ||x - z||_1 / sigma is a sum of d terms >= 0 with two roundings each, so it is off by at most
    t gamma_{d+1}, and exp(-t) by at most max_t t e^-t gamma_{d+1} / (1 - gamma_{d+1}) < gamma_{d+2} / 2. exp itself
    adds 8 u. Quotients and values that underflow, and quotients that overflow (the kernel is below 2^-1022 then),
    cost at most d 2^-1022. The diagonal is exact, so the norm is at most n - 1 times the largest entry.
    """
    n, d = points(X, "laplace_kernel_error: X").shape
    positive(sigma, "laplace_kernel_error: sigma")
    error: float = (n - 1) * (gamma(d + 2) / 2 + 8 * UNIT_ROUNDOFF + d * SMALLEST_NORMAL) * (1 + gamma(8))
    return error


def laplace_kernel_balls(X: Any, sigma: Any, bits: int) -> BallMatrix:
    """Enclose the Laplace kernel matrix of the float data, entry by entry.

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    sigma : bandwidth, taken at its exact value
    bits : working precision

    Returns
    -------
    K : (n, n) ball matrix, symmetric ball by ball, unit diagonal
    """
    width = Fraction(positive(sigma, "laplace_kernel_balls: sigma"))

    def entry(differences: list[Fraction]) -> Ball:
        t = sum(map(abs, differences), Fraction(0)) / width
        return negligible(bits) if t > far(bits) else ball(-t, bits).exp()

    return kernel_balls(X, "laplace_kernel_balls", bits, entry)


def sample_laplace_frequencies(d: int, sigma: Any, rng: np.random.Generator, m: int) -> Float64:
    """Draw frequencies from the Laplace kernel's own law p.

    2 pi sigma w_j ~ Cauchy, independent coordinates

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
    return rng.standard_cauchy((m, d)) / (2 * np.pi * positive(sigma, "sample_laplace_frequencies: sigma"))


def laplace_density(W: Any, sigma: Any) -> Float64:
    """Give the density p of the Laplace kernel's frequencies.

    p(w) = prod_j 2 sigma / (1 + (2 pi sigma w_j)^2)

    Parameters
    ----------
    W : (m, d) float
    sigma : bandwidth, positive

    Returns
    -------
    p : (m,) float >= 0, with respect to Lebesgue measure on R^d
    """
    width = positive(sigma, "laplace_density: sigma")
    with np.errstate(over="ignore"):  # a square beyond the float range is a density of 0
        square = (2 * np.pi * width * points(W, "laplace_density: W")) ** 2
    density: Float64 = (2 * width / (1 + square)).prod(axis=1)
    return density


def matern_kernel(X: Any, sigma: Any, nu: Any, Z: Any = None) -> Float64:
    """Give the Matern kernel between two sets of points, or of one set with itself.

    K_ij = poly(a) exp(-a),   a = sqrt(2 nu) ||x_i - z_j||_2 / sigma

    Parameters
    ----------
    X : (n, d) float
    sigma : length scale, positive
    nu : smoothness, 1/2, 3/2 or 5/2
    Z : (k, d) float; None for X itself

    Returns
    -------
    K : (n, k), in [0, 1]; exactly symmetric with unit diagonal when Z is None, and then within
        `matern_kernel_error(X, sigma, nu)`

    Raises
    ------
    OverflowError : a difference of coordinates exceeds the float range

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equations (4.14) to (4.17)
    """
    freedom = _degrees_of_freedom(nu, "matern_kernel")
    with np.errstate(over="ignore"):  # cut below
        squares = sum(t * t for t in scaled_differences(X, sigma, Z, "matern_kernel"))
    # beyond 2000 exp(-a) is 0 in float64, which an infinite polynomial must not meet
    a = np.minimum(np.sqrt(freedom) * np.sqrt(squares), 2000.0)
    kernel: Float64 = _polynomial(a, freedom) * np.exp(-a)
    return kernel


def matern_kernel_error(X: Any, sigma: Any, nu: Any) -> float:
    """Bound the floating-point error of `matern_kernel(X, sigma, nu)` in the spectral norm.

    ||fl(K) - K||_2 <= (n - 1) (5/8 gamma_{d+20} + 13 u) + underflow

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    sigma : length scale, taken at its exact value
    nu : smoothness, 1/2, 3/2 or 5/2

    Returns
    -------
    error : float >= 0

    Notes
    -----
    ||x - z||^2 / sigma^2 is a sum of d terms >= 0 with five roundings each, its root carries (d + 4) / 2 u + 8 u,
    the root of 2 nu 8 u, the product u: a is off by at most a gamma_{d+19}. With f = poly(a) exp(-a), a |f'(a)| is
    at most 1/e, 4/e^2 and 0.605 for the three nu, so f moves by at most
    0.605 gamma_{d+19} / (1 - gamma_{d+19}) < 5/8 gamma_{d+20}. All terms of poly are positive: it carries 4
    roundings, exp 8 u, the product one, and f <= 1. A square that underflows moves a by at most
    sqrt(5 d) 2^-537, and |f'| <= 1. The diagonal is exact, so the norm is at most n - 1 times the largest entry.
    """
    n, d = points(X, "matern_kernel_error: X").shape
    positive(sigma, "matern_kernel_error: sigma")
    _degrees_of_freedom(nu, "matern_kernel_error")
    error: float = (n - 1) * (5 / 8 * gamma(d + 20) + 13 * UNIT_ROUNDOFF + d * 2.0**-535) * (1 + gamma(8))
    return error


def matern_kernel_balls(X: Any, sigma: Any, nu: Any, bits: int) -> BallMatrix:
    """Enclose the Matern kernel matrix of the float data, entry by entry.

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    sigma : length scale, taken at its exact value
    nu : smoothness, 1/2, 3/2 or 5/2
    bits : working precision

    Returns
    -------
    K : (n, n) ball matrix, symmetric ball by ball, unit diagonal
    """
    square_width = Fraction(positive(sigma, "matern_kernel_balls: sigma")) ** 2
    freedom = _degrees_of_freedom(nu, "matern_kernel_balls")

    def entry(differences: list[Fraction]) -> Ball:
        square = freedom * sum((t * t for t in differences), Fraction(0)) / square_width
        if square > far(bits) ** 2:
            return negligible(bits)
        a = ball(square, bits).sqrt()
        return _polynomial(a, freedom) * (-a).exp()

    return kernel_balls(X, "matern_kernel_balls", bits, entry)


def sample_matern_frequencies(d: int, sigma: Any, nu: Any, rng: np.random.Generator, m: int) -> Float64:
    """Draw frequencies from the Matern kernel's own law p.

    2 pi sigma w = g / sqrt(c / (2 nu)),   g ~ N(0, I_d),   c ~ chi^2 with 2 nu degrees of freedom

    Parameters
    ----------
    d : dimension of the data
    sigma : length scale, positive
    nu : smoothness, 1/2, 3/2 or 5/2
    rng : source of randomness
    m : number of draws

    Returns
    -------
    W : (m, d) float
    """
    width = positive(sigma, "sample_matern_frequencies: sigma")
    freedom = _degrees_of_freedom(nu, "sample_matern_frequencies")
    normal, scale = rng.standard_normal((m, d)), np.sqrt(rng.chisquare(freedom, (m, 1)) / freedom)
    frequencies: Float64 = normal / scale / (2 * np.pi * width)
    return frequencies


def matern_density(W: Any, sigma: Any, nu: Any) -> Float64:
    """Give the density p of the Matern kernel's frequencies.

    p(w) = (2 pi sigma)^d Gamma(nu + d/2) / (Gamma(nu) (2 nu pi)^(d/2)) (1 + |2 pi sigma w|^2 / (2 nu))^-(nu + d/2)

    Parameters
    ----------
    W : (m, d) float
    sigma : length scale, positive
    nu : smoothness, 1/2, 3/2 or 5/2

    Returns
    -------
    p : (m,) float >= 0, with respect to Lebesgue measure on R^d
    """
    draws, turn = points(W, "matern_density: W"), 2 * np.pi * positive(sigma, "matern_density: sigma")
    freedom, d = _degrees_of_freedom(nu, "matern_density"), draws.shape[1]
    power = (freedom + d) / 2
    constant = math.exp(math.lgamma(power) - math.lgamma(freedom / 2)) * (turn / math.sqrt(freedom * math.pi)) ** d
    with np.errstate(over="ignore"):  # a square beyond the float range is a density of 0
        density: Float64 = constant * (1 + ((turn * draws) ** 2).sum(axis=1) / freedom) ** -power
    return density


def _degrees_of_freedom(nu: Any, where: str) -> int:
    """Give 2 nu."""
    if nu not in (0.5, 1.5, 2.5):
        raise ValueError(f"{where}: nu must be 1/2, 3/2 or 5/2, got nu = {nu}")
    return int(2 * nu)


def _polynomial(a: Any, freedom: int) -> Any:
    """Give the polynomial of the Matern kernel, of floats or of a ball."""
    if freedom == 1:
        return 1
    return 1 + a if freedom == 3 else 1 + a + a * a / 3
