"""Thousands of orthogonal directions without a matrix: K = diag(k), one feature each, decided entry by entry.

    p_j = 1/n,   phi(x_i, w_j) = sqrt(n k_i) delta_ij,   tau_j = n k_j / (k_j + lam),   q_lambda = p tau

The same world as `reference.finite_features.diagonal`, whose n Gram matrices of n x n Fractions stop at dozens.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from theorems.glss.counted_draws import as_floats, counts_box, sampling_of
from theorems.glss.sampling_instances import SamplingInstance
from theorems.glss.sampling_recipe import PAPER, Quantities, Recipe, features_asked
from theorems.statement import BoundBatch, Claim, Construction

BATCH = 32  # trials per batch: thousands of counts each


@dataclass(frozen=True, kw_only=True, eq=False)
class DiagonalWorld(SamplingInstance):
    """Orthogonal directions, each served by a feature of its own; q_tilde = q_lambda.

    Parameters
    ----------
    k : (n,) the eigenvalues of K, positive
    """

    k: tuple[Fraction, ...]

    def __post_init__(self) -> None:
        """Refuse what is no spectrum."""
        if not self.k or not all(isinstance(x, Fraction) and x > 0 for x in self.k):
            raise ValueError(f"DiagonalWorld: k must hold positive Fractions, at least one, got {self.k[:8]}")


def many_coupons(n: int, lam: Fraction, *, eps: Fraction, delta: Fraction) -> DiagonalWorld:
    """Give the coupon collector's kernel, K = I, for n in the thousands."""
    return DiagonalWorld(
        name=f"coupon-{n}",
        says=f"{n} orthonormal directions, each drawn with probability 1/{n}; K = I, decided by counts",
        k=(Fraction(1),) * n,
        lam=lam,
        eps=eps,
        delta=delta,
    )


COUPON_4096 = many_coupons(4096, Fraction(1, 1000), eps=Fraction(49, 100), delta=Fraction(1, 2))


def dimension(x: DiagonalWorld) -> Fraction:
    """Give s_lambda = n - lam tr (K + lam I)^-1; s_q_tilde is the same."""
    return len(x.k) - x.lam * sum((1 / (k + x.lam) for k in x.k), Fraction(0))


def on_diagonal_world(x: DiagonalWorld, m: int, recipe: Recipe) -> Construction:
    """Describe the random features of size m that `recipe` builds, one number per direction.

    A draw is shown as eps* = max_j |Kt_jj + b - (k_j + a)| / (k_j + a) in float64, and put on the side of eps on which
    its counts are, in integers: ties are decided too.

    Raises
    ------
    TypeError : a recipe that changes Gram matrices, of which there are none
    """
    if recipe.grams is not PAPER.grams:
        raise TypeError(f"on_diagonal_world: a diagonal world has no Gram matrices to change, on {x.name}")
    n, k = len(x.k), np.array(x.k, dtype=object)
    p = np.full(n, Fraction(1, n), dtype=object)
    tau = n * k / (k + x.lam)
    mass = p * tau
    s_lambda = mass.sum()
    scheme = recipe.scheme(p, mass / s_lambda)
    unit = scheme.weight * recipe.scale(m) * n * k
    law, units, event = as_floats(scheme.law), as_floats(unit), recipe.event
    eps, a, b = event.eps(x.eps), event.kernel_ridge(x.lam), event.sample_ridge(x.lam)
    whole, shift = as_floats(k + a), as_floats(b - a - k)
    rows = [(j if u else None, u, t) for j, (u, t) in enumerate(zip(unit, x.k, strict=True))]
    box = counts_box(m, scheme.law, rows, event, x.eps, x.lam)
    low, high = np.array(box.low), np.array(box.high)
    below, above = np.nextafter(float(eps), -np.inf), np.nextafter(float(eps), np.inf)

    def draw(rng: np.random.Generator, trials: int) -> BoundBatch:
        counts = recipe.drawing.counts(law, m, rng, trials)
        inside = ((low <= counts) & (counts <= high)).all(axis=1)
        seen = (np.abs(counts * units + shift) / whole).max(axis=1)
        decided = np.where(inside, np.minimum(seen, below), np.maximum(seen, above))
        return BoundBatch(lower=decided, upper=decided, allowed=(eps, eps))

    average = Claim(
        says="E[Psi Psi^T] = K; both are diagonal: their diagonals",
        left=[list(scheme.law * unit * m)],
        relation="=",
        right=[list(x.k)],
    )
    sums = Quantities(s_lambda=(s_lambda, s_lambda), s_q_tilde=(s_lambda, s_lambda), eps=x.eps, delta=x.delta)
    return Construction(
        size=m,
        batch_size=BATCH,
        draw=draw,
        facts={
            "n": n,
            "s_lambda": float(s_lambda),
            "s_q_tilde": float(s_lambda),
            "lambda": float(x.lam),
            "eps": float(x.eps),
        },
        box=box if recipe.drawing.independent else None,
        size_needed=features_asked(sums, bits=512),
        sampling=sampling_of(recipe, as_floats(mass / s_lambda), law),
        mean=lambda _: average,
    )
