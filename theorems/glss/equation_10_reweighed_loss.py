r"""Definition 3.8 and equation (10), with the square that the print leaves out: the loss of the reweighed network.

    fbar(W, x) = m^-1/2 sum_r a_r omega_r sigma(w_r.x),   omega_r = sqrt(p/q)(w_r(0)) frozen
    L(W) = ||Y - kappa fbar(W, X)||^2 / 2 + lam ||W||_F^2 / 2
    dL/dw_r = -(kappa a_r omega_r / sqrt m) sum_i (y_i - u_i) 1_ir x_i + lam w_r

Everything of equation (6) holds with a_r omega_r in place of a_r. The kernel at the start is that of modified random
features: <dfbar(x)/dW, dfbar(z)/dW> = psi_bar(x)^T psi_bar(z). The weights are any positive numbers here; that they
are sqrt(p/q) matters for means only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

from reference.arithmetic import exact
from reference.rational_networks import Exactly, fractions
from theorems.glss import equation_6_regularised_loss as equation_6
from theorems.glss.flow_moments import Moment
from theorems.glss.network_moments import (
    NO_KINKS,
    RANGES,
    WEIGHTED,
    WEIGHTED_TRIANGLE,
    WEIGHTS,
    Loss,
    dot,
    everything,
    loss,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Misprint, Statement


def modified_features(x: Moment, weights: Exactly) -> Exactly:
    """Give psi_bar of the tangent features at the neurons of the network, Definition 3.2: (k, m d).

    Parameters
    ----------
    weights : (m,) sqrt(p/q)(w_r)
    """
    Z, W = everything(x), x.network.W
    seen = fractions((Z @ W.T > 0).astype(int))
    phi = (seen * weights)[:, :, None] * Z[:, None, :]
    features: Exactly = phi.reshape(len(Z), -1) / Fraction(isqrt(len(W)))
    return features


def absolute(a: Exactly) -> Exactly:
    """Give the frozen weights omega_r = |a_r omega_r|: (m,)."""
    return np.abs(a)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the reweighed network.

    Parameters
    ----------
    loss, gradient : of (10)
    weights : a_r omega_r -> weight of the feature of neuron r
    euler : factor of fbar in <dfbar/dW, W>
    """

    loss: Loss = loss
    gradient: equation_6.Gradient = equation_6.gradient
    weights: Callable[[Exactly], Exactly] = absolute
    euler: Fraction = Fraction(1)


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of (10), the corrected one or a broken one."""
    derivatives = equation_6.conclusion(equation_6.Reading(loss=reading.loss, gradient=reading.gradient))

    def claims(x: Moment) -> Sequence[Claim]:
        net, Z = x.network, everything(x)
        gradients = net.gradients(Z) / x.kappa
        flat = gradients.reshape(len(Z), -1)
        Psi = modified_features(x, reading.weights(net.a))
        return [
            *derivatives.claims(x),
            Claim(
                says="<dfbar(x)/dW, dfbar(z)/dW> = psi_bar(x)^T psi_bar(z)",
                left=(flat @ flat.T).tolist(),
                relation="=",
                right=(Psi @ Psi.T).tolist(),
            ),
            Claim(
                says="<dfbar/dW, W> = fbar, the weights kept frozen",
                left=[[exact(v)] for v in (gradients * net.W).sum(axis=(1, 2))],
                relation="=",
                right=[[exact(reading.euler * v)] for v in net.outputs(Z) / x.kappa],
            ),
        ]

    return ForEach(claims=claims)


def _unweighed(x: Moment) -> Moment:
    """Forget the weights and keep the signs."""
    return replace(x, a=tuple(Fraction(1 if s > 0 else -1) for s in x.a))


def _weighs_its_ridge(x: Moment, W: Exactly) -> Fraction:
    """Give the loss with ||W diag(omega)||_F^2 for ||W||_F^2."""
    return loss(x, W) + x.lam * dot((x.network.a**2 - 1)[:, None] * W, W) / 2


ONE_WEIGHT = replace(
    WEIGHTED,
    name="square-one-weight",
    says="three points at multiples of 45 degrees, four neurons with positive signs and frozen weight 1/2, kappa = 1/3",
    a=(Fraction(1, 2),) * 4,
)


def instances(_profile: str) -> tuple[Moment, ...]:
    """Give reweighed networks, and one whose weights are all the same."""
    return (WEIGHTED, WEIGHTED_TRIANGLE, ONE_WEIGHT)


def _twin(name: str, because: str, refuted_on: Moment, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.tangent_strategies import weighted_moments

    return weighted_moments()


SQUARE_MISSING = Misprint(
    id="E2",
    says="(10): min ||Y - kappa fbar(W, X)||_2 / 2 + lambda ||W||_F^2 / 2, with sigma(w_r^T X) in fbar(W, x)",
    instead="||Y - kappa fbar(W, X)||_2^2, as in (6), and sigma(w_r^T x)",
    witness="one-point: n = d = 1, K = 1/2, Y = 1, lambda = 1/10: the printed objective is least at u = 1, the squared "
    "one at u* = 5/6; a statement of its own, glss.eq10.as_printed",
)

STATEMENT = Statement(
    id="glss.eq10",
    number="(10)",
    title="Training the reweighed network: the loss and its gradient",
    kind="Definition",
    says=r"\min_W\frac{1}{2}\lVert Y-\kappa\bar f_{\mathrm{nn}}(W,X)\rVert_2^2+\frac{1}{2}\lambda\lVert W\rVert_F^2"
    r"\quad\bar f_{\mathrm{nn}}(W,x)=\frac{1}{\sqrt{m}}\sum_{r=1}^{m}a_r\sigma(w_r^{\top}x)"
    r"\sqrt{\frac{p(w_r(0))}{q(w_r(0))}}",
    plainly="With frozen weights the network has the loss, the gradient and the homogeneity of the plain one, and its "
    "kernel at the start is that of modified random features.",
    source=GLSS.at("Section 3.2.2, Definition 3.8, equation (10)"),
    deviation="The square and the argument x are restored (E2); the gradient, the kernel and Euler's identity are not "
    "printed. Rational weights stand for sqrt(p/q): the sentence holds for any.",
    constant="explicit",
    hypotheses=(
        RANGES,
        NO_KINKS,
        WEIGHTS,
        Hypothesis(says="the weights do not move with W", guaranteed_by="they are numbers of the instance"),
    ),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "weights_forgotten_in_the_gradient",
            "a neuron is pushed by its own weight",
            WEIGHTED,
            gradient=lambda x: equation_6.gradient(_unweighed(x)),
        ),
        _twin(
            "weights_forgotten_in_the_features",
            "plain features at reweighed neurons",
            WEIGHTED,
            weights=lambda a: a / np.abs(a),
        ),
        _twin(
            "weights_squared_in_the_features",
            "p/q for its root",
            WEIGHTED_TRIANGLE,
            weights=lambda a: a**2,
        ),
        _twin(
            "ridge_on_weighed_neurons",
            "the ridge holds W, not W diag(omega)",
            WEIGHTED,
            loss=_weighs_its_ridge,
        ),
        _twin("frozen_weights_counted_as_a_layer", "only W is scaled: degree 1", WEIGHTED, euler=Fraction(2)),
    ),
    misprints=(SQUARE_MISSING,),
    notes=(
        "sqrt(p/q) is constant on activation cells and on rays, so that until a neuron leaves its cell it makes no "
        "difference whether the weights are frozen.",
    ),
    strategy=_drawn,
)
