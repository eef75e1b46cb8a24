"""Section 4 as printed: a bar in one place and none in the other. False for the complex features of Remark 3.4.

    E[(p / q_bar) Phi Phi^T] = E[(p / q_bar) Phi bar(Phi)^T],   which the display asserts before and after whitening

The bar is left over from the complex features of AKM+17, where Y_r has Phi Phi^*; for real features it does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Expectation, Finding, Hypothesis, Instance, Misprint, Rows, Statement

Part: TypeAlias = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ComplexFeatures(Instance):
    """One complex feature per point and atom.

    Parameters
    ----------
    p : (J,) probabilities
    real, imaginary : (J, n) parts of phi(x_i, w_j)
    """

    p: tuple[Fraction, ...]
    real: Part
    imaginary: Part


def _features(name: str, says: str, p: Sequence[Fraction], real: Any, imaginary: Any) -> ComplexFeatures:
    exactly = [tuple(tuple(Fraction(v) for v in row) for row in part) for part in (real, imaginary)]
    return ComplexFeatures(name=name, says=says, p=tuple(p), real=exactly[0], imaginary=exactly[1])


QUARTER_TURN = _features(
    "quarter-turn",
    "points 0 and 1, one frequency 1/4: phi = (1, -i)",
    [Fraction(1)],
    [[1, 0]],
    [[0, -1]],
)
TWO_FREQUENCIES = _features(
    "two-frequencies",
    "points 0, 1 and 2, frequencies 1/4 with probability 3/4 and 0 with probability 1/4",
    [Fraction(3, 4), Fraction(1, 4)],
    [[1, 0, -1], [1, 1, 1]],
    [[0, -1, 0], [0, 0, 0]],
)

Product: TypeAlias = Callable[[Any, Any], tuple[Any, Any]]
"""Real and imaginary part a, b of a column -> the parts of a product of it with a row."""


def _plain(a: Any, b: Any) -> tuple[Any, Any]:
    """Multiply out Phi Phi^T = (a + ib)(a + ib)^T."""
    return np.outer(a, a) - np.outer(b, b), np.outer(a, b) + np.outer(b, a)


def _hermitian(a: Any, b: Any) -> tuple[Any, Any]:
    """Multiply out Phi bar(Phi)^T = (a + ib)(a - ib)^T, whose mean is K."""
    return np.outer(a, a) + np.outer(b, b), np.outer(b, a) - np.outer(a, b)


def _mean(x: ComplexFeatures, product: Product) -> tuple[Rows, Rows]:
    """Average over p: draws from q_bar weighed by p/q_bar do the same."""
    parts = [product(np.array(a), np.array(b)) for a, b in zip(x.real, x.imaginary, strict=True)]
    real, imaginary = (
        sum(q * part[k] for q, part in zip(x.p, parts, strict=True)) + np.full((1, 1), Fraction(0)) for k in (0, 1)
    )
    return real.tolist(), imaginary.tolist()


def _claims(x: ComplexFeatures, product: Product = _plain) -> Sequence[Claim]:
    left, right = _mean(x, product), _mean(x, _hermitian)
    return [
        Claim(
            says=f"{part} part of E[(p/q) Phi Phi^T] = that of E[(p/q) Phi bar(Phi)^T]", left=a, relation="=", right=b
        )
        for part, a, b in zip(("real", "imaginary"), left, right, strict=True)
    ]


def _twin(name: str, because: str, product: Product) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=Expectation(claims=lambda x: _claims(x, product)),
        refuted_on=QUARTER_TURN,
    )


def _law(x: ComplexFeatures) -> str | None:
    return None if sum(x.p) == 1 and min(x.p) > 0 else f"p must be positive and sum to 1, got {x.p}"


def _unit(x: ComplexFeatures) -> str | None:
    sizes = {
        a * a + b * b
        for real, imaginary in zip(x.real, x.imaginary, strict=True)
        for a, b in zip(real, imaginary, strict=True)
    }
    return None if sizes == {Fraction(1)} else f"|phi| must be 1, got |phi|^2 in {sorted(map(str, sizes))}"


STATEMENT = Statement(
    id="glss.Yr-mean.as_printed",
    number="4, E[Y_r] as printed",
    title="Mean of one weighted draw, with a bar in one place",
    kind="Step of a proof",
    says=r"\mathbb{E}[Y_i]=\mathbb{E}\left[\frac{p(w_r)}{\bar q_\lambda(w_r)}\Sigma^{-1}V\Phi(w_r)\bar\Phi(w_r)^{\top}"
    r"V^{\top}\Sigma^{-1}\right]\quad\text{with}\quad Y_r=\frac{p(w_r)}{\bar q_\lambda(w_r)}"
    r"\Sigma^{-1}V\Phi(w_r)\Phi(w_r)^{\top}V^{\top}\Sigma^{-1}",
    plainly="False for complex features: a transpose without a bar is not the conjugate transpose.",
    source=GLSS.at("Section 4, display before equation (12), with Remark 3.4"),
    deviation="compared before whitening, which is the same multiplication on both sides",
    constant="explicit",
    hypotheses=(
        Hypothesis(says="p is a probability vector", holds=_law),
        Hypothesis(says="phi is a complex exponential, |phi| = 1", holds=_unit),
    ),
    conclusion=Expectation(claims=_claims),
    instances=lambda _profile: (QUARTER_TURN, TWO_FREQUENCIES),
    twins=(
        _twin(
            "bar_on_the_first_factor",
            "conjugating the other factor gives the complex conjugate of K",
            lambda a, b: _hermitian(a, -b),
        ),
        _twin("bar_on_both_factors", "two bars cancel the conjugate transpose again", lambda a, b: _plain(a, -b)),
        _twin(
            "real_parts_only",
            "the imaginary part of a Hermitian kernel counts",
            lambda a, b: (_hermitian(a, b)[0], _hermitian(a, b)[1] * 0),
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(
        Misprint(
            id="E5",
            says="Phi(w_r) bar(Phi)(w_r)^T in the mean, Phi(w_r) Phi(w_r)^T in the definition; Y_i and Y_r",
            instead="Phi Phi^T in both for real features, Phi Phi^* in both for complex ones; Y_r",
            witness="points 0 and 1, frequency 1/4: Phi Phi^T = ((1, -i), (-i, -1)), Phi Phi^* = ((1, i), (-i, 1))",
        ),
    ),
    notes=("For real features the bar does nothing, and the sentence is `glss.Yr-mean`.",),
)
