"""The optimal value of kernel ridge regression is kept up to a factor.

OPT / (1 + eps) <= OPT~ <= OPT / (1 - eps),   OPT = lam Y^T (K + lam I)^-1 Y / 2,   OPT~ the same with Kt
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import quadratic_form, rational_inverse
from reference.exact_linear_algebra import shifted
from theorems.glss.approximation_instances import (
    DRAWN_TWICE,
    HYPOTHESES,
    NOTHING_DRAWN,
    Approximation,
    instances,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Factor = Callable[[Fraction], Fraction]


def _claims(
    x: Approximation, low: Factor = lambda eps: 1 / (1 + eps), high: Factor = lambda eps: 1 / (1 - eps)
) -> Sequence[Claim]:
    exact, approximate = (x.lam * quadratic_form(rational_inverse(shifted(M, x.lam)), x.Y) / 2 for M in (x.K, x.Kt))
    return (
        Claim(says="OPT / (1 + eps) <= OPT~", left=low(x.eps) * exact, relation="<=", right=approximate),
        Claim(says="OPT~ <= OPT / (1 - eps)", left=approximate, relation="<=", right=high(x.eps) * exact),
    )


def _twin(name: str, because: str, refuted_on: Approximation, **change: Factor) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=ForEach(claims=lambda x: _claims(x, **change)),
        refuted_on=refuted_on,
    )


def _strategy() -> Any:
    from theorems.glss.approximation_strategies import approximations

    return approximations()


STATEMENT = Statement(
    id="cor.opt",
    number="cor.opt",
    title="Optimal value",
    kind="Corollary",
    says=r"\frac{\mathrm{OPT}}{1+\varepsilon}\le\widetilde{\mathrm{OPT}}\le\frac{\mathrm{OPT}}{1-\varepsilon}"
    r"\quad\text{with}\quad\mathrm{OPT}=\frac{1}{2}\lambda Y^{\top}(K+\lambda I)^{-1}Y",
    plainly="An eps-spectral approximation changes the least objective of kernel ridge regression by a factor between "
    "1/(1+eps) and 1/(1-eps).",
    source=GLSS.at("Section 3.1, consequence of equation (2)"),
    deviation="not printed; derived here from (2)",
    constant="proved here",
    hypotheses=HYPOTHESES,
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "one_plus_eps_above",
            "inverses turn 1 - eps into 1/(1 - eps), which is larger than 1 + eps",
            NOTHING_DRAWN,
            high=lambda eps: 1 + eps,
        ),
        _twin(
            "features_only_lose",
            "a sample may overshoot the kernel and fit better than it",
            DRAWN_TWICE,
            low=lambda eps: eps * 0 + 1,
        ),
        _twin(
            "second_order_above",
            "the value moves in the first order of eps",
            NOTHING_DRAWN,
            high=lambda eps: 1 / (1 - eps**2),
        ),
    ),
    notes=("Both factors are attained at n = 1, K = lam: Kt = 0 and Kt = 2 with eps = 1/2.",),
    strategy=_strategy,
)
