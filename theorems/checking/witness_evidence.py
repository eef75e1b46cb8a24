"""What refutes a sentence on an instance, put so that integers alone can decide it (`witness_decision`).

Exact evidence comes first: refuted claims, an enumerated failure probability, the layers that claim something. Trials
are evidence only where none of these is; they are drawn again from their key.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theorems.checking import facets
from theorems.checking.claims import decide
from theorems.checking.events import answers, bounded, exact_failure
from theorems.checking.keys import digest, generator
from theorems.checking.loewner import decide_psd
from theorems.checking.negative_direction import negative_direction
from theorems.checking.witness_decision import violated
from theorems.checking.witness_file import LARGEST
from theorems.checking.witness_instance import Unwritable, in_digits
from theorems.statement import (
    Answer,
    BoundBatch,
    Claim,
    Conclusion,
    Construction,
    CountsBox,
    Expectation,
    ForEach,
    HighProbability,
    Instance,
    Layer,
    NearMatrix,
    Quantity,
    Rate,
    Rows,
    SpectralBatch,
    Trials,
)

Json = dict[str, Any]

MOST_LISTED = 16
ROOM = LARGEST // 2  # of a file, for what is listed; the rest is for the instance
ENCLOSURE_BITS = 512  # of ends with more digits than a witness may hold


class NoWitness(ValueError):
    """Nothing to show: the sentence is not refuted on this instance, or its refutation fits into no witness."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Trials that refuted a sentence.

    Parameters
    ----------
    stream, seed : of their keys, with the digest of the instance and the name of the statement or of its twin
    alpha : the error rate that the refutation was allowed
    counts : over the contiguous prefix
    """

    stream: str
    seed: int
    alpha: Fraction
    counts: Trials


def evidence_on(
    conclusion: Conclusion, instance: Instance, *, name: str, layers: Sequence[Layer] = (), heard: Heard | None = None
) -> Json:
    """Put down what refutes a conclusion on an instance.

    Parameters
    ----------
    name : of the statement, or of the statement and its twin, as in the keys of its trials
    layers : what else the statement has looked at
    heard : trials that refuted it

    Raises
    ------
    NoWitness : nothing does
    """
    match conclusion:
        case ForEach() | Expectation():
            refuted = _listed(conclusion.claims(instance))
            return _claims("conclusion", refuted, instance)
        case HighProbability():
            return _of_probability(conclusion, instance, name=name, layers=layers, heard=heard)
        case _:
            slope = facets.slope(
                conclusion.measure(instance) if isinstance(conclusion, Rate) else conclusion.count(instance)
            )
    claim = Claim(
        says=f"slope over {slope.points} points and {slope.decades:.3g} decades <= claimed + tolerance",
        left=(Fraction(slope.lower), Fraction(slope.upper)),
        relation="<=",
        right=slope.claimed + slope.tolerance,
    )
    return _claims("conclusion", _listed([claim]), instance)


def _of_probability(
    conclusion: HighProbability, instance: Instance, *, name: str, layers: Sequence[Layer], heard: Heard | None
) -> Json:
    m = facets.whole_size(conclusion.size(instance))
    delta = facets.promise(conclusion.delta(instance))
    construction = facets.consistent(conclusion.construction(instance, m), m)
    failure = exact_failure(construction)
    if construction.box is not None and failure is not None and failure.lower > delta:
        return {"kind": "probability", "m": m, "delta": _number(delta), "law": law_of(construction.box)}
    for layer in (Layer.SIZE, Layer.MEAN):
        if layer in layers:
            refuted = _listed(_claims_of(layer, construction, name, instance))
            if refuted:
                return _claims(layer.value, refuted, instance)
    if heard is None:
        raise NoWitness(f"{name} on {instance.name}: no exact evidence refutes it, and no trials were heard")
    return _of_trials(construction, instance, name=name, delta=delta, heard=heard)


def _claims(of: str, refuted: list[Json], instance: Instance) -> Json:
    if not refuted:
        raise NoWitness(f"{instance.name}: no claim is refuted, or none fits into a witness")
    return {"kind": "claims", "of": of, "refuted": refuted}


def _claims_of(layer: Layer, construction: Construction, name: str, instance: Instance) -> list[Claim]:
    if layer is Layer.SIZE:
        needed = construction.size_needed
        says = "the size asked for <= m"
        right = Fraction(construction.size)
        return [] if needed is None else [Claim(says=says, left=needed, relation="<=", right=right)]
    if construction.mean is None:
        return []
    rng = generator(
        statement=name,
        instance=digest(instance),
        stream=f"layer {layer.value}",
        seed=0,  # not that of the trials: an exact mean needs none, and a replay must find it again
        batch_size=1,
        index=0,
    )
    return [construction.mean(rng)]


# ----------------------------------------------------------------------------------------------------- the claims


def _listed(claims: Sequence[Claim]) -> list[Json]:
    """List up to 16 refuted claims, as many as there is room for."""
    made: list[Json] = []
    room = ROOM
    for claim in claims:
        if len(made) < MOST_LISTED and decide(claim).answer == Answer.OUT:
            shown = refuted_claim(claim)
            size = len(json.dumps(shown, indent=1)) if shown is not None else room + 1
            if shown is not None and size <= room:
                made.append(shown)
                room -= size
    return made


def refuted_claim(claim: Claim) -> Json | None:
    """Write a claim that the court refuted, both sides exact; None where no witness can hold it."""
    says = " ".join(claim.says.split())
    try:
        if claim.relation == "Loewner <=":
            made = _order(says, claim.left, claim.right)
        elif isinstance(claim.left, NearMatrix) or isinstance(claim.right, NearMatrix):
            made = {"says": says, "left": _near(claim.left), "relation": claim.relation, "right": _near(claim.right)}
        elif _is_number(claim.left):
            made = {"says": says, "left": _side(claim.left), "relation": claim.relation, "right": _side(claim.right)}
        else:
            made = _entry(says, claim.left, claim.right)
    except Unwritable:
        return None
    return made if violated(made) else None


def _is_number(q: Quantity) -> bool:
    return isinstance(q, Fraction) or (isinstance(q, tuple) and len(q) == 2 and isinstance(q[0], Fraction))


def _entry(says: str, left: Any, right: Any) -> Json:
    """Two exact matrices that are not equal: the first entry in which they differ."""
    i, j = next(
        (i, j)
        for i, rows in enumerate(zip(left, right, strict=True))
        for j, (a, b) in enumerate(zip(*rows, strict=True))
        if a != b
    )
    a, b = _side(Fraction(left[i][j])), _side(Fraction(right[i][j]))
    return {"says": says, "left": a, "relation": "=", "right": b, "entry": [i, j]}


def _order(says: str, left: Any, right: Any) -> Json:
    if isinstance(left, NearMatrix) or isinstance(right, NearMatrix):
        pair = [_near(left), _near(right)]
        radius = Fraction(0)
        rows = []
        for q in (left, right):
            values = q.values.tolist() if isinstance(q, NearMatrix) else q
            rows.append([[Fraction(x) for x in row] for row in values])
            radius += Fraction(q.radius) if isinstance(q, NearMatrix) else 0
    else:
        pair = [_exact(left), _exact(right)]
        rows, radius = [left, right], Fraction(0)
    difference = [[b - a for a, b in zip(*both, strict=True)] for both in zip(*rows, strict=True)]
    v = _direction(difference, radius)
    return {"says": says, "left": pair[0], "relation": "Loewner <=", "right": pair[1], "v": v}


def _direction(difference: Rows, radius: Fraction = Fraction(0)) -> list[Any]:
    """Find v with v^T D v + radius |v|^2 < 0: in floats where they hold one, else exactly."""
    found = decide_psd(difference, radius=radius).witness
    if found is not None:
        return [float(x).hex() for x in found]
    direction = negative_direction(
        [[x + radius if i == j else x for j, x in enumerate(row)] for i, row in enumerate(difference)]
    )
    if direction is None:
        raise Unwritable("no vector shows that the order fails")
    return [_number(x) for x in direction]


def _near(q: Any) -> Json:
    if not isinstance(q, NearMatrix):
        return _exact(q)
    return {"rows": [[float(x).hex() for x in row] for row in q.values], "radius": float(q.radius).hex()}


def _exact(rows: Rows) -> Json:
    return {"rows": [[_number(Fraction(x)) for x in row] for row in rows], "radius": 0}


def _number(x: Fraction) -> int | str:
    top, bottom = in_digits(x.numerator), in_digits(x.denominator)
    return top if bottom == 1 else f"{top}/{bottom}"


def _side(q: Any) -> Any:
    """Write a number; one with too many digits as an enclosure, rounded outward to 512 bits."""
    ends = q if isinstance(q, tuple) else (q, q)
    try:
        exact = [_number(x) for x in ends]
    except Unwritable:
        return [_number(_rounded(ends[0], up=False)), _number(_rounded(ends[1], up=True))]
    return exact if isinstance(q, tuple) else exact[0]


def _rounded(x: Fraction, *, up: bool) -> Fraction:
    power = Fraction(2) ** (ENCLOSURE_BITS + x.denominator.bit_length() - abs(x.numerator).bit_length())
    scaled = x * power
    return Fraction(-((-scaled.numerator) // scaled.denominator) if up else int(scaled // 1)) / power


# -------------------------------------------------------------------------------------------------- probabilities


def law_of(box: CountsBox) -> list[Json]:
    """Group the equal atoms of a box; sorted, since their order means nothing."""
    atoms = Counter(zip(box.law, box.low, box.high, strict=True))
    return [
        {"times": times, "p": _number(p), "low": low, "high": high} for (p, low, high), times in sorted(atoms.items())
    ]


def _of_trials(construction: Construction, instance: Instance, *, name: str, delta: Fraction, heard: Heard) -> Json:
    key: Json = {
        "statement": name,
        "instance": digest(instance),
        "stream": heard.stream,
        "seed": heard.seed,
        "batch_size": construction.batch_size,
    }
    shared: Json | None = None
    listed: list[Json] = []
    room, failures = ROOM, 0
    for trial, drawn, b in _failures(construction, key, heard.counts.trials):
        failures += 1
        if len(listed) == MOST_LISTED:
            continue
        common, failure = _bound(drawn, b) if isinstance(drawn, BoundBatch) else _spectral(drawn, b)
        size = len(json.dumps(failure, indent=1)) + (len(json.dumps(common, indent=1)) if shared is None else 0)
        if size > room or (shared is not None and common != shared):
            continue
        shared = common
        room -= size
        listed.append({"trial": trial, **failure})
    if failures != heard.counts.failures or shared is None:
        raise NoWitness(
            f"{name} on {instance.name}: {failures} of {heard.counts.failures} failures were found again, "
            f"{len(listed)} of them fit into a witness"
        )
    return {
        "kind": "trials",
        "delta": _number(delta),
        "alpha": _number(heard.alpha),
        "trials": heard.counts.trials,
        "failures": heard.counts.failures,
        "unsure": heard.counts.unsure,
        "key": key | {"numpy": np.__version__},
        "shared": shared,
        "listed": listed,
    }


def _failures(
    construction: Construction, key: Json, trials: int
) -> Iterator[tuple[int, SpectralBatch | BoundBatch, int]]:
    size = construction.batch_size
    words = {k: key[k] for k in ("statement", "instance", "stream", "seed")}
    for index in range(trials // size):
        drawn = construction.draw(generator(**words, batch_size=size, index=index), size)
        found = bounded(drawn).answers if isinstance(drawn, BoundBatch) else answers(drawn)
        for b in np.flatnonzero(found == int(Answer.OUT)).tolist():
            yield index * size + b, drawn, b


def _bound(drawn: BoundBatch, b: int) -> tuple[Json, Json]:
    ends = (Fraction(float(drawn.lower[b])), Fraction(float(drawn.upper[b])))
    return {"allowed": _side(drawn.allowed)}, {"drawn": _side(ends)}


def _spectral(drawn: SpectralBatch, b: int) -> tuple[Json, Json]:
    """Show the side on which one draw fails, with its vector; the world's own rows where it is exact."""
    if drawn.exact is None:
        near = NearMatrix(values=drawn.K, radius=drawn.K_radius)
        far = NearMatrix(values=drawn.Kt[b], radius=float(drawn.Kt_radius[b]))
        (K, K_radius), (Kt, Kt_radius) = ((m.values.tolist(), Fraction(m.radius)) for m in (near, far))
        shown = _near(near), _near(far)
    else:
        K, Kt = drawn.exact(b)
        K_radius = Kt_radius = Fraction(0)
        shown = _exact(K), _exact(Kt)
    shared = {"K": shown[0], "eps": _number(drawn.eps), "a": _number(drawn.a), "b": _number(drawn.b)}
    for side, sign in (("lower", 1), ("upper", -1)):
        factor = 1 - sign * drawn.eps
        difference = [
            [sign * (Fraction(y) - factor * Fraction(x)) for x, y in zip(*r, strict=True)]
            for r in zip(K, Kt, strict=True)
        ]
        for i, row in enumerate(difference):
            row[i] += sign * (drawn.b - factor * drawn.a)
        try:
            v = _direction(difference, Kt_radius + factor * K_radius)
        except Unwritable:
            continue
        return shared, {"side": side, "drawn": shown[1], "v": v}
    raise NoWitness(f"no vector shows that draw {b} fails")
