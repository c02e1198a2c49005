"""OpenAPI 3.0 and 3.1: a class for each component schema, and for each request and response body of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.errors import NotASchema
from deedbox.checker.pointers import join
from deedbox.codegen.sources.components import Components

if TYPE_CHECKING:
    from deedbox.checker.documents import Document
    from deedbox.codegen.sources import Source

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


def read(document: Document, class_name: str, dialect: str | None) -> Source:  # noqa: ARG001 - the port's signature
    """The messages of an OpenAPI document.

    Raises:
        NotASchema: it is no OpenAPI 3 document.
        DocumentNotPackageable, UnresolvedReference: see `Components.source`.
    """
    value = document.value
    version = value.get("openapi") if isinstance(value, dict) else None
    if not isinstance(version, str) or not version.startswith("3."):
        raise NotASchema('no OpenAPI 3 document: it has no openapi: "3.…"', source=document.name, pointer="")
    old = version.startswith("3.0")
    components = Components(document, "draft7" if old else (dialect or "draft2020-12"), nullable=old)
    for name, schema in _members(_members(value.get("components")).get("schemas")).items():
        components.add(name, join("", "components", "schemas", name), _examples(schema))
    for path, item in _members(value.get("paths")).items():
        for method in _METHODS:
            operation = _members(_members(item).get(method))
            base = join("", "paths", path, method)
            name = str(operation.get("operationId") or f"{method} {path}")
            _bodies(components, operation.get("requestBody"), join(base, "requestBody"), f"{name} request")
            for status, response in _members(operation.get("responses")).items():
                _bodies(components, response, join(base, "responses", status), f"{name} response {status}")
    return components.source()


def _bodies(components: Components, body: Any, pointer: str, name: str) -> None:
    for media, held in _members(_members(body).get("content")).items():
        schema = _members(held).get("schema")
        if "json" in media and isinstance(schema, dict):
            components.add(name, join(pointer, "content", media, "schema"), _examples(held))


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
