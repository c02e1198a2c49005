"""`/api/v1/observations`: what guards report of live messages, and what is read out of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from deedbox.checker.documents import load_document
from deedbox.checker.errors import CheckerError
from deedbox.client.mismatches import MISMATCHES
from deedbox.registry.errors import InvalidRequest
from deedbox.registry.services import Services
from deedbox.registry.services import observations as seen
from deedbox.registry.services.catalogue import number_cursor
from deedbox.registry.services.names import split_contract
from deedbox.registry.storage.observations import LastSeen
from deedbox.registry.web import api, bodies, models, render
from deedbox.registry.web.problems import unusable
from deedbox.registry.web.replies import reply
from flask import Response
from flask_openapi import APIBlueprint, OpenAPI, Tag
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

_MOST = 10_000
_Offset = Annotated[int, Field(ge=0, lt=1 << 63)]
_Time = Annotated[int, Field(ge=-(1 << 62), lt=1 << 62, description="Milliseconds since 1970, as Kafka counts")]
_Count = Annotated[int, Field(ge=0, lt=1 << 53)]
# No null character: PostgreSQL keeps it in no text.
_PRINTABLE = r"^[^\x00]*$"
_Contract = Annotated[str, StringConstraints(min_length=1, max_length=201, pattern=_PRINTABLE)]
_Claim = Annotated[str, StringConstraints(max_length=201, pattern=_PRINTABLE)]
_Version = Annotated[str, StringConstraints(max_length=200, pattern=_PRINTABLE)]
_Place = Annotated[str, StringConstraints(max_length=500, pattern=_PRINTABLE)]
_Label = Annotated[str, StringConstraints(max_length=100, pattern=_PRINTABLE)]
_Topic = Annotated[str, StringConstraints(min_length=1, max_length=249, pattern=_PRINTABLE)]
_TopicId = Annotated[str, StringConstraints(max_length=36, pattern=_PRINTABLE)]
_Group = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_PRINTABLE)]
_Guard = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=_PRINTABLE)]


class _Strict(BaseModel):
    """A part of a report. Nothing is guessed at."""

    model_config = ConfigDict(strict=True, extra="forbid")


class LostBody(_Strict):
    """Reports that found no room on the guard's disk before this one."""

    reports: _Count = 0
    messages: _Count = 0


class WatchedBody(_Strict):
    """An obsolete field that was looked for in every message of the topic that may carry it."""

    contract: _Contract = Field(description="Whose contract marks it, `service/name`")
    pointer: _Place = Field(description="Where in a message; `*` stands for the items of an array")


class CountBody(_Strict):
    """Messages counted together."""

    contract: _Claim = ""
    version: _Version = ""
    kind: Literal["valid", "invalid", "unjudged", "tombstone", "fault", "undeclared", "note"]
    rule: _Label = Field("", description="Of a fault, an undeclared member or a note")
    pointer: _Place = ""
    count: _Count


class SightingBody(_Strict):
    """A watched field that was seen. `count` is since `from`, in messages written as `writer` `writer_version`."""

    contract: _Contract
    pointer: _Place
    writer: _Claim = ""
    writer_version: _Version = ""
    count: _Count
    last_offset: _Offset
    last_at: _Time | None = None


class UnreadableBody(_Strict):
    """Messages since `from` that could not be looked into, such as those that are not JSON."""

    count: _Count
    last_offset: _Offset | None = None
    last_at: _Time | None = None


class PartitionBody(_Strict):
    """Offsets `from` to below `to`, read without a gap. `messages` and their times are of this report alone."""

    partition: Annotated[int, Field(ge=0, lt=1 << 31)]
    start: _Offset = Field(alias="from")
    end: _Offset = Field(alias="to")
    log_start: _Offset | None = None
    leader_epoch: Annotated[int, Field(ge=0, lt=1 << 31)] | None = None
    messages: _Count = 0
    first_at: _Time | None = None
    last_at: _Time | None = None
    unreadable: UnreadableBody | None = None
    sightings: list[SightingBody] = Field(default_factory=list, max_length=_MOST)


class TopicBody(_Strict):
    """One topic in a report."""

    topic: _Topic
    topic_id: _TopicId = Field("", description="Kafka's UUID of it, which another topic of the same name has not")
    watched: list[WatchedBody] = Field(default_factory=list, max_length=_MOST)
    counts: list[CountBody] = Field(default_factory=list, max_length=_MOST)
    groups: list[_Group] = Field(default_factory=list, max_length=_MOST)
    partitions: list[PartitionBody] = Field(min_length=1, max_length=_MOST)


class ObservationBody(_Strict):
    """One report of one guard. Sent again under the same id it is recorded once."""

    id: str = Field(description="A UUID, made by the guard")
    guard: _Guard = Field(description="The guard's group and instance")
    tool: _Label = ""
    cluster: _Label = Field(min_length=1, description="Kafka's cluster id")
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


class RangesQuery(models.ListQuery):
    """Which ranges."""

    channel: str | None = None
    cluster: str | None = None


class ChannelsQuery(models.ListQuery):
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


def blueprint(services: Services) -> APIBlueprint:
    """The routes over these services."""
    routes = APIBlueprint("observations", __name__, url_prefix=api.PREFIX, abp_responses=api.problems_of(422, 503))
    tag: list[Tag | dict[str, Any]] = [Tag(name="observations", description="What guards see of live messages")]
    observations = services.observations

    @routes.post(
        "/observations",
        tags=tag,
        request_body=api.body_of("ObservationBody"),
        responses={201: RecordedReply, 200: RecordedReply, **api.problems_of(400, 409, 413)},
    )
    def record() -> Response:
        """Records a guard's report. The same id with the same content is answered with 200."""
        accepted = observations.record(_report(), api.actor())
        row = accepted.row
        said = {"number": row.number, "id": row.uuid, "at": row.at, "by": row.by}
        return reply(said, 201 if accepted.created else 200)

    @routes.get("/observations", tags=tag, responses={200: RangesPage, **api.problems_of(400)})
    def list_ranges(query: RangesQuery) -> Response:
        """Recorded ranges of offsets, in the order of their arrival."""
        page = observations.ranges(
            number_cursor(query.after or "0"), query.limit, topic=query.channel, cluster=query.cluster
        )
        return reply(render.page([_range(view) for view in page.items], page))

    @routes.get("/observations/channels", tags=tag, responses={200: ChannelsPage})
    def list_channels(query: ChannelsQuery) -> Response:
        """Channels that were seen: contracts, versions and groups on them, and what is not as registered."""
        page = observations.channels(query.after or "", query.limit, channel=query.channel, since=_moment(query.since))
        return reply(render.page([_channel(view) for view in page.items], page))

    @routes.get("/observations/counts", tags=tag, responses={200: CountsPage})
    def list_counts(query: CountsQuery) -> Response:
        """What was counted of a contract's messages, on every channel."""
        split_contract(query.contract)
        found = observations.counts(query.contract, _moment(query.since))
        return reply({"items": [_count(c) for c in found], "next": None})

    @routes.get("/observations/coverage", tags=tag, responses={200: CoveragePage})
    def get_coverage(query: CoverageQuery) -> Response:
        """Where an obsolete field was looked for, by partition, and where it was seen last."""
        split_contract(query.contract)
        found = observations.coverage(query.contract, query.pointer, topic=query.channel, cluster=query.cluster)
        return reply({"items": [_coverage(c) for c in found], "next": None})

    return routes


def describe(app: OpenAPI) -> None:
    """Adds the body to the OpenAPI document."""
    api.describe(app, ObservationBody)


def _report() -> seen.Report:
    text = bodies.body_text()
    try:
        value = load_document(text, "body.json").value
    except CheckerError as error:
        bodies.Members(text, "")  # says where it is no JSON, as for every other body
        pointer = getattr(error, "pointer", None) or ""
        raise unusable(getattr(error, "message", str(error)), pointer) from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object", pointer="")
    try:
        body = ObservationBody.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        pointer = "".join(f"/{step}" for step in first["loc"])
        raise unusable(first["msg"][:1].lower() + first["msg"][1:], pointer) from None
    return seen.Report(
        uuid=body.id,
        guard=body.guard,
        tool=body.tool,
        cluster=body.cluster,
        since=_moment(body.since) or "",
        until=_moment(body.until) or "",
        lost_reports=body.lost.reports,
        lost_messages=body.lost.messages,
        topics=tuple(_topic(topic) for topic in body.topics),
    )


def _topic(body: TopicBody) -> seen.SeenTopic:
    return seen.SeenTopic(
        body.topic,
        body.topic_id,
        tuple((w.contract, w.pointer) for w in body.watched),
        tuple(seen.SeenCount(c.contract, c.version, c.kind, c.rule, c.pointer, c.count) for c in body.counts),
        tuple(body.groups),
        tuple(_partition(p) for p in body.partitions),
    )


def _partition(body: PartitionBody) -> seen.SeenPartition:
    unreadable = body.unreadable or UnreadableBody(count=0)
    return seen.SeenPartition(
        body.partition,
        body.start,
        body.end,
        body.log_start,
        body.leader_epoch,
        body.messages,
        body.first_at,
        body.last_at,
        unreadable.count,
        unreadable.last_offset,
        unreadable.last_at,
        tuple(
            seen.Sighting(s.contract, s.pointer, s.writer, s.writer_version, s.count, s.last_offset, s.last_at)
            for s in body.sightings
        ),
    )


def _moment(time: datetime | None) -> str | None:
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _range(view: seen.RangeView) -> dict[str, Any]:
    row, report = view.row, view.report
    return {
        "number": row.number,
        "observation": report.uuid,
        "at": report.at,
        "by": report.by,
        "guard": report.guard,
        "cluster": row.cluster,
        "topic": row.topic,
        "topic_id": row.topic_id,
        "partition": row.partition,
        "from": row.start,
        "to": row.end,
        "log_start": row.log_start,
        "leader_epoch": row.leader_epoch,
        "messages": row.messages,
        "first_at": row.first_at,
        "last_at": row.last_at,
        "unreadable": {
            "count": row.unreadable,
            "last_offset": row.unreadable_last_offset,
            "last_at": row.unreadable_last_at,
        },
        "watched": [{"contract": f.contract, "pointer": f.pointer} for f in view.watched],
        "sightings": [
            {
                "contract": s.contract,
                "pointer": s.pointer,
                "writer": s.writer,
                "writer_version": s.writer_version,
                "count": s.count,
                "last_offset": s.last_offset,
                "last_at": s.last_at,
            }
            for s in view.sightings
        ],
    }


def _count(counted: Any) -> dict[str, Any]:
    return {
        "channel": counted.topic,
        "contract": counted.contract,
        "version": counted.version,
        "kind": counted.kind,
        "rule": counted.rule,
        "pointer": counted.pointer,
        "count": counted.count,
        "until": counted.until,
    }


def _channel(view: seen.ChannelView) -> dict[str, Any]:
    channel = view.channel
    return {
        "channel": channel.topic,
        "clusters": list(channel.clusters),
        "topic_ids": list(channel.topic_ids),
        "partitions": channel.partitions,
        "first_at": channel.first_at,
        "last_at": channel.last_at,
        "since": channel.since,
        "until": channel.until,
        "groups": [{"group": group, "until": until} for group, until in view.groups.items()],
        "counts": [_count(c) for c in view.counts],
        "mismatches": [
            {
                "rule": c.rule,
                "message": MISMATCHES[c.rule],
                "contract": c.contract,
                "version": c.version,
                "count": c.count,
                "until": c.until,
            }
            for c in view.mismatches
        ],
    }


def _coverage(covered: seen.PartitionCoverage) -> dict[str, Any]:
    return {
        "cluster": covered.cluster,
        "topic": covered.topic,
        "topic_id": covered.topic_id,
        "partition": covered.partition,
        "ranges": [list(r) for r in covered.ranges],
        "leader_epoch": covered.leader_epoch,
        "until": covered.until,
        "last_seen": [_last(last) for last in covered.last_seen],
        "unreadable": _last(covered.unreadable) if covered.unreadable is not None else None,
    }


def _last(last: LastSeen) -> dict[str, Any]:
    return {
        "writer": last.writer,
        "writer_version": last.writer_version,
        "offset": last.offset,
        "at": last.at,
    }
