"""From evidence to a verdict: a pure function of the evidence, the promise and the allowance.

UNSURE trials count against both verdicts: as passes when REFUTED is asked for, as failures when SUPPORTED is.
A nan never decides anything.
"""

from __future__ import annotations

from fractions import Fraction
from math import isnan, log

from theorems.checking.bernoulli import greatest_supporting, least_refuting, trials_to_support
from theorems.checking.budget import Allowance
from theorems.statement import (
    Answer,
    Comparisons,
    Evidence,
    ExactProbability,
    Finding,
    Slope,
    Trials,
    Verdict,
    Wealth,
)

LEAST_DECADES = 1.5  # a slope over a shorter range says nothing about growth
LEAST_POINTS = 5
MOST_TRIALS = 2**40  # beyond them no price is named


def judge(
    evidence: Evidence, *, allowance: Allowance, delta: Fraction | None = None, rho: Fraction | None = None
) -> Verdict:
    """What the evidence shows.

    Parameters
    ----------
    evidence : anything of `theorems.statement.Evidence`
    allowance : error rates this record may spend
    delta : promised failure probability, needed for probabilities
    rho : resolution of SUPPORTED, > 1: p >= rho * delta is excluded when p >= delta cannot be

    Raises
    ------
    TypeError : a probability without delta, or trials without rho
    """
    match evidence:
        case ExactProbability():
            return _judge_exact(evidence, _needed("delta", delta))
        case Trials():
            return _judge_trials(evidence, _needed("delta", delta), _needed("rho", rho), allowance)
        case Comparisons():
            return _judge_comparisons(evidence)
        case Wealth():
            return _judge_wealth(evidence, allowance)
    return _judge_slope(evidence)


def settled(evidence: Trials, *, delta: Fraction, allowance: Allowance) -> bool:
    """Whether more trials are pointless: refuted, or p >= delta itself excluded."""
    n = evidence.trials
    refuting = least_refuting(n, delta, allowance.refute)
    supporting = greatest_supporting(n, delta, allowance.support)
    return (refuting is not None and evidence.failures >= refuting) or (
        supporting is not None and evidence.failures + evidence.unsure <= supporting
    )


def _needed(name: str, value: Fraction | None) -> Fraction:
    if value is None:
        raise TypeError(f"judge({name}): needed for a statement about a probability; got None")
    return value


def _judge_exact(evidence: ExactProbability, delta: Fraction) -> Verdict:
    low, high = evidence.failure.lower, evidence.failure.upper
    seen = f"= {_number(high)}" if _number(low) == _number(high) else f"in [{_number(low)}, {_number(high)}]"
    if high <= delta:
        return Verdict(
            finding=Finding.SUPPORTED,
            because=f"P[fail] {seen} <= {_number(delta)}, without sampling",
            alpha=0.0,
            excluded=f"p > {_number(delta)} excluded exactly",
            table="exact",
        )
    if low > delta:
        return Verdict(
            finding=Finding.REFUTED,
            because=f"P[fail] {seen} > {_number(delta)}, without sampling",
            alpha=0.0,
            excluded=f"p <= {_number(delta)} excluded exactly",
            table="exact",
        )
    return Verdict(
        finding=Finding.UNDECIDED,
        because=f"P[fail] {seen} straddles {_number(delta)}",
        alpha=0.0,
        price="a tighter enclosure of the failure probability",
    )


def _judge_trials(evidence: Trials, delta: Fraction, rho: Fraction, allowance: Allowance) -> Verdict:
    n, failed, counted = evidence.trials, evidence.failures, evidence.failures + evidence.unsure
    seen = f"{failed} failures and {evidence.unsure} unsure in {n} trials"
    if n == 0:
        return Verdict(finding=Finding.VACUOUS, because="no trial was run", alpha=0.0)
    refuting = least_refuting(n, delta, allowance.refute)
    if refuting is not None and failed >= refuting:
        return Verdict(
            finding=Finding.REFUTED,
            because=f"{seen}; {refuting} failures refute p <= {_number(delta)}",
            alpha=float(allowance.refute),
            excluded=f"p <= {_number(delta)} excluded at {float(allowance.refute):.3g}",
            table="above_delta",
        )
    tables = [("below_delta", delta)]
    if rho * delta < 1:
        tables.append(("below_rho_delta", rho * delta))
    for table, line in tables:
        most = greatest_supporting(n, line, allowance.support)
        if most is not None and counted <= most:
            promise = "" if line == delta else f"; promise {_number(delta)}"
            return Verdict(
                finding=Finding.SUPPORTED,
                because=f"{seen}; up to {most} support p < {_number(line)}{promise}",
                alpha=float(allowance.support),
                excluded=f"p >= {_number(line)} excluded at {float(allowance.support):.3g}{promise}",
                table=table,
            )
    return Verdict(
        finding=Finding.UNDECIDED,
        because=f"{seen}; neither p <= {_number(delta)} nor p >= {_number(tables[-1][1])} is excluded",
        alpha=float(allowance.support),
        price=_price(evidence, delta, tables[-1][1], allowance),
    )


def _price(seen: Trials, delta: Fraction, line: Fraction, allowance: Allowance) -> str:
    """How many more trials would decide, were they to go like those seen."""
    n, counted = seen.trials, seen.failures + seen.unsure
    if counted == 0:
        if line * MOST_TRIALS < 1:  # wealth is at most (1 - line)^-n: at least log(1/alpha) / line trials
            return "more than 2^40 trials without a failure"
        return f"{trials_to_support(line, allowance.support) - n} more trials without a failure"
    rates = f"{seen.failures} failures and {seen.unsure} unsure per {n} trials"
    times = 2
    while times * n <= MOST_TRIALS:
        refuting = least_refuting(times * n, delta, allowance.refute)
        supporting = greatest_supporting(times * n, line, allowance.support)
        if (refuting is not None and times * seen.failures >= refuting) or (
            supporting is not None and times * counted <= supporting
        ):
            return f"{(times - 1) * n} more trials, should they go on with {rates}"
        times *= 2
    return f"more than 2^40 trials, should they go on with {rates}"


def _judge_comparisons(evidence: Comparisons) -> Verdict:
    every = evidence.all
    if not every:
        return Verdict(finding=Finding.VACUOUS, because="nothing to compare on this instance", alpha=0.0)
    for c in every:
        if c.answer == Answer.OUT:
            return Verdict(
                finding=Finding.REFUTED,
                because=f"{c.says}: seen {c.seen}, allowed {c.allowed} ({c.certificate})",
                alpha=0.0,
                table="decided",
            )
    unsure = [c for c in every if c.answer != Answer.IN]
    if unsure:
        return Verdict(
            finding=Finding.UNDECIDED,
            because=f"{len(unsure)} of {len(every)} undecided, first {unsure[0].says}: seen {unsure[0].seen}, "
            f"allowed {unsure[0].allowed}",
            alpha=0.0,
            price="more precision",
        )
    return Verdict(
        finding=Finding.SUPPORTED,
        because=f"{len(every)} of {len(every)} proven on this instance ({every[0].certificate})",
        alpha=0.0,
        table="decided",
    )


def _judge_wealth(evidence: Wealth, allowance: Allowance) -> Verdict:
    if isnan(evidence.log_e):
        return Verdict(
            finding=Finding.UNDECIDED,
            because=f"{evidence.says}: no e-value after {evidence.draws} draws, got nan",
            alpha=float(allowance.refute),
            price="a check that works",
        )
    if evidence.log_e >= -log(allowance.refute):
        return Verdict(
            finding=Finding.REFUTED,
            because=f"{evidence.says}: log e-value {evidence.log_e:.4g} after {evidence.draws} draws",
            alpha=float(allowance.refute),
            excluded=f"the claimed law excluded at {float(allowance.refute):.3g}",
            table="e-value",
        )
    return Verdict(
        finding=Finding.UNDECIDED,
        because=f"{evidence.says}: log e-value {evidence.log_e:.4g} after {evidence.draws} draws shows nothing",
        alpha=float(allowance.refute),
        price="an e-value can refute a law, never prove it",
    )


def _judge_slope(evidence: Slope) -> Verdict:
    line = evidence.claimed + evidence.tolerance  # Python compares floats with fractions exactly
    seen = f"slope in [{evidence.lower:.4g}, {evidence.upper:.4g}] over {evidence.decades:.3g} decades"
    if not (evidence.decades >= LEAST_DECADES and evidence.points >= LEAST_POINTS):
        return Verdict(
            finding=Finding.UNDECIDED,
            because=f"{seen}, {evidence.points} sizes",
            alpha=0.0,
            price=f"at least {LEAST_POINTS} sizes over {LEAST_DECADES} decades",
        )
    allowed = f"claimed {_number(evidence.claimed)} + {_number(evidence.tolerance)}; scope: this range"
    if evidence.lower <= evidence.upper <= line:
        return Verdict(finding=Finding.SUPPORTED, because=f"{seen} <= {allowed}", alpha=0.0, table="range")
    if evidence.upper >= evidence.lower > line:
        return Verdict(finding=Finding.REFUTED, because=f"{seen} > {allowed}", alpha=0.0, table="range")
    return Verdict(finding=Finding.UNDECIDED, because=f"{seen} straddles {allowed}", alpha=0.0, price="a longer range")


def _number(x: Fraction) -> str:
    return (
        f"{float(x):.6g}"
        if x == 0 or float(x) != 0.0
        else f"about 2^{x.numerator.bit_length() - x.denominator.bit_length()}"
    )
