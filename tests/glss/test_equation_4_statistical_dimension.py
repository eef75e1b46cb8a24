"""Equation (4) and Definition 3.1: reference values, oracles by other routes, hypotheses, and the court's findings."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given

from reference.enclosed_features import fourier_mean_leverage, gaussian_enclosed, plane_features, sphere_features
from reference.rational_eigenvalues import greatest_eigenvalue, least_eigenvalue
from reference.relu_tangent import tangent_kernel
from theorems.checking.claims import decide
from theorems.glss import (
    definition_3_1_as_printed,
    definition_3_1_ridge_leverage_function,
    equation_4_statistical_dimension,
)
from theorems.glss.leverage_instances import (
    I6,
    NEURONS,
    NOTHING,
    RANK_ONE,
    TWO_BY_THREE,
    FiniteRidge,
    line,
    plane_I2,
    with_densities,
)
from theorems.glss.leverage_quantities import counted
from theorems.statement import Answer, Finding

EQ4, DEF31 = equation_4_statistical_dimension.STATEMENT, definition_3_1_ridge_leverage_function.STATEMENT
AS_PRINTED = definition_3_1_as_printed.STATEMENT
STATEMENTS = [EQ4, DEF31, AS_PRINTED]
I2_AT_A_TENTH = "2.47817614146032890784169802306"


def found(conclusion, x):
    return [decide(c).answer for c in conclusion.claims(x)]


@pytest.mark.parametrize(
    ("s", "x"),
    [pytest.param(s, x, id=f"{s.id}-{x.name}") for s in STATEMENTS for x in s.instances("quick")],
)
def test_every_quick_instance_is_as_declared(s, x):
    assert s.violated(x) == []
    answers = set(found(s.conclusion, x))
    assert answers == {Answer.IN} if s.expected is Finding.SUPPORTED else Answer.OUT in answers


@pytest.mark.parametrize(
    ("s", "twin"), [pytest.param(s, t, id=f"{s.id}-{t.name}") for s in STATEMENTS for t in s.twins]
)
def test_every_twin_is_refuted_inside_the_hypotheses(s, twin):
    assert s.violated(twin.refuted_on, without=twin.without) == []
    assert Answer.OUT in found(twin.conclusion, twin.refuted_on)


@given(EQ4.strategy())
def test_equation_4_holds_in_every_corner(x):
    assert EQ4.violated(x) == []
    assert set(found(EQ4.conclusion, x)) == {Answer.IN}


@given(DEF31.strategy())
def test_definition_3_1_holds_in_every_corner(x):
    assert DEF31.violated(x) == []
    assert set(found(DEF31.conclusion, x)) == {Answer.IN}


@given(AS_PRINTED.strategy())
def test_the_printed_shape_is_wrong_in_every_corner(x):
    assert AS_PRINTED.violated(x) == []
    assert Answer.OUT in found(AS_PRINTED.conclusion, x)


# ------------------------------------------------------------------------------------------------------ references


def test_part_M_I2_to_thirty_digits_from_both_sides():
    low, high = (Fraction(I2_AT_A_TENTH) + k * Fraction(1, 10**28) for k in (-1, 1))
    # the digits belong to the real angles; float64 cosines are off by 2^-53 each
    slack = Fraction(1, 10**14)
    features = plane_features(plane_I2().X)
    for lower, upper in (
        features.mean_leverage(Fraction(1, 10)),
        features.kernel.statistical_dimension(Fraction(1, 10)),
    ):
        assert low - slack <= lower <= upper <= high + slack
        assert upper - lower < Fraction(1, 10**60)


def test_part_M_I2_in_fifty_digits_by_arcs():
    with mpmath.workdps(50):
        t, lam = [mpmath.mpf(v) for v in ("0.3", "1.5", "2.9")], mpmath.mpf(1) / 10
        K = mpmath.matrix(3, 3)
        for i in range(3):
            for j in range(3):
                K[i, j] = mpmath.cos(t[i] - t[j]) * (mpmath.pi - abs(t[i] - t[j])) / (2 * mpmath.pi)
        A = (K + lam * mpmath.eye(3)) ** -1
        ends = sorted((a + s * mpmath.pi / 2) % (2 * mpmath.pi) for a in t for s in (1, -1))
        total = mpmath.mpf(0)
        for a, b in zip(ends, [*ends[1:], ends[0] + 2 * mpmath.pi], strict=True):
            on = [int(mpmath.cos((a + b) / 2 - v) > 0) for v in t]
            tau = sum(on[i] * on[j] * A[i, j] * mpmath.cos(t[i] - t[j]) for i in range(3) for j in range(3))
            total += (b - a) / (2 * mpmath.pi) * tau
        trace = sum((A * K)[i, i] for i in range(3))
        assert mpmath.nstr(total, 30) == mpmath.nstr(trace, 30) == I2_AT_A_TENTH


def test_part_M_I6_in_rationals():
    assert I6.features.statistical_dimension(1) == Fraction(113, 65)
    assert [p * t for p, t in zip(I6.features.p, I6.features.leverage(1), strict=True)] == [
        Fraction(59, 65),
        Fraction(54, 65),
    ]


def test_part_M_I2_leverage_of_every_cell():
    features = plane_features(plane_I2().X)
    tau = sorted(round(float(low), 3) for low, _ in features.leverage(Fraction(1, 10)))
    assert tau == [0, 1.711, 1.762, 3.255, 3.395, 4.486]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ridge_times_n", 1.8487),
        ("both_factors_squared", 2.0514),
        ("norm_for_every_eigenvalue", 2.0943),
        ("kernel_without_its_half", 2.7128),
    ],
)
def test_part_F_T04_twins_reproduce_their_measured_numbers(name, value):
    twin = next(t for t in EQ4.twins if t.name == name)
    identity = twin.conclusion.claims(plane_I2())[0]
    assert round(float(identity.right[0]), 4) == value


def test_part_D_rank_one_attains_the_lower_bound():
    c = counted(RANK_ONE)
    assert c.dimension(RANK_ONE.lam)[0] == Fraction(15) / (15 + RANK_ONE.lam)


@pytest.mark.parametrize("x", [x for x in with_densities() if x.name.startswith("plane")], ids=lambda x: x.name)
def test_plane_and_sphere_cells_integrate_the_same_leverage(x):
    plane, sphere = (of(x.X).mean_leverage(x.lam) for of in (plane_features, sphere_features))
    assert plane[0] <= sphere[1]
    assert sphere[0] <= plane[1]


def test_part_D2_three_points_in_any_dimension_by_the_orthant_formula():
    X = np.random.default_rng(4).standard_normal((3, 7))
    norms = np.linalg.norm(X, axis=1)
    arcs = np.arcsin(np.clip(X @ X.T / np.outer(norms, norms), -1, 1))  # its diagonal is not used
    K, lam = tangent_kernel(X), 0.125
    form = np.linalg.inv(K + lam * np.eye(3)) * (X @ X.T)
    total = 0.0
    for signs in np.ndindex(2, 2, 2):
        s = 1 - 2 * np.array(signs)
        mass = 1 / 8 + sum(s[i] * s[j] * arcs[i, j] for i in range(3) for j in range(i)) / (4 * np.pi)
        total += mass * (s > 0) @ form @ (s > 0)
    enclosed = sphere_features(X).mean_leverage(Fraction(lam))
    assert float(enclosed[0]) == pytest.approx(total, rel=1e-12)


def test_part_D4_two_points_on_a_line_have_the_closed_form():
    x = replace(line(1), X=np.array([[0.0], [0.25]]))
    k, lam = mpmath.exp(mpmath.mpf(-1) / 8), mpmath.mpf(1) / 100
    closed = (2 * (1 + lam) - 2 * k * k) / ((1 + lam) ** 2 - k * k)
    for lower, upper in (
        fourier_mean_leverage(x.X, x.sigma, x.lam),
        gaussian_enclosed(x.X, x.sigma).statistical_dimension(x.lam),
    ):
        assert float(lower) == pytest.approx(float(closed), rel=1e-14)
        assert upper - lower < Fraction(1, 10**30)


def test_the_quadrature_is_an_enclosure_and_not_the_trace_again():
    x = line(8)
    honest = fourier_mean_leverage(x.X, x.sigma, x.lam)
    other_law = fourier_mean_leverage(x.X, 2 * x.sigma, x.lam)
    s = gaussian_enclosed(x.X, x.sigma).statistical_dimension(x.lam)
    assert honest[0] <= s[1]
    assert s[0] <= honest[1]
    assert other_law[1] < s[0]


@pytest.mark.parametrize(
    ("M", "greatest", "least"),
    [
        ([[2, 1], [1, 2]], 3, 1),
        ([[Fraction(1, 3), 0], [0, Fraction(1, 7)]], Fraction(1, 3), Fraction(1, 7)),
        ([[0, 0], [0, 0]], 0, 0),
        ([[5]], 5, 5),
        ([[-2, 0], [0, -3]], -2, -3),
    ],
)
def test_rational_extreme_eigenvalues_are_points(M, greatest, least):
    assert greatest_eigenvalue(M) == (greatest, greatest)
    assert least_eigenvalue(M) == (least, least)


def test_irrational_extreme_eigenvalues_are_enclosed_tightly():
    lower, upper = greatest_eigenvalue([[1, 1], [1, 2]])
    root = mpmath.mp.clone()
    root.dps = 60
    golden = (3 + root.sqrt(5)) / 2
    assert 0 < upper - lower < Fraction(1, 2**120)
    assert root.mpf(lower.numerator) / lower.denominator <= golden <= root.mpf(upper.numerator) / upper.denominator


def test_an_integer_that_is_no_eigenvalue_is_not_taken_for_one():
    lower, upper = greatest_eigenvalue([[0, 10**20], [10**20, 1]])
    assert lower < upper


# ------------------------------------------------------------------------------------------------------ hypotheses


@pytest.mark.parametrize("lam", [Fraction(0), Fraction(-1, 10)])
def test_a_ridge_that_is_not_positive_is_named(lam):
    assert EQ4.violated(replace(I6, lam=lam)) == [f"lambda must be positive, got lambda = {float(lam):g}"]


def test_one_column_is_outside_the_printed_shape():
    x = replace(TWO_BY_THREE, phi=tuple(tuple(row[:1] for row in atom) for atom in TWO_BY_THREE.phi))
    assert AS_PRINTED.violated(x) == ["d2 must be at least 2, got d2 = 1"]
    assert set(found(AS_PRINTED.conclusion, x)) == {Answer.IN}


def test_a_zero_kernel_has_no_dimension_and_meets_every_bound():
    assert counted(NOTHING).dimension(NOTHING.lam) == (0, 0)


def test_an_unknown_kind_of_instance_is_refused():
    with pytest.raises(TypeError, match="nothing is known of a FeatureRidge"):
        counted(NEURONS)


def test_longer_profiles_begin_with_shorter_ones():
    for s in STATEMENTS:
        quick, ci, night = (s.instances(p) for p in ("quick", "ci", "night"))
        assert list(ci[: len(quick)]) == list(quick)
        assert list(night[: len(ci)]) == list(ci)
        assert len({x.name for x in night}) == len(night)


def test_exact_worlds_give_points():
    c = counted(FiniteRidge(name="x", says="x", features=I6.features, lam=Fraction(1)))
    assert all(low == high for low, high in (c.mean_leverage(Fraction(1)), c.dimension(Fraction(1)), c.trace))
