"""Networks before training: data, Gaussian neurons and fair signs, and how their activations are counted.

N_ij = #{r : w_r.x_i >= 0 and w_r.x_j >= 0},   H_ij(0) = x_i.x_j N_ij / m,   E N_ij / m = (pi - theta_ij) / (2 pi)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from reference.orthants import cells
from reference.preconditions import Float64, exact_rows, inner
from theorems.statement import Hypothesis, Instance

BLOCK = 2**19
"""About so many numbers are drawn at a time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AtTheStart(Instance):
    """Data, and the failure probability that is allowed.

    Parameters
    ----------
    X : (n, d) float64, taken at its exact value
    delta : in (0, 1)
    """

    X: Float64
    delta: Fraction

    @property
    def n(self) -> int:
        """The number of data points."""
        return len(self.X)


def batch_of(numbers: int) -> int:
    """Give the trials per batch, a power of two, when one trial draws so many numbers."""
    return 1 << min(10, max(1, BLOCK // max(numbers, 1)).bit_length() - 1)


def neurons(m: int, d: int, rng: np.random.Generator, trials: int) -> Float64:
    """Draw w_r ~ N(0, I_d): (trials, m, d)."""
    return rng.standard_normal((trials, m, d))


def by_cells(X: Float64) -> bool:
    """Whether the activation cells can be listed, so that counts can be drawn at any width."""
    return bool(min(X.shape) <= 3)


def pair_counts(X: Float64, m: int, rng: np.random.Generator, trials: int) -> Float64:
    """Draw N: (trials, n, n), whole numbers.

    From multinomial counts of activation cells, or else neuron by neuron; m < 2^53, so that counts are exact floats.
    """
    if by_cells(X):
        found = cells(X)
        seen = found.patterns.astype(np.float64)
        both = (seen[:, :, None] * seen[:, None, :]).reshape(len(seen), -1)
        counts = rng.multinomial(m, found.probability / found.probability.sum(), trials) @ both
        return counts.reshape(trials, len(X), len(X))
    active = (neurons(m, X.shape[1], rng, trials) @ X.T >= 0).astype(np.float64)
    return active.swapaxes(1, 2) @ active


def unit_rows(x: AtTheStart) -> str | None:
    """Name a row that is longer than 1."""
    squares = [inner(row, row) for row in exact_rows(x.X)]
    i = max(range(len(squares)), key=squares.__getitem__)
    return None if squares[i] <= 1 else f"||x_i|| must be at most 1, got ||x_{i}||^2 = {float(squares[i]):g}"


def _failure(x: AtTheStart) -> str | None:
    return None if 0 < x.delta < 1 else f"delta must lie in (0, 1), got delta = {x.delta}"


UNIT = Hypothesis(says="||x_i|| <= 1 for all points (A1, not in the print)", holds=unit_rows)
FAILURE = Hypothesis(says="delta in (0, 1)", holds=_failure)
GAUSSIAN = Hypothesis(
    says="w_r(0) ~ N(0, I_d), independent (Definition 3.5)",
    guaranteed_by="keyed Philox streams; where activation cells are counted, by multinomial counts",
)
SIGNS = Hypothesis(
    says="a_r independent fair signs (A13; false for a_r = 1, E26)", guaranteed_by="drawn with the neurons"
)
