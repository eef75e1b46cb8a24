"""Which code is running: evidence is kept under the digest of the source that made it.

The digest is taken when the program starts, before the rooms are imported, and again after; source that changes in
between stops the run, since old code would file its evidence under the name of the new. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

_PACKAGES = ("reference", "theorems")
_ROOT = Path(__file__).parents[2]


class SourceChanged(RuntimeError):
    """The source was edited while the program ran: run it again."""


@cache
def code_digest() -> str:
    """SHA-256 of the source of the packages `reference` and `theorems`; read once per process."""
    return source_digest(_ROOT, _PACKAGES)


def require_unchanged(code: str) -> None:
    """Check that the source on disk still has the digest `code`.

    Raises
    ------
    SourceChanged : it has another
    """
    now = source_digest(_ROOT, _PACKAGES)
    if now != code:
        raise SourceChanged(
            f"the source must not change while it runs, digest {code[:16]} became {now[:16]}; nothing was concluded, "
            "run again"
        )


def source_digest(root: Path, packages: Sequence[str]) -> str:
    """SHA-256 over the Python files of some packages, each with its path.

    Parameters
    ----------
    root : folder that holds the packages
    packages : their names

    Raises
    ------
    FileNotFoundError : a package without Python files
    """
    whole = hashlib.sha256()
    for package in packages:
        found = sorted((p.relative_to(root).as_posix(), p.read_bytes()) for p in (root / package).rglob("*.py"))
        if not found:
            raise FileNotFoundError(f"source_digest(packages): need Python files in {root / package}; got none")
        for name, text in found:
            for part in (name.encode(), text):
                whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
