"""What kernel regression with the tangent kernel predicts at test points, enclosed, and how training gets there.

    u*_test = kappa^2 K (kappa^2 H + lam I)^-1 Y,   K = K_ntk(X_test, X),   H = H_cts

With the kernel held at its limit, training from outputs u(0) and u_test(0) ends, after k steps of length h, at

    u*_test + gamma^k (u_test(0) - K H^-1 u(0)) + K H^-1 A^k (u(0) - u*),   A = gamma I - h kappa^2 H, gamma = 1 - h lam

so what test points remember of the start is forgotten by weight decay alone, as gamma^k.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from reference.arithmetic import (
    Ball,
    BallMatrix,
    Exact,
    Interval,
    ball,
    ball_inverse,
    interval,
    matrix_of_balls,
    precision,
)
from reference.preconditions import Float64
from reference.relu_tangent import tangent_kernel_balls
from theorems.glss.training_instances import Training

BITS = 256


class NewPoints:
    """The limiting kernel of one instance, between its test points and its data.

    Parameters
    ----------
    x : the problem, with test points

    Raises
    ------
    ValueError : there are no test points
    Undetermined : H is not proven to be invertible
    """

    def __init__(self, x: Training) -> None:
        if x.X_test is None:
            raise ValueError(f"NewPoints: {x.name} must have test points, got None")
        n, rows = len(x.X), tangent_kernel_balls(x.points, BITS).tolist()
        self.x, self._n = x, n
        self._H = matrix_of_balls([row[:n] for row in rows[:n]])
        self._K = matrix_of_balls([row[:n] for row in rows[n:]])
        with precision(BITS):
            self._weights = self._K * ball_inverse(self._H, BITS)
            self._ridge = self._diagonal(x.lam) + ball(x.kappa**2, BITS) * self._H

    def _diagonal(self, value: Exact) -> BallMatrix:
        entry, zero = ball(value, BITS), ball(0, BITS)
        return matrix_of_balls([[entry if i == j else zero for j in range(self._n)] for i in range(self._n)])

    def norms(self) -> list[Interval]:
        """Enclose ||K(x_test, X)|| for every test point."""
        with precision(BITS):
            return [interval(sum((v * v for v in row), ball(0, BITS)).sqrt()) for row in self._K.tolist()]

    def kernel_rows(self) -> list[list[Interval]]:
        """Enclose K entry by entry: (t, n)."""
        return [[interval(v) for v in row] for row in self._K.tolist()]

    def weights(self) -> list[list[Interval]]:
        """Enclose K H^-1 entry by entry: (t, n)."""
        return [[interval(v) for v in row] for row in self._weights.tolist()]

    def predictions(self) -> list[Interval]:
        """Enclose u*_test."""
        with precision(BITS):
            drive = ball(self.x.kappa**2, BITS) * self._K * ball_inverse(self._ridge, BITS)
            return _read(drive * _column([Fraction(float(y)) for y in self.x.Y]))

    def remembered(self, u: Float64, u_test: Float64) -> list[Interval]:
        """Enclose gamma^K (u_test(0) - K H^-1 u(0)), the part that only weight decay forgets.

        Parameters
        ----------
        u, u_test : (n,), (t,) float, the outputs at the start
        """
        with precision(BITS):
            away = _column(u_test.tolist()) - self._weights * _column(u.tolist())
            return _read(ball(self.x.decay, BITS) ** self.x.steps * away)

    def transient(self, u: Float64) -> list[Interval]:
        """Enclose K H^-1 A^K (u(0) - u*).

        Parameters
        ----------
        u : (n,) float, the outputs at the start
        """
        x = self.x
        with precision(BITS):
            A = self._diagonal(x.decay) - ball(x.step * x.kappa**2, BITS) * self._H
            Y = _column([Fraction(float(y)) for y in x.Y])
            rest = ball(x.lam, BITS) * ball_inverse(self._ridge, BITS) * Y  # Y - u*
            return _read(self._weights * A**x.steps * (_column(u.tolist()) - Y + rest))


def _column(values: Sequence[Exact]) -> BallMatrix:
    return matrix_of_balls([[ball(v, BITS)] for v in values])


def _read(column: BallMatrix) -> list[Interval]:
    entries: list[Ball] = [row[0] for row in column.tolist()]
    return [interval(v) for v in entries]
