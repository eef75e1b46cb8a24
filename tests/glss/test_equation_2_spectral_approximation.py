"""Equation (2): the least eps on both sides, the rank condition by hand, and every mistake caught."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import assume, given

from reference.arithmetic import is_positive_semidefinite
from reference.exact_linear_algebra import eigenvalues_above, rank
from reference.exact_spectra import spectral_error
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear_twin
from theorems.checking.store import Store
from theorems.glss.equation_2_spectral_approximation import (
    DUPLICATES,
    JUST_BELOW,
    MISSED,
    MIXED,
    ON_THE_LINE,
    STATEMENT,
    TINY,
    instances,
    sides,
)
from theorems.glss.ridge_instances import gram
from theorems.statement import Answer, Finding


def holds(x):
    return all(is_positive_semidefinite(side) for side in sides(x))


def error(x):
    return spectral_error(x.K, gram(x.features), x.lam)


def test_part_f_t52_one_feature_approximates_a_kernel_of_rank_two():
    assert holds(TINY)
    assert (rank(TINY.features), rank(TINY.K)) == (1, 2)
    assert eigenvalues_above(TINY.K, TINY.eps * TINY.lam / (1 - TINY.eps)) == 1


def test_the_line_is_decided_exactly():
    assert error(ON_THE_LINE) == (F(1, 2), F(1, 2))
    assert holds(ON_THE_LINE)
    assert not holds(JUST_BELOW)


def test_errors_by_hand():
    # diagonal pairs: |Kt_i - K_i| / (K_i + lambda)
    assert error(MISSED)[0] <= F(100, 101) <= error(MISSED)[1]
    assert error(DUPLICATES)[1] == 0
    # eigenvalues 3, 1 of K and 2, 2 of Kt on the same frame, 1 and 0 on the third axis; lambda = 1/4
    assert error(MIXED)[0] <= F(4, 5) <= error(MIXED)[1]


@given(STATEMENT.strategy())
def test_the_least_accuracy_separates_both_sides(x):
    low, high = error(x)
    for eps in (x.eps, low / 2, low - F(1, 2**20), high, high + F(1, 2**20), 2 * high):
        if 0 < eps < 1 and not low <= eps < high:
            assert holds(replace(x, eps=eps)) == (eps >= high), (float(eps), float(low))


@given(STATEMENT.strategy())
def test_the_least_accuracy_agrees_with_lapack(x):
    assume(F(1, 1000) <= x.lam <= 1)  # condition below 1e6, so that floats mean something
    A = np.array(x.K, dtype=float) + float(x.lam) * np.eye(len(x.K))
    L = np.linalg.inv(np.linalg.cholesky(A))
    D = np.array(gram(x.features), dtype=float) - np.array(x.K, dtype=float)
    # Cholesky solves for A + dA, ||dA|| <= (n + 1)^2 u ||A||, which moves L by cond(A) (n + 1)^2 u of itself; the
    # triangular inverse and the two products cost no more, n <= 5
    bound = 4 * 36 * 2.0**-53 * np.linalg.cond(A) * np.linalg.norm(L) ** 2 * np.linalg.norm(D)
    assert abs(np.linalg.norm(L @ D @ L.T, 2) - float(error(x)[1])) <= bound + 2.0**-40


@given(STATEMENT.strategy())
def test_every_drawn_candidate_meets_the_hypotheses_and_every_claim(x):
    assert STATEMENT.violated(x) == []
    decided = [decide(c) for c in STATEMENT.conclusion.claims(x)]
    assert [c for c in decided if c.answer is not Answer.IN] == []
    assert (len(decided) == 4) == holds(x)


def test_the_instances_stand_on_both_sides():
    seen = {holds(x) for x in instances("quick")}
    assert seen == {True, False}
    for x in instances("quick"):
        assert {decide(c).answer for c in STATEMENT.conclusion.claims(x)} == {Answer.IN}, x.name


@pytest.mark.parametrize("broken", STATEMENT.twins, ids=lambda t: t.name)
def test_every_mistake_is_refuted(broken):
    with Store.memory() as store:
        sitting = Sitting(seed=1, campaign=1, budget=64)
        record = hear_twin(STATEMENT, broken, place=1, nth=1, sitting=sitting, store=store)
    assert record.verdict == Finding.REFUTED


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"lam": F(0)}, "lambda must be positive, got lambda = 0"),
        ({"eps": F(1)}, "eps must lie in (0, 1), got eps = 1"),
        ({"eps": F(0)}, "eps must lie in (0, 1), got eps = 0"),
        ({"K": ((F(0), F(1)), (F(1), F(0)))}, "K must be positive semidefinite"),
        ({"features": ((F(1),),)}, "Phi must be 2 x s, got rows of lengths [1]"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(change, clause):
    assert any(clause in fault for fault in STATEMENT.violated(replace(TINY, **change)))
