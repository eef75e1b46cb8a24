r"""Equation (7): ridge regression with the tangent kernel, solved in its feature space and through the kernel.

    min_beta ||Y - kappa Phi(X)^T beta||^2 / 2 + lam ||beta||^2 / 2,   f_ntk(beta, x) = Phi(x)^T beta

Phi(x) is the function w -> x 1[w.x >= 0] in L2(N(0, I); R^d), and beta is such a function too. Functions that are
constant on the activation cells of the data are enough: the data see no others, and the ridge prefers none. So beta
has one vector per cell, with f_ntk = sum_c P_c 1_c(x) x.beta_c and ||beta||^2 = sum_c P_c |beta_c|^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import precision
from reference.rational_eigenvalues import least_eigenvalue
from theorems.glss.equation_6_regularised_loss import FOOTNOTE
from theorems.glss.tangent_instances import (
    CORNERS,
    LAW,
    MULTIPLIER,
    ORTHONORMAL,
    POINT,
    RIDGE,
    SHAPES,
    SHRUNK,
    SQUARE,
    TangentProblem,
    canonical,
    problems,
)
from theorems.glss.tangent_worlds import BITS, Number, Numbers, World
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Misprint, Statement


def features(w: World) -> tuple[Numbers, Numbers]:
    """Give the features on cells and the law they are averaged with.

    Returns
    -------
    A : (k, C d), row i holds 1_c(x_i) x_i cell by cell; f_ntk = A D beta
    D : (C d,), the probability of each entry's cell; ||beta||^2 = beta . D beta
    """
    k, d = w.x.shape
    A = (w.seen.T[:, :, None] * w.x[:, None, :]).reshape(k, len(w.mass) * d)
    return A, np.repeat(w.mass, d)


def minimiser(x: TangentProblem, w: World) -> Numbers:
    """Solve the normal equations of (7) in feature space, (kappa^2 D A^T A D + lam D) beta = kappa D A^T Y: (C d,)."""
    A, D = features(w)
    kappa, lam, Y = w.number(x.kappa), w.number(x.lam), w.numbers(x.Y)
    scaled = A[: x.n] * D
    beta: Numbers = w.inverse(kappa**2 * (scaled.T @ scaled) + lam * np.diag(D)) @ (kappa * (scaled.T @ Y))
    return beta


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about problem (7) and its solution.

    Parameters
    ----------
    penalty : factor of lam ||beta||^2 in the objective
    ridge : (n, lam) -> what is added to kappa^2 H_cts
    multiplier : kappa -> factor of Phi(X) alpha in beta*
    modulus : (kappa^2 times the least eigenvalue of H_cts from below, lam) -> the constant of strong convexity
    """

    penalty: Fraction = Fraction(1, 2)
    ridge: Callable[[int, Fraction], Fraction] = lambda _n, lam: lam
    multiplier: Callable[[Fraction], Fraction] = lambda kappa: kappa
    modulus: Callable[[Fraction, Fraction], Fraction] = lambda _least, lam: lam


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of (7), the printed one or a broken one."""

    def claims(x: TangentProblem) -> list[Claim]:
        with precision(BITS):
            return _claims(reading, x)

    return ForEach(claims=claims)


def _claims(reading: Reading, x: TangentProblem) -> list[Claim]:
    w = x.data
    A, D = features(w)
    kappa, penalty, Y = w.number(x.kappa), w.number(reading.penalty * x.lam), w.numbers(x.Y)
    alpha = w.inverse(w.shifted(kappa**2 * w.kernel, w.number(reading.ridge(x.n, x.lam)))) @ Y
    beta = w.number(reading.multiplier(x.kappa)) * (A.T @ alpha)
    rest = Y - kappa * (A @ (D * beta))
    gradient = D * (2 * penalty * beta - kappa * (A.T @ rest))
    value = rest @ rest / 2 + penalty * (beta @ (D * beta))
    found = [
        *w.equal("the gradient of (7) vanishes at beta* = kappa Phi(X) alpha", gradient, 0 * gradient),
        *w.equal("beta* is what the normal equations give", beta, minimiser(x, w)),
        Claim(
            says="the least value is lambda Y^T alpha / 2",
            left=w.quantity(value),
            relation="=",
            right=w.quantity(w.number(x.lam) * (Y @ alpha) / 2),
        ),
    ]
    if w.rational:
        found.append(_strongly_convex(reading, x, w, penalty))
    return found


def _strongly_convex(reading: Reading, x: TangentProblem, w: World, penalty: Number) -> Claim:
    """Compare the second derivative with a multiple of the squared norm, both as forms in beta."""
    A, D = features(w)
    least = max(least_eigenvalue(w.kernel.tolist())[0], Fraction(0))
    hessian = x.kappa**2 * ((A * D).T @ (A * D)) + 2 * penalty * np.diag(D)
    return Claim(
        says="(7) is strongly convex with constant lambda: lambda ||beta||^2 <= its second derivative",
        left=_exact_rows(reading.modulus(x.kappa**2 * least, x.lam) * np.diag(D)),
        relation="Loewner <=",
        right=_exact_rows(hessian),
    )


def _exact_rows(M: Numbers) -> list[list[Fraction]]:
    return [[Fraction(v) for v in row] for row in M.tolist()]


def _twin(name: str, because: str, refuted_on: TangentProblem, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.tangent_strategies import tangent_problems

    return tangent_problems()


CONVEXITY = Misprint(
    id="E18",
    says="Under the standard assumption K_ntk being positive definite, the problem Eq. (7) is a strongly convex "
    "optimization problem",
    instead="it is strongly convex because lambda > 0, with constant exactly lambda when beta has more coordinates "
    "than there are points; K_ntk > 0 is needed for Lambda_0 > 0 only",
    witness="lattice-corners: H_cts singular and (7) strongly convex; I5: H_cts = I/2, and the constant is lambda, not "
    "lambda + 1/2",
)

STATEMENT = Statement(
    id="glss.eq7",
    number="(7)",
    title="Ridge regression with the tangent kernel",
    kind="Equation",
    says=r"\min_\beta\frac{1}{2}\lVert Y-\kappa f_{\mathrm{ntk}}(\beta,X)\rVert_2^2"
    r"+\frac{1}{2}\lambda\lVert\beta\rVert_2^2\quad f_{\mathrm{ntk}}(\beta,x)=\Phi(x)^{\top}\beta"
    r"\quad\beta^*=\kappa\Phi(X)(\kappa^2H^{\mathrm{cts}}+\lambda I)^{-1}Y",
    plainly="The problem is strongly convex because lambda > 0, and its only minimiser is a combination of the "
    "features of the data, weighted by the ridge regression of the labels.",
    source=GLSS.at("Section 3.2.1, equation (7)"),
    deviation="The print leaves the feature map open; it is w -> x 1[w.x >= 0]. Strong convexity is claimed from "
    "lambda > 0 instead of from K_ntk > 0 (E18), and only where numbers are exact: the constant is attained.",
    constant="explicit",
    hypotheses=(RIDGE, MULTIPLIER, SHAPES, LAW),
    conclusion=conclusion(PRINTED),
    instances=problems,
    twins=(
        _twin(
            "convexity_from_the_kernel",
            "Lambda_0 > 0 adds nothing: there are directions of beta that no point sees",
            ORTHONORMAL,
            modulus=lambda least, lam: least + lam,
        ),
        _twin(
            "convexity_from_the_kernel_alone",
            "Lambda_0 for lambda: where a neuron sees no point, the ridge alone holds beta",
            ORTHONORMAL,
            modulus=lambda least, _lam: least,
        ),
        _twin(
            "ridge_times_n",
            "n lambda belongs to the mean of squared errors",
            canonical()[1],
            ridge=lambda n, lam: n * lam,
        ),
        _twin(
            "multiplier_forgotten",
            "kappa enters the features of the problem, so also its solution",
            SHRUNK,
            multiplier=lambda _kappa: Fraction(1),
        ),
        _twin(
            "multiplier_squared",
            "kappa^2 belongs to the predictions, kappa to beta",
            SQUARE,
            multiplier=lambda kappa: kappa**2,
        ),
        _twin(
            "penalty_not_halved",
            "lambda ||beta||^2 against half the squared error gives 2 lambda in the system",
            POINT,
            penalty=Fraction(1),
        ),
        _twin(
            "ridge_left_out",
            "interpolation, the limit lambda -> 0",
            canonical()[0],
            ridge=lambda _n, _lam: Fraction(0),
        ),
        _twin(
            "ridge_doubled_on_a_singular_kernel",
            "the ridge decides where the kernel does not",
            CORNERS,
            ridge=lambda _n, lam: 2 * lam,
        ),
    ),
    misprints=(CONVEXITY, FOOTNOTE),
    notes=(
        "The minimiser over all of L2(N(0, I); R^d) is this one: adding to beta a function with mean 0 on every cell "
        "changes no prediction and raises ||beta||.",
    ),
    strategy=_drawn,
)
