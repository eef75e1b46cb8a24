import os
import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from theorems import costs
from theorems.catalogue import find
from theorems.checking.keys import digest
from theorems.glss.sampling_instances import CellWorld, FourierData, TangentData
from theorems.statement import HypothesisNotMet
from theorems.user_data import LARGEST, LARGEST_PLANE, STATEMENT, BadData, sampling_instance

X = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
X3 = np.eye(3)


@pytest.fixture
def saved(tmp_path):
    def save(array, name="X.npy"):
        np.save(tmp_path / name, array)
        return tmp_path / name

    return save


@pytest.mark.parametrize(
    ("array", "features", "kind"),
    [
        (X, "relu", CellWorld),
        (X3, "relu", TangentData),
        (X, "fourier", FourierData),
        (np.ones((LARGEST_PLANE + 1, 2)), "relu", TangentData),
        (X.astype(np.float32), "relu", CellWorld),
        (np.array([[1, 0], [0, 2]], np.int8), "relu", CellWorld),
        (np.asfortranarray(X3), "fourier", FourierData),
        (X3.astype(">f8"), "relu", TangentData),
    ],
)
def test_a_matrix_becomes_an_instance(saved, array, features, kind):
    x = sampling_instance(saved(array), features=features)
    assert type(x) is kind
    assert x.X.dtype == np.float64
    assert np.array_equal(x.X, array)
    assert (x.eps, x.delta, x.name) == (Fraction(3, 10), Fraction(1, 10), f"data-{features}")
    assert x.says.startswith(f"X.npy, {array.shape[0]} x {array.shape[1]}, {features} features, lambda = ")


def test_it_lies_within_the_theorem(saved):
    assert find(STATEMENT).violated(sampling_instance(saved(X3))) == []


def test_numbers_are_taken_exactly_but_for_the_ridge(saved):
    x = sampling_instance(saved(X), features="fourier", sigma="1/4", lam="0.1", eps="1e-2", delta="1/3")
    assert (x.sigma, x.lam, x.eps, x.delta) == (0.25, Fraction(0.1), Fraction(1, 100), Fraction(1, 3))


def test_the_ridge_left_out_is_a_tenth_of_the_norm_to_eight_bits(saved):
    # the tangent kernel of orthonormal points is I/2; 1/20 = 204.8 / 2^12
    x = sampling_instance(saved(X3))
    assert x.lam == Fraction(205, 2**12)
    assert x.says.endswith("lambda = 0.050048828125, a tenth of ||K|| to 8 bits")
    assert sampling_instance(saved(X3), lam="0.1").says.endswith("lambda = 0.1")


@pytest.mark.parametrize("features", ["relu", "fourier"])
def test_the_ridge_left_out_does_not_depend_on_the_last_bits(saved, monkeypatch, features):
    data = np.random.default_rng(5).standard_normal((12, 3))
    before, eigvalsh = sampling_instance(saved(data), features=features), np.linalg.eigvalsh
    for factor in (1 + 2e-13, 1 - 2e-13):
        monkeypatch.setattr(np.linalg, "eigvalsh", lambda K, f=factor: f * eigvalsh(K))
        after = sampling_instance(saved(data), features=features)
        assert after.lam == before.lam
        assert digest(after) == digest(before)


def test_the_ridge_is_computed_with_one_thread(saved, monkeypatch):
    seen, eigvalsh = [], np.linalg.eigvalsh

    def watched(K):
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return eigvalsh(K)

    monkeypatch.setattr(np.linalg, "eigvalsh", watched)
    with threadpool_limits(limits=2):
        sampling_instance(saved(X3))
    assert set(seen) == {1}


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (option, text)
        for option in ("sigma", "lam", "eps", "delta")
        for text in (
            "",
            "nan",
            "inf",
            "0.1.2",
            "1/0",
            "1_0",
            "0x1",
            "one",
            "1e999999999",
            "1" * 200,
            " 1",
            "1/2/3",
            "٣",
        )
    ],
)
def test_a_number_that_is_none_is_refused(saved, option, text):
    with pytest.raises(BadData, match=rf"^--{option} must be a number such as 0.1, 1/10 or 1e-3, got "):
        sampling_instance(saved(X), features="fourier", **{option: text})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9" * 49 + "e99", "lambda must be proven below"),
        ("1e-99", "lambda must be above .*, twice the error of K in float64, got lambda = 1e-99"),
        ("-1e-99", "lambda must be positive, got lambda = -1e-99"),
        ("1/" + "9" * 60, "lambda must be above"),
    ],
)
def test_whatever_is_read_is_a_float_but_not_always_a_ridge(saved, text, message):
    with pytest.raises(HypothesisNotMet, match=message):
        sampling_instance(saved(X), lam=text)


@pytest.mark.parametrize("delta", ["1e-30", "1e-99"])
def test_a_tiny_failure_probability_is_a_hypothesis_like_any_other(saved, delta):
    assert sampling_instance(saved(X), delta=delta).delta == Fraction(delta)


MORE = {
    "long-double": (np.ones((1, 1), np.longdouble), "at most 64 bits, got dtype float128"),
    "record": (np.zeros((1, 1), [("a", "<f8")]), "got dtype"),
    "date": (np.zeros((1, 1), "datetime64[s]"), "got dtype datetime64"),
    "beyond-float": (np.array([[2**53 + 1, 0]]), r"exact in float64, got 9007199254740993 at \(0, 0\)"),
    "huge": (np.full((2, 2), 1.7e308), r"largest entry of X must lie in \[2\^-480, 2\^480\], got 1.7e\+308: scale X"),
    "tiny": (np.full((2, 3), 1e-160), r"largest entry of X must lie in .*, got 1e-160"),
}


def test_unknown_features_are_refused(saved):
    with pytest.raises(BadData, match="--features must be relu or fourier, got 'cosine'"):
        sampling_instance(saved(X), features="cosine")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[1.0, np.nan]]), r"X must be finite, got nan at \(0, 1\)"),
        (np.array([[np.inf, 1.0]]), r"X must be finite, got inf at \(0, 0\)"),
        (np.zeros((0, 3)), r"X must not be empty, got shape \(0, 3\)"),
        (np.zeros((3, 0)), r"X must not be empty, got shape \(3, 0\)"),
        (np.zeros(3), r"X must have 2 axes, got shape \(3,\)"),
        (np.float64(1), r"X must have 2 axes, got shape \(\)"),
        (np.zeros((2, 2, 2)), r"X must have 2 axes"),
        (X + 1j, "got dtype complex128"),
        (X > 0, "got dtype bool"),
        (np.array([["a"]]), "got dtype <U1"),
        (np.ones((LARGEST + 1, 1)), f"X must have at most {LARGEST} rows, got {LARGEST + 1}"),
        *MORE.values(),
    ],
    ids=["nan", "inf", "no-rows", "no-columns", "1-d", "0-d", "3-d", "complex", "bool", "text", "too-many", *MORE],
)
def test_a_matrix_outside_is_an_invalid_instance(saved, array, message):
    with pytest.raises(HypothesisNotMet, match=message):
        sampling_instance(saved(array))


@pytest.mark.parametrize("sigma", ["0", "-1"])
def test_a_bandwidth_is_positive(saved, sigma):
    with pytest.raises(HypothesisNotMet, match=f"--sigma must be positive, got {sigma}"):
        sampling_instance(saved(X), features="fourier", sigma=sigma)


@pytest.mark.parametrize(
    ("array", "sigma", "message"),
    [
        (X * 1e300, "1", r"entries of X must be at most 2\^40 sigma, got 1e\+300 where sigma = 1"),
        (X, "1e-13", r"entries of X must be at most 2\^40 sigma, got 1 where sigma = 1e-13"),
        (X, "1e99", r"--sigma must lie in \[2\^-300, 2\^300\], got 1e99"),
        (X * 1e-99, "1e-99", r"--sigma must lie in \[2\^-300, 2\^300\], got 1e-99"),
    ],
)
def test_points_far_beyond_the_bandwidth_are_refused(saved, array, sigma, message):
    with pytest.raises(HypothesisNotMet, match=message):
        sampling_instance(saved(array), features="fourier", sigma=sigma)


@pytest.mark.parametrize("c", [2.0**-470, 2.0**470])
def test_the_scale_changes_nothing_within_the_range(saved, c):
    scaled, plain = sampling_instance(saved(c * X3)), sampling_instance(saved(X3))
    size = find(STATEMENT).conclusion.size
    assert scaled.lam == plain.lam * Fraction(c) ** 2
    assert size(scaled) == size(plain)


@pytest.mark.parametrize("gap", [2.0**-30, 2.0**-1000, 2.0**-1020, 2.0**-1074])
def test_nearly_parallel_rows_are_judged(saved, gap):
    # a cell of that probability is no float64: such rows are streamed
    x = sampling_instance(saved(np.array([[1.0, gap], [1.0, 0.0]])))
    assert type(x) is (CellWorld if gap >= 2.0**-1000 else TangentData)


@pytest.mark.parametrize(
    "array",
    [
        np.ones((1, 1)),
        np.ones((3, 2)),
        np.array([[1.0, 0], [0, 0], [-1, 0]]),
        np.array([[100, 100], [-128, 0]], np.int8),
    ],
    ids=["one", "duplicates", "zero-row-and-antipode", "int8"],
)
@pytest.mark.parametrize("features", ["relu", "fourier"])
def test_corners_are_judged(saved, array, features):
    assert sampling_instance(saved(array), features=features).lam > 0


def test_the_layout_of_the_file_does_not_change_the_digest(saved):
    layouts = [X, np.asfortranarray(X), X.astype(">f8"), np.repeat(X, 2, axis=0)[::2], X[::-1].copy()[::-1]]
    assert len({digest(sampling_instance(saved(array))) for array in layouts}) == 1


def test_the_file_may_change_afterwards(saved):
    x = sampling_instance(saved(X))
    saved(2 * X)
    assert np.array_equal(x.X, X)


# ---------------------------------------------------------------------------------------------- what it would cost


@pytest.fixture
def small_machine(monkeypatch):
    monkeypatch.setattr(costs, "free_memory", lambda: 2 * 10**9)


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize("shape", [(1024, 2), (4, 10**9)])
def test_a_matrix_that_does_not_fit_is_refused_before_it_is_read(tmp_path, shape):
    np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", dtype=np.float64, shape=shape)  # a file of holes
    with pytest.raises(
        HypothesisNotMet, match=rf"{shape[0]} rows, about [\d,]+ bytes: more than a quarter of the 2,000"
    ):
        sampling_instance(tmp_path / "X.npy")


@pytest.mark.usefixtures("small_machine")
@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (X, {"eps": "1e-10"}, r"3 rows ask for m = [\d,]+ draws, and m must be below 2\^63"),
        (X3, {"eps": "1e-4"}, r"3 rows ask for m = [\d,]+ draws, about [\d,]+ bytes: more than a quarter of the 2,000"),
        (X3, {"eps": "1e-4", "features": "fourier"}, r"3 rows ask for m = [\d,]+ draws, about [\d,]+ bytes"),
        (np.array([[1.0, 2.0**-30, 0], [1, 0, 0]]), {"lam": "1e-9"}, r"[\d,]+ proposals for each: at most 16,384"),
        (X3, {"lam": "1e-15"}, r"lambda must be above 2.5e-14, twice the error of K in float64, got lambda = 1e-15"),
    ],
)
def test_a_size_that_does_not_fit_is_refused_before_any_trial(saved, array, options, message):
    with pytest.raises(HypothesisNotMet, match=message):
        sampling_instance(saved(array), **options)


def test_counted_features_may_be_very_many(saved):
    x = sampling_instance(saved(X), eps="1e-7")
    assert find(STATEMENT).conclusion.size(x) > 10**15


def test_what_float64_cannot_hold_is_refused_by_the_name_of_what_refused(saved):
    data = np.random.default_rng(1).standard_normal((40, 1))  # with a Gaussian kernel, close to singular
    with pytest.raises(HypothesisNotMet, match="K \\+ lam I must be well enough conditioned for float64"):
        sampling_instance(saved(data), features="fourier", lam="2e-13")


def truncated(folder):
    np.save(folder / "whole.npy", X)
    return (folder / "whole.npy").read_bytes()[:-8]


def header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode()
    return b"\x93NUMPY\x01\x00\x76\x00" + text + b"\n" + bytes(24)


class Explosive:
    def __reduce__(self):
        return pytest.fail, ("unpickled",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a readable"),
        (b"1,2\n3,4\n", "not a readable"),
        (b"PK\x03\x04 no archive", "need one array"),
        (truncated, "not a readable"),
        (pickle.dumps(Explosive()), "not a readable"),
        (header("(10000000000, 10000000)"), "not a readable"),
        (b"\x93NUMPY\x01\x00\x10\x00{'no': 'header'}\n", "not a readable"),
        (header("(True, 3)"), "not a readable"),
        (header("(-1, 3)"), "not a readable"),
        (header("(10000000000000000000000, 3)"), "not a readable"),
        (header("(4294967296, 4294967296)"), "not a readable"),
        (None, "No such file"),
        ("folder", "Is a directory"),
    ],
    ids=[
        *(
            "empty",
            "csv",
            "zip",
            "truncated",
            "pickle",
            "boast",
            "header",
            "bool",
            "negative",
            "beyond-long",
            "wrapped",
        ),
        *("missing", "folder"),
    ],
)
def test_a_file_that_is_no_matrix_is_refused(tmp_path, content, reason):
    path = tmp_path / "X.npy"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content(tmp_path) if callable(content) else content)
    with pytest.raises(BadData, match=rf"^--data {path}: .*{reason}"):
        sampling_instance(path)


def test_objects_are_never_unpickled(tmp_path):
    np.save(tmp_path / "X.npy", np.array([[Explosive()]], dtype=object), allow_pickle=True)
    with pytest.raises(BadData, match="not a readable"):
        sampling_instance(tmp_path / "X.npy")


def test_an_archive_is_not_one_array(tmp_path):
    np.savez(tmp_path / "X.npz", a=X)
    with pytest.raises(BadData, match="need one array"):
        sampling_instance(tmp_path / "X.npz")


def test_a_file_name_may_hold_anything(tmp_path):
    path = tmp_path / "caf\udce9.npy"  # a byte that is no UTF-8
    with path.open("wb") as f:
        np.save(f, X)
    sampling_instance(path).says.encode("utf-8")


def test_a_file_name_reaches_no_terminal_raw(saved):
    assert sampling_instance(saved(X, "\x1b[31m.npy")).says.startswith(r"\x1b[31m.npy, 3 x 2")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "X.npy")
    with pytest.raises(BadData, match="must be a regular file that can be read again, got a pipe or a device"):
        sampling_instance(tmp_path / "X.npy")


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/null", "/dev/fd/0", "/proc/self/fd/0"])
def test_a_stream_is_no_file(saved, monkeypatch, name):
    path, stat = saved(X), Path.stat
    # even where a regular file stands behind the name
    monkeypatch.setattr(Path, "stat", lambda self, **options: stat(path if str(self) == name else self, **options))
    with pytest.raises(BadData, match="must be a regular file"):
        sampling_instance(Path(name))
