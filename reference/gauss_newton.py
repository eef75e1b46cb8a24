"""Gauss-Newton training of the two-layer ReLU network, exact, by sketched iterations, and gradient descent beside it.

    W <- W - J^T g,   G g = f - y,   G = J J^T = H(t)

J^T G^-1 (f - y) is the shortest of all moves D that make the linearised residual J D - (f - y) as small as possible,
which is zero when G > 0. All rules move by J^T g and differ in g. Only the first layer is trained, with neither
multiplier nor ridge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.linalg import cho_solve, lapack

from reference.jacobian import Jacobian, check_independent_rows, jacobian
from reference.operations import Operations
from reference.preconditions import UNIT_ROUNDOFF, Float64, one_each, points, positive, same_dimension
from reference.sketched_solver import conjugate_gradient, sketched_preconditioner
from reference.sketches import DrawsSketch
from reference.two_layer import outputs, signs


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """A move of the weights, W <- W - update.

    Parameters
    ----------
    g : (n,)
    update : (m, d), J^T g
    iterations : inner iterations that found g; 0 for a closed form
    """

    g: Float64
    update: Float64
    iterations: int


Rule: TypeAlias = Callable[[Jacobian, Float64], Step]
"""How to move: from J and the residual f - y, counted in J's counter."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """What training did, at t = 0, ..., T.

    Parameters
    ----------
    f : (T + 1, n), outputs on the data
    residuals : (T + 1,), ||f - y||
    displacement : (T + 1,), max_r ||w_r(t) - w_r(0)||, starting at 0
    iterations : (T,) int, inner iterations of each step
    operations : (T,) int, all operations of each step: activations, step, and the outputs where it leads
    by_work : operations of all steps by kind of work
    W : (m, d), the last weights
    reached : whether ||f - y|| fell to the accuracy
    """

    f: Float64
    residuals: Float64
    displacement: Float64
    iterations: tuple[int, ...]
    operations: tuple[int, ...]
    by_work: dict[str, int]
    W: Float64
    reached: bool


def exact_step(jacobian: Jacobian, r: Any) -> Step:
    """Solve the linearised problem exactly, through the structured Gram matrix and its Cholesky factor.

    g = G^-1 r; J^T g = argmin ||D|| over the D with J D = r

    Parameters
    ----------
    jacobian : J, (n, m d), with independent rows
    r : (n,) float, f - y

    Returns
    -------
    step : `Step`

    Raises
    ------
    ValueError : rows of J that are dependent for a reason that can be named, see `check_independent_rows`
    ArithmeticError : G is not positive definite within rounding

    References
    ----------
    BPSW, abstract (recalled in detail); the Gram matrix as in Zhang, Martens and Grosse (2019)
    """
    right = one_each(r, len(jacobian.X), "exact_step: r")
    check_independent_rows(jacobian, "exact_step")
    G, n = jacobian.gram(), len(right)
    factor, failed = lapack.dpotrf(G, lower=1)
    reciprocal = 0.0 if failed else lapack.dpocon(factor, np.abs(G).sum(axis=0).max(), uplo="L")[0]
    if not reciprocal > n * UNIT_ROUNDOFF:
        raise ArithmeticError(f"exact_step: G = J J^T must be positive definite, got 1 / condition = {reciprocal:.1e}")
    g: Float64 = cho_solve((factor, True), right)
    jacobian.count.add("cholesky", n * (n + 1) * (n + 2) // 6 + n * (n + 1))
    return Step(g=g, update=jacobian.transposed_times(g), iterations=0)


def gradient_step(rate: Any) -> Rule:
    """Make the rule of gradient descent on ||f - y||^2 / 2.

    g = rate (f - y)

    Parameters
    ----------
    rate : positive float
    """
    length = positive(rate, "gradient_step: rate")

    def step(jacobian: Jacobian, r: Any) -> Step:
        g = length * one_each(r, len(jacobian.X), "gradient_step: r")
        jacobian.count.add("iteration", len(g))
        return Step(g=g, update=jacobian.transposed_times(g), iterations=0)

    return step


def sketched_step(kind: DrawsSketch, s: int, eps0: Any, rng: np.random.Generator, *, at_most: int = 1000) -> Rule:
    """Make the rule of inexact steps: a fresh sketch, QR, and conjugate gradients.

    ||G g - r|| <= eps0 ||r||

    Parameters
    ----------
    kind : which sketch, such as `TensorSRHT`
    s : its number of rows, at least n
    eps0 : in (0, 1), the inner relative residual
    rng : draws the sketches, one per step
    at_most : inner iterations allowed

    Raises
    ------
    ValueError : eps0 >= 1, where g = 0 would do; by the rule: s < n, or dependent rows of J
    ArithmeticError : by the rule, see `sketched_preconditioner` and `conjugate_gradient`
    """
    accuracy = positive(eps0, "sketched_step: eps0")
    if accuracy >= 1:
        raise ValueError(f"sketched_step: eps0 must be below 1, got eps0 = {eps0}")

    def step(jacobian: Jacobian, r: Any) -> Step:
        check_independent_rows(jacobian, "sketched_step")  # before a sketch of too few columns fails for another reason
        preconditioner = sketched_preconditioner(jacobian, kind.draw(*jacobian.shape[1:], s, rng))
        found = conjugate_gradient(jacobian, r, preconditioner, accuracy=accuracy, at_most=at_most)
        return Step(g=found.iterates[-1], update=found.update, iterations=found.iterations)

    return step


def train(X: Any, y: Any, W: Any, a: Any, rule: Rule, *, accuracy: Any, at_most: int) -> Training:
    """Train the first layer.

    W(t+1) = W(t) - J(t)^T g(t) until ||f(t) - y|| <= accuracy

    Parameters
    ----------
    X : (n, d) float; the theorems ask for unit rows
    y : (n,) labels; the theorems ask for |y_i| <= 1
    W : (m, d) float, initial weights
    a : (m,) signs
    rule : `exact_step`, or made by `sketched_step` or `gradient_step`, or another
    accuracy : positive float, absolute
    at_most : steps allowed

    Returns
    -------
    training : `Training`; whether the accuracy was reached is a field, since not every rule converges

    Raises
    ------
    ValueError, ArithmeticError : what the rule refuses; a rule whose move has another shape than W
    OverflowError : the training diverged
    """
    data, start = points(X, "train: X"), points(W, "train: W")
    same_dimension(data, start, "train: W")
    (m, d), n = start.shape, len(data)
    labels, top = one_each(y, n, "train: y"), signs(a, m, "train: a")
    goal, weights = positive(accuracy, "train: accuracy"), start
    if at_most < 0:
        raise ValueError(f"train: at_most must be at least 0, got at_most = {at_most}")
    iterations: list[int] = []
    f, displacement = [outputs(weights, top, data)], [0.0]
    residuals, totals, count = [_distance(f[0], labels)], [0], Operations()
    while residuals[-1] > goal and len(iterations) < at_most:
        step = rule(jacobian(weights, top, data, count), f[-1] - labels)
        if step.update.shape != start.shape:
            raise ValueError(f"train: the rule must move W by an array of shape {start.shape}, got {step.update.shape}")
        weights = weights - step.update
        with np.errstate(over="ignore", invalid="ignore"):  # refused by name below
            f.append(outputs(weights, top, data))
            residuals.append(_distance(f[-1], labels))
            displacement.append(float(np.linalg.norm(weights - start, axis=1).max()))
        if not np.isfinite(residuals[-1]):
            raise OverflowError(f"train: the training diverged in {len(residuals) - 1} steps, from {residuals[0]:.3e}")
        count.add("outputs", n * m * (d + 1) + n + m * d)
        iterations.append(step.iterations)
        totals.append(count.total())
    return Training(
        f=np.array(f),
        residuals=np.array(residuals),
        displacement=np.array(displacement),
        iterations=tuple(iterations),
        operations=tuple(np.diff(totals).tolist()),
        by_work=dict(count.by_work),
        W=weights,
        reached=residuals[-1] <= goal,
    )


def _distance(f: Float64, y: Float64) -> float:
    return float(np.linalg.norm(f - y))
