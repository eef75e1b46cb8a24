import errno
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from math import inf, isnan, nan
from pathlib import Path
from threading import Timer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems.checking import store as store_module
from theorems.checking.budget import OWN_INSTANCES, RELEASE_SEED
from theorems.checking.store import FILE_NAME, BatchRow, Divergence, Series, Store, StoreFull, StoreUnreadable

CODE = "c" * 64
SERIES = Series(statement="glss.thm3.3", instance="0" * 64, stream="event", seed=7, batch_size=64, size=412, code=CODE)
ROW = BatchRow(index=3, trials=64, failures=5, unsure=1, answers_digest="a" * 64, stress=0.25, error="")


@pytest.fixture(params=["memory", "disk"])
def store(request, tmp_path):
    with Store.memory() if request.param == "memory" else Store.open(tmp_path) as opened:
        yield opened


def raw(directory: Path, *statements: str) -> None:
    """Change a store behind its back."""
    directory.mkdir(exist_ok=True)
    with closing(sqlite3.connect(directory / FILE_NAME, isolation_level=None)) as connection:
        for sql in statements:
            connection.execute(sql)


# --------------------------------------------------------------------------------------- find and insert


def test_a_row_comes_back_as_it_was(store):
    assert store.find(SERIES, 3) is None
    store.insert(SERIES, ROW)
    assert store.find(SERIES, 3) == ROW
    assert store.find(SERIES, 4) is None


@given(
    index=st.integers(0, 2**63 - 1),
    counts=st.tuples(st.integers(0, 32), st.integers(0, 32)),
    stress=st.floats(),
    error=st.text(),
)
def test_every_legal_row_comes_back(index, counts, stress, error):
    row = replace(ROW, index=index, failures=counts[0], unsure=counts[1], stress=stress, error=error)
    with Store.memory() as store:
        store.insert(SERIES, row)
        found = store.find(SERIES, index)
    assert found.agrees_with(row)
    assert found.error == error
    assert found.stress == stress or (isnan(found.stress) and isnan(stress))


@pytest.mark.parametrize("stress", [nan, inf, -inf, 0.0])
def test_stress_without_a_finite_value_is_kept(store, stress):
    store.insert(SERIES, replace(ROW, stress=stress))
    assert repr(store.find(SERIES, 3).stress) == repr(stress)


@pytest.mark.parametrize(
    "other",
    [
        {"statement": "glss.thm3.4"},
        {"instance": "1" * 64},
        {"stream": "law"},
        {"seed": 8},
        {"size": 413},
        {"code": "d" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_part_of_the_key_separates_rows(store, other):
    store.insert(SERIES, ROW)
    elsewhere = replace(SERIES, **other)
    assert store.find(elsewhere, 3) is None
    store.insert(elsewhere, replace(ROW, failures=9))
    assert store.find(SERIES, 3).failures == 5
    assert store.find(elsewhere, 3).failures == 9


def test_batch_size_is_part_of_the_key(store):
    store.insert(SERIES, ROW)
    assert store.find(replace(SERIES, batch_size=128), 3) is None


def test_inserting_the_same_row_again_changes_nothing(store):
    store.insert(SERIES, ROW)
    store.insert(SERIES, replace(ROW, stress=0.75, error="said differently"))
    assert store.find(SERIES, 3) == ROW


@pytest.mark.parametrize("other", [{"failures": 6}, {"unsure": 0}, {"answers_digest": "b" * 64}])
def test_a_row_that_differs_stops_the_run_and_shows_both(store, other):
    store.insert(SERIES, ROW)
    with pytest.raises(Divergence) as caught:
        store.insert(SERIES, replace(ROW, **other))
    shown = str(caught.value)
    assert repr(ROW) in shown
    assert repr(replace(ROW, **other)) in shown
    assert repr(SERIES) in shown
    assert store.find(SERIES, 3) == ROW


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"trials": 63}, "need a whole batch of 64 trials; got 63 trials"),
        ({"failures": -1}, "need failures, unsure >= 0"),
        ({"unsure": -1}, "need failures, unsure >= 0"),
        ({"failures": 64}, "with sum <= trials"),
        ({"index": -1}, r"insert\(row.index\): need an integer in \[0, 2\^63\); got -1"),
        ({"answers_digest": "short"}, r"insert\(row.answers_digest\): need 64 lowercase"),
    ],
)
def test_anything_but_a_whole_batch_is_refused(store, change, says):
    with pytest.raises(ValueError, match=says):
        store.insert(SERIES, replace(ROW, **change))
    assert store.find(SERIES, 3) is None


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"seed": -1}, ValueError, r"Series\(seed\): need an integer in \[0, 2\^63\); got -1"),
        ({"size": 2.0}, TypeError, r"Series\(size\): need an int; got float 2.0"),
        ({"batch_size": True}, TypeError, r"Series\(batch_size\): need an int; got bool"),
        ({"code": "HEAD"}, ValueError, r"Series\(code\): need 64 lowercase hexadecimal digits; got 'HEAD'"),
    ],
)
def test_a_series_out_of_range_is_refused(change, kind, says):
    with pytest.raises(kind, match=says):
        replace(SERIES, **change)


# ---------------------------------------------------------------------------------------------- campaigns


def test_the_release_seed_is_campaign_one_for_any_code(store):
    assert [store.campaign(RELEASE_SEED, code * 64) for code in "abc"] == [1, 1, 1]
    assert store.campaign(5, CODE) == 2


def test_campaigns_are_numbered_in_order_of_appearance_and_keep_their_number(store):
    pairs = [(5, "a" * 64), (5, "b" * 64), (4, "a" * 64)]
    assert [store.campaign(*pair) for pair in pairs] == [2, 3, 4]
    assert [store.campaign(*pair) for pair in reversed(pairs)] == [4, 3, 2]
    assert store.campaign(6, "a" * 64) == 5


@pytest.mark.parametrize(("seed", "code", "says"), [(-1, CODE, "seed"), (5, "HEAD", "code")])
def test_a_campaign_out_of_range_is_refused(store, seed, code, says):
    with pytest.raises(ValueError, match=rf"campaign\({says}\)"):
        store.campaign(seed, code)


# ------------------------------------------------------------------------------------------------- places


def test_a_users_instances_come_behind_those_of_the_catalogue_and_keep_their_places(store):
    digests = [c * 64 for c in "abc"]
    first = OWN_INSTANCES + 1
    assert [store.place_of("s", d) for d in digests] == [first, first + 1, first + 2]
    assert [store.place_of("s", d) for d in reversed(digests)] == [first + 2, first + 1, first]
    assert [store.place_of("t", d) for d in reversed(digests)] == [first, first + 1, first + 2]
    assert store.place_of("s", "d" * 64) == first + 3


def test_a_place_belongs_to_a_digest(store):
    with pytest.raises(ValueError, match=r"place_of\(instance_digest\): need 64 lowercase hexadecimal"):
        store.place_of("s", "mine")


# ---------------------------------------------------------------------------------- files, good and bad


def test_the_folder_is_made_and_rows_outlive_the_process(tmp_path):
    directory = tmp_path / "a" / "b"
    with Store.open(directory) as store:
        store.insert(SERIES, ROW)
        number = store.campaign(5, CODE)
    with Store.open(directory) as store:
        assert store.find(SERIES, 3) == ROW
        assert store.campaign(5, CODE) == number


def test_two_stores_on_one_file_agree_on_places(tmp_path):
    with Store.open(tmp_path) as one, Store.open(tmp_path) as two:
        places = [s.place_of("s", d * 64) for s, d in ((one, "a"), (two, "b"), (two, "a"), (one, "b"))]
    assert [p - OWN_INSTANCES for p in places] == [1, 2, 1, 2]


def test_a_store_stays_where_it_was_opened(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Store.open(Path("mine")) as store:
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.insert(SERIES, ROW)
        raw(tmp_path / "mine", "DROP TABLE evidence")
        with pytest.raises(StoreUnreadable, match=f"^{tmp_path / 'mine' / FILE_NAME}: "):
            store.find(SERIES, 3)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_two_stores_on_one_file_see_each_other(tmp_path):
    with Store.open(tmp_path) as one, Store.open(tmp_path) as two:
        one.insert(SERIES, ROW)
        assert two.find(SERIES, 3) == ROW
        with pytest.raises(Divergence):
            two.insert(SERIES, replace(ROW, failures=0))
        assert (one.campaign(5, CODE), two.campaign(6, CODE), one.campaign(6, CODE)) == (2, 3, 3)


def test_writes_are_durable_and_do_not_block_readers(tmp_path):
    with Store.open(tmp_path) as store:
        [mode] = store._connection.execute("PRAGMA journal_mode").fetchone()
        [synchronous] = store._connection.execute("PRAGMA synchronous").fetchone()
    assert (mode, synchronous) == ("wal", 2)  # 2 is FULL


def test_an_empty_file_becomes_a_store(tmp_path):
    (tmp_path / FILE_NAME).touch()
    with Store.open(tmp_path) as store:
        store.insert(SERIES, ROW)
        assert store.find(SERIES, 3) == ROW


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / FILE_NAME
    path.write_bytes(b"just some notes, longer than a header " * 100)
    before = path.read_bytes()
    with pytest.raises(StoreUnreadable, match="file is not a database") as caught:
        Store.open(tmp_path)
    assert str(path) in str(caught.value)
    assert caught.value.__cause__ is None
    assert path.read_bytes() == before


@pytest.mark.parametrize("pragma", ["PRAGMA user_version = 0", "PRAGMA user_version = 1", "PRAGMA application_id = 5"])
def test_another_programs_database_is_refused_and_left_alone(tmp_path, pragma):
    raw(tmp_path, "CREATE TABLE photos (a)", pragma)
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(StoreUnreadable, match="not an evidence store"):
        Store.open(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_later_version_asks_for_an_upgrade(tmp_path):
    Store.open(tmp_path).close()
    raw(tmp_path, "PRAGMA user_version = 3")
    with pytest.raises(StoreUnreadable, match=r"layout 3, this one reads 2\): upgrade"):
        Store.open(tmp_path)


def first_layout(directory: Path) -> None:
    """A store as the first layout had it: without places."""
    with Store.open(directory) as store:
        store.insert(SERIES, ROW)
        store.campaign(5, CODE)
    raw(directory, "DROP TABLE places", "PRAGMA user_version = 1")


def test_a_store_of_an_earlier_layout_goes_on(tmp_path):
    first_layout(tmp_path)
    with Store.open(tmp_path) as store:
        assert store.find(SERIES, 3) == ROW
        assert (store.campaign(6, CODE), store.campaign(5, CODE)) == (3, 2)
        assert store.place_of("s", "0" * 64) == OWN_INSTANCES + 1
    with Store.open(tmp_path) as again:
        assert again.place_of("s", "0" * 64) == OWN_INSTANCES + 1


def test_an_earlier_layout_with_other_tables_is_refused_and_left_alone(tmp_path):
    first_layout(tmp_path)
    raw(tmp_path, "DROP TABLE campaigns")
    with pytest.raises(StoreUnreadable, match="damaged: unexpected tables in layout 1"):
        Store.open(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall() == [("evidence",)]


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TABLE campaigns",
        "DROP TABLE places",
        "PRAGMA user_version = 1",
        "CREATE TABLE photos (a)",
        "PRAGMA user_version = 0",
        "CREATE INDEX i ON evidence (seed)",
    ],
)
def test_unexpected_tables_are_refused(tmp_path, damage):
    Store.open(tmp_path).close()
    raw(tmp_path, damage)
    with pytest.raises(StoreUnreadable, match="damaged: unexpected tables"):
        Store.open(tmp_path)


@pytest.mark.parametrize(
    "counts", ["failures = -1", "failures = 64", "trials = 65", "unsure = 70", "answers_digest = 'x'"]
)
def test_impossible_counts_in_the_file_are_refused(tmp_path, counts):
    with Store.open(tmp_path) as store:
        store.insert(SERIES, ROW)
    raw(tmp_path, "PRAGMA ignore_check_constraints = ON", f"UPDATE evidence SET {counts}")
    with pytest.raises(StoreUnreadable, match="damaged: CHECK constraint failed in evidence"):
        Store.open(tmp_path)


def test_a_truncated_file_is_refused(tmp_path):
    with Store.open(tmp_path) as store:
        for index in range(100):
            store.insert(SERIES, replace(ROW, index=index))
    path = tmp_path / FILE_NAME
    os.truncate(path, path.stat().st_size - 4096)
    with pytest.raises(StoreUnreadable, match=FILE_NAME):
        Store.open(tmp_path)


@pytest.mark.parametrize("byte", [b"\xfa", b"x", b"\x00"])
def test_damaged_words_in_the_layout_are_refused(tmp_path, byte):
    Store.open(tmp_path).close()
    path = tmp_path / FILE_NAME
    good = path.read_bytes()
    spots = [good.index(word) for word in (b"CREATE TABLE evidence", b"stress REAL", b"WITHOUT ROWID", b"UNIQUE")]
    for spot in spots:
        path.write_bytes(good[:spot] + byte + good[spot + 1 :])
        with pytest.raises(StoreUnreadable, match=FILE_NAME):
            Store.open(tmp_path)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreUnreadable, match="unable to open database file"):
        Store.open(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(StoreUnreadable, match="cannot create the folder: File exists"):
        Store.open(tmp_path / "taken")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_for_the_folder_is_named(tmp_path, monkeypatch, number):
    def full(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(StoreFull, match="cannot create the folder"):
        Store.open(tmp_path / "new")


def test_no_room_for_a_row_is_named_and_what_is_stored_stays(tmp_path):
    with Store.open(tmp_path) as store:
        store._connection.execute("PRAGMA max_page_count = 1")  # SQLite raises this to the pages in use
        stored = 0

        def fill():
            nonlocal stored
            for stored in range(1000):
                store.insert(SERIES, replace(ROW, index=stored))

        with pytest.raises(StoreFull, match=f"{FILE_NAME}: no room to write: database or disk is full"):
            fill()
        store._connection.execute("PRAGMA max_page_count = 1000")
        assert store.find(SERIES, stored) is None
        assert all(store.find(SERIES, index) == replace(ROW, index=index) for index in range(stored))
        store.insert(SERIES, replace(ROW, index=stored))


def test_a_closed_store_says_so(tmp_path):
    store = Store.open(tmp_path)
    store.close()
    with pytest.raises(StoreUnreadable, match="closed database"):
        store.find(SERIES, 3)


def test_a_writer_that_never_lets_go_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_PATIENCE", 0.05)
    with Store.open(tmp_path) as patient, closing(sqlite3.connect(tmp_path / FILE_NAME)) as hog:
        hog.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnreadable, match="database is locked"):
            patient.insert(SERIES, ROW)
        hog.rollback()
        patient.insert(SERIES, ROW)
        assert patient.find(SERIES, 3) == ROW


def old_style_file(directory: Path) -> sqlite3.Connection:
    """A connection to an empty database that is not yet in write-ahead mode, as when another process creates it."""
    directory.mkdir()
    return sqlite3.connect(directory / FILE_NAME, isolation_level=None, check_same_thread=False)


def test_opening_waits_for_another_process_that_is_creating_the_file(tmp_path):
    with closing(old_style_file(tmp_path / "new")) as creator:
        creator.execute("BEGIN IMMEDIATE")
        letting_go = Timer(0.1, creator.rollback)
        letting_go.start()
        with Store.open(tmp_path / "new") as store:
            store.insert(SERIES, ROW)
            assert store.find(SERIES, 3) == ROW
        letting_go.join()


def test_opening_gives_up_on_a_creator_that_never_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_PATIENCE", 0.05)
    with closing(old_style_file(tmp_path / "new")) as creator:
        creator.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnreadable, match="database is locked"):
            Store.open(tmp_path / "new")
