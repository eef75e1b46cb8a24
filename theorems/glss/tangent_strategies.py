"""Hypothesis strategies for data under the tangent kernel. Only such modules import `hypothesis`.

Duplicates, antipodes, multiples and zero rows, nearly parallel pairs; kappa = 1 included; lambda from 1e-12 to 0.999.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st

from theorems.glss.equation_8_neural_tangent_kernel import Gradients
from theorems.glss.flow_moments import Moment
from theorems.glss.flow_strategies import moments
from theorems.glss.ridge_instances import vector
from theorems.glss.tangent_instances import TangentProblem, cloud, lattice

_SQUARE: list[tuple[int, ...]] = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
_TRIANGLE: list[tuple[int, ...]] = [
    (1, -1, 0),
    (1, 0, -1),
    (0, 1, -1),
    (-1, 1, 0),
    (-1, 0, 1),
    (0, -1, 1),
    (2, -1, -1),
    (1, 1, -2),
]
_CUBE: list[tuple[int, ...]] = [
    (1, 0, 0),
    (0, 1, 0),
    (0, 0, 1),
    (1, 1, 0),
    (0, 1, 1),
    (1, 0, 1),
    (1, -1, 0),
    (0, 1, -1),
    (-1, 0, 1),
]
_LATTICES: st.SearchStrategy[list[tuple[int, ...]]] = st.sampled_from([_SQUARE, _TRIANGLE, _CUBE])
_SCALES = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3), Fraction(-1), Fraction(0)])
_LABELS = st.fractions(min_value=-2, max_value=2, max_denominator=4)
_KAPPAS = st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 7), Fraction(99, 100)])
_RIDGES = st.sampled_from([Fraction(1, 10**12), Fraction(1, 10), Fraction(999, 1000)])


@st.composite
def lattices(draw: st.DrawFn) -> TangentProblem:
    """Draw up to three points and one or two test points of the square, triangular or cubic lattice."""
    directions = st.sampled_from(draw(_LATTICES))
    points = st.builds(lambda direction, scale: [scale * t for t in direction], directions, _SCALES)
    X = draw(st.lists(points, min_size=1, max_size=3))
    return lattice(
        "drawn",
        "drawn",
        X=X,
        new=draw(st.lists(points, min_size=1, max_size=2)),
        Y=draw(st.lists(_LABELS, min_size=len(X), max_size=len(X))),
        kappa=draw(_KAPPAS),
        lam=draw(_RIDGES),
    )


@st.composite
def clouds(draw: st.DrawFn) -> TangentProblem:
    """Draw up to four float points in the plane, equal, opposite, parallel and nearly parallel ones among them."""
    coordinates = st.sampled_from([0.0, 1.0, -1.0, 0.3, -0.7, 1e-8, 2.5])
    X = draw(st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=4))
    return cloud("drawn", "drawn", X, 1, draw(_KAPPAS))


def tangent_problems() -> st.SearchStrategy[TangentProblem]:
    """Draw exact or enclosed data."""
    return lattices() | clouds()


@st.composite
def gradient_pairs(draw: st.DrawFn) -> Gradients:
    """Draw the points of a problem with a second layer of real numbers, zero included."""
    x = draw(tangent_problems())
    a = draw(st.lists(_LABELS, min_size=1, max_size=4))
    return Gradients(name="drawn", says="drawn", X=(*x.X, *x.new), a=vector(a), rational=x.rational)


@st.composite
def weighted_moments(draw: st.DrawFn) -> Moment:
    """Draw a moment of the flow and give its neurons frozen weights."""
    x = draw(moments())
    sizes = st.sampled_from([Fraction(1), Fraction(1, 3), Fraction(100)])
    return replace(x, a=tuple(s * draw(sizes) for s in x.a))
