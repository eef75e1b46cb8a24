"""Sketched Gauss-Newton steps against the exact step with its BLAS Gram matrix: CPU seconds and counters, one core.

    python benchmarks/gauss_newton.py [LARGEST_N] [M]

Random unit data in R^8, m = 2^16 neurons, s = 4 n rows of a TensorSRHT, inner accuracy 1e-2. All ways of a size run in
turn, medians of three below n = 1024; times move with the machine, ratios count. "QR free" leaves out the part that
does not grow with m: where that is cheaper, a wide enough network makes the sketched step cheaper.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import sys
from statistics import median
from time import process_time

import numpy as np

from reference.gauss_newton import exact_step, sketched_step
from reference.jacobian import jacobian
from reference.operations import Operations
from reference.sketched_solver import Preconditioner, conjugate_gradient, sketched_preconditioner
from reference.sketches import SRHT, TensorSRHT
from reference.two_layer import outputs

D, EPS0, OVERSAMPLING = 8, 1e-2, 4


def problem(n, m):
    """Unit data, labels of size 1, and a network at its start."""
    rng = np.random.Generator(np.random.Philox(key=[n, m]))
    X = rng.standard_normal((n, D))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    W, a = rng.standard_normal((m, D)), rng.choice([-1.0, 1.0], m)
    return X, W, a, outputs(W, a, X) - rng.choice([-1.0, 1.0], n), rng


def cost(job, X, W, a):
    """CPU seconds and operations of a job on a fresh Jacobian, and its result."""
    J = jacobian(W, a, X, Operations())
    before, start = J.count.total(), process_time()
    result = job(J)
    return process_time() - start, J.count.total() - before, result


def steps(n, m):
    """Print one line: seconds of the steps and of their parts."""
    X, W, a, r, rng = problem(n, m)
    s = OVERSAMPLING * n
    preconditioners = []

    def sketch_and_qr(J):
        preconditioners.append(sketched_preconditioner(J, TensorSRHT.draw(m, D, s, rng)))

    def iterate(R):
        return lambda J: conjugate_gradient(J, r, R(), accuracy=EPS0, at_most=5000)

    jobs = {
        "exact": lambda J: exact_step(J, r),
        "Gram": lambda J: J.gram(),
        "sketch": lambda J: TensorSRHT.draw(m, D, s, rng).apply(J),
        "sketch + QR": sketch_and_qr,
        "CG": iterate(lambda: preconditioners[-1]),
        "plain CG": iterate(lambda: Preconditioner(triangle=np.eye(n))),
    }
    if n <= 256:
        jobs["SRHT"] = lambda J: SRHT.draw(m, D, s, rng).apply(J)
    runs = [{name: cost(job, X, W, a) for name, job in jobs.items()} for _ in range(3 if n < 1024 else 1)]
    seconds = {name: median(run[name][0] for run in runs) for name in jobs}
    seconds["sketched"] = seconds["sketch + QR"] + seconds["CG"]
    seconds["sketched, QR free"] = seconds["sketch"] + seconds["CG"]  # all else grows with m, like the exact step
    inner, plain = (runs[-1][name][2].iterations for name in ("CG", "plain CG"))
    print(
        f"{n:5d}  {seconds['exact']:7.3f} ({seconds['Gram']:7.3f})   {seconds['sketched']:8.3f}"
        f" ({seconds['sketch']:7.3f}, {seconds['sketch + QR'] - seconds['sketch']:7.3f}, {seconds['CG']:7.3f})"
        f"   {seconds['plain CG']:8.3f}   {inner:5d} {plain:5d}   {seconds['exact'] / seconds['sketched']:5.2f}"
        f" {seconds['exact'] / seconds['plain CG']:5.2f}   {seconds.get('SRHT', np.nan):7.2f}",
        flush=True,
    )
    return seconds


def crossing(sizes, seconds, way):
    """Say from which size on a way was cheaper than the exact step, or how its ratio moves."""
    ratios = [times["exact"] / times[way] for times in seconds]
    ahead = [n for n, ratio in zip(sizes, ratios, strict=True) if ratio > 1]
    if ahead:
        print(f"{way}: cheaper than the exact step at n = {', '.join(map(str, ahead))}")
    else:
        print(f"{way}: not cheaper up to n = {sizes[-1]}; exact / {way} moved from {ratios[0]:.2f} to {ratios[-1]:.2f}")


def exponents():
    """Print the slopes of the counters when m and n double; the loose accuracy makes few iterations."""

    def spent(rule, n, m):
        X, W, a, r, _ = problem(n, m)
        return cost(lambda J: rule(J, r), X, W, a)[1]

    def sketched(J, r):
        return sketched_step(TensorSRHT, OVERSAMPLING * len(r), 0.1, np.random.default_rng(0))(J, r)

    def dense(J, r):
        assert len(J.dense_gram()) == len(r)

    ways = {"dense Gram": dense, "structured": exact_step, "sketched": sketched}
    print("\nexponents of the counters:       m         n, from 32 to 64 at m = 2^14    n, from 128 to 256 at m = 2^11")
    for name, rule in ways.items():
        here = spent(rule, 64, 2**14)
        slopes = (here / spent(rule, 64, 2**13), here / spent(rule, 32, 2**14))
        cubic = spent(rule, 256, 2**11) / spent(rule, 128, 2**11)
        print(f"{name:>25s}   {np.log2(slopes[0]):7.3f}   {np.log2(slopes[1]):7.3f} {np.log2(cubic):30.3f}")


def main(largest=2048, m=2**16):
    """Print the table of steps, the crossovers and the exponents."""
    sizes = [n for n in (64, 128, 256, 512, 1024, 2048, 4096, 8192) if n <= largest]
    print(f"m = {m}, d = {D}, s = {OVERSAMPLING} n, inner relative residual {EPS0}; CPU seconds, without activations")
    print(
        "    n    exact (of it Gram)   sketched (sketch, QR, CG)              plain CG   iterations   exact /     SRHT"
    )
    seconds = [steps(n, m) for n in sizes]
    for way in ("sketched", "sketched, QR free", "plain CG"):
        crossing(sizes, seconds, way)
    exponents()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
