"""The court: one statement, or one of its twins, on one instance, from hypotheses to record.

A true statement and its twins run through the same code; only the budget they spend differs. What the statement
provides is asked for under guard: where it crashes, hangs or contradicts itself the record is UNDECIDED and says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import ceil, isfinite, isnan
from typing import TypeVar

from theorems.checking import budget, facets
from theorems.checking.bernoulli import confidence_sequence
from theorems.checking.claims import decide
from theorems.checking.deadline import DEADLINE, check_deadline
from theorems.checking.events import Event, exact_failure
from theorems.checking.exact_probability import least_size
from theorems.checking.guard import NoAnswer, answered
from theorems.checking.judge import judge, settled
from theorems.checking.keys import digest, generator
from theorems.checking.layers import look
from theorems.checking.records import Hearing, outward, record
from theorems.checking.source import code_digest
from theorems.checking.store import Store
from theorems.checking.trials import CutShort, collect
from theorems.statement import (
    BrokenTwin,
    Comparisons,
    Conclusion,
    Construction,
    Cost,
    Enclosure,
    Evidence,
    ExactProbability,
    Expectation,
    Finding,
    ForEach,
    HighProbability,
    HypothesisNotMet,
    Instance,
    Layer,
    Rate,
    Record,
    Statement,
    Trials,
    Verdict,
    Wealth,
)

T = TypeVar("T")

CURVE = tuple(Fraction(2) ** k for k in range(-6, 2))  # sizes of the failure curve, in units of the size asked
CURVE_TRIALS = 512
CURVE_LEVEL = Fraction(1, 1000)  # of the error bars; they decide nothing
LEAST_SIZE_WINDOW = (64, 512)  # least and most sizes above the least one that are checked to work


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """What one run of the court shares.

    Parameters
    ----------
    seed : of every key
    campaign : 1 for the release seed, else the number the user's store gave this seed and code
    budget : most trials of one record
    code : digest of the source that judges
    deadline : seconds for one run of a batch, and for each other thing that a statement is asked for
    """

    seed: int
    campaign: int
    budget: int
    code: str = field(default_factory=code_digest)
    deadline: float = DEADLINE

    def __post_init__(self) -> None:
        check_deadline("Sitting(deadline)", self.deadline)


@dataclass(frozen=True, kw_only=True)
class _Matter:
    """What is before the court: one sentence on one instance, and what it may spend.

    Parameters
    ----------
    name : of the statement, or of the statement and its twin
    without : the hypotheses that a twin drops
    """

    name: str
    statement: Statement
    conclusion: Conclusion
    instance: Instance
    without: tuple[str, ...] = ()
    allowance: budget.Allowance
    sitting: Sitting
    store: Store

    @cached_property
    def digest(self) -> str:
        """Of the instance, for its keys."""
        return digest(self.instance)

    def require_untouched(self, before: str) -> None:
        """Refuse an answer from a statement that has written into its instance."""
        if digest(self.instance) != before:
            raise NoAnswer("the instance was written into while it was judged: its fields are read only")

    def ask(self, what: str, task: Callable[[], T]) -> T:
        """Ask the statement for something; errors as in `guard.answered`."""
        return answered(what, task, deadline=self.sitting.deadline)

    def built(self, conclusion: HighProbability, m: int) -> tuple[Construction, Enclosure | None]:
        """The construction at size m, and how likely it fails where that can be enumerated."""

        def build() -> tuple[Construction, Enclosure | None]:
            construction = facets.consistent(conclusion.construction(self.instance, m), m)
            return construction, exact_failure(construction)

        return self.ask(f"construction at {m}", build)

    def trials(
        self, construction: Construction, *, stream: str, decide: Callable[[Trials], bool], budget: int
    ) -> tuple[Trials, float, list[str]]:
        """Counts, stress and errors of the trials of one stream, see `trials.collect`."""
        return collect(
            Event(construction=construction),
            statement=self.name,
            instance_digest=self.digest,
            stream=stream,
            seed=self.sitting.seed,
            code=self.sitting.code,
            store=self.store,
            decide=decide,
            budget=budget,
            deadline=self.sitting.deadline,
        )

    def undecided(self, why: object) -> Verdict:
        """What is said where an answer is missing."""
        return Verdict(
            finding=Finding.UNDECIDED,
            because=f"{self.name} on {self.instance.name}: {why}",
            alpha=0.0,
            price="an answer: mend the statement, or wait longer where it timed out",
        )


def hear(statement: Statement, instance: Instance, *, place: int, nth: int, sitting: Sitting, store: Store) -> Record:
    """Judge a statement on one instance.

    Parameters
    ----------
    place, nth : positions of the statement in the catalogue and of the instance in its list, from 1; they pay

    Raises
    ------
    HypothesisNotMet : the instance lies outside the theorem; the message lists every fault
    MemoryError, KeyboardInterrupt, and what the store raises
    """
    matter = _Matter(
        name=statement.id,
        statement=statement,
        conclusion=statement.conclusion,
        instance=instance,
        allowance=budget.for_statement(statement=place, instance=nth, campaign=sitting.campaign),
        sitting=sitting,
        store=store,
    )
    return record(statement, None, instance, _hear(matter), seed=sitting.seed)


def hear_twin(
    statement: Statement, twin: BrokenTwin, *, place: int, nth: int, sitting: Sitting, store: Store
) -> Record:
    """Judge a broken twin on the instance that should refute it; positions and errors as in `hear`.

    Raises
    ------
    HypothesisNotMet : the instance breaks a hypothesis that the twin does not drop
    """
    matter = _Matter(
        name=f"{statement.id}/{twin.name}",
        statement=statement,
        conclusion=twin.conclusion,
        instance=twin.refuted_on,
        without=twin.without,
        allowance=budget.for_twin(statement=place, twin=nth, campaign=sitting.campaign),
        sitting=sitting,
        store=store,
    )
    return record(statement, twin, twin.refuted_on, _hear(matter), seed=sitting.seed)


def hear_nominee(
    statement: Statement,
    twin: BrokenTwin | None,
    instance: Instance,
    *,
    allowance: budget.Allowance,
    sitting: Sitting,
    store: Store,
) -> Record:
    """Judge a statement, or a twin, on an instance that a search proposed: by fresh trials, as if nothing were known.

    Parameters
    ----------
    allowance : from `budget.for_nomination`

    Raises
    ------
    HypothesisNotMet : the instance breaks a hypothesis that is kept
    """
    matter = _Matter(
        name=statement.id if twin is None else f"{statement.id}/{twin.name}",
        statement=statement,
        conclusion=statement.conclusion if twin is None else twin.conclusion,
        instance=instance,
        without=() if twin is None else twin.without,
        allowance=allowance,
        sitting=sitting,
        store=store,
    )
    return record(statement, twin, instance, _hear(matter), seed=sitting.seed)


def _hear(matter: _Matter) -> Hearing:
    conclusion, x, before = matter.conclusion, matter.instance, matter.digest
    try:
        faults = matter.ask("hypotheses", lambda: matter.statement.violated(x, without=matter.without))
        if faults:
            raise HypothesisNotMet(f"{matter.name} on {x.name}: " + "; ".join(faults))
        if isinstance(conclusion, HighProbability):
            hearing = _hear_probability(matter, conclusion)
        else:
            hearing = _hear_relations(matter, conclusion)
        matter.require_untouched(before)
    except NoAnswer as error:
        nothing = Trials(trials=0, failures=0, unsure=0)
        return Hearing(
            verdict=matter.undecided(error),
            evidence=nothing if isinstance(conclusion, HighProbability) else Comparisons(all=()),
            measured={"first error": str(error)},
        )
    return hearing


def _hear_relations(matter: _Matter, conclusion: ForEach | Expectation | Rate | Cost) -> Hearing:
    x = matter.instance
    evidence: Evidence
    match conclusion:
        case ForEach() | Expectation():
            claims = conclusion.claims
            evidence = matter.ask("claims", lambda: Comparisons(all=tuple(decide(c) for c in claims(x))))
        case Rate():
            evidence = matter.ask("measure", lambda: facets.slope(conclusion.measure(x)))
        case _:
            evidence = matter.ask("count", lambda: facets.slope(conclusion.count(x)))
    facts = conclusion.facts if isinstance(conclusion, ForEach | Rate) else None
    return Hearing(
        verdict=judge(evidence, allowance=matter.allowance),
        evidence=evidence,
        measured={} if facts is None else matter.ask("facts", lambda: facets.displayed(facts(x))),
    )


def _hear_probability(matter: _Matter, conclusion: HighProbability) -> Hearing:
    x, statement = matter.instance, matter.statement
    asked = matter.ask("size", lambda: facets.whole_size(conclusion.size(x)))
    delta = matter.ask("delta", lambda: facets.promise(conclusion.delta(x)))
    construction, exact = matter.built(conclusion, asked)
    measured: dict[str, float | int | str] = {"m asked": asked, **construction.facts}
    allowance = matter.allowance.part(1) if statement.layers else matter.allowance
    evidence: Evidence
    slack, slack_says = None, ""
    if exact is not None:
        evidence = ExactProbability(failure=exact)
        verdict = judge(evidence, allowance=allowance, delta=delta)
        if _cannot_fail(matter, conclusion, exact):
            because = "P[fail] = 0, and so for a single draw: the conclusion cannot fail on this instance"
            verdict = Verdict(finding=Finding.VACUOUS, because=because, alpha=0.0)
        window = _window(construction)
        least = _least_size(matter, conclusion, asked, delta, window)
        if least is not None:
            measured["least m"] = least
            slack = outward(Fraction(asked, least))
            slack_says = f"m asked / least m found to work, with the next {window}"
    else:
        evidence, stress, errors = matter.trials(
            construction,
            stream="evidence",
            decide=lambda seen: settled(seen, delta=delta, allowance=allowance),
            budget=matter.sitting.budget,
        )
        verdict = judge(evidence, allowance=allowance, delta=delta, rho=statement.rho)
        if errors:
            measured["first error"] = errors[0]
        if isinstance(evidence, CutShort):  # few unsure trials would not keep it from being green
            verdict = matter.undecided(f"{verdict.because}; {errors[-1]}")
        if isfinite(stress) and stress > 0:
            slack, slack_says = outward(1 / Fraction(stress)), f"1 / largest {conclusion.stress} observed"
    layers = [{"name": "event", "finding": verdict.finding.value, "because": verdict.because}]
    for k, layer in enumerate(statement.layers, start=2):
        looked = _look(matter, layer, construction, matter.allowance.part(k))
        if looked is None:
            continue
        found, quiet = looked
        layers.append(
            {"name": layer.value, "finding": "quiet" if quiet else found.finding.value, "because": found.because}
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
        curve=_curve(matter, conclusion, asked) if x.curve else [],
    )


def _look(
    matter: _Matter, layer: Layer, construction: Construction, allowance: budget.Allowance
) -> tuple[Verdict, bool] | None:
    """What one layer found and whether that is nothing; None where it has nothing to look at."""
    rng = generator(
        statement=matter.name,
        instance=matter.digest,
        stream=f"layer {layer.value}",
        seed=matter.sitting.seed,
        batch_size=1,
        index=0,
    )
    try:
        seen = matter.ask(layer.value, lambda: look(layer, construction, rng))
    except NoAnswer as error:
        return matter.undecided(error), False
    if seen is None:
        return None
    found = judge(seen, allowance=allowance)
    # an e-value can only accuse; that it does not is no lack of a decision
    return found, isinstance(seen, Wealth) and found.finding is Finding.UNDECIDED and not isnan(seen.log_e)


def _graver(found: Verdict, than: Verdict) -> bool:
    """Whether what a layer found overrules: a refutation does, and so does indecision where all else is well."""
    if found.finding is Finding.REFUTED:
        return than.finding is not Finding.REFUTED
    return found.finding is Finding.UNDECIDED and than.finding is Finding.SUPPORTED


def _cannot_fail(matter: _Matter, conclusion: HighProbability, exact: Enclosure) -> bool:
    """Whether the conclusion is trivially true: it holds for certain at the size asked and already at m = 1."""
    if exact.upper > 0:
        return False
    _, alone = matter.built(conclusion, 1)
    return alone is not None and alone.upper == 0


def _window(construction: Construction) -> int:
    """Give how many sizes to look ahead: failure is sawtooth in m, and its longest tooth is 1 / the rarest mass."""
    fewest, most = LEAST_SIZE_WINDOW
    masses = [p for p in construction.box.law if p] if construction.box is not None else []
    return min(max(fewest, ceil(1 / min(masses, default=Fraction(1)))), most)


def _least_size(matter: _Matter, conclusion: HighProbability, asked: int, delta: Fraction, window: int) -> int | None:
    """Least m from which on the claim works, exactly; None when even the size asked does not."""

    def fails(m: int) -> bool:
        _, failure = matter.built(conclusion, m)
        return failure is None or failure.upper > delta

    return None if fails(asked) else least_size(fails, asked, window)


def _curve(matter: _Matter, conclusion: HighProbability, asked: int) -> list[dict[str, float | int | str]]:
    """Failure probability against size, exact where enumeration is known and sampled everywhere; decides nothing."""
    points: list[dict[str, float | int | str]] = []
    for c in CURVE:
        m = max(1, ceil(c * asked))
        construction, exact = matter.built(conclusion, m)
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
        seen, _, errors = matter.trials(
            construction,
            stream=f"curve at {m}",  # a stream of its own, so that neighbouring sizes share no draws
            decide=lambda _: False,
            budget=CURVE_TRIALS,
        )
        if isinstance(seen, CutShort):
            raise NoAnswer(f"curve at {m}: {errors[-1]}")
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
