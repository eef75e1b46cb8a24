"""Gauss-Newton studies on tiny sizes: the same rows again, rows that fit their columns, and what should be seen."""

from itertools import pairwise

import numpy as np
import pytest

from reference.datasets import load
from theorems.checking.court import Sitting
from theorems.studies.gauss_newton import (
    CONTRACTION,
    KINDS,
    OPERATIONS,
    SKETCHES,
    STUDIES,
    TRAINING,
    sketched,
    targets,
    trained,
)


def sitting(seed=1):
    return Sitting(seed=seed, campaign=1, budget=0, code="c" * 64)


def named(study, row):
    return dict(zip((c.name for c in study.columns), row, strict=True))


@pytest.fixture(scope="module")
def rows():
    return [named(TRAINING, row) for row in trained("diabetes", 8, 256, sitting())]


def test_training_is_the_same_again_and_another_with_another_seed():
    again, other = ([*trained("diabetes", 4, 64, sitting(seed))] for seed in (1, 2))
    assert again == [*trained("diabetes", 4, 64, sitting(1))]
    assert again != other


def test_methods_start_together_and_all_but_gradient_descent_arrive(rows):
    methods = {row["method"] for row in rows}
    assert len(methods) == 4
    starts = {row["residual"] for row in rows if row["step"] == 0}
    assert len(starts) == 1
    last = {row["method"]: row["residual"] for row in rows}
    assert last.pop("gradient descent") > 1e-6
    assert max(last.values()) <= 1e-12


def test_ratios_and_operations_belong_to_the_residuals(rows):
    for before, row in pairwise(rows):
        if row["method"] == before["method"] and row["step"] == before["step"] + 1:
            assert row["ratio"] == pytest.approx(row["residual"] / before["residual"], rel=1e-12)
            assert row["operations"] > before["operations"]


def test_labels_are_scaled():
    Y = targets("digits", 16)
    assert np.abs(Y).max() == 1
    assert len(Y) == len(load("digits", 16))


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_predictions_bound_what_happens(kind):
    row = named(SKETCHES, sketched(kind, 4, 16, 2, sitting()))
    assert row["sketch"] == kind.__name__
    assert row["CG"] <= row["CG predicted"]
    assert row["Richardson"] <= row["Richardson predicted"]
    assert row["condition allowed"] is None or row["condition"] <= row["condition allowed"] * (1 + 1e-9)


def test_the_root_is_the_order_in_the_width():
    found = [named(CONTRACTION, row) for row in CONTRACTION.rows("quick", sitting(), None)]
    assert [row["m"] for row in found] == [2**k for k in range(8, 17)]
    level = [row["ratio sqrt m"] for row in found]
    fallen = [row["ratio m^1/4"] for row in found]
    assert max(level) / min(level) < 2
    assert fallen[0] / fallen[-1] > 3


def test_operations_have_slopes_but_for_the_first_size_of_a_family():
    seen = set()
    for row in (named(OPERATIONS, r) for r in OPERATIONS.rows("quick", sitting(), None)):
        assert row[row["grows"]] == row["size"]
        assert (row["slope"] is None) == (row["family"] not in seen)
        seen.add(row["family"])


def test_studies_are_named_apart():
    assert len({study.id for study in STUDIES}) == len(STUDIES) == 4
