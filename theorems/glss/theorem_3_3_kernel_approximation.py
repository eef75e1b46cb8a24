r"""Theorem 3.3: modified random features approximate the kernel matrix spectrally.

    P[ (1 - eps)(K + lam I) <= Psi_bar Psi_bar^T + lam I <= (1 + eps)(K + lam I) ] >= 1 - delta

once m >= 3 eps^-2 s_q_tilde ln(16 s_q_tilde s_lambda(K) / delta) features are drawn i.i.d. from
q_bar = q_tilde / s_q_tilde, for any q_tilde >= q_lambda. Notation: see `reference/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference import arithmetic
from reference import finite_features as finite
from reference.arithmetic import Interval
from reference.finite_features import FiniteFeatures
from theorems.glss.diagonal_worlds import COUPON_4096, DiagonalWorld
from theorems.glss.kernel_instances import instances
from theorems.glss.sampling_constructions import construct, kernel, quantities
from theorems.glss.sampling_instances import (
    COMPLEX,
    COUPON_2,
    COUPON_8,
    COUPON_16,
    COUPON_20,
    NULL_ATOM,
    RAMP,
    SPIKE,
    FiniteWorld,
    SamplingInstance,
)
from theorems.glss.sampling_recipe import (
    PAPER,
    Drawing,
    Event,
    Numbers,
    Quantities,
    Recipe,
    Scheme,
    features_asked,
    over,
    safe_ceiling,
)
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, HighProbability, Hypothesis, Layer, Misprint, Statement

# ---------------------------------------------------------------------------------------------------- hypotheses


def _ridge_is_positive(x: SamplingInstance) -> str | None:
    return None if x.lam > 0 else f"lambda must be positive, got lambda = {float(x.lam):g}"


def _ridge_is_below_the_norm(x: SamplingInstance) -> str | None:
    """Decide lambda < ||K||: exactly on finite worlds, else v^T K v > (lambda + error) v^T v, v the top eigenvector."""
    if isinstance(x, DiagonalWorld):
        top = max(x.k)
        return None if x.lam < top else f"lambda must be below ||K||, got lambda = {float(x.lam):g}, ||K|| = {top}"
    K, error = kernel(x)
    if isinstance(x, FiniteWorld):
        exact = x.features.kernel()
        below = [[x.lam * (i == j) - v for j, v in enumerate(row)] for i, row in enumerate(exact)]
        if not arithmetic.is_positive_semidefinite(below):
            return None
        return f"lambda must be below ||K||, got lambda = {float(x.lam):.17g}, ||K|| = {np.linalg.norm(K, 2):.17g}"
    v = np.linalg.eigh(K)[1][:, -1]
    if arithmetic.quadratic_form(K.tolist(), v.tolist()) > (x.lam + Fraction(error)) * sum(Fraction(t) ** 2 for t in v):
        return None
    return (
        f"lambda must be proven below ||K||, got lambda = {float(x.lam):.17g}, "
        f"||K|| = {np.linalg.norm(K, 2):.17g} up to {error:.2g}"
    )


def _accuracy_is_small(x: SamplingInstance) -> str | None:
    return None if 0 < x.eps < Fraction(1, 2) else f"eps must lie in (0, 1/2), got eps = {float(x.eps):g}"


def _failure_is_a_probability(x: SamplingInstance) -> str | None:
    return None if 0 < x.delta < 1 else f"delta must lie in (0, 1), got delta = {float(x.delta):g}"


def _dominates(x: SamplingInstance) -> str | None:
    if not isinstance(x, FiniteWorld) or x.tau_tilde is None or x.lam <= 0:
        return None
    for j, (high, tau) in enumerate(zip(x.tau_tilde, x.features.leverage(x.lam), strict=True)):
        if high < tau:
            return f"q_tilde must be at least q_lambda, got q_tilde/p = {high} < {tau} = q_lambda/p at feature {j}"
    return None


RIDGE_POSITIVE = Hypothesis(says="lambda > 0", holds=_ridge_is_positive)
RIDGE_BELOW_NORM = Hypothesis(says="lambda < ||K||", holds=_ridge_is_below_the_norm)
ACCURACY = Hypothesis(says="eps in (0, 1/2)", holds=_accuracy_is_small)
FAILURE = Hypothesis(says="delta in (0, 1)", holds=_failure_is_a_probability)
DOMINATION = Hypothesis(says="q_tilde >= q_lambda, where q_tilde is given as data", holds=_dominates)

# ---------------------------------------------------------------------------------------------------- conclusion


def conclusion(recipe: Recipe) -> HighProbability:
    """Give the sentence of the theorem for a recipe, the theorem's or a broken one."""
    return HighProbability(
        size=lambda x: recipe.size(quantities(x)),
        construction=lambda x, m: construct(x, m, recipe),
        delta=lambda x: x.delta,
        stress="eps* / eps",
    )


# ------------------------------------------------------------------------------------------------- broken recipes


def _size(formula: Callable[[Any, Any, Any, Any], Any]) -> Callable[[Quantities], int]:
    """Give a rule m(s_q_tilde, s_lambda, eps, delta), computed like the theorem's."""

    def asked(x: Quantities) -> Interval:
        return arithmetic.enclose(formula, x.s_q_tilde, x.s_lambda, x.eps, x.delta)

    return lambda x: safe_ceiling(asked(x))


def _less(m: Callable[[int], int]) -> Callable[[Quantities], int]:
    return lambda x: max(1, m(safe_ceiling(features_asked(x))))


def _ones(like: Numbers) -> Numbers:
    return over(like, like)


def _uniform(p: Numbers) -> Numbers:
    return p * 0 + Fraction(1, len(p)) if p.dtype == object else np.full(len(p), 1 / len(p))


def _without_the_rarest(p: Numbers, q_bar: Numbers) -> Scheme:
    law = q_bar.copy()
    law[int(np.argmin(law))] = law[0] * 0
    return Scheme(law=law / sum(law), weight=over(p, q_bar))


_ONE_DRAW_REPEATED = Drawing(
    counts=lambda law, m, rng, trials: m * rng.multinomial(1, law, size=trials),
    indices=lambda law, count, rng: np.repeat(rng.choice(len(law), size=1, p=law), count),
    independent=False,
)


def _in_blocks_of(k: int) -> Drawing:
    return Drawing(
        counts=lambda law, m, rng, trials: (
            k * rng.multinomial(m // k, law, size=trials) + (m % k) * rng.multinomial(1, law, size=trials)
        ),
        indices=lambda law, count, rng: np.repeat(rng.choice(len(law), size=-(-count // k), p=law), k)[:count],
        independent=False,
    )


def _real_part(grams: Numbers) -> Numbers:
    """Cut the embedding [[R, -J], [J, R]] of R + iJ down to R."""
    half = grams.shape[1] // 2
    real = grams.copy()
    real[:, :half, half:] = real[:, half:, :half] = grams[0, 0, 0] * 0
    return real


def _twin(
    name: str,
    because: str,
    refuted_on: SamplingInstance,
    *,
    without: tuple[Hypothesis, ...] = (),
    recipe: Recipe | None = None,
    recipe_only: bool = False,
    **change: Any,
) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=conclusion(recipe or replace(PAPER, **change)),
        refuted_on=refuted_on,
        recipe_only=recipe_only,
        without=tuple(h.says for h in without),
    )


_TINY = FiniteWorld(
    name="tiny-direction",
    says="K = diag(1, 1e-6): the second direction lies far below lambda = 1/100",
    features=replace(
        SPIKE.features,
        grams=(
            ((Fraction(2), Fraction(0)), (Fraction(0), Fraction(0))),
            ((Fraction(0), Fraction(0)), (Fraction(0), Fraction(2, 10**6))),
        ),
    ),
    lam=Fraction(1, 100),
    eps=Fraction(49, 100),
    delta=Fraction(1, 10),
)
_BEYOND_THE_NORM = replace(
    NULL_ATOM,
    name="ridge-beyond-the-norm",
    says="K = 1, lambda = 99; half of q_tilde lies on a null feature",
    tau_tilde=(Fraction(2, 100), Fraction(2, 100)),
    lam=Fraction(99),
    eps=Fraction(1, 200),
    delta=Fraction(1, 2),
)
_UNDOMINATED = replace(
    COUPON_16,
    name="coupon-16-undominated",
    says="16 orthonormal directions; q_tilde = p, below q_lambda = 16 p / (1 + lambda)",
    tau_tilde=(Fraction(1),) * 16,
)
_RARE_FAILURE = replace(
    NULL_ATOM,
    name="rare-failure",
    says="one direction, K = 1; q_tilde puts 99/100 of its mass on a null feature; delta = 1e-300",
    tau_tilde=(Fraction(2), Fraction(198)),
    eps=Fraction(49, 100),
    delta=Fraction(1, 10**300),
)
_NEEDLE = replace(
    SPIKE,
    name="needle",
    says="two directions of weight 1; one is seen by a feature that p draws once in a hundred",
    features=FiniteFeatures(
        p=(Fraction(1, 100), Fraction(99, 100)),
        grams=(
            ((Fraction(100), Fraction(0)), (Fraction(0), Fraction(0))),
            ((Fraction(0), Fraction(0)), (Fraction(0), Fraction(100, 99))),
        ),
    ),
)
_ONE_OF_FORTY = replace(
    SPIKE,
    name="one-of-forty",
    says="K = diag(1, 0, ..., 0), forty directions: only one has leverage",
    features=finite.diagonal([1] + [0] * 39),
)
_FINE = replace(COUPON_2, name="coupon-2-fine", eps=Fraction(1, 100))

TWINS = (
    _twin(
        "log_factor_dropped",
        "m = 3 eps^-2 s: the coupon collector needs the logarithm",
        COUPON_16,
        size=_size(lambda s, _s_lambda, eps, _delta: 3 * s / eps**2),
    ),
    _twin(
        "constant_a_hundred_times_smaller",
        "m = .03 eps^-2 s ln(..): far below the variance",
        COUPON_16,
        size=_less(lambda m: -(-m // 100)),
    ),
    _twin(
        "eps_for_eps_squared",
        "m = 3 eps^-1 s ln(..): averages err like m^-1/2",
        _FINE,
        size=_size(lambda s, s_lambda, eps, delta: 3 * s * (16 * s * s_lambda / delta).log() / eps),
    ),
    _twin(
        "accuracy_ten_times_better",
        "the same m cannot give eps/10",
        COUPON_8,
        event=Event(eps=lambda eps: eps / 10),
    ),
    _twin(
        "accuracy_squared",
        "the same m cannot give eps^2",
        COUPON_8,
        event=Event(eps=lambda eps: eps**2),
    ),
    _twin(
        "no_ridge_in_the_event",
        "directions far below lambda are never seen, and need not be",
        _TINY,
        event=Event(kernel_ridge=lambda lam: lam * 0, sample_ridge=lambda lam: lam * 0),
    ),
    _twin(
        "ridge_missing_on_the_sample",
        "Psi Psi^T alone must then carry the ridge of K + lam I",
        RAMP,
        event=Event(sample_ridge=lambda lam: lam * 0),
    ),
    _twin(
        "ridge_beyond_the_norm",
        "for lambda > ||K|| the printed m can fall below 1, and says nothing",
        _BEYOND_THE_NORM,
        without=(RIDGE_BELOW_NORM,),
        recipe=PAPER,
    ),
    _twin(
        "domination_dropped",
        "q_tilde = p / n lies below q_lambda, its integral is 1, and m ignores the leverage",
        _UNDOMINATED,
        without=(DOMINATION,),
        recipe=PAPER,
    ),
    _twin(
        "half_the_size",
        "m/2: the constant 3/2 lies below what Chernoff's exponent allows as delta tends to 0",
        _RARE_FAILURE,
        size=_less(lambda m: m // 2),
    ),
    _twin(
        "one_feature_short",
        "m - 1 features; the theorem does not say that they suffice (they do, by its slack)",
        COUPON_8,
        recipe_only=True,
        size=_less(lambda m: m - 1),
    ),
    _twin(
        "s_lambda_for_s_q_tilde",
        "a wasteful q_tilde must be paid for: its integral counts, not s_lambda",
        NULL_ATOM,
        size=_size(lambda _s, s_lambda, eps, delta: 3 * s_lambda * (16 * s_lambda**2 / delta).log() / eps**2),
    ),
    _twin(
        "weights_dropped",
        "features drawn from q_bar but counted as if drawn from p",
        SPIKE,
        scheme=lambda p, q_bar: Scheme(law=q_bar, weight=_ones(p)),
    ),
    _twin(
        "weights_inverted",
        "q_bar/p for p/q_bar",
        SPIKE,
        scheme=lambda p, q_bar: Scheme(law=q_bar, weight=over(q_bar, p)),
    ),
    _twin(
        "root_forgotten",
        "features multiplied by p/q_bar instead of its square root, so Gram matrices by its square",
        SPIKE,
        scheme=lambda p, q_bar: Scheme(law=q_bar, weight=over(p, q_bar) ** 2),
    ),
    _twin(
        "m_plus_one_in_the_mean",
        "1/(m+1) for 1/m: not Definition 3.2, and biased, though too little for an event with slack to see",
        COUPON_8,
        recipe_only=True,
        scale=lambda m: Fraction(1, m + 1),
    ),
    _twin(
        "mean_forgotten",
        "no 1/m at all",
        COUPON_8,
        scale=lambda _m: Fraction(1),
    ),
    _twin(
        "drawn_from_p_weighed_for_q",
        "plain draws, importance weights",
        SPIKE,
        scheme=lambda p, q_bar: Scheme(law=p, weight=over(p, q_bar)),
    ),
    _twin(
        "plain_features_at_leverage_size",
        "draws from p with weight 1 at the m that leverage needs: a rare feature that matters is missed",
        _NEEDLE,
        scheme=lambda p, _q_bar: Scheme(law=p, weight=_ones(p)),
    ),
    _twin(
        "uniform_draws_right_weights",
        "unbiased, but drawn uniformly instead of from q_bar: one direction of forty matters",
        _ONE_OF_FORTY,
        scheme=lambda p, _q_bar: Scheme(law=_uniform(p), weight=over(p, _uniform(p))),
    ),
    _twin(
        "rarest_feature_dropped",
        "the least likely feature is never drawn",
        RAMP,
        scheme=_without_the_rarest,
    ),
    _twin(
        "one_draw_repeated",
        "one feature drawn and used m times",
        COUPON_8,
        drawing=_ONE_DRAW_REPEATED,
    ),
    _twin(
        "blocks_of_eight",
        "each draw used eight times: the size counts copies",
        COUPON_20,
        drawing=_in_blocks_of(8),
    ),
    _twin(
        "blocks_of_four",
        "each draw used four times: not independent draws, though the theorem's slack may pay for it",
        COUPON_20,
        recipe_only=True,
        drawing=_in_blocks_of(4),
    ),
    _twin(
        "real_part_only",
        "the imaginary part of a Hermitian kernel dropped",
        COMPLEX,
        grams=_real_part,
    ),
    _twin(
        "log_without_s",
        "m = 3 eps^-2 s ln(16 / delta): among thousands of directions some is always drawn too often or too seldom",
        COUPON_4096,
        size=_size(lambda s, _s_lambda, eps, delta: 3 * s * (16 / delta).log() / eps**2),
    ),
)


STATEMENT = Statement(
    id="glss.thm3.3",
    number="3.3",
    title="Kernel approximation with leverage score sampling",
    kind="Theorem",
    says=r"P\left[(1-\varepsilon)(K+\lambda I)\preceq\bar\Psi\bar\Psi^{\top}+\lambda I"
    r"\preceq(1+\varepsilon)(K+\lambda I)\right]\ge 1-\delta"
    r"\quad\text{once}\quad m\ge 3\varepsilon^{-2}s_{\tilde q_\lambda}"
    r"\ln\frac{16\,s_{\tilde q_\lambda}s_\lambda(K)}{\delta}",
    plainly="Enough random features, drawn in proportion to any function that dominates their ridge leverage, "
    "approximate the kernel matrix within 1 +- eps with probability at least 1 - delta.",
    source=GLSS.at("Section 3.1, Theorem 3.3"),
    deviation="p is a density with respect to any sigma-finite measure (atoms allowed), and features may be complex, "
    "with conjugate transposes, as Remark 3.4 allows: a refutation on a complex instance would be one of the remark.",
    constant="explicit",
    hypotheses=(
        RIDGE_POSITIVE,
        RIDGE_BELOW_NORM,
        ACCURACY,
        FAILURE,
        DOMINATION,
        Hypothesis(
            says="q_tilde >= q_lambda, where q_tilde is constructed, with finite integral s_q_tilde",
            guaranteed_by="exact leverage on finite worlds; on cells, leverage in ball arithmetic, rounded up; on "
            "grids, a proven upper bound per grid cell; by rejection, computed leverage with its error bound added",
        ),
        Hypothesis(
            says="K(x, z) = E_p[phi(x, w)^T phi(z, w)], p a density with respect to a sigma-finite measure",
            guaranteed_by="reference objects: p and phi define K, exactly on finite worlds",
        ),
        Hypothesis(
            says="w_1..w_m are independent draws from q_bar",
            guaranteed_by="keyed Philox streams, tested for law and independence where the law is finite",
        ),
    ),
    conclusion=conclusion(PAPER),
    instances=instances,
    twins=TWINS,
    layers=(Layer.SIZE, Layer.MEAN, Layer.LAW, Layer.INDEPENDENCE),
    misprints=(
        Misprint(
            id="E4",
            says="Definition 3.1: Phi(w) = [phi(x_1, w)^T, ..., phi(x_n, w)^T]^T in R^{n x d2}",
            instead="[phi(x_1, w), ..., phi(x_n, w)]^T, as in Section 4; the printed stack is n d2 x 1",
            witness="n = 2, d2 = 3: shapes (6,) and (2, 3)",
        ),
        Misprint(
            id="E10",
            says="the logarithm ln(16 s_q_tilde s_lambda / delta) is attributed to Lemma 8 of AKM+17",
            instead="that lemma has ln(16 s_lambda / delta); the printed one is true, but for s_q_tilde in [1/2, 1) it "
            "needs the sharper ||E Y^2|| <= s_q_tilde ||K|| / (||K|| + lambda)",
            witness="16 s_lambda / delta < s_q_tilde^-9",
        ),
        Misprint(
            id="E11",
            says="Definition 3.2: the support of q includes that of p",
            instead="q > 0 wherever p(w) Phi(w) != 0; q_lambda / s_lambda vanishes where Phi does",
            witness="points at angles .3, 1.5, 2.9: the cell that sees none has probability .0862 and tau = 0",
        ),
    ),
    notes=(
        "True as printed. It follows from the intrinsic-dimension matrix Bernstein inequality, which even gives "
        "2 (1 + eps/3) eps^-2 s_q_tilde ln(16 s_lambda / delta) for every s_q_tilde, as only lambda < ||K|| is used; "
        "for s_q_tilde >= 1 the printed m is the larger one.",
        "The logarithm needs s in it, not delta alone: with ln(16 / delta) the exact failure probability is .998 on "
        "4096 orthonormal directions at delta = 1/2.",
        "The exact failure probability at the printed m lies orders of magnitude below delta, so the event alone sees "
        "few mistakes; the layers look at what the proof uses.",
    ),
)
