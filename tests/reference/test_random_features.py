from fractions import Fraction as F
from itertools import product

import numpy as np
import pytest

from reference.dominating import dominate_features
from reference.finite_features import from_features
from reference.gaussian_fourier import fourier_features, fourier_gram
from reference.random_features import modified_features
from reference.relu_tangent import activations, tangent_gram


def test_smallest_input_by_hand():
    # m = 2 draws of one number each, ratios 4 and 9
    psi = modified_features([[[1.0], [10.0]]], [4.0, 9.0])
    assert psi.tolist() == [pytest.approx([2 / np.sqrt(2), 30 / np.sqrt(2)])]


def test_columns_run_draw_by_draw():
    phi = np.arange(12.0).reshape(2, 3, 2)
    assert np.allclose(modified_features(phi, np.ones(3)) * np.sqrt(3), [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]])


def test_expectation_over_all_draws_is_the_kernel():
    phi = [[[1, 0], [2, 1]], [[0, 3], [1, 1]], [[1, 1], [-1, 2]]]
    world = from_features([F(1, 2), F(1, 3), F(1, 6)], phi)
    atoms = dominate_features(world, F(1, 7))
    table, m = np.array(phi, dtype=float), 2
    total = np.zeros((2, 2))
    for draw in product(range(3), repeat=m):
        j = list(draw)
        psi = modified_features(table[j].transpose(1, 0, 2), atoms.weights[j])
        total += atoms.law[j].prod() * psi @ psi.T
    assert np.allclose(total, np.array(world.kernel(), dtype=float), rtol=1e-13)
    # the square root forgotten is another matrix
    wrong = sum(q * w**2 * G for q, w, G in zip(atoms.law, atoms.weights, world.float_grams(), strict=True))
    assert not np.allclose(wrong, np.array(world.kernel(), dtype=float), rtol=1e-3)


def test_streamed_grams_equal_the_definition():
    rng = np.random.default_rng(1)
    X, W, ratio = rng.standard_normal((5, 3)), rng.standard_normal((40, 3)), rng.random(40)
    tangent = modified_features(activations(X, W)[:, :, None] * X[:, None, :], ratio)
    assert np.allclose(tangent @ tangent.T, tangent_gram(X, W, ratio), rtol=1e-13, atol=1e-14)
    fourier = modified_features(np.stack(fourier_features(X, W), axis=-1), ratio)
    assert np.allclose(fourier @ fourier.T, fourier_gram(X, W, ratio), rtol=1e-13, atol=1e-14)


def test_what_is_refused():
    with pytest.raises(ValueError, match="modified_features: phi must have 3 axes"):
        modified_features([[1.0]], [1.0])
    with pytest.raises(ValueError, match="modified_features: ratio must have length 2, got 1"):
        modified_features([[[1.0], [2.0]]], [1.0])
    with pytest.raises(ValueError, match=r"modified_features: ratio must be >= 0, got -1\.0 at 0"):
        modified_features([[[1.0]]], [-1.0])
