"""The instances of Theorem 3.3: data, features, ridge, accuracy and failure probability.

FiniteWorld   finitely many features with rational probabilities: everything is exact
CellWorld    ReLU tangent features of points in the plane: finitely many activation cells
TangentData   ReLU tangent features of points in any dimension
FourierData   Gaussian Fourier features of points in any dimension
PairData      features of a pair (phi, p), drawn by rejection
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from reference import finite_features as finite
from reference.datasets import load
from reference.finite_features import FiniteFeatures
from reference.gaussian_fourier import gaussian_kernel
from reference.preconditions import Float64
from reference.relu_tangent import tangent_kernel
from theorems.glss.feature_pairs import Family
from theorems.statement import Instance


@dataclass(frozen=True, kw_only=True, eq=False)
class SamplingInstance(Instance):
    """What every instance of section 3.1 has.

    Parameters
    ----------
    lam : ridge added to the Gram matrix, exact
    eps : accuracy
    delta : failure probability
    """

    lam: Fraction
    eps: Fraction
    delta: Fraction


@dataclass(frozen=True, kw_only=True, eq=False)
class FiniteWorld(SamplingInstance):
    """Finitely many features, exactly.

    Parameters
    ----------
    features : p_j and Phi_j Phi_j^T
    tau_tilde : (J,) with q_tilde_j = p_j tau_tilde_j >= q_lambda(j); None for q_tilde = q_lambda
    """

    features: FiniteFeatures
    tau_tilde: tuple[Fraction, ...] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class CellWorld(SamplingInstance):
    """ReLU tangent features of points of rank at most 3; q_tilde is q_lambda rounded up on each activation cell.

    Parameters
    ----------
    X : (n, d); any d up to three rows, any number of rows up to d = 3
    """

    X: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class TangentData(SamplingInstance):
    """ReLU tangent features of points in R^d; X is (n, d)."""

    X: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class FourierData(SamplingInstance):
    """Gaussian Fourier features (real pair) of points in R^d.

    Parameters
    ----------
    X : (n, d)
    sigma : bandwidth: K(x, z) = exp(-||x - z||^2 / (2 sigma^2))
    """

    X: Float64
    sigma: float


@dataclass(frozen=True, kw_only=True, eq=False)
class PairData(SamplingInstance):
    """Features of a family of pairs (phi, p), at points in R^d.

    Parameters
    ----------
    X : (n, d)
    family : see `feature_pairs`
    """

    X: Float64
    family: Family


# ------------------------------------------------------------------------------------------- exact worlds

EPS, DELTA = Fraction(3, 10), Fraction(1, 10)


def coupon(n: int, lam: Fraction, *, eps: Fraction = EPS, delta: Fraction = DELTA, curve: bool = False) -> FiniteWorld:
    """Give n orthonormal directions, one of them per draw: the coupon collector in a kernel's clothes."""
    return FiniteWorld(
        name=f"coupon-{n}",
        says=f"{n} orthonormal directions, each drawn with probability 1/{n}; K = I",
        features=finite.coupon(n),
        lam=lam,
        eps=eps,
        delta=delta,
        curve=curve,
    )


COUPON_2 = coupon(2, Fraction(1, 1000))
COUPON_3 = coupon(3, Fraction(1, 1000))
COUPON_8 = coupon(8, Fraction(1, 20), curve=True)
COUPON_20 = coupon(20, Fraction(1, 100))
COUPON_16 = coupon(16, Fraction(1, 1000), eps=Fraction(49, 100))

SPIKE = FiniteWorld(
    name="spike",
    says="K = diag(1, 1/100): the second direction has little leverage but is drawn as often under p",
    features=finite.diagonal((1, Fraction(1, 100))),
    lam=Fraction(1, 20),
    eps=EPS,
    delta=DELTA,
)
RAMP = FiniteWorld(
    name="ramp",
    says="K = diag(1, 1/2, 1/4, 1/8): a geometric spectrum that crosses lambda",
    features=finite.diagonal([Fraction(1, 2**k) for k in range(4)]),
    lam=Fraction(1, 8),
    eps=EPS,
    delta=DELTA,
)
NULL_ATOM = FiniteWorld(
    name="null-atom",
    says="one direction, K = 1, and a null feature; q_tilde puts 9/10 of its mass on the null one",
    features=finite.with_null_atom(finite.coupon(1), Fraction(1, 2)),
    tau_tilde=(Fraction(2), Fraction(18)),
    lam=Fraction(1, 1000),
    eps=EPS,
    delta=DELTA,
)
CORNER = FiniteWorld(
    name="corner",
    says="s_q_tilde just above 1/2, lambda just below ||K|| = 1, eps near 1/2, delta near 1: where erratum E10 matters",
    features=finite.with_null_atom(finite.coupon(1), Fraction(1, 2)),
    tau_tilde=(Fraction(101, 100), Fraction(1, 2)),
    lam=Fraction(99, 100),
    eps=Fraction(4999, 10**4),
    delta=Fraction(999, 1000),
)
WASTEFUL = FiniteWorld(
    name="wasteful",
    says="4 orthonormal directions, q_tilde up to eight times q_lambda",
    features=finite.coupon(4),
    tau_tilde=(Fraction(4), Fraction(8), Fraction(16), Fraction(32)),
    lam=Fraction(1, 20),
    eps=EPS,
    delta=DELTA,
)
LINEAR = FiniteWorld(
    name="linear",
    says="linear kernel of X = [[1, 2], [3, -1]], one coordinate per draw (canonical instance I6)",
    features=finite.linear_kernel([[1, 2], [3, -1]]),
    lam=Fraction(1),
    eps=EPS,
    delta=DELTA,
)
COMPLEX = FiniteWorld(
    name="complex",
    says="three Gaussian-integer features in C^2, K Hermitian (Remark 3.4)",
    features=finite.from_features(
        (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)),
        [[[1], [0]], [[1], [2]], [[2], [1]]],
        [[[0], [1]], [[1], [0]], [[-1], [1]]],
    ),
    lam=Fraction(1, 4),
    eps=EPS,
    delta=DELTA,
)

# ------------------------------------------------------------------------------------- the plane and real data


def _on_circle(*angles: float) -> Float64:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _part_of_the_norm(K: Float64, part: int) -> Fraction:
    """Give ||K|| / part as float64 has it: streamed features want a ridge that it can hold."""
    return Fraction(float(np.linalg.eigvalsh(K)[-1]) / part)


def _on_cells(name: str, says: str, X: Float64, lam: Fraction, *, curve: bool = False) -> CellWorld:
    return CellWorld(name=name, says=says, X=X, lam=lam, eps=EPS, delta=DELTA, curve=curve)


@cache
def in_the_plane() -> tuple[SamplingInstance, ...]:
    """Give points in the plane: canonical ones, equispaced ones, and the corners of the definition."""
    golden = np.pi * (3 - np.sqrt(5))
    return (
        _on_cells(
            "plane-I2", "angles .3, 1.5, 2.9 (canonical instance I2)", _on_circle(0.3, 1.5, 2.9), Fraction(1, 10)
        ),
        _on_cells(
            "plane-16",
            "16 points on the circle, golden-angle spacing",
            _on_circle(*(golden * k for k in range(16))),
            Fraction(1, 4),
            curve=True,
        ),
        _on_cells(
            "plane-corners",
            "a duplicate, an antipode, a zero row and a near-parallel pair",
            np.concatenate([_on_circle(0.3, 0.3, 0.3 + np.pi, 1.5, 1.5 + 1e-7), np.zeros((1, 2))]),
            Fraction(1, 10),
        ),
    )


@cache
def in_space() -> tuple[SamplingInstance, ...]:
    """Give points whose cells are spherical polygons: on a spiral in space, and three of them in seven dimensions."""
    k = np.arange(10)
    height = 1 - (2 * k + 1) / 10
    turn = np.pi * (1 + np.sqrt(5)) * k
    spiral = np.stack([np.sqrt(1 - height**2) * np.cos(turn), np.sqrt(1 - height**2) * np.sin(turn), height], axis=1)
    three = np.zeros((3, 7))
    three[0, :2], three[1, 1:5], three[2, 4:] = 1, 1, -1
    return (
        _on_cells("space-10", "10 points of a spiral on the sphere in R^3", spiral, Fraction(1, 8)),
        _on_cells("three-in-seven", "three points in R^7, two pairs of them overlapping", three, Fraction(1, 8)),
    )


@cache
def line_grid() -> SamplingInstance:
    """Give equispaced points on a line under the Gaussian kernel, q_tilde piecewise constant on a grid."""
    X = np.linspace(-2, 2, 24)[:, None]
    return FourierData(
        name="line-24-fourier",
        says="24 equispaced points on [-2, 2], Gaussian kernel with sigma = 1/2, piecewise-constant q_tilde",
        X=X,
        sigma=0.5,
        lam=_part_of_the_norm(gaussian_kernel(X, 0.5), 10),
        eps=EPS,
        delta=DELTA,
    )


DATASETS = ("diabetes", "digits", "breast_cancer")


@cache
def real_data(n: int, shrink: int = 1) -> tuple[SamplingInstance, ...]:
    """Give real data of scikit-learn under both kernels, lambda = ||K|| / (10 shrink)."""
    found: list[SamplingInstance] = []
    for name in DATASETS:
        X = load(name, n)
        ridge = f"lambda = ||K||/{10 * shrink}"
        suffix = f"{n}" if shrink == 1 else f"{n}-lam{10 * shrink}"
        found.append(
            TangentData(
                name=f"{name}-{suffix}-relu",
                says=f"{name}, {n} rows normalised, ReLU tangent features, {ridge}",
                X=X,
                lam=_part_of_the_norm(tangent_kernel(X), 10 * shrink),
                eps=EPS,
                delta=DELTA,
            )
        )
        found.append(
            FourierData(
                name=f"{name}-{suffix}-fourier",
                says=f"{name}, {n} rows normalised, Gaussian Fourier features with sigma = 1, {ridge}",
                X=X,
                sigma=1.0,
                lam=_part_of_the_norm(gaussian_kernel(X, 1.0), 10 * shrink),
                eps=EPS,
                delta=DELTA,
            )
        )
    return tuple(found)


def instances(profile: str) -> tuple[SamplingInstance, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[SamplingInstance, ...] = (
        COUPON_2,
        COUPON_3,
        COUPON_8,
        COUPON_20,
        SPIKE,
        RAMP,
        NULL_ATOM,
        CORNER,
        WASTEFUL,
        LINEAR,
        COMPLEX,
        *in_the_plane(),
        *in_space(),
        line_grid(),
        *real_data(32),
    )
    if profile in ("ci", "night"):
        found += (*real_data(64), *real_data(32, shrink=10))
    if profile == "night":
        found += (*real_data(128), *real_data(128, shrink=10))
    return found
