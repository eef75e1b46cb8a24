"""A claim is IN only when it is proven, or agrees to its stated resolution; OUT only when disproven."""

from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems.checking.claims import decide
from theorems.statement import Answer, Claim, NearMatrix

rationals = st.fractions(min_value=-10, max_value=10, max_denominator=1000)


def answer(left, relation, right, **more):
    return decide(Claim(says="left against right", left=left, relation=relation, right=right, **more)).answer


@given(rationals, rationals)
def test_exact_numbers_are_decided_exactly(a, b):
    assert (answer(a, "=", b) is Answer.IN) == (a == b)
    assert (answer(a, "<=", b) is Answer.IN) == (a <= b)
    assert Answer.UNSURE not in (answer(a, "=", b), answer(a, "<=", b))


@given(rationals, rationals, st.fractions(0, 1), st.fractions(0, 1))
def test_enclosed_inequalities_are_never_decided_wrongly(a, b, r, s):
    found = answer((a - r, a + r), "<=", (b - s, b + s))
    if found is Answer.IN:
        assert a <= b
    if found is Answer.OUT:
        assert a > b


def test_overlapping_enclosures_leave_an_inequality_unsure():
    assert answer((F(0), F(2)), "<=", (F(1), F(3))) is Answer.UNSURE
    assert answer((F(0), F(1)), "<=", F(1)) is Answer.IN
    assert answer((F(2), F(3)), "<=", F(1)) is Answer.OUT


def test_enclosures_that_miss_each_other_disprove_equality():
    assert answer((F(0), F(1)), "=", F(2)) is Answer.OUT
    assert answer(F(3), "=", (F(1), F(2))) is Answer.OUT


def test_equality_of_enclosures_counts_to_its_resolution_and_says_so():
    width = F(1, 2**50)
    agreed = decide(Claim(says="x", left=(F(1), 1 + width), relation="=", right=F(1)))
    assert agreed.answer is Answer.IN
    assert "agree to" in agreed.certificate
    assert answer((F(1), 1 + width), "=", F(1), resolution=F(1, 2**60)) is Answer.UNSURE
    # relative to the size beyond 1
    assert answer((F(2**20), 2**20 + F(1, 2**30)), "=", F(2**20)) is Answer.IN


def test_exact_matrices_are_compared_entry_by_entry():
    A = [[F(1), F(2)], [F(2), F(5)]]
    B = [[F(1), F(2)], [F(2), F(6)]]
    assert answer(A, "=", A) is Answer.IN
    off = decide(Claim(says="x", left=A, relation="=", right=B))
    assert (off.answer, off.seen, off.allowed) == (Answer.OUT, "5", "6")
    assert answer(A, "Loewner <=", B) is Answer.IN
    assert answer(B, "Loewner <=", A) is Answer.OUT
    assert answer(A, "Loewner <=", A) is Answer.IN  # singular difference, decided exactly


def test_near_matrices_respect_their_radius():
    I2 = np.eye(2)
    exact = [[F(1), F(0)], [F(0), F(1)]]
    assert answer(NearMatrix(values=I2, radius=1e-15), "=", exact) is Answer.IN
    assert answer(NearMatrix(values=I2, radius=1e-3), "=", exact) is Answer.UNSURE  # too little is known
    assert answer(NearMatrix(values=I2 * 1.1, radius=1e-3), "=", exact) is Answer.OUT
    assert answer(NearMatrix(values=I2 * 0.5, radius=1e-3), "Loewner <=", exact) is Answer.IN
    assert answer(NearMatrix(values=I2 * 2, radius=1e-3), "Loewner <=", exact) is Answer.OUT
    assert answer(NearMatrix(values=I2, radius=1e-3), "Loewner <=", exact) is Answer.UNSURE


@given(st.integers(1, 4), st.integers(0, 2**32))
def test_a_planted_matrix_inequality_within_the_radius_is_never_decided_wrongly(n, seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, n))
    A, E = A + A.T, rng.standard_normal((n, n))
    E = (E + E.T) * 1e-6
    left = NearMatrix(values=A + E, radius=float(np.linalg.norm(E)) * 1.001)
    assert answer(left, "=", NearMatrix(values=A, radius=0.0)) is not Answer.OUT
    above = NearMatrix(values=A + 1e-3 * np.eye(n), radius=0.0)
    assert answer(left, "Loewner <=", above) is not Answer.OUT


@pytest.mark.parametrize(
    ("left", "relation", "right"),
    [
        (F(1), "Loewner <=", F(2)),
        (F(1), "=", [[F(1)]]),
        ([[F(1)]], "<=", [[F(1)]]),
        ([[F(1)]], "=", [[F(1), F(2)]]),
        (NearMatrix(values=np.eye(2), radius=0.0), "<=", NearMatrix(values=np.eye(2), radius=0.0)),
        (NearMatrix(values=np.eye(2), radius=0.0), "=", NearMatrix(values=np.eye(3), radius=0.0)),
        (NearMatrix(values=np.eye(2), radius=0.0), "=", F(1)),
    ],
)
def test_sides_of_different_kinds_are_refused(left, relation, right):
    with pytest.raises(TypeError, match="decide: "):
        answer(left, relation, right)


@pytest.mark.parametrize("scale", [1.0, 1e-80, 1e-150, 1e80, 1e150])
def test_matrices_are_compared_alike_at_every_scale(scale):
    A = np.array([[2.0, 1.0], [1.0, 2.0]]) * scale
    right = NearMatrix(values=A, radius=1e-15 * scale)
    assert answer(NearMatrix(values=A, radius=1e-15 * scale), "=", right) is Answer.IN
    assert answer(NearMatrix(values=A * (1 - 1e-3), radius=1e-15 * scale), "=", right) is Answer.OUT
    assert answer(NearMatrix(values=A / 2, radius=1e-15 * scale), "Loewner <=", right) is Answer.IN
    assert answer(right, "Loewner <=", NearMatrix(values=A / 2, radius=1e-15 * scale)) is Answer.OUT


def test_what_underflows_is_not_taken_for_exact():
    least = NearMatrix(values=np.array([[5e-324]]), radius=0.0)
    assert answer([[F(5e-324) * F(4, 3)]], "Loewner <=", least) is not Answer.IN


def test_zero_matrices_are_equal():
    zero = NearMatrix(values=np.zeros((2, 2)), radius=0.0)
    assert answer(zero, "=", zero) is Answer.IN


def test_an_inverted_enclosure_is_refused():
    with pytest.raises(ValueError, match="lower <= upper"):
        answer((F(5), F(0)), "<=", F(1))


def test_an_unknown_relation_is_refused():
    with pytest.raises(ValueError, match="relation must be"):
        answer(F(1), "<", F(2))


@pytest.mark.parametrize(("values", "radius"), [(np.eye(2), -1.0), (np.eye(2) * np.nan, 0.0), (np.eye(2), np.inf)])
def test_a_near_matrix_needs_numbers(values, radius):
    with pytest.raises(ValueError, match="NearMatrix"):
        NearMatrix(values=values, radius=radius)


@pytest.mark.parametrize("rows", [[np.array([1.0])], [[1.5]]])
def test_rows_that_are_no_rationals_are_refused(rows):
    with pytest.raises(TypeError, match="rows of Fractions"):
        answer(rows, "=", [[F(1)]])
