"""One trial of Theorem 3.3 against the straightforward NumPy one, as ratios measured in one run (CPU time, medians).

    python benchmarks/trial_cost.py

Naive: draw m neurons, form the n x m d feature matrix, multiply, whiten, take eigenvalues. Ours: counts per
activation cell, one product for a whole batch, verified Cholesky. Times move with the machine; ratios count.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from statistics import median
from time import process_time

import numpy as np

from reference.leverage import whitener
from theorems.checking.events import answers
from theorems.glss.sampling_constructions import construct, kernel
from theorems.glss.sampling_instances import in_the_plane
from theorems.glss.sampling_recipe import PAPER

BATCH = 1024


def naive_trial(x, m, rng):
    """Sample from q_bar by rejection, in the obvious way, and look at eps*."""
    X, (K, _) = x.X, kernel(x)
    B = whitener(K, float(x.lam))
    M = (B.T @ B) * (X @ X.T)
    top = np.abs(M).sum()
    kept = []
    while sum(map(len, kept)) < m:
        W = rng.standard_normal((2 * m, 2))
        s = (W @ X.T >= 0).astype(float)
        tau = ((s @ M) * s).sum(axis=1)
        kept.append(np.hstack([W, tau[:, None]])[rng.random(len(W)) * top < tau])
    W, tau = np.split(np.concatenate(kept)[:m], [2], axis=1)
    s_lambda = float(np.trace(np.linalg.solve(K + float(x.lam) * np.eye(len(K)), K)))
    Phi = ((W @ X.T >= 0).T[:, :, None] * X[:, None, :] * np.sqrt(s_lambda / tau[None] / m)).reshape(len(X), -1)
    return np.abs(np.linalg.eigvalsh(B @ (Phi @ Phi.T - K) @ B.T)).max() <= float(x.eps)


def timed(job, repeats):
    """Median CPU seconds of a job."""
    times = []
    for _ in range(repeats):
        start = process_time()
        job()
        times.append(process_time() - start)
    return median(times)


def main():
    """Print one line per size."""
    x, rng = in_the_plane()[1], np.random.default_rng(0)
    ours = {}
    for m in (10**4, 10**6, 10**15):
        built = construct(x, m, PAPER)
        ours[m] = timed(lambda built=built: answers(built.draw(rng, BATCH)), 9) / BATCH
        print(f"n = 16, d = 2, m = {m:.0e}: {1e6 * ours[m]:7.1f} us a trial, decided")
    for m, repeats in ((10**4, 9), (10**6, 3)):
        naive = timed(lambda m=m: naive_trial(x, m, rng), repeats)
        print(f"naive NumPy, m = {m:.0e}: {1e3 * naive:9.2f} ms a trial, x {naive / ours[m]:,.0f}")
    print(f"m = 1e15 against m = 1e4: {ours[10**15] / ours[10**4]:.2f}")


if __name__ == "__main__":
    main()
