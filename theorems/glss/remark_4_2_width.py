r"""Remark 4.2 at finite width: how fast deep networks approach their limit, at the start and along training.

    H(0) -> Theta                                               the deep recursion
    u(k+1) = gamma^L u(k) + h gamma^(L-1) Theta_k (Y - u(k)),   Theta_k = gamma^(2 (L-1) k) Theta

with gamma = 1 - h lam / L. The second line is gradient descent in the limit of infinite width, since f and Theta are
homogeneous of degrees L and 2 L - 2: as h -> 0 it is u' = e^(-2 (L - 1) lam t / L) Theta (Y - u) - lam u. Both
distances are measured at several widths, and fall like 1 / sqrt m.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from reference.deep_networks import deep_current_kernel, deep_descend, deep_initialisation, deep_tangent_kernel
from reference.preconditions import Float64
from reference.relu_tangent import angle
from theorems.glss.bootstrapped_exponents import decades, exponent
from theorems.glss.remark_4_2_kernel_shrinkage import SHRINKAGE
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Hypothesis, Instance, Rate, Slope, Statement

TOLERANCE = Fraction(1, 4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Widths(Instance):
    """Networks of L layers at several widths, on points of the plane.

    Parameters
    ----------
    angles : of the points, whose length is 1 / sqrt L, so that Theta has the diagonal 1
    Y : labels
    L : layers, all trained
    widths : of the hidden layers
    runs : networks per width
    lam : ridge; the regulariser is lam / L
    step, steps : of gradient descent
    seed : of the networks
    """

    angles: tuple[float, ...]
    Y: tuple[float, ...]
    L: int
    widths: tuple[int, ...]
    runs: int
    lam: float
    step: float
    steps: int
    seed: int

    @property
    def X(self) -> Float64:
        """Give the points: (n, 2)."""
        points: Float64 = np.stack([np.cos(self.angles), np.sin(self.angles)], axis=1) / np.sqrt(self.L)
        return points

    def rng(self, width: int, run: int) -> np.random.Generator:
        """Give the generator of one network; run = -1 is that of the bootstrap."""
        return np.random.Generator(np.random.Philox(key=[self.seed << 32 | width, run + 1]))

    def networks(self, width: int) -> list[list[Float64]]:
        """Draw the networks of one width."""
        return [deep_initialisation(2, width, self.L, self.rng(width, run)) for run in range(self.runs)]


Measured = Callable[[Widths, list[Float64]], float]
"""(instance, layers) -> distance of a network from its limit."""


def conclusion(distance: Measured) -> Rate:
    """Give the sentence 'this distance falls like 1 / sqrt m'."""

    @cache
    def distances(x: Widths) -> list[list[float]]:
        return [[distance(x, layers) for layers in x.networks(width)] for width in x.widths]

    def measure(x: Widths) -> Slope:
        lower, _, upper = exponent(x.widths, distances(x), x.rng(0, -1))
        return Slope(
            lower=lower,
            upper=upper,
            claimed=Fraction(-1, 2),
            tolerance=TOLERANCE,
            decades=decades(x.widths),
            points=len(x.widths),
        )

    def facts(x: Widths) -> Mapping[str, float | int | str]:
        medians = np.median(distances(x), axis=1)
        return {"L": x.L, "median at the least width": float(medians[0]), "at the greatest": float(medians[-1])}

    return Rate(measure=measure, facts=facts)


# ------------------------------------------------------------------------------------------------- the start

Limit = Callable[[Widths], Float64]


def start(limit: Limit = lambda x: deep_tangent_kernel(x.X, x.L)) -> Rate:
    """Give the sentence on ||H(0) - limit||_F."""
    return conclusion(lambda x, layers: float(np.linalg.norm(deep_current_kernel(layers, x.X) - limit(x))))


def _without_slopes(x: Widths) -> Float64:
    """Give the recursion Theta_{l+1} = Theta_l + S_{l+1}, for L = 2."""
    below = x.X @ x.X.T
    return np.asarray(below + deep_tangent_kernel(x.X, 2) - below * (np.pi - angle(x.X, x.X)) / np.pi)


# -------------------------------------------------------------------------------------------------- the path


@dataclass(frozen=True, kw_only=True)
class Limiting:
    """What gradient descent does in the limit of infinite width.

    Parameters
    ----------
    kernel : power of gamma^k in Theta_k, for L layers
    output : power of gamma before u
    """

    kernel: Callable[[int], int] = lambda L: 2 * (L - 1)
    output: Callable[[int], int] = lambda L: L


TRUE = Limiting()


def limiting_descent(x: Widths, first: Float64, limiting: Limiting = TRUE) -> Float64:
    """Give u at the end of training in the limit of infinite width, from u(0) = first: (n,)."""
    Theta, Y, gamma = deep_tangent_kernel(x.X, x.L), np.array(x.Y), 1 - x.step * x.lam / x.L
    u = first
    for k in range(x.steps):
        push = x.step * gamma ** (x.L - 1 + limiting.kernel(x.L) * k)
        u = gamma ** limiting.output(x.L) * u + push * Theta @ (Y - u)
    return u


def path(limiting: Limiting = TRUE) -> Rate:
    """Give the sentence on ||u(K) - its limit||."""

    def distance(x: Widths, layers: list[Float64]) -> float:
        u = deep_descend(layers, x.X, x.Y, decay=x.lam / x.L, step=x.step, steps=x.steps).u
        return float(np.linalg.norm(u[-1] - limiting_descent(x, u[0], limiting)))

    return conclusion(distance)


# ---------------------------------------------------------------------------------------------- the statements


def _family(L: int, widths: Sequence[int], runs: int, seed: int) -> Widths:
    return Widths(
        name=f"L{L}",
        says=f"{L} layers, widths {widths[0]} to {widths[-1]}, angles .3 and 1.5, lambda = .2, {runs} networks each",
        angles=(0.3, 1.5),
        Y=(1.0, -0.5),
        L=L,
        widths=tuple(widths),
        runs=runs,
        lam=0.2,
        step=0.25,
        steps=40,
        seed=seed,
    )


TWO = _family(2, [64, 256, 1024, 4096, 16384], 12, 1)
MANY = _family(2, [64, 256, 1024, 4096, 16384], 32, 6)
LATE = replace(_family(2, [1024, 3072, 9216, 27648, 82944], 12, 11), name="L2-late")
NARROW = [10, 20, 40, 80, 160, 320]
WIDE = [32, 64, 128, 256, 512, 1024]


def _starts(profile: str) -> tuple[Widths, ...]:
    found = (MANY, _family(3, NARROW, 32, 7), _family(4, NARROW, 32, 8))
    return found + (() if profile == "quick" else (_wide(_family(3, WIDE, 32, 9)), _wide(_family(4, WIDE, 32, 10))))


def _paths(profile: str) -> tuple[Widths, ...]:
    found = (TWO, _family(3, NARROW, 12, 2), _family(4, NARROW, 12, 3))
    return found + (() if profile == "quick" else (_wide(_family(3, WIDE, 16, 4)), _wide(_family(4, WIDE, 16, 5))))


def _wide(x: Widths) -> Widths:
    return replace(x, name=f"{x.name}-wide")


HYPOTHESES = (
    Hypothesis(
        says="at least two layers, no biases, entries N(0, 1) with the scale sqrt(2 / m) (Definition 3.5 for all "
        "layers; the last one is Gaussian too, not signs as in A13)",
        guaranteed_by="the reference object; keyed Philox streams",
    ),
    Hypothesis(
        says="five or more widths over one and a half decades",
        holds=lambda x: (
            None if len(x.widths) >= 5 and decades(x.widths) >= 1.5 else f"got widths {', '.join(map(str, x.widths))}"
        ),
    ),
)


def _start_twin(name: str, because: str, limit: Limit) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=start(limit), refuted_on=LATE)


def _path_twin(name: str, because: str, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=path(Limiting(**change)), refuted_on=TWO)


START = Statement(
    id="glss.rem4.2.start",
    number="4.2, the start",
    title="Several trained layers: the tangent kernel at the start",
    kind="Remark",
    says=r"\lVert H(0)-\Theta\rVert_F=O(m^{-1/2}),\qquad\Theta_{l+1}=\Theta_l\,\frac{\pi-\theta_l}{\pi}+S_{l+1}",
    plainly="Deep ReLU networks start with the kernel of the deep recursion, up to 1 / sqrt m.",
    source=GLSS.at("Remark 4.2, with Jacot, Gabriel and Hongler 2018 for the kernel"),
    deviation="the remark names no kernel; a finite sentence about a range of widths",
    constant="hidden",
    hypotheses=HYPOTHESES,
    conclusion=start(),
    instances=_starts,
    twins=(
        _start_twin("one_layer_less", "the recursion stops too early", lambda x: deep_tangent_kernel(x.X, x.L - 1)),
        _start_twin(
            "one_layer_of_several", "Theta / L: one layer trained", lambda x: deep_tangent_kernel(x.X, x.L) / x.L
        ),
        _start_twin(
            "activations_left_out", "Theta_{l+1} = Theta_l + S_{l+1}: half the neurons are off", _without_slopes
        ),
    ),
)

PATH = Statement(
    id="glss.rem4.2.path",
    number="4.2, along training",
    title="Several trained layers: training follows the decaying flow",
    kind="Remark",
    says=r"\lVert u(K)-\bar u(K)\rVert_2=O(m^{-1/2}),\qquad"
    r"\bar u(k+1)=\gamma^L\bar u(k)+h\gamma^{L-1}\gamma^{2(L-1)k}\,\Theta\,(Y-\bar u(k)),"
    r"\quad\gamma=1-\frac{h\lambda}{L}",
    plainly="Wide networks of several layers follow kernel regression with a kernel that shrinks, not a fixed one.",
    source=GLSS.at("Remark 4.2"),
    deviation="the limit that the print leaves out (E14); a finite sentence about a range of widths",
    constant="hidden",
    hypotheses=HYPOTHESES,
    conclusion=path(),
    instances=_paths,
    twins=(
        _path_twin("kernel_keeps_its_size", "the limit that the remark has in mind", kernel=lambda _: 0),
        _path_twin(
            "half_the_shrinkage",
            "the kernel is of degree 2 L - 2, not L - 1",
            kernel=lambda L: L - 1,
        ),
        _path_twin("pull_of_one_layer", "the outputs shrink by gamma^L in a step", output=lambda _: 1),
    ),
    misprints=(SHRINKAGE,),
)
STATEMENTS = (START, PATH)
