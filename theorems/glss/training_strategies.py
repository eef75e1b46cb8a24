"""Hypothesis strategies for the training theorems. Only such modules import `hypothesis`."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from theorems.glss import theorem_3_6_as_printed, theorem_3_6_for_ever
from theorems.glss.theorem_3_6_printed_width import Task
from theorems.glss.training_instances import Training, alternating, on_circle, training

_CONSTANTS = st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(10), Fraction(300)])
_SMALL = st.sampled_from([Fraction(99, 1000), Fraction(1, 20), Fraction(1, 10**6)])


def readings() -> st.SearchStrategy[theorem_3_6_as_printed.Reading]:
    """Draw hidden constants up to 300, logarithms up to their square, accuracies down to 1e-6."""
    return st.builds(
        theorem_3_6_as_printed.Reading,
        name=st.just("drawn"),
        says=st.just("drawn"),
        constant=_CONSTANTS,
        power=st.integers(0, 2),
        eps=_SMALL,
        delta=_SMALL,
    )


def endless_readings() -> st.SearchStrategy[theorem_3_6_for_ever.Reading]:
    """Draw hidden constants up to 300, logarithms up to their square."""
    return st.builds(
        theorem_3_6_for_ever.Reading,
        name=st.just("drawn"),
        says=st.just("drawn"),
        constant=_CONSTANTS,
        power=st.integers(0, 2),
        delta=_SMALL,
    )


@st.composite
def small_runs(draw: st.DrawFn) -> Training:
    """Draw one to four points of the plane and one to sixty neurons: a few steps, stable ones and others.

    Opposite and nearly equal points included; kappa = 1 and below, ridges from 1e-6 to nearly 1.
    """
    angles = draw(st.lists(st.integers(0, 62), min_size=1, max_size=4, unique=True))
    X = on_circle(*(a / 10 for a in angles))
    return training(
        "drawn",
        "drawn",
        X=X,
        Y=draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=len(X), max_size=len(X))),
        lam=draw(st.sampled_from([1e-6, 0.01, 0.3, 0.9])),
        step=draw(st.sampled_from([0.01, 0.25, 1.0])),
        steps=draw(st.integers(0, 8)),
        kappa=draw(st.sampled_from([1.0, 0.5, 0.1])),
        m=draw(st.sampled_from([1, 2, 7, 60])),
        seed=draw(st.integers(0, 2**20)),
    )


@st.composite
def problems(draw: st.DrawFn) -> Training:
    """Draw problems inside the hypotheses of the explicit theorem: at most three points, h = 1 and below."""
    n = draw(st.integers(1, 3))
    first, gaps = draw(st.integers(0, 62)), draw(st.lists(st.integers(8, 14), min_size=n - 1, max_size=n - 1))
    X = on_circle(*(np.cumsum([first, *gaps]) / 10))
    return training(
        "drawn",
        "drawn",
        X=X,
        Y=draw(st.lists(st.sampled_from([-1.0, -0.25, 0.0, 1.0]), min_size=n, max_size=n)),
        lam=draw(st.sampled_from([2.0**-30, 2.0**-10, 2.0**-5])),
        step=draw(st.sampled_from([2.0**-4, 2.0**-1])),
        steps=draw(st.integers(0, 64)),
        kappa=1,
        delta=draw(st.sampled_from([Fraction(1, 10**9), Fraction(1, 10), Fraction(99, 100)])),
    )


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Draw one or two points of the plane and an accuracy down to 1/50: widths that are trained in milliseconds."""
    gap = draw(st.sampled_from([None, 1.2, 1.5707963267948966, 2.0]))
    X = on_circle(*([0.3] if gap is None else [0.3, 0.3 + gap]))
    return Task(
        name="drawn",
        says="drawn",
        X=X,
        Y=draw(st.sampled_from([0.25, 1.0])) * alternating(len(X)),
        eps=draw(st.sampled_from([Fraction(99, 1000), Fraction(1, 50)])),
        delta=draw(st.sampled_from([Fraction(1, 1000), Fraction(99, 1000)])),
        seed=draw(st.integers(0, 2**20)),
    )
