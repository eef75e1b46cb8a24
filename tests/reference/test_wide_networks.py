import numpy as np
import pytest
from scipy.stats import ks_2samp

from reference import wide_networks
from reference.aggregated_descent import descend_bins
from reference.boundary_layers import PlainLayer
from reference.gradient_descent import descend
from reference.initial_neurons import Uncertified
from reference.relu_tangent import tangent_kernel
from reference.wide_networks import drawn, from_neurons, spanned

LEVEL = 1e-7  # of each test that can fail by chance


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


X, Y = on_circle(0.3, 1.5), np.array([1.0, -1.0])


def neurons(m, d, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, d)), rng.choice([-1.0, 1.0], m)


def settings(m, steps=309, **changes):
    return {"kappa": 1.0, "lam": m**-0.5, "step": 0.25, "steps": steps} | changes


DATA = {
    "two": (on_circle(0.3, 1.5), (1, -1), None),
    "three": (on_circle(0.3, 1.5, 2.9), (1, -1, 1), None),
    "four": (on_circle(0, 1.3, 2.5, 4.2), (1, -1, 1, -1), None),
    "near": (on_circle(0.3, 0.32), (1, -1), None),
    "near-and-far": (on_circle(0.3, 0.32, 2.0), (1, -1, 0.5), None),
    "nearly-antiparallel": (on_circle(0.3, 0.32 + np.pi, 2.0, 3.0), (1, -1, 0.5, 0), None),
    "with-test-point": (on_circle(0.3, 1.5), (1, -1), on_circle(2.2, 0.3)),
    "line": (np.array([[1.0, 0.5], [-2.0, -1.0]]) / 2, (1, 0.5), on_circle(1.0)),
    "zero-row": (np.array([[1.0, 0.0], [0.0, 0.0]]), (1, 1), None),
    "zero-labels": (on_circle(0.3, 1.5), (0, 0), None),
    "only-zero-rows": (np.zeros((2, 2)), (1, 0), None),
    "space": (np.linalg.qr(np.random.default_rng(19).standard_normal((3, 3)))[0], (1, -1, 1), np.ones((1, 3)) / 2),
}


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("m", [10**4, 10**5])
def test_equals_brute_force_on_the_same_neurons_at_every_step(name, m):
    x, y, x_test = DATA[name]
    W, a = neurons(m, x.shape[1], 20)
    # the long run on few neurons; on many, the transient, where neurons cross
    kw = settings(m, steps=309 if m == 10**4 else 60, X_test=x_test)
    got, truth = from_neurons(x, y, W, a, **kw), descend(x, y, W, a, **kw)
    assert got.certified
    assert got.law == "given neurons"
    assert np.abs(got.u - truth.u).max() <= 1e-12
    assert np.abs(got.u_test - truth.u_test).max(initial=0) <= 1e-12


@pytest.mark.parametrize("name", ["two", "near", "with-test-point", "space"])
def test_kernels_and_secants_equal_brute_force(name):
    x, y, x_test = DATA[name]
    W, a = neurons(5000, x.shape[1], 21)
    kw = settings(5000, steps=80, X_test=x_test, kernels=True, kappa=0.7)
    got, truth = from_neurons(x, y, W, a, **kw), descend(x, y, W, a, **kw)
    assert np.abs(got.kernels - truth.kernels).max() <= 1e-15
    assert np.abs(got.secants - truth.secants).max() <= 1e-12


def test_deviation_is_u_minus_its_limit():
    W, a = neurons(2000, 2, 22)
    got = from_neurons(X, Y, W, a, **settings(2000, kappa=0.5))
    K = 0.25 * tangent_kernel(X)
    u_star = K @ np.linalg.solve(K + 2000**-0.5 * np.eye(2), Y)
    assert np.abs(got.deviation - (got.u - u_star)).max() <= 1e-14
    assert np.abs(got.times - 0.25 * np.arange(310)).max() == 0


def test_a_run_that_outgrows_its_layers_is_repeated_on_the_same_neurons(monkeypatch):
    W, a = neurons(3000, 2, 23)
    truth = descend(X, Y, W, a, **settings(3000))
    monkeypatch.setattr(wide_networks, "SAFETY", 0.01)
    got = from_neurons(X, Y, W, a, **settings(3000))
    assert got.certified
    assert np.abs(got.u - truth.u).max() <= 1e-12


def test_a_half_width_asked_for_is_kept_and_its_failure_is_told():
    W, a = neurons(3000, 2, 24)
    got = from_neurons(X, Y, W, a, half_width=0.01, **settings(3000))
    assert not got.certified
    assert got.half_width == 0.01 < got.displacement
    assert from_neurons(X, Y, W, a, half_width=0.9, layer=PlainLayer, **settings(3000)).certified


@pytest.mark.parametrize("exact_up_to", [0, 10**9])
def test_drawn_runs_are_repeated_on_the_same_neurons(monkeypatch, exact_up_to):
    attempts = []

    def watched(*args, **options):
        attempts.append(descend_bins(*args, **options))
        return attempts[-1]

    monkeypatch.setattr(wide_networks, "SAFETY", 0.1)
    monkeypatch.setattr(wide_networks, "descend_bins", watched)
    got = drawn(X, Y, 10**5, np.random.default_rng(25), **settings(10**5, steps=40, exact_up_to=exact_up_to))
    assert got.certified
    assert len(attempts) > 1
    for run in attempts:
        # sums are added up in another order
        assert np.abs(run.u[0] - got.u[0]).max() <= 1e-12
        assert np.abs(run.kernels[0] - got.kernels[0]).max() <= 1e-15


def test_zero_labels_start_from_no_layer_at_all():
    got = drawn(X, [0.0, 0.0], 10**10, np.random.default_rng(40), **settings(10**10, steps=40))
    assert got.certified
    assert np.abs(got.u[0]).max() > 0.01 > np.abs(got.u[-1]).max()


def test_no_certificate_is_an_exception(monkeypatch):
    monkeypatch.setattr(wide_networks, "ATTEMPTS", 1)
    monkeypatch.setattr(wide_networks, "SAFETY", 0.01)
    with pytest.raises(Uncertified, match="no half width below"):
        drawn(X, Y, 10**4, np.random.default_rng(26), **settings(10**4, steps=40))


def observed(x, m, runs, seed, steps=40, **options):
    """Columns: u(0), H11(T), H12(T), err m, u_1(5)."""
    rows = []
    for r in range(runs):
        got = drawn(x, Y, m, np.random.default_rng([seed, r]), **settings(m, steps=steps), **options)
        error = m * np.linalg.norm(got.deviation[-1])
        rows.append([*got.u[0], got.kernels[-1, 0, 0], got.kernels[-1, 0, 1], error, got.u[5, 0]])
    return np.array(rows)


def test_aggregated_networks_have_the_law_of_drawn_ones():
    exact, aggregated = (observed(X, 10**4, 150, 27, exact_up_to=k) for k in (10**9, 0))
    for column in range(exact.shape[1]):
        assert ks_2samp(exact[:, column], aggregated[:, column]).pvalue > LEVEL


def test_the_comparison_of_laws_sees_other_data():
    here, there = (
        observed(X, 10**4, 60, 28, steps=5, exact_up_to=0),
        observed(on_circle(0.3, 1.4), 10**4, 60, 29, steps=5),
    )
    assert ks_2samp(here[:, 3], there[:, 3]).pvalue < LEVEL


def test_only_the_span_of_the_points_matters():
    lifted = X @ np.linalg.qr(np.random.default_rng(30).standard_normal((7, 7)))[0][:2]
    reduced = spanned(lifted)
    assert reduced.shape == (2, 2)
    assert np.abs(reduced @ reduced.T - X @ X.T).max() <= 1e-14
    got = drawn(lifted, Y, 10**12, np.random.default_rng(31), half_width=1e-9, **settings(10**12, steps=1))
    assert got.law == "approximate initial law"
    assert got.kernels[0] == pytest.approx(tangent_kernel(X), abs=1e-5)


def test_one_point_in_one_dimension():
    got = drawn([[1.0]], [1.0], 10**10, np.random.default_rng(32), **settings(10**10, steps=100))
    assert got.certified
    # du/dt = H (Y - u) - lam u with H within 1e-4 of 1/2
    assert abs(got.u[-1, 0] - 1) <= abs(got.u[0, 0] - 1) * (1 - 0.25 * 0.4999) ** 100 + 1e-4


@pytest.mark.parametrize("m", [10**6, 10**8])
def test_error_falls_like_one_over_m(m):
    # err m lay in [1.0, 10.1] over the widths of the scaling run; a lucky draw can come closer
    got = drawn(X, Y, m, np.random.default_rng(33), **settings(m, exact_up_to=10**7))
    assert got.certified
    assert 0.05 <= m * np.linalg.norm(got.deviation[-1]) <= 50
    assert got.law == ("exact initial law" if m == 10**6 else "approximate initial law")
    assert (got.berry_esseen > 0) == (m == 10**8)
    assert got.layer_neurons <= 20 * np.sqrt(m)


BAD = {
    "kappa must be positive": {"kappa": 0.0},
    "lam must be positive": {"lam": -0.1},
    "step lam must be below 1": {"lam": 4.0},
    "steps must be >= 0": {"steps": -1},
    "X_test must have as many columns": {"X_test": np.ones((1, 3))},
    "half_width must be >= 0": {"half_width": -1.0},
    "at least 2\\^-960": {"lam": 3.9},
}


@pytest.mark.parametrize("message", BAD)
def test_arguments_outside_their_range(message):
    W, a = neurons(10, 2, 34)
    kw = settings(10**4) | BAD[message]
    with pytest.raises(ValueError, match=message):
        from_neurons(X, Y, W, a, **kw)
    with pytest.raises(ValueError, match=message):
        drawn(X, Y, 10, np.random.default_rng(35), **kw)


def test_neurons_and_widths_outside_their_range():
    W, a = neurons(10, 2, 36)
    with pytest.raises(ValueError, match=r"a must be \+1 or -1"):
        from_neurons(X, Y, W, 2 * a, **settings(10))
    with pytest.raises(ValueError, match="m must be at least 1, got m = 0"):
        drawn(X, Y, 0, np.random.default_rng(37), **settings(10))
    with pytest.raises(ValueError, match="must have a row that is not zero"):
        drawn(0 * X, Y, 10, np.random.default_rng(38), **settings(10))
    with pytest.raises(ValueError, match="rank at most 2 for m = 100 > exact_up_to = 10, got rank 3"):
        drawn(np.eye(3), [1, 1, 1], 100, np.random.default_rng(39), exact_up_to=10, **settings(100))
