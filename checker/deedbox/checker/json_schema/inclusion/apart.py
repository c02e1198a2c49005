"""Whether the branches of a `oneOf` exclude each other anyway: then it says no more than `anyOf`, which is easier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.json_schema.inclusion import terms as t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedbox.checker.json_schema.inclusion.terms import Term, Terms

_MOST_PAIRS = 6


def all_apart(terms: Terms, members: Sequence[Term]) -> bool:
    """Whether no value is of two of these terms of one sort, as far as that is seen at a glance."""
    if _discriminated(terms, members):
        return True
    if len(members) > _MOST_PAIRS:
        return False
    return all(terms.and_((one, other)) is terms.false for i, one in enumerate(members) for other in members[i + 1 :])


def _discriminated(terms: Terms, members: Sequence[Term]) -> bool:
    """Whether a property that all require tells them apart, by constants or by types."""
    known = [_required(terms, member) for member in members]
    shared = set(known[0]).intersection(*known[1:])
    for name in sorted(shared):
        values = [held[name] for held in known]
        if all(v.kind == t.ENUM for v in values):
            if sum(len(v.args[0]) for v in values) == len(frozenset().union(*(v.args[0] for v in values))):
                return True
        elif sum(v.mask.bit_count() for v in values) == _union(values).bit_count():
            return True
    return False


def _union(values: Sequence[Term]) -> int:
    mask = 0
    for value in values:
        mask |= value.mask
    return mask


def _required(terms: Terms, member: Term) -> dict[str, Term]:
    """What an object's members must be that have to be there, by name."""
    literals = member.args if member.kind == t.AND else (member,)
    required: dict[str, list[Term]] = {}
    for literal in literals:
        if literal.kind == t.NOT and literal.args[0].kind == t.ALL:
            region, term = literal.args[0].args
            if region.kind == t.ENUM and len(region.args[0]) == 1:
                required.setdefault(next(iter(region.args[0])), []).append(terms.not_(term))
    for literal in literals:
        if literal.kind == t.ALL:
            region, term = literal.args
            if region.kind == t.ENUM and len(region.args[0]) == 1:
                (name,) = region.args[0]
                if name in required:
                    required[name].append(term)
    return {name: terms.and_(parts) for name, parts in required.items()}
