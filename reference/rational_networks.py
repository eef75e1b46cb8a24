"""The two-layer network over the rationals: its gradient flow at one moment, exactly, away from the kinks.

    u = kappa f(W, a, X),   rho = Y - u,   dw_r/dt = (kappa a_r omega_r / sqrt m) sum_i rho_i 1_ir x_i - lam w_r

The derivatives of u follow from dw/dt by the chain rule, not from the kernel, so that (13)-(16) of GLSS compare two
different things. Arrays hold Fractions (dtype object).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.arithmetic import exact

Exactly: TypeAlias = npt.NDArray[Any]


def fractions(values: Any) -> Exactly:
    """Read nested lists of exact numbers as an array of Fractions."""
    array = np.array(values, dtype=object)
    return np.array([exact(x) for x in array.flat], dtype=object).reshape(array.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class RationalNetwork:
    """A network with its data, at one moment of the flow.

    Parameters
    ----------
    X : (n, d) Fractions, data
    Y : (n,) Fractions, labels
    W : (m, d) Fractions, first layer; m a square number, so that sqrt m is rational
    a : (m,) Fractions, a_r omega_r: the signs, times the frozen weights where there are any
    kappa, lam : Fractions, multiplier and ridge

    Raises
    ------
    ValueError : m is not a square number, or the shapes do not fit; and in every method, a neuron on a kink of a point
    """

    X: Exactly
    Y: Exactly
    W: Exactly
    a: Exactly
    kappa: Fraction
    lam: Fraction

    def __post_init__(self) -> None:
        m = len(self.W)
        if isqrt(m) ** 2 != m:
            raise ValueError(f"RationalNetwork: m must be a square number, got m = {m}")
        shapes = (self.X.shape, self.Y.shape, self.W.shape, self.a.shape)
        n, d = self.X.shape
        if shapes != ((n, d), (n,), (m, d), (m,)):
            raise ValueError(f"RationalNetwork: X, Y, W, a must be (n, d), (n,), (m, d), (m,), got {shapes}")

    def _seen(self, Z: Exactly) -> Exactly:
        """Give 1[w_r.z_i > 0]: (k, m)."""
        products = Z @ self.W.T
        if (products == 0).any():
            i, r = (int(t) for t in np.argwhere(products == 0)[0])
            raise ValueError(f"RationalNetwork: no neuron may lie on a kink, got w_{r}.x = 0 at x = {Z[i].tolist()}")
        return fractions((products > 0).astype(int))

    def gradients(self, Z: Exactly) -> Exactly:
        """Give du(z_i)/dw_r = (kappa a_r / sqrt m) 1_ir z_i: (k, m, d)."""
        gradients: Exactly = self.kappa / isqrt(len(self.W)) * (self._seen(Z) * self.a)[:, :, None] * Z[:, None, :]
        return gradients

    def outputs(self, Z: Exactly) -> Exactly:
        """Give u = kappa f at the rows of Z, (k, d) to (k,)."""
        u: Exactly = self.kappa / isqrt(len(self.W)) * (self._seen(Z) * (Z @ self.W.T)) @ self.a
        return u

    def kernel(self, Z: Exactly) -> Exactly:
        """Give the current kernel between Z and the data, (z_i.x_j / m) sum_r a_r^2 1_ir 1_jr: (k, n)."""
        H: Exactly = Z @ self.X.T * (self._seen(Z) * self.a**2 @ self._seen(self.X).T) / Fraction(len(self.W))
        return H

    def weight_velocity(self) -> Exactly:
        """Give dw/dt, minus the gradient of (6) with the first norm squared: (m, d)."""
        rho = self.Y - self.outputs(self.X)
        velocity: Exactly = np.tensordot(rho, self.gradients(self.X), axes=1) - self.lam * self.W
        return velocity

    def velocity(self, Z: Exactly) -> Exactly:
        """Give du/dt at the rows of Z by the chain rule, <du/dW, dW/dt>: (k,)."""
        change: Exactly = (self.gradients(Z) * self.weight_velocity()).sum(axis=(1, 2))
        return change

    def distance_velocity(self, target: Exactly) -> Fraction:
        """Give d||target - u||^2 / dt, the left side of (13)-(14) when the target is u*."""
        return exact(2 * ((self.outputs(self.X) - target) * self.velocity(self.X)).sum())
