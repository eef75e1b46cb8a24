"""Real data, the same rows every time, normalised to unit length as the theorems on training assume.

No random choice: of the N rows in scikit-learn's order, rows 0, k, 2k, ... are taken, k = floor(N / n). The data come
with scikit-learn; nothing is downloaded.
"""

from __future__ import annotations

import numpy as np

from reference.preconditions import Float64

NAMES = ("breast_cancer", "diabetes", "digits")


def load(name: str, n: int) -> Float64:
    """Load n rows of a data set, each of unit Euclidean length.

    x_i = raw_i / ||raw_i||

    Parameters
    ----------
    name : 'diabetes' (442 rows, 10 columns, as shipped: columns centred and scaled), 'digits' (1797 rows, 64
        columns, raw pixels 0..16), or 'breast_cancer' (569 rows, 30 columns, each first centred and divided by its
        standard deviation over all rows, since the columns' units differ by a factor of 10^5)
    n : number of rows, 1 <= n <= N

    Returns
    -------
    X : (n, d) float64, ||x_i|| = 1 within rounding, no two rows equal

    Raises
    ------
    ValueError : unknown name; n out of range; a zero row, or two equal rows, among those chosen
    """
    from sklearn import datasets  # imported here: it takes a second, and only this function needs it

    if name not in NAMES:
        raise ValueError(f"load: name must be one of {', '.join(NAMES)}, got {name!r}")
    raw = np.asarray(getattr(datasets, f"load_{name}")().data, dtype=np.float64)
    if name == "breast_cancer":
        raw = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    if not 1 <= n <= len(raw):
        raise ValueError(f"load: n must lie in [1, {len(raw)}] for {name}, got n = {n}")
    return unit_rows(raw[:: len(raw) // n][:n], f"load: {name}")


def unit_rows(raw: Float64, where: str) -> Float64:
    """Divide every row by its length, refusing zero and repeated rows.

    Parameters
    ----------
    raw : (n, d) float
    where : opens the message

    Returns
    -------
    X : (n, d) float, unit rows, all different
    """
    norms = np.linalg.norm(raw, axis=1)
    if not norms.all():
        raise ValueError(f"{where} must have no zero row, got one at {int(np.argmin(norms))}")
    X: Float64 = raw / norms[:, None]
    seen: dict[bytes, int] = {}
    for i, row in enumerate(X + 0.0):  # -0.0 becomes 0.0, so that equal rows have equal bytes
        first = seen.setdefault(row.tobytes(), i)
        if first != i:
            raise ValueError(f"{where} must have no two equal rows, got rows {first} and {i}")
    return X
