"""Scanning history: every record of a partition up to an end, committed or not, for the fields that are asked for.

Each partition is read by one member of a consumer group: scans share the work by running side by side, and where one
stopped, the next goes on. What is scanned is committed with the group, and what was found is kept in its metadata.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message
from confluent_kafka import TopicPartition as Place
from deedbox.checker.drain.evidence import Span
from deedbox.kafka.drain.positions import EndNow, Positions
from deedbox.kafka.errors import BrokerUnavailable
from deedbox.kafka.librdkafka import log, translated
from deedbox.kafka.messages import TopicPartition

Carries = Callable[[str, Sequence[tuple[str, bytes]], bytes | None], bool]
"""Whether a record carries the field, or cannot be read well enough to tell: by topic, headers and value."""

_BATCH = 10_000
_IDLE_SECONDS = 30.0
_SETTLE_SECONDS = 2.0
_POLL_SECONDS = 0.25


@dataclass(slots=True)
class _Part:
    start: int
    at: int
    end: int
    began: int
    seen: int | None = None
    seen_time: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is: records looked at, of how many, and how many of them carried the field."""

    done: int
    total: int
    carrying: int


class Scan:
    """One process of a scan.

    Args:
        bootstrap: addresses of the cluster.
        positions: of the same cluster.
        topics: what to scan.
        carries: the test.
        group: of the scan: processes that share it share the partitions.
        clock: milliseconds.
        config: further settings of librdkafka.
    """

    def __init__(
        self,
        bootstrap: str,
        positions: Positions,
        topics: Sequence[str],
        carries: Carries,
        group: str,
        clock: Callable[[], int],
        *,
        config: Mapping[str, object] | None = None,
    ) -> None:
        self._positions, self._carries, self._clock = positions, carries, clock
        now = [topic for topic in positions.topics(topics) if topic.partitions]
        self._ids = {topic.name: topic.id for topic in now}
        places = [TopicPartition(t.name, n) for t in now for n in range(t.partitions)]
        self._ends = positions.ends(places)
        self._parts: dict[TopicPartition, _Part] = {}
        self.spans: dict[tuple[str, int], list[Span]] = {}
        settings: dict[str, Any] = {
            **(config or {}),
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_uncommitted",
            "enable.partition.eof": True,
            "allow.auto.create.topics": False,
            "logger": log,
        }
        self._client = Consumer(settings)

    def run(self) -> Iterator[Progress]:
        """Scans until every partition is done, here or in another process; says now and then how far it is.

        Raises:
            BrokerUnavailable: the cluster does not answer.
        """
        total = sum(end.high - end.log_start for end in self._ends.values())
        done = carrying = 0
        with translated():
            self._client.subscribe(list(self._ids), on_assign=self._take, on_revoke=self._give, on_lost=self._lose)
            last = settled = time.monotonic()
            while True:
                messages = self._client.consume(_BATCH, _POLL_SECONDS)
                read, seen = self._look(messages)
                done, carrying, now = done + read, carrying + seen, time.monotonic()
                last = now if messages else last
                yield Progress(done, total, carrying)
                if now - settled > _SETTLE_SECONDS or len(messages) < _BATCH:
                    self._settle()
                    settled = now
                    if self._finished():
                        break
                if now - last > _IDLE_SECONDS:
                    raise BrokerUnavailable(f"nothing came for {_IDLE_SECONDS:.0f} s, and the scan is not at its end")
            self.close()

    def close(self) -> None:
        """Leaves the group: another process takes over what is left."""
        with translated():
            self._client.close()

    def _look(self, messages: Sequence[Message]) -> tuple[int, int]:
        """Looks at a batch: how many records, and how many that carried the field. Throughput rests on this loop."""
        parts = {(place.topic, place.partition): part for place, part in self._parts.items()}
        carries, read, found = self._carries, 0, 0
        for message in messages:
            topic, offset = message.topic(), message.offset()
            part = parts.get((topic, message.partition()))  # type: ignore[arg-type]
            if message.error() is not None:
                self._reached(message, part)
                continue
            if part is None or offset is None or offset < part.at:
                continue
            read += 1
            part.at = offset + 1
            headers: Any = message.headers() or ()
            if carries(topic or "", headers, message.value()):
                found += 1
                part.seen, part.seen_time = offset, message.timestamp()[1]
        return read, found

    def _reached(self, message: Message, part: _Part | None) -> None:
        fault = message.error()
        if fault is not None and fault.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(fault)
        offset = message.offset()
        # The end of what can be read now: past the markers of transactions and what was compacted.
        if part is not None and offset is not None:
            part.at = max(part.at, offset)

    def _settle(self) -> None:
        """Commits how far it is, with what was seen, so that another can go on."""
        for place, part in self._parts.items():
            self.spans[place.topic, place.partition] = [self._span(place, part)]
        offsets = [
            Place(place.topic, place.partition, part.at, metadata=self._kept(place, part))
            for place, part in self._parts.items()
        ]
        if offsets:
            self._client.commit(offsets=offsets, asynchronous=False)

    def _kept(self, place: TopicPartition, part: _Part) -> str:
        end = self._ends[place]
        return json.dumps([self._ids[place.topic], end.epoch, part.start, part.began, part.seen, part.seen_time])

    def _span(self, place: TopicPartition, part: _Part) -> Span:
        end = self._ends[place]
        return Span(
            part.start, max(part.start, part.at), self._ids[place.topic], end.epoch, part.began, self._clock(), part.seen,
            part.seen_time,
        )  # fmt: skip

    def _finished(self) -> bool:
        """Whether all partitions are done: its own by what it read, those of others by what they committed."""
        if not all(part.at >= part.end for part in self._parts.values()):
            return False
        others = [place for place in self._ends if place not in self._parts]
        if not others:
            return True
        left = False
        for held in self._client.committed([Place(p.topic, p.partition) for p in others], 30.0):
            place = TopicPartition(held.topic, held.partition)
            part = self._resumed(place, held)
            if part is None or part.at < part.end:
                left = True
            else:
                self.spans[place.topic, place.partition] = [self._span(place, part)]
        return not left

    def _resumed(self, place: TopicPartition, held: Place) -> _Part | None:
        """How far an earlier scan of the same topic under the same leader came."""
        end = self._ends[place]
        try:
            topic_id, epoch, start, began, seen, seen_time = json.loads(held.metadata or "null")
        except (TypeError, ValueError):
            return None
        if held.offset == OFFSET_INVALID or (topic_id, epoch) != (self._ids[place.topic], end.epoch):
            return None
        if held.offset < end.log_start or held.offset > end.high:
            return None
        return _Part(start, held.offset, end.high, began, seen, seen_time)

    def _take(self, client: Consumer, places: list[Place]) -> None:
        begin = []
        for held in client.committed(places, 30.0):
            place = TopicPartition(held.topic, held.partition)
            end: EndNow | None = self._ends.get(place)
            if end is None:
                continue
            part = self._resumed(place, held) or _Part(end.log_start, end.log_start, end.high, self._clock())
            self._parts[place] = part
            begin.append(Place(place.topic, place.partition, part.at))
        client.assign(begin)

    def _give(self, client: Consumer, places: list[Place]) -> None:
        self._settle()
        self._lose(client, places)

    def _lose(self, _: Consumer, places: list[Place]) -> None:
        for place in places:
            self._parts.pop(TopicPartition(place.topic, place.partition), None)
