import mpmath
import numpy as np
import pytest

from reference.truncated_wedges import MASS_ERROR, Wedge, plane_wedges

OPENINGS = (1e-3, 0.02, 0.4, 1.2, np.pi / 2, 2.9, np.pi)
HALF_WIDTHS = (0.0, 1e-9, 1e-5, 0.01, 0.3, 1.0, 4.0)


def wedge(opening):
    """The wedge between the directions 0 and opening."""
    far = np.array([np.cos(opening), np.sin(opening)])
    return Wedge(
        sides=(True, True),
        opening=opening,
        inward=np.array([[0.0, 1.0], [far[1], -far[0]]]),
        along=np.array([[1.0, 0.0], far]),
    )


def exact_moments(opening, h):
    """Mass and second moment in polar coordinates, to 30 digits: r > h / sin(angle to the nearer side)."""
    with mpmath.workdps(30):
        half, h = mpmath.mpf(opening) / 2, mpmath.mpf(h)
        cuts = sorted({mpmath.mpf(0), *(c for c in (h, 4 * h, 30 * h, mpmath.mpf("0.1")) if 0 < c < half), half})

        def over(weight):
            def density(t):
                # R^2 / 2 is infinite at t = 0 unless h = 0
                if t == 0:
                    return mpmath.mpf(0) if h else weight(t, mpmath.mpf(0))
                far = (h / mpmath.sin(t)) ** 2 / 2
                return weight(t, far) * mpmath.exp(-far)

            return mpmath.quad(density, cuts) / (2 * mpmath.pi)

        mass = over(lambda _, far: 2 + 0 * far)
        first = over(lambda t, far: (2 + 2 * far) * (mpmath.cos(t) ** 2 + mpmath.cos(2 * half - t) ** 2))
        second = over(lambda t, far: (2 + 2 * far) * (mpmath.sin(t) ** 2 + mpmath.sin(2 * half - t) ** 2))
        mixed = over(
            lambda t, far: (
                (2 + 2 * far) * (mpmath.sin(t) * mpmath.cos(t) + mpmath.sin(2 * half - t) * mpmath.cos(2 * half - t))
            )
        )
        return mass, mpmath.matrix([[first, mixed], [mixed, second]])


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("h", HALF_WIDTHS)
def test_mass_and_second_moment_against_30_digits(opening, h):
    mass, moment = exact_moments(opening, h)
    cell = wedge(opening)
    assert abs(cell.mass(h) - mass) <= MASS_ERROR
    got = cell.second_moment(h)
    assert max(abs(got[i, j] - moment[i, j]) for i in range(2) for j in range(2)) <= MASS_ERROR


def test_the_30_digits_see_a_wrong_edge():
    # leaving out the density on the sides, the mistake nearest to hand, is a thousand times the bound
    mass, moment = exact_moments(1.2, 0.01)
    assert abs(float(moment[0, 1])) > 1000 * MASS_ERROR
    assert abs(float(moment[0, 0] - mass)) > 1000 * MASS_ERROR


def test_wedges_of_the_plane_have_the_identity_as_second_moment():
    angles = np.array([0.3, 1.5, 2.9, 1.52])
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    wedges = plane_wedges(normals)
    assert len(wedges) == 8
    assert abs(sum(w.mass(0.0) for w in wedges) - 1) <= 8 * MASS_ERROR
    assert np.abs(sum(w.second_moment(0.0) for w in wedges) - np.eye(2)).max() <= 8 * MASS_ERROR


@pytest.mark.parametrize("angles", [(0.3,), (0.3, 1.5), (0.3, 1.5, 2.9, 1.52)])
def test_wedges_know_their_sides(angles):
    normals = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    V = np.random.default_rng(2).standard_normal((20_000, 2))
    b = V @ normals.T
    h = 0.1
    seen = np.zeros(len(V), dtype=int)
    for w in plane_wedges(normals):
        beyond = (V @ w.inward.T).min(axis=1) > h
        # no other boundary is nearer than the two sides of the cell
        assert np.array_equal(beyond, ((b >= 0) == w.sides).all(axis=1) & (np.abs(b) > h).all(axis=1))
        assert abs(beyond.mean() - w.mass(h)) < 6 / np.sqrt(len(V))
        for normal, edge in zip(w.inward, w.along, strict=True):
            assert abs(normal @ edge) < 1e-15
            assert (w.inward @ edge > -1e-15).all()
        seen += beyond
    assert np.array_equal(seen == 1, (np.abs(b) > h).all(axis=1))
