"""The predictor in feature space: the canonical value, the singular value decomposition, and every mistake caught."""

from fractions import Fraction as F

import mpmath
import pytest
from hypothesis import given

from reference.arithmetic import rational_product
from reference.exact_linear_algebra import column
from theorems.checking.claims import decide
from theorems.checking.court import Sitting, hear_twin
from theorems.checking.store import Store
from theorems.glss.ridge_instances import WIDE, WOODBURY, feature_problems
from theorems.glss.section_3_1_woodbury_identity import PRINTED, STATEMENT, feature_side
from theorems.statement import Answer, Finding


def prediction(x, reading=PRINTED):
    return rational_product(x.new, rational_product(feature_side(reading, x), column(x.Y)))


def test_e01_both_sides_are_59045_over_219997():
    value = F(59045, 219997)
    assert prediction(WOODBURY) == [[value]]
    assert next(c for c in STATEMENT.conclusion.claims(WOODBURY) if c.says.startswith("u*(z)")).right == [[value]]


@pytest.mark.parametrize("x", [WOODBURY, WIDE], ids=lambda x: x.name)
def test_fifty_digits_through_singular_values(x):
    """Phi = U S V^T gives u*(z) = phi(z)^T V diag(s / (s^2 + lambda)) U^T Y."""
    with mpmath.workdps(50):
        U, S, V = mpmath.svd_r(mpmath.matrix([[int(t) for t in row] for row in x.features]))
        lam = mpmath.mpf(x.lam.numerator) / x.lam.denominator
        shrunk = mpmath.diag([s / (s * s + lam) for s in S])
        u = mpmath.matrix([[int(t) for t in row] for row in x.new]) * V.T * shrunk * U.T
        u = u * mpmath.matrix([int(y) for y in x.Y])
        for found, (exact,) in zip(u, prediction(x), strict=True):
            assert abs(found - mpmath.mpf(exact.numerator) / exact.denominator) < mpmath.mpf(10) ** -45


def test_part_f_t03_the_wrong_ridges_predict_something_else():
    by_name = {t.name: t for t in STATEMENT.twins}
    seen = {}
    for name in ("ridge_times_n_on_the_feature_side", "ridge_times_s_over_n"):
        claims = by_name[name].conclusion.claims(WOODBURY)
        seen[name] = next(c for c in claims if c.says.startswith("u*(z)")).left[0][0]
    # 4/7 and 3/28 in place of 1/7, solved by hand in exact arithmetic through Cramer's rule below
    assert seen == {
        "ridge_times_n_on_the_feature_side": cramer(F(4, 7)),
        "ridge_times_s_over_n": cramer(F(3, 28)),
    }
    assert cramer(F(1, 7)) == F(59045, 219997)


def cramer(ridge):
    """phi^T (Phi^T Phi + ridge I)^-1 Phi^T Y for the canonical Phi, by determinants of 3 x 3 matrices."""
    Phi, Y, phi = [[1, 2, 0], [0, 1, -1], [3, 1, 1], [2, 0, 5]], [1, -2, 3, 1], [1, 1, 2]
    M = [[sum(r[i] * r[j] for r in Phi) + ridge * (i == j) for j in range(3)] for i in range(3)]
    b = [sum(r[i] * y for r, y in zip(Phi, Y, strict=True)) for i in range(3)]

    def det(A):
        return (
            A[0][0] * (A[1][1] * A[2][2] - A[1][2] * A[2][1])
            - A[0][1] * (A[1][0] * A[2][2] - A[1][2] * A[2][0])
            + A[0][2] * (A[1][0] * A[2][1] - A[1][1] * A[2][0])
        )

    replaced = ([[b[i] if j == k else M[i][j] for j in range(3)] for i in range(3)] for k in range(3))
    return sum(p * det(A) for p, A in zip(phi, replaced, strict=True)) / det(M)


@given(STATEMENT.strategy())
def test_every_drawn_problem_meets_the_hypotheses_and_every_claim(x):
    assert STATEMENT.violated(x) == []
    decided = [decide(c) for c in STATEMENT.conclusion.claims(x)]
    assert [c for c in decided if c.answer is not Answer.IN] == []


@pytest.mark.parametrize("x", feature_problems("quick"), ids=lambda x: x.name)
def test_every_instance_is_proven(x):
    assert {decide(c).answer for c in STATEMENT.conclusion.claims(x)} == {Answer.IN}


@pytest.mark.parametrize("broken", STATEMENT.twins, ids=lambda t: t.name)
def test_every_mistake_is_refuted(broken):
    with Store.memory() as store:
        sitting = Sitting(seed=1, campaign=1, budget=64)
        record = hear_twin(STATEMENT, broken, place=1, nth=1, sitting=sitting, store=store)
    assert record.verdict == Finding.REFUTED
