"""The arc-cosine kernels of order 0 and 1, and their random features: step and ReLU units of a wide layer.

    order 0   phi(x, w) = 1[w.x >= 0]     K(x, z) = (pi - theta) / (2 pi)
    order 1   phi(x, w) = max(w.x, 0)     K(x, z) = |x||z| (sin theta + (pi - theta) cos theta) / (2 pi)

w ~ N(0, I_d), theta the angle between x and z; one feature per draw (d2 = 1), no factor 2: the diagonal is 1/2 and
||x||^2 / 2. Order 1 is the covariance of the outputs at initialisation (K_nngp); x.z times order 0 is the tangent
kernel of `relu_tangent`. Convention 1[0 >= 0] = 1: a zero row is active everywhere, so at order 0 it has kernel 1
with another zero row and 1/2 with anything else; at order 1 it has kernel 0.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np

from reference.arithmetic import Ball, BallMatrix, ball, matrix_of_balls, pi, precision
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
from reference.relu_tangent import activations, angle, chunks

Order: TypeAlias = Literal[0, 1]


def arc_cosine_kernel(X: Any, order: Order, Z: Any = None) -> Float64:
    """Give the kernel between two sets of points, or of one set with itself.

    K_ij = (pi - theta_ij) / (2 pi)   or   |x_i||z_j| (sin theta_ij + (pi - theta_ij) cos theta_ij) / (2 pi)

    Parameters
    ----------
    X : (n, d) float
    order : 0 or 1
    Z : (k, d) float; None for X itself

    Returns
    -------
    K : (n, k), at order 0 in [0, 1/2] but for two zero rows; exactly symmetric when Z is None, and then within
        `arc_cosine_kernel_error(X, order)`

    Raises
    ------
    ValueError : another order
    OverflowError : order 1 and a product |x||z| exceeds the float range

    References
    ----------
    Cho and Saul, Kernel Methods for Deep Learning, NeurIPS 2009, equation (1), halved
    """
    left = points(X, "arc_cosine_kernel: X")
    right = left if Z is None else points(Z, "arc_cosine_kernel: Z")
    same_dimension(left, right, "arc_cosine_kernel: Z")
    _check_order(order, "arc_cosine_kernel")
    x, z = left.any(axis=1), right.any(axis=1)
    theta = np.zeros((len(left), len(right)))
    if x.any() and z.any():
        theta[np.ix_(x, z)] = angle(left[x], right[z])
    if order == 0:
        K = (np.pi - theta) / (2 * np.pi)  # theta = 0 gives a zero row its 1/2
        K[np.ix_(~x, ~z)] = 1
    else:
        (x_norm, x_power), (z_norm, z_power) = _norms(left), _norms(right)
        shape = (np.sin(theta) + (np.pi - theta) * np.cos(theta)) / (2 * np.pi)
        with np.errstate(over="ignore"):  # refused by name on the next line
            K = np.ldexp(np.outer(x_norm, z_norm) * shape, x_power[:, None] + z_power)
        if not np.isfinite(K).all():
            raise OverflowError("arc_cosine_kernel: a product of norms exceeds the float range; scale X")
    # vectorised functions may treat (i, j) and (j, i) in different lanes
    return np.tril(K) + np.tril(K, -1).T if Z is None else K


def _norms(X: Float64) -> tuple[Float64, Any]:
    """Give norms as fraction and power of two, so that no square over- or underflows."""
    _, power = np.frexp(np.abs(X).max(axis=1))
    scaled = np.ldexp(X, -power[:, None])
    return np.sqrt((scaled * scaled).sum(axis=1)), power


def _check_order(order: Any, where: str) -> None:
    if order not in (0, 1):
        raise ValueError(f"{where}: order must be 0 or 1, got order = {order}")


def arc_cosine_kernel_error(X: Any, order: Order) -> float:
    """Bound the floating-point error of `arc_cosine_kernel(X, order)` in the spectral norm.

    order 0: (n - 1) gamma_{d+14};   order 1: 2 gamma_{d+20} sum_i ||x_i||^2 + underflow

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    order : 0 or 1

    Returns
    -------
    error : float >= 0

    Notes
    -----
    The angle is off by at most 5 gamma_{d+10} (`relu_tangent.angle`), and is exactly 0 on the diagonal.
    Order 0: as in `tangent_kernel_error` (2), an entry is off by at most 5 gamma_{d+10} / (2 pi) + 3 u, below
    gamma_{d+14}. The diagonal and the rows of zeros are exact, so the norm is at most n - 1 times that.
    Order 1, with N = |x||z| and g(theta) = sin theta + (pi - theta) cos theta in [0, pi]:
    (1) |g'| = (pi - theta) sin theta < 1.82, so the angle costs 1.82 * 5 / (2 pi) < 1.45 gamma_{d+10};
    (2) evaluating g costs 8 u for the sine, 5 u for pi - theta, 8 pi u for the cosine, 2 pi u for product and sum,
        45 u in all; over 2 pi, with that division, less than 9 u;
    (3) each norm carries gamma_d / 2 + 8 u, the products 2 u, and g / (2 pi) <= 1/2: gamma_d / 2 + 9 u.
    In units of u the sum is below 1.95 d + 33 of the 2 d + 40 allowed. The matrix of the N_ij has norm
    sum_i |x_i|^2. An entry that underflows is off by at most 2^-1022 more.
    """
    data = points(X, "arc_cosine_kernel_error: X")
    n, d = data.shape
    _check_order(order, "arc_cosine_kernel_error")
    if order == 0:
        return float((n - 1) * gamma(d + 14) * (1 + gamma(2)))
    norm, power = _norms(data)
    with np.errstate(over="ignore"):  # refused by name below
        squares = float(np.ldexp(norm * norm, 2 * power).sum())
    error: float = 2 * gamma(d + 20) * squares * (1 + gamma(n + d + 24)) + n * SMALLEST_NORMAL
    if not math.isfinite(error):
        raise OverflowError("arc_cosine_kernel_error: the squared norms exceed the float range; scale X")
    return error


def arc_cosine_kernel_balls(X: Any, order: Order, bits: int) -> BallMatrix:
    """Enclose the kernel matrix of the float data, entry by entry.

    K_1 = |x||z| sin theta / (2 pi) + x.z K_0, where |x||z| sin theta = sqrt(|x|^2 |z|^2 - (x.z)^2)

    Parameters
    ----------
    X : (n, d) float, taken at its exact value
    order : 0 or 1
    bits : working precision

    Returns
    -------
    K : (n, n) ball matrix, symmetric ball by ball
    """
    rows = exact_rows(points(X, "arc_cosine_kernel_balls: X"))
    _check_order(order, "arc_cosine_kernel_balls")
    balls = [[ball(0, bits)] * len(rows) for _ in rows]
    squares = [inner(x, x) for x in rows]
    with precision(bits):
        full_turn = 2 * ball(pi(bits), bits)
        for i, x in enumerate(rows):
            for j in range(i + 1):
                dot = inner(x, rows[j])
                sine = ball(squares[i] * squares[j] - dot**2, bits).sqrt()
                entry = _step_ball(dot, sine, full_turn, bool(squares[i]) + bool(squares[j]), bits)
                if order == 1:
                    entry = sine / full_turn + ball(dot, bits) * entry
                balls[i][j] = balls[j][i] = entry
    return matrix_of_balls(balls)


def _step_ball(dot: Fraction, sine: Ball, full_turn: Ball, nonzero_rows: int, bits: int) -> Ball:
    """Enclose the kernel of order 0 of two rows, of which so many are not zero."""
    if nonzero_rows < 2:
        return ball(Fraction(2 - nonzero_rows, 2), bits)
    if dot == 0:
        return ball(Fraction(1, 4), bits)
    # the arctangent is theta for acute angles and theta - pi for obtuse ones
    return ball(Fraction(dot > 0, 2), bits) - (sine / ball(dot, bits)).atan() / full_turn


def arc_cosine_features(X: Any, W: Any, order: Order) -> Float64:
    """Give the output of every unit at every point.

    phi(x_i, w_r) = 1[w_r.x_i >= 0]   or   max(w_r.x_i, 0)

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float, one unit per row
    order : 0 or 1

    Returns
    -------
    phi : (n, m), >= 0; not divided by sqrt(m); the inner product is rounded to float64, as in `activations`

    Raises
    ------
    OverflowError : order 1 and an inner product exceeds the float range
    """
    data, draws = points(X, "arc_cosine_features: X"), points(W, "arc_cosine_features: W")
    same_dimension(data, draws, "arc_cosine_features: W")
    _check_order(order, "arc_cosine_features")
    if order == 0:
        return activations(data, draws).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # refused by name below
        products = data @ draws.T
    if not np.isfinite(products).all():
        raise OverflowError("arc_cosine_features: an inner product exceeds the float range; scale X or W")
    return np.maximum(products, 0)


def arc_cosine_gram(X: Any, W: Any, weights: Any, order: Order) -> Float64:
    """Give the Gram matrix of weighted random features, streamed: never n x m numbers at once.

    Psi Psi^T = phi diag(weights) phi^T / m

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float
    weights : (m,) float >= 0, p / q_bar at the draws; ones when w ~ p
    order : 0 or 1

    Returns
    -------
    Psi Psi^T : (n, n), exactly symmetric, positive semidefinite up to rounding; divided by m

    Raises
    ------
    OverflowError : order 1 and an entry exceeds the float range
    """
    data, draws = points(X, "arc_cosine_gram: X"), points(W, "arc_cosine_gram: W")
    root = np.sqrt(non_negative(weights, len(draws), "arc_cosine_gram: weights"))
    total = np.zeros((len(data), len(data)))
    with np.errstate(over="ignore", invalid="ignore"):  # refused by name below
        for block in chunks(len(draws)):
            features = arc_cosine_features(data, draws[block], order) * root[block]
            total += features @ features.T
    if not np.isfinite(total).all():
        raise OverflowError("arc_cosine_gram: an entry exceeds the float range; scale X")
    return total / len(draws)
