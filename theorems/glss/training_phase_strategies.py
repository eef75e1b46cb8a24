"""Hypothesis strategies for networks before and during training. Only such modules import `hypothesis`.

Equal, opposite, parallel and zero rows; accuracies, radii and failure probabilities at both ends of their ranges; steps
that throw neurons over their boundaries.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from theorems.glss.flow_strategies import steps
from theorems.glss.lemma_4_1_as_printed import HiddenConstant
from theorems.glss.networks_at_the_start import AtTheStart
from theorems.glss.ridge_instances import matrix
from theorems.glss.section_4_initialization_kernel import KernelAtTheStart
from theorems.glss.section_4_initialization_second_moment import SmallNetwork
from theorems.glss.section_4_radial_gauge import Path, path_from
from theorems.glss.section_4_training_flip_counts import Ball
from theorems.glss.section_4_training_flips import Nudge, nudge

_COORDINATES = st.sampled_from([0.0, 1.0, -1.0, 0.5, -0.25, 1e-8, 0.7])
_DELTAS = st.sampled_from([Fraction(1, 1000), Fraction(1, 10), Fraction(999, 1000)])
_LATTICE = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (0, -1), (0, 0), (3, 3)]


@st.composite
def _rows(draw: st.DrawFn) -> Any:
    """Draw one to four rows in one to three dimensions, not all zero."""
    d = draw(st.integers(1, 3))
    row = st.lists(_COORDINATES, min_size=d, max_size=d)
    return np.array(draw(st.lists(row, min_size=1, max_size=4).filter(lambda X: bool(np.any(X)))))


def kernels_at_the_start() -> st.SearchStrategy[KernelAtTheStart]:
    """Draw data with an accuracy."""
    accuracies = st.sampled_from([Fraction(1, 2**16), Fraction(1, 10), Fraction(99, 100)])
    return st.builds(
        lambda X, eps, delta: KernelAtTheStart(name="drawn", says="drawn", X=X, eps=eps, delta=delta),
        _rows(),
        accuracies,
        _DELTAS,
    )


def moved_networks() -> st.SearchStrategy[Ball]:
    """Draw data with a radius."""
    radii = st.sampled_from([Fraction(1, 100), Fraction(1, 3), Fraction(2)])
    return st.builds(
        lambda X, radius, delta: Ball(name="drawn", says="drawn", X=X, radius=radius, delta=delta),
        _rows(),
        radii,
        _DELTAS,
    )


def unit_networks() -> st.SearchStrategy[AtTheStart]:
    """Draw data within the unit ball."""
    return st.builds(
        lambda X, delta: AtTheStart(name="drawn", says="drawn", X=X / 2, delta=delta),
        _rows(),
        _DELTAS,
    )


def small_networks() -> st.SearchStrategy[SmallNetwork]:
    """Draw up to three points of the square lattice and up to three neurons."""
    return st.builds(
        lambda X, m: SmallNetwork(name="drawn", says="drawn", X=matrix(X), m=m, rational=True),
        st.lists(st.sampled_from(_LATTICE), min_size=1, max_size=3),
        st.integers(1, 3),
    )


def nudges() -> st.SearchStrategy[Nudge]:
    """Draw angles from 1e-3 to nearly pi, and steps from 1e-9 to nearly 1/2."""
    cosines = st.sampled_from([1 - Fraction(1, 2**20), Fraction(1, 2**20) - 1]) | st.fractions(
        Fraction(-99, 100), Fraction(99, 100), max_denominator=100
    )
    radii = st.sampled_from([Fraction(1, 10**9), Fraction(1, 1000), Fraction(1, 7), Fraction(499, 1000)])
    widths = st.sampled_from([1, 2, 30, 1000, 10**6])
    return st.builds(lambda c, R, m: nudge("drawn", "drawn", c, R, m), cosines, radii, widths)


def paths() -> st.SearchStrategy[Path]:
    """Draw starts of gradient descent on the square lattice, and one or two steps of any size."""
    return st.builds(
        lambda x, k: path_from(x, "drawn", "drawn", x.step, k),
        steps(),
        st.integers(1, 2),
    )


def hidden_constants() -> st.SearchStrategy[HiddenConstant]:
    """Draw constants up to 100 and accuracies up to 1/10; delta below what one neuron fails with."""
    return st.builds(
        lambda C, accuracy, eps_train, delta: HiddenConstant(
            name="drawn", says="drawn", C=C, accuracy=accuracy, eps_train=eps_train, delta=delta
        ),
        st.integers(1, 100),
        st.sampled_from([Fraction(1, 10**6), Fraction(1, 50), Fraction(99, 1000)]),
        st.sampled_from([Fraction(1, 1000), Fraction(9, 10)]),
        st.sampled_from([Fraction(1, 1000), Fraction(1, 10), Fraction(2, 5)]),
    )
