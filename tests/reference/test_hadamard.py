"""The fast transform against the matrix, exactly; scalars that count themselves; involution and lengths."""

from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import hadamard

from reference.hadamard import padded, walsh_hadamard
from reference.operations import Operations


def by_parity(N):
    """The matrix from its entries: the sign is the parity of the common ones."""
    return np.array([[(-1) ** (row & column).bit_count() for column in range(N)] for row in range(N)])


@given(st.integers(1, 40), st.integers(0, 2), st.integers(0, 2**32))
def test_it_is_the_matrix_on_the_padded_data_along_any_axis(length, axis, key):
    rng = np.random.default_rng(key)
    shape = [3, 2, 4]
    shape[axis] = length
    A = rng.integers(-100, 100, shape)
    before = A.copy()
    B = walsh_hadamard(A, axis, Operations())
    N = padded(length)
    assert np.array_equal(by_parity(N), hadamard(N))
    assert np.array_equal(B, np.moveaxis(np.tensordot(by_parity(N)[:, :length], A, (1, axis)), 0, axis))
    assert np.array_equal(walsh_hadamard(A, axis - 3, Operations()), B)
    assert np.array_equal(A, before)


@given(st.lists(st.fractions(), min_size=1, max_size=20))
def test_on_fractions_it_is_exact_and_twice_it_is_N_times_the_identity(values):
    v = np.array(values, dtype=object)
    N = padded(len(v))
    twice = walsh_hadamard(walsh_hadamard(v, 0, Operations()), 0, Operations())
    assert twice.tolist() == [N * F(x) for x in values] + [0] * (N - len(v))


class Tally:
    """A number that counts its additions and subtractions."""

    made = 0

    def __init__(self, x):
        self.x = x

    def _new(self, x):
        Tally.made += 1
        return Tally(x)

    def __add__(self, other):
        return self._new(self.x + getattr(other, "x", other))

    def __sub__(self, other):
        return self._new(self.x - getattr(other, "x", other))

    def __rsub__(self, other):
        return self._new(other - self.x)

    __radd__ = __add__


@pytest.mark.parametrize(("length", "lines"), [(1, 3), (2, 1), (8, 2), (16, 1)])
def test_scalars_that_count_themselves_count_the_same(length, lines):
    Tally.made, count = 0, Operations()
    walsh_hadamard(np.vectorize(Tally, otypes=[object])(np.ones((lines, length))), 1, count)
    assert Tally.made == count.total() == lines * length * (length.bit_length() - 1)


def test_padding_counts_as_data():
    count = Operations()
    assert walsh_hadamard(np.ones((5, 7)), 0, count).shape == (8, 7)
    assert count.by_work == {"transform": 7 * 8 * 3}


def test_padded_is_the_next_power_of_two():
    assert [padded(k) for k in (1, 2, 3, 4, 5, 1023, 1024, 1025)] == [1, 2, 4, 4, 8, 1024, 1024, 2048]


def test_length_is_kept_up_to_the_root_of_N():
    v = np.random.default_rng(1).standard_normal(1000)
    # 10 rounds, each with a relative error below u in every entry: 1e-13 is generous
    assert np.linalg.norm(walsh_hadamard(v, 0, Operations())) == pytest.approx(32 * np.linalg.norm(v), rel=1e-13)


def test_what_is_refused():
    with pytest.raises(TypeError, match="walsh_hadamard: A must hold numbers, got dtype bool"):
        walsh_hadamard([True, False], 0, Operations())
    for empty in (np.float64(1), np.zeros((2, 0))):
        with pytest.raises(ValueError, match="must have at least one entry along the axis, got shape"):
            walsh_hadamard(empty, -1, Operations())
