"""Gradient descent on the two-layer network by brute force, neuron by neuron.

Weight decay moves weights but flips no activation: in the radial gauge v = w / gamma^k, gamma = 1 - h lam, a step is

    v_r(k+1) = v_r(k) + (h kappa a_r omega_r / (sqrt m gamma^{k+1})) sum_i rho_i(k) 1[v_r(k).x_i >= 0] x_i
    u_i(k)   = gamma^k (kappa / sqrt m) sum_r a_r omega_r sigma(v_r(k).x_i),   rho(k) = Y - u(k)

with v(0) = w(0): the same trajectory in other coordinates. Neurons feel each other only through rho, so a step is one
pass over blocks of neurons that stay in cache while they are worked on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.preconditions import Float64, one_each, points, positive, same_dimension
from reference.two_layer import frozen_weights, signs

BLOCK_NUMBERS = 2**16
"""A block of neurons has about so many inner products: half a megabyte."""

SMALLEST_DECAY = 2.0**-960
"""v grows like 1 / gamma^k, and stays in the float range for gamma^k above this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectory:
    """What gradient descent did, at k = 0, ..., steps.

    Parameters
    ----------
    u : (steps + 1, n), kappa f at the data
    u_test : (steps + 1, t), kappa f at the test points; t = 0 without any
    v : (m, d), last weights in the radial gauge; the weights themselves are gamma^steps v
    displacement : (steps + 1,), max_r ||v_r(k) - w_r(0)||, starting at 0
    paths : (steps + 1, number watched, d), v_r(k) of the watched neurons
    kernels : (steps + 1, n + t, n), the current kernel H(k) between data and test points, and data, without kappa^2;
        exactly symmetric on the data; None unless asked
    secants : (steps, n + t, n), the secant kernel of step k, see `descend`; None unless asked
    """

    u: Float64
    u_test: Float64
    v: Float64
    displacement: Float64
    paths: Float64
    kernels: Float64 | None
    secants: Float64 | None


def descend(
    X: Any,
    Y: Any,
    W: Any,
    a: Any,
    *,
    kappa: Any,
    lam: Any,
    step: Any,
    steps: int,
    omega: Any = None,
    X_test: Any = None,
    watch: Sequence[int] | None = None,
    kernels: bool = False,
) -> Trajectory:
    """Train the first layer by gradient descent with a constant step.

    w(k+1) = w(k) - h dL/dw(w(k)),   L(W) = ||Y - kappa f(W, a, X)||^2 / 2 + lam ||W||_F^2 / 2

    Parameters
    ----------
    X : (n, d) float
    Y : (n,) labels
    W : (m, d) float, initial weights w_r(0)
    a : (m,) signs
    kappa : positive float, multiplier of the network
    lam : positive float, ridge
    step : positive float h, with h lam < 1; time is h k
    steps : how many, >= 0
    omega : (m,) float >= 0, frozen weights; None for ones
    X_test : (t, d) float, points to predict at
    watch : neurons whose weights are recorded at every step
    kernels : whether to record the current and the secant kernels

    Returns
    -------
    trajectory : `Trajectory`

    Raises
    ------
    ValueError : h lam >= 1; or (1 - h lam)^steps below 2^-960
    OverflowError : the training diverged

    Notes
    -----
    The secant kernel Hh(k) makes a step linear without any error (also where neurons cross):

        u(k+1) = gamma u(k) + h kappa^2 Hh(k) (Y - u(k))
        Hh_ij  = (x_i.x_j / m) sum_r omega_r^2 th_ir 1[v_r(k).x_j >= 0],   th_ir in [0, 1] the slope of sigma between
                 v_r(k).x_i and v_r(k+1).x_i

    It equals H(k) if no neuron crosses, and is not symmetric in general.

    References
    ----------
    GLSS, equations (6) and (10), the latter with the first norm squared
    """
    data, W0 = points(X, "descend: X"), points(W, "descend: W")
    same_dimension(data, W0, "descend: W")
    n, m = len(data), len(W0)
    labels, h = one_each(Y, n, "descend: Y"), positive(step, "descend: step")
    multiplier, gamma = positive(kappa, "descend: kappa"), 1 - h * positive(lam, "descend: lam")
    if steps < 0:
        raise ValueError(f"descend: steps must be at least 0, got steps = {steps}")
    if gamma <= 0:
        raise ValueError(f"descend: step lam must be below 1, got step = {step}, lam = {lam}")
    if gamma**steps < SMALLEST_DECAY:
        raise ValueError(f"descend: (1 - step lam)^steps must be at least 2^-960, got {gamma}^{steps}")
    new = np.empty((0, data.shape[1])) if X_test is None else points(X_test, "descend: X_test")
    same_dimension(data, new, "descend: X_test")
    everywhere = np.vstack([data, new])
    top, weights = signs(a, m, "descend: a"), frozen_weights(omega, m, "descend: omega")
    watched = _watched(watch, m)

    size = max(512, BLOCK_NUMBERS // len(everywhere))
    room = np.empty((len(everywhere), size))
    cuts = [slice(first, first + size) for first in range(0, m, size)]
    blocks = [_Block(W0[cut], (top * weights)[cut], everywhere, n, room) for cut in cuts]
    u = np.empty((steps + 1, len(everywhere)))
    displacement, paths = np.zeros(steps + 1), np.empty((steps + 1, len(watched), data.shape[1]))
    H = np.zeros((steps + 1, len(everywhere), n)) if kernels else None
    secants = np.zeros((steps, len(everywhere), n)) if kernels else None
    with np.errstate(over="ignore", invalid="ignore"):  # refused by name below
        for k in range(steps + 1):
            u[k] = 0
            scale = h * multiplier / (np.sqrt(m) * gamma**k)
            pull = (scale * (labels - u[k - 1, :n])[:, None] * data).T if k else None
            for block in blocks:
                if pull is not None:
                    block.move(pull, None if secants is None else secants[k - 1])
                    displacement[k] = max(displacement[k], block.displacement())
                u[k] += block.outputs()
                if H is not None:
                    block.add_kernel(H[k])
            u[k] *= gamma**k * multiplier / np.sqrt(m)
            if not np.isfinite(u[k]).all():
                raise OverflowError(f"descend: training left the float range at k = {k}; take a smaller step")
            paths[k] = [blocks[r // size].v[:, r % size] for r in watched] or paths[k]
    products = everywhere @ data.T / m
    if H is not None:
        H *= products
        H[:, :n] = (H[:, :n] + H[:, :n].swapaxes(1, 2)) / 2  # a BLAS may sum (i, j) and (j, i) in different orders
    return Trajectory(
        u=u[:, :n].copy(),
        u_test=u[:, n:].copy(),
        v=np.vstack([block.v.T for block in blocks]),
        displacement=displacement,
        paths=paths,
        kernels=H,
        secants=None if secants is None else products * secants,
    )


def _watched(watch: Sequence[int] | None, m: int) -> list[int]:
    watched = [] if watch is None else [int(r) for r in watch]
    for r in watched:
        if not 0 <= r < m:
            raise ValueError(f"descend: watch must name neurons 0 to {m - 1}, got {r}")
    return watched


class _Block:
    """Neurons that are moved together, coordinates first, so that every array is a few long rows.

    W : (b, d), their first weights; top : (b,), a_r omega_r; P : (n + t, d), all points, of which n pull;
    room : (n + t, >= b), scratch shared by the blocks
    """

    def __init__(self, W: Float64, top: Float64, P: Float64, n: int, room: Float64) -> None:
        self.start = np.ascontiguousarray(W.T)
        self.v, self.top, self.P, self.n = self.start.copy(), top, P, n
        self.room = room[:, : len(W)]
        self.active: npt.NDArray[np.bool_] = P @ self.v >= 0

    def move(self, pull: Float64, secant: Float64 | None) -> None:
        """Move by top_r sum_i 1_ir pull_i, pull (d, n); add the slopes to the secant kernel."""
        seen = self.room[: self.n]
        seen[...] = self.active[: self.n]
        if secant is None:
            self.v += pull @ seen * self.top
            return
        before = self.P @ self.v
        self.v += pull @ seen * self.top
        secant += _slopes(before, self.P @ self.v) * self.top**2 @ seen.T

    def displacement(self) -> float:
        difference = self.v - self.start
        difference *= difference
        return float(np.sqrt(difference.sum(axis=0).max()))

    def outputs(self) -> Float64:
        """Look again which points are seen, and give sum_r top_r sigma(v_r.x_i): (n + t,)."""
        products = np.matmul(self.P, self.v, out=self.room)
        np.greater_equal(products, 0, out=self.active)
        total: Float64 = np.maximum(products, 0, out=products) @ self.top
        return total

    def add_kernel(self, kernel: Float64) -> None:
        seen = self.active.astype(np.float64)
        kernel += seen * self.top**2 @ seen[: self.n].T


def _slopes(before: Float64, after: Float64) -> Float64:
    """Give the slope of sigma between two places, 1[before >= 0] where they are on one side."""
    slopes = (before >= 0).astype(np.float64)
    crossed = (before >= 0) != (after >= 0)
    before, after = before[crossed], after[crossed]
    slopes[crossed] = np.maximum(before, after) / np.abs(after - before)
    return slopes
