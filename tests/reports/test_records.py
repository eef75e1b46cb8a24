import copy
import json
from pathlib import Path

import pytest

from reports import RecordsUnreadable
from reports.records import read_records

EXAMPLE = json.loads(Path(__file__).with_name("records_example.json").read_text(encoding="utf-8"))


def written(tmp_path, document):
    path = tmp_path / "records.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def changed(*keys, to=None, remove=False):
    document = copy.deepcopy(EXAMPLE)
    place = document
    for key in keys[:-1]:
        place = place[key]
    if remove:
        del place[keys[-1]]
    else:
        place[keys[-1]] = to
    return document


def refused(tmp_path, document):
    path = written(tmp_path, document)
    with pytest.raises(RecordsUnreadable) as caught:
        read_records(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


def test_the_example_is_read_as_it_stands(tmp_path):
    assert read_records(written(tmp_path, EXAMPLE)) == EXAMPLE


def test_unknown_keys_pass_and_optional_ones_may_be_absent(tmp_path):
    read_records(written(tmp_path, changed("weather", to="fair")))
    read_records(written(tmp_path, changed("twins", remove=True)))
    read_records(written(tmp_path, changed("records", 0, "layers", remove=True)))
    read_records(written(tmp_path, changed("budget", "trials", remove=True)))


def every_key(value, path=()):
    optional = {(), ("twins",), ("budget", "trials"), ("records", 0, "layers")}
    inner = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, entry in inner:
        here = (*path, key)
        if "measured" in here[:-1] or "machine" in here[:-1] or "comparisons" in here[:-1] or "layers" in here[:-1]:
            continue
        if isinstance(key, str) and here not in optional:
            yield here
        yield from every_key(entry, here)


@pytest.mark.parametrize("keys", list(every_key(EXAMPLE)), ids=lambda keys: ".".join(map(str, keys)))
def test_every_fact_is_required_and_has_a_form(tmp_path, keys):
    missing = refused(tmp_path, changed(*keys, remove=True))
    assert f"must have {keys[-1]!r}, got none" in missing
    odd = refused(tmp_path, changed(*keys, to={"odd": [1]}))
    assert f"{keys[-1]} must " in odd or "'odd'] must" in odd or "must have" in odd


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("{", "Expecting property name"),
        ("[1]", "the document must be an object, got [1]"),
        ('{"schema_version": NaN}', "numbers must be finite, got NaN"),
        ('{"schema_version": -Infinity}', "numbers must be finite, got -Infinity"),
        ('{"schema_version": 1e999}', "numbers must be finite, got 1e999"),
        ("{}", "the document must have 'schema_version', got none"),
        ("[" * 100_000, "nested too deeply to be a records file"),
        (changed("schema_version", to=2), "schema_version must be 1, got 2"),
        (changed("schema_version", to=True), "schema_version must be an integer, got True"),
        (changed("seed", to=1.5), "seed must be an integer, got 1.5"),
        (changed("records", to="x" * 99), f"records must be a list, got {'x' * 56!r}..."[:-4] + "..."),
        (changed("machine", to=[]), "machine must be an object, got []"),
        (changed("records", 0, "evidence", to="hearsay"), "records[0].evidence must be one of exact, trials, comp"),
        (changed("records", 0, "alpha", to="small"), "records[0].alpha must be a number, got 'small'"),
        (changed("records", 0, "trials", to=-1), "records[0].trials must be a nonnegative integer, got -1"),
        (changed("records", 0, "probability", to=["1/2"]), "records[0].probability must be a list of 2"),
        (changed("records", 0, "probability", 0, to="1/0"), "records[0].probability[0] must be a rational number"),
        (changed("records", 0, "probability", 0, to=0.5), "records[0].probability[0] must be a rational number"),
        (changed("records", 0, "measured", to={"n": None}), "records[0].measured['n'] must be a number or text"),
        (changed("records", 0, "curve", 0, "c", to=0), "records[0].curve[0].c must be a positive number, got 0"),
        (changed("records", 0, "curve", 0, "m", to=0), "records[0].curve[0].m must be a positive integer, got 0"),
        (changed("records", 0, "curve", 0, "upper", to=1.1), "curve[0].upper must be a number in [0, 1], got 1.1"),
        (
            changed("records", 1, "statement", to="x"),
            "records[1].statement must name a statement of this file, got 'x'",
        ),
        (changed("twins", 0, "statement", to="x"), "twins[0].statement must name a statement of this file, got 'x'"),
        (changed("statements", 1, "id", to="glss.thm3.3"), "different ids, got 'glss.thm3.3' twice"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, document, reason):
    assert reason in refused(tmp_path, document)


def test_bytes_that_are_not_text_are_refused(tmp_path):
    path = tmp_path / "records.json"
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(RecordsUnreadable):
        read_records(path)


def test_a_missing_file_is_an_os_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.json"):
        read_records(tmp_path / "nothing.json")
