r"""Equations (15) and (16): how the predictions at a test point move, for kernel regression and for the network.

    d u_ntk,test / dt = kappa^2 K(x_test, X)^T (Y - u_ntk) - lam u_ntk,test
    d u_nn,test / dt  = kappa^2 K_t(x_test, X)^T (Y - u_nn) - lam u_nn,test

(15) is the gradient flow of problem (7) in its feature space L2(N(0, I); R^d), decided on the activation cells of all
points; (16) is Euler's identity, as in (13).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from reference.arithmetic import exact
from reference.rational_networks import Exactly, fractions
from theorems.glss.equation_7_tangent_kernel_ridge_regression import features
from theorems.glss.equation_13_14_distance_along_the_flow import KAPPA
from theorems.glss.flow_moments import HYPOTHESES, ONE_NEURON, SQUARE, TRIANGLE, Moment, instances
from theorems.glss.tangent_worlds import world
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

RightSide = Callable[[Moment, Exactly, Exactly, Exactly], Exactly]
"""(moment, kernel rows of the test points, Y - u, u_test) -> the right side, one number per test point."""

Rows = Callable[[Moment], Exactly]
"""moment -> kernel rows of the test points that stand in (16)."""


def right_side(x: Moment, rows: Exactly, residual: Exactly, u_test: Exactly) -> Exactly:
    """Give kappa^2 K_test (Y - u) - lam u_test."""
    found: Exactly = x.kappa**2 * rows @ residual - x.lam * u_test
    return found


def _linear(x: Moment, right: RightSide) -> list[Claim]:
    """Compare (15): problem (7) in its own feature space, where beta has one vector per activation cell.

    d beta_c / dt = kappa sum_i 1_c(x_i) rho_i x_i - lam beta_c and u = kappa sum_c P_c 1_c(x) x.beta_c; the kernel on
    the right is the closed form, which knows no cells.
    """
    w, n = world((*x.X, *x.new), True), len(x.X)
    A, D = features(w)
    beta = fractions([(-1) ** k * Fraction(k + 1, len(D)) for k in range(len(D))])
    u = x.kappa * A @ (D * beta)
    residual, u_test = fractions(x.Y) - u[:n], u[n:]
    moving = x.kappa * (A[:n].T @ residual) - x.lam * beta
    return _equal("(15)", x.kappa * A[n:] @ (D * moving), right(x, x.K_test, residual, u_test))


def _network(x: Moment, right: RightSide, rows: Rows) -> list[Claim]:
    net, new = x.network, fractions(x.new)
    return _equal("(16)", net.velocity(new), right(x, rows(x), net.Y - net.outputs(net.X), net.outputs(new)))


def _equal(name: str, velocity: Exactly, right: Exactly) -> list[Claim]:
    return [
        Claim(says=f"{name}: d u_test / dt at test point {k}", left=exact(v), relation="=", right=exact(r))
        for k, (v, r) in enumerate(zip(velocity, right, strict=True))
    ]


def _current(x: Moment) -> Exactly:
    return x.network.kernel(fractions(x.new))


def conclusion(right: RightSide, rows: Rows = _current) -> ForEach:
    """Give the sentence 'both predictions move as the right side says', the network's with these kernel rows."""

    def claims(x: Moment) -> Sequence[Claim]:
        return [*_linear(x, right), *_network(x, right, rows)]

    return ForEach(claims=claims)


def _twin(
    name: str, because: str, refuted_on: Moment, right: RightSide = right_side, rows: Rows = _current
) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(right, rows), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.glss.flow_strategies import moments

    return moments()


STATEMENT = Statement(
    id="glss.eq15-16",
    number="(15), (16)",
    title="How test predictions move along the flow",
    kind="Equation",
    says=r"\frac{du_{\mathrm{ntk},\mathrm{test}}}{dt}=\kappa^2K_{\mathrm{ntk}}(x_{\mathrm{test}},X)^{\top}"
    r"(Y-u_{\mathrm{ntk}})-\lambda u_{\mathrm{ntk},\mathrm{test}},\qquad"
    r"\frac{du_{\mathrm{nn},\mathrm{test}}}{dt}=\kappa^2K_t(x_{\mathrm{test}},X)^{\top}(Y-u_{\mathrm{nn}})"
    r"-\lambda u_{\mathrm{nn},\mathrm{test}}",
    plainly="Predictions at a test point are driven by the residual on the data through the kernel and pulled to 0 by "
    "weight decay, for kernel regression with its fixed kernel and for the network with its current one.",
    source=GLSS.at("Section 4, equations (15) and (16)"),
    deviation="(15) at any weights beta, not only on the path from 0; (16) for almost every t, since the flow of the "
    "network has kinks (E23)",
    constant="explicit",
    hypotheses=HYPOTHESES,
    conclusion=conclusion(right_side),
    instances=instances,
    twins=(
        _twin(
            "kappa_for_its_square",
            "the multiplier enters the output and its gradient",
            ONE_NEURON,
            lambda x, rows, residual, u_test: right_side(x, rows, residual / x.kappa, u_test),
        ),
        _twin(
            "weight_decay_left_out",
            "without - lambda u the predictions would interpolate",
            ONE_NEURON,
            lambda x, rows, residual, u_test: right_side(x, rows, residual, 0 * u_test),
        ),
        _twin(
            "weight_decay_with_the_wrong_sign",
            "+ lambda u grows",
            ONE_NEURON,
            lambda x, rows, residual, u_test: right_side(x, rows, residual, -u_test),
        ),
        _twin(
            "limit_for_the_current_kernel",
            "K_ntk for K_t in (16)",
            SQUARE,
            rows=lambda x: x.K_test,
        ),
        _twin(
            "labels_for_the_residual",
            "Y for Y - u: the drive does not stop when the data are fitted",
            TRIANGLE,
            lambda x, rows, _residual, u_test: right_side(x, rows, fractions(x.Y), u_test),
        ),
    ),
    misprints=(KAPPA,),
    notes=("Both carry kappa^2 in print, unlike (13) and (14).",),
    strategy=_drawn,
)
