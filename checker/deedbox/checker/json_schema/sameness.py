"""When two subschemas say the same: equal text, and equal text behind every reference in it."""

from __future__ import annotations

import json
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Node, Schema

# A Decimal is written as a list, which no number can be mistaken for; it is normal already, so equal ones agree.
_encode = json.JSONEncoder(sort_keys=True, default=lambda number: ["decimal", str(number)]).encode

_Pair: TypeAlias = "tuple[Node, Node]"


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal, `true` and 1 being two things."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a) is dict or type(a) is list:
        # Equal in Python is not yet equal in JSON (True == 1). The repr tells them apart, members in one order at least.
        return bool(a == b) and (repr(a) == repr(b) or text_key(a) == text_key(b))
    return bool(a == b)


def text_key(value: Any) -> str:
    """A string that is the same for equal values only. Cheaper than a digest, and of no use outside this process."""
    return _encode(value)


class Sameness:
    """Answers for the subschemas of one pair of documents, remembered."""

    def __init__(self) -> None:
        self._known: dict[_Pair, bool] = {}
        self._references: dict[Schema, tuple[list[str], list[tuple[str, str, str]]]] = {}
        self.follows = False
        """Whether any reference was met: equal text is then not yet equal meaning."""

    def holds(self, old: Node, new: Node) -> bool:
        """Whether both say the same, references followed. False is no proof that they do not."""
        if old.dialect is not new.dialect:
            return False
        if not (old.schema.references or new.schema.references):
            return same(old.value, new.value)
        self.follows = True
        pair = (old, new)
        known = self._known.get(pair)
        if known is None:
            if not same(old.value, new.value):
                known = self._known[pair] = False
            else:
                self._settle(pair)
                known = self._known[pair]
        return known

    def _settle(self, start: _Pair) -> None:
        """Settles every pair that references lead to from here: unequal is what leads to something unequal."""
        users: dict[_Pair, list[_Pair]] = {start: []}
        unequal: list[_Pair] = []
        pending = [start]
        while pending:
            pair = pending.pop()
            known = self._known.get(pair)
            targets = None
            if known is None and same(pair[0].value, pair[1].value):
                targets = self._targets(pair)
            if known is False or (known is None and targets is None):
                unequal.append(pair)
                continue
            for target in targets or ():
                if target not in users:
                    users[target] = []
                    pending.append(target)
                users[target].append(pair)
        spoilt = set(unequal)
        while unequal:
            for user in users[unequal.pop()]:
                if user not in spoilt:
                    spoilt.add(user)
                    unequal.append(user)
        for pair in users:
            self._known[pair] = pair not in spoilt

    def _targets(self, pair: _Pair) -> list[_Pair] | None:
        """Where the references of two equal texts lead, paired; None where they are not alike."""
        found: list[_Pair] = []
        ours, theirs = self._within(pair[0]), self._within(pair[1])
        if len(ours) != len(theirs):
            return None
        for (here, keyword, reference), (there, _, _) in zip(ours, theirs, strict=True):
            old = pair[0].schema.targets(here, keyword, reference)
            new = pair[1].schema.targets(there, keyword, reference)
            if len(old) != len(new):
                return None
            found += [(a, b) for a, b in zip(old, new, strict=True) if a is not b]
        return [(a, b) for a, b in found if not (a.schema is b.schema and a.pointer == b.pointer)]

    def _within(self, node: Node) -> list[tuple[str, str, str]]:
        """The references at or below a place, by pointer."""
        if node.schema not in self._references:
            ordered = sorted(node.schema.references)
            self._references[node.schema] = ([pointer for pointer, _, _ in ordered], ordered)
        places, ordered = self._references[node.schema]
        if not node.pointer:
            return ordered
        own = ordered[bisect_left(places, node.pointer) : bisect_left(places, node.pointer + "\0")]
        # "0" is the character after "/": what starts with the pointer and a slash lies between the two.
        below = ordered[bisect_left(places, node.pointer + "/") : bisect_left(places, node.pointer + "0")]
        return own + below
