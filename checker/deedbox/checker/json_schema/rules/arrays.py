"""Rules about the items of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.portable import portable
from deedbox.checker.json_schema.probes import Item, SomeItem
from deedbox.checker.json_schema.rules.definition import inclusion, rest_rules
from deedbox.checker.json_schema.rules.members import closed_by
from deedbox.checker.json_schema.sides import refuses_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair, Probes
    from deedbox.checker.json_schema.sides import Part, Side

_CORE = "JSON Schema 2020-12 core "
_CONTAINS = _CORE + "§10.3.1.3 (contains)"
_COUNTS = "JSON Schema 2020-12 validation §6.4.4, §6.4.5 (maxContains, minContains)"

ITEMS = rest_rules(
    "items", "Items that no other keyword describes", _CORE + "§10.3.1.2 (items; up to 2019-09 also additionalItems)"
)
UNEVALUATED = rest_rules("unevaluated-items", "Items that nothing else evaluates", _CORE + "§11.2 (unevaluatedItems)")
PREFIX_ADDED = inclusion(
    "prefix-item-added",
    "An item at a fixed position has a schema now.",
    "Items there that do not fit are refused; readers on the old version may refuse the position itself.",
    _CORE + "§10.3.1.1 (prefixItems; up to 2019-09 an array of items)",
    mirror="prefix-item-removed",
)
PREFIX_REMOVED = inclusion(
    "prefix-item-removed",
    "An item at a fixed position has no schema of its own any more.",
    "Readers on the old version refuse items there that do not fit theirs; where the rest is closed, the position is "
    "refused.",
    _CORE + "§10.3.1.1 (prefixItems; up to 2019-09 an array of items)",
    mirror="prefix-item-added",
)
UNIQUE_ADDED = inclusion(
    "unique-items-added",
    "The items of an array must all differ now.",
    "Arrays in which a value stands twice are refused.",
    "JSON Schema 2020-12 validation §6.4.3 (uniqueItems)",
    mirror="unique-items-removed",
)
UNIQUE_REMOVED = inclusion(
    "unique-items-removed",
    "The items of an array need no longer differ.",
    "Readers on the old version refuse arrays in which a value stands twice.",
    "JSON Schema 2020-12 validation §6.4.3 (uniqueItems)",
    mirror="unique-items-added",
)
CONTAINS_ADDED = inclusion(
    "contains-added",
    "An array must contain certain items, which it need not before.",
    "Arrays without them are refused.",
    _CONTAINS,
    mirror="contains-removed",
)
CONTAINS_REMOVED = inclusion(
    "contains-removed",
    "An array need no longer contain certain items.",
    "Readers on the old version refuse arrays without them.",
    _CONTAINS,
    mirror="contains-added",
)
CONTAINS_CHANGED = inclusion(
    "contains-changed",
    "An array must contain other items than before.",
    "Arrays that contain only the old kind are refused by the one side, those with only the new kind by the other.",
    _CONTAINS,
    mirror="contains-changed",
)
MIN_CONTAINS_RAISED = inclusion(
    "min-contains-raised",
    "More of the items that an array contains must be of a kind.",
    "Arrays with fewer of them are refused.",
    _COUNTS,
    mirror="min-contains-lowered",
)
MIN_CONTAINS_LOWERED = inclusion(
    "min-contains-lowered",
    "Fewer of the items that an array contains must be of a kind.",
    "Readers on the old version refuse arrays with so few of them.",
    _COUNTS,
    mirror="min-contains-raised",
)
MAX_CONTAINS_LOWERED = inclusion(
    "max-contains-lowered",
    "Fewer of the items that an array contains may be of a kind.",
    "Arrays with more of them are refused.",
    _COUNTS,
    mirror="max-contains-raised",
)
MAX_CONTAINS_RAISED = inclusion(
    "max-contains-raised",
    "More of the items that an array contains may be of a kind.",
    "Readers on the old version refuse arrays with so many of them.",
    _COUNTS,
    mirror="max-contains-lowered",
)
RULES = (
    *ITEMS, *UNEVALUATED, PREFIX_ADDED, PREFIX_REMOVED, UNIQUE_ADDED, UNIQUE_REMOVED, CONTAINS_ADDED, CONTAINS_REMOVED,
    CONTAINS_CHANGED, MIN_CONTAINS_RAISED, MIN_CONTAINS_LOWERED, MAX_CONTAINS_LOWERED, MAX_CONTAINS_RAISED,
)  # fmt: skip


def _rest_is(side: Side, index: int) -> str:
    """What a side says of an item it has no subschema of its own for: closed, a schema, or open."""
    starts = side.item(index)
    if any(start.node.value is False for start in starts) or (
        not starts and closed_by(side, "unevaluatedItems") is not None
    ):
        return "closed"
    return "schema" if starts else "open"


def walked_items(at: Pair) -> list[int]:
    """Leading items that the walker is to compare: both sides have a schema for them."""
    return [
        index
        for index in range(max(at.old.prefix, at.new.prefix))
        if (at.old.named_item(index) or _rest_is(at.old, index) == "schema")
        and (at.new.named_item(index) or _rest_is(at.new, index) == "schema")
    ]


def prefix_items(at: Pair) -> Iterator[Fact]:
    """States which leading items only one side describes."""
    if "array" not in at.shared_types:
        return
    for index in range(max(at.old.prefix, at.new.prefix)):
        named_old, named_new = at.old.named_item(index), at.new.named_item(index)
        starts = (at.new if named_new else at.old).item(index)
        nothing = all(refuses_nothing(start.node.value) for start in starts)
        if nothing and _rest_is(at.old if named_new else at.new, index) == "open":
            continue
        if named_new and not named_old and _rest_is(at.old, index) != "schema":
            probes: Probes = {"backward": at.refused_by(starts, Item(index))}
            if _rest_is(at.old, index) == "closed":
                probes["forward"] = at.probe(True, Item(index))
            yield at.fact(PREFIX_ADDED, f"item {index} has a schema now", new=starts[0], alone=True, probes=probes)
        elif named_old and not named_new and _rest_is(at.new, index) != "schema":
            probes = {"forward": at.refused_by(starts, Item(index))}
            if _rest_is(at.new, index) == "closed":
                probes["backward"] = at.probe(True, Item(index))
            yield at.fact(
                PREFIX_REMOVED,
                f"item {index} has no schema of its own any more",
                old=starts[0],
                alone=True,
                probes=probes,
            )


def other_items(at: Pair) -> Iterator[Fact]:
    """Compares what becomes of the items after those with a schema of their own."""
    if "array" not in at.shared_types:
        return
    after = max(at.old.prefix, at.new.prefix)
    old, new = _rest_is(at.old, after), _rest_is(at.new, after)
    step = SomeItem(after)
    rest = {"old": at.old.item(after), "new": at.new.item(after)}
    if "closed" in (old, new):
        if old == new:
            return
        closing = new == "closed"
        rules = ITEMS if rest["new" if closing else "old"] else UNEVALUATED
        keywords = ("items", "additionalItems", "unevaluatedItems")
        yield at.fact(
            rules[0 if closing else 1],
            f"items from {after} on {'are refused now' if closing else 'are no longer refused'}",
            old=at.old.holder(*keywords), new=at.new.holder(*keywords),
            probes={"backward" if closing else "forward": at.probe(True, step)},
        )  # fmt: skip
        return
    unevaluated = {"old": at.old.of("unevaluatedItems"), "new": at.new.of("unevaluatedItems")}
    for rules, held in ((ITEMS, rest), (UNEVALUATED, unevaluated)):
        before, now = held["old"], held["new"]
        if now and not before:
            yield at.fact(
                rules[2], f"items from {after} on have a schema now", new=now[0], alone=True,
                probes={"backward": at.refused_by(now, step)},
            )  # fmt: skip
        elif before and not now:
            yield at.fact(
                rules[3], f"items from {after} on have no schema any more", old=before[0], alone=True,
                probes={"forward": at.refused_by(before, step)},
            )  # fmt: skip


def uniqueness(at: Pair) -> Iterator[Fact]:
    """Compares whether items must differ."""
    if "array" not in at.shared_types:
        return
    old, new = any(at.old.values("uniqueItems")), any(at.new.values("uniqueItems"))
    if old == new:
        return
    probe = at.probe({"type": "array", "not": {"uniqueItems": True}})
    where: dict[str, Any] = {"old": at.old.holder("uniqueItems"), "new": at.new.holder("uniqueItems")}
    if new:
        yield at.fact(UNIQUE_ADDED, "the items must all differ now", **where, probes={"backward": probe})
    else:
        yield at.fact(UNIQUE_REMOVED, "the items need no longer differ", **where, probes={"forward": probe})


class _Contains:
    """A `contains` with its counts."""

    def __init__(self, part: Part) -> None:
        counted = "minContains" in part.node.dialect.assertions
        self.part, self.start = part, part.start.below("contains")
        self.least: int = part.keywords.get("minContains", 1) if counted else 1
        self.most: int | None = part.keywords.get("maxContains") if counted else None

    def failing(self) -> dict[str, Any] | None:
        """The arrays that do not fulfil it; None where it cannot be written out."""
        too_few, too_many = self.fewer(self.least), None if self.most is None else self.more(self.most)
        return too_few if too_few is None or too_many is None else {"anyOf": [too_few, too_many]}

    def fewer(self, least: int) -> dict[str, Any] | None:
        """The arrays with fewer than `least` items of the kind; None where it cannot be written out."""
        kind = portable(self.start.node)
        if kind is None:
            return None
        if least == 0:
            return {"not": {}}
        return {"type": "array", "contains": kind, "minContains": 0, "maxContains": least - 1}

    def more(self, most: int) -> dict[str, Any] | None:
        """The arrays with more than `most` items of the kind; None where it cannot be written out."""
        kind = portable(self.start.node)
        return None if kind is None else {"type": "array", "contains": kind, "minContains": most + 1}


def containment(at: Pair) -> Iterator[Fact]:
    """Compares what arrays must contain, one `contains` with one of the other side's."""
    if "array" not in at.shared_types:
        return
    same = at.options.sameness.holds
    old = [_Contains(part) for part, _ in at.old.by.get("contains", ())]
    new = [_Contains(part) for part, _ in at.new.by.get("contains", ())]
    for theirs in list(old):
        for ours in new:
            if same(theirs.start.node, ours.start.node):
                yield from _counts(at, theirs, ours)
                old.remove(theirs)
                new.remove(ours)
                break
    for theirs, ours in zip(old, new, strict=False):
        yield at.fact(
            CONTAINS_CHANGED, "what the array must contain is another", old=theirs.start, new=ours.start,
            probes={
                "backward": at.probe(ours.failing(), writer=theirs.part.node, reader=ours.part.node),
                "forward": at.probe(theirs.failing(), writer=ours.part.node, reader=theirs.part.node),
            },
        )  # fmt: skip
    for ours in new[len(old) :]:
        yield at.fact(
            CONTAINS_ADDED, "the array must contain certain items now", new=ours.start, alone=True,
            probes={"backward": at.probe(ours.failing(), reader=ours.part.node)},
        )  # fmt: skip
    for theirs in old[len(new) :]:
        yield at.fact(
            CONTAINS_REMOVED, "the array need no longer contain certain items", old=theirs.start, alone=True,
            probes={"forward": at.probe(theirs.failing(), reader=theirs.part.node)},
        )  # fmt: skip


def _counts(at: Pair, old: _Contains, new: _Contains) -> Iterator[Fact]:
    where: dict[str, Any] = {"old": old.start, "new": new.start}
    if old.least != new.least:
        raised = new.least > old.least
        ours, theirs = (new, old) if raised else (old, new)
        probe = at.probe(ours.fewer(ours.least), writer=theirs.part.node, reader=ours.part.node)
        message = f"the array had to contain at least {old.least} and has to contain at least {new.least}"
        if raised:
            yield at.fact(MIN_CONTAINS_RAISED, message, **where, probes={"backward": probe})
        else:
            yield at.fact(MIN_CONTAINS_LOWERED, message, **where, probes={"forward": probe})
    if old.most != new.most:
        lowered = new.most is not None and (old.most is None or new.most < old.most)
        ours, theirs = (new, old) if lowered else (old, new)
        assert ours.most is not None
        probe = at.probe(ours.more(ours.most), writer=theirs.part.node, reader=ours.part.node)
        before, now = ("any number" if most is None else f"at most {most}" for most in (old.most, new.most))
        message = f"the array could contain {before} and can contain {now}"
        if lowered:
            yield at.fact(MAX_CONTAINS_LOWERED, message, **where, probes={"backward": probe})
        else:
            yield at.fact(MAX_CONTAINS_RAISED, message, **where, probes={"forward": probe})
