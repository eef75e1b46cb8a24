from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gamma as gamma_function
from scipy.stats import cauchy, f, kstest, multivariate_t, t

from reference.arithmetic import interval
from reference.gaussian_fourier import complex_fourier_gram, fourier_gram
from reference.shift_invariant import (
    laplace_density,
    laplace_kernel,
    laplace_kernel_balls,
    laplace_kernel_error,
    matern_density,
    matern_kernel,
    matern_kernel_balls,
    matern_kernel_error,
    sample_laplace_frequencies,
    sample_matern_frequencies,
)

SMOOTHNESS = (0.5, 1.5, 2.5)


class Laplace:
    kernel = staticmethod(laplace_kernel)
    error = staticmethod(laplace_kernel_error)
    balls = staticmethod(laplace_kernel_balls)
    sample = staticmethod(sample_laplace_frequencies)
    density = staticmethod(laplace_density)


class Matern:
    """The same five functions at one smoothness."""

    def __init__(self, nu):
        self.kernel = lambda X, sigma, Z=None: matern_kernel(X, sigma, nu, Z)
        self.error = lambda X, sigma: matern_kernel_error(X, sigma, nu)
        self.balls = lambda X, sigma, bits: matern_kernel_balls(X, sigma, nu, bits)
        self.sample = lambda d, sigma, rng, m: sample_matern_frequencies(d, sigma, nu, rng, m)
        self.density = lambda W, sigma: matern_density(W, sigma, nu)


FAMILIES = {"laplace": Laplace} | {f"matern {nu}": Matern(nu) for nu in SMOOTHNESS}
EVERY = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())


def exact_kernel_error(family, X, sigma, K):
    balls = family.balls(X, sigma, 200)
    n = len(K)
    middle = [[sum(interval(balls[i, j])) / 2 for j in range(n)] for i in range(n)]
    return np.linalg.norm(np.array([[float(Fraction(K[i, j]) - middle[i][j]) for j in range(n)] for i in range(n)]), 2)


# --------------------------------------------------------------------------------------------------- the kernels


def test_laplace_by_hand():
    assert laplace_kernel([[1.0, 2.0]], 3.0).tolist() == [[1.0]]
    assert laplace_kernel([[0.0, 0.0], [1.0, -2.0]], 2.0)[0, 1] == pytest.approx(np.exp(-1.5), rel=1e-15)


def test_matern_by_hand():
    X = [[0.0, 0.0], [3.0, 4.0]]
    assert matern_kernel(X, 2.5, 0.5)[0, 1] == pytest.approx(np.exp(-2), rel=1e-15)
    assert matern_kernel(X, 5 * np.sqrt(3), Fraction(3, 2))[0, 1] == pytest.approx(2 / np.e, rel=1e-14)
    assert matern_kernel(X, 5 * np.sqrt(5), 2.5)[0, 1] == pytest.approx(7 / (3 * np.e), rel=1e-14)


def test_laplace_is_matern_one_half_on_the_line():
    X = np.random.default_rng(1).standard_normal((6, 1))
    difference = laplace_kernel(X, 0.7) - matern_kernel(X, 0.7, 0.5)
    assert np.linalg.norm(difference, 2) <= laplace_kernel_error(X, 0.7) + matern_kernel_error(X, 0.7, 0.5)


@pytest.mark.parametrize("nu", SMOOTHNESS)
def test_matern_is_the_bessel_formula(nu):
    X = np.random.default_rng(2).standard_normal((4, 3))
    K, allowed = matern_kernel(X, 1.5, nu), matern_kernel_error(X, 1.5, nu)
    with mpmath.workdps(40):
        for i in range(4):
            for j in range(i):
                a = (
                    mpmath.sqrt(2 * nu * mpmath.fsum((mpmath.mpf(u) - v) ** 2 for u, v in zip(X[i], X[j], strict=True)))
                    / 1.5
                )
                truth = 2 ** (1 - mpmath.mpf(nu)) / mpmath.gamma(nu) * a**nu * mpmath.besselk(nu, a)
                assert abs(truth - K[i, j]) <= allowed
                low, high = interval(matern_kernel_balls(X, 1.5, nu, 200)[i, j])
                assert abs(mpmath.mpf(low.numerator) / low.denominator - truth) < 1e-36
                assert high - low < Fraction(1, 2**180)


@EVERY
def test_two_sets_agree_with_one(family):
    X = np.random.default_rng(3).standard_normal((40, 3))
    K = family.kernel(X, 2.0)
    assert (K == K.T).all()
    assert (K.diagonal() == 1).all()
    assert np.abs(family.kernel(X, 2.0, X[:7]) - K[:, :7]).max() <= family.error(X, 2.0)


@EVERY
def test_shift_reflection_and_scaling_are_exact(family):
    X = np.random.default_rng(4).integers(-9, 9, size=(6, 2)).astype(float)
    K = family.kernel(X, 4.0)
    assert (family.kernel(X + 17, 4.0) == K).all()
    assert (family.kernel(8 * X, 32.0) == K).all()
    assert (family.kernel(X * [1, -1], 4.0) == K).all()


def test_matern_is_invariant_under_rotation_and_laplace_is_not():
    X = np.random.default_rng(5).integers(-9, 9, size=(6, 2)).astype(float)
    turned = X @ np.array([[3.0, 4.0], [-4.0, 3.0]])
    for nu in SMOOTHNESS:
        difference = matern_kernel(turned, 20.0, nu) - matern_kernel(X, 4.0, nu)
        assert np.linalg.norm(difference, 2) <= 2 * matern_kernel_error(X, 4.0, nu)
    assert np.abs(laplace_kernel(turned, 20.0) - laplace_kernel(X, 4.0)).max() > 0.01


@EVERY
def test_far_points_have_kernel_zero_and_lost_differences_are_refused(family):
    assert family.kernel([[0.0], [1e300]], 1e-300).tolist() == [[1, 0], [0, 1]]
    assert family.kernel([[0.0], [1e200]], 1.0).tolist() == [[1, 0], [0, 1]]
    with pytest.raises(OverflowError, match="a difference of coordinates exceeds the float range"):
        family.kernel([[1.5e308], [-1.5e308]], 1e308)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(list(FAMILIES.values())),
    st.integers(1, 3).flatmap(
        lambda d: st.lists(
            st.lists(st.one_of(st.floats(-5, 5), st.sampled_from([0.0, 1e-9, 40.0, 1e160])), min_size=d, max_size=d),
            min_size=1,
            max_size=4,
        )
    ),
    st.sampled_from([1.0, 0.125, 7.3, 1e-3]),
)
def test_float_error_stays_below_its_bound(family, rows, sigma):
    X = np.array(rows)
    assert exact_kernel_error(family, X, sigma, family.kernel(X, sigma)) <= family.error(X, sigma)


@EVERY
def test_error_bound_is_informative_and_catches_a_bandwidth_off_by_1e_12(family):
    X = 1e4 + np.random.default_rng(6).standard_normal((8, 3))
    assert exact_kernel_error(family, X, 1.0, family.kernel(X, 1.0)) <= family.error(X, 1.0) < 1e-13
    assert exact_kernel_error(family, X, 1.0, family.kernel(X, 1 + 1e-12)) > family.error(X, 1.0)


# --------------------------------------------------------------------------------------------------- the laws


@EVERY
@pytest.mark.parametrize("frequency", [0.0, 0.3, 2.0])
def test_density_is_the_fourier_transform_of_the_kernel_on_the_line(family, frequency):
    sigma = 0.7

    def integrand(z):
        return mpmath.mpf(family.kernel([[0.0]], sigma, [[float(z)]])[0, 0]) * mpmath.cos(2 * mpmath.pi * frequency * z)

    # this direction decays exponentially; both functions are integrable and even, so it implies the other
    transform = 2 * mpmath.quad(integrand, [0, 1, 2, 4, 8, 16, 32])
    assert abs(transform - family.density([[frequency]], sigma)[0]) < 1e-13
    assert abs(transform - family.density([[frequency]], 0.71)[0]) > 1e-6


@pytest.mark.parametrize("d", [1, 2, 3])
def test_densities_agree_with_the_textbook_laws(d):
    sigma, W = 0.7, np.random.default_rng(7).standard_normal((50, d))
    scale = 1 / (2 * np.pi * sigma)
    assert laplace_density(W, sigma) == pytest.approx(cauchy.pdf(W, scale=scale).prod(axis=1), rel=1e-12)
    for nu in SMOOTHNESS:
        law = multivariate_t(shape=np.eye(d) * scale**2, df=2 * nu)
        assert matern_density(W, sigma, nu) == pytest.approx(law.pdf(W), rel=1e-12)
        # Rasmussen and Williams (4.15), which is in frequencies per unit length
        top = (
            2**d
            * np.pi ** (d / 2)
            * gamma_function(nu + d / 2)
            * (2 * nu) ** nu
            / (gamma_function(nu) * sigma ** (2 * nu))
        )
        spectral = top * (2 * nu / sigma**2 + 4 * np.pi**2 * (W**2).sum(axis=1)) ** -(nu + d / 2)
        assert matern_density(W, sigma, nu) == pytest.approx(spectral, rel=1e-12)


@EVERY
def test_density_vanishes_far_out_without_a_warning(family):
    assert family.density([[1e200, 0.0]], 1.0).tolist() == [0.0]


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("sigma", [0.2, 3.0])
def test_samplers_follow_their_laws(d, sigma):
    m, turn = 60_000, 2 * np.pi * sigma
    heavy = sample_laplace_frequencies(d, sigma, np.random.default_rng(8), m) * turn
    assert heavy.shape == (m, d)
    # exact tests of true nulls: each fails for one key in 10^9; 10 per cent in the bandwidth is seen
    assert kstest(heavy.ravel(), cauchy.cdf).pvalue > 1e-9
    assert kstest(heavy.ravel() * 1.1, cauchy.cdf).pvalue < 1e-9
    for nu in SMOOTHNESS:
        W = sample_matern_frequencies(d, sigma, nu, np.random.default_rng(9), m) * turn
        assert kstest(W[:, -1], t(2 * nu).cdf).pvalue > 1e-9
        # the radius knows that the coordinates share one scale: independent t coordinates fail
        assert kstest((W**2).mean(axis=1), f(d, 2 * nu).cdf).pvalue > 1e-9
        assert kstest((W**2).mean(axis=1) * 1.21, f(d, 2 * nu).cdf).pvalue < 1e-9
        shuffled = np.stack([np.roll(W[:, c], c) for c in range(d)], axis=1)
        assert d == 1 or kstest((shuffled**2).mean(axis=1), f(d, 2 * nu).cdf).pvalue < 1e-9


@EVERY
def test_fourier_features_of_the_draws_average_to_the_kernel(family):
    X, m = np.random.default_rng(10).standard_normal((4, 3)), 60_000
    W = family.sample(3, 1.5, np.random.default_rng(11), m)
    gram = fourier_gram(X, W, np.ones(m))
    # entries are means of cosines; Hoeffding for six of them: false alarm below 1e-9
    allowed = np.sqrt(2 * np.log(2 * 6 / 1e-9) / m)
    assert np.abs(gram - family.kernel(X, 1.5)).max() <= allowed
    assert np.abs(gram - family.kernel(X, 2.0)).max() > allowed
    # sines average to 0, so the complex features have the same mean
    assert np.abs(complex_fourier_gram(X, W, np.ones(m)).imag).max() <= allowed


# --------------------------------------------------------------------------------------------------- what is refused


@EVERY
@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan")])
def test_bandwidth_must_be_positive(family, sigma):
    for call in (
        lambda: family.kernel([[1.0]], sigma),
        lambda: family.error([[1.0]], sigma),
        lambda: family.balls([[1.0]], sigma, 64),
        lambda: family.density([[1.0]], sigma),
        lambda: family.sample(1, sigma, np.random.default_rng(0), 1),
    ):
        with pytest.raises(ValueError, match="sigma must be positive and finite, got sigma ="):
            call()


@pytest.mark.parametrize("nu", [1.0, 3.5, float("nan"), "3/2"])
def test_other_smoothness_is_refused(nu):
    family = Matern(nu)
    for call in (
        lambda: family.kernel([[1.0]], 1.0),
        lambda: family.error([[1.0]], 1.0),
        lambda: family.balls([[1.0]], 1.0, 64),
        lambda: family.density([[1.0]], 1.0),
        lambda: family.sample(1, 1.0, np.random.default_rng(0), 1),
    ):
        with pytest.raises(ValueError, match=f"nu must be 1/2, 3/2 or 5/2, got nu = {nu}"):
            call()


def test_other_dimensions_are_refused():
    with pytest.raises(ValueError, match="laplace_kernel: Z must have as many columns as X, got 1 where X has 2"):
        laplace_kernel([[1.0, 2.0]], 1.0, [[1.0]])
