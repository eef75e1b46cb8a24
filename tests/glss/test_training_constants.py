"""The constants of the training theorems against their formulas in floats, and the numbers that enter their proofs."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from reference.relu_tangent import tangent_kernel
from theorems.glss.training_constants import FLIPS, OUTPUTS, REWEIGHED_OUTPUTS, Constants, outwards
from theorems.glss.training_instances import (
    DEFINITE,
    I1,
    I2,
    I3,
    IN_RANGE,
    LABELS,
    ORTHONORMAL,
    SHORT_STEPS,
    UNIT,
    alternating,
    on_circle,
    random_unit,
    training,
)
from theorems.glss.training_strategies import problems

PROBLEM = training("I1", "-", X=I1, Y=[1.0, -1.0], lam=Fraction(1, 1024), step=Fraction(1, 2), steps=100)
TESTED = replace(PROBLEM, kappa=Fraction(1, 8), X_test=on_circle(2.2))


def by_hand(x, m, omega2=1.0):
    """The module's formulas, in floats."""
    n, points = len(x.X), x.points
    total, delta, T = len(points), float(x.delta), float(x.horizon)
    kappa, lam, least = float(x.kappa), float(x.lam), float(np.linalg.eigvalsh(tangent_kernel(x.X))[0])
    beta = math.sqrt(2 * math.log(12 * total / delta))
    B = math.sqrt(n) * (1 + kappa * beta)
    r = lam * math.sqrt(n) / (kappa**2 * least + lam)
    path = 2 * B / (kappa**2 * least) + 2 * T * r
    decay = 1 - float(x.step) * lam
    R = decay**-x.steps * math.sqrt(omega2) * kappa * np.linalg.norm(x.X, 2) * path / math.sqrt(m)
    hoeffding = omega2 * math.sqrt(math.log(3 * total * (total + 1) / delta) / (2 * m))
    eta = np.linalg.norm(points @ points.T) * (hoeffding + 2 * R)
    return {"least": least, "beta": beta, "B": B, "r": r, "R": R, "eta": eta, "c": kappa**2 * least / 2 + lam}


@pytest.mark.parametrize("x", [PROBLEM, TESTED], ids=["training", "with-a-test-point"])
@pytest.mark.parametrize("omega2", [None, 2.5])
def test_constants_are_those_of_the_formulas(x, omega2):
    m = 12345
    c = Constants(x, omega_squared=None if omega2 is None else (Fraction(omega2), Fraction(omega2)))
    hand = by_hand(x, m, omega2 or 1.0)
    found = {"beta": c.beta, "B": c.start, "r": c.residual, "R": c.radius(m), "eta": c.eta(m), "c": c.rate}
    for name, (low, high) in found.items():
        assert 0 <= high - low <= Fraction(1, 10**9) * max(1, high)
        assert float(low) == pytest.approx(hand[name], rel=1e-10), name
    lower, upper = c.distances(m)
    k = np.arange(x.steps + 1)
    steady = float(x.kappa) ** 2 * hand["eta"] * hand["r"] / hand["c"]
    np.testing.assert_allclose(lower, (1 - float(x.step) * hand["c"]) ** k * hand["B"] + steady, rtol=1e-9)
    assert (lower < upper).all()


@given(problems())
@settings(deadline=None)
def test_at_the_least_width_the_side_conditions_hold_and_just_below_one_fails(x):
    m = Constants(x).least_width
    for width, holds in ((m * (1 + 1e-6) + 1, True), (m * (1 - 1e-6) - 2, False)):
        hand, n = by_hand(x, width), len(x.X)
        conditions = (
            hand["eta"] <= hand["least"] / 2,
            width >= 16 * math.log(6 * n / float(x.delta)),
            n * (n + 1) / 2 * math.exp(-0.635 * width * hand["R"]) <= float(x.delta) / 3,
        )
        assert all(conditions) is holds


def test_numbers_of_the_proof():
    """Chernoff for the flips; tails of sigma(g)^2 without and with weights; the density of |g| at 0."""
    assert 2 * math.log(2 / 0.798) - (2 - 0.798) >= FLIPS
    assert 2 * norm.pdf(0) <= 0.798

    def plain(s):
        return -s + math.log(0.5 + 0.5 / math.sqrt(1 - 2 * s))

    def reweighed(s, omega2):
        return -s / omega2 + math.log(1 + (0.5 / math.sqrt(1 - 2 * s) - 0.5) / omega2)

    gain = -minimize_scalar(plain, bounds=(0.01, 0.45), method="bounded").fun
    assert OUTPUTS * gain >= 1 + 1e-3
    for omega2 in (1.0, 2.0, 10.0, 1e4):
        gain = -minimize_scalar(reweighed, args=(omega2,), bounds=(0.01, 0.45), method="bounded").fun * omega2
        assert REWEIGHED_OUTPUTS * gain >= 1 + 1e-3


def test_outwards_encloses():
    third = Fraction(1, 3)
    lower, upper = outwards([(third, third), (Fraction(0), Fraction(1))])
    assert Fraction(lower[0]) < third < Fraction(upper[0])
    assert (upper[0] - lower[0]) < 1e-15


def test_a_kernel_that_is_not_proven_definite_is_refused():
    x = replace(PROBLEM, X=on_circle(*np.arange(6) * np.pi / 3), Y=alternating(6))
    with pytest.raises(ValueError, match="Lambda_0 must be positive"):
        Constants(x)


# ------------------------------------------------------------------------------------------------- instances


@pytest.mark.parametrize(
    ("X", "spectrum"),
    [
        (I1, (0.388026356112834, 0.611973643887166)),
        (I2, (0.341478455406179, 0.542296865615764, 0.616224678978057)),
        (I3, (0.308302567103677, 0.451788428799167, 0.596709463832041, 0.643199540265115)),
    ],
    ids=["I1", "I2", "I3"],
)
def test_canonical_data_have_their_reference_values(X, spectrum):
    x = training("x", "-", X=X, Y=alternating(len(X)), lam=0.1, step=1, steps=1)
    for found, expected in ((x.Lambda_0, spectrum[0]), (x.kernel_norm, spectrum[-1])):
        # points are rounded inwards by 2^-51, which moves an eigenvalue below 1 by at most 2^-50
        assert found[0] - Fraction(1, 2**50) <= Fraction(expected) <= found[1] + Fraction(1, 2**50)
        assert 0 <= found[1] - found[0] < Fraction(1, 10**12)
    u_star = x.Y - np.array([float(v) for v in x.remainder[0]])
    expected = {2: 0.795093033916226411, 3: 0.764621666684752475, 4: 0.788543567442988965}[len(X)]
    assert u_star[0] == pytest.approx(expected, abs=1e-14)
    assert 0 < x.remainder[1] < Fraction(1, 10**12)


def test_points_are_rounded_inwards():
    rng = np.random.default_rng(1)
    for X in (on_circle(*rng.uniform(0, 7, 200)), random_unit(200, 7, rng)):
        x = replace(PROBLEM, X=X)
        assert UNIT.holds(x) is None
        assert np.abs((X * X).sum(axis=1) - 1).max() < 1e-13


@pytest.mark.parametrize(
    ("hypothesis", "change", "clause"),
    [
        (UNIT, {"X": 1.001 * I1}, "||x_i|| must be at most 1"),
        (UNIT, {"X_test": np.array([[2.0, 0.0]])}, "||x_2||^2 = 4"),
        (LABELS, {"Y": np.array([1.5, 0.0])}, "got 1.5"),
        (DEFINITE, {"X": np.array([[1.0, 0.0], [0.5, 0.0]])}, "Lambda_0 must be positive"),
        (IN_RANGE, {"kappa": Fraction(2)}, "kappa must lie in"),
        (IN_RANGE, {"lam": Fraction(1)}, "lam must lie in"),
        (IN_RANGE, {"delta": Fraction(1)}, "delta must lie in"),
        (SHORT_STEPS, {"step": Fraction(2)}, "h (kappa^2 ||H_cts|| + lam) must be at most 1"),
    ],
)
def test_what_lies_outside_is_named(hypothesis, change, clause):
    assert hypothesis.holds(PROBLEM) is None
    assert clause in hypothesis.holds(replace(PROBLEM, **change))


def test_orthonormal_points_have_a_diagonal_kernel():
    x = replace(PROBLEM, X=ORTHONORMAL)
    np.testing.assert_array_equal(x.H_cts, np.eye(2) / 2)
