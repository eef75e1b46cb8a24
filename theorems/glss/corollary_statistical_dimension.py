"""The approximation's own statistical dimension, up to what its rank adds.

s_lam(Kt) <= (s_lam(K) + eps rank Kt) / (1 + eps)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import rational_inverse, rational_trace
from reference.exact_linear_algebra import rank, shifted
from reference.finite_features import Matrix
from theorems.glss.approximation_instances import (
    FLAT_TAIL,
    HYPOTHESES,
    Approximation,
    instances,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Bound = Callable[[Approximation, Fraction], Fraction]


def _dimension(K: Matrix, lam: Fraction) -> Fraction:
    """Give s_lam(K) = n - lam tr (K + lam I)^-1."""
    return len(K) - lam * rational_trace(rational_inverse(shifted(K, lam)))


def _bound(x: Approximation, s: Fraction) -> Fraction:
    return (s + x.eps * rank(x.Kt)) / (1 + x.eps)


def _claims(x: Approximation, bound: Bound = _bound) -> Sequence[Claim]:
    return (
        Claim(
            says="s_lam(Kt) <= (s_lam(K) + eps rank Kt) / (1 + eps)",
            left=_dimension(x.Kt, x.lam),
            relation="<=",
            right=bound(x, _dimension(x.K, x.lam)),
        ),
    )


def _twin(name: str, because: str, refuted_on: Approximation, bound: Bound) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=lambda x: _claims(x, bound)), refuted_on=refuted_on
    )


def _strategy() -> Any:
    from theorems.glss.approximation_strategies import approximations

    return approximations()


STATEMENT = Statement(
    id="cor.sdim",
    number="cor.sdim",
    title="Statistical dimension of the approximation",
    kind="Corollary",
    says=r"s_\lambda(\tilde K)\le\frac{s_\lambda(K)+\varepsilon\operatorname{rank}\tilde K}{1+\varepsilon}",
    plainly="An eps-spectral approximation has a statistical dimension of at most that of the kernel plus eps times "
    "its own rank, over 1 + eps.",
    source=GLSS.at("Section 3.1, consequence of equation (2)"),
    deviation="not printed; derived here from (2)",
    constant="proved here",
    hypotheses=HYPOTHESES,
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "rank_forgotten",
            "many directions far below lambda may each gain a little",
            FLAT_TAIL,
            lambda x, s: s / (1 - x.eps),
        ),
        _twin(
            "up_to_a_factor",
            "the dimension is not kept up to a factor (1+eps)/(1-eps) either",
            FLAT_TAIL,
            lambda x, s: s * (1 + x.eps) / (1 - x.eps),
        ),
        _twin(
            "rank_of_the_kernel",
            "it is the rank of the sample that counts",
            FLAT_TAIL,
            lambda x, s: (s + x.eps * rank(x.K)) / (1 + x.eps),
        ),
    ),
    notes=(
        "mu~_i + lam <= (1 + eps)(mu_i + lam) for the eigenvalues in order, so mu~_i/(mu~_i + lam) <= "
        "(eps + d_i)/(1 + eps) with d_i = mu_i/(mu_i + lam), summed over the rank of Kt. "
        "Attained: n = 1, K = lam, Kt = 2 K, eps = 1/2 has both sides 2/3.",
    ),
    strategy=_strategy,
)
