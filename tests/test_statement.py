# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
from dataclasses import FrozenInstanceError, fields, is_dataclass
from fractions import Fraction

import pytest

from theorems import sources, statement
from theorems.statement import Answer, Enclosure, Finding, Hypothesis, HypothesisNotMet, Instance, Trials

CLASSES = [
    c
    for c in vars(statement).values()
    if isinstance(c, type) and is_dataclass(c) and c.__module__ == statement.__name__
]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: c.__name__)
def test_every_word_is_frozen_and_keyword_only(kind):
    assert kind.__dataclass_params__.frozen
    assert all(f.kw_only for f in fields(kind))
    with pytest.raises(TypeError, match="positional"):
        kind("positional")


def test_a_word_cannot_be_changed():
    counts = Trials(trials=1, failures=0, unsure=0)
    with pytest.raises(FrozenInstanceError):
        counts.failures = 1


def test_answers_are_what_the_store_holds():
    assert [(a.name, int(a)) for a in Answer] == [("IN", 0), ("OUT", 1), ("UNSURE", 2)]


def test_findings_are_the_four_words():
    assert {f.value for f in Finding} == {"SUPPORTED", "REFUTED", "UNDECIDED", "VACUOUS"}


@pytest.mark.parametrize(
    "given",
    [{}, {"holds": lambda x: None, "assumed": "a"}, {"guaranteed_by": "g", "assumed": "a"}],
    ids=["none", "checked-and-assumed", "two"],
)
def test_a_hypothesis_has_exactly_one_guarantor(given):
    with pytest.raises(TypeError, match=rf"need exactly one of holds, guaranteed_by, assumed; got {len(given)}"):
        Hypothesis(says="x > 0", **given)


def test_an_enclosure_is_ordered():
    Enclosure(lower=Fraction(1), upper=Fraction(1))
    with pytest.raises(ValueError, match="need lower <= upper; got 2 > 1"):
        Enclosure(lower=Fraction(2), upper=Fraction(1))


@pytest.mark.parametrize("counts", [(1, 1, 1), (1, -1, 0), (1, 0, -1), (-1, 0, 0)])
def test_counts_are_possible(counts):
    trials, failures, unsure = counts
    with pytest.raises(ValueError, match=f"got {failures}, {unsure}, {trials}"):
        Trials(trials=trials, failures=failures, unsure=unsure)


class TestViolated:
    x = Instance(name="x", says="an instance")

    def test_names_every_fault_in_order(self, world):
        hypotheses = (
            Hypothesis(says="a", holds=lambda x: "a fails"),
            Hypothesis(says="b", holds=lambda x: None),
            Hypothesis(says="c", holds=lambda x: "c fails"),
            Hypothesis(says="d", assumed="cannot be checked"),
            Hypothesis(says="e", guaranteed_by="construction"),
        )
        s = world.statement(hypotheses=hypotheses)
        assert s.violated(self.x) == ["a fails", "c fails"]
        assert s.violated(self.x, without=("a",)) == ["c fails"]
        assert s.violated(self.x, without=("a", "c")) == []

    def test_a_dropped_hypothesis_is_not_asked(self, world):
        def explode(x):
            pytest.fail("asked")

        s = world.statement(hypotheses=(Hypothesis(says="a", holds=explode),))
        assert s.violated(self.x, without=("a",)) == []


def test_outside_is_a_value_error():
    assert issubclass(HypothesisNotMet, ValueError)


def test_a_place_reads_like_a_citation():
    place = sources.GLSS.at("Theorem 3.3")
    assert place.source is sources.GLSS
    assert str(place) == (
        "Lee, Shen, Song, Wang, Yu 2020, Generalized Leverage Score Sampling for Neural Networks, Theorem 3.3"
    )


def test_papers_are_pinned_and_distinct():
    papers = [v for v in vars(sources).values() if isinstance(v, sources.Source)]
    assert len({p.key for p in papers}) == len({p.identifier for p in papers}) == len(papers) >= 3
    assert all(p.identifier.startswith("arXiv:") for p in papers)
