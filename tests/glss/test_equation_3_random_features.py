"""Equation (3): every average against its closed form by another route, and every mistake caught."""

from dataclasses import replace
from fractions import Fraction as F
from math import cos, pi

import mpmath
import numpy as np
import pytest
from hypothesis import given

from reference.activation_cells import plane_cells
from reference.exact_linear_algebra import rank
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear_twin
from theorems.checking.store import Store
from theorems.glss.equation_3_random_features import PRINTED, STATEMENT, average, frequency_average
from theorems.glss.mixture_instances import CORNERS, SIGNS, SQUARES, UNEVEN, in_the_plane, instances, on_the_line
from theorems.statement import Answer, Finding


def test_by_hand():
    # (1/9) 3^2 x_1 z_1 + (4/9)(3/2)^2 (x_2 z_2 + x_3 z_3)
    assert average(UNEVEN.p, UNEVEN.phi) == [[F(5), F(1)], [F(1), F(11)]]
    assert [float(v) for row in SQUARES.kernel for v in row] == [36, 1, 4, 1, 9, 9, 4, 9, 16]
    assert rank(CORNERS.kernel) == 1


def test_sign_vectors_agree_with_a_loop_over_all_of_them():
    X = [[1, 2, 3], [2, -1, 1]]
    draws = [(a, b, c) for a in (1, -1) for b in (1, -1) for c in (1, -1)]
    seen = [[F(sum(np.dot(w, x) * np.dot(w, z) for w in draws).item(), 8) for z in X] for x in X]
    assert seen == average(SIGNS.p, SIGNS.phi) == [[14, 3], [3, 6]]


@pytest.mark.parametrize("x", in_the_plane(), ids=lambda x: x.name)
def test_part_d1_cells_average_to_the_arc_cosine_formula(x):
    claims = STATEMENT.conclusion.claims(x)
    cells = plane_cells(x.X)
    grams = np.tensordot(cells.probability, cells.gram(x.X), axes=1)
    pairs = [(i, j) for i in range(len(x.X)) for j in range(i + 1)]
    for (i, j), claim in zip(pairs, claims, strict=True):
        # cell probabilities carry 16 u, C cells, |x| <= 1
        assert abs(float(claim.left[0]) - grams[i, j]) <= 40 * len(cells.probability) * 2.0**-53


def test_part_d1_right_angles_have_the_closed_form_at_the_axes():
    x = next(v for v in in_the_plane() if v.name == "plane-axes")
    (a, b), c = (
        next(k.left for k in STATEMENT.conclusion.claims(x) if k.says.endswith(f"K(x_{i}, x_{j})"))
        for i, j in ((1, 1), (2, 1))
    )
    assert a <= F(1, 2) <= b
    assert c == (0, 0)


@pytest.mark.parametrize(("a", "z", "sigma"), [(0.0, 0.25, 0.5), (1.0, -0.5, 0.5), (1.0, -1.0, 2.0)])
def test_frequencies_average_to_the_gaussian_by_mpmath_quadrature(a, z, sigma):
    low, high = frequency_average(PRINTED, F(a), F(z), sigma)
    with mpmath.workdps(40):
        s = 1 / (2 * mpmath.pi * mpmath.mpf(sigma))

        def integrand(w):
            density = mpmath.exp(-((w / s) ** 2) / 2) / (s * mpmath.sqrt(2 * mpmath.pi))
            return density * mpmath.cos(2 * mpmath.pi * w * (mpmath.mpf(a) - mpmath.mpf(z)))

        found = mpmath.quad(integrand, mpmath.linspace(-13 * s, 13 * s, 27))
        closed = mpmath.exp(-((mpmath.mpf(a) - mpmath.mpf(z)) ** 2) / (2 * mpmath.mpf(sigma) ** 2))
        assert abs(found - closed) < mpmath.mpf(10) ** -30
        middle = mpmath.mpf(((low + high) / 2).numerator) / ((low + high) / 2).denominator
        assert abs(middle - closed) < mpmath.mpf(10) ** -30
    assert high - low < F(1, 2**80)


def test_cosines_alone_give_the_sum_of_two_kernels():
    twin = next(t for t in STATEMENT.twins if t.name == "cosine_without_sine")
    line = on_the_line()[0]
    claim = next(c for c in twin.conclusion.claims(line) if c.says.endswith("K(x_2, x_1)"))
    # x_1 = 0, x_2 = 1/4: K(x - z) + K(x + z) = 2 exp(-1/8)
    assert float(claim.left[0]) == pytest.approx(2 * np.exp(-0.125), rel=1e-14)


def test_the_half_turn_of_an_activation_is_half_the_plane():
    # theta = .3 + pi: an antipode shares no activation, so that off-diagonal entry is 0 although x.z = -1
    x = in_the_plane()[2]
    claim = next(c for c in STATEMENT.conclusion.claims(x) if c.says.endswith("K(x_5, x_1)"))
    assert x.X[4] @ x.X[0] == pytest.approx(cos(pi))
    assert claim.left == (0, 0)


@given(STATEMENT.strategy())
def test_every_drawn_mixture_meets_the_hypotheses_and_every_claim(x):
    assert STATEMENT.violated(x) == []
    decided = [decide(c) for c in STATEMENT.conclusion.claims(x)]
    assert [c for c in decided if c.answer is not Answer.IN] == []


@pytest.mark.parametrize("x", instances("quick"), ids=lambda x: x.name)
def test_every_instance_is_proven(x):
    assert STATEMENT.violated(x) == []
    assert {decide(c).answer for c in STATEMENT.conclusion.claims(x)} == {Answer.IN}


@pytest.mark.parametrize("broken", STATEMENT.twins, ids=lambda t: t.name)
def test_every_mistake_is_refuted(broken):
    with Store.memory() as store:
        sitting = Sitting(seed=1, campaign=1, budget=64)
        record = hear_twin(STATEMENT, broken, place=1, nth=1, sitting=sitting, store=store)
    assert record.verdict == Finding.REFUTED


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"p": (F(1, 3), F(1, 3), F(2, 3))}, "p must be positive and sum to 1, got sum 4/3"),
        ({"p": (F(-1, 3), F(2, 3), F(2, 3))}, "least -1/3"),
        ({"p": (F(1, 2), F(1, 2))}, "phi must hold one n x d2 matrix per probability"),
        ({"kernel": ((F(1),),)}, "phi must hold one n x d2 matrix per probability"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(change, clause):
    assert any(clause in fault for fault in STATEMENT.violated(replace(UNEVEN, **change)))
