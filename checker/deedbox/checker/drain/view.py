"""What evidence comes to, partition by partition: what of it still counts, and below which offset the field may stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from deedbox.checker.drain.evidence import NO_EPOCH, Committed, Consumer, End, Evidence, Group, Partition, Span, Topic


@dataclass(frozen=True, slots=True)
class Place:
    """One partition with what its evidence comes to.

    `cutoff` is the offset below which any record may carry the field, and above which none does that was observed;
    what was not observed counts as carrying it. `[start, top)` is the range observed without a gap up to its end (of
    what the log no longer holds nothing is left to observe). `seen` is the last offset that carried it.
    """

    partition: Partition
    topic: Topic
    ends: tuple[End, ...]
    start: int
    top: int
    seen: int | None
    cutoff: int
    looked_at: bool
    """Whether any observation counts."""
    rescanned: int | None
    """When a look at all that the log holds ended that found the field nowhere; None where there was none."""

    @property
    def name(self) -> str:
        """`topic[partition]`."""
        return f"{self.partition.topic}[{self.partition.number}]"

    @property
    def now(self) -> End:
        """The reading of this evidence."""
        return self.partition.now

    @property
    def key(self) -> tuple[str, int]:
        """Topic and number."""
        return self.partition.topic, self.partition.number


class View:
    """Evidence as conditions look at it.

    Args:
        evidence: what was read.
        without: ids of conditions that are left out. Only tests do: it shows that each is needed.
    """

    def __init__(self, evidence: Evidence, without: Collection[str] = ()) -> None:
        self.evidence, self.without = evidence, frozenset(without)
        self.topics = {topic.name: topic for topic in evidence.topics}
        self.places = [self._place(p) for p in evidence.partitions if p.topic in self.topics]
        self.main = [place for place in self.places if not place.topic.copy]
        self.copies = [place for place in self.places if place.topic.copy]

    @cached_property
    def silent_since(self) -> int | None:
        """When the last writer may have stopped: the last retirement and the grace period. None: not all are retired."""
        retired = [p.retired_at for p in self.evidence.producers]
        known = [at for at in retired if at is not None]
        if len(known) < len(retired) and "producers-retired" not in self.without:
            return None
        grace = 0 if "grace" in self.without else self.evidence.policy.grace_ms
        return max(known) + grace if known else 0

    def settled(self, place: Place) -> End | None:
        """The first reading of a partition's end at or above which nothing that carries the field is written any more.

        Of a copy: since everything that could be copied was read.
        """
        since = self.silent_since
        if since is None:
            return None
        if place.topic.copy and "copies" not in self.without:
            since = max(since, self.evidence.groups_at)
        return next((end for end in place.ends if end.at >= since), None)

    def limit(self, end: End) -> int:
        """What has to be observed of a log: up to the high watermark, not only to what is committed."""
        return end.stable if "transactions" in self.without else end.high

    def waived(self, *subjects: str) -> bool:
        """Whether there is a word in writing about one of these, that holds now."""
        now = self.evidence.ends_at
        return any(w.subject in subjects and (w.until is None or now <= w.until) for w in self.evidence.waivers)

    @cached_property
    def group_owners(self) -> dict[str, list[Consumer]]:
        """Consumers by group, as registered."""
        found: dict[str, list[Consumer]] = {}
        for consumer in self.evidence.consumers:
            for group in consumer.groups:
                found.setdefault(group, []).append(consumer)
        return found

    @cached_property
    def common_times(self) -> list[int]:
        """Times at which the ends of every partition but the copies' were read, in order."""
        times = [{end.at for end in place.ends} for place in self.main]
        return sorted(set.intersection(*times)) if times else []

    @cached_property
    def groups(self) -> list[Group]:
        """The groups that count: all that are not waived."""
        owners = self.group_owners
        return [
            g for g in self.evidence.groups if not self.waived(g.name, *(c.contract for c in owners.get(g.name, ())))
        ]

    @cached_property
    def _unfinished(self) -> list[Place]:
        return [place for place in self.main if not self.is_gone(place)]

    def is_gone(self, place: Place) -> bool:
        """Whether a log holds nothing below the cut-off, and held nothing a grace period ago: it will not come back."""
        if place.now.log_start < place.cutoff:
            return False
        until = self.evidence.ends_at - self.evidence.policy.grace_ms
        return "settled-start" in self.without or any(
            end.log_start >= place.cutoff and end.at <= until for end in place.ends
        )

    def lags(self, group: Group) -> Iterator[tuple[Place, int | None]]:
        """The partitions in which a group has not read past the cut-off, with its offset; None where it has none.

        A group is asked about the topics of which it has any offset, or which it is registered to read.
        """
        if not self._unfinished:
            return
        offsets = {(c.topic, c.partition): c.offset for c in group.committed}
        topics = {c.topic for c in group.committed}
        for consumer in self.group_owners.get(group.name, ()):
            topics.update(consumer.channels)
        for place in self._unfinished:
            if place.topic.name in topics:
                offset = offsets.get(place.key)
                if offset is None or offset < place.cutoff:
                    yield place, offset

    def beyond(self, group: Group) -> Iterator[tuple[Place, Committed]]:
        """The offsets of a group that are past the end of the log: it will be sent back."""
        places = self._by_key
        for committed in group.committed:
            place = places.get((committed.topic, committed.partition))
            if place is not None and committed.offset > place.now.high and not self.is_gone(place):
                yield place, committed

    @cached_property
    def _by_key(self) -> dict[tuple[str, int], Place]:
        return {place.key: place for place in self.main}

    def _place(self, partition: Partition) -> Place:
        topic, now = self.topics[partition.topic], partition.now
        spans, ends = list(partition.spans), list(partition.ends)
        if "same-topic" not in self.without:
            spans = [s for s in spans if s.topic_id == topic.id and topic.id]
            ends = [e for e in ends if e.topic_id == topic.id]
        if topic.compacted:
            spans = _after_rescan(spans, now.log_start)
        # A sighting counts also where nothing else of its span does any more: it can only make the answer later.
        seen = max((s.seen for s in spans if s.seen is not None and s.seen < now.high), default=None)
        if "log-unmoved" not in self.without:
            spans = [s for s in spans if s.epoch == now.epoch != NO_EPOCH and s.end <= now.high]
            ends = [e for e in ends if e.epoch == now.epoch]
        looked_at = bool(spans)
        # What is below the log's start is no more: nothing is left there to be observed.
        start, top = _last_reach([(now.log_start, now.log_start), *((s.start, s.end) for s in spans)])
        if "no-gap" in self.without:
            start, top = min(start, now.log_start), top if looked_at else now.high
        whole = looked_at and start <= now.log_start and all(s.seen is None for s in spans)
        rescanned = max((s.ended for s in spans if s.start <= now.log_start), default=None) if whole else None
        cutoff = start if seen is None else max(start, seen + 1)
        return Place(partition, topic, tuple(ends), start, top, seen, cutoff, looked_at, rescanned)


def _last_reach(ranges: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Of the ranges' union, the part without a gap that ends last."""
    first, *others = sorted(ranges)
    start, end = first
    for lower, upper in others:
        start, end = (lower, upper) if lower > end else (start, max(end, upper))
    return start, end


def _after_rescan(spans: list[Span], log_start: int) -> list[Span]:
    """Of a compacted log, what was observed since its last look at everything: what went by key was seen before it."""
    whole = max((s for s in spans if s.start <= log_start), key=lambda s: s.began, default=None)
    if whole is None:
        return spans
    later = [s for s in spans if s.began >= whole.began]
    for span in spans:
        if span.began < whole.began and span.end > whole.end:
            seen = span.seen if span.seen is not None and span.seen >= whole.end else None
            later.append(replace(span, start=max(span.start, whole.end), seen=seen))
    return later
