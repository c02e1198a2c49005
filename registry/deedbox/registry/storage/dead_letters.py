"""What workers read in dead-letter topics: ranges of offsets, and the letters in them by fingerprint.

Reports, ranges and groups are rows of their own, not entries, and never change. Two tables state no fact and move:
`dead_letter_kinds` has the sums of the groups by fingerprint, so that reading them costs the same however much was
reported; `dead_letter_samples` has the newest few letters of each, and no more, since they may hold personal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deedbox.registry.storage.models import Base
from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    ScalarSelect,
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
_MOST_NAMES = 100
"""Versions and origins that are told of a kind: its fingerprint is of few, unless somebody else made it."""


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


class DeadLetterKind(Base):
    """The letters of one fingerprint in a topic over all reports. `newest` is the last group that was reported."""

    __tablename__ = "dead_letter_kinds"
    __table_args__ = (Index(None, "newest"),)

    cluster: Mapped[str] = mapped_column(String(100), primary_key=True)
    topic: Mapped[str] = mapped_column(String(249), primary_key=True)
    topic_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(100), primary_key=True)
    newest: Mapped[int] = mapped_column(ForeignKey("dead_letter_groups.number"))
    count: Mapped[int] = mapped_column(BigInteger)
    replayed: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[int | None] = mapped_column(BigInteger)
    last_at: Mapped[int | None] = mapped_column(BigInteger)
    versions: Mapped[list[str]] = mapped_column(JSON)
    origins: Mapped[list[str]] = mapped_column(JSON)


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
    """The letters of one fingerprint in a topic; what is wrong is as the newest report says it."""

    kind: DeadLetterKind
    newest: DeadLetterGroup
    samples: tuple[DeadLetterSample, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """Cluster, topic and fingerprint."""
        return self.kind.cluster, self.kind.topic, self.kind.fingerprint


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


def add_group(session: Session, group: DeadLetterGroup) -> None:
    """Adds a group of a report, and counts it to its kind. Only inside `Database.writing()`."""
    session.add(group)
    session.flush()
    kind = session.get(DeadLetterKind, (group.cluster, group.topic, group.topic_id, group.fingerprint))
    if kind is None:
        kind = DeadLetterKind(
            cluster=group.cluster,
            topic=group.topic,
            topic_id=group.topic_id,
            fingerprint=group.fingerprint,
            count=0,
            replayed=0,
            versions=[],
            origins=[],
        )
        session.add(kind)
    kind.newest = group.number
    kind.count += group.count
    kind.replayed += group.replayed
    kind.first_at = min((at for at in (kind.first_at, group.first_at) if at is not None), default=None)
    kind.last_at = max((at for at in (kind.last_at, group.last_at) if at is not None), default=None)
    kind.versions = _with(kind.versions, group.version)
    kind.origins = _with(kind.origins, group.origin)
    session.flush()


def exists(session: Session, cluster: str, topic: str, fingerprint: str) -> bool:
    """Whether letters of a fingerprint were reported."""
    statement = select(DeadLetterKind.newest).where(
        DeadLetterKind.cluster == cluster, DeadLetterKind.topic == topic, DeadLetterKind.fingerprint == fingerprint
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
        before: only kinds whose newest group has a smaller number.
        limit: how many at most.
    """
    statement = _current(select(DeadLetterKind, DeadLetterGroup)).join(
        DeadLetterGroup, DeadLetterGroup.number == DeadLetterKind.newest
    )
    if topic is not None:
        statement = statement.where(DeadLetterKind.topic == topic)
    if fingerprint is not None:
        statement = statement.where(DeadLetterKind.fingerprint == fingerprint)
    if contract is not None:
        statement = statement.where(DeadLetterGroup.contract == contract)
    if before is not None:
        statement = statement.where(DeadLetterKind.newest < before)
    rows = list(session.execute(statement.order_by(DeadLetterKind.newest.desc()).limit(limit)))
    samples = _samples(session, [kind for kind, _ in rows])
    return [
        Grouped(kind, newest, tuple(samples.get((kind.cluster, kind.topic, kind.topic_id, kind.fingerprint), ())))
        for kind, newest in rows
    ]


def totals(session: Session) -> list[tuple[str, str, int, int]]:
    """By cluster and dead-letter topic, how many letters were counted, in how many groups."""
    names = DeadLetterKind.cluster, DeadLetterKind.topic
    statement = _current(select(*names, func.sum(DeadLetterKind.count), func.count()))
    rows = session.execute(statement.group_by(*names).order_by(*names))
    return [(row[0], row[1], int(row[2]), int(row[3])) for row in rows]


def reported(session: Session) -> list[tuple[str, str, str, str]]:
    """Dead-letter topics that workers reported about: cluster, topic, when last, and by whom."""
    statement = select(DeadLetterReport).where(DeadLetterReport.number.in_(_last()))
    rows = session.execute(statement.order_by(DeadLetterReport.cluster, DeadLetterReport.topic)).scalars()
    return [(row.cluster, row.topic, row.at, row.by) for row in rows]


def origins(session: Session) -> set[str]:
    """Topics that letters came from."""
    statement = _current(select(DeadLetterKind.origins))
    return {origin for row in session.execute(statement).scalars() for origin in row}


def _last() -> ScalarSelect[int]:
    """The number of the last report about each topic."""
    names = DeadLetterReport.cluster, DeadLetterReport.topic
    return select(func.max(DeadLetterReport.number)).group_by(*names).scalar_subquery()


def _current(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Only what was counted in topics as they are now: what a deleted one held is gone."""
    return statement.join(
        DeadLetterReport,
        (DeadLetterReport.cluster == DeadLetterKind.cluster)
        & (DeadLetterReport.topic == DeadLetterKind.topic)
        & (DeadLetterReport.topic_id == DeadLetterKind.topic_id)
        & DeadLetterReport.number.in_(_last()),
    )


def _with(kept: Sequence[str], name: str) -> list[str]:
    return sorted({*kept, name} - {""})[:_MOST_NAMES]


def _samples(
    session: Session, kinds: Iterable[DeadLetterKind]
) -> dict[tuple[str, str, str, str], list[DeadLetterSample]]:
    keys = [(kind.cluster, kind.topic, kind.topic_id, kind.fingerprint) for kind in kinds]
    columns = (
        DeadLetterSample.cluster,
        DeadLetterSample.topic,
        DeadLetterSample.topic_id,
        DeadLetterSample.fingerprint,
    )
    statement = select(DeadLetterSample).where(tuple_(*columns).in_(keys)).order_by(DeadLetterSample.n)
    found: dict[tuple[str, str, str, str], list[DeadLetterSample]] = {}
    for row in session.execute(statement).scalars():
        found.setdefault((row.cluster, row.topic, row.topic_id, row.fingerprint), []).append(row)
    return found
