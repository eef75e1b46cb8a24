r"""The halving as recalled, without bounded labels: for no constant C in the width does it hold.

    m >= C max(n^4 / Lambda_0^4, n^2 d ln(n / delta) / Lambda_0^2)   =>   P[halving at every step] >= 1 - delta   ?

n = d = 1, x = 1 and Lambda_0 = 1/2, with a label y that depends on m. Of the active neurons N+ have a = 1 and N- have
a = -1, N = N+ + N-, G = N / m. If L = y - f(0) > 0, the exact step moves an active w_r by a_r L sqrt m / N. If that is
beyond the largest |w_r|, all active neurons with a = -1 cross and are dead, and

    f(1) - y = S- / sqrt m - L N- / N,   S- the sum of w_r over the dead ones

so that |f(1) - y| > L / 2 as soon as N- > N+ and L > 2 sqrt m S-. With |w_r| <= M for all r the label y = 4 m^(3/2) M
+ 1 is large enough. Hence P[no halving] >= P[N- > N+] - P[max |w_r| > M] = (1 - C(2m, m) / 4^m) / 2 - m erfc(M / sqrt
2): N+ - N- is a sum of m independent steps, each a sum of two fair bits less 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb

from reference import arithmetic
from reference.arithmetic import Interval
from theorems.bpsw.residual_after_a_step import BP3
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Hypothesis, Instance, Statement

DELTA = Fraction(1, 10)
LEAST_EIGENVALUE = Fraction(1, 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class HiddenConstant(Instance):
    """What the Omega of the width may hide.

    Parameters
    ----------
    C : positive
    """

    C: Fraction


def width(x: HiddenConstant) -> int:
    """Give ceil(C max(n^4 / Lambda_0^4, n^2 d ln(n / delta) / Lambda_0^2)), n = d = 1."""
    logarithm = arithmetic.log(1 / DELTA)[1]
    return ceil(x.C * max(LEAST_EIGENVALUE**-4, LEAST_EIGENVALUE**-2 * logarithm))


def reach(m: int) -> Fraction:
    """Give an M with P[max |w_r| > M] <= 1/100: erfc(t) <= exp(-t^2), so M^2 = 2 ln(100 m) does."""
    return arithmetic.enclose(lambda k: (2 * (100 * k).log()).sqrt(), m)[1]


def label(m: int) -> int:
    """Give y, at least 4 m^(3/2) M + 1."""
    return ceil(arithmetic.enclose(lambda k, M: 4 * k * k.sqrt() * M, m, reach(m))[1]) + 1


def ties(m: int) -> Fraction:
    """Give P[N+ = N-] = C(2m, m) / 4^m."""
    return Fraction(comb(2 * m, m), 4**m)


def failure(m: int) -> Interval:
    """Enclose P[the first step does not halve] for this label, from below by the recipe, from above by 1."""
    beyond = arithmetic.enclose(lambda k, M, two: k * (M / two.sqrt()).erfc(), m, reach(m), 2)[1]
    return (1 - ties(m)) / 2 - beyond, Fraction(1)


def conclusion(failure_at: Callable[[int], Interval] = failure, promise: Fraction = DELTA) -> ForEach:
    """Give the sentence for a failure probability."""

    def claims(x: HiddenConstant) -> Sequence[Claim]:
        return [
            Claim(
                says=f"P[the first step does not halve] at C = {x.C}",
                left=failure_at(width(x)),
                relation="<=",
                right=promise,
            )
        ]

    return ForEach(claims=claims, facts=facts)


def facts(x: HiddenConstant) -> dict[str, float | int | str]:
    """Give the width and the label of the recipe."""
    m = width(x)
    return {"C": float(x.C), "m": m, "label": float(label(m)), "P[fail] at least": float(failure(m)[0])}


def constant(C: int | Fraction) -> HiddenConstant:
    """Name a constant."""
    name = str(C).replace("/", "-")
    return HiddenConstant(name=f"C{name}", says=f"width with the constant {C}", C=Fraction(C))


ONE, TEN, THOUSAND = constant(1), constant(10), constant(1000)

STATEMENT = Statement(
    id="bpsw.halving.as_printed",
    number="main theorem, as recalled",
    title="Every step halves the residual, for any labels",
    kind="Theorem",
    says=r"m\ge C\max\left\{\frac{n^4}{\Lambda_0^4},\frac{n^2d\ln(n/\delta)}{\Lambda_0^2}\right\}\ \Rightarrow\ "
    r"P\left[\forall t:\ \lVert f_{t+1}-y\rVert_2\le\frac{1}{2}\lVert f_t-y\rVert_2\right]\ge 1-\delta",
    plainly="Without a bound on the labels no width makes every step halve the residual: this sentence is false for "
    "every constant.",
    source=BPSW.at("main theorem, as recalled and without a bound on the labels"),
    deviation="as recalled, for constants C of the Omega; expected REFUTED",
    constant="hidden",
    hypotheses=(
        Hypothesis(
            says="C > 0",
            holds=lambda x: None if x.C > 0 else f"C must be positive, got C = {x.C}",
        ),
        Hypothesis(
            says="unit rows, Lambda_0 > 0, w_r(0) ~ N(0, I), fair signs", guaranteed_by="n = d = 1, x = 1; the recipe"
        ),
    ),
    conclusion=conclusion(),
    instances=lambda profile: (ONE, TEN, THOUSAND) if profile == "quick" else (ONE, TEN, THOUSAND, constant(10**4)),
    twins=(
        BrokenTwin(
            name="failure_below_a_third",
            because="the recipe's failure probability is near one half",
            conclusion=conclusion(promise=Fraction(1, 3)),
            refuted_on=TEN,
        ),
        BrokenTwin(
            name="width_pays_for_the_label",
            because="the label grows with the width, and a thousand times the width changes nothing",
            conclusion=conclusion(failure_at=lambda m: failure(1000 * m)),
            refuted_on=ONE,
        ),
        BrokenTwin(
            name="width_squared",
            because="no power of n, 1 / Lambda_0 and d pays for a label",
            conclusion=conclusion(failure_at=lambda m: failure(m**2)),
            refuted_on=TEN,
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(BP3,),
    notes=("n = d = 8, m = 4096 and labels up to 1000: the first step leaves .7 of the residual (`bpsw.step`).",),
    recalled=True,
)
