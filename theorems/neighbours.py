"""The three packages are top level by decision; this makes sure that they are ours.

A user's own `reports/` or `reference/` in the working folder would shadow them, and judge with foreign objects.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent


class IntruderFound(ImportError):
    """Another package answers to one of our names: run from another folder, or rename it."""


def require_our_own() -> None:
    """Check that `reference` and `reports` lie beside `theorems`.

    Raises
    ------
    IntruderFound : naming the intruder
    """
    for name in ("reference", "reports"):
        spec = find_spec(name)  # asks every finder, as an import does: an editable installation brings its own
        places = (
            [] if spec is None else [Path(p).resolve() for p in spec.submodule_search_locations or [spec.origin or ""]]
        )
        if places != [HOME / name]:
            found = ", ".join(str(p) for p in places) or "nothing"
            raise IntruderFound(f"the package {name!r} must lie in {HOME}, but {found} answers to that name")
