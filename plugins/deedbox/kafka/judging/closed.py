"""The closed reading of a writer, compiled for live messages.

`deedbox.checker.json_schema.closing.Location.refusal` is what it means; this says the same quicker: a location is
turned once into the set of its names and the few members below which anything can be refused at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.canonical import canonical
from deedbox.checker.json_schema.closing import Location

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Schema

MAX_PLACES = 10_000
"""Locations compiled for one schema. Names matched by many patterns at once could make more: those are not kept."""

_ITEM_KEYWORDS = ("items", "prefixItems", "additionalItems", "contains", "unevaluatedItems")


class _Place:
    """One location. `deep` and `flat` (nothing deep) are set when the first object arrives there."""

    __slots__ = ("deep", "flat", "free", "items", "location", "names", "ready")

    def __init__(self, location: Location) -> None:
        self.location = location
        self.free = location.free_form
        self.ready = self.flat = False
        self.names: frozenset[str] = location.names
        self.deep: list[tuple[str, _Place]] = []
        self.items: list[_Place] | None = None


class ClosedReading:
    """What a schema's closed reading refuses. Safe to share between threads: what is compiled twice is equal."""

    def __init__(self, schema: Schema) -> None:
        self._places: dict[Any, _Place] = {}
        self._inert: dict[Any, bool] = {}
        self.root = Location([schema.node])
        self._root = self._place(self.root)
        self.needed = not self.is_inert(self.root)
        """Whether it refuses anything at all."""

    def admits(self, value: Any) -> bool:
        """Whether every member of a value is declared."""
        root = self._root
        if not self.needed or (root.flat and type(value) is dict and value.keys() <= root.names):
            return True
        stack: list[tuple[_Place, Any]] = [(root, value)]
        while stack:
            place, value = stack.pop()
            if type(value) is dict:
                if place.free:
                    continue
                if not place.ready:
                    self._prepare(place)
                if not value.keys() <= place.names:
                    for name in value.keys() - place.names:
                        if not place.location.declares(name):
                            return False
                        stack.append((self._place(place.location.member(name)), value[name]))
                for name, below in place.deep:
                    member = value.get(name)
                    if type(member) is dict and below.flat:
                        # By far the most frequent: an object of plain values, all of them named.
                        if not member.keys() <= below.names:
                            stack.append((below, member))
                    elif member is not None:
                        stack.append((below, member))
            elif type(value) is list and value and place.location.nodes:
                items = place.items
                if items is None:
                    items = place.items = self._item_places(place.location)
                if items:
                    end = len(items) - 1
                    stack += [(items[i if i < end else end], item) for i, item in enumerate(value)]
        return True

    def refusal(self, value: Any) -> str | None:
        """Pointer of the first member that is not declared, or None where all are."""
        if self.admits(value):
            return None
        try:
            found = self._root.location.refusal(value)
        except RecursionError:
            return ""  # refused somewhere deeper than Python's stack
        assert found is not None, "the compiled form says the same as the reference"
        return found

    def _prepare(self, place: _Place) -> None:
        location = place.location
        members = ((name, location.member(name)) for name in sorted(location.names))
        place.deep = [(name, self._place(member)) for name, member in members if not self.is_inert(member)]
        place.flat = not place.deep
        place.ready = True

    def _item_places(self, location: Location) -> list[_Place]:
        """A place an index, the last one for all that follow; empty where no item can be refused."""
        items = [location.item(i) for i in range(location.item_boundary + 1)]
        if all(self.is_inert(item) for item in items):
            return []
        return [self._place(item) for item in items]

    def _place(self, location: Location) -> _Place:
        # Two locations of the same subschemas and constants are one: so recursive schemas come to an end.
        key = _key(location)
        place = self._places.get(key)
        if place is None:
            place = _Place(location)
            if len(self._places) < MAX_PLACES:
                self._places[key] = place
        return place

    def is_inert(self, location: Location) -> bool:
        """Whether nothing at a location can be refused: no object is closed there, nor in any array there."""
        start = _key(location)
        if start in self._inert:
            return self._inert[start]
        reached = {start: location}
        pending = [location]
        answer = True
        while pending and answer:
            here = pending.pop()
            answer = here.free_form
            if answer and _has_items(here):
                for item in (here.item(i) for i in range(here.item_boundary + 1)):
                    if _key(item) not in reached:
                        reached[_key(item)] = item
                        pending.append(item)
        self._inert[start] = answer
        if answer:
            self._inert.update(dict.fromkeys(reached, True))
        return answer


def _key(location: Location) -> tuple[Any, ...]:
    return (location.nodes, tuple(canonical(c) for c in location.constants))


def _has_items(location: Location) -> bool:
    return any(isinstance(c, list) for c in location.constants) or any(
        keyword in node.keywords() for node in location.nodes for keyword in _ITEM_KEYWORDS
    )
