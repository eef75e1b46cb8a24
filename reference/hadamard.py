"""The Walsh-Hadamard transform, N log2 N additions in place of N^2.

    H_1 = [1],   H_2N = [[H_N, H_N], [H_N, -H_N]],   (H_N)_kl = (-1)^(number of ones common to k and l in binary)

Signs are not normalised: H_N H_N = N I. Data of another length are padded with zeros to the next power of two.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference.operations import Operations

Array: TypeAlias = npt.NDArray[Any]


def padded(length: int) -> int:
    """Give the least power of two that is at least `length` >= 1."""
    return 1 << (length - 1).bit_length()


def walsh_hadamard(A: Any, axis: int, count: Operations) -> Array:
    """Transform along one axis.

    B = H_N A along `axis`, A padded with zeros to N = `padded` of its length

    Parameters
    ----------
    A : array of integers, floats, or objects such as Fractions; left as it is
    axis : which axis to transform
    count : takes N log2 N additions for every line

    Returns
    -------
    B : of A's dtype, of length N along `axis`; exact for Fractions, and for integers that do not overflow

    Raises
    ------
    TypeError : boolean entries, which have no difference
    ValueError : no axis, or length 0 along it

    Notes
    -----
    Each of the log2 N rounds adds and subtracts the upper and the lower half and shuffles the results together. A round
    is H_2 on the leading binary digit of the index, which then becomes the last: after all rounds every digit has had
    its turn and is back in place. The two halves stay long, also in the last rounds, which is what NumPy is fast at.
    """
    array = np.asarray(A)
    if array.dtype == np.bool_:
        raise TypeError(f"walsh_hadamard: A must hold numbers, got dtype {array.dtype}")
    if array.ndim == 0 or array.shape[axis] == 0:
        raise ValueError(f"walsh_hadamard: A must have at least one entry along the axis, got shape {array.shape}")
    lines = np.moveaxis(array, axis, 0)
    N, rest = padded(len(lines)), lines.shape[1:]
    now, after = (np.zeros((N, *rest), dtype=array.dtype) for _ in range(2))
    now[: len(lines)] = lines
    rounds = N.bit_length() - 1
    for _ in range(rounds):
        shuffled = after.reshape(N // 2, 2, *rest)
        np.add(now[: N // 2], now[N // 2 :], out=shuffled[:, 0])
        np.subtract(now[: N // 2], now[N // 2 :], out=shuffled[:, 1])
        now, after = after, now
    count.add("transform", rounds * now.size)
    return np.moveaxis(now, 0, axis)
