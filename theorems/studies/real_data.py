"""Leverage sampling on real data: how many features the theorems ask for, how many are needed, and what they cost.

In ten and more dimensions no grid holds the leverage of Gaussian Fourier features. So a pool of 16 n of them is drawn
once, and *is* the law from then on: K is the kernel of the pool, q_lambda is exact up to rounding, and a sample is a
multinomial over the pool. Every size below is one of that finite world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from reference.datasets import NAMES, load
from reference.labels import labels
from reference.preconditions import Float64
from reference.random_pool import RandomPool, fourier_pool
from reference.ridge_regression import krr_weights
from theorems.checking.court import Sitting
from theorems.checking.keys import digest, generator
from theorems.checking.least_size_search import LEVEL, Bracket, bracket_least_size
from theorems.checking.store import Store
from theorems.studies.pool_worlds import SAMPLERS, PoolData, Sampler, conclusion, dimension, kernel, sample
from theorems.studies.study import Cell, Column, Figure, Study

ID = "real_data"
SIGMA, POOL = 1.0, 16  # bandwidth on rows of unit length; features of the pool per data point
EPS, DELTA = Fraction(49, 100), Fraction(1, 10)
NOISE = 1.0  # sigma^2 of the risk, the mean square of the signal
ESTIMATORS = 16  # draws that predictions and risks are looked at on


def needed(x: PoolData, sampler: Sampler, sitting: Sitting, store: Store) -> Bracket:
    """Search for the number of draws that are needed, up to the number asked."""
    return bracket_least_size(f"study.{ID}.{sampler}", conclusion(sampler), x, sitting=sitting, store=store)


# ------------------------------------------------------------------------------------------------ what it is good for


def change_bound(K: Float64, lam: float, Y: Float64, eps: float) -> float:
    """Give eps / (1 - eps) sqrt(lam Y^T (K + lam I)^-1 Y) / ||Y||, the bound of `cor.insample`, in floats."""
    return eps / (1 - eps) * float(np.sqrt(lam * (Y @ krr_weights(K, lam, Y)))) / float(np.linalg.norm(Y))


def change(K: Float64, Kt: Float64, lam: float, Y: Float64) -> float:
    """Give ||f~(X) - f(X)|| / ||Y|| of the estimators with Kt and K: f(X) = Y - lam alpha."""
    moved = lam * (krr_weights(K, lam, Y) - krr_weights(Kt, lam, Y))
    return float(np.linalg.norm(moved) / np.linalg.norm(Y))


def risk(K: Float64, lam: float, f: Float64, noise: float) -> float:
    """Give (lam^2 f^T (K + lam I)^-2 f + noise tr K^2 (K + lam I)^-2) / n, as in `akm.lem2` but in floats."""
    smoother = np.linalg.solve(K + lam * np.eye(len(K)), K)
    bias = np.square(lam * krr_weights(K, lam, f)).sum()
    return float(bias + noise * (smoother * smoother.T).sum()) / len(K)


def risk_bound(K: Float64, Kt: Float64, lam: float, f: Float64, noise: float, eps: float) -> float:
    """Give R^(K) / (1 - eps) + eps / (1 + eps) rank(Kt) noise / n, R^(K) = (lam f^T (K + lam I)^-1 f + noise s) / n."""
    n = len(K)
    s_lambda = n - lam * np.trace(np.linalg.inv(K + lam * np.eye(n)))
    above = lam * (f @ krr_weights(K, lam, f)) + noise * s_lambda
    return float(above / (1 - eps) + eps / (1 + eps) * np.linalg.matrix_rank(Kt, hermitian=True) * noise) / n


@dataclass(frozen=True, kw_only=True)
class Consequences:
    """The largest change of the predictions and the largest risk over its bound, among keyed draws."""

    change: float
    risk: float


def consequences(x: PoolData, Y: Float64, m: int, sitting: Sitting) -> Consequences:
    """Fit with m draws by leverage, ESTIMATORS times, and look at the worst."""
    K, lam, eps = kernel(x.pool).values, float(x.lam), float(x.eps)
    instance, changes, risks = digest(x), [], []
    for k in range(ESTIMATORS):
        rng = generator(
            statement=f"study.{ID}",
            instance=instance,
            stream=f"estimators at {m}",
            seed=sitting.seed,
            batch_size=1,
            index=k,
        )
        Kt = sample(x, m, "leverage", rng, 1).Kt[0]
        changes.append(change(K, Kt, lam, Y))
        risks.append(risk(Kt, lam, Y, NOISE) / risk_bound(K, Kt, lam, Y, NOISE, eps))
    return Consequences(change=max(changes), risk=max(risks))


# ---------------------------------------------------------------------------------------------------------- the table


def pool_of(name: str, n: int, features: int, seed: int) -> RandomPool:
    """Draw the pool of a data set from a key of its own."""
    rng = generator(
        statement=f"study.{ID}",
        instance=digest((name, n, features, SIGMA)),
        stream="pool",
        seed=seed,
        batch_size=1,
        index=0,
    )
    return fourier_pool(load(name, n), SIGMA, features, rng)


def row(name: str, pool: RandomPool, part: int, sitting: Sitting, store: Store) -> list[Cell]:
    """Measure one data set at the ridge ||K|| / part."""
    K = kernel(pool).values
    x = PoolData(
        name=f"{name}-{pool.n}-lam{part}",
        says=f"{name}, {pool.n} rows normalised, a pool of {pool.count} Gaussian Fourier features, ||K||/{part}",
        pool=pool,
        lam=Fraction(float(np.linalg.eigvalsh(K)[-1]) / part),
        eps=EPS,
        delta=DELTA,
    )
    Y = labels(name, pool.n)
    asked = {sampler: conclusion(sampler).size(x) for sampler in SAMPLERS}
    found = {sampler: needed(x, sampler, sitting, store) for sampler in SAMPLERS}
    works = found["leverage"].works_at
    at_needed = consequences(x, Y, works, sitting) if works is not None else None
    return [
        name,
        pool.n,
        f"pool of {pool.count}, sigma = {SIGMA:g}",
        float(x.lam),
        1 / part,
        float(dimension(x)[1]),
        asked["leverage"],
        found["leverage"].fails_at,
        works,
        None if works is None else asked["leverage"] / works,
        asked["plain"],
        found["plain"].fails_at,
        found["plain"].works_at,
        change_bound(K, float(x.lam), Y, float(x.eps)),
        None if at_needed is None else at_needed.change,
        None if at_needed is None else at_needed.risk,
        consequences(x, Y, asked["leverage"], sitting).risk,
    ]


def grid(profile: str) -> list[tuple[str, int, int]]:
    """List (data set, n, ||K|| / lambda) of a profile; a longer profile begins with the shorter one."""
    found = [(name, 64, part) for name in NAMES for part in (10, 100, 1000)]
    if profile in ("ci", "night"):
        found += [(name, 64, 10**4) for name in NAMES]
        found += [(name, 256, part) for name in NAMES for part in (10, 1000)]
    if profile == "night":
        found += [(name, 256, part) for name in NAMES for part in (100, 10**4)]
    return found


def _rows(profile: str, sitting: Sitting, store: Store) -> Iterator[list[Cell]]:
    for name, n, part in grid(profile):
        yield row(name, pool_of(name, n, POOL * n, sitting.seed), part, sitting, store)


_RATE = f"with probability at least 1 - {float(LEVEL):g} the search of this row is right"

STUDY = Study(
    id=ID,
    title="Real data: features asked for, features needed, and what they cost",
    about=("glss.thm3.3", "akm.thm9", "akm.lem2", "cor.insample"),
    says="Rows of unit length; 16 n Gaussian Fourier features, drawn once, are the law, and K is their kernel; eps = "
    ".49, delta = .1. Both theorems ask for many times what is needed, Theorem 9 for ever more as lambda falls, while "
    "plain draws need only a few times as many as draws by leverage: in ten and more dimensions leverage is nearly "
    "flat. A size works when failure with probability delta or more is excluded, and fails when failure with "
    "probability delta or less is; nothing is said of the sizes between, nor of others.",
    columns=(
        Column(name="data set", says="of scikit-learn, every k-th row"),
        Column(name="n", says="rows"),
        Column(name="kernel", says="number of features in the pool, and bandwidth of the Gaussian law they came from"),
        Column(name="lambda", says="ridge added to the Gram matrix"),
        Column(name="lambda/||K||", says="the ridge in units of the largest eigenvalue"),
        Column(name="s_lambda", says="statistical dimension, the upper end of a proven enclosure"),
        Column(name="m asked", says="draws by leverage that GLSS Theorem 3.3 asks for, printed formula"),
        Column(name="m fails", says=f"a number of draws by leverage that fails; 0: none was found; {_RATE}"),
        Column(name="m works", says=f"a number of draws by leverage that works; empty: none was found; {_RATE}"),
        Column(name="asked/works", says="m asked / m works"),
        Column(name="m asked plain", says="draws from p that AKM+17, Theorem 9, asks for: n/lambda for s_q_tilde"),
        Column(name="m fails plain", says=f"a number of draws from p that fails; {_RATE}"),
        Column(name="m works plain", says=f"a number of draws from p that works; {_RATE}"),
        Column(name="change allowed", says="eps/(1-eps) sqrt(lambda Y^T A^-1 Y)/||Y||, A = K + lambda I, Y the labels"),
        Column(
            name="change at m works",
            says=f"||f~(X) - f(X)|| / ||Y||, the largest of {ESTIMATORS} independent draws of this size",
        ),
        Column(
            name="risk at m works",
            says="risk of f~ over the bound of AKM+17, Lemma 2, the largest of the same draws; the signal is Y, the "
            "noise has its mean square",
        ),
        Column(name="risk at m asked", says=f"the same at m asked, the largest of {ESTIMATORS} draws"),
    ),
    rows=_rows,
    figures=(
        Figure(
            x="lambda",
            y=("m asked", "m works", "m asked plain", "m works plain"),
            by=("n",),
            panels="data set",
            x_scale="log",
            y_scale="log",
            says="Draws asked for by Theorem 3.3 (leverage) and Theorem 9 (plain), and draws found to work.",
        ),
    ),
)
