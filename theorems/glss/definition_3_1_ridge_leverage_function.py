r"""Definition 3.1: the ridge leverage function, and the order relations that locate it.

    q_lambda(w) = p(w) tau(w),   tau(w) = tr Phi(w)^T (K + lam I)^-1 Phi(w)

Its integral is equation (4), a statement of its own; the shape that the print gives to Phi(w) is another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference import finite_features as finite
from reference.arithmetic import Interval, Rows, rational_inverse, rational_product, rational_trace
from reference.exact_linear_algebra import shifted, transposed
from reference.rational_eigenvalues import greatest_eigenvalue, least_eigenvalue
from theorems.glss.equation_4_statistical_dimension import RIDGE_POSITIVE
from theorems.glss.leverage_instances import NEURONS, SKEW, SQUARE, TWO_BY_THREE, FeatureRidge, feature_ridges
from theorems.glss.leverage_quantities import over, plus, point
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Misprint, Statement


def form(M: Rows, Phi: Rows) -> Fraction:
    """Evaluate tr Phi^T M Phi, the trace of a d2 x d2 matrix as printed."""
    return rational_trace(rational_product(rational_product(transposed(Phi), M), Phi))


def leverage(K: Rows, lam: Fraction, Phi: Rows) -> Fraction:
    """Give tau of one feature Phi, (n, d2)."""
    return form(rational_inverse(shifted(K, lam)), Phi)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about Definition 3.1.

    Parameters
    ----------
    leverage : (K, lam, Phi) -> tau of one feature
    floor : (greatest, least eigenvalue of K) -> the one in the lower bound ||Phi||_F^2 / (eigenvalue + lam)
    ceiling : the same for the upper bound
    """

    leverage: Callable[[Rows, Fraction, Rows], Fraction] = leverage
    floor: Callable[[Interval, Interval], Interval] = lambda greatest, _least: greatest
    ceiling: Callable[[Interval, Interval], Interval] = lambda _greatest, least: least


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of Definition 3.1, the printed one or a broken one."""

    def claims(x: FeatureRidge) -> list[Claim]:
        features = finite.from_features(x.p, x.phi)
        K, turned = features.kernel(), features.leverage(x.lam)
        greatest, least = greatest_eigenvalue(K), least_eigenvalue(K)
        lower, upper = (plus(of(greatest, least), point(x.lam)) for of in (reading.floor, reading.ceiling))
        found = []
        for j, Phi in enumerate(x.phi):
            tau = reading.leverage(K, x.lam, Phi)
            squares = point(sum((t * t for row in Phi for t in row), Fraction(0)))
            found += [
                Claim(
                    says=f"tau_{j} = tr (K + lambda I)^-1 Phi Phi^T: the trace may be turned",
                    left=tau,
                    relation="=",
                    right=turned[j],
                ),
                Claim(
                    says=f"||Phi||_F^2 / (||K|| + lambda) <= tau_{j}",
                    left=over(squares, lower),
                    relation="<=",
                    right=tau,
                ),
                Claim(
                    says=f"tau_{j} <= ||Phi||_F^2 / (lambda_min + lambda)",
                    left=tau,
                    relation="<=",
                    right=over(squares, upper),
                ),
                Claim(
                    says=f"p_{j} tau_{j} <= min(n, d2): an atom serves no more directions than it has",
                    left=x.p[j] * tau,
                    relation="<=",
                    right=Fraction(min(len(Phi), len(Phi[0]))),
                ),
            ]
        return found

    return ForEach(claims=claims)


def _by_operator_norm(K: Rows, lam: Fraction, Phi: Rows) -> Fraction:
    inner = rational_product(rational_product(transposed(Phi), rational_inverse(shifted(K, lam))), Phi)
    return greatest_eigenvalue(inner)[1]


def _by_squared_inverse(K: Rows, lam: Fraction, Phi: Rows) -> Fraction:
    inverse = rational_inverse(shifted(K, lam))
    return form(rational_product(inverse, inverse), Phi)


def _twin(name: str, because: str, refuted_on: FeatureRidge, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.leverage_strategies import feature_ridges as drawn

    return drawn()


SHAPE = Misprint(
    id="E4",
    says="Definition 3.1: Phi(w) = [phi(x_1, w)^T, ..., phi(x_n, w)^T]^T in R^{n x d2}",
    instead="[phi(x_1, w), ..., phi(x_n, w)]^T, as in Section 4; the printed stack is n d2 x 1",
    witness="two-by-three: shapes 6 x 1 and 2 x 3; a statement of its own, glss.def3.1.as_printed",
)

STATEMENT = Statement(
    id="glss.def3.1",
    number="3.1",
    title="The ridge leverage function",
    kind="Definition",
    says=r"q_\lambda(w)=p(w)\cdot\operatorname{tr}\left[\Phi(w)^\top(K+\lambda I_n)^{-1}\Phi(w)\right]"
    r"\quad\frac{\|\Phi(w)\|_F^2}{\|K\|+\lambda}\le\frac{q_\lambda(w)}{p(w)}\le"
    r"\frac{\|\Phi(w)\|_F^2}{\lambda_{\min}(K)+\lambda}",
    plainly="The ridge leverage of a feature lies between its squared Frobenius norm over ||K|| + lambda and over "
    "lambda_min + lambda; it vanishes only where the feature does, and an atom has at most min(n, d2) of it.",
    source=GLSS.at("Section 3.1, Definition 3.1"),
    deviation="The print defines; the order relations are what a definition can be wrong about. Phi(w) is n x d2, rows "
    "phi(x_i, w)^T, against the printed stack (E4).",
    constant="explicit",
    hypotheses=(
        RIDGE_POSITIVE,
        Hypothesis(
            says="K(x, z) = E_p[phi(x, w)^T phi(z, w)]",
            guaranteed_by="K is averaged from the same features, exactly",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=feature_ridges,
    twins=(
        _twin(
            "bounds_flipped",
            "lambda_min belongs to the upper bound: tau >= ||Phi||_F^2 / (lambda_min + lambda) is false off K = c I",
            NEURONS,
            floor=lambda _greatest, least: least,
            ceiling=lambda greatest, _least: greatest,
        ),
        _twin(
            "ridge_times_n",
            "(K + n lambda I)^-1 belongs to kernels divided by n",
            TWO_BY_THREE,
            leverage=lambda K, lam, Phi: leverage(K, len(K) * lam, Phi),
        ),
        _twin(
            "kernel_left_out",
            "||Phi||_F^2 / lambda is only an upper bound",
            NEURONS,
            leverage=lambda _K, lam, Phi: form(shifted([[0] * len(Phi) for _ in Phi], 1 / lam), Phi),
        ),
        _twin(
            "ridge_left_out",
            "K^-1 for (K + lambda I)^-1: plain leverage, the limit lambda -> 0",
            SKEW,
            leverage=lambda K, _lam, Phi: leverage(K, Fraction(0), Phi),
        ),
        _twin(
            "operator_norm_for_trace",
            "the largest eigenvalue of Phi^T (K + lambda I)^-1 Phi for its trace: equal for d2 = 1 only",
            SQUARE,
            leverage=_by_operator_norm,
        ),
        _twin(
            "inverse_squared",
            "||(K + lambda I)^-1 Phi||_F^2 for ||(K + lambda I)^-1/2 Phi||_F^2",
            TWO_BY_THREE,
            leverage=_by_squared_inverse,
        ),
    ),
    misprints=(SHAPE,),
    strategy=_drawn,
)
