"""Deciding (1-eps)(K + lam I) <= Kt + lam I <= (1+eps)(K + lam I) for a batch, against stacked `np.linalg.eigvalsh`.

    python benchmarks/loewner_decisions.py

Ratios measured in one run: jobs take turns, CPU time, medians, one BLAS thread. Naive, in two ways that prove
nothing: the eigenvalues of both sides, and those of the whitened difference. "One call" is `eigvalsh` alone, on one
matrix per trial. The draws are those of Theorem 3.3 for points on the circle, at the m it asks for and at less,
where trials come close to the line and where most of them fail.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from fractions import Fraction
from statistics import median
from time import process_time

import numpy as np

from reference.relu_tangent import tangent_kernel
from theorems.checking.loewner import decide_spectral_batch
from theorems.glss.sampling_constructions import construct
from theorems.glss.sampling_instances import CellWorld
from theorems.glss.sampling_recipe import PAPER
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT

BATCHES = {4: 1024, 8: 1024, 16: 1024, 32: 1024, 128: 32}
SHARES = {"as asked": 1, "a quarter": 4, "a thirtieth": 30}
ROUNDS = 15


def circle(n):
    """Give n points on the circle, in golden-angle spacing, with lam = ||K|| / 10."""
    angles = np.pi * (3 - np.sqrt(5)) * np.arange(n)
    X = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lam = Fraction(float(np.linalg.eigvalsh(tangent_kernel(X))[-1]) / 10)
    return CellWorld(name=f"circle-{n}", says="", X=X, lam=lam, eps=Fraction(3, 10), delta=Fraction(1, 10))


def both_sides(K, Kt, lam, eps):
    """Look at the least eigenvalue of either side."""
    identity = np.eye(len(K))
    A, At = K + lam * identity, Kt + lam * identity
    lower = np.linalg.eigvalsh(At - (1 - eps) * A)[:, 0] >= 0
    return lower & (np.linalg.eigvalsh((1 + eps) * A - At)[:, 0] >= 0)


def whitened(K, Kt, lam, eps):
    """Look at the spectral norm of L^-1 (Kt - K) L^-T, K + lam I = L L^T."""
    W = np.linalg.inv(np.linalg.cholesky(K + lam * np.eye(len(K))))
    return np.abs(np.linalg.eigvalsh(W @ (Kt - K) @ W.T)).max(axis=1) <= eps


def medians(jobs):
    """Median CPU seconds of each job, the jobs taking turns."""
    times = [[] for _ in jobs]
    for _ in range(ROUNDS):
        for job, seen in zip(jobs, times, strict=True):
            start = process_time()
            job()
            seen.append(process_time() - start)
    return [median(seen) for seen in times]


def main():
    """Print one line per size and number of features."""
    rng = np.random.default_rng(0)
    for n, count in BATCHES.items():
        x = circle(n)
        for says, share in SHARES.items():
            drawn = construct(x, STATEMENT.conclusion.size(x) // share, PAPER).draw(rng, count)
            given = drawn.K, drawn.K_radius, drawn.Kt, drawn.Kt_radius, drawn.a, drawn.eps
            rough = drawn.K, drawn.Kt, float(x.lam), float(x.eps)
            answers = decide_spectral_batch(*given)
            ours, sides, white, bare = medians(
                [
                    lambda given=given: decide_spectral_batch(*given),
                    lambda rough=rough: both_sides(*rough),
                    lambda rough=rough: whitened(*rough),
                    lambda Kt=drawn.Kt: np.linalg.eigvalsh(Kt),
                ]
            )
            found = "/".join(str(k) for k in np.bincount(answers, minlength=3))
            print(
                f"n = {n:3d}, m {says:>11}: {1e6 * ours / count:7.2f} us each, in/out/unsure {found:>11}; "
                f"both sides x {sides / ours:4.1f}, whitened x {white / ours:4.1f}, one call x {bare / ours:4.1f}"
            )


if __name__ == "__main__":
    main()
