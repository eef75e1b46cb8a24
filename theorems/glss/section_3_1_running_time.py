r"""Section 3.1: what ridge regression costs, through the kernel and through features, in counted operations.

    through s features   O(n s^2 + n^2)        through the kernel   O(n^3)

A finite sentence about exact counts of running code, never about the O itself: on the stated sizes no local slope of
log(operations) against log(size) exceeds the printed exponent by more than 1/4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import log, log10
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np

from reference.counted_regression import counted_in_data_space, counted_in_feature_space
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Cost, Hypothesis, Instance, Slope, Statement

Growth: TypeAlias = Literal["features", "points", "points in data space"]

TOLERANCE = Fraction(1, 4)
LEAST_RATIO = 32  # a little more than 1.5 decades

PRINTED: Mapping[Growth, Fraction] = MappingProxyType(
    {"features": Fraction(2), "points": Fraction(1), "points in data space": Fraction(3)}
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CostFamily(Instance):
    """Problems of growing size.

    Parameters
    ----------
    grows : 'features' (s grows, n is fixed), 'points' (n grows, s is fixed) or 'points in data space' (n grows, and
        the n x n system is solved)
    sizes : increasing
    fixed : the other size; 0 in data space, which has none
    """

    grows: Growth
    sizes: tuple[int, ...]
    fixed: int


def operations(x: CostFamily, size: int) -> int:
    """Count what one prediction costs on the problem of one size; the values of the data do not matter."""
    if x.grows == "points in data space":
        t = np.arange(1, size + 1) / size
        K = np.minimum.outer(t, t)  # positive definite
        return counted_in_data_space(K, 1.0, t, K[:1]).operations
    n, s = (x.fixed, size) if x.grows == "features" else (size, x.fixed)
    Phi = np.cos(np.outer(np.arange(1, n + 1), np.arange(1, s + 1)))
    return counted_in_feature_space(Phi, 1.0, Phi[:, 0], Phi[:1]).operations


def conclusion(claimed: Mapping[Growth, Fraction]) -> Cost:
    """Give the sentence for claimed exponents, the printed ones or broken ones."""

    def count(x: CostFamily) -> Slope:
        costs = [operations(x, size) for size in x.sizes]
        steps = zip(pairwise(x.sizes), pairwise(costs), strict=True)
        slopes = [log(after / before) / log(large / small) for (small, large), (before, after) in steps]
        return Slope(
            lower=min(slopes),
            upper=max(slopes),
            claimed=claimed[x.grows],
            tolerance=TOLERANCE,
            decades=log10(x.sizes[-1] / x.sizes[0]),
            points=len(x.sizes),
        )

    return Cost(count=count)


def _range_is_wide(x: CostFamily) -> str | None:
    growing = len(x.sizes) >= 5 and all(0 < a < b for a, b in pairwise(x.sizes))
    if growing and x.sizes[-1] >= LEAST_RATIO * x.sizes[0]:
        return None
    return f"sizes must be five or more, increasing from s to at least {LEAST_RATIO} s, got {x.sizes}"


def _features_are_few(x: CostFamily) -> str | None:
    if x.grows == "points in data space":
        return None
    s, n = (x.sizes[-1], x.fixed) if x.grows == "features" else (x.fixed, x.sizes[0])
    return None if 1 <= s <= n else f"s must lie in [1, n] on every size, got s = {s}, n = {n}"


WIDE_RANGE = Hypothesis(says="at least five sizes over 1.5 decades", holds=_range_is_wide)
FEW_FEATURES = Hypothesis(says="s <= n", holds=_features_are_few)


def _doubling(start: int, count: int) -> tuple[int, ...]:
    return tuple(start * 2**k for k in range(count))


FEATURES = CostFamily(
    name="features-4-to-128",
    says="n = 4096 points, s = 4, 8, ..., 128 features",
    grows="features",
    sizes=_doubling(4, 6),
    fixed=4096,
)
FEATURES_TO_N = CostFamily(
    name="features-up-to-n",
    says="n = 128 points, s = 4, 8, ..., 128 features: the s^3 of the factorisation is felt",
    grows="features",
    sizes=_doubling(4, 6),
    fixed=128,
)
POINTS = CostFamily(
    name="points-64-to-2048",
    says="s = 32 features, n = 64, 128, ..., 2048 points",
    grows="points",
    sizes=_doubling(64, 6),
    fixed=32,
)
DATA_SPACE = CostFamily(
    name="data-space-16-to-512",
    says="the n x n system for n = 16, 32, ..., 512",
    grows="points in data space",
    sizes=_doubling(16, 6),
    fixed=0,
)
MANY_FEATURES = CostFamily(
    name="more-features-than-points",
    says="n = 4 points, s = 32, 64, ..., 1024 features",
    grows="features",
    sizes=_doubling(32, 6),
    fixed=4,
)


def instances(profile: str) -> tuple[CostFamily, ...]:
    """Give the families of a profile; a longer profile begins with the shorter one."""
    found: tuple[CostFamily, ...] = (FEATURES, FEATURES_TO_N, POINTS, DATA_SPACE)
    longer: dict[str, Callable[[], tuple[CostFamily, ...]]] = {
        "quick": tuple,
        "ci": lambda: (_wider("ci", 7, 8192),),
        "night": lambda: (_wider("ci", 7, 8192), _wider("night", 9, 65536)),
    }
    return found + longer[profile]()


def _wider(name: str, count: int, n: int) -> CostFamily:
    sizes = _doubling(4, count)
    return CostFamily(
        name=f"features-4-to-{sizes[-1]}",
        says=f"n = {n} points, s = 4, 8, ..., {sizes[-1]} features ({name})",
        grows="features",
        sizes=sizes,
        fixed=n,
    )


def _drawn() -> Any:
    from theorems.glss.ridge_strategies import cost_families

    return cost_families()


def _twin(
    name: str,
    because: str,
    refuted_on: CostFamily,
    claimed: Mapping[Growth, Fraction],
    *,
    without: tuple[str, ...] = (),
) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=conclusion({**PRINTED, **claimed}),
        refuted_on=refuted_on,
        without=without,
    )


STATEMENT = Statement(
    id="glss.cost",
    number="3.1 cost",
    title="Operations of ridge regression",
    kind="Section",
    says=r"\text{through } s\le n \text{ features: } O(ns^2+n^2)\quad \text{through the kernel: } O(n^3)",
    plainly="On the stated sizes the operations of ridge regression grow like s^2 and n through s <= n features, and "
    "like n^3 through the kernel, each exponent up to 1/4.",
    source=GLSS.at("Section 1 and Section 3.1, after equation (2)"),
    deviation="A finite sentence on a stated range in place of O; s <= n is added (the paper speaks of s << n), for "
    "s^3 / 6 of the factorisation is no O(n s^2) otherwise. Operations are multiplications, divisions and roots.",
    constant="hidden",
    hypotheses=(
        WIDE_RANGE,
        FEW_FEATURES,
        Hypothesis(
            says="the counts are those of the running code",
            guaranteed_by="reference.counted_regression, tested against scalars that count themselves",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=instances,
    twins=(
        _twin(
            "linear_in_the_features",
            "forming Phi^T Phi takes n s (s + 1) / 2 products",
            FEATURES,
            {"features": Fraction(1)},
        ),
        _twin(
            "independent_of_the_points",
            "every point enters Phi^T Phi",
            POINTS,
            {"points": Fraction(0)},
        ),
        _twin(
            "quadratic_direct_solve",
            "a dense factorisation takes n^3 / 6 products; n^2 is one matrix-vector product",
            DATA_SPACE,
            {"points in data space": Fraction(2)},
        ),
        _twin(
            "any_number_of_features",
            "beyond s = n the s x s factorisation dominates, with exponent 3: then solve the n x n system",
            MANY_FEATURES,
            {},
            without=(FEW_FEATURES.says,),
        ),
    ),
    notes=(
        "The exact count with one prediction is n s (s+1)/2 + n s + s (s+1)(s+2)/6 + s (s+1) + s, which is at most "
        "6 n s^2 for s <= n, with equality at n = s = 1. So O(n s^2) suffices; the printed n^2 is not needed.",
        "For s <= n no local slope in s exceeds 9/4, the claim and its tolerance, on any range: "
        "(9/4) cost - s d cost / ds is s^2 (n - s) / 8 and terms >= 0. In n no slope exceeds 1, in data space none 3.",
    ),
    strategy=_drawn,
)
