"""Leverage sampling against plain sampling: proven answers, errors within their bounds, and the catalogue's T34-b."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from reference.gaussian_fourier import gaussian_kernel, sample_frequencies
from reference.leverage import statistical_dimension
from theorems.akm17 import theorem_9_plain_features as theorem_9
from theorems.akm17.fourier_worlds import ORTHOGONAL, PYTHAGOREAN, RARE
from theorems.checking.court import Sitting
from theorems.checking.events import answers
from theorems.checking.store import Store
from theorems.glss.sampling_constructions import quantities
from theorems.glss.sampling_recipe import PAPER, Quantities
from theorems.glss.streamed_features import stream_of
from theorems.statement import Answer
from theorems.studies.leverage_against_plain import (
    DELTA,
    EPS,
    STUDY,
    Draw,
    compare,
    plain_features_asked,
    points_on_a_line,
)

NAMES = [column.name for column in STUDY.columns]
SAMPLERS, FEATURES = ("leverage", "plain"), ("complex", "real pair")


def sitting(seed: int = 1) -> Sitting:
    return Sitting(seed=seed, campaign=1, budget=0, code="c" * 64)


# ----------------------------------------------------------------------------------------------------- the sizes


@pytest.mark.parametrize(("lam", "dimension", "m"), [(1.0, "45.0", None), (0.1, "63.6", 10635), (0.01, "77.8", 13398)])
def test_the_grid_is_canonical_instance_I8_and_its_sizes_are_the_printed_ones(lam, dimension, m):
    x = points_on_a_line(lam)
    s = statistical_dimension(gaussian_kernel(x.X, x.sigma), lam)
    assert f"{s:.1f}" == dimension
    if m is not None:  # at q_tilde = q_lambda; s is good to ten digits, and the bound is not that near an integer
        exact = Fraction(s)
        assert PAPER.size(Quantities(s_lambda=(exact, exact), s_q_tilde=(exact, exact), eps=EPS, delta=DELTA)) == m


@pytest.mark.parametrize("x", [ORTHOGONAL, PYTHAGOREAN, RARE], ids=lambda x: x.name)
def test_plain_features_are_asked_for_as_theorem_9_asks(x):
    assert plain_features_asked(x.features.n / x.lam, quantities(x)) == theorem_9.STATEMENT.conclusion.size(x)


# ----------------------------------------------------------------------------------------------------- the twin


def test_T34_b_plain_features_at_the_size_of_leverage_sampling_fail():
    """With other keys: 25 draws by leverage had eps* <= .25, 200 plain draws of real pairs, which err less, >= .51.

    So another key breaks this test less often than once in fifty times, and these keys never.
    """
    x = points_on_a_line(0.01)
    m = PAPER.size(quantities(x))
    assert 13398 <= m <= 1.01 * 13398
    for sampler, proven in (("leverage", Answer.IN), ("plain", Answer.OUT)):
        for k in range(2):
            rng = np.random.default_rng([34, k])
            drawn, accuracy = Draw(x=x, size=m, sampler=sampler, features="complex").draw(rng)
            assert answers(drawn).tolist() == [proven]
            assert (accuracy <= EPS) is (proven is Answer.IN)


# ----------------------------------------------------------------------------------------------- a draw, closely


def small(lam: float = 0.1):
    return points_on_a_line(lam, 9)


def exact_gram(x, W, weights, features):
    """The Gram matrix of these frequencies and weights at 50 digits, as the study compares it."""
    with mpmath.workdps(50):
        n, R, J = len(x.X), mpmath.zeros(len(x.X)), mpmath.zeros(len(x.X))
        for w, weight in zip(W[:, 0], weights, strict=True):
            turns = [2 * mpmath.pi * mpmath.mpf(float(w)) * mpmath.mpf(float(t)) for t in x.X[:, 0]]
            for i in range(n):
                for j in range(n):
                    R[i, j] += mpmath.mpf(float(weight)) * mpmath.cos(turns[i] - turns[j]) / len(W)
                    J[i, j] -= mpmath.mpf(float(weight)) * mpmath.sin(turns[i] - turns[j]) / len(W)
        if features == "real pair":
            return R
        whole = mpmath.zeros(2 * n)
        for i in range(n):
            for j in range(n):
                whole[i, j] = whole[n + i, n + j] = R[i, j]
                whole[i, n + j], whole[n + i, j] = -J[i, j], J[i, j]
        return whole


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_matrix_is_within_its_radius_of_the_one_of_its_frequencies(sampler, features):
    x, m = small(), 12
    drawn, _ = Draw(x=x, size=m, sampler=sampler, features=features).draw(np.random.default_rng(91))
    rng, stream = np.random.default_rng(91), stream_of(x)
    W, weights = stream.draw(m, rng) if sampler == "leverage" else (sample_frequencies(1, x.sigma, rng, m), np.ones(m))
    truth = exact_gram(x, W, weights, features)
    size = truth.rows
    with mpmath.workdps(50):
        difference = [
            [float(truth[i, j] - mpmath.mpf(float(drawn.Kt[0, i, j]))) for j in range(size)] for i in range(size)
        ]
    assert np.linalg.norm(np.array(difference), 2) <= drawn.Kt_radius[0] <= 1e-10
    assert drawn.K.shape == drawn.Kt.shape[1:] == (size, size)


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_answers_agree_with_eps_star_wherever_floats_can_tell(sampler, features):
    x = small()
    seen = set()
    for m in (20, 200, 2000):
        for k in range(6):
            draw = Draw(x=x, size=m, sampler=sampler, features=features)
            drawn, accuracy = draw.draw(np.random.default_rng([92, m, k]))
            batch = draw.run(np.random.default_rng([92, m, k]), 1)
            assert batch.stress == accuracy / float(EPS)
            assert abs(accuracy / float(EPS) - 1) > 1e-6
            expected = Answer.IN if accuracy < EPS else Answer.OUT
            assert answers(drawn).tolist() == batch.answers.tolist() == [expected]
            seen.add(expected)
    assert seen == {Answer.IN, Answer.OUT}


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_real_pairs_err_no_more_than_complex_features_of_the_same_frequencies(sampler):
    for k in range(10):
        found = [
            Draw(x=small(), size=50, sampler=sampler, features=features).draw(np.random.default_rng([93, k]))[1]
            for features in ("real pair", "complex")
        ]
        assert found[0] <= found[1] * (1 + 1e-9)


def test_a_plain_draw_is_no_leverage_draw():
    x = small()
    found = [
        Draw(x=x, size=50, sampler=sampler, features="complex").draw(np.random.default_rng(94))[0].Kt
        for sampler in SAMPLERS
    ]
    assert not np.array_equal(*found)


# ------------------------------------------------------------------------------------------------------ the rows


def test_rows_say_what_was_drawn_and_a_second_run_reads_them_from_the_store():
    x = replace(small(), eps=Fraction(49, 100))
    with Store.memory() as store:
        rows = compare(x, 2, sitting(), store)
        assert compare(x, 2, sitting(), store) == rows
        assert len({row[NAMES.index("eps*")] for row in rows}) == len(rows) == 8
        assert compare(x, 2, sitting(seed=2), store) != rows
    found = [dict(zip(NAMES, row, strict=True)) for row in rows]
    q = quantities(x)
    for row in found:
        assert row["lambda"] == 0.1
        assert row["n/lambda"] == pytest.approx(90)
        assert row["m"] == PAPER.size(q)
        assert row["m asked plain"] > row["m"]
        assert row["s_lambda"] == float(q.s_lambda[1])
        assert row["passes"] == ("yes" if row["eps*"] <= 0.49 else "no")
    assert {(row["features"], row["sampler"], row["draw"]) for row in found} == {
        (features, sampler, k) for features in FEATURES for sampler in SAMPLERS for k in (1, 2)
    }


def test_figures_read_columns_of_the_table():
    for figure in STUDY.figures:
        assert set(figure.names) <= set(NAMES)
    assert all(column.says for column in STUDY.columns)
