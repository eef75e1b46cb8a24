"""The ladder is never fooled: against independent eliminations, known-nasty inputs, and bad input of every kind."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theorems.checking import loewner, verified_cholesky
from theorems.checking.calibration_matrices import is_psd_by_elimination, loewner_campaign, near_boundary_matrix
from theorems.checking.loewner import (
    Decision,
    decide_psd,
    decide_psd_batch,
    decide_spectral,
    decide_spectral_batch,
    spectral_sides,
)
from theorems.statement import Answer

NASTY = sorted((Path(__file__).parents[1] / "nasty").glob("*.json"))
Rows = list[list[Fraction]]
seeds = st.integers(0, 2**64 - 1)


def inertia_is_psd(M: Rows) -> bool:
    """L D L^T over Fractions with the largest diagonal as pivot; written for the tests alone."""
    A = [list(row) for row in M]
    left = set(range(len(A)))
    while left:
        p = max(left, key=lambda i: A[i][i])
        if A[p][p] <= 0:
            return all(A[i][j] == 0 for i in left for j in left)
        left.remove(p)
        for i, j in itertools.product(left, left):
            A[i][j] -= A[i][p] * A[p][j] / A[p][p]
    return True


def form(M: Rows, v: tuple[float, ...]) -> Fraction:
    f = [Fraction(x) for x in v]
    return sum((a * b * M[i][j] for i, a in enumerate(f) for j, b in enumerate(f)), Fraction(0))


def check(decision: Decision, M: Rows, *, complete: bool = True) -> None:
    truth = inertia_is_psd(M)
    if decision.answer == Answer.UNSURE:
        assert not complete
        assert decision.rung == "precision exhausted"
    else:
        assert decision.answer == (Answer.IN if truth else Answer.OUT)
    if decision.witness is not None:
        assert decision.answer == Answer.OUT
        assert form(M, decision.witness) < 0


def exactly(M: np.ndarray[Any, Any]) -> Rows:
    return [[Fraction(x) for x in row] for row in M.tolist()]


def random_symmetric(rng: np.random.Generator, lanes: int, n: int, ridge: float) -> np.ndarray[Any, Any]:
    X = rng.normal(size=(lanes, n, n))
    return np.asarray((X + X.transpose(0, 2, 1)) / 2 + ridge * np.eye(n))


# --------------------------------------------------------------------------------------------- exact matrices


@given(seeds)
@settings(max_examples=300, deadline=None)
def test_near_the_boundary_the_ladder_agrees_with_elimination(seed: int) -> None:
    M = near_boundary_matrix(np.random.default_rng(seed))
    check(decide_psd(M), M)


@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(st.lists(st.integers(-4, 4), min_size=n, max_size=n), min_size=n, max_size=n)
    ),
    st.integers(-3, 12),
    st.integers(-400, 400),
)
@settings(deadline=None)
@example([[0]], 0, 0)
@example([[1, 1], [1, 1]], 0, 300)
@example([[0, 1], [1, 0]], 0, -300)
def test_small_integer_matrices_at_any_scale(rows: list[list[int]], ridge: int, exponent: int) -> None:
    n = len(rows)
    scale = Fraction(2) ** exponent
    M = [[(rows[i][j] + rows[j][i] + ridge * (i == j)) * scale for j in range(n)] for i in range(n)]
    check(decide_psd(M), M)


@given(seeds, st.integers(-900, 900))
@settings(max_examples=100, deadline=None)
def test_permutation_and_scaling_do_not_matter(seed: int, exponent: int) -> None:
    rng = np.random.default_rng(seed)
    M = near_boundary_matrix(rng)
    order = rng.permutation(len(M)).tolist()
    moved = [[M[i][j] * Fraction(2) ** exponent for j in order] for i in order]
    assert decide_psd(moved).answer == decide_psd(M).answer


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_zero_and_identity(n: int) -> None:
    zero, identity = np.zeros((n, n)), np.eye(n)
    assert decide_psd(zero) == Decision(answer=Answer.IN, rung="characteristic polynomial", bits=0)
    assert decide_psd(identity) == Decision(answer=Answer.IN, rung="shifted Cholesky", bits=53)
    assert decide_psd(-identity).rung == "quadratic form"
    assert decide_psd(-identity).answer == Answer.OUT


def test_a_direction_too_weak_for_floats_is_proven_in_rationals() -> None:
    M = np.array([[1.0, 1.0], [1.0, 1.0 - 2.0**-53]])
    decision = decide_psd(M)
    assert decision.answer == Answer.OUT
    assert decision.rung == "quadratic form"
    assert decision.bits == 0
    assert decision.witness is not None
    assert form(exactly(M), decision.witness) < 0


def test_a_direction_no_eigenvector_routine_finds_is_left_to_the_polynomial() -> None:
    """Graded: the two small terms are below the rounding of the large one, yet (1, -2, 1) is exact."""
    terms = [(Fraction(1), (1, 1, 1)), (Fraction(1, 2**60), (0, 1, 2)), (-Fraction(1, 2**120), (0, 0, 1))]
    M = [[sum((t * x[i] * x[j] for t, x in terms), Fraction(0)) for j in range(3)] for i in range(3)]
    decision = decide_psd(M)
    check(decision, M)
    assert decision.rung == "characteristic polynomial"
    assert decision.witness is not None


def test_a_direction_too_fine_for_floats_has_no_witness() -> None:
    M = [[Fraction(1), Fraction(1, 3)], [Fraction(1, 3), Fraction(1, 9) - Fraction(1, 2**300)]]
    decision = decide_psd(M)
    assert decision == Decision(answer=Answer.OUT, rung="characteristic polynomial", bits=0)


def test_an_indefinite_matrix_without_a_diagonal_has_no_ball_direction() -> None:
    tiny = Fraction(1, 2**200)
    M = [[Fraction(1), Fraction(0), Fraction(0)], [Fraction(0), Fraction(0), tiny], [Fraction(0), tiny, Fraction(0)]]
    check(decide_psd(M), M)


def test_floats_only_when_asked() -> None:
    assert decide_psd(np.zeros((2, 2)), exact=False) == Decision(
        answer=Answer.UNSURE, rung="precision exhausted", bits=53
    )


def test_input_is_never_written() -> None:
    M = np.array([[1.0, 2.0], [2.0, 1.0]])
    M.setflags(write=False)
    for view in (M, np.asfortranarray(M), M[::-1, ::-1], np.tile(M, (2, 2))[::2, ::2], M.astype(">f8")):
        assert decide_psd(view).answer == decide_psd(np.array(view, dtype=np.float64)).answer
    batch = np.broadcast_to(M, (3, 2, 2))
    assert decide_psd_batch(batch).tolist() == [Answer.OUT] * 3


# ---------------------------------------------------------------------------------------- enclosed matrices


@given(seeds, st.integers(0, 8))
@settings(max_examples=150, deadline=None)
def test_a_radius_is_decided_by_its_extremes(seed: int, step: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 5))
    B = rng.integers(-2, 3, size=(n, n))
    M = exactly((B @ B.T).astype(np.float64))
    shift, radius = Fraction(int(rng.integers(-8, 9)), 4), Fraction(step, 4)
    M = [[x + shift * (i == j) for j, x in enumerate(row)] for i, row in enumerate(M)]
    decision = decide_psd(M, radius=radius)
    low, high = (
        inertia_is_psd([[x + r * (i == j) for j, x in enumerate(row)] for i, row in enumerate(M)])
        for r in (-radius, radius)
    )
    assert decision.answer == (Answer.IN if low else Answer.UNSURE if high else Answer.OUT)
    if decision.witness is not None:
        assert form([[x + radius * (i == j) for j, x in enumerate(r)] for i, r in enumerate(M)], decision.witness) < 0


def cos_one(bits: int) -> Fraction:
    """cos(1) below its value by less than 2^-bits: an alternating series cut after a negative term."""
    total, term, k = Fraction(0), Fraction(1), 0
    while term > Fraction(1, 2 ** (bits + 1)) or k % 2:
        total += (-1) ** k * term
        k += 1
        term /= (2 * k - 1) * (2 * k)
    return total


@pytest.mark.parametrize(
    ("offset", "answer", "bits"),
    [
        (Fraction(1, 2**100), Answer.IN, 128),
        (Fraction(1, 2**300), Answer.IN, 512),
        (Fraction(-1, 2**60), Answer.OUT, 128),
        (Fraction(-1, 2**300), Answer.OUT, 512),
        (Fraction(0), Answer.UNSURE, 4096),
    ],
)
def test_balls_decide_what_floats_cannot(offset: Fraction, answer: Answer, bits: int) -> None:
    def refine(at: int) -> tuple[Rows, Rows]:
        c, r = cos_one(at), Fraction(1, 2**at)
        return [[9 * c, 3 * c], [3 * c, c + offset]], [[9 * r, 3 * r], [3 * r, r]]

    middle, _ = refine(60)
    decision = decide_psd(middle, radius=Fraction(1, 2**55), refine=refine)
    assert decision.answer == answer
    assert decision.bits == bits
    assert decision.rung == ("precision exhausted" if answer == Answer.UNSURE else "balls")
    if decision.witness is not None:
        middle, radius = refine(4096)
        assert form(middle, decision.witness) + form(radius, tuple(map(abs, decision.witness))) < 0
    assert (decision.witness is not None) == (offset == Fraction(-1, 2**60))  # 1/3 is no float


def test_a_witness_holds_for_every_matrix_in_the_balls() -> None:
    """-2^-100 + 9 (error of 1/3)^2 < 0 at the middle, but not 2^-100 - 2^-120 higher."""
    gap, zero = Fraction(1, 2**100), Fraction(0)
    middle = [[Fraction(9), Fraction(3)], [Fraction(3), 1 - gap]]
    radius = [[zero, zero], [zero, gap * (1 - Fraction(1, 2**20))]]
    decision = decide_psd(middle, radius=gap, refine=lambda _: (middle, radius))
    assert (decision.answer, decision.rung, decision.bits) == (Answer.OUT, "balls", 128)
    assert decision.witness is None
    assert form(middle, (-1 / 3, 1.0)) < 0 < form(middle, (-1 / 3, 1.0)) + radius[1][1]


@given(seeds, st.integers(-1200, 1200))
@settings(max_examples=60, deadline=None)
def test_rounding_exact_data_is_counted(seed: int, exponent: int) -> None:
    M = [[x * Fraction(2) ** exponent / 3 for x in row] for row in near_boundary_matrix(np.random.default_rng(seed))]
    values, distance = loewner._nearby_floats(M, Fraction(2) ** exponent)
    peak = max(abs(x) for row in M for x in row)
    if peak:
        row, column = next((i, j) for i, r in enumerate(M) for j, x in enumerate(r) if abs(x) == peak)
        scale = Fraction(2) ** round(np.log2(abs(values[row, column])) - float(loewner_log2(peak)))
        error = max(
            sum(abs(scale * x - Fraction(y)) for x, y in zip(*r, strict=True))
            for r in zip(M, values.tolist(), strict=True)
        )
        assert distance == error + scale * Fraction(2) ** exponent
    assert 0.25 <= np.abs(values).max() <= 1 or peak == 0


def loewner_log2(x: Fraction) -> float:
    shift = x.numerator.bit_length() - x.denominator.bit_length()
    return shift + float(np.log2(float(x / Fraction(2) ** shift)))


# ------------------------------------------------------------------------------------------------- complex


@given(seeds, st.sampled_from([-2.0, 0.0, 1.0, 3.0, 6.0]))
@settings(max_examples=60, deadline=None)
def test_hermitian_matrices(seed: int, ridge: float) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    Z = rng.integers(-2, 3, size=(n, n)) + 1j * rng.integers(-2, 3, size=(n, n))
    H = Z + Z.conj().T + ridge * np.eye(n)
    decision = decide_psd(H)
    check(decision, exactly(np.block([[H.real, -H.imag], [H.imag, H.real]])))
    if decision.witness is not None:
        v = np.array(decision.witness[:n]) + 1j * np.array(decision.witness[n:])
        assert (v.conj() @ H @ v).real < 0
    assert decide_psd(H.astype(np.complex64)).answer == decision.answer


def test_the_real_part_alone_would_say_otherwise() -> None:
    H = np.array([[1.0, 2.0j], [-2.0j, 1.0]])
    assert decide_psd(H).answer == Answer.OUT
    assert decide_psd(H.real).answer == Answer.IN


# --------------------------------------------------------------------------------------------------- batches


@given(seeds, st.integers(1, 9), st.integers(1, 40), st.floats(0, 6))
@settings(max_examples=60, deadline=None)
def test_batches_agree_with_single_decisions(seed: int, n: int, lanes: int, ridge: float) -> None:
    rng = np.random.default_rng(seed)
    M = random_symmetric(rng, lanes, n, ridge) * np.ldexp(1.0, rng.integers(-300, 300, size=(lanes, 1, 1)))
    answers = decide_psd_batch(M)
    assert answers.dtype == np.int8
    for matrix, answer in zip(M, answers, strict=True):
        exact = decide_psd(matrix)
        assert answer in (exact.answer, Answer.UNSURE)
        if exact.bits == 53:  # what the float rungs decide alone, they decide in company
            assert answer == exact.answer


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_batches_are_never_wrong_on_the_boundary(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, lanes = int(rng.integers(1, 7)), 16
    B = rng.integers(-3, 4, size=(lanes, n, max(1, n - 1)))
    weights = np.ldexp(1.0, -rng.integers(0, 30, size=(lanes, 1, B.shape[2])))
    M = (B * weights) @ B.transpose(0, 2, 1)  # exact in float64: 5 + 30 bits
    M += np.ldexp(rng.integers(-1, 2, size=(lanes, 1, 1)), -rng.integers(20, 44, size=(lanes, 1, 1))) * np.eye(n)
    for matrix, answer in zip(M, decide_psd_batch(M), strict=True):
        assert answer in (Answer.UNSURE, Answer.IN if inertia_is_psd(exactly(matrix)) else Answer.OUT)


def test_a_radius_per_lane() -> None:
    M = np.broadcast_to(np.diag([1.0, 2.0]), (4, 2, 2))
    answers = decide_psd_batch(M, np.array([0.0, 1 - 1e-9, 1 + 1e-9, 1e308]))
    assert answers.tolist() == [Answer.IN, Answer.IN, Answer.UNSURE, Answer.UNSURE]
    assert decide_psd_batch(-M, np.array([0.0, 2 - 1e-9, 2 + 1e-9, 1e308])).tolist() == [1, 1, 2, 2]
    assert decide_psd_batch(1e-300 * M, 1e300).tolist() == [Answer.UNSURE] * 4
    assert decide_psd_batch(1e-300 * M[:1], 1e300).tolist() == [Answer.UNSURE]


def test_extreme_scales() -> None:
    tiny, huge = 5e-324, 1.7976931348623157e308
    M = np.array(
        [[[tiny, 0], [0, tiny]], [[huge, 0], [0, huge]], [[huge, huge], [huge, -huge]], [[0, tiny], [tiny, 0]]]
    )
    assert decide_psd_batch(M).tolist() == [Answer.IN, Answer.IN, Answer.OUT, Answer.OUT]
    graded = np.array([[[huge, 0.0], [0.0, tiny]]])
    assert decide_psd_batch(graded).tolist() == [Answer.UNSURE]
    assert decide_psd(graded[0]).answer == Answer.IN


def test_the_largest_entry_may_be_negative_and_off_the_diagonal() -> None:
    M = np.array([[[1e-300, -1e300], [-1e300, 1e-300]], [[-1e300, 0.0], [0.0, 1e-300]], -1e300 * np.ones((2, 2))])
    assert decide_psd_batch(M).tolist() == [Answer.OUT] * 3


def test_a_factor_that_is_not_positive_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a LAPACK lets pass."""
    for pivots in ((1.0, math.nan), (math.nan, 1.0), (1.0, 0.0)):
        monkeypatch.setattr(np.linalg, "cholesky", lambda _, pivots=pivots: np.diag(pivots)[None])
        assert decide_psd_batch(np.eye(2)[None]).tolist() == [Answer.UNSURE]


def test_a_tiny_pivot_that_overflows_is_no_proof() -> None:
    M = np.array([[[2.0**-900, 1.0, 0.5], [1.0, 1.0, 0.25], [0.5, 0.25, 1.0]], np.eye(3), -np.eye(3)])
    assert decide_psd_batch(M).tolist() == [Answer.OUT, Answer.IN, Answer.OUT]


@given(seeds, st.integers(2, 7))
@settings(max_examples=40, deadline=None)
def test_a_failing_pivot_hands_over_its_direction(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, size=(30, n, n))
    M = (X + X.transpose(0, 2, 1) + 6 * np.eye(n, dtype=int) + 0.5 * np.eye(n)).astype(np.float64)
    succeeds, v = verified_cholesky._cholesky_across_lanes(M)
    least = np.linalg.eigvalsh(M)[:, 0]
    assert (succeeds == (least > 0))[np.abs(least) > 1e-9].all()
    values = np.einsum("bi,bij,bj->b", v, M, v)
    assert (values[~succeeds & (least < -1e-9)] < 0).all()
    assert (np.abs(v[~succeeds]).max(axis=1) == 1).all()
    assert not v[succeeds].any()


def test_blocks_do_not_change_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    M = random_symmetric(np.random.default_rng(5), 700, 5, 3.0)
    whole = decide_psd_batch(M)
    assert set(whole.tolist()) == {Answer.IN, Answer.OUT}
    monkeypatch.setattr(verified_cholesky, "BLOCK_LANES", 3)
    assert (decide_psd_batch(M) == whole).all()
    monkeypatch.setattr(verified_cholesky, "BLOCK_ENTRIES", 1)
    assert (decide_psd_batch(M) == whole).all()


def test_the_shift_is_what_makes_cholesky_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the Rump shift, rounding alone accepts a matrix that is not positive semidefinite."""
    rng = np.random.default_rng(0)
    X = rng.integers(-9, 10, size=(2000, 4, 2)).astype(np.float64)
    M = X @ X.transpose(0, 2, 1) / 3  # rank 2, then rounded: about half of them are not semidefinite
    truths = [Answer.IN if is_psd_by_elimination(exactly(m)) else Answer.OUT for m in M[:200]]
    assert all(a in (t, Answer.UNSURE) for a, t in zip(decide_psd_batch(M[:200]), truths, strict=True))
    monkeypatch.setattr(verified_cholesky, "UNIT", 0.0)
    poisoned = decide_psd_batch(M[:200])
    assert any(a != t for a, t in zip(poisoned, truths, strict=True) if a != Answer.UNSURE)


# ---------------------------------------------------------------------------------- the spectral inequality


@given(seeds, st.sampled_from([Fraction(1, 4), Fraction(1, 10), Fraction(9, 10)]), st.integers(-20, 20))
@settings(max_examples=60, deadline=None)
def test_spectral_batch_against_exact_sides(seed: int, eps: Fraction, exponent: int) -> None:
    rng = np.random.default_rng(seed)
    n, lanes = int(rng.integers(1, 6)), 6
    X = rng.normal(size=(n, n)) * np.ldexp(1.0, -rng.integers(0, 20, size=n))
    K = X @ X.T
    factors = 1 + float(eps) * rng.uniform(-1.1, 1.1, size=(lanes, 1, n))
    Kt = (X * factors) @ X.T
    K, Kt = (K + K.T) / 2, (Kt + Kt.transpose(0, 2, 1)) / 2
    lam = 2.0**exponent
    for matrix, answer in zip(Kt, decide_spectral_batch(K, 0.0, Kt, 0.0, lam, eps), strict=True):
        sides = spectral_sides(K, matrix, lam, eps)
        truth = Answer.IN if all(inertia_is_psd(side) for side in sides) else Answer.OUT
        assert answer in (truth, Answer.UNSURE)
        single = [decide_spectral(K, matrix, lam, eps, side).answer for side in ("lower", "upper")]
        assert (Answer.OUT in single) == (truth == Answer.OUT)
        assert Answer.UNSURE not in single


def test_spectral_batch_decides_what_is_clear() -> None:
    K = np.diag([1.0, 2.0])
    Kt = np.stack([K, 0.7 * K, 1.4 * K, 0.8 * K, np.diag([0.2, 2.0]), np.diag([1.0, 4.0])])
    answers = decide_spectral_batch(K, 0.0, Kt, 0.0, 2.0**-30, Fraction(1, 4))
    assert answers.tolist() == [Answer.IN, Answer.OUT, Answer.OUT, Answer.IN, Answer.OUT, Answer.OUT]
    assert decide_spectral_batch(K, 0.0, 0 * Kt, 0.0, 2.0**-30, Fraction(1, 4)).tolist() == [Answer.OUT] * 6


def test_spectral_batch_counts_both_radii() -> None:
    K = np.eye(2)
    Kt = np.stack([K] * 4)
    eps = Fraction(1, 4)  # lower margin 1/4 + lam/4, shrunk by Kt_radius + 3/4 K_radius; upper by 5/4 K_radius
    inside = decide_spectral_batch(K, 0.0, Kt, np.array([0.0, 0.24, 0.27, 1.0]), 2.0**-9, eps)
    assert inside.tolist() == [Answer.IN, Answer.IN, Answer.UNSURE, Answer.UNSURE]
    assert decide_spectral_batch(K, 0.19, Kt, 0.0, 2.0**-9, eps).tolist() == [Answer.IN] * 4
    assert decide_spectral_batch(K, 0.21, Kt, 0.0, 2.0**-9, eps).tolist() == [Answer.UNSURE] * 4
    outside = decide_spectral_batch(K, 0.0, 2 * Kt, np.array([0.0, 0.7, 0.8, 9.0]), 2.0**-9, eps)
    assert outside.tolist() == [Answer.OUT, Answer.OUT, Answer.UNSURE, Answer.UNSURE]
    assert decide_spectral_batch(1e-290 * K, 1e-295, 1e-290 * Kt, 1e300, 1e-300, eps).tolist() == [2] * 4


def test_spectral_batch_knows_the_error_of_forming() -> None:
    """n01 and its mirror: the float difference is exactly 0 or of the wrong sign; only UNSURE is honest."""
    lam, eps = float.fromhex("0x1.47ae147ae147bp-7"), Fraction(float.fromhex("0x1.ccccccccccccdp-2"))
    K = np.array([[float.fromhex("0x1.447b84902aa91p+0")]])
    Kt = np.array([[[float.fromhex("0x1.62a0721351be1p-1")]]])
    assert Kt[0, 0, 0] + lam - (1 - float(eps)) * (K[0, 0] + lam) < 0
    assert decide_spectral(K, Kt[0], lam, eps, "lower").answer == Answer.IN
    assert decide_spectral_batch(K, 0.0, Kt, 0.0, lam, eps).tolist() == [Answer.UNSURE]


def test_spectral_batch_at_extreme_scales() -> None:
    K = np.eye(3)
    for scale in (2.0**-1060, 2.0**-500, 2.0**500, 2.0**1022):
        for a, answer in ((1.0, Answer.IN), (0.5, Answer.OUT), (1.5, Answer.OUT)):
            Kt = a * scale * np.eye(3)[None]
            assert decide_spectral_batch(scale * K, 0.0, Kt, 0.0, scale / 16, Fraction(1, 4)).tolist() == [answer]


def test_spectral_sides_are_the_two_inequalities() -> None:
    lower, upper = spectral_sides([[Fraction(5)]], [[Fraction(4)]], Fraction(1, 2), Fraction(1, 3))
    assert lower == [[4 + Fraction(1, 2) - Fraction(2, 3) * (5 + Fraction(1, 2))]]
    assert upper == [[Fraction(4, 3) * (5 + Fraction(1, 2)) - (4 + Fraction(1, 2))]]


# ----------------------------------------------------------------------------------------- nasty and poisoned


def question(path: Path) -> tuple[Any, Any, float, float, str, str]:
    data = json.loads(path.read_text())
    K, Kt = (np.array([[float.fromhex(x) for x in row] for row in data[key]]) for key in ("K", "Kt"))
    return K, Kt, float.fromhex(data["lam"]), float.fromhex(data["eps"]), data["side"], data["truth"]


def test_a_bare_eigenvalue_check_is_fooled() -> None:
    fooled = []
    for path in NASTY:
        K, Kt, lam, eps, side, truth = question(path)
        identity = np.eye(len(K))
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = (1 - eps) * (K + lam * identity), (1 + eps) * (K + lam * identity)
            M = Kt + lam * identity - low if side == "lo" else high - (Kt + lam * identity)
        try:
            bare = bool(np.linalg.eigvalsh(M)[0] >= 0)
        except np.linalg.LinAlgError:
            bare = False
        if bare != (truth == "HOLDS"):
            fooled.append(path.stem[:3])
    assert {"n01", "n02", "n07"} <= set(fooled)  # these need no particular BLAS to go wrong


@pytest.mark.parametrize("path", [p for p in NASTY if p.stem[:3] not in ("n10", "n14")], ids=lambda p: p.stem)
def test_nasty_float_inputs(path: Path) -> None:  # n10 and n14 are about more than their floats: test_loewner_files
    K, Kt, lam, eps, side, truth = question(path)
    word: Any = {"lo": "lower", "up": "upper"}[side]
    decision = decide_spectral(K, Kt, lam, eps, word)
    assert decision.answer == (Answer.IN if truth == "HOLDS" else Answer.OUT)
    check(decision, spectral_sides(K, Kt, lam, eps)[0 if word == "lower" else 1])
    both = all(inertia_is_psd(rows) for rows in spectral_sides(K, Kt, lam, eps))
    batch = decide_spectral_batch(K, 0.0, Kt[None], 0.0, lam, Fraction(eps))
    assert batch[0] in (Answer.UNSURE, Answer.IN if both else Answer.OUT)


def test_campaign() -> None:
    counts = loewner_campaign(400, np.random.default_rng(20200))
    assert counts["tried"] == 400
    assert counts["wrong"] == counts["undecided"] == counts["bad_witness"] == 0
    assert counts["bare_wrong"] > 0  # otherwise the matrices are too easy to say anything
    assert 0 < counts["by_floats"] < 400
    assert 100 < counts["holds"] < 350
    assert counts == loewner_campaign(400, np.random.default_rng(20200))
    with pytest.raises(ValueError, match="count must be at least 1, got count = 0"):
        loewner_campaign(0, np.random.default_rng(1))


def test_the_campaign_notices_a_broken_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = itertools.cycle(
        [
            Decision(answer=Answer.IN, rung="shifted Cholesky", bits=53),
            Decision(answer=Answer.OUT, rung="characteristic polynomial", bits=0),
            Decision(answer=Answer.UNSURE, rung="precision exhausted", bits=53),
        ]
    )
    monkeypatch.setattr("theorems.checking.calibration_matrices.decide_psd", lambda _: next(answers))
    counts = loewner_campaign(60, np.random.default_rng(3))
    assert counts["wrong"] > 0
    assert counts["undecided"] == counts["no_witness"] == 20
    witness = Decision(answer=Answer.OUT, rung="quadratic form", bits=53, witness=(0.0,) * 8)
    monkeypatch.setattr(
        "theorems.checking.calibration_matrices.decide_psd",
        lambda M: Decision(answer=Answer.OUT, rung="quadratic form", bits=53, witness=witness.witness[: len(M)]),  # type: ignore[index]
    )
    assert loewner_campaign(20, np.random.default_rng(3))["bad_witness"] == 20


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_both_eliminations_agree(seed: int) -> None:
    M = near_boundary_matrix(np.random.default_rng(seed))
    assert is_psd_by_elimination(M) == inertia_is_psd(M)


# ------------------------------------------------------------------------------------------------- bad input

NAN, INF = math.nan, math.inf
eye = np.eye(2)


@pytest.mark.parametrize(
    ("M", "kind", "message"),
    [
        (np.array([[1.0, NAN], [0.0, 1.0]]), ValueError, r"decide_psd: M must be finite .*, got M\[0, 1\] = nan"),
        (np.array([[1.0, 0.0], [0.0, -INF]]), ValueError, r"got M\[1, 1\] = -inf"),
        (np.array([[1.0, 3.0], [0.5, 1.0]]), ValueError, r"M\[0, 1\] = 3.0, off its mirror image by 2.5"),
        (np.array([[1.0, 1e308], [-1e308, 1.0]]), ValueError, r"off its mirror image by inf"),
        (np.array([[2 + 5j, 0], [0, 1]]), ValueError, r"M\[0, 0\] = \(2\+5j\), off its mirror image by 10"),
        (np.array([[2, 1j], [1j, 1]]), ValueError, r"M\[0, 1\] = 1j, off its mirror image by 2"),
        (np.zeros((0, 0)), ValueError, r"M must be \(n, n\) with n >= 1, got shape \(0, 0\)"),
        (np.zeros((2, 3)), ValueError, r"got shape \(2, 3\)"),
        (np.zeros(4), ValueError, r"got shape \(4,\)"),
        (np.float64(4) * np.ones(()), TypeError, "must be an array or nested lists, got float64"),
        (np.zeros((2, 2, 2)), ValueError, r"got shape \(2, 2, 2\)"),
        (np.zeros((2, 2), dtype=object)[:, :1], ValueError, r"got shape \(2, 1\)"),
        (np.array([[True, False], [False, True]]), TypeError, "got dtype bool"),
        (np.ma.masked_array(eye), TypeError, "must be a plain array, got MaskedArray"),
        (eye.view(type("Disguise", (np.ndarray,), {})), TypeError, "must be a plain array, got Disguise"),
        (eye.astype(np.longdouble), TypeError, "got dtype float128|got dtype longdouble|got dtype float64"),
        (eye.astype(np.clongdouble), TypeError, "got dtype complex256|got dtype clongdouble"),
        (np.array([["1"]]), TypeError, "got dtype <U1"),
        (np.array([["1"]], dtype=object), TypeError, r"must hold int and Fraction, got str at M\[0, 0\]"),
        ([[1, 2.5], [2.5, 1]], TypeError, r"got float at M\[0, 1\]; give floats as a float64 array"),
        ([[True]], TypeError, r"got bool at M\[0, 0\]"),
        ([[1, 2], [3, 1]], ValueError, r"M must be symmetric, got M\[1, 0\] off its mirror image by 1"),
        ([], ValueError, r"M must be \(n, n\) with n >= 1, got 0 rows"),
        ([[1, 2], [2]], ValueError, "got 2 rows of other lengths"),
        ([1, 2], ValueError, "got 2 rows of other lengths"),
        ("1", TypeError, "must be an array or nested lists, got str"),
        (None, TypeError, "must be an array or nested lists, got NoneType"),
    ],
)
def test_bad_matrices(M: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        decide_psd(M)


@pytest.mark.parametrize(
    ("M", "exact"),
    [
        (np.array([[100, 2], [2, 127]], dtype=np.int8), [[100, 2], [2, 127]]),
        (np.array([[2**63 + 1]], dtype=np.uint64), [[2**63 + 1]]),
        (np.array([[-(2**62) - 1]]), [[-(2**62) - 1]]),
        (np.array([[Fraction(1, 3), 0], [0, 2**80 + 1]], dtype=object), [[Fraction(1, 3), 0], [0, 2**80 + 1]]),
        (np.array([[65504.0]], dtype=np.float16), [[65504]]),
        (np.array([[0.1]], dtype=np.float32), [[Fraction(13421773, 134217728)]]),
        (((1, 2), (2, 4)), [[1, 2], [2, 4]]),
    ],
)
def test_every_input_is_taken_at_its_exact_value(M: Any, exact: Rows) -> None:
    n = len(exact)
    minus = [[-x for x in row] for row in exact]
    zero = [[0] * n for _ in range(n)]
    lower, upper = spectral_sides(M, zero, Fraction(1), Fraction(1, 2))
    half, identity = Fraction(1, 2), [[int(i == j) for j in range(n)] for i in range(n)]
    assert lower == [
        [-half * x + half * e for x, e in zip(*rows, strict=True)] for rows in zip(exact, identity, strict=True)
    ]
    assert upper == [
        [half * 3 * x + half * e for x, e in zip(*rows, strict=True)] for rows in zip(exact, identity, strict=True)
    ]
    assert decide_psd(M).answer == decide_psd(exact).answer
    assert decide_psd(minus).answer == (
        Answer.IN if inertia_is_psd(exactly(np.array(minus, dtype=object))) else Answer.OUT
    )


@pytest.mark.parametrize(
    ("radius", "kind", "message"),
    [
        (-1.0, ValueError, "radius must be positive and below 2\\^1023, got radius = -1.0"),
        (NAN, ValueError, "radius must be a finite real number, got radius = nan"),
        (INF, ValueError, "got radius = inf"),
        (True, TypeError, "got radius = True"),
        ("1", TypeError, "got radius = '1'"),
    ],
)
def test_bad_radius(radius: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        decide_psd(eye, radius=radius)


def test_radius_may_be_a_fraction() -> None:
    assert decide_psd(eye, radius=Fraction(1, 3)).answer == Answer.IN
    assert decide_psd(eye, radius=1).answer == Answer.IN  # all of [[1 - r, ..]] with r <= 1 are semidefinite
    assert decide_psd(eye, radius=1 + Fraction(1, 2**90)).answer == Answer.UNSURE


@pytest.mark.parametrize(
    ("lam", "eps", "kind", "message"),
    [
        (0, Fraction(1, 4), ValueError, "lam must be positive and below 2\\^1023, got lam = 0"),
        (-0.1, Fraction(1, 4), ValueError, "got lam = -0.1"),
        (NAN, Fraction(1, 4), ValueError, "lam must be a finite real number, got lam = nan"),
        ("1", Fraction(1, 4), TypeError, "got lam = '1'"),
        (1.0, 2, ValueError, "eps must be positive and below 1, got eps = 2"),
        (1.0, 0, ValueError, "got eps = 0"),
        (1.0, True, TypeError, "got eps = True"),
        (1.0, NAN, ValueError, "got eps = nan"),
    ],
)
def test_bad_lam_and_eps(lam: Any, eps: Any, kind: type[Exception], message: str) -> None:
    for call in (
        lambda: spectral_sides(eye, eye, lam, eps),
        lambda: decide_spectral_batch(eye, 0.0, eye[None], 0.0, lam, eps),
    ):
        with pytest.raises(kind, match=message):
            call()


def test_bad_side_and_sizes() -> None:
    with pytest.raises(ValueError, match="side must be 'lower' or 'upper', got side = 'lo'"):
        decide_spectral(eye, eye, 1.0, 0.5, "lo")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="K and Kt must have one size, got 2 and 3"):
        spectral_sides(eye, np.eye(3), 1.0, 0.5)
    with pytest.raises(ValueError, match=r"K must be \(n, n\) and Kt \(B, n, n\), got \(2, 2\) and \(1, 3, 3\)"):
        decide_spectral_batch(eye, 0.0, np.eye(3)[None], 0.0, 1.0, Fraction(1, 2))


@pytest.mark.parametrize(
    ("M", "kind", "message"),
    [
        (eye, ValueError, r"M must be square with n >= 1 and at least one of them, got \(2, 2\)"),
        (np.zeros((0, 2, 2)), ValueError, r"got \(0, 2, 2\)"),
        (np.zeros((1, 0, 0)), ValueError, r"got \(1, 0, 0\)"),
        (np.zeros((1, 2, 3)), ValueError, r"got \(1, 2, 3\)"),
        (eye[None].astype(np.float32), TypeError, "M must be a plain array of native float64, got float32"),
        (np.ma.masked_array(eye[None]), TypeError, "got MaskedArray"),
        ([[[1.0]]], TypeError, "got list"),
        (np.array([[[1.0]], [[NAN]]]), ValueError, r"got M\[1, 0, 0\] = nan"),
        (np.array([eye, [[1.0, 0.0], [0.0, INF]]]), ValueError, r"got M\[1, 1, 1\] = inf"),
        (np.array([eye, [[1.0, -INF], [-INF, 1.0]]]), ValueError, r"got M\[1, 0, 1\] = -inf"),
        (
            np.array([eye, [[1.0, 1e-9], [0.0, 1.0]]]),
            ValueError,
            r"got M\[1, 0, 1\] = 1e-09, off its mirror image by 1e-09",
        ),
    ],
)
def test_bad_batches(M: Any, kind: type[Exception], message: str) -> None:
    calls: list[Callable[[], Any]] = [lambda: decide_psd_batch(M)]
    if not (isinstance(M, np.ndarray) and M.ndim == 2):
        calls.append(lambda: decide_spectral_batch(eye, 0.0, M, 0.0, 1.0, Fraction(1, 2)))
    for call, name in zip(calls, ("M", "Kt"), strict=False):
        with pytest.raises(kind, match=message.replace("M must", f"{name} must").replace(r"M\[", rf"{name}\[")):
            call()


def test_bad_batch_K() -> None:
    with pytest.raises(TypeError, match="K must be a plain array of native float64, got list"):
        decide_spectral_batch([[1.0]], 0.0, eye[None], 0.0, 1.0, Fraction(1, 2))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("radius", "kind", "message"),
    [
        (-1.0, ValueError, "radius must be finite and >= 0, got -1.0 to -1.0"),
        (np.array([0.0, NAN]), ValueError, "got nan to nan"),
        (INF, ValueError, "got inf to inf"),
        (np.array([0.0, INF]), ValueError, "got 0.0 to inf"),
        (np.array([0.0, -1.0]), ValueError, "got -1.0 to 0.0"),
        (np.zeros(3), TypeError, r"radius must be a number or \(2,\) float64, got float64 \(3,\)"),
        (True, TypeError, "got bool"),
        pytest.param(
            np.longdouble(1),
            TypeError,
            "got float128|got longdouble|got float96",
            marks=pytest.mark.skipif(np.longdouble(0).nbytes == 8, reason="long double is float64 here"),
        ),
    ],
)
def test_bad_batch_radius(radius: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        decide_psd_batch(np.stack([eye, eye]), radius)


@pytest.mark.parametrize("one", [1, 1.0, np.float32(1), np.uint8(1), np.array([1, 1]), np.array([1, 1], np.uint64)])
def test_a_batch_radius_may_be_any_number_a_float_holds(one: Any) -> None:
    assert decide_psd_batch(np.stack([2 * eye, 0.5 * eye]), one).tolist() == [Answer.IN, Answer.UNSURE]


# ----------------------------------------------------------------------------- certificates, to the last field


def test_an_enclosure_too_wide_to_tell_is_left_undecided() -> None:
    quarter, half = [[Fraction(1, 4)]], [[Fraction(1, 2)]]
    for middle in (quarter, [[-quarter[0][0]]]):
        decision = decide_psd(middle, radius=Fraction(1, 2), refine=lambda _, m=middle: (m, half))  # type: ignore[misc]
        assert decision == Decision(answer=Answer.UNSURE, rung="precision exhausted", bits=4096)


def test_a_radius_too_wide_to_tell_says_so() -> None:
    assert decide_psd(np.eye(2), radius=2) == Decision(answer=Answer.UNSURE, rung="precision exhausted", bits=0)


def test_float_and_ball_refutations_hand_over_their_witness() -> None:
    M = np.diag([1.0, -1.0])
    decision = decide_psd(M)
    assert (decision.answer, decision.rung, decision.bits) == (Answer.OUT, "quadratic form", 53)
    assert decision.witness is not None
    assert form(exactly(M), decision.witness) < 0
    radius = [[Fraction(1, 4)] * 2] * 2
    enclosed = decide_psd(M, radius=2, refine=lambda _: (exactly(M), radius))
    assert (enclosed.answer, enclosed.rung) == (Answer.OUT, "balls")


def test_a_ball_witness_may_have_a_zero() -> None:
    M, radius = exactly(np.diag([1.0, -1.0])), [[Fraction(0)] * 2, [Fraction(0), Fraction(1, 4)]]
    decision = decide_psd(M, radius=2, refine=lambda _: (M, radius))
    assert (decision.answer, decision.witness) == (Answer.OUT, (0.0, 1.0))


def test_a_form_that_vanishes_is_no_witness() -> None:
    """At the corner of the enclosure v^T M v = 0 exactly, and nothing is below zero there."""
    gap, zero, d = Fraction(1, 2**100), Fraction(0), Fraction(-1 / 3)
    middle = [[Fraction(9), Fraction(3)], [Fraction(3), 1 - gap]]
    corner = -form(middle, (float(d), 1.0))
    assert 0 < corner < gap
    decision = decide_psd(middle, radius=gap, refine=lambda _: (middle, [[zero, zero], [zero, corner]]))
    assert decision == Decision(answer=Answer.OUT, rung="balls", bits=128)
    M = [[Fraction(1), Fraction(1, 3)], [Fraction(1, 3), -d * (d + Fraction(2, 3))]]
    assert form(M, (float(d), 1.0)) == 0
    assert not inertia_is_psd(M)
    assert loewner._fine_witness(M) is None


@pytest.mark.parametrize("bits", [200, 700, 1100])
def test_a_witness_is_looked_for_with_all_the_precision_there_is(bits: int) -> None:
    """Graded as above; the direction (1, -2, 1) shows only beyond 2 bits of precision."""
    small = Fraction(1, 2**bits)
    terms = [(Fraction(1), (1, 1, 1)), (small, (0, 1, 2)), (-small * small, (0, 0, 1))]
    M = [[sum((t * x[i] * x[j] for t, x in terms), Fraction(0)) for j in range(3)] for i in range(3)]
    witness = loewner._fine_witness(M)
    assert witness is not None
    assert form(M, witness) < 0


def test_the_side_asked_for_is_the_side_decided() -> None:
    one = np.eye(2)
    assert decide_spectral(one, 3 * one, 1.0, Fraction(1, 2), "lower").answer == Answer.IN
    assert decide_spectral(one, 3 * one, 1.0, Fraction(1, 2), "upper").answer == Answer.OUT
    assert decide_spectral(3 * one, one, Fraction(1, 8), Fraction(1, 2), "lower").answer == Answer.OUT
    assert decide_spectral(3 * one, one, Fraction(1, 8), Fraction(1, 2), "upper").answer == Answer.IN


def test_a_distance_is_rounded_up_and_no_further() -> None:
    third = Fraction(1, 3)
    assert Fraction(1 / 3) < third < Fraction(loewner._rounded_up(third))
    assert loewner._rounded_up(third) == math.nextafter(1 / 3, 1)
    assert loewner._rounded_up(Fraction(1, 2)) == 0.5
    assert loewner._rounded_up(Fraction(0)) == 0.0


# ------------------------------------------------------------------------------ the float bounds, to the unit


def test_the_shift_is_twice_the_bound_of_rump(monkeypatch: pytest.MonkeyPatch) -> None:
    """On diag(1024, 0, ..) the shift stands alone on the diagonal; 2^-39 covers what is added outward."""
    for n in (2, 5, 40):
        seen: list[np.ndarray[Any, Any]] = []
        monkeypatch.setattr(np.linalg, "cholesky", lambda M, seen=seen: seen.append(M.copy()) or np.zeros_like(M))
        M = np.zeros((1, n, n))
        M[0, 0, 0] = 1024.0
        verified_cholesky.shifted_cholesky(M, np.zeros(1))
        gamma = Fraction(n + 3, 2**53 - (n + 3))
        bound = 2 * gamma / (1 - gamma) * 1024
        assert bound <= -Fraction(seen[0][0, 1, 1]) <= bound * (1 + Fraction(1, 2**39))
        verified_cholesky.shifted_cholesky(np.zeros((1, n, n)), np.zeros(1))
        assert (seen[1] == -(2.0**-500) * np.eye(n)).all()  # and for underflow, where nothing else is


def test_gamma_is_the_quotient() -> None:
    for k in (1, 7, 10**6, 2**52):
        assert verified_cholesky.gamma(k) == pytest.approx(float(Fraction(k, 2**53 - k)), rel=2.0**-50)


def test_a_direction_comes_with_the_answer() -> None:
    for M, radius, expected in ((np.eye(2), 0.0, Answer.IN), (np.diag([1.0, -0.5]), 0.25, Answer.OUT)):
        answer, direction = verified_cholesky.decide_with_direction(M, radius)
        assert answer is expected
        if answer == Answer.IN:
            assert not direction.any()
        else:
            assert direction @ M @ direction + radius * direction @ direction < 0


def test_a_radius_weighs_as_much_as_the_direction_is_long() -> None:
    """v = (1, 1) and M = -I: v^T (M + E) v may reach 2 ||E|| - 2."""
    M, v = -np.eye(2)[None], np.ones((1, 2))
    for radius, negative in ((1 - 2.0**-30, True), (1.0, False), (1 + 2.0**-30, False), (1.9, False)):
        assert verified_cholesky.quadratic_form_is_negative(M, v, np.array([radius])).tolist() == [negative]


def test_a_form_that_underflows_proves_nothing() -> None:
    """In units of 2^-1074 the matrix is positive definite, and the products are rounded to whole units."""
    M, v = 5e-324 * np.array([[[5.0, 3.0], [3.0, 2.0]]]), np.array([[-0.5, 0.5625]])
    assert inertia_is_psd(exactly(M[0]))
    assert np.einsum("bi,bi->b", v, np.einsum("bij,bj->bi", M, v)) < 0
    assert not verified_cholesky.quadratic_form_is_negative(M, v, np.zeros(1)).any()


def test_a_form_must_be_negative_by_twice_its_error() -> None:
    """v = (1, 1): the form is -d exactly, its bound 2 gamma_8 (4 - d) = 64 units."""
    for units, negative in ((63, False), (64, False), (65, True), (1000, True)):
        M = np.array([[[1.0, -1.0], [-1.0, 1.0 - units * 2.0**-53]]])
        answer = verified_cholesky.quadratic_form_is_negative(M, np.ones((1, 2)), np.zeros(1))
        assert answer.tolist() == [negative]


def test_the_scale_is_a_normal_power_of_two() -> None:
    peaks = np.array([0.75, 1.0, 0.0, 5e-324, 2.0**-1001, 1.5 * 2.0**1023])
    expected = [1.0, 0.5, 1.0, 2.0**1000, 2.0**1000, 2.0**-1000]
    assert verified_cholesky.power_of_two(peaks).tolist() == expected


def test_blocks_cover_each_lane_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_cholesky, "BLOCK_LANES", 2)
    assert list(verified_cholesky.blocks(np.zeros((5, 1, 1)))) == [slice(0, 2), slice(2, 4), slice(4, 6)]
    monkeypatch.setattr(verified_cholesky, "BLOCK_ENTRIES", 7)
    assert list(verified_cholesky.blocks(np.zeros((2, 3, 3)))) == [slice(0, 1), slice(1, 2)]
    K = np.eye(2)
    Kt = np.stack([K, 9 * K, K, 9 * K, K])
    answers = decide_spectral_batch(K, 0.0, Kt, 0.0, 1.0, Fraction(1, 2))
    assert answers.tolist() == [Answer.IN, Answer.OUT, Answer.IN, Answer.OUT, Answer.IN]
    assert answers.dtype == np.int8


@pytest.mark.parametrize(("n", "lanes"), [(24, 3), (24, 30), (33, 3), (40, 50)])
def test_lane_by_lane_or_side_by_side(n: int, lanes: int) -> None:
    M = np.stack([np.eye(n)] * lanes)
    assert decide_psd_batch(M).tolist() == [Answer.IN] * lanes
    M[1, n - 1, n - 1] = -(2.0**-20)
    assert decide_psd_batch(M).tolist() == [Answer.IN, Answer.OUT] + [Answer.IN] * (lanes - 2)


def test_one_failing_lane_of_two_leaves_the_other_proven() -> None:
    M = np.stack([np.eye(2), -np.eye(2)])
    assert decide_psd_batch(M).tolist() == [Answer.IN, Answer.OUT]
    assert decide_psd_batch(M[::-1]).tolist() == [Answer.OUT, Answer.IN]


def test_lanes_that_overflow_stay_silent_and_lanes_that_all_succeed_have_no_direction() -> None:
    tiny = 5e-324
    nasty = np.array([[tiny, 1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], [-1.0, 1.0, 1.0, 1.0]])
    succeeds, _ = verified_cholesky._cholesky_across_lanes(np.stack([nasty, np.eye(4)]))
    assert succeeds.tolist() == [False, True]
    succeeds, directions = verified_cholesky._cholesky_across_lanes(np.stack([np.eye(3)] * 2))
    assert succeeds.all()
    assert not directions.any()


# ------------------------------------------------------------------- the cost of forming the spectral inequality


@pytest.mark.parametrize("huge", ["K", "Kt", "-Kt", "lam"])
def test_whatever_is_largest_sets_the_scale(huge: str) -> None:
    sizes = {"K": 1e-300, "Kt": 1e-300, "lam": 1e-300, huge.lstrip("-"): 1e300}
    Kt = np.array([[[sizes["Kt"] * (-1 if huge == "-Kt" else 1)]]])
    answers = decide_spectral_batch(np.array([[sizes["K"]]]), 0.0, Kt, 0.0, sizes["lam"], Fraction(1, 2))
    assert answers.tolist() == [Answer.IN if huge == "lam" else Answer.OUT]


def test_an_undecided_side_does_not_hide_a_broken_one() -> None:
    K, Kt = np.diag([1.0, 1.0]), np.diag([0.25, 100.0])  # lower: 1/4 - 1/2 + 1/4 = 0; upper: far below zero
    assert decide_spectral_batch(K, 0.0, Kt[None], 0.0, 0.5, Fraction(1, 2)).tolist() == [Answer.OUT]


def both_sides_hold(K: np.ndarray[Any, Any], Kt: np.ndarray[Any, Any], lam: Any, eps: Fraction) -> bool:
    return all(inertia_is_psd(side) for side in spectral_sides(K, Kt, lam, eps))


def test_a_ridge_that_was_rounded_up_proves_nothing() -> None:
    """fl(1/10) is above 1/10: what cancels it in floats is negative in truth."""
    K, Kt = np.zeros((1, 1)), np.full((1, 1), -0.1)
    assert not both_sides_hold(K, Kt, 1, Fraction(1, 10))
    assert decide_spectral_batch(K, 0.0, Kt[None], 0.0, 1.0, Fraction(1, 10)).tolist() == [Answer.UNSURE]


def test_a_ridge_below_the_underflow_bound_proves_nothing() -> None:
    K, Kt, eps = np.zeros((1, 1)), np.full((1, 1), -(2.0**-545)), Fraction(1, 2**600)
    assert not both_sides_hold(K, Kt, Fraction(1, 2), eps)
    assert decide_spectral_batch(K, 0.0, Kt[None], 0.0, 0.5, eps).tolist() == [Answer.UNSURE]


def test_a_small_pivot_beside_a_large_one_is_not_refuted() -> None:
    K, lam, eps = np.diag([1.0, 0.0]), 2.0**-60, Fraction(7, 8)
    assert both_sides_hold(K, K, lam, eps)
    assert decide_spectral_batch(K, 0.0, K[None], 0.0, lam, eps).tolist() == [Answer.UNSURE]


def test_rounding_the_factor_of_K_is_paid_in_full() -> None:
    """(1 + eps) K is rounded the same way in every entry: an error of rank one and norm n times as large."""
    n, found = 8, 0
    rng = np.random.default_rng(3)
    for _ in range(20_000):
        k, numerator = float(rng.uniform(0.55, 0.99)), int(rng.integers(700, 1000))
        eps = Fraction(numerator, 1009)
        a = float(1 + eps)
        excess = (Fraction(a * k) - (1 + eps) * Fraction(k)) * 2**53  # in units, of one entry
        if excess < Fraction(7, 5):
            continue
        steps = 4 * math.floor((excess * (n + 1) - 1) / 4)  # a little less than the rounding gave
        K = k * (np.ones((n, n)) + np.eye(n))
        Kt = a * K - steps * 2.0**-53 * np.eye(n)
        lam = 2.0**-80
        lower, upper = map(inertia_is_psd, spectral_sides(K, Kt, lam, eps))
        assert lower
        if not upper:
            found += 1
            assert decide_spectral_batch(K, 0.0, Kt[None], 0.0, lam, eps)[0] != Answer.IN
        if found == 5:
            return
    raise AssertionError
