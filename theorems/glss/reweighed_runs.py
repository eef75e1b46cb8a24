"""One run of gradient descent on the reweighed network of Definition 3.8, as the training theorems look at it.

    fbar(W, x) = m^-1/2 sum_r a_r omega_r sigma(w_r.x),  w_r(0) ~ q = q_lambda / s_lambda,  omega_r = sqrt(p/q)(w_r(0))
    omega_r^2 = s_lambda / tau(w_r) <= s_lambda (||H_cts|| + lam) / min_i ||x_i||^2

The bound holds as tau(w) = tr Phi(w)^T (H_cts + lam)^-1 Phi(w) >= ||Phi(w)||_F^2 / (||H_cts|| + lam), and q draws only
neurons that see a point.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from reference.arithmetic import Interval, ball, ball_inverse, enclose, interval, matrix_of_balls, precision
from reference.gradient_descent import descend
from reference.leverage_initialisation import leverage_initialisation
from reference.preconditions import Float64, exact_rows, inner
from reference.relu_tangent import tangent_kernel_balls
from theorems.glss.training_instances import Training
from theorems.glss.training_runs import Run, Signs, fair_signs
from theorems.statement import Hypothesis

BITS = 128

Neurons: TypeAlias = Callable[[Training, int, np.random.Generator], tuple[Float64, Float64 | None]]
"""(instance, m, rng) -> (m, d) neurons and their frozen weights, None for ones."""


def by_leverage(x: Training, m: int, rng: np.random.Generator) -> tuple[Float64, Float64 | None]:
    """Draw from q, with omega = sqrt(p/q)."""
    drawn = leverage_initialisation(x.X, x.lam, m, rng)
    return drawn.W, drawn.omega


def gaussian(x: Training, m: int, rng: np.random.Generator) -> tuple[Float64, Float64 | None]:
    """Draw from p, with omega = 1: the network of Definition 3.5."""
    return rng.standard_normal((m, x.X.shape[1])), None


def train_reweighed(
    x: Training,
    m: int,
    rng: np.random.Generator,
    *,
    neurons: Neurons = by_leverage,
    kernels: bool = False,
    signs: Signs = fair_signs,
) -> Run:
    """Draw a network of width m and train it, by brute force.

    Parameters
    ----------
    x : the problem; its own m and seed are not looked at
    m : width
    rng : source of the neurons, then of the signs
    neurons : how they are drawn and weighed
    kernels : give the kernels and the secant kernels of every step
    signs : law of the second layer
    """
    W, omega = neurons(x, m, rng)
    a = signs(m, rng)
    done = descend(
        x.X,
        x.Y,
        W,
        a,
        kappa=x.kappa,
        lam=x.lam,
        step=x.step,
        steps=x.steps,
        omega=omega,
        X_test=x.X_test,
        kernels=kernels,
    )
    return Run(
        u=done.u,
        u_test=done.u_test,
        kernels=done.kernels,
        secants=done.secants,
        certified=True,
        facts={
            "m": m,
            "displacement": float(done.displacement.max()),
            "largest omega": 1.0 if omega is None else float(omega.max()),
            "certificate": "brute force",
            "law": "exact initial law",
        },
    )


def dimension(x: Training) -> Interval:
    """Enclose s_lambda(H_cts) = n - lam tr (H_cts + lam)^-1."""
    n = len(x.X)
    with precision(BITS):
        rows, lam = tangent_kernel_balls(x.X, BITS).tolist(), ball(x.lam, BITS)
        for i in range(n):
            rows[i][i] += lam
        inverse = ball_inverse(matrix_of_balls(rows), BITS).tolist()
        return interval(n - lam * sum((inverse[i][i] for i in range(n)), ball(0, BITS)))


def largest_weight(x: Training) -> Interval:
    """Enclose s_lambda (||H_cts|| + lam) / min_i ||x_i||^2, at least every omega_r^2."""
    least = min(inner(row, row) for row in exact_rows(x.X))
    return enclose(
        lambda s, norm, lam, least: s * (norm + lam) / least, dimension(x), x.kernel_norm, x.lam, least, bits=BITS
    )


def _no_zero_row(x: Training) -> str | None:
    least = min(inner(row, row) for row in exact_rows(x.X))
    return None if least > Fraction(0) else "x_i must not be 0, got a zero row"


NO_ZERO = Hypothesis(says="x_i != 0, so that p/q is bounded where q > 0", holds=_no_zero_row)
LEVERAGE = Hypothesis(
    says="w_r(0) ~ q = q_lambda / s_lambda, independent, and omega_r = sqrt(p/q)(w_r(0)) frozen (Definition 3.8)",
    guaranteed_by="exact draws: a cell with probability P_c tau_c / s_lambda, in it as under p; by rejection beyond "
    "the plane",
)
