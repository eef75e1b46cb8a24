"""Is a symmetric matrix positive semidefinite? The ladder that answers A <= B, and is never fooled by rounding.

    shifted Cholesky            float64, proves IN (`verified_cholesky`)
    quadratic form              a vector v with v^T M v < 0, proves OUT
    balls                       L D L^T with enclosures, for matrices known only by enclosure
    characteristic polynomial   integers, for exact data: decides everything, singular matrices included

Each rung either proves its answer or passes the matrix on. At ||K|| / lam = 1e16 a bare `eigvalsh(M) >= 0` is
wrong on a fifth of inputs; here a wrong answer needs a wrong proof.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from reference.arithmetic import (
    Exact,
    ball_definiteness,
    ball_matrix,
    is_positive_semidefinite,
    quadratic_form,
)
from theorems.checking.matrix_input import Floats, GivenMatrix, Rows, exact_in_range, fractions, symmetric_matrix
from theorems.checking.spectral_batch import decide_spectral_batch
from theorems.checking.verified_cholesky import decide_psd_batch, decide_with_direction
from theorems.statement import Answer

__all__ = [
    "BALL_BITS",
    "Decision",
    "Refine",
    "Rung",
    "Side",
    "decide_psd",
    "decide_psd_batch",
    "decide_spectral",
    "decide_spectral_batch",
    "spectral_sides",
]

Rung: TypeAlias = Literal[
    "shifted Cholesky", "quadratic form", "balls", "characteristic polynomial", "precision exhausted"
]
Side: TypeAlias = Literal["lower", "upper"]
Refine: TypeAlias = Callable[[int], tuple[Rows, Rows]]
"""bits -> (middle, radius), rows of Fractions: each entry of the true matrix is within its radius of its middle."""

BALL_BITS = (128, 256, 512, 1024, 2048, 4096)
FLOAT_BITS = 53
EXACT_BITS = 0  # no working precision: integers


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the ladder found, and the proof it stands on.

    Parameters
    ----------
    answer : IN when positive semidefinite is proven, OUT when it is disproven, else UNSURE
    rung : which proof
    bits : working precision of that rung; 0 for exact integers
    witness : on OUT, v with v^T M v < 0 exactly (for every matrix within the radius or the enclosure); (2 n,) =
        (Re v, Im v) for a complex M. None on IN and UNSURE, and on an OUT by the characteristic polynomial whose
        negative direction no tried vector of floats could hold
    """

    answer: Answer
    rung: Rung
    bits: int
    witness: tuple[float, ...] | None = None


def decide_psd(
    M: GivenMatrix, *, radius: float | Fraction = 0, exact: bool = True, refine: Refine | None = None
) -> Decision:
    """Decide whether a symmetric or Hermitian matrix is positive semidefinite.

    Parameters
    ----------
    M : (n, n), n >= 1, see `symmetric_matrix`. Data with radius 0 is taken as exact: a float64 entry is the
        number it stores
    radius : >= 0: the true matrix is M + E with E symmetric and ||E||_2 <= radius
    exact : climb beyond the float rungs where they do not decide
    refine : gives ever tighter enclosures of the true matrix; then M and radius serve the float rungs only

    Returns
    -------
    a `Decision`. With `exact` and without `refine`: never UNSURE at radius 0, and otherwise UNSURE only when the
    matrices within the radius disagree

    Raises
    ------
    TypeError, ValueError : see `symmetric_matrix`; a radius that is negative or not finite

    Notes
    -----
    Every M + E is positive semidefinite if and only if M - radius I is, and none is if and only if M + radius I is
    not: E = -+ radius I are the extreme cases.
    """
    here = "decide_psd"
    given = symmetric_matrix(here, "M", M)
    spread = Fraction(0) if radius == 0 else exact_in_range(here, "radius", radius)
    decision, direction = _by_floats(given, spread)
    if decision.answer != Answer.UNSURE or not exact:
        return decision
    if refine is not None:
        return _by_balls(refine)
    rows = fractions(given)
    highest, lowest = (_plus_diagonal(rows, spread), _plus_diagonal(rows, -spread)) if spread else (rows, rows)
    if quadratic_form(highest, direction) < 0:
        return Decision(answer=Answer.OUT, rung="quadratic form", bits=EXACT_BITS, witness=tuple(direction))
    if not is_positive_semidefinite(highest):
        return Decision(
            answer=Answer.OUT, rung="characteristic polynomial", bits=EXACT_BITS, witness=_fine_witness(highest)
        )
    if not spread or is_positive_semidefinite(lowest):
        return Decision(answer=Answer.IN, rung="characteristic polynomial", bits=EXACT_BITS)
    return Decision(answer=Answer.UNSURE, rung="precision exhausted", bits=EXACT_BITS)


def spectral_sides(K: GivenMatrix, Kt: GivenMatrix, lam: Exact, eps: Exact) -> tuple[Rows, Rows]:
    """Form both sides of (1-eps)(K + lam I) <= Kt + lam I <= (1+eps)(K + lam I) exactly.

    Parameters
    ----------
    K, Kt : (n, n), exact, see `symmetric_matrix`
    lam : positive ridge, exact
    eps : accuracy in (0, 1), exact

    Returns
    -------
    lower : rows of  Kt + lam I - (1 - eps)(K + lam I);  the left inequality says it is positive semidefinite
    upper : rows of  (1 + eps)(K + lam I) - (Kt + lam I); likewise the right one

    Raises
    ------
    TypeError, ValueError : see `symmetric_matrix`; lam or eps out of range; K and Kt of different sizes
    """
    here = "spectral_sides"
    left = fractions(symmetric_matrix(here, "K", K))
    right = fractions(symmetric_matrix(here, "Kt", Kt))
    if len(left) != len(right):
        raise ValueError(f"{here}: K and Kt must have one size, got {len(left)} and {len(right)} (complex: doubled)")
    accuracy = exact_in_range(here, "eps", eps, high=1)
    ridge = accuracy * exact_in_range(here, "lam", lam)

    def side(sign: int) -> Rows:
        a = 1 - sign * accuracy
        difference = [
            [sign * (kt - a * k) for k, kt in zip(*pair, strict=True)] for pair in zip(left, right, strict=True)
        ]
        return _plus_diagonal(difference, ridge)

    return side(1), side(-1)


def decide_spectral(K: GivenMatrix, Kt: GivenMatrix, lam: Exact, eps: Exact, side: Side) -> Decision:
    """Decide one side of (1-eps)(K + lam I) <= Kt + lam I <= (1+eps)(K + lam I) for exact data.

    Parameters
    ----------
    K, Kt, lam, eps : as in `spectral_sides`; the side is formed without rounding
    side : "lower" for the left inequality, "upper" for the right one

    Returns
    -------
    a `Decision`, never UNSURE

    Raises
    ------
    TypeError, ValueError : as in `spectral_sides`; another word for the side
    """
    if side not in ("lower", "upper"):
        raise ValueError(f"decide_spectral: side must be 'lower' or 'upper', got side = {side!r}")
    lower, upper = spectral_sides(K, Kt, lam, eps)
    return decide_psd(lower if side == "lower" else upper)


def _by_floats(M: Floats | Rows, radius: Fraction) -> tuple[Decision, list[float]]:
    """Try the float rungs on M and everything within the radius; also give the direction that was tried."""
    values, distance = (M, radius) if isinstance(M, np.ndarray) else _nearby_floats(M, radius)
    answer, direction = decide_with_direction(values, _rounded_up(distance))
    witness = tuple(direction.tolist())
    if answer == Answer.OUT:
        return Decision(answer=answer, rung="quadratic form", bits=FLOAT_BITS, witness=witness), list(witness)
    rung: Rung = "shifted Cholesky" if answer == Answer.IN else "precision exhausted"
    return Decision(answer=answer, rung=rung, bits=FLOAT_BITS), list(witness)


def _nearby_floats(M: Rows, radius: Fraction) -> tuple[Floats, Fraction]:
    """Round 2^-e M, with entries below 1, to float64; the distance is the radius and the largest row of errors.

    A symmetric E has ||E||_2 <= max_i sum_j |E_ij|.
    """
    peak = max(abs(x) for row in M for x in row)
    scale = Fraction(2) ** (peak.denominator.bit_length() - peak.numerator.bit_length() - 1)
    scaled = [[x * scale for x in row] for row in M]
    values = [[float(x) for x in row] for row in scaled]
    error = max(
        sum(abs(x - Fraction(y)) for x, y in zip(*pair, strict=True)) for pair in zip(scaled, values, strict=True)
    )
    return np.array(values), error + radius * scale


def _by_balls(refine: Refine) -> Decision:
    """Ask for tighter enclosures until the balls tell; a vector of floats is a witness when balls confirm it."""
    for bits in BALL_BITS:
        middle, radius = refine(bits)
        sign, direction = ball_definiteness(ball_matrix(middle, radius, bits=bits), bits)
        if sign > 0:
            return Decision(answer=Answer.IN, rung="balls", bits=bits)
        if sign < 0:
            spread = sum(
                abs(Fraction(v) * Fraction(w)) * r
                for v, row in zip(direction, radius, strict=True)
                for w, r in zip(direction, row, strict=True)
            )
            proven = quadratic_form(middle, direction) + spread < 0
            witness = tuple(direction) if proven else None
            return Decision(answer=Answer.OUT, rung="balls", bits=bits, witness=witness)
    return Decision(answer=Answer.UNSURE, rung="precision exhausted", bits=BALL_BITS[-1])


def _fine_witness(M: Rows) -> tuple[float, ...] | None:
    """Look for a vector of floats that proves what the characteristic polynomial said."""
    sign, direction = ball_definiteness(ball_matrix(M, bits=BALL_BITS[-1]), BALL_BITS[-1])
    return tuple(direction) if sign < 0 and quadratic_form(M, direction) < 0 else None


def _plus_diagonal(M: Rows, ridge: Fraction) -> Rows:
    return [[x + ridge if i == j else x for j, x in enumerate(row)] for i, row in enumerate(M)]


def _rounded_up(x: Fraction) -> float:
    """Give a float at or above x."""
    value = float(x)
    return value if Fraction(value) >= x else float(np.nextafter(value, np.inf))
