"""The float rungs of the Loewner ladder, over whole batches: proven IN, proven OUT, or UNSURE.

IN is Rump's criterion (BIT 46, 2006): if Cholesky in floating point, summing in any order, runs to the end on
the symmetric float matrix fl(M - c I), then with u = 2^-53 and gamma_k = k u / (1 - k u)

    lambda_min(M) >= c - gamma_{n+1} / (1 - gamma_{n+1}) tr(M) - (rounding of the shift) - (underflow).

Here c = radius + 2 gamma_{n+3} / (1 - gamma_{n+3}) tr(M) + underflow, rounded up. OUT is a vector v with
v^T M v < 0, evaluated in float64 with an a-priori error bound. Between the two nothing is claimed.

Everything is first scaled by a power of two to entries of at most 2^24, not all below 2^-75 unless all vanish.
What underflows, in products, in squares of a norm or in the scaling, then costs less than n (n + 2) 2^-580.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

import numpy as np
import numpy.typing as npt

from theorems.checking.matrix_input import first_asymmetry, first_not_finite
from theorems.statement import Answer

Floats = npt.NDArray[np.float64]
Answers = npt.NDArray[np.int8]

UNIT = 2.0**-53
OUTWARD = 1 + 2.0**-40  # swallows the roundings made while a bound itself is computed
UNDERFLOW = 2.0**-500
SIDE_BY_SIDE = 32  # up to this size NumPy across as many lanes is at least as fast as LAPACK lane by lane
BLOCK_LANES, BLOCK_ENTRIES = 1024, 2**18  # long enough to run side by side, small enough for the cache
CACHED_ENTRIES = 2**16  # where lanes are not run side by side


def gamma(k: int) -> float:
    """Bound the relative error of k roundings in a row: k u / (1 - k u)."""
    return k * UNIT / (1 - k * UNIT)


def decide_psd_batch(M: Floats, radius: float | Floats = 0.0) -> Answers:
    """Decide, for many matrices at once and in float64 alone, whether each is positive semidefinite.

    Parameters
    ----------
    M : (B, n, n) float64, finite, each exactly symmetric; B, n >= 1. Never written to
    radius : scalar or (B,), finite, >= 0: the true b-th matrix is M[b] + E, E symmetric, ||E||_2 <= radius[b]

    Returns
    -------
    (B,) int8 of `Answer`: IN when every such matrix is positive semidefinite, OUT when none is, else UNSURE

    Raises
    ------
    TypeError : M is no plain array of native float64
    ValueError : wrong shape, empty, nan or inf (with its index), asymmetric (with i, j and size), bad radius

    Notes
    -----
    Source: S. M. Rump, Verification of positive definiteness, BIT 46 (2006) 433-452.
    """
    here = "decide_psd_batch"
    check_batch(here, "M", M)
    radii = check_radius(here, "radius", radius, len(M))
    answers = np.empty(len(M), np.int8)
    for block in blocks(M):
        answers[block], _ = decide_scaled(*_scaled(M[block], radii[block]))
    return answers


def decide_with_direction(M: Floats, radius: float) -> tuple[Answer, Floats]:
    """Decide one matrix as `decide_psd_batch` does, and say which direction was tried against it.

    Parameters
    ----------
    M : (n, n) float64, finite, exactly symmetric
    radius : finite, >= 0

    Returns
    -------
    answer : as above; on OUT the direction is the proof
    direction : (n,) float64, entries at most 1; zeros on IN
    """
    answers, directions = decide_scaled(*_scaled(M[None], np.array([radius])))
    return Answer(int(answers[0])), directions[0]


def decide_scaled(M: Floats, radius: Floats) -> tuple[Answers, Floats]:
    """Decide a block whose entries are already scaled; the two rungs, without checks.

    Parameters
    ----------
    M : (b, n, n) float64, symmetric, entries at most 2^24; used as working space and restored
    radius : (b,), >= 0, may be infinite

    Returns
    -------
    answers : (b,) int8 of `Answer`
    directions : (b, n), entries at most 1: on OUT the proof, on UNSURE the best try; zeros for IN
    """
    succeeds, directions = shifted_cholesky(M, radius)
    answers = np.where(succeeds, Answer.IN, Answer.UNSURE).astype(np.int8)
    rest = np.flatnonzero(~succeeds)
    if len(rest):
        refuted = quadratic_form_is_negative(M[rest], directions[rest], radius[rest])
        near = rest[~refuted]
        directions[near] = np.linalg.eigh(M[near])[1][:, :, 0]
        refuted[~refuted] = quadratic_form_is_negative(M[near], directions[near], radius[near])
        answers[rest[refuted]] = Answer.OUT
    return answers, directions


def shifted_cholesky(M: Floats, radius: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Prove lambda_min(M) >= radius lane by lane; for the others, give a direction when it comes for free.

    If the factorisation of fl(M - c I) succeeds, its diagonal is positive, so tr fl(M - c I) <= tr(M) (1 + u), the
    shift was rounded by at most u tr(M), and gamma_{n+1} tr(M) + u tr(M) fits into gamma_{n+3} tr(M) with the
    second gamma_{n+3} tr(M) as margin (it also covers dividing by a rounded reciprocal, as BLAS may).
    """
    directions = np.zeros(M.shape[:2])
    on_diagonal = diagonal(M)
    before = on_diagonal.copy()
    trace = np.maximum(before.sum(axis=1), 0.0)
    g = gamma(M.shape[1] + 3)
    np.subtract(before, ((2 * g / (1 - g) * trace + radius) * OUTWARD + UNDERFLOW)[:, None], out=on_diagonal)
    if M.shape[1] <= min(SIDE_BY_SIDE, len(M)):
        succeeds, directions = _cholesky_across_lanes(M)
    else:
        succeeds = np.array([_cholesky_succeeds(M[i : i + 1]) for i in range(len(M))])
    on_diagonal[...] = before
    return succeeds, directions


def _cholesky_succeeds(M: Floats) -> bool:
    """Run LAPACK on one lane, (1, n, n)."""
    try:
        return bool((diagonal(np.asarray(np.linalg.cholesky(M), np.float64)) > 0).all())
    except np.linalg.LinAlgError:
        return False


def _cholesky_across_lanes(M: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Run Cholesky left-looking, every step for all lanes side by side, to see which fail and in what direction.

    A pivot that is not positive turns what follows in its lane into nan. Where pivot k fails,
    v = e_k - M_PP^-1 M_Pk, P = {0..k-1}, has v^T M v = pivot: solve L^T v = 0 above row k.
    """
    n = M.shape[1]
    factor = np.empty((n, n, len(M)))  # column, row, lane
    together = max(16, 2**13 // (n * n))  # lanes whose cache lines the transposition keeps open
    for start in range(0, len(M), together):
        lanes = slice(start, start + together)
        factor[:, :, lanes] = M[lanes].transpose(1, 2, 0)
    positive = np.empty((n, len(M)), np.bool_)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # only in lanes that fail
        for k, column in enumerate(factor):
            if k:
                column[k:] -= np.einsum("jib,jb->ib", factor[:k, k:], factor[:k, k])
            np.greater(column[k], 0, out=positive[k])
            np.sqrt(column[k], out=column[k])
            column[k + 1 :] *= 1 / column[k]
        succeeds = np.asarray(positive.all(axis=0))
        failed = np.flatnonzero(~succeeds)
        stop = positive[:, failed].argmin(axis=0)
        v = np.zeros((n, len(failed)))
        v[stop, np.arange(len(failed))] = 1.0
        for j in reversed(range(stop.max(initial=0))):
            above = np.einsum("ib,ib->b", factor[j, j + 1 :, failed].T, v[j + 1 :])
            np.divide(-above, factor[j, j, failed], out=v[j], where=j < stop)
        v /= np.abs(v).max(axis=0)
    directions = np.zeros(M.shape[:2])
    directions[failed] = v.T
    return succeeds, directions


def quadratic_form_is_negative(M: Floats, v: Floats, radius: Floats) -> npt.NDArray[np.bool_]:
    """Prove v^T (M + E) v < 0 for every ||E||_2 <= radius, lane by lane.

    Two nested sums of n products: |fl(v^T M v) - v^T M v| <= gamma_{2n} |v|^T |M| |v| + underflow. gamma_{2n+4},
    doubled, also covers the rounding of the bound itself.
    """
    value = np.einsum("bi,bi->b", v, np.einsum("bij,bj->bi", M, v))
    size = np.einsum("bi,bi->b", np.abs(v), np.einsum("bij,bj->bi", np.abs(M), np.abs(v)))
    with np.errstate(invalid="ignore"):  # an infinite radius about no direction at all
        within = radius * np.einsum("bi,bi->b", v, v)
    margin = 2 * gamma(2 * M.shape[1] + 4) * size + within * OUTWARD + UNDERFLOW
    return np.asarray(value + margin * OUTWARD < 0)


def diagonal(M: Floats) -> Floats:
    """View the diagonals (b, n) of (b, n, n), writable."""
    view: Floats = np.einsum("bii->bi", M)
    return view


def blocks(M: Floats, entries: int | None = None) -> Iterator[slice]:
    """Cut a batch (B, n, n) into runs of lanes of so many entries."""
    lanes = min(BLOCK_LANES, max(1, (entries or BLOCK_ENTRIES) // M[0].size))
    return (slice(start, start + lanes) for start in range(0, len(M), lanes))


def power_of_two(peak: Floats) -> Floats:
    """Give 2^-e for peak in [2^(e-1), 2^e), with e kept where 2^-e is a normal number."""
    scale: Floats = np.ldexp(1.0, -np.clip(np.frexp(peak)[1], -1000, 1000))
    return scale


def _scaled(M: Floats, radius: Floats) -> tuple[Floats, Floats]:
    # reduceat, because max(axis=(1, 2)) is slow over short axes
    scale = power_of_two(np.maximum.reduceat(np.abs(M).ravel(), np.arange(0, M.size, M[0].size)))
    with np.errstate(over="ignore"):  # a radius that overflows is infinite, and decides nothing
        return M * scale[:, None, None], radius * scale


def check_batch(where: str, name: str, M: Floats) -> float:
    """Refuse what is no (B, n, n) of finite, exactly symmetric float64; return the largest absolute entry."""
    if type(M) is not np.ndarray or M.dtype != np.float64:
        kind = M.dtype if type(M) is np.ndarray else type(M).__name__
        raise TypeError(f"{where}: {name} must be a plain array of native float64, got {kind}")
    if M.ndim != 3 or M.shape[1] != M.shape[2] or M.size == 0:
        raise ValueError(f"{where}: {name} must be square with n >= 1 and at least one of them, got {M.shape}")
    peak = 0.0
    for block in blocks(M, CACHED_ENTRIES):
        part = M[block]
        high, low = float(part.max()), float(part.min())  # nan if there is one
        peak = max(peak, high, -low)
        if not (isfinite(high) and isfinite(low) and (part == part.transpose(0, 2, 1)).all()):
            fault = first_not_finite(M) or first_asymmetry(M)
            raise ValueError(f"{where}: {name} must be finite and symmetric, got {name}{fault}")
    return peak


def check_radius(where: str, name: str, radius: float | Floats, lanes: int) -> Floats:
    """Take a number or one for each lane, finite and >= 0, as (lanes,) float64."""
    radii = np.asarray(radius)
    if radii.dtype.kind not in "iuf" or radii.dtype.itemsize > 8 or radii.shape not in ((), (lanes,)):
        raise TypeError(f"{where}: {name} must be a number or ({lanes},) float64, got {radii.dtype} {radii.shape}")
    if not (np.isfinite(radii).all() and (radii >= 0).all()):
        raise ValueError(f"{where}: {name} must be finite and >= 0, got {radii.min()} to {radii.max()}")
    return np.full(lanes, radii, np.float64)
