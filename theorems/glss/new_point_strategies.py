"""Hypothesis strategies for predictions at test points and for reweighed networks. Only such modules import it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from reference.preconditions import Float64
from theorems.glss import theorem_3_7_as_printed, theorem_3_9_as_printed, theorem_3_9_explicit
from theorems.glss.training_instances import Training, on_circle, training

_CONSTANTS = st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(10), Fraction(10**4)])
_SMALL = st.sampled_from([Fraction(99, 1000), Fraction(1, 20), Fraction(1, 10**6)])


def readings() -> st.SearchStrategy[theorem_3_7_as_printed.Reading]:
    """Draw hidden constants up to 10^4, logarithms up to their square, accuracies down to 1e-6."""
    return st.builds(
        theorem_3_7_as_printed.Reading,
        name=st.just("drawn"),
        says=st.just("drawn"),
        constant=_CONSTANTS,
        power=st.integers(0, 2),
        eps=_SMALL,
        delta=_SMALL,
    )


def leverage_readings() -> st.SearchStrategy[theorem_3_9_as_printed.Reading]:
    """Draw hidden constants up to 200 for both recipes."""
    recipes = (theorem_3_9_as_printed.near_one, theorem_3_9_as_printed.many_points)
    return st.builds(lambda recipe, C: recipe(C), st.sampled_from(recipes), st.integers(1, 200))


def _points(draw: st.DrawFn, gaps: st.SearchStrategy[int]) -> Float64:
    """Draw one to three points, neighbours apart by tenths of a radian; no two are opposite or equal."""
    first, apart = draw(st.integers(0, 62)), draw(st.lists(gaps, max_size=2))
    return on_circle(*(np.cumsum([first, *apart]) / 10))


def _labels(draw: st.DrawFn, n: int) -> list[float]:
    return draw(st.lists(st.sampled_from([-1.0, -0.25, 0.0, 1.0]), min_size=n, max_size=n))


@st.composite
def small_runs(draw: st.DrawFn) -> Training:
    """Draw up to three points of the plane, one or two to test, and one to sixty neurons: a few short steps.

    A test point may be a training point, its opposite, or longer than 1; kappa and lam from tiny to nearly 1.
    """
    X = _points(draw, st.integers(4, 14))
    new = draw(st.lists(st.integers(0, 62), max_size=1))
    X_test = np.concatenate([on_circle(*(t / 10 for t in new)), draw(st.sampled_from([-X[:1], X[:1], 3 * X[:1]]))])
    kappa, lam = draw(st.sampled_from([1.0, 0.5, 2.0**-7])), draw(st.sampled_from([2.0**-20, 0.01, 0.9]))
    # ||H_cts|| <= n / 2
    step = draw(st.sampled_from([0.05, 0.5, 0.99])) / (kappa**2 * len(X) / 2 + lam)
    return training(
        "drawn",
        "drawn",
        X=X,
        Y=_labels(draw, len(X)),
        lam=lam,
        step=step,
        steps=draw(st.integers(1, 8)),
        kappa=kappa,
        X_test=X_test,
        m=draw(st.sampled_from([1, 2, 7, 60])),
        seed=draw(st.integers(0, 2**20)),
    )


@st.composite
def problems(draw: st.DrawFn) -> Training:
    """Draw problems inside the hypotheses of the explicit theorem, at the least width that is proven to do."""
    X = _points(draw, st.integers(8, 14))
    kappa = draw(st.sampled_from([1.0, 0.25, 2.0**-10]))
    return training(
        "drawn",
        "drawn",
        X=X,
        Y=_labels(draw, len(X)),
        lam=draw(st.sampled_from([2.0**-30, 2.0**-8])) * kappa**2,
        step=draw(st.sampled_from([2.0**-4, 2.0**-1])) / kappa**2,
        steps=draw(st.integers(0, 64)),
        kappa=kappa,
        X_test=draw(st.sampled_from([X[:1], -X, 0.5 * X[:1]])),
        delta=draw(st.sampled_from([Fraction(1, 10**9), Fraction(1, 10), Fraction(99, 100)])),
    )


@st.composite
def reweighed_problems(draw: st.DrawFn) -> theorem_3_9_explicit.Reweighed:
    """Draw one or two points of the plane, trained long enough for accuracies down to 1/20."""
    first, gaps = draw(st.integers(0, 62)), draw(st.lists(st.integers(14, 17), max_size=1))
    X = on_circle(*(np.cumsum([first, *gaps]) / 10))
    return theorem_3_9_explicit.problem(
        "drawn",
        "drawn",
        X,
        Y=np.array(_labels(draw, len(X))),
        step=Fraction(3, 2),
        steps=draw(st.integers(16, 24)),
        lam=draw(st.sampled_from([Fraction(1, 2**30), Fraction(1, 2**10)])),
        delta=draw(st.sampled_from([Fraction(1, 10), Fraction(99, 100)])),
        eps=draw(st.sampled_from([Fraction(1, 20), Fraction(99, 100)])),
    )
