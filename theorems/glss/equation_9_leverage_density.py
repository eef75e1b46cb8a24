r"""Equation (9): neurons are drawn with the density of their ridge leverage.

    q(w) = q_lambda(w) / s_lambda(H_cts) = p(w) tau(w) / s_lambda,   tau(w) = tr Phi(w)^T (H_cts + lam I)^-1 Phi(w)

Phi(w) = diag(1[X w >= 0]) X is constant on activation cells and on rays, so q is a mixture over cells: cell c with
probability P_c tau_c / s_lambda, and within it the law p. The weight p/q = s_lambda / tau is located by the eigenvalues
of H_cts, and q vanishes on the neurons that see no data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import Interval, matrix_of_balls, precision
from reference.enclosed_features import EnclosedKernel
from reference.rational_eigenvalues import greatest_eigenvalue, least_eigenvalue
from reference.tangent_predictors import least_kernel_eigenvalue
from theorems.glss.leverage_quantities import plus, point
from theorems.glss.section_3_2_1_optimal_predictors import LEAST_EIGENVALUE
from theorems.glss.tangent_instances import (
    LAW,
    ORTHONORMAL,
    RIDGE,
    SQUARE,
    TangentProblem,
    canonical,
    problems,
)
from theorems.glss.tangent_worlds import BITS, Number, Numbers, World, floats
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Misprint, Statement


def leverages(w: World, H: Numbers, lam: Number, grams: Numbers) -> Numbers:
    """Give tau_c = tr (H + lam I)^-1 Phi_c Phi_c^T of every cell: (C,)."""
    tau: Numbers = (w.inverse(w.shifted(H, lam)) * grams).sum(axis=(1, 2))
    return tau


def dimension(w: World, H: Numbers, lam: Number) -> Number:
    """Give s_lambda = tr (H + lam I)^-1 H."""
    return np.trace(w.inverse(w.shifted(H, lam)) @ H)


def sees(x: TangentProblem, seen: Numbers) -> list[bool]:
    """Tell of every cell whether its neurons see a data point that is not 0, that is, whether Phi != 0."""
    return [any(s and any(row) for s, row in zip(pattern, x.X, strict=False)) for pattern in seen.tolist()]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the leverage density.

    Parameters
    ----------
    ridge : (n, lam) -> lam in tau
    total : (s_lambda, rank bound n) -> what q_lambda is divided by
    upper, lower : (least, greatest eigenvalue of H_cts) -> the one in the bound of p/q from above, from below
    blind : p-mass of the neurons that see all of the data -> p-mass where q vanishes
    """

    ridge: Callable[[int, Fraction], Fraction] = lambda _n, lam: lam
    total: Callable[[Number, Number], Number] = lambda s, _n: s
    upper: Callable[[Interval, Interval], Interval] = lambda _least, greatest: greatest
    lower: Callable[[Interval, Interval], Interval] = lambda least, _greatest: least
    blind: Callable[[Number], Number] = lambda mass: mass


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of (9), the printed one or a broken one."""

    def claims(x: TangentProblem) -> list[Claim]:
        with precision(BITS):
            return _claims(reading, x)

    return ForEach(claims=claims)


def _claims(reading: Reading, x: TangentProblem) -> list[Claim]:
    w, n = x.data, x.n
    total = reading.total(dimension(w, w.kernel, w.number(x.lam)), w.number(n))
    tau = leverages(w, w.kernel, w.number(reading.ridge(n, x.lam)), w.grams())
    active = sees(x, w.seen)
    extremes = _extremes(x, w)
    found = [
        Claim(
            says="q integrates to 1: sum_c P_c tau_c / s_lambda = 1",
            left=w.quantity((w.mass * tau).sum() / total),
            relation="=",
            right=w.quantity(w.number(1)),
        ),
        Claim(
            says="q vanishes with the probability that every point is seen",
            left=w.quantity(_sum(w, [p for p, a in zip(w.mass, active, strict=True) if not a])),
            relation="=",
            right=w.quantity(reading.blind(_all_seen(x, w))),
        ),
    ]
    squares = w.grams().diagonal(axis1=1, axis2=2).sum(axis=1)
    for c, (t, square, a) in enumerate(zip(tau, squares, active, strict=True), start=1):
        if not a:
            says = f"tau = 0 in cell {c}, which sees nothing"
            found.append(Claim(says=says, left=w.quantity(t), relation="=", right=Fraction(0)))
            continue
        unit, weight = w.interval(total / square), w.quantity(total / t)
        low, high = (_product(unit, plus(of(*extremes), point(x.lam))) for of in (reading.lower, reading.upper))
        found += [
            Claim(
                says=f"s_lambda (Lambda_0 + lambda) / ||Phi||_F^2 <= p/q in cell {c}",
                left=low,
                relation="<=",
                right=weight,
            ),
            Claim(
                says=f"p/q <= s_lambda (||H_cts|| + lambda) / ||Phi||_F^2 in cell {c}",
                left=weight,
                relation="<=",
                right=high,
            ),
        ]
    return found


def _sum(w: World, values: list[Number]) -> Number:
    return sum(values, start=w.number(0))


def _all_seen(x: TangentProblem, w: World) -> Number:
    """Give the probability of the neurons that see every data point that is not 0: w -> -w makes them blind."""
    rows = [i for i, row in enumerate(x.X) if any(row)]
    return _sum(w, [p for p, seen in zip(w.mass, w.seen, strict=True) if rows and all(seen[i] for i in rows)])


def _extremes(x: TangentProblem, w: World) -> tuple[Interval, Interval]:
    """Enclose the least and the greatest eigenvalue of H_cts, as points where they are rational."""
    if w.rational:
        rows = w.kernel.tolist()
        return least_eigenvalue(rows), greatest_eigenvalue(rows)
    return least_kernel_eigenvalue(floats(x.X)), EnclosedKernel(K=matrix_of_balls(w.kernel.tolist())).norm()


def _product(a: Interval, b: Interval) -> Interval:
    """Multiply numbers > 0."""
    return a[0] * b[0], a[1] * b[1]


def _some_point(x: TangentProblem) -> str | None:
    return None if any(map(any, x.X)) else "some data point must not be 0: q_lambda = 0 everywhere"


SOME_POINT = Hypothesis(says="some data point is not 0", holds=_some_point)


def _twin(name: str, because: str, refuted_on: TangentProblem, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.tangent_strategies import lattices

    # a single point attains both bounds, which enclosures cannot decide
    return lattices().filter(lambda x: any(map(any, x.X)))


POSITIVITY = Misprint(
    id="E11",
    says="Definition 3.8: q(.): R^d -> R_{>0}",
    instead="q >= 0, and q = 0 on the neurons that see no data point; phi = 0 there, so that nothing is lost there",
    witness="I2: the cell that sees none of the angles .3, 1.5, 2.9 has tau = 0, probability (pi - 2.6)/(2 pi) = .0862",
)

STATEMENT = Statement(
    id="glss.eq9",
    number="(9)",
    title="The leverage density of neurons",
    kind="Equation",
    says=r"q(w)=\frac{q_\lambda(w)}{s_\lambda(H^{\mathrm{cts}})}\quad\int q(w)\,dw=1"
    r"\quad\frac{s_\lambda(\Lambda_0+\lambda)}{\lVert\Phi(w)\rVert_F^2}\le\frac{p(w)}{q(w)}\le"
    r"\frac{s_\lambda(\lVert H^{\mathrm{cts}}\rVert+\lambda)}{\lVert\Phi(w)\rVert_F^2}",
    plainly="The leverage of neurons is a density after division by the statistical dimension; it vanishes exactly "
    "on the neurons that see no data, and elsewhere the weight p/q lies between two multiples of that dimension.",
    source=GLSS.at("Section 3.2.2, equation (9)"),
    deviation="The print defines q; the bounds are what training with it needs. For unit data 1 <= ||Phi(w)||_F^2 <= n "
    "on neurons that see a point, so s (Lambda_0 + lambda) / n <= p/q <= s (||H_cts|| + lambda).",
    constant="explicit",
    hypotheses=(RIDGE, SOME_POINT, LAW),
    conclusion=conclusion(PRINTED),
    instances=problems,
    twins=(
        _twin(
            "positive_everywhere",
            "q: R^d -> R_{>0} as printed in Definition 3.8",
            canonical()[1],
            blind=lambda mass: 0 * mass,
        ),
        _twin(
            "divided_by_the_number_of_points",
            "s_lambda < n: q would integrate to less than 1",
            ORTHONORMAL,
            total=lambda _s, n: n,
        ),
        _twin(
            "ridge_times_n", "leverage and dimension at different ridges", canonical()[0], ridge=lambda n, lam: n * lam
        ),
        _twin(
            "bounds_flipped",
            "a large eigenvalue makes leverage small, and the weight large",
            canonical()[1],
            upper=lambda least, _greatest: least,
            lower=lambda _least, greatest: greatest,
        ),
        _twin(
            "least_eigenvalue_above",
            "s (Lambda_0 + lambda) / ||Phi||_F^2 does not bound the weight from above",
            SQUARE,
            upper=lambda least, _greatest: least,
        ),
        _twin(
            "norm_below",
            "s (||H_cts|| + lambda) / ||Phi||_F^2 does not bound the weight from below",
            SQUARE,
            lower=lambda _least, greatest: greatest,
        ),
    ),
    misprints=(POSITIVITY, LEAST_EIGENVALUE),
    notes=(
        "Both bounds are attained on orthonormal data, and by one point: there p/q = 1/2 on half of all neurons, the "
        "Gaussian half-space network.",
        "q vanishes with the probability that all points are seen, by the symmetry w -> -w.",
        "I2, lambda = 1/10: tau = 4.486 (all seen), 3.395, 3.255, 1.762, 1.711, 0 (none seen); s_lambda = 2.478.",
    ),
    strategy=_drawn,
)
