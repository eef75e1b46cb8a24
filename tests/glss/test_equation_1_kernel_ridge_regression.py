"""Equation (1): reference values, closed forms, balls, the corners, and every mistake caught."""

from dataclasses import replace
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from hypothesis import given

from reference.arithmetic import ball, ball_inverse, ball_matrix, interval, precision
from reference.relu_tangent import tangent_kernel_balls, tangent_kernel_error
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear_twin
from theorems.checking.store import Store
from theorems.glss.equation_1_kernel_ridge_regression import PRINTED, STATEMENT, fit
from theorems.glss.ridge_instances import HALVES, PARABOLA, SINGLE, canonical, on_circle, ridge_problems
from theorems.statement import Answer, Finding

USTAR = {
    "plane-I1": (0.795093033916226411, -0.795093033916226411),
    "plane-I2": (0.764621666684752475, -0.772642800285903948, 0.786505630938318108),
    "plane-I3": (0.788543567442988965, -0.753122896443435872, 0.765394390272600329, -0.858635849117366566),
}
ANGLES = {"plane-I1": (0.3, 1.5), "plane-I2": (0.3, 1.5, 2.9), "plane-I3": (0.0, 1.3, 2.5, 4.2)}


def fitted(x, reading=PRINTED):
    return fit(reading, x, lam=x.lam, Y=np.array(x.Y, dtype=object))


def moved_by(x, kernel_error):
    """Bound how far f(X) is from that of points at the exact angles.

    df = lambda (K + lambda)^-1 dK (K + lambda)^-1 Y, so ||df|| <= ||dK|| ||Y|| / lambda. Rounding cos and sin moves a
    unit vector by at most u, an entry of K by at most 2 u, and printing rounds once more.
    """
    n = len(x.Y)
    return (kernel_error + 2 * n * 2.0**-53) * n**0.5 / float(x.lam) + 2.0**-53


def twin(name):
    return next(t for t in STATEMENT.twins if t.name == name)


@pytest.mark.parametrize("x", canonical(), ids=lambda x: x.name)
def test_part_m_fitted_values_of_the_canonical_instances(x):
    bound = moved_by(x, tangent_kernel_error(on_circle(*ANGLES[x.name])))
    for found, printed in zip(fitted(x).at_data, USTAR[x.name], strict=True):
        assert abs(float(found) - printed) <= bound


@pytest.mark.parametrize("x", canonical(), ids=lambda x: x.name)
def test_part_m_values_agree_with_balls_around_the_true_kernel(x):
    bits, n = 128, len(x.Y)
    K = tangent_kernel_balls(on_circle(*ANGLES[x.name]), bits)
    with precision(bits):
        ridge = ball(x.lam, bits)
        inverse = ball_inverse(
            K + ball_matrix([[F(i == j) for j in range(n)] for i in range(n)], bits=bits) * ridge, bits
        )
        truth = [
            interval(ball(x.Y[i], bits) - ridge * sum(inverse[i, j] * ball(x.Y[j], bits) for j in range(n)))
            for i in range(n)
        ]
    for (low, high), printed in zip(truth, USTAR[x.name], strict=True):
        bound = F(moved_by(x, 0.0))
        assert low - bound <= F(printed) <= high + bound


def test_part_f_t01_fits_of_the_halves():
    assert fitted(HALVES).at_data.tolist() == [F(5, 6), F(5, 6)]
    by_name = {"ridge_times_n": F(5, 7), "ridge_subtracted": F(5, 4), "ridge_left_out": F(1)}
    for name, value in by_name.items():
        claims = twin(name).conclusion.claims(HALVES)
        shown = next(c for c in claims if c.says.startswith("f(X) = Y"))
        assert shown.left == [[value], [value]], name
    assert fitted(HALVES).values[-1] == F(5, 3)


def test_one_point_has_the_closed_form_k_y_over_k_plus_lambda():
    k, y, lam = F(1), F(3), SINGLE.lam
    assert fitted(SINGLE).values.tolist() == [k * y / (k + lam), 2 * y / (k + lam)]


def test_rank_deficient_kernel_agrees_with_fifty_digits_through_the_spectrum():
    n = len(PARABOLA.Y)
    with mpmath.workdps(50):
        K = mpmath.matrix([[int(v) for v in row[:n]] for row in PARABOLA.kernel[:n]])
        values, Q = mpmath.eigsy(K)
        Y = mpmath.matrix([int(y) for y in PARABOLA.Y])
        lam = mpmath.mpf(PARABOLA.lam.numerator) / PARABOLA.lam.denominator
        c = Q.T * Y
        f = Q * mpmath.matrix([values[i] * c[i] / (values[i] + lam) for i in range(n)])
        for i, found in enumerate(fitted(PARABOLA).at_data):
            assert abs(f[i] - mpmath.mpf(found.numerator) / found.denominator) < mpmath.mpf(10) ** -45


@given(STATEMENT.strategy())
def test_every_drawn_problem_meets_the_hypotheses_and_every_claim(x):
    assert STATEMENT.violated(x) == []
    decided = [decide(c) for c in STATEMENT.conclusion.claims(x)]
    assert [c for c in decided if c.answer is not Answer.IN] == []


@pytest.mark.parametrize("broken", STATEMENT.twins, ids=lambda t: t.name)
def test_every_mistake_is_refuted(broken):
    with Store.memory() as store:
        record = hear_twin(
            STATEMENT, broken, place=1, nth=1, sitting=Sitting(seed=1, campaign=1, budget=64), store=store
        )
    assert record.verdict == Finding.REFUTED
    assert record.alpha == 0


@pytest.mark.parametrize("profile", ["quick", "ci"])
def test_a_longer_profile_begins_with_the_shorter_one(profile):
    shorter = [x.name for x in ridge_problems("quick")]
    longer = [x.name for x in ridge_problems(profile)]
    assert longer[: len(shorter)] == shorter
    assert len(set(longer)) == len(longer)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"lam": F(0)}, "lambda must be positive, got lambda = 0"),
        ({"lam": F(-1, 10)}, "lambda must be positive, got lambda = -0.1"),
        ({"kernel": ((F(0), F(1)), (F(1), F(0)))}, "K must be positive semidefinite"),
        ({"Y": ()}, "Y must hold 1 to 3 labels, got 0"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(change, clause):
    assert any(clause in fault for fault in STATEMENT.violated(replace(HALVES, **change)))
