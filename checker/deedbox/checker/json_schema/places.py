"""Pairs of sides: what the rules are asked about, and how they state facts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from deedbox.checker.json_schema import facets
from deedbox.checker.json_schema.closing import Location
from deedbox.checker.json_schema.facts import Fact
from deedbox.checker.json_schema.portable import portable
from deedbox.checker.json_schema.probes import Item, Probe, Property, SomeItem, SomeProperty, Step
from deedbox.checker.json_schema.sides import Side, deprecated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.json_schema.sameness import Sameness
    from deedbox.checker.json_schema.schema import Node
    from deedbox.checker.json_schema.sides import Part, Start, Starts
    from deedbox.checker.model import ContentModel, Direction, Level
    from deedbox.checker.rules.rule import Rule


Probes: TypeAlias = "dict[Direction, Probe]"
"""The question of a fact for each direction in which it can break."""


class Options:
    """What the whole walk is told, and what it shares."""

    def __init__(
        self, sameness: Sameness, content_model: ContentModel, anything: Node, *, format_assertion: bool
    ) -> None:
        self.sameness, self.content_model, self.format_assertion = sameness, content_model, format_assertion
        self.anything = anything
        """The schema that accepts everything, where a probe needs a node to say so."""


class Place:
    """An instance location, and all that either document may say of it, whichever branches apply."""

    def __init__(self, parent: Place | None, step: Step | None, old: Node, new: Node) -> None:
        self.parent, self.step, self.roots = parent, step, (old, new)

    @cached_property
    def path(self) -> tuple[Step, ...]:
        """The steps from the root of a message."""
        if self.parent is None or self.step is None:
            return ()
        return (*self.parent.path, self.step)

    @cached_property
    def exact(self) -> bool:
        """Whether the steps lead to one location: not to any of those that some pattern or remainder covers."""
        return all(isinstance(step, Property | Item | SomeItem) for step in self.path)

    def child(self, step: Step) -> Place:
        """The location a step below."""
        return Place(self, step, *self.roots)

    @cached_property
    def old(self) -> Location:
        """All of the old document that may apply here."""
        return self._location(0)

    @cached_property
    def new(self) -> Location:
        """All of the new document that may apply here."""
        return self._location(1)

    def _location(self, side: Literal[0, 1]) -> Location:
        if self.parent is None or self.step is None:
            return Location([self.roots[side]])
        above = self.parent.new if side else self.parent.old
        match self.step:
            case Property(name):
                return above.member(name)
            case SomeProperty(pattern):
                return above.region(None, frozenset({pattern}) & frozenset(above.patterns))
            case Item(index):
                return above.item(index)
            case SomeItem(after):
                return above.item(max(after, above.item_boundary))
            case _:
                return above.region(None, frozenset())


class Pair:
    """The two sides of an instance location, or of paired branches at one."""

    def __init__(self, place: Place, old: Side, new: Side, options: Options) -> None:
        self.place, self.old, self.new, self.options = place, old, new, options

    @cached_property
    def old_types(self) -> frozenset[str]:
        """The disjoint types that the old side's `type` lets through."""
        return facets.declared_types(self.old)

    @cached_property
    def new_types(self) -> frozenset[str]:
        """The disjoint types that the new side's `type` lets through."""
        return facets.declared_types(self.new)

    @cached_property
    def shared_types(self) -> frozenset[str]:
        """The types that both let through: a keyword about any other says nothing new."""
        return self.old_types & self.new_types

    @cached_property
    def old_values(self) -> dict[str, Any] | None:
        """The values the old side lists, or None."""
        return facets.allowed(self.old)

    @cached_property
    def new_values(self) -> dict[str, Any] | None:
        """The values the new side lists, or None."""
        return facets.allowed(self.new)

    @property
    def listed(self) -> bool:
        """Whether both sides list their values: then the lists say all there is to say of plain values."""
        return self.old_values is not None and self.new_values is not None

    @cached_property
    def gone(self) -> list[str]:
        """Properties that only the old document names here, in whatever branch."""
        return [
            name
            for name, starts in self.old.properties.items()
            if name not in self.new.properties and _declares(starts) and not self._known(self.new, self.place.new, name)
        ]

    @cached_property
    def come(self) -> list[str]:
        """Properties that only the new document names here."""
        return [
            name
            for name, starts in self.new.properties.items()
            if name not in self.old.properties and _declares(starts) and not self._known(self.old, self.place.old, name)
        ]

    @cached_property
    def obsolete(self) -> frozenset[str]:
        """Those that are gone and had been marked obsolete."""
        return frozenset(name for name in self.gone if deprecated(self.old.properties[name]))

    @staticmethod
    def _known(side: Side, location: Location, name: str) -> bool:
        return name in location.names or side.matches(name)

    def unsent(self, name: str, writer: Location) -> bool:
        """Whether the writer, read closed, can put nothing under a name here: no message can show what it means."""
        return self.options.content_model != "open" and self.place.exact and not writer.declares(name)

    def probe(
        self,
        fragment: dict[str, Any] | bool | None,
        *steps: Step,
        writer: Node | None = None,
        reader: Node | None = None,
    ) -> Probe:
        """A question about values here, or at the end of further steps.

        Args:
            fragment: which values; None asks the two nodes.
            steps: from here on.
            writer: the writer's subschema; anything where None.
            reader: the reader's; needed where there is no fragment.
        """
        path = self.place.path + steps
        if fragment is not None:
            return Probe(path, fragment)
        if reader is None:  # nothing narrower can be said than "some value there"
            return Probe(path, True)
        return Probe(path, None, writer or self.options.anything, reader)

    def refused_by(self, reader: Starts, *steps: Step, writer: Starts = ()) -> Probe:
        """The values that the reader's subschemas refuse (of those that the writer's accept)."""
        refusing = portable(*(start.node for start in reader))
        fragment: dict[str, Any] | None = None if refusing is None else {"not": refusing}
        if fragment is not None and writer:
            accepting = portable(*(start.node for start in writer))
            fragment = None if accepting is None else {"allOf": [accepting, fragment]}
        return self.probe(fragment, *steps, writer=writer[0].node if writer else None, reader=reader[0].node)

    def fact(
        self,
        rule: Rule,
        message: str,
        *,
        old: Part | Start | None = None,
        new: Part | Start | None = None,
        side: Literal["old", "new"] = "new",
        alone: bool = False,
        level: Level | None = None,
        probes: Mapping[Direction, Probe] | None = None,
    ) -> Fact:
        """A fact about the two subschemas given, or about the main parts of the two sides.

        Args:
            rule: which.
            message: one sentence with the values.
            old: the old subschema.
            new: the new one.
            side: whose place is named; where only one side has a subschema, that one's.
            alone: the subschema stands on one side only, with nothing on the other that it was or became.
            level: where no proof decides it.
            probes: by direction.
        """
        if not alone:
            old, new = old or self.old.main, new or self.new.main
        if new is None or old is None:
            side = "old" if new is None else "new"
        named = new if side == "new" else old
        assert named is not None, "a fact needs a place"
        return Fact(
            rule,
            named.pointer,
            named.node.pointer,
            side,
            message,
            None if old is None else old.node.value,
            None if new is None else new.node.value,
            probes or {},
            level,
        )


def _declares(starts: list[Start]) -> bool:
    """Whether the subschemas name a property for use: `false` forbids it."""
    return all(start.node.value is not False for start in starts)
