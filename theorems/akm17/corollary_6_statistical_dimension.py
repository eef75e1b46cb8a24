"""Corollary 6: the statistical dimension is at most n / lam; by concavity even n / (1 + lam).

s_lambda(K) <= n / (1 + lam) <= n / lam = n_lambda,   for k(0) = 1
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import Interval
from reference.enclosed_features import gaussian_enclosed
from reference.exact_linear_algebra import rank
from theorems.akm17.fourier_worlds import (
    EXPONENTIALS,
    ORTHOGONAL,
    RIDGE,
    STANDING,
    FourierInstance,
    GaussianLine,
    instances,
)
from theorems.glss.sampling_instances import FiniteWorld
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Bound = Callable[[int, Fraction], Fraction]


def _sharp(n: int, lam: Fraction) -> Fraction:
    return n / (1 + lam)


def _claims(x: FourierInstance, bound: Bound = _sharp) -> Sequence[Claim]:
    s: Fraction | Interval
    if isinstance(x, GaussianLine):
        n, s = len(x.X), gaussian_enclosed(x.X, x.sigma).statistical_dimension(x.lam)
    else:
        n, s = x.features.n, x.features.statistical_dimension(x.lam)
    return (
        Claim(says="s_lambda <= n / (1 + lam)", left=s, relation="<=", right=bound(n, x.lam)),
        Claim(says="s_lambda <= n / lam", left=s, relation="<=", right=n / x.lam),
    )


def _of_the_rank(x: FiniteWorld) -> Sequence[Claim]:
    """Put the rank of K in place of n; a complex kernel has its rank twice in the embedding."""
    r = rank(x.features.kernel()) // x.features.copies
    return _claims(x, lambda _n, lam: r / (1 + lam))


def _twin(name: str, because: str, refuted_on: FourierInstance, bound: Bound) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=lambda x: _claims(x, bound)), refuted_on=refuted_on
    )


def _strategy() -> Any:
    from theorems.akm17.fourier_strategies import fourier_worlds

    return fourier_worlds()


STATEMENT = Statement(
    id="akm.cor6",
    number="AKM 6",
    title="Upper bound of the statistical dimension",
    kind="Corollary",
    says=r"s_\lambda(K)\le\frac{n}{1+\lambda}\le\frac{n}{\lambda}",
    plainly="For a kernel with k(0) = 1 the statistical dimension is at most n/(1+lambda).",
    source=AKM17.at("Corollary 6"),
    deviation="the sharper n/(1+lambda) is added: t/(t + lambda) is concave, and the eigenvalues average to k(0) = 1",
    constant="explicit",
    hypotheses=(RIDGE, EXPONENTIALS),
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin("n_forgotten", "every point may bring a direction of its own", ORTHOGONAL, lambda _n, lam: 1 / (1 + lam)),
        _twin(
            "ridge_times_n",
            "the ridge is lambda, not n lambda",
            ORTHOGONAL,
            lambda n, lam: n / (1 + n * lam),
        ),
        _twin("one_more_ridge", "n/(1+lambda) is attained at K = I", ORTHOGONAL, lambda n, lam: n / (1 + 2 * lam)),
        BrokenTwin(
            name="rank_for_n",
            because="one direction may carry the weight of all points",
            conclusion=ForEach(claims=_of_the_rank),
            refuted_on=STANDING,
        ),
    ),
    notes=("n/(1+lambda) is attained at K = I.",),
    strategy=_strategy,
)
