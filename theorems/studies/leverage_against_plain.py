"""Leverage sampling against plain sampling of Fourier features, at the size that leverage sampling asks for.

The grid of n = 401 points on [-5, 5] under the Gaussian kernel with sigma = 1/(2 pi) stands in for AKM+17, Theorems 9
and 10, whose lower bound has empty ranges below n of about 1e9. Theorem 3.3 promises success to the one sampler;
Theorem 9 asks the other for n/lambda in place of the integral of q_tilde.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import isnan, pi
from typing import Literal, get_args

import numpy as np

from reference.gaussian_fourier import complex_fourier_gram, fourier_gram, sample_frequencies
from reference.preconditions import Float64, gamma
from theorems.akm17.lemma_8_leverage_sampling import asked
from theorems.checking.court import Sitting
from theorems.checking.events import answers
from theorems.checking.keys import digest
from theorems.checking.store import Store
from theorems.checking.trials import collect
from theorems.glss.sampling_constructions import quantities
from theorems.glss.sampling_instances import FourierData
from theorems.glss.sampling_recipe import PAPER, Quantities, safe_ceiling
from theorems.glss.streamed_features import stream_of
from theorems.statement import Batch, SpectralBatch
from theorems.studies.study import Cell, Column, Figure, Study

Sampler = Literal["leverage", "plain"]
Features = Literal["complex", "real pair"]

ID = "leverage_against_plain"
EPS, DELTA = Fraction(49, 100), Fraction(1, 10)
RIDGES = (0.1, 0.01)
DRAWS = {"quick": 3, "ci": 20, "night": 100}  # of each sampler, with each kind of features; half a second each


@cache
def points_on_a_line(lam: float, n: int = 401) -> FourierData:
    """Give n equispaced points on [-5, 5] under the Gaussian kernel with sigma = 1/(2 pi), ridge lam."""
    return FourierData(
        name=f"line-{n}-lam{lam:g}",
        says=f"{n} equispaced points on [-5, 5], Gaussian kernel with sigma = 1/(2 pi)",
        X=np.linspace(-5, 5, n)[:, None],
        sigma=1 / (2 * pi),
        lam=Fraction(lam),
        eps=EPS,
        delta=DELTA,
    )


def plain_features_asked(most: Fraction, found: Quantities) -> int:
    """Give the size that AKM+17, Theorem 9, asks of draws from p: Lemma 8 with q_tilde = p most.

    Parameters
    ----------
    most : n / lam, or another bound of the leverage of every draw
    found : eps, delta and s_lambda
    """
    return safe_ceiling(asked(replace(found, s_q_tilde=(most, most))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Draw:
    """One draw of m frequencies at a time, as an experiment: a batch of one trial, whose stress is eps* / eps.

    Parameters
    ----------
    x : the data
    size : frequencies, m
    sampler : 'leverage' draws from q_bar for a step function q_tilde >= q_lambda, 'plain' from p
    features : e^(-2 pi i w x), whose Gram matrices are Hermitian, or the pair (cos, sin), which gives their real part
    """

    x: FourierData
    size: int
    sampler: Sampler
    features: Features
    batch_size: int = 1

    def run(self, rng: np.random.Generator, trials: int) -> Batch:
        """Draw, decide (5) with proven errors, and measure eps* = ||A^-1/2 (Psi Psi^* - K) A^-1/2|| in floats."""
        found = [self.draw(rng) for _ in range(trials)]
        return Batch(
            answers=np.concatenate([answers(drawn) for drawn, _ in found]),
            stress=max(accuracy for _, accuracy in found) / float(self.x.eps),
        )

    def draw(self, rng: np.random.Generator) -> tuple[SpectralBatch, float]:
        """Give one comparison, and eps* in floats.

        Error of the matrix: see `theorems.glss.sampling_constructions`. A Hermitian R + iJ is compared as the real
        [[R, -J], [J, R]]. There a draw (c, s) contributes with the two vectors (c, s) and (-s, c), so every bound
        that holds for one vector doubles.
        """
        stream, m = stream_of(self.x), self.size
        if self.sampler == "leverage":
            W, weights = stream.draw(m, rng)
            relative = stream.relative
        else:
            W, weights, relative = sample_frequencies(self.x.X.shape[1], self.x.sigma, rng, m), np.ones(m), 0.0
        gram = complex_fourier_gram if self.features == "complex" else fourier_gram
        sample = gram(self.x.X, W, weights)
        whitened = stream.whitener @ (sample - stream.K) @ stream.whitener.T
        accuracy = float(np.abs(np.linalg.eigvalsh((whitened + whitened.conj().T) / 2)[[0, -1]]).max())
        R, d = sample.real, self.x.X.shape[1]
        K, Kt, vectors = stream.K, R, 1
        if self.features == "complex":
            K, Kt, vectors = _embedded(K, np.zeros_like(K)), _embedded(R, sample.imag), 2
        error = (relative + gamma(2 * m + d + 48)) * float(np.trace(R)) + stream.feature_error(W, weights)
        drawn = SpectralBatch(
            K=K,
            K_radius=stream.K_radius,
            Kt=Kt[None],
            Kt_radius=np.array([vectors * error]),
            eps=self.x.eps,
            a=self.x.lam,
            b=self.x.lam,
        )
        return drawn, accuracy


def _embedded(R: Float64, J: Float64) -> Float64:
    return np.block([[R, -J], [J, R]])


def compare(x: FourierData, draws: int, sitting: Sitting, store: Store) -> list[list[Cell]]:
    """Give the rows of one data set: `draws` keyed draws for each kind of features and each sampler."""
    found, n = quantities(x), len(x.X)
    m = PAPER.size(found)
    plain = plain_features_asked(n / x.lam, found)
    rows: list[list[Cell]] = []
    for features in get_args(Features):
        for sampler in get_args(Sampler):
            for k in range(1, draws + 1):
                seen, stress, _ = collect(
                    Draw(x=x, size=m, sampler=sampler, features=features),
                    statement=f"study.{ID}",
                    instance_digest=digest(x),
                    stream=f"{features} features, {sampler} draw {k}",
                    seed=sitting.seed,
                    code=sitting.code,
                    store=store,
                    decide=lambda _: False,
                    budget=1,
                )
                rows.append(
                    [
                        float(x.lam),
                        float(found.s_lambda[1]),
                        n / float(x.lam),
                        m,
                        plain,
                        features,
                        sampler,
                        k,
                        None if isnan(stress) else stress * float(x.eps),
                        "no" if seen.failures else "unsure" if seen.unsure else "yes",
                    ]
                )
    return rows


def _rows(profile: str, sitting: Sitting, store: Store) -> Sequence[Sequence[Cell]]:
    return [row for lam in RIDGES for row in compare(points_on_a_line(lam), DRAWS[profile], sitting, store)]


STUDY = Study(
    id=ID,
    title="Leverage sampling against plain sampling of Fourier features, at the same size",
    about=("glss.thm3.3", "glss.rem3.4", "akm.lem8", "akm.thm9"),
    says="401 equispaced points on [-5, 5], Gaussian kernel with sigma = 1/(2 pi), eps = .49, delta = .1. Both "
    "samplers draw as many frequencies as Theorem 3.3 asks for leverage sampling: the one it speaks of stays far below "
    "eps, the plain one need not, and the less so the smaller the ridge, since n/lambda outgrows s_lambda. Real pairs "
    "see only the real part of the complex Gram matrix, and err less.",
    columns=(
        Column(name="lambda", says="ridge added to the Gram matrix"),
        Column(name="s_lambda", says="statistical dimension, the upper end of a proven enclosure"),
        Column(name="n/lambda", says="what bounds the leverage of a plain draw"),
        Column(
            name="m",
            says="frequencies drawn, by either sampler: Theorem 3.3 for a q_tilde >= q_lambda that is a step function",
        ),
        Column(name="m asked plain", says="frequencies that AKM+17, Theorem 9, asks of the plain sampler"),
        Column(name="features", says="e^(-2 pi i w x), or the pair (cos, sin)"),
        Column(name="sampler", says="leverage: w ~ q_bar, weighted by p/q_bar; plain: w ~ p"),
        Column(name="draw", says="number of the independent draw; no draw serves two rows"),
        Column(
            name="eps*",
            says="least eps for which the draw satisfies (5), in floating point; empty where the draw crashed",
        ),
        Column(
            name="passes",
            says="whether (5) holds at eps = .49: yes and no are proven, with all rounding errors",
        ),
    ),
    rows=_rows,
    figures=(
        Figure(
            x="draw",
            y=("eps*",),
            by=("sampler", "features"),
            panels="lambda",
            y_scale="log",
            level=(float(EPS), "eps = .49"),
            says="Least eps of each draw, at the size that leverage sampling asks for; below the line the draw passes.",
        ),
    ),
)
