r"""Definition 3.1 as printed: Phi(w) stacks the transposed features and calls the result n x d2 (erratum E4).

    Phi(w) = [phi(x_1, w)^T, ..., phi(x_n, w)^T]^T

Each phi(x_i, w)^T is 1 x d2, so the row of them is 1 x n d2 and its transpose n d2 x 1. The sentence is false as soon
as d2 >= 2; Section 4's [phi(x_1, w), ..., phi(x_n, w)]^T is what is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from reference import finite_features as finite
from reference.ridge_regression import Array
from theorems.glss.definition_3_1_ridge_leverage_function import SHAPE, leverage
from theorems.glss.equation_4_statistical_dimension import RIDGE_POSITIVE
from theorems.glss.leverage_instances import NEURONS, SKEW, SQUARE, TWO_BY_THREE, FeatureRidge
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Hypothesis, Statement

Stack = Callable[[Sequence[Array]], Array]
"""The features phi(x_i, w), each a column (d2, 1), made into Phi(w)."""


def as_printed(columns: Sequence[Array]) -> Array:
    """Lay the transposed columns side by side and transpose: (n d2, 1)."""
    return np.hstack([phi.T for phi in columns]).T


def conclusion(stack: Stack) -> ForEach:
    """Give the sentence 'Phi(w) is n x d2 and has the leverage of its features' for a way of stacking."""

    def claims(x: FeatureRidge) -> list[Claim]:
        features = finite.from_features(x.p, x.phi)
        found = []
        for j, rows in enumerate(x.phi):
            n, d2 = len(rows), len(rows[0])
            Phi = stack([np.array(row, dtype=object)[:, None] for row in rows])
            found += [
                Claim(says=f"Phi(w_{j}) has n rows", left=Fraction(Phi.shape[0]), relation="=", right=Fraction(n)),
                Claim(says=f"Phi(w_{j}) has d2 columns", left=Fraction(Phi.shape[1]), relation="=", right=Fraction(d2)),
            ]
            if Phi.shape == (n, d2):
                found.append(
                    Claim(
                        says=f"tr Phi^T (K + lambda I)^-1 Phi is the leverage of w_{j}",
                        left=leverage(features.kernel(), x.lam, Phi.tolist()),
                        relation="=",
                        right=features.leverage(x.lam)[j],
                    )
                )
        return found

    return ForEach(claims=claims)


def _has_several_columns(x: FeatureRidge) -> str | None:
    d2 = len(x.phi[0][0])
    return None if d2 >= 2 else f"d2 must be at least 2, got d2 = {d2}"


def _drawn() -> Any:
    from theorems.glss.leverage_strategies import feature_ridges as drawn

    return drawn().filter(lambda x: _has_several_columns(x) is None)


STATEMENT = Statement(
    id="glss.def3.1.as_printed",
    number="3.1 as printed",
    title="The ridge leverage function, with Phi as printed",
    kind="Definition",
    says=r"\Phi(w)=\left[\phi(x_1,w)^\top,\dots,\phi(x_n,w)^\top\right]^\top\in\mathbb{R}^{n\times d_2}",
    plainly="The transposed features, laid side by side and transposed again, form an n x d2 matrix.",
    source=GLSS.at("Section 3.1, Definition 3.1"),
    deviation="",
    constant="explicit",
    hypotheses=(
        RIDGE_POSITIVE,
        Hypothesis(says="d2 >= 2", holds=_has_several_columns),
    ),
    conclusion=conclusion(as_printed),
    instances=lambda _profile: (TWO_BY_THREE, SQUARE, NEURONS),
    twins=(
        BrokenTwin(
            name="rows_left_lying",
            because="without the outer transpose the stack is 1 x n d2",
            conclusion=conclusion(lambda columns: np.hstack([phi.T for phi in columns])),
            refuted_on=TWO_BY_THREE,
        ),
        BrokenTwin(
            name="columns_side_by_side",
            because="Section 4's stack without its transpose is d2 x n; where n = d2 only the leverage shows it",
            conclusion=conclusion(np.hstack),
            refuted_on=SKEW,
        ),
        BrokenTwin(
            name="coordinates_added",
            because="one number per point, the sum of its feature, is n x 1",
            conclusion=conclusion(lambda columns: np.array([[sum(phi[:, 0].tolist())] for phi in columns])),
            refuted_on=TWO_BY_THREE,
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(SHAPE,),
    notes=("For d2 = 1, as for complex Fourier features, the printed stack is right.",),
    strategy=_drawn,
)
