from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.finite_features import FiniteFeatures, linear_kernel
from reference.polynomial import polynomial_kernel

X = [[Fraction(1), Fraction(2), Fraction(-1, 2)], [Fraction(3), Fraction(-1), Fraction(0)]]
PRIMES = [[2, 3, 5], [7, -1, 11]]  # no two monomials agree
small_data = st.integers(1, 3).flatmap(
    lambda d: st.lists(st.lists(st.fractions(-3, 3, max_denominator=4), min_size=d, max_size=d), min_size=1, max_size=3)
)


def word_by_word(rows, degree):
    """One atom per index word in [d]^k, as the definition says, merged nowhere."""
    d = len(rows[0])
    words = list(product(range(d), repeat=degree))
    values = [[prod((row[j] for j in word), start=Fraction(1)) for row in rows] for word in words]
    grams = tuple(tuple(tuple(d**degree * a * b for b in v) for a in v) for v in values)
    return words, FiniteFeatures(p=(Fraction(1, d**degree),) * len(words), grams=grams)


def test_square_of_a_sum_by_hand():
    features = polynomial_kernel([[3, 5]], 2)
    assert features.p == (Fraction(1, 4), Fraction(1, 2), Fraction(1, 4))
    assert [G[0][0] for G in features.grams] == [4 * 9**2, 4 * 15**2, 4 * 25**2]
    assert features.kernel() == ((Fraction(34**2),),)


def test_degree_one_is_the_linear_kernel():
    assert polynomial_kernel(X, 1) == linear_kernel(X)


@settings(max_examples=40, deadline=None)
@given(small_data, st.integers(1, 3))
def test_kernel_is_the_power_of_the_inner_product(rows, degree):
    powers = tuple(
        tuple(sum((a * b for a, b in zip(x, z, strict=True)), Fraction(0)) ** degree for z in rows) for x in rows
    )
    assert polynomial_kernel(rows, degree).kernel() == powers


@pytest.mark.parametrize("degree", [2, 3])
def test_merged_atoms_are_the_index_words_gathered(degree):
    merged = polynomial_kernel(PRIMES, degree)
    words, single = word_by_word(PRIMES, degree)
    assert len(merged.p) == comb(3 + degree - 1, degree) < len(words)
    gathered = Counter()
    for G, p in zip(single.grams, single.p, strict=True):
        gathered[G] += p
    assert dict(zip(merged.grams, merged.p, strict=True)) == gathered
    # the leverage of a draw is what it was, word by word
    tau = dict(zip(merged.grams, merged.leverage(Fraction(1, 3)), strict=True))
    assert [tau[G] for G in single.grams] == single.leverage(Fraction(1, 3))


def test_permuting_coordinates_keeps_kernel_and_statistical_dimension():
    turned = polynomial_kernel([[row[2], row[0], row[1]] for row in X], 3)
    original = polynomial_kernel(X, 3)
    assert turned.kernel() == original.kernel()
    assert turned.statistical_dimension(2) == original.statistical_dimension(2)
    assert sorted(turned.p) == sorted(original.p)


@pytest.mark.parametrize("rows", [[], [[]], [[1], [1, 2]]])
def test_no_matrix_is_refused(rows):
    with pytest.raises(ValueError, match="polynomial_kernel: X must be a matrix, got rows of lengths"):
        polynomial_kernel(rows, 2)


def test_degree_zero_is_refused():
    with pytest.raises(ValueError, match="degree must be at least 1, got degree = 0"):
        polynomial_kernel(X, 0)
