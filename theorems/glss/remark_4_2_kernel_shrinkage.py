r"""What Remark 4.2 leaves out: with k >= 2 trained layers weight decay shrinks the tangent kernel.

    f(c theta) = c^k f(theta),   Theta(c theta) = c^(2k - 2) Theta(theta)       c > 0 multiplies the trained layers

A regulariser lam / k multiplies theta by e^(-lam t / k), all else apart, and so the kernel by e^(-2 (k - 1) lam t / k).
For k = 1, the setting of the paper, nothing shrinks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference.arithmetic import exact
from reference.exact_linear_algebra import column
from theorems.glss.remark_4_2_networks import (
    BIASED,
    FIRST,
    HYPOTHESES,
    NO_BIASES,
    THREE,
    TWO,
    DeepMoment,
    evaluate,
    instances,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Misprint, Statement

FACTORS = (Fraction(1, 2), Fraction(99, 100), Fraction(3))


@dataclass(frozen=True, kw_only=True)
class Degrees:
    """What is claimed about theta -> c theta.

    Parameters
    ----------
    output, kernel : trained layers -> power of c
    """

    output: Callable[[int], int] = lambda k: k
    kernel: Callable[[int], int] = lambda k: 2 * k - 2


TRUE = Degrees()

SHRINKAGE = Misprint(
    id="E14",
    says="the regularised flows are similar for several trained layers too, 'if the regularization parameter is "
    "divided by the number of layers' (Remark 4.2)",
    instead="du/dt = e^(-2 (L - 1) lam t / L) Theta (Y - u) - lam u: similar only as long as lam T is small",
    witness="two layers, Theta = 1, lam = 1/2, Y = 1: u* = 2/3, and u(T) <= 2/3 - 1/8 for every T",
)


def conclusion(degrees: Degrees) -> ForEach:
    """Give the sentence for some degrees, the right ones or broken ones."""

    def claims(x: DeepMoment) -> Sequence[Claim]:
        here, k = evaluate(x, x.weights), len(x.trained)
        found = []
        for c in FACTORS:
            there = evaluate(x, x.scaled(c))
            output, kernel = c ** degrees.output(k), c ** degrees.kernel(k)
            found += [
                Claim(
                    says=f"f(c theta) = c^{degrees.output(k)} f(theta), c = {c}",
                    left=column([exact(v) for v in there.u]),
                    relation="=",
                    right=column([exact(output * v) for v in here.u]),
                ),
                Claim(
                    says=f"Theta(c theta) = c^{degrees.kernel(k)} Theta(theta), c = {c}",
                    left=there.kernel.tolist(),
                    relation="=",
                    right=(kernel * here.kernel).tolist(),
                ),
            ]
        return found

    return ForEach(claims=claims, facts=lambda x: {"layers": len(x.layers), "trained": len(x.trained)})


def _twin(
    name: str, because: str, refuted_on: DeepMoment, degrees: Degrees, without: tuple[str, ...] = ()
) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(degrees), refuted_on=refuted_on, without=without
    )


def _drawn() -> Any:
    from theorems.glss.remark_4_2_strategies import deep_moments

    return deep_moments()


STATEMENT = Statement(
    id="glss.rem4.2.shrinkage",
    number="4.2, the kernel",
    title="Several trained layers: weight decay shrinks the tangent kernel",
    kind="Remark",
    says=r"\Theta(c\,\theta)=c^{2(k-1)}\,\Theta(\theta),\qquad f(c\,\theta)=c^{k}f(\theta)\qquad\forall c>0",
    plainly="The tangent kernel of k trained layers is homogeneous of degree 2k - 2, so that weight decay shrinks it "
    "unless one layer only is trained.",
    source=GLSS.at("Remark 4.2"),
    deviation="not printed: the remark compares the two terms of the flows one by one, and this is what makes the "
    "first one of them change under the second (E14)",
    constant="proved here",
    hypotheses=HYPOTHESES,
    conclusion=conclusion(TRUE),
    instances=instances,
    twins=(
        _twin("kernel_keeps_its_size", "as the remark takes for granted", TWO, replace(TRUE, kernel=lambda _: 0)),
        _twin(
            "two_layers_for_any_number",
            "degree 2 in the kernel: right for two layers",
            THREE,
            replace(TRUE, kernel=lambda _: 2),
        ),
        _twin(
            "degree_of_the_squared_output",
            "2k: a derivative has one degree less, and so the kernel two",
            FIRST,
            replace(TRUE, kernel=lambda k: 2 * k),
        ),
        _twin(
            "degree_one", "f is of degree 1 in each layer, not in all together", TWO, replace(TRUE, output=lambda _: 1)
        ),
        _twin("biases_trained_too", "with biases neither is homogeneous", BIASED, TRUE, without=(NO_BIASES.says,)),
    ),
    misprints=(SHRINKAGE,),
    strategy=_drawn,
)
