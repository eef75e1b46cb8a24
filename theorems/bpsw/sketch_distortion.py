r"""The subsampled Hadamard transform keeps the lengths of all J^T v, within .40 and 1.48, with probability 1 - 3/n.

    s >= 4 (sqrt n + sqrt(8 ln(n N)))^2 ln n   =>   .40 ||J^T v|| <= ||S J^T v|| <= 1.48 ||J^T v|| for all v

N = padded(m d). Tropp's Theorem 1.3 has O(1/n) for the failure probability; its proof gives 3/n. The row norms of H D V
are all below sqrt(n / N) + sqrt(8 ln(n N) / N) but for probability 1/n (Lemma 3.3 with beta = n). Then sampling without
repetition fails below with probability at most n [e^-a (1 - a)^(a - 1)]^(4 ln n), a = 5/6, and above with n [e^b
(1 + b)^(-1 - b)]^(4 ln n), b = 7/6 (Lemma 3.4): exponents 1 - 2.138 and 1 - 2.034, so each is below 1/n;
sqrt(1 - a) > .40, sqrt(1 + b) < 1.48.

Decided as .40^2 G <= (S J^T)^T S J^T <= 1.48^2 G, around the middle c G, c = (.40^2 + 1.48^2) / 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any, TypeAlias

import numpy as np

from reference import arithmetic
from reference.arithmetic import Interval
from reference.hadamard import padded
from reference.jacobian import jacobian
from reference.preconditions import Float64, gamma
from reference.sketches import SRHT, Sketch
from theorems.bpsw.bpsw_instances import on_grid, random_rows
from theorems.sources import BPSW
from theorems.statement import (
    BrokenTwin,
    Construction,
    HighProbability,
    Hypothesis,
    Instance,
    Layer,
    SpectralBatch,
    Statement,
)

BATCH = 16
TROPP = (Fraction(2, 5), Fraction(37, 25))
"""Least and greatest singular value."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Network(Instance):
    """A network whose Jacobian is sketched.

    Parameters
    ----------
    X : (n, d) float; W : (m, d) float; a : (m,) float, signs
    """

    X: Float64
    W: Float64
    a: Float64

    @property
    def sizes(self) -> tuple[int, int]:
        """Give n and N = padded(m d)."""
        return len(self.X), padded(self.W.size)


Size: TypeAlias = Callable[[Any, Any], Any]
"""s(n, N), a formula of balls."""
Draw: TypeAlias = Callable[[int, int, int, np.random.Generator], Sketch]


def tropp(n: Any, N: Any) -> Any:
    """Give 4 (sqrt n + sqrt(8 ln(n N)))^2 ln n."""
    return 4 * (n.sqrt() + (8 * (n * N).log()).sqrt()) ** 2 * n.log()


def asked(size: Size, x: Network, bits: int = 128) -> Interval:
    """Enclose a size on an instance."""
    return arithmetic.enclose(size, *x.sizes, bits=bits)


def _least(size: Size) -> Callable[[Network], int]:
    return lambda x: ceil(asked(size, x)[1])


LEAST = _least(tropp)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the theorem tells one to do, and what it promises; a twin changes one part.

    Parameters
    ----------
    size : rows of the sketch
    draw : (m, d, s, rng) -> sketch
    range : singular values
    """

    size: Callable[[Network], int] = LEAST
    draw: Draw = SRHT.draw
    range: tuple[Fraction, Fraction] = TROPP


def conclusion(recipe: Recipe) -> HighProbability:
    """Give the sentence for a recipe; every size is held against Tropp's."""

    def construction(x: Network, s: int) -> Construction:
        J = jacobian(x.W, x.a, x.X)
        G, (n, m, d) = J.gram(), J.shape
        low, high = (edge**2 for edge in recipe.range)
        middle = (low + high) / 2
        scale = float(middle)
        # G: see `jacobian_structure`; the product with the middle rounds once more
        radius = scale * (gamma(d + 4) * float(np.square(x.X).sum()) + gamma(4) * float(np.linalg.norm(G)))

        def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
            grams, radii = [], []
            for _ in range(trials):
                B = recipe.draw(m, d, s, rng).apply(J)
                # an entry is a sum in log2 N rounds of at most N = padded(m d) terms, below |J_i|_1 / sqrt s
                slack = gamma(padded(m * d).bit_length() + 4) * _row_sums(x) / np.sqrt(s)
                size = float(np.linalg.norm(B))
                grams.append(B.T @ B)
                radii.append(gamma(s + 4) * size**2 + 2 * size * np.sqrt(s) * slack + s * slack**2)
            return SpectralBatch(
                K=scale * G,
                K_radius=radius,
                Kt=np.array([(M + M.T) / 2 for M in grams]),
                Kt_radius=np.array(radii),
                eps=(high - low) / (high + low),
                a=Fraction(0),
                b=Fraction(0),
            )

        return Construction(
            size=s,
            batch_size=BATCH,
            draw=draw,
            facts={"n": n, "m d": m * d, "s / n": s / n, "expected distortion": float(np.sqrt(n / s))},
            size_needed=asked(tropp, x, bits=512),
        )

    return HighProbability(
        size=recipe.size,
        construction=construction,
        delta=lambda x: Fraction(3, len(x.X)),
        stress="distance of squared singular values from the middle, in units of the range",
    )


def _row_sums(x: Network) -> float:
    """Bound ||(|J_i|_1)_i||, the length of the vector of absolute row sums: m^-1/2 (number seen) |x_i|_1."""
    return float(np.linalg.norm(np.abs(x.X).sum(axis=1)) * np.sqrt(len(x.W)))


def random_network(n: int, d: int, m: int) -> Network:
    """Draw unit rows and a network at the start."""
    rng = np.random.Generator(np.random.Philox(key=[n, 3]))
    return Network(
        name=f"random-n{n}-md{m * d}",
        says=f"{n} random unit rows in {d} dimensions, m = {m}",
        X=on_grid(random_rows(n, d, n)),
        W=rng.standard_normal((m, d)),
        a=rng.choice([-1.0, 1.0], m),
    )


def lonely_network(n: int, m: int) -> Network:
    """Give orthonormal points each of which one neuron sees: every row of J has one entry."""
    r = np.arange(m)[:, None]
    return Network(
        name=f"one-neuron-each-n{n}",
        says=f"{n} orthonormal points, each seen by one of {m} neurons: J has one entry per row",
        X=np.eye(n),
        W=np.where(r == np.arange(n), 1.0, -1.0),
        a=np.ones(m),
    )


def wide_awake_network(n: int, m: int) -> Network:
    """Give a network of which every neuron sees every point, with equal signs: J is constant along the neurons."""
    return Network(
        name=f"all-see-all-n{n}",
        says=f"{n} points, {m} neurons with a = 1 that see all of them: J is constant along the neurons",
        X=on_grid(np.eye(n) + 0.25),
        W=np.ones((m, n)),
        a=np.ones(m),
    )


EIGHT, SIXTEEN = random_network(8, 4, 512), random_network(16, 4, 1024)
LONELY, AWAKE = lonely_network(8, 256), wide_awake_network(8, 256)


def instances(profile: str) -> tuple[Network, ...]:
    """Give the networks of a profile."""
    found: tuple[Network, ...] = (EIGHT, LONELY, AWAKE)
    if profile in ("ci", "night"):
        found += (SIXTEEN, lonely_network(16, 256), random_network(32, 8, 1024))
    return found


def _without_signs(m: int, d: int, s: int, rng: np.random.Generator) -> Sketch:
    return replace(SRHT.draw(m, d, s, rng), flips=np.ones((m, d)))


def _without_transform(m: int, d: int, s: int, rng: np.random.Generator) -> Sketch:
    return _Coordinates(sample=rng.choice(m * d, s, replace=False), scale=(m * d / s) ** 0.5)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Coordinates:
    """Uniform sampling of coordinates, rescaled: no transform spreads the rows of J first."""

    sample: Any
    scale: float

    @property
    def size(self) -> int:
        return len(self.sample)

    def apply(self, jacobian: Any) -> Float64:
        rows = jacobian.part(slice(None), slice(None)).reshape(len(jacobian.X), -1)
        return np.asarray(self.scale * rows[:, self.sample].T)


def _at_least_four_points(x: Network) -> str | None:
    return None if len(x.X) >= 4 else f"n must be at least 4, got n = {len(x.X)}: 3 / n promises nothing"


def _fits(x: Network) -> str | None:
    s, N = asked(tropp, x)[1], x.sizes[1]
    return None if s <= N else f"the size must be at most N = {N}, got {float(s):.5g}"


def _independent(x: Network) -> str | None:
    least = float(np.linalg.eigvalsh(jacobian(x.W, x.a, x.X).gram())[0])
    return None if least > 0 else f"J must have independent rows, got least eigenvalue {least:.2g} of G"


def _twin(name: str, because: str, refuted_on: Network, **change: Any) -> BrokenTwin:
    return BrokenTwin(
        name=name, because=because, conclusion=conclusion(replace(Recipe(), **change)), refuted_on=refuted_on
    )


STATEMENT = Statement(
    id="bpsw.sketch",
    number="abstract, Fast-JL",
    title="Distortion of the subsampled Hadamard transform",
    kind="Tool of the algorithm",
    says=r"P\left[\forall v:\ 0.40\,\lVert J^{\top}v\rVert\le\lVert SJ^{\top}v\rVert\le 1.48\,\lVert J^{\top}v\rVert"
    r"\right]\ge 1-\frac{3}{n}\quad\text{once}\quad s\ge 4\left(\sqrt n+\sqrt{8\ln(nN)}\right)^2\ln n",
    plainly="A random sign, a Hadamard transform and a sample of its rows keep the lengths of all combinations of the "
    "n gradients, with a sketch whose size hardly depends on m.",
    source=BPSW.at("abstract: 'dimension reduction via Fast-JL'; Tropp 2011, Theorem 1.3"),
    deviation="Tropp's theorem with its constants for the Fast-JL of the print, and 3/n from its proof for O(1/n)",
    constant="explicit",
    hypotheses=(
        Hypothesis(says="n >= 4", holds=_at_least_four_points),
        Hypothesis(says="s <= N = padded(m d)", holds=_fits),
        Hypothesis(says="J has independent rows", holds=_independent),
        Hypothesis(
            says="signs are fair and independent, and the sample of rows is uniform without repetition",
            guaranteed_by="reference.sketches.SRHT and keyed Philox streams",
        ),
    ),
    conclusion=conclusion(Recipe()),
    instances=instances,
    twins=(
        _twin("as_many_rows_as_data", "s = n: R exists and is useless (B1)", EIGHT, size=lambda x: len(x.X)),
        _twin(
            "twice_as_many_rows_as_data",
            "s = 2 n: lengths shrink to 1 - sqrt(1/2) of what they were, and further",
            SIXTEEN,
            size=lambda x: 2 * len(x.X),
        ),
        _twin(
            "within_two_percent",
            "the deviation is about sqrt(n / s), 8 % at this size",
            EIGHT,
            range=(Fraction(49, 50), Fraction(51, 50)),
        ),
        _twin(
            "random_signs_left_out",
            "a Jacobian that is constant along the neurons has few Fourier coefficients, and a sample misses them",
            AWAKE,
            draw=_without_signs,
        ),
        _twin(
            "transform_left_out",
            "a sample of coordinates misses a row of J that has only one",
            LONELY,
            draw=_without_transform,
        ),
        BrokenTwin(
            name="one_row_short",
            because="s - 1 is below what the theorem asks",
            conclusion=conclusion(replace(Recipe(), size=lambda x: ceil(asked(tropp, x)[0]) - 1)),
            refuted_on=EIGHT,
            recipe_only=True,
        ),
    ),
    layers=(Layer.SIZE,),
    recalled=True,
    notes=(
        "Heuristically the singular values fill 1 -+ sqrt(n / s), as for a Gaussian sketch (Marchenko and Pastur): at "
        "s = 4 n, 16 n, 64 n the distortion is about .5, .25, .125.",
    ),
)
