"""Obsolete fields: where a schema marks them, by where they stand in a message.

A field is named by a JSON pointer into a message, with `*` for the items of an array. A place that no such pointer names
in full (below a recursive schema, or members named by a pattern) is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.closing import Location
from deedbox.checker.pointers import join, split

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Node, Schema

_MOST_PLACES = 10_000
ITEMS = "*"


def obsolete_pointers(schema: Schema) -> tuple[str, ...]:
    """Where a schema marks fields `deprecated: true` (2020-12 validation §9.3), as pointers into a message, sorted.

    The mark counts beside a `$ref` in every draft, and behind one. A schema of more places than can be walked has none.
    """
    found: dict[str, tuple[frozenset[Node], frozenset[Any]]] = {}
    recursive: set[Any] = set()
    pending: list[tuple[str, Location, frozenset[Any]]] = [("", Location([schema.node]), frozenset())]
    walked = 0
    while pending:
        pointer, location, above = pending.pop()
        walked += 1
        if walked > _MOST_PLACES:
            return ()
        key = location.nodes
        if key in above:
            recursive.add(key)
            continue
        path = above | {key}
        marks = frozenset(node for node in location.nodes if _marked(node))
        if pointer and marks:
            found[pointer] = (marks, path)
        pending += [(join(pointer, name), location.member(name), path) for name in location.names if name != ITEMS]
        if location.nodes:
            below = {location.item(i).nodes: location.item(i) for i in range(location.item_boundary + 1)}
            pending += [(f"{pointer}/{ITEMS}", item, path) for item in below.values() if item.nodes]
    # One mark may stand at any depth and also at a plain place: its field is at all of them, which no pointers name.
    endless = {mark for marks, path in found.values() if path & recursive for mark in marks}
    return tuple(sorted(pointer for pointer, (marks, _) in found.items() if not marks & endless))


def _marked(node: Node) -> bool:
    value = node.value
    return isinstance(value, dict) and value.get("deprecated") is True


def declares(schema: Schema, pointer: str) -> bool:
    """Whether a schema names the member at a pointer into a message, or leaves open what is there."""
    location = Location([schema.node])
    for token in split(pointer):
        if token == ITEMS:
            location = location.item(location.item_boundary)
        elif location.free_form or not location.declares(token):
            return False
        else:
            location = location.member(token)
    return True


_PLAIN = frozenset({
    "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "examples", "default", "deprecated",
    "readOnly", "writeOnly", "type", "properties", "required", "additionalProperties", "items", "format", "minLength",
    "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "minimum", "maximum",
})  # fmt: skip
"""Keywords beside which `properties` and `items` say all that there is to say of members and items, in all drafts."""


def declares_plainly(schema: Any, pointer: str) -> bool | None:
    """What `declares` says, read off a schema's JSON without resolving anything: a hundred times quicker.

    Returns:
        None where `properties` and `items` alone do not tell.
    """
    told, place = plain_place(schema, pointer)
    return place is not None if told else None


def marks_plainly(schema: Any, pointer: str) -> bool | None:
    """Whether a schema marks the field at a pointer into a message, read off its JSON; None where that does not tell."""
    told, place = plain_place(schema, pointer)
    if not told or place is None:
        return False if told else None
    if isinstance(place, dict) and place.get("deprecated") is True:
        return True
    return False if isinstance(place, bool) or place.keys() <= _PLAIN else None


def plain_place(schema: Any, pointer: str) -> tuple[bool, Any]:
    """Whether `properties` and `items` alone tell what is declared at a pointer into a message, and the subschema there.

    The second is None where nothing is declared there.
    """
    for token in split(pointer):
        plain = isinstance(schema, dict) and schema.keys() <= _PLAIN
        if not plain or schema.get("additionalProperties") not in (None, False):
            return False, None
        if token == ITEMS:
            schema = schema.get("items")
            if not isinstance(schema, dict):
                return False, None
        elif token in schema.get("properties", {}):
            schema = schema["properties"][token]
        else:
            return token not in schema.get("required", ()), None
    return True, schema


_IN_PLACE = frozenset({"then", "else", "if", "not"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf"})
_ITEM_KEYWORDS = frozenset({"items", "prefixItems", "additionalItems", "unevaluatedItems", "contains"})


def in_message(pointer: str) -> str | None:
    """The place in a message that a resolved pointer into a schema speaks of; None where no one name says it."""
    tokens, found, at = split(pointer), "", 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token == "properties" and at < len(tokens):
            found = join(found, tokens[at])
            at += 1
        elif token in _ITEM_KEYWORDS:
            found = f"{found}/{ITEMS}"
            at += at < len(tokens) and tokens[at].isdigit()
        elif token in _LISTS or token in ("dependentSchemas", "dependencies"):
            at += 1
        elif token not in _IN_PLACE:
            return None
    return found
