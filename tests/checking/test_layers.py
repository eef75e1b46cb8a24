# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
from fractions import Fraction

import numpy as np
import pytest

from theorems.checking.layers import INDEPENDENCE_DRAWS, LAW_DRAWS, look
from theorems.statement import Answer, Claim, Construction, Layer, Sampling

FACETS = {Layer.SIZE: "size_needed", Layer.MEAN: "mean", Layer.LAW: "sampling", Layer.INDEPENDENCE: "sampling"}
THIRDS = np.array([0.25, 0.25, 0.5])


def built(**facets):
    return Construction(size=100, batch_size=1, draw=lambda rng, trials: None, facts={}, **facets)


def seen(layer, **facets):
    return look(layer, built(**facets), np.random.default_rng(17))


@pytest.mark.parametrize("layer", Layer)
def test_a_layer_without_its_facet_sees_nothing(layer):
    assert seen(layer) is None
    assert layer in FACETS


@pytest.mark.parametrize(
    ("needed", "answer", "allowed"),
    [
        ((99, 100), Answer.IN, "at least 100"),
        ((99, Fraction(199, 2)), Answer.IN, "at least 100"),
        ((100, Fraction(201, 2)), Answer.UNSURE, "at least 101"),
        ((Fraction(201, 2), 101), Answer.OUT, "at least 101"),
        ((10**40, 10**40), Answer.OUT, "at least 1" + "0" * 40),
    ],
)
def test_the_size_is_compared_with_both_ends(needed, answer, allowed):
    [comparison] = seen(Layer.SIZE, size_needed=tuple(map(Fraction, needed))).all
    assert (comparison.answer, comparison.seen, comparison.allowed) == (answer, "100", allowed)


def rows(*entries):
    return [[Fraction(x) for x in row] for row in entries]


def test_the_mean_is_decided_as_a_claim_from_the_generator_given():
    claimed = rows((1, 0), (0, 2))

    def about(built):
        return lambda rng: Claim(says=f"mean {rng.integers(10**9)}", left=built, relation="=", right=claimed)

    [same] = seen(Layer.MEAN, mean=about(claimed)).all
    assert same.answer == Answer.IN
    [off] = seen(Layer.MEAN, mean=about(rows((1, 0), ("1/1000000000000", 2)))).all
    assert (off.answer, off.seen, off.allowed) == (Answer.OUT, "1e-12", "0")
    assert off.says == same.says


def sampler(draws, counts=None):
    return Sampling(
        claimed=THIRDS,
        indices=draws,
        counts=counts or (lambda n, rng: np.bincount(draws(n, rng), minlength=3)),
    )


@pytest.mark.parametrize(
    ("layer", "draws", "sees"),
    [
        # a false alarm at log E >= log 10^6 has probability at most 1e-6 (Ville), here for one fixed generator
        (Layer.LAW, lambda n, rng: rng.choice(3, size=n, p=THIRDS), False),
        (Layer.LAW, lambda n, rng: rng.choice(3, size=n), True),
        (Layer.INDEPENDENCE, lambda n, rng: rng.choice(3, size=n, p=THIRDS), False),
        (Layer.INDEPENDENCE, lambda n, rng: np.repeat(rng.choice(3, size=n, p=THIRDS), 2)[:n], True),
    ],
)
def test_a_sampler_is_bet_against(layer, draws, sees):
    evidence = seen(layer, sampling=sampler(draws))
    assert evidence.draws == (2 * LAW_DRAWS if layer is Layer.LAW else INDEPENDENCE_DRAWS)
    assert (evidence.log_e >= np.log(1e6)) == sees


def test_a_category_that_is_never_drawn_is_counted():
    evidence = seen(Layer.LAW, sampling=sampler(lambda n, rng: np.zeros(n, np.int64)))
    assert evidence.log_e > 1000


def test_counts_of_another_law_than_the_draws_are_seen():
    honest = lambda n, rng: rng.choice(3, size=n, p=THIRDS)  # noqa: E731
    lying = sampler(honest, counts=lambda n, rng: rng.multinomial(n, [0.4, 0.3, 0.3]))
    assert seen(Layer.LAW, sampling=lying).log_e > np.log(1e6)


def test_the_draws_come_from_the_generator_given():
    sampling = sampler(lambda n, rng: rng.choice(3, size=n, p=THIRDS))
    for layer in (Layer.LAW, Layer.INDEPENDENCE):
        assert seen(layer, sampling=sampling) == seen(layer, sampling=sampling)


@pytest.mark.parametrize("layer", [Layer.LAW, Layer.INDEPENDENCE])
def test_too_few_draws_are_refused(layer):
    with pytest.raises(ValueError, match="indices: need an integer array of shape"):
        seen(layer, sampling=sampler(lambda n, rng: rng.choice(3, size=n // 2, p=THIRDS)))


@pytest.mark.parametrize("layer", [Layer.LAW, Layer.INDEPENDENCE])
def test_draws_of_no_category_are_refused(layer):
    with pytest.raises(ValueError, match=r"indices: need categories in \[0, 3\); got 7"):
        seen(layer, sampling=sampler(lambda n, rng: np.full(n, 7), counts=lambda n, rng: np.array([n, 0, 0])))


def test_counts_of_fewer_draws_are_refused():
    honest = lambda n, rng: rng.choice(3, size=n, p=THIRDS)  # noqa: E731
    with pytest.raises(ValueError, match="counts: need counts >= 0 with sum 4096; got a sum of 4095"):
        seen(Layer.LAW, sampling=sampler(honest, counts=lambda n, rng: rng.multinomial(n - 1, THIRDS)))
