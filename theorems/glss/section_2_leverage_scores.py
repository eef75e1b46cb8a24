r"""Section 2: what leverage scores of rows measure.

    sigma_i(A) = a_i^T (A^T A)^+ a_i,   sum_i sigma_i = rank A,   sigma_i = 1 iff removing a_i lowers the rank

Everything is a question about rank, so everything is decided over the rationals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference.arithmetic import quadratic_form, rational_inverse, rational_product
from reference.exact_linear_algebra import column, pseudoinverse, rank, shifted, transposed
from reference.row_leverage import residual_of_row, row_leverage
from theorems.glss.ridge_instances import Matrix, PlainMatrix, matrix, pixels
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Statement


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about leverage scores.

    Parameters
    ----------
    scores : A -> (m,) scores
    essential : (score, row) -> whether the row is said to be irreplaceable
    total : A -> what the scores are said to sum to
    """

    scores: Callable[[Matrix], Sequence[Fraction]] = row_leverage
    essential: Callable[[Fraction, Sequence[Fraction]], bool] = lambda score, _row: score == 1
    total: Callable[[Matrix], int] = rank


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of leverage, the printed one or a broken one."""

    def claims(x: PlainMatrix) -> list[Claim]:
        A, whole = x.A, rank(x.A)
        sigma = list(reading.scores(A))
        projector = rational_product(A, pseudoinverse(A))
        essential = column([int(reading.essential(s, row)) for s, row in zip(sigma, A, strict=True)])
        return [
            Claim(
                says="the scores are the diagonal of the projector A A^+",
                left=column(sigma),
                relation="=",
                right=column([row[i] for i, row in enumerate(projector)]),
            ),
            Claim(
                says="the scores sum to rank A",
                left=sum(sigma, Fraction(0)),
                relation="=",
                right=Fraction(reading.total(A)),
            ),
            Claim(says="0 <= every score", left=Fraction(0), relation="<=", right=min(sigma)),
            Claim(says="every score <= 1", left=max(sigma), relation="<=", right=Fraction(1)),
            Claim(
                says="the coherence is at least rank A / m",
                left=Fraction(whole, len(A)),
                relation="<=",
                right=max(sigma),
            ),
            Claim(
                says="[score = 1] = what rank A loses with the row, row by row",
                left=essential,
                relation="=",
                right=column([whole - rank([a for j, a in enumerate(A) if j != i]) for i in range(len(A))]),
            ),
            Claim(
                says="[score = 1] = [the row has a component orthogonal to all other rows], row by row",
                left=essential,
                relation="=",
                right=column([int(residual_of_row(A, i) > 0) for i in range(len(A))]),
            ),
        ]

    return ForEach(claims=claims)


def _is_a_matrix(x: PlainMatrix) -> str | None:
    widths = {len(row) for row in x.A}
    return None if len(widths) == 1 and widths != {0} else f"A must have rows of one positive length, got {widths}"


def _matrix(name: str, says: str, rows: Sequence[Sequence[int | Fraction]]) -> PlainMatrix:
    return PlainMatrix(name=name, says=says, A=matrix(rows))


TWO_ONES = _matrix("two-ones", "A = [[1], [1]]", [[1], [1]])
ALL_ONES = _matrix("all-ones", "A = [[1, 1], [1, 1]], rank 1", [[1, 1], [1, 1]])
TALL = _matrix("one-long-row", "A = [[10], [1]]: coherence 100/101", [[10], [1]])
ISLAND = _matrix("island", "three rows in a plane and one outside it", [[1, 2, 0], [3, -1, 0], [1, 1, 0], [0, 5, 1]])


def instances(profile: str) -> tuple[PlainMatrix, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[PlainMatrix, ...] = (
        TWO_ONES,
        ALL_ONES,
        TALL,
        ISLAND,
        _matrix("one-row", "a single row", [[3, 4]]),
        _matrix("corners", "a duplicate, an antipode, a multiple and a zero row", [[1, 2], [1, 2], [-1, -2], [0, 0]]),
        _matrix("wide", "two independent rows of length four: every score is 1", [[1, 2, 3, 4], [4, 3, 2, 0]]),
        _matrix(
            "nearly-parallel",
            "rows (1, 1), (1, 1 + 2^-80), (0, 0): rank 2, which floats call 1",
            [[1, 1], [1, 1 + Fraction(1, 2**80)], [0, 0]],
        ),
        _matrix("zero", "A = 0", [[0, 0], [0, 0]]),
        PlainMatrix(
            name="digits-24-by-8", says="24 digits through 8 pixels, at their float64 values", A=pixels(24, 8).features
        ),
    )
    if profile in ("ci", "night"):
        found += (PlainMatrix(name="digits-48-by-12", says="48 digits through 12 pixels", A=pixels(48, 12).features),)
    if profile == "night":
        found += (
            PlainMatrix(name="digits-128-by-32", says="128 digits through 32 pixels", A=pixels(128, 32).features),
        )
    return found


def _drawn() -> Any:
    from theorems.glss.ridge_strategies import plain_matrices

    return plain_matrices()


def _with_a_ridge(A: Matrix) -> list[Fraction]:
    inverse = rational_inverse(shifted(rational_product(transposed(A), A), 1))
    return [quadratic_form(inverse, row) for row in A]


def _lengths(A: Matrix) -> list[Fraction]:
    """Give ||a_i||^2 rank A / ||A||_F^2: sampling by length, scaled to the right sum."""
    squares = [sum((t * t for t in row), Fraction(0)) for row in A]
    return [s * rank(A) / sum(squares) for s in squares]


def _twin(name: str, because: str, refuted_on: PlainMatrix, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="glss.sec2.lev",
    number="2",
    title="Leverage scores of rows",
    kind="Section",
    says=r"\sigma_i(A)=a_i^\top(A^\top A)^\dagger a_i\quad 0\le\sigma_i(A)\le 1"
    r"\quad \sum_i\sigma_i(A)=\operatorname{rank}A\quad \sigma_i(A)=1\iff a_i\notin\operatorname{span}\{a_j:j\ne i\}"
    r"\iff\operatorname{rank}A_{-i}=\operatorname{rank}A-1",
    plainly="A row has leverage one exactly when it has a component orthogonal to all other rows, that is when "
    "removing it lowers the rank; scores lie between 0 and 1 and sum to the rank.",
    source=GLSS.at("Section 2, Leverage scores"),
    deviation="The paper says 'if' where 'if and only if' holds, and leaves sum and range unsaid.",
    constant="explicit",
    hypotheses=(Hypothesis(says="A is a matrix with at least one row and one column", holds=_is_a_matrix),),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "every_nonzero_row_is_essential",
            "a row that the others can compose has a score below 1",
            TWO_ONES,
            essential=lambda _score, row: any(row),
        ),
        _twin(
            "scores_sum_to_the_number_of_columns",
            "they sum to the rank, which is smaller for dependent columns",
            ALL_ONES,
            total=lambda A: len(A[0]),
        ),
        _twin(
            "high_coherence_means_an_irreplaceable_row",
            "only a score of exactly 1 does; at 100/101 the row space survives the removal",
            TALL,
            essential=lambda score, _row: score > Fraction(9, 10),
        ),
        _twin(
            "lengths_for_leverage",
            "||a_i||^2 / ||A||_F^2 measures length, not direction",
            ISLAND,
            scores=_lengths,
        ),
        _twin(
            "ridge_left_in",
            "a_i^T (A^T A + I)^-1 a_i is ridge leverage: below 1 for every row, and its sum below the rank",
            ISLAND,
            scores=_with_a_ridge,
        ),
    ),
    notes=(
        "The paper goes on: with high coherence there is a row 'whose removal would significantly affect the "
        "composition of A's row space'. For the row space itself this takes coherence exactly 1: A = [[10], [1]] has "
        "coherence 100/101 and keeps its row space without either row. See the twin.",
    ),
    strategy=_drawn,
)
