import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.relu_tangent import tangent_kernel
from reference.two_layer import current_kernel, gradient, loss, network_covariance, outputs, patterns


def network(key, n=4, d=3, m=50):
    rng = np.random.default_rng(key)
    X = rng.standard_normal((n, d))
    return (
        X / np.linalg.norm(X, axis=1, keepdims=True),
        rng.choice([-1.0, 1.0], n),
        rng.standard_normal((m, d)),
        rng.choice([-1.0, 1.0], m),
        0.5 + rng.random(m),
    )


def test_I0_by_hand():
    x, one = [[1.0]], [1.0]
    assert outputs(x, one, x) == [1.0]
    assert 0.5 * outputs(x, one, x) == [0.5]
    assert loss(x, one, x, one, kappa=0.5, lam=0.1) == pytest.approx(0.5**2 / 2 + 0.1 / 2, rel=1e-15)
    assert gradient(x, one, x, one, kappa=0.5, lam=0.1) == pytest.approx(np.array([[-3 / 20]]), rel=1e-15)
    assert current_kernel(x, x) == [[1.0]]


def test_the_formulas_neuron_by_neuron():
    X, _, W, a, omega = network(1)
    f = [sum(a[r] * omega[r] * max(W[r] @ x, 0) for r in range(50)) / np.sqrt(50) for x in X]
    H = [
        [sum(omega[r] ** 2 * (x @ z) for r in range(50) if W[r] @ x >= 0 and W[r] @ z >= 0) / 50 for z in X] for x in X
    ]
    # 50 terms of size 1: rounding below 1e-13
    assert outputs(W, a, X, omega) == pytest.approx(np.array(f), abs=1e-13)
    assert current_kernel(W, X, omega=omega) == pytest.approx(np.array(H), abs=1e-13)
    assert current_kernel(W, X, X[:2], omega) == pytest.approx(np.array(H)[:, :2], abs=1e-13)
    assert patterns(W, X).tolist() == [[bool(W[r] @ x >= 0) for x in X] for r in range(50)]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_the_gradient_is_the_derivative_of_the_loss_off_the_kinks(key):
    X, Y, W, a, omega = network(key)
    direction = np.random.default_rng(key + 1).standard_normal(W.shape)
    given_by = {"kappa": 0.7, "lam": 0.05, "omega": omega}
    # between kinks the loss is a parabola, whose symmetric difference quotient is its slope
    reach = np.abs(W @ X.T) / np.maximum(np.abs(direction @ X.T), 1e-300)
    t = min(0.5 * reach.min(), 0.1)
    ahead, behind = (loss(W + s * direction, a, X, Y, **given_by) for s in (t, -t))
    slope = (gradient(W, a, X, Y, **given_by) * direction).sum()
    # a loss below 100, rounded at 1e-14 each, over 2 t
    assert (ahead - behind) / (2 * t) == pytest.approx(slope, abs=1e-11 / t)


def test_euler_the_network_is_one_homogeneous():
    X, Y, W, a, omega = network(2)
    # <df_i/dW, W> = f_i: the gradient at kappa = 1 with labels Y is lam W - sum_i rho_i df_i/dW
    rho = Y - outputs(W, a, X, omega)
    pulled = 0.1 * W - gradient(W, a, X, Y, kappa=1, lam=0.1, omega=omega)
    assert (pulled * W).sum() == pytest.approx(rho @ outputs(W, a, X, omega), abs=1e-12)
    assert outputs(2 * W, a, X) == pytest.approx(2 * outputs(W, a, X), rel=1e-15)
    assert outputs(W, -a, 4 * X) == pytest.approx(-4 * outputs(W, a, X), rel=1e-15)


def test_a_zero_product_counts_as_active():
    W, X = [[0.0, 1.0], [0.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]]
    assert patterns(W, X).tolist() == [[True, True], [True, False]]
    assert current_kernel(W, X).tolist() == [[1.0, 0.0], [0.0, 0.5]]


@pytest.mark.parametrize("m", [3, 2048, 5000])
def test_D1_on_orthogonal_data_the_kernel_is_exactly_diagonal_and_counts(m):
    W = np.random.default_rng(3).standard_normal((m, 4))
    X = np.diag([1.0, 2.0, 0.5])[:, [0, 1, 2, 2]] * [1, 1, 1, 0]
    expected = np.diag([1.0, 4.0, 0.25] * patterns(W, X).sum(axis=0) / m)
    assert np.array_equal(current_kernel(W, X), expected)
    assert np.array_equal(current_kernel(W, X, X), expected)


def test_D1_the_mean_of_the_kernel_is_the_tangent_kernel():
    m = 40_000
    rng = np.random.default_rng(4)
    X = rng.standard_normal((5, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    H = current_kernel(rng.standard_normal((m, 3)), X)
    # L-INIT: Hoeffding over 15 pairs, false alarm 1e-9
    assert (np.abs(H - tangent_kernel(X)) <= np.abs(X @ X.T) * np.sqrt(np.log(30 / 1e-9) / (2 * m)) + 1e-12).all()


def test_the_outputs_at_the_start_have_the_covariance_of_the_network():
    X, *_ = network(7, n=3)
    rng = np.random.default_rng(8)
    f = np.array([outputs(rng.standard_normal((30, 3)), rng.choice([-1.0, 1.0], 30), X) for _ in range(4000)])
    products = f[:, :, None] * f[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(f))
    assert (np.abs(products.mean(axis=0) - network_covariance(X)) <= 6.5 * error).all()  # false alarm 1e-9
    assert (np.abs(f.mean(axis=0)) <= 6.5 * np.sqrt(0.5 / len(f))).all()
    assert np.diag(network_covariance(X)) == pytest.approx(0.5, rel=1e-14)
    assert network_covariance(X, X[:1])[:, 0] == pytest.approx(network_covariance(X)[:, 0], rel=1e-14)


def test_E26_sizes_of_the_second_layer_scale_the_kernel():
    X, _, W, _, _ = network(5, m=4000)
    size = np.where(np.arange(4000) % 2, 1.0, 3.0)
    H = current_kernel(W, X, omega=size)
    even, odd = current_kernel(W[::2], X), current_kernel(W[1::2], X)
    assert pytest.approx((9 * even + odd) / 2, abs=1e-12) == H


def test_what_is_refused():
    X, Y, W, a, _ = network(6)
    with pytest.raises(ValueError, match=r"outputs: a must be \+1 or -1 .*, got -?0\.5 at 0"):
        outputs(W, 0.5 * a, X)
    with pytest.raises(ValueError, match=r"outputs: omega must be >= 0, got -1\.0 at 0"):
        outputs(W, a, X, -np.ones(50))
    with pytest.raises(ValueError, match="outputs: W must have as many columns as X, got 2 where X has 3"):
        outputs(W[:, :2], a, X)
    with pytest.raises(ValueError, match="loss: Y must have length 4, got 3"):
        loss(W, a, X, Y[:3], kappa=1, lam=0.1)
    with pytest.raises(ValueError, match="gradient: lam must be positive and finite, got lam = 0"):
        gradient(W, a, X, Y, kappa=1, lam=0)
    with pytest.raises(ValueError, match="current_kernel: Z must have as many columns"):
        current_kernel(W, X, X[:, :2])
