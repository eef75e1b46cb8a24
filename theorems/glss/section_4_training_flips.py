r"""Section 4, training phase: how likely it is that a small step of a neuron changes what two points see of it.

A neuron w ~ N(0, I_d) moves by at most R > 0; z_i = w.x_i for unit points at angle theta in (0, pi).

    envelope  (|z_i| <= R and z_j >= -R) or (|z_j| <= R and z_i >= -R):   probability p_R = erf(R / sqrt 2), exactly
    event     1[z_i >= 0] 1[z_j >= 0] can change:   inside the envelope, so of probability at most p_R
    p_R <= 2 R / sqrt(2 pi),   P[Bin(m, p_R) >= 2 R m] <= exp(-.635 m R)

The products can change only inside the envelope, and so can secant slopes, since the balls of radius R are convex. By
w -> -w the envelope has probability P(|z_i| <= R) at every angle. The left sides are integrals over z_i, enclosed.
The event is that w lies within R of the boundary of the wedge {z_i >= 0, z_j >= 0}, whose opening is pi - theta: the
wedge and what lies within R outside it (two strips and a sector), less the wedge {z_i > R, z_j > R}.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from reference.arithmetic import Interval, acos, ball, binomial_tails, enclose, integral, pi, precision
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Instance, Statement

BITS = 160
RATE = Fraction(635, 1000)
"""2 ln(2 / c) - (2 - c) is above it for c = 2 / sqrt(2 pi)."""
FAR = 16
"""Beyond R + 16 a Gaussian has mass below 2^-180."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Nudge(Instance):
    """A neuron that two unit points see, and how far it may move.

    Parameters
    ----------
    cosine : of the angle between the points, in (-1, 1)
    radius : R > 0
    m : number of such neurons, with 2 R < 1
    """

    cosine: Fraction
    radius: Fraction
    m: int


def _strip(x: Nudge, low: Fraction, high: Fraction, cut: Fraction, above: bool = True) -> Interval:
    """Enclose P(low <= z_i <= high, z_j >= cut), or z_j <= cut: given z_i = s, z_j ~ N(s cos, sin^2)."""
    with precision(BITS):
        cosine, sine = ball(x.cosine, BITS), ball(1 - x.cosine**2, BITS).sqrt()
        scale, norm = 1 / (sine * ball(2, BITS).sqrt()), 1 / (8 * ball(pi(BITS), BITS)).sqrt()
        c = ball(cut, BITS)
        side = scale if above else -scale

        def density(s: Any) -> Any:
            return norm * (-(s**2) / 2).exp() * ((c - cosine * s) * side).erfc()

    return integral(density, low, high, BITS)


def likely(x: Nudge) -> Interval:
    """Enclose p_R."""
    return enclose(lambda R: (R / ball(2, BITS).sqrt()).erf(), x.radius, bits=BITS)


def _sum(*terms: Interval) -> Interval:
    return sum((low for low, _ in terms), Fraction(0)), sum((high for _, high in terms), Fraction(0))


def envelope(x: Nudge) -> Interval:
    """Enclose twice P(|z_i| <= R, z_j >= -R), less P(|z_i| <= R, |z_j| <= R)."""
    R = x.radius
    return _sum(_strip(x, -R, R, -R), _strip(x, -R, R, R))


def near_a_boundary(x: Nudge) -> Interval:
    """Enclose P(|z_i| <= R or |z_j| <= R), whatever the other point sees."""
    R = x.radius
    above, below = _strip(x, -R, R, -R), _strip(x, -R, R, R)
    p = likely(x)
    return 2 * p[0] - above[1] + below[0], 2 * p[1] - above[0] + below[1]


def event(x: Nudge) -> Interval:
    """Enclose the probability that the product of the activations can change.

    P(z_i > R, z_j > R) may be smaller than any number that fits; P(z_i > R, z_j <= R) is the rest of P(z_i > R).
    """
    R = x.radius
    beside = _strip(x, R, R + FAR, R, above=False)

    def formula(angle: Any, half_turn: Any, r: Any, far: Any, beside: Any) -> Any:
        root_2 = ball(2, BITS).sqrt()
        p, tail = (r / root_2).erf(), (far / root_2).erfc() / 2
        wedge_and_sector = (half_turn - angle + angle * (1 - (-(r**2) / 2).exp())) / (2 * half_turn)
        return wedge_and_sector + p / 2 - ((1 - p) / 2 - beside) + tail.union(0 * tail)

    return enclose(formula, acos(x.cosine, BITS), pi(BITS), R, R + FAR, beside, bits=BITS)


def crowd(x: Nudge, share: Fraction) -> Interval:
    """Enclose P[Bin(m, p_R) >= share R m], which grows with p_R."""
    least = ceil(share * x.radius * x.m)
    low, high = (binomial_tails(x.m, p, 0, least - 1, BITS) for p in likely(x))
    return low[0], high[1]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about flips.

    Parameters
    ----------
    envelope : probability of what is claimed to have probability p_R
    part : the event is claimed to have at most this part of p_R
    density : p_R is claimed to be at most this times R / sqrt(2 pi)
    share : this times R m neurons are claimed to be rare
    rate : how rare, exp(-rate m R)
    """

    envelope: Callable[[Nudge], Interval] = envelope
    part: Fraction = Fraction(1)
    density: int = 2
    share: Fraction = Fraction(2)
    rate: Fraction = RATE


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading, the right one or a broken one."""

    def claims(x: Nudge) -> Sequence[Claim]:
        p = likely(x)
        linear = enclose(
            lambda R, half_turn: reading.density * R / (2 * half_turn).sqrt(), x.radius, pi(BITS), bits=BITS
        )
        rare = enclose(lambda c: (-c).exp(), reading.rate * x.m * x.radius, bits=BITS)
        return (
            Claim(says="P[envelope] = p_R", left=reading.envelope(x), relation="=", right=p),
            Claim(
                says="P[event] <= p_R",
                left=event(x),
                relation="<=",
                right=(reading.part * p[0], reading.part * p[1]),
            ),
            Claim(says="p_R <= 2 R / sqrt(2 pi)", left=p, relation="<=", right=linear),
            Claim(
                says="P[Bin(m, p_R) >= 2 R m] <= exp(-.635 m R)",
                left=crowd(x, reading.share),
                relation="<=",
                right=rare,
            ),
        )

    return ForEach(
        claims=claims,
        facts=lambda x: {"p_R": float(likely(x)[0]), "P[event]": float(event(x)[0]), "angle": float(acos(x.cosine)[0])},
    )


def nudge(name: str, says: str, cosine: Fraction, radius: Fraction, m: int) -> Nudge:
    """Take two points at an angle."""
    return Nudge(name=name, says=says, cosine=cosine, radius=radius, m=m)


THREE_TENTHS = Fraction(3, 10)
RIGHT = nudge("right-angle", "orthogonal points, R = .3, m = 40", Fraction(0), THREE_TENTHS, 40)
OBTUSE = nudge("obtuse", "cos theta = -4/5, R = .3, m = 100", Fraction(-4, 5), THREE_TENTHS, 100)
OPPOSITE = nudge("nearly-opposite", "cos theta = -.99, R = .3, m = 10", Fraction(-99, 100), THREE_TENTHS, 10)
NEAR = nudge("nearly-equal", "cos theta = 1 - 2^-20, R = .1, m = 1000", 1 - Fraction(1, 2**20), THREE_TENTHS / 3, 1000)
SMALL = nudge("small-step", "60 degrees, R = 1/1000, m = 20000", Fraction(1, 2), Fraction(1, 1000), 20_000)
TINY = nudge("tiny-step", "cos theta = -1/3, R = 1e-9, m = 10^10", Fraction(-1, 3), Fraction(1, 10**9), 10**10)
LARGE = nudge("large-step", "cos theta = 1/2, R = .49, m = 3", Fraction(1, 2), Fraction(49, 100), 3)


def instances(_profile: str) -> Sequence[Nudge]:
    """Give angles from nearly 0 to nearly pi, steps from 1e-9 to 1/2."""
    return (RIGHT, OBTUSE, OPPOSITE, NEAR, SMALL, TINY, LARGE)


def _angle(x: Nudge) -> str | None:
    return None if -1 < x.cosine < 1 else f"cos theta must lie in (-1, 1), got {x.cosine}"


def _in_range(x: Nudge) -> str | None:
    if not 0 < x.radius < Fraction(1, 2):
        return f"R must lie in (0, 1/2), got R = {x.radius}"
    return None if x.m >= 1 else f"m must be at least 1, got m = {x.m}"


def _twin(name: str, because: str, refuted_on: Nudge, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(Reading(**change)), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.glss.training_phase_strategies import nudges

    return nudges()


STATEMENT = Statement(
    id="glss.train-phase.flips",
    number="4, training phase, one neuron",
    title="How likely an activation changes",
    kind="Step of a proof",
    says=r"P\left[\sigma'(w^{\top}x_i)\,\sigma'(w^{\top}x_j)\ \text{can change within}\ R\right]"
    r"\le p_R=\operatorname{erf}(R/\sqrt{2})\le\frac{2R}{\sqrt{2\pi}},\quad "
    r"P\left[\operatorname{Bin}(m,p_R)\ge 2Rm\right]\le e^{-0.635\,mR}",
    plainly="A Gaussian neuron that moves by at most R changes what two points see of it with probability at most "
    "0.8 R, whatever the angle between them.",
    source=GLSS.at("Section 4, 'Training phase'"),
    deviation="the paper says that H(t) is close to H(0) if W(t) is close to W(0); the constants are proved here",
    constant="proved here",
    hypotheses=(
        Hypothesis(says="unit points, neither parallel nor antiparallel", holds=_angle),
        Hypothesis(says="0 < R < 1/2 and m >= 1", holds=_in_range),
        Hypothesis(
            says="w ~ N(0, I_d); only its projection on the two points matters",
            guaranteed_by="the integrals are over the Gaussian density",
        ),
    ),
    conclusion=conclusion(Reading()),
    instances=instances,
    twins=(
        _twin(
            "either_boundary_counts",
            "the product stays 0 where the other point is not seen: half of the strips do not count",
            RIGHT,
            envelope=near_a_boundary,
        ),
        _twin("half_the_probability", "both sides of a boundary are within reach", SMALL, part=Fraction(1, 2)),
        _twin("density_on_one_side", "R / sqrt(2 pi) is the mass of 0 <= z <= R alone", TINY, density=1),
        _twin("as_many_as_the_mean", "R m is hardly above the mean .798 R m", OBTUSE, share=Fraction(1)),
        _twin("exponent_one", "Chernoff gives .6357, and it is sharp to the first order", SMALL, rate=Fraction(1)),
    ),
    notes=("The cited lemma of Song and Yang has 2 n R with failure n^2 exp(-m R / 10); this implies it.",),
    strategy=_drawn,
)
