"""Finite features with the features themselves, one of them singled out, and a feasible point for each problem.

For d2 outputs Phi_k is (n, d2); a complex feature a - ib is kept as ((a, b), (-b, a)) stacked by blocks, which has
every number twice: `copies` = 2. Squares are then halved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from reference.arithmetic import rational_inverse
from reference.finite_draws import Exactly
from reference.finite_features import FiniteFeatures
from theorems.statement import Hypothesis, Instance

Tensor = tuple[tuple[tuple[Fraction, ...], ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class OneFeature(Instance):
    """A feature whose leverage is characterised.

    Parameters
    ----------
    p : (J,) probabilities
    phi : (J, n, d2) features; for `copies` = 2 the real embedding (J, 2n, 2) of complex ones
    copies : 1 or 2
    lam : ridge
    atom : index of the feature looked at
    y : (J, d2, d2) a feasible point of the minimum
    alpha : (n, d2) a feasible point of the maximum, not 0
    """

    p: tuple[Fraction, ...]
    phi: Tensor
    copies: int
    lam: Fraction
    atom: int
    y: Tensor
    alpha: tuple[tuple[Fraction, ...], ...]

    @cached_property
    def features(self) -> Exactly:
        """Give phi as a (J, n, d2) object array."""
        return np.array(self.phi, dtype=object)

    def ridged(self, ridge: Fraction) -> Exactly:
        """Give K + ridge I with K = sum_k p_k Phi_k Phi_k^T."""
        K = sum(q * (Phi @ Phi.T) for q, Phi in zip(self.p, self.features, strict=True))
        ridged: Exactly = K + ridge * np.eye(len(self.alpha), dtype=object)
        return ridged

    def inverse(self, ridge: Fraction) -> Exactly:
        """Give (K + ridge I)^-1."""
        return np.array(rational_inverse(self.ridged(ridge).tolist()), dtype=object)

    def square(self, M: Any) -> Fraction:
        """Give the squared Frobenius norm, once per complex number."""
        return sum((v * v for v in np.asarray(M).ravel()), Fraction(0)) / self.copies

    def leverage(self) -> Fraction:
        """Give tau / p = tr Phi^T (K + lam I)^-1 Phi at the atom."""
        return self.finite().leverage(self.lam)[self.atom]

    def finite(self) -> FiniteFeatures:
        """Give the world without its features, only their Gram matrices."""
        grams = tuple(tuple(tuple(row) for row in Phi @ Phi.T) for Phi in self.features)
        return FiniteFeatures(p=self.p, grams=grams, copies=self.copies)


def _law(x: OneFeature) -> str | None:
    return None if sum(x.p) == 1 and min(x.p) > 0 else f"p must be positive and sum to 1, got {[str(q) for q in x.p]}"


def _ridge(x: OneFeature) -> str | None:
    return None if x.lam > 0 else f"lambda must be positive, got lambda = {float(x.lam):g}"


def _not_zero(x: OneFeature) -> str | None:
    return None if any(v for row in x.alpha for v in row) else "alpha must not be 0"


LAW = Hypothesis(says="p is a probability vector", holds=_law)
RIDGE = Hypothesis(says="lambda > 0", holds=_ridge)
NOT_ZERO = Hypothesis(says="the trial alpha is not 0", holds=_not_zero)


def real(
    name: str, says: str, p: Sequence[Fraction], phi: Any, lam: Fraction, atom: int, y: Any = None, alpha: Any = None
) -> OneFeature:
    """Give an instance with real features (J, n, d2); trial points default to 0 and to the feature itself."""
    array = np.array([[[Fraction(v) for v in row] for row in Phi] for Phi in phi], dtype=object)
    return _instance(name, says, p, array, 1, lam, atom, y, alpha)


def complex_exponentials(
    name: str,
    says: str,
    p: Sequence[Fraction],
    real_parts: Any,
    imaginary_parts: Any,
    lam: Fraction,
    atom: int,
    y: Any = None,
    alpha: Any = None,
) -> OneFeature:
    """Give an instance with complex features of one output, (J, n) each part."""
    array = np.array(
        [
            [[Fraction(a), -Fraction(b)] for a, b in zip(row, other, strict=True)]
            + [[Fraction(b), Fraction(a)] for a, b in zip(row, other, strict=True)]
            for row, other in zip(real_parts, imaginary_parts, strict=True)
        ],
        dtype=object,
    )
    return _instance(name, says, p, array, 2, lam, atom, y, alpha)


def _instance(
    name: str, says: str, p: Sequence[Fraction], phi: Any, copies: int, lam: Fraction, atom: int, y: Any, alpha: Any
) -> OneFeature:
    d2 = phi.shape[2]
    trial = np.full((len(p), d2, d2), Fraction(0)) if y is None else np.array(y, dtype=object)
    direction = phi[atom] if alpha is None else np.array(alpha, dtype=object)
    return OneFeature(
        name=name,
        says=says,
        p=tuple(p),
        phi=_tensor(phi),
        copies=copies,
        lam=lam,
        atom=atom,
        y=_tensor(trial),
        alpha=tuple(tuple(Fraction(v) for v in row) for row in direction),
    )


def _tensor(array: Any) -> Tensor:
    return tuple(tuple(tuple(Fraction(v) for v in row) for row in M) for M in array)


_HALF = Fraction(1, 2)
ONE = real("one", "n = 1, one feature 1, lambda = 1; y = 0 and alpha = phi", (Fraction(1),), [[[1]]], Fraction(1), 0)
UNEVEN = real(
    "uneven",
    "two features of one output on two points, the second drawn three times as often",
    (Fraction(1, 4), Fraction(3, 4)),
    [[[2], [0]], [[1], [1]]],
    _HALF,
    0,
    y=[[[1]], [[Fraction(1, 3)]]],
)
SMALL_RIDGE = real(
    "small-ridge",
    "three features on two points, lambda = 1e-12",
    (_HALF, Fraction(1, 4), Fraction(1, 4)),
    [[[1], [2]], [[3], [-1]], [[0], [0]]],
    Fraction(1, 10**12),
    1,
    y=[[[0]], [[1]], [[5]]],
    alpha=[[1], [-2]],
)
TWO_OUTPUTS = real(
    "two-outputs",
    "features with d2 = 2 on a point, its duplicate and its antipode",
    (_HALF, _HALF),
    [[[1, 2], [1, 2], [-1, -2]], [[0, 1], [0, 1], [0, -1]]],
    Fraction(1, 3),
    0,
    y=[[[1, 0], [0, 1]], [[0, 1], [1, 0]]],
)
QUARTER_TURNS = complex_exponentials(
    "quarter-turns",
    "points 0, 1, 3; frequencies 0, 1/4 and (3 - 4i)/5",
    (_HALF, Fraction(1, 3), Fraction(1, 6)),
    [[1, 1, 1], [1, 0, 0], [1, Fraction(3, 5), Fraction(-117, 125)]],
    [[0, 0, 0], [0, -1, 1], [0, Fraction(-4, 5), Fraction(-44, 125)]],
    Fraction(1, 10),
    2,
)


def instances(_profile: str) -> tuple[OneFeature, ...]:
    """Give the instances; all profiles have the same, which are exact and small."""
    return (ONE, UNEVEN, SMALL_RIDGE, TWO_OUTPUTS, QUARTER_TURNS)
