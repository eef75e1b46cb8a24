"""All instances of Theorem 3.3, among them every kernel of `reference` in the cheapest honest way.

    polynomial             finitely many monomials: exact
    arc-cosine, order 0    step features are constant on activation cells: counts
    arc-cosine, order 1    ReLU outputs are not: rejection, against the growth |w|^2 p
    Laplace, Matern        frequencies with heavy tails, by rejection from p
    a user's own pair      by rejection from the user's sampler, under the user's bound of phi

ReLU tangent features on spherical cells are in `sampling_instances.in_space`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

from reference.datasets import load
from reference.polynomial import polynomial_kernel
from reference.preconditions import Float64
from theorems.glss import sampling_instances
from theorems.glss.diagonal_worlds import COUPON_4096
from theorems.glss.feature_pairs import Family, Laplace, Matern, RandomPhase, Rectified, pair_of
from theorems.glss.sampling_instances import (
    DELTA,
    EPS,
    CellWorld,
    FiniteWorld,
    PairData,
    SamplingInstance,
    in_space,
    in_the_plane,
)
from theorems.glss.sampling_worlds import more_worlds
from theorems.glss.step_cells import StepWorld

QUADRATIC = FiniteWorld(
    name="quadratic",
    says="polynomial kernel (x.z)^2 of three integer points in the plane, one monomial per draw",
    features=polynomial_kernel([[1, 2], [3, -1], [-1, 1]], 2),
    lam=Fraction(4),
    eps=EPS,
    delta=DELTA,
)
CUBIC = FiniteWorld(
    name="cubic",
    says="polynomial kernel (x.z)^3 of a point, its antipode, a zero row and two more: ten monomials in R^3",
    features=polynomial_kernel([[1, 1, 0], [-1, -1, 0], [0, 0, 0], [1, 0, 1], [0, 1, -1]], 3),
    lam=Fraction(1, 2),
    eps=EPS,
    delta=DELTA,
)


def _steps(x: SamplingInstance, says: str, lam: Fraction) -> StepWorld:
    """Give the points of a world on cells, with step features."""
    if not isinstance(x, CellWorld):
        raise TypeError(f"_steps: need a world on cells, got a {type(x).__name__}")
    return StepWorld(name=f"{x.name}-steps", says=says, X=x.X, lam=lam, eps=EPS, delta=DELTA)


@cache
def steps() -> tuple[StepWorld, ...]:
    """Give the arc-cosine kernel of order 0 on the points that have cells."""
    plane_I2, _, corners = in_the_plane()
    space_10, three_in_seven = in_space()
    return (
        _steps(plane_I2, "arc-cosine kernel of order 0, angles .3, 1.5, 2.9", Fraction(1, 10)),
        _steps(
            corners,
            "arc-cosine kernel of order 0: a duplicate, an antipode, a zero row (active everywhere), a near pair",
            Fraction(1, 10),
        ),
        _steps(space_10, "arc-cosine kernel of order 0, 10 points of a spiral on the sphere in R^3", Fraction(1, 4)),
        _steps(three_in_seven, "arc-cosine kernel of order 0, three points in R^7", Fraction(1, 8)),
    )


def pairs(name: str, says: str, X: Float64, family: Family, part: int = 10) -> PairData:
    """Give points under a family of pairs, with lambda = ||K|| / part as float64 has it."""
    K = pair_of(family, X.shape[1]).features.kernel_matrix(X)[0]
    lam = Fraction(float(np.linalg.eigvalsh(K)[-1]) / part)
    return PairData(
        name=name,
        says=f"{says}, lambda = ||K||/{part}",
        X=X,
        family=family,
        lam=lam,
        eps=EPS,
        delta=DELTA,
    )


@cache
def small_pairs() -> tuple[PairData, ...]:
    """Give few points in one to three dimensions under every family."""
    line = np.linspace(-2, 2, 16)[:, None]
    golden = np.pi * (3 - np.sqrt(5)) * np.arange(12)
    disc = np.sqrt((np.arange(12) + 0.5) / 12)[:, None] * np.stack([np.cos(golden), np.sin(golden)], axis=1)
    space_10 = in_space()[0]
    assert isinstance(space_10, CellWorld)
    sphere = space_10.X
    return (
        pairs("line-16-laplace", "16 points on [-2, 2], Laplace kernel, sigma = 1/2", line, Laplace(sigma=0.5)),
        pairs("disc-12-laplace", "12 points of the unit disc, Laplace kernel, sigma = 1", disc, Laplace(sigma=1.0)),
        pairs("disc-12-matern", "12 points of the unit disc, Matern kernel, nu = 3/2", disc, Matern(sigma=1.0, nu=1.5)),
        pairs("space-10-matern", "10 points on the sphere, Matern kernel, nu = 5/2", sphere, Matern(sigma=1.0, nu=2.5)),
        pairs("space-10-rectified", "10 points on the sphere, arc-cosine kernel of order 1", sphere, Rectified()),
        pairs(
            "disc-12-random-phase",
            "12 points of the unit disc, one cosine with random phase per draw, a user's own pair",
            disc,
            RandomPhase(sigma=0.5),
        ),
    )


@cache
def real_pairs() -> tuple[PairData, ...]:
    """Give real data under the arc-cosine kernel of order 1, in few dimensions: in many, hardly a draw is accepted."""
    return tuple(
        pairs(f"{name}-{n}-rectified", f"{name}, {n} rows, arc-cosine kernel of order 1", load(name, n), Rectified())
        for name, n in (("diabetes", 24), ("breast_cancer", 12))
    )


def instances(profile: str) -> tuple[SamplingInstance, ...]:
    """Give the instances of Theorem 3.3; a longer profile begins with the shorter one, and each grows at its end."""
    common = {name: sampling_instances.instances(name) for name in ("quick", "ci", "night")}
    found: tuple[SamplingInstance, ...] = (*common["quick"], *more_worlds(), QUADRATIC, CUBIC, *steps())
    if profile in ("ci", "night"):
        found += (*common["ci"][len(common["quick"]) :], *small_pairs())
    if profile == "night":
        found += (*common["night"][len(common["ci"]) :], *real_pairs(), COUPON_4096)
    return found
