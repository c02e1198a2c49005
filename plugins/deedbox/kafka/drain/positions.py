"""The port: what a claim needs to know of a message broker. Three calls; what a filling cannot tell, it says.

`docs/drain.md` says how a broker other than Kafka would fill it, and what it could not prove.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from deedbox.checker.drain.evidence import Group
from deedbox.kafka.messages import TopicPartition


@dataclass(frozen=True, slots=True)
class TopicNow:
    """A topic as it is. `id` is empty where the client does not tell it; `partitions` is 0 where there is no topic."""

    name: str
    id: str
    partitions: int
    cleanup: tuple[str, ...] = ("delete",)
    retention_ms: int | None = None


def topic_now(name: str, topic_id: str, partitions: int, cleanup: str, retention: str) -> TopicNow:
    """A topic that is there, with its settings `cleanup.policy` and `retention.ms` as the broker writes them."""
    policies = tuple(sorted(part.strip() for part in cleanup.split(",")))
    milliseconds = int(retention)
    return TopicNow(name, topic_id, partitions, policies, milliseconds if milliseconds >= 0 else None)


@dataclass(frozen=True, slots=True)
class EndNow:
    """A partition's log start, last stable offset, high watermark, and the epoch of its leader (-1: not told)."""

    log_start: int
    stable: int
    high: int
    epoch: int


class Positions(Protocol):
    """Positions in the logs of one cluster. Every call raises `BrokerUnavailable` where there is no answer."""

    def cluster_id(self) -> str:
        """The cluster's own id; empty where it has none."""
        ...

    def topics(self, names: Sequence[str]) -> list[TopicNow]:
        """These topics, asked for anew."""
        ...

    def groups(self, topics: Sequence[str]) -> list[Group]:
        """Every group that has offsets in one of the topics or members that read it; one that cannot be read, with
        `trouble`. A group of a kind that this client cannot tell the topics of is among them, whatever it reads."""
        ...

    def ends(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, EndNow]:
        """The ends of these partitions; those that are no more are left out."""
        ...
