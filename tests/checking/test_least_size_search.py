"""The search for the least size: its answers are right as often as it says, computed exactly and counted."""
# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

from theorems.checking.bernoulli import below_delta, refuting_table, trials_to_support
from theorems.checking.budget import share
from theorems.checking.court import Sitting
from theorems.checking.events import exact_failure
from theorems.checking.least_size_search import (
    LEVEL,
    Bracket,
    Outcome,
    bisect,
    bracket_least_size,
    decided,
    geometric_sizes,
)
from theorems.checking.operating_characteristics import follow
from theorems.checking.store import Store
from theorems.checking.synthetic import binomial_band, coin
from theorems.glss.sampling_instances import COUPON_8, SPIKE
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT
from theorems.statement import BoundBatch, Construction, HighProbability, Instance, SpectralBatch, Trials

ANY = Instance(name="any", says="any")
HALF = Fraction(1, 2)
FAILS, WORKS, OPEN = Outcome.FAILS, Outcome.WORKS, Outcome.OPEN


def sitting(seed: int = 1) -> Sitting:
    return Sitting(seed=seed, campaign=1, budget=0, code="c" * 64)


def coins(p: Callable[[int], Fraction], *, most: int, batch: int = 16, delta: Fraction = HALF) -> HighProbability:
    """Size m fails with probability exactly p(m)."""
    return HighProbability(
        size=lambda x: most,
        construction=lambda x, m: replace(coin(p(m), batch).construction, size=m),
        delta=lambda x: delta,
        stress="",
    )


def search(conclusion: HighProbability, *, seed: int = 1, store: Store | None = None, **options) -> Bracket:
    with store or Store.memory() as kept:
        return bracket_least_size("test", conclusion, ANY, sitting=sitting(seed), store=kept, **options)


# ------------------------------------------------------------------------------------------------------ the grid


@pytest.mark.parametrize("most", [1, 2, 3, 16, 1000, 10635, 10**9])
def test_sizes_are_exact_roots_in_rising_order(most):
    sizes = geometric_sizes(most)
    assert sizes[0] == 1
    assert sizes[-1] == most
    assert all(a < b for a, b in pairwise(sizes))
    k = 0
    seen = set()
    while 2**k <= most**4:
        # m <= most 2^(-k/4) < m + 1
        [m] = [m for m in sizes if m**4 * 2**k <= most**4 < (m + 1) ** 4 * 2**k]
        seen.add(m)
        k += 1
    assert seen == set(sizes)


def test_sizes_start_at_one():
    with pytest.raises(ValueError, match="most must be at least 1, got most = 0"):
        geometric_sizes(0)


# ------------------------------------------------------------------------------------------------- the bisection


@pytest.mark.parametrize("count", [1, 2, 7, 12])
def test_bisection_closes_in_on_what_stays_open(count):
    sizes = list(range(10, 10 + count))
    for a in range(count + 1):
        for b in range(a, count + 1):
            asked = []

            def probe(size, a=a, b=b, asked=asked):
                asked.append(size)
                return FAILS if size < 10 + a else OPEN if size < 10 + b else WORKS

            assert bisect(probe, sizes) == (9 + a if a else 0, 10 + b if b < count else None)
            assert len(set(asked)) == len(asked)


def test_answers_that_are_not_monotone_still_speak_only_of_sizes_that_were_tried():
    rng = np.random.default_rng(8)
    for _ in range(300):
        truth = dict(zip(range(1, 14), rng.choice([FAILS, OPEN, WORKS], 13), strict=True))
        fails_at, works_at = bisect(lambda size, truth=truth: truth[size], list(truth))
        assert fails_at == 0 or truth[fails_at] is FAILS
        assert works_at is None or truth[works_at] is WORKS
        assert works_at is None or fails_at < works_at


# ---------------------------------------------------------------------------------------------- what it decides


def test_each_probe_gets_its_share_of_the_level():
    """A coin that never fails works after as many trials as the share of its probe asks for, in whole batches."""
    found = search(coins(lambda m: Fraction(0), most=64, batch=1))
    assert found.works_at == 1
    assert found.level == LEVEL
    for j, probe in enumerate(found.probes, start=1):
        assert probe.outcome is WORKS
        assert probe.seen == Trials(trials=trials_to_support(HALF, LEVEL * share(j)), failures=0, unsure=0)
    assert found.trials == sum(p.seen.trials for p in found.probes)


def test_what_always_fails_is_said_to_fail_at_the_largest_size():
    found = search(coins(lambda m: Fraction(1), most=64))
    assert (found.fails_at, found.works_at) == (64, None)


def test_a_probe_stops_at_its_budget():
    found = search(coins(lambda m: HALF, most=1, batch=16), trials=40)
    [probe] = found.probes
    assert probe.seen.trials == 48
    assert (probe.outcome, found.fails_at, found.works_at) == (OPEN, 0, None)


def test_the_largest_size_can_be_given():
    found = search(coins(lambda m: Fraction(m < 8), most=10**6), most=20)
    assert found.fails_at < 8 <= found.works_at <= 20


def test_unsure_trials_count_against_both_answers():
    def draw(rng: np.random.Generator, trials: int) -> SpectralBatch:
        K = np.ones((1, 1))
        return SpectralBatch(
            K=K, K_radius=0.0, Kt=np.ones((trials, 1, 1)), Kt_radius=np.full(trials, 1e9), eps=HALF, a=HALF, b=HALF
        )

    found = search(
        HighProbability(
            size=lambda x: 4,
            construction=lambda x, m: Construction(size=m, batch_size=64, draw=draw, facts={}),
            delta=lambda x: HALF,
            stress="",
        ),
        trials=256,
    )
    assert (found.fails_at, found.works_at) == (0, None)
    assert all(p.seen.unsure == p.seen.trials == 256 for p in found.probes)
    assert decided(Trials(trials=100, failures=0, unsure=100), HALF, LEVEL) is OPEN
    assert decided(Trials(trials=100, failures=0, unsure=0), HALF, LEVEL) is WORKS
    assert decided(Trials(trials=100, failures=100, unsure=0), HALF, LEVEL) is FAILS


def test_a_number_with_a_bound_is_searched_too():
    def construction(x: Instance, m: int) -> Construction:
        def draw(rng: np.random.Generator, trials: int) -> BoundBatch:
            value = np.full(trials, 1 / m)
            return BoundBatch(lower=value, upper=value, allowed=(Fraction(1, 10), Fraction(1, 10)))

        return Construction(size=m, batch_size=64, draw=draw, facts={})

    found = search(
        HighProbability(size=lambda x: 1000, construction=construction, delta=lambda x: HALF, stress=""), trials=256
    )
    sizes = geometric_sizes(1000)
    # 1/10 in float64 is above one tenth
    assert found.works_at == min(m for m in sizes if m > 10)
    assert found.fails_at == max(m for m in sizes if m <= 10)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"trials": 0}, "trials must be at least 1"), ({"level": Fraction(1)}, "level must be in"), ({"most": 0}, "most")],
)
def test_arguments_are_checked(options, says):
    with pytest.raises(ValueError, match=says):
        search(coins(lambda m: HALF, most=4), **options)


# ------------------------------------------------------------------------------------------------------ the store


def test_a_second_search_finds_everything_in_the_store():
    drawn = []

    def p(m: int) -> Fraction:
        return Fraction(9, 10) if m < 20 else Fraction(1, 10)

    def counting(x: Instance, m: int) -> Construction:
        built = coins(p, most=100).construction(x, m)

        def draw(rng: np.random.Generator, trials: int) -> SpectralBatch | BoundBatch:
            drawn.append(m)
            return built.draw(rng, trials)

        return replace(built, draw=draw)

    conclusion = replace(coins(p, most=100), construction=counting)
    with Store.memory() as store:
        first = bracket_least_size("test", conclusion, ANY, sitting=sitting(), store=store)
        fresh = len(drawn)
        assert fresh > 0
        assert bracket_least_size("test", conclusion, ANY, sitting=sitting(), store=store) == first
        assert len(drawn) == fresh
        bracket_least_size("test", conclusion, ANY, sitting=sitting(seed=2), store=store)
        assert len(drawn) > fresh


# -------------------------------------------------------------------------------------------- the rate of its errors


@pytest.mark.parametrize("x", [COUPON_8, SPIKE], ids=lambda x: x.name)
def test_on_exact_worlds_the_answer_is_true(x):
    conclusion = STATEMENT.conclusion
    with Store.memory() as store:
        found = bracket_least_size("test", conclusion, x, sitting=sitting(), store=store)
    assert found.fails_at >= 1
    assert exact_failure(conclusion.construction(x, found.fails_at)).lower > x.delta
    assert exact_failure(conclusion.construction(x, found.works_at)).upper < x.delta


MOST, BATCH, TRIALS, RATE = 16, 32, 128, Fraction(1, 4)
REPLICATES = 150


def plateau(m: int) -> Fraction:
    """Exactly delta over a stretch of sizes, where every answer is false: what a search errs on most."""
    return Fraction(1) if m <= 2 else HALF if m <= 9 else Fraction(1, 4)


class More(Exception):
    def __init__(self, size: int) -> None:
        self.size = size


def outcomes(m: int, j: int) -> dict[Outcome, float]:
    """Exact chances of the three answers of the j-th probe, at size m."""
    n, alpha = np.arange(BATCH, TRIALS + 1, BATCH), RATE * share(j)
    looks = zip(refuting_table(n, HALF, alpha).tolist(), below_delta(n, HALF, alpha).tolist(), strict=True)
    *_, (fails, works, still_open) = follow(looks, plateau(m), BATCH)
    return {FAILS: fails, WORKS: works, OPEN: still_open}


def tree(path: tuple[tuple[int, Outcome], ...] = ()) -> dict[tuple[int, int | None, bool], float]:
    """Exact law of (fails_at, works_at, any answer false), over all paths of the search."""
    answers = dict(path)

    def probe(size: int) -> Outcome:
        if size not in answers:
            raise More(size)
        return answers[size]

    try:
        ends = bisect(probe, geometric_sizes(MOST))
    except More as more:
        law: Counter = Counter()
        for outcome, chance in outcomes(more.size, len(path) + 1).items():
            if chance > 0:
                for end, then in tree((*path, (more.size, outcome))).items():
                    law[end] += chance * then
        return law
    return {(*ends, any(false(m, outcome) for m, outcome in path)): 1.0}


def false(m: int, outcome: Outcome) -> bool:
    return (outcome is FAILS and plateau(m) <= HALF) or (outcome is WORKS and plateau(m) >= HALF)


def test_it_errs_no_more_often_than_it_says_and_exactly_as_often_as_computed():
    """Bands that an honest search leaves with probability 1e-9 each, around chances that no sampling went into."""
    law = tree()
    assert sum(law.values()) == pytest.approx(1, abs=1e-9)
    errs = sum(chance for (_, _, wrong), chance in law.items() if wrong)
    assert 0 < errs <= RATE
    counts: Counter = Counter()
    for seed in range(REPLICATES):
        found = search(coins(plateau, most=MOST, batch=BATCH), seed=seed, trials=TRIALS, level=RATE)
        wrong = any(false(p.size, p.outcome) for p in found.probes)
        counts[found.fails_at, found.works_at, wrong] += 1
    assert counts.keys() <= law.keys()
    for end, chance in [*law.items(), (True, errs)]:
        count = sum(c for key, c in counts.items() if key[2]) if end is True else counts[end]
        low, high = binomial_band(REPLICATES, min(chance, 1.0), Fraction(1, 10**9))
        assert low <= count <= high, (end, chance, count)


@pytest.mark.parametrize("length", range(1, 8))
def test_the_least_size_found_to_work_is_given(length):
    """Every pattern of outcomes, saw teeth included: nothing that was asked and works above the failure is dropped."""
    for pattern in product((Outcome.WORKS, Outcome.FAILS, Outcome.OPEN), repeat=length):
        asked = {}

        def probe(size, pattern=pattern, asked=asked):
            return asked.setdefault(size, pattern[size - 1])

        fails_at, works_at = bisect(probe, range(1, length + 1))
        above = [size for size, found in asked.items() if size > fails_at and found is Outcome.WORKS]
        assert works_at == min(above, default=None)
        assert fails_at == 0 or pattern[fails_at - 1] is Outcome.FAILS
