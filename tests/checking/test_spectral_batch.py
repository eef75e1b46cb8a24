"""The powers of one product prove what they claim and no more: against exact rationals, stage by stage."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theorems.checking import spectral_batch
from theorems.checking.calibration_matrices import is_psd_by_elimination
from theorems.checking.loewner import spectral_sides
from theorems.checking.spectral_batch import _by_cholesky, _by_powers, _Inverse, _Target, decide_spectral_batch
from theorems.checking.verified_cholesky import decide_psd_batch
from theorems.statement import Answer

Floats = np.ndarray[Any, Any]
Rows = list[list[Fraction]]
IN, OUT, UNSURE = Answer.IN, Answer.OUT, Answer.UNSURE
seeds = st.integers(0, 2**64 - 1)


def rows(M: Floats) -> Rows:
    return [[Fraction(x) for x in row] for row in M.tolist()]


def plus(left: Rows, right: Rows, factor: Fraction) -> Rows:
    return [[x + factor * y for x, y in zip(*pair, strict=True)] for pair in zip(left, right, strict=True)]


def times(left: Rows, right: Rows) -> Rows:
    columns = list(zip(*right, strict=True))
    return [[sum((x * y for x, y in zip(row, c, strict=True)), Fraction(0)) for c in columns] for row in left]


def identity(n: int) -> Rows:
    return rows(np.eye(n))


def symmetric(rng: np.random.Generator, *shape: int) -> Floats:
    X = rng.standard_normal((*shape, shape[-1]))
    return np.asarray((X + np.swapaxes(X, -1, -2)) / 2)


def kernel(rng: np.random.Generator, n: int, grading: int) -> Floats:
    X = rng.standard_normal((n, n)) * np.ldexp(1.0, -rng.integers(0, grading + 1, size=n))
    K = X @ X.T
    return np.asarray((K + K.T) / 2)


def by_powers(K: Floats, Kt: Floats, lam: Any, eps: Any, *, K_radius: float = 0.0, radius: float = 0.0) -> list[int]:
    target = _Target.around(K, K_radius, float(lam), float(eps))
    inverse = _Inverse.of(target)
    assert inverse is not None
    D = Kt - K
    return [int(x) for x in _by_powers(D, np.full(len(D), radius), target, inverse, np.empty_like(D))]


@given(seeds, st.sampled_from([Fraction(1, 10), Fraction(3, 10), Fraction(9, 10)]), st.sampled_from([0, 4, 12]))
@settings(max_examples=60, deadline=None)
def test_powers_are_never_wrong_around_the_line(seed: int, eps: Fraction, grading: int) -> None:
    rng = np.random.default_rng(seed)
    n, lam = int(rng.integers(1, 6)), 2.0 ** -int(rng.integers(0, 12))
    K = kernel(rng, n, grading)
    root = np.linalg.cholesky(K + lam * np.eye(n))
    G = symmetric(rng, 5, n)
    G /= np.abs(np.linalg.eigvalsh(G)).max(axis=1)[:, None, None]
    G *= float(eps) * (1 + np.array([-1e-2, -1e-9, 0.0, 1e-9, 1e-2])[:, None, None])
    D = root @ G @ root.T
    Kt = K + (D + D.transpose(0, 2, 1)) / 2
    for matrix, answer in zip(Kt, by_powers(K, Kt, lam, eps), strict=True):
        truth = IN if all(is_psd_by_elimination(side) for side in spectral_sides(K, matrix, lam, eps)) else OUT
        assert answer in (truth, UNSURE)


@given(st.integers(1, 2**30), st.integers(1, 2**30), st.integers(1, 2**20), st.booleans())
@settings(deadline=None)
def test_on_numbers_the_powers_are_sharp(k: int, d: int, ridge: int, upper: bool) -> None:
    """n = 1: eps* = |d| / (k + lam), and every power gives it back; d is kept below the rest."""
    K, lam = np.array([[float(k)]]), Fraction(ridge, 2**10)
    d = d % k
    Kt = np.array([[[float(k + d if upper else k - d)]]])
    line = Fraction(d) / (k + lam)
    for step in (Fraction(1, 2**45), Fraction(1, 2**30)):
        assert by_powers(K, Kt, lam, line * (1 - step)) != [IN] or line == 0
        assert by_powers(K, Kt, lam, line * (1 + step)) != [OUT]
    if line:
        assert by_powers(K, Kt, lam, line * (1 - Fraction(1, 2**30))) == [OUT]
        assert by_powers(K, Kt, lam, line * (1 + Fraction(1, 2**30))) == [IN]


def test_what_rounding_hides_is_paid_for() -> None:
    """D = (A z)(A z)^T / 2^q: eps* = z^T A z / 2^q is known exactly, while products with A^-1 lose ten digits."""
    rng = np.random.default_rng(11)
    least = 0
    for _ in range(150):
        n = int(rng.integers(2, 6))
        B = np.tril(rng.integers(-9, 10, size=(n, n)), -1) + np.eye(n, dtype=np.int64)
        A = B * 4 ** rng.integers(0, 10, size=n) @ B.T
        z = rng.integers(-9, 10, size=n)
        image = A @ z
        line = Fraction(int(z @ image), 2**44)
        if not 0 < line < 1 or np.abs(image).max() >= 2**26:
            continue
        K = (A - np.eye(n, dtype=np.int64)).astype(float)
        D = np.outer(image, image) / 2.0**44
        Kt = np.stack([K + D, K - D])
        if (Kt - K != np.stack([D, -D])).any():
            continue
        least += 1
        for step in range(20, 56, 3):
            found = by_powers(K, Kt, 1, line * (1 - Fraction(1, 2**step)))
            assert IN not in found
            assert OUT not in by_powers(K, Kt, 1, line * (1 + Fraction(1, 2**step)))
    assert least > 40


@pytest.mark.parametrize("power", [2, 4, 8, 16])
def test_each_power_decides_up_to_its_norm(monkeypatch: pytest.MonkeyPatch, power: int) -> None:
    """A = I and D = s diag(+-1): (tr D^2k)^(1/2k) = s n^(1/2k)."""
    n, eps, lam = 16, Fraction(1, 4), Fraction(1, 4)
    K, signs = np.eye(n) * 0.75, np.diag(np.where(np.arange(n) % 3 == 0, -1.0, 1.0))
    monkeypatch.setattr(spectral_batch, "ROOTS", tuple(2.0**-k for k in range(1, power.bit_length())))
    line = float(eps) / n ** (1 / power)
    Kt = np.stack([K + s * line * signs for s in (1 - 1e-9, 1 + 1e-9)])
    assert by_powers(K, Kt, lam, eps) == [IN, UNSURE]


def test_lanes_decided_early_do_not_move_the_others() -> None:
    K, lam, eps = 0.75 * np.eye(4), Fraction(1, 4), Fraction(1, 4)
    sizes = [0.3, 0.1, 0.2, 0.249, 0.0, 0.4, -0.24, -0.26]
    Kt = np.stack([K + s * np.diag([1.0, 0.5, 0.0, 0.0]) for s in sizes])
    expected = [IN if abs(s) < 0.25 else OUT for s in sizes]
    assert by_powers(K, Kt, lam, eps) == expected
    assert [by_powers(K, Kt[i : i + 1], lam, eps) for i in range(len(Kt))] == [[e] for e in expected]


def test_what_is_clear_never_reaches_cholesky(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Any:
        raise AssertionError

    monkeypatch.setattr(spectral_batch, "_by_cholesky", refuse)
    rng = np.random.default_rng(7)
    K = kernel(rng, 24, 3)
    root = np.linalg.cholesky(K + 0.125 * np.eye(24))
    G = symmetric(rng, 60, 24)
    G /= np.abs(np.linalg.eigvalsh(G)).max(axis=1)[:, None, None]
    D = root @ (G * np.repeat([0.1, 0.8], 30)[:, None, None]) @ root.T
    answers = decide_spectral_batch(K, 0.0, K + (D + D.transpose(0, 2, 1)) / 2, 0.0, 0.125, Fraction(3, 10))
    assert answers.tolist() == [IN] * 30 + [OUT] * 30


@given(seeds, st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_powers_and_cholesky_agree(seed: int, grading: int) -> None:
    rng = np.random.default_rng(seed)
    n, eps, lam = int(rng.integers(1, 9)), 0.25, 2.0**-10
    K = kernel(rng, n, grading)
    Kt = K + symmetric(rng, 40, n) * np.ldexp(1.0, -rng.integers(3, 20, size=(40, 1, 1)))
    target = _Target.around(K, 0.0, lam, eps)
    alone = _by_cholesky(Kt - K, np.zeros(40), target)
    together = decide_spectral_batch(K, 0.0, Kt, 0.0, lam, eps)
    sides = (Kt - (1 - eps) * K + eps * lam * np.eye(n), (1 + eps) * K - Kt + eps * lam * np.eye(n))
    bare = np.maximum(*(decide_psd_batch((M + M.transpose(0, 2, 1)) / 2) for M in sides))
    for first, second in ((alone, together), (bare, together)):
        assert not ((first == IN) & (second == OUT)).any()
    assert not ((alone == OUT) & (together == IN)).any()
    assert (together[alone != UNSURE] == alone[alone != UNSURE]).all()  # powers take nothing away


@given(seeds, st.integers(0, 24), st.integers(-40, 0))
@settings(max_examples=60, deadline=None)
def test_the_inverse_is_proven(seed: int, grading: int, place: int) -> None:
    """P >= (1 - tau) A^-1 for the true A, that is A P A >= (1 - tau) A; the truth may be off by the radius of K."""
    rng = np.random.default_rng(seed)
    n, lam = int(rng.integers(1, 5)), Fraction(3) * Fraction(2) ** place / 7
    K = kernel(rng, n, grading)
    K_radius = float(rng.choice([0.0, 2.0 ** (place - 3), 4.0**place]))
    inverse = _Inverse.of(_Target.around(K, K_radius, float(lam), 0.5))
    if inverse is None:
        return
    assert 0 <= inverse.tau < 1
    assert inverse.size >= np.linalg.norm(inverse.P) * (1 - 1e-12)
    P = rows(inverse.P)
    assert [list(column) for column in zip(*P, strict=True)] == P
    for shift in (-1, 0, 1):
        A = plus(rows(K), identity(n), lam + shift * Fraction(K_radius))
        product = times(A, P)
        APA = times(product, A)
        assert sum(x * x for row in plus(product, identity(n), Fraction(-1)) for x in row) <= Fraction(inverse.tau) ** 2
        assert is_psd_by_elimination(A)
        assert is_psd_by_elimination(plus(APA, A, -(1 - Fraction(inverse.tau))))


def test_no_inverse_where_none_can_be_proven() -> None:
    singular = np.ones((2, 2))
    assert _Inverse.of(_Target.around(singular, 0.0, 2.0**-52, 0.5)) is None  # A > 0 is not proven
    assert _Inverse.of(_Target.around(-np.eye(2), 0.0, 0.5, 0.5)) is None
    assert _Inverse.of(_Target.around(np.eye(2), 2.0, 0.5, 0.5)) is None  # the radius reaches zero
    assert _Inverse.of(_Target.around(np.eye(2), 0.0, 0.5, 0.5)) is not None
    assert _Inverse.of(_Target.around(0.5 * np.eye(4), 0.6, 0.5, 0.5)) is None  # A > 0, but tau = 0.6 ||I||_F


def test_a_negative_matrix_has_a_good_inverse_and_proves_nothing() -> None:
    """Without A > 0 the bound on |D P| means nothing: here A = -I/2 and even Kt = K is outside."""
    K = -np.eye(2)
    assert decide_spectral_batch(K, 0.0, K[None], 0.0, 0.5, Fraction(1, 2)).tolist() == [OUT]


@given(seeds, st.sampled_from([1.0, -1.0]), st.integers(-3, 3))
@settings(max_examples=80, deadline=None)
def test_a_side_is_within_its_radius(seed: int, sign: float, place: int) -> None:
    """For the extreme K and Kt within their radii, along the identity, and every rounding on the way."""
    rng = np.random.default_rng(seed)
    n, lam, eps = (
        int(rng.integers(1, 5)),
        Fraction(int(rng.integers(1, 99)), 97),
        Fraction(int(rng.integers(1, 99)), 99),
    )
    K, Kt = symmetric(rng, n), symmetric(rng, n) * 10.0**place
    K_radius, Kt_radius = (float(rng.choice([0.0, 1e-17, 0.1])) for _ in range(2))
    target = _Target.around(K, K_radius, float(lam), float(eps))
    [M], [radius] = target.side((Kt - K)[None], np.array([Kt_radius]), sign)
    for from_K in (-1, 0, 1):
        for from_Kt in (-1, 0, 1):
            true_K = plus(rows(K), identity(n), from_K * Fraction(K_radius))
            true_Kt = plus(rows(Kt), identity(n), from_Kt * Fraction(Kt_radius))
            side = plus(plus(true_Kt, true_K, Fraction(-1)), identity(n), Fraction(0))
            truth = plus([[Fraction(sign) * x for x in row] for row in side], plus(true_K, identity(n), lam), eps)
            off = plus(truth, rows(M), Fraction(-1))
            for one in (1, -1):  # -radius I <= truth - M <= radius I
                assert is_psd_by_elimination(
                    plus([[one * x for x in row] for row in off], identity(n), Fraction(float(radius)))
                )


def test_signs_may_differ_by_lane() -> None:
    target = _Target.around(np.eye(2), 0.25, 1.0, 0.5)
    D = np.stack([np.eye(2), np.eye(2)])
    M, radius = target.side(D, np.zeros(2), np.array([1.0, -1.0]))
    assert M[:, 0, 0].tolist() == [2.0, 0.0]
    assert radius == pytest.approx([0.125, 0.375])  # |eps - sign| K_radius


def test_radii_are_paid_for_on_the_way_out_too() -> None:
    """D = 0.5 A against eps = 0.25: the form alone is refuted; a radius of 0.3 could take it back, 0.2 could not."""
    K, lam = 0.75 * np.eye(2), Fraction(1, 4)
    Kt = (K + 0.5 * np.eye(2))[None]
    for bounds, answer in (((0.0, 0.2), OUT), ((0.0, 0.3), UNSURE), ((0.15, 0.0), OUT), ((0.21, 0.0), UNSURE)):
        K_radius, radius = bounds
        assert by_powers(K, Kt, lam, Fraction(1, 4), K_radius=K_radius, radius=radius) == [answer]


def test_a_batch_in_many_blocks_and_far_from_one(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    K = kernel(rng, 5, 2)
    Kt = K + symmetric(rng, 90, 5) * np.ldexp(1.0, -rng.integers(3, 14, size=(90, 1, 1)))
    whole = decide_spectral_batch(K, 0.0, Kt, 0.0, 0.25, Fraction(1, 4))
    assert set(whole.tolist()) == {IN, OUT}
    for scale in (2.0**-900, 2.0**900):
        scaled = decide_spectral_batch(scale * K, 0.0, scale * Kt, 0.0, scale / 4, Fraction(1, 4))
        assert scaled.tolist() == whole.tolist()
    monkeypatch.setattr(spectral_batch, "CACHED_ENTRIES", 100)
    assert decide_spectral_batch(K, 0.0, Kt, 0.0, 0.25, Fraction(1, 4)).tolist() == whole.tolist()


def test_lanes_that_overflow_are_not_proven_and_stay_silent() -> None:
    """K and lam of 2^-480 beside a Kt of 1: products of 2^480 overflow when squared."""
    tiny = 2.0**-480
    K = tiny * np.eye(2)
    Kt = np.stack([K, np.eye(2), -np.eye(2), K * 1.125])
    answers = decide_spectral_batch(K, 0.0, Kt, 0.0, tiny, Fraction(1, 4))
    assert answers.tolist() == [IN, OUT, OUT, IN]
    assert decide_spectral_batch(K, 0.0, Kt, np.full(4, 1e308), tiny, Fraction(1, 4)).tolist() == [UNSURE] * 4


def test_input_is_never_written() -> None:
    rng = np.random.default_rng(1)
    K = kernel(rng, 3, 1)
    Kt = np.stack([K, 2 * K, K])
    for M in (K, Kt):
        M.setflags(write=False)
    expected = [IN, OUT, IN]
    assert decide_spectral_batch(K, 0.0, Kt, 0.0, 0.5, Fraction(1, 4)).tolist() == expected
    lanes_last = np.asfortranarray(Kt)
    assert decide_spectral_batch(np.asfortranarray(K), 0.0, lanes_last, 0.0, 0.5, Fraction(1, 4)).tolist() == expected
    assert decide_spectral_batch(K, 0.0, Kt[::-1, ::-1, ::-1], 0.0, 0.5, Fraction(1, 4)).tolist()[1] == OUT


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**-80, 1.0, 2.0**30, 2.0**900])
def test_radii_are_scaled_with_the_matrices(scale: float) -> None:
    """The margins are 1/4 (1 + 2^-9), less Kt_radius and 5/4 K_radius."""
    K = scale * np.eye(2)
    for K_radius, radii in ((0.0, (0.24, 0.26)), (0.1, (0.12, 0.13)), (0.19, (0.0, 0.02))):
        answers = decide_spectral_batch(
            K, scale * K_radius, np.stack([K, K]), scale * np.array(radii), scale / 2**9, Fraction(1, 4)
        )
        assert answers.tolist() == [IN, UNSURE]


def test_on_a_line_cholesky_hides_no_broken_side() -> None:
    """One side is 0 in one place, which nothing proves; the other is -8 in the other place, in either order."""
    target = _Target.around(np.eye(2), 0.0, 1.0, 0.5)
    D = np.stack([np.diag([9.0, -1.0]), np.diag([-9.0, 1.0]), np.diag([1.0, 0.0])])
    assert _by_cholesky(D, np.zeros(3), target).tolist() == [OUT, OUT, UNSURE]


# ----------------------------------------------------- every term of the bounds, with rounding made large enough to see

UNIT, UNDERFLOW, OUTWARD = 2.0**-9, 2.0**-8, 1 + 2.0**-7
A3 = np.array([[2.0, -0.5, 0.25], [-0.5, 1.5, 0.0], [0.25, 0.0, -3.0]])
D3 = np.array([[1.0, 0.125, 0.5], [0.125, -2.0, 0.75], [0.5, 0.75, 1.5]])
P3 = np.array([[1.25, -0.25, 0.0], [-0.25, 1.0, 0.125], [0.0, 0.125, 1.5]])


def gamma(k: int) -> float:
    return k * 2.0**-11


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("UNIT", UNIT), ("UNDERFLOW", UNDERFLOW), ("OUTWARD", OUTWARD), ("gamma", gamma)):
        monkeypatch.setattr(spectral_batch, name, value)


def norm(M: Floats) -> float:
    return math.sqrt(sum(x * x for x in M.flat) + UNDERFLOW**2)


@pytest.mark.usefixtures("coarse")
def test_the_rounding_of_the_ridge_term_by_term() -> None:
    target = _Target.around(A3, 0.125, 0.75, 0.5)
    assert np.array_equal(target.A, A3 + 0.75 * np.eye(3))
    assert target.rounding == pytest.approx(2 * UNIT * (0.75 + 2.75) + UNDERFLOW, rel=1e-12)


@pytest.mark.parametrize(
    ("k", "lam"),
    [
        (0.0, Fraction(3, 2**1075)),  # the ridge underflows
        (-1 / 3, Fraction(1, 3)),  # only the rounding of the ridge is left
        (1.0, Fraction(1, 2**54)),  # the ridge is lost beside K
        (-1.0, Fraction(1, 2**54) + Fraction(1, 2**60)),
    ],
)
def test_a_ridge_is_off_by_no_more_than_said(k: float, lam: Fraction) -> None:
    target = _Target.around(np.diag([k, 0.0]), 0.0, float(lam), 0.5)
    assert 0 < abs(Fraction(float(target.A[0, 0])) - Fraction(k) - lam) <= Fraction(target.rounding)


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_radius_of_a_side_term_by_term(sign: float) -> None:
    target = _Target(A=A3, K_radius=0.25, rounding=0.375, eps=0.3)
    radii = np.array([0.0, 0.5])
    M, found = target.side(np.stack([D3, P3]), radii, sign)
    for D, side, own, radius in zip((D3, P3), M, radii, found, strict=True):
        assert side == pytest.approx(0.3 * A3 + sign * D)
        entries = 3 * 0.3 * math.sqrt((A3 * A3).sum()) + 2 * (norm(side) + norm(D))
        moved = (abs(0.3 - sign) + 2 * UNIT) * 0.25 + 0.3 * 0.375
        assert radius == pytest.approx((own + moved + UNIT * entries + UNDERFLOW) * OUTWARD, rel=1e-12)


def test_three_roundings_of_a_side_at_once_are_within_its_radius() -> None:
    """eps, eps A and D are each rounded by half a unit, the same way in every entry: an error of rank one."""
    n, unit = 8, Fraction(1, 2**53)
    rng = np.random.default_rng(5)
    ones, worst = np.ones((n, n)), Fraction(0)
    for _ in range(2000):
        eps = Fraction(17, 32) + Fraction(int(rng.integers(1, 2**60)), 2**66)
        k = 1 + int(rng.integers(1, 2**46)) * 2.0**-52
        kt = k - float(eps) * k - int(rng.integers(1, 99)) * 2.0**-54
        target = _Target.around(k * ones, 0.0, 2.0**-80, float(eps))
        [M], [radius] = target.side(((kt - k) * ones)[None], np.zeros(1), 1.0)
        entry = abs(eps * Fraction(k) + Fraction(kt) - Fraction(k) - Fraction(float(M[0, 1])))
        worst = max(worst, entry)
        assert n * entry <= Fraction(float(radius))
    assert worst > Fraction(9, 8) * unit  # more than is left without the rounding of eps A


@pytest.mark.usefixtures("coarse")
def test_the_bound_on_an_inverse_term_by_term(monkeypatch: pytest.MonkeyPatch) -> None:
    A = A3 * [1, 1, -1]
    A[2, 0] = 0.25  # positive definite
    A[0, 2] = 0.25
    poor = np.linalg.inv(A).round(2) + 0.001 * np.triu(np.ones((3, 3)))
    monkeypatch.setattr(np.linalg, "inv", lambda _: poor)
    inverse = _Inverse.of(_Target(A=A, K_radius=0.03125, rounding=0.0625, eps=0.5))
    assert inverse is not None
    P = (poor + poor.T) / 2
    assert np.array_equal(inverse.P, P)
    assert inverse.size == pytest.approx(math.sqrt((P * P).sum()), rel=1e-12)
    residual, product = math.sqrt(((A @ P - np.eye(3)) ** 2).sum()), 2 * gamma(6) * math.sqrt((A * A).sum())
    expected = (residual + (product + 0.03125 + 0.0625) * inverse.size) * (1 + 2 * gamma(12))
    assert inverse.tau == pytest.approx(expected, rel=1e-12)


def least_accuracy(D: Floats, radius: float, target: _Target, inverse: _Inverse) -> float:
    """Bisect for the eps from which on the powers prove D."""
    low, high = 0.0, 64.0
    while low < (middle := (low + high) / 2) < high:
        at = replace(target, eps=middle)
        [answer] = _by_powers(D[None], np.array([radius]), at, inverse, np.empty((1, *D.shape)))
        low, high = (low, middle) if answer == IN else (middle, high)
    return high


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("stages", [1, 2, 3])
def test_the_bound_by_powers_term_by_term(monkeypatch: pytest.MonkeyPatch, stages: int) -> None:
    monkeypatch.setattr(spectral_batch, "ROOTS", (1 / 2, 1 / 4, 1 / 8)[:stages])
    inverse = _Inverse(P=P3, size=2.5, tau=0.25)
    short, long = 2 * gamma(3 + 3), 2 * gamma(9 + 3)
    spread = 2.5 * (0.03125 + 0.0625 + 2 * UNIT * norm(D3) + UNDERFLOW) * (1 + long)
    X, eta = D3 @ P3, short * 2.5 * norm(D3) + UNDERFLOW
    bounds = []
    for stage in range(stages):
        x = norm(X)
        off = eta * (2 * x + eta)
        bounds.append((np.trace(X @ X) + off + long * x**2 + UNDERFLOW) ** 0.5 ** (stage + 1) + spread)
        X, eta = X @ X, off + short * x**2 + UNDERFLOW
    assert bounds == sorted(bounds, reverse=True)  # the last one decides
    target = _Target(A=A3, K_radius=0.0625, rounding=0.0, eps=0.5)
    found = least_accuracy(D3, 0.03125, target, inverse)
    assert found == pytest.approx(bounds[-1] * OUTWARD**2 / (1 - 0.25), rel=1e-12)


def test_a_poor_inverse_is_paid_for() -> None:
    """P = 3/4 A^-1 makes every D look a quarter smaller than it is."""
    target = _Target.around(np.array([[1.0]]), 0.0, 1.0, 0.25)
    inverse = _Inverse(P=np.array([[0.375]]), size=0.375, tau=0.25)
    D = np.array([[[0.5 * (1 + s)]] for s in (-1e-9, 1e-9, 0.25)])
    assert _by_powers(D, np.zeros(3), target, inverse, np.empty_like(D)).tolist() == [IN, OUT, OUT]


def test_the_powers_used_go_up_to_the_sixteenth() -> None:
    n, eps, lam = 16, Fraction(1, 4), Fraction(1, 4)
    K, signs = np.eye(n) * 0.75, np.diag(np.where(np.arange(n) % 3 == 0, -1.0, 1.0))
    line = float(eps) / n ** (1 / 16)
    assert by_powers(K, K + (1 - 1e-9) * line * signs[None], lam, eps) == [IN]
