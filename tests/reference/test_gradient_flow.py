import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import cumulative_simpson

from reference.gradient_descent import descend
from reference.gradient_flow import flow
from reference.relu_tangent import tangent_kernel
from reference.tangent_predictors import TangentRegression
from reference.two_layer import current_kernel, outputs


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def case(key, n, d, m):
    rng = np.random.default_rng(key)
    return {
        "X": rng.standard_normal((n, d)),
        "Y": rng.standard_normal(n),
        "W": rng.standard_normal((m, d)),
        "a": rng.choice([-1.0, 1.0], m),
        "omega": 0.3 + rng.random(m),
        "X_test": rng.standard_normal((2, d)),
    }


@pytest.mark.parametrize(
    ("key", "n", "d", "m"),
    [(1, 1, 1, 30), (2, 2, 2, 100), (3, 3, 2, 200), (4, 4, 2, 200), (5, 4, 3, 200), (6, 3, 3, 5), (7, 6, 4, 100)],
)
def test_it_is_the_limit_of_gradient_descent(key, n, d, m):
    given_by = case(key, n, d, m) | {"kappa": 0.8, "lam": 0.1}
    path = flow(times=[1.0, 4.0], **given_by)
    errors = []
    for steps in (200, 2000):
        run = descend(step=4 / steps, steps=steps, **given_by)
        gap = np.hstack([run.u, run.u_test])[[steps // 4, steps]] - np.hstack([path.u, path.u_test])
        errors.append(np.abs(gap).max())
    assert path.events > 0
    # first order in the step, 1/10, with room for a neuron that chatters
    assert errors[1] < 0.02
    assert errors[1] < errors[0] / 4
    assert np.linalg.norm(path.v - run.v, axis=1).max() < 0.05


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([1, 7, 60]))
def test_how_often_it_looks_does_not_matter(key, n, m):
    given_by = case(key, n, 3, m) | {"kappa": 1.0, "lam": 0.1, "times": [0.5, 3.0, 9.0]}
    usual = flow(**given_by)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reference.gradient_flow.SCANS", 61)
        often = flow(**given_by)
    assert often.u == pytest.approx(usual.u, abs=1e-9)
    assert often.displacement == pytest.approx(usual.displacement, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_asking_in_between_does_not_matter(key, n):
    given_by = case(key, n, 2 if n > 1 else 1, 40) | {"kappa": 1.0, "lam": 0.1}
    once, often = flow(times=[4.0], **given_by), flow(times=np.linspace(0, 4, 9), **given_by)
    assert often.u[-1] == pytest.approx(once.u[0], abs=1e-9)
    u0 = outputs(given_by["W"], given_by["a"], given_by["X"], given_by["omega"])
    assert often.u[0] == pytest.approx(u0, abs=1e-12)
    assert often.displacement[0] < 1e-12


def test_the_current_kernel_drives_the_outputs():
    given_by = case(8, 3, 2, 300) | {"kappa": 0.7, "lam": 0.2}
    Y = given_by["Y"]
    times = np.linspace(0, 6, 6001)
    path = flow(times=times, **given_by)
    assert path.sliding.any()  # so that the projections were tried
    driven = 0.49 * np.einsum("kij,kj->ki", path.kernels, Y - path.u) - 0.2 * path.u
    # integrate (kappa^2 H (Y - u) - lam u) again; H jumps at events by at most max omega^2 |x|^2 / m
    again = path.u[0] + np.vstack([np.zeros(3), np.cumsum((driven[1:] + driven[:-1]) / 2, axis=0) * 1e-3])
    jump = 0.49 * 1.3**2 * np.square(given_by["X"]).sum() / 300 * np.abs(Y - path.u).sum(axis=1).max()
    assert np.abs(again - path.u).max() <= path.events * jump * 1e-3 + 1e-5
    # and (13)-(14), integrated over time
    H_cts = tangent_kernel(given_by["X"])
    u_star = TangentRegression(H_cts, Y, kappa=0.7, lam=0.2).predictor()
    e = path.u - u_star
    first = -2 * (0.49 * np.einsum("ki,kij,kj->k", e, path.kernels, e) + 0.2 * (e * e).sum(axis=1))
    second = 2 * 0.49 * np.einsum("ki,kij,j->k", e, path.kernels - H_cts, Y - u_star)
    distance = (e * e).sum(axis=1)
    change = cumulative_simpson(first + second, x=times, initial=0)
    room = 2 * np.linalg.norm(e, axis=1).max() * (path.events * jump * 1e-3 + 1e-5)
    assert np.abs(distance[0] + change - distance).max() <= room


def test_without_events_it_is_the_flow_of_a_frozen_kernel():
    # neurons far from all boundaries do not move that far
    X, Y = np.array([[1.0, 0.1], [0.2, 1.0]]), [1.0, -1.0]
    W = np.array([[9.0, 9.0], [-9.0, 9.0], [9.0, -9.0], [-9.0, -9.0]])
    a, times = [1.0, -1.0, -1.0, 1.0], [0.0, 0.7, 3.0]
    path = flow(X, Y, W, a, kappa=0.2, lam=0.1, times=times, X_test=[[1.0, 1.0]])
    H, u0 = current_kernel(W, X), 0.2 * outputs(W, a, X)
    assert path.events == 0
    assert path.u == pytest.approx(TangentRegression(H, Y, kappa=0.2, lam=0.1).flow(times, u0), abs=1e-12)
    assert path.kernels == pytest.approx(np.tile(H, (3, 1, 1)), abs=1e-12)


def test_one_neuron_dies_at_its_time():
    # w' = -(1 + w) - lam w from 1: w + 1/(1 + lam) decays at the rate 1 + lam, and reaches 1/(1 + lam) at the death
    lam = 0.25
    death = np.log(1 + (1 + lam)) / (1 + lam)
    times = [death / 2, death * (1 - 1e-9), death * (1 + 1e-9), 5.0]
    path = flow([[1.0]], [1.0], [[1.0]], [-1], kappa=1.0, lam=lam, times=times)
    w = (1 + 1 / (1 + lam)) * np.exp(-(1 + lam) * death / 2) - 1 / (1 + lam)
    assert path.u[:, 0] == pytest.approx([-w, 0, 0, 0], abs=1e-8)
    assert path.kernels[:, 0, 0].tolist() == [1, 1, 0, 0]
    assert path.events == 1
    assert not path.v.any()


def test_a_neuron_slides_where_both_sides_push_towards_the_boundary():
    # positive neuron: the first point pulls it up, the second down, and the boundary of the second is attracting
    X, Y = np.array([[1.0, 0.0], [0.6, 0.8]]), [3.0, -3.0]
    path = flow(X, Y, [[1.0, -0.7]], [1], kappa=1.0, lam=0.01, times=[0.0, 0.05, 1.0])
    assert path.sliding.tolist() == [[False, True]]
    assert abs(path.v[0] @ X[1]) < 1e-14
    assert path.u[-1, 1] == 0
    # the kernel is that of the projected points: of the first, what is orthogonal to the second
    assert path.kernels[-1] == pytest.approx(np.array([[1 - 0.6**2, 0], [0, 0]]), abs=1e-14)
    # gradient descent chatters about it instead
    run = descend(X, Y, [[1.0, -0.7]], [1], kappa=1.0, lam=0.01, step=1e-3, steps=1000, watch=[0])
    products = run.paths[:, 0] @ X[1]
    late = products[200:] >= 0
    assert 10 < late.sum() < 790
    assert np.abs(products[200:]).max() < 0.02
    assert run.u[-1, 0] == pytest.approx(path.u[-1, 0], abs=0.01)


@pytest.mark.parametrize(("key", "rests"), [(3, 4), (14, 10), (20, 8), (5, 0), (15, 0)])
def test_neurons_that_slide_into_the_origin_rest_or_leave(key, rests):
    # in the plane a boundary leads through the origin; with these draws some neurons come there, and the solution is
    # the limit of gradient descent
    rng = np.random.default_rng(key)
    given_by = {"X": rng.standard_normal((3, 2)), "Y": rng.standard_normal(3), "W": 0.3 * rng.standard_normal((40, 2))}
    given_by |= {"a": rng.choice([-1.0, 1.0], 40), "kappa": 1.0, "lam": 0.1}
    path = flow(times=[6.0], **given_by)
    assert (~path.v.any(axis=1)).sum() == rests
    errors = [np.abs(descend(step=6 / k, steps=k, **given_by).u[-1] - path.u[-1]).max() for k in (1000, 10_000)]
    assert errors[1] < errors[0] / 5


def test_displacement_obeys_the_bound_of_the_gauge():
    # L-V: ||v(t) - w(0)|| <= (kappa ||X|| / sqrt m) int e^{lam s} ||rho(s)|| ds
    given_by = case(9, 3, 2, 100) | {"omega": None, "kappa": 0.9, "lam": 0.1}
    times = np.linspace(0, 10, 2001)
    path = flow(times=times, **given_by)
    speed = np.exp(0.1 * times) * np.linalg.norm(given_by["Y"] - path.u, axis=1)
    bound = 0.09 * np.linalg.norm(given_by["X"], 2) * cumulative_simpson(speed, x=times, initial=0)
    assert (path.displacement <= bound * (1 + 1e-3) + 1e-12).all()
    assert path.displacement[-1] > bound[-1] / 10


def test_what_is_refused():
    given_by = {"kappa": 1.0, "lam": 0.1, "times": [1.0]}
    with pytest.raises(ValueError, match="flow: X must have no two rows parallel or antiparallel, got rows 0 and 2"):
        flow([[1.0, 0.0], [0.0, 1.0], [-2.0, 0.0]], [1, 1, 1], [[1.0, 1.0]], [1], **given_by)
    with pytest.raises(ValueError, match="angle: x must have no zero row, got one at 0"):
        flow([[0.0]], [1], [[1.0]], [1], **given_by)
    with pytest.raises(ValueError, match=r"flow: times must not decrease, got \[2\.0, 1\.0\]"):
        flow([[1.0]], [1], [[1.0]], [1], **given_by | {"times": [2.0, 1.0]})
    with pytest.raises(ValueError, match="flow: lam t must be at most 600, got 700"):
        flow([[1.0]], [1], [[1.0]], [1], **given_by | {"times": [7000.0]})
    with pytest.raises(ValueError, match=r"flow: a must be \+1 or -1"):
        flow([[1.0]], [1], [[1.0]], [0.5], **given_by)
    with pytest.raises(ValueError, match="flow: X_test must have as many columns as X, got 2 where X has 1"):
        flow([[1.0]], [1], [[1.0]], [1], X_test=[[1.0, 2.0]], **given_by)
