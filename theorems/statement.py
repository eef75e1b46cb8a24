"""The words of the house: what a statement, an instance, a piece of evidence and a verdict are.

    Instance -> Evidence -> Verdict -> Record -> page        (one way; nothing flows back)

Every class here is frozen and keyword-only: complete at birth, and an argument in the wrong place is an error.
Nothing here draws a random number, runs a loop over trials or knows a paper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from theorems.sources import Place

Rows: TypeAlias = Sequence[Sequence[Fraction]]
"""An exact matrix."""


class Answer(IntEnum):
    """What one trial or one comparison says; UNSURE counts against both verdicts and is never skipped."""

    IN = 0  # the conclusion holds, proven
    OUT = 1  # the conclusion fails, proven
    UNSURE = 2  # not decided: precision exhausted, crashed or timed out


class Finding(StrEnum):
    """The four verdicts. Only SUPPORTED is green, unless the statement declares another."""

    SUPPORTED = "SUPPORTED"
    REFUTED = "REFUTED"
    UNDECIDED = "UNDECIDED"
    VACUOUS = "VACUOUS"


# --------------------------------------------------------------------------------------------- hypotheses


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One condition of a theorem, with who guarantees it.

    Exactly one of the three is given: `holds` (checked on every instance; returns None when met, else one
    clause naming the offending value), `guaranteed_by` (the construction that makes it true by design) or
    `assumed` (why finite data cannot check it).
    """

    says: str
    holds: Callable[[Any], str | None] | None = None
    guaranteed_by: str | None = None
    assumed: str | None = None

    def __post_init__(self) -> None:
        given = [x is not None for x in (self.holds, self.guaranteed_by, self.assumed)]
        if sum(given) != 1:
            raise TypeError(
                f"Hypothesis({self.says!r}): need exactly one of holds, guaranteed_by, assumed; got {sum(given)}"
            )


class HypothesisNotMet(ValueError):
    """An instance outside the theorem: fix the instance. It is no evidence, for or against."""


# ---------------------------------------------------------------------------------------------- instances


@dataclass(frozen=True, kw_only=True, eq=False)
class Instance:
    """Everything a statement quantifies over, as data. Papers subclass it and add fields.

    Compared by identity: what is computed once per instance is cached, and two instances may share a name.

    Parameters
    ----------
    name : letters, digits, '.', '_', '-'; unique within its statement
    says : what a reader sees
    curve : whether the report draws the failure probability against the size on this instance
    """

    name: str
    says: str = field(metadata={"digest": False})
    curve: bool = field(default=False, metadata={"digest": False})


# --------------------------------------------------------------------------------------------- experiments


@dataclass(frozen=True, kw_only=True)
class Enclosure:
    """A number known to lie in [lower, upper]; both ends exact."""

    lower: Fraction
    upper: Fraction

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise ValueError(f"Enclosure: need lower <= upper; got {self.lower} > {self.upper}")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A block of trials, decided.

    Parameters
    ----------
    answers : (B,) int8, values of `Answer`
    stress : the largest observed left side of the conclusion, in units of the allowed right side (1 = on the
        line); nan when the trial has no such number. Display only, never a verdict.
    """

    answers: npt.NDArray[np.int8]
    stress: float


class Experiment(Protocol):
    """What the court can run: trials that answer, as a pure function of a generator."""

    @property
    def size(self) -> int:
        """How many draws (features, neurons, rows) one trial takes; the theorem's m."""

    @property
    def batch_size(self) -> int:
        """Trials per batch: a power of two up to 1024, fixed by the cost of one trial and part of the key."""

    def run(self, rng: np.random.Generator, trials: int) -> Batch:
        """Draw `trials` independent trials from `rng` and decide each."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SpectralBatch:
    """Draws of Kt, to be compared: (1 - eps)(K + a I) <= Kt + b I <= (1 + eps)(K + a I).

    Parameters
    ----------
    K : (n, n) float64, symmetric; the true matrix is within `K_radius` of it in the spectral norm
    Kt : (B, n, n) float64, symmetric; each within its entry of `Kt_radius` (B,)
    a, b : ridges on the kernel's and on the sample's side; a theorem has both equal to lam
    exact : b-th draw -> (K, Kt) as rows of Fractions, where the world is exact
    """

    K: npt.NDArray[np.float64]
    K_radius: float
    Kt: npt.NDArray[np.float64]
    Kt_radius: npt.NDArray[np.float64]
    eps: Fraction
    a: Fraction
    b: Fraction
    exact: Callable[[int], tuple[Rows, Rows]] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class BoundBatch:
    """Draws of one number each, to be compared with a bound: the conclusion is x <= allowed.

    Parameters
    ----------
    lower, upper : (B,) float64, an enclosure of x for each draw; nan where the draw could not be certified, which
        is UNSURE
    allowed : (lower, upper), an enclosure of the bound
    """

    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    allowed: tuple[Fraction, Fraction]


@dataclass(frozen=True, kw_only=True)
class CountsBox:
    """The conclusion as a box: it holds iff low_j <= N_j <= high_j for all j, N ~ Multinomial(m, law).

    An empty range (low_j > high_j) means that it never holds.
    """

    m: int
    law: tuple[Fraction, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampling:
    """A sampler and the law it claims.

    Parameters
    ----------
    claimed : (J,) probabilities that the statement asks for
    indices : (count, rng) -> (count,) draws, in order
    counts : (count, rng) -> (J,) how often each was drawn, by the sampler that the trials themselves use
    """

    claimed: npt.NDArray[np.float64]
    indices: Callable[[int, np.random.Generator], npt.NDArray[np.int64]]
    counts: Callable[[int, np.random.Generator], npt.NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Construction:
    """What a theorem tells one to build, on one instance at one size; a paper describes it, the court decides.

    Parameters
    ----------
    size : draws per trial, the theorem's m
    batch_size : trials per batch: a power of two up to 1024, fixed by the cost of one trial
    draw : (rng, trials) -> what is to be compared
    facts : named numbers for display: s_lambda, n, ...
    box : the conclusion as a box of counts, where failure can be enumerated
    size_needed : the statement's own bound on m as a real number, enclosed
    sampling : the sampler, where its law is finite
    mean : rng -> what the construction has on average, or in every draw, against what the statement says it has
    """

    size: int
    batch_size: int
    draw: Callable[[np.random.Generator, int], SpectralBatch | BoundBatch]
    facts: Mapping[str, float | int | str]
    box: CountsBox | None = None
    size_needed: tuple[Fraction, Fraction] | None = None
    sampling: Sampling | None = None
    mean: Callable[[np.random.Generator], Claim] | None = None


class Layer(StrEnum):
    """What is looked at besides the event, which is nearly blind: its failure probability may lie orders below delta.

    A layer looks at what the proof uses instead, and sees one kind of mistake each.
    """

    SIZE = "size recomputed"
    MEAN = "expectation identity"
    LAW = "sampler's law"
    INDEPENDENCE = "independence"


# --------------------------------------------------------------------------------------------- conclusions


@dataclass(frozen=True, kw_only=True, eq=False)
class NearMatrix:
    """A symmetric matrix known up to an error: the truth is within `radius` of `values` in the spectral norm."""

    values: npt.NDArray[np.float64]
    radius: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.values).all() and 0 <= self.radius < np.inf):
            raise ValueError(f"NearMatrix: need finite values and 0 <= radius < inf; got radius = {self.radius}")


Facts: TypeAlias = Callable[[Any], Mapping[str, float | int | str]]

Quantity: TypeAlias = Fraction | tuple[Fraction, Fraction] | Rows | NearMatrix
"""An exact number, an enclosed one (lower, upper), an exact matrix, or a matrix known up to an error."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Claim:
    """One relation between two quantities, for the court to decide.

    Parameters
    ----------
    says : the relation in words or symbols, naming what stands on both sides
    left, right : quantities of the same kind: two numbers or two matrices
    relation : '=' , '<=' (numbers) or 'Loewner <=' (symmetric matrices)
    resolution : '=' between enclosed quantities cannot be proven, only refuted; it counts as IN when both sides
        are known, and agree, to this accuracy, relative to their size where that exceeds 1
    """

    says: str
    left: Quantity
    relation: Literal["=", "<=", "Loewner <="]
    right: Quantity
    resolution: Fraction = Fraction(1, 2**40)

    def __post_init__(self) -> None:
        if self.relation not in ("=", "<=", "Loewner <="):
            raise ValueError(f"Claim: relation must be '=', '<=' or 'Loewner <=', got {self.relation!r}")


@dataclass(frozen=True, kw_only=True)
class ForEach:
    """Identity or inequality, for each instance: decided by exact rationals, error bounds or balls.

    Parameters
    ----------
    claims : instance -> what is to hold on it, at least one relation
    facts : instance -> named numbers for display; None for none
    """

    claims: Callable[[Any], Sequence[Claim]]
    facts: Facts | None = None


@dataclass(frozen=True, kw_only=True)
class HighProbability:
    """P[fail] <= delta at the size the statement asks for.

    Parameters
    ----------
    size : instance -> m asked, a safe (upward) ceiling
    construction : (instance, m) -> `Construction`; m is free so that slack and curves can be measured
    delta : instance -> promised failure probability in (0, 1)
    stress : what `Batch.stress` divides, in words: 'eps* / eps'
    """

    size: Callable[[Any], int]
    construction: Callable[[Any, int], Construction]
    delta: Callable[[Any], Fraction]
    stress: str


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """E[statistic] = value, by an exact sum over a finite law.

    Parameters
    ----------
    claims : instance -> E[statistic] on the left, its value on the right
    """

    claims: Callable[[Any], Sequence[Claim]]


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A finite sentence about growth: on this family and range the fitted slope is at most `claimed + tolerance`.

    Never a sentence about the O~ itself, which only a recipe can refute.

    Parameters
    ----------
    measure : instance -> `Slope`, with its interval
    facts : instance -> named numbers for display; None for none
    """

    measure: Callable[[Any], Slope]
    facts: Facts | None = None


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Exact operation counts of the instrumented code, judged like a rate.

    Parameters
    ----------
    count : instance -> `Slope`; counts are exact, so its interval is the spread of the local slopes
    """

    count: Callable[[Any], Slope]


Conclusion = ForEach | HighProbability | Expectation | Rate | Cost


# ------------------------------------------------------------------------------------------------ evidence


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One decided relation.

    Parameters
    ----------
    says : the relation in words or symbols
    answer : IN when proven, OUT when disproven
    seen, allowed : both sides, at the precision at which they differ
    certificate : how it was decided
    """

    says: str
    answer: Answer
    seen: str
    allowed: str
    certificate: str


@dataclass(frozen=True, kw_only=True)
class ExactProbability:
    """The failure probability itself, enclosed without sampling."""

    failure: Enclosure


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Counts over the contiguous prefix 0..trials-1 of one stream."""

    trials: int
    failures: int
    unsure: int

    def __post_init__(self) -> None:
        if self.failures < 0 or self.unsure < 0 or self.failures + self.unsure > self.trials:
            raise ValueError(
                "Trials: need failures >= 0, unsure >= 0 and failures + unsure <= trials; got "
                f"{self.failures}, {self.unsure}, {self.trials}"
            )


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """All relations of a deterministic statement on one instance."""

    all: tuple[Comparison, ...]


@dataclass(frozen=True, kw_only=True)
class Wealth:
    """An e-value against a claimed law, independence or mean: large means the claim is false."""

    log_e: float
    draws: int
    says: str


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A fitted exponent on a stated range.

    Parameters
    ----------
    lower, upper : interval of the slope of log y against log x
    claimed, tolerance : the finite sentence says slope <= claimed + tolerance
    decades : log10 of the ratio of the largest x to the smallest
    points : how many sizes were measured
    """

    lower: float
    upper: float
    claimed: Fraction
    tolerance: Fraction
    decades: float
    points: int

    def __post_init__(self) -> None:
        if any(abs(x) == np.inf for x in (self.lower, self.upper, self.decades)):
            raise ValueError(f"Slope: need finite ends and decades; got {self.lower}, {self.upper}, {self.decades}")


Evidence = ExactProbability | Trials | Comparisons | Wealth | Slope


# -------------------------------------------------------------------------------------- statements and twins


@dataclass(frozen=True, kw_only=True)
class BrokenTwin:
    """A *false* neighbour of a statement, named by its mistake, with the instance that refutes it.

    `conclusion` replaces the statement's; everything else is shared, so the true statement and its twin run
    through the same code.

    Parameters
    ----------
    because : why it is false
    recipe_only : the sentence itself may hold on the instance; the twin departs from what the theorem tells one
        to build, and a layer must see it
    without : the `says` of the hypotheses that the twin drops
    """

    name: str
    because: str
    conclusion: Conclusion
    refuted_on: Instance
    recipe_only: bool = False
    without: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Misprint:
    """A place where the print is wrong or incomplete, with its witness."""

    id: str
    says: str
    instead: str
    witness: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One numbered sentence of a paper: what it says, where, how it deviates from print, and what would break it.

    Parameters
    ----------
    id : 'glss.thm3.3'
    number : as printed, '3.3'
    kind : the word the paper uses
    says : LaTeX of the sentence; `plainly` is one line of English
    deviation : how the encoded sentence differs from print and why; '' on purpose when it does not
    constant : whether the constants are the paper's, proved here, or hidden in an O~
    instances : profile -> instances, in a fixed order; append only, since the order pays for them
    layers : what is looked at besides the conclusion itself, on the statement and on its twins alike
    expected : the finding it declares; a misprint kept as printed expects REFUTED
    rho : the resolution of SUPPORTED when the bound itself cannot be excluded
    strategy : gives a Hypothesis strategy of instances that reaches the corners; imports hypothesis when called
    """

    id: str
    number: str
    title: str
    kind: str
    says: str
    plainly: str
    source: Place
    deviation: str
    constant: Literal["explicit", "proved here", "hidden"]
    hypotheses: tuple[Hypothesis, ...]
    conclusion: Conclusion
    instances: Callable[[str], Sequence[Instance]]
    twins: tuple[BrokenTwin, ...]
    layers: tuple[Layer, ...] = ()
    expected: Finding = Finding.SUPPORTED
    rho: Fraction = Fraction(3, 2)
    misprints: tuple[Misprint, ...] = ()
    recalled: bool = False
    notes: tuple[str, ...] = ()
    strategy: Callable[[], Any] | None = None

    def violated(self, instance: Instance, *, without: tuple[str, ...] = ()) -> list[str]:
        """Every hypothesis, but for those dropped, that `instance` breaks, as clauses that name the value."""
        faults = []
        for h in self.hypotheses:
            if h.holds is not None and h.says not in without:
                fault = h.holds(instance)
                if fault is not None:
                    faults.append(fault)
        return faults


# ---------------------------------------------------------------------------------------- verdicts and records


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the court found, how sure it is, and what would change its mind.

    Parameters
    ----------
    because : one sentence with both sides of the inequality
    alpha : the error rate this finding was made at; 0 when decided without sampling
    excluded : what was excluded, e.g. 'p < 0.1 excluded at 1e-06'
    table : the decision table that spoke, '' when none did
    price : what a decision would cost, '' when decided
    """

    finding: Finding
    because: str
    alpha: float
    excluded: str = ""
    table: str = ""
    price: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line of the report: a verdict with all its words, readable without this program.

    `measured` holds named numbers and strings for display, `layers` one line per power layer, `curve` the failure
    probability against size.
    """

    id: str
    statement: str
    number: str
    twin: str | None
    instance: str
    instance_says: str
    instance_digest: str
    claim: str
    verdict: str
    expected: str
    as_declared: bool
    because: str
    evidence: Literal["exact", "trials", "comparisons", "slope"]
    trials: int
    failures: int
    unsure: int
    probability: tuple[str, str] | None
    alpha: float
    delta: float | None
    rho: float | None
    table: str
    excluded: str
    price: str
    seed: int
    batch_size: int
    slack: float | None
    slack_says: str
    fault: str
    measured: dict[str, float | int | str] = field(default_factory=dict)
    comparisons: list[dict[str, str]] = field(default_factory=list)
    layers: list[dict[str, str]] = field(default_factory=list)
    curve: list[dict[str, float | int | str]] = field(default_factory=list)
