"""Hypothesis strategies for the instances of Theorem 3.3 that reach its corners.

One point, duplicates, antipodes, zero rows, rank-deficient K, null features, lambda from 1e-12 ||K|| to just below
||K||, eps close to 1/2, delta close to 1, s_q_tilde just above 1/2. Only this module imports `hypothesis`.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from reference import finite_features as finite
from reference.finite_features import FiniteFeatures
from reference.relu_tangent import tangent_kernel
from theorems.glss.sampling_instances import CellWorld, FiniteWorld, TangentData

_RIDGES = st.sampled_from(
    [Fraction(1, 10**12), Fraction(1, 1000), Fraction(1, 10), Fraction(1, 2), Fraction(999999, 10**6)]
)
_ACCURACIES = st.sampled_from([Fraction(1, 20), Fraction(3, 10), Fraction(49, 100), Fraction(4999, 10**4)])
_FAILURES = st.sampled_from(
    [Fraction(1, 10**12), Fraction(1, 100), Fraction(1, 10), Fraction(1, 2), Fraction(999, 1000)]
)


@st.composite
def finite_features(draw: st.DrawFn) -> FiniteFeatures:
    """Draw integer features on up to five atoms for up to four points; not all zero."""
    n, atoms, d2 = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 2))
    entries = st.integers(-3, 3)
    phi = draw(
        st.lists(
            st.lists(st.lists(entries, min_size=d2, max_size=d2), min_size=n, max_size=n),
            min_size=atoms,
            max_size=atoms,
        ).filter(lambda Phi: any(x for A in Phi for row in A for x in row))
    )
    masses = draw(st.lists(st.integers(1, 9), min_size=atoms, max_size=atoms))
    return finite.from_features([Fraction(a, sum(masses)) for a in masses], phi)


@st.composite
def finite_worlds(draw: st.DrawFn) -> FiniteWorld:
    """Draw an exact world inside the theorem; q_tilde = q_lambda, or above it by up to four times."""
    features = draw(finite_features())
    K = features.kernel()
    # a Rayleigh quotient at a unit coordinate vector is at most ||K||: an exact lower bound to put lambda under
    lam = max(K[i][i] for i in range(features.n)) * draw(_RIDGES)
    excess = draw(st.none() | st.lists(st.sampled_from([1, 2, 4]), min_size=len(features.p), max_size=len(features.p)))
    tau = features.leverage(lam)
    return FiniteWorld(
        name="drawn",
        says="drawn",
        features=features,
        tau_tilde=None if excess is None else tuple(c * t for c, t in zip(excess, tau, strict=True)),
        lam=lam,
        eps=draw(_ACCURACIES),
        delta=draw(_FAILURES),
    )


@st.composite
def plane_points(draw: st.DrawFn, most: int = 5) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Draw points on the circle, with duplicates, antipodes, near-parallel pairs, multiples and zero rows."""
    angles = draw(st.lists(st.integers(0, 2**20).map(lambda k: k * 2.0**-17), min_size=1, max_size=most))
    rows = [[np.cos(t), np.sin(t)] for t in angles]
    for corner in draw(st.lists(st.sampled_from(["duplicate", "antipode", "near", "multiple", "zero"]), max_size=2)):
        x, y = rows[0]
        rows.append(
            {
                "duplicate": [x, y],
                "antipode": [-x, -y],
                "near": [x - 1e-9 * y, y + 1e-9 * x],
                "multiple": [3 * x, 3 * y],
                "zero": [0.0, 0.0],
            }[corner]
        )
    return np.array(rows)


@st.composite
def plane_worlds(draw: st.DrawFn) -> CellWorld:
    """Draw points in the plane with a ridge well below the norm of their tangent kernel."""
    X = draw(plane_points())
    return CellWorld(
        name="drawn",
        says="drawn",
        X=X,
        lam=Fraction(float(tangent_kernel(X).diagonal().max()) * draw(st.sampled_from([2.0**-10, 0.5]))),
        eps=draw(_ACCURACIES),
        delta=draw(_FAILURES),
    )


def as_stream(x: CellWorld) -> TangentData:
    """Give the same instance with streamed features instead of cells."""
    return TangentData(name=x.name, says=x.says, X=x.X, lam=x.lam, eps=x.eps, delta=x.delta)
