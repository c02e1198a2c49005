"""`/api/v1/replays`: who sent dead letters again, and what became of them."""

from __future__ import annotations

from typing import Any

from deedbox.registry.services import Services
from deedbox.registry.services.catalogue import number_cursor
from deedbox.registry.services.replays import Run, RunView
from deedbox.registry.web import api, bodies, models, render
from deedbox.registry.web.problems import unusable
from deedbox.registry.web.replies import reply
from flask import Response
from flask_openapi import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel, Field

_COUNTS = ("read", "replayed", "quarantined", "failing", "skipped")


class ReplayBody(BaseModel):
    """One run of a replay of a dead-letter topic."""

    topic: str
    name: str = Field(max_length=200)
    query: str = Field("all", max_length=2_000, description="Which dead letters were asked for")
    read: int = Field(ge=0)
    replayed: int = Field(ge=0, description="Sent to where they came from")
    quarantined: int = Field(ge=0, description="Put aside, since they were replayed too often")
    failing: int = Field(ge=0, description="Left where they are, since they would fail again")
    skipped: int = Field(ge=0, description="Not asked for")


class ReplayReply(ReplayBody):
    """A recorded run."""

    id: str
    at: str
    by: str


class ReplaysPage(BaseModel):
    """Recorded runs."""

    items: list[ReplayReply]
    next: str | None


class ReplayPath(BaseModel):
    """A run, by the id its client gave it."""

    id: str = Field(description="A UUID, made by the client")


class ReplaysQuery(models.ListQuery):
    """Which runs."""

    topic: str | None = None


def blueprint(services: Services) -> APIBlueprint:
    """The routes over these services."""
    routes = APIBlueprint("replays", __name__, url_prefix=api.PREFIX, abp_responses=api.problems_of(422, 503))
    tag: list[Tag | dict[str, Any]] = [Tag(name="replays", description="Dead letters that were sent again")]

    @routes.put(
        "/replays/<id>",
        tags=tag,
        request_body=api.body_of("ReplayBody"),
        responses={201: ReplayReply, 200: ReplayReply, **api.problems_of(400, 409)},
    )
    def put_replay(path: ReplayPath) -> Response:
        """Records a run. The same id with the same content is answered with 200."""
        body = bodies.fields("topic", "name", "query", *_COUNTS)
        run = Run(
            body.required("topic", lambda name: body.text(name, 249)),
            body.required("name", lambda name: body.text(name, 200)),
            body.text("query", 2_000) or "all",
            *(_count(body, name) for name in _COUNTS),
        )
        view = services.replays.record(path.id, run, api.actor())
        return reply(_run(view), 201 if view.created else 200)

    @routes.get("/replays", tags=tag, responses={200: ReplaysPage, **api.problems_of(400)})
    def list_replays(query: ReplaysQuery) -> Response:
        """Recorded runs, in their order."""
        page = services.replays.runs(query.topic, number_cursor(query.after or "0"), query.limit)
        return reply(render.page([_run(view) for view in page.items], page))

    return routes


def describe(app: OpenAPI) -> None:
    """Adds the body to the OpenAPI document."""
    api.describe(app, ReplayBody)


def _count(body: bodies.Members, name: str) -> int:
    value = body.required(name, body.value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 31:
        raise unusable("must be a whole number from 0 on", f"/{name}")
    return value


def _run(view: RunView) -> dict[str, Any]:
    row = view.row
    return {
        "id": row.uuid,
        "topic": row.topic,
        "name": row.name,
        "query": row.query,
        **{name: getattr(row, name) for name in _COUNTS},
        "at": view.entry.at,
        "by": view.entry.by,
    }
