from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.relu_tangent import tangent_kernel
from reference.ridge_regression import exact_solve, feature_predictor, krr_predict, krr_weights


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def exact(rows):
    return np.array([[F(x) for x in row] for row in rows], dtype=object)


def exact_vector(values):
    return np.array([F(x) for x in values], dtype=object)


matrices = st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(
    lambda shape: st.tuples(
        st.lists(
            st.lists(st.integers(-3, 3), min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        ),
        st.lists(st.integers(-3, 3), min_size=shape[0], max_size=shape[0]),
        st.lists(st.integers(-3, 3), min_size=shape[1], max_size=shape[1]),
    )
)
ridges = st.sampled_from([F(1, 10**9), F(1, 7), F(5)])


@pytest.mark.parametrize(
    ("name", "angles", "Y", "lam", "u"),
    [
        ("I1", (0.3, 1.5), (1, -1), 0.1, (0.795093033916226411, -0.795093033916226411)),
        ("I1", (0.3, 1.5), (1, -1), 0.001, (0.997429480074326997, -0.997429480074326997)),
        (
            "I2",
            (0.3, 1.5, 2.9),
            (1, -1, 1),
            0.1,
            (0.764621666684752475, -0.772642800285903948, 0.786505630938318108),
        ),
        (
            "I3",
            (0, 1.3, 2.5, 4.2),
            (1, -1, 1, -1),
            0.1,
            (0.788543567442988965, -0.753122896443435872, 0.765394390272600329, -0.858635849117366566),
        ),
    ],
)
def test_fitted_values_of_the_canonical_instances(name, angles, Y, lam, u):
    K = tangent_kernel(on_circle(*angles))
    assert np.abs(krr_predict(K, krr_weights(K, lam, Y)) - u).max() < 5e-15


def test_ridge_is_lam_and_not_n_lam():
    K, Y = np.diag([0.5, 0.5]), np.ones(2)
    assert krr_predict(K, krr_weights(K, 0.1, Y)) == pytest.approx([5 / 6, 5 / 6])
    assert krr_predict(K, krr_weights(K, 2 * 0.1, Y)) == pytest.approx([0.7142857142857143] * 2)


def test_woodbury_rational_value():
    Phi = exact([[1, 2, 0], [0, 1, -1], [3, 1, 1], [2, 0, 5]])
    Y, phi, lam = exact_vector([1, -2, 3, 1]), exact([[1, 1, 2]]), F(1, 7)
    assert feature_predictor(Phi, lam, Y, phi, exact_solve).tolist() == [F(59045, 219997)]
    alpha = krr_weights(Phi @ Phi.T, lam, Y, exact_solve)
    assert krr_predict(phi @ Phi.T, alpha).tolist() == [F(59045, 219997)]


@settings(max_examples=60, deadline=None)
@given(matrices, ridges)
def test_both_sides_of_woodbury_agree_exactly(drawn, lam):
    Phi, Y, phi = exact(drawn[0]), exact_vector(drawn[1]), exact([drawn[2]])
    kernel_side = krr_predict(phi @ Phi.T, krr_weights(Phi @ Phi.T, lam, Y, exact_solve))
    assert feature_predictor(Phi, lam, Y, phi, exact_solve).tolist() == kernel_side.tolist()


@settings(max_examples=40, deadline=None)
@given(matrices, ridges)
def test_fitted_values_are_labels_less_lam_alpha_and_no_longer(drawn, lam):
    Phi, Y = exact(drawn[0]), exact_vector(drawn[1])
    K = Phi @ Phi.T
    alpha = krr_weights(K, lam, Y, exact_solve)
    fitted = krr_predict(K, alpha)
    assert fitted.tolist() == (Y - lam * alpha).tolist()
    assert fitted @ fitted <= Y @ Y


@settings(max_examples=40, deadline=None)
@given(matrices, ridges)
def test_feature_weights_are_the_stationary_point(drawn, lam):
    # b* = Phi^T alpha minimises ||Y - Phi b||^2 / 2 + lam ||b||^2 / 2: the gradient vanishes exactly
    Phi, Y = exact(drawn[0]), exact_vector(drawn[1])
    b = Phi.T @ krr_weights(Phi @ Phi.T, lam, Y, exact_solve)
    assert not any(-Phi.T @ (Y - Phi @ b) + lam * b)
    # and the minimum is lam Y^T (K + lam)^-1 Y / 2
    rest = Y - Phi @ b
    assert rest @ rest + lam * (b @ b) == lam * (Y @ krr_weights(Phi @ Phi.T, lam, Y, exact_solve))


def test_float_and_exact_arithmetic_agree():
    Phi, Y = [[1, 2], [0, 1], [3, 1]], [1, -2, 3]
    exact_side = feature_predictor(exact(Phi), F(1, 8), exact_vector(Y), exact([[1, 1]]), exact_solve)
    assert feature_predictor(Phi, 0.125, Y, [[1, 1]]) == pytest.approx([float(exact_side[0])], rel=1e-13)


def test_small_ridge_interpolates_and_large_ridge_forgets():
    K, Y = tangent_kernel(on_circle(0.3, 1.5)), np.array([1.0, -1.0])
    assert krr_predict(K, krr_weights(K, 1e-9, Y)) == pytest.approx(Y, abs=1e-8)
    assert np.abs(krr_predict(K, krr_weights(K, 1e9, Y))).max() < 1e-9


def test_what_is_refused():
    with pytest.raises(ValueError, match="krr_weights: lam must be positive, got lam = -1"):
        krr_weights([[1.0]], -1, [1.0])
    with pytest.raises(ValueError, match=r"krr_weights: K must be square, got shape \(1, 2\)"):
        krr_weights([[1.0, 2.0]], 1, [1.0])
    with pytest.raises(ValueError, match=r"krr_weights: K must be a matrix with one row per label"):
        krr_weights([[1.0]], 1, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"krr_predict: K_zX must be \(k, n\) and alpha \(n,\)"):
        krr_predict([[1.0, 2.0]], [1.0])
    with pytest.raises(ValueError, match=r"feature_predictor: phi_z must be \(k, 1\), got shape \(1, 2\)"):
        feature_predictor([[1.0]], 1, [1.0], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="feature_predictor: lam must be positive, got lam = 0"):
        feature_predictor([[1.0]], 0, [1.0], [[1.0]])
