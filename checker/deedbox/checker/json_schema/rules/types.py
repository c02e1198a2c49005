"""Rules about types, and about subschemas that accept nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema import facets
from deedbox.checker.json_schema.rules.definition import inclusion
from deedbox.checker.json_schema.sides import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair, Probes

_SOURCE = "JSON Schema 2020-12 validation §6.1.1 (type)"

NARROWED = inclusion(
    "type-narrowed",
    "Some types of value are no longer accepted here.",
    "Whoever still sends a value of such a type is refused. Keep the old type beside the new one until no writer uses "
    "it.",
    _SOURCE,
    mirror="type-widened",
)
WIDENED = inclusion(
    "type-widened",
    "More types of value are accepted here.",
    "Readers on the old version refuse values of the new types: update them before any writer sends one.",
    _SOURCE,
    mirror="type-narrowed",
)
CHANGED = inclusion(
    "type-changed",
    "Values here must be of other types than before.",
    "Neither side can read the other's values. Add a property of the new type under a new name, and mark the old one "
    "obsolete.",
    _SOURCE,
    mirror="type-changed",
)
BECAME_FALSE = inclusion(
    "schema-became-false",
    "Nothing at all is accepted here any more.",
    "A `false` schema refuses every value: a property with it may not be sent. Mark a property obsolete before "
    "forbidding it.",
    "JSON Schema 2020-12 core §4.3.2 (boolean schemas)",
    mirror="schema-no-longer-false",
)
NO_LONGER_FALSE = inclusion(
    "schema-no-longer-false",
    "Values are accepted where none were before.",
    "Readers on the old version still refuse every value here.",
    "JSON Schema 2020-12 core §4.3.2 (boolean schemas)",
    mirror="schema-became-false",
)
RULES = (NARROWED, WIDENED, CHANGED, BECAME_FALSE, NO_LONGER_FALSE)


def types(at: Pair) -> Iterator[Fact]:
    """Compares the types let through. What a list of values alone leaves out is the list's own fact."""
    if at.listed:
        return
    old, new = _seen(at.old, at.old_types, at.old_values), _seen(at.new, at.new_types, at.new_values)
    if not at.new.groups:
        old = _of_members(at.old, old)
    if not at.old.groups:
        new = _of_members(at.new, new)
    lost = old - (at.new_types if at.new_values is not None else new)
    gained = new - (at.old_types if at.old_values is not None else old)
    if not lost and not gained:
        return
    where: dict[str, Any] = {
        "old": at.old.holder("type", "enum", "const"),
        "new": at.new.holder("type", "enum", "const"),
    }
    probes: Probes = {}
    message = f"the type was {_named(old)} and is {_named(new)}"
    if lost:
        probes["backward"] = at.probe(facets.type_schema(lost))
    if gained:
        probes["forward"] = at.probe(facets.type_schema(gained))
    if lost and gained:
        yield at.fact(CHANGED, message, **where, probes=probes)
    elif lost:
        detail = "" if old == facets.ATOMS else f": {_named(lost)} not accepted any more"
        yield at.fact(NARROWED, message + detail, **where, probes=probes)
    else:
        detail = "" if new == facets.ATOMS else f": {_named(gained)} accepted now"
        yield at.fact(WIDENED, message + detail, **where, probes=probes)


def _seen(side: Side, declared: frozenset[str], values: dict[str, Any] | None) -> frozenset[str]:
    if values is None or "type" in side.by:
        return declared
    return frozenset(map(facets.atom_of, values.values()))


def _of_members(side: Side, atoms: frozenset[str]) -> frozenset[str]:
    """The types that the members of the side's `anyOf` and `oneOf` leave, for a side that is compared with none."""
    for group in side.groups:
        members: set[str] = set()
        for member in group.members:
            below = Side((member,))
            members |= _seen(below, facets.declared_types(below), facets.allowed(below))
        atoms &= members
    return atoms


def _named(atoms: frozenset[str]) -> str:
    if atoms == facets.ATOMS:
        return "any"
    if atoms == {"fraction"}:
        return "a number with a fraction"
    return ", ".join(facets.type_names(atoms)) or "none"


def falsehood(at: Pair) -> Iterator[Fact]:
    """Says where exactly one side accepts nothing."""
    if at.new.never is not None and at.old.never is None:
        yield at.fact(
            BECAME_FALSE, "no value is accepted here any more", new=at.new.never, probes={"backward": at.probe(True)}
        )
    elif at.old.never is not None and at.new.never is None:
        yield at.fact(
            NO_LONGER_FALSE, "values are accepted here, where none were", old=at.old.never,
            probes={"forward": at.probe(True)},
        )  # fmt: skip
