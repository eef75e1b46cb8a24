"""Modified random features on every kind of instance of Theorem 3.3, as constructions for the court.

Finite worlds and the plane draw counts per feature (per activation cell): one product counts @ Grams makes a
whole batch of Gram matrices, and the cost does not depend on m. In higher dimensions features are streamed.
Every matrix leaves with a proven bound of its error in the spectral norm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

import numpy as np

from reference.activation_cells import plane_cells
from reference.arithmetic import Interval
from reference.dominating import dominate_cells, envelope_fourier, envelope_tangent, rejection_sample
from reference.dominating_grid import piecewise_constant
from reference.gaussian_fourier import fourier_gram, gaussian_kernel, gaussian_kernel_error, sample_frequencies
from reference.leverage import (
    fourier_leverage,
    leverage_relative_error,
    statistical_dimension_enclosure,
    tangent_leverage,
    whitener,
)
from reference.preconditions import UNIT_ROUNDOFF, Float64, gamma
from reference.relu_tangent import tangent_gram, tangent_kernel, tangent_kernel_error
from theorems.glss.sampling_instances import FiniteWorld, FourierData, PlaneWorld, SamplingInstance, TangentData
from theorems.glss.sampling_recipe import PAPER, Numbers, Quantities, Recipe, features_asked
from theorems.statement import Construction, CountsBox, ExactMean, Rows, Sampling, SpectralBatch

# Cells of the piecewise-constant q_tilde, by dimension. Measured at n = 8, lambda = ||K||/100, s_q_tilde exceeds
# s_lambda by .06 % in one dimension and 3 % in two; in three, 32768 cells cost 53 %.
GRID_CELLS = {1: 2**13, 2: 2**16, 3: 2**18}
COUNTED_BATCH, STREAMED_BATCH = 256, 32  # trials per batch: microseconds each, and milliseconds each


def quantities(x: SamplingInstance) -> Quantities:
    """Give s_lambda and s_q_tilde of an instance, enclosed, with its eps and delta."""
    s_lambda, s_q_tilde = _dimensions(x)
    return Quantities(s_lambda=s_lambda, s_q_tilde=s_q_tilde, eps=x.eps, delta=x.delta)


def kernel(x: SamplingInstance) -> tuple[Float64, float]:
    """Give the Gram matrix K of an instance and a bound of its error in the spectral norm."""
    match x:
        case FiniteWorld():
            K = _as_floats(_exact_kernel(x))
            return K, UNIT_ROUNDOFF * float(np.linalg.norm(K)) * (1 + gamma(K.size))
        case FourierData():
            return gaussian_kernel(x.X, x.sigma), gaussian_kernel_error(x.X, x.sigma)
        case PlaneWorld() | TangentData():
            return tangent_kernel(x.X), tangent_kernel_error(x.X)
    raise TypeError(f"kernel: no kernel is known for a {type(x).__name__}")


def construct(x: SamplingInstance, m: int, recipe: Recipe) -> Construction:
    """Describe the random features of size m that `recipe` builds on an instance.

    Raises
    ------
    TypeError : a recipe other than the theorem's on data whose features are streamed
    """
    match x:
        case FiniteWorld():
            return _on_finite_world(x, m, recipe)
        case PlaneWorld():
            return _in_the_plane(x, m, recipe)
    if recipe.scheme is not PAPER.scheme or recipe.drawing is not PAPER.drawing or recipe.grams is not PAPER.grams:
        raise TypeError(f"construct: streamed features know only the theorem's recipe, on {x.name}")
    return _streamed(x, m, recipe)


@lru_cache(maxsize=32)
def _dimensions(x: SamplingInstance) -> tuple[Interval, Interval]:
    match x:
        case FiniteWorld():
            s, whole = x.features.statistical_dimension(x.lam), _finite(x).s_q_tilde
            return (s, s), (whole, whole)
        case PlaneWorld():
            return statistical_dimension_enclosure(*kernel(x), x.lam), dominate_cells(x.X, x.lam).integral
    stream = _stream(x)
    return stream.s_lambda, stream.s_q_tilde


# ------------------------------------------------------------------------------------------------ counted features


@dataclass(frozen=True, kw_only=True, eq=False)
class _FiniteParts:
    """What a finite world is made of, independently of m: object arrays of Fractions."""

    p: Numbers
    q_bar: Numbers
    s_q_tilde: Fraction
    grams: Numbers


@lru_cache(maxsize=32)
def _exact_kernel(x: FiniteWorld) -> Rows:
    return x.features.kernel()


@lru_cache(maxsize=32)
def _finite(x: FiniteWorld) -> _FiniteParts:
    p = np.array(x.features.p, dtype=object)
    tau = np.array(x.tau_tilde or x.features.leverage(x.lam), dtype=object)
    return _FiniteParts(
        p=p,
        q_bar=p * tau / sum(p * tau),
        s_q_tilde=sum(p * tau),
        grams=np.array(x.features.grams, dtype=object),
    )


def _on_finite_world(x: FiniteWorld, m: int, recipe: Recipe) -> Construction:
    parts = _finite(x)
    scheme = recipe.scheme(parts.p, parts.q_bar)
    weight, grams = scheme.weight * recipe.scale(m), recipe.grams(parts.grams)

    def exact(counts: Numbers) -> tuple[Rows, Rows]:
        return _exact_kernel(x), _rows(np.tensordot([int(c) for c in counts] * weight, grams, axes=1))

    per_draw = _rows(np.tensordot(scheme.law * weight * m, grams, axes=1))
    return Construction(
        size=m,
        batch_size=COUNTED_BATCH,
        draw=_counted(x, m, recipe, _as_floats(scheme.law), _as_floats(weight), _as_floats(grams), exact),
        facts=_facts(x),
        box=_box(x, m, recipe, scheme.law, weight, grams) if recipe.drawing.independent else None,
        size_needed=features_asked(quantities(x), bits=512),
        sampling=_sampling(recipe, _as_floats(parts.q_bar), _as_floats(scheme.law)),
        mean=ExactMean(built=per_draw, claimed=_exact_kernel(x)),
    )


def _in_the_plane(x: PlaneWorld, m: int, recipe: Recipe) -> Construction:
    cells, atoms = plane_cells(x.X), dominate_cells(x.X, x.lam)
    scheme = recipe.scheme(cells.probability, atoms.law)
    weight, grams = scheme.weight * float(recipe.scale(m)), recipe.grams(cells.gram(x.X))
    return Construction(
        size=m,
        batch_size=COUNTED_BATCH,
        draw=_counted(x, m, recipe, scheme.law / scheme.law.sum(), weight, grams, None),
        facts=_facts(x),
        size_needed=features_asked(quantities(x), bits=512),
        sampling=_sampling(recipe, atoms.law, scheme.law / scheme.law.sum()),
    )


def _counted(
    x: SamplingInstance,
    m: int,
    recipe: Recipe,
    law: Float64,
    weight: Float64,
    grams: Float64,
    exact: Callable[[Numbers], tuple[Rows, Rows]] | None,
) -> Callable[[np.random.Generator, int], SpectralBatch]:
    """Draw counts and sum Gram matrices: Kt = sum_j counts_j weight_j Phi_j Phi_j^T.

    Error: each of the J terms carries at most J + 64 roundings (64 for the weight itself, whose probabilities
    are within 16 u and whose quotients are powers of them), so |dKt_ik| <= gamma_{J+64} sum_j |terms|, which by
    Cauchy-Schwarz is at most gamma_{J+64} sqrt(Kt_ii Kt_kk): a rank-one matrix of norm gamma_{J+64} tr Kt.
    """
    n, event = grams.shape[1], recipe.event
    upper = np.triu_indices(n)
    packed = grams[:, upper[0], upper[1]]
    (K, K_radius), relative = kernel(x), gamma(len(law) + 72)

    def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
        counts = recipe.drawing.counts(law, m, rng, trials)
        Kt = np.empty((trials, n, n))
        Kt[:, upper[0], upper[1]] = Kt[:, upper[1], upper[0]] = (counts * weight) @ packed
        return SpectralBatch(
            K=K,
            K_radius=K_radius,
            Kt=Kt,
            Kt_radius=relative * np.einsum("bii->b", Kt),
            eps=event.eps(x.eps),
            a=event.kernel_ridge(x.lam),
            b=event.sample_ridge(x.lam),
            exact=None if exact is None else lambda i: exact(counts[i]),
        )

    return draw


def _box(x: FiniteWorld, m: int, recipe: Recipe, law: Numbers, weight: Numbers, grams: Numbers) -> CountsBox | None:
    """Read the event as a box of counts: possible when every Gram matrix is diagonal and no row is shared."""
    J, n, K = len(grams), len(grams[0]), _exact_kernel(x)
    if any(grams[j][a][b] for j in range(J) for a in range(n) for b in range(n) if a != b):
        return None
    eps, a, b = recipe.event.eps(x.eps), recipe.event.kernel_ridge(x.lam), recipe.event.sample_ridge(x.lam)
    low, high = [0] * J, [m] * J
    for i in range(n):
        per_count = [(j, weight[j] * grams[j][i][i]) for j in range(J) if weight[j] * grams[j][i][i]]
        allowed = [(1 - eps) * (K[i][i] + a) - b, (1 + eps) * (K[i][i] + a) - b]
        if len(per_count) > 1:
            return None
        if per_count:
            j, unit = per_count[0]
            low[j], high[j] = max(low[j], ceil(allowed[0] / unit)), min(high[j], floor(allowed[1] / unit))
        elif not allowed[0] <= 0 <= allowed[1]:
            low[0], high[0] = 1, 0
    return CountsBox(m=m, law=tuple(law), low=tuple(low), high=tuple(high))


def _sampling(recipe: Recipe, claimed: Float64, law: Float64) -> Sampling:
    return Sampling(claimed=claimed, indices=lambda count, rng: recipe.drawing.indices(law, count, rng))


# ----------------------------------------------------------------------------------------------- streamed features


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stream:
    """Features drawn one by one.

    Parameters
    ----------
    draw : (m, rng) -> frequencies or neurons (m, d), weights p/q_bar (m,)
    gram : (W, weights) -> Psi Psi^T
    relative : bound of the relative error of the weights
    feature_error : W -> bound of the error of one feature row, absolute; features have norm at most 1 where it counts
    """

    K: Float64
    K_radius: float
    s_lambda: Interval
    s_q_tilde: Interval
    draw: Callable[[int, np.random.Generator], tuple[Float64, Float64]]
    gram: Callable[[Float64, Float64], Float64]
    relative: float
    feature_error: Callable[[Float64], float]


@lru_cache(maxsize=8)
def _stream(x: SamplingInstance) -> _Stream:
    """Prepare the sampler: a grid for frequencies in d <= 3, else rejection from p under a proven envelope.

    With rejection, q_tilde = p tau_float (1 + 2 eta), where eta bounds the relative error of the computed tau: it
    dominates q_lambda, its integral is s_lambda (1 + 2 eta) up to a factor in [1 - eta, 1 + eta], and the weights
    s_q_tilde / tau_tilde = s_lambda / tau_float are right up to a factor in [1 - 2 eta, 1 + 2 eta].
    """
    if not isinstance(x, TangentData | FourierData):
        raise TypeError(f"_stream: no features are known for a {type(x).__name__}")
    K, radius = kernel(x)
    lam, X = float(x.lam), x.X
    if Fraction(lam) != x.lam:
        raise ValueError(f"_stream: lambda must be a float64 number on streamed data, got lambda = {x.lam}")
    s_lambda = statistical_dimension_enclosure(K, radius, x.lam)
    middle = float(sum(s_lambda) / 2)
    width = float((s_lambda[1] - s_lambda[0]) / s_lambda[0])
    if isinstance(x, FourierData) and X.shape[1] in GRID_CELLS:
        grid = piecewise_constant(X, x.sigma, lam, GRID_CELLS[X.shape[1]])
        s_q_tilde, relative = grid.integral, float((grid.integral[1] - grid.integral[0]) / grid.integral[0])
        draw: Callable[[int, np.random.Generator], tuple[Float64, Float64]] = grid.sample
    else:
        B, eta = whitener(K, lam), leverage_relative_error(K, lam, X.shape[1], radius)
        exact_eta = Fraction(eta)
        s_q_tilde = (
            s_lambda[0] * (1 - exact_eta) * (1 + 2 * exact_eta),
            s_lambda[1] * (1 + exact_eta) * (1 + 2 * exact_eta),
        )
        relative = width + 3 * eta
        if isinstance(x, FourierData):
            sigma, envelope = x.sigma, envelope_fourier(X, x.sigma, lam)

            def draw(m: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
                W, tau = rejection_sample(
                    lambda g, k: sample_frequencies(X.shape[1], sigma, g, k),
                    lambda W: fourier_leverage(X, W, B),
                    envelope,
                    rng,
                    m,
                )
                return W, middle / tau
        else:
            ceiling = envelope_tangent(X, lam)

            def draw(m: int, rng: np.random.Generator) -> tuple[Float64, Float64]:
                W, tau = rejection_sample(
                    lambda g, k: g.standard_normal((k, X.shape[1])),
                    lambda W: tangent_leverage(X, W, B),
                    ceiling,
                    rng,
                    m,
                )
                return W, middle / tau

    reach, d = float(np.sqrt((X * X).sum(axis=1).max())), X.shape[1]
    fourier = isinstance(x, FourierData)
    return _Stream(
        K=K,
        K_radius=radius,
        s_lambda=s_lambda,
        s_q_tilde=s_q_tilde,
        draw=draw,
        gram=(lambda W, r: fourier_gram(X, W, r)) if fourier else (lambda W, r: tangent_gram(X, W, r)),
        relative=relative,
        feature_error=lambda W: (
            2 * np.pi * gamma(d + 4) * reach * float(np.sqrt((W * W).sum(axis=1).max())) + 20 * UNIT_ROUNDOFF
            if fourier
            else 0.0
        ),
    )


def _streamed(x: SamplingInstance, m: int, recipe: Recipe) -> Construction:
    """Stream the features of each trial.

    Error: a Gram entry is a sum of m terms, so it is off by at most (relative + gamma_{m+16}) times the sum of
    their absolute values, hence the matrix by that times tr Kt, as in `_counted`; a feature row that is off by
    delta in each of its two entries moves every weighted unit Gram matrix by at most 3 n delta in norm, the mean of
    the weights being tr Kt / n. Activations are signs of float inner products: the law of a trial is the exact
    one up to a total variation of at most m n d 2^-52 (see `reference.relu_tangent.activations`).
    """
    stream, event = _stream(x), recipe.event

    def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
        Kt, radius = np.empty((trials, *stream.K.shape)), np.empty(trials)
        for b in range(trials):
            W, weights = stream.draw(m, rng)
            Kt[b] = stream.gram(W, weights * (m * float(recipe.scale(m))))
            radius[b] = (stream.relative + gamma(m + 24) + 3 * stream.feature_error(W)) * np.trace(Kt[b])
        return SpectralBatch(
            K=stream.K,
            K_radius=stream.K_radius,
            Kt=Kt,
            Kt_radius=radius,
            eps=event.eps(x.eps),
            a=event.kernel_ridge(x.lam),
            b=event.sample_ridge(x.lam),
        )

    return Construction(
        size=m,
        batch_size=STREAMED_BATCH,
        draw=draw,
        facts=_facts(x),
        size_needed=features_asked(quantities(x), bits=512),
    )


def _facts(x: SamplingInstance) -> dict[str, float | int | str]:
    found = quantities(x)
    n = x.features.n if isinstance(x, FiniteWorld) else len(kernel(x)[0])
    return {
        "n": n,
        "s_lambda": float(found.s_lambda[1]),
        "s_q_tilde": float(found.s_q_tilde[1]),
        "lambda": float(x.lam),
        "eps": float(x.eps),
    }


def _as_floats(numbers: object) -> Float64:
    return np.asarray(numbers, dtype=object).astype(np.float64)


def _rows(matrix: Numbers) -> Rows:
    return [list(row) for row in matrix]
