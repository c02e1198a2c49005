"""An AsyncAPI document into one model of both major versions: who sends which messages where, and who reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from deedbox.checker.apis.cursor import Cursor
from deedbox.checker.apis.errors import NotAnApi, UnsupportedVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deedbox.checker.apis.translation import Dialect
    from deedbox.checker.documents import Document

    _Channel = tuple[str, Cursor, dict[str, tuple[str, "Message"]]]

Action: TypeAlias = Literal["send", "receive"]

_VERSION = re.compile(r"(\d+)\.(\d+)\.\d+(?:-.+)?")
_KNOWN = frozenset({(2, n) for n in range(7)} | {(3, 0), (3, 1)})
_OWN = ("application/vnd.aai.asyncapi", "application/schema+json", "application/schema+yaml")
_OPENAPI = "application/vnd.oai.openapi"


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a channel. `language` is the schema language of the payload: a dialect that is compared, or its own name."""

    name: str
    at: Cursor
    payload: Cursor | None
    language: Dialect | str
    headers: Cursor | None
    content_type: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What an application does on one channel: `send` or `receive`, whatever major version said it."""

    action: Action
    channel: str
    address: str
    at: Cursor
    channel_at: Cursor
    messages: Mapping[str, Message]
    answers: str = ""
    """Of a reply: the operation that it answers."""

    @property
    def label(self) -> str:
        """How people name it: `receive orders.placed`."""
        return f"{self.action} the reply to {self.answers}" if self.answers else f"{self.action} {self.address}"


@dataclass(frozen=True, slots=True)
class Application:
    """A whole document. Operations are by action and address."""

    root: Cursor
    operations: Mapping[tuple[str, str], Operation]


def read(document: Document) -> Application:
    """Reads a document (or bundle).

    Raises:
        UnsupportedVersion, NotAnApi, UnresolvedReference, ReferenceCycle: with pointer and line.
    """
    root = Cursor(document, document.value)
    if not isinstance(document.value, dict) or "asyncapi" not in document.value:
        raise NotAnApi("no AsyncAPI document: it must say `asyncapi: 3.0.0` (or 2.x) at its root",
                       source=document.name, pointer="", line=document.line(""))  # fmt: skip
    text = str(document.value["asyncapi"])
    found = _VERSION.fullmatch(text)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version not in _KNOWN:
        line, column = document.position("/asyncapi") or (None, None)
        raise UnsupportedVersion(
            f"asyncapi {text} is not known: 2.0.0 to 2.6.0, 3.0.0 and 3.1.0 are",
            source=document.name, pointer="/asyncapi", line=line, column=column,
        )  # fmt: skip
    operations: dict[tuple[str, str], Operation] = {}
    for read_one in _operations_2(root) if version[0] == 2 else _operations_3(root):
        operation = read_one
        key = (
            operation.action,
            _normalised((operation.answers and f"reply to {operation.answers}") or operation.address),
        )
        known = operations.get(key)
        if known is not None:  # two operations of one application on one channel: together they say what travels there
            operation = Operation(
                known.action, known.channel, known.address, known.at, known.channel_at,
                {**known.messages, **operation.messages}, known.answers,
            )  # fmt: skip
        operations[key] = operation
    return Application(root, operations)


def _normalised(address: str) -> str:
    return re.sub(r"\{[^{}]*\}", "{}", address)


_ACTIONS: Mapping[str, Action] = {"send": "send", "receive": "receive"}
_SAID_FOR_OTHERS: Mapping[str, Action] = {"publish": "receive", "subscribe": "send"}
"""Version 2 says what others do: they publish what the application receives (AsyncAPI 2.6 Channel Item Object)."""


def _operations_2(root: Cursor) -> Iterator[Operation]:
    default = root.text("defaultContentType", "application/json")
    for address, channel in root.members("channels"):
        for key, action in _SAID_FOR_OTHERS.items():
            operation = channel.object(key)
            if operation is None:
                continue
            messages: dict[str, Message] = {}
            held = operation.object("message")
            if held is not None:
                places = list(held.items("oneOf")) if held.has("oneOf") else [held]
                raw = operation.value["message"]
                options = raw.get("oneOf", [raw]) if isinstance(raw, dict) else [raw]
                for place, written in zip(places, options, strict=False):
                    message = _message(place, _name_of(place, written), default)
                    messages[message.name] = message
            yield Operation(action, address, address, operation, channel, messages)


def _operations_3(root: Cursor) -> Iterator[Operation]:
    default = root.text("defaultContentType", "application/json")
    channels: dict[str, _Channel] = {}
    for name, channel in root.members("channels"):
        messages = {}
        for key, place in channel.members("messages"):
            messages[f"{channel.location}/messages/{key}"] = (place.location, _message(place, key, default))
        address = channel.raw("address")
        channels[channel.location] = (address if isinstance(address, str) else name, channel, messages)
        channels[f"/channels/{name}"] = channels[channel.location]
    for name, operation in root.members("operations"):
        said = operation.text("action")
        action = _ACTIONS.get(said)
        if action is None:
            raise operation.fault(f"an operation's action is send or receive, not {said!r}", "action")
        channel_place = operation.object("channel")
        known = channels.get(channel_place.location) if channel_place is not None else None
        if known is None or channel_place is None:
            raise operation.fault(f"the operation {name} must refer to a channel of this document", "channel")
        address, channel, messages = known
        made = Operation(action, channel.location, address, operation, channel, _chosen(operation, messages))
        yield made
        reply = operation.object("reply")
        if reply is not None:
            yield _reply(reply, made, channels)


def _reply(reply: Cursor, to: Operation, channels: Mapping[str, _Channel]) -> Operation:
    """What answers an operation, as an operation the other way round (AsyncAPI 3.0 Operation Reply Object)."""
    action: Literal["send", "receive"] = "send" if to.action == "receive" else "receive"
    place = reply.object("channel")
    known = channels.get(place.location) if place is not None else None
    if place is not None and known is None:
        raise reply.fault("a reply must refer to a channel of this document", "channel")
    given = reply.object("address")
    if known is None:
        messages = {key: (m.location, _message(m, key, "application/json")) for key, m in _listed(reply)}
        channel, address = reply, ""
    else:
        address, channel, messages = known
    if given is not None and isinstance(given.raw("location"), str):
        address = str(given.raw("location"))  # said by each request, in the place that this expression names
    return Operation(action, channel.location, address, reply, channel, _chosen(reply, messages), to.label)


def _listed(reply: Cursor) -> Iterator[tuple[str, Cursor]]:
    raw = reply.raw("messages")
    for place, written in zip(reply.items("messages"), raw if isinstance(raw, list) else (), strict=False):
        yield _name_of(place, written), place


def _chosen(operation: Cursor, messages: Mapping[str, tuple[str, Message]]) -> dict[str, Message]:
    """The messages of a channel that an operation names, or all."""
    if not operation.has("messages"):
        return {message.name: message for _, message in messages.values()}
    wanted = {place.location for place in operation.items("messages")}
    return {m.name: m for own, (target, m) in messages.items() if own in wanted or target in wanted}


def _name_of(place: Cursor, written: Any) -> str:
    for key in ("messageId", "name"):
        if isinstance(place.raw(key), str):
            return str(place.raw(key))
    if isinstance(written, dict) and isinstance(written.get("$ref"), str):
        return str(written["$ref"]).rpartition("/")[2]
    return str(place.raw("title") or "message")


def _message(place: Cursor, name: str, default: str) -> Message:
    traits = list(place.items("traits"))
    headers = _schema(place, "headers") or next((h for t in traits if (h := _schema(t, "headers")) is not None), None)
    payload = _schema(place, "payload")
    language = place.text("schemaFormat")
    if payload is not None and isinstance(payload.value, dict) and isinstance(payload.value.get("schemaFormat"), str):
        language = payload.value["schemaFormat"]  # version 3's Multi Format Schema Object
        payload = payload.child("schema") if payload.has("schema") else None
    if headers is not None and isinstance(headers.value, dict) and isinstance(headers.value.get("schemaFormat"), str):
        headers = headers.child("schema") if headers.has("schema") else None
    content_type = place.text("contentType") or next(
        (t.text("contentType") for t in traits if t.has("contentType")), ""
    )
    return Message(name, place, payload, _language(language), headers, content_type or default)


def _schema(place: Cursor, key: str) -> Cursor | None:
    return place.child(key) if isinstance(place.raw(key), dict | bool) else None


def _language(schema_format: str) -> Dialect | str:
    if not schema_format or schema_format.startswith(_OWN):
        return "draft2020-12" if "2020-12" in schema_format else "draft7"
    if schema_format.startswith(_OPENAPI):
        return "openapi-3.0" if "3.0" in schema_format else "draft2020-12"
    return schema_format
