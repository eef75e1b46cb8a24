"""The instances of sections 1 to 3.1: ridge regression by kernels and by features, in exact numbers.

RidgeProblem     a kernel on data and new points, labels, a ridge
FeatureProblem   the same through finitely many features
Candidate        a Gram matrix and features that may stand in for it
PlainMatrix      a matrix whose rows have leverage

Floats enter at their exact value: the float64 tangent kernel of real data is a rational matrix like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import cos, sin
from typing import TypeAlias

import numpy as np

from reference.arithmetic import Exact, exact, rational_product
from reference.datasets import NAMES, load
from reference.exact_linear_algebra import transposed
from reference.gaussian_fourier import gaussian_kernel
from reference.preconditions import Float64
from reference.relu_tangent import tangent_kernel
from theorems.statement import Instance

Vector: TypeAlias = tuple[Fraction, ...]
Matrix: TypeAlias = tuple[Vector, ...]


def vector(values: Iterable[Exact]) -> Vector:
    """Take numbers at their exact value."""
    return tuple(exact(x) for x in values)


def matrix(rows: Iterable[Iterable[Exact]]) -> Matrix:
    """Take rows of numbers at their exact value."""
    return tuple(vector(row) for row in rows)


def gram(features: Sequence[Sequence[Exact]]) -> Matrix:
    """Give F F^T: positive semidefinite by construction."""
    return matrix(rational_product(features, transposed(features)))


@dataclass(frozen=True, kw_only=True, eq=False)
class RidgeProblem(Instance):
    """Kernel ridge regression on n data points, to be evaluated at k new ones.

    Parameters
    ----------
    kernel : (n + k, n + k) Gram matrix of the data, then the new points
    Y : (n,) labels
    lam : ridge added to the Gram matrix of the data
    """

    kernel: Matrix
    Y: Vector
    lam: Fraction


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureProblem(Instance):
    """Ridge regression on n data points through s features, to be evaluated at k new points.

    Parameters
    ----------
    features : (n, s) rows phi(x_i)
    new : (k, s) rows phi(z)
    Y : (n,) labels
    lam : ridge
    """

    features: Matrix
    new: Matrix
    Y: Vector
    lam: Fraction


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate(Instance):
    """A Gram matrix and features that may or may not stand in for it.

    Parameters
    ----------
    K : (n, n) Gram matrix
    features : (n, s) rows phi(x_i)
    lam : ridge
    eps : accuracy
    """

    K: Matrix
    features: Matrix
    lam: Fraction
    eps: Fraction


@dataclass(frozen=True, kw_only=True, eq=False)
class PlainMatrix(Instance):
    """A matrix and nothing else.

    Parameters
    ----------
    A : (m, n)
    """

    A: Matrix


# ------------------------------------------------------------------------------------------------- exact problems


def _problem(
    name: str, says: str, kernel: Iterable[Iterable[Exact]], Y: Iterable[Exact], lam: Fraction
) -> RidgeProblem:
    return RidgeProblem(name=name, says=says, kernel=matrix(kernel), Y=vector(Y), lam=lam)


HALVES = _problem(
    "halves",
    "K = diag(1/2, 1/2), Y = (1, 1), lambda = 1/10, and the new point x_1 + x_2",
    ((Fraction(1, 2), 0, Fraction(1, 2)), (0, Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 2), Fraction(1, 2), 1)),
    (1, 1),
    Fraction(1, 10),
)
SINGLE = _problem("single", "one point, K = 1, lambda = 1e-12", ((1, 2), (2, 4)), (3,), Fraction(1, 10**12))
PARABOLA = _problem(
    "parabola",
    "the kernel (1 + x z)^2 on x = -2..2 with z = 3: n = 5, rank 3",
    [[(1 + x * z) ** 2 for z in (-2, -1, 0, 1, 2, 3)] for x in (-2, -1, 0, 1, 2, 3)],
    (4, 1, 0, 1, -4),
    Fraction(1, 8),
)
CORNERS = _problem(
    "corners",
    "linear kernel with a duplicate, an antipode, a zero row and contradicting labels",
    gram([[1, 2], [1, 2], [-1, -2], [0, 0], [3, -1], [2, 1]]),
    (1, -1, 2, 5, 0),
    Fraction(1, 3),
)
FLAT = _problem(
    "large-ridge",
    "linear kernel, lambda = 10^6 far above its norm",
    gram([[1, 2], [3, -1], [1, 1]]),
    (7, -5),
    Fraction(10**6),
)

WOODBURY = FeatureProblem(
    name="four-by-three",
    says="Phi = [[1, 2, 0], [0, 1, -1], [3, 1, 1], [2, 0, 5]], phi(z) = (1, 1, 2), lambda = 1/7",
    features=matrix([[1, 2, 0], [0, 1, -1], [3, 1, 1], [2, 0, 5]]),
    new=matrix([[1, 1, 2]]),
    Y=vector((1, -2, 3, 1)),
    lam=Fraction(1, 7),
)
WIDE = FeatureProblem(
    name="more-features-than-points",
    says="two points, five features: Phi^T Phi is singular",
    features=matrix([[1, 0, 2, -1, 3], [0, 1, 1, 1, -2]]),
    new=matrix([[1, 1, 1, 1, 1], [0, 0, 0, 0, 0]]),
    Y=vector((2, -1)),
    lam=Fraction(1, 5),
)
ONE = FeatureProblem(
    name="one-point",
    says="n = s = 1, lambda = 1e-12",
    features=matrix([[2]]),
    new=matrix([[3]]),
    Y=vector((1,)),
    lam=Fraction(1, 10**12),
)
DEGENERATE = FeatureProblem(
    name="degenerate",
    says="a duplicate, an antipode and a zero row, contradicting labels, a feature that is always 0",
    features=matrix([[1, 2, 0], [1, 2, 0], [-1, -2, 0], [0, 0, 0], [3, -1, 0]]),
    new=matrix([[2, 1, 4]]),
    Y=vector((1, -1, 2, 5, 0)),
    lam=Fraction(1, 3),
)

# ------------------------------------------------------------------------------------------ the plane and real data


def on_circle(*angles: float) -> Float64:
    """Put points on the unit circle: (n, 2)."""
    return np.array([[cos(t), sin(t)] for t in angles])


def alternating(n: int) -> Vector:
    """Give the labels 1, -1, 1, ..."""
    return vector((-1) ** i for i in range(n))


@cache
def canonical() -> tuple[RidgeProblem, ...]:
    """Give the canonical instances in the plane under the ReLU tangent kernel, with the new angle 2.2."""
    data = {"I1": (0.3, 1.5), "I2": (0.3, 1.5, 2.9), "I3": (0.0, 1.3, 2.5, 4.2)}
    return tuple(
        _problem(
            f"plane-{name}",
            f"ReLU tangent kernel (float64) at angles {', '.join(map(str, angles))}; new angle 2.2",
            tangent_kernel(on_circle(*angles, 2.2)).tolist(),
            alternating(len(angles)),
            Fraction(1, 10),
        )
        for name, angles in data.items()
    )


@cache
def real_data(n: int, lam: Fraction) -> tuple[RidgeProblem, ...]:
    """Give n data points and two new ones of each data set under both kernels, at their float64 values."""
    found = []
    for name in NAMES:
        X = load(name, n + 2)
        for kernel, K in (("relu", tangent_kernel(X)), ("gauss", gaussian_kernel(X, 1.0))):
            says = f"{name}, {n} rows normalised, {kernel} kernel (float64), lambda = {float(lam):g}"
            found.append(_problem(f"{name}-{n}-{kernel}-{float(lam):g}", says, K.tolist(), alternating(n), lam))
    return tuple(found)


@cache
def pixels(n: int, s: int) -> FeatureProblem:
    """Give n digits (and two new ones) through s of their pixels, normalised, at their float64 values."""
    X = load("digits", n + 2)
    chosen = X[:, np.argsort(-X.var(axis=0), kind="stable")[:s]].tolist()
    return FeatureProblem(
        name=f"digits-{n}-by-{s}",
        says=f"{n} digits through their {s} most variable pixels, lambda = 1/16",
        features=matrix(chosen[:n]),
        new=matrix(chosen[n:]),
        Y=alternating(n),
        lam=Fraction(1, 16),
    )


def ridge_problems(profile: str) -> tuple[RidgeProblem, ...]:
    """Give the kernel problems of a profile; a longer profile begins with the shorter one."""
    found: tuple[RidgeProblem, ...] = (
        HALVES,
        SINGLE,
        PARABOLA,
        CORNERS,
        FLAT,
        *canonical(),
        *real_data(24, Fraction(1, 10)),
    )
    if profile in ("ci", "night"):
        found += (*real_data(48, Fraction(1, 10)), *real_data(24, Fraction(1, 10**12)))
    if profile == "night":
        found += real_data(128, Fraction(1, 1000))
    return found


def feature_problems(profile: str) -> tuple[FeatureProblem, ...]:
    """Give the feature problems of a profile; a longer profile begins with the shorter one."""
    found: tuple[FeatureProblem, ...] = (WOODBURY, WIDE, ONE, DEGENERATE, pixels(24, 8))
    if profile in ("ci", "night"):
        found += (pixels(48, 12), pixels(16, 24))
    if profile == "night":
        found += (pixels(128, 32),)
    return found
