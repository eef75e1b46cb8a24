import numpy as np

from reference.activation_boundaries import NONE, boundaries
from reference.preconditions import UNIT_ROUNDOFF


def test_parallel_and_antiparallel_rows_share_a_boundary_and_a_zero_row_has_none():
    X = np.array([[3.0, 1.0], [-6.0, -2.0], [0.0, 0.0], [1.0, 5.0], [0.3, 0.1]])
    bounds = boundaries(X)
    assert bounds.of_point.tolist() == [0, 0, NONE, 1, 0]
    assert (np.sign(bounds.height) == [1, -1, 0, 1, 1]).all()
    rebuilt = bounds.height[:, None] * bounds.normals[bounds.of_point]
    assert np.abs(rebuilt - X).max() <= 8 * UNIT_ROUNDOFF * np.abs(X).max()


def test_boundaries_apart_by_more_than_rounding_are_kept_apart():
    for gap in (1e-3, 1e-9, 1e-14):
        assert len(boundaries(np.array([[1.0, 0.0], [1.0, gap]])).normals) == 2


def test_patterns_agree_with_signs_of_inner_products():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((6, 4))
    X[3], X[5] = -2 * X[0], 0
    bounds, V = boundaries(X), rng.standard_normal((500, 4))
    assert np.array_equal(bounds.patterns(V @ bounds.normals.T >= 0), V @ X.T >= 0)


def test_rows_of_extreme_size():
    bounds = boundaries(np.array([[1e300, 1e300], [1e-300, 0.0], [-1e-300, 0.0]]))
    assert bounds.of_point.tolist() == [0, 1, 1]
    assert np.abs(np.linalg.norm(bounds.normals, axis=1) - 1).max() <= 4 * UNIT_ROUNDOFF
