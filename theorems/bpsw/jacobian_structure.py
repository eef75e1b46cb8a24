r"""The Jacobian: row i is a Kronecker product, and its Gram matrix the current tangent kernel.

    J_i = m^-1/2 (a_r 1[w_r.x_i >= 0])_r (x) x_i,   J J^T = (X X^T) o (sum_r 1_ir 1_jr) / m = H(t)

The network is linear in W as long as no neuron crosses a kink, so its derivative is a difference quotient with a step
that is short enough: the left side knows neither formula.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import isqrt
from typing import Any, TypeAlias

import numpy as np

from reference.arithmetic import rational_product
from reference.exact_linear_algebra import transposed
from reference.jacobian import jacobian
from reference.preconditions import UNIT_ROUNDOFF, exact_rows, gamma
from reference.rational_networks import Exactly, fractions
from theorems.bpsw.bpsw_instances import OFF_KINKS, PLANE, POINT, SIGNS, SPACE, ExactNetwork, exact_instances
from theorems.sources import BPSW
from theorems.statement import BrokenTwin, Claim, ForEach, NearMatrix, Rows, Statement

Formula: TypeAlias = Callable[[ExactNetwork], Exactly]


def difference_quotients(x: ExactNetwork) -> Exactly:
    """Move one weight at a time, by too little for any kink: (n, m d) quotients."""
    net, (m, d) = x.network, (len(x.W), len(x.W[0]))
    reach = max(abs(t) for row in x.X for t in row) or Fraction(1)
    step = abs(net.X @ net.W.T).min() / (2 * reach)
    before, columns = net.outputs(net.X), []
    for r, k in np.ndindex(m, d):
        moved = net.W.copy()
        moved[r, k] += step
        columns.append((replace(net, W=moved).outputs(net.X) - before) / step)
    quotients: Exactly = np.array(columns, dtype=object).T
    return quotients


def seen(x: ExactNetwork) -> Exactly:
    """Give 1[w_r.x_i >= 0]: (n, m)."""
    return fractions((x.network.X @ x.network.W.T >= 0).astype(int))


def kronecker(x: ExactNetwork) -> Exactly:
    """Give the rows m^-1/2 (a_r 1_ir)_r (x) x_i."""
    slopes = seen(x) * x.network.a / Fraction(isqrt(len(x.W)))
    return np.array([np.kron(u, point) for u, point in zip(slopes, x.network.X, strict=True)], dtype=object)


def structured_gram(x: ExactNetwork) -> Exactly:
    """Give (X X^T) o (S S^T) / m, S the activations."""
    S, X = seen(x), x.network.X
    G: Exactly = X @ X.T * (S @ S.T) / Fraction(len(x.W))
    return G


def _computed(x: ExactNetwork) -> NearMatrix:
    """Give G of the running code, where the data are dyadic.

    Error: an inner product of rows is off by gamma_d |x||z|, its product with a count and the division by m round once
    each; so the matrix by gamma_(d+2) ||X||_F^2.
    """
    X, W, a = (np.array(values, dtype=np.float64) for values in (x.X, x.W, x.a))
    radius = gamma(X.shape[1] + 2) * float(np.square(X).sum()) * (1 + 2.0**-40) + UNIT_ROUNDOFF**8
    return NearMatrix(values=jacobian(W, a, X).gram(), radius=radius)


def conclusion(rows: Formula = kronecker, gram: Formula = structured_gram) -> ForEach:
    """Give the sentence for two formulas, the paper's or broken ones."""

    def claims(x: ExactNetwork) -> Sequence[Claim]:
        quotients: Rows = difference_quotients(x).tolist()
        G = rational_product(quotients, transposed(quotients))
        found = [
            Claim(says="df/dW, row by row", left=quotients, relation="=", right=rows(x).tolist()),
            Claim(says="J J^T", left=G, relation="=", right=gram(x).tolist()),
            Claim(says="J J^T and the kernel H(t)", left=G, relation="=", right=x.network.kernel(x.network.X).tolist()),
        ]
        if exact_rows(np.array(x.X, dtype=np.float64)) == [list(row) for row in x.X]:
            found.append(Claim(says="G of the running code", left=_computed(x), relation="=", right=gram(x).tolist()))
        return found

    return ForEach(claims=claims, facts=lambda x: {"n": len(x.X), "m": len(x.W), "d": len(x.X[0])})


def _other_order(x: ExactNetwork) -> Exactly:
    n, m = len(x.X), len(x.W)
    swapped: Exactly = kronecker(x).reshape(n, m, -1).transpose(0, 2, 1).reshape(n, -1)
    return swapped


def _twin(name: str, because: str, refuted_on: ExactNetwork, **change: Formula) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.bpsw.bpsw_strategies import exact_networks

    return exact_networks()


STATEMENT = Statement(
    id="bpsw.jac",
    number="abstract, Jacobian",
    title="The Jacobian and its Gram matrix",
    kind="Identity",
    says=r"J_i=\frac{1}{\sqrt m}\left(a_r\,1[w_r^{\top}x_i\ge 0]\right)_{r}\otimes x_i,\qquad "
    r"JJ^{\top}=\left(XX^{\top}\right)\circ\frac{1}{m}\sum_r 1_r1_r^{\top}=H(t)",
    plainly="Every row of the Jacobian is a Kronecker product of activations and data, and its Gram matrix is the "
    "tangent kernel where the network stands, whatever the signs of the second layer.",
    source=BPSW.at("abstract; the network of the main theorem"),
    deviation="recalled: only the abstract was at hand; away from kinks, which the print does not say",
    constant="explicit",
    hypotheses=(OFF_KINKS, SIGNS),
    conclusion=conclusion(),
    instances=exact_instances,
    twins=(
        _twin(
            "data_major_order",
            "x_i (x) activations is another vector of the same length: it has the same G, and the same sketch no more",
            PLANE,
            rows=_other_order,
        ),
        _twin(
            "kinks_left_out",
            "X X^T alone is the kernel of a linear network",
            PLANE,
            gram=lambda x: x.network.X @ x.network.X.T,
        ),
        _twin(
            "signs_survive",
            "a_r enters squared, so that opposite signs do not cancel",
            PLANE,
            gram=lambda x: x.network.X @ x.network.X.T * ((seen(x) * x.network.a) @ seen(x).T) / Fraction(len(x.W)),
        ),
        _twin(
            "square_root_of_m_left_out",
            "the network is divided by sqrt m",
            SPACE,
            rows=lambda x: kronecker(x) * isqrt(len(x.W)),
        ),
        _twin(
            "second_layer_left_out",
            "df/dw_r has the sign of a_r",
            POINT,
            rows=lambda x: kronecker(x) * np.repeat(x.network.a, len(x.W[0])),
        ),
    ),
    recalled=True,
    strategy=_drawn,
)
