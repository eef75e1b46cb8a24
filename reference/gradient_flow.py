"""Gradient flow of the two-layer network, exactly from event to event: small networks only.

In the radial gauge v = e^{lam t} w, with c(t) = int_0^t e^{lam s} rho(s) ds, a neuron that sees the points S moves by

    v_r(t) - v_r(t0) = push_r P_B sum_{i in S} (c_i(t) - c_i(t0)) x_i,   push_r = kappa a_r omega_r / sqrt m

B are the boundaries w.x_i = 0 it slides along, and P_B projects onto their intersection. The flow is a differential
inclusion: where both sides push towards a boundary the neuron stays on it, with the derivative th in [0, 1] of sigma
at 0 that cancels the normal velocity, and that is the projection. So between events rho obeys

    d rho / dt = -kappa^2 H rho + lam (Y - rho),   H_ij = (1/m) sum_r omega_r^2 x_i.P_B x_j 1_ir 1_jr

with a constant symmetric H, and c(t) is a sum of exponentials. An event is a neuron that reaches a boundary, or a th
that leaves [0, 1]. Events are looked for `SCANS` times per shortest relaxation time and located to the last digit.

Limits. A neuron that crosses a boundary and comes back between two looks is taken not to have crossed. Solutions need
not be unique, and then one is followed: where both sides push away, the one that sees the point; in a corner, such as
the origin, one that leaves it if there is any at that moment, and a neuron that came to rest there stays. Gradient
descent may do otherwise, also in its limit, by one neuron's share. The work is one pass over all neurons per event and
look: m in the thousands, n of a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.preconditions import Float64, non_negative, one_each, points, positive, same_dimension
from reference.relu_tangent import angle
from reference.two_layer import frozen_weights, outputs, signs

SCANS = 20
"""Looks for events per unit of 1 / (kappa^2 ||H|| + lam)."""

SLACK = 4e-15
"""A neuron is across a boundary if w.x is beyond it by this times |w||x|: one set on it is not across by rounding."""

THETA_SLACK = 1e-12
"""th has left [0, 1] beyond this."""

SHARED = 1e-9
"""Boundaries, and intersections of boundaries, count as equal within this angle."""

LARGEST_GROWTH = 600.0
"""v grows like e^{lam t}, which must stay in the float range."""


Bits: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class FlowPath:
    """What the flow did, at the times asked for.

    Parameters
    ----------
    times : (k,) float
    u : (k, n), kappa f at the data
    u_test : (k, t), kappa f at the test points; t = 0 without any
    kernels : (k, n, n), the kernel H that drives u, sliding neurons with their projections; without kappa^2
    displacement : (k,), max_r ||v_r(t) - w_r(0)||
    v : (m, d), last weights in the radial gauge; the weights themselves are e^{-lam t} v
    sliding : (m, n) bool, which boundaries neurons slide along at the end
    events : how many times a neuron changed what it sees or slides along
    """

    times: Float64
    u: Float64
    u_test: Float64
    kernels: Float64
    displacement: Float64
    v: Float64
    sliding: Bits
    events: int


def flow(
    X: Any,
    Y: Any,
    W: Any,
    a: Any,
    *,
    kappa: Any,
    lam: Any,
    times: Any,
    omega: Any = None,
    X_test: Any = None,
) -> FlowPath:
    """Train the first layer by gradient flow.

    dw/dt = -dL/dw,   L(W) = ||Y - kappa f(W, a, X)||^2 / 2 + lam ||W||_F^2 / 2

    Parameters
    ----------
    X : (n, d) float, no row zero, no two rows parallel or antiparallel
    Y : (n,) labels
    W : (m, d) float, initial weights
    a : (m,) signs
    kappa : positive float, multiplier of the network
    lam : positive float, ridge
    times : (k,) float >= 0, not decreasing
    omega : (m,) float >= 0, frozen weights; None for ones
    X_test : (t, d) float, points to predict at

    Returns
    -------
    path : `FlowPath`

    Raises
    ------
    ValueError : a zero row, or two rows that share a boundary; decreasing times; lam t above 600

    References
    ----------
    GLSS, Section 4: the flow of (13)-(16); A. F. Filippov, Differential Equations with Discontinuous Right-hand Sides,
    1988, for its meaning at the kinks
    """
    data, W0, ridge = points(X, "flow: X"), points(W, "flow: W"), positive(lam, "flow: lam")
    same_dimension(data, W0, "flow: W")
    t = non_negative(times, len(np.atleast_1d(times)), "flow: times")
    _check(data, t, ridge)
    new = np.empty((0, data.shape[1])) if X_test is None else points(X_test, "flow: X_test")
    same_dimension(data, new, "flow: X_test")
    labels, m = one_each(Y, len(data), "flow: Y"), len(W0)
    multiplier, weights = positive(kappa, "flow: kappa"), frozen_weights(omega, m, "flow: omega")
    push = multiplier / np.sqrt(m) * signs(a, m, "flow: a") * weights
    neurons = _Neurons(data, W0, push)
    everywhere = np.vstack([data, new])
    u, kernels, displacement = np.empty((len(t), len(everywhere))), np.empty((len(t), len(data), len(data))), []
    now = 0.0
    for k, goal in enumerate(t):
        while True:
            piece = _Piece(neurons, labels, ridge, now)
            now += piece.follow(goal - now)
            if now >= goal:
                break
        u[k] = np.exp(-ridge * now) * multiplier * outputs(neurons.v, a, everywhere, weights)
        kernels[k] = piece.drive / multiplier**2
        displacement.append(np.linalg.norm(neurons.v - W0, axis=1).max())
    return FlowPath(
        times=t,
        u=u[:, : len(data)].copy(),
        u_test=u[:, len(data) :].copy(),
        kernels=kernels,
        displacement=np.array(displacement),
        v=neurons.v,
        sliding=neurons.along,
        events=neurons.events,
    )


def _check(X: Float64, times: Float64, lam: float) -> None:
    theta = angle(X, X)
    shared = np.argwhere(np.triu(np.minimum(theta, np.pi - theta) < SHARED, 1))
    if len(shared):
        i, j = shared[0]
        raise ValueError(f"flow: X must have no two rows parallel or antiparallel, got rows {i} and {j}")
    if (np.diff(times) < 0).any():
        raise ValueError(f"flow: times must not decrease, got {times.tolist()}")
    if lam * times[-1] > LARGEST_GROWTH:
        raise ValueError(f"flow: lam t must be at most {LARGEST_GROWTH:g}, got {lam * times[-1]}")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Kind:
    """What neurons that see the same points S and slide along the same boundaries B have in common.

    seen, along : (n,) bool, S and B
    normals : (n, n), x_i.P_B x_j for j in S, else 0: how c moves the products w.x_i
    field : (d, n), P_B x_j for j in S, else 0: how c moves the neuron
    forced : (n, n), the linear map from rho to th_i rho_i for i in B, -G_BB^-1 G_BS, else 0
    """

    seen: Bits
    along: Bits
    normals: Float64
    field: Float64
    forced: Float64


def _kind(X: Float64, seen: Bits, along: Bits) -> _Kind:
    forced = np.zeros((len(X), len(X)))
    forced[along] = -np.linalg.solve(X[along] @ X[along].T, X[along] @ X.T * seen)
    field = X.T * seen + X.T @ forced
    return _Kind(seen=seen, along=along, normals=X @ field, field=field, forced=forced)


class _Neurons:
    """Where the neurons are, what they see, and what they slide along.

    v : (m, d); push : (m,); seen, along : (m, n) bool, never both
    """

    def __init__(self, X: Float64, W: Float64, push: Float64) -> None:
        self.X, self.push, self.v = X, push, W.copy()
        self.seen: Bits = W @ X.T >= 0
        self.along = np.zeros_like(self.seen)
        self.events = 0
        self._known: dict[bytes, _Kind] = {}

    def kinds(self) -> tuple[list[_Kind], npt.NDArray[np.intp]]:
        """Give the kinds that occur, and which is that of each neuron: (m,)."""
        code = self.seen @ 3 ** np.arange(len(self.X)) + self.along @ (2 * 3 ** np.arange(len(self.X)))
        _, first, place = np.unique(code, return_index=True, return_inverse=True)
        return [self.kind(self.seen[r], self.along[r]) for r in first], place

    def kind(self, seen: Bits, along: Bits) -> _Kind:
        key = seen.tobytes() + along.tobytes()
        if key not in self._known:
            self._known[key] = _kind(self.X, seen.copy(), along.copy())
        return self._known[key]

    def settle(self, r: int, at: Bits, rho: Float64) -> None:
        """Put neuron r on the boundaries `at` and decide about each point there: seen, unseen, or slid along."""
        self.events += 1
        corner = np.linalg.qr(self.X[at].T)[0]
        at = at | (
            np.linalg.norm(self.X - self.X @ corner @ corner.T, axis=1) < SHARED * np.linalg.norm(self.X, axis=1)
        )
        self.v[r] -= corner @ (corner.T @ self.v[r])
        if corner.shape[1] == len(self.v[r]):
            self.v[r] = 0  # the origin, without a rounding error that would point somewhere
        choices = []
        for states in product(("seen", "unseen", "along"), repeat=int(at.sum())):
            seen, along = self.seen[r] & ~at, np.zeros_like(at)
            seen[at], along[at] = [state == "seen" for state in states], [state == "along" for state in states]
            if np.linalg.matrix_rank(self.X[along]) == along.sum():
                kind = self.kind(seen, along)
                choices.append((self._violation(r, at, kind, rho), not (kind.field @ rho).any(), seen, along))
        # the first of equals: rather move than stay, and rather see the point
        _, _, self.seen[r], self.along[r] = min(choices, key=lambda choice: choice[:2])

    def _violation(self, r: int, at: Bits, kind: _Kind, rho: Float64) -> float:
        """Measure, as a speed, how far a choice is from moving where it says."""
        leaving = self.push[r] * (kind.normals @ rho) * np.where(kind.seen, 1, -1)
        wrong = np.maximum(-leaving[at & ~kind.along], 0).sum()
        forced, side = kind.forced @ rho, np.sign(rho)
        beyond = np.maximum(np.maximum(-forced * side, (forced - rho) * side), np.abs(forced) * (side == 0))
        return float(wrong + abs(self.push[r]) * (np.square(self.X).sum(axis=1) * beyond)[kind.along].sum())


class _Piece:
    """The flow until the next event.

    drive : (n, n), kappa^2 H; the modes are those of it
    """

    def __init__(self, neurons: _Neurons, Y: Float64, lam: float, now: float) -> None:
        self.neurons, self.lam, self.growth = neurons, lam, np.exp(lam * now)
        self.kinds, self.place = neurons.kinds()
        self.normals = np.array([kind.normals for kind in self.kinds])
        self.forced = np.array([kind.forced for kind in self.kinds])
        self.along = np.array([kind.along for kind in self.kinds])
        amount = np.bincount(self.place, weights=neurons.push**2)
        drive = np.sum(
            [w * kind.normals * kind.seen[:, None] for w, kind in zip(amount, self.kinds, strict=True)], axis=0
        )
        self.drive = (drive + drive.T) / 2
        mu, self.Q = np.linalg.eigh(self.drive)
        self.mu = np.maximum(mu, 0)
        self.products = neurons.v @ neurons.X.T
        size = np.linalg.norm(neurons.v, axis=1)[:, None] * np.linalg.norm(neurons.X, axis=1)
        # a product on the right side counts from 0, and one on a boundary slid along never as across
        self.side = np.where(neurons.seen, 1.0, -1.0) * ~neurons.along
        self.slack = -SLACK * size
        u = neurons.push @ np.where(neurons.seen, self.products, 0) / self.growth
        self.rest = lam / (self.mu + lam) * (self.Q.T @ Y)
        self.first = self.Q.T @ (Y - u) - self.rest

    def rho(self, s: float) -> Float64:
        """Give Y - u at the time s from here."""
        rho: Float64 = self.Q @ (self.rest + np.exp(-(self.mu + self.lam) * s) * self.first)
        return rho

    def c(self, s: float) -> Float64:
        """Give the increase of c within the time s from here."""
        moving = self.mu > 0
        rate = np.where(moving, self.mu, 1)
        forgotten = np.where(moving, -np.expm1(-rate * s) / rate, s)
        c: Float64 = self.growth * (self.Q @ (self.rest * np.expm1(self.lam * s) / self.lam + self.first * forgotten))
        return c

    def across(self, s: float, rows: npt.NDArray[np.intp]) -> Bits:
        """Tell which of these neurons are across which boundary at s, or slide where th has left [0, 1]: (rows, n)."""
        moved = (self.normals @ self.c(s))[self.place[rows]] * self.neurons.push[rows, None]
        rho = self.rho(s)
        forced, side, room = self.forced @ rho, np.sign(rho), THETA_SLACK * np.abs(rho)
        left = self.along & ((forced * side < -room) | ((forced - rho) * side > room))
        across: Bits = self.side[rows] * (self.products[rows] + moved) < self.slack[rows]
        across |= left[self.place[rows]]
        return across

    def follow(self, limit: float) -> float:
        """Move all neurons to the next event or to the limit, settle what happens there, and give the time it took."""
        look, s, everyone = 1 / (SCANS * (self.mu.max() + self.lam)), 0.0, np.arange(len(self.place))
        while s < limit:
            end = min(s + look, limit)
            across = self.across(end, everyone)
            if across.any():
                rows = np.flatnonzero(across.any(axis=1))
                s = self._first(s, end, rows)
                self._move(s)
                for r, at in zip(rows, self.across(s, rows), strict=True):
                    if at.any():
                        self.neurons.settle(int(r), at | self.neurons.along[r], self.rho(s))
                return s
            s = end
        self._move(limit)
        return limit

    def _first(self, before: float, after: float, rows: npt.NDArray[np.intp]) -> float:
        """Bisect for the first time at which one of these neurons is across."""
        while before < (middle := (before + after) / 2) < after:
            if self.across(middle, rows).any():
                after = middle
            else:
                before = middle
        return after

    def _move(self, s: float) -> None:
        c = self.c(s)
        self.neurons.v += self.neurons.push[:, None] * np.array([kind.field @ c for kind in self.kinds])[self.place]
