r"""Equations (13) and (14), with the kappa^2 that the print leaves out.

    d ||u* - u||^2 / dt = -2 (u* - u)^T (kappa^2 H + lam I) (u* - u) + 2 kappa^2 (u - u*)^T (H - H_cts) (Y - u*)

Proof. sum_r <du_i/dw_r, w_r> = u_i away from kinks (Euler), so du/dt = kappa^2 H (Y - u) - lam u. Write Y - u =
(Y - u*) + (u* - u) and use kappa^2 H_cts (Y - u*) = lam u*, which is what u* solves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from reference.arithmetic import exact
from theorems.glss.flow_moments import DUPLICATES, HYPOTHESES, ONE_NEURON, SQUARE, TRIANGLE, Moment, instances
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Misprint, Statement

KAPPA = Misprint(
    id="E1",
    says="(13), (14): -2 (u* - u)^T (H + lambda I) (u* - u) + 2 (u - u*)^T (H - H_cts) (Y - u*)",
    instead="kappa^2 H in (13) and kappa^2 before (14); the print is right for kappa = 1 only, and used for kappa < 1",
    witness="I0: the derivative is -1/120, the printed right side -17/540; a statement of its own, "
    "glss.eq13-14.as_printed",
)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What (13) and (14) are made of, each without kappa.

    Parameters
    ----------
    decay : -2 (u* - u)^T H (u* - u), the kernel's part of (13)
    shrinkage : -2 lam ||u* - u||^2, the ridge's part of (13)
    perturbation : 2 (u - u*)^T (H - H_cts) (Y - u*), (14)
    """

    decay: Fraction
    shrinkage: Fraction
    perturbation: Fraction


def terms(x: Moment) -> Terms:
    """Evaluate the terms at one moment."""
    net = x.network
    H, away = net.kernel(net.X), x.u_star - net.outputs(net.X)
    return Terms(
        decay=exact(-2 * (away @ H @ away)),
        shrinkage=exact(-2 * x.lam * (away @ away)),
        perturbation=exact(-2 * (away @ (H - x.H_cts) @ (net.Y - x.u_star))),
    )


RightSide = Callable[[Moment, Terms], Fraction]
"""(moment, terms) -> the right side."""


def right_side(x: Moment, t: Terms) -> Fraction:
    """Give (13) + (14), corrected."""
    return x.kappa**2 * t.decay + t.shrinkage + x.kappa**2 * t.perturbation


def printed(_x: Moment, t: Terms) -> Fraction:
    """Give (13) + (14) as printed, without kappa."""
    return t.decay + t.shrinkage + t.perturbation


def conclusion(right: RightSide) -> ForEach:
    """Give the sentence 'the squared distance to u* moves as the right side says'."""

    def claims(x: Moment) -> Sequence[Claim]:
        return [
            Claim(
                says="d ||u* - u||^2 / dt = (13) + (14)",
                left=x.network.distance_velocity(x.u_star),
                relation="=",
                right=right(x, terms(x)),
            )
        ]

    return ForEach(claims=claims)


def _twin(name: str, because: str, refuted_on: Moment, right: RightSide) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(right), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.glss.flow_strategies import moments

    return moments()


STATEMENT = Statement(
    id="glss.eq13-14",
    number="(13), (14)",
    title="How the distance to u* moves along the flow",
    kind="Equation",
    says=r"\frac{d\lVert u^*-u_{\mathrm{nn}}(t)\rVert_2^2}{dt}="
    r"-2(u^*-u_{\mathrm{nn}})^{\top}(\kappa^2H(t)+\lambda I)(u^*-u_{\mathrm{nn}})"
    r"+2\kappa^2(u_{\mathrm{nn}}-u^*)^{\top}(H(t)-H^{\mathrm{cts}})(Y-u^*)",
    plainly="Along the gradient flow the squared distance to u* decays with the current kernel, up to a term that "
    "vanishes with H(t) - H_cts.",
    source=GLSS.at("Section 4, equations (13) and (14)"),
    deviation="kappa^2 restored in both terms (E1); for almost every t, since the flow has kinks (E23)",
    constant="explicit",
    hypotheses=HYPOTHESES,
    conclusion=conclusion(right_side),
    instances=instances,
    twins=(
        _twin(
            "kappa_dropped",
            "the printed form: right for kappa = 1 only",
            ONE_NEURON,
            printed,
        ),
        _twin(
            "sign_of_the_second_term",
            "(u* - u) for (u - u*) in (14)",
            ONE_NEURON,
            lambda x, t: right_side(x, t) - 2 * x.kappa**2 * t.perturbation,
        ),
        _twin(
            "second_term_left_out",
            "H(t) is not H_cts: the flow does not decay towards u* alone",
            SQUARE,
            lambda x, t: right_side(x, t) - x.kappa**2 * t.perturbation,
        ),
        _twin(
            "ridge_left_out_of_the_decay",
            "weight decay is a force of its own",
            TRIANGLE,
            lambda x, t: right_side(x, t) - t.shrinkage,
        ),
        _twin(
            "two_forgotten",
            "the derivative of a square carries a factor 2",
            DUPLICATES,
            lambda x, t: right_side(x, t) / 2,
        ),
    ),
    misprints=(
        KAPPA,
        Misprint(
            id="E23",
            says="the flow is written as an ordinary differential equation, for all t",
            instead="a differential inclusion, for almost every t: on a boundary w_r . x_i = 0 that attracts from both "
            "sides a neuron slides, and H(t) has a weight theta_ir in [0, 1] there (x_i . dw_r/dt = 0, so the same "
            "weight serves both factors of H and it stays symmetric)",
            witness="about .25 to .6 sqrt m neurons chatter under gradient descent for two points",
        ),
    ),
    notes=("The identity holds for any symmetric matrix in place of H_cts, as long as u* is made from the same one.",),
    strategy=_drawn,
)
