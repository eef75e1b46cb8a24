"""The sawtooth, the least sizes on both families, and the digits of the catalogue's Part E."""

from fractions import Fraction
from itertools import product
from math import factorial, log, prod

import pytest

from theorems.checking.events import exact_failure
from theorems.glss.sampling_constructions import construct, quantities
from theorems.glss.sampling_instances import coupon
from theorems.glss.sampling_recipe import PAPER
from theorems.glss.sampling_worlds import diluted
from theorems.studies import tightness
from theorems.studies.tightness import (
    LAM,
    NEAR_HALF,
    POWERS,
    STUDY,
    TENTH,
    World,
    grid,
    least_size,
    row,
    sure_size,
)

TENTH_OFF, HUNDREDTH_OFF, NEVER = Fraction(1, 10), Fraction(1, 100), Fraction(1, 10**300)
NAMES = [column.name for column in STUDY.columns]


def world(n, r=1, eps=NEAR_HALF, delta=TENTH_OFF):
    return World(n=n, r=r, eps=eps, delta=delta)


def measured(x):
    return dict(zip(NAMES, row(x), strict=True))


# Part E found its m* by bisection, in one dip of the sawtooth: each is a size that works, and its ratios are the
# printed digits, but from n = 4 on (8 for delta = .01) a larger size fails, so that "once m >= .." is not true there.
PART_E = {
    TENTH_OFF: dict(zip(POWERS, (13, 60, 180, 462, 1139, 2664, 6186, 13840), strict=True)),
    HUNDREDTH_OFF: dict(zip(POWERS, (29, 119, 301, 763, 1719, 3952, 8677, 19243), strict=True)),
}
PART_E_RATIOS = {
    TENTH_OFF: ("12.5", "6.6", "5.1", "4.6", "4.2", "4.0", "3.8", "3.7"),
    HUNDREDTH_OFF: ("7.6", "4.3", "3.8", "3.4", "3.3", "3.2", "3.1", "3.1"),
}
FOR_GOOD = {
    TENTH_OFF: ((13, 65, 183, 484, 1160, 2707, 6272, 14089), (12.5, 6.0, 5.0, 4.4, 4.1, 4.0, 3.8, 3.7)),
    HUNDREDTH_OFF: ((29, 119, 317, 774, 1783, 3995, 8849, 19415), (7.6, 4.3, 3.6, 3.3, 3.2, 3.1, 3.1, 3.0)),
}


@pytest.mark.parametrize("delta", PART_E)
def test_part_E_ratios_on_orthogonal_directions_are_those_of_sizes_that_work(delta):
    for (n, m), digits, least in zip(PART_E[delta].items(), PART_E_RATIOS[delta], FOR_GOOD[delta][0], strict=True):
        x = world(n, delta=delta)
        assert not x.fails(m)
        assert abs(Fraction(PAPER.size(x.quantities), m) - Fraction(digits)) <= Fraction(1, 20)  # in its last digit
        assert m == least or x.fails(least - 1)  # a larger size fails


@pytest.mark.parametrize("delta", FOR_GOOD)
def test_part_E_ratios_of_sizes_that_work_with_all_larger_ones(delta):
    for n, m, ratio in zip(POWERS, *FOR_GOOD[delta], strict=True):
        found = measured(world(n, delta=delta))
        assert found["least m"] == m
        assert round(found["printed/least"], 1) == ratio


@pytest.mark.parametrize(("delta", "akm", "for_good"), [(TENTH_OFF, 2.18, 2.14), (HUNDREDTH_OFF, 1.91, 1.89)])
def test_part_E_ratio_of_akm_at_256(delta, akm, for_good):
    x = world(256, delta=delta)
    found = measured(x)
    assert round(found["AKM m"] / PART_E[delta][256], 2) == akm
    assert round(found["AKM/least"], 2) == for_good


def test_part_E_tight_family_at_eps_49():
    x = world(1, 100, delta=NEVER)
    found = measured(x)
    assert not x.fails(651_074)
    assert x.fails(651_073)
    assert x.fails(651_208)  # so 651,074, the size that Part E names, is no size from which on all work
    assert found["least m"] == 651_209
    assert round(found["printed m"] / 651_074, 3) == round(found["printed/least"], 3) == 1.340
    assert round(found["constant needed"], 3) == 2.263
    assert round(found["constant in the limit"], 3) == 2.305


def test_part_E_tight_family_at_eps_10():
    found = measured(world(1, 100, eps=TENTH, delta=NEVER))
    assert found["least m"] == 14_029_273
    assert round(found["printed/least"], 3) == 1.493
    assert round(found["constant needed"], 2) == 2.03


def test_part_E_needed_log_factor_rises():
    needed = [measured(world(n))["constant needed"] for n in POWERS[:6]]
    assert needed == sorted(needed)
    assert round(needed[0], 2) == 0.52


# ------------------------------------------------------------------------------------ against independent routes


def by_words(x, m):
    """The failure probability, by going through all counts."""
    p = [Fraction(1, x.rate)] * x.n + [1 - Fraction(x.n, x.rate)]
    inside = Fraction(0)
    for counts in product(range(m + 1), repeat=x.n):
        rest = m - sum(counts)
        if rest >= 0 and all(abs(Fraction(x.rate * k, m) - 1) <= x.eps * (1 + LAM) for k in counts):
            ways = factorial(m) // prod(factorial(k) for k in (*counts, rest))
            inside += ways * prod((q**k for q, k in zip(p, (*counts, rest), strict=True)), start=Fraction(1))
    return 1 - inside


@pytest.mark.parametrize(("n", "r"), [(2, 1), (3, 1), (1, 2), (1, 5), (2, 3)])
def test_failure_is_that_of_all_words(n, r):
    x = world(n, r)
    for m in (1, 2, 5, 9):
        found, true = x.failure(m), by_words(x, m)
        assert found.lower <= true <= found.upper
        assert found.upper - found.lower <= Fraction(1, 2**30)


@pytest.mark.parametrize(
    ("x", "instance"),
    [
        (world(3), coupon(3, LAM, eps=NEAR_HALF, delta=TENTH_OFF)),
        (world(8, delta=HUNDREDTH_OFF), coupon(8, LAM, eps=NEAR_HALF, delta=HUNDREDTH_OFF)),
        (world(1, 7), diluted("d", "d", 7 / (1 + LAM), eps=NEAR_HALF, delta=TENTH_OFF, lam=LAM)),
    ],
    ids=["O(3)", "O(8)", "N(7)"],
)
def test_the_court_sees_the_same_world(x, instance):
    assert quantities(instance) == x.quantities
    for m in (1, 7, 100, 149):
        seen = exact_failure(construct(instance, m, PAPER))
        found = x.failure(m)
        assert seen is not None
        assert seen.lower <= found.upper
        assert found.lower <= seen.upper


@pytest.mark.parametrize("x", [world(4), world(1, 3), world(5, 2, eps=Fraction(1, 4))], ids=repr)
def test_no_count_lies_between_these_boxes_and_those_without_a_ridge(x):
    for m in (*range(1, 400), 800, 2**40, 100 * x.rate * 2**30):
        low, high = (1 - x.eps) * m / x.rate, (1 + x.eps) * m / x.rate
        assert x.low(m) == -(-low.numerator // low.denominator)
        assert x.high(m) == high.numerator // high.denominator


@pytest.mark.parametrize(
    "x",
    [
        world(2),
        world(4),
        world(8),
        world(1, 2),
        world(1, 9),
        world(3, 4),
        world(1, 12, delta=HUNDREDTH_OFF),
        world(5, eps=Fraction(1, 4), delta=Fraction(1, 2)),
        world(2, eps=Fraction(99, 100), delta=Fraction(99, 100)),
    ],
    ids=repr,
)
def test_least_size_is_one_above_the_last_failure(x):
    sure = sure_size(x)
    failing = [m for m in range(1, sure + 64) if x.fails(m)]
    assert least_size(x) == max(failing, default=0) + 1
    assert max(failing, default=0) < sure


def test_a_larger_size_may_fail_where_a_smaller_works():
    x = world(4)
    works = [m for m in range(1, 65) if not x.fails(m)]
    assert works
    assert max(works) < 64
    assert least_size(x) == 65


@pytest.mark.parametrize("x", [world(4), world(1, 9), world(3, 4)], ids=repr)
def test_a_cleared_range_has_no_failure(x):
    fails = [True, *(x.fails(m) for m in range(1, 301))]
    cleared = [(a, b) for a in range(1, 301, 7) for b in range(a, 301, 11) if tightness._cleared(x, a, b)]
    assert len(cleared) > 20
    assert not [(a, b) for a, b in cleared if any(fails[a : b + 1])]


def test_sure_size_is_chernoffs():
    h = 1.49 * log(1.49) - 0.49
    assert sure_size(world(8)) == pytest.approx(8 * log(160) / h, abs=1)


# ----------------------------------------------------------------------------------------------------- the table


def test_a_longer_profile_begins_with_the_shorter_one():
    quick, ci, night = (grid(profile) for profile in ("quick", "ci", "night"))
    assert ci[: len(quick)] == quick
    assert night[: len(ci)] == ci
    assert len(quick) < len(ci) < len(night) == len(set(night))


def test_every_world_lies_inside_the_theorem():
    for x in grid("night"):
        assert 0 < x.eps < Fraction(1, 2)
        assert 0 < x.delta < 1
        assert x.rate > 1  # else no draw is random


def test_the_rows_are_those_of_the_grid(monkeypatch):
    monkeypatch.setattr(tightness, "grid", lambda _profile: [world(2), world(1, 3), world(2, 3)])
    rows = [dict(zip(NAMES, cells, strict=True)) for cells in STUDY.rows("quick", None, None)]
    assert [r["family"] for r in rows] == ["O(n)", "N(S)", "O(n) N(S)"]
    for r in rows:
        assert r["least m"] <= r["sharpened m"] <= r["AKM m"]
        for size in ("printed", "AKM", "sharpened"):
            assert r[f"{size}/least"] == r[f"{size} m"] / r["least m"]
