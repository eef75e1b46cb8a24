"""The instances of Definition 3.1 and equation (4): features and a ridge.

FeatureRidge   finitely many features given entry by entry
FiniteRidge    finitely many features given by their Gram matrices
PlaneRidge     ReLU tangent features of points in the plane
SphereRidge    ReLU tangent features of data of rank at most 3 in any dimension
FourierRidge   Gaussian Fourier features of points on a line
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TypeAlias

import numpy as np

from reference import finite_features as finite
from reference.datasets import NAMES, load
from reference.finite_features import FiniteFeatures
from reference.preconditions import Float64
from theorems.statement import Instance

Atoms: TypeAlias = tuple[tuple[tuple[Fraction, ...], ...], ...]
"""(J, n, d2): phi(x_i, w_j), atom by atom."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RidgeInstance(Instance):
    """Data and features with a ridge lam, exact."""

    lam: Fraction


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureRidge(RidgeInstance):
    """Finitely many features, entry by entry.

    Parameters
    ----------
    p : (J,) probabilities
    phi : (J, n, d2) features; rows of each atom are data points
    """

    p: tuple[Fraction, ...]
    phi: Atoms


@dataclass(frozen=True, kw_only=True, eq=False)
class FiniteRidge(RidgeInstance):
    """Finitely many features by their Gram matrices."""

    features: FiniteFeatures


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneRidge(RidgeInstance):
    """ReLU tangent features of points in the plane; X is (n, 2)."""

    X: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class SphereRidge(RidgeInstance):
    """ReLU tangent features of data of rank at most 3; X is (n, d)."""

    X: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class FourierRidge(RidgeInstance):
    """Gaussian Fourier features of points on a line.

    Parameters
    ----------
    X : (n, 1)
    sigma : bandwidth
    """

    X: Float64
    sigma: float


def entries(phi: object) -> Atoms:
    """Take (J, n, d2) integers or Fractions as features."""
    return tuple(tuple(tuple(Fraction(x) for x in row) for row in atom) for atom in np.array(phi, dtype=object))


def uniform(J: int) -> tuple[Fraction, ...]:
    """Give J equal probabilities."""
    return (Fraction(1, J),) * J


def seen_by(X: list[list[int]], W: list[list[int]]) -> Atoms:
    """Give the ReLU tangent features x 1[w.x >= 0] of integer points at integer neurons: (J, n, d)."""
    return entries([[[t * (sum(map(int.__mul__, w, x)) >= 0) for t in x] for x in X] for w in W])


# ------------------------------------------------------------------------------------------- features, entry by entry

TWO_BY_THREE = FeatureRidge(
    name="two-by-three",
    says="two points, two features in R^3",
    p=(Fraction(1, 3), Fraction(2, 3)),
    phi=entries([[[1, 2, 0], [0, 1, -1]], [[3, 1, 1], [2, 0, 5]]]),
    lam=Fraction(1, 2),
)
SQUARE = FeatureRidge(
    name="square",
    says="two points, one feature in R^2, K = I: all of the data in every draw",
    p=(Fraction(1),),
    phi=entries([[[1, 0], [0, 1]]]),
    lam=Fraction(1, 4),
)
SKEW = FeatureRidge(
    name="skew",
    says="one feature in R^2, K = [[1, 1], [1, 2]] with irrational eigenvalues",
    p=(Fraction(1),),
    phi=entries([[[1, 0], [1, 1]]]),
    lam=Fraction(1, 3),
)
POINT = FeatureRidge(
    name="one-point",
    says="one point, K = 1, lambda = 1e-12",
    p=(Fraction(1),),
    phi=entries([[[1]]]),
    lam=Fraction(1, 10**12),
)
NULL = FeatureRidge(
    name="null-and-duplicates",
    says="a duplicate, an antipode and a zero row; one feature that vanishes",
    p=(Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)),
    phi=entries([[[1, 2], [1, 2], [-1, -2], [0, 0]], [[0, 1], [0, 1], [0, -1], [0, 0]], [[0, 0]] * 4]),
    lam=Fraction(999999, 10**6),
)
NEURONS = FeatureRidge(
    name="integer-neurons",
    says="ReLU tangent features of four integer points in the plane at eight integer neurons",
    p=uniform(8),
    phi=seen_by(
        [[2, 1], [-1, 3], [1, -2], [-3, -1]],
        [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]],
    ),
    lam=Fraction(1, 8),
)


@cache
def pixels(n: int) -> FeatureRidge:
    """Give ReLU tangent features of n digits, four pixels in sixteenths each, at the sixteen sign vectors."""
    X = np.rint(load("digits", n) * 64)
    chosen = X[:, np.argsort(-X.var(axis=0), kind="stable")[:4]].astype(int).tolist()
    signs = [[1 - 2 * (k >> b & 1) for b in range(4)] for k in range(16)]
    return FeatureRidge(
        name=f"digits-{n}-signs",
        says=f"{n} digits, four pixels each rounded to integers, ReLU tangent features at the 16 sign vectors",
        p=uniform(16),
        phi=seen_by(chosen, signs),
        lam=Fraction(64),
    )


def feature_ridges(profile: str) -> tuple[FeatureRidge, ...]:
    """Give features entry by entry; a longer profile begins with the shorter one."""
    found: tuple[FeatureRidge, ...] = (TWO_BY_THREE, SQUARE, SKEW, POINT, NULL, NEURONS, pixels(6))
    if profile in ("ci", "night"):
        found += (pixels(10),)
    if profile == "night":
        found += (pixels(16),)
    return found


# --------------------------------------------------------------------------------------- features by Gram matrices

I6 = FiniteRidge(
    name="I6",
    says="linear kernel of X = [[1, 2], [3, -1]], lambda = 1: s_lambda = 113/65 (canonical instance I6)",
    features=finite.linear_kernel([[1, 2], [3, -1]]),
    lam=Fraction(1),
)
SPECTRUM = FiniteRidge(
    name="geometric-spectrum",
    says="K = diag(1, 1/2, 1/4, 1/8), lambda = 1/8",
    features=finite.diagonal([Fraction(1, 2**k) for k in range(4)]),
    lam=Fraction(1, 8),
)
RANK_ONE = FiniteRidge(
    name="rank-one",
    says="three equal points: s_lambda = lambda_1 / (lambda_1 + lambda), with equality",
    features=finite.linear_kernel([[1, 2], [1, 2], [1, 2]]),
    lam=Fraction(1, 10**12),
)
AT_THE_NORM = FiniteRidge(
    name="ridge-at-the-norm",
    says="K = diag(1, 0, 1/9), lambda = 1 - 1e-6",
    features=finite.diagonal([1, 0, Fraction(1, 9)]),
    lam=Fraction(999999, 10**6),
)
HERMITIAN = FiniteRidge(
    name="hermitian",
    says="three Gaussian-integer features in C^2",
    features=finite.from_features(
        (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)),
        [[[1], [0]], [[1], [2]], [[2], [1]]],
        [[[0], [1]], [[1], [0]], [[-1], [1]]],
    ),
    lam=Fraction(1, 4),
)
NOTHING = FiniteRidge(
    name="zero-kernel",
    says="K = 0: no direction at all",
    features=finite.diagonal([0, 0]),
    lam=Fraction(1, 2),
)


def on_circle(*angles: float) -> Float64:
    """Put points on the unit circle: (n, 2)."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@cache
def plane_I2() -> PlaneRidge:
    """Give canonical instance I2."""
    return PlaneRidge(
        name="plane-I2",
        says="ReLU tangent features at angles .3, 1.5, 2.9, lambda = 1/10 (canonical instance I2)",
        X=on_circle(0.3, 1.5, 2.9),
        lam=Fraction(1, 10),
    )


@cache
def line(n: int) -> FourierRidge:
    """Give n equispaced points on [-2, 2] under the Gaussian kernel."""
    return FourierRidge(
        name=f"line-{n}-fourier",
        says=f"{n} equispaced points on [-2, 2], Gaussian kernel with sigma = 1/2, by rigorous quadrature",
        X=np.linspace(-2, 2, n)[:, None],
        sigma=0.5,
        lam=Fraction(1, 100),
    )


@cache
def golden_circle(n: int) -> PlaneRidge:
    """Give n points on the circle, golden-angle spacing."""
    return PlaneRidge(
        name=f"plane-{n}",
        says=f"ReLU tangent features of {n} points on the circle, golden-angle spacing, lambda = 1/1000",
        X=on_circle(*(np.pi * (3 - np.sqrt(5)) * k for k in range(n))),
        lam=Fraction(1, 1000),
    )


@cache
def with_densities() -> tuple[RidgeInstance, ...]:
    """Give worlds with densities: cells of the plane, orthants seen by real data, frequencies of a line."""
    corners = np.concatenate([on_circle(0.3, 0.3, 0.3 + np.pi, 1.5, 1.5 + 1e-7), np.zeros((1, 2))])
    return (
        plane_I2(),
        PlaneRidge(
            name="plane-I3",
            says="ReLU tangent features at angles 0, 1.3, 2.5, 4.2, lambda = 1/10 (canonical instance I3)",
            X=on_circle(0.0, 1.3, 2.5, 4.2),
            lam=Fraction(1, 10),
        ),
        PlaneRidge(
            name="plane-corners",
            says="a duplicate, an antipode, a zero row and a near-parallel pair, lambda = 1e-12",
            X=corners,
            lam=Fraction(1, 10**12),
        ),
        *(
            SphereRidge(
                name=f"{name}-3",
                says=f"ReLU tangent features of three rows of {name}, normalised, lambda = 1/10",
                X=load(name, 3),
                lam=Fraction(1, 10),
            )
            for name in NAMES
        ),
        line(1),
        line(8),
    )


def ridges(profile: str) -> tuple[RidgeInstance, ...]:
    """Give exact worlds, then worlds with densities; a longer profile begins with the shorter one."""
    found: tuple[RidgeInstance, ...] = (I6, SPECTRUM, RANK_ONE, AT_THE_NORM, HERMITIAN, NOTHING, *with_densities())
    if profile in ("ci", "night"):
        found += (line(24), golden_circle(24))
    if profile == "night":
        found += (line(64), golden_circle(48))
    return found
