"""Leverage scores of rows: by hand, by QR, and their invariance."""

from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.arithmetic import rational_product
from reference.row_leverage import residual_of_row, row_leverage

matrices = st.tuples(st.integers(1, 5), st.integers(1, 3)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(-3, 3), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


def test_by_hand():
    assert row_leverage([[1], [1]]) == [F(1, 2), F(1, 2)]
    assert row_leverage([[1, 1], [1, 1]]) == [F(1, 2), F(1, 2)]
    assert row_leverage([[0, 0], [3, 4]]) == [0, 1]
    assert row_leverage([[10], [1]]) == [F(100, 101), F(1, 101)]


@given(matrices)
def test_scores_are_unchanged_by_an_invertible_change_of_columns(A):
    n = len(A[0])
    triangular = [[F(i == j) + (j > i) * (i + 2 * j) for j in range(n)] for i in range(n)]
    assert row_leverage(rational_product(A, triangular)) == row_leverage(A)


def test_scores_of_full_rank_data_are_the_squared_rows_of_q():
    A = np.random.default_rng(7).integers(-9, 10, size=(12, 4))
    Q = np.linalg.qr(A.astype(float))[0]
    # backward stable QR with condition below 10: errors of some hundred u
    np.testing.assert_allclose((Q**2).sum(axis=1), [float(s) for s in row_leverage(A.tolist())], rtol=0, atol=1e-12)


@given(matrices, st.integers(0, 4))
def test_the_residual_is_the_least_squares_distance(A, i):
    i %= len(A)
    others = np.array([a for j, a in enumerate(A) if j != i], dtype=float).reshape(-1, len(A[0]))
    c = np.linalg.lstsq(others.T, np.array(A[i], dtype=float), rcond=None)[0] if len(others) else np.zeros(0)
    # entries are at most 3, coefficients moderate: some hundred u, squared distances below 100
    assert float(residual_of_row(A, i)) == pytest.approx(float(((A[i] - others.T @ c) ** 2).sum()), abs=1e-10)


def test_a_lone_row_keeps_its_length():
    assert residual_of_row([[3, 4]], 0) == 25
