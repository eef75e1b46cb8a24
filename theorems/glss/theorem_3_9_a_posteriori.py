r"""Theorem 3.9 after the fact: a run of the reweighed network bounds its own distance to u*, at every step.

    ||ubar(k) - u*|| <= prod_{j<k} nu_j ||ubar(0) - u*|| + h kappa^2 ||Y - u*|| sum_{j<k} eta_j prod_{j<l<k} nu_l
    nu_j = ||I - h (kappa^2 Hh(j) + lam I)||,   eta_j = ||Hh(j) - H_cts||

with secant kernels that carry the weights, Hh_ij = (x_i.x_j / m) sum_r omega_r^2 th_ir 1_jr. The limit H_cts and u* are
those of Gaussian neurons: E Hbar(0) = H_cts, which is what omega = sqrt(p/q) is for, and each entry is a mean of m
numbers in [0, omega^2 |x_i.x_j|], so that by Hoeffding, in all draws but one in 10^9,

    ||Hbar(0) - H_cts||_F <= ||X X^T||_F omega^2 sqrt(ln(10^9 n (n + 1)) / (2m))

Proof and arithmetic of the first as for Theorem 3.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from reference.arithmetic import enclose
from reference.preconditions import Float64, exact_rows
from theorems.glss.equation_10_reweighed_loss import SQUARE_MISSING
from theorems.glss.reweighed_runs import LEVERAGE, NO_ZERO, Neurons, by_leverage, largest_weight, train_reweighed
from theorems.glss.theorem_3_6_a_posteriori import Remainder, carried, distances, identity, length, norms, residuals
from theorems.glss.training_constants import Constants
from theorems.glss.training_instances import (
    DEFINITE,
    DESCENT,
    I1,
    I2,
    IN_RANGE,
    SIGNS,
    Training,
    alternating,
    on_circle,
    shrinking_ridge,
    training,
)
from theorems.glss.training_runs import Run
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Statement

Stray = Callable[[float], float]


@lru_cache(maxsize=4)  # claims and facts look at the same run
def judged(x: Training, neurons: Neurons) -> Run:
    """Give the run that the instance names, with its kernels."""
    if x.m is None:
        raise ValueError(f"judged: an instance of one run needs its width m, got None for {x.name}")
    return train_reweighed(x, x.m, x.rng(), neurons=neurons, kernels=True)


def bounds(x: Training, run: Run, goal: Remainder, stray: Stray) -> list[Fraction]:
    """Bound ||ubar(k) - u*|| at every step, rounded upwards."""
    found = [(nu, stray(eta)) for nu, eta in norms(x, run)]
    return carried(x, distances(x, run, goal)[0][1], found, residuals(x, run), goal)


def start(x: Training, run: Run) -> Claim:
    """Compare the kernel at the start with its mean."""
    if run.kernels is None:
        raise TypeError("start: need the kernels of the run; train with kernels=True")
    low, high = length([v for row in exact_rows(run.kernels[0][: len(x.X)] - x.H_cts) for v in row])
    # in the Frobenius norm, at most sqrt n times that in the spectral norm; the subtraction rounds by less
    error = 2 * len(x.X) * x.kernel_error
    right = enclose(
        lambda gram, omega2, n, m: gram * omega2 * ((10**9 * n * (n + 1)).log() / (2 * m)).sqrt(),
        *(Constants(x).gram_norm, largest_weight(x), len(x.X), x.m or 0),
    )
    return Claim(
        says="||Hbar(0) - H_cts||_F <= its bound, in all draws but one in 10^9",
        left=(max(low - error, Fraction(0)), high + error),
        relation="<=",
        right=right,
    )


def conclusion(
    goal: Callable[[Training], Remainder] = lambda x: x.remainder,
    neurons: Neurons = by_leverage,
    stray: Stray = lambda eta: eta,
) -> ForEach:
    """Give the sentence, for some Y - u*, some law of the neurons and what is made of eta."""

    def claims(x: Training) -> Sequence[Claim]:
        run, rest = judged(x, neurons), goal(x)
        pairs = zip(distances(x, run, rest), bounds(x, run, rest, stray), strict=True)
        return [
            identity(residuals(x, run)),
            start(x, run),
            *(
                Claim(says=f"||ubar(k) - u*|| <= its bound at k = {k}", left=left, relation="<=", right=right)
                for k, (left, right) in enumerate(pairs)
            ),
        ]

    def facts(x: Training) -> Mapping[str, float | int | str]:
        run = judged(x, neurons)
        err = float(distances(x, run, x.remainder)[-1][1])
        eta = max(eta for _, eta in norms(x, run))
        return {
            **run.facts,
            "err": err,
            "err m": err * (x.m or 0),
            "largest ||Hh - H_cts||": eta,
            "lambda T": float(x.lam * x.horizon),
        }

    return ForEach(claims=claims, facts=facts)


# -------------------------------------------------------------------------------------------------- instances


def _run(name: str, says: str, X: Float64, m: int, *, seed: int, **more: Any) -> Training:
    settings = {"lam": shrinking_ridge(m), "step": 1, "steps": 24} | more
    return training(name, says, X=X, Y=alternating(len(X)), m=m, seed=seed, **settings)


ONE_POINT = on_circle(0.3)
SMALL = _run("one-point-100", "one point, 100 neurons", ONE_POINT, 100, seed=1)
FIXED_RIDGE = _run(
    "I1-ridge-tenth", "points at angles .3 and 1.5, lambda = .1", I1, 10**4, seed=2, lam=Fraction(0.1), steps=16
)
PLANE = _run("I1-m1e4", "points at angles .3 and 1.5, lambda = 1/sqrt m", I1, 10**4, seed=3, steps=40)
SPREAD = _run("I2-m1e4", "three points of the plane, a cell that sees none of them", I2, 10**4, seed=4, steps=40)


def instances(profile: str) -> tuple[Training, ...]:
    """Give one run each."""
    found: tuple[Training, ...] = (SMALL, FIXED_RIDGE, PLANE, SPREAD)
    if profile in ("ci", "night"):
        found += (
            _run("orthonormal-4", "four orthonormal points", np.eye(4), 10**4, seed=5, steps=40),
            _run("I2-m1e5", "three points of the plane, m = 1e5", I2, 10**5, seed=6, steps=60),
            _run("I1-m1e6", "m = 1e6", I1, 10**6, seed=7, steps=60),
        )
    if profile == "night":
        found += (_run("I2-m4e6", "three points of the plane, m = 4e6", I2, 4 * 10**6, seed=8, steps=60),)
    return found


# ------------------------------------------------------------------------------------------------------ twins


def _unweighed(x: Training, m: int, rng: np.random.Generator) -> tuple[Float64, Float64 | None]:
    return by_leverage(x, m, rng)[0], None


def _squared(x: Training, m: int, rng: np.random.Generator) -> tuple[Float64, Float64 | None]:
    W, omega = by_leverage(x, m, rng)
    return W, None if omega is None else omega**2


def _minimiser_without_the_square(x: Training) -> Remainder:
    """Give Y - u of the printed (10), ||Y - u|| / 2 + lam u.H^-1 u / 2, where ||lam H^-1 Y|| <= 1/2: u = Y is least."""
    return [Fraction(0)] * len(x.Y), Fraction(1, 2**40)


def _twin(name: str, because: str, refuted_on: Training, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.glss.new_point_strategies import small_runs

    return small_runs()


STATEMENT = Statement(
    id="glss.thm3.9.a_posteriori",
    number="3.9 a posteriori",
    title="Training from leverage scores against u*, after the fact",
    kind="Theorem",
    says=r"\lVert\bar u(k)-u^*\rVert_2\le\prod_{j<k}\nu_j\,\lVert\bar u(0)-u^*\rVert_2"
    r"+h\kappa^2\lVert Y-u^*\rVert_2\sum_{j<k}\eta_j\prod_{j<l<k}\nu_l,\quad"
    r"\nu_j=\lVert I-h(\kappa^2\hat H(j)+\lambda I)\rVert,\quad\eta_j=\lVert\hat H(j)-H^{\mathrm{cts}}\rVert",
    plainly="The distance of a reweighed network to kernel regression is bounded by how far its own kernels strayed "
    "from the limiting one.",
    source=GLSS.at("Section 3.2.2, Theorem 3.9, by equations (13) and (14)"),
    deviation="an inequality for each run in place of a probability; for gradient descent, with secant kernels, "
    "instead of the flow (A10)",
    constant="proved here",
    hypotheses=(IN_RANGE, DEFINITE, NO_ZERO, LEVERAGE, SIGNS, DESCENT),
    conclusion=conclusion(),
    instances=instances,
    twins=(
        _twin(
            "weights_forgotten",
            "neurons drawn by leverage see more than their share: without weights the kernel is another one",
            FIXED_RIDGE,
            neurons=_unweighed,
        ),
        _twin(
            "weights_squared",
            "p/q for its root: the output carries omega and its gradient too, so that the kernel carries omega^2",
            SMALL,
            neurons=_squared,
        ),
        _twin(
            "perturbation_left_out",
            "training would reach u* itself: the kernel at finite width is another one",
            PLANE,
            stray=lambda _eta: 0.0,
        ),
        _twin(
            "square_missing",
            "the printed (10) is least at u = Y for a small ridge (E2)",
            FIXED_RIDGE,
            goal=_minimiser_without_the_square,
        ),
    ),
    misprints=(SQUARE_MISSING,),
    notes=("The inequality itself knows nothing of the law of the neurons; the claim about the start does.",),
    strategy=_drawn,
)
