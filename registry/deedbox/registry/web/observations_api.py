"""`/api/v1/observations`: what guards report of live messages, and what is read out of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from deedbox.client.mismatches import MISMATCHES
from deedbox.registry.services import Services
from deedbox.registry.services import observations as seen
from deedbox.registry.services.catalogue import number_cursor
from deedbox.registry.services.names import split_contract
from deedbox.registry.storage.observations import LastSeen
from deedbox.registry.web import api, bodies, render
from deedbox.registry.web.observation_models import (
    ChannelsPage,
    ChannelsQuery,
    CountsPage,
    CountsQuery,
    CoveragePage,
    CoverageQuery,
    ObservationBody,
    PartitionBody,
    RangesPage,
    RangesQuery,
    RecordedReply,
    TopicBody,
    UnreadableBody,
)
from deedbox.registry.web.replies import reply
from flask import Response
from flask_openapi import APIBlueprint, OpenAPI, Tag


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
    body = bodies.strict(ObservationBody)
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
