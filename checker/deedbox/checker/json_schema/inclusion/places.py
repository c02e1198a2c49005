"""Places of schemas, and their colours: two places of one colour say the same, in one document or in two.

A colour is a number for what a place says: its keywords less the annotations, with each subschema and each reference
target as that one's colour. Where places refer to each other in a circle, colours are refined until nothing more is told
apart (partition refinement); a circle's colour also names all the colours of the circle, so that equal numbers are equal
meanings and no accident of depth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urldefrag

from deedbox.checker.json_schema.inclusion.values import key_of
from deedbox.checker.json_schema.schema import Node, Schema
from deedbox.checker.pointers import escape

if TYPE_CHECKING:
    from deedbox.checker.budget import Budget

TRUE_COLOUR: Final = 0
FALSE_COLOUR: Final = 1

_UNREAD: Final = frozenset({"definitions", "$defs", "contentSchema"})
# Keywords that another draft reads otherwise.
_BY_DRAFT: Final = frozenset({
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "contains", "dependencies", "unevaluatedItems",
    "unevaluatedProperties", "additionalItems", "$recursiveRef", "$dynamicRef",
})  # fmt: skip
_SETS: Final = frozenset({"required", "enum", "type"})

Scope = tuple[tuple[Schema, str], ...]


class Place:
    """A subschema reached with a dynamic scope. `keywords` are those that judge values, as its draft reads them."""

    __slots__ = ("children", "colour", "keywords", "parts", "pointer", "schema", "scope", "value")

    def __init__(self, schema: Schema, pointer: str, scope: Scope, value: Any) -> None:
        self.schema, self.pointer, self.scope, self.value = schema, pointer, scope, value
        self.colour = -1
        self.keywords: dict[str, Any] = {}
        self.parts: tuple[Any, ...] = ()
        """What it says, with the subschemas left out."""
        self.children: dict[tuple[Any, ...], Place] = {}
        """Its subschemas, by keyword and name or index; a reference's target by the keyword alone."""

    @property
    def rank(self) -> int:
        """The draft."""
        return self.schema.dialect.rank

    @property
    def node(self) -> Node:
        """It as a node of its document."""
        return Node(self.schema, self.pointer)


class Places:
    """All places of one search."""

    def __init__(self, *, format_assertion: bool) -> None:
        self._format_assertion = format_assertion
        self._places: dict[tuple[Any, ...], Place] = {}
        self._colours: dict[Any, int] = {"true": TRUE_COLOUR, "false": FALSE_COLOUR}
        self.representatives: dict[int, Place] = {}
        self._budget: Budget | None = None

    def at(self, node: Node, budget: Budget) -> Place:
        """The place of a node, coloured, and with it all that can be reached from it."""
        self._budget = budget
        place = self._place(node.schema, node.pointer, _entered((), node.schema, node.pointer), node.value)
        if place.colour < 0:
            self._colour(place)
        return place

    def _place(self, schema: Schema, pointer: str, scope: Scope, value: Any) -> Place:
        key = (schema, pointer, scope)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = Place(schema, pointer, scope, value)
            if isinstance(value, bool):
                place.colour = TRUE_COLOUR if value else FALSE_COLOUR
        return place

    def _child(self, place: Place, value: Any, *tokens: str | int) -> Place:
        pointer = place.pointer
        for token in tokens:
            pointer += "/" + (escape(token) if isinstance(token, str) else str(token))
        scope = _entered(place.scope, place.schema, pointer) if place.schema.dynamic_anchors else place.scope
        return self._place(place.schema, pointer, scope, value)

    def _read(self, place: Place) -> None:
        """Fills in keywords, parts and children."""
        value, dialect = place.value, place.schema.dialect
        if not isinstance(value, dict):
            return
        if dialect.ref_overrides_siblings and isinstance(value.get("$ref"), str):
            value = {"$ref": value["$ref"]}
        parts: list[Any] = []
        by_draft = False
        for keyword in sorted(value):
            held = value[keyword]
            shape = dialect.applicators.get(keyword)
            if shape is not None:
                if keyword in _UNREAD:
                    continue
                self._read_applicator(place, keyword, held, shape, parts)
            elif keyword in dialect.references:
                if not isinstance(held, str):
                    continue
                place.children[(keyword,)] = self._target(place, keyword, held)
                parts.append(keyword)
            elif keyword in dialect.assertions and (keyword != "format" or self._format_assertion):
                if keyword in _SETS and isinstance(held, list):
                    parts.append((keyword, frozenset(key_of(v) for v in held)))
                else:
                    parts.append((keyword, key_of(held)))
            else:
                continue
            place.keywords[keyword] = held
            by_draft = by_draft or keyword in _BY_DRAFT
        if by_draft:
            parts.append(place.rank)
        place.parts = tuple(parts)

    def _read_applicator(self, place: Place, keyword: str, held: Any, shape: str, parts: list[Any]) -> None:
        if isinstance(held, list):
            if shape in ("list", "schema-or-list"):
                for i, item in enumerate(held):
                    place.children[keyword, i] = self._child(place, item, keyword, i)
                parts.append((keyword, len(held)))
        elif shape in ("schema", "schema-or-list"):
            if isinstance(held, dict | bool):
                place.children[(keyword,)] = self._child(place, held, keyword)
                parts.append(keyword)
        elif isinstance(held, dict):
            said: list[Any] = [keyword]
            for name in sorted(held):
                if isinstance(held[name], dict | bool):
                    place.children[keyword, name] = self._child(place, held[name], keyword, name)
                    said.append(name)
                elif isinstance(held[name], list):
                    said.append((name, frozenset(held[name])))
            parts.append(tuple(said))

    def _target(self, place: Place, keyword: str, reference: str) -> Place:
        start = place.schema.resolve(place.pointer, reference)
        if keyword != "$ref":
            start = _dynamic(start, keyword, reference, place.scope)
        return self._place(start.schema, start.pointer, _entered(place.scope, start.schema, start.pointer), start.value)

    def _intern(self, key: Any) -> int:
        return self._colours.setdefault(key, len(self._colours))

    def _colour(self, root: Place) -> None:
        """Tarjan's strongly connected components, without recursion: references may be chained for thousands of steps."""
        index: dict[Place, int] = {}
        low: dict[Place, int] = {}
        component: list[Place] = []
        inside: set[Place] = set()
        work: list[tuple[Place, list[Place], int]] = []

        def enter(place: Place) -> None:
            assert self._budget is not None
            self._budget.spend(1, place.pointer)
            self._read(place)
            index[place] = low[place] = len(index)
            component.append(place)
            inside.add(place)
            work.append((place, list(place.children.values()), 0))

        enter(root)
        while work:
            place, children, at = work.pop()
            while at < len(children):
                child = children[at]
                at += 1
                if child.colour >= 0:
                    continue
                if child not in index:
                    work.append((place, children, at))
                    enter(child)
                    break
                if child in inside:
                    low[place] = min(low[place], index[child])
            else:
                if low[place] == index[place]:
                    members = []
                    while True:
                        member = component.pop()
                        inside.discard(member)
                        members.append(member)
                        if member is place:
                            break
                    self._colour_component(members)
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[place])

    def _colour_component(self, members: list[Place]) -> None:
        first = members[0]
        if len(members) == 1 and first not in first.children.values():
            self._finish(first, self._plain(first))
            return
        current = {m: self._intern(("circle", m.parts, tuple(c.colour for c in m.children.values()))) for m in members}
        classes = 0
        while len(set(current.values())) > classes:
            classes = len(set(current.values()))
            assert self._budget is not None
            self._budget.spend(len(members), first.pointer)
            current = {
                m: self._intern((current[m], tuple(current.get(c, c.colour) for c in m.children.values())))
                for m in members
            }
        whole = self._intern(("circles", frozenset(current.values())))
        for member in members:
            self._finish(member, self._intern(("in circle", current[member], whole)))

    def _plain(self, place: Place) -> int:
        if not place.parts:
            return TRUE_COLOUR
        children = tuple(c.colour for c in place.children.values())
        if place.parts == ("$ref",):  # the target under another name
            return children[0]
        return self._intern((place.parts, children))

    def _finish(self, place: Place, colour: int) -> None:
        place.colour = colour
        known = self.representatives.setdefault(colour, place)
        if known.parts == ("$ref",) and place.parts != ("$ref",):
            self.representatives[colour] = place


def _entered(scope: Scope, schema: Schema, pointer: str) -> Scope:
    """The dynamic scope within a place. Only resources with dynamic anchors can ever matter."""
    if schema.dynamic_anchors:
        resource = schema.resource_of(pointer)
        entry = (schema, resource)
        if entry not in scope and any(r == resource for r, _ in schema.dynamic_anchors):
            return (*scope, entry)
    return scope


def _dynamic(start: Node, keyword: str, reference: str, scope: Scope) -> Node:
    """Where a dynamic reference leads: the outermost resource of the scope with that anchor, if it starts at one."""
    name = "" if keyword == "$recursiveRef" else unquote(urldefrag(reference).fragment)
    schema = start.schema
    if schema.dynamic_anchors.get((schema.resource_of(start.pointer), name)) != start.pointer:
        return start
    for outer, resource in scope:
        place = outer.dynamic_anchors.get((resource, name))
        if place is not None:
            return Node(outer, place)
    return start
