r"""Equations (13) and (14) as printed, without kappa: false for kappa < 1 (erratum E1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theorems.glss.equation_13_14_distance_along_the_flow import (
    KAPPA,
    RightSide,
    conclusion,
    printed,
    right_side,
    terms,
)
from theorems.glss.flow_moments import DUPLICATES, HYPOTHESES, ONE_NEURON, SQUARE, Moment
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Finding, Hypothesis, Statement


def _instances(_profile: str) -> Sequence[Moment]:
    return (ONE_NEURON, SQUARE, DUPLICATES)


def _twin(name: str, because: str, refuted_on: Moment, right: RightSide) -> BrokenTwin:
    return BrokenTwin(name=name, because=because, conclusion=conclusion(right), refuted_on=refuted_on)


def _drawn() -> Any:
    from theorems.glss.flow_strategies import moments

    # u = u* hides every mistake
    return moments().filter(lambda x: x.kappa < 1 and printed(x, terms(x)) != right_side(x, terms(x)))


STATEMENT = Statement(
    id="glss.eq13-14.as_printed",
    number="(13), (14) as printed",
    title="The distance to u* along the flow, without kappa",
    kind="Equation",
    says=r"\frac{d\lVert u^*-u_{\mathrm{nn}}(t)\rVert_2^2}{dt}="
    r"-2(u^*-u_{\mathrm{nn}})^{\top}(H(t)+\lambda I)(u^*-u_{\mathrm{nn}})"
    r"+2(u_{\mathrm{nn}}-u^*)^{\top}(H(t)-H^{\mathrm{cts}})(Y-u^*)",
    plainly="False for kappa < 1, where Theorem 3.7 and Lemma 4.1 use it: what drives the flow is kappa^2 H.",
    source=GLSS.at("Section 4, equations (13) and (14)"),
    deviation="",
    constant="explicit",
    hypotheses=(
        *HYPOTHESES,
        Hypothesis(
            says="kappa < 1; for kappa = 1 the print is right",
            holds=lambda x: None if x.kappa < 1 else f"kappa must be below 1, got kappa = {x.kappa}",
        ),
    ),
    conclusion=conclusion(printed),
    instances=_instances,
    twins=(
        _twin(
            "kappa_for_its_square",
            "kappa once: the multiplier enters the output and its gradient",
            ONE_NEURON,
            lambda x, t: x.kappa * (t.decay + t.perturbation) + t.shrinkage,
        ),
        _twin(
            "kappa_in_the_first_term_only",
            "(14) carries it too: it comes from the same kappa^2 H (Y - u)",
            SQUARE,
            lambda x, t: x.kappa**2 * t.decay + t.shrinkage + t.perturbation,
        ),
        _twin(
            "kappa_before_the_ridge_too",
            "weight decay knows nothing of the multiplier",
            SQUARE,
            lambda x, t: x.kappa**2 * printed(x, t),
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(KAPPA,),
    strategy=_drawn,
)
