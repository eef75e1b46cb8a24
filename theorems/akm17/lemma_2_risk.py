"""Lemma 2: a spectral approximation keeps the statistical risk of kernel ridge regression.

    R(K) = (lam^2 / n) f^T (K + lam I)^-2 f + (sigma^2 / n) tr K^2 (K + lam I)^-2
         <= R^(K) = (lam / n) f^T (K + lam I)^-1 f + (sigma^2 / n) s_lam(K)
    R(Kt) <= R^(K) / (1 - Delta) + Delta / (1 + Delta) rank(Kt) sigma^2 / n

f is the signal at the data, sigma^2 the variance of independent noise, Delta the accuracy of Kt. It is also what a
user asks of GLSS (2): the risk of the estimator that random features give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from reference.arithmetic import (
    quadratic_form,
    rational_inverse,
    rational_product,
    rational_solve,
    rational_trace,
)
from reference.exact_linear_algebra import column, rank, shifted
from reference.finite_features import Matrix
from theorems.glss.approximation_instances import (
    FLAT_TAIL,
    HYPOTHESES,
    NOTHING_DRAWN,
    Approximation,
    instances,
)
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

NOISE = Fraction(1)  # sigma^2; the sentence is homogeneous in (f, sigma), so one value is all
MOST_SIGNS = 6  # points up to which the mean over noise is taken sign by sign


def risk(K: Matrix, lam: Fraction, f: Sequence[Fraction], noise: Fraction) -> Fraction:
    """Give the mean squared error at the data, bias and variance, divided by n."""
    A = shifted(K, lam)
    inverse, smoother = rational_inverse(A), rational_solve(A, K)
    bias: Fraction = sum(((lam * row[0]) ** 2 for row in rational_product(inverse, column(f))), Fraction(0))
    variance = rational_trace(rational_product(smoother, smoother)) * noise
    return (bias + variance) / len(K)


def risk_bound(K: Matrix, lam: Fraction, f: Sequence[Fraction], noise: Fraction) -> Fraction:
    """Give (lam/n) f^T (K + lam I)^-1 f + (noise/n) s_lam(K)."""
    inverse = rational_inverse(shifted(K, lam))
    dimension = len(K) - lam * rational_trace(inverse)
    return (lam * quadratic_form(inverse, f) + noise * dimension) / len(K)


def _mean_over_signs(x: Approximation) -> Fraction:
    """Average ||K (K + lam I)^-1 (f + e) - f||^2 / n over all e in {-1, 1}^n, noise of variance 1."""
    smoother = rational_solve(shifted(x.K, x.lam), x.K)
    total, n = Fraction(0), len(x.K)
    for signs in product((-1, 1), repeat=n):
        fitted = rational_product(smoother, column([a + e for a, e in zip(x.Y, signs, strict=True)]))
        total += sum(((row[0] - a) ** 2 for row, a in zip(fitted, x.Y, strict=True)), Fraction(0))
    return total / (n << n)


Bound = Callable[[Approximation, Fraction], Fraction]


def _bound(x: Approximation, of_the_kernel: Fraction) -> Fraction:
    return of_the_kernel / (1 - x.eps) + x.eps / (1 + x.eps) * rank(x.Kt) * NOISE / len(x.K)


def _claims(x: Approximation, bound: Bound = _bound) -> Sequence[Claim]:
    exact, above = risk(x.K, x.lam, x.Y, NOISE), risk_bound(x.K, x.lam, x.Y, NOISE)
    claims = [
        Claim(says="R(K) <= R^(K)", left=exact, relation="<=", right=above),
        Claim(
            says="R(Kt) <= R^(K)/(1-Delta) + Delta/(1+Delta) rank(Kt) sigma^2/n",
            left=risk(x.Kt, x.lam, x.Y, NOISE),
            relation="<=",
            right=bound(x, above),
        ),
    ]
    if len(x.K) <= MOST_SIGNS:
        claims.append(
            Claim(
                says="E ||f^ - f||^2 / n = R(K), the mean over all signs",
                left=_mean_over_signs(x),
                relation="=",
                right=exact,
            )
        )
    return claims


def _twin(name: str, because: str, refuted_on: Approximation, bound: Bound) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=lambda x: _claims(x, bound)), refuted_on=refuted_on
    )


def _strategy() -> Any:
    from theorems.glss.approximation_strategies import approximations

    return approximations()


_STRONG_SIGNAL = Approximation(
    name="strong-signal",
    says="n = 1, K = lambda = 1 and a signal of 100; Kt = 0",
    K=NOTHING_DRAWN.K,
    Kt=NOTHING_DRAWN.Kt,
    lam=NOTHING_DRAWN.lam,
    eps=NOTHING_DRAWN.eps,
    Y=(Fraction(100),),
)

STATEMENT = Statement(
    id="akm.lem2",
    number="AKM 2",
    title="Risk of kernel ridge regression with a spectral approximation",
    kind="Lemma",
    says=r"R(\tilde f)\le\frac{\hat R_K(f)}{1-\Delta}+\frac{\Delta}{1+\Delta}\cdot"
    r"\frac{\operatorname{rank}(\tilde K)\,\sigma^2}{n}"
    r"\quad\text{with}\quad\hat R_K(f)=\frac{\lambda}{n}f^{\top}(K+\lambda I)^{-1}f+\frac{\sigma^2}{n}s_\lambda(K)",
    plainly="Random features that approximate the kernel matrix spectrally cost little risk.",
    source=AKM17.at("Lemma 2"),
    deviation="the hypothesis ||K|| >= 1 is dropped: the proof does not use it",
    constant="explicit",
    hypotheses=HYPOTHESES,
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "additive_term_dropped",
            "many directions far below lambda may each add variance",
            FLAT_TAIL,
            lambda x, above: above / (1 - x.eps),
        ),
        _twin(
            "rank_of_the_kernel",
            "the variance is that of the sample, whose rank may be larger",
            FLAT_TAIL,
            lambda x, above: above / (1 - x.eps) + x.eps / (1 + x.eps) * rank(x.K) * NOISE / len(x.K),
        ),
        _twin(
            "no_factor_on_the_bias",
            "a kernel that fits worse has more bias",
            _STRONG_SIGNAL,
            lambda x, above: above + x.eps / (1 + x.eps) * rank(x.Kt) * NOISE / len(x.K),
        ),
        _twin(
            "second_order_additive_term",
            "the variance grows in the first order of Delta",
            FLAT_TAIL,
            lambda x, above: above / (1 - x.eps) + x.eps**4 * rank(x.Kt) * NOISE / len(x.K),
        ),
    ),
    recalled=True,
    notes=(
        "The variance part is even at most (s_lam(K) + Delta rank Kt)/(1 + Delta) sigma^2/n, `cor.sdim`: 1/(1-Delta) "
        "is needed for the bias only.",
        "This is the corollary `cor.risk` of GLSS (2).",
    ),
    strategy=_strategy,
)
