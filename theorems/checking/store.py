"""The evidence store: a cache of pure functions on disk, safe against kills and against several writers.

A row is one whole batch of trials. Its key determines its answers, so a lost row is recomputed and a row that
arrives twice must say the same: two rows that differ stop the run. SQLite with a write-ahead log makes each
insert atomic and, with synchronous=FULL, durable; no row is ever changed or removed.

SQLite keeps no checksum on its pages. A damaged file is refused when it breaks the structure, the types or the
ranges checked on opening; a flipped bit that turns one legal value into another is not seen.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from math import isnan, nan
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from theorems.checking.budget import OWN_INSTANCES, RELEASE_SEED
from theorems.checking.keys import check_count, check_digest

FILE_NAME = "evidence.sqlite3"
_APPLICATION = 0x4C657654  # "LevT": tells our file from any other SQLite file
_VERSION = 2
_PATIENCE = 60.0  # seconds to wait for another writer; one insert takes milliseconds
_PAUSE = 0.01  # seconds between two attempts
_OUT_OF_SPACE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,  # a file size limit, where the disk itself has room
    sqlite3.SQLITE_IOERR_SHMSIZE,
}

_EVIDENCE = """CREATE TABLE evidence (
    statement TEXT NOT NULL,
    instance TEXT NOT NULL,
    stream TEXT NOT NULL,
    seed INTEGER NOT NULL CHECK (seed >= 0),
    batch_size INTEGER NOT NULL CHECK (batch_size BETWEEN 1 AND 1024),
    size INTEGER NOT NULL CHECK (size >= 0),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    code TEXT NOT NULL CHECK (length(code) = 64),
    trials INTEGER NOT NULL CHECK (trials = batch_size),
    failures INTEGER NOT NULL CHECK (failures >= 0),
    unsure INTEGER NOT NULL CHECK (unsure >= 0 AND failures + unsure <= trials),
    answers_digest TEXT NOT NULL CHECK (length(answers_digest) = 64),
    stress REAL,
    error TEXT NOT NULL,
    PRIMARY KEY (statement, instance, stream, seed, batch_size, size, idx, code)
) STRICT, WITHOUT ROWID"""

_CAMPAIGNS = """CREATE TABLE campaigns (
    version INTEGER NOT NULL PRIMARY KEY CHECK (version >= 2),
    seed INTEGER NOT NULL CHECK (seed >= 0),
    code TEXT NOT NULL CHECK (length(code) = 64),
    UNIQUE (seed, code)
) STRICT"""

_PLACES = f"""CREATE TABLE places (
    statement TEXT NOT NULL,
    place INTEGER NOT NULL CHECK (place > {OWN_INSTANCES}),
    instance TEXT NOT NULL CHECK (length(instance) = 64),
    PRIMARY KEY (statement, place),
    UNIQUE (statement, instance)
) STRICT"""

_LAYOUTS = {
    1: {"evidence": _EVIDENCE, "campaigns": _CAMPAIGNS},
    2: {"evidence": _EVIDENCE, "campaigns": _CAMPAIGNS, "places": _PLACES},
}

_FIND = """SELECT idx, trials, failures, unsure, answers_digest, stress, error FROM evidence
WHERE (statement, instance, stream, seed, batch_size, size, code, idx) = (?, ?, ?, ?, ?, ?, ?, ?)"""

_INSERT = """INSERT INTO evidence (statement, instance, stream, seed, batch_size, size, code,
    idx, trials, failures, unsure, answers_digest, stress, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""

_NEXT_CAMPAIGN = """INSERT INTO campaigns (version, seed, code)
SELECT coalesce(max(version), 1) + 1, ?, ? FROM campaigns WHERE true ON CONFLICT (seed, code) DO NOTHING"""

_NEXT_PLACE = f"""INSERT INTO places (statement, place, instance)
SELECT ?1, coalesce(max(place), {OWN_INSTANCES}) + 1, ?2 FROM places WHERE statement = ?1
ON CONFLICT (statement, instance) DO NOTHING"""


class StoreUnreadable(RuntimeError):
    """The evidence file cannot be used: delete it (it is recomputed) or point --store elsewhere."""


class StoreFull(RuntimeError):
    """No room for more evidence: free some space and resume; what is stored stays good."""


class Divergence(RuntimeError):
    """One key gave two different answers: a trial is no function of its key. Find out why before you go on."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """All batches of one experiment: everything of a key but the batch index.

    Parameters
    ----------
    statement : id of the statement
    instance : digest of the instance
    stream : what the draws are for
    seed : integer in [0, 2^63)
    batch_size : trials per batch
    size : draws per trial, the theorem's m
    code : digest of the source, 64 digits; a row of other code is never reused
    """

    statement: str
    instance: str
    stream: str
    seed: int
    batch_size: int
    size: int
    code: str

    def __post_init__(self) -> None:
        for name in ("seed", "batch_size", "size"):
            check_count(f"Series({name})", getattr(self, name))
        check_digest("Series(code)", self.code)


@dataclass(frozen=True, kw_only=True)
class BatchRow:
    """What one batch of trials said.

    Parameters
    ----------
    index : position of the batch in its series
    trials, failures, unsure : counts; failures + unsure <= trials
    answers_digest : SHA-256 of the answers, one int8 per trial
    stress : largest left side over right side seen; nan when there is none. Display only
    error : type and message when the batch crashed, else ''. Display only
    """

    index: int
    trials: int
    failures: int
    unsure: int
    answers_digest: str
    stress: float
    error: str

    def agrees_with(self, other: BatchRow) -> bool:
        """Whether both rows report the same answers; stress and error text may differ between machines."""
        return (self.index, self.trials, self.failures, self.unsure, self.answers_digest) == (
            other.index,
            other.trials,
            other.failures,
            other.unsure,
            other.answers_digest,
        )


class Store:
    """Evidence of earlier runs, by key. Open one per process; any number of processes may share a file."""

    def __init__(self, path: str) -> None:
        self._path = path
        with self._translated():
            # Autocommit: every statement below is a transaction of its own.
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            with self._translated():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def open(cls, directory: Path) -> Self:
        """The store in `directory`, which is made when missing.

        Raises
        ------
        StoreUnreadable : the file is corrupt, foreign, of a later version, or not accessible
        StoreFull : no room to create it
        """
        path = directory.absolute() / FILE_NAME  # trials may change the working folder
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreFull(f"{path}: cannot create the folder: {error.strerror}") from None
            raise StoreUnreadable(f"{path}: cannot create the folder: {error.strerror}") from None
        return cls(str(path))

    @classmethod
    def memory(cls) -> Self:
        """A store that vanishes with the process."""
        return cls(":memory:")

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, series: Series, index: int) -> BatchRow | None:
        """The row of batch `index`, or None when it was never stored."""
        with self._translated():
            found = self._connection.execute(_FIND, (*astuple(series), index)).fetchone()
        if found is None:
            return None
        names = ("index", "trials", "failures", "unsure", "answers_digest", "stress", "error")
        row = dict(zip(names, found, strict=True))
        return BatchRow(**row | {"stress": nan if row["stress"] is None else row["stress"]})

    def insert(self, series: Series, row: BatchRow) -> None:
        """Store one whole batch, or check it against the row that is already there.

        Raises
        ------
        ValueError : the row is not a whole batch of the series
        Divergence : the stored row of this key has other answers; nothing is changed
        StoreFull : no room; nothing is changed
        """
        check_count("insert(row.index)", row.index)
        check_digest("insert(row.answers_digest)", row.answers_digest)
        if row.trials != series.batch_size:
            raise ValueError(f"insert(row): need a whole batch of {series.batch_size} trials; got {row.trials} trials")
        if row.failures < 0 or row.unsure < 0 or row.failures + row.unsure > row.trials:
            raise ValueError(f"insert(row): need failures, unsure >= 0 with sum <= trials; got {row}")
        # SQLite has no nan: it becomes NULL.
        stress = None if isnan(row.stress) else row.stress
        values = (row.index, row.trials, row.failures, row.unsure, row.answers_digest, stress, row.error)
        with self._translated():
            self._connection.execute(_INSERT, (*astuple(series), *values))
        stored = self.find(series, row.index)
        if stored is None or not stored.agrees_with(row):
            raise Divergence(f"{self._path}: one key, two answers, for {series}\n  stored   {stored}\n  computed {row}")

    def campaign(self, seed: int, code: str) -> int:
        """The number v of the campaign of (seed, code); campaign v gets 6/(pi v)^2 of the error budget.

        The release seed is campaign 1 in every store. Any other pair gets the next free integer from 2 on, in
        order of appearance, and keeps it.

        Parameters
        ----------
        seed : integer in [0, 2^63)
        code : digest of the source, 64 digits
        """
        check_count("campaign(seed)", seed)
        check_digest("campaign(code)", code)
        if seed == RELEASE_SEED:
            return 1
        with self._translated():
            self._connection.execute(_NEXT_CAMPAIGN, (seed, code))
            found = self._connection.execute(
                "SELECT version FROM campaigns WHERE (seed, code) = (?, ?)", (seed, code)
            ).fetchone()
        return int(found[0])

    def place_of(self, statement: str, instance_digest: str) -> int:
        """The place of a user's own instance among those of a statement; place k gets 6/(pi k)^2 of its error budget.

        Any instance that this store has not met gets the next free place behind those that the catalogue may use,
        and keeps it.

        Parameters
        ----------
        statement : id of the statement
        instance_digest : 64 digits
        """
        check_digest("place_of(instance_digest)", instance_digest)
        with self._translated():
            self._connection.execute(_NEXT_PLACE, (statement, instance_digest))
            found = self._connection.execute(
                "SELECT place FROM places WHERE (statement, instance) = (?, ?)", (statement, instance_digest)
            ).fetchone()
        return int(found[0])

    def _prepare(self) -> None:
        # Look before touching: even the switch to a write-ahead log would change a foreign file.
        behind = self._layout_version() < _VERSION
        self._switch_to_log()
        self._connection.execute("PRAGMA synchronous = FULL")
        if behind:
            self._create()
            self._layout_version()
        [verdict] = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise StoreUnreadable(f"{self._path}: damaged: {verdict}")

    def _switch_to_log(self) -> None:
        # SQLite holds a lock while it asks for the next one here, so instead of waiting it gives up at once
        # when two processes create one file.
        deadline = monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                    raise
                sleep(_PAUSE)
            else:
                return

    def _layout_version(self) -> int:
        """The version of our layout, 0 for an empty file; refuses a file that is not ours."""
        # One transaction, so that a store that another process is creating is seen whole or not at all.
        run = self._connection.execute
        run("BEGIN")
        [application] = run("PRAGMA application_id").fetchone()
        [version] = run("PRAGMA user_version").fetchone()
        layout = dict(run("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
        run("COMMIT")
        if (application, version, layout) == (0, 0, {}):
            return 0
        if application != _APPLICATION:
            raise StoreUnreadable(f"{self._path}: not an evidence store, or damaged (id {application:#x})")
        if version > _VERSION:
            raise StoreUnreadable(
                f"{self._path}: written by a later version (layout {version}, this one reads {_VERSION}): upgrade"
            )
        if layout != _LAYOUTS.get(version):
            raise StoreUnreadable(f"{self._path}: damaged: unexpected tables in layout {version}")
        return int(version)

    def _create(self) -> None:
        """Make the tables, or those that an earlier layout lacks."""
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        for sql in _LAYOUTS[_VERSION].values():
            # An earlier layout has some of them, and another process may have been faster.
            run(sql.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))
        run(f"PRAGMA application_id = {_APPLICATION}")
        run(f"PRAGMA user_version = {_VERSION}")
        run("COMMIT")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """SQLite's errors in our words, with the path."""
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the second when damaged text is quoted in an error
            if getattr(error, "sqlite_errorcode", None) in _OUT_OF_SPACE:
                raise StoreFull(f"{self._path}: no room to write: {error}") from None
            raise StoreUnreadable(f"{self._path}: {error}") from None
