"""Section 4: one weighted draw is bounded by the integral of the dominating function.

    ||Y_r|| <= tr Y_r = s_q_tilde q_lambda / q_tilde <= s_q_tilde

Decided as M_j <= s_q_tilde (K + lam I) for every feature j; in the plane, cell by cell, as
Phi Phi^T <= tau_tilde (K + lam I) with error bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.dominating import dominate_cells
from reference.orthants import cells
from reference.preconditions import UNIT_ROUNDOFF, gamma
from theorems.glss.sampling_constructions import kernel
from theorems.glss.sampling_instances import NULL_ATOM, CellWorld, FiniteWorld, SamplingInstance, in_the_plane
from theorems.glss.section_4_worlds import WASTEFUL, draws, rows
from theorems.glss.section_4_worlds import instances as worlds
from theorems.glss.theorem_3_3_kernel_approximation import DOMINATION, RIDGE_POSITIVE
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Misprint, NearMatrix, Statement

Bound = Callable[[FiniteWorld], Fraction]


def _integral(x: FiniteWorld) -> Fraction:
    return draws(x).s_q_tilde


def _claims(x: SamplingInstance, bound: Bound = _integral) -> Sequence[Claim]:
    if isinstance(x, CellWorld):
        return _on_cells(x)
    if not isinstance(x, FiniteWorld):
        raise TypeError(f"section_4_norm_of_a_draw: no draws are known for a {type(x).__name__}")
    law, s = draws(x), bound(x)
    claims = []
    for j, M in enumerate(law.matrices):
        trace = Fraction(np.trace(law.A_inverse @ M)) / x.features.copies
        claims += [
            Claim(says=f"tr Y <= s_q_tilde at feature {j}", left=trace, relation="<=", right=s),
            Claim(
                says=f"||Y|| <= s_q_tilde at feature {j}", left=rows(M), relation="Loewner <=", right=rows(s * law.A)
            ),
        ]
    return claims


def _on_cells(x: CellWorld) -> Sequence[Claim]:
    """Compare Phi_c Phi_c^T with tau_tilde_c (K + lam I), which is ||Y|| <= s_q_tilde divided by the weight.

    Error: an entry of Phi Phi^T is an inner product of two rows of X, off by at most gamma_d |x||z|, so the matrix by
    gamma_d ||X||_F^2; the right side by tau_tilde times the error of K and the rounding of lam, of the sum and of the
    product, 4 u of the largest entry of a matrix of n^2.
    """
    K, K_radius = kernel(x)
    A, n = K + float(x.lam) * np.eye(len(K)), len(K)
    tau = dominate_cells(x.X, x.lam).tau
    left_radius = gamma(x.X.shape[1] + 2) * float(np.square(x.X).sum())
    right_radius = (K_radius + 4 * n * UNIT_ROUNDOFF * float(np.abs(A).max())) * (1 + gamma(8))
    return [
        Claim(
            says=f"||Y|| <= s_q_tilde in cell {c}",
            left=NearMatrix(values=G, radius=left_radius),
            relation="Loewner <=",
            right=NearMatrix(values=float(t) * A, radius=float(t) * right_radius),
        )
        for c, (t, G) in enumerate(zip(tau, cells(x.X).gram(x.X), strict=True))
        if t > 0  # Phi = 0 otherwise, and the cell is never drawn
    ]


def instances(profile: str) -> tuple[SamplingInstance, ...]:
    """Give finite worlds and the points in the plane."""
    first = worlds("quick")
    return (*first, *in_the_plane(), *worlds(profile)[len(first) :])


def _twin(name: str, because: str, refuted_on: FiniteWorld, bound: Bound, *without: str) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=ForEach(claims=lambda x: _claims(x, bound)),
        refuted_on=refuted_on,
        without=without,
    )


def _strategy() -> Any:
    from theorems.glss.sampling_strategies import finite_worlds

    return finite_worlds()


S_Q_BAR = Misprint(
    id="E27",
    says="||Y_i|| <= s_{bar q} and E[Y_r^2] <= s_{bar q} diag(..)",
    instead="s_{tilde q}, the integral of the dominating function; bar q is a density and integrates to 1",
    witness="`glss.Yr-norm.as_printed`: n = 1 and a null feature, s_q_tilde = 10, ||Y|| = 9.99 at the other one",
)

STATEMENT = Statement(
    id="glss.Yr-norm",
    number="4, ||Y_r||",
    title="Norm of one weighted draw",
    kind="Step of a proof",
    says=r"\lVert Y_r\rVert\le s_{\tilde q_\lambda}",
    plainly="No single weighted feature is larger, in units of K + lambda I, than the integral of the dominating "
    "function.",
    source=GLSS.at("Section 4, display after equation (12)"),
    deviation="s_{tilde q} for the printed s_{bar q} = 1 and Y_r for Y_i, see E27 and E5",
    constant="explicit",
    hypotheses=(RIDGE_POSITIVE, DOMINATION),
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "statistical_dimension_bounds_it",
            "a wasteful q_tilde makes rare features heavy: its integral counts",
            WASTEFUL,
            lambda x: x.features.statistical_dimension(x.lam),
        ),
        _twin(
            "largest_leverage_bounds_it",
            "the weight p/q_bar multiplies the leverage",
            NULL_ATOM,
            lambda x: max(x.features.leverage(x.lam)),
        ),
        _twin(
            "half_the_integral",
            "the bound is attained by features of rank one with q_tilde = q_lambda",
            WASTEFUL,
            lambda x: draws(x).s_q_tilde / 2,
        ),
        _twin(
            "domination_dropped",
            "q_tilde = p need not dominate",
            replace(WASTEFUL, name="undominated", says="K = diag(1, 1/5), q_tilde = p", tau_tilde=(Fraction(1),) * 2),
            _integral,
            DOMINATION.says,
        ),
    ),
    misprints=(S_Q_BAR,),
    notes=(
        "||Y|| <= tr Y is an equality for d2 = 1; for larger d2 the operator norm of Phi^T (K + lam I)^-1 Phi serves.",
    ),
    strategy=_strategy,
)
