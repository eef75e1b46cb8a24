"""Remark 3.4: exact waves against floats, the printed transposes, real parts, the court's findings."""

from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given

from reference.finite_features import from_features
from reference.gaussian_fourier import complex_fourier_gram, fourier_gram
from reference.rational_waves import ExactComplex, wave, wave_kernel
from theorems.checking.claims import decide
from theorems.glss import remark_3_4_as_printed, remark_3_4_complex_features
from theorems.glss.wave_instances import FIVE_TWELVE, ONE_SIDED, QUARTER, SYMMETRIC, THREE_FOUR, waves
from theorems.statement import Answer, Finding

MEANT, AS_PRINTED = remark_3_4_complex_features.STATEMENT, remark_3_4_as_printed.STATEMENT
STATEMENTS = [MEANT, AS_PRINTED]


def found(conclusion, x):
    return [decide(c).answer for c in conclusion.claims(x)]


def floats(z):
    return np.asarray(z.re, dtype=float) + 1j * np.asarray(z.im, dtype=float)


def frequencies(x):
    return np.array([np.arctan2(float(s), float(c)) / (2 * np.pi) for c, s in x.turns])


@pytest.mark.parametrize(
    ("s", "x"), [pytest.param(s, x, id=f"{s.id}-{x.name}") for s in STATEMENTS for x in s.instances("ci")]
)
def test_every_instance_is_as_declared(s, x):
    assert s.violated(x) == []
    answers = set(found(s.conclusion, x))
    assert answers == {Answer.IN} if s.expected is Finding.SUPPORTED else Answer.OUT in answers


@pytest.mark.parametrize(
    ("s", "twin"), [pytest.param(s, t, id=f"{s.id}-{t.name}") for s in STATEMENTS for t in s.twins]
)
def test_every_twin_is_refuted_inside_the_hypotheses(s, twin):
    assert s.violated(twin.refuted_on, without=twin.without) == []
    assert Answer.OUT in found(twin.conclusion, twin.refuted_on)


@given(MEANT.strategy())
def test_conjugate_transposes_are_right_in_every_corner(x):
    assert MEANT.violated(x) == []
    assert set(found(MEANT.conclusion, x)) == {Answer.IN}


@given(AS_PRINTED.strategy())
def test_plain_transposes_are_wrong_in_every_corner(x):
    assert AS_PRINTED.violated(x) == []
    assert Answer.OUT in found(AS_PRINTED.conclusion, x)


# ------------------------------------------------------------------------------------------------------ references


@pytest.mark.parametrize("turn", [QUARTER, THREE_FOUR, FIVE_TWELVE])
def test_a_wave_is_the_complex_exponential(turn):
    exponents = [-5, -1, 0, 1, 2, 7]
    w = np.arctan2(float(turn[1]), float(turn[0])) / (2 * np.pi)
    np.testing.assert_allclose(floats(wave(turn, exponents)), np.exp(-2j * np.pi * w * np.array(exponents)), atol=1e-14)


@pytest.mark.parametrize("x", waves("ci"), ids=lambda x: x.name)
def test_the_kernel_is_the_characteristic_function_of_differences(x):
    p, lags = np.array(x.p, dtype=float), np.subtract.outer(x.X, x.X)
    expected = (p[:, None, None] * np.exp(-2j * np.pi * frequencies(x)[:, None, None] * lags)).sum(axis=0)
    np.testing.assert_allclose(floats(wave_kernel(x.p, x.turns, x.X)), expected, atol=1e-13)


def test_leverage_and_dimension_of_the_exact_world_route():
    """The same features as a finite world, whose Hermitian Gram matrices are embedded."""
    x = ONE_SIDED
    features = [wave(turn, x.X) for turn in x.turns]
    world = from_features(
        x.p, [[[t] for t in z.re.tolist()] for z in features], [[[t] for t in z.im.tolist()] for z in features]
    )
    K = wave_kernel(x.p, x.turns, x.X)
    assert [list(row) for row in world.kernel()] == K.embedded().tolist()
    claims = {c.says: c for c in MEANT.conclusion.claims(x)}
    assert claims["int q_lambda = tr (K + lambda I)^-1 K"].left == world.statistical_dimension(x.lam)
    for j, tau in enumerate(world.leverage(x.lam)):
        assert claims[f"tau_{j} <= n / lambda"].left == tau


def test_the_real_pair_of_the_streamed_features():
    x = SYMMETRIC
    draws = np.repeat(frequencies(x), x.counts)[:, None]
    p, q = np.array(x.p, dtype=float), np.array(x.q, dtype=float)
    weights = np.repeat(p / q, x.counts)
    data = np.array(x.X, dtype=float)[:, None]
    claim = next(c for c in MEANT.conclusion.claims(x) if c.says.startswith("Re Psi"))
    exact = np.array(claim.left, dtype=float)
    np.testing.assert_allclose(fourier_gram(data, draws, weights), exact, atol=1e-12)
    np.testing.assert_allclose(complex_fourier_gram(data, draws, weights).real, exact, atol=1e-12)


def test_part_F_T34a_plain_transpose_under_the_gaussian_law():
    """E zz^T = khat(x + z): at x = 3, z = -3 it is 1 where the kernel is khat(6) = e^(-2 pi^2 36), and so on."""
    with mpmath.workdps(30):
        worst = max(
            abs(mpmath.exp(-2 * mpmath.pi**2 * (a + b) ** 2) - mpmath.exp(-2 * mpmath.pi**2 * (a - b) ** 2))
            for a in (-3, 0, 3)
            for b in (-3, 0, 3)
        )
    assert float(worst) == pytest.approx(1.0, abs=1e-12)


def test_part_F_T34a_plain_transpose_has_the_sum_in_place_of_the_difference():
    x = SYMMETRIC
    claim = AS_PRINTED.conclusion.claims(x)[0]
    left = np.array(claim.left, dtype=float)[:, : len(x.X)]
    sums = np.add.outer(x.X, x.X)
    p = np.array(x.p, dtype=float)
    expected = (p[:, None, None] * np.cos(2 * np.pi * frequencies(x)[:, None, None] * sums)).sum(axis=0)
    np.testing.assert_allclose(left, expected, atol=1e-13)


def test_a_kernel_is_real_exactly_when_opposite_turns_weigh_the_same():
    assert not wave_kernel(SYMMETRIC.p, SYMMETRIC.turns, SYMMETRIC.X).im.any()
    assert wave_kernel(ONE_SIDED.p, ONE_SIDED.turns, ONE_SIDED.X).im.any()


def test_one_sided_laws_have_another_leverage_than_their_real_pair():
    says = [c.says for c in MEANT.conclusion.claims(ONE_SIDED)]
    assert not any("(cos, sin), K being real" in s for s in says)
    assert any("(cos, sin), K being real" in c.says for c in MEANT.conclusion.claims(SYMMETRIC))
    K = floats(wave_kernel(ONE_SIDED.p, ONE_SIDED.turns, ONE_SIDED.X))
    z = floats(wave(ONE_SIDED.turns[0], ONE_SIDED.X))
    n, lam = len(K), float(ONE_SIDED.lam)
    both = [np.real(z.conj() @ np.linalg.solve(M + lam * np.eye(n), z)) for M in (K, K.real)]
    assert abs(both[0] - both[1]) > 0.1


def test_products_and_inverses_of_exact_complex_matrices():
    M = wave_kernel(ONE_SIDED.p, ONE_SIDED.turns, (0, 1))
    identity = M.times(M.inverse())
    assert identity.re.tolist() == [[1, 0], [0, 1]]
    assert not identity.im.any()
    z = ExactComplex(re=np.array([Fraction(1)], dtype=object), im=np.array([Fraction(2)], dtype=object))
    assert z.dot(z) == (-3, 4)
    assert z.dot(z.conjugate()) == (5, 0)


# ------------------------------------------------------------------------------------------------------ hypotheses


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"lam": Fraction(0)}, "lambda must be positive, got lambda = 0"),
        ({"p": (Fraction(1),)}, "p, q, turns and counts must have one entry per frequency, got [1, 4, 4, 4]"),
        ({"q": (Fraction(1, 4),) * 3 + (Fraction(0),)}, "q must be positive probabilities, got sum 3/4 and least 0"),
        ({"counts": (0, 0, 0, 0)}, "counts must be >= 0 and not all 0"),
        ({"counts": (1, 1, -1, 1)}, "counts must be >= 0 and not all 0"),
    ],
)
def test_a_broken_hypothesis_is_named_with_its_value(change, clause):
    assert any(clause in fault for fault in MEANT.violated(replace(SYMMETRIC, **change)))


def test_a_turn_off_the_circle_is_refused():
    with pytest.raises(ValueError, match=r"turn must lie on the unit circle, got c\^2 \+ s\^2 = 2"):
        wave((Fraction(1), Fraction(1)), [1])


def test_real_features_are_outside_the_printed_remark_and_harmless():
    x = replace(ONE_SIDED, X=(0, 2, -4), turns=(QUARTER, (Fraction(1), Fraction(0)), (Fraction(-1), Fraction(0))))
    assert any("some feature must not be real" in fault for fault in AS_PRINTED.violated(x))
    assert set(found(AS_PRINTED.conclusion, x)) == {Answer.IN}


def test_longer_profiles_begin_with_shorter_ones():
    names = [[x.name for x in MEANT.instances(p)] for p in ("quick", "ci", "night")]
    assert names[1][: len(names[0])] == names[0]
    assert names[2] == names[1]
