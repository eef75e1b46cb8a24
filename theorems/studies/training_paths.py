"""Several widths in one picture: the trained network, kernel regression on its way, and where that ends.

u_nn(k+1) by gradient descent,   u_ntk(k+1) = u_ntk(k) + h (H_cts (Y - u_ntk(k)) - lam u_ntk(k)),   u_ntk(0) = 0
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from reference.preconditions import Float64
from reference.tangent_predictors import TangentRegression
from theorems.checking.court import Sitting
from theorems.checking.keys import digest, generator
from theorems.checking.store import Store
from theorems.glss.training_instances import I1, Training, training
from theorems.glss.training_runs import deviations, train
from theorems.studies.study import Cell, Column, Figure, Study

ID = "training_paths"
WIDTHS = {
    "quick": (10**2, 10**4, 10**6),
    "ci": (10**2, 10**4, 10**6, 10**8),
    "night": (10**2, 10**4, 10**6, 10**8, 10**10),
}
SHOWN = 4  # every fourth step has a row

EXAMPLE = training("I1-ridge-tenth", "points at angles .3 and 1.5", X=I1, Y=[1, -1], lam=0.1, step=0.125, steps=96)


def path(x: Training, m: int, sitting: Sitting) -> Float64:
    """Train one network of width m on two points.

    Returns
    -------
    rows : (shown, 8) t, then u_nn, u_ntk and u* at the first point, the same at the second, and ||u_nn - u*||
    """
    rng = generator(
        statement=ID, instance=digest(replace(x, m=m)), stream="run", seed=sitting.seed, batch_size=1, index=0
    )
    run = train(x, m, rng)
    limit = TangentRegression(x.H_cts, x.Y, kappa=float(x.kappa), lam=float(x.lam))
    u_ntk, u_star = limit.descent(x.steps, float(x.step)), limit.predictor()
    times = float(x.step) * np.arange(x.steps + 1)
    at = [np.stack([run.u[:, i], u_ntk[:, i], np.full(len(times), u_star[i])], axis=1) for i in (0, 1)]
    distance = np.linalg.norm(deviations(x, run.u), axis=1)
    found: Float64 = np.column_stack([times, *at, distance])[::SHOWN]
    return found


def _rows(profile: str, sitting: Sitting, _store: Store) -> Iterator[list[Cell]]:
    for m in WIDTHS[profile]:
        for row in path(EXAMPLE, m, sitting):
            yield [m, *map(float, row)]


STUDY = Study(
    id=ID,
    title="Training a network, and kernel regression",
    about=("glss.thm3.6.a_posteriori", "glss.eq15-16"),
    says="Two points of the plane, labels 1 and -1, ridge 1/10: u* is some way from the labels. A network of a hundred "
    "neurons starts anywhere and ends somewhere near u*; one of a million starts anywhere too, and then cannot be told "
    "from kernel regression: what training adds to its start is the same at every width.",
    columns=(
        Column(name="m", says="width"),
        Column(name="t", says="time, steps of 1/8"),
        Column(name="u_nn at 1", says="what the network predicts at the first point; one network per width"),
        Column(name="u_ntk at 1", says="what kernel regression predicts there after training for as long from 0"),
        Column(name="u* at 1", says="what kernel regression predicts there in the end"),
        Column(name="u_nn at 2", says="the network at the second point"),
        Column(name="u_ntk at 2", says="kernel regression there, trained for as long"),
        Column(name="u* at 2", says="kernel regression there, in the end"),
        Column(name="||u_nn - u*||", says="distance of the network to u*, over both points"),
    ),
    rows=_rows,
    figures=(
        Figure(
            x="t",
            y=("u_nn at 1", "u_ntk at 1", "u* at 1", "u_nn at 2", "u_ntk at 2", "u* at 2"),
            panels="m",
            says="Predictions at the two points while training goes on: network, kernel regression, and its limit.",
        ),
        Figure(
            x="t",
            y=("||u_nn - u*||",),
            by=("m",),
            y_scale="log",
            says="At a fixed ridge the distance ends at a multiple of 1 / sqrt m.",
        ),
    ),
)
"""u_nn(t), u_ntk(t) and u* over time, at three widths."""
