import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from theorems.catalogue import CATALOGUE
from theorems.checking.budget import RELEASE_SEED
from theorems.checking.court import Sitting
from theorems.documents import RECORDS
from theorems.statement import HypothesisNotMet
from theorems.verification import docket, hear_all, hear_case, not_run, open_sitting, verify

SITTING = Sitting(seed=9, campaign=2, budget=256)


@pytest.fixture
def two(world, catalogue):
    """A catalogue of two statements, each with two instances and one twin."""
    coins = tuple(world.Coin(name=n, says="a coin", p=p) for n, p in (("even", 0.0), ("bad", 0.02)))
    statements = [world.statement(*coins, id=f"made.{k}", number=k, twins=(world.twin(),)) for k in ("one", "two")]
    catalogue(*statements)
    return statements


def test_the_docket_is_in_order(two):
    assert [c.id for c in docket(two, "quick")] == [
        "made.one@even",
        "made.one@bad",
        "made.one/biased@biased-coin",
        "made.two@even",
        "made.two@bad",
        "made.two/biased@biased-coin",
    ]
    assert [c.nth for c in docket(two, "quick")] == [1, 2, 1, 1, 2, 1]


def test_what_is_left_out_is_listed(two):
    cases = docket(two, "night")
    assert [c["id"] for c in not_run(cases[1:4])] == [cases[0].id, cases[4].id, cases[5].id]
    assert {c["why"] for c in not_run([])} == {"not selected"}
    assert not_run(cases) == []


def test_a_case_can_be_sent_to_another_process():
    for case in docket(CATALOGUE, "quick"):
        again = pickle.loads(pickle.dumps(case))
        assert (again.id, again.nth) == (case.id, case.nth)


def test_records_do_not_depend_on_the_selection_or_the_executor(two, tmp_path):
    cases = docket(two, "quick")
    here = list(hear_all(cases, sitting=SITTING, directory=tmp_path / "a", executor=None))
    assert [r.id for r in here] == [c.id for c in cases]
    alone = hear_case(cases[4], sitting=SITTING, directory=tmp_path / "b")
    assert alone == here[4]
    with ThreadPoolExecutor(1) as executor:  # one thread: the guard of the trials covers the whole process
        there = list(hear_all(cases, sitting=SITTING, directory=tmp_path / "c", executor=executor))
    assert there == here


def test_the_release_seed_is_campaign_one_and_needs_no_store(tmp_path):
    assert open_sitting(seed=RELEASE_SEED, trials=7, directory=tmp_path) == Sitting(
        seed=RELEASE_SEED, campaign=1, budget=7
    )
    assert list(tmp_path.iterdir()) == []


def test_a_new_seed_opens_a_campaign_once(tmp_path):
    campaigns = [open_sitting(seed=s, trials=7, directory=tmp_path).campaign for s in (1, 2, 1, 3, 2)]
    assert campaigns == [2, 3, 2, 4, 3]


def test_a_later_campaign_pays_more(two, tmp_path):
    case = docket(two, "quick")[0]
    alphas = [
        hear_case(case, sitting=Sitting(seed=1, campaign=v, budget=256), directory=tmp_path).alpha for v in (1, 2)
    ]
    assert alphas[1] == pytest.approx(alphas[0] / 4, rel=1e-12)


def test_verify_tells_and_leaves_the_records(two, tmp_path):
    told = []
    made = verify(
        docket(two, "quick")[:3],
        words=["verify", "-k", "a b"],
        sitting=SITTING,
        profile="quick",
        directory=tmp_path,
        executor=None,
        progress=told.append,
    )
    assert [r.id for r in told] == [r["id"] for r in made["records"]]
    assert json.loads((tmp_path / RECORDS).read_text()) == json.loads(json.dumps(made))
    assert len(made["not_run"]) == 3
    assert made["command"] == f"theorems verify -k 'a b' --seed {SITTING.seed} --budget {SITTING.budget}"


def test_an_instance_outside_stops_the_run_and_keeps_old_records(world, catalogue, tmp_path):
    statement = world.statement(world.Coin(name="two", says="impossible", p=2.0))
    catalogue(statement)
    (tmp_path / RECORDS).write_text("old")
    with pytest.raises(HypothesisNotMet, match="p must lie in"):
        verify(
            docket([statement], "quick"),
            words=["verify"],
            sitting=SITTING,
            profile="quick",
            directory=tmp_path,
            executor=None,
            progress=lambda _: None,
        )
    assert (tmp_path / RECORDS).read_text() == "old"
