"""Section 4 as printed: bounds by the integral of the density q_bar, which is 1. False.

||Y_r|| <= s_{bar q} = 1   and   E Y_r^2 <= s_{bar q} B K B^T
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from theorems.glss.sampling_instances import COUPON_3, NULL_ATOM, SPIKE, FiniteWorld
from theorems.glss.section_4_norm_of_a_draw import S_Q_BAR
from theorems.glss.section_4_worlds import WASTEFUL, draws, rows, second_moment
from theorems.glss.theorem_3_3_kernel_approximation import DOMINATION, RIDGE_POSITIVE
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Statement

Bound = Callable[[FiniteWorld], Fraction]


def _density(x: FiniteWorld) -> Fraction:
    return sum(draws(x).q_bar, Fraction(0))


def _claims(x: FiniteWorld, bound: Bound = _density) -> Sequence[Claim]:
    law, s = draws(x), bound(x)
    return [
        *(
            Claim(says=f"||Y|| <= bound at feature {j}", left=rows(M), relation="Loewner <=", right=rows(s * law.A))
            for j, M in enumerate(law.matrices)
        ),
        Claim(says="E Y^2 <= bound E Y", left=rows(second_moment(x)), relation="Loewner <=", right=rows(s * law.K)),
    ]


def _twin(name: str, because: str, refuted_on: FiniteWorld, bound: Bound) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=lambda x: _claims(x, bound)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="glss.Yr-norm.as_printed",
    number="4, ||Y_r|| as printed",
    title="Bounds by the integral of a density",
    kind="Step of a proof",
    says=r"\lVert Y_r\rVert\le s_{\bar q_\lambda}=\int\bar q_\lambda(w)\,dw=1"
    r"\quad\text{and}\quad\mathbb{E}[Y_r^2]\preceq s_{\bar q_\lambda}\,\Sigma^{-1}VKV^{\top}\Sigma^{-1}",
    plainly="False as printed: q_bar is a density, and one weighted draw may be as large as the integral of q_tilde.",
    source=GLSS.at("Section 4, display after equation (12)"),
    deviation="",
    constant="explicit",
    hypotheses=(RIDGE_POSITIVE, DOMINATION),
    conclusion=ForEach(claims=_claims),
    instances=lambda _profile: (NULL_ATOM, COUPON_3, SPIKE, WASTEFUL),
    twins=(
        _twin("twice_the_density", "no fixed multiple of 1 will do either", NULL_ATOM, lambda x: 2 * _density(x)),
        _twin(
            "largest_mass_of_the_density",
            "nor does the largest mass q_bar of a feature",
            COUPON_3,
            lambda x: max(draws(x).q_bar),
        ),
        _twin(
            "statistical_dimension_of_the_kernel",
            "s_lambda(K) is the integral of q_lambda, not of q_tilde",
            WASTEFUL,
            lambda x: x.features.statistical_dimension(x.lam),
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(S_Q_BAR,),
)
