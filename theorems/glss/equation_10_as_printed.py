r"""Equation (10) as printed, without the square: its minimiser does not predict u* (erratum E2).

    J(beta) = ||Y - kappa f_ntk(beta, X)|| / 2 + lam ||beta||^2 / 2

in the limit where the network is linear in W; on lattices, where numbers are exact. Along beta* = kappa Phi(X) alpha,
(kappa^2 H_cts + lam I) alpha = Y, the minimiser of (7), the derivative is -(Y - u*).u* / (2 r) + lam ||beta*||^2
= lam ||beta*||^2 (1 - 1 / (2 r)), r = ||Y - u*||: it vanishes where r = 1/2 only. In general (10) is ridge regression
with the ridge 2 lam r', r' its own residual norm, or interpolates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference.arithmetic import Interval, sqrt
from reference.exact_linear_algebra import rank
from theorems.glss.equation_10_reweighed_loss import SQUARE_MISSING
from theorems.glss.leverage_quantities import over, plus, point, times
from theorems.glss.network_moments import dot
from theorems.glss.section_3_2_1_optimal_predictors import optimal
from theorems.glss.tangent_instances import (
    MULTIPLIER,
    ORTHONORMAL,
    POINT,
    RIDGE,
    SHAPES,
    SQUARE,
    TRIANGLE,
    TangentProblem,
)
from theorems.glss.tangent_worlds import BITS
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Hypothesis, Statement


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Objectives that are not (7): J = error ||Y - u|| + penalty lam ||beta||^2.

    Parameters
    ----------
    error : factor of ||Y - u||, whose square is missing
    penalty : factor of lam ||beta||^2
    rooted : whether ||beta|| has no square either
    """

    error: Fraction = Fraction(1, 2)
    penalty: Fraction = Fraction(1, 2)
    rooted: bool = False


PRINTED = Reading()


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A minimal beta with given predictions.

    Parameters
    ----------
    rest : ||Y - u||^2
    square : ||beta||^2
    """

    rest: Fraction
    square: Fraction


def minimiser_of_7(x: TangentProblem) -> tuple[Fit, Fraction]:
    """Give beta* and the inner product (Y - u*).u*."""
    w, n = x.everything, x.n
    predicted, alpha = optimal(x, w)
    u = predicted[:n]
    rest = w.numbers(x.Y) - u
    # ||beta*||^2 = kappa^2 alpha.H_cts alpha
    return Fit(rest=dot(rest, rest), square=dot(alpha, u)), dot(rest, u)


def interpolant(x: TangentProblem) -> Fit:
    """Give the least beta that predicts Y: ||beta||^2 = Y.(kappa^2 H_cts)^-1 Y."""
    w = x.data
    Y = w.numbers(x.Y)
    return Fit(rest=Fraction(0), square=dot(Y, w.inverse(x.kappa**2 * w.kernel) @ Y))


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence 'the minimiser of this objective predicts u*'."""

    def claims(x: TangentProblem) -> list[Claim]:
        ours, along = minimiser_of_7(x)
        r, b = sqrt(ours.rest, BITS), sqrt(ours.square, BITS)
        shrinkage = reading.penalty * x.lam
        slope = times(shrinkage, b) if reading.rooted else point(2 * shrinkage * ours.square)
        return [
            Claim(
                says="along beta* the two parts of the derivative cancel",
                left=over(point(reading.error * along), r),
                relation="=",
                right=slope,
            ),
            Claim(
                says="J(beta*) <= J(beta) for the least beta that interpolates",
                left=value(reading, x.lam, ours),
                relation="<=",
                right=value(reading, x.lam, interpolant(x)),
            ),
        ]

    return ForEach(claims=claims)


def value(reading: Reading, lam: Fraction, fit: Fit) -> Interval:
    """Enclose J."""
    size = sqrt(fit.square, BITS) if reading.rooted else point(fit.square)
    return plus(times(reading.error, sqrt(fit.rest, BITS)), times(reading.penalty * lam, size))


def _invertible(x: TangentProblem) -> str | None:
    H = x.data.kernel.tolist()
    return None if rank(H) == x.n else f"H_cts must be invertible, got rank {rank(H)} for {x.n} points"


def _residual(x: TangentProblem) -> str | None:
    rest = minimiser_of_7(x)[0].rest
    return f"||Y - u*|| must not be 0 or 1/2, got its square {rest}" if rest in (0, Fraction(1, 4)) else None


def _twin(name: str, because: str, refuted_on: TangentProblem, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.tangent_strategies import lattices

    return lattices().filter(lambda x: not any(h.holds and h.holds(x) for h in STATEMENT.hypotheses))


INVERTIBLE = Hypothesis(says="H_cts is invertible, so that the labels can be interpolated", holds=_invertible)

STATEMENT = Statement(
    id="glss.eq10.as_printed",
    number="(10) as printed",
    title="The loss of the reweighed network, without its square",
    kind="Definition",
    says=r"\min_W\frac{1}{2}\lVert Y-\kappa\bar f_{\mathrm{nn}}(W,X)\rVert_2+\frac{1}{2}\lambda\lVert W\rVert_F^2"
    r"\quad\text{predicts }u^*",
    plainly="False: without the square the minimiser interpolates, or shrinks by another ridge, and the equivalence "
    "with the tangent kernel problem (7) is lost at every fixed lambda.",
    source=GLSS.at("Section 3.2.2, Definition 3.8, equation (10)"),
    deviation="",
    constant="explicit",
    hypotheses=(
        RIDGE,
        MULTIPLIER,
        SHAPES,
        INVERTIBLE,
        Hypothesis(
            says="u* does not leave exactly 0 or 1/2 of the labels, in norm; where it leaves 1/2 the print is right",
            holds=_residual,
        ),
        Hypothesis(
            says="the network is linear in W, its kernel the limit H_cts",
            guaranteed_by="beta stands for W in the feature space of the tangent kernel",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=lambda _profile: (POINT, ORTHONORMAL, SQUARE, TRIANGLE),
    twins=(
        _twin(
            "half_forgotten_too",
            "||Y - u|| for its half: the shrinkage is another one, and again not that of u*",
            POINT,
            error=Fraction(1),
        ),
        _twin(
            "ridge_doubled",
            "lambda ||W||_F^2 in place of its half does not make up for the square",
            POINT,
            penalty=Fraction(1),
        ),
        _twin("neither_squared", "||W||_F for its square as well", TRIANGLE, rooted=True),
    ),
    expected=Finding.REFUTED,
    misprints=(SQUARE_MISSING,),
    notes=(
        "With lambda of the order 1/sqrt m the difference vanishes like lambda, so that Theorem 3.9 survives; what is "
        "lost is the equivalence at finite lambda.",
        "The minimiser of the printed objective is ridge regression with 2 lambda ||Y - u|| for lambda, u its own "
        "predictions, or interpolates where lambda ||beta|| is small.",
    ),
    strategy=_drawn,
)
