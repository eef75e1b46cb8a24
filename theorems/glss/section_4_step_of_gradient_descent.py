r"""One step of gradient descent moves u - u* by the secant kernel, exactly, whatever crosses a boundary.

    e(k+1) = (I - h (kappa^2 S + lam I)) e(k) + h kappa^2 (S - H_cts) (Y - u*),   e = u - u*

    S_ij = (x_i.x_j / m) sum_r theta_ir 1_jr,   theta_ir = (sigma(b') - sigma(b)) / (b' - b),
    b = (1 - h lam) w_r(k).x_i,   b' = w_r(k+1).x_i          (theta_ir = 1[b >= 0] where b' = b)

This is (13)-(14) in its discrete form. Proof. sigma(b') - sigma(b) = theta_ir (b' - b) by definition, and b' - b =
h kappa a_r / sqrt m sum_j rho_j 1_jr x_i.x_j; sigma((1 - h lam) z) = (1 - h lam) sigma(z). Sum over r with a_r^2 = 1:
u(k+1) = (1 - h lam) u(k) + h kappa^2 S rho, rho = Y - u(k), and kappa^2 H_cts (Y - u*) = lam u*. S is not symmetric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

from reference.arithmetic import exact
from reference.rational_networks import Exactly, fractions
from theorems.glss.flow_moments import DUPLICATES, HYPOTHESES, ONE_NEURON, SQUARE, TRIANGLE, Moment
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Misprint, Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class Step(Moment):
    """A moment and the step of gradient descent that is taken there.

    Parameters
    ----------
    step : h > 0, with h lam < 1
    """

    step: Fraction

    def after(self) -> Exactly:
        """Give W after the step: (m, d)."""
        moved: Exactly = self.network.W + self.step * self.network.weight_velocity()
        return moved


def step_from(x: Moment, name: str, says: str, step: Fraction) -> Step:
    """Take a step of size `step` at a moment."""
    given = {f.name: getattr(x, f.name) for f in fields(x)} | {"name": name, "says": says}
    return Step(**given, step=step)


SMALL = step_from(ONE_NEURON, "I0-small-step", "I0 with h = 1/100: nothing crosses", Fraction(1, 100))
SQUARE_LEAP = step_from(SQUARE, "square-leap", "square with h = 9/2: neurons cross boundaries", Fraction(9, 2))
TRIANGLE_LEAP = step_from(TRIANGLE, "triangle-leap", "triangle with h = 2: neurons cross", Fraction(2))
DUPLICATES_LEAP = step_from(DUPLICATES, "duplicates-leap", "duplicates with h = 12: neurons cross", Fraction(12))
TRIANGLE_SMALL = step_from(TRIANGLE, "triangle-small-step", "triangle with h = 1/1000", Fraction(1, 1000))


def crossings(x: Step) -> int:
    """Count pairs (point, neuron) whose activation changes in the step."""
    X = x.network.X
    return int(((X @ x.network.W.T > 0) != (X @ x.after().T > 0)).sum())


def _indicators(products: Exactly) -> Exactly:
    return fractions((products >= 0).astype(int))


def slopes(x: Step) -> Exactly:
    """Give the secant slopes theta_ir: (n, m), each in [0, 1]."""
    before = (1 - x.step * x.lam) * (x.network.X @ x.network.W.T)
    moved = x.network.X @ x.after().T - before
    rise = np.maximum(before + moved, 0) - np.maximum(before, 0)
    still = _indicators(-abs(moved))  # 1 where b' = b
    theta: Exactly = still * _indicators(before) + (1 - still) * rise / (moved + still)
    return theta


def kernel_of(x: Step, left: Exactly, right: Exactly) -> Exactly:
    """Give (x_i.x_j / m) sum_r left_ir right_jr: (n, n)."""
    X = x.network.X
    S: Exactly = X @ X.T * (left @ right.T) / Fraction(len(x.W))
    return S


def secant_kernel(x: Step) -> Exactly:
    """Give S."""
    return kernel_of(x, slopes(x), _indicators(x.network.X @ x.network.W.T))


Kernel = Callable[[Step], Exactly]
Update = Callable[[Step, Exactly], Exactly]
"""(step, kernel) -> e(k+1)."""


def update(x: Step, S: Exactly) -> Exactly:
    """Give the right side."""
    net = x.network
    e = net.outputs(net.X) - x.u_star
    drive = S @ e - (S - x.H_cts) @ (net.Y - x.u_star)
    moved: Exactly = e - x.step * (x.kappa**2 * drive + x.lam * e)
    return moved


def _without_kappa(x: Step, S: Exactly) -> Exactly:
    net = x.network
    e = net.outputs(net.X) - x.u_star
    moved: Exactly = e - x.step * (S @ e + x.lam * e) + x.step * (S - x.H_cts) @ (net.Y - x.u_star)
    return moved


def conclusion(kernel: Kernel = secant_kernel, right: Update = update) -> ForEach:
    """Give the sentence for a kernel and an update, the paper's or broken ones."""

    def claims(x: Step) -> Sequence[Claim]:
        net = x.network
        u = x.kappa * np.maximum(net.X @ x.after().T, 0) @ net.a / isqrt(len(net.W))
        return [
            Claim(says=f"e(k+1) at point {i}", left=exact(a), relation="=", right=exact(b))
            for i, (a, b) in enumerate(zip(u - x.u_star, right(x, kernel(x)), strict=True))
        ]

    return ForEach(claims=claims, facts=lambda x: {"crossings": crossings(x)})


def _twin(name: str, because: str, refuted_on: Step, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


def _step_in_range(x: Step) -> str | None:
    return None if 0 < x.step * x.lam < 1 else f"h lam must lie in (0, 1), got h = {x.step}, lam = {x.lam}"


def _drawn() -> Any:
    from theorems.glss.flow_strategies import steps

    return steps()


STATEMENT = Statement(
    id="glss.descent-step",
    number="4, a step of gradient descent",
    title="The distance to u* over one step of gradient descent",
    kind="Step of a proof",
    says=r"e(k+1)=\left(I-h(\kappa^2S(k)+\lambda I)\right)e(k)+h\kappa^2\left(S(k)-H^{\mathrm{cts}}\right)(Y-u^*),"
    r"\quad S_{ij}=\frac{x_i^{\top}x_j}{m}\sum_{r}\theta_{ir}\,\sigma'(w_r^{\top}x_j),\quad e=u_{\mathrm{nn}}-u^*",
    plainly="Gradient descent, with steps of any size and neurons crossing boundaries, moves the distance to u* as the "
    "flow does, with secant slopes of the activation in place of its derivative.",
    source=GLSS.at("Section 4, equations (13) and (14), for Definition 3.5's gradient descent"),
    deviation="not printed: the paper writes gradient descent and analyses its flow (hidden hypothesis A10); this is "
    "the exact discrete form, derived here",
    constant="proved here",
    hypotheses=(
        *HYPOTHESES[:2],
        HYPOTHESES[3],
        Hypothesis(says="a step h with 0 < h lambda < 1", holds=_step_in_range),
    ),
    conclusion=conclusion(),
    instances=lambda _profile: (SMALL, SQUARE_LEAP, TRIANGLE_LEAP, DUPLICATES_LEAP, TRIANGLE_SMALL),
    twins=(
        _twin(
            "indicators_for_secants",
            "H(k) for S(k): wrong as soon as a neuron crosses",
            SQUARE_LEAP,
            kernel=lambda x: kernel_of(x, *(2 * [_indicators(x.network.X @ x.network.W.T)])),
        ),
        _twin(
            "secants_on_both_sides",
            "the drive of the neurons uses the activations before the step: S is not symmetric",
            TRIANGLE_LEAP,
            kernel=lambda x: kernel_of(x, slopes(x), slopes(x)),
        ),
        _twin(
            "kernel_after_the_step",
            "H(k+1) for S(k): a neuron that crosses worked on the way",
            DUPLICATES_LEAP,
            kernel=lambda x: kernel_of(x, *(2 * [_indicators(x.network.X @ x.after().T)])),
        ),
        _twin(
            "kappa_dropped",
            "as in the printed (13) and (14)",
            SMALL,
            right=lambda x, S: (
                update(x, S / x.kappa**2) + x.step * (1 - x.kappa**2) * x.H_cts @ (x.network.Y - x.u_star)
            ),
        ),
        _twin(
            "perturbation_left_out",
            "S is not H_cts",
            TRIANGLE_SMALL,
            right=lambda x, S: update(x, S) - x.step * x.kappa**2 * (S - x.H_cts) @ (x.network.Y - x.u_star),
        ),
    ),
    misprints=(
        Misprint(
            id="E22",
            says="'gradient descent' at 'iteration t' (Definition 3.5, Theorems 3.6 to 3.9, Lemma 4.1)",
            instead="gradient flow at time t, or steps h with h (kappa^2 ||H|| + lambda) well below 2",
            witness="eight points at angles .5 + .05 k, ||H_cts|| = 3.79 > 2: with unit steps ||u - u*|| grows by the "
            "factor 2.79 of the top eigenvalue in the first step, and to about a hundred within five",
        ),
    ),
    strategy=_drawn,
)
