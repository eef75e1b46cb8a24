"""How badly one instance hurts a sentence, as one number: above 1 the sentence looks violated there.

    claims          left / right of the worst one
    probabilities   exact failure / delta where it can be enumerated, else a lower confidence limit / delta
    layers          size needed / size, the worst ratio of the mean, log e-value / log(1 / level)
    growth          lower end of the slope / slope allowed

The number only steers. Where it was decided exactly it lies on the same side of 1 as the court's own answer; where it
was sampled it spends nothing and proves nothing: its stream is `search`, and all instances share its draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite, isnan, log, nan, nextafter

import numpy as np

from theorems.checking import budget, facets
from theorems.checking.bernoulli import confidence_sequence
from theorems.checking.claims import decide
from theorems.checking.events import Event, exact_failure
from theorems.checking.guard import NoAnswer, answered
from theorems.checking.keys import digest, generator
from theorems.checking.layers import look
from theorems.checking.trials import run_batch
from theorems.statement import (
    Answer,
    BrokenTwin,
    Claim,
    Comparisons,
    Construction,
    Expectation,
    ForEach,
    HighProbability,
    HypothesisNotMet,
    Instance,
    Layer,
    NearMatrix,
    Quantity,
    Rate,
    Statement,
    Wealth,
)

STREAM = "search"
TRIALS = 64  # of one look; more would be spent on instances that do not matter
BATCHES = 4  # of one look, where a trial is so dear that batches are small
MOST_COUNTED = 200_000  # draws times features, where failure is enumerated: seconds
MOST_DRAWS = 2**20  # of one trial, where it is sampled
PATIENCE = 60.0  # seconds for one look; what takes longer is worth nothing to a search
_COMMON = digest("common random numbers")
_MOST = 1e300  # a ratio that a file can hold


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one look at an instance saw.

    Parameters
    ----------
    ratio : above 1 the sentence looks violated; 0 where the instance lies outside it, or gave no answer
    exact : whether no random number was drawn
    by : which claim, event or layer is the worst, or why there is nothing
    stress : between instances of one ratio, the larger one is the more promising; nan for none
    """

    ratio: float
    exact: bool
    by: str
    stress: float = nan

    @property
    def order(self) -> tuple[float, float]:
        """By what instances are compared."""
        return self.ratio, 0.0 if isnan(self.stress) else self.stress


def nothing(why: str) -> Seen:
    """What is seen outside the hypotheses, or where the sentence gives no answer."""
    return Seen(ratio=0.0, exact=True, by=why)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A sentence as a function to be made large.

    Parameters
    ----------
    statement, twin : whose conclusion is looked at; None for the statement's own
    seed : of the draws that all instances share
    """

    statement: Statement
    twin: BrokenTwin | None
    seed: int

    @property
    def name(self) -> str:
        """Id of the statement, and name of its twin."""
        return self.statement.id if self.twin is None else f"{self.statement.id}/{self.twin.name}"

    def admits(self, x: Instance) -> bool:
        """Whether an instance meets every hypothesis that the sentence keeps; one that cannot be asked does not."""
        without = () if self.twin is None else self.twin.without
        try:
            return not answered("hypotheses", lambda: self.statement.violated(x, without=without), deadline=PATIENCE)
        except (NoAnswer, HypothesisNotMet):
            return False

    def __call__(self, x: Instance) -> Seen:
        """Look at one instance; errors and lack of memory are worth nothing, interruptions propagate."""
        if not self.admits(x):
            return nothing("outside the hypotheses")
        try:
            return answered("look", lambda: self._look(x), deadline=PATIENCE)
        except (NoAnswer, HypothesisNotMet, MemoryError) as error:  # a proposal may ask for anything
            return nothing(str(error))

    def _look(self, x: Instance) -> Seen:
        conclusion = self.statement.conclusion if self.twin is None else self.twin.conclusion
        match conclusion:
            case ForEach() | Expectation():
                return worst_claim(conclusion.claims(x))
            case HighProbability():
                return self._probability(x, conclusion)
        slope = facets.slope(conclusion.measure(x) if isinstance(conclusion, Rate) else conclusion.count(x))
        line = float(slope.claimed + slope.tolerance)
        return Seen(ratio=_quotient(slope.lower, line), exact=True, by="slope")

    def _probability(self, x: Instance, conclusion: HighProbability) -> Seen:
        m = facets.whole_size(conclusion.size(x))
        delta = facets.promise(conclusion.delta(x))
        construction = facets.consistent(conclusion.construction(x, m), m)
        box = construction.box
        if box is not None and len(box.law) > 2 and box.m * len(box.law) > MOST_COUNTED:
            return nothing(f"{box.m} draws of {len(box.law)} features take too long to count")
        failure = exact_failure(construction)
        if failure is None:
            seen = [self._sampled(construction, delta) if m <= MOST_DRAWS else nothing(f"{m} draws are too many")]
        else:
            ratio = float(failure.lower / delta)
            # on the exact side, however close: the quotient may round to 1
            ratio = max(ratio, nextafter(1, 2)) if failure.lower > delta else min(ratio, 1.0)
            seen = [Seen(ratio=ratio, exact=True, by="event")]
        for layer in self.statement.layers:
            found = self._layer(layer, construction)
            if found is not None:
                seen.append(found)
        return max(seen, key=lambda s: s.order)

    def _sampled(self, construction: Construction, delta: Fraction) -> Seen:
        event = Event(construction=construction)
        failures, trials, stress = 0, 0, -inf
        for index in range(BATCHES):
            row = run_batch(
                event,
                statement=self.statement.id,
                instance_digest=_COMMON,
                stream=STREAM,
                seed=self.seed,
                index=index,
                canary=False,
            )
            failures, trials = failures + row.failures, trials + row.trials
            stress = max(stress, row.stress)
            if trials >= TRIALS:
                break
        lower, _ = confidence_sequence(failures, trials, budget.SEARCH_LEVEL)
        return Seen(ratio=lower / float(delta), exact=False, by="event", stress=stress if isfinite(stress) else nan)

    def _layer(self, layer: Layer, construction: Construction) -> Seen | None:
        rng = generator(
            statement=self.statement.id,
            instance=_COMMON,
            stream=f"{STREAM} layer {layer.value}",
            seed=self.seed,
            batch_size=1,
            index=0,
        )
        if layer is Layer.MEAN:
            if construction.mean is None:
                return None
            seen = worst_claim([construction.mean(rng)])
            return Seen(ratio=seen.ratio, exact=seen.exact, by=layer.value)
        found = look(layer, construction, rng)
        if isinstance(found, Wealth):
            ratio = found.log_e / -log(budget.SEARCH_LEVEL)
            return Seen(ratio=0.0 if isnan(ratio) else min(max(ratio, 0.0), _MOST), exact=False, by=layer.value)
        if isinstance(found, Comparisons) and construction.size_needed is not None:
            # the size is met up to one draw: only its being missed says anything
            out = any(c.answer is Answer.OUT for c in found.all)
            ratio = float(construction.size_needed[0] / construction.size)
            return Seen(ratio=max(ratio, nextafter(1, 2)) if out else 0.0, exact=True, by=layer.value)
        return None


def worst_claim(claims: Sequence[Claim]) -> Seen:
    """The claim that is furthest beyond its bound, or nearest to it."""
    seen = [Seen(ratio=_claim_ratio(c), exact=True, by=c.says) for c in claims]
    return max(seen, key=lambda s: s.ratio, default=nothing("nothing to compare"))


def _claim_ratio(claim: Claim) -> float:
    """Left over right, on the side of 1 on which the court puts the claim; undecided claims are at most on the line."""
    answer = decide(claim).answer
    left, right = _middle(claim.left), _middle(claim.right)
    if claim.relation == "=":
        ratio = 0.0 if answer is not Answer.OUT else 1 + _gap(left, right)
    elif claim.relation == "<=":
        ratio = _quotient(float(left[0, 0]), float(right[0, 0]))
    else:
        ratio = _loewner(left, right)
    ratio = ratio if isfinite(ratio) else _MOST if answer is Answer.OUT else 0.0
    return max(ratio, nextafter(1, 2)) if answer is Answer.OUT else min(ratio, 1.0)


def _middle(q: Quantity) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    if isinstance(q, NearMatrix):
        return q.values
    if isinstance(q, Fraction):
        return np.array([[_float(q)]])
    if isinstance(q, tuple) and len(q) == 2 and isinstance(q[0], Fraction) and isinstance(q[1], Fraction):
        return np.array([[_float((q[0] + q[1]) / 2)]])
    return np.array([[_float(Fraction(v)) for v in row] for row in q])


def _float(x: Fraction) -> float:
    try:
        return float(x)
    except OverflowError:
        return _MOST if x > 0 else -_MOST


def _gap(left: np.ndarray, right: np.ndarray) -> float:
    """How far two quantities lie apart, relative to the larger one; in [0, 2]."""
    size = max(float(np.abs(left).max()), float(np.abs(right).max()))
    return float(np.abs(left - right).max()) / size if size else 0.0


def _quotient(left: float, right: float) -> float:
    """Left over right where both are positive; else 1 on the line, above it beyond and below it within, in [0, 2]."""
    if left > 0 and right > 0:
        return min(left / right, _MOST)
    size = abs(left) + abs(right)
    return 1 + (left - right) / size if size else 1.0


def _loewner(left: np.ndarray, right: np.ndarray) -> float:
    """Largest v^T L v / v^T R v where R is positive definite, else by the least eigenvalue of R - L."""
    try:
        root = np.linalg.cholesky(right)
        whitened = np.linalg.solve(root, np.linalg.solve(root, left).T)
        return float(np.linalg.eigvalsh((whitened + whitened.T) / 2)[-1])
    except np.linalg.LinAlgError:
        size = float(np.abs(left).max() + np.abs(right).max())
        return 1 - float(np.linalg.eigvalsh(right - left)[0]) / size if size else 1.0
