"""Features that fall into finitely many classes whose probabilities are only enclosed, and Fourier features on a line.

    G_c = Phi_c Phi_c^T exact,   P_c and K enclosed,   tau_c = tr (K + lam I)^-1 G_c,   s_lambda = tr (K + lam I)^-1 K

K comes from its closed form, never from sum_c P_c G_c, so that E_p tau = s_lambda relates two different computations.
Classes: activation cells of data in the plane, and of data of rank at most 3 in any dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from reference.activation_cells import plane_cells, plane_cells_balls
from reference.arithmetic import (
    Ball,
    BallMatrix,
    Exact,
    Interval,
    Undetermined,
    ball,
    ball_definiteness,
    ball_inverse,
    enclose,
    exact,
    integral,
    interval,
    matrix_of_balls,
    pi,
    precision,
)
from reference.finite_features import Matrix
from reference.gaussian_fourier import gaussian_kernel_balls
from reference.orthants import sphere_cells, sphere_cells_balls
from reference.preconditions import exact_rows, inner, points
from reference.relu_tangent import tangent_kernel_balls

BITS = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class EnclosedKernel:
    """A kernel matrix in balls and what is counted from it.

    Parameters
    ----------
    K : (n, n) ball matrix, symmetric positive semidefinite
    """

    K: BallMatrix

    @property
    def n(self) -> int:
        """The number of data points."""
        return int(self.K.nrows())

    def inverse(self, lam: Exact) -> BallMatrix:
        """Enclose (K + lam I)^-1, lam > 0."""
        ridge = exact(lam)
        if ridge <= 0:
            raise ValueError(f"EnclosedKernel.inverse: lam must be positive, got lam = {lam}")
        size = range(self.n)
        with precision(BITS):
            t = ball(ridge, BITS)
            return ball_inverse(matrix_of_balls([[self.K[i, j] + t * (i == j) for j in size] for i in size]), BITS)

    def statistical_dimension(self, lam: Exact) -> Interval:
        """Enclose s_lambda = tr (K + lam I)^-1 K."""
        return self._product_trace(self.inverse(lam), self.K)

    def squared_dimension(self, lam: Exact) -> Interval:
        """Enclose tr (K + lam I)^-2 K^2: the other count of effective directions, never above s_lambda."""
        with precision(BITS):
            M = self.inverse(lam) * self.K
        return self._product_trace(M, M.transpose())

    def trace(self) -> Interval:
        """Enclose tr K."""
        with precision(BITS):
            return interval(sum((self.K[i, i] for i in range(self.n)), ball(0, BITS)))

    def norm(self) -> Interval:
        """Enclose ||K|| within 2^-40 of its size: a Rayleigh quotient below, a definite t I - K above."""
        size = range(self.n)
        middle = np.array([[float(self.K[i, j].mid()) for j in size] for i in size])
        v = matrix_of_balls([[ball(float(x), BITS)] for x in np.linalg.eigh(middle)[1][:, -1]])
        with precision(BITS):
            below = interval((v.transpose() * self.K * v)[0, 0] / (v.transpose() * v)[0, 0])[0]
            above = below + abs(below) / 2**40 + Fraction(1, 2**BITS)
            t = ball(above, BITS)
            M = matrix_of_balls([[t * (i == j) - self.K[i, j] for j in size] for i in size])
        if ball_definiteness(M, BITS)[0] != 1:
            raise Undetermined("EnclosedKernel.norm: the float eigenvector is too coarse for 2^-40")
        return max(below, Fraction(0)), above

    def _product_trace(self, A: BallMatrix, B: BallMatrix) -> Interval:
        size = range(self.n)
        with precision(BITS):
            return interval(sum((A[i, j] * B[j, i] for i in size for j in size), ball(0, BITS)))


@dataclass(frozen=True, kw_only=True, eq=False)
class EnclosedFeatures:
    """Classes of features.

    Parameters
    ----------
    masses : (C,) probabilities, enclosed
    grams : (C, n, n) Fractions, Phi_c Phi_c^T
    kernel : K in closed form
    """

    masses: tuple[Interval, ...]
    grams: tuple[Matrix, ...]
    kernel: EnclosedKernel

    def leverage(self, lam: Exact) -> list[Interval]:
        """Enclose tau_c = tr (K + lam I)^-1 G_c of every class; an exact 0 where G_c is 0."""
        inverse, size = self.kernel.inverse(lam), range(self.kernel.n)
        with precision(BITS):
            return [
                interval(
                    sum((inverse[i, j] * ball(G[i][j], BITS) for i in size for j in size if G[i][j]), ball(0, BITS))
                )
                for G in self.grams
            ]

    def mean_leverage(self, lam: Exact) -> Interval:
        """Enclose E_p tau = sum_c P_c tau_c."""
        pairs = zip(self.masses, self.leverage(lam), strict=True)
        with precision(BITS):
            return interval(sum((ball(p, BITS) * ball(t, BITS) for p, t in pairs), ball(0, BITS)))


def plane_features(X: Any) -> EnclosedFeatures:
    """Give the activation cells of data in the plane under ReLU tangent features, Phi_c = diag(s_c) X.

    Parameters
    ----------
    X : (n, 2) float, taken at its exact value
    """
    return _activated(X, plane_cells_balls(X, BITS), plane_cells(X).patterns.tolist())


def sphere_features(X: Any) -> EnclosedFeatures:
    """Give the activation cells of data of rank at most 3 under ReLU tangent features.

    Parameters
    ----------
    X : (n, d) float of rank at most 3, taken at its exact value; n <= 3 in any dimension included
    """
    return _activated(X, sphere_cells_balls(X, BITS), sphere_cells(X).patterns.tolist())


def _activated(X: Any, masses: list[Interval], patterns: list[list[bool]]) -> EnclosedFeatures:
    rows = exact_rows(points(X, "enclosed_features: X"))
    dots = [[inner(x, z) for z in rows] for x in rows]
    grams = tuple(
        tuple(tuple(dot * (s[i] and s[j]) for j, dot in enumerate(row)) for i, row in enumerate(dots)) for s in patterns
    )
    return EnclosedFeatures(masses=tuple(masses), grams=grams, kernel=EnclosedKernel(K=tangent_kernel_balls(X, BITS)))


def gaussian_enclosed(X: Any, sigma: float) -> EnclosedKernel:
    """Give the Gaussian kernel of float data in balls."""
    return EnclosedKernel(K=gaussian_kernel_balls(X, sigma, BITS))


def fourier_mean_leverage(X: Any, sigma: float, lam: Exact, bits: int = 128) -> Interval:
    """Enclose the integral of q_lambda for Gaussian Fourier features of points on a line.

    int p(w) sum_ij ((K + lam I)^-1)_ij cos(2 pi w (x_i - x_j)) dw,   w ~ N(0, 1 / (2 pi sigma)^2)

    Parameters
    ----------
    X : (n, 1) float, taken at its exact value
    sigma : bandwidth, taken at its exact value
    lam : positive exact number
    bits : working precision of the quadrature

    Notes
    -----
    On |w| <= 2 / sigma, which is 4 pi standard deviations, by rigorous quadrature; beyond, tau lies in [0, n / lam]
    and the mass is erfc(2 sqrt(2) pi) < 1e-34.
    """
    rows, width = exact_rows(points(X, "fourier_mean_leverage: X")), exact(sigma)
    inverse, n = gaussian_enclosed(X, sigma).inverse(lam), len(rows)
    lags: dict[Fraction, Ball] = {}
    with precision(bits):
        for i in range(n):
            for j in range(n):
                lag = abs(rows[i][0] - rows[j][0])
                lags[lag] = lags.get(lag, ball(0, bits)) + inverse[i, j]
        turn, spread = 2 * ball(pi(bits), bits), ball(width, bits)
        frequencies = [(ball(lag, bits) * turn, weight) for lag, weight in lags.items()]
        height = spread * turn.sqrt()

        def integrand(w: Any) -> Any:
            waves = sum((weight * (w * t).cos() for t, weight in frequencies), w * 0)
            return height * (-((turn * spread * w) ** 2) / 2).exp() * waves

    inside = integral(integrand, -2 / width, 2 / width, bits)
    tail = enclose(lambda p: (8 * p * p).sqrt().erfc(), pi(bits), bits=bits)[1] * n / exact(lam)
    return inside[0], inside[1] + tail
