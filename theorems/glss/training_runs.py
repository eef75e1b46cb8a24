"""One run of gradient descent, as the training theorems look at it: by brute force, or certified on wide networks.

    deviation = u - u*,   Y - u* = lam (kappa^2 H_cts + lam)^-1 Y

Rounding is allowed for, not proven here: the residual of the identity of one step, which `theorem_3_6_a_posteriori`
computes for the runs it judges, stays below 2^-36, and a residual of r per step moves u by at most r / (h c), c the
contraction rate, as long as the float run and the exact one agree on what crosses. That they do is assumed; margins
here are many orders above `ALLOWANCE`. The a-posteriori statements carry the residual and assume nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from reference.gradient_descent import descend
from reference.preconditions import Float64
from reference.wide_networks import drawn
from theorems.glss.training_instances import Training
from theorems.statement import BoundBatch

BRUTE_UP_TO = 20_000
"""Up to this width all neurons are moved one by one."""

EXACT_UP_TO = 10**6
"""Up to this width all neurons are drawn one by one."""

ALLOWANCE = 2.0**-28
"""By how much rounding may have moved an output, at any step."""

BATCH = 8
"""Runs per batch: one takes milliseconds to seconds."""

Facts = Mapping[str, float | int | str]
"""Named numbers for display."""

Signs = Callable[[int, np.random.Generator], Float64]
"""(m, rng) -> (m,) the second layer."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What a run showed.

    Parameters
    ----------
    u : (steps + 1, n) float, outputs on the data
    u_test : (steps + 1, t) float
    kernels : (s, n + t, n) float, H(t) of the first and the last step at least
    secants : (steps, n + t, n) float, or None where they were not asked for
    certified : whether it is gradient descent itself
    facts : width, law of the neurons, how they were followed
    """

    u: Float64
    u_test: Float64
    kernels: Float64 | None
    secants: Float64 | None
    certified: bool
    facts: Facts


def fair_signs(m: int, rng: np.random.Generator) -> Float64:
    """Draw a_r from {1, -1}."""
    return rng.choice([-1.0, 1.0], m)


def train(x: Training, m: int, rng: np.random.Generator, *, kernels: bool = False, signs: Signs | None = None) -> Run:
    """Draw a network of width m and train it.

    Parameters
    ----------
    x : the problem; its own m and seed are not looked at
    m : width
    rng : source of the neurons
    kernels : give the kernels and the secant kernels of every step
    signs : another law of the second layer, by brute force; None for fair signs
    """
    settings: dict[str, Any] = {"kappa": x.kappa, "lam": x.lam, "step": x.step, "steps": x.steps, "X_test": x.X_test}
    if m <= BRUTE_UP_TO or signs is not None:
        W = rng.standard_normal((m, x.X.shape[1]))
        brute = descend(x.X, x.Y, W, (signs or fair_signs)(m, rng), kernels=kernels, **settings)
        return Run(
            u=brute.u,
            u_test=brute.u_test,
            kernels=brute.kernels,
            secants=brute.secants,
            certified=True,
            facts={
                "m": m,
                "displacement": float(brute.displacement.max()),
                "layer neurons": m,
                "certificate": "brute force",
                "law": "exact initial law",
            },
        )
    wide = drawn(x.X, x.Y, m, rng, kernels=kernels, exact_up_to=EXACT_UP_TO if planar(x) else m, **settings)
    return Run(
        u=wide.u,
        u_test=wide.u_test,
        kernels=wide.kernels,
        secants=wide.secants,
        certified=wide.certified,
        facts={
            "m": m,
            "displacement": float(wide.displacement),
            "layer neurons": wide.layer_neurons + wide.corner_neurons,
            "certificate": f"displacement <= half width {wide.half_width:.3g}" if wide.certified else "none",
            "law": wide.law,
            "Berry-Esseen": wide.berry_esseen,
        },
    )


def planar(x: Training) -> bool:
    """Whether all points lie in a plane, where neurons far from their boundaries can be drawn as sums."""
    return bool(min(x.points.shape) <= 2)


def deviations(x: Training, u: Float64) -> Float64:
    """Give u - u* as (Y - u*) - (Y - u): (steps + 1, n), whose error is far below `ALLOWANCE`."""
    z = np.array([float(v) for v in x.remainder[0]])
    found: Float64 = z - (x.Y - u)
    return found


def against_one(
    ratio: Callable[[np.random.Generator], tuple[float, float]],
) -> Callable[[np.random.Generator, int], BoundBatch]:
    """Train once per trial; each run encloses its largest ratio of a distance to its bound, and 1 is allowed."""

    def draw(rng: np.random.Generator, trials: int) -> BoundBatch:
        low, high = np.array([ratio(rng) for _ in range(trials)], dtype=np.float64).T.copy()
        return BoundBatch(lower=low, upper=high, allowed=(Fraction(1), Fraction(1)))

    return draw
