"""Rank, pseudoinverse and eigenvalue counts against the defining equations and closed forms."""

from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.arithmetic import rational_product
from reference.exact_linear_algebra import (
    column,
    combined,
    eigenvalues_above,
    identity,
    pseudoinverse,
    rank,
    shifted,
    transposed,
)

matrices = st.tuples(st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(-3, 3), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


@given(matrices)
def test_the_pseudoinverse_meets_penroses_four_equations(A):
    P = pseudoinverse(A)
    AP, PA = rational_product(A, P), rational_product(P, A)
    assert rational_product(AP, A) == A
    assert rational_product(PA, P) == P
    assert transposed(AP) == AP
    assert transposed(PA) == PA


@given(matrices)
def test_rank_is_the_trace_of_the_projector_and_that_of_the_transpose(A):
    projector = rational_product(A, pseudoinverse(A))
    assert rank(A) == sum(row[i] for i, row in enumerate(projector)) == rank(transposed(A))


def test_rank_sees_what_floats_cannot():
    assert rank([[1, 1], [1, 1 + F(1, 10**40)]]) == 2
    assert rank([[1, 1], [1, 1]]) == 1
    assert rank([[0, 0]]) == rank([]) == 0


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=5), st.sampled_from([F(-1), F(0), F(1, 2), F(1), F(7, 2)]))
def test_eigenvalues_of_a_rotated_diagonal_are_counted(values, threshold):
    # the reflection I - 2 v v^T / v^T v is orthogonal and rational
    n = len(values)
    v = list(range(1, n + 1))
    Q = [[F(i == j) - F(2 * v[i] * v[j], sum(t * t for t in v)) for j in range(n)] for i in range(n)]
    D = [[F(values[i]) * (i == j) for j in range(n)] for i in range(n)]
    A = rational_product(rational_product(Q, D), Q)
    assert eigenvalues_above(A, threshold) == sum(t > threshold for t in values)


@given(matrices)
def test_eigenvalue_counts_agree_with_lapack_away_from_the_eigenvalues(A):
    G = rational_product(A, transposed(A))
    values = np.linalg.eigvalsh(np.array(G, dtype=float))
    for threshold in (F(1, 3), F(13, 7), F(41, 3)):
        # eigvalsh is off by about n u ||G|| < 1e-12 here; thresholds closer than 1e-9 tell nothing
        if np.abs(values - float(threshold)).min() > 1e-9:
            assert eigenvalues_above(G, threshold) == (values > float(threshold)).sum()


def test_an_eigenvalue_on_the_threshold_is_not_above_it():
    assert eigenvalues_above([[2, 0], [0, 3]], 2) == 1
    assert eigenvalues_above([[2, 0], [0, 3]], 3) == 0
    assert eigenvalues_above([[0]], 0) == 0


def test_small_forms():
    assert shifted([[1, 2], [3, 4]], F(1, 2)) == [[F(3, 2), 2], [3, F(9, 2)]]
    assert combined(2, [[1, 0]], -1, [[3, 1]]) == [[-1, -1]]
    assert column([1, F(1, 2)]) == [[1], [F(1, 2)]]
    assert identity(2) == [[1, 0], [0, 1]]


def test_only_exact_numbers_enter():
    with pytest.raises(TypeError, match="exact: x must be an int"):
        combined(1, [["1"]], 1, [[1]])
    with pytest.raises(ValueError, match="zip"):
        combined(1, [[1, 2]], 1, [[1]])
