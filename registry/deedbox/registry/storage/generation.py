"""How far the entries have come, asked as cheaply as can be: every remembered reply depends on it."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.pool import PoolProxiedConnection

_NEWEST = "SELECT coalesce(max(seq), 0) FROM entries"
_STATEMENT = b"deedbox_newest"


class Generation:
    """The greatest `seq`, over one connection of its own. Threads that come while it is asked share the next answer.

    While it stands still, so does everything that entries say.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: PoolProxiedConnection | None = None
        self._lock = threading.Lock()
        self._asked = 0
        self._answered = 0
        self._value = 0

    def current(self) -> int:
        """The greatest `seq` that was committed when this was called, or a later one.

        Raises:
            DBAPIError: the database does not answer.
        """
        before = self._asked
        with self._lock:
            if self._answered > before:
                return self._value  # asked after this call began, so it is no older than it may be
            self._asked += 1
            self._value = self._ask()
            self._answered = self._asked
            return self._value

    def close(self) -> None:
        """Closes the connection."""
        with self._lock:
            self._drop()

    def _ask(self) -> int:
        if self._connection is not None:
            try:
                if self._engine.dialect.name == "postgresql":
                    return _newest_postgresql(self._connection.dbapi_connection)
                return _newest(self._connection)
            except self._engine.dialect.loaded_dbapi.Error:
                self._drop()
        # The first time, or behind a broken connection: by the engine, which tells what is wrong.
        with self._engine.connect() as connection:
            value = int(connection.exec_driver_sql(_NEWEST).scalar_one())
        own = self._engine.raw_connection()
        own.detach()
        if self._engine.dialect.name == "postgresql":
            _prepare_postgresql(own.dbapi_connection)
        self._connection = own
        return value

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _newest(connection: PoolProxiedConnection) -> int:
    # Without a transaction: SQLite's connections are in autocommit until BEGIN.
    cursor = connection.cursor()
    try:
        cursor.execute(_NEWEST)
        row = cursor.fetchone()
        assert row is not None, "an aggregate gives a row"
        return int(row[0])
    finally:
        cursor.close()


def _prepare_postgresql(connection: Any) -> None:
    connection.autocommit = True
    connection.pgconn.prepare(_STATEMENT, _NEWEST.encode())


def _newest_postgresql(connection: Any) -> int:
    # libpq by itself: psycopg's cursor costs several times what the question does.
    from psycopg import OperationalError

    result = connection.pgconn.exec_prepared(_STATEMENT, None)
    value = result.get_value(0, 0)
    if value is None:
        raise OperationalError(result.error_message.decode(errors="replace"))
    return int(value)
