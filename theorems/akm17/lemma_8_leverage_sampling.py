"""Lemma 8: Fourier features drawn by any dominating function approximate the kernel matrix spectrally.

    P[ (1 - Delta)(K + lam I) <= Z Z^* + lam I <= (1 + Delta)(K + lam I) ] >= 1 - rho

once s >= (8/3) Delta^-2 s_tau~ ln(16 s_lam(K) / rho), Delta <= 1/2, ||K|| >= lam. Theorem 3.3 of GLSS generalises it,
with the constant 3 and one factor more in the logarithm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from reference import arithmetic
from reference.arithmetic import Interval
from theorems.akm17.fourier_worlds import EXPONENTIALS, ORTHOGONAL, RARE, RIDGE, worlds
from theorems.glss.sampling_constructions import construct, quantities
from theorems.glss.sampling_instances import SamplingInstance, line_grid
from theorems.glss.sampling_recipe import PAPER, Quantities, Recipe, Scheme, over, safe_ceiling
from theorems.glss.theorem_3_3_kernel_approximation import DOMINATION, FAILURE, RIDGE_BELOW_NORM
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Construction, HighProbability, Hypothesis, Layer, Statement

Formula = Callable[..., Any]


def asked(x: Quantities, bits: int = 128) -> Interval:
    """Enclose (8/3) Delta^-2 s_tau~ ln(16 s_lam / rho)."""
    return arithmetic.enclose(_formula, x.s_q_tilde, x.s_lambda, x.eps, x.delta, bits=bits)


def _formula(s: Any, dimension: Any, eps: Any, delta: Any) -> Any:
    return 8 * s * (16 * dimension / delta).log() / (3 * eps**2)


LEMMA_8 = replace(PAPER, size=lambda x: safe_ceiling(asked(x)))
"""The recipe of Theorem 3.3 with the size of Lemma 8."""


def conclusion(recipe: Recipe) -> HighProbability:
    """Give the sentence of the lemma for a recipe, its own or a broken one."""

    def construction(x: SamplingInstance, m: int) -> Construction:
        return replace(construct(x, m, recipe), size_needed=asked(quantities(x), bits=512))

    return HighProbability(
        size=lambda x: recipe.size(quantities(x)),
        construction=construction,
        delta=lambda x: x.delta,
        stress="Delta* / Delta",
    )


def _accuracy_is_at_most_a_half(x: SamplingInstance) -> str | None:
    return None if 0 < x.eps <= Fraction(1, 2) else f"Delta must lie in (0, 1/2], got Delta = {float(x.eps):g}"


ACCURACY = Hypothesis(says="Delta in (0, 1/2]", holds=_accuracy_is_at_most_a_half)
DRAWS = Hypothesis(
    says="eta_1..eta_s are independent draws",
    guaranteed_by="keyed Philox streams, tested for law and independence where the law is finite",
)


ORTHOGONAL_FINE = replace(
    ORTHOGONAL, name="orthogonal-fine", says="K = I on four points, Delta = 1/100", eps=Fraction(1, 100)
)


def _instances(profile: str) -> tuple[SamplingInstance, ...]:
    return worlds(profile) if profile == "quick" else (*worlds(profile), line_grid())


def _strategy() -> Any:
    from theorems.akm17.fourier_strategies import fourier_worlds

    return fourier_worlds().filter(lambda x: x.lam < 1)


def _size(formula: Formula) -> Callable[[Quantities], int]:
    return lambda x: safe_ceiling(arithmetic.enclose(formula, x.s_q_tilde, x.s_lambda, x.eps, x.delta))


def _twin(name: str, because: str, refuted_on: SamplingInstance, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(LEMMA_8, **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="akm.lem8",
    number="AKM 8",
    title="Spectral approximation by leverage sampling",
    kind="Lemma",
    says=r"P\left[(1-\Delta)(K+\lambda I)\preceq ZZ^{\ast}+\lambda I\preceq(1+\Delta)(K+\lambda I)\right]\ge 1-\rho"
    r"\quad\text{once}\quad s\ge\frac{8}{3}\Delta^{-2}s_{\tilde\tau}\ln\frac{16\,s_\lambda(K)}{\rho}",
    plainly="Fourier features drawn in proportion to a function that dominates their leverage approximate the kernel.",
    source=AKM17.at("Lemma 8"),
    deviation="lambda < ||K|| for lambda <= ||K||: the exact check of the boundary is left out",
    constant="explicit",
    hypotheses=(RIDGE, EXPONENTIALS, RIDGE_BELOW_NORM, ACCURACY, FAILURE, DOMINATION, DRAWS),
    conclusion=conclusion(LEMMA_8),
    instances=_instances,
    twins=(
        _twin(
            "accuracy_not_squared",
            "averages err like s^-1/2",
            ORTHOGONAL_FINE,
            size=_size(lambda s, dimension, eps, delta: 8 * s * (16 * dimension / delta).log() / (3 * eps)),
        ),
        _twin(
            "weights_dropped",
            "draws by leverage average to the wrong kernel without the weight p/q",
            RARE,
            scheme=lambda p, q_bar: Scheme(law=q_bar, weight=over(p, p)),
        ),
        _twin(
            "plain_features_at_leverage_size",
            "features drawn from p at the size that leverage needs miss rare frequencies",
            RARE,
            scheme=lambda p, _q_bar: Scheme(law=p, weight=over(p, p)),
        ),
        _twin(
            "constant_a_hundred_times_smaller",
            "(8/300) Delta^-2: far below the variance",
            ORTHOGONAL,
            size=_size(lambda s, dimension, eps, delta: 8 * s * (16 * dimension / delta).log() / (300 * eps**2)),
        ),
    ),
    layers=(Layer.SIZE, Layer.MEAN, Layer.LAW, Layer.INDEPENDENCE),
    notes=(
        "The constant of the intrinsic-dimension Bernstein inequality centred at Y itself is 2 (1 + Delta/3) <= 7/3; "
        "8/3 comes from bounding ||Y - E Y|| by 2 s_tau~.",
        "Unlike the printed size of Theorem 3.3, 16 s_lam / rho needs no s_tau~ >= 1: M1 = M2 = s_tau~ diag(d_i) has "
        "norm at most s_tau~ and tr/norm at most 2 s_lam.",
    ),
    strategy=_strategy,
)
