"""One database: connections, read and write transactions, and what happens when it is away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from deedbox.registry.errors import Busy, ConfigurationError, StorageUnavailable
from deedbox.registry.storage.generation import Generation
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

log = logging.getLogger("deedbox.storage")

_WRITERS_LOCK = 0x0DEEDB0C
"""The key of PostgreSQL's advisory lock that puts writers in a row, so that `seq` is dense and commits in order."""


class Database:
    """A database named by a URL.

    Writers are put in a row (SQLite: `BEGIN IMMEDIATE`; PostgreSQL: an advisory lock held to the commit), so no row
    ever becomes visible behind a sequence number that a reader has seen.
    """

    def __init__(self, url: str, busy_seconds: int = 30) -> None:
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.busy_seconds = busy_seconds
        self.engine = self._engine()
        self._turn = threading.Lock()
        self._generation = Generation(self.engine)
        self._writing = self.engine.execution_options(deedbox_writes=True)

    def _engine(self) -> Engine:
        if self.is_sqlite:
            engine = create_engine(
                self.url,
                connect_args={"timeout": self.busy_seconds, "check_same_thread": False},
                pool_size=20,
                pool_timeout=self.busy_seconds,
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(
            self.url,
            connect_args={"connect_timeout": min(self.busy_seconds, 5)},
            pool_pre_ping=True,
            pool_size=10,
            max_overflow=10,
            pool_timeout=self.busy_seconds,
        )

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A read transaction: one snapshot on SQLite, read-committed statements on PostgreSQL.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self._guarded(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, *, entries: bool = True) -> Iterator[Session]:
        """A write transaction, alone among writers. Commits at the end, or writes nothing.

        Args:
            entries: False where it adds no entry, nor anything else that is numbered densely: on PostgreSQL it is then
                beside the others, and not behind them.

        Raises:
            Busy: the writers before it took too long.
            StorageUnavailable: the database does not answer.
        """
        with (
            self._first_of_this_process(),
            self._guarded(),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            connection = session.connection()
            if not self.is_sqlite:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{self.busy_seconds}s'")
                if entries:
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")
            yield session

    @contextmanager
    def _first_of_this_process(self) -> Iterator[None]:
        # SQLite's waiters poll at growing intervals; the threads of one process can queue up instead.
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=self.busy_seconds):
            raise Busy(f"other writers held the database for {self.busy_seconds} s: ask again")
        try:
            yield
        finally:
            self._turn.release()

    def generation(self) -> int:
        """The greatest `seq` in the database: while it stands still, so does everything that entries say.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self._guarded():
            return self._generation.current()

    def close(self) -> None:
        """Gives all connections back."""
        self._generation.close()
        self.engine.dispose()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except PoolTimeout as error:
            raise Busy("every connection to the database is in use: ask again") from error
        except DBAPIError as error:
            if _is_lock_timeout(error):
                raise Busy(f"other writers held the database for {self.busy_seconds} s: ask again") from error
            if _is_away(error):
                log.warning("database away: %s", error.orig)
                raise StorageUnavailable(
                    f"the database ({self.url.render_as_string(hide_password=True)}) does not answer; "
                    "nothing was written"
                ) from error
            raise


def parse_url(url: str) -> URL:
    """The URL of a supported database, `postgresql:` and `postgres:` taken as psycopg's.

    Raises:
        ConfigurationError: no URL, or of another kind of database.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise NoSuchModuleError(parsed.drivername)
    except (ArgumentError, NoSuchModuleError):
        raise ConfigurationError(
            f"DEEDBOX_DATABASE_URL is {url!r}: use sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        ) from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigurationError("an SQLite database in memory is seen by one connection only: name a file")
    return parsed


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
    cursor = connection.cursor()
    # FULL: a publication answered with 201 is on the disk, also after a loss of power.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("deedbox_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_lock_timeout(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == "55P03" or "database is locked" in str(error.orig)


def _is_away(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    # No state: the connection never was, or broke. 08: connection, 53: resources, 57P: shut down, 58: system.
    operational = type(error.orig).__name__ in ("OperationalError", "InterfaceError", "AdminShutdown", "DatabaseError")
    return (
        error.connection_invalidated
        or (operational and (state is None or state[:2] in ("08", "53", "58") or state.startswith("57P")))
        or (state or "").startswith("57P")
    )
