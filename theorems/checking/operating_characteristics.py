"""What the Bernoulli court can and cannot see, computed without sampling.

The number of failures S is a lattice walk; carrying its mass from look to look and taking out what crosses a
decision table gives the chance of every verdict at any true failure probability p. All terms are positive, so
float rounding stays relative: at most (2 look_every + 3) 2^-53 a look, 2e-11 after 40,000 single trials.

Couple the trials of two worlds so that one fails whenever the other does: it is refuted no later and supported
no earlier. So P(REFUTED) rises with p and P(SUPPORTED) falls, and the worst case of each null is its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import log

import numpy as np

from theorems.checking.bernoulli import (
    Floats,
    below_delta,
    below_rho_delta,
    inside,
    refuting_mixture,
    refuting_table,
    resolved,
)

_BLOCK = 4096  # trials whose tables are made at once
_RESOLUTION = Fraction(1001, 1000)


@dataclass(frozen=True, kw_only=True)
class Characteristics:
    """Chances of the three verdicts at a true failure probability, in [0, 1], summing to 1 up to rounding.

    Parameters
    ----------
    mean_trials : expected number of trials until a verdict or the horizon
    """

    refuted: float
    supported: float
    undecided: float
    mean_trials: float


def operating_characteristics(
    delta: Fraction | float,
    alpha_refute: Fraction | float,
    alpha_support: Fraction | float,
    horizon: int,
    p: Fraction | float,
    look_every: int = 1,
    rho: Fraction | float | None = None,
) -> Characteristics:
    """Follow the court to its verdict at the true failure probability p.

    Parameters
    ----------
    delta : promise, in (0, 1)
    alpha_refute, alpha_support : error rates, in (0, 1)
    horizon : trials after which the court gives up; a multiple of look_every
    p : true failure probability, in [0, 1]
    look_every : trials between two looks, the batch size; looking less often cannot raise the error rates above
        their alpha
    rho : None for the table `below_delta`, else the resolution of `below_rho_delta`

    Notes
    -----
    A count inside both tables, possible with rho, is REFUTED.

    Raises
    ------
    ValueError : an argument out of range
    """
    if look_every < 1 or horizon < 1 or horizon % look_every:
        raise ValueError(
            "operating_characteristics: horizon must be a positive multiple of look_every >= 1, "
            f"got horizon = {horizon}, look_every = {look_every}"
        )
    n = np.arange(look_every, horizon + 1, look_every)
    refuting = refuting_table(n, delta, alpha_refute)
    supporting = below_delta(n, delta, alpha_support) if rho is None else below_rho_delta(n, delta, alpha_support, rho)
    refuted, supported, alive, mean_trials = 0.0, 0.0, 1.0, 0.0
    looks = zip(refuting.tolist(), supporting.tolist(), strict=True)
    for now in follow(looks, p, look_every):
        mean_trials += alive * look_every
        refuted, supported, alive = now
        if alive == 0:
            break
    return Characteristics(refuted=refuted, supported=supported, undecided=alive, mean_trials=mean_trials)


def worst_errors(
    delta: Fraction | float,
    alpha_refute: Fraction | float,
    alpha_support: Fraction | float,
    horizon: int,
    look_every: int = 1,
    rho: Fraction | float | None = None,
) -> tuple[float, float]:
    """Greatest chance of a false REFUTED over p <= delta, and of a false SUPPORTED over p >= its line.

    Arguments and errors as in `operating_characteristics`. The maxima sit at p = delta and at the line, which
    is delta, or rho * delta with rho.
    """
    given = (delta, alpha_refute, alpha_support, horizon)
    line = delta if rho is None else resolved(delta, rho)
    return (
        operating_characteristics(*given, delta, look_every, rho).refuted,
        operating_characteristics(*given, line, look_every, rho).supported,
    )


def follow(
    looks: Iterable[tuple[int, int]], p: Fraction | float, look_every: int
) -> Iterator[tuple[float, float, float]]:
    """Carry the mass of the failure count through any pair of tables.

    Parameters
    ----------
    looks : at the k-th look, after k * look_every trials: the least refuting and the greatest supporting count;
        refuting wins where both hold
    p : true failure probability, in [0, 1]
    look_every : trials between two looks

    Yields
    ------
    refuted, supported, alive : the chance that the walk has stopped so, or not at all, after each look

    Raises
    ------
    ValueError : p outside [0, 1]
    """
    if not 0 <= p <= 1:
        raise ValueError(f"follow: p must be in [0, 1], got p = {p}")
    failures_between = np.ones(1)
    for _ in range(look_every):
        failures_between = np.convolve(failures_between, [float(1 - Fraction(p)), float(p)])
    mass, least = np.ones(1), 0  # mass[i] = P(not stopped and S = least + i)
    refuted = supported = 0.0
    for refuting, supporting in looks:
        if mass.size:
            mass = np.convolve(mass, failures_between)
        cut = max(refuting - least, 0)
        refuted += _total(mass[cut:])
        mass = mass[:cut]
        cut = max(supporting + 1 - least, 0)
        supported += _total(mass[:cut])
        mass, least = mass[cut:], least + cut
        yield refuted, supported, _total(mass)


# --------------------------------------------------------------------------- what a number of trials can see


def trials_needed(
    delta: Fraction | float,
    alpha: Fraction | float,
    excess: Fraction | float,
    power: float,
    most: int = 200_000,
) -> int:
    """Least n with P(REFUTED within n trials) >= power when the true failure probability is excess * delta.

    Parameters
    ----------
    delta, alpha, power : in (0, 1)
    excess : > 1, with excess * delta <= 1
    most : where to give up

    Raises
    ------
    ValueError : an argument out of range; or more than `most` trials needed, as for every excess below about
        1.025, at which no bet of the refuting grid grows
    """
    line = inside("trials_needed", "delta", delta)
    if not (excess > 1 and excess * line <= 1):
        raise ValueError(f"trials_needed: need excess > 1 and excess * delta <= 1, got excess = {excess}")
    p = Fraction(excess) * line
    inside("trials_needed", "power", power)
    bets = refuting_mixture(line)
    growth = max(float(p) * log(x) + float(1 - p) * log(y) for x, y in zip(bets.on_failure, bets.on_pass, strict=True))
    if growth > 0:
        for n, chance in enumerate(_refuted_within(delta, alpha, p, most), start=1):
            if chance >= power:
                return n
    raise ValueError(f"trials_needed: excess = {excess} is not refuted within most = {most} trials")


def detectable_excess(trials: int, delta: Fraction | float, alpha: Fraction | float, power: float) -> Fraction:
    """Least excess, rounded up by at most one part in a thousand, that `trials` refute with the given power.

    Parameters
    ----------
    trials : >= 1
    delta, alpha, power : in (0, 1)

    Returns
    -------
    excess in (1, 1/delta], exact: P(REFUTED within trials | p = excess * delta) >= power

    Raises
    ------
    ValueError : an argument out of range, or even p = 1 is not refuted within `trials`
    """
    line = inside("detectable_excess", "delta", delta)
    inside("detectable_excess", "power", power)

    def seen(p: Fraction) -> bool:
        return any(chance >= power for chance in _refuted_within(delta, alpha, p, trials))

    below, above = line, Fraction(1)
    if not seen(above):
        raise ValueError(f"detectable_excess: not even p = 1 is refuted within trials = {trials}")
    while above > _RESOLUTION * below:
        middle = (below + above) / 2
        below, above = (below, middle) if seen(middle) else (middle, above)
    return above / line


def _refuted_within(delta: Fraction | float, alpha: Fraction | float, p: Fraction, most: int) -> Iterator[float]:
    """Chance of REFUTED within n = 1 .. most trials, when nothing else stops them."""
    blocks = (np.arange(n, min(n + _BLOCK, most + 1)) for n in range(1, most + 1, _BLOCK))
    tables = chain.from_iterable(refuting_table(n, delta, alpha).tolist() for n in blocks)
    return (refuted for refuted, _, _ in follow(((least, -1) for least in tables), p, 1))


def _total(mass: Floats) -> float:
    return float(mass.sum())
