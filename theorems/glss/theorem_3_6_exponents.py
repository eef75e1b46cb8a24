r"""Theorem 3.6, its exponents: how the width that training needs grows with 1/eps, 1/Lambda_0, n and d.

    m ~ n^4 d / (Lambda_0^3 eps)        in print

Each instance is a family and a finite sentence about it: the fitted slope is at most the printed exponent + 1/4. With
err the distance to u* at the end of training and lambda = 1 / sqrt m, the width for accuracy eps is read off as

    along 1/eps     m against 1/err, at several widths, on fixed data
    along the rest  m err, the width per 1/eps, at widths where err ~ 1/m; fixed or random data of each size

Interval: medians of err over the runs of each size, Theil-Sen slope of their logarithms (median of the slopes of all
pairs), and its .005 and .995 quantiles over 400 bootstrap resamples of the runs. A slope below the printed one is no
contradiction: the theorem is an upper bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, log
from typing import Any

import numpy as np

from reference.preconditions import Float64
from reference.relu_tangent import tangent_kernel
from theorems.glss.fitted_slopes import theil_sen
from theorems.glss.training_instances import (
    DESCENT,
    GAUSSIAN,
    I1,
    SIGNS,
    Training,
    alternating,
    on_circle,
    random_unit,
    shrinking_ridge,
    training,
)
from theorems.glss.training_runs import deviations, train
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Hypothesis, Instance, Rate, Slope, Statement

RESAMPLES = 400
QUANTILES = (0.005, 0.995)
TOLERANCE = Fraction(1, 4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Member(Instance):
    """One size of a family.

    Parameters
    ----------
    size : 1/Lambda_0, n or d; None where the size is 1/err
    runs : trainings of that size, each with its width and seed
    """

    size: float | None
    runs: tuple[Training, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Family(Instance):
    """Networks trained at several sizes.

    Parameters
    ----------
    members : at least five
    claimed : exponent of the width in the size
    seed : of the bootstrap
    """

    members: tuple[Member, ...]
    claimed: Fraction
    seed: int


Points = tuple[Float64, Float64]


def errors(x: Family) -> list[Float64]:
    """Train everything: the distances to u* at the end, per member.

    Raises
    ------
    ArithmeticError : a run has no certificate
    """
    return [np.array([error(problem) for problem in member.runs]) for member in x.members]


def error(problem: Training) -> float:
    """Give ||u(T) - u*|| of one run."""
    if problem.m is None:
        raise ValueError(f"error: a run needs its width m, got None for {problem.name}")
    run = train(problem, problem.m, problem.rng())
    if not run.certified:
        raise ArithmeticError(f"error: no certificate for {problem.name} at m = {problem.m}")
    return float(np.linalg.norm(deviations(problem, run.u)[-1]))


def coordinates(x: Family, found: Sequence[Float64]) -> Points:
    """Give log size and log width needed per member, from the median error of its runs."""
    err = np.array([np.median(e) for e in found])
    m = np.array([float(member.runs[0].m or 0) for member in x.members])
    if x.members[0].size is None:
        return -np.log(err), np.log(m)
    return np.log([float(member.size or np.nan) for member in x.members]), np.log(m * err)


def measure(x: Family) -> Slope:
    """Train, fit, and resample the runs."""
    found = errors(x)
    rng = np.random.Generator(np.random.Philox(key=x.seed))
    slopes = [theil_sen(*coordinates(x, [rng.choice(e, len(e)) for e in found])) for _ in range(RESAMPLES)]
    lower, upper = (float(q) for q in np.quantile(slopes, QUANTILES))
    sizes, _ = coordinates(x, found)
    return Slope(
        lower=lower,
        upper=upper,
        claimed=x.claimed,
        tolerance=TOLERANCE,
        decades=float((sizes.max() - sizes.min()) / log(10)),
        points=len(x.members),
    )


def conclusion(claimed: Callable[[Family], Fraction] = lambda x: x.claimed) -> Rate:
    """Give the sentence, for some exponent."""
    return Rate(
        measure=lambda x: measure(replace(x, claimed=claimed(x))),
        facts=lambda x: {"runs per size": len(x.members[0].runs), "claimed": str(claimed(x))},
    )


# --------------------------------------------------------------------------------------------------- families


def horizon(least: float, m: int) -> int:
    """Give the steps after which exp(-Lambda_0 T) < m^-2."""
    return ceil(2 * log(m) / least)


def _member(name: str, size: float | None, problems: Sequence[Training]) -> Member:
    return Member(name=name, says=name, size=size, runs=tuple(problems))


def _problem(X: Float64, m: int, seed: int, **more: Any) -> Training:
    least = float(np.linalg.eigvalsh(tangent_kernel(X))[0])
    given: dict[str, Any] = {
        "Y": alternating(len(X)),
        "lam": shrinking_ridge(m),
        "step": 1,
        "steps": horizon(least, m),
    } | more
    return training("run", "run", X=X, m=m, seed=seed, **given)


def accuracy_family(widths: Sequence[int], runs: int, **more: Any) -> Family:
    """Train two points of the plane at several widths."""
    members = [
        _member(f"m-{m}", None, [_problem(I1, m, 1000 * k + r, **more) for r in range(runs)])
        for k, m in enumerate(widths)
    ]
    return Family(
        name="accuracy",
        says=f"points at angles .3 and 1.5, m = {widths[0]} to {widths[-1]}, {runs} runs each",
        members=tuple(members),
        claimed=Fraction(1),
        seed=1,
    )


def dimension_family(dimensions: Sequence[int], m: int, runs: int) -> Family:
    """Train four random points of the sphere, new ones in every run."""
    members = []
    for d in dimensions:
        rng = np.random.Generator(np.random.Philox(key=d))
        members.append(_member(f"d-{d}", float(d), [_problem(random_unit(4, d, rng), m, r) for r in range(runs)]))
    return Family(
        name="dimension",
        says=f"four random unit points, d = {dimensions[0]} to {dimensions[-1]}, m = {m}, {runs} runs each",
        members=tuple(members),
        claimed=Fraction(1),
        seed=2,
    )


def data_family(sizes: Sequence[int], m: int, runs: int) -> Family:
    """Train n random points of the sphere in 2n dimensions, in steps that the largest kernel bears."""
    members = []
    for n in sizes:
        rng = np.random.Generator(np.random.Philox(key=n))
        members.append(_member(f"n-{n}", float(n), [_problem(random_unit(n, 2 * n, rng), m, r) for r in range(runs)]))
    return Family(
        name="data",
        says=f"n random unit points in 2n dimensions, n = {sizes[0]} to {sizes[-1]}, m = {m}, {runs} runs each",
        members=tuple(members),
        claimed=Fraction(4),
        seed=3,
    )


def kernel_family(eigenvalues: Sequence[float], runs: int) -> Family:
    """Train two points of the plane that come ever closer, with labels 1 and -1, at width (4 / Lambda_0^2)^2."""
    members = []
    for k, least in enumerate(eigenvalues):
        X, m = on_circle(0.0, _angle(least)), ceil((4 / least**2) ** 2)
        step = Fraction(63, 64)  # ||H_cts|| + lam < 64/63
        problems = [_problem(X, m, 1000 * k + r, step=step, steps=horizon(least, m)) for r in range(runs)]
        members.append(_member(f"k-{k}", 1 / least, problems))
    return Family(
        name="kernel",
        says=f"two points with Lambda_0 = {eigenvalues[0]} to {eigenvalues[-1]}, m = 16 / Lambda_0^4, {runs} runs each",
        members=tuple(members),
        claimed=Fraction(3),
        seed=4,
    )


def _angle(least: float) -> float:
    """Give the angle below a right one at which two points have this Lambda_0, which grows with it."""
    low, high = 0.0, np.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        below = np.linalg.eigvalsh(tangent_kernel(on_circle(0.0, middle)))[0] < least
        low, high = (middle, high) if below else (low, middle)
    return high


ACCURACY = accuracy_family([2**k for k in (11, 13, 15, 16, 18)], 16)
DIMENSION = dimension_family([8, 16, 32, 64, 128, 256], 2048, 8)
FIXED_RIDGE = replace(
    accuracy_family([2**k for k in (9, 13, 17, 21, 24)], 8, lam=Fraction(0.01)),
    name="accuracy-fixed-ridge",
    says="points at angles .3 and 1.5, lambda = .01 at every width, m = 2^9 to 2^24",
)


def instances(profile: str) -> tuple[Family, ...]:
    """Give the families, those that take minutes at night only."""
    found: tuple[Family, ...] = (ACCURACY,)
    if profile in ("ci", "night"):
        found += (DIMENSION, data_family([2, 4, 8, 16, 32, 64], 4096, 6))
    if profile == "night":
        found += (kernel_family([0.4, 0.16, 0.063, 0.025, 0.0125], 6),)
    return found


# ------------------------------------------------------------------------------------------- hypotheses, twins


def _shrinking(x: Family) -> str | None:
    for member in x.members:
        for problem in member.runs:
            if problem.lam**2 * (problem.m or 0) > 1 + Fraction(1, 2**40):
                return f"lam must be at most 1 / sqrt m, got lam = {float(problem.lam):g} at m = {problem.m}"
    return None


def _bounded(x: Family) -> str | None:
    for member in x.members:
        for problem in member.runs:
            largest = max(float((problem.X * problem.X).sum(axis=1).max()), float(np.abs(problem.Y).max()))
            if largest > 1:
                return f"||x_i||^2 and |y_i| must be at most 1, got {largest:g} in {member.name}"
    return None


RIDGE = Hypothesis(says="lambda <= 1 / sqrt m", holds=_shrinking)


def _twin(name: str, because: str, refuted_on: Family, *without: str, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on, without=without
    )


STATEMENT = Statement(
    id="glss.thm3.6.exponents",
    number="3.6, exponents",
    title="How the width that training needs grows",
    kind="Theorem, on families",
    says=r"m=\tilde O\left(\frac{n^4d}{\Lambda_0^3\varepsilon}\right)\text{ suffices for }"
    r"\lVert u_{\mathrm{nn}}(T)-u^*\rVert_2\le\varepsilon",
    plainly="The width that training needs grows like 1/eps, as printed; like Lambda_0^-3 on two close points, as "
    "printed; like the square root of n on random data; and not at all with d.",
    source=GLSS.at("Section 3.2.1, Theorem 3.6"),
    deviation="one finite sentence per exponent: on this family and range the slope is at most the printed exponent + "
    "1/4; T = (2 / Lambda_0) ln m",
    constant="hidden",
    hypotheses=(
        Hypothesis(says="||x_i|| <= 1 and |y_i| <= 1 (A1, A2)", holds=_bounded),
        RIDGE,
        Hypothesis(
            says="kappa = 1, T = O~(1 / Lambda_0), h ||H_cts|| <= 1",
            guaranteed_by="the families: T = (2 / Lambda_0) ln m from the computed kernel, steps of 1 or 63/64",
        ),
        GAUSSIAN,
        SIGNS,
        DESCENT,
    ),
    conclusion=conclusion(),
    instances=instances,
    twins=(
        _twin(
            "ridge_that_does_not_shrink",
            "with lambda fixed err is of order 1 / sqrt m, and m of order eps^-2",
            FIXED_RIDGE,
            RIDGE.says,
        ),
        _twin(
            "square_root_of_the_accuracy",
            "err <= C / m^2 is false: m ~ 1/eps is attained",
            ACCURACY,
            claimed=lambda _: Fraction(1, 2),
        ),
        _twin(
            "width_falls_with_the_dimension",
            "the law of training depends on the inner products of the data only, and those settle",
            DIMENSION,
            claimed=lambda _: Fraction(-1),
        ),
    ),
    notes=(
        "eps: 1, as printed and attained. Lambda_0: 2.9 on two points with labels 1 and -1, 3 in print. n: about 1/2 "
        "where 4 is printed. d: none where 1 is printed.",
        "d can be replaced by min(d, n): neurons enter through their projections on the data only.",
    ),
)
