"""What (2) does NOT imply: closeness of the predictions away from the data.

    |f~(z) - f(z)| <= eps / (1 - eps) sqrt(lam Y^T (K + lam I)^-1 Y)   for z not in X:   false

An approximation of K on X says nothing about K(z, X). True with another bound once z counts among the data:
`corollary_new_point`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from reference.arithmetic import quadratic_form, rational_inverse
from reference.exact_linear_algebra import shifted
from theorems.glss.approximation_instances import ACCURACY, APPROXIMATION, RIDGE
from theorems.glss.new_point_instances import APART, APART_CLOSE, EXTENDED_KERNELS, NewPoint, predictions
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Statement

Bound = Callable[[NewPoint], Fraction]


def _as_on_the_data(x: NewPoint) -> Fraction:
    """Give the square of the bound of `corollary_in_sample_predictions`."""
    return (x.eps / (1 - x.eps)) ** 2 * x.lam * quadratic_form(rational_inverse(shifted(x.K, x.lam)), x.Y)


def _labels(x: NewPoint) -> Fraction:
    return (x.eps / (1 - x.eps)) ** 2 * sum((y * y for y in x.Y), Fraction(0))


def _by_variance(x: NewPoint) -> Fraction:
    """Give the square of the bound of `corollary_new_point`."""
    variance = x.corner - quadratic_form(rational_inverse(shifted(x.K, x.lam)), x.row)
    return _as_on_the_data(x) / x.lam * (variance + x.lam)


def _claims(x: NewPoint, bound: Bound = _as_on_the_data) -> Sequence[Claim]:
    f, f_tilde = predictions(x)
    return (Claim(says="|f~(z) - f(z)|^2 <= the bound^2", left=(f_tilde - f) ** 2, relation="<=", right=bound(x)),)


def _twin(name: str, because: str, refuted_on: NewPoint, bound: Bound) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=ForEach(claims=lambda x: _claims(x, bound)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="cor.outsample",
    number="cor.outsample",
    title="Predictions away from the data are not controlled",
    kind="Corollary",
    says=r"\lvert\tilde f(z)-f(z)\rvert\le\frac{\varepsilon}{1-\varepsilon}\sqrt{\lambda Y^{\top}(K+\lambda I)^{-1}Y}"
    r"\quad\text{for}\quad z\notin X",
    plainly="False: an approximation that is as good as one likes on the data may predict anything elsewhere.",
    source=GLSS.at("Section 3.1, not a consequence of equation (2)"),
    deviation="not printed; a tempting reading of (2), kept with its counterexample",
    constant="proved here",
    hypotheses=(EXTENDED_KERNELS, RIDGE, ACCURACY, APPROXIMATION),
    conclusion=ForEach(claims=_claims),
    instances=lambda _profile: (APART, APART_CLOSE),
    twins=(
        _twin("by_the_labels", "nor is the length of Y a bound", APART, _labels),
        _twin(
            "a_thousand_times_the_bound",
            "nor does any constant help",
            APART_CLOSE,
            lambda x: 10**6 * _as_on_the_data(x),
        ),
        _twin(
            "variance_bound_without_its_hypothesis",
            "the bound of `cor.newpoint` needs (2) on X and z together",
            APART_CLOSE,
            _by_variance,
        ),
    ),
    expected=Finding.REFUTED,
    notes=("The witness has K = Kt on X, so every eps > 0 is allowed, and K(z, z) = Kt(z, z); only K(z, x) differs.",),
)
