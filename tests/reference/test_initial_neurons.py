import numpy as np
import pytest
from scipy.stats import chi2, ks_2samp

from reference.activation_boundaries import boundaries
from reference.arc_cosine import arc_cosine_kernel
from reference.initial_neurons import Aggregated, Given, Streamed, Uncertified, draw_bulk, draw_shell
from reference.truncated_wedges import plane_wedges

LEVEL = 1e-7  # of each of the tests below that can fail by chance

ANGLES = (0.3, 1.5)
X = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def far_sum(bins):
    return bins.totals.sum(axis=0) + sum(f.total for f in bins.facets) + bins.corner_signs @ bins.corners


def standard(k, rng):
    return rng.standard_normal((k, 2)), rng.choice(np.array([-1, 1], dtype=np.int8), k)


@pytest.mark.parametrize("angles", [(0.3, 1.5), (0.3,), (0.3, 0.7, 2.0)])
@pytest.mark.parametrize(("h", "h_next", "tilt"), [(0.0, 0.3, (0.0, 0.0)), (0.2, 0.5, (0.7, -0.4))])
def test_shells_have_the_law_they_say(angles, h, h_next, tilt):
    rng, tilt = np.random.default_rng(7), np.array(tilt)
    wedge = plane_wedges(np.stack([np.cos(angles), np.sin(angles)], axis=1))[1]
    V, a = draw_shell(wedge, h, h_next, 4000, tilt, rng)
    assert len(V) == 4000
    # by definition: z ~ N(tilt, I) where z or -z lies in the shell
    z = rng.standard_normal((400_000, 2)) + tilt
    sign = np.where((z @ wedge.inward.T).sum(axis=1) > 0, 1, -1)
    from_sides = sign[:, None] * (z @ wedge.inward.T)
    kept = (from_sides > h).all(axis=1) & (from_sides <= h_next).any(axis=1)
    for direction in (*wedge.inward, *wedge.along):
        assert ks_2samp(V @ direction, sign[kept] * (z[kept] @ direction)).pvalue > LEVEL
        assert ks_2samp(a * (V @ direction), z[kept] @ direction).pvalue > LEVEL
        if tilt.any():  # and the test sees a tilt that was forgotten
            blind = draw_shell(wedge, h, h_next, 4000, np.zeros(2), rng)
            assert ks_2samp((blind[0] * blind[1][:, None]) @ tilt, z[kept] @ tilt).pvalue < LEVEL


@pytest.mark.parametrize("h", [0.0, 0.3, 1.5])
def test_bulk_has_the_law_it_says(h):
    rng = np.random.default_rng(8)
    wedge = plane_wedges(X)[1]
    V, a = draw_bulk(wedge, h, 2000, rng)
    z = rng.standard_normal((400_000, 2))
    z = z[(z @ wedge.inward.T > h).all(axis=1)]
    assert (V @ wedge.inward.T).min() > h
    for direction in (*wedge.inward, *wedge.along):
        assert ks_2samp(V @ direction, z @ direction).pvalue > LEVEL
    assert abs(int(a.sum())) <= 6 * np.sqrt(len(a))


def test_streamed_neurons_are_the_same_at_every_half_width():
    population = Streamed(boundaries(X), 300_000, np.random.default_rng(9))
    narrow, wide = population.bins(0.01), population.bins(0.2)
    assert narrow.neurons == wide.neurons == 300_000
    assert narrow.layer_neurons < wide.layer_neurons
    assert np.abs(far_sum(narrow) - far_sum(wide)).max() <= 1e-9
    assert population.berry_esseen() == 0


def test_aggregated_neurons_stay_the_same_when_layers_widen():
    population = Aggregated(boundaries(X), 10**6, np.random.default_rng(10))
    narrow, wide = population.bins(0.01), population.bins(0.05)
    assert narrow.neurons == wide.neurons == 10**6
    assert np.abs(far_sum(narrow) - far_sum(wide)).max() <= 1e-9
    kept = {facet.pattern.tobytes() + bytes([facet.boundary]): facet for facet in wide.facets}
    for facet in narrow.facets:
        same = kept[facet.pattern.tobytes() + bytes([facet.boundary])]
        inside = same.positive[np.abs(same.positive) <= 0.01]
        # those near both boundaries at the greater width have moved to the corners
        assert len(np.setdiff1d(inside, facet.positive)) == 0
        assert len(inside) > 0.8 * len(facet.positive)
    with pytest.raises(ValueError, match=r"half_width must be >= 0.05, got 0.01"):
        population.bins(0.01)


def outputs_at_start(bins):
    """sqrt(m) u(0) by definition, from cells, facets and corners."""
    u = (bins.patterns * (bins.totals @ X.T)).sum(axis=0) + bins.corner_signs @ np.maximum(bins.corners @ X.T, 0)
    for facet in bins.facets:
        u += facet.pattern * (X @ facet.total)
        u[facet.boundary] += np.maximum(facet.positive, 0).sum() - np.maximum(facet.negative, 0).sum()
    return u


def whitened(m, runs, widths, seed):
    """sum over runs of u(0)^T Cov^-1 u(0): chi square with 2 runs degrees of freedom when u(0) is Gaussian."""
    covariance = m * arc_cosine_kernel(X, 1)
    total = 0.0
    for run in range(runs):
        population = Aggregated(boundaries(X), m, np.random.default_rng([seed, run]))
        for h in widths:
            bins = population.bins(h)
        u = outputs_at_start(bins)
        total += u @ np.linalg.solve(covariance, u)
    return total


@pytest.mark.parametrize("widths", [(0.05,), (0.01, 0.05), (0.02, 0.1, 0.2)])
def test_outputs_at_the_start_have_the_covariance_of_the_order_1_kernel(widths):
    # also after widening: what is drawn given the sums must leave the law of the whole as it was.
    # Given Cov, the excess kurtosis is below 6 / m: nothing against the level
    runs = 200
    assert chi2.ppf(LEVEL, 2 * runs) < whitened(10**4, runs, widths, 11) < chi2.isf(LEVEL, 2 * runs)


def test_layers_have_the_same_law_whether_widened_or_drawn_at_once():
    def statistics(widths, seed):
        rows = []
        for run in range(200):
            population = Aggregated(boundaries(X), 10**4, np.random.default_rng([seed, run]))
            for h in widths:
                bins = population.bins(h)
            facet = bins.facets[0]
            crossing = facet.positive.sum() - facet.negative.sum()
            rows.append([bins.layer_neurons, crossing, facet.total[0], bins.totals[0, 0], *outputs_at_start(bins)])
        return np.array(rows)

    once, widened = statistics((0.2,), 12), statistics((0.05, 0.2), 13)
    for column in range(once.shape[1]):
        assert ks_2samp(once[:, column], widened[:, column]).pvalue > LEVEL


def test_forgetting_what_the_sums_say_would_show(monkeypatch):
    # drawing the shell as if the sum were unknown leaves too much in the rest
    def unconditional(self, wedge, h, removed, total, covariance):
        drawn = draw_shell(wedge, self._half_width, h, removed, np.zeros(2), self._rng)
        return drawn, 0 * total

    monkeypatch.setattr(Aggregated, "_given_total", unconditional)
    assert whitened(10**4, 200, (0.02, 1.0), 11) > chi2.isf(LEVEL, 400)


def test_cells_with_few_neurons_keep_them():
    thin = np.stack([np.cos([0.3, 0.301]), np.sin([0.3, 0.301])], axis=1)
    population = Aggregated(boundaries(thin), 10**6, np.random.default_rng(14))
    bins = population.bins(1e-4)
    assert bins.neurons == 10**6
    # thin cells hold about 159 neurons, of which some are beyond h
    thin_counts = bins.counts[bins.patterns[:, 0] != bins.patterns[:, 1]]
    assert (thin_counts > 0).any()
    assert (thin_counts < 300).all()
    assert population.bins(0.01).neurons == 10**6


def test_a_shell_that_takes_nearly_everything_is_refused():
    population = Aggregated(boundaries(X), 10**5, np.random.default_rng(15))
    population.bins(0.01)
    with pytest.raises(Uncertified, match=r"too few neurons beyond 3\.5"):
        population.bins(3.5)


def test_berry_esseen_covers_the_third_moments_and_falls_like_one_over_sqrt_m():
    figures = []
    for m in (10**6, 10**8):
        population = Aggregated(boundaries(X), m, np.random.default_rng(16))
        population.bins(10 / np.sqrt(m))
        figures.append(population.berry_esseen())
    assert figures[0] / figures[1] == pytest.approx(10, rel=0.05)
    # without layers, u_i is a sum of m / 2 half normals: E g^3 / (E g^2)^(3/2) = 2 sqrt(2 / pi)
    least = 0.56 * 2 * np.sqrt(2 / np.pi) / np.sqrt(10**6 / 2)
    assert least < figures[0] < 3 * least


def test_given_neurons_are_sorted_as_they_are():
    V, a = standard(1000, np.random.default_rng(17))
    population = Given(boundaries(X), V, a)
    assert np.abs(far_sum(population.bins(0.5)) - a @ V).max() <= 1e-11
    assert population.berry_esseen() == 0
