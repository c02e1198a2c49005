"""OpenAPI 3 and Swagger 2: a class for each schema of the document, and for each request and response of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.errors import NotASchema
from deedbox.checker.pointers import join, split
from deedbox.codegen.sources.components import Components

if TYPE_CHECKING:
    from deedbox.checker.documents import Document
    from deedbox.codegen.sources import Source

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_SHARED = {"requestBodies": "request", "responses": "response"}


def read(document: Document, class_name: str, dialect: str | None) -> Source:  # noqa: ARG001 - the port's signature
    """The messages of an OpenAPI document. One that is no schema of the document is named after its operation, or after
    the request or response that several operations share.

    `GetOrderRequest`, `GetOrderResponse200`, `FailureResponse`: a status is in the name even where there is one alone, as the name would
    otherwise change when another comes.

    Raises:
        NotASchema: it is no OpenAPI 3 or Swagger 2 document.
        DocumentNotPackageable, UnresolvedReference: see `Components.source`.
    """
    value = document.value
    version = value.get("openapi", value.get("swagger")) if isinstance(value, dict) else None
    if not isinstance(version, str) or version[:2] not in ("3.", "2."):
        raise NotASchema('no OpenAPI 3 document: it has no openapi: "3.…"', source=document.name, pointer="")
    old = version.startswith(("3.0", "2."))
    components = Components(document, "draft7" if old else (dialect or "draft2020-12"), nullable=old)
    return _Reader(components, value).source()


class _Reader:
    def __init__(self, components: Components, value: dict[str, Any]) -> None:
        self.components, self.value = components, value

    def source(self) -> Source:
        held = _members(self.value.get("components"))
        schemas = {
            join("", "components", "schemas"): held.get("schemas"),
            "/definitions": self.value.get("definitions"),
        }
        for place, members in schemas.items():
            for name, schema in _members(members).items():
                self.components.add(name, join(place, name), _examples(schema))
        for place in ("paths", "webhooks"):
            for path in _members(self.value.get(place)):
                self.path(path, join("", place, path))
        return self.components.source()

    def path(self, path: str, place: str) -> None:
        hook = place.startswith("/webhooks/")  # has a name of its own, where a path has none
        item, place = self.components.followed(place)
        for method in _METHODS:
            if not isinstance(item.get(method), dict):
                continue
            operation, base = item[method], join(place, method)
            name = str(operation.get("operationId") or (path if hook else f"{method} {path}"))
            self.body(join(base, "requestBody"), f"{name} request")
            for i, parameter in enumerate(operation.get("parameters") or ()):  # Swagger 2
                if _members(parameter).get("in") == "body" and isinstance(parameter.get("schema"), dict):
                    self.components.add(f"{name} request", join(base, "parameters", i, "schema"))
            for status in _members(operation.get("responses")):
                self.body(join(base, "responses", status), f"{name} response {status}")

    def body(self, place: str, name: str) -> None:
        body, place = self.components.followed(place)
        for kind, word in _SHARED.items():
            if place.startswith(base := join("", "components", kind) + "/"):  # it is that of several operations
                shared = split(place[len(base) - 1 :])[0]
                name = shared if shared.lower().endswith(word) else f"{shared} {word}"
        if isinstance(body.get("schema"), dict):  # Swagger 2
            self.components.add(name, join(place, "schema"), tuple(_members(body.get("examples")).values()))
        for media, held in _members(body.get("content")).items():
            if "json" in media and isinstance(_members(held).get("schema"), dict):
                self.components.add(name, join(place, "content", media, "schema"), _examples(held))


def _examples(value: Any) -> tuple[Any, ...]:
    held = _members(value)
    found = [held["example"]] if "example" in held else []
    examples = held.get("examples")
    if isinstance(examples, list):
        found += examples
    elif isinstance(examples, dict):
        found += [e["value"] for e in examples.values() if isinstance(e, dict) and "value" in e]
    return tuple(found)


def _members(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
