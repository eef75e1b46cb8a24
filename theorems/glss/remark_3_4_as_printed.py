r"""Remark 3.4 as printed: complex features with plain transposes (erratum E16).

    E_p phi(x, w) phi(z, w) = K(x, z)  for  phi(x, w) = exp(-2 pi i w x)

False: the mean is khat(x + z) where the kernel is khat(x - z), and Phi^T (K + lam I)^-1 Phi is no real number.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reference.rational_waves import ExactComplex, wave, zeros
from theorems.glss.equation_4_statistical_dimension import RIDGE_POSITIVE
from theorems.glss.remark_3_4_complex_features import (
    CONJUGATES,
    LAWS,
    READ_AS_MEANT,
    conclusion,
    conjugated,
    drawn,
    transposed,
    twin,
)
from theorems.glss.wave_instances import ONE_SIDED, SYMMETRIC, WaveRidge, waves
from theorems.sources import GLSS
from theorems.statement import Finding, Hypothesis, Statement

AS_PRINTED = replace(READ_AS_MEANT, right=transposed, around=transposed)


def _turns_the_data(x: WaveRidge) -> str | None:
    if any(wave(turn, x.X).im.any() for turn in x.turns):
        return None
    return f"some feature must not be real, got X = {x.X} at turns {[(str(c), str(s)) for c, s in x.turns]}"


def _absolute(z: ExactComplex) -> ExactComplex:
    """Give |z|, which is 1 everywhere."""
    return ExactComplex(re=np.ones_like(z.re) * (z.re * z.re + z.im * z.im), im=zeros(len(z.im)).im)


STATEMENT = Statement(
    id="glss.rem3.4.as_printed",
    number="3.4 as printed",
    title="Complex Fourier features with plain transposes",
    kind="Remark",
    says=r"\phi(x,w)=e^{-2\pi i w^\top x}\quad E_p\left[\Phi(w)\Phi(w)^\top\right]=K"
    r"\quad \tau(w)=\Phi(w)^\top(K+\lambda I_n)^{-1}\Phi(w)\in\mathbb{R}",
    plainly="With the formulas of Section 3.1 as they stand, complex Fourier features give the kernel in the mean and "
    "a real leverage.",
    source=GLSS.at("Section 3.1, Remark 3.4"),
    deviation="",
    constant="explicit",
    hypotheses=(
        RIDGE_POSITIVE,
        LAWS,
        Hypothesis(says="some feature is not real", holds=_turns_the_data),
    ),
    conclusion=conclusion(AS_PRINTED),
    instances=waves,
    twins=(
        twin(
            "both_factors_conjugated",
            "E conj phi(x) conj phi(z) is khat(-x - z)",
            SYMMETRIC,
            replace(AS_PRINTED, left=conjugated, right=conjugated),
        ),
        twin(
            "transpose_in_the_leverage_only",
            "the mean is right then, but Phi^T (K + lambda I)^-1 Phi is not the leverage",
            ONE_SIDED,
            replace(AS_PRINTED, right=conjugated),
        ),
        twin(
            "transpose_in_the_mean_only",
            "the leverage is right then, but the mean is khat(x + z)",
            SYMMETRIC,
            replace(AS_PRINTED, around=conjugated),
        ),
        twin(
            "absolute_values",
            "|phi(x)| |phi(z)| = 1 for every pair",
            SYMMETRIC,
            replace(AS_PRINTED, left=_absolute, right=_absolute),
        ),
    ),
    expected=Finding.REFUTED,
    misprints=(CONJUGATES,),
    notes=("False as soon as one feature is not real: |phi| = 1 and E phi(x)^2 = 1 force phi(x) = +-1.",),
    strategy=lambda: drawn().filter(lambda x: _turns_the_data(x) is None),
)
