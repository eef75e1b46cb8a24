import numpy as np
import pytest

from reference.activation_boundaries import boundaries
from reference.aggregated_descent import Descent, descend_bins
from reference.boundary_layers import PlainLayer, SortedLayer
from reference.gradient_descent import descend
from reference.neuron_bins import Binning

RNG_KEY = 18


def problem(m=4000, **changes):
    rng = np.random.default_rng(RNG_KEY)
    X = rng.standard_normal((4, 3))
    X[2] = -0.5 * X[0]  # on the boundary of the first point, on its other side
    values = {"X": X, "Y": np.array([1.0, -1.0, 0.5]), "m": m, "kappa": 0.8, "lam": 0.02, "step": 0.1, "steps": 60}
    W, a = rng.standard_normal((m, 3)), rng.choice(np.array([-1, 1], dtype=np.int8), m)
    return Descent(**values | changes), W, a


def run(descent, W, a, h, **options):
    bounds = boundaries(descent.X)
    binning = Binning(bounds, h)
    binning.add(W, a)
    return descend_bins(descent, bounds, binning.finished(), kernels=True, **options)


def brute(descent, W, a):
    return descend(
        descent.X[:3],
        descent.Y,
        W,
        a,
        kappa=descent.kappa,
        lam=descent.lam,
        step=descent.step,
        steps=descent.steps,
        X_test=descent.X[3:],
        kernels=True,
    )


@pytest.mark.parametrize("layer", [PlainLayer, SortedLayer])
def test_equals_brute_force_where_certified(layer):
    descent, W, a = problem()
    got, truth = run(descent, W, a, 0.3, layer=layer), brute(descent, W, a)
    assert got.displacement <= 0.3
    assert np.abs(got.u[:, :3] - truth.u).max() <= 1e-12
    assert np.abs(got.u[:, 3:] - truth.u_test).max() <= 1e-12
    assert np.abs(got.secants - truth.secants).max() <= 1e-12
    # counts are integers: only x_i.x_j / m is rounded
    assert np.abs(got.kernels - truth.kernels).max() <= 1e-15
    assert np.array_equal(got.kernels[:, :3], got.kernels[:, :3].swapaxes(1, 2))


def test_secants_differ_from_kernels_where_neurons_cross():
    descent, W, a = problem()
    got = run(descent, W, a, 0.3)
    assert np.abs(got.secants - got.kernels[:-1]).max() > 1e-4


def test_the_secant_identity_closes_every_step():
    descent, W, a = problem()
    got = run(descent, W, a, 0.3)
    rho = descent.Y - got.u[:-1, :3]
    step = got.u[:-1] * (1 - descent.step * descent.lam) + descent.step * descent.kappa**2 * np.einsum(
        "kij,kj->ki", got.secants, rho
    )
    assert np.abs(step - got.u[1:]).max() <= 1e-13


def test_layers_too_thin_are_not_certified_and_are_wrong():
    descent, W, a = problem()
    got, truth = run(descent, W, a, 0.001), brute(descent, W, a)
    assert got.displacement > 0.001
    assert np.abs(got.u[:, :3] - truth.u).max() > 1e-4


def test_displacement_covers_the_normals_of_every_neuron():
    descent, W, a = problem()
    truth = brute(descent, W, a)
    moved = np.abs((truth.v - W) @ boundaries(descent.X).normals.T).max()
    # the bound also counts what layer neurons might have moved, so it is not far above
    got = run(descent, W, a, 0.3).displacement
    assert 0.5 * moved <= got <= 2 * moved


def test_one_bulk_neuron_stays_certified_up_to_its_distance():
    # u = kappa w, m = 1, one point x = 1 in the plane: displacement is what the neuron moves
    descent = Descent(X=np.array([[1.0, 0.0]]), Y=np.array([3.0]), m=1, kappa=1.0, lam=0.1, step=0.1, steps=5)
    W, a = np.array([[1.0, 0.2]]), np.array([1], dtype=np.int8)
    got = run(descent, W, a, 0.5)
    w, decay = 1.0, 0.99
    for k in range(6):
        assert abs(got.u[k, 0] - w) <= 1e-14
        moved = w / decay**k - 1
        w = decay * w + 0.1 * (3 - w)
    assert abs(got.displacement - moved) <= 1e-12


def test_without_the_flag_only_the_first_and_last_kernel_are_kept():
    descent, W, a = problem()
    bounds = boundaries(descent.X)
    binning = Binning(bounds, 0.3)
    binning.add(W, a)
    few, every = descend_bins(descent, bounds, binning.finished(), kernels=False), run(descent, W, a, 0.3)
    assert few.kernel_steps.tolist() == [0, 60]
    assert few.secants is None
    assert np.array_equal(few.kernels, every.kernels[[0, -1]])


def test_divergence_is_named():
    descent, W, a = problem(step=40.0, steps=4000)
    with pytest.raises(OverflowError, match="training left the float range"):
        run(descent, W, a, 0.3)
