"""The closed reading of a writer's schema (tolerant and closed content models).

A tolerant writer sends only what it declares. What is declared is asked of an *instance location*, not of a schema
node: a name counts when any branch that applies there names it, so all subschemas that apply to one location are taken
together. Exactly:

1. declared is each name in `properties`, `required`, `dependentRequired`, `dependentSchemas`, `dependencies` and in an
   object given by `const` or `enum`, and each name that a `patternProperties` matches, in any subschema that applies in
   place (`$ref`, `allOf`, `anyOf`, `oneOf`, `if`/`then`/`else`, `dependent*`);
2. where nothing is declared the location is free-form: it stays open, all of its inside included;
3. `additionalProperties` and `unevaluatedProperties` stay as written: other than `false`, they declare every name;
4. everything else is refused.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.schema import Node
from deedbox.checker.patterns import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable


class Location:
    """All that applies at one instance location, and what it declares there. Immutable.

    `nodes` are the subschemas (those that apply in place included), `constants` the values that a `const` or `enum`
    admits there.
    """

    def __init__(self, starts: Iterable[Node], constants: Iterable[Any] = ()) -> None:
        found: dict[Node, None] = {}
        pending = list(starts)
        while pending:
            node = pending.pop()
            if node not in found:
                found[node] = None
                pending += [below for _, below in node.in_place()]
        self.nodes: tuple[Node, ...] = tuple(sorted(found, key=lambda n: (n.schema.name, n.pointer)))
        self.constants: list[Any] = list(constants)
        for node in self.nodes:
            keywords = node.keywords()
            if "const" in keywords and "const" in node.dialect.assertions:
                self.constants.append(keywords["const"])
            if isinstance(keywords.get("enum"), list):
                self.constants += keywords["enum"]
        self._children: dict[Any, Location] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """The property names declared one by one."""
        names: set[str] = set()
        for node in self.nodes:
            applicators = node.dialect.applicators
            for keyword, value in node.keywords().items():
                if keyword in ("properties", "dependentSchemas") and keyword in applicators:
                    names |= value.keys()
                elif keyword == "required" and isinstance(value, list):
                    names |= set(value)
                elif keyword == "dependencies" or (
                    keyword == "dependentRequired" and keyword in node.dialect.assertions
                ):
                    names |= value.keys()
                    names |= {name for held in value.values() if isinstance(held, list) for name in held}
        for constant in self.constants:
            if isinstance(constant, dict):
                names |= constant.keys()
        return frozenset(names)

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """The `patternProperties` patterns declared, sorted."""
        return tuple(sorted({p for node in self.nodes for p in node.keywords().get("patternProperties", ())}))

    @cached_property
    def admits_any_name(self) -> bool:
        """Whether an explicit `additionalProperties` or `unevaluatedProperties` other than false declares every name."""
        return any(
            keyword in node.dialect.applicators and value is not False
            for node in self.nodes
            for keyword, value in node.keywords().items()
            if keyword in ("additionalProperties", "unevaluatedProperties")
        )

    @cached_property
    def free_form(self) -> bool:
        """Whether nothing is declared, so that objects here stay open."""
        return not (
            self.names
            or self.patterns
            or any(
                keyword in node.keywords() and keyword in node.dialect.applicators
                for node in self.nodes
                for keyword in ("additionalProperties", "unevaluatedProperties")
            )
        )

    def declares(self, name: str) -> bool:
        """Whether a property of this name may stand in an object here."""
        return (
            name in self.names
            or self.free_form
            or self.admits_any_name
            or any(compile_pattern(pattern).search(name) for pattern in self.patterns)
        )

    def matched(self, name: str) -> frozenset[str]:
        """The declared patterns that match a name."""
        return frozenset(pattern for pattern in self.patterns if compile_pattern(pattern).search(name))

    def member(self, name: str) -> Location:
        """The location of a property's value."""
        return self.region(name, self.matched(name))

    def region(self, name: str | None, matched: frozenset[str]) -> Location:
        """The location of the value of a property: of that name, or (None) of any name not declared one by one.

        Args:
            name: the name, or None.
            matched: which of `patterns` the name matches.
        """
        key = (name if name in self.names else None, matched)
        if key not in self._children:
            starts = [below for node in self.nodes for below in _members(node, name, matched)]
            constants = [c[name] for c in self.constants if isinstance(c, dict) and name is not None and name in c]
            self._children[key] = Location(starts, constants)
        return self._children[key]

    @cached_property
    def item_boundary(self) -> int:
        """Items from this index on all have the same location."""
        boundary = max((len(c) for c in self.constants if isinstance(c, list)), default=0)
        for node in self.nodes:
            keywords = node.keywords()
            for keyword in ("prefixItems", "items"):
                if isinstance(keywords.get(keyword), list):
                    boundary = max(boundary, len(keywords[keyword]))
        return boundary

    def item(self, index: int) -> Location:
        """The location of an array's item, from 0."""
        index = min(index, self.item_boundary)
        if index not in self._children:
            starts = [below for node in self.nodes for below in _items(node, index)]
            constants = [c[index] for c in self.constants if isinstance(c, list) and index < len(c)]
            self._children[index] = Location(starts, constants)
        return self._children[index]

    def refusal(self, value: Any, pointer: str = "") -> str | None:
        """Pointer of the first undeclared member of a value that stands here; None where the closed reading admits it.

        Only what is declared is asked: whether the value is valid at all is the schema's own question.
        """
        from deedbox.checker.pointers import join

        if isinstance(value, dict) and not self.free_form:
            for name, member in value.items():
                if not self.declares(name):
                    return join(pointer, name)
                found = self.member(name).refusal(member, join(pointer, name))
                if found is not None:
                    return found
        elif isinstance(value, list) and self.nodes:
            for i, item in enumerate(value):
                found = self.item(i).refusal(item, join(pointer, i))
                if found is not None:
                    return found
        return None


def _members(node: Node, name: str | None, matched: frozenset[str]) -> Iterable[Node]:
    keywords = node.keywords()
    own = False
    if name is not None and name in keywords.get("properties", ()):
        own = True
        yield node.child("properties", name)
    for pattern in keywords.get("patternProperties", ()):
        if pattern in matched:
            own = True
            yield node.child("patternProperties", pattern)
    if not own and "additionalProperties" in keywords:
        yield node.child("additionalProperties")
    if "unevaluatedProperties" in keywords and "unevaluatedProperties" in node.dialect.applicators:
        yield node.child("unevaluatedProperties")


def _items(node: Node, index: int) -> Iterable[Node]:
    keywords, applicators = node.keywords(), node.dialect.applicators
    prefix = keywords.get("prefixItems") if "prefixItems" in applicators else keywords.get("items")
    name = "prefixItems" if "prefixItems" in applicators else "items"
    rest = "items" if "prefixItems" in applicators else "additionalItems"
    if isinstance(prefix, list):
        if index < len(prefix):
            yield node.child(name, index)
        elif rest in keywords:
            yield node.child(rest)
    elif "items" in keywords:
        yield node.child("items")
    for keyword in ("contains", "unevaluatedItems"):
        if keyword in keywords and keyword in applicators:
            yield node.child(keyword)
