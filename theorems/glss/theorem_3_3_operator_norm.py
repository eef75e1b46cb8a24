r"""Theorem 3.3 with the operator norm in place of the trace: a corollary of its proof.

    q_tilde >= p ||Phi^T (K + lam I)^-1 Phi||   suffices;   m >= 3 eps^-2 s_q_tilde ln(16 s_q_tilde s_lambda(K) / delta)

The proof uses of q_tilde only that ||(p/q_bar) A^-1/2 Phi Phi^T A^-1/2|| <= s_q_tilde, A = K + lam I, where the
printed theorem bounds this norm by the trace. The rest stands, since s_q_tilde >= ||E Y|| = lambda_1 / (lambda_1 + lam)
still holds. For d2 = 1 both are the same; features that serve many directions at once gain up to a factor d2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

from reference import finite_features as finite
from reference.finite_features import FiniteFeatures
from reference.operator_leverage import dominates_feature, operator_leverage
from reference.rational_eigenvalues import greatest_eigenvalue
from theorems.glss.leverage_instances import NEURONS, TWO_BY_THREE
from theorems.glss.sampling_constructions import construct, quantities
from theorems.glss.sampling_instances import COMPLEX, COUPON_8, DELTA, EPS, FiniteWorld, SamplingInstance
from theorems.glss.sampling_recipe import PAPER, Recipe, features_asked, safe_ceiling
from theorems.glss.sampling_worlds import dominated
from theorems.glss.theorem_3_3_kernel_approximation import (
    ACCURACY,
    FAILURE,
    RIDGE_BELOW_NORM,
    RIDGE_POSITIVE,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Construction, HighProbability, Hypothesis, Layer, Statement

Rule = Callable[[FiniteWorld], FiniteWorld]
"""The same world with another q_tilde."""

Norms = Callable[[FiniteFeatures, Fraction], list[Fraction]]
"""(features, lam) -> tau_tilde."""


def conclusion(*, recipe: Recipe = PAPER, law: Rule = lambda x: x, price: Rule = lambda x: x) -> HighProbability:
    """Give the sentence for a recipe.

    Parameters
    ----------
    recipe : what is built
    law : whose q_tilde is drawn from
    price : whose q_tilde the size is computed from
    """

    def construction(x: FiniteWorld, m: int) -> Construction:
        return replace(construct(law(x), m, recipe), size_needed=features_asked(quantities(x), bits=512))

    return HighProbability(
        size=lambda x: recipe.size(quantities(price(x))),
        construction=construction,
        delta=lambda x: x.delta,
        stress="eps* / eps",
    )


def _dominates_the_norm(x: SamplingInstance) -> str | None:
    if not isinstance(x, FiniteWorld):
        return f"features must be finitely many, got a {type(x).__name__}"
    if x.lam <= 0:
        return None
    for j, t in enumerate(x.tau_tilde or x.features.leverage(x.lam)):
        if not dominates_feature(x.features, j, x.lam, t):
            return f"q_tilde/p must be at least ||Phi^T (K + lambda I)^-1 Phi||, got {float(t):.10g} at feature {j}"
    return None


# ------------------------------------------------------------------------------------------------------- instances


def blocks(n: int, size: int) -> FiniteFeatures:
    """Build K = I_n from atoms that serve `size` directions each, and equally often: d2 = size."""
    return _serving([range(k, min(k + size, n)) for k in range(0, n, size)])


def _serving(parts: list[range], k: tuple[Fraction, ...] | None = None) -> FiniteFeatures:
    """Build K = diag(k), by default I, from one atom per part, all equally likely."""
    J, n = len(parts), max(part.stop for part in parts)
    scale = k or (Fraction(1),) * n
    grams = tuple(
        tuple(tuple(J * scale[a] * (a == b and a in part) for b in range(n)) for a in range(n)) for part in parts
    )
    return FiniteFeatures(p=(Fraction(1, J),) * J, grams=grams)


def _diagonal_norms(features: FiniteFeatures, lam: Fraction) -> list[Fraction]:
    """Give tau_op where every Gram matrix is diagonal: the largest G_ii / (K_ii + lam), exactly."""
    K = features.kernel()
    return [max(G[i][i] / (K[i][i] + lam) for i in range(len(G))) for G in features.grams]


def _world(
    name: str, says: str, features: FiniteFeatures, lam: Fraction, norms: Norms = _diagonal_norms
) -> FiniteWorld:
    """Give a world with q_tilde = p tau_op."""
    plain = FiniteWorld(name=name, says=says, features=features, lam=lam, eps=EPS, delta=DELTA)
    return dominated(name, says, plain, norms)


PAIRS = _world(
    "pairs", "eight orthonormal directions, two per draw: s_q_tilde = s_lambda / 2", blocks(8, 2), Fraction(1, 100)
)
ALL_AT_ONCE = FiniteWorld(
    name="all-at-once",
    says="eight directions in one draw, and a null feature: s_q_tilde = 23/30 below 1, s_lambda = 16/3",
    features=finite.with_null_atom(blocks(8, 8), Fraction(1, 2)),
    tau_tilde=(Fraction(4, 3), Fraction(1, 5)),
    lam=Fraction(1, 2),
    eps=EPS,
    delta=DELTA,
)
UNEVEN = _world(
    "uneven-blocks",
    "one atom serves the directions of 1 and 1/1000, another that of 1/2",
    _serving([range(2), range(2, 3)], (Fraction(1), Fraction(1, 1000), Fraction(1, 2))),
    Fraction(1, 20),
)
MANY_AND_ONE = _world(
    "many-and-one",
    "one atom serves thirty directions, another one: equal in norm, not in trace",
    _serving([range(30), range(30, 31)]),
    Fraction(1, 1000),
)
STEEP = _world(
    "steep",
    "K = diag(1, 1/64, 1/64, 1/64), lambda = 1/1000",
    finite.diagonal([1, *[Fraction(1, 64)] * 3]),
    Fraction(1, 1000),
)
EIGHT = _world(
    "coupon-8", "eight orthonormal directions, one per draw: norm and trace agree", COUPON_8.features, COUPON_8.lam
)


@cache
def instances(profile: str) -> tuple[FiniteWorld, ...]:
    """Give the instances of a profile; a longer profile begins with the shorter one."""
    phi = [finite.from_features(x.p, x.phi) for x in (TWO_BY_THREE, NEURONS)]
    found: tuple[FiniteWorld, ...] = (
        PAIRS,
        ALL_AT_ONCE,
        UNEVEN,
        STEEP,
        _world("two-by-three", TWO_BY_THREE.says, phi[0], Fraction(1, 2), operator_leverage),
        _world("integer-neurons", NEURONS.says, phi[1], NEURONS.lam, operator_leverage),
        _world("complex", COMPLEX.says, COMPLEX.features, COMPLEX.lam, operator_leverage),
    )
    if profile in ("ci", "night"):
        quadruples = _world("quadruples", "sixteen directions, four per draw", blocks(16, 4), Fraction(1, 1000))
        found += (MANY_AND_ONE, EIGHT, quadruples)
    return found


# ------------------------------------------------------------------------------------------------------------ twins


@cache
def _by_least_eigenvalue(x: FiniteWorld) -> FiniteWorld:
    """Take the least positive diagonal entry of Phi^T A^-1 Phi, which is an eigenvalue on diagonal worlds."""
    K = x.features.kernel()
    return replace(
        x,
        tau_tilde=tuple(min(G[i][i] / (K[i][i] + x.lam) for i in range(len(G)) if G[i][i]) for G in x.features.grams),
    )


@cache
def _by_norm_over_the_top(x: FiniteWorld) -> FiniteWorld:
    top = greatest_eigenvalue(x.features.kernel())[1] + x.lam
    return replace(x, tau_tilde=tuple(greatest_eigenvalue(G)[1] / top for G in x.features.grams))


@cache
def _by_mean_eigenvalue(x: FiniteWorld) -> FiniteWorld:
    return replace(x, tau_tilde=tuple(t / x.features.n for t in x.features.leverage(x.lam)))


@cache
def _by_leverage(x: FiniteWorld) -> FiniteWorld:
    return replace(x, tau_tilde=None)


def _twin(name: str, because: str, refuted_on: FiniteWorld, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(**change), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.glss.leverage_strategies import operator_worlds

    return operator_worlds()


STATEMENT = Statement(
    id="glss.thm3.3.operator_norm",
    number="3.3 operator norm",
    title="Kernel approximation with operator-norm leverage",
    kind="Corollary",
    says=r"\tilde q_\lambda(w)\ge p(w)\left\|\Phi(w)^\top(K+\lambda I)^{-1}\Phi(w)\right\|"
    r"\quad P\left[(1-\varepsilon)(K+\lambda I)\preceq\bar\Psi\bar\Psi^{\top}+\lambda I"
    r"\preceq(1+\varepsilon)(K+\lambda I)\right]\ge 1-\delta"
    r"\quad\text{once}\quad m\ge 3\varepsilon^{-2}s_{\tilde q_\lambda}"
    r"\ln\frac{16\,s_{\tilde q_\lambda}s_\lambda(K)}{\delta}",
    plainly="Theorem 3.3 remains true for any function that dominates p times the operator norm of the leverage matrix "
    "instead of its trace.",
    source=GLSS.at("Section 3.1, Theorem 3.3, by the proof of Section 4"),
    deviation="A weaker condition on q_tilde than printed, and so a smaller s_q_tilde; the logarithm keeps "
    "s_lambda(K), the trace.",
    constant="proved here",
    hypotheses=(
        RIDGE_POSITIVE,
        RIDGE_BELOW_NORM,
        ACCURACY,
        FAILURE,
        Hypothesis(
            says="q_tilde >= p ||Phi^T (K + lambda I)^-1 Phi||, on finitely many features", holds=_dominates_the_norm
        ),
        Hypothesis(
            says="w_1..w_m are independent draws from q_bar",
            guaranteed_by="keyed Philox streams, tested for law and independence",
        ),
    ),
    conclusion=conclusion(),
    instances=instances,
    twins=(
        _twin(
            "least_eigenvalue",
            "the least positive eigenvalue of Phi^T (K + lambda I)^-1 Phi bounds nothing",
            UNEVEN,
            law=_by_least_eigenvalue,
            price=_by_least_eigenvalue,
        ),
        _twin(
            "norm_over_the_top_eigenvalue",
            "||Phi||^2 / (||K|| + lambda) is a lower bound of the norm, and starves small directions",
            STEEP,
            law=_by_norm_over_the_top,
            price=_by_norm_over_the_top,
        ),
        _twin(
            "mean_eigenvalue",
            "the trace over n is at most the norm, and less where Phi has low rank",
            EIGHT,
            law=_by_mean_eigenvalue,
            price=_by_mean_eigenvalue,
        ),
        _twin(
            "drawn_by_trace_paid_by_norm",
            "the smaller size holds for the law that belongs to it, not for q_lambda / s_lambda",
            MANY_AND_ONE,
            law=_by_leverage,
        ),
        _twin(
            "one_feature_short",
            "m - 1 is below what the corollary asks",
            UNEVEN,
            recipe=replace(PAPER, size=lambda x: max(1, safe_ceiling(features_asked(x)) - 1)),
        ),
        _twin(
            "mean_forgotten",
            "no 1/m at all",
            PAIRS,
            recipe=replace(PAPER, scale=lambda _m: Fraction(1)),
        ),
    ),
    layers=(Layer.SIZE, Layer.MEAN, Layer.LAW, Layer.INDEPENDENCE),
    recalled=True,
    notes=(
        "Only ||Y|| <= s_q_tilde and E Y^2 <= s_q_tilde E Y are used, which the operator norm gives; the intrinsic "
        "dimension keeps the trace s_lambda. The Bernstein inequality is quoted from memory, as for "
        "glss.thm3.3.sharpened.",
        "s_q_tilde may fall below 1 while s_lambda is large, as on 'all-at-once'; the step of the printed proof for "
        "s_q_tilde in [1/2, 1) covers it, since s_q_tilde >= lambda_1 / (lambda_1 + lambda) > 1/2 remains.",
    ),
    strategy=_drawn,
)
