"""A verdict with all its words: one line of the report, readable without this program."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import Literal

from theorems.checking.keys import digest
from theorems.statement import (
    BrokenTwin,
    Comparisons,
    Enclosure,
    Evidence,
    ExactProbability,
    Finding,
    Instance,
    Record,
    Statement,
    Trials,
    Verdict,
)

MAX_EXPONENT = 10**6  # of the decimals shown; failure probabilities stop far above 1e-1000000


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """What a record needs besides words: the evidence and what was measured on the way."""

    verdict: Verdict
    evidence: Evidence
    delta: Fraction | None = None
    slack: float | None = None
    slack_says: str = ""
    batch_size: int = 0
    measured: dict[str, float | int | str] = field(default_factory=dict)
    layers: list[dict[str, str]] = field(default_factory=list)
    curve: list[dict[str, float | int | str]] = field(default_factory=list)


def outward(slack: Fraction) -> float:
    """Rounded down to three significant digits: slack is never overstated."""
    return float(_quotient(slack, 3, ROUND_FLOOR))


def record(
    statement: Statement,
    twin: BrokenTwin | None,
    instance: Instance,
    hearing: Hearing,
    *,
    seed: int,
) -> Record:
    """Put a hearing into words."""
    expected = statement.expected if twin is None else Finding.REFUTED
    verdict, evidence = hearing.verdict, hearing.evidence
    counts = evidence if isinstance(evidence, Trials) else Trials(trials=0, failures=0, unsure=0)
    failure = evidence.failure if isinstance(evidence, ExactProbability) else None
    comparisons = evidence.all if isinstance(evidence, Comparisons) else ()
    name = statement.id if twin is None else f"{statement.id}/{twin.name}"
    return Record(
        id=f"{name}@{instance.name}",
        statement=statement.id,
        number=statement.number,
        twin=None if twin is None else twin.name,
        instance=instance.name,
        instance_says=instance.says,
        instance_digest=digest(instance),
        claim=statement.plainly if twin is None else twin.because,
        verdict=verdict.finding.value,
        expected=expected.value,
        as_declared=verdict.finding is expected,
        because=verdict.because,
        evidence=_kind(evidence),
        trials=counts.trials,
        failures=counts.failures,
        unsure=counts.unsure,
        probability=None if failure is None else _digits(failure),
        alpha=verdict.alpha,
        delta=None if hearing.delta is None else float(hearing.delta),
        rho=float(statement.rho) if verdict.table == "below_rho_delta" else None,
        table=verdict.table,
        excluded=verdict.excluded,
        price=verdict.price,
        seed=seed,
        batch_size=hearing.batch_size,
        slack=hearing.slack,
        slack_says=hearing.slack_says,
        fault=_fault(statement, twin, verdict, expected, counts.unsure),
        measured=hearing.measured,
        comparisons=[
            {
                "says": c.says,
                "answer": c.answer.name,
                "seen": c.seen,
                "allowed": c.allowed,
                "certificate": c.certificate,
            }
            for c in comparisons
        ],
        layers=hearing.layers,
        curve=hearing.curve,
    )


def _kind(evidence: Evidence) -> Literal["exact", "trials", "comparisons", "slope"]:
    match evidence:
        case ExactProbability():
            return "exact"
        case Trials():
            return "trials"
        case Comparisons():
            return "comparisons"
        case _:
            return "slope"


def _digits(failure: Enclosure) -> tuple[str, str]:
    """Six significant digits of both ends, rounded outward; small ones do not underflow."""
    lower, upper = _quotient(failure.lower, 6, ROUND_FLOOR), _quotient(failure.upper, 6, ROUND_CEILING)
    return f"{lower:.5e}" if lower else "0", f"{upper:.5e}" if upper else "0"


def _quotient(x: Fraction, digits: int, rounding: str) -> Decimal:
    context = Context(prec=digits, rounding=rounding, Emin=-MAX_EXPONENT, Emax=MAX_EXPONENT)
    return context.divide(Decimal(x.numerator), Decimal(x.denominator))


def _fault(statement: Statement, twin: BrokenTwin | None, verdict: Verdict, expected: Finding, unsure: int) -> str:
    """Whose fault an undeclared finding can be."""
    if verdict.finding is expected:
        return ""
    if verdict.finding is Finding.UNDECIDED:
        why = f"{unsure} trials were unsure or crashed" if unsure else "nothing was decided"
        return f"nobody's yet: {why}"
    if verdict.finding is Finding.VACUOUS:
        return "the instance: the statement says nothing about it"
    if twin is not None:
        return "the harness: a false sentence survived, so its checks are blind on this instance"
    if verdict.finding is Finding.SUPPORTED:
        return "the statement's record: it declares a refutation that was not found"
    chance = f"chance alone does this with probability at most {verdict.alpha:.3g}" if verdict.alpha else "not chance"
    constant = "" if statement.constant == "explicit" else f" (its constant is {statement.constant})"
    return f"the statement{constant}, its reference objects or the sampler; {chance}"
