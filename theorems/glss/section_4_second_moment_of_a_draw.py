"""Section 4: the second moment of one weighted draw is at most s_q_tilde times its mean.

    E Y_r^2 <= s_q_tilde diag(lambda_i / (lambda_i + lam)) = s_q_tilde E Y_r

Decided as E[M (K + lam I)^-1 M] <= s_q_tilde K, an exact finite sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from theorems.glss.sampling_instances import FiniteWorld
from theorems.glss.section_4_worlds import ONE_POINT, WASTEFUL, draws, instances, rows, second_moment
from theorems.glss.theorem_3_3_kernel_approximation import DOMINATION, RIDGE_POSITIVE
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Bound = Callable[[FiniteWorld], Any]


def _bound(x: FiniteWorld) -> Any:
    return draws(x).s_q_tilde * draws(x).K


def _claims(x: FiniteWorld, bound: Bound = _bound) -> Sequence[Claim]:
    return (
        Claim(
            says="E Y^2 <= s_q_tilde E Y",
            left=rows(second_moment(x)),
            relation="Loewner <=",
            right=rows(bound(x)),
        ),
    )


def _twin(name: str, because: str, refuted_on: FiniteWorld, bound: Bound) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=lambda x: _claims(x, bound)), refuted_on=refuted_on
    )


def _strategy() -> Any:
    from theorems.glss.sampling_strategies import finite_worlds

    return finite_worlds()


STATEMENT = Statement(
    id="glss.Yr-2nd",
    number="4, E[Y_r^2]",
    title="Second moment of one weighted draw",
    kind="Step of a proof",
    says=r"\mathbb{E}[Y_r^2]\preceq s_{\tilde q_\lambda}\cdot\operatorname{diag}"
    r"\left(\frac{\lambda_1}{\lambda_1+\lambda},\ldots,\frac{\lambda_n}{\lambda_n+\lambda}\right)",
    plainly="A weighted draw varies at most as much as its mean times the integral of the dominating function.",
    source=GLSS.at("Section 4, display after equation (12)"),
    deviation="s_{tilde q} for the printed s_{bar q} = 1, see E27 at `glss.Yr-norm`",
    constant="explicit",
    hypotheses=(RIDGE_POSITIVE, DOMINATION),
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "statistical_dimension_for_the_integral",
            "a wasteful q_tilde makes the draws vary more",
            WASTEFUL,
            lambda x: x.features.statistical_dimension(x.lam) * draws(x).K,
        ),
        _twin(
            "square_of_the_mean",
            "a random matrix has a variance",
            WASTEFUL,
            lambda x: draws(x).K @ draws(x).A_inverse @ draws(x).K,
        ),
        _twin(
            "integral_times_square_of_the_mean",
            "the mean enters once: E Y^2 <= ||Y|| E Y",
            ONE_POINT,
            lambda x: draws(x).s_q_tilde * (draws(x).K @ draws(x).A_inverse @ draws(x).K),
        ),
        _twin(
            "one_percent_less",
            "the bound is attained by features of rank one with q_tilde = q_lambda",
            ONE_POINT,
            lambda x: _bound(x) * 99 / 100,
        ),
    ),
    strategy=_strategy,
)
