r"""Section 4, training phase: few neurons start so close to a boundary that their activations can change.

    m >= ln(n(n+1) / (2 delta)) / (.635 R)
    =>   P[ #{r : |min(z_ri, z_rj)| <= R} <= 2 R m for all i, j ] >= 1 - delta,   z_ri = w_r(0).x_i / ||x_i||

Proof: the envelope of a pair (`section_4_training_flips`) has probability p_R, so that more than 2 R m of m neurons are
in it with probability at most exp(-.635 m R), for each of n(n+1)/2 pairs.

Consequence, not judged here. A product of activations can change only inside the envelope, whatever the neuron does
within R of its start, so that on this event, for all V with ||v_r - w_r(0)|| <= R at once,

    |H_ij(V) - H_ij(0)| <= 2 R |x_i.x_j|,   so ||H(V) - H(0)||_F <= 2 R ||X X^T||_F <= 2 n R for unit data
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Interval, enclose
from reference.datasets import load
from reference.preconditions import Float64, gamma
from theorems.glss.networks_at_the_start import FAILURE, GAUSSIAN, AtTheStart, batch_of, neurons
from theorems.glss.section_4_training_flips import RATE
from theorems.glss.training_instances import I1, I2, on_circle
from theorems.sources import GLSS
from theorems.statement import (
    BoundBatch,
    BrokenTwin,
    Construction,
    HighProbability,
    Hypothesis,
    Layer,
    Statement,
)

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ball(AtTheStart):
    """Data, and how far every neuron may move.

    Parameters
    ----------
    radius : R > 0
    """

    radius: Fraction


def inside(z: Float64, reach: Float64) -> Bits:
    """Tell whether (|z_i| <= R and z_j >= -R) or (|z_j| <= R and z_i >= -R): (..., n) to (..., n, n).

    That is |min(z_i, z_j)| <= R.
    """
    near, not_below = np.abs(z) <= reach, z >= -reach
    one: Bits = near[..., :, None] & not_below[..., None, :]
    both: Bits = one | one.swapaxes(-1, -2)
    return both


def either(z: Float64, reach: Float64) -> Bits:
    """Tell whether |z_i| <= R or |z_j| <= R, whatever the other point sees."""
    near = np.abs(z) <= reach
    both: Bits = near[..., :, None] | near[..., None, :]
    return both


def _size(n: Any, delta: Any, R: Any) -> Any:
    return (n * (n + 1) / (2 * delta)).log() / (RATE.numerator * R / RATE.denominator)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about counts.

    Parameters
    ----------
    size : balls (n, delta, R) -> m
    counted : which neurons count against a pair
    share : at most this times R m of them are promised
    """

    size: Callable[[Any, Any, Any], Any] = _size
    counted: Callable[[Float64, Float64], Bits] = inside
    share: Fraction = Fraction(2)


def needed(x: Ball, reading: Reading, bits: int = 128) -> Interval:
    """Enclose the width asked for."""
    return enclose(reading.size, x.n, x.delta, x.radius, bits=bits)


def construct(x: Ball, m: int, reading: Reading) -> Construction:
    """Describe the trials at width m.

    z = w.x / ||x|| is off by at most gamma_{2d+8} ||w||: d roundings each in w.x and in ||x||. A neuron within that
    of the edge of its envelope is counted above and not below.
    """
    d, R = x.X.shape[1], float(x.radius)
    present = x.X[x.X.any(axis=1)]
    unit = present / np.linalg.norm(present, axis=1, keepdims=True)
    allowed = reading.share * x.radius

    def draw(rng: np.random.Generator, trials: int) -> BoundBatch:
        W = neurons(m, d, rng, trials)
        error = (gamma(2 * d + 8) * (np.linalg.norm(W, axis=2) + R))[:, :, None]
        lower, upper = (reading.counted(W @ unit.T, R + s * error).sum(axis=1).max(axis=(1, 2)) for s in (-1, 1))
        # a share is rounded once
        return BoundBatch(
            lower=lower / m * (1 - 2.0**-52), upper=upper / m * (1 + 2.0**-52), allowed=(allowed, allowed)
        )

    return Construction(
        size=m,
        batch_size=batch_of(m * (d + x.n**2)),
        draw=draw,
        facts={"n": x.n, "d": d, "R": R, "2 R m": float(2 * x.radius * m)},
        size_needed=needed(x, Reading(), 512),
    )


def conclusion(reading: Reading) -> HighProbability:
    """Give the sentence for a reading, the right one or a broken one."""
    return HighProbability(
        size=lambda x: max(1, ceil(needed(x, reading)[1])),
        construction=lambda x, m: construct(x, m, reading),
        delta=lambda x: x.delta,
        stress="max over pairs of #{neurons in the envelope} / (2 R m)",
    )


def _given(name: str, says: str, X: npt.ArrayLike, radius: Fraction, delta: Fraction = Fraction(1, 10)) -> Ball:
    return Ball(name=name, says=says, X=np.array(X, dtype=np.float64), radius=radius, delta=delta)


FIFTIETH = Fraction(1, 50)
POINT = _given("one-point", "n = d = 1, R = 1/100", [[1]], FIFTIETH / 2)
PAIR = _given("I1", "angles .3 and 1.5, R = 1/50", I1, FIFTIETH)
FAN = _given("I2", "angles .3, 1.5 and 2.9, R = 1/50", I2, FIFTIETH)
NEAR = _given("near-opposite", "angles 0, .001 and 3.1, R = 1/20", on_circle(0.0, 0.001, 3.1), Fraction(1, 20))
CORNERS = _given("corners", "x, x, -x and 0, R = 1/20", [[1, 0], [1, 0], [-1, 0], [0, 0]], Fraction(1, 20))
FRAME = _given("frame", "an orthonormal basis of R^16, R = 1/10, delta = 1/2", np.eye(16), FIFTIETH * 5, Fraction(1, 2))


def instances(profile: str) -> tuple[Ball, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[Ball, ...] = (POINT, PAIR, FAN, NEAR, CORNERS, FRAME)
    if profile in ("ci", "night"):
        found += (
            _given("I1-tiny", "angles .3 and 1.5, R = 1/10000", I1, FIFTIETH / 200),
            _given("diabetes-8", "8 patients, d = 10, R = 1/50", load("diabetes", 8), FIFTIETH),
        )
    return found


def _radius(x: Ball) -> str | None:
    return None if x.radius > 0 else f"R must be positive, got R = {x.radius}"


def _not_all_zero(x: Ball) -> str | None:
    return None if x.X.any() else "some x_i must not be 0, got none"


def _twin(name: str, because: str, refuted_on: Ball, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(Reading(**change)), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.glss.training_phase_strategies import moved_networks

    return moved_networks()


STATEMENT = Statement(
    id="glss.train-phase",
    number="4, training phase",
    title="How many neurons start near a boundary that two points share",
    kind="Step of a proof",
    says=r"m\ge\frac{1}{0.635\,R}\ln\frac{n(n+1)}{2\delta}\quad\Rightarrow\quad "
    r"P\left[\#\left\{r:\left|\min(z_{ri},z_{rj})\right|\le R\right\}\le 2Rm\ \text{for all}\ i,j\right]\ge 1-\delta,"
    r"\qquad z_{ri}=w_r(0)^{\top}x_i/\lVert x_i\rVert_2",
    plainly="At most 2 R m of m neurons start so close to a boundary that a movement by R can change whether they see "
    "both points of a pair, for all pairs at once.",
    source=GLSS.at("Section 4, 'Training phase'"),
    deviation="the paper says that H(t) is 'sufficiently close' to H(0); judged is the count which that rests on, with "
    "a constant proved here",
    constant="proved here",
    hypotheses=(
        Hypothesis(says="R > 0", holds=_radius),
        FAILURE,
        Hypothesis(says="not all data are 0; a zero row has no boundary and is left out", holds=_not_all_zero),
        GAUSSIAN,
    ),
    conclusion=conclusion(Reading()),
    instances=instances,
    twins=(
        _twin("as_many_as_the_mean", "R m for 2 R m: hardly above the mean count, .798 R m", FAN, share=Fraction(1)),
        _twin(
            "either_boundary_counts",
            "neurons at one boundary which the other point does not see are counted too: nearly twice as many",
            FRAME,
            counted=either,
        ),
        _twin(
            "union_over_pairs_forgotten",
            "each of the pairs has a count of its own, and the largest of 136 is far above its mean",
            FRAME,
            size=lambda _n, delta, R: (1 / delta).log() / (RATE.numerator * R / RATE.denominator),
        ),
        _twin(
            "width_free_of_the_radius",
            "a smaller ball has fewer neurons in its envelopes, and small counts fluctuate more against their mean",
            FAN,
            size=lambda n, delta, R: R * _size(n, delta, R),
        ),
    ),
    layers=(Layer.SIZE,),
    notes=(
        "Consequence: for all V with ||v_r - w_r(0)|| <= R at once, |H_ij(V) - H_ij(0)| <= 2 R |x_i.x_j|, since "
        "only these neurons can change whether they see both points. Weights in the radial gauge e^{lambda t} w have "
        "the same activations, so that H(t) is such an H(V).",
    ),
    strategy=_drawn,
)
