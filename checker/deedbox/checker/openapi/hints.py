"""Compares what stands beside schemas: discriminators and XML. No instance is refused by them, so the rules here say what they mean."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from deedbox.checker import pointers
from deedbox.checker.apis.cursor import Cursor, target_of
from deedbox.checker.apis.findings import ADDS, LOSES
from deedbox.checker.apis.samples import dressed, sample
from deedbox.checker.model import Direction, Witness
from deedbox.checker.openapi.context import both
from deedbox.checker.openapi.rules import hints as rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deedbox.checker.apis.findings import Weight
    from deedbox.checker.apis.positions import Writer
    from deedbox.checker.apis.schemas import Decider
    from deedbox.checker.apis.units import Pair, Reach
    from deedbox.checker.openapi.model import Api
    from deedbox.checker.rules.rule import Rule

_XML_DEFAULTS = {
    "name": None,
    "namespace": None,
    "prefix": None,
    "attribute": False,
    "wrapped": False,
    "nodeType": None,
}
Side = Literal["new", "old"]


class Hints:
    """The hints of every schema that changed, with the positions that it reaches.

    Args:
        decider: after it has decided.
        apis: old and new.
        same: whether two places certainly mean the same.
        tolerant: whether clients take a value that they do not know for an unknown one.
    """

    def __init__(
        self, decider: Decider, apis: tuple[Api, Api], same: Callable[[str, str], bool], *, tolerant: bool
    ) -> None:
        self.decider, self.same, self.tolerant = decider, same, tolerant
        self.components = tuple("/definitions/" if api.version[0] == 2 else "/components/schemas/" for api in apis)

    def compare(self) -> None:
        """Adds to the decider's findings."""
        for (pair, writer), reaches in self.decider.asked.items():
            for places, paths in self.decider.units.unit(pair).hinted:
                place = _Place(self.decider, places, paths, writer, reaches)
                self._discriminator(place)
                _xml(place)

    def _discriminator(self, at: _Place) -> None:
        names = [_property_name(value) for value in at.values]
        if names[0] is None and names[1] is None:
            return
        if names[0] is None or names[1] is None:
            rule = rules.DISCRIMINATOR_ADDED if names[0] is None else rules.DISCRIMINATOR_REMOVED
            message = (
                f"{names[1]} says which alternative it is"
                if names[1]
                else f"{names[0]} no longer says which alternative it is"
            )
            at.say(rule, "new" if names[1] else "old", message, {"policy": ("additive", "annotation")})
            return
        if names[0] != names[1]:
            at.say(
                rules.DISCRIMINATOR_PROPERTY, "new", f"{names[0]} said which alternative it is, and {names[1]} does now",
                {"backward": LOSES, "forward": LOSES},
                witness=partial(at.shown, 0, {names[0]: next(iter(self._mapping(at, 0)), "text")}, "the reader looks at " + names[1]),
            )  # fmt: skip
        old, new = self._mapping(at, 0), self._mapping(at, 1)
        others = tuple(_alternatives(value) for value in at.values)
        for value, target in old.items():
            if value not in new:
                if others[1] and target in others[0] and target not in others[1]:
                    continue  # the alternative itself is gone: the rules of schemas say so
                at.say(
                    rules.VALUE_REMOVED, "old", f"{names[0]} {value!r} stands for nothing any more",
                    self._weights(at.writer, removed=True), detail=value,
                    witness=partial(self._chosen, at, 0, names[0], value, target),
                )  # fmt: skip
            elif target != new[value] and not self.same(target, new[value]):
                at.say(
                    rules.VALUE_MOVED, "new",
                    f"{names[1]} {value!r} stood for {_last(target)}, and stands for {_last(new[value])}",
                    {"backward": LOSES, "forward": LOSES}, detail=value,
                    witness=partial(self._chosen, at, 0, names[0], value, target),
                )  # fmt: skip
        for value, target in new.items():
            if value not in old:
                if others[0] and target in others[1] and target not in others[0]:
                    continue
                at.say(
                    rules.VALUE_ADDED, "new", f"{names[1]} {value!r} stands for {_last(target)}",
                    self._weights(at.writer, removed=False), detail=value,
                    witness=partial(self._chosen, at, 1, names[1], value, target),
                )  # fmt: skip

    def _weights(self, writer: Writer, *, removed: bool) -> Mapping[Direction, Weight]:
        """A value that came or went means something to the side that reads it and does not know it."""
        provider_reads = writer == "client"
        unknown: Direction = "backward" if provider_reads == removed else "forward"
        if provider_reads or not self.tolerant:
            return {unknown: LOSES} if unknown == "backward" else {"backward": ADDS, unknown: LOSES}
        return {"backward": ADDS}

    def _mapping(self, at: _Place, side: int) -> dict[str, str]:
        """Each value with the place of the schema it stands for: the mapping's own, then the names of the alternatives."""
        value = at.values[side]
        held = value["discriminator"]
        given = held.get("mapping") if isinstance(held, dict) else None
        found = {}
        for name, reference in given.items() if isinstance(given, dict) else ():
            if isinstance(reference, str):
                bare = "/" not in reference and "#" not in reference
                found[name] = self.components[side] + reference if bare else target_of(reference) or reference
        targets = set(found.values())
        for target in _alternatives(value):
            if target not in targets:
                found.setdefault(_last(target), target)
        return found

    def _chosen(self, at: _Place, side: int, name: str, value: str, target: str) -> Witness:
        document = self.decider.documents[side]
        try:
            kind = sample(Cursor(document, pointers.get(document.value, target), target, target))
        except (LookupError, ValueError):
            kind = {}
        whole = (kind if isinstance(kind, dict) else {}) | {name: value}
        return at.shown(
            side, whole, f"the other side reads {name} {value!r} as something else, or as nothing that it knows"
        )


class _Place:
    """A place of both documents in question, with all the positions that it reaches."""

    def __init__(self, decider: Decider, places: Pair, paths: Pair, writer: Writer, reaches: list[Reach]) -> None:
        self.decider, self.places, self.paths, self.writer, self.reaches = decider, places, paths, writer, reaches
        self.values: tuple[dict[str, Any], dict[str, Any]] = (
            pointers.get(decider.documents[0].value, places[0]), pointers.get(decider.documents[1].value, places[1]),
        )  # fmt: skip

    def say(
        self, rule: Rule, side: Side, message: str, weights: Mapping[Direction, Weight], *,
        witness: Callable[[], Witness] | None = None, detail: str = "", reaches: list[Reach] | None = None,
    ) -> None:  # fmt: skip
        """States a fact about the place, for every position."""
        first, at = self.reaches[0], 1 if side == "new" else 0
        position = first.position.new if side == "new" else first.position.old
        path = first.then(self.paths)[at]
        pointer = position.pointer + path
        place = Cursor(self.decider.documents[at], self.values[at], pointer, self.places[at])
        where = f"{first.position.where}{path and ' at ' + path}: "
        for reach in self.reaches if reaches is None else reaches:
            self.decider.findings.at(
                rule, place, side, where + message, weights, reach=reach.position.reach, detail=detail,
                old=self.values[0], new=self.values[1], witness=witness,
            )  # fmt: skip

    def shown(self, side: int, value: Any, why: str, reach: Reach | None = None) -> Witness:
        """A whole message with a value at the place."""
        reach = reach or self.reaches[0]
        document = self.decider.documents[side]
        root = (reach.position.old, reach.position.new)[side].location
        # Where the place is reached otherwise on this side, the value alone is shown.
        with suppress(LookupError, ValueError, TypeError):
            value = dressed(document.value, root, reach.then(self.paths)[side], value)
        return Witness(reach.position.embed(value), why)


def _property_name(value: dict[str, Any]) -> str | None:
    held = value.get("discriminator")
    name = held.get("propertyName") if isinstance(held, dict) else held
    return name if isinstance(name, str) else None


def _alternatives(value: dict[str, Any]) -> list[str]:
    """The places that the members of `oneOf` and `anyOf` refer to."""
    members = [m for key in ("oneOf", "anyOf") if isinstance(value.get(key), list) for m in value[key]]
    references = [m["$ref"] for m in members if isinstance(m, dict) and isinstance(m.get("$ref"), str)]
    return [target for reference in references if (target := target_of(reference)) is not None]


def _last(target: str) -> str:
    return pointers.split(target)[-1] if target.startswith("/") else target


def _xml(at: _Place) -> None:
    old, new = _written(at, 0), _written(at, 1)
    changed = [key for key in _XML_DEFAULTS if old[key] != new[key]]
    if not changed:
        return
    message = f"another {', '.join(changed)} in XML"
    in_xml = [reach for reach in at.reaches if "xml" in reach.position.media.lower()]
    if not in_xml or changed == ["prefix"]:
        at.say(rules.XML_CHANGED, "new", message, {"policy": ("patch", "annotation")})
        return
    document = at.decider.documents[0]
    value = sample(Cursor(document, at.values[0], at.places[0], at.places[0]))
    at.say(
        rules.XML_CHANGED, "new", message, both(), reaches=in_xml,
        witness=lambda: at.shown(0, value, f"its XML has another {', '.join(changed)} than the reader looks for", in_xml[0]),
    )  # fmt: skip


def _written(at: _Place, side: int) -> dict[str, Any]:
    """How a value is written in XML, with what is meant where nothing is said."""
    value, tokens = at.values[side], pointers.split(at.places[side])
    held = value.get("xml")
    found = _XML_DEFAULTS | ({k: v for k, v in held.items() if k in _XML_DEFAULTS} if isinstance(held, dict) else {})
    if found["name"] is None and len(tokens) > 1 and tokens[-2] in ("properties", "schemas", "definitions"):
        found["name"] = tokens[-1]
    if "array" not in (value.get("type"), *(value["type"] if isinstance(value.get("type"), list) else ())):
        found["wrapped"] = False
    return found
