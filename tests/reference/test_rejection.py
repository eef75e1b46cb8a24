import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from reference.activation_cells import plane_cells
from reference.gaussian_fourier import gaussian_kernel, sample_frequencies
from reference.leverage import cell_leverage, fourier_leverage, statistical_dimension, tangent_leverage, whitener
from reference.rejection import absolute_form, envelope_fourier, envelope_tangent, rejection_sample
from reference.relu_tangent import activations, tangent_kernel


def all_patterns(n):
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.sampled_from([1e-6, 1e-2, 1.0, 50.0]), st.integers(0, 2**32))
def test_tangent_envelope_covers_every_pattern(n, d, lam, key):
    X = np.random.default_rng(key).standard_normal((n, d))
    B = whitener(tangent_kernel(X), lam)
    M = (B.T @ B) * (X @ X.T)
    s = all_patterns(n).astype(float)
    largest = ((s @ M) * s).sum(axis=1).max()
    assert largest * (1 - 1e-6) <= envelope_tangent(X, lam)


@pytest.mark.parametrize("n", [4, 8, 12])
def test_tangent_envelope_is_within_a_factor_of_the_largest_pattern(n):
    X = np.random.default_rng(n).standard_normal((n, 3))
    X /= np.linalg.norm(X, axis=1)[:, None]
    B = whitener(tangent_kernel(X), 0.05)
    s = all_patterns(n).astype(float)
    largest = ((s @ ((B.T @ B) * (X @ X.T))) * s).sum(axis=1).max()
    assert largest <= envelope_tangent(X, 0.05) <= 1.5 * largest


def test_tangent_envelope_of_one_point_is_its_leverage():
    # tau = ||x||^2 / (||x||^2 / 2 + lam) where active
    assert envelope_tangent([[3.0, 4.0]], 0.5) == pytest.approx(25 / 13, rel=1e-13)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 8), st.integers(1, 3), st.sampled_from([1e-4, 1e-2, 1.0, 50.0]), st.integers(0, 2**32))
def test_fourier_envelope_covers_random_and_aligned_frequencies(n, d, lam, key):
    rng = np.random.default_rng(key)
    X = rng.standard_normal((n, d))
    B = whitener(gaussian_kernel(X, 1.0), lam)
    W = np.vstack([rng.standard_normal((200, d)), 100 * rng.standard_normal((200, d)), np.zeros((1, d))])
    assert fourier_leverage(X, W, B).max() <= envelope_fourier(X, 1.0, lam)


def test_fourier_envelope_is_attained_by_alternating_points():
    # two points half a turn apart: phases (0, pi) are reached, where tau = sum |A^-1|
    X, lam = [[0.0], [0.5]], 0.1
    B = whitener(gaussian_kernel(X, 0.4), lam)
    assert fourier_leverage(X, [[1.0]], B)[0] == pytest.approx(envelope_fourier(X, 0.4, lam), rel=1e-12)


def test_absolute_form_bounds_every_vector_of_phases():
    rng = np.random.default_rng(1)
    B, e = np.tril(rng.standard_normal((6, 6))), rng.random(6)
    z = e[:, None] * np.exp(2j * np.pi * rng.random((6, 500)))
    assert (np.abs(B @ z) ** 2).sum(axis=0).max() <= e @ absolute_form(B) @ e


def test_rejection_draws_from_the_leverage_law_of_the_plane():
    X, lam, m = np.random.default_rng(2).standard_normal((4, 2)), 0.1, 20_000
    K, cells = tangent_kernel(X), plane_cells(X)
    B = whitener(K, lam)
    W, tau = rejection_sample(
        lambda rng, k: rng.standard_normal((k, 2)),
        lambda W: tangent_leverage(X, W, B),
        envelope_tangent(X, lam),
        np.random.default_rng(3),
        m,
    )
    assert W.shape == (m, 2)
    assert np.array_equal(tau, tangent_leverage(X, W, B))
    law = cells.probability * cell_leverage(cells, X, K, lam) / statistical_dimension(K, lam)
    index = {bytes(p): c for c, p in enumerate(cells.patterns)}
    counts = np.bincount([index[bytes(p)] for p in np.ascontiguousarray(activations(X, W).T)], minlength=len(index))
    drawn = law > 0
    assert counts[~drawn].sum() == 0
    # chi-square of a true null: fails for one key in 10^9; plain p is seen
    assert chisquare(counts[drawn], m * law[drawn] / law[drawn].sum()).pvalue > 1e-9
    plain = cells.probability[drawn]
    assert chisquare(counts[drawn], m * plain / plain.sum()).pvalue < 1e-9


def test_weights_average_to_one_in_the_rejection_sample():
    X, lam, m = np.array([[0.0], [0.4], [1.1]]), 0.05, 20_000
    K = gaussian_kernel(X, 0.5)
    B, s = whitener(K, lam), statistical_dimension(K, lam)
    _, tau = rejection_sample(
        lambda rng, k: sample_frequencies(1, 0.5, rng, k),
        lambda W: fourier_leverage(X, W, B),
        envelope_fourier(X, 0.5, lam),
        np.random.default_rng(4),
        m,
    )
    # E[s / tau] = 1 with values in [0, s (n + lam) / n]: Hoeffding at 1e-9
    width = s * (3 + lam) / 3
    assert abs((s / tau).mean() - 1) <= width * np.sqrt(np.log(2 / 1e-9) / (2 * m))


@pytest.mark.parametrize("m", [1, 255, 70_000])
def test_exactly_m_draws_are_returned(m):
    W, tau = rejection_sample(
        lambda rng, k: rng.standard_normal((k, 1)), lambda W: np.ones(len(W)), 1.5, np.random.default_rng(5), m
    )
    assert (len(W), len(tau)) == (m, m)


def test_what_is_refused():
    rng = np.random.default_rng(6)

    def draw(rng, k):
        return rng.standard_normal((k, 1))

    with pytest.raises(ValueError, match=r"envelope must bound tau, got envelope = 0\.5, tau = 1\.0"):
        rejection_sample(draw, lambda W: np.ones(len(W)), 0.5, rng, 1)
    with pytest.raises(ValueError, match="proposals in a row were refused"):
        rejection_sample(draw, lambda W: np.zeros(len(W)), 1.0, rng, 1)
    with pytest.raises(ValueError, match="m must be at least 1, got m = 0"):
        rejection_sample(draw, lambda W: np.ones(len(W)), 1.0, rng, 0)
    with pytest.raises(ValueError, match=r"envelope_fourier: lam must be positive and finite, got lam = 0"):
        envelope_fourier([[1.0]], 1.0, 0)
