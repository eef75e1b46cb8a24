"""Operation counts: closed forms, the proof that no family exceeds the tolerance, and every mistake caught."""

from dataclasses import replace
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.store import Store
from theorems.glss.section_3_1_running_time import (
    DATA_SPACE,
    FEATURES,
    MANY_FEATURES,
    POINTS,
    STATEMENT,
    instances,
    operations,
)
from theorems.statement import Finding

SITTING = Sitting(seed=1, campaign=1, budget=64)


def in_feature_space(n, s):
    return n * s * (s + 1) // 2 + n * s + s * (s + 1) * (s + 2) // 6 + s * (s + 1) + s


def in_data_space(n):
    return n * (n + 1) * (n + 2) // 6 + n * (n + 1) + n


@given(STATEMENT.strategy())
def test_counts_have_the_closed_form(x):
    for size in x.sizes:
        n, s = (x.fixed, size) if x.grows == "features" else (size, x.fixed)
        assert operations(x, size) == (
            in_data_space(size) if x.grows == "points in data space" else in_feature_space(n, s)
        )


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_the_cost_is_at_most_six_n_s_squared_for_fewer_features_than_points(s, more):
    assert in_feature_space(s + more, s) <= 6 * (s + more) * s**2


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_no_local_slope_in_s_exceeds_nine_quarters(s, more):
    """S d cost / ds <= (9/4) cost in exact rationals."""
    n = s + more
    times_derivative = n * (s**2 + F(3, 2) * s) + F(s**3, 2) + 3 * s**2 + F(7, 3) * s
    assert times_derivative <= F(9, 4) * in_feature_space(n, s)


@given(STATEMENT.strategy())
def test_every_drawn_family_meets_the_hypotheses_and_is_supported(x):
    assert STATEMENT.violated(x) == []
    with Store.memory() as store:
        record = hear(STATEMENT, x, place=1, nth=1, sitting=SITTING, store=store)
    assert record.verdict == Finding.SUPPORTED, record.because


@pytest.mark.parametrize("x", instances("quick"), ids=lambda x: x.name)
def test_every_family_is_supported(x):
    with Store.memory() as store:
        assert hear(STATEMENT, x, place=1, nth=1, sitting=SITTING, store=store).verdict == Finding.SUPPORTED


@pytest.mark.parametrize("broken", STATEMENT.twins, ids=lambda t: t.name)
def test_every_mistake_is_refuted(broken):
    with Store.memory() as store:
        record = hear_twin(STATEMENT, broken, place=1, nth=1, sitting=SITTING, store=store)
    assert record.verdict == Finding.REFUTED


@pytest.mark.parametrize(
    ("x", "clause"),
    [
        (replace(FEATURES, sizes=(4, 8, 16, 32)), "sizes must be five or more"),
        (replace(FEATURES, sizes=(4, 8, 12, 16, 20)), "sizes must be five or more"),
        (replace(FEATURES, sizes=(128, 64, 32, 16, 4)), "sizes must be five or more"),
        (MANY_FEATURES, "s must lie in [1, n] on every size, got s = 1024, n = 4"),
        (replace(POINTS, fixed=65), "s must lie in [1, n] on every size, got s = 65, n = 64"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(x, clause):
    assert any(clause in fault for fault in STATEMENT.violated(x))


def test_the_two_routes_cost_the_same_order_where_s_is_n():
    n = DATA_SPACE.sizes[-1]
    assert 1 < F(in_feature_space(n, n), in_data_space(n)) < 5


def test_profiles_grow():
    names = {p: [x.name for x in instances(p)] for p in ("quick", "ci", "night")}
    assert names["ci"][: len(names["quick"])] == names["quick"]
    assert names["night"][: len(names["ci"])] == names["ci"]
