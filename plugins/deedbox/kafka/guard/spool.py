"""What a guard saw, on its disk until the registry has it: bounded, and whole after any crash of the process.

One SQLite file. The *journal* has one line for each batch that was judged since the last report, written before the
batch's offsets are committed; the *reports* wait to be sent. Making a report and forgetting its journal is one
transaction. Beside them it is kept where the guard stopped by its limits.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from deedbox.kafka.errors import SpoolFailed
from deedbox.kafka.limits import Limits, Stop

MAX_BYTES = 64 << 20
"""Reports kept for a registry that is away: at one a minute of 100 KB, for ten hours."""

_TABLES = """
CREATE TABLE IF NOT EXISTS journal (n INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reports (
    n INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, bytes INTEGER NOT NULL, messages INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS lost (reports INTEGER NOT NULL, messages INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS stops (
    topic TEXT PRIMARY KEY, place INTEGER NOT NULL, at INTEGER NOT NULL, time INTEGER NOT NULL,
    ratio REAL NOT NULL, width INTEGER NOT NULL, consecutive INTEGER NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report that waits to be sent."""

    number: int
    report: dict[str, Any]


class Spool:
    """The file. Safe to share between threads; one process at a time.

    Args:
        path: of the file, or ":memory:" for a guard that keeps nothing over its restarts.
        max_bytes: of reports; where there is no more room the oldest go, and the next one says how many.

    Raises:
        SpoolFailed: it cannot be written, or another process has it.
    """

    def __init__(self, path: str | Path, max_bytes: int = MAX_BYTES) -> None:
        self._path, self._max_bytes, self._lock = str(path), max_bytes, Lock()
        try:
            self._database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=2)
            # The whole of a batch is written, or nothing: a killed process loses none of it. A loss of power may lose
            # the last seconds, whose offsets the next reading of the same messages covers.
            for statement in (
                "PRAGMA locking_mode=EXCLUSIVE",
                "PRAGMA journal_mode=WAL",
                "PRAGMA synchronous=NORMAL",
                *filter(str.strip, _TABLES.split(";")),
            ):
                self._database.execute(statement)
        except sqlite3.Error as error:
            locked = "another process has it" if "locked" in str(error) else str(error)
            raise SpoolFailed(self._path, locked, begun=False) from error

    def intend(self, line: dict[str, Any]) -> int:
        """Writes down a batch before its offsets are committed, and gives its number.

        Raises:
            SpoolFailed: it was not written.
        """
        with self._writing() as database:
            number = database.execute("INSERT INTO journal (body) VALUES (?)", (json.dumps(line),)).lastrowid
        assert number is not None, "a row was inserted"
        return number

    def forget(self, number: int) -> None:
        """Takes a batch back whose offsets were not committed.

        Raises:
            SpoolFailed: it is still there.
        """
        with self._writing() as database:
            database.execute("DELETE FROM journal WHERE n = ?", (number,))

    def journal(self) -> list[tuple[int, dict[str, Any]]]:
        """The batches since the last report, in their order: what a process that died left behind.

        Raises:
            SpoolFailed: it cannot be read.
        """
        with self._reading() as database:
            rows = database.execute("SELECT n, body FROM journal ORDER BY n").fetchall()
        return [(int(n), json.loads(body)) for n, body in rows]

    def report(self, reports: Sequence[dict[str, Any]]) -> None:
        """Keeps reports to be sent, and forgets the journal that they were made of.

        Each needs `lost`, which is set here, and `topics`, of whose partitions the messages are counted.

        Raises:
            SpoolFailed: nothing changed.
        """
        with self._writing() as database:
            for each in reports:
                lost = self._make_room(database, len(json.dumps(each)))
                body = json.dumps({**each, "lost": {"reports": lost[0], "messages": lost[1]}})
                database.execute(
                    "INSERT INTO reports (body, bytes, messages) VALUES (?, ?, ?)", (body, len(body), _messages(each))
                )
            database.execute("DELETE FROM journal")

    def _make_room(self, database: sqlite3.Connection, needed: int) -> tuple[int, int]:
        """Drops the oldest reports until there is room; what was lost since the last report that is still here."""
        (used,) = database.execute("SELECT coalesce(sum(bytes), 0) FROM reports").fetchone()
        lost = self._take_lost(database)
        while used + needed > self._max_bytes:
            oldest = database.execute("SELECT n, body, bytes, messages FROM reports ORDER BY n LIMIT 1").fetchone()
            if oldest is None:
                break  # one alone may be larger: it is better than none
            number, body, size, messages = oldest
            before = json.loads(body)["lost"]
            lost = (lost[0] + 1 + before["reports"], lost[1] + messages + before["messages"])
            database.execute("DELETE FROM reports WHERE n = ?", (number,))
            used -= size
        return lost

    def _take_lost(self, database: sqlite3.Connection) -> tuple[int, int]:
        reports, messages = database.execute(
            "SELECT coalesce(sum(reports), 0), coalesce(sum(messages), 0) FROM lost"
        ).fetchone()
        database.execute("DELETE FROM lost")
        return int(reports), int(messages)

    def oldest(self) -> Waiting | None:
        """The report that waits longest.

        Raises:
            SpoolFailed: it cannot be read.
        """
        with self._reading() as database:
            row = database.execute("SELECT n, body FROM reports ORDER BY n LIMIT 1").fetchone()
        return Waiting(int(row[0]), json.loads(row[1])) if row is not None else None

    def sent(self, number: int) -> None:
        """Forgets a report that the registry has.

        Raises:
            SpoolFailed: it is still there, and will be sent again under its id.
        """
        with self._writing() as database:
            database.execute("DELETE FROM reports WHERE n = ?", (number,))

    def refused(self, number: int) -> None:
        """Forgets a report that the registry will never take; the next one says so.

        Raises:
            SpoolFailed: it is still there.
        """
        with self._writing() as database:
            row = database.execute("SELECT body, messages FROM reports WHERE n = ?", (number,)).fetchone()
            if row is None:
                return
            before = json.loads(row[0])["lost"]
            lost = (1 + before["reports"], row[1] + before["messages"])
            database.execute("INSERT INTO lost VALUES (?, ?)", lost)
            database.execute("DELETE FROM reports WHERE n = ?", (number,))

    def waiting(self) -> int:
        """How many reports wait.

        Raises:
            SpoolFailed: it cannot be read.
        """
        with self._reading() as database:
            return int(database.execute("SELECT count(*) FROM reports").fetchone()[0])

    def stops(self) -> dict[str, Stop]:
        """Where a guard of this name stopped by its limits, by topic.

        Raises:
            SpoolFailed: it cannot be read.
        """
        with self._reading() as database:
            rows = database.execute("SELECT topic, place, at, time, ratio, width, consecutive FROM stops").fetchall()
        return {topic: Stop(topic, n, at, time, Limits(*limits)) for topic, n, at, time, *limits in rows}

    def stopped(self, stop: Stop) -> None:
        """Writes down that the guard stops.

        Raises:
            SpoolFailed: it was not written.
        """
        limits = (stop.limits.ratio, stop.limits.window, stop.limits.consecutive)
        row = (stop.topic, stop.partition, stop.offset, stop.timestamp, *limits)
        with self._writing() as database:
            database.execute("REPLACE INTO stops VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def went_on(self, topic: str) -> None:
        """Forgets that it stopped at a topic.

        Raises:
            SpoolFailed: it is still there.
        """
        with self._writing() as database:
            database.execute("DELETE FROM stops WHERE topic = ?", (topic,))

    def close(self) -> None:
        """Closes the file; what waits is there for the next process."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._database
            except sqlite3.Error as error:
                raise SpoolFailed(self._path, str(error)) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")


def _messages(report: dict[str, Any]) -> int:
    return sum(int(seen["messages"]) for topic in report["topics"] for seen in topic["partitions"])
