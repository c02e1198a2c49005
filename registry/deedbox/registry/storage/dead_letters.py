"""What workers read in dead-letter topics: ranges of offsets, and the letters in them by fingerprint.

Reports, ranges and groups are rows of their own, not entries, and never change. `dead_letter_samples` is no record: it
holds the newest few letters of each group, and no more, since they may hold personal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deedbox.registry.storage.models import Base
from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

SAMPLES = 3
"""Letters that are kept of a group."""


class DeadLetterReport(Base):
    """One report of one worker about one dead-letter topic. `topic_id` is Kafka's, "" where it is not known."""

    __tablename__ = "dead_letter_reports"
    __table_args__ = (UniqueConstraint("uuid"), Index(None, "cluster", "topic", "number"))

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uuid: Mapped[str] = mapped_column(String(36))
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(200))
    cluster: Mapped[str] = mapped_column(String(100))
    topic: Mapped[str] = mapped_column(String(249))
    topic_id: Mapped[str] = mapped_column(String(36))


class DeadLetterRange(Base):
    """Offsets `start` to below `end` of one partition of a dead-letter topic that were read for a report."""

    __tablename__ = "dead_letter_ranges"
    __table_args__ = (Index(None, "cluster", "topic", "topic_id", "partition", "end"),)

    report: Mapped[int] = mapped_column(ForeignKey("dead_letter_reports.number"), primary_key=True, autoincrement=False)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cluster: Mapped[str] = mapped_column(String(100))
    topic: Mapped[str] = mapped_column(String(249))
    topic_id: Mapped[str] = mapped_column(String(36))
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)


class DeadLetterGroup(Base):
    """Letters of one fingerprint in one report. `replayed` of them came back from a replay. Times in milliseconds."""

    __tablename__ = "dead_letter_groups"
    __table_args__ = (Index(None, "cluster", "topic", "fingerprint", "number"), Index(None, "contract"))

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    report: Mapped[int] = mapped_column(ForeignKey("dead_letter_reports.number"))
    cluster: Mapped[str] = mapped_column(String(100))
    topic: Mapped[str] = mapped_column(String(249))
    topic_id: Mapped[str] = mapped_column(String(36))
    fingerprint: Mapped[str] = mapped_column(String(100))
    contract: Mapped[str] = mapped_column(String(201))
    version: Mapped[str] = mapped_column(String(200))
    rule: Mapped[str] = mapped_column(String(100))
    pointer: Mapped[str] = mapped_column(String(500))
    reason: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(249))
    count: Mapped[int] = mapped_column(BigInteger)
    replayed: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[int | None] = mapped_column(BigInteger)
    last_at: Mapped[int | None] = mapped_column(BigInteger)


class DeadLetterSample(Base):
    """A letter of a group. `n` counts from the newest; key and value as text, None where they were not sent."""

    __tablename__ = "dead_letter_samples"

    cluster: Mapped[str] = mapped_column(String(100), primary_key=True)
    topic: Mapped[str] = mapped_column(String(249), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(100), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic_id: Mapped[str] = mapped_column(String(36))
    version: Mapped[str] = mapped_column(String(200))
    partition: Mapped[int]
    offset: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int | None] = mapped_column(BigInteger)
    origin: Mapped[str] = mapped_column(String(249))
    origin_partition: Mapped[int | None]
    origin_offset: Mapped[int | None] = mapped_column(BigInteger)
    key: Mapped[str | None] = mapped_column(Text)
    value: Mapped[str | None] = mapped_column(Text)
    truncated: Mapped[bool]


@dataclass(frozen=True, slots=True)
class Grouped:
    """The letters of one fingerprint in a topic over all reports; what is wrong as the newest report says it."""

    newest: DeadLetterGroup
    count: int
    replayed: int
    first_at: int | None
    last_at: int | None
    versions: tuple[str, ...]
    origins: tuple[str, ...]
    samples: tuple[DeadLetterSample, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """Cluster, topic and fingerprint."""
        return self.newest.cluster, self.newest.topic, self.newest.fingerprint


def by_uuid(session: Session, uuid: str) -> DeadLetterReport | None:
    """The report with this id."""
    return session.execute(select(DeadLetterReport).where(DeadLetterReport.uuid == uuid)).scalar_one_or_none()


def next_numbers(session: Session) -> tuple[int, int]:
    """The next number of a report and of a group. Only inside `Database.writing()`."""
    report = session.execute(select(func.coalesce(func.max(DeadLetterReport.number), 0))).scalar_one()
    group = session.execute(select(func.coalesce(func.max(DeadLetterGroup.number), 0))).scalar_one()
    return report + 1, group + 1


def positions(session: Session, cluster: str, topic: str, topic_id: str) -> dict[int, int]:
    """By partition of a dead-letter topic, the offset from which on nothing was reported."""
    statement = (
        select(DeadLetterRange.partition, func.max(DeadLetterRange.end))
        .where(DeadLetterRange.cluster == cluster, DeadLetterRange.topic == topic, DeadLetterRange.topic_id == topic_id)
        .group_by(DeadLetterRange.partition)
        .order_by(DeadLetterRange.partition)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def put_samples(session: Session, key: tuple[str, str, str], topic_id: str, new: Sequence[Mapping[str, Any]]) -> None:
    """Puts samples of a group before those that are kept, and lets the last go.

    Args:
        session: of a writing transaction.
        key: cluster, topic and fingerprint.
        topic_id: of the topic as it is now. One that was made anew holds none of the letters that it held before.
        new: `DeadLetterSample`'s columns that are not of its key.
    """
    table = DeadLetterSample.__table__
    of_group = tuple_(DeadLetterSample.cluster, DeadLetterSample.topic, DeadLetterSample.fingerprint) == key
    columns = [column for column in table.columns if not column.primary_key and column.key != "topic_id"]
    kept = select(*columns).where(of_group, DeadLetterSample.topic_id == topic_id).order_by(DeadLetterSample.n)
    rows = [*new, *session.execute(kept).mappings()][:SAMPLES]
    session.execute(delete(DeadLetterSample).where(of_group))
    names = dict(zip(("cluster", "topic", "fingerprint"), key, strict=True))
    if rows:
        numbered = [{**row, **names, "topic_id": topic_id, "n": n} for n, row in enumerate(rows)]
        session.execute(insert(DeadLetterSample), numbered)


def exists(session: Session, cluster: str, topic: str, fingerprint: str) -> bool:
    """Whether letters of a fingerprint were reported."""
    statement = select(DeadLetterGroup.number).where(
        DeadLetterGroup.cluster == cluster, DeadLetterGroup.topic == topic, DeadLetterGroup.fingerprint == fingerprint
    )
    return session.execute(statement.limit(1)).scalar_one_or_none() is not None


def groups(
    session: Session,
    *,
    topic: str | None = None,
    fingerprint: str | None = None,
    contract: str | None = None,
    before: int | None = None,
    limit: int,
) -> list[Grouped]:
    """Letters by cluster, topic and fingerprint, those that were reported last first.

    Args:
        session: of the caller.
        topic: only of this dead-letter topic.
        fingerprint: only these letters.
        contract: only those judged as this one.
        before: only groups whose newest row has a smaller number.
        limit: how many at most.
    """
    number = func.max(DeadLetterGroup.number)
    statement = _current(
        select(
            number,
            func.sum(DeadLetterGroup.count),
            func.sum(DeadLetterGroup.replayed),
            func.min(DeadLetterGroup.first_at),
            func.max(DeadLetterGroup.last_at),
        )
    )
    if topic is not None:
        statement = statement.where(DeadLetterGroup.topic == topic)
    if fingerprint is not None:
        statement = statement.where(DeadLetterGroup.fingerprint == fingerprint)
    if contract is not None:
        statement = statement.where(DeadLetterGroup.contract == contract)
    statement = statement.group_by(*_KEY)
    if before is not None:
        statement = statement.having(number < before)
    sums = list(session.execute(statement.order_by(number.desc()).limit(limit)))
    newest = _rows(session, [row[0] for row in sums])
    said = _said(session, newest.values())
    samples = _samples(session, newest.values())
    found = []
    for last, count, replayed, first_at, last_at in sums:
        row = newest[last]
        key = row.cluster, row.topic, row.fingerprint
        versions, origins = said[key]
        mine = tuple(s for s in samples.get(key, ()) if s.topic_id == row.topic_id)
        found.append(Grouped(row, int(count), int(replayed), first_at, last_at, versions, origins, mine))
    return found


def totals(session: Session) -> list[tuple[str, str, int, int]]:
    """By cluster and dead-letter topic, how many letters were counted, in how many groups."""
    statement = _current(
        select(
            DeadLetterGroup.cluster,
            DeadLetterGroup.topic,
            func.sum(DeadLetterGroup.count),
            func.count(DeadLetterGroup.fingerprint.distinct()),
        )
    )
    rows = session.execute(statement.group_by(DeadLetterGroup.cluster, DeadLetterGroup.topic))
    return sorted((row[0], row[1], int(row[2]), int(row[3])) for row in rows)


def reported(session: Session) -> list[tuple[str, str, str, str]]:
    """Dead-letter topics that workers reported about: cluster, topic, when last, and by whom."""
    latest = select(func.max(DeadLetterReport.number)).group_by(DeadLetterReport.cluster, DeadLetterReport.topic)
    statement = select(DeadLetterReport).where(DeadLetterReport.number.in_(latest.scalar_subquery()))
    rows = session.execute(statement.order_by(DeadLetterReport.cluster, DeadLetterReport.topic)).scalars()
    return [(row.cluster, row.topic, row.at, row.by) for row in rows]


_KEY = (DeadLetterGroup.cluster, DeadLetterGroup.topic, DeadLetterGroup.fingerprint)


def _current(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Only what was counted in topics as they are now: what a deleted one held is gone."""
    latest = select(func.max(DeadLetterReport.number)).group_by(DeadLetterReport.cluster, DeadLetterReport.topic)
    now = (
        select(DeadLetterReport.cluster, DeadLetterReport.topic, DeadLetterReport.topic_id)
        .where(DeadLetterReport.number.in_(latest.scalar_subquery()))
        .subquery("now")
    )
    return statement.join(
        now,
        (now.c.cluster == DeadLetterGroup.cluster)
        & (now.c.topic == DeadLetterGroup.topic)
        & (now.c.topic_id == DeadLetterGroup.topic_id),
    )


def _rows(session: Session, numbers: Sequence[int]) -> dict[int, DeadLetterGroup]:
    statement = select(DeadLetterGroup).where(DeadLetterGroup.number.in_(numbers))
    return {row.number: row for row in session.execute(statement).scalars()}


def _said(
    session: Session, newest: Iterable[DeadLetterGroup]
) -> dict[tuple[str, str, str], tuple[tuple[str, ...], tuple[str, ...]]]:
    """By group, the versions that letters were judged as, and the topics that they came from."""
    keys = [(row.cluster, row.topic, row.fingerprint) for row in newest]
    statement = select(*_KEY, DeadLetterGroup.version, DeadLetterGroup.origin).where(tuple_(*_KEY).in_(keys)).distinct()
    found: dict[tuple[str, str, str], tuple[set[str], set[str]]] = {key: (set(), set()) for key in keys}
    for cluster, topic, fingerprint, version, origin in session.execute(_current(statement)):
        versions, origins = found[cluster, topic, fingerprint]
        versions.add(version)
        origins.add(origin)
    return {
        key: (tuple(sorted(filter(None, versions))), tuple(sorted(filter(None, origins))))
        for key, (versions, origins) in found.items()
    }


def _samples(session: Session, newest: Iterable[DeadLetterGroup]) -> dict[tuple[str, str, str], list[DeadLetterSample]]:
    keys = [(row.cluster, row.topic, row.fingerprint) for row in newest]
    columns = tuple_(DeadLetterSample.cluster, DeadLetterSample.topic, DeadLetterSample.fingerprint)
    statement = select(DeadLetterSample).where(columns.in_(keys)).order_by(DeadLetterSample.n)
    found: dict[tuple[str, str, str], list[DeadLetterSample]] = {}
    for row in session.execute(statement).scalars():
        found.setdefault((row.cluster, row.topic, row.fingerprint), []).append(row)
    return found
