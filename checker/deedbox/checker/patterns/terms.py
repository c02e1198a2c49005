"""Languages as hash-consed terms: the same language written twice is mostly one object, so that states are few.

A term is an expression followed by a term, or a boolean combination of terms. A lookahead needs both: `(?=s)` before `k`
is the intersection of `s`-then-anything with `k`.

The constructors here keep terms in a normal form (associative, commutative, idempotent; nested counters joined;
one term absorbing another). A rule that would cost more than a look at the operands' members is not taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from deedbox.checker.patterns import charset
from deedbox.checker.patterns.charset import CharSet
from deedbox.checker.patterns.errors import NotRegular
from deedbox.checker.patterns.expressions import (
    EMPTY_RX,
    assertion,
    base_of,
    bounds_of,
    chars,
    choice,
    joined,
    loop,
    seq,
)
from deedbox.checker.patterns.nodes import (
    AHEAD,
    ALL,
    ALL_KIND,
    AND,
    ASSERTIONS,
    BEHIND,
    CAT,
    CHARS,
    CHOICE,
    END,
    LOOP,
    NOT,
    NOTHING,
    OR,
    SEQ,
    START,
    Rx,
    Term,
    hold,
    serial_of,
    table,
)

_NEST_LIMIT: Final = 8
_CLAUSE_LIMIT: Final = 2_000


def ahead(item: Rx, negated: bool) -> Rx:
    """A lookahead."""
    term = cat(item, ALL)
    if negated:
        term = not_(term)
    if term is ALL:
        return EMPTY_RX
    if term is NOTHING:
        return chars(charset.NONE)
    return assertion(AHEAD, term, negated=False, behinds=term.behinds, at_start=term.at_start)


def behind(item: Rx, negated: bool) -> Rx:
    """A lookbehind.

    Raises:
        NotRegular: it looks ahead in its turn, past its own end.
    """
    if _looks_ahead(item):
        raise NotRegular("a lookahead, $ or \\b inside a lookbehind is not decided")
    term = cat(loop(chars(charset.ANY), 0, None), cat(item, END))
    return assertion(BEHIND, term, negated=negated, behinds=term.behinds | {term}, at_start=False)


def _looks_ahead(rx: Rx) -> bool:
    if rx.kind == AHEAD:
        return True
    return any(map(_looks_ahead, rx.items)) or (rx.kind == LOOP and _looks_ahead(rx.item))


def past_start(rx: Rx) -> Rx:
    """`rx` where something stands before: `^` fails."""
    if not rx.at_start:
        return rx
    if rx.kind == START:
        return chars(charset.NONE)
    if rx.kind == SEQ:
        return seq(map(past_start, rx.items))
    if rx.kind == CHOICE:
        return choice(map(past_start, rx.items))
    if rx.kind == LOOP:
        return loop(past_start(rx.item), rx.low, rx.high)
    term = term_past_start(rx.term)
    if term is ALL:
        return EMPTY_RX
    return (
        chars(charset.NONE)
        if term is NOTHING
        else assertion(AHEAD, term, negated=False, behinds=term.behinds, at_start=False)
    )


def cat(rx: Rx, rest: Term) -> Term:
    """The texts that begin with one of `rx` and go on with one of `rest`."""
    if rest is NOTHING:
        return NOTHING
    kind = rx.kind
    if kind == SEQ:
        for item in reversed(rx.items):
            rest = cat(item, rest)
        return rest
    if kind == AHEAD:
        return and_((rx.term, rest))
    if kind == CHARS and not rx.chars:
        return NOTHING
    if rest is ALL:
        if rx.empty == 1:
            return ALL
        if kind == LOOP and rx.high != rx.low and rx.empty == 0:
            return cat(loop(rx.item, rx.low, rx.low), rest)
    elif rest is END and kind == LOOP and rx.low == 0 and rx.high is None and rx.item.chars == charset.ANY:
        return ALL
    if kind == LOOP and rx.high is None and rx.item.chars == charset.ANY:
        while rest.kind == CAT and rest.rx.empty == 1:
            rest = rest.rest  # what may be skipped is among the anything before it
    if rest.kind == CAT and base_of(rx) is base_of(rest.rx):
        if kind in ASSERTIONS:
            return rest
        return cat(joined(rx, rest.rx), rest.rest)
    if kind == CHOICE and rx.empty == 2:
        # Brings lookaheads to where terms can take them in.
        return or_([cat(item, rest) for item in rx.items])
    key = (CAT, rx.serial, rest.serial)
    found: Term | None = table().get(key)
    if found is None:
        found = Term(CAT)
        found.rx, found.rest = rx, rest
        found.at_start = rx.at_start or rest.at_start
        found.behinds = rx.behinds | rest.behinds if rx.behinds else rest.behinds
        if rx.empty == 0 or rest.ends is False:
            found.ends = False
        else:
            found.ends = rest.ends if rx.empty == 1 else None
        found = table().setdefault(key, found)
    return found


def letters(node: Rx | Term) -> CharSet:
    """A set that every character of every text of `node` is in: not always the least one."""
    chain: list[Term] = []
    while isinstance(node, Term) and node.letters is None and node.kind == CAT:
        chain.append(node)
        node = node.rest
    found = node.letters
    if found is None:
        found = node.letters = _letters(node)
    for term in reversed(chain):
        found = term.letters = found | letters(term.rx)
    return found


def _letters(node: Rx | Term) -> CharSet:
    if isinstance(node, Rx):
        if node.kind == CHARS:
            return node.chars
        if node.kind == LOOP:
            return letters(node.item)
        return _all_letters(node.items)
    if node.kind in (ALL_KIND, NOT):
        return charset.ANY
    if node.kind == AND:
        return next((chars for chars in map(letters, node.members) if chars != charset.ANY), charset.ANY)
    return _all_letters(node.members)


def _all_letters(nodes: tuple[Rx, ...] | tuple[Term, ...]) -> CharSet:
    return CharSet.of_ranges(r for chars in {letters(node) for node in nodes} for r in chars.ranges())


def all_over(term: Term) -> CharSet | None:
    """The set whose texts of any length `term` is, None where it is none such."""
    if term.kind == CAT and term.rest is END and term.rx.kind == LOOP and term.rx.high is None and term.rx.low == 0:
        item: Rx = term.rx.item
        if item.kind == CHARS:
            return item.chars
    return None


def not_(term: Term) -> Term:
    """The texts that are not of `term`."""
    if term.kind == NOT:
        inner: Term = term.rest
        return inner
    if term is ALL:
        return NOTHING
    if term is NOTHING:
        return ALL
    # `$` is written as "not any character": only what is known as the empty text takes part in the rules for it.
    if term is END:
        return cat(chars(charset.ANY), ALL)
    if term.kind == CAT and term.rest is ALL and term.rx.kind == CHARS and term.rx.chars == charset.ANY:
        return END
    key = (NOT, term.serial)
    found: Term | None = table().get(key)
    if found is None:
        found = Term(NOT)
        found.rest = term
        found.at_start, found.behinds, found.nest = term.at_start, term.behinds, term.nest
        found.ends = None if term.ends is None else not term.ends
        found = table().setdefault(key, found)
    return found


def or_(terms: Iterable[Term]) -> Term:
    """The texts of any of `terms`."""
    members: set[Term] = set()
    for term in terms:
        if term.kind == OR:
            members.update(term.members)
        elif term is ALL:
            return ALL
        elif term is not NOTHING:
            members.add(term)
    if len(members) > 1:
        _merge(members, union=True)
        for term in members:
            if term is ALL or (term.kind == NOT and term.rest in members):
                return ALL
        if END in members and any(term.ends and term is not END for term in members):
            members.discard(END)
        conjunctions = [term for term in members if term.kind == AND]
        for term in conjunctions:
            if any(part in members for part in term.members):
                members.discard(term)
        for whole in [term for term in members if all_over(term) is not None]:
            covered = [term for term in members if term is not whole and letters(term) <= whole.rx.item.chars]
            members.difference_update(covered if whole in members else ())
        negated = [term for term in members if term.kind == NOT and term.rest.kind == AND]
        if any(part in members for term in negated for part in term.rest.members):
            return ALL
    return _combined(OR, members, NOTHING)


def and_(terms: Iterable[Term]) -> Term:
    """The texts of all of `terms`."""
    members: set[Term] = set()
    for term in terms:
        if term.kind == AND:
            members.update(term.members)
        elif term is NOTHING:
            return NOTHING
        elif term is not ALL:
            members.add(term)
    if len(members) > 1:
        _merge(members, union=False)
        for term in members:
            if term is NOTHING or (term.kind == NOT and term.rest in members):
                return NOTHING
        if END in members and all(term.ends is not None for term in members):
            return END if all(term.ends for term in members) else NOTHING
        disjunctions = [term for term in members if term.kind == OR]
        for term in disjunctions:
            if any(part in members for part in term.members):
                members.discard(term)
        for whole in [term for term in members if all_over(term) is not None]:
            if any(term is not whole and letters(term) <= whole.rx.item.chars for term in members):
                members.discard(whole)
        negated = [term for term in members if term.kind == NOT and term.rest.kind == OR]
        if any(part in members for term in negated for part in term.rest.members):
            return NOTHING
    return _combined(AND, members, ALL)


def _combined(kind: int, members: set[Term], none: Term) -> Term:
    if len(members) < 2:
        return members.pop() if members else none
    ordered = tuple(sorted(members, key=serial_of))
    key = (kind, *[term.serial for term in ordered])
    found: Term | None = table().get(key)
    if found is None:
        hold(len(ordered))
        nest = max(term.nest + (term.kind != CAT) for term in ordered)
        if nest > _NEST_LIMIT:
            flat: Term = table().setdefault(key, _flattened(kind, ordered))
            return flat
        found = Term(kind)
        found.members, found.nest = ordered, nest
        found.at_start = any(term.at_start for term in ordered)
        found.behinds = frozenset().union(*(term.behinds for term in ordered))
        ends = [term.ends for term in ordered]
        decisive = kind == OR
        found.ends = decisive if decisive in ends else None if None in ends else not decisive
        found = table().setdefault(key, found)
    return found


def _merge(members: set[Term], *, union: bool) -> None:
    """Joins members that differ in a set of characters or in a counter alone."""
    if union:
        same_rest: dict[Term, list[Term]] = {}
        for term in members:
            if term.kind == CAT and term.rx.kind == CHARS:
                same_rest.setdefault(term.rest, []).append(term)
        for rest, terms in same_rest.items():
            if len(terms) > 1:
                members.difference_update(terms)
                members.add(cat(chars(CharSet.of_ranges(r for t in terms for r in t.rx.chars.ranges())), rest))
    groups: dict[tuple[Rx, Term], list[Term]] = {}
    for term in members:
        if term.kind == CAT:
            rx: Rx = term.rx
            if rx.kind == LOOP and rx.item.empty == 0:
                groups.setdefault((rx.item, term.rest), []).append(term)
            elif rx.kind == CHARS:
                groups.setdefault((rx, term.rest), []).append(term)
    for (base, rest), terms in groups.items():
        if len(terms) < 2:
            continue
        lows = [bounds_of(term.rx)[0] for term in terms]
        if rest is ALL:
            low = min(lows) if union else max(lows)
            joined = [cat(loop(base, low, low), rest)]
        elif union:
            joined = _united(base, rest, terms)
        elif rest is END and base.kind == CHARS:
            highs = [high for _, high in (bounds_of(term.rx) for term in terms) if high is not None]
            high = min(highs) if highs else None
            gone = high is not None and high < max(lows)
            joined = [NOTHING if gone else cat(loop(base, max(lows), high), rest)]
        else:
            continue
        members.difference_update(terms)
        members.update(joined)


def _united(base: Rx, rest: Term, terms: list[Term]) -> list[Term]:
    found: list[Term] = []
    low = -1
    high: int | None = -1
    for next_low, next_high in sorted((bounds_of(term.rx) for term in terms), key=lambda bounds: bounds[0]):
        if low >= 0 and (high is None or next_low <= high + 1):
            high = None if high is None or next_high is None else max(high, next_high)
        else:
            if low >= 0:
                found.append(cat(loop(base, low, high), rest))
            low, high = next_low, next_high
    found.append(cat(loop(base, low, high), rest))
    return found


def _flattened(kind: int, members: tuple[Term, ...]) -> Term:
    """A disjunction of conjunctions of what is neither: finitely many over the same parts, however often it is derived.

    Raises:
        NotRegular: there are more than `_CLAUSE_LIMIT` conjunctions.
    """
    clauses = _clauses(kind, members, positive=True)
    kept = [c for c in clauses if not any(other < c for other in clauses)] if len(clauses) < 300 else list(clauses)
    return _combined(OR, {and_(clause) for clause in kept} - {NOTHING}, NOTHING)


def _clauses(kind: int, members: tuple[Term, ...], *, positive: bool) -> set[frozenset[Term]]:
    if (kind == OR) == positive:
        return set().union(*(_clauses_of(term, positive=positive) for term in members))
    product: set[frozenset[Term]] = {frozenset()}
    for term in members:
        parts = _clauses_of(term, positive=positive)
        product = {left | right for left in product for right in parts}
        if len(product) > _CLAUSE_LIMIT:
            raise NotRegular("its lookaheads combine in too many ways")
    return product


def _clauses_of(term: Term, *, positive: bool) -> set[frozenset[Term]]:
    if term.kind == NOT:
        return _clauses_of(term.rest, positive=not positive)
    if term.kind in (AND, OR):
        return _clauses(term.kind, term.members, positive=positive)
    return {frozenset((term if positive else not_(term),))}


def term_past_start(term: Term) -> Term:
    """`term` where something stands before: `^` fails, here and at every later place."""
    if not term.at_start:
        return term
    if term.kind == NOT:
        return not_(term_past_start(term.rest))
    if term.kind in (AND, OR):
        return (and_ if term.kind == AND else or_)([term_past_start(t) for t in term.members])
    links: list[Rx] = []
    while term.kind == CAT and term.at_start:
        links.append(term.rx)
        term = term.rest
    rest = term_past_start(term)
    for rx in reversed(links):
        rest = cat(past_start(rx), rest)
    return rest
