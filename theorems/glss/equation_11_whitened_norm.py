"""Equation (11): spectral approximation is closeness in the norm of K + lam I.

    (1 - eps) A <= Psi Psi^T + lam I <= (1 + eps) A   <=>   ||B (Psi Psi^T - K) B^T|| <= eps

with A = K + lam I = V^T Sigma^2 V and B = Sigma^-1 V. The norm is that of A^-1 (Psi Psi^T - K), whose eigenvalues are
the same and which is rational; any other B with B A B^T = I has them, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from reference import arithmetic
from reference.arithmetic import Interval, rational_product, rational_solve, rational_trace
from reference.exact_linear_algebra import combined, eigenvalues_above, shifted
from reference.exact_spectra import largest_eigenvalue, relative_difference, spectral_radius
from theorems.glss.approximation_instances import (
    BOTH_ENDS,
    KERNELS,
    NOTHING_DRAWN,
    RIDGE,
    TINY,
    Approximation,
    approximates,
    instances,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Rows, Statement


@dataclass(frozen=True, kw_only=True)
class _Size:
    """A size of a matrix with real eigenvalues.

    Parameters
    ----------
    at_most : whether it is at most a number, exactly
    enclosed : the size, enclosed
    """

    at_most: Callable[[Rows, Fraction], bool]
    enclosed: Callable[[Rows], Interval]


def _negative(G: Rows) -> Rows:
    return [[-v for v in row] for row in G]


def _square_sum(G: Rows) -> Fraction:
    """Give tr G^2, the squared Frobenius norm of B (Psi Psi^T - K) B^T."""
    return rational_trace(rational_product(G, G))


_SPECTRAL = _Size(
    at_most=lambda G, e: eigenvalues_above(G, e) == 0 and eigenvalues_above(_negative(G), e) == 0,
    enclosed=spectral_radius,
)
_LARGEST_EIGENVALUE = _Size(at_most=lambda G, e: eigenvalues_above(G, e) == 0, enclosed=largest_eigenvalue)
_FROBENIUS = _Size(at_most=lambda G, e: _square_sum(G) <= e**2, enclosed=lambda G: arithmetic.sqrt(_square_sum(G)))


def _whitened(x: Approximation) -> Rows:
    return relative_difference(x.K, x.Kt, x.lam)


def _claims(
    x: Approximation, whitened: Callable[[Approximation], Rows] = _whitened, size: _Size = _SPECTRAL
) -> Sequence[Claim]:
    G = whitened(x)
    below, above = size.enclosed(G)
    A, At = shifted(x.K, x.lam), shifted(x.Kt, x.lam)
    return (
        Claim(
            says="(5) holds at eps (1 or 0) = (11) holds at eps (1 or 0)",
            left=Fraction(approximates(x, x.eps)),
            relation="=",
            right=Fraction(size.at_most(G, x.eps)),
        ),
        Claim(
            says="(1 - e) A <= Psi Psi^T + lam I at e = the norm, rounded up",
            left=combined(1 - above, A, 0, A),
            relation="Loewner <=",
            right=At,
        ),
        Claim(
            says="Psi Psi^T + lam I <= (1 + e) A at e = the norm, rounded up",
            left=At,
            relation="Loewner <=",
            right=combined(1 + above, A, 0, A),
        ),
        Claim(
            says="(5) holds at e = the norm less 2^-50 (1 or 0) = 0",
            left=Fraction(approximates(x, below - Fraction(1, 2**50))),
            relation="=",
            right=Fraction(0),
        ),
    )


def _twin(name: str, because: str, refuted_on: Approximation, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=ForEach(claims=lambda x: _claims(x, **change)),
        refuted_on=refuted_on,
    )


def _strategy() -> Any:
    from theorems.glss.approximation_strategies import any_pairs

    return any_pairs()


STATEMENT = Statement(
    id="glss.eq11",
    number="(11)",
    title="Spectral approximation is closeness in the norm of K + lambda I",
    kind="Equation",
    says=r"(5)\Leftrightarrow\lVert\Sigma^{-1}V\bar\Psi\bar\Psi^{\top}V^{\top}\Sigma^{-1}"
    r"-\Sigma^{-1}VKV^{\top}\Sigma^{-1}\rVert\le\varepsilon"
    r"\quad\text{with}\quad K+\lambda I=V^{\top}\Sigma^{2}V",
    plainly="An approximation is eps-spectral exactly when its difference from the kernel, whitened by K + lambda I, "
    "has norm at most eps.",
    source=GLSS.at("Section 4, equation (11)"),
    deviation="",
    constant="explicit",
    hypotheses=(KERNELS, RIDGE),
    conclusion=ForEach(claims=_claims),
    instances=instances,
    twins=(
        _twin(
            "whitened_by_the_kernel_alone",
            "K^-1/2 blows up directions far below lambda, which (5) does not ask for",
            TINY,
            whitened=lambda x: rational_solve(x.K, combined(1, x.Kt, -1, x.K)),
        ),
        _twin(
            "ridge_times_n",
            "the ridge is lambda, not n lambda",
            BOTH_ENDS,
            whitened=lambda x: relative_difference(x.K, x.Kt, len(x.K) * x.lam),
        ),
        _twin(
            "one_side_only",
            "the largest eigenvalue alone sees no loss",
            NOTHING_DRAWN,
            size=_LARGEST_EIGENVALUE,
        ),
        _twin(
            "frobenius_norm",
            "(5) asks direction by direction, not for the sum",
            BOTH_ENDS,
            size=_FROBENIUS,
        ),
    ),
    notes=("Any square root of K + lambda I serves; the eigenvalue decomposition is a convenience.",),
    strategy=_strategy,
)
