"""The door to exact and enclosed numbers: each function against an independent route, and each refusal."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import arithmetic as ar

fractions = st.fractions(min_value=-100, max_value=100, max_denominator=1000)
small = st.integers(-5, 5)


def square(n_max: int = 4) -> st.SearchStrategy[list[list[int]]]:
    return st.integers(1, n_max).flatmap(
        lambda n: st.lists(st.lists(small, min_size=n, max_size=n), min_size=n, max_size=n)
    )


def brackets(interval: ar.Interval, value: mpmath.mpf) -> bool:
    lower, upper = interval
    with mpmath.workdps(80):
        ends = [mpmath.mpf(x.numerator) / x.denominator for x in (lower, upper)]
        return ends[0] <= value <= ends[1] and ends[1] - ends[0] < mpmath.mpf(2) ** -100 * max(1, abs(value))


# ------------------------------------------------------------------------------------------- exact numbers


@pytest.mark.parametrize(
    ("given_number", "value"),
    [
        (3, Fraction(3)),
        (Fraction(1, 3), Fraction(1, 3)),
        (0.1, Fraction(3602879701896397, 36028797018963968)),
        (np.int8(-7), Fraction(-7)),
        (np.uint64(2**64 - 1), Fraction(2**64 - 1)),
        (np.float64(0.5), Fraction(1, 2)),
        (np.float32(0.1), Fraction(13421773, 134217728)),
        (np.float16(0.5), Fraction(1, 2)),
        (5e-324, Fraction(1, 2**1074)),
    ],
)
def test_exact_takes_a_number_at_its_value(given_number: ar.Exact, value: Fraction) -> None:
    assert ar.exact(given_number) == value


@pytest.mark.parametrize("bad", [True, np.bool_(0), "1", None, 1j, np.longdouble(1), np.array([1.0, 2.0])])
def test_exact_refuses_other_types(bad: object) -> None:
    with pytest.raises(TypeError, match="exact: x must be an int, a Fraction or a float, got"):
        ar.exact(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_exact_refuses_what_is_not_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="x must be finite, got x = "):
        ar.exact(bad)


@given(square(), st.data())
def test_rational_linear_algebra(rows: list[list[int]], data: st.DataObject) -> None:
    n = len(rows)
    A = [[Fraction(x, 3) for x in row] for row in rows]
    v = data.draw(st.lists(fractions, min_size=n, max_size=n))
    form = sum((v[i] * A[i][j] * v[j] for i in range(n) for j in range(n)), Fraction(0))
    assert ar.quadratic_form(A, v) == form
    assert ar.rational_trace(A) == sum(A[i][i] for i in range(n))
    assert ar.fractions_of(ar.rational_matrix(A)) == A
    identity = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    if ar.rational_matrix(A).det() == 0:
        with pytest.raises(ZeroDivisionError):
            ar.rational_inverse(A)
        with pytest.raises(ZeroDivisionError):
            ar.rational_solve(A, identity)
    else:
        assert ar.rational_product(A, ar.rational_inverse(A)) == identity
        assert ar.rational_product(A, ar.rational_solve(A, [[x] for x in v])) == [[x] for x in v]


def test_quadratic_form_of_floats_is_exact() -> None:
    M = [[1e308, 1.0], [1.0, -1e-308]]
    v = [5e-324, 1e300]
    expected = Fraction(1e308) * Fraction(5e-324) ** 2 + 2 * Fraction(5e-324) * Fraction(1e300)
    assert ar.quadratic_form(M, v) == expected - Fraction(1e-308) * Fraction(1e300) ** 2


def psd_by_minors(A: list[list[Fraction]]) -> bool:
    """Every principal minor is >= 0: the definition's oldest criterion, by Leibniz' formula."""
    for size in range(1, len(A) + 1):
        for chosen in itertools.combinations(range(len(A)), size):
            det = Fraction(0)
            for order in itertools.permutations(range(size)):
                sign = (-1) ** sum(a > b for a, b in itertools.combinations(order, 2))
                det += sign * math.prod((A[chosen[i]][chosen[order[i]]] for i in range(size)), start=Fraction(1))
            if det < 0:
                return False
    return True


@given(square(), st.integers(-2, 8), st.booleans())
def test_psd_decision_against_principal_minors(rows: list[list[int]], ridge: int, gram: bool) -> None:
    n = len(rows)
    if gram:  # rank deficient often, so that the boundary itself is met
        A = [[Fraction(sum(a * b for a, b in zip(x[:2], z[:2], strict=True))) for z in rows] for x in rows]
    else:
        A = [[Fraction(rows[i][j] + rows[j][i], 7) for j in range(n)] for i in range(n)]
        for i in range(n):
            A[i][i] += ridge
    assert ar.is_positive_semidefinite(A) == psd_by_minors(A)


@pytest.mark.parametrize("bad", [[], [[1, 2]], [[1, 2], [3, 1]]])
def test_psd_decision_needs_a_symmetric_matrix(bad: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="M must be symmetric, n >= 1"):
        ar.is_positive_semidefinite(bad)


# --------------------------------------------------------------------------------------------------- balls


def test_precision_is_restored_even_after_an_error() -> None:
    before = flint.ctx.prec

    def fails() -> None:
        with ar.precision(999):
            assert flint.ctx.prec == 999
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert flint.ctx.prec == before


def test_precision_needs_bits() -> None:
    with pytest.raises(ValueError, match="bits must be at least 2, got bits = 1"), ar.precision(1):
        pass


@given(fractions, fractions, st.integers(2, 300))
def test_ball_covers_what_it_was_given(a: Fraction, b: Fraction, bits: int) -> None:
    lower, upper = ar.interval(ar.ball(a, bits))
    assert lower <= a <= upper
    lower, upper = ar.interval(ar.ball((min(a, b), max(a, b)), bits))
    assert lower <= min(a, b) <= max(a, b) <= upper


def test_interval_refuses_the_unbounded() -> None:
    with pytest.raises(ArithmeticError, match="the ball is not finite"):
        ar.log((Fraction(-1), Fraction(1)))


@given(st.fractions(min_value=Fraction(1, 50), max_value=20, max_denominator=500))
def test_enclosures_bracket_mpmath(x: Fraction) -> None:
    with mpmath.workdps(80):
        t = mpmath.mpf(x.numerator) / x.denominator
        assert brackets(ar.log(x), mpmath.log(t))
        assert brackets(ar.sqrt(x), mpmath.sqrt(t))
        assert brackets(ar.erf(x), mpmath.erf(t))
        assert brackets(ar.acos(x / 20), mpmath.acos(t / 20))
        assert brackets(ar.atan2(-x, Fraction(-2)), mpmath.atan2(-t, -2))
        assert brackets(ar.exp(-x), mpmath.exp(-t))
        assert brackets(ar.pi(), +mpmath.pi)
        assert brackets(ar.enclose(lambda a, b: 3 * a * (16 * b).log(), x, 2), 3 * t * mpmath.log(32))


def test_enclosure_of_an_interval_covers_its_ends() -> None:
    lower, upper = ar.exp((Fraction(1), Fraction(2)))
    assert lower <= ar.exp(1)[0] < ar.exp(2)[1] <= upper


def test_enclosures_tighten_with_bits() -> None:
    widths = [upper - lower for lower, upper in (ar.log(2, bits) for bits in (64, 128, 256))]
    assert widths[0] > 2**60 * widths[1] > 2**120 * widths[2] > 0


def test_ceiling() -> None:
    third = Fraction(1, 3)
    assert ar.ceiling(third, 2 * third) == 1
    assert ar.ceiling(Fraction(-5, 2), Fraction(-2)) == -2
    assert ar.ceiling(Fraction(3), Fraction(3)) == 3
    with pytest.raises(ar.Undetermined, match="ceiling: 1 or 2"):
        ar.ceiling(2 * third, 4 * third)


# ------------------------------------------------------------------------------------------- ball matrices


def test_ball_matrix_covers_middle_and_radius() -> None:
    B = ar.ball_matrix([[Fraction(1, 3), 0.1]], [[Fraction(1, 7), 0]], bits=64)
    lower, upper = ar.interval(B[0, 0])
    assert lower <= Fraction(1, 3) - Fraction(1, 7) < Fraction(1, 3) + Fraction(1, 7) <= upper
    assert upper - lower < Fraction(2, 7) + Fraction(1, 2**28)  # radii have 30 bits
    lower, upper = ar.interval(B[0, 1])
    assert lower <= Fraction(0.1) <= upper


@given(square(), st.integers(0, 30), st.integers(0, 4))
def test_ball_definiteness_is_never_wrong(rows: list[list[int]], ridge: int, noise: int) -> None:
    n = len(rows)
    A = [[Fraction(rows[i][j] + rows[j][i] + ridge * (i == j), 3) for j in range(n)] for i in range(n)]
    radius = [[Fraction(noise, 100)] * n for _ in range(n)]
    sign, v = ar.ball_definiteness(ar.ball_matrix(A, radius, bits=128), 128)
    if sign > 0:
        assert psd_by_minors(A)
        for signs in itertools.product((-1, 1), repeat=n):
            corner = [
                [A[i][j] - signs[i] * signs[j] * radius[i][j] for j in range(n)] for i in range(n)
            ]  # the matrices in the ball that are least definite, Rohn 1994
            assert psd_by_minors(corner)
    elif sign < 0:
        assert not psd_by_minors(A)
        assert len(v) == n
        assert max(map(abs, v)) == 1
        assert ar.quadratic_form(A, v) < 0
    else:
        assert v == []
        if noise == 0:  # exact data is undecided only where it is not positive definite
            assert not psd_by_minors([[x - Fraction(i == j, 10**30) for j, x in enumerate(r)] for i, r in enumerate(A)])


def test_ball_definiteness_gives_up_on_singular_matrices() -> None:
    assert ar.ball_definiteness(ar.ball_matrix([[1, 1], [1, 1]], bits=4096), 4096) == (0, [])


# ------------------------------------------------------------------------------------------- series, digits


@given(st.lists(st.lists(fractions, min_size=1, max_size=5), max_size=4), st.integers(1, 6))
def test_ball_series_product(factors: list[list[Fraction]], length: int) -> None:
    expected = [Fraction(1)] + [Fraction(0)] * (length - 1)
    for f in factors:
        expected = [
            sum((expected[i] * f[k - i] for i in range(k + 1) if k - i < len(f)), Fraction(0)) for k in range(length)
        ]
    as_balls = [[ar.ball(x, 128) for x in f] for f in factors]
    for given_factors in (factors, as_balls):
        product = ar.ball_series_product(given_factors, length, 128)
        assert len(product) == length
        for computed, truth in zip(product, expected, strict=True):
            lower, upper = ar.interval(computed)
            assert lower <= truth <= upper


def test_ball_series_product_needs_a_length() -> None:
    with pytest.raises(ValueError, match="length must be at least 1, got length = 0"):
        ar.ball_series_product([[1]], 0, 64)


def test_reference_quad() -> None:
    value = ar.reference_quad(lambda x: mpmath.exp(-x * x), [-math.inf, Fraction(1, 2), math.inf], 50)
    with mpmath.workdps(50):
        assert abs(value - mpmath.sqrt(mpmath.pi)) < mpmath.mpf(10) ** -45
