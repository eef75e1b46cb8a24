"""The studies of training on tiny sizes: their numbers by other routes, their keys, their words."""

from dataclasses import replace

import numpy as np
import pytest

from reference.relu_tangent import tangent_kernel
from theorems.checking.court import Sitting
from theorems.studies import initialisation, training_exponents, training_paths, wide_training
from theorems.studies.documents import _checked
from theorems.studies.training_exponents import CANDIDATES, Family, families, measured, nominate

STUDIES = [training_paths.STUDY, wide_training.STUDY, training_exponents.STUDY, initialisation.STUDY]


def sitting(seed=1):
    return Sitting(seed=seed, campaign=1, budget=0, code="c" * 64)


def named(study, row):
    return dict(zip([column.name for column in study.columns], _checked(study, row), strict=True))


# ----------------------------------------------------------------------------------------------------------- paths


def test_paths_follow_their_equations():
    x = replace(training_paths.EXAMPLE, steps=8)
    rows = training_paths.path(x, 30, sitting())
    assert rows[:, 0] == pytest.approx([0, 0.5, 1])
    # u_ntk by the recursion itself
    u = np.zeros(2)
    H, h, lam = tangent_kernel(x.X), float(x.step), float(x.lam)
    for _ in range(8):
        u = u + h * (H @ (x.Y - u) - lam * u)
    assert rows[-1, [2, 5]] == pytest.approx(u, abs=1e-13)
    u_star = np.linalg.solve(H + lam * np.eye(2), H @ x.Y)
    assert rows[0, [3, 6]] == pytest.approx(u_star, abs=1e-13)
    assert rows[:, 7] == pytest.approx(np.linalg.norm(rows[:, [1, 4]] - u_star, axis=1), abs=1e-13)
    assert not rows[0, [2, 5]].any()
    assert rows[0, [1, 4]].all()


def test_reference_value_of_u_star_on_I1():
    rows = training_paths.path(replace(training_paths.EXAMPLE, steps=0), 10, sitting())
    assert rows[0, [3, 6]] == pytest.approx([0.795093033916226411, -0.795093033916226411], abs=1e-14)


def test_paths_of_two_widths_and_two_seeds_differ(monkeypatch):
    x = replace(training_paths.EXAMPLE, steps=4)
    starts = [training_paths.path(x, m, sitting(seed))[0, 1] for m, seed in ((10, 1), (20, 1), (10, 2), (10, 1))]
    assert len(set(starts)) == 3
    assert starts[0] == starts[3]
    monkeypatch.setattr(training_paths, "EXAMPLE", x)
    monkeypatch.setattr(training_paths, "WIDTHS", {"quick": (10, 20)})
    rows = [named(training_paths.STUDY, row) for row in training_paths.STUDY.rows("quick", sitting(), None)]
    assert [(row["m"], row["t"]) for row in rows] == [(10, 0.0), (10, 0.5), (20, 0.0), (20, 0.5)]


# ---------------------------------------------------------------------------------------------------------- widths


def test_rows_of_wide_training_say_what_was_run():
    brute, wide = (named(wide_training.STUDY, wide_training.row(m, 0, sitting())) for m in (100, 30_000))
    assert brute["certificate"] == "brute force"
    assert brute["layer"] == 100
    assert wide["certificate"].startswith("displacement <= half width")
    assert wide["layer"] < 30_000
    for row in (brute, wide):
        assert row["err m"] == pytest.approx(row["err"] * row["m"])
        assert row["lambda T"] == pytest.approx(80 / row["m"] ** 0.5)
        assert row["law"] == "exact initial law"
    assert wide_training.row(100, 1, sitting())[2] != wide_training.row(100, 0, sitting())[2]
    assert wide_training.row(100, 0, sitting(2))[2] != wide_training.row(100, 0, sitting())[2]


def test_longer_profiles_are_wider():
    assert max(wide_training.WIDTHS["quick"]) == 10**8
    assert max(wide_training.WIDTHS["ci"]) == 10**10
    assert max(wide_training.WIDTHS["night"]) == 10**12


# ------------------------------------------------------------------------------------------------------- exponents


def test_the_error_is_the_distance_to_u_star():
    """Against training written out, neuron by neuron, with the same draws."""
    X, Y = CANDIDATES["orthonormal"](2, None)
    m, found = 50, training_exponents.error(*CANDIDATES["orthonormal"](2, None), 50, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    W, a, lam = rng.standard_normal((m, 2)), rng.choice([-1.0, 1.0], m), m**-0.5
    step = 0.9 / (0.5 + lam)
    for _ in range(int(np.ceil(32 / step))):
        u = np.maximum(X @ W.T, 0) @ a / m**0.5
        W = (1 - step * lam) * W + step * ((Y - u) @ ((X @ W.T >= 0)[:, :, None] * X[:, None, :]).swapaxes(0, 1)) * (
            a[:, None] / m**0.5
        )
    u = np.maximum(X @ W.T, 0) @ a / m**0.5
    assert found == pytest.approx(np.linalg.norm(u - 0.5 / (0.5 + lam) * Y), rel=1e-9)


@pytest.mark.parametrize("name", CANDIDATES)
def test_candidates_are_unit_points_whose_least_eigenvalue_stays(name):
    least = []
    for n in (2, 4, 16):
        X, Y = CANDIDATES[name](n, None)
        assert (X**2).sum(axis=1) == pytest.approx(np.ones(n), abs=1e-14)
        assert set(Y) <= {-1.0, 1.0}
        least.append(np.linalg.eigvalsh(tangent_kernel(X))[0])
    assert least == pytest.approx([least[0]] * 3, abs=1e-12)
    assert least[0] >= 1 / 5


def test_the_search_finds_a_family_that_is_planted(monkeypatch):
    def loud(n, rng):
        X, Y = CANDIDATES["orthonormal"](n, rng)
        return X, n**2 * Y

    monkeypatch.setitem(CANDIDATES, "planted", loud)
    assert nominate(sitting(), runs=2, sizes=(2, 4)) == "planted"


def tiny(**changes):
    given = {
        "quantity": "n",
        "name": "tiny",
        "claimed": 4,
        "sizes": (2, 4, 8),
        "data": CANDIDATES["orthonormal"],
        "width": lambda _: 200,
    }
    return Family(**given | changes)


def test_a_family_is_measured_with_its_exponent_in_every_row():
    rows = [named(training_exponents.STUDY, row) for row in measured(tiny(), 3, sitting())]
    assert [row["value"] for row in rows] == [2, 4, 8]
    assert len({(row["lower"], row["exponent"], row["upper"]) for row in rows}) == 1
    for row in rows:
        assert row["lower"] <= row["exponent"] <= row["upper"]
        assert row["Lambda_0"] == pytest.approx(0.5)
        assert row["err m"] == pytest.approx(200 * row["err"])


def test_the_exponent_in_eps_is_that_of_the_width():
    x = tiny(quantity="1/eps", sizes=(100.0, 400.0, 1600.0), data=lambda _m, _rng: CANDIDATES["orthonormal"](2, None))
    x = replace(x, width=int)
    rows = [named(training_exponents.STUDY, row) for row in measured(x, 7, sitting())]
    for row in rows:
        assert row["value"] == pytest.approx(1 / row["err"])
        assert row["lower"] <= row["exponent"] <= row["upper"]
    logs = np.log([[row["err"], row["m"]] for row in rows])
    slopes = sorted((logs[j, 0] - logs[i, 0]) / (logs[j, 1] - logs[i, 1]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert rows[0]["exponent"] == pytest.approx(-1 / slopes[1])


def test_the_found_family_is_measured_on_fresh_runs(monkeypatch):
    monkeypatch.setattr(training_exponents, "families", lambda _profile: [tiny()])
    monkeypatch.setattr(training_exponents, "RUNS", {"quick": 2})
    monkeypatch.setattr(training_exponents, "nominate", lambda _sitting: "orthonormal")
    rows = [named(training_exponents.STUDY, r) for r in training_exponents.STUDY.rows("quick", sitting(), None)]
    assert list(dict.fromkeys(row["data"] for row in rows)) == ["tiny", "orthonormal (found)", "orthogonal pairs"]


def test_longer_profiles_have_longer_ranges():
    quick, ci = families("quick"), families("ci")
    assert [x.quantity for x in quick] == [x.quantity for x in ci] == ["1/eps", "1/Lambda_0", "n", "d"]
    for short, long in zip(quick, ci, strict=True):
        assert len(short.sizes) >= 5
        assert long.sizes[: len(short.sizes)] == short.sizes


# -------------------------------------------------------------------------------------------------- initialisation


def test_the_comparison_of_initialisations_is_of_independent_networks():
    X = initialisation.DATA["three points"]
    row = named(initialisation.STUDY, initialisation.compare("three", X, 40, 5, sitting()))
    assert row["lower"] <= row["upper"]
    assert row["ratio"] == pytest.approx(row["err m, leverage"] / row["err m, Gaussian"])
    assert initialisation.compare("three", X, 40, 5, sitting(2))[4] != row["err m, Gaussian"]


def test_leverage_is_no_other_initialisation_on_one_point():
    """For one point omega = 1 / sqrt 2 on the half space that sees it, and training leads to u* too."""
    X = np.array([[1.0, 0.0]])
    for leverage in (False, True):
        found = [initialisation.error(X, 4000, leverage, np.random.default_rng(k)) for k in range(4)]
        assert max(found) < 0.01


# ------------------------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize("study", STUDIES, ids=lambda s: s.id)
def test_figures_read_columns_and_every_column_is_explained(study):
    names = {column.name for column in study.columns}
    assert all(column.says for column in study.columns)
    for figure in study.figures:
        assert set(figure.names) <= names
        assert figure.says
