"""The court: one statement, or one of its twins, on one instance, from hypotheses to record.

A true statement and its twins run through the same code; only the budget they spend differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, isfinite, isnan

from theorems.checking import budget
from theorems.checking.bernoulli import confidence_sequence
from theorems.checking.claims import decide
from theorems.checking.events import Event, exact_failure
from theorems.checking.exact_probability import least_size
from theorems.checking.judge import judge, settled
from theorems.checking.keys import digest, generator
from theorems.checking.layers import look
from theorems.checking.records import Hearing, outward, record
from theorems.checking.source import code_digest
from theorems.checking.store import Store
from theorems.checking.trials import collect
from theorems.statement import (
    BrokenTwin,
    Comparisons,
    Conclusion,
    Evidence,
    ExactProbability,
    Expectation,
    Finding,
    ForEach,
    HighProbability,
    HypothesisNotMet,
    Instance,
    Rate,
    Record,
    Statement,
    Verdict,
    Wealth,
)

CURVE = tuple(Fraction(2) ** k for k in range(-6, 2))  # sizes of the failure curve, in units of the size asked
CURVE_TRIALS = 512
CURVE_LEVEL = Fraction(1, 1000)  # of the error bars; they decide nothing
LEAST_SIZE_WINDOW = 64  # sizes above the least one that are checked to work: failure probabilities are sawtooth


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """What one run of the court shares.

    Parameters
    ----------
    seed : of every key
    campaign : 1 for the release seed, else the number the user's store gave this seed and code
    budget : most trials of one record
    code : digest of the source that judges
    """

    seed: int
    campaign: int
    budget: int
    code: str = field(default_factory=code_digest)


def hear(statement: Statement, instance: Instance, *, place: int, nth: int, sitting: Sitting, store: Store) -> Record:
    """Judge a statement on one instance.

    Parameters
    ----------
    place, nth : positions of the statement in the catalogue and of the instance in its list, from 1; they pay

    Raises
    ------
    HypothesisNotMet : the instance lies outside the theorem; the message lists every fault
    """
    _require(statement.violated(instance), statement.id, instance)
    allowance = budget.for_statement(statement=place, instance=nth, campaign=sitting.campaign)
    name = statement.id
    hearing = _hear(name, statement, statement.conclusion, instance, allowance, sitting, store)
    return record(statement, None, instance, hearing, seed=sitting.seed)


def hear_twin(
    statement: Statement, twin: BrokenTwin, *, place: int, nth: int, sitting: Sitting, store: Store
) -> Record:
    """Judge a broken twin on the instance that should refute it; positions as in `hear`.

    Raises
    ------
    HypothesisNotMet : the instance breaks a hypothesis that the twin does not drop
    """
    _require(
        statement.violated(twin.refuted_on, without=twin.without),
        f"{statement.id}/{twin.name}",
        twin.refuted_on,
    )
    allowance = budget.for_twin(statement=place, twin=nth, campaign=sitting.campaign)
    name = f"{statement.id}/{twin.name}"
    hearing = _hear(name, statement, twin.conclusion, twin.refuted_on, allowance, sitting, store)
    return record(statement, twin, twin.refuted_on, hearing, seed=sitting.seed)


def _require(faults: Sequence[str], name: str, instance: Instance) -> None:
    if faults:
        raise HypothesisNotMet(f"{name} on {instance.name}: " + "; ".join(faults))


def _hear(
    name: str,
    statement: Statement,
    conclusion: Conclusion,
    instance: Instance,
    allowance: budget.Allowance,
    sitting: Sitting,
    store: Store,
) -> Hearing:
    if isinstance(conclusion, HighProbability):
        return _hear_probability(name, statement, conclusion, instance, allowance, sitting, store)
    evidence: Evidence
    match conclusion:
        case ForEach() | Expectation():
            evidence = Comparisons(all=tuple(decide(c) for c in conclusion.claims(instance)))
        case Rate():
            evidence = conclusion.measure(instance)
        case _:
            evidence = conclusion.count(instance)
    facts = conclusion.facts if isinstance(conclusion, ForEach | Rate) else None
    return Hearing(
        verdict=judge(evidence, allowance=allowance),
        evidence=evidence,
        measured={} if facts is None else dict(facts(instance)),
    )


def _hear_probability(
    name: str,
    statement: Statement,
    conclusion: HighProbability,
    instance: Instance,
    allowance: budget.Allowance,
    sitting: Sitting,
    store: Store,
) -> Hearing:
    asked, delta, rho = conclusion.size(instance), conclusion.delta(instance), statement.rho
    construction = conclusion.construction(instance, asked)
    measured: dict[str, float | int | str] = {"m asked": asked, **construction.facts}
    instance_digest = digest(instance)
    event_allowance = allowance.part(1) if statement.layers else allowance
    exact = exact_failure(construction)
    evidence: Evidence
    slack, slack_says = None, ""
    if exact is not None:
        evidence = ExactProbability(failure=exact)
        least = _least_size(conclusion, instance, asked, delta)
        if least is not None:
            measured["least m"] = least
            slack, slack_says = outward(Fraction(asked, least)), "m asked / least m found to work, with the next 64"
    else:
        evidence, stress, errors = collect(
            Event(construction=construction),
            statement=name,
            instance_digest=instance_digest,
            stream="evidence",
            seed=sitting.seed,
            code=sitting.code,
            store=store,
            decide=lambda seen: settled(seen, delta=delta, allowance=event_allowance),
            budget=sitting.budget,
        )
        if errors:
            measured["first error"] = errors[0]
        if isfinite(stress) and stress > 0:
            slack, slack_says = outward(1 / Fraction(stress)), f"1 / largest {conclusion.stress} observed"
    verdict = judge(evidence, allowance=event_allowance, delta=delta, rho=rho)
    layers = [{"name": "event", "finding": verdict.finding.value, "because": verdict.because}]
    for k, layer in enumerate(statement.layers, start=2):
        rng = generator(
            statement=name,
            instance=instance_digest,
            stream=f"layer {layer.value}",
            seed=sitting.seed,
            batch_size=1,
            index=0,
        )
        seen = look(layer, construction, rng)
        if seen is None:
            continue
        found = judge(seen, allowance=allowance.part(k), delta=delta, rho=rho)
        # an e-value can only accuse; that it does not is no lack of a decision
        quiet = isinstance(seen, Wealth) and found.finding is Finding.UNDECIDED and not isnan(seen.log_e)
        layers.append(
            {
                "name": layer.value,
                "finding": "quiet" if quiet else found.finding.value,
                "because": found.because,
            }
        )
        if not quiet and _graver(found, verdict):
            verdict = found
    return Hearing(
        verdict=verdict,
        evidence=evidence,
        delta=delta,
        slack=slack,
        slack_says=slack_says,
        batch_size=construction.batch_size,
        measured=measured,
        layers=layers,
        curve=_curve(name, conclusion, instance, instance_digest, asked, sitting, store) if instance.curve else [],
    )


def _graver(found: Verdict, than: Verdict) -> bool:
    """Whether what a layer found overrules: a refutation does, and so does indecision where all else is well."""
    if found.finding is Finding.REFUTED:
        return than.finding is not Finding.REFUTED
    return found.finding is Finding.UNDECIDED and than.finding is Finding.SUPPORTED


def _least_size(conclusion: HighProbability, instance: Instance, asked: int, delta: Fraction) -> int | None:
    """Least m from which on the claim works, exactly; None when even the size asked does not."""

    def fails(m: int) -> bool:
        failure = exact_failure(conclusion.construction(instance, m))
        return failure is None or failure.upper > delta

    return None if fails(asked) else least_size(fails, asked, LEAST_SIZE_WINDOW)


def _curve(
    name: str,
    conclusion: HighProbability,
    instance: Instance,
    instance_digest: str,
    asked: int,
    sitting: Sitting,
    store: Store,
) -> list[dict[str, float | int | str]]:
    """Failure probability against size, exact where enumeration is known and sampled everywhere; decides nothing."""
    points: list[dict[str, float | int | str]] = []
    for c in CURVE:
        m = max(1, ceil(c * asked))
        construction = conclusion.construction(instance, m)
        exact = exact_failure(construction)
        common: dict[str, float | int | str] = {"c": float(c), "m": m}
        if exact is not None:
            low, high = float(exact.lower), float(exact.upper)
            points.append(
                {
                    **common,
                    "kind": "exact",
                    "lower": low,
                    "upper": high,
                    "estimate": high,
                    "trials": 0,
                    "failures": 0,
                }
            )
        seen, _, _ = collect(
            Event(construction=construction),
            statement=name,
            instance_digest=instance_digest,
            stream=f"curve at {m}",  # a stream of its own, so that neighbouring sizes share no draws
            seed=sitting.seed,
            code=sitting.code,
            store=store,
            decide=lambda _: False,
            budget=CURVE_TRIALS,
        )
        counted = seen.failures + seen.unsure
        low, high = confidence_sequence(counted, seen.trials, CURVE_LEVEL)
        points.append(
            {
                **common,
                "kind": "sampled",
                "lower": low,
                "upper": high,
                "estimate": counted / seen.trials,
                "trials": seen.trials,
                "failures": counted,
            }
        )
    return points
