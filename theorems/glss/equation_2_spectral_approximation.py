r"""Equation (2): when features approximate a Gram matrix spectrally.

    (1 - eps)(K + lam I) <= Phi Phi^T + lam I <= (1 + eps)(K + lam I)
    iff   eps* := || (K + lam I)^-1/2 (Phi Phi^T - K) (K + lam I)^-1/2 || <= eps

More is true, by Sylvester's law of inertia: the negative directions of the two differences are as many as the
eigenvalues of the whitened difference beyond -eps and eps. Both counts are exact. A spectral approximation cannot
have fewer features than K has eigenvalues above eps lam / (1 - eps).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference.arithmetic import Exact, is_positive_semidefinite, rational_trace
from reference.exact_linear_algebra import combined, eigenvalues_above, rank, shifted
from reference.exact_spectra import relative_difference
from theorems.glss.equation_1_kernel_ridge_regression import RIDGE
from theorems.glss.ridge_instances import Candidate, Matrix, gram, matrix, pixels
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Rows, Statement

Distance = Callable[[Matrix, Rows, Fraction], Rows]
"""(K, Phi Phi^T, lam) -> a matrix whose eigenvalues are to lie in [-eps, eps]."""

Threshold = Callable[[Fraction, Fraction], Fraction]
"""(eps, lam) -> the value above which every eigenvalue of K needs a feature of its own."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about equation (2).

    Parameters
    ----------
    distance : whose eigenvalues decide
    two_sided : whether eigenvalues below -eps count
    threshold : of the rank condition
    """

    distance: Distance = relative_difference
    two_sided: bool = True
    threshold: Threshold = lambda eps, lam: eps * lam / (1 - eps)


PRINTED = Reading()


def sides(x: Candidate) -> tuple[Rows, Rows]:
    """Give what (2) says is positive semidefinite: the lower and the upper difference."""
    A, At = shifted(x.K, x.lam), shifted(gram(x.features), x.lam)
    return combined(1, At, x.eps - 1, A), combined(1 + x.eps, A, -1, At)


def _negative_directions(M: Rows) -> int:
    return eigenvalues_above([[-t for t in row] for row in M], 0)


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of (2), the printed one or a broken one."""

    def claims(x: Candidate) -> list[Claim]:
        Kt, n = gram(x.features), len(x.K)
        lower, upper = sides(x)
        distance = reading.distance(x.K, Kt, x.lam)
        beyond = eigenvalues_above(distance, x.eps)
        beneath = eigenvalues_above([[-t for t in row] for row in distance], x.eps) if reading.two_sided else 0
        found = [
            Claim(
                says="eigenvalues of the whitened difference outside [-eps, eps] = negative directions of both sides",
                left=Fraction(beyond + beneath),
                relation="=",
                right=Fraction(_negative_directions(lower) + _negative_directions(upper)),
            )
        ]
        if beyond + beneath == 0:
            # the criterion says that (2) holds: the court decides (2) itself, and what follows from it
            zero = [[Fraction(0)] * n for _ in range(n)]
            found += [
                Claim(
                    says="(1-eps)(K + lambda I) <= Phi Phi^T + lambda I",
                    left=zero,
                    relation="Loewner <=",
                    right=lower,
                ),
                Claim(
                    says="Phi Phi^T + lambda I <= (1+eps)(K + lambda I)",
                    left=zero,
                    relation="Loewner <=",
                    right=upper,
                ),
                Claim(
                    says="#{i : lambda_i(K) > eps lambda / (1 - eps)} <= rank Phi, which is at most s",
                    left=Fraction(eigenvalues_above(x.K, reading.threshold(x.eps, x.lam))),
                    relation="<=",
                    right=Fraction(rank(x.features)),
                ),
            ]
        return found

    return ForEach(claims=claims)


# ---------------------------------------------------------------------------------------------------- hypotheses


def _accuracy(x: Candidate) -> str | None:
    return None if 0 < x.eps < 1 else f"eps must lie in (0, 1), got eps = {float(x.eps):g}"


def _kernel(x: Candidate) -> str | None:
    if len(x.features) != len(x.K) or len({len(row) for row in x.features}) != 1:
        return f"Phi must be {len(x.K)} x s, got rows of lengths {[len(row) for row in x.features]}"
    if is_positive_semidefinite(x.K):
        return None
    return f"K must be positive semidefinite, got an indefinite {len(x.K)}-point matrix"


# ----------------------------------------------------------------------------------------------------- instances


def _candidate(
    name: str,
    says: str,
    K: Sequence[Sequence[Exact]],
    features: Sequence[Sequence[Exact]],
    lam: Fraction | int,
    eps: Fraction,
) -> Candidate:
    return Candidate(name=name, says=says, K=matrix(K), features=matrix(features), lam=Fraction(lam), eps=eps)


HALF, MILLIONTH = Fraction(1, 2), Fraction(1, 10**6)

TINY = _candidate(
    "tiny-direction",
    "K = diag(1, 1e-6), lambda = 1/100; one feature, for the first direction only",
    [[1, 0], [0, MILLIONTH]],
    [[1], [0]],
    Fraction(1, 100),
    Fraction(49, 100),
)
ON_THE_LINE = _candidate(
    "on-the-line",
    "K = 1, lambda = 1, Phi = 0, eps = 1/2 = eps*: (2) holds with equality",
    [[1]],
    [[0]],
    1,
    HALF,
)
JUST_BELOW = _candidate(
    "just-below-the-line",
    "the same with eps = 1/2 - 1e-15: (2) fails by less than a float of the size of K + lambda shows",
    [[1]],
    [[0]],
    1,
    HALF - Fraction(1, 10**15),
)
MISSED = _candidate(
    "missed-direction",
    "K = I, lambda = 1/100; one of two features: the lower side fails",
    [[1, 0], [0, 1]],
    [[1], [0]],
    Fraction(1, 100),
    HALF,
)
INVENTED = _candidate(
    "invented-direction",
    "K = diag(1, 0), lambda = 1/100; the second feature is small beside ||K||, and 9 times lambda",
    [[1, 0], [0, 0]],
    [[1, 0], [0, Fraction(3, 10)]],
    Fraction(1, 100),
    HALF,
)
SPARED = _candidate(
    "spared-direction",
    "K = diag(1, 3/4), lambda = 1, eps = 1/2: one feature suffices, though 3/4 > eps lambda",
    [[1, 0], [0, Fraction(3, 4)]],
    [[1], [0]],
    1,
    HALF,
)
DUPLICATES = _candidate(
    "duplicates",
    "two equal points and a zero row, K of rank one",
    [[4, 4, 0], [4, 4, 0], [0, 0, 0]],
    [[2], [2], [0]],
    Fraction(1, 10**12),
    Fraction(1, 100),
)
MIXED = _candidate(
    "mixed",
    "a direction lost and another doubled, in a rotated frame",
    [[2, 1, 0], [1, 2, 0], [0, 0, 1]],
    [[1, 1], [1, -1], [0, 0]],
    Fraction(1, 4),
    Fraction(1, 4),
)


def _subset_of_pixels(n: int, s: int, kept: int, eps: Fraction) -> Candidate:
    features = pixels(n, s).features
    part = matrix(row[:kept] for row in features)
    return _candidate(
        f"digits-{n}-{kept}-of-{s}-eps{float(eps):g}",
        f"the linear kernel of {n} digits through {s} pixels, and {kept} of the pixels as features; lambda = 1/4",
        gram(features),
        part,
        Fraction(1, 4),
        eps,
    )


def instances(profile: str) -> tuple[Candidate, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    found: tuple[Candidate, ...] = (
        TINY,
        ON_THE_LINE,
        JUST_BELOW,
        MISSED,
        INVENTED,
        SPARED,
        DUPLICATES,
        MIXED,
        _subset_of_pixels(16, 8, 7, Fraction(9, 10)),
        _subset_of_pixels(16, 8, 7, Fraction(1, 10)),
    )
    if profile in ("ci", "night"):
        found += (_subset_of_pixels(32, 12, 10, Fraction(95, 100)), _subset_of_pixels(32, 12, 6, HALF))
    if profile == "night":
        found += (_subset_of_pixels(64, 32, 28, Fraction(95, 100)),)
    return found


def _drawn() -> Any:
    from theorems.glss.ridge_strategies import candidates

    return candidates()


# ------------------------------------------------------------------------------------------------------ statement


def _in_units_of_the_trace(K: Matrix, Kt: Rows, lam: Fraction) -> Rows:
    """Measure the difference in absolute terms, in units of tr K + lambda >= ||K + lambda I||."""
    unit = rational_trace(K) + lam
    return [[t / unit for t in row] for row in combined(1, Kt, -1, K)]


def _twin(name: str, because: str, refuted_on: Candidate, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="glss.eq2",
    number="(2)",
    title="Spectral approximation",
    kind="Equation",
    says=r"(1-\epsilon)(K+\lambda I_n)\preceq\Phi\Phi^\top+\lambda I_n\preceq(1+\epsilon)(K+\lambda I_n)"
    r"\quad\iff\quad\|(K+\lambda I_n)^{-1/2}(\Phi\Phi^\top-K)(K+\lambda I_n)^{-1/2}\|\le\epsilon"
    r"\quad\implies\quad s\ge\lvert\{i:\lambda_i(K)>\frac{\epsilon\lambda}{1-\epsilon}\}\rvert",
    plainly="Features approximate a Gram matrix spectrally exactly when the whitened difference has norm at most eps, "
    "and then they are at least as many as the eigenvalues of K above eps lambda / (1 - eps).",
    source=GLSS.at("Section 3.1, equation (2)"),
    deviation="(2) is a definition in the paper; the criterion and the least number of features are derived here from "
    "it, and neither needs K > 0.",
    constant="proved here",
    hypotheses=(
        RIDGE,
        Hypothesis(says="eps in (0, 1)", holds=_accuracy),
        Hypothesis(says="K is positive semidefinite and Phi is n x s", holds=_kernel),
    ),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "rank_of_the_kernel_needed",
            "directions of K far below lambda need no feature: one of two suffices here",
            TINY,
            threshold=lambda _eps, _lam: Fraction(0),
        ),
        _twin(
            "threshold_without_one_minus_eps",
            "an eigenvalue between eps lambda and eps lambda / (1 - eps) may be missed",
            SPARED,
            threshold=lambda eps, lam: eps * lam,
        ),
        _twin(
            "absolute_error",
            "||Phi Phi^T - K|| <= eps (tr K + lambda) is blind to what happens at the size of lambda",
            INVENTED,
            distance=_in_units_of_the_trace,
        ),
        _twin(
            "upper_side_only",
            "features that miss a direction of K altogether satisfy the upper side",
            MISSED,
            two_sided=False,
        ),
        _twin(
            "whitened_by_the_sample",
            "(Phi Phi^T + lambda I)^-1/2 on both sides measures another error: with Phi = 0 it is ||K|| / lambda",
            ON_THE_LINE,
            distance=lambda K, Kt, lam: relative_difference(Kt, K, lam),
        ),
    ),
    notes=(
        "Rank condition: on the kernel of Phi^T, (2) gives v^T K v <= eps lambda / (1 - eps) |v|^2, and by counting "
        "dimensions the span of more than rank Phi eigenvectors meets that kernel.",
        "'eps in (0, 1) is small' in print; nothing here needs it to be small, and for eps >= 1 the left side is void.",
    ),
    strategy=_drawn,
)
