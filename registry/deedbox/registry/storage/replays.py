"""Replays of dead letters, as whoever ran them said: one entry each."""

from __future__ import annotations

from deedbox.registry.storage.models import Base, Entry
from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column


class Replay(Base):
    """One run of a replay: which dead letters of a topic were asked for, and what became of them."""

    __tablename__ = "replays"
    __table_args__ = (UniqueConstraint("uuid"), Index(None, "topic"))

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    uuid: Mapped[str] = mapped_column(String(36))
    topic: Mapped[str] = mapped_column(String(249))
    name: Mapped[str] = mapped_column(String(200))
    query: Mapped[str] = mapped_column(Text)
    read: Mapped[int]
    replayed: Mapped[int]
    quarantined: Mapped[int]
    failing: Mapped[int]
    skipped: Mapped[int]


def by_uuid(session: Session, uuid: str) -> tuple[Replay, Entry] | None:
    """The run with this id, and the entry that recorded it."""
    row = session.execute(
        select(Replay, Entry).join(Entry, Entry.seq == Replay.seq).where(Replay.uuid == uuid)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def of_topic(session: Session, topic: str | None, after: int, limit: int) -> list[tuple[Replay, Entry]]:
    """Runs behind a sequence number, in their order; of one dead-letter topic, or all."""
    statement = select(Replay, Entry).join(Entry, Entry.seq == Replay.seq).where(Replay.seq > after)
    if topic is not None:
        statement = statement.where(Replay.topic == topic)
    return [(row[0], row[1]) for row in session.execute(statement.order_by(Replay.seq).limit(limit))]
