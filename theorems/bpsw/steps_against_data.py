r"""How many Gauss-Newton steps a given accuracy takes does not depend on the number of data.

    steps to ||f - y|| <= 1e-8 ||f(0) - y||:   slope of log(steps) against log n at most 0 + 1/4 on the stated sizes

The theorem's log2(||r0|| / eps) depends on n through ||r0|| ~ sqrt n alone, and the accuracy is relative here.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

from reference.gauss_newton import Training
from theorems.bpsw.growth import TOLERANCE, doubling, of_repetitions
from theorems.bpsw.training_families import HYPOTHESES, Method, TrainingFamily
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Rate, Slope, Statement

RELATIVE = 1e-8


@cache
def trained(x: TrainingFamily, n: int, repetition: int) -> Training:
    """Train down to the relative accuracy.

    Raises
    ------
    ArithmeticError : 20,000 steps do not do
    """
    run = x.run(n, repetition, relative=RELATIVE, at_most=20_000)
    if not run.reached:
        raise ArithmeticError(f"trained: the accuracy must be reached, got {run.residuals[-1]:.3g} at n = {n}")
    return run


def steps(x: TrainingFamily, n: int, repetition: int) -> float:
    """Give the number of steps."""
    return float(len(trained(x, n, repetition).operations))


def conclusion(claimed: Fraction = Fraction(0), measured: Callable[[TrainingFamily, int, int], float] = steps) -> Rate:
    """Give the sentence for an exponent and what is measured."""

    def measure(x: TrainingFamily) -> Slope:
        return of_repetitions(x.sizes, lambda n, k: measured(x, n, k), x.repetitions, claimed, TOLERANCE)

    return Rate(measure=measure, facts=facts)


def facts(x: TrainingFamily) -> dict[str, float | int | str]:
    """Give the steps of the first repetition."""
    return {f"steps at n = {n}": int(steps(x, n, 0)) for n in x.sizes}


def _family(method: Method, sizes: tuple[int, ...], m: int, repetitions: int) -> TrainingFamily:
    return TrainingFamily(
        name=f"{method.replace(' ', '-')}-n{sizes[0]}-to-{sizes[-1]}",
        says=f"n = {sizes[0]} to {sizes[-1]}, d = 16, m = {m}, {method} steps, {repetitions} repetitions",
        grows="n",
        sizes=sizes,
        n=0,
        m=m,
        d=16,
        method=method,
        repetitions=repetitions,
    )


EXACT = _family("exact", doubling(4, 6), 4096, 4)
SKETCHED = _family("sketched", doubling(4, 6), 4096, 4)
DESCENT = _family("gradient descent", doubling(2, 6), 512, 2)


def instances(profile: str) -> tuple[TrainingFamily, ...]:
    """Give the families of a profile."""
    found: tuple[TrainingFamily, ...] = (EXACT, SKETCHED)
    if profile in ("ci", "night"):
        found += (_family("sketched", doubling(4, 7), 2**13, 2),)
    return found


def _operations(x: TrainingFamily, n: int, repetition: int) -> float:
    return float(sum(trained(x, n, repetition).operations))


STATEMENT = Statement(
    id="bpsw.rate-n",
    number="abstract, convergence rate",
    title="Gauss-Newton steps against the number of data",
    kind="Claim of the abstract",
    says=r"\text{steps to}\ \lVert f_t-y\rVert_2\le\varepsilon\lVert f_0-y\rVert_2:\quad O(\log(1/\varepsilon)),"
    r"\ \text{independent of}\ n",
    plainly="On the stated sizes Gauss-Newton takes as many steps to a relative accuracy for few data as for many.",
    source=BPSW.at("abstract: 'convergence rate (independent of the training batch size n)'"),
    deviation="a finite sentence about the slope, with tolerance 1/4; relative accuracy, since ||f(0) - y|| ~ sqrt n",
    constant="hidden",
    hypotheses=HYPOTHESES,
    conclusion=conclusion(),
    instances=instances,
    twins=(
        BrokenTwin(
            name="gradient_descent_too",
            because="its steps are counted by the condition of G, which grows with n",
            conclusion=conclusion(),
            refuted_on=DESCENT,
        ),
        BrokenTwin(
            name="operations_too",
            because="every step reads all data",
            conclusion=conclusion(measured=_operations),
            refuted_on=SKETCHED,
        ),
        BrokenTwin(
            name="fewer_steps_for_more_data",
            because="the number of steps is constant, and does not fall like 1 / n",
            conclusion=conclusion(Fraction(-1)),
            refuted_on=EXACT,
        ),
    ),
    recalled=True,
)
