"""Predictions at a new point are close when (2) holds on the data and the new point together.

    |f~(z) - f(z)| <= eps / (1 - eps) sqrt((v(z) + lam) Y^T (K + lam I)^-1 Y),
    v(z) = K(z, z) - K(z, X)(K + lam I)^-1 K(X, z)

v is the posterior variance of the Gaussian process with covariance K. Without the condition on z see
`corollary_out_of_sample`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import quadratic_form, rational_inverse
from reference.exact_linear_algebra import shifted
from theorems.glss.approximation_instances import ACCURACY, RIDGE
from theorems.glss.new_point_instances import (
    EVERYWHERE,
    EXTENDED_KERNELS,
    OPPOSED,
    REMOTE,
    SWUNG,
    NewPoint,
    new_points,
    predictions,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement


def _claims(
    x: NewPoint,
    factor: Callable[[Fraction], Fraction] = lambda eps: eps / (1 - eps),
    spread: Callable[[Fraction, Fraction], Fraction] = lambda v, lam: v + lam,
) -> Sequence[Claim]:
    f, f_tilde = predictions(x)
    inverse = rational_inverse(shifted(x.K, x.lam))
    variance = x.corner - quadratic_form(inverse, x.row)
    return (
        Claim(
            says="|f~(z) - f(z)|^2 <= (eps/(1-eps))^2 (v + lam) Y^T A^-1 Y",
            left=(f_tilde - f) ** 2,
            relation="<=",
            right=factor(x.eps) ** 2 * spread(variance, x.lam) * quadratic_form(inverse, x.Y),
        ),
    )


def _twin(name: str, because: str, refuted_on: NewPoint, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=ForEach(claims=lambda x: _claims(x, **change)),
        refuted_on=refuted_on,
    )


def _strategy() -> Any:
    from theorems.glss.approximation_strategies import new_points_drawn

    return new_points_drawn()


STATEMENT = Statement(
    id="cor.newpoint",
    number="cor.newpoint",
    title="Predictions at a new point that counts among the data",
    kind="Corollary",
    says=r"\lvert\tilde f(z)-f(z)\rvert\le\frac{\varepsilon}{1-\varepsilon}"
    r"\sqrt{(v(z)+\lambda)\,Y^{\top}(K+\lambda I)^{-1}Y}"
    r"\quad\text{with}\quad v(z)=K(z,z)-K(z,X)(K+\lambda I)^{-1}K(X,z)",
    plainly="If the approximation also covers a new point, its prediction there is close, in proportion to the "
    "posterior standard deviation.",
    source=GLSS.at("Section 3.1, consequence of equation (2)"),
    deviation="not printed; derived here from (2) on X and z together",
    constant="proved here",
    hypotheses=(EXTENDED_KERNELS, RIDGE, ACCURACY, EVERYWHERE),
    conclusion=ForEach(claims=_claims),
    instances=new_points,
    twins=(
        _twin(
            "ridge_forgotten_at_the_new_point",
            "where the kernel knows no variance the approximation may have up to eps lambda",
            SWUNG,
            spread=lambda v, _lam: v,
        ),
        _twin(
            "eps_for_eps_over_one_minus_eps",
            "the inverse of K + lam I moves by eps/(1-eps)",
            OPPOSED,
            factor=lambda eps: eps,
        ),
        _twin(
            "bound_of_the_training_data",
            "far from the data the prediction moves with K(z, z), not with lambda",
            REMOTE,
            spread=lambda _v, lam: lam,
        ),
    ),
    notes=(
        "Proof: with g = At^-1 Y and h = (A^-1 K(X, z), -1) one has h^T (K' + lam I)(g, 0) = 0 for the extended kernel "
        "K', so f~(z) - f(z) = -h^T (Kt' - K')(g, 0), at most eps sqrt(h^T (K' + lam I) h) sqrt(g^T A g); the first "
        "root is v + lam, the second at most Y^T A^-1 Y / (1 - eps)^2.",
    ),
    strategy=_strategy,
)
