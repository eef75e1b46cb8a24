"""The primal problem: its minimiser by another route, the corners, and every mistake caught."""

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear_twin
from theorems.checking.store import Store
from theorems.glss.ridge_instances import ONE, WIDE, WOODBURY, feature_problems
from theorems.glss.section_3_1_primal_problem import STATEMENT, primal_solution
from theorems.statement import Answer, Finding


def objective(x, beta):
    residual = [y - sum(p * b for p, b in zip(row, beta, strict=True)) for row, y in zip(x.features, x.Y, strict=True)]
    return sum((r * r for r in residual), F(0)) / 2 + x.lam * sum((b * b for b in beta), F(0)) / 2


@pytest.mark.parametrize("x", [WOODBURY, WIDE], ids=lambda x: x.name)
def test_least_squares_on_stacked_rows_gives_the_same_coefficients(x):
    # min ||Y - Phi b||^2 + lambda ||b||^2 is least squares on [Phi; sqrt(lambda) I]: orthogonal factors, no Gram matrix
    s = len(x.features[0])
    stacked = np.vstack([np.array(x.features, dtype=float), float(x.lam) ** 0.5 * np.eye(s)])
    b = np.linalg.lstsq(stacked, np.concatenate([np.array(x.Y, dtype=float), np.zeros(s)]), rcond=None)[0]
    # condition below 50, dimensions below 10: some thousand u
    np.testing.assert_allclose(b, [float(t) for t in primal_solution(x)], rtol=0, atol=1e-12)


def test_one_feature_has_the_closed_form_phi_y_over_phi_squared_plus_lambda():
    assert primal_solution(ONE).tolist() == [2 / (4 + F(1, 10**12))]


@given(STATEMENT.strategy(), st.integers(0, 2**32))
def test_every_other_point_is_worse_by_the_curvature(x, seed):
    """J(beta* + v) = J(beta*) + (||Phi v||^2 + lambda ||v||^2) / 2, exactly."""
    beta = primal_solution(x).tolist()
    v = [F(int(t)) for t in np.random.default_rng(seed).integers(-5, 6, size=len(beta))]
    bend = sum((sum(p * t for p, t in zip(row, v, strict=True)) ** 2 for row in x.features), F(0))
    bend += x.lam * sum(t * t for t in v)
    assert objective(x, [b + t for b, t in zip(beta, v, strict=True)]) == objective(x, beta) + bend / 2


@given(STATEMENT.strategy())
def test_every_drawn_problem_meets_the_hypotheses_and_every_claim(x):
    assert STATEMENT.violated(x) == []
    decided = [decide(c) for c in STATEMENT.conclusion.claims(x)]
    assert [c for c in decided if c.answer is not Answer.IN] == []


@pytest.mark.parametrize("x", feature_problems("quick"), ids=lambda x: x.name)
def test_every_instance_is_proven(x):
    assert {decide(c).answer for c in STATEMENT.conclusion.claims(x)} == {Answer.IN}


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
        ({"Y": (F(1),)}, "Y must hold one label per row of Phi, got 1 labels and 4 rows"),
        ({"new": ()}, "phi must have one positive dimension and a new point"),
        ({"new": ((F(1),),)}, "got widths [1, 3]"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(change, clause):
    assert any(clause in fault for fault in STATEMENT.violated(replace(WOODBURY, **change)))
