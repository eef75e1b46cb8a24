"""Deciding one relation between two quantities: exactly where both are exact, else from their enclosures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from theorems.checking.loewner import decide_psd
from theorems.checking.verified_cholesky import UNIT
from theorems.statement import Answer, Claim, Comparison, NearMatrix, Quantity, Rows

Interval: TypeAlias = tuple[Fraction, Fraction]

TINY = 2.0**-1022  # the least normal number


def decide(claim: Claim) -> Comparison:
    """Decide one claim.

    Raises
    ------
    TypeError : sides of different kinds, or a relation that their kind does not have
    """
    left, right = _number(claim.left), _number(claim.right)
    if left and right and claim.relation != "Loewner <=":
        return _numbers(claim, left, right)
    if isinstance(claim.left, NearMatrix) or isinstance(claim.right, NearMatrix):
        return _near(claim, _as_near(claim.left), _as_near(claim.right))
    if not left and not right and claim.relation != "<=":
        return _exact_matrices(claim, _rows(claim.left), _rows(claim.right))
    kinds = ["number" if side else "matrix" for side in (left, right)]
    raise TypeError(f"decide: {claim.relation!r} does not relate a {kinds[0]} to a {kinds[1]}, in {claim.says!r}")


def _number(q: Quantity) -> Interval | None:
    """Read a number as an interval; None for a matrix."""
    if isinstance(q, Fraction):
        return q, q
    if isinstance(q, tuple) and len(q) == 2 and isinstance(q[0], Fraction) and isinstance(q[1], Fraction):
        if q[0] > q[1]:
            raise ValueError(f"decide: an enclosure needs lower <= upper, got {q[0]} > {q[1]}")
        return q[0], q[1]
    return None


def _rows(q: Quantity) -> Rows:
    if isinstance(q, NearMatrix | Fraction) or not isinstance(q, Sequence):
        raise TypeError(f"decide: need rows of Fractions, got a {type(q).__name__}")
    rows = []
    for row in q:
        if not isinstance(row, Sequence) or not all(isinstance(x, Fraction | int) for x in row):
            raise TypeError("decide: need rows of Fractions, as lists or tuples")
        rows.append([Fraction(x) for x in row])
    return rows


def _numbers(claim: Claim, left: Interval, right: Interval) -> Comparison:
    exact = left[0] == left[1] and right[0] == right[1]
    if claim.relation == "<=":
        answer = Answer.IN if left[1] <= right[0] else Answer.OUT if left[0] > right[1] else Answer.UNSURE
    elif exact:
        answer = Answer.IN if left == right else Answer.OUT
    elif left[0] > right[1] or left[1] < right[0]:
        answer = Answer.OUT
    else:
        spread = max(left[1], right[1]) - min(left[0], right[0])
        known = spread <= claim.resolution * max(Fraction(1), abs(left[0]), abs(right[0]))
        answer = Answer.IN if known else Answer.UNSURE
    how = "exact rationals" if exact else "enclosures"
    if claim.relation == "=" and not exact and answer is Answer.IN:
        how = f"enclosures agree to {float(claim.resolution):.1g}"
    return Comparison(says=claim.says, answer=answer, seen=_shown(left), allowed=_shown(right), certificate=how)


def _exact_matrices(claim: Claim, left: Rows, right: Rows) -> Comparison:
    if [len(r) for r in left] != [len(r) for r in right]:
        raise TypeError(f"decide: matrices of different shapes, in {claim.says!r}")
    if claim.relation == "=":
        off = [
            (a, b) for row, other in zip(left, right, strict=True) for a, b in zip(row, other, strict=True) if a != b
        ]
        seen, allowed = off[0] if off else (left[0][0], right[0][0])
        return Comparison(
            says=claim.says,
            answer=Answer.OUT if off else Answer.IN,
            seen=_shown((seen, seen)),
            allowed=_shown((allowed, allowed)),
            certificate=f"exact rationals, {len(off)} of {sum(map(len, left))} entries differ",
        )
    difference = [[b - a for a, b in zip(row, other, strict=True)] for row, other in zip(left, right, strict=True)]
    decision = decide_psd(difference)
    return _loewner(claim, decision.answer, f"{decision.rung}, {decision.bits} bits")


def _as_near(q: Quantity) -> NearMatrix:
    if isinstance(q, NearMatrix):
        return q
    rows = _rows(q)
    values = np.array([[float(x) for x in row] for row in rows])
    # each entry is correctly rounded; one that underflows is off by less than the least normal number
    return NearMatrix(values=values, radius=2 * UNIT * float(np.linalg.norm(values)) + values.size * TINY)


def _scaled(m: NearMatrix, power: int) -> NearMatrix:
    """Multiply by 2^power; entries that underflow are off by less than the least normal number each."""
    return NearMatrix(values=np.ldexp(m.values, power), radius=float(np.ldexp(m.radius, power)) + m.values.size * TINY)


def _near(claim: Claim, left: NearMatrix, right: NearMatrix) -> Comparison:
    """Compare up to both errors and the rounding of the difference, u ||difference||_F.

    Both sides are scaled to entries below 1 first, so that no norm overflows or vanishes; a resolution is then
    relative to the largest entry.
    """
    if left.values.shape != right.values.shape:
        raise TypeError(f"decide: matrices of different shapes, in {claim.says!r}")
    power = max(int(np.frexp(np.abs(m.values).max())[1]) for m in (left, right))
    left, right = _scaled(left, -power), _scaled(right, -power)
    difference = right.values - left.values
    size = float(np.linalg.norm(difference))
    radius = left.radius + right.radius + 2 * UNIT * size
    if claim.relation == "Loewner <=":
        decision = decide_psd(difference, radius=radius)
        return _loewner(claim, decision.answer, f"{decision.rung}, error bound {radius:.2g}")
    if claim.relation != "=":
        raise TypeError(f"decide: '<=' does not relate matrices, in {claim.says!r}")
    # the spectral norm is at least ||.||_F / sqrt(n), and at most ||.||_F
    n = len(difference)
    scale = max(1.0, float(np.linalg.norm(right.values)))
    answer = Answer.UNSURE
    if size > np.sqrt(n) * radius * (1 + 2.0**-40):
        answer = Answer.OUT
    elif size + radius <= float(claim.resolution) * scale:
        answer = Answer.IN
    return Comparison(
        says=claim.says,
        answer=answer,
        seen=f"sides differ by {size:.3g}",
        allowed=f"at most their error bound {radius:.3g}",
        certificate="error bounds in the spectral norm",
    )


def _loewner(claim: Claim, answer: Answer, certificate: str) -> Comparison:
    words = {
        Answer.IN: "right - left is positive semidefinite",
        Answer.OUT: "right - left is not",
        Answer.UNSURE: "too close",
    }
    return Comparison(
        says=claim.says,
        answer=answer,
        seen=words[answer],
        allowed="right - left positive semidefinite",
        certificate=certificate,
    )


def _shown(x: Interval) -> str:
    if x[0] == x[1] and x[0].denominator <= 10**6 and abs(x[0].numerator) <= 10**9:
        return str(x[0])
    return f"{float(x[0]):.15g}" if float(x[0]) == float(x[1]) else f"[{float(x[0]):.15g}, {float(x[1]):.15g}]"
