from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import chisquare, kstest

from reference.dominating_grid import PiecewiseConstant, piecewise_constant
from reference.gaussian_fourier import gaussian_kernel, sample_frequencies
from reference.leverage import fourier_leverage, leverage_relative_error, statistical_dimension, whitener


def adversarial_frequencies(grid, rng):
    """Cell edges and their neighbours, corners, far away, and random places in between."""
    d, edges = grid.tau.ndim, grid.edges
    one = np.concatenate([edges, np.nextafter(edges, 9e9), np.nextafter(edges, -9e9), [0.0, 50.0, -1e3]])
    corners = rng.choice(one, size=(4000, d))
    mixed = np.where(rng.random((4000, d)) < 0.5, corners, rng.uniform(edges[0], edges[-1], (4000, d)))
    return np.vstack([corners, mixed, rng.uniform(edges[0], edges[-1], (4000, d))]) / grid.scale


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 6),
    st.sampled_from([0.3, 1.0, 4.0]),
    st.sampled_from([1e-4, 1e-2, 1.0, 30.0]),
    st.sampled_from([8, 64, 1000]),
    st.integers(0, 2**32),
)
def test_the_step_function_dominates_everywhere(d, n, sigma, lam, cells, key):
    rng = np.random.default_rng(key)
    X = rng.standard_normal((n, d))
    if n > 1 and key % 2:
        X[1] = X[0]  # duplicates
    K = gaussian_kernel(X, sigma)
    grid = piecewise_constant(X, sigma, lam, cells)
    W = adversarial_frequencies(grid, rng)
    tau = fourier_leverage(X, W, whitener(K, lam))
    # the computed tau itself carries this relative error, and rounded phases 2 pi gamma_d |w||x| more
    phases = 1e-14 * (1 + np.linalg.norm(W, axis=1).max() * np.linalg.norm(X)) * n / min(lam, 1)
    allowed = leverage_relative_error(K, lam, d, 0.0) + phases
    assert (tau <= grid.tau_tilde(W) * (1 + allowed)).all()
    assert grid.integral[0] <= grid.integral[1]
    assert float(grid.integral[1]) >= statistical_dimension(K, lam) * (1 - 1e-9)


@pytest.mark.parametrize(("n", "ratio"), [(8, 1e-2), (8, 1e-4), (32, 1e-4)])
def test_8192_cells_in_one_dimension_cost_two_per_mille(n, ratio):
    X = np.random.default_rng(n).standard_normal((n, 1))
    K = gaussian_kernel(X, 1.0)
    lam = ratio * np.linalg.norm(K, 2)
    grid = piecewise_constant(X, 1.0, lam, 8192)
    assert 1 <= float(grid.integral[1]) / statistical_dimension(K, lam) < 1.002


def test_more_cells_cost_less():
    X = np.random.default_rng(1).standard_normal((6, 2))
    integrals = [float(piecewise_constant(X, 1.0, 0.01, cells).integral[1]) for cells in (64, 1024, 16384)]
    assert integrals == sorted(integrals, reverse=True)
    assert integrals[-1] < 1.2 * statistical_dimension(gaussian_kernel(X, 1.0), 0.01)


def test_one_point_has_constant_leverage():
    grid = piecewise_constant([[5.0]], 1.0, 0.25, 4)
    assert grid.tau == pytest.approx([0.8] * 4, rel=1e-12)
    assert float(grid.integral[1]) == pytest.approx(0.8, rel=1e-12)


def test_masses_are_those_of_the_normal_law():
    grid = piecewise_constant(np.zeros((1, 2)), 1.0, 1.0, 400)
    assert grid.mass.shape == (20, 20)
    axis = np.diff(ndtr(grid.edges))
    assert np.allclose(grid.mass, np.outer(axis, axis), rtol=1e-10)
    assert np.allclose(grid.mass, grid.mass[::-1, ::-1], rtol=1e-15)
    assert grid.mass.sum() + grid.mass_outside == pytest.approx(1, abs=1e-14)


def test_integral_encloses_the_sum_of_its_own_parts():
    grid = piecewise_constant(np.random.default_rng(2).standard_normal((3, 2)), 0.5, 0.1, 100)
    exact = sum(F(float(p)) * F(float(t)) for p, t in zip(grid.mass.ravel(), grid.tau.ravel(), strict=True))
    exact += F(grid.mass_outside) * F(grid.tau_outside)
    assert grid.integral[0] < exact < grid.integral[1]
    assert grid.integral[1] - grid.integral[0] < exact / 2**40


def hand_made(d):
    """A coarse grid with a heavy outside, so that every branch of the sampler is exercised."""
    edges = np.array([-0.8, 0.0, 0.8])
    axis = np.diff(ndtr(edges))
    mass = axis if d == 1 else np.multiply.outer(axis, axis)
    tau = np.array([1.0, 3.0]) if d == 1 else np.array([[1.0, 3.0], [2.0, 0.5]])
    outside, heavy = 1 - mass.sum(), 1.5
    integral = F(float((mass * tau).sum() + outside * heavy))
    return PiecewiseConstant(
        scale=2 * np.pi * 0.3,
        edges=edges,
        tau=tau,
        tau_outside=heavy,
        mass=mass,
        mass_outside=float(outside),
        integral=(integral, integral),
    )


@pytest.mark.parametrize("d", [1, 2])
def test_sampler_law_on_a_hand_made_grid(d):
    m, grid = 40_000, hand_made(d)
    W, weights = grid.sample(m, np.random.default_rng(3))
    assert np.allclose(weights * grid.tau_tilde(W), float(grid.integral[1]), rtol=1e-14)
    # bins: a finer product grid; under q_bar a bin has mass p(bin) tau_tilde / s
    cuts = np.array([-np.inf, -1.5, -0.8, -0.3, 0.0, 0.4, 0.8, 1.2, np.inf])
    middle = np.array([-2.0, -1.0, -0.5, -0.1, 0.2, 0.6, 1.0, 2.0])
    axis = np.diff(ndtr(cuts))
    centres = np.stack(np.meshgrid(*[middle] * d, indexing="ij"), axis=-1).reshape(-1, d)
    p = np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d).prod(axis=1)
    law = p * grid.tau_tilde(centres / grid.scale) / float(grid.integral[1])
    index = np.searchsorted(cuts, W * grid.scale) - 1
    counts = np.bincount(np.ravel_multi_index(tuple(index.T), (8,) * d), minlength=8**d)
    # chi-square of a true null: fails for one key in 10^9; the law p is seen
    assert chisquare(counts, m * law / law.sum()).pvalue > 1e-9
    assert chisquare(counts, m * p).pvalue < 1e-9


def test_sampler_law_inside_the_cells_is_normal():
    grid = hand_made(1)
    W, _ = grid.sample(40_000, np.random.default_rng(4))
    z = np.sort(W[:, 0] * grid.scale)
    knots = np.array([-np.inf, -0.8, 0.0, 0.8, np.inf])
    density = np.array([grid.tau_outside, *grid.tau, grid.tau_outside]) / float(grid.integral[1])
    heap = np.concatenate([[0.0], np.cumsum(np.diff(ndtr(knots)) * density)])

    def distribution(t):
        k = np.searchsorted(knots, t, side="right") - 1
        return heap[k] + (ndtr(t) - ndtr(knots[k])) * density[k]

    # Kolmogorov-Smirnov of a true null: fails for one key in 10^9; the plain normal law is seen
    assert kstest(z, distribution).pvalue > 1e-9
    assert kstest(z, "norm").pvalue < 1e-9


def test_weights_of_a_real_grid_average_to_one():
    m, X = 50_000, np.random.default_rng(5).standard_normal((8, 1))
    grid = piecewise_constant(X, 1.0, 0.01, 512)
    _, weights = grid.sample(m, np.random.default_rng(6))
    # E_q_bar[p / q_bar] = 1, values in [0, s / min tau]: Hoeffding at 1e-9
    width = float(grid.integral[1]) / grid.tau.min()
    assert abs(weights.mean() - 1) <= width * np.sqrt(np.log(2 / 1e-9) / (2 * m))


def test_draws_reproduce_the_kernel_better_than_p_does():
    X, lam = np.random.default_rng(7).standard_normal((8, 1)), 1e-3
    grid = piecewise_constant(X, 1.0, lam, 4096)
    K = gaussian_kernel(X, 1.0)
    B = whitener(K, lam)
    W, weights = grid.sample(4000, np.random.default_rng(8))
    plain = sample_frequencies(1, 1.0, np.random.default_rng(9), 4000)
    # every whitened summand of the leverage sample is bounded by s_q_tilde, of the plain one only by its envelope
    assert (weights * fourier_leverage(X, W, B)).max() <= float(grid.integral[1]) * (1 + 1e-9)
    assert fourier_leverage(X, plain, B).max() > 2 * float(grid.integral[1])


def test_what_is_refused():
    with pytest.raises(ValueError, match="at most 3 columns, got d = 4"):
        piecewise_constant(np.zeros((1, 4)), 1.0, 1.0, 100)
    with pytest.raises(ValueError, match=r"cells must be at least 2\^d = 4, got cells = 3"):
        piecewise_constant(np.zeros((1, 2)), 1.0, 1.0, 3)
    with pytest.raises(ArithmeticError, match="well enough conditioned"):
        piecewise_constant(np.zeros((4, 1)), 1.0, 2.0**-50, 8)
    with pytest.raises(ValueError, match="W must have 1 columns, got 2"):
        hand_made(1).tau_tilde([[1.0, 2.0]])
