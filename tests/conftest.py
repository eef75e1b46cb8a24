"""A made-up statement whose truth is known: trials fail with a chosen probability, through the real court."""
# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from theorems.sources import Source
from theorems.statement import (
    BrokenTwin,
    Construction,
    HighProbability,
    Hypothesis,
    Instance,
    SpectralBatch,
    Statement,
)

ONE = np.ones((1, 1))
LAM = Fraction(1, 4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Coin(Instance):
    p: float = 0.0
    unsure: float = 0.0
    delta: Fraction = Fraction(1, 10)


class World:
    """Builds instances, conclusions and statements about 1 x 1 matrices: K = 1, Kt is 1, far off, or unknown."""

    Coin = Coin

    def draw(self, x: Coin) -> Callable[[np.random.Generator, int], SpectralBatch]:
        def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
            u = rng.random(trials)
            Kt = np.where(u < x.p, 100.0, 1.0)[:, None, None]
            radius = np.where((u >= x.p) & (u < x.p + x.unsure), 1e3, 0.0)
            return SpectralBatch(K=ONE, K_radius=0.0, Kt=Kt, Kt_radius=radius, eps=Fraction(3, 10), a=LAM, b=LAM)

        return draw

    def conclusion(self, *, size: int = 1000, **parts: Any) -> HighProbability:
        def construction(x: Coin, m: int) -> Construction:
            made = {"draw": self.draw(x), "facts": {}} | {k: v(x, m) for k, v in parts.items()}
            return Construction(size=m, batch_size=64, **made)

        return HighProbability(
            size=lambda x: size, construction=construction, delta=lambda x: x.delta, stress="eps* / eps"
        )

    def twin(self, name: str = "biased", p: float = 1.0, **changes: Any) -> BrokenTwin:
        given = {
            "name": name,
            "because": "it always fails",
            "conclusion": self.conclusion(),
            "refuted_on": Coin(name=f"{name}-coin", says="a coin", p=p),
        }
        return BrokenTwin(**given | changes)

    def statement(self, *coins: Coin, **changes: Any) -> Statement:
        source = Source(key="T", authors="A", title="T", venue="V", year=2000, identifier="none")
        given = {
            "id": "made.up",
            "number": "0.1",
            "title": "A coin",
            "kind": "Theorem",
            "says": "p",
            "plainly": "the coin rarely fails",
            "source": source.at("Theorem 0.1"),
            "deviation": "",
            "constant": "explicit",
            "hypotheses": (
                Hypothesis(
                    says="0 <= p <= 1",
                    holds=lambda x: None if 0 <= x.p <= 1 else f"p must lie in [0, 1], got p = {x.p}",
                ),
                Hypothesis(says="the coin is a coin", assumed="made up"),
            ),
            "conclusion": self.conclusion(),
            "instances": lambda profile: coins or (Coin(name="fair", says="never fails"),),
            "twins": (),
        }
        return Statement(**given | changes)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let made-up statements be the whole catalogue."""

    def fill(*statements: Statement) -> None:
        for module in ("catalogue", "documents", "verification"):
            monkeypatch.setattr(f"theorems.{module}.CATALOGUE", statements)

    return fill
