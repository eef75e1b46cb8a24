"""The papers, pinned to a version: theorem numbers move between versions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Source:
    """One paper."""

    key: str
    authors: str
    title: str
    venue: str
    year: int
    identifier: str

    def at(self, place: str) -> Place:
        """A place in this paper: 'Theorem 3.3'."""
        return Place(source=self, place=place)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a statement stands."""

    source: Source
    place: str

    def __str__(self) -> str:
        return f"{self.source.authors} {self.source.year}, {self.source.title}, {self.place}"


GLSS = Source(
    key="GLSS",
    authors="Lee, Shen, Song, Wang, Yu",
    title="Generalized Leverage Score Sampling for Neural Networks",
    venue="NeurIPS (conference version)",
    year=2020,
    identifier="arXiv:2009.09829",
)

BPSW = Source(
    key="BPSW",
    authors="van den Brand, Peng, Song, Weinstein",
    title="Training (Overparametrized) Neural Networks in Near-Linear Time",
    venue="ITCS 2021",
    year=2020,
    identifier="arXiv:2006.11648",
)

AKM17 = Source(
    key="AKM+17",
    authors="Avron, Kapralov, Musco, Musco, Velingker, Zandieh",
    title="Random Fourier Features for Kernel Ridge Regression: Approximation Bounds and Statistical Guarantees",
    venue="ICML",
    year=2017,
    identifier="arXiv:1804.09893",
)
