"""Gradient descent on networks up to width 1e12, certified, against brute force on all neurons (CPU time, one core).

    python benchmarks/wide_training.py [RUNS]

Two points of the plane at angles .3 and 1.5, labels 1 and -1, lam = 1 / sqrt m, step 1/4 up to T = 30 / Lambda_0 (309
steps). err is ||u(T) - u*||, and err m should stay within a decade. Up to m = 1e8 every neuron is drawn. Brute force
is timed on a tenth of the steps; times move with the machine, ratios count.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import resource
import sys
from statistics import median
from time import process_time

import numpy as np

from reference.boundary_layers import PlainLayer, SortedLayer
from reference.gradient_descent import descend
from reference.relu_tangent import tangent_kernel
from reference.wide_networks import drawn

ANGLES = (0.3, 1.5)
X = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
Y = np.array([1.0, -1.0])
STEP = 0.25
STEPS = round(30 / np.linalg.eigvalsh(tangent_kernel(X))[0] / STEP)


def training(m, steps=STEPS):
    """The settings of the scaling run."""
    return {"kappa": 1.0, "lam": m**-0.5, "step": STEP, "steps": steps}


def timed(job):
    """CPU seconds of a job, and its result."""
    start = process_time()
    result = job()
    return process_time() - start, result


def scaling(runs):
    """Print one line per width."""
    print(f"{STEPS} steps, {runs} runs per width; seconds are medians")
    print("     m  seconds            err m  half width / displacement  layer neurons  law")
    for exponent in (4, 6, 8, 9, 10, 11, 12):
        m, lines = 10**exponent, []
        for run in range(runs):
            rng = np.random.Generator(np.random.Philox(key=[exponent, run]))
            lines.append(timed(lambda m=m, rng=rng: drawn(X, Y, m, rng, exact_up_to=10**8, **training(m))))
        errors = [m * np.linalg.norm(t.deviation[-1]) for _, t in lines]
        seconds, last = median(s for s, _ in lines), lines[-1][1]
        print(
            f"  1e{exponent:02d}  {seconds:7.2f}  {min(errors):6.2f} - {max(errors):6.2f}"
            f"  {last.half_width / last.displacement:25.2f}  {last.layer_neurons:13d}  {last.law}, "
            f"Berry-Esseen {last.berry_esseen:.0e}"
        )
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def brute_force():
    """Print what the same steps cost neuron by neuron."""
    for m in (10**5, 10**6):
        rng = np.random.Generator(np.random.Philox(key=[99, m]))
        W, a = rng.standard_normal((m, 2)), rng.choice([-1.0, 1.0], m)
        seconds, _ = timed(lambda W=W, a=a, m=m: descend(X, Y, W, a, **training(m, STEPS // 10)))
        print(f"brute force, m = {m:.0e}: {10 * seconds:.2f} s for all steps")


def layers(m=10**10):
    """Print blocks of sorted neurons against one number per neuron."""
    for layer in (SortedLayer, PlainLayer):
        rng = np.random.Generator(np.random.Philox(key=[98, m]))
        seconds, _ = timed(lambda layer=layer, rng=rng: drawn(X, Y, m, rng, layer=layer, **training(m)))
        print(f"{layer.__name__}, m = {m:.0e}: {seconds:.2f} s")


if __name__ == "__main__":
    scaling(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    brute_force()
    layers()
