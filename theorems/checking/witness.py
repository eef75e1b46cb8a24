"""Witnesses: a violation as data, which anyone can replay, on any machine, in any later version.

    make(statement, twin, instance) -> Witness -> write(witness, path) -> read(path) -> decide(witness)

The evidence is decided with integers alone (`witness_decision`); what it says is the instance's own is recomputed
through the catalogue (`theorems.replaying`).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theorems.checking.keys import digest
from theorems.checking.witness_decision import decide_document
from theorems.checking.witness_evidence import Heard, NoWitness, evidence_on
from theorems.checking.witness_file import FIELDS, LARGEST, SCHEMA, canonical, document_of, read_document
from theorems.checking.witness_instance import Data, written
from theorems.statement import BrokenTwin, Conclusion, Instance, Statement

__all__ = ["Decision", "Heard", "NoWitness", "Witness", "decide", "make", "read", "write"]


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A violation as data.

    Parameters
    ----------
    statement, twin : id of the statement, name of its twin or None
    mutation : what was changed in the statement, in words, where it is neither itself nor a twin; else None
    claim : the false sentence, in one line of English
    name : of the instance
    instance : its fields, see `witness_instance`
    instance_digest : `keys.digest` of the instance
    evidence : see `witness_evidence`
    """

    statement: str
    twin: str | None
    mutation: str | None
    claim: str
    name: str
    instance: Data
    instance_digest: str
    evidence: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """Give what the file holds, with its digest."""
        body = {"schema": SCHEMA, **{key: getattr(self, key) for key in FIELDS - {"schema"}}, "evidence": self.evidence}
        return body | {"digest": hashlib.sha256(canonical(body)).hexdigest()}


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a witness proves its violation, and what it proves, in one line."""

    proven: bool
    says: str


def make(
    statement: Statement,
    twin: BrokenTwin | None,
    instance: Instance,
    *,
    heard: Heard | None = None,
    conclusion: Conclusion | None = None,
    mutation: str | None = None,
) -> Witness:
    """Put down why an instance refutes a statement, or its twin, as evidence that integers alone can decide.

    Parameters
    ----------
    heard : the trials that refuted it, where no exact evidence does; they are drawn again from their key
    conclusion, mutation : another conclusion than the statement's or its twin's, and what it changes, in words

    Raises
    ------
    NoWitness : nothing on this instance is refuted, or it does not fit into a witness
    """
    if (conclusion is None) != (mutation is None):
        raise TypeError("make(conclusion, mutation): need both or neither")
    said = statement.conclusion if twin is None else twin.conclusion
    evidence = evidence_on(
        said if conclusion is None else conclusion,
        instance,
        name=statement.id if twin is None else f"{statement.id}/{twin.name}",
        layers=statement.layers,
        heard=heard,
    )
    made = Witness(
        statement=statement.id,
        twin=None if twin is None else twin.name,
        mutation=mutation,
        claim=_one_line(statement.plainly if twin is None else f"{statement.plainly} [{twin.because}]"),
        name=instance.name,
        instance=written(instance),
        instance_digest=digest(instance),
        evidence=evidence,
    )
    document_of(_bytes(made))  # what is written can be read
    if not decide(made).proven:
        raise NoWitness(f"{statement.id} on {instance.name}: {decide(made).says}")
    return made


def write(witness: Witness, path: str | os.PathLike[str]) -> None:
    """Write a witness whole or not at all: temporary file, flush to disk, rename.

    Raises
    ------
    NoWitness : it is larger than a file may be
    OSError : naming the path
    """
    target = Path(path)
    data = _bytes(witness)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> Witness:
    """Read a witness strictly: a regular file of at most 4 MiB, in canonical form, with its digest.

    Raises
    ------
    Refused : naming the file and the reason
    """
    document = read_document(path)
    return Witness(**{key: document[key] for key in (FIELDS | {"evidence"}) - {"schema"}})


def decide(witness: Witness) -> Decision:
    """Decide whether the evidence proves the violation, in integers alone.

    Raises
    ------
    Refused : evidence that is malformed
    """
    proven, says = decide_document(witness.document())
    return Decision(proven=proven, says=says)


def _bytes(witness: Witness) -> bytes:
    data = canonical(witness.document())
    if len(data) > LARGEST:
        raise NoWitness(f"{witness.statement} on {witness.name}: {len(data)} bytes are more than {LARGEST}")
    return data


def _one_line(text: str) -> str:
    return " ".join(text.split())
