"""Replaying witnesses: the corpus, the command, and the one file that needs nothing but the standard library."""
# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for

import ast
import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from theorems.catalogue import find
from theorems.checking.bernoulli import least_refuting
from theorems.checking.budget import ALPHA_TWINS
from theorems.checking.events import Event
from theorems.checking.keys import digest, generator
from theorems.checking.witness import Heard, decide, make, read, write
from theorems.checking.witness_decision import decide_document
from theorems.checking.witness_file import Refused, canonical, document_of
from theorems.command_line import app
from theorems.replaying import replay, standalone_text, write_standalone
from theorems.statement import Answer, Claim, ForEach, Trials

WITNESSES = sorted((Path(__file__).parent / "witnesses").glob("*.json"))
F = Fraction


def alone(directory, *names):
    """Run replay.py in a Python without this project, without packages and without the working folder."""
    command = [sys.executable, "-I", "-S", "replay.py", *names]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def twin_of(statement, name):
    return next(t for t in statement.twins if t.name == name)


def refuted(statement, twin):
    """Hear trials until they refute, as the court does."""
    x, conclusion = twin.refuted_on, twin.conclusion
    event = Event(construction=conclusion.construction(x, conclusion.size(x)))
    trials = failures = unsure = 0
    for index in range(64):
        rng = generator(
            statement=f"{statement.id}/{twin.name}",
            instance=digest(x),
            stream="evidence",
            seed=5,
            batch_size=event.batch_size,
            index=index,
        )
        answers = event.run(rng, event.batch_size).answers
        trials += event.batch_size
        failures += int((answers == Answer.OUT).sum())
        unsure += int((answers == Answer.UNSURE).sum())
        least = least_refuting(trials, conclusion.delta(x), ALPHA_TWINS)
        if least is not None and failures >= least:
            counts = Trials(trials=trials, failures=failures, unsure=unsure)
            return Heard(stream="evidence", seed=5, alpha=ALPHA_TWINS, counts=counts)
    pytest.fail(f"{twin.name} was not refuted in {trials} trials")


KINDS = [
    ("glss.Yr-2nd", "one_percent_less", "claims"),
    ("glss.eq1", "ridge_left_out", "claims"),
    ("glss.thm3.3", "eps_for_eps_squared", "probability"),
    ("akm.lem8", "plain_features_at_leverage_size", "trials"),
    ("glss.eq12", "one_over_m_forgotten", "trials"),
]


@pytest.fixture(params=KINDS, ids=lambda k: f"{k[0]}-{k[1]}")
def made(request, tmp_path):
    """A witness of a real twin, in a file."""
    statement = find(request.param[0])
    twin = twin_of(statement, request.param[1])
    heard = refuted(statement, twin) if request.param[2] == "trials" else None
    witness = make(statement, twin, twin.refuted_on, heard=heard)
    assert witness.evidence["kind"] == request.param[2]
    write(witness, tmp_path / "w.json")
    return tmp_path / "w.json"


# ----------------------------------------------------------------------------------------------------- the corpus


def test_the_corpus_is_broad():
    witnesses = [read(p) for p in WITNESSES]
    assert len(witnesses) >= 12
    assert len({w.statement for w in witnesses}) >= 12
    assert {w.evidence["kind"] for w in witnesses} == {"claims", "probability", "trials"}


@pytest.mark.parametrize("path", WITNESSES, ids=lambda p: p.stem)
def test_the_corpus_replays(path):
    witness, seen = read(path), replay(path)
    assert decide(witness).proven
    # NumPy promises the draws of a key within one version only
    again = witness.evidence["kind"] != "trials" or witness.evidence["key"]["numpy"] == np.__version__
    assert seen.proven or not again, seen


def test_the_corpus_replays_with_the_standard_library_alone(tmp_path):
    (tmp_path / "replay.py").write_text(standalone_text())
    ran = alone(tmp_path, *map(str, WITNESSES))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("PROVEN ") == len(WITNESSES)


ODD = (None, True, -1, 0, 1, 10**30, "", "1/3", "0x1.0p+0", "a", [], {}, [1, 2], {"kind": "claims"}, "../..")


def places(value, path=()):
    """Every place inside a JSON value."""
    yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, (*path, key))


def changed(value, path, odd):
    if not path:
        return odd
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], odd)
    return copy


@pytest.mark.parametrize("path", WITNESSES, ids=lambda p: p.stem)
def test_no_odd_value_makes_the_decision_crash(path):
    rng = np.random.default_rng([ord(c) for c in path.stem])
    witness = read(path)
    everywhere = [p for p in places(witness.evidence) if p]
    for _ in range(60):
        where, odd = everywhere[rng.integers(len(everywhere))], ODD[rng.integers(len(ODD))]
        signed = replace(witness, evidence=changed(witness.evidence, where, odd)).document()
        with suppress(Refused):
            assert isinstance(decide_document(document_of(canonical(signed)))[0], bool)


# ----------------------------------------------------------------------------------------------------- standalone


def test_the_standalone_replay_imports_the_standard_library_alone():
    tree = ast.parse(standalone_text())
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    defined = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    defined += [t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets]
    assert len(defined) == len(set(defined))  # parts that share one file must not share names


def test_every_kind_replays_alone_and_here(made, tmp_path):
    folder = tmp_path / "taken along"
    witness, _ = write_standalone(read(made), folder)
    assert witness.read_bytes() == made.read_bytes()
    ran = alone(folder, "witness.json")
    assert ran.returncode == 0, ran
    assert ran.stdout.startswith("PROVEN")
    seen = replay(made)
    assert seen.proven, seen
    assert seen.decided in ran.stdout


def test_a_tampered_witness_is_refused_alone(made, tmp_path):
    folder = tmp_path / "out"
    witness, _ = write_standalone(read(made), folder)
    data = bytearray(witness.read_bytes())
    data[len(data) // 2] ^= 1
    witness.write_bytes(data)
    ran = alone(folder, "witness.json")
    assert ran.returncode == 5
    assert ran.stdout == ""
    assert ran.stderr.startswith("refused: 'witness.json': ")
    assert ran.stderr.count("\n") == 1


def test_the_codes_of_the_standalone_replay(made, tmp_path):
    folder = tmp_path / "out"
    write_standalone(read(made), folder)
    assert alone(folder).returncode == 2
    assert alone(folder, "missing.json").returncode == 2
    assert alone(folder, ".").returncode == 2


def test_a_folder_with_something_in_it_is_not_written_to(made, tmp_path):
    with pytest.raises(FileExistsError):
        write_standalone(read(made), tmp_path)


# ------------------------------------------------------------------------------------------------- recomputation


def forged(path, **changes):
    """Change a witness and sign it again: only the recomputation can tell."""
    write(replace(read(path), **changes), path)
    return replay(path)


def test_another_digest_of_the_instance_is_corrupt(made):
    with pytest.raises(Refused, match="digest"):
        forged(made, instance_digest="0" * 64)


def test_an_instance_of_another_class_is_corrupt(made):
    instance = read(made).instance
    with pytest.raises(Refused, match="no instance of this statement"):
        forged(made, instance={**instance, "record": "Popen"})


@pytest.mark.parametrize("change", [{"statement": "glss.none"}, {"twin": "none"}])
def test_what_the_catalogue_does_not_have_is_not_proven(made, change):
    seen = forged(made, **change)
    assert not seen.proven
    assert "catalogue" in seen.recomputed


def test_the_statement_itself_is_not_refuted_by_the_witness_of_its_twin(made):
    assert not forged(made, twin=None).proven


def test_true_numbers_that_are_not_the_instances_prove_nothing(tmp_path):
    statement = find("glss.eq1")
    twin = twin_of(statement, "ridge_left_out")
    path = tmp_path / "w.json"
    lie = Claim(says="2 <= 1", left=F(2), relation="<=", right=F(1))
    invented = make(statement, twin, twin.refuted_on, conclusion=ForEach(claims=lambda x: [lie]), mutation="lies")
    write(replace(invented, mutation=None), path)
    seen = replay(path)
    assert not seen.proven
    assert "other evidence" in seen.recomputed


def test_an_instance_outside_the_statement_proves_nothing_unless_a_mutation_says_so(tmp_path):
    statement = find("glss.thm3.3")
    twin = twin_of(statement, "ridge_beyond_the_norm")
    path = tmp_path / "w.json"
    write(make(statement, twin, twin.refuted_on), path)
    assert replay(path).proven
    assert statement.violated(twin.refuted_on)
    own = make(statement, None, twin.refuted_on, conclusion=twin.conclusion, mutation="lam may exceed the norm")
    write(own, path)
    seen = replay(path)
    assert seen.proven, seen
    assert "outside the statement" in seen.recomputed
    write(replace(own, mutation=None), path)
    assert "outside the statement" in replay(path).recomputed
    assert not replay(path).proven


def test_another_size_is_noticed_and_a_mutation_may_ask_for_it(tmp_path):
    statement = find("glss.thm3.3")
    twin = twin_of(statement, "accuracy_squared")
    x, path = twin.refuted_on, tmp_path / "w.json"
    smaller = replace(statement.conclusion, size=lambda x: 7)
    witness = make(statement, None, x, conclusion=smaller, mutation="m = 7")
    write(witness, path)
    seen = replay(path)
    assert seen.proven, seen
    assert "m = 7" in seen.recomputed
    write(replace(witness, mutation=None), path)
    assert not replay(path).proven


def test_another_box_is_noticed(tmp_path):
    statement = find("glss.thm3.3")
    twin = twin_of(statement, "eps_for_eps_squared")
    witness = make(statement, twin, twin.refuted_on)
    law = [{**atom, "high": atom["low"] - 1} for atom in witness.evidence["law"]]
    seen = write_and_replay(replace(witness, evidence={**witness.evidence, "law": law}), tmp_path)
    assert decide(witness).proven
    assert "another box" in seen.recomputed
    assert not seen.proven


def write_and_replay(witness, folder):
    write(witness, folder / "w.json")
    return replay(folder / "w.json")


def test_another_machine_may_give_another_enclosure_of_the_same(tmp_path):
    statement = find("glss.eq4")
    twin = twin_of(statement, "ridge_times_n")
    witness = make(statement, twin, twin.refuted_on)
    claim = witness.evidence["refuted"][0]
    low, high = (F(x) for x in claim["left"])
    for shift, agrees in ((F(0), True), ((high - low) / 2, True), (2 * (high - low), False)):
        moved = {**claim, "left": [str(low + shift), str(high + shift)]}
        seen = write_and_replay(replace(witness, evidence={**witness.evidence, "refuted": [moved]}), tmp_path)
        assert seen.proven == agrees, seen


def test_another_seed_is_noticed(tmp_path):
    statement = find("glss.eq12")
    twin = twin_of(statement, "one_over_m_forgotten")
    witness = make(statement, twin, twin.refuted_on, heard=refuted(statement, twin))
    key = {**witness.evidence["key"], "seed": 6}
    write(replace(witness, evidence={**witness.evidence, "key": key}), tmp_path / "w.json")
    assert not replay(tmp_path / "w.json").proven


# ---------------------------------------------------------------------------------------------------- the command


def run(*words):
    return CliRunner().invoke(app, ["replay", *map(str, words)])


def test_the_command_prints_both_lines(made):
    seen = run(made)
    assert seen.exit_code == 0
    assert seen.stdout.startswith("PROVEN")
    assert "decided in integers:" in seen.stdout
    assert "recomputed:" in seen.stdout


def test_the_command_in_json(made, tmp_path):
    corrupt = tmp_path / "corrupt.json"
    corrupt.write_text("{}")
    seen = run(made, corrupt, "--json")
    assert seen.exit_code == 5
    told = json.loads(seen.stdout)
    assert [r["proven"] for r in told["replays"]] == [True]
    assert len(told["refused"]) == 1
    assert seen.stderr.count("\n") == 1


def test_the_codes_of_the_command(made, tmp_path):
    assert run(tmp_path / "missing.json").exit_code == 2
    assert run(tmp_path).exit_code == 2
    assert run(made, made, "--standalone", tmp_path / "new").exit_code == 2
    assert run(made, "--standalone", tmp_path).exit_code == 2
    assert run().exit_code == 2
    (tmp_path / "nan.json").write_text('{"a": NaN}')
    assert run(tmp_path / "nan.json").exit_code == 5
    forged(made, twin=None)
    assert run(made).exit_code == 1


def test_the_command_gives_a_folder_to_take_along(made, tmp_path):
    assert run(made, "--standalone", tmp_path / "new").exit_code == 0
    assert alone(tmp_path / "new", "witness.json").returncode == 0
