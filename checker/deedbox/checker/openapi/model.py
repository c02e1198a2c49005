"""An HTTP API as read: frozen values, each with the place it was read from. What was left out has the default it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.apis.cursor import Cursor

ParameterIn: TypeAlias = Literal["path", "query", "header", "cookie", "formData", "querystring"]
ParameterKey: TypeAlias = "tuple[str, str]"
"""Where a parameter is, and its name; of a path parameter its position in the template instead, of a header lower case."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


@dataclass(frozen=True, slots=True)
class MediaType:
    """One representation of a body. `schema` is None where it says nothing of it."""

    name: str
    at: Cursor
    schema: Cursor | None
    encoding: Mapping[str, Cursor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation, or a header of a response (`within` "header").

    `schema` is the value's schema; `content` takes its place where the value is serialized by a media type.
    """

    name: str
    within: str
    at: Cursor
    required: bool
    deprecated: bool
    style: str
    explode: bool
    allow_reserved: bool
    allow_empty: bool
    schema: Cursor | None
    content: Mapping[str, MediaType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body."""

    at: Cursor
    required: bool
    content: Mapping[str, MediaType]


@dataclass(frozen=True, slots=True)
class Response:
    """What an operation answers under a status: `200`, `2XX` or `default`."""

    status: str
    at: Cursor
    headers: Mapping[str, Parameter]
    content: Mapping[str, MediaType]
    links: Mapping[str, Cursor]


@dataclass(frozen=True, slots=True)
class Requirement:
    """One alternative of `security`: all of these schemes together, each with its scopes. Empty: no credentials."""

    at: Cursor
    schemes: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `received` says whether the API receives the request, or (a webhook, a callback) sends it."""

    method: str
    path: str
    at: Cursor
    received: bool
    parameters: Mapping[ParameterKey, Parameter]
    body: Body | None
    responses: Mapping[str, Response]
    callbacks: Mapping[tuple[str, str, str], Operation]
    security: tuple[Requirement, ...]
    deprecated: bool
    sunset: str
    operation_id: str
    tags: tuple[str, ...]
    servers: tuple[str, ...]

    @property
    def label(self) -> str:
        """How people name it: `GET /orders/{id}`."""
        return f"{self.method.upper()} {self.path}" if self.received else f"{self.path} ({self.method.upper()}, sent)"


@dataclass(frozen=True, slots=True)
class Api:
    """A whole document. `operations` and `webhooks` are by method and normalised path (or name)."""

    root: Cursor
    version: tuple[int, int]
    operations: Mapping[tuple[str, str], Operation]
    webhooks: Mapping[tuple[str, str], Operation]
    schemes: Mapping[str, Cursor]
    servers: tuple[str, ...]
