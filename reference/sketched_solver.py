"""Solve G g = r, G = J J^T, by products with J: a sketch makes a preconditioner, first-order iterations do the rest.

    S J^T = Q T (Householder),   R = T^-1,   so that S J^T R = Q has orthonormal columns

If S keeps the lengths of all J^T v up to factors 1 -+ e, then R^T G R has its eigenvalues in [(1 + e)^-2, (1 - e)^-2].
The unknown is z = R^-1 g: R^T G R z = R^T r. Residuals are those of the system as given, r - G g, since these are what
an inexact Gauss-Newton step must control.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import lapack, solve_triangular

from reference.jacobian import Jacobian, check_independent_rows
from reference.preconditions import UNIT_ROUNDOFF, Float64, one_each, positive
from reference.sketches import Sketch


@dataclass(frozen=True, kw_only=True, eq=False)
class Preconditioner:
    """R, known through its inverse.

    Parameters
    ----------
    triangle : (n, n) float, T = R^-1, upper triangular and not singular; the identity for no preconditioning
    """

    triangle: Float64

    def squared(self, v: Float64) -> Float64:
        """Give R R^T v = (T^T T)^-1 v: (n,), in n (n + 1) operations."""
        half = solve_triangular(self.triangle, v, trans="T")
        result: Float64 = solve_triangular(self.triangle, half)
        return result

    def spectrum(self, G: Any) -> Float64:
        """Give the eigenvalues of R^T G R, ascending: (n,); not counted, the iterations do without."""
        half = solve_triangular(self.triangle, np.asarray(G), trans="T")  # T^-T G, whose transpose is G T^-1
        both = solve_triangular(self.triangle, half.T, trans="T")
        result: Float64 = np.linalg.eigvalsh((both + both.T) / 2)
        return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """What an iteration did.

    Parameters
    ----------
    iterates : (k + 1, n), g_0 = 0, g_1, ..., g_k
    residuals : (k + 1,), ||r - G g_j||, recomputed from g_j for Richardson, by recurrence for conjugate gradients
        except where these stop or start anew
    update : (m, d), J^T g_k
    operations : spent on the iteration, without the preconditioner
    """

    iterates: Float64
    residuals: Float64
    update: Float64
    operations: int

    @property
    def iterations(self) -> int:
        """Give k."""
        return len(self.iterates) - 1


def sketched_preconditioner(jacobian: Jacobian, sketch: Sketch) -> Preconditioner:
    """Make a preconditioner of a sketch of J^T.

    S J^T = Q T, R = T^-1

    Parameters
    ----------
    jacobian : J, (n, m d), with independent rows
    sketch : drawn for R^(md), s >= n

    Returns
    -------
    preconditioner : S J^T R has orthonormal columns; Householder's reduction costs about s n^2 - n^3 / 3 operations

    Raises
    ------
    ValueError : s < n; rows of J that are dependent, see `check_independent_rows`
    ArithmeticError : S J^T has dependent columns within rounding, because of J or because of this draw

    References
    ----------
    BPSW, abstract (recalled in detail): sketch, then QR
    """
    where, n = "sketched_preconditioner", len(jacobian.X)
    if sketch.size < n:
        raise ValueError(f"{where}: the sketch must have at least n = {n} rows, got s = {sketch.size}")
    check_independent_rows(jacobian, where)
    triangle: Float64 = np.asarray(np.linalg.qr(sketch.apply(jacobian), mode="r"))
    jacobian.count.add("qr", sum((sketch.size - j) * (2 * (n - j) - 1) for j in range(n)))
    reciprocal, _ = lapack.dtrcon(triangle)
    if not reciprocal > n * UNIT_ROUNDOFF:
        raise ArithmeticError(f"{where}: S J^T must have independent columns, got 1 / condition = {reciprocal:.1e}")
    return Preconditioner(triangle=triangle)


def optimal_step(spectrum: Any) -> float:
    """Give the step with which Richardson's iteration contracts best.

    2 / (least + greatest eigenvalue), contracting by (k - 1) / (k + 1), k their quotient

    Parameters
    ----------
    spectrum : (n,) positive eigenvalues of R^T G R, see `Preconditioner.spectrum`
    """
    eigenvalues = np.asarray(spectrum, dtype=np.float64)
    if not (eigenvalues > 0).all():
        raise ValueError(f"optimal_step: spectrum must be positive, got least eigenvalue {eigenvalues.min()}")
    return float(2 / (eigenvalues.min() + eigenvalues.max()))


def richardson(
    jacobian: Jacobian,
    r: Any,
    preconditioner: Preconditioner,
    *,
    step: Any,
    accuracy: Any,
    at_most: int,
) -> Solution:
    """Iterate with a constant step.

    z <- z + step R^T (r - G R z),   g = R z:   g <- g + step R R^T (r - G g)

    Parameters
    ----------
    jacobian : J
    r : (n,) float
    preconditioner : R
    step : positive float; 1, or `optimal_step`
    accuracy : positive float, relative: the iteration ends at ||r - G g|| <= accuracy ||r||
    at_most : iterations allowed

    Returns
    -------
    solution : `Solution`; an iteration costs two products with J, two triangular solves and 2 n

    Raises
    ------
    ArithmeticError : the accuracy was not reached, because the step is too long, or `at_most` or rounding too much
    """
    right, length, goal = _asked(jacobian, r, step, accuracy, "richardson")
    before, n = jacobian.count.total(), len(right)
    g, residual, update = np.zeros(n), right, np.zeros(jacobian.shape[1:])
    iterates, residuals = [g], [_norm(right)]
    while residuals[-1] > goal:
        if len(residuals) > at_most or not residuals[-1] < np.inf:
            raise _missed("richardson", residuals, goal)
        g = g + length * preconditioner.squared(residual)
        update = jacobian.transposed_times(g)
        residual = right - jacobian.times(update)
        jacobian.count.add("iteration", n * (n + 1) + 2 * n)
        iterates.append(g)
        residuals.append(_norm(residual))
    return _solution(jacobian, iterates, residuals, update, before)


def conjugate_gradient(
    jacobian: Jacobian, r: Any, preconditioner: Preconditioner, *, accuracy: Any, at_most: int
) -> Solution:
    """Iterate by conjugate gradients.

    The iterates minimise ||J^T (g - G^-1 r)|| over g in the span of (R R^T G)^j R R^T r, j < k

    Parameters
    ----------
    jacobian, r, preconditioner, accuracy, at_most : see `richardson`

    Returns
    -------
    solution : `Solution`; an iteration costs two products with J, two triangular solves, m d and 6 n. When the residual
        of the recurrence is small enough it is computed anew; if rounding had hidden a larger one, the iteration
        starts again from where it is.

    Raises
    ------
    ArithmeticError : the accuracy was not reached within `at_most` iterations
    """
    right, _, goal = _asked(jacobian, r, 1.0, accuracy, "conjugate_gradient")
    before, n = jacobian.count.total(), len(right)
    g, residual, update = np.zeros(n), right, np.zeros(jacobian.shape[1:])
    iterates, residuals = [g], [_norm(right)]
    direction, weight = np.zeros(n), float("inf")  # the first direction is the preconditioned residual alone
    while residuals[-1] > goal:
        if len(residuals) > at_most:
            raise _missed("conjugate_gradient", residuals, goal)
        preconditioned = preconditioner.squared(residual)
        new_weight = float(residual @ preconditioned)
        direction = preconditioned + new_weight / weight * direction
        weight = new_weight
        move = jacobian.transposed_times(direction)
        image = jacobian.times(move)
        length = weight / (direction @ image)
        g, update, residual = g + length * direction, update + length * move, residual - length * image
        jacobian.count.add("iteration", n * (n + 1) + move.size + 6 * n)
        if _norm(residual) <= goal:
            update = jacobian.transposed_times(g)
            residual, weight = right - jacobian.times(update), float("inf")
        iterates.append(g)
        residuals.append(_norm(residual))
    return _solution(jacobian, iterates, residuals, update, before)


def sketch_and_solve(jacobian: Jacobian, r: Any, preconditioner: Preconditioner) -> Solution:
    """Solve the sketched system instead: the first of Richardson's iterates with unit step, whatever its residual.

    g = ((S J^T)^T S J^T)^-1 r = R R^T r

    Parameters
    ----------
    jacobian, r, preconditioner : see `richardson`
    """
    right = one_each(r, len(jacobian.X), "sketch_and_solve: r")
    before, n = jacobian.count.total(), len(right)
    g = preconditioner.squared(right)
    update = jacobian.transposed_times(g)
    residuals = [_norm(right), _norm(right - jacobian.times(update))]
    jacobian.count.add("iteration", n * (n + 1) + 2 * n)
    return _solution(jacobian, [np.zeros(n), g], residuals, update, before)


def _asked(jacobian: Jacobian, r: Any, step: Any, accuracy: Any, where: str) -> tuple[Float64, float, float]:
    """Read r, the step, and the residual at which to stop."""
    right = one_each(r, len(jacobian.X), f"{where}: r")
    return right, positive(step, f"{where}: step"), positive(accuracy, f"{where}: accuracy") * _norm(right)


def _norm(v: Float64) -> float:
    with np.errstate(over="ignore"):  # an infinite residual is refused by name
        return float(np.linalg.norm(v))


def _missed(where: str, residuals: list[float], goal: float) -> ArithmeticError:
    return ArithmeticError(
        f"{where}: ||r - G g|| must fall to {goal:.3e}, got {residuals[-1]:.3e} after {len(residuals) - 1} iterations"
    )


def _solution(
    jacobian: Jacobian, iterates: list[Float64], residuals: list[float], update: Float64, before: int
) -> Solution:
    return Solution(
        iterates=np.array(iterates),
        residuals=np.array(residuals),
        update=update,
        operations=jacobian.count.total() - before,
    )
