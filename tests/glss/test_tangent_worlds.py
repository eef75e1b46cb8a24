"""Worlds of activation cells: two arithmetics that agree, and moments on cells against quadrature."""

from fractions import Fraction as F

import numpy as np
import pytest
from scipy.integrate import quad

from reference.arithmetic import interval, precision
from theorems.glss.cell_covariances import output_covariances, second_moments
from theorems.glss.ridge_instances import matrix, on_circle
from theorems.glss.tangent_instances import CORNERS, ORTHONORMAL, ROOTS, SQUARE, TRIANGLE, problems, spiral
from theorems.glss.tangent_worlds import BITS, floats, world

LATTICES = [x for x in problems("quick") if x.rational]


@pytest.mark.parametrize("x", LATTICES, ids=lambda x: x.name)
def test_exact_worlds_lie_in_the_enclosed_ones(x):
    rows = (*x.X, *x.new)
    with precision(BITS):
        exact, enclosed = world(rows, True), world(rows, False)
        for a, b in ((exact.mass, enclosed.mass), (exact.kernel, enclosed.kernel)):
            for value, near in zip(a.flat, b.flat, strict=True):
                low, high = interval(near)
                assert low <= value <= high
                assert high - low < F(1, 2**200)
    assert (exact.seen == enclosed.seen).all()
    assert sum(exact.mass) == 1


@pytest.mark.parametrize("x", LATTICES, ids=lambda x: x.name)
def test_cells_average_to_the_closed_form_exactly(x):
    w = x.everything
    assert (np.tensordot(w.mass, w.grams(), axes=1) == w.kernel).all()


def test_known_cells():
    assert set(ORTHONORMAL.data.mass) == {F(1, 4)}
    assert sorted(ROOTS.data.mass) == sorted([F(k, 48) for k in (1, 5, 7, 11)] * 2)
    assert sorted(TRIANGLE.data.mass) == [F(1, 6)] * 6
    assert set(CORNERS.data.mass) == {F(1, 2)}


def test_angles_off_the_lattice_have_no_exact_world():
    with pytest.raises(ValueError, match="cos\\^2 must be"):
        world(matrix([[1, 0], [1, 2]]), True)


def test_coordinates_must_be_floats():
    with pytest.raises(ValueError, match="coordinates must be exact in float64, got"):
        floats(matrix([[F(1, 3)]]))


@pytest.mark.parametrize("x", [SQUARE, CORNERS, ORTHONORMAL], ids=lambda x: x.name)
def test_second_moments_agree_with_quadrature(x):
    """Integrate along directions: E |w|^2 = 2, angle uniform; cells from the definition at each angle."""
    rows = (*x.X, *x.new)
    with precision(BITS):
        w = world(rows, False)
        M = [[[float(v.mid()) for v in row] for row in c] for c in second_moments(w, rows)]
        C = [[[float(v.mid()) for v in row] for row in c] for c in output_covariances(w, rows)]
    np.testing.assert_allclose(np.sum(M, axis=0), np.eye(2), atol=1e-14)
    P = floats(rows)
    corners = sorted({(np.arctan2(b, a) + s * np.pi / 2) % (2 * np.pi) for a, b in P if a or b for s in (1, -1)})
    for i in range(len(P)):
        for j in range(len(P)):

            def integrand(t, x=P[i], z=P[j]):
                direction = np.array([np.cos(t), np.sin(t)])
                return 2 * max(direction @ x, 0) * max(direction @ z, 0) / (2 * np.pi)

            seen = sum(
                quad(integrand, a, b, epsabs=1e-13)[0]
                for a, b in zip([0, *corners], [*corners, 2 * np.pi], strict=True)
            )
            assert np.sum(C, axis=0)[i, j] == pytest.approx(seen, abs=1e-12)


def test_second_moments_of_an_irregular_fan_follow_its_cells():
    """Half plane by half plane: each cell's own moment, by quadrature over the directions with its pattern."""
    rows = matrix(on_circle(0.3, 1.5, 2.9).tolist())
    P = floats(rows)
    with precision(BITS):
        w = world(rows, False)
        M = np.array([[[float(v.mid()) for v in row] for row in c] for c in second_moments(w, rows)])
    ends = np.sort([(t + s * np.pi / 2) % (2 * np.pi) for t in (0.3, 1.5, 2.9) for s in (1, -1)])
    for start, stop in zip(ends, np.roll(ends, -1) + 2 * np.pi * (np.arange(6) == 5), strict=True):
        middle = (start + stop) / 2
        pattern = (P @ [np.cos(middle), np.sin(middle)] >= 0).astype(int)
        cell = next(c for c, seen in enumerate(w.seen) if (seen == pattern).all())
        expected = [
            [quad(lambda t, f=f, g=g: f(t) * g(t) / np.pi, start, stop)[0] for g in (np.cos, np.sin)]
            for f in (np.cos, np.sin)
        ]
        np.testing.assert_allclose(M[cell], expected, atol=1e-13)


def test_spiral_points_are_on_the_sphere():
    x = spiral(4)
    np.testing.assert_allclose(np.square(floats((*x.X, *x.new))).sum(axis=1), 1, atol=1e-15)
