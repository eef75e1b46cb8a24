"""Exact and enclosed numbers: the only module that knows python-flint and mpmath.

    rationals   integers, Fractions and floats taken at their exact value; matrices over them
    balls       a midpoint and a radius that is proven to cover the truth (Arb)
    intervals   a pair of Fractions (lower, upper) around a real number: what leaves this module

FLINT keeps its working precision in a global; `precision` is the only place that touches it, and it puts the
old value back. Nothing here rounds silently: a result is exact, or an enclosure, or an exception.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, TypeAlias

import flint
import mpmath
import numpy as np

Exact: TypeAlias = int | float | Fraction | np.integer[Any] | np.floating[Any]
"""A real number taken at its exact value; a float means the dyadic rational it stores."""

LARGEST_EXPONENT = 2**24
"""Numbers beyond 2^+-LARGEST_EXPONENT never become fractions."""

Interval: TypeAlias = tuple[Fraction, Fraction]
"""(lower, upper) with lower <= truth <= upper, both ends exact."""

Ball: TypeAlias = Any  # flint.arb: python-flint ships no types
BallMatrix: TypeAlias = Any  # flint.arb_mat
RationalMatrix: TypeAlias = Any  # flint.fmpq_mat
Rows: TypeAlias = Sequence[Sequence[Exact]]


# ------------------------------------------------------------------------------------------- exact numbers


def exact(x: Exact) -> Fraction:
    """Give the exact value of a number: `Fraction(x)`, also for NumPy scalars.

    Parameters
    ----------
    x : int, float, Fraction, or a NumPy integer or float of at most 64 bits

    Raises
    ------
    TypeError : any other type; booleans and long doubles included
    ValueError : nan and infinities
    """
    if isinstance(x, Fraction):
        return x
    if isinstance(x, int | np.integer) and not isinstance(x, bool):
        return Fraction(int(x))
    if isinstance(x, float | np.float32 | np.float16):
        x = float(x)
        if not math.isfinite(x):
            raise ValueError(f"exact: x must be finite, got x = {x}")
        return Fraction(x)
    raise TypeError(f"exact: x must be an int, a Fraction or a float, got {type(x).__name__}")


def _fmpq(x: Exact) -> Any:
    value = exact(x)
    return flint.fmpq(value.numerator, value.denominator)


def _fraction(x: Any) -> Fraction:
    return Fraction(int(x.p), int(x.q))


def rational_matrix(rows: Rows) -> RationalMatrix:
    """Build an exact matrix over the rationals.

    Parameters
    ----------
    rows : (n, k) numbers, exact
    """
    return flint.fmpq_mat([[_fmpq(x) for x in row] for row in rows])


def fractions_of(M: RationalMatrix) -> list[list[Fraction]]:
    """Read an exact matrix back as nested lists of `Fraction`, shape (n, k)."""
    return [[_fraction(x) for x in row] for row in M.tolist()]


def rational_product(A: Rows, B: Rows) -> list[list[Fraction]]:
    """Multiply exactly: A B, (n, k) times (k, l)."""
    return fractions_of(rational_matrix(A) * rational_matrix(B))


def rational_inverse(A: Rows) -> list[list[Fraction]]:
    """Invert an (n, n) matrix exactly.

    Raises
    ------
    ZeroDivisionError : A is singular
    """
    return fractions_of(rational_matrix(A).inv())


def rational_solve(A: Rows, B: Rows) -> list[list[Fraction]]:
    """Solve A X = B exactly, (n, n) and (n, k).

    Raises
    ------
    ZeroDivisionError : A is singular
    """
    return fractions_of(rational_matrix(A).solve(rational_matrix(B)))


def rational_trace(A: Rows) -> Fraction:
    """Sum the diagonal of an (n, n) matrix exactly."""
    return sum((exact(row[i]) for i, row in enumerate(A)), Fraction(0))


def quadratic_form(M: Rows, v: Sequence[Exact]) -> Fraction:
    """Evaluate v^T M v without any rounding.

    Parameters
    ----------
    M : (n, n) numbers, exact; need not be symmetric
    v : (n,) numbers, exact
    """
    column = rational_matrix([[x] for x in v])
    return _fraction((column.transpose() * (rational_matrix(M) * column))[0, 0])


def is_positive_semidefinite(M: Rows) -> bool:
    """Decide M >= 0 for an exact symmetric matrix, singular ones included.

    The characteristic polynomial det(x I - M) = sum_k c_k x^k of a symmetric matrix has only real roots, and
    by Descartes' rule none of them is negative if and only if (-1)^(n-k) c_k >= 0 for every k. It is computed
    for the integer matrix D M, D > 0 the common denominator.

    Parameters
    ----------
    M : (n, n) numbers, exact and exactly symmetric, n >= 1

    Raises
    ------
    ValueError : M is empty, not square or not symmetric
    """
    matrix = rational_matrix(M)
    n = int(matrix.nrows())
    if n == 0 or n != matrix.ncols() or matrix != matrix.transpose():
        raise ValueError(f"is_positive_semidefinite: M must be symmetric, n >= 1, got {n} x {matrix.ncols()}")
    integers, _ = matrix.numer_denom()
    coefficients = integers.charpoly().coeffs()
    return all((-1) ** (n - k) * c >= 0 for k, c in enumerate(coefficients))


# --------------------------------------------------------------------------------------------------- balls


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Let FLINT work at `bits` binary digits inside the block, and restore what was before."""
    if bits < 2:
        raise ValueError(f"precision: bits must be at least 2, got bits = {bits}")
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def ball(x: Exact | Interval, bits: int) -> Ball:
    """Enclose an exact number, or everything between two, in a ball of `bits` digits."""
    with precision(bits):
        if isinstance(x, tuple):
            return flint.arb(_fmpq(x[0])).union(flint.arb(_fmpq(x[1])))
        return flint.arb(_fmpq(x))


def interval(x: Ball) -> Interval:
    """Read a ball as (lower, upper), both ends exact.

    Raises
    ------
    ArithmeticError : the ball is unbounded or nan: the formula has no value there, or needs more bits
    """
    if not x.is_finite():
        raise ArithmeticError(f"interval: the ball is not finite, got {x}")
    scales = [int(part.man_exp()[1]) for part in (x.mid(), x.rad())]
    if max(map(abs, scales)) > LARGEST_EXPONENT:
        # as a fraction it would fill the memory
        raise ArithmeticError(
            f"interval: the ball must not exceed 2^+-{LARGEST_EXPONENT}, got 2^{max(scales, key=abs)}"
        )
    mid, rad = (Fraction(int(man)) * Fraction(2) ** int(exp) for man, exp in (x.mid().man_exp(), x.rad().man_exp()))
    return mid - rad, mid + rad


def enclose(formula: Callable[..., Ball], *args: Exact | Interval, bits: int = 128) -> Interval:
    """Evaluate a formula of real numbers rigorously.

    Parameters
    ----------
    formula : one ball per argument to a ball; balls have + - * / ** and the methods log, log1p,
        exp, expm1, sqrt, sin, cos, acos, atan, erf, erfc, lgamma, and so on
    args : exact numbers, or (lower, upper) for numbers that are only enclosed themselves
    bits : working precision; the width of the answer shrinks as it grows

    Returns
    -------
    (lower, upper) around the formula's value at every point of the arguments

    Raises
    ------
    ArithmeticError : no finite enclosure, as for log of an interval that contains 0
    """
    with precision(bits):
        return interval(formula(*(ball(x, bits) for x in args)))


def log(x: Exact | Interval, bits: int = 128) -> Interval:
    """Enclose the natural logarithm, x > 0."""
    return enclose(lambda t: t.log(), x, bits=bits)


def exp(x: Exact | Interval, bits: int = 128) -> Interval:
    """Enclose e^x."""
    return enclose(lambda t: t.exp(), x, bits=bits)


def sqrt(x: Exact | Interval, bits: int = 128) -> Interval:
    """Enclose the square root, x >= 0."""
    return enclose(lambda t: t.sqrt(), x, bits=bits)


def acos(x: Exact | Interval, bits: int = 128) -> Interval:
    """Enclose the angle in [0, pi] whose cosine is x, -1 <= x <= 1."""
    return enclose(lambda t: t.acos(), x, bits=bits)


def atan2(y: Exact | Interval, x: Exact | Interval, bits: int = 128) -> Interval:
    """Enclose the angle in (-pi, pi] of the point (x, y)."""
    return enclose(lambda s, t: flint.arb.atan2(s, t), y, x, bits=bits)


def erf(x: Exact | Interval, bits: int = 128) -> Interval:
    """Enclose the error function 2/sqrt(pi) int_0^x exp(-t^2) dt."""
    return enclose(lambda t: t.erf(), x, bits=bits)


def pi(bits: int = 128) -> Interval:
    """Enclose pi."""
    return enclose(flint.arb.pi, bits=bits)


class Undetermined(ArithmeticError):
    """An enclosure too wide for the question: ask again with more bits."""


def ceiling(lower: Fraction, upper: Fraction) -> int:
    """Round an enclosed real number up to an integer, when the enclosure leaves one choice.

    Raises
    ------
    Undetermined : the two ends round up to different integers
    """
    if math.ceil(lower) != math.ceil(upper):
        raise Undetermined(f"ceiling: {math.ceil(lower)} or {math.ceil(upper)}; enclose the number more tightly")
    return math.ceil(upper)


# ------------------------------------------------------------------------------------------- ball matrices


def ball_matrix(mid: Rows, rad: Rows | None = None, *, bits: int) -> BallMatrix:
    """Enclose a matrix entry by entry.

    Parameters
    ----------
    mid : (n, k) numbers, exact
    rad : (n, k) numbers >= 0, exact: |true - mid| <= rad in every entry; None for exact data
    bits : working precision
    """
    rows = [[ball(x, bits) for x in row] for row in mid]
    if rad is not None:
        with precision(bits):
            zero_to_rad = [[flint.arb(0, ball(r, bits).abs_upper()) for r in row] for row in rad]
            rows = [[x + r for x, r in zip(*pair, strict=True)] for pair in zip(rows, zero_to_rad, strict=True)]
    return flint.arb_mat(rows)


def ball_definiteness(M: BallMatrix, bits: int) -> tuple[int, list[float]]:
    """Decide the sign of every symmetric matrix inside a ball matrix by L D L^T with diagonal pivoting.

    Parameters
    ----------
    M : (n, n) ball matrix; the answer is about the symmetric matrices it contains
    bits : working precision

    Returns
    -------
    sign : 1 all are positive definite, -1 none is positive semidefinite, 0 the balls are too wide to tell
    direction : (n,) floats when sign is -1, v with v^T M v < 0 up to its own rounding; else empty

    Notes
    -----
    With positive pivots on P, the next pivot is the Schur complement M_kk - M_kP M_PP^-1 M_Pk = v^T M v for
    v = e_k - M_PP^-1 M_Pk, so a negative one is a direction.
    """
    with precision(bits):
        rest = M.tolist()
        done: list[int] = []
        open_rows = list(range(len(rest)))
        while open_rows:
            k = max(open_rows, key=lambda i: float(rest[i][i].mid()))
            negative = [i for i in open_rows if rest[i][i] < 0]
            if negative:
                return -1, _direction(M, done, negative[0])
            if not rest[k][k] > 0:
                return 0, []
            open_rows.remove(k)
            done.append(k)
            for i in open_rows:
                factor = rest[i][k] / rest[k][k]
                for j in open_rows:
                    rest[i][j] -= factor * rest[k][j]
        return 1, []


def _direction(M: BallMatrix, done: list[int], k: int) -> list[float]:
    """Give e_k - M_PP^-1 M_Pk as floats scaled to at most 1, for the midpoint of M; P = done."""
    v = [flint.arb(0)] * int(M.nrows())
    v[k] = flint.arb(1)
    if done:
        block = flint.arb_mat([[M[i, j].mid() for j in done] for i in done])
        solution = block.solve(flint.arb_mat([[M[i, k].mid()] for i in done]), algorithm="approx")
        for row, i in enumerate(done):
            v[i] = -solution[row, 0]
    largest = max((abs(x.mid()) for x in v), key=lambda x: x.mid())
    return [float((x.mid() / largest).mid()) for x in v]


# ------------------------------------------------------------------------------------- series of balls


def ball_series_product(factors: Sequence[Sequence[Exact | Ball]], length: int, bits: int) -> list[Ball]:
    """Multiply power series and keep the first `length` coefficients.

    Parameters
    ----------
    factors : each a list of coefficients, constant term first; exact numbers or balls
    length : number of coefficients kept, >= 1
    bits : working precision

    Returns
    -------
    (length,) balls around the coefficients of x^0 .. x^(length-1) in the product
    """
    if length < 1:
        raise ValueError(f"ball_series_product: length must be at least 1, got length = {length}")
    with precision(bits):
        product = flint.arb_poly([1])
        for coefficients in factors:
            balls = [x if isinstance(x, flint.arb) else ball(x, bits) for x in coefficients[:length]]
            product = (product * flint.arb_poly(balls)).truncate(length)
        return [product[k] for k in range(length)]


# ------------------------------------------------------------------------------- many digits, not enclosed


def reference_quad(f: Callable[[Any], Any], points: Sequence[Exact], digits: int) -> Any:
    """Integrate numerically to many digits: a reference value for tests, not an enclosure.

    Parameters
    ----------
    f : integrand; takes and returns `mpmath.mpf`
    points : where to cut the range, at least both ends; `float('inf')` is allowed
    digits : decimal digits worked with
    """
    with mpmath.workdps(digits):
        return mpmath.quad(
            f, [mpmath.mpf(p.numerator) / p.denominator if isinstance(p, Fraction) else p for p in points]
        )


# ---- balls for probabilities


def power_sum_reaches(terms: Sequence[tuple[Fraction, Fraction, int, Fraction, int]], line: Fraction) -> bool:
    """Decide sum_k w_k x_k^i_k y_k^j_k >= line exactly.

    Balls of 256 bits and more decide all but equality, which exact rationals decide.

    Parameters
    ----------
    terms : (w, x, i, y, j) each, with i, j >= 0
    line : the number to reach
    """
    for bits in (256, 512, 1024, 2048, 4096):
        with precision(bits):
            balls = (_fmpq_ball(w) * _fmpq_ball(x) ** i * _fmpq_ball(y) ** j for w, x, i, y, j in terms)
            gap = sum(balls, start=-_fmpq_ball(line))
            if gap > 0 or gap < 0:
                return bool(gap > 0)
    return sum((w * x**i * y**j for w, x, i, y, j in terms), Fraction(0)) >= line


def binomial_tails(m: int, q: Fraction, low: int, high: int, bits: int) -> Interval:
    """Enclose P(N < low) + P(N > high) for N ~ Bin(m, q), 0 < q < 1, 0 <= low <= high <= m.

    Each tail is a regularised incomplete beta function, P(N >= k) = I_q(k, m - k + 1), so no 1 - P cancels.
    """
    with precision(bits):
        x, y = _fmpq_ball(q), _fmpq_ball(1 - q)
        below = y.beta_lower(m - low + 1, low, regularized=True) if low > 0 else flint.arb(0)
        above = x.beta_lower(high + 1, m - high, regularized=True) if high < m else flint.arb(0)
        return interval(below + above)


def poisson_series(mean: Fraction, low: int, high: int, bits: int) -> Ball:
    """Give the polynomial sum_k e^-mean mean^k / k! x^(k - low), low <= k <= high, with ball coefficients.

    Parameters
    ----------
    mean : > 0
    low, high : 0 <= low <= high; the lowest power is divided out
    """
    with precision(bits):
        rate = _fmpq_ball(mean)
        term = (-rate).exp() * rate**low / flint.arb.fac_ui(low)
        coefficients = [term]
        for k in range(low + 1, high + 1):
            term = term * rate / k
            coefficients.append(term)
        return flint.arb_poly(coefficients)


def poisson_mass(mean: int, bits: int) -> Ball:
    """Enclose P(N = mean) for N Poisson with that integer mean, >= 1."""
    with precision(bits):
        rate = flint.arb(mean)
        return (-rate).exp() * rate**mean / flint.arb.fac_ui(mean)


def _fmpq_ball(x: Fraction) -> Ball:
    return flint.arb(flint.fmpq(x.numerator, x.denominator))


# ---- for the reference objects


def matrix_of_balls(rows: Sequence[Sequence[Ball]]) -> BallMatrix:
    """Put (n, k) balls into a ball matrix."""
    return flint.arb_mat([list(row) for row in rows])


def ball_inverse(M: BallMatrix, bits: int) -> BallMatrix:
    """Enclose the inverses of all matrices inside an (n, n) ball matrix.

    Raises
    ------
    Undetermined : the balls are too wide to prove that all of them are invertible
    """
    with precision(bits):
        try:
            return M.inv()
        except ZeroDivisionError as singular:
            raise Undetermined(f"ball_inverse: not proven invertible at {bits} bits") from singular


# ---- for integrals


def integral(formula: Callable[[Ball], Ball], lower: Exact, upper: Exact, bits: int = 128) -> Interval:
    """Enclose the integral of an entire function that is real on the real line.

    Parameters
    ----------
    formula : complex ball to complex ball, holomorphic in the whole plane
    lower, upper : exact ends of the range
    bits : working precision

    Raises
    ------
    ArithmeticError : no finite enclosure was found
    """
    with precision(bits):
        ends = [flint.acb(_fmpq_ball(exact(x))) for x in (lower, upper)]
        return interval(flint.acb.integral(lambda z, _: formula(z), *ends).real)
