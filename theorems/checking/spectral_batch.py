"""Spectral approximation of one matrix by many: powers of one product decide nearly all, Cholesky the rest.

With A = K + lam I and D = Kt - K the question is whether ||A^-1/2 D A^-1/2|| <= eps. For P near A^-1 the eigenvalues
of X = D P are those of the symmetric P^1/2 D P^1/2, so traces of X^2, X^4, X^8, .. bound that norm closer and closer,
both sides at once, and the last power shows where a side fails. At the sizes a theorem asks for the first one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from theorems.checking.matrix_input import exact_in_range
from theorems.checking.verified_cholesky import (
    CACHED_ENTRIES,
    OUTWARD,
    UNDERFLOW,
    UNIT,
    Answers,
    Floats,
    blocks,
    check_batch,
    check_radius,
    decide_scaled,
    diagonal,
    gamma,
    power_of_two,
    quadratic_form_is_negative,
    shifted_cholesky,
)
from theorems.statement import Answer

SMALLEST, LARGEST = 2.0**-75, 2.0**22  # peaks that need no scaling: sums of four entries stay below 2^24
ROOTS = (1 / 2, 1 / 4, 1 / 8, 1 / 16)


def decide_spectral_batch(
    K: Floats,
    K_radius: float,
    Kt: Floats,
    Kt_radius: float | Floats,
    lam: float | Fraction,
    eps: float | Fraction,
) -> Answers:
    """Decide (1 - eps)(K + lam I) <= Kt + lam I <= (1 + eps)(K + lam I) for many Kt at once.

    Parameters
    ----------
    K : (n, n) float64, finite, exactly symmetric
    K_radius : finite, >= 0: the true K is within this spectral norm of `K`
    Kt : (B, n, n) float64, finite, each exactly symmetric; B, n >= 1. Never written to
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
    peaks = [check_batch(here, "K", K[None] if isinstance(K, np.ndarray) else K), check_batch(here, "Kt", Kt)]
    if K.shape != Kt.shape[1:]:
        raise ValueError(f"{here}: K must be (n, n) and Kt (B, n, n), got {K.shape} and {Kt.shape}")
    exact_lam = exact_in_range(here, "lam", lam)
    exact_eps = exact_in_range(here, "eps", eps, high=1)
    [K_bound] = check_radius(here, "K_radius", K_radius, 1)
    radii = check_radius(here, "Kt_radius", Kt_radius, len(Kt))
    peak = max(*peaks, float(exact_lam))
    if not SMALLEST <= peak <= LARGEST:
        scale = float(power_of_two(np.array([peak]))[0])
        K, Kt, exact_lam = K * scale, Kt * scale, exact_lam * Fraction(scale)
        with np.errstate(over="ignore"):  # a radius that overflows is infinite, and decides nothing
            K_bound, radii = K_bound * scale, radii * scale
    target = _Target.around(K, float(K_bound), float(exact_lam), float(exact_eps))
    inverse = _Inverse.of(target)
    answers = np.full(len(Kt), Answer.UNSURE, np.int8)
    if inverse is not None:
        differences, products = np.empty((2, *Kt[next(blocks(Kt, CACHED_ENTRIES))].shape))
        for block in blocks(Kt, CACHED_ENTRIES):
            D = np.subtract(Kt[block], K, out=differences[: len(Kt[block])])
            answers[block] = _by_powers(D, radii[block], target, inverse, products[: len(D)])
    rest = np.flatnonzero(answers == Answer.UNSURE)
    for block in blocks(Kt):
        lanes = rest[block]
        if len(lanes):
            answers[lanes] = _by_cholesky(Kt[lanes] - K, radii[lanes], target)
    return answers


@dataclass(frozen=True, kw_only=True, eq=False)
class _Target:
    """What every D is held against.

    Parameters
    ----------
    A : (n, n), K + lam I as floats; off by `K_radius` and, from the ridge, by `rounding` in spectral norm
    eps : off by a relative 2^-53
    """

    A: Floats
    K_radius: float
    rounding: float
    eps: float

    @staticmethod
    def around(K: Floats, K_radius: float, lam: float, eps: float) -> _Target:
        """Add the ridge; what is lost is at most u lam in rounding it and u |A_ii| in adding it."""
        A = K + lam * np.eye(len(K))
        rounding = 2 * UNIT * (lam + float(np.abs(A).max())) + UNDERFLOW
        return _Target(A=A, K_radius=K_radius, rounding=rounding, eps=eps)

    def side(self, D: Floats, radii: Floats, sign: float | Floats) -> tuple[Floats, Floats]:
        """Form M = eps A + sign D, (b, n, n), which a side says is positive semidefinite, and bound its error.

        The lower side has sign 1, the upper -1. Rounding costs u |D_ij|, 2.01 u eps |A_ij| and u |M_ij| in an entry;
        the true Kt adds its radius and the true K, which moves A and D, |eps - sign| times its own.
        """
        M = np.multiply(np.reshape(sign, (-1, 1, 1)), D)
        M += self.eps * self.A
        entries = 3 * self.eps * float(np.linalg.norm(self.A)) + 2 * (_frobenius(M) + _frobenius(D))
        from_K = (np.abs(self.eps - sign) + 2 * UNIT) * self.K_radius + self.eps * self.rounding
        return M, (radii + from_K + UNIT * entries + UNDERFLOW) * OUTWARD


@dataclass(frozen=True, kw_only=True, eq=False)
class _Inverse:
    """A proven inverse.

    Parameters
    ----------
    P : (n, n), exactly symmetric; P >= (1 - tau) A^-1 for every A within the target's radii
    size : ||P||_F
    tau : in [0, 1)
    """

    P: Floats
    size: float
    tau: float

    @staticmethod
    def of(target: _Target) -> _Inverse | None:
        """Invert and prove, or give None.

        Cholesky proves A > 0, and A P has the eigenvalues of A^1/2 P A^1/2, all within ||A P - I||_F of 1.
        """
        A, radius = target.A, target.K_radius + target.rounding
        if not shifted_cholesky(A[None], np.array([radius]))[0][0]:
            return None
        inverse = np.linalg.inv(A)
        P = (inverse + inverse.T) / 2
        size = float(np.linalg.norm(P))
        product = 2 * gamma(len(A) + 3) * float(np.linalg.norm(A)) * size
        tau = (float(np.linalg.norm(A @ P - np.eye(len(A)))) + product + radius * size) * (1 + 2 * gamma(A.size + 3))
        return _Inverse(P=P, size=size, tau=tau) if tau < 1 else None


def _by_powers(D: Floats, radii: Floats, target: _Target, inverse: _Inverse, X: Floats) -> Answers:
    """Bound ||A^-1/2 D A^-1/2|| (1 - tau) by (tr X^(2k))^(1/2k) + ||P|| ||E||, X = D P and E the error of D.

    E is what the radii allow, and u |D| in each entry. The float product X is off by
    eta = gamma_n ||D||_F ||P||_F in Frobenius norm, its square by 2 eta ||X|| + eta^2 + gamma_n ||X||^2, and so on;
    a trace tr X^2 by 2 eta ||X|| + eta^2 + gamma_{n^2} ||X||^2. Each gamma is doubled, which also covers the
    rounding of the norms. A row of the last power lies close to where |v^T D v| / v^T A v is largest.

    Parameters
    ----------
    D : (b, n, n), what was computed of Kt - K
    radii : (b,), of Kt
    X : (b, n, n), working space

    Returns
    -------
    (b,) int8 of `Answer`
    """
    count, n = D.shape[:2]
    short, long = 2 * gamma(n + 3), 2 * gamma(n * n + 3)
    allowed = target.eps * (1 - inverse.tau) / OUTWARD
    answers = np.full(count, Answer.UNSURE, np.int8)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not proven
        d = _frobenius(D)
        spread = inverse.size * (radii + target.K_radius + 2 * UNIT * d + UNDERFLOW) * (1 + long)
        np.matmul(D.reshape(-1, n), inverse.P, out=X.reshape(-1, n))
        eta = short * inverse.size * d + UNDERFLOW
        left = np.arange(count)
        for root in ROOTS:
            x = _frobenius(X)
            off = eta * (2 * x + eta)
            trace = np.einsum("bij,bji->b", X, X) + off + long * x * x + UNDERFLOW
            proven = (np.maximum(trace, 0.0) ** root + spread[left]) * OUTWARD <= allowed
            answers[left[proven]] = Answer.IN
            if proven.all():
                return answers
            left, X, eta = left[~proven], X[~proven], (off + short * x * x + UNDERFLOW)[~proven]
            if root != ROOTS[-1]:
                X = X @ X
        near, v = D[left], X[np.arange(len(left)), np.argmax(diagonal(X), axis=1)]
        v = np.einsum("bij,bi->bj", X, v / np.abs(v).max(axis=1, keepdims=True))
        v /= np.abs(v).max(axis=1, keepdims=True)
        towards = np.einsum("bi,bi->b", v, np.einsum("bij,bj->bi", near, v))
        M, radius = target.side(near, radii[left], np.where(towards < 0, 1.0, -1.0))
        answers[left[quadratic_form_is_negative(M, v, radius)]] = Answer.OUT
    return answers


def _by_cholesky(D: Floats, radii: Floats, target: _Target) -> Answers:
    """Decide eps A + D >= 0 and eps A - D >= 0."""
    answers = np.full(len(D), Answer.IN, np.int8)
    for sign in (1.0, -1.0):
        lanes = np.flatnonzero(answers != Answer.OUT)
        if len(lanes):
            found, _ = decide_scaled(*target.side(D[lanes], radii[lanes], sign))
            answers[lanes] = np.where(found == Answer.OUT, found, np.maximum(answers[lanes], found))
    return answers


def _frobenius(M: Floats) -> Floats:
    """Give the norms, (b,), of (b, n, n), not below what they would be without underflow."""
    entries = M.reshape(len(M), -1)
    norms: Floats = np.sqrt(np.vecdot(entries, entries) + UNDERFLOW**2)
    return norms
