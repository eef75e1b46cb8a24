"""Neurons beside one boundary, all of one output sign, that move along its normal and may cross it.

With every other activation frozen, a neuron is one number b = v.n, and one step moves all of them by

    b <- b + shift + right 1[b >= 0] + left 1[b < 0]

Two classes hold the same neurons: `PlainLayer` moves each number; `SortedLayer` knows that neurons which were
always on the same side share their displacement, and moves blocks. Neither rounds away from the exact recursion by
more than the additions themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reference.preconditions import Float64

CHUNK = 1 << 15
"""Neurons at a time: three arrays of this length stay in the cache of a core."""


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """What the outputs and kernels see of a layer.

    Parameters
    ----------
    count : neurons
    right : those with b >= 0
    right_sum : sum of max(b, 0), pairwise
    left_sum : sum of max(-b, 0), pairwise
    """

    count: int
    right: int
    right_sum: float
    left_sum: float


@dataclass(frozen=True, kw_only=True)
class Slopes:
    """Secant slopes of max(b, 0) over the last step, th = (max(b', 0) - max(b, 0)) / (b' - b), summed.

    Parameters
    ----------
    from_right : sum of th over neurons that were at b >= 0; each 1 unless it crossed
    from_left : sum of th over neurons that were at b < 0; each 0 unless it crossed
    """

    from_right: float
    from_left: float


class Layer(Protocol):
    """What a layer can do."""

    def advance(self, shift: float, right: float, left: float) -> Slopes:
        """Take one step: all move by shift, those at b >= 0 by right more, the others by left more."""

    def contributions(self) -> Contributions:
        """Sum up the present state."""


class PlainLayer:
    """A layer as an array of numbers: the definition.

    Parameters
    ----------
    offsets : (N,) float, b of every neuron; copied
    """

    def __init__(self, offsets: Float64) -> None:
        self._offsets = offsets.copy()

    def advance(self, shift: float, right: float, left: float) -> Slopes:
        """Take one step."""
        from_right = from_left = 0.0
        for start in range(0, len(self._offsets), CHUNK):
            b = self._offsets[start : start + CHUNK]
            was_right = b >= 0
            moved = b + np.where(was_right, shift + right, shift + left)
            is_right = moved >= 0
            up, down = np.flatnonzero(is_right & ~was_right), np.flatnonzero(was_right & ~is_right)
            from_left += float((moved[up] / (moved[up] - b[up])).sum())
            from_right += float((b[down] / (b[down] - moved[down])).sum()) + int(was_right.sum()) - len(down)
            b[:] = moved
        return Slopes(from_right=from_right, from_left=from_left)

    def contributions(self) -> Contributions:
        """Sum up the present state."""
        right, right_sum, left_sum = 0, 0.0, 0.0
        for start in range(0, len(self._offsets), CHUNK):
            b = self._offsets[start : start + CHUNK]
            right += int(np.count_nonzero(b >= 0))
            right_sum += float(np.maximum(b, 0.0).sum())
            left_sum += float(np.maximum(-b, 0.0).sum())
        return Contributions(count=len(self._offsets), right=right, right_sum=right_sum, left_sum=left_sum)


class SortedLayer:
    """A layer as blocks of neighbours that have moved alike: a step costs as much as there are blocks.

    The initial numbers are sorted once, with their prefix sums. A block is a range of them with one displacement; a
    block that comes to lie across the boundary is cut there. A step of gradient descent is a translation on either
    side, so this is exact, also where an attracting boundary makes neurons chatter and blocks overlap.

    Parameters
    ----------
    offsets : (N,) float, b of every neuron; copied
    """

    def __init__(self, offsets: Float64) -> None:
        self._initial = np.sort(offsets)
        self._prefix = _prefix_sums(self._initial)
        whole = np.arange(min(len(offsets), 1))
        self._blocks = _Blocks(start=whole, stop=whole + len(offsets), moved=np.zeros(len(whole)), right=whole > 0)
        self._measure()
        self._cut()

    def _measure(self) -> None:
        """Look up what a step asks of the blocks: their ends, sizes and initial sums."""
        start, stop = self._blocks.start, self._blocks.stop
        self._low, self._high = self._initial[start], self._initial[stop - 1]
        self._size, self._sum = stop - start, self._prefix[stop] - self._prefix[start]

    def _cut(self) -> npt.NDArray[np.intp]:
        """Cut the blocks that lie across the boundary, and see on which side each block is; parents of new blocks."""
        blocks = self._blocks
        # the sign of a rounded sum is the sign of the sum, so b_0 + moved >= 0 exactly where b_0 >= -moved
        blocks.right = self._low + blocks.moved >= 0
        across = np.flatnonzero(~blocks.right & (self._high + blocks.moved >= 0))
        if len(across):
            cut = np.searchsorted(self._initial, -blocks.moved[across])
            upper = _Blocks(
                start=cut, stop=blocks.stop[across], moved=blocks.moved[across], right=np.ones(len(cut), dtype=np.bool_)
            )
            blocks.stop[across] = cut
            self._blocks = blocks.joined(upper)
            self._measure()
        return across

    def advance(self, shift: float, right: float, left: float) -> Slopes:
        """Take one step."""
        was_right = self._blocks.right
        move = np.where(was_right, shift + right, shift + left)
        self._blocks.moved += move
        parents = self._cut()
        was_right, move = np.append(was_right, was_right[parents]), np.append(move, move[parents])
        crossed = np.flatnonzero(self._blocks.right != was_right)
        # th = b' / (b' - b) upwards and 1 - b' / (b' - b) downwards, where b' - b is the same for the block
        share = (self._sum[crossed] + self._size[crossed] * self._blocks.moved[crossed]) / move[crossed]
        down = was_right[crossed]
        return Slopes(
            from_right=float(self._size @ was_right) - float(share[down].sum()), from_left=float(share[~down].sum())
        )

    def contributions(self) -> Contributions:
        """Sum up the present state."""
        right, sums = self._blocks.right, self._sum + self._size * self._blocks.moved
        return Contributions(
            count=len(self._initial),
            right=int(self._size @ right),
            right_sum=float(sums[right].sum()),
            left_sum=-float(sums[~right].sum()),
        )


def _prefix_sums(x: Float64) -> Float64:
    """Give sum_{r < k} x_r for k = 0, ..., N, in two levels: about 2 sqrt(N) roundings deep instead of N."""
    width = max(int(np.sqrt(len(x))), 1)
    padded = np.zeros((len(x) // width + 1, width))
    padded.ravel()[: len(x)] = x
    within = padded.cumsum(axis=1)
    before = np.concatenate([np.zeros(1), within[:-1, -1].cumsum()])
    result: Float64 = np.concatenate([np.zeros(1), (within + before[:, None]).ravel()[: len(x)]])
    return result


@dataclass(kw_only=True, eq=False)
class _Blocks:
    """Ranges start <= r < stop of sorted neurons, what each has moved, and whether it is at b >= 0; in no order."""

    start: npt.NDArray[np.intp]
    stop: npt.NDArray[np.intp]
    moved: Float64
    right: npt.NDArray[np.bool_]

    def joined(self, more: _Blocks) -> _Blocks:
        return _Blocks(
            start=np.append(self.start, more.start),
            stop=np.append(self.stop, more.stop),
            moved=np.append(self.moved, more.moved),
            right=np.append(self.right, more.right),
        )
