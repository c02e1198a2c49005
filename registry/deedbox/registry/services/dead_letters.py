"""What workers read in dead-letter topics. High-volume: rows of their own, not entries."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from deedbox.registry.errors import IdTaken, InvalidRequest, OffsetsTaken
from deedbox.registry.services.names import check_channel, check_uuid
from deedbox.registry.services.values import Page
from deedbox.registry.storage import dead_letters as store
from deedbox.registry.storage import queries
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.dead_letters import DeadLetterGroup, DeadLetterRange, DeadLetterReport
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class ReadRange:
    """Offsets `start` to below `end` of a partition of a dead-letter topic."""

    partition: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadSample:
    """A letter: where it stands, when it was written, where it came from, and what it holds as far as that is told."""

    partition: int
    offset: int
    at: int | None
    origin_partition: int | None
    origin_offset: int | None
    key: str | None
    value: str | None
    truncated: bool


@dataclass(frozen=True, slots=True)
class ReadGroup:
    """See `storage.dead_letters.DeadLetterGroup`. Samples are newest first."""

    fingerprint: str
    contract: str
    version: str
    rule: str
    pointer: str
    reason: str
    origin: str
    count: int
    replayed: int
    first_at: int | None
    last_at: int | None
    samples: tuple[ReadSample, ...]

    @property
    def kind(self) -> tuple[str, ...]:
        """What tells it from the other groups of a report."""
        return self.fingerprint, self.contract, self.version, self.rule, self.pointer, self.origin


@dataclass(frozen=True, slots=True)
class Report:
    """One report of one worker about one dead-letter topic. `topic_id` is Kafka's, "" where it is not known."""

    uuid: str
    cluster: str
    topic: str
    topic_id: str
    ranges: tuple[ReadRange, ...]
    groups: tuple[ReadGroup, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A recorded report, and whether this call recorded it."""

    row: DeadLetterReport
    created: bool


class DeadLetters:
    """The use cases around dead letters that workers read."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record(self, report: Report, by: str) -> Accepted:
        """Records what a worker read. The same id with the same content again changes nothing.

        Each range begins where the last one ended, or behind it (the log's start moved on), so that no letter is
        counted twice, whoever reports.

        Raises:
            InvalidRequest, InvalidName: says which field. IdTaken: the id names another report.
            OffsetsTaken: a range begins before what was reported already; says where to go on.
            Busy, StorageUnavailable: nothing was written.
        """
        uuid = check_uuid(report.uuid)
        _check(report)
        content = sha256(json.dumps(asdict(report), sort_keys=True).encode()).hexdigest()
        with self.database.writing() as session:
            known = store.by_uuid(session, uuid)
            if known is not None:
                if known.digest != content:
                    raise IdTaken(f"report {uuid} was recorded by {known.by} with other content: use a new id")
                return Accepted(known, created=False)
            _check_positions(session, report)
            number, next_group = store.next_numbers(session)
            where = {"cluster": report.cluster, "topic": report.topic, "topic_id": report.topic_id}
            row = DeadLetterReport(number=number, uuid=uuid, digest=content, at=queries.now(), by=by, **where)
            session.add(row)
            session.flush()
            session.add_all(DeadLetterRange(report=number, **where, **asdict(span)) for span in report.ranges)
            for n, group in enumerate(report.groups, start=next_group):
                said = asdict(group)
                del said["samples"]
                store.add_group(session, DeadLetterGroup(number=n, report=number, **where, **said))
            _put_samples(session, report)
            return Accepted(row, created=True)

    def positions(self, cluster: str, topic: str, topic_id: str) -> dict[int, int]:
        """By partition, the offset from which on nothing was reported; partitions without a report are not in it.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self.database.reading() as session:
            return store.positions(session, cluster, topic, topic_id)

    def groups(self, *, topic: str | None, contract: str | None, before: int | None, limit: int) -> Page:
        """Letters by cluster, topic and fingerprint with their newest samples, those reported last first.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self.database.reading() as session:
            found = store.groups(session, topic=topic, contract=contract, before=before, limit=limit + 1)
        items: list[Any] = found[:limit]
        return Page(items, str(found[limit - 1].newest.number) if len(found) > limit else None)


def _check(report: Report) -> None:
    check_channel(report.topic)
    seen: set[int] = set()
    for n, span in enumerate(report.ranges):
        if span.start >= span.end:
            raise InvalidRequest(f"/ranges/{n}/end: must be behind start ({span.start})", pointer=f"/ranges/{n}/end")
        if span.partition in seen:
            message = f"/ranges/{n}: partition {span.partition} stands there twice: make it one range, or two reports"
            raise InvalidRequest(message, pointer=f"/ranges/{n}")
        seen.add(span.partition)
    kinds: set[tuple[str, ...]] = set()
    for n, group in enumerate(report.groups):
        if group.kind in kinds:
            message = f"/groups/{n}: fingerprint, contract, version, rule, pointer and origin as in a group before it"
            raise InvalidRequest(message, pointer=f"/groups/{n}")
        kinds.add(group.kind)
        if group.replayed > group.count:
            message = f"/groups/{n}/replayed: more than the {group.count} letters there are"
            raise InvalidRequest(message, pointer=f"/groups/{n}/replayed")


def _check_positions(session: Session, report: Report) -> None:
    stand = store.positions(session, report.cluster, report.topic, report.topic_id)
    for n, span in enumerate(report.ranges):
        if span.start < stand.get(span.partition, 0):
            raise OffsetsTaken(
                f"/ranges/{n}: partition {span.partition} of {report.topic} was reported up to {stand[span.partition]}: "
                "go on from there, under a new id",
                pointer=f"/ranges/{n}/start",
                positions=[{"partition": p, "next": next_} for p, next_ in stand.items()],
            )


def _put_samples(session: Session, report: Report) -> None:
    by_fingerprint: dict[str, list[dict[str, Any]]] = {}
    for group in report.groups:
        new = by_fingerprint.setdefault(group.fingerprint, [])
        new += [{**asdict(sample), "origin": group.origin, "version": group.version} for sample in group.samples]
    for fingerprint, samples in by_fingerprint.items():
        store.put_samples(session, (report.cluster, report.topic, fingerprint), report.topic_id, samples)
