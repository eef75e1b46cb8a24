# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from theorems import probing
from theorems.catalogue import find
from theorems.checking import budget
from theorems.checking.bernoulli import below_delta, refuting_table
from theorems.checking.budget import Allowance
from theorems.checking.court import Sitting
from theorems.checking.keys import digest
from theorems.checking.operating_characteristics import follow
from theorems.checking.search.portfolio import Search, listed, run
from theorems.checking.store import Store
from theorems.checking.synthetic import binomial_band, coin
from theorems.checking.witness import decide, read
from theorems.command_line import app
from theorems.statement import Construction, HighProbability, Instance, SpectralBatch

SEED = 3


def probed(*words, store, seed=SEED):
    return CliRunner().invoke(app, ["probe", *words, "--store", str(store), "--seed", str(seed), "--json"])


def test_a_twin_falls_without_its_own_instance_and_leaves_proofs(tmp_path):
    ran = probed("glss.eq2", "--twin", "upper_side_only", "--budget", "25", store=tmp_path)
    made = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert (made["verdict"], made["as_declared"], made["twin"]) == ("REFUTED", True, "upper_side_only")
    twin = next(t for t in find("glss.eq2").twins if t.name == "upper_side_only")
    assert made["worst"]["instance_digest"] != digest(twin.refuted_on)
    worst, smallest = (read(made["witnesses"][word]) for word in ("worst", "smallest"))
    assert decide(worst).proven
    assert decide(smallest).proven
    assert made["looks"] == 25


def test_a_true_sentence_says_that_nothing_was_found(tmp_path):
    ran = probed("cor.opt", "--budget", "30", store=tmp_path)
    made = json.loads(ran.stdout)
    assert ran.exit_code == 0
    assert (made["verdict"], made["as_declared"], made["looks"]) == ("NONE FOUND", True, 30)
    assert 0 < made["worst"]["ratio"] <= 1
    kept = json.loads(Path(made["witnesses"]["worst seen"]).read_text())
    assert kept["refutes"] is False


def test_one_seed_and_budget_give_the_same_witness_bytes(tmp_path):
    words = ("glss.Yr-2nd", "--twin", "one_percent_less", "--budget", "20")
    files = []
    for name in ("one", "two"):
        made = json.loads(probed(*words, store=tmp_path / name).stdout)
        files.append(Path(made["witnesses"]["worst"]).read_bytes())
    assert files[0] == files[1]


def test_ctrl_c_keeps_what_was_found_and_resume_goes_on(tmp_path, monkeypatch):
    words = ("glss.eq2", "--twin", "upper_side_only", "--budget", "25")
    look = Search.look

    def interrupted(self, x, by):
        if len(self.sights) == 10:
            raise KeyboardInterrupt
        return look(self, x, by)

    monkeypatch.setattr(Search, "look", interrupted)
    assert probed(*words, store=tmp_path / "a").exit_code == 130
    folder = tmp_path / "a" / probing.WITNESSES
    assert decide(read(folder / "glss.eq2.upper_side_only.worst.json")).proven
    cached = (tmp_path / "a" / probing.CACHE / "glss.eq2.upper_side_only.jsonl").read_text().splitlines()
    assert len(cached) == 10
    monkeypatch.setattr(Search, "look", look)
    resumed = json.loads(probed(*words, "--resume", store=tmp_path / "a").stdout)
    whole = json.loads(probed(*words, store=tmp_path / "b").stdout)
    assert resumed["worst"] == whole["worst"]
    lines = (tmp_path / "a" / probing.CACHE / "glss.eq2.upper_side_only.jsonl").read_text().splitlines()
    assert len(lines) == 25  # ten of them were taken over
    one, two = (tmp_path / n / probing.WITNESSES / "glss.eq2.upper_side_only.worst.json" for n in "ab")
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    "words",
    [(), ("3.3", "--twin", "none"), ("3.3", "--twins", "--constant"), ("glss.eq2", "--constant"), ("no.such",)],
)
def test_wrong_usage_is_one_line(words, tmp_path):
    ran = probed(*words, store=tmp_path)
    assert ran.exit_code == 2
    assert len(ran.stderr.strip().splitlines()) == 1


def test_the_table_of_twins(tmp_path):
    ran = probed("glss.eq11", "--twins", "--budget", "40", store=tmp_path)
    made = json.loads(ran.stdout)
    assert [r["twin"] for r in made["twins"]] == [t.name for t in find("glss.eq11").twins]
    assert all(r["verdict"] == "REFUTED" for r in made["twins"])
    own = {digest(t.refuted_on): t.name for t in find("glss.eq11").twins}
    assert all(own.get(r["worst"]["instance_digest"]) != r["twin"] for r in made["twins"])


# ------------------------------------------------------------------------------------------------------ error rates


def test_nominations_of_all_searches_stay_within_what_listed_instances_leave():
    many = range(1, 300)
    searches = sum(budget.for_nomination(statement=1, twin=None, campaign=1, nomination=j).refute for j in many)
    listed = sum(budget.for_statement(statement=1, instance=i, campaign=1).refute for i in many)
    assert listed + searches < budget.ALPHA_REFUTED * budget.share(1) * budget.share(1)
    twins = sum(budget.for_twin(statement=1, twin=k, campaign=1).refute for k in range(1, 101))
    behind = sum(
        budget.for_nomination(statement=1, twin=k, campaign=1, nomination=j).refute for k in many for j in (1, 2, 3)
    )
    assert twins + behind < budget.ALPHA_TWINS * budget.share(1) * budget.share(1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifted(Instance):
    """A fair coin whose two sides are named anew for every instance: p is exactly delta, whatever the search picks."""

    shift: int


HALF = Fraction(1, 2)
LEVEL = Fraction(1, 20)  # test-only
INSTANCES, NOMINATED = 4, 2


def shifted_conclusion():
    def construction(x, m):
        plain = coin(HALF, 32).construction

        def draw(rng, trials):
            # instance k reads the k-th of 16 rows: searches see other draws on other instances
            rows = rng.integers(2, size=(16, trials))
            fails = rows[x.shift % 16] == 1
            drawn = plain.draw(rng, trials)
            Kt = drawn.Kt * 0 + [[[4.0]] if f else [[1.0]] for f in fails]
            return SpectralBatch(
                K=drawn.K, K_radius=0.0, Kt=Kt, Kt_radius=drawn.Kt_radius, eps=drawn.eps, a=drawn.a, b=drawn.b
            )

        return Construction(size=m, batch_size=32, draw=draw, facts={})

    return HighProbability(size=lambda x: 1, construction=construction, delta=lambda x: HALF, stress="none")


def campaigns(world, count):
    """How many searches, among instances that are all true with p exactly delta, end in REFUTED."""
    made = world.statement(conclusion=shifted_conclusion(), hypotheses=())
    own = [Shifted(name=f"s{k}", says="a fair coin", shift=k) for k in range(INSTANCES)]
    red = 0
    for seed in range(count):
        with Store.memory() as store:
            probe = probing.Probe(
                statement=made,
                twin=None,
                sitting=Sitting(seed=seed, campaign=2, budget=128, code=digest("campaigns")),
                store=store,
                directory=Path("unused"),
                allowance=lambda j: Allowance(refute=LEVEL * budget.share(j), support=LEVEL),
            )
            probe.search.keep = lambda *_: None
            probe.search.found = lambda _: False
            run(probe.search, own, [(listed, Fraction(1))])
            # the most suspicious ones, whether or not they look violated: the hardest case for the court
            for sight in probe.search.best[:NOMINATED]:
                probe.nominate(sight)
            red += bool(probe.refuted)
    return red


def chance_of_red():
    """The exact chance that one of the nominations, each on draws of its own, is refuted."""
    n = np.arange(32, 129, 32)
    spared = 1.0
    for j in range(1, NOMINATED + 1):
        refuting = refuting_table(n, HALF, LEVEL * budget.share(j)).tolist()
        *_, (refuted, _, _) = follow(zip(refuting, below_delta(n, HALF, LEVEL).tolist(), strict=True), HALF, 32)
        spared *= 1 - refuted
    return 1 - spared


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.night)])
def test_campaigns_on_true_sentences_stay_within_the_exact_band(world, count):
    assert 0 < chance_of_red() < LEVEL
    least, most = binomial_band(count, chance_of_red(), Fraction(1, 10**9))
    assert least <= campaigns(world, count) <= most


@pytest.mark.parametrize("name", ["glss.eq3", "glss.eq2", "akm.prop4"])
def test_a_true_statement_is_not_accused(name, tmp_path):
    """Moves that break what a construction guarantees are kept from statements themselves."""
    ran = probed(name, "--budget", "60", store=tmp_path)
    assert ran.exit_code == 0, ran.output
