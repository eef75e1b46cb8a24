# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
"""Each way in which a construction can contradict itself, refused by name."""

from dataclasses import replace
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from theorems.checking import facets
from theorems.statement import BoundBatch, Construction, CountsBox, Sampling, Slope, SpectralBatch

HALVES = (Fraction(1, 2), Fraction(1, 2))
RNG = np.random.default_rng(5)


@pytest.mark.parametrize(
    ("size", "kind", "says"),
    [
        (0, ValueError, "size: need at least 1 draw; got 0"),
        (-3, ValueError, "size: need an integer"),
        (2.0, TypeError, "size: need an int; got float 2.0"),
        (True, TypeError, "size: need an int; got bool"),
        (np.int64(3), TypeError, "size: need an int; got int64"),
    ],
)
def test_a_size_is_a_positive_int(size, kind, says):
    with pytest.raises(kind, match=says):
        facets.whole_size(size)
    assert facets.whole_size(1) == 1


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1), Fraction(-1, 2), 0.1, None])
def test_a_promise_is_exact_and_strictly_between(delta):
    with pytest.raises(ValueError, match=r"delta: need a Fraction in \(0, 1\); got "):
        facets.promise(delta)
    assert facets.promise(Fraction(1, 10)) == Fraction(1, 10)


SLOPE = Slope(lower=0.9, upper=1.0, claimed=Fraction(1), tolerance=Fraction(0), decades=2.0, points=6)


@pytest.mark.parametrize(
    ("measured", "says"),
    [((0.9, 1.0), "slope: need a Slope; got tuple"), (replace(SLOPE, points=6.5), r"slope\(points\): need an int")],
)
def test_what_is_measured_is_a_slope(measured, says):
    with pytest.raises(TypeError, match=says):
        facets.slope(measured)
    assert facets.slope(SLOPE) is SLOPE


@pytest.mark.parametrize("value", [nan, inf, -inf, np.float64(nan), np.int64(3), None, Fraction(1, 2)])
def test_facts_can_be_written_down(value):
    with pytest.raises(ValueError, match="facts: need finite numbers and strings; got n = "):
        facets.displayed({"n": value})
    good = {"n": 3, "x": 0.5, "y": np.float64(2), "says": "words"}
    assert facets.displayed(good) == good


# ------------------------------------------------------------------------------------------- constructions


def spectral(trials=4, **changes):
    made = {
        "K": np.eye(2),
        "K_radius": 0.0,
        "Kt": np.ones((trials, 2, 2)),
        "Kt_radius": np.zeros(trials),
        "eps": Fraction(1, 4),
        "a": Fraction(1),
        "b": Fraction(1),
    }
    return SpectralBatch(**made | changes)


def bounds(lower=4, upper=4):
    return BoundBatch(lower=np.zeros(lower), upper=np.zeros(upper), allowed=(Fraction(1), Fraction(1)))


def built(made=None, **changes):
    given = {"size": 8, "batch_size": 4, "draw": lambda rng, trials: made, "facts": {}}
    return Construction(**given | changes)


def box(m=8, law=HALVES, low=(0, 0), high=(8, 8)):
    return CountsBox(m=m, law=law, low=low, high=high)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"size": 7}, "construction: need the size asked for, 8; got 7"),
        ({"size": 0}, "size: need at least 1 draw; got 0"),
        ({"size": 8.0}, "size: need an int; got float"),
        ({"batch_size": 3}, r"construction\(batch_size\): need a power of two in \[1, 1024\]; got 3"),
        ({"batch_size": 2048}, "need a power of two"),
        ({"batch_size": 4.0}, r"construction\(batch_size\): need an int"),
        ({"box": box(m=9)}, "box: need the counts of 8 draws, as the trials have; got m = 9"),
        ({"box": box(law=(Fraction(1),))}, "box: need law, low, high of one length; got lengths 1, 2, 2"),
        ({"box": box(low=(0,))}, "got lengths 2, 1, 2"),
        ({"box": box(high=(8,) * 3)}, "got lengths 2, 2, 3"),
        ({"box": box(law=(Fraction(1, 2), Fraction(1, 3)))}, r"box\(law\): need .* sum 1; got a sum of 5/6"),
        ({"size_needed": (Fraction(9), Fraction(8))}, "size_needed: need lower <= upper; got 9 > 8"),
        ({"facts": {"n": nan}}, "facts: need finite"),
    ],
)
def test_a_construction_that_contradicts_itself_is_refused(changes, says):
    with pytest.raises((TypeError, ValueError), match=says):
        facets.consistent(built(**changes), 8)


def test_a_consistent_construction_is_what_it_was():
    given = built(spectral(), box=box(), size_needed=(Fraction(7), Fraction(8)), facts={"n": 2})
    made = facets.consistent(given, 8)
    for name in ("size", "batch_size", "box", "size_needed", "sampling", "mean"):
        assert getattr(made, name) is getattr(given, name)
    assert made.facts == {"n": 2}
    assert made.draw(RNG, 4) is given.draw(RNG, 4)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (None, "draw: need a SpectralBatch or a BoundBatch; got NoneType"),
        (spectral(5), r"draw\(Kt\): need a float64 array of shape \(4, 2, 2\); got float64 \(5, 2, 2\)"),
        (spectral(Kt=np.ones((4, 3, 3))), r"draw\(Kt\): .* got float64 \(4, 3, 3\)"),
        (spectral(Kt=np.ones((4, 2, 2), np.float32)), r"draw\(Kt\): .* got float32"),
        (spectral(Kt=np.ones((1, 2, 2))), r"draw\(Kt\): .* got float64 \(1, 2, 2\)"),
        (spectral(K=np.ones((2, 3))), r"draw\(K\): need a float64 array of shape \(2, 2\); got float64 \(2, 3\)"),
        (spectral(K=[[1.0, 0.0], [0.0, 1.0]]), r"draw\(K\): .* got list"),
        (spectral(Kt_radius=np.zeros(1)), r"draw\(Kt_radius\): .* shape \(4,\); got float64 \(1,\)"),
        (spectral(Kt_radius=0.0), r"draw\(Kt_radius\): .* got float"),
        (bounds(lower=3), r"draw\(lower\): .* shape \(4,\); got float64 \(3,\)"),
        (bounds(upper=5), r"draw\(upper\): .* got float64 \(5,\)"),
    ],
)
def test_a_draw_of_another_shape_is_refused(made, says):
    draw = facets.consistent(built(made), 8).draw
    with pytest.raises((TypeError, ValueError), match=says):
        draw(RNG, 4)


def test_good_draws_pass():
    for made in (spectral(), bounds()):
        assert facets.consistent(built(made), 8).draw(RNG, 4) is made


SQUARE = [[Fraction(1), Fraction(0)], [Fraction(0), Fraction(1)]]


@pytest.mark.parametrize(
    ("K", "Kt", "says"),
    [
        (SQUARE[:1], SQUARE, r"exact\(K\): need 2 rows of 2 numbers; got 1 of \[2\]"),
        (SQUARE, SQUARE * 2, r"exact\(Kt\): need 2 rows of 2 numbers; got 4 of \[2\]"),
        (SQUARE, [SQUARE[0], SQUARE[1][:1]], r"exact\(Kt\): .* got 2 of \[1, 2\]"),
        (SQUARE, [], r"exact\(Kt\): .* got 0 of \[\]"),
    ],
)
def test_exact_matrices_of_another_shape_are_refused(K, Kt, says):
    made = facets.consistent(built(spectral(exact=lambda b: (K, Kt))), 8).draw(RNG, 4)
    with pytest.raises(ValueError, match=says):
        made.exact(0)


def test_exact_matrices_of_the_right_shape_pass():
    made = facets.consistent(built(spectral(exact=lambda b: (SQUARE, [[b, b], [b, b]]))), 8).draw(RNG, 4)
    assert made.exact(3) == (SQUARE, [[3, 3], [3, 3]])


# ------------------------------------------------------------------------------------------------ samplers


def giving(indices=None, counts=None):
    return Sampling(
        claimed=np.array([0.5, 0.25, 0.25]), indices=lambda count, rng: indices, counts=lambda count, rng: counts
    )


@pytest.mark.parametrize(
    ("indices", "says"),
    [
        (np.zeros(3, int), r"indices: need an integer array of shape \(4,\); got int64 \(3,\)"),
        (np.zeros((4, 1), int), r"got int64 \(4, 1\)"),
        (np.zeros(4), "got float64"),
        (np.zeros(4, bool), "got bool"),
        ([0, 1, 2, 0], "got list"),
        (np.array([0, 1, 3, 0]), r"indices: need categories in \[0, 3\); got 3"),
        (np.array([0, -1, 2, 0]), r"indices: need categories in \[0, 3\); got -1"),
    ],
)
def test_indices_that_are_no_draws_are_refused(indices, says):
    with pytest.raises(ValueError, match=says):
        facets.drawn_indices(giving(indices=indices), 4, RNG)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (np.array([2, 2]), r"counts: need an integer array of shape \(3,\); got int64 \(2,\)"),
        (np.array([2.0, 1, 1]), "got float64"),
        (np.array([2, 1, 0]), "counts: need counts >= 0 with sum 4; got a sum of 3"),
        (np.array([2, 2, 1]), "got a sum of 5"),
        (np.array([5, -2, 1]), "need counts >= 0 with sum 4; got a sum of 4"),
    ],
)
def test_counts_that_count_something_else_are_refused(counts, says):
    with pytest.raises(ValueError, match=says):
        facets.drawn_counts(giving(counts=counts), 4, RNG)


def test_good_samplers_pass():
    sampling = giving(indices=np.array([0, 2, 2, 1], np.uint8), counts=np.array([1, 1, 2]))
    assert facets.drawn_indices(sampling, 4, RNG).tolist() == [0, 2, 2, 1]
    assert facets.drawn_counts(sampling, 4, RNG).tolist() == [1, 1, 2]
