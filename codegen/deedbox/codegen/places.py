"""Which subschemas apply where in a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from deedbox.checker.json_schema.schema import Node


def of_property(nodes: Iterable[Node], name: str) -> tuple[Node, ...]:
    """The subschemas that some schemas apply to the value of a property."""
    found: list[Node] = []
    for node in nodes:
        keywords = node.keywords()
        named = False
        if name in keywords.get("properties", ()):
            found.append(node.child("properties", name))
            named = True
        for pattern in keywords.get("patternProperties", ()):
            if compile_pattern(pattern).search(name):
                found.append(node.child("patternProperties", pattern))
                named = True
        if not named and isinstance(keywords.get("additionalProperties"), dict | bool):
            found.append(node.child("additionalProperties"))
    return tuple(found)


def of_item(nodes: Iterable[Node], index: int) -> tuple[Node, ...]:
    """The subschemas that some schemas apply to an item of an array, from 0."""
    found: list[Node] = []
    for node in nodes:
        keywords = node.keywords()
        listed, rest = ("prefixItems", "items") if node.dialect.rank >= 20 else ("items", "additionalItems")
        held = keywords.get(listed)
        if isinstance(held, list):
            if index < len(held):
                found.append(node.child(listed, index))
            elif isinstance(keywords.get(rest), dict | bool):
                found.append(node.child(rest))
        elif isinstance(keywords.get("items"), dict | bool):
            found.append(node.child("items"))
    return tuple(found)


def in_place(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Some schemas and all that they apply to the same value, each branch included."""
    found: dict[Node, None] = {}
    pending = list(nodes)
    while pending:
        node = pending.pop()
        if node not in found:
            found[node] = None
            pending += [below for _, below in node.in_place()]
    return tuple(found)


def at(root: Node, message: Any, path: Sequence[str | int]) -> tuple[Node, ...]:
    """The subschemas where a value of a message is held, before what they apply in place.

    `path` leads from the message's root to the value.
    """
    nodes: tuple[Node, ...] = (root,)
    for token in path:
        closure = in_place(nodes)
        if isinstance(message, dict) and isinstance(token, str):
            nodes, message = of_property(closure, token), message[token]
        elif isinstance(message, list) and isinstance(token, int):
            nodes, message = of_item(closure, token), message[token]
        else:
            return ()
    return nodes
