"""What the kernels of differences k(x - z) with k(0) = 1 share: scaled differences, and ball matrices by entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import Ball, BallMatrix, ball, matrix_of_balls, precision
from reference.preconditions import Float64, exact_rows, points, positive, same_dimension


def scaled_differences(X: Any, sigma: Any, Z: Any, where: str) -> Iterator[Float64]:
    """Give (x_i - z_j) / sigma, coordinate by coordinate: d times (n, k), infinite where the quotient overflows.

    Raises
    ------
    OverflowError : a difference of coordinates exceeds the float range
    """
    left, width = points(X, f"{where}: X"), positive(sigma, f"{where}: sigma")
    right = left if Z is None else points(Z, f"{where}: Z")
    same_dimension(left, right, f"{where}: Z")
    for coordinate in range(left.shape[1]):
        with np.errstate(over="ignore"):
            difference = np.subtract.outer(left[:, coordinate], right[:, coordinate])
            if not np.isfinite(difference).all():
                raise OverflowError(f"{where}: a difference of coordinates exceeds the float range; scale X")
            scaled: Float64 = difference / width
        yield scaled


def far(bits: int) -> int:
    """Say from where on a kernel is below 2^-far: (1 + a + a^2 / 3) e^-a < 2^-a for a >= 4096."""
    return max(2 * bits, 2**12)


def negligible(bits: int) -> Ball:
    """Enclose a value below 2^-far, whose own exponent may have more digits than exact rationals should."""
    return ball((Fraction(0), Fraction(1, 2 ** far(bits))), bits)


def kernel_balls(X: Any, where: str, bits: int, entry: Callable[[list[Fraction]], Ball]) -> BallMatrix:
    """Put entry(x_i - x_j) below the diagonal of a symmetric ball matrix with unit diagonal."""
    rows = exact_rows(points(X, f"{where}: X"))
    balls = [[ball(1, bits)] * len(rows) for _ in rows]
    with precision(bits):
        for i, x in enumerate(rows):
            for j in range(i):
                balls[i][j] = balls[j][i] = entry([a - b for a, b in zip(x, rows[j], strict=True)])
    return matrix_of_balls(balls)
