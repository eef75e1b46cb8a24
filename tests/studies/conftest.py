"""A made-up study, and a registry that holds nothing but studies of the test."""

from collections.abc import Callable
from typing import Any

import pytest

from theorems.studies import registry
from theorems.studies.study import Column, Figure, Study

ROWS = (("low", 2, 0.5), ("low", 4, 0.25), ("high", 2, None), ("high", 4, 1e-300))


def made_up(name: str = "made.up", **changes: Any) -> Study:
    given = {
        "id": name,
        "title": "A table",
        "about": ("glss.thm3.3",),
        "says": "It falls.",
        "columns": (
            Column(name="kind", says="low or high"),
            Column(name="m", says="draws"),
            Column(name="error", says="measured"),
        ),
        "rows": lambda profile, sitting, _store: ROWS if profile == "quick" else (*ROWS, ("low", 8, sitting.seed)),
        "figures": (Figure(x="m", y=("error",), by=("kind",), x_scale="log", level=(0.3, "asked")),),
    }
    return Study(**given | changes)


@pytest.fixture
def study() -> Callable[..., Study]:
    return made_up


@pytest.fixture
def studies(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let made-up studies be all there are."""

    def fill(*found: Study) -> None:
        monkeypatch.setattr(registry, "STUDIES", found)

    return fill
