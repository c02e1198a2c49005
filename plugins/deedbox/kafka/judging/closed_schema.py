"""A schema and its closed reading as one schema, so that one call of the validator answers for both.

Only where that can be said plainly: what this admits is valid and declares every member; what it refuses is asked
again, of the schema and of `ClosedReading`, which also say why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deedbox.checker.json_schema.closing import Location
    from deedbox.checker.json_schema.schema import Schema
    from deedbox.kafka.judging.closed import ClosedReading

MAX_PLACES = 2_000
"""Locations written out; a larger schema is asked in two steps."""
_HERE = frozenset({"$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"})
_UNEVALUATED = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_DEFINITIONS = ("#/$defs/", "#/definitions/")
_OTHER_ITEMS = frozenset({"additionalItems", "contains", "prefixItems"})


class _Unsuited(Exception):
    """This schema cannot be put so."""


def closed_schema(schema: Schema, reading: ClosedReading) -> dict[str, Any] | None:
    """The schema with what its closed reading refuses written into it; None where that cannot be said plainly."""
    root = schema.root
    if not isinstance(root, dict) or not _keeps_its_meaning(root, top=True):
        return None
    try:
        found: dict[str, Any] = _Writer(schema, reading).merged(root, reading.root, ())
    except (_Unsuited, RecursionError):
        return None
    return found


class _Writer:
    def __init__(self, schema: Schema, reading: ClosedReading) -> None:
        self._inert, self._left = reading.is_inert, MAX_PLACES
        # Beside `$ref`, older drafts read nothing.
        self._ref_stands_alone = schema.dialect.rank < 19

    def merged(self, document: Any, location: Location, above: tuple[Any, ...]) -> Any:
        """A subschema in a place of its own, with its closing written into it. Conjunctive places only."""
        if self._inert(location):
            return document
        alone = not isinstance(document, dict) or ("$ref" in document and self._ref_stands_alone)
        if alone:
            if not above:
                raise _Unsuited
            return {"allOf": [document, self.overlay(location, above)]}
        above = self._enter(location, above)
        single = len(location.nodes) == 1 and not location.constants
        result = dict(document)
        if not location.free_form:
            own = document.get("properties", {})
            members = {name: location.member(name) for name in sorted(location.names)}
            if "additionalProperties" in document:  # false: what it refuses it goes on to refuse
                members = {name: member for name, member in members.items() if name in own}
            result["properties"] = {
                **own,
                **{
                    name: self.merged(own[name], member, above) if name in own else self.overlay(member, above)
                    for name, member in members.items()
                },
            }
            result["additionalProperties"] = False
        item = self._item(location)
        if item is not None:
            if single and isinstance(document.get("items"), dict) and not _OTHER_ITEMS & document.keys():
                result["items"] = self.merged(document["items"], item, above)
            else:
                result["allOf"] = [*document.get("allOf", ()), {"items": self.overlay(item, above)}]
        return result

    def overlay(self, location: Location, above: tuple[Any, ...]) -> dict[str, Any]:
        """What the closed reading alone says of a location: no type, no value."""
        if self._inert(location):
            return {}
        above = self._enter(location, above)
        result: dict[str, Any] = {}
        if not location.free_form:
            result["properties"] = {n: self.overlay(location.member(n), above) for n in sorted(location.names)}
            result["additionalProperties"] = False
        item = self._item(location)
        if item is not None:
            result["items"] = self.overlay(item, above)
        return result

    def _item(self, location: Location) -> Location | None:
        """Where every item of an array stands, unless nothing there can be refused."""
        items = [location.item(i) for i in range(location.item_boundary + 1)]
        if all(self._inert(item) for item in items):
            return None
        if len(items) > 1:
            raise _Unsuited
        return items[0]

    def _enter(self, location: Location, above: tuple[Any, ...]) -> tuple[Any, ...]:
        self._left -= 1
        # Names that are declared by pattern or all at once, and places that lead back to themselves.
        if location.patterns or location.admits_any_name or location.nodes in above or self._left < 0:
            raise _Unsuited
        return (*above, location.nodes)


def _keeps_its_meaning(value: Any, *, top: bool = False) -> bool:
    """Whether subschemas may be changed in their places: nothing refers to them, or counts what they evaluated."""
    if isinstance(value, list):
        return all(_keeps_its_meaning(item) for item in value)
    if not isinstance(value, dict):
        return True
    if (
        _HERE & value.keys()
        or _UNEVALUATED & value.keys()
        or (not top and any(isinstance(value.get(name), str) for name in ("$id", "id")))
    ):
        return False
    ref = value.get("$ref")
    if ref is not None and not (isinstance(ref, str) and ref.startswith(_DEFINITIONS)):
        return False
    return all(_keeps_its_meaning(item) for item in value.values())
