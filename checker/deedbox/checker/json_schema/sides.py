"""One document's side of an instance location: everything that certainly applies there, read as one.

Inlining a reference, splitting a schema with `allOf` and older spellings of a keyword change nothing here, so they give
no facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from deedbox.checker.json_schema.schema import Node
from deedbox.checker.patterns import compile_pattern
from deedbox.checker.pointers import join

if TYPE_CHECKING:
    from collections.abc import Iterable

ANNOTATIONS = (
    "title", "description", "examples", "$comment", "default", "deprecated", "readOnly", "writeOnly", "contentMediaType",
    "contentEncoding", "contentSchema",
)  # fmt: skip
GROUPS = ("anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Start:
    """A subschema that applies at an instance location, and the resolved path to it."""

    pointer: str
    node: Node

    def below(self, *tokens: str | int) -> Start:
        """The subschema that a keyword of it holds."""
        suffix = join("", *tokens)
        return Start(self.pointer + suffix, Node(self.node.schema, self.node.pointer + suffix))


Starts: TypeAlias = "tuple[Start, ...]"


@dataclass(frozen=True, slots=True)
class Part:
    """A subschema of a side, with its keywords as its draft reads them."""

    start: Start
    keywords: dict[str, Any]

    @property
    def node(self) -> Node:
        """The place it is written at."""
        return self.start.node

    @property
    def pointer(self) -> str:
        """The resolved path to it."""
        return self.start.pointer


@dataclass(frozen=True, slots=True)
class Group:
    """An `anyOf` or `oneOf` of a side."""

    part: Part
    keyword: str
    members: Starts


class Side:
    """The conjunction of the subschemas that apply at an instance location: `$ref` targets and `allOf` members too.

    No `starts` at all is the schema that accepts everything. `never` is the part that is `false`, if one is. `by` has
    for each keyword the parts that hold it with its value.
    """

    def __init__(self, starts: Starts) -> None:
        self.starts = starts
        self.parts: list[Part] = []
        self.never: Part | None = None
        self.by: dict[str, list[tuple[Part, Any]]] = {}
        seen: set[Node] = set()
        pending = list(reversed(starts))
        while pending:
            start = pending.pop()
            if start.node in seen:
                continue
            seen.add(start.node)
            self._gather(start, pending)

    def _gather(self, start: Start, pending: list[Start]) -> None:
        node = start.node
        value = node.value
        if isinstance(value, bool):
            part = Part(start, {})
            self.parts.append(part)
            if value is False and self.never is None:
                self.never = part
            return
        keywords, dialect, by = node.keywords(), node.dialect, self.by
        part = Part(start, keywords)
        self.parts.append(part)
        above: list[Start] = []
        for keyword in dialect.references:
            reference = keywords.get(keyword)
            if isinstance(reference, str):
                targets = node.schema.targets(node.pointer, keyword, reference)
                if len(targets) == 1:  # else dynamic scope decides: nothing certain is known of it
                    above.append(Start(start.pointer, targets[0]))
        for keyword, held in keywords.items():
            if keyword in dialect.applicators:
                if keyword == "allOf" or (keyword in GROUPS and len(held) == 1):
                    above += [start.below(keyword, i) for i in range(len(held))]
                else:
                    by.setdefault(keyword, []).append((part, held))
            elif keyword in dialect.assertions:
                by.setdefault(keyword, []).append((part, held))
        # Annotations count beside a $ref in every draft: that is where people write them.
        for keyword in ANNOTATIONS:
            if keyword in value:
                by.setdefault(keyword, []).append((part, value[keyword]))
        pending += reversed(above)

    @cached_property
    def main(self) -> Part | None:
        """The part to name where no keyword singles one out: the first that says anything itself."""
        for part in self.parts:
            if any(keyword not in ("$ref", "allOf", *ANNOTATIONS) for keyword in part.keywords):
                return part
        return self.parts[-1] if self.parts else None

    @cached_property
    def content(self) -> frozenset[Node]:
        """The places whose words make up the side: not those that only refer to another."""
        return frozenset(part.node for part in self.parts if part.node.value != {"$ref": part.keywords.get("$ref")})

    def holder(self, *keywords: str) -> Part | None:
        """The first part with one of the keywords, else the main one."""
        for keyword in keywords:
            held = self.by.get(keyword)
            if held:
                return held[0][0]
        return self.main

    def values(self, keyword: str) -> list[Any]:
        """The keyword's value in each part that has it."""
        return [value for _, value in self.by.get(keyword, ())]

    @cached_property
    def groups(self) -> list[Group]:
        """Its `anyOf`s and `oneOf`s of more than one member."""
        return [
            Group(part, keyword, tuple(part.start.below(keyword, i) for i in range(len(held))))
            for keyword in GROUPS
            for part, held in self.by.get(keyword, ())
        ]

    @cached_property
    def group_only(self) -> Group | None:
        """Its one group, where it says nothing else: the schema that was put into an `anyOf` says the same in there."""
        if len(self.groups) == 1 and all(k in GROUPS or k in ANNOTATIONS for k in self.by) and self.never is None:
            return self.groups[0]
        return None

    @cached_property
    def properties(self) -> dict[str, list[Start]]:
        """The properties named one by one, with their subschemas."""
        found: dict[str, list[Start]] = {}
        for part, held in self.by.get("properties", ()):
            for name in held:
                found.setdefault(name, []).append(part.start.below("properties", name))
        return found

    @cached_property
    def patterns(self) -> dict[str, list[Start]]:
        """The pattern properties, with their subschemas."""
        found: dict[str, list[Start]] = {}
        for part, held in self.by.get("patternProperties", ()):
            for pattern in held:
                found.setdefault(pattern, []).append(part.start.below("patternProperties", pattern))
        return found

    def matches(self, name: str) -> bool:
        """Whether one of its pattern properties takes the name."""
        return any(compile_pattern(pattern).search(name) for pattern in self.patterns)

    def member(self, name: str) -> Starts:
        """What applies to the value of a property."""
        if "patternProperties" not in self.by and "additionalProperties" not in self.by:
            return tuple(self.properties.get(name, ()))
        found: list[Start] = []
        for part in self.parts:
            held, own = part.keywords, False
            if name in held.get("properties", ()):
                own = True
                found.append(part.start.below("properties", name))
            for pattern in held.get("patternProperties", ()):
                if compile_pattern(pattern).search(name):
                    own = True
                    found.append(part.start.below("patternProperties", pattern))
            if not own and not refuses_nothing(held.get("additionalProperties", True)):
                found.append(part.start.below("additionalProperties"))
        return tuple(found)

    def of(self, keyword: str) -> Starts:
        """The subschemas that a keyword holds one of each; those that refuse nothing left out."""
        return tuple(part.start.below(keyword) for part, held in self.by.get(keyword, ()) if not refuses_nothing(held))

    @cached_property
    def prefix(self) -> int:
        """How many leading items have subschemas of their own."""
        return max((len(_prefix(part)[1]) for part in self.parts if part.keywords), default=0)

    def item(self, index: int) -> Starts:
        """What applies to the item of an index; to every later item, where that is `prefix` or more."""
        found: list[Start] = []
        for part in self.parts:
            keyword, prefix, rest = _prefix(part)
            if index < len(prefix):
                found.append(part.start.below(keyword, index))
            elif rest in part.keywords and not refuses_nothing(part.keywords[rest]):
                found.append(part.start.below(rest))
        return tuple(found)

    def named_item(self, index: int) -> bool:
        """Whether some part has a subschema for just this item."""
        return any(index < len(_prefix(part)[1]) for part in self.parts)


def _prefix(part: Part) -> tuple[str, list[Any], str]:
    """The keyword of leading items, its value, and the keyword of the items after them."""
    keywords = part.keywords
    if part.node.dialect.rank >= 20:
        return "prefixItems", keywords.get("prefixItems", []), "items"
    held = keywords.get("items")
    if isinstance(held, list):
        return "items", held, "additionalItems"
    return "items", [], "items"  # without an array of items, additionalItems says nothing


def refuses_nothing(schema: Any) -> bool:
    """Whether a subschema is `true`, or as good as."""
    return schema is True or (isinstance(schema, dict) and all(keyword in ANNOTATIONS for keyword in schema))


def deprecated(starts: Iterable[Start]) -> bool:
    """Whether the subschemas mark what they apply to as obsolete."""
    return any(value is True for value in Side(tuple(starts)).values("deprecated"))
