"""J against finite differences, the dense matrix, the current kernel, and loops whose scalars count themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference.jacobian as module
from reference.jacobian import check_independent_rows, jacobian
from reference.operations import Operations
from reference.two_layer import current_kernel, outputs, patterns

ALL = slice(None)


def network(key, n=5, m=60, d=3):
    rng = np.random.default_rng(key)
    return rng.standard_normal((m, d)), rng.choice([-1.0, 1.0], m), rng.standard_normal((n, d)), rng


def dense(W, a, X):
    """J from its definition, neuron by neuron."""
    rows = [[a[r] * x * (W[r] @ x >= 0) / np.sqrt(len(W)) for r in range(len(W))] for x in X]
    return np.array(rows).reshape(len(X), -1)


sizes = st.tuples(st.integers(1, 6), st.integers(1, 40), st.integers(1, 5))


@given(sizes, st.integers(0, 2**32))
def test_off_the_kinks_it_is_the_slope_of_the_outputs(size, key):
    W, a, X, rng = network(key, *size)
    v = rng.standard_normal(W.shape)
    # between kinks the outputs are linear, so that a symmetric difference quotient is exact
    t = min(0.5 * (np.abs(W @ X.T) / np.abs(v @ X.T)).min(), 0.1)
    slope = (outputs(W + t * v, a, X) - outputs(W - t * v, a, X)) / (2 * t)
    # outputs below 1e3, with at most some hundred roundings
    assert jacobian(W, a, X).times(v) == pytest.approx(slope, abs=1e-11 / t)


@given(sizes, st.integers(0, 2**32))
def test_products_and_parts_are_those_of_the_dense_matrix(size, key):
    W, a, X, rng = network(key, *size)
    n, m, d = size
    J, D = jacobian(W, a, X), dense(W, a, X)
    assert J.shape == size
    v, g = rng.standard_normal((m, d)), rng.standard_normal(n)
    # entries below 6, sums of at most 200 terms
    assert J.part(ALL, ALL).reshape(n, m * d) == pytest.approx(D, rel=1e-15)
    assert J.times(v) == pytest.approx(D @ v.ravel(), abs=1e-12)
    assert J.transposed_times(g).ravel() == pytest.approx(D.T @ g, abs=1e-12)
    assert J.dense_gram() == pytest.approx(D @ D.T, abs=1e-12)


@pytest.mark.parametrize("m", [7, 2048, 5003])
@pytest.mark.parametrize("cached", [1, 5 * 1000, module.CACHED_NUMBERS])
def test_over_several_blocks_of_neurons_it_is_the_same(m, cached, monkeypatch):
    monkeypatch.setattr(module, "CACHED_NUMBERS", cached)
    W, a, X, rng = network(1, m=m)
    J, D = jacobian(W, a, X), dense(W, a, X)
    v, g = rng.standard_normal(W.shape), rng.standard_normal(5)
    # entries below 5 / sqrt m, sums of at most 15,009 terms
    assert J.times(v) == pytest.approx(D @ v.ravel(), abs=1e-11)
    assert J.transposed_times(g).ravel() == pytest.approx(D.T @ g, abs=1e-12)
    assert J.part(slice(1, 3), slice(0, 7)).reshape(2, -1) == pytest.approx(D[1:3, : 7 * 3], rel=1e-15)
    assert np.array_equal(J.activations(ALL, ALL).T, patterns(W, X))


@settings(max_examples=15)
@given(st.integers(1, 6), st.sampled_from([1, 9, 2048, 4500]), st.integers(0, 2**32))
def test_the_gram_matrix_is_the_current_kernel_bit_for_bit(n, m, key):
    W, a, X, _ = network(key, n, m)
    G = jacobian(W, a, X).gram()
    assert np.array_equal(G, current_kernel(W, X))
    # the dense route sums m d products where the structured one counts: relative to ||x_i|| ||x_j||
    allowed = 4 * 3 * m * 2.0**-53 * np.outer(*2 * [np.linalg.norm(X, axis=1)])
    assert (np.abs(jacobian(W, a, X).dense_gram() - G) <= allowed).all()


def test_a_zero_product_counts_as_active():
    J = jacobian([[0.0, 1.0], [0.0, -1.0]], [1.0, -1.0], [[1.0, 0.0], [0.0, 2.0]])
    assert (J.part(ALL, ALL) * np.sqrt(2)).round(12).tolist() == [[[1, 0], [-1, 0]], [[0, 2], [0, 0]]]
    assert J.gram().tolist() == [[1, 0], [0, 2]]


class Tally:
    """A float that counts the multiplications, divisions and square roots made with it."""

    made = 0

    def __init__(self, x):
        self.x = float(x)

    def __add__(self, other):
        return Tally(self.x + getattr(other, "x", other))

    def __mul__(self, other):
        Tally.made += 1
        return Tally(self.x * getattr(other, "x", other))

    def __truediv__(self, other):
        Tally.made += 1
        return Tally(self.x / getattr(other, "x", other))

    __radd__ = __add__


def scalars(A):
    return np.vectorize(Tally, otypes=[object])(A)


def value(A):
    return np.vectorize(lambda t: getattr(t, "x", t), otypes=[float])(A)


@given(sizes, st.integers(0, 2**32))
def test_loops_of_scalars_that_count_themselves_count_the_same(size, key):
    W, a, X, rng = network(key, *size)
    n, m, d = size
    v, g = rng.standard_normal((m, d)), rng.standard_normal(n)
    seen, cX, top = scalars(patterns(W, X).T), scalars(X), scalars(a / np.sqrt(m))

    def times():
        signed = top[:, None] * v
        return np.array([cX[i] @ [sum(seen[i] * signed[:, k]) for k in range(d)] for i in range(n)])

    def transposed():
        pull = cX * g[:, None]
        return np.array([[top[r] * sum(seen[:, r] * pull[:, k]) for k in range(d)] for r in range(m)])

    def gram():
        G = np.zeros((n, n), dtype=object)
        for i in range(n):
            for j in range(i + 1):
                G[i, j] = G[j, i] = (cX[i] @ cX[j]) * (seen[i] @ seen[j]) / m
        return G

    def dense_gram():
        J = np.array([[t * x for t in seen[i] * top for x in cX[i]] for i in range(n)])
        G = np.zeros((n, n), dtype=object)
        for i in range(n):
            for j in range(i + 1):
                G[i, j] = G[j, i] = J[i] @ J[j]
        return G

    routes = (
        (times, lambda J: J.times(v)),
        (transposed, lambda J: J.transposed_times(g)),
        (gram, lambda J: J.gram()),
        (dense_gram, lambda J: J.dense_gram()),
    )
    for naive, ours in routes:
        J = jacobian(W, a, X)
        assert J.count.by_work == {"activations": (n * d + 1) * m}
        Tally.made = 0
        expected = value(naive())
        found = ours(J)
        assert J.count.total() - (n * d + 1) * m == Tally.made
        assert found == pytest.approx(expected, abs=1e-12)


def test_one_counter_takes_all():
    W, a, X, _ = network(2)
    count = Operations()
    first, second = jacobian(W, a, X, count), jacobian(W, a, X, count)
    first.gram()
    second.gram()
    assert count.by_work == {"activations": 2 * (5 * 3 + 1) * 60, "gram": 2 * 15 * (60 + 3 + 2)}


def test_what_is_refused():
    W, a, X, _ = network(3)
    J = jacobian(W, a, X)
    with pytest.raises(ValueError, match=r"Jacobian.times: v must have shape \(60, 3\), got \(3, 60\)"):
        J.times(np.ones((3, 60)))
    with pytest.raises(ValueError, match=r"Jacobian.transposed_times: g must have length 5, got 6"):
        J.transposed_times(np.ones(6))
    with pytest.raises(ValueError, match="jacobian: W must have as many columns as X, got 3 where X has 2"):
        jacobian(W, a, X[:, :2])
    with pytest.raises(ValueError, match=r"jacobian: a must be \+1 or -1 .*, got 2.0 at 0"):
        jacobian(W, 2 * np.abs(a), X)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda W, X: (W[:1], X), "J must have at least as many columns as rows, got m d = 3 and n = 5"),
        (lambda W, X: (W, X * [[1], [1], [0], [1], [1]]), "X must have no zero row, got one at 2"),
        (lambda W, X: (-np.abs(W), np.abs(X)), "every data point must be seen by some neuron, got none at 0"),
        (lambda W, X: (W, X[[0, 1, 2, 1, 4]]), "X must have no two rows in one direction, got rows 1 and 3"),
        (lambda W, X: (W, np.vstack([X[:4], 2 * X[:1]])), "no two rows in one direction, got rows 0 and 4"),
    ],
)
def test_dependent_rows_are_named(change, message):
    W, a, X, _ = network(4)
    W, X = change(W, X)
    with pytest.raises(ValueError, match=f"here: .*{message}"):
        check_independent_rows(jacobian(W, a[: len(W)], X), "here")


def test_zeros_of_either_sign_are_equal():
    J = jacobian([[1.0, 1.0]] * 2, [1.0, 1.0], [[1.0, 0.0], [1.0, -0.0]])
    with pytest.raises(ValueError, match="no two rows in one direction, got rows 0 and 1"):
        check_independent_rows(J, "here")


def test_independent_rows_pass_also_in_opposite_directions():
    W, a, X, _ = network(5)
    check_independent_rows(jacobian(W, a, np.vstack([X, -X[:1]])), "here")
    check_independent_rows(jacobian([[1.0]], [1.0], [[3.0]]), "here")
