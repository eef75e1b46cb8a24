r"""Section 3.1, after equation (2): the predictor in feature space equals the one in data space.

    u*(z) = phi(z)^T (Phi^T Phi + lam I_s)^-1 Phi^T Y = phi(z)^T Phi^T (Phi Phi^T + lam I_n)^-1 Y

An s x s system in place of an n x n one, for every Phi in R^{n x s} and every lam > 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import rational_product, rational_solve
from reference.exact_linear_algebra import column, shifted, transposed
from reference.ridge_regression import exact_solve, feature_predictor, krr_predict, krr_weights
from theorems.glss.equation_1_kernel_ridge_regression import RIDGE
from theorems.glss.ridge_instances import WIDE, WOODBURY, FeatureProblem, feature_problems
from theorems.glss.section_3_1_primal_problem import SHAPES
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Rows, Statement


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the feature side.

    Parameters
    ----------
    ridge : (lam, n, s) -> ridge of the s x s system
    system : (Phi^T Phi, n, s) -> matrix of the s x s system without its ridge
    """

    ridge: Callable[[Fraction, int, int], Fraction] = lambda lam, _n, _s: lam
    system: Callable[[Rows, int, int], Rows] = lambda M, _n, _s: M


PRINTED = Reading()


def feature_side(reading: Reading, x: FeatureProblem) -> list[list[Fraction]]:
    """Give (Phi^T Phi + lam I_s)^-1 Phi^T: (s, n)."""
    n, s = len(x.features), len(x.features[0])
    Phi_T = transposed(x.features)
    system = reading.system(rational_product(Phi_T, x.features), n, s)
    return rational_solve(shifted(system, reading.ridge(x.lam, n, s)), Phi_T)


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of the feature side, the printed one or a broken one."""

    def claims(x: FeatureProblem) -> list[Claim]:
        Phi, new, Y = (np.array(part, dtype=object) for part in (x.features, x.new, x.Y))
        left = feature_side(reading, x)
        # Phi^T (Phi Phi^T + lam I_n)^-1 is the transpose of (Phi Phi^T + lam I_n)^-1 Phi
        right = transposed(rational_solve(shifted(rational_product(x.features, Phi.T.tolist()), x.lam), x.features))
        u = rational_product(x.new, rational_product(left, column(x.Y)))
        in_data_space = krr_predict(new @ Phi.T, krr_weights(Phi @ Phi.T, x.lam, Y, exact_solve))
        return [
            Claim(
                says="(Phi^T Phi + lambda I_s)^-1 Phi^T = Phi^T (Phi Phi^T + lambda I_n)^-1",
                left=left,
                relation="=",
                right=right,
            ),
            Claim(
                says="u*(z) = phi(z)^T Phi^T (Phi Phi^T + lambda I_n)^-1 Y",
                left=u,
                relation="=",
                right=column(in_data_space.tolist()),
            ),
            Claim(
                says="the reference predictor in feature space is u*",
                left=column(feature_predictor(Phi, x.lam, Y, new, exact_solve).tolist()),
                relation="=",
                right=u,
            ),
        ]

    return ForEach(claims=claims)


def _drawn() -> Any:
    from theorems.glss.ridge_strategies import feature_problems as drawn

    return drawn()


def _twin(name: str, because: str, refuted_on: FeatureProblem, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="glss.woodbury",
    number="3.1 Woodbury",
    title="The predictor in feature space",
    kind="Section",
    says=r"u^\ast(z)=\phi(z)^\top(\Phi^\top\Phi+\lambda I_s)^{-1}\Phi^\top Y"
    r"=\phi(z)^\top\Phi^\top(\Phi\Phi^\top+\lambda I_n)^{-1}Y",
    plainly="Ridge regression through s features solves an s x s system and predicts the same as the n x n one.",
    source=GLSS.at("Section 3.1, after equation (2)"),
    deviation="",
    constant="explicit",
    hypotheses=(RIDGE, SHAPES),
    conclusion=conclusion(PRINTED),
    instances=feature_problems,
    twins=(
        _twin(
            "ridge_times_n_on_the_feature_side",
            "the same lambda stands on both sides, for no side is averaged",
            WOODBURY,
            ridge=lambda lam, n, _s: n * lam,
        ),
        _twin(
            "ridge_times_s_over_n",
            "the trace of the ridge, not the ridge, depends on the size of the system",
            WOODBURY,
            ridge=lambda lam, n, s: lam * s / n,
        ),
        _twin(
            "covariance_in_place_of_gram",
            "Phi^T Phi / n with lambda is Phi^T Phi with n lambda, up to a factor",
            WIDE,
            system=lambda M, n, _s: [[t / n for t in row] for row in M],
        ),
        _twin(
            "ridge_left_out",
            "(Phi^T Phi)^-1 Phi^T is the pseudoinverse: the limit lambda -> 0, not the predictor",
            WOODBURY,
            ridge=lambda _lam, _n, _s: Fraction(0),
        ),
    ),
    notes=(
        "The paper cites the Woodbury matrix identity; the push-through identity, its first step, is all that is used.",
        "Nothing relates n and s: with more features than points Phi^T Phi is singular and the identity still holds.",
    ),
    strategy=_drawn,
)
