"""Fourier features in exact complex numbers: integer points, frequencies that turn by rational points of the circle.

    phi(x, w_j) = exp(-2 pi i w_j x) = (c_j - i s_j)^x,   c_j^2 + s_j^2 = 1,   K(x, z) = E phi(x, w) conj phi(z, w)

K depends on x - z only: K(x, z) = khat(x - z), khat(t) = E phi(t, w), which is real when the law is symmetric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import rational_inverse

Exactly = npt.NDArray[Any]
"""An object array of Fractions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactComplex:
    """An array of complex numbers.

    Parameters
    ----------
    re, im : object arrays of Fractions, of one shape
    """

    re: Exactly
    im: Exactly

    def conjugate(self) -> ExactComplex:
        """Change the sign of the imaginary part."""
        return ExactComplex(re=self.re, im=-self.im)

    def plus(self, other: ExactComplex, weight: Fraction = Fraction(1)) -> ExactComplex:
        """Add a multiple of another array."""
        return ExactComplex(re=self.re + weight * other.re, im=self.im + weight * other.im)

    def times(self, other: ExactComplex) -> ExactComplex:
        """Multiply as matrices and vectors do."""
        return ExactComplex(
            re=self.re @ other.re - self.im @ other.im,
            im=self.re @ other.im + self.im @ other.re,
        )

    def dot(self, other: ExactComplex) -> tuple[Fraction, Fraction]:
        """Give real and imaginary part of sum_i z_i v_i for two vectors, without conjugation."""
        re, im = Fraction(0), Fraction(0)
        for a, b, c, d in zip(self.re, self.im, other.re, other.im, strict=True):
            re, im = re + a * c - b * d, im + a * d + b * c
        return re, im

    def outer(self, other: ExactComplex) -> ExactComplex:
        """Give the matrix of products z_i v_j, without conjugation."""
        return ExactComplex(
            re=np.outer(self.re, other.re) - np.outer(self.im, other.im),
            im=np.outer(self.re, other.im) + np.outer(self.im, other.re),
        )

    def embedded(self) -> Exactly:
        """Give [[R, -J], [J, R]] of a matrix R + iJ: symmetric for Hermitian ones, every eigenvalue twice."""
        return np.block([[self.re, -self.im], [self.im, self.re]])

    def inverse(self) -> ExactComplex:
        """Invert a matrix.

        Raises
        ------
        ZeroDivisionError : it is singular
        """
        n = len(self.re)
        inverse = np.array(rational_inverse(self.embedded().tolist()), dtype=object)
        return ExactComplex(re=inverse[:n, :n], im=inverse[n:, :n])


def zeros(*shape: int) -> ExactComplex:
    """Give an array of complex zeros."""
    zero = np.full(shape, Fraction(0), dtype=object)
    return ExactComplex(re=zero, im=zero)


def wave(turn: tuple[Fraction, Fraction], exponents: Sequence[int]) -> ExactComplex:
    """Give the feature of one frequency at integer points.

    phi(x) = (c - i s)^x

    Parameters
    ----------
    turn : (c, s) with c^2 + s^2 = 1
    exponents : (n,) integers of either sign

    Returns
    -------
    phi : (n,), of absolute value 1

    Raises
    ------
    ValueError : (c, s) does not lie on the circle
    """
    c, s = turn
    if c * c + s * s != 1:
        raise ValueError(f"wave: turn must lie on the unit circle, got c^2 + s^2 = {c * c + s * s}")
    re, im = [], []
    for x in exponents:
        a, b = Fraction(1), Fraction(0)
        for _ in range(abs(x)):
            a, b = a * c + b * s, b * c - a * s  # times c - i s
        re.append(a)
        im.append(b if x >= 0 else -b)
    return ExactComplex(re=np.array(re, dtype=object), im=np.array(im, dtype=object))


def wave_kernel(p: Sequence[Fraction], turns: Sequence[tuple[Fraction, Fraction]], X: Sequence[int]) -> ExactComplex:
    """Give the kernel matrix from its closed form, a function of differences.

    K_ik = khat(x_i - x_k),   khat(t) = sum_j p_j (c_j - i s_j)^t

    Parameters
    ----------
    p : (J,) probabilities
    turns : (J, 2) points of the circle
    X : (n,) integers

    Returns
    -------
    K : (n, n), Hermitian with unit diagonal; real when opposite turns have equal probabilities
    """
    n = len(X)
    lags = [x - z for x in X for z in X]
    total = zeros(n * n)
    for mass, turn in zip(p, turns, strict=True):
        total = total.plus(wave(turn, lags), mass)
    return ExactComplex(re=total.re.reshape(n, n), im=total.im.reshape(n, n))
