"""Whether a witness proves its violation, decided in integers with the standard library alone.

claims        both sides of a refuted relation; for A <= B in the Loewner order a vector v with v^T (B - A) v < 0
probability   P[multinomial counts leave a box] > delta, by power series with integers rounded against the witness
trials        some of the failures, each as a claim, and the e-value of all counts, rounded down
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from theorems.checking.box_bound import leaves_box_at_least
from theorems.checking.witness_file import (
    Refused,
    check_common,
    check_keys,
    enclosure,
    matrix,
    number,
    read_document,
    vector,
    whole,
)

MOST_DRAWS = 2**20  # of one box
MOST_ATOMS = 2**14
LEAST_DELTA = Fraction(1, 2**2048)
MOST_TRIALS = 10**9
ALPHA = Fraction(1, 10**6)  # the whole project's; no record may spend more
GRID = tuple(map(Fraction, ("1.05", "1.1", "1.2", "1.4", "1.7", "2", "3", "5", "10", "20", "50")))
FAIR = "that the draws were fair rests on the recorded key"


def decide_document(document: dict[str, Any]) -> tuple[bool, str]:
    """Decide whether a checked witness proves its violation, and say so in one line.

    Raises
    ------
    Refused : evidence that is malformed
    """
    evidence = document["evidence"]
    return {"claims": _claims, "probability": _probability, "trials": _trials}[evidence["kind"]](evidence)


def _claims(evidence: dict[str, Any]) -> tuple[bool, str]:
    refuted = evidence["refuted"]
    if not isinstance(refuted, list) or not refuted or not isinstance(evidence["of"], str):
        raise Refused("refuted must list at least one claim, and of name who makes them")
    held = [c for c in refuted if not violated(c)]
    if held:
        return False, f"not refuted: {held[0]['says']}"
    more = f" (and {len(refuted) - 1} more)" if len(refuted) > 1 else ""
    return True, f"refuted, by the {evidence['of']}: {refuted[0]['says']}{more}"


def violated(claim: Any) -> bool:
    """Decide whether the numbers of one claim contradict it: every value within the enclosures does."""
    keys = {"says", "left", "relation", "right"}
    check_keys("a claim", claim, keys, keys | {"v"}, keys | {"entry"})
    left, relation, right = claim["left"], claim["relation"], claim["right"]
    if relation not in ("=", "<=", "Loewner <=") or not isinstance(claim["says"], str):
        raise Refused(f"relation must be '=', '<=' or 'Loewner <=', got {relation!r:.80}")
    if not isinstance(left, dict) and relation != "Loewner <=":
        (least, most), (lower, upper) = enclosure(left), enclosure(right)
        return least > upper or (relation == "=" and most < lower)
    (A, a), (B, b) = matrix(left), matrix(right)
    if len(A) != len(B) or len(A[0]) != len(B[0]) or relation == "<=":
        raise Refused("two matrices must have one shape, and relation '=' or 'Loewner <='")
    D = [[y - x for x, y in zip(*rows, strict=True)] for rows in zip(A, B, strict=True)]
    if relation == "=":  # |D|_F <= sqrt(least side) |D|_2
        return sum(x * x for row in D for x in row) > min(len(D), len(D[0])) * (a + b) ** 2
    return _form(D, claim.get("v")) + (a + b) * _square(claim["v"]) < 0


def _form(D: list[list[Fraction]], given: Any) -> Fraction:
    v = vector(given)
    if any(len(row) != len(D) for row in D) or len(v) != len(D):
        raise Refused("v^T D v needs a square matrix and a vector of its size")
    if any(D[i][j] != D[j][i] for i in range(len(D)) for j in range(i)):
        raise Refused("the Loewner order needs symmetric matrices")
    return sum(
        (x * sum((y * z for y, z in zip(row, v, strict=True)), Fraction(0)) for x, row in zip(v, D, strict=True)),
        Fraction(0),
    )


def _square(v: Any) -> Fraction:
    return sum((x * x for x in vector(v)), Fraction(0))


def _trials(evidence: dict[str, Any]) -> tuple[bool, str]:
    delta, alpha = number(evidence["delta"]), number(evidence["alpha"])
    n = whole("trials", evidence["trials"], MOST_TRIALS)
    S = whole("failures", evidence["failures"], n)
    unsure = whole("unsure", evidence["unsure"], n - S)
    if not 0 < delta < 1 or not 0 < alpha <= ALPHA:
        raise Refused(f"delta must lie in (0, 1) and alpha in (0, {ALPHA}], got {delta!s:.80} and {alpha!s:.80}")
    check_keys("key", evidence["key"], {"statement", "instance", "stream", "seed", "batch_size", "numpy"})
    listed = evidence["listed"]
    if not isinstance(listed, list) or not 0 < len(listed) <= S:
        raise Refused("listed must name at least one failure, and no more than failed")
    where = []
    for failure in listed:
        check_keys("a failure", failure, {"trial", "drawn"}, {"trial", "drawn", "side", "v"})
        where.append(whole("trial", failure["trial"], n - 1))
        if not _failed(evidence["shared"], failure):
            return False, f"trial {where[-1]} is no failure"
    if where != sorted(set(where)):
        raise Refused("listed must name each failure once, in order")
    counts = f"{S} failures and {unsure} unsure in {n} trials; {len(listed)} of the failures proven; {FAIR}"
    if not e_value_reaches(S, n, delta, 1 / alpha):
        return False, f"the e-value is below 1/alpha: {counts}"
    return True, f"P[fail] <= {delta} refuted at alpha = {float(alpha):.3g}: {counts}"


def _failed(shared: Any, failure: dict[str, Any]) -> bool:
    if "side" not in failure:
        check_keys("shared", shared, {"allowed"})
        return enclosure(failure["drawn"])[0] > enclosure(shared["allowed"])[1]
    check_keys("shared", shared, {"K", "eps", "a", "b"})
    if failure["side"] not in ("lower", "upper"):
        raise Refused(f"side must be 'lower' or 'upper', got {failure['side']!r:.80}")
    sign = 1 if failure["side"] == "lower" else -1
    (K, k), (Kt, t) = matrix(shared["K"]), matrix(failure["drawn"])
    factor, a, b = 1 - sign * number(shared["eps"]), number(shared["a"]), number(shared["b"])
    if len(K) != len(Kt) or factor < 0:
        raise Refused("K and Kt must have one size, and eps must be at most 1")
    D = [[sign * (y - factor * x) for x, y in zip(*rows, strict=True)] for rows in zip(K, Kt, strict=True)]
    for i, row in enumerate(D):
        row[i] += sign * (b - factor * a)
    return _form(D, failure["v"]) + (t + factor * k) * _square(failure["v"]) < 0


def e_value_reaches(S: int, n: int, delta: Fraction, line: Fraction) -> bool:
    """Decide from below whether the mean over q of (q/delta)^S ((1-q)/(1-delta))^(n-S) reaches a line.

    q runs over delta GRID, as far as it is below 1, and (1 + delta)/2, as in `bernoulli.refuting_mixture`.
    """
    qs = [delta * g for g in GRID if delta * g < 1] + [(1 + delta) / 2]
    total = Fraction(0)
    for q in qs:
        (x, i), (y, j) = power_from_below(q / delta, S), power_from_below((1 - q) / (1 - delta), n - S)
        if i + j > 2**16:
            return True
        total += Fraction(x * y) * Fraction(2) ** (i + j) / len(qs) if i + j > -(2**16) else 0
    return total >= line


def power_from_below(x: Fraction, k: int, bits: int = 256) -> tuple[int, int]:
    """Give (mantissa, exponent) with mantissa 2^exponent <= x^k, close to it: every product is rounded down."""
    shift = bits + x.denominator.bit_length() - x.numerator.bit_length()
    base = (int(x * Fraction(2) ** shift), -shift)
    made = (1, 0)
    for digit in bin(k)[2:]:
        made = _shortened((made[0] * made[0], 2 * made[1]), bits)
        if digit == "1":
            made = _shortened((made[0] * base[0], made[1] + base[1]), bits)
    return made


def _shortened(x: tuple[int, int], bits: int) -> tuple[int, int]:
    spare = max(0, x[0].bit_length() - bits)
    return x[0] >> spare, x[1] + spare


def _probability(evidence: dict[str, Any]) -> tuple[bool, str]:
    m, delta = whole("m", evidence["m"], MOST_DRAWS), number(evidence["delta"])
    if not LEAST_DELTA <= delta < 1 or not isinstance(evidence["law"], list):
        raise Refused(f"delta must lie in [2^-2048, 1) and law be a list, got delta = {delta!s:.80}")
    law = []
    for atom in evidence["law"]:
        check_keys("an atom", atom, {"times", "p", "low", "high"})
        times = whole("times", atom["times"], MOST_ATOMS)
        low, high = number(atom["low"]), number(atom["high"])
        if low.denominator != 1 or high.denominator != 1 or times < 1:
            raise Refused("low and high must be integers, and times positive")
        law.append((times, number(atom["p"]), int(low), int(high)))
    if sum(times for times, _, _, _ in law) > MOST_ATOMS:
        raise Refused(f"the law must have at most {MOST_ATOMS} atoms")
    check_common(p for _, p, _, _ in law)
    if any(p < 0 for _, p, _, _ in law) or sum(times * p for times, p, _, _ in law) != 1:
        raise Refused("the law must be probabilities with sum 1")
    least = leaves_box_at_least(m, law, delta)
    relation = ">" if least > delta else "is not shown to exceed"
    return (
        least > delta,
        f"P[fail] >= {_shown(least)} {relation} {_shown(delta)} = delta, in integers rounded against it",
    )


def _shown(x: Fraction) -> str:
    """Give six digits of a number in [0, 1], rounded to nearest, however small."""
    if x == 0 or x == 1:
        return str(x)
    places = max(0, (x.denominator.bit_length() - x.numerator.bit_length()) * 1233 // 4096)
    scaled = float(x * 10**places)
    while scaled < 1:
        scaled, places = scaled * 10, places + 1
    return f"{scaled:.6g}e-{places}" if places > 4 else f"{scaled / 10**places:.6g}"


def main(paths: Sequence[str]) -> int:
    """Replay files: exit code 0 all proven, 1 one is not, 2 usage or a file that cannot be read, 5 corrupt."""
    if not paths:
        sys.stderr.write("usage: python3 -I -S replay.py witness.json...\n")
        return 2
    code = 0
    for path in paths:
        try:
            document = read_document(path)
            proven, says = decide_document(document)
        except (OSError, Refused) as error:
            reason = f"{path!r}: {error.strerror}" if isinstance(error, OSError) else str(error)
            sys.stderr.write(f"refused: {reason}\n")
            code = max(code, 2 if isinstance(error, OSError) else 5)
            continue
        about = "/".join(x for x in (document["statement"], document["twin"]) if x)
        sys.stdout.write(f"{'PROVEN' if proven else 'NOT PROVEN'} {about}@{document['name']}: {says}\n")
        code = max(code, 0 if proven else 1)
    return code
