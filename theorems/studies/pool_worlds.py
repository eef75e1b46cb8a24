"""Theorem 3.3 and its plain rival on a pool of features: constructions that real data can afford.

A pool *is* the law, see `reference.random_pool`: q_lambda is known up to rounding and a sample is a multinomial over
the pool, in any dimension.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import fsum
from typing import Literal, get_args

import numpy as np

from reference.arithmetic import Interval
from reference.leverage import statistical_dimension_enclosure, whitener
from reference.preconditions import Float64, gamma
from reference.random_pool import RandomPool
from theorems.glss.sampling_recipe import Quantities, features_asked, safe_ceiling
from theorems.statement import Construction, HighProbability, Instance, NearMatrix, SpectralBatch
from theorems.studies.leverage_against_plain import plain_features_asked

Sampler = Literal["leverage", "plain"]
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)

BATCH = 16  # trials per batch: a millisecond each at n = 64, tens of them at n = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class PoolData(Instance):
    """Data with a pool of features, a ridge, an accuracy and a failure probability."""

    pool: RandomPool
    lam: Fraction
    eps: Fraction
    delta: Fraction


@dataclass(frozen=True, kw_only=True, eq=False)
class Law:
    """How the features of a pool are drawn.

    Parameters
    ----------
    probability : (N,) q_bar
    weight : (N,) p / q_bar, within `relative`
    s_lambda : statistical dimension
    s_q_tilde : integral of the dominating function
    """

    probability: Float64
    weight: Float64
    relative: float
    s_lambda: Interval
    s_q_tilde: Interval


@lru_cache(maxsize=8)
def kernel(pool: RandomPool) -> NearMatrix:
    """Give the kernel of a pool with its error."""
    K = pool.kernel()
    return NearMatrix(values=K, radius=pool.gram_error(K))


@lru_cache(maxsize=8)
def dimension(x: PoolData) -> Interval:
    """Enclose the statistical dimension of the pool's kernel."""
    K = kernel(x.pool)
    return statistical_dimension_enclosure(K.values, K.radius, x.lam)


@lru_cache(maxsize=8)
def law_of(x: PoolData, sampler: Sampler) -> Law:
    """Prepare a sampler.

    'leverage' has q_tilde = p tau_float (1 + 2 eta), where eta bounds the relative error of the computed tau. 'plain'
    has q_bar = p and q_tilde = p most, where most >= tr Phi Phi^T / lam >= tau: n / lam for features of unit length.
    """
    pool, s_lambda = x.pool, dimension(x)
    if sampler == "plain":
        longest = float(np.square(pool.features).sum(axis=(1, 2)).max()) * (1 + gamma(2 * pool.n + 8))
        most = Fraction(longest) / x.lam
        ones = np.ones(pool.count)
        return Law(probability=ones / pool.count, weight=ones, relative=0.0, s_lambda=s_lambda, s_q_tilde=(most, most))
    tau, eta = pool.leverage(whitener(kernel(pool).values, x.lam)), Fraction(pool.leverage_error(float(x.lam)))
    mean = fsum(tau) / pool.count
    slack = Fraction(gamma(4))
    return Law(
        probability=tau / fsum(tau),
        weight=mean / tau,
        relative=gamma(8),
        s_lambda=s_lambda,
        s_q_tilde=(Fraction(mean) * (1 - slack), Fraction(mean) * (1 + slack) * (1 + 2 * eta)),
    )


def quantities(x: PoolData, sampler: Sampler) -> Quantities:
    """Give what the size of a sample is computed from."""
    law = law_of(x, sampler)
    return Quantities(s_lambda=law.s_lambda, s_q_tilde=law.s_q_tilde, eps=x.eps, delta=x.delta)


def sample(x: PoolData, m: int, sampler: Sampler, rng: np.random.Generator, trials: int) -> SpectralBatch:
    """Draw m features, `trials` times: Kt = (1/m) sum_j counts_j weight_j Phi_j Phi_j^T against K."""
    law, pool = law_of(x, sampler), x.pool
    counts = rng.multinomial(m, law.probability, size=trials)
    Kt = np.stack([pool.gram(row * law.weight / m) for row in counts])
    errors = [pool.gram_error(G) + (law.relative + gamma(pool.n + 8)) * float(np.trace(G)) for G in Kt]
    return SpectralBatch(
        K=kernel(pool).values,
        K_radius=kernel(pool).radius,
        Kt=Kt,
        Kt_radius=np.array(errors),
        eps=x.eps,
        a=x.lam,
        b=x.lam,
    )


def conclusion(sampler: Sampler) -> HighProbability:
    """Give Theorem 3.3 for the leverage sampler, Theorem 9 of AKM+17 for the plain one."""

    def size(x: PoolData) -> int:
        found = quantities(x, sampler)
        if sampler == "leverage":
            return safe_ceiling(features_asked(found))
        return plain_features_asked(found.s_q_tilde[1], found)

    def construction(x: PoolData, m: int) -> Construction:
        return Construction(
            size=m, batch_size=BATCH, draw=lambda rng, trials: sample(x, m, sampler, rng, trials), facts={"n": x.pool.n}
        )

    return HighProbability(size=size, construction=construction, delta=lambda x: x.delta, stress="eps* / eps")
