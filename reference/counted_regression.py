"""Both routes of ridge regression with every arithmetic operation counted.

    in feature space   Phi^T Phi + lam I = L L^T,   L L^T beta = Phi^T Y,   f(z) = phi(z)^T beta
    in data space      K + lam I = L L^T,           L L^T alpha = Y,        f(z) = K(z, X)^T alpha

Operations are multiplications, divisions and square roots; each comes with at most one addition. Each step counts
the operations that it carries out, and the number does not depend on the values. With object arrays of scalars that
count themselves the same lines run, and their counts must agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """A result and what it cost.

    Parameters
    ----------
    value : (k,) predictions
    operations : multiplications, divisions and square roots
    """

    value: Array
    operations: int


def counted_in_feature_space(Phi: Any, lam: Any, Y: Any, phi_z: Any) -> Counted:
    """Predict through an s x s system: n s(s+1)/2 + n s + s(s+1)(s+2)/6 + s(s+1) + k s operations.

    f(z) = phi(z)^T (Phi^T Phi + lam I_s)^-1 Phi^T Y

    Parameters
    ----------
    Phi : (n, s) features of the data
    lam : positive
    Y : (n,) labels
    phi_z : (k, s) features of the new points

    References
    ----------
    GLSS, Section 3.1, after equation (2)
    """
    features, labels, new = np.asarray(Phi), np.asarray(Y), np.asarray(phi_z)
    _check(lam, features, labels, new, "counted_in_feature_space")
    n, s = features.shape
    lower = np.zeros((s, s), dtype=features.dtype)
    operations = 0
    for j in range(s):
        lower[j:, j] = features[:, j:].T @ features[:, j]  # symmetric: the lower half is enough
        operations += n * (s - j)
    right = features.T @ labels
    operations += n * s
    return _solved(lower, lam, right, new, operations)


def counted_in_data_space(K: Any, lam: Any, Y: Any, K_zX: Any) -> Counted:
    """Predict through the n x n system: n(n+1)(n+2)/6 + n(n+1) + k n operations, K being given.

    f(z) = K(z, X)^T (K + lam I_n)^-1 Y

    Parameters
    ----------
    K : (n, n) symmetric positive semidefinite; the lower half is read
    lam : positive
    Y : (n,) labels
    K_zX : (k, n), kernel between the new points and the data

    References
    ----------
    GLSS, equation (1)
    """
    matrix, labels, new = np.asarray(K), np.asarray(Y), np.asarray(K_zX)
    _check(lam, matrix, labels, new, "counted_in_data_space")
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"counted_in_data_space: K must be square, got shape {matrix.shape}")
    return _solved(np.tril(matrix), lam, labels, new, 0)


def _check(lam: Any, rows: Array, labels: Array, new: Array, where: str) -> None:
    if not lam > 0:
        raise ValueError(f"{where}: lam must be positive, got lam = {lam}")
    if rows.ndim != 2 or 0 in rows.shape or labels.shape != rows.shape[:1]:
        raise ValueError(f"{where}: need one row per label, got shapes {rows.shape} and {labels.shape}")
    if new.ndim != 2 or new.shape[1] != rows.shape[1]:
        raise ValueError(f"{where}: new points must have {rows.shape[1]} columns, got shape {new.shape}")


def _solved(lower: Array, lam: Any, right: Array, new: Array, operations: int) -> Counted:
    """Factor lower + lam I, solve for `right`, predict; the lower half of a symmetric matrix is overwritten."""
    s = len(lower)
    for j in range(s):
        lower[j, j] += lam
    for j in range(s):
        lower[j:, j] = lower[j:, j] - lower[j:, :j] @ lower[j, :j] if j else lower[j:, j]
        root = lower[j, j] ** 0.5
        lower[j, j] = root
        lower[j + 1 :, j] = lower[j + 1 :, j] / root
        operations += (s - j) * j + 1 + (s - j - 1)
    solution = right.copy() if right.dtype == lower.dtype else right.astype(lower.dtype)
    for j in range(s):
        solution[j] = (solution[j] - lower[j, :j] @ solution[:j] if j else solution[j]) / lower[j, j]
        operations += j + 1
    for j in reversed(range(s)):
        rest = lower[j + 1 :, j] @ solution[j + 1 :] if j + 1 < s else 0
        solution[j] = (solution[j] - rest) / lower[j, j]
        operations += s - j
    return Counted(value=new @ solution, operations=operations + new.size)
