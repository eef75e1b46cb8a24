import numpy as np
import pytest

from reference.rational_angles import rational_tangent_kernel
from reference.relu_tangent import tangent_kernel

LATTICES = {
    "square": [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [2, 2]],
    "triangle in the A_2 lattice": [[1, -1, 0], [1, 0, -1], [0, 1, -1], [-1, 1, 0]],
    "both": [[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 1]],
    "thirty degrees": [[1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 0, 1]],
}


@pytest.mark.parametrize("X", LATTICES.values(), ids=LATTICES.keys())
def test_it_is_the_tangent_kernel(X):
    exact = np.array(rational_tangent_kernel(X, X), dtype=float)
    np.testing.assert_allclose(exact, tangent_kernel(np.array(X, float)), rtol=1e-14, atol=1e-15)


def test_a_zero_row_gives_zero():
    assert rational_tangent_kernel([[0, 0]], [[1, 2]]) == [[0]]


def test_other_angles_are_refused():
    with pytest.raises(ValueError, match=r"cos\^2 must be .* got 4/5"):
        rational_tangent_kernel([[1, 0]], [[2, 1]])
