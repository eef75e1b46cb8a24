"""Broken twins of the court: each part of it once replaced by a mistake that people make, named by it.

They are shipped on purpose. A calibration that catches none of them would say nothing about the honest court;
`theorems doctor --calibrate` shows each caught.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, nan
from typing import Any

import numpy as np

from theorems.checking import keys
from theorems.checking.bernoulli import Floats
from theorems.checking.budget import Allowance
from theorems.checking.calibration import HONEST, Parts
from theorems.checking.judge import judge
from theorems.checking.loewner import Side
from theorems.checking.store import Series, Store
from theorems.checking.synthetic import binomial_weights
from theorems.checking.trials import run_batch
from theorems.statement import Answer, Experiment, Finding, Trials, Verdict


@dataclass(frozen=True, kw_only=True)
class Poison:
    """The honest court with one part replaced."""

    name: str
    parts: Parts


def always_supported(evidence: Trials, *, allowance: Allowance, delta: Fraction, rho: Fraction) -> Verdict:
    """Call everything SUPPORTED; arguments of this and the next three as in `judge.judge`."""
    says = f"{evidence.trials} trials against {delta}, resolution {rho}"
    return Verdict(finding=Finding.SUPPORTED, because=says, alpha=float(allowance.support), table="below_delta")


def alpha_off_by_ten(evidence: Trials, *, allowance: Allowance, delta: Fraction, rho: Fraction) -> Verdict:
    """Judge at ten times the error rates."""
    tenfold = Allowance(refute=10 * allowance.refute, support=10 * allowance.support)
    return judge(evidence, allowance=tenfold, delta=delta, rho=rho)


def peeking_clopper_pearson(evidence: Trials, *, allowance: Allowance, delta: Fraction, rho: Fraction) -> Verdict:
    """Judge by the exact binomial test for a fixed number of trials, though it is asked at every look."""
    n, failed = evidence.trials, evidence.failures
    counted = failed + evidence.unsure
    finding, table = Finding.UNDECIDED, ""
    if tail(n, range(failed, n + 1), delta) <= allowance.refute:
        finding, table = Finding.REFUTED, "above_delta"
    elif tail(n, range(counted + 1), delta) <= allowance.support:
        finding, table = Finding.SUPPORTED, "below_delta"
    elif tail(n, range(counted + 1), rho * delta) <= allowance.support:
        finding, table = Finding.SUPPORTED, "below_rho_delta"
    return Verdict(finding=finding, because=f"{failed} of {n}", alpha=float(allowance.refute), table=table)


def tail(n: int, counts: range, p: Fraction) -> Fraction:
    """Chance that n trials have a number of failures in `counts`."""
    weights = binomial_weights(n, p)
    return Fraction(sum(weights[k] for k in counts), p.denominator**n)


def skipped_unsure(evidence: Trials, *, allowance: Allowance, delta: Fraction, rho: Fraction) -> Verdict:
    """Judge the trials that gave an answer, as if there had been no others."""
    answered = Trials(trials=evidence.trials - evidence.unsure, failures=evidence.failures, unsure=0)
    return judge(answered, allowance=allowance, delta=delta, rho=rho)


def arrival_order(
    experiment: Experiment,
    *,
    statement: str,
    instance_digest: str,
    stream: str,
    seed: int,
    code: str,
    store: Store,
    decide: Callable[[Trials], bool],
    budget: int,
) -> tuple[Trials, float, list[str]]:
    """Count first what is stored already, then what is missing; arguments as in `trials.collect`."""
    series = Series(
        statement=statement,
        instance=instance_digest,
        stream=stream,
        seed=seed,
        batch_size=experiment.batch_size,
        size=experiment.size,
        code=code,
    )
    wanted = ceil(budget / experiment.batch_size)
    arrived = sorted(range(2 * wanted), key=lambda index: store.find(series, index) is None)[:wanted]
    counts = Trials(trials=0, failures=0, unsure=0)
    while arrived and not decide(counts):
        index = arrived.pop(0)
        row = store.find(series, index) or run_batch(
            experiment,
            statement=statement,
            instance_digest=instance_digest,
            stream=stream,
            seed=seed,
            index=index,
            canary=False,
        )
        store.insert(series, row)
        counts = Trials(
            trials=counts.trials + row.trials,
            failures=counts.failures + row.failures,
            unsure=counts.unsure + row.unsure,
        )
    return counts, nan, []


def reused_seeds(*, stream: str, **key: Any) -> np.random.Generator:
    """Confirm what a search found on the very draws that it searched; arguments as in `keys.generator`."""
    return keys.generator(stream=stream.replace("confirm", "search"), **key)


def bare_eigenvalue(K: Floats, Kt: Floats, lam: float, eps: float, side: Side) -> Answer:
    """Compare the least eigenvalue in floats with 0; arguments as in `loewner.decide_spectral`."""
    identity = np.eye(len(K))
    sign = 1 if side == "lower" else -1
    M = sign * ((Kt + lam * identity) - (1 - sign * eps) * (K + lam * identity))
    return Answer.IN if np.linalg.eigvalsh(M)[0] >= 0 else Answer.OUT


POISONS = (
    Poison(name="always SUPPORTED", parts=replace(HONEST, decide=always_supported)),
    Poison(name="alpha off by ten", parts=replace(HONEST, decide=alpha_off_by_ten)),
    Poison(name="peeking Clopper-Pearson", parts=replace(HONEST, decide=peeking_clopper_pearson)),
    Poison(name="skipped UNSURE", parts=replace(HONEST, decide=skipped_unsure)),
    Poison(name="arrival order", parts=replace(HONEST, collect=arrival_order)),
    Poison(name="reused confirm seeds", parts=replace(HONEST, generator=reused_seeds)),
    Poison(name="bare eigvalsh", parts=replace(HONEST, order=bare_eigenvalue)),
)
