"""Lemma 7: the mean of independent bounded random matrices concentrates, by their intrinsic dimension.

    P[ || (1/n) sum_k R_k - B || >= t ] <= 4 (tr M1 + tr M2) / m(R) exp( -(n t^2 / 2) / (m(R) + 2 L t / 3) )

for t >= sqrt(m(R)/n) + 2L/(3n), where E R = B, ||R|| <= L, E R R^T <= M1, E R^T R <= M2 and
m(R) = max(||M1||, ||M2||). On a finite law the left side is enumerated: every count vector is decided exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from reference import arithmetic
from reference.arithmetic import Interval
from reference.exact_spectra import largest_eigenvalue
from theorems.akm17.matrix_means import (
    RARE_EVENT,
    SIGNS,
    MatrixMeans,
    bounds_hold,
    failure_probability,
    instances,
    law_holds,
    range_holds,
    traces,
)
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Statement

Formula = Callable[..., Any]


def _formula(n: Any, t: Any, L: Any, m: Any, trace: Any) -> Any:
    return 4 * trace / m * (-(n * t**2 / 2) / (m + 2 * L * t / 3)).exp()


def _claims(x: MatrixMeans, formula: Formula = _formula) -> Sequence[Claim]:
    norms = [largest_eigenvalue(M) for M in (x.M1, x.M2)]
    m: Interval = (max(a for a, _ in norms), max(b for _, b in norms))
    bound = arithmetic.enclose(formula, x.draws, x.t, x.L, m, traces(x))
    return (Claim(says="P[||mean - B|| >= t] <= the bound", left=failure_probability(x), relation="<=", right=bound),)


def _twin(name: str, because: str, refuted_on: MatrixMeans, formula: Formula) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=lambda x: _claims(x, formula)), refuted_on=refuted_on
    )


def _strategy() -> Any:
    from theorems.akm17.matrix_mean_strategies import matrix_means

    return matrix_means()


STATEMENT = Statement(
    id="akm.lem7",
    number="AKM 7",
    title="Concentration of means of bounded matrices",
    kind="Lemma",
    says=r"P\left[\lVert\frac{1}{n}\sum_{k=1}^{n}R_k-B\rVert\ge t\right]\le"
    r"\frac{4(\operatorname{tr}M_1+\operatorname{tr}M_2)}{m(R)}\exp\left(\frac{-nt^2/2}{m(R)+2Lt/3}\right)"
    r"\quad\text{for}\quad t\ge\sqrt{\frac{m(R)}{n}}+\frac{2L}{3n}",
    plainly="Means of independent matrices of norm at most L deviate from their expectation exponentially rarely.",
    source=AKM17.at("Lemma 7"),
    deviation="",
    constant="explicit",
    hypotheses=(
        Hypothesis(says="R_1..R_n are independent with a finite exact law", holds=law_holds),
        Hypothesis(says="||R|| <= L, E R R^T <= M1, E R^T R <= M2", holds=bounds_hold),
        Hypothesis(says="t >= sqrt(m(R)/n) + 2L/(3n)", holds=range_holds),
    ),
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "half_forgotten",
            "the exponent of a Gaussian tail is -t^2/2, not -t^2",
            SIGNS,
            lambda n, t, L, m, trace: 4 * trace / m * (-(n * t**2) / (m + 2 * L * t / 3)).exp(),
        ),
        _twin(
            "gaussian_tail_without_the_range",
            "rare large matrices have a Poisson tail",
            RARE_EVENT,
            lambda n, t, _L, m, trace: 4 * trace / m * (-(n * t**2 / 2) / m).exp(),
        ),
        _twin(
            "poisson_tail_without_the_variance",
            "small deviations are as likely as the variance makes them",
            SIGNS,
            lambda n, t, L, m, trace: 4 * trace / m * (-(n * t**2 / 2) / (2 * L * t / 3)).exp(),
        ),
        _twin(
            "deviation_not_squared",
            "means err like n^-1/2: the exponent has t^2",
            SIGNS,
            lambda n, t, L, m, trace: 4 * trace / m * (-(n * t / 2) / (m + 2 * L * t / 3)).exp(),
        ),
    ),
    recalled=True,
    notes=(
        "Tropp's intrinsic-dimension Bernstein inequality for R - B, whose norm is at most 2L and whose squares are at "
        "most M1 and M2. Symmetric R with M1 = M2 = M has the factor 8 tr M / ||M||.",
    ),
    strategy=_strategy,
)
