"""Hypothesis strategies for features with a ridge, and for weighted draws from them, that reach their corners.

One point, duplicates, antipodes, zero rows, vanishing features, rank-deficient K, lambda from 1e-12 to just below
||K|| and far above. Only such modules import `hypothesis`.
"""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from reference.finite_features import diagonal, with_null_atom
from reference.operator_leverage import operator_leverage
from theorems.glss.draw_instances import WeightedDraws
from theorems.glss.leverage_instances import (
    FeatureRidge,
    FiniteRidge,
    PlaneRidge,
    RidgeInstance,
    entries,
)
from theorems.glss.sampling_instances import FiniteWorld
from theorems.glss.sampling_strategies import finite_features, finite_worlds, plane_points
from theorems.glss.sampling_worlds import dominated
from theorems.glss.wave_instances import FIVE_TWELVE, QUARTER, THREE_FOUR, WaveRidge, mirrored

_RIDGES = st.sampled_from(
    [Fraction(1, 10**12), Fraction(1, 1000), Fraction(1, 7), Fraction(999999, 10**6), Fraction(10**6)]
)


@st.composite
def probabilities(draw: st.DrawFn, count: int, *, least: int = 1) -> tuple[Fraction, ...]:
    """Draw `count` rational probabilities, positive unless `least` is 0."""
    masses = draw(st.lists(st.integers(least, 9), min_size=count, max_size=count).filter(any))
    return tuple(Fraction(a, sum(masses)) for a in masses)


@st.composite
def feature_ridges(draw: st.DrawFn) -> FeatureRidge:
    """Draw integer features, with duplicate, antipodal and zero points among them."""
    atoms, n, d2 = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    rows = st.lists(st.integers(-3, 3), min_size=d2, max_size=d2)
    phi = draw(st.lists(st.lists(rows, min_size=n, max_size=n), min_size=atoms, max_size=atoms))
    for factor in draw(st.lists(st.sampled_from([1, -1, 0, 3]), max_size=2)):
        for atom in phi:
            atom.append([factor * t for t in atom[0]])
    return FeatureRidge(name="drawn", says="drawn", p=draw(probabilities(atoms)), phi=entries(phi), lam=draw(_RIDGES))


@st.composite
def finite_ridges(draw: st.DrawFn) -> FiniteRidge:
    """Draw exact worlds."""
    return FiniteRidge(name="drawn", says="drawn", features=draw(finite_features()), lam=draw(_RIDGES))


@st.composite
def plane_ridges(draw: st.DrawFn) -> PlaneRidge:
    """Draw points in the plane with duplicates, antipodes, near-parallel pairs and zero rows."""
    return PlaneRidge(name="drawn", says="drawn", X=draw(plane_points(most=3)), lam=draw(_RIDGES))


def ridges() -> st.SearchStrategy[RidgeInstance]:
    """Draw an exact world or cells of the plane."""
    return finite_ridges() | plane_ridges()


@st.composite
def weighted_draws(draw: st.DrawFn) -> WeightedDraws:
    """Draw a world and a law that charges every feature that does not vanish, and perhaps those that do."""
    features = draw(finite_features())
    masses = [draw(st.integers(1 if any(map(any, G)) else 0, 9)) for G in features.grams]
    return WeightedDraws(
        name="drawn",
        says="drawn",
        features=features,
        q=tuple(Fraction(a, sum(masses)) for a in masses),
        m=draw(st.integers(1, 3)),
    )


@st.composite
def blind_ridges(draw: st.DrawFn) -> FiniteRidge:
    """Draw an exact world in which a feature of positive probability vanishes."""
    mass = draw(st.sampled_from([Fraction(1, 10**9), Fraction(1, 2), Fraction(99, 100)]))
    return FiniteRidge(
        name="drawn", says="drawn", features=with_null_atom(draw(finite_features()), mass), lam=draw(_RIDGES)
    )


@st.composite
def diagonal_worlds(draw: st.DrawFn) -> FiniteWorld:
    """Draw orthogonal features with q_tilde above q_lambda, eps anywhere below 1: failure can be enumerated."""
    sizes = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 16), Fraction(1, 1000), Fraction(0)])
    k = [Fraction(1), *draw(st.lists(sizes, max_size=3))]
    features = with_null_atom(diagonal(k), Fraction(1, 8)) if draw(st.booleans()) else diagonal(k)
    lam = draw(st.sampled_from([Fraction(1, 10**12), Fraction(1, 100), Fraction(999999, 10**6)]))
    excess = [draw(st.sampled_from([1, 2, 5])) for _ in features.p]
    least = [Fraction(0)] * len(k) + [Fraction(1, 50)] * (len(features.p) - len(k))
    return FiniteWorld(
        name="drawn",
        says="drawn",
        features=features,
        tau_tilde=tuple(c * t + b for c, t, b in zip(excess, features.leverage(lam), least, strict=True)),
        lam=lam,
        eps=draw(st.sampled_from([Fraction(1, 10), Fraction(49, 100), Fraction(99, 100)])),
        delta=draw(st.sampled_from([Fraction(1, 10**9), Fraction(1, 10), Fraction(999, 1000)])),
    )


@st.composite
def operator_worlds(draw: st.DrawFn) -> FiniteWorld:
    """Draw an exact world whose q_tilde dominates the operator norm, and often not the trace."""
    x = draw(finite_worlds())
    return dominated(x.name, x.says, x, lambda features, lam: operator_leverage(features, lam, bits=6))


@st.composite
def waves(draw: st.DrawFn) -> WaveRidge:
    """Draw integers, equal and opposite ones among them, and frequencies with or without their negatives."""
    X = draw(st.lists(st.integers(-6, 6), min_size=1, max_size=4))
    for factor in draw(st.lists(st.sampled_from([1, -1]), max_size=1)):
        X.append(factor * X[0])
    turns = draw(st.lists(st.sampled_from([QUARTER, THREE_FOUR, FIVE_TWELVE]), min_size=1, max_size=3, unique=True))
    masses = [draw(st.integers(1, 5)) for _ in turns]
    if draw(st.booleans()):
        turns, masses = mirrored(turns), [mass for mass in masses for _ in range(2)]
    return WaveRidge(
        name="drawn",
        says="drawn",
        X=tuple(X),
        p=tuple(Fraction(mass, sum(masses)) for mass in masses),
        turns=tuple(turns),
        counts=tuple(draw(st.lists(st.integers(0, 3), min_size=len(turns), max_size=len(turns)).filter(any))),
        q=draw(probabilities(len(turns))),
        lam=draw(_RIDGES),
    )
