r"""Equation (4): the ridge leverage function integrates to the statistical dimension, and what bounds that number.

    int q_lambda(w) dw = tr (K + lam I)^-1 K = s_lambda(K)

The left side is computed from features and their law, the right side from the closed form of the kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference.arithmetic import Interval
from theorems.glss.leverage_instances import I6, SPECTRUM, RidgeInstance, plane_I2, ridges
from theorems.glss.leverage_quantities import Counted, counted, over, plus, point, shrunk, times
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Statement


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about equation (4).

    Parameters
    ----------
    dimension : (quantities, lam) -> s_lambda, the right side
    integral : (quantities, lam) -> int q_lambda, the left side
    ceiling : (quantities, lam) -> a number that s_lambda does not exceed
    """

    dimension: Callable[[Counted, Fraction], Interval] = lambda c, lam: c.dimension(lam)
    integral: Callable[[Counted, Fraction], Interval] = lambda c, lam: c.mean_leverage(lam)
    ceiling: Callable[[Counted, Fraction], Interval] = lambda c, lam: times(1 / lam, c.trace)


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of equation (4), the printed one or a broken one."""

    def claims(x: RidgeInstance) -> list[Claim]:
        c, lam = counted(x), x.lam
        s, s2, s3 = (reading.dimension(c, k * lam) for k in (1, 2, 3))
        found = [
            Claim(
                says="int q_lambda = tr (K + lambda I)^-1 K",
                left=reading.integral(c, lam),
                relation="=",
                right=s,
            ),
            Claim(says="s_lambda <= tr K / lambda", left=s, relation="<=", right=reading.ceiling(c, lam)),
            Claim(
                says="s_lambda <= rank K" if c.rank is not None else "s_lambda <= n",
                left=s,
                relation="<=",
                right=Fraction(c.n if c.rank is None else c.rank),
            ),
            Claim(says="s decreases: s_2lambda <= s_lambda", left=s2, relation="<=", right=s),
            Claim(
                says="s is convex: 2 s_2lambda <= s_lambda + s_3lambda",
                left=times(Fraction(2), s2),
                relation="<=",
                right=plus(s, s3),
            ),
            Claim(
                says="lambda s increases: s_lambda <= 2 s_2lambda", left=s, relation="<=", right=times(Fraction(2), s2)
            ),
        ]
        if c.rank is not None:
            found += _attained(c, lam, s)
        return found

    return ForEach(claims=claims)


def _attained(c: Counted, lam: Fraction, s: Interval) -> list[Claim]:
    """Relate s_lambda to bounds that some kernels attain, which only exact numbers can decide."""
    r = Fraction(c.rank or 0)
    return [
        Claim(says="lambda_1 / (lambda_1 + lambda) <= s_lambda", left=shrunk(c.norm, lam), relation="<=", right=s),
        Claim(says="tr K / (tr K + lambda) <= s_lambda", left=shrunk(c.trace, lam), relation="<=", right=s),
        Claim(
            says="s_lambda <= r tr K / (tr K + r lambda), r = rank K, times the denominator",
            left=times(s[0], plus(c.trace, point(r * lam))),
            relation="<=",
            right=times(r, c.trace),
        ),
    ]


def ridge_is_positive(x: RidgeInstance) -> str | None:
    """Check lambda > 0."""
    return None if x.lam > 0 else f"lambda must be positive, got lambda = {float(x.lam):g}"


RIDGE_POSITIVE = Hypothesis(says="lambda > 0", holds=ridge_is_positive)


def _twin(name: str, because: str, refuted_on: RidgeInstance, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.leverage_strategies import ridges as drawn

    return drawn()


STATEMENT = Statement(
    id="glss.eq4",
    number="(4)",
    title="The statistical dimension",
    kind="Equation",
    says=r"s_\lambda(K)=\int q_\lambda(w)\,dw=\operatorname{tr}\left[(K+\lambda I_n)^{-1}K\right]"
    r"\quad\frac{\lambda_1}{\lambda_1+\lambda}\le s_\lambda\le\min\left(\operatorname{rank}K,"
    r"\frac{\operatorname{tr}K}{\lambda}\right)",
    plainly="The ridge leverage function integrates to the statistical dimension, which lies between "
    "lambda_1 / (lambda_1 + lambda) and the smaller of rank K and tr K / lambda, and falls with lambda, convexly and "
    "more slowly than 1 / lambda.",
    source=GLSS.at("Section 3.1, Definition 3.1, equation (4)"),
    deviation="The print has the identity; the order relations are added. With enclosed kernels rank K is replaced by "
    "n, and bounds that some kernels attain are claimed on exact worlds only.",
    constant="explicit",
    hypotheses=(
        RIDGE_POSITIVE,
        Hypothesis(
            says="phi(., w) is measurable and E tr Phi Phi^T is finite, so that trace and integral may be exchanged",
            guaranteed_by="features on finitely many atoms or cells, or bounded by 1",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=ridges,
    twins=(
        _twin(
            "ridge_times_n",
            "tr (K + n lambda I)^-1 K belongs to kernels divided by n",
            plane_I2(),
            dimension=lambda c, lam: c.dimension(c.n * lam),
        ),
        _twin(
            "both_factors_squared",
            "tr (K + lambda I)^-2 K^2 is the other effective dimension, and smaller",
            plane_I2(),
            dimension=lambda c, lam: c.squared_dimension(lam),
        ),
        _twin(
            "norm_for_every_eigenvalue",
            "tr K / (||K|| + lambda) treats every direction like the top one",
            plane_I2(),
            dimension=lambda c, lam: over(c.trace, plus(c.norm, point(lam))),
        ),
        _twin(
            "kernel_without_its_half",
            "x.z (pi - theta) / pi is twice the tangent kernel of one layer",
            plane_I2(),
            dimension=lambda c, lam: c.dimension(lam / 2),
        ),
        _twin(
            "ridge_left_out_of_the_kernel",
            "tr K / lambda is an upper bound, attained by no K but 0",
            SPECTRUM,
            dimension=lambda c, lam: times(1 / lam, c.trace),
        ),
        _twin(
            "rank_for_the_dimension",
            "every direction counted as one: the limit lambda -> 0",
            SPECTRUM,
            dimension=lambda c, _lam: point(Fraction(c.n)),
        ),
        _twin(
            "leverage_at_twice_the_ridge",
            "q at one ridge and s at another",
            I6,
            integral=lambda c, lam: c.mean_leverage(2 * lam),
        ),
        _twin(
            "top_eigenvalue_as_a_ceiling",
            "||K|| / lambda for tr K / lambda: one direction is not all of them",
            replace(SPECTRUM, name="geometric-spectrum-large-ridge", lam=Fraction(4)),
            ceiling=lambda c, lam: times(1 / lam, c.norm),
        ),
    ),
    notes=(
        "Both printed-style bounds can be sharpened, since x / (x + lambda) is concave and 0 at 0: "
        "tr K / (tr K + lambda) <= s_lambda <= r tr K / (tr K + r lambda), r = rank K. Rank-one kernels attain the "
        "lower bound, multiples of a projection the upper one.",
        "On canonical instance I2, lambda = 1/10: s_lambda = 2.47817614146032890784169802306.",
    ),
    strategy=_drawn,
)
