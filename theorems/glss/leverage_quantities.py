"""What is counted from a kernel and its features at a ridge, whatever they are made of; exact or enclosed.

Every quantity is an interval of Fractions, a point where the world is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from reference.arithmetic import Interval, rational_inverse, rational_product, rational_trace
from reference.enclosed_features import (
    EnclosedKernel,
    fourier_mean_leverage,
    gaussian_enclosed,
    plane_features,
    sphere_features,
)
from reference.exact_linear_algebra import rank, shifted
from reference.finite_features import FiniteFeatures
from reference.rational_eigenvalues import greatest_eigenvalue
from theorems.glss.leverage_instances import FiniteRidge, FourierRidge, PlaneRidge, RidgeInstance, SphereRidge


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """Both sides of equation (4) and what they are compared with.

    Parameters
    ----------
    n : number of data points
    mean_leverage : lam -> int q_lambda, from the features
    dimension : lam -> tr (K + lam I)^-1 K, from the kernel
    squared_dimension : lam -> tr (K + lam I)^-2 K^2
    trace, norm : of K
    rank : of K; None where K is only enclosed
    """

    n: int
    mean_leverage: Callable[[Fraction], Interval]
    dimension: Callable[[Fraction], Interval]
    squared_dimension: Callable[[Fraction], Interval]
    trace: Interval
    norm: Interval
    rank: int | None


@lru_cache(maxsize=64)
def counted(x: RidgeInstance) -> Counted:
    """Prepare the quantities of an instance.

    Raises
    ------
    TypeError : an unknown kind of instance
    """
    match x:
        case FiniteRidge(features=features):
            return _exactly(features)
        case PlaneRidge(X=X):
            plane = plane_features(X)
            return _enclosed(plane.kernel, plane.mean_leverage)
        case SphereRidge(X=X):
            sphere = sphere_features(X)
            return _enclosed(sphere.kernel, sphere.mean_leverage)
        case FourierRidge(X=X, sigma=sigma):
            return _enclosed(gaussian_enclosed(X, sigma), lambda lam: fourier_mean_leverage(X, sigma, lam))
    raise TypeError(f"counted: nothing is known of a {type(x).__name__}")


def _exactly(features: FiniteFeatures) -> Counted:
    K, copies, n = features.kernel(), features.copies, features.n

    def mean(lam: Fraction) -> Interval:
        return point(sum((p * t for p, t in zip(features.p, features.leverage(lam), strict=True)), Fraction(0)))

    def squared(lam: Fraction) -> Interval:
        M = rational_product(rational_inverse(shifted(K, lam)), K)
        return point(rational_trace(rational_product(M, M)) / copies)

    return Counted(
        n=n,
        mean_leverage=mean,
        dimension=lambda lam: point(features.statistical_dimension(lam)),
        squared_dimension=squared,
        trace=point(rational_trace(K) / copies),
        norm=greatest_eigenvalue(K),
        rank=rank(K) // copies,
    )


def _enclosed(kernel: EnclosedKernel, mean: Callable[[Fraction], Interval]) -> Counted:
    return Counted(
        n=kernel.n,
        mean_leverage=mean,
        dimension=kernel.statistical_dimension,
        squared_dimension=kernel.squared_dimension,
        trace=kernel.trace(),
        norm=kernel.norm(),
        rank=None,
    )


# ------------------------------------------------------------------------------------------- intervals of numbers >= 0


def point(x: Fraction) -> Interval:
    """Give an exact number as an interval."""
    return x, x


def times(c: Fraction, x: Interval) -> Interval:
    """Scale by a number c >= 0."""
    return c * x[0], c * x[1]


def plus(x: Interval, y: Interval) -> Interval:
    """Add two enclosed numbers."""
    return x[0] + y[0], x[1] + y[1]


def over(x: Interval, y: Interval) -> Interval:
    """Divide an enclosed number >= 0 by a positive one."""
    return x[0] / y[1], x[1] / y[0]


def shrunk(x: Interval, lam: Fraction) -> Interval:
    """Give x / (x + lam), which grows with x >= 0."""
    return x[0] / (x[0] + lam), x[1] / (x[1] + lam)
