"""What training with a frozen tangent kernel converges to, and how it gets there.

    u*      = kappa^2 H (kappa^2 H + lam I)^-1 Y,           Y - u* = lam (kappa^2 H + lam I)^-1 Y
    u*_test = kappa^2 K_test (kappa^2 H + lam I)^-1 Y
    du/dt   = kappa^2 H (Y - u) - lam u,   du_test/dt = kappa^2 K_test (Y - u) - lam u_test

H is the tangent kernel matrix H_cts, and then these are the predictors of GLSS (7); or it is any current kernel held
fixed. From u = 0 the flow is that of kernel ridge regression, u_ntk. It owns u* and Lambda_0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import Interval
from reference.exact_spectra import smallest_eigenvalue
from reference.preconditions import Float64, exact_rows, gram, non_negative, one_each, points, positive
from reference.relu_tangent import tangent_kernel, tangent_kernel_error


class TangentRegression:
    """Kernel ridge regression with the kernel kappa^2 H and the ridge lam, as a limit of training.

    Everything is read off the eigenbasis H = Q diag(mu) Q^T, with rates alpha = kappa^2 mu + lam > 0.

    Parameters
    ----------
    H : (n, n) float, symmetric positive semidefinite, not divided by n
    Y : (n,) labels
    kappa : positive float, multiplier of the network
    lam : positive float, ridge
    """

    def __init__(self, H: Any, Y: Any, *, kappa: Any, lam: Any) -> None:
        mu, self._Q = np.linalg.eigh(gram(H, "TangentRegression: H"))
        self._labels = one_each(Y, len(mu), "TangentRegression: Y")
        self._lam = positive(lam, "TangentRegression: lam")
        # an eigenvalue 0 may be computed as a negative rounding error
        self._drive = positive(kappa, "TangentRegression: kappa") ** 2 * np.maximum(mu, 0)
        self._kappa = float(kappa)
        self._alpha = self._drive + self._lam
        self._y = self._Q.T @ self._labels

    def residual(self) -> Float64:
        """Give Y - u* = lam (kappa^2 H + lam I)^-1 Y: (n,), without the cancellation of Y - u* when lam is tiny."""
        rest: Float64 = self._Q @ (self._lam * self._y / self._alpha)
        return rest

    def predictor(self) -> Float64:
        """Give u* = Y - residual: (n,), the predictions on the data.

        References
        ----------
        GLSS, Section 3.2.1, after equation (8)
        """
        u: Float64 = self._labels - self.residual()
        return u

    def predictor_at(self, K_test: Any) -> Float64:
        """Give u*_test = kappa^2 K_test (kappa^2 H + lam I)^-1 Y: (k,).

        Parameters
        ----------
        K_test : (k, n) float, kernel between new points and data
        """
        u: Float64 = self._kappa**2 * self._rows(K_test) @ (self._y / self._alpha)
        return u

    def flow(self, times: Any, start: Any = None) -> Float64:
        """Follow the flow on the data, u(t) = u* + exp(-(kappa^2 H + lam I) t) (u(0) - u*).

        Parameters
        ----------
        times : (k,) float >= 0
        start : (n,) float, u(0); None for 0, and then this is u_ntk(t) = u* - exp(-(kappa^2 H + lam I) t) u*

        Returns
        -------
        u : (k, n)

        References
        ----------
        GLSS, equation (15)
        """
        decay = -_times(times, "flow") * self._alpha
        return self._approach(-np.expm1(decay), np.exp(decay), start)

    def descent(self, steps: int, step: Any, start: Any = None) -> Float64:
        """Follow gradient descent on the data, u(k) = u* + (I - h (kappa^2 H + lam I))^k (u(0) - u*).

        Parameters
        ----------
        steps : how many, >= 0
        step : positive float h
        start : (n,) float, u(0); None for 0

        Returns
        -------
        u : (steps + 1, n)
        """
        if steps < 0:
            raise ValueError(f"descent: steps must be at least 0, got steps = {steps}")
        factor = (1 - positive(step, "descent: step") * self._alpha) ** np.arange(steps + 1)[:, None]
        return self._approach(1 - factor, factor, start)

    def _approach(self, gained: Float64, kept: Float64, start: Any) -> Float64:
        """Give gained u* + kept u(0) in the eigenbasis, both (k, n)."""
        u: Float64 = (gained * self._drive / self._alpha * self._y + kept * self._modes(start)) @ self._Q.T
        return u

    def _modes(self, start: Any) -> Float64:
        n = len(self._labels)
        modes: Float64 = self._Q.T @ (np.zeros(n) if start is None else one_each(start, n, "TangentRegression: start"))
        return modes

    def _rows(self, K_test: Any) -> Float64:
        """Give the kernel rows of new points in the eigenbasis."""
        K, n = points(K_test, "TangentRegression: K_test"), len(self._labels)
        if K.shape[1] != n:
            raise ValueError(f"TangentRegression: K_test must have {n} columns, got {K.shape[1]}")
        rows: Float64 = K @ self._Q
        return rows

    def flow_at(self, K_test: Any, times: Any, start: Any = None, start_test: Any = None) -> Float64:
        """Follow the flow at new points, driven by the flow on the data.

        u_test(t) = kappa^2 K_test (A^-1 (1 - e^{-A t}) Y - e^{-lam t} B(t) u(0)) + e^{-lam t} u_test(0),
        A = kappa^2 H + lam I,   B(t) = int_0^t e^{-kappa^2 H s} ds

        Parameters
        ----------
        K_test : (j, n) float, kernel between new points and data
        times : (k,) float >= 0
        start : (n,) float, u(0) on the data; None for 0
        start_test : (j,) float, u_test(0); None for 0

        Returns
        -------
        u_test : (k, j)

        References
        ----------
        GLSS, equation (15), with K_test constant also (16)
        """
        t, rows = _times(times, "flow_at"), self._kappa**2 * self._rows(K_test)
        j = len(rows)
        first = np.zeros(j) if start_test is None else one_each(start_test, j, "flow_at: start_test")
        gained = -np.expm1(-t * self._alpha) / self._alpha * self._y
        still = self._drive == 0
        rate = np.where(still, 1, self._drive)
        forgotten = np.where(still, t, -np.expm1(-t * rate) / rate) * self._modes(start)
        decay = np.exp(-self._lam * t)
        u: Float64 = (gained - decay * forgotten) @ rows.T + decay * first
        return u


def _times(times: Any, where: str) -> Float64:
    """Read times as a column: (k, 1)."""
    return non_negative(times, len(np.atleast_1d(times)), f"{where}: times")[:, None]


def least_kernel_eigenvalue(X: Any, bits: int = 60) -> Interval:
    """Enclose Lambda_0, the least eigenvalue of the tangent kernel matrix of the float data.

    |lambda_min(H_cts) - lambda_min(fl(H_cts))| <= `tangent_kernel_error(X)`     (Weyl)

    Parameters
    ----------
    X : (n, d) float, taken at its exact value; the cost grows like n^4 in long integers, so n of a few dozen at most
    bits : the computed matrix's eigenvalue is enclosed to 2^-bits, relative to its norm

    Returns
    -------
    (lower, upper) : Fractions; lower <= 0 means that positivity is not proven
    """
    data = points(X, "least_kernel_eigenvalue: X")
    low, high = smallest_eigenvalue(exact_rows(tangent_kernel(data)), bits)
    error = Fraction(tangent_kernel_error(data))
    return low - error, high + error
