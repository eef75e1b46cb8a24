r"""Remark 4.2 as printed: training L >= 2 layers with the regulariser lam / L is no kernel regression with ridge lam.

In the limit of infinite width, one point, mu = Theta = L ||x||^2 and s = 2 (L - 1) lam / L:

    u' = e^(-s t) mu (Y - u) - lam u

where u(0) is random, with u(0) <= 0 with probability at least 1/2: the signs a and -a are equally likely, or the last
layer's weights. u(T) increases with u(0), so that u(T) <= mu Y int_0^T exp(-s t - int_t^T (e^(-s v) mu + lam) dv) dt,
the solution from 0, in half of all networks.

The recipe. mu = 1, lam = 1/2, Y = 1, L = 2 and any T whatever, so any hidden constant in T. From u(0) = 0,
w = u* - u satisfies

    w' = (1 - e^(-s t)) mu (Y - u*) - (e^(-s t) mu + lam) w >= (1 - e^(-s t)) / 3 - 3 w / 2,   w(0) = u* = 2/3

and w > 0, hence with q = e^(-T/2)

    w(T) >= 2/9 - q/3 + 7 q^3 / 9 >= (2/9)(1 - 1/sqrt 7) > 1/8        (least at q = 1/sqrt 7)

so with eps = delta = 9/100 no T = C (1/mu) ln(1/eps) works: P[|u(T) - u*| > eps] >= 1/2 > delta. For L > 2 the
kernel shrinks faster and w is larger. The ridge is fixed: with lam = 1/sqrt m, as Theorem 3.6 has it, the difference is
of order T/m and vanishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from reference.arithmetic import Interval, enclose, integral
from theorems.glss.remark_4_2_kernel_shrinkage import SHRINKAGE
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Finding, ForEach, Hypothesis, Instance, Statement

BITS = 192


@dataclass(frozen=True, kw_only=True, eq=False)
class Decay(Instance):
    """One point before an infinitely wide network of L layers, all trained; its label is 1.

    Parameters
    ----------
    L : layers
    mu : Theta = L ||x||^2
    lam : ridge
    C : hidden constant: training ends at T = C (1/mu) ln(1/eps)
    eps, delta : accuracy and failure probability, in (0, 1/10) as in Theorem 3.6
    """

    L: int
    mu: Fraction
    lam: Fraction
    C: Fraction
    eps: Fraction = Fraction(9, 100)
    delta: Fraction = Fraction(9, 100)

    @property
    def shrinkage(self) -> Fraction:
        """Give s, the rate at which the kernel shrinks."""
        return 2 * (self.L - 1) * self.lam / self.L

    @property
    def target(self) -> Fraction:
        """Give u* = mu / (mu + lam)."""
        return self.mu / (self.mu + self.lam)

    @cached_property
    def horizon(self) -> Fraction:
        """T = C (1/mu) ln(1/eps), to the nearest float: the recipe works for every T."""
        low, high = enclose(lambda C, mu, eps: -C / mu * eps.log(), self.C, self.mu, self.eps)
        return Fraction(float((low + high) / 2))

    @cached_property
    def reached(self) -> Interval:
        """Enclose u(T) from u(0) = 0."""
        return reached(self.mu, self.shrinkage, self.lam, self.horizon)


def reached(mu: Fraction, s: Fraction, pull: Fraction, T: Fraction) -> Interval:
    """Enclose u(T) of u' = e^(-s t) mu (1 - u) - pull u, u(0) = 0, in ball arithmetic.

    With v = T - t, int_t^T e^(-s w) dw = e^(-s T) (e^(s v) - 1) / s. What lies further back than v = 200 / pull weighs
    less than e^-200 and is added to the upper end.
    """
    window = min(T, 200 / pull)
    rest = T - window
    if s == 0:
        return enclose(lambda mu, pull, T: mu / (mu + pull) * (1 - (-(mu + pull) * T).exp()), mu, pull, T, bits=BITS)

    def integrand(v: Any) -> Any:
        now = (-_ball(s, v) * (_ball(T, v) - v)).exp()
        gathered = (now - (-_ball(s * T, v)).exp()) * _ball(mu / s, v)
        return _ball(mu, v) * now * (-gathered - _ball(pull, v) * v).exp()

    low, high = integral(integrand, Fraction(0), window, bits=BITS)
    return low, high + (mu / pull * Fraction(1, 2**280) if rest else 0)


def _ball(x: Fraction, like: Any) -> Any:
    """Write a number as a ball of the kind of `like`."""
    return (like * 0 + x.numerator) / x.denominator


Quantities = Callable[[Decay], Interval]
"""Instance -> what is to be close to u*."""


def failure(network: Interval, goal: Interval, eps: Fraction) -> Interval:
    """Enclose P[|u(T) - goal| > eps], given u(T) for a start which half of all networks do not exceed.

    Such networks end at or below u(T); if that is above goal - eps, nothing is known.
    """
    beyond = network[1] < goal[0] - eps
    return (Fraction(1, 2) if beyond else Fraction(0)), Fraction(1)


def conclusion(
    network: Quantities = lambda x: x.reached, goal: Callable[[Decay], Interval] = lambda x: (x.target, x.target)
) -> ForEach:
    """Give the sentence `P[|network - goal| > eps] <= delta`."""

    def claims(x: Decay) -> Sequence[Claim]:
        return [
            Claim(
                says="P[|u(T) - u*| > eps] <= delta in the limit of infinite width",
                left=failure(network(x), goal(x), x.eps),
                relation="<=",
                right=x.delta,
            )
        ]

    def facts(x: Decay) -> Mapping[str, float | int | str]:
        return {
            "C": float(x.C),
            "T": float(x.horizon),
            "u(T) from 0": float(network(x)[0]),
            "u*": float(x.target),
            "kernel at T / kernel at 0": float(enclose(lambda s, T: (-s * T).exp(), x.shrinkage, x.horizon)[0]),
        }

    return ForEach(claims=claims, facts=facts)


def _instance(name: str, says: str, C: int, L: int = 2) -> Decay:
    return Decay(name=name, says=says, L=L, mu=Fraction(1), lam=Fraction(1, 2), C=Fraction(C))


ONE = _instance("C1", "two layers, Theta = 1, lambda = 1/2, C = 1", 1)
TEN = _instance("C10", "two layers, C = 10", 10)
THOUSAND = _instance("C1000", "two layers, C = 1000: the kernel is gone, and the network forgets", 1000)
THREE = _instance("three-layers", "three layers, C = 1", 1, L=3)
FOUR = _instance("four-layers", "four layers, C = 10", 10, L=4)


def _in_range(x: Decay) -> str | None:
    if x.L < 2:
        return f"at least two layers must be trained, got L = {x.L}"
    if not (0 < x.mu <= x.L and 0 < x.lam < 1):
        return f"mu must lie in (0, L] and lam in (0, 1), got mu = {x.mu}, lam = {x.lam}"
    for name, value in (("eps", x.eps), ("delta", x.delta)):
        if not 0 < value < Fraction(1, 10):
            return f"{name} must lie in (0, 1/10), got {name} = {value}"
    return None if x.C > 0 else f"C must be positive, got C = {x.C}"


def _twin(name: str, because: str, refuted_on: Decay, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


def _from_the_target(x: Decay) -> Interval:
    """Enclose u(T) from u(0) = u*: what is left of it, and what is learned."""
    return enclose(
        lambda u, start, mu, s, lam, T: u + start * (-mu * (1 - (-s * T).exp()) / s - lam * T).exp(),
        x.reached,
        x.target,
        x.mu,
        x.shrinkage,
        x.lam,
        x.horizon,
        bits=BITS,
    )


STATEMENT = Statement(
    id="glss.rem4.2.as_printed",
    number="4.2 as printed",
    title="Several trained layers: training is kernel regression",
    kind="Remark",
    says=r"\lambda\ \text{fixed},\quad T=C\,\Lambda_0^{-1}\ln(1/\epsilon)\quad\implies\quad"
    r"\lim_{m\to\infty}P\left[\lVert u_{\mathrm{nn}}(T)-u^*\rVert_2\le\epsilon\right]\ge 1-\delta",
    plainly="False for two or more trained layers: at a fixed ridge, however long one trains and however wide the "
    "network is, weight decay shrinks the kernel while training goes on.",
    source=GLSS.at("Remark 4.2"),
    deviation="'naturally extended' is read as Theorem 3.6 for all layers with lambda / L, at a fixed lambda and in "
    "the limit of infinite width, where the outputs follow the decaying flow from a random start; "
    "with lambda = O(1/sqrt m), as Theorem 3.6 asks, it is not refuted",
    constant="hidden",
    hypotheses=(
        Hypothesis(
            says="L >= 2 trained layers, ||x|| <= 1, lambda in (0, 1), eps, delta in (0, 1/10)", holds=_in_range
        ),
        Hypothesis(
            says="infinite width: u' = e^(-2 (L - 1) lam t / L) Theta (Y - u) - lam u",
            assumed="the limit of the trained network, by `glss.rem4.2` and `glss.rem4.2.shrinkage` at a kernel that "
            "moves by weight decay only; `glss.rem4.2.path` measures how networks of finite width approach it",
        ),
        Hypothesis(
            says="u(0) <= 0 with probability at least 1/2",
            guaranteed_by="symmetry: a network and the one with the opposite last layer are equally likely; u* - u(T) "
            "decreases with u(0), so that the distance from such a start is at least the one from u(0) = 0",
        ),
        Hypothesis(
            says="a recipe: for every constant C an instance that fails, by the proof above; here C = 1, 10, 1000",
            guaranteed_by="u* - u(T) > 1/8 > eps for all T on one and the same instance, from every u(0) <= 0",
        ),
    ),
    conclusion=conclusion(),
    instances=lambda _profile: (ONE, TEN, THOUSAND, THREE, FOUR),
    twins=(
        _twin(
            "ridge_over_layers",
            "u* with the ridge lam / L: the pull is lam u, so this is further off",
            TEN,
            goal=lambda x: enclose(lambda mu, lam, L: mu / (mu + lam / L), x.mu, x.lam, x.L),
        ),
        _twin(
            "lambda_for_every_layer",
            "the regulariser lam in place of lam / L: pull L lam u, and the kernel shrinks L times as fast",
            ONE,
            network=lambda x: reached(x.mu, x.L * x.shrinkage, x.L * x.lam, x.horizon),
        ),
        _twin(
            "kept_once_reached",
            "starting from u* or below does not help: u* is no fixed point of the flow when the kernel shrinks",
            TEN,
            network=_from_the_target,
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(SHRINKAGE,),
)
