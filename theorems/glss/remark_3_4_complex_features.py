r"""Remark 3.4: the results for complex features, with every transpose read as a conjugate transpose.

    K(x, z) = E_p phi(x, w) conj phi(z, w),   tau(w) = Phi(w)^* (K + lam I)^-1 Phi(w),   Psi_bar Psi_bar^*

for phi(x, w) = exp(-2 pi i w x). The probability of (5) is the same theorem for Hermitian matrices (an instance of
Theorem 3.3 is complex); here is what the reading changes: the mean, the leverage, and what real parts inherit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from reference.arithmetic import quadratic_form
from reference.exact_linear_algebra import combined, shifted
from reference.exact_spectra import spectral_error
from reference.rational_waves import ExactComplex, Exactly, wave, wave_kernel, zeros
from theorems.glss.equation_4_statistical_dimension import RIDGE_POSITIVE
from theorems.glss.wave_instances import ONE_SIDED, SYMMETRIC, WaveRidge, waves
from theorems.sources import GLSS
from theorems.statement import BrokenTwin, Claim, ForEach, Hypothesis, Misprint, Rows, Statement

Reflection = Callable[[ExactComplex], ExactComplex]


def conjugated(z: ExactComplex) -> ExactComplex:
    """Read ^T as ^*."""
    return z.conjugate()


def transposed(z: ExactComplex) -> ExactComplex:
    """Read ^T as printed."""
    return z


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What can be got wrong about Remark 3.4.

    Parameters
    ----------
    left, right : what Phi becomes in front and behind in Phi Phi^*
    around : what Phi^* is in the leverage Phi^* (K + lam I)^-1 Phi
    pair : complex feature -> the real features that replace it, (n,) each
    """

    left: Reflection = transposed
    right: Reflection = conjugated
    around: Reflection = conjugated
    pair: Callable[[ExactComplex], Sequence[Exactly]] = lambda z: (z.re, z.im)


READ_AS_MEANT = Reading()


def conclusion(reading: Reading) -> ForEach:
    """Give the sentence for a reading of the remark, the one that is meant, the printed or a broken one."""

    def claims(x: WaveRidge) -> list[Claim]:
        K, features = wave_kernel(x.p, x.turns, x.X), [wave(turn, x.X) for turn in x.turns]
        products = [reading.left(z).outer(reading.right(z)) for z in features]
        weights = [Fraction(c, sum(x.counts)) * p / q for c, p, q in zip(x.counts, x.p, x.q, strict=True)]
        sample = _total(weights, products)
        return [
            Claim(
                says="E Phi Phi^* = K, real and imaginary parts",
                left=_parts(_total(x.p, products)),
                relation="=",
                right=_parts(K),
            ),
            *_about_leverage(reading, x, K, features),
            *_about_real_parts(reading, x, K, sample, weights, features),
        ]

    return ForEach(claims=claims)


def _total(weights: Sequence[Fraction], terms: Sequence[ExactComplex]) -> ExactComplex:
    total = zeros(*terms[0].re.shape)
    for weight, term in zip(weights, terms, strict=True):
        total = total.plus(term, weight)
    return total


def _parts(M: ExactComplex) -> Rows:
    rows: Rows = np.hstack([M.re, M.im]).tolist()
    return rows


def _about_leverage(reading: Reading, x: WaveRidge, K: ExactComplex, features: Sequence[ExactComplex]) -> list[Claim]:
    """Say that tau is a real number between its bounds, and integrates to s_lambda."""
    n = len(x.X)
    ridge = ExactComplex(re=x.lam * np.eye(n, dtype=object), im=zeros(n, n).re)
    inverse = K.plus(ridge).inverse()
    tau = [reading.around(z).dot(inverse.times(z)) for z in features]
    trace = sum((inverse.re[i, i] for i in range(n)), Fraction(0))
    found = [
        Claim(
            says="int q_lambda = tr (K + lambda I)^-1 K",
            left=sum((p * re for p, (re, _) in zip(x.p, tau, strict=True)), Fraction(0)),
            relation="=",
            right=n - x.lam * trace,
        )
    ]
    for j, (re, im) in enumerate(tau):
        found += [
            Claim(says=f"tau_{j} is real", left=im, relation="=", right=Fraction(0)),
            Claim(says=f"n / (n + lambda) <= tau_{j}", left=n / (n + x.lam), relation="<=", right=re),
            Claim(says=f"tau_{j} <= n / lambda", left=re, relation="<=", right=n / x.lam),
        ]
        if not K.im.any():
            found.append(
                Claim(
                    says=f"tau_{j} is that of (cos, sin), K being real",
                    left=re,
                    relation="=",
                    right=sum(
                        (quadratic_form(inverse.re.tolist(), v.tolist()) for v in reading.pair(features[j])),
                        Fraction(0),
                    ),
                )
            )
    return found


def _about_real_parts(
    reading: Reading,
    x: WaveRidge,
    K: ExactComplex,
    sample: ExactComplex,
    weights: Sequence[Fraction],
    features: Sequence[ExactComplex],
) -> list[Claim]:
    """Say that Re Psi Psi^* is the Gram matrix of (cos, sin), and as close to Re K as Psi Psi^* is to K."""
    pairs = sum(
        (weight * np.outer(v, v) for weight, z in zip(weights, features, strict=True) for v in reading.pair(z)),
        start=zeros(*K.re.shape).re,
    )
    real = Claim(
        says="Re Psi Psi^* is the Gram matrix of the weighted real pair (cos, sin)",
        left=sample.re.tolist(),
        relation="=",
        right=pairs.tolist(),
    )
    whole, wholes = K.embedded().tolist(), sample.embedded()
    if (wholes != wholes.T).any():
        return [real, _hermitian(sample)]
    eps = spectral_error(whole, wholes.tolist(), x.lam)[1]
    return [
        real,
        _hermitian(sample),
        *_approximates("Psi Psi^*, K", whole, wholes.tolist(), x.lam, eps),
        *_approximates("Re Psi Psi^*, Re K", K.re.tolist(), pairs.tolist(), x.lam, eps),
    ]


def _hermitian(M: ExactComplex) -> Claim:
    return Claim(says="Psi Psi^* is Hermitian", left=_parts(M), relation="=", right=_parts(_adjoint(M)))


def _adjoint(M: ExactComplex) -> ExactComplex:
    return ExactComplex(re=M.re.T, im=-M.im.T)


def _approximates(what: str, K: Rows, Kt: Rows, lam: Fraction, eps: Fraction) -> list[Claim]:
    """Give (5) at an accuracy at which it is attained by Psi Psi^* and K."""
    middle, outer = shifted(Kt, lam), shifted(K, lam)
    lower, upper = (combined(1 + sign * eps, outer, 0, outer) for sign in (-1, 1))
    return [
        Claim(says=f"(1 - eps*)(K + lambda I) <= .. for {what}", left=lower, relation="Loewner <=", right=middle),
        Claim(says=f".. <= (1 + eps*)(K + lambda I) for {what}", left=middle, relation="Loewner <=", right=upper),
    ]


def is_a_law(x: WaveRidge) -> str | None:
    """Check that p and q are probabilities of the same frequencies and that something was drawn."""
    if len({len(x.p), len(x.q), len(x.turns), len(x.counts)}) != 1:
        sizes = [len(v) for v in (x.p, x.q, x.turns, x.counts)]
        return f"p, q, turns and counts must have one entry per frequency, got {sizes}"
    for name, law in (("p", x.p), ("q", x.q)):
        if min(law) <= 0 or sum(law) != 1:
            return f"{name} must be positive probabilities, got sum {sum(law)} and least {min(law)}"
    return None if min(x.counts) >= 0 and any(x.counts) else f"counts must be >= 0 and not all 0, got {x.counts}"


CONJUGATES = Misprint(
    id="E16",
    says="Remark 3.4: the results 'can be generalized to the complex domain', with phi = exp(-2 pi i w.x) and every ^T",
    instead="^* for every ^T: K(x, z) = E phi(x, w) conj phi(z, w), tau = Phi^* (K + lambda I)^-1 Phi",
    witness="E Phi Phi^T = khat(x_i + x_j); for one point x = 7 of 'one-integer' it is khat(14), not khat(0) = 1",
)

LAWS = Hypothesis(says="p and q are probabilities of the frequencies", holds=is_a_law)


def twin(name: str, because: str, refuted_on: WaveRidge, reading: Reading) -> BrokenTwin:
    """Name a false reading."""
    return BrokenTwin(name=name, because=because, conclusion=conclusion(reading), refuted_on=refuted_on)


def drawn() -> Any:
    """Give the strategy of instances."""
    from theorems.glss.leverage_strategies import waves as strategy

    return strategy()


STATEMENT = Statement(
    id="glss.rem3.4",
    number="3.4",
    title="Complex Fourier features",
    kind="Remark",
    says=r"\phi(x,w)=e^{-2\pi i w^\top x}\quad E_p\left[\Phi(w)\Phi(w)^*\right]=K"
    r"\quad \tau(w)=\Phi(w)^*(K+\lambda I_n)^{-1}\Phi(w)\in\left[\frac{n}{n+\lambda},\frac{n}{\lambda}\right]",
    plainly="With conjugate transposes complex Fourier features give the kernel in the mean and a real leverage; the "
    "real part of their Gram matrix is that of cosines and sines and approximates at least as well.",
    source=GLSS.at("Section 3.1, Remark 3.4"),
    deviation="Every transpose is read as a conjugate transpose (E16). The remark claims the generalisation only; what "
    "it means for mean, leverage and real parts is added, for Fourier features over finitely many rational rotations.",
    constant="explicit",
    hypotheses=(RIDGE_POSITIVE, LAWS),
    conclusion=conclusion(READ_AS_MEANT),
    instances=waves,
    twins=(
        twin(
            "plain_transpose",
            "E Phi Phi^T is khat(x + z), not khat(x - z)",
            SYMMETRIC,
            replace(READ_AS_MEANT, right=transposed),
        ),
        twin(
            "conjugate_on_the_first_factor",
            "E conj phi(x) phi(z) is the complex conjugate of K",
            ONE_SIDED,
            replace(READ_AS_MEANT, left=conjugated, right=transposed),
        ),
        twin(
            "leverage_without_conjugate",
            "Phi^T (K + lambda I)^-1 Phi is a complex number",
            ONE_SIDED,
            replace(READ_AS_MEANT, around=transposed),
        ),
        twin(
            "sines_dropped",
            "cosines alone give (khat(x - z) + khat(x + z)) / 2",
            SYMMETRIC,
            replace(READ_AS_MEANT, pair=lambda z: (z.re,)),
        ),
        twin(
            "pair_counted_twice",
            "the factor sqrt 2 belongs to cosines with a random phase, not to the pair",
            SYMMETRIC,
            replace(READ_AS_MEANT, pair=lambda z: (z.re, z.re, z.im, z.im)),
        ),
        twin(
            "sines_for_cosines",
            "the same part of the feature twice",
            SYMMETRIC,
            replace(READ_AS_MEANT, pair=lambda z: (z.im, z.im)),
        ),
    ),
    misprints=(CONJUGATES,),
    notes=(
        "Re Psi Psi^* satisfies (5) against Re K whenever Psi Psi^* does against K: the real part of a Hermitian "
        "positive semidefinite matrix is positive semidefinite.",
        "The real pair has the leverage of the complex feature when K is real, as for every symmetric law; for "
        "one-sided laws its kernel is Re K, and the two differ.",
    ),
    strategy=drawn,
)
