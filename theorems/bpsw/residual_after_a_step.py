r"""What a Gauss-Newton step leaves of the residual: the linear problem's rest, and what the crossing neurons do.

    ||f(W - J^T g) - y|| <= ||G g - r|| + N R sqrt(n / m),   R = ||X|| ||g|| / sqrt m,   r = f(W) - y,
    N = max_i #{r : |w_r . x_i| <= R};   where N <= 2 R m also  <= ||G g - r|| + 2 sqrt(n / m) ||X||^2 ||g||^2

Proof. f(W') - y = r - J J^T g + rem. A weight vector moves by at most R, since dw_r = m^-1/2 a_r sum_i g_i 1_ir x_i.
In rem_i = m^-1/2 sum_r a_r [sigma(w_r'.x_i) - sigma(w_r.x_i) - 1_ir dw_r.x_i] only neurons that cross the kink of x_i
count, each at most |dw_r . x_i| <= R, and a neuron that crosses had |w_r . x_i| <= R. The count N <= 2 R m is what
Gaussian weights have (p_R <= .798 R) with high probability; later steps start elsewhere, so it is checked on each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from reference import arithmetic
from reference.arithmetic import Interval, rational_product
from reference.exact_linear_algebra import transposed
from reference.exact_spectra import largest_eigenvalue
from reference.gauss_newton import Rule, Step, gradient_step
from reference.jacobian import Jacobian
from reference.preconditions import Float64, exact_rows, gamma
from reference.two_layer import outputs
from theorems.bpsw.bpsw_instances import on_grid, random_rows
from theorems.bpsw.training_runs import (
    Inexact,
    Taken,
    gaussian_start,
    norm,
    output_error,
    rule,
    watched,
    weight_error,
)
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Instance, Misprint, Statement

FLOOR = 1e-7  # where rounding begins to show


@dataclass(frozen=True, kw_only=True, eq=False)
class Run(Instance):
    """One training run.

    Parameters
    ----------
    X : (n, d) float, rows of length at most 1; y : (n,) float
    m : neurons
    steps : rule of the steps; eps0 : the inner relative residual it may leave
    key : of the generator of the start and of the steps
    at_most : steps
    """

    X: Float64
    y: Float64
    m: int
    steps: Inexact
    eps0: Fraction
    key: int
    at_most: int = 5

    @property
    def rng(self) -> np.random.Generator:
        """The generator of the start, then of the steps."""
        return np.random.Generator(np.random.Philox(key=self.key))

    @cached_property
    def taken(self) -> list[Taken]:
        """The steps of the run, down to the floor where rounding begins to show."""
        rng = self.rng
        W, a = gaussian_start(self.m, self.X.shape[1], rng)
        return self.followed(rule(self.steps, self.eps0, rng), W, a)

    def followed(self, step: Rule, W: Float64, a: Float64) -> list[Taken]:
        """Train from a start by a rule."""
        return watched(self.X, self.y, W, a, step, accuracy=FLOOR, at_most=self.at_most)[1]

    @cached_property
    def a(self) -> Float64:
        """The second layer."""
        return gaussian_start(self.m, self.X.shape[1], self.rng)[1]

    @cached_property
    def data_norm_squared(self) -> Interval:
        """Enclose ||X||^2."""
        rows = exact_rows(self.X)
        return largest_eigenvalue(rational_product(rows, transposed(rows)))


Residual: TypeAlias = tuple[Fraction, Fraction]


def left_over(x: Run, step: Taken) -> Residual:
    """Enclose ||f(W - J^T g) - y||."""
    error = output_error(step.after, x.X) + weight_error(step.after, step.g, x.X)
    return norm(outputs(step.after, x.a, x.X) - x.y, error + float(np.abs(x.y).max()) * 2.0**-52)


def at_start(x: Run, step: Taken) -> Residual:
    """Enclose ||f(W) - y||."""
    return norm(step.r, output_error(step.before, x.X) + float(np.abs(x.y).max()) * 2.0**-52)


def of_the_linear_problem(x: Run, step: Taken) -> Residual:
    """Enclose ||G g - r||: G is exact up to gamma_(d+2) |x||z|, a product with g of n terms."""
    error = output_error(step.before, x.X) + float(np.abs(x.y).max()) * 2.0**-52
    n, d = x.X.shape
    product = gamma(n + d + 6) * float(np.square(x.X).sum(axis=1).max()) * float(np.abs(step.g).sum())
    return norm(step.G @ step.g - step.r, error + product)


def reach(x: Run, step: Taken) -> Residual:
    """Enclose R = ||X|| ||g|| / sqrt m."""
    return arithmetic.enclose(
        lambda square, g, m: (square / m).sqrt() * g, x.data_norm_squared, norm(step.g, 0.0), Fraction(x.m)
    )


def crossings(x: Run, step: Taken) -> int:
    """Count, for the point with most, the neurons that a move of R may carry across its kink, rounding included."""
    products = np.abs(step.before @ x.X.T)
    slack = gamma(x.X.shape[1] + 1) * np.linalg.norm(step.before, axis=1)
    return int((products <= float(reach(x, step)[1]) * (1 + 2.0**-40) + slack[:, None]).sum(axis=0).max())


def few_cross(x: Run, step: Taken) -> bool:
    """Whether N <= 2 R m."""
    return crossings(x, step) <= 2 * reach(x, step)[0] * x.m


def general(x: Run, step: Taken) -> Residual:
    """Enclose ||G g - r|| + N R sqrt(n / m)."""
    return arithmetic.enclose(
        lambda rest, R, N, n, m: rest + N * R * (n / m).sqrt(),
        of_the_linear_problem(x, step),
        reach(x, step),
        crossings(x, step),
        len(x.X),
        x.m,
    )


def quadratic(x: Run, step: Taken) -> Residual:
    """Enclose ||G g - r|| + 2 sqrt(n / m) ||X||^2 ||g||^2."""
    return arithmetic.enclose(
        lambda rest, square, g, n, m: rest + 2 * (n / m).sqrt() * square * g**2,
        of_the_linear_problem(x, step),
        x.data_norm_squared,
        norm(step.g, 0.0),
        len(x.X),
        x.m,
    )


def claims(x: Run) -> Sequence[Claim]:
    """Give both bounds for every step of a run, the second where its count is met."""
    found = []
    for t, step in enumerate(x.taken):
        left = left_over(x, step)
        found.append(Claim(says=f"residual after step {t + 1}", left=left, relation="<=", right=general(x, step)))
        if few_cross(x, step):
            found.append(
                Claim(
                    says=f"residual after step {t + 1}, quadratic", left=left, relation="<=", right=quadratic(x, step)
                )
            )
    return found


def facts(x: Run) -> dict[str, float | int | str]:
    """Give residuals, ratios and counts."""
    taken = x.taken
    ratios = [float(left_over(x, s)[1] / at_start(x, s)[1]) for s in taken]
    return {
        "m": x.m,
        "residual at start": float(at_start(x, taken[0])[1]),
        "residual at end": float(left_over(x, taken[-1])[1]),
        "ratios": ", ".join(f"{t:.2g}" for t in ratios),
        "first ratio sqrt m": ratios[0] * x.m**0.5,
        "steps with N <= 2 R m": f"{sum(few_cross(x, s) for s in taken)} of {len(taken)}",
    }


def a_run(name: str, says: str, n: int, d: int, m: int, **more: Any) -> Run:
    """Draw unit rows and labels in [-1, 1]."""
    given: dict[str, Any] = {"steps": "exact", "eps0": Fraction(0), "key": 1} | more
    scale = given.pop("scale", 1)
    y = scale * on_grid(np.random.Generator(np.random.Philox(key=[n, 5])).uniform(-1, 1, n))
    return Run(name=name, says=says, X=on_grid(random_rows(n, d, n)), y=y, m=m, **given)


TENTH, THREE_TENTHS = Fraction(1, 10), Fraction(3, 10)
EXACT = a_run("n8-m4096-exact", "n = d = 8, m = 4096, exact steps", 8, 8, 4096)
INEXACT = a_run(
    "n8-m4096-sideways",
    "the same with inner residuals of .3 in any direction",
    8,
    8,
    4096,
    steps="sideways",
    eps0=THREE_TENTHS,
)
LOUD = a_run("n8-m4096-loud", "the same with labels up to 1000", 8, 8, 4096, scale=1000)
NARROW = a_run("n16-m4-d2", "n = 16, m = 4, d = 2: fewer weights than data", 16, 2, 4, key=3)
LONG = a_run("n8-m4096-long", "n = d = 8, m = 4096, twenty steps", 8, 8, 4096, at_most=20)


def instances(profile: str) -> tuple[Run, ...]:
    """Give runs with exact, inexact and sketched steps, few neurons and many."""
    found: tuple[Run, ...] = (
        EXACT,
        a_run("n8-m256-exact", "n = d = 8, m = 256, exact steps", 8, 8, 256),
        INEXACT,
        a_run(
            "n8-m4096-sketched", "sketched steps with inner residuals of .1", 8, 8, 4096, steps="sketched", eps0=TENTH
        ),
        LOUD,
        a_run("n1-m65536-too-long", "n = 1, m = 65536", 1, 1, 2**16, steps="too long", eps0=TENTH, at_most=2),
    )
    if profile in ("ci", "night"):
        found += (
            a_run("n16-m4096-exact", "n = d = 16, m = 4096, exact steps", 16, 16, 4096),
            a_run(
                "n32-m65536-sketched",
                "n = 32, d = 16, m = 65536",
                32,
                16,
                2**16,
                steps="sketched",
                eps0=TENTH,
                at_most=3,
            ),
        )
    return found


def _short_rows(x: Run) -> str | None:
    longest = max(sum(t * t for t in row) for row in exact_rows(x.X))
    return None if longest <= 1 else f"rows must have length at most 1, got {float(longest) ** 0.5:.17g}"


def _definite(x: Run) -> str | None:
    n, (m, d) = len(x.X), (x.m, x.X.shape[1])
    return None if m * d >= n else f"there must be at least as many weights as data, got m d = {m * d} and n = {n}"


# ------------------------------------------------------------------------------------------------------ twins


def _halves(x: Run, steps: Callable[[Run], list[Taken]]) -> Sequence[Claim]:
    return [
        Claim(
            says=f"step {t + 1} halves the residual",
            left=left_over(x, step),
            relation="<=",
            right=(at_start(x, step)[0] / 2, at_start(x, step)[1] / 2),
        )
        for t, step in enumerate(steps(x))
    ]


def _shortest_least_squares(jacobian: Jacobian, r: Float64) -> Step:
    J = jacobian.part(slice(None), slice(None)).reshape(len(r), -1)
    g = np.linalg.pinv(J @ J.T, rcond=1e-10, hermitian=True) @ r
    return Step(g=g, update=jacobian.transposed_times(g), iterations=0)


def _by(step: Rule) -> Callable[[Run], list[Taken]]:
    def steps(x: Run) -> list[Taken]:
        W, a = gaussian_start(x.m, x.X.shape[1], x.rng)
        return x.followed(step, W, a)

    return steps


def _squared_rest(x: Run) -> Sequence[Claim]:
    return [
        Claim(
            says=f"step {t + 1} leaves eps0^2 of the residual",
            left=left_over(x, step),
            relation="<=",
            right=(x.eps0**2 * at_start(x, step)[0], x.eps0**2 * at_start(x, step)[1]),
        )
        for t, step in enumerate(x.taken)
    ]


def _twin(
    name: str, because: str, refuted_on: Run, claims: Callable[[Run], Sequence[Claim]], *without: str
) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=claims), refuted_on=refuted_on, without=without
    )


UNIT = Hypothesis(says="||x_i|| <= 1 (A1)", holds=_short_rows)
ENOUGH_WEIGHTS = Hypothesis(says="m d >= n, else G = J J^T is singular (A3)", holds=_definite)

BP3 = Misprint(
    id="BP3",
    says="halving at every step, for any labels and data",
    instead="|y| <= 1 (A2), unit rows (A1) and a positive least eigenvalue of the limiting kernel (A3)",
    witness="`bpsw.halving.as_printed`; `bpsw.step`, twin 'labels_of_scale_1000_halve'",
)

STATEMENT = Statement(
    id="bpsw.step",
    number="main theorem, one step",
    title="What one inexact Gauss-Newton step leaves of the residual",
    kind="Lemma",
    says=r"\lVert f(W-J^{\top}g)-y\rVert\le\lVert Gg-r\rVert+2\sqrt{\frac{n}{m}}\,\lVert X\rVert^2\lVert g\rVert^2"
    r"\quad\text{once}\quad\#\left\{r:|w_r^{\top}x_i|\le R\right\}\le 2Rm,\ "
    r"R=\frac{\lVert X\rVert\lVert g\rVert}{\sqrt m}",
    plainly="After a step the residual is what the inner solver left of it, plus a part that is quadratic in the step "
    "and falls like one over the root of the width.",
    source=BPSW.at("main theorem (recalled), one step"),
    deviation="not printed: the deterministic lemma behind the halving, with constants, and with the number of "
    "crossing neurons counted on each step",
    constant="proved here",
    hypotheses=(
        UNIT,
        ENOUGH_WEIGHTS,
        Hypothesis(says="N <= 2 R m for the quadratic form", guaranteed_by="counted on every step, and used where met"),
    ),
    conclusion=ForEach(claims=claims, facts=facts),
    instances=instances,
    twins=(
        _twin(
            "gradient_descent_halves",
            "the first steps may look fine; then the small eigenvalues of G decide (B4)",
            LONG,
            lambda x: _halves(x, _by(gradient_step(1.0))),
        ),
        _twin(
            "labels_of_scale_1000_halve",
            "no width is large when the labels are larger: then the step moves half of the neurons across (B5)",
            LOUD,
            lambda x: _halves(x, lambda x: x.taken),
        ),
        _twin(
            "fewer_weights_than_data_halve",
            "m d < n: no weights fit the linear problem (B6)",
            NARROW,
            lambda x: _halves(x, _by(_shortest_least_squares)),
            ENOUGH_WEIGHTS.says,
        ),
        _twin(
            "inner_residual_squared",
            "an inner residual of .3 is left as it is, at every step (B8)",
            INEXACT,
            _squared_rest,
        ),
        _twin(
            "linear_problem_alone",
            "f(W - J^T g) - y = r - G g only while no neuron crosses",
            EXACT,
            lambda x: [
                Claim(says="no remainder", left=left_over(x, s), relation="<=", right=of_the_linear_problem(x, s))
                for s in x.taken
            ],
        ),
    ),
    misprints=(BP3,),
    recalled=True,
)
