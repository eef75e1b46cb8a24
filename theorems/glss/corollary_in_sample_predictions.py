"""Predictions on the training data move by at most eps / (1 - eps) times the size of the regularised residual.

    ||f~(X) - f(X)|| <= eps / (1 - eps) sqrt(lam Y^T (K + lam I)^-1 Y) <= eps / (1 - eps) ||Y||

where f = K (K + lam I)^-1 Y and f~ is the same with Kt. Compared as squares, in rationals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import quadratic_form, rational_inverse, rational_product
from reference.exact_linear_algebra import column, combined, shifted
from theorems.glss.approximation_instances import (
    HYPOTHESES,
    NOTHING_DRAWN,
    SMALL_RIDGE_NOTHING,
    UNSEEN,
    Approximation,
    instances,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement


def _factor(eps: Fraction) -> Fraction:
    return eps / (1 - eps)


def _residual(x: Approximation) -> Fraction:
    """Give lam Y^T (K + lam I)^-1 Y."""
    return x.lam * quadratic_form(rational_inverse(shifted(x.K, x.lam)), x.Y)


def _length(x: Approximation) -> Fraction:
    return sum((y * y for y in x.Y), Fraction(0))


def _claims(
    x: Approximation,
    factor: Callable[[Fraction], Fraction] = _factor,
    residual: Callable[[Approximation], Fraction] = _residual,
) -> Sequence[Claim]:
    inverses = [rational_inverse(shifted(M, x.lam)) for M in (x.K, x.Kt)]
    # f - f~ = lam (At^-1 - A^-1) Y
    moved = rational_product(combined(x.lam, inverses[1], -x.lam, inverses[0]), column(x.Y))
    distance = sum((row[0] ** 2 for row in moved), Fraction(0))
    bound, longest = factor(x.eps) ** 2 * residual(x), factor(x.eps) ** 2 * _length(x)
    return (
        Claim(says="||f~(X) - f(X)||^2 <= (eps/(1-eps))^2 lam Y^T A^-1 Y", left=distance, relation="<=", right=bound),
        Claim(says="the bound^2 <= (eps/(1-eps))^2 ||Y||^2", left=bound, relation="<=", right=longest),
    )


def _twin(name: str, because: str, refuted_on: Approximation, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=ForEach(claims=lambda x: _claims(x, **change)),
        refuted_on=refuted_on,
    )


def _fit(x: Approximation) -> Fraction:
    """Give ||f(X)||^2."""
    fitted = rational_product(x.K, rational_product(rational_inverse(shifted(x.K, x.lam)), column(x.Y)))
    return sum((row[0] ** 2 for row in fitted), Fraction(0))


def _strategy() -> Any:
    from theorems.glss.approximation_strategies import approximations

    return approximations()


STATEMENT = Statement(
    id="cor.insample",
    number="cor.insample",
    title="Predictions on the training data",
    kind="Corollary",
    says=r"\lVert\tilde f(X)-f(X)\rVert\le\frac{\varepsilon}{1-\varepsilon}\sqrt{\lambda Y^{\top}(K+\lambda I)^{-1}Y}"
    r"\le\frac{\varepsilon}{1-\varepsilon}\lVert Y\rVert",
    plainly="Kernel ridge regression with an eps-spectral approximation predicts the training data almost as the exact "
    "kernel does.",
    source=GLSS.at("Section 3.1, consequence of equation (2)"),
    deviation="not printed; derived here from (2)",
    constant="proved here",
    hypotheses=HYPOTHESES,
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "eps_for_eps_over_one_minus_eps",
            "the inverse of K + lam I moves by eps/(1-eps), not by eps",
            NOTHING_DRAWN,
            factor=lambda eps: eps,
        ),
        _twin(
            "eps_over_one_plus_eps",
            "the sample may lie below the kernel, too",
            NOTHING_DRAWN,
            factor=lambda eps: eps / (1 + eps),
        ),
        _twin(
            "ridge_squared",
            "the residual counts with lambda, not with lambda^2",
            SMALL_RIDGE_NOTHING,
            residual=lambda x: x.lam * _residual(x),
        ),
        _twin(
            "relative_to_the_fit",
            "labels in a null direction of K have fit 0, and the sample may follow them",
            UNSEEN,
            residual=_fit,
        ),
    ),
    notes=(
        "f - f~ = lam (At^-1 - A^-1) Y, ||A^1/2 (At^-1 - A^-1) A^1/2|| <= eps/(1-eps), ||A^-1/2|| <= lam^-1/2. At "
        "n = 1, Kt = 0 the ratio of the two sides is sqrt(1 - eps): the constant cannot be lowered.",
    ),
    strategy=_strategy,
)
