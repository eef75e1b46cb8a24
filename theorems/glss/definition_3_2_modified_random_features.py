r"""Definition 3.2: modified random features give the kernel in the mean.

    psi_bar(x) = m^-1/2 [ sqrt(p/q)(w_1) phi(x, w_1), ..., sqrt(p/q)(w_m) phi(x, w_m) ],   E_q Psi_bar Psi_bar^T = K

The expectation runs over all sequences of m draws, so what it says of the law, of the weights and of m is decided at
once; second moments show that the draws are independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np

from reference.ridge_regression import Array
from theorems.glss.draw_instances import MISSED, UNEVEN, WeightedDraws, weighted_draws
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Expectation, Hypothesis, Misprint, Statement

Draws: TypeAlias = tuple[int, ...]


def independent(law: tuple[Fraction, ...], m: int) -> Iterator[tuple[Fraction, Draws]]:
    """List every sequence of m draws with its probability."""
    for draws in product(range(len(law)), repeat=m):
        yield prod((law[j] for j in draws), start=Fraction(1)), draws


def _repeated(law: tuple[Fraction, ...], m: int) -> Iterator[tuple[Fraction, Draws]]:
    for j, mass in enumerate(law):
        yield mass, (j,) * m


def by_importance(p: Fraction, q: Fraction) -> Fraction:
    """Give the square of the factor of phi; a feature that is never drawn needs none."""
    return p / q if q else Fraction(0)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about Definition 3.2.

    Parameters
    ----------
    weight : (p_j, q_j) -> multiplier of Phi_j Phi_j^T
    law : (p, q) -> what is drawn from
    scale : m -> factor in front of the sum
    sequences : (law, m) -> probabilities and draws
    """

    weight: Callable[[Fraction, Fraction], Fraction] = by_importance
    law: Callable[[tuple[Fraction, ...], tuple[Fraction, ...]], tuple[Fraction, ...]] = lambda _p, q: q
    scale: Callable[[int], Fraction] = lambda m: Fraction(1, m)
    sequences: Callable[[tuple[Fraction, ...], int], Iterator[tuple[Fraction, Draws]]] = independent


PRINTED = Reading()


def conclusion(reading: Reading) -> Expectation:
    """Give the sentence for a reading of Definition 3.2, the printed one or a broken one."""

    def claims(x: WeightedDraws) -> list[Claim]:
        p, grams = x.features.p, np.array(x.features.grams, dtype=object)
        weighted = [reading.weight(*pq) * G for *pq, G in zip(p, x.q, grams, strict=True)]
        first = second = 0 * grams[0]
        for mass, draws in reading.sequences(reading.law(p, x.q), x.m):
            approximation = reading.scale(x.m) * sum((weighted[j] for j in draws), start=0 * grams[0])
            first = first + mass * approximation
            second = second + mass * approximation**2
        K = np.array(x.features.kernel(), dtype=object)
        spread = _second_moment(x, grams) - K**2
        return [
            Claim(says="E Psi Psi^T = K", left=first.tolist(), relation="=", right=K.tolist()),
            Claim(
                says="E (Psi Psi^T)_ij^2 = K_ij^2 + (E_q ((p/q) (Phi Phi^T)_ij)^2 - K_ij^2) / m",
                left=second.tolist(),
                relation="=",
                right=(K**2 + spread / x.m).tolist(),
            ),
        ]

    return Expectation(claims=claims)


def _second_moment(x: WeightedDraws, grams: Array) -> Array:
    """Give E_q ((p/q) (Phi Phi^T)_ij)^2, entry by entry: sum_j p_j^2 / q_j (G_j)_ij^2."""
    terms = [by_importance(p, q) * p * G**2 for p, q, G in zip(x.features.p, x.q, grams, strict=True)]
    moments: Array = sum(terms, start=0 * grams[0])
    return moments


def _is_a_law(x: WeightedDraws) -> str | None:
    if len(x.q) == len(x.features.p) and min(x.q) >= 0 and sum(x.q) == 1:
        return None
    return f"q must be {len(x.features.p)} probabilities, got {len(x.q)} with sum {sum(x.q)} and least {min(x.q)}"


def _charges_what_matters(x: WeightedDraws) -> str | None:
    # a q of the wrong length is named by its own hypothesis
    for j, (q, G) in enumerate(zip(x.q, x.features.grams, strict=False)):
        if not q and any(map(any, G)):
            return f"q must be positive where p(w) Phi(w) != 0, got q = 0 at feature {j}"
    return None


SUPPORT = Hypothesis(says="q > 0 wherever p(w) Phi(w) != 0", holds=_charges_what_matters)

SUPPORT_MISPRINT = Misprint(
    id="E11",
    says="Definition 3.2: the support of q includes that of p",
    instead="q > 0 wherever p(w) Phi(w) != 0; q_lambda / s_lambda vanishes where Phi does",
    witness="plane-I2: the cell that sees no point has probability .0862 and tau = 0; glss.def3.2.as_printed",
)


def _twin(
    name: str, because: str, refuted_on: WeightedDraws, *, without: tuple[Hypothesis, ...] = (), **change: Any
) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=conclusion(replace(PRINTED, **change)),
        refuted_on=refuted_on,
        without=tuple(h.says for h in without),
    )


def _drawn() -> Any:
    from theorems.glss.leverage_strategies import weighted_draws as drawn

    return drawn()


STATEMENT = Statement(
    id="glss.def3.2",
    number="3.2",
    title="Modified random features are unbiased",
    kind="Definition",
    says=r"\bar\varphi(x)=\frac{1}{\sqrt{m}}\left[\frac{\sqrt{p(w_1)}}{\sqrt{q(w_1)}}\phi(x,w_1)^\top,\dots,"
    r"\frac{\sqrt{p(w_m)}}{\sqrt{q(w_m)}}\phi(x,w_m)^\top\right]^\top"
    r"\quad E_{w_1,\dots,w_m\sim q}\left[\bar\Psi\bar\Psi^\top\right]=K",
    plainly="Features drawn independently from q and weighted by sqrt(p/q) reproduce the kernel matrix in the mean, "
    "for every m and every q that charges all features that matter.",
    source=GLSS.at("Section 3.1, Definition 3.2"),
    deviation="The print only defines; that the mean is K is what the definition is for. The support condition is the "
    "one that is needed, not the printed one (E11). The print leaves open how the w_r are drawn; Theorem 3.3 says "
    "independently.",
    constant="explicit",
    hypotheses=(
        Hypothesis(says="q is a probability density", holds=_is_a_law),
        SUPPORT,
        Hypothesis(
            says="w_1..w_m are independent draws from q",
            guaranteed_by="the expectation runs over all sequences with product probabilities",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=weighted_draws,
    twins=(
        _twin(
            "root_forgotten",
            "p/q in the features is (p/q)^2 in the Gram matrix: E = K (p/q) on diagonal worlds",
            UNEVEN,
            weight=lambda p, q: by_importance(p, q) ** 2,
        ),
        _twin(
            "weights_dropped",
            "drawn from q but counted as if from p",
            UNEVEN,
            weight=lambda _p, _q: Fraction(1),
        ),
        _twin("weights_inverted", "q/p for p/q", UNEVEN, weight=lambda p, q: q / p),
        _twin(
            "drawn_from_p_weighed_for_q",
            "plain draws, importance weights",
            UNEVEN,
            law=lambda p, _q: p,
        ),
        _twin(
            "mean_forgotten",
            "no 1/sqrt(m): the mean grows with m",
            UNEVEN,
            scale=lambda _m: Fraction(1),
        ),
        _twin(
            "one_draw_repeated",
            "the mean is right, but m copies of one draw do not average",
            UNEVEN,
            sequences=_repeated,
        ),
        _twin(
            "support_dropped",
            "a feature that matters and is never drawn is missing from the mean",
            MISSED,
            without=(SUPPORT,),
        ),
    ),
    misprints=(SUPPORT_MISPRINT,),
    strategy=_drawn,
)
