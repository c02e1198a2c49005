"""AsyncAPI 2 and 3: a class for each message's payload, and for each component schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.errors import NotASchema
from deedbox.checker.pointers import join
from deedbox.codegen.sources.components import Components

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.documents import Document
    from deedbox.codegen.sources import Source


def read(document: Document, class_name: str, dialect: str | None) -> Source:  # noqa: ARG001 - the port's signature
    """The messages of an AsyncAPI document. Payloads are JSON Schema draft 7, unless their `schemaFormat` is another.

    Raises:
        NotASchema: it is no AsyncAPI 2 or 3 document.
        DocumentNotPackageable, UnresolvedReference: see `Components.source`.
    """
    value = document.value
    version = value.get("asyncapi") if isinstance(value, dict) else None
    if not isinstance(version, str) or version[:2] not in ("2.", "3."):
        raise NotASchema('no AsyncAPI 2 or 3 document: it has no asyncapi: "3.…"', source=document.name, pointer="")
    components = Components(document, dialect or "draft7")
    held = _members(value.get("components"))
    for name in _members(held.get("schemas")):
        components.add(name, join("", "components", "schemas", name))
    for name, message, pointer in _messages(value):
        payload = message.get("payload")
        media = str(message.get("schemaFormat", "application/schema+json"))
        below = "payload"
        if isinstance(payload, dict) and "schemaFormat" in payload:  # a multi-format schema object of AsyncAPI 3
            media, below = str(payload["schemaFormat"]), "payload/schema"
        if isinstance(payload, dict) and ("schema+" in media or "asyncapi" in media):
            components.add(name, f"{pointer}/{below}", _examples(message), alias=True)
    return components.source()


def _messages(value: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    for name, message in _members(_members(value.get("components")).get("messages")).items():
        yield name, _members(message), join("", "components", "messages", name)
    for channel, item in _members(value.get("channels")).items():
        for name, message in _members(_members(item).get("messages")).items():
            yield name, _members(message), join("", "channels", channel, "messages", name)
        for verb in ("publish", "subscribe"):  # AsyncAPI 2
            operation = _members(_members(item).get(verb))
            base = join("", "channels", channel, verb, "message")
            message = _members(operation.get("message"))
            several = message.get("oneOf")
            for i, one in enumerate(several) if isinstance(several, list) else ():
                yield str(_members(one).get("name") or f"{channel} {i}"), _members(one), join(base, "oneOf", i)
            if message and not isinstance(several, list):
                yield str(message.get("name") or operation.get("operationId") or channel), message, base


def _examples(message: dict[str, Any]) -> tuple[Any, ...]:
    examples = message.get("examples")
    held = examples if isinstance(examples, list) else []
    return tuple(e["payload"] for e in held if isinstance(e, dict) and "payload" in e)


def _members(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
