"""What a user's own instance will take, estimated before anything is allocated: bytes and operations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from reference.relu_tangent import CHUNK
from theorems.glss.sampling_constructions import COUNTED_BATCH, STREAMED_BATCH
from theorems.glss.streamed_features import GRID_CELLS
from theorems.statement import HypothesisNotMet

Kind: TypeAlias = Literal["cells", "tangent", "fourier"]

MOST_OPERATIONS = 2**46  # more than one core does before the deadline of the court, an hour a batch
MOST_DRAWS = 2**63 - 1  # what counts and the store hold
MOST_PROPOSALS = 2**14  # per draw, on average: rejection gives up after 2^20 in a row

_PER_TRIAL = 6  # matrices: Kt, both sides of the event, and what stress makes of them
_EXACT = 150  # words per entry of K as a Fraction and as balls of 128 bits, two inverses among them


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Upper estimates, good to a factor of about two.

    Parameters
    ----------
    bytes : most memory at one time
    operations : additions and multiplications until the first batch of trials is decided
    """

    bytes: int
    operations: int


def cost(kind: Kind, n: int, d: int, m: int, proposals: float = 1.0) -> Cost:
    """Estimate the first batch of trials, and all that comes before it.

    Words of 8 bytes: n^2 (_EXACT + _PER_TRIAL trials) for matrices, and

        cells    2n Gram matrices and what packs them, 4 (2n) n^2
        streams  blocks of CHUNK features, 4 n CHUNK; the draws and their weights, m (3d + 8)
        grid     (Fourier, d <= 3) five phases at every grid cell, 6 n cells; m (8d + 4) for the draws

    Parameters
    ----------
    kind : how features are drawn: by counts per cell, or one by one
    n, d : rows and columns
    m : draws per trial; 0 while it is not known
    proposals : per draw, on average
    """
    counted, cells = kind == "cells", GRID_CELLS.get(d, 0) if kind == "fourier" else 0
    trials = COUNTED_BATCH if counted else STREAMED_BATCH
    words = n * n * (_EXACT + _PER_TRIAL * trials) + 4 * n * d
    operations = 64 * n**3  # arithmetic of balls
    if counted:
        words += 8 * n**3
        operations += trials * 4 * n**3
    else:
        words += 4 * n * CHUNK + 6 * n * cells + m * (8 * d + 4 if cells else 3 * d + 8)
        operations += int(trials * m * 2 * n * (n + d) * (1 + proposals)) + 16 * n * n * cells
    return Cost(bytes=8 * words, operations=operations)


def require_affordable(name: str, kind: Kind, n: int, d: int, m: int, proposals: float = 1.0) -> None:
    """Refuse what this machine should not be asked for.

    Raises
    ------
    HypothesisNotMet : naming n, m and the bytes or operations; more than a quarter of the free memory, more than
        MOST_OPERATIONS before anything is kept, or more draws or proposals than are made
    """
    asked = f"{name}: {n} rows" + (f" ask for m = {m:,} draws" if m else "")
    if m > MOST_DRAWS:
        raise HypothesisNotMet(f"{asked}, and m must be below 2^63: a larger --eps asks for fewer")
    if proposals > MOST_PROPOSALS:
        raise HypothesisNotMet(
            f"{asked}, about {proposals:,.0f} proposals for each: at most {MOST_PROPOSALS:,} are made, a larger "
            "--lam asks for fewer"
        )
    estimate, free = cost(kind, n, d, m, proposals), free_memory()
    if estimate.bytes > free // 4:
        raise HypothesisNotMet(
            f"{asked}, about {estimate.bytes:,} bytes: more than a quarter of the {free:,} that are free"
        )
    if estimate.operations > MOST_OPERATIONS:
        raise HypothesisNotMet(
            f"{asked}, about {float(estimate.operations):.2g} operations before the first trials are kept: at most "
            f"{float(MOST_OPERATIONS):.2g} are started"
        )


def free_memory() -> int:
    """Bytes that can be had without swapping: what the system has available, or the rest of the container's limit."""
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            free = int(line.split()[1]) * 1024
    limit, used = (_text(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    return max(0, min(free, int(limit) - int(used))) if limit.isdigit() and used.isdigit() else free


def _text(path: str) -> str:
    """Read what the system says; nothing where it says nothing."""
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
