r"""Lemma 4.1 as printed: a width poly(1/T) for training up to time T (erratum E6). False, by a recipe.

Recipe, for every constant C hidden in poly(..) and O(..): n = d = 1, x = 1, kappa = 1, lambda = 1 / (2 sqrt m), and

    m(T) = C (1 / (Delta eps_train Lambda_0 T) ln(1/delta))^C <= m(1),   T = 2 sqrt m(1) or more,   so lambda T >= 1

A neuron with w_r(0) < 0 never sees the point: w_r(t) = e^{-lambda t} w_r(0) exactly, and it moves by at least
|w_r(0)| / 2. So item 1 with eps_W < Delta fails as soon as one of m neurons has w_r(0) < -2 Delta:

    P[fail] >= 1 - (1 - P(g < -2 Delta))^m >= P(g < -2 Delta) > delta      for Delta < 1/10 = delta
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, isqrt
from typing import Any

from reference.arithmetic import Interval, ball, enclose
from theorems.glss.lemma_4_1_explicit import TIME
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Hypothesis, Instance, Statement

BITS = 128
COUNTED = 64
"""The first so many neurons are enough."""
LAMBDA_0 = Fraction(1, 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenConstant(Instance):
    """What poly(..) may hide.

    Parameters
    ----------
    C : factor and exponent of the width, >= 1
    ridge : lambda sqrt m; 1 would not do, since lambda must be below 1 at m = 1 too
    accuracy : Delta
    eps_train, delta : as in the lemma
    """

    C: int
    accuracy: Fraction
    eps_train: Fraction
    delta: Fraction
    ridge: Fraction = Fraction(1, 2)


def width_at(x: HiddenConstant, time: int, exponent: int) -> int:
    """Give the width promised to be enough up to a time: poly(1/T), with T^-exponent.

    ln(1/delta) <= 1/delta is taken for the logarithm, which makes the network wider.
    """
    base = 1 / (x.accuracy * x.eps_train * LAMBDA_0 * x.delta)
    largest = x.C * base**x.C
    if largest <= time ** min(exponent, 4):  # as for large C: all powers would be numbers of millions of digits
        return 1
    return ceil(largest / Fraction(time) ** exponent)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the print is read.

    Parameters
    ----------
    exponent : C -> power of 1/T in the width
    slowness : (m, lambda sqrt m) -> 1 / lambda, enclosed
    longest : (m, lambda sqrt m) -> T, so long that lambda T >= 1 for every smaller width too
    accuracy : Delta -> how far neurons may move
    """

    exponent: Callable[[int], int] = lambda C: C
    slowness: Callable[[int, Fraction], Interval] = lambda m, ridge: enclose(
        lambda t, c: t.sqrt() / c, m, ridge, bits=BITS + m.bit_length()
    )
    longest: Callable[[int, Fraction], int] = lambda m, ridge: ceil((isqrt(m) + 1) / ridge)
    accuracy: Callable[[Fraction], Fraction] = lambda accuracy: accuracy


def failure(reach: Fraction, m: int) -> Interval:
    """Enclose P[one of min(m, 64) neurons has w_r(0) < -2 reach], of which 1 is the trivial upper end."""
    low, _ = enclose(lambda s: 1 - (1 - (s / ball(2, BITS).sqrt()).erfc() / 2) ** min(m, COUNTED), 2 * reach, bits=BITS)
    return low, Fraction(1)


def setting(x: HiddenConstant, reading: Reading) -> tuple[int, int]:
    """Give T and m(T)."""
    exponent = reading.exponent(x.C)
    time = reading.longest(width_at(x, 1, exponent), x.ridge)
    return time, width_at(x, time, exponent)


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading, the print's or a neighbouring one."""

    def claims(x: HiddenConstant) -> Sequence[Claim]:
        time, m = setting(x, reading)
        # beyond 64 it makes no difference
        decayed = min(time / reading.slowness(m, x.ridge)[1], Fraction(64))
        return (
            Claim(
                says="e^(-lambda T) <= 1/2: neurons that see nothing lose half of their length",
                left=enclose(lambda t: (-t).exp(), decayed, bits=BITS),
                relation="<=",
                right=Fraction(1, 2),
            ),
            Claim(
                says="P[some ||w_r(T) - w_r(0)|| > Delta] <= delta",
                left=failure(reading.accuracy(x.accuracy), m),
                relation="<=",
                right=x.delta,
            ),
        )

    def facts(x: HiddenConstant) -> dict[str, float | int | str]:
        time, m = setting(x, reading)
        return {"C": x.C, "log2 T": time.bit_length(), "log2 m": m.bit_length(), "neurons counted": min(m, COUNTED)}

    return ForEach(claims=claims, facts=facts)


def hidden(C: int) -> HiddenConstant:
    """Give the counterexample for a constant."""
    tenth = Fraction(1, 10)
    return HiddenConstant(
        name=f"C-{C}",
        says=f"m = {C} (1 / (Delta eps_train Lambda_0 delta T))^{C}, Delta = 1/11, eps_train = delta = 1/10",
        C=C,
        accuracy=Fraction(1, 11),
        eps_train=tenth,
        delta=tenth,
    )


ONE, TEN, THOUSAND = hidden(1), hidden(10), hidden(1000)


def _twin(name: str, because: str, refuted_on: HiddenConstant, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(Reading(**change)), refuted_on=refuted_on)


def _in_range(x: HiddenConstant) -> str | None:
    if not 0 < x.accuracy < Fraction(1, 10):
        return f"Delta must lie in (0, 1/10), got Delta = {x.accuracy}"
    if not (0 < x.eps_train < 1 and 0 < x.delta < 1):
        return f"eps_train and delta must lie in (0, 1), got {x.eps_train}, {x.delta}"
    return None if x.C >= 1 else f"C must be at least 1, got C = {x.C}"


def _ridge(x: HiddenConstant) -> str | None:
    _, m = setting(x, Reading())
    # lambda < 1 if and only if lambda^2 m < m
    return None if x.ridge > 0 and x.ridge**2 < m else f"lam must lie in (0, 1), got lam = {x.ridge} / sqrt({m})"


def _drawn() -> Any:
    from theorems.glss.training_phase_strategies import hidden_constants

    return hidden_constants()


STATEMENT = Statement(
    id="glss.lem4.1.as_printed",
    number="4.1 as printed",
    title="Weights along training, at a width that shrinks with time",
    kind="Lemma",
    says=r"m=\operatorname{poly}(1/\Delta,1/T,1/\varepsilon_{\mathrm{train}},n,d,1/\kappa,1/\Lambda_0,\log(1/\delta)),"
    r"\ \lambda=O(1/\sqrt m)\quad\Rightarrow\quad "
    r"P\left[\forall t\le T:\ \lVert w_r(0)-w_r(t)\rVert_2\le\varepsilon_W<\Delta\right]\ge 1-\delta",
    plainly="False as printed: in a time of order 1 / lambda weight decay alone halves every neuron that sees nothing.",
    source=GLSS.at("Lemma 4.1 (informal), item 1"),
    deviation="",
    constant="hidden",
    hypotheses=(
        Hypothesis(says="Delta in (0, 1/10), eps_train and delta in (0, 1), C >= 1", holds=_in_range),
        Hypothesis(says="lam in (0, 1), lam = O(1 / sqrt m)", holds=_ridge),
        Hypothesis(
            says="w_r(0) ~ N(0, 1), n = d = 1, x = 1, kappa = 1, |Y| <= 1",
            guaranteed_by="the recipe; Y is not looked at by neurons that see nothing",
        ),
    ),
    conclusion=conclusion(Reading()),
    instances=lambda _profile: (ONE, TEN, THOUSAND),
    twins=(
        _twin(
            "smaller_ridge",
            "lambda = 1 / (2 m) is O(1 / sqrt m) too, and T = 2 m is long enough",
            TEN,
            slowness=lambda m, ridge: (m / ridge, m / ridge),
            longest=lambda m, ridge: ceil(m / ridge),
        ),
        _twin("width_free_of_time", "no width that does not grow with T is enough", THOUSAND, exponent=lambda _C: 0),
        _twin(
            "accuracy_of_four_tenths",
            "neurons are of length 1, and half of that is lost",
            ONE,
            accuracy=lambda accuracy: 4 * accuracy,
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(TIME,),
    notes=(
        "In the radial gauge such neurons rest, but R grows like e^{lambda T}: items 2 and 3 fail as well, see E6.",
    ),
    strategy=_drawn,
)
