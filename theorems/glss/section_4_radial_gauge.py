r"""Section 4, training phase: weight decay shrinks neurons and turns none, so only the residuals move them.

Gradient descent with step h, gamma = 1 - h lam, rho(k) = Y - u(k); in the radial gauge v_r(k) = w_r(k) / gamma^k:

    v_r(k+1) = v_r(k) + (h kappa a_r / (sqrt m gamma^{k+1})) sum_i rho_i(k) 1_ir(k) x_i
    ||v_r(k) - w_r(0)|| <= (kappa ||X|| / sqrt m) sum_{j<k} h ||rho(j)|| / gamma^{j+1}
    ||w_r(k) - w_r(0)|| <= (1 - gamma^k) ||w_r(0)|| + gamma^k (the same)

The first line is the step divided by gamma^{k+1}; ||sum_i rho_i 1_ir x_i|| <= ||X|| ||rho||; and w = gamma^k v, which
has the activations of v. For the flow gamma^k is e^{-lam t} and sums are integrals. Decided in exact rationals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from itertools import accumulate
from math import isqrt
from typing import Any

import numpy as np

from reference.arithmetic import Interval, exact, sqrt
from reference.exact_spectra import largest_eigenvalue
from reference.rational_networks import Exactly, RationalNetwork, fractions
from theorems.glss.flow_moments import ASLEEP, DUPLICATES, HYPOTHESES, ONE_NEURON, SQUARE, TRIANGLE, Moment, moment
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Statement


@dataclass(frozen=True, kw_only=True, eq=False)
class Path(Moment):
    """A moment from which gradient descent starts.

    Parameters
    ----------
    step : h > 0, with h lam < 1
    steps : how many, few: the numbers double their digits at every step
    """

    step: Fraction
    steps: int

    @property
    def decay(self) -> Fraction:
        """Gamma, what weight decay leaves after a step."""
        return 1 - self.step * self.lam

    def networks(self) -> list[RationalNetwork]:
        """Give the networks at k = 0, ..., steps."""
        found = [self.network]
        for _ in range(self.steps):
            last = found[-1]
            found.append(replace(last, W=last.W + self.step * last.weight_velocity()))
        return found


def path_from(x: Moment, name: str, says: str, step: Fraction, steps: int) -> Path:
    """Descend from a moment."""
    given = {f.name: getattr(x, f.name) for f in fields(Moment)} | {"name": name, "says": says}
    return Path(**given, step=step, steps=steps)


def root(square: Fraction) -> Interval:
    """Enclose a square root; exactly where it is rational."""
    p, q = isqrt(square.numerator), isqrt(square.denominator)
    if Fraction(p, q) ** 2 == square:
        return Fraction(p, q), Fraction(p, q)
    return sqrt(square)


def times(factor: Fraction, x: Interval) -> Interval:
    """Scale by a factor >= 0."""
    return factor * x[0], factor * x[1]


def plus(x: Interval, y: Interval) -> Interval:
    """Add enclosures."""
    return x[0] + y[0], x[1] + y[1]


def norm(v: Exactly) -> Interval:
    """Enclose the Euclidean norm of a vector."""
    return root(exact((v * v).sum()))


def largest_row(A: Exactly) -> Interval:
    """Enclose the largest norm of a row."""
    return root(max(exact(s) for s in (A * A).sum(axis=1)))


def data_norm(x: Path) -> Interval:
    """Enclose ||X||."""
    X = x.network.X
    low, high = largest_eigenvalue((X @ X.T).tolist())
    return root(max(low, Fraction(0)))[0], root(high)[1]


def settled(bound: Interval) -> Interval:
    """Round an enclosed bound up by 2^-60: it may be attained, and two enclosures of one number settle nothing."""
    upper = bound[1] * (1 + Fraction(1, 2**60))
    return bound if bound[0] == bound[1] else (upper, upper)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about displacements.

    Parameters
    ----------
    gauge : (gamma, k) -> what w_r(k) is divided by
    growth : (gamma, j) -> what a residual of step j is divided by
    width : m -> what the bound is divided by, m a square number
    size : instance -> size of the data
    multiplier : kappa -> its factor
    """

    gauge: Callable[[Fraction, int], Fraction] = lambda gamma, k: gamma**k
    growth: Callable[[Fraction, int], Fraction] = lambda gamma, j: gamma ** (j + 1)
    width: Callable[[int], int] = isqrt
    size: Callable[[Path], Interval] = data_norm
    multiplier: Callable[[Fraction], Fraction] = lambda kappa: kappa


def bounds(x: Path, networks: Sequence[RationalNetwork], reading: Reading) -> list[Interval]:
    """Enclose the bound on the displacement at k = 0, ..., steps."""
    factor = x.step * reading.multiplier(x.kappa) / reading.width(len(x.W))
    drives = [
        times(factor / reading.growth(x.decay, j), norm(net.Y - net.outputs(net.X)))
        for j, net in enumerate(networks[:-1])
    ]
    low, high = reading.size(x)
    sums = accumulate(drives, plus, initial=(Fraction(0), Fraction(0)))
    return [(low * a, high * b) for a, b in sums]


def _drift(x: Path, net: RationalNetwork, k: int) -> Exactly:
    """Give the drive of step k in the gauge: (m, d)."""
    rho = net.Y - net.outputs(net.X)
    moved: Exactly = x.step / x.decay ** (k + 1) * np.tensordot(rho, net.gradients(net.X), axes=1)
    return moved


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading, the right one or a broken one."""

    def claims(x: Path) -> Sequence[Claim]:
        networks = x.networks()
        start, far = networks[0].W, largest_row(networks[0].W)
        gauge = [net.W / reading.gauge(x.decay, k) for k, net in enumerate(networks)]
        found = []
        for k, (net, v, bound) in enumerate(zip(networks, gauge, bounds(x, networks, reading), strict=True)):
            kept = x.decay**k
            if k < x.steps:
                found.append(
                    Claim(
                        says=f"v({k + 1}) = v({k}) + the drive",
                        left=gauge[k + 1].tolist(),
                        relation="=",
                        right=(v + _drift(x, net, k)).tolist(),
                    )
                )
            found += [
                Claim(
                    says=f"max_r ||v_r({k}) - w_r(0)|| <= the sum of the residuals",
                    left=largest_row(v - start),
                    relation="<=",
                    right=settled(bound),
                ),
                Claim(
                    says=f"max_r ||w_r({k}) - w_r(0)|| <= what decays, and what is driven",
                    left=largest_row(net.W - start),
                    relation="<=",
                    right=settled(plus(times(1 - kept, far), times(kept, bound))),
                ),
            ]
        return found

    return ForEach(claims=claims, facts=lambda x: {"flips": flips(x)})


def flips(x: Path) -> int:
    """Count pairs (point, neuron) whose activation at the end is not that at the start."""
    first, *_, last = (fractions(x.X) @ net.W.T > 0 for net in x.networks())
    return int((first != last).sum())


LONE = path_from(ONE_NEURON, "I0-path", "I0, four steps of 1/2: the bound is attained", Fraction(1, 2), 4)
QUARTET = path_from(
    moment(
        "quartet",
        "one point seen by four neurons",
        X=[[2]],
        new=[[1]],
        Y=[1],
        W=[[1], [2], [Fraction(1, 3)], [3]],
        a=[1, -1, 1, -1],
        kappa=Fraction(1),
        lam=Fraction(1, 10),
    ),
    "quartet",
    "one point seen by four neurons, three steps of 1/8: attained by all of them",
    Fraction(1, 8),
    3,
)
TWICE = path_from(
    moment(
        "twice",
        "nearly equal labels at equal points",
        X=[[1, 0], [1, 0]],
        new=[[0, 1]],
        Y=[1, Fraction(9, 10)],
        W=[[Fraction(1, 5), 1]],
        a=[1],
        kappa=Fraction(1),
        lam=Fraction(1, 100),
    ),
    "twice",
    "a point twice with labels 1 and .9, two steps of 1/4: close to the bound",
    Fraction(1, 4),
    2,
)
SQUARE_PATH = path_from(SQUARE, "square-path", "square, three steps of 1", Fraction(1), 3)
SQUARE_LEAP = path_from(SQUARE, "square-leap", "square, two steps of 9/2: neurons are thrown over", Fraction(9, 2), 2)
TRIANGLE_PATH = path_from(TRIANGLE, "triangle-path", "triangle, three steps of 1/4", Fraction(1, 4), 3)
PAIR_PATH = path_from(DUPLICATES, "duplicates-path", "duplicates, three steps of 1/2", Fraction(1, 2), 3)
FAR_ASLEEP = path_from(
    replace(ASLEEP, W=((Fraction(-10), Fraction(-20)),)),
    "far-asleep",
    "a far neuron that sees no point: in the gauge it rests, though it shrinks",
    Fraction(1, 10),
    3,
)


def instances(_profile: str) -> Sequence[Path]:
    """Give the catalogued paths."""
    return (LONE, QUARTET, TWICE, SQUARE_PATH, SQUARE_LEAP, TRIANGLE_PATH, PAIR_PATH, FAR_ASLEEP)


def _twin(name: str, because: str, refuted_on: Path, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(Reading(**change)), refuted_on=refuted_on)


def _step_in_range(x: Path) -> str | None:
    return None if 0 < x.step * x.lam < 1 else f"h lam must lie in (0, 1), got h = {x.step}, lam = {x.lam}"


def _drawn() -> Any:
    from theorems.glss.training_phase_strategies import paths

    return paths()


STATEMENT = Statement(
    id="glss.radial-gauge",
    number="4, training phase, one trajectory",
    title="What moves a neuron under weight decay",
    kind="Step of a proof",
    says=r"\lVert v_r(k)-w_r(0)\rVert\le\frac{\kappa\lVert X\rVert}{\sqrt m}\sum_{j<k}"
    r"\frac{h\lVert Y-u_{\mathrm{nn}}(j)\rVert}{(1-h\lambda)^{j+1}},\quad v_r(k)=\frac{w_r(k)}{(1-h\lambda)^{k}}",
    plainly="Weight decay scales neurons without turning them; apart from that, a neuron moves by no more than the sum "
    "of the residuals over the square root of the width.",
    source=GLSS.at("Section 4, 'Training phase', for item 1 of Lemma 4.1"),
    deviation="not printed: the paper bounds ||w_r(t) - w_r(0)|| itself, which weight decay moves by "
    "(1 - e^{-lambda t}) ||w_r(0)||, so that the bound has a factor sqrt d; activations need the gauge only",
    constant="proved here",
    hypotheses=(
        HYPOTHESES[0],
        Hypothesis(
            says="no neuron comes to lie on a kink of a point (almost every t)",
            guaranteed_by="the rational network refuses to give a derivative there",
        ),
        HYPOTHESES[3],
        Hypothesis(says="a step h with 0 < h lambda < 1", holds=_step_in_range),
    ),
    conclusion=conclusion(Reading()),
    instances=instances,
    twins=(
        _twin(
            "weights_for_the_gauge",
            "weight decay moves far neurons by a part of their length",
            FAR_ASLEEP,
            gauge=lambda _gamma, _k: Fraction(1),
        ),
        _twin(
            "growth_of_the_gauge_forgotten",
            "late residuals count for more: the start has shrunk meanwhile",
            LONE,
            growth=lambda _gamma, _j: Fraction(1),
        ),
        _twin(
            "decay_after_the_drive",
            "a step decays the weight and not the drive: j + 1, not j",
            LONE,
            growth=lambda gamma, j: gamma**j,
        ),
        _twin("width_for_its_root", "the gradient carries m^-1/2", QUARTET, width=lambda m: m),
        _twin(
            "longest_row_for_the_norm",
            "points that pull together pull harder than one",
            TWICE,
            size=lambda x: largest_row(x.network.X),
        ),
        _twin(
            "multiplier_squared", "kappa once: the residual brings no other", LONE, multiplier=lambda kappa: kappa**2
        ),
    ),
    strategy=_drawn,
)
