import numpy as np
import pytest
from scipy.special import gammaincc

from reference.leverage import cell_leverage, statistical_dimension, tangent_leverage, whitener
from reference.leverage_initialisation import leverage_initialisation
from reference.orthants import cells
from reference.relu_tangent import activations, tangent_kernel
from reference.two_layer import current_kernel, outputs


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


I2 = on_circle(0.3, 1.5, 2.9)
SPHERE = np.array([[1, 0.2, 0], [0.1, 1, -0.5], [0.3, -1, 1], [-1, 0.4, 0.2]])
ANTIPODAL = np.array([[0.0, -2.0], [1.0, 0.0], [-3.0, 0.0], [0.0, 0.0]])
M = 40_000


def p_value(counts, probability):
    """Pearson's chi square."""
    expected = counts.sum() * probability
    return gammaincc((len(counts) - 1) / 2, ((counts - expected) ** 2 / expected).sum() / 2)


@pytest.mark.parametrize(("X", "lam"), [(I2, 0.1), (I2[::-1], 0.001), (SPHERE, 0.05), (ANTIPODAL, 0.1), (3 * I2, 2.0)])
def test_cells_are_drawn_by_their_leverage(X, lam):
    neurons = leverage_initialisation(X, lam, M, np.random.default_rng(1))
    K, found = tangent_kernel(X), cells(X)
    mass = found.probability * cell_leverage(found, X, K, lam)
    s = statistical_dimension(K, lam)
    index = {bytes(pattern): c for c, pattern in enumerate(found.patterns)}
    drawn = np.ascontiguousarray(activations(X, neurons.W).T)
    counts = np.bincount([index[bytes(pattern)] for pattern in drawn], minlength=len(index))
    seen = mass > 1e-12
    assert not counts[~seen].any()
    # sound at 1e-9: cells have at least 100 expected draws, where Pearson's statistic has its law's tail
    assert (M * mass[seen] / s).min() > 100
    assert p_value(counts[seen], mass[seen] / s) > 1e-9
    tau = tangent_leverage(X, neurons.W, whitener(K, lam))
    assert neurons.omega == pytest.approx(np.sqrt(s / tau), rel=1e-9)


@pytest.mark.parametrize("X", [I2, SPHERE])
def test_inside_a_cell_the_law_is_gaussian(X):
    neurons = leverage_initialisation(X, 0.1, M, np.random.default_rng(2))
    d = X.shape[1]
    # the length is independent of the cell, chi with d degrees; Dvoretzky-Kiefer-Wolfowitz, false alarm 1e-9
    lengths = np.sort(np.linalg.norm(neurons.W, axis=1))
    cdf = 1 - gammaincc(d / 2, lengths**2 / 2)
    assert np.abs(cdf - (np.arange(M) + 0.5) / M).max() <= np.sqrt(np.log(2e9) / (2 * M)) + 1 / M
    # within the cell of the first neuron, the mean direction agrees with that of the Gaussian there
    W = np.random.default_rng(3).standard_normal((10 * M, d))
    pattern = activations(X, neurons.W[:1])[:, 0]
    inside, reference = (V[(pattern == activations(X, V).T).all(axis=1)] for V in (neurons.W, W))
    gap = inside.mean(axis=0) - reference.mean(axis=0)
    # a coordinate varies by at most 1 + its mean square; six deviations and more
    assert np.abs(gap).max() <= 7 * np.sqrt(1 / len(inside) + 1 / len(reference))


def test_in_the_plane_directions_are_uniform_on_each_arc():
    neurons = leverage_initialisation(I2, 0.1, M, np.random.default_rng(4))
    angle = np.arctan2(neurons.W[:, 1], neurons.W[:, 0])
    # boundaries lie at 2.9 - pi/2, 0.3 + pi/2 and 1.5 + pi/2
    for low, high, word in ((2.9 - np.pi / 2, 0.3 + np.pi / 2, "111"), (0.3 + np.pi / 2, 1.5 + np.pi / 2, "011")):
        inside = np.sort(angle[(low < angle) & (angle < high)])
        patterns = activations(I2, np.stack([np.cos(inside), np.sin(inside)], axis=1)).T
        assert {"".join("01"[int(b)] for b in row) for row in patterns} == {word}
        uniform = (inside - low) / (high - low)
        distance = np.abs(uniform - (np.arange(len(inside)) + 0.5) / len(inside)).max()
        assert distance <= np.sqrt(np.log(2e9) / (2 * len(inside))) + 1 / len(inside)


@pytest.mark.parametrize("X", [I2, SPHERE, np.eye(5)])
def test_the_weighted_kernel_has_the_mean_of_the_gaussian_one(X):
    neurons = leverage_initialisation(X, 0.1, M, np.random.default_rng(5))
    H = current_kernel(neurons.W, X, omega=neurons.omega)
    # Hoeffding with range max omega^2, false alarm 1e-9 over all entries
    width = np.abs(X @ X.T) * (neurons.omega**2).max() * np.sqrt(np.log(2 * X.shape[0] ** 2 / 1e-9) / (2 * M))
    assert (np.abs(H - tangent_kernel(X)) <= width + 1e-12).all()


def test_the_weights_lie_within_their_bounds():
    # unit data: s (L0 + lam) / n <= p / q <= s (||H|| + lam)
    neurons = leverage_initialisation(I2, 0.1, 1000, np.random.default_rng(6))
    H = tangent_kernel(I2)
    s, mu = statistical_dimension(H, 0.1), np.linalg.eigvalsh(H)
    assert s * (mu[0] + 0.1) / 3 <= (neurons.omega**2).min() * (1 + 1e-12)
    assert (neurons.omega**2).max() <= s * (mu[-1] + 0.1) * (1 + 1e-12)


def test_one_point_gives_the_half_space():
    # q = 2 p on w.x >= 0, omega = 1 / sqrt 2
    for X in ([[1.0]], [[0.6, 0.8]], [[1.0, 2.0, 2.0]]):
        neurons = leverage_initialisation(X, 0.3, 500, np.random.default_rng(7))
        assert (neurons.W @ np.array(X[0]) >= -1e-12).all()
        assert neurons.omega == pytest.approx(np.full(500, np.sqrt(0.5)), rel=1e-12)


def test_I5_weights_by_hand():
    # tau = 10/3, 5/3, 5/3, 0 and s = 5/3: omega^2 = 1/2 or 1, and the empty cell is never drawn
    neurons = leverage_initialisation(np.eye(2), 0.1, 2000, np.random.default_rng(8))
    both = (neurons.W >= 0).all(axis=1)
    assert (neurons.W >= 0).any(axis=1).all()
    assert neurons.omega**2 == pytest.approx(np.where(both, 0.5, 1.0), rel=1e-12)


def test_the_first_outputs_have_the_variance_of_the_gaussian_start():
    rng = np.random.default_rng(9)
    neurons = leverage_initialisation(I2, 0.1, M, rng)
    f = [outputs(neurons.W, rng.choice([-1.0, 1.0], M), I2, neurons.omega) for _ in range(200)]
    # 200 draws of the signs at one W: chi square with 200 degrees over 200, mean 1/2; seven deviations
    assert np.abs(np.mean(np.square(f), axis=0) - 0.5).max() <= 0.5 * 7 * np.sqrt(2 / 200)


def test_what_is_refused():
    rng = np.random.default_rng(10)
    with pytest.raises(ValueError, match="leverage_initialisation: X must have a row that is not zero, got none"):
        leverage_initialisation(np.zeros((2, 2)), 0.1, 5, rng)
    with pytest.raises(ValueError, match="leverage_initialisation: m must be at least 1, got m = 0"):
        leverage_initialisation(I2, 0.1, 0, rng)
    with pytest.raises(ValueError, match="lam must be positive and finite, got lam = 0"):
        leverage_initialisation(I2, 0, 5, rng)
