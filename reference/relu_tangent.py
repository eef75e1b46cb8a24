"""The tangent kernel of a two-layer ReLU network with a frozen second layer, and its random features.

    phi(x, w) = x 1[w.x >= 0],   w ~ N(0, I_d)        (d2 = d features per draw)
    K(x, z)   = E_w <phi(x, w), phi(z, w)> = x.z (pi - theta) / (2 pi),   theta the angle between x and z

It owns K (called H_cts when it is the limit of training). Convention: sigma'(0) = 1, so a zero row is active
everywhere and contributes 0. Per draw, not per sample: ||x||^2 / 2 on the diagonal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import BallMatrix, ball, matrix_of_balls, pi, precision
from reference.preconditions import (
    SMALLEST_NORMAL,
    Float64,
    exact_rows,
    gamma,
    inner,
    non_negative,
    points,
    same_dimension,
)

CHUNK = 2048  # draws at a time: a block of 2048 columns stays in cache for n up to a few hundred


def angle(x: Any, z: Any) -> Float64:
    """Give the angle between vectors, accurate also near 0 and pi.

    theta = 2 atan2(|| x |z| - z |x| ||, || x |z| + z |x| ||)     (Kahan)

    Parameters
    ----------
    x : (n, d) float, no row zero
    z : (k, d) float, no row zero

    Returns
    -------
    theta : (n, k), each in [0, pi], within 5 gamma_{d+10} of the truth

    Raises
    ------
    ValueError : a zero row has no angle

    Notes
    -----
    arccos(x.z / |x||z|) loses half the digits near 0 and pi: at theta = 1e-8 it returns 0.
    """
    left, right = points(x, "angle: x"), points(z, "angle: z")
    same_dimension(left, right, "angle: z")
    for name, rows in (("x", left), ("z", right)):
        zero = np.flatnonzero(~rows.any(axis=1))
        if len(zero):
            raise ValueError(f"angle: {name} must have no zero row, got one at {zero[0]}")
    return _angles(_scaled(left)[0], _scaled(right)[0])


def tangent_kernel(X: Any, Z: Any = None) -> Float64:
    """Give the kernel between two sets of points, or of one set with itself.

    K_ij = x_i.z_j (pi - theta_ij) / (2 pi), and 0 when x_i = 0 or z_j = 0

    Parameters
    ----------
    X : (n, d) float
    Z : (k, d) float; None for X itself

    Returns
    -------
    K : (n, k); exactly symmetric when Z is None, and then within `tangent_kernel_error(X)`

    Raises
    ------
    OverflowError : an inner product exceeds the float range

    References
    ----------
    GLSS, equation (8)
    """
    left = points(X, "tangent_kernel: X")
    right = left if Z is None else points(Z, "tangent_kernel: Z")
    same_dimension(left, right, "tangent_kernel: Z")
    (x, x_power), (z, z_power) = _scaled(left), _scaled(right)
    scaled = x @ z.T * (np.pi - _angles(x, z)) / (2 * np.pi)
    with np.errstate(over="ignore"):  # refused by name on the next line
        K: Float64 = np.ldexp(scaled, x_power[:, None] + z_power[None, :])
    if not np.isfinite(K).all():
        raise OverflowError("tangent_kernel: an inner product exceeds the float range; scale X")
    if Z is None:
        # a BLAS may sum (i, j) and (j, i) in different orders
        K = np.tril(K) + np.tril(K, -1).T
    return K


def _scaled(X: Float64) -> tuple[Float64, npt.NDArray[np.int64]]:
    """Scale each row by a power of two to largest entry in [1/2, 1): norms then neither over- nor underflow."""
    _, power = np.frexp(np.abs(X).max(axis=1))
    return np.ldexp(X, -power[:, None]), power.astype(np.int64)


def _angles(x: Float64, z: Float64) -> Float64:
    """Give Kahan's angle for scaled rows; 0 where a row is zero."""
    x_norm, z_norm = np.sqrt((x * x).sum(axis=1)), np.sqrt((z * z).sum(axis=1))
    theta = np.empty((len(x), len(z)))
    # 64 rows and one coordinate at a time: the blocks stay in cache, five times as fast at n = 2000
    for start in range(0, len(x), 64):
        rows = slice(start, start + 64)
        difference, total = np.zeros_like(theta[rows]), np.zeros_like(theta[rows])
        for coordinate in range(x.shape[1]):
            a, b = np.outer(x[rows, coordinate], z_norm), np.outer(x_norm[rows], z[:, coordinate])
            difference += (a - b) ** 2
            total += (a + b) ** 2
        theta[rows] = 2 * np.arctan2(np.sqrt(difference), np.sqrt(total))
    return theta


def tangent_kernel_error(X: Any) -> float:
    """Bound the floating-point error of `tangent_kernel(X)` in the spectral norm.

    ||fl(K) - K||_2 <= 2 gamma_{d+16} sum_i ||x_i||^2 + underflow

    Parameters
    ----------
    X : (n, d) float, taken at its exact value

    Returns
    -------
    error : float >= 0

    Notes
    -----
    Derivation, for rows scaled by powers of two (exact). Write N = |x||z|.
    (1) The entries of p = x|z| and q = z|x| carry at most d + 2 roundings, so (p - q, p + q) is off by at most
        2 gamma_{d+2} N in norm; computing S = ||p - q|| and C = ||p + q|| from them adds gamma_{d+3} relative.
        The truth lies on the circle S^2 + C^2 = 4 N^2, so the point (S, C) moves by at most 2 gamma_{d+4} of
        its radius, theta = 2 atan2(S, C) by at most 4 gamma_{d+4} and second-order terms, and atan2 itself
        adds 8 u theta: |d theta| <= 5 gamma_{d+3} + 8 pi u <= 5 gamma_{d+10}.
    (2) g = (pi - theta) / (2 pi) lies in [0, 1/2] and is off by at most
        5 gamma_{d+10} / (2 pi) + 3 u <= gamma_{d+14}.
    (3) The inner product is off by at most gamma_d N, and |x.z| <= N. So the entry is off by at most
        N (gamma_d / 2 + gamma_{d+14} + u), with second-order terms at most 2 gamma_{d+16} N.
    (4) The matrix of the N_ij = |x_i||x_j| has rank one and spectral norm sum_i |x_i|^2, and a matrix that is
        smaller entry by entry in absolute value has a smaller spectral norm.
    An entry that underflows is off by at most 2^-1022 more, and scaling a row down may lose 2^-1074 of its
    largest entry per coordinate, which the second-order allowance in (3) covers.
    """
    data = points(X, "tangent_kernel_error: X")
    n, d = data.shape
    scaled, power = _scaled(data)
    with np.errstate(over="ignore"):  # refused by name below
        squares = float(np.ldexp((scaled * scaled).sum(axis=1), 2 * power).sum())
    error: float = 2 * gamma(d + 16) * squares * (1 + gamma(n + d + 8)) + n * SMALLEST_NORMAL
    if not math.isfinite(error):
        raise OverflowError("tangent_kernel_error: the squared norms exceed the float range; scale X")
    return error


def tangent_kernel_balls(X: Any, bits: int) -> BallMatrix:
    """Enclose the kernel matrix of the float data, entry by entry.

    tan theta = sqrt(|x|^2 |z|^2 - (x.z)^2) / x.z, with exact numbers under the root

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    bits : working precision

    Returns
    -------
    K : (n, n) ball matrix, symmetric ball by ball
    """
    rows = exact_rows(points(X, "tangent_kernel_balls: X"))
    n = len(rows)
    dots = [[inner(x, z) for z in rows] for x in rows]
    balls = [[ball(0, bits)] * n for _ in rows]
    with precision(bits):
        full_turn = 2 * ball(pi(bits), bits)
        for i in range(n):
            for j in range(i + 1):
                dot = ball(dots[i][j], bits)
                if dots[i][j]:
                    cross = ball(dots[i][i] * dots[j][j] - dots[i][j] ** 2, bits).sqrt()
                    seen_by_one = (cross / dot).atan() / full_turn  # theta / (2 pi), less 1/2 for obtuse angles
                    dot *= ball(Fraction(dots[i][j] > 0, 2), bits) - seen_by_one
                balls[i][j] = balls[j][i] = dot
    return matrix_of_balls(balls)


def activations(X: Any, W: Any) -> npt.NDArray[np.bool_]:
    """Tell which data points each neuron sees.

    s_ir = 1[w_r.x_i >= 0]

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float, one neuron per row

    Returns
    -------
    s : (n, m) bool; a zero row of X is True throughout

    Notes
    -----
    The sign is that of the inner product rounded to float64: it can differ from the exact sign only where
    |w.x| <= gamma_d |w||x|, a set of probability below d 2^-52 under any law with bounded angular density.
    """
    data, draws = points(X, "activations: X"), points(W, "activations: W")
    same_dimension(data, draws, "activations: W")
    return np.asarray(data @ draws.T >= 0)


def inner_products(X: Float64, where: str) -> Float64:
    """Give X X^T, exactly symmetric, refusing what exceeds the float range.

    Raises
    ------
    OverflowError : some ||x_i||^2 is not a float64
    """
    with np.errstate(over="ignore", invalid="ignore"):  # refused by name below
        products = X @ X.T
    if not np.isfinite(products).all():
        raise OverflowError(f"{where}: an inner product exceeds the float range; scale X")
    return products


def chunks(m: int) -> Iterator[slice]:
    """Cut m draws into blocks of at most `CHUNK`."""
    return (slice(start, start + CHUNK) for start in range(0, m, CHUNK))


def tangent_gram(X: Any, W: Any, weights: Any) -> Float64:
    """Give the Gram matrix of weighted random features, streamed: never n x m numbers at once.

    Psi Psi^T = (X X^T) o (S diag(weights) S^T) / m,   S = activations(X, W)

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float
    weights : (m,) float >= 0, p / q_bar at the draws; ones when w ~ p

    Returns
    -------
    Psi Psi^T : (n, n), exactly symmetric, positive semidefinite up to rounding; divided by m
    """
    data, draws = points(X, "tangent_gram: X"), points(W, "tangent_gram: W")
    root = np.sqrt(non_negative(weights, len(draws), "tangent_gram: weights"))
    total = np.zeros((len(data), len(data)))
    for block in chunks(len(draws)):
        s = activations(data, draws[block]) * root[block]
        total += s @ s.T
    return inner_products(data, "tangent_gram") * total / len(draws)
