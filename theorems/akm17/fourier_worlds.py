"""Fourier features that are exact, and Gaussian ones that are enclosed.

A frequency eta enters only through u = e^(-2 pi i eta); with integer points every feature u^x is a Gaussian rational
when u is (a quarter turn, (3 - 4i)/5, ...). A discrete p is a density with respect to the counting measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from reference.finite_features import from_features
from reference.preconditions import Float64
from theorems.glss.sampling_instances import DELTA, FiniteWorld, FourierData
from theorems.statement import Hypothesis, Instance

Turn = tuple[Fraction, Fraction]
"""(real, imaginary) part of e^(-2 pi i eta), a rational point of the unit circle."""

STILL: Turn = (Fraction(1), Fraction(0))
QUARTER: Turn = (Fraction(0), Fraction(-1))
HALF: Turn = (Fraction(-1), Fraction(0))
THREE_QUARTERS: Turn = (Fraction(0), Fraction(1))
THREE_FOUR_FIVE: Turn = (Fraction(3, 5), Fraction(-4, 5))
FIVE_TWELVE_THIRTEEN: Turn = (Fraction(5, 13), Fraction(12, 13))


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianLine(Instance):
    """Points on a line under the Gaussian kernel.

    Parameters
    ----------
    X : (n, 1) float, taken exactly
    sigma : bandwidth, a float
    lam : ridge
    frequencies : where tau is looked at
    """

    X: Float64
    sigma: float
    lam: Fraction
    frequencies: tuple[Fraction, ...]


FourierInstance = FiniteWorld | GaussianLine


def fourier_world(
    name: str,
    says: str,
    p: Sequence[Fraction],
    turns: Sequence[Turn],
    points: Sequence[int],
    lam: Fraction,
    eps: Fraction = Fraction(1, 2),
) -> FiniteWorld:
    """Give the world with features u_j^x_i, drawn with probability p_j."""
    powers = [[_power(u, x) for x in points] for u in turns]
    features = from_features(
        p,
        [[[z[0]] for z in row] for row in powers],
        [[[z[1]] for z in row] for row in powers],
    )
    return FiniteWorld(name=name, says=says, features=features, lam=lam, eps=eps, delta=DELTA)


def _power(u: Turn, x: int) -> Turn:
    c, s = Fraction(1), Fraction(0)
    for _ in range(abs(x)):
        c, s = c * u[0] - s * u[1], c * u[1] + s * u[0]
    return (c, s) if x >= 0 else (c, -s)


def _equal(count: int) -> list[Fraction]:
    return [Fraction(1, count)] * count


ONE_POINT = fourier_world("one-point", "n = 1, lambda = 1/2", _equal(2), (STILL, QUARTER), (0,), Fraction(1, 2))
ORTHOGONAL = fourier_world(
    "orthogonal",
    "points 0..3, all four quarter turns equally likely: K = I",
    _equal(4),
    (STILL, QUARTER, HALF, THREE_QUARTERS),
    (0, 1, 2, 3),
    Fraction(1, 10),
)
STANDING = fourier_world(
    "standing", "points 0..2 and frequency 0 only: K is all ones", _equal(1), (STILL,), (0, 1, 2), Fraction(1)
)
PYTHAGOREAN = fourier_world(
    "pythagorean",
    "points -1, 0, 1, 2, 5; frequencies with e^(-2 pi i eta) = 1, (3 - 4i)/5, (5 + 12i)/13",
    (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)),
    (STILL, THREE_FOUR_FIVE, FIVE_TWELVE_THIRTEEN),
    (-1, 0, 1, 2, 5),
    Fraction(1, 3),
)
TWINS_AND_ANTIPODES = fourier_world(
    "duplicates",
    "points 0, 0, 1, 2, where 2 is 0 again for frequency 1/2; K of rank two",
    (Fraction(2, 3), Fraction(1, 3)),
    (STILL, HALF),
    (0, 0, 1, 2),
    Fraction(1, 4),
)
RARE = fourier_world(
    "rare",
    "points 0 and 1; frequency 1/2 with probability 1/256 only, lambda = 1/1000",
    (Fraction(255, 256), Fraction(1, 256)),
    (STILL, HALF),
    (0, 1),
    Fraction(1, 1000),
)
TINY_RIDGE = fourier_world(
    "tiny-ridge",
    "points 0 and 1, a quarter and half a turn, lambda = 1e-12",
    _equal(2),
    (QUARTER, HALF),
    (0, 1),
    Fraction(1, 10**12),
)


def gaussian_line(name: str, says: str, X: Sequence[float], lam: Fraction) -> GaussianLine:
    """Give points under the Gaussian kernel with sigma = 1, looked at from frequency 0 far into the tail."""
    return GaussianLine(
        name=name,
        says=says,
        X=np.array(X)[:, None],
        sigma=1.0,
        lam=lam,
        frequencies=tuple(Fraction(k, 16) for k in (0, 1, 2, 3, 5, 8, 16, 64)),
    )


LINE = gaussian_line(
    "gaussian-line", "points -1, 0, 1/2, 2 under the Gaussian kernel, lambda = 1/10", (-1, 0, 0.5, 2), Fraction(1, 10)
)
CLOSE = gaussian_line(
    "gaussian-close",
    "points 0, 2^-20, 1, 1 under the Gaussian kernel, lambda = 1e-6",
    (0, 2.0**-20, 1, 1),
    Fraction(1, 10**6),
)


def worlds(profile: str) -> tuple[FiniteWorld, ...]:
    """Give the exact worlds of a profile; a longer profile begins with the shorter one."""
    found: tuple[FiniteWorld, ...] = (
        ONE_POINT,
        ORTHOGONAL,
        STANDING,
        PYTHAGOREAN,
        TWINS_AND_ANTIPODES,
        RARE,
        TINY_RIDGE,
    )
    if profile in ("ci", "night"):
        found += (
            fourier_world(
                "pythagorean-8",
                "points 0..7, frequencies of `pythagorean` and the quarter turn",
                _equal(4),
                (STILL, THREE_FOUR_FIVE, FIVE_TWELVE_THIRTEEN, QUARTER),
                range(8),
                Fraction(1, 8),
            ),
        )
    return found


def instances(profile: str) -> tuple[FourierInstance, ...]:
    """Give exact worlds and Gaussian lines."""
    first = worlds("quick")
    return (*first, LINE, CLOSE, *worlds(profile)[len(first) :])


# ---------------------------------------------------------------------------------------------------- hypotheses


def _ridge(x: FourierInstance) -> str | None:
    return None if x.lam > 0 else f"lambda must be positive, got lambda = {float(x.lam):g}"


def _unimodular(x: FourierInstance | FourierData) -> str | None:
    if not isinstance(x, FiniteWorld):
        return None  # by definition of the kernel
    for j, G in enumerate(x.features.grams):
        if x.features.copies != 2 or any(G[i][i] != 1 for i in range(len(G))):
            return f"features must be complex exponentials, |z| = 1; feature {j} is not"
    return None


RIDGE = Hypothesis(says="lambda > 0", holds=_ridge)
EXPONENTIALS = Hypothesis(says="z(eta)_j = e^(-2 pi i x_j eta), so that k(0) = 1", holds=_unimodular)
