r"""Remark 4.2: with k trained layers, a regulariser lam / k pulls the outputs by exactly -lam u.

    <df/dW_l, W_l> = f  for every layer,   hence  <grad f, theta> = k f  over the k trained ones, and

    du/dt = Theta(t) (Y - u) - lam u    under the loss  ||Y - u||^2 / 2 + (lam / k) ||theta||^2 / 2

since f is homogeneous of degree 1 in each layer (Euler). This is what the remark rests on ("due to the piecewise
linearity of the output with respect to the training parameters"); what it concludes from it is another matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference.arithmetic import exact
from reference.exact_linear_algebra import column
from reference.rational_networks import Exactly, fractions
from theorems.glss.remark_4_2_networks import (
    BIASED,
    FOUR,
    HYPOTHESES,
    NO_BIASES,
    PARTLY,
    THREE,
    TWO,
    DeepMoment,
    evaluate,
    instances,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the remark may be read.

    Parameters
    ----------
    layers : what 'the number of layers of parameters trained' is
    divided : whether the regulariser is divided by it
    """

    layers: Callable[[DeepMoment], int] = lambda x: len(x.trained)
    divided: bool = True


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of it, the right one or a broken one."""

    def claims(x: DeepMoment) -> Sequence[Claim]:
        here, trained = evaluate(x, x.weights), [x.weights[k - 1] for k in x.trained]
        products = [
            (g * W[None]).reshape(len(here.u), -1).sum(axis=1) for g, W in zip(here.gradients, trained, strict=True)
        ]
        count = reading.layers(x)
        rho = fractions(x.Y) - here.u
        decay = x.lam / count if reading.divided else x.lam
        velocity = _velocity(here.gradients, trained, rho, decay)
        return [
            *(_same(f"<df/dW, W> = f for layer {k}", p, here.u) for k, p in zip(x.trained, products, strict=True)),
            _same("<grad f, theta> = k f", sum(products), count * here.u),
            _same("du/dt = Theta (Y - u) - lam u", velocity, here.kernel @ rho - x.lam * here.u),
        ]

    return ForEach(claims=claims, facts=lambda x: {"layers": len(x.layers), "trained": len(x.trained)})


def _velocity(gradients: list[Exactly], trained: list[Exactly], rho: Exactly, decay: Fraction) -> Exactly:
    """Give du/dt = <grad u, dtheta/dt>, dtheta/dt = sum_i rho_i grad u_i - decay theta."""
    n, velocity = len(rho), fractions([0] * len(rho))
    for g, W in zip(gradients, trained, strict=True):
        moved = (rho[:, None, None] * g).sum(axis=0) - decay * W
        velocity = velocity + (g * moved[None]).reshape(n, -1).sum(axis=1)
    return velocity


def _same(says: str, left: Any, right: Any) -> Claim:
    return Claim(
        says=says, left=column([exact(v) for v in left]), relation="=", right=column([exact(v) for v in right])
    )


def _twin(
    name: str, because: str, refuted_on: DeepMoment, reading: Reading, without: tuple[str, ...] = ()
) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(reading), refuted_on=refuted_on, without=without
    )


def _drawn() -> Any:
    from theorems.glss.remark_4_2_strategies import deep_moments

    return deep_moments()


STATEMENT = Statement(
    id="glss.rem4.2",
    number="4.2",
    title="Several trained layers: the pull of the regulariser",
    kind="Remark",
    says=r"\left\langle\frac{\partial f}{\partial W_l},W_l\right\rangle=f\ \ \forall l,\qquad"
    r"\frac{du}{dt}=\Theta(t)(Y-u)-\lambda u\quad\text{under}\quad"
    r"\frac12\lVert Y-u\rVert_2^2+\frac{\lambda}{2k}\lVert\theta\rVert_2^2",
    plainly="With k trained layers without biases, a regulariser divided by k pulls the outputs by exactly lambda u.",
    source=GLSS.at("Remark 4.2"),
    deviation="the identity that the remark rests on, for the k layers that are trained; the print does not exclude "
    "biases. That training is then equivalent to kernel regression is judged in `glss.rem4.2.as_printed`",
    constant="explicit",
    hypotheses=HYPOTHESES,
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "lambda_for_every_layer",
            "the regulariser not divided: each of the L layers pulls by lam u",
            TWO,
            replace(PRINTED, divided=False),
        ),
        _twin(
            "frozen_layers_counted",
            "the number of all layers, where only some are trained",
            PARTLY,
            replace(PRINTED, layers=lambda x: len(x.layers)),
        ),
        _twin(
            "hidden_layers_counted",
            "the output layer is trained too",
            THREE,
            replace(PRINTED, layers=lambda x: len(x.layers) - 1),
        ),
        _twin(
            "pairs_of_layers_counted",
            "f is of degree L in theta, not of degree 2 as a network of two layers is",
            FOUR,
            replace(PRINTED, layers=lambda _: 2),
        ),
        _twin(
            "biases_trained_too",
            "with biases f is not homogeneous: that of layer l would need the regulariser l lam / L",
            BIASED,
            PRINTED,
            without=(NO_BIASES.says,),
        ),
    ),
    strategy=_drawn,
)
