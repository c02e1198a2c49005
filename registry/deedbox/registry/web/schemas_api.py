"""`/api/v1/schemas/{schema}/versions`: which versions a schema stands for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from deedbox.registry.services import Services
from deedbox.registry.web import api
from deedbox.registry.web.replies import reply
from flask import Response
from flask_openapi import APIBlueprint, Tag
from pydantic import BaseModel, Field

_MOST = 100


class NamedPath(BaseModel):
    """A schema, by whatever a message calls it."""

    schema_name: str = Field(alias="schema", description="Its digest, its integer id, or its GUID")


class UseReply(BaseModel):
    """A version of a contract that has the schema."""

    contract: str
    version: str
    role: str
    retired: bool


class UsesPage(BaseModel):
    """Versions that have a schema: writers first, unretired before retired, the newest of a contract first."""

    items: list[UseReply]
    next: None


def blueprint(services: Services) -> APIBlueprint:
    """The routes over these services."""
    routes = APIBlueprint("schemas", __name__, url_prefix=api.PREFIX, abp_responses=api.problems_of(422, 503))
    tag: list[Tag | dict[str, Any]] = [Tag(name="contracts", description="What is registered")]

    @routes.get("/schemas/<schema>/versions", tags=tag, responses={200: UsesPage, **api.problems_of(404)})
    def list_uses(path: NamedPath) -> Response:
        """The versions, at most 100, that a schema stands for: by its digest, its integer id or its GUID."""
        found = services.schemas.uses(path.schema_name, _MOST)
        return reply({"items": [asdict(use) for use in found], "next": None})

    return routes
