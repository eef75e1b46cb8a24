"""How much of any one direction a draw can take: the operator norm in place of the trace of the leverage.

tau_op(w) = || Phi(w)^T (K + lam I)^-1 Phi(w) ||,   tau_op <= tau, with equality when Phi(w) has rank at most 1
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from reference.arithmetic import Exact, exact, is_positive_semidefinite
from reference.exact_linear_algebra import combined, shifted
from reference.finite_features import FiniteFeatures, Matrix


def dominates_feature(features: FiniteFeatures, j: int, lam: Exact, t: Exact) -> bool:
    """Decide tau_op(j) <= t exactly: G_j <= t (K + lam I).

    Parameters
    ----------
    features : a finite world
    j : the feature, 0 <= j < J
    lam : positive exact number
    t : exact number
    """
    return _within(features.grams[j], shifted(features.kernel(), _ridge(lam)), exact(t))


def operator_leverage(features: FiniteFeatures, lam: Exact, bits: int = 12) -> list[Fraction]:
    """Round tau_op of every feature up to a multiple of 2^-bits.

    Parameters
    ----------
    features : a finite world
    lam : positive exact number
    bits : binary digits after the point

    Returns
    -------
    t : (J,) dyadic Fractions, tau_op(j) <= t_j < tau_op(j) + 2^-bits; 0 where Phi_j is 0
    """
    A = shifted(features.kernel(), _ridge(lam))
    found = []
    for G, tau in zip(features.grams, features.leverage(lam), strict=True):
        # least multiple that works: below `low` none does, `high` does since tau_op <= tau
        low, high = 0, ceil(tau * 2**bits)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if _within(G, A, Fraction(middle, 2**bits)) else (middle + 1, high)
        found.append(Fraction(high, 2**bits))
    return found


def _within(G: Matrix, A: list[list[Fraction]], t: Fraction) -> bool:
    return is_positive_semidefinite(combined(t, A, -1, G))


def _ridge(lam: Exact) -> Fraction:
    ridge = exact(lam)
    if ridge <= 0:
        raise ValueError(f"operator_leverage: lam must be positive, got lam = {lam}")
    return ridge
