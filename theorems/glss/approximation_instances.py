"""Two kernel matrices on the same data, one approximating the other, exactly; and what makes the pair admissible.

    (1 - eps)(K + lam I) <= Kt + lam I <= (1 + eps)(K + lam I)                                        GLSS (2), (5)

Kt = Psi Psi^T may come from any construction; the deterministic consequences of (2) do not ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from reference import finite_features as finite
from reference.arithmetic import is_positive_semidefinite
from reference.exact_linear_algebra import combined, shifted
from reference.exact_spectra import spectral_error
from reference.finite_draws import finite_draws
from reference.finite_features import FiniteFeatures, Matrix
from theorems.statement import Hypothesis, Instance


@dataclass(frozen=True, kw_only=True, eq=False)
class Approximation(Instance):
    """A kernel matrix, another that approximates it, and labels.

    Parameters
    ----------
    K, Kt : (n, n) Fractions, symmetric positive semidefinite, not divided by n
    lam : ridge
    eps : accuracy claimed
    Y : (n,) labels
    """

    K: Matrix
    Kt: Matrix
    lam: Fraction
    eps: Fraction
    Y: tuple[Fraction, ...]


def approximates(x: Approximation, eps: Fraction) -> bool:
    """Decide (2) exactly, both sides."""
    A, At = shifted(x.K, x.lam), shifted(x.Kt, x.lam)
    return is_positive_semidefinite(combined(1, At, eps - 1, A)) and is_positive_semidefinite(
        combined(1 + eps, A, -1, At)
    )


# ---------------------------------------------------------------------------------------------------- hypotheses


def _semidefinite(x: Approximation) -> str | None:
    for name, M in (("K", x.K), ("Kt", x.Kt)):
        if not is_positive_semidefinite(M):
            return f"{name} must be positive semidefinite, got {[[str(v) for v in row] for row in M]}"
    return None


def _ridge(x: Approximation) -> str | None:
    return None if x.lam > 0 else f"lambda must be positive, got lambda = {float(x.lam):g}"


def _accuracy(x: Approximation) -> str | None:
    return None if 0 < x.eps < 1 else f"eps must lie in (0, 1), got eps = {float(x.eps):g}"


def _approximation(x: Approximation) -> str | None:
    if x.lam <= 0 or approximates(x, x.eps):
        return None
    error = spectral_error(x.K, x.Kt, x.lam)[0]
    return f"Kt must approximate K within eps, got eps = {float(x.eps):.12g}, eps* >= {float(error):.12g}"


KERNELS = Hypothesis(says="K and Kt are positive semidefinite", holds=_semidefinite)
RIDGE = Hypothesis(says="lambda > 0", holds=_ridge)
ACCURACY = Hypothesis(says="eps in (0, 1)", holds=_accuracy)
APPROXIMATION = Hypothesis(says="(1-eps)(K + lambda I) <= Kt + lambda I <= (1+eps)(K + lambda I)", holds=_approximation)
HYPOTHESES = (KERNELS, RIDGE, ACCURACY, APPROXIMATION)

# ----------------------------------------------------------------------------------------------------- instances


def diagonal(*entries: Fraction | int) -> Matrix:
    """Give diag(entries)."""
    size = range(len(entries))
    return tuple(tuple(Fraction(entries[i]) * (i == j) for j in size) for i in size)


def sampled(features: FiniteFeatures, lam: Fraction, counts: Sequence[int]) -> Matrix:
    """Give Psi Psi^T of a sample in which feature j was drawn counts[j] times from q_lambda / s_lambda."""
    draws = finite_draws(features, lam)
    total = sum(N * M for N, M in zip(counts, draws.matrices, strict=True)) / Fraction(sum(counts))
    return tuple(tuple(row) for row in total)


def _rounded_up(x: Fraction) -> Fraction:
    return Fraction(-((-x * 2**12) // 1), 2**12)


def _sample(
    name: str, says: str, features: FiniteFeatures, lam: Fraction, counts: Sequence[int], Y: Sequence[int]
) -> Approximation:
    """Take eps as the sample's own error, rounded up."""
    K, Kt = features.kernel(), sampled(features, lam, counts)
    eps = _rounded_up(spectral_error(K, Kt, lam)[1])
    return Approximation(name=name, says=says, K=K, Kt=Kt, lam=lam, eps=eps, Y=tuple(map(Fraction, Y)))


def _pair(
    name: str, says: str, K: Matrix, Kt: Matrix, lam: Fraction, eps: Fraction, Y: Sequence[Fraction | int]
) -> Approximation:
    return Approximation(name=name, says=says, K=K, Kt=Kt, lam=lam, eps=eps, Y=tuple(map(Fraction, Y)))


HALF, QUARTER, ONE = Fraction(1, 2), Fraction(1, 4), Fraction(1)

NOTHING_DRAWN = _pair(
    "nothing-drawn",
    "n = 1, K = lambda = Y = 1; Kt = 0, as low as eps = 1/2 allows",
    ((ONE,),),
    ((0 * ONE,),),
    ONE,
    HALF,
    [1],
)
DRAWN_TWICE = _pair(
    "drawn-twice",
    "n = 1, K = lambda = Y = 1; Kt = 2, as high as eps = 1/2 allows",
    ((ONE,),),
    ((2 * ONE,),),
    ONE,
    HALF,
    [1],
)
SMALL_RIDGE_NOTHING = _pair(
    "small-nothing", "n = 1, K = lambda = 1/4; Kt = 0", ((QUARTER,),), ((0 * ONE,),), QUARTER, HALF, [1]
)
BOTH_ENDS = _pair(
    "both-ends",
    "K = I, lambda = 1; one direction lost, one doubled",
    diagonal(1, 1),
    diagonal(0, 2),
    ONE,
    HALF,
    [1, -1],
)
TINY = _pair(
    "tiny-direction",
    "K = diag(1, 1e-6), lambda = 1/100; only the first direction was drawn",
    diagonal(1, Fraction(1, 10**6)),
    diagonal(1, 0),
    Fraction(1, 100),
    QUARTER,
    [3, -4],
)
DUPLICATES = _pair(
    "duplicates",
    "two equal points, K of rank one",
    ((ONE, ONE), (ONE, ONE)),
    ((HALF, HALF), (HALF, HALF)),
    QUARTER,
    HALF,
    [1, 2],
)
UNSEEN = _pair(
    "unseen-direction",
    "K = diag(1, 0), lambda = 1; the sample has weight in the null direction, where the labels are",
    diagonal(1, 0),
    diagonal(1, HALF),
    ONE,
    HALF,
    [0, 1],
)
FLAT_TAIL = _pair(
    "flat-tail",
    "K = 2 e1 e1^T on 20 points, lambda = 1; the sample has weight 2/5 in every other direction",
    diagonal(2, *[0] * 19),
    diagonal(2, *[Fraction(2, 5)] * 19),
    ONE,
    Fraction(2, 5),
    [0] * 20,
)
TINY_RIDGE = _pair(
    "tiny-ridge",
    "lambda = 1e-12, K = I and a sample that is off by an eighth each way",
    diagonal(1, 1),
    diagonal(Fraction(9, 8), Fraction(7, 8)),
    Fraction(1, 10**12),
    QUARTER,
    [1, 1],
)
LINEAR = _sample(
    "linear-sample",
    "linear kernel of X = [[1, 2], [3, -1]], four coordinates drawn by leverage",
    finite.linear_kernel([[1, 2], [3, -1]]),
    ONE,
    (3, 1),
    (1, -2),
)
ANTIPODAL = _sample(
    "antipodal-sample",
    "a point, its antipode, a zero row and a third point; eight coordinates drawn by leverage",
    finite.linear_kernel([[1, 2, 0], [-1, -2, 0], [0, 0, 0], [2, 1, 3]]),
    HALF,
    (2, 3, 3),
    (1, 1, -1, 2),
)


def _integer_points(n: int) -> FiniteFeatures:
    return finite.linear_kernel([[(i * j + i + j) % 5 - 2 for j in range(n + 2)] for i in range(n)])


def instances(profile: str) -> tuple[Approximation, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[Approximation, ...] = (
        NOTHING_DRAWN,
        DRAWN_TWICE,
        SMALL_RIDGE_NOTHING,
        BOTH_ENDS,
        TINY,
        DUPLICATES,
        UNSEEN,
        FLAT_TAIL,
        TINY_RIDGE,
        LINEAR,
        ANTIPODAL,
    )
    for n in {"quick": (), "ci": (6,), "night": (6, 12)}[profile]:
        found += (
            _sample(
                f"integers-{n}",
                f"linear kernel of {n} integer points, every coordinate drawn one to four times",
                _integer_points(n),
                Fraction(n),
                [1 + j % 4 for j in range(n + 2)],
                [(-1) ** i * i for i in range(n)],
            ),
        )
    return found
