"""Hypothesis strategies for the instances of sections 1 to 3.1 that reach their corners.

One point, duplicates, antipodes, zero rows, rank-deficient K, more features than points, lambda from 1e-12 to far
above ||K||. Only such modules import `hypothesis`.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from theorems.glss.mixture_instances import (
    THIRDS,
    FourierLine,
    Mixture,
    PlaneCells,
    coordinates,
    monomials,
    signs,
)
from theorems.glss.ridge_instances import (
    Candidate,
    FeatureProblem,
    Matrix,
    PlainMatrix,
    RidgeProblem,
    gram,
    matrix,
    vector,
)
from theorems.glss.section_3_1_running_time import LEAST_RATIO, CostFamily, Growth

_ENTRIES = st.integers(-3, 3)
_RIDGES = st.sampled_from(
    [Fraction(1, 10**12), Fraction(1, 1000), Fraction(1, 7), Fraction(999999, 10**6), Fraction(10**6)]
)


@st.composite
def rows(draw: st.DrawFn, *, most: int = 4, width: int | None = None) -> Matrix:
    """Draw up to `most` integer rows of equal width (drawn where not given), then up to two corners."""
    k = draw(st.integers(1, 3)) if width is None else width
    found = draw(st.lists(st.lists(_ENTRIES, min_size=k, max_size=k), min_size=1, max_size=most))
    for corner in draw(st.lists(st.sampled_from(["duplicate", "antipode", "zero", "multiple"]), max_size=2)):
        factor = {"duplicate": 1, "antipode": -1, "zero": 0, "multiple": 3}[corner]
        found.append([factor * t for t in found[0]])
    return matrix(found)


@st.composite
def ridge_problems(draw: st.DrawFn) -> RidgeProblem:
    """Draw integer features for data and new points and take their kernel."""
    points = draw(rows())
    n = draw(st.integers(1, len(points)))
    labels = draw(st.lists(_ENTRIES, min_size=n, max_size=n))
    return RidgeProblem(name="drawn", says="drawn", kernel=gram(points), Y=vector(labels), lam=draw(_RIDGES))


@st.composite
def feature_problems(draw: st.DrawFn) -> FeatureProblem:
    """Draw integer features for data and new points, more features than points included."""
    features = draw(rows())
    n = len(features)
    return FeatureProblem(
        name="drawn",
        says="drawn",
        features=features,
        new=draw(rows(most=2, width=len(features[0]))),
        Y=vector(draw(st.lists(_ENTRIES, min_size=n, max_size=n))),
        lam=draw(_RIDGES),
    )


def plain_matrices() -> st.SearchStrategy[PlainMatrix]:
    """Draw integer matrices with repeated, opposite, zero and independent rows."""
    return rows().map(lambda A: PlainMatrix(name="drawn", says="drawn", A=A))


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    """Draw a kernel of integer features, and as candidates some of these features, scaled, or others altogether."""
    features = draw(rows(most=3))
    n, s = len(features), len(features[0])
    kept = draw(st.integers(1, s))
    scale = draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1), Fraction(9, 8), Fraction(3)]))
    others = st.lists(st.lists(_ENTRIES, min_size=s, max_size=s), min_size=n, max_size=n)
    Phi = draw(st.sampled_from([matrix([scale * t for t in row[:kept]] for row in features)]) | others.map(matrix))
    return Candidate(
        name="drawn",
        says="drawn",
        K=gram(features),
        features=Phi,
        lam=draw(_RIDGES),
        eps=draw(st.sampled_from([Fraction(1, 100), Fraction(1, 4), Fraction(1, 2), Fraction(99, 100)])),
    )


@st.composite
def cost_families(draw: st.DrawFn) -> CostFamily:
    """Draw small families of sizes, from one on, that span the range the sentence needs."""
    grows: Growth = draw(st.sampled_from(["features", "points", "points in data space"]))
    start = draw(st.integers(1, 3))
    inner_sizes = draw(st.sets(st.integers(start + 1, LEAST_RATIO * start - 1), min_size=3, max_size=6))
    sizes = (start, *sorted(inner_sizes), LEAST_RATIO * start)
    fixed = {
        "features": draw(st.integers(sizes[-1], 2 * sizes[-1])),
        "points": draw(st.integers(1, start)),
        "points in data space": 0,
    }
    return CostFamily(name="drawn", says="drawn", grows=grows, sizes=sizes, fixed=fixed[grows])


@st.composite
def mixtures(draw: st.DrawFn) -> Mixture:
    """Draw points with duplicates, antipodes and zero rows under one of the kernels that have features."""
    kind = draw(st.sampled_from(["coordinates", "signs", "monomials", "plane", "line"]))
    width = {"coordinates": 3, "signs": 3, "monomials": 4, "plane": 2, "line": 1}[kind]
    X = draw(rows(most=3, width=width))
    floats = np.array([[float(t) for t in row] for row in X])
    match kind:
        case "coordinates":
            return coordinates("drawn", "drawn", X, draw(st.permutations(THIRDS)))
        case "signs":
            return signs("drawn", "drawn", X)
        case "monomials":
            return monomials("drawn", "drawn", X)
        case "plane":
            return PlaneCells(name="drawn", says="drawn", X=floats)
    return FourierLine(name="drawn", says="drawn", X=floats / 4, sigma=draw(st.sampled_from([0.5, 1.0, 3.0])))
