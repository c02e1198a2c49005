"""Languages as hash-consed terms: the same language written twice is mostly one object, so that states are few.

Two layers. An `Rx` is a plain expression with assertions in it (what a pattern is made of); a `Term` is a set of
*remaining texts*, seen from a place in a text: `rx` followed by a term, and the boolean combinations of terms. A
lookahead needs both: `(?=s)` before `k` is the intersection of `s`-then-anything with `k`.

The constructors here keep terms in a normal form (associative, commutative, idempotent; nested counters joined;
one term absorbing another). A rule that would cost more than a look at the operands' members is not taken.

Tables of nodes are dropped when large. A node that outlives them stays right: it merely is no longer recognised as
equal to its twin, which costs states and never an answer.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Final

from deedbox.checker.patterns import charset
from deedbox.checker.patterns.charset import CharSet
from deedbox.checker.patterns.errors import NotRegular

_TABLE_LIMIT: Final = 150_000
_MEMBER_LIMIT: Final = 1_500_000
_NEST_LIMIT: Final = 8
_CLAUSE_LIMIT: Final = 2_000

_serial = itertools.count()
_table: dict[tuple[Any, ...], Any] = {}
_members_held = 0
generation = 0


def tidy() -> int:
    """Drops the tables if they are large. Returns the generation: a node of an older one has twins."""
    global generation, _members_held  # noqa: PLW0603 - one process, one table
    if len(_table) > _TABLE_LIMIT or _members_held > _MEMBER_LIMIT:
        generation += 1
        _members_held = 0
        _table.clear()
    return generation


def table() -> dict[tuple[Any, ...], Any]:
    """Where nodes, and states made of them, are found again."""
    return _table


class Rx:
    """An expression. `kind` is one of CHARS, SEQ, CHOICE, LOOP, AHEAD, BEHIND, START.

    `empty` tells whether it takes the empty text: 0 never, 1 always, 2 under conditions that its assertions set.
    `at_start` tells whether `^` is in it; `behinds` are the terms that follow the text before, one a lookbehind.
    """

    __slots__ = (
        "at_start",
        "behinds",
        "chars",
        "empty",
        "high",
        "item",
        "items",
        "kind",
        "letters",
        "low",
        "negated",
        "serial",
        "term",
    )

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.serial = next(_serial)
        self.empty = 0
        self.at_start = False
        self.behinds: frozenset[Term] = frozenset()
        self.chars: CharSet = charset.NONE
        self.items: tuple[Rx, ...] = ()
        self.item: Any = None
        self.low = 0
        self.high: int | None = None
        self.negated = False
        self.term: Any = None
        self.letters: CharSet | None = None


class Term:
    """A set of remaining texts. `kind` is one of NOTHING, END, ALL, CAT, AND, OR, NOT.

    CAT has `rx` and `rest`; AND and OR have `members`, by serial; NOT has `rest`. `ends` tells whether the empty text
    is in: True, False, or None where that depends on what stands before. `moves` is a place for the automaton's work.
    """

    __slots__ = ("at_start", "behinds", "ends", "kind", "letters", "members", "moves", "nest", "rest", "rx", "serial")

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.serial = next(_serial)
        self.at_start = False
        self.behinds: frozenset[Term] = frozenset()
        self.ends: bool | None = False
        self.rx: Any = None
        self.rest: Any = None
        self.members: tuple[Term, ...] = ()
        self.nest = 0
        self.moves: Any = None
        self.letters: CharSet | None = None


CHARS, SEQ, CHOICE, LOOP, AHEAD, BEHIND, START = range(7)
ASSERTIONS: Final = (AHEAD, BEHIND, START)
NOTHING_KIND, END_KIND, ALL_KIND, CAT, AND, OR, NOT = range(7)

NOTHING: Final = Term(NOTHING_KIND)
END: Final = Term(END_KIND)
END.ends = True
ALL: Final = Term(ALL_KIND)
ALL.ends = True


# expressions


def chars(members: CharSet) -> Rx:
    """One character of `members`."""
    key = (CHARS, members)
    found: Rx | None = _table.get(key)
    if found is None:
        found = Rx(CHARS)
        found.chars = members
        found = _table.setdefault(key, found)
    return found


def _compound(kind: int, items: tuple[Rx, ...]) -> Rx:
    key = ("rx", kind, *[item.serial for item in items])
    found: Rx | None = _table.get(key)
    if found is None:
        found = Rx(kind)
        found.items = items
        empties = [item.empty for item in items]
        if kind == SEQ:
            found.empty = 0 if 0 in empties else 2 if 2 in empties else 1
        else:
            found.empty = 1 if 1 in empties else 2 if 2 in empties else 0
        found.at_start = any(item.at_start for item in items)
        found.behinds = frozenset().union(*(item.behinds for item in items))
        found = _table.setdefault(key, found)
    return found


def seq(items: Iterable[Rx]) -> Rx:
    """One after the other. Neighbours that repeat the same expression are one counter."""
    flat: list[Rx] = []
    for item in items:
        for part in item.items if item.kind == SEQ else (item,):
            if part.kind == CHARS and not part.chars:
                return part
            if flat and _base(flat[-1]) is _base(part):
                if part.kind not in ASSERTIONS:  # saying it again adds nothing
                    flat[-1] = _joined(flat[-1], part)
            else:
                flat.append(part)
    return flat[0] if len(flat) == 1 else _compound(SEQ, tuple(flat))


def _base(rx: Rx) -> Rx:
    base: Rx = rx.item if rx.kind == LOOP else rx
    return base


def _bounds(rx: Rx) -> tuple[int, int | None]:
    return (rx.low, rx.high) if rx.kind == LOOP else (1, 1)


def _joined(first: Rx, second: Rx) -> Rx:
    (low, high), (low_2, high_2) = _bounds(first), _bounds(second)
    return loop(_base(first), low + low_2, None if high is None or high_2 is None else high + high_2)


def choice(items: Iterable[Rx]) -> Rx:
    """Any of them. Single characters are one set, and the empty text makes the rest optional."""
    members: dict[Rx, None] = {}
    single = charset.NONE
    optional = False
    todo = list(items)[::-1]
    while todo:
        item = todo.pop()
        if item.kind == CHOICE:
            todo.extend(reversed(item.items))
        elif item.kind == CHARS:
            single |= item.chars
        elif item.kind == SEQ and not item.items:
            optional = True
        else:
            members[item] = None
    if single:
        members[chars(single)] = None
    if not members:
        return EMPTY_RX if optional else chars(charset.NONE)
    ordered = tuple(sorted(members, key=serial_of))
    found = ordered[0] if len(ordered) == 1 else _compound(CHOICE, ordered)
    return loop(found, 0, 1) if optional and found.empty != 1 else found


def loop(item: Rx, low: int, high: int | None) -> Rx:
    """`item` repeated `low` to `high` times (None: no bound)."""
    if item.kind == LOOP and item.item.empty != 2:
        inner, inner_low, inner_high = item.item, item.low, item.high
        # The counts k·[inner_low, inner_high], k from low to high, leave no gap: one counter says the same. Gaps shrink
        # as k grows, so the first step decides; from zero, the second one too.
        first = low or 1
        gapless = (
            low == high
            or inner_high is None
            or (first + 1) * inner_low <= first * inner_high + 1
            or (high is not None and high <= first)
        ) and (low > 0 or inner_low <= 1 or high == 0)
        if gapless:
            total = None if high is None or inner_high is None else high * inner_high
            return loop(inner, low * inner_low, 0 if high == 0 or inner_high == 0 else total)
    if item.empty == 1:
        low = 0
    if high == 0 or (item.kind == SEQ and not item.items):
        return EMPTY_RX
    if item.kind == CHARS and not item.chars:
        return EMPTY_RX if low == 0 else item
    if low == 1 and high == 1:
        return item
    key = ("loop", item.serial, low, high)
    found: Rx | None = _table.get(key)
    if found is None:
        found = Rx(LOOP)
        found.item, found.low, found.high = item, low, high
        found.empty = 1 if low == 0 else item.empty
        found.at_start, found.behinds = item.at_start, item.behinds
        found = _table.setdefault(key, found)
    return found


def ahead(item: Rx, negated: bool) -> Rx:
    """A lookahead."""
    term = cat(item, ALL)
    if negated:
        term = not_(term)
    if term is ALL:
        return EMPTY_RX
    if term is NOTHING:
        return chars(charset.NONE)
    return _assertion(AHEAD, term, negated=False, behinds=term.behinds, at_start=term.at_start)


def behind(item: Rx, negated: bool) -> Rx:
    """A lookbehind.

    Raises:
        NotRegular: it looks ahead in its turn, past its own end.
    """
    if _looks_ahead(item):
        raise NotRegular("a lookahead, $ or \\b inside a lookbehind is not decided")
    term = cat(loop(chars(charset.ANY), 0, None), cat(item, END))
    return _assertion(BEHIND, term, negated=negated, behinds=term.behinds | {term}, at_start=False)


def _looks_ahead(rx: Rx) -> bool:
    if rx.kind == AHEAD:
        return True
    return any(map(_looks_ahead, rx.items)) or (rx.kind == LOOP and _looks_ahead(rx.item))


def _assertion(kind: int, term: Term, *, negated: bool, behinds: frozenset[Term], at_start: bool) -> Rx:
    key = ("assert", kind, term.serial, negated)
    found: Rx | None = _table.get(key)
    if found is None:
        found = Rx(kind)
        found.term, found.negated, found.empty = term, negated, 2
        found.behinds, found.at_start = behinds, at_start
        found = _table.setdefault(key, found)
    return found


EMPTY_RX: Final = Rx(SEQ)
EMPTY_RX.empty = 1
AT_START: Final = Rx(START)
AT_START.empty = 2
AT_START.at_start = True


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
        else _assertion(AHEAD, term, negated=False, behinds=term.behinds, at_start=False)
    )


# terms


def serial_of(node: Rx | Term) -> int:
    """The order of nodes: of their making."""
    return node.serial


def next_serial() -> int:
    """A number never given before."""
    return next(_serial)


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
    if rest.kind == CAT and _base(rx) is _base(rest.rx):
        if kind in ASSERTIONS:
            return rest
        return cat(_joined(rx, rest.rx), rest.rest)
    if kind == CHOICE and rx.empty == 2:
        # Brings lookaheads to where terms can take them in.
        return or_([cat(item, rest) for item in rx.items])
    key = (CAT, rx.serial, rest.serial)
    found: Term | None = _table.get(key)
    if found is None:
        found = Term(CAT)
        found.rx, found.rest = rx, rest
        found.at_start = rx.at_start or rest.at_start
        found.behinds = rx.behinds | rest.behinds if rx.behinds else rest.behinds
        if rx.empty == 0 or rest.ends is False:
            found.ends = False
        else:
            found.ends = rest.ends if rx.empty == 1 else None
        found = _table.setdefault(key, found)
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
    found: Term | None = _table.get(key)
    if found is None:
        found = Term(NOT)
        found.rest = term
        found.at_start, found.behinds, found.nest = term.at_start, term.behinds, term.nest
        found.ends = None if term.ends is None else not term.ends
        found = _table.setdefault(key, found)
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
    global _members_held  # noqa: PLW0603 - goes with the table
    ordered = tuple(sorted(members, key=serial_of))
    key = (kind, *[term.serial for term in ordered])
    found: Term | None = _table.get(key)
    if found is None:
        _members_held += len(ordered)
        nest = max(term.nest + (term.kind != CAT) for term in ordered)
        if nest > _NEST_LIMIT:
            flat: Term = _table.setdefault(key, _flattened(kind, ordered))
            return flat
        found = Term(kind)
        found.members, found.nest = ordered, nest
        found.at_start = any(term.at_start for term in ordered)
        found.behinds = frozenset().union(*(term.behinds for term in ordered))
        ends = [term.ends for term in ordered]
        decisive = kind == OR
        found.ends = decisive if decisive in ends else None if None in ends else not decisive
        found = _table.setdefault(key, found)
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
        lows = [_bounds(term.rx)[0] for term in terms]
        if rest is ALL:
            low = min(lows) if union else max(lows)
            joined = [cat(loop(base, low, low), rest)]
        elif union:
            joined = _united(base, rest, terms)
        elif rest is END and base.kind == CHARS:
            highs = [high for _, high in (_bounds(term.rx) for term in terms) if high is not None]
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
    for next_low, next_high in sorted((_bounds(term.rx) for term in terms), key=lambda bounds: bounds[0]):
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
