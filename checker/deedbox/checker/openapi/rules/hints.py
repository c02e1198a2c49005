"""Rules about what OpenAPI says beside a schema: how alternatives are told apart, and how XML is written."""

from __future__ import annotations

from deedbox.checker.openapi.rules.definition import OAS, rule

_DISCRIMINATOR = OAS + "§4.8.25 (Discriminator Object)"
_XML = OAS + "§4.8.26 (XML Object)"

DISCRIMINATOR_ADDED = rule(
    "discriminator-added", "annotation",
    "A property says now which alternative a value is.",
    "No message is refused by it. Generated clients may come to look at that property first.",
    _DISCRIMINATOR, "discriminator-removed",
)  # fmt: skip
DISCRIMINATOR_REMOVED = rule(
    "discriminator-removed", "annotation",
    "No property says any more which alternative a value is.",
    "No message is refused by it. Generated clients have to try the alternatives.",
    _DISCRIMINATOR, "discriminator-added",
)  # fmt: skip
DISCRIMINATOR_PROPERTY = rule(
    "discriminator-property-changed", "policy",
    "Another property says which alternative a value is.",
    "Readers that choose by the old one find nothing to choose by. Send both for a time.",
    _DISCRIMINATOR + ", propertyName", "discriminator-property-changed",
)  # fmt: skip
VALUE_REMOVED = rule(
    "discriminator-value-removed", "policy",
    "A value that stood for an alternative stands for none.",
    "Whoever reads it cannot tell what it is. Keep the value in the mapping as long as somebody sends it.",
    _DISCRIMINATOR + ", mapping", "discriminator-value-added",
)  # fmt: skip
VALUE_ADDED = rule(
    "discriminator-value-added", "policy",
    "A new value stands for an alternative.",
    "Readers of the old version do not know it. A tolerant client treats it as an unknown kind; a provider cannot serve it.",
    _DISCRIMINATOR + ", mapping", "discriminator-value-removed",
)  # fmt: skip
VALUE_MOVED = rule(
    "discriminator-value-moved", "policy",
    "A value stands for another alternative.",
    "Both sides read the same message as different things. Give the other alternative a value of its own.",
    _DISCRIMINATOR + ", mapping", "discriminator-value-moved",
)  # fmt: skip
XML_CHANGED = rule(
    "xml-changed", "inclusion",
    "A value is written otherwise in XML (name, namespace, attribute, wrapping).",
    "Where a body is XML, either side looks for an element that is not there. In other media types nothing changes.",
    _XML, "xml-changed",
)  # fmt: skip
RULES = (
    DISCRIMINATOR_ADDED, DISCRIMINATOR_REMOVED, DISCRIMINATOR_PROPERTY, VALUE_REMOVED, VALUE_ADDED, VALUE_MOVED, XML_CHANGED,
)  # fmt: skip
