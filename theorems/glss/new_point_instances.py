"""Pairs of kernels on training data and one new point, exactly.

The training block of both kernels is an `Approximation`; the new point has its own row in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reference.arithmetic import is_positive_semidefinite, rational_product, rational_solve
from reference.exact_linear_algebra import column, shifted
from reference.finite_features import Matrix
from theorems.glss.approximation_instances import Approximation, approximates, diagonal, instances
from theorems.statement import Hypothesis


@dataclass(frozen=True, kw_only=True, eq=False)
class NewPoint(Approximation):
    """An approximation with one point more.

    Parameters
    ----------
    row, row_tilde : (n,) K(z, X) and Kt(z, X)
    corner, corner_tilde : K(z, z) and Kt(z, z)
    """

    row: tuple[Fraction, ...]
    row_tilde: tuple[Fraction, ...]
    corner: Fraction
    corner_tilde: Fraction

    def extended(self) -> Approximation:
        """Count the new point among the data: (n + 1, n + 1) kernels."""
        return Approximation(
            name=self.name,
            says=self.says,
            K=_bordered(self.K, self.row, self.corner),
            Kt=_bordered(self.Kt, self.row_tilde, self.corner_tilde),
            lam=self.lam,
            eps=self.eps,
            Y=(*self.Y, Fraction(0)),
        )


def _bordered(K: Matrix, row: tuple[Fraction, ...], corner: Fraction) -> Matrix:
    return (*((*r, x) for r, x in zip(K, row, strict=True)), (*row, corner))


def cut(x: Approximation) -> NewPoint:
    """Take the last of at least two points out of the data."""
    return NewPoint(
        name=x.name,
        says=x.says,
        K=tuple(r[:-1] for r in x.K[:-1]),
        Kt=tuple(r[:-1] for r in x.Kt[:-1]),
        lam=x.lam,
        eps=x.eps,
        Y=x.Y[:-1],
        row=x.K[-1][:-1],
        row_tilde=x.Kt[-1][:-1],
        corner=x.K[-1][-1],
        corner_tilde=x.Kt[-1][-1],
    )


def _kernels(x: NewPoint) -> str | None:
    whole = x.extended()
    for name, M in (("K", whole.K), ("Kt", whole.Kt)):
        if not is_positive_semidefinite(M):
            return f"{name} must be positive semidefinite on X and z together"
    return None


def _everywhere(x: NewPoint) -> str | None:
    if x.lam <= 0 or approximates(x.extended(), x.eps):
        return None
    return f"Kt must approximate K within eps on X and z together, got eps = {float(x.eps):g}"


EXTENDED_KERNELS = Hypothesis(says="K and Kt are kernels on X and z together", holds=_kernels)
EVERYWHERE = Hypothesis(says="(2) holds on X and z together", holds=_everywhere)

_ONE, _ZERO, _HALF = Fraction(1), Fraction(0), Fraction(1, 2)


def _apart(eps: Fraction) -> NewPoint:
    return NewPoint(
        name=f"apart-{eps.denominator}",
        says="n = 1: K and Kt agree at x, but z is orthogonal to x under K and equal to x under Kt",
        K=((_ONE,),),
        Kt=((_ONE,),),
        lam=_ONE,
        eps=eps,
        Y=(_ONE,),
        row=(_ZERO,),
        row_tilde=(_ONE,),
        corner=_ONE,
        corner_tilde=_ONE,
    )


APART = _apart(Fraction(1, 4))
APART_CLOSE = _apart(Fraction(1, 10**6))

# eigenvectors (1, 1) and (1, -1) of the difference: as large an off-diagonal step as (2) allows
SWUNG = cut(
    Approximation(
        name="swung",
        says="K = 0 on x and z, lambda = 1; Kt ties them with weight 1/2 as far as eps = 1 - 1/8 allows",
        K=diagonal(0, 0),
        Kt=((_HALF - Fraction(1, 16), _HALF - Fraction(1, 16)), (_HALF - Fraction(1, 16), _HALF - Fraction(1, 16))),
        lam=_ONE,
        eps=Fraction(7, 8),
        Y=(_ONE, _ZERO),
    )
)
OPPOSED = cut(
    Approximation(
        name="opposed",
        says="positively correlated points under K, negatively under Kt; lambda = 1/16 and eps close to 1",
        K=((Fraction(10), Fraction(7)), (Fraction(7), Fraction(14))),
        Kt=((_ONE, Fraction(-3)), (Fraction(-3), Fraction(10))),
        lam=Fraction(1, 16),
        eps=Fraction(9893, 10000),
        Y=(_ONE, _ZERO),
    )
)
REMOTE = cut(
    Approximation(
        name="remote",
        says="a new point with K(z, z) = 27, far above lambda = 1/16",
        K=((Fraction(5), Fraction(3)), (Fraction(3), Fraction(27))),
        Kt=((Fraction(19, 4), Fraction(-3, 4)), (Fraction(-3, 4), Fraction(45, 2))),
        lam=Fraction(1, 16),
        eps=Fraction(3467, 10000),
        Y=(_ONE, _ZERO),
    )
)


def new_points(profile: str) -> tuple[NewPoint, ...]:
    """Give pairs that agree on X and z together; every approximation with its last point taken out is one."""
    return (SWUNG, OPPOSED, REMOTE, *(cut(x) for x in instances(profile) if len(x.K) > 1))


def predictions(x: NewPoint) -> tuple[Fraction, Fraction]:
    """Give f(z) = K(z, X)(K + lam I)^-1 Y and the same with Kt."""
    return _prediction(x.K, x.row, x), _prediction(x.Kt, x.row_tilde, x)


def _prediction(K: Matrix, row: tuple[Fraction, ...], x: NewPoint) -> Fraction:
    return rational_product([row], rational_solve(shifted(K, x.lam), column(x.Y)))[0][0]
