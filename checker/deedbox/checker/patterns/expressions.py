"""Plain expressions in normal form: nested counters joined, single characters united, neighbours counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from deedbox.checker.patterns import charset
from deedbox.checker.patterns.charset import CharSet
from deedbox.checker.patterns.nodes import ASSERTIONS, CHARS, CHOICE, LOOP, SEQ, START, Rx, Term, serial_of, table


def chars(members: CharSet) -> Rx:
    """One character of `members`."""
    key = (CHARS, members)
    found: Rx | None = table().get(key)
    if found is None:
        found = Rx(CHARS)
        found.chars = members
        found = table().setdefault(key, found)
    return found


def _compound(kind: int, items: tuple[Rx, ...]) -> Rx:
    key = ("rx", kind, *[item.serial for item in items])
    found: Rx | None = table().get(key)
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
        found = table().setdefault(key, found)
    return found


def seq(items: Iterable[Rx]) -> Rx:
    """One after the other. Neighbours that repeat the same expression are one counter."""
    flat: list[Rx] = []
    for item in items:
        for part in item.items if item.kind == SEQ else (item,):
            if part.kind == CHARS and not part.chars:
                return part
            if flat and base_of(flat[-1]) is base_of(part):
                if part.kind not in ASSERTIONS:  # saying it again adds nothing
                    flat[-1] = joined(flat[-1], part)
            else:
                flat.append(part)
    return flat[0] if len(flat) == 1 else _compound(SEQ, tuple(flat))


def base_of(rx: Rx) -> Rx:
    """What a counter repeats; anything else is its own base, repeated once."""
    base: Rx = rx.item if rx.kind == LOOP else rx
    return base


def bounds_of(rx: Rx) -> tuple[int, int | None]:
    """How often the base is repeated."""
    return (rx.low, rx.high) if rx.kind == LOOP else (1, 1)


def joined(first: Rx, second: Rx) -> Rx:
    """One after the other, of the same base."""
    (low, high), (low_2, high_2) = bounds_of(first), bounds_of(second)
    return loop(base_of(first), low + low_2, None if high is None or high_2 is None else high + high_2)


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
    found: Rx | None = table().get(key)
    if found is None:
        found = Rx(LOOP)
        found.item, found.low, found.high = item, low, high
        found.empty = 1 if low == 0 else item.empty
        found.at_start, found.behinds = item.at_start, item.behinds
        found = table().setdefault(key, found)
    return found


def assertion(kind: int, term: Term, *, negated: bool, behinds: frozenset[Term], at_start: bool) -> Rx:
    """A lookahead or lookbehind for `term`."""
    key = ("assert", kind, term.serial, negated)
    found: Rx | None = table().get(key)
    if found is None:
        found = Rx(kind)
        found.term, found.negated, found.empty = term, negated, 2
        found.behinds, found.at_start = behinds, at_start
        found = table().setdefault(key, found)
    return found


EMPTY_RX: Final = Rx(SEQ)
EMPTY_RX.empty = 1
AT_START: Final = Rx(START)
AT_START.empty = 2
AT_START.at_start = True
