"""What the statements on the finite network share: its definition, word by word, on exact numbers.

    f(W, a, x) = m^-1/2 sum_r a_r max(w_r.x, 0),   L(W) = ||Y - kappa f||^2 / 2 + lam ||W||_F^2 / 2

The reference object knows the gradient; these lines know only the definition, kinks included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import isqrt

import numpy as np

from reference.arithmetic import exact
from reference.rational_networks import Exactly, fractions
from theorems.glss.flow_moments import HYPOTHESES, SQUARE, TRIANGLE, Moment, moment
from theorems.statement import Hypothesis

RANGES, NO_KINKS, _, SIGNS = HYPOTHESES

Loss = Callable[[Moment, Exactly], Fraction]
"""(moment, W) -> the objective at W."""


def network(W: Exactly, a: Exactly, X: Exactly) -> Exactly:
    """Evaluate the network at the rows of X: (k,) Fractions; the width is a square number."""
    products: Exactly = X @ W.T
    f: Exactly = np.where(products > 0, products, 0 * products) @ a / Fraction(isqrt(len(W)))
    return f


def loss(x: Moment, W: Exactly) -> Fraction:
    """Evaluate the regularised squared loss at W."""
    net = x.network
    rest = net.Y - x.kappa * network(W, net.a, net.X)
    return (dot(rest, rest) + x.lam * dot(W, W)) / 2


def dot(u: Exactly, v: Exactly) -> Fraction:
    """Give the inner product of two exact vectors, or of two matrices as long vectors."""
    total: Fraction = (u * v).sum()
    return total


def everything(x: Moment) -> Exactly:
    """Give the data, then the test points."""
    return fractions((*x.X, *x.new))


def short_step(x: Moment) -> Fraction:
    """Give a step by which any one coordinate of W may move without a neuron meeting a kink of a data point."""
    X = x.network.X
    products = X @ x.network.W.T
    allowed = [
        abs(products[i, r]) / abs(t) for i, point in enumerate(X) for t in point if t for r in range(products.shape[1])
    ]
    return exact(min(allowed, default=Fraction(1)) / 2)


WEIGHTED = replace(
    SQUARE,
    name="square-reweighed",
    says="three points at multiples of 45 degrees, four neurons with frozen weights 1/2, 3, 2/3, 1, kappa = 1/3",
    a=(Fraction(1, 2), Fraction(-3), Fraction(-2, 3), Fraction(1)),
)
WEIGHTED_TRIANGLE = replace(
    TRIANGLE,
    name="triangle-reweighed",
    says="roots of A_2, nine neurons with frozen weights 1/3 to 3, kappa = 1",
    a=tuple(s * Fraction(r + 1, 3) for r, s in enumerate(TRIANGLE.a)),
)
ALIGNED = moment(
    "aligned",
    "four equal neurons along the only point: |f| is as large as it can be",
    X=[[3, 4]],
    new=[[3, 4]],
    Y=[1],
    W=[[3, 4]] * 4,
    a=[1] * 4,
    kappa=Fraction(1),
    lam=Fraction(1, 10),
)
HALF_SEEN = moment(
    "half-seen",
    "one point, one neuron that sees it, Y = 1 as predicted, lambda = 1/10: the mirrored neuron predicts 0",
    X=[[1]],
    new=[[1]],
    Y=[1],
    W=[[1]],
    a=[1],
    kappa=Fraction(1),
    lam=Fraction(1, 10),
)

WEIGHTS = Hypothesis(
    says="a_r omega_r != 0: signs times frozen positive weights sqrt(p/q)(w_r(0))",
    holds=lambda x: None if all(x.a) else f"a must have no zero, got {[str(s) for s in x.a]}",
)
