"""The other kernels under Theorem 3.3, each against its definition: steps on cells, pairs, diagonals by counts."""

from dataclasses import replace
from fractions import Fraction
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from reference import finite_features as finite
from reference.arc_cosine import arc_cosine_kernel, arc_cosine_kernel_error
from reference.leverage import statistical_dimension
from reference.orthants import cells, cells_balls
from reference.preconditions import exact_rows, inner
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear
from theorems.checking.events import Event, answers
from theorems.checking.keys import digest
from theorems.checking.means import mean_log_wealth
from theorems.checking.store import Store
from theorems.glss.diagonal_worlds import COUPON_4096, DiagonalWorld, dimension, many_coupons
from theorems.glss.feature_pairs import Laplace, Matern, RandomPhase, Rectified, longer_normals, pair_of, turns
from theorems.glss.kernel_instances import CUBIC, QUADRATIC, instances, pairs, real_pairs, small_pairs, steps
from theorems.glss.sampling_constructions import construct, kernel, quantities
from theorems.glss.sampling_instances import DELTA, EPS, RAMP, FiniteWorld
from theorems.glss.sampling_recipe import PAPER
from theorems.glss.sampling_strategies import plane_points
from theorems.glss.step_cells import StepWorld, dominate_steps, step_grams, step_leverage_balls
from theorems.glss.streamed_features import stream_of
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT, TWINS
from theorems.statement import Answer, Finding

SITTING = Sitting(seed=20201206, campaign=1, budget=4096)
LINE_16_LAPLACE, _, DISC_12_MATERN, _, SPACE_10_RECTIFIED, _ = small_pairs()

each_pair = pytest.mark.parametrize("x", small_pairs(), ids=lambda x: x.name)
each_step = pytest.mark.parametrize("x", steps(), ids=lambda x: x.name)


# -------------------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("x", [QUADRATIC, CUBIC, *steps(), *small_pairs(), *real_pairs()], ids=lambda x: x.name)
def test_every_new_instance_lies_within_the_theorem(x):
    assert STATEMENT.violated(x) == []
    found = quantities(x)
    assert found.s_lambda[0] <= found.s_q_tilde[1] < Fraction(101, 100) * found.s_lambda[1]


@pytest.mark.parametrize("x", [QUADRATIC, CUBIC, *steps(), DISC_12_MATERN], ids=lambda x: x.name)
def test_the_court_supports_the_theorem_there(x):
    with Store.memory() as store:
        record = hear(STATEMENT, x, place=1, nth=40, sitting=SITTING, store=store)
    assert record.verdict == Finding.SUPPORTED.value, (record.because, record.layers)


def test_the_quick_profile_has_nothing_that_is_streamed_besides_what_it_had():
    new = instances("quick")[29:]
    assert {type(x) for x in new} == {FiniteWorld, StepWorld}


@pytest.mark.parametrize(("x", "degree"), [(QUADRATIC, 2), (CUBIC, 3)], ids=["quadratic", "cubic"])
def test_monomials_average_to_the_power_of_the_inner_product(x, degree):
    points = {2: [[1, 2], [3, -1], [-1, 1]], 3: [[1, 1, 0], [-1, -1, 0], [0, 0, 0], [1, 0, 1], [0, 1, -1]]}[degree]
    K = [[sum(a * b for a, b in zip(p, q, strict=True)) ** degree for q in points] for p in points]
    assert [[int(v) for v in row] for row in x.features.kernel()] == K


# -------------------------------------------------------------------------------------------------------- steps


@each_step
def test_leverage_of_the_cells_integrates_to_the_statistical_dimension(x):
    found = cells(x.X)
    tau = step_leverage_balls(x.X, x.lam, found.patterns)
    masses = cells_balls(x.X, 160)
    low, high = (sum(mass[side] * t[side] for mass, t in zip(masses, tau, strict=True)) for side in (0, 1))
    s_lambda = quantities(x).s_lambda
    assert low <= s_lambda[1]
    assert s_lambda[0] <= high
    assert high - low < Fraction(1, 2**100)


@each_step
def test_the_dominating_function_dominates_and_skips_only_what_sees_nothing(x):
    patterns, atoms = cells(x.X).patterns, dominate_steps(x.X, x.lam)
    K = arc_cosine_kernel(x.X, 0)
    inverse = np.linalg.inv(K + float(x.lam) * np.eye(len(K)))
    tau = np.einsum("ci,ij,cj->c", patterns, inverse, patterns)
    high = np.array([float(t) for t in atoms.tau])
    assert (high >= tau - 1e-12).all()
    assert (high <= tau + 2.0**-12 + 1e-12).all()
    assert ((atoms.law == 0) == ~patterns.any(axis=1)).all()
    np.testing.assert_allclose(atoms.weights[atoms.law > 0] * high[atoms.law > 0], float(atoms.integral[1]))


@settings(max_examples=30)
@given(plane_points(), st.sampled_from([Fraction(1, 1000), Fraction(1, 4)]))
def test_step_cells_average_to_the_arc_cosine_kernel_in_every_corner(X, lam):
    found = cells(X)
    K = np.tensordot(found.probability, step_grams(found.patterns), axes=1)
    assert np.linalg.norm(K - arc_cosine_kernel(X, 0)) <= arc_cosine_kernel_error(X, 0) + 1e-14 * len(X)
    atoms = dominate_steps(X, lam)
    assert float(atoms.integral[0]) >= statistical_dimension(K, float(lam)) - 1e-9


def test_a_ridge_that_is_not_positive_is_refused_on_steps():
    with pytest.raises(ValueError, match="lam must be positive, got lam = 0"):
        dominate_steps(np.eye(2), Fraction(0))


# -------------------------------------------------------------------------------------------------------- pairs


@pytest.mark.parametrize("size", [1.0, 1e3, 1e9, 1e16, 1e150])
@pytest.mark.parametrize("d", [1, 3])
def test_turns_are_right_at_every_frequency(size, d):
    rng = np.random.default_rng([4, d])
    X, W = rng.standard_normal((6, d)), size * rng.standard_normal((40, d))
    found = turns(X, W)
    for i, x in enumerate(exact_rows(X)):
        for r, w in enumerate(exact_rows(W)):
            off = Fraction(float(found[i, r])) - inner(x, w)
            assert abs(off - round(off)) < Fraction(1, 2**44)  # gamma_{d+1} 64
    assert (np.abs(found) <= 0.5).all()


@each_pair
def test_draws_are_unbiased(x):
    """A correct sampler fails with probability below 1e-9."""
    assert _evidence(x, *stream_of(x).draw(4000, np.random.default_rng([6, len(x.X)]))) < log(1e9)


def test_the_evidence_can_tell_another_law():
    """Leverage and weights of one bandwidth, frequencies proposed with another."""
    x, rng = LINE_16_LAPLACE, np.random.default_rng(6)
    W = pair_of(Laplace(sigma=2.0), 1).propose(rng, 60_000)
    tau = _leverage(x, W)
    W = W[rng.random(len(W)) * tau.max() < tau][:4000]
    assert len(W) == 4000
    assert _evidence(x, W, float(stream_of(x).s_lambda[1]) / _leverage(x, W)) > log(1e9)


def _leverage(x, W):
    """Give tau by a route of its own: a solve, not a whitener."""
    phi = pair_of(x.family, x.X.shape[1]).features.features(x.X, W)
    inverse = np.linalg.inv(stream_of(x).K + float(x.lam) * np.eye(len(x.X)))
    return np.einsum("irk,ij,jrk->r", phi, inverse, phi, optimize=True)


def _evidence(x, W, weights):
    """Bet against E y = v^T K v / v^T A v, where y = weight |v^T phi|^2 / v^T A v lies in [0, s_q_tilde]."""
    stream, v = stream_of(x), np.ones(len(x.X))
    phi = pair_of(x.family, x.X.shape[1]).features.features(x.X, W)
    size = v @ (stream.K + float(x.lam) * np.eye(len(v))) @ v
    seen = np.square(np.einsum("i,irk->rk", v, phi)).sum(axis=1) * weights / size
    return mean_log_wealth(seen, float(v @ stream.K @ v / size), 0.0, float(stream.s_q_tilde[1]) * (1 + 1e-9))


@each_pair
def test_weights_never_exceed_what_domination_allows(x):
    """weight = s_q_tilde / T <= s_q_tilde / tau, with tau from rounded features by another route."""
    stream = stream_of(x)
    W, weights = stream.draw(2000, np.random.default_rng(8))
    ratio = weights * _leverage(x, W) / float(stream.s_q_tilde[1])
    assert (ratio <= 1 + 1e-11).all()
    assert ratio.mean() > 1 - 1e-9


@each_pair
def test_the_trace_of_every_draw_is_seen_and_a_wrong_mean_is_refuted(x):
    rng = np.random.default_rng(9)
    assert decide(construct(x, 300, PAPER).mean(rng)).answer is Answer.IN
    doubled = replace(PAPER, scale=lambda m: Fraction(2, m))
    assert decide(construct(x, 300, doubled).mean(rng)).answer is Answer.OUT


def test_gram_matrices_carry_their_error():
    """A Gram matrix from features in exact rationals lies within the proven radius; so does the weights' part."""
    x = SPACE_10_RECTIFIED
    drawn = construct(x, 40, PAPER).draw(np.random.default_rng(3), 1)
    W, weights = stream_of(x).draw(40, np.random.default_rng(3))
    phi = [[max(inner(p, w), Fraction(0)) for w in exact_rows(W)] for p in exact_rows(x.X)]
    exact = [
        [sum(Fraction(float(c)) * s * t for c, s, t in zip(weights, a, b, strict=True)) / 40 for b in phi] for a in phi
    ]
    off = np.array(
        [
            [float(Fraction(float(k)) - e) for k, e in zip(*rows, strict=True)]
            for rows in zip(drawn.Kt[0], exact, strict=True)
        ]
    )
    assert np.linalg.norm(off, 2) <= drawn.Kt_radius[0] < 1e-9


def test_longer_normals_have_the_length_of_the_squared_law():
    W = longer_normals(3, np.random.default_rng(2), 4000)
    below = (np.square(W).sum(axis=1) <= chi2.ppf(0.5, 5)).astype(float)
    assert mean_log_wealth(below, 0.5, 0.0, 1.0) < log(1e9)
    plain = np.random.default_rng(2).standard_normal((4000, 3))
    assert mean_log_wealth((np.square(plain).sum(axis=1) <= chi2.ppf(0.5, 5)).astype(float), 0.5, 0.0, 1.0) > log(1e9)


def test_families_are_data_and_tell_themselves_apart():
    X = np.eye(2)
    found = [
        Laplace(sigma=1.0),
        Matern(sigma=1.0, nu=0.5),
        Matern(sigma=1.0, nu=1.5),
        RandomPhase(sigma=1.0),
        Rectified(),
    ]
    assert len({digest(pairs("x", "x", X, family)) for family in found}) == len(found)


def test_a_single_point_and_duplicates_are_fine():
    X = np.array([[0.5, 0.25], [0.5, 0.25], [-0.5, -0.25], [0.0, 0.0]])
    for family in (Laplace(sigma=1.0), RandomPhase(sigma=1.0), Rectified()):
        x = pairs("x", "x", X, family)
        assert STATEMENT.violated(x) == []
        assert (answers(construct(x, 4000, PAPER).draw(np.random.default_rng(1), 2)) == Answer.IN).all()


# ---------------------------------------------------------------------------------------------------- diagonals


SPECTRUM = tuple(Fraction(1, 2**k) for k in range(4))
DIAGONAL = DiagonalWorld(name="d", says="d", k=SPECTRUM, lam=RAMP.lam, eps=RAMP.eps, delta=RAMP.delta)
WITH_GRAMS = {"real_part_only"}


def test_a_diagonal_world_is_the_finite_one():
    assert RAMP.features == finite.diagonal(SPECTRUM)
    assert quantities(DIAGONAL) == quantities(RAMP)
    assert dimension(DIAGONAL) == RAMP.features.statistical_dimension(RAMP.lam)
    one, other = construct(DIAGONAL, 683, PAPER), construct(RAMP, 683, PAPER)
    assert (one.box, one.size_needed, one.facts) == (other.box, other.size_needed, other.facts)
    assert (one.sampling.claimed == other.sampling.claimed).all()


@pytest.mark.parametrize("twin", [t for t in TWINS if t.name not in WITH_GRAMS], ids=lambda t: t.name)
@pytest.mark.parametrize("m", [3, 40])
def test_every_recipe_gives_the_same_box_and_the_same_mean(twin, m):
    one, other = (twin.conclusion.construction(x, m) for x in (DIAGONAL, RAMP))
    assert one.box == other.box
    rng = np.random.default_rng(0)
    assert decide(one.mean(rng)).answer is decide(other.mean(rng)).answer


@pytest.mark.parametrize("twin", [t for t in TWINS if t.name not in WITH_GRAMS], ids=lambda t: t.name)
def test_draws_of_a_diagonal_world_are_decided_like_its_matrices(twin):
    one, other = (twin.conclusion.construction(x, 40) for x in (DIAGONAL, RAMP))
    seen = [Event(construction=c).run(np.random.default_rng(5), 200).answers for c in (one, other)]
    assert (seen[0] == seen[1]).all()


def test_a_diagonal_world_refuses_what_it_cannot_hold():
    with pytest.raises(ValueError, match="k must hold positive Fractions"):
        DiagonalWorld(name="d", says="d", k=(Fraction(0),), lam=EPS, eps=EPS, delta=DELTA)
    with pytest.raises(ValueError, match="k must hold positive Fractions"):
        DiagonalWorld(name="d", says="d", k=(), lam=EPS, eps=EPS, delta=DELTA)
    with pytest.raises(TypeError, match="no Gram matrices to change, on d"):
        construct(DIAGONAL, 5, replace(PAPER, grams=lambda g: 2 * g))
    with pytest.raises(TypeError, match="no kernel is known for a DiagonalWorld"):
        kernel(DIAGONAL)


def test_a_ridge_beyond_the_largest_entry_is_named():
    assert STATEMENT.violated(replace(DIAGONAL, lam=Fraction(1))) == [
        "lambda must be below ||K||, got lambda = 1, ||K|| = 1"
    ]


def test_the_logarithm_needs_the_dimension():
    """T33-b: m = 177,195 on 4096 directions fails almost surely; the printed size fails once in a thousand million."""
    twin = next(t for t in TWINS if t.name == "log_without_s")
    assert twin.refuted_on is COUPON_4096
    assert twin.conclusion.size(COUPON_4096) == 177_195
    assert PAPER.size(quantities(COUPON_4096)) == 1_027_627
    # fewer directions do not show it
    x = many_coupons(64, COUPON_4096.lam, eps=COUPON_4096.eps, delta=COUPON_4096.delta)
    built = twin.conclusion.construction(x, twin.conclusion.size(x))
    failures = Event(construction=built).run(np.random.default_rng(1), 200).answers == Answer.OUT
    assert failures.mean() < 0.5
