"""A user's own random features, believed only as far as they can be checked.

    K(x, z) = E_{w ~ p} <phi(x, w), phi(z, w)>

The user supplies phi, a sampler of p, the kernel and a bound on the kernel's floating-point error. Every answer
is checked at the door: shapes, finite numbers, and a kernel matrix that is positive semidefinite, proven or
refused with a witness. That K is the mean of the features is a statement to be tested, not a precondition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import ball_definiteness, ball_matrix, is_positive_semidefinite, quadratic_form
from reference.preconditions import Float64, exact_rows, gram, non_negative, points, real_array
from reference.relu_tangent import chunks


@dataclass(frozen=True, kw_only=True, eq=False)
class UserFeatures:
    """Random features given by their functions; the methods ask them and check the answers.

    Parameters
    ----------
    phi : (X, W) -> (n, m, d2), phi[i, r] the real feature of point i at draw r; must not depend on other draws
    sample : (rng, m) -> (m, d1), independent draws from p; all randomness from rng
    kernel : X -> (n, n), exactly symmetric, not divided by n
    kernel_error : X -> bound of the spectral-norm error of `kernel(X)`; 0 if the floats are the kernel

    Raises
    ------
    TypeError : a field that cannot be called
    """

    phi: Callable[[Float64, Float64], Any]
    sample: Callable[[np.random.Generator, int], Any]
    kernel: Callable[[Float64], Any]
    kernel_error: Callable[[Float64], float]

    def __post_init__(self) -> None:
        """Refuse what is no function."""
        for field in fields(self):
            if not callable(value := getattr(self, field.name)):
                raise TypeError(f"UserFeatures: {field.name} must be callable, got {type(value).__name__}")

    def features(self, X: Any, W: Any) -> Float64:
        """Ask for the features of all points at all draws.

        Parameters
        ----------
        X : (n, d) float
        W : (m, d1) float

        Returns
        -------
        phi : (n, m, d2) float, finite; not divided by sqrt(m)

        Raises
        ------
        TypeError, ValueError : phi does not return n x m finite real vectors
        """
        data, draws = points(X, "UserFeatures.features: X"), points(W, "UserFeatures.features: W")
        values = real_array(self.phi(data, draws), "UserFeatures.features: phi", ndim=3)
        if values.shape[:2] != (len(data), len(draws)):
            raise ValueError(
                f"UserFeatures.features: phi must have shape ({len(data)}, {len(draws)}, d2), got {values.shape}"
            )
        return values

    def draws(self, rng: np.random.Generator, m: int) -> Float64:
        """Ask for m draws from p.

        Parameters
        ----------
        rng : source of randomness
        m : number of draws

        Returns
        -------
        W : (m, d1) float, finite

        Raises
        ------
        TypeError, ValueError : sample does not return m finite real vectors
        """
        drawn = points(self.sample(rng, m), "UserFeatures.draws: sample")
        if len(drawn) != m:
            raise ValueError(f"UserFeatures.draws: sample must return {m} rows, got {len(drawn)}")
        return drawn

    def kernel_matrix(self, X: Any) -> tuple[Float64, float]:
        """Ask for the kernel matrix, and prove that a positive semidefinite one is within its error.

        K + error I >= 0 in exact arithmetic

        Parameters
        ----------
        X : (n, d) float

        Returns
        -------
        K : (n, n) float, exactly symmetric, finite
        error : float >= 0, the user's bound of ||K - true K||_2

        Raises
        ------
        ValueError : not an n x n symmetric finite matrix; an error that is negative or not finite; or K + error I
            is not positive semidefinite, with a direction v in which it is negative up to the rounding of v
        """
        data = points(X, "UserFeatures.kernel_matrix: X")
        K = gram(self.kernel(data), "UserFeatures.kernel_matrix: kernel")
        if len(K) != len(data):
            raise ValueError(f"UserFeatures.kernel_matrix: kernel must be {len(data)} x {len(data)}, got {K.shape}")
        error = float(self.kernel_error(data))
        if not 0 <= error < np.inf:
            raise ValueError(f"UserFeatures.kernel_matrix: kernel_error must be finite and >= 0, got {error}")
        _prove_semidefinite(K, error)
        return K, error

    def gram(self, X: Any, W: Any, weights: Any) -> Float64:
        """Give the Gram matrix of weighted random features, streamed: never n x m d2 numbers at once.

        Psi Psi^T = (1/m) sum_r weights_r Phi(w_r) Phi(w_r)^T

        Parameters
        ----------
        X : (n, d) float
        W : (m, d1) float
        weights : (m,) float >= 0, p / q_bar at the draws; ones when w ~ p

        Returns
        -------
        Psi Psi^T : (n, n), exactly symmetric, positive semidefinite up to rounding; divided by m

        Raises
        ------
        OverflowError : an entry exceeds the float range
        """
        data, draws = points(X, "UserFeatures.gram: X"), points(W, "UserFeatures.gram: W")
        root = np.sqrt(non_negative(weights, len(draws), "UserFeatures.gram: weights"))
        total = np.zeros((len(data), len(data)))
        for block in chunks(len(draws)):
            values = self.features(data, draws[block])
            with np.errstate(over="ignore", invalid="ignore"):  # refused by name below
                weighted = (values * root[block][:, None]).reshape(len(data), -1)
                total += weighted @ weighted.T
        if not np.isfinite(total).all():
            raise OverflowError("UserFeatures.gram: an entry exceeds the float range; scale X or phi")
        return total / len(draws)


def _prove_semidefinite(K: Float64, error: float) -> None:
    """Prove K + error I >= 0: by balls where it is definite, else by its characteristic polynomial."""
    rows = exact_rows(K)
    shifted = [[x + Fraction(error) * (i == j) for j, x in enumerate(row)] for i, row in enumerate(rows)]
    sign, direction = ball_definiteness(ball_matrix(shifted, bits=256), 256)
    if sign > 0 or (sign == 0 and is_positive_semidefinite(shifted)):
        return
    # balls give no direction where a pivot vanishes: then the least eigenvector is one
    v = direction or np.linalg.eigh(K)[1][:, 0].tolist()
    raise ValueError(
        f"UserFeatures.kernel_matrix: kernel must be positive semidefinite within kernel_error = {error}, got "
        f"v^T (K + kernel_error I) v = {float(quadratic_form(shifted, v))} for v = {v}"
    )
