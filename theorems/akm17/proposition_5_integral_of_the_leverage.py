"""Proposition 5: the ridge leverage integrates to the statistical dimension.

    int tau(eta) d eta = tr K (K + lam I)^-1 = s_lambda(K)

An exact sum on discrete p; for the Gaussian kernel the trapezoidal rule with a proven error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import Interval
from reference.enclosed_features import gaussian_enclosed
from reference.fourier_enclosures import line_leverage_integral
from theorems.akm17.fourier_worlds import (
    EXPONENTIALS,
    ORTHOGONAL,
    PYTHAGOREAN,
    RARE,
    RIDGE,
    FourierInstance,
    GaussianLine,
    instances,
)
from theorems.glss.sampling_instances import FiniteWorld
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Claim, Expectation, Statement

Sum = Callable[[FiniteWorld], Fraction]
Ridge = Callable[[int, Fraction], Fraction]


def _integral(x: FiniteWorld) -> Fraction:
    return sum((p * t for p, t in zip(x.features.p, x.features.leverage(x.lam), strict=True)), Fraction(0))


def _claims(
    x: FourierInstance, integral: Sum = _integral, ridge: Ridge = lambda _n, lam: lam, power: int = 1
) -> Sequence[Claim]:
    left: Fraction | Interval
    right: Fraction | Interval
    if isinstance(x, GaussianLine):
        left = line_leverage_integral(x.X, x.sigma, x.lam)
        right = gaussian_enclosed(x.X, x.sigma).statistical_dimension(x.lam)
    else:
        left = integral(x)
        right = x.features.statistical_dimension(ridge(x.features.n, x.lam)) ** power
    return (Claim(says="int tau = s_lambda(K)", left=left, relation="=", right=right),)


def _twin(name: str, because: str, refuted_on: FiniteWorld, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=Expectation(claims=lambda x: _claims(x, **change)),
        refuted_on=refuted_on,
    )


def _strategy() -> Any:
    from theorems.akm17.fourier_strategies import fourier_worlds

    return fourier_worlds()


STATEMENT = Statement(
    id="akm.prop5",
    number="AKM 5",
    title="Integral of the ridge leverage function",
    kind="Proposition",
    says=r"\int\tau_\lambda(\eta)\,d\eta=s_\lambda(K)=\operatorname{tr}\left[K(K+\lambda I)^{-1}\right]",
    plainly="The leverage of all frequencies together is the statistical dimension.",
    source=AKM17.at("Proposition 5"),
    deviation="",
    constant="explicit",
    hypotheses=(RIDGE, EXPONENTIALS),
    conclusion=Expectation(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "density_forgotten",
            "frequencies count with their density",
            RARE,
            integral=lambda x: sum(x.features.leverage(x.lam), Fraction(0)) / len(x.features.p),
        ),
        _twin("ridge_times_n", "the ridge is lambda, not n lambda", PYTHAGOREAN, ridge=lambda n, lam: n * lam),
        _twin("square_of_the_dimension", "s_lambda, not its square", ORTHOGONAL, power=2),
    ),
    notes=("The same sentence as (4) of GLSS, for features of modulus one.",),
    strategy=_strategy,
)
