"""The walker: pairs the places of two schemas by instance location, and asks the rules about each pair.

It is the only part that goes down; no rule does. What applies at one location is read as one (`sides`), so a schema may
be taken apart and put together in other ways without a fact. A pair that says the same, references followed, is left at
once, and each pair of subschemas is looked at once, under the first path that leads to it.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import TYPE_CHECKING

from deedbox.checker.json_schema.branches import Match, match_groups, wrapped
from deedbox.checker.json_schema.facts import Fact
from deedbox.checker.json_schema.places import Options, Pair, Place
from deedbox.checker.json_schema.probes import (
    Item,
    Probe,
    Property,
    PropertyName,
    SomeItem,
    SomeProperty,
    probe_schema,
)
from deedbox.checker.json_schema.rules import CHECKS, combinators, marks, types
from deedbox.checker.json_schema.rules.arrays import walked_items
from deedbox.checker.json_schema.rules.members import closed_by, other_step
from deedbox.checker.json_schema.sameness import Sameness, same
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.sides import Side, Start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.schema import Node
    from deedbox.checker.json_schema.sides import Starts
    from deedbox.checker.model import ContentModel

__all__ = ["Fact", "Probe", "probe_schema", "walk"]

_MOST_PAIRS = 20_000
"""Pairs that one walk looks at. Only documents made to be hostile have more; the proof of the whole covers the rest."""


def walk(
    old: Schema, new: Schema, *, content_model: ContentModel = "tolerant", format_assertion: bool = False
) -> list[Fact]:
    """What the two schemas say differently, nearest to the root first.

    Args:
        old: the earlier version.
        new: the later one.
        content_model: under the closed model a reader refuses names that it does not declare: such facts are asked about
            then only.
        format_assertion: whether a `format` refuses values; otherwise it is an annotation.
    """
    options = Options(Sameness(), content_model, _anything(), format_assertion=format_assertion)
    facts: dict[tuple[str, str, str], Fact] = {}
    seen: set[tuple[frozenset[Node], frozenset[Node]]] = set()
    root = Place(None, None, old.node, new.node)
    pending: deque[tuple[Place, Starts, Starts]] = deque([(root, (Start("", old.node),), (Start("", new.node),))])
    while pending and len(seen) < _MOST_PAIRS:
        place, ours, theirs = pending.popleft()
        if _alike(ours, theirs, options.sameness):
            continue
        at = Pair(place, Side(ours), Side(theirs), options)
        # By what is said there, not by where the walk came in: a reference to a pair that was seen says nothing new.
        key = (at.old.content, at.new.content)
        if key in seen:
            continue
        below: list[tuple[Place, Starts, Starts]] = []
        for fact in (*(marks.dialect(at) if not seen else ()), *_facts(at, below)):
            facts.setdefault((fact.rule.id, fact.side, fact.pointer), fact)
        seen.add(key)
        pending += below
    return list(facts.values())


@cache
def _anything() -> Node:
    from deedbox.checker.documents import Document

    return Schema(Document(True, "anything")).node


def _alike(old: Starts, new: Starts, sameness: Sameness) -> bool:
    return len(old) == len(new) and all(
        sameness.holds(a.node, b.node) for a, b in zip(old, new, strict=True)
    )  # fmt: skip


def _facts(at: Pair, below: list[tuple[Place, Starts, Starts]]) -> Iterator[Fact]:
    """The facts about one pair; the pairs to look at next go into `below`."""
    if at.old.never is not None or at.new.never is not None:
        yield from types.falsehood(at)
        return
    wrap = _wrap(at)
    if wrap is not None:
        below += [(at.place, ours, theirs) for ours, theirs in wrap.pairs]
        yield from combinators.alternatives(at, wrap)
        return
    changed = _changed(at)
    if changed:
        for check, keywords in CHECKS:
            if not keywords.isdisjoint(changed):
                yield from check(at)
    if at.old.groups or at.new.groups:
        for match in match_groups(at.old.groups, at.new.groups):
            below += [(at.place, ours, theirs) for ours, theirs in match.pairs]
            if "anyOf" in changed or "oneOf" in changed:
                yield from combinators.alternatives(at, match)
    below += _consequences(at)
    below += _children(at)


def _changed(at: Pair) -> set[str]:
    """The keywords whose values differ; where the drafts do, every one, since it may mean something else."""
    old, new = at.old.by, at.new.by
    keywords = {**old, **new}
    if at.old.starts and at.new.starts and at.old.starts[0].node.dialect is not at.new.starts[0].node.dialect:
        return set(keywords)
    changed = set()
    for keyword in keywords:
        ours, theirs = old.get(keyword, ()), new.get(keyword, ())
        if len(ours) != len(theirs) or not all(same(a, b) for (_, a), (_, b) in zip(ours, theirs, strict=True)):
            changed.add(keyword)
        elif keyword in ("not", "if", "contains", "anyOf", "oneOf") and at.options.sameness.follows:
            changed.add(keyword)  # the text is the same: what it refers to may not be
    return changed


def _wrap(at: Pair) -> Match | None:
    """Where a whole subschema became one branch of an `anyOf` or `oneOf`, or the reverse: how."""
    old, new = at.old, at.new
    if new.group_only is not None and not old.groups and old.starts:
        found = wrapped(old, new.group_only, at.options.sameness)
        if found is not None:
            return Match(None, new.group_only, pairs=[(old.starts, (found[0],))], come=found[1])
    elif old.group_only is not None and not new.groups and new.starts:
        found = wrapped(new, old.group_only, at.options.sameness)
        if found is not None:
            return Match(old.group_only, None, pairs=[((found[0],), new.starts)], gone=found[1])
    return None


def _consequences(at: Pair) -> Iterator[tuple[Place, Starts, Starts]]:
    """Pairs that judge the same value under a condition that both sides put: then, else, dependent schemas."""
    if "if" in at.old.by and "if" in at.new.by:
        left = [part for part, _ in at.new.by["if"]]
        for theirs, _ in at.old.by["if"]:
            for ours in left:
                if at.options.sameness.holds(theirs.node.child("if"), ours.node.child("if")):
                    left.remove(ours)
                    for keyword in ("then", "else"):
                        old = (theirs.start.below(keyword),) if keyword in theirs.keywords else ()
                        new = (ours.start.below(keyword),) if keyword in ours.keywords else ()
                        yield at.place, old, new
                    break
    before, after = combinators.dependent_starts(at.old), combinators.dependent_starts(at.new)
    for name in before.keys() & after.keys():
        yield at.place, (before[name],), (after[name],)


def _children(at: Pair) -> Iterator[tuple[Place, Starts, Starts]]:
    """Pairs one step below."""
    shared = at.shared_types
    old, new = at.old, at.new
    if "object" in shared:
        if old.properties or new.properties:
            unpaired = {*at.gone, *at.come} if old.properties.keys() != new.properties.keys() else set()
            for name in {**new.properties, **old.properties}:
                if name not in unpaired:
                    yield at.place.child(Property(name)), old.member(name), new.member(name)
        for pattern in new.patterns.keys() & old.patterns.keys():
            step = SomeProperty(pattern)
            yield at.place.child(step), tuple(old.patterns[pattern]), tuple(new.patterns[pattern])
        for keyword in ("additionalProperties", "unevaluatedProperties"):
            if keyword in old.by and keyword in new.by and not (closed_by(old, keyword) or closed_by(new, keyword)):
                ours, theirs = old.of(keyword), new.of(keyword)
                if ours and theirs:
                    yield at.place.child(other_step(at)), ours, theirs
        if "propertyNames" in old.by and "propertyNames" in new.by:
            ours, theirs = old.of("propertyNames"), new.of("propertyNames")
            if ours and theirs:
                yield at.place.child(PropertyName()), ours, theirs
    if "array" in shared:
        for index in walked_items(at):
            yield at.place.child(Item(index)), old.item(index), new.item(index)
        after = max(old.prefix, new.prefix)
        ours, theirs = old.item(after), new.item(after)
        if ours and theirs and not any(start.node.value is False for start in (*ours, *theirs)):
            yield at.place.child(SomeItem(after)), ours, theirs
        ours, theirs = old.of("unevaluatedItems"), new.of("unevaluatedItems")
        if ours and theirs and not any(start.node.value is False for start in (*ours, *theirs)):
            yield at.place.child(SomeItem(after)), ours, theirs
