r"""Section 4, initialization phase: how far H(0) is from H_cts on average, exactly, at every width.

    E ||H(0) - H_cts||_F^2 = (1/m) sum_ij (x_i.x_j)^2 p_ij (1 - p_ij),   p_ij = (pi - theta_ij) / (2 pi)

The left side is a sum over all C^m ways in which m neurons can fall into the C activation cells, the right side knows
only the kernel: (x_i.x_j)^2 p (1 - p) = H_cts,ij (x_i.x_j - H_cts,ij).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np

from reference.arithmetic import Exact, precision
from theorems.glss.ridge_instances import Matrix, matrix, on_circle
from theorems.glss.tangent_worlds import BITS, Number, Numbers, World, world
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Expectation, Hypothesis, Instance, Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallNetwork(Instance):
    """Data of rank at most 3, and a width at which all networks can be listed.

    Parameters
    ----------
    X : (n, d) data
    m : width
    rational : all angles are multiples of 30 or 45 degrees, and numbers are exact; else they are enclosed
    """

    X: Matrix
    m: int
    rational: bool

    @property
    def world(self) -> World:
        """Activation cells, their probabilities and the kernel."""
        return world(self.X, self.rational)


def squared(A: Numbers) -> Number:
    """Give ||A||_F^2."""
    return (A * A).sum()


def by_enumeration(x: SmallNetwork) -> Number:
    """Sum ||H(0) - H_cts||_F^2 over all networks, each with its probability."""
    w = x.world
    grams = w.grams()
    networks = product(range(len(w.mass)), repeat=x.m)
    return sum(
        (prod((w.mass[c] for c in cells), start=w.number(1)))
        * squared(grams[list(cells)].sum(axis=0) / w.number(x.m) - w.kernel)
        for cells in networks
    )


def variances(w: World) -> Numbers:
    """Give (x_i.x_j)^2 p_ij (1 - p_ij): (n, n)."""
    result: Numbers = w.kernel * (w.products() - w.kernel)
    return result


Formula = Callable[[World, int], Number]


def formula(w: World, m: int) -> Number:
    """Give the right side."""
    return variances(w).sum() / w.number(m)


def conclusion(right: Formula) -> Expectation:
    """Give the sentence for a right side, the true one or a broken one."""

    def claims(x: SmallNetwork) -> Sequence[Claim]:
        with precision(BITS):
            w = x.world
            return [
                Claim(
                    says="E ||H(0) - H_cts||_F^2 over all networks = (1/m) sum of the variances",
                    left=w.quantity(by_enumeration(x)),
                    relation="=",
                    right=w.quantity(right(w, x.m)),
                )
            ]

    return Expectation(claims=claims)


def _given(name: str, says: str, X: Sequence[Sequence[Exact]], m: int, rational: bool = True) -> SmallNetwork:
    return SmallNetwork(name=name, says=says, X=matrix(X), m=m, rational=rational)


POINT = _given("one-point", "n = d = 1, m = 4: 1/16", [[1]], 4)
SQUARE = _given("square", "three points at multiples of 45 degrees, m = 3", [[1, 0], [1, 1], [0, -2]], 3)
CORNERS = _given("corners", "a point, its double, its antipode and 0; m = 5", [[1, 1], [2, 2], [-1, -1], [0, 0]], 5)
TRIANGLE = _given("triangle", "roots of A_2 at 60 and 120 degrees, m = 2", [[1, -1, 0], [1, 0, -1], [-1, 1, 0]], 2)
CUBE = _given("cube-roots", "roots of B_3 at 45, 60 and 90 degrees, m = 2", [[1, 0, 0], [1, 1, 0], [0, 1, 1]], 2)
ONE_NEURON = _given("one-neuron", "orthonormal data seen by a single neuron", [[1, 0], [0, 1]], 1)
FAN = _given("I2", "angles .3, 1.5 and 2.9, m = 3; enclosed", on_circle(0.3, 1.5, 2.9).tolist(), 3, rational=False)


def instances(profile: str) -> tuple[SmallNetwork, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[SmallNetwork, ...] = (POINT, SQUARE, CORNERS, TRIANGLE, CUBE, ONE_NEURON, FAN)
    if profile in ("ci", "night"):
        found += (_given("square-5", "three points at multiples of 45 degrees, m = 5", [[1, 0], [1, 1], [0, -2]], 5),)
    return found


def _twin(name: str, because: str, refuted_on: SmallNetwork, right: Formula) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(right), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.glss.training_phase_strategies import small_networks

    return small_networks()


STATEMENT = Statement(
    id="glss.init-phase.second_moment",
    number="4, initialization phase, on average",
    title="The mean squared distance of the kernel before training",
    kind="Step of a proof",
    says=r"\mathbb{E}\lVert H(0)-H^{\mathrm{cts}}\rVert_F^2="
    r"\frac{1}{m}\sum_{i,j}(x_i^{\top}x_j)^2\,p_{ij}(1-p_{ij}),\quad p_{ij}=\frac{\pi-\theta_{ij}}{2\pi}",
    plainly="The kernel at the start is off by exactly a constant over the square root of the width, on average.",
    source=GLSS.at("Section 4, 'Initialization phase'"),
    deviation="not printed: what 'sufficiently close' is on average, derived here",
    constant="proved here",
    hypotheses=(
        Hypothesis(says="m >= 1", holds=lambda x: None if x.m >= 1 else f"m must be at least 1, got m = {x.m}"),
        Hypothesis(
            says="w_r(0) ~ N(0, I_d), independent (Definition 3.5)",
            guaranteed_by="all networks are listed with the product of the probabilities of their cells",
        ),
    ),
    conclusion=conclusion(formula),
    instances=instances,
    twins=(
        _twin(
            "width_squared",
            "independent errors add up in the square, not in the mean",
            POINT,
            lambda w, m: formula(w, m) / w.number(m),
        ),
        _twin(
            "second_moment_not_centred",
            "p for p (1 - p): the mean is H_cts, not 0",
            SQUARE,
            lambda w, m: (w.kernel * w.products()).sum() / w.number(m),
        ),
        _twin(
            "diagonal_only",
            "the Frobenius norm has all entries",
            TRIANGLE,
            lambda w, m: np.trace(variances(w)) / w.number(m),
        ),
        _twin(
            "every_pair_once",
            "entries above and below the diagonal both count",
            CUBE,
            lambda w, m: np.triu(variances(w)).sum() / w.number(m),
        ),
        _twin(
            "largest_variance_everywhere",
            "p (1 - p) <= 1/4 is Hoeffding's bound, attained on the diagonal only",
            FAN,
            lambda w, m: squared(w.products()) / w.number(4 * m),
        ),
    ),
    strategy=_drawn,
)
