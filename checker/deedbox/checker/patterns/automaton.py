"""From a tree to terms, and from terms to the states of a deterministic automaton that is built as it is walked.

A derivative is computed for all characters at once, as a step function over the code points (`Moves`): only the
characters that the term at hand tells apart are told apart.

What stands before a place matters to `^` and to lookbehinds. `^` is true at the very beginning alone, so it
is struck out of every term that a character leads to. A lookbehind `(?<=s)` is followed by a term of its own,
anything-then-`s`, that reads the text from the beginning; it holds where that term takes the empty text. A
state is a term with those.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from deedbox.checker.patterns import charset, expressions, nodes, syntax, terms
from deedbox.checker.patterns.charset import CharSet
from deedbox.checker.patterns.errors import NotRegular
from deedbox.checker.patterns.nodes import (
    AHEAD,
    ALL,
    ALL_KIND,
    AND,
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
)

# Starts of the steps, the first 0, and the term of each step.
Moves: TypeAlias = tuple[tuple[int, ...], tuple[Term, ...]]
_NO_MOVES: Moves = ((0,), (NOTHING,))
_ALL_MOVES: Moves = ((0,), (ALL,))
_CONDITIONAL_LOOPS = 200


class Before:
    """What stands before a place: whether nothing does, and how far each lookbehind's term has come."""

    __slots__ = ("followed", "start")

    def __init__(self, start: bool, followed: dict[Term, Term]) -> None:
        self.start, self.followed = start, followed


_NOTHING_MATTERS = Before(False, {})


# from tree to expression


def lower(node: syntax.Node) -> Rx:
    """The expression of a tree.

    Raises:
        NotRegular: backreferences; what lookbehinds cannot be followed for.
    """
    match node:
        case syntax.Chars(chars):
            return expressions.chars(chars)
        case syntax.Seq(items):
            return expressions.seq(map(lower, items))
        case syntax.Choice(items):
            return expressions.choice(map(lower, items))
        case syntax.Loop(item, low, high):
            return expressions.loop(lower(item), low, high)
        case syntax.Look(item, behind, negated):
            return terms.behind(lower(item), negated) if behind else terms.ahead(lower(item), negated)
        case syntax.Start():
            return expressions.AT_START
        case syntax.Group(item):
            return lower(item)
        case syntax.Backreference():
            raise NotRegular("a backreference is no regular language")


def searched(rx: Rx) -> Term:
    """The texts in which `rx` matches somewhere."""
    anything = expressions.chars(charset.ANY)
    later = terms.past_start(rx)
    if later is rx:
        return terms.cat(expressions.loop(anything, 0, None), terms.cat(rx, ALL))
    skipping = terms.cat(expressions.loop(anything, 1, None), terms.cat(later, ALL))
    return terms.or_((terms.cat(_leading(rx), ALL), skipping))


def _leading(rx: Rx) -> Rx:
    """`rx` at the very beginning, with `^` resolved as far as it surely stands there, or surely does not."""
    if not rx.at_start:
        return rx
    if rx.kind == START:
        return expressions.EMPTY_RX
    if rx.kind == CHOICE:
        return expressions.choice(map(_leading, rx.items))
    if rx.kind == SEQ:
        done: list[Rx] = []
        for i, item in enumerate(rx.items):
            if item.kind in (START, AHEAD, BEHIND):
                done.append(_leading(item))
            else:
                rest = rx.items[i + 1 :]
                done.append(_leading(item))
                done += map(terms.past_start, rest) if item.empty == 0 else rest
                break
        return expressions.seq(done)
    return rx


# the empty text


def ends(term: Term, before: Before) -> bool:
    """Whether the empty text is in `term`, that is, whether a text may end here."""
    while term.ends is None:
        if term.kind == CAT:
            if not _takes_empty(term.rx, before):
                return False
            term = term.rest
        elif term.kind == NOT:
            return not ends(term.rest, before)
        elif term.kind == AND:
            return all(ends(member, before) for member in term.members)
        else:
            return any(ends(member, before) for member in term.members)
    return term.ends


def _takes_empty(rx: Rx, before: Before) -> bool:
    if rx.empty != 2:
        return rx.empty == 1
    if rx.kind == SEQ:
        return all(_takes_empty(item, before) for item in rx.items)
    if rx.kind == CHOICE:
        return any(_takes_empty(item, before) for item in rx.items)
    if rx.kind == LOOP:
        return _takes_empty(rx.item, before)
    if rx.kind == AHEAD:
        return ends(rx.term, before)
    return before.start if rx.kind == START else _behind_holds(rx, before)


def _behind_holds(rx: Rx, before: Before) -> bool:
    return ends(before.followed[rx.term], before) != rx.negated


def _empty_if(rx: Rx, before: Before) -> Term:
    """The remaining texts before which `rx` takes the empty text."""
    if rx.empty != 2:
        return ALL if rx.empty == 1 else NOTHING
    if rx.kind == SEQ:
        return terms.and_([_empty_if(item, before) for item in rx.items])
    if rx.kind == CHOICE:
        return terms.or_([_empty_if(item, before) for item in rx.items])
    if rx.kind == LOOP:
        return _empty_if(rx.item, before)
    if rx.kind == AHEAD:
        term: Term = rx.term
        return term
    holds = before.start if rx.kind == START else _behind_holds(rx, before)
    return ALL if holds else NOTHING


# derivatives


def moves(term: Term, before: Before) -> Moves:
    """The derivative of `term` by each character."""
    free = not term.at_start and not term.behinds
    if free and term.moves is not None:
        known: Moves = term.moves
        return known
    kind = term.kind
    if kind in (CAT, OR):
        pairs: list[tuple[CharSet, Term]] = []
        _collect(term, before, pairs)
        found = _from_pairs(pairs)
    elif kind == NOT:
        starts, targets = moves(term.rest, before)
        found = starts, tuple(map(terms.not_, targets))
    elif kind == AND:
        found = _combine([moves(member, before) for member in term.members], terms.and_)
    else:
        found = _ALL_MOVES if kind == ALL_KIND else _NO_MOVES
    if free:
        term.moves = found
    return found


def _collect(term: Term, before: Before, pairs: list[tuple[CharSet, Term]]) -> None:
    """Adds to `pairs` what `term` may go on with, a set of characters and a term each."""
    while term.kind == CAT:
        rx = term.rx
        _consume(rx, term.rest, before, pairs)
        if rx.empty == 0:
            return
        if rx.empty == 2:
            condition = _empty_if(rx, before)
            if condition is NOTHING:
                return
            if condition is not ALL:
                _add_moves(_combine([moves(condition, before), moves(term.rest, before)], terms.and_), pairs)
                return
        term = term.rest
    if term.kind == OR:
        for member in term.members:
            _collect(member, before, pairs)
    elif term is not END:
        _add_moves(moves(term, before), pairs)


def _consume(rx: Rx, rest: Term, before: Before, pairs: list[tuple[CharSet, Term]]) -> None:
    """Adds what `rx` itself reads, one character at least, with `rest` after it."""
    kind = rx.kind
    if kind == CHARS:
        pairs.append((rx.chars, rest))
    elif kind == CHOICE:
        for item in rx.items:
            _consume(item, rest, before, pairs)
    elif kind == SEQ:
        rests = [rest]
        for item in reversed(rx.items[1:]):
            rests.append(terms.cat(item, rests[-1]))
        for i, item in enumerate(rx.items):
            after = rests[-1 - i]
            if i and (condition := _empty_if(expressions.seq(rx.items[:i]), before)) is not ALL:
                if condition is NOTHING:
                    return
                own: list[tuple[CharSet, Term]] = []
                _consume(item, after, before, own)
                _add_moves(_combine([moves(condition, before), _from_pairs(own)], terms.and_), pairs)
            else:
                _consume(item, after, before, pairs)
            if item.empty == 0:
                return
    elif kind == LOOP:
        _consume_loop(rx, rest, before, pairs)


def _consume_loop(rx: Rx, rest: Term, before: Before, pairs: list[tuple[CharSet, Term]]) -> None:
    item, low, high = rx.item, rx.low, rx.high
    if item.empty != 2 or low == 0:
        again = terms.cat(expressions.loop(item, max(low - 1, 0), None if high is None else high - 1), rest)
        _consume(item, again, before, pairs)
        return
    # The first rounds may take the empty text where an assertion allows it, so each of them may be the one that reads.
    if low > _CONDITIONAL_LOOPS:
        raise NotRegular(f"an assertion repeated more than {_CONDITIONAL_LOOPS} times is not decided")
    condition = _empty_if(item, before)
    for skipped in range(low + 1):
        if high is not None and high <= skipped:
            break
        least, most = max(low - skipped - 1, 0), None if high is None else high - skipped - 1
        own: list[tuple[CharSet, Term]] = []
        _consume(item, terms.cat(expressions.loop(item, least, most), rest), before, own)
        if skipped == 0:
            pairs += own
        else:
            _add_moves(_combine([moves(condition, before), _from_pairs(own)], terms.and_), pairs)


def _add_moves(found: Moves, pairs: list[tuple[CharSet, Term]]) -> None:
    starts, targets = found
    ranges: dict[Term, list[tuple[int, int]]] = {}
    for i, target in enumerate(targets):
        if target is not NOTHING:
            stop = starts[i + 1] - 1 if i + 1 < len(starts) else charset.MAX_CODE_POINT
            ranges.setdefault(target, []).append((starts[i], stop))
    pairs += [(CharSet.of_ranges(own), target) for target, own in ranges.items()]


def _from_pairs(pairs: list[tuple[CharSet, Term]]) -> Moves:
    """The union of `pairs` as a step function."""
    if not pairs:
        return _NO_MOVES
    if len(pairs) == 1:
        bounds, target = pairs[0][0].bounds, pairs[0][1]
        if bounds and bounds[0] == 0:
            return bounds, tuple(NOTHING if i & 1 else target for i in range(len(bounds)))
        return (0, *bounds), tuple(target if i & 1 else NOTHING for i in range(len(bounds) + 1))
    flips: dict[int, list[int]] = {0: []}
    for i, (chars, _) in enumerate(pairs):
        for bound in chars.bounds:
            flips.setdefault(bound, []).append(i)
    starts: list[int] = []
    targets: list[Term] = []
    active: set[int] = set()
    united: dict[frozenset[int], Term] = {}
    for bound in sorted(flips):
        active.symmetric_difference_update(flips[bound])
        if len(active) < 2:
            target = pairs[next(iter(active))][1] if active else NOTHING
        else:
            key = frozenset(active)
            known = united.get(key)
            if known is None:
                known = united[key] = terms.or_([pairs[i][1] for i in key])
            target = known
        if not targets or targets[-1] is not target:
            starts.append(bound)
            targets.append(target)
    return tuple(starts), tuple(targets)


def _combine(parts: list[Moves], join: Callable[[Iterable[Term]], Term]) -> Moves:
    """The step function whose value is the join of the parts' values."""
    bounds = sorted({bound for starts, _ in parts for bound in starts})
    at = [0] * len(parts)
    starts: list[int] = []
    targets: list[Term] = []
    joined: dict[tuple[Term, ...], Term] = {}
    for bound in bounds:
        for i, (own, _) in enumerate(parts):
            if at[i] + 1 < len(own) and own[at[i] + 1] <= bound:
                at[i] += 1
        values = tuple(part[1][at[i]] for i, part in enumerate(parts))
        target = joined.get(values)
        if target is None:
            target = joined[values] = join(values)
        if not targets or targets[-1] is not target:
            starts.append(bound)
            targets.append(target)
    return tuple(starts), tuple(targets)


# states


class State:
    """A place in a text, known by what may follow: `term`, and the lookbehinds under way.

    `accepts`: the text may end here. `dead`: nothing may follow; `full`: anything may. `step` memoises characters.
    """

    __slots__ = ("_starts", "_targets", "accepts", "before", "dead", "full", "generation", "serial", "step", "term")

    def __init__(self, term: Term, before: Before, generation: int) -> None:
        self.term, self.before, self.generation = term, before, generation
        self.serial = nodes.next_serial()
        self.accepts = ends(term, before)
        self.dead, self.full = term is NOTHING, term is ALL
        self.step: dict[str, State] = {}
        self._starts: tuple[int, ...] | None = None
        self._targets: tuple[State, ...] = ()

    def edges(self) -> tuple[tuple[int, ...], tuple[State, ...]]:
        """Starts of ranges of code points, the first 0, and the state that each range leads to."""
        if self._starts is None:
            self._expand()
        assert self._starts is not None
        return self._starts, self._targets

    def next(self, character: str) -> State:
        """The state after `character`; use `step.get` first."""
        starts, targets = self.edges()
        target = targets[bisect_right(starts, ord(character)) - 1]
        if len(self.step) < 512:
            self.step[character] = target
        return target

    def _expand(self) -> None:
        before = self.before
        generation = nodes.tidy()
        starts, targets = moves(self.term, before)
        if before.start and self.term.at_start:
            targets = tuple(map(terms.term_past_start, targets))
        if not before.followed:
            states = {target: _state(target, (), generation) for target in set(targets)}
            self._targets = tuple([states[target] for target in targets])
        else:
            starts, self._targets = self._expand_followed(starts, targets, generation)
        self._starts = starts  # last: another thread may be looking

    def _expand_followed(
        self, starts: tuple[int, ...], targets: tuple[Term, ...], generation: int
    ) -> tuple[tuple[int, ...], tuple[State, ...]]:
        before = self.before
        names = list(before.followed)
        parts: list[Moves] = [(starts, targets)]
        for name in names:
            own_starts, own_targets = moves(before.followed[name], before)
            parts.append((own_starts, tuple(map(terms.term_past_start, own_targets))))
        bounds = sorted({bound for own, _ in parts for bound in own})
        found_starts: list[int] = []
        found: list[State] = []
        for bound in bounds:
            values = [own_targets[bisect_right(own, bound) - 1] for own, own_targets in parts]
            needed = values[0].behinds  # those inside them included: terms.behind() sees to it
            followed = tuple((name, values[i + 1]) for i, name in enumerate(names) if name in needed)
            state = _state(values[0], followed, generation)
            if not found or found[-1] is not state:
                found_starts.append(bound)
                found.append(state)
        return tuple(found_starts), tuple(found)


def _state(term: Term, followed: tuple[tuple[Term, Term], ...], generation: int) -> State:
    key: tuple[Any, ...] = ("state", term.serial, *[(name.serial, at.serial) for name, at in followed])
    found: State | None = nodes.table().get(key)
    if found is None:
        before = Before(False, dict(followed)) if followed else _NOTHING_MATTERS
        found = nodes.table().setdefault(key, State(term, before, generation))
    return found


def initial(term: Term) -> State:
    """The state at the very beginning of a text."""
    generation = nodes.tidy()
    if not term.at_start and not term.behinds:
        return _state(term, (), generation)
    key = ("initial", term.serial)
    found: State | None = nodes.table().get(key)
    if found is None:
        found = State(
            term, Before(True, {name: name for name in sorted(term.behinds, key=nodes.serial_of)}), generation
        )
        found = nodes.table().setdefault(key, found)
    return found


def alternatives(state: State) -> tuple[State, ...]:
    """States whose union is `state`."""
    if state.term.kind != OR or state.before.start:
        return (state,)
    followed = state.before.followed
    generation = nodes.tidy()
    return tuple(
        _state(member, tuple((name, at) for name, at in followed.items() if name in member.behinds), generation)
        for member in state.term.members
    )
