from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.arithmetic import interval
from reference.preconditions import gamma
from reference.relu_tangent import (
    CHUNK,
    activations,
    angle,
    tangent_gram,
    tangent_kernel,
    tangent_kernel_balls,
    tangent_kernel_error,
)


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def exact_angle(x, z):
    """The angle between float vectors of the plane, to 60 digits, by atan2 of cross and inner product."""
    with mpmath.workdps(60):
        a, b, c, d = (mpmath.mpf(float(t)) for t in (*x, *z))
        return abs(mpmath.atan2(a * d - b * c, a * c + b * d))


def exact_kernel_error(X, K):
    """||K - true||_2 for the float data, through balls of 200 digits."""
    balls = tangent_kernel_balls(X, 700)
    n = len(K)
    middle = [[sum(interval(balls[i, j])) / 2 for j in range(n)] for i in range(n)]
    return np.linalg.norm(np.array([[float(Fraction(K[i, j]) - middle[i][j]) for j in range(n)] for i in range(n)]), 2)


# --------------------------------------------------------------------------------------------------- the angle


@pytest.mark.parametrize("exponent", range(0, 13))
@pytest.mark.parametrize("opposite", [False, True])
def test_angle_near_zero_and_pi_against_60_digits(exponent, opposite):
    theta = 10.0**-exponent + (np.pi if opposite else 0.0)
    x, z = np.array([3.0, 1.0]), np.array([[np.cos(theta), np.sin(theta)], [np.sin(theta), -np.cos(theta)]])
    turned = np.array([3.0 * z[0, 0] - z[0, 1], 3.0 * z[0, 1] + z[0, 0]])
    got, truth = angle([x], [turned])[0, 0], exact_angle(x, turned)
    assert abs(mpmath.mpf(got) - truth) <= 5 * gamma(12)


def test_naive_arccos_would_fail_the_same_test():
    x, z = np.array([1.0, 0.0]), np.array([np.cos(1e-8), np.sin(1e-8)])
    assert abs(np.arccos(x @ z) - exact_angle(x, z)) > 5 * gamma(12)


def test_angle_is_zero_for_parallel_and_pi_for_opposite_rows():
    assert angle([[1.0, 2.0]], [[4.0, 8.0]])[0, 0] == 0
    assert angle([[1.0, 2.0]], [[-4.0, -8.0]])[0, 0] == np.pi
    assert angle([[1.0, 0.0]], [[0.0, -3.0]])[0, 0] == pytest.approx(np.pi / 2, abs=5 * gamma(12))


def test_angle_of_a_zero_row_is_refused():
    with pytest.raises(ValueError, match="angle: z must have no zero row, got one at 1"):
        angle([[1.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]])


# --------------------------------------------------------------------------------------------------- the kernel


@pytest.mark.parametrize(
    ("name", "angles", "eigenvalues"),
    [
        ("I1", (0.3, 1.5), (0.388026356112834, 0.611973643887166)),
        ("I2", (0.3, 1.5, 2.9), (0.341478455406179, 0.542296865615764, 0.616224678978057)),
        (
            "I3",
            (0, 1.3, 2.5, 4.2),
            (0.308302567103677, 0.451788428799167, 0.596709463832041, 0.643199540265115),
        ),
    ],
)
def test_eigenvalues_of_the_canonical_instances(name, angles, eigenvalues):
    assert np.abs(np.linalg.eigvalsh(tangent_kernel(on_circle(*angles))) - eigenvalues).max() < 2e-15


def test_I4_hexagon_is_singular():
    X = on_circle(*(np.pi / 3 * np.arange(6)))
    alternating = np.array([1, -1] * 3)
    assert np.abs(tangent_kernel(X) @ alternating).max() < 1e-15


@pytest.mark.parametrize(("n", "least"), [(3, 1 / 3), (4, 0.5), (5, 0.3)])
def test_equispaced_points_have_the_printed_least_eigenvalue(n, least):
    X = on_circle(*(2 * np.pi / n * np.arange(n)))
    assert np.linalg.eigvalsh(tangent_kernel(X))[0] == pytest.approx(least, abs=1e-3)


def test_smallest_inputs_by_hand():
    assert tangent_kernel([[3.0, 4.0]]).tolist() == [[12.5]]  # ||x||^2 / 2
    assert tangent_kernel([[0.0, 0.0]]).tolist() == [[0.0]]
    assert np.abs(tangent_kernel(np.diag([1.0, 2.0])) - np.diag([0.5, 2.0])).max() == 0
    X = np.array([[1.0, 2.0], [-1.0, -2.0], [2.0, 4.0], [0.0, 0.0]])
    assert tangent_kernel(X).tolist() == [[2.5, 0, 5, 0], [0, 2.5, 0, 0], [5, 0, 10, 0], [0, 0, 0, 0]]


def test_one_dimension_has_rank_two():
    K = tangent_kernel([[1.0], [-2.0], [3.0]])
    assert K.tolist() == [[0.5, 0, 1.5], [0, 2, 0], [1.5, 0, 4.5]]


def test_rotation_by_a_pythagorean_triple_is_exact_up_to_the_error_bound():
    X = np.random.default_rng(1).integers(-50, 50, size=(7, 2)).astype(float)
    turned = X @ np.array([[3.0, 4.0], [-4.0, 3.0]])
    difference = tangent_kernel(turned) - 25 * tangent_kernel(X)
    assert np.linalg.norm(difference, 2) <= tangent_kernel_error(turned) + 26 * tangent_kernel_error(X)


def test_permutation_of_points_permutes_the_kernel():
    X = np.random.default_rng(2).standard_normal((9, 4))
    order = np.random.default_rng(3).permutation(9)
    assert np.abs(tangent_kernel(X[order]) - tangent_kernel(X)[np.ix_(order, order)]).max() <= 1e-15


def test_two_sets_agree_with_one():
    X = np.random.default_rng(4).standard_normal((130, 3))
    assert np.abs(tangent_kernel(X, X[:5]) - tangent_kernel(X)[:, :5]).max() <= tangent_kernel_error(X)


@pytest.mark.parametrize("power", [-500, -200, 200, 500])
def test_scaling_by_a_power_of_two_is_exact(power):
    X = np.random.default_rng(5).standard_normal((5, 3))
    assert (tangent_kernel(np.ldexp(X, power)) == np.ldexp(tangent_kernel(X), 2 * power)).all()


def test_overflow_is_refused():
    with pytest.raises(OverflowError, match="scale X"):
        tangent_kernel([[1e200]])
    with pytest.raises(OverflowError, match="scale X"):
        tangent_kernel_error([[1e200]])


def test_different_dimensions_are_refused():
    with pytest.raises(ValueError, match="as many columns as X, got 3 where X has 2"):
        tangent_kernel([[1.0, 2.0]], [[1.0, 2.0, 3.0]])


# --------------------------------------------------------------------------------------------- the error bound

coordinates = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-4, 4),
    st.sampled_from([1e-300, 1e-8, 1e150, -1.0, 1 + 2.0**-52]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3).flatmap(lambda d: st.lists(st.lists(coordinates, min_size=d, max_size=d), min_size=1, max_size=4))
)
def test_float_error_stays_below_its_bound(rows):
    X = np.array(rows)
    assert exact_kernel_error(X, tangent_kernel(X)) <= tangent_kernel_error(X)


def test_error_bound_is_informative_and_catches_arccos():
    X = on_circle(*(1e-8 * np.arange(1, 6)))
    cosines = np.clip(X @ X.T, -1, 1)
    naive = cosines * (np.pi - np.arccos(cosines)) / (2 * np.pi)
    assert exact_kernel_error(X, tangent_kernel(X)) <= tangent_kernel_error(X) < 1e-13
    assert exact_kernel_error(X, naive) > tangent_kernel_error(X)


def test_balls_shrink_with_precision_and_agree_with_60_digits():
    X = np.array([[1.0, 1e-9], [-1.0, 3e-9], [2.0, 5.0]])
    balls = tangent_kernel_balls(X, 200)
    with mpmath.workdps(50):
        for i in range(3):
            for j in range(3):
                theta = exact_angle(X[i], X[j])
                dot = sum(mpmath.mpf(a) * mpmath.mpf(b) for a, b in zip(X[i], X[j], strict=True))
                truth = dot * (mpmath.pi - theta) / (2 * mpmath.pi)
                low, high = interval(balls[i, j])
                assert high - low < Fraction(1, 2**120)
                assert abs(mpmath.mpf((low + high).numerator) / (low + high).denominator / 2 - truth) < 1e-38


# ------------------------------------------------------------------------------------------ activations and Grams


def test_activations_by_hand_and_at_the_kink():
    X = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    W = [[1.0, -1.0], [0.0, -2.0], [0.0, 0.0], [-1.0, 5.0]]
    assert activations(X, W).tolist() == [[True, True, True, False], [False, False, True, True], [True] * 4]


def test_gram_is_the_definition_across_chunks():
    rng = np.random.default_rng(6)
    X, W = rng.standard_normal((4, 3)), rng.standard_normal((CHUNK + 5, 3))
    weights = rng.random(len(W))
    features = activations(X, W)[:, :, None] * X[:, None, :]
    direct = np.einsum("irk,jrk,r->ij", features, features, weights) / len(W)
    got = tangent_gram(X, W, weights)
    assert (got == got.T).all()
    # 2 len(W) roundings of positive terms, all bounded by ||x_i|| ||x_j||
    assert np.linalg.norm(got - direct, 2) <= gamma(3 * len(W) + 20) * (X**2).sum()


def test_gram_of_many_draws_approaches_the_kernel():
    rng = np.random.default_rng(7)
    X, m = rng.standard_normal((5, 2)), 20_000
    K = tangent_kernel(X)
    Kt = tangent_gram(X, rng.standard_normal((m, 2)), np.ones(m))
    # Hoeffding for each of 15 means in [0, x_i.x_j]: false alarm below 1e-9
    assert (np.abs(Kt - K) <= np.abs(X @ X.T) * np.sqrt(np.log(2 * 15 / 1e-9) / (2 * m)) + 1e-12).all()


def test_weights_must_be_one_per_draw():
    with pytest.raises(ValueError, match="tangent_gram: weights must have length 2, got 1"):
        tangent_gram([[1.0]], [[1.0], [2.0]], [1.0])
