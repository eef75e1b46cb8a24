import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.boundary_layers import CHUNK, PlainLayer, SortedLayer
from reference.preconditions import gamma

LAYERS = (PlainLayer, SortedLayer)


def state(layer):
    seen = layer.contributions()
    return seen.count, seen.right, seen.right_sum, seen.left_sum


@pytest.mark.parametrize("layer", LAYERS)
def test_three_neurons_by_hand(layer):
    part = layer(np.array([0.25, -0.5, 2.0]))
    assert state(part) == (3, 2, 2.25, 0.5)
    # 0.25 -> -0.25, -0.5 -> 0.5, 2 -> 1.5
    slopes = part.advance(0.5, -1.0, 0.5)
    assert state(part) == (3, 2, 2.0, 0.25)
    # a half of the way down was at b > 0, and a half of the way up
    assert (slopes.from_right, slopes.from_left) == (1.5, 0.5)


@pytest.mark.parametrize("layer", LAYERS)
def test_an_empty_layer(layer):
    part = layer(np.empty(0))
    slopes = part.advance(1.0, 1.0, -1.0)
    assert state(part) == (0, 0, 0.0, 0.0)
    assert (slopes.from_right, slopes.from_left) == (0.0, 0.0)


@pytest.mark.parametrize("layer", LAYERS)
def test_initial_numbers_are_not_touched(layer):
    offsets = np.array([0.5, -0.25])
    layer(offsets).advance(1.0, 1.0, 1.0)
    assert offsets.tolist() == [0.5, -0.25]


dyadic = st.integers(-64, 64).map(lambda k: k / 16)


@given(st.lists(dyadic, max_size=40), st.lists(st.tuples(dyadic, dyadic, dyadic), max_size=30))
def test_blocks_equal_numbers_exactly_where_nothing_is_rounded(offsets, moves):
    # numbers on a grid hit the boundary often; sums are then exact in float64 in both layers
    plain, blocks = PlainLayer(np.array(offsets)), SortedLayer(np.array(offsets))
    for move in moves:
        expected, got = plain.advance(*move), blocks.advance(*move)
        assert state(plain) == state(blocks)
        # slopes are quotients, added in different orders
        assert abs(expected.from_right - got.from_right) <= 1e-13
        assert abs(expected.from_left - got.from_left) <= 1e-13


@pytest.mark.parametrize("kind", ["attracting", "repelling", "drifting"])
def test_blocks_equal_numbers_over_a_long_run(kind):
    rng = np.random.default_rng(3)
    offsets = rng.uniform(-1, 1, 3 * CHUNK // 2)
    plain, blocks = PlainLayer(offsets), SortedLayer(offsets)
    # two roundings a step in either layer, 2 sqrt(N) in the prefix sums, and as many in the pairwise sums
    error = 2 * gamma(2 * 120 + 4 * 223) * 2 * np.abs(offsets).sum()
    shift, right = {"attracting": (0.013, -0.031), "repelling": (-0.013, 0.031), "drifting": (0.01, 0.003)}[kind]
    for k in range(120):
        damped = 0.97**k
        plain.advance(shift * damped, right * damped, 0.001 * damped)
        blocks.advance(shift * damped, right * damped, 0.001 * damped)
        expected, got = state(plain), state(blocks)
        assert expected[:2] == got[:2]
        assert np.abs(np.subtract(expected[2:], got[2:])).max() <= error


def test_neurons_of_an_attracting_boundary_chatter_without_leaving():
    part = SortedLayer(np.linspace(-0.05, 0.05, 1001))
    for _ in range(50):
        part.advance(0.01, -0.02, 0.0)
    seen = part.contributions()
    assert max(seen.right_sum, seen.left_sum) <= 0.01 * seen.count


@pytest.mark.parametrize("layer", LAYERS)
def test_one_slope_for_the_wrong_side_would_show(layer):
    # the sum of secant slopes times the move is the change of max(b, 0): an identity that any mix-up breaks
    offsets = np.random.default_rng(4).uniform(-1, 1, 500)
    part = layer(offsets)
    before = part.contributions()
    slopes = part.advance(0.2, -0.5, 0.1)
    after = part.contributions()
    change = slopes.from_right * (0.2 - 0.5) + slopes.from_left * (0.2 + 0.1)
    assert abs(after.right_sum - before.right_sum - change) <= 1e-12
