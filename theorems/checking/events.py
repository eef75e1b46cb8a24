"""From what a construction draws to decided trials: the event of a high-probability statement."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from theorems.checking.exact_probability import multinomial_leaves_box
from theorems.checking.loewner import decide_psd
from theorems.checking.spectral_batch import decide_spectral_batch
from theorems.checking.verified_cholesky import UNIT
from theorems.statement import Answer, Batch, BoundBatch, Construction, Enclosure, Rows, SpectralBatch

Floats = npt.NDArray[np.float64]
Radius = TypeVar("Radius", float, Floats)

LEAST = 2.0**-1074  # the least positive float64


@dataclass(frozen=True, kw_only=True, eq=False)
class Event:
    """A construction as an experiment: every draw is decided, by the float rungs first, exactly where they cannot."""

    construction: Construction

    @property
    def size(self) -> int:
        """Draws per trial, the theorem's m."""
        return self.construction.size

    @property
    def batch_size(self) -> int:
        """Trials per batch."""
        return self.construction.batch_size

    def run(self, rng: np.random.Generator, trials: int) -> Batch:
        """Draw `trials` independent trials from `rng` and decide each."""
        drawn = self.construction.draw(rng, trials)
        if isinstance(drawn, BoundBatch):
            return bounded(drawn)
        return Batch(answers=answers(drawn), stress=stress(drawn))


def bounded(drawn: BoundBatch) -> Batch:
    """Decide x <= allowed for every draw; an enclosure that straddles the bound, or a nan, is UNSURE.

    Raises
    ------
    ValueError : an enclosure is upside down
    """
    if (drawn.lower > drawn.upper).any() or drawn.allowed[0] > drawn.allowed[1]:
        raise ValueError("BoundBatch: need lower <= upper in every enclosure")
    within, beyond = _below(drawn.allowed[0]), _above(drawn.allowed[1])
    answers = np.full(len(drawn.upper), int(Answer.UNSURE), dtype=np.int8)
    answers[drawn.upper <= within] = int(Answer.IN)
    answers[drawn.lower >= beyond] = int(Answer.OUT)
    known = drawn.upper[~np.isnan(drawn.upper)]
    stress = float(known.max() / within) if known.size and within > 0 else float("nan")
    return Batch(answers=answers, stress=stress)


def _below(x: Fraction) -> float:
    """Give the largest float64 that is at most x."""
    near = float(x)
    return near if Fraction(near) <= x else float(np.nextafter(near, -np.inf))


def _above(x: Fraction) -> float:
    """Give the least float64 that is larger than x: a draw exactly on the bound is within it."""
    near = float(x)
    return near if Fraction(near) > x else float(np.nextafter(near, np.inf))


def answers(drawn: SpectralBatch) -> npt.NDArray[np.int8]:
    """Decide (1 - eps)(K + a I) <= Kt + b I <= (1 + eps)(K + a I) for every draw.

    Unequal or missing ridges are moved into the matrices, at the cost of rounding each diagonal.
    """
    lam = max(drawn.a, drawn.b) or Fraction(1)
    K, K_radius = _with_ridge(drawn.K, drawn.K_radius, drawn.a - lam)
    Kt, Kt_radius = _with_ridge(drawn.Kt, drawn.Kt_radius, drawn.b - lam)
    found = decide_spectral_batch(K, K_radius, Kt, Kt_radius, lam, drawn.eps)
    if drawn.exact is not None:
        for b in np.flatnonzero(found == Answer.UNSURE):
            found[b] = _exactly(*drawn.exact(int(b)), drawn)
    return found


def _with_ridge(M: Floats, radius: Radius, ridge: Fraction) -> tuple[Floats, Radius]:
    """Add ridge I to M, (..., n, n), and to the radius what this costs in the spectral norm.

    With r = fl(ridge) the diagonal is off by |r - ridge| <= u |r| + 2^-1075, the second where r is subnormal, and
    by u |M_ii + r| from the sum, which is exact where it is subnormal. Three times 2^-1074 covers 2^-1075 and the two
    products below, which may be rounded to a subnormal; twice the first-order terms cover the rest.
    """
    if ridge == 0:
        return M, radius
    r = float(ridge)
    error = 2 * UNIT * float(np.abs(M).max()) + 4 * UNIT * abs(r) + 3 * LEAST
    return M + r * np.eye(M.shape[-1]), radius + error


def _exactly(K: Rows, Kt: Rows, drawn: SpectralBatch) -> Answer:
    found = []
    for sign in (1, -1):
        factor = 1 - sign * drawn.eps
        side = [
            [
                sign * (Kt[i][j] + (drawn.b if i == j else 0) - factor * (K[i][j] + (drawn.a if i == j else 0)))
                for j in range(len(K))
            ]
            for i in range(len(K))
        ]
        found.append(decide_psd(side).answer)
    return Answer.OUT if Answer.OUT in found else max(found)


def stress(drawn: SpectralBatch) -> float:
    """Give the largest eps*/eps of a batch: eps* = ||A^-1/2 (Kt + b I - A) A^-1/2||, A = K + a I; for display.

    nan where A is too close to singular for float64.
    """
    n = len(drawn.K)
    A = drawn.K + float(drawn.a) * np.eye(n)
    try:
        root = np.linalg.cholesky(A)
    except np.linalg.LinAlgError:
        return float("nan")
    whitener = np.linalg.solve(root, np.eye(n))
    difference = drawn.Kt + float(drawn.b) * np.eye(n) - A
    whitened = whitener @ difference @ whitener.T
    eigenvalues = np.linalg.eigvalsh((whitened + whitened.transpose(0, 2, 1)) / 2)
    return float(np.abs(eigenvalues[:, [0, -1]]).max() / float(drawn.eps))


def exact_failure(construction: Construction) -> Enclosure | None:
    """Enclose P[conclusion fails] by enumeration; None where none is known."""
    box = construction.box
    if box is None:
        return None
    return multinomial_leaves_box(box.m, box.law, box.low, box.high)
