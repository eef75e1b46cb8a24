r"""Theorem 3.6 as printed: false for every constant in its O~, since nothing bounds the labels (erratum E8).

The recipe: n = d = 1, x = 1, so that Lambda_0 = 1/2 and H(t) <= 1. Whatever T is, take Y = 2^q >= 4 e^((1 + lam) T),
whatever m is, lam <= 1 / (4 Y). The residual rho = Y - u obeys rho' = -(H + lam) rho + lam Y, so

    rho(T) >= rho(0) e^(-(1 + lam) T) >= (Y / 2) e^(-(1 + lam) T) >= 2   as soon as u(0) <= Y / 2
    Y - u* = lam Y / (1/2 + lam) <= 2 lam Y <= 1/2

and |u(T) - u*| >= 3/2 > eps. It fails only if u(0) > Y / 2, which by Chebyshev and E u(0)^2 = 1/2 has probability at
most 2 / Y^2. This is so at every width, for every solution of the flow through its kinks, where H stays in [0, 1], and
for gradient descent with h (1 + lam) <= 1, whose factor (1 - h (1 + lam))^(T/h) calls for a larger Y.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Any

from reference.arithmetic import Interval, enclose, log
from theorems.glss.hidden_constants import HIDDEN, LEAST, Part, below_a_tenth, filled, filled_in, recipe, twin
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Finding, Hypothesis, Instance, Misprint, Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading(Instance):
    """The theorem with its hidden constants filled in, on one point.

    Parameters
    ----------
    constant : C, in T = C L / Lambda_0, m >= C L n^4 d / (Lambda_0^3 eps) and lambda <= 1 / (C sqrt m)
    power : of the logarithm, L = ln(n / (eps delta Lambda_0))^power
    eps, delta : accuracy and failure probability, in (0, 1/10)
    exponent : T = (C L / Lambda_0)^exponent, 1 in print
    """

    constant: Fraction
    power: int
    eps: Fraction
    delta: Fraction
    exponent: int = 1

    @cached_property
    def logarithm(self) -> Interval:
        """L, which O~ hides."""
        return enclose(
            lambda eps, delta, least: (1 / (eps * delta * least)).log() ** self.power, self.eps, self.delta, LEAST
        )

    @cached_property
    def time(self) -> Interval:
        """Give T."""
        return enclose(lambda C, L, least: (C * L / least) ** self.exponent, self.constant, self.logarithm, LEAST)

    @cached_property
    def width(self) -> int:
        """Give m, rounded up."""
        return ceil(self.constant * self.logarithm[1] / (LEAST**3 * self.eps))

    @cached_property
    def q(self) -> int:
        """Give the exponent of Y = 2^q: log2(4 e^(17/16 T)) at least, with log2 e < 3/2, and log2(C^2 m) more."""
        for_lambda = ceil(self.constant**2 * self.width).bit_length()
        return 2 + ceil(self.time[1] * Fraction(17, 16) * Fraction(3, 2)) + for_lambda

    @property
    def label(self) -> Fraction:
        """Give Y."""
        return Fraction(2) ** self.q

    @property
    def lam(self) -> Fraction:
        """Give lambda = 1 / (4 Y)."""
        return 1 / (4 * self.label)


def distance(x: Reading) -> Interval:
    """Enclose (Y / 2) e^(-(1 + lam) T) - 2 lam Y, at most |u(T) - u*| unless u(0) > Y / 2."""
    return enclose(lambda Y, lam, T: Y / 2 * (-(1 + lam) * T).exp() - 2 * lam * Y, x.label, x.lam, x.time)


def failure(x: Reading, eps: Fraction) -> Interval:
    """Enclose P[|u(T) - u*| > eps]: at least 1 - 2 / Y^2 if the recipe applies, and then at any width."""
    applies = distance(x)[0] > eps and x.constant**2 * x.width * x.lam**2 <= 1
    return (1 - 2 / x.label**2 if applies else Fraction(0)), Fraction(1)


def _facts(x: Reading) -> Mapping[str, float | int | str]:
    return {
        "C": float(x.constant),
        "T": float(x.time[1]),
        "m": x.width,
        "log2 Y": x.q,
        "ln |u(T) - u*| at least": float(log(distance(x))[0]),
    }


_conclusion = recipe(
    "P[|u(T) - u*| > eps] <= delta with Y >= 4 e^((1 + lam) T) and lambda = 1 / (4 Y)", failure, _facts
)


def reading(
    constant: int, power: int = 1, eps: Fraction = Fraction(9, 100), delta: Fraction = Fraction(9, 100)
) -> Reading:
    """Fill in the constants."""
    return filled(Reading, constant, power, eps=eps, delta=delta)


def _instances(_profile: str) -> Sequence[Reading]:
    return filled_in(reading)


def _short(x: Reading) -> str | None:
    return None if x.exponent == 1 else f"T must be O~(1 / Lambda_0), got its power {x.exponent}"


TIME = Hypothesis(says="T = O~(1 / Lambda_0)", holds=_short)
PATIENT = replace(reading(10), name="quadratic-time", says="T of order 1 / Lambda_0^2, hidden constant 10", exponent=2)


def _twin(name: str, because: str, *without: str, refuted_on: Reading | None = None, **change: Part) -> BrokenTwin:
    return twin(_conclusion, name, because, *without, refuted_on=refuted_on or reading(10), **change)


def _drawn() -> Any:
    from theorems.glss.training_strategies import readings

    return readings()


STATEMENT = Statement(
    id="glss.thm3.6.as_printed",
    number="3.6 as printed",
    title="The training predictor against u*, for any labels",
    kind="Theorem",
    says=r"T=\tilde O\left(\frac{1}{\Lambda_0}\right),\quad "
    r"m\ge\tilde O\left(\frac{n^4d}{\Lambda_0^3\varepsilon}\right)"
    r",\quad\lambda\le\tilde O\left(\frac{1}{\sqrt m}\right)\ \Rightarrow\ "
    r"P\left[\lVert u_{\mathrm{nn}}(T)-u^*\rVert_2\le\varepsilon\right]\ge 1-\delta",
    plainly="False whatever constants and logarithms the O~ hides: in the time T a network cannot reach a label that "
    "is larger than e^T, and nothing bounds the labels.",
    source=GLSS.at("Section 3.2.1, Theorem 3.6"),
    deviation="gradient flow for 'gradient descent', as the time T says (A10)",
    constant="hidden",
    hypotheses=(
        Hypothesis(says="eps, delta in (0, 1/10), kappa = 1", holds=below_a_tenth),
        HIDDEN,
        TIME,
        Hypothesis(
            says="n = d = 1 and x = 1, so that Lambda_0 = 1/2 and ||x|| = 1 (A1)",
            guaranteed_by="the recipe; only the labels are unbounded",
        ),
    ),
    conclusion=_conclusion(),
    instances=_instances,
    twins=(
        _twin("accuracy_one", "not even within 1 of u*: the distance is at least 3/2", eps=lambda _: Fraction(1)),
        _twin(
            "every_other_run",
            "not even with probability 1/2: it fails but with probability 2 / Y^2",
            delta=lambda _: Fraction(1, 2),
        ),
        _twin("quadratic_time", "labels are larger than e^T for any T", TIME.says, refuted_on=PATIENT),
    ),
    expected=Finding.REFUTED,
    misprints=(
        Misprint(
            id="E8",
            says="Theorems 3.6, 3.7 and 3.9 for all X, Y and x_test",
            instead="||x_i|| <= 1, ||x_test|| <= 1 and |y_i| <= 1, as `glss.thm3.6.explicit` has it",
            witness="n = d = 1, x = 1, Y = 4 e^(2T), lambda = 1 / (4 Y): |u(T) - u*| >= 3/2 with probability "
            "1 - 2 / Y^2, for every T and every width",
        ),
    ),
    notes=(
        "A recipe: for each C and each power of the logarithm it gives an instance that meets every printed "
        "hypothesis, at every width, and bounds its failure probability from below.",
    ),
    strategy=_drawn,
)
