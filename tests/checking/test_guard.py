# ruff: noqa: NPY002 - the legacy functions are what is guarded against
import random
import signal
import subprocess
import sys
import time
import warnings
from random import random as random_by_name

import numpy as np
import pytest
from numpy.random import rand as rand_by_name

from theorems.checking.guard import GlobalRandomness, NoAnswer, answered, guarded
from theorems.statement import HypothesisNotMet

FORBIDDEN = [
    (random, "random", ()),
    (random, "seed", (1,)),
    (random, "shuffle", ([1, 2],)),
    (random, "getrandbits", (3,)),
    (random, "getstate", ()),
    (np.random, "random", ()),
    (np.random, "rand", (2,)),
    (np.random, "randn", ()),
    (np.random, "seed", (0,)),
    (np.random, "normal", ()),
    (np.random, "choice", (3,)),
    (np.random, "get_state", ()),
    (np.random, "default_rng", ()),
    (np.random, "default_rng", (None,)),
]


@pytest.mark.parametrize(("module", "name", "arguments"), FORBIDDEN)
def test_global_functions_raise_and_are_named(module, name, arguments):
    function = getattr(module, name)
    with guarded(), pytest.raises(GlobalRandomness, match=rf"^{module.__name__}\.{name}: need draws"):
        getattr(module, name)(*arguments)
    assert getattr(module, name) is function


def test_seed_none_by_keyword_raises_too():
    with guarded(), pytest.raises(GlobalRandomness, match="default_rng"):
        np.random.default_rng(seed=None)


def test_every_public_function_is_guarded_and_comes_back():
    def functions():
        return {
            (module.__name__, name): value
            for module in (random, np.random)
            for name, value in vars(module).items()
            if not name.startswith("_") and callable(value) and not isinstance(value, type)
        }

    before = functions()
    with guarded():
        within = functions()
    assert functions() == before
    assert within.keys() == before.keys()
    assert [name for name in before if within[name] is before[name]] == []


def test_what_takes_a_seed_stays_allowed():
    with guarded():
        a = np.random.default_rng(3).random()
        b = np.random.default_rng(seed=3).random()
        c = np.random.RandomState(3).random_sample()
        d = random.Random(3).random()
        assert isinstance(np.random.default_rng(3), np.random.Generator)
    assert a == b == np.random.default_rng(3).random()
    assert c == np.random.RandomState(3).random_sample()
    assert d == random.Random(3).random()


def test_functions_come_back_after_an_exception():
    original = np.random.normal, random.random
    with pytest.raises(ZeroDivisionError), guarded():
        1 / 0  # noqa: B018
    assert (np.random.normal, random.random) == original


@pytest.mark.parametrize(
    ("draw", "owner"), [(random_by_name, "random"), (rand_by_name, "numpy.random")], ids=["random", "numpy"]
)
def test_functions_imported_by_name_are_caught_by_the_state(draw, owner):
    with pytest.raises(GlobalRandomness, match=rf"^{owner}: need its global generator untouched"), guarded():
        draw()


def test_the_state_is_compared_for_other_bit_generators_too():
    shared = np.random.get_bit_generator()
    np.random.set_bit_generator(np.random.PCG64(5))
    draw = np.random.mtrand.random_sample
    try:
        with guarded():
            pass
        with pytest.raises(GlobalRandomness, match=r"numpy\.random"), guarded():
            draw()
    finally:
        np.random.set_bit_generator(shared)


def test_an_exception_is_not_hidden_by_a_moved_state():
    def draw_and_crash():
        random_by_name()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), guarded():
        draw_and_crash()


def test_guards_nest():
    original = random.random
    with guarded(), guarded(), pytest.raises(GlobalRandomness):
        random.random()
    assert random.random is original


def test_a_stand_in_kept_from_within_works_afterwards():
    with guarded():
        kept = random.random  # what `from random import random` does in a module first imported here
    assert 0 <= kept() < 1


def test_the_global_state_is_left_alone():
    before = random.getstate(), np.random.get_state()[1].tolist()
    with guarded():
        pass
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


def test_importing_the_guard_leaves_the_global_generators_alone():
    script = (
        "import random, numpy as np\n"
        "before = random.getstate(), np.random.get_state()[1].tolist(), random.random, np.random.rand\n"
        "import theorems.checking.guard\n"
        "assert (random.getstate(), np.random.get_state()[1].tolist(), random.random, np.random.rand) == before\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": ":".join(sys.path)})


# -------------------------------------------------------------------------------------------- asking


def ask(task, deadline=60.0):
    return answered("claims", task, deadline=deadline)


def raising(error: BaseException):
    def task():
        raise error

    return task


def warn():
    warnings.warn("overflow", RuntimeWarning, stacklevel=1)


def test_an_answer_is_given_back():
    assert ask(lambda: 17) == 17


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (raising(ValueError("bad luck")), "claims: ValueError: bad luck"),
        (raising(RecursionError("deep")), "claims: RecursionError: deep"),
        (raising(SystemExit(0)), "claims: SystemExit: 0"),
        (warn, "claims: RuntimeWarning: overflow"),
        (np.random.normal, "claims: GlobalRandomness: numpy.random: need its global generator"),
        (lambda: np.random.normal(), "claims: GlobalRandomness: numpy.random.normal: need draws from the rng"),
        (lambda: random.random(), "claims: GlobalRandomness: random.random: need draws from the rng"),
    ],
)
def test_whatever_goes_wrong_is_named(task, says):
    with pytest.raises(NoAnswer) as caught:
        ask(task)
    assert str(caught.value).startswith(says)


def test_the_line_that_failed_is_named():
    line = raising.__code__.co_firstlineno + 2
    with pytest.raises(NoAnswer, match=rf"^claims: ZeroDivisionError: zero \(test_guard\.py:{line}\)$"):
        ask(raising(ZeroDivisionError("zero")))


@pytest.mark.parametrize("filters", ["ignore", "error", "default"])
def test_warnings_are_errors_whatever_the_filters_of_the_caller(filters):
    with warnings.catch_warnings():
        warnings.simplefilter(filters)
        with pytest.raises(NoAnswer, match="RuntimeWarning: overflow"):
            ask(warn)


def test_error_texts_are_cut_and_made_storable():
    with pytest.raises(NoAnswer) as caught:
        ask(raising(ValueError("\ud800" + "x" * 5000)))
    assert str(caught.value).startswith("claims: ValueError: \\ud800xxx")
    assert len(str(caught.value).encode()) < 500


@pytest.mark.parametrize("error", [HypothesisNotMet("lam > ||K||"), MemoryError(), KeyboardInterrupt()])
def test_what_is_no_fault_of_the_statement_propagates(error):
    with pytest.raises(type(error)) as caught:
        ask(raising(error))
    assert caught.value is error


def wrapped():
    raise ValueError("wrapped") from KeyboardInterrupt()


@pytest.mark.parametrize("task", [raising(SystemError("returned a result with an exception set")), wrapped])
def test_an_interruption_in_disguise_interrupts(task):
    with pytest.raises(KeyboardInterrupt):
        ask(task)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm")
def test_what_hangs_is_ended_and_leaves_no_stand_ins():
    originals = random.random, np.random.normal
    with pytest.raises(NoAnswer, match=r"^claims: timed out after 0.05 s$"):
        ask(lambda: time.sleep(3600), deadline=0.05)
    assert (random.random, np.random.normal) == originals
