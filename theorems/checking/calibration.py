"""Is the court itself in order? Exact checks of its parts; for each there is a broken twin that it catches.

    decide      evidence -> verdict       its error rates, summed over every course the trials can take
    collect     keys -> evidence          the same whatever was stored before
    generator   key -> draws              other draws for any other key
    order       A <= B -> answer          right where rounding is not

Nothing here is sampled but the trials that `collect` walks through. The error rates are test-only: they are high, so
that few trials show what a broken rule does. What the shipped rates do is in `operating_characteristics`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from theorems.checking.bernoulli import Floats
from theorems.checking.budget import RELEASE_SEED, Allowance
from theorems.checking.judge import judge
from theorems.checking.keys import digest, generator
from theorems.checking.loewner import Side, decide_spectral
from theorems.checking.store import Series, Store
from theorems.checking.synthetic import coin
from theorems.checking.trials import collect
from theorems.statement import Answer, Finding, Trials, Verdict

DELTA, RHO = Fraction(1, 4), Fraction(3, 2)
ALLOWANCE = Allowance(refute=Fraction(1, 20), support=Fraction(1, 20))
HORIZON, LOOK_EVERY = 64, 4
UNSURE_TRIALS = 10  # enough for a verdict, and too few for a count to be in both tables
BATCHES, BATCH_SIZE = 16, 16
CODE = digest("calibration")  # these rows live in memory and serve no other run


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of the court that can be exchanged, with the signatures of the honest ones.

    Parameters
    ----------
    decide : `judge.judge`, on trials
    collect : `trials.collect`
    generator : `keys.generator`
    order : (K, Kt, lam, eps, side) -> one side of (1-eps)(K + lam I) <= Kt + lam I <= (1+eps)(K + lam I)
    """

    decide: Callable[..., Verdict]
    collect: Callable[..., tuple[Trials, float, list[str]]]
    generator: Callable[..., np.random.Generator]
    order: Callable[[Floats, Floats, float, float, Side], Answer]


def ladder(K: Floats, Kt: Floats, lam: float, eps: float, side: Side) -> Answer:
    """Answer as the Loewner ladder does; arguments as in `loewner.decide_spectral`."""
    return decide_spectral(K, Kt, lam, eps, side).answer


HONEST = Parts(decide=judge, collect=collect, generator=generator, order=ladder)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a court: the part, and what it did."""

    part: str
    says: str


def calibrate(parts: Parts) -> tuple[Fault, ...]:
    """Find what is wrong with a court; nothing, for the honest one."""
    return (
        *error_faults(parts.decide),
        *unsure_faults(parts.decide),
        *arrival_faults(parts.collect),
        *key_faults(parts.generator),
        *order_faults(parts.order),
    )


# ------------------------------------------------------------------------------------------- trials to verdict


@cache  # the broken twins share most of their parts
def error_rates(decide: Callable[..., Verdict]) -> dict[str, Fraction]:
    """Sum up exactly how often a rule ever errs, at the worst moment to stop.

    Parameters
    ----------
    decide : the rule; it looks every LOOK_EVERY trials, HORIZON trials long, at the test-only ALLOWANCE

    Returns
    -------
    what it wrongly says, and where -> the chance that it says so at any look; each should be at most 1/20
    """
    seen = {(n, S): _decided(decide, n, S, 0) for n in range(LOOK_EVERY, HORIZON + 1, LOOK_EVERY) for S in range(n + 1)}

    def ever(p: Fraction, wrong: Callable[[Verdict], bool]) -> Fraction:
        return _chance_of_hitting({at for at, verdict in seen.items() if wrong(verdict)}, p)

    return {
        "REFUTED at p = delta": ever(DELTA, lambda v: v.finding is Finding.REFUTED),
        "SUPPORTED below delta at p = delta": ever(DELTA, lambda v: _supported(v) and v.table == "below_delta"),
        "SUPPORTED at p = rho delta": ever(RHO * DELTA, _supported),
    }


def error_faults(decide: Callable[..., Verdict]) -> tuple[Fault, ...]:
    """Name the errors that a rule makes more often than it may."""
    most = max(ALLOWANCE.refute, ALLOWANCE.support)
    return tuple(
        Fault(part="decide", says=f"{error} with chance {float(chance):.4g}, promised at most {float(most):g}")
        for error, chance in error_rates(decide).items()
        if chance > most
    )


@cache
def unsure_faults(decide: Callable[..., Verdict]) -> tuple[Fault, ...]:
    """Name a verdict, if any, that rests on an UNSURE trial.

    UNSURE counts against both verdicts. So REFUTED stays when an unsure trial turns out to pass, and SUPPORTED
    stays when it turns out to fail.
    """
    n = UNSURE_TRIALS
    seen = {(S, U): _decided(decide, n, S, U).finding for S in range(n + 1) for U in range(n + 1 - S)}
    faults = []
    for finding, step, turned in ((Finding.REFUTED, 0, "passed"), (Finding.SUPPORTED, 1, "failed")):
        lost = [at for at, found in seen.items() if at[1] and found is finding]
        lost = [(S, U) for S, U in lost if seen[S + step, U - 1] is not finding]
        if lost:
            S, U = lost[0]
            says = f"{finding} on {S} failures and {U} unsure in {n} trials, but not had one unsure trial {turned}"
            faults.append(Fault(part="decide", says=says))
    return tuple(faults)


def _decided(decide: Callable[..., Verdict], n: int, S: int, U: int) -> Verdict:
    return decide(Trials(trials=n, failures=S, unsure=U), allowance=ALLOWANCE, delta=DELTA, rho=RHO)


def _supported(verdict: Verdict) -> bool:
    return verdict.finding is Finding.SUPPORTED


def _chance_of_hitting(wrong: set[tuple[int, int]], p: Fraction) -> Fraction:
    """Chance that the walk (n, S) is ever in `wrong`, by carrying the mass of those that never were; exact."""
    mass, hit = {0: Fraction(1)}, Fraction(0)
    for n in range(1, HORIZON + 1):
        after = dict.fromkeys(range(n + 1), Fraction(0))
        for S, chance in mass.items():
            after[S] += chance * (1 - p)
            after[S + 1] += chance * p
        hit += sum(chance for S, chance in after.items() if (n, S) in wrong)
        mass = {S: chance for S, chance in after.items() if (n, S) not in wrong}
    return hit


# ----------------------------------------------------------------------------------------------- keys to trials


def arrival_faults(collect: Callable[..., tuple[Trials, float, list[str]]]) -> tuple[Fault, ...]:
    """Name the difference, if any, that stored evidence makes.

    Half of the batches are asked for, once from an empty store and once from one that already holds later batches,
    those with the fewest failures: what a run leaves whose kind batches happened to be the fast ones.
    """
    batches = coin(DELTA, BATCH_SIZE)
    series = Series(
        statement="calibration",
        instance=digest(DELTA),
        stream="evidence",
        seed=RELEASE_SEED,
        batch_size=BATCH_SIZE,
        size=batches.size,
        code=CODE,
    )

    def walk(store: Store, budget: int) -> Trials:
        counts, _, _ = collect(
            batches,
            statement=series.statement,
            instance_digest=series.instance,
            stream=series.stream,
            seed=series.seed,
            code=series.code,
            store=store,
            decide=lambda _: False,
            budget=budget,
        )
        return counts

    half = BATCHES // 2
    with Store.memory() as full, Store.memory() as empty, Store.memory() as partial:
        walk(full, BATCHES * BATCH_SIZE)
        later = [row for i in range(half, BATCHES) if (row := full.find(series, i)) is not None]
        for row in sorted(later, key=lambda row: row.failures)[: half // 2]:
            partial.insert(series, row)
        fresh, resumed = walk(empty, half * BATCH_SIZE), walk(partial, half * BATCH_SIZE)
    if fresh == resumed:
        return ()
    says = f"{fresh.failures} failures in {fresh.trials} trials from an empty store, {resumed.failures} in "
    return (Fault(part="collect", says=f"{says}{resumed.trials} after later batches were stored"),)


def key_faults(generator: Callable[..., np.random.Generator]) -> tuple[Fault, ...]:
    """Name the parts of a key that do not matter to the draws."""
    key: dict[str, Any] = dict(statement="a", instance="0" * 64, stream="search", seed=0, batch_size=1, index=0)
    other: dict[str, Any] = dict(statement="b", instance="1" * 64, stream="confirm", seed=1, batch_size=2, index=1)

    def words(**parts: Any) -> list[int]:
        drawn: list[int] = generator(**parts).bit_generator.random_raw(4).tolist()
        return drawn

    first = words(**key)
    faults = [
        Fault(part="generator", says=f"equal draws for {name} = {key[name]!r} and {value!r}")
        for name, value in other.items()
        if words(**{**key, name: value}) == first
    ]
    if words(**key) != first:
        faults.append(Fault(part="generator", says="one key gives different draws"))
    return tuple(faults)


# -------------------------------------------------------------------------------------------------- matrices


@dataclass(frozen=True, kw_only=True, eq=False)
class NastyMatrix:
    """A lower side Kt + lam I - (1 - eps)(K + lam I) on the edge of positive semidefinite, with its exact truth.

    Parameters
    ----------
    K, Kt : (n, n) float64, symmetric, each the number it stores
    because : what misleads floats
    """

    name: str
    K: Floats
    Kt: Floats
    lam: float
    eps: float
    truth: Answer
    because: str


def _scalar(text: str) -> Floats:
    return np.array([[float.fromhex(text)]])


NASTY = (
    NastyMatrix(
        name="scalar below the line",
        K=_scalar("0x1.2899df8f3ba6ep+0"),
        Kt=_scalar("0x1.09a934b93ace8p+0"),
        lam=0.05,
        eps=0.1,
        truth=Answer.OUT,
        because="the difference is -1.97e-17, and exactly 0 in floats",
    ),
    NastyMatrix(
        name="scalar above the line",
        K=_scalar("0x1.447b84902aa91p+0"),
        Kt=_scalar("0x1.62a0721351be1p-1"),
        lam=0.01,
        eps=0.45,
        truth=Answer.IN,
        because="the difference is 1.03e-17, and negative in floats",
    ),
    NastyMatrix(
        name="exactly singular",
        K=np.array([[65.0, 2, 3, 4], [2, 68, 6, 8], [3, 6, 73, 12], [4, 8, 12, 80]]),
        Kt=np.array([[59.5, -8.5, 2.25, -6], [-8.5, 60.75, 5.5, 14], [2.25, 5.5, 72.5, 1], [-6, 14, 1, 70.75]]),
        lam=1.0,
        eps=0.25,
        truth=Answer.IN,
        because="B B^T with a 4 x 3 integer B: its least eigenvalue is 0, and of either sign in floats",
    ),
)


def order_faults(order: Callable[[Floats, Floats, float, float, Side], Answer]) -> tuple[Fault, ...]:
    """Name the nasty matrices that are not decided rightly."""
    answers = [(nasty, order(nasty.K, nasty.Kt, nasty.lam, nasty.eps, "lower")) for nasty in NASTY]
    return tuple(
        Fault(part="order", says=f"{nasty.name}: {answer.name}, truth {nasty.truth.name}; {nasty.because}")
        for nasty, answer in answers
        if answer is not nasty.truth
    )
