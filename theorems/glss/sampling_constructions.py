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

import numpy as np

from reference.arc_cosine import arc_cosine_kernel, arc_cosine_kernel_error
from reference.arithmetic import Interval
from reference.dominating import DominatingAtoms, dominate_cells
from reference.gaussian_fourier import gaussian_kernel, gaussian_kernel_error
from reference.leverage import statistical_dimension_enclosure
from reference.orthants import cells
from reference.preconditions import SMALLEST_NORMAL, UNIT_ROUNDOFF, Float64, gamma
from reference.relu_tangent import tangent_kernel, tangent_kernel_error
from theorems.glss.counted_draws import Row, as_floats, counts_box, sampling_of
from theorems.glss.diagonal_worlds import DiagonalWorld, dimension, on_diagonal_world
from theorems.glss.sampling_instances import (
    CellWorld,
    FiniteWorld,
    FourierData,
    PairData,
    SamplingInstance,
    TangentData,
)
from theorems.glss.sampling_recipe import PAPER, Numbers, Quantities, Recipe, features_asked
from theorems.glss.step_cells import StepWorld, dominate_steps, step_grams
from theorems.glss.streamed_features import stream_of
from theorems.statement import Claim, Construction, CountsBox, NearMatrix, Rows, SpectralBatch

COUNTED_BATCH, STREAMED_BATCH = 256, 32  # trials per batch: microseconds each, and milliseconds each


def quantities(x: SamplingInstance) -> Quantities:
    """Give s_lambda and s_q_tilde of an instance, enclosed, with its eps and delta."""
    s_lambda, s_q_tilde = _dimensions(x)
    return Quantities(s_lambda=s_lambda, s_q_tilde=s_q_tilde, eps=x.eps, delta=x.delta)


def kernel(x: SamplingInstance) -> tuple[Float64, float]:
    """Give the Gram matrix K of an instance and a bound of its error in the spectral norm."""
    match x:
        case FiniteWorld():
            K = as_floats(_exact_kernel(x))
            # every entry is correctly rounded; what underflows is off by less than the least normal number
            return K, UNIT_ROUNDOFF * float(np.linalg.norm(K)) * (1 + gamma(K.size)) + len(K) * SMALLEST_NORMAL
        case FourierData():
            return gaussian_kernel(x.X, x.sigma), gaussian_kernel_error(x.X, x.sigma)
        case CellWorld() | TangentData():
            return tangent_kernel(x.X), tangent_kernel_error(x.X)
        case StepWorld():
            return arc_cosine_kernel(x.X, 0), arc_cosine_kernel_error(x.X, 0)
        case PairData():
            return stream_of(x).K, stream_of(x).K_radius
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
        case CellWorld() | StepWorld():
            return _on_cells(x, m, recipe)
        case DiagonalWorld():
            return on_diagonal_world(x, m, recipe)
    if recipe.scheme is not PAPER.scheme or recipe.drawing is not PAPER.drawing or recipe.grams is not PAPER.grams:
        raise TypeError(f"construct: streamed features know only the theorem's recipe, on {x.name}")
    return _streamed(_streamable(x), m, recipe)


def _by_equation_4(x: FiniteWorld) -> Quantities:
    """Recompute the quantities as sums over features: s_lambda = sum_j p_j tau_j, GLSS (4), not as a trace."""
    tau = x.features.leverage(x.lam)
    s_lambda, s_q_tilde = (
        sum((p * t for p, t in zip(x.features.p, values, strict=True)), Fraction(0))
        for values in (tau, x.tau_tilde or tau)
    )
    return Quantities(s_lambda=(s_lambda, s_lambda), s_q_tilde=(s_q_tilde, s_q_tilde), eps=x.eps, delta=x.delta)


@lru_cache(maxsize=32)
def _dimensions(x: SamplingInstance) -> tuple[Interval, Interval]:
    match x:
        case FiniteWorld():
            s, whole = x.features.statistical_dimension(x.lam), _finite(x).s_q_tilde
            return (s, s), (whole, whole)
        case DiagonalWorld():
            s = dimension(x)
            return (s, s), (s, s)
        case CellWorld() | StepWorld():
            return statistical_dimension_enclosure(*kernel(x), x.lam), _dominated(x).integral
    stream = stream_of(_streamable(x))
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

    average = Claim(
        says="E[Psi Psi^T] = K",
        left=_rows(np.tensordot(scheme.law * weight * m, grams, axes=1)),
        relation="=",
        right=_exact_kernel(x),
    )
    return Construction(
        size=m,
        batch_size=COUNTED_BATCH,
        draw=_counted(x, m, recipe, as_floats(scheme.law), as_floats(weight), as_floats(grams), exact),
        facts=_facts(x),
        box=_box(x, m, recipe, scheme.law, weight, grams) if recipe.drawing.independent else None,
        size_needed=features_asked(_by_equation_4(x), bits=512),
        sampling=sampling_of(recipe, as_floats(parts.q_bar), as_floats(scheme.law)),
        mean=lambda _: average,
    )


@lru_cache(maxsize=8)
def _dominated(x: CellWorld | StepWorld) -> DominatingAtoms:
    return dominate_steps(x.X, x.lam) if isinstance(x, StepWorld) else dominate_cells(x.X, x.lam)


def _on_cells(x: CellWorld | StepWorld, m: int, recipe: Recipe) -> Construction:
    found, atoms = cells(x.X), _dominated(x)
    scheme = recipe.scheme(found.probability, atoms.law)
    law = scheme.law / scheme.law.sum()
    seen = step_grams(found.patterns) if isinstance(x, StepWorld) else found.gram(x.X)
    weight, grams = scheme.weight * float(recipe.scale(m)), recipe.grams(seen)
    built = np.tensordot(law * weight * m, grams, axes=1)
    average = Claim(
        says="E[Psi Psi^T] = K, summed over the cells",
        left=NearMatrix(values=(built + built.T) / 2, radius=gamma(2 * len(law) + 72) * float(np.trace(built))),
        relation="=",
        right=NearMatrix(values=kernel(x)[0], radius=kernel(x)[1]),
    )
    return Construction(
        size=m,
        batch_size=COUNTED_BATCH,
        draw=_counted(x, m, recipe, law, weight, grams, None),
        facts=_facts(x),
        size_needed=features_asked(quantities(x), bits=512),
        sampling=sampling_of(recipe, atoms.law, law),
        mean=lambda _: average,
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

    Error: each of the J terms carries at most 2J + 64 roundings (J of the sum, J + 64 of its weight, which is made of
    probabilities within 16 u, their sum, and quotients), so |dKt_ik| <= gamma_{2J+64} sum_j |terms|, which by
    Cauchy-Schwarz is at most gamma_{2J+64} sqrt(Kt_ii Kt_kk): a rank-one matrix of norm gamma_{2J+64} tr Kt. What
    underflows costs less than the least normal number per product.
    """
    n, event = grams.shape[1], recipe.event
    upper = np.triu_indices(n)
    packed = grams[:, upper[0], upper[1]]
    (K, K_radius), relative = kernel(x), gamma(2 * len(law) + 72)
    underflow = SMALLEST_NORMAL * n * len(law) * (m + float(np.abs(grams).max()) + m * float(np.abs(weight).max()))

    def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
        counts = recipe.drawing.counts(law, m, rng, trials)
        Kt = np.empty((trials, n, n))
        Kt[:, upper[0], upper[1]] = Kt[:, upper[1], upper[0]] = (counts * weight) @ packed
        return SpectralBatch(
            K=K,
            K_radius=K_radius,
            Kt=Kt,
            Kt_radius=relative * np.einsum("bii->b", Kt) + underflow,
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
    rows: list[Row] = []
    for i in range(n):
        serving = [(j, weight[j] * grams[j][i][i]) for j in range(J) if weight[j] * grams[j][i][i]]
        if len(serving) > 1:
            return None
        rows.append((*serving[0], K[i][i]) if serving else (None, Fraction(0), K[i][i]))
    return counts_box(m, law, rows, recipe.event, x.eps, x.lam)


# ----------------------------------------------------------------------------------------------- streamed features


def _streamed(x: TangentData | FourierData | PairData, m: int, recipe: Recipe) -> Construction:
    """Stream the features of each trial.

    Error: a Gram entry is a sum of m terms, or of 2 m for cosines and sines, so it is off by at most
    (relative + gamma_{2m+d+48}) times the sum of their absolute values, hence the matrix by that times tr Kt, as in
    `_counted`; what rounded features cost is the stream's to say. Activations are signs of float inner products: the
    law of a trial is the exact one up to a total variation of at most m n d 2^-52 (see
    `reference.relu_tangent.activations`).
    """
    stream, event, n, d = stream_of(x), recipe.event, len(x.X), x.X.shape[1]

    def one(rng: np.random.Generator) -> tuple[Float64, float]:
        W, weights = stream.draw(m, rng)
        scaled = weights * (m * float(recipe.scale(m)))
        Kt = stream.gram(W, scaled)
        return Kt, float((stream.relative + gamma(2 * m + d + 48)) * np.trace(Kt)) + stream.feature_error(W, scaled)

    def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
        Kt, radius = np.empty((trials, *stream.K.shape)), np.empty(trials)
        for b in range(trials):
            Kt[b], radius[b] = one(rng)
        return SpectralBatch(
            K=stream.K,
            K_radius=stream.K_radius,
            Kt=Kt,
            Kt_radius=radius,
            eps=event.eps(x.eps),
            a=event.kernel_ridge(x.lam),
            b=event.sample_ridge(x.lam),
        )

    def trace(rng: np.random.Generator) -> Claim:
        """Enclose tr (K + lam I)^-1 Kt of one draw: each feature contributes s_q_tilde tau / tau_tilde.

        With (K + lam I)^-1 = B^T (I - R)^-1 B, ||R|| <= r, it lies between tr B Kt B^T / (1 + r) and / (1 - r).
        """
        Kt, radius = one(rng)
        B, r = stream.whitener, Fraction(stream.residual)
        value = Fraction(float(np.einsum("ij,jk,ik->", B, Kt, B)))
        rounding = gamma(3 * n + 8) * float(np.einsum("ij,jk,ik->", np.abs(B), np.abs(Kt), np.abs(B)))
        error = Fraction(radius * float(np.square(B).sum()) * (1 + gamma(n * n + 8)) + 2 * rounding)
        return Claim(
            says="tr (K + lambda I)^-1 Psi Psi^T against " + ("s_lambda" if stream.trace else "s_q_tilde"),
            left=((value - error) / (1 + r), (value + error) / (1 - r)),
            relation="=" if stream.trace else "<=",
            right=stream.trace or stream.s_q_tilde,
            resolution=Fraction(1, 10**5),
        )

    return Construction(
        size=m,
        batch_size=STREAMED_BATCH,
        draw=draw,
        facts=_facts(x),
        size_needed=features_asked(quantities(x), bits=512),
        mean=trace,
    )


def _streamable(x: SamplingInstance) -> TangentData | FourierData | PairData:
    if isinstance(x, TangentData | FourierData | PairData):
        return x
    raise TypeError(f"construct: no features are known for a {type(x).__name__}")


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


def _rows(matrix: Numbers) -> Rows:
    return [list(row) for row in matrix]
