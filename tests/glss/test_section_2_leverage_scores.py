"""Leverage scores: reference values, an oracle through determinants, and every mistake caught."""

from dataclasses import replace
from fractions import Fraction as F
from itertools import combinations

import pytest
from hypothesis import given

from reference.arithmetic import rational_matrix, rational_product
from reference.exact_linear_algebra import transposed
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear_twin
from theorems.checking.store import Store
from theorems.glss.section_2_leverage_scores import ALL_ONES, PRINTED, STATEMENT, TALL, TWO_ONES, instances
from theorems.statement import Answer, Finding


def det(M):
    value = rational_matrix(M).det()
    return F(int(value.p), int(value.q))


def test_part_f_t02_scores_of_the_smallest_instances():
    assert PRINTED.scores(TWO_ONES.A) == [F(1, 2), F(1, 2)]
    assert sum(PRINTED.scores(ALL_ONES.A)) == 1
    assert PRINTED.scores(TALL.A) == [F(100, 101), F(1, 101)]


@given(STATEMENT.strategy())
def test_scores_are_shares_of_volume_by_cauchy_and_binet(x):
    """sigma_i is the share of the S with i in the sum of vol(S)^2 over all |S| = rank A, vol(S)^2 = det(A_S A_S^T)."""
    A = x.A
    r = PRINTED.total(A)
    G = rational_product(A, transposed(A))
    volumes = {S: det([[G[i][j] for j in S] for i in S]) for S in combinations(range(len(A)), r)} if r else {(): F(1)}
    whole = sum(volumes.values())
    assert PRINTED.scores(A) == [sum((v for S, v in volumes.items() if i in S), F(0)) / whole for i in range(len(A))]


@given(STATEMENT.strategy())
def test_every_drawn_matrix_meets_the_hypotheses_and_every_claim(x):
    assert STATEMENT.violated(x) == []
    decided = [decide(c) for c in STATEMENT.conclusion.claims(x)]
    assert [c for c in decided if c.answer is not Answer.IN] == []


@pytest.mark.parametrize("x", instances("quick"), ids=lambda x: x.name)
def test_every_instance_is_proven(x):
    assert {decide(c).answer for c in STATEMENT.conclusion.claims(x)} == {Answer.IN}


@pytest.mark.parametrize("broken", STATEMENT.twins, ids=lambda t: t.name)
def test_every_mistake_is_refuted(broken):
    with Store.memory() as store:
        sitting = Sitting(seed=1, campaign=1, budget=64)
        record = hear_twin(STATEMENT, broken, place=1, nth=1, sitting=sitting, store=store)
    assert record.verdict == Finding.REFUTED


def test_no_matrix_is_named():
    assert STATEMENT.violated(replace(TALL, A=())) == ["A must have rows of one positive length, got set()"]
    assert STATEMENT.violated(replace(TALL, A=((), ()))) == ["A must have rows of one positive length, got {0}"]
