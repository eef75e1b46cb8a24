import re

import numpy as np
import pytest

from reference.gaussian_fourier import (
    fourier_features,
    fourier_gram,
    gaussian_kernel,
    gaussian_kernel_error,
    sample_frequencies,
)
from reference.preconditions import gamma
from reference.random_features import modified_features
from reference.relu_tangent import CHUNK
from reference.user_features import UserFeatures

X = np.random.default_rng(1).standard_normal((5, 2))


def made(**changes):
    """Gaussian Fourier features, as a user would write them, with one part changed."""
    parts = {
        "phi": lambda X, W: np.stack(fourier_features(X, W), axis=-1),
        "sample": lambda rng, m: sample_frequencies(2, 1.0, rng, m),
        "kernel": lambda X: gaussian_kernel(X, 1.0),
        "kernel_error": lambda X: gaussian_kernel_error(X, 1.0),
    }
    return UserFeatures(**parts | changes)


def with_kernel(K, error=0.0):
    return made(kernel=lambda _: K, kernel_error=lambda _: error)


def test_answers_pass_through_unchanged():
    user = made()
    K, error = user.kernel_matrix(X)
    assert np.array_equal(K, gaussian_kernel(X, 1.0))
    assert error == gaussian_kernel_error(X, 1.0)
    W = user.draws(np.random.default_rng(2), 7)
    assert np.array_equal(W, sample_frequencies(2, 1.0, np.random.default_rng(2), 7))
    assert (user.features(X, W)[:, :, 1] == fourier_features(X, W)[1]).all()


def test_gram_is_the_definition_across_chunks():
    user, rng = made(), np.random.default_rng(3)
    W = user.draws(rng, 2 * CHUNK + 5)
    weights = rng.random(len(W))
    gram, psi = user.gram(X, W, weights), modified_features(user.features(X, W), weights)
    assert (gram == gram.T).all()
    assert np.abs(gram - psi @ psi.T).max() <= gamma(4 * len(W))
    assert np.abs(gram - fourier_gram(X, W, weights)).max() <= gamma(4 * len(W))


def test_gram_averages_to_the_kernel():
    user, m = made(), 50_000
    gram = user.gram(X, user.draws(np.random.default_rng(4), m), np.ones(m))
    # products of unit features lie in [-1, 1]; Hoeffding for 15 entries: false alarm below 1e-9
    allowed = np.sqrt(2 * np.log(2 * 15 / 1e-9) / m)
    assert np.abs(gram - user.kernel_matrix(X)[0]).max() <= allowed
    assert np.abs(gram - gaussian_kernel(X, 1.25)).max() > allowed


def test_permuting_points_permutes_the_gram():
    user, order = made(), [3, 0, 4, 1, 2]
    W = user.draws(np.random.default_rng(5), 100)
    turned = user.gram(X[order], W, np.ones(100))
    assert np.abs(turned - user.gram(X, W, np.ones(100))[np.ix_(order, order)]).max() < 1e-14


@pytest.mark.parametrize(
    ("K", "error"),
    [
        ([[1, 1], [1, 1]], 0.0),
        ([[0, 0], [0, 0]], 0.0),
        ([[0, 1], [1, 0]], 1.0),
        ([[1, 2], [2, 1]], 1.0),
        ([[1, 2], [2, 1]], 1.5),
    ],
)
def test_semidefinite_kernels_are_proven_at_the_boundary(K, error):
    assert with_kernel(K, error).kernel_matrix(X[:2])[0].tolist() == K


@pytest.mark.parametrize(
    ("K", "error"),
    [
        ([[1, 2], [2, 1]], 0.0),
        ([[1, 2], [2, 1]], 1 - 2.0**-50),
        ([[0, 1], [1, 0]], 0.0),
        ([[-1, 0], [0, 5]], 0.5),
        ([[1, 1e-30], [1e-30, 0]], 0.0),
        # graded: the least eigenvector in float64 is all rounding
        ([[2.5e-21, 5e-11, 0.5], [5e-11, 1, 5e9], [0.5, 5e9, 1e20]], 0.0),
    ],
)
def test_indefinite_kernels_are_refused_with_a_witness(K, error):
    with pytest.raises(ValueError, match="kernel must be positive semidefinite within") as refusal:
        with_kernel(np.array(K, dtype=float), error).kernel_matrix(X[: len(K)])
    value, vector = re.search(r"v = (\S+) for v = \[(.*)\]", str(refusal.value)).groups()
    assert float(value) < 0
    assert len(vector.split(",")) == len(K)


@pytest.mark.parametrize("name", ["phi", "sample", "kernel", "kernel_error"])
def test_parts_must_be_functions(name):
    with pytest.raises(TypeError, match=f"UserFeatures: {name} must be callable, got float"):
        made(**{name: 1.0})


@pytest.mark.parametrize(
    ("phi", "error", "message"),
    [
        (lambda X, W: np.zeros((len(W), len(X), 1)), ValueError, r"phi must have shape \(5, 3, d2\), got \(3, 5, 1\)"),
        (lambda X, W: np.zeros((len(X), len(W))), ValueError, "phi must have 3 axes"),
        (lambda X, W: np.full((len(X), len(W), 1), np.nan), ValueError, "phi must be finite"),
        (lambda X, W: np.ones((len(X), len(W), 1)) * 1j, TypeError, "phi must hold real numbers"),
    ],
)
def test_wrong_features_are_refused(phi, error, message):
    with pytest.raises(error, match=message):
        made(phi=phi).features(X, X[:3])


def test_wrong_draws_are_refused():
    with pytest.raises(ValueError, match=r"UserFeatures.draws: sample must return 4 rows, got 3"):
        made(sample=lambda *_: X[:3]).draws(np.random.default_rng(0), 4)
    with pytest.raises(ValueError, match="sample must have 2 axes"):
        made(sample=lambda rng, m: rng.standard_normal(m)).draws(np.random.default_rng(0), 4)


def test_wrong_kernels_are_refused():
    with pytest.raises(ValueError, match=r"kernel must be 5 x 5, got \(2, 2\)"):
        with_kernel(np.eye(2)).kernel_matrix(X)
    with pytest.raises(ValueError, match="kernel must be symmetric"):
        with_kernel([[1.0, 0.5], [0.25, 1.0]]).kernel_matrix(X[:2])
    for error in (-1e-9, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"kernel_error must be finite and >= 0, got {error}"):
            with_kernel(np.eye(2), error).kernel_matrix(X[:2])


def test_overflow_and_negative_weights_are_refused():
    with pytest.raises(OverflowError, match="an entry exceeds the float range"):
        made(phi=lambda X, W: np.full((len(X), len(W), 1), 1e200)).gram(X, X, np.ones(5))
    with pytest.raises(ValueError, match=r"UserFeatures.gram: weights must be >= 0, got -1\.0 at 0"):
        made().gram(X, X[:1], [-1.0])
