"""Inclusions that can be seen from the terms alone, so that a search need not walk all the way to find them."""

from __future__ import annotations

from typing import Final

from deedbox.checker.patterns.expressions import base_of, bounds_of
from deedbox.checker.patterns.nodes import ALL, AND, CAT, CHARS, END, NOT, NOTHING, OR, Rx, Term, table
from deedbox.checker.patterns.terms import all_over, letters

_DEPTH: Final = 24
_PAIRS: Final = 400


def included(part: Term, whole: Term, depth: int = _DEPTH) -> bool:
    """Whether `part` is seen to be included in `whole`, read at the same place; False says nothing.

    Lookbehinds make no difference: the same text stands before both.
    """
    if part is whole or whole is ALL or part is NOTHING:
        return True
    if depth == 0:
        return False
    if part is END:
        return whole.ends is True
    key = ("included", part.serial, whole.serial)
    known: bool | None = table().get(key)
    if known is None:
        known = _included(part, whole, depth - 1)
        if known or depth > _DEPTH // 2:  # a no for want of depth may be a yes for another asker
            table()[key] = known
    return known


def _included(part: Term, whole: Term, depth: int) -> bool:
    if part.kind == OR:
        if whole.kind == OR and len(part.members) * len(whole.members) > _PAIRS:
            return all(term in whole.members for term in part.members)
        return all(included(term, whole, depth) for term in part.members)
    if whole.kind == AND:
        return all(included(part, term, depth) for term in whole.members)
    if whole.kind == OR and any(included(part, term, depth) for term in whole.members):
        return True
    if part.kind == AND:
        return any(included(term, whole, depth) for term in part.members)
    if part.kind == NOT and whole.kind == NOT:
        return included(whole.rest, part.rest, depth)
    if whole.kind != CAT:
        return False
    chars = all_over(whole)
    if chars is not None and letters(part) <= chars:
        return True
    if part.kind == CAT and _narrower(part.rx, whole.rx) and included(part.rest, whole.rest, depth):
        return True
    return whole.rx.empty == 1 and included(part, whole.rest, depth)


def _narrower(part: Rx, whole: Rx) -> bool:
    if part is whole:
        return True
    inner, outer = base_of(part), base_of(whole)
    if inner is not outer and not (inner.kind == outer.kind == CHARS and inner.chars <= outer.chars):
        return False
    (low, high), (least, most) = bounds_of(part), bounds_of(whole)
    return least <= low and (most is None or (high is not None and high <= most))
