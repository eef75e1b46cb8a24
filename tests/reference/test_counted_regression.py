"""Counted regression: the same predictions as the plain formulas, the same counts as scalars that count themselves."""

from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.counted_regression import counted_in_data_space, counted_in_feature_space
from reference.ridge_regression import exact_solve, feature_predictor, krr_predict, krr_weights


class Tally:
    """A float that counts the multiplications, divisions and square roots made with it."""

    made = 0

    def __init__(self, x):
        self.x = float(x)

    def _new(self, x, counts):
        type(self).made += counts
        return type(self)(x)

    def __add__(self, other):
        return self._new(self.x + value(other), 0)

    def __sub__(self, other):
        return self._new(self.x - value(other), 0)

    def __mul__(self, other):
        return self._new(self.x * value(other), 1)

    def __truediv__(self, other):
        return self._new(self.x / value(other), 1)

    def __pow__(self, power):
        return self._new(self.x**power, 1)

    __radd__, __rmul__ = __add__, __mul__


def value(t):
    return t.x if isinstance(t, Tally) else t


def counting(A):
    class Own(Tally):
        made = 0

    return Own, np.vectorize(Own, otypes=[object])(A)


shapes = st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 3))


def problem(n, s, k):
    rng = np.random.default_rng([n, s, k])
    return rng.standard_normal((n, s)), rng.standard_normal(n), rng.standard_normal((k, s))


@given(shapes)
def test_scalars_that_count_themselves_count_the_same_in_feature_space(shape):
    Phi, Y, new = problem(*shape)
    kind, cPhi = counting(Phi)
    cY, cnew = (np.vectorize(kind, otypes=[object])(v) for v in (Y, new))
    found = counted_in_feature_space(cPhi, 0.3, cY, cnew)
    assert kind.made == found.operations == counted_in_feature_space(Phi, 0.3, Y, new).operations


@given(shapes)
def test_scalars_that_count_themselves_count_the_same_in_data_space(shape):
    Phi, Y, new = problem(*shape)
    kind, cK = counting(Phi @ Phi.T)
    cY, cnew = (np.vectorize(kind, otypes=[object])(v) for v in (Y, new @ Phi.T))
    found = counted_in_data_space(cK, 0.3, cY, cnew)
    assert kind.made == found.operations == counted_in_data_space(Phi @ Phi.T, 0.3, Y, new @ Phi.T).operations


@given(shapes)
def test_both_routes_predict_what_the_formulas_do(shape):
    Phi, Y, new = problem(*shape)
    K, K_zX, lam = Phi @ Phi.T, new @ Phi.T, F(3, 8)
    truth = feature_predictor(*(exact(v) for v in (Phi,)), lam, exact(Y), exact(new), exact_solve)
    # n, s <= 7, ||K|| < 100, lambda = 3/8: condition below 300, so errors below some thousand u of ||Y|| ||phi|| < 1e2
    in_features = counted_in_feature_space(Phi, 0.375, Y, new).value
    in_data = counted_in_data_space(K, 0.375, Y, K_zX).value
    plain = krr_predict(K_zX, krr_weights(K, 0.375, Y))
    for found in (in_features, in_data, plain):
        np.testing.assert_allclose(found, truth.astype(float), rtol=0, atol=1e-10)


def exact(A):
    return np.vectorize(F, otypes=[object])(A)


def test_by_hand_for_one_point_and_one_feature():
    found = counted_in_feature_space([[2.0]], 1.0, [3.0], [[5.0]])
    # 2*2, 2*3, a root, two divisions, 5 beta
    assert found.operations == 6
    assert found.value == pytest.approx([5 * 6 / 5], rel=2**-48)
    assert counted_in_data_space([[4.0]], 1.0, [3.0], [[10.0]]).operations == 4


def test_the_upper_half_of_the_kernel_is_not_read():
    K = np.array([[2.0, np.nan], [1.0, 3.0]])
    assert np.isfinite(counted_in_data_space(K, 1.0, np.ones(2), np.ones((1, 2))).value).all()


@pytest.mark.parametrize(
    ("route", "args", "message"),
    [
        (counted_in_feature_space, ([[1.0]], 0.0, [1.0], [[1.0]]), "lam must be positive, got lam = 0.0"),
        (counted_in_feature_space, ([[1.0]], 1.0, [1.0, 2.0], [[1.0]]), "need one row per label"),
        (counted_in_feature_space, ([[1.0]], 1.0, [1.0], [[1.0, 2.0]]), "new points must have 1 columns"),
        (counted_in_data_space, ([[1.0, 2.0]], 1.0, [1.0], [[1.0, 2.0]]), "K must be square"),
    ],
)
def test_what_does_not_fit_is_refused(route, args, message):
    with pytest.raises(ValueError, match=message):
        route(*args)
