"""What was read of brokers and the registry about one field. Frozen values; every time is in milliseconds, UTC.

An offset of a log is that of its next record where it is an end: `[start, end)`. Everything that a claim rests on
stands in here, so that anybody can make the claim again from the record alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from deedbox.checker.canonical import digest

GroupKind: TypeAlias = Literal["classic", "consumer", "share", "unknown"]
"""Kafka's group types: `consumer` is that of KIP-848, `share` that of KIP-932."""

NO_EPOCH = -1
"""Where a client does not tell the leader epoch. It equals nothing, itself included."""


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets `[start, end)` of a partition that were looked at without a gap, by one observer in one go.

    `seen` is the last of them whose record carried the field, or could not be read well enough to tell (None: there is
    none), `seen_time` that record's timestamp. `topic_id` and `epoch` (the leader's) are those at the time of looking,
    which lasted from `began` to `ended`.
    """

    start: int
    end: int
    topic_id: str
    epoch: int
    began: int
    ended: int
    seen: int | None = None
    seen_time: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """One reading of a partition's ends: log start, last stable offset (LSO) and high watermark, read between `at` and
    `done`."""

    log_start: int
    stable: int
    high: int
    at: int
    done: int
    topic_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition. `ends` are all readings known, the last one that of this evidence; `spans` all that was observed."""

    topic: str
    number: int
    ends: tuple[End, ...]
    spans: tuple[Span, ...] = ()

    @property
    def now(self) -> End:
        """The reading of this evidence."""
        return self.ends[-1]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic in scope. `copy` is one that holds records of another: dead letters, retries, a mirror.

    `id` and `partitions` (how many) are as read after everything else, `first_id` and `first_partitions` as before.
    `cleanup` is its `cleanup.policy`, `retention_ms` None where nothing is ever too old.
    """

    name: str
    first_id: str
    id: str
    first_partitions: int
    partitions: int
    cleanup: tuple[str, ...] = ("delete",)
    retention_ms: int | None = None
    copy: bool = False
    exists: bool = True

    @property
    def compacted(self) -> bool:
        """Whether records go by key."""
        return "compact" in self.cleanup


@dataclass(frozen=True, slots=True)
class Committed:
    """The next offset that a group reads of a partition; of a share group the first that is not settled."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group. `trouble` says why its kind, members or offsets could not be read; empty where they could."""

    name: str
    kind: GroupKind
    state: str
    members: int
    committed: tuple[Committed, ...] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Producer:
    """A `produces` version that declares the field; `retired_at` None where it still may be written."""

    contract: str
    version: str
    retired_at: int | None = None


@dataclass(frozen=True, slots=True)
class Consumer:
    """A `consumes` contract, the groups that it reads by, and which of the topics it reads, as registered."""

    contract: str
    groups: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody's word, in writing, that a consumer (`service/name`) or a group may be left out of account."""

    subject: str
    reason: str
    by: str
    at: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What is recorded for the channels: how long a writer may still be at it after its version was retired
    (`grace_ms`, above the time that serializers believe a version in), when the gate opens, and which copies exist."""

    grace_ms: int = 3_600_000
    opens_at: Literal["gone", "consumed"] = "gone"
    copies: tuple[str, ...] = ()
    overdue_ms: int = 90 * 86_400_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reading, in this order: registry, metadata, groups (`groups_at`), ends (`ends_at`), metadata again.

    `contract` and `pointer` name the field, as its producers' documents declare it; `marked_at`, `stopped_at` and
    `dropped_at` are when a published version marked it, a producer's version was published without it, and no live
    consumer declared it any more.
    """

    contract: str
    pointer: str
    cluster_id: str
    tool: str
    started_at: int
    groups_at: int
    ends_at: int
    finished_at: int
    topics: tuple[Topic, ...]
    partitions: tuple[Partition, ...]
    groups: tuple[Group, ...]
    producers: tuple[Producer, ...]
    consumers: tuple[Consumer, ...]
    waivers: tuple[Waiver, ...] = ()
    policy: Policy = Policy()
    marked_at: int | None = None
    stopped_at: int | None = None
    dropped_at: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The evidence as JSON can say it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Evidence:
        """The evidence that `as_dict` gave, also after a way through JSON."""
        kept = dict(data)
        kept["topics"] = tuple(Topic(**{**t, "cleanup": tuple(t["cleanup"])}) for t in data["topics"])
        kept["partitions"] = tuple(
            Partition(p["topic"], p["number"], tuple(End(**e) for e in p["ends"]), tuple(Span(**s) for s in p["spans"]))
            for p in data["partitions"]
        )
        kept["groups"] = tuple(
            Group(**{**g, "committed": tuple(Committed(**c) for c in g["committed"])}) for g in data["groups"]
        )
        kept["producers"] = tuple(Producer(**p) for p in data["producers"])
        kept["consumers"] = tuple(
            Consumer(c["contract"], tuple(c["groups"]), tuple(c["channels"])) for c in data["consumers"]
        )
        kept["waivers"] = tuple(Waiver(**w) for w in data["waivers"])
        kept["policy"] = Policy(**{**data["policy"], "copies": tuple(data["policy"]["copies"])})
        return cls(**kept)

    @property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON, in hexadecimal digits."""
        return digest(self.as_dict())
