"""The broker as this room needs it: a port that kafka-python, confluent-kafka and memory fill.

Errors of a filling are `BrokerUnavailable`, `Fenced` or, where it says so, `NotPermitted`, whatever its client raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deedbox.kafka.messages import Headers, Record, TopicPartition


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic as it stands: Kafka's ids of cluster and topic, and by partition where its log starts and ends.

    An end is the offset after the last committed message; an epoch is left out where the client does not know it.
    """

    cluster: str
    topic_id: str
    starts: Mapping[int, int]
    ends: Mapping[int, int]
    epochs: Mapping[int, int]


class Consumer(Protocol):
    """A member of a consumer group. It reads committed messages only and commits when told."""

    def poll(self, most: int, seconds: float) -> list[Record]:
        """The next records, at most so many, waiting at most so long for the first."""
        ...

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Records the next offset of each partition to read. Raises `Fenced` where the partition has moved on."""
        ...

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Reads a partition from an offset on."""
        ...

    def position(self, place: TopicPartition) -> int:
        """The offset it reads next of a partition it has; past what is no message, such as markers of transactions."""
        ...

    def assignment(self) -> set[TopicPartition]:
        """The partitions it has now."""
        ...

    def generation(self) -> int:
        """Another number whenever partitions were given out anew since, though they may be the same ones."""
        ...

    def group_metadata(self) -> Any:
        """What `Producer.send_offsets` needs to tell this member from one that was replaced."""
        ...

    def close(self) -> None:
        """Leaves the group."""
        ...


class Producer(Protocol):
    """Writes records. With a transactional id, only between `begin` and `commit` or `abort`."""

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        timestamp: int | None = None,
        partition: int | None = None,
    ) -> None:
        """Begins to send; `flush` or `commit` says whether it arrived."""
        ...

    def flush(self) -> None:
        """Waits for all that was sent. Raises `BrokerUnavailable` where one did not arrive."""
        ...

    def begin(self) -> None:
        """Begins a transaction."""
        ...

    def send_offsets(self, offsets: Mapping[TopicPartition, int], group_metadata: Any) -> None:
        """Commits offsets with the transaction. Raises `Fenced` where the member was replaced."""
        ...

    def commit(self) -> None:
        """Ends the transaction: all of it is visible. Raises `Fenced` or `BrokerUnavailable`: then nothing is."""
        ...

    def abort(self) -> None:
        """Ends the transaction: nothing of it is ever visible."""
        ...

    def close(self) -> None:
        """Gives up what was not flushed."""
        ...


class Broker(Protocol):
    """Where consumers and producers come from."""

    def consumer(self, topics: Sequence[str], group: str) -> Consumer:
        """A member of a group; a group without offsets begins at the earliest."""
        ...

    def producer(self, transactional_id: str | None = None) -> Producer:
        """A producer. One with the same transactional id fences the ones before it."""
        ...

    def reader(self, topic: str) -> Consumer:
        """All partitions of one topic from their beginnings, in no group; it cannot commit."""
        ...

    def ends(self, topic: str) -> dict[TopicPartition, int]:
        """The offset after the last committed message of each partition; empty where there is no such topic."""
        ...

    def committed(self, group: str, topic: str) -> dict[TopicPartition, int]:
        """A group's offsets on a topic."""
        ...

    def describe(self, topics: Sequence[str]) -> dict[str, TopicFacts]:
        """Those of the topics that there are."""
        ...

    def groups(self, topics: Sequence[str]) -> dict[str, set[str]]:
        """The consumer groups that have offsets on topics, by topic."""
        ...

    def settings(self, topic: str) -> dict[str, str]:
        """A topic's settings, by Kafka's names; empty where there is no such topic. Raises `NotPermitted`."""
        ...

    def create(self, topic: str, settings: Mapping[str, str]) -> None:
        """Makes a topic, with the cluster's own partitions and replicas. Raises `NotPermitted`.

        One that there is stays as it is.
        """
        ...
