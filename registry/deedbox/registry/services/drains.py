"""The lives of obsolete fields: who may still write and read them, what was proved, and what the gate makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import TypeAlias

from deedbox.checker.canonical import canonical
from deedbox.checker.drain.claiming import claim
from deedbox.checker.drain.evidence import (
    Consumer,
    End,
    Evidence,
    Group,
    Partition,
    Policy,
    Producer,
    Span,
    Topic,
    Waiver,
)
from deedbox.checker.drain.progress import progress
from deedbox.registry import clock
from deedbox.registry.errors import IdTaken, InvalidRequest, NotFound
from deedbox.registry.services import lives
from deedbox.registry.services.lives import Life
from deedbox.registry.services.names import check_channel, check_uuid, split_contract
from deedbox.registry.services.observations import Report
from deedbox.registry.storage import drains as store
from deedbox.registry.storage import observations as seen
from deedbox.registry.storage import obsolete, queries
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.drains import ChannelPolicy, DrainEvidence, DrainReminder, DrainRevocation, DrainWaiver
from deedbox.registry.storage.obsolete import ObsoleteField
from sqlalchemy.orm import Session

GUARDS = 0
"""When guards began: they do not say, and it is not before anything else that counts."""
MAX_PARTS = 10_000
"""Topics, partitions and groups that one reading may hold."""

Sighted: TypeAlias = tuple[tuple[str, int, str], int]
"""Where the field was seen: topic, partition and the topic's id; and the offset."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A reading as a client sends it: of each partition the one reading of its ends, and what a scan looked at.

    Times are the client's, in milliseconds; `sent_at` is its time of sending, by which they are set to the registry's.
    """

    id: str
    cluster_id: str
    tool: str
    sent_at: int
    started_at: int
    groups_at: int
    ends_at: int
    finished_at: int
    topics: tuple[Topic, ...]
    partitions: tuple[Partition, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field with what is known of it. `row` is the newest evidence, `revoked` why its proof no longer holds."""

    life: Life
    state: str
    overdue: bool
    row: DrainEvidence | None
    revoked: str | None


class Drains:
    """The use cases around obsolete fields."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def fields(self, contract: str | None = None) -> list[FieldView]:
        """Every obsolete field of unretired versions, by contract and pointer."""
        with self.database.reading() as session:
            return [self._view(session, life) for life in lives.all_lives(session, contract)]

    def views(self, marked: Sequence[ObsoleteField]) -> list[FieldView]:
        """Some obsolete fields, in their order."""
        with self.database.reading() as session:
            return [self._view(session, life) for life in lives.lives_of(session, marked)]

    def field(self, contract: str, pointer: str) -> FieldView:
        """One field.

        Raises:
            NotFound: no version of the contract marks it.
        """
        with self.database.reading() as session:
            return self._view(session, _life(session, contract, pointer))

    def record(self, contract: str, pointer: str, reading: Submitted, by: str) -> tuple[DrainEvidence, bool]:
        """Records a reading and the claim that it allows, with all that the registry knows; True where it is new.

        Raises:
            NotFound: no version of the contract marks the field. IdTaken: the id names another reading.
            InvalidRequest: the reading leaves a topic out, or is too large.
        """
        uuid = check_uuid(reading.id)
        _check(reading)
        with self.database.writing() as session:
            known = store.by_uuid(session, uuid)
            if known is not None:
                if (known[0].contract, known[0].pointer) != (contract, pointer):
                    raise IdTaken(f"the id {uuid} is that of evidence about {known[0].contract} {known[0].pointer}")
                return known[0], False
            life = _life(session, contract, pointer)
            last = store.evidence_of(session, contract, pointer, cluster=reading.cluster_id)
            before = Evidence.from_dict(json.loads(last[0].evidence)) if last else None
            evidence = _completed(session, life, reading, before)
            made = claim(evidence)
            far = progress(evidence, before)
            _revoke_late(session, contract, pointer, evidence.cluster_id, _sightings(evidence), by)
            data = {"contract": contract, "pointer": pointer, "state": made.state, "digest": evidence.digest}
            entry = queries.add_entry(session, by, "drain-evidence", f"{contract}#{pointer}", {**data, "id": uuid})
            row = DrainEvidence(
                seq=entry.seq,
                uuid=uuid,
                contract=contract,
                pointer=pointer,
                cluster=evidence.cluster_id,
                digest=evidence.digest,
                state=made.state,
                consumed=made.consumed,
                gone=made.gone,
                evidence=canonical(evidence.as_dict()).decode(),
                claim={**made.as_dict(), "progress": far.as_dict()},
            )
            session.add(row)
            session.flush()
            if made.gone or (made.consumed and life.policy.opens_at == "consumed"):
                _remind(session, life, "drained", _first_proof(session, life, row), by)
            return row, True

    def evidence(self, uuid: str) -> tuple[DrainEvidence, str, str]:
        """Recorded evidence, when and by whom.

        Raises:
            NotFound: there is none with this id.
        """
        with self.database.reading() as session:
            found = store.by_uuid(session, check_uuid(uuid))
        if found is None:
            raise NotFound(f"there is no evidence {uuid}")
        return found[0], found[1].at, found[1].by

    def waive(self, contract: str, pointer: str, waived: str, reason: str, until: date | None, by: str) -> None:
        """Records that a consumer (`service/name`) or a group is left out of account for a field.

        Raises:
            NotFound: no version of the contract marks the field.
        """
        with self.database.writing() as session:
            _life(session, contract, pointer)
            data = {"waived": waived, "reason": reason, "until": until.isoformat() if until is not None else None}
            entry = queries.add_entry(session, by, "drain-waiver", f"{contract}#{pointer}", data)
            session.add(DrainWaiver(seq=entry.seq, contract=contract, pointer=pointer, **data))

    def revoke(self, uuid: str, reason: str, by: str) -> bool:
        """Records that a proof no longer holds; False where that was said before.

        Raises:
            NotFound: there is no such evidence. InvalidRequest: it proved nothing.
        """
        with self.database.writing() as session:
            found = store.by_uuid(session, check_uuid(uuid))
            if found is None:
                raise NotFound(f"there is no evidence {uuid}")
            if not found[0].consumed:
                raise InvalidRequest(f"the evidence {uuid} proved nothing that could be revoked")
            if store.revoked(session, [found[0].seq]):
                return False
            _revoke(session, found[0], reason, by)
            return True

    def set_policy(self, channel: str, policy: Policy, by: str) -> None:
        """Records how the fields of a channel drain.

        Raises:
            InvalidRequest: a name or a time that cannot be.
        """
        check_channel(channel)
        for copy in policy.copies:
            check_channel(copy)
        data = {**asdict(policy), "copies": list(policy.copies)}
        with self.database.writing() as session:
            entry = queries.add_entry(session, by, "channel-policy", channel, data)
            session.add(ChannelPolicy(seq=entry.seq, channel=channel, **data))

    def remind(self, by: str) -> list[FieldView]:
        """Says of every field that is obsolete for longer than its policy that it is, once; returns all of them."""
        with self.database.writing() as session:
            found = [self._view(session, life) for life in lives.all_lives(session, None)]
            overdue = [view for view in found if view.overdue]
            for view in overdue:
                _remind(session, view.life, "overdue", view.life.marked_seq, by)
        return overdue

    def revoke_late(self, session: Session, report: Report, by: str) -> None:
        """Revokes every proof that a guard's report contradicts, in the transaction that records the report."""
        found: dict[tuple[str, str], list[Sighted]] = {}
        for topic in report.topics:
            for partition in topic.partitions:
                for sighting in partition.sightings:
                    found.setdefault((sighting.contract, sighting.pointer), []).append(
                        ((topic.topic, partition.partition, topic.topic_id), sighting.last_offset)
                    )
        for (contract, pointer), sighted in found.items():
            _revoke_late(session, contract, pointer, report.cluster, sighted, by)

    def _view(self, session: Session, life: Life) -> FieldView:
        rows = store.evidence_of(session, life.contract, life.pointer)
        row = rows[0] if rows else None
        proof = row.seq if row is not None else 0
        revoked = store.revoked(session, [proof]).get(proof)
        state = row.state if row is not None and revoked is None else claim(_bare(session, life)).state
        if state == "gone" and life.dropped_at is not None:
            state = "dropped"  # since the reading: what was gone stays so, and only the registry knows the rest
        overdue = life.dropped_at is None and _now() - life.marked_at > life.policy.overdue_ms
        return FieldView(life, state, overdue, row, revoked)


def _now() -> int:
    return int(clock.now().timestamp() * 1000)


def _life(session: Session, contract: str, pointer: str) -> Life:
    split_contract(contract)
    marked = [field for field in obsolete.fields(session, contract) if field.pointer == pointer]
    if not marked:
        raise NotFound(f"no version of {contract} marks {pointer or 'the message itself'} as obsolete")
    return lives.lives_of(session, marked)[0]


def _check(reading: Submitted) -> None:
    if max(len(reading.topics), len(reading.partitions), len(reading.groups)) > MAX_PARTS:
        raise InvalidRequest(f"a reading holds at most {MAX_PARTS} topics, partitions and groups each")
    if not reading.started_at <= reading.groups_at <= reading.ends_at <= reading.finished_at <= reading.sent_at:
        raise InvalidRequest("the times are not in order: started, groups, ends, finished, sent", pointer="/started_at")
    names = {topic.name for topic in reading.topics}
    for n, partition in enumerate(reading.partitions):
        if len(partition.ends) != 1 or partition.topic not in names:
            raise InvalidRequest(
                f"/partitions/{n}: say one reading of its ends, and its topic among the topics",
                pointer=f"/partitions/{n}",
            )
    if len({(p.topic, p.number) for p in reading.partitions}) < len(reading.partitions):
        raise InvalidRequest("/partitions: a partition stands there twice", pointer="/partitions")


def _completed(session: Session, life: Life, reading: Submitted, before: Evidence | None) -> Evidence:
    """The reading with what the registry knows, that of the same cluster `before` it included.

    The registry's own clock counts: the client's times are set to it.
    """
    shift = _now() - reading.sent_at
    read = {topic.name for topic in reading.topics}
    missing = [c for c in life.channels if c not in read]
    if missing:
        raise InvalidRequest(
            f"the reading leaves out {', '.join(missing)}, on which the field travels", missing=missing
        )
    known = {(p.topic, p.number): p for p in before.partitions} if before is not None else {}
    scans: dict[tuple[str, int], list[Span]] = {}
    for partition in reading.partitions:
        key = (partition.topic, partition.number)
        fresh = [replace(s, began=s.began + shift, ended=s.ended + shift) for s in partition.spans]
        held = known.get(key)
        scans[key] = _longest([*(s for s in (held.spans if held is not None else ()) if s.began != GUARDS), *fresh])
    guards = _guard_spans(session, life, reading, scans)
    partitions = []
    for partition in reading.partitions:
        key = (partition.topic, partition.number)
        now = replace(partition.ends[0], at=partition.ends[0].at + shift, done=partition.ends[0].done + shift)
        held = known.get(key)
        ends = _thinned(held.ends, now.at, life.policy.grace_ms) if held is not None else []
        spans = [s for s in (*scans[key], *guards.get(key, ())) if s.end > now.log_start]
        partitions.append(Partition(*key, (*ends, now), tuple(spans)))
    topics = tuple(replace(topic, copy=topic.name not in life.channels) for topic in reading.topics)
    return replace(
        _bare(session, life),
        cluster_id=reading.cluster_id,
        tool=reading.tool,
        started_at=reading.started_at + shift,
        groups_at=reading.groups_at + shift,
        ends_at=reading.ends_at + shift,
        finished_at=reading.finished_at + shift,
        topics=topics,
        partitions=tuple(partitions),
        groups=reading.groups,
    )


def _longest(spans: Sequence[Span]) -> list[Span]:
    """Of one scan that was recorded on its way, the last word."""
    found: dict[tuple[int, str, int, int], Span] = {}
    for span in spans:
        key = (span.start, span.topic_id, span.epoch, span.began)
        if key not in found or found[key].end < span.end:
            found[key] = span
    return list(found.values())


def _thinned(ends: Sequence[End], now: int, grace_ms: int) -> list[End]:
    """Readings of an end, closer together the later they are, so that their number grows with the logarithm of time.

    Kept is the first in each stretch of absolute time: it is never thinned out by what comes after it, and so grows old
    enough to be a grace period ago.
    """
    kept: dict[tuple[int, int], End] = {}
    for end in ends:
        width, age = max(grace_ms // 8, 1_000), now - end.at
        while age > width * 32:
            width *= 2
        kept.setdefault((width, end.at // width), end)
    return list(kept.values())


def _bare(session: Session, life: Life) -> Evidence:
    """Evidence of what the registry alone knows."""
    now = _now()
    waived = tuple(
        Waiver(w.waived, w.reason, entry.by, lives.milliseconds(entry.at), _until(w.until))
        for w, entry in store.waivers(session, life.contract, life.pointer)
    )
    return Evidence(
        life.contract, life.pointer, "", "", now, now, now, now, (), (), (),
        tuple(Producer(p.contract, p.version, p.retired_at) for p in life.producers),
        tuple(Consumer(c.contract, c.groups, c.channels) for c in life.consumers),
        waived, life.policy, life.marked_at, life.stopped_at, life.dropped_at,
    )  # fmt: skip


def _until(day: str | None) -> int | None:
    return None if day is None else lives.milliseconds(f"{day}T23:59:59.999Z")


def _guard_spans(
    session: Session, life: Life, reading: Submitted, scans: Mapping[tuple[str, int], Sequence[Span]]
) -> dict[tuple[str, int], list[Span]]:
    """What guards looked at: `scans` are the other looks, by topic and partition."""
    cluster = reading.cluster_id
    starts = {(p.topic, p.number): p.ends[0].log_start for p in reading.partitions}
    last: dict[tuple[str, str, int], tuple[int, int | None]] = {}
    topics = [*life.channels, *life.policy.copies]
    for mark in (
        *seen.last_sightings(session, life.contract, life.pointer, topic=None, cluster=cluster),
        *seen.last_unreadable(session, topics, cluster=cluster),
    ):
        key = (mark.topic, mark.topic_id, mark.partition)
        last[key] = max(last.get(key, (-1, None)), (mark.offset, mark.at), key=lambda pair: pair[0])
    found: dict[tuple[str, int], list[Span]] = {}
    for topic, topic_id, number, start, end, messages, epoch, until in store.guard_stretches(
        session, life.contract, life.pointer, cluster
    ):
        offset, at = last.get((topic, topic_id, number), (-1, None))
        first = max(start, starts.get((topic, number), start))
        scanned = any(
            (s.topic_id, s.epoch) == (topic_id, epoch) and s.epoch >= 0 and s.start <= first and end <= s.end
            for s in scans.get((topic, number), ())
        )
        # An offset without a committed message may hold an aborted one, which some consumers read all the same. A scan
        # reads that too: what it found there is known, and no more assumed.
        if int(messages) < end - start and not scanned:
            offset, at = end - 1, None
        sighted = start <= offset < end
        ended = lives.milliseconds(until)
        found.setdefault((topic, number), []).append(
            Span(
                start,
                end,
                topic_id,
                -1 if epoch is None else epoch,
                0,
                ended,
                offset if sighted else None,
                at if sighted else None,
            )
        )
    return found


def _first_proof(session: Session, life: Life, row: DrainEvidence) -> int:
    """The first of the proofs that hold: it is said once that a field has drained, and again after a revocation."""
    return next((p.seq for p in store.proofs(session, life.contract, life.pointer) if p.gone == row.gone), row.seq)


def _remind(session: Session, life: Life, what: str, about: int, by: str) -> None:
    if store.reminded(session, life.contract, life.pointer, what, about):
        return
    data = {"contract": life.contract, "pointer": life.pointer, "what": what, "marked_at": life.marked_at}
    entry = queries.add_entry(session, by, "drain-reminder", f"{life.contract}#{life.pointer}", data)
    session.add(DrainReminder(seq=entry.seq, contract=life.contract, pointer=life.pointer, what=what, about=about))
    session.flush()


def _sightings(evidence: Evidence) -> list[Sighted]:
    """Where the field was seen last in each of the stretches that were looked at."""
    return [
        ((partition.topic, partition.number, span.topic_id), span.seen)
        for partition in evidence.partitions
        for span in partition.spans
        if span.seen is not None
    ]


def _revoke_late(
    session: Session, contract: str, pointer: str, cluster: str, sighted: Iterable[Sighted], by: str
) -> None:
    """Revokes the proofs from a cluster where the field was seen behind the end that they were made of."""
    sighted = list(sighted)
    for row in store.proofs(session, contract, pointer, cluster=cluster) if sighted else ():
        ends = [(kept["topic"], kept["number"], kept["ends"][-1]) for kept in json.loads(row.evidence)["partitions"]]
        highs = {(topic, number, end["topic_id"]): end["high"] for topic, number, end in ends}
        # A partition, or a topic made anew, that the proof knows nothing of was not looked at by it.
        late = next(((place, offset) for place, offset in sighted if offset >= highs.get(place, 0)), None)
        if late is not None:
            (topic, number, _), offset = late
            _revoke(session, row, f"the field was seen in {topic}[{number}] at offset {offset} after it was proved", by)


def _revoke(session: Session, row: DrainEvidence, reason: str, by: str) -> None:
    data = {"evidence": row.uuid, "reason": reason, "told": lives.published_with(session, row.uuid)}
    entry = queries.add_entry(session, by, "drain-revocation", f"{row.contract}#{row.pointer}", data)
    session.add(DrainRevocation(seq=entry.seq, evidence_seq=row.seq, reason=reason))
    session.flush()
