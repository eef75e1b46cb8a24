"""Where the identities and the linear algebra of BPSW are checked: exact networks, and systems without rounding.

Floats are chosen such that nothing is rounded: data are multiples of 2^-14, widths and sketch sizes powers of 4. Then
J, G = J J^T and S J^T are sums of few dyadic numbers, which float64 holds, and what follows from them is decided over
the rationals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from reference.arithmetic import Exact, exact, rational_product
from reference.exact_linear_algebra import transposed
from reference.jacobian import Jacobian, jacobian
from reference.preconditions import Float64, exact_rows
from reference.rational_networks import Exactly, RationalNetwork, fractions
from reference.sketched_solver import Preconditioner, sketched_preconditioner
from reference.sketches import SRHT, CountSketch, DrawsSketch, Sketch, TensorSRHT
from theorems.statement import Hypothesis, Instance, Rows

Matrix: TypeAlias = tuple[tuple[Fraction, ...], ...]
Vector: TypeAlias = tuple[Fraction, ...]

SketchName: TypeAlias = Literal["SRHT", "TensorSRHT", "CountSketch"]

SKETCHES: dict[SketchName, DrawsSketch] = {"SRHT": SRHT, "TensorSRHT": TensorSRHT, "CountSketch": CountSketch}

GRID = 2**14
"""Data are multiples of 1 / GRID."""


# ------------------------------------------------------------------------------------------------- exact networks


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactNetwork(Instance):
    """A network where it stands, and what it misses the labels by.

    Parameters
    ----------
    X : (n, d) data
    W : (m, d) first layer, m a square number; a : (m,) signs
    r : (n,) residual f - y
    """

    X: Matrix
    W: Matrix
    a: Vector
    r: Vector

    @cached_property
    def network(self) -> RationalNetwork:
        """The reference object, without multiplier."""
        X, W, a, r = (fractions(values) for values in (self.X, self.W, self.a, self.r))
        return RationalNetwork(X=X, Y=r, W=W, a=a, kappa=Fraction(1), lam=Fraction(1))

    @cached_property
    def J(self) -> Exactly:
        """The derivative of the outputs with respect to W, row by row: (n, m d)."""
        J: Exactly = self.network.gradients(self.network.X).reshape(len(self.X), -1)
        return J

    @cached_property
    def G(self) -> list[list[Fraction]]:
        """J J^T."""
        return rational_product(self.J.tolist(), self.J.T.tolist())


def exact_network(
    name: str,
    says: str,
    *,
    X: Iterable[Iterable[Exact]],
    W: Iterable[Iterable[Exact]],
    a: Iterable[Exact],
    r: Iterable[Exact],
) -> ExactNetwork:
    """Take every number at its exact value."""
    rows = [tuple(tuple(exact(x) for x in row) for row in M) for M in (X, W)]
    return ExactNetwork(
        name=name,
        says=says,
        X=rows[0],
        W=rows[1],
        a=tuple(exact(x) for x in a),
        r=tuple(exact(x) for x in r),
    )


POINT = exact_network(
    "one-point", "one point, one neuron: J = 3/2", X=[[Fraction(3, 2)]], W=[[2]], a=[-1], r=[Fraction(1, 2)]
)
PLANE = exact_network(
    "plane",
    "three points of the plane, two of them opposite, four neurons",
    X=[[1, 0], [Fraction(1, 2), 1], [-1, 0]],
    W=[[2, 1], [-1, 3], [Fraction(-3, 2), -1], [1, -2]],
    a=[1, -1, -1, 1],
    r=[1, -2, Fraction(1, 4)],
)
SPACE = exact_network(
    "space",
    "four points in three dimensions, nine neurons",
    X=[[1, -1, 0], [1, Fraction(1, 2), -1], [-1, 1, 2], [0, 1, 1]],
    W=[
        [p + Fraction(1, 4), q + Fraction(1, 8), s + Fraction(1, 32)]
        for p in (-2, 0, 1)
        for q, s in ((-3, 2), (1, -1), (2, 4))
    ],
    a=[1, 1, -1, 1, -1, -1, 1, 1, -1],
    r=[Fraction(1, 3), -1, 2, Fraction(-5, 7)],
)
AS_MANY_POINTS_AS_WEIGHTS = exact_network(
    "as-many-points-as-weights",
    "m d = n = 2, one neuron: J is square, and its kernel 0",
    X=[[1, 2], [2, 1]],
    W=[[Fraction(5, 4), Fraction(9, 8)]],
    a=[-1],
    r=[1, 2],
)


def exact_instances(_profile: str) -> tuple[ExactNetwork, ...]:
    """Give the catalogued networks."""
    return POINT, PLANE, SPACE, AS_MANY_POINTS_AS_WEIGHTS


def _no_kinks(x: ExactNetwork) -> str | None:
    products = fractions(x.X) @ fractions(x.W).T
    on_kink = np.argwhere(products == 0)
    return f"no neuron may lie on a kink of a point, got w_{on_kink[0][1]}" if len(on_kink) else None


def _signs(x: ExactNetwork) -> str | None:
    return None if all(s in (-1, 1) for s in x.a) else f"a must hold signs, got {[str(s) for s in x.a]}"


def _independent(x: ExactNetwork) -> str | None:
    if _no_kinks(x):
        return None  # J is not defined there, and that is said by its own hypothesis
    G = fractions(x.G)
    for k in range(1, len(G) + 1):  # pivots of Gauss elimination: G is positive semidefinite
        if G[0, 0] <= 0:
            return f"G = J J^T must be positive definite, got rank {k - 1} of {len(x.G)}"
        G = G[1:, 1:] - np.outer(G[1:, 0], G[0, 1:]) / G[0, 0]
    return None


OFF_KINKS = Hypothesis(
    says="no neuron lies on a kink of a point: w_r . x_i != 0 (almost every W; the print has no such word)",
    holds=_no_kinks,
)
SIGNS = Hypothesis(says="a_r in {-1, 1}", holds=_signs)
DEFINITE = Hypothesis(
    says="G = J J^T is positive definite: at least as many weights as data, no two rows alike (A3)", holds=_independent
)


# ---------------------------------------------------------------------------------------------- sketched systems


@dataclass(frozen=True, kw_only=True, eq=False)
class SketchedSystem(Instance):
    """A system G g = r and a sketch drawn for it.

    Parameters
    ----------
    X : (n, d) float, multiples of 2^-14
    W : (m, d) float; a : (m,) float, signs
    r : (n,) float
    sketch : which kind
    s : its rows
    key : of the generator that draws it
    """

    X: Float64
    W: Float64
    a: Float64
    r: Float64
    sketch: SketchName
    s: int
    key: int

    @property
    def jacobian(self) -> Jacobian:
        """A new operator, with a counter of its own."""
        return jacobian(self.W, self.a, self.X)

    @property
    def drawn(self) -> Sketch:
        """The sketch: the same at every call."""
        m, d = self.W.shape
        return SKETCHES[self.sketch].draw(m, d, self.s, np.random.Generator(np.random.Philox(key=self.key)))

    @cached_property
    def preconditioner(self) -> Preconditioner:
        """R of the running code, through its inverse T."""
        return sketched_preconditioner(self.jacobian, self.drawn)

    @cached_property
    def G(self) -> Rows:
        """J J^T, exactly."""
        return exact_rows(self.jacobian.gram())

    @cached_property
    def sketched_gram(self) -> Rows:
        """(S J^T)^T S J^T, exactly."""
        B = exact_rows(self.drawn.apply(self.jacobian))
        return rational_product(transposed(B), B)

    @cached_property
    def triangle_gram(self) -> Rows:
        """T^T T, exactly, for the T that the running code computed."""
        T = exact_rows(self.preconditioner.triangle)
        return rational_product(transposed(T), T)

    @cached_property
    def distortion(self) -> Fraction:
        """A number e just above max |sigma - 1|, sigma the singular values of S on the range of J^T.

        sigma^2 are the eigenvalues of L^-1 (S J^T)^T S J^T L^-T, G = L L^T, computed in floats; the number is rounded
        up by 2^-20 and more, and the statements prove that it is an upper bound.
        """
        G, M = (np.array(rows, dtype=np.float64) for rows in (self.G, self.sketched_gram))
        half = np.linalg.solve(np.linalg.cholesky(G), M)
        both = np.linalg.solve(np.linalg.cholesky(G), half.T)
        sigma = np.sqrt(np.linalg.eigvalsh((both + both.T) / 2))
        e = max(sigma[-1] - 1, 1 - sigma[0])
        return Fraction(int(e * (1 + 2.0**-20) * 2**24) + 2, 2**24)


def on_grid(X: Float64) -> Float64:
    """Round towards zero to multiples of 2^-14: rows do not become longer."""
    return np.asarray(np.trunc(X * GRID) / GRID)


def sketched_system(
    name: str, says: str, *, X: Float64, m: int, sketch: SketchName, s: int, key: int
) -> SketchedSystem:
    """Draw a network at the start, a residual and a sketch; `key` decides all."""
    rng = np.random.Generator(np.random.Philox(key=[key, 1]))
    n, d = X.shape
    return SketchedSystem(
        name=name,
        says=says,
        X=on_grid(X),
        W=rng.standard_normal((m, d)),
        a=rng.choice([-1.0, 1.0], m),
        r=on_grid(np.asarray(rng.standard_normal(n))),
        sketch=sketch,
        s=s,
        key=key,
    )


def random_rows(n: int, d: int, key: int) -> Float64:
    """Draw unit rows."""
    X = np.random.Generator(np.random.Philox(key=[key, 2])).standard_normal((n, d))
    unit: Float64 = X / np.linalg.norm(X, axis=1, keepdims=True)
    return unit


def random_system(n: int, d: int, m: int, sketch: SketchName, s: int, key: int = 1) -> SketchedSystem:
    """Draw all of a system."""
    return sketched_system(
        f"{sketch}-n{n}-m{m}-s{s}" + (f"-key{key}" if key != 1 else ""),
        f"{n} random unit rows in {d} dimensions, m = {m}, {sketch} with {s} rows",
        X=random_rows(n, d, key),
        m=m,
        sketch=sketch,
        s=s,
        key=key,
    )


def real_system(data: str, n: int, m: int, sketch: SketchName, s: int) -> SketchedSystem:
    """Take rows of a data set."""
    from reference.datasets import load  # imported here: scikit-learn takes a second

    return sketched_system(
        f"{data}-{n}-s{s}",
        f"{data}, n = {n}, m = {m}, {sketch} with {s} rows",
        X=load(data, n),
        m=m,
        sketch=sketch,
        s=s,
        key=1,
    )


FEW_ROWS = random_system(8, 4, 256, "TensorSRHT", 16)
AS_MANY_ROWS_AS_DATA = random_system(4, 4, 256, "TensorSRHT", 4)


def sketched_instances(profile: str) -> tuple[SketchedSystem, ...]:
    """Give systems with sketches of 8 to 128 rows per data point; the smaller distort more."""
    found: tuple[SketchedSystem, ...] = (
        random_system(8, 4, 256, "TensorSRHT", 64),
        random_system(8, 4, 256, "TensorSRHT", 1024),
        random_system(8, 4, 256, "SRHT", 256),
        random_system(8, 4, 256, "CountSketch", 256),
        random_system(2, 2, 64, "TensorSRHT", 64),
    )
    if profile in ("ci", "night"):
        found += (
            random_system(12, 8, 1024, "TensorSRHT", 256),
            random_system(8, 4, 1024, "SRHT", 1024),
            real_system("diabetes", 8, 1024, "TensorSRHT", 256),
            real_system("digits", 8, 1024, "TensorSRHT", 256),
        )
    return found


def _nothing_is_rounded(x: SketchedSystem) -> str | None:
    if not np.array_equal(x.X, on_grid(x.X)) or np.abs(x.X).max() > 4:
        return "X must hold multiples of 2^-14 up to 4"
    for name, size in (("m", len(x.W)), ("s", x.s)):
        if size.bit_count() != 1 or size.bit_length() % 2 == 0 or size > 2**14:
            return f"{name} must be a power of 4 up to 2^14, got {name} = {size}"
    return None


def _full_rank(x: SketchedSystem) -> str | None:
    if x.s < len(x.X):
        return f"s must be at least n = {len(x.X)}, got s = {x.s}"
    return None


def _distortion_below_one(x: SketchedSystem) -> str | None:
    e = x.distortion
    return None if e < 1 else f"the sketch must distort lengths by less than 1, got {float(e):.3g}"


EXACT_FLOATS = Hypothesis(
    says="data are multiples of 2^-14, m and s powers of 4: J, G and S J^T are computed without rounding",
    holds=_nothing_is_rounded,
)
ENOUGH_ROWS = Hypothesis(says="the sketch has at least as many rows as there are data", holds=_full_rank)
DISTORTS = Hypothesis(
    says="(1 - e) ||J^T v|| <= ||S J^T v|| <= (1 + e) ||J^T v|| for all v, with e < 1", holds=_distortion_below_one
)
