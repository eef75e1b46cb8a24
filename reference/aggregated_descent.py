"""Gradient descent on a wide ReLU network whose neurons are sorted into bins, and its certificate.

In the radial gauge v = w / gamma^k, gamma = 1 - step lam, weight decay moves nothing:

    v_r(k+1) = v_r(k) + a_r sum_i eta_i 1[v_r.x_i >= 0] x_i,   eta_i = (kappa / sqrt m) step rho_i / gamma^(k+1)
    u_i(k)   = gamma^k (kappa / sqrt m) sum_r a_r max(v_r.x_i, 0),   rho = Y - u

so a neuron whose pattern S never changes has moved by a_r D_S(k), D_S = sum_{i in S} C_i x_i, C = sum of eta: bulk
neurons need their number and their initial sum. Layer neurons move along one normal, corner neurons are vectors.
This is gradient descent itself, not an approximation, as long as no frozen activation would have changed; and none
has if every displacement along a normal stays below the half width of the layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reference.activation_boundaries import Boundaries
from reference.boundary_layers import Contributions, Layer, Slopes, SortedLayer
from reference.neuron_bins import Bins, Facet
from reference.preconditions import Float64, gamma
from reference.relu_tangent import inner_products


@dataclass(frozen=True, kw_only=True, eq=False)
class Descent:
    """What is trained, and for how long.

    Parameters
    ----------
    X : (P, d) float, the training points first, then test points
    Y : (n,) float, n <= P
    m : width
    kappa, lam, step : > 0, step lam < 1
    steps : >= 0
    """

    X: Float64
    Y: Float64
    m: int
    kappa: float
    lam: float
    step: float
    steps: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One pass of gradient descent.

    Parameters
    ----------
    u : (steps + 1, P) float
    kernels : (k, P, n) float, H(t) = (x_i.x_j / m) #{r : both active}, exactly symmetric on the training points
    kernel_steps : (k,) int, the steps they belong to
    secants : (steps, P, n) float, the same with the first point's activations replaced by secant slopes, or None
    displacement : upper bound on every |n_l.(v_r(k) - v_r(0))| that was assumed not to turn a sign
    """

    u: Float64
    kernels: Float64
    kernel_steps: npt.NDArray[np.int64]
    secants: Float64 | None
    displacement: float


class _Frozen:
    """Everything that only the global state C moves: the bulk, and the frozen activations of the layers."""

    def __init__(self, descent: Descent, bins: Bins) -> None:
        patterns = np.concatenate([bins.patterns, *(facet.pattern[None] for facet in bins.facets)]).astype(np.float64)
        counts = np.concatenate([bins.counts, [facet.count for facet in bins.facets]]).astype(np.float64)
        totals = np.concatenate([bins.totals.reshape(-1, descent.X.shape[1]), *(f.total[None] for f in bins.facets)])
        self.pairs: Float64 = (patterns * counts[:, None]).T @ patterns
        self._initial: Float64 = (patterns * (totals @ descent.X.T)).sum(axis=0)
        self._response = self.pairs * (descent.X @ descent.X.T)

    def outputs(self, moved: Float64) -> Float64:
        result: Float64 = self._initial + self._response @ moved
        return result


class _Crossing:
    """The layer neurons of one facet, of both signs."""

    def __init__(self, descent: Descent, bounds: Boundaries, facet: Facet, layer: Callable[[Float64], Layer]) -> None:
        on = bounds.of_point == facet.boundary
        self._right = np.flatnonzero(on & (bounds.height > 0))
        self._left = np.flatnonzero(on & (bounds.height < 0))
        self._on = np.concatenate([self._right, self._left])
        self._frozen = np.flatnonzero(facet.pattern)
        self._height = bounds.height
        self._pull = descent.X @ bounds.normals[facet.boundary]
        self._gram = (descent.X @ descent.X.T)[np.ix_(self._frozen, self._on)]
        self._layers = ((1, layer(facet.positive)), (-1, layer(facet.negative)))
        self._seen = [part.contributions() for _, part in self._layers]
        # sum over the neurons of the eta_i they took part in, for the points i on the boundary
        self._taken = np.zeros(len(self._on))

    def _active(self) -> Float64:
        right = sum(part.right for part in self._seen)
        count = sum(part.count for part in self._seen)
        return np.repeat([float(right), float(count - right)], [len(self._right), len(self._left)])

    def advance(self, eta: Float64) -> list[Slopes]:
        self._taken += eta[self._on] * self._active()
        shift = float(eta[self._frozen] @ self._pull[self._frozen])
        right, left = (float(eta[side] @ self._height[side]) for side in (self._right, self._left))
        slopes = [part.advance(sign * shift, sign * right, sign * left) for sign, part in self._layers]
        self._before, self._seen = self._seen, [part.contributions() for _, part in self._layers]
        return slopes

    def add_outputs(self, total: Float64) -> None:
        total[self._frozen] += self._gram @ self._taken
        positive, negative = self._seen
        total[self._right] += self._height[self._right] * (positive.right_sum - negative.right_sum)
        total[self._left] -= self._height[self._left] * (positive.left_sum - negative.left_sum)

    def add_pairs(self, total: Float64) -> None:
        """Count the neurons at which both points are active, for pairs with a point on the boundary."""
        for part in self._seen:
            self._add(total, part, Slopes(from_right=part.right, from_left=0.0))

    def add_secants(self, total: Float64, slopes: list[Slopes]) -> None:
        """Do the same with secant slopes in place of the first point's activation before the last step."""
        for part, slope in zip(self._before, slopes, strict=True):
            self._add(total, part, slope)

    def _add(self, total: Float64, part: Contributions, slope: Slopes) -> None:
        count, right, th_right, th_left = part.count, part.right, slope.from_right, slope.from_left
        # th is the slope of max(b, 0), and 1 - th that of max(-b, 0)
        kinds = (
            (self._right, th_right + th_left, right, (th_right, th_left)),
            (self._left, count - th_right - th_left, count - right, (right - th_right, count - right - th_left)),
        )
        for points, slopes, active, (with_right, with_left) in kinds:
            total[np.ix_(points, self._frozen)] += slopes
            total[np.ix_(self._frozen, points)] += active
            total[np.ix_(points, self._right)] += with_right
            total[np.ix_(points, self._left)] += with_left


class _Corners:
    """Neurons as vectors: the definition."""

    def __init__(self, descent: Descent, bins: Bins) -> None:
        self._X, self._V, self._a = descent.X, bins.corners.copy(), bins.corner_signs.astype(np.float64)
        self._values = self._V @ self._X.T

    def advance(self, eta: Float64) -> None:
        self._V += self._a[:, None] * (((self._values >= 0) * eta) @ self._X)
        self._before, self._values = self._values, self._V @ self._X.T

    def add_outputs(self, total: Float64) -> None:
        total += self._a @ np.maximum(self._values, 0.0)

    def add_pairs(self, total: Float64) -> None:
        active = (self._values >= 0).astype(np.float64)
        total += active.T @ active

    def add_secants(self, total: Float64) -> None:
        old, new = self._before, self._values
        active = (old >= 0).astype(np.float64)
        slope = active.copy()
        turned = (old >= 0) != (new >= 0)
        slope[turned] = np.maximum(new[turned], 0.0) - np.maximum(old[turned], 0.0)
        slope[turned] /= new[turned] - old[turned]
        total += slope.T @ active


def descend_bins(
    descent: Descent,
    bounds: Boundaries,
    bins: Bins,
    *,
    kernels: bool,
    layer: Callable[[Float64], Layer] = SortedLayer,
) -> Run:
    """Run gradient descent on sorted neurons.

    Parameters
    ----------
    descent : the problem
    bounds : the boundaries of descent.X
    bins : the neurons, sorted at these boundaries
    kernels : give H at every step and the secant matrices, not only H(0) and H(T)
    layer : how a layer is held

    Returns
    -------
    run : gradient descent itself if run.displacement <= bins.half_width; else meaningless

    Raises
    ------
    OverflowError : training diverged

    Notes
    -----
    The residual rho is what one subtraction of the output from Y gives, so |u - exact| is a few 1e-16 times the
    terms that cancel in u, at any m. State is kept in C and in the layers, and errors are damped like e(t).
    """
    n, points = len(descent.Y), len(descent.X)
    frozen, corners = _Frozen(descent, bins), _Corners(descent, bins)
    crossing = [_Crossing(descent, bounds, facet, layer) for facet in bins.facets]
    tracked: list[_Crossing | _Corners] = [*crossing, corners]
    unit, decay = descent.kappa / np.sqrt(descent.m), 1 - descent.step * descent.lam
    weights = inner_products(descent.X, "descend_bins")[:, :n] / descent.m

    def kernel() -> Float64:
        pairs = frozen.pairs.copy()
        for part in tracked:
            part.add_pairs(pairs)
        return weights * pairs[:, :n]

    u, moved = np.empty((descent.steps + 1, points)), np.zeros((descent.steps + 1, points))
    kept = sorted(set(range(descent.steps + 1)) if kernels else {0, descent.steps})
    kernel_at, secants = [], []
    with np.errstate(over="ignore", invalid="ignore"):  # refused by name below
        for k in range(descent.steps + 1):
            outputs = frozen.outputs(moved[k])
            for part in tracked:
                part.add_outputs(outputs)
            u[k] = decay**k * unit * outputs
            if not np.isfinite(u[k]).all():
                raise OverflowError(f"descend_bins: training left the float range at k = {k}; take a smaller step")
            if kernels or k in (0, descent.steps):
                kernel_at.append(kernel())
            if k == descent.steps:
                break
            eta = np.zeros(points)
            eta[:n] = unit * descent.step * (descent.Y - u[k, :n]) / decay ** (k + 1)
            moved[k + 1] = moved[k] + eta
            slopes = [part.advance(eta) for part in crossing]
            corners.advance(eta)
            if kernels:
                pairs = frozen.pairs.copy()
                for part, slope in zip(crossing, slopes, strict=True):
                    part.add_secants(pairs, slope)
                corners.add_secants(pairs)
                secants.append(weights * pairs[:, :n])
    return Run(
        u=u,
        kernels=np.array(kernel_at),
        kernel_steps=np.array(kept),
        secants=np.array(secants).reshape(-1, points, n) if kernels else None,
        displacement=_displacement(descent, bounds, bins, moved),
    )


def _displacement(descent: Descent, bounds: Boundaries, bins: Bins, moved: Float64) -> float:
    """Bound |n_l.(v_r(k) - v_r(0))| over all steps, bulk cells and boundaries, and frozen boundaries of facets.

    A layer neuron takes part in some of the eta_i of its own boundary, in sum between the sums of the negative and
    of the positive ones.
    """
    towards = descent.X @ bounds.normals.T
    steps = np.diff(moved, axis=0, prepend=0.0)
    up, down = np.maximum(steps, 0.0).cumsum(axis=0), np.minimum(steps, 0.0).cumsum(axis=0)
    largest = 0.0
    for pattern in bins.patterns:
        largest = max(largest, np.abs(moved[:, pattern] @ towards[pattern]).max(initial=0.0))
    for facet in bins.facets:
        others = np.delete(towards, facet.boundary, axis=1)
        on = bounds.of_point == facet.boundary
        fixed = moved[:, facet.pattern] @ others[facet.pattern]
        ahead, back = np.maximum(others[on], 0.0), np.minimum(others[on], 0.0)
        highest = fixed + up[:, on] @ ahead + down[:, on] @ back
        lowest = fixed + up[:, on] @ back + down[:, on] @ ahead
        largest = max(largest, highest.max(initial=0.0), -lowest.min(initial=0.0))
    # C, the inner products and the sums above, in units of the path length
    path = float((up[-1] - down[-1]) @ np.abs(bounds.height))
    return largest + 2 * gamma(2 * descent.steps + len(descent.X) + descent.X.shape[1] + 16) * path
