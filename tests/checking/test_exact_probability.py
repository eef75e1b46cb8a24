from fractions import Fraction
from itertools import pairwise
from math import ceil, comb, floor, prod

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from theorems.checking.exact_probability import binomial_leaves_interval, least_size, multinomial_leaves_box

EPS = Fraction(3, 10)


def coupon(atoms, m, lam=Fraction(1, 1000)):
    """Probability that some of the J atoms is drawn so often or seldom that |J N_j/m - 1| > eps (1 + lam)."""
    wide = EPS * (1 + lam)
    low, high = ceil(m * (1 - wide) / atoms), floor(m * (1 + wide) / atoms)
    return multinomial_leaves_box(m, [Fraction(1, atoms)] * atoms, [low] * atoms, [high] * atoms)


def by_enumeration(m, q, low, high):
    """The sum over every composition of m, written down afresh."""

    def inside(left, rest):
        if not rest:
            return Fraction(left == 0)
        (p, a, b), *others = rest
        return sum(
            (comb(left, k) * p**k * inside(left - k, others) for k in range(max(a, 0), min(b, left) + 1)), Fraction(0)
        )

    return 1 - inside(m, list(zip(q, low, high, strict=True)))


@st.composite
def worlds(draw):
    m = draw(st.integers(0, 12))
    weights = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any))
    q = [Fraction(w, sum(weights)) for w in weights]
    low = [draw(st.integers(-1, 5)) for _ in q]
    high = [draw(st.integers(-1, 14)) for _ in q]
    return m, q, low, high


# --- coupon worlds: the published figures


@pytest.mark.parametrize(
    ("atoms", "lam", "m", "expected"),
    [
        (2, Fraction(1, 1000), 431, [2.8e-10, 8.4e-6, 1.4e-3, 0.0125, 0.049, 0.134]),
        (3, Fraction(1, 1000), 727, [3.0e-8, 1.5e-4, 0.013, 0.067, 0.190, 0.343]),
        (8, Fraction(1, 20), 2321, [1.5e-7, 5.1e-4, 0.031, 0.168, 0.374, 0.828]),
        (20, Fraction(1, 100), 7292, [1.2e-7, 6.8e-4, 0.063, 0.353, 0.711, 0.983]),
    ],
)
def test_coupon_worlds(atoms, lam, m, expected):
    parts = map(Fraction, ("1", "1/2", "1/4", "3/20", "1/10", "1/20"))
    seen = [coupon(atoms, ceil(m * part), lam) for part in parts]
    assert [float(p.lower) for p in seen] == pytest.approx(expected, rel=0.04)
    assert all(p.upper - p.lower <= Fraction(2.0**-40) * p.lower for p in seen)


def test_the_calibration_value_of_the_two_atom_world():
    assert float(coupon(2, 44).lower) == pytest.approx(4.877e-2, rel=1e-3)


# --- two routes and an oracle


@given(worlds())
@settings(deadline=None)
def test_the_routes_agree(world):
    m, q, low, high = world
    truth = by_enumeration(m, q, low, high)
    counted = multinomial_leaves_box(m, q, low, high, exact=True)
    assert counted.lower == counted.upper == truth
    enclosed = multinomial_leaves_box(m, q, low, high)
    assert enclosed.lower <= truth <= enclosed.upper
    assert enclosed.lower >= 0
    assert enclosed.upper <= 1
    assert enclosed.upper - enclosed.lower <= Fraction(2.0**-40) * truth


@given(worlds(), st.permutations(range(4)))
@settings(deadline=None)
def test_the_order_of_the_categories_is_immaterial(world, order):
    m, *columns = world
    order = [j for j in order if j < len(columns[0])]
    moved = [[column[j] for j in order] for column in columns]
    assert multinomial_leaves_box(m, *columns, exact=True) == multinomial_leaves_box(m, *moved, exact=True)


@given(st.integers(1, 30), st.fractions(0, 1, max_denominator=20), st.integers(-1, 10), st.integers(-1, 31))
@settings(deadline=None)
def test_the_binomial_tails(m, q, low, high):
    truth = sum((comb(m, k) * q**k * (1 - q) ** (m - k) for k in range(m + 1) if not low <= k <= high), Fraction(0))
    enclosed = binomial_leaves_interval(m, q, low, high)
    assert enclosed.lower <= truth <= enclosed.upper
    assert enclosed.upper - enclosed.lower <= Fraction(2.0**-40) * truth
    assert binomial_leaves_interval(m, q, low, high, exact=True).lower == truth


def test_a_wider_box_is_left_less_often():
    q = [Fraction(1, 6), Fraction(2, 6), Fraction(3, 6)]
    seen = [multinomial_leaves_box(60, q, [10 - r, 20 - r, 30 - r], [10 + r, 20 + r, 30 + r]) for r in range(20)]
    assert all(narrow.lower > wide.upper for narrow, wide in pairwise(seen))


@pytest.mark.parametrize(
    ("groups", "m"),
    [
        ([(64, 5, 22)], 800),
        ([(40, 0, 11), (24, 4, 30)], 500),
        ([(1, 0, 30), (33, 2, 19), (2, 3, 40)], 300),
        ([(100, 12, 12)], 1200),  # inside is less likely than the tails that are cut
    ],
)
def test_many_categories_agree_with_the_whole_product_of_series(groups, m):
    """Tails that are cut, against one exact coefficient: m! [x^m] prod (sum_k x^k / k!) / J^m for J equal atoms."""
    product = flint.fmpq_poly([1])
    for times, low, high in groups:
        series = [flint.fmpq(0)] * low + [1 / flint.fmpq(flint.fmpz.fac_ui(k)) for k in range(low, high + 1)]
        product *= flint.fmpq_poly(series) ** times
    atoms = sum(times for times, _, _ in groups)
    inside = product[m] * flint.fmpz.fac_ui(m) / flint.fmpz(atoms) ** m
    truth = 1 - Fraction(int(inside.p), int(inside.q))
    lows, highs = ([v for times, *ends in groups for v in [ends[side]] * times] for side in (0, 1))
    enclosed = multinomial_leaves_box(m, [Fraction(1, atoms)] * atoms, lows, highs)
    assert enclosed.lower <= truth <= enclosed.upper
    assert enclosed.upper - enclosed.lower <= Fraction(2.0**-40) * truth


def test_tails_that_are_cut_do_not_hide_a_tiny_failure():
    """64 atoms, a wide box: to know a failure of 2^-115 to 2^-40 of itself takes more than the first 128 bits."""
    m, atoms = 640, 64
    enclosed = multinomial_leaves_box(m, [Fraction(1, atoms)] * atoms, [0] * atoms, [70] * atoms)
    one = binomial_leaves_interval(m, Fraction(1, atoms), 0, 70)
    assert 0 < enclosed.lower < Fraction(1, 2**110)
    # inclusion and exclusion: negatively dependent counts, so pairs count for less than the square
    assert atoms * one.upper >= enclosed.lower
    assert enclosed.upper >= atoms * one.lower - (atoms * one.upper) ** 2
    assert enclosed.upper - enclosed.lower <= Fraction(2.0**-40) * enclosed.lower


def test_a_logarithm_without_the_dimension_fails_on_four_thousand_atoms():
    """Part of the published table: the size 3 eps^-2 s ln(16/delta) at eps = .49, delta = 1/2, m = 177,195."""
    atoms, eps, lam, m = 4096, Fraction(49, 100), Fraction(1, 1000), 177_195
    low, high = (Fraction(m, atoms) * ((1 + sign * eps) * (1 + lam) - lam) for sign in (-1, 1))
    box = [ceil(low)] * atoms, [floor(high)] * atoms
    found = multinomial_leaves_box(m, [Fraction(1, atoms)] * atoms, *box)
    assert float(found.lower) == pytest.approx(0.99786409744, rel=1e-9)


def test_against_simulation():
    m, q, low, high = 60, [Fraction(1, 6), Fraction(2, 6), Fraction(3, 6)], [5, 14, 22], [16, 26, 38]
    rng, worlds_ = np.random.default_rng(20201206), 100_000
    counts = rng.multinomial(m, [float(x) for x in q], size=worlds_)
    left = int(((counts < low) | (counts > high)).any(axis=1).sum())
    chance = float(multinomial_leaves_box(m, q, low, high).lower)
    assert min(binom.cdf(left, worlds_, chance), binom.sf(left - 1, worlds_, chance)) > 0.5e-9


# --- far tails and large sizes


def test_a_tail_of_ten_to_the_minus_301():
    p = binomial_leaves_interval(1000, Fraction(1, 2), 1, 999)
    assert p.lower <= Fraction(1, 2**999) <= p.upper
    assert p.upper - p.lower <= Fraction(2.0**-40) * p.lower


def test_a_far_corner_of_three_categories():
    """P(N_1 = 600) in closed form, far below what 1 - P sees in floats."""
    q = [Fraction(1, 3)] * 3
    p = multinomial_leaves_box(600, q, [0, 0, 0], [599, 600, 600])
    assert p.lower <= Fraction(1, 3**600) <= p.upper
    assert p.upper - p.lower <= Fraction(2.0**-40) * p.lower


def test_a_million_draws():
    m, low, high = 10**6, 98_500, 101_500
    p = binomial_leaves_interval(m, Fraction(1, 10), low, high)
    expected = binom.cdf(low - 1, m, 0.1) + binom.sf(high, m, 0.1)
    assert float(p.lower) == pytest.approx(expected, rel=1e-8)


def test_unequal_categories_at_size():
    q = [Fraction(j, 36) for j in range(1, 9)]
    low, high = [floor(0.8 * 2000 * p) for p in q], [ceil(1.2 * 2000 * p) for p in q]
    p = multinomial_leaves_box(2000, q, low, high)
    each = [binomial_leaves_interval(2000, x, a, b) for x, a, b in zip(q, low, high, strict=True)]
    assert max(x.lower for x in each) < p.lower  # any one of them leaves
    assert p.upper < sum(x.upper for x in each)  # union bound
    # eight categories are nearly independent
    assert float(p.lower) == pytest.approx(1 - prod(1 - float(x.lower) for x in each), rel=0.2)


def test_more_precision_on_request():
    p = multinomial_leaves_box(50, [Fraction(1, 3)] * 3, [8] * 3, [30] * 3, relative=Fraction(1, 2**300))
    exact = multinomial_leaves_box(50, [Fraction(1, 3)] * 3, [8] * 3, [30] * 3, exact=True)
    assert p.lower <= exact.lower <= p.upper
    assert p.upper - p.lower <= p.lower / 2**300


# --- corners


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("m", "q", "low", "high", "expected"),
    [
        (5, [1], [0], [5], 0),
        (5, [1], [6], [9], 1),
        (5, [Fraction(1, 2)] * 2, [-3, 0], [5, 99], 0),
        (5, [Fraction(1, 2)] * 2, [3, 3], [5, 5], 1),  # too much asked
        (5, [Fraction(1, 2)] * 2, [0, 0], [2, 2], 1),  # too little room
        (5, [Fraction(1, 2)] * 2, [3, 0], [2, 5], 1),  # empty side
        (5, [Fraction(1, 2), Fraction(1, 2), 0], [0, 0, 1], [5, 5, 5], 1),  # the impossible is asked for
        (5, [Fraction(1, 2), Fraction(1, 2), 0], [0, 0, 0], [5, 5, 0], 0),
        (0, [Fraction(1, 2)] * 2, [0, 0], [0, 0], 0),
        (0, [Fraction(1, 2)] * 2, [0, 1], [0, 1], 1),
        (1, [Fraction(1, 3), Fraction(2, 3)], [1, 0], [1, 1], Fraction(2, 3)),
    ],
)
def test_corners(m, q, low, high, expected, exact):
    p = multinomial_leaves_box(m, q, low, high, exact=exact)
    assert p.lower <= expected <= p.upper
    if expected in (0, 1):
        assert p.lower == p.upper


@pytest.mark.parametrize(
    ("m", "q", "low", "high", "says"),
    [
        (-1, [1], [0], [1], "m must be >= 0, got m = -1"),
        (3, [], [], [], "one length >= 1, got 0, 0, 0"),
        (3, [1], [0, 0], [1], "one length >= 1, got 1, 2, 1"),
        (3, [0.5, 0.5], [0, 0], [1, 1], r"q\[0\] = 0.5"),
        (3, [Fraction(3, 2), Fraction(-1, 2)], [0, 0], [1, 1], r"q\[1\] = Fraction\(-1, 2\)"),
        (3, [Fraction(1, 2)], [0], [1], "q must sum to 1, got 1/2"),
    ],
)
def test_wrong_arguments_are_named(m, q, low, high, says):
    with pytest.raises(ValueError, match=says):
        multinomial_leaves_box(m, q, low, high)


def test_wrong_binomials_and_precisions_are_named():
    with pytest.raises(ValueError, match=r"q must be in \[0, 1\], got q = 3/2"):
        binomial_leaves_interval(3, Fraction(3, 2), 0, 1)
    with pytest.raises(ValueError, match="relative must be positive, got relative = 0"):
        multinomial_leaves_box(3, [1], [0], [1], relative=0)


# --- the least size


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 8))
@settings(deadline=None)
def test_the_least_size_keeps_its_promise(failures, window):
    """For any pattern at all: a failing predecessor, and a window that works."""
    fails = dict(enumerate([*failures, False], start=1))
    asked, calls = len(fails), []

    def probe(m):
        calls.append(m)
        return fails[m]

    m = least_size(probe, asked, window)
    assert m == 1 or fails[m - 1]
    assert not any(fails[k] for k in range(m, min(m + window, asked) + 1))
    assert len(calls) == len(set(calls))


@given(st.integers(1, 300), st.integers(0, 200), st.integers(0, 7))
def test_one_step_is_found_exactly(step, beyond, window):
    assert least_size(lambda m: m < step, step + beyond, window) == step


def test_a_sawtooth_is_climbed():
    """Works at 40, 44, 48, ... and everywhere from 60 on: a window of 4 sees through it."""
    assert least_size(lambda m: m < 40 or (m < 60 and m % 4 != 0), 100, 4) == 60
    assert least_size(lambda m: m < 40 or (m < 60 and m % 4 != 0), 100, 0) < 60


def test_the_least_size_of_a_coupon_world():
    def fails(m):
        return coupon(3, m).upper > Fraction(1, 10)

    m = least_size(fails, 727, 30)
    assert fails(m - 1)
    assert not any(fails(k) for k in range(m, m + 31))
    assert 3 < 727 / m < 16


@pytest.mark.parametrize(("asked", "window"), [(0, 3), (5, -1)])
def test_the_least_size_wants_sizes(asked, window):
    with pytest.raises(ValueError, match=f"got asked = {asked}, window = {window}"):
        least_size(lambda _: False, asked, window)


def test_the_least_size_wants_a_working_start():
    with pytest.raises(ValueError, match="got a failure at asked = 7"):
        least_size(lambda _: True, 7, 3)
