# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
from fractions import Fraction
from math import isnan

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from theorems.checking import events
from theorems.checking.events import Event, answers, exact_failure, stress
from theorems.checking.loewner import Decision
from theorems.statement import Answer, BoundBatch, Construction, CountsBox, SpectralBatch

EPS, LAM = Fraction(3, 10), Fraction(1, 4)
IN, OUT, UNSURE = Answer.IN, Answer.OUT, Answer.UNSURE


def batch(values, *, k=1.0, radius=0.0, a=LAM, b=LAM, eps=EPS, exact=None):
    """1 x 1 matrices: K = k and Kt the values."""
    Kt = np.asarray(values, float)[:, None, None]
    return SpectralBatch(
        K=np.full((1, 1), k), K_radius=0.0, Kt=Kt, Kt_radius=np.full(len(Kt), radius), eps=eps, a=a, b=b, exact=exact
    )


def exactly(values, k=1):
    return lambda i: ([[Fraction(k)]], [[Fraction(values[i])]])


def truth(k, kt, a, b, eps):
    return IN if (1 - eps) * (k + a) <= kt + b <= (1 + eps) * (k + a) else OUT


def test_the_event_is_two_sided():
    # 0.7 * 1.25 = 0.875 <= Kt + 0.25 <= 1.625
    assert answers(batch([1.0, 0.7, 1.3, 0.5, 1.5])).tolist() == [IN, IN, IN, OUT, OUT]


small = st.fractions(min_value=0, max_value=4, max_denominator=64).map(lambda x: Fraction(float(x)))


@given(small, small, small, small)
def test_ridges_of_both_sides_are_kept_apart(k, kt, a, b):
    drawn = batch([float(kt)], k=float(k), a=a, b=b)
    [seen] = answers(drawn)
    assert seen in (truth(k, kt, a, b, EPS), UNSURE)
    [decided] = answers(batch([float(kt)], k=float(k), a=a, b=b, exact=exactly([kt], k)))
    assert decided == truth(k, kt, a, b, EPS)


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, Fraction(1, 4)), (Fraction(1, 4), 0), (Fraction(1, 4), Fraction(2))])
def test_unequal_or_missing_ridges_are_decided_far_from_the_line(a, b):
    a, b = Fraction(a), Fraction(b)
    values = [0.1, 1.0, 2.0, 9.0]
    seen = answers(batch(values, a=a, b=b))
    assert seen.tolist() == [truth(1, Fraction(v), a, b, EPS) for v in values]


def test_rounding_of_the_ridges_is_paid_for():
    # a = 1/3 is no float: the boundary case Kt + 1 = 1.3 (1 + 1/3) must not be decided by rounding alone
    a, b = Fraction(1, 3), Fraction(1)
    edge = float(Fraction(13, 10) * (1 + a) - b)
    [seen] = answers(batch([edge], a=a, b=b))
    assert seen in (truth(1, Fraction(edge), a, b, EPS), UNSURE)


LEAST = Fraction(2) ** -1074
places = st.sampled_from([-1074, -1073, -1060, -1023, -1022, -1021, -970, -500, 0, 900])
signed = st.fractions(min_value=-8, max_value=8, max_denominator=24)


@given(st.lists(signed, min_size=1, max_size=3), places, signed, places, st.booleans())
@example([Fraction(6)], -1074, Fraction(-5, 2), -1074, True)
def test_moving_a_ridge_is_paid_for_down_to_the_least_float(entries, place, ridge, other, wide):
    M = np.diag([float(x * Fraction(2) ** place) for x in entries])
    radius = np.zeros(2) if wide else 0.0
    ridge *= Fraction(2) ** other
    moved, cost = events._with_ridge(np.stack([M, M]) if wide else M, radius, ridge)
    for i in range(len(M)):
        error = abs(Fraction(float(moved[..., i, i].flat[0])) - Fraction(float(M[i, i])) - ridge)
        assert error <= Fraction(float(np.max(cost)))
    assert np.shape(cost) == np.shape(radius)
    assert (moved[..., ~np.eye(len(M), dtype=bool)] == 0).all()
    if ridge:  # and not by more than it can be worth
        assert Fraction(float(np.max(cost))) <= 8 * LEAST + (np.abs(M).max() + 2 * abs(ridge)) * Fraction(2) ** -51
    else:
        assert np.max(cost) == 0


def test_a_ridge_that_underflows_proves_nothing():
    """In units of 2^-1074: K + a = 6 and Kt + b = 11 1/2 > 1.9 * 6; but fl(a - b) = -2 instead of -2 1/2."""
    a, b, eps = Fraction(0), Fraction(5, 2) * LEAST, Fraction(9, 10)
    k, kt = 6 * LEAST, 9 * LEAST
    assert truth(k, kt, a, b, eps) == OUT
    drawn = batch([float(kt)], k=float(k), a=a, b=b, eps=eps)
    assert answers(drawn).tolist() == [UNSURE]
    assert answers(batch([float(kt)], k=float(k), a=a, b=b, eps=eps, exact=exactly([kt], k))).tolist() == [OUT]


subnormal = st.integers(0, 40).map(lambda x: x * LEAST)


@given(subnormal, subnormal, st.integers(0, 80), st.integers(0, 80), st.sampled_from([1, 2, 3, 7]))
def test_subnormal_worlds_are_never_decided_wrongly(k, kt, a, b, parts):
    a, b = a * LEAST / parts, b * LEAST / parts
    for eps in (Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)):
        [seen] = answers(batch([float(kt)], k=float(k), a=a, b=b, eps=eps))
        assert seen in (truth(k, kt, a, b, eps), UNSURE)
        [decided] = answers(batch([float(kt)], k=float(k), a=a, b=b, eps=eps, exact=exactly([kt], k)))
        assert decided == truth(k, kt, a, b, eps)


def test_unsure_without_exact_data_stays_unsure():
    assert answers(batch([1.0, 1.0], radius=100.0)).tolist() == [UNSURE, UNSURE]


def test_exact_data_decide_what_floats_cannot():
    edge = Fraction(13, 10) * (1 + LAM) - LAM
    values = [edge, edge + Fraction(1, 10**30), Fraction(7, 10) * (1 + LAM) - LAM - Fraction(1, 10**30), Fraction(1)]
    drawn = batch([float(v) for v in values], radius=1e-9, exact=exactly(values))
    assert answers(drawn).tolist() == [IN, OUT, OUT, IN]


def test_exact_data_of_several_rows():
    K = np.diag([1.0, 2.0])
    rows = [[Fraction(1), Fraction(0)], [Fraction(0), Fraction(2)]]
    off = [[Fraction(1), Fraction(9)], [Fraction(9), Fraction(2)]]
    Kt = np.stack([K, K + 9 * (1 - np.eye(2))])
    drawn = SpectralBatch(
        K=K,
        K_radius=0.0,
        Kt=Kt,
        Kt_radius=np.full(2, 100.0),
        eps=EPS,
        a=LAM,
        b=LAM,
        exact=lambda i: (rows, (rows, off)[i]),
    )
    assert answers(drawn).tolist() == [IN, OUT]


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [(IN, IN, IN), (UNSURE, IN, UNSURE), (IN, UNSURE, UNSURE), (UNSURE, OUT, OUT), (OUT, IN, OUT)],
)
def test_an_unsure_side_is_no_pass(monkeypatch, lower, upper, expected):
    sides = iter([lower, upper])
    monkeypatch.setattr(
        events, "decide_psd", lambda _: Decision(answer=next(sides), rung="precision exhausted", bits=0)
    )
    assert answers(batch([1.0], radius=100.0, exact=exactly([1]))).tolist() == [expected]


# -------------------------------------------------------------------------------------------------- stress


def test_stress_is_the_largest_ratio_of_a_batch():
    # eps* = |Kt - K| / (K + lam) = 0.75 / 1.25 = 0.6, twice eps
    assert stress(batch([1.0, 1.75, 0.9])) == pytest.approx(2.0, rel=1e-12)
    assert stress(batch([0.25])) == pytest.approx(2.0, rel=1e-12)
    assert stress(batch([1.0])) == 0.0


@pytest.mark.parametrize("value", [0.5, 0.7, 1.2, 1.9])
def test_stress_one_is_the_line(value):
    drawn = batch([value])
    assert (stress(drawn) <= 1) == (answers(drawn)[0] == IN)


def test_stress_of_a_singular_matrix_is_not_known():
    assert isnan(stress(batch([1.0], k=0.0, a=Fraction(0))))


# -------------------------------------------------------------------------------------------------- events


def construction(**changes):
    def draw(rng, trials):
        return batch(1.0 + 0.1 * rng.standard_normal(trials))

    return Construction(**{"size": 7, "batch_size": 16, "draw": draw, "facts": {}} | changes)


def test_an_event_is_an_experiment():
    event = Event(construction=construction())
    assert (event.size, event.batch_size) == (7, 16)
    one, two = (event.run(np.random.default_rng(5), 16) for _ in range(2))
    assert one.answers.dtype == np.int8
    assert one.answers.shape == (16,)
    assert (one.answers == two.answers).all()
    assert one.stress == two.stress


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_matrix_that_is_not_finite_is_an_error_not_an_answer(bad):
    event = Event(construction=construction(draw=lambda rng, trials: batch([bad] * trials)))
    with pytest.raises(ValueError, match="finite"):
        event.run(np.random.default_rng(0), 2)


def test_failure_is_enumerated_where_a_box_is_known():
    half = Fraction(1, 2)
    box = CountsBox(m=3, law=(half, half), low=(1, 1), high=(3, 3))
    failure = exact_failure(construction(box=box))
    assert failure.lower <= Fraction(1, 4) <= failure.upper  # all heads or all tails
    assert exact_failure(construction()) is None


def bounds(lower, upper, allowed):
    low, high = allowed if isinstance(allowed, tuple) else (allowed, allowed)
    return events.bounded(
        BoundBatch(lower=np.array(lower), upper=np.array(upper), allowed=(Fraction(low), Fraction(high)))
    )


def test_a_number_is_held_against_its_bound():
    nan = float("nan")
    seen = bounds([0.1, 0.5, 0.5, 0.4, nan], [0.2, 0.5, 0.6, 0.7, nan], Fraction(1, 2))
    assert seen.answers.tolist() == [IN, IN, UNSURE, UNSURE, UNSURE]
    assert seen.stress == 1.4
    assert bounds([0.6, 0.5000001], [0.7, 0.6], Fraction(1, 2)).answers.tolist() == [OUT, OUT]


@given(st.floats(-1, 1), st.fractions(min_value=-1, max_value=1))
def test_bounds_that_are_no_floats_are_rounded_to_the_safe_side(x, allowed):
    [seen] = bounds([x], [x], allowed).answers
    assert seen == (IN if Fraction(x) <= allowed else OUT)


def test_an_enclosed_bound_leaves_the_gap_undecided():
    seen = bounds([0.1, 0.3, 0.9], [0.1, 0.3, 0.9], (Fraction(1, 5), Fraction(2, 5)))
    assert seen.answers.tolist() == [IN, UNSURE, OUT]


@pytest.mark.parametrize(("lower", "upper", "allowed"), [([1.0], [0.5], 1), ([0.0], [0.0], (2, 1))])
def test_enclosures_upside_down_are_refused(lower, upper, allowed):
    with pytest.raises(ValueError, match="lower <= upper"):
        bounds(lower, upper, allowed)


def test_a_construction_may_draw_numbers():
    built = Construction(
        size=3,
        batch_size=2,
        draw=lambda rng, trials: BoundBatch(
            lower=np.zeros(trials), upper=np.zeros(trials), allowed=(Fraction(1), Fraction(1))
        ),
        facts={},
    )
    assert Event(construction=built).run(np.random.default_rng(0), 2).answers.tolist() == [IN, IN]
