"""Pools of random features: against exact rationals, with their error bounds; and the labels of real data."""

from fractions import Fraction

import numpy as np
import pytest

from reference.datasets import load
from reference.finite_features import from_features
from reference.gaussian_fourier import fourier_gram, gaussian_kernel, sample_frequencies
from reference.labels import labels
from reference.leverage import whitener
from reference.random_pool import RandomPool, fourier_pool


def small_pool(seed: int) -> RandomPool:
    """Three points, four features in two columns."""
    return RandomPool(features=np.random.default_rng([81, seed]).standard_normal((4, 2, 3)))


def exact(pool: RandomPool):
    phi = [[[Fraction(float(x)) for x in row] for row in block.T] for block in pool.features]
    return from_features([Fraction(1, pool.count)] * pool.count, phi)


def spectral_distance(rows, G) -> float:
    """The difference is formed exactly, so that its norm is good to many digits."""
    difference = [[x - Fraction(float(y)) for x, y in zip(*pair, strict=True)] for pair in zip(rows, G, strict=True)]
    return float(np.linalg.norm(np.array([[float(x) for x in row] for row in difference]), 2))


@pytest.mark.parametrize("seed", range(5))
def test_gram_matrices_are_within_their_error_of_the_exact_ones(seed):
    pool, world = small_pool(seed), exact(small_pool(seed))
    weights = np.random.default_rng([82, seed]).random(4) * [1, 0, 1e3, 1e-3]
    G = pool.gram(weights)
    assert np.array_equal(G, G.T)
    truth = [
        [
            sum((Fraction(float(w)) * M[a][b] for w, M in zip(weights, world.grams, strict=True)), Fraction(0))
            for b in range(3)
        ]
        for a in range(3)
    ]
    assert spectral_distance(truth, G) <= pool.gram_error(G) <= 1e-13 * np.trace(G)
    assert spectral_distance(world.kernel(), pool.kernel()) <= pool.gram_error(pool.kernel())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("lam", [2.0**-20, 0.125])
def test_leverage_is_within_its_error_of_the_exact_one(seed, lam):
    pool, world = small_pool(seed), exact(small_pool(seed))
    tau, error = pool.leverage(whitener(pool.kernel(), lam)), pool.leverage_error(lam)
    for found, truth in zip(tau, world.leverage(Fraction(lam)), strict=True):
        assert abs(Fraction(float(found)) - truth) <= Fraction(error) * truth
    assert error < 1e-6
    mean = float(tau.mean())
    assert mean == pytest.approx(float(world.statistical_dimension(Fraction(lam))), rel=error + 1e-14)


def test_a_fourier_pool_is_the_average_of_its_waves():
    X = load("diabetes", 6)
    pool = fourier_pool(X, 1.0, 16, np.random.default_rng(83))
    assert (pool.n, pool.count, pool.features.shape) == (6, 16, (16, 2, 6))
    W = sample_frequencies(10, 1.0, np.random.default_rng(83), 16)
    np.testing.assert_allclose(pool.kernel(), fourier_gram(X, W, np.ones(16)), rtol=0, atol=1e-14)
    np.testing.assert_allclose(pool.kernel().diagonal(), 1, rtol=0, atol=1e-14)


def test_a_large_pool_is_near_the_kernel_it_came_from():
    """Entries are means of N cosines: by Hoeffding one is off by t with probability at most 2 exp(-N t^2 / 2)."""
    X, N = load("digits", 8), 4096
    t = np.sqrt(2 * np.log(2 * 64 * 1e9) / N)
    pool = fourier_pool(X, 0.5, N, np.random.default_rng(84))
    assert np.abs(pool.kernel() - gaussian_kernel(X, 0.5)).max() <= t
    far = fourier_pool(X, 0.25, N, np.random.default_rng(84))
    assert np.abs(far.kernel() - gaussian_kernel(X, 0.5)).max() > t


def test_what_is_no_pool_is_refused():
    with pytest.raises(ValueError, match="must be finite"):
        RandomPool(features=np.full((1, 1, 1), np.nan))
    with pytest.raises(ValueError, match="3 axes"):
        RandomPool(features=np.ones((2, 2)))
    with pytest.raises(ValueError, match="N must be at least 1, got N = 0"):
        fourier_pool(np.ones((1, 1)), 1.0, 0, np.random.default_rng(1))
    with pytest.raises(ValueError, match="weights"):
        small_pool(0).gram([1.0, -1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="whitener must be 3 x 3"):
        small_pool(0).leverage(np.eye(2))


# -------------------------------------------------------------------------------------------------------- labels


@pytest.mark.parametrize(("name", "rows"), [("diabetes", 442), ("digits", 1797), ("breast_cancer", 569)])
def test_labels_are_those_of_the_rows(name, rows):
    from sklearn import datasets

    n = 20
    Y = labels(name, n)
    target = np.asarray(getattr(datasets, f"load_{name}")().target, dtype=float)
    taken = target[[i * (rows // n) for i in range(n)]]
    assert Y.shape == (n,)
    assert Y.mean() == pytest.approx(0, abs=1e-14)
    assert np.square(Y).sum() == pytest.approx(n, rel=1e-14)
    slope, shift = np.polyfit(taken, Y, 1)
    assert slope > 0
    np.testing.assert_allclose(slope * taken + shift, Y, rtol=0, atol=1e-12)


def test_labels_refuse_what_load_refuses_and_equal_targets():
    with pytest.raises(ValueError, match="name must be one of"):
        labels("iris", 5)
    with pytest.raises(ValueError, match="n must lie in"):
        labels("digits", 0)
    with pytest.raises(ValueError, match="two different targets of diabetes, got n = 1"):
        labels("diabetes", 1)
