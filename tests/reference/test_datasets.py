import numpy as np
import pytest

from reference.datasets import NAMES, load, unit_rows


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1, 16, 100, 400])
def test_rows_are_unit_different_and_the_same_every_time(name, n):
    X = load(name, n)
    assert len(X) == n
    # one norm of at most 64 squares and one division: 40 roundings at most
    assert np.abs(np.linalg.norm(X, axis=1) - 1).max() <= 40 * 2.0**-53
    assert len(np.unique(X, axis=0)) == n
    assert (load(name, n) == X).all()


@pytest.mark.parametrize(
    ("name", "shape"), [("breast_cancer", (569, 30)), ("diabetes", (442, 10)), ("digits", (1797, 64))]
)
def test_all_rows_can_be_had(name, shape):
    assert load(name, shape[0]).shape == shape


def test_every_kth_row_is_taken():
    from sklearn.datasets import load_digits

    raw = load_digits().data
    X = load("digits", 100)  # k = 17
    assert np.allclose(X[3], raw[51] / np.linalg.norm(raw[51]), rtol=1e-15)


def test_breast_cancer_columns_are_standardised_before_the_rows():
    from sklearn.datasets import load_breast_cancer

    raw = load_breast_cancer().data
    standard = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    assert np.allclose(load("breast_cancer", 569)[7], standard[7] / np.linalg.norm(standard[7]), rtol=1e-12)


def test_what_is_refused():
    with pytest.raises(ValueError, match="name must be one of breast_cancer, diabetes, digits, got 'iris'"):
        load("iris", 3)
    with pytest.raises(ValueError, match=r"n must lie in \[1, 442\] for diabetes, got n = 443"):
        load("diabetes", 443)
    with pytest.raises(ValueError, match="got n = 0"):
        load("diabetes", 0)
    with pytest.raises(ValueError, match="f must have no zero row, got one at 1"):
        unit_rows(np.array([[1.0, 0.0], [0.0, 0.0]]), "f")
    with pytest.raises(ValueError, match="no two equal rows, got rows 0 and 2"):
        unit_rows(np.array([[1.0, 0.0], [0.0, 1.0], [3.0, -0.0]]), "f")
