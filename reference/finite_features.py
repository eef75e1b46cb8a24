"""Random features with finitely many atoms, in exact rationals.

    P[w = j] = p_j,   G_j = Phi_j Phi_j^T,   K = sum_j p_j G_j,   tau_j = tr (K + lam I)^-1 G_j

The Gram matrices G_j are the primary object, not the features: Phi_j may need square roots where G_j does not,
and nothing in Theorem 3.3 depends on Phi_j otherwise. A complex Hermitian G = R + iJ is kept as the real symmetric
[[R, -J], [J, R]], which has every eigenvalue twice: `copies` = 2, and traces are halved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from reference.arithmetic import Exact, exact, is_positive_semidefinite, rational_inverse
from reference.preconditions import Float64

Matrix: TypeAlias = tuple[tuple[Fraction, ...], ...]


@dataclass(frozen=True, kw_only=True)
class FiniteFeatures:
    """A law on finitely many atoms and the Gram matrix of each.

    Parameters
    ----------
    p : (J,) Fractions, positive, summing to exactly 1
    grams : (J, N, N) Fractions, each symmetric positive semidefinite; may be zero (a null atom)
    copies : 1 for real features, N = n; 2 for the embedding of complex ones, N = 2n

    Raises
    ------
    TypeError : an entry is not a Fraction
    ValueError : any of the above violated
    """

    p: tuple[Fraction, ...]
    grams: tuple[Matrix, ...]
    copies: int = 1

    def __post_init__(self) -> None:
        """Check everything the definition promises."""
        if not self.p or len(self.p) != len(self.grams):
            raise ValueError(
                f"FiniteFeatures: need one Gram matrix per atom and at least one atom, got {len(self.p)} "
                f"probabilities and {len(self.grams)} Gram matrices"
            )
        if not all(isinstance(x, Fraction) for x in self.p):
            raise TypeError("FiniteFeatures: p must hold Fractions")
        if any(x <= 0 for x in self.p) or sum(self.p) != 1:
            raise ValueError(
                f"FiniteFeatures: p must be positive and sum to 1, got sum {sum(self.p)}, least {min(self.p)}"
            )
        if self.copies not in (1, 2):
            raise ValueError(f"FiniteFeatures: copies must be 1 or 2, got copies = {self.copies}")
        size = len(self.grams[0])
        for j, G in enumerate(self.grams):
            if len(G) != size or any(len(row) != size for row in G):
                raise ValueError(f"FiniteFeatures: grams must all be {size} x {size}; atom {j} is not")
            if not all(isinstance(x, Fraction) for row in G for x in row):
                raise TypeError(f"FiniteFeatures: grams must hold Fractions; atom {j} does not")
            if not is_positive_semidefinite(G):
                raise ValueError(f"FiniteFeatures: grams must be positive semidefinite; atom {j} is not")
        if size == 0 or size % self.copies:
            raise ValueError(f"FiniteFeatures: grams must have a positive size divisible by copies, got {size}")
        if self.copies == 2:
            for j, G in enumerate(self.grams):
                _check_embedding(G, size // 2, j)

    @property
    def n(self) -> int:
        """The number of data points."""
        return len(self.grams[0]) // self.copies

    def kernel(self) -> Matrix:
        """Average the Gram matrices: K = sum_j p_j G_j.

        Returns
        -------
        K : (N, N) Fractions, symmetric positive semidefinite; the embedding when `copies` is 2
        """
        size = range(len(self.grams[0]))
        return tuple(
            tuple(sum((q * G[a][b] for q, G in zip(self.p, self.grams, strict=True)), Fraction(0)) for b in size)
            for a in size
        )

    def leverage(self, lam: Exact) -> list[Fraction]:
        """Tell how much each atom is needed: tau_j = tr (K + lam I)^-1 G_j.

        Parameters
        ----------
        lam : positive exact number

        Returns
        -------
        tau : (J,) Fractions >= 0, sum_j p_j tau_j = `statistical_dimension(lam)`; q_lambda(j) = p_j tau_j

        References
        ----------
        GLSS, Definition 3.1
        """
        inverse = self._ridge_inverse(lam)
        return [
            sum(
                (a * b for row, other in zip(inverse, G, strict=True) for a, b in zip(row, other, strict=True)),
                Fraction(0),
            )
            / self.copies
            for G in self.grams
        ]

    def statistical_dimension(self, lam: Exact) -> Fraction:
        """Count the eigendirections above the ridge: s_lambda = tr (K + lam I)^-1 K = n - lam tr (K + lam I)^-1.

        Parameters
        ----------
        lam : positive exact number

        Returns
        -------
        s : Fraction in [0, n)
        """
        trace = sum((row[i] for i, row in enumerate(self._ridge_inverse(lam))), Fraction(0))
        return self.n - exact(lam) * trace / self.copies

    def _ridge_inverse(self, lam: Exact) -> list[list[Fraction]]:
        ridge = exact(lam)
        if ridge <= 0:
            raise ValueError(f"FiniteFeatures: lam must be positive, got lam = {lam}")
        K = self.kernel()
        return rational_inverse([[x + ridge * (a == b) for b, x in enumerate(row)] for a, row in enumerate(K)])

    def float_p(self) -> Float64:
        """Round the law: (J,) float64, each correctly rounded."""
        return np.array([float(x) for x in self.p])

    def float_grams(self) -> Float64:
        """Round the Gram matrices: (J, N, N) float64, each entry correctly rounded."""
        return np.array([[[float(x) for x in row] for row in G] for G in self.grams])


def _check_embedding(G: Matrix, n: int, j: int) -> None:
    """Refuse a matrix that is not [[R, -J], [J, R]]."""
    for a in range(n):
        for b in range(n):
            if G[a][b] != G[n + a][n + b] or G[a][n + b] != -G[n + a][b]:
                raise ValueError(
                    f"FiniteFeatures: with copies = 2 grams must be [[R, -J], [J, R]]; atom {j} is not, at ({a}, {b})"
                )


def from_features(
    p: Sequence[Exact],
    phi: Sequence[Sequence[Sequence[Exact]]],
    imaginary: Sequence[Sequence[Sequence[Exact]]] | None = None,
) -> FiniteFeatures:
    """Build a finite world from its features: G_j = Phi_j Phi_j^*.

    Parameters
    ----------
    p : (J,) exact numbers, positive, summing to 1
    phi : (J, n, d2) exact numbers, the (real part of the) features; rows are data points
    imaginary : (J, n, d2) exact numbers, their imaginary part; None for real features

    Returns
    -------
    features : `copies` = 1 for real features, 2 for complex ones
    """
    law = tuple(exact(x) for x in p)
    real = [[[exact(x) for x in row] for row in Phi] for Phi in phi]
    if imaginary is None:
        return FiniteFeatures(p=law, grams=tuple(_product(A, A) for A in real))
    grams = []
    for A, Phi in zip(real, imaginary, strict=True):
        # (A + iB) as the real 2n x 2 d2 matrix [[A, -B], [B, A]]: products of these are products of the complex ones
        B = [[exact(x) for x in row] for row in Phi]
        top = [a + [-x for x in b] for a, b in zip(A, B, strict=True)]
        grams.append(_product(E := top + [b + a for a, b in zip(A, B, strict=True)], E))
    return FiniteFeatures(p=law, grams=tuple(grams), copies=2)


def _product(A: Sequence[Sequence[Fraction]], B: Sequence[Sequence[Fraction]]) -> Matrix:
    """Multiply A B^T exactly."""
    return tuple(tuple(sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0)) for b in B) for a in A)


def diagonal(k: Sequence[Exact]) -> FiniteFeatures:
    """Build the world in which atom j serves point j alone: K = diag(k).

    p_j = 1/n,   phi(x_i, j) = sqrt(n k_i) delta_ij,   tau_j = n k_j / (k_j + lam)

    Parameters
    ----------
    k : (n,) exact numbers >= 0
    """
    values = [exact(x) for x in k]
    n = len(values)
    return FiniteFeatures(
        p=(Fraction(1, n),) * n if n else (),
        grams=tuple(
            tuple(tuple(n * x * (a == b == j) for b in range(n)) for a in range(n)) for j, x in enumerate(values)
        ),
    )


def coupon(n: int) -> FiniteFeatures:
    """Build n orthogonal atoms of equal weight, K = I: every one must be drawn often enough.

    p_j = 1/n,   phi(x_i, j) = sqrt(n) delta_ij

    Parameters
    ----------
    n : number of points and of atoms, n >= 1
    """
    return diagonal([1] * n)


def linear_kernel(X: Sequence[Sequence[Exact]]) -> FiniteFeatures:
    """Build the linear kernel K = X X^T from its coordinates: atom j is column c_j.

    p_j = 1/d,   phi(x, j) = sqrt(d) x_j,   p_j tau_j = c_j^T (X X^T + lam I)^-1 c_j

    Parameters
    ----------
    X : (n, d) exact numbers
    """
    rows = [[exact(x) for x in row] for row in X]
    d = len(rows[0]) if rows else 0
    columns = [[row[j] for row in rows] for j in range(d)]
    return FiniteFeatures(
        p=(Fraction(1, d),) * d if d else (),
        grams=tuple(tuple(tuple(d * x * y for y in column) for x in column) for column in columns),
    )


def with_null_atom(features: FiniteFeatures, mass: Exact) -> FiniteFeatures:
    """Append an atom of probability `mass` whose feature is 0, leaving K and q_lambda as they were.

    p -> ((1 - mass) p, mass),   G -> (G / (1 - mass), 0)

    Parameters
    ----------
    features : the world to dilute
    mass : exact number in (0, 1)
    """
    null = exact(mass)
    if not 0 < null < 1:
        raise ValueError(f"with_null_atom: mass must lie in (0, 1), got mass = {mass}")
    rest = 1 - null
    grams = tuple(tuple(tuple(x / rest for x in row) for row in G) for G in features.grams)
    zero = tuple((Fraction(0),) * len(row) for row in grams[0])
    return FiniteFeatures(p=(*(rest * x for x in features.p), null), grams=(*grams, zero), copies=features.copies)
