"""(7), (8), u*, (9) and Definition 3.8: reference values and other routes to every number."""

from fractions import Fraction as F
from math import asin, cos, pi

import numpy as np
import pytest

from reference.arithmetic import precision
from reference.leverage_initialisation import leverage_initialisation
from reference.rational_angles import rational_tangent_kernel
from reference.rational_eigenvalues import least_eigenvalue
from reference.relu_tangent import tangent_kernel
from reference.tangent_predictors import TangentRegression
from reference.two_layer import current_kernel
from theorems.glss.definition_3_8_reweighed_network import PRINTED, average, charged
from theorems.glss.equation_7_tangent_kernel_ridge_regression import features, minimiser
from theorems.glss.equation_8_neural_tangent_kernel import ONE_RADIAN, REAL_SECOND_LAYER, SQUARE, instances
from theorems.glss.equation_8_neural_tangent_kernel import STATEMENT as EQ8
from theorems.glss.equation_9_leverage_density import STATEMENT as EQ9
from theorems.glss.equation_9_leverage_density import dimension, leverages
from theorems.glss.section_3_2_1_optimal_predictors import optimal, output_covariance
from theorems.glss.tangent_instances import ORTHONORMAL, POINT, SHRUNK, canonical, problems
from theorems.glss.tangent_worlds import BITS, floats

I1, I2, I2_KAPPA = canonical()


def near(x):
    """A number of a world as a float: enclosures are far narrower."""
    return float(x) if isinstance(x, F) else float(x.mid())


def predictors(x):
    with precision(BITS):
        return [near(v) for v in optimal(x, x.everything)[0]]


def left_and_right(claim):
    return tuple(float(q if isinstance(q, F) else q[0]) for q in (claim.left, claim.right))


# ------------------------------------------------------------------------------------------------- u* and (7)


def test_part_m_reference_values():
    assert optimal(SHRUNK, SHRUNK.data)[0] == [F(5, 9)]
    assert list(optimal(ORTHONORMAL, ORTHONORMAL.data)[0]) == [F(5, 6), F(-5, 6)]
    assert predictors(I1)[:2] == pytest.approx([0.795093033916226411, -0.795093033916226411], rel=1e-15)
    assert predictors(I2)[:3] == pytest.approx(
        [0.764621666684752475, -0.772642800285903948, 0.786505630938318108], rel=1e-15
    )


@pytest.mark.parametrize("x", problems("night"), ids=lambda x: x.name)
def test_the_reference_object_gives_the_same_predictors(x):
    """By an eigenvalue decomposition in floats; alpha = 1 / lambda at most amplifies its rounding."""
    data, new, Y = floats(x.X), floats(x.new), np.array([float(y) for y in x.Y])
    fit = TangentRegression(tangent_kernel(data), Y, kappa=float(x.kappa), lam=float(x.lam))
    error = 1e-14 * np.abs(Y).sum() * (1 + np.linalg.norm(tangent_kernel(data)) / float(x.lam))
    np.testing.assert_allclose(fit.predictor(), predictors(x)[: x.n], atol=error)
    np.testing.assert_allclose(fit.predictor_at(tangent_kernel(new, data)), predictors(x)[x.n :], atol=error)


def test_ridge_regression_over_a_fine_grid_of_neurons_predicts_u_star():
    """An oracle without cells: N directions as features, each 1/N of the law (E|w|^2 plays no part in sigma')."""
    X, Y, N, lam = floats((*I2.X, *I2.new)), np.array([1.0, -1.0, 1.0]), 20_000, 0.1
    turn = 2 * np.pi * (np.arange(N) + 0.5) / N
    seen = (X @ np.stack([np.cos(turn), np.sin(turn)]) >= 0).astype(float)
    Phi = (seen[:, :, None] * X[:, None, :] / np.sqrt(N)).reshape(len(X), -1)
    # beta = Phi^T alpha needs a 3 x 3 system only. An arc holds its share of the grid up to 1/N, so ||dH|| <= 3/N,
    # |dk| <= sqrt(3)/N; with |alpha| <= sqrt(3)/(Lambda_0 + lambda) < 4 and |k| <= sqrt(3)/2 the predictions are off by
    # at most 12/N on the data and (7 + 24)/N at the new point
    alpha = np.linalg.solve(Phi[:3] @ Phi[:3].T + lam * np.eye(3), Y)
    beta = Phi[:3].T @ alpha
    np.testing.assert_allclose(Phi[:3].T @ (Y - Phi[:3] @ beta), lam * beta, atol=1e-12)
    np.testing.assert_allclose(Phi @ beta, predictors(I2), atol=31 / N)


def test_t09_the_false_predictors_are_far_away():
    """Distances of u* on I2, lambda = 1/10, in floats and by another solver."""
    H, Y, lam = tangent_kernel(floats(I2.X)), np.array([1.0, -1.0, 1.0]), 0.1
    with precision(BITS):
        covariance = np.array([[near(v) for v in row] for row in output_covariance(I2)])[:3, :3]

    def away(K, ridge):
        return np.linalg.norm(K @ np.linalg.solve(K + ridge * np.eye(3), Y) - predictors(I2)[:3])

    assert away(H, lam) < 1e-14
    found = [away(H, 3 * lam), away(2 * H, lam), away(covariance, lam), away(H + covariance, lam), away(H, -lam)]
    assert found == pytest.approx([0.4166824773, 0.1704758154, 0.2392662277, 0.1167612424, 1.1041411015], abs=1e-9)
    u = predictors(I2_KAPPA)[:3]
    dropped = H @ np.linalg.solve(H + lam * np.eye(3), Y)
    assert np.linalg.norm(dropped - u) == pytest.approx(0.2548646757, abs=1e-9)


def test_e7_the_hexagon_has_no_least_eigenvalue_to_speak_of():
    """Six roots of A_2: H_cts (1, -1, 1, -1, 1, -1)^T = 0 exactly, although no two points coincide."""
    hexagon = [[1, -1, 0], [1, 0, -1], [0, 1, -1], [-1, 1, 0], [-1, 0, 1], [0, -1, 1]]
    H = np.array(rational_tangent_kernel(hexagon, hexagon))
    assert not (H @ np.array([1, -1, 1, -1, 1, -1])).any()
    assert least_eigenvalue(H.tolist()) == (0, 0)


def test_the_minimiser_has_no_weight_where_nothing_is_seen():
    A, _ = features(ORTHONORMAL.data)
    beta = minimiser(ORTHONORMAL, ORTHONORMAL.data)
    assert [b for b, column in zip(beta, A.T, strict=True) if not any(column)] == [0] * 4
    assert minimiser(POINT, POINT.data).tolist() == [F(5, 3), 0]


# --------------------------------------------------------------------------------------------------------- (8)


def test_t08_angle_one():
    off_diagonal = EQ8.conclusion.claims(ONE_RADIAN)[1]
    assert left_and_right(off_diagonal)[0] == pytest.approx(cos(1) * (pi - 1) / (2 * pi), abs=1e-15)
    seen = {t.name: left_and_right(t.conclusion.claims(ONE_RADIAN)[1]) for t in EQ8.twins}
    assert seen["inner_product_forgotten"] == pytest.approx((0.18416, 0.34085), abs=5e-6)
    assert seen["angle_reflected"] == pytest.approx((0.18416, 0.35614), abs=5e-6)
    assert seen["half_forgotten"] == pytest.approx((0.18416, 0.36832), abs=5e-6)


@pytest.mark.parametrize("x", [x for x in instances("ci") if not x.rational], ids=lambda x: x.name)
def test_orthant_probabilities_by_the_arcsine_formula(x):
    """P(w.x >= 0, w.z >= 0) = 1/4 + arcsin(rho) / (2 pi) (Sheppard)."""
    X = floats(x.X)
    claims = iter(EQ8.conclusion.claims(x))
    for i in range(len(X)):
        for j in range(i + 1):
            product = X[i] @ X[j]
            rho = np.clip(product / np.sqrt((X[i] @ X[i]) * (X[j] @ X[j])), -1, 1)
            expected = product * (0.25 + asin(rho) / (2 * pi))
            # arcsin has derivative 1 / sqrt(1 - rho^2): at rho = 1 - u the angle is off by sqrt(2 u)
            assert left_and_right(next(claims))[0] == pytest.approx(expected, abs=1e-8)
    assert next(claims, None) is None


def test_e26_a_real_second_layer_has_seven_quarters_of_the_kernel():
    with_signs, with_numbers = (EQ8.conclusion.claims(x) for x in (SQUARE, REAL_SECOND_LAYER))
    for a, b in zip(with_signs, with_numbers, strict=True):
        assert b.left == F(7, 4) * a.left


# --------------------------------------------------------------------------------------------- (9), Definition 3.8


def leverage_of(x):
    w, lam = x.data, x.data.number(x.lam)
    with precision(BITS):
        return w, leverages(w, w.kernel, lam, w.grams()), dimension(w, w.kernel, lam)


def test_i2_leverage_per_cell_and_what_it_says_of_the_weights():
    w, tau, s = leverage_of(I2)
    found = {tuple(seen): near(t) for seen, t in zip(w.seen.tolist(), tau, strict=True)}
    expected = {(1, 1, 1): 4.486, (0, 1, 1): 3.395, (0, 0, 1): 1.711, (1, 0, 0): 1.762, (1, 1, 0): 3.255, (0, 0, 0): 0}
    assert found == pytest.approx(expected, abs=5e-4)
    assert near(s) == pytest.approx(2.47817614146032891, rel=1e-15)
    weights = sorted(near(s) / t for t in found.values() if t)
    assert (weights[0], weights[-1]) == pytest.approx((0.5524, 1.4485), abs=5e-5)
    # s (Lambda_0 + lambda) / n <= p/q <= s (||H_cts|| + lambda) for unit data
    assert near(s) * (0.341478455406179 + 0.1) / 3 == pytest.approx(0.3647, abs=5e-5)
    assert near(s) * (0.616224678978057 + 0.1) == pytest.approx(1.7749, abs=5e-5)


def test_t49_b_e11_nobody_is_drawn_where_no_angle_is_seen():
    twin = next(t for t in EQ9.twins if t.name == "positive_everywhere")
    mass, claimed = left_and_right(twin.conclusion.claims(I2)[1])
    assert (mass, claimed) == pytest.approx(((pi - 2.6) / (2 * pi), 0), abs=1e-15)


def test_i5_leverage_is_rational():
    _, tau, s = leverage_of(ORTHONORMAL)
    assert sorted(tau) == [0, F(5, 3), F(5, 3), F(10, 3)]
    assert s == F(5, 3)


def test_one_point_is_the_half_space_network():
    """w ~ q is a Gaussian vector with w.x >= 0, and p/q = 1/2 there."""
    [seen] = [c for c in charged(POINT, POINT.data) if c is not None]
    assert (seen.p, seen.q) == (F(1, 2), 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_sampler_of_the_reference_has_these_means(seed):
    """Hoeffding: a mean of m terms in [0, c] is off by c sqrt(ln(2 N / delta) / (2 m)), N entries, delta = 1e-9."""
    m, rng = 40_000, np.random.default_rng([17, seed])
    everything = floats((*I1.X, *I1.new))
    drawn = leverage_initialisation(everything[:2], 0.1, m, rng)
    H = current_kernel(drawn.W, everything, omega=drawn.omega)
    with precision(BITS):
        w = I1.everything
        mean = np.array([[near(v) for v in row] for row in average(w, charged(I1, w), PRINTED, w.grams())])
    largest = float(np.square(drawn.omega).max())
    assert largest <= 1.65463839650292351 * (0.611973643887166 + 0.1)
    np.testing.assert_allclose(H, mean, atol=largest * np.sqrt(np.log(2 * 9 / 1e-9) / (2 * m)))
    assert mean[2, 2] == pytest.approx(0.5 - 0.7 / (2 * pi), abs=1e-14)  # only 2.2 is seen on an arc of .7
