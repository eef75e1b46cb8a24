"""Real data and pools: laws against exact rationals, searches against enumeration, consequences against the lemmas."""

from dataclasses import replace
from fractions import Fraction
from math import lgamma

import numpy as np
import pytest

from reference.finite_features import from_features
from reference.labels import labels
from reference.leverage import whitener
from reference.random_pool import RandomPool
from theorems.akm17.lemma_2_risk import STATEMENT as LEMMA_2
from theorems.akm17.lemma_2_risk import risk as exact_risk
from theorems.checking.court import Sitting
from theorems.checking.events import answers
from theorems.checking.store import Store
from theorems.glss.approximation_instances import instances as approximations
from theorems.glss.corollary_in_sample_predictions import STATEMENT as IN_SAMPLE
from theorems.glss.sampling_instances import FiniteWorld
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT as THEOREM_3_3
from theorems.statement import Answer
from theorems.studies.pool_worlds import PoolData, conclusion, dimension, kernel, law_of, quantities, sample
from theorems.studies.real_data import (
    ESTIMATORS,
    STUDY,
    change,
    change_bound,
    consequences,
    grid,
    needed,
    pool_of,
    risk,
    risk_bound,
    row,
)

NAMES = [column.name for column in STUDY.columns]
SAMPLERS = ("leverage", "plain")
EPS, DELTA = Fraction(49, 100), Fraction(1, 10)


def sitting(seed: int = 1) -> Sitting:
    return Sitting(seed=seed, campaign=1, budget=0, code="c" * 64)


def tiny(lam: Fraction = Fraction(1, 4)) -> PoolData:
    """Two points, three features: one common, one for each point, of different lengths."""
    columns = [[1.0, 1.0], [1.5, 0.0], [0.0, -0.75]]
    pool = RandomPool(features=np.array(columns)[:, None, :])
    return PoolData(name="tiny", says="two points, three features", pool=pool, lam=lam, eps=EPS, delta=DELTA)


def as_finite_world(x: PoolData) -> FiniteWorld:
    phi = [[[Fraction(float(v)) for v in line] for line in block.T] for block in x.pool.features]
    features = from_features([Fraction(1, x.pool.count)] * x.pool.count, phi)
    return FiniteWorld(name=x.name, says=x.says, features=features, lam=x.lam, eps=x.eps, delta=x.delta)


# ------------------------------------------------------------------------------------------------------- the law


@pytest.mark.parametrize("lam", [Fraction(1, 2**20), Fraction(1, 4)])
def test_the_leverage_law_dominates_and_its_size_is_that_of_theorem_3_3(lam):
    x = tiny(lam)
    world, law = as_finite_world(x), law_of(x, "leverage")
    s = world.features.statistical_dimension(lam)
    assert law.s_lambda[0] <= s <= law.s_lambda[1]
    tau, eta = world.features.leverage(lam), x.pool.leverage_error(float(lam))
    computed = x.pool.leverage(whitener(kernel(x.pool).values, x.lam))
    assert all(Fraction(float(t)) * (1 + 2 * Fraction(eta)) >= truth for t, truth in zip(computed, tau, strict=True))
    assert s <= law.s_q_tilde[1] <= s * (1 + 4 * Fraction(eta) + Fraction(1, 2**40))
    for q, w, truth in zip(law.probability, law.weight, tau, strict=True):
        assert float(q) == pytest.approx(float(truth / (3 * s)), rel=1e-7)
        assert float(q * w) == pytest.approx(1 / 3, rel=1e-14)
    exact, asked = THEOREM_3_3.conclusion.size(world), conclusion("leverage").size(x)
    assert exact <= asked <= exact * (1 + 1e-6) + 1


def test_the_plain_law_is_p_and_its_bound_holds_for_every_feature():
    x = tiny()
    law = law_of(x, "plain")
    assert np.array_equal(law.weight, np.ones(3))
    assert np.array_equal(law.probability, np.full(3, 1 / 3))
    assert law.s_q_tilde[0] >= max(as_finite_world(x).features.leverage(x.lam))
    assert float(law.s_q_tilde[1]) == pytest.approx(2.25 / 0.25, rel=1e-12)  # the longest feature over lambda
    assert conclusion("plain").size(x) > conclusion("leverage").size(x)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_average_to_the_kernel(sampler):
    """One feature drawn at a time: the mean over the law is K, a sum of three matrices."""
    x = tiny()
    law = law_of(x, sampler)
    mean = sum(
        q * w * x.pool.gram(np.eye(3)[j]) for j, (q, w) in enumerate(zip(law.probability, law.weight, strict=True))
    )
    np.testing.assert_allclose(mean, kernel(x.pool).values, rtol=0, atol=1e-14)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samples_are_within_their_radius_of_exact_sums(sampler):
    x, m = tiny(), 10
    world, law = as_finite_world(x), law_of(x, sampler)
    drawn = sample(x, m, sampler, np.random.default_rng(71), 20)
    counts = np.random.default_rng(71).multinomial(m, law.probability, size=20)
    tau = world.features.leverage(x.lam)
    mean = sum(tau, Fraction(0)) / 3
    weight = [mean / t if sampler == "leverage" else Fraction(1) for t in tau]
    for Kt, radius, c in zip(drawn.Kt, drawn.Kt_radius, counts, strict=True):
        for a in range(2):
            for b in range(2):
                terms = zip(c, weight, world.features.grams, strict=True)
                truth = sum((Fraction(int(k), m) * w * G[a][b] for k, w, G in terms), Fraction(0))
                # tau itself is known to `leverage_error`: that is part of the law, not of the sum
                assert abs(float(truth - Fraction(float(Kt[a, b])))) <= radius + 4e-15 * np.trace(Kt)
        assert radius <= 1e-13 * np.trace(Kt)


# ---------------------------------------------------------------------------------------------------- the search


def exact_failure(x: PoolData, m: int, sampler: str) -> float:
    """Enumerate all counts of three features: the probability that (5) fails, up to float rounding."""
    law = law_of(x, sampler)
    i, j = (v.ravel() for v in np.meshgrid(np.arange(m + 1), np.arange(m + 1)))
    counts = np.stack([i, j, m - i - j], axis=1)[i + j <= m]
    grams = np.stack([x.pool.gram(e) for e in np.eye(3)])
    B = whitener(kernel(x.pool).values, x.lam)
    whitened = B @ (np.tensordot(counts * law.weight / m, grams, axes=1) - kernel(x.pool).values) @ B.T
    accuracy = np.abs(np.linalg.eigvalsh(whitened)).max(axis=1)
    assert np.abs(accuracy / float(x.eps) - 1).min() > 1e-12
    log_factorial = np.array([lgamma(k + 1) for k in range(m + 1)])
    log_mass = log_factorial[m] - log_factorial[counts].sum(axis=1) + counts @ np.log(law.probability)
    return float(np.exp(log_mass[accuracy > float(x.eps)]).sum())


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_size_found_to_fail_fails_and_the_one_found_to_work_works(sampler):
    x = tiny()
    with Store.memory() as store:
        found = needed(x, sampler, sitting(), store)
    assert 1 <= found.fails_at < found.works_at <= conclusion(sampler).size(x)
    assert exact_failure(x, found.fails_at, sampler) > float(DELTA) * (1 + 1e-9)
    assert exact_failure(x, found.works_at, sampler) < float(DELTA) * (1 - 1e-9)


def test_the_two_samplers_are_searched_with_different_draws():
    x = tiny()
    one, other = (sample(x, 50, sampler, np.random.default_rng(72), 4).Kt for sampler in SAMPLERS)
    assert not np.array_equal(one, other)


# --------------------------------------------------------------------------------------------------- consequences


def floats(rows):
    return np.array([[float(v) for v in line] for line in rows])


@pytest.mark.parametrize("x", approximations("quick"), ids=lambda x: x.name)
def test_changes_and_risks_are_those_of_the_exact_lemmas(x):
    K, Kt, Y = floats(x.K), floats(x.Kt), np.array([float(y) for y in x.Y])
    lam, eps, length = float(x.lam), float(x.eps), float(np.linalg.norm(Y))
    moved, bound = IN_SAMPLE.conclusion.claims(x)[0].left, IN_SAMPLE.conclusion.claims(x)[0].right
    if length > 0:
        assert change(K, Kt, lam, Y) * length == pytest.approx(float(moved) ** 0.5, rel=1e-6, abs=1e-9 * length)
        assert change_bound(K, lam, Y, eps) * length == pytest.approx(float(bound) ** 0.5, rel=1e-6)
    lemma = LEMMA_2.conclusion.claims(x)[1]
    assert risk(Kt, lam, Y, 1.0) == pytest.approx(float(lemma.left), rel=1e-6)
    assert risk_bound(K, Kt, lam, Y, 1.0, eps) == pytest.approx(float(lemma.right), rel=1e-6)
    assert risk(K, lam, Y, 1.0) == pytest.approx(float(exact_risk(x.K, x.lam, x.Y, Fraction(1))), rel=1e-6)


def test_consequences_are_the_worst_of_their_draws_and_stay_within_the_bounds():
    x, Y = tiny(), np.array([1.0, -1.0])
    K, m = kernel(x.pool).values, 400
    found = consequences(x, Y, m, sitting())
    assert found == consequences(x, Y, m, sitting())
    assert found != consequences(x, Y, m, sitting(seed=2))
    assert 0 < found.change <= change_bound(K, 0.25, Y, 0.49)
    assert 0 < found.risk <= 1
    # fewer draws change more: at m = 1 the sample has rank 1
    assert consequences(x, Y, 1, sitting()).change > found.change
    assert ESTIMATORS > 1


# ------------------------------------------------------------------------------------------------------ the rows


def test_a_row_measures_what_its_columns_say():
    pool = pool_of("diabetes", 8, 16, 1)
    with Store.memory() as store:
        cells = row("diabetes", pool, 10, sitting(), store)
        assert row("diabetes", pool, 10, sitting(), store) == cells
    found = dict(zip(NAMES, cells, strict=True))
    K, lam = pool.kernel(), found["lambda"]
    assert lam == pytest.approx(np.linalg.eigvalsh(K)[-1] / 10)
    assert found["s_lambda"] == pytest.approx(np.trace(np.linalg.solve(K + lam * np.eye(8), K)))
    assert found["lambda/||K||"] == 0.1
    assert (found["data set"], found["n"]) == ("diabetes", 8)
    assert found["kernel"].startswith("pool of 16")
    for suffix in ("", " plain"):
        assert 0 < found[f"m fails{suffix}"] < found[f"m works{suffix}"] <= found[f"m asked{suffix}"]
    assert found["asked/works"] == found["m asked"] / found["m works"] > 1
    assert found["change allowed"] == pytest.approx(change_bound(K, lam, labels("diabetes", 8), 0.49))
    assert found["change at m works"] > 0
    assert 0 < found["risk at m asked"] < 1


def test_pools_differ_by_data_size_and_seed_alone():
    a = pool_of("digits", 4, 8, 1).features
    assert np.array_equal(a, pool_of("digits", 4, 8, 1).features)
    for other in (pool_of("digits", 4, 8, 2), pool_of("digits", 4, 16, 1), pool_of("diabetes", 4, 8, 1)):
        assert not np.array_equal(a[:, :, 0], other.features[:8, :, 0])


def test_dimension_is_enclosed():
    x = tiny()
    low, high = dimension(x)
    assert low <= as_finite_world(x).features.statistical_dimension(x.lam) <= high
    assert high - low <= Fraction(1, 2**40)
    assert quantities(x, "plain").s_lambda == (low, high)
    assert dimension(replace(x, lam=Fraction(1, 2)))[1] < low


def test_answers_are_proven():
    x = tiny()
    found = answers(sample(x, 10**6, "leverage", np.random.default_rng(73), 4))
    assert found.tolist() == [Answer.IN] * 4
    assert Answer.OUT in answers(sample(x, 1, "leverage", np.random.default_rng(73), 4))


def test_a_longer_profile_begins_with_the_shorter_one():
    quick, ci, night = (grid(profile) for profile in ("quick", "ci", "night"))
    assert ci[: len(quick)] == quick
    assert night[: len(ci)] == ci
    assert len(quick) < len(ci) < len(night) == len(set(night))


def test_figures_read_columns_of_the_table():
    for figure in STUDY.figures:
        assert set(figure.names) <= set(NAMES)
    assert all(column.says for column in STUDY.columns)
