from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.activation_cells import plane_cells
from reference.leverage import cell_leverage, statistical_dimension
from reference.orthants import sampled_patterns, sphere_cells, sphere_cells_balls
from reference.relu_tangent import CHUNK, activations, tangent_kernel, tangent_kernel_error


def as_law(cells):
    """The probability of each pattern, keyed by its 0/1 word."""
    words = ["".join("01"[int(b)] for b in p) for p in cells.patterns]
    assert len(set(words)) == len(words)
    return dict(zip(words, cells.probability.tolist(), strict=True))


def by_arcsines(X):
    """P(s) = 1/8 + sum_{i<j} s_i s_j arcsin(rho_ij) / (4 pi), of three rows: the independent witness."""
    unit = X / np.linalg.norm(X, axis=1)[:, None]
    arc = np.arcsin(np.clip(unit @ unit.T, -1, 1)) / (4 * np.pi)
    return {
        "".join("01"[s > 0] for s in signs): 1 / 8
        + sum(signs[i] * signs[j] * arc[i, j] for i, j in combinations(range(3), 2))
        for signs in product((-1, 1), repeat=3)
    }


integers = st.integers(-2, 2).map(float)
sizeable = st.floats(-4, 4).filter(lambda x: abs(x) > 1e-15)  # no cell below 2^-1022, which has a test of its own
degenerate_data = st.lists(st.lists(integers, min_size=3, max_size=3), min_size=1, max_size=7)
rough_data = st.lists(
    st.lists(st.one_of(integers, sizeable, st.sampled_from([1e-15, 1e10])), min_size=3, max_size=3),
    min_size=1,
    max_size=5,
)

# ------------------------------------------------------------------------------------------------- closed forms


def test_one_and_two_rows_by_hand():
    assert as_law(sphere_cells([[0.0, 3.0, 4.0]])) == {"1": 0.5, "0": 0.5}
    law = as_law(sphere_cells([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]))
    assert law == {"11": 3 / 8, "10": 1 / 8, "01": 1 / 8, "00": 3 / 8}


def test_octants_and_their_refinements_are_exact():
    assert as_law(sphere_cells(np.eye(3))) == {"".join(w): 1 / 8 for w in product("01", repeat=3)}
    for rows, chambers in ((weyl_of_type_a(), 24), (weyl_of_type_b(), 48)):
        cells = sphere_cells(rows)
        assert cells.probability.tolist() == [1 / chambers] * chambers


def weyl_of_type_a():
    """The differences of four coordinates: rank 3 in four dimensions, 24 congruent chambers."""
    return [np.eye(4)[i] - np.eye(4)[j] for i, j in combinations(range(4), 2)]


def weyl_of_type_b():
    """The mirrors of the cube: up to four meet in a line, 48 congruent chambers."""
    e = np.eye(3)
    return [*e, *(e[i] + sign * e[j] for i, j in combinations(range(3), 2) for sign in (1, -1))]


@pytest.mark.parametrize("d", [2, 3, 8])
@pytest.mark.parametrize("key", range(5))
def test_three_rows_agree_with_the_arcsine_formula(d, key):
    X = np.random.default_rng(key).standard_normal((3, d))
    law, witness = as_law(sphere_cells(X)), by_arcsines(X)
    assert len(law) == (6 if d == 2 else 8)
    assert all(abs(law.get(word, 0.0) - mass) < 1e-15 for word, mass in witness.items())


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 2, 2], [2, 4, 4], [0, 1, 0]],
        [[1, 2, 2], [-1, -2, -2], [0, 1, 0]],
        [[1, 2, 2], [-1, -2, -2], [3, 6, 6]],
        [[1, 0, 0], [0, 1, 0], [1, 1, 0]],
        [[1, 0, 0, 0, 1], [0, 1, 0, 0, 1], [1, 1, 0, 0, 2]],
    ],
    ids=["parallel", "opposite", "one line", "coplanar", "coplanar in five dimensions"],
)
def test_degenerate_triples_agree_with_the_arcsine_formula(rows):
    law, witness = as_law(sphere_cells(np.array(rows, dtype=float))), by_arcsines(np.array(rows, dtype=float))
    # arcsin near 1 is good to half the digits only
    assert all(abs(law.get(word, 0.0) - mass) < 1e-8 for word, mass in witness.items())
    assert set(law) == {word for word, mass in witness.items() if mass > 1e-8}


def test_zero_rows_are_active_everywhere():
    assert as_law(sphere_cells(np.zeros((2, 3)))) == {"11": 1.0}
    law = as_law(sphere_cells([[0.0, 0.0], [1.0, 0.0], [-0.0, 0.0], [0.0, 1.0]]))
    assert law == {"1111": 0.25, "1110": 0.25, "1011": 0.25, "1010": 0.25}


@pytest.mark.parametrize("n", [1, 2, 3, 5, 9])
def test_number_of_cells_in_general_position(n):
    X = np.random.default_rng(n).standard_normal((n, 3))
    assert len(as_law(sphere_cells(X))) == (2 if n == 1 else n * n - n + 2)


def test_plane_cells_are_the_same_cells():
    for rows in (
        np.random.default_rng(1).standard_normal((6, 2)),
        np.array([[1.0, 0.0], [-2.0, 0.0], [0.0, 0.0], [1.0, 1.0], [3.0, 3.0]]),
    ):
        flat, law = as_law(plane_cells(rows)), as_law(sphere_cells(rows))
        assert flat.keys() == law.keys()
        assert all(law[word] == pytest.approx(mass, rel=20 * 2.0**-53) for word, mass in flat.items())


# ----------------------------------------------------------------------------------- arrangements of every kind


@settings(max_examples=80, deadline=None)
@given(degenerate_data, st.integers(0, 2**32))
def test_cells_fill_the_sphere_and_hold_every_draw(rows, key):
    X = np.array(rows)
    known = {bytes(p) for p in sphere_cells(X).patterns}
    enclosures = sphere_cells_balls(X, 300)
    # missing faces would leave the sum below 1, faces that do not exist would lift it above
    assert sum(low for low, _ in enclosures) <= 1 <= sum(high for _, high in enclosures)
    assert all(low > 0 and high - low < Fraction(1, 2**280) for low, high in enclosures)
    drawn = activations(X, np.random.default_rng(key).standard_normal((200, 3)))
    assert {bytes(p) for p in np.ascontiguousarray(drawn.T)} <= known


@settings(max_examples=60, deadline=None)
@given(rough_data)
def test_probabilities_lie_within_their_error_of_the_balls(rows):
    X = np.array(rows)
    cells, enclosures = sphere_cells(X), sphere_cells_balls(X, 1200)
    assert len(enclosures) == len(cells.probability)
    for probability, (low, high) in zip(cells.probability.tolist(), enclosures, strict=True):
        assert abs(Fraction(probability) - low) <= Fraction(cells.probability_error) * low + (high - low)


@settings(max_examples=60, deadline=None)
@given(degenerate_data)
def test_cells_average_to_the_tangent_kernel(rows):
    X = np.array(rows)
    cells = sphere_cells(X)
    average = np.einsum("c,cij->ij", cells.probability, cells.gram(X))
    allowed = tangent_kernel_error(X) + (len(cells.probability) + 10) * 2.0**-53 * np.linalg.norm(X) ** 2
    assert np.linalg.norm(average - tangent_kernel(X), 2) <= allowed


def test_permutation_rotation_and_scaling_keep_the_law():
    X = np.random.default_rng(2).integers(-9, 9, size=(5, 3)).astype(float)
    law = as_law(sphere_cells(X))
    turned = X @ np.array([[3.0, 4.0, 0.0], [-4.0, 3.0, 0.0], [0.0, 0.0, 5.0]])
    assert as_law(sphere_cells(turned)) == law
    assert as_law(sphere_cells(X * [[1.0], [3.0], [2.0**-300], [0.5], [7.0]])) == law
    order = [3, 1, 4, 0, 2]
    moved = as_law(sphere_cells(X[order]))
    assert moved == {"".join(word[i] for i in order): mass for word, mass in law.items()}


def test_cells_run_from_all_active_down():
    words = list(as_law(sphere_cells(np.eye(3))))
    assert words == sorted(words, reverse=True)
    assert words[0] == "111"


def test_leverage_of_the_cells_averages_to_the_statistical_dimension():
    X = np.random.default_rng(3).standard_normal((6, 3))
    cells, K = sphere_cells(X), tangent_kernel(X)
    tau = cell_leverage(cells, X, K, 0.125)
    assert cells.probability @ tau == pytest.approx(statistical_dimension(K, 0.125), rel=1e-13)


def test_thin_cells_keep_relative_accuracy_and_too_thin_ones_are_refused():
    law = as_law(sphere_cells([[1.0, 0.0, 0.0], [1.0, 1e-200, 0.0], [0.0, 0.0, 1.0]]))
    assert law["101"] == pytest.approx(1e-200 / (4 * np.pi), rel=1e-14)
    with pytest.raises(ValueError, match=r"sphere_cells: X must have no cell of probability below 2\^-1022"):
        sphere_cells([[1.0, 0.0, 0.0], [1.0, 5e-324, 0.0], [0.0, 0.0, 1.0]])


def test_rank_four_is_refused():
    with pytest.raises(ValueError, match="sphere_cells: X must have rank at most 3, got rank 4"):
        sphere_cells(np.eye(4))
    with pytest.raises(ValueError, match="sphere_cells_balls: X must have rank at most 3, got rank 5"):
        sphere_cells_balls(np.eye(5), 64)


# --------------------------------------------------------------------------------------------------- sampled patterns


def test_sampled_patterns_unpack_to_activations_across_chunks():
    X, m = np.random.default_rng(4).standard_normal((11, 5)), 2 * CHUNK + 3
    packed = sampled_patterns(X, np.random.default_rng(5), m)
    assert packed.shape == (m, 2)
    assert packed.dtype == np.uint8
    W = np.random.default_rng(5).standard_normal((m, 5))
    assert np.array_equal(np.unpackbits(packed, axis=1, count=11).T, activations(X, W))
    assert not np.unpackbits(packed, axis=1)[:, 11:].any()


def test_frequencies_of_sampled_patterns_match_the_cells():
    X, m = np.random.default_rng(6).standard_normal((3, 6)), 100_000
    law = as_law(sphere_cells(X))
    packed = sampled_patterns(X, np.random.default_rng(7), m)[:, 0]
    seen = {word: np.mean(packed == int(word, 2) << 5) for word in law}
    assert sum(seen.values()) == pytest.approx(1, abs=1e-12)
    # Hoeffding for eight frequencies: false alarm below 1e-9
    allowed = np.sqrt(np.log(2 * 8 / 1e-9) / (2 * m))
    assert max(abs(seen[word] - law[word]) for word in law) <= allowed
    # and with power: orthogonal rows would not pass
    assert max(abs(seen[word] - 1 / 8) for word in law) > allowed


def test_at_least_one_pattern_must_be_asked_for():
    with pytest.raises(ValueError, match="sampled_patterns: m must be at least 1, got m = 0"):
        sampled_patterns([[1.0]], np.random.default_rng(0), 0)
