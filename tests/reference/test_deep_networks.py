import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.arc_cosine import arc_cosine_kernel
from reference.deep_networks import (
    decaying_flow,
    deep_current_kernel,
    deep_descend,
    deep_initialisation,
    deep_outputs,
    deep_tangent_kernel,
    euler_products,
)
from reference.relu_tangent import tangent_kernel
from reference.tangent_predictors import TangentRegression


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


X3 = np.array([[1.0, 0.2, 0.0], [0.3, 1.0, -0.5], [-1.0, 0.4, 2.0]])


def test_D6_reference_values():
    # two points with |x||z| = 2.60162 and x.z = 2.36749, recovered from the values at L = 2 and 3; L = 4 is the check
    pair = np.array([[2.60161716, 0.0]]), on_circle(0.42749362)
    values = [deep_tangent_kernel(pair[0], L, pair[1])[0, 0] for L in (2, 3, 4)]
    assert values == pytest.approx([4.434, 6.266, 7.91], abs=5e-3)
    assert values[:2] == pytest.approx([4.434, 6.266], abs=1e-6)


def test_the_recursion_against_the_kernels_of_two_layers():
    assert deep_tangent_kernel(X3, 1) == pytest.approx(X3 @ X3.T, rel=1e-14)
    both = 2 * (tangent_kernel(X3) + arc_cosine_kernel(X3, 1))
    assert deep_tangent_kernel(X3, 2) == pytest.approx(both, rel=1e-13)
    for L in (1, 2, 3, 4, 9):
        assert np.diag(deep_tangent_kernel(X3, L)) == pytest.approx(L * (X3**2).sum(axis=1), rel=1e-13)
        assert deep_tangent_kernel(X3, L, X3) == pytest.approx(deep_tangent_kernel(X3, L), rel=1e-14)


@pytest.mark.parametrize("theta", [1e-6, 0.3, 1.5, 3.0])
def test_a_layer_is_a_gaussian_expectation(theta):
    # S_3 and its slope by sampling two correlated normals with the covariance S_2 of the layer below
    S2 = 2 * arc_cosine_kernel(on_circle(0, theta), 1)
    draws = np.random.default_rng(1).multivariate_normal([0, 0], S2, 200_000)
    products = 2 * np.prod(np.maximum(draws, 0), axis=1)
    both = 2.0 * (draws >= 0).all(axis=1)
    Theta2 = deep_tangent_kernel(on_circle(0, theta), 2)[0, 1]
    sample = Theta2 * both + products
    gap = deep_tangent_kernel(on_circle(0, theta), 3)[0, 1] - sample.mean()
    assert abs(gap) <= 6.5 * sample.std() / np.sqrt(len(sample))  # false alarm 1e-10


def test_near_parallel_points_keep_their_digits():
    # 1 - S_l / S_1 is th^2 / 2 to leading order at every depth, and Theta_2 = 2 - 2 th / pi + O(th^2)
    for theta in (1e-5, 1e-8):
        pair = np.array([[1.0, 0.0]]), np.array([[1.0, theta]])
        assert 2 - deep_tangent_kernel(pair[0], 2, pair[1])[0, 0] == pytest.approx(theta / np.pi, rel=3 * theta + 1e-7)
        # two steps down: Theta_3 = Theta_2 (1 - th/pi) + 1, off 3 by (1 + 2) th / pi
        assert 3 - deep_tangent_kernel(pair[0], 3, pair[1])[0, 0] == pytest.approx(
            3 * theta / np.pi, rel=9 * theta + 1e-7
        )


@pytest.mark.parametrize("L", [2, 3, 4])
def test_networks_have_the_kernel_of_the_recursion_on_average(L):
    rng = np.random.default_rng(L)
    X = on_circle(0.3, 1.5)
    H = np.array([deep_current_kernel(deep_initialisation(2, 200, L, rng), X) for _ in range(60)])
    error = H.std(axis=0) / np.sqrt(len(H))
    # on the diagonal, and for two layers everywhere, the mean is exact at any width; elsewhere off by O(1 / width)
    exact = np.ones((2, 2), bool) if L == 2 else np.eye(2, dtype=bool)
    gap = np.abs(H.mean(axis=0) - deep_tangent_kernel(X, L))
    assert (gap[exact] <= 7 * error[exact]).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_euler_every_layer_contributes_the_output(key, L):
    layers = deep_initialisation(3, 30, L, np.random.default_rng(key))
    f = deep_outputs(layers, X3)
    # 30 x 30 terms: rounding below 1e-12 of the layers' sizes
    assert euler_products(layers, X3) == pytest.approx(np.tile(f, (L, 1)), abs=1e-11)
    assert euler_products(layers, X3).sum(axis=0) == pytest.approx(L * f, abs=1e-11)
    assert deep_outputs([2 * W for W in layers], X3) == pytest.approx(2**L * f, rel=1e-14)
    H = deep_current_kernel(layers, X3)
    assert deep_current_kernel([2 * W for W in layers], X3) == pytest.approx(4 ** (L - 1) * H, rel=1e-13)


@pytest.mark.parametrize("L", [1, 2, 4])
def test_a_step_goes_down_the_gradient_of_the_loss(L):
    layers = deep_initialisation(3, 20, L, np.random.default_rng(7))
    Y, decay, step = np.array([1.0, -1.0, 0.5]), 0.3, 1e-3
    after = deep_descend(layers, X3, Y, decay=decay, step=step, steps=1).layers
    steepest = [(W - V) / step for W, V in zip(layers, after, strict=True)]

    def loss(t):
        moved = [W + t * G for W, G in zip(layers, steepest, strict=True)]
        return (np.square(Y - deep_outputs(moved, X3)).sum() + decay * sum(np.square(W).sum() for W in moved)) / 2

    slope = sum(np.square(G).sum() for G in steepest)
    # along a piece without kinks the loss is a polynomial of degree 2 L
    t = 1e-6
    assert (loss(t) - loss(-t)) / (2 * t) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("L", [2, 3])
def test_the_pull_on_the_outputs_is_the_kernels_and_lam_u(L):
    layers = deep_initialisation(3, 50, L, np.random.default_rng(8))
    Y, lam, step = np.array([1.0, -1.0, 0.5]), 0.4, 1e-7
    u = deep_descend(layers, X3, Y, decay=lam / L, step=step, steps=1).u
    velocity = (u[1] - u[0]) / step
    expected = deep_current_kernel(layers, X3) @ (Y - u[0]) - lam * u[0]
    assert velocity == pytest.approx(expected, rel=1e-4, abs=1e-4)
    # with lam instead of lam / L the pull is L lam u
    twin = deep_descend(layers, X3, Y, decay=lam, step=step, steps=1).u
    assert (twin[1] - u[1]) / step == pytest.approx(-(L - 1) * lam * u[0], rel=1e-4, abs=1e-4)


def test_E14_the_kernel_decays():
    # both layers of the network of GLSS: angles .3, 1.5, Y = (1, -1/2), lam = .05, T = 12
    X, Y, lam = on_circle(0.3, 1.5) / np.sqrt(2), [1.0, -0.5], 0.05
    Theta = deep_tangent_kernel(X, 2)
    u_star = TangentRegression(Theta, Y, kappa=1, lam=lam).predictor()
    assert u_star == pytest.approx([0.9359, -0.4535], abs=5e-5)
    layers = deep_initialisation(2, 64_000, 2, np.random.default_rng(9))
    u = deep_descend(layers, X, Y, decay=lam / 2, step=0.05, steps=240).u
    decayed = decaying_flow(Theta, Y, [12.0], lam=lam, L=2, start=u[0])[0]
    assert decaying_flow(Theta, Y, [12.0], lam=lam, L=2)[0] == pytest.approx([0.8975, -0.4270], abs=5e-4)
    # width enters as lam Theta^-1 dH of order 1e-3, the step as less; the decay is ten times larger
    assert np.abs(u[-1] - decayed).max() < 3e-3
    assert np.linalg.norm(u[-1] - u_star) > 0.035


def test_one_layer_does_not_decay():
    G = np.random.default_rng(10).standard_normal((3, 3))
    Theta, Y, u0, times = G @ G.T, [1.0, 2.0, -1.0], [0.5, 0.0, 1.0], [0.0, 0.1, 1.0, 7.0]
    frozen = TangentRegression(Theta, Y, kappa=1, lam=0.2).flow(times, u0)
    assert decaying_flow(Theta, Y, times, lam=0.2, L=1, start=u0) == pytest.approx(frozen, abs=1e-10)


@pytest.mark.parametrize("L", [2, 3, 5])
def test_the_decaying_flow_in_closed_form(L):
    # one mode: u' = -(mu g + lam) u + mu g y with int g = (1 - e^{-c t}) / c; integrate by quadrature
    mu, lam, t, y, u0 = 0.7, 0.1, 5.0, 1.3, -0.4
    c = 2 * (L - 1) * lam / L
    nodes, weights = np.polynomial.legendre.leggauss(60)
    s, ds = t * (nodes + 1) / 2, t * weights / 2

    def damping(now):
        return mu * (1 - np.exp(-c * now)) / c + lam * now

    expected = u0 * np.exp(-damping(t)) + (ds * np.exp(damping(s) - damping(t)) * mu * np.exp(-c * s) * y).sum()
    assert decaying_flow([[mu]], [y], [t], lam=lam, L=L, start=[u0])[0, 0] == pytest.approx(expected, abs=1e-10)
    assert abs(decaying_flow([[mu]], [y], [1000.0], lam=lam, L=L)[0, 0]) < 1e-3
    assert not decaying_flow([[mu]], [y], [0.0], lam=lam, L=L).any()


def test_what_is_refused():
    with pytest.raises(ValueError, match="deep_tangent_kernel: L must be at least 1, got L = 0"):
        deep_tangent_kernel(X3, 0)
    with pytest.raises(ValueError, match="angle: x must have no zero row"):
        deep_tangent_kernel([[0.0, 0.0]], 2)
    with pytest.raises(ValueError, match=r"deep_outputs: layers must lead from 3 numbers to 1, got shapes \[\(4, 2\)"):
        deep_outputs([np.ones((4, 2)), np.ones((1, 4))], X3)
    with pytest.raises(ValueError, match="deep_descend: steps must be at least 0, got steps = -1"):
        deep_descend([np.ones((1, 3))], X3, [1, 1, 1], decay=0.1, step=0.1, steps=-1)
    with pytest.raises(ValueError, match="decaying_flow: times must not decrease and L be at least 1"):
        decaying_flow([[1.0]], [1.0], [2.0, 1.0], lam=0.1, L=2)
