r"""Runs of Gauss-Newton training that are judged: outputs with a proven error, steps with all that E-GN speaks of.

Rounding: f computed in floats is within gamma_k m^-1/2 sum_r |w_r| |x_i| of f(W), k = d + 2048 + m / 2048 + 8: an inner
product, sigma (no error), a sum over a block of 2048 neurons, one over blocks, the root and the division.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

import numpy as np

from reference.gauss_newton import Rule, Step, Training, exact_step, sketched_step, train
from reference.jacobian import Jacobian
from reference.preconditions import UNIT_ROUNDOFF, Float64, gamma
from reference.relu_tangent import CHUNK
from reference.sketches import TensorSRHT

Inexact: TypeAlias = Literal["exact", "too short", "too long", "sideways", "sketched"]
"""How a step misses the solution of its linear problem, by the relative residual eps0 that it may have."""


def rule(kind: Inexact, eps0: Fraction, rng: np.random.Generator) -> Rule:
    """Make a rule whose inner relative residual is eps0: too short, too long or sideways for all of it.

    The residual is left a part in 2^20 below eps0, so that rounding does not lift it above.
    """
    eps = float(eps0) * (1 - 2.0**-20)
    if kind == "exact":
        return exact_step
    if kind == "sketched":

        def sketched(jacobian: Jacobian, r: Float64) -> Step:
            return sketched_step(TensorSRHT, 16 * len(r), eps, rng)(jacobian, r)

        return sketched

    def missing(jacobian: Jacobian, r: Float64) -> Step:
        v = rng.standard_normal(len(r)) if kind == "sideways" else r * (1.0 if kind == "too short" else -1.0)
        return exact_step(jacobian, r - eps * np.linalg.norm(r) * v / np.linalg.norm(v))

    return missing


@dataclass(frozen=True, kw_only=True, eq=False)
class Taken:
    """One step of a run.

    Parameters
    ----------
    before, after : (m, d), weights
    G : (n, n), J J^T at `before`
    r : (n,), f - y as computed at `before`
    g : (n,), coefficients; the weights moved by J^T g
    """

    before: Float64
    after: Float64
    G: Float64
    r: Float64
    g: Float64


def watched(
    X: Float64, y: Float64, W: Float64, a: Float64, step: Rule, *, accuracy: float, at_most: int
) -> tuple[Training, list[Taken]]:
    """Train, and keep every step."""
    seen: list[tuple[Float64, Float64, Float64, Float64]] = []

    def keep(jacobian: Jacobian, r: Float64) -> Step:
        found = step(jacobian, r)
        seen.append((jacobian.gram(), r, found.g, found.update))
        return found

    run = train(X, y, W, a, keep, accuracy=accuracy, at_most=at_most)
    taken, now = [], W
    for G, r, g, update in seen:
        taken.append(Taken(before=now, after=now - update, G=G, r=r, g=g))
        now = now - update
    return run, taken


def output_error(W: Float64, X: Float64) -> float:
    """Bound the error of every computed output, see above; rounded up."""
    m, d = W.shape
    size = float(np.linalg.norm(W, axis=1).sum() * np.linalg.norm(X, axis=1).max() / np.sqrt(m))
    return gamma(d + CHUNK + m // CHUNK + 8) * size * (1 + 2.0**-20)


def weight_error(W: Float64, g: Float64, X: Float64) -> float:
    """Bound what rounding of W - J^T g does to every output.

    A weight vector is off by gamma_(n+3) m^-1/2 sum_i |g_i| |x_i| from the product and u |w_r'| from the difference,
    and an output by m^-1/2 times the sum of this over the neurons, times |x_i|.
    """
    m = len(W)
    longest = float(np.linalg.norm(X, axis=1).max())
    products = gamma(len(g) + 4) * float(np.abs(g).sum()) * longest
    rounded = 2 * UNIT_ROUNDOFF * float(np.linalg.norm(W, axis=1).sum() / np.sqrt(m))
    return (products + rounded) * longest


def norm(v: Float64, error: float) -> tuple[Fraction, Fraction]:
    """Enclose the norm of a vector each of whose entries is known up to `error`."""
    k = len(v)
    computed, rounding = Fraction(float(np.linalg.norm(v))), Fraction(gamma(k + 4))
    away = Fraction(error) * (int(k**0.5) + 1)
    return max(Fraction(0), computed * (1 - rounding) - away), computed * (1 + rounding) + away


def gaussian_start(m: int, d: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
    """Draw w_r ~ N(0, I) and fair signs, as the theorems do."""
    W = rng.standard_normal((m, d))
    return W, np.where(rng.integers(2, size=m) == 1, 1.0, -1.0)
