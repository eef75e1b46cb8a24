from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from reference.relu_tangent import tangent_kernel
from reference.ridge_regression import exact_solve
from reference.tangent_predictors import TangentRegression, least_kernel_eigenvalue


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


INSTANCES = {
    "I1": (
        (0.3, 1.5),
        (1, -1),
        (0.388026356112834, 0.611973643887166),
        {0.1: (0.795093033916226411, -0.795093033916226411), 0.001: (0.997429480074326997, -0.997429480074326997)},
    ),
    "I2": (
        (0.3, 1.5, 2.9),
        (1, -1, 1),
        (0.341478455406179, 0.542296865615764, 0.616224678978057),
        {0.1: (0.764621666684752475, -0.772642800285903948, 0.786505630938318108)},
    ),
    "I3": (
        (0, 1.3, 2.5, 4.2),
        (1, -1, 1, -1),
        (0.308302567103677, 0.451788428799167, 0.596709463832041, 0.643199540265115),
        {0.1: (0.788543567442988965, -0.753122896443435872, 0.765394390272600329, -0.858635849117366566)},
    ),
}


@pytest.mark.parametrize("name", INSTANCES)
def test_reference_values(name):
    angles, labels, eigenvalues, predictors = INSTANCES[name]
    H = tangent_kernel(on_circle(*angles))
    assert np.linalg.eigvalsh(H) == pytest.approx(np.array(eigenvalues), abs=1e-14)
    low, high = least_kernel_eigenvalue(on_circle(*angles))
    assert low - F(1, 10**14) < F(eigenvalues[0]) < high + F(1, 10**14)
    assert high - low < F(1, 10**13)
    for lam, u in predictors.items():
        assert TangentRegression(H, labels, kappa=1, lam=lam).predictor() == pytest.approx(np.array(u), abs=1e-14)


def test_I0_and_I5():
    assert TangentRegression([[0.5]], [1], kappa=0.5, lam=0.1).predictor() == pytest.approx([5 / 9], rel=1e-15)
    u = TangentRegression(tangent_kernel(np.eye(2)), [3, -1], kappa=1, lam=0.1).predictor()
    assert u == pytest.approx(np.array([3, -1]) * 5 / 6, rel=1e-15)


@pytest.mark.parametrize(
    ("n", "value"),
    [(3, 1 / 3), (4, 1 / 2), (5, 0.3), (7, 0.0679), (9, 0.0394), (6, 0), (8, 0), (10, 0)],
)
def test_D1_equispaced_points_have_a_circulant_kernel(n, value):
    X = on_circle(*(2 * np.pi * np.arange(n) / n))
    low, high = least_kernel_eigenvalue(X)
    # the float points miss the circle's by 2^-52
    assert float(low) - 1e-14 <= np.fft.fft(tangent_kernel(X)[0]).real.min() <= float(high) + 1e-14
    assert (low + high) / 2 == pytest.approx(value, abs=5e-5 if n in (7, 9) else 1e-13)


def test_lambda_0_is_zero_on_antiparallel_planes_and_says_so():
    low, high = least_kernel_eigenvalue(on_circle(*(np.pi / 3 * np.arange(6))))
    assert low <= 0 <= high + F(1, 10**14)


def problem(key, n=4, rank=None):
    rng = np.random.default_rng(key)
    G = rng.standard_normal((n, rank or n))
    return {"H": G @ G.T / n, "Y": rng.standard_normal(n), "K": rng.standard_normal((2, rank or n)) @ G.T, "rng": rng}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1.0, 0.3]), st.sampled_from([0.5, 1e-3, 1e-9]))
def test_the_predictor_solves_its_equations(key, kappa, lam):
    p = problem(key)
    r = TangentRegression(p["H"], p["Y"], kappa=kappa, lam=lam)
    u, rest = r.predictor(), r.residual()
    exactly = [
        [F(x) * F(kappa) ** 2 + (F(lam) if i == j else 0) for j, x in enumerate(row)] for i, row in enumerate(p["H"])
    ]
    alpha = exact_solve(np.array(exactly, dtype=object), np.array([F(y) for y in p["Y"]], dtype=object)).astype(float)
    condition = np.linalg.cond(kappa**2 * p["H"] + lam * np.eye(4))
    room = 1e-14 * condition * np.linalg.norm(alpha)  # backward stable: some units of 2^-53
    assert np.linalg.norm(rest - lam * alpha) <= lam * room
    assert np.linalg.norm(u + rest - p["Y"]) <= 1e-14 * (1 + np.linalg.norm(p["Y"]) + np.linalg.norm(u))
    assert np.linalg.norm(r.predictor_at(p["K"]) - kappa**2 * p["K"] @ alpha) <= room * np.linalg.norm(p["K"])
    if condition < 1e6:
        assert kappa**2 * p["H"] @ rest == pytest.approx(lam * u, abs=1e-9)


def test_the_residual_keeps_its_digits_at_a_tiny_ridge():
    rest = TangentRegression(np.diag([0.5, 0.25]), [1, 1], kappa=1, lam=1e-15).residual()
    assert rest == pytest.approx([2e-15, 4e-15], rel=1e-13)


@pytest.mark.parametrize("rank", [4, 2])
def test_the_flow_solves_its_equation_with_any_start(rank):
    p = problem(7, rank=rank)
    kappa, lam, u0, t0 = 0.8, 0.2, p["rng"].standard_normal(4), p["rng"].standard_normal(2)
    A, times = kappa**2 * np.vstack([p["H"], p["K"]]), [0.0, 0.3, 1.0, 8.0]

    def velocity(_, u):
        return A @ (p["Y"] - u[:4]) - lam * u

    path = solve_ivp(velocity, (0, 8), np.hstack([u0, t0]), "DOP853", t_eval=times, rtol=1e-12, atol=1e-12).y.T
    r = TangentRegression(p["H"], p["Y"], kappa=kappa, lam=lam)
    assert r.flow(times, u0) == pytest.approx(path[:, :4], abs=1e-9)
    assert r.flow_at(p["K"], times, u0, t0) == pytest.approx(path[:, 4:], abs=1e-9)


def test_from_zero_it_is_the_flow_of_ridge_regression():
    p = problem(8)
    r = TangentRegression(p["H"], p["Y"], kappa=0.5, lam=0.1)
    times = [0.0, 1.0, 500.0]
    assert not r.flow(times)[0].any()
    assert not r.flow_at(p["K"], times)[0].any()
    w, Q = np.linalg.eigh(0.25 * p["H"] + 0.1 * np.eye(4))
    decayed = Q @ (np.exp(-w) * (Q.T @ r.predictor()))
    assert r.flow(times)[1] == pytest.approx(r.predictor() - decayed, abs=1e-13)
    assert r.flow(times)[2] == pytest.approx(r.predictor(), abs=1e-13)
    assert r.flow_at(p["K"], times)[2] == pytest.approx(r.predictor_at(p["K"]), abs=1e-13)
    # the test points may be the data themselves
    u0 = np.ones(4)
    assert r.flow_at(p["H"], times, u0, u0) == pytest.approx(r.flow(times, u0), abs=1e-13)


def test_D7_descent_is_the_recursion_and_tends_to_the_flow():
    p = problem(9)
    r, u0 = TangentRegression(p["H"], p["Y"], kappa=0.9, lam=0.05), np.array([1.0, 0.0, -2.0, 0.5])
    u = u0
    for row in r.descent(30, 0.2, u0):
        assert row == pytest.approx(u, abs=1e-12)
        u = u + 0.2 * (0.81 * p["H"] @ (p["Y"] - u) - 0.05 * u)
    gap = [np.abs(r.descent(k, 2 / k, u0)[-1] - r.flow([2.0], u0)[0]).max() for k in (200, 2000)]
    assert gap[1] < gap[0] / 5


def test_what_is_refused():
    with pytest.raises(ValueError, match="TangentRegression: H must be symmetric"):
        TangentRegression([[1, 0.5], [0.4, 1]], [1, 1], kappa=1, lam=1)
    with pytest.raises(ValueError, match="TangentRegression: Y must have length 1, got 2"):
        TangentRegression([[1]], [1, 1], kappa=1, lam=1)
    with pytest.raises(ValueError, match="TangentRegression: lam must be positive and finite, got lam = 0"):
        TangentRegression([[1]], [1], kappa=1, lam=0)
    r = TangentRegression([[1]], [1], kappa=1, lam=1)
    with pytest.raises(ValueError, match="flow: times must be >= 0"):
        r.flow([-1.0])
    with pytest.raises(ValueError, match="descent: steps must be at least 0, got steps = -1"):
        r.descent(-1, 0.1)
    with pytest.raises(ValueError, match="TangentRegression: K_test must have 1 columns, got 2"):
        r.predictor_at([[1, 2]])
    with pytest.raises(ValueError, match="TangentRegression: start must have length 1, got 2"):
        r.flow([1.0], [1, 2])
