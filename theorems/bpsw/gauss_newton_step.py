r"""The Gauss-Newton step is the shortest move that solves the linearised problem; its g solves a regression.

    D = J^T g,  G g = r = f - y,  G = J J^T > 0:   J D = r,  D = J^+ r,  g = argmin ||J^T g||^2 / 2 - g^T r

D = J^+ r, the Moore-Penrose inverse, says that D is the shortest among the minimisers of ||J D - r||.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np

from reference.arithmetic import exact, rational_product, rational_solve
from reference.exact_linear_algebra import column, pseudoinverse
from reference.gauss_newton import exact_step
from reference.jacobian import jacobian
from reference.rational_networks import Exactly, fractions
from theorems.bpsw.bpsw_instances import (
    DEFINITE,
    OFF_KINKS,
    PLANE,
    SIGNS,
    SPACE,
    ExactNetwork,
    exact_instances,
)
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Coefficients: TypeAlias = Callable[[ExactNetwork], Exactly]
"""instance -> g."""
Move: TypeAlias = Callable[[ExactNetwork, Exactly], Exactly]
"""(instance, g) -> D."""


def coefficients(x: ExactNetwork) -> Exactly:
    """Give g = G^-1 r."""
    return fractions([row[0] for row in rational_solve(x.G, column(x.r))])


def move(x: ExactNetwork, g: Exactly) -> Exactly:
    """Give D = J^T g: (m d,)."""
    D: Exactly = x.J.T @ g
    return D


def _objective(x: ExactNetwork, g: Exactly) -> Fraction:
    D = x.J.T @ g
    return exact(D @ D / 2 - g @ fractions(x.r))


def conclusion(g_of: Coefficients = coefficients, move_of: Move = move) -> ForEach:
    """Give the sentence for a step, the paper's or a broken one."""

    def claims(x: ExactNetwork) -> Sequence[Claim]:
        g = g_of(x)
        D, shortest = move_of(x, g), rational_product(pseudoinverse(x.J.tolist()), column(x.r))
        found = [
            Claim(says="J D = r", left=column((x.J @ D).tolist()), relation="=", right=column(x.r)),
            Claim(says="D = J^+ r", left=column(D.tolist()), relation="=", right=shortest),
        ]
        for i in range(len(g)):
            # the objective is a parabola along each axis: its least point is g iff both neighbours exceed it equally
            e = fractions([int(j == i) for j in range(len(g))])
            found.append(
                Claim(
                    says=f"||J^T g||^2 / 2 - g^T r is least at g, along axis {i}",
                    left=_objective(x, g + e) - _objective(x, g),
                    relation="=",
                    right=_objective(x, g - e) - _objective(x, g),
                )
            )
        return found

    return ForEach(claims=claims, facts=facts)


def facts(x: ExactNetwork) -> dict[str, float | int | str]:
    """Give how far the step of the running code is from the exact one, relative to its length."""
    W, a, X, r = (np.array(values, dtype=np.float64) for values in (x.W, x.a, x.X, x.r))
    computed = exact_step(jacobian(W, a, X), r).update.ravel()
    D = move(x, coefficients(x)).astype(np.float64)
    return {"float step off by": float(np.linalg.norm(computed - D) / max(float(np.linalg.norm(D)), 2.0**-1000))}


def _beside(x: ExactNetwork, g: Exactly) -> Exactly:
    """Add a kernel vector of J: a weight that no point sees, or a difference of two copies."""
    D, J = move(x, g), x.J
    extra = fractions([1] * J.shape[1])
    return np.asarray(D + extra - fractions(pseudoinverse(J.tolist())) @ (J @ extra))


def _drawn() -> Any:
    from theorems.bpsw.bpsw_strategies import definite_networks

    return definite_networks()


def _twin(name: str, because: str, refuted_on: ExactNetwork, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


STATEMENT = Statement(
    id="bpsw.gn",
    number="abstract, regression",
    title="The Gauss-Newton step as a regression",
    kind="Identity",
    says=r"J^{\top}(JJ^{\top})^{-1}r=J^{+}r,\qquad JJ^{\top}g=r\iff g=\mathrm{argmin}_{g}"
    r"\ \frac{1}{2}\lVert J^{\top}g\rVert_2^2-g^{\top}r,\qquad r=f-y",
    plainly="The Gauss-Newton step is the shortest change of the weights that brings the linearised outputs to the "
    "labels; its coefficients solve a least-squares problem with the matrix J^T.",
    source=BPSW.at("abstract: 'reformulating the Gauss-Newton iteration as an l2-regression problem'"),
    deviation="recalled in detail; G > 0 is added, without which the step is not defined",
    constant="explicit",
    hypotheses=(OFF_KINKS, SIGNS, DEFINITE),
    conclusion=conclusion(),
    instances=exact_instances,
    twins=(
        _twin(
            "any_solution_of_the_linear_problem",
            "J has a kernel: D + v solves it as well, and is longer",
            SPACE,
            move_of=_beside,
        ),
        _twin(
            "gradient_for_the_step",
            "J^T r is the gradient: it solves the problem only where G = I",
            PLANE,
            g_of=lambda x: fractions(x.r),
        ),
        _twin(
            "kernel_without_kinks",
            "(X X^T / 2)^-1 r: the limit of G differs from G at finite width, and from X X^T / 2 off the diagonal",
            PLANE,
            g_of=lambda x: fractions(pseudoinverse((x.network.X @ x.network.X.T / 2).tolist())) @ fractions(x.r),
        ),
        _twin(
            "sign_of_the_linear_term",
            "with + g^T r the minimiser is -g, and the step leads away from the labels",
            SPACE,
            g_of=lambda x: -coefficients(x),
        ),
    ),
    recalled=True,
    strategy=_drawn,
)
