r"""TensorSRHT keeps squared lengths on average, for every vector, and costs what its two factors cost.

    S = s^-1/2 P (H D1 (x) H D2),   E S^T S = I,   n (d + d' log2 d' + m + m' log2 m' + 2 s) + m operations for S J^T

The mean is an exact sum over all signs and all sampled rows: the rows are drawn independently and alike, so s = 1 and
s = 4 repetitions of one row have the same mean. The operations are those that the running code counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from reference.arithmetic import exact
from reference.exact_linear_algebra import identity
from reference.hadamard import padded
from reference.jacobian import jacobian
from reference.operations import Operations
from reference.preconditions import Float64, exact_rows
from reference.sketches import TensorSRHT
from theorems.bpsw.bpsw_instances import Matrix
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Claim, Expectation, Hypothesis, Instance, Misprint, Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallSketch(Instance):
    """Sizes at which every draw can be listed.

    Parameters
    ----------
    v : (m, d) multiples of 1/8, up to 8: a vector whose length is looked at
    s : rows, a power of 4
    points : n, of the Jacobian that is sketched
    """

    v: Matrix
    s: int
    points: int


Draws: TypeAlias = Callable[[SmallSketch], Iterator[TensorSRHT]]
Formula: TypeAlias = Callable[[int, int, int, int], int]
"""(n, m, d, s) -> operations."""


def every_draw(x: SmallSketch) -> Iterator[TensorSRHT]:
    """List all signs and all pairs of rows, each as likely as the others; the same pair in all of the s rows."""
    m, d = len(x.v), len(x.v[0])
    for flips in product((-1.0, 1.0), repeat=m + d):
        for p, q in product(range(padded(m)), range(padded(d))):
            yield _sketch(flips[:m], flips[m:], p, q, x.s)


def _sketch(neurons: Sequence[float], coordinates: Sequence[float], p: int, q: int, s: int) -> TensorSRHT:
    return TensorSRHT(
        neuron_flips=np.array(neurons),
        coordinate_flips=np.array(coordinates),
        neuron_sample=np.full(s, p),
        coordinate_sample=np.full(s, q),
    )


def _one_draw_for_both(x: SmallSketch) -> Iterator[TensorSRHT]:
    m = len(x.v)
    for flips in product((-1.0, 1.0), repeat=m):
        for p in range(padded(m)):
            yield _sketch(flips, flips, p, p, x.s)


def _first_row(x: SmallSketch) -> Iterator[TensorSRHT]:
    m, d = len(x.v), len(x.v[0])
    yield _sketch([1.0] * m, [1.0] * d, 0, 0, x.s)


def operations(n: int, m: int, d: int, s: int) -> int:
    """Give what S J^T costs: the transforms of n points and n activation vectors, and s n products."""
    rounds = {N: N * (N.bit_length() - 1) for N in (padded(m), padded(d))}
    return n * (d + rounds[padded(d)] + m + rounds[padded(m)] + 2 * s) + m


def counted(x: SmallSketch) -> int:
    """Let the running code count; the values do not matter."""
    m, d = len(x.v), len(x.v[0])
    count = Operations()
    X = np.cos(np.outer(np.arange(1, x.points + 1), np.arange(1, d + 1)))
    J = jacobian(np.sin(np.arange(1.0, m * d + 1)).reshape(m, d), np.ones(m), X, count)
    before = count.total()
    TensorSRHT.draw(m, d, x.s, np.random.Generator(np.random.Philox(key=1))).apply(J)
    return count.total() - before


def conclusion(draws: Draws = every_draw, scale: Fraction = Fraction(1), cost: Formula = operations) -> Expectation:
    """Give the sentence for a law and a cost, the paper's or broken ones; `scale` multiplies E S^T S."""

    def claims(x: SmallSketch) -> Sequence[Claim]:
        m, d = len(x.v), len(x.v[0])
        sketches = list(draws(x))
        basis = np.eye(m * d).reshape(m * d, m, d)
        second = sum((_gram(np.array([S.times(e) for e in basis])) for S in sketches), np.zeros((m * d, m * d)))
        v = np.array(x.v, dtype=np.float64)
        lengths = sum(exact(float(np.square(S.times(v)).sum())) for S in sketches)
        share = scale / len(sketches)
        return [
            Claim(
                says="E S^T S = I",
                left=[[share * entry for entry in row] for row in exact_rows(second)],
                relation="=",
                right=identity(m * d),
            ),
            Claim(
                says="E ||S v||^2 = ||v||^2",
                left=share * lengths,
                relation="=",
                right=sum((t * t for row in x.v for t in row), Fraction(0)),
            ),
            Claim(
                says="operations of S J^T",
                left=Fraction(counted(x)),
                relation="<=",
                right=Fraction(cost(x.points, m, d, x.s)),
            ),
        ]

    return Expectation(claims=claims)


def _gram(columns: Float64) -> Float64:
    """Give S^T S from the images of the basis, (m d, s): sums of s numbers +-1/s, which floats hold."""
    M: Float64 = columns @ columns.T
    return M


def _every_length(x: SmallSketch) -> Sequence[Claim]:
    v = np.array(x.v, dtype=np.float64)
    length = exact(float(np.square(v).sum()))
    return [
        Claim(
            says=f"||S v||^2 = ||v||^2 in draw {k}",
            left=exact(float(np.square(S.times(v)).sum())),
            relation="=",
            right=length,
        )
        for k, S in enumerate(every_draw(x))
    ]


def _vector(rows: Sequence[Sequence[int | Fraction]]) -> Matrix:
    return tuple(tuple(Fraction(t) for t in row) for row in rows)


SYMMETRIC = SmallSketch(
    name="symmetric-2-by-2", says="m = d = 2, v symmetric, one row", v=_vector([[1, 2], [2, -1]]), s=1, points=3
)
ONE_BY_ONE = SmallSketch(name="one-number", says="m = d = 1, four rows", v=_vector([[3]]), s=4, points=1)
PADDED = SmallSketch(
    name="padded-3-by-2",
    says="m = 3, padded to 4, and d = 2; v is no product",
    v=_vector([[1, 0], [Fraction(1, 2), -2], [0, Fraction(3, 4)]]),
    s=4,
    points=5,
)
PRODUCT = SmallSketch(
    name="product-2-by-3",
    says="m = 2, d = 3, padded to 4; v = u (x) x, one row",
    v=_vector([[1, 2, -1], [-2, -4, 2]]),
    s=1,
    points=2,
)
CONSTANT = SmallSketch(name="constant-4-by-2", says="m = 4, d = 2, v constant", v=_vector([[1, 1]] * 4), s=1, points=4)


def instances(profile: str) -> tuple[SmallSketch, ...]:
    """Give the sizes of a profile."""
    found: tuple[SmallSketch, ...] = (SYMMETRIC, ONE_BY_ONE, PADDED, PRODUCT, CONSTANT)
    if profile in ("ci", "night"):
        five = _vector([[k, -k % 3] for k in range(5)])
        found += (SmallSketch(name="padded-5-by-2", says="m = 5, padded to 8, and d = 2", v=five, s=16, points=9),)
    return found


def _nothing_is_rounded(x: SmallSketch) -> str | None:
    entries = [t for row in x.v for t in row]
    if any(t * 8 % 1 or abs(t) > 8 for t in entries):
        return "v must hold multiples of 1/8 up to 8"
    if x.s.bit_count() != 1 or x.s.bit_length() % 2 == 0:
        return f"s must be a power of 4, got s = {x.s}"
    return None


def _can_be_listed(x: SmallSketch) -> str | None:
    size = len(x.v) + len(x.v[0])
    return None if size <= 8 else f"m + d must be at most 8, got {size}"


def _twin(name: str, because: str, refuted_on: SmallSketch, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.bpsw.bpsw_strategies import small_sketches

    return small_sketches()


BP2 = Misprint(
    id="BP2",
    says="O~(mn)-time per iteration",
    instead="O~(n (m + d)) for the sketch; the products with J that the iteration makes cost n m d: O~ hides d",
    witness="`bpsw.cost`, twin 'independent_of_the_dimension'",
)

STATEMENT = Statement(
    id="bpsw.tensorsrht",
    number="abstract, sketch of Kronecker rows",
    title="TensorSRHT: mean and cost",
    kind="Tool of the algorithm",
    says=r"S=\frac{1}{\sqrt s}P\left(HD_1\otimes HD_2\right),\quad E\lVert Sv\rVert_2^2=\lVert v\rVert_2^2,\quad "
    r"\mathrm{cost}(SJ^{\top})\le n\left(d+d'\log_2 d'+m+m'\log_2 m'+2s\right)+m",
    plainly="The sketch for rows that are Kronecker products keeps every squared length on average, and never pays for "
    "the product m d.",
    source=BPSW.at("abstract: 'dimension reduction via Fast-JL'; the tensor form as in its tools"),
    deviation="recalled; operations in place of O~, with m' and d' the next powers of two",
    constant="proved here",
    hypotheses=(
        Hypothesis(
            says="v holds multiples of 1/8 and s is a power of 4: nothing is rounded", holds=_nothing_is_rounded
        ),
        Hypothesis(says="m + d <= 8, so that all draws can be listed", holds=_can_be_listed),
        Hypothesis(
            says="signs are fair and independent, the sampled rows uniform and independent of them",
            guaranteed_by="the sum runs over all of them, with equal weights",
        ),
    ),
    conclusion=conclusion(),
    instances=instances,
    twins=(
        _twin(
            "one_draw_for_both_factors",
            "with D1 = D2 and one row for both, the coordinates (r, k) and (k, r) get the same sign",
            SYMMETRIC,
            draws=_one_draw_for_both,
        ),
        _twin(
            "neither_signs_nor_sampling",
            "the first row of H (x) H sees the sum of the coordinates alone",
            CONSTANT,
            draws=_first_row,
        ),
        _twin(
            "normalised_by_the_padded_size",
            "P samples s of m' d' rows of a matrix with entries +-1: the factor is 1/s, whatever was padded",
            PADDED,
            scale=Fraction(6, 8),
        ),
        _twin(
            "cost_of_the_sampled_entries_alone",
            "n s counts the entries of S J^T, not the transforms",
            PRODUCT,
            cost=lambda n, _m, _d, s: n * s,
        ),
        BrokenTwin(
            name="lengths_kept_by_every_draw",
            because="E ||S v||^2 = ||v||^2 is a mean: single draws may see nothing of v",
            conclusion=Expectation(claims=_every_length),
            refuted_on=CONSTANT,
        ),
    ),
    misprints=(BP2,),
    notes=(
        "Independent signs alone give E S^T S = I, whichever rows are sampled; so do independent uniform rows alone. "
        "Both together are there for the deviations.",
    ),
    recalled=True,
    strategy=_drawn,
)
