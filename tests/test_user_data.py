import pickle
from fractions import Fraction

import numpy as np
import pytest

from theorems.catalogue import find
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
    assert x.says == f"X.npy, {array.shape[0]} x {array.shape[1]}, {features} features"


def test_it_lies_within_the_theorem(saved):
    assert find(STATEMENT).violated(sampling_instance(saved(X3))) == []


def test_numbers_are_taken_exactly_but_for_the_ridge(saved):
    x = sampling_instance(saved(X), features="fourier", sigma="1/4", lam="0.1", eps="1e-2", delta="1/3")
    assert (x.sigma, x.lam, x.eps, x.delta) == (0.25, Fraction(0.1), Fraction(1, 100), Fraction(1, 3))


def test_the_ridge_left_out_is_a_tenth_of_the_norm(saved):
    # the tangent kernel of orthonormal points is I/2
    assert float(sampling_instance(saved(X3)).lam) == pytest.approx(0.05, rel=1e-12)


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


@pytest.mark.parametrize("text", ["9" * 49 + "e99", "1e-99", "-1e-99", "1/" + "9" * 60])
def test_whatever_is_read_is_a_float(saved, text):
    assert np.isfinite(float(sampling_instance(saved(X), lam=text).lam))


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
    ],
    ids=["nan", "inf", "no-rows", "no-columns", "1-d", "0-d", "3-d", "complex", "bool", "text", "too-many"],
)
def test_a_matrix_outside_is_an_invalid_instance(saved, array, message):
    with pytest.raises(HypothesisNotMet, match=message):
        sampling_instance(saved(array))


@pytest.mark.parametrize("sigma", ["0", "-1"])
def test_a_bandwidth_is_positive(saved, sigma):
    with pytest.raises(HypothesisNotMet, match=f"--sigma must be positive, got {sigma}"):
        sampling_instance(saved(X), features="fourier", sigma=sigma)


def truncated(folder):
    np.save(folder / "whole.npy", X)
    return (folder / "whole.npy").read_bytes()[:-8]


class Explosive:
    def __reduce__(self):
        return pytest.fail, ("unpickled",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a readable"),
        (b"1,2\n3,4\n", "not a readable"),
        (b"PK\x03\x04 no archive", "not a readable"),
        (truncated, "not a readable"),
        (pickle.dumps(Explosive()), "not a readable"),
        (
            b"\x93NUMPY\x01\x00\x76\x00"
            + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000, 10000000), }".ljust(117)
            + b"\n",
            "not a readable",
        ),
        (b"\x93NUMPY\x01\x00\x10\x00{'no': 'header'}\n", "not a readable"),
        (None, "No such file"),
        ("folder", "Is a directory"),
    ],
    ids=["empty", "csv", "zip", "truncated", "pickle", "boast", "header", "missing", "folder"],
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
