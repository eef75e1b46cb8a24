"""What Theorem 3.3 tells one to do, ingredient by ingredient. A broken twin changes exactly one of them.

    draw w_1..w_m i.i.d. from q_bar,   Psi_bar Psi_bar^T = (1/m) sum_r (p/q_bar)(w_r) Phi(w_r) Phi(w_r)^T,
    and look whether (1 - eps)(K + lam I) <= Psi_bar Psi_bar^T + lam I <= (1 + eps)(K + lam I)

Arrays of one number per feature hold Fractions in exact worlds and floats elsewhere; the formulas are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference import arithmetic
from reference.arithmetic import Interval
from reference.preconditions import Float64

Numbers: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Quantities:
    """The numbers that the size of a sample is computed from, enclosed.

    Parameters
    ----------
    s_lambda : statistical dimension, GLSS (4)
    s_q_tilde : integral of the dominating function
    """

    s_lambda: Interval
    s_q_tilde: Interval
    eps: Fraction
    delta: Fraction


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Which features are drawn, and what each counts.

    Parameters
    ----------
    law : (J,) probabilities drawn from
    weight : (J,) multiplier of Phi_j Phi_j^T, before 1/m
    """

    law: Numbers
    weight: Numbers


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How m features are drawn from a finite law.

    Parameters
    ----------
    counts : (law (J,), m, rng, trials) -> (trials, J) how often each feature was drawn
    indices : (law (J,), count, rng) -> (count,) the draws, in order
    independent : whether the counts are multinomial, so that failure probabilities can be enumerated
    """

    counts: Callable[[Float64, int, np.random.Generator, int], npt.NDArray[np.int64]]
    indices: Callable[[Float64, int, np.random.Generator], npt.NDArray[np.int64]]
    independent: bool


@dataclass(frozen=True, kw_only=True)
class Event:
    """(1 - eps)(K + a I) <= Psi Psi^T + b I <= (1 + eps)(K + a I), where the theorem has a = b = lam."""

    eps: Callable[[Fraction], Fraction] = lambda eps: eps
    kernel_ridge: Callable[[Fraction], Fraction] = lambda lam: lam
    sample_ridge: Callable[[Fraction], Fraction] = lambda lam: lam


AS_PRINTED = Event()


def over(a: Numbers, b: Numbers) -> Numbers:
    """Divide entry by entry, with 0 where b = 0: such a feature is never drawn, and its Phi is 0 (erratum E11)."""
    present = b != 0
    quotient: Numbers = np.where(present, a / np.where(present, b, 1), a * 0)
    return quotient


INDEPENDENTLY = Drawing(
    counts=lambda law, m, rng, trials: rng.multinomial(m, law, size=trials),
    indices=lambda law, count, rng: rng.choice(len(law), size=count, p=law),
    independent=True,
)


def by_importance(p: Numbers, q_bar: Numbers) -> Scheme:
    """Draw from q_bar and weigh by p/q_bar: Definition 3.2."""
    return Scheme(law=q_bar, weight=over(p, q_bar))


def features_asked(x: Quantities, bits: int = 128) -> Interval:
    """Enclose 3 eps^-2 s_q_tilde ln(16 s_q_tilde s_lambda / delta), the printed bound on m."""

    def formula(s: Any, dimension: Any, eps: Any, delta: Any) -> Any:
        return 3 * s * (16 * s * dimension / delta).log() / eps**2

    return arithmetic.enclose(formula, x.s_q_tilde, x.s_lambda, x.eps, x.delta, bits=bits)


def safe_ceiling(x: Interval) -> int:
    """Give the least integer that is certainly at least the enclosed number, and at least 1."""
    return max(1, -((-x[1].numerator) // x[1].denominator))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The whole construction, the theorem's by default.

    Parameters
    ----------
    size : quantities -> m
    scheme : (p, q_bar) -> law and weights
    scale : m -> the factor in front of the sum
    drawing : how draws are made
    event : what is looked at
    grams : what becomes of the (J, n, n) Gram matrices Phi_j Phi_j^T before they are summed
    """

    size: Callable[[Quantities], int] = lambda x: safe_ceiling(features_asked(x))
    scheme: Callable[[Numbers, Numbers], Scheme] = by_importance
    scale: Callable[[int], Fraction] = lambda m: Fraction(1, m)
    drawing: Drawing = INDEPENDENTLY
    event: Event = AS_PRINTED
    grams: Callable[[Numbers], Numbers] = lambda grams: grams


PAPER = Recipe()
