"""The derivative of a two-layer ReLU network with respect to its first layer, as an operator.

    f_i(W) = m^-1/2 sum_r a_r sigma(w_r.x_i),   J_i,(r,k) = df_i/dW_rk = m^-1/2 a_r 1[w_r.x_i >= 0] x_ik

Row i of J is the Kronecker product of m^-1/2 (a_r 1_ir)_r and x_i, so J is known from X, a and n m activation bits: the
n x md numbers are never in memory at once. On a kink the derivative is that of the active side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reference.operations import Operations
from reference.preconditions import Float64, one_each, points, real_array, same_dimension
from reference.relu_tangent import activations, chunks, inner_products
from reference.two_layer import signs

CACHED_NUMBERS = 2**18
"""A product with J works on so many activations at once: two megabytes, twice as fast as 2048 neurons at n = 2048."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Jacobian:
    """J where the network stands; made by `jacobian`, and everything done with it is counted.

    Parameters
    ----------
    X : (n, d) float, data
    top : (m,) float, a_r / sqrt m
    seen : (n, ceil(m / 8)) uint8, the bits 1[w_r.x_i >= 0], eight neurons to a byte
    count : takes the operations of every method
    """

    X: Float64
    top: Float64
    seen: npt.NDArray[np.uint8]
    count: Operations

    @property
    def shape(self) -> tuple[int, int, int]:
        """Give n, m and d: J has n rows and m d columns."""
        n, d = self.X.shape
        return n, len(self.top), d

    def activations(self, rows: slice, neurons: slice) -> npt.NDArray[np.uint8]:
        """Unpack a block of bits: (rows, neurons) of 0 and 1; `neurons` starts at a multiple of 8."""
        first, last, _ = neurons.indices(len(self.top))
        return np.unpackbits(self.seen[rows, first // 8 : -(-last // 8)], axis=1, count=last - first)

    def part(self, rows: slice, neurons: slice) -> Float64:
        """Write out a block of J.

        J_i,(r,k) = m^-1/2 a_r 1_ir x_ik

        Parameters
        ----------
        rows : which data points
        neurons : which neurons, from a multiple of 8

        Returns
        -------
        block : (rows, neurons, d)
        """
        slopes = self.activations(rows, neurons) * self.top[neurons]
        block: Float64 = slopes[:, :, None] * self.X[rows, None, :]
        self.count.add("entries", slopes.size + block.size)
        return block

    def times(self, v: Any) -> Float64:
        """Give the change of the outputs when the weights move along v, to first order.

        (J v)_i = m^-1/2 x_i . sum_r 1_ir a_r v_r

        Parameters
        ----------
        v : (m, d) float

        Returns
        -------
        J v : (n,), in (n m + m + n) d operations
        """
        n, m, d = self.shape
        moves = real_array(v, "Jacobian.times: v", ndim=2)
        if moves.shape != (m, d):
            raise ValueError(f"Jacobian.times: v must have shape {(m, d)}, got {moves.shape}")
        signed, total = self.top[:, None] * moves, np.zeros((n, d))
        for block in _in_cache(n, m):
            total += self.activations(slice(None), block).astype(np.float64) @ signed[block]
        self.count.add("products", m * d + n * m * d + n * d)
        result: Float64 = (self.X * total).sum(axis=1)
        return result

    def transposed_times(self, g: Any) -> Float64:
        """Give the move of the weights that a combination of the outputs' gradients makes.

        (J^T g)_r = m^-1/2 a_r sum_i g_i 1_ir x_i

        Parameters
        ----------
        g : (n,) float

        Returns
        -------
        J^T g : (m, d), in (n m + m + n) d operations
        """
        n, m, d = self.shape
        pull = one_each(g, n, "Jacobian.transposed_times: g")[:, None] * self.X
        result = np.empty((m, d))
        for block in _in_cache(n, m):
            result[block] = self.activations(slice(None), block).astype(np.float64).T @ pull
        self.count.add("products", n * d + n * m * d + m * d)
        result *= self.top[:, None]
        return result

    def gram(self) -> Float64:
        """Give the Gram matrix through its structure.

        G = J J^T = (X X^T) o (sum_r 1_ir 1_jr) / m = H(t), the current kernel, whatever the signs

        Returns
        -------
        G : (n, n), exactly symmetric, in (m + d + 2) n (n + 1) / 2 operations; the counts of common activations are
            exact, so G equals `two_layer.current_kernel` without frozen weights
        """
        n, m, d = self.shape
        common = np.zeros((n, n))
        for block in chunks(m):  # at most 2048 neurons: their counts are exact in single precision, twice as fast
            s = self.activations(slice(None), block).astype(np.float32)
            common += s @ s.T
        self.count.add("gram", (m + d + 2) * n * (n + 1) // 2)
        G: Float64 = inner_products(self.X, "Jacobian.gram") * common / m
        return G

    def dense_gram(self) -> Float64:
        """Give the same Gram matrix as if J had no structure, for comparison.

        G = sum over blocks of columns J_b J_b^T

        Returns
        -------
        G : (n, n), equal to `gram` up to rounding, in n m (d + 1) + m d n (n + 1) / 2 operations
        """
        n, m, d = self.shape
        G = np.zeros((n, n))
        for block in chunks(m):
            columns = self.part(slice(None), block).reshape(n, -1)
            G += columns @ columns.T
        self.count.add("gram", m * d * n * (n + 1) // 2)
        return G


def _in_cache(n: int, m: int) -> Iterator[slice]:
    """Cut m neurons into blocks from multiples of 8, of about `CACHED_NUMBERS` activations at n data points."""
    size = max(64, CACHED_NUMBERS // (8 * n) * 8)
    return (slice(start, start + size) for start in range(0, m, size))


def jacobian(W: Any, a: Any, X: Any, count: Operations | None = None) -> Jacobian:
    """Linearise the network where its weights are.

    Parameters
    ----------
    W : (m, d) float, first layer
    a : (m,) signs, second layer
    X : (n, d) float
    count : counter that takes (n d + 1) m operations now, and those of every use of J; None for a new one

    Returns
    -------
    J : `Jacobian`, with d f / dW (n, m d) in n m bits

    References
    ----------
    BPSW, the Jacobian of the network that is trained
    """
    neurons, data = points(W, "jacobian: W"), points(X, "jacobian: X")
    same_dimension(data, neurons, "jacobian: W")
    n, (m, d) = len(data), neurons.shape
    top = signs(a, m, "jacobian: a") / np.sqrt(m)
    seen = np.empty((n, -(-m // 8)), dtype=np.uint8)
    for block in chunks(m):  # blocks start at multiples of 8
        seen[:, block.start // 8 : -(-block.stop // 8)] = np.packbits(activations(data, neurons[block]), axis=1)
    counter = Operations() if count is None else count
    counter.add("activations", (n * d + 1) * m)
    return Jacobian(X=data, top=top, seen=seen, count=counter)


def check_independent_rows(jacobian: Jacobian, where: str) -> None:
    """Refuse a J whose rows are dependent for a reason that can be named: then G = J J^T is singular.

    Parameters
    ----------
    jacobian : J
    where : opens the message

    Raises
    ------
    ValueError : m d < n; a zero row of X; a data point that no neuron sees; two rows of X in one direction, equal ones
        among them. Other dependent rows are left to the factorisations.
    """
    n, m, d = jacobian.shape
    if m * d < n:
        raise ValueError(f"{where}: J must have at least as many columns as rows, got m d = {m * d} and n = {n}")
    lengths = np.linalg.norm(jacobian.X, axis=1)
    if not lengths.all():
        raise ValueError(f"{where}: X must have no zero row, got one at {int(np.argmin(lengths))}")
    seen = jacobian.seen.any(axis=1)
    if not seen.all():
        raise ValueError(f"{where}: every data point must be seen by some neuron, got none at {int(np.argmin(seen))}")
    first: dict[bytes, int] = {}
    for i, direction in enumerate(jacobian.X / lengths[:, None] + 0.0):  # -0.0 becomes 0.0: equal rows, equal bytes
        j = first.setdefault(direction.tobytes(), i)
        if j != i:
            raise ValueError(f"{where}: X must have no two rows in one direction, got rows {j} and {i}")
