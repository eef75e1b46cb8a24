"""The ridge leverage of Gaussian Fourier features on a line, enclosed in balls, and its integral.

    tau(w) = z(w)^* (K + lam I)^-1 z(w) = sum_ij (K + lam I)^-1_ij cos(2 pi w (x_i - x_j))

p is the density of N(0, 1 / (2 pi sigma)^2), K_ij = exp(-(x_i - x_j)^2 / (2 sigma^2)); k(0) = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from reference import arithmetic
from reference.arithmetic import Ball, BallMatrix, Exact, Interval, ball, exact, interval, precision
from reference.enclosed_features import gaussian_enclosed
from reference.preconditions import points, positive


def line_leverage(X: Any, sigma: Any, lam: Exact, frequencies: Sequence[Exact], bits: int = 128) -> list[Interval]:
    """Enclose tau at given frequencies.

    Parameters
    ----------
    X : (n, 1) float, taken at its exact value
    sigma : bandwidth, taken at its exact value
    lam : positive exact number
    frequencies : exact numbers
    bits : working precision

    Returns
    -------
    tau : one (lower, upper) per frequency; the truth lies in [n / (n + lam), n / lam]
    """
    inverse, gaps = _inverse(X, sigma, lam), _gaps(X)
    with precision(bits):
        return [interval(_form(inverse, gaps, exact(w), bits)) for w in frequencies]


def line_leverage_integral(X: Any, sigma: Any, lam: Exact, bits: int = 128) -> Interval:
    """Enclose the integral of q_lambda = p tau by the trapezoidal rule with a proven error.

    | int p tau - h sum_{|k| <= N} p(k h) tau(k h) | <= (n^2 / lam) 2 sum_{l >= 1} exp(-(l/h - R)^2 / (2 sigma^2))
                                                      + (n / lam) erfc(2 pi sigma N h / sqrt 2),   R = max |x_i - x_j|

    Parameters
    ----------
    X, sigma, lam, bits : as in `line_leverage`

    Notes
    -----
    By Poisson summation h sum_k p(kh) cos(2 pi k h D) = sum_l exp(-(D + l/h)^2 / (2 sigma^2)), of which l = 0 is the
    integral; the entries of (K + lam I)^-1 sum to at most n^2 / lam in absolute value. Beyond N h the sum is below
    the integral of p, which decreases, and tau <= n / lam. The sum over l is at most twice its first term, since
    each term is less than half of the one before once l/h - R >= 2 sigma.
    """
    width, ridge = exact(positive(sigma, "line_leverage_integral: sigma")), exact(lam)
    gaps, n = _gaps(X), len(X)
    reach = max(max(abs(g) for g in row) for row in gaps)
    step = 1 / (reach + 14 * width)
    N = int(14 / (6 * width * step)) + 1  # 2 pi sigma N h > 14
    inverse = _inverse(X, sigma, lam)
    with precision(bits):
        s, h = ball(width, bits), ball(step, bits)
        pi = ball(arithmetic.pi(bits), bits)
        density = [(2 * pi).sqrt() * s * (-2 * (pi * s * (k * h)) ** 2).exp() for k in range(N + 1)]
        forms = [_form(inverse, gaps, k * step, bits) for k in range(N + 1)]
        total = h * (density[0] * forms[0] + 2 * sum(d * f for d, f in zip(density[1:], forms[1:], strict=True)))
        aliased = 4 * (-((1 / h - ball(reach, bits)) ** 2) / (2 * s * s)).exp() * n * n / ball(ridge, bits)
        beyond = (2 * pi * s * N * h / ball(2, bits).sqrt()).erfc() * n / ball(ridge, bits)
        lower, upper = interval(total)
        error = interval(aliased + beyond)[1]
    return lower - error, upper + error


def _gaps(X: Any) -> list[list[Fraction]]:
    data = [Fraction(float(x)) for x in points(X, "line_leverage: X")[:, 0]]
    return [[a - b for b in data] for a in data]


def _inverse(X: Any, sigma: Any, lam: Exact) -> BallMatrix:
    if points(X, "line_leverage: X").shape[1] != 1:
        raise ValueError(f"line_leverage: X must have one column, got {points(X, 'line_leverage: X').shape[1]}")
    return gaussian_enclosed(X, sigma).inverse(lam)


def _form(inverse: Any, gaps: list[list[Fraction]], w: Fraction, bits: int) -> Ball:
    """Evaluate z(w)^* (K + lam I)^-1 z(w); the working precision is set by the caller."""
    turn = 2 * ball(arithmetic.pi(bits), bits)
    return sum(
        (inverse[i, j] * (turn * ball(w * gaps[i][j], bits)).cos() for i in range(len(gaps)) for j in range(len(gaps))),
        start=ball(0, bits),
    )
