"""Which branch of the old document became which of the new one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema import facets
from deedbox.checker.json_schema.sameness import text_key
from deedbox.checker.json_schema.sides import Group, Side, Starts

if TYPE_CHECKING:
    from deedbox.checker.json_schema.sameness import Sameness
    from deedbox.checker.json_schema.sides import Start

_PAIRINGS = 2_500
"""Pairs of unlike branches that are looked at; past it only those of one reference or title are paired."""


@dataclass(slots=True)
class Match:
    """A group of branches on one side or both, with its branches paired.

    Where a whole subschema became one branch of a new group (or the reverse), the side without a group is None, and one
    pair has all that it says.
    """

    old: Group | None
    new: Group | None
    pairs: list[tuple[Starts, Starts]] = field(default_factory=list)
    gone: list[Start] = field(default_factory=list)
    come: list[Start] = field(default_factory=list)


class _Look:
    """By what a branch is known: its reference or title, its tags, its types and names."""

    def __init__(self, starts: Starts) -> None:
        self.side = Side(starts)
        value = starts[0].node.value if starts else {}
        held = value if isinstance(value, dict) else {}
        self.reference, self.title = held.get("$ref"), held.get("title")

    @cached_property
    def values(self) -> frozenset[str] | None:
        """The values it lists, by key."""
        values = facets.allowed(self.side)
        return None if values is None else frozenset(values)

    @cached_property
    def types(self) -> frozenset[str]:
        """The types it lets through."""
        values = facets.allowed(self.side)
        if values is not None and "type" not in self.side.by:
            return frozenset(map(facets.atom_of, values.values()))
        return facets.declared_types(self.side)

    @cached_property
    def tags(self) -> dict[str, frozenset[str]]:
        """The properties that must have one of a few values: what tells the branches of a union apart."""
        found = {}
        for name, starts in self.side.properties.items():
            values = facets.allowed(Side(tuple(starts)))
            if values is not None:
                found[name] = frozenset(values)
        return found


def pair_branches(old: Starts, new: Starts) -> Match:
    """Pairs branches: equal ones first, then by reference, title, tags, types and names, the most alike first."""
    match = Match(None, None)
    known: dict[str, list[Start]] = {}
    for start in new:
        known.setdefault(text_key(start.node.value), []).append(start)
    left_old, taken = [], set()
    for start in old:
        equal = known.get(text_key(start.node.value))
        if equal:
            other = equal.pop(0)
            taken.add(other)
            match.pairs.append(((start,), (other,)))
        else:
            left_old.append(start)
    left_new = [start for start in new if start not in taken]
    ours = [(start, _Look((start,))) for start in left_old]
    theirs = [(start, _Look((start,))) for start in left_new]
    few = len(ours) * len(theirs) <= _PAIRINGS
    scored = []
    for i, (_, a) in enumerate(ours):
        for j, (_, b) in enumerate(theirs):
            if few or (a.reference, a.title) == (b.reference, b.title) != (None, None):
                score = _likeness(a, b)
                if score > 0:
                    scored.append((-score, abs(i - j), i, j))
    used_old, used_new = set[int](), set[int]()
    for _, _, i, j in sorted(scored):
        if i not in used_old and j not in used_new:
            used_old.add(i)
            used_new.add(j)
            match.pairs.append(((ours[i][0],), (theirs[j][0],)))
    match.gone = [start for i, (start, _) in enumerate(ours) if i not in used_old]
    match.come = [start for j, (start, _) in enumerate(theirs) if j not in used_new]
    return match


def wrapped(whole: Side, group: Group, sameness: Sameness) -> tuple[Start, list[Start]] | None:
    """The branch of a group that a whole side became, and the other branches; None where there is none."""
    look = _Look(whole.starts)
    best: tuple[float, Start] | None = None
    for member in group.members:
        if len(whole.starts) == 1 and sameness.holds(whole.starts[0].node, member.node):
            score = 100.0
        else:
            score = _likeness(look, _Look((member,)))
        if score > 0 and (best is None or score > best[0]):
            best = (score, member)
    if best is None:
        return None
    return best[1], [member for member in group.members if member != best[1]]


def _likeness(a: _Look, b: _Look) -> float:
    """How sure it is that two branches are one and the same; 0 where they are not."""
    if not (a.types & b.types):
        return 0
    for name in a.tags.keys() & b.tags.keys():
        if not (a.tags[name] & b.tags[name]):
            return 0
    if a.values is not None and b.values is not None and not (a.values & b.values):
        return 0
    score = 1.0
    named = a.reference is not None and a.reference == b.reference
    titled = a.title is not None and a.title == b.title
    names, others = a.side.properties.keys(), b.side.properties.keys()
    if (names and "object" not in b.types) or (others and "object" not in a.types):
        return 0
    if names and others and not (names & others) and not named and not titled:
        return 0
    if bool(names) != bool(others) and not named and not titled and facets.ATOMS not in (a.types, b.types):
        score -= 0.5
    score += 8 * named + 4 * titled + 4 * sum(a.tags[n] == b.tags[n] for n in a.tags.keys() & b.tags.keys())
    if names or others:
        score += 3 * len(names & others) / len(names | others)
    return score + (a.types == b.types)


def match_groups(old: list[Group], new: list[Group]) -> list[Match]:
    """Pairs the groups of two sides: those with equal branches first, then those of one keyword, then the rest in order."""
    left_old, left_new = list(old), list(new)
    matches: list[Match] = []

    def take(a: Group, b: Group) -> None:
        left_old.remove(a)
        left_new.remove(b)
        match = pair_branches(a.members, b.members)
        match.old, match.new = a, b
        matches.append(match)

    if len(old) > 1 or len(new) > 1:
        for a in old:
            texts = _texts(a)
            for b in left_new:
                if texts == _texts(b):
                    take(a, b)
                    break
        for a in list(left_old):
            for b in left_new:
                if a.keyword == b.keyword:
                    take(a, b)
                    break
    while left_old and left_new:
        take(left_old[0], left_new[0])
    matches += [Match(group, None, gone=list(group.members)) for group in left_old]
    matches += [Match(None, group, come=list(group.members)) for group in left_new]
    return matches


def _texts(group: Group) -> tuple[str, list[Any]]:
    return group.keyword, sorted(text_key(member.node.value) for member in group.members)
