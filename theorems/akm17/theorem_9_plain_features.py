"""Theorem 9: plain random Fourier features, drawn from p, need n / lam of them up to a logarithm.

    P[ (1 - Delta)(K + lam I) <= Z Z^* + lam I <= (1 + Delta)(K + lam I) ] >= 1 - rho

once s >= (8/3) Delta^-2 (n / lam) ln(16 s_lam(K) / rho). It is Lemma 8 with tau~ = p n / lam (Proposition 4), so that
the draws come from p and every weight is 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from reference import arithmetic
from reference.arithmetic import Interval
from theorems.akm17.fourier_worlds import EXPONENTIALS, ORTHOGONAL, PYTHAGOREAN, RARE, RIDGE, worlds
from theorems.akm17.lemma_8_leverage_sampling import ACCURACY, DRAWS
from theorems.glss.sampling_constructions import construct, quantities
from theorems.glss.sampling_instances import FiniteWorld
from theorems.glss.sampling_recipe import PAPER, Recipe, Scheme, over, safe_ceiling
from theorems.glss.theorem_3_3_kernel_approximation import FAILURE, RIDGE_BELOW_NORM
from theorems.sources import AKM17
from theorems.statement import BrokenTwin, Construction, HighProbability, Layer, Statement

Formula = Callable[..., Any]

PLAIN = replace(PAPER, scheme=lambda p, _q_bar: Scheme(law=p, weight=over(p, p)))
"""Draw from p, weigh by 1."""


def _printed(n: Any, lam: Any, dimension: Any, eps: Any, delta: Any) -> Any:
    return 8 * (n / lam) * (16 * dimension / delta).log() / (3 * eps**2)


def _asked(x: FiniteWorld, formula: Formula, bits: int = 128) -> Interval:
    return arithmetic.enclose(formula, x.features.n, x.lam, quantities(x).s_lambda, x.eps, x.delta, bits=bits)


def _as_lemma_8(x: FiniteWorld) -> FiniteWorld:
    """Take tau~ = n / lam everywhere, so that q_bar = p."""
    return replace(x, tau_tilde=(x.features.n / x.lam,) * len(x.features.p))


def _conclusion(formula: Formula = _printed, recipe: Recipe = PLAIN) -> HighProbability:
    def construction(x: FiniteWorld, m: int) -> Construction:
        return replace(construct(_as_lemma_8(x), m, recipe), size_needed=_asked(x, _printed, bits=512))

    return HighProbability(
        size=lambda x: safe_ceiling(_asked(x, formula)),
        construction=construction,
        delta=lambda x: x.delta,
        stress="Delta* / Delta",
    )


def _strategy() -> Any:
    from theorems.akm17.fourier_strategies import fourier_worlds

    return fourier_worlds().filter(lambda x: x.lam < 1)


def _instances(profile: str) -> tuple[FiniteWorld, ...]:
    return worlds(profile)


def _twin(name: str, because: str, refuted_on: FiniteWorld, **change: Any) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=_conclusion(**change), refuted_on=refuted_on)


STATEMENT = Statement(
    id="akm.thm9",
    number="AKM 9",
    title="Plain random Fourier features",
    kind="Theorem",
    says=r"P\left[(1-\Delta)(K+\lambda I)\preceq ZZ^{\ast}+\lambda I\preceq(1+\Delta)(K+\lambda I)\right]\ge 1-\rho"
    r"\quad\text{once}\quad s\ge\frac{8}{3}\Delta^{-2}\frac{n}{\lambda}\ln\frac{16\,s_\lambda(K)}{\rho}",
    plainly="Fourier features drawn from the kernel's own law approximate the kernel once there are about n/lambda.",
    source=AKM17.at("Theorem 9"),
    deviation="lambda < ||K|| for lambda <= ||K||: the exact check of the boundary is left out",
    constant="explicit",
    hypotheses=(RIDGE, EXPONENTIALS, RIDGE_BELOW_NORM, ACCURACY, FAILURE, DRAWS),
    conclusion=_conclusion(),
    instances=_instances,
    twins=(
        _twin(
            "statistical_dimension_for_n_over_lambda",
            "plain draws miss the rare frequency at the size that leverage sampling needs",
            RARE,
            formula=lambda _n, _lam, dimension, eps, delta: (
                8 * dimension * (16 * dimension / delta).log() / (3 * eps**2)
            ),
        ),
        _twin(
            "n_for_n_over_lambda",
            "a small ridge asks for more features",
            RARE,
            formula=lambda n, _lam, dimension, eps, delta: 8 * n * (16 * dimension / delta).log() / (3 * eps**2),
        ),
        _twin(
            "accuracy_not_squared",
            "averages err like s^-1/2",
            replace(ORTHOGONAL, name="orthogonal-fine", says="K = I on four points", eps=Fraction(1, 200)),
            formula=lambda n, lam, dimension, eps, delta: 8 * (n / lam) * (16 * dimension / delta).log() / (3 * eps),
        ),
        _twin(
            "uniform_draws",
            "frequencies drawn alike, not by p, average to another kernel",
            PYTHAGOREAN,
            recipe=replace(PLAIN, scheme=lambda p, _q_bar: Scheme(law=p * 0 + Fraction(1, len(p)), weight=over(p, p))),
        ),
    ),
    layers=(Layer.SIZE, Layer.MEAN, Layer.LAW, Layer.INDEPENDENCE),
    notes=("The lower bound, Theorem 10, has empty ranges below n of about 1e9 and is not executable.",),
    strategy=_strategy,
)
