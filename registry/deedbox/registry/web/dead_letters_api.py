"""`/api/v1/dead-letters`: what workers read in dead-letter topics, and from where they go on."""

from __future__ import annotations

from typing import Any

from deedbox.registry.services import Services
from deedbox.registry.services import dead_letters as letters
from deedbox.registry.services.browsing.dead_letters import group_view
from deedbox.registry.services.catalogue import number_cursor
from deedbox.registry.web import api, bodies, render
from deedbox.registry.web.dead_letter_models import (
    DeadLetterReportBody,
    GroupsPage,
    LettersQuery,
    PositionsPage,
    PositionsQuery,
    ReadGroupBody,
    ReportPath,
    ReportReply,
)
from deedbox.registry.web.replies import reply
from flask import Response
from flask_openapi import APIBlueprint, OpenAPI, Tag


def blueprint(services: Services) -> APIBlueprint:
    """The routes over these services."""
    routes = APIBlueprint("dead_letters", __name__, url_prefix=api.PREFIX, abp_responses=api.problems_of(422, 503))
    tag: list[Tag | dict[str, Any]] = [Tag(name="dead-letters", description="What stands in dead-letter topics")]
    service = services.dead_letters

    @routes.put(
        "/dead-letters/reports/<id>",
        tags=tag,
        request_body=api.body_of("DeadLetterReportBody"),
        responses={201: ReportReply, 200: ReportReply, **api.problems_of(400, 409, 413)},
    )
    def put_report(path: ReportPath) -> Response:
        """Records what a worker read. The same id with the same content is answered with 200."""
        body = bodies.strict(DeadLetterReportBody)
        report = letters.Report(
            path.id,
            body.cluster,
            body.topic,
            body.topic_id,
            tuple(letters.ReadRange(span.partition, span.start, span.end) for span in body.ranges),
            tuple(_read(group) for group in body.groups),
        )
        accepted = service.record(report, api.actor())
        row = accepted.row
        said = {"id": row.uuid, "number": row.number, "at": row.at, "by": row.by}
        return reply(said, 201 if accepted.created else 200)

    @routes.get("/dead-letters/positions", tags=tag, responses={200: PositionsPage})
    def list_positions(query: PositionsQuery) -> Response:
        """From where on a dead-letter topic is to be read."""
        found = service.positions(query.cluster, query.topic, query.topic_id)
        return reply({"items": [{"partition": p, "next": n} for p, n in found.items()], "next": None})

    @routes.get("/dead-letters/groups", tags=tag, responses={200: GroupsPage, **api.problems_of(400)})
    def list_groups(query: LettersQuery) -> Response:
        """Letters by fingerprint with their newest samples, those that were reported last first."""
        before = number_cursor(query.after) if query.after is not None else None
        page = service.groups(topic=query.topic, contract=query.contract, before=before, limit=query.limit)
        return reply(render.page([group_view(group) for group in page.items], page))

    return routes


def describe(app: OpenAPI) -> None:
    """Adds the body to the OpenAPI document."""
    api.describe(app, DeadLetterReportBody)


def _read(body: ReadGroupBody) -> letters.ReadGroup:
    said = body.model_dump()
    said["samples"] = tuple(letters.ReadSample(**_timed(sample, "at")) for sample in said["samples"])
    return letters.ReadGroup(**_timed(said, "first_at", "last_at"))


def _timed(said: dict[str, Any], *names: str) -> dict[str, Any]:
    # Kafka writes -1 where a record has no time.
    return {name: None if name in names and held is not None and held < 0 else held for name, held in said.items()}
