"""A broker in memory: partitioned logs, groups with offsets, transactions. For tests and the demo, in one process."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from deedbox.kafka.broker import TopicFacts
from deedbox.kafka.errors import BrokerUnavailable, Fenced, MessageTooLarge
from deedbox.kafka.messages import Headers, Record, TopicPartition


@dataclass
class _Group:
    offsets: dict[TopicPartition, int] = field(default_factory=dict)
    members: list[MemoryConsumer] = field(default_factory=list)
    generation: int = 0


class MemoryBroker:
    """The broker. Topics are made when first named.

    Args:
        partitions: how many a topic has.

    `refuse` names topics that take no messages, `most_bytes` is what a value may have, and `down` makes every call fail:
    faults to test against.
    """

    def __init__(self, partitions: int = 1) -> None:
        self._partitions = partitions
        self.changed = Condition()
        self.logs: dict[TopicPartition, list[Record]] = {}
        self._groups: dict[str, _Group] = {}
        self.topic_ids: dict[str, str] = {}
        self.configs: dict[str, dict[str, str]] = {}
        self.epochs: dict[str, int] = {}
        self.refuse: set[str] = set()
        self.most_bytes = 1 << 30
        self.down = False

    def places(self, topic: str) -> list[TopicPartition]:
        """A topic's partitions, made if there are none."""
        found = [TopicPartition(topic, n) for n in range(self._partitions)]
        for place in found:
            self.logs.setdefault(place, [])
        return found

    def consumer(self, topics: Sequence[str], group: str) -> MemoryConsumer:
        """See `Broker.consumer`."""
        self.check()
        with self.changed:
            joined = self._groups.setdefault(group, _Group())
            member = MemoryConsumer(self, tuple(topics), joined)
            joined.members.append(member)
            self.rebalance(joined)
        return member

    def reader(self, topic: str) -> MemoryConsumer:
        """See `Broker.reader`."""
        self.check()
        member = MemoryConsumer(self, (topic,), None)
        member.assign(self.places(topic), 0)
        return member

    def producer(self, transactional_id: str | None = None) -> MemoryProducer:
        """See `Broker.producer`."""
        self.check()
        epoch = 0
        if transactional_id is not None:
            epoch = self.epochs[transactional_id] = self.epochs.get(transactional_id, 0) + 1
        return MemoryProducer(self, transactional_id, epoch)

    def ends(self, topic: str) -> dict[TopicPartition, int]:
        """See `Broker.ends`."""
        self.check()
        return {place: len(log) for place, log in self.logs.items() if place.topic == topic}

    def committed(self, group: str, topic: str) -> dict[TopicPartition, int]:
        """See `Broker.committed`."""
        self.check()
        offsets = self._groups[group].offsets if group in self._groups else {}
        return {place: offset for place, offset in offsets.items() if place.topic == topic}

    def describe(self, topics: Sequence[str]) -> dict[str, TopicFacts]:
        """See `Broker.describe`."""
        self.check()
        found: dict[str, TopicFacts] = {}
        for topic in topics:
            ends = {place.partition: end for place, end in self.ends(topic).items()}
            if ends:
                starts, epochs = dict.fromkeys(ends, 0), dict.fromkeys(ends, 0)
                found[topic] = TopicFacts("memory", self.topic_ids.get(topic, ""), starts, ends, epochs)
        return found

    def groups(self, topics: Sequence[str]) -> dict[str, set[str]]:
        """See `Broker.groups`."""
        self.check()
        return {
            topic: {name for name, group in self._groups.items() if any(p.topic == topic for p in group.offsets)}
            for topic in topics
        }

    def settings(self, topic: str) -> dict[str, str]:
        """See `Broker.settings`."""
        own = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
        return {**own, **self.configs.get(topic, {})} if self.ends(topic) else {}

    def create(self, topic: str, settings: Mapping[str, str]) -> None:
        """See `Broker.create`."""
        if not self.ends(topic):
            self.configs[topic] = dict(settings)
            self.places(topic)

    def records(self, topic: str) -> list[Record]:
        """Everything on a topic, by partition and offset."""
        return [r for place in sorted(self.logs, key=str) if place.topic == topic for r in self.logs[place]]

    def append(self, records: Sequence[Record]) -> None:
        """Writes records at the ends of their logs, all at once."""
        with self.changed:
            for record in records:
                self.places(record.topic)
                partition = record.partition
                if partition < 0:
                    partition = zlib.crc32(record.key or b"") % self._partitions
                log = self.logs[TopicPartition(record.topic, partition)]
                log.append(
                    Record(
                        record.topic, partition, len(log), record.key, record.value, record.headers, record.timestamp
                    )
                )
            self.changed.notify_all()

    def rebalance(self, group: _Group) -> None:
        """Gives the partitions of what a group reads to its members anew."""
        group.generation += 1
        shares: dict[MemoryConsumer, list[TopicPartition]] = {member: [] for member in group.members}
        for topic in sorted({t for member in group.members for t in member.topics}):
            takers = [member for member in group.members if topic in member.topics]
            for n, place in enumerate(self.places(topic)):
                shares[takers[n % len(takers)]].append(place)
        for member, places in shares.items():
            member.assign(places, group.generation)

    def check(self) -> None:
        """Raises where the broker is said to be down."""
        if self.down:
            raise BrokerUnavailable("the broker in memory is down")


class MemoryConsumer:
    """See `Consumer`."""

    def __init__(self, broker: MemoryBroker, topics: tuple[str, ...], group: _Group | None) -> None:
        self._broker, self.topics, self._group = broker, topics, group
        self._positions: dict[TopicPartition, int] = {}
        self._generation = 0

    def assign(self, places: Sequence[TopicPartition], generation: int) -> None:
        """Takes partitions, each from the group's offset on."""
        offsets = self._group.offsets if self._group is not None else {}
        self._positions = {place: offsets.get(place, 0) for place in places}
        self._generation = generation

    def poll(self, most: int, seconds: float) -> list[Record]:
        """See `Consumer.poll`."""
        self._broker.check()
        with self._broker.changed:
            found = self._take(most)
            if not found and seconds > 0:
                self._broker.changed.wait(seconds)
                found = self._take(most)
        return found

    def _take(self, most: int) -> list[Record]:
        found: list[Record] = []
        for place, position in self._positions.items():
            some = self._broker.logs[place][position : position + most - len(found)]
            self._positions[place] = position + len(some)
            found += some
        return found

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit`."""
        self._broker.check()
        self.check_current(self._generation)
        assert self._group is not None
        self._group.offsets.update(offsets)

    def check_current(self, generation: int) -> None:
        """Raises `Fenced` where the group has rebalanced since that generation, or this member left."""
        if self._group is None or self._group.generation != generation or self not in self._group.members:
            raise Fenced("the group has rebalanced: the partitions have another reader")

    def generation(self) -> int:
        """See `Consumer.generation`."""
        return self._generation

    def group_metadata(self) -> Any:
        """See `Consumer.group_metadata`."""
        return (self, self._generation)

    def commit_checked(self, offsets: Mapping[TopicPartition, int], generation: int) -> None:
        """Commits as the member that it was in a generation."""
        self.check_current(generation)
        assert self._group is not None
        self._group.offsets.update(offsets)

    def seek(self, place: TopicPartition, offset: int) -> None:
        """See `Consumer.seek`."""
        if place in self._positions:
            self._positions[place] = offset

    def position(self, place: TopicPartition) -> int:
        """See `Consumer.position`."""
        return self._positions[place]

    def assignment(self) -> set[TopicPartition]:
        """See `Consumer.assignment`."""
        return set(self._positions)

    def close(self) -> None:
        """See `Consumer.close`."""
        with self._broker.changed:
            if self._group is not None and self in self._group.members:
                self._group.members.remove(self)
                self._broker.rebalance(self._group)
            self._positions = {}


class MemoryProducer:
    """See `Producer`."""

    def __init__(self, broker: MemoryBroker, transactional_id: str | None, epoch: int) -> None:
        self._broker, self._id, self._epoch = broker, transactional_id, epoch
        self._pending: list[Record] = []
        self._offsets: list[tuple[Mapping[TopicPartition, int], Any]] = []

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        timestamp: int | None = None,
        partition: int | None = None,
    ) -> None:
        """See `Producer.send`."""
        where = partition if partition is not None else -1
        time = timestamp if timestamp is not None else -1
        self._pending.append(Record(topic, where, -1, key, value, tuple(headers), time))

    def flush(self) -> None:
        """See `Producer.flush`."""
        if self._id is None:
            self._write()

    def _write(self) -> None:
        self._broker.check()
        refused = sorted({r.topic for r in self._pending} & self._broker.refuse)
        if refused:
            self._pending.clear()
            raise BrokerUnavailable(f"{refused[0]} takes no messages")
        if any(len(r.value or b"") > self._broker.most_bytes for r in self._pending):
            self._pending.clear()
            raise MessageTooLarge(f"a value has more than {self._broker.most_bytes} bytes")
        self._broker.append(self._pending)
        self._pending.clear()

    def begin(self) -> None:
        """See `Producer.begin`."""
        self._broker.check()
        self.abort()

    def send_offsets(self, offsets: Mapping[TopicPartition, int], group_metadata: Any) -> None:
        """See `Producer.send_offsets`."""
        self._offsets.append((dict(offsets), group_metadata))

    def commit(self) -> None:
        """See `Producer.commit`."""
        assert self._id is not None, "only a transactional producer commits"
        if self._broker.epochs[self._id] != self._epoch:
            raise Fenced(f"another producer has taken over {self._id}")
        for _, (member, generation) in self._offsets:
            member.check_current(generation)
        self._write()
        for offsets, (member, generation) in self._offsets:
            member.commit_checked(offsets, generation)
        self._offsets.clear()

    def abort(self) -> None:
        """See `Producer.abort`."""
        self._pending.clear()
        self._offsets.clear()

    def close(self) -> None:
        """See `Producer.close`."""
        self.abort()
