# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
import pytest

from theorems.checking.claims import decide
from theorems.checking.keys import digest
from theorems.checking.search import rows
from theorems.checking.search.coordinates import chart, short
from theorems.checking.search.evolution import annealed, cma_es, differential
from theorems.checking.search.families import corner, neighbours, weight
from theorems.checking.search.objective import Objective, Seen, worst_claim
from theorems.checking.search.portfolio import Search, listed, run, structured
from theorems.checking.search.shrinking import shrunk, size
from theorems.statement import Answer, Claim, ForEach, Hypothesis, Instance

ALL = Fraction(1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Toy(Instance):
    """A number, a law with a matrix per atom, points and labels."""

    lam: Fraction = Fraction(1, 2)
    law: tuple[Fraction, ...] = (Fraction(1, 4), Fraction(3, 4))
    grams: tuple = (((Fraction(1), Fraction(0)), (Fraction(0), Fraction(2))),) * 2
    X: np.ndarray
    Y: tuple[Fraction, ...] = (Fraction(1), Fraction(2), Fraction(3))


def toy(**fields):
    return Toy(name="toy", says="toy", **({"X": np.arange(6.0).reshape(3, 2) + 1} | fields))


def sentence(world, claims):
    """A statement about toys, with lam in (0, 1)."""
    bounds = Hypothesis(says="0 < lam < 1", holds=lambda x: None if 0 < x.lam < 1 else f"lam = {x.lam}")
    made = replace(world.statement(), conclusion=ForEach(claims=claims), hypotheses=(bounds,), twins=())
    return replace(made, instances=lambda profile: (toy(),))


def below(bound):
    return lambda x: [Claim(says="lam is small", left=x.lam, relation="<=", right=Fraction(bound))]


def searched(statement, portfolio, budget=120, **options):
    search = Search(objective=Objective(statement=statement, twin=None, seed=5), budget=budget, **options)
    return run(search, statement.instances("quick"), portfolio)


# ----------------------------------------------------------------------------------------------------- coordinates


def test_what_comes_back_from_coordinates_is_in_the_same_sets():
    x = toy()
    made = chart(x)
    rng = np.random.default_rng(3)
    for _ in range(20):
        y = made.back([v + rng.normal() for v in made.at])
        assert y.lam > 0
        assert sum(y.law) == 1
        assert min(y.law) >= 0
        for G in y.grams:
            assert G[0][1] == G[1][0]
            assert G[0][0] * G[1][1] >= G[0][1] ** 2  # exactly
        assert y.X.shape == x.X.shape


def test_an_instance_is_near_its_own_coordinates():
    x = toy()
    y = chart(x).back(chart(x).at)
    assert (y.X == x.X).all()
    assert abs(y.lam - x.lam) <= x.lam * Fraction(1, 2**18)
    assert all(abs(a - b) < Fraction(1, 2**18) for a, b in zip(y.law, x.law, strict=True))


@pytest.mark.parametrize(("x", "digits", "made"), [(0.3, 2, Fraction(1, 4)), (-5.0, 1, Fraction(-4)), (0.0, 4, 0)])
def test_short_keeps_the_leading_digits(x, digits, made):
    assert short(x, digits) == made


# ------------------------------------------------------------------------------------------------------- the ratio

NUMBERS = [Fraction(v) for v in (-3, -1, 0, 1, 3)]


@pytest.mark.parametrize("relation", ["<=", "="])
def test_the_ratio_is_on_the_side_of_the_court(relation):
    for a in NUMBERS:
        for b in NUMBERS:
            claim = Claim(says="x", left=a, relation=relation, right=b)
            assert (worst_claim([claim]).ratio > 1) == (decide(claim).answer is Answer.OUT)


def test_the_ratio_of_matrices_is_the_largest_eigenvalue_and_on_the_side_of_the_court():
    one = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))
    for top in (Fraction(1, 2), Fraction(1), Fraction(1) + Fraction(1, 10**30), Fraction(3)):
        left = ((top, Fraction(0)), (Fraction(0), Fraction(1, 4)))
        seen = worst_claim([Claim(says="x", left=left, relation="Loewner <=", right=one)])
        assert (seen.ratio > 1) == (top > 1)
        assert seen.ratio == pytest.approx(float(top), abs=1e-12)


def test_quotients_too_large_for_a_float_have_a_ratio():
    claim = Claim(says="x", left=Fraction(10**300), relation="<=", right=Fraction(1, 10**300))
    assert worst_claim([claim]).ratio > 1


def test_outside_the_hypotheses_nothing_is_seen(world):
    objective = Objective(statement=sentence(world, below("1/10")), twin=None, seed=0)
    assert objective(toy(lam=Fraction(2))).ratio == 0
    assert objective(toy(lam=Fraction(1, 2))).ratio == 5


def test_a_crash_is_worth_nothing(world):
    statement = sentence(world, lambda x: 1 / 0)
    seen = Objective(statement=statement, twin=None, seed=0)(toy())
    assert (seen.ratio, "ZeroDivisionError" in seen.by) == (0, True)


def test_sampled_looks_share_their_draws_and_steer_by_a_lower_limit(world):
    objective = Objective(statement=world.statement(), twin=None, seed=1)
    bad, good = (world.Coin(name=n, says=n, p=p) for n, p in (("bad", 1.0), ("good", 0.0)))
    assert objective(bad).ratio > 1 > objective(good).ratio
    assert not objective(bad).exact
    half = [
        objective(world.Coin(name="half", says="half", p=0.5, delta=d)).ratio for d in (Fraction(1, 4), Fraction(1, 2))
    ]
    assert half[0] == 2 * half[1]  # the same draws for both


# ----------------------------------------------------------------------------------------------------- families


def test_the_corner_of_a_hypothesis_is_found(world):
    objective = Objective(statement=sentence(world, below(1)), twin=None, seed=0)
    top = corner(toy(), "lam", True, objective.admits)
    assert 1 - Fraction(1, 100) < top < 1


def test_rows_change_together_with_their_labels():
    x = toy()
    for change in rows.changes(3):
        y = rows.changed(x, 3, change)
        assert len(y.X) == len(y.Y) == len(change.indices)
        assert y.grams == x.grams
    merged = rows.changed(x, 2, rows.Change(says="first", indices=(0, 0), factors=(ALL, ALL)))
    assert merged.law == (Fraction(1, 2), Fraction(1, 2))


def test_neighbours_hold_the_named_families(world):
    objective = Objective(statement=sentence(world, below(1)), twin=None, seed=0)
    words = {word for word, _ in neighbours(toy(), [toy()], objective.admits)}
    named = {"duplicate", "antipode", "near-parallel pair", "zero row", "outlier", "orthonormal", "skewed law"}
    assert named | {"equispaced on the circle", "lam at the corner"} <= words


# ----------------------------------------------------------------------------------------------------- the search


def hidden(x):
    """Violated only where lam is within a thousandth of 77/100."""
    distance = abs(x.lam - Fraction(77, 100))
    return [Claim(says="near", left=Fraction(1, 1000), relation="<=", right=distance)]


@pytest.mark.parametrize("strategy", [cma_es, differential, annealed])
def test_optimisers_climb(world, strategy):
    statement = sentence(world, hidden)
    search = searched(statement, [(listed, ALL), (strategy, ALL)], budget=400)
    assert search.best[0].seen.ratio > 4 * search.sights[digest(toy())].seen.ratio


def test_one_seed_and_budget_give_the_same_looks(world):
    portfolio = [(listed, ALL), (structured, ALL / 2), (cma_es, ALL / 2), (differential, ALL)]
    one, two = (searched(sentence(world, hidden), portfolio) for _ in range(2))
    assert list(one.sights) == list(two.sights)
    assert [s.seen for s in one.sights.values()] == [s.seen for s in two.sights.values()]


def test_the_budget_is_kept_and_known_looks_are_not_looked_at_again(world):
    statement = sentence(world, hidden)
    kept = {}
    first = searched(statement, [(listed, ALL), (structured, ALL)], budget=30, keep=kept.__setitem__)
    assert len(first.sights) == len(kept) == 30
    again = {}
    second = searched(statement, [(listed, ALL), (structured, ALL)], budget=40, known=kept, keep=again.__setitem__)
    assert list(second.sights)[:30] == list(first.sights)
    assert len(again) == 10


def test_what_is_excluded_is_not_looked_at(world):
    search = searched(sentence(world, hidden), [(listed, ALL)], excluded=frozenset([digest(toy())]))
    assert not search.sights


def test_a_promise_can_end_the_search(world):
    search = searched(sentence(world, below("1/10")), [(listed, ALL), (structured, ALL)], found=lambda sight: True)
    assert len(search.sights) == 1


# ----------------------------------------------------------------------------------------------------- shrinking


def test_shrinking_keeps_nine_tenths_of_the_ratio_and_the_violation():
    def look(x):
        return Seen(ratio=float(abs(x.X).max()) / 5, exact=True, by="size")

    x = toy(X=np.array([[0.1234567, 5.9876543], [1.0, 2.0], [3.3333, 1.0]]))
    y, seen = shrunk(x, look(x).ratio, look, 200)
    assert seen.ratio > 1
    assert seen.ratio >= 0.9 * look(x).ratio
    assert size(y) < size(x)
    assert len(y.X) == len(y.Y) == 1
    assert weight(y) < weight(x)


def test_what_cannot_be_shrunk_is_left():
    assert shrunk(toy(), 5.0, lambda x: Seen(ratio=0.0, exact=True, by="gone"), 50) is None


def test_an_instance_whose_fields_follow_from_each_other_is_left_alone():
    @dataclass(frozen=True, kw_only=True, eq=False)
    class Bound(Instance):
        root: Fraction
        square: Fraction = field(metadata={"follows": True})

    x = Bound(name="x", says="x", root=Fraction(2), square=Fraction(4))
    assert not list(neighbours(x, [x], lambda x: True))
