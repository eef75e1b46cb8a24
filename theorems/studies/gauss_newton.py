"""Gauss-Newton training on real data, and what its parts do: contraction, sketches, iterations, operations.

Wall time is not here, since a table must be the same at every measurement: it is in `benchmarks/gauss_newton.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log, log2, sqrt
from statistics import median

import numpy as np

from reference.datasets import load
from reference.gauss_newton import Rule, exact_step, gradient_step, sketched_step, train
from reference.jacobian import Jacobian, jacobian
from reference.labels import labels
from reference.preconditions import Float64
from reference.sketched_solver import (
    Preconditioner,
    conjugate_gradient,
    optimal_step,
    richardson,
    sketched_preconditioner,
)
from reference.sketches import SRHT, CountSketch, DrawsSketch, Gaussian, TensorSRHT
from theorems.bpsw import contraction_against_width as contraction
from theorems.bpsw import cost_of_a_step as cost
from theorems.bpsw.bpsw_instances import random_rows
from theorems.bpsw.training_runs import gaussian_start
from theorems.checking.court import Sitting
from theorems.checking.keys import digest, generator
from theorems.checking.store import Store
from theorems.studies.study import Cell, Column, Figure, Study

NAMES = ("diabetes", "digits")
WIDTH = 4096
ACCURACY = 1e-12
KINDS: tuple[DrawsSketch, ...] = (Gaussian, CountSketch, SRHT, TensorSRHT)
DRAWS = {"quick": 8, "ci": 32, "night": 128}


def keyed(sitting: Sitting, stream: str, *what: str | int) -> np.random.Generator:
    """Give the generator of one measurement."""
    return generator(
        statement="study.gauss_newton",
        instance=digest(list(what)),
        stream=stream,
        seed=sitting.seed,
        batch_size=1,
        index=0,
    )


# ------------------------------------------------------------------------------------------------------- training


def targets(name: str, n: int) -> Float64:
    """Give the labels, scaled to [-1, 1]."""
    Y = labels(name, n)
    scaled: Float64 = Y / np.abs(Y).max()
    return scaled


def rules(n: int, X: Float64, rng: np.random.Generator) -> dict[str, tuple[Rule, int]]:
    """Give the rules, and how many steps of each are made at most."""
    longest = 1.0 / float(np.linalg.norm(X, 2)) ** 2
    return {
        "exact": (exact_step, 30),
        "sketched, eps0 = 1/10": (sketched_step(TensorSRHT, 16 * n, 0.1, rng), 60),
        "sketched, eps0 = 1e-6": (sketched_step(TensorSRHT, 16 * n, 1e-6, rng), 30),
        "gradient descent": (gradient_step(longest), 128),
    }


def trained(name: str, n: int, m: int, sitting: Sitting) -> Iterator[list[Cell]]:
    """Train on one data set by all rules from the same start."""
    X, Y = load(name, n), targets(name, n)
    W, a = gaussian_start(m, X.shape[1], keyed(sitting, "start", name, n, m))
    for method, (rule, at_most) in rules(n, X, keyed(sitting, "sketches", name, n, m)).items():
        run = train(X, Y, W, a, rule, accuracy=ACCURACY, at_most=at_most)
        operations = np.concatenate([[0], np.cumsum(run.operations, dtype=np.int64)])
        for t, residual in enumerate(run.residuals):
            if method == "gradient descent" and t > 8 and t & (t - 1):
                continue  # powers of two are enough
            yield [
                name,
                n,
                m,
                method,
                t,
                float(residual),
                float(residual / run.residuals[t - 1]) if t else None,
                run.iterations[t - 1] if t else None,
                int(operations[t]),
                float(run.displacement[t]),
            ]


def _training_rows(profile: str, sitting: Sitting, _store: Store) -> Iterator[list[Cell]]:
    for n in (64,) if profile == "quick" else (64, 256):
        for name in NAMES:
            yield from trained(name, n, WIDTH, sitting)


TRAINING = Study(
    id="gauss_newton.training",
    title="Gauss-Newton on real data: residual per step, and what it cost",
    about=("bpsw.halving", "bpsw.step", "bpsw.rate-n", "bpsw.cost"),
    says="Unit rows, labels scaled to [-1, 1], m = 4096. Exact steps, and sketched ones with a small inner residual, "
    "square the residual once it is small; with an inner residual of 1/10 every step gains that factor. Gradient "
    "descent with the longest safe step is far from all of them after a hundred steps. At these sizes the exact step "
    "through the structured Gram matrix is also the cheapest.",
    columns=(
        Column(name="data set", says="of scikit-learn, every k-th row"),
        Column(name="n", says="rows"),
        Column(name="m", says="neurons"),
        Column(name="method", says="rule of the steps; TensorSRHT with 16 n rows where sketched"),
        Column(name="step", says="steps taken; of gradient descent those up to 8 and powers of two"),
        Column(name="residual", says="||f - y||"),
        Column(name="ratio", says="residual over that of the step before"),
        Column(name="inner iterations", says="of conjugate gradients, in this step"),
        Column(name="operations", says="all so far, as counted by the running code"),
        Column(name="displacement", says="max_r ||w_r - w_r(0)||"),
    ),
    rows=_training_rows,
    figures=(
        Figure(
            x="step",
            y=("residual",),
            by=("method", "n"),
            panels="data set",
            y_scale="log",
            says="Residual against steps: a line of slope log 10 per step, parabolas, and gradient descent.",
        ),
        Figure(
            x="operations",
            y=("residual",),
            by=("method", "n"),
            panels="data set",
            x_scale="log",
            y_scale="log",
            says="The same against operations.",
        ),
    ),
)


# ---------------------------------------------------------------------------------------------------- contraction


def _contraction_rows(profile: str, _sitting: Sitting, _store: Store) -> Iterator[list[Cell]]:
    groups = 1 if profile == "quick" else 4
    family = contraction.family(16, 8, groups)
    for m in family.sizes:
        ratio = median(contraction.first_ratio(family, m, k) for k in range(groups))
        yield [family.n, m, groups * contraction.GROUP, ratio, ratio * sqrt(m), ratio * m**0.25]


CONTRACTION = Study(
    id="gauss_newton.contraction",
    title="What the first exact step leaves, against the width",
    about=("bpsw.contraction", "bpsw.step"),
    says="n = d = 8, labels in [-1, 1]. The part of the residual that is left falls like 1 / sqrt m: its product with "
    "sqrt m is constant, and with m^(1/4) is not.",
    columns=(
        Column(name="n", says="data, and their dimension"),
        Column(name="m", says="neurons"),
        Column(name="starts", says="independent ones"),
        Column(name="ratio", says="median of ||f(1) - y|| / ||f(0) - y||"),
        Column(name="ratio sqrt m", says="its product with sqrt m"),
        Column(name="ratio m^1/4", says="its product with m^(1/4)"),
    ),
    rows=_contraction_rows,
    figures=(
        Figure(
            x="m",
            y=("ratio sqrt m", "ratio m^1/4"),
            x_scale="log",
            y_scale="log",
            says="A level line is the right power of the width.",
        ),
    ),
)


# ------------------------------------------------------------------------------------------- sketches, iterations


TARGET = 1e-8


def iterations(J: Jacobian, r: Float64, R: Preconditioner, G: Float64) -> list[int]:
    """Count iterations to a residual of 1e-8 ||r||, beside what their rates predict.

    ceil(ln(start / 1e-8) / ln(1 / rate)): start 2 sqrt(cond G) for conjugate gradients, cond T for Richardson
    """
    spectrum = R.spectrum(G)
    k = float(spectrum[-1] / spectrum[0])
    conjugate, best = (sqrt(k) - 1) / (sqrt(k) + 1), (k - 1) / (k + 1)
    starts = 2 * sqrt(np.linalg.cond(G)), float(np.linalg.cond(R.triangle))
    return [
        conjugate_gradient(J, r, R, accuracy=TARGET, at_most=10_000).iterations,
        ceil(log(starts[0] / TARGET) / log(1 / conjugate)),
        richardson(J, r, R, step=optimal_step(spectrum), accuracy=TARGET, at_most=100_000).iterations,
        ceil(log(starts[1] / TARGET) / log(1 / best)),
    ]


def sketched(kind: DrawsSketch, n: int, per_point: int, draws: int, sitting: Sitting) -> list[Cell]:
    """Look at some draws of one kind of sketch, and run the solvers on the worst of them."""
    d, m, name = 8, 1024, kind.draw.__qualname__.split(".")[0]
    rng = keyed(sitting, "draws", name, n, per_point)
    W, a = gaussian_start(m, d, keyed(sitting, "network", n))
    J, r = jacobian(W, a, random_rows(n, d, n)), keyed(sitting, "right side", n).standard_normal(n)
    G, drawn = J.gram(), []
    for _ in range(draws):
        R = sketched_preconditioner(J, kind.draw(m, d, per_point * n, rng))
        sigma = R.spectrum(G) ** -0.5
        drawn.append((float(max(sigma.max() - 1, 1 - sigma.min())), float(sigma.max() / sigma.min()) ** 2, R))
    e, condition, R = max(drawn, key=lambda found: found[1])
    allowed = ((1 + e) / (1 - e)) ** 2 if e < 1 else None
    return [name, n, per_point, draws, e, sqrt(1 / per_point), condition, allowed, *iterations(J, r, R, G)]


def _sketch_rows(profile: str, sitting: Sitting, _store: Store) -> Iterator[list[Cell]]:
    for kind in KINDS:
        for per_point in (2, 4, 16, 64):
            yield sketched(kind, 16, per_point, DRAWS[profile], sitting)


SKETCHES = Study(
    id="gauss_newton.sketches",
    title="Sketches: distortion, condition and iterations against their bounds",
    about=("bpsw.sketch", "bpsw.tensorsrht", "bpsw.cond", "bpsw.iter"),
    says="n = 16 random unit rows, d = 8, m = 1024; of each kind and size the draw with the largest condition. All "
    "kinds distort by about sqrt(n / s); two rows per datum do not make a good preconditioner, sixteen do. Iterations "
    "stay below what the rates predict; conjugate gradients need n of them at most but for rounding.",
    columns=(
        Column(name="sketch", says="kind"),
        Column(name="n", says="data"),
        Column(name="s/n", says="rows of the sketch per datum"),
        Column(name="draws", says="independent sketches; the one with the largest condition is shown"),
        Column(name="distortion", says="e = max |sigma - 1| over the singular values of S on the range of J^T"),
        Column(name="sqrt(n/s)", says="what Marchenko and Pastur lead one to expect"),
        Column(name="condition", says="of R^T G R"),
        Column(name="condition allowed", says="((1 + e) / (1 - e))^2; empty where e >= 1"),
        Column(name="CG", says="iterations of conjugate gradients to ||r - G g|| <= 1e-8 ||r||"),
        Column(name="CG predicted", says="ceil(ln(2 sqrt(cond G) / 1e-8) / ln(1 / rate)), rate from the condition"),
        Column(name="Richardson", says="iterations with the best step"),
        Column(name="Richardson predicted", says="ceil(ln(cond T / 1e-8) / ln(1 / rate))"),
    ),
    rows=_sketch_rows,
    figures=(
        Figure(
            x="s/n",
            y=("distortion", "sqrt(n/s)"),
            panels="sketch",
            x_scale="log",
            y_scale="log",
            says="Largest distortion found, and sqrt(n / s).",
        ),
        Figure(
            x="s/n",
            y=("CG", "CG predicted", "Richardson", "Richardson predicted"),
            panels="sketch",
            x_scale="log",
            y_scale="log",
            says="Iterations to 1e-8, and what the rates predict.",
        ),
    ),
)


# ----------------------------------------------------------------------------------------------------- operations


def _cost_rows(profile: str, _sitting: Sitting, _store: Store) -> Iterator[list[Cell]]:
    for x in cost.instances(profile):
        before: int | None = None
        for size in x.sizes:
            by_work = cost.operations(x, size)
            total = sum(by_work.values())
            slope = None if before is None else log2(total / before)  # sizes double
            yield [x.name, x.method, x.grows, *x.at(size), size, total, by_work.get("qr"), slope]
            before = total


OPERATIONS = Study(
    id="gauss_newton.operations",
    title="Operations of one step",
    about=("bpsw.cost",),
    says="Counted by the running code; sizes double, so a slope is log2 of the quotient of two rows. Dense and "
    "structured steps grow like n^2, sketched ones like n until the QR takes over; all grow like m, and like d.",
    columns=(
        Column(name="family", says="what grows, from where to where"),
        Column(name="method", says="dense: Gram matrix of the written-out Jacobian; structured; sketched"),
        Column(name="grows", says="which of n, m, d"),
        Column(name="n", says="data"),
        Column(name="m", says="neurons"),
        Column(name="d", says="dimension"),
        Column(name="size", says="the one that grows"),
        Column(name="operations", says="of one step"),
        Column(name="of the QR", says="those of the factorisation of the sketch"),
        Column(name="slope", says="local exponent"),
    ),
    rows=_cost_rows,
    figures=(
        Figure(
            x="size",
            y=("operations",),
            by=("method",),
            panels="grows",
            x_scale="log",
            y_scale="log",
            says="Operations against the size that grows.",
        ),
    ),
)

STUDIES: tuple[Study, ...] = (TRAINING, CONTRACTION, SKETCHES, OPERATIONS)
