"""Proposition 4: the ridge leverage of a frequency lies between p n / (n + lam) and p n / lam.

n / (n + lam) <= tau(eta) / p(eta) <= n / lam,   for every frequency
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from reference.fourier_enclosures import line_leverage
from theorems.akm17.fourier_worlds import (
    EXPONENTIALS,
    ORTHOGONAL,
    RARE,
    RIDGE,
    STANDING,
    FourierInstance,
    GaussianLine,
    instances,
)
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Claim, ForEach, Quantity, Statement

Bound = Callable[[int, Fraction], Fraction]


def _low(n: int, lam: Fraction) -> Fraction:
    return n / (n + lam)


def _high(n: int, lam: Fraction) -> Fraction:
    return n / lam


def _claims(x: FourierInstance, low: Bound = _low, high: Bound = _high) -> Sequence[Claim]:
    leverage: list[Quantity] = []
    if isinstance(x, GaussianLine):
        n = len(x.X)
        leverage += line_leverage(x.X, x.sigma, x.lam, x.frequencies)
    else:
        n = x.features.n
        leverage += x.features.leverage(x.lam)
    claims = []
    for j, tau in enumerate(leverage):
        claims += [
            Claim(says=f"n / (n + lam) <= tau / p at frequency {j}", left=low(n, x.lam), relation="<=", right=tau),
            Claim(says=f"tau / p <= n / lam at frequency {j}", left=tau, relation="<=", right=high(n, x.lam)),
        ]
    return claims


def _twin(name: str, because: str, refuted_on: FourierInstance, **change: Bound) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=ForEach(claims=lambda x: _claims(x, **change)),
        refuted_on=refuted_on,
    )


def _strategy() -> Any:
    from theorems.akm17.fourier_strategies import fourier_worlds

    return fourier_worlds()


STATEMENT = Statement(
    id="akm.prop4",
    number="AKM 4",
    title="Bounds of the ridge leverage function",
    kind="Proposition",
    says=r"\frac{n}{n+\lambda}\,p(\eta)\le\tau_\lambda(\eta)\le\frac{n}{\lambda}\,p(\eta)",
    plainly="No frequency has less leverage than n/(n+lambda) or more than n/lambda, in units of its density.",
    source=AKM17.at("Proposition 4"),
    deviation="divided by p",
    constant="explicit",
    hypotheses=(RIDGE, EXPONENTIALS),
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "as_if_data_were_orthogonal",
            "n/(1+lambda) is the leverage for K = I, and too high where points coincide",
            STANDING,
            low=lambda n, lam: n / (1 + lam),
        ),
        _twin(
            "mean_leverage_as_upper_bound",
            "a rare frequency has more leverage than n/(1+lambda)",
            RARE,
            high=lambda n, lam: n / (1 + lam),
        ),
        _twin(
            "ridge_times_n",
            "with n lambda for lambda the upper bound is 1/lambda",
            replace(ORTHOGONAL, name="orthogonal-heavy", says="K = I on four points, lambda = 1", lam=Fraction(1)),
            high=lambda n, lam: n / (n * lam),
        ),
        _twin("bounds_exchanged", "n/(n+lambda) is the lower bound", ORTHOGONAL, high=_low),
    ),
    notes=(
        "Sharper with the spectrum: n/(||K|| + lambda) <= tau/p <= n/(lambda_min + lambda). The lower bound is "
        "attained when all points coincide.",
    ),
    strategy=_strategy,
)
