"""The instances of Remark 3.4: Fourier features of integers at frequencies that turn rationally."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from theorems.glss.leverage_instances import RidgeInstance, uniform

Turn: TypeAlias = tuple[Fraction, Fraction]
"""Cosine and sine of a rotation."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WaveRidge(RidgeInstance):
    """Fourier features of integers at finitely many frequencies that turn by rational points of the circle.

    phi(x, w_j) = (c_j - i s_j)^x,   so that exp(2 pi i w_j) = c_j + i s_j

    Parameters
    ----------
    X : (n,) integers
    p : (J,) probabilities
    turns : (J, 2) pairs (c_j, s_j) with c^2 + s^2 = 1
    counts : (J,) how often each frequency was drawn, at least one of them positive
    q : (J,) probabilities they were drawn from
    """

    X: tuple[int, ...]
    p: tuple[Fraction, ...]
    turns: tuple[Turn, ...]
    counts: tuple[int, ...]
    q: tuple[Fraction, ...]


QUARTER, THREE_FOUR, FIVE_TWELVE = (
    (Fraction(0), Fraction(1)),
    (Fraction(3, 5), Fraction(4, 5)),
    (Fraction(5, 13), Fraction(12, 13)),
)


def _waves(
    name: str,
    says: str,
    X: tuple[int, ...],
    masses: tuple[int, ...],
    turns: Iterable[Turn],
    counts: tuple[int, ...],
    lam: Fraction,
) -> WaveRidge:
    p = tuple(Fraction(a, sum(masses)) for a in masses)
    return WaveRidge(name=name, says=says, X=X, p=p, turns=tuple(turns), counts=counts, q=uniform(len(p)), lam=lam)


def mirrored(turns: Iterable[Turn]) -> list[Turn]:
    """Follow every frequency by its negative, so that a law with equal masses in pairs has a real kernel."""
    return [pair for c, s in turns for pair in ((c, s), (c, -s))]


ONE_SIDED = _waves(
    "one-sided",
    "four integers, three frequencies and none of their negatives: K is Hermitian and not real",
    (0, 1, 3, -2),
    (3, 2, 1),
    (QUARTER, THREE_FOUR, FIVE_TWELVE),
    (2, 1, 1),
    Fraction(1, 4),
)
SYMMETRIC = _waves(
    "symmetric",
    "five integers, two frequencies with their negatives: K is real, a finite shift-invariant kernel",
    (0, 1, 2, 5, -3),
    (2, 2, 1, 1),
    mirrored(
        (
            THREE_FOUR,
            FIVE_TWELVE,
        )
    ),
    (3, 1, 0, 2),
    Fraction(1, 8),
)


def waves(profile: str) -> tuple[WaveRidge, ...]:
    """Give Fourier features of integers; a longer profile begins with the shorter one."""
    found: tuple[WaveRidge, ...] = (
        ONE_SIDED,
        SYMMETRIC,
        _waves("one-integer", "one point: K = 1", (7,), (1, 2), (QUARTER, THREE_FOUR), (1, 1), Fraction(1, 10**12)),
        _waves(
            "duplicates-and-opposites",
            "an integer twice and its opposite, rank-deficient K, lambda = 1 - 1e-6",
            (2, 2, -2, 0),
            (1, 1),
            mirrored((THREE_FOUR,)),
            (1, 2),
            Fraction(999999, 10**6),
        ),
    )
    if profile in ("ci", "night"):
        found += (
            _waves(
                "ten-integers",
                "ten integers, three frequencies with their negatives",
                tuple(range(10)),
                (3, 3, 2, 2, 1, 1),
                mirrored(
                    (
                        QUARTER,
                        THREE_FOUR,
                        FIVE_TWELVE,
                    )
                ),
                (2, 2, 1, 3, 0, 1),
                Fraction(1, 100),
            ),
        )
    return found
