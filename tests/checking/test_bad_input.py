"""Bad input, row by row: each kind is given to the doors it could come through, and each door says what is wrong.

A row is one way to be wrong. Rows that other files test in depth are short here; none is left out.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from reference import finite_features as finite
from reference.datasets import load
from reference.finite_draws import finite_draws
from reference.finite_features import FiniteFeatures
from reference.gaussian_fourier import gaussian_kernel
from reference.preconditions import gram, points, positive
from reference.rejection import rejection_sample
from reference.relu_tangent import tangent_kernel
from reference.ridge_regression import krr_predict
from reference.user_features import UserFeatures
from theorems.catalogue import UnknownStatement, find
from theorems.checking.deadline import TimedOut
from theorems.checking.facets import promise, whole_size
from theorems.checking.keys import check_digest, digest, key_digest
from theorems.checking.loewner import decide_psd, decide_psd_batch, decide_spectral, decide_spectral_batch
from theorems.checking.loewner_files import UnreadableInput, decide_file, decide_pair
from theorems.checking.sampler_law import law_log_wealth
from theorems.checking.trials import run_batch
from theorems.command_line import app
from theorems.glss.sampling_constructions import construct, quantities
from theorems.glss.sampling_instances import COUPON_2, RAMP, FiniteWorld, in_the_plane
from theorems.glss.sampling_recipe import PAPER, features_asked
from theorems.glss.theorem_3_3_kernel_approximation import STATEMENT
from theorems.statement import Answer, Batch, HypothesisNotMet
from theorems.user_data import LARGEST, BadData, sampling_instance

NASTY = Path(__file__).parents[1] / "nasty"
IN, OUT = Answer.IN, Answer.OUT
INF = float("inf")
EYE = np.eye(2)
HALF = Fraction(1, 2)
QUESTION: dict[str, Any] = {
    "schema": "loewner-nasty/1",
    "side": "lo",
    "lam": 1,
    "eps": "1/4",
    "K": [[2, 0], [0, 1]],
    "Kt": [[2, 0], [0, 1]],
}


@dataclass(frozen=True)
class Probe:
    """One bad input at one door: `do` raises `error` with a message that `says`, or else gives `value`."""

    row: str
    door: str
    do: Callable[[Path], object]
    error: type[BaseException] | None = None
    says: str = ""
    value: object = None


PROBES: list[Probe] = []


def refuses(row: str, door: str, do: Callable[[Path], object], error: type[BaseException], says: str) -> None:
    PROBES.append(Probe(row, door, do, error=error, says=says))


def gives(row: str, door: str, do: Callable[[Path], object], value: object) -> None:
    PROBES.append(Probe(row, door, do, value=value))


# ------------------------------------------------------------------------------------------------- what is asked


def psd(M: Any) -> Callable[[Path], object]:
    return lambda _: decide_psd(M)


def answer(M: Any) -> Callable[[Path], object]:
    return lambda _: decide_psd(M).answer


def spectral(K: Any, Kt: Any, lam: Any = 1.0, eps: Any = HALF) -> Callable[[Path], object]:
    return lambda _: decide_spectral(K, Kt, lam, eps, "lower").answer


def batch(K: Any, Kt: Any, lam: Any = 1.0, eps: Any = HALF) -> Callable[[Path], object]:
    return lambda _: decide_spectral_batch(K, 0.0, Kt, 0.0, lam, eps).tolist()


def data(array: Any, **options: str) -> Callable[[Path], object]:
    """Save an array and read it as `theorems verify 3.3 --data` does."""

    def read(folder: Path) -> object:
        np.save(folder / "X.npy", array, allow_pickle=True)
        return sampling_instance(folder / "X.npy", **options)

    return read


def pair(lower: Any, upper: Any) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        np.save(folder / "A.npy", lower, allow_pickle=True)
        np.save(folder / "B.npy", upper, allow_pickle=True)
        return decide_pair(folder / "A.npy", folder / "B.npy").verdict

    return read


def file(content: bytes | dict[str, Any]) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        path = folder / "question.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(QUESTION | content).encode())
        return decide_file(path).verdict

    return read


def nasty(name: str) -> Callable[[Path], object]:
    [path] = NASTY.glob(f"{name}_*.json")
    return lambda _: decide_file(path).verdict


def violated(x: FiniteWorld) -> Callable[[Path], object]:
    """Ask which hypotheses of Theorem 3.3 an instance breaks; the court makes that HypothesisNotMet, exit 4."""

    def ask(_: Path) -> object:
        faults = STATEMENT.violated(x)
        if faults:
            raise HypothesisNotMet("; ".join(faults))
        return x

    return ask


def exit_code(*words: str, array: Any) -> Callable[[Path], object]:
    """Run the command line on a matrix of one's own."""

    def run(folder: Path) -> object:
        np.save(folder / "X.npy", array)
        store = ["--store", str(folder / "store"), "--data", str(folder / "X.npy")]
        result = CliRunner().invoke(app, ["verify", "3.3", *store, *words])
        assert "Traceback" not in result.output
        assert len(result.stderr.splitlines()) == 1
        return result.exit_code

    return run


@dataclass
class Plugin:
    """Somebody else's experiment, four trials a batch."""

    act: Callable[[np.random.Generator], object]
    size: int = 1
    batch_size: int = 4

    def run(self, rng: np.random.Generator, trials: int) -> Any:
        made = self.act(rng)
        return made if isinstance(made, Batch) else Batch(answers=np.zeros(trials, np.int8), stress=nan)


def trials(act: Callable[[np.random.Generator], object], deadline: float = 60.0) -> tuple[int, int, str]:
    """Run a batch of a plugin: failures, unsure trials and the error."""
    row = run_batch(
        Plugin(act),
        statement="s",
        instance_digest="0" * 64,
        stream="evidence",
        seed=1,
        index=0,
        canary=True,
        deadline=deadline,
    )
    assert row.trials == 4
    return row.failures, row.unsure, row.error


def plugin(act: Callable[[np.random.Generator], object]) -> Callable[[Path], object]:
    return lambda _: trials(act)


def answers(values: Any) -> Callable[[Path], object]:
    """Run a plugin that returns these answers; the error alone."""

    def ask(_: Path) -> object:
        failures, unsure, error = trials(lambda _: Batch(answers=values, stress=nan))
        assert (failures, unsure) == (0, 4)
        return error

    return ask


def uniform(rng: np.random.Generator, k: int) -> np.ndarray[Any, Any]:
    return rng.random(k)


def user_features(kernel: Any) -> UserFeatures:
    return UserFeatures(
        phi=lambda X, W: np.ones((len(X), len(W), 1)),
        sample=lambda rng, m: rng.standard_normal((m, 1)),
        kernel=lambda _: kernel,
        kernel_error=lambda _: 0.0,
    )


# ------------------------------------------------------------------------------------------------------ the rows

ROW = "NaN in upper triangle of K"
refuses(ROW, "decide_psd", psd(np.array([[1.0, nan], [0.0, 1.0]])), ValueError, r"M must be finite .*M\[0, 1\] = nan")
refuses(
    ROW, "batch, K", batch(np.array([[1.0, nan], [0, 1]]), EYE[None]), ValueError, r"K must be .*K\[0, 0, 1\] = nan"
)
refuses(ROW, "batch, Kt", batch(EYE, np.array([EYE, [[1.0, nan], [0, 1]]])), ValueError, r"got Kt\[1, 0, 1\] = nan")
refuses(
    ROW, "gram", lambda _: gram([[1.0, nan], [0, 1]], "f: K"), ValueError, r"f: K must be finite, got nan at \(0, 1\)"
)
refuses(ROW, "--data", data([[1.0, nan]]), HypothesisNotMet, r"X must be finite, got nan at \(0, 1\)")
gives(ROW, "exit code", exit_code(array=np.array([[1.0, nan], [0.0, 1.0]])), 4)

ROW = "NaN on diagonal / Inf"
refuses(ROW, "decide_psd", psd(np.diag([1.0, nan])), ValueError, r"M\[1, 1\] = nan")
refuses(ROW, "decide_psd, inf", psd(np.diag([1.0, -INF])), ValueError, r"M\[1, 1\] = -inf")
refuses(ROW, "batch", batch(EYE, np.diag([INF, 1.0])[None]), ValueError, r"Kt\[0, 0, 0\] = inf")
refuses(ROW, "points", lambda _: points([[INF]], "f: X"), ValueError, r"f: X must be finite, got inf at \(0, 0\)")

ROW = "asymmetric Kt (upper triangle garbage)"
refuses(ROW, "batch", batch(EYE, np.array([[[1.0, 9.0], [0, 1]]])), ValueError, r"Kt\[0, 0, 1\] = 9.0, off .* by 9.0")
refuses(
    ROW, "decide_spectral", spectral(EYE, np.array([[1.0, 9], [0, 1]])), ValueError, r"Kt\[0, 1\] = 9.0, off .* by 9"
)
refuses(
    ROW, "JSON", file({"Kt": [[1, 9], [0, 1]]}), UnreadableInput, r"Kt must be symmetric, got Kt\[1, 0\] off .* by 9"
)
refuses(ROW, ".npy", pair(EYE, np.array([[1.0, 9], [0, 1]])), UnreadableInput, r"B.npy\[0, 1\] = 9.0, off its mirror")
refuses(ROW, "gram", lambda _: gram([[1, 9], [0, 1]], "f: K"), ValueError, r"got 9.0 at \(0, 1\) and 0.0 at \(1, 0\)")

ROW = "empty 0x0, n=0, m=0, d=0"
refuses(ROW, "decide_psd", psd(np.zeros((0, 0))), ValueError, r"must be \(n, n\) with n >= 1, got shape \(0, 0\)")
refuses(ROW, "batch", batch(np.zeros((0, 0)), np.zeros((1, 0, 0))), ValueError, "n >= 1")
refuses(ROW, "batch of none", lambda _: decide_psd_batch(np.zeros((0, 2, 2))), ValueError, r"at least one.*\(0, 2, 2\)")
refuses(ROW, "--data, n = 0", data(np.zeros((0, 3))), HypothesisNotMet, r"X must not be empty, got shape \(0, 3\)")
refuses(ROW, "--data, d = 0", data(np.zeros((3, 0))), HypothesisNotMet, r"X must not be empty, got shape \(3, 0\)")
refuses(ROW, "m = 0", lambda _: whole_size(0), ValueError, "size: need at least 1 draw; got 0")
refuses(
    ROW,
    "draws",
    lambda _: rejection_sample(uniform, lambda W: W, 1.0, np.random.default_rng(0), 0),
    ValueError,
    "m must be at least 1, got m = 0",
)
refuses(ROW, "JSON", file({"K": []}), UnreadableInput, "K must be a list of rows")
refuses(ROW, "atoms", lambda _: FiniteFeatures(p=(), grams=()), ValueError, "at least one atom, got 0 probabilities")

ROW = "n=1"
gives(ROW, "decide_psd", answer(np.array([[1.0]])), IN)
gives(ROW, "decide_psd, negative", answer(np.array([[-1.0]])), OUT)
gives(ROW, "batch", batch(np.eye(1), np.array([[[1.0]], [[9.0]]])), [IN, OUT])
gives(ROW, "--data", lambda f: len(data([[1.0, 0.0]])(f).X), 1)
gives(ROW, "corner list", lambda _: any(getattr(x, "name", "") == "corner" for x in STATEMENT.instances("quick")), True)

ROW = "wrong shape, Kt (1,1) v (2,2), vector, 0-d"
refuses(ROW, "batch", batch(EYE, np.eye(1)[None]), ValueError, r"got \(2, 2\) and \(1, 1, 1\)")
refuses(ROW, "decide_spectral", spectral(EYE, np.eye(1)), ValueError, "K and Kt must have one size, got 2 and 1")
refuses(ROW, "vector", psd(np.zeros(2)), ValueError, r"got shape \(2,\)")
refuses(ROW, "0-d", psd(np.zeros(())), ValueError, r"got shape \(\)")
refuses(ROW, "not square", psd(np.zeros((2, 3))), ValueError, r"got shape \(2, 3\)")
refuses(ROW, "JSON", file({"Kt": [[1]]}), UnreadableInput, "K and Kt must have one size, got 2 and 1")
refuses(ROW, ".npy", pair(EYE, np.eye(3)), UnreadableInput, "sizes differ: 2 and 3")
refuses(ROW, "--data, 0-d", data(np.float64(1)), HypothesisNotMet, r"X must have 2 axes, got shape \(\)")
refuses(
    ROW,
    "one column against two",
    lambda _: gaussian_kernel(np.ones((2, 1)), 1.0, np.ones((2, 2))),
    ValueError,
    "columns",
)
refuses(ROW, "krr", lambda _: krr_predict(np.ones((2, 2)), np.ones(1)), ValueError, r"K_zX must be \(k, n\)")

ROW = "3-d stack"
refuses(ROW, "decide_psd", psd(np.zeros((2, 2, 2))), ValueError, r"M must be \(n, n\) .* got shape \(2, 2, 2\)")
refuses(ROW, "gram", lambda _: gram(np.zeros((2, 2, 2)), "f: K"), ValueError, r"f: K must have 2 axes, got shape")
refuses(ROW, "--data", data(np.zeros((2, 2, 2))), HypothesisNotMet, r"must have 2 axes, got shape \(2, 2, 2\)")

ROW = "eps = 2, True, NaN; delta 0, 1, NaN"
for eps, error, says in (
    (2, ValueError, "eps must be positive and below 1, got eps = 2"),
    (True, TypeError, "got eps = True"),
    (nan, ValueError, "got eps = nan"),
):
    refuses(ROW, f"decide_spectral, eps = {eps}", spectral(EYE, EYE, 1.0, eps), error, says)
    refuses(ROW, f"batch, eps = {eps}", batch(EYE, EYE[None], 1.0, eps), error, says)
for bad in (Fraction(2), HALF, True, nan):
    refuses(
        ROW, f"3.3, eps = {bad}", violated(replace(COUPON_2, eps=bad)), HypothesisNotMet, r"eps must lie in \(0, 1/2\)"
    )
for bad in (Fraction(0), Fraction(1), True, nan):
    refuses(
        ROW,
        f"3.3, delta = {bad}",
        violated(replace(COUPON_2, delta=bad)),
        HypothesisNotMet,
        r"delta must lie in \(0, 1",
    )
    refuses(ROW, f"promise {bad!r}", lambda _, bad=bad: promise(bad), ValueError, r"delta: need a Fraction in \(0, 1\)")
refuses(ROW, "--eps nan", data(EYE, eps="nan"), BadData, "--eps must be a number .*, got 'nan'")
refuses(ROW, "JSON", file({"eps": 2}), UnreadableInput, "eps must be positive and below 1, got eps = 2")
gives(ROW, "exit code", exit_code("--delta", "1", array=EYE), 4)

ROW = "lam <= 0, NaN, str"
for lam, error, says in (
    (0, ValueError, "lam must be positive and below 2\\^1023, got lam = 0"),
    (-0.1, ValueError, "got lam = -0.1"),
    (nan, ValueError, "lam must be a finite real number, got lam = nan"),
    ("1", TypeError, "got lam = '1'"),
):
    refuses(ROW, f"decide_spectral, lam = {lam!r}", spectral(EYE, EYE, lam), error, says)
    refuses(ROW, f"batch, lam = {lam!r}", batch(EYE, EYE[None], lam), error, says)
refuses(ROW, "positive", lambda _: positive(-0.1, "f: lam"), ValueError, "f: lam must be positive .*, got lam = -0.1")
refuses(
    ROW,
    "3.3",
    violated(replace(COUPON_2, lam=Fraction(0))),
    HypothesisNotMet,
    "lambda must be positive, got lambda = 0",
)
refuses(ROW, "--lam nan", data(EYE, lam="nan"), BadData, "--lam must be a number .*, got 'nan'")
refuses(ROW, "JSON", file({"lam": "-0x1p+0"}), UnreadableInput, "lam must be positive .*, got lam = -1")
gives(ROW, "exit code", exit_code("--lam", "-1", array=EYE), 4)

ROW = "lam >= ||K||"
refuses(
    ROW, "3.3, exactly the norm", violated(replace(COUPON_2, lam=HALF * 1000)), HypothesisNotMet, "lambda must be below"
)
refuses(ROW, "3.3, data", violated(replace(in_the_plane()[0], lam=Fraction(9))), HypothesisNotMet, "proven below")
gives(ROW, "exit code", exit_code("--lam", "100", array=EYE), 4)

ROW = "non-PSD user kernel"
refuses(
    ROW,
    "UserFeatures",
    lambda _: user_features([[1.0, 2.0], [2.0, 1.0]]).kernel_matrix(EYE),
    ValueError,
    r"must be positive semidefinite .* got v\^T \(K \+ kernel_error I\) v = -.* for v = \[",
)
refuses(
    ROW,
    "atoms",
    lambda _: FiniteFeatures(p=(Fraction(1),), grams=(((Fraction(-1),),),)),
    ValueError,
    "grams must be positive semidefinite; atom 0 is not",
)

ROW = "p not summing to 1"
refuses(
    ROW,
    "atoms",
    lambda _: finite.from_features((HALF,), [[[1]]]),
    ValueError,
    "p must be positive and sum to 1, got sum 1/2",
)
refuses(
    ROW,
    "law",
    lambda _: law_log_wealth([1, 0], [HALF, Fraction(1, 3)]),
    ValueError,
    "q must sum to 1, got a sum of 0.83",
)
refuses(
    ROW,
    "law in floats",
    lambda _: law_log_wealth([1, 0], [0.5, 0.4999]),
    ValueError,
    "q must sum to 1, got a sum of 0.99",
)

ROW = "q misses support of p"
refuses(
    ROW,
    "finite_draws",
    lambda _: finite_draws(RAMP.features, RAMP.lam, [Fraction(0)] + [Fraction(1)] * (len(RAMP.features.p) - 1)),
    ValueError,
    "tau_tilde must be positive where Phi is not 0, got 0 at feature 0",
)
refuses(
    ROW,
    "3.3",
    violated(replace(RAMP, tau_tilde=(Fraction(0),) + (Fraction(9),) * (len(RAMP.features.p) - 1))),
    HypothesisNotMet,
    "q_tilde must be at least q_lambda, got q_tilde/p = 0 < .* at feature 0",
)

ROW = "qt < q_lambda somewhere"
refuses(
    ROW,
    "3.3",
    violated(replace(RAMP, tau_tilde=(Fraction(9),) * (len(RAMP.features.p) - 1) + (Fraction(1, 10**9),))),
    HypothesisNotMet,
    rf"got q_tilde/p = 1/1000000000 < [0-9/]+ = q_lambda/p at feature {len(RAMP.features.p) - 1}",
)
refuses(
    ROW,
    "envelope",
    lambda _: rejection_sample(uniform, lambda W: W + 2, 1.0, np.random.default_rng(0), 3),
    ValueError,
    "envelope must bound tau, got envelope = 1.0, tau = 2",
)

ROW = "density not normalised (continuous)"
refuses(  # no door takes a density: q_tilde and its integral come from one construction, user features from a sampler
    ROW,
    "UserFeatures",
    lambda _: UserFeatures(**vars(user_features(EYE)), density=np.cos),
    TypeError,
    "density",
)

ROW = "int8/int64 data"
gives(ROW, "points, int8", lambda _: (points(np.array([[100]], np.int8), "X") ** 2).item(), 10000.0)
gives(ROW, "tangent kernel", lambda _: tangent_kernel(np.array([[100, 0]], np.int8)).item(), 5000.0)
gives(ROW, "atoms", lambda _: finite.linear_kernel([[2**32]]).kernel()[0][0] >= 2**64, True)
gives(ROW, "decide_psd", answer(np.array([[2**62, 2**62], [2**62, 2**62]])), IN)
gives(ROW, "decide_psd, one less", answer(np.array([[2**62, 2**62], [2**62, 2**62 - 1]])), OUT)
refuses(ROW, "points, too wide", lambda _: points([[2**53 + 1]], "f: X"), ValueError, "f: X must be exact in float64")

ROW = "uint8 difference"
gives(ROW, ".npy", pair(np.array([[2]], np.uint8), np.array([[1]], np.uint8)), "VIOLATED")
gives(ROW, "decide_spectral", spectral(np.array([[200]], np.uint8), np.array([[99]], np.uint8)), OUT)

ROW = "bool arrays, masked arrays, np.matrix"
for kind, bad_array in (
    ("bool", EYE > 0),
    ("MaskedArray", np.ma.masked_array(EYE, EYE > 0)),
    ("matrix", EYE.view(np.matrix)),
):
    refuses(ROW, f"decide_psd, {kind}", psd(bad_array), TypeError, kind)
    refuses(ROW, f"points, {kind}", lambda _, a=bad_array: points(a, "f: X"), TypeError, f"f: X must .*{kind}")
refuses(ROW, "--data", data(EYE > 0), HypothesisNotMet, "got dtype bool")
refuses(ROW, "batch", batch(EYE, np.ma.masked_array(EYE[None])), TypeError, "got MaskedArray")

ROW = "complex Hermitian into a real statement"
gives(ROW, "decide_psd", answer(np.array([[1, 2j], [-2j, 1]])), OUT)  # its real part is the identity
gives(ROW, "nasty", nasty("n12"), "VIOLATED")
refuses(ROW, "--data", data(EYE * 1j), HypothesisNotMet, "got dtype complex128")
refuses(
    ROW, "gram", lambda _: gram(EYE * 1j, "f: K"), TypeError, "f: K must hold real numbers .*, got dtype complex128"
)
refuses(ROW, "batch", batch(EYE, EYE[None] * 1j), TypeError, "native float64, got complex128")

ROW = "complex non-Hermitian diagonal (2+5j)"
refuses(ROW, "decide_psd", psd(np.diag([2 + 5j, 1])), ValueError, r"M\[0, 0\] = \(2\+5j\), off its mirror image by 10")

ROW = "object dtype, Fractions"
gives(ROW, "decide_psd", answer(np.array([[Fraction(1, 3)]], object)), IN)
gives(ROW, "nested lists", answer([[Fraction(1, 3), 1], [1, 3 - Fraction(1, 10**30)]]), OUT)
refuses(ROW, "floats", psd(np.array([[0.5]], object)), TypeError, r"must hold int and Fraction, got float at M\[0, 0\]")
refuses(
    ROW, "points", lambda _: points(np.array([[HALF]], object), "f: X"), TypeError, "f: X must hold .*got dtype object"
)

ROW = "float16, float32"
gives(ROW, "points", lambda _: (points(np.array([[60000]], np.float16), "X") ** 2).item(), 60000.0**2)
gives(
    ROW,
    "decide_psd",
    answer(np.array([[1, 0.1], [0.1, 0.01]], np.float32)),
    answer(
        [
            [Fraction(1), Fraction(float(np.float32(0.1)))],
            [Fraction(float(np.float32(0.1))), Fraction(float(np.float32(0.01)))],
        ]
    )(Path()),
)
gives(ROW, "--data", lambda f: data(np.float32([[0.1, 0]]))(f).X.dtype.name, "float64")
refuses(
    ROW,
    "batch",
    batch(EYE, EYE[None].astype(np.float32)),
    TypeError,
    "Kt must be a plain array of native float64, got float32",
)

ROW = "longdouble"
if np.dtype(np.longdouble).itemsize > 8:
    refuses(ROW, "decide_psd", psd(EYE.astype(np.longdouble)), TypeError, "float64 .*at most, got dtype float")
    refuses(ROW, "points", lambda _: points(EYE.astype(np.longdouble), "f: X"), TypeError, "at most 64 bits, got dtype")
refuses(ROW, "complex", psd(EYE.astype(np.clongdouble)), TypeError, "complex128 at most, got dtype")

ROW = "read-only, strided, negative stride, Fortran, big-endian"


def copies() -> list[np.ndarray[Any, Any]]:
    M = np.array([[2.0, 1.0], [1.0, 3.0]])
    wide, locked = np.zeros((4, 4)), M.copy()
    wide[::2, ::2] = M
    locked.setflags(write=False)
    return [locked, wide[::2, ::2], M[::-1, ::-1].copy()[::-1, ::-1], np.asfortranarray(M), M.astype(">f8")]


gives(ROW, "digest", lambda _: {digest(M) for M in copies()} == {digest(np.array([[2.0, 1.0], [1.0, 3.0]]))}, True)
gives(ROW, "decide_psd", lambda _: {decide_psd(M).answer for M in copies()}, {IN})
gives(ROW, "points", lambda _: [points(M, "X").tolist() for M in copies()], [[[2.0, 1.0], [1.0, 3.0]]] * 5)

ROW = "duplicate points, zero vectors"
gives(ROW, "nasty, duplicates", nasty("n03"), "HOLDS")
gives(ROW, "nasty, zero vectors", nasty("n05"), "HOLDS")
gives(ROW, "--data", lambda f: len(data(np.array([[1.0, 0], [1.0, 0], [0, 0]]))(f).X), 3)

ROW = "subnormal lam, scale 1e308"
gives(ROW, "nasty, subnormal", nasty("n05"), "HOLDS")
gives(ROW, "nasty, huge", nasty("n07"), "HOLDS")
gives(
    ROW, "batch, subnormal", batch(5e-324 * EYE, 5e-324 * np.stack([EYE, 9 * EYE]), 5e-324, Fraction(1, 4)), [IN, OUT]
)
gives(ROW, "batch, huge", batch(1e307 * EYE, 1e307 * np.stack([EYE, 9 * EYE]), 1e306, Fraction(1, 4)), [IN, OUT])

ROW = "huge n or m: m=3 eps^-2 s ln(..) can be 1e12"
refuses(
    ROW, "--data, rows", data(np.ones((LARGEST + 1, 1))), HypothesisNotMet, f"at most {LARGEST} rows, got {LARGEST + 1}"
)
refuses(
    ROW,
    "--data, a header",
    lambda f: sampling_instance(claiming(f / "X.npy", (10**10, 10**7))),
    BadData,
    "not a readable .npy matrix of numbers",
)
refuses(
    ROW,
    ".npy, a header",
    lambda f: decide_pair(claiming(f / "A.npy", (10**6, 10**6)), f / "A.npy"),
    UnreadableInput,
    r"the header claims shape \(1000000, 1000000\), which is not what the file holds",
)
gives(  # counts, not rows: the cost does not depend on m
    ROW,
    "m = 1e15",
    lambda _: construct(in_the_plane()[0], 10**15, PAPER).draw(np.random.default_rng(0), 2).Kt.shape,
    (2, 3, 3),
)


def claiming(path: Path, shape: tuple[int, int]) -> Path:
    """Write a file whose header claims a shape and that holds nothing."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117)
    path.write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + header.encode() + b"\n")
    return path


ROW = "16 s s_lam/delta <= 1"
gives(  # lambda < ||K|| means s_lambda > 1/2, and s_q_tilde >= s_lambda: the logarithm is above ln 4
    ROW,
    "3.3",
    lambda _: min(
        (min(q.s_lambda[0], q.s_q_tilde[0]) > HALF, features_asked(q)[0] > 0)
        for q in (quantities(x) for x in STATEMENT.instances("quick") if isinstance(x, FiniteWorld))
    ),
    (True, True),
)

ROW = "JSON NaN/Infinity/1e999"
refuses(ROW, "JSON, NaN", file(b'{"lam": NaN}'), UnreadableInput, "NaN is not a number in JSON")
refuses(ROW, "JSON, -Infinity", file(b'{"lam": -Infinity}'), UnreadableInput, "-Infinity is not a number in JSON")
refuses(ROW, "JSON, 1e999", file(b'{"lam": 1e999}'), UnreadableInput, "1e999 is a decimal, which is not exact")

ROW = 'JSON duplicate key {"lam":1,"lam":-1}'
refuses(ROW, "JSON", file(b'{"lam":1,"lam":-1}'), UnreadableInput, "key 'lam' is given twice")

ROW = "JSON depth 1e5 / 5001-digit int / 10 GB"
refuses(ROW, "depth", file(b"[" * 10**5), UnreadableInput, "nested deeper than 16")
refuses(
    ROW,
    "digits",
    file(b'{"lam": ' + b"9" * 5001 + b"}"),
    UnreadableInput,
    "an integer of 5001 digits is longer than 4000",
)


def sparse(folder: Path) -> Path:
    path = folder / "big.json"
    with path.open("wb") as opened:
        opened.truncate(10**10)
    return path


refuses(ROW, "10 GB", lambda f: decide_file(sparse(f)), UnreadableInput, "10000000000 bytes are more than 8388608")

ROW = '"../../etc", absolute path, symlink, NUL in names'
refuses(ROW, "NUL in a file's name", lambda _: decide_file("a\0b"), UnreadableInput, "null")
refuses(ROW, "key, statement", lambda _: key("a\0b", "0" * 64), ValueError, "statement.*need printable text")
refuses(ROW, "key, instance", lambda _: key("s", "../../etc"), ValueError, "need 64 lowercase hexadecimal digits")
refuses(
    ROW, "digest", lambda _: check_digest("f(x)", "/etc/passwd"), ValueError, "need 64 lowercase hexadecimal digits"
)
refuses(ROW, "statement", lambda _: find("../../etc"), UnknownStatement, "statement '../../etc' is unknown")
refuses(ROW, "data set", lambda _: load("/etc/passwd", 3), ValueError, "name must be one of .*, got '/etc/passwd'")


def key(statement: str, instance: str) -> bytes:
    return key_digest(statement=statement, instance=instance, stream="x", seed=0, batch_size=1, index=0)


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "fifo")
    (folder / "link").symlink_to("fifo")
    return folder / "link"


if hasattr(os, "mkfifo"):
    refuses(ROW, "a link to no file", lambda f: decide_file(fifo(f)), UnreadableInput, "not a regular file")

ROW = "pickle, .npy with objects"


class Explosive:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.exit, ("unpickled",)


refuses(ROW, "--data", data(np.array([[Explosive()]], object)), BadData, "not a readable .npy matrix of numbers")
refuses(ROW, ".npy", pair(np.array([[Explosive()]], object), EYE), UnreadableInput, "A.npy: ")

ROW = 'float strings "1_000", "0x1.8p+9999"'
refuses(
    ROW, "JSON, 1_000", file({"lam": "1_000"}), UnreadableInput, "'1_000' is not an integer, 'a/b' or a hexadecimal"
)
refuses(ROW, "JSON, 0x1.8p+9999", file({"lam": "0x1.8p+9999"}), UnreadableInput, r"0x1.8p\+9999 is not a float64")
refuses(ROW, "--lam 1_000", data(EYE, lam="1_000"), BadData, "--lam must be a number .*, got '1_000'")
refuses(ROW, "--lam 0x1.8p+9999", data(EYE, lam="0x1.8p+9999"), BadData, "--lam must be a number .*, got '0x1.8p")

ROW = "user plugin raises, exits, hangs, prints, reseeds, mutates its input, nondeterministic"


def crash(_: object) -> None:
    raise ZeroDivisionError("bad luck")


def reseed(_: object) -> None:
    random.seed(0)


def hang(_: object) -> None:
    time.sleep(3600)


def changing(count: np.ndarray[Any, Any]) -> Callable[[np.random.Generator], object]:
    """Write into one's own data: the second run of the key no longer agrees with the first."""

    def act(_: np.random.Generator) -> object:
        count[...] += 1
        return Batch(answers=np.full(4, count % 2, np.int8), stress=nan)

    return act


def drifting(_: np.random.Generator) -> object:
    """Pass every trial, of other draws each time: only the stress shows it."""
    return Batch(answers=np.zeros(4, np.int8), stress=time.perf_counter())


gives(ROW, "raises", plugin(crash), (0, 4, "ZeroDivisionError: bad luck"))
gives(ROW, "exits", plugin(lambda _: sys.exit(0)), (0, 4, "SystemExit: 0"))
gives(ROW, "prints", plugin(lambda _: print("hello")), (0, 0, ""))
gives(ROW, "reseeds", lambda _: trials(reseed)[:2], (0, 4))
gives(ROW, "reseeds, named", lambda _: trials(reseed)[2].startswith("GlobalRandomness: random.seed: need"), True)
TWICE = (0, 4, "nondeterministic: two runs of one key gave different answers")
gives(ROW, "mutates its input", lambda _: trials(changing(np.zeros((), np.int8))), TWICE)
if hasattr(signal, "setitimer"):
    refuses(ROW, "hangs", lambda _: trials(hang, deadline=0.05), TimedOut, "timed out after 0.05 s")


ROW = "plugin returns None/np.bool_/nan"
gives(ROW, "None", answers(None), "TypeError: answers: need an int8 array of shape (4,); got NoneType None")
gives(
    ROW,
    "bool",
    answers(np.ones(4, bool)),
    "TypeError: answers: need an int8 array of shape (4,); got ndarray bool of shape (4,)",
)
gives(
    ROW,
    "nan",
    answers(np.full(4, nan)),
    "TypeError: answers: need an int8 array of shape (4,); got ndarray float64 of shape (4,)",
)
gives(
    ROW,
    "another number",
    answers(np.full(4, 3, np.int8)),
    "ValueError: answers: need 0 (IN), 1 (OUT) or 2 (UNSURE); got 3",
)


# ------------------------------------------------------------------------------------------------------ the test

ROWS = (
    "NaN in upper triangle of K",
    "NaN on diagonal / Inf",
    "asymmetric Kt (upper triangle garbage)",
    "empty 0x0, n=0, m=0, d=0",
    "n=1",
    "wrong shape, Kt (1,1) v (2,2), vector, 0-d",
    "3-d stack",
    "eps = 2, True, NaN; delta 0, 1, NaN",
    "lam <= 0, NaN, str",
    "lam >= ||K||",
    "non-PSD user kernel",
    "p not summing to 1",
    "q misses support of p",
    "qt < q_lambda somewhere",
    "density not normalised (continuous)",
    "int8/int64 data",
    "uint8 difference",
    "bool arrays, masked arrays, np.matrix",
    "complex Hermitian into a real statement",
    "complex non-Hermitian diagonal (2+5j)",
    "object dtype, Fractions",
    "float16, float32",
    "longdouble",
    "read-only, strided, negative stride, Fortran, big-endian",
    "duplicate points, zero vectors",
    "subnormal lam, scale 1e308",
    "huge n or m: m=3 eps^-2 s ln(..) can be 1e12",
    "16 s s_lam/delta <= 1",
    "JSON NaN/Infinity/1e999",
    'JSON duplicate key {"lam":1,"lam":-1}',
    "JSON depth 1e5 / 5001-digit int / 10 GB",
    '"../../etc", absolute path, symlink, NUL in names',
    "pickle, .npy with objects",
    'float strings "1_000", "0x1.8p+9999"',
    "user plugin raises, exits, hangs, prints, reseeds, mutates its input, nondeterministic",
    "plugin returns None/np.bool_/nan",
)


def test_every_row_is_probed_in_order() -> None:
    assert tuple(dict.fromkeys(p.row for p in PROBES)) == ROWS
    assert len({(p.row, p.door) for p in PROBES}) == len(PROBES) >= 160


@pytest.mark.parametrize("probe", PROBES, ids=lambda p: f"{p.row} | {p.door}")
def test_bad_input(probe: Probe, tmp_path: Path) -> None:
    if probe.error is None:
        assert probe.do(tmp_path) == probe.value
        return
    with pytest.raises(probe.error, match=probe.says) as caught:
        probe.do(tmp_path)
    assert "\n" not in str(caught.value)
