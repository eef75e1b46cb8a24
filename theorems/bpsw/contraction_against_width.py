r"""The first exact step shrinks the residual by a factor of order 1 / sqrt m.

    median over starts of ||f(1) - y|| / ||f(0) - y||  falls at least like m^(-1/2 + 1/8) on the stated widths

E-GN gives O(1 / sqrt m); a slope is fitted to log ratio against log m for each of a few groups of starts.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from math import sqrt

import numpy as np

from theorems.bpsw.growth import doubling, of_repetitions
from theorems.bpsw.training_families import HYPOTHESES, TrainingFamily
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Rate, Slope, Statement

TOLERANCE = Fraction(1, 8)
GROUP = 8  # starts to a median


@cache
def first_ratio(x: TrainingFamily, m: int, group: int) -> float:
    """Give the median of ||f(1) - y|| / ||f(0) - y|| over a group of starts."""
    runs = [x.run(m, GROUP * group + k, relative=1e-300, at_most=1).residuals for k in range(GROUP)]
    return float(np.median([after / before for before, after in runs]))


def conclusion(claimed: Fraction = Fraction(-1, 2), sign: int = 1) -> Rate:
    """Give the sentence for an exponent; sign = -1 looks at the reciprocal."""

    def measure(x: TrainingFamily) -> Slope:
        return of_repetitions(x.sizes, lambda m, k: first_ratio(x, m, k) ** sign, x.repetitions, claimed, TOLERANCE)

    return Rate(measure=measure, facts=facts)


def facts(x: TrainingFamily) -> dict[str, float | int | str]:
    """Give ratio * sqrt m at every width."""
    return {f"ratio sqrt m at {m}": first_ratio(x, m, 0) * sqrt(m) for m in x.sizes}


def family(top: int, n: int, repetitions: int) -> TrainingFamily:
    """Give n = d data and widths 2^8, ..., 2^top."""
    sizes = doubling(256, top - 7)
    return TrainingFamily(
        name=f"n{n}-m256-to-{sizes[-1]}",
        says=f"n = d = {n}, |y| <= 1, exact steps, m = 2^8 to 2^{top}, {repetitions} groups of {GROUP} starts",
        grows="m",
        sizes=sizes,
        n=n,
        m=0,
        d=n,
        method="exact",
        repetitions=repetitions,
    )


QUICK = family(13, 8, 4)


def instances(profile: str) -> tuple[TrainingFamily, ...]:
    """Give the families of a profile."""
    more: dict[str, Callable[[], tuple[TrainingFamily, ...]]] = {
        "quick": tuple,
        "ci": lambda: (family(14, 4, 4), family(16, 8, 4)),
        "night": lambda: (family(14, 4, 4), family(16, 8, 4), family(16, 16, 8)),
    }
    return (QUICK, *more[profile]())


STATEMENT = Statement(
    id="bpsw.contraction",
    number="main theorem, order in m",
    title="Contraction of the first step against the width",
    kind="Rate",
    says=r"\frac{\lVert f_1-y\rVert_2}{\lVert f_0-y\rVert_2}=O\left(\frac{1}{\sqrt m}\right)",
    plainly="One exact Gauss-Newton step leaves a part of the residual that falls like one over the root of the width, "
    "on the stated widths.",
    source=BPSW.at("main theorem (recalled): a factor 1/2 once m is large"),
    deviation="a finite sentence about the slope, with tolerance 1/8, in place of a factor 1/2",
    constant="hidden",
    hypotheses=HYPOTHESES,
    conclusion=conclusion(),
    instances=instances,
    twins=(
        BrokenTwin(
            name="fourth_root_is_the_order",
            because="the reciprocal grows faster than m^(1/4) (B7)",
            conclusion=conclusion(Fraction(1, 4), -1),
            refuted_on=QUICK,
        ),
        BrokenTwin(
            name="order_one_over_m",
            because="of m neurons sqrt m cross, each by 1 / sqrt m, and the outputs are divided by sqrt m",
            conclusion=conclusion(Fraction(-1)),
            refuted_on=QUICK,
        ),
        BrokenTwin(
            name="independent_of_the_width",
            because="the reciprocal of the ratio grows: one half is what is promised, not what happens",
            conclusion=conclusion(Fraction(0), -1),
            refuted_on=QUICK,
        ),
    ),
    recalled=True,
)
