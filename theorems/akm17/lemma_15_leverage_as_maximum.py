"""Lemma 15: the ridge leverage is the greatest correlation with a feature, relative to all of them.

    tau(eta) = max_alpha  p(eta) |alpha^* z(eta)|^2 / ( || Phi^* alpha ||^2_{L2(p)} + lam ||alpha||^2 )

attained at alpha* = (K + lam I)^-1 z(eta). Divided by p(eta) here; any alpha gives a lower bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theorems.akm17.primal_dual_instances import (
    LAW,
    NOT_ZERO,
    ONE,
    RIDGE,
    TWO_OUTPUTS,
    UNEVEN,
    OneFeature,
    instances,
)
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Ridge = Callable[[Fraction], Fraction]


def _claims(
    x: OneFeature,
    ridge: Ridge = lambda lam: lam,
    weights: Callable[[OneFeature], Sequence[Fraction]] = lambda x: x.p,
    at_ridge: Ridge = lambda lam: lam,
    power: int = 2,
) -> Sequence[Claim]:
    Phi = x.features[x.atom]

    def ratio(alpha: Any) -> Fraction:
        seen = sum((w * x.square(G.T @ alpha) for w, G in zip(weights(x), x.features, strict=True)), Fraction(0))
        inner: Fraction = np.sum(alpha * Phi) / x.copies
        return inner**power / (seen + ridge(x.lam) * x.square(alpha))

    tau, best = x.leverage(), x.inverse(at_ridge(x.lam)) @ Phi
    attained = ratio(best) if best.any() else Fraction(0)  # Phi = 0 correlates with nothing
    return [
        Claim(says="tau / p = ratio at alpha*", left=tau, relation="=", right=attained),
        Claim(
            says="ratio at the trial alpha <= tau / p",
            left=ratio(np.array(x.alpha, dtype=object)),
            relation="<=",
            right=tau,
        ),
        Claim(
            says="(K + lam I) alpha* = z(eta)",
            left=(x.ridged(x.lam) @ best).tolist(),
            relation="=",
            right=Phi.tolist(),
        ),
    ]


def _twin(name: str, because: str, refuted_on: OneFeature, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=ForEach(claims=lambda x: _claims(x, **change)),
        refuted_on=refuted_on,
    )


def _strategy() -> Any:
    from theorems.akm17.primal_dual_strategies import one_feature

    return one_feature()


STATEMENT = Statement(
    id="akm.lem15",
    number="AKM 15",
    title="Ridge leverage as a maximum",
    kind="Lemma",
    says=r"\tau_\lambda(\eta)=\max_{\alpha\ne 0}\;\frac{p(\eta)\,\lvert\alpha^{\ast}z(\eta)\rvert^2}"
    r"{\lVert\Phi^{\ast}\alpha\rVert_{L_2(p)}^2+\lambda\lVert\alpha\rVert^2}",
    plainly="The leverage of a frequency is how much it can stand out against all frequencies and the ridge.",
    source=AKM17.at("Lemma 15"),
    deviation="divided by p(eta); for d2 outputs alpha is n x d2 and products are traces",
    constant="explicit",
    hypotheses=(LAW, RIDGE, NOT_ZERO),
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin("ridge_dropped", "lambda ||alpha||^2 belongs to the denominator", ONE, ridge=lambda lam: lam * 0),
        _twin("density_dropped", "Phi^* alpha is measured in L2(p)", UNEVEN, weights=lambda x: [q / q for q in x.p]),
        _twin("correlation_not_squared", "the ratio must not depend on the length of alpha", TWO_OUTPUTS, power=1),
        _twin("optimum_at_twice_the_ridge", "alpha* has K + lambda I", ONE, at_ridge=lambda lam: 2 * lam),
    ),
    notes=("Holds verbatim for the features of GLSS with any d2; alpha = z gives Proposition 4's lower bound.",),
    strategy=_strategy,
)
