"""What is predicted on the rows that `reference.datasets.load` takes, standardised."""

from __future__ import annotations

import numpy as np

from reference.datasets import NAMES
from reference.preconditions import Float64


def labels(name: str, n: int) -> Float64:
    """Give the targets of the rows that `load(name, n)` returns, with mean 0 and variance 1 over them.

    Y_i = (raw_i - mean) / standard deviation

    Parameters
    ----------
    name : 'diabetes' (progression after a year), 'digits' (the digit as a number) or 'breast_cancer' (benign or not)
    n : number of rows, 1 <= n <= N, not all of one target

    Returns
    -------
    Y : (n,) float64, ||Y||^2 = n up to rounding

    Raises
    ------
    ValueError : unknown name, n out of range, or equal targets
    """
    from sklearn import datasets  # imported here: it takes a second, and only this function needs it

    if name not in NAMES:
        raise ValueError(f"labels: name must be one of {', '.join(NAMES)}, got {name!r}")
    raw = np.asarray(getattr(datasets, f"load_{name}")().target, dtype=np.float64)
    if not 1 <= n <= len(raw):
        raise ValueError(f"labels: n must lie in [1, {len(raw)}] for {name}, got n = {n}")
    taken = raw[:: len(raw) // n][:n]
    deviation = taken.std()
    if deviation == 0:
        raise ValueError(f"labels: n must reach two different targets of {name}, got n = {n}")
    standardised: Float64 = (taken - taken.mean()) / deviation
    return standardised
