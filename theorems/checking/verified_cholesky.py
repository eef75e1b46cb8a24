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
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from theorems.checking.matrix_input import exact_in_range, first_asymmetry, first_not_finite
from theorems.statement import Answer

Floats = npt.NDArray[np.float64]
Answers = npt.NDArray[np.int8]

UNIT = 2.0**-53
OUTWARD = 1 + 2.0**-40  # swallows the roundings made while a bound itself is computed
UNDERFLOW = 2.0**-500
BLOCK_LANES, BLOCK_ENTRIES = 512, 2**18  # long enough to run side by side, small enough for the cache


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
    _check_batch(here, "M", M)
    radii = _check_radius(here, "radius", radius, len(M))
    answers = np.empty(len(M), np.int8)
    for block in _blocks(M):
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


def decide_spectral_batch(
    K: Floats,
    K_radius: float,
    Kt: Floats,
    Kt_radius: float | Floats,
    lam: float | Fraction,
    eps: float | Fraction,
) -> Answers:
    """Decide (1 - eps)(K + lam I) <= Kt + lam I <= (1 + eps)(K + lam I) for many Kt at once.

    Formed as  Kt - (1-eps) K + eps lam I >= 0  and  (1+eps) K - Kt + eps lam I >= 0. With a = 1 -+ eps an entry
    is off by at most 2.01 u a |K_ij| (rounding a, and the product), u |M_ij| (the difference) and, on the
    diagonal, u (1.01 |M_ii| + 2 eps lam) more, so forming costs in spectral norm at most

        u (3 a ||K||_F + 3 ||M||_F + 2 eps lam);

    the distance to the true matrix adds Kt_radius + a K_radius.

    Parameters
    ----------
    K : (n, n) float64, finite, exactly symmetric
    K_radius : finite, >= 0: the true K is within this spectral norm of `K`
    Kt : (B, n, n) float64, finite, each exactly symmetric; B, n >= 1
    Kt_radius : scalar or (B,): likewise for each Kt
    lam : positive ridge, exact
    eps : accuracy in (0, 1), exact

    Returns
    -------
    (B,) int8 of `Answer`: IN when both sides hold, OUT when one fails, else UNSURE

    Raises
    ------
    TypeError, ValueError : as `decide_psd_batch`; lam or eps out of range; K and Kt of different sizes
    """
    here = "decide_spectral_batch"
    _check_batch(here, "K", K[None] if isinstance(K, np.ndarray) else K)
    _check_batch(here, "Kt", Kt)
    if K.shape != Kt.shape[1:]:
        raise ValueError(f"{here}: K must be (n, n) and Kt (B, n, n), got {K.shape} and {Kt.shape}")
    exact_lam = exact_in_range(here, "lam", lam)
    exact_eps = exact_in_range(here, "eps", eps, high=1)
    K_radii = _check_radius(here, "K_radius", K_radius, 1)
    Kt_radii = _check_radius(here, "Kt_radius", Kt_radius, len(Kt))
    peak = max(np.abs(K).max(), Kt.max(), -Kt.min(), float(exact_lam))
    scale = float(_power_of_two(np.array([peak]))[0])
    K_size = float(np.linalg.norm(K * scale))
    ridge = float(exact_eps * exact_lam * Fraction(scale))
    with np.errstate(over="ignore"):  # a radius that overflows is infinite, and decides nothing
        K_radii, Kt_radii = K_radii * scale, Kt_radii * scale
    answers = np.full(len(Kt), Answer.IN, np.int8)
    workspace = np.empty_like(Kt[next(_blocks(Kt))])
    for block in _blocks(Kt):
        for sign in (1, -1):
            lanes = np.flatnonzero(answers[block] != Answer.OUT)
            if len(lanes) == 0:
                break
            a = float(1 - sign * exact_eps)
            part = Kt[block] if len(lanes) == len(Kt[block]) else Kt[block][lanes]
            M = np.multiply(part, sign * scale, out=workspace[: len(lanes)])
            M -= a * (K * (sign * scale))
            _diagonal(M)[...] += ridge
            size = np.sqrt(np.einsum("bij,bij->b", M, M))
            forming = UNIT * (3 * a * K_size + 3 * size + 2 * ridge) + UNDERFLOW
            side, _ = decide_scaled(M, (Kt_radii[block][lanes] + a * K_radii + forming) * OUTWARD)
            before = answers[block][lanes]
            answers[block][lanes] = np.where(side == Answer.OUT, side, np.maximum(before, side))
    return answers


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
    succeeds, directions = _shifted_cholesky(M, radius)
    answers = np.where(succeeds, Answer.IN, Answer.UNSURE).astype(np.int8)
    rest = np.flatnonzero(~succeeds)
    if len(rest):
        refuted = _quadratic_form_is_negative(M[rest], directions[rest], radius[rest])
        near = rest[~refuted]
        directions[near] = np.linalg.eigh(M[near])[1][:, :, 0]
        refuted[~refuted] = _quadratic_form_is_negative(M[near], directions[near], radius[near])
        answers[rest[refuted]] = Answer.OUT
    return answers, directions


def _shifted_cholesky(M: Floats, radius: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Prove lambda_min(M) >= radius lane by lane; for the others, give a direction when it comes for free.

    If the factorisation of fl(M - c I) succeeds, its diagonal is positive, so tr fl(M - c I) <= tr(M) (1 + u), the
    shift was rounded by at most u tr(M), and gamma_{n+1} tr(M) + u tr(M) fits into gamma_{n+3} tr(M) with the
    second gamma_{n+3} tr(M) as margin (it also covers dividing by a rounded reciprocal, as BLAS may).
    """
    n = M.shape[1]
    gamma = (n + 3) * UNIT / (1 - (n + 3) * UNIT)
    directions = np.zeros(M.shape[:2])
    diagonal = _diagonal(M)
    before = diagonal.copy()
    trace = np.maximum(before.sum(axis=1), 0.0)
    np.subtract(before, ((2 * gamma / (1 - gamma) * trace + radius) * OUTWARD + UNDERFLOW)[:, None], out=diagonal)
    try:
        factors = np.linalg.cholesky(M)  # LAPACK lane by lane: the fastest when all succeed
        succeeds = np.asarray((np.einsum("bii->bi", factors) > 0).all(axis=1))
    except np.linalg.LinAlgError:  # one lane at least fails, and NumPy does not say which
        succeeds = np.zeros(len(M), np.bool_)
        if len(M) > 1:
            succeeds, directions = _cholesky_across_lanes(M)
    diagonal[...] = before
    return succeeds, directions


def _cholesky_across_lanes(M: Floats) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Run Cholesky left-looking, every step for all lanes side by side, to see which fail and in what direction.

    Where pivot k fails, v = e_k - M_PP^-1 M_Pk, P = {0..k-1}, has v^T M v = pivot: solve L^T v = 0 above row k.
    """
    n = M.shape[1]
    lanes = np.ascontiguousarray(M.transpose(1, 2, 0))
    factor = np.empty_like(lanes)
    stop = np.full(len(M), n)
    with np.errstate(over="ignore", invalid="ignore"):  # only in lanes that have failed or are about to
        for k in range(n):
            column = lanes[k:, k] - np.einsum("ijb,jb->ib", factor[k:, :k], factor[k, :k])
            stop[(stop == n) & ~(column[0] > 0)] = k
            if (stop < n).all():
                break
            np.divide(column, np.sqrt(np.where(stop == n, column[0], 1.0)), out=factor[k:, k])
        failed = np.flatnonzero(stop < n)
        factor, stop = factor[:, :, failed], stop[failed]
        v = np.zeros((n, len(failed)))
        v[stop, np.arange(len(failed))] = 1.0
        for j in reversed(range(stop.max(initial=0))):
            above = np.einsum("ib,ib->b", factor[j + 1 :, j], v[j + 1 :])
            np.divide(-above, factor[j, j], out=v[j], where=j < stop)
        v /= np.abs(v).max(axis=0)
    directions = np.zeros(M.shape[:2])
    directions[failed] = v.T
    return np.asarray(~np.isin(np.arange(len(M)), failed)), directions


def _quadratic_form_is_negative(M: Floats, v: Floats, radius: Floats) -> npt.NDArray[np.bool_]:
    """Prove v^T (M + E) v < 0 for every ||E||_2 <= radius, lane by lane.

    Two nested sums of n products: |fl(v^T M v) - v^T M v| <= gamma_{2n} |v|^T |M| |v| + underflow. gamma_{2n+4},
    doubled, also covers the rounding of the bound itself.
    """
    steps = 2 * M.shape[1] + 4
    gamma = steps * UNIT / (1 - steps * UNIT)
    value = np.einsum("bi,bi->b", v, np.einsum("bij,bj->bi", M, v))
    size = np.einsum("bi,bi->b", np.abs(v), np.einsum("bij,bj->bi", np.abs(M), np.abs(v)))
    margin = 2 * gamma * size + radius * np.einsum("bi,bi->b", v, v) * OUTWARD + UNDERFLOW
    return np.asarray(value + margin * OUTWARD < 0)


def _diagonal(M: Floats) -> Floats:
    """View the diagonals (b, n) of (b, n, n), writable."""
    view: Floats = np.einsum("bii->bi", M)
    return view


def _blocks(M: Floats) -> Iterator[slice]:
    lanes = min(BLOCK_LANES, max(1, BLOCK_ENTRIES // M[0].size))
    return (slice(start, start + lanes) for start in range(0, len(M), lanes))


def _power_of_two(peak: Floats) -> Floats:
    """Give 2^-e for peak in [2^(e-1), 2^e), with e kept where 2^-e is a normal number."""
    scale: Floats = np.ldexp(1.0, -np.clip(np.frexp(peak)[1], -1000, 1000))
    return scale


def _scaled(M: Floats, radius: Floats) -> tuple[Floats, Floats]:
    # reduceat, because max(axis=(1, 2)) is slow over short axes
    scale = _power_of_two(np.maximum.reduceat(np.abs(M).ravel(), np.arange(0, M.size, M[0].size)))
    with np.errstate(over="ignore"):  # a radius that overflows is infinite, and decides nothing
        return M * scale[:, None, None], radius * scale


def _check_batch(where: str, name: str, M: Floats) -> None:
    if type(M) is not np.ndarray or M.dtype != np.float64:
        kind = M.dtype if type(M) is np.ndarray else type(M).__name__
        raise TypeError(f"{where}: {name} must be a plain array of native float64, got {kind}")
    if M.ndim != 3 or M.shape[1] != M.shape[2] or M.size == 0:
        raise ValueError(f"{where}: {name} must be square with n >= 1 and at least one of them, got {M.shape}")
    for fault in (first_not_finite(M), first_asymmetry(M)):
        if fault:
            raise ValueError(f"{where}: {name} must be finite and symmetric, got {name}{fault}")


def _check_radius(where: str, name: str, radius: float | Floats, lanes: int) -> Floats:
    radii = np.asarray(radius)
    if radii.dtype.kind not in "iuf" or radii.dtype.itemsize > 8 or radii.shape not in ((), (lanes,)):
        raise TypeError(f"{where}: {name} must be a number or ({lanes},) float64, got {radii.dtype} {radii.shape}")
    if not (np.isfinite(radii).all() and (radii >= 0).all()):
        raise ValueError(f"{where}: {name} must be finite and >= 0, got {radii.min()} to {radii.max()}")
    return np.broadcast_to(radii.astype(np.float64), (lanes,))
