"""How much each draw is needed at ridge lam: tau, and its mean, the statistical dimension.

    tau(w) = tr Phi(w)^T (K + lam I)^-1 Phi(w),   q_lambda = p tau,   s_lambda = E_p tau = tr (K + lam I)^-1 K

It owns tau and s_lambda. tau is 0 exactly where Phi(w) is (the all-inactive cell, a null atom). Rank-deficient K
is fine, since lam > 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from reference.activation_cells import Cells
from reference.arithmetic import (
    Exact,
    Interval,
    Undetermined,
    ball_inverse,
    ball_matrix,
    exact,
    interval,
    precision,
)
from reference.gaussian_fourier import fourier_features
from reference.preconditions import (
    UNIT_ROUNDOFF,
    Float64,
    exact_rows,
    gamma,
    gram,
    points,
    positive,
)
from reference.relu_tangent import activations, chunks, inner_products


def statistical_dimension(K: Any, lam: Any) -> float:
    """Count the eigendirections of the kernel that stand above the ridge.

    s_lambda(K) = tr (K + lam I)^-1 K

    Parameters
    ----------
    K : (n, n) float, symmetric positive semidefinite, not divided by n
    lam : positive float

    Returns
    -------
    s : float in [0, min(n, tr K / lam)], decreasing in lam

    References
    ----------
    GLSS, Definition 3.1
    """
    matrix = gram(K, "statistical_dimension: K")
    ridge = positive(lam, "statistical_dimension: lam")
    return float(np.trace(np.linalg.solve(matrix + ridge * np.eye(len(matrix)), matrix)))


def statistical_dimension_enclosure(K_mid: Any, K_radius: Exact, lam: Exact) -> Interval:
    """Enclose s_lambda of a kernel matrix known up to a spectral-norm error.

    s_lambda is monotone in K, so   s(K_mid - radius I) <= s(K) <= s(K_mid + radius I),
    where s(K_mid + c I) = n - lam tr (K_mid + (lam + c) I)^-1

    Parameters
    ----------
    K_mid : (n, n) float, symmetric, taken at its exact value
    K_radius : exact number >= 0 with ||K - K_mid||_2 <= K_radius; K itself is positive semidefinite
    lam : positive exact number, above 2 K_radius

    Returns
    -------
    (lower, upper) : Fractions, within [0, n]

    Raises
    ------
    ValueError : the radius is negative, or too large against lam for the formula to be monotone
    """
    rows = exact_rows(gram(K_mid, "statistical_dimension_enclosure: K_mid"))
    radius, ridge = exact(K_radius), exact(lam)
    if ridge <= 0:
        raise ValueError(f"statistical_dimension_enclosure: lam must be positive, got lam = {lam}")
    if not 0 <= 2 * radius < ridge:
        raise ValueError(
            f"statistical_dimension_enclosure: K_radius must lie in [0, lam/2), got {float(radius)}, lam = {lam}"
        )
    n = len(rows)
    lower = n - ridge * _inverse_trace(rows, ridge - radius)[1]
    upper = n - ridge * _inverse_trace(rows, ridge + radius)[0]
    return max(lower, Fraction(0)), min(upper, Fraction(n))


PRECISIONS = (128, 512, 2048)
SHARP = Fraction(1, 2**64)  # width of an enclosure of s_lambda for which no further precision is asked


def _inverse_trace(rows: list[list[Fraction]], shift: Fraction) -> Interval:
    """Enclose tr (K + shift I)^-1 for a positive definite sum; balls lose digits where shift is small against K."""
    shifted = [[x + shift * (i == j) for j, x in enumerate(row)] for i, row in enumerate(rows)]
    for bits in PRECISIONS:
        try:
            inverse = ball_inverse(ball_matrix(shifted, bits=bits), bits)
        except Undetermined:
            continue
        with precision(bits):
            lower, upper = interval(sum(inverse[i, i] for i in range(len(rows))))
        if shift * (upper - lower) <= SHARP or bits == PRECISIONS[-1]:
            return lower, upper
    raise Undetermined("statistical_dimension_enclosure: K + lam I is not proven invertible at 2048 bits")


def whitener(K: Any, lam: Any) -> Float64:
    """Give the matrix that turns K + lam I into the identity.

    B = L^-1,   L L^T = K + lam I,   so that B (K + lam I) B^T = I and tau = ||B Phi||_F^2

    Parameters
    ----------
    K : (n, n) float, symmetric positive semidefinite
    lam : positive float

    Returns
    -------
    B : (n, n), lower triangular

    Raises
    ------
    numpy.linalg.LinAlgError : K + lam I is not positive definite in float64
    """
    matrix, ridge = gram(K, "whitener: K"), positive(lam, "whitener: lam")
    identity = np.eye(len(matrix))
    inverse: Float64 = solve_triangular(np.linalg.cholesky(matrix + ridge * identity), identity, lower=True)
    return inverse


def tangent_leverage(X: Any, W: Any, whitener: Any) -> Float64:
    """Give tau of ReLU tangent features, Phi(w) = diag(s) X with s the activations of w.

    tau(w) = s^T ((K + lam I)^-1 o X X^T) s

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float
    whitener : (n, n), the function `whitener` of the tangent kernel of X

    Returns
    -------
    tau : (m,), >= 0 up to rounding, within `leverage_relative_error` of the truth
    """
    data, draws = points(X, "tangent_leverage: X"), points(W, "tangent_leverage: W")
    M = _tangent_form(data, _whitener_for(data, whitener, "tangent_leverage"))
    return np.concatenate([_forms(M, activations(data, draws[block])) for block in chunks(len(draws))])


def fourier_leverage(X: Any, W: Any, whitener: Any) -> Float64:
    """Give tau of Fourier features, the same for the real pair and the complex one.

    tau(w) = ||B cos(2 pi X w)||^2 + ||B sin(2 pi X w)||^2

    Parameters
    ----------
    X : (n, d) float
    W : (m, d) float
    whitener : (n, n), the function `whitener` of the Gaussian kernel of X

    Returns
    -------
    tau : (m,), each in [n / (||K|| + lam), n / lam]
    """
    data, draws = points(X, "fourier_leverage: X"), points(W, "fourier_leverage: W")
    B = _whitener_for(data, whitener, "fourier_leverage")
    return np.concatenate(
        [
            sum(((B @ part) ** 2).sum(axis=0) for part in fourier_features(data, draws[block]))
            for block in chunks(len(draws))
        ]
    )


def cell_leverage(cells: Cells, X: Any, K: Any, lam: Any) -> Float64:
    """Give tau of every activation cell: it is constant on each.

    tau_c = tr X^T D_c (K + lam I)^-1 D_c X,   D_c = diag(pattern of c)

    Parameters
    ----------
    cells : of the rows of X
    X : (n, 2) float
    K : (n, n) float, the tangent kernel of X
    lam : positive float

    Returns
    -------
    tau : (C,), >= 0 up to rounding; sum_c probability_c tau_c = s_lambda
    """
    data = points(X, "cell_leverage: X")
    B = _whitener_for(data, whitener(K, lam), "cell_leverage")
    if cells.patterns.shape[1] != len(data):
        raise ValueError(f"cell_leverage: cells must be of {len(data)} points, got {cells.patterns.shape[1]}")
    return _forms(_tangent_form(data, B), cells.patterns.T)


def _whitener_for(X: Float64, B: Any, where: str) -> Float64:
    matrix = points(B, f"{where}: whitener")
    if matrix.shape != (len(X), len(X)):
        raise ValueError(f"{where}: whitener must be {len(X)} x {len(X)}, got shape {matrix.shape}")
    return matrix


def _tangent_form(X: Float64, B: Float64) -> Float64:
    return (B.T @ B) * inner_products(X, "leverage")


def _forms(M: Float64, patterns: Any) -> Float64:
    """Evaluate s^T M s for every column s."""
    s = patterns.astype(np.float64)
    forms: Float64 = (s * (M @ s)).sum(axis=0)
    return forms


def whitening_residual(K: Any, lam: Any, K_radius: float) -> float:
    """Bound how far the computed whitener is from whitening the true K + lam I.

    r >= ||I - B A B^T||_2 for every A within K_radius of K + lam I. If r < 1,
    A^-1 = B^T (I - R)^-1 B with ||R|| <= r, so ||B Phi||^2 / (1 + r) <= tau <= ||B Phi||^2 / (1 - r)

    Parameters
    ----------
    K : (n, n) float, symmetric
    lam : positive float
    K_radius : bound of ||K_true - K||_2, >= 0

    Returns
    -------
    r : float > 0

    Raises
    ------
    ArithmeticError : r >= 1/2: K + lam I is too ill-conditioned for float64

    Notes
    -----
    The triple product carries at most 2n + 2 roundings per term: |error| <= gamma_{2n+2} |B||A||B|^T. The
    addition of lam rounds the diagonal of A by at most u A_ii. Norms are bounded by Frobenius norms.
    """
    B = whitener(K, lam)
    n = len(B)
    A = gram(K, "whitening_residual: K") + positive(lam, "whitening_residual: lam") * np.eye(n)
    if not K_radius >= 0:
        raise ValueError(f"whitening_residual: K_radius must be >= 0, got K_radius = {K_radius}")
    size = np.abs(B) @ np.abs(A) @ np.abs(B).T
    data_error = K_radius + UNIT_ROUNDOFF * A.diagonal().max()
    residual = np.linalg.norm(np.eye(n) - B @ A @ B.T) + gamma(2 * n + 4) * np.linalg.norm(size)
    r = float((residual + data_error * np.square(B).sum()) * (1 + gamma(n * n + 4 * n + 16)))
    if not r < 0.5:
        raise ArithmeticError(
            f"whitening_residual: K + lam I must be well enough conditioned for float64, got residual {r}"
        )
    return r


def leverage_relative_error(K: Any, lam: Any, d: int, K_radius: float) -> float:
    """Bound the relative error of tau as `tangent_leverage`, `cell_leverage` and `fourier_leverage` compute it.

    |fl(tau) - tau| <= error tau,
    error = r / (1 - r) + gamma_{3n+d+4} ||K + lam I|| ||B||_F^2 / (1 - r)^2,   r = whitening_residual

    Parameters
    ----------
    K : (n, n) float, symmetric
    lam : positive float
    d : columns of X
    K_radius : bound of ||K_true - K||_2; 0 when K itself is meant

    Returns
    -------
    error : float > 0, of the order n^2 u cond(K + lam I)

    Notes
    -----
    Given the features (the rounding of cos and sin is not in it, see `fourier_features`). The whitening costs the
    first term. The form s^T ((B^T B) o X X^T) s carries at most 3n + d + 4 roundings per term, and the terms add
    up in absolute value to at most ||B||_F^2 ||Phi||_F^2, while tau >= ||Phi||_F^2 / ||K + lam I||. For Fourier
    features B Phi is off by at most gamma_n ||B||_F ||Phi||_F in norm, which is less.
    """
    r = whitening_residual(K, lam, K_radius)
    B, matrix = whitener(K, lam), gram(K, "leverage_relative_error: K")
    n = len(B)
    norm = np.abs(matrix).sum(axis=1).max() + positive(lam, "leverage_relative_error: lam") + K_radius
    condition = norm * np.square(B).sum() * (1 + gamma(n * n + n + 8))
    return float((r / (1 - r) + gamma(3 * n + d + 4) * condition / (1 - r) ** 2) * (1 + gamma(16)))
