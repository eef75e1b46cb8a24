r"""Theorem 3.9 as printed: false for every constant in T = O((1 / Lambda_0) log(1 / eps)) (erratum E9). Two recipes.

Near eps = 1, one point. n = d = 1, x = Y = 1, Lambda_0 = 1/2. Here q = 2p where w > 0 and omega^2 = 1/2, so that
E ubar(0)^2 = 1/2 and E ubar(0)^4 = 3/4 at every width, and Hbar(t) <= 1/2. The residual rho = Y - ubar obeys
rho' = -(Hbar + lam) rho + lam Y >= -(1/2 + lam) rho, so with r* = Y - u* = lam / (1/2 + lam)

    u* - ubar(T) >= rho(0) e^(-(1/2 + lam) T) - r* > eps   as soon as ubar(0) < -s,
    s = (eps + r*) e^((1/2 + lam) T) - 1.

By Paley and Zygmund and the symmetry a -> -a this has probability at least (1 - 2 s^2)^2 / 6 if 0 <= s, 2 s^2 < 1. With
T = 2 C ln(1/eps) and eps = 1 - 1 / (16 C) it is s < .07: for every C the theorem fails with probability .16 > delta.

Many points. n orthonormal ones with Y_i = 1: Lambda_0 = 1/2, Hbar is diagonal at all times, and Hbar_ii <= V, the mean
of the omega_r^2, with E V <= 1. By Markov V <= 8 but with probability 1/8. Each ubar_i(0) <= 0 with probability at
least 1/2, so that n/4 of them are with probability at least 1/3, again by Markov. On both events

    ||u* - ubar(T)|| >= sqrt(n/4) (e^(-(8 + lam) T) - r*) > eps,

with probability 1/3 - 1/8 = 5/24 > delta, once n >= 16 e^(16 T + 2): T does not know n. Both hold at every width, for
every solution of the flow through its kinks, and for gradient descent with h (8 + lam) <= 1 and its powers for e^(..).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Any

from reference.arithmetic import Interval, enclose
from theorems.glss.equation_10_reweighed_loss import SQUARE_MISSING
from theorems.glss.theorem_3_9_explicit import NORMALISATION, TOO_SHORT
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Hypothesis, Instance, Statement

LEAST = Fraction(1, 2)  # Lambda_0 of orthonormal points


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading(Instance):
    """The theorem with its hidden constant filled in, on orthonormal points with labels 1.

    Parameters
    ----------
    constant : C, in T = (C / Lambda_0) (added + ln(1 / eps))
    eps, delta : accuracy in (0, 1) and failure probability in (0, 1/10)
    many : whether there are many points; else there is one
    added : a constant in the time, 0 in print
    """

    constant: Fraction
    eps: Fraction
    delta: Fraction
    many: bool
    added: int = 0

    @cached_property
    def time(self) -> Interval:
        """Give T."""
        return enclose(
            lambda C, eps, least: C / least * (self.added - eps.log()), self.constant, self.eps, LEAST, bits=256
        )

    @cached_property
    def root(self) -> int:
        """Give log2 sqrt n: 0, or at least log2(4 e^(8 T + 1)), with log2 e < 3/2."""
        return 2 + ceil(Fraction(3, 2) * (8 * self.time[1] + 1)) if self.many else 0

    @cached_property
    def width(self) -> int:
        """Give m = C (n / (eps Lambda_0))^4, rounded up; the recipes hold at any other."""
        return ceil(self.constant * (Fraction(4) ** self.root / (self.eps * LEAST)) ** 4)

    @property
    def lam(self) -> Fraction:
        """Give lambda = min(2^-40 / C, 1 / (C m))."""
        return min(Fraction(1, 2**40), Fraction(1, self.width)) / self.constant


Time = Callable[[Reading], Interval]
"""reading -> T; the number of points is 4^root."""


def failure(x: Reading, time: Interval) -> Interval:
    """Enclose P[||ubar(T) - u*|| > eps]: at least what the recipes say, at every width."""
    return (_many_points if x.many else _one_point)(x, time), Fraction(1)


def _one_point(x: Reading, time: Interval) -> Fraction:
    _, s = enclose(
        lambda eps, lam, least, T: (eps + lam / (least + lam)) * ((least + lam) * T).exp() - 1,
        *(x.eps, x.lam, LEAST, time),
        bits=256,
    )
    return max(1 - 2 * max(s, Fraction(0)) ** 2, Fraction(0)) ** 2 / 6


def _many_points(x: Reading, time: Interval) -> Fraction:
    low, _ = enclose(
        lambda root_n, lam, least, T: root_n / 2 * ((-(8 + lam) * T).exp() - lam / (least + lam)),
        *(Fraction(2) ** x.root, x.lam, LEAST, time),
        bits=256,
    )
    return Fraction(5, 24) if low > x.eps else Fraction(0)


def conclusion(time: Time = lambda x: x.time, delta: Callable[[Reading], Fraction] = lambda x: x.delta) -> ForEach:
    """Give the sentence, for a time and a failure probability."""

    def claims(x: Reading) -> Sequence[Claim]:
        return [
            Claim(
                says="P[||ubar(T) - u*|| > eps] <= delta on orthonormal points with labels 1",
                left=failure(x, time(x)),
                relation="<=",
                right=delta(x),
            )
        ]

    def facts(x: Reading) -> Mapping[str, float | int | str]:
        return {
            "C": float(x.constant),
            "eps": float(x.eps),
            "T": float(time(x)[1]),
            "log2 n": 2 * x.root,
            "log2 m": x.width.bit_length(),
            "P[fail] at least": float(failure(x, time(x))[0]),
        }

    return ForEach(claims=claims, facts=facts)


def near_one(constant: int) -> Reading:
    """Give the first recipe: one point and eps = 1 - 1 / (16 C)."""
    return Reading(
        name=f"near-one-{constant}",
        says=f"one point, eps = 1 - 1/{16 * constant}, hidden constant {constant}",
        constant=Fraction(constant),
        eps=1 - Fraction(1, 16 * constant),
        delta=Fraction(9, 100),
        many=False,
    )


def many_points(constant: int, added: int = 0) -> Reading:
    """Give the second recipe: eps = 1/2 and as many points as it takes."""
    return Reading(
        name=f"many-points-{constant}" + ("-constant-added" if added else ""),
        says=f"many orthonormal points, eps = 1/2, hidden constant {constant}"
        + (", a constant added to the logarithm" if added else ""),
        constant=Fraction(constant),
        eps=Fraction(1, 2),
        delta=Fraction(9, 100),
        many=True,
        added=added,
    )


def _instances(_profile: str) -> Sequence[Reading]:
    return (*(near_one(C) for C in (1, 10, 1000)), *(many_points(C) for C in (1, 10, 100)))


def _range(x: Reading) -> str | None:
    if not 0 < x.eps < 1:
        return f"eps must lie in (0, 1), got {x.eps}"
    return None if 0 < x.delta < Fraction(1, 10) else f"delta must lie in (0, 1/10), got {x.delta}"


def _hidden(x: Reading) -> str | None:
    return None if x.constant >= 1 else f"C must be at least 1, got {x.constant}"


def _as_printed(x: Reading) -> str | None:
    return None if x.added == 0 else f"T must be O((1 / Lambda_0) ln(1 / eps)), got {x.added} added to the logarithm"


TIME = Hypothesis(says="T = O((1 / Lambda_0) log(1 / eps))", holds=_as_printed)


def _with_logarithm_of_n(x: Reading) -> Interval:
    return enclose(
        lambda C, eps, least, log_n: C / least * (log_n - eps.log()),
        *(x.constant, x.eps, LEAST, enclose(lambda n: n.log(), Fraction(4) ** x.root, bits=256)),
        bits=256,
    )


def _twin(name: str, because: str, refuted_on: Reading, *without: str, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on, without=without
    )


def _drawn() -> Any:
    from theorems.glss.new_point_strategies import leverage_readings

    return leverage_readings()


STATEMENT = Statement(
    id="glss.thm3.9.as_printed",
    number="3.9 as printed",
    title="Training from leverage scores, in the printed time",
    kind="Theorem",
    says=r"T=O\left(\frac{1}{\Lambda_0}\log\frac{1}{\varepsilon}\right),\quad "
    r"m=\mathrm{poly}\left(\frac{1}{\Lambda_0},n,d,\frac{1}{\varepsilon},\log\frac{1}{\delta}\right)"
    r"\ \Rightarrow\ P\left[\lVert\bar u_{\mathrm{nn}}(T)-u^*\rVert_2\le\varepsilon\right]\ge 1-\delta",
    plainly="False whatever constant the O hides: near eps = 1 there is no time to forget the start, and a time that "
    "does not know n is too short for n labels.",
    source=GLSS.at("Section 3.2.2, Theorem 3.9"),
    deviation="gradient flow for 'gradient descent', as the time T says (A10); the first norm in (10) squared (E2)",
    constant="hidden",
    hypotheses=(
        Hypothesis(says="eps in (0, 1), delta in (0, 1/10), kappa = 1", holds=_range),
        Hypothesis(says="a constant C >= 1 is hidden", holds=_hidden),
        TIME,
        Hypothesis(
            says="orthonormal points and labels 1, so that Lambda_0 = 1/2, ||x|| = 1 and |y| = 1 (A1, A2)",
            guaranteed_by="the recipe",
        ),
    ),
    conclusion=conclusion(),
    instances=_instances,
    twins=(
        _twin(
            "seven_runs_of_eight",
            "not even with probability 7/8",
            near_one(10),
            delta=lambda _: Fraction(1, 8),
        ),
        _twin(
            "constant_added_to_the_logarithm",
            "a constant mends what is wrong near eps = 1 and knows no n",
            many_points(10, added=1),
            TIME.says,
        ),
        _twin(
            "logarithm_of_n_alone",
            "log(n / eps) mends what is wrong with many points, and is 0 for n = 1 near eps = 1",
            near_one(10),
            time=_with_logarithm_of_n,
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(TOO_SHORT, NORMALISATION, SQUARE_MISSING),
    notes=(
        "A recipe: for each C it gives an instance that meets every printed hypothesis, at every width, and bounds its "
        "failure probability from below. Labels are 1 throughout: E8 is not needed.",
        "T = O((1 / Lambda_0) log(n / eps)) with a constant added is `glss.thm3.9.explicit`.",
    ),
    strategy=_drawn,
)
