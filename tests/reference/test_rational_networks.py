from fractions import Fraction as F

import numpy as np
import pytest

from reference.rational_networks import RationalNetwork, fractions
from reference.ridge_regression import exact_solve
from reference.two_layer import current_kernel, gradient, outputs

I0 = RationalNetwork(
    X=fractions([[1]]), Y=fractions([1]), W=fractions([[1]]), a=fractions([1]), kappa=F(1, 2), lam=F(1, 10)
)
HALF = fractions([[F(1, 2)]])


def rational_network(key, n=3, d=2, m=9):
    rng = np.random.default_rng(key)

    def numbers(*shape):
        return fractions([[F(int(t), 8) for t in row] for row in 2 * rng.integers(-9, 9, shape) + 1])

    return RationalNetwork(
        X=numbers(n, d),
        Y=numbers(1, n)[0],
        W=numbers(m, d) + F(1, 97),  # off the kinks, or the class says so
        a=fractions(rng.choice([-1, 1], m).tolist()) * numbers(1, m)[0] ** 2,
        kappa=F(2, 3),
        lam=F(1, 7),
    )


def printed_right_side(network, H_cts, u_star, power):
    """The right side of (13)-(14), with kappa^power in front of the kernels (0 as printed, 2 corrected)."""
    u, factor = network.outputs(network.X), network.kappa**power
    H = network.kernel(network.X)
    e = u - u_star
    first = -2 * (factor * (e @ H @ e) + network.lam * (e @ e))
    return first, 2 * factor * (e @ (H - H_cts) @ (network.Y - u_star))


def test_I0_by_hand():
    assert I0.outputs(I0.X).tolist() == [F(1, 2)]
    assert I0.weight_velocity().tolist() == [[F(3, 20)]]
    assert I0.velocity(I0.X).tolist() == [F(3, 40)]
    assert I0.velocity(fractions([[2]])).tolist() == [F(3, 20)]
    assert I0.kernel(I0.X).tolist() == [[1]]
    u_star = fractions([F(5, 9)])
    assert I0.distance_velocity(u_star) == F(-1, 120)
    assert sum(printed_right_side(I0, HALF, u_star, 2)) == F(-1, 120)
    assert printed_right_side(I0, HALF, u_star, 2) == (F(-7, 3240), F(-1, 162))


def test_E1_the_printed_right_side_lacks_the_square_of_kappa():
    assert sum(printed_right_side(I0, HALF, fractions([F(5, 9)]), 0)) == F(-17, 540)


@pytest.mark.parametrize("key", range(5))
def test_the_flow_of_the_outputs_is_driven_by_the_current_kernel(key):
    network = rational_network(key)
    rho = network.Y - network.outputs(network.X)
    for Z in (network.X, fractions([[3, F(1, 5)], [-1, F(4, 3)]])):  # (14) and (16)
        driven = network.kappa**2 * (network.kernel(Z) @ rho) - network.lam * network.outputs(Z)
        assert driven.tolist() == network.velocity(Z).tolist()


@pytest.mark.parametrize("key", range(5))
def test_13_and_14_hold_for_any_limiting_kernel(key):
    network = rational_network(key)
    G = np.random.default_rng(key).integers(-3, 4, (3, 3))
    H_cts = fractions((G @ G.T).tolist())
    A = network.kappa**2 * H_cts + network.lam * fractions(np.eye(3, dtype=int).tolist())
    u_star = network.kappa**2 * (H_cts @ exact_solve(A, network.Y))
    assert sum(printed_right_side(network, H_cts, u_star, 2)) == network.distance_velocity(u_star)
    assert sum(printed_right_side(network, H_cts, u_star, 0)) != network.distance_velocity(u_star)


def test_it_equals_the_float_network():
    network = rational_network(11)
    X, Y, W = (np.array(part, dtype=float) for part in (network.X, network.Y, network.W))
    size = np.array(network.a, dtype=float)
    a, omega = np.sign(size), np.abs(size)
    # sums of 9 terms below 1e3: rounding below 1e-11
    assert 2 / 3 * outputs(W, a, X, omega) == pytest.approx(
        np.array(network.outputs(network.X), dtype=float), abs=1e-11
    )
    assert current_kernel(W, X, omega=omega) == pytest.approx(
        np.array(network.kernel(network.X), dtype=float), abs=1e-11
    )
    downhill = -gradient(W, a, X, Y, kappa=2 / 3, lam=1 / 7, omega=omega)
    assert downhill == pytest.approx(np.array(network.weight_velocity(), dtype=float), abs=1e-10)


def test_what_is_refused():
    with pytest.raises(ValueError, match="m must be a square number, got m = 2"):
        RationalNetwork(X=I0.X, Y=I0.Y, W=fractions([[1], [2]]), a=fractions([1, 1]), kappa=F(1), lam=F(1))
    with pytest.raises(ValueError, match=r"X, Y, W, a must be \(n, d\), \(n,\), \(m, d\), \(m,\), got"):
        RationalNetwork(X=I0.X, Y=I0.Y, W=I0.W, a=fractions([1, 1]), kappa=F(1), lam=F(1))
    with pytest.raises(ValueError, match=r"no neuron may lie on a kink, got w_0\.x = 0"):
        I0.outputs(fractions([[0]]))
    with pytest.raises(TypeError, match="exact: x must be"):
        fractions(["1/2"])
