r"""Section 3.2.1: the optimal predictors u* and u*_test of problem (7).

    u* = kappa^2 H_cts (kappa^2 H_cts + lam I)^-1 Y,   u*_test = kappa^2 K_ntk(x_test, X) (kappa^2 H_cts + lam I)^-1 Y

They are compared with what the minimiser of (7) predicts, found in feature space from the activation cells, which
knows no kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arc_cosine import arc_cosine_kernel_balls
from reference.arithmetic import precision
from theorems.glss.equation_6_regularised_loss import FOOTNOTE
from theorems.glss.equation_7_tangent_kernel_ridge_regression import features, minimiser
from theorems.glss.tangent_instances import (
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
from theorems.glss.tangent_worlds import BITS, Numbers, World, floats
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Misprint, Statement


def output_covariance(x: TangentProblem) -> Numbers:
    """Give K_nngp between all points in balls, the covariance of the outputs at the start: what K_ntk is not."""
    return np.array(arc_cosine_kernel_balls(floats((*x.X, *x.new)), 1, BITS).tolist(), dtype=object)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about u*.

    Parameters
    ----------
    kernel : (instance, its world) -> kernel between all points
    factor : kappa -> what multiplies the kernel
    ridge : (n, lam) -> what is added to it
    residual : (lam, kappa) -> factor of (kappa^2 H_cts + lam I)^-1 Y in Y - u*
    balance : kappa -> factor of H_cts (Y - u*) in what equals lam u*
    """

    kernel: Callable[[TangentProblem, World], Numbers] = lambda _x, w: w.kernel
    factor: Callable[[Fraction], Fraction] = lambda kappa: kappa**2
    ridge: Callable[[int, Fraction], Fraction] = lambda _n, lam: lam
    residual: Callable[[Fraction, Fraction], Fraction] = lambda lam, _kappa: lam
    balance: Callable[[Fraction], Fraction] = lambda kappa: kappa**2


PRINTED = Reading()


def optimal(x: TangentProblem, w: World, reading: Reading = PRINTED) -> tuple[Numbers, Numbers]:
    """Give the predictors at the data and at the new points, and (kappa^2 H_cts + lam I)^-1 Y: (n + k,) and (n,)."""
    K = w.number(reading.factor(x.kappa)) * reading.kernel(x, w)
    alpha = w.inverse(w.shifted(K[: x.n, : x.n], w.number(reading.ridge(x.n, x.lam)))) @ w.numbers(x.Y)
    return K[:, : x.n] @ alpha, alpha


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of u*, the printed one or a broken one."""

    def claims(x: TangentProblem) -> list[Claim]:
        with precision(BITS):
            return _claims(reading, x)

    return ForEach(claims=claims)


def _claims(reading: Reading, x: TangentProblem) -> list[Claim]:
    w, n = x.everything, x.n
    A, D = features(w)
    predicted = w.number(x.kappa) * (A @ (D * minimiser(x, w)))
    u, alpha = optimal(x, w, reading)
    rest = w.numbers(x.Y) - predicted[:n]
    found = [
        *w.equal("the minimiser of (7) predicts u* on the data", predicted[:n], u[:n]),
        *w.equal("the minimiser of (7) predicts u*_test at new points", predicted[n:], u[n:]),
        *w.equal(
            "Y - u* = lambda (kappa^2 H_cts + lambda I)^-1 Y", rest, w.number(reading.residual(x.lam, x.kappa)) * alpha
        ),
        *w.equal(
            "kappa^2 H_cts (Y - u*) = lambda u*",
            w.number(reading.balance(x.kappa)) * (w.kernel[:n, :n] @ rest),
            w.number(x.lam) * predicted[:n],
        ),
    ]
    if w.rational:  # both sides are 0 where H_cts Y is
        found.append(
            Claim(
                says="||u*||^2 <= Y . u*, so that ||u*|| <= ||Y||",
                left=w.quantity(u[:n] @ u[:n]),
                relation="<=",
                right=w.quantity(w.numbers(x.Y) @ u[:n]),
            )
        )
    return found


def _twin(name: str, because: str, refuted_on: TangentProblem, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.tangent_strategies import tangent_problems

    return tangent_problems()


LEAST_EIGENVALUE = Misprint(
    id="E7",
    says="Lambda_0 in Theorems 3.6, 3.7, 3.9 and Lemma 4.1, without a definition",
    instead="Lambda_0 = lambda_min(H_cts)",
    witness="I5: H_cts = I/2, Lambda_0 = 1/2; the hexagon has H_cts (1, -1, 1, -1, 1, -1)^T = 0, Lambda_0 = 0",
)

STATEMENT = Statement(
    id="glss.ustar",
    number="3.2.1, u*",
    title="The optimal predictors",
    kind="Section",
    says=r"u^*=\kappa^2H^{\mathrm{cts}}(\kappa^2H^{\mathrm{cts}}+\lambda I)^{-1}Y"
    r"\quad u^*_{\mathrm{test}}=\kappa^2K_{\mathrm{ntk}}(x_{\mathrm{test}},X)^{\top}"
    r"(\kappa^2H^{\mathrm{cts}}+\lambda I)^{-1}Y"
    r"\quad Y-u^*=\lambda(\kappa^2H^{\mathrm{cts}}+\lambda I)^{-1}Y\quad\kappa^2H^{\mathrm{cts}}(Y-u^*)=\lambda u^*",
    plainly="The minimiser of the tangent kernel problem predicts u* on the data and u*_test at a new point; what it "
    "leaves of the labels is lambda (kappa^2 H_cts + lambda I)^-1 Y.",
    source=GLSS.at("Section 3.2.1, after equation (8)"),
    deviation="The two forms of the residual are not printed; the proofs of Section 4 use them.",
    constant="explicit",
    hypotheses=(RIDGE, MULTIPLIER, SHAPES, LAW),
    conclusion=conclusion(PRINTED),
    instances=problems,
    twins=(
        _twin(
            "ridge_times_n", "n lambda belongs to the mean of squared errors", ORTHONORMAL, ridge=lambda n, lam: n * lam
        ),
        _twin(
            "kernel_without_its_half",
            "x.z (pi - theta) / pi is twice the kernel",
            canonical()[1],
            kernel=lambda _x, w: 2 * w.kernel,
        ),
        _twin(
            "covariance_of_the_outputs_for_the_kernel",
            "K_nngp is the kernel of a trained second layer",
            canonical()[1],
            kernel=lambda x, _w: output_covariance(x),
        ),
        _twin(
            "both_layers_trained",
            "K_ntk + K_nngp is the kernel when the second layer is trained too; here it is frozen",
            canonical()[1],
            kernel=lambda x, w: w.kernel + output_covariance(x),
        ),
        _twin("ridge_with_the_wrong_sign", "(K - lambda I)^-1 amplifies", SQUARE, ridge=lambda _n, lam: -lam),
        _twin(
            "multiplier_dropped",
            "kappa = 7/10: the kernel of kappa f is kappa^2 K",
            canonical()[2],
            factor=lambda _kappa: Fraction(1),
        ),
        _twin("multiplier_once", "kappa for kappa^2", SHRUNK, factor=lambda kappa: kappa),
        _twin(
            "ridge_forgotten_in_the_residual",
            "Y - u* is lambda times the coefficients",
            POINT,
            residual=lambda _lam, _kappa: Fraction(1),
        ),
        _twin(
            "multiplier_forgotten_in_the_balance",
            "H_cts (Y - u*) = lambda u* for kappa = 1 only",
            SHRUNK,
            balance=lambda _kappa: Fraction(1),
        ),
    ),
    misprints=(LEAST_EIGENVALUE, FOOTNOTE),
    notes=(
        "For kappa = 1 and I5, u* = 5Y/6; for I2 and lambda = 1/10, u* = (.764621666684752475, -.772642800285903948, "
        ".786505630938318108).",
        "The last relation is not printed; it says that the ridge never predicts more than there is.",
    ),
    strategy=_drawn,
)
