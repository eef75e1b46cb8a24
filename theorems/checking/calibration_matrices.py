"""Matrices on the edge of positive semidefinite, with their truth by elimination: what the ladder is tried on.

The truth uses integers and nothing else, and shares no code with the ladder.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from theorems.checking.loewner import decide_psd
from theorems.checking.matrix_input import Rows
from theorems.statement import Answer

LARGEST_SIZE = 8
LARGEST_SPREAD = 67  # bits: ||K|| / lam up to 1e20


def near_boundary_matrix(rng: np.random.Generator) -> Rows:
    """Draw an exact symmetric matrix whose least eigenvalue is near, at or just beyond 0 for its size.

    M = sum_k c_k w_k x_k x_k^T + mu I, x_k small integer vectors, weights w_k = 2^-t_k spread over up to 20
    decades. Either mu = 0 and one c_k is in {-1, 0, 1}, the others positive: a graded or singular matrix; or M is
    the lower side Kt + lam I - (1 - eps)(K + lam I), mu = eps lam, where one direction
    falls short by (1 +- 2^-j) eps lam or exactly eps lam.

    Parameters
    ----------
    rng : source of randomness

    Returns
    -------
    (n, n) rows of Fractions, 1 <= n <= 8, ||M|| between about 2^-60 and 2^70
    """
    n = int(rng.integers(1, LARGEST_SIZE + 1))
    X = rng.integers(-3, 4, size=(n, n)).tolist()
    spread = int(rng.integers(0, LARGEST_SPREAD + 1))
    weights = [Fraction(1, 2**t) for t in rng.integers(0, spread + 1, size=n).tolist()]
    edge = int(rng.integers(n))
    if rng.integers(2):
        ridge = Fraction(0)
        factors = [Fraction(c) for c in rng.integers(1, 4, size=n).tolist()]
        factors[edge] = Fraction(int(rng.choice([-1, -1, 0, 1])))
        weights[edge] = Fraction(1, 2**spread)
    else:
        ridge = Fraction(1, 2 ** (spread + 2))
        others = int(rng.integers(2))
        factors = [Fraction(c * others, 16) for c in rng.integers(0, 4, size=n).tolist()]
        short = 1 + int(rng.choice([-1, 0, 1, 1])) * Fraction(1, 2 ** int(rng.integers(1, 80)))
        length = sum(x * x for x in X[edge]) or 1
        factors[edge] = -short * ridge / (weights[edge] * length)
    scale = Fraction(2) ** int(rng.integers(-60, 61))
    terms = [c * w * scale for c, w in zip(factors, weights, strict=True)] + [ridge * scale]
    common = math.lcm(*(x.denominator for x in terms))
    *whole, diagonal = (x.numerator * (common // x.denominator) for x in terms)
    pairs = list(zip(whole, X, strict=True))
    return [
        [Fraction(sum(s * x[i] * x[j] for s, x in pairs) + diagonal * (i == j), common) for j in range(n)]
        for i in range(n)
    ]


def is_psd_by_elimination(M: Rows) -> bool:
    """Decide M >= 0 exactly by fraction-free symmetric elimination on integers.

    A negative diagonal entry disproves it; a zero one with anything beside it disproves it; a positive one is
    eliminated, leaving a positive multiple of the Schur complement.

    Parameters
    ----------
    M : (n, n) rows of Fractions, exactly symmetric
    """
    common = math.lcm(*(x.denominator for row in M for x in row))
    rest = [[int(x * common) for x in row] for row in M]
    previous = 1
    while rest:
        pivot = rest[0][0]
        if pivot < 0 or (pivot == 0 and any(rest[0])):
            return False
        if pivot > 0:
            rest = [
                [(pivot * x - row[0] * top) // previous for x, top in zip(row, rest[0], strict=True)] for row in rest
            ]
            previous = pivot
        rest = [row[1:] for row in rest[1:]]
    return True


def loewner_campaign(count: int, key_rng: np.random.Generator) -> dict[str, int]:
    """Try the ladder, and a bare eigvalsh(M) >= 0, on matrices near the boundary.

    Parameters
    ----------
    count : how many matrices, >= 1
    key_rng : source of randomness

    Returns
    -------
    tried, holds : how many matrices, and how many of them are positive semidefinite
    wrong : the ladder contradicts the elimination
    undecided : the ladder answers UNSURE
    bad_witness : an OUT whose vector v does not have v^T M v < 0
    no_witness : an OUT without a vector
    by_floats : decided without leaving float64
    bare_wrong : `eigvalsh(M)[0] >= 0` contradicts the elimination

    Raises
    ------
    ValueError : count < 1
    """
    if count < 1:
        raise ValueError(f"loewner_campaign: count must be at least 1, got count = {count}")
    names = ("tried", "holds", "wrong", "undecided", "bad_witness", "no_witness", "by_floats", "bare_wrong")
    counts = dict.fromkeys(names, 0)
    for _ in range(count):
        M = near_boundary_matrix(key_rng)
        truth = is_psd_by_elimination(M)
        decision = decide_psd(M)
        bare = bool(np.linalg.eigvalsh(np.array(M, dtype=np.float64))[0] >= 0)
        counts["tried"] += 1
        counts["holds"] += truth
        counts["undecided"] += decision.answer == Answer.UNSURE
        counts["wrong"] += decision.answer == (Answer.OUT if truth else Answer.IN)
        counts["by_floats"] += decision.bits > 0
        counts["bare_wrong"] += bare != truth
        if decision.witness is None:
            counts["no_witness"] += decision.answer == Answer.OUT
        else:
            counts["bad_witness"] += not _is_negative(M, decision.witness)
    return counts


def _is_negative(M: Rows, v: tuple[float, ...]) -> bool:
    exact = [Fraction(x) for x in v]
    return sum(x * y * m for x, row in zip(exact, M, strict=True) for y, m in zip(exact, row, strict=True)) < 0
