r"""Theorem 3.7 as printed: false for every constant in its O~, since nothing bounds the test point (erratum E8).

The recipe: n = d = 1, x = 1, Y = 1, x_test = -c. No neuron sees both, so K(x_test, x) = 0 and u*_test = 0. Neurons
that start at w_r(0) < 0 do not see x: they only decay, w_r(t) = e^(-lam t) w_r(0), and

    u_test(T) = A + B,   B = e^(-lam T) kappa c F,   F = m^(-1/2) sum_{w_r(0) < 0} a_r |w_r(0)|,

where A comes from neurons that saw x at the start, and knows nothing of the others. Flipping the signs of the others
turns B into -B, and one of |A + B|, |A - B| is at least |B|: so P[|u_test(T)| >= |B|] >= 1/2 given everything else.
E F^2 = 1/2 and E F^4 = (3/4)(1 + 1/m), so by Paley and Zygmund P[|F| > s] >= (1 - 2 s^2)^2 / (3 (1 + 1/m)), and

    P[|u_test(T) - u*_test| > eps] >= (1 - 2 s^2)^2 / (6 (1 + 1/m)),   s = eps e^(lam T) / (kappa c),

nearly 1/6 once c is large enough, and more than any delta < 1/10. This is so at every width, every T and every kappa,
for every solution of the flow through its kinks, and for gradient descent with (1 - h lam)^(T/h) for e^(-lam T).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Any

from reference.arithmetic import Interval, enclose
from theorems.glss.hidden_constants import HIDDEN, LEAST, Part, below_a_tenth, filled, filled_in, recipe, twin
from theorems.glss.theorem_3_7_explicit import MULTIPLIER, NORM
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Finding, Hypothesis, Instance, Misprint, Statement

DISTANCE = 100  # |x_test| in units of eps / kappa: s is a hundredth, up to weight decay


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading(Instance):
    """The theorem with its hidden constants filled in, on one point.

    Parameters
    ----------
    constant : C, in kappa = eps Lambda_0 / (C L n), T = C L / (kappa^2 Lambda_0), m >= C L n^10 d / (eps^6 Lambda_0^10)
        and lambda <= 1 / (C sqrt m)
    power : of the logarithm, L = ln(n / (eps delta Lambda_0))^power
    eps, delta : accuracy and failure probability, in (0, 1/10)
    exponent : kappa = (eps Lambda_0 / (C L n))^exponent, 1 in print
    """

    constant: Fraction
    power: int
    eps: Fraction
    delta: Fraction
    exponent: int = 1

    @cached_property
    def logarithm(self) -> Fraction:
        """L, which O~ hides, rounded up."""
        _, high = enclose(
            lambda eps, delta, least: (1 / (eps * delta * least)).log() ** self.power, self.eps, self.delta, LEAST
        )
        return Fraction(ceil(64 * high), 64)

    @cached_property
    def kappa(self) -> Fraction:
        """The multiplier."""
        return (self.eps * LEAST / (self.constant * self.logarithm)) ** self.exponent

    @cached_property
    def time(self) -> Fraction:
        """Give T."""
        return self.constant * self.logarithm / (self.kappa**2 * LEAST)

    @cached_property
    def width(self) -> int:
        """Give m."""
        return ceil(self.constant * self.logarithm / (self.eps**6 * LEAST**10))

    @cached_property
    def lam(self) -> Fraction:
        """Give lambda = min(1 / (C m), 1 / (16 T))."""
        return min(1 / (self.constant * self.width), 1 / (16 * self.time))

    @property
    def distance(self) -> Fraction:
        """Give c = |x_test|."""
        return DISTANCE * self.eps / self.kappa


def failure(x: Reading, eps: Fraction) -> Interval:
    """Enclose P[|u_test(T) - u*_test| > eps]: at least what the recipe says, at the width and at any larger one."""
    low, _ = enclose(
        lambda eps, kappa, lam, T, c: 1 - 2 * (eps * (lam * T).exp() / (kappa * c)) ** 2,
        *(eps, x.kappa, x.lam, x.time, x.distance),
    )
    return max(low, Fraction(0)) ** 2 / (6 * (1 + Fraction(1, x.width))), Fraction(1)


def _facts(x: Reading) -> Mapping[str, float | int | str]:
    return {
        "C": float(x.constant),
        "kappa": float(x.kappa),
        "T": float(x.time),
        "m": float(x.width),
        "lambda T": float(x.lam * x.time),
        "|x_test|": float(x.distance),
        "P[fail] at least": float(failure(x, x.eps)[0]),
    }


_conclusion = recipe(
    "P[|u_test(T) - u*_test| > eps] <= delta with x = 1 and x_test = -100 eps / kappa", failure, _facts
)


def reading(
    constant: int, power: int = 1, eps: Fraction = Fraction(9, 100), delta: Fraction = Fraction(9, 100)
) -> Reading:
    """Fill in the constants."""
    return filled(Reading, constant, power, eps=eps, delta=delta)


def _instances(_profile: str) -> Sequence[Reading]:
    return filled_in(reading)


def _linear(x: Reading) -> str | None:
    return None if x.exponent == 1 else f"kappa must be O~(eps Lambda_0 / n), got its power {x.exponent}"


KAPPA = Hypothesis(says="kappa = O~(eps Lambda_0 / n)", holds=_linear)
SMALLER = replace(
    reading(10), name="squared-multiplier", says="kappa of order (eps Lambda_0 / n)^2, hidden constant 10", exponent=2
)


def _twin(name: str, because: str, *without: str, refuted_on: Reading | None = None, **change: Part) -> BrokenTwin:
    return twin(_conclusion, name, because, *without, refuted_on=refuted_on or reading(10), **change)


def _drawn() -> Any:
    from theorems.glss.new_point_strategies import readings

    return readings()


STATEMENT = Statement(
    id="glss.thm3.7.as_printed",
    number="3.7 as printed",
    title="Test predictions against u*, for any test point",
    kind="Theorem",
    says=r"\kappa=\tilde O\left(\frac{\varepsilon\Lambda_0}{n}\right),\quad "
    r"T=\tilde O\left(\frac{1}{\kappa^2\Lambda_0}\right),\quad "
    r"m\ge\tilde O\left(\frac{n^{10}d}{\varepsilon^6\Lambda_0^{10}}\right),\quad"
    r"\lambda\le\tilde O\left(\frac{1}{\sqrt m}\right)\ \Rightarrow\ "
    r"P\left[\lVert u_{\mathrm{nn},\mathrm{test}}(T)-u^*_{\mathrm{test}}\rVert_2\le\varepsilon\right]\ge 1-\delta",
    plainly="False whatever constants and logarithms the O~ hides: both predictions grow in proportion to the test "
    "point, and nothing bounds it.",
    source=GLSS.at("Section 3.2.1, Theorem 3.7"),
    deviation="gradient flow for 'gradient descent', as the time T says (A10)",
    constant="hidden",
    hypotheses=(
        Hypothesis(says="eps, delta in (0, 1/10)", holds=below_a_tenth),
        HIDDEN,
        KAPPA,
        Hypothesis(
            says="n = d = 1 and x = Y = 1, so that Lambda_0 = 1/2 (A1, A2)",
            guaranteed_by="the recipe; only the test point is unbounded",
        ),
    ),
    conclusion=_conclusion(),
    instances=_instances,
    twins=(
        _twin("ten_times_the_accuracy", "no multiple of eps will do: c is free", eps=lambda x: 10 * x.eps),
        _twin(
            "seven_runs_of_eight",
            "not even with probability 7/8: it fails with probability 1/6 nearly",
            delta=lambda _: Fraction(1, 8),
        ),
        _twin(
            "multiplier_squared", "a smaller multiplier calls for a larger test point", KAPPA.says, refuted_on=SMALLER
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(
        Misprint(
            id="E8",
            says="Theorems 3.6, 3.7 and 3.9 for all X, Y and x_test",
            instead="||x_i|| <= 1, ||x_test|| <= 1 and |y_i| <= 1, as `glss.thm3.7.explicit` has it",
            witness="n = d = 1, x = 1, x_test = -100 eps / kappa: the distance exceeds eps with probability .166 at "
            "every width",
        ),
        NORM,
        MULTIPLIER,
    ),
    notes=(
        "A recipe: for each C and each power of the logarithm it gives an instance that meets every printed "
        "hypothesis, at every width, and bounds its failure probability from below.",
    ),
    strategy=_drawn,
)
