"""How the width that training needs grows with eps, Lambda_0, n and d, and data on which it grows faster.

Theorem 3.6 claims m = O~(n^4 d / (Lambda_0^3 eps)). At lambda = 1 / sqrt m the distance to u* is err = c / m with c of
the data, so that eps needs m = c / eps, and exponents of c are exponents of the width. T = 16 / Lambda_0, so that the
start is forgotten to e^-16.

The search looks at families with Lambda_0 >= 1/5 at every n and nominates the one that grows fastest from n = 4 to 16;
what is reported of it are fresh runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np

from reference.gradient_descent import descend
from reference.preconditions import Float64
from reference.relu_tangent import tangent_kernel
from reference.tangent_predictors import TangentRegression
from reference.wide_networks import drawn
from theorems.checking.court import Sitting
from theorems.checking.keys import digest, generator
from theorems.checking.store import Store
from theorems.glss.bootstrapped_exponents import decades, exponent
from theorems.glss.training_instances import on_circle, random_unit
from theorems.glss.training_runs import BRUTE_UP_TO, fair_signs
from theorems.studies.study import Cell, Column, Figure, Study

ID = "training_exponents"
FORGET = 16  # T Lambda_0


@dataclass(frozen=True, kw_only=True)
class Family:
    """Data that depend on one quantity.

    Parameters
    ----------
    quantity : '1/eps', '1/Lambda_0', 'n' or 'd'
    name : of the data
    claimed : exponent of the quantity in the printed width
    sizes : where the data are made
    data : (size, rng) -> (X, Y)
    width : size -> m
    """

    quantity: str
    name: str
    claimed: int
    sizes: tuple[float, ...]
    data: Callable[[float, np.random.Generator], tuple[Float64, Float64]]
    width: Callable[[float], int] = lambda _: 2500


def error(X: Float64, Y: Float64, m: int, rng: np.random.Generator) -> float:
    """Train one network with lambda = 1 / sqrt m until T = 16 / Lambda_0, and give ||u(T) - u*||."""
    H, lam = tangent_kernel(X), m**-0.5
    mu = np.linalg.eigvalsh(H)
    step = 0.9 / (mu[-1] + lam)
    steps = ceil(FORGET / mu[0] / step)
    if m <= BRUTE_UP_TO:
        W, a = rng.standard_normal((m, X.shape[1])), fair_signs(m, rng)
        u = descend(X, Y, W, a, kappa=1.0, lam=lam, step=step, steps=steps).u[-1]
    else:
        u = drawn(X, Y, m, rng, kappa=1.0, lam=lam, step=step, steps=steps, exact_up_to=10**5).u[-1]
    residual = TangentRegression(H, Y, kappa=1.0, lam=lam).residual()
    return float(np.linalg.norm(residual - (Y - u)))


def alternating(n: int) -> Float64:
    """Give labels 1, -1, 1, ..."""
    return np.where(np.arange(n) % 2, -1.0, 1.0)


def orthonormal(n: float, _rng: np.random.Generator) -> tuple[Float64, Float64]:
    """Give an orthonormal basis."""
    return np.eye(int(n)), alternating(int(n))


def random_data(n: float, rng: np.random.Generator) -> tuple[Float64, Float64]:
    """Give uniform points of the sphere in 2 n dimensions."""
    return random_unit(int(n), 2 * int(n), rng), alternating(int(n))


def equicorrelated(
    rho: float, labels: Callable[[int], Float64] = alternating
) -> Callable[..., tuple[Float64, Float64]]:
    """Give unit points with all inner products rho; Lambda_0 does not depend on n."""

    def data(n: float, _rng: np.random.Generator) -> tuple[Float64, Float64]:
        k = int(n)
        return np.hstack([np.sqrt(1 - rho) * np.eye(k), np.full((k, 1), np.sqrt(rho))]), labels(k)

    return data


def pairs(n: float, _rng: np.random.Generator) -> tuple[Float64, Float64]:
    """Give orthogonal pairs of points, an angle of 1 within each, with opposite labels."""
    k = int(n)
    X = np.eye(k)
    X[1::2, ::2] = np.cos(1.0) * np.eye(k // 2)
    X[1::2, 1::2] *= np.sin(1.0)
    return X, alternating(k)


CANDIDATES = {
    "orthonormal": orthonormal,
    "orthogonal pairs": pairs,
    "inner products 1/4": equicorrelated(0.25),
    "inner products 1/2": equicorrelated(0.5),
    "inner products 3/4": equicorrelated(0.75),
    "inner products 1/2, equal labels": equicorrelated(0.5, np.ones),
}


def _near(angle: float, _rng: np.random.Generator) -> tuple[Float64, Float64]:
    return on_circle(0.3, 0.3 + angle), alternating(2)


def _high(d: float, rng: np.random.Generator) -> tuple[Float64, Float64]:
    return random_unit(8, int(d), rng), alternating(8)


def families(profile: str) -> list[Family]:
    """List what is measured before the search; a longer profile has longer ranges."""
    long = profile != "quick"
    counts: tuple[float, ...] = (2, 4, 8, 16, 32, 64) if long else (2, 4, 8, 16, 32)
    angles = (1.5, 0.9, 0.6, 0.4, 0.3)
    return [
        Family(
            quantity="1/eps",
            name="angles .3 and 1.5",
            claimed=1,
            sizes=(1e3, 1e4, 1e5, 1e6) + ((1e7, 1e8) if long else (1e7,)),
            data=lambda _m, rng: _near(1.2, rng),
            width=int,
        ),
        Family(
            quantity="1/Lambda_0",
            name="two points at an angle",
            claimed=3,
            sizes=angles + {"quick": (), "ci": (0.2, 0.14), "night": (0.2, 0.14, 0.08)}[profile],
            data=_near,
            width=lambda _: 10**8 if profile == "night" else 10**7,
        ),
        Family(quantity="n", name="random, d = 2n", claimed=4, sizes=counts, data=random_data),
        Family(quantity="d", name="8 random points", claimed=1, sizes=(8, 16, 32, 64, 128), data=_high),
    ]


def _errors(x: Family, size: float, runs: int, sitting: Sitting, stream: str) -> tuple[list[float], float]:
    """Give the error of every run, on data of its own where data are random, and the least median Lambda_0."""
    found, least = [], []
    for run in range(runs):
        rng = generator(
            statement=ID,
            instance=digest((x.quantity, x.name, float(size))),
            stream=stream,
            seed=sitting.seed,
            batch_size=1,
            index=run,
        )
        X, Y = x.data(size, rng)
        least.append(np.linalg.eigvalsh(tangent_kernel(X))[0])
        found.append(error(X, Y, x.width(size), rng))
    return found, float(np.median(least))


def measured(x: Family, runs: int, sitting: Sitting) -> list[list[Cell]]:
    """Give the rows of one family: one per size, with the exponent of the whole family in each."""
    seen = [_errors(x, size, runs, sitting, "fresh") for size in x.sizes]
    needed = np.array([errors for errors, _ in seen]) * [[x.width(size)] for size in x.sizes]
    if x.quantity == "1/eps":
        at: list[float] = [1 / float(np.median(errors)) for errors, _ in seen]
    elif x.quantity == "1/Lambda_0":
        at = [1 / least for _, least in seen]
    else:
        at = list(x.sizes)
    rng = generator(
        statement=ID,
        instance=digest((x.quantity, x.name)),
        stream="bootstrap",
        seed=sitting.seed,
        batch_size=1,
        index=0,
    )
    if (
        x.quantity == "1/eps"
    ):  # err ~ m^slope, so that m ~ (1/eps)^(-1/slope); an interval with a slope 0 has no inverse
        low, middle, high = (-1 / s for s in exponent(x.sizes, [errors for errors, _ in seen], rng))
    else:
        low, middle, high = exponent(at, needed, rng)
    return [
        [
            x.quantity,
            x.name,
            at[k],
            least,
            x.width(size),
            runs,
            float(np.median(errors)),
            float(np.median(needed[k])),
            x.claimed,
            low,
            middle,
            high,
            decades(at),
        ]
        for k, (size, (errors, least)) in enumerate(zip(x.sizes, seen, strict=True))
    ]


def nominate(sitting: Sitting, runs: int = 3, sizes: tuple[int, int] = (4, 16)) -> str:
    """Search: give the candidate whose error grows fastest from the one n to the other."""

    def growth(name: str) -> float:
        x = Family(quantity="n", name=name, claimed=4, sizes=sizes, data=CANDIDATES[name])
        first, last = (float(np.median(_errors(x, n, runs, sitting, "search")[0])) for n in sizes)
        return last / first

    return max(CANDIDATES, key=growth)


RUNS = {"quick": 6, "ci": 16, "night": 48}


def _rows(profile: str, sitting: Sitting, _store: Store) -> Iterator[list[Cell]]:
    runs, given = RUNS[profile], families(profile)
    for x in given:
        yield from measured(x, runs, sitting)
    counts = next(x.sizes for x in given if x.quantity == "n")
    found = nominate(sitting)
    for name in dict.fromkeys(["orthonormal", "orthogonal pairs", found]):
        shown = f"{name} (found)" if name == found else name
        x = Family(quantity="n", name=shown, claimed=4, sizes=counts, data=CANDIDATES[name])
        yield from measured(x, runs, sitting)


STUDY = Study(
    id=ID,
    title="What training needs, and what Theorem 3.6 claims",
    about=("glss.thm3.6.a_posteriori",),
    says="The width grows like 1/eps and the third power of 1/Lambda_0, as claimed. In n it grows with an exponent of "
    "1/2 to 3/4 on random data (where Lambda_0 falls at the same time), orthonormal and paired data, and 3/4 to 1 on "
    "points with equal positive inner products, the worst of six families that were searched; claimed is 4. In d it "
    "falls, as random points in high dimension are nearly orthogonal; claimed is 1. All of this is about these ranges.",
    columns=(
        Column(name="quantity", says="what varies"),
        Column(name="data", says="the family; '(found)' is the one that the search nominated, measured afresh"),
        Column(name="value", says="of the quantity; for 1/eps the inverse of the median error"),
        Column(name="Lambda_0", says="least eigenvalue of H_cts; the median where data are random"),
        Column(name="m", says="width; lambda = 1 / sqrt m, T = 16 / Lambda_0"),
        Column(name="runs", says="networks, each on data of its own where data are random"),
        Column(name="err", says="median of ||u(T) - u*||"),
        Column(name="err m", says="median times width: eps needs a width of about so much over eps"),
        Column(name="claimed", says="exponent in n^4 d / (Lambda_0^3 eps)"),
        Column(name="lower", says="of an interval of the exponent: 99 % bootstrap over runs, which is approximate"),
        Column(name="exponent", says="of the width in the quantity: Theil-Sen slope of logarithms of medians"),
        Column(name="upper", says="of the interval"),
        Column(name="decades", says="log10 of the range of the quantity; below 1.5 an exponent says little"),
    ),
    rows=_rows,
    figures=(
        Figure(
            x="value",
            y=("err m",),
            by=("data",),
            panels="quantity",
            x_scale="log",
            y_scale="log",
            says="Slopes are exponents of the width; a flat line in 1/eps is the exponent 1.",
        ),
    ),
)
"""Exponents of the width in eps, Lambda_0, n and d."""
