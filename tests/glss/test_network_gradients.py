"""The finite network: its definition, loss and gradient against the reference objects, and (10) without its square."""

from fractions import Fraction as F

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from reference import two_layer
from theorems.checking.claims import decide
from theorems.glss.equation_6_regularised_loss import STATEMENT as EQ6
from theorems.glss.equation_6_regularised_loss import gradient
from theorems.glss.equation_10_as_printed import PRINTED, interpolant, minimiser_of_7, value
from theorems.glss.equation_10_as_printed import STATEMENT as AS_PRINTED
from theorems.glss.equation_10_reweighed_loss import instances as reweighed
from theorems.glss.equation_10_reweighed_loss import modified_features
from theorems.glss.flow_moments import instances as moments
from theorems.glss.flow_moments import moment
from theorems.glss.network_moments import ALIGNED, HALF_SEEN, everything, loss, network, short_step
from theorems.glss.section_3_2_1_two_layer_network import STATEMENT as NET
from theorems.glss.tangent_instances import ORTHONORMAL, POINT, SQUARE, lattice
from theorems.statement import Answer

EVERY = [*moments("night"), *reweighed("night")]


def parts(x):
    W, X, Y, a = (np.array(M, float) for M in (x.W, x.X, x.Y, x.a))
    return W, np.sign(a), X, Y, np.abs(a)


@pytest.mark.parametrize("x", EVERY, ids=lambda x: x.name)
def test_the_float_network_has_the_same_output_loss_and_gradient(x):
    W, a, X, Y, omega = parts(x)
    given = {"kappa": float(x.kappa), "lam": float(x.lam), "omega": omega}
    exact = network(x.network.W, x.network.a, x.network.X)
    np.testing.assert_allclose(two_layer.outputs(W, a, X, omega), exact.astype(float), rtol=1e-14, atol=1e-14)
    assert two_layer.loss(W, a, X, Y, **given) == pytest.approx(float(loss(x, x.network.W)), rel=1e-14)
    np.testing.assert_allclose(two_layer.gradient(W, a, X, Y, **given), gradient(x).astype(float), atol=1e-13)


@pytest.mark.parametrize("x", EVERY, ids=lambda x: x.name)
def test_modified_features_have_the_kernel_of_the_reference(x):
    W, _, _, _, omega = parts(x)
    Z = everything(x).astype(float)
    Psi = modified_features(x, np.abs(x.network.a)).astype(float)
    np.testing.assert_allclose(Psi @ Psi.T, two_layer.current_kernel(W, Z, omega=omega), atol=1e-13)


@pytest.mark.parametrize("x", EVERY, ids=lambda x: x.name)
def test_a_short_step_meets_no_kink_and_twice_as_long_a_one_does(x):
    X, W, h = x.network.X, x.network.W, short_step(x)
    signs, met = X @ W.T > 0, []
    for r, k in np.ndindex(W.shape):
        for step in (h, -h, 2 * h, -2 * h):
            e = 0 * W
            e[r, k] = step
            products = X @ (W + e).T
            if abs(step) == h:
                assert (products != 0).all()
                assert ((products > 0) == signs).all()
            met.append((products == 0).any())
    assert any(met)


def test_the_bound_of_the_output_is_attained():
    last = NET.conclusion.claims(ALIGNED)[-1]
    assert last.left == last.right == 2500


def test_homogeneity_holds_on_kinks():
    W, a, X = (np.array(M, dtype=object) for M in ([[F(0), F(1)]], [F(2)], [[F(3), F(0)]]))
    assert network(W, a, X) == network(5 * W, a, X) == [0]


def test_the_loss_is_not_convex():
    """HALF_SEEN: w = 1 predicts the label, w = -1 and w = 0 predict 0."""
    W = HALF_SEEN.network.W
    assert [loss(HALF_SEEN, c * W) for c in (1, 0, -1)] == [F(1, 20), F(1, 2), F(11, 20)]


def test_a_kink_is_refused_by_name():
    on_kink = moment("k", "k", X=[[1, 0]], new=[[1, 0]], Y=[1], W=[[0, 1]], a=[1], kappa=F(1), lam=F(1, 2))
    for s in (NET, EQ6):
        assert s.violated(on_kink) == ["no neuron may lie on a kink of a point, got w_0"]


# --------------------------------------------------------------------------------------------- (10) as printed


def test_e2_reference_values():
    """The printed objective is least at u = 1, the squared one at u = 5/6."""
    fit, _ = minimiser_of_7(POINT)
    assert fit.rest == F(1, 36)
    assert value(PRINTED, POINT.lam, interpolant(POINT)) == (F(1, 10), F(1, 10))
    low, high = value(PRINTED, POINT.lam, fit)
    assert low <= F(11, 72) <= high

    def objective(u, power):
        return abs(1 - u) ** power / 2 + 0.1 / 2 * u**2 / 0.5  # the least beta with prediction u has u^2 / K

    options = {"bounds": (0, 2), "method": "bounded", "options": {"xatol": 1e-9}}
    assert minimize_scalar(objective, args=(1,), **options).x == pytest.approx(1, abs=1e-6)
    assert minimize_scalar(objective, args=(2,), **options).x == pytest.approx(5 / 6, abs=1e-6)


def test_the_print_is_right_where_half_of_the_labels_is_left():
    """Y = 3: ||Y - u*|| = 1/2, and there alone the two objectives agree in their derivative."""
    x = lattice("coincidence", "Y = 3", X=[[1]], new=[[1]], Y=[3])
    derivative, _ = AS_PRINTED.conclusion.claims(x)
    assert decide(derivative).answer is Answer.IN
    assert AS_PRINTED.violated(x) == ["||Y - u*|| must not be 0 or 1/2, got its square 1/4"]


@pytest.mark.parametrize("x", [ORTHONORMAL, SQUARE], ids=lambda x: x.name)
def test_the_printed_objective_is_lower_elsewhere(x):
    """Minimise it over predictions in floats: the least value lies below that of u*, as the derivative says."""
    H = float(x.kappa) ** 2 * np.array(x.data.kernel, float)
    Y = np.array([float(y) for y in x.Y])
    lam = float(x.lam)

    def objective(u):
        return np.linalg.norm(Y - u) / 2 + lam / 2 * u @ np.linalg.solve(H, u)

    u_star = H @ np.linalg.solve(H + lam * np.eye(x.n), Y)
    low, high = value(PRINTED, x.lam, minimiser_of_7(x)[0])
    assert objective(u_star) == pytest.approx(float(low), rel=1e-12)
    assert float(high - low) < 1e-50
    found = minimize(objective, u_star, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    assert found.fun < float(low) - 1e-3
