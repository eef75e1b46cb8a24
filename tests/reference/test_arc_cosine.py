from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.arc_cosine import (
    arc_cosine_features,
    arc_cosine_gram,
    arc_cosine_kernel,
    arc_cosine_kernel_balls,
    arc_cosine_kernel_error,
)
from reference.arithmetic import interval
from reference.orthants import sphere_cells
from reference.preconditions import gamma
from reference.random_features import modified_features
from reference.relu_tangent import CHUNK, angle, tangent_kernel, tangent_kernel_error

ORDERS = pytest.mark.parametrize("order", [0, 1])


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def exact_kernel_error(X, order, K):
    """||K - true K||_2 for the float data, through balls of 200 digits."""
    balls = arc_cosine_kernel_balls(X, order, 700)
    n = len(K)
    middle = [[sum(interval(balls[i, j])) / 2 for j in range(n)] for i in range(n)]
    return np.linalg.norm(np.array([[float(Fraction(K[i, j]) - middle[i][j]) for j in range(n)] for i in range(n)]), 2)


def by_integral(x, z, order):
    """E phi phi over w = r (cos t, sin t): E r^(2 order) = 1 or 2, and t uniform; cut at the kinks."""
    with mpmath.workdps(30):
        kinks = {
            mpmath.atan2(*map(mpmath.mpf, row[::-1])) + k * mpmath.pi / 2 for row in (x, z) for k in (-3, -1, 1, 3)
        }
        cuts = [-mpmath.pi, *sorted(k for k in kinks if -mpmath.pi < k < mpmath.pi), mpmath.pi]

        def integrand(t):
            a, b = (mpmath.cos(t) * row[0] + mpmath.sin(t) * row[1] for row in (x, z))
            return (2 * max(a, 0) * max(b, 0) if order else (a >= 0) * (b >= 0)) / (2 * mpmath.pi)

        return mpmath.quad(integrand, cuts)


# --------------------------------------------------------------------------------------------------- the kernel


def test_smallest_inputs_by_hand():
    X = [[3.0, 4.0], [-3.0, -4.0], [-4.0, 3.0], [0.0, 0.0], [0.0, 0.0]]
    quarter = pytest.approx(0.25, abs=1e-16)
    assert arc_cosine_kernel(X, 0).tolist() == [
        [0.5, 0.0, quarter, 0.5, 0.5],
        [0.0, 0.5, quarter, 0.5, 0.5],
        [quarter, quarter, 0.5, 0.5, 0.5],
        [0.5, 0.5, 0.5, 1.0, 1.0],
        [0.5, 0.5, 0.5, 1.0, 1.0],
    ]
    right = pytest.approx(25 / (2 * np.pi), rel=1e-14)
    K = arc_cosine_kernel(X, 1)
    assert K[:3, :3].tolist() == [
        [12.5, pytest.approx(0, abs=1e-14), right],
        [K[1, 0], 12.5, right],
        [right] * 2 + [12.5],
    ]
    assert not K[3:].any()
    assert not K[:, 3:].any()


@ORDERS
def test_only_zero_rows(order):
    assert arc_cosine_kernel([[0.0], [-0.0]], order).tolist() == [[1 - order] * 2] * 2
    assert exact_kernel_error(np.zeros((2, 1)), order, arc_cosine_kernel(np.zeros((2, 1)), order)) == 0


@ORDERS
@pytest.mark.parametrize("pair", [(0.3, 1.5), (0.3, 3.3), (-2.0, 2.9), (1.0, 1.0 + 1e-3)])
def test_kernel_is_the_integral_of_its_features(order, pair):
    X = on_circle(*pair) * [[1.0], [2.5]]
    truth = by_integral(*X, order)
    assert abs(truth - arc_cosine_kernel(X, order)[0, 1]) <= arc_cosine_kernel_error(X, order)
    low, high = interval(arc_cosine_kernel_balls(X, order, 120)[0, 1])
    assert abs(truth - mpmath.mpf(low.numerator) / low.denominator) < 1e-13  # quadrature meets kinks known to 16 digits
    assert high - low < Fraction(1, 2**90)


@ORDERS
def test_balls_agree_with_50_digits(order):
    X = np.array([[1.0, 1e-9], [-1.0, 3e-9], [2.0, 5.0], [-5.0, 2.0]])
    balls = arc_cosine_kernel_balls(X, order, 250)
    with mpmath.workdps(60):
        for i, x in enumerate(X.tolist()):
            for j, z in enumerate(X.tolist()):
                theta = abs(mpmath.atan2(mpmath.mpf(x[0]) * z[1] - mpmath.mpf(x[1]) * z[0], mpmath.fdot(x, z)))
                shape = mpmath.sin(theta) + (mpmath.pi - theta) * mpmath.cos(theta) if order else mpmath.pi - theta
                size = mpmath.sqrt(mpmath.fdot(x, x) * mpmath.fdot(z, z)) if order else 1
                low, high = interval(balls[i, j])
                middle = (low + high) / 2
                difference = mpmath.mpf(middle.numerator) / middle.denominator - size * shape / (2 * mpmath.pi)
                assert abs(difference) < 1e-48


def test_order_zero_is_the_average_over_cells():
    X = np.random.default_rng(1).standard_normal((6, 3))
    cells = sphere_cells(X)
    s = cells.patterns.astype(float)
    assert np.abs((cells.probability * s.T) @ s - arc_cosine_kernel(X, 0)).max() < 1e-15


def test_tangent_kernel_is_the_inner_product_times_order_zero():
    X = np.vstack([np.random.default_rng(2).standard_normal((6, 4)), np.zeros((1, 4))])
    product = X @ X.T * arc_cosine_kernel(X, 0)
    allowed = tangent_kernel_error(X) + (arc_cosine_kernel_error(X, 0) + gamma(5)) * np.linalg.norm(X) ** 2
    assert np.linalg.norm(product - tangent_kernel(X), 2) <= allowed < 1e-12


def test_order_one_is_the_tangent_kernel_plus_the_sine():
    X = np.random.default_rng(3).standard_normal((6, 4))
    norms = np.linalg.norm(X, axis=1)
    sine = np.outer(norms, norms) * np.sin(angle(X, X)) / (2 * np.pi)
    allowed = arc_cosine_kernel_error(X, 1) + tangent_kernel_error(X) + gamma(60) * np.linalg.norm(X) ** 2
    assert np.linalg.norm(arc_cosine_kernel(X, 1) - tangent_kernel(X) - sine, 2) <= allowed < 1e-12


@ORDERS
def test_two_sets_agree_with_one_and_permutation_permutes(order):
    X = np.random.default_rng(4).standard_normal((70, 3))
    X[3] = 0
    K = arc_cosine_kernel(X, order)
    assert (K == K.T).all()
    assert np.abs(arc_cosine_kernel(X, order, X[:5]) - K[:, :5]).max() < 1e-14
    swap = np.random.default_rng(5).permutation(70)
    assert np.abs(arc_cosine_kernel(X[swap], order) - K[np.ix_(swap, swap)]).max() < 1e-14


@ORDERS
def test_rotation_by_a_pythagorean_triple(order):
    X = np.random.default_rng(6).integers(-50, 50, size=(7, 2)).astype(float)
    turned = X @ np.array([[3.0, 4.0], [-4.0, 3.0]])
    scale = 25 if order else 1
    difference = arc_cosine_kernel(turned, order) - scale * arc_cosine_kernel(X, order)
    allowed = arc_cosine_kernel_error(turned, order) + (scale + 1) * arc_cosine_kernel_error(X, order)
    assert np.linalg.norm(difference, 2) <= allowed


@pytest.mark.parametrize("power", [-500, 500])
def test_scaling_by_a_power_of_two_is_exact(power):
    X = np.random.default_rng(7).standard_normal((5, 3))
    assert (arc_cosine_kernel(np.ldexp(X, power), 0) == arc_cosine_kernel(X, 0)).all()
    assert (arc_cosine_kernel(np.ldexp(X, power), 1) == np.ldexp(arc_cosine_kernel(X, 1), 2 * power)).all()


# ---------------------------------------------------------------------------------------------- the error bound

coordinates = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-4, 4),
    st.sampled_from([1e-300, 1e-8, 1e150, -1.0, 1 + 2.0**-52]),
)
small_data = st.integers(1, 3).flatmap(
    lambda d: st.lists(st.lists(coordinates, min_size=d, max_size=d), min_size=1, max_size=4)
)


@settings(max_examples=80, deadline=None)
@given(small_data, st.sampled_from([0, 1]))
def test_float_error_stays_below_its_bound(rows, order):
    X = np.array(rows)
    assert exact_kernel_error(X, order, arc_cosine_kernel(X, order)) <= arc_cosine_kernel_error(X, order)


@ORDERS
def test_error_bound_is_informative_and_catches_arccos(order):
    X = on_circle(*(1e-4 * np.arange(1, 6) + np.pi * (np.arange(5) % 2)))
    theta = np.arccos(np.clip(X @ X.T, -1, 1))
    naive = np.pi - theta if order == 0 else np.sqrt(1 - np.clip(X @ X.T, -1, 1) ** 2) + (np.pi - theta) * (X @ X.T)
    assert exact_kernel_error(X, order, arc_cosine_kernel(X, order)) <= arc_cosine_kernel_error(X, order) < 1e-13
    # at order 1 the errors of sine and angle cancel to second order, so a wrong constant is the mistake to see
    wrong = naive / (2 * np.pi) if order == 0 else naive / (2 * 3.14159265358979)
    assert exact_kernel_error(X, order, wrong) > arc_cosine_kernel_error(X, order)


# --------------------------------------------------------------------------------------------------- the features


def test_features_by_hand():
    X, W = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [[1.0, -2.0], [0.0, 3.0]]
    assert arc_cosine_features(X, W, 0).tolist() == [[1, 1], [0, 1], [1, 1]]
    assert arc_cosine_features(X, W, 1).tolist() == [[1, 0], [0, 3], [0, 0]]


@ORDERS
def test_two_draws_are_the_whole_law_on_the_line(order):
    X = [[1.0], [-2.0], [3.0], [0.0]]
    difference = arc_cosine_gram(X, [[1.0], [-1.0]], [1.0, 1.0], order) - arc_cosine_kernel(X, order)
    assert np.linalg.norm(difference, 2) <= arc_cosine_kernel_error(X, order)


@ORDERS
def test_gram_is_the_definition_across_chunks(order):
    rng = np.random.default_rng(8)
    X, W = rng.standard_normal((4, 3)), rng.standard_normal((CHUNK + 5, 3))
    weights = rng.random(len(W))
    streamed = arc_cosine_gram(X, W, weights, order)
    psi = modified_features(arc_cosine_features(X, W, order)[:, :, None], weights)
    assert (streamed == streamed.T).all()
    assert np.abs(streamed - psi @ psi.T).max() <= gamma(4 * len(W)) * np.abs(psi @ psi.T).max()


@ORDERS
def test_random_gram_averages_to_the_kernel(order):
    X, m = on_circle(0.3, 1.5, 2.9), 40_000
    turn = np.random.default_rng(9).uniform(0, 2 * np.pi, m)
    # E|w|^2 = 2 is all that order 1 knows of the radius, so w on this circle serves and keeps products in [0, 2]
    gram = arc_cosine_gram(X, np.sqrt(2) * on_circle(*turn), np.ones(m), order)
    # Hoeffding, six entries: false alarm below 1e-9
    allowed = (2 if order else 1) * np.sqrt(np.log(2 * 6 / 1e-9) / (2 * m))
    assert np.abs(gram - arc_cosine_kernel(X, order)).max() <= allowed
    # and with power: a kernel without its half is far outside
    assert np.abs(gram - 2 * arc_cosine_kernel(X, order)).max() > 5 * allowed


# --------------------------------------------------------------------------------------------------- what is refused


def test_overflow_is_refused():
    for call in (
        lambda: arc_cosine_kernel([[1e200]], 1),
        lambda: arc_cosine_kernel_error([[1e200]], 1),
        lambda: arc_cosine_features([[1e200]], [[1e200]], 1),
        lambda: arc_cosine_gram([[1e200]], [[1.0]], [1.0], 1),
    ):
        with pytest.raises(OverflowError, match=r"exceeds? the float range; scale X"):
            call()
    assert arc_cosine_kernel([[1e200]], 0).tolist() == [[0.5]]


@pytest.mark.parametrize("order", [2, -1, 0.5])
def test_other_orders_are_refused(order):
    for call in (
        lambda: arc_cosine_kernel([[1.0]], order),
        lambda: arc_cosine_kernel_error([[1.0]], order),
        lambda: arc_cosine_kernel_balls([[1.0]], order, 64),
        lambda: arc_cosine_features([[1.0]], [[1.0]], order),
        lambda: arc_cosine_gram([[1.0]], [[1.0]], [1.0], order),
    ):
        with pytest.raises(ValueError, match=f"order must be 0 or 1, got order = {order}"):
            call()


def test_other_dimensions_and_negative_weights_are_refused():
    with pytest.raises(ValueError, match="arc_cosine_kernel: Z must have as many columns as X, got 1 where X has 2"):
        arc_cosine_kernel([[1.0, 2.0]], 0, [[1.0]])
    with pytest.raises(ValueError, match="arc_cosine_features: W must have as many columns"):
        arc_cosine_features([[1.0]], [[1.0, 2.0]], 1)
    with pytest.raises(ValueError, match=r"arc_cosine_gram: weights must be >= 0, got -1\.0 at 0"):
        arc_cosine_gram([[1.0]], [[1.0]], [-1.0], 0)
