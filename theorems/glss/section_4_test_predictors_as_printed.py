r"""The end of Section 4 as printed: both distances at the test point are bounded from below (erratum E3). False.

    | u_nn,test(T) - u_ntk,test(T) | >= eps/2     and     | u_nn,test(T) - u*_test | >= eps

Counterexample for every width, every draw and every T: x_test = 0, where all three predictions are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Hypothesis, Instance, Misprint, Statement

REVERSED = Misprint(
    id="E3",
    says="Section 4, last displays: |u_nn,test(T) - u_ntk,test(T)| >= eps/2 and |u_nn,test(T) - u*_test| >= eps",
    instead="<= in both: the triangle inequality then gives Theorem 3.7",
    witness="x_test = 0: every prediction there is 0 at every time; a statement of its own, glss.sec4.end.as_printed",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class AtTheOrigin(Instance):
    """A test point at which a homogeneous network predicts 0, whatever its weights.

    Parameters
    ----------
    pre_activations : (m,) w_r(T) . x_test, all 0
    signs : (m,)
    eps : accuracy
    """

    pre_activations: tuple[Fraction, ...]
    signs: tuple[Fraction, ...]
    eps: Fraction

    @property
    def prediction(self) -> Fraction:
        """Give sqrt(m) f(W, x_test) = sum_r a_r sigma(w_r . x_test)."""
        pairs = zip(self.signs, self.pre_activations, strict=True)
        return sum((a * max(z, Fraction(0)) for a, z in pairs), Fraction(0))


def _at_the_origin(m: int, eps: Fraction) -> AtTheOrigin:
    return AtTheOrigin(
        name=f"origin-{m}-{eps.denominator}",
        says=f"x_test = 0, m = {m}, eps = {eps}: u_nn,test = u_ntk,test = u*_test = 0",
        pre_activations=(Fraction(0),) * m,
        signs=tuple(Fraction((-1) ** r) for r in range(m)),
        eps=eps,
    )


NARROW, WIDE = _at_the_origin(1, Fraction(1, 11)), _at_the_origin(64, Fraction(1, 1000))

Floor = Callable[[Fraction], Fraction]


def conclusion(to_the_flow: Floor, to_the_limit: Floor) -> ForEach:
    """Give the sentence for two lower bounds as functions of eps."""

    def claims(x: AtTheOrigin) -> Sequence[Claim]:
        distance = abs(x.prediction)  # K(0, X) = 0, so that u_ntk,test = u*_test = 0
        return (
            Claim(says="eps/2 <= |u_nn,test - u_ntk,test|", left=to_the_flow(x.eps), relation="<=", right=distance),
            Claim(says="eps <= |u_nn,test - u*_test|", left=to_the_limit(x.eps), relation="<=", right=distance),
        )

    return ForEach(claims=claims)


def _twin(name: str, because: str, refuted_on: AtTheOrigin, flow: Floor, limit: Floor) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(flow, limit), refuted_on=refuted_on)


STATEMENT = Statement(
    id="glss.sec4.end.as_printed",
    number="4, last displays as printed",
    title="Test predictions, with the inequalities reversed",
    kind="Step of a proof",
    says=r"\left|u_{\mathrm{nn},\mathrm{test}}(T)-u_{\mathrm{ntk},\mathrm{test}}(T)\right|\ge\varepsilon/2"
    r"\quad\text{and}\quad\left|u_{\mathrm{nn},\mathrm{test}}(T)-u^*_{\mathrm{test}}\right|\ge\varepsilon",
    plainly="False as printed: both signs are reversed.",
    source=GLSS.at("Section 4, last two displays before Remark 4.2"),
    deviation="only x_test = 0 is looked at: the network is homogeneous in x_test and K(0, X) = 0, so that all "
    "predictions there are 0; what the distances are elsewhere is not judged",
    constant="explicit",
    hypotheses=(
        Hypothesis(
            says="eps in (0, 1)",
            holds=lambda x: None if 0 < x.eps < 1 else f"eps must lie in (0, 1), got eps = {x.eps}",
        ),
        Hypothesis(
            says="x_test = 0, so that w_r(T) . x_test = 0",
            holds=lambda x: None if not any(x.pre_activations) else "pre-activations must be 0",
        ),
    ),
    conclusion=conclusion(lambda eps: eps / 2, lambda eps: eps),
    instances=lambda _profile: (NARROW, WIDE),
    twins=(
        _twin("a_tenth_of_the_distance", "no fixed part of eps", NARROW, lambda e: e / 20, lambda e: e / 10),
        _twin("square_of_the_accuracy", "no power of eps", WIDE, lambda e: e**4 / 2, lambda e: e**4),
        _twin("first_display_only", "neither display holds alone", WIDE, lambda e: e / 2, lambda e: 0 * e),
    ),
    expected=Finding.REFUTED,
    misprints=(REVERSED,),
    notes=("With <= the two displays are terms 1 to 3 and term 4 of the explicit form of Theorem 3.7.",),
)
