"""What guards saw of live messages: rows of their own beside the entries, since there are many. Nothing is updated.

Rows that hold pointers are numbered within their report: PostgreSQL indexes no key as long as they may be together.

An observation is one report of one guard. Its ranges repeat where a stretch began, so the newest row of a stretch says
all that the older ones said, and a report that was lost leaves no hole once the next one arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deedbox.registry.storage.models import Base
from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column


class Observation(Base):
    """One report. `number` is dense from 1, `uuid` the guard's own, `digest` of its content; times are the guard's."""

    __tablename__ = "observations"
    __table_args__ = (UniqueConstraint("uuid"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uuid: Mapped[str] = mapped_column(String(36))
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(200))
    guard: Mapped[str] = mapped_column(String(400))
    tool: Mapped[str] = mapped_column(String(100))
    cluster: Mapped[str] = mapped_column(String(100))
    since: Mapped[str] = mapped_column(String(32))
    until: Mapped[str] = mapped_column(String(32))
    lost_reports: Mapped[int]
    """Reports before this one that found no room on the guard's disk, and the messages that they counted."""
    lost_messages: Mapped[int] = mapped_column(BigInteger)


class ObservedRange(Base):
    """Offsets `start` to below `end` of one partition, read without a gap since `start`. `messages` is of this report.

    Timestamps are of messages, in milliseconds. `unreadable_*` is of messages that could not be looked into for
    obsolete fields: how many since `start`, and the last one.
    """

    __tablename__ = "observed_ranges"
    __table_args__ = (
        Index(None, "observation"),
        Index(None, "topic", "partition"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    observation: Mapped[int] = mapped_column(ForeignKey("observations.number"))
    cluster: Mapped[str] = mapped_column(String(100))
    topic: Mapped[str] = mapped_column(String(249))
    topic_id: Mapped[str] = mapped_column(String(36))
    partition: Mapped[int]
    start: Mapped[int] = mapped_column(BigInteger)
    end: Mapped[int] = mapped_column(BigInteger)
    log_start: Mapped[int | None] = mapped_column(BigInteger)
    leader_epoch: Mapped[int | None]
    messages: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[int | None] = mapped_column(BigInteger)
    last_at: Mapped[int | None] = mapped_column(BigInteger)
    unreadable: Mapped[int] = mapped_column(BigInteger)
    unreadable_last_offset: Mapped[int | None] = mapped_column(BigInteger)
    unreadable_last_at: Mapped[int | None] = mapped_column(BigInteger)


class ObservedField(Base):
    """An obsolete field that was looked for, in all ranges of its topic in a report, whether it was seen or not."""

    __tablename__ = "observed_fields"
    __table_args__ = (Index(None, "contract", "topic"),)

    observation: Mapped[int] = mapped_column(ForeignKey("observations.number"), primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic: Mapped[str] = mapped_column(String(249))
    contract: Mapped[str] = mapped_column(String(201))
    pointer: Mapped[str] = mapped_column(String(500))


class ObservedSighting(Base):
    """An obsolete field that was seen in a range, by what the messages were written as; counted since its `start`."""

    __tablename__ = "observed_sightings"
    __table_args__ = (Index(None, "contract"),)

    range: Mapped[int] = mapped_column(ForeignKey("observed_ranges.number"), primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    contract: Mapped[str] = mapped_column(String(201))
    pointer: Mapped[str] = mapped_column(String(500))
    writer: Mapped[str] = mapped_column(String(201))
    writer_version: Mapped[str] = mapped_column(String(200))
    count: Mapped[int] = mapped_column(BigInteger)
    last_offset: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[int | None] = mapped_column(BigInteger)


class ObservedCount(Base):
    """Messages of a topic counted in one report. `kind`, `rule` and `pointer` as the guard's cells have them."""

    __tablename__ = "observed_counts"
    __table_args__ = (Index(None, "topic"), Index(None, "contract"))

    observation: Mapped[int] = mapped_column(ForeignKey("observations.number"), primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topic: Mapped[str] = mapped_column(String(249))
    contract: Mapped[str] = mapped_column(String(201))
    version: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(16))
    rule: Mapped[str] = mapped_column(String(100))
    pointer: Mapped[str] = mapped_column(String(500))
    count: Mapped[int] = mapped_column(BigInteger)


class ObservedGroup(Base):
    """A consumer group that had committed offsets on a topic when the report was made."""

    __tablename__ = "observed_groups"
    __table_args__ = (Index(None, "topic"),)

    observation: Mapped[int] = mapped_column(ForeignKey("observations.number"), primary_key=True, autoincrement=False)
    topic: Mapped[str] = mapped_column(String(249), primary_key=True)
    group: Mapped[str] = mapped_column(String(255), primary_key=True)


@dataclass(frozen=True, slots=True)
class Covered:
    """One stretch of one partition in which a field was looked for: its farthest end, and the epoch there."""

    cluster: str
    topic: str
    topic_id: str
    partition: int
    start: int
    end: int
    leader_epoch: int | None
    until: str
    """When the guard said so last."""


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The last message of one partition that a field was seen in, or that could not be looked into."""

    cluster: str
    topic: str
    topic_id: str
    partition: int
    writer: str
    writer_version: str
    offset: int
    at: int | None


def by_uuid(session: Session, uuid: str) -> Observation | None:
    """The report with this id."""
    return session.execute(select(Observation).where(Observation.uuid == uuid)).scalar_one_or_none()


def next_numbers(session: Session) -> tuple[int, int]:
    """The next number of a report and of a range. Only inside `Database.writing()`."""
    report = session.execute(select(func.coalesce(func.max(Observation.number), 0))).scalar_one()
    row = session.execute(select(func.coalesce(func.max(ObservedRange.number), 0))).scalar_one()
    return report + 1, row + 1


def ranges_after(
    session: Session, number: int, limit: int, *, topic: str | None, cluster: str | None
) -> list[tuple[ObservedRange, Observation]]:
    """Ranges behind one number, in the order of their arrival, each with its report."""
    statement = (
        select(ObservedRange, Observation)
        .join(Observation, Observation.number == ObservedRange.observation)
        .where(ObservedRange.number > number)
    )
    if topic is not None:
        statement = statement.where(ObservedRange.topic == topic)
    if cluster is not None:
        statement = statement.where(ObservedRange.cluster == cluster)
    rows = session.execute(statement.order_by(ObservedRange.number).limit(limit))
    return [(row[0], row[1]) for row in rows]


def sightings_of(session: Session, ranges: Iterable[int]) -> dict[int, list[ObservedSighting]]:
    """Sightings by range."""
    found: dict[int, list[ObservedSighting]] = {}
    wanted = sorted(set(ranges))
    for start in range(0, len(wanted), 500):
        statement = select(ObservedSighting).where(ObservedSighting.range.in_(wanted[start : start + 500]))
        for row in session.execute(statement).scalars():
            found.setdefault(row.range, []).append(row)
    return found


def fields_of(session: Session, reports: Iterable[int]) -> dict[tuple[int, str], list[ObservedField]]:
    """What was looked for, by report and topic."""
    found: dict[tuple[int, str], list[ObservedField]] = {}
    wanted = sorted(set(reports))
    for start in range(0, len(wanted), 500):
        statement = select(ObservedField).where(ObservedField.observation.in_(wanted[start : start + 500]))
        for row in session.execute(statement).scalars():
            found.setdefault((row.observation, row.topic), []).append(row)
    return found


def coverage(session: Session, contract: str, pointer: str, *, topic: str | None, cluster: str | None) -> list[Covered]:
    """Every stretch in which a field was looked for, by cluster, topic id, partition and start."""
    where = ObservedRange.cluster, ObservedRange.topic, ObservedRange.topic_id, ObservedRange.partition
    statement = (
        select(
            *where,
            ObservedRange.start,
            func.max(ObservedRange.end),
            func.max(ObservedRange.leader_epoch),
            func.max(Observation.until),
        )
        .join(Observation, Observation.number == ObservedRange.observation)
        .join(
            ObservedField,
            (ObservedField.observation == ObservedRange.observation) & (ObservedField.topic == ObservedRange.topic),
        )
        .where(ObservedField.contract == contract, ObservedField.pointer == pointer)
        .group_by(*where, ObservedRange.start)
        .order_by(*where, ObservedRange.start)
    )
    if topic is not None:
        statement = statement.where(ObservedRange.topic == topic)
    if cluster is not None:
        statement = statement.where(ObservedRange.cluster == cluster)
    return [Covered(*row) for row in session.execute(statement)]


def last_sightings(
    session: Session, contract: str, pointer: str, *, topic: str | None, cluster: str | None
) -> list[LastSeen]:
    """The last sighting of a field in each partition, by what the message was written as."""
    where = ObservedRange.cluster, ObservedRange.topic, ObservedRange.topic_id, ObservedRange.partition
    written = ObservedSighting.writer, ObservedSighting.writer_version
    statement = (
        select(*where, *written, func.max(ObservedSighting.last_offset), func.max(ObservedSighting.last_at))
        .join(ObservedSighting, ObservedSighting.range == ObservedRange.number)
        .where(ObservedSighting.contract == contract, ObservedSighting.pointer == pointer)
        .group_by(*where, *written)
        .order_by(*where, *written)
    )
    if topic is not None:
        statement = statement.where(ObservedRange.topic == topic)
    if cluster is not None:
        statement = statement.where(ObservedRange.cluster == cluster)
    return [LastSeen(*row) for row in session.execute(statement)]


def last_unreadable(session: Session, topics: Iterable[str], *, cluster: str | None) -> list[LastSeen]:
    """The last message of each partition that could not be looked into; no writer is known of those."""
    where = ObservedRange.cluster, ObservedRange.topic, ObservedRange.topic_id, ObservedRange.partition
    statement = (
        select(
            *where,
            func.max(ObservedRange.unreadable_last_offset),
            func.max(ObservedRange.unreadable_last_at),
        )
        .where(ObservedRange.topic.in_(sorted(set(topics))), ObservedRange.unreadable > 0)
        .group_by(*where)
        .order_by(*where)
    )
    if cluster is not None:
        statement = statement.where(ObservedRange.cluster == cluster)
    return [LastSeen(*row[:4], "", "", int(row[4] or 0), row[5]) for row in session.execute(statement)]


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic as it was seen: on which clusters, how many partitions and messages, when first and last."""

    topic: str
    clusters: tuple[str, ...]
    topic_ids: tuple[str, ...]
    partitions: int
    first_at: int | None
    last_at: int | None
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted of a topic over all reports."""

    topic: str
    contract: str
    version: str
    kind: str
    rule: str
    pointer: str
    count: int
    until: str


def channel_names(session: Session, after: str, limit: int) -> list[str]:
    """Topics that were seen, after one name, in order."""
    statement = select(ObservedRange.topic).distinct().where(ObservedRange.topic > after)
    return list(session.execute(statement.order_by(ObservedRange.topic).limit(limit)).scalars())


def channels(session: Session, topics: Iterable[str]) -> dict[str, Channel]:
    """Topics as they were seen, by name."""
    names = sorted(set(topics))
    which = (
        select(ObservedRange.topic, ObservedRange.cluster, ObservedRange.topic_id)
        .distinct()
        .where(ObservedRange.topic.in_(names))
    )
    clusters: dict[str, set[str]] = {}
    ids: dict[str, set[str]] = {}
    for topic, cluster, topic_id in session.execute(which):
        clusters.setdefault(topic, set()).add(cluster)
        ids.setdefault(topic, set()).add(topic_id)
    statement = (
        select(
            ObservedRange.topic,
            func.count(ObservedRange.partition.distinct()),
            func.min(ObservedRange.first_at),
            func.max(ObservedRange.last_at),
            func.min(Observation.since),
            func.max(Observation.until),
        )
        .join(Observation, Observation.number == ObservedRange.observation)
        .where(ObservedRange.topic.in_(names))
        .group_by(ObservedRange.topic)
    )
    return {
        row[0]: Channel(row[0], tuple(sorted(clusters[row[0]])), tuple(sorted(ids[row[0]])), *row[1:])
        for row in session.execute(statement)
    }


def counts(
    session: Session, *, topics: Iterable[str] | None = None, contract: str | None = None, since: str | None = None
) -> list[Counted]:
    """What was counted, summed over the reports that ended at or after `since`."""
    cell = (
        ObservedCount.topic,
        ObservedCount.contract,
        ObservedCount.version,
        ObservedCount.kind,
        ObservedCount.rule,
        ObservedCount.pointer,
    )
    statement = (
        select(*cell, func.sum(ObservedCount.count), func.max(Observation.until))
        .join(Observation, Observation.number == ObservedCount.observation)
        .group_by(*cell)
        .order_by(*cell)
    )
    if topics is not None:
        statement = statement.where(ObservedCount.topic.in_(sorted(set(topics))))
    if contract is not None:
        statement = statement.where(ObservedCount.contract == contract)
    if since is not None:
        statement = statement.where(Observation.until >= since)
    return [Counted(*row[:6], int(row[6]), row[7]) for row in session.execute(statement)]


def groups(session: Session, topics: Iterable[str], since: str | None = None) -> dict[str, dict[str, str]]:
    """Consumer groups by topic, each with when it was seen last."""
    statement = (
        select(ObservedGroup.topic, ObservedGroup.group, func.max(Observation.until))
        .join(Observation, Observation.number == ObservedGroup.observation)
        .where(ObservedGroup.topic.in_(sorted(set(topics))))
        .group_by(ObservedGroup.topic, ObservedGroup.group)
        .order_by(ObservedGroup.topic, ObservedGroup.group)
    )
    if since is not None:
        statement = statement.where(Observation.until >= since)
    found: dict[str, dict[str, str]] = {}
    for topic, group, until in session.execute(statement):
        found.setdefault(topic, {})[group] = until
    return found
