"""Replaying a witness: decided in integers alone, then recomputed from its instance through the catalogue.

The first needs no trust in this program, and goes with the witness as one file for the standard library; the second
says that the numbers are the statement's own.
"""

from __future__ import annotations

import ast
import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from theorems.catalogue import UnknownStatement, find
from theorems.checking import box_bound, witness_decision, witness_file
from theorems.checking.guard import NoAnswer, answered
from theorems.checking.keys import digest
from theorems.checking.witness import Witness, decide, read, write
from theorems.checking.witness_evidence import Heard, NoWitness, evidence_on, law_of
from theorems.checking.witness_file import Refused, enclosure, matrix, number
from theorems.checking.witness_instance import classes_of, instance_of
from theorems.statement import BrokenTwin, HighProbability, Instance, Statement, Trials

DEADLINE = 600.0  # seconds, for the recomputation
ENCLOSED = {"refuted", "left", "right", "shared", "K", "allowed", "listed", "drawn", "key"}
FREE = {"v", "numpy"}  # any vector proves, and any version may draw the same

_PARTS = (witness_file, box_bound, witness_decision)  # of the standalone replay, each using those before it


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What came of one witness.

    Parameters
    ----------
    decided : what its evidence proves, in integers alone
    recomputed : whether the instance gives that evidence again
    proven : both
    """

    file: str
    statement: str
    twin: str | None
    mutation: str | None
    instance: str
    decided: str
    recomputed: str
    proven: bool

    @property
    def about(self) -> str:
        """What is refuted, and where."""
        return "/".join(x for x in (self.statement, self.twin, self.mutation) if x) + f"@{self.instance}"


def replay(path: str | os.PathLike[str]) -> Replay:
    """Decide a witness file and recompute it.

    Raises
    ------
    OSError : no regular file to be read
    Refused : naming the file and the reason
    """
    witness = read(path)
    try:
        decision = decide(witness)
        agrees, recomputed = _recomputed(witness)
    except Refused as error:
        raise Refused(f"{os.fspath(path)!r}: {error}") from error
    return Replay(
        file=os.fspath(path),
        statement=witness.statement,
        twin=witness.twin,
        mutation=witness.mutation,
        instance=witness.name,
        decided=decision.says,
        recomputed=recomputed,
        proven=decision.proven and agrees,
    )


def _recomputed(witness: Witness) -> tuple[bool, str]:
    try:
        statement = find(witness.statement)
        twin = next((t for t in statement.twins if t.name == witness.twin), None)
    except UnknownStatement:
        return False, f"this catalogue has no statement {witness.statement}"
    if witness.twin is not None and twin is None:
        return False, f"{statement.id} has no twin {witness.twin} in this catalogue"
    instance = _instance(witness, statement)
    if digest(instance) != witness.instance_digest:
        raise Refused("the instance does not have the digest that the witness gives")
    try:
        return answered("replay", lambda: _compared(witness, statement, twin, instance), deadline=DEADLINE)
    except NoAnswer as error:
        return False, str(error)


def _instance(witness: Witness, statement: Statement) -> Instance:
    """Build the instance from the classes that the statement's own instances are made of; rare ones by night."""
    own = [t.refuted_on for t in statement.twins]
    try:
        return instance_of(witness.instance, classes_of([*own, *statement.instances("quick")]))
    except Refused:
        return instance_of(witness.instance, classes_of([*own, *statement.instances("night")]))


def _compared(witness: Witness, statement: Statement, twin: BrokenTwin | None, x: Instance) -> tuple[bool, str]:
    """Compare the evidence with that of the instance; a mutation may drop a hypothesis or change the size."""
    faults = statement.violated(x, without=() if twin is None else twin.without)
    if faults and witness.mutation is None:
        return False, f"the instance is outside the statement: {'; '.join(faults)}"
    outside = f"; outside the statement, as the mutation allows: {'; '.join(faults)}" if faults else ""
    conclusion = statement.conclusion if twin is None else twin.conclusion
    given = witness.evidence
    if given["kind"] == "probability" and isinstance(conclusion, HighProbability):
        asked, delta = conclusion.size(x), conclusion.delta(x)
        if witness.mutation is None and (asked, delta) != (given["m"], number(given["delta"])):
            return False, f"the instance asks for m = {asked} and delta = {delta}"
        box = conclusion.construction(x, given["m"]).box
        if box is None or law_of(box) != given["law"]:
            return False, "the instance gives another box"
        changed = (
            f" at m = {given['m']}; that '{witness.mutation}' asks for it is not recomputed" if witness.mutation else ""
        )
        return True, f"the instance gives the same box{changed}{outside}"
    try:
        made = evidence_on(
            conclusion,
            x,
            name=statement.id if twin is None else f"{statement.id}/{twin.name}",
            layers=statement.layers,
            heard=_heard(given) if given["kind"] == "trials" else None,
        )
    except NoWitness as error:
        return False, str(error)
    if made == given:
        return True, f"the instance gives the same evidence{outside}"
    if _agree(made, given):
        return True, f"the instance gives the same evidence, within the error bounds of either{outside}"
    drawn = f", drawn by NumPy {given['key']['numpy']}" if given["kind"] == "trials" else ""
    return False, f"the instance gives other evidence{drawn}"


def _heard(given: dict[str, Any]) -> Heard:
    key = given["key"]
    counts = Trials(trials=given["trials"], failures=given["failures"], unsure=given["unsure"])
    return Heard(stream=key["stream"], seed=key["seed"], alpha=number(given["alpha"]), counts=counts)


def _agree(one: Any, other: Any) -> bool:
    """Whether two pieces of evidence may be enclosures of the same: floats differ between machines."""
    if one == other:
        return True
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        if one.keys() == {"rows", "radius"}:
            return _near(one, other)
        return all(one[k] == other[k] or k in FREE or (k in ENCLOSED and _agree(one[k], other[k])) for k in one)
    if not (isinstance(one, list) and isinstance(other, list) and len(one) == len(other)):
        return False
    if any(isinstance(x, dict) for x in one):
        return all(_agree(x, y) for x, y in zip(one, other, strict=True))
    (low, high), (lower, upper) = enclosure(one), enclosure(other)
    return low <= upper and lower <= high


def _near(one: Any, other: Any) -> bool:
    (A, a), (B, b) = matrix(one), matrix(other)
    if [len(row) for row in A] != [len(row) for row in B]:
        return False
    apart = [abs(x - y) for rows in zip(A, B, strict=True) for x, y in zip(*rows, strict=True)]
    return max(apart, default=Fraction(0)) <= a + b  # no entry is larger than the spectral norm


# ------------------------------------------------------------------------------------------------- to take along


def standalone_text() -> str:
    """Give the program that decides a witness with the standard library alone, as one file."""
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    bodies = []
    for part in _PARTS:
        text = Path(str(part.__file__)).read_text(encoding="utf-8")
        lines, (words, *nodes) = text.splitlines(), ast.parse(text).body
        for node in (words, *nodes):
            if isinstance(node, ast.Import | ast.ImportFrom) or node is words:
                lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
            if isinstance(node, ast.Import):
                plain |= {f"import {alias.name}" for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.module.startswith(("theorems", "__")):
                names.setdefault(node.module, set()).update(alias.name for alias in node.names)
        bodies.append("\n".join(lines).strip())
    return "\n".join(
        [
            f'"""{witness_decision.__doc__ or ""}\nRun it: python3 -I -S replay.py witness.json\n"""',
            "",
            "from __future__ import annotations",
            "",
            *sorted(plain),
            *(f"from {module} import {', '.join(sorted(taken))}" for module, taken in sorted(names.items())),
            "",
            *("\n\n" + body for body in bodies),
            "",
            "",
            'if __name__ == "__main__":',
            "    sys.exit(main(sys.argv[1:]))",
            "",
        ]
    )


def write_standalone(witness: Witness, directory: Path) -> Iterable[Path]:
    """Write witness.json and replay.py into a new or empty folder, and give their paths.

    Raises
    ------
    FileExistsError : the folder holds something
    OSError : naming the path
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(errno.EEXIST, "need a new or an empty folder", str(directory))
    write(witness, directory / "witness.json")
    (directory / "replay.py").write_text(standalone_text(), encoding="utf-8")
    return directory / "witness.json", directory / "replay.py"
