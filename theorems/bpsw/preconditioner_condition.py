r"""A sketch that distorts lengths by e gives a preconditioner with condition at most ((1 + e) / (1 - e))^2.

    (1 - e) ||J^T v|| <= ||S J^T v|| <= (1 + e) ||J^T v||,  S J^T = Q T,  R = T^-1:
    (1 + e)^-2 I <= R^T G R <= (1 - e)^-2 I

Deterministic: per draw of S. T^T T = (S J^T)^T S J^T, and R^T G R lies between two multiples of I if and only if G lies
between the same multiples of T^T T: this is decided over the rationals, for the T that the running code computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from reference.arithmetic import rational_solve
from reference.exact_linear_algebra import identity
from reference.exact_spectra import largest_eigenvalue, smallest_eigenvalue
from theorems.bpsw.bpsw_instances import (
    AS_MANY_ROWS_AS_DATA,
    DISTORTS,
    ENOUGH_ROWS,
    EXACT_FLOATS,
    FEW_ROWS,
    SketchedSystem,
    sketched_instances,
)
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Claim, ForEach, Misprint, Rows, Statement

Range: TypeAlias = Callable[[Fraction], tuple[Fraction, Fraction]]
"""Distortion -> least and greatest eigenvalue of R^T G R that it allows."""


def scaled(factor: Fraction, M: Rows) -> Rows:
    """Multiply a matrix by a number."""
    return [[factor * v for v in row] for row in M]


def allowed(e: Fraction) -> tuple[Fraction, Fraction]:
    """Give (1 + e)^-2 and (1 - e)^-2."""
    return (1 + e) ** -2, (1 - e) ** -2


def _condition(e: Fraction) -> Fraction:
    least, greatest = allowed(e)
    return greatest / least


def condition_at_most(x: SketchedSystem, TT: Rows, bound: Fraction) -> Claim:
    """Hold the condition of R^T G R, which is similar to (T^T T)^-1 G, against a bound."""
    spectrum = rational_solve(TT, x.G)
    low, high = smallest_eigenvalue(spectrum, 40), largest_eigenvalue(spectrum, 40)
    quotient = (high[0] / low[1], high[1] / low[0])
    return Claim(says="condition of R^T G R", left=quotient, relation="<=", right=bound)


def conclusion(
    range_of: Range = allowed,
    condition: Callable[[Fraction], Fraction] = _condition,
    triangle_gram: Callable[[SketchedSystem], Rows] = lambda x: x.triangle_gram,
) -> ForEach:
    """Give the sentence for a range and a condition number, the paper's or broken ones."""

    def claims(x: SketchedSystem) -> Sequence[Claim]:
        e, G, M, TT = x.distortion, x.G, x.sketched_gram, triangle_gram(x)
        least, greatest = range_of(e)
        return [
            Claim(says="S shortens by 1 - e at most", left=scaled((1 - e) ** 2, G), relation="Loewner <=", right=M),
            Claim(says="S lengthens by 1 + e at most", left=M, relation="Loewner <=", right=scaled((1 + e) ** 2, G)),
            Claim(says="eigenvalues of R^T G R below", left=scaled(least, TT), relation="Loewner <=", right=G),
            Claim(says="eigenvalues of R^T G R above", left=G, relation="Loewner <=", right=scaled(greatest, TT)),
            condition_at_most(x, TT, condition(e)),
        ]

    return ForEach(claims=claims, facts=facts)


def facts(x: SketchedSystem) -> dict[str, float | int | str]:
    """Give sizes, the distortion, and condition numbers in floats."""
    eigenvalues = x.preconditioner.spectrum(x.jacobian.gram())
    e = x.distortion
    found: dict[str, float | int | str] = {
        "n": len(x.X),
        "m d": x.W.size,
        "s / n": x.s / len(x.X),
        "distortion": float(e),
        "condition": float(eigenvalues[-1] / eigenvalues[0]),
    }
    return found | ({"condition allowed": float(_condition(e))} if e < 1 else {})


def _twin(name: str, because: str, refuted_on: SketchedSystem, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.bpsw.bpsw_strategies import sketched_systems

    return sketched_systems()


BP1 = Misprint(
    id="BP1",
    says="'preconditioning the underlying Gram matrix in time independent of M'",
    instead="the size of the sketch, and with it the QR decomposition, does not depend on m; drawing S J^T reads n m "
    "activations",
    witness="`bpsw.cost`, twin 'independent_of_the_width': the sketching step is linear in m",
)

STATEMENT = Statement(
    id="bpsw.cond",
    number="abstract, preconditioner",
    title="Condition of the preconditioned Gram matrix",
    kind="Step of the algorithm",
    says=r"(1-\varepsilon)\lVert J^{\top}v\rVert\le\lVert SJ^{\top}v\rVert\le(1+\varepsilon)\lVert J^{\top}v\rVert,"
    r"\ SJ^{\top}=QT,\ R=T^{-1}\ \Rightarrow\ (1+\varepsilon)^{-2}I\preceq R^{\top}GR\preceq(1-\varepsilon)^{-2}I",
    plainly="Whenever a sketch keeps the lengths of all J^T v up to factors 1 - e and 1 + e, its triangular factor "
    "makes a Gram matrix with condition at most ((1 + e) / (1 - e))^2.",
    source=BPSW.at("abstract: 'preconditioning the underlying Gram matrix' by a Fast-JL sketch"),
    deviation="recalled in detail; e < 1 is added, and e is measured on each draw instead of promised",
    constant="proved here",
    hypotheses=(EXACT_FLOATS, ENOUGH_ROWS, DISTORTS),
    conclusion=conclusion(),
    instances=sketched_instances,
    twins=(
        BrokenTwin(
            name="as_many_rows_as_data",
            because="s >= n is enough for R to exist, and not for a condition of 10 (B1)",
            conclusion=ForEach(claims=lambda x: [condition_at_most(x, x.triangle_gram, Fraction(10))]),
            refuted_on=AS_MANY_ROWS_AS_DATA,
        ),
        _twin(
            "square_left_out",
            "lengths enter the Gram matrix squared",
            FEW_ROWS,
            range_of=lambda e: ((1 + e) ** -1, (1 - e) ** -1),
            condition=lambda e: (1 + e) / (1 - e),
        ),
        _twin(
            "inverse_forgotten",
            "(1 - e)^2 <= R^T G R <= (1 + e)^2 is what S does: R undoes it, and a length lost is gained",
            FEW_ROWS,
            range_of=lambda e: ((1 - e) ** 2, (1 + e) ** 2),
        ),
        _twin(
            "without_preconditioner",
            "G itself has the condition of the data",
            sketched_instances("quick")[1],
            triangle_gram=lambda x: identity(len(x.X)),
        ),
    ),
    misprints=(BP1,),
    recalled=True,
    strategy=_drawn,
)
