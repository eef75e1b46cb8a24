"""One weighted draw from finitely many features, exactly, before any whitening.

    M_j = (p / q_bar)(j) Phi_j Phi_j^T = s_q_tilde / tau_tilde_j G_j,   drawn with probability q_bar_j

The random matrix of GLSS, Section 4 is Y = B M B^T with B^T B = (K + lam I)^-1, which needs square roots; every
sentence about it is one about M after multiplication by B^-1 from both sides:

    E Y = B K B^T     <=>  E M = K
    ||Y|| <= s        <=>  M <= s (K + lam I)
    E Y^2 <= s B K B^T  <=>  E M (K + lam I)^-1 M <= s K
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Exact, exact, rational_inverse
from reference.finite_features import FiniteFeatures

Exactly = npt.NDArray[Any]
"""An object array of Fractions."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FiniteDraws:
    """The law of one weighted draw.

    Parameters
    ----------
    q_bar : (J,) probabilities p_j tau_tilde_j / s_q_tilde
    matrices : (J, N, N), M_j; 0 where q_bar_j = 0, which is allowed only where G_j = 0
    s_q_tilde : sum_j p_j tau_tilde_j
    K, A, A_inverse : (N, N): the kernel, K + lam I and its inverse
    """

    q_bar: Exactly
    matrices: Exactly
    s_q_tilde: Fraction
    K: Exactly
    A: Exactly
    A_inverse: Exactly


def finite_draws(features: FiniteFeatures, lam: Exact, tau_tilde: Sequence[Fraction] | None = None) -> FiniteDraws:
    """Prepare the law of one weighted draw.

    Parameters
    ----------
    features : p_j and G_j
    lam : positive exact number
    tau_tilde : (J,) numbers >= 0, q_tilde_j = p_j tau_tilde_j; None for the leverage itself

    Raises
    ------
    ValueError : tau_tilde_j = 0 where G_j is not, or everywhere

    References
    ----------
    GLSS, Definition 3.2 and Section 4
    """
    tau = list(features.leverage(lam)) if tau_tilde is None else list(tau_tilde)
    grams = np.array(features.grams, dtype=object)
    for j, (t, G) in enumerate(zip(tau, grams, strict=True)):
        if t < 0 or (t == 0 and G.any()):
            raise ValueError(f"finite_draws: tau_tilde must be positive where Phi is not 0, got {t} at feature {j}")
    whole = sum((p * t for p, t in zip(features.p, tau, strict=True)), Fraction(0))
    if whole == 0:
        raise ValueError("finite_draws: tau_tilde must not vanish everywhere: there is nothing to draw")
    K = np.array(features.kernel(), dtype=object)
    A = K + exact(lam) * np.eye(len(K), dtype=object)
    return FiniteDraws(
        q_bar=np.array([p * t / whole for p, t in zip(features.p, tau, strict=True)], dtype=object),
        matrices=np.array([G * (whole / t if t else Fraction(0)) for t, G in zip(tau, grams, strict=True)]),
        s_q_tilde=whole,
        K=K,
        A=A,
        A_inverse=np.array(rational_inverse(A.tolist()), dtype=object),
    )
