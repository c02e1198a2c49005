"""What a consumer remembers of what it handled: message ids against duplicates, times by key against staleness."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Protocol


class HandledStore(Protocol):
    """A store of its own, shared by the members of one group."""

    def seen(self, message_id: str) -> bool:
        """Whether a message was handled."""
        ...

    def newest(self, key: str) -> str | None:
        """The occurred-at of the newest message handled of a key; None before the first."""
        ...

    def handled(self, message_id: str | None, key: str | None, occurred_at: str | None) -> None:
        """Takes note of a message, after it was handled. All of it or nothing is kept."""
        ...


class MemoryStore:
    """The last `most` ids and keys, in this process."""

    def __init__(self, most: int = 1_000_000) -> None:
        self._most, self._lock = most, Lock()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._newest: OrderedDict[str, str] = OrderedDict()

    def seen(self, message_id: str) -> bool:
        """See `HandledStore.seen`."""
        return message_id in self._ids

    def newest(self, key: str) -> str | None:
        """See `HandledStore.newest`."""
        return self._newest.get(key)

    def handled(self, message_id: str | None, key: str | None, occurred_at: str | None) -> None:
        """See `HandledStore.handled`."""
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
    """In an SQLite file: outlives the process. Ids are forgotten `keep_days` after they were handled."""

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

    def seen(self, message_id: str) -> bool:
        """See `HandledStore.seen`."""
        with self._lock:
            return self._database.execute("SELECT 1 FROM ids WHERE id = ?", (message_id,)).fetchone() is not None

    def newest(self, key: str) -> str | None:
        """See `HandledStore.newest`."""
        with self._lock:
            row = self._database.execute("SELECT occurred_at FROM newest WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def handled(self, message_id: str | None, key: str | None, occurred_at: str | None) -> None:
        """See `HandledStore.handled`."""
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
