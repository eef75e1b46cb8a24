r"""Section 3.2.1: what follows from the form of the two-layer network.

    f_nn(W, a, x) = m^-1/2 sum_r a_r sigma(w_r.x),   sigma(t) = max(t, 0)

Homogeneous of degree 1, for factors c >= 0, in every w_r and in x, and linear in a; so <df/dW, W> = f off the kinks
(Euler), and |f| <= ||a|| ||W||_F ||x|| / sqrt m (Cauchy and Schwarz, twice).
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
from theorems.glss.flow_moments import ONE_NEURON, SQUARE, TRIANGLE, Moment
from theorems.glss.flow_moments import instances as moments
from theorems.glss.network_moments import ALIGNED, NO_KINKS, WEIGHTED, dot, everything, network
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Statement

FACTORS = (Fraction(0), Fraction(1, 3), Fraction(5))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the form of the network.

    Parameters
    ----------
    factors : the c for which f(c W) = c f(W) is claimed
    degree : power of c
    euler : factor of f in <df/dW, W>
    size : (a, m) -> what stands for ||a||^2 / m in the bound of f^2
    output : (W, a, X) -> f
    """

    factors: tuple[Fraction, ...] = FACTORS
    degree: int = 1
    euler: Fraction = Fraction(1)
    size: Callable[[Exactly, int], Fraction] = lambda a, m: dot(a, a) / m
    output: Callable[[Exactly, Exactly, Exactly], Exactly] = network


PRINTED = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of the network, the printed one or a broken one."""

    def claims(x: Moment) -> Sequence[Claim]:
        net, Z = x.network, everything(x)
        W, a, m = net.W, net.a, len(net.W)
        f = reading.output(W, a, Z)
        found = [_same("f is what the reference object computes", f, net.outputs(Z) / x.kappa)]
        for c in reading.factors:
            power = c**reading.degree
            found += [
                _same(f"f(c W, a, x) = c f(W, a, x), c = {c}", reading.output(c * W, a, Z), power * f),
                _same(f"f(W, a, c x) = c f(W, a, x), c = {c}", reading.output(W, a, c * Z), power * f),
                _same(f"f(W, c a, x) = c f(W, a, x), c = {c}", reading.output(W, c * a, Z), power * f),
                _same(
                    f"f grows by (c - 1) times the share of w_1 when w_1 grows by c = {c}", *_one_grows(c, reading, x)
                ),
            ]
        gradients = net.gradients(Z) / x.kappa
        found.append(_same("<df/dW, W> = f", (gradients * W).sum(axis=(1, 2)), reading.euler * f))
        bounds = reading.size(a, m) * (W * W).sum() * (Z * Z).sum(axis=1)
        return found + [
            Claim(
                says=f"f^2 <= ||a||^2 ||W||_F^2 ||x||^2 / m at point {i}",
                left=exact(value**2),
                relation="<=",
                right=exact(bound),
            )
            for i, (value, bound) in enumerate(zip(f, bounds, strict=True), start=1)
        ]

    return ForEach(claims=claims)


def _same(says: str, left: Exactly, right: Exactly) -> Claim:
    return Claim(says=says, left=column(left.tolist()), relation="=", right=column(right.tolist()))


def _one_grows(c: Fraction, reading: Reading, x: Moment) -> tuple[Exactly, Exactly]:
    """Give f with w_1 multiplied by c, and what degree 1 says it is: f - f_1 + c f_1 with f_1 the share of w_1."""
    W, a, Z = x.network.W, x.network.a, everything(x)
    grown, alone = W.copy(), 0 * W
    grown[0], alone[0] = c * W[0], W[0]
    share = reading.output(alone, a, Z)
    return reading.output(grown, a, Z), reading.output(W, a, Z) - share + c**reading.degree * share


def _biased(W: Exactly, a: Exactly, X: Exactly) -> Exactly:
    """Give the network with a bias of 1 in every neuron."""
    bias = np.full((len(W), 1), Fraction(1))
    one = np.full((len(X), 1), Fraction(1))
    return network(np.hstack([W, bias]), a, np.hstack([X, one]))


def instances(profile: str) -> tuple[Moment, ...]:
    """Give moments, one with a real second layer, and one where the bound is attained."""
    return (*moments(profile), WEIGHTED, ALIGNED)


def _twin(name: str, because: str, refuted_on: Moment, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.tangent_strategies import weighted_moments

    return weighted_moments()


STATEMENT = Statement(
    id="glss.net",
    number="3.2.1, network",
    title="The two-layer network",
    kind="Section",
    says=r"f_{\mathrm{nn}}(W,a,x)=\frac{1}{\sqrt{m}}\sum_{r=1}^{m}a_r\sigma(w_r^{\top}x)"
    r"\quad\left\langle\frac{\partial f_{\mathrm{nn}}}{\partial W},W\right\rangle=f_{\mathrm{nn}}"
    r"\quad|f_{\mathrm{nn}}(W,a,x)|\le\frac{\lVert a\rVert_2\lVert W\rVert_F\lVert x\rVert_2}{\sqrt{m}}",
    plainly="The network is homogeneous of degree 1 in every neuron, in the input and in the second layer, equals the "
    "inner product of its gradient with its weights, and is bounded by the norms of the three.",
    source=GLSS.at("Section 3.2.1, first display"),
    deviation="The print defines the network; these are the facts that its proofs use.",
    constant="explicit",
    hypotheses=(
        NO_KINKS,
        Hypothesis(
            says="the factor c is not negative",
            guaranteed_by="c = 0, 1/3 and 5 are tried; a negative factor turns active neurons into inactive ones",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "negative_factors",
            "sigma is homogeneous for c >= 0 only",
            SQUARE,
            factors=(Fraction(-1),),
        ),
        _twin("degree_two", "only one layer is scaled at a time", ONE_NEURON, degree=2),
        _twin(
            "gradient_of_both_layers",
            "<df/dW, W> + <df/da, a> = 2 f, but W alone is trained",
            ONE_NEURON,
            euler=Fraction(2),
        ),
        _twin(
            "largest_output_weight",
            "max |a_r| for ||a||: many neurons add up",
            ALIGNED,
            size=lambda a, m: max(abs(s) for s in a) ** 2 / Fraction(m),
        ),
        _twin(
            "divided_by_the_width",
            "the network is divided by sqrt m, not by m",
            ALIGNED,
            size=lambda a, m: dot(a, a) / m**2,
        ),
        _twin(
            "bias_in_every_neuron",
            "with biases f is not homogeneous in W or in x",
            TRIANGLE,
            output=_biased,
        ),
    ),
    notes=(
        "||W|| may stand for ||W||_F in the bound: ||sigma(W^T x)|| <= ||W^T x|| <= ||W|| ||x||.",
        "Homogeneity holds on kinks too; Euler's identity holds there with either one-sided slope.",
    ),
    strategy=_drawn,
)
