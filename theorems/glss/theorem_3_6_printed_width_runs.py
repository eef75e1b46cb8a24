r"""Theorem 3.6 at the width that it prints, where a run is expensive: one certified run each, judged at its end.

The finite sentence of `theorem_3_6_printed_width` for accuracies down to 1e-6, that is widths up to 1e10: the distance
to u* at time T is at most eps, and at every step what the run's own kernels allow. One run says nothing about
probabilities; it says that training of this width was done, and where it ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Any

from theorems.glss.theorem_3_6_a_posteriori import conclusion as a_posteriori
from theorems.glss.theorem_3_6_a_posteriori import distances, judged
from theorems.glss.theorem_3_6_printed_width import HYPOTHESES, PRINTED, Recipe, Task, task
from theorems.glss.training_instances import I1, I2, I3, ONE_POINT, ORTHONORMAL, Training
from theorems.glss.training_runs import ALLOWANCE
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement


@lru_cache(maxsize=1)  # claims and facts look at the same run
def problem(x: Task, recipe: Recipe) -> Training:
    """Give the training problem at the width asked for."""
    return recipe.settings(x, ceil(recipe.needed(x)[1]))


def conclusion(recipe: Recipe) -> ForEach:
    """Give the sentence for a recipe."""

    def claims(x: Task) -> Sequence[Claim]:
        settings = problem(x, recipe)
        run = judged(settings)
        low, high = distances(settings, run, settings.remainder)[-1]
        end = Claim(
            says="||u(T) - u*|| <= eps",
            left=(max(low - Fraction(ALLOWANCE), Fraction(0)), high + Fraction(ALLOWANCE)),
            relation="<=",
            right=recipe.accuracy(x.eps),
        )
        return [end, *a_posteriori().claims(settings)]

    def facts(x: Task) -> Mapping[str, float | int | str]:
        settings, display = problem(x, recipe), a_posteriori().facts
        return {"eps": float(x.eps), "T": float(settings.horizon), **(display(settings) if display else {})}

    return ForEach(claims=claims, facts=facts)


COARSE = task("orthonormal-2-1e-3", "two orthonormal points, eps = 1/1000", ORTHONORMAL, 1e-3, seed=21)
FINE = task("I1-1e-5", "points at angles .3 and 1.5, eps = 1e-5, m near 1e9", I1, 1e-5, seed=22)

POINT = task("one-point-1e-6", "one point, eps = 1e-6", ONE_POINT, 1e-6, seed=31)
MIDDLE = task("I1-1e-4", "the same, eps = 1e-4", I1, 1e-4, seed=30)


def instances(profile: str) -> tuple[Task, ...]:
    """Give two to four points."""
    found: tuple[Task, ...] = (COARSE, FINE)
    if profile in ("ci", "night"):
        found += (
            task("I2-1e-3", "three points of the plane, eps = 1/1000", I2, 1e-3, seed=23),
            task("I2-1e-5", "three points, eps = 1e-5, m near 5e9", I2, 1e-5, seed=24),
            task("I3-1e-3", "four points of the plane, eps = 1/1000", I3, 1e-3, seed=25),
            task("I3-1e-4", "four points, eps = 1e-4, m near 2e9", I3, 1e-4, seed=26),
        )
    if profile == "night":
        found += (
            task("I1-1e-6", "two points, eps = 1e-6, m near 1e10", I1, 1e-6, seed=27),
            task("I2-1e-6", "three points, eps = 1e-6, m near 6e10", I2, 1e-6, seed=28),
            task("I3-1e-6", "four points, eps = 1e-6, m near 3e11", I3, 1e-6, seed=29),
        )
    return found


def _drawn() -> Any:
    from theorems.glss.training_strategies import tasks

    return tasks()


def _twin(name: str, because: str, refuted_on: Task, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="glss.thm3.6.printed_width_runs",
    number="3.6 at its width, single runs",
    title="One run each at the printed width, up to 1e10 neurons and beyond",
    kind="Theorem, on instances",
    says=r"m=\frac{n^4d}{\Lambda_0^3\varepsilon}\ln\frac{n}{\varepsilon\delta\Lambda_0},\quad"
    r"\lambda=\frac{1}{\sqrt m},\quad T=\frac{2}{\Lambda_0}\ln\frac{2B}{\varepsilon}:\quad"
    r"\lVert u_{\mathrm{nn}}(T)-u^*\rVert_2\le\varepsilon",
    plainly="A network of the printed width was trained, with a certificate, and came as close to kernel regression as "
    "the theorem promises.",
    source=GLSS.at("Section 3.2.1, Theorem 3.6"),
    deviation="constant 1 and one logarithm for the O~; one run, where the print has a probability; unit steps for the "
    "flow; ||x|| <= 1 and |y| <= 1 added",
    constant="explicit",
    hypotheses=HYPOTHESES,
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "error_of_order_one_over_m_squared",
            "eps^2 at the width for eps: the distance is of order 1/m and no better",
            MIDDLE,
            accuracy=lambda eps: eps**2,
        ),
        _twin(
            "fixed_ridge",
            "with lambda fixed the distance is of order 1/sqrt m",
            POINT,
            ridge=lambda _m: Fraction(0.05),
        ),
        _twin(
            "logarithm_of_the_time_left_out",
            "T = 2 / Lambda_0 leaves e^-2 of the start",
            COARSE,
            time=lambda _x, least, _m: 2 / least,
        ),
        _twin(
            "accuracy_left_out_of_the_width",
            "a width that does not know eps cannot serve every eps",
            FINE,
            width=lambda n, d, least, eps, delta: n**4 * d / least**3 * (n / (eps * delta * least)).log(),
        ),
    ),
    notes=(
        "Rounding is allowed 2^-28, far above what the identity of one step shows it to be.",
        "Above a million neurons the law of the start is approximate: cell counts are exact, sums over a cell Gaussian "
        "with the exact second moments.",
    ),
    strategy=_drawn,
)
