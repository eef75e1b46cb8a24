"""What the recipes against an O~ share: a reading fills the hidden constants in, a claim on P[fail] is refuted exactly.

A theorem that hides constants C and powers of the logarithm is false as printed if for every C there is an instance
that meets its hypotheses and fails with probability above delta. Each recipe bounds that probability from below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from reference.arithmetic import Interval
from theorems.statement import BrokenTwin, Claim, Facts, ForEach, Hypothesis, Instance

R = TypeVar("R", bound=Instance)

LEAST = Fraction(1, 2)  # Lambda_0 of one point of norm 1

Part = Callable[[Any], Fraction]
"""reading -> the accuracy, or the failure probability, that a sentence promises."""


def filled(kind: Callable[..., R], constant: int, power: int, **more: Any) -> R:
    """Fill in the hidden constant and the power of the logarithm."""
    return kind(
        name=f"C-{constant}-power-{power}",
        says=f"hidden constant {constant}, logarithm to the power {power}",
        constant=Fraction(constant),
        power=power,
        **more,
    )


def filled_in(reading: Callable[..., R]) -> Sequence[R]:
    """Give the readings that each recipe is executed for."""
    return (reading(1), reading(10), reading(1000), reading(1000, 3))


def recipe(says: str, failure: Callable[[Any, Fraction], Interval], facts: Facts) -> Callable[..., ForEach]:
    """Give what makes the sentence 'P[fail] <= delta', for promises as printed or broken ones.

    Parameters
    ----------
    says : the claim
    failure : (reading, eps) -> an enclosure of P[fail] at that accuracy
    facts : reading -> named numbers for display
    """

    def conclusion(eps: Part = lambda x: x.eps, delta: Part = lambda x: x.delta) -> ForEach:
        def claims(x: Any) -> Sequence[Claim]:
            return [Claim(says=says, left=failure(x, eps(x)), relation="<=", right=delta(x))]

        return ForEach(claims=claims, facts=facts)

    return conclusion


def twin(
    conclusion: Callable[..., ForEach], name: str, because: str, *without: str, refuted_on: Instance, **change: Part
) -> BrokenTwin:
    """Give a weaker promise, or one with a hypothesis dropped: it is false too."""
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on, without=without
    )


def below_a_tenth(x: Any) -> str | None:
    """Name eps or delta where it lies outside (0, 1/10)."""
    for name, value in (("eps", x.eps), ("delta", x.delta)):
        if not 0 < value < Fraction(1, 10):
            return f"{name} must lie in (0, 1/10), got {value}"
    return None


def _hidden(x: Any) -> str | None:
    good = x.constant >= 1 and x.power >= 0
    return None if good else f"C must be at least 1 and the power at least 0, got {x.constant} and {x.power}"


HIDDEN = Hypothesis(says="constants C >= 1 and logarithms to a power >= 0 are hidden", holds=_hidden)
