r"""Theorem 3.6 after the fact: what a run of gradient descent shows of its own distance to u*, at every step.

    ||u(k) - u*|| <= prod_{j<k} nu_j ||u(0) - u*|| + h kappa^2 ||Y - u*|| sum_{j<k} eta_j prod_{j<l<k} nu_l
    nu_j = ||I - h (kappa^2 Hh(j) + lam I)||,   eta_j = ||Hh(j) - H_cts||

with the secant kernels Hh. No randomness, no width and no constant: the three are in nu and eta. Proof: one step is

    e(k+1) = (I - h (kappa^2 Hh(k) + lam I)) e(k) + h kappa^2 (Hh(k) - H_cts)(Y - u*),   e = u - u*

exactly, also where neurons cross, since lam u* = kappa^2 H_cts (Y - u*).

It is decided on the recorded floats without any error: nu_j and eta_j are numbers proven to be at least those norms,
the sum is rounded upwards, and what a recorded step lacks to the identity is computed exactly, added, and itself held
against 2^-36.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from reference.arithmetic import Interval, is_positive_semidefinite, sqrt
from reference.preconditions import Float64, exact_rows
from reference.two_layer import network_covariance
from theorems.glss.training_instances import (
    DEFINITE,
    DESCENT,
    GAUSSIAN,
    I1,
    I2,
    I3,
    IN_RANGE,
    ONE_POINT,
    SIGNS,
    Training,
    alternating,
    shrinking_ridge,
    training,
)
from theorems.glss.training_runs import Run, train
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Misprint, Statement

Rows: TypeAlias = list[list[Fraction]]
Remainder: TypeAlias = tuple[Sequence[Fraction], Fraction]
"""(Y - u* of a computed kernel, how far the truth may be)."""

IDENTITY = Fraction(1, 2**36)
"""What rounding may cost in one step."""

Norms: TypeAlias = Callable[[Training, Run], list[tuple[float, float]]]
"""(instance, run) -> (nu_k, eta_k), each at least the norm it stands for."""


def norm_above(M: Rows) -> float:
    """Give a float that is at least ||M||, and nearly equal: proven by s^2 I - M^T M >= 0 in exact numbers.

    Raises
    ------
    ArithmeticError : not even one relative 2^-20 above the float norm
    """
    near = float(np.linalg.norm(np.array([[float(v) for v in row] for row in M]), 2))
    n = len(M)
    square = [[sum((row[i] * row[j] for row in M), Fraction(0)) for j in range(n)] for i in range(n)]
    for slack in (2.0**-46, 2.0**-36, 2.0**-20):
        s = near * (1 + slack) + 2.0**-900
        gap = [[Fraction(s) ** 2 * (i == j) - square[i][j] for j in range(n)] for i in range(n)]
        if is_positive_semidefinite(gap):
            return s
    raise ArithmeticError(f"norm_above: no proof that ||M|| is at most {s}")


def _step(x: Training, kernel: Rows) -> Rows:
    """Give I - h (kappa^2 kernel + lam I)."""
    h, square = x.step, x.kappa**2
    return [[(1 - h * x.lam) * (i == j) - h * square * v for j, v in enumerate(row)] for i, row in enumerate(kernel)]


def _distance(x: Training, kernel: Rows) -> float:
    """Bound ||kernel - H_cts|| from above."""
    H = exact_rows(x.H_cts)
    difference = [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(kernel, H, strict=True)]
    return above(Fraction(norm_above(difference)) + x.kernel_error)


def norms(x: Training, run: Run, kernels: Float64 | None = None) -> list[tuple[float, float]]:
    """Give nu_k and eta_k for the secant kernels, or for other ones."""
    found = run.secants if kernels is None else kernels
    if found is None:
        raise TypeError("norms: need the secant kernels of the run; train with kernels=True")
    steps = [exact_rows(kernel[: len(x.Y)]) for kernel in found]
    return [(norm_above(_step(x, kernel)), _distance(x, kernel)) for kernel in steps]


def above(v: Fraction) -> float:
    """Round up to a float."""
    near = float(v)
    return near if Fraction(near) >= v else math.nextafter(near, math.inf)


def length(v: Sequence[Fraction]) -> Interval:
    """Enclose ||v||."""
    return sqrt(sum((t * t for t in v), Fraction(0)), bits=80)


def residuals(x: Training, run: Run) -> list[Fraction]:
    """Bound what each recorded step lacks to the identity, exactly: the sum of absolute values."""
    if run.secants is None:
        raise TypeError("residuals: need the secant kernels of the run; train with kernels=True")
    outputs, labels, found = exact_rows(run.u), [Fraction(float(y)) for y in x.Y], []
    push = x.step * x.kappa**2
    for k, kernel in enumerate(run.secants):
        rho = [y - u for y, u in zip(labels, outputs[k], strict=True)]
        rows = exact_rows(kernel[: len(rho)])
        found.append(
            sum(
                (
                    abs(after - x.decay * u - push * sum((a * b for a, b in zip(row, rho, strict=True)), Fraction(0)))
                    for after, u, row in zip(outputs[k + 1], outputs[k], rows, strict=True)
                ),
                Fraction(0),
            )
        )
    return found


def distances(x: Training, run: Run, goal: Remainder) -> list[Interval]:
    """Enclose ||u(k) - u*|| at every step."""
    z, error = goal
    labels = [Fraction(float(y)) for y in x.Y]
    found = []
    for row in exact_rows(run.u):
        low, high = length([t - (y - u) for t, y, u in zip(z, labels, row, strict=True)])
        found.append((max(low - error, Fraction(0)), high + error))
    return found


def carried(
    x: Training,
    start: Fraction,
    found: Sequence[tuple[float, float]],
    lacking: Sequence[Fraction],
    goal: Remainder,
) -> list[Fraction]:
    """Carry a bound on the distance from step to step, rounded upwards.

    Parameters
    ----------
    start : at least the distance before the first step
    found : (nu_k, eta_k) of every step
    lacking : what every recorded step lacks to the identity
    goal : Y - u*, and how far the truth may be
    """
    z, error = goal
    drive = x.step * x.kappa**2 * (length(z)[1] + error)
    bound = [Fraction(above(start))]
    for (nu, eta), rest in zip(found, lacking, strict=True):
        bound.append(Fraction(above(Fraction(nu) * bound[-1] + drive * Fraction(eta) + rest + 2 * error)))
    return bound


def identity(lacking: Sequence[Fraction]) -> Claim:
    """Claim that no recorded step lacks more to the identity than rounding may cost."""
    return Claim(
        says="u(k+1) = (1 - h lam) u(k) + h kappa^2 Hh(k) (Y - u(k)), up to rounding, at every step",
        left=max(lacking, default=Fraction(0)),
        relation="<=",
        right=IDENTITY,
    )


def _claims(x: Training, goal: Callable[[Training], Remainder], norms_of: Norms) -> Sequence[Claim]:
    run, rest = judged(x), goal(x)
    left, lacking = distances(x, run, rest), residuals(x, run)
    bound = carried(x, left[0][1], norms_of(x, run), lacking, rest)
    claims = [identity(lacking)]
    first = 0
    while first < len(bound):
        last = min(2 * first, len(bound) - 1)
        k = max(range(first, last + 1), key=lambda k: left[k][1] - bound[k])
        claims.append(
            Claim(
                says=f"||u(k) - u*|| <= its bound, nearest at k = {k} of {first} to {last}",
                left=left[k],
                relation="<=",
                right=bound[k],
            )
        )
        first = last + 1
    return claims


@lru_cache(maxsize=1)  # claims and facts look at the same run
def judged(x: Training) -> Run:
    """Give the run that the instance names, with its kernels."""
    if x.m is None:
        raise ValueError(f"judged: an instance of one run needs its width m, got None for {x.name}")
    return train(x, x.m, x.rng(), kernels=True)


def _facts(x: Training) -> Mapping[str, float | int | str]:
    run = judged(x)
    err = float(distances(x, run, x.remainder)[-1][1])
    return {**run.facts, "err": err, "err m": err * (x.m or 0), "lambda T": float(x.lam * x.horizon)}


def conclusion(goal: Callable[[Training], Remainder] = lambda x: x.remainder, norms_of: Norms = norms) -> ForEach:
    """Give the sentence, for some u* and some norms."""
    return ForEach(claims=lambda x: _claims(x, goal, norms_of), facts=_facts)


# -------------------------------------------------------------------------------------------------- instances


def _run(name: str, says: str, X: Float64, m: int, *, seed: int, **more: Any) -> Training:
    settings: dict[str, Any] = {"lam": shrinking_ridge(m), "step": 1, "steps": 80} | more
    return training(name, says, X=X, Y=alternating(len(X)), m=m, seed=seed, **settings)


TENTH: dict[str, Any] = {"lam": Fraction(0.1), "steps": 24}
NARROW = _run("one-point-16", "one point, 16 neurons", ONE_POINT, 16, seed=1, steps=24)
FIXED_RIDGE = _run("I1-ridge-tenth", "points at angles .3 and 1.5, lambda = .1", I1, 10**4, seed=2, **TENTH)
KAPPA = _run("I1-kappa", "the same with kappa = .7", I1, 10**4, seed=3, kappa=Fraction(0.7), **TENTH)
FOUR = _run("I1-m1e4", "points at angles .3 and 1.5, m = 1e4, lambda = 1/sqrt m", I1, 10**4, seed=4)
SMALL = _run("I1-m100", "points at angles .3 and 1.5, m = 100", I1, 100, seed=5, steps=30)


def instances(profile: str) -> tuple[Training, ...]:
    """Give one run each."""
    found: tuple[Training, ...] = (
        NARROW,
        SMALL,
        FOUR,
        FIXED_RIDGE,
        KAPPA,
        _run("I2-m1e5", "three points of the plane, m = 1e5", I2, 10**5, seed=6),
        _run("I1-m1e6", "m = 1e6", I1, 10**6, seed=7),
        _run("I1-m1e8", "m = 1e8", I1, 10**8, seed=8),
    )
    if profile in ("ci", "night"):
        found += (
            _run("I3-m1e6", "four points of the plane, m = 1e6", I3, 10**6, seed=9),
            _run("I2-m1e8", "three points, m = 1e8", I2, 10**8, seed=10),
            _run("I1-m1e9", "m = 1e9", I1, 10**9, seed=11),
            _run("I1-m1e10", "m = 1e10", I1, 10**10, seed=12),
        )
    if profile == "night":
        found += (_run("I1-m1e12", "m = 1e12", I1, 10**12, seed=13),)
    return found


# ------------------------------------------------------------------------------------------------------ twins


def _goal(kernel: Float64, x: Training, *, lam: Fraction, kappa: Fraction) -> Remainder:
    """Give Y - u* for a kernel, a ridge and a multiplier that are not the right ones; float accuracy will do."""
    found = float(lam) * np.linalg.solve(float(kappa) ** 2 * kernel + float(lam) * np.eye(len(kernel)), x.Y)
    return [Fraction(float(v)) for v in found], Fraction(1, 2**40)


def _current(x: Training, run: Run) -> list[tuple[float, float]]:
    if run.kernels is None:
        raise TypeError("_current: need the kernels of the run; train with kernels=True")
    return norms(x, run, run.kernels[:-1])


def _limiting_rate(x: Training, run: Run) -> list[tuple[float, float]]:
    rate = above(1 - x.step * (x.kappa**2 * x.Lambda_0[0] + x.lam))
    return [(rate, eta) for _, eta in norms(x, run)]


def _drawn() -> Any:
    from theorems.glss.training_strategies import small_runs

    return small_runs()


def _twin(name: str, because: str, refuted_on: Training, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


STATEMENT = Statement(
    id="glss.thm3.6.a_posteriori",
    number="3.6 a posteriori",
    title="The training predictor against u*, after the fact",
    kind="Theorem",
    says=r"\lVert u(k)-u^*\rVert_2\le\prod_{j<k}\nu_j\,\lVert u(0)-u^*\rVert_2"
    r"+h\kappa^2\lVert Y-u^*\rVert_2\sum_{j<k}\eta_j\prod_{j<l<k}\nu_l,\quad"
    r"\nu_j=\lVert I-h(\kappa^2\hat H(j)+\lambda I)\rVert,\quad\eta_j=\lVert\hat H(j)-H^{\mathrm{cts}}\rVert",
    plainly="Whatever gradient descent did, its distance to kernel regression is bounded by how far its own kernels "
    "strayed from the limiting one.",
    source=GLSS.at("Section 3.2.1, Theorem 3.6, by equations (13) and (14)"),
    deviation="an inequality for each run in place of a probability, with what training did in place of what width "
    "guarantees; for gradient descent, with secant kernels, instead of the flow (A10)",
    constant="proved here",
    hypotheses=(IN_RANGE, DEFINITE, GAUSSIAN, SIGNS, DESCENT),
    conclusion=conclusion(),
    instances=instances,
    twins=(
        _twin(
            "ridge_times_n",
            "u* with n lambda: the sum over data and the mean over data take different ridges",
            FIXED_RIDGE,
            goal=lambda x: _goal(x.H_cts, x, lam=len(x.Y) * x.lam, kappa=x.kappa),
        ),
        _twin(
            "both_layers_trained",
            "the second layer is frozen: its kernel K_nngp does not enter u*",
            FIXED_RIDGE,
            goal=lambda x: _goal(x.H_cts + network_covariance(x.X), x, lam=x.lam, kappa=x.kappa),
        ),
        _twin(
            "kappa_dropped",
            "u* = H (H + lam)^-1 Y: the multiplier scales the kernel",
            KAPPA,
            goal=lambda x: _goal(x.H_cts, x, lam=x.lam, kappa=Fraction(1)),
        ),
        _twin(
            "perturbation_left_out",
            "training would reach u* itself: the kernel at finite width is another one",
            FOUR,
            norms_of=lambda x, run: [(nu, 0.0) for nu, _ in norms(x, run)],
        ),
        _twin(
            "rate_of_the_limit",
            "at finite width the kernel's least eigenvalue is another one, below Lambda_0 as often as above",
            SMALL,
            norms_of=_limiting_rate,
        ),
        _twin(
            "current_kernel_for_the_secant",
            "a neuron that turns in a step counts for part of it only",
            NARROW,
            norms_of=_current,
        ),
    ),
    misprints=(
        Misprint(
            id="E7",
            says="Lambda_0, used in Theorems 3.6 to 3.9 and Lemma 4.1 without a definition",
            instead="Lambda_0 = lambda_min(H_cts) > 0; two parallel points make it 0",
            witness="points (1, 0) and (1/2, 0): Lambda_0 = 0, and Theorem 3.6 has no width",
        ),
    ),
    notes=(
        "With H(k) in place of the secant kernel the bound is not valid: see the twin.",
        "Widths above a million enter through cell counts and Gaussian sums with the exact second moments; the "
        "inequality is about the run itself and holds whatever the law of its first neurons.",
    ),
    strategy=_drawn,
)
