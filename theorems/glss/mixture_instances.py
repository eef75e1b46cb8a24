"""The instances of equation (3): kernels that are averages over random features, each with a closed form of its own.

FiniteMixture   finitely many features with rational values and probabilities
PlaneCells      ReLU tangent features of points in the plane: finitely many activation cells
FourierLine     Gaussian Fourier features of points on a line: an integral

The closed form never goes through the features, so that the average has something to agree with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from reference.arithmetic import Exact
from reference.preconditions import Float64
from theorems.glss.ridge_instances import Matrix, Vector, gram, matrix, on_circle, vector
from theorems.statement import Instance


@dataclass(frozen=True, kw_only=True, eq=False)
class FiniteMixture(Instance):
    """Finitely many random features.

    Parameters
    ----------
    p : (J,) probabilities
    phi : (J, n, d2) values phi(x_i, w_j)
    kernel : (n, n) K in closed form
    """

    p: Vector
    phi: tuple[Matrix, ...]
    kernel: Matrix = field(metadata={"follows": True})


@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneCells(Instance):
    """ReLU tangent features of points in the plane; K is the tangent kernel.

    Parameters
    ----------
    X : (n, 2)
    """

    X: Float64


@dataclass(frozen=True, kw_only=True, eq=False)
class FourierLine(Instance):
    """Gaussian Fourier features, cosine and sine, of points on a line; K is the Gaussian kernel.

    Parameters
    ----------
    X : (n, 1)
    sigma : bandwidth
    """

    X: Float64
    sigma: float


# ---------------------------------------------------------------------------------------------- finite mixtures


def coordinates(name: str, says: str, X: Sequence[Sequence[Exact]], roots: Sequence[Exact]) -> FiniteMixture:
    """Draw one coordinate of the data at a time: K = X X^T.

    phi(x, j) = x_j / root_j,   p_j = root_j^2

    Parameters
    ----------
    X : (n, d) exact numbers
    roots : (d,) exact numbers whose squares sum to 1
    """
    rows, root = matrix(X), vector(roots)
    return FiniteMixture(
        name=name,
        says=says,
        p=tuple(r * r for r in root),
        phi=tuple(tuple((row[j] / r,) for row in rows) for j, r in enumerate(root)),
        kernel=gram(rows),
    )


def signs(name: str, says: str, X: Sequence[Sequence[Exact]]) -> FiniteMixture:
    """Project on a random sign vector: phi(x, w) = w.x, w uniform on {-1, 1}^d, K = X X^T."""
    rows = matrix(X)
    draws = list(product((1, -1), repeat=len(rows[0])))
    return FiniteMixture(
        name=name,
        says=says,
        p=(Fraction(1, len(draws)),) * len(draws),
        phi=tuple(
            tuple((sum((s * t for s, t in zip(w, row, strict=True)), Fraction(0)),) for row in rows) for w in draws
        ),
        kernel=gram(rows),
    )


def monomials(name: str, says: str, X: Sequence[Sequence[Exact]]) -> FiniteMixture:
    """Draw one of the d columns of x x^T at a time: phi(x, j) = x x_j / root_j in R^d, K = (x.z)^2.

    Parameters
    ----------
    X : (n, 4) exact numbers; p_j = 1/4
    """
    rows = matrix(X)
    return FiniteMixture(
        name=name,
        says=says,
        p=(Fraction(1, 4),) * 4,
        phi=tuple(tuple(tuple(2 * t * row[j] for t in row) for row in rows) for j in range(4)),
        kernel=tuple(tuple(t * t for t in row) for row in gram(rows)),
    )


THIRDS = (Fraction(1, 3), Fraction(2, 3), Fraction(2, 3))

UNEVEN = coordinates(
    "coordinates-uneven", "linear kernel, coordinates drawn with p = (1/9, 4/9, 4/9)", [[1, 2, 0], [3, -1, 1]], THIRDS
)
CORNERS = coordinates(
    "coordinates-corners",
    "a duplicate, an antipode and a zero row; the last coordinate is 0 for all: a null feature",
    [[1, 2, 0], [1, 2, 0], [-1, -2, 0], [0, 0, 0]],
    THIRDS,
)
SIGNS = signs("signs", "random sign vectors in R^3, two points", [[1, 2, 3], [2, -1, 1]])
SQUARES = monomials(
    "squares", "the kernel (x.z)^2 through features in R^4", [[1, 0, 2, -1], [0, 1, 1, 1], [1, 1, 1, 1]]
)
CERTAIN = coordinates("one-feature", "n = 1 and a single feature, drawn with certainty", [[3]], [1])


@cache
def in_the_plane() -> tuple[PlaneCells, ...]:
    """Give points in the plane: canonical, orthogonal, and the corners of the definition."""
    corners = np.concatenate([on_circle(0.3, 0.3, 1.5, 1.5 + 1e-7), -on_circle(0.3), np.zeros((1, 2))])
    return (
        PlaneCells(name="plane-I2", says="angles .3, 1.5, 2.9 (canonical instance I2)", X=on_circle(0.3, 1.5, 2.9)),
        PlaneCells(name="plane-axes", says="the two unit vectors: K = diag(1/2, 1/2), four equal cells", X=np.eye(2)),
        PlaneCells(
            name="plane-corners", says="a duplicate, an antipode, a zero row and a near-parallel pair", X=corners
        ),
    )


@cache
def on_the_line() -> tuple[FourierLine, ...]:
    """Give points on a line: spread ones, and the corners of the definition."""
    return (
        FourierLine(
            name="line-4",
            says="points 0, 1/4, 1, -1/2 under the Gaussian kernel with sigma = 1/2",
            X=np.array([[0.0], [0.25], [1.0], [-0.5]]),
            sigma=0.5,
        ),
        FourierLine(
            name="line-corners",
            says="a duplicate, an antipode and a pair 2^-30 apart, sigma = 2",
            X=np.array([[1.0], [1.0], [-1.0], [1.0 + 2.0**-30]]),
            sigma=2.0,
        ),
    )


Mixture = FiniteMixture | PlaneCells | FourierLine


def instances(profile: str) -> tuple[Mixture, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[Mixture, ...] = (UNEVEN, CORNERS, SIGNS, SQUARES, CERTAIN, *in_the_plane(), *on_the_line())
    if profile in ("ci", "night"):
        golden = np.pi * (3 - np.sqrt(5))
        X = on_circle(*(float(golden * k) for k in range(12)))
        found += (PlaneCells(name="plane-12", says="12 points on the circle, golden-angle spacing", X=X),)
    if profile == "night":
        X = np.linspace(-2, 2, 16)[:, None]
        found += (FourierLine(name="line-16", says="16 equispaced points on [-2, 2], sigma = 1/2", X=X, sigma=0.5),)
    return found
