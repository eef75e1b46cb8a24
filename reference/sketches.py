"""Random maps S of R^(md) to R^s that keep lengths on average, applied to J^T without forming it.

    E ||S v||^2 = ||v||^2 for every v in R^(m x d),   S J^T in R^(s x n)

Four kinds, from dense to structured; s^-1/2 is part of S, and vectors are m x d arrays read row by row. Each is an
object that has been drawn: `draw` takes the sizes and a generator, the fields are what the generator decided. H is the
Walsh-Hadamard matrix with entries 1 and -1, and vectors are padded with zeros to its size, a power of two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from reference.hadamard import padded, walsh_hadamard
from reference.jacobian import Jacobian
from reference.operations import Operations
from reference.preconditions import Float64, real_array

Indices = npt.NDArray[np.int64]

BLOCK_NUMBERS = 2**20
"""Rows of J, or of its activations, are taken together as long as they have at most so many numbers: 8 megabytes."""


class Sketch(Protocol):
    """A map S that has been drawn."""

    @property
    def size(self) -> int:
        """Give s, the number of rows of S."""

    def apply(self, jacobian: Jacobian) -> Float64:
        """Give S J^T: (s, n), counted in `jacobian.count`."""


class DrawsSketch(Protocol):
    """A kind of sketch, such as `TensorSRHT`."""

    def draw(self, m: int, d: int, s: int, rng: np.random.Generator) -> Sketch:
        """Draw a sketch of R^(md) with s rows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gaussian:
    """A dense sketch with independent normal entries of variance 1/s.

    Parameters
    ----------
    entries : (s, m, d) float
    """

    entries: Float64

    @classmethod
    def draw(cls, m: int, d: int, s: int, rng: np.random.Generator) -> Self:
        """Draw s m d normals."""
        _check_sizes(m, d, s, "Gaussian.draw")
        return cls(entries=rng.standard_normal((s, m, d)) / np.sqrt(s))

    @property
    def size(self) -> int:
        """Give s."""
        return len(self.entries)

    def times(self, v: Any) -> Float64:
        """Give S v: (s,), for v of shape (m, d)."""
        return np.tensordot(self.entries, _vector(v, self.entries.shape[1:], "Gaussian.times"), 2)

    def apply(self, jacobian: Jacobian) -> Float64:
        """Give S J^T, (s, n), as s products J v: about s n m d operations."""
        _check_columns(jacobian, self.entries.shape[1:], "Gaussian.apply")
        return np.array([jacobian.times(row) for row in self.entries])


@dataclass(frozen=True, kw_only=True, eq=False)
class CountSketch:
    """A sparse sketch: every coordinate is added to, or subtracted from, one of s sums.

    S has in column (r, k) the sign of (r, k) in row bucket of (r, k), and zeros

    Parameters
    ----------
    buckets : (m, d) int, uniform in 0 .. s-1
    flips : (m, d) float, signs
    size : s
    """

    buckets: Indices
    flips: Float64
    size: int

    @classmethod
    def draw(cls, m: int, d: int, s: int, rng: np.random.Generator) -> Self:
        """Draw m d buckets and m d signs."""
        _check_sizes(m, d, s, "CountSketch.draw")
        return cls(buckets=rng.integers(s, size=(m, d)), flips=_signs((m, d), rng), size=s)

    def times(self, v: Any) -> Float64:
        """Give S v: (s,), for v of shape (m, d)."""
        return self._sums(_vector(v, self.flips.shape, "CountSketch.times"))

    def apply(self, jacobian: Jacobian) -> Float64:
        """Give S J^T, (s, n), row of J by row: n m (2 d + 1) operations."""
        _check_columns(jacobian, self.flips.shape, "CountSketch.apply")
        n, m, d = jacobian.shape
        columns = [self._sums(row) for block in _rows(n, m * d) for row in jacobian.part(block, slice(None))]
        jacobian.count.add("sketch", n * m * d)
        return np.array(columns).T

    def _sums(self, v: Float64) -> Float64:
        sums = np.bincount(self.buckets.ravel(), (self.flips * v).ravel(), minlength=self.size)
        return np.asarray(sums, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class SRHT:
    """The subsampled randomised Hadamard transform.

    S = s^-1/2 P H D, D random signs, P a choice of s of the N = padded(m d) rows, all different

    Parameters
    ----------
    flips : (m, d) float, signs, the diagonal of D
    sample : (s,) int, in 0 .. N-1, a uniform sample without repetition

    References
    ----------
    Tropp, Improved analysis of the subsampled randomized Hadamard transform (2011)
    """

    flips: Float64
    sample: Indices

    @classmethod
    def draw(cls, m: int, d: int, s: int, rng: np.random.Generator) -> Self:
        """Draw m d signs and s rows; there must be as many."""
        _check_sizes(m, d, s, "SRHT.draw")
        N = padded(m * d)
        if s > N:
            raise ValueError(f"SRHT.draw: s must be at most the {N} rows of the transform, got s = {s}")
        return cls(flips=_signs((m, d), rng), sample=rng.choice(N, s, replace=False))

    @property
    def size(self) -> int:
        """Give s."""
        return len(self.sample)

    def times(self, v: Any) -> Float64:
        """Give S v: (s,), for v of shape (m, d)."""
        vector = _vector(v, self.flips.shape, "SRHT.times")
        return self._sampled(vector[None], Operations())[:, 0]

    def apply(self, jacobian: Jacobian) -> Float64:
        """Give S J^T, (s, n), a few rows of J at a time: n (m (2 d + 1) + N log2 N + s) operations."""
        _check_columns(jacobian, self.flips.shape, "SRHT.apply")
        n = len(jacobian.X)
        parts = (jacobian.part(block, slice(None)) for block in _rows(n, padded(self.flips.size)))
        return np.hstack([self._sampled(part, jacobian.count) for part in parts])

    def _sampled(self, vectors: Float64, count: Operations) -> Float64:
        """Give S v for each of (b, m, d) vectors: (s, b)."""
        flipped = (self.flips * vectors).reshape(len(vectors), -1)
        result: Float64 = walsh_hadamard(flipped.T, 0, count)[self.sample] / np.sqrt(self.size)
        count.add("sketch", flipped.size + result.size)
        return result


@dataclass(frozen=True, kw_only=True, eq=False)
class TensorSRHT:
    """The randomised Hadamard transform of Kronecker products, factor by factor.

    S = s^-1/2 P (H D1 (x) H D2),   (S (u (x) x))_k = s^-1/2 (H D1 u)_p (H D2 x)_q for the k-th pair (p, q)

    Parameters
    ----------
    neuron_flips : (m,) float, signs, the diagonal of D1
    coordinate_flips : (d,) float, signs, the diagonal of D2
    neuron_sample : (s,) int, independent and uniform in 0 .. padded(m)-1
    coordinate_sample : (s,) int, independent and uniform in 0 .. padded(d)-1

    Notes
    -----
    E ||S v||^2 = ||v||^2 for every v, not only for products: the signs of two different coordinates (r, k) of v have
    independent mean 0 in D1 or in D2, whichever rows have been sampled.
    """

    neuron_flips: Float64
    coordinate_flips: Float64
    neuron_sample: Indices
    coordinate_sample: Indices

    @classmethod
    def draw(cls, m: int, d: int, s: int, rng: np.random.Generator) -> Self:
        """Draw m + d signs and s pairs of rows, with repetition."""
        _check_sizes(m, d, s, "TensorSRHT.draw")
        return cls(
            neuron_flips=_signs((m,), rng),
            coordinate_flips=_signs((d,), rng),
            neuron_sample=rng.integers(padded(m), size=s),
            coordinate_sample=rng.integers(padded(d), size=s),
        )

    @property
    def size(self) -> int:
        """Give s."""
        return len(self.neuron_sample)

    def times(self, v: Any) -> Float64:
        """Give S v: (s,), for v of shape (m, d), a product or not."""
        vector = _vector(v, (len(self.neuron_flips), len(self.coordinate_flips)), "TensorSRHT.times")
        flipped = self.neuron_flips[:, None] * vector * self.coordinate_flips
        both = walsh_hadamard(walsh_hadamard(flipped, 0, Operations()), 1, Operations())
        result: Float64 = both[self.neuron_sample, self.coordinate_sample] / np.sqrt(self.size)
        return result

    def apply(self, jacobian: Jacobian) -> Float64:
        """Give S J^T, (s, n), from the two factors of each row of J.

        S J_i^T = s^-1/2 P (H D1 (m^-1/2 a_r 1_ir)_r (x) H D2 x_i)

        Parameters
        ----------
        jacobian : J, (n, m d)

        Returns
        -------
        S J^T : (s, n), in n (d + d' log2 d' + m + m' log2 m' + 2 s) + m operations, d' = padded(d), m' = padded(m):
            without the product m d
        """
        _check_columns(jacobian, (len(self.neuron_flips), len(self.coordinate_flips)), "TensorSRHT.apply")
        n, m, d = jacobian.shape
        count, result = jacobian.count, np.empty((self.size, n))
        points = walsh_hadamard(self.coordinate_flips[:, None] * jacobian.X.T, 0, count)
        flipped = self.neuron_flips * jacobian.top
        for block in _rows(n, padded(m)):
            slopes = flipped[:, None] * jacobian.activations(block, slice(None)).T
            transformed = walsh_hadamard(slopes, 0, count)[self.neuron_sample]
            result[:, block] = transformed * points[self.coordinate_sample, block]
        result /= np.sqrt(self.size)
        count.add("sketch", n * d + m + n * m + 2 * result.size)
        return result


def _check_sizes(m: int, d: int, s: int, where: str) -> None:
    if min(m, d, s) < 1:
        raise ValueError(f"{where}: m, d and s must be at least 1, got m = {m}, d = {d}, s = {s}")


def _check_columns(jacobian: Jacobian, shape: tuple[int, ...], where: str) -> None:
    if jacobian.shape[1:] != shape:
        raise ValueError(f"{where}: the sketch was drawn for (m, d) = {shape}, got a J with {jacobian.shape[1:]}")


def _vector(v: Any, shape: tuple[int, ...], where: str) -> Float64:
    vector = real_array(v, f"{where}: v", ndim=2)
    if vector.shape != shape:
        raise ValueError(f"{where}: v must have shape {shape}, got {vector.shape}")
    return vector


def _signs(shape: tuple[int, ...], rng: np.random.Generator) -> Float64:
    return np.where(rng.integers(2, size=shape) == 1, -1.0, 1.0)


def _rows(n: int, numbers: int) -> Iterator[slice]:
    """Cut n rows of so many numbers into blocks of at most `BLOCK_NUMBERS`, or of one row."""
    size = max(1, BLOCK_NUMBERS // numbers)
    return (slice(first, first + size) for first in range(0, n, size))
