"""The instances of equations (13) to (16): one moment of the gradient flow, in exact numbers, away from the kinks.

Data lie on lattices where the tangent kernel is rational, so that H_cts and u* are exact too. The weights are made by
hand: the identities hold at every moment of every flow, so any weights will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from reference.arithmetic import Exact, rational_solve
from reference.exact_linear_algebra import column, shifted
from reference.rational_angles import rational_tangent_kernel
from reference.rational_networks import Exactly, RationalNetwork, fractions
from theorems.glss.ridge_instances import Matrix, Vector, matrix, vector
from theorems.statement import Hypothesis, Instance


@dataclass(frozen=True, kw_only=True, eq=False)
class Moment(Instance):
    """A two-layer network, its data and its hyperparameters.

    Parameters
    ----------
    X : (n, d) data, at angles that make the tangent kernel rational
    new : (k, d) test points, likewise
    Y : (n,) labels
    W : (m, d) first layer, m a square number; a : (m,) signs
    kappa, lam : multiplier and ridge
    """

    X: Matrix
    new: Matrix
    Y: Vector
    W: Matrix
    a: Vector
    kappa: Fraction
    lam: Fraction

    @cached_property
    def network(self) -> RationalNetwork:
        """The reference object."""
        return RationalNetwork(
            X=fractions(self.X),
            Y=fractions(self.Y),
            W=fractions(self.W),
            a=fractions(self.a),
            kappa=self.kappa,
            lam=self.lam,
        )

    @cached_property
    def H_cts(self) -> Exactly:
        """Tangent kernel matrix of the data."""
        return fractions(rational_tangent_kernel(self.X, self.X))

    @cached_property
    def K_test(self) -> Exactly:
        """Tangent kernel between test points and data."""
        return fractions(rational_tangent_kernel(self.new, self.X))

    @cached_property
    def u_star(self) -> Exactly:
        """Give u* = kappa^2 H_cts (kappa^2 H_cts + lam I)^-1 Y."""
        kernel = self.kappa**2 * self.H_cts
        alpha = rational_solve(shifted(kernel.tolist(), self.lam), column(self.Y))
        u_star: Exactly = kernel @ fractions([row[0] for row in alpha])
        return u_star


def moment(
    name: str,
    says: str,
    *,
    X: Iterable[Iterable[Exact]],
    new: Iterable[Iterable[Exact]],
    Y: Iterable[Exact],
    W: Iterable[Iterable[Exact]],
    a: Iterable[Exact],
    kappa: Fraction,
    lam: Fraction,
) -> Moment:
    """Take every number at its exact value."""
    return Moment(
        name=name,
        says=says,
        X=matrix(X),
        new=matrix(new),
        Y=vector(Y),
        W=matrix(W),
        a=vector(a),
        kappa=kappa,
        lam=lam,
    )


ONE_NEURON = moment(
    "I0",
    "one point, one neuron, kappa = 1/2, lambda = 1/10, all else 1; test points 2 and -1",
    X=[[1]],
    new=[[2], [-1]],
    Y=[1],
    W=[[1]],
    a=[1],
    kappa=Fraction(1, 2),
    lam=Fraction(1, 10),
)
SQUARE = moment(
    "square",
    "three points at multiples of 45 degrees, four neurons, kappa = 1/3",
    X=[[1, 0], [1, 1], [0, -2]],
    new=[[-1, 1], [1, 0]],
    Y=[1, -1, Fraction(1, 2)],
    W=[[2, 1], [-1, 3], [Fraction(-3, 2), -1], [1, -2]],
    a=[1, -1, -1, 1],
    kappa=Fraction(1, 3),
    lam=Fraction(1, 7),
)
TRIANGLE = moment(
    "triangle",
    "roots of A_2 at 60 and 120 degrees, an opposite pair among them, nine neurons, kappa = 1",
    X=[[1, -1, 0], [1, 0, -1], [-1, 1, 0]],
    new=[[0, 1, -1], [0, -1, 1]],
    Y=[1, 2, -1],
    W=[[3, 1, -1], [1, 4, 2], [-2, 1, 5], [1, -3, 2], [-1, -2, 3], [4, 1, 2], [2, -5, 1], [-3, 1, 2], [1, 2, -4]],
    a=[1, 1, -1, 1, -1, -1, 1, 1, -1],
    kappa=Fraction(1),
    lam=Fraction(1, 5),
)
DUPLICATES = moment(
    "duplicates",
    "a point twice with different labels: H_cts singular, kappa = 3/4",
    X=[[1, 1], [1, 1], [-1, 1]],
    new=[[0, 1], [2, 2]],
    Y=[1, -1, 1],
    W=[[1, 2], [3, -1], [-2, 1], [-1, -4]],
    a=[1, -1, 1, 1],
    kappa=Fraction(3, 4),
    lam=Fraction(1, 1000),
)
ASLEEP = moment(
    "asleep",
    "no neuron sees a point: H = 0 and u = 0, kappa = 1/2",
    X=[[1, 0], [0, 1]],
    new=[[-1, 0]],
    Y=[1, 1],
    W=[[-1, -2]],
    a=[1],
    kappa=Fraction(1, 2),
    lam=Fraction(1, 4),
)


def instances(_profile: str) -> Sequence[Moment]:
    """Give the catalogued moments."""
    return (ONE_NEURON, SQUARE, TRIANGLE, DUPLICATES, ASLEEP)


def _no_kinks(x: Moment) -> str | None:
    products = fractions((*x.X, *x.new)) @ fractions(x.W).T
    on_kink = np.argwhere(products == 0)
    return f"no neuron may lie on a kink of a point, got w_{on_kink[0][1]}" if len(on_kink) else None


def _in_range(x: Moment) -> str | None:
    if not 0 < x.kappa <= 1:
        return f"kappa must lie in (0, 1], got kappa = {x.kappa}"
    return None if 0 < x.lam < 1 else f"lam must lie in (0, 1), got lam = {x.lam}"


HYPOTHESES = (
    Hypothesis(says="kappa in (0, 1] and lambda in (0, 1), as in Definition 3.5", holds=_in_range),
    Hypothesis(
        says="no neuron lies on a kink of a point: w_r . x_i != 0 (the print has no such word; almost every t)",
        holds=_no_kinks,
    ),
    Hypothesis(
        says="W(t) follows the gradient flow of (6) ('gradient descent' in the print, read as its flow)",
        guaranteed_by="dW/dt is minus the gradient at W, by the reference object; nothing else of the flow is used",
    ),
    Hypothesis(
        says="a_r in {-1, 1}",
        holds=lambda x: None if all(s in (-1, 1) for s in x.a) else f"a must hold signs, got {[str(s) for s in x.a]}",
    ),
)
