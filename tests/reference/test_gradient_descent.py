import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from reference.gradient_descent import descend
from reference.relu_tangent import tangent_kernel
from reference.two_layer import current_kernel, gradient, outputs, patterns


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def start(key, m, d):
    rng = np.random.default_rng(key)
    return rng.standard_normal((m, d)), rng.choice([-1.0, 1.0], m)


I1, I1_LABELS = on_circle(0.3, 1.5), [1.0, -1.0]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 5), st.integers(1, 700), st.integers(0, 3))
def test_it_is_gradient_descent_in_the_plain_coordinates(key, n, d, m, tests):
    rng = np.random.default_rng(key)
    X, X_test, Y, omega = rng.standard_normal((n, d)), rng.standard_normal((tests, d)), rng.random(n), rng.random(m)
    W, a = start(key + 1, m, d)
    given_by = {"kappa": 0.7, "lam": 0.05, "omega": omega}
    everywhere = X_test if tests else None
    run = descend(X, Y, W, a, step=0.1, steps=12, X_test=everywhere, watch=[0, m - 1], **given_by)
    assert run.u_test.shape == (13, tests)
    w = W
    for k in range(13):
        # the same numbers up to the rounding of 12 steps; a neuron that a rounding moves over a kink is 1e-14 from it
        assert run.u[k] == pytest.approx(0.7 * outputs(w, a, X, omega), abs=1e-11)
        if tests:
            assert run.u_test[k] == pytest.approx(0.7 * outputs(w, a, X_test, omega), abs=1e-11)
        assert 0.995**k * run.paths[k] == pytest.approx(w[[0, m - 1]], abs=1e-11)
        moved = np.linalg.norm(w / 0.995**k - W, axis=1).max()
        assert run.displacement[k] == pytest.approx(moved, abs=1e-11)
        w = w - 0.1 * gradient(w, a, X, Y, **given_by)
    assert np.array_equal(run.v[[0, m - 1]], run.paths[-1])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.05, 0.5, 1.0]))
def test_the_secant_identity_holds_to_rounding_at_every_step(key, step):
    rng = np.random.default_rng(key)
    X = on_circle(*rng.uniform(0, 2 * np.pi, 4))
    W, a = start(key + 1, 300, 2)
    Y, omega, kappa, lam = rng.choice([-1.0, 1.0], 3), 0.5 + rng.random(300), 0.8, 0.05
    run = descend(X[:3], Y, W, a, kappa=kappa, lam=lam, step=step, steps=30, omega=omega, X_test=X[3:], kernels=True)
    u = np.hstack([run.u, run.u_test])
    for k in range(30):
        predicted = (1 - step * lam) * u[k] + step * kappa**2 * run.secants[k] @ (Y - run.u[k])
        assert np.abs(predicted - u[k + 1]).max() <= 1e-13 * (1 + np.abs(u[k]).max())
    # and in the form of the error e = u - u*
    H_cts = tangent_kernel(X[:3])
    A = kappa**2 * H_cts + lam * np.eye(3)
    rest = lam * np.linalg.solve(A, Y)
    e = run.u - (Y - rest)
    for k in range(30):
        Hh = run.secants[k, :3]
        contracted = e[k] - step * (kappa**2 * Hh @ e[k] + lam * e[k])
        assert np.abs(contracted + step * kappa**2 * (Hh - H_cts) @ rest - e[k + 1]).max() <= 1e-13 * (
            1 + np.abs(u).max()
        )


def test_kernels_along_the_way_and_secants_where_neurons_cross():
    W, a = start(1, 500, 2)
    X_test = on_circle(2.2, 4.0)
    given_by = {"kappa": 1.0, "lam": 0.01, "step": 0.5}
    run = descend(I1, I1_LABELS, W, a, steps=8, X_test=X_test, kernels=True, **given_by)
    everywhere = np.vstack([I1, X_test])
    crossed = 0
    for k in range(9):
        v = descend(I1, I1_LABELS, W, a, steps=k, **given_by).v
        assert run.kernels[k] == pytest.approx(current_kernel(v, everywhere, I1), abs=1e-13)
        if k < 8:
            later = descend(I1, I1_LABELS, W, a, steps=k + 1, **given_by).v
            z, y = v @ everywhere.T, later @ everywhere.T
            stay = (z >= 0) == (y >= 0)
            slope = np.where(stay, z >= 0, (np.maximum(y, 0) - np.maximum(z, 0)) / np.where(stay, 1, y - z))
            secant = (everywhere @ I1.T) * (slope.T @ patterns(v, I1)) / 500
            assert run.secants[k] == pytest.approx(secant, abs=1e-12)
            crossed += ((z >= 0) != (y >= 0)).any(axis=1).sum()
    assert crossed > 0  # else the secants were not tried
    assert np.abs(run.secants - run.kernels[:-1]).max() > 1e-5


def test_blocks_do_not_matter(monkeypatch):
    W, a = start(2, 3000, 2)
    given_by = {"kappa": 1.0, "lam": 0.02, "step": 0.3, "steps": 10, "watch": [0, 700, 2999], "kernels": True}
    whole = descend(I1, I1_LABELS, W, a, **given_by)
    monkeypatch.setattr("reference.gradient_descent.BLOCK_NUMBERS", 1)
    cut = descend(I1, I1_LABELS, W, a, **given_by)
    for name in ("u", "v", "displacement", "paths", "kernels", "secants"):
        assert getattr(cut, name) == pytest.approx(getattr(whole, name), abs=1e-12), name


def test_weight_decay_alone_moves_no_neuron_in_the_gauge():
    # a neuron that sees nothing feels no force
    run = descend([[1.0, 0.0]], [1.0], [[-1.0, 3.0], [-2.0, 5.0]], [1, -1], kappa=1.0, lam=0.5, step=0.5, steps=20)
    assert np.array_equal(run.v, [[-1.0, 3.0], [-2.0, 5.0]])
    assert not run.displacement.any()
    assert not run.u.any()


def test_displacement_obeys_the_bound_of_the_gauge():
    # L-V: ||v(k) - w(0)|| <= (kappa ||X|| / sqrt m) sum_j h ||rho(j)|| / gamma^{j+1}
    W, a = start(3, 400, 2)
    run = descend(I1, I1_LABELS, W, a, kappa=0.9, lam=0.1, step=0.25, steps=60)
    drive = 0.25 * np.linalg.norm(np.array(I1_LABELS) - run.u[:-1], axis=1) / 0.975 ** np.arange(1, 61)
    bound = 0.9 * np.linalg.norm(I1, 2) / 20 * np.cumsum(drive)
    assert (run.displacement[1:] <= bound * (1 + 1e-12)).all()
    assert run.displacement[-1] > bound[-1] / 10


def test_orthogonal_data_keep_a_diagonal_kernel_exactly():
    W, a = start(4, 2000, 3)
    run = descend(np.eye(3), [1.0, -1.0, 1.0], W, a, kappa=1.0, lam=0.01, step=0.3, steps=20, kernels=True)
    assert not run.kernels[:, ~np.eye(3, dtype=bool)].any()
    assert not run.secants[:, ~np.eye(3, dtype=bool)].any()


def test_D3_the_law_of_one_point():
    # sqrt m (H(T) - 1/2) -> Z - phi0 |Y - u0|,  Z ~ N(0, 1/4) and u0 ~ N(0, 1/2) independent
    runs, m, phi0 = 400, 10_000, 1 / np.sqrt(2 * np.pi)
    rng = np.random.default_rng(5)
    limit, coupled = [], []
    for _ in range(runs):
        W, a = rng.standard_normal((m, 1)), rng.choice([-1.0, 1.0], m)
        run = descend([[1.0]], [1.0], W, a, kappa=1.0, lam=1e-4, step=0.5, steps=40)
        limit.append(np.sqrt(m) * ((run.v >= 0).mean() - 0.5))
        coupled.append(np.sqrt(m) * ((W >= 0).mean() - 0.5) - phi0 * abs(1 - run.u[0, 0]))
    limit, coupled = np.array(limit), np.array(coupled)
    # the dead neurons are a thinned count: a deviation of order (phi0 |Y - u0|)^(1/2) m^(-1/4) = 0.07 per run, and a
    # relative bias of order displacement^2 and of the step, below 0.05 of phi0 |Y - u0|
    assert abs((limit - coupled).mean()) <= 5 * 0.07 / np.sqrt(runs) + 0.05 * phi0
    # 4 (Z - phi0 |1 - u0|) has mean -1.676 and deviation 2.239; false alarm 1e-6 by Chernoff for a normal mean
    t = 4 * coupled
    assert abs(t.mean() + 1.676) <= 4.9 * 2.239 / np.sqrt(runs)
    # the distribution of Z - phi0 |1 - u0|, by integrating over u0; Dvoretzky-Kiefer-Wolfowitz, false alarm 1e-6
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    shift = phi0 * np.abs(1 - nodes * np.sqrt(0.5))
    cdf = ndtr(2 * (np.sort(limit)[:, None] + shift)) @ (weights / weights.sum())
    steps = np.arange(runs + 1) / runs
    distance = max(np.abs(cdf - steps[1:]).max(), np.abs(cdf - steps[:-1]).max())
    assert distance <= np.sqrt(np.log(2 / 1e-6) / (2 * runs)) + 0.02


@pytest.mark.parametrize("m", [256, 1024])
def test_E15_in_the_end_only_positive_neurons_survive(m):
    W, a = start(6 + m, m, 1)
    lam = 1 / np.sqrt(m)
    steps = int(np.ceil(8 * np.log(m) / lam))  # T = 4 ln m / lam
    run = descend([[1.0]], [1.0], W, a, kappa=1.0, lam=lam, step=0.5, steps=steps)
    alive = run.v[:, 0] >= 0
    assert (a[alive] == 1).all()
    H = alive.mean()
    assert run.u[-1, 0] == pytest.approx(H / (H + lam), abs=1e-9)
    # the survivors are active positive neurons, Bin(m, 1/4) at most (Hoeffding, false alarm 1e-9)
    assert 0.15 <= H <= 0.25 + np.sqrt(np.log(1e9) / (2 * m))
    # so the distance to u* = (1/2) / (1/2 + lam) is of order lam, not 1/m
    assert np.sqrt(m) * ((1 / 2) / (1 / 2 + lam) - run.u[-1, 0]) > 0.5


def test_E22_a_unit_step_is_thrown_off_where_a_small_one_descends():
    X, pairs = on_circle(*(0.5 + 0.05 * np.arange(8))), 10_000
    half, _ = start(7, pairs, 2)
    W, a = np.vstack([half, half]), np.repeat([1.0, -1.0], pairs)  # u(0) = 0 without luck
    assert np.linalg.eigvalsh(tangent_kernel(X))[-1] == pytest.approx(3.79, abs=0.005)
    given_by = {"kappa": 1.0, "lam": 1 / np.sqrt(2 * pairs), "kernels": True}
    unit = descend(X, np.ones(8), W, a, step=1.0, steps=12, **given_by)
    small = descend(X, np.ones(8), W, a, step=0.4, steps=60, **given_by)
    error = np.linalg.norm(unit.u - 1, axis=1)
    assert error[0] == pytest.approx(np.sqrt(8), abs=1e-12)
    # the first steps grow by 3.79 - 1; from there the kernel itself gives way
    assert error[1] > 2.5 * error[0]
    assert error.max() > 20
    assert np.linalg.norm(unit.kernels[-1] - unit.kernels[0], 2) > 1
    assert (np.linalg.norm(small.u[1:] - 1, axis=1) < error[0] / 1.5).all()
    assert np.linalg.norm(small.u[-1] - 1) < 0.2
    assert np.linalg.norm(small.kernels - small.kernels[0], 2, axis=(1, 2)).max() < 0.1


def test_E26_equal_signs_leave_the_lazy_regime():
    m, lam = 4096, 1 / 64
    W, a = start(8, m, 2)
    H_cts = tangent_kernel(I1)
    kernel_moves = [
        np.linalg.norm(current_kernel(run.v, I1) - H_cts, 2)
        for run in (descend(I1, I1_LABELS, W, b, kappa=1.0, lam=lam, step=0.25, steps=200) for b in (a, np.ones(m)))
    ]
    assert kernel_moves[0] < 0.1
    assert kernel_moves[1] > 0.3


def test_what_is_refused():
    W, a = start(9, 10, 2)
    given_by = {"kappa": 1.0, "lam": 0.5, "step": 0.5, "steps": 3}
    with pytest.raises(ValueError, match="descend: W must have as many columns as X, got 2 where X has 1"):
        descend([[1.0]], [1.0], W, a, **given_by)
    with pytest.raises(ValueError, match=r"descend: a must be \+1 or -1"):
        descend(I1, I1_LABELS, W, 2 * a, **given_by)
    with pytest.raises(ValueError, match="descend: steps must be at least 0, got steps = -1"):
        descend(I1, I1_LABELS, W, a, **given_by | {"steps": -1})
    with pytest.raises(ValueError, match=r"descend: step lam must be below 1, got step = 2.0, lam = 0.5"):
        descend(I1, I1_LABELS, W, a, **given_by | {"step": 2.0})
    with pytest.raises(ValueError, match=r"descend: \(1 - step lam\)\^steps must be at least 2\^-960, got 0.75\^9999"):
        descend(I1, I1_LABELS, W, a, **given_by | {"steps": 9999})
    with pytest.raises(ValueError, match="descend: watch must name neurons 0 to 9, got 10"):
        descend(I1, I1_LABELS, W, a, watch=[10], **given_by)
    with pytest.raises(ValueError, match="descend: X_test must have as many columns as X, got 1 where X has 2"):
        descend(I1, I1_LABELS, W, a, X_test=[[1.0]], **given_by)
    with pytest.raises(OverflowError, match="descend: training left the float range at k = "):
        descend(I1, [1e300, -1e300], W, a, **given_by | {"lam": 1e-9, "step": 1e8, "steps": 500})
