import numpy as np
import pytest

from reference.activation_boundaries import boundaries
from reference.neuron_bins import CHUNK, Binning


def filled(X, V, a, h):
    binning = Binning(boundaries(X), h)
    binning.add(V, a)
    return binning.finished()


def sample(m, d, seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((m, d)), rng.choice(np.array([-1, 1], dtype=np.int8), m)


@pytest.mark.parametrize(("d", "m"), [(2, CHUNK + 100), (3, 5000), (5, 5000)])
def test_every_neuron_is_in_one_bin_and_no_sum_is_lost(d, m):
    X = np.random.default_rng(5).standard_normal((4, d))
    V, a = sample(m, d, 6)
    bins = filled(X, V, a, 0.05)
    near = (np.abs(V @ boundaries(X).normals.T) <= 0.05).sum(axis=1)
    assert bins.neurons == m
    assert (bins.counts.sum(), bins.layer_neurons, len(bins.corners)) == tuple(
        int(k) for k in ((near == 0).sum(), (near == 1).sum(), (near > 1).sum())
    )
    total = bins.totals.sum(axis=0) + sum(f.total for f in bins.facets) + bins.corner_signs @ bins.corners
    assert np.abs(total - a @ V).max() <= 1e-10
    # bulk neurons: count and sum pattern by pattern
    for pattern, count, sum_of_cell in zip(bins.patterns, bins.counts, bins.totals, strict=True):
        here = (near == 0) & ((V @ X.T >= 0) == pattern).all(axis=1)
        assert count == here.sum()
        assert np.abs(sum_of_cell - a[here] @ V[here]).max() <= 1e-10


def test_facets_keep_the_offsets_of_each_sign():
    X = np.array([[1.0, 0.0], [0.0, 2.0]])
    V = np.array([[0.01, 1.0], [-0.02, 3.0], [0.03, -1.0], [0.5, 0.5], [0.04, 2.0]])
    bins = filled(X, V, np.array([1, -1, 1, 1, 1], dtype=np.int8), 0.1)
    assert len(bins.facets) == 2
    behind, ahead = sorted(bins.facets, key=lambda f: f.count)
    assert (ahead.boundary, ahead.count, ahead.pattern.tolist()) == (0, 3, [False, True])
    assert (ahead.positive.tolist(), ahead.negative.tolist()) == ([0.01, 0.04], [-0.02])
    assert (behind.boundary, behind.pattern.tolist(), behind.positive.tolist()) == (0, [False, False], [0.03])
    assert ahead.total.tolist() == [0.01 + 0.02 + 0.04, 1.0 - 3.0 + 2.0]


def test_a_neuron_on_a_boundary_is_kept_as_a_vector():
    bins = filled(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [0.5, 1.0]]), np.array([1, 1], dtype=np.int8), 0.0)
    assert bins.corners.tolist() == [[0.0, 1.0]]
    assert bins.counts.tolist() == [1]


def test_bulk_known_by_its_sum_joins_its_cell():
    X = np.array([[1.0, 0.0], [0.0, 1.0]])
    binning = Binning(boundaries(X), 0.1)
    binning.add(np.array([[1.0, -1.0]]), np.array([-1], dtype=np.int8))
    binning.add_bulk(np.array([True, False]), 10**12, np.array([5.0, 7.0]))
    bins = binning.finished()
    assert (bins.counts.tolist(), bins.totals.tolist()) == ([10**12 + 1], [[4.0, 8.0]])


def test_too_many_boundaries_are_refused():
    angles = np.linspace(0, 3, 57)
    with pytest.raises(ValueError, match="at most 56 boundaries, got 57"):
        Binning(boundaries(np.stack([np.cos(angles), np.sin(angles)], axis=1)), 0.1)
