"""Sketches: lengths kept on average, exactly over all draws; S J^T against S times every row of J; costs; laws."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard
from scipy.stats import chi2

import reference.sketches as module
from reference.jacobian import jacobian
from reference.sketches import SRHT, CountSketch, Gaussian, TensorSRHT

KINDS = (Gaussian, CountSketch, SRHT, TensorSRHT)
ALL = slice(None)


def network(key, n=5, m=60, d=3):
    rng = np.random.default_rng(key)
    return jacobian(rng.standard_normal((m, d)), rng.choice([-1.0, 1.0], m), rng.standard_normal((n, d))), rng


def all_signs(*shape):
    return (np.array(flips).reshape(shape) for flips in product([-1.0, 1.0], repeat=int(np.prod(shape))))


def mean_squared_length(sketches, v):
    return np.mean([np.square(sketch.times(v)).sum() for sketch in sketches])


V = np.array([[1.0, -2.0], [0.5, 3.0], [0.0, 1.25]])
V_SQUARED = 1 + 4 + 0.25 + 9 + 1.5625
# dyadic numbers and s a power of four: every sum below is exact in float64, the mean up to its last rounding


@pytest.mark.parametrize("sample", [*combinations(range(8), 1), (0, 3, 5, 6), (0, 1, 2, 4)])
def test_srht_keeps_lengths_on_average_over_the_signs_whatever_the_rows(sample):
    draws = (SRHT(flips=flips, sample=np.array(sample)) for flips in all_signs(3, 2))
    assert mean_squared_length(draws, V) == pytest.approx(V_SQUARED, rel=1e-15)


def test_tensor_srht_keeps_lengths_on_average_over_all_draws():
    pairs = list(product(range(4), range(2)))
    draws = (
        TensorSRHT(
            neuron_flips=left, coordinate_flips=right, neuron_sample=np.array([p]), coordinate_sample=np.array([q])
        )
        for left in all_signs(3)
        for right in all_signs(2)
        for p, q in pairs
    )
    assert mean_squared_length(draws, V) == pytest.approx(V_SQUARED, rel=1e-15)


def test_tensor_srht_keeps_lengths_for_every_sample_of_four():
    rng = np.random.default_rng(0)
    rows = {"neuron_sample": rng.integers(4, size=4), "coordinate_sample": rng.integers(2, size=4)}
    draws = (
        TensorSRHT(neuron_flips=left, coordinate_flips=right, **rows) for left in all_signs(3) for right in all_signs(2)
    )
    assert mean_squared_length(draws, V) == pytest.approx(V_SQUARED, rel=1e-15)


def test_count_sketch_keeps_lengths_on_average_over_all_draws():
    v = V[:2]
    draws = (
        CountSketch(buckets=np.array(buckets).reshape(2, 2), flips=flips, size=3)
        for buckets in product(range(3), repeat=4)
        for flips in all_signs(2, 2)
    )
    assert mean_squared_length(draws, v) == pytest.approx(np.square(v).sum(), rel=1e-14)


def test_gaussian_lengths_follow_their_law():
    v, s = np.arange(6.0).reshape(3, 2), 4000
    sketch = Gaussian.draw(3, 2, s, np.random.default_rng(1))
    squared = s * np.square(sketch.times(v)).sum() / np.square(v).sum()
    low, high = chi2(s).ppf([5e-10, 1 - 5e-10])
    assert low <= squared <= high  # false alarm 1e-9


@settings(max_examples=10)
@given(st.integers(1, 6), st.integers(1, 50), st.integers(1, 5), st.integers(1, 8), st.integers(0, 2**32))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("numbers", [1, module.BLOCK_NUMBERS])
def test_S_JT_has_the_sketched_rows_of_J_as_columns(kind, numbers, n, m, d, s, key):
    J, rng = network(key, n, m, d)
    s = min(s, m * d)
    sketch = kind.draw(m, d, s, rng)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_NUMBERS", numbers)
        applied = sketch.apply(J)
    assert (sketch.size, applied.shape) == (s, (s, n))
    expected = np.array([sketch.times(row) for row in J.part(ALL, ALL)]).T
    # sums of at most 512 numbers below 6
    assert applied == pytest.approx(expected, abs=1e-12)


def test_the_transforms_are_their_matrices():
    rng = np.random.default_rng(2)
    v = rng.standard_normal((5, 3))
    full = SRHT.draw(5, 3, 7, rng)
    padded = np.append((full.flips * v).ravel(), 0)
    assert full.times(v) == pytest.approx(hadamard(16)[full.sample] @ padded / np.sqrt(7), abs=1e-14)
    tensor = TensorSRHT.draw(5, 3, 7, rng)
    rows = [
        np.kron(hadamard(8)[p, :5] * tensor.neuron_flips, hadamard(4)[q, :3] * tensor.coordinate_flips)
        for p, q in zip(tensor.neuron_sample, tensor.coordinate_sample, strict=True)
    ]
    assert tensor.times(v) == pytest.approx(np.array(rows) @ v.ravel() / np.sqrt(7), abs=1e-14)
    sums = CountSketch.draw(5, 3, 4, rng)
    expected = [(sums.flips * v)[sums.buckets == b].sum() for b in range(4)]
    assert sums.times(v) == pytest.approx(np.array(expected), abs=1e-14)


def test_a_whole_srht_is_an_isometry():
    rng = np.random.default_rng(3)
    sketch, v = SRHT.draw(8, 4, 32, rng), rng.standard_normal((8, 4))
    assert sorted(sketch.sample.tolist()) == list(range(32))
    assert np.linalg.norm(sketch.times(v)) == pytest.approx(np.linalg.norm(v), rel=1e-14)


def uniform(draws, values):
    """Whether all frequencies lie within Hoeffding's band, at a false alarm of 1e-10 in all."""
    counts = np.bincount(np.ravel(draws), minlength=values)
    return (
        len(counts) == values
        and (
            np.abs(counts / np.size(draws) - 1 / values) <= np.sqrt(np.log(2 * values / 1e-10) / (2 * np.size(draws)))
        ).all()
    )


def test_what_is_drawn_is_uniform():
    rng = np.random.default_rng(4)
    tensor = TensorSRHT.draw(5000, 3000, 40_000, rng)
    assert uniform(tensor.neuron_sample % 32, 32)  # 8192 rows: 32 classes
    assert uniform(tensor.neuron_sample // 256, 32)
    assert uniform(tensor.coordinate_sample // 128, 32)
    sums = CountSketch.draw(300, 100, 16, rng)
    assert uniform(sums.buckets, 16)
    full = [SRHT.draw(3, 3, 4, rng) for _ in range(4000)]
    assert all(len(set(sketch.sample.tolist())) == 4 for sketch in full)
    assert uniform([sketch.sample[0] for sketch in full], 16)
    assert uniform([sketch.sample[3] for sketch in full], 16)
    for flips in (tensor.neuron_flips, tensor.coordinate_flips, sums.flips, [sketch.flips for sketch in full]):
        assert np.array_equal(np.abs(flips), np.ones_like(flips))
        assert uniform(np.asarray(flips) > 0, 2)
    entries = np.sqrt(50) * Gaussian.draw(40, 30, 50, rng).entries
    assert uniform(np.floor(8 * chi2(1).cdf(entries**2)).astype(int), 8)
    assert uniform(entries > 0, 2)


def test_costs_are_those_of_the_docstrings():
    n, m, d, s = 5, 60, 3, 10
    spent = {}
    for kind in KINDS:
        J, rng = network(6, n, m, d)
        before = J.count.total()
        kind.draw(m, d, s, rng).apply(J)
        spent[kind] = J.count.total() - before
    assert spent == {
        Gaussian: s * (n * m + m + n) * d,
        CountSketch: n * m * (2 * d + 1),
        SRHT: n * (m * (2 * d + 1) + 256 * 8 + s),
        TensorSRHT: n * (d + 4 * 2 + m + 64 * 6 + 2 * s) + m,
    }


def test_without_the_product_m_d():
    def spent(kind, m, d):
        J, rng = network(7, 2, m, d)
        before = J.count.total()
        kind.draw(m, d, 10, rng).apply(J)
        return J.count.total() - before

    # ten times the dimension: nearly nothing for the factored transform, at least ten times for the full one
    assert spent(TensorSRHT, 512, 32) < 1.2 * spent(TensorSRHT, 512, 2)
    assert spent(SRHT, 512, 32) > 16 * spent(SRHT, 512, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused(kind):
    J, rng = network(8)
    with pytest.raises(ValueError, match=rf"{kind.__name__}\.draw: m, d and s must be at least 1, got .* s = 0"):
        kind.draw(60, 3, 0, rng)
    sketch = kind.draw(60, 2, 4, rng)
    with pytest.raises(ValueError, match=r"apply: the sketch was drawn for \(m, d\) = \(60, 2\), got a J with \(60, 3"):
        sketch.apply(J)
    with pytest.raises(ValueError, match=r"times: v must have shape \(60, 2\), got \(2, 60\)"):
        sketch.times(np.ones((2, 60)))


def test_srht_has_no_more_rows_than_its_transform():
    rng = np.random.default_rng(9)
    assert SRHT.draw(3, 3, 16, rng).size == 16
    with pytest.raises(ValueError, match=r"SRHT\.draw: s must be at most the 16 rows of the transform, got s = 17"):
        SRHT.draw(3, 3, 17, rng)
