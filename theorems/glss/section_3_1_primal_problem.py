r"""Section 3.1: the classical ridge regression problem in feature space, and its solution through the kernel.

    min_beta ||Y - Phi beta||^2 / 2 + lam ||beta||^2 / 2   has   f*(x) = phi(x)^T beta* = K(x, X)^T alpha,
    (K + lam I) alpha = Y,   K(x, z) = <phi(x), phi(z)>

Both systems are solved, each in its own space, and compared exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.exact_linear_algebra import column, identity, shifted
from reference.ridge_regression import Array, exact_solve, krr_predict, krr_weights
from theorems.glss.equation_1_kernel_ridge_regression import RIDGE
from theorems.glss.ridge_instances import DEGENERATE, ONE, WOODBURY, FeatureProblem, feature_problems
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Instance, Statement


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the primal problem and its kernel.

    Parameters
    ----------
    loss, penalty : factors of ||Y - Phi beta||^2 (which may depend on n) and of lam ||beta||^2 in the objective
    kernel : rows F of features, rows G of features -> K(F, G)
    weights : (K, lam, Y) -> alpha
    """

    loss: Callable[[int], Fraction] = lambda _n: Fraction(1, 2)
    penalty: Fraction = Fraction(1, 2)
    kernel: Callable[[Array, Array], Array] = lambda F, G: F @ G.T
    weights: Callable[[Array, Fraction, Array], Array] = lambda K, lam, Y: krr_weights(K, lam, Y, exact_solve)


PRINTED = Reading()


def primal_solution(x: FeatureProblem) -> Array:
    """Solve the normal equations (Phi^T Phi + lam I) beta = Phi^T Y: (s,)."""
    Phi, Y = np.array(x.features, dtype=object), np.array(x.Y, dtype=object)
    return exact_solve(np.array(shifted((Phi.T @ Phi).tolist(), x.lam), dtype=object), Phi.T @ Y)


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of the problem, the printed one or a broken one."""

    def claims(x: FeatureProblem) -> list[Claim]:
        Phi, new, Y = (np.array(part, dtype=object) for part in (x.features, x.new, x.Y))
        n, s = Phi.shape
        loss, penalty = reading.loss(n), reading.penalty * x.lam
        beta = primal_solution(x)
        alpha = reading.weights(reading.kernel(Phi, Phi), x.lam, Y)
        through_kernel = Phi.T @ alpha
        residual = Y - Phi @ through_kernel
        gradient = 2 * penalty * through_kernel - 2 * loss * (Phi.T @ residual)
        value = loss * (residual @ residual) + penalty * (through_kernel @ through_kernel)
        return [
            Claim(
                says="the gradient of the objective vanishes at beta = Phi^T alpha",
                left=column(gradient.tolist()),
                relation="=",
                right=column([0] * s),
            ),
            Claim(
                says="the objective is strongly convex: lambda I <= Phi^T Phi + lambda I",
                left=[[x.lam * t for t in row] for row in identity(s)],
                relation="Loewner <=",
                right=((2 * loss) * (Phi.T @ Phi) + 2 * penalty * np.array(identity(s), dtype=object)).tolist(),
            ),
            Claim(
                says="beta* = Phi^T alpha",
                left=column(beta.tolist()),
                relation="=",
                right=column(through_kernel.tolist()),
            ),
            Claim(
                says="phi(x)^T beta* = K(x, X)^T alpha at the data and at the new points",
                left=column([*(Phi @ beta).tolist(), *(new @ beta).tolist()]),
                relation="=",
                right=column(
                    [
                        *krr_predict(reading.kernel(Phi, Phi), alpha).tolist(),
                        *krr_predict(reading.kernel(new, Phi), alpha).tolist(),
                    ]
                ),
            ),
            Claim(
                says="the least value is lambda Y^T alpha / 2",
                left=value,
                relation="=",
                right=x.lam * (Y @ alpha) / 2,
            ),
        ]

    return ForEach(claims=claims)


def shapes_agree(x: FeatureProblem) -> str | None:
    """Check that there is one label per row and one width of all rows."""
    widths = {len(row) for row in (*x.features, *x.new)}
    if len(x.features) != len(x.Y) or not x.Y:
        return f"Y must hold one label per row of Phi, got {len(x.Y)} labels and {len(x.features)} rows"
    if not x.new or len(widths) != 1 or widths == {0}:
        return f"phi must have one positive dimension and a new point, got widths {sorted(widths)}"
    return None


SHAPES = Hypothesis(says="Phi is n x s with one label per row; the new points have s features", holds=shapes_agree)


def _drawn() -> Any:
    from theorems.glss.ridge_strategies import feature_problems as drawn

    return drawn()


def _twin(name: str, because: str, refuted_on: Instance, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="glss.krr-primal",
    number="3.1 primal",
    title="Ridge regression in feature space",
    kind="Section",
    says=r"\min_\beta\ \frac{1}{2}\|Y-\phi(X)^\top\beta\|_2^2+\frac{1}{2}\lambda\|\beta\|_2^2"
    r"\quad f^\ast(x)=K(x,X)^\top\alpha\quad (K+\lambda I_n)\alpha=Y\quad K(x,z)=\langle\phi(x),\phi(z)\rangle",
    plainly="The ridge regression problem over features is solved through the kernel: its minimiser predicts "
    "K(x, X)^T alpha with (K + lambda I) alpha = Y.",
    source=GLSS.at("Section 3.1, first two displays"),
    deviation="phi maps into R^s; the printed feature space F may have infinite dimension, where the minimiser lies in "
    "the span of phi(x_1), ..., phi(x_n), which is finite.",
    constant="explicit",
    hypotheses=(RIDGE, SHAPES),
    conclusion=conclusion(PRINTED),
    instances=feature_problems,
    twins=(
        _twin(
            "mean_squared_error",
            "with ||Y - Phi beta||^2 / (2n) the kernel system has n lambda",
            WOODBURY,
            loss=lambda n: Fraction(1, 2 * n),
        ),
        _twin(
            "penalty_not_halved",
            "lambda ||beta||^2 against half the squared error gives 2 lambda in the system",
            ONE,
            penalty=Fraction(1),
        ),
        _twin(
            "constant_added_to_the_kernel",
            "K = <phi, phi> + 1 belongs to features with a constant one among them; phi has none",
            DEGENERATE,
            kernel=lambda F, G: F @ G.T + Fraction(1),
        ),
        _twin(
            "features_normalised_once",
            "K = <phi, phi> / s with beta over the features themselves: the two problems have different scales",
            WOODBURY,
            kernel=lambda F, G: F @ G.T / Fraction(F.shape[1]),
        ),
    ),
    notes=(
        "The problem is strongly convex because lambda > 0, whatever the features; the constant is exactly lambda "
        "when Phi^T Phi is singular.",
    ),
    strategy=_drawn,
)
