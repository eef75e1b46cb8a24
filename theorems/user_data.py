"""A user's own matrix as an instance of Theorem 3.3: read strictly, refused in one line before any trial."""

from __future__ import annotations

import re
from fractions import Fraction
from math import frexp
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.lib.format import open_memmap
from threadpoolctl import threadpool_limits

from reference.activation_cells import plane_cells
from reference.gaussian_fourier import gaussian_kernel
from reference.preconditions import Float64, points
from reference.rejection import envelope_fourier, envelope_tangent
from reference.relu_tangent import tangent_kernel
from theorems.catalogue import find
from theorems.costs import Kind, require_affordable
from theorems.glss.sampling_constructions import kernel, quantities
from theorems.glss.sampling_instances import CellWorld, FourierData, SamplingInstance, TangentData
from theorems.glss.streamed_features import GRID_CELLS
from theorems.statement import HighProbability, HypothesisNotMet
from theorems.streams import printable

STATEMENT = "glss.thm3.3"  # the one that is judged on it
LARGEST = 4096  # rows; K is dense, and its enclosure costs n^3 in ball arithmetic
LARGEST_PLANE = 128  # rows; the 2 n activation cells hold a Gram matrix each
LARGEST_ENTRY = 2.0**480  # and 1 over it the least: products of two stay floats
FARTHEST = 2.0**40  # in bandwidths: the phases of farther points keep no digits
WIDEST = 2.0**300  # bandwidth, and 1 over it the narrowest
RIDGE_BITS = 8  # of the lambda that is chosen: BLAS kernels differ far below

_NUMBER = re.compile(r"[+-]?(\d+/\d+|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?)", re.ASCII)
_LONGEST = 100  # characters of a number: with two digits of exponent, whatever it says is a float
_ARCHIVE = b"PK\x03\x04"
_DESCRIPTORS = ("dev", "proc")  # folders of things that are there once


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
    """Read an .npy matrix and the numbers of the theorem, and make sure that it can be judged.

    Parameters
    ----------
    path : (n, d) real numbers, rows are points
    features : 'relu' or 'fourier'
    sigma : bandwidth of the Gaussian kernel
    lam : ridge, rounded to float64; None for a tenth of ||K||, rounded to 8 significant bits
    eps, delta : decimals or fractions, taken exactly

    Raises
    ------
    BadData : unreadable file or option
    HypothesisNotMet : nan, infinity, empty, wrong shape or type; a hypothesis of the theorem that does not hold; an
        instance that float64 or this machine cannot hold
    """
    if features not in ("relu", "fourier"):
        raise BadData(f"--features must be relu or fourier, got {features!r}")
    width = float(_number("--sigma", sigma))
    accuracy, failure = _number("--eps", eps), _number("--delta", delta)
    ridge = None if lam is None else Fraction(float(_number("--lam", lam)))
    name = f"--data {path.name}"
    # one BLAS thread: the default ridge, and what is prepared for the trials, must not depend on how many there are
    with threadpool_limits(limits=1), catch_warnings():
        simplefilter("error")
        X = _matrix(path, name, features)
        _require_scale(X, name, features, width, sigma)
        chosen = ridge is None
        if ridge is None:
            ridge = _tenth_of_the_norm(tangent_kernel(X) if features == "relu" else gaussian_kernel(X, width))
        says = f"{printable(path.name)}, {len(X)} x {X.shape[1]}, {features} features, lambda = {float(ridge)!r}"
        given: dict[str, Any] = {
            "name": f"data-{features}",
            "says": says + (f", a tenth of ||K|| to {RIDGE_BITS} bits" if chosen else ""),
            "X": X,
            "lam": ridge,
            "eps": accuracy,
            "delta": failure,
        }
        x: SamplingInstance
        if features == "fourier":
            x = FourierData(**given, sigma=width)
        else:
            x = CellWorld(**given) if _has_cells(X) else TangentData(**given)
        _require_judgeable(x, name, len(X), X.shape[1])
    return x


def _matrix(path: Path, name: str, features: str) -> Float64:
    """Read the file; its header, its size and what it will cost are looked at before its numbers."""
    try:
        mode = path.stat().st_mode
        if not (S_ISREG(mode) or S_ISDIR(mode)) or path.absolute().parts[1] in _DESCRIPTORS:
            raise BadData(f"--data {path}: must be a regular file that can be read again, got a pipe or a device")
        with path.open("rb") as file:
            if file.read(len(_ARCHIVE)) == _ARCHIVE:
                raise BadData(f"--data {path}: need one array (.npy), got an archive of several")
    except OSError as e:
        raise BadData(f"--data {path}: {e.strerror or e}") from e
    try:
        with np.errstate(over="raise"):  # of the product of a boastful shape
            raw = open_memmap(path, mode="r")
    except (ValueError, TypeError, ArithmeticError) as e:  # a header may claim anything
        raise BadData(f"--data {path}: not a readable .npy matrix of numbers") from e
    if raw.ndim == 2:
        n, d = raw.shape
        if n > LARGEST:
            raise HypothesisNotMet(f"{name}: X must have at most {LARGEST} rows, got {n}")
        require_affordable(name, _kind(n, d, features), n, d, m=0)
    try:
        return np.array(points(raw, f"{name}: X"))  # a copy: the file may change
    except (TypeError, ValueError) as e:
        raise HypothesisNotMet(str(e)) from e


def _kind(n: int, d: int, features: str) -> Kind:
    if features == "fourier":
        return "fourier"
    return "cells" if d == 2 and n <= LARGEST_PLANE else "tangent"


def _require_scale(X: Float64, name: str, features: str, sigma: float, given: str) -> None:
    """Refuse what over- or underflows; the theorem does not change with the scale, so that nothing is lost."""
    largest = float(np.abs(X).max())
    if features == "relu":
        if largest > LARGEST_ENTRY or 0 < largest < 1 / LARGEST_ENTRY:
            raise HypothesisNotMet(
                f"{name}: the largest entry of X must lie in [2^-480, 2^480], got {largest:g}: scale X by c and "
                "lambda by c^2"
            )
        return
    if not sigma > 0:
        raise HypothesisNotMet(f"--sigma must be positive, got {given}")
    if not 1 / WIDEST <= sigma <= WIDEST:
        raise HypothesisNotMet(f"--sigma must lie in [2^-300, 2^300], got {given}: scale X and sigma alike")
    if largest > FARTHEST * sigma:
        raise HypothesisNotMet(
            f"{name}: entries of X must be at most 2^40 sigma, got {largest:g} where sigma = {given}"
        )


def _tenth_of_the_norm(K: Float64) -> Fraction:
    """Round ||K|| / 10 to few bits: machines whose BLAS differs in the last ones choose the same ridge."""
    mantissa, power = frexp(float(np.linalg.eigvalsh(K)[-1]) / 10)
    return Fraction(round(mantissa * 2**RIDGE_BITS)) * Fraction(2) ** (power - RIDGE_BITS)


def _has_cells(X: Float64) -> bool:
    """Whether features are drawn by activation cells: in the plane, few rows, no cell too thin for float64."""
    n, d = X.shape
    if _kind(n, d, "relu") != "cells":
        return False
    try:
        plane_cells(X)
    except ValueError:  # rows parallel to within 2^-1020: streamed features know no cells
        return False
    return True


def _require_judgeable(x: SamplingInstance, name: str, n: int, d: int) -> None:
    """Refuse what lies outside the theorem, then what float64, then what this machine cannot hold."""
    statement = find(STATEMENT)
    if faults := statement.violated(x):
        raise HypothesisNotMet(f"{STATEMENT} on {x.name}: " + "; ".join(faults))
    error = kernel(x)[1]
    if x.lam <= 2 * Fraction(error):
        raise HypothesisNotMet(
            f"lambda must be above {2 * error:.2g}, twice the error of K in float64, got lambda = {float(x.lam):.9g}"
        )
    assert isinstance(statement.conclusion, HighProbability)
    try:
        m, proposals = statement.conclusion.size(x), _proposals(x, d)
    except (ValueError, ArithmeticError) as e:  # what the reference objects refuse, they refuse by name
        raise HypothesisNotMet(f"{name}: {e}") from e
    kind: Kind = "cells" if isinstance(x, CellWorld) else "fourier" if isinstance(x, FourierData) else "tangent"
    require_affordable(name, kind, n, d, m, proposals)


def _proposals(x: SamplingInstance, d: int) -> float:
    """Give the mean number of proposals per draw; 1 where features are drawn without."""
    if isinstance(x, TangentData):
        envelope = envelope_tangent(x.X, float(x.lam))
    elif isinstance(x, FourierData) and d not in GRID_CELLS:
        envelope = envelope_fourier(x.X, x.sigma, float(x.lam))
    else:
        return 1.0
    return envelope / float(quantities(x).s_lambda[1])


def _number(option: str, text: str) -> Fraction:
    try:
        return Fraction(text if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else "")
    except (ValueError, ZeroDivisionError) as e:
        raise BadData(f"{option} must be a number such as 0.1, 1/10 or 1e-3, got {text!r:.60}") from e
