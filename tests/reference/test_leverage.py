from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference.activation_cells import plane_cells
from reference.arithmetic import Undetermined, interval
from reference.finite_features import linear_kernel
from reference.gaussian_fourier import gaussian_kernel, gaussian_kernel_balls, gaussian_kernel_error
from reference.leverage import (
    cell_leverage,
    fourier_leverage,
    leverage_relative_error,
    statistical_dimension,
    statistical_dimension_enclosure,
    tangent_leverage,
    whitener,
    whitening_residual,
)
from reference.relu_tangent import (
    CHUNK,
    activations,
    tangent_kernel,
    tangent_kernel_balls,
    tangent_kernel_error,
)


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


I1, I2, I3 = on_circle(0.3, 1.5), on_circle(0.3, 1.5, 2.9), on_circle(0, 1.3, 2.5, 4.2)


def middles(balls, n):
    """A ball matrix as mpmath numbers, at the current precision."""
    return mpmath.matrix(
        [
            [(lambda c: mpmath.mpf(c.numerator) / c.denominator)(sum(interval(balls[i, j])) / 2) for j in range(n)]
            for i in range(n)
        ]
    )


def reference_inverse(balls, n, lam):
    return (middles(balls, n) + mpmath.mpf(lam) * mpmath.eye(n)) ** -1


# ------------------------------------------------------------------------------------ the statistical dimension


@pytest.mark.parametrize(
    ("name", "X", "lam", "s"),
    [
        ("I1", I1, 0.1, 1.65463839650292351),
        ("I1", I1, 0.001, 1.9957980885618657),
        ("I2", I2, 0.1, 2.47817614146032891),
        ("I2", I2, 0.001, 2.99361933839391412),
        ("I3", I3, 0.1, 3.29576948663439874),
    ],
)
def test_statistical_dimension_of_the_canonical_instances(name, X, lam, s):
    K, radius = tangent_kernel(X), tangent_kernel_error(X)
    assert abs(statistical_dimension(K, lam) - s) <= 1e-14
    lower, upper = statistical_dimension_enclosure(K, F(radius), F(lam))
    # the instance is the float data, whose coordinates are rounded: s moves by less than n u ||K|| / lam
    rounding = F(len(X)) / 2**52 / F(lam)
    assert lower - rounding <= F(s) <= upper + rounding
    assert upper - lower <= 4 * F(radius) * len(X) / F(lam)


def test_I8_fourier_grid():
    K = gaussian_kernel(np.linspace(-5, 5, 401)[:, None], 1 / (2 * np.pi))
    for lam, s in ((1.0, 45.0), (0.1, 63.6), (0.01, 77.8)):
        assert statistical_dimension(K, lam) == pytest.approx(s, abs=0.05)


def test_smallest_kernels_by_hand():
    assert statistical_dimension([[3.0]], 1.0) == 0.75
    assert statistical_dimension([[0.0]], 1.0) == 0.0
    assert statistical_dimension(np.diag([1.0, 0.0]), 0.25) == pytest.approx(0.8, rel=1e-15)
    lower, upper = statistical_dimension_enclosure([[5.0, 1.0], [1.0, 10.0]], 0, 1)
    assert lower <= F(113, 65) <= upper
    assert upper - lower < F(1, 2**100)


psd = (
    st.integers(1, 4)
    .flatmap(lambda n: st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=n, max_size=n))
    .map(lambda rows: np.array(rows, dtype=float))
)


@settings(max_examples=60, deadline=None)
@given(psd, st.sampled_from([2.0**-40, 0.125, 1.0, 1024.0]))
@example(np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0], [1.0, 2.0]]), 2.0**-40)  # 128 bits enclose it to 8e-4 only
def test_bounds_monotonicity_and_scaling(Z, lam):
    K, n = Z @ Z.T, len(Z)
    lower, upper = statistical_dimension_enclosure(K, 0, lam)
    exact = linear_kernel([[int(x) for x in row] for row in Z]).statistical_dimension(F(lam))
    assert lower <= exact <= upper
    assert upper <= min(np.linalg.matrix_rank(K), F(float(np.trace(K))) / F(lam)) + F(1, 2**60)
    assert statistical_dimension_enclosure(K, 0, 2 * lam)[0] <= upper  # decreasing in lam
    assert 2 * statistical_dimension_enclosure(K, 0, 2 * lam)[1] >= lower  # lam s_lambda increases
    scaled = statistical_dimension_enclosure(8 * K, 0, 8 * lam)
    assert scaled[0] <= exact <= scaled[1]
    assert lower >= 0
    assert upper <= n


@settings(max_examples=30, deadline=None)
@given(psd, st.integers(0, 2**32))
def test_enclosure_holds_for_every_kernel_within_the_radius(Z, key):
    K, radius, lam = Z @ Z.T, 2.0**-6, 0.125
    E = np.random.default_rng(key).standard_normal(K.shape)
    E = (E + E.T) / 2
    moved = K + np.round(E / np.linalg.norm(E, 2) * radius * 0.999 * 2**40) / 2**40
    if np.linalg.eigvalsh(moved)[0] < 0:
        moved = K + radius * np.eye(len(K))  # the extreme case, always semidefinite
    inside = statistical_dimension_enclosure(moved, 0, lam)
    lower, upper = statistical_dimension_enclosure(K, F(radius), lam)
    assert lower <= inside[0]
    assert inside[1] <= upper


def test_enclosure_takes_the_precision_it_needs_and_says_when_none_suffices():
    duplicates = [[1.0, 1.0], [1.0, 1.0]]
    lower, upper = statistical_dimension_enclosure(duplicates, 0, F(1, 2**300))
    exact = F(2) / (2 + F(1, 2**300))  # eigenvalues 2 and 0
    assert lower <= exact <= upper
    assert upper - lower < F(1, 2**100)
    with pytest.raises(Undetermined, match="not proven invertible at 2048 bits"):
        statistical_dimension_enclosure(duplicates, 0, F(1, 2**5000))


@pytest.mark.parametrize(
    ("radius", "lam", "message"),
    [
        (0, 0, "lam must be positive, got lam = 0"),
        (-1, 1, r"K_radius must lie in \[0, lam/2\), got -1\.0"),
        (F(1, 2), 1, r"K_radius must lie in \[0, lam/2\), got 0\.5, lam = 1"),
    ],
)
def test_enclosure_refuses(radius, lam, message):
    with pytest.raises(ValueError, match=message):
        statistical_dimension_enclosure([[1.0]], radius, lam)


# -------------------------------------------------------------------------------------------------------- tau


def test_I2_leverage_per_cell():
    cells = plane_cells(I2)
    tau = cell_leverage(cells, I2, tangent_kernel(I2), 0.1)
    words = ["".join("01"[int(b)] for b in p) for p in cells.patterns]
    printed = {"111": 4.486, "011": 3.395, "001": 1.711, "000": 0, "100": 1.762, "110": 3.255}
    assert dict(zip(words, np.round(tau, 3), strict=True)) == printed
    assert tau[words.index("000")] == 0


def test_I5_orthonormal_points():
    X = np.eye(2)
    cells = plane_cells(X)
    tau = cell_leverage(cells, X, tangent_kernel(X), 0.1)
    assert sorted(tau) == pytest.approx([0, 5 / 3, 5 / 3, 10 / 3], rel=1e-14)


@pytest.mark.parametrize("n", [1, 2, 5, 16, 40])
@pytest.mark.parametrize("lam", [1e-6, 0.1, 10.0])
def test_mean_leverage_over_cells_is_the_statistical_dimension(n, lam):
    X = np.random.default_rng(n).standard_normal((n, 2))
    K, cells = tangent_kernel(X), plane_cells(X)
    s = statistical_dimension(K, lam)
    error = leverage_relative_error(K, lam, 2, tangent_kernel_error(X))
    assert abs(cells.probability @ cell_leverage(cells, X, K, lam) - s) <= max(1e-12, 2 * error) * s


def test_equation_4_to_1e_12_on_the_canonical_instances():
    for X in (I1, I2, I3):
        K, cells = tangent_kernel(X), plane_cells(X)
        s = statistical_dimension(K, 0.1)
        assert abs(cells.probability @ cell_leverage(cells, X, K, 0.1) - s) / s <= 1e-12


def test_tangent_leverage_is_the_trace_across_chunks():
    rng = np.random.default_rng(1)
    X, W = rng.standard_normal((5, 3)), rng.standard_normal((CHUNK + 7, 3))
    K = tangent_kernel(X)
    inverse = np.linalg.inv(K + 0.25 * np.eye(5))
    Phi = activations(X, W)[:, :, None] * X[:, None, :]
    direct = np.einsum("irk,ij,jrk->r", Phi, inverse, Phi)
    assert np.allclose(tangent_leverage(X, W, whitener(K, 0.25)), direct, rtol=1e-12, atol=1e-14)


def test_tangent_leverage_agrees_with_its_cell():
    X = np.random.default_rng(2).standard_normal((6, 2))
    K, cells = tangent_kernel(X), plane_cells(X)
    W = np.random.default_rng(3).standard_normal((300, 2))
    table = dict(zip(map(bytes, cells.patterns), cell_leverage(cells, X, K, 0.1), strict=True))
    expected = [table[bytes(p)] for p in np.ascontiguousarray(activations(X, W).T)]
    assert np.allclose(tangent_leverage(X, W, whitener(K, 0.1)), expected, rtol=1e-11, atol=1e-12)


def test_leverage_lies_between_the_operator_bounds():
    X = np.random.default_rng(4).standard_normal((7, 3))
    K = tangent_kernel(X)
    W = np.random.default_rng(5).standard_normal((500, 3))
    tau = tangent_leverage(X, W, whitener(K, 0.01))
    energy = activations(X, W).T @ (X**2).sum(axis=1)
    mu = np.linalg.eigvalsh(K)
    assert (tau >= energy / (mu[-1] + 0.01) * (1 - 1e-9)).all()
    assert (tau <= energy / (mu[0] + 0.01) * (1 + 1e-9)).all()


def test_fourier_leverage_in_closed_form():
    lam, W = 0.3, np.random.default_rng(6).standard_normal((50, 1))
    assert np.allclose(fourier_leverage([[7.0]], W, whitener([[1.0]], lam)), 1 / (1 + lam), rtol=1e-14)
    sigma, D = 1 / (2 * np.pi), 0.2
    K = gaussian_kernel([[0.0], [D]], sigma)
    k = K[0, 1]
    tau = (2 * (1 + lam) - 2 * k * np.cos(2 * np.pi * W[:, 0] * D)) / ((1 + lam) ** 2 - k**2)
    assert np.allclose(fourier_leverage([[0.0], [D]], W, whitener(K, lam)), tau, rtol=1e-13)
    assert statistical_dimension(K, lam) == pytest.approx((2 * (1 + lam) - 2 * k**2) / ((1 + lam) ** 2 - k**2))


def test_fourier_leverage_integrates_to_s_by_30_digit_quadrature():
    X, sigma, lam = np.array([[0.0], [0.75], [-0.5]]), 0.5, 0.125
    with mpmath.workdps(30):
        inverse = reference_inverse(gaussian_kernel_balls(X, sigma, 120), 3, lam)

        def q(z):  # w = z / (2 pi sigma)
            total = mpmath.mpf(0)
            for i in range(3):
                for j in range(3):
                    total += inverse[i, j] * mpmath.cos(z * (X[i, 0] - X[j, 0]) / mpmath.mpf(sigma))
            return total * mpmath.npdf(z)

        integral = mpmath.quad(q, [-12, -6, -3, 0, 3, 6, 12])
        s = 3 - mpmath.mpf(lam) * sum(inverse[i, i] for i in range(3))
        assert abs(integral - s) < 1e-20
        lower, upper = statistical_dimension_enclosure(
            gaussian_kernel(X, sigma), F(gaussian_kernel_error(X, sigma)), lam
        )
        assert float(lower) <= s <= float(upper)


@pytest.mark.parametrize("d", [1, 2])
def test_fourier_leverage_integrates_to_s_by_the_trapezoidal_rule(d):
    sigma, lam, nodes = 0.7, 0.01, np.linspace(-8.5, 8.5, 121)
    weight = np.exp(-(nodes**2) / 2) * (nodes[1] - nodes[0]) / np.sqrt(2 * np.pi)
    grid = np.stack(np.meshgrid(*[nodes] * d), axis=-1).reshape(-1, d) / (2 * np.pi * sigma)
    mass = np.stack(np.meshgrid(*[weight] * d), axis=-1).reshape(-1, d).prod(axis=1)
    X = np.random.default_rng(7).standard_normal((6, d))
    K = gaussian_kernel(X, sigma)
    s = statistical_dimension(K, lam)
    assert abs(mass @ fourier_leverage(X, grid, whitener(K, lam)) - s) <= 1e-10 * s


def test_permuting_points_and_scaling_change_no_leverage():
    rng = np.random.default_rng(8)
    X, W, order = rng.standard_normal((6, 3)), rng.standard_normal((40, 3)), rng.permutation(6)
    tau = tangent_leverage(X, W, whitener(tangent_kernel(X), 0.1))
    permuted = tangent_leverage(X[order], W, whitener(tangent_kernel(X[order]), 0.1))
    assert np.allclose(tau, permuted, rtol=1e-11, atol=1e-13)
    scaled = tangent_leverage(4 * X, W, whitener(16 * tangent_kernel(X), 1.6))
    assert np.allclose(tau, scaled, rtol=1e-11, atol=1e-13)


# ------------------------------------------------------------------------------------------------ error bounds


@pytest.mark.parametrize("lam", [1.0, 1e-4, 1e-8, 1e-10])
def test_computed_leverage_stays_within_its_bound_of_50_digits(lam):
    angles = np.array([0.0, 1e-3, 2e-3, 1.0, 2.0])  # nearly parallel rows: cond(K + lam) up to 1e10
    X = on_circle(*angles)
    K, cells, radius = tangent_kernel(X), plane_cells(X), tangent_kernel_error(X)
    error = leverage_relative_error(K, lam, 2, radius)
    tau = cell_leverage(cells, X, K, lam)
    worst = 0.0
    with mpmath.workdps(50):
        inverse = reference_inverse(tangent_kernel_balls(X, 200), 5, lam)
        for pattern, value in zip(cells.patterns, tau, strict=True):
            active = np.flatnonzero(pattern)
            truth = mpmath.fsum(
                inverse[i, j] * mpmath.fsum(mpmath.mpf(a) * mpmath.mpf(b) for a, b in zip(X[i], X[j], strict=True))
                for i in active.tolist()
                for j in active.tolist()
            )
            assert abs(mpmath.mpf(value) - truth) <= error * truth
            worst = max(worst, float(abs(mpmath.mpf(value) - truth) / truth) if truth else 0.0)
    assert worst <= error


def test_error_bound_is_of_the_order_of_the_condition_number():
    K = tangent_kernel(I3)
    assert leverage_relative_error(K, 0.1, 2, 0.0) < 1e-12
    assert leverage_relative_error(K, 0.1, 2, 1e-6) > 1e-6  # an inexact kernel is paid for


def test_hopeless_conditioning_is_refused():
    K = np.full((6, 6), 0.5)
    with pytest.raises(ArithmeticError, match=r"whitening_residual: K \+ lam I must be well enough conditioned"):
        whitening_residual(K, 2.0**-50, 0.0)
    with pytest.raises(ValueError, match=r"K_radius must be >= 0, got K_radius = -1\.0"):
        whitening_residual(K, 1.0, -1.0)


def test_whitener_whitens():
    K = tangent_kernel(np.random.default_rng(9).standard_normal((8, 3)))
    B = whitener(K, 0.5)
    assert np.abs(B @ (K + 0.5 * np.eye(8)) @ B.T - np.eye(8)).max() <= whitening_residual(K, 0.5, 0.0) < 1e-12
    assert (np.triu(B, 1) == 0).all()


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"statistical_dimension: lam must be positive and finite, got lam = -0\.1"):
        statistical_dimension([[1.0]], -0.1)
    with pytest.raises(ValueError, match="whitener: K must be symmetric"):
        whitener([[1.0, 0.5], [0.25, 1.0]], 1.0)
    with pytest.raises(ValueError, match=r"tangent_leverage: whitener must be 1 x 1, got shape \(2, 2\)"):
        tangent_leverage([[1.0]], [[1.0]], np.eye(2))
    with pytest.raises(ValueError, match="cell_leverage: cells must be of 2 points, got 3"):
        cell_leverage(plane_cells(I2), I1, tangent_kernel(I1), 0.1)
