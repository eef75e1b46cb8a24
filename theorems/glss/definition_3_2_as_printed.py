r"""Definition 3.2 with its printed support condition, for the density that it is made for (erratum E11).

    supp p  is a subset of  supp q,   q = q_lambda / s_lambda

False wherever Phi vanishes on a set of positive probability: q_lambda does too. Harmless, since nothing is lost there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference import finite_features as finite
from reference.arithmetic import Interval
from reference.dominating import rounded_up
from reference.enclosed_features import plane_features
from theorems.glss.definition_3_2_modified_random_features import SUPPORT_MISPRINT
from theorems.glss.equation_4_statistical_dimension import RIDGE_POSITIVE
from theorems.glss.leverage_instances import FiniteRidge, PlaneRidge, RidgeInstance, plane_I2
from theorems.glss.leverage_quantities import plus, point
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Hypothesis, Statement

NULL_ATOM = FiniteRidge(
    name="null-feature",
    says="K = 1; half of p lies on a feature that vanishes",
    features=finite.with_null_atom(finite.coupon(1), Fraction(1, 2)),
    lam=Fraction(1, 1000),
)
POINT_IN_THE_PLANE = PlaneRidge(
    name="one-point-in-the-plane",
    says="one point: half of all neurons do not see it",
    X=np.array([[0.6, 0.8]]),
    lam=Fraction(1, 10),
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What else could be meant.

    Parameters
    ----------
    ridge : lam -> the ridge of the leverage that is drawn from
    density : (J,) upper ends of tau -> the function drawn from, up to p and a factor
    allowed : probability under p that q may miss
    """

    ridge: Callable[[Fraction], Fraction] = lambda lam: lam
    density: Callable[[Sequence[Fraction]], Sequence[Fraction]] = lambda tau: tau
    allowed: Fraction = Fraction(0)


PRINTED = Reading()


def _masses_and_leverage(x: RidgeInstance, lam: Fraction) -> tuple[Sequence[Interval], Sequence[Fraction]]:
    """Give probabilities, and tau from above: exactly 0 where Phi is 0."""
    match x:
        case FiniteRidge(features=features):
            return [point(p) for p in features.p], features.leverage(lam)
        case PlaneRidge(X=X):
            cells = plane_features(X)
            return cells.masses, [upper for _, upper in cells.leverage(lam)]
    raise TypeError(f"_masses_and_leverage: no classes of features are known for a {type(x).__name__}")


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of the support condition."""

    def claims(x: RidgeInstance) -> list[Claim]:
        masses, tau = _masses_and_leverage(x, reading.ridge(x.lam))
        missed = point(Fraction(0))
        for mass, q in zip(masses, reading.density(tau), strict=True):
            missed = missed if q else plus(missed, mass)
        return [
            Claim(
                says="the probability under p of what q never draws is at most what the condition allows",
                left=missed,
                relation="<=",
                right=reading.allowed,
            )
        ]

    return ForEach(claims=claims)


def _something_is_unseen(x: RidgeInstance) -> str | None:
    _, tau = _masses_and_leverage(x, x.lam)
    return None if not all(tau) else "Phi must vanish with positive probability, got no such feature"


def _twin(name: str, because: str, refuted_on: RidgeInstance, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.leverage_strategies import blind_ridges as drawn

    return drawn()


STATEMENT = Statement(
    id="glss.def3.2.as_printed",
    number="3.2 as printed",
    title="The printed support condition for leverage sampling",
    kind="Definition",
    says=r"\operatorname{supp}p\subseteq\operatorname{supp}q,\quad q=\frac{q_\lambda}{s_\lambda(K)}",
    plainly="The support of the leverage distribution includes that of p, as Definition 3.2 asks.",
    source=GLSS.at("Section 3.1, Definition 3.2"),
    deviation="The print states the condition for any q and then uses it with q_lambda / s_lambda: here are both.",
    constant="explicit",
    hypotheses=(
        RIDGE_POSITIVE,
        Hypothesis(says="Phi(w) = 0 with positive probability", holds=_something_is_unseen),
    ),
    conclusion=conclusion(PRINTED),
    instances=lambda _profile: (plane_I2(), POINT_IN_THE_PLANE, NULL_ATOM),
    twins=(
        _twin(
            "rounding_up_repairs_it",
            "q_lambda rounded up to a dyadic still vanishes with Phi",
            plane_I2(),
            density=rounded_up,
        ),
        _twin(
            "another_ridge_repairs_it",
            "tau = 0 at one lambda is tau = 0 at all of them",
            plane_I2(),
            ridge=lambda lam: 1000 * lam,
        ),
        _twin(
            "little_is_missed",
            "the unseen cell of I2 has probability (pi - 2.6) / (2 pi) = .0862",
            plane_I2(),
            allowed=Fraction(1, 20),
        ),
        _twin(
            "at_most_half_is_missed",
            "a feature may vanish with any probability",
            replace(
                NULL_ATOM,
                name="null-feature-nearly-always",
                features=finite.with_null_atom(finite.coupon(1), Fraction(99, 100)),
            ),
            allowed=Fraction(1, 2),
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(SUPPORT_MISPRINT,),
    notes=(
        "ReLU features vanish on a cone of positive probability exactly when all points lie in an open half space: "
        "always for n <= d in general position.",
    ),
    strategy=_drawn,
)
