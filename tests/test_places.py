"""Instances that users bring: their places in the error budget; and where evidence goes when a trial walks away."""

import os
import random
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path

import pytest

from theorems.checking import budget
from theorems.checking.court import Sitting
from theorems.checking.keys import digest
from theorems.checking.store import FILE_NAME, Store
from theorems.documents import RECORDS
from theorems.verification import Case, docket, hear_all, hear_case, verify

SITTING = Sitting(seed=9, campaign=2, budget=256)


@pytest.fixture
def statement(world, catalogue):
    made = world.statement(world.Coin(name="even", says="a coin"))
    catalogue(made)
    return made


def own(world, p):
    """A user's instance that is refuted, so that its record shows what it pays; the digest depends on p."""
    return Case(statement="made.up", twin=None, instance=world.Coin(name="mine", says="own", p=p), nth=None)


def pays(k):
    return float(budget.for_statement(statement=1, instance=budget.OWN_INSTANCES + k, campaign=2).refute)


@pytest.mark.usefixtures("statement")
def test_a_users_instances_pay_in_the_order_in_which_they_came(world, tmp_path):
    cases = [own(world, p) for p in (1.0, 0.9, 0.8)]
    alphas = [hear_case(case, sitting=SITTING, directory=tmp_path).alpha for case in cases]
    assert alphas == [pays(1), pays(2), pays(3)]
    again = [hear_case(case, sitting=SITTING, directory=tmp_path).alpha for case in reversed(cases)]
    assert again == alphas[::-1]
    assert hear_case(own(world, 0.7), sitting=SITTING, directory=tmp_path).alpha == pays(4)


def test_the_instances_of_the_catalogue_keep_theirs(world, statement, tmp_path):
    hear_case(own(world, 1.0), sitting=SITTING, directory=tmp_path)
    [case] = docket([statement], "quick")
    bad = replace(case, instance=world.Coin(name="bad", says="a coin", p=1.0))
    spent = float(budget.for_statement(statement=1, instance=1, campaign=2).refute)
    assert hear_case(bad, sitting=SITTING, directory=tmp_path).alpha == spent


class Backwards(Executor):
    """Waits for all the tasks, and does the last one first."""

    def __init__(self, expected):
        self.expected, self.waiting = expected, []

    def submit(self, task, *arguments):
        self.waiting.append((Future(), task, arguments))
        if len(self.waiting) == self.expected:
            for future, do, given in reversed(self.waiting):
                future.set_result(do(*given))
        return self.waiting[-1][0]


@pytest.mark.usefixtures("statement")
def test_places_do_not_depend_on_who_is_heard_first(world, tmp_path):
    cases = [own(world, p) for p in (1.0, 0.9, 0.8)]
    here = list(hear_all(cases, sitting=SITTING, directory=tmp_path / "a", executor=None))
    there = list(hear_all(cases, sitting=SITTING, directory=tmp_path / "b", executor=Backwards(3)))
    assert [r.alpha for r in here] == [pays(1), pays(2), pays(3)]
    assert there == here


@pytest.mark.usefixtures("statement")
def test_a_place_is_taken_in_the_store(world, tmp_path):
    case = own(world, 1.0)
    hear_case(case, sitting=SITTING, directory=tmp_path)
    with Store.open(tmp_path) as store:
        assert store.place_of("made.up", digest(case.instance)) == budget.OWN_INSTANCES + 1


# ---------------------------------------------------------------------------------------- the working folder


def test_a_trial_that_changes_the_folder_moves_no_record(world, catalogue, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)

    def draw(x, m):
        good = world.draw(x)

        def walk(rng, trials):
            os.chdir(tmp_path / "elsewhere")
            return good(rng, trials)

        return walk

    coins = [world.Coin(name=name, says="a coin") for name in ("first", "second")]
    made = world.statement(*coins, conclusion=world.conclusion(draw=draw))
    catalogue(made)
    verify(
        docket([made], "quick"),
        words=["verify"],
        sitting=SITTING,
        profile="quick",
        directory=Path("store"),
        executor=None,
        progress=lambda _: None,
    )
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert {p.name for p in (tmp_path / "store").iterdir()} >= {RECORDS, FILE_NAME}
    assert Path.cwd() == tmp_path / "elsewhere"  # the trial did walk


def test_cases_heard_one_by_one_keep_the_folder_of_the_start(world, catalogue, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)

    def walk(x):
        os.chdir(tmp_path / "elsewhere")
        return random.random()  # and is undecided

    coins = [world.Coin(name=name, says="a coin") for name in ("first", "second")]
    made = world.statement(*coins, conclusion=replace(world.conclusion(), delta=walk))
    catalogue(made)
    records = hear_all(docket([made], "quick"), sitting=SITTING, directory=Path("store"), executor=None)
    assert [r.verdict for r in records] == ["UNDECIDED", "UNDECIDED"]
    assert list((tmp_path / "elsewhere").iterdir()) == []
