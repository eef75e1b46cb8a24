"""Lemma 14: the ridge leverage is the least cost of composing a feature from all of them.

    tau(eta) = min_y  lam^-1 || Phi y - sqrt(p(eta)) z(eta) ||^2 + || y ||^2_{L2(p)},   Phi y = E_xi z(xi) y(xi)

attained at y*(xi) = sqrt(p) z(xi)^* (K + lam I)^-1 z(eta). Divided by p(eta) here; any y gives an upper bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theorems.akm17.primal_dual_instances import (
    LAW,
    ONE,
    RIDGE,
    UNEVEN,
    OneFeature,
    instances,
)
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Weights = Callable[[OneFeature], Sequence[Fraction]]
Ridge = Callable[[Fraction], Fraction]


def _optimum(x: OneFeature, ridge: Fraction) -> Any:
    inverse = x.inverse(ridge)
    return np.array([Phi.T @ inverse @ x.features[x.atom] for Phi in x.features])


def _misfit(x: OneFeature, y: Any) -> Any:
    """Give Phi y - z(eta)."""
    made = sum(q * (Phi @ v) for q, Phi, v in zip(x.p, x.features, y, strict=True))
    return made - x.features[x.atom]


def _claims(
    x: OneFeature,
    price: Ridge = lambda lam: 1 / lam,
    weights: Weights = lambda x: x.p,
    ridge: Ridge = lambda lam: lam,
) -> Sequence[Claim]:
    def cost(y: Any) -> Fraction:
        size = sum((w * x.square(v) for w, v in zip(weights(x), y, strict=True)), Fraction(0))
        return price(x.lam) * x.square(_misfit(x, y)) + size

    tau, best = x.leverage(), _optimum(x, ridge(x.lam))
    return [
        Claim(says="cost of y* = tau / p", left=cost(best), relation="=", right=tau),
        Claim(says="tau / p <= cost of the trial y", left=tau, relation="<=", right=cost(np.array(x.y, dtype=object))),
        Claim(says="tau / p <= cost of y = 0", left=tau, relation="<=", right=cost(best * 0)),
        *(
            Claim(
                says=f"the gradient of the cost at y* vanishes, component {k}",
                left=(price(x.lam) * Phi.T @ _misfit(x, best) * x.p[k] + weights(x)[k] * best[k]).tolist(),
                relation="=",
                right=(best[k] * 0).tolist(),
            )
            for k, Phi in enumerate(x.features)
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
    id="akm.lem14",
    number="AKM 14",
    title="Ridge leverage as a minimum",
    kind="Lemma",
    says=r"\tau_\lambda(\eta)=\min_y\;\lambda^{-1}\lVert\Phi y-\sqrt{p(\eta)}\,z(\eta)\rVert^2"
    r"+\lVert y\rVert_{L_2(p)}^2",
    plainly="The leverage of a frequency is the least regularised cost of composing it from all frequencies.",
    source=AKM17.at("Lemma 14"),
    deviation="divided by p(eta); for d2 outputs y takes d2 x d2 matrices and norms are Frobenius norms",
    constant="explicit",
    hypotheses=(LAW, RIDGE),
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin("ridge_for_its_inverse", "the misfit costs 1/lambda", UNEVEN, price=lambda lam: lam),
        _twin(
            "free_coefficients",
            "without the norm of y any feature is free to compose",
            ONE,
            weights=lambda x: [q * 0 for q in x.p],
        ),
        _twin("norm_without_the_density", "y is measured in L2(p)", UNEVEN, weights=lambda x: [q / q for q in x.p]),
        _twin("optimum_at_twice_the_ridge", "y* has K + lambda I", ONE, ridge=lambda lam: 2 * lam),
    ),
    notes=("Holds verbatim for the features of GLSS with any d2; y = 0 gives tau <= p ||Phi||_F^2 / lambda.",),
    strategy=_strategy,
)
