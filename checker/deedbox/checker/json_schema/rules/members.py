"""Rules about the properties that are not named: patterns, the rest, names, and closing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.probes import PropertyName, SomeOtherProperty, SomeProperty
from deedbox.checker.json_schema.rules.definition import inclusion, rest_rules, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair, Probes
    from deedbox.checker.json_schema.sides import Side

_CORE = "JSON Schema 2020-12 core "


ADDITIONAL = rest_rules(
    "additional-properties", "Properties that no other keyword describes", _CORE + "§10.3.2.3 (additionalProperties)"
)
UNEVALUATED = rest_rules(
    "unevaluated-properties", "Properties that nothing else evaluates", _CORE + "§11.3 (unevaluatedProperties)"
)
PATTERN_ADDED = inclusion(
    "pattern-property-added",
    "Properties whose names match a pattern have a schema now.",
    "Values under such names are refused where they do not fit.",
    _CORE + "§10.3.2.2 (patternProperties)",
    mirror="pattern-property-removed",
)
PATTERN_REMOVED = inclusion(
    "pattern-property-removed",
    "Properties whose names match a pattern have no schema of their own any more.",
    "Readers on the old version refuse values that do not fit theirs; where the rest is closed, such names are refused.",
    _CORE + "§10.3.2.2 (patternProperties)",
    mirror="pattern-property-added",
)
NAMES_ADDED = inclusion(
    "property-names-added",
    "The names of properties are restricted, where they were free.",
    "Messages with any other name are refused.",
    _CORE + "§10.3.2.4 (propertyNames)",
    mirror="property-names-removed",
)
NAMES_REMOVED = inclusion(
    "property-names-removed",
    "The names of properties are free, where they were restricted.",
    "Readers on the old version refuse messages with other names.",
    _CORE + "§10.3.2.4 (propertyNames)",
    mirror="property-names-added",
)
RULES = (*ADDITIONAL, *UNEVALUATED, PATTERN_ADDED, PATTERN_REMOVED, NAMES_ADDED, NAMES_REMOVED)


def other_step(at: Pair) -> SomeOtherProperty:
    """The step to a property that neither side names or matches."""
    return SomeOtherProperty(
        tuple(sorted(at.old.properties.keys() | at.new.properties.keys())),
        tuple(sorted(at.old.patterns.keys() | at.new.patterns.keys())),
    )


def closed_by(side: Side, *keywords: str) -> str | None:
    """The first of the keywords that some part sets to false."""
    for keyword in keywords:
        if any(held is False for held in side.values(keyword)):
            return keyword
    return None


def other_properties(at: Pair) -> Iterator[Fact]:
    """Compares what becomes of the properties that nothing describes."""
    if "object" not in at.shared_types:
        return
    keywords = ("additionalProperties", "unevaluatedProperties")
    rules = dict(zip(keywords, (ADDITIONAL, UNEVALUATED), strict=True))
    old, new = closed_by(at.old, *keywords), closed_by(at.new, *keywords)
    step = other_step(at)
    if new is not None or old is not None:
        if new is None or old is None:
            keyword = new or old
            assert keyword is not None
            closing = new is not None
            where: dict[str, Any] = {"old": at.old.holder(*keywords), "new": at.new.holder(*keywords)}
            yield at.fact(
                rules[keyword][0 if closing else 1],
                f"other properties {'are refused now' if closing else 'are no longer refused'}",
                probes={"backward" if closing else "forward": at.probe(True, step)},
                **where,
            )
        return
    for keyword in keywords:
        before, after = at.old.of(keyword), at.new.of(keyword)
        if bool(before) == bool(after):
            continue
        if after:
            yield at.fact(
                rules[keyword][2], "other properties have a schema now", new=after[0], alone=True,
                probes={"backward": at.refused_by(after, step)},
            )  # fmt: skip
        else:
            yield at.fact(
                rules[keyword][3], "other properties have no schema any more", old=before[0], alone=True,
                probes={"forward": at.refused_by(before, step)},
            )  # fmt: skip


def pattern_properties(at: Pair) -> Iterator[Fact]:
    """States which patterns of names have come and gone."""
    if "object" not in at.shared_types:
        return
    for pattern, starts in at.new.patterns.items():
        if pattern not in at.old.patterns:
            step = SomeProperty(pattern)
            probes: Probes = {"backward": at.refused_by(tuple(starts), step)}
            if closed_by(at.old, "additionalProperties", "unevaluatedProperties"):
                probes["forward"] = at.probe(True, step)
            yield at.fact(
                PATTERN_ADDED,
                f"properties that match {shown(pattern)} have a schema now",
                new=starts[0],
                alone=True,
                probes=probes,
            )
    for pattern, starts in at.old.patterns.items():
        if pattern not in at.new.patterns:
            step = SomeProperty(pattern)
            probes = {"forward": at.refused_by(tuple(starts), step)}
            if closed_by(at.new, "additionalProperties", "unevaluatedProperties"):
                probes["backward"] = at.probe(True, step)
            yield at.fact(
                PATTERN_REMOVED, f"properties that match {shown(pattern)} have no schema of their own any more",
                old=starts[0], alone=True, probes=probes,
            )  # fmt: skip


def property_names(at: Pair) -> Iterator[Fact]:
    """States that names are restricted on one side only; where on both, the walker compares the two."""
    if "object" not in at.shared_types:
        return
    old, new = at.old.of("propertyNames"), at.new.of("propertyNames")
    if new and not old:
        yield at.fact(
            NAMES_ADDED, "the names of properties are restricted now", new=new[0], alone=True,
            probes={"backward": at.refused_by(new, PropertyName())},
        )  # fmt: skip
    elif old and not new:
        yield at.fact(
            NAMES_REMOVED, "the names of properties are not restricted any more", old=old[0], alone=True,
            probes={"forward": at.refused_by(old, PropertyName())},
        )  # fmt: skip
