"""The approximation is a preconditioner: the condition number no longer depends on the kernel.

    cond((Kt + lam I)^-1/2 (K + lam I) (Kt + lam I)^-1/2) <= (1 + eps) / (1 - eps)

The eigenvalues of A^-1 At, A = K + lam I and At = Kt + lam I, are the inverses of those of At^-1/2 A At^-1/2, with the
same condition number; they are enclosed by exact bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import rational_solve
from reference.exact_linear_algebra import shifted
from reference.exact_spectra import largest_eigenvalue, smallest_eigenvalue
from theorems.glss.approximation_instances import (
    BOTH_ENDS,
    HYPOTHESES,
    Approximation,
    instances,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

BITS = 128  # finer than the rounding of any eps, so that no enclosure straddles a bound that is nearly attained


def _claims(
    x: Approximation,
    bound: Callable[[Fraction], Fraction] = lambda eps: (1 + eps) / (1 - eps),
    preconditioner_ridge: Callable[[Fraction], Fraction] = lambda lam: lam,
) -> Sequence[Claim]:
    M = rational_solve(shifted(x.K, x.lam), shifted(x.Kt, preconditioner_ridge(x.lam)))
    low, high = smallest_eigenvalue(M, BITS), largest_eigenvalue(M, BITS)
    return (
        Claim(
            says="mu_max <= (1+eps)/(1-eps) mu_min for the eigenvalues mu of (K + lam I)^-1 (Kt + lam I)",
            left=high,
            relation="<=",
            right=(low[0] * bound(x.eps), low[1] * bound(x.eps)),
        ),
    )


def _twin(name: str, because: str, refuted_on: Approximation, **change: Any) -> BrokenTwin:
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
    id="cor.precond",
    number="cor.precond",
    title="Preconditioner",
    kind="Corollary",
    says=r"\operatorname{cond}\left((\tilde K+\lambda I)^{-1/2}(K+\lambda I)(\tilde K+\lambda I)^{-1/2}\right)"
    r"\le\frac{1+\varepsilon}{1-\varepsilon}",
    plainly="With an eps-spectral approximation as preconditioner the ridge system has condition number at most "
    "(1+eps)/(1-eps), whatever the kernel.",
    source=GLSS.at("Section 3.1, consequence of equation (2)"),
    deviation="not printed; derived here from (2)",
    constant="proved here",
    hypotheses=HYPOTHESES,
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "one_sided",
            "the sample may overshoot in one direction and fall short in another",
            BOTH_ENDS,
            bound=lambda eps: 1 / (1 - eps),
        ),
        _twin(
            "first_order_factor",
            "1 + 2 eps is only the first order of (1+eps)/(1-eps)",
            BOTH_ENDS,
            bound=lambda eps: 1 + 2 * eps,
        ),
        _twin(
            "no_ridge_in_the_preconditioner",
            "Kt alone is singular where nothing was drawn",
            BOTH_ENDS,
            preconditioner_ridge=lambda lam: lam * 0,
        ),
    ),
    notes=("Attained: K = I, lam = 1, Kt = diag(0, 2), eps = 1/2 has condition number 3.",),
    strategy=_strategy,
)
