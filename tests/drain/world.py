"""A world that may do anything, and the truth about it: who got the field after somebody claimed that nobody would.

Time goes in ticks of one second. What is assumed of the world is exactly what docs/drain.md says is assumed:
a serializer refuses a retired version within the grace period; a writer that goes around the serializers and is still at
it writes at least once in a grace period; what was fetched is handled, and what a leader deleted its followers delete,
within a grace period; a member finds out by itself that an unclean leader has cut the log off; a topic that is deleted
loses its groups' offsets; copies are on the policy's list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from deedbox.checker.drain.claiming import Claim, claim
from deedbox.checker.drain.evidence import Consumer, End, Evidence, Policy, Producer, Span
from deedbox.kafka.drain.memory import Kept, MemoryGroup, MemoryPositions
from deedbox.kafka.drain.reading import read
from deedbox.kafka.messages import TopicPartition

GRACE = 3
MAIN, COPY = "orders", "orders.dlt"
EARLIER = 4
"""Readings that are kept."""


class WrongClaim(AssertionError):
    """Somebody got the field after a claim said that this could not be."""


@dataclass
class Reader:
    """A consumer: where it goes on in memory, what it has fetched, and whether it was rewound since the claim."""

    group: str
    committed_only: bool = True
    table: bool = False
    """It reads from the start at each start: it keeps a table."""
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    fetched: dict[TopicPartition, list[tuple[int, Kept]]] = field(default_factory=dict)
    rewound: bool = False


class World:
    """See the module."""

    def __init__(
        self, *, partitions: int = 2, cleanup: Collection[str] = ("delete",), rogue: bool = False, retires: bool = True,
        without: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.now, self.without = 0, without
        self.cluster = MemoryPositions()
        self.cluster.create(MAIN, partitions, tuple(cleanup))
        self.cluster.create(COPY, 1)
        self.rogue, self.rogue_wrote = rogue, 0
        self.retired_at: int | None = None
        self.transactions = 0
        self.readers = {"billing": Reader("billing"), "mail": Reader("mail", committed_only=False)}
        if "compact" in cleanup:
            self.readers["table"] = Reader("table", table=True)
        for name in self.readers:
            self.cluster.by_group[name] = MemoryGroup()
        self.spans: dict[tuple[str, int], list[Span]] = {}
        self.ends: dict[tuple[str, int], list[End]] = {}
        self.guard_at: dict[tuple[str, str, int], int] = {}
        self.consumed = self.gone = False
        self.claims = 0

    # --- what time does

    def tick(self) -> None:
        """A second passes; what must happen within a grace period happens at its end."""
        self.now += 1
        if self.rogue and self.now - self.rogue_wrote >= GRACE:
            self.rogue_write(self.now % len(self.logs(MAIN)))
        for reader in self.readers.values():
            for place, held in list(reader.fetched.items()):
                while held and self.now - held[0][0] >= GRACE - 1:
                    self._handle(reader, place)

    def logs(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, n) for n in range(len(self.cluster.by_name[topic].logs))]

    def place(self, topic: str, n: int) -> TopicPartition:
        return TopicPartition(topic, n % len(self.cluster.by_name[topic].logs))

    # --- writers

    @property
    def may_write(self) -> bool:
        """Whether a serializer may still let the field pass."""
        return self.retired_at is None or self.now < self.retired_at + GRACE

    def write(self, n: int, key: int, *, carries: bool, transaction: int | None = None) -> None:
        if carries and not self.may_write:
            return
        self.cluster.log(self.place(MAIN, n)).append(key, carries, transaction)

    def begin(self, n: int, key: int) -> None:
        self.transactions += 1
        self.write(n, key, carries=True, transaction=self.transactions)

    def finish(self, *, commit: bool) -> None:
        for place in self.logs(MAIN):
            for transaction in list(self.cluster.log(place).open):
                self.cluster.log(place).finish(transaction, commit=commit)

    def rogue_write(self, n: int) -> None:
        if self.rogue:
            self.rogue_wrote = self.now
            self.cluster.log(self.place(MAIN, n)).append(self.now, True)

    def retire(self) -> None:
        if self.retired_at is None:
            self.retired_at = self.now

    def stop_rogue(self) -> None:
        self.rogue = False

    # --- logs

    def delete_before(self, topic: str, n: int, offset: int) -> None:
        if "delete" in self.cluster.by_name[topic].cleanup:
            self.cluster.log(self.place(topic, n)).delete_before(offset, self.now)

    def compact(self) -> None:
        if "compact" in self.cluster.by_name[MAIN].cleanup:
            for place in self.logs(MAIN):
                self.cluster.log(place).compact(self.now)

    def fail_over(self, n: int) -> None:
        self.cluster.log(self.place(MAIN, n)).fail_over(self.now - GRACE)

    def cut_off(self, n: int, records: int) -> None:
        log = self.cluster.log(self.place(MAIN, n))
        log.cut_off(log.high - records)
        place = self.place(MAIN, n)
        for name, reader in self.readers.items():
            # A member finds out by the leader epoch (KIP-320); one that comes back later is sent to the start.
            if place in reader.positions:
                reader.positions[place] = min(reader.positions[place], log.high)
            group = self.cluster.by_group.get(name)
            if group is not None and group.committed.get(place, 0) > log.high:
                reader.rewound = True

    def add_partition(self) -> None:
        topic = self.cluster.by_name[MAIN]
        topic.logs.append(type(topic.logs[0])())

    def recreate(self) -> None:
        topic = self.cluster.by_name[MAIN]
        self.cluster.create(MAIN, len(topic.logs), topic.cleanup)
        for name, reader in self.readers.items():
            reader.positions.clear()
            reader.fetched.clear()
            if (group := self.cluster.by_group.get(name)) is not None:
                group.committed.clear()  # Kafka forgets the offsets of a topic that is deleted

    # --- readers

    def join(self, name: str) -> None:
        group = self.cluster.by_group.setdefault(name, MemoryGroup())
        reader = self.readers[name]
        if group.members == 0:
            group.members = 1
            reader.fetched.clear()
            reader.positions = {} if reader.table else dict(group.committed)

    def leave(self, name: str) -> None:
        if (group := self.cluster.by_group.get(name)) is not None:
            group.members = 0
        self.readers[name].fetched.clear()

    def fetch(self, name: str, n: int, most: int) -> None:
        group = self.cluster.by_group.get(name)
        if group is None or not group.members:
            return
        reader, place = self.readers[name], self.place(MAIN, n)
        log = self.cluster.log(place)
        at = reader.positions.get(place, log.start)
        if not log.start <= at <= log.high:
            at = log.start  # out of range: auto.offset.reset=earliest
        records, after = log.read(at, most, committed=reader.committed_only)
        reader.positions[place] = after
        reader.fetched.setdefault(place, []).extend((self.now, r) for r in records)
        if not records and not reader.fetched[place]:
            group.committed[place] = after

    def handle(self, name: str, n: int) -> None:
        reader, place = self.readers[name], self.place(MAIN, n)
        while reader.fetched.get(place):
            self._handle(reader, place)

    def _handle(self, reader: Reader, place: TopicPartition) -> None:
        held = reader.fetched[place]
        _, record = held.pop(0)
        if record.carries:
            if self.gone or (self.consumed and not reader.rewound):
                said = "gone" if self.gone else "consumed"
                raise WrongClaim(f"{reader.group} got {place}@{record.offset} after it was claimed to be {said}")
            if record.key == 0:  # this consumer cannot handle it
                self.cluster.log(self.place(COPY, 0)).append(record.key, True)
        group = self.cluster.by_group.get(reader.group)
        if group is not None and group.members:
            after = held[0][1].offset if held else reader.positions.get(place, record.offset + 1)
            group.committed[place] = max(after, record.offset + 1)

    def rewind(self, name: str) -> None:
        group = self.cluster.by_group.get(name)
        if group is not None and not group.members:
            group.committed = {p: self.cluster.log(p).start for p in group.committed if p in self.logs(MAIN)}
            self.readers[name].rewound = True

    def expire(self, name: str) -> None:
        group = self.cluster.by_group.get(name)
        if group is not None and not group.members:
            del self.cluster.by_group[name]
            self.readers[name].rewound = True

    def replay(self) -> None:
        log = self.cluster.log(self.place(COPY, 0))
        for record in [r for r in log.records if r.carries][:1]:
            self.cluster.log(self.place(MAIN, record.offset)).append(record.key, record.carries)

    # --- observers

    def observe(self, topic: str, n: int, most: int, skip: int = 0) -> None:
        """The guard: committed messages, in order. An offset without a message counts as not read."""
        place = self.place(topic, n)
        kept, log = self.cluster.by_name[topic], self.cluster.log(place)
        key = (topic, kept.id, place.partition)
        start = min(max(self.guard_at.get(key, log.start), log.start), log.stable) + skip
        start = min(start, log.stable)
        records, end = log.read(start, most, committed=True)
        self.guard_at[key] = end
        there = {r.offset: r for r in records}
        seen = [o for o in range(start, end) if o not in there or there[o].carries]
        self._observed(place, Span(start, end, kept.id, log.epoch, self.ms, self.ms, max(seen, default=None)))

    def scan(self, topic: str, n: int) -> None:
        """A scan: all records, from the log's start to its end."""
        place = self.place(topic, n)
        kept, log = self.cluster.by_name[topic], self.cluster.log(place)
        records, end = log.read(log.start, log.high, committed=False)
        seen = max((r.offset for r in records if r.carries), default=None)
        self._observed(place, Span(log.start, end, kept.id, log.epoch, self.ms, self.ms, seen))

    def _observed(self, place: TopicPartition, span: Span) -> None:
        if span.end > span.start:
            self.spans.setdefault((place.topic, place.partition), []).append(span)

    @property
    def ms(self) -> int:
        return self.now * 1000

    def evidence(self, between: Callable[[], None] = lambda: None) -> Evidence:
        """Reads the cluster; things may happen in `between`."""
        retired = self.retired_at
        self.cluster.between = between
        found = read(self.cluster, [MAIN], [COPY], lambda: self.ms, attempts=1)
        self.cluster.between = lambda: None
        parts = found.partitions(self.ends, self.spans)
        for key, end in found.ends.items():
            self.ends[key] = [*self.ends.get(key, ()), end][-EARLIER:]
        return Evidence(
            "orders/order-placed", "/coupon", found.cluster_id, "test", found.started_at, found.groups_at, found.ends_at,
            found.finished_at, found.topics, parts, found.groups,
            (Producer("orders/order-placed", "1.0.0", None if retired is None else retired * 1000),),
            tuple(Consumer(f"{name}/order-placed", (name,), (MAIN,)) for name in self.readers),
            policy=Policy(GRACE * 1000, copies=(COPY,)), marked_at=0, stopped_at=0,
        )  # fmt: skip

    def claim(self, between: Callable[[], None] = lambda: None) -> Claim:
        """Makes a claim, which from now on is held against what happens."""
        made = claim(self.evidence(between), without=self.without)
        if made.consumed:
            self.consumed = True
            for reader in self.readers.values():
                reader.rewound = False
        self.gone = self.gone or made.gone
        self.claims += 1
        return made

    def end_well(self) -> Claim:
        """Everything that a claim waits for, and then the claim."""
        self.retire()
        self.stop_rogue()
        self.finish(commit=True)
        for name in self.readers:
            group = self.cluster.by_group.setdefault(name, MemoryGroup())
            group.opaque = False
            self.join(name)
        for _ in range(3):
            self._all_read()
            for _ in range(GRACE + 1):
                self.tick()
            self.cluster.by_name[MAIN].cleanup = ("delete",)
            for topic in (MAIN, COPY):
                for place in self.logs(topic):
                    self.cluster.log(place).delete_before(self.cluster.log(place).high, self.now)
                    self.scan(topic, place.partition)
            made = self.claim()
        return made

    def _all_read(self) -> None:
        for name in self.readers:
            for place in self.logs(MAIN):
                log = self.cluster.log(place)
                while True:
                    self.handle(name, place.partition)
                    if self.readers[name].positions.get(place, -1) == log.high:
                        break
                    self.fetch(name, place.partition, 100)
                self.fetch(name, place.partition, 1)
