"""Enclosed features, rigorous quadrature: by hand, by closed forms, and refusals."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from reference.arithmetic import integral
from reference.enclosed_features import (
    EnclosedKernel,
    fourier_mean_leverage,
    gaussian_enclosed,
    plane_features,
    sphere_features,
)
from reference.relu_tangent import tangent_kernel

X = np.array([[0.6, 0.8], [-1.0, 0.5], [0.25, -2.0]])


def inside(interval, value, slack=1e-12):
    return float(interval[0]) - slack <= value <= float(interval[1]) + slack


def test_one_point_by_hand():
    features = plane_features(np.array([[2.0, 0.0]]))
    # K = |x|^2 / 2 = 2, seen with probability 1/2: tau = 4 / (2 + lam) there
    assert sorted(float(t[1]) for t in features.leverage(Fraction(2))) == [0.0, 1.0]
    assert inside(features.mean_leverage(2), 0.5)
    assert inside(features.kernel.statistical_dimension(2), 0.5)
    assert inside(features.kernel.squared_dimension(2), 0.25)


@pytest.mark.parametrize("lam", [Fraction(1, 10**12), Fraction(1, 7), Fraction(10**6)])
def test_quantities_of_a_kernel_contain_their_float_values(lam):
    kernel = plane_features(X).kernel
    values = np.linalg.eigvalsh(tangent_kernel(X))
    part = values / (values + float(lam))
    assert inside(kernel.statistical_dimension(lam), part.sum())
    assert inside(kernel.squared_dimension(lam), (part**2).sum())
    assert inside(kernel.trace(), values.sum())
    low, high = kernel.norm()
    assert inside((low, high), values[-1])
    assert high - low < Fraction(1, 10**11)


def test_plane_and_sphere_list_the_same_classes():
    plane, sphere = plane_features(X), sphere_features(X)
    assert sorted(plane.grams) == sorted(sphere.grams)
    by_gram = dict(zip(sphere.grams, sphere.masses, strict=True))
    for gram, (low, high) in zip(plane.grams, plane.masses, strict=True):
        assert low <= by_gram[gram][1]
        assert by_gram[gram][0] <= high


def test_scaling_data_and_ridge_together_changes_nothing():
    once, twice = plane_features(X), plane_features(2 * X)
    s, t = once.mean_leverage(Fraction(1, 5)), twice.mean_leverage(Fraction(4, 5))
    assert s[0] <= t[1]
    assert t[0] <= s[1]


def test_an_unseen_class_has_leverage_exactly_zero():
    features = plane_features(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert features.leverage(Fraction(1, 2)).count((Fraction(0), Fraction(0))) == 1


@pytest.mark.parametrize("lam", [0, Fraction(-1, 2)])
def test_a_ridge_that_is_not_positive_is_refused(lam):
    with pytest.raises(ValueError, match="lam must be positive"):
        plane_features(X).mean_leverage(lam)


def test_one_frequency_point_has_leverage_one_over_one_plus_lam():
    interval = fourier_mean_leverage(np.array([[3.0]]), 0.5, Fraction(1, 4))
    assert interval[0] <= Fraction(4, 5) <= interval[1]
    assert interval[1] - interval[0] < Fraction(1, 10**30)
    assert isinstance(gaussian_enclosed(np.array([[3.0]]), 0.5), EnclosedKernel)


def test_integrals_of_entire_functions_are_enclosed():
    low, high = integral(lambda z: (-z * z).exp(), -10, 10, bits=128)
    with mpmath.workdps(50):
        truth = mpmath.sqrt(mpmath.pi) * mpmath.erf(10)
        assert mpmath.mpf(low.numerator) / low.denominator <= truth <= mpmath.mpf(high.numerator) / high.denominator
    assert high - low < Fraction(1, 10**30)


def test_a_shifted_range_negates_nothing_and_adds_up():
    whole = integral(lambda z: z.cos(), 0, 3)
    parts = [integral(lambda z: z.cos(), a, b) for a, b in ((0, 1), (1, 3))]
    assert whole[0] <= parts[0][1] + parts[1][1]
    assert parts[0][0] + parts[1][0] <= whole[1]
    assert inside(whole, float(np.sin(3)))
