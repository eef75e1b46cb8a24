from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from reference.activation_cells import plane_cells
from reference.arithmetic import interval
from reference.dominating import dominate_cells, dominate_features, rounded_up
from reference.finite_features import FiniteFeatures, coupon, linear_kernel, with_null_atom
from reference.leverage import cell_leverage
from reference.relu_tangent import tangent_kernel, tangent_kernel_balls


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


I2 = on_circle(0.3, 1.5, 2.9)


@given(st.lists(st.fractions(0, 50), min_size=1, max_size=5), st.integers(0, 20))
def test_rounding_up_is_dyadic_tight_and_dominating(tau, bits):
    for t, r in zip(tau, rounded_up(tau, bits), strict=True):
        assert t <= r < t + F(1, 2**bits)
        assert 2**bits % r.denominator == 0


def test_rounding_up_by_hand():
    assert rounded_up([0, F(1, 3), 2, 0.25], 2) == [0, F(1, 2), 2, F(1, 4)]
    with pytest.raises(ValueError, match="tau must be >= 0, got -1"):
        rounded_up([1, -1])


def test_finite_world_by_hand():
    atoms = dominate_features(linear_kernel([[1, 2], [3, -1]]), 1, bits=4)
    # tau = 118/65, 108/65 = 1.815, 1.662 -> 30/16, 27/16
    assert atoms.tau == (F(15, 8), F(27, 16))
    assert atoms.integral == (F(57, 32), F(57, 32))
    assert atoms.law == pytest.approx([30 / 57, 27 / 57], rel=1e-15)
    assert atoms.weights == pytest.approx([57 / 60, 57 / 54], rel=1e-15)


def test_null_atom_is_never_drawn():
    atoms = dominate_features(with_null_atom(coupon(3), F(1, 2)), F(1, 10))
    assert atoms.tau[-1] == 0
    assert (atoms.law[-1], atoms.weights[-1]) == (0.0, 0.0)
    assert (atoms.counts(1000, 20, np.random.default_rng(0))[:, -1] == 0).all()


def test_reweighted_grams_average_to_the_kernel():
    world = linear_kernel([[1, 2, 0], [3, -1, 5]])
    atoms = dominate_features(world, F(1, 3))
    average = np.einsum("j,jab->ab", atoms.law * atoms.weights, world.float_grams())
    assert np.allclose(average, np.array(world.kernel(), dtype=float), rtol=1e-13)


def test_counts_follow_the_law():
    atoms = dominate_cells(I2, F(1, 10))
    counts = atoms.counts(100_000, 40, np.random.default_rng(1))
    assert counts.shape == (40, 6)
    assert (counts.sum(axis=1) == 100_000).all()
    drawn = atoms.law > 0
    # chi-square of a true null: p below 1e-9 for one key in 10^9; a law off by five per cent is seen
    assert chisquare(counts.sum(axis=0)[drawn], 4_000_000 * atoms.law[drawn]).pvalue > 1e-9
    shifted = atoms.law[drawn] * np.array([1.05, 1, 1, 1, 1])
    assert chisquare(counts.sum(axis=0)[drawn], 4_000_000 * shifted / shifted.sum()).pvalue < 1e-9


def exact_tangent_world(X):
    """The cells of data at right angles, where everything is rational."""
    cells = plane_cells(X)
    grams = tuple(tuple(tuple(F(float(x)) for x in row) for row in G) for G in cells.gram(X))
    return FiniteFeatures(p=tuple(F(float(p)).limit_denominator(100) for p in cells.probability), grams=grams)


@pytest.mark.parametrize("lam", [F(1, 10), F(1, 2**30), F(7)])
def test_cells_at_right_angles_agree_with_exact_rationals(lam):
    X = np.array([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [0.0, 0.0]])
    world = exact_tangent_world(X)
    atoms = dominate_cells(X, lam)
    for t, rounded in zip(world.leverage(lam), atoms.tau, strict=True):
        # a value on a dyadic may be pushed up one step by its enclosure
        assert t <= rounded < t + F(1, 2**12) + F(1, 2**40)
    assert atoms.integral[0] <= sum(p * t for p, t in zip(world.p, atoms.tau, strict=True)) <= atoms.integral[1]
    assert atoms.integral[1] - atoms.integral[0] < F(1, 2**100)


@settings(max_examples=25, deadline=None)
@given(
    # tenths: duplicates happen, rows that are parallel to within rounding do not
    st.lists(st.integers(0, 62).map(lambda k: k / 10), min_size=1, max_size=6),
    st.sampled_from([F(1, 10**6), F(1, 10), F(5)]),
    st.booleans(),
)
def test_cells_dominate_their_computed_leverage(angles, lam, with_zero_row):
    X = on_circle(*angles)
    if with_zero_row:
        X = np.vstack([X, [0.0, 0.0]])
    cells = plane_cells(X)
    atoms = dominate_cells(X, lam)
    tau = cell_leverage(cells, X, tangent_kernel(X), float(lam)) if lam >= F(1, 10) else None
    assert min(atoms.tau) >= 0
    assert atoms.integral[0] <= atoms.integral[1]
    if tau is not None:
        dominating = np.array([float(t) for t in atoms.tau])
        assert (dominating >= tau * (1 - 1e-12) - 1e-300).all()
        assert (dominating <= tau * (1 + 1e-12) + 2.0**-12 + 1e-12).all()


def test_integral_approaches_the_statistical_dimension_from_above():
    lower, upper = dominate_cells(I2, F(1, 10), bits=40).integral
    # the instance is the float data; its rounding moves s by less than 1e-14
    assert abs(float(lower) - 2.47817614146032891) < 1e-11
    assert 0 <= upper - lower < F(1, 2**100)


def test_balls_of_the_kernel_contain_the_float_kernel_to_its_error():
    balls = tangent_kernel_balls(I2, 160)
    assert max(high - low for low, high in (interval(balls[i, j]) for i in range(3) for j in range(3))) < F(1, 2**150)


def test_what_is_refused():
    with pytest.raises(ValueError, match="K must not be zero: there is nothing to draw"):
        dominate_cells([[0.0, 0.0]], F(1, 10))
    with pytest.raises(ValueError, match="K must not be zero"):
        dominate_features(FiniteFeatures(p=(F(1),), grams=(((F(0),),),)), 1)
    with pytest.raises(ValueError, match="dominate_cells: lam must be positive, got lam = -1"):
        dominate_cells(I2, -1)
