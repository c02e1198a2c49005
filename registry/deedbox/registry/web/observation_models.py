"""What reports of guards and the replies about them look like."""

from __future__ import annotations

from typing import Annotated, Literal

from deedbox.registry.web.field_types import (
    PRINTABLE,
    Cluster,
    Count,
    Label,
    Offset,
    Partition,
    Place,
    Strict,
    Time,
    Topic,
    TopicId,
    Version,
)
from deedbox.registry.web.models import ListQuery
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

_MOST = 10_000
_Contract = Annotated[str, StringConstraints(min_length=1, max_length=201, pattern=PRINTABLE)]
_Claim = Annotated[str, StringConstraints(max_length=201, pattern=PRINTABLE)]
_Group = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE)]
_Guard = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=PRINTABLE)]


class LostBody(Strict):
    """Reports that found no room on the guard's disk before this one."""

    reports: Count = 0
    messages: Count = 0


class WatchedBody(Strict):
    """An obsolete field that was looked for in every message of the topic that may carry it."""

    contract: _Contract = Field(description="Whose contract marks it, `service/name`")
    pointer: Place = Field(description="Where in a message; `*` stands for the items of an array")


class CountBody(Strict):
    """Messages counted together."""

    contract: _Claim = ""
    version: Version = ""
    kind: Literal["valid", "invalid", "unjudged", "tombstone", "fault", "undeclared", "note"]
    rule: Label = Field("", description="Of a fault, an undeclared member or a note")
    pointer: Place = ""
    count: Count


class SightingBody(Strict):
    """A watched field that was seen. `count` is since `from`, in messages written as `writer` `writer_version`."""

    contract: _Contract
    pointer: Place
    writer: _Claim = ""
    writer_version: Version = ""
    count: Count
    last_offset: Offset
    last_at: Time | None = None


class UnreadableBody(Strict):
    """Messages since `from` that could not be looked into, such as those that are not JSON."""

    count: Count
    last_offset: Offset | None = None
    last_at: Time | None = None


class PartitionBody(Strict):
    """Offsets `from` to below `to`, read without a gap. `messages` and their times are of this report alone."""

    partition: Partition
    start: Offset = Field(alias="from")
    end: Offset = Field(alias="to")
    log_start: Offset | None = None
    leader_epoch: Annotated[int, Field(ge=0, lt=1 << 31)] | None = None
    messages: Count = 0
    first_at: Time | None = None
    last_at: Time | None = None
    unreadable: UnreadableBody | None = None
    sightings: list[SightingBody] = Field(default_factory=list, max_length=_MOST)


class TopicBody(Strict):
    """One topic in a report."""

    topic: Topic
    topic_id: TopicId = Field("", description="Kafka's UUID of it, which another topic of the same name has not")
    watched: list[WatchedBody] = Field(default_factory=list, max_length=_MOST)
    counts: list[CountBody] = Field(default_factory=list, max_length=_MOST)
    groups: list[_Group] = Field(default_factory=list, max_length=_MOST)
    partitions: list[PartitionBody] = Field(min_length=1, max_length=_MOST)


class ObservationBody(Strict):
    """One report of one guard. Sent again under the same id it is recorded once."""

    id: str = Field(description="A UUID, made by the guard")
    guard: _Guard = Field(description="The guard's group and instance")
    tool: Label = ""
    cluster: Cluster = Field(description="Kafka's cluster id")
    since: Annotated[AwareDatetime, Field(strict=False)]
    until: Annotated[AwareDatetime, Field(strict=False)]
    lost: LostBody = Field(default_factory=LostBody)
    topics: list[TopicBody] = Field(min_length=1, max_length=1_000)


class SightingReply(BaseModel):
    """See the body of a report."""

    contract: str
    pointer: str
    writer: str
    writer_version: str
    count: int
    last_offset: int
    last_at: int | None


class FieldReply(BaseModel):
    """An obsolete field."""

    contract: str
    pointer: str


class RangeReply(BaseModel):
    """A recorded range: offsets `from` to below `to` of a partition, read without a gap."""

    number: int
    observation: str
    at: str
    by: str
    guard: str
    cluster: str
    topic: str
    topic_id: str
    partition: int
    start: int = Field(alias="from")
    end: int = Field(alias="to")
    log_start: int | None
    leader_epoch: int | None
    messages: int
    first_at: int | None
    last_at: int | None
    unreadable: UnreadableBody
    watched: list[FieldReply]
    sightings: list[SightingReply]


class RangesPage(BaseModel):
    """Recorded ranges. `next` is always there: what is recorded next comes behind it."""

    items: list[RangeReply]
    next: str


class RecordedReply(BaseModel):
    """A recorded report."""

    number: int
    id: str
    at: str
    by: str


class CountReply(BaseModel):
    """Messages counted together, over all reports; `until` is of the last."""

    channel: str
    contract: str
    version: str
    kind: str
    rule: str
    pointer: str
    count: int
    until: str


class MismatchReply(BaseModel):
    """Traffic that is not as registered."""

    rule: str
    message: str
    contract: str
    version: str
    count: int
    until: str


class GroupReply(BaseModel):
    """A consumer group, and when it was seen last."""

    group: str
    until: str


class ChannelReply(BaseModel):
    """A channel as it was seen."""

    channel: str
    clusters: list[str]
    topic_ids: list[str]
    partitions: int
    first_at: int | None
    last_at: int | None
    since: str
    until: str
    groups: list[GroupReply]
    counts: list[CountReply]
    mismatches: list[MismatchReply]


class ChannelsPage(BaseModel):
    """Channels that were seen."""

    items: list[ChannelReply]
    next: str | None


class LastReply(BaseModel):
    """The last message of a partition that carried a field, by what it was written as."""

    writer: str
    writer_version: str
    offset: int
    at: int | None


class CoverageReply(BaseModel):
    """One partition: the ranges [from, to) in which a field was looked for, and where it was seen last.

    `unreadable` is the last message that could not be looked into.
    """

    cluster: str
    topic: str
    topic_id: str
    partition: int
    ranges: list[list[int]]
    leader_epoch: int | None
    until: str
    last_seen: list[LastReply]
    unreadable: LastReply | None


class CoveragePage(BaseModel):
    """Where an obsolete field was looked for."""

    items: list[CoverageReply]
    next: None


class RangesQuery(ListQuery):
    """Which ranges."""

    channel: str | None = None
    cluster: str | None = None


class ChannelsQuery(ListQuery):
    """Which channels, and reports since when."""

    channel: str | None = None
    since: AwareDatetime | None = None


class CountsQuery(BaseModel):
    """Whose messages, and reports since when."""

    contract: str = Field(description="`service/name`")
    since: AwareDatetime | None = None


class CountsPage(BaseModel):
    """What was counted."""

    items: list[CountReply]
    next: None


class CoverageQuery(BaseModel):
    """Which field, where."""

    contract: str = Field(description="`service/name`")
    pointer: str = Field(description="Where in a message; `*` stands for the items of an array")
    channel: str | None = None
    cluster: str | None = None
