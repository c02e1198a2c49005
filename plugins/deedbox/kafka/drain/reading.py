"""Reading positions in the order that makes them proof: groups first, ends last, metadata before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from deedbox.checker.drain.evidence import Committed, End, Group, Partition, Span, Topic
from deedbox.kafka.drain.positions import Positions, TopicNow
from deedbox.kafka.messages import TopicPartition

Key = tuple[str, int]
SCAN_GROUP = "deedbox-drain-scan."
"""How the groups of scans begin: they read to find the field, and no one waits for them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reading of a cluster gave. Times are in milliseconds, of the clock that `read` was given."""

    cluster_id: str
    started_at: int
    groups_at: int
    ends_at: int
    finished_at: int
    topics: tuple[Topic, ...]
    ends: Mapping[Key, End]
    groups: tuple[Group, ...]

    @property
    def steady(self) -> bool:
        """Whether no topic changed while it was read."""
        return all(t.first_id == t.id and t.first_partitions == t.partitions for t in self.topics)

    def partitions(
        self, earlier: Mapping[Key, Sequence[End]] | None = None, spans: Mapping[Key, Sequence[Span]] | None = None
    ) -> tuple[Partition, ...]:
        """The partitions with earlier readings and what was observed."""
        earlier, spans = earlier or {}, spans or {}
        return tuple(
            Partition(*key, (*earlier.get(key, ()), end), tuple(spans.get(key, ()))) for key, end in self.ends.items()
        )


def read(
    positions: Positions,
    topics: Sequence[str],
    copies: Sequence[str],
    clock: Callable[[], int],
    *,
    attempts: int = 3,
) -> Reading:
    """Reads topics and their copies; again where one changed meanwhile, at most so often.

    The last reading is given as it is: the claim's conditions see what moved.

    Args:
        positions: of one cluster.
        topics: that carry the field.
        copies: topics that hold records of others.
        clock: milliseconds, by the registry's time.
        attempts: how often.

    Raises:
        BrokerUnavailable: the cluster does not answer.
    """
    for _ in range(attempts):
        found = _read_once(positions, topics, copies, clock)
        if found.steady:
            break
    return found


def _read_once(positions: Positions, topics: Sequence[str], copies: Sequence[str], clock: Callable[[], int]) -> Reading:
    names = list(dict.fromkeys((*topics, *copies)))
    copied = set(copies) - set(topics)
    started = clock()
    before = {topic.name: topic for topic in positions.topics(names)}
    groups_at = clock()
    groups = {group.name: group for group in positions.groups(names)}
    places = [TopicPartition(t.name, n) for t in before.values() for n in range(t.partitions)]
    # Before they are asked for: what is written while the answer is under way lies behind what it says.
    ends_at = clock()
    ends = positions.ends(places)
    done = clock()
    after = {topic.name: topic for topic in positions.topics(names)}
    again = positions.groups(names)
    return Reading(
        positions.cluster_id(),
        started,
        groups_at,
        ends_at,
        clock(),
        tuple(_topic(name, before[name], after[name], copy=name in copied) for name in names),
        {
            (place.topic, place.partition): End(
                end.log_start, end.stable, end.high, ends_at, done, before[place.topic].id, end.epoch
            )
            for place in places
            if (end := ends.get(place)) is not None
        },
        tuple(_lower(groups.get(group.name), group) for group in again if not group.name.startswith(SCAN_GROUP)),
    )


def _topic(name: str, before: TopicNow, after: TopicNow, *, copy: bool) -> Topic:
    return Topic(
        name, before.id, after.id, before.partitions, after.partitions, after.cleanup, after.retention_ms, copy,
        exists=after.partitions > 0,
    )  # fmt: skip


def _lower(first: Group | None, second: Group) -> Group:
    """A group as read last, with the lower of the two offsets: one that is being rewound is seen."""
    if first is None or first.committed == second.committed:
        return second
    before = {(c.topic, c.partition): c.offset for c in first.committed}
    lower = [
        Committed(c.topic, c.partition, min(c.offset, before.get((c.topic, c.partition), c.offset)))
        for c in second.committed
    ]
    return replace(second, committed=tuple(lower))
