r"""Every Gauss-Newton step halves the residual, with probability at least 1 - delta, on networks as wide as this.

    B = sqrt n (1 + sqrt(2 ln(12 n / delta))),   R = 4 (1 + eps0) ||X|| B / (Lambda_0 sqrt m),
    m >= 16 ln(6 n / delta),   ||X X^T||_F (sqrt(ln(3 n (n + 1) / delta) / (2 m)) + 2 R) <= Lambda_0 / 2,
    n (n + 1) / 2 exp(-.635 m R) <= delta / 3,   eps0 + 4 sqrt n (1 + eps0) ||X|| R / Lambda_0 <= 1/2

Proof. But for probability delta: (a) |f_i(0)| <= sqrt(2 ln(12 n / delta)), so ||f - y|| <= B at the start; (b) ||H(0)
- H_cts||_F <= ||X X^T||_F sqrt(ln(3 n (n + 1) / delta) / (2 m)); (c) for all weights within R of the start ||H -
H(0)||_F <= 2 R ||X X^T||_F, and for every i at most 2 R m neurons have |w_r(0).x_i| <= R |x_i|. (The lemmas of GLSS,
Section 4, with constants.) Let the residual have halved up to step t, all weights being within R. Then G >= Lambda_0 /
2, ||g|| <= 2 (1 + eps0) ||r|| / Lambda_0, and a weight vector moves by at most ||X|| ||g|| / sqrt m. These moves are
at most a geometric series: their sum is below R, after the step as well. A neuron that crosses the kink of x_i in the
step has |w_r(0).x_i| <= R |x_i|: at most 2 R m of them, each of which changes output i by at most ||X|| ||g|| / m. So
||f(t + 1) - y|| <= eps0 ||r|| + sqrt n 2 R ||X|| ||g||, at most half of ||r|| by the last condition.

One trial is one network, drawn and trained; decided is the largest quotient of successive residuals. The inner solver
may leave any residual of relative size eps0: too short, too long and sideways steps are tried on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Any, TypeAlias

import numpy as np

from reference import arithmetic
from reference.arithmetic import Interval, rational_product
from reference.exact_linear_algebra import transposed
from reference.exact_spectra import largest_eigenvalue
from reference.gauss_newton import Rule, gradient_step
from reference.preconditions import Float64, exact_rows
from reference.tangent_predictors import least_kernel_eigenvalue
from theorems.bpsw.residual_after_a_step import BP3
from theorems.bpsw.training_runs import Inexact, gaussian_start, norm, output_error, rule, watched, weight_error
from theorems.sources import BPSW
from theorems.statement import (
    BoundBatch,
    BrokenTwin,
    Construction,
    HighProbability,
    Hypothesis,
    Instance,
    Layer,
    Statement,
)

BATCH = 8
HALF = (Fraction(1, 2), Fraction(1, 2))


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem(Instance):
    """Data and labels, and how the steps miss.

    Parameters
    ----------
    X : (n, d) float, rows of length at most 1; y : (n,) float
    eps0 : inner relative residual
    steps : how it is used up
    delta : promised failure probability
    at_most : steps that are looked at, down to residuals of `accuracy`
    """

    X: Float64
    y: Float64
    eps0: Fraction
    steps: Inexact
    delta: Fraction
    at_most: int = 4
    accuracy: float = 1e-4

    @cached_property
    def Lambda_0(self) -> Interval:
        """Enclosure of the least eigenvalue of the limiting kernel."""
        return least_kernel_eigenvalue(self.X)

    @cached_property
    def data_gram(self) -> list[list[Fraction]]:
        """X X^T."""
        rows = exact_rows(self.X)
        return rational_product(rows, transposed(rows))


Quantity: TypeAlias = Callable[..., Any]


def constants(x: Problem, bits: int = 128) -> dict[str, Interval]:
    """Enclose what the conditions are made of, m left out: R = radius / sqrt m, and so on."""

    def enclosed(formula: Quantity, *args: Any) -> Interval:
        return arithmetic.enclose(formula, *args, bits=bits)

    n, delta = len(x.X), x.delta
    gram = enclosed(lambda t: t.sqrt(), sum((v * v for row in x.data_gram for v in row), Fraction(0)))
    data = enclosed(lambda t: t.sqrt(), largest_eigenvalue(x.data_gram, bits))
    start = enclosed(lambda k, p: k.sqrt() * (1 + (2 * (12 * k / p).log()).sqrt()), n, delta)
    radius = enclosed(lambda e, s, B, L: 4 * (1 + e) * s * B / L, x.eps0, data, start, x.Lambda_0)
    return {
        "start": start,
        "radius": radius,
        "outputs": enclosed(lambda k, p: (16 * (6 * k / p).log()).sqrt(), n, delta),
        "kernel": enclosed(
            lambda F, k, p, R, L: 2 * F * (((3 * k * (k + 1) / p).log() / 2).sqrt() + 2 * R) / L,
            gram,
            n,
            delta,
            radius,
            x.Lambda_0,
        ),
        "counts": enclosed(lambda k, p, R: (3 * k * (k + 1) / (2 * p)).log() * 1000 / (635 * R), n, delta, radius),
        "halving": enclosed(
            lambda k, e, s, R, L: 4 * k.sqrt() * (1 + e) * s * R / L / (1 - 2 * e) * 2,
            n,
            x.eps0,
            data,
            radius,
            x.Lambda_0,
        ),
    }


CONDITIONS = ("outputs", "kernel", "counts", "halving")
"""Each asks for sqrt m to be at least so much."""


def needed(x: Problem, conditions: tuple[str, ...] = CONDITIONS, bits: int = 128) -> Interval:
    """Enclose the least width that meets the conditions."""
    found = constants(x, bits)
    low, high = (max(found[name][end] for name in conditions) for end in (0, 1))
    return low**2, high**2


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the theorem tells one to do, and what it promises; a twin changes one part.

    Parameters
    ----------
    width : instance -> m
    step : (instance, rng) -> the rule of the steps
    ratio : the promised factor
    """

    width: Callable[[Problem], int] = lambda x: ceil(needed(x)[1])
    step: Callable[[Problem, np.random.Generator], Rule] = lambda x, rng: rule(x.steps, x.eps0, rng)
    ratio: Interval = HALF


def largest_ratio(x: Problem, m: int, step: Callable[[Problem, np.random.Generator], Rule], rng: Any) -> Interval:
    """Train once and enclose the largest quotient of successive residuals; one step at least is taken."""
    W, a = gaussian_start(m, x.X.shape[1], rng)
    run, taken = watched(x.X, x.y, W, a, step(x, rng), accuracy=x.accuracy, at_most=x.at_most)
    rounding = float(np.abs(x.y).max()) * 2.0**-52
    ratios = []
    for t, s in enumerate(taken):
        before = norm(run.f[t] - x.y, output_error(s.before, x.X) + rounding)
        after = norm(run.f[t + 1] - x.y, output_error(s.after, x.X) + weight_error(s.after, s.g, x.X) + rounding)
        if before[0] > 0:
            ratios.append((after[0] / before[1], after[1] / before[0]))
    return max(low for low, _ in ratios), max(high for _, high in ratios)


def conclusion(recipe: Recipe) -> HighProbability:
    """Give the sentence for a recipe; every width is held against the one proved."""

    def construction(x: Problem, m: int) -> Construction:
        def draw(rng: np.random.Generator, trials: int) -> BoundBatch:
            found = [largest_ratio(x, m, recipe.step, rng) for _ in range(trials)]
            return BoundBatch(
                lower=np.nextafter([float(low) for low, _ in found], -np.inf),
                upper=np.nextafter([float(high) for _, high in found], np.inf),
                allowed=recipe.ratio,
            )

        return Construction(size=m, batch_size=BATCH, draw=draw, facts=facts(x, m), size_needed=needed(x, bits=512))

    return HighProbability(
        size=recipe.width,
        construction=construction,
        delta=lambda x: x.delta,
        stress="||f(t + 1) - y|| / (||f(t) - y|| / 2)",
    )


def facts(x: Problem, m: int) -> dict[str, float | int | str]:
    """Give the constants, for display."""
    found = constants(x)
    return {
        "n": len(x.X),
        "Lambda_0": float(x.Lambda_0[0]),
        "eps0": float(x.eps0),
        "B": float(found["start"][1]),
        "R": float(found["radius"][1]) / m**0.5,
        "width for": max(CONDITIONS, key=lambda name: found[name][1]),
    }


# -------------------------------------------------------------------------------------------------- instances


def problem(name: str, says: str, X: Any, y: Any, **more: Any) -> Problem:
    """Take defaults: steps too short by eps0 = 1/20, delta = 1/2."""
    given: dict[str, Any] = {"eps0": Fraction(1, 20), "steps": "too short", "delta": Fraction(1, 2)} | more
    return Problem(name=name, says=says, X=np.array(X, dtype=np.float64), y=np.array(y, dtype=np.float64), **given)


POINT = problem("one-point-too-short", "one point, Y = 1, every step too short by a twentieth", [[1]], [1])
ONE_STEP = replace(POINT, name="one-point-one-step", says="the same, one step", at_most=1)
LOUD = replace(ONE_STEP, name="one-point-loud", says="one point, Y = 10^6, one step, short", y=np.array([1e6]))


def instances(profile: str) -> tuple[Problem, ...]:
    """Give one and two points, with steps that miss in every way they may."""
    found: tuple[Problem, ...] = (
        POINT,
        replace(POINT, name="one-point-exact", says="the same, exact steps", steps="exact", eps0=Fraction(0)),
    )
    if profile in ("ci", "night"):
        too_long = replace(POINT, name="one-point-too-long", says="the same, too long", steps="too long")
        square = problem("orthonormal-2-sideways", "two orthonormal points", np.eye(2), [1, -1], steps="sideways")
        found += (
            too_long,
            square,
            replace(POINT, name="one-point-tenth", says="one point, delta = 1/10", delta=Fraction(1, 10)),
        )
    if profile == "night":
        plane = [[np.cos(t), np.sin(t)] for t in (0.3, 1.5)]
        X = np.trunc(np.array(plane) * 2**14) / 2**14
        found += (
            replace(square, name="orthonormal-2-sketched", says="the same, sketched steps", steps="sketched"),
            problem("I1-sideways", "points at angles .3 and 1.5, labels 1 and -1", X, [1, -1], steps="sideways"),
        )
    return found


def _short_rows(x: Problem) -> str | None:
    longest = max(row[i] for i, row in enumerate(x.data_gram))
    return None if longest <= 1 else f"rows must have length at most 1, got {float(longest) ** 0.5:.17g}"


def _labels(x: Problem) -> str | None:
    largest = float(np.abs(x.y).max())
    return None if largest <= 1 else f"labels must lie in [-1, 1], got |y| = {largest:g}"


def _definite(x: Problem) -> str | None:
    return None if x.Lambda_0[0] > 0 else f"Lambda_0 must be positive, got at most {float(x.Lambda_0[1]):g}"


def _accurate(x: Problem) -> str | None:
    return None if 0 <= x.eps0 < Fraction(1, 2) else f"eps0 must lie in [0, 1/2), got eps0 = {x.eps0}"


LABELS = Hypothesis(says="|y_i| <= 1 (A2)", holds=_labels)


def _twin(name: str, because: str, refuted_on: Problem, *without: str, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=conclusion(replace(Recipe(), **change)),
        refuted_on=refuted_on,
        without=without,
    )


STATEMENT = Statement(
    id="bpsw.halving",
    number="main theorem, constants",
    title="Every step halves the residual, with constants",
    kind="Theorem",
    says=r"P\left[\forall t:\ \lVert f_{t+1}-y\rVert_2\le\frac{1}{2}\lVert f_t-y\rVert_2\right]\ge 1-\delta\quad"
    r"\text{once}\quad\varepsilon_0+\frac{4\sqrt n\,(1+\varepsilon_0)\lVert X\rVert R}{\Lambda_0}\le\frac{1}{2},\ "
    r"R=\frac{4(1+\varepsilon_0)\lVert X\rVert B}{\Lambda_0\sqrt m}",
    plainly="On a network that is wide enough, and wide enough is a number, inexact Gauss-Newton steps halve the "
    "training residual every time.",
    source=BPSW.at("main theorem (recalled): m >= max(n^4 / Lambda_0^4, n^2 d ln(n / delta) / Lambda_0^2)"),
    deviation="constants for Omega; unit rows and bounded labels added (A1, A2); any inner accuracy below 1/2 with its "
    "own width, where the print fixes eps0 = sqrt(Lambda_0 / n), which can be .7; no factor d",
    constant="proved here",
    hypotheses=(
        Hypothesis(says="||x_i|| <= 1 (A1)", holds=_short_rows),
        LABELS,
        Hypothesis(says="Lambda_0 = lambda_min(H_cts) > 0 (A3)", holds=_definite),
        Hypothesis(says="eps0 in [0, 1/2)", holds=_accurate),
        Hypothesis(
            says="w_r(0) ~ N(0, I), a_r fair signs, independent", guaranteed_by="drawn so, from keyed Philox streams"
        ),
        Hypothesis(
            says="for all t: looked at down to the accuracy that floats allow",
            assumed="no run is infinite; a residual of 1e-4 is reached in four steps at most, and later steps are "
            "smaller",
        ),
    ),
    conclusion=conclusion(Recipe()),
    instances=instances,
    twins=(
        _twin(
            "labels_unbounded",
            "with Y = 10^6 the step carries half of the active neurons across the kink (B5)",
            LOUD,
            LABELS.says,
        ),
        _twin(
            "gradient_descent",
            "W - J^T (f - y) / 2 gains a factor 1 - G / 2, which is about 3/4 (B4)",
            ONE_STEP,
            step=lambda _x, _rng: gradient_step(0.5),
        ),
        _twin(
            "residual_squared",
            "the residual of an inexact step is eps0 at least, not eps0^2 (B8)",
            ONE_STEP,
            ratio=(Fraction(1, 400), Fraction(1, 400)),
        ),
        BrokenTwin(
            name="kernel_condition_alone",
            because="Lambda_0 / 2 keeps G definite, and does not pay for the neurons that cross",
            conclusion=conclusion(replace(Recipe(), width=lambda x: ceil(needed(x, ("kernel",))[1]))),
            refuted_on=ONE_STEP,
            recipe_only=True,
        ),
    ),
    layers=(Layer.SIZE,),
    misprints=(BP3,),
    recalled=True,
)
