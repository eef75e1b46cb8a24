"""A piecewise-constant dominating function for Gaussian Fourier features, on a grid of frequencies.

Frequencies are measured in their own standard deviation, z = 2 pi sigma w, so p is N(0, I_d) and the phase of
point i is z.y_i with y_i = (x_i - centre) / sigma; tau does not depend on the centre. The grid covers [-R, R]^d,
d <= 3; outside, tau_tilde is the envelope over all frequencies, and R is so large that this costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from math import fsum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from reference.arithmetic import Interval, enclose
from reference.gaussian_fourier import gaussian_kernel, gaussian_kernel_error
from reference.leverage import statistical_dimension, whitener, whitening_residual
from reference.preconditions import UNIT_ROUNDOFF, Float64, gamma, points, positive
from reference.rejection import absolute_form, envelope_fourier

MASS_BITS = 256  # 1 - erf near 9 standard deviations is 2^-60: this leaves every mass far more than 53 digits


@dataclass(frozen=True, kw_only=True, eq=False)
class PiecewiseConstant:
    """tau_tilde constant on the cells of a grid, with its integral and its sampler.

    Parameters
    ----------
    scale : 2 pi sigma; z = scale w
    edges : (N + 1,) float, symmetric about 0, N even; the same in each of the d coordinates
    tau : (N,) * d float, tau_tilde on the cells, C order
    tau_outside : float, tau_tilde where some |z_l| > R = edges[-1]
    mass : (N,) * d float, p of the cells, relative error below 2^-50
    mass_outside : float, p of the rest
    integral : (lower, upper) around s_q_tilde
    """

    scale: float
    edges: Float64
    tau: Float64
    tau_outside: float
    mass: Float64
    mass_outside: float
    integral: Interval

    def tau_tilde(self, W: Any) -> Float64:
        """Evaluate the dominating function, (m, d) -> (m,): tau_tilde(w) >= tau(w)."""
        z = self.scale * points(W, "PiecewiseConstant.tau_tilde: W")
        if z.shape[1] != self.tau.ndim:
            raise ValueError(f"PiecewiseConstant: W must have {self.tau.ndim} columns, got {z.shape[1]}")
        index = np.searchsorted(self.edges, z, side="right") - 1
        inside = ((index >= 0) & (index < len(self.edges) - 1)).all(axis=1)
        values = np.full(len(z), self.tau_outside)
        values[inside] = self.tau[tuple(index[inside].T)]
        return values

    def sample(self, m: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
        """Draw from q_bar = p tau_tilde / s_q_tilde.

        Parameters
        ----------
        m : number of draws
        rng : source of randomness

        Returns
        -------
        W : (m, d), independent draws; the law is q_bar up to a total variation of (number of cells) 2^-52
        weights : (m,), p / q_bar = s_q_tilde / tau_tilde
        """
        heap = np.append((self.mass * self.tau).ravel(), self.mass_outside * self.tau_outside).cumsum()
        cell = np.minimum(np.searchsorted(heap, rng.random(m) * heap[-1], side="right"), len(heap) - 1)
        inside = cell < len(heap) - 1
        z = np.empty((m, self.tau.ndim))
        z[inside] = self._between(np.stack(np.unravel_index(cell[inside], self.tau.shape), axis=-1), rng)
        z[~inside] = self._outside(int((~inside).sum()), rng)
        heights = np.append(self.tau.ravel(), self.tau_outside)
        return z / self.scale, float(self.integral[1]) / heights[cell]

    def _between(self, k: npt.NDArray[np.intp], rng: np.random.Generator) -> Float64:
        """Draw standard normals conditioned on their cells, by inversion in the lower tail, which has all digits."""
        low, high = self.edges[k], self.edges[k + 1]
        upper_half = low >= 0
        low, high = np.where(upper_half, -high, low), np.where(upper_half, -low, high)
        start, end = ndtr(low), ndtr(high)
        z: Float64 = np.clip(ndtri(start + rng.random(k.shape) * (end - start)), low, high)
        return np.asarray(np.where(upper_half, -z, z))

    def _outside(self, count: int, rng: np.random.Generator) -> Float64:
        """Draw normals outside the grid: l is the first with |z_l| > R, those before it are inside, the rest free."""
        d, tail = self.tau.ndim, float(ndtr(-self.edges[-1]))
        axis = np.arange(d)
        heap = np.cumsum((1 - 2 * tail) ** axis)
        first = np.minimum(np.searchsorted(heap, rng.random(count) * heap[-1], side="right"), d - 1)
        truncated = ndtri(tail + rng.random((count, d)) * (1 - 2 * tail))
        z = np.where(axis < first[:, None], truncated, rng.standard_normal((count, d)))
        z[np.arange(count), first] = ndtri(tail * (1 - rng.random(count))) * rng.choice([-1.0, 1.0], size=count)
        return z


def piecewise_constant(X: Any, sigma: Any, lam: Any, cells: int) -> PiecewiseConstant:
    """Dominate the leverage of Gaussian Fourier features by a step function, proven.

    Parameters
    ----------
    X : (n, d) float, d <= 3, taken at its exact value
    sigma : bandwidth
    lam : positive float
    cells : at most this many grid cells, at least 2^d

    Returns
    -------
    dominating : tau_tilde >= tau everywhere; the integral approaches s_lambda as 1 / cells^(1/d)

    Raises
    ------
    ValueError : d > 3, or fewer than 2^d cells
    ArithmeticError : K + lam I is too ill-conditioned for float64

    Notes
    -----
    tau(z) <= ||B f(z)||^2 / (1 - r) for f_i(z) = exp(i z.y_i), B the computed whitener and r its
    `whitening_residual`. On the cell |z - c|_l <= h,
        f_i(z) = f_i(c) (1 + i (z - c).y_i) + rest_i,   |rest_i| <= rho_i^2 / 2,   rho_i = h sum_l |y_il|,
    and the norm of B times the linear part is convex in z, so at most its maximum over the 2^d corners. What
    remains is ||B rest|| <= sqrt(e^T |B^T B| e) for |rest_i| <= e_i. The float error of f at the corners,
    (1 + rho_i) (gamma_{d+8} ||z|| ||y_i|| + 16 u), joins e_i; that of the product with B is at most
    gamma_{n+2} ||B||_F sqrt(n) (1 + max rho).
    """
    data, width = points(X, "piecewise_constant: X"), positive(sigma, "piecewise_constant: sigma")
    d = data.shape[1]
    if d > 3:
        raise ValueError(f"piecewise_constant: X must have at most 3 columns, got d = {d}; use rejection_sample")
    per_axis = 2 * (int(cells ** (1 / d) + 1e-9) // 2)  # even, so that 0 is an edge and no cell straddles it
    if per_axis < 2:
        raise ValueError(f"piecewise_constant: cells must be at least 2^d = {2**d}, got cells = {cells}")
    K, error = gaussian_kernel(data, width), gaussian_kernel_error(data, width)
    B, r = whitener(K, lam), whitening_residual(K, lam, error)
    outside = envelope_fourier(data, width, lam)
    # all of the outside costs at most 2^-20 of the integral
    radius = float(-ndtri(min(statistical_dimension(K, lam) / outside / d * 2.0**-21, 0.01)))
    half = np.linspace(0.0, radius, per_axis // 2 + 1)
    edges = np.concatenate([-half[:0:-1], half])
    y = (data - (data.min(axis=0) + data.max(axis=0)) / 2) / width
    tau = np.minimum(_upper_tau(y, edges, B) / (1 - r) * (1 + gamma(16)), outside)
    mass, mass_outside = _masses(half, d)
    integral = fsum([*(mass * tau).ravel(), mass_outside * outside])
    slack = Fraction(gamma(4 * d + 16))
    return PiecewiseConstant(
        scale=2 * np.pi * width,
        edges=edges,
        tau=tau,
        tau_outside=outside,
        mass=mass,
        mass_outside=mass_outside,
        integral=(Fraction(integral) * (1 - slack), Fraction(integral) * (1 + slack)),
    )


def _upper_tau(y: Float64, edges: Float64, B: Float64) -> Float64:
    """Bound ||B f(z)||^2 over every cell of the grid: (N,) * d."""
    n, d = y.shape
    centre = (edges[1:] + edges[:-1]) / 2
    # widened, so that a frequency rounded across an edge is still covered by the cell it is counted in
    reach = float(np.diff(edges).max()) / 2 * (1 + 8 * UNIT_ROUNDOFF) + edges[-1] * 2.0**-44
    rho = reach * np.abs(y).sum(axis=1)
    phase_error = gamma(d + 8) * edges[-1] * np.sqrt(d * np.square(y).sum(axis=1))
    rest = rho**2 / 2 * (1 + gamma(4 * d + 16)) + (1 + rho) * (phase_error + 16 * UNIT_ROUNDOFF)
    rest_norm = np.sqrt(rest @ absolute_form(B) @ rest) * (1 + gamma(2 * n + 8))
    rest_norm += gamma(n + 2) * np.linalg.norm(B) * np.sqrt(n) * (1 + rho.max()) * (1 + gamma(n * n + 8))
    phases = sum(
        (y[:, axis].reshape(n, *[1] * d) * centre.reshape([-1 if a == axis else 1 for a in range(d)]))
        for axis in range(d)
    )
    phases = np.broadcast_to(phases, (n, *[len(centre)] * d)).reshape(n, -1)
    cos, sin = np.cos(phases), np.sin(phases)
    corner = np.zeros(phases.shape[1])
    for signs in product((-1.0, 1.0), repeat=d):
        tilt = (reach * (y @ np.array(signs)))[:, None]
        form = np.square(B @ (cos - tilt * sin)).sum(axis=0) + np.square(B @ (sin + tilt * cos)).sum(axis=0)
        corner = np.maximum(corner, form)
    upper: Float64 = (np.sqrt(corner) * (1 + gamma(n + 4)) + rest_norm) ** 2 * (1 + gamma(8))
    return upper.reshape([len(centre)] * d)


def _masses(half: Float64, d: int) -> tuple[Float64, float]:
    """Give p of every grid cell and of the outside, from balls; `half` are the edges from 0 up."""
    tails = [_upper_tail(float(edge)) for edge in half]
    # each ball is relatively far narrower than a unit roundoff, so its midpoint rounds to within 2 u
    positive_side = np.array([float((a[0] + a[1] - b[0] - b[1]) / 2) for a, b in pairwise(tails)])
    axis_mass = np.concatenate([positive_side[::-1], positive_side])
    mass = axis_mass
    for _ in range(d - 1):
        mass = np.multiply.outer(mass, axis_mass)
    inside = 1 - tails[-1][0] - tails[-1][1]
    return mass, float(1 - inside**d)


def _upper_tail(z: float) -> Interval:
    """Enclose P[N(0, 1) > z]."""
    return enclose(lambda t, two: (t / two.sqrt()).erfc() / 2, z, 2, bits=MASS_BITS)
