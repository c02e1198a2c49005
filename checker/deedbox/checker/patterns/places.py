"""Places: the states of several languages side by side, and the graph that they make."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from deedbox.checker.budget import Budget
from deedbox.checker.patterns import automaton
from deedbox.checker.patterns.automaton import State
from deedbox.checker.patterns.charset import MAX_CODE_POINT
from deedbox.checker.patterns.included import included
from deedbox.checker.patterns.language import Language
from deedbox.checker.patterns.nodes import AND, NOT, OR, Term
from deedbox.checker.patterns.readable import best

# The states of the wanted languages, then those of the excluded ones.
Place: TypeAlias = tuple[frozenset[State], frozenset[State]]
WHERE: Final = "the search for a string"


def start(wanted: Iterable[Language], unwanted: Iterable[Language]) -> Place | None:
    """The place before the first character; None where no string can be found from there."""
    todo: list[tuple[Term, bool]] = [(language.term(), True) for language in wanted]
    todo += [(language.term(), False) for language in unwanted]
    sides: tuple[set[State], set[State]] = (set(), set())
    while todo:
        term, wants = todo.pop()
        if term.kind == NOT:
            todo.append((term.rest, not wants))
        elif term.kind == (AND if wants else OR):
            todo += [(member, wants) for member in term.members]
        else:
            sides[0 if wants else 1].add(automaton.initial(term))
    return _kept(sides[0], sides[1])


def _kept(wanted: Iterable[State], unwanted: Iterable[State]) -> Place | None:
    """The place without what decides nothing; None where nothing can come of it."""
    positive: list[State] = []
    for state in wanted:
        if state.dead:
            return None
        if not state.full:
            positive.append(state)
    negative: list[State] = []
    for state in unwanted:
        if state.full:
            return None
        if not state.dead:
            negative.append(state)
    for bad in negative:
        for good in positive:
            if good is bad or included(good.term, bad.term):
                return None
    return frozenset(positive), frozenset(negative)


def accepts(place: Place) -> bool:
    """Whether a string that ends here is one of those asked for."""
    wanted, unwanted = place
    return all(state.accepts for state in wanted) and not any(state.accepts for state in unwanted)


def ranges(place: Place) -> Iterator[tuple[int, int, Place]]:
    """Ranges of code points and the place each leads to; those that lead nowhere are left out."""
    wanted, unwanted = place
    if not wanted and not unwanted:
        yield 0, MAX_CODE_POINT, place
        return
    if len(wanted) + len(unwanted) == 1:
        (state,) = wanted or unwanted
        starts, targets = state.edges()
        memo: dict[State, Place | None] = {}
        for i, target in enumerate(targets):
            if target in memo:
                following = memo[target]
            else:
                following = memo[target] = _kept((target,), ()) if wanted else _kept((), (target,))
            if following is not None:
                yield starts[i], starts[i + 1] - 1 if i + 1 < len(starts) else MAX_CODE_POINT, following
        return
    states = (*wanted, *unwanted)
    split = len(wanted)
    changes: list[tuple[int, int, State]] = []
    values: list[State] = []
    for i, state in enumerate(states):
        starts, targets = state.edges()
        values.append(targets[0])
        changes += zip(starts[1:], itertools.repeat(i), targets[1:])
    # No two are for the same place of the same state, so the states themselves are never compared.
    changes.sort()
    known: dict[tuple[State, ...], Place | None] = {}
    low = 0
    for bound, i, target in (*changes, (MAX_CODE_POINT + 1, 0, states[0])):
        if bound != low:
            if not (split and values[0].dead):  # what most characters lead to
                key = tuple(values)
                if key in known:
                    following = known[key]
                else:
                    following = known[key] = _kept(key[:split], key[split:])
                if following is not None:
                    yield low, bound - 1, following
            low = bound
        values[i] = target


def alternatives(place: Place) -> list[Place]:
    """Places whose union is `place`: one for each choice of a member of each wanted language."""
    wanted, unwanted = place
    choices = [automaton.alternatives(state) for state in wanted]
    if all(len(choice) == 1 for choice in choices):
        return [place]
    kept = [_kept(choice, unwanted) for choice in itertools.product(*choices)]
    return [following for following in kept if following is not None]


class Graph:
    """The places seen so far, and which of them lead to an accepted string."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._edges: dict[Place, dict[Place, list[tuple[int, int]]]] = {}
        self._alive: dict[Place, bool] = {}

    def edges(self, place: Place) -> dict[Place, list[tuple[int, int]]]:
        """The places one character on, each with the ranges of characters that lead there."""
        found = self._edges.get(place)
        if found is None:
            self._budget.spend(1, WHERE)
            found = {}
            for low, high, target in ranges(place):
                if best(low, high) is not None:
                    found.setdefault(target, []).append((low, high))
            self._edges[place] = found
        return found

    def alive(self, place: Place) -> bool:
        """Whether an accepted place can be reached from `place`, itself included."""
        known = self._alive.get(place)
        if known is not None:
            return known
        parents: dict[Place, Place | None] = {place: None}
        queue = [place]
        for at in queue:
            if self._alive.get(at) or accepts(at):
                step: Place | None = at
                while step is not None:
                    self._alive[step] = True
                    step = parents[step]
                return True
            for target in self.edges(at):
                if target not in parents and self._alive.get(target) is not False:
                    parents[target] = at
                    queue.append(target)
        self._alive.update(dict.fromkeys(queue, False))
        return False
