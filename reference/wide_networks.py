"""Gradient descent on a two-layer ReLU network of any width, aggregated over neurons that behave alike, and certified.

    f(W, x) = m^-1/2 sum_r a_r max(w_r.x, 0),   u = kappa f,   a_r = +-1 frozen
    loss(W) = ||Y - u||^2 / 2 + lam ||W||_F^2 / 2,   W <- W - step grad

The activation of a neuron far from its boundaries never changes, and then the neuron enters through a count and a sum
per activation cell. Only about sqrt(m) neurons near a boundary are followed one by one. A run carries a proof: no
activation that was taken as frozen could have turned, because every displacement stayed below the half width of the
layers. A run without that proof is repeated on the same neurons with wider layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.activation_boundaries import Boundaries, boundaries
from reference.aggregated_descent import Descent, descend_bins
from reference.boundary_layers import Layer, SortedLayer
from reference.initial_neurons import Aggregated, Given, Population, Streamed, Uncertified
from reference.preconditions import Float64, one_each, points, positive, same_dimension
from reference.relu_tangent import tangent_kernel
from reference.two_layer import signs

SAFETY = 2.5
"""Half width of the first attempt, in units of the displacement under a frozen kernel from zero outputs."""

ATTEMPTS = 8

EXACT_UP_TO = 10**9

SMALLEST_DECAY = 2.0**-960
"""The radial gauge grows like 1 / gamma^k, and stays in the float range for gamma^k above this."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WideTrajectory:
    """A run of gradient descent on a wide network.

    Parameters
    ----------
    times : (steps + 1,) float, k step
    u : (steps + 1, n) float, outputs on the training points
    u_test : (steps + 1, t) float, outputs on the test points; t = 0 without any
    deviation : (steps + 1, n) float, u - u* as (Y - u*) - (Y - u), u* = kappa^2 H_cts (kappa^2 H_cts + lam)^-1 Y
    kernels : (s, n + t, n) float, H(t)_ij = (x_i.x_j / m) #{r : i and j active} between training and test points, and
        training points; exactly symmetric on the latter
    kernel_steps : (s,) int, the steps of `kernels`: all, or the first and the last
    secants : (steps, n + t, n) float, the secant kernels Hh(k) with u(k+1) = (1 - step lam) u(k) + step kappa^2 Hh (Y -
        u(k)) up to rounding, not symmetric; None unless kernels were asked for at every step
    displacement : proven upper bound, over the run, on how far a frozen boundary came nearer to a neuron
    half_width : of the layers
    layer_neurons : followed as numbers
    corner_neurons : followed as vectors
    certified : displacement <= half_width: this is gradient descent itself, up to rounding
    law : of the initial neurons: 'given neurons', 'exact initial law' or 'approximate initial law'
    berry_esseen : bound on the Kolmogorov distance of each u_i(0) from its exact law, 0 where that is exact
    """

    times: Float64
    u: Float64
    u_test: Float64
    deviation: Float64
    kernels: Float64
    kernel_steps: npt.NDArray[np.int64]
    secants: Float64 | None
    displacement: float
    half_width: float
    layer_neurons: int
    corner_neurons: int
    certified: bool
    law: str
    berry_esseen: float


def from_neurons(
    X: Any,
    Y: Any,
    W: Any,
    a: Any,
    *,
    kappa: float,
    lam: float,
    step: float,
    steps: int,
    X_test: Any = None,
    kernels: bool = False,
    half_width: float | None = None,
    layer: Callable[[Float64], Layer] = SortedLayer,
) -> WideTrajectory:
    """Run gradient descent from given neurons, in any dimension.

    Parameters
    ----------
    X : (n, d) float
    Y : (n,) float
    W : (m, d) float, w_r(0)
    a : (m,) +1 or -1
    kappa, lam, step : > 0, step lam < 1
    steps : >= 0
    X_test : (t, d) float, or None; points whose outputs are followed but that have no labels
    kernels : give H at every step, and the secant matrices
    half_width : of the layers, >= 0; then the result may be uncertified. None finds one that is certified
    layer : how layers are held

    Returns
    -------
    trajectory : certified, unless half_width was given

    Raises
    ------
    ValueError : an argument outside its range; more than 56 boundaries
    OverflowError : training diverged
    Uncertified : no half width was found

    References
    ----------
    GLSS, Definition 3.5
    """
    X_all, descent = _descent("from_neurons", X, Y, X_test, kappa, lam, step, steps)
    V = points(W, "from_neurons: W")
    same_dimension(X_all, V, "from_neurons: W")
    bounds = boundaries(X_all)
    population = Given(bounds, V, signs(a, len(V), "from_neurons: a").astype(np.int8))
    return _trajectory(descent(X_all, len(V)), X, bounds, population, kernels, half_width, layer)


def drawn(
    X: Any,
    Y: Any,
    m: int,
    rng: np.random.Generator,
    *,
    kappa: float,
    lam: float,
    step: float,
    steps: int,
    X_test: Any = None,
    kernels: bool = False,
    half_width: float | None = None,
    exact_up_to: int = EXACT_UP_TO,
    layer: Callable[[Float64], Layer] = SortedLayer,
) -> WideTrajectory:
    """Run gradient descent from w_r ~ N(0, I_d) with fair signs.

    Parameters
    ----------
    X : (n, d) float; only the projection of a neuron on the span of all points matters, and only that is drawn
    Y : (n,) float
    m : width >= 1
    rng : source of randomness
    kappa, lam, step, steps, X_test, kernels, half_width, layer : as for `from_neurons`
    exact_up_to : up to this width every neuron is drawn; beyond, those far from all boundaries enter through cell
        counts and Gaussian sums with the exact second moments, which needs X and X_test to span at most a plane

    Returns
    -------
    trajectory : certified, unless half_width was given

    Raises
    ------
    ValueError : an argument outside its range; rank above 2 beyond exact_up_to; all points zero
    Uncertified : no half width was found
    """
    X_all, descent = _descent("drawn", X, Y, X_test, kappa, lam, step, steps)
    if m < 1:
        raise ValueError(f"drawn: m must be at least 1, got m = {m}")
    if not X_all.any():
        raise ValueError("drawn: X must have a row that is not zero, got none")
    reduced = spanned(X_all)
    if m > exact_up_to and reduced.shape[1] > 2:
        raise ValueError(
            f"drawn: X and X_test must have rank at most 2 for m = {m} > exact_up_to = {exact_up_to}, "
            f"got rank {reduced.shape[1]}"
        )
    bounds = boundaries(reduced)
    population = Streamed(bounds, m, rng) if m <= exact_up_to else Aggregated(bounds, m, rng)
    return _trajectory(descent(reduced, m), X, bounds, population, kernels, half_width, layer)


def spanned(X: Float64) -> Float64:
    """Write points in an orthonormal basis of their span, of dimension at least 2.

    Inner products with a standard normal vector have the same joint law before and after.

    Parameters
    ----------
    X : (P, d) float; returned as it is when d = 2

    Returns
    -------
    reduced : (P, max(rank, 2)) float, with the Gram matrix of X up to rounding; the rank is that of X up to rounding
    """
    if X.shape[1] == 2:
        return X
    left, values, _ = np.linalg.svd(X, full_matrices=False)
    rank = int((values > values[0] * max(X.shape) * np.finfo(np.float64).eps).sum())
    reduced = np.zeros((len(X), max(rank, 2)))
    reduced[:, :rank] = left[:, :rank] * values[:rank]
    return reduced


def _descent(
    where: str, X: Any, Y: Any, X_test: Any, kappa: float, lam: float, step: float, steps: int
) -> tuple[Float64, Callable[[Float64, int], Descent]]:
    """Read what both entries share: all points, and what makes the problem from them and the width."""
    data = points(X, f"{where}: X")
    if X_test is not None:
        extra = points(X_test, f"{where}: X_test")
        same_dimension(data, extra, f"{where}: X_test")
    labels = one_each(Y, len(data), f"{where}: Y")
    if steps < 0:
        raise ValueError(f"{where}: steps must be >= 0, got steps = {steps}")
    numbers = {
        name: positive(value, f"{where}: {name}") for name, value in (("kappa", kappa), ("lam", lam), ("step", step))
    }
    decay = 1 - numbers["step"] * numbers["lam"]
    if decay <= 0:
        raise ValueError(f"{where}: step lam must be below 1, got step = {step}, lam = {lam}")
    if decay**steps < SMALLEST_DECAY:
        raise ValueError(f"{where}: (1 - step lam)^steps must be at least 2^-960, got {decay}^{steps}")
    every = data if X_test is None else np.concatenate([data, extra])
    return every, lambda reduced, m: Descent(X=reduced, Y=labels, m=m, steps=steps, **numbers)


def _trajectory(
    descent: Descent,
    X: Any,
    bounds: Boundaries,
    population: Population,
    kernels: bool,
    half_width: float | None,
    layer: Callable[[Float64], Layer],
) -> WideTrajectory:
    H_cts = tangent_kernel(X)
    h = SAFETY * expected_displacement(descent, bounds, H_cts) if half_width is None else half_width
    if not 0 <= h < math.inf:
        raise ValueError(f"wide_networks: half_width must be >= 0 and finite, got half_width = {h}")
    for _ in range(ATTEMPTS if half_width is None else 1):
        bins = population.bins(h)
        run = descend_bins(descent, bounds, bins, kernels=kernels, layer=layer)
        certified = run.displacement <= h
        if certified or half_width is not None:
            break
        h = max(2 * h, 1.5 * run.displacement)
    else:
        raise Uncertified(
            f"wide_networks: no half width below {h} was certified, the last displacement was {run.displacement}"
        )
    n = len(descent.Y)
    ridge = descent.kappa**2 * H_cts + descent.lam * np.eye(n)
    return WideTrajectory(
        times=descent.step * np.arange(descent.steps + 1, dtype=np.float64),
        u=run.u[:, :n],
        u_test=run.u[:, n:],
        deviation=descent.lam * np.linalg.solve(ridge, descent.Y) - (descent.Y - run.u[:, :n]),
        kernels=run.kernels,
        kernel_steps=run.kernel_steps,
        secants=run.secants,
        displacement=run.displacement,
        half_width=h,
        layer_neurons=bins.layer_neurons,
        corner_neurons=len(bins.corners),
        certified=certified,
        law=population.law,
        berry_esseen=population.berry_esseen(),
    )


def expected_displacement(descent: Descent, bounds: Boundaries, H_cts: Float64) -> float:
    """Give the largest displacement under a frozen kernel, from zero outputs, over all patterns whatever.

    Parameters
    ----------
    descent : the problem
    bounds : the boundaries of descent.X
    H_cts : (n, n) float, the kernel

    Returns
    -------
    displacement : max over k, l and subsets S of the points of |n_l.D_S(k)|; a guess for the true network
    """
    n, u, moved = len(descent.Y), np.zeros(len(descent.Y)), np.zeros(len(descent.Y))
    unit, decay, largest = descent.kappa / math.sqrt(descent.m), 1 - descent.step * descent.lam, 0.0
    towards = descent.X[:n] @ bounds.normals.T
    for k in range(descent.steps):
        rho = descent.Y - u
        moved += unit * descent.step * rho / decay ** (k + 1)
        u = decay * u + descent.step * descent.kappa**2 * (H_cts @ rho)
        each = moved[:, None] * towards
        largest = max(
            largest, np.maximum(each, 0).sum(axis=0).max(initial=0.0), -np.minimum(each, 0).sum(axis=0).min(initial=0.0)
        )
    return largest
