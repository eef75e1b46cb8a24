"""Every statement of the catalogue, by its parts; and the cheap part of what the court finds."""

import importlib
import pickle
import re
from itertools import pairwise

import pytest

from theorems.catalogue import CATALOGUE, UnknownStatement, find, position
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.keys import digest
from theorems.checking.store import Store
from theorems.contents import CONTENTS
from theorems.statement import Comparisons, Expectation, Finding, ForEach, HighProbability
from theorems.verification import docket

PROFILES = ("quick", "ci", "night")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SITTING = Sitting(seed=20201206, campaign=1, budget=4096)
# exact worlds; the doors' suite hears the others
CHEAP = {"coupon", "spike", "ramp", "null", "linear", "complex", "I0", "I5", "square", "triangle", "duplicates"}

each = pytest.mark.parametrize("s", CATALOGUE, ids=lambda s: s.id)


@pytest.fixture(scope="module")
def store():
    with Store.memory() as opened:
        yield opened


def quick(s):
    return list(enumerate(s.instances("quick"), start=1))


OWN = [(s, n, x) for s in CATALOGUE for n, x in quick(s) if x.name.split("-")[0] in CHEAP]
TWINS = [(s, n, t) for s in CATALOGUE for n, t in enumerate(s.twins, start=1)]


# ------------------------------------------------------------------------------------------------ the parts


def test_ids_are_unique_and_well_formed():
    ids = [s.id for s in CATALOGUE]
    assert len(set(ids)) == len(ids) > 0
    assert all(re.fullmatch(r"[a-z]+\.[A-Za-z0-9._-]+", i) for i in ids)


def test_the_table_of_contents_holds_every_statement_once():
    listed = [i for _, _, ids in CONTENTS for i in ids]
    assert sorted(listed) == sorted(s.id for s in CATALOGUE)


@each
def test_a_statement_is_complete(s):
    for words in (s.number, s.title, s.kind, s.says, s.plainly, s.source.place):
        assert words.strip() == words != ""
    assert "\n" not in s.plainly
    figures = re.findall(r"\d+(?:\.\d+)*", s.number)
    assert not figures or figures[0] in s.source.place, "a reader finds the statement by its number"
    assert s.hypotheses
    assert s.rho > 1
    assert not (s.constant == "hidden" and isinstance(s.conclusion, HighProbability))


@each
def test_hypotheses_have_one_guarantor_each_and_names_of_their_own(s):
    for h in s.hypotheses:
        assert [h.holds, h.guaranteed_by, h.assumed].count(None) == 2
        assert h.says.strip()
    assert len({h.says for h in s.hypotheses}) == len(s.hypotheses)


@each
def test_the_formula_can_be_drawn(s):
    mathematics = importlib.import_module("reports.mathematics")
    assert mathematics.pieces(s.says)


@each
def test_there_are_twins_named_by_their_mistake(s):
    assert len(s.twins) >= 3
    names = [t.name for t in s.twins]
    assert len(set(names)) == len(names)
    says = {h.says for h in s.hypotheses}
    for t in s.twins:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", t.name)
        assert t.because.strip()
        assert t.conclusion is not s.conclusion
        assert set(t.without) <= says


@each
def test_instances_have_names_and_digests_of_their_own(s):
    night = s.instances("night")
    names = [x.name for x in night]
    assert len(set(names)) == len(names)
    assert all(NAME.fullmatch(n) for n in [*names, *(t.refuted_on.name for t in s.twins)])
    assert all(x.says.strip() for x in night)
    assert len({digest(x) for x in night}) == len(night)


@each
def test_a_name_means_one_instance(s):
    everywhere = [*s.instances("night"), *(t.refuted_on for t in s.twins)]
    for name in {x.name for x in everywhere}:
        assert len({digest(x) for x in everywhere if x.name == name}) == 1, name


@each
def test_a_longer_profile_begins_with_the_shorter(s):
    for short, long in pairwise(PROFILES):
        few, many = ([digest(x) for x in s.instances(p)] for p in (short, long))
        assert many[: len(few)] == few


@each
def test_quick_instances_lie_within_the_theorem(s):
    assert {x.name: s.violated(x) for _, x in quick(s) if s.violated(x)} == {}


@pytest.mark.parametrize(("s", "n", "t"), TWINS, ids=[f"{s.id}-{t.name}" for s, _, t in TWINS])
def test_a_twin_keeps_what_it_does_not_drop(s, n, t):
    assert s.violated(t.refuted_on, without=t.without) == []
    if t.without:
        assert s.violated(t.refuted_on)  # else nothing was dropped


@each
def test_records_have_ids_of_their_own(s):
    ids = [c.id for c in docket([s], "night")]
    assert len(set(ids)) == len(ids)


# ----------------------------------------------------------------------------------------------- the findings


@pytest.mark.parametrize(("s", "n", "x"), OWN, ids=[f"{s.id}-{x.name}" for s, _, x in OWN])
def test_cheap_instances_come_out_as_declared(s, n, x, store):
    record = hear(s, x, place=position(s), nth=n, sitting=SITTING, store=store)
    assert record.as_declared, (record.because, record.layers)


@pytest.mark.parametrize(("s", "n", "t"), TWINS, ids=[f"{s.id}-{t.name}" for s, _, t in TWINS])
def test_every_twin_is_refuted(s, n, t, store):
    record = hear_twin(s, t, place=position(s), nth=n, sitting=SITTING, store=store)
    assert record.verdict == Finding.REFUTED.value, (record.because, record.layers)


def test_something_cheap_is_heard():
    assert len(OWN) >= 50
    assert {s.id for s, _, _ in TWINS} == {s.id for s in CATALOGUE}


# --------------------------------------------------------------------------------------------------- look-up


@each
def test_a_statement_is_found_by_id(s):
    assert find(s.id) is s
    assert CATALOGUE[position(s) - 1] is s


def test_a_number_is_enough_while_unique(world, catalogue):
    a, b, c = (world.statement(id=i, number=n) for i, n in (("p.a", "1.1"), ("q.a", "1.1"), ("q.b", "1.2")))
    catalogue(a, b, c)
    assert find("1.2") is c
    assert find("q.a") is b
    assert position(c) == 3
    with pytest.raises(UnknownStatement, match=r"'1.1' is not unique; candidates: p.a \(1.1\), q.a \(1.1\)$"):
        find("1.1")
    with pytest.raises(UnknownStatement, match=r"'9' is unknown; the catalogue has: p.a \(1.1\), .*q.b \(1.2\)"):
        find("9")


@pytest.mark.parametrize(
    "s", [s for s in CATALOGUE if isinstance(s.conclusion, ForEach | Expectation)], ids=lambda s: s.id
)
def test_an_instance_from_another_process_is_judged_alike(s):
    """Worker processes get instances through pickle: nothing may hang on their identity."""
    for x in s.instances("quick"):
        assert Comparisons(all=tuple(map(decide, s.conclusion.claims(x)))) == Comparisons(
            all=tuple(map(decide, s.conclusion.claims(pickle.loads(pickle.dumps(x)))))
        )
