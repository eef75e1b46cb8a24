"""From what a construction draws to decided trials: the event of a high-probability statement."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from theorems.checking.exact_probability import multinomial_leaves_box
from theorems.checking.loewner import decide_psd
from theorems.checking.verified_cholesky import UNIT, decide_spectral_batch
from theorems.statement import Answer, Batch, BoundBatch, Construction, Enclosure, Rows, SpectralBatch


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

    Unequal or missing ridges are moved into the matrices, at the cost of one rounding of each diagonal.
    """
    lam = max(drawn.a, drawn.b) or Fraction(1)
    K, Kt = drawn.K, drawn.Kt
    K_radius, Kt_radius = drawn.K_radius, drawn.Kt_radius
    if drawn.a != lam:
        K, K_radius = _shifted(K, float(drawn.a - lam)), K_radius + _shift_error(K, lam)
    if drawn.b != lam:
        Kt, Kt_radius = _shifted(Kt, float(drawn.b - lam)), Kt_radius + _shift_error(Kt, lam)
    found = decide_spectral_batch(K, K_radius, Kt, Kt_radius, lam, drawn.eps)
    if drawn.exact is not None:
        for b in np.flatnonzero(found == Answer.UNSURE):
            found[b] = _exactly(*drawn.exact(int(b)), drawn)
    return found


def _shifted(M: npt.NDArray[np.float64], ridge: float) -> npt.NDArray[np.float64]:
    return M + ridge * np.eye(M.shape[-1])


def _shift_error(M: npt.NDArray[np.float64], lam: Fraction) -> float:
    """Bound what rounding a ridge of at most lam and adding it to the diagonals costs, in the spectral norm."""
    return 2 * UNIT * (float(np.abs(M).max()) + 2 * float(lam))


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
