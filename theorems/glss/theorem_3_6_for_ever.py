r"""Theorem 3.6 read as 'from some time on': false for every constant in its O~ (erratum E15).

The recipe: n = d = 1, x = Y = 1, u(0) <= 0, which has probability at least 1/2. The residual rho = 1 - u stays above
a positive number, since rho' = -(H + lam) rho + lam. In the radial gauge v = e^(lam t) w an active neuron moves by
a e^(lam t) rho / sqrt m, so that every active neuron with a = -1 dies in finite time and no other ever changes. In the
end H = N / m, N the number of neurons that are active at the start and have a = 1, N ~ Bin(m, 1/4), and

    u(inf) = H / (H + lam),   u* = (1/2) / (1/2 + lam),   u* - u(inf) = lam (1/2 - H) / ((H + lam)(1/2 + lam))

With lam = 1 / (C sqrt m) this is of order 1 / sqrt m and not eps ~ 1/m. H <= 3/8 fails with probability at most 12 / m
(Chebyshev), and the distance decreases with H, so that

    P[|u(inf) - u*| > eps] >= 1/2 - 12 / m   if   lam / 8 > eps (3/8 + lam)(1/2 + lam)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, isqrt
from typing import Any

from reference.arithmetic import Interval, enclose
from theorems.glss.hidden_constants import HIDDEN, LEAST, Part, below_a_tenth, filled, filled_in, recipe, twin
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Finding, Hypothesis, Instance, Misprint, Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading(Instance):
    """The theorem with its hidden constants filled in, on one point, at an accuracy that the recipe finds.

    Parameters
    ----------
    constant, power : C and p in m >= C ln(n / (eps delta Lambda_0))^p n^4 d / (Lambda_0^3 eps^exponent), and in
        lambda <= 1 / (C sqrt m)
    exponent : of 1 / eps, 1 in print; any below 2 does
    delta : failure probability, in (0, 1/10)
    """

    constant: Fraction
    power: int
    delta: Fraction
    exponent: Fraction = Fraction(1)

    def __post_init__(self) -> None:
        if self.exponent >= 2:  # then the width keeps up with the distance, and no accuracy would be found
            raise ValueError(f"Reading: exponent must be below 2, got exponent = {self.exponent}")

    def root_width(self, eps: Fraction) -> int:
        """Give sqrt m, m the least square number that is wide enough for eps."""
        asked = enclose(
            lambda C, eps, delta, least, e: (
                C * (1 / (eps * delta * least)).log() ** self.power / (least**3 * (e * eps.log()).exp())
            ),
            self.constant,
            eps,
            self.delta,
            LEAST,
            self.exponent,
        )
        return isqrt(ceil(asked[1]) - 1) + 1

    @cached_property
    def eps(self) -> Fraction:
        """Give an accuracy 2^-k at which training for ever is off by 4 eps."""
        k = 4
        while settled(self.ridge(Fraction(1, 2**k))) < Fraction(4, 2**k):
            k += 1
        return Fraction(1, 2**k)

    def ridge(self, eps: Fraction) -> Fraction:
        """Give lambda = 1 / (C sqrt m) at the width for eps."""
        return 1 / (self.constant * self.root_width(eps))

    @property
    def width(self) -> int:
        """Give m."""
        return self.root_width(self.eps) ** 2


def settled(lam: Fraction) -> Fraction:
    """Bound |u(inf) - u*| from below, unless u(0) > 0 or H > 3/8."""
    return lam / 8 / ((Fraction(3, 8) + lam) * (Fraction(1, 2) + lam))


def failure(x: Reading, eps: Fraction) -> Interval:
    """Enclose P[|u(inf) - u*| > eps]."""
    if settled(x.ridge(x.eps)) <= eps:
        return Fraction(0), Fraction(1)
    return max(Fraction(1, 2) - Fraction(12, x.width), Fraction(0)), Fraction(1)


def _facts(x: Reading) -> Mapping[str, float | int | str]:
    return {
        "C": float(x.constant),
        "log2 eps": -(x.eps.denominator.bit_length() - 1),
        "log2 m": x.width.bit_length() - 1,
        "|u(inf) - u*| / eps": float(settled(x.ridge(x.eps)) / x.eps),
    }


_conclusion = recipe("P[|u(inf) - u*| > eps] <= delta with Y = 1 and lambda = 1 / (C sqrt m)", failure, _facts)


def reading(constant: int, power: int = 1) -> Reading:
    """Fill in the constants."""
    return filled(Reading, constant, power, delta=Fraction(9, 100))


WIDER = replace(
    reading(10), name="eps-to-three-halves", says="m of order eps^(-3/2), hidden constant 10", exponent=Fraction(3, 2)
)


def _instances(_profile: str) -> Sequence[Reading]:
    return filled_in(reading)


def _as_wide_as_printed(x: Reading) -> str | None:
    return None if x.exponent == 1 else f"m must grow like 1 / eps, got eps^-{x.exponent}"


WIDTH = Hypothesis(says="m grows like 1 / eps", holds=_as_wide_as_printed)


def _twin(name: str, because: str, *without: str, refuted_on: Reading | None = None, **change: Part) -> BrokenTwin:
    return twin(_conclusion, name, because, *without, refuted_on=refuted_on or reading(10), **change)


def _drawn() -> Any:
    from theorems.glss.training_strategies import endless_readings

    return endless_readings()


STATEMENT = Statement(
    id="glss.thm3.6.for_ever",
    number="3.6 from some time on",
    title="The training predictor against u*, for all times after T",
    kind="Theorem",
    says=r"m\ge\tilde O\left(\frac{n^4d}{\Lambda_0^3\varepsilon}\right),\quad"
    r"\lambda\le\tilde O\left(\frac{1}{\sqrt m}\right)\ \Rightarrow\ "
    r"P\left[\lim_{t\to\infty}\lVert u_{\mathrm{nn}}(t)-u^*\rVert_2\le\varepsilon\right]\ge 1-\delta",
    plainly="False whatever constants the O~ hides: after times of order 1 / lambda weight decay has undone the start, "
    "and what training leaves has another kernel.",
    source=GLSS.at("Section 3.2.1, Theorem 3.6"),
    deviation="T = O~(1 / Lambda_0) read as 'from T on', with bounded data (A1, A2)",
    constant="hidden",
    hypotheses=(
        Hypothesis(says="eps, delta in (0, 1/10), kappa = 1", holds=below_a_tenth),
        HIDDEN,
        WIDTH,
        Hypothesis(
            says="||x|| <= 1, |y| <= 1 (A1, A2) and Lambda_0 > 0 (A3)",
            guaranteed_by="the recipe has n = d = 1, x = Y = 1, Lambda_0 = 1/2",
        ),
    ),
    conclusion=_conclusion(),
    instances=_instances,
    twins=(
        _twin("accuracy_doubled", "not even within 2 eps", eps=lambda x: 2 * x.eps),
        _twin("two_fifths_of_the_runs", "not even with probability 3/5", delta=lambda _: Fraction(2, 5)),
        _twin(
            "wider_but_not_enough",
            "m of order eps^(-3/2): the distance is of order 1 / sqrt m, so that eps^-2 is needed",
            WIDTH.says,
            refuted_on=WIDER,
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(
        Misprint(
            id="E15",
            says="T = O~(1 / Lambda_0), a lower bound of the order of the time at most",
            instead="a window, T >= (2 / (Lambda_0 + 2 lambda)) ln(2 B / eps) and lambda T <= O(1)",
            witness="n = d = 1, x = Y = 1, lambda = 1 / sqrt m: H(inf) is near 1/4, |u(inf) - u*| is near 2 / sqrt m",
        ),
    ),
    notes=(
        "u(0) <= 0 is for simplicity: Y > u(0) suffices and holds with probability .92.",
        "The statement that holds has lambda T in its width: `glss.thm3.6.explicit`.",
    ),
    strategy=_drawn,
)
