"""How many features are needed at least: one per eigenvalue that stands clearly above the ridge.

    m d2 >= rank Kt >= #{ i : lambda_i(K) > eps lam / (1 - eps) }

A deterministic lower bound; eigenvalues are counted exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import rational_inverse, rational_trace
from reference.exact_linear_algebra import eigenvalues_above, rank, shifted
from theorems.glss.approximation_instances import (
    HYPOTHESES,
    NOTHING_DRAWN,
    TINY,
    Approximation,
    instances,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Needed = Callable[[Approximation], Fraction]


def _needed(x: Approximation) -> Fraction:
    return Fraction(eigenvalues_above(x.K, x.eps * x.lam / (1 - x.eps)))


def _claims(x: Approximation, needed: Needed = _needed) -> Sequence[Claim]:
    return (
        Claim(
            says="#{i : lambda_i(K) > eps lam / (1 - eps)} <= rank Kt, which is at most m d2",
            left=needed(x),
            relation="<=",
            right=Fraction(rank(x.Kt)),
        ),
    )


def _at_least(x: Approximation) -> Fraction:
    """Count the eigenvalues >= eps lam / (1 - eps): n less those of -K above minus that."""
    line = x.eps * x.lam / (1 - x.eps)
    return Fraction(len(x.K) - eigenvalues_above([[-v for v in row] for row in x.K], -line))


def _twin(name: str, because: str, refuted_on: Approximation, needed: Needed) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=lambda x: _claims(x, needed)), refuted_on=refuted_on
    )


def _strategy() -> Any:
    from theorems.glss.approximation_strategies import approximations

    return approximations()


STATEMENT = Statement(
    id="cor.rank",
    number="cor.rank",
    title="Least number of features",
    kind="Corollary",
    says=r"m\,d_2\ge\operatorname{rank}\tilde K\ge"
    r"\lvert\{i:\lambda_i(K)>\frac{\varepsilon\lambda}{1-\varepsilon}\}\rvert",
    plainly="No eps-spectral approximation has fewer features than the kernel has eigenvalues above "
    "eps lambda / (1 - eps).",
    source=GLSS.at("Section 3.1, consequence of equation (2)"),
    deviation="not printed; derived here from (2)",
    constant="proved here",
    hypotheses=HYPOTHESES,
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "full_rank_needed",
            "directions far below lambda need not be seen at all",
            TINY,
            lambda x: Fraction(rank(x.K)),
        ),
        _twin(
            "threshold_without_one_minus_eps",
            "eps lambda is below the true line",
            NOTHING_DRAWN,
            lambda x: Fraction(eigenvalues_above(x.K, x.eps * x.lam)),
        ),
        _twin("eigenvalues_on_the_line_counted", "an eigenvalue on the line may be missed", NOTHING_DRAWN, _at_least),
        _twin(
            "statistical_dimension_needed",
            "s_lambda counts directions that (2) does not ask for",
            NOTHING_DRAWN,
            lambda x: len(x.K) - x.lam * rational_trace(rational_inverse(shifted(x.K, x.lam))),
        ),
    ),
    notes=("lambda_i + lam <= (mu~_i + lam)/(1 - eps) for the eigenvalues in order, and mu~_i = 0 beyond the rank.",),
    strategy=_strategy,
)
