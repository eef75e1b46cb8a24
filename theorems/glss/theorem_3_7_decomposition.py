r"""Theorem 3.7 after the fact: the error at a test point is what it remembers of the start, plus little.

    u_test(K) - u*_test = gamma^K (u_test(0) - K H_cts^-1 u(0)) + K H_cts^-1 A^K (u(0) - u*) + rest
    |rest| <= h kappa^2 sum_k gamma^(K-1-k) (eta_test(k) ||rho(k)|| + ||K|| D(k)),   D(0) = 0,
              D(k+1) = ||A|| D(k) + h kappa^2 eta(k) ||rho(k)||

    A = gamma I - h kappa^2 H_cts,   rho = Y - u,   eta = ||Hh - H_cts||,   eta_test = ||Kh - K||

with the secant kernels Hh and Kh of the run. The first part is Gaussian of standard deviation kappa s at infinite width
and does not shrink with m; the second is a transient; the rest is of order 1 / (kappa sqrt m), because the kernel is.
Proof: z(k+1) = z(k) + h (kappa^2 H_cts (Y - z) - lam z) from z(0) = u(0), and the like at the test point, ends at the
first two parts; u - z obeys the recursion of D, since one step of training is exact with secant kernels.

It is decided on recorded floats without any error, as `theorem_3_6_a_posteriori` is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from reference.arithmetic import Interval
from reference.preconditions import Float64, exact_rows
from reference.two_layer import network_covariance
from theorems.glss.new_point_predictors import NewPoints
from theorems.glss.theorem_3_6_a_posteriori import IDENTITY, above, judged, length, norms, residuals
from theorems.glss.theorem_3_7_explicit import NORM, ONE_POINT, OPPOSITE, TEST_POINTS, problem
from theorems.glss.training_instances import (
    DEFINITE,
    DESCENT,
    GAUSSIAN,
    I1,
    IN_RANGE,
    SHORT_STEPS,
    SIGNS,
    Training,
    on_circle,
)
from theorems.glss.training_runs import Run
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Parts = Callable[[NewPoints, Run], list[Interval]]
"""(limit, run) -> u_test(K) - u*_test without the rest, one for each test point."""


def parts(limit: NewPoints, run: Run) -> list[Interval]:
    """Give what is remembered and the transient."""
    remembered = limit.remembered(run.u[0], run.u_test[0])
    return _plus(remembered, limit.transient(run.u[0]))


def _plus(left: list[Interval], right: list[Interval]) -> list[Interval]:
    return [(a + c, b + d) for (a, b), (c, d) in zip(left, right, strict=True)]


def rests(limit: NewPoints, run: Run, taken: Parts = parts) -> list[Interval]:
    """Enclose |u_test(K) - u*_test - its parts| for every test point."""
    found = []
    for u, (low, high) in zip(run.u_test[-1].tolist(), _plus(limit.predictions(), taken(limit, run)), strict=True):
        gap = (Fraction(u) - high, Fraction(u) - low)
        least = Fraction(0) if gap[0] <= 0 <= gap[1] else min(map(abs, gap))
        found.append((least, max(map(abs, gap))))
    return found


def residuals_at_test_points(x: Training, run: Run) -> list[Fraction]:
    """Bound what each recorded step lacks to u_test(k+1) = gamma u_test(k) + h kappa^2 Kh(k)(Y - u(k)), exactly."""
    if run.secants is None:
        raise TypeError("residuals_at_test_points: need the secant kernels of the run; train with kernels=True")
    n, push, found = len(x.Y), x.step * x.kappa**2, []
    labels, u, u_test = [Fraction(float(y)) for y in x.Y], exact_rows(run.u), exact_rows(run.u_test)
    for k, kernel in enumerate(run.secants):
        rho = [y - v for y, v in zip(labels, u[k], strict=True)]
        drives = [sum((a * b for a, b in zip(row, rho, strict=True)), Fraction(0)) for row in exact_rows(kernel[n:])]
        steps = zip(u_test[k + 1], u_test[k], drives, strict=True)
        found.append(max(abs(after - x.decay * before - push * drive) for after, before, drive in steps))
    return found


Bound = Callable[[Training, NewPoints, Run], list[Fraction]]
"""(instance, limit, run) -> what the rest is at most, one for each test point."""


def bounds(x: Training, limit: NewPoints, run: Run) -> list[Fraction]:
    """Bound the rest; every number is rounded upwards."""
    if run.secants is None:
        raise TypeError("bounds: need the secant kernels of the run; train with kernels=True")
    n, push, labels = len(x.Y), x.step * x.kappa**2, [Fraction(float(y)) for y in x.Y]
    contraction = 1 - x.step * (x.kappa**2 * x.Lambda_0[0] + x.lam)
    lacking = zip(residuals(x, run), residuals_at_test_points(x, run), strict=True)
    each = zip(norms(x, run), lacking, exact_rows(run.u)[:-1], run.secants, strict=True)
    rows, reach = limit.kernel_rows(), [high for _, high in limit.norms()]
    away, rest = Fraction(0), [Fraction(0)] * len(rows)
    for (_, eta), (lost, lost_test), u, kernel in each:
        rho = length([y - v for y, v in zip(labels, u, strict=True)])[1]
        strays = [_distance(row, near) for row, near in zip(exact_rows(kernel[n:]), rows, strict=True)]
        rest = [
            Fraction(above(x.decay * r + push * (stray * rho + kb * away) + lost_test))
            for r, stray, kb in zip(rest, strays, reach, strict=True)
        ]
        away = Fraction(above(contraction * away + push * Fraction(eta) * rho + lost))
    return rest


def _distance(row: Sequence[Fraction], near: Sequence[Interval]) -> Fraction:
    """Bound the distance of a row from an enclosed one."""
    return length([max(abs(v - low), abs(v - high)) for v, (low, high) in zip(row, near, strict=True)])[1]


@lru_cache(maxsize=1)  # claims and facts look at the same run
def seen(x: Training) -> tuple[Run, NewPoints]:
    """Give the run that the instance names, and its limit."""
    return judged(x), NewPoints(x)


def conclusion(taken: Parts = parts, bound: Bound = bounds) -> ForEach:
    """Give the sentence, for some parts and some bound of the rest."""

    def claims(x: Training) -> Sequence[Claim]:
        run, limit = seen(x)
        found = [
            Claim(
                says="u_test(k+1) = (1 - h lam) u_test(k) + h kappa^2 Kh(k) (Y - u(k)), up to rounding, at every step",
                left=max(residuals_at_test_points(x, run)),
                relation="<=",
                right=IDENTITY,
            )
        ]
        for j, pair in enumerate(zip(rests(limit, run, taken), bound(x, limit, run), strict=True)):
            found.append(
                Claim(says=f"|rest| <= its bound at test point {j}", left=pair[0], relation="<=", right=pair[1])
            )
        return found

    return ForEach(claims=claims, facts=facts)


def facts(x: Training) -> Mapping[str, float | int | str]:
    """Give the parts at the first test point, and their size in the units in which they are expected to be constant."""
    run, limit = seen(x)
    remembered = float(limit.remembered(run.u[0], run.u_test[0])[0][1])
    rest, kappa = float(rests(limit, run)[0][1]), float(x.kappa)
    return {
        **run.facts,
        "kappa": kappa,
        "lambda T": float(x.lam * x.horizon),
        "err": float(run.u_test[-1, 0] - limit.predictions()[0][0]),
        "remembered": remembered,
        "remembered / kappa": remembered / kappa,
        "s": standard_deviation(x),
        "transient": float(limit.transient(run.u[0])[0][1]),
        "rest": rest,
        "rest kappa sqrt m": rest * kappa * float(np.sqrt(float(x.m or 0))),
    }


def standard_deviation(x: Training) -> float:
    """Give s, so that u_test(0) - K H_cts^-1 u(0) is N(0, kappa^2 s^2) in the limit, at the first test point.

    s^2 = k0 - 2 c.k + c.K0 c,   c = H_cts^-1 K(X, x_test), k0 and k with the covariance K_nngp of outputs at the start
    """
    covariance = network_covariance(x.points)
    c = np.zeros(len(x.points))
    c[: len(x.X)], c[len(x.X)] = [float(low) for low, _ in NewPoints(x).weights()[0]], -1
    return float(np.sqrt(c @ covariance @ c))


# -------------------------------------------------------------------------------------------------- instances


def run(
    name: str, says: str, X: Float64, X_test: Float64, kappa: Fraction, m: int, *, seed: int, **more: Any
) -> Training:
    """Give one run, long enough for the transient to be forgotten."""
    return problem(name, f"{says}, kappa = {kappa}, m = {m:.0e}", X, X_test, kappa, m=m, seed=seed, **more)


def plane(name: str, kappa: Fraction, m: int, *, seed: int, **more: Any) -> Training:
    """Give a run on the points at angles .3 and 1.5 with the test point at 2.2."""
    settings = {"step": Fraction(3, 2) / kappa**2, "steps": 24} | more
    return run(
        name, "points at angles .3 and 1.5, test point at 2.2", I1, on_circle(2.2), kappa, m, seed=seed, **settings
    )


EIGHTH, QUARTER = Fraction(1, 8), Fraction(1, 4)
SMALL = run(
    "one-point-m100",
    "one point, itself and the opposite one to test",
    ONE_POINT,
    np.concatenate([ONE_POINT, OPPOSITE]),
    Fraction(1),
    100,
    seed=1,
    steps=8,
)
FOUR = plane("m1e4", QUARTER, 10**4, seed=2)
HEAVY = plane("lambda-T-one", QUARTER, 10**6, seed=3, lam=Fraction(1, 512))
WIDE = plane("m1e8", Fraction(1), 10**8, seed=4)
SHORT = plane("short", QUARTER, 10**6, seed=5, steps=4)


def instances(profile: str) -> tuple[Training, ...]:
    """Give one run each."""
    found: tuple[Training, ...] = (
        SMALL,
        FOUR,
        HEAVY,
        SHORT,
        plane("m1e6", QUARTER, 10**6, seed=6),
        WIDE,
    )
    if profile in ("ci", "night"):
        found += (
            plane("m1e8-small-kappa", EIGHTH, 10**8, seed=7),
            plane("m1e9-small-kappa", Fraction(1, 32), 10**9, seed=8),
            plane("m1e10", QUARTER, 10**10, seed=9),
        )
    if profile == "night":
        found += (plane("m1e11", EIGHTH, 10**11, seed=10), plane("m1e12", Fraction(1), 10**12, seed=11))
    return found


# ------------------------------------------------------------------------------------------------------ twins


def _twin(name: str, because: str, refuted_on: Training, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


def _never_forgotten(limit: NewPoints, run: Run) -> list[Interval]:
    growth = 1 / limit.x.decay**limit.x.steps
    remembered = [
        (min(a * growth, b * growth), max(a * growth, b * growth)) for a, b in limit.remembered(run.u[0], run.u_test[0])
    ]
    return _plus(remembered, limit.transient(run.u[0]))


def _drawn() -> Any:
    from theorems.glss.new_point_strategies import small_runs

    return small_runs()


STATEMENT = Statement(
    id="glss.thm3.7.decomposition",
    number="3.7 a posteriori",
    title="What the error at a test point is made of",
    kind="Theorem",
    says=r"u_{\mathrm{nn},\mathrm{test}}(K)-u^*_{\mathrm{test}}=(1-h\lambda)^K\left(u_{\mathrm{nn},\mathrm{test}}(0)"
    r"-K_{\mathrm{ntk}}(x_{\mathrm{test}},X)^{\top}(H^{\mathrm{cts}})^{-1}u_{\mathrm{nn}}(0)\right)"
    r"+K_{\mathrm{ntk}}(x_{\mathrm{test}},X)^{\top}(H^{\mathrm{cts}})^{-1}A^K(u_{\mathrm{nn}}(0)-u^*)+\mathrm{rest}",
    plainly="The error at a test point is a Gaussian of size kappa, which no width removes, plus a rest of order "
    "1 / (kappa sqrt m).",
    source=GLSS.at("Section 3.2.1, Theorem 3.7, by equations (15) and (16)"),
    deviation="an identity with an inequality for each run in place of a probability; for gradient descent, with "
    "secant kernels, instead of the flow (A10)",
    constant="proved here",
    hypotheses=(TEST_POINTS, IN_RANGE, DEFINITE, SHORT_STEPS, GAUSSIAN, SIGNS, DESCENT),
    conclusion=conclusion(),
    instances=instances,
    twins=(
        _twin(
            "start_not_remembered",
            "the network's own start at the test point is not trained away: why kappa must be small",
            WIDE,
            taken=lambda limit, run: limit.transient(run.u[0]),
        ),
        _twin(
            "data_not_subtracted",
            "what training removes from the data it also moves at the test point",
            WIDE,
            taken=lambda limit, run: _plus(limit.remembered(0 * run.u[0], run.u_test[0]), limit.transient(run.u[0])),
        ),
        _twin(
            "start_never_forgotten",
            "weight decay shrinks what is remembered: lambda T must be small",
            HEAVY,
            taken=_never_forgotten,
        ),
        _twin(
            "transient_left_out",
            "after four steps the slow direction is not trained",
            SHORT,
            taken=lambda limit, run: limit.remembered(run.u[0], run.u_test[0]),
        ),
        _twin(
            "no_rest",
            "at finite width the kernel is another one",
            FOUR,
            bound=lambda _x, limit, _run: [Fraction(1, 2**28)] * len(limit.norms()),
        ),
        _twin(
            "rest_of_order_one_over_m",
            "the rest falls like 1 / sqrt m, not like 1 / m",
            WIDE,
            bound=lambda x, limit, _run: [10 / (x.kappa**2 * (x.m or 1))] * len(limit.norms()),
        ),
    ),
    misprints=(NORM,),
    notes=(
        "Widths above a million enter through cell counts and Gaussian sums with the exact second moments; the "
        "inequality is about the run itself and holds whatever the law of its first neurons.",
    ),
    strategy=_drawn,
)
