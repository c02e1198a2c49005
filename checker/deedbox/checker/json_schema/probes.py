"""Probes: where in a message a fact can be seen, and by which values.

A probe turns a fact about two subschemas into a question about whole messages: is there a message that the writer
sends, that has such a value at that place, and that the reader refuses?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Node


@dataclass(frozen=True, slots=True)
class Property:
    """The value of the property of this name."""

    name: str


@dataclass(frozen=True, slots=True)
class SomeProperty:
    """The value of some property whose name the pattern finds."""

    pattern: str


@dataclass(frozen=True, slots=True)
class SomeOtherProperty:
    """The value of some property that is none of `names` and that no one of `patterns` finds."""

    names: tuple[str, ...]
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PropertyName:
    """The name of some property, as a string."""


@dataclass(frozen=True, slots=True)
class Item:
    """The item of this index, from 0."""

    index: int


@dataclass(frozen=True, slots=True)
class SomeItem:
    """Some item whose index is `after` or more."""

    after: int


Step: TypeAlias = Property | SomeProperty | SomeOtherProperty | PropertyName | Item | SomeItem


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about messages, in one direction.

    `path` leads to the instance location. `fragment` is a 2020-12 schema without references: the values there that show
    the fact. Where it is None (the subschemas are recursive, or too large to write out) the question is put to two
    nodes, which are there then: a value that `writer` accepts and `reader` does not, at `path`.
    """

    path: tuple[Step, ...]
    fragment: dict[str, Any] | bool | None
    writer: Node | None = None
    reader: Node | None = None


def probe_schema(probe: Probe, fragment: dict[str, Any] | bool | None = None) -> dict[str, Any] | bool:
    """The 2020-12 schema of the messages that have a value of a fragment at the probe's path.

    Args:
        probe: the question.
        fragment: in place of the probe's own; where both are None, any value at the path will do.
    """
    schema = probe.fragment if fragment is None else fragment
    if schema is None:
        schema = True
    for step in reversed(probe.path):
        schema = _around(step, schema)
    return schema


def _around(step: Step, inner: dict[str, Any] | bool) -> dict[str, Any]:
    match step:
        case Property(name):
            return {"type": "object", "properties": {name: inner}, "required": [name]}
        case SomeProperty(pattern):
            return {"type": "object", "not": {"patternProperties": {pattern: {"not": inner}}}}
        case SomeOtherProperty(names, patterns):
            others: dict[str, Any] = {"additionalProperties": {"not": inner}}
            if names:
                others["properties"] = dict.fromkeys(names, True)
            if patterns:
                others["patternProperties"] = dict.fromkeys(patterns, True)
            return {"type": "object", "not": others}
        case PropertyName():
            return {"type": "object", "not": {"propertyNames": {"not": inner}}}
        case Item(index):
            return {"type": "array", "prefixItems": [*[True] * index, inner], "minItems": index + 1}
        case SomeItem(0):
            return {"type": "array", "contains": inner}
        case SomeItem(after):
            return {"type": "array", "not": {"prefixItems": [True] * after, "items": {"not": inner}}}


def placed(message: Any, path: tuple[Step, ...], value: Any) -> Any:
    """A copy of a message that has the value at a path, or None where the path does not say which place that is.

    Objects that are missing on the way are made; other values in the way are not replaced.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    match step:
        case Property(name) if isinstance(message, dict):
            inner = placed(message.get(name, {} if rest else None), rest, value)
            return None if inner is None and rest else {**message, name: inner}
        case Item(index) if isinstance(message, list) and index <= len(message):
            known = message[index] if index < len(message) else {}
            inner = placed(known, rest, value)
            return None if inner is None and rest else [*message[:index], inner, *message[index + 1 :]]
    return None
