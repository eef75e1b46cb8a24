r"""Definition 3.5 and equation (6): the regularised squared loss of the network and its gradient.

    L(W) = ||Y - kappa f(W, X)||^2 / 2 + lam ||W||_F^2 / 2
    dL/dw_r = -(kappa a_r / sqrt m) sum_i (y_i - u_i) 1_ir x_i + lam w_r,   u = kappa f(W, X)

Between kinks f is linear in W and L is quadratic, so that its difference quotient over a short step is the derivative
itself: (L(W + h e) - L(W - h e)) / (2 h) = <dL/dW, e>, exactly. The left side knows only the definition of L.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import exact
from reference.exact_linear_algebra import column
from reference.rational_networks import Exactly
from theorems.glss.flow_moments import DUPLICATES, ONE_NEURON, SQUARE, TRIANGLE, Moment, instances
from theorems.glss.network_moments import HALF_SEEN, NO_KINKS, RANGES, SIGNS, Loss, dot, loss, short_step
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Misprint, Statement

Gradient = Callable[[Moment], Exactly]
"""moment -> dL/dW, (m, d)."""


def gradient(x: Moment) -> Exactly:
    """Give the gradient by its formula, as the reference object has it."""
    return -x.network.weight_velocity()


def push(x: Moment) -> Exactly:
    """Give the part of the gradient that comes from the data: (m, d)."""
    from_data: Exactly = gradient(x) - x.lam * x.network.W
    return from_data


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the loss and its gradient.

    Parameters
    ----------
    loss : the objective
    gradient : its claimed gradient
    convex : claim that L is convex on the segment from W to -W, which crosses kinks
    """

    loss: Loss = loss
    gradient: Gradient = gradient
    convex: bool = False


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of (6), the printed one or a broken one."""

    def claims(x: Moment) -> Sequence[Claim]:
        W, h = x.network.W, short_step(x)
        here = reading.loss(x, W)
        slopes, curvatures = [], []
        for r, k in np.ndindex(W.shape):
            e = 0 * W
            e[r, k] = h
            ahead, behind = reading.loss(x, W + e), reading.loss(x, W - e)
            slopes.append((ahead - behind) / (2 * h))
            curvatures.append((ahead - 2 * here + behind) / h**2)
        across = (x.network.gradients(x.network.X) ** 2).sum(axis=0)
        found = [
            Claim(
                says="dL/dW = -sum_i (y_i - u_i) du_i/dW + lambda W, coordinate by coordinate",
                left=column(slopes),
                relation="=",
                right=column(reading.gradient(x).ravel().tolist()),
            ),
            Claim(
                says="between kinks d^2L = sum_i (du_i)^2 + lambda, coordinate by coordinate",
                left=column(curvatures),
                relation="=",
                right=column([exact(v) + x.lam for v in across.ravel()]),
            ),
        ]
        if reading.convex:
            ends = (reading.loss(x, W) + reading.loss(x, -W)) / 2
            found.append(
                Claim(says="L(0) <= (L(W) + L(-W)) / 2", left=reading.loss(x, 0 * W), relation="<=", right=ends)
            )
        return found

    return ForEach(claims=claims)


def _mean(x: Moment, W: Exactly) -> Fraction:
    """Give the loss with the mean of squared errors for their sum."""
    ridge = x.lam * dot(W, W) / 2
    return (loss(x, W) - ridge) / len(x.Y) + ridge


def _unshrunk(x: Moment) -> Moment:
    """Forget the multiplier: kappa = 1 in the outputs and in their gradient."""
    return replace(x, kappa=Fraction(1))


def _twin(name: str, because: str, refuted_on: Moment, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.flow_strategies import moments

    return moments()


FOOTNOTE = Misprint(
    id="E13",
    says="footnote 9: kappa > 0 for 'the training equivalence result', 'same as what is used in [AKM+17]'; after (7): "
    "f_ntk(beta, X) 'are the test data predictors'",
    instead="kappa = 1 for the training equivalence (Theorem 3.6), kappa small for the test equivalence (Theorem 3.7), "
    "as in [ADH+19a]; f_ntk(beta, X) are the training data predictors, and kappa f_ntk what is compared with u*",
    witness="Theorem 3.6 sets kappa = 1 and speaks of the training data; AKM+17 train no network",
)

STATEMENT = Statement(
    id="glss.eq6",
    number="(6)",
    title="Training with regularisation: the loss and its gradient",
    kind="Definition",
    says=r"\min_W\frac{1}{2}\lVert Y-\kappa f_{\mathrm{nn}}(W,X)\rVert_2^2+\frac{1}{2}\lambda\lVert W\rVert_F^2"
    r"\quad\frac{\partial L}{\partial w_r}=-\frac{\kappa a_r}{\sqrt{m}}\sum_{i=1}^{n}(y_i-u_i)\,"
    r"\sigma'(w_r^{\top}x_i)\,x_i+\lambda w_r",
    plainly="What gradient descent follows: each neuron is pushed along the points it sees by their residuals, and "
    "shrunk by the ridge.",
    source=GLSS.at("Section 3.2.1, Definition 3.5, equation (6)"),
    deviation="The gradient is not printed; it is what training uses. Away from kinks. 'Iteration t' is read as the "
    "time of the gradient flow, which descent with a small step follows.",
    constant="explicit",
    hypotheses=(RANGES, NO_KINKS, SIGNS),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "multiplier_forgotten",
            "kappa multiplies the output and its gradient",
            ONE_NEURON,
            gradient=lambda x: gradient(_unshrunk(x)),
        ),
        _twin(
            "multiplier_in_the_residual_only",
            "the push carries a kappa of its own",
            SQUARE,
            gradient=lambda x: push(x) / x.kappa + x.lam * x.network.W,
        ),
        _twin(
            "residual_with_the_wrong_sign",
            "u - y for y - u: ascent",
            TRIANGLE,
            gradient=lambda x: -push(x) + x.lam * x.network.W,
        ),
        _twin(
            "ridge_not_halved",
            "lambda ||W||^2 / 2 has the gradient lambda W, not 2 lambda W",
            DUPLICATES,
            gradient=lambda x: push(x) + 2 * x.lam * x.network.W,
        ),
        _twin(
            "ridge_left_out",
            "weight decay acts on every neuron, seen or not",
            SQUARE,
            gradient=push,
        ),
        _twin(
            "mean_of_squares",
            "the errors are summed, not averaged",
            SQUARE,
            loss=_mean,
        ),
        _twin(
            "convex",
            "L is quadratic between kinks only; unlike (7), (6) is not convex",
            HALF_SEEN,
            convex=True,
        ),
    ),
    misprints=(FOOTNOTE,),
    strategy=_drawn,
)
