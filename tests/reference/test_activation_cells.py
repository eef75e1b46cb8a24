from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.activation_cells import plane_cells, plane_cells_balls
from reference.relu_tangent import activations, tangent_kernel, tangent_kernel_error


def on_circle(*angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def as_words(cells):
    return ["".join("01"[int(bit)] for bit in pattern) for pattern in cells.patterns]


I2 = on_circle(0.3, 1.5, 2.9)

corner_rows = st.sampled_from(
    [(0.0, 0.0), (1.0, 2.0), (2.0, 4.0), (-1.0, -2.0), (0.0, -3.0), (0.1, 0.3), (1.0, 1e-12), (1e100, 1e-100)]
)
plane_points = st.lists(
    st.one_of(corner_rows, st.tuples(st.integers(-3, 3).map(float), st.integers(-3, 3).map(float))),
    min_size=1,
    max_size=7,
)


def test_I2_has_six_cells_of_printed_probability():
    cells = plane_cells(I2)
    assert set(as_words(cells)) == {"111", "011", "001", "000", "100", "110"}
    probability = dict(zip(as_words(cells), cells.probability, strict=True))
    assert probability["000"] == pytest.approx((np.pi - 2.6) / (2 * np.pi), rel=1e-15)
    assert probability["111"] == pytest.approx((np.pi - 2.6) / (2 * np.pi), rel=1e-15)


@pytest.mark.parametrize("theta", [1e-12, 0.4, np.pi / 2, 3.0])
def test_two_points_have_the_closed_form(theta):
    cells = plane_cells(on_circle(0.2, 0.2 + theta))
    probability = dict(zip(as_words(cells), cells.probability, strict=True))
    # the angle of the float data differs from theta by the rounding of two points
    assert probability["11"] == pytest.approx((np.pi - theta) / (2 * np.pi), abs=1e-16)
    assert probability["10"] == pytest.approx(theta / (2 * np.pi), abs=1e-16)
    assert probability["10"] == probability["01"]


def test_three_points_have_the_orthant_formula():
    cells = plane_cells(I2)
    rho = I2 @ I2.T
    for pattern, probability in zip(cells.patterns, cells.probability, strict=True):
        s = 2.0 * pattern - 1
        pairs = [(0, 1), (0, 2), (1, 2)]
        formula = 1 / 8 + sum(s[i] * s[j] * np.arcsin(rho[i, j]) for i, j in pairs) / (4 * np.pi)
        assert probability == pytest.approx(formula, abs=1e-15)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(2.0, 1.0)], {"1", "0"}),
        ([(0.0, 0.0)], {"1"}),
        ([(0.0, 0.0), (0.0, 0.0)], {"11"}),
        ([(1.0, 2.0), (3.0, 6.0)], {"11", "00"}),
        ([(1.0, 2.0), (-3.0, -6.0)], {"10", "01"}),
        ([(1.0, 0.0), (0.0, 0.0)], {"11", "01"}),
        ([(0.1, 0.3), (0.3, 0.9)], {"11", "00", "01", "10"}),  # parallel in decimals, not in binary
        ([(1.0, 0.0), (0.0, 1.0)], {"11", "10", "01", "00"}),
    ],
)
def test_degenerate_data(rows, words):
    cells = plane_cells(np.array(rows))
    assert set(as_words(cells)) == words
    assert len(as_words(cells)) == len(words)
    assert cells.probability.sum() == pytest.approx(1, abs=1e-15)


@settings(max_examples=80, deadline=None)
@given(plane_points)
def test_cells_average_to_the_kernel(rows):
    X = np.array(rows)
    cells = plane_cells(X)
    average = np.einsum("c,cij->ij", cells.probability, cells.gram(X))
    assert len({bytes(p) for p in cells.patterns}) == len(cells.patterns)
    norm = np.linalg.norm(X) ** 2
    assert np.linalg.norm(average - tangent_kernel(X), 2) <= tangent_kernel_error(X) + 40 * 2.0**-53 * norm


@settings(max_examples=60, deadline=None)
@given(plane_points)
def test_probabilities_lie_within_their_error_of_the_balls(rows):
    X = np.array(rows)
    cells, enclosures = plane_cells(X), plane_cells_balls(X, 300)
    assert sum(low for low, _ in enclosures) <= 1 <= sum(high for _, high in enclosures)
    for probability, (low, high) in zip(cells.probability, enclosures, strict=True):
        assert 0 <= (high - low) < Fraction(1, 2**250)
        assert abs(Fraction(float(probability)) - low) <= Fraction(cells.probability_error) * low + (high - low)


@settings(max_examples=60, deadline=None)
@given(plane_points, st.integers(0, 2**32))
def test_every_sampled_pattern_is_a_cell(rows, key):
    X = np.array(rows)
    known = {bytes(p) for p in plane_cells(X).patterns}
    W = np.random.default_rng(key).standard_normal((50, 2))
    # rows of very different size lose no sign: each sign is that of one inner product of two terms
    assert {bytes(p) for p in np.ascontiguousarray(activations(X, W).T)} <= known


def test_frequencies_of_sampled_patterns_match():
    m = 100_000
    cells = plane_cells(I2)
    index = {bytes(p): c for c, p in enumerate(cells.patterns)}
    drawn = np.ascontiguousarray(activations(I2, np.random.default_rng(11).standard_normal((m, 2))).T)
    counts = np.bincount([index[bytes(p)] for p in drawn], minlength=len(index))
    # Hoeffding for six frequencies: false alarm below 1e-9
    assert np.abs(counts / m - cells.probability).max() <= np.sqrt(np.log(2 * 6 / 1e-9) / (2 * m))


def test_cells_run_counterclockwise_from_the_first_boundary_in_the_upper_half_plane():
    assert as_words(plane_cells([[1.0, 0.0]])) == ["0", "1"]  # the left half plane follows the upper y-axis
    assert as_words(plane_cells([[1.0, 0.0], [0.0, 1.0]])) == ["11", "01", "00", "10"]


def test_rotation_by_a_quarter_turn_keeps_the_probabilities():
    turned = plane_cells(I2 @ np.array([[0.0, 1.0], [-1.0, 0.0]]))
    original = plane_cells(I2)
    assert dict(zip(as_words(turned), turned.probability, strict=True)) == dict(
        zip(as_words(original), original.probability, strict=True)
    )


def test_thin_arcs_keep_relative_accuracy_and_too_thin_ones_are_refused():
    cells = plane_cells([[1.0, 0.0], [1.0, 1e-200]])
    assert cells.probability.min() == pytest.approx(1e-200 / (2 * np.pi), rel=1e-14)
    with pytest.raises(ValueError, match="parallel to within"):
        plane_cells([[1.0, 0.0], [1.0, 5e-324]])


def test_what_is_refused():
    with pytest.raises(ValueError, match="plane_cells: X must have 2 columns, got 3"):
        plane_cells([[1.0, 2.0, 3.0]])
    with pytest.raises(OverflowError, match=r"Cells.gram: an inner product exceeds the float range"):
        plane_cells([[1e200, 0.0]]).gram([[1e200, 0.0]])
    with pytest.raises(ValueError, match=r"Cells.gram: X must have 3 rows, got 1"):
        plane_cells(I2).gram([[1.0, 2.0]])
