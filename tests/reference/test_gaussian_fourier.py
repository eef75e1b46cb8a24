from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from reference.arithmetic import interval
from reference.gaussian_fourier import (
    complex_fourier_gram,
    fourier_features,
    fourier_gram,
    gaussian_kernel,
    gaussian_kernel_balls,
    gaussian_kernel_error,
    sample_frequencies,
)
from reference.preconditions import gamma
from reference.relu_tangent import CHUNK

ONE_TURN = 1 / (2 * np.pi)  # the bandwidth at which p is N(0, I)


def exact_kernel_error(X, sigma, K):
    balls = gaussian_kernel_balls(X, sigma, 200)
    n = len(K)
    middle = [[sum(interval(balls[i, j])) / 2 for j in range(n)] for i in range(n)]
    return np.linalg.norm(np.array([[float(Fraction(K[i, j]) - middle[i][j]) for j in range(n)] for i in range(n)]), 2)


def test_kernel_by_hand():
    assert gaussian_kernel([[1.0, 2.0]], 3.0).tolist() == [[1.0]]
    assert gaussian_kernel([[0.0], [2.0]], 2.0)[0, 1] == pytest.approx(np.exp(-0.5), rel=1e-15)
    assert gaussian_kernel([[0.0], [3.0], [0.0]], 1.0)[0].tolist() == [1.0, pytest.approx(np.exp(-4.5)), 1.0]


def test_kernel_at_the_papers_bandwidth():
    # sigma = 1/(2 pi): k = exp(-2 pi^2 D^2)
    assert gaussian_kernel([[0.0], [0.3]], ONE_TURN)[0, 1] == pytest.approx(np.exp(-2 * np.pi**2 * 0.09), rel=1e-14)


def test_far_points_have_kernel_zero_without_overflow():
    assert gaussian_kernel([[0.0], [1e300]], 1e-300).tolist() == [[1, 0], [0, 1]]
    assert gaussian_kernel([[1e300], [-1e300]], 1e300)[0, 1] == pytest.approx(np.exp(-2.0))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda d: st.lists(
            st.lists(st.one_of(st.floats(-5, 5), st.sampled_from([0.0, 1e-9, 40.0, 1e160])), min_size=d, max_size=d),
            min_size=1,
            max_size=4,
        )
    ),
    st.sampled_from([1.0, 0.125, 7.3, 1e-3]),
)
def test_float_error_stays_below_its_bound(rows, sigma):
    X = np.array(rows)
    assert exact_kernel_error(X, sigma, gaussian_kernel(X, sigma)) <= gaussian_kernel_error(X, sigma)


def test_error_bound_is_informative_and_catches_the_expanded_square():
    X = 1e4 + np.random.default_rng(1).standard_normal((8, 3))
    assert exact_kernel_error(X, 1.0, gaussian_kernel(X, 1.0)) <= gaussian_kernel_error(X, 1.0) < 1e-13
    squares = (X**2).sum(axis=1)
    expanded = np.exp(-(squares[:, None] + squares - 2 * X @ X.T) / 2)
    assert exact_kernel_error(X, 1.0, expanded) > gaussian_kernel_error(X, 1.0)


def test_balls_agree_with_50_digits():
    balls = gaussian_kernel_balls([[0.0, 1.0], [0.5, 0.25]], 0.5, 200)
    with mpmath.workdps(50):
        low, high = interval(balls[0, 1])
        middle = (low + high) / 2
        assert abs(mpmath.mpf(middle.numerator) / middle.denominator - mpmath.exp(mpmath.mpf(-13) / 8)) < 1e-48


def test_shift_rotation_and_scaling_invariance():
    X = np.random.default_rng(2).integers(-9, 9, size=(6, 2)).astype(float)
    K = gaussian_kernel(X, 4.0)
    assert (gaussian_kernel(X + 17, 4.0) == K).all()
    assert (gaussian_kernel(8 * X, 32.0) == K).all()
    turned = X @ np.array([[3.0, 4.0], [-4.0, 3.0]])
    assert np.linalg.norm(gaussian_kernel(turned, 20.0) - K, 2) <= 2 * gaussian_kernel_error(X, 4.0)


def test_features_by_hand():
    cos, sin = fourier_features([[0.0], [0.25], [1e6 + 0.5]], [[1.0]])
    assert np.abs(cos[:, 0] - [1, 0, -1]).max() < 1e-16
    assert np.abs(sin[:, 0] - [0, 1, 0]).max() < 2e-16


def test_features_against_40_digits_at_large_phases():
    rng = np.random.default_rng(3)
    X, W = 100 * rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    cos, sin = fourier_features(X, W)
    with mpmath.workdps(40):
        for i, x in enumerate(X):
            for r, w in enumerate(W):
                phase = 2 * mpmath.pi * sum(mpmath.mpf(a) * mpmath.mpf(b) for a, b in zip(x, w, strict=True))
                allowed = 2 * np.pi * gamma(4) * np.linalg.norm(x) * np.linalg.norm(w) + 16 * 2.0**-53
                assert abs(mpmath.mpf(cos[i, r]) - mpmath.cos(phase)) <= allowed
                assert abs(mpmath.mpf(sin[i, r]) - mpmath.sin(phase)) <= allowed


@pytest.mark.parametrize("d", [1, 2])
def test_features_average_to_the_kernel_by_quadrature(d):
    # the trapezoidal rule converges geometrically for this integrand
    sigma, nodes = 0.7, np.linspace(-8.5, 8.5, 121)
    weight = np.exp(-(nodes**2) / 2) * (nodes[1] - nodes[0]) / np.sqrt(2 * np.pi)
    grid = np.stack(np.meshgrid(*[nodes] * d), axis=-1).reshape(-1, d) / (2 * np.pi * sigma)
    mass = np.stack(np.meshgrid(*[weight] * d), axis=-1).reshape(-1, d).prod(axis=1)
    X = np.random.default_rng(4).standard_normal((5, d))
    average = fourier_gram(X, grid, mass * len(grid))
    assert np.abs(average - gaussian_kernel(X, sigma)).max() < 1e-12


def test_grams_are_the_definition_across_chunks():
    rng = np.random.default_rng(5)
    X, W = rng.standard_normal((4, 2)), rng.standard_normal((CHUNK + 3, 2))
    weights = rng.random(len(W))
    cos, sin = fourier_features(X, W)
    z = cos - 1j * sin
    direct = (z * weights) @ z.conj().T / len(W)
    real, full = fourier_gram(X, W, weights), complex_fourier_gram(X, W, weights)
    assert (real == real.T).all()
    assert (full == full.conj().T).all()
    assert (full.real == real).all()
    assert np.abs(full - direct).max() <= gamma(4 * len(W))
    # the plain transpose is another matrix altogether
    assert np.abs(z @ z.T / len(W) - full).max() > 0.1


@pytest.mark.parametrize("sigma", [0.2, 3.0])
def test_frequencies_follow_the_normal_law(sigma):
    W = sample_frequencies(2, sigma, np.random.default_rng(6), 200_000)
    assert W.shape == (200_000, 2)
    # exact test of a true null: it fails for one key in 10^9
    assert kstest((W * 2 * np.pi * sigma).ravel(), "norm").pvalue > 1e-9
    # and it has power: five per cent in the bandwidth is seen
    assert kstest((W * 2 * np.pi * sigma * 1.05).ravel(), "norm").pvalue < 1e-9


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan")])
def test_bandwidth_must_be_positive(sigma):
    for call in (
        lambda: gaussian_kernel([[1.0]], sigma),
        lambda: gaussian_kernel_error([[1.0]], sigma),
        lambda: gaussian_kernel_balls([[1.0]], sigma, 64),
        lambda: sample_frequencies(1, sigma, np.random.default_rng(0), 1),
    ):
        with pytest.raises(ValueError, match="sigma must be positive and finite, got sigma ="):
            call()


def test_negative_weights_and_other_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"fourier_gram: weights must be >= 0, got -1\.0 at 0"):
        fourier_gram([[1.0]], [[1.0]], [-1.0])
    with pytest.raises(ValueError, match="fourier_features: W must have as many columns as X"):
        fourier_features([[1.0]], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="complex_fourier_gram: W must have as many columns"):
        complex_fourier_gram([[1.0]], [[1.0, 2.0]], [1.0])


def test_a_difference_beyond_the_float_range_is_refused_and_not_a_kernel_value_of_zero():
    with pytest.raises(OverflowError, match="gaussian_kernel: a difference of coordinates exceeds the float range"):
        gaussian_kernel([[1.5e308], [-1.5e308]], 1e308)  # the truth is exp(-4.5)
