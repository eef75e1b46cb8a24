"""A user's own matrix as an instance of Theorem 3.3: read strictly, refused in one line."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from reference.gaussian_fourier import gaussian_kernel
from reference.preconditions import points
from reference.relu_tangent import tangent_kernel
from theorems.glss.sampling_instances import CellWorld, FourierData, SamplingInstance, TangentData
from theorems.statement import HypothesisNotMet

STATEMENT = "glss.thm3.3"  # the one that is judged on it
LARGEST = 4096  # rows; K is dense, and its enclosure costs n^3 in ball arithmetic
LARGEST_PLANE = 128  # rows; the 2 n activation cells hold a Gram matrix each

_NUMBER = re.compile(r"[+-]?(\d+/\d+|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?)", re.ASCII)
_LONGEST = 100  # characters of a number: with two digits of exponent, whatever it says is a float


class BadData(ValueError):
    """A file or an option that cannot be read: fix the command."""


def sampling_instance(
    path: Path,
    *,
    features: str = "relu",
    sigma: str = "1",
    lam: str | None = None,
    eps: str = "0.3",
    delta: str = "0.1",
) -> SamplingInstance:
    """Read an .npy matrix and the numbers of the theorem.

    Parameters
    ----------
    path : (n, d) real numbers, rows are points
    features : 'relu' or 'fourier'
    sigma : bandwidth of the Gaussian kernel
    lam : ridge, rounded to float64; None for a tenth of ||K||
    eps, delta : decimals or fractions, taken exactly

    Raises
    ------
    BadData : unreadable file or option
    HypothesisNotMet : nan, infinity, empty, wrong shape or type
    """
    if features not in ("relu", "fourier"):
        raise BadData(f"--features must be relu or fourier, got {features!r}")
    width = float(_number("--sigma", sigma))
    accuracy, failure = _number("--eps", eps), _number("--delta", delta)
    ridge = None if lam is None else Fraction(float(_number("--lam", lam)))
    try:
        with path.open("rb") as file:
            raw = np.load(file, allow_pickle=False)
    except OSError as e:
        raise BadData(f"--data {path}: {e.strerror or e}") from e
    except (ValueError, EOFError, BadZipFile, MemoryError) as e:  # a header may claim any shape
        raise BadData(f"--data {path}: not a readable .npy matrix of numbers") from e
    if not isinstance(raw, np.ndarray):
        raise BadData(f"--data {path}: need one array (.npy), got an archive of several")
    try:
        X = points(raw, f"--data {path.name}: X")
        if width <= 0:
            raise HypothesisNotMet(f"--sigma must be positive, got {sigma}")
    except (TypeError, ValueError) as e:
        raise HypothesisNotMet(str(e)) from e
    if len(X) > LARGEST:
        raise HypothesisNotMet(f"--data {path.name}: X must have at most {LARGEST} rows, got {len(X)}")
    K = tangent_kernel(X) if features == "relu" else gaussian_kernel(X, width)
    if ridge is None:
        ridge = Fraction(float(np.linalg.eigvalsh(K)[-1]) / 10)
    shown = path.name.encode("utf-8", "backslashreplace").decode()  # a file name may hold anything, a record text
    name, says = f"data-{features}", f"{shown}, {len(X)} x {X.shape[1]}, {features} features"
    if features == "fourier":
        return FourierData(name=name, says=says, X=X, sigma=width, lam=ridge, eps=accuracy, delta=failure)
    kind = CellWorld if X.shape[1] == 2 and len(X) <= LARGEST_PLANE else TangentData
    return kind(name=name, says=says, X=X, lam=ridge, eps=accuracy, delta=failure)


def _number(option: str, text: str) -> Fraction:
    try:
        return Fraction(text if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else "")
    except (ValueError, ZeroDivisionError) as e:
        raise BadData(f"{option} must be a number such as 0.1, 1/10 or 1e-3, got {text!r:.60}") from e
