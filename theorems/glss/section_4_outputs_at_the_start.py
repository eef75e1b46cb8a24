r"""Section 4: what the network predicts before training.

    m >= 16 ln(6 n / delta)   =>   P[ |f_i(0)| <= sqrt(2 ln(12 n / delta)) for all i ] >= 1 - delta / 3

and so ||u(0)|| <= kappa sqrt(n) sqrt(2 ln(12 n / delta)). Proof: given W, f_i(0) is a sum of fair signs, sub-Gaussian
with variance S_i = (1/m) sum_r sigma(w_r.x_i)^2; P(S_i > 1) <= inf_s (e^{-s} (1/2 + (1 - 2s)^{-1/2} / 2))^m, which is
at most exp(-.0646 m) at s = .215, so at most delta / (6 n); and P(|f_i| > b | S_i <= 1) <= 2 exp(-b^2 / 2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.arithmetic import Interval, ball, enclose
from reference.preconditions import Float64, gamma
from theorems.glss.networks_at_the_start import FAILURE, GAUSSIAN, SIGNS, UNIT, AtTheStart, batch_of, neurons
from theorems.glss.training_instances import I1, I2
from theorems.sources import GLSS
from theorems.statement import BoundBatch, BrokenTwin, Construction, HighProbability, Layer, Misprint, Statement

Draw = Callable[[tuple[int, int], np.random.Generator], Float64]


def fair(shape: tuple[int, int], rng: np.random.Generator) -> Float64:
    """Draw signs of either kind with equal probability."""
    return rng.choice([-1.0, 1.0], shape)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about outputs.

    Parameters
    ----------
    signs : (shape, rng) -> second layer
    scale : m -> what the sum is divided by, in floats
    bound : balls (n, delta) -> beta
    width : balls (n, delta) -> m
    """

    signs: Draw = fair
    scale: Callable[[int], float] = lambda m: float(np.sqrt(m))
    bound: Callable[[Any, Any], Any] = lambda n, delta: (2 * (12 * n / delta).log()).sqrt()
    width: Callable[[Any, Any], Any] = lambda n, delta: 16 * (6 * n / delta).log()


def needed(x: AtTheStart, reading: Reading, bits: int = 128) -> Interval:
    """Enclose the width asked for."""
    return enclose(reading.width, x.n, x.delta, bits=bits)


def construct(x: AtTheStart, m: int, reading: Reading) -> Construction:
    """Describe the trials at width m.

    The products carry d roundings and the sum m more, so f_i is off by at most gamma_{m+d+4} times the sum of the
    |w_r|.|x_i|, over sqrt m.
    """
    d, scale = x.X.shape[1], reading.scale(m)
    allowed = enclose(reading.bound, x.n, x.delta)

    def draw(rng: np.random.Generator, trials: int) -> BoundBatch:
        W = neurons(m, d, rng, trials)
        a = reading.signs((trials, m), rng)
        found = np.abs(a[:, None, :] @ np.maximum(W @ x.X.T, 0))[:, 0].max(axis=1) / scale
        error = gamma(2 * m + d + 8) * (np.abs(W).sum(axis=1) @ np.abs(x.X.T)).max(axis=1) / scale
        return BoundBatch(lower=found - error, upper=found + error, allowed=allowed)

    return Construction(
        size=m,
        batch_size=batch_of(m * (d + x.n)),
        draw=draw,
        facts={"n": x.n, "d": d, "beta": float(allowed[0])},
        size_needed=needed(x, Reading(), 512),
    )


def conclusion(reading: Reading) -> HighProbability:
    """Give the sentence for a reading, the right one or a broken one."""
    return HighProbability(
        size=lambda x: ceil(needed(x, reading)[1]),
        construction=lambda x, m: construct(x, m, reading),
        delta=lambda x: x.delta / 3,
        stress="max |f_i(0)| / beta",
    )


def _given(name: str, says: str, X: npt.ArrayLike, delta: Fraction) -> AtTheStart:
    return AtTheStart(name=name, says=says, X=np.array(X, dtype=np.float64), delta=delta)


TENTH = Fraction(1, 10)
POINT = _given("one-point", "n = d = 1, delta = 1/10", [[1]], TENTH)
PAIR = _given("I1", "angles .3 and 1.5, delta = 1/10", I1, TENTH)
FAN = _given("I2", "angles .3, 1.5 and 2.9, delta = 9/10", I2, 9 * TENTH)
SHORT = _given(
    "corners", "x, x / 3, -x and 0, delta = 1/10", [[1.0, 0.0], [1 / 3, 0.0], [-1.0, 0.0], [0.0, 0.0]], TENTH
)
FRAME = _given("frame", "an orthonormal basis of R^24, delta = 9/10", np.eye(24), 9 * TENTH)
CORNERS = _given(
    "corners-2048",
    "2048 corners of a cube in R^64, delta = 9/10",
    np.random.default_rng(0).choice([-1.0, 1.0], (2048, 64)) / 8,
    9 * TENTH,
)
"""Unit rows, nearly orthogonal; their outputs have correlations near 1 / pi."""
LONG = _given("long-row", "a row of norm 30, delta = 1/10", [[30.0]], TENTH)


def instances(profile: str) -> tuple[AtTheStart, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[AtTheStart, ...] = (POINT, PAIR, FAN, SHORT, FRAME)
    if profile in ("ci", "night"):
        found += (_given("frame-128", "an orthonormal basis of R^128, delta = 1/2", np.eye(128), Fraction(1, 2)),)
    return found


def _twin(
    name: str, because: str, refuted_on: AtTheStart, *without: str, recipe_only: bool = False, **change: Any
) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=conclusion(Reading(**change)),
        refuted_on=refuted_on,
        recipe_only=recipe_only,
        without=without,
    )


def _drawn() -> Any:
    from theorems.glss.training_phase_strategies import unit_networks

    return unit_networks()


STATEMENT = Statement(
    id="glss.outputs-at-the-start",
    number="4, outputs before training",
    title="The outputs before training",
    kind="Step of a proof",
    says=r"m\ge 16\ln\frac{6n}{\delta}\quad\Rightarrow\quad "
    r"P\left[\left|f_{\mathrm{nn}}(W(0),x_i)\right|\le\sqrt{2\ln\frac{12n}{\delta}}\ \text{for all}\ i\right]"
    r"\ge 1-\frac{\delta}{3}",
    plainly="Before training the outputs of a network are bounded by the root of a logarithm, at any width that is at "
    "least logarithmic.",
    source=GLSS.at("Section 4, the initial distance in Lemma 4.1 and Theorems 3.6 to 3.9"),
    deviation="not printed; the proofs of 3.6 to 3.9 need a bound on ||u_nn(0) - u*||",
    constant="proved here",
    hypotheses=(UNIT, FAILURE, GAUSSIAN, SIGNS),
    conclusion=conclusion(Reading()),
    instances=instances,
    twins=(
        _twin(
            "signs_all_one",
            "without cancellation f grows like sqrt m",
            FRAME,
            signs=lambda shape, _rng: np.ones(shape),
        ),
        _twin("root_of_m_forgotten", "m^-1/2 makes the outputs of order 1", POINT, scale=lambda _m: 1.0),
        _twin(
            "standard_deviation_for_the_bound",
            "sqrt(1/2) is the size of one output on average",
            PAIR,
            bound=lambda _n, _delta: ball(Fraction(1, 2), 128).sqrt(),
        ),
        _twin(
            "union_over_points_forgotten",
            "12 / delta for 12 n / delta: of 2048 outputs one is far out",
            CORNERS,
            bound=lambda _n, delta: (2 * (12 / delta).log()).sqrt(),
        ),
        _twin("points_of_any_length", "outputs are homogeneous in x", LONG, UNIT.says),
        _twin(
            "narrow_networks",
            "m = n: the variance given W is not yet near its mean",
            POINT,
            recipe_only=True,
            width=lambda n, _delta: n,
        ),
    ),
    layers=(Layer.SIZE,),
    misprints=(
        Misprint(
            id="E26",
            says="equation (8) for a_r in R; Definition 3.5 has a_r in {-1, 1}",
            instead="fair signs, used twice: a_r^2 = 1 and E f(0) = 0",
            witness="a_r = 1 for all r: u(0) grows like sqrt m; the twin signs_all_one",
        ),
    ),
    strategy=_drawn,
)
