r"""How fast the preconditioned iterations converge, from the distortion e of the sketch alone.

    Richardson, unit step   ||r_k|| <= max((1 - e)^-2 - 1, 1 - (1 + e)^-2)^k ||r_0||     in the norm ||R^T .||
    Richardson, best step   ||r_k|| <= (2 e / (1 + e^2))^k ||r_0||                        in the same norm
    conjugate gradients     ||J^T (g_k - g)|| <= 2 e^k ||J^T g||

With the extreme eigenvalues (1 + e)^-2 and (1 - e)^-2 of R^T G R the root of the condition is (1 + e) / (1 - e), so
that (k - 1) / (k + 1) = 2 e / (1 + e^2) and (sqrt k - 1) / (sqrt k + 1) = e. Richardson's iterates are computed over
the rationals, those of conjugate gradients by the running code, and every norm is a rational square. The iterations
that the running code needs for a residual of t ||r|| in the plain norm are counted: from ||R^T .|| to ||.|| one pays
cond(T), from the energy norm sqrt(cond G).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

from reference import arithmetic
from reference.arithmetic import Interval, exact, rational_solve
from reference.exact_linear_algebra import column
from reference.exact_spectra import largest_eigenvalue, smallest_eigenvalue
from reference.preconditions import Float64
from reference.rational_networks import Exactly, fractions
from reference.sketched_solver import Solution, conjugate_gradient, richardson
from theorems.bpsw.bpsw_instances import (
    DISTORTS,
    ENOUGH_ROWS,
    EXACT_FLOATS,
    FEW_ROWS,
    SketchedSystem,
    sketched_instances,
)
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Claim, ForEach, Rows, Statement

ITERATIONS = 6  # of Richardson, over the rationals
MOST = 100_000  # of the running code
ACCURACIES = (Fraction(1, 10**2), Fraction(1, 10**4), Fraction(1, 10**8))


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What one iteration gains, as functions of the distortion; a twin changes one.

    Parameters
    ----------
    unit, best : of Richardson; its best step is that of the interval of eigenvalues
    conjugate : of conjugate gradients
    """

    unit: Any = lambda e: max((1 - e) ** -2 - 1, 1 - (1 + e) ** -2)
    best: Any = lambda e: 2 * e / (1 + e**2)
    conjugate: Any = lambda e: e


def best_step(e: Fraction) -> Fraction:
    """Give 2 / ((1 + e)^-2 + (1 - e)^-2)."""
    return 2 / ((1 + e) ** -2 + (1 - e) ** -2)


def squares_of_residuals(x: SketchedSystem, step: Fraction) -> list[Fraction]:
    """Iterate over the rationals: ||R^T (r - G g_k)||^2 = rho^T (T^T T)^-1 rho for k = 0, ..., ITERATIONS."""
    G, r = fractions(x.G), fractions(x.r)
    g, squares = 0 * r, []
    for _ in range(ITERATIONS + 1):
        rho = r - G @ g
        correction = _solved(x.triangle_gram, rho)
        squares.append(exact(rho @ correction))
        g = g + step * correction
    return squares


def _solved(M: Rows, v: Exactly) -> Exactly:
    return fractions([row[0] for row in rational_solve(M, column(v.tolist()))])


def energy(x: SketchedSystem, g: Float64, solution: Exactly) -> Fraction:
    """Give ||J^T (g - solution)||^2, exactly."""
    away = fractions(g) - solution
    return exact(away @ fractions(x.G) @ away)


def condition(M: Rows) -> Interval:
    """Enclose the quotient of the extreme eigenvalues."""
    low, high = smallest_eigenvalue(M, 40), largest_eigenvalue(M, 40)
    return high[0] / low[1], high[1] / low[0]


def predicted(rate: Fraction, start: Interval, accuracy: Fraction) -> int:
    """Give ceil(ln(start / accuracy) / ln(1 / rate)), upwards: after so many steps start rate^k <= accuracy."""
    return ceil(arithmetic.enclose(lambda a, t, q: (a / t).log() / -q.log(), start, accuracy, rate)[1])


def runs(x: SketchedSystem, accuracy: Fraction) -> dict[str, Solution]:
    """Run the code; the unit step only where e promises that it contracts."""
    J, r, R, tol = x.jacobian, x.r, x.preconditioner, float(accuracy)
    found = {
        "conjugate gradients": conjugate_gradient(J, r, R, accuracy=tol, at_most=MOST),
        "best step": richardson(J, r, R, step=float(best_step(x.distortion)), accuracy=tol, at_most=MOST),
    }
    if Rates().unit(x.distortion) < 1:
        found["unit step"] = richardson(J, r, R, step=1.0, accuracy=tol, at_most=MOST)
    return found


def conclusion(rates: Rates, *, root_of_condition: bool = True) -> ForEach:
    """Give the sentence for rates, the right or broken ones; without the roots of conditions it is another one."""

    def claims(x: SketchedSystem) -> Sequence[Claim]:
        e = x.distortion
        found = []
        steps = {"unit step": (Fraction(1), rates.unit(e)), "best step": (best_step(e), rates.best(e))}
        for name, (step, rate) in steps.items():
            squares = squares_of_residuals(x, step)
            found += [
                Claim(
                    says=f"{name}: ||R^T (r - G g)||^2 after {k}",
                    left=squares[k],
                    relation="<=",
                    right=rate ** (2 * k) * squares[0],
                )
                for k in range(1, ITERATIONS + 1)
            ]
        solution, rate = _solved(x.G, fractions(x.r)), rates.conjugate(e)
        at_start = energy(x, 0 * x.r, solution)
        iterates = runs(x, ACCURACIES[1])["conjugate gradients"].iterates
        found += [
            Claim(
                says=f"conjugate gradients: ||J^T (g_k - g)||^2 after {k}",
                left=energy(x, g, solution),
                relation="<=",
                right=4 * rate ** (2 * k) * at_start,
            )
            for k, g in enumerate(iterates[1:], start=1)
        ]
        return found + _counts(x, rates, root_of_condition)

    return ForEach(claims=claims, facts=facts)


def _counts(x: SketchedSystem, rates: Rates, root_of_condition: bool) -> list[Claim]:
    e, one = x.distortion, (Fraction(1), Fraction(1))
    root_T = arithmetic.sqrt(condition(x.triangle_gram)) if root_of_condition else one
    root_G = arithmetic.sqrt(condition(x.G)) if root_of_condition else one
    promise = {
        "conjugate gradients": (rates.conjugate(e), (2 * root_G[0], 2 * root_G[1])),
        "best step": (rates.best(e), root_T),
        "unit step": (rates.unit(e), root_T),
    }
    return [
        Claim(
            says=f"{name}: iterations to ||r - G g|| <= {float(t):g} ||r||",
            left=Fraction(run.iterations),
            relation="<=",
            right=Fraction(predicted(*promise[name], t)),
        )
        for t in ACCURACIES
        for name, run in runs(x, t).items()
    ]


def facts(x: SketchedSystem) -> dict[str, float | int | str]:
    """Give the distortion, the rates, and the iterations that were needed."""
    e = x.distortion
    counted = {f"{name} to {float(t):g}": run.iterations for t in ACCURACIES[1:] for name, run in runs(x, t).items()}
    return {"distortion": float(e), "unit rate": float(Rates().unit(e)), "best rate": float(Rates().best(e)), **counted}


def _twin(name: str, because: str, refuted_on: SketchedSystem, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(Rates(), **change)), refuted_on=refuted_on
    )


def _first_iterate_will_do(x: SketchedSystem) -> Sequence[Claim]:
    """Compare the residual of sketch-and-solve with a tenth of the right side."""
    rho = fractions(x.r) - fractions(x.G) @ _solved(x.triangle_gram, fractions(x.r))
    rest, whole = (sum((t * t for t in v), Fraction(0)) for v in (rho, fractions(x.r)))
    return [Claim(says="||G g - r||^2 <= ||r||^2 / 100", left=rest, relation="<=", right=whole / 100)]


def _drawn() -> Any:
    from theorems.bpsw.bpsw_strategies import sketched_systems

    return sketched_systems()


SYSTEMS = sketched_instances("quick")

STATEMENT = Statement(
    id="bpsw.iter",
    number="abstract, first-order iterations",
    title="Iterations of the preconditioned solvers",
    kind="Step of the algorithm",
    says=r"\lVert R^{\top}(r-Gg_k)\rVert\le\rho^k\lVert R^{\top}r\rVert,\ \rho=\max\left((1-\varepsilon)^{-2}-1,"
    r"\,1-(1+\varepsilon)^{-2}\right)\ \text{or}\ \frac{2\varepsilon}{1+\varepsilon^2};\qquad "
    r"\lVert J^{\top}(g_k-g)\rVert\le 2\varepsilon^k\lVert J^{\top}g\rVert",
    plainly="Richardson's iteration and conjugate gradients gain a factor per step that depends on the distortion of "
    "the sketch alone, so that logarithmically many steps give any accuracy.",
    source=BPSW.at("abstract: 'first-order conjugate gradient' on the preconditioned system"),
    deviation="recalled in detail; the rates as functions of the distortion, and the iterations for a residual in the "
    "plain norm with what the change of norm costs",
    constant="proved here",
    hypotheses=(EXACT_FLOATS, ENOUGH_ROWS, DISTORTS),
    conclusion=conclusion(Rates()),
    instances=sketched_instances,
    twins=(
        _twin(
            "half_per_step_from_twice_the_rows",
            "s = 2 n distorts lengths by 3/4, and the iteration gains less than that (B11)",
            FEW_ROWS,
            best=lambda _e: Fraction(1, 2),
        ),
        _twin(
            "unit_step_as_good_as_the_best",
            "with the unit step a shortened direction is overshot",
            SYSTEMS[0],
            unit=Rates().best,
        ),
        _twin(
            "richardson_as_fast_as_conjugate_gradients",
            "a constant step gains (k - 1) / (k + 1), not the same of the root",
            SYSTEMS[4],
            best=lambda e: e,
        ),
        _twin(
            "conjugate_gradients_squared",
            "the condition enters by its root once",
            SYSTEMS[0],
            conjugate=lambda e: e**2,
        ),
        BrokenTwin(
            name="sketch_and_solve",
            because="the solution of the sketched system is the first iterate, with a residual of order e (B3)",
            conclusion=ForEach(claims=_first_iterate_will_do),
            refuted_on=SYSTEMS[0],
        ),
    ),
    notes=(
        "For e = .1 the rates are .235 (unit step), .198 (best step) and .1 (conjugate gradients).",
        "The unit step converges if e < 1 - 1 / sqrt 2; it is counted only there.",
    ),
    recalled=True,
    strategy=_drawn,
)
