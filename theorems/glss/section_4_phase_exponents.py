r"""Section 4, both phases: H(0) - H_cts, H(T) - H(0) and the displacement are O(m^-1/2), measured.

    slope of log ||H(0) - H_cts||, of log ||H(T) - H(0)|| and of log max_r ||v_r(T) - w_r(0)|| against log m  <=  -1/2

v = w / gamma^k is the radial gauge. A finite sentence: for these data, on this range of widths, up to a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from reference.gradient_descent import descend
from reference.preconditions import Float64
from reference.relu_tangent import inner_products, tangent_kernel
from theorems.glss.fitted_slopes import slope_over
from theorems.glss.networks_at_the_start import pair_counts
from theorems.glss.training_instances import I1, I2, alternating
from theorems.glss.training_runs import fair_signs
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Hypothesis, Instance, Rate, Slope, Statement

HALF, QUARTER = Fraction(-1, 2), Fraction(1, 4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Family(Instance):
    """One problem at several widths.

    Parameters
    ----------
    X : (n, d) float64, labels alternate
    widths : increasing
    repetitions : S, each with networks of its own
    seed : of all of them
    quantity : what is measured: 'start', 'kernel', 'gauge' or 'weights'
    """

    X: Float64
    widths: tuple[int, ...]
    repetitions: int
    seed: int
    quantity: str

    def rng(self) -> np.random.Generator:
        """Give the generator of the whole measurement."""
        return np.random.Generator(np.random.Philox(key=self.seed))


STEPS, STEP = 24, 1.0
"""Training ends at T = 24."""


def ridge(m: int) -> float:
    """Give lambda = 1 / (16 sqrt m): lambda T is below .1 at every width, where 1 / sqrt m would not do (E21)."""
    return 1 / (16 * math.sqrt(m))


def at_the_start(x: Family, m: int, rng: np.random.Generator) -> float:
    """Measure ||H(0) - H_cts||."""
    H = inner_products(x.X, "section_4_phase_exponents") * pair_counts(x.X, m, rng, 1)[0] / m
    return float(np.linalg.norm(H - tangent_kernel(x.X), 2))


def after_training(x: Family, m: int, rng: np.random.Generator) -> dict[str, float]:
    """Train once, and measure kernel, gauge and weights."""
    W = rng.standard_normal((m, x.X.shape[1]))
    settings: dict[str, Any] = {"kappa": 1, "lam": ridge(m), "step": STEP, "steps": STEPS, "kernels": True}
    run = descend(x.X, alternating(len(x.X)), W, fair_signs(m, rng), **settings)
    H: Any = run.kernels
    kept = (1 - STEP * ridge(m)) ** STEPS
    return {
        "kernel": float(np.linalg.norm(H[-1] - H[0], 2)),
        "gauge": float(run.displacement[-1]),
        "weights": float(np.linalg.norm(kept * run.v - W, axis=1).max()),
    }


def measured(x: Family) -> Float64:
    """Give the quantity in every repetition at every width: (S, k)."""
    rng = x.rng()
    one: Callable[[int], float] = (
        (lambda m: at_the_start(x, m, rng))
        if x.quantity == "start"
        else (lambda m: after_training(x, m, rng)[x.quantity])
    )
    return np.array([[one(m) for m in x.widths] for _ in range(x.repetitions)])


def conclusion(claimed: Fraction, tolerance: Fraction = QUARTER) -> Rate:
    """Give the sentence 'the slope is at most `claimed`'."""

    def measure(x: Family) -> Slope:
        return slope_over(x.widths, measured(x), claimed, tolerance)

    return Rate(
        measure=measure,
        facts=lambda x: {"n": len(x.X), "widths": f"{x.widths[0]} to {x.widths[-1]}", "repetitions": x.repetitions},
    )


def _family(name: str, says: str, X: Float64, quantity: str, widths: tuple[int, ...], repetitions: int) -> Family:
    return Family(name=name, says=says, X=X, quantity=quantity, widths=widths, repetitions=repetitions, seed=20201206)


VERY_WIDE = tuple(10**k for k in range(2, 13))
WIDE = tuple(4**k for k in range(4, 9))
START = _family("I2-start", "||H(0) - H_cts||, three points, m up to 10^12", I2, "start", VERY_WIDE, 24)
GAUGE = _family("I1-gauge", "displacement in the gauge, two points, T = 24", I1, "gauge", WIDE, 8)
KERNEL = _family("I1-kernel", "||H(T) - H(0)||, two points, T = 24", I1, "kernel", WIDE, 8)
WEIGHTS = _family("I1-weights", "displacement of the weights themselves, two points, T = 24", I1, "weights", WIDE, 8)


def instances(profile: str) -> tuple[Family, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[Family, ...] = (START, GAUGE, KERNEL)
    if profile in ("ci", "night"):
        wider = tuple(4**k for k in range(5, 10))
        found += (
            _family("I2-gauge", "displacement in the gauge, three points, T = 24", I2, "gauge", wider, 16),
            _family("I2-kernel", "||H(T) - H(0)||, three points, T = 24", I2, "kernel", wider, 16),
        )
    return found


def _twin(name: str, because: str, refuted_on: Family, claimed: Fraction) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(claimed), refuted_on=refuted_on)


STATEMENT = Statement(
    id="glss.phases.exponents",
    number="4, both phases, exponents",
    title="How kernel and neurons settle with the width",
    kind="Step of a proof",
    says=r"\lVert H(0)-H^{\mathrm{cts}}\rVert,\ \lVert H(T)-H(0)\rVert,\ \max_r\lVert v_r(T)-w_r(0)\rVert"
    r"=O(m^{-1/2})",
    plainly="Measured on a range of widths, the kernel's errors and the neurons' displacements shrink at least as fast "
    "as one over the square root of the width, up to 1/4 in the exponent.",
    source=GLSS.at("Section 4, 'Initialization phase' and 'Training phase'"),
    deviation="the paper says 'sufficiently close'; slopes of at most -1/2 + 1/4 on stated ranges, with lambda = "
    "1 / (16 sqrt m); how much faster is left open, but slopes of -1 are refuted",
    constant="proved here",
    hypotheses=(
        Hypothesis(
            says="at least five widths, increasing, over 1.5 decades",
            holds=lambda x: (
                None
                if list(x.widths) == sorted(set(x.widths)) and len(x.widths) >= 5 and x.widths[-1] >= 32 * x.widths[0]
                else f"widths must be increasing, five or more, over 1.5 decades, got {x.widths}"
            ),
        ),
        Hypothesis(
            says="networks of Definition 3.5, independent for every width and repetition",
            guaranteed_by="one Philox stream, read in order",
        ),
    ),
    conclusion=conclusion(HALF),
    instances=instances,
    twins=(
        _twin("kernel_at_the_start_like_1_over_m", "its variance is of order 1 / m", START, Fraction(-1)),
        _twin("displacement_like_1_over_m", "the gradient carries m^-1/2", GAUGE, Fraction(-1)),
        _twin("kernel_moves_like_1_over_m", "about sqrt m neurons turn, of m", KERNEL, Fraction(-1)),
        _twin("weights_like_1_over_m", "lambda T max_r ||w_r|| is of order m^-1/2 as well", WEIGHTS, Fraction(-1)),
    ),
)
