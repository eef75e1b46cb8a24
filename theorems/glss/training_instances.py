"""The instances of the training theorems: data, labels and the settings of gradient descent, in exact numbers.

A point of the plane is rounded inwards, so that ||x|| <= 1 holds exactly and falls short of 1 by less than 2^-50.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Interval, rational_solve
from reference.exact_linear_algebra import column, shifted
from reference.exact_spectra import largest_eigenvalue
from reference.preconditions import Float64, exact_rows, inner
from reference.relu_tangent import tangent_kernel, tangent_kernel_error
from reference.tangent_predictors import least_kernel_eigenvalue
from theorems.statement import Hypothesis, Instance

INWARDS = 1 - 2.0**-51


@dataclass(frozen=True, kw_only=True, eq=False)
class Training(Instance):
    """A network to be trained.

    Parameters
    ----------
    X : (n, d) float64, taken at its exact value
    Y : (n,) float64
    kappa, lam, step : > 0, exact in float64; gradient descent has steps of length `step`
    steps : how many; time ends at T = step steps
    delta : promised failure probability
    m : width; None where the statement says how wide
    X_test : (t, d) float64, or None
    seed : of the neurons, where the statement is about one run
    """

    X: Float64
    Y: Float64
    lam: Fraction
    step: Fraction
    steps: int
    kappa: Fraction = Fraction(1)
    delta: Fraction = Fraction(1, 10)
    m: int | None = None
    X_test: Float64 | None = None
    seed: int = 0

    @property
    def horizon(self) -> Fraction:
        """T = step steps, the time at which training stops."""
        return self.step * self.steps

    @property
    def decay(self) -> Fraction:
        """Give gamma = 1 - step lam, what weight decay leaves after a step."""
        return 1 - self.step * self.lam

    @cached_property
    def H_cts(self) -> Float64:
        """The limiting tangent kernel matrix, within `kernel_error` in the spectral norm."""
        return tangent_kernel(self.X)

    @cached_property
    def kernel_error(self) -> Fraction:
        """Bound on the floating-point error of `H_cts`."""
        return Fraction(tangent_kernel_error(self.X))

    @cached_property
    def Lambda_0(self) -> Interval:
        """Enclosure of the least eigenvalue of the limiting kernel."""
        return least_kernel_eigenvalue(self.X)

    @cached_property
    def kernel_norm(self) -> Interval:
        """Enclosure of the largest eigenvalue of the limiting kernel."""
        low, high = largest_eigenvalue(exact_rows(self.H_cts))
        return low - self.kernel_error, high + self.kernel_error

    @cached_property
    def remainder(self) -> tuple[tuple[Fraction, ...], Fraction]:
        """Y - u* = lam (kappa^2 H_cts + lam)^-1 Y for the computed H_cts, exactly, and how far the truth may be.

        The truth has H_cts off by at most `kernel_error` in the spectral norm, so z = Y - u* by at most
        kappa^2 error ||z|| / (kappa^2 Lambda_0 + lam), and ||z|| <= ||z||_1.
        """
        kernel = [[self.kappa**2 * v for v in row] for row in exact_rows(self.H_cts)]
        solved = rational_solve(shifted(kernel, self.lam), column([self.lam * Fraction(float(y)) for y in self.Y]))
        z = tuple(row[0] for row in solved)
        least = self.kappa**2 * max(self.Lambda_0[0], Fraction(0)) + self.lam
        return z, self.kappa**2 * self.kernel_error * sum(map(abs, z), Fraction(0)) / least

    @cached_property
    def points(self) -> Float64:
        """Training points, then test points: (n + t, d)."""
        return self.X if self.X_test is None else np.concatenate([self.X, self.X_test])

    def rng(self) -> np.random.Generator:
        """Give the generator of the one run that the instance names."""
        return np.random.Generator(np.random.Philox(key=self.seed))

    def at(self, **changes: Any) -> Training:
        """Give the same problem with other settings; `name` and `says` are to be among them."""
        return replace(self, **changes)


def training(
    name: str,
    says: str,
    *,
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    lam: float | Fraction,
    step: float | Fraction,
    steps: int,
    kappa: float | Fraction = 1,
    **more: Any,
) -> Training:
    """Take every number at its exact value."""
    return Training(
        name=name,
        says=says,
        X=np.array(X, dtype=np.float64),
        Y=np.array(Y, dtype=np.float64),
        lam=Fraction(lam),
        step=Fraction(step),
        steps=steps,
        kappa=Fraction(kappa),
        **more,
    )


def on_circle(*angles: float) -> Float64:
    """Give points of the unit circle, rounded inwards: (n, 2)."""
    return np.asarray(INWARDS * np.stack([np.cos(angles), np.sin(angles)], axis=1), dtype=np.float64)


def random_unit(n: int, d: int, rng: np.random.Generator) -> Float64:
    """Draw uniform points of the unit sphere, rounded inwards: (n, d)."""
    drawn = rng.standard_normal((n, d))
    norms = np.sqrt((drawn * drawn).sum(axis=1, keepdims=True))
    return np.asarray((1 - 2.0**-48) / norms * drawn, dtype=np.float64)


def shrinking_ridge(m: int) -> Fraction:
    """Give lambda = 1 / sqrt m, to float accuracy."""
    return Fraction(float(m) ** -0.5)


ONE_POINT = np.ones((1, 1))
ORTHONORMAL = np.eye(2)
I1 = on_circle(0.3, 1.5)
I2 = on_circle(0.3, 1.5, 2.9)
I3 = on_circle(0.0, 1.3, 2.5, 4.2)


def alternating(n: int) -> Float64:
    """Give the labels 1, -1, 1, ..."""
    return np.where(np.arange(n) % 2, -1.0, 1.0)


# -------------------------------------------------------------------------------------------- hypotheses

Check = Callable[[Training], str | None]


def _unit(x: Training) -> str | None:
    squares = [inner(row, row) for row in exact_rows(x.points)]
    i = max(range(len(squares)), key=squares.__getitem__)
    return None if squares[i] <= 1 else f"||x_i|| must be at most 1, got ||x_{i}||^2 = {float(squares[i])}"


def _labels(x: Training) -> str | None:
    largest = float(np.abs(x.Y).max())
    return None if largest <= 1 else f"|y_i| must be at most 1, got {largest:g}"


def _definite(x: Training) -> str | None:
    return None if x.Lambda_0[0] > 0 else f"Lambda_0 must be positive, got at most {float(x.Lambda_0[1]):g}"


def _in_range(x: Training) -> str | None:
    if not 0 < x.kappa <= 1:
        return f"kappa must lie in (0, 1], got kappa = {float(x.kappa):g}"
    if not 0 < x.lam < 1:
        return f"lam must lie in (0, 1), got lam = {float(x.lam):g}"
    return None if 0 < x.delta < 1 else f"delta must lie in (0, 1), got delta = {x.delta}"


def _short_steps(x: Training) -> str | None:
    reach = x.step * (x.kappa**2 * x.kernel_norm[1] + x.lam)
    return None if reach <= 1 else f"h (kappa^2 ||H_cts|| + lam) must be at most 1, got {float(reach):g}"


UNIT = Hypothesis(says="||x_i|| <= 1 for all points (A1, not in the print)", holds=_unit)
LABELS = Hypothesis(says="|y_i| <= 1 (A2, not in the print; false without, E8)", holds=_labels)
DEFINITE = Hypothesis(
    says="Lambda_0 = lambda_min(H_cts) > 0 (A3; the print never defines Lambda_0, E7)", holds=_definite
)
IN_RANGE = Hypothesis(says="kappa in (0, 1], lambda in (0, 1), delta in (0, 1)", holds=_in_range)
SHORT_STEPS = Hypothesis(
    says="h (kappa^2 ||H_cts|| + lambda) <= 1 (A10: gradient descent, where the print leaves the step open, E22)",
    holds=_short_steps,
)
GAUSSIAN = Hypothesis(
    says="w_r(0) ~ N(0, I_d), independent (Definition 3.5)",
    guaranteed_by="keyed Philox streams; beyond the width that is drawn neuron by neuron the bulk enters through "
    "Gaussian sums with the exact second moments, and the run says so",
)
SIGNS = Hypothesis(
    says="a_r independent fair signs (A13; false for a_r = 1, E26)",
    guaranteed_by="drawn with the neurons, or the neurons of a cell split in halves by a binomial count",
)
DESCENT = Hypothesis(
    says="gradient descent on (6) with a constant step, also across kinks (A9, A10)",
    guaranteed_by="the reference object; on wide networks with the certificate that no activation taken as frozen "
    "could turn, and a run without it counts as unsure",
)
