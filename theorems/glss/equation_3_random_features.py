r"""Equation (3): kernels that are averages over random features.

    K(x, z) = E_{w ~ p} [ phi(x, w)^T phi(z, w) ],   phi(., w) in R^{d2}

The average is a finite sum over features or activation cells, or an integral over frequencies that is enclosed with
its tail; the kernel is a closed form that knows no feature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference.arithmetic import (
    Ball,
    BallMatrix,
    Interval,
    ball,
    enclose,
    exact,
    integral,
    interval,
    pi,
    precision,
    rational_product,
)
from reference.enclosed_features import EnclosedFeatures, plane_features
from reference.exact_linear_algebra import transposed
from reference.gaussian_fourier import gaussian_kernel_balls
from reference.preconditions import exact_rows
from theorems.glss.mixture_instances import (
    SIGNS,
    UNEVEN,
    FiniteMixture,
    FourierLine,
    Mixture,
    PlaneCells,
    in_the_plane,
    instances,
    on_the_line,
)
from theorems.glss.ridge_instances import Matrix, Vector
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Expectation, Hypothesis, Misprint, Rows, Statement

BITS = 128
RANGE = 13  # standard deviations covered by quadrature; the mass beyond is erfc(13 / sqrt 2) < 2e-38


def average(p: Sequence[Fraction], phi: Sequence[Matrix]) -> Rows:
    """Average Phi_j Phi_j^T over j: E[phi(x, w)^T phi(z, w)] exactly."""
    grams = [rational_product(Phi, transposed(Phi)) for Phi in phi]
    size = range(len(grams[0]))
    return [[sum((q * G[a][b] for q, G in zip(p, grams, strict=True)), Fraction(0)) for b in size] for a in size]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about equation (3).

    Parameters
    ----------
    average : (p, phi) -> the average over finitely many features
    cells : enclosed probabilities of the activation cells
    deviation : (sigma, pi) -> standard deviation of the frequencies of the Gaussian kernel
    product : (a, b) -> phi(x, w)^T phi(z, w), a and b the phases 2 pi w x and 2 pi w z
    """

    average: Callable[[Vector, Sequence[Matrix]], Rows] = average
    cells: Callable[[EnclosedFeatures], Sequence[Interval]] = lambda found: found.masses
    deviation: Callable[[Ball, Ball], Ball] = lambda sigma, pi: 1 / (2 * pi * sigma)
    product: Callable[[Ball, Ball], Ball] = lambda a, b: a.cos() * b.cos() + a.sin() * b.sin()


PRINTED = Reading()


def _finite(reading: Reading, x: FiniteMixture) -> list[Claim]:
    n = len(x.kernel)
    return [
        Claim(
            says="E[phi(x, w)^T phi(z, w)] = K(x, z)", left=reading.average(x.p, x.phi), relation="=", right=x.kernel
        ),
        Claim(
            says="K is positive semidefinite: 0 <= K",
            left=[[Fraction(0)] * n for _ in range(n)],
            relation="Loewner <=",
            right=x.kernel,
        ),
    ]


def _cells(reading: Reading, x: PlaneCells) -> list[Claim]:
    found = plane_features(x.X)
    masses = reading.cells(found)
    n = len(x.X)
    return [
        _entry(i, j, _cell_sum(masses, [G[i][j] for G in found.grams]), found.kernel.K)
        for i in range(n)
        for j in range(i + 1)
    ]


def _cell_sum(masses: Sequence[Interval], values: Sequence[Fraction]) -> Interval:
    """Enclose sum_c P_c G_c for one entry; each product of an interval and a number is exact."""
    ends = [sorted((low * v, high * v)) for (low, high), v in zip(masses, values, strict=True)]
    return sum((e[0] for e in ends), Fraction(0)), sum((e[1] for e in ends), Fraction(0))


def _fourier(reading: Reading, x: FourierLine) -> list[Claim]:
    rows, K = [row[0] for row in exact_rows(x.X)], gaussian_kernel_balls(x.X, x.sigma, BITS)
    return [
        _entry(i, j, frequency_average(reading, rows[i], rows[j], x.sigma), K)
        for i in range(len(rows))
        for j in range(i + 1)
    ]


def frequency_average(reading: Reading, x: Fraction, z: Fraction, sigma: float) -> Interval:
    """Enclose E[phi(x, w)^T phi(z, w)] over normal frequencies, w = deviation * g with g standard normal.

    By rigorous quadrature on |g| <= RANGE; beyond it the integrand is at most twice the density: cosines and sines
    are bounded by 1, and every product here, broken ones included, has two terms at most.
    """
    with precision(BITS):
        p = ball(pi(BITS), BITS)
        turn = 2 * p * reading.deviation(ball(exact(sigma), BITS), p)
        height = 1 / (2 * p).sqrt()
        a, b = turn * ball(x, BITS), turn * ball(z, BITS)

        def integrand(g: Any) -> Any:
            return height * (-(g * g) / 2).exp() * reading.product(g * a, g * b)

    low, high = integral(integrand, -RANGE, RANGE, BITS)
    tail = 2 * enclose(lambda t: (t / 2).sqrt().erfc(), RANGE**2, bits=BITS)[1]
    return low - tail, high + tail


def _entry(i: int, j: int, seen: Interval, K: BallMatrix) -> Claim:
    return Claim(
        says=f"E[phi(x_{i + 1}, w)^T phi(x_{j + 1}, w)] = K(x_{i + 1}, x_{j + 1})",
        left=seen,
        relation="=",
        right=interval(K[i, j]),
    )


def conclusion(reading: Reading) -> Expectation:
    """Give the sentence for a reading of (3), the printed one or a broken one."""

    def claims(x: Mixture) -> list[Claim]:
        match x:
            case FiniteMixture():
                return _finite(reading, x)
            case PlaneCells():
                return _cells(reading, x)
            case FourierLine():
                return _fourier(reading, x)

    return Expectation(claims=claims)


def _law_is_one(x: Mixture) -> str | None:
    if not isinstance(x, FiniteMixture):
        return None
    if min(x.p) > 0 and sum(x.p) == 1:
        return None
    return f"p must be positive and sum to 1, got sum {sum(x.p)}, least {min(x.p)}"


def _shapes_agree(x: Mixture) -> str | None:
    if not isinstance(x, FiniteMixture):
        return None
    shapes = {(len(Phi), len(row)) for Phi in x.phi for row in Phi}
    if len(x.phi) == len(x.p) and len(shapes) == 1 and {len(x.kernel)} == {n for n, _ in shapes}:
        return None
    return f"phi must hold one n x d2 matrix per probability, got shapes {sorted(shapes)} and {len(x.p)} probabilities"


def _drawn() -> Any:
    from theorems.glss.ridge_strategies import mixtures

    return mixtures()


def _uniform(p: Vector, phi: Sequence[Matrix]) -> Rows:
    return average([Fraction(1, len(p))] * len(p), phi)


def _of_the_mean(p: Vector, phi: Sequence[Matrix]) -> Rows:
    n, d2 = len(phi[0]), len(phi[0][0])
    mean = tuple(
        tuple(sum((q * Phi[i][k] for q, Phi in zip(p, phi, strict=True)), Fraction(0)) for k in range(d2))
        for i in range(n)
    )
    return average([Fraction(1)], [mean])


def _twin(name: str, because: str, refuted_on: Mixture, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="glss.eq3",
    number="(3)",
    title="Kernels of random features",
    kind="Equation",
    says=r"K(x,z)=\mathbb{E}_{w\sim p}[\phi(x,w)^\top\phi(z,w)]",
    plainly="The kernels considered are averages of inner products of random features; linear, polynomial, ReLU "
    "tangent and Gaussian kernels are, each with its own features and law.",
    source=GLSS.at("Section 3.1, equation (3)"),
    deviation="(3) is a definition; the sentence is that the known kernels satisfy it with the features named. The law "
    "p may be discrete: a density with respect to a counting measure.",
    constant="explicit",
    hypotheses=(
        Hypothesis(says="p is a probability law", holds=_law_is_one),
        Hypothesis(says="phi(x, w) has d2 entries for every point and every w", holds=_shapes_agree),
        Hypothesis(
            says="phi(x, .) is square integrable under p",
            guaranteed_by="finitely many values, activations bounded by |x|, cosines and sines bounded by 1",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin("uniform_law", "the law p weighs the features; here p = (1/9, 4/9, 4/9)", UNEVEN, average=_uniform),
        _twin(
            "kernel_of_the_mean_feature",
            "E[phi]^T E[phi] is not E[phi^T phi]: random signs average to 0",
            SIGNS,
            average=_of_the_mean,
        ),
        _twin(
            "cells_equally_likely",
            "an activation cell has the probability of its angle",
            in_the_plane()[0],
            cells=lambda found: [(Fraction(1, len(found.masses)),) * 2] * len(found.masses),
        ),
        _twin(
            "two_pi_forgotten_in_the_law",
            "with phases 2 pi w x the frequencies have deviation 1/(2 pi sigma); 1/sigma belongs to phases w x",
            on_the_line()[0],
            deviation=lambda sigma, _pi: 1 / sigma,
        ),
        _twin(
            "cosine_without_sine",
            "E[2 cos cos] = K(x - z) + K(x + z): cosines alone need a random phase",
            on_the_line()[0],
            product=lambda a, b: 2 * a.cos() * b.cos(),
        ),
    ),
    misprints=(
        Misprint(
            id="E20",
            says="before (3): 'positive definite kernel matrix K: R^d x R^d -> R'",
            instead="kernel function K: R^d x R^d -> R; its Gram matrix K in R^{n x n} is positive semidefinite",
            witness="'coordinates-corners': n = 4 points, three of them and a zero row on one line, rank K = 1",
        ),
    ),
    notes=("An equality of enclosed numbers is proven up to 2^-40 and refuted exactly; finite mixtures are exact.",),
    strategy=_drawn,
)
