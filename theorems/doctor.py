"""What `theorems doctor` looks at: this installation; and, when asked to calibrate, the court itself.

Every line is a `Check`: what was looked at, what was found, and whether that is in order.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.metadata import requires, version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from theorems.catalogue import CATALOGUE, find
from theorems.checking import budget
from theorems.checking.bernoulli import below_delta, below_rho_delta, refuting_table
from theorems.checking.calibration import HONEST, calibrate, ladder, order_faults
from theorems.checking.calibration_matrices import loewner_campaign
from theorems.checking.events import Event
from theorems.checking.keys import digest, generator
from theorems.checking.operating_characteristics import operating_characteristics, worst_errors
from theorems.checking.poisons import POISONS
from theorems.checking.store import FILE_NAME, BatchRow, Series, Store, StoreFull, StoreUnreadable
from theorems.checking.synthetic import EXCESSES, end_to_end
from theorems.checking.trials import run_batch
from theorems.statement import HighProbability
from theorems.verification import Case, docket

DELTAS = (Fraction(3, 10), Fraction(1, 10), Fraction(1, 20), Fraction(1, 100))
RHO = Fraction(3, 2)  # the resolution that statements have unless they declare another
ALPHA = budget.ALPHA_REFUTED
RATIOS = tuple(map(Fraction, ("0", "0.5", "0.9", "1", "1.1", "1.5", "2", "3", "10")))  # true p in units of delta
HORIZON = 40_000
REPLICATES = 400
CHUNK = 5_000  # matrices between two signs of life, each with a key of its own

TABLES_UP_TO = 4096
TABLES_DIGEST = "0515fa43065571f95f51f24ceec610077f04cb5fb67fceed46f69d2e9dd099f1"

# Philox 4x64-10 of key 0 at counter 0, from the known answers of Random123 (Salmon et al., SC 2011)
PHILOX_WORDS = (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B)
KEYED_WORDS = (0x189A476768038582, 0xC7C90CC645145AEB, 0x50F931C78CEF60D8, 0x2F02DB05625D3BE5)
KEYED_UNIFORM = float.fromhex("0x1.f7622437b4ffap-2")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    group, name : what
    ok : whether it is as it must be
    says : what was found, for a reader
    figures : the same as numbers, where there are some
    """

    group: str
    name: str
    ok: bool
    says: str
    figures: dict[str, float | int | str] = field(default_factory=dict)


def line(check: Check) -> str:
    """Write a check as one line of text."""
    return f"{'ok' if check.ok else 'BAD':<4} {check.group:<26} {check.name:<46} {check.says}"


# ------------------------------------------------------------------------------------------- the installation


def examine(directory: Path) -> Iterator[Check]:
    """Look at this installation: what it is made of, and that each piece does what the court relies on.

    Parameters
    ----------
    directory : where evidence would be kept; left as it is
    """
    yield from versions()
    yield floating_point()
    yield blas()
    faults = order_faults(ladder)
    says = "; ".join(f.says for f in faults) or "decides matrices on the line, an exactly singular one included"
    yield Check(group="numbers", name="exact arithmetic (FLINT)", ok=not faults, says=says)
    yield draws()
    yield tables()
    yield store(directory)


def versions() -> Iterator[Check]:
    """Compare what is installed with what the package asks for."""
    yield Check(group="versions", name="python", ok=True, says=f"{platform.python_version()} on {platform.machine()}")
    for requirement in requires("leverage-theorems") or ():
        name, _, least = requirement.partition(">=")
        if "extra ==" not in requirement:
            found = version(name)
            ok = _release(found) >= _release(least)
            yield Check(group="versions", name=name, ok=ok, says=f"{found} (needs {least} or later)")


def _release(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)]


def floating_point() -> Check:
    """Look for the IEEE arithmetic that every error bound rests on: rounding to nearest even, gradual underflow."""
    one, half_unit = np.ones(4), np.full(4, 2.0**-53)
    rounds = bool((one + half_unit == 1).all() and (one + 3 * half_unit == 1 + 2.0**-51).all())
    underflows = bool((np.full(4, 2.0**-1022) / 4 == 2.0**-1024).all())
    return Check(
        group="numbers",
        name="float64",
        ok=rounds and underflows,
        says=f"rounds to nearest even: {rounds}; keeps subnormal numbers: {underflows}",
    )


def blas() -> Check:
    """Name the BLAS kernels, and make sure that they can be held to one thread."""
    with threadpool_limits(limits=1):
        held = all(pool["num_threads"] == 1 for pool in threadpool_info())
    pools = [p for p in threadpool_info() if p["user_api"] == "blas"]
    names = [
        f"{p['internal_api']} {p['version']} {p.get('architecture', '')}, {p['num_threads']} threads" for p in pools
    ]
    says = f"{'; '.join(names)}; can be held to one: {held}"
    return Check(group="numbers", name="BLAS", ok=held and bool(pools), says=says)


def draws() -> Check:
    """Recompute known draws: the generator itself, and one that is named by a key."""
    plain = np.random.Philox(key=0, counter=2**256 - 1).random_raw(4)  # NumPy counts up before it draws
    keyed = _generator("self test", 0)
    words, uniform = keyed.bit_generator.random_raw(4), keyed.random()
    found = {
        "Philox words": tuple(plain.tolist()) == PHILOX_WORDS,
        "keyed words": tuple(words.tolist()) == KEYED_WORDS,
        "keyed uniform": uniform == KEYED_UNIFORM,
    }
    says = ", ".join(f"{name} {'as known' if same else 'DIFFER'}" for name, same in found.items())
    return Check(group="draws", name="random generator", ok=all(found.values()), says=says)


def _generator(stream: str, index: int) -> np.random.Generator:
    return generator(statement="doctor", instance="0" * 64, stream=stream, seed=0, batch_size=1, index=index)


def tables() -> Check:
    """Recompute the decision tables and compare their digest with the one that ships."""
    n = np.arange(TABLES_UP_TO + 1)
    found = digest(
        [
            [refuting_table(n, delta, ALPHA), below_delta(n, delta, ALPHA), below_rho_delta(n, delta, ALPHA, RHO)]
            for delta in DELTAS
        ]
    )
    says = f"{3 * len(DELTAS)} tables up to n = {TABLES_UP_TO}, digest {found[:16]} (ships {TABLES_DIGEST[:16]})"
    return Check(
        group="verdicts", name="decision tables", ok=found == TABLES_DIGEST, says=says, figures={"sha256": found}
    )


def store(directory: Path) -> Check:
    """Make a store beside where evidence would be kept, write and read a row; open the one that is there."""
    folder = directory.absolute()
    beside = next(place for place in (folder, *folder.parents) if place.exists())
    row = BatchRow(index=0, trials=1, failures=0, unsure=0, answers_digest="0" * 64, stress=0.0, error="")
    series = Series(
        statement="doctor", instance="0" * 64, stream="self test", seed=0, batch_size=1, size=1, code="0" * 64
    )
    try:
        with TemporaryDirectory(dir=beside, prefix=".theorems-doctor-") as scratch, Store.open(Path(scratch)) as trial:
            trial.insert(series, row)
            kept = trial.find(series, 0) == row
        if (folder / FILE_NAME).exists():
            Store.open(folder).close()
    except (OSError, StoreUnreadable, StoreFull) as error:
        return Check(group="evidence", name="store", ok=False, says=" ".join(str(error).split()))
    says = f"{directory}: a row {'comes back' if kept else 'does NOT come back'}"
    return Check(group="evidence", name="store", ok=kept, says=says)


# ------------------------------------------------------------------------------------------------- the court


def calibration(matrices: int, tell: Callable[[int], None]) -> Iterator[Check]:
    """Measure the court: exactly where it can be computed, else against exact chances and exact truths.

    Parameters
    ----------
    matrices : how many near-boundary matrices the ladder is tried on, >= 1
    tell : is told the number of matrices done so far
    """
    for rho in (None, RHO):
        for ratio in RATIOS:
            yield characteristics(ratio, rho)
    yield from error_rates()
    for excess in EXCESSES:
        yield from tallies(excess)
    yield from courts()
    yield threads(case for case in docket(CATALOGUE, "quick") if case.twin is None)
    yield campaign(matrices, tell)


def characteristics(ratio: Fraction, rho: Fraction | None) -> Check:
    """Compute the chances of the three verdicts at p = ratio * delta, delta = 1/10, both error rates 1e-6.

    Parameters
    ----------
    ratio : in [0, 10]
    rho : None for the table `below_delta`, else the resolution of `below_rho_delta`
    """
    delta = Fraction(1, 10)
    seen = operating_characteristics(delta, ALPHA, ALPHA, HORIZON, ratio * delta, rho=rho)
    false_alarm = seen.refuted if ratio <= 1 else 0.0
    false_comfort = seen.supported if ratio >= (rho or 1) else 0.0
    return Check(
        group="operating characteristics",
        name=f"{_table(rho)}, p = {float(ratio):g} delta",
        ok=max(false_alarm, false_comfort) <= ALPHA,
        says=f"REFUTED {seen.refuted:.3g}, SUPPORTED {seen.supported:.3g}, UNDECIDED {seen.undecided:.3g}, "
        f"E[n] {seen.mean_trials:,.0f}",
        figures={
            "refuted": seen.refuted,
            "supported": seen.supported,
            "undecided": seen.undecided,
            "mean trials": seen.mean_trials,
        },
    )


def error_rates() -> Iterator[Check]:
    """Compute the worst chance of a false verdict of the tables that ship, when the first verdict is the last.

    For the whole budget, and for the shares of it that the first and the last event of the catalogue spend.
    """
    last = len(CATALOGUE[-1].instances("night"))
    allowances = {
        "whole budget": budget.Allowance(refute=budget.ALPHA_REFUTED, support=budget.ALPHA_SUPPORTED),
        "first event": budget.for_statement(statement=1, instance=1, campaign=1).part(1),
        "last event": budget.for_statement(statement=len(CATALOGUE), instance=last, campaign=1).part(1),
    }
    for owner, alpha in allowances.items():
        for delta in DELTAS:
            for rho in (None, RHO):
                refuted, supported = worst_errors(delta, alpha.refute, alpha.support, HORIZON, rho=rho)
                yield Check(
                    group="worst error rates",
                    name=f"{owner}, {_table(rho)}, delta = {float(delta):g}",
                    ok=refuted <= alpha.refute and supported <= alpha.support,
                    says=f"false REFUTED {refuted:.3g} of {float(alpha.refute):.3g}, "
                    f"false SUPPORTED {supported:.3g} of {float(alpha.support):.3g}",
                    figures={"refuted": refuted, "supported": supported},
                )


def _table(rho: Fraction | None) -> str:
    return "below_delta" if rho is None else "below_rho_delta"


def tallies(excess: Fraction) -> Iterator[Check]:
    """Count the verdicts on a synthetic statement with p = excess * delta, sent through the whole court."""
    for tally in end_to_end(excess, REPLICATES):
        low, high = tally.band
        expected = tally.replicates * tally.chance
        yield Check(
            group="end to end",
            name=f"Bernoulli({float(excess):g} delta), {tally.verdict}",
            ok=tally.inside,
            says=f"{tally.count} of {tally.replicates}, expected {expected:.3g}, band {low} to {high}",
            figures={"count": tally.count, "expected": expected, "low": low, "high": high},
        )


def courts() -> Iterator[Check]:
    """Calibrate the honest court, which must be clean, and its broken twins, each of which must be caught."""
    faults = calibrate(HONEST)
    says = "; ".join(f.says for f in faults) or "no fault"
    yield Check(group="courts", name="honest", ok=not faults, says=says)
    for poison in POISONS:
        faults = calibrate(poison.parts)
        caught = f"caught: {faults[0].says}" if faults else "NOT CAUGHT"
        yield Check(group="courts", name=f"poisoned: {poison.name}", ok=bool(faults), says=caught)


def threads(cases: Iterable[Case]) -> Check:
    """Compare the answers of one batch of each case under one and two BLAS threads."""
    heard = list(cases)
    one, two = answers_digest(heard, 1), answers_digest(heard, 2)
    says = f"one thread {one[:16]}, two threads {two[:16]}"
    return Check(group="answers", name=f"{len(heard)} instances, BLAS threads", ok=one == two, says=says)


def answers_digest(cases: Iterable[Case], blas_threads: int) -> str:
    """Digest the answers of the first batch of each case that is about a probability.

    Features are drawn at a sixteenth of the size asked: there some trials fail, so that the answers have something
    to differ in.
    """
    answers = []
    with threadpool_limits(limits=blas_threads):
        for case in cases:
            conclusion = find(case.statement).conclusion
            if isinstance(conclusion, HighProbability):
                few = -(-conclusion.size(case.instance) // 16)
                row = run_batch(
                    Event(construction=conclusion.construction(case.instance, few)),
                    statement=case.statement,
                    instance_digest=digest(case.instance),
                    stream="doctor",
                    seed=budget.RELEASE_SEED,
                    index=0,
                    canary=False,
                )
                answers.append(row.answers_digest)
    return digest(answers)


def campaign(matrices: int, tell: Callable[[int], None]) -> Check:
    """Try the ladder on exact matrices near the boundary, against elimination on integers; arguments as above."""
    total: dict[str, int] = {}
    for index in range(-(-matrices // CHUNK)):
        count = min(CHUNK, matrices - index * CHUNK)
        for name, seen in loewner_campaign(count, _generator("matrices", index)).items():
            total[name] = total.get(name, 0) + seen
        tell(total["tried"])
    return Check(
        group="Loewner order",
        name=f"{matrices:,} matrices near the boundary",
        ok=total["wrong"] == total["undecided"] == total["bad_witness"] == 0,
        says=f"{total['wrong']} wrong, {total['undecided']} undecided; {total['holds']:,} hold; a bare eigvalsh is "
        f"wrong on {total['bare_wrong']:,} ({total['bare_wrong'] / matrices:.1%})",
        figures=dict(total),
    )
