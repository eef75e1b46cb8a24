from fractions import Fraction

import numpy as np
import pytest

from reference.preconditions import gamma, gram, non_negative, one_each, points, positive, real_array


def test_gamma_is_rounded_up():
    u = Fraction(1, 2**53)
    for k in (1, 2, 100, 10**6):
        assert Fraction(gamma(k)) >= k * u / (1 - k * u)
        assert gamma(k) <= k * 2.0**-53 * 1.001


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f8", np.int8, np.uint64])
def test_numbers_enter_unchanged(dtype):
    assert points(np.array([[1, 3], [7, 5]], dtype=dtype), "f: X").tolist() == [[1.0, 3.0], [7.0, 5.0]]


def test_strided_and_read_only_arrays_enter_unchanged():
    base = np.arange(12.0).reshape(3, 4)
    base.flags.writeable = False
    assert points(base[:, ::-2], "f: X").tolist() == [[3, 1], [7, 5], [11, 9]]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1.0, np.nan]], ValueError, r"f: X must be finite, got nan at \(0, 1\)"),
        ([[1.0], [-np.inf]], ValueError, r"got -inf at \(1, 0\)"),
        ([], ValueError, r"2 axes, got shape \(0,\)"),
        (np.zeros((0, 3)), ValueError, r"not be empty, got shape \(0, 3\)"),
        ([1.0, 2.0], ValueError, r"2 axes, got shape \(2,\)"),
        ([[1j]], TypeError, "complex128"),
        ([[True]], TypeError, "bool"),
        ([[Fraction(1, 3)]], TypeError, "object"),
        (np.ones((1, 1), dtype=np.longdouble), TypeError, "longdouble|float128"),
        (np.ma.masked_array([[1.0]]), TypeError, "MaskedArray"),
        ([[2**53 + 1]], ValueError, r"exact in float64, got 9007199254740993 at \(0, 0\)"),
    ],
)
def test_points_refuse(values, error, message):
    with pytest.raises(error, match=message):
        points(values, "f: X")


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_matrix_subclass_is_refused():
    with pytest.raises(TypeError, match="matrix"):
        real_array(np.matrix([[1.0]]), "f: X", 2)


@pytest.mark.parametrize("value", [1, 0.25, Fraction(3, 8), np.float32(0.5), np.int64(3)])
def test_positive_keeps_the_value(value):
    assert positive(value, "f: lam") == value


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (-0.1, ValueError, r"f: lam must be positive and finite, got lam = -0\.1"),
        (0, ValueError, "got lam = 0"),
        (float("nan"), ValueError, "got lam = nan"),
        (float("inf"), ValueError, "got lam = inf"),
        (Fraction(1, 10), ValueError, "exact in float64, got lam = 1/10"),
        ("1", TypeError, "got str"),
        (True, TypeError, "got bool"),
        (1j, TypeError, "got complex"),
    ],
)
def test_positive_refuses(value, error, message):
    with pytest.raises(error, match=message):
        positive(value, "f: lam")


def test_gram_refuses_what_is_not_symmetric():
    assert gram([[2, 1], [1, 2]], "f: K").tolist() == [[2, 1], [1, 2]]
    with pytest.raises(ValueError, match=r"symmetric, got 1\.0 at \(0, 1\) and 3\.0 at \(1, 0\)"):
        gram([[2.0, 1.0], [3.0, 2.0]], "f: K")
    with pytest.raises(ValueError, match=r"square, got shape \(1, 2\)"):
        gram([[2.0, 1.0]], "f: K")


def test_one_number_per_item():
    assert one_each([1, 2], 2, "f: w").tolist() == [1, 2]
    with pytest.raises(ValueError, match="length 3, got 2"):
        one_each([1, 2], 3, "f: w")
    with pytest.raises(ValueError, match=r">= 0, got -1\.0 at 1"):
        non_negative([0, -1], 2, "f: w")
