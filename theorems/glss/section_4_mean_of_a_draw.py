"""Section 4: one weighted draw has the whitened kernel as its mean.

    E Y = B K B^T = diag(lambda_i / (lambda_i + lam)) in the eigenbasis,   Y = (p / q_bar) B Phi Phi^T B^T

Decided as E[(p / q_bar) Phi Phi^T] = K, an exact finite sum; literally on the world whose whitening is rational.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theorems.glss.sampling_instances import SPIKE, FiniteWorld
from theorems.glss.sampling_recipe import Numbers, Scheme, by_importance, over
from theorems.glss.section_4_worlds import ROTATED, ROTATED_WHITENING, WASTEFUL, draws, instances, rows
from theorems.glss.theorem_3_3_kernel_approximation import DOMINATION, RIDGE_POSITIVE
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Expectation, Misprint, Statement

Weighing = Callable[[Numbers, Numbers], Scheme]


def _claims(x: FiniteWorld, scheme: Weighing = by_importance) -> Sequence[Claim]:
    law = draws(x)
    used = scheme(np.array(x.features.p, dtype=object), law.q_bar)
    mean = np.tensordot(used.law * used.weight, np.array(x.features.grams, dtype=object), axes=1)
    claims = [
        Claim(says="E[(p/q_bar) Phi Phi^T] = K", left=rows(mean), relation="=", right=rows(law.K)),
        Claim(
            says="E tr Y = s_lambda(K)",
            left=Fraction(np.trace(law.A_inverse @ mean)) / x.features.copies,
            relation="=",
            right=x.features.statistical_dimension(x.lam),
        ),
    ]
    if (x.features, x.lam) == (ROTATED.features, ROTATED.lam):  # not `is`: it may come from another process
        B = np.array(ROTATED_WHITENING, dtype=object)
        whitened = [[Fraction(15, 16), Fraction(0)], [Fraction(0), Fraction(3, 4)]]
        claims += [
            Claim(
                says="B (K + lam I) B^T = I",
                left=rows(B @ law.A @ B.T),
                relation="=",
                right=[[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]],
            ),
            Claim(
                says="E Y = diag(lambda_i / (lambda_i + lam))",
                left=rows(B @ mean @ B.T),
                relation="=",
                right=whitened,
            ),
        ]
    return claims


def _twin(name: str, because: str, refuted_on: FiniteWorld, scheme: Weighing) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=Expectation(claims=lambda x: _claims(x, scheme)), refuted_on=refuted_on
    )


def _strategy() -> Any:
    from theorems.glss.sampling_strategies import finite_worlds

    return finite_worlds()


STATEMENT = Statement(
    id="glss.Yr-mean",
    number="4, E[Y_r]",
    title="Mean of one weighted draw",
    kind="Step of a proof",
    says=r"\mathbb{E}[Y_r]=\Sigma^{-1}VKV^{\top}\Sigma^{-1}"
    r"\quad\text{with}\quad Y_r=\frac{p(w_r)}{\bar q_\lambda(w_r)}"
    r"\Sigma^{-1}V\Phi(w_r)\Phi(w_r)^{\top}V^{\top}\Sigma^{-1}",
    plainly="A feature drawn from q_bar and weighed by p/q_bar stands for the kernel on average.",
    source=GLSS.at("Section 4, display before equation (12)"),
    deviation="bars dropped and the index made one, see E5",
    constant="explicit",
    hypotheses=(RIDGE_POSITIVE, DOMINATION),
    conclusion=Expectation(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "weights_dropped",
            "draws from q_bar average to the wrong kernel without the weight p/q_bar",
            SPIKE,
            lambda p, q_bar: Scheme(law=q_bar, weight=over(p, p)),
        ),
        _twin(
            "root_forgotten",
            "features multiplied by p/q_bar instead of its square root",
            SPIKE,
            lambda p, q_bar: Scheme(law=q_bar, weight=over(p, q_bar) ** 2),
        ),
        _twin(
            "drawn_from_p",
            "draws from p carry the weight 1",
            SPIKE,
            lambda p, q_bar: Scheme(law=p, weight=over(p, q_bar)),
        ),
        _twin(
            "weights_inverted",
            "q_bar/p for p/q_bar",
            WASTEFUL,
            lambda p, q_bar: Scheme(law=q_bar, weight=over(q_bar, p)),
        ),
    ),
    misprints=(
        Misprint(
            id="E5",
            says="E[Y_i] = E[(p/q_bar)(w_r) Sigma^-1 V Phi(w_r) bar-Phi(w_r)^T ...] and the bound of ||Y_i||",
            instead="E[Y_r], ||Y_r||; Phi without a bar for real features, Phi^* on both sides for complex ones",
            witness="`glss.Yr-mean.as_printed`",
        ),
    ),
    strategy=_strategy,
)
