"""What a consumer remembers of what it handled: message ids against duplicates, times by key against staleness."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

Standing: TypeAlias = Literal["new", "duplicate", "stale"]
"""`duplicate`: a message of that id was handled. `stale`: so was one of its key that happened later."""


class Known(NamedTuple):
    """What is known of a message before it is handled, and the session that a store shares with its handler, if any."""

    standing: Standing
    session: Any = None


class HandledStore(Protocol):
    """A store of its own, shared by the members of one group."""

    def handling(
        self, message_id: str | None, key: str | None, occurred_at: str | None
    ) -> AbstractContextManager[Known]:
        """Surrounds the handling of one message.

        Where the block ends without an error the message is noted: all of it or nothing. One that is stale is noted by
        its id alone.

        Args:
            message_id: against duplicates; None where it has none.
            key: what it is about.
            occurred_at: when that happened, as text that sorts by time.
        """
        ...


class MemoryStore:
    """The last `most` ids and keys, in this process. Each group needs one of its own."""

    def __init__(self, most: int = 1_000_000) -> None:
        self._most, self._lock = most, Lock()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._newest: OrderedDict[str, str] = OrderedDict()

    @contextmanager
    def handling(self, message_id: str | None, key: str | None, occurred_at: str | None) -> Iterator[Known]:
        """See `HandledStore.handling`."""
        newest = self._newest.get(key) if key is not None else None
        standing = _standing(message_id in self._ids, newest, occurred_at)
        yield Known(standing)
        if standing == "duplicate":
            return
        with self._lock:
            if message_id is not None:
                self._ids[message_id] = None
                if len(self._ids) > self._most:
                    self._ids.popitem(last=False)
            if key is not None and occurred_at is not None and occurred_at > self._newest.get(key, ""):
                self._newest[key] = occurred_at
                self._newest.move_to_end(key)
                if len(self._newest) > self._most:
                    self._newest.popitem(last=False)


class SqliteStore:
    """In an SQLite file: outlives the process. Ids are forgotten `keep_days` after they were handled.

    Each group needs a file of its own: what one has handled is no duplicate to another.
    """

    def __init__(self, path: str | Path, keep_days: float = 30.0) -> None:
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS ids (id TEXT PRIMARY KEY, day REAL NOT NULL DEFAULT (julianday('now')))"
            " WITHOUT ROWID"
        )
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS newest (key TEXT PRIMARY KEY, occurred_at TEXT NOT NULL) WITHOUT ROWID"
        )
        self._database.execute("DELETE FROM ids WHERE day < julianday('now') - ?", (keep_days,))

    @contextmanager
    def handling(self, message_id: str | None, key: str | None, occurred_at: str | None) -> Iterator[Known]:
        """See `HandledStore.handling`."""
        with self._lock:
            seen = self._database.execute("SELECT 1 FROM ids WHERE id = ?", (message_id,)).fetchone() is not None
            row = self._database.execute("SELECT occurred_at FROM newest WHERE key = ?", (key,)).fetchone()
        standing = _standing(seen, None if row is None else str(row[0]), occurred_at)
        yield Known(standing)
        if standing == "duplicate":
            return
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            if message_id is not None:
                self._database.execute("INSERT OR IGNORE INTO ids (id) VALUES (?)", (message_id,))
            if key is not None and occurred_at is not None:
                self._database.execute(
                    "INSERT INTO newest VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET occurred_at = excluded.occurred_at"
                    " WHERE excluded.occurred_at > occurred_at",
                    (key, occurred_at),
                )

    def close(self) -> None:
        """Closes the file."""
        self._database.close()


def _standing(seen: bool, newest: str | None, occurred_at: str | None) -> Standing:
    if seen:
        return "duplicate"
    return "stale" if newest is not None and occurred_at is not None and occurred_at < newest else "new"
