r"""Equation (1): the output of kernel ridge regression, and that it is what a ridge regression should give.

    f(z) = K(z, X)^T (K + lam I)^-1 Y   minimises   J(g) = ||Y - g(X)||^2 / 2 + lam ||g||_H^2 / 2

over the span of K(., x_1), ..., K(., x_n) and of K(., z) for the new points z. In coefficients a of that span
g = G a and ||g||_H^2 = a^T G a, G the Gram matrix of all points, so J is a quadratic and is decided exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference import arithmetic
from reference.exact_linear_algebra import column, combined, rank, shifted
from reference.ridge_regression import Array, exact_solve, krr_predict, krr_weights
from theorems.glss.ridge_instances import HALVES, PARABOLA, SINGLE, RidgeProblem, ridge_problems
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Instance, Rows, Statement


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about equation (1).

    Parameters
    ----------
    weights : (K, lam, Y) -> alpha
    training : (K, lam) -> the matrix that takes alpha to f(X)
    penalty : factor of lam ||g||_H^2 in the objective
    """

    weights: Callable[[Array, Fraction, Array], Array] = lambda K, lam, Y: krr_weights(K, lam, Y, exact_solve)
    training: Callable[[Array, Fraction], Array] = lambda K, _lam: K
    penalty: Fraction = Fraction(1, 2)


PRINTED = Reading()


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The estimator of one problem.

    Parameters
    ----------
    alpha : (n,) weights
    values : (n + k,) f at the data, then at the new points
    """

    alpha: Array
    values: Array

    @property
    def at_data(self) -> Array:
        """f(X), shape (n,)."""
        return self.values[: len(self.alpha)]


def fit(reading: Reading, x: RidgeProblem, *, lam: Fraction, Y: Array) -> Fit:
    """Evaluate the estimator at all points.

    Parameters
    ----------
    lam, Y : used in place of the problem's own
    """
    n, joint = len(x.Y), np.array(x.kernel, dtype=object)
    alpha = reading.weights(joint[:n, :n], lam, Y)
    rows = np.concatenate([reading.training(joint[:n, :n], lam), joint[n:, :n]])
    return Fit(alpha=alpha, values=krr_predict(rows, alpha))


def _squares(v: Array) -> Fraction:
    return sum((t * t for t in v.tolist()), Fraction(0))


def optimality(reading: Reading, x: RidgeProblem, f: Fit) -> list[Claim]:
    """Relate the estimator to the least value of J: zero gradient, nonnegative curvature, the value itself."""
    n, joint, Y = len(x.Y), np.array(x.kernel, dtype=object), np.array(x.Y, dtype=object)
    penalty = reading.penalty * x.lam
    residual = Y - f.at_data
    gradient = 2 * penalty * (joint[:, :n] @ f.alpha) - joint[:, :n] @ residual
    curvature = combined(
        1, arithmetic.rational_product(joint[:, :n].tolist(), joint[:n].tolist()), 2 * penalty, x.kernel
    )
    value = _squares(residual) / 2 + penalty * (f.alpha @ joint[:n, :n] @ f.alpha)
    dual = exact_solve(np.array(shifted(joint[:n, :n].tolist(), x.lam), dtype=object), Y)
    return [
        Claim(
            says="the gradient of J at f vanishes in every direction of the span",
            left=column(gradient.tolist()),
            relation="=",
            right=column([0] * len(joint)),
        ),
        Claim(
            says="J is convex on the span: 0 <= K(., X) K(X, .) + lambda K",
            left=_zeros(len(joint)),
            relation="Loewner <=",
            right=curvature,
        ),
        Claim(says="J(f) = lambda Y^T (K + lambda I)^-1 Y / 2", left=value, relation="=", right=x.lam * (Y @ dual) / 2),
        Claim(says="J(f) <= J(0) = ||Y||^2 / 2", left=value, relation="<=", right=_squares(Y) / 2),
    ]


def _zeros(n: int) -> Rows:
    return [[Fraction(0)] * n for _ in range(n)]


def consequences(reading: Reading, x: RidgeProblem, f: Fit) -> list[Claim]:
    """Relate the estimator to its labels: residual, linearity, shrinkage, and both ends of the ridge."""
    n, K, Y = len(x.Y), [list(row[: len(x.Y)]) for row in x.kernel[: len(x.Y)]], np.array(x.Y, dtype=object)
    odd = np.array([t if i % 2 else Fraction(0) for i, t in enumerate(x.Y)], dtype=object)
    parts = [fit(reading, x, lam=x.lam, Y=part).values for part in (odd, Y - odd)]
    finer = fit(reading, x, lam=x.lam / 2, Y=Y)
    miss, trace = _squares(Y - f.at_data), arithmetic.rational_trace(K)
    found = [
        Claim(
            says="(K + lambda I) alpha = Y",
            left=arithmetic.rational_product(shifted(K, x.lam), column(f.alpha.tolist())),
            relation="=",
            right=column(x.Y),
        ),
        Claim(
            says="f(X) = Y - lambda alpha",
            left=column(f.at_data.tolist()),
            relation="=",
            right=column((Y - x.lam * f.alpha).tolist()),
        ),
        Claim(
            says="f is linear in Y: the fits of two parts of the labels add up",
            left=column((parts[0] + parts[1]).tolist()),
            relation="=",
            right=column(f.values.tolist()),
        ),
        Claim(says="||f(X)||^2 <= ||Y||^2", left=_squares(f.at_data), relation="<=", right=_squares(Y)),
        Claim(
            says="||f(X)||^2 <= (tr K / lambda)^2 ||Y||^2: a large ridge gives 0",
            left=_squares(f.at_data),
            relation="<=",
            right=(trace / x.lam) ** 2 * _squares(Y),
        ),
        Claim(
            says="halving the ridge does not increase ||Y - f(X)||^2",
            left=_squares(Y - finer.at_data),
            relation="<=",
            right=miss,
        ),
    ]
    if rank(K) == n:
        interpolant = exact_solve(np.array(K, dtype=object), Y)
        found.append(
            Claim(
                says="||Y - f(X)||^2 <= lambda^2 ||K^-1 Y||^2 for K > 0: a small ridge interpolates",
                left=miss,
                relation="<=",
                right=x.lam**2 * _squares(interpolant),
            )
        )
    return found


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of equation (1), the printed one or a broken one."""

    def claims(x: RidgeProblem) -> list[Claim]:
        f = fit(reading, x, lam=x.lam, Y=np.array(x.Y, dtype=object))
        return optimality(reading, x, f) + consequences(reading, x, f)

    return ForEach(claims=claims)


def _ridge_is_positive(x: Any) -> str | None:
    return None if x.lam > 0 else f"lambda must be positive, got lambda = {float(x.lam):g}"


def _kernel_is_one(x: RidgeProblem) -> str | None:
    if not 1 <= len(x.Y) <= len(x.kernel):
        return f"Y must hold 1 to {len(x.kernel)} labels, got {len(x.Y)}"
    if arithmetic.is_positive_semidefinite(x.kernel):
        return None
    return f"K must be positive semidefinite on data and new points, got an indefinite {len(x.kernel)}-point matrix"


RIDGE = Hypothesis(says="lambda > 0", holds=_ridge_is_positive)


def _unridged(K: Array, shift: Fraction, Y: Array) -> Array:
    return exact_solve(np.array(shifted(K.tolist(), shift), dtype=object), Y)


def _twin(name: str, because: str, refuted_on: Instance, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.ridge_strategies import ridge_problems as drawn

    return drawn()


STATEMENT = Statement(
    id="glss.eq1",
    number="(1)",
    title="Kernel ridge regression",
    kind="Equation",
    says=r"f(z)=K(z,X)^\top(K+\lambda I_n)^{-1}Y"
    r"\quad f\in\operatorname{argmin}_{g}\ \frac{1}{2}\|Y-g(X)\|_2^2+\frac{\lambda}{2}\|g\|_{\mathcal{H}}^2",
    plainly="The printed formula is the estimate of kernel ridge regression: it minimises squared error plus lambda "
    "times the squared norm of the function, each halved.",
    source=GLSS.at("Section 1, equation (1), and Section 3.1"),
    deviation="The paper calls f 'the output estimate of KRR' without saying of what; the objective is that of "
    "Section 3.1, over the span of the kernel functions of the data and of the new points.",
    constant="explicit",
    hypotheses=(
        RIDGE,
        Hypothesis(says="K is a kernel: positive semidefinite on data and new points", holds=_kernel_is_one),
    ),
    conclusion=conclusion(PRINTED),
    instances=ridge_problems,
    twins=(
        _twin(
            "ridge_times_n",
            "(K + n lambda I)^-1 belongs to the mean of the squared errors; equation (1) has their sum",
            HALVES,
            weights=lambda K, lam, Y: krr_weights(K, len(Y) * lam, Y, exact_solve),
        ),
        _twin(
            "ridge_subtracted",
            "(K - lambda I)^-1 amplifies where the ridge should shrink",
            HALVES,
            weights=lambda K, lam, Y: _unridged(K, -lam, Y),
        ),
        _twin(
            "ridge_left_out",
            "K^-1 Y interpolates the labels, which is the minimiser for lambda = 0 only",
            HALVES,
            weights=lambda K, _lam, Y: _unridged(K, Fraction(0), Y),
        ),
        _twin(
            "kernel_divided_by_n",
            "K / n in the system and K in the prediction: one of two factors 1/n forgotten",
            PARABOLA,
            weights=lambda K, lam, Y: krr_weights(K / len(Y), lam, Y, exact_solve),
        ),
        _twin(
            "ridged_matrix_reused_for_prediction",
            "(K + lambda I) alpha = Y returns the labels; f(X) is K alpha",
            SINGLE,
            training=lambda K, lam: np.array(shifted(K.tolist(), lam), dtype=object),
        ),
        _twin(
            "penalty_not_halved",
            "with lambda ||g||^2 against half the squared error the minimiser has 2 lambda",
            HALVES,
            penalty=Fraction(1),
        ),
    ),
    notes=(
        "Any positive semidefinite K will do: rank-deficient Gram matrices, duplicates and zero rows included.",
        "For rank-deficient K the minimising function is unique on the points although its coefficients are not.",
    ),
    strategy=_drawn,
)
