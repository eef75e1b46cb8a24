"""Section 3.2's definitions as statements: their parts, what the court finds, and every false neighbour."""

import pickle
from fractions import Fraction as F
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.mathematics import pieces
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.keys import digest
from theorems.checking.store import Store
from theorems.glss import (
    definition_3_8_reweighed_network,
    equation_6_regularised_loss,
    equation_7_tangent_kernel_ridge_regression,
    equation_8_neural_tangent_kernel,
    equation_9_leverage_density,
    equation_10_as_printed,
    equation_10_reweighed_loss,
    section_3_2_1_optimal_predictors,
    section_3_2_1_two_layer_network,
    section_3_2_2_tangent_features,
)
from theorems.glss.equation_8_neural_tangent_kernel import gradients
from theorems.glss.network_moments import WEIGHTED
from theorems.glss.tangent_instances import lattice
from theorems.statement import Answer, Finding

TRUE = [
    module.STATEMENT
    for module in (
        section_3_2_1_two_layer_network,
        equation_6_regularised_loss,
        equation_7_tangent_kernel_ridge_regression,
        equation_8_neural_tangent_kernel,
        section_3_2_1_optimal_predictors,
        section_3_2_2_tangent_features,
        equation_9_leverage_density,
        definition_3_8_reweighed_network,
        equation_10_reweighed_loss,
    )
]
AS_PRINTED = equation_10_as_printed.STATEMENT
ALL = [*TRUE, AS_PRINTED]
TWINS = [pytest.param(s, n, t, id=f"{s.id}-{t.name}") for s in ALL for n, t in enumerate(s.twins, start=1)]
SITTING = Sitting(seed=20201206, campaign=1, budget=64)

each = pytest.mark.parametrize("s", ALL, ids=lambda s: s.id)


def answers(conclusion, x):
    return {decide(claim).answer for claim in conclusion.claims(x)}


def as_declared(s, x):
    found = answers(s.conclusion, x)
    return Answer.OUT in found if s.expected is Finding.REFUTED else found == {Answer.IN}


@pytest.fixture(scope="module")
def store():
    with Store.memory() as opened:
        yield opened


@each
def test_every_ci_instance_is_decided_as_declared(s):
    for x in s.instances("ci"):
        assert s.violated(x) == []
        assert as_declared(s, x), x.name


@each
@given(data=st.data())
def test_a_drawn_instance_is_decided_as_declared(s, data):
    x = data.draw(s.strategy())
    assert s.violated(x) == []
    assert as_declared(s, x)


@each
def test_the_court_finds_what_is_declared(s, store):
    for nth, x in enumerate(s.instances("quick"), start=1):
        record = hear(s, x, place=1, nth=nth, sitting=SITTING, store=store)
        assert (record.as_declared, record.unsure) == (True, 0), (x.name, record.because)


@pytest.mark.parametrize(("s", "n", "twin"), TWINS)
def test_every_twin_is_refuted_inside_the_hypotheses(s, n, twin, store):
    assert s.violated(twin.refuted_on, without=twin.without) == []
    record = hear_twin(s, twin, place=1, nth=n, sitting=SITTING, store=store)
    assert record.verdict == Finding.REFUTED.value, record.because


@each
def test_the_true_sentence_holds_where_its_twins_fail(s):
    """Otherwise the instance, not the mistake, is to blame."""
    for twin in s.twins:
        assert as_declared(s, twin.refuted_on), twin.name


@each
def test_a_statement_can_be_drawn_and_named(s):
    assert pieces(s.says)
    assert len(s.twins) >= 3
    everywhere = [*s.instances("night"), *(t.refuted_on for t in s.twins)]
    for name in {x.name for x in everywhere}:
        assert len({digest(x) for x in everywhere if x.name == name}) == 1, name
    digests = [[digest(x) for x in s.instances(p)] for p in ("quick", "ci", "night")]
    assert len(set(digests[2])) == len(digests[2])
    assert all(long[: len(short)] == short for short, long in pairwise(digests))


@each
def test_an_instance_from_another_process_is_judged_alike(s):
    for x in s.instances("quick"):
        before = [decide(c) for c in s.conclusion.claims(x)]
        assert [decide(c) for c in s.conclusion.claims(pickle.loads(pickle.dumps(x)))] == before


PLAIN = {"X": [[1, 0]], "new": [[0, 1]], "Y": [1]}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"kappa": F(2)}, "kappa must lie in (0, 1], got kappa = 2"),
        ({"kappa": F(0)}, "kappa must lie in (0, 1], got kappa = 0"),
        ({"lam": F(0)}, "lambda must be positive, got lambda = 0"),
        ({"Y": [1, 2]}, "Y must hold one label per point"),
        ({"new": [[1]]}, "points must live in one space, got widths [1, 2]"),
        ({"new": []}, "there must be a new point"),
    ],
)
def test_problems_outside_the_hypotheses_are_named(change, fault):
    for s in (equation_7_tangent_kernel_ridge_regression.STATEMENT, section_3_2_1_optimal_predictors.STATEMENT):
        [found] = s.violated(lattice("p", "p", **PLAIN | change))
        assert fault in found


@pytest.mark.parametrize(
    ("s", "x", "fault"),
    [
        (
            equation_9_leverage_density.STATEMENT,
            lattice("p", "p", **PLAIN | {"X": [[0, 0]]}),
            "some data point must not be 0",
        ),
        (
            AS_PRINTED,
            lattice("p", "p", **PLAIN | {"X": [[1, 0], [2, 0]], "Y": [1, 0]}),
            "H_cts must be invertible, got rank 1 for 2 points",
        ),
        (AS_PRINTED, lattice("p", "p", **PLAIN | {"Y": [3]}), "||Y - u*|| must not be 0 or 1/2, got its square 1/4"),
        (AS_PRINTED, lattice("p", "p", **PLAIN | {"Y": [0]}), "||Y - u*|| must not be 0 or 1/2, got its square 0"),
        (equation_8_neural_tangent_kernel.STATEMENT, gradients("p", "p", [[1.0]], []), "at least one neuron, got none"),
        (equation_6_regularised_loss.STATEMENT, WEIGHTED, "a must hold signs"),
    ],
)
def test_instances_outside_the_hypotheses_are_named(s, x, fault):
    [found] = s.violated(x)
    assert fault in found
