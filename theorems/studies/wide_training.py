"""The distance of trained networks to kernel regression up to a width of 10^12, at lambda = 1 / sqrt m.

Theorem 3.6 asks a width of order 1/eps: the distance at the end of training is to be a constant over m. Networks wider
than a million enter through counts and Gaussian sums of the neurons far from their boundaries; see
`reference.wide_networks`. A row without a certificate would not be gradient descent, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from theorems.checking.court import Sitting
from theorems.checking.keys import digest, generator
from theorems.checking.store import Store
from theorems.glss.training_instances import I1, Training, shrinking_ridge, training
from theorems.glss.training_runs import deviations, train
from theorems.studies.study import Cell, Column, Figure, Study

ID = "wide_training"
WIDTHS = {
    "quick": {10**4: 5, 10**5: 5, 10**6: 5, 10**7: 5, 10**8: 5},
    "ci": {10**4: 20, 10**5: 20, 10**6: 20, 10**7: 10, 10**8: 10, 10**9: 5, 10**10: 3},
    "night": {10**4: 20, 10**5: 20, 10**6: 20, 10**7: 20, 10**8: 20, 10**9: 20, 10**10: 10, 10**11: 5, 10**12: 3},
}
"""Profile -> width -> runs."""


def example(m: int) -> Training:
    """Give points at angles .3 and 1.5 with labels 1 and -1, and lambda = 1 / sqrt m; T is about 30 / Lambda_0."""
    return training(
        f"I1-m{m}", "points at angles .3 and 1.5", X=I1, Y=[1, -1], lam=shrinking_ridge(m), step=1, steps=80, m=m
    )


def row(m: int, run: int, sitting: Sitting) -> list[Cell]:
    """Train one network."""
    x = example(m)
    rng = generator(statement=ID, instance=digest(x), stream="run", seed=sitting.seed, batch_size=1, index=run)
    seen = train(x, m, rng)
    err = float(np.linalg.norm(deviations(x, seen.u)[-1]))
    return [
        m,
        run + 1,
        err,
        err * m,
        float(x.lam * x.horizon),
        float(seen.facts["displacement"]) * sqrt(m),
        seen.facts["layer neurons"],
        seen.facts["certificate"],
        seen.facts["law"],
        float(seen.facts.get("Berry-Esseen", 0.0)),
    ]


def _rows(profile: str, sitting: Sitting, _store: Store) -> Iterator[list[Cell]]:
    for m, runs in WIDTHS[profile].items():
        for run in range(runs):
            yield row(m, run, sitting)


STUDY = Study(
    id=ID,
    title="Networks of up to a trillion neurons",
    about=("glss.thm3.6.a_posteriori",),
    says="With lambda = 1 / sqrt m the distance to u* after training is a random number over m, at every width that "
    "was tried: eps asks a width of order 1 / eps, as Theorem 3.6 says, and on these two points with a factor of 1 to "
    "10 where n^4 d / Lambda_0^3 is 548. Neurons move by a constant over sqrt m.",
    columns=(
        Column(name="m", says="width"),
        Column(name="run", says="number of the network"),
        Column(name="err", says="||u(T) - u*|| after 80 steps of length 1"),
        Column(name="err m", says="the same times the width"),
        Column(name="lambda T", says="how far weight decay has come; Theorem 3.6 needs it small (E15, E21)"),
        Column(name="displacement sqrt m", says="how far a neuron moved towards a boundary at most, times sqrt m"),
        Column(name="layer", says="neurons near a boundary, followed one by one; all of them by brute force"),
        Column(name="certificate", says="why the run is gradient descent itself, up to rounding"),
        Column(name="law", says="of the first neurons: exact, or the bulk by Gaussian sums with exact second moments"),
        Column(name="Berry-Esseen", says="bound on the Kolmogorov distance of each u_i(0) from its exact law"),
    ),
    rows=_rows,
    figures=(
        Figure(x="m", y=("err",), x_scale="log", y_scale="log", by=("run",), says="Distance to u* against the width."),
        Figure(
            x="m",
            y=("err m", "displacement sqrt m"),
            by=("run",),
            x_scale="log",
            y_scale="log",
            says="Both are of order 1 at every width.",
        ),
    ),
)
"""err m for widths from 10^4 to 10^12."""
