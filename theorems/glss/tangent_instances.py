"""The instances of Section 3.2's definitions: data and labels under the tangent kernel.

On lattices (angles that are multiples of 30 or 45 degrees) everything is rational; the canonical instances and real
data are enclosed in balls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import pi

import numpy as np

from reference.arithmetic import Exact
from reference.datasets import load
from theorems.glss.ridge_instances import Matrix, Vector, alternating, matrix, on_circle, vector
from theorems.glss.tangent_worlds import World, world
from theorems.statement import Hypothesis, Instance

TENTH = Fraction(1, 10)


@dataclass(frozen=True, kw_only=True, eq=False)
class TangentProblem(Instance):
    """Ridge regression with the tangent kernel of n points, to be evaluated at k new ones.

    Parameters
    ----------
    X : (n, d) data, of rank at most 3 together with the new points
    new : (k, d) test points
    Y : (n,) labels
    kappa, lam : multiplier and ridge
    rational : all angles are multiples of 30 or 45 degrees, and numbers are exact; else they are enclosed
    """

    X: Matrix
    new: Matrix
    Y: Vector
    kappa: Fraction
    lam: Fraction
    rational: bool

    @property
    def n(self) -> int:
        """The number of data points."""
        return len(self.X)

    @property
    def data(self) -> World:
        """The data alone."""
        return world(self.X, self.rational)

    @property
    def everything(self) -> World:
        """The data, then the new points."""
        return world((*self.X, *self.new), self.rational)


def lattice(
    name: str,
    says: str,
    *,
    X: Iterable[Iterable[Exact]],
    new: Iterable[Iterable[Exact]],
    Y: Iterable[Exact],
    kappa: Fraction = Fraction(1),
    lam: Fraction = TENTH,
) -> TangentProblem:
    """Take points on a lattice; every number is exact."""
    return TangentProblem(
        name=name, says=says, X=matrix(X), new=matrix(new), Y=vector(Y), kappa=kappa, lam=lam, rational=True
    )


POINT = lattice(
    "one-point",
    "n = d = 1: a linear feature sqrt(1/2), K = 1/2, Y = 1, kappa = 1, lambda = 1/10; new points 2 and -1",
    X=[[1]],
    new=[[2], [-1]],
    Y=[1],
)
SHRUNK = lattice(
    "one-point-shrunk",
    "the data of I0: n = d = 1, Y = 1, kappa = 1/2, lambda = 1/10: u* = 5/9",
    X=[[1]],
    new=[[2], [-1]],
    Y=[1],
    kappa=Fraction(1, 2),
)
ORTHONORMAL = lattice(
    "I5",
    "two orthonormal points, Y = (1, -1), lambda = 1/10: u* = 5Y/6 (canonical instance I5)",
    X=[[1, 0], [0, 1]],
    new=[[1, 1], [-1, 0]],
    Y=[1, -1],
)
SQUARE = lattice(
    "square-lattice",
    "three points at multiples of 45 degrees, kappa = 1/3, lambda = 1/7",
    X=[[1, 0], [1, 1], [0, -2]],
    new=[[-1, 1], [1, 0]],
    Y=[1, -1, Fraction(1, 2)],
    kappa=Fraction(1, 3),
    lam=Fraction(1, 7),
)
CORNERS = lattice(
    "lattice-corners",
    "a duplicate with another label, an antipode and a zero row: H_cts singular; kappa = 3/4, lambda = 1/1000",
    X=[[1, 1], [1, 1], [-1, -1], [0, 0]],
    new=[[0, 1], [0, 0]],
    Y=[1, -1, 2, 1],
    kappa=Fraction(3, 4),
    lam=Fraction(1, 1000),
)
TRIANGLE = lattice(
    "triangle-lattice",
    "three roots of A_2 at 60 degrees from each other, lambda = 1/5",
    X=[[1, -1, 0], [1, 0, -1], [0, 1, -1]],
    new=[[0, -1, 1]],
    Y=[1, 2, -1],
    lam=Fraction(1, 5),
)
ROOTS = lattice(
    "cube-roots",
    "three roots of B_3 at 45, 60 and 90 degrees: cells of probability 1/48 to 11/48, kappa = 1/2",
    X=[[1, 0, 0], [1, 1, 0], [0, 1, 1]],
    new=[[0, 0, -1]],
    Y=[1, -1, 1],
    kappa=Fraction(1, 2),
)
TINY = lattice(
    "tiny-ridge",
    "two points at 135 degrees, labels (3, 1/2), lambda = 1e-12",
    X=[[1, 0], [-1, 1]],
    new=[[1, 1]],
    Y=[3, Fraction(1, 2)],
    lam=Fraction(1, 10**12),
)


def cloud(
    name: str, says: str, points: Iterable[Iterable[Exact]], new: int, kappa: Fraction = Fraction(1)
) -> TangentProblem:
    """Take float points at their exact value, the last `new` of them without labels; numbers are enclosed."""
    rows = matrix(points)
    n = len(rows) - new
    return TangentProblem(
        name=name,
        says=says,
        X=rows[:n],
        new=rows[n:],
        Y=alternating(n),
        kappa=kappa,
        lam=TENTH,
        rational=False,
    )


@cache
def canonical() -> tuple[TangentProblem, ...]:
    """Give the canonical instances in the plane, with the new angle 2.2, lambda = 1/10."""
    return tuple(
        cloud(
            name,
            f"angles {', '.join(map(str, angles))}, alternating labels, kappa = {kappa}, lambda = 1/10; new angle 2.2",
            on_circle(*angles, 2.2).tolist(),
            1,
            kappa,
        )
        for name, angles, kappa in (
            ("I1", (0.3, 1.5), Fraction(1)),
            ("I2", (0.3, 1.5, 2.9), Fraction(1)),
            ("I2-kappa", (0.3, 1.5, 2.9), Fraction(7, 10)),
        )
    )


@cache
def more_points() -> tuple[TangentProblem, ...]:
    """Give a wider fan in the plane, a nearly parallel pair, and real data."""
    return (
        cloud(
            "I3",
            "angles 0, 1.3, 2.5, 4.2, alternating labels, lambda = 1/10; new angle 2.2",
            on_circle(0.0, 1.3, 2.5, 4.2, 2.2).tolist(),
            1,
        ),
        cloud(
            "near-pair",
            "a pair of angles 1e-7 apart with opposite labels, and a third point; lambda = 1/10, new angle -2",
            on_circle(0.3, 0.3 + 1e-7, 2.0, -2.0).tolist(),
            1,
        ),
        cloud("diabetes-2", "two patients and a third as new point, lambda = 1/10", load("diabetes", 3).tolist(), 1),
    )


@cache
def spiral(n: int) -> TangentProblem:
    """Give n points of a spiral on the sphere and one more."""
    height = 1 - (2 * np.arange(n + 1) + 1) / (n + 1)
    turn = pi * (3 - 5**0.5) * np.arange(n + 1)
    ring = np.sqrt(1 - height**2)
    rows = np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1)
    return cloud(f"sphere-{n}", f"{n} points of a spiral on the sphere and one new, lambda = 1/10", rows.tolist(), 1)


def problems(profile: str) -> tuple[TangentProblem, ...]:
    """Give lattices, then enclosed data; a longer profile begins with the shorter one."""
    found: tuple[TangentProblem, ...] = (
        POINT,
        SHRUNK,
        ORTHONORMAL,
        SQUARE,
        CORNERS,
        TRIANGLE,
        ROOTS,
        TINY,
        *canonical(),
    )
    if profile in ("ci", "night"):
        found += (*more_points(), spiral(4))
    if profile == "night":
        found += (spiral(7),)
    return found


# ------------------------------------------------------------------------------------------------ hypotheses


def _shapes_agree(x: TangentProblem) -> str | None:
    if len(x.Y) != x.n or not x.n or not x.new:
        return f"Y must hold one label per point, and there must be a new point, got {len(x.Y)}, {x.n}, {len(x.new)}"
    widths = {len(row) for row in (*x.X, *x.new)}
    return None if len(widths) == 1 else f"points must live in one space, got widths {sorted(widths)}"


def _multiplier(x: TangentProblem) -> str | None:
    return None if 0 < x.kappa <= 1 else f"kappa must lie in (0, 1], got kappa = {x.kappa}"


def _ridge(x: TangentProblem) -> str | None:
    return None if x.lam > 0 else f"lambda must be positive, got lambda = {x.lam}"


SHAPES = Hypothesis(says="one label per data point; data and new points live in one space", holds=_shapes_agree)
MULTIPLIER = Hypothesis(says="kappa in (0, 1]", holds=_multiplier)
RIDGE = Hypothesis(says="lambda > 0", holds=_ridge)
LAW = Hypothesis(
    says="w ~ N(0, I_d)",
    guaranteed_by="the probabilities of the activation cells are those of directions, exact or enclosed",
)
