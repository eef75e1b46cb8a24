from fractions import Fraction
from math import pi

import pytest

from theorems.catalogue import CATALOGUE
from theorems.checking import budget


def test_shares_sum_to_less_than_one_for_ever():
    # sum over k of 1/k^2 is pi^2/6; the rounded numerator lies below 6/pi^2, by less than 1e-7
    assert 0 < 6 / pi**2 - float(budget.share(1)) < 1e-7
    assert [budget.share(k) * k * k == budget.share(1) for k in (1, 2, 3, 1000)] == [True] * 4
    assert sum(budget.share(k) for k in range(1, 400)) < 1


@pytest.mark.parametrize("k", [0, -1])
def test_positions_count_from_one(k):
    with pytest.raises(ValueError, match=rf"share\(k\): need k >= 1; got {k}"):
        budget.share(k)
    with pytest.raises(ValueError, match="k >= 1"):
        budget.for_statement(statement=k, instance=1, campaign=1)
    with pytest.raises(ValueError, match="k >= 1"):
        budget.for_twin(statement=1, twin=k, campaign=1)


def test_refuting_pays_for_every_instance_and_supporting_does_not():
    first = budget.for_statement(statement=2, instance=1, campaign=3)
    third = budget.for_statement(statement=2, instance=3, campaign=3)
    assert third.refute * 9 == first.refute
    assert third.support == first.support


def test_all_refutations_together_stay_below_one_in_a_million():
    many = range(1, 12)
    spent = sum(
        budget.for_statement(statement=s, instance=i, campaign=c, nomination=j).refute
        for s in many
        for i in many
        for c in many
        for j in (1, 2, 3)
    )
    assert Fraction(1, 4) * budget.ALPHA_REFUTED < spent < budget.ALPHA_REFUTED
    # of one statement only one instance need be wrongly supported: no sum over instances
    supported = sum(budget.for_statement(statement=s, instance=1, campaign=c).support for s in many for c in many)
    assert supported < budget.ALPHA_SUPPORTED


def test_the_catalogue_leaves_the_places_of_users_alone():
    assert max(len(s.instances("night")) for s in CATALOGUE) <= budget.OWN_INSTANCES


def test_a_nomination_pays():
    plain = budget.for_statement(statement=1, instance=1, campaign=1)
    second = budget.for_statement(statement=1, instance=1, campaign=1, nomination=2)
    assert second.refute * 4 == plain.refute


def test_twins_spend_their_own():
    spent = sum(
        budget.for_twin(statement=s, twin=t, campaign=c).refute
        for s in range(1, 10)
        for t in range(1, 30)
        for c in (1, 2)
    )
    assert spent < budget.ALPHA_TWINS
    one = budget.for_twin(statement=1, twin=1, campaign=1)
    assert one.refute == one.support


def test_the_checks_of_one_record_share_its_allowance():
    whole = budget.for_statement(statement=1, instance=1, campaign=1)
    parts = [whole.part(k) for k in range(1, 40)]
    assert sum(p.refute for p in parts) < whole.refute
    assert sum(p.support for p in parts) < whole.support
    assert parts[0].refute == whole.refute * budget.share(1)


def test_profiles_grow():
    assert list(budget.TRIALS) == ["quick", "ci", "night"]
    assert sorted(budget.TRIALS.values()) == list(budget.TRIALS.values())
