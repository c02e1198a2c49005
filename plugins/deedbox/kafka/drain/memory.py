"""A cluster in memory, as far as positions go: logs with retention, compaction, transactions and leaders; groups.

For tests and the demo. A record here is only whether it carries the field; what happens to logs is as in Kafka: a
marker takes an offset, an unclean leader cuts the log off, a clean one may not have deleted yet what the last one had.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from deedbox.checker.drain.evidence import Committed, Group, GroupKind
from deedbox.kafka.drain.positions import EndNow, TopicNow
from deedbox.kafka.messages import TopicPartition


@dataclass(frozen=True, slots=True)
class Kept:
    """A record: its offset, key, whether it carries the field, and the transaction that it was written in."""

    offset: int
    key: int
    carries: bool
    transaction: int | None = None


@dataclass
class Log:
    """One partition."""

    records: list[Kept] = field(default_factory=list)
    start: int = 0
    high: int = 0
    epoch: int = 0
    open: dict[int, int] = field(default_factory=dict)
    """First offset by open transaction."""
    aborted: set[int] = field(default_factory=set)
    removed: list[tuple[int, int, list[Kept]]] = field(default_factory=list)
    """When, the start before, and the records: a replica may still have them."""

    @property
    def stable(self) -> int:
        """The last stable offset."""
        return min(self.open.values(), default=self.high)

    def append(self, key: int, carries: bool, transaction: int | None = None) -> None:
        """Writes a record."""
        if transaction is not None:
            self.open.setdefault(transaction, self.high)
        self.records.append(Kept(self.high, key, carries, transaction))
        self.high += 1

    def finish(self, transaction: int, *, commit: bool) -> None:
        """Ends a transaction: its marker takes an offset."""
        if self.open.pop(transaction, None) is not None:
            if not commit:
                self.aborted.add(transaction)
            self.high += 1

    def read(self, start: int, most: int, *, committed: bool) -> tuple[list[Kept], int]:
        """Records from an offset on, and the offset after what was looked at."""
        end = min(start + most, self.stable if committed else self.high)
        some = [r for r in self.records if start <= r.offset < end]
        return [r for r in some if not (committed and r.transaction in self.aborted)], max(start, end)

    def delete_before(self, offset: int, at: int) -> None:
        """Retention: the log begins at an offset, at most at the high watermark."""
        offset = min(offset, self.high)
        if offset > self.start:
            self.removed.append((at, self.start, [r for r in self.records if r.offset < offset]))
            self.records = [r for r in self.records if r.offset >= offset]
            self.start = offset

    def compact(self, at: int) -> None:
        """Keeps the last record of each key, below the last stable offset."""
        last = {r.key: r.offset for r in self.records if r.offset < self.stable and r.transaction not in self.aborted}
        gone = [r for r in self.records if r.offset < self.stable and last.get(r.key) != r.offset]
        if gone:
            self.removed.append((at, self.start, gone))
            self.records = [r for r in self.records if r not in gone]

    def fail_over(self, since: int) -> None:
        """A clean leader, which still has what was removed after a time."""
        for at, start, records in reversed(self.removed):
            if at > since:
                self.start = min(self.start, start)
                self.records = sorted([*self.records, *records], key=lambda r: r.offset)
        self.removed.clear()
        self.epoch += 1

    def cut_off(self, offset: int) -> None:
        """An unclean leader: the log ends at an offset."""
        offset = max(offset, self.start)
        self.records = [r for r in self.records if r.offset < offset]
        self.open = {t: first for t, first in self.open.items() if first < offset}
        self.high = offset
        self.epoch += 1


@dataclass
class MemoryTopic:
    """A topic."""

    id: str
    logs: list[Log]
    cleanup: tuple[str, ...] = ("delete",)


@dataclass
class MemoryGroup:
    """A group: its offsets and how many members it has. `opaque`: this client cannot read it."""

    kind: GroupKind = "classic"
    members: int = 0
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    opaque: bool = False


class MemoryPositions:
    """See `Positions`.

    `between` is called before each answer: tests let things happen there.
    """

    def __init__(self) -> None:
        self.by_name: dict[str, MemoryTopic] = {}
        self.by_group: dict[str, MemoryGroup] = {}
        self.between: Callable[[], None] = lambda: None
        self._made = 0

    def create(self, name: str, partitions: int, cleanup: Sequence[str] = ("delete",)) -> MemoryTopic:
        """Makes a topic, anew where there is one."""
        self._made += 1
        made = self.by_name[name] = MemoryTopic(f"id-{self._made}", [Log() for _ in range(partitions)], tuple(cleanup))
        return made

    def log(self, place: TopicPartition) -> Log:
        """A partition's log."""
        return self.by_name[place.topic].logs[place.partition]

    def cluster_id(self) -> str:
        """See `Positions.cluster_id`."""
        return "memory"

    def topics(self, names: Sequence[str]) -> list[TopicNow]:
        """See `Positions.topics`."""
        self.between()
        return [
            TopicNow(name, topic.id, len(topic.logs), topic.cleanup)
            if (topic := self.by_name.get(name)) is not None
            else TopicNow(name, "", 0)
            for name in names
        ]

    def groups(self, topics: Sequence[str]) -> list[Group]:
        """See `Positions.groups`."""
        self.between()
        return [_shown(name, group, topics) for name, group in self.by_group.items() if _reads(group, topics)]

    def ends(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, EndNow]:
        """See `Positions.ends`."""
        self.between()
        found = {}
        for place in places:
            topic = self.by_name.get(place.topic)
            if topic is not None and place.partition < len(topic.logs):
                log = topic.logs[place.partition]
                found[place] = EndNow(log.start, log.stable, log.high, log.epoch)
        return found


def _reads(group: MemoryGroup, topics: Sequence[str]) -> bool:
    return group.opaque or group.members > 0 or any(place.topic in topics for place in group.committed)


def _shown(name: str, group: MemoryGroup, topics: Sequence[str]) -> Group:
    if group.opaque:
        return Group(name, "unknown", "Dead", 0, (), "this client does not understand its kind")
    offsets = tuple(Committed(p.topic, p.partition, o) for p, o in group.committed.items() if p.topic in topics)
    return Group(name, group.kind, "Stable" if group.members else "Empty", group.members, offsets)
