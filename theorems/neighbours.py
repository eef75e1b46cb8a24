"""The three packages are top level by decision; this makes sure that they are ours.

A user's own `reports/` or `reference/` in the working folder would shadow them, and judge with foreign objects.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent


class IntruderFound(ImportError):
    """Another package answers to one of our names: run from another folder, or rename it."""


def require_our_own(program: str) -> None:
    """Check that `theorems` is the package of the program that runs, and that `reference` and `reports` lie beside it.

    A foreign `theorems` that comes first on the path under `python -m theorems` runs in our place: nothing here can
    see that.

    Parameters
    ----------
    program : path of the `__main__.py` that runs

    Raises
    ------
    IntruderFound : naming the intruder
    """
    ours = Path(program).resolve().parent
    if ours != HOME / "theorems":
        raise IntruderFound(f"the package 'theorems' must be {ours}, but {HOME / 'theorems'} answers to that name")
    for name in ("reference", "reports"):
        spec = find_spec(name)  # asks every finder, as an import does: an editable installation brings its own
        places = (
            [] if spec is None else [Path(p).resolve() for p in spec.submodule_search_locations or [spec.origin or ""]]
        )
        if places != [HOME / name]:
            found = ", ".join(str(p) for p in places) or "nothing"
            raise IntruderFound(f"the package {name!r} must lie in {HOME}, but {found} answers to that name")
