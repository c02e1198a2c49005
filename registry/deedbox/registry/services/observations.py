"""What guards report of live messages, and what is read out of it. High-volume: rows of their own, not entries."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256

from deedbox.client.mismatches import MISMATCHES
from deedbox.registry.errors import IdTaken, InvalidName, InvalidRequest
from deedbox.registry.services.names import check_channel, check_uuid, split_contract
from deedbox.registry.services.values import Page
from deedbox.registry.storage import observations as store
from deedbox.registry.storage import queries
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.observations import (
    LastSeen,
    Observation,
    ObservedCount,
    ObservedField,
    ObservedGroup,
    ObservedRange,
    ObservedSighting,
)
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Sighting:
    """An obsolete field (of `contract`, at `pointer`) seen in messages written as `writer` `writer_version`."""

    contract: str
    pointer: str
    writer: str
    writer_version: str
    count: int
    last_offset: int
    last_at: int | None


@dataclass(frozen=True, slots=True)
class SeenPartition:
    """See `storage.observations.ObservedRange`."""

    partition: int
    start: int
    end: int
    log_start: int | None
    leader_epoch: int | None
    messages: int
    first_at: int | None
    last_at: int | None
    unreadable: int = 0
    unreadable_last_offset: int | None = None
    unreadable_last_at: int | None = None
    sightings: tuple[Sighting, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenCount:
    """See `storage.observations.ObservedCount`."""

    contract: str
    version: str
    kind: str
    rule: str
    pointer: str
    count: int


@dataclass(frozen=True, slots=True)
class SeenTopic:
    """One topic in a report. `watched` are the (contract, pointer) of obsolete fields that were looked for."""

    topic: str
    topic_id: str
    watched: tuple[tuple[str, str], ...]
    counts: tuple[SeenCount, ...]
    groups: tuple[str, ...]
    partitions: tuple[SeenPartition, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a guard; its fields are those of `storage.observations.Observation`."""

    uuid: str
    guard: str
    tool: str
    cluster: str
    since: str
    until: str
    lost_reports: int
    lost_messages: int
    topics: tuple[SeenTopic, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A recorded report, and whether this call made it."""

    row: Observation
    created: bool


@dataclass(frozen=True, slots=True)
class RangeView:
    """A range with its report, its sightings and what was looked for."""

    row: ObservedRange
    report: Observation
    sightings: tuple[ObservedSighting, ...]
    watched: tuple[ObservedField, ...]


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as it was seen. `mismatches` are rules of `MISMATCHES` with how many messages and by whom."""

    channel: store.Channel
    counts: tuple[store.Counted, ...]
    groups: dict[str, str]

    @property
    def mismatches(self) -> tuple[store.Counted, ...]:
        """What is not as registered."""
        return tuple(c for c in self.counts if c.rule in MISMATCHES)


@dataclass(frozen=True, slots=True)
class PartitionCoverage:
    """One partition: `ranges` of offsets [start, end) in which a field was looked for, merged where they touch."""

    cluster: str
    topic: str
    topic_id: str
    partition: int
    ranges: tuple[tuple[int, int], ...]
    leader_epoch: int | None
    until: str
    last_seen: tuple[LastSeen, ...] = field(default=())
    unreadable: LastSeen | None = None


class Observations:
    """The use cases around what guards saw."""

    def __init__(
        self, database: Database, contradict: Callable[[Session, Report, str], None] = lambda *_: None
    ) -> None:
        """`contradict` is told of each new report in its transaction: what was proved of a field may not hold any more."""
        self.database, self._contradict = database, contradict

    def record(self, report: Report, by: str) -> Accepted:
        """Records a report. The same id with the same content again changes nothing.

        Raises:
            InvalidRequest, InvalidName: says which field. IdTaken: the id names another report.
            Busy, StorageUnavailable: nothing was written.
        """
        uuid = check_uuid(report.uuid)
        for n, topic in enumerate(report.topics):
            _check(topic, f"/topics/{n}")
        if len({topic.topic for topic in report.topics}) < len(report.topics):
            raise InvalidRequest("/topics: a topic stands there twice: make it one, or two reports", pointer="/topics")
        content = sha256(json.dumps(asdict(report), sort_keys=True).encode()).hexdigest()
        with self.database.writing() as session:
            known = store.by_uuid(session, uuid)
            if known is not None:
                if known.digest != content:
                    raise IdTaken(f"observation {uuid} was recorded by {known.by} with other content: use a new id")
                return Accepted(known, created=False)
            number, next_range = store.next_numbers(session)
            row = Observation(
                number=number,
                uuid=uuid,
                digest=content,
                at=queries.now(),
                by=by,
                guard=report.guard,
                tool=report.tool,
                cluster=report.cluster,
                since=report.since,
                until=report.until,
                lost_reports=report.lost_reports,
                lost_messages=report.lost_messages,
            )
            session.add(row)
            session.flush()
            session.add_all(_topic_rows(number, report.topics))
            for topic in report.topics:
                rows = range(next_range, next_range + len(topic.partitions))
                next_range = rows.stop
                pairs = list(zip(rows, topic.partitions, strict=True))
                session.add_all(_range_row(n, number, report.cluster, topic, seen) for n, seen in pairs)
                session.flush()
                session.add_all(
                    _sighting_row(row, n, sighting) for row, seen in pairs for n, sighting in enumerate(seen.sightings)
                )
            session.flush()
            self._contradict(session, report, by)
            return Accepted(row, created=True)

    def ranges(self, after: int, limit: int, *, topic: str | None, cluster: str | None) -> Page:
        """Recorded ranges, in the order of their arrival. The cursor is always given: new ones come behind it."""
        with self.database.reading() as session:
            rows = store.ranges_after(session, after, limit, topic=topic, cluster=cluster)
            sightings = store.sightings_of(session, [row.number for row, _ in rows])
            watched = store.fields_of(session, [report.number for _, report in rows])
        views = [
            RangeView(
                row,
                report,
                tuple(sightings.get(row.number, ())),
                tuple(watched.get((report.number, row.topic), ())),
            )
            for row, report in rows
        ]
        return Page(views, str(rows[-1][0].number if rows else after))

    def channels(self, after: str, limit: int, *, channel: str | None, since: str | None) -> Page:
        """Channels that were seen, by name: contracts, versions and groups on them, what was counted, what mismatches."""
        with self.database.reading() as session:
            names = [channel] if channel is not None else store.channel_names(session, after, limit + 1)
            seen = store.channels(session, names[:limit])
            counts = store.counts(session, topics=seen, since=since)
            groups = store.groups(session, seen, since)
        views = [
            ChannelView(seen[name], tuple(c for c in counts if c.topic == name), groups.get(name, {}))
            for name in names[:limit]
            if name in seen
        ]
        return Page(views, names[limit - 1] if len(names) > limit else None)

    def counts(self, contract: str, since: str | None) -> Sequence[store.Counted]:
        """What was counted of one contract's messages, on all channels."""
        with self.database.reading() as session:
            return store.counts(session, contract=contract, since=since)

    def coverage(
        self, contract: str, pointer: str, *, topic: str | None, cluster: str | None
    ) -> list[PartitionCoverage]:
        """Where an obsolete field was looked for and where it was seen last, by partition.

        Args:
            contract: whose field, `service/name`.
            pointer: where in a message, with `*` for the items of an array.
            topic: only there.
            cluster: only there.
        """
        with self.database.reading() as session:
            stretches = store.coverage(session, contract, pointer, topic=topic, cluster=cluster)
            seen = store.last_sightings(session, contract, pointer, topic=topic, cluster=cluster)
            unreadable = store.last_unreadable(session, {s.topic for s in stretches}, cluster=cluster)
        by_partition: dict[tuple[str, str, str, int], list[store.Covered]] = {}
        for stretch in stretches:
            by_partition.setdefault(_where(stretch), []).append(stretch)
        opaque = {_where(last): last for last in unreadable}
        return [
            PartitionCoverage(
                *where,
                merged([(s.start, s.end) for s in held]),
                max((s.leader_epoch for s in held if s.leader_epoch is not None), default=None),
                max(s.until for s in held),
                tuple(last for last in seen if _where(last) == where),
                opaque.get(where),
            )
            for where, held in by_partition.items()
        ]


def merged(ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Ranges [start, end) in order, those that touch or overlap made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def _where(at: store.Covered | LastSeen) -> tuple[str, str, str, int]:
    return at.cluster, at.topic, at.topic_id, at.partition


def _check(topic: SeenTopic, at: str) -> None:
    check_channel(topic.topic)
    watched = set(topic.watched)
    for n, (contract, _) in enumerate(topic.watched):
        _check_contract(contract, f"{at}/watched/{n}/contract")
    if len(watched) < len(topic.watched):
        raise InvalidRequest(f"{at}/watched: a field stands there twice", pointer=f"{at}/watched")
    cells = {(c.contract, c.version, c.kind, c.rule, c.pointer) for c in topic.counts}
    if len(cells) < len(topic.counts):
        raise InvalidRequest(f"{at}/counts: a cell stands there twice: add them up", pointer=f"{at}/counts")
    if len({p.partition for p in topic.partitions}) < len(topic.partitions):
        raise InvalidRequest(
            f"{at}/partitions: a partition stands there twice: a report has one range of each",
            pointer=f"{at}/partitions",
        )
    for n, seen in enumerate(topic.partitions):
        here = f"{at}/partitions/{n}"
        if seen.end < seen.start:
            raise InvalidRequest(f"{here}/to: {seen.end} is below from, {seen.start}", pointer=f"{here}/to")
        keys = set()
        for m, sighting in enumerate(seen.sightings):
            place = f"{here}/sightings/{m}"
            if (sighting.contract, sighting.pointer) not in watched:
                raise InvalidRequest(
                    f"{place}: {sighting.contract} {sighting.pointer} is not among the topic's watched fields",
                    pointer=place,
                )
            if not seen.start <= sighting.last_offset < seen.end:
                raise InvalidRequest(f"{place}/last_offset: outside of the range", pointer=f"{place}/last_offset")
            keys.add((sighting.contract, sighting.pointer, sighting.writer, sighting.writer_version))
        if len(keys) < len(seen.sightings):
            raise InvalidRequest(f"{here}/sightings: one stands there twice", pointer=f"{here}/sightings")


def _check_contract(contract: str, pointer: str) -> None:
    try:
        split_contract(contract)
    except InvalidName as error:
        raise InvalidRequest(f"{pointer}: {error}", pointer=pointer) from None


def _topic_rows(number: int, topics: Sequence[SeenTopic]) -> list[ObservedField | ObservedCount | ObservedGroup]:
    fields = [(t.topic, contract, pointer) for t in topics for contract, pointer in t.watched]
    counts = [(t.topic, c) for t in topics for c in t.counts]
    return [
        *(
            ObservedField(observation=number, n=n, topic=topic, contract=contract, pointer=pointer)
            for n, (topic, contract, pointer) in enumerate(fields)
        ),
        *(ObservedCount(observation=number, n=n, topic=topic, **asdict(c)) for n, (topic, c) in enumerate(counts)),
        *(ObservedGroup(observation=number, topic=t.topic, group=g) for t in topics for g in dict.fromkeys(t.groups)),
    ]


def _range_row(row: int, number: int, cluster: str, topic: SeenTopic, seen: SeenPartition) -> ObservedRange:
    said = asdict(replace(seen, sightings=()))
    del said["sightings"]
    return ObservedRange(
        number=row, observation=number, cluster=cluster, topic=topic.topic, topic_id=topic.topic_id, **said
    )


def _sighting_row(row: int, n: int, sighting: Sighting) -> ObservedSighting:
    return ObservedSighting(range=row, n=n, **asdict(sighting))
