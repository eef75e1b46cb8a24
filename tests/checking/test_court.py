# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
import random
import signal
import time
import warnings
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest

from theorems.checking import budget, court
from theorems.checking.court import Sitting, hear, hear_twin
from theorems.checking.judge import judge
from theorems.checking.store import Store
from theorems.documents import as_json
from theorems.statement import (
    BoundBatch,
    Claim,
    Construction,
    Cost,
    CountsBox,
    Expectation,
    Finding,
    ForEach,
    Hypothesis,
    HypothesisNotMet,
    Instance,
    Layer,
    Rate,
    Slope,
    Trials,
)

SITTING = Sitting(seed=11, campaign=2, budget=2048)


@pytest.fixture
def store():
    with Store.memory() as opened:
        yield opened


def heard(statement, instance, store, sitting=SITTING, **changes):
    return hear(statement, instance, **{"place": 1, "nth": 1, "sitting": sitting, "store": store} | changes)


def coin(world, name="coin", **fields):
    return world.Coin(name=name, says="a coin", **fields)


# ------------------------------------------------------------------------------------------- sampled verdicts


@pytest.mark.parametrize(
    ("fields", "finding", "table"),
    [
        # chance of another finding: below 1e-6 each where the budget guards it, and 0 for p in {0, 1}
        ({"p": 0.0}, "SUPPORTED", "below_delta"),
        ({"p": 1.0}, "REFUTED", "above_delta"),
        ({"p": 0.0, "unsure": 1.0}, "UNDECIDED", ""),
        ({"p": 0.3}, "REFUTED", "above_delta"),  # at 2048 trials 0.3 lies 30 standard deviations above 0.1
        ({"p": 0.01}, "SUPPORTED", "below_delta"),
        ({"p": 0.01, "unsure": 0.3}, "UNDECIDED", ""),  # would be supported, were unsure trials skipped
        ({"p": 0.08, "unsure": 0.1}, "UNDECIDED", ""),
    ],
)
def test_the_truth_is_found(world, store, fields, finding, table):
    record = heard(world.statement(), coin(world, **fields), store)
    assert (record.verdict, record.table) == (finding, table)
    assert record.as_declared == (finding == "SUPPORTED")
    assert record.evidence == "trials"
    assert record.trials <= SITTING.budget
    assert record.failures + record.unsure <= record.trials


def test_the_resolution_speaks_when_the_budget_ends(world, store):
    record = heard(world.statement(), coin(world), store, replace(SITTING, budget=128))
    assert (record.verdict, record.table, record.rho) == ("SUPPORTED", "below_rho_delta", 1.5)
    assert record.trials == 128


def test_a_decision_stops_the_trials(world, store):
    record = heard(world.statement(), coin(world, p=1.0), store)
    assert record.trials == 64  # one batch


def test_a_tiny_budget_is_undecided_and_names_the_price(world, store):
    record = heard(world.statement(), coin(world), store, replace(SITTING, budget=1))
    assert (record.verdict, record.trials) == ("UNDECIDED", 64)  # a batch is never cut
    assert record.price.endswith("more trials without a failure")
    more = int(record.price.split()[0])
    assert heard(world.statement(), coin(world), store, replace(SITTING, budget=64 + more)).verdict == "SUPPORTED"


def test_the_record_is_a_function_of_its_key(world, store):
    one = heard(world.statement(), coin(world, p=0.05), store)
    assert heard(world.statement(), coin(world, p=0.05), store) == one
    with Store.memory() as fresh:
        assert heard(world.statement(), coin(world, p=0.05), fresh) == one


def test_evidence_is_kept_and_read(world, store):
    statement, x = world.statement(), coin(world, p=0.02)
    first = heard(statement, x, store)

    def crash(x, m):
        def draw(rng, trials):
            pytest.fail("the batch was in the store")

        return draw

    again = replace(statement, conclusion=world.conclusion(draw=crash))
    assert heard(again, x, store) == first


def test_positions_pay(world, store):
    cheap = heard(world.statement(), coin(world, p=1.0), store)
    dear = heard(world.statement(), coin(world, p=1.0), store, place=2, nth=5)
    assert cheap.alpha == float(budget.for_statement(statement=1, instance=1, campaign=2).refute)
    assert dear.alpha == float(budget.for_statement(statement=2, instance=5, campaign=2).refute)
    assert dear.alpha < cheap.alpha


def test_a_crash_is_unsure_never_skipped(world, store):
    def crash(x, m):
        def draw(rng, trials):
            raise FloatingPointError("overflow in the sampler")

        return draw

    record = heard(world.statement(conclusion=world.conclusion(draw=crash)), coin(world), store)
    assert (record.verdict, record.unsure, record.failures) == ("UNDECIDED", record.trials, 0)
    assert record.measured["first error"] == "batch 0: FloatingPointError: overflow in the sampler"
    assert "crashed" in record.fault


def test_an_instance_outside_is_no_evidence(world, store):
    with pytest.raises(HypothesisNotMet, match=r"made.up on coin: p must lie in \[0, 1\], got p = 2"):
        heard(world.statement(), coin(world, p=2), store)


def test_slack_is_what_was_measured(world, store):
    # Kt = 1 gives eps* = 0: there is no slack to speak of
    assert heard(world.statement(), coin(world), store).slack is None
    # Kt = 100: eps* = 99/1.25, so eps*/eps = 264
    record = heard(world.statement(), coin(world, p=1.0), store)
    assert record.slack == 0.00378
    assert record.slack <= 0.3 * 1.25 / 99
    assert record.slack_says == "1 / largest eps* / eps observed"


# --------------------------------------------------------------------------------------------------- exact


def box(high):
    """One category of two fails when it is drawn more than `high` of m times; fair coin."""
    return lambda x, m: CountsBox(m=m, law=(Fraction(1, 2), Fraction(1, 2)), low=(0, 0), high=(m, high(m)))


def test_an_enumerable_failure_is_not_sampled(world, store):
    # fails iff all m draws are heads: P = 2^-m, so m = 4 is the least that works at delta = 1/10
    statement = world.statement(conclusion=world.conclusion(size=8, box=box(lambda m: m - 1)))
    record = heard(statement, coin(world, p=1.0), store)  # sampling would refute
    assert (record.verdict, record.evidence, record.alpha, record.trials) == ("SUPPORTED", "exact", 0, 0)
    lower, upper = map(Fraction, record.probability)
    assert lower <= Fraction(1, 256) <= upper
    assert upper - lower <= Fraction(3, 10**8)  # a unit in the sixth digit outward at each end, and the enclosure's
    assert record.measured["least m"] == 4
    assert (record.slack, record.slack_says) == (2.0, "m asked / least m found to work, with the next 64")


def test_an_exact_failure_refutes(world, store):
    statement = world.statement(conclusion=world.conclusion(size=2, box=box(lambda m: m - 1)))
    record = heard(statement, coin(world), store)
    lower, upper = map(Fraction, record.probability)
    assert (record.verdict, record.slack) == ("REFUTED", None)
    assert lower <= Fraction(1, 4) <= upper <= Fraction(1, 4) + Fraction(1, 10**5)
    assert record.fault.endswith("not chance")


def test_curves_are_drawn_where_asked(world, store):
    statement = world.statement(conclusion=world.conclusion(size=64, box=box(lambda m: m - 1)))
    record = heard(statement, coin(world, curve=True), store)
    assert [p["kind"] for p in record.curve] == ["exact", "sampled"] * len(court.CURVE)
    assert [p["m"] for p in record.curve[::2]] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert [p["estimate"] for p in record.curve[::2]] == [2.0**-m for m in (1, 2, 4, 8, 16, 32, 64, 128)]
    assert {p["trials"] for p in record.curve[1::2]} == {court.CURVE_TRIALS}
    sampled = heard(world.statement(), coin(world, curve=True, unsure=1.0), store).curve
    assert {(p["kind"], p["estimate"], p["upper"]) for p in sampled} == {("sampled", 1.0, 1.0)}  # unsure is counted
    assert heard(statement, coin(world), store).curve == []


def certain(m):
    return lambda x, size: CountsBox(
        m=size, law=(Fraction(1, 2), Fraction(1, 2)), low=(0, 0), high=(size, m if size == 1 else size)
    )


def test_a_conclusion_that_cannot_fail_is_vacuous(world, store):
    # a box around all counts, at every size and so at m = 1
    record = heard(world.statement(conclusion=world.conclusion(size=8, box=certain(1))), coin(world), store)
    assert (record.verdict, record.as_declared, record.probability) == ("VACUOUS", False, ("0", "0"))
    assert "cannot fail on this instance" in record.because
    # where a single draw may fail, that eight cannot is what the theorem says
    record = heard(world.statement(conclusion=world.conclusion(size=8, box=certain(0))), coin(world), store)
    assert (record.verdict, record.probability) == ("SUPPORTED", ("0", "0"))


def test_what_fails_at_the_size_asked_is_not_vacuous(world, store):
    # a single draw cannot leave the box, eight heads can
    statement = world.statement(conclusion=world.conclusion(size=8, box=box(lambda m: m if m == 1 else m - 1)))
    assert heard(statement, coin(world), store).verdict == "SUPPORTED"


def test_a_layer_may_still_refute_where_the_event_cannot_fail(world, store):
    record = heard(layered(world, box=certain(1), sampling=stuck), coin(world), store)
    assert (looks(record)["event"], record.verdict) == ("VACUOUS", "REFUTED")


def test_a_construction_that_knows_no_failure_for_a_single_draw_is_not_called_vacuous(world, store):
    def box(x, m):
        return certain(1)(x, m) if m > 1 else None

    record = heard(world.statement(conclusion=world.conclusion(size=8, box=box)), coin(world), store)
    assert record.verdict == "SUPPORTED"


# -------------------------------------------------------------------------------------------------- layers


class Sampler:
    """A sampler that claims to be fair."""

    claimed = np.array([0.5, 0.5])

    def __init__(self, indices):
        self.indices = indices
        self.counts = lambda count, rng: np.bincount(indices(count, rng), minlength=2)


def fair(x, m):
    return Sampler(lambda count, rng: rng.integers(0, 2, count))


def stuck(x, m):
    return Sampler(lambda count, rng: np.zeros(count, np.int64))


def alternating(x, m):
    return Sampler(lambda count, rng: np.arange(count) % 2)


def mean_is(value):
    claim = Claim(says="E = 1", left=[[Fraction(value)]], relation="=", right=[[Fraction(1)]])
    return lambda rng: claim


def layered(world, **parts):
    return world.statement(conclusion=world.conclusion(**parts), layers=tuple(Layer))


def looks(record):
    return {layer["name"]: layer["finding"] for layer in record.layers}


def test_layers_without_a_facet_are_not_listed(world, store):
    assert looks(heard(layered(world), coin(world), store)) == {"event": "SUPPORTED"}


def test_a_true_construction_passes_every_layer(world, store):
    needed = (Fraction(999), Fraction(1000))
    statement = layered(world, sampling=fair, mean=lambda x, m: mean_is(1), size_needed=lambda x, m: needed)
    record = heard(statement, coin(world), store)
    assert record.verdict == "SUPPORTED"
    assert looks(record) == {
        "event": "SUPPORTED",
        "size recomputed": "SUPPORTED",
        "expectation identity": "SUPPORTED",
        "sampler's law": "quiet",
        "independence": "quiet",
    }


@pytest.mark.parametrize(
    ("parts", "layer"),
    [
        ({"sampling": stuck}, "sampler's law"),
        ({"sampling": alternating}, "independence"),
        ({"mean": lambda x, m: mean_is(2)}, "expectation identity"),
        ({"size_needed": lambda x, m: (Fraction(1001), Fraction(1001))}, "size recomputed"),
    ],
)
def test_a_layer_refutes_what_the_event_cannot_see(world, store, parts, layer):
    record = heard(layered(world, **parts), coin(world), store)
    assert looks(record)["event"] == "SUPPORTED"
    assert looks(record)[layer] == "REFUTED"
    assert record.verdict == "REFUTED"
    assert ("not chance" in record.fault) == (record.alpha == 0)


def test_an_undecided_layer_keeps_a_record_from_being_green(world, store):
    statement = layered(world, size_needed=lambda x, m: (Fraction(999), Fraction(1001)))
    record = heard(statement, coin(world), store)
    assert looks(record) == {"event": "SUPPORTED", "size recomputed": "UNDECIDED"}
    assert (record.verdict, record.price) == ("UNDECIDED", "more precision")


def test_a_nan_layer_keeps_a_record_from_being_green(world, store, monkeypatch):
    monkeypatch.setattr("theorems.checking.layers.law_log_wealth", lambda *_: nan)
    record = heard(layered(world, sampling=fair), coin(world), store)
    assert looks(record)["sampler's law"] == "UNDECIDED"
    assert record.verdict == "UNDECIDED"


def test_a_refuting_layer_outranks_an_undecided_one(world, store):
    parts = {"sampling": stuck, "size_needed": lambda x, m: (Fraction(999), Fraction(1001))}
    assert heard(layered(world, **parts), coin(world), store).verdict == "REFUTED"
    # and a refuted event stays the reason
    record = heard(layered(world, **parts), coin(world, p=1.0), store)
    assert record.table == "above_delta"


def test_layers_share_the_allowance(world, store):
    alone = heard(world.statement(), coin(world, p=1.0), store).alpha
    shared = heard(layered(world), coin(world, p=1.0), store).alpha
    assert shared == pytest.approx(alone * float(budget.share(1)), rel=1e-15)
    by_law = heard(layered(world, sampling=stuck), coin(world), store).alpha  # the third layer, the fourth check
    assert by_law == pytest.approx(alone * float(budget.share(4)), rel=1e-15)


@pytest.mark.parametrize("stress", [inf, nan, 0.0, -1.0])
def test_a_stress_that_is_no_ratio_gives_no_slack(world, store, stress, monkeypatch):
    monkeypatch.setattr("theorems.checking.events.stress", lambda _: stress)
    assert heard(world.statement(), coin(world), store).slack is None


# ----------------------------------------------------------------------------------------------- other kinds


def claim(left, right, relation="<="):
    return Claim(says="left and right", left=left, relation=relation, right=right)


ONE, TWO, WIDE = Fraction(1), Fraction(2), (Fraction(0), Fraction(3))
SLOPE = Slope(lower=0.9, upper=1.0, claimed=Fraction(1), tolerance=Fraction(0), decades=2.0, points=6)


@pytest.mark.parametrize(
    ("conclusion", "evidence", "verdict"),
    [
        (ForEach(claims=lambda x: [claim(ONE, TWO)]), "comparisons", "SUPPORTED"),
        (ForEach(claims=lambda x: [claim(ONE, TWO), claim(TWO, ONE)]), "comparisons", "REFUTED"),
        (ForEach(claims=lambda x: []), "comparisons", "VACUOUS"),
        (Expectation(claims=lambda x: [claim(WIDE, WIDE, "=")]), "comparisons", "UNDECIDED"),
        (Rate(measure=lambda x: SLOPE), "slope", "SUPPORTED"),
        (Cost(count=lambda x: replace(SLOPE, upper=1.5, lower=1.25)), "slope", "REFUTED"),
    ],
)
def test_every_kind_of_conclusion_is_heard(world, store, conclusion, evidence, verdict):
    record = heard(world.statement(conclusion=conclusion), coin(world), store)
    assert (record.evidence, record.verdict) == (evidence, verdict)
    assert record.delta is None
    assert bool(record.comparisons) == (evidence == "comparisons" and verdict != "VACUOUS")


# --------------------------------------------------------------------------------------------------- twins


def test_a_twin_is_expected_to_fall(world, store):
    statement, twin = world.statement(), world.twin()
    record = hear_twin(statement, twin, place=1, nth=1, sitting=SITTING, store=store)
    assert (record.id, record.verdict, record.as_declared) == ("made.up/biased@biased-coin", "REFUTED", True)
    assert record.claim == "it always fails"
    assert record.alpha == float(budget.for_twin(statement=1, twin=1, campaign=2).refute)


def test_a_surviving_twin_accuses_the_harness(world, store):
    record = hear_twin(world.statement(), world.twin(p=0.0), place=1, nth=1, sitting=SITTING, store=store)
    assert (record.verdict, record.as_declared) == ("SUPPORTED", False)
    assert record.fault.startswith("the harness")


def test_a_twin_keeps_the_hypotheses_it_does_not_drop(world, store):
    outside = world.twin(p=3.0)
    with pytest.raises(HypothesisNotMet, match=r"made.up/biased on biased-coin: p must lie in"):
        hear_twin(world.statement(), outside, place=1, nth=1, sitting=SITTING, store=store)
    dropped = world.twin(p=3.0, without=("0 <= p <= 1",))
    assert hear_twin(world.statement(), dropped, place=1, nth=1, sitting=SITTING, store=store).verdict == "REFUTED"


def test_a_misprint_is_declared(world, store):
    statement = world.statement(expected=Finding.REFUTED)
    assert heard(statement, coin(world, p=1.0), store).as_declared
    record = heard(statement, coin(world), store)
    assert not record.as_declared
    assert record.fault.startswith("the statement's record")


# ------------------------------------------------------------------------------------ what goes wrong on the way


def crash(*_):
    raise ValueError("bad luck")


def hang(*_):
    time.sleep(3600)


def leave(*_):
    raise SystemExit(0)


def warn(*_):
    warnings.warn("overflow", RuntimeWarning, stacklevel=1)


def roll(*_):
    return random.random()


HASTY = replace(SITTING, deadline=0.3)  # for what hangs; all else that is asked for takes a hundredth of it
WRONGS = [
    (crash, "ValueError: bad luck"),
    (leave, "SystemExit: 0"),
    (warn, "RuntimeWarning: overflow"),
    (roll, "GlobalRandomness: random.random: need draws"),
    pytest.param(
        hang, "timed out after 0.3 s", marks=pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm")
    ),
]


def with_hypothesis(world, do):
    return world.statement(hypotheses=(Hypothesis(says="all is well", holds=do),))


def probable(**parts):
    """A conclusion about probability of which some part is replaced."""

    def make(world, do):
        names = {name: do for name in parts.get("replaced", ())}
        return world.statement(conclusion=replace(world.conclusion(), **names))

    return make


def after_the_first(do):
    """Construct well at the size asked, and wrongly at every other."""

    def make(world):
        good = world.conclusion()

        def construction(x, m):
            return good.construction(x, m) if m == 1000 else do()

        return world.statement(conclusion=replace(good, construction=construction))

    return make


PLACES = {
    "hypotheses": with_hypothesis,
    "size": probable(replaced=["size"]),
    "delta": probable(replaced=["delta"]),
    "construction at 1000": probable(replaced=["construction"]),
    "construction at 16": lambda world, do: after_the_first(do)(world),
    "claims": lambda world, do: world.statement(conclusion=ForEach(claims=do)),
    "facts": lambda world, do: world.statement(conclusion=ForEach(claims=lambda x: [claim(ONE, TWO)], facts=do)),
    "measure": lambda world, do: world.statement(conclusion=Rate(measure=do)),
    "count": lambda world, do: world.statement(conclusion=Cost(count=do)),
}


@pytest.mark.parametrize(("do", "error"), WRONGS)
@pytest.mark.parametrize("place", PLACES)
def test_whatever_goes_wrong_the_record_is_undecided_and_says_what(world, store, place, do, error):
    x = coin(world, curve=place == "construction at 16")
    record = heard(PLACES[place](world, do), x, store, HASTY if do is hang else SITTING)
    assert (record.verdict, record.as_declared, record.alpha) == ("UNDECIDED", False, 0)
    assert record.because.startswith(f"made.up on coin: {place}: {error}")
    assert record.measured["first error"].startswith(f"{place}: {error}")
    assert record.price == "an answer: mend the statement, or wait longer where it timed out"
    assert (record.trials, record.comparisons) == (0, [])
    as_json(vars(record))


def test_a_generator_of_claims_is_asked_under_guard_too(world, store):
    def claims(x):
        yield claim(ONE, TWO)
        random.random()

    record = heard(world.statement(conclusion=ForEach(claims=claims)), coin(world), store)
    assert record.because.startswith("made.up on coin: claims: GlobalRandomness")


@pytest.mark.parametrize("kind", [MemoryError, KeyboardInterrupt])
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_fault_of_the_statement_ends_the_run(world, store, place, kind):
    def fail(*_):
        raise kind

    with pytest.raises(kind):
        heard(PLACES[place](world, fail), coin(world, curve=True), store)


@pytest.mark.parametrize("place", PLACES)
def test_an_instance_may_turn_out_to_lie_outside_anywhere(world, store, place):
    def outside(*_):
        raise HypothesisNotMet("lam must be below ||K||")

    with pytest.raises(HypothesisNotMet, match="lam must be below"):
        heard(PLACES[place](world, outside), coin(world, curve=True), store)


def test_a_twin_that_crashes_is_named(world, store):
    twin = world.twin(conclusion=ForEach(claims=crash))
    record = hear_twin(world.statement(), twin, place=1, nth=1, sitting=SITTING, store=store)
    assert (record.verdict, record.as_declared) == ("UNDECIDED", False)
    assert record.because.startswith("made.up/biased on biased-coin: claims: ValueError: bad luck (test_court.py:")


@pytest.mark.parametrize(("do", "error"), WRONGS)
@pytest.mark.parametrize(
    ("layer", "parts"),
    [
        ("expectation identity", {"mean": lambda do: lambda x, m: do}),
        ("sampler's law", {"sampling": lambda do: lambda x, m: Sampler(do)}),
        ("independence", {"sampling": lambda do: lambda x, m: Sampler(do)}),
    ],
)
def test_a_layer_that_goes_wrong_keeps_a_record_from_being_green(world, store, layer, parts, do, error):
    statement = layered(world, **{name: part(do) for name, part in parts.items()})
    sitting = HASTY if do is hang else SITTING
    record = heard(statement, coin(world), store, sitting)
    assert (looks(record)["event"], looks(record)[layer], record.verdict) == ("SUPPORTED", "UNDECIDED", "UNDECIDED")
    [because] = [x["because"] for x in record.layers if x["name"] == layer]
    assert because.startswith(f"made.up on coin: {layer}: {error}")
    # it hides no refutation
    assert heard(statement, coin(world, p=1.0), store, sitting).table == "above_delta"


def test_a_layer_interrupted_ends_the_run(world, store):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heard(layered(world, mean=lambda x, m: interrupt), coin(world), store)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (
            {"box": lambda x, m: CountsBox(m=m + 1, law=(ONE,), low=(0,), high=(m,))},
            "box: need the counts of 1000 draws",
        ),
        ({"box": lambda x, m: CountsBox(m=m, law=(ONE, ONE), low=(0, 0), high=(m, m))}, r"box\(law\): need"),
        ({"box": lambda x, m: CountsBox(m=m, law=(ONE,), low=(0, 0), high=(m,))}, "box: need law, low, high"),
        ({"size_needed": lambda x, m: (TWO, ONE)}, "size_needed: need lower <= upper"),
        ({"facts": lambda x, m: {"n": nan}}, "facts: need finite"),
    ],
)
def test_facets_that_contradict_each_other_decide_nothing(world, store, parts, says):
    record = heard(world.statement(conclusion=world.conclusion(**parts)), coin(world), store)
    assert (record.verdict, record.trials) == ("UNDECIDED", 0)
    assert record.because.startswith("made.up on coin: construction at 1000: ValueError: ")
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(record.because)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"size": lambda x: 0}, "size: ValueError: size: need at least 1 draw; got 0"),
        ({"size": lambda x: 2.5}, "size: TypeError: size: need an int; got float 2.5"),
        ({"delta": lambda x: Fraction(1)}, "delta: ValueError: delta: need a Fraction in (0, 1)"),
        ({"delta": lambda x: 0.1}, "delta: ValueError: delta: need a Fraction in (0, 1)"),
    ],
)
def test_sizes_and_promises_out_of_range_decide_nothing(world, store, changes, says):
    record = heard(world.statement(conclusion=replace(world.conclusion(), **changes)), coin(world), store)
    assert record.verdict == "UNDECIDED"
    assert record.because.startswith(f"made.up on coin: {says}")


@pytest.mark.parametrize("batch_size", [3, 2048])
def test_a_batch_size_out_of_range_decides_nothing(world, store, batch_size):
    good = world.conclusion()
    odd = replace(good, construction=lambda x, m: replace(good.construction(x, m), batch_size=batch_size))
    record = heard(world.statement(conclusion=odd), coin(world), store)
    assert f"construction(batch_size): need a power of two in [1, 1024]; got {batch_size} (" in record.because


def test_exact_matrices_of_another_shape_are_unsure(world, store):
    def draw(x, m):
        undecided = world.draw(coin(world, unsure=1.0))
        return lambda rng, trials: replace(undecided(rng, trials), exact=lambda b: ([[ONE]], [[ONE, ONE]]))

    record = heard(world.statement(conclusion=world.conclusion(draw=draw)), coin(world), store)
    assert (record.verdict, record.unsure) == ("UNDECIDED", record.trials)
    assert "exact(Kt): need 1 rows of 1 numbers" in record.measured["first error"]


def test_too_few_draws_are_unsure(world, store):
    def draw(x, m):
        few = np.zeros(1)
        return lambda rng, trials: BoundBatch(lower=few, upper=few, allowed=(ONE, ONE))

    record = heard(world.statement(conclusion=world.conclusion(draw=draw)), coin(world), store)
    assert (record.verdict, record.unsure) == ("UNDECIDED", record.trials)
    assert "draw(lower): need a float64 array of shape (64,)" in record.measured["first error"]


@pytest.mark.parametrize("slope", [None, (0.9, 1.0), replace(SLOPE, points=6.0)])
@pytest.mark.parametrize(("kind", "asks"), [(Rate, "measure"), (Cost, "count")])
def test_a_measurement_that_is_no_slope_decides_nothing(world, store, kind, asks, slope):
    record = heard(world.statement(conclusion=kind(**{asks: lambda x: slope})), coin(world), store)
    assert record.because.startswith(f"made.up on coin: {asks}: TypeError: slope")


# ------------------------------------------------------------------------------------------------- deadlines


def hanging_after(world, runs, x):
    """Draw well for some runs, and then sleep."""
    asked = iter(range(10**9))
    good = world.draw(x)

    def draw(rng, trials):
        if next(asked) >= runs:
            hang()
        return good(rng, trials)

    return world.conclusion(draw=lambda x, m: draw)


needs_an_alarm = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")


@needs_an_alarm
def test_trials_that_hang_are_unsure_and_a_patient_run_decides(world, store):
    x = coin(world)
    record = heard(world.statement(conclusion=hanging_after(world, 3, x)), x, store, HASTY)
    assert (record.verdict, record.trials, record.failures, record.unsure) == ("UNDECIDED", 192, 0, 64)
    assert record.because.endswith("; batch 2: timed out after 0.3 s")
    assert record.measured["first error"] == "batch 2: timed out after 0.3 s"
    assert record.fault == "nobody's yet: 64 trials were unsure or crashed"
    with Store.memory() as fresh:
        undisturbed = heard(world.statement(), x, fresh)
    assert heard(world.statement(), x, store) == undisturbed
    assert undisturbed.verdict == "SUPPORTED"


@needs_an_alarm
def test_a_hanging_batch_is_never_green_even_where_few_unsure_trials_would_be(world, store):
    # p = 0.09 is hard to tell from delta = 0.1, and easy to tell from rho delta = 0.5
    x, rho = coin(world, p=0.09), Fraction(5)
    record = heard(world.statement(conclusion=hanging_after(world, 20, x), rho=rho), x, store, HASTY)
    counts = Trials(trials=record.trials, failures=record.failures, unsure=record.unsure)
    allowance = budget.for_statement(statement=1, instance=1, campaign=2)
    assert judge(counts, allowance=allowance, delta=x.delta, rho=rho).finding is Finding.SUPPORTED
    assert (record.verdict, record.unsure) == ("UNDECIDED", 64)


@needs_an_alarm
def test_a_layer_is_looked_at_though_the_event_hangs(world, store):
    x = coin(world)
    good = hanging_after(world, 0, x)
    stuck_too = replace(good, construction=lambda x, m: replace(good.construction(x, m), sampling=stuck(x, m)))
    record = heard(world.statement(conclusion=stuck_too, layers=tuple(Layer)), x, store, HASTY)
    assert (looks(record)["event"], looks(record)["sampler's law"]) == ("UNDECIDED", "REFUTED")
    assert record.verdict == "REFUTED"


@needs_an_alarm
def test_a_curve_that_hangs_keeps_a_record_from_being_green(world, store):
    x = coin(world, curve=True)
    evidence = heard(world.statement(), coin(world), store)
    assert evidence.verdict == "SUPPORTED"  # and stored
    record = heard(world.statement(conclusion=hanging_after(world, 0, x)), x, store, HASTY)
    assert record.because == "made.up on coin: curve at 16: batch 0: timed out after 0.3 s"


def test_a_sitting_needs_a_deadline_in_range():
    with pytest.raises(ValueError, match=r"Sitting\(deadline\): need seconds in"):
        replace(SITTING, deadline=0)


@pytest.mark.parametrize(
    ("law", "window"),
    [
        ((Fraction(1, 2), Fraction(1, 2)), 64),
        ((Fraction(99, 100), Fraction(1, 100), Fraction(0)), 100),
        ((Fraction(9999, 10**4), Fraction(1, 10**4)), 512),
    ],
)
def test_the_least_size_looks_ahead_by_one_tooth_of_the_saw(law, window):
    box = CountsBox(m=10, law=law, low=(0,) * len(law), high=(10,) * len(law))
    built = Construction(size=10, batch_size=1, draw=lambda rng, trials: None, facts={}, box=box)
    assert court._window(built) == window
    assert court._window(replace(built, box=None)) == 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Points(Instance):
    X: np.ndarray


def test_a_statement_that_writes_into_its_instance_is_not_green(world, store):
    def claims(x):
        x.X[:] = 0
        return [claim(Fraction(0), Fraction(1))]

    statement = world.statement(conclusion=ForEach(claims=claims), hypotheses=())
    x = Points(name="points", says="points", X=np.ones(3))
    record = heard(statement, x, store)
    assert record.verdict == "UNDECIDED"
    assert "written into" in record.because


def test_what_a_statement_prints_is_no_data(world, store, capsys):
    def claims(x):
        print("a table of my own")
        return [claim(Fraction(0), Fraction(1))]

    x = Points(name="points", says="points", X=np.ones(3))
    statement = world.statement(conclusion=ForEach(claims=claims), hypotheses=())
    assert heard(statement, x, store).verdict == "SUPPORTED"
    assert capsys.readouterr() == ("", "a table of my own\n")
