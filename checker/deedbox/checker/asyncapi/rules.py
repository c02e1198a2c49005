"""The table of AsyncAPI rules. Facts about payloads and headers have the rules of JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.rules.rule import Rule

if TYPE_CHECKING:
    from deedbox.checker.model import Kind

_SPEC = "AsyncAPI 3.0 "


def _rule(identity: str, kind: Kind, title: str, why: str, source: str, mirror: str | None) -> Rule:
    return Rule(identity, "asyncapi", kind, title, why, _SPEC + source, mirror)


OPERATION_REMOVED = _rule(
    "channel-operation-removed", "policy",
    "An application no longer sends to a channel, or no longer reads from it.",
    "What others send there is read by nobody any more, or what they wait for is never sent.",
    "Operation Object", "channel-operation-added",
)  # fmt: skip
OPERATION_ADDED = _rule(
    "channel-operation-added", "annotation",
    "An application sends to a channel, or reads from it, that it did not before.",
    "Applications that do not use that channel notice nothing.",
    "Operation Object", "channel-operation-removed",
)  # fmt: skip
ADDRESS_CHANGED = _rule(
    "channel-address-changed", "inclusion",
    "A channel has another address.",
    "The two sides meet no more: whoever stays at the old address sends to nobody and hears nothing.",
    "Channel Object, address", "channel-address-changed",
)  # fmt: skip
MESSAGE_REMOVED = _rule(
    "message-removed", "policy",
    "A message is gone from a channel.",
    "Whoever sends it is read no more; whoever waits for it waits for ever.",
    "Channel Object, messages", "message-added",
)  # fmt: skip
MESSAGE_ADDED = _rule(
    "message-added", "inclusion",
    "A message is new on a channel.",
    "Where it is sent, readers get what they do not know: give it a channel of its own, or update them first.",
    "Channel Object, messages", "message-removed",
)  # fmt: skip
CONTENT_TYPE_CHANGED = _rule(
    "message-content-type-changed", "inclusion",
    "A message is written in another content type.",
    "Readers of the old one cannot decode it.",
    "Message Object, contentType", "message-content-type-changed",
)  # fmt: skip
PAYLOAD_UNDECIDED = _rule(
    "payload-not-compared", "inclusion",
    "A payload changed that is in a schema language which is not compared yet.",
    "It may break, and nothing here can tell. Compare the two schemas by their own rules, and accept the finding by name.",
    "Multi Format Schema Object", "payload-not-compared",
)  # fmt: skip
PARAMETER_CHANGED = _rule(
    "channel-parameter-changed", "annotation",
    "A parameter of a channel's address has other values or another description.",
    "The channels that the address stands for may be others.",
    "Parameter Object", "channel-parameter-changed",
)  # fmt: skip
BINDINGS_CHANGED = _rule(
    "bindings-changed", "annotation",
    "What a protocol needs to know of a server, channel, operation or message is another.",
    "Messages may be keyed, partitioned or acknowledged otherwise.",
    "Bindings", "bindings-changed",
)  # fmt: skip
CORRELATION_CHANGED = _rule(
    "correlation-id-changed", "annotation",
    "The id that ties messages together is found elsewhere.",
    "Applications that follow a conversation look in the wrong place.",
    "Correlation ID Object", "correlation-id-changed",
)  # fmt: skip
SERVERS_CHANGED = _rule(
    "message-servers-changed", "annotation",
    "The messages travel over other servers.",
    "Applications that take the address from the document go elsewhere.",
    "Servers Object", "message-servers-changed",
)  # fmt: skip
REPLY_REMOVED = _rule(
    "reply-removed", "policy",
    "A request is answered no more, or its answer is read no more.",
    "Whoever waits for the answer waits for ever; whoever sends one sends it to nobody.",
    "Operation Reply Object", "reply-added",
)  # fmt: skip
REPLY_ADDED = _rule(
    "reply-added", "annotation",
    "A request is answered now.",
    "Applications that do not wait for an answer notice nothing.",
    "Operation Reply Object", "reply-removed",
)  # fmt: skip
REPLY_ADDRESS = _rule(
    "reply-address-changed", "inclusion",
    "Answers travel to another address, or the place that names it is another.",
    "Whoever waits at the old address gets none.",
    "Operation Reply Address Object", "reply-address-changed",
)  # fmt: skip
TEXT_CHANGED = _rule(
    "message-text-changed", "annotation",
    "Words, tags or examples of a message or operation changed.",
    "No message changes.",
    "Message Object", "message-text-changed",
)  # fmt: skip
RULES: tuple[Rule, ...] = (
    OPERATION_REMOVED, OPERATION_ADDED, ADDRESS_CHANGED, MESSAGE_REMOVED, MESSAGE_ADDED, CONTENT_TYPE_CHANGED,
    PAYLOAD_UNDECIDED, PARAMETER_CHANGED, BINDINGS_CHANGED, CORRELATION_CHANGED, SERVERS_CHANGED, REPLY_REMOVED, REPLY_ADDED, REPLY_ADDRESS,
    TEXT_CHANGED,
)  # fmt: skip
"""Every rule, in the order of the pages."""

FAMILIES: tuple[tuple[str, tuple[Rule, ...]], ...] = (("AsyncAPI: channels and messages", RULES),)
"""The rules by what they are about."""
