"""The store of what was handled in any database that SQLAlchemy speaks to, in one transaction with the handler's writes.

The id is claimed before the handler runs and kept when its transaction commits: of two processes that were given the
same message one waits for the other, and then finds a duplicate. So an effect that the handler writes through
`message.session` happens once, however often the message comes and whenever a process dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from deedbox.kafka.errors import StoreUnavailable
from deedbox.kafka.stores import Known, Standing
from sqlalchemy import Column, DateTime, Engine, MetaData, String, Table, Text, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

METADATA = MetaData()
"""The two tables, for who makes them by migrations of their own."""
IDS = Table(
    "deedbox_handled",
    METADATA,
    Column("consumer_group", String(255), primary_key=True),
    Column("message_digest", String(64), primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False, index=True),
)
NEWEST = Table(
    "deedbox_newest",
    METADATA,
    Column("consumer_group", String(255), primary_key=True),
    Column("key_digest", String(64), primary_key=True),
    Column("occurred_at", Text, nullable=False),
    Column("handled_at", DateTime(timezone=True), nullable=False, index=True),
)
_SWEEP_SECONDS = 600.0
_WITH_ON_CONFLICT: Mapping[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class SqlStore:
    """See `HandledStore`. Shared by all members of a group, in any number of processes.

    Args:
        sessions: the handler's own session factory, or an engine; makes the tables where they are missing.
        group: the consumer group. Each has its own memory.
        keep_days: after which ids, and keys of which nothing more was heard, are forgotten: longer than any message is
            still sent again.

    Raises:
        StoreUnavailable: the database does not answer.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session] | Engine,
        group: str,
        *,
        keep_days: float = 30.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessionmaker(sessions) if isinstance(sessions, Engine) else sessions
        self._group, self._keep, self._clock = group, timedelta(days=keep_days), clock
        self._next_sweep = 0.0
        with _translated():
            with self._sessions() as session:
                bind = session.get_bind()
            for table in METADATA.sorted_tables:
                try:
                    table.create(bind, checkfirst=True)
                except SQLAlchemyError:
                    table.create(bind, checkfirst=True)  # another process was making it at the same moment

    @contextmanager
    def handling(self, message_id: str | None, key: str | None, occurred_at: str | None) -> Iterator[Known]:
        """See `HandledStore.handling`. Where the handler raises, nothing of it is kept.

        Raises:
            StoreUnavailable: the database does not answer; nothing was kept.
        """
        self._sweep()
        with self._sessions() as session:
            with _translated():
                known = Known(self._claim(session, message_id, key, occurred_at), session)
            try:
                yield known
                # What the handler left for the end is still its own: a row that breaks a constraint is no fault of a store.
                with _translated((OperationalError, InterfaceError)):
                    session.flush()
            except BaseException:
                session.rollback()
                raise
            with _translated():
                session.commit()

    def _claim(self, session: Session, message_id: str | None, key: str | None, occurred_at: str | None) -> Standing:
        if message_id is not None:
            row = {"message_digest": _digest(message_id), "handled_at": self._clock()}
            if not self._insert(session, IDS, row):
                return "duplicate"
        if key is None or occurred_at is None:
            return "new"
        return "new" if self._advance(session, _digest(key), occurred_at) else "stale"

    def _advance(self, session: Session, key: str, occurred_at: str) -> bool:
        """Notes the time of a key's newest message, unless there is a newer one."""
        row = {"key_digest": key, "occurred_at": occurred_at, "handled_at": self._clock()}
        if self._insert(session, NEWEST, row):
            return True
        here = (NEWEST.c.consumer_group == self._group) & (NEWEST.c.key_digest == key)
        # Locked: who is given a message of the same key waits until this one is handled.
        newest = session.execute(select(NEWEST.c.occurred_at).where(here).with_for_update()).scalar_one()
        if occurred_at < newest:
            return False
        session.execute(update(NEWEST).where(here).values(occurred_at=occurred_at, handled_at=row["handled_at"]))
        return True

    def _insert(self, session: Session, table: Table, row: Mapping[str, Any]) -> bool:
        """Whether there was no such row; waits for another transaction that is writing it."""
        values = {"consumer_group": self._group, **row}
        special = _WITH_ON_CONFLICT.get(session.get_bind().dialect.name)
        if special is not None:
            statement = special(table).values(values).on_conflict_do_nothing().returning(table.c.consumer_group)
            return session.execute(statement).first() is not None
        try:
            with session.begin_nested():
                session.execute(insert(table).values(values))
        except IntegrityError:
            return False
        return True

    def _sweep(self) -> None:
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_SECONDS
        before = self._clock() - self._keep
        with _translated(), self._sessions() as session:
            for table in (IDS, NEWEST):
                session.execute(delete(table).where(table.c.consumer_group == self._group, table.c.handled_at < before))
            session.commit()


@contextmanager
def _translated(kinds: tuple[type[SQLAlchemyError], ...] = (SQLAlchemyError,)) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        raise StoreUnavailable(f"what was handled cannot be noted: {type(error).__name__}: {error}") from error


def _digest(text: str) -> str:
    """Of any length and any character, as 64 hexadecimal digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
