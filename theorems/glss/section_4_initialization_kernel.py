r"""Section 4, initialization phase: H(0) is close to H_cts, with the constants that the paper leaves open.

    m >= ln(n(n+1) / delta) / (2 eps^2)   =>   P[ |H_ij(0) - H_cts,ij| <= eps |x_i.x_j| for all i, j ] >= 1 - delta

and so ||H(0) - H_cts||_F <= eps ||X X^T||_F, at most eps n for unit data. Proof: H_ij(0) / x_i.x_j is the mean of m
indicators; Hoeffding for both tails of each of n(n+1)/2 pairs. Data on one line have one count, which is binomial, and
there the probability is exact. Decided on N_ij / m - p_ij for the pairs with x_i.x_j != 0; the others agree always.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Interval, ball, enclose, interval, precision
from reference.datasets import load
from reference.orthants import cells
from reference.preconditions import Float64, exact_rows, inner
from reference.relu_tangent import tangent_kernel_balls
from theorems.glss.networks_at_the_start import FAILURE, GAUSSIAN, AtTheStart, batch_of, by_cells, pair_counts
from theorems.glss.training_instances import I1, I2, I3, on_circle
from theorems.sources import GLSS
from theorems.statement import (
    BoundBatch,
    BrokenTwin,
    Construction,
    CountsBox,
    HighProbability,
    Hypothesis,
    Layer,
    Statement,
)

BITS = 192
ROUNDING = 2.0**-51
"""N / m and p are rounded once each, and their difference once more; all are at most 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelAtTheStart(AtTheStart):
    """Data, and how close the kernel is to be.

    Parameters
    ----------
    eps : accuracy of every entry, relative to x_i.x_j
    """

    eps: Fraction

    def pairs(self) -> list[tuple[int, int]]:
        """Give the pairs i <= j with x_i.x_j != 0."""
        rows = exact_rows(self.X)
        return [(i, j) for i in range(self.n) for j in range(i + 1) if inner(rows[i], rows[j])]


def seen_by_both(x: KernelAtTheStart) -> list[Interval]:
    """Enclose p_ij = H_cts,ij / x_i.x_j for the pairs of the instance."""
    rows, K = exact_rows(x.X), tangent_kernel_balls(x.X, BITS)
    with precision(BITS):
        return [interval(K[i, j] / ball(inner(rows[i], rows[j]), BITS)) for i, j in x.pairs()]


def _supplement(x: KernelAtTheStart) -> list[Interval]:
    return [(Fraction(1, 2) - high, Fraction(1, 2) - low) for low, high in seen_by_both(x)]


def _size(n: Any, delta: Any, eps: Any) -> Any:
    return (n * (n + 1) / delta).log() / (2 * eps**2)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the sentence tells one to do, and what can be got wrong about it.

    Parameters
    ----------
    size : balls (n, delta, eps) -> m
    target : what N_ij / m is compared with
    divisor : m -> what the counts are divided by
    allowed : eps -> how far they may be off
    """

    size: Callable[[Any, Any, Any], Any] = _size
    target: Callable[[KernelAtTheStart], list[Interval]] = seen_by_both
    divisor: Callable[[int], int] = lambda m: m
    allowed: Callable[[Fraction], Fraction] = lambda eps: eps


def needed(x: KernelAtTheStart, reading: Reading, bits: int = BITS) -> Interval:
    """Enclose the width asked for."""
    return enclose(reading.size, x.n, x.delta, x.eps, bits=bits)


def on_one_line(x: KernelAtTheStart) -> bool:
    """Whether all rows lie on a line: then every count that matters is that of one half space, or the rest."""
    return by_cells(x.X) and len(cells(x.X).probability) == 2


def construct(x: KernelAtTheStart, m: int, reading: Reading) -> Construction:
    """Describe the trials at width m."""
    allowed, pairs = reading.allowed(x.eps), np.array(x.pairs())
    target = np.array([float(low) for low, _ in reading.target(x)])

    def draw(rng: np.random.Generator, trials: int) -> BoundBatch:
        counts = pair_counts(x.X, m, rng, trials)[:, pairs[:, 0], pairs[:, 1]]
        off: Float64 = np.abs(counts / reading.divisor(m) - target).max(axis=1)
        return BoundBatch(lower=off - ROUNDING, upper=off + ROUNDING, allowed=(allowed, allowed))

    box, half = None, Fraction(1, 2)
    if on_one_line(x) and reading.target is seen_by_both and reading.divisor(m) == m:
        low, high = ceil(m * (half - allowed)), floor(m * (half + allowed))
        box = CountsBox(m=m, law=(half, half), low=(low, 0), high=(high, m))
    return Construction(
        size=m,
        batch_size=1024 if by_cells(x.X) else batch_of(m * (x.X.shape[1] + x.n)),
        draw=draw,
        facts={"n": x.n, "d": x.X.shape[1], "eps": float(x.eps), "pairs": len(pairs)},
        box=box,
        size_needed=needed(x, Reading(), 512),
    )


def conclusion(reading: Reading) -> HighProbability:
    """Give the sentence for a reading, the right one or a broken one."""
    return HighProbability(
        size=lambda x: max(1, ceil(needed(x, reading)[1])),
        construction=lambda x, m: construct(x, m, reading),
        delta=lambda x: x.delta,
        stress="max |H_ij(0) - H_cts,ij| / (eps |x_i.x_j|)",
    )


def _given(
    name: str, says: str, X: npt.ArrayLike, eps: Fraction, delta: Fraction = Fraction(1, 10)
) -> KernelAtTheStart:
    return KernelAtTheStart(name=name, says=says, X=np.array(X, dtype=np.float64), eps=eps, delta=delta)


SIXTEENTH = Fraction(1, 16)
POINT = _given("one-point", "n = d = 1, eps = 1/16: exact", [[1]], SIXTEENTH)
LINE = _given("one-line", "x, -x, 3x and 0, eps = 1/32: exact", [[1, 2], [-1, -2], [3, 6], [0, 0]], SIXTEENTH / 2)
PAIR = _given("I1", "angles .3 and 1.5, eps = 1/16", I1, SIXTEENTH)
FAN = _given("I2", "angles .3, 1.5 and 2.9, eps = 1/32", I2, SIXTEENTH / 2)
NEAR = _given("near-opposite", "angles 0 and 3.1415: p_12 = 1.5e-5, eps = 1/16", on_circle(0.0, 3.1415), SIXTEENTH)
WIDE = _given("I1-wide", "angles .3 and 1.5, eps = 2^-20: a width of more than 10^12", I1, Fraction(1, 2**20))
FRAME = _given(
    "frame", "an orthonormal basis of R^32, eps = 1/4, delta = 9/10", np.eye(32), SIXTEENTH * 4, Fraction(9, 10)
)


def instances(profile: str) -> tuple[KernelAtTheStart, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[KernelAtTheStart, ...] = (POINT, LINE, PAIR, FAN, NEAR, WIDE, FRAME)
    if profile in ("ci", "night"):
        found += (
            _given("I3", "angles 0, 1.3, 2.5 and 4.2, eps = 1/64", I3, SIXTEENTH / 4),
            _given("diabetes-16", "16 patients, d = 10, eps = 1/16", load("diabetes", 16), SIXTEENTH),
        )
    return found


def _accuracy(x: KernelAtTheStart) -> str | None:
    return None if 0 < x.eps < 1 else f"eps must lie in (0, 1), got eps = {x.eps}"


def _not_all_zero(x: KernelAtTheStart) -> str | None:
    return None if x.X.any() else "some x_i must not be 0, got none"


def _twin(
    name: str, because: str, refuted_on: KernelAtTheStart, recipe_only: bool = False, **change: Any
) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=conclusion(Reading(**change)),
        refuted_on=refuted_on,
        recipe_only=recipe_only,
    )


def _drawn() -> Any:
    from theorems.glss.training_phase_strategies import kernels_at_the_start

    return kernels_at_the_start()


STATEMENT = Statement(
    id="glss.init-phase",
    number="4, initialization phase",
    title="The kernel before training",
    kind="Step of a proof",
    says=r"m\ge\frac{1}{2\varepsilon^{2}}\ln\frac{n(n+1)}{\delta}\quad\Rightarrow\quad "
    r"P\left[\left|H_{ij}(0)-H^{\mathrm{cts}}_{ij}\right|\le\varepsilon\left|x_i^{\top}x_j\right|"
    r"\ \text{for all}\ i,j\right]\ge 1-\delta",
    plainly="In a wide network the kernel at the start is entry by entry close to its limit; the width does not depend "
    "on the dimension.",
    source=GLSS.at("Section 4, 'Initialization phase'"),
    deviation="the paper says 'sufficiently wide' and 'sufficiently close'; the constants are Hoeffding's, proved here",
    constant="proved here",
    hypotheses=(
        Hypothesis(says="eps in (0, 1)", holds=_accuracy),
        FAILURE,
        Hypothesis(says="not all data are 0", holds=_not_all_zero),
        GAUSSIAN,
    ),
    conclusion=conclusion(Reading()),
    instances=instances,
    twins=(
        _twin(
            "union_over_pairs_forgotten",
            "n diagonal entries of orthogonal data are independent: some of them err",
            FRAME,
            size=lambda _n, delta, eps: (2 / delta).log() / (2 * eps**2),
        ),
        _twin(
            "accuracy_not_squared",
            "a mean of m indicators errs like m^-1/2",
            FAN,
            size=lambda n, delta, eps: (n * (n + 1) / delta).log() / (2 * eps),
        ),
        _twin(
            "kernel_of_the_supplement",
            "theta for pi - theta: the limit of another network",
            PAIR,
            target=_supplement,
        ),
        _twin("a_quarter_of_the_error", "eps / 4 at the width for eps", POINT, allowed=lambda eps: eps / 4),
        _twin("one_over_m_forgotten", "the sum of m features is not their mean", PAIR, divisor=lambda _m: 1),
        _twin(
            "one_tail_only",
            "kernels err upwards and downwards: both tails count, though Hoeffding's slack hides it",
            PAIR,
            recipe_only=True,
            size=lambda n, delta, eps: (n * (n + 1) / (2 * delta)).log() / (2 * eps**2),
        ),
    ),
    layers=(Layer.SIZE,),
    strategy=_drawn,
)
