"""Synthetic statements with a known failure probability, sent through the whole court many times.

Their counts of verdicts must agree with the exact operating characteristics: keys, guarded trials, the ladder, the
store and the judge all stand between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np

from theorems.checking.bernoulli import below_delta, below_rho_delta, refuting_table
from theorems.checking.budget import Allowance
from theorems.checking.events import Event
from theorems.checking.judge import judge, settled
from theorems.checking.keys import digest
from theorems.checking.operating_characteristics import follow
from theorems.checking.store import Store
from theorems.checking.trials import collect
from theorems.statement import Construction, SpectralBatch

DELTA, RHO = Fraction(1, 2), Fraction(6, 5)
LEVEL = Fraction(1, 1000)  # test-only: shipped verdicts are so rarely wrong that nobody could count it
HORIZON, BATCH_SIZE = 1024, 64
EXCESSES = (Fraction(9, 10), Fraction(1), Fraction(11, 10))
BAND_LEVEL = Fraction(1, 10**9)  # chance that an honest count leaves its band
CODE = digest("synthetic")  # these rows live in memory and serve no other run


def coin(p: Fraction, batch_size: int) -> Event:
    """Make trials that fail with probability exactly p, each by a matrix that breaks the conclusion.

    K = 1, lam = 1, eps = 1/2; Kt = 1 where the trial passes, and Kt = 4 > (1 + eps) 2 - 1 where it fails.

    Parameters
    ----------
    p : in [0, 1], exact: a uniform integer below the denominator is compared with the numerator
    batch_size : trials per batch, a power of two up to 1024
    """

    def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
        fails = rng.integers(p.denominator, size=trials) < p.numerator
        return SpectralBatch(
            K=np.ones((1, 1)),
            K_radius=0.0,
            Kt=np.where(fails, 4.0, 1.0)[:, None, None],
            Kt_radius=np.zeros(trials),
            eps=Fraction(1, 2),
            a=Fraction(1),
            b=Fraction(1),
        )

    return Event(construction=Construction(size=1, batch_size=batch_size, draw=draw, facts={}))


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How often one verdict was given, and how often it should be.

    Parameters
    ----------
    excess : true failure probability in units of delta
    verdict : 'REFUTED', 'SUPPORTED below_delta', 'SUPPORTED below_rho_delta' or 'UNDECIDED'
    count : replicates with this verdict
    chance : its exact chance
    band : least and greatest count that chance explains
    """

    excess: Fraction
    verdict: str
    count: int
    replicates: int
    chance: float
    band: tuple[int, int]

    @property
    def inside(self) -> bool:
        """Whether chance explains the count."""
        return self.band[0] <= self.count <= self.band[1]


def end_to_end(excess: Fraction, replicates: int) -> list[Tally]:
    """Judge one synthetic statement again and again, each time with fresh keys.

    Parameters
    ----------
    excess : true failure probability in units of DELTA, in [0, 2]
    replicates : >= 1; replicate r has seed r

    Returns
    -------
    one tally per verdict; an honest court leaves a band with probability at most BAND_LEVEL

    Raises
    ------
    ValueError : replicates < 1
    """
    if replicates < 1:
        raise ValueError(f"end_to_end: replicates must be at least 1, got replicates = {replicates}")
    p = excess * DELTA
    trials = coin(p, BATCH_SIZE)
    allowance = Allowance(refute=LEVEL, support=LEVEL)
    chances = chances_of_verdicts(p)
    counts = dict.fromkeys(chances, 0)
    with Store.memory() as store:
        for seed in range(replicates):
            seen, _, _ = collect(
                trials,
                statement="synthetic Bernoulli",
                instance_digest=digest(p),
                stream="evidence",
                seed=seed,
                code=CODE,
                store=store,
                decide=lambda counts: settled(counts, delta=DELTA, allowance=allowance),
                budget=HORIZON,
            )
            verdict = judge(seen, allowance=allowance, delta=DELTA, rho=RHO)
            counts[f"{verdict.finding} {verdict.table}" if verdict.table.startswith("below") else verdict.finding] += 1
    return [
        Tally(
            excess=excess,
            verdict=verdict,
            count=counts[verdict],
            replicates=replicates,
            chance=chance,
            band=binomial_band(replicates, chance, BAND_LEVEL),
        )
        for verdict, chance in chances.items()
    ]


def chances_of_verdicts(p: Fraction) -> dict[str, float]:
    """Compute how often the court gives each verdict at the true failure probability p.

    It stops when p <= delta is refuted or p >= delta excluded; at the horizon excluding p >= rho delta will do, so
    the last look of the second walk is wider.
    """
    n = np.arange(BATCH_SIZE, HORIZON + 1, BATCH_SIZE)
    refuting, sharp = refuting_table(n, DELTA, LEVEL).tolist(), below_delta(n, DELTA, LEVEL).tolist()
    wide = [*sharp[:-1], int(below_rho_delta(n[-1:], DELTA, LEVEL, RHO)[0])]
    *_, (refuted, at_delta, _) = follow(zip(refuting, sharp, strict=True), p, BATCH_SIZE)
    *_, (_, supported, undecided) = follow(zip(refuting, wide, strict=True), p, BATCH_SIZE)
    chances = {
        "REFUTED": refuted,
        "SUPPORTED below_delta": at_delta,
        "SUPPORTED below_rho_delta": supported - at_delta,
        "UNDECIDED": undecided,
    }
    return {verdict: min(max(chance, 0.0), 1.0) for verdict, chance in chances.items()}  # rounding may leave [0, 1]


def binomial_weights(n: int, p: Fraction) -> list[int]:
    """Chances of 0, 1, ..., n failures among n, exact, in units of 1 / denominator(p)^n; they sum to it."""
    a, b = p.numerator, p.denominator - p.numerator
    return [comb(n, k) * a**k * b ** (n - k) for k in range(n + 1)]


def binomial_band(n: int, p: Fraction | float, level: Fraction) -> tuple[int, int]:
    """Find the least and the greatest count among n whose tail, itself included, has a chance above level / 2.

    A count outside has probability at most `level`.

    Parameters
    ----------
    n : >= 1
    p : in [0, 1]
    level : in (0, 1)

    Raises
    ------
    ValueError : p outside [0, 1]
    """
    if not 0 <= p <= 1:
        raise ValueError(f"binomial_band: p must be in [0, 1], got p = {p}")
    exact = Fraction(p)
    weights = binomial_weights(n, exact)
    rare = exact.denominator**n * level / 2

    def first(counts: range) -> int:
        total, at = 0, iter(counts)
        while total <= rare:
            k = next(at)
            total += weights[k]
        return k

    return first(range(n + 1)), first(range(n, -1, -1))
