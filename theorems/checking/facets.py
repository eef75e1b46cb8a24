"""Do the facets of what a statement provides fit together? A construction that contradicts itself is no evidence.

Every check raises TypeError or ValueError with the facet, what it needs and what it got; the court turns that into an
UNDECIDED record, and a trial into UNSURE ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from theorems.checking.keys import check_count
from theorems.statement import BoundBatch, Construction, CountsBox, Rows, Sampling, Slope, SpectralBatch

Drawn = SpectralBatch | BoundBatch

_BATCH_SIZES = {2**k for k in range(11)}


def whole_size(size: int) -> int:
    """Check the size that a conclusion asks for: an int >= 1."""
    check_count("size", size)
    if size < 1:
        raise ValueError(f"size: need at least 1 draw; got {size}")
    return size


def promise(delta: Fraction) -> Fraction:
    """Check a promised failure probability: a Fraction in (0, 1)."""
    if not isinstance(delta, Fraction) or not 0 < delta < 1:
        raise ValueError(f"delta: need a Fraction in (0, 1); got {delta!r}")
    return delta


def slope(measured: Slope) -> Slope:
    """Check what a rate or a cost measured."""
    if not isinstance(measured, Slope):
        raise TypeError(f"slope: need a Slope; got {type(measured).__name__}")
    check_count("slope(points)", measured.points)
    return measured


def displayed(facts: Mapping[str, float | int | str]) -> dict[str, float | int | str]:
    """Check named numbers for display: finite, and such that a records file can hold them."""
    for name, value in facts.items():
        if not isinstance(value, str | int | float) or (isinstance(value, float) and not isfinite(value)):
            raise ValueError(f"facts: need finite numbers and strings; got {name} = {value!r}")
    return dict(facts)


def consistent(built: Construction, size: int) -> Construction:
    """Check a construction asked for at `size`, and let every draw of it be checked.

    Returns
    -------
    the same construction, whose `draw` raises where a batch is not what was asked for
    """
    whole_size(built.size)
    if built.size != size:
        raise ValueError(f"construction: need the size asked for, {size}; got {built.size}")
    check_count("construction(batch_size)", built.batch_size)
    if built.batch_size not in _BATCH_SIZES:
        raise ValueError(f"construction(batch_size): need a power of two in [1, 1024]; got {built.batch_size}")
    if built.box is not None:
        _fits(built.box, size)
    if built.size_needed is not None and not built.size_needed[0] <= built.size_needed[1]:
        raise ValueError(f"size_needed: need lower <= upper; got {built.size_needed[0]} > {built.size_needed[1]}")
    return replace(built, draw=partial(_drawn, built.draw), facts=displayed(built.facts))


def _fits(box: CountsBox, size: int) -> None:
    if box.m != size:
        raise ValueError(f"box: need the counts of {size} draws, as the trials have; got m = {box.m}")
    if not len(box.law) == len(box.low) == len(box.high):
        lengths = f"{len(box.law)}, {len(box.low)}, {len(box.high)}"
        raise ValueError(f"box: need law, low, high of one length; got lengths {lengths}")
    if sum(box.law) != 1:
        raise ValueError(f"box(law): need exact probabilities with sum 1; got a sum of {sum(box.law)}")


def _drawn(draw: Callable[[np.random.Generator, int], Drawn], rng: np.random.Generator, trials: int) -> Drawn:
    made = draw(rng, trials)
    if isinstance(made, BoundBatch):
        for name in ("lower", "upper"):
            _shaped(name, getattr(made, name), (trials,))
        return made
    if not isinstance(made, SpectralBatch):
        raise TypeError(f"draw: need a SpectralBatch or a BoundBatch; got {type(made).__name__}")
    n = len(made.K)
    _shaped("K", made.K, (n, n))
    _shaped("Kt", made.Kt, (trials, n, n))
    _shaped("Kt_radius", made.Kt_radius, (trials,))
    return made if made.exact is None else replace(made, exact=partial(_exact, made.exact, n))


def _shaped(name: str, array: npt.NDArray[np.float64], shape: tuple[int, ...]) -> None:
    found: Any = array
    if not isinstance(found, np.ndarray) or found.dtype != np.float64 or found.shape != shape:
        shown = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
        raise ValueError(f"draw({name}): need a float64 array of shape {shape}; got {shown}")


def _exact(exact: Callable[[int], tuple[Rows, Rows]], n: int, b: int) -> tuple[Rows, Rows]:
    K, Kt = exact(b)
    for name, rows in (("K", K), ("Kt", Kt)):
        lengths = {len(row) for row in rows}
        if len(rows) != n or lengths != {n}:
            raise ValueError(f"exact({name}): need {n} rows of {n} numbers; got {len(rows)} of {sorted(lengths)}")
    return K, Kt


def drawn_indices(sampling: Sampling, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw `count` indices, each of which must be one of the categories that the sampler claims."""
    draws: Any = sampling.indices(count, rng)
    _whole("indices", draws, (count,))
    outside = draws[(draws < 0) | (draws >= len(sampling.claimed))]
    if outside.size:
        raise ValueError(f"indices: need categories in [0, {len(sampling.claimed)}); got {outside[0]}")
    return np.asarray(draws, np.int64)


def drawn_counts(sampling: Sampling, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw the counts of `count` draws, which must sum to it."""
    counts: Any = sampling.counts(count, rng)
    _whole("counts", counts, (len(sampling.claimed),))
    if (counts < 0).any() or counts.sum() != count:
        raise ValueError(f"counts: need counts >= 0 with sum {count}; got a sum of {counts.sum()}")
    return np.asarray(counts, np.int64)


def _whole(name: str, found: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iu" or found.shape != shape:
        shown = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
        raise ValueError(f"{name}: need an integer array of shape {shape}; got {shown}")
