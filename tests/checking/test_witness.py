"""Witnesses: written, read back strictly, decided in integers; hostile files are refused."""
# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for

import os
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theorems.checking.bernoulli import REFUTE_GRID, least_refuting
from theorems.checking.box_bound import _inside_at_most, _up, leaves_box_at_least
from theorems.checking.budget import ALPHA_REFUTED
from theorems.checking.claims import decide as court_decides
from theorems.checking.events import Event
from theorems.checking.exact_probability import multinomial_leaves_box
from theorems.checking.keys import digest, generator
from theorems.checking.negative_direction import negative_direction
from theorems.checking.witness import Heard, NoWitness, Witness, decide, make, read, write
from theorems.checking.witness_decision import ALPHA, GRID, decide_document, e_value_reaches, violated
from theorems.checking.witness_evidence import refuted_claim
from theorems.checking.witness_file import LARGEST, MOST_DIGITS, Refused, canonical, document_of, number
from theorems.checking.witness_instance import Unwritable, classes_of, instance_of, written
from theorems.statement import (
    Answer,
    BoundBatch,
    Claim,
    Construction,
    CountsBox,
    ForEach,
    Instance,
    Layer,
    NearMatrix,
    Rate,
    Slope,
    Trials,
)

F = Fraction


def claims(*made: Claim) -> ForEach:
    return ForEach(claims=lambda x: made)


FALSE = Claim(says="2 <= 1", left=F(2), relation="<=", right=F(1))
TRUE = Claim(says="1 <= 2", left=F(1), relation="<=", right=F(2))


@pytest.fixture
def small(world):
    """The smallest witness: 2 <= 1."""
    statement = world.statement(conclusion=claims(FALSE, TRUE))
    return make(statement, None, statement.instances("quick")[0])


def coin(world, p, **parts):
    """A statement that fails with probability p, its instance, and what the court would have heard of it."""
    x = world.Coin(name="coin", says="a coin", p=p)
    statement = world.statement(x, conclusion=world.conclusion(**parts))
    event = Event(construction=statement.conclusion.construction(x, 1000))
    rng = generator(statement=statement.id, instance=digest(x), stream="evidence", seed=7, batch_size=64, index=0)
    answers = event.run(rng, 64).answers
    counts = Trials(trials=64, failures=int((answers == Answer.OUT).sum()), unsure=0)
    return statement, x, Heard(stream="evidence", seed=7, alpha=ALPHA_REFUTED, counts=counts)


# ------------------------------------------------------------------------------------------ to a file and back


def test_a_witness_survives_its_file(small, tmp_path):
    write(small, tmp_path / "w.json")
    assert read(tmp_path / "w.json") == small
    assert decide(small).proven
    assert [p.name for p in tmp_path.iterdir()] == ["w.json"]


def test_the_bytes_depend_on_nothing_else(small, tmp_path):
    for name in "ab":
        write(small, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_changed_byte_is_refused(small):
    data = canonical(small.document())
    for i in range(len(data)):
        for byte in {data[i] ^ 1, data[i] ^ 0x20, ord("0"), ord('"'), ord(" "), 0xFF} - {data[i]}:
            with pytest.raises(ValueError, match=r"."):
                document_of(data[:i] + bytes([byte]) + data[i + 1 :])
        for changed in (data[:i] + data[i + 1 :], data[:i] + b" " + data[i:], data[:i]):
            if changed != data:
                with pytest.raises(ValueError, match=r"."):
                    document_of(changed)


def signed(document) -> bytes:
    """Put a fitting digest under a document, as a forger would."""
    body = {k: v for k, v in document.items() if k not in ("digest", "schema")}
    return canonical(Witness(**body).document())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"statement": "../../etc"}, "statement must be"),
        ({"statement": ".hidden"}, "statement must be"),
        ({"name": "a/b"}, "name must be"),
        ({"name": "x" * 65}, "name must be"),
        ({"twin": 7}, "twin must be"),
        ({"claim": 7}, "claim must be"),
        ({"mutation": []}, "mutation a sentence"),
        ({"instance_digest": "0" * 63}, "instance_digest"),
        ({"claim": "a\x1b[31m"}, "control character"),
        ({"claim": "a\x00"}, "control character"),
        ({"evidence": []}, "evidence must be"),
        ({"evidence": {"kind": "pickle"}}, "evidence must be"),
        ({"evidence": {"kind": ["claims"]}}, "evidence must be"),
        ({"evidence": {"kind": "claims", "refuted": []}}, "with the keys"),
    ],
)
def test_a_well_signed_forgery_of_another_shape_is_refused(small, change, reason):
    with pytest.raises(Refused, match=reason):
        document_of(signed({**small.document(), **change}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "Expecting value"),
        (b"[]", "must be an object"),
        (b"null", "must be an object"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": -Infinity}', "Infinity is not a number"),
        (b'{"a": 1e999}', "decimal"),
        (b'{"a": 0.1}', "decimal"),
        (b'{"a": 1, "a": 1}', "given twice"),
        (b'{"a": ' + b"[" * 17 + b"]" * 17 + b"}", "nested deeper than 16"),
        (b"[" * 100_000, "nested deeper than 16"),
        (b'{"a": ' + b"9" * (MOST_DIGITS + 1) + b"}", "longer than 4000"),
        (b'{"a": "\xff"}', "codec"),
        (b'{"a": "\x01"}', "control character"),
        (b'{"a": "\\u0001"}', "control character"),
        (b'"' + b"\\" * 99_999, "."),
        (b" " * (LARGEST + 1), "are more than"),
    ],
)
def test_hostile_bytes_are_refused_in_one_line(text, reason, tmp_path):
    path = tmp_path / "hostile.json"
    path.write_bytes(text)
    with pytest.raises(Refused, match=reason) as refusal:
        read(path)
    assert "\n" not in str(refusal.value)


def test_what_is_no_regular_file_is_not_opened(tmp_path, small):
    write(small, tmp_path / "w.json")
    (tmp_path / "link").symlink_to(tmp_path / "w.json")
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "link", tmp_path / "fifo", tmp_path, tmp_path / "missing"):
        with pytest.raises(OSError, match=r"."):
            read(path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(10**9)  # sparse
    with pytest.raises(Refused, match="1000000000 bytes are more"):
        read(tmp_path / "huge")


@pytest.mark.parametrize(
    "text", ["1_000", "0x1.8p+9999", "0x1p+0", "1/0", "1/-2", " 1/2", "nan", "1.5", "1", "٣/٤", True]
)
def test_numbers_follow_a_strict_grammar(text):
    with pytest.raises(Refused):
        number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(database=None, derandomize=True)
def test_floats_are_exact(x):
    assert number(x.hex()) == F(x)


# ----------------------------------------------------------------------------------------------------- instances


class Shape(Enum):
    ROUND = 1
    FLAT = 2


@dataclass(frozen=True, kw_only=True)
class Part:
    shape: Shape
    at: tuple[Fraction, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Whole(Instance):
    X: np.ndarray
    signs: np.ndarray
    parts: list[Part]
    nested: tuple[tuple[int, float | None], ...]


WHOLE = Whole(
    name="whole",
    says='"says" é\n',
    X=np.array([[0.1, -0.0], [5e-324, 1e308]]),
    signs=np.array([True, False]),
    parts=[Part(shape=Shape.FLAT, at=(F(1, 3), F(-2)))],
    nested=((10**3999, None), (-7, 0.1)),
)


def test_an_instance_survives_as_data():
    back = instance_of(written(WHOLE), classes_of([WHOLE]))
    assert digest(back) == digest(WHOLE)
    assert back.says == WHOLE.says


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 10**4000, F(1, 10**4000), {1}, object(), np.float64(1), 1j]
)
def test_what_is_no_data_is_not_written(value):
    with pytest.raises(Unwritable):
        written(value)


def test_no_class_is_looked_up_that_the_statement_does_not_have():
    data = written(WHOLE)
    for name in ("os.system", "Popen", "Instance", "builtins.object", ""):
        with pytest.raises(Refused, match="no instance of this statement"):
            instance_of({**data, "record": name}, classes_of([WHOLE]))
    for wrong in (
        {"record": "Whole", "fields": {}},
        {"enum": "Shape", "member": "__class__"},
        {"enum": "Part", "member": "at"},
        {"record": "Shape", "fields": {}},
        {"array": "object", "shape": [0], "entries": []},
        {"array": "float64", "shape": [2**40], "entries": []},
        {"array": "float64", "shape": [3], "entries": ["0x1.0p+0"]},
        {"array": "float64", "shape": [1], "entries": ["1/2"]},
        {"text": "a", "list": []},
        7,
    ):
        with pytest.raises(Refused):
            instance_of(wrong, classes_of([WHOLE]))


# --------------------------------------------------------------------------------------------------------- claims

I2 = [[F(1), F(0)], [F(0), F(1)]]
SINGULAR = [[F(0), F(1)], [F(1), F(0)]]  # no pivot is negative
NEAR = NearMatrix(values=np.diag([1.0, -1.0]), radius=0.5)
HUGE = F(10**5000 + 1, 10**5000)

CLAIMS = [
    FALSE,
    Claim(says="=", left=F(1, 3), relation="=", right=F(1, 2)),
    Claim(says="=", left=(F(0), F(1)), relation="=", right=(F(2), F(3))),
    Claim(says="=", left=(F(4), F(5)), relation="=", right=(F(2), F(3))),
    Claim(says="<=", left=(F(2), F(3)), relation="<=", right=(F(0), F(1))),
    Claim(says="=", left=HUGE + 1, relation="=", right=HUGE),
    Claim(says="=", left=-HUGE, relation="<=", right=-HUGE - 1),
    Claim(says="=", left=[[F(1), F(2), F(3)]], relation="=", right=[[F(1), F(2), F(4)]]),
    Claim(says="I <= J", left=I2, relation="Loewner <=", right=SINGULAR),
    Claim(says="0 <= J", left=[[F(0)] * 2] * 2, relation="Loewner <=", right=SINGULAR),
    Claim(
        says="a hair",
        left=[[F(1), F(1)], [F(1), F(1)]],
        relation="Loewner <=",
        right=[[F(2), F(2)], [F(2), 2 - F(1, 10**60)]],
    ),
    Claim(says="near", left=[[F(0)] * 2] * 2, relation="Loewner <=", right=NEAR),
    Claim(says="near =", left=NEAR, relation="=", right=I2),
]


@pytest.mark.parametrize("claim", CLAIMS, ids=[str(i) for i in range(len(CLAIMS))])
def test_what_the_court_refutes_is_shown(claim):
    assert court_decides(claim).answer is Answer.OUT
    shown = refuted_claim(claim)
    assert shown is not None
    assert violated(shown)


@pytest.mark.parametrize(
    "claim",
    [
        TRUE,
        Claim(says="=", left=(F(0), F(2)), relation="=", right=(F(2), F(3))),
        Claim(says="<=", left=F(1), relation="<=", right=F(1)),
        Claim(says="near =", left=NEAR, relation="=", right=NearMatrix(values=np.diag([1.0, -0.5]), radius=0.0)),
    ],
)
def test_what_holds_or_is_open_is_not_shown(claim):
    assert refuted_claim(claim) is None


def test_a_false_vector_proves_nothing():
    shown = refuted_claim(CLAIMS[8])
    assert not violated({**shown, "v": [1, 1]})
    for v in ([1], [0] * 600, [], "ab", [0.5], [[1, 1]]):
        with pytest.raises(Refused):
            violated({**shown, "v": v})
    lopsided = {**shown, "right": {"rows": [[0, 1], [2, 0]], "radius": 0}}
    with pytest.raises(Refused, match="symmetric"):
        violated(lopsided)


def test_sums_that_could_take_for_ever_are_refused():
    shown = refuted_claim(CLAIMS[8])
    various = [f"1/{10**3999 + k}" for k in range(40)]
    for claim in ({**shown, "v": various}, {**shown, "left": {"rows": [[x] for x in various], "radius": 0}}):
        with pytest.raises(Refused, match="common denominator"):
            violated(claim)


def test_a_witness_lists_what_is_refuted_and_needs_something(world):
    x = world.Coin(name="coin", says="")
    made = make(world.statement(conclusion=claims(TRUE, *CLAIMS)), None, x)
    assert len(made.evidence["refuted"]) == len(CLAIMS)
    with pytest.raises(NoWitness):
        make(world.statement(conclusion=claims(TRUE)), None, x)


def test_a_slope_is_a_claim(world):
    def rate(lower):
        slope = Slope(lower=lower, upper=lower + 0.1, claimed=F(1), tolerance=F(1, 10), decades=2.0, points=9)
        return world.statement(conclusion=Rate(measure=lambda x: slope))

    x = world.Coin(name="coin", says="")
    assert decide(make(rate(1.2), None, x)).proven
    with pytest.raises(NoWitness):
        make(rate(1.05), None, x)


@given(st.lists(st.integers(-2, 2), min_size=9, max_size=9))
@settings(database=None, derandomize=True, max_examples=300, deadline=None)
def test_a_negative_direction_is_found_exactly_where_there_is_one(entries):
    A = np.array(entries).reshape(3, 3)
    M = A + A.T
    rows = [[F(int(x)) for x in row] for row in M]
    v = negative_direction(rows)
    if v is None:
        assert np.linalg.eigvalsh(M).min() > -1e-9
    else:
        assert sum(x * y * rows[i][j] for i, x in enumerate(v) for j, y in enumerate(v)) < 0


# -------------------------------------------------------------------------------------------------- probabilities


@given(
    weights=st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(sum),
    m=st.integers(1, 25),
    seed=st.integers(0, 2**32),
    delta=st.sampled_from([F(1, 10), F(1, 2), F(1, 10**6)]),
)
@settings(database=None, derandomize=True, max_examples=200, deadline=None)
def test_the_bound_of_a_box_is_one_and_is_sharp(weights, m, seed, delta):
    rng = np.random.default_rng(seed)
    law = [F(w, sum(weights)) for w in weights]
    low = [int(x) for x in rng.integers(-1, m // 2 + 1, len(law))]
    high = [a + int(x) for a, x in zip(low, rng.integers(-1, m + 1, len(law)), strict=True)]
    true = multinomial_leaves_box(m, law, low, high, exact=True).lower
    atoms = [(1, p, a, b) for p, a, b in zip(law, low, high, strict=True)]
    found = leaves_box_at_least(m, atoms, delta)
    assert found <= true <= found + delta / 2**60


def test_equal_atoms_count_as_often_as_they_are():
    law, low, high = (F(1, 6),) * 6, (5,) * 6, (20,) * 6
    true = multinomial_leaves_box(60, law, low, high, exact=True).lower
    found = leaves_box_at_least(60, [(6, F(1, 6), 5, 20)], F(1, 10))
    assert found <= true <= found + F(1, 2**60)


def box_statement(world, delta, high):
    box = CountsBox(m=100, law=(F(1, 2), F(1, 2)), low=(0, 0), high=(high, 100))
    x = world.Coin(name="coin", says="", delta=delta)
    return world.statement(x, conclusion=world.conclusion(size=100, box=lambda x, m: box)), x


def test_a_box_is_a_witness_where_it_fails(world):
    statement, x = box_statement(world, F(1, 100), 60)  # P[N > 60] = 0.0176
    made = make(statement, None, x)
    assert made.evidence["kind"] == "probability"
    assert "0.0176" in decide(made).says
    generous, x = box_statement(world, F(2, 100), 60)
    with pytest.raises(NoWitness):
        make(generous, None, x)
    body = {**made.evidence, "delta": "2/100"}
    assert not decide(replace(made, evidence=body)).proven


@pytest.mark.parametrize(
    "change",
    [
        {"m": -1},
        {"m": 2**21},
        {"m": "100"},
        {"delta": 0},
        {"delta": 2},
        {"delta": f"1/{2**2049}"},
        {"law": {}},
        {"law": [{"times": 2**14, "p": f"1/{2**14}", "low": 0, "high": 1}, {"times": 1, "p": 0, "low": 0, "high": 1}]},
        {"law": [{"times": 1, "p": "1/2", "low": 0, "high": 1}]},
        {"law": [{"times": 1, "p": 1, "low": "1/2", "high": 1}]},
        {"law": [{"times": 0, "p": 1, "low": 0, "high": 1}]},
        {"law": [{"times": 1, "p": -1, "low": 0, "high": 1}, {"times": 1, "p": 2, "low": 0, "high": 1}]},
    ],
)
def test_a_malformed_box_is_refused(world, change):
    statement, x = box_statement(world, F(1, 100), 60)
    made = make(statement, None, x)
    with pytest.raises(Refused):
        decide(replace(made, evidence={**made.evidence, **change}))


@pytest.mark.parametrize(("layer", "part"), [(Layer.SIZE, "size_needed"), (Layer.MEAN, "mean")])
def test_a_layer_that_claims_is_a_witness(world, layer, part):
    facet = (F(2000), F(2001)) if part == "size_needed" else (lambda rng: FALSE)
    x = world.Coin(name="coin", says="")
    statement = world.statement(x, conclusion=world.conclusion(**{part: lambda x, m: facet}), layers=(layer,))
    made = make(statement, None, x)
    assert made.evidence["of"] == layer.value
    with pytest.raises(NoWitness):
        make(replace(statement, layers=()), None, x)


# ---------------------------------------------------------------------------------------------------------- trials


def test_the_grid_and_the_budget_are_the_courts():
    assert GRID == REFUTE_GRID
    assert ALPHA == ALPHA_REFUTED


@pytest.mark.parametrize("delta", [F(1, 10), F(1, 2), F(9, 10), F(1, 1000)])
def test_the_e_value_reaches_what_the_court_says(delta):
    for n in (1, 10, 64, 1000, 5000):
        least = least_refuting(n, delta, ALPHA)
        if least is not None:
            assert e_value_reaches(least, n, delta, 1 / ALPHA)
            assert not e_value_reaches(least - 1, n, delta, 1 / ALPHA)


def test_trials_are_a_witness(world):
    statement, x, heard = coin(world, 0.9)
    made = make(statement, None, x, heard=heard)
    decision = decide(made)
    assert decision.proven
    assert "rests on the recorded key" in decision.says
    assert len(made.evidence["listed"]) == 16
    assert made.evidence["key"]["seed"] == 7


def test_trials_of_exact_and_of_bounded_draws_are_witnesses(world):
    statement, x, heard = coin(world, 0.9)
    inner = statement.conclusion.construction(x, 1000)

    def exact(x, m):
        def draw(rng, trials):
            made = inner.draw(rng, trials)
            return replace(made, exact=lambda b: ([[F(1)]], [[F(made.Kt[b, 0, 0])]]))

        return draw

    def bounded(x, m):
        def draw(rng, trials):
            values = inner.draw(rng, trials).Kt[:, 0, 0]
            return BoundBatch(lower=values, upper=values, allowed=(F(2), F(3)))

        return draw

    for drawn in (exact, bounded):
        other = world.statement(x, conclusion=world.conclusion(draw=drawn))
        assert decide(make(other, None, x, heard=heard)).proven


def test_trials_that_are_not_found_again_are_no_witness(world):
    statement, x, heard = coin(world, 0.9)
    more = replace(heard.counts, failures=heard.counts.failures + 1)
    with pytest.raises(NoWitness, match="found again"):
        make(statement, None, x, heard=replace(heard, counts=more))
    with pytest.raises(NoWitness):
        make(statement, None, x)


def test_few_failures_are_no_witness(world):
    statement, x, heard = coin(world, 0.2)
    with pytest.raises(NoWitness, match="below 1/alpha"):
        make(statement, None, x, heard=heard)


def test_tampered_trials_prove_nothing_or_are_refused(world):
    statement, x, heard = coin(world, 0.9)
    given = make(statement, None, x, heard=heard).evidence

    def decided(**change):
        return decide_document({"evidence": {**given, **change}})[0]

    first = given["listed"][0]
    assert decided()
    assert not decided(failures=16)
    assert not decided(listed=[{**first, "side": "lower"}])
    assert not decided(listed=[{**first, "drawn": {"rows": [["0x1.0p+0"]], "radius": 0}}])
    assert not decided(listed=[{**first, "drawn": {"rows": [[100]], "radius": 1000}}])
    for change in (
        {"alpha": "1/10"},
        {"alpha": 0},
        {"delta": 1},
        {"trials": 10**10},
        {"failures": 65},
        {"unsure": 64},
        {"listed": []},
        {"listed": [first, first]},
        {"listed": given["listed"][1::-1]},
        {"listed": [{**first, "trial": 64}]},
        {"listed": [{**first, "side": "both"}]},
        {"shared": {}},
        {"key": {}},
        {"key": None},
    ):
        with pytest.raises(Refused):
            decided(**change)


def test_a_mutation_needs_its_words(world):
    statement = world.statement()
    with pytest.raises(TypeError, match="both or neither"):
        make(statement, None, world.Coin(name="c", says=""), conclusion=claims(FALSE))
    made = make(statement, None, world.Coin(name="c", says=""), conclusion=claims(FALSE), mutation="m halved")
    assert made.mutation == "m halved"


def test_constructions_are_checked_like_in_court(world):
    def other(x, m):
        return Construction(size=m + 1, batch_size=64, draw=lambda rng, n: None, facts={})

    conclusion = replace(world.conclusion(), construction=other)
    with pytest.raises(ValueError, match="the size asked for"):
        make(world.statement(conclusion=conclusion), None, world.Coin(name="c", says=""))


def test_error_bounds_count_against_the_witness():
    shown = refuted_claim(next(c for c in CLAIMS if c.says == "near"))
    assert not violated({**shown, "right": {**shown["right"], "radius": 1}})
    unit, zero = ({"rows": [[x, 0], [0, x]], "radius": 0} for x in (1, 0))
    equal = {"says": "=", "left": zero, "relation": "=", "right": unit}
    assert violated(equal)
    assert not violated({**equal, "left": {**zero, "radius": 1}})  # |I|_2 = 1, though |I|_F is not


@pytest.mark.parametrize(
    "law",
    [
        [(2, F(1, 2), 40, 60)],
        [(1, F(1, 2), 0, 100), (1, F(1, 2), 0, 60)],
        [(1, F(1, 3), 25, 45), (2, F(1, 3), 20, 100)],
        [(4, F(1, 4), 20, 33)],
    ],
)
def test_whatever_is_cut_or_rounded_counts_against_the_witness(law):
    masses = [(p, low, high) for times, p, low, high in law for _ in range(times)]
    true = 1 - multinomial_leaves_box(100, *zip(*masses, strict=True), exact=True).lower
    for guard in range(10, 40, 2):  # coarse: what is cut away is as large as the bits allow
        assert _inside_at_most(100, law, 40, guard) >= true


@given(st.fractions(min_value=F(1, 100), max_value=100), st.integers(1, 2**80), st.integers(4, 70))
@settings(database=None, derandomize=True)
def test_factors_are_rounded_upward(by, mantissa, bits):
    top, exponent = _up((mantissa, -3), by, bits)
    assert top * F(2) ** exponent > mantissa * by / 8
