r"""Theorem 3.7 with constants: predictions at test points end as close to u* as this, with probability 1 - delta.

    |u_test(K) - u*_test| <= kappa beta + D + kappa^2 kb (sqrt n kappa beta + D) / (kappa^2 Lambda_0 + lam)
                             + (kb sqrt n / Lambda_0) (1 - h (kappa^2 Lambda_0 + lam))^K
    D = kappa^2 eta I,   kb = ||K(x_test, X)||

with beta, eta, I of `training_constants`, where a test point counts as a point and carries no label. Proof. On the
event of that module, with the secant kernels Kh of the test point, Delta = u - u_ntk and u_ntk(0) = 0,

    Delta(k+1) = (I - h (kappa^2 H_cts + lam)) Delta(k) + h kappa^2 (Hh(k) - H_cts)(Y - u(k)),
    Delta_test(k+1) = (1 - h lam) Delta_test(k) + h kappa^2 ((Kh(k) - K)(Y - u(k)) - K Delta(k)),

so h sum_k ||Delta(k)|| <= (||u(0)|| + D) / (kappa^2 Lambda_0 + lam): the first two terms and the third. Kernel
regression itself is K H_cts^-1 (u_ntk - u*) = -K H_cts^-1 (I - h (kappa^2 H_cts + lam))^K u* away from its limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import Interval
from reference.preconditions import Float64
from theorems.glss.new_point_predictors import NewPoints
from theorems.glss.theorem_3_6_explicit import WIDTH as TRAINING_WIDTH
from theorems.glss.theorem_3_6_explicit import width
from theorems.glss.training_constants import Constants
from theorems.glss.training_instances import (
    DEFINITE,
    DESCENT,
    GAUSSIAN,
    I1,
    IN_RANGE,
    LABELS,
    SHORT_STEPS,
    SIGNS,
    UNIT,
    Training,
    alternating,
    on_circle,
    training,
)
from theorems.glss.training_runs import ALLOWANCE, BATCH, Signs, against_one, train
from theorems.sources import GLSS
from theorems.statement import (
    BrokenTwin,
    Construction,
    HighProbability,
    Hypothesis,
    Layer,
    Misprint,
    Statement,
)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The four terms of the bound at one test point, each enclosed."""

    start: Interval
    drift: Interval
    pull: Interval
    transient: Interval

    @property
    def total(self) -> Interval:
        """Their sum."""
        each = (self.start, self.drift, self.pull, self.transient)
        return sum((low for low, _ in each), Fraction(0)), sum((high for _, high in each), Fraction(0))


def terms(c: Constants, m: int) -> list[Terms]:
    """Give the terms at every test point for a network of width m."""
    x, eta = c.x, c.eta(m)
    start = c.enclose(lambda kappa, beta: kappa * beta, x.kappa, c.beta)
    drift = c.enclose(lambda kappa, eta, path: kappa**2 * eta * path, x.kappa, eta, c.path)
    root_n = c.enclose(lambda n: n.sqrt(), c.n)

    def pull(kb: Interval) -> Interval:
        return c.enclose(
            lambda kappa, kb, root_n, start, drift, least, lam: (
                kappa**2 * kb * (root_n * start + drift) / (kappa**2 * least + lam)
            ),
            *(x.kappa, kb, root_n, start, drift, x.Lambda_0, x.lam),
        )

    def transient(kb: Interval) -> Interval:
        return c.enclose(
            lambda kb, root_n, least, h, kappa, lam: (
                kb * root_n / least * (1 - h * (kappa**2 * least + lam)) ** x.steps
            ),
            *(kb, root_n, x.Lambda_0, x.step, x.kappa, x.lam),
        )

    return [Terms(start=start, drift=drift, pull=pull(kb), transient=transient(kb)) for kb in NewPoints(x).norms()]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the theorem tells one to do, and what it promises; a twin changes one part.

    Parameters
    ----------
    constants : of an instance
    bound : of the terms
    signs : law of the second layer; None for fair signs
    """

    constants: Callable[[Training], Constants] = Constants
    bound: Callable[[Terms], Interval] = lambda terms: terms.total
    signs: Signs | None = None


PROVED = Recipe()


def conclusion(recipe: Recipe) -> HighProbability:
    """Give the sentence for a recipe; every width is held against the one proved."""

    def construction(x: Training, m: int) -> Construction:
        constants = recipe.constants(x)
        found = terms(constants, m)
        bounds = [recipe.bound(t) for t in found]
        targets = NewPoints(x).predictions()

        return Construction(
            size=m,
            batch_size=BATCH,
            draw=against_one(lambda rng: ratio(x, m, rng, targets, bounds, recipe.signs)),
            facts=facts(constants, m, found),
            size_needed=Constants(x, bits=512).needed,
        )

    return HighProbability(
        size=lambda x: width(x, recipe.constants(x)),
        construction=construction,
        delta=lambda x: x.delta,
        stress="|u_test(K) - u*_test| / its bound",
    )


def ratio(
    x: Training,
    m: int,
    rng: np.random.Generator,
    targets: list[Interval],
    bounds: list[Interval],
    signs: Signs | None = None,
) -> tuple[float, float]:
    """Train once and enclose the largest |u_test(K) - u*_test| / bound; nan where the run is not certified."""
    run = train(x, m, rng, signs=signs)
    if not run.certified:
        return np.nan, np.nan
    enclosed = [_ratio(u, *pair) for u, *pair in zip(run.u_test[-1].tolist(), targets, bounds, strict=True)]
    return max(low for low, _ in enclosed), max(high for _, high in enclosed)


def _ratio(u: float, target: Interval, bound: Interval) -> tuple[float, float]:
    """Enclose one ratio: the output is off by at most `ALLOWANCE`, and floats round by less than 2^-50."""
    near = abs(Fraction(u) - target[0])
    error = Fraction(ALLOWANCE) + target[1] - target[0]
    low, high = max(near - error, Fraction(0)) / bound[1], (near + error) / bound[0]
    return float(low) * (1 - 2.0**-50), float(high) * (1 + 2.0**-50)


def facts(c: Constants, m: int, found: list[Terms]) -> dict[str, float | int | str]:
    """Give the constants, and the terms at the test point where they are largest, for display."""
    worst = max(found, key=lambda t: t.total[1])
    return {
        "n": c.n,
        "test points": c.n_all - c.n,
        "kappa": float(c.x.kappa),
        "Lambda_0": float(c.x.Lambda_0[0]),
        "T": float(c.x.horizon),
        "lambda T": float(c.x.lam * c.x.horizon),
        "lambda sqrt m": float(c.x.lam) * m**0.5,
        "eta": float(c.eta(m)[1]),
        "bound": float(worst.total[1]),
        "bound, start": float(worst.start[1]),
        "bound, kernel": float(worst.drift[1]),
        "bound, through the data": float(worst.pull[1]),
        "bound, transient": float(worst.transient[1]),
    }


def _has_test_points(x: Training) -> str | None:
    return None if x.X_test is not None and len(x.X_test) else "X_test must have a point, got none"


TEST_POINTS = Hypothesis(says="there is a test point", holds=_has_test_points)
WIDTH = replace(
    TRAINING_WIDTH,
    says="eta <= Lambda_0 / 2, m >= 16 ln(6 n' / delta) and n' (n' + 1) / 2 exp(-.635 m R) <= delta / 3, with n' "
    "points, test points included",
)
HYPOTHESES = (TEST_POINTS, UNIT, LABELS, DEFINITE, IN_RANGE, SHORT_STEPS, WIDTH, GAUSSIAN, SIGNS, DESCENT)

# -------------------------------------------------------------------------------------------------- instances


def problem(name: str, says: str, X: Float64, X_test: Float64, kappa: Fraction, **more: Any) -> Training:
    """Give a problem in natural units: lam = kappa^2 / 2048 and h = 7 / (4 kappa^2) unless said otherwise."""
    settings = {"lam": kappa**2 / 2048, "step": Fraction(7, 4) / kappa**2, "steps": 12, "delta": Fraction(1, 2)} | more
    return training(name, says, X=X, Y=alternating(len(X)), X_test=X_test, kappa=kappa, **settings)


ONE_POINT, SIXTY, OPPOSITE = on_circle(0.3), on_circle(1.35), -on_circle(0.3)
HALF = Fraction(1, 2)
SLOW = {"step": Fraction(3, 2) * 4, "steps": 24}

ELEVENTH = Fraction(1, 11)
POINT = problem("one-point", "one point, a test point 60 degrees away, kappa = 1/2", ONE_POINT, SIXTY, HALF)
UNSCALED = problem(
    "opposite-unscaled",
    "one point, the opposite one to test, kappa = 1",
    ONE_POINT,
    OPPOSITE,
    Fraction(1),
    m=10**8,
    delta=ELEVENTH,
)
UNTRAINED = problem(
    "one-step",
    "one point, the same to test, one short step",
    ONE_POINT,
    ONE_POINT,
    Fraction(1, 32),
    m=2**30,
    step=Fraction(1, 1024),
    steps=1,
    delta=ELEVENTH,
)
SURE = replace(POINT, name="one-point-eleventh", says=f"{POINT.says}, delta = 1/11", delta=ELEVENTH)
LOUD = replace(SURE, name="loud-label", says="one point, Y = 1e6", Y=np.array([1e6]))
FAR = replace(SURE, name="far-test-point", says="one point, a test point a thousand away", X_test=1000 * SIXTY)


def instances(profile: str) -> tuple[Training, ...]:
    """Give one and two training points, at the least width that is proven to do and above."""
    found: tuple[Training, ...] = (POINT,)
    if profile in ("ci", "night"):
        found += (
            problem(
                "I1", "points at angles .3 and 1.5, test point at 2.2, kappa = 1/2", I1, on_circle(2.2), HALF, **SLOW
            ),
            problem(
                "several-tests",
                "one point; itself, the opposite one and an orthogonal one to test; kappa = 1/8",
                ONE_POINT,
                np.concatenate([ONE_POINT, OPPOSITE, on_circle(0.3 + np.pi / 2)]),
                Fraction(1, 8),
            ),
            SURE,
        )
    if profile == "night":
        found += (
            problem("I1-wide", "m = 1e9, kappa = 1/8", I1, on_circle(2.2), Fraction(1, 8), m=10**9, step=96, steps=24),
            problem(
                "below-a-tenth",
                "one point, the opposite one to test, kappa = 1/32, m = 4e10: the bound is below 1/10",
                ONE_POINT,
                OPPOSITE,
                Fraction(1, 32),
                m=4 * 10**10,
            ),
        )
    return found


# ------------------------------------------------------------------------------------------------------ twins


def _all_plus(m: int, _rng: np.random.Generator) -> Float64:
    return np.ones(m)


def _as_if_unit(x: Training) -> Constants:
    """Give the constants of the instance with its test points moved back to the unit circle."""
    return Constants(replace(x, X_test=SIXTY))


def _twin(name: str, because: str, refuted_on: Training, *without: str, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name,
        because=because,
        conclusion=conclusion(replace(PROVED, **change)),
        refuted_on=refuted_on,
        without=without,
    )


NORMALISATION = Misprint(
    id="E8",
    says="no bound on ||x||, ||x_test|| and |y|",
    instead="||x_i|| <= 1, ||x_test|| <= 1 and |y_i| <= 1: the network is 1-homogeneous in x_test",
    witness="twins 'test_point_far_away' and 'labels_unbounded'; for every constant `glss.thm3.7.as_printed`",
)
NORM = Misprint(
    id="E24",
    says="||u_nn,test(T) - u*_test||_2; 'Given training data given training data'",
    instead="the absolute value of a number",
    witness="u_nn,test(T) is kappa f_nn(W(T), x_test), a number, by Definition 3.5",
)
MULTIPLIER = Misprint(
    id="E13",
    says="footnote 9: 'For the training equivalence result, we pick kappa > 0 .. the same as what is used in [AKM+17]'",
    instead="for the test equivalence result; as in [ADH+19a]. After (7), f_ntk(beta, X) are the training predictors",
    witness="Theorem 3.6 has kappa = 1 and Theorem 3.7 kappa = O~(eps Lambda_0 / n)",
)


def _drawn() -> Any:
    from theorems.glss.new_point_strategies import problems

    return problems()


STATEMENT = Statement(
    id="glss.thm3.7.explicit",
    number="3.7 explicit",
    title="Test predictions against u*, with constants",
    kind="Theorem",
    says=r"P\left[\lvert u_{\mathrm{nn},\mathrm{test}}(K)-u^*_{\mathrm{test}}\rvert\le\kappa\beta+D"
    r"+\frac{\kappa^2k_b(\sqrt n\kappa\beta+D)}{\kappa^2\Lambda_0+\lambda}"
    r"+\frac{k_b\sqrt n}{\Lambda_0}\left(1-h(\kappa^2\Lambda_0+\lambda)\right)^K\right]\ge 1-\delta,"
    r"\quad D=\kappa^2\eta I",
    plainly="A wide network with a small multiplier predicts at a new point what kernel regression does, up to its own "
    "start, the drift of its kernel and what is left of a transient.",
    source=GLSS.at("Section 3.2.1, Theorem 3.7"),
    deviation="constants for O~, so that eps is the right side; gradient descent for its flow (A10); ||x|| <= 1, also "
    "of test points, and |y| <= 1 added (A1, A2); several test points at once",
    constant="proved here",
    hypotheses=HYPOTHESES,
    conclusion=conclusion(PROVED),
    instances=instances,
    twins=(
        _twin(
            "outputs_start_at_zero",
            "kappa = 1: u_test(0) is random of variance 1/2 at every width, and training does not remove it",
            UNSCALED,
            bound=lambda t: replace(t, start=(Fraction(0),) * 2).total,
        ),
        _twin(
            "transient_left_out",
            "before it is trained the network predicts 0",
            UNTRAINED,
            bound=lambda t: replace(t, transient=(Fraction(0),) * 2).total,
        ),
        _twin(
            "labels_unbounded",
            "no hypothesis of the print bounds Y (E8): Y = 1e6 moves every neuron",
            LOUD,
            LABELS.says,
        ),
        _twin(
            "test_point_far_away",
            "no hypothesis of the print bounds x_test (E8): the error grows with it",
            FAR,
            UNIT.says,
            WIDTH.says,
            constants=_as_if_unit,
        ),
        _twin(
            "signs_all_plus",
            "with a_r = 1 the outputs at the start are of order sqrt m (E26)",
            SURE,
            signs=_all_plus,
        ),
    ),
    layers=(Layer.SIZE,),
    misprints=(NORMALISATION, NORM, MULTIPLIER),
    notes=(
        "kappa <= eps Lambda_0 / (4 n beta), lambda T <= 1/10 and m >= 2e4 beta^2 n^8 / (eps^4 Lambda_0^8) make the "
        "bound at most eps: the printed n^10 d / (eps^6 Lambda_0^10) is more than enough up to logarithms, with no "
        "factor d.",
        "The error is nearly kappa times a Gaussian, far below the bound: see `glss.thm3.7.decomposition`.",
    ),
    strategy=_drawn,
)
