from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.finite_features import (
    FiniteFeatures,
    coupon,
    diagonal,
    from_features,
    linear_kernel,
    with_null_atom,
)


@st.composite
def worlds(draw):
    n, J, d2 = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 2))
    entry = st.integers(-3, 3)
    phi = draw(
        st.lists(st.lists(st.lists(entry, min_size=d2, max_size=d2), min_size=n, max_size=n), min_size=J, max_size=J)
    )
    masses = draw(st.lists(st.integers(1, 5), min_size=J, max_size=J))
    imaginary = None
    if draw(st.booleans()):
        imaginary = [[[(a * a - j) % 3 for a in row] for row in Phi] for j, Phi in enumerate(phi)]
    return from_features([F(a, sum(masses)) for a in masses], phi, imaginary), phi, imaginary


ridges = st.sampled_from([F(1, 10**12), F(1, 10), F(1), F(1000)])


def test_I6_linear_kernel_by_hand():
    world = linear_kernel([[1, 2], [3, -1]])
    assert world.kernel() == ((5, 1), (1, 10))
    assert [p * t for p, t in zip(world.p, world.leverage(1), strict=True)] == [F(59, 65), F(54, 65)]
    assert world.statistical_dimension(1) == F(113, 65)


def test_I5_orthonormal_plane_cells_by_hand():
    zero, one = F(0), F(1)
    grams = [((a, zero), (zero, b)) for a, b in ((one, one), (one, zero), (zero, one), (zero, zero))]
    world = FiniteFeatures(p=(F(1, 4),) * 4, grams=tuple(grams))
    assert world.leverage(F(1, 10)) == [F(10, 3), F(5, 3), F(5, 3), 0]
    assert world.statistical_dimension(F(1, 10)) == F(5, 3)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_coupon_world_in_closed_form(n):
    world, lam = coupon(n), F(1, 7)
    assert world.kernel() == tuple(tuple(F(a == b) for b in range(n)) for a in range(n))
    assert world.leverage(lam) == [n / (1 + lam)] * n
    assert world.statistical_dimension(lam) == n / (1 + lam)


def test_diagonal_world_in_closed_form():
    k, lam = [F(1), F(1, 10**6), F(0)], F(1, 100)
    world = diagonal(k)
    assert [p * t for p, t in zip(world.p, world.leverage(lam), strict=True)] == [x / (x + lam) for x in k]


@settings(max_examples=60, deadline=None)
@given(worlds(), ridges)
def test_mean_leverage_is_the_statistical_dimension_exactly(drawn, lam):
    world = drawn[0]
    tau = world.leverage(lam)
    assert min(tau) >= 0
    assert sum(p * t for p, t in zip(world.p, tau, strict=True)) == world.statistical_dimension(lam)
    assert 0 <= world.statistical_dimension(lam) < world.n


@settings(max_examples=40, deadline=None)
@given(worlds(), st.sampled_from([F(1, 10), F(1), F(1000)]))
def test_leverage_agrees_with_complex_floats(drawn, lam):
    world, phi, imaginary = drawn
    Phi = np.array(phi) + 1j * np.array(imaginary if imaginary is not None else np.zeros_like(phi))
    p, ridge = world.float_p(), float(lam)
    K = np.einsum("j,jak,jbk->ab", p, Phi, Phi.conj())
    inverse = np.linalg.inv(K + ridge * np.eye(world.n))
    tau = np.einsum("jak,ab,jbk->j", Phi.conj(), inverse, Phi)
    assert np.abs(tau.imag).max() < 1e-9
    assert np.allclose(tau.real, [float(t) for t in world.leverage(lam)], rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(worlds(), ridges, st.sampled_from([F(1, 1000), F(1, 3), F(99, 100)]))
def test_a_null_atom_changes_neither_kernel_nor_leverage_function(drawn, lam, mass):
    world = drawn[0]
    diluted = with_null_atom(world, mass)
    assert diluted.kernel() == world.kernel()
    q = [p * t for p, t in zip(world.p, world.leverage(lam), strict=True)]
    assert [p * t for p, t in zip(diluted.p, diluted.leverage(lam), strict=True)] == [*q, 0]


@settings(max_examples=30, deadline=None)
@given(worlds(), ridges)
def test_scaling_kernel_and_ridge_together_changes_nothing(drawn, lam):
    world, c = drawn[0], F(7, 3)
    scaled = FiniteFeatures(
        p=world.p,
        grams=tuple(tuple(tuple(c * x for x in row) for row in G) for G in world.grams),
        copies=world.copies,
    )
    assert scaled.leverage(c * lam) == world.leverage(lam)


def test_relabelling_atoms_relabels_leverage():
    world = linear_kernel([[1, 2, 0], [3, -1, 5]])
    turned = FiniteFeatures(p=world.p[::-1], grams=world.grams[::-1])
    assert turned.leverage(F(1, 3)) == world.leverage(F(1, 3))[::-1]


def test_imaginary_features_by_hand():
    # one point, phi = i: K = 1, as for phi = 1, but kept twice
    world = from_features([1], [[[0]]], [[[1]]])
    assert (world.n, world.copies, world.kernel()) == (1, 2, ((1, 0), (0, 1)))
    assert world.leverage(1) == [F(1, 2)]
    # two points (1, i): Phi Phi^* = [[1, -i], [i, 1]]
    world = from_features([1], [[[1], [0]]], [[[0], [1]]])
    assert world.kernel() == ((1, 0, 0, 1), (0, 1, -1, 0), (0, -1, 1, 0), (1, 0, 0, 1))


def test_float_views_round_correctly():
    world = from_features([F(1, 3), F(2, 3)], [[[F(1, 3)]], [[1]]])
    assert world.float_p().tolist() == [1 / 3, 2 / 3]
    assert world.float_grams().tolist() == [[[1 / 9]], [[1.0]]]


ONE = ((F(1),),)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"p": (), "grams": ()}, ValueError, "at least one atom"),
        ({"p": (F(1),), "grams": (ONE, ONE)}, ValueError, "1 probabilities and 2 Gram"),
        ({"p": (1.0,), "grams": (ONE,)}, TypeError, "p must hold Fractions"),
        ({"p": (F(1), F(0)), "grams": (ONE, ONE)}, ValueError, "positive and sum to 1, got sum 1, least 0"),
        ({"p": (F(1, 2),), "grams": (ONE,)}, ValueError, "got sum 1/2"),
        ({"p": (F(1),), "grams": (ONE,), "copies": 3}, ValueError, "copies must be 1 or 2, got copies = 3"),
        ({"p": (F(1, 2),) * 2, "grams": (ONE, ((F(1), F(0)),))}, ValueError, "1 x 1; atom 1 is not"),
        ({"p": (F(1),), "grams": (((1.0,),),)}, TypeError, "atom 0 does not"),
        ({"p": (F(1),), "grams": (((F(-1),),),)}, ValueError, "positive semidefinite; atom 0"),
        ({"p": (F(1),), "grams": ((),)}, ValueError, "empty|positive size|symmetric"),
        ({"p": (F(1),), "grams": (ONE,), "copies": 2}, ValueError, "divisible by copies, got 1"),
        (
            {"p": (F(1),), "grams": (((F(1), F(0)), (F(0), F(2))),), "copies": 2},
            ValueError,
            r"must be \[\[R, -J\], \[J, R\]\]; atom 0 is not, at \(0, 0\)",
        ),
    ],
)
def test_what_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        FiniteFeatures(**arguments)


def test_asymmetric_gram_is_refused():
    with pytest.raises(ValueError, match="symmetric"):
        FiniteFeatures(p=(F(1),), grams=(((F(1), F(1)), (F(0), F(1))),))


def test_ridge_and_null_mass_are_checked():
    with pytest.raises(ValueError, match="lam must be positive, got lam = -1"):
        coupon(2).leverage(-1)
    with pytest.raises(ValueError, match="lam must be positive, got lam = 0"):
        coupon(2).statistical_dimension(0)
    with pytest.raises(ValueError, match=r"mass must lie in \(0, 1\), got mass = 1"):
        with_null_atom(coupon(2), 1)
    with pytest.raises(ValueError, match="at least one atom"):
        coupon(0)
    with pytest.raises(ValueError, match="at least one atom"):
        linear_kernel([])
