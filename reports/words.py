"""The words and numbers of the page: how a value is written, and what the fixed terms mean."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

GLOSSARY = {
    "SUPPORTED": "survived a test that would have caught an excess of the stated size at the stated error rate, "
    "or was proven on every instance",
    "REFUTED": "fails, with a witness anyone can replay",
    "UNDECIDED": "the evidence allows neither; the price says what a decision would cost. Never green",
    "VACUOUS": "no instance met the hypotheses, or the bound was trivially true on all of them. Never green",
}
SHAPES = {"SUPPORTED": "●", "REFUTED": "◆", "UNDECIDED": "◐", "VACUOUS": "○"}
CONSTANTS = {
    "explicit": "the constants are the paper's",
    "proved here": "the constants are proved here, not printed in the paper",
    "hidden": "the paper hides its constants; none was invented",
}
OUTCOMES = {
    0: "Everything came out as declared.",
    1: "A verdict differs from what was declared, or a broken twin survived.",
    3: "Something stayed undecided.",
    4: "An instance lies outside its theorem.",
    5: "Stored evidence is corrupt or divergent.",
    70: "The program itself failed.",
}
SURVIVED = (
    "No layer of the court could tell this false neighbour from the theorem, so the verdict above has no power "
    "against this mistake."
)


def number(value: float | str) -> str:
    """A value as a reader wants it: whole numbers in full with commas, others to four digits, text untouched."""
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e9):
        return f"{int(value):,}"
    return f"{value:.4g}"


def _three_digits(value: Fraction, rounding: str) -> str:
    """Three significant digits of a rational, also where a float would underflow to 0."""
    context = Context(prec=3, rounding=rounding, Emin=-(10**6), Emax=10**6)
    shown = context.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize(context)
    return f"{shown:f}" if shown.adjusted() in range(-4, 6) else f"{shown:e}".replace("e+", "e")


def enclosed(lower: str, upper: str) -> str:
    """A probability between two rationals: one number where three digits agree, else an outward interval."""
    low, high = Fraction(lower), Fraction(upper)
    middle = _three_digits(low, ROUND_HALF_EVEN)
    if low == high:
        return f"= {middle}" if Fraction(middle) == low else f"≈ {middle}"
    if middle == _three_digits(high, ROUND_HALF_EVEN):
        return f"≈ {middle}"
    return f"in [{_three_digits(low, ROUND_FLOOR)}, {_three_digits(high, ROUND_CEILING)}]"


def evidence(record: dict[str, Any]) -> str:
    """What a verdict rests on, in a few words."""
    kind = record["evidence"]
    if kind == "exact" and record["probability"] is not None:
        return f"exact: P[fail] {enclosed(*record['probability'])}"
    if kind == "trials":
        unsure = f", {record['unsure']:,} unsure" if record["unsure"] else ""
        return f"{_counted(record['failures'], 'failure')} in {_counted(record['trials'], 'trial')}{unsure}"
    if kind == "comparisons":
        if not record["comparisons"]:
            return "none"
        answers = [row.get("answer", "") for row in record["comparisons"]]
        tally = ", ".join(f"{answers.count(word):,} {word}" for word in ("IN", "OUT", "UNSURE") if word in answers)
        return f"{_counted(len(answers), 'comparison')}{': ' + tally if tally else ''}"
    return "fitted slope" if kind == "slope" else "exact"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def guarantee(words: str) -> tuple[str, str]:
    """Split 'assumed: why' into who guarantees a hypothesis and how."""
    who, _, how = words.partition(":")
    return who.strip(), how.strip()
