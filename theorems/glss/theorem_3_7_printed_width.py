r"""Theorem 3.7 at the width that it prints, with constant 1 for its O~: certified runs, judged at their end.

    kappa = eps Lambda_0 / n,   m = n^10 d / (eps^6 Lambda_0^10),   lambda = 1 / sqrt m
    T = (2 / (kappa^2 Lambda_0)) ln(2 B / eps),   B = sqrt n (1 + kappa sqrt(2 ln(12 n / delta)))

With n = d = 1 this is a width near 2e9, which the certified simulator trains in seconds. Two orthonormal points ask
for 4e12 and two at angles .3 and 1.5 for 5e13. There a neuron comes near a boundary if it starts within 4 / (kappa
sqrt m) of it, and sqrt m / kappa of them do, 1e9 and more: these widths were not reached.

One run says nothing about probabilities; it says that training of this width was done, and where it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil, erfc, log, sqrt
from typing import Any

import numpy as np

from reference.arithmetic import Interval, enclose
from reference.preconditions import Float64
from theorems.glss.new_point_predictors import NewPoints
from theorems.glss.theorem_3_7_decomposition import rests, standard_deviation
from theorems.glss.theorem_3_7_explicit import MULTIPLIER, NORM, ONE_POINT, OPPOSITE, SIXTY
from theorems.glss.training_instances import DEFINITE, DESCENT, GAUSSIAN, LABELS, SIGNS, UNIT, Training, training
from theorems.glss.training_runs import ALLOWANCE, Run, train
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Instance, Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class Task(Instance):
    """Data and a test point, and how well and how surely it is to be predicted.

    Parameters
    ----------
    X : (n, d) float64
    Y : (n,) float64
    X_test : (1, d) float64
    eps : accuracy
    delta : failure probability
    seeds : of the neurons, one run each
    """

    X: Float64
    Y: Float64
    X_test: Float64
    eps: Fraction
    delta: Fraction
    seeds: tuple[int, ...]

    @cached_property
    def data(self) -> Training:
        """The same data with settings that do not matter."""
        return training(
            self.name, self.says, X=self.X, Y=self.Y, X_test=self.X_test, lam=Fraction(1, 2), step=1, steps=0
        )


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the theorem tells one to do; a twin changes one part.

    Parameters
    ----------
    multiplier : eps, Lambda_0, n -> kappa
    width : balls n, d, Lambda_0, eps -> m
    time : task, Lambda_0, kappa -> T
    """

    multiplier: Callable[[float, float, int], float] = lambda eps, least, n: eps * least / n
    width: Callable[..., Any] = lambda n, d, least, eps: n**10 * d / (eps**6 * least**10)
    time: Callable[[Task, float, float], float] = lambda x, least, kappa: (
        2 / (kappa**2 * least) * log(2 * start(x, kappa) / float(x.eps))
    )

    def settings(self, x: Task, seed: int) -> Training:
        """Give the training problem: steps of length 1 / kappa^2, or T where that is less."""
        least, m = float(x.data.Lambda_0[0]), ceil(self.needed(x)[1])
        kappa = self.multiplier(float(x.eps), least, len(x.X))
        T = self.time(x, least, kappa)
        step = min(1 / kappa**2, T)
        return replace(
            x.data,
            kappa=Fraction(kappa),
            lam=Fraction(float(m) ** -0.5),
            step=Fraction(step),
            steps=ceil(T / step),
            m=m,
            seed=seed,
        )

    def needed(self, x: Task) -> Interval:
        """Enclose the width asked for."""
        return enclose(self.width, *x.X.shape, x.data.Lambda_0, x.eps)


PRINTED = Recipe()


def start(x: Task, kappa: float) -> float:
    """Give B = sqrt n (1 + kappa sqrt(2 ln(12 n / delta)))."""
    n = len(x.X)
    return sqrt(n) * (1 + kappa * sqrt(2 * log(12 * n / float(x.delta))))


@lru_cache(maxsize=16)  # claims and facts look at the same runs
def run(x: Task, recipe: Recipe, seed: int) -> tuple[Training, Run]:
    """Train one network."""
    settings = recipe.settings(x, seed)
    return settings, train(settings, settings.m or 0, settings.rng())


def distance(x: Task, recipe: Recipe, seed: int) -> Interval:
    """Enclose |u_test(T) - u*_test| at the end of one run."""
    settings, done = run(x, recipe, seed)
    [(low, high)] = rests(NewPoints(settings), done, lambda _limit, _run: [(Fraction(0), Fraction(0))])
    return max(low - Fraction(ALLOWANCE), Fraction(0)), high + Fraction(ALLOWANCE)


def conclusion(recipe: Recipe) -> ForEach:
    """Give the sentence for a recipe."""

    def claims(x: Task) -> Sequence[Claim]:
        found = []
        for seed in x.seeds:
            certified = run(x, recipe, seed)[1].certified
            found += [
                Claim(
                    says=f"run {seed} is certified: 1", left=Fraction(int(certified)), relation="=", right=Fraction(1)
                ),
                Claim(
                    says=f"|u_test(T) - u*_test| <= eps in run {seed}",
                    left=distance(x, recipe, seed),
                    relation="<=",
                    right=x.eps,
                ),
            ]
        return found

    def facts(x: Task) -> Mapping[str, float | int | str]:
        settings, done = run(x, recipe, x.seeds[0])
        kappa, s = float(settings.kappa), standard_deviation(settings)
        return {
            **done.facts,
            "runs": len(x.seeds),
            "eps": float(x.eps),
            "kappa": kappa,
            "T": float(settings.horizon),
            "lambda T": float(settings.lam * settings.horizon),
            "largest err": max(float(distance(x, recipe, seed)[1]) for seed in x.seeds),
            "kappa s": kappa * s,
            "P[kappa s |N(0, 1)| > eps]": erfc(float(x.eps) / (kappa * s * sqrt(2))) if s else 0.0,
        }

    return ForEach(claims=claims, facts=facts)


# -------------------------------------------------------------------------------------------------- instances


def task(name: str, says: str, X: Float64, X_test: Float64, *seeds: int) -> Task:
    """Give a task with label 1, eps = 1/11 and delta = 9/100."""
    return Task(
        name=name,
        says=says,
        X=X,
        Y=np.ones(1),
        X_test=X_test,
        eps=Fraction(1, 11),
        delta=Fraction(9, 100),
        seeds=seeds,
    )


LINE = np.ones((1, 1))
FAR_SIDE = task("opposite", "one point of the line, its opposite to test; m near 2e9", LINE, -LINE, 1, 2)
ITSELF = task("itself", "one point of the line, itself to test; m near 2e9", LINE, LINE, 3)


def instances(profile: str) -> tuple[Task, ...]:
    """Give one training point; a run takes seconds, so that the quick profile has none."""
    found: tuple[Task, ...] = ()
    if profile in ("ci", "night"):
        found += (
            FAR_SIDE,
            ITSELF,
            task("sixty-degrees", "one point of the plane, a test point 60 degrees away", ONE_POINT, SIXTY, 4, 5),
        )
    if profile == "night":
        found += (
            task(
                "opposite-in-the-plane",
                "one point of the plane, its opposite to test",
                ONE_POINT,
                OPPOSITE,
                *range(6, 22),
            ),
        )
    return found


# ------------------------------------------------------------------------------------------- hypotheses, twins


def _of_data(h: Hypothesis) -> Hypothesis:
    check = h.holds
    if check is None:
        raise TypeError(f"_of_data: {h.says!r} is not checked on data")
    return Hypothesis(says=h.says, holds=lambda x: check(x.data))


def _in_range(x: Task) -> str | None:
    for name, value in (("eps", x.eps), ("delta", x.delta)):
        if not 0 < value < Fraction(1, 10):
            return f"{name} must lie in (0, 1/10), got {float(value):g}"
    return None


def _one_point(x: Task) -> str | None:
    return None if len(x.X) == 1 else f"n must be 1, where steps of 1 / kappa^2 are short enough, got n = {len(x.X)}"


def _twin(name: str, because: str, refuted_on: Task, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="glss.thm3.7.printed_width",
    number="3.7 at its width",
    title="The test predictor against u*, at the printed width",
    kind="Theorem, on instances",
    says=r"\kappa=\frac{\varepsilon\Lambda_0}{n},\quad m=\frac{n^{10}d}{\varepsilon^6\Lambda_0^{10}},\quad"
    r"\lambda=\frac{1}{\sqrt m},\quad T=\frac{2}{\kappa^2\Lambda_0}\ln\frac{2B}{\varepsilon}:\quad"
    r"\lvert u_{\mathrm{nn},\mathrm{test}}(T)-u^*_{\mathrm{test}}\rvert\le\varepsilon",
    plainly="A network of the printed width was trained, with a certificate, and predicts at a test point what kernel "
    "regression does, as closely as the theorem promises.",
    source=GLSS.at("Section 3.2.1, Theorem 3.7"),
    deviation="constant 1 for the O~; a few runs, where the print has a probability; steps for the flow; ||x|| <= 1, "
    "also of the test point, and |y| <= 1 added; n = 1 only",
    constant="explicit",
    hypotheses=(
        Hypothesis(says="eps, delta in (0, 1/10)", holds=_in_range),
        Hypothesis(says="n = 1: larger widths were not reached", holds=_one_point),
        _of_data(UNIT),
        _of_data(LABELS),
        _of_data(DEFINITE),
        GAUSSIAN,
        SIGNS,
        DESCENT,
    ),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "multiplier_one",
            "with kappa = 1 the network's own start stays at the test point, whatever the width",
            FAR_SIDE,
            multiplier=lambda _eps, _least, _n: 1.0,
        ),
        _twin(
            "time_of_the_training_theorem",
            "T = (2 / Lambda_0) ln(2 B / eps) without kappa^2: gradients are smaller by that factor",
            ITSELF,
            time=lambda x, least, kappa: 2 / least * log(2 * start(x, kappa) / float(x.eps)),
        ),
        _twin(
            "accuracy_left_out_of_the_multiplier",
            "kappa = Lambda_0 / n: the error is kappa times a Gaussian and cannot be within every eps",
            FAR_SIDE,
            multiplier=lambda _eps, least, n: least / n,
        ),
    ),
    misprints=(NORM, MULTIPLIER),
    notes=(
        "Above a million neurons the law of the start is approximate: cell counts are exact, sums over a cell Gaussian "
        "with the exact second moments.",
        "For eps = 1/11, n = 2: orthonormal points, kappa = .023 and m = 3.7e12; angles .3 and 1.5, kappa = .018 and "
        "m = 4.7e13: layers of 1e9 neurons and more, not reached.",
    ),
)
