"""The one place where error rates are split; nobody else writes an alpha.

A false REFUTED and a false SUPPORTED each get one in a million for the whole life of the project. The shares
6/(pi k)^2 sum to less than one over k = 1, 2, ..., so the split never needs to know how much is still to come:
statement k of the catalogue, instance j of the statement, campaign v of a user's store, nomination i of a search.

Refuting splits over statements and instances: one false alarm anywhere is a false alarm. Supporting a statement
needs every instance (an intersection-union test), so instances do not split it. Instances that a user brings pay from
the places behind those that are kept for the catalogue's own, in the order in which the user's store first met them.
A twin spends from a budget of its own: a twin refuted by luck hides a blind check and accuses nobody.

Instances listed for a statement together spend at most share(1), and leave 1 - share(1) to the searches: their j-th
nomination gets share(j) of it. What a search looks at before it nominates is no evidence and spends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

ALPHA_REFUTED = Fraction(1, 10**6)
ALPHA_SUPPORTED = Fraction(1, 10**6)
ALPHA_TWINS = Fraction(1, 10**6)

RELEASE_SEED = 20201206  # the first day of NeurIPS 2020; a fresh clone judges this seed, as campaign 1

TRIALS = {"quick": 4096, "ci": 16384, "night": 131072}  # default trial budget of one record, by profile

SEARCH_LEVEL = Fraction(1, 20)  # of the confidence limits that steer a search; they decide nothing

OWN_INSTANCES = 100  # places kept for the instances of one statement; fixed: it is in the layout of every store

_SIX_OVER_PI_SQUARED = Fraction(6079271, 10**7)  # rounded down, so that the shares sum to less than one


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What one record may spend.

    Parameters
    ----------
    refute : probability of REFUTED for a true claim, at most
    support : probability of SUPPORTED for a claim whose excess is excluded, at most
    """

    refute: Fraction
    support: Fraction

    def part(self, k: int) -> Allowance:
        """What the k-th of several checks within one record may spend; k = 1, 2, ..."""
        return Allowance(refute=self.refute * share(k), support=self.support * share(k))


def share(k: int) -> Fraction:
    """Part of a budget that the k-th spender gets: 6/(pi k)^2, rounded down.

    Parameters
    ----------
    k : 1, 2, ...
    """
    if k < 1:
        raise ValueError(f"share(k): need k >= 1; got {k}")
    return _SIX_OVER_PI_SQUARED / (k * k)


def for_statement(*, statement: int, instance: int, campaign: int, nomination: int = 1) -> Allowance:
    """What the record of `statement` on `instance` may spend in `campaign`; positions count from 1.

    `nomination` j > 1 is for instances that a search proposed.
    """
    common = share(statement) * share(campaign)
    return Allowance(
        refute=ALPHA_REFUTED * common * share(instance) * share(nomination),
        support=ALPHA_SUPPORTED * common,
    )


def for_twin(*, statement: int, twin: int, campaign: int) -> Allowance:
    """What the record of the `twin`-th twin of a statement may spend; positions count from 1."""
    part = ALPHA_TWINS * share(statement) * share(twin) * share(campaign)
    return Allowance(refute=part, support=part)


def for_nomination(*, statement: int, twin: int | None, campaign: int, nomination: int) -> Allowance:
    """What the `nomination`-th instance that searches proposed may spend; positions count from 1.

    Parameters
    ----------
    twin : None for the statement itself; the searches for a twin pay from the places behind those of all twins
    """
    if twin is not None:
        behind = for_twin(statement=statement, twin=OWN_INSTANCES + twin, campaign=campaign)
        return behind.part(nomination)
    common = share(statement) * share(campaign)
    return Allowance(
        refute=ALPHA_REFUTED * common * (1 - share(1)) * share(nomination), support=ALPHA_SUPPORTED * common
    )
