"""Families of training problems along which a rate is measured: the width grows, or the number of data."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from reference.gauss_newton import Rule, Training, exact_step, gradient_step, sketched_step, train
from reference.preconditions import Float64
from reference.sketches import TensorSRHT
from theorems.bpsw.growth import WIDE_RANGE
from theorems.bpsw.training_runs import gaussian_start
from theorems.statement import Hypothesis, Instance

Grows: TypeAlias = Literal["m", "n"]
Method: TypeAlias = Literal["exact", "sketched", "gradient descent"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingFamily(Instance):
    """Random unit rows and labels in [-1, 1], trained at growing widths or with growing data.

    Parameters
    ----------
    grows : which of m and n; its value below is not looked at
    sizes : increasing
    n, m, d : the other sizes; data are fixed while m grows
    method : of the steps
    repetitions : independent starts, and data where n grows
    scale : labels lie in [-scale, scale]
    """

    grows: Grows
    sizes: tuple[int, ...]
    n: int
    m: int
    d: int
    method: Method
    repetitions: int
    scale: Fraction = Fraction(1)

    def problem(self, size: int, repetition: int) -> tuple[Float64, Float64, Float64, Float64, np.random.Generator]:
        """Draw X, y, W, a, and give the generator that goes on."""
        n, m = (size, self.m) if self.grows == "n" else (self.n, size)
        fixed = np.random.Generator(np.random.Philox(key=[n, 0 if self.grows == "m" else repetition]))
        X = fixed.standard_normal((n, self.d))
        X /= np.linalg.norm(X, axis=1, keepdims=True)
        y = float(self.scale) * fixed.uniform(-1, 1, n)
        rng = np.random.Generator(np.random.Philox(key=[size, 100 + repetition]))
        W, a = gaussian_start(m, self.d, rng)
        return X, y, W, a, rng

    def run(self, size: int, repetition: int, *, relative: float, at_most: int) -> Training:
        """Train to ||f - y|| <= relative ||f(0) - y||, or for so many steps."""
        X, y, W, a, rng = self.problem(size, repetition)
        start = train(X, y, W, a, exact_step, accuracy=1.0, at_most=0).residuals[0]
        return train(X, y, W, a, self.rule(X, rng), accuracy=relative * start, at_most=at_most)

    def rule(self, X: Float64, rng: np.random.Generator) -> Rule:
        """Make the rule of the steps; gradient descent takes the longest step that the data allow, 1 / ||X||^2."""
        if self.method == "exact":
            return exact_step
        if self.method == "sketched":
            return sketched_step(TensorSRHT, 8 * len(X), 0.1, rng)
        return gradient_step(1.0 / float(np.linalg.norm(X, 2)) ** 2)


def _enough_weights(x: TrainingFamily) -> str | None:
    n, m = (x.sizes[-1], x.m) if x.grows == "n" else (x.n, x.sizes[0])
    return None if m * x.d >= 2 * n else f"m d must be at least 2 n, got m d = {m * x.d}, n = {n}"


HYPOTHESES = (
    WIDE_RANGE,
    Hypothesis(says="m d >= 2 n", holds=_enough_weights),
    Hypothesis(
        says="labels in [-1, 1] (A2)",
        holds=lambda x: None if x.scale <= 1 else f"labels must lie in [-1, 1], got scale {x.scale}",
    ),
    Hypothesis(says="unit rows, Lambda_0 > 0 (A1, A3)", guaranteed_by="random directions, all different"),
)
