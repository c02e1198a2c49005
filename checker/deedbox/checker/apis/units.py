"""What has to be asked: the schemas whose own text changed, each once, and the positions that each of them reaches.

A large API repeats its components everywhere. So a question stops where both sides refer to the same component at the same
place: that component is a question of its own, if it changed at all. What is composed in place (`allOf`) is not cut, since it
speaks of the same value.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deedbox.checker import pointers
from deedbox.checker.apis.cursor import target_of
from deedbox.checker.errors import TooLarge
from deedbox.checker.json_schema.sameness import same
from deedbox.checker.pointers import join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deedbox.checker.apis.positions import Position, Writer
    from deedbox.checker.documents import Document

_MEMBERS = ("properties", "patternProperties")
_GROUPS = ("anyOf", "oneOf")
_CHILDREN = ("items", "additionalProperties", "unevaluatedProperties", "additionalItems")
_MOST_INLINED = 100
"""Components that one schema may be composed of: past it neither engine follows."""
_BESIDE = frozenset({"$ref", "description", "summary", "title", "$comment", "example", "examples", "externalDocs"})
"""What may stand beside a reference without saying anything of the value."""
_REMARKS = _BESIDE - {"$ref"} | {"deprecated", "default", "readOnly", "writeOnly", "nullable", "discriminator", "xml"}
"""Keywords that restrict no value where others stand beside them."""
_MOST_IN_PLACE = 50
"""Members of unions that are looked into for what stands beside the union, at most."""
_HINTS = frozenset({"discriminator", "xml"})
"""What OpenAPI says beside a schema of how a value is told apart or written: no instance is refused by it."""

Pair = tuple[str, str]
"""Where a unit is in the old and in the new document; or how it is reached there: members of unions may have changed places."""
_HERE: Pair = ("", "")
_Way = tuple[tuple[str, ...], ...]
"""The steps to a value, and between them the members of `anyOf` and `oneOf` by which it is reached."""


@dataclass(slots=True)
class Unit:
    """A pair of schemas as far as their own text goes.

    `cuts` are the places (old, new) where the question stops; `edges` lead on: the component's pair, and the paths to it from here.
    `hinted` are the places with something that is said beside the schema, and the paths to them. `composed`: several schemas
    may speak of one value in it. `spoken` are the schemas in it that say something, by the steps to the value they speak of.
    """

    pair: Pair
    changed: bool = False
    cuts: list[Pair] = field(default_factory=list)
    edges: dict[Pair, Pair] = field(default_factory=dict)
    hinted: list[tuple[Pair, Pair]] = field(default_factory=list)
    composed: bool = False
    spoken: dict[_Way, list[tuple[_Way, Pair]]] = field(default_factory=dict)

    def spoken_over(self) -> set[Pair]:
        """Cuts at values that another schema speaks of too: what stands for a component there would be refused by it."""
        cuts = set(self.cuts)
        return {
            place
            for spoken in self.spoken.values() if len(spoken) > 1
            for way, place in spoken if place in cuts
            if any(other != place and _together(way, elsewhere) for elsewhere, other in spoken)
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """A position, and the paths from its schema's root to a unit, in the old and in the new document."""

    position: Position
    paths: Pair = _HERE

    def then(self, paths: Pair) -> Pair:
        """The paths to what is reached by others from the unit."""
        return _joined(self.paths, paths)


class Units:
    """The units of two documents.

    Args:
        documents: old and new.
        siblings: whether keywords beside a `$ref` count (2020-12), by document.
        same_place: whether two places certainly mean the same.
    """

    def __init__(
        self, documents: tuple[Document, Document], siblings: tuple[bool, bool], same_place: Callable[[str, str], bool]
    ) -> None:
        self.documents, self.siblings, self.same_place = documents, siblings, same_place
        self._known: dict[Pair, Unit] = {}

    def asked(self, positions: Iterable[Position], *, alike: bool) -> dict[tuple[Pair, Writer], list[Reach]]:
        """Every unit that changed, with all positions that it reaches; `alike`: both documents are read by the same rules."""
        found: dict[tuple[Pair, Writer], list[Reach]] = {}
        starts: dict[tuple[Pair, Writer], list[Position]] = {}
        for position in positions:
            starts.setdefault((self.roots(position), position.writer), []).append(position)
        for (start, writer), members in starts.items():
            if alike and self.same_place(*start):
                continue
            pending, seen = deque([(start, _HERE)]), {start}
            while pending:
                pair, paths = pending.popleft()
                unit = self.unit(pair)
                if unit.changed or not alike:
                    found.setdefault((pair, writer), []).extend(Reach(position, paths) for position in members)
                for target, steps in unit.edges.items():
                    if target not in seen and not (alike and self.same_place(*target)):
                        seen.add(target)
                        pending.append((target, _joined(paths, steps)))
        return found

    def unit(self, pair: Pair) -> Unit:
        """The unit of a pair of places."""
        unit = self._known.get(pair)
        if unit is None:
            whole: set[Pair] = set()
            while True:
                unit = Unit(pair)
                _Alignment(self, unit, whole).at(pair, _HERE, (), {pair})
                more = unit.spoken_over() - whole
                if not more:
                    break
                whole |= more
            unit.spoken = {}
            self._known[pair] = unit
        return unit

    def roots(self, position: Position) -> Pair:
        """Where the two schemas of a position are written."""
        return self._behind(0, position.old.location), self._behind(1, position.new.location)

    def said(self, side: int, location: str) -> bool:
        """Whether a document has a schema at a place at all."""
        return self.value(side, location) is not None

    def _behind(self, side: int, location: str) -> str:
        """Where a place leads that is nothing but a reference."""
        seen = set()
        while location not in seen:
            seen.add(location)
            value = self.value(side, location)
            target = self.reference(side, value)
            if target is None:
                return location
            location = target
        return location

    def value(self, side: int, location: str) -> Any:
        """What a document has at a place; None without it."""
        try:
            return pointers.get(self.documents[side].value, location)
        except (LookupError, ValueError):
            return None

    def reference(self, side: int, value: Any) -> str | None:
        """The target of what is a reference and nothing else."""
        if not isinstance(value, dict) or not isinstance(value.get("$ref"), str):
            return None
        if self.siblings[side] and not value.keys() <= _BESIDE:
            return None
        return target_of(value["$ref"])


class _Alignment:
    """Finds what belongs to a unit, walking both sides at once. `whole` are references that are followed and not cut."""

    def __init__(self, units: Units, unit: Unit, whole: set[Pair]) -> None:
        self.units, self.unit, self.whole = units, unit, whole

    def at(self, pair: Pair, paths: Pair, way: _Way, inlined: set[Pair]) -> None:
        """Takes in what stands at a pair of places, and speaks of the value at the end of the paths."""
        units = self.units
        if len(inlined) > _MOST_INLINED:
            raise TooLarge(
                f"a schema composed of more than {_MOST_INLINED} others by reference",
                source=units.documents[1].name, pointer=self.unit.pair[1],
                line=units.documents[1].line(self.unit.pair[1]),
            )  # fmt: skip
        old, new = units.value(0, pair[0]), units.value(1, pair[1])
        if not same(old, new):
            self.unit.changed = True
        self._below((old, new), pair, paths, way, inlined, in_place=True)

    def _below(
        self, values: tuple[Any, Any], places: Pair, paths: Pair, way: _Way, inlined: set[Pair], *, in_place: bool
    ) -> None:
        old, new = values
        if not isinstance(old, dict) or not isinstance(new, dict):
            return
        unit, units = self.unit, self.units
        if not _HINTS.isdisjoint(old) or not _HINTS.isdisjoint(new):
            unit.hinted.append((places, paths))
        if _says(old) or _says(new):
            steps = tuple(step for step in way if step[0] not in _GROUPS)
            unit.spoken.setdefault(steps, []).append((way, places))
        if isinstance(old.get("$ref"), str) and old.get("$ref") == new.get("$ref"):
            pure = units.reference(0, old) is not None and units.reference(1, new) is not None
            target = target_of(old["$ref"])
            if target is None:
                return
            if pure and not in_place and places not in self.whole:
                unit.cuts.append(places)
                unit.edges.setdefault((target, target), paths)
                return
            if way:
                unit.composed = True
            if (target, target) not in inlined:
                inlined.add((target, target))
                self.at((target, target), paths, way, inlined)
        for key in _MEMBERS:
            ours, theirs = old.get(key), new.get(key)
            if isinstance(ours, dict) and isinstance(theirs, dict):
                for name in ours.keys() & theirs.keys():
                    self._step(ours[name], theirs[name], places, paths, way, inlined, (key, name))
        for key in _CHILDREN:
            if key in old and key in new:
                self._step(old[key], new[key], places, paths, way, inlined, (key,))
        ours, theirs = old.get("allOf"), new.get("allOf")
        if isinstance(ours, list) and isinstance(theirs, list):
            unit.composed = True
            for i, j in _matched(ours, theirs):
                members = (join("", "allOf", i), join("", "allOf", j))
                below, reached = _joined(places, members), _joined(paths, members)
                self._below((ours[i], theirs[j]), below, reached, way, inlined, in_place=True)
        for key in _GROUPS:
            ours, theirs = old.get(key), new.get(key)
            if isinstance(ours, list) and isinstance(theirs, list):
                unit.composed = True
                # What stands beside a union speaks of the same value as its members.
                beside = not _alone(old, new, key) and len(inlined) + len(ours) < _MOST_IN_PLACE
                for i, j in _matched(ours, theirs):
                    members = (join("", key, i), join("", key, j))
                    below, reached = _joined(places, members), _joined(paths, members)
                    branch = (*way, (key, str(i)))
                    self._below((ours[i], theirs[j]), below, reached, branch, inlined, in_place=beside)

    def _step(
        self, old: Any, new: Any, places: Pair, paths: Pair, way: _Way, inlined: set[Pair], tokens: tuple[str, ...]
    ) -> None:
        steps = (join("", *tokens),) * 2
        self._below((old, new), _joined(places, steps), _joined(paths, steps), (*way, tokens), inlined, in_place=False)


def _joined(places: Pair, steps: Pair) -> Pair:
    return places[0] + steps[0], places[1] + steps[1]


def _says(schema: dict[str, Any]) -> bool:
    """Whether a schema restricts the value itself, beyond being a union or made of parts that are walked."""
    return any(k not in _REMARKS and k not in _GROUPS and k != "allOf" and not k.startswith("x-") for k in schema)


def _alone(old: dict[str, Any], new: dict[str, Any], union: str) -> bool:
    """Whether nothing stands beside a union but remarks, or the one type that all of its members, which are references, have."""
    beside = {k for k in (*old, *new) if k not in _REMARKS and k != union and not k.startswith("x-")}
    if beside != {"type"}:
        return not beside
    members = [*old[union], *new[union]]
    return (
        old.get("type") == new.get("type")
        and isinstance(old.get("type"), str)
        and all(isinstance(m, dict) and isinstance(m.get("$ref"), str) for m in members)
    )


def _together(one: _Way, other: _Way) -> bool:
    """Whether two schemas may speak of one value at once: not where they are in different members of one union."""
    for here, there in zip(one, other, strict=False):
        if here != there:
            return here[0] != there[0] or here[0] not in _GROUPS
    return True


def _matched(old: list[Any], new: list[Any]) -> list[tuple[int, int]]:
    """Members of two lists that refer to the same component; the rest one by one, where the lists are equally long."""
    references = {m["$ref"]: j for j, m in enumerate(new) if isinstance(m, dict) and isinstance(m.get("$ref"), str)}
    found = [
        (i, references[m["$ref"]])
        for i, m in enumerate(old)
        if isinstance(m, dict) and isinstance(m.get("$ref"), str) and m["$ref"] in references
    ]
    if len(old) == len(new):
        taken_old, taken_new = {i for i, _ in found}, {j for _, j in found}
        found += [(i, i) for i in range(len(old)) if i not in taken_old and i not in taken_new]
    return found
