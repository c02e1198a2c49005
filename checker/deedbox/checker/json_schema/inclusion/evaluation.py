"""Whether a value is of a term. Three answers: yes, no, and None where something undecided matters."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.inclusion import terms as t
from deedbox.checker.json_schema.inclusion.values import (
    ARRAY,
    NUMBER,
    OBJECT,
    STRING,
    key_of,
    sort_of,
)
from deedbox.checker.patterns import MatchUndecided, NotRegular, PatternError, compile_pattern

if TYPE_CHECKING:
    from deedbox.checker.json_schema.inclusion.terms import Term, Terms


def matches(source: str, text: str) -> bool | None:
    """Whether a pattern is found in a text."""
    try:
        return compile_pattern(source).search(text)
    except (PatternError, NotRegular, MatchUndecided):
        return None


def holds(terms: Terms, term: Term, value: Any) -> bool | None:
    """Whether a JSON value is of a term."""
    return _holds(terms, term, value, sort_of(value))


def _holds(terms: Terms, term: Term, value: Any, sort: int) -> bool | None:
    if not term.mask & sort:
        return False
    kind = term.kind
    if kind in (t.TRUE, t.TYPE):
        return True
    if kind == t.AND:
        unsure = False
        for part in term.args:
            found = _holds(terms, part, value, sort)
            if found is False:
                return False
            unsure = unsure or found is None
        return None if unsure else True
    if terms.budget is not None:
        terms.budget.spend(1, "the check of a value")
    if kind == t.OR:
        unsure = False
        for part in term.args:
            found = _holds(terms, part, value, sort)
            if found:
                return True
            unsure = unsure or found is None
        return None if unsure else False
    if kind == t.NOT:
        inner = term.args[0]
        found = _holds(terms, inner, value, sort)
        return None if found is None else not found
    if kind == t.ENUM:
        return key_of(value) in term.args[0]
    if kind == t.LAZY:
        return _holds(terms, terms.expanded(term), value, sort)
    if kind == t.ONE:
        return _one(terms, term, value, sort)
    if kind == t.UNK:
        return None
    return _atom(terms, term, value, sort)


def _one(terms: Terms, term: Term, value: Any, sort: int) -> bool | None:
    count, unsure = 0, False
    for part in term.args:
        found = _holds(terms, part, value, sort)
        if found:
            count += 1
            if count > 1:
                return False
        unsure = unsure or found is None
    return None if unsure else count == 1


def _atom(terms: Terms, term: Term, value: Any, sort: int) -> bool | None:
    kind, args = term.kind, term.args
    if sort == NUMBER:
        if kind == t.GE:
            return bool(value >= args[0])
        if kind == t.GT:
            return bool(value > args[0])
        if kind == t.MULT:
            if isinstance(value, int) and isinstance(args[0], int):
                return value % args[0] == 0
            return (Fraction(value) / Fraction(args[0])).denominator == 1
    elif sort == STRING:
        if kind == t.SLEN:
            return bool(len(value) >= args[0])
        if kind == t.PAT:
            return matches(args[0], value)
        if kind == t.FMT:
            from deedbox.checker.json_schema.inclusion.formats import is_of_format

            return is_of_format(args[0], value)
    elif sort == OBJECT:
        if kind == t.CNT:
            return bool(len(value) >= args[0])
        if kind == t.ALL:
            return _every(terms, args[0], args[1], value)
        if kind == t.NAMES:
            return _all(_holds(terms, args[0], name, STRING) for name in value)
    elif sort == ARRAY:
        if kind == t.LEN:
            return bool(len(value) >= args[0])
        if kind == t.ALLI:
            return _all(_holds(terms, args[2], item, sort_of(item)) for item in value[args[0] : args[1]])
        if kind == t.UNIQ:
            return len({key_of(item) for item in value}) == len(value)
        if kind == t.CONT:
            found = [_holds(terms, args[0], item, sort_of(item)) for item in value]
            sure, unsure = found.count(True), found.count(None)
            return True if sure >= args[1] else None if sure + unsure >= args[1] else False
    return True


def _every(terms: Terms, region: Term, term: Term, value: dict[str, Any]) -> bool | None:
    unsure = False
    if region.kind == t.ENUM and len(region.args[0]) < len(value):
        value = {name: value[name] for name in region.args[0] if name in value}
    for name, member in value.items():
        inside = _holds(terms, region, name, STRING)
        if inside is False:
            continue
        found = _holds(terms, term, member, sort_of(member))
        if found is not True:
            if found is False and inside:
                return False
            unsure = True
    return None if unsure else True


def _all(found: Any) -> bool | None:
    unsure = False
    for one in found:
        if one is False:
            return False
        unsure = unsure or one is None
    return None if unsure else True
