"""Kernel ridge regression, and the same through features.

    f(z) = K(z, X)^T (K + lam I)^-1 Y;   with K = Phi Phi^T also f(z) = phi(z)^T (Phi^T Phi + lam I)^-1 Phi^T Y

The ridge is lam, never n lam. One formula, two arithmetics: with `exact_solve` in place of `numpy.linalg.solve` and
object arrays of Fractions the same lines are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.arithmetic import rational_solve

Array: TypeAlias = npt.NDArray[Any]
Solve: TypeAlias = Callable[[Array, Array], Array]


def exact_solve(A: Array, b: Array) -> Array:
    """Solve A x = b over the rationals.

    Parameters
    ----------
    A : (n, n) object array of Fractions, nonsingular
    b : (n,) object array of Fractions

    Returns
    -------
    x : (n,) object array of Fractions
    """
    solution = rational_solve(A.tolist(), [[Fraction(x)] for x in b.tolist()])
    return np.array([row[0] for row in solution], dtype=object)


def krr_weights(K: Any, lam: Any, Y: Any, solve: Solve = np.linalg.solve) -> Array:
    """Give the weight of every data point in the kernel ridge regression estimator.

    alpha = (K + lam I)^-1 Y;   then f(X) = K alpha = Y - lam alpha

    Parameters
    ----------
    K : (n, n), symmetric positive semidefinite, not divided by n
    lam : positive
    Y : (n,) labels
    solve : `exact_solve` for Fractions

    Returns
    -------
    alpha : (n,)

    References
    ----------
    GLSS, equation (1)
    """
    matrix, labels = np.asarray(K), np.asarray(Y)
    _check_system(matrix.shape, lam, labels.shape, "krr_weights", "K")
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"krr_weights: K must be square, got shape {matrix.shape}")
    return solve(_ridge(matrix, lam), labels)


def krr_predict(K_zX: Any, alpha: Any) -> Array:
    """Predict at new points: f(z) = K(z, X)^T alpha.

    Parameters
    ----------
    K_zX : (k, n), kernel between the new points and the data
    alpha : (n,), `krr_weights`

    Returns
    -------
    f : (k,)
    """
    kernel, weights = np.asarray(K_zX), np.asarray(alpha)
    if kernel.ndim != 2 or weights.shape != kernel.shape[1:]:
        raise ValueError(f"krr_predict: K_zX must be (k, n) and alpha (n,), got {kernel.shape} and {weights.shape}")
    prediction: Array = kernel @ weights
    return prediction


def feature_predictor(Phi: Any, lam: Any, Y: Any, phi_z: Any, solve: Solve = np.linalg.solve) -> Array:
    """Predict in feature space, where the system is s x s instead of n x n.

    f(z) = phi(z)^T (Phi^T Phi + lam I_s)^-1 Phi^T Y = phi(z)^T Phi^T (Phi Phi^T + lam I_n)^-1 Y

    Parameters
    ----------
    Phi : (n, s) features of the data
    lam : positive
    Y : (n,) labels
    phi_z : (k, s) features of the new points
    solve : `exact_solve` for Fractions

    Returns
    -------
    f : (k,)

    References
    ----------
    GLSS, Section 3.1, after equation (2)
    """
    features, labels, new = np.asarray(Phi), np.asarray(Y), np.asarray(phi_z)
    _check_system(features.shape, lam, labels.shape, "feature_predictor", "Phi")
    if new.ndim != 2 or new.shape[1] != features.shape[1]:
        raise ValueError(f"feature_predictor: phi_z must be (k, {features.shape[1]}), got shape {new.shape}")
    prediction: Array = new @ solve(_ridge(features.T @ features, lam), features.T @ labels)
    return prediction


def _check_system(shape: tuple[int, ...], lam: Any, labels: tuple[int, ...], where: str, name: str) -> None:
    if not lam > 0:
        raise ValueError(f"{where}: lam must be positive, got lam = {lam}")
    if len(shape) != 2 or 0 in shape or labels != shape[:1]:
        raise ValueError(f"{where}: {name} must be a matrix with one row per label, got {shape} and Y {labels}")


def _ridge(matrix: Array, lam: Any) -> Array:
    """Add lam to the diagonal, in whatever arithmetic the entries have."""
    ridged: Array = matrix + lam * np.eye(len(matrix), dtype=object if matrix.dtype == object else None)
    return ridged
