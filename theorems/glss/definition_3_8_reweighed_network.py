r"""Definition 3.8: what the reweighed network has in the mean at the start, neurons drawn from q and weighed by p/q.

    fbar(W, x) = m^-1/2 sum_r a_r omega_r sigma(w_r.x),   w_r ~ q,   omega_r = sqrt(p/q)(w_r)
    E Hbar(0) = H_cts,   E ubar(0) = 0,   Cov ubar(0) = kappa^2 K_nngp    on the data, at every width

as with Gaussian neurons. At a new point x_t the mean kernel with the data is K_ntk(x_t, X) too, but K(x_t, x_t) lacks
the neurons that see x_t and no data, since q never draws them. Expectations are sums over activation cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from reference.arithmetic import precision
from theorems.glss.cell_covariances import output_covariances
from theorems.glss.equation_9_leverage_density import POSITIVITY, SOME_POINT, dimension, leverages, sees
from theorems.glss.equation_10_reweighed_loss import SQUARE_MISSING
from theorems.glss.section_3_2_1_optimal_predictors import output_covariance
from theorems.glss.tangent_instances import (
    MULTIPLIER,
    ORTHONORMAL,
    RIDGE,
    SHAPES,
    SQUARE,
    TangentProblem,
    canonical,
    problems,
)
from theorems.glss.tangent_worlds import BITS, Number, Numbers, World, world
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, Expectation, Hypothesis, Statement


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell that q charges.

    Parameters
    ----------
    p, q : its probabilities under the Gaussian and under the leverage density
    """

    p: Number
    q: Number


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about the reweighed network.

    Parameters
    ----------
    law : cell -> probability with which it is drawn
    weight : cell -> omega^2
    lost : p-mass of the neurons that see a new point and no data -> the part missing at that point
    factor : kappa -> factor of K_nngp in the covariance of the outputs
    """

    law: Callable[[Cell], Number] = lambda c: c.q
    weight: Callable[[Cell], Number] = lambda c: c.p / c.q
    lost: Callable[[Number], Number] = lambda mass: mass
    factor: Callable[[Fraction], Fraction] = lambda kappa: kappa**2


PRINTED = Reading()


def charged(x: TangentProblem, w: World) -> list[Cell | None]:
    """Give both probabilities of every cell of the data and the new points; None where q is 0."""
    n, lam = x.n, w.number(x.lam)
    H = w.kernel[:n, :n]
    q = w.mass * leverages(w, H, lam, w.grams()[:, :n, :n]) / dimension(w, H, lam)
    return [
        Cell(p=mass, q=share) if active else None
        for mass, share, active in zip(w.mass, q, sees(x, w.seen), strict=True)
    ]


def average(w: World, cells: list[Cell | None], reading: Reading, values: Numbers) -> Numbers:
    """Give E_q[omega^2 v] for v with the mean values_c in cell c: (C, ...) to (...)."""
    terms = [
        reading.law(cell) * reading.weight(cell) * value
        for cell, value in zip(cells, values, strict=True)
        if cell is not None
    ]
    total: Numbers = sum(terms, start=w.number(0) * values[0])
    return total


def conclusion(reading: Reading) -> Expectation:
    """Give the sentence for a reading of Definition 3.8, the printed one or a broken one."""

    def claims(x: TangentProblem) -> list[Claim]:
        with precision(BITS):
            found = _kernel(reading, x)
            return found + _outputs(reading, x) if len(x.X[0]) == 2 else found

    return Expectation(claims=claims)


def _kernel(reading: Reading, x: TangentProblem) -> list[Claim]:
    w, n = x.everything, x.n
    cells = charged(x, w)
    H = average(w, cells, reading, w.grams())
    ones = w.numbers([1] * len(w.mass))
    blind = [w.mass[c] if cell is None else w.number(0) for c, cell in enumerate(cells)]
    found = [
        *w.equal("E Hbar(0) = H_cts", H[:n, :n], w.kernel[:n, :n]),
        *w.equal("E Kbar(x_t, X) = K_ntk(x_t, X)", H[n:, :n], w.kernel[n:, :n]),
        Claim(
            says="E_q p/q = P(some point is seen)",
            left=w.quantity(average(w, cells, reading, ones)),
            relation="=",
            right=w.quantity(w.number(1) - sum(blind)),
        ),
    ]
    for t in range(n, len(w.x)):
        unseen = sum((p * s for p, s in zip(blind, w.seen[:, t], strict=True)), start=w.number(0))
        found.append(
            Claim(
                says=f"E Kbar(x_t, x_t) = K_ntk(x_t, x_t) - |x_t|^2 P(only x_t is seen), new point {t - n + 1}",
                left=w.quantity(H[t, t]),
                relation="=",
                right=w.quantity(w.kernel[t, t] - reading.lost(unseen) * w.products()[t, t]),
            )
        )
    return found


def _outputs(reading: Reading, x: TangentProblem) -> list[Claim]:
    """Compare second moments of the outputs; signs are independent of everything, so neurons do not mix."""
    rows, n = (*x.X, *x.new), x.n
    w = world(rows, False)
    within = output_covariances(w, rows) / w.mass[:, None, None]
    factor = w.number(x.kappa**2)
    found = factor * average(w, charged(x, w), reading, within)
    claimed = w.number(reading.factor(x.kappa)) * output_covariance(x)
    return w.equal("Cov(ubar(0), ubar_i(0)) = kappa^2 K_nngp for x_i in the data", found[:, :n], claimed[:, :n])


def _twin(name: str, because: str, refuted_on: TangentProblem, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(PRINTED, **change)), refuted_on=refuted_on
    )


def _drawn() -> Any:
    from theorems.glss.tangent_strategies import tangent_problems

    return tangent_problems().filter(lambda x: any(map(any, x.X)))


STATEMENT = Statement(
    id="glss.def3.8",
    number="3.8",
    title="The reweighed network at the start",
    kind="Definition",
    says=r"\bar f_{\mathrm{nn}}(W,x)=\frac{1}{\sqrt{m}}\sum_{r=1}^{m}a_r\sigma(w_r^{\top}x)"
    r"\sqrt{\frac{p(w_r(0))}{q(w_r(0))}}\quad w_r(0)\sim q"
    r"\quad\mathbb{E}\,\bar H(0)=H^{\mathrm{cts}}\quad\mathrm{Cov}(\bar u_{\mathrm{nn}}(0))=\kappa^2K_{\mathrm{nngp}}",
    plainly="Drawn by leverage and weighed by sqrt(p/q), the network starts with the tangent kernel and the output "
    "covariance of the Gaussian one in the mean, on the data, and with less of them at new points that see neurons "
    "no data point does.",
    source=GLSS.at("Section 3.2.2, Definition 3.8"),
    deviation="The print defines; the means are what the definition is for. q >= 0 for the printed q > 0 (E11). "
    "Outputs are compared in the plane, where their moments on cells are known.",
    constant="explicit",
    hypotheses=(
        RIDGE,
        MULTIPLIER,
        SHAPES,
        SOME_POINT,
        Hypothesis(
            says="the neurons are independent draws from q, the signs fair and independent of them",
            guaranteed_by="Hbar is a mean of independent equal terms, and with such signs so is the covariance of the "
            "outputs; one neuron is averaged exactly",
        ),
    ),
    conclusion=conclusion(PRINTED),
    instances=problems,
    twins=(
        _twin(
            "root_forgotten",
            "p/q on the outputs is (p/q)^2 in the kernel",
            ORTHONORMAL,
            weight=lambda c: (c.p / c.q) ** 2,
        ),
        _twin("weights_dropped", "drawn from q, counted as if from p", canonical()[0], weight=lambda c: c.q / c.q),
        _twin("weights_inverted", "sqrt(q/p) for sqrt(p/q)", SQUARE, weight=lambda c: c.q / c.p),
        _twin(
            "drawn_from_p_weighed_for_q", "Gaussian neurons with leverage weights", canonical()[1], law=lambda c: c.p
        ),
        _twin(
            "unbiased_at_new_points",
            "neurons that see a new point and no data are never drawn",
            canonical()[0],
            lost=lambda mass: 0 * mass,
        ),
        _twin("multiplier_once", "kappa for kappa^2 in the covariance", SQUARE, factor=lambda kappa: kappa),
    ),
    misprints=(SQUARE_MISSING, POSITIVITY),
    notes=(
        "One point: w ~ q is a Gaussian half-space vector, and sqrt(p/q) = 1/sqrt 2.",
        "The first and second moments at the start are those of the Gaussian network; the spread of Hbar(0) is what "
        "leverage improves.",
    ),
    strategy=_drawn,
)
