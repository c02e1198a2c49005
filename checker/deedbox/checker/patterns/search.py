"""The question that proofs rest on: which strings are in all of these languages and in none of those?

The states of all languages are walked side by side, a level a character, and each combination is visited once. What
cannot lead anywhere any more is cut off at once: one language that is empty, an excluded one that holds everything, or
one that has come to the same state among the wanted and the excluded.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from deedbox.checker.budget import Budget, BudgetExceeded
from deedbox.checker.patterns import automaton
from deedbox.checker.patterns.automaton import State
from deedbox.checker.patterns.charset import MAX_CODE_POINT
from deedbox.checker.patterns.language import Language
from deedbox.checker.patterns.readable import best, preferred
from deedbox.checker.patterns.terms import AND, NOT, OR, Term

# The states of the wanted languages, then those of the excluded ones.
_Place: TypeAlias = tuple[frozenset[State], frozenset[State]]
# A string as its last character and what stands before, so that a thousand long ones cost no more than their tree.
_Path: TypeAlias = "tuple[_Path, int] | None"
_WHERE = "the search for a string"
_ANSWERS_KEPT = 4096
_SPLIT_AFTER, _SPLIT_WIDTH = 1_000, 100
_answers: dict[tuple[object, ...], Found] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """`strings`: distinct, shortest first. `exhausted`: there are no others; False: no more were asked for."""

    strings: tuple[str, ...]
    exhausted: bool


def find(
    positive: Sequence[Language],
    negative: Sequence[Language],
    *,
    min_length: int = 0,
    max_length: int | None = None,
    exclude: Collection[str] = (),
    count: int = 1,
    budget: Budget,
) -> Found:
    """Up to `count` strings of all `positive` and no `negative`, of `min_length` to `max_length` code points,
    not in `exclude`.

    Of the strings of one length readable ones come first (letters, digits, other ASCII, then the rest). Fewer than
    `count` strings are a proof that there are no others. A ⊆ B is `find([A], [B], …).exhausted`.

    Raises:
        BudgetExceeded: neither found nor exhausted within `budget`.
        NotRegular: lookaheads combine in too many ways.
    """
    if count < 1 or (max_length is not None and max_length < min_length):
        return Found((), max_length is not None and max_length < min_length)
    excluded = frozenset(exclude)
    key = (tuple(positive), tuple(negative), min_length, max_length, excluded, count)
    known = _answers.get(key)
    if known is not None:
        return known
    wanted = list(positive)
    if min_length > 0:
        wanted.append(Language.length(min_length))
    unwanted = list(negative)
    if excluded:
        unwanted.append(Language.literals(excluded))
    budget.start()
    found: Found | None = None
    try:
        place = _start(wanted, unwanted)
        if place is None:
            found = Found((), True)
        elif count == 1:
            found = _first(place, max_length, budget, split=False) or _first(place, max_length, budget, split=True)
        else:
            found = _several(place, max_length, count, budget)
        assert found is not None
    except RecursionError:
        raise BudgetExceeded(f"{_WHERE}: a pattern is nested too deeply") from None
    if len(_answers) >= _ANSWERS_KEPT:
        _answers.clear()
    _answers[key] = found
    return found


def sample(pattern: str | Language, count: int = 5, *, budget: Budget) -> tuple[str, ...]:
    """Up to `count` readable strings that a pattern matches, shortest first.

    Raises:
        PatternError, NotRegular: as `Language.of`.
        BudgetExceeded: as `find`.
    """
    language = pattern if isinstance(pattern, Language) else Language.of(pattern)
    return find([language], [], count=count, budget=budget).strings


def _start(wanted: Iterable[Language], unwanted: Iterable[Language]) -> _Place | None:
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


def _kept(wanted: Iterable[State], unwanted: Iterable[State]) -> _Place | None:
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
            if good is bad or _inside(good.term, bad.term):
                return None
    return frozenset(positive), frozenset(negative)


def _inside(part: Term, whole: Term) -> bool:
    """Whether `part` is visibly included in `whole`, without looking past their members."""
    if part.behinds or whole.behinds:
        return False  # equal terms may differ in what stands before
    if part is whole:
        return True
    if whole.kind == OR:
        others = part.members if part.kind == OR else (part,)
        return all(term in whole.members for term in others)
    return part.kind == AND and whole in part.members


def _accepts(place: _Place) -> bool:
    wanted, unwanted = place
    return all(state.accepts for state in wanted) and not any(state.accepts for state in unwanted)


def _ranges(place: _Place) -> Iterator[tuple[int, int, _Place]]:
    """Ranges of code points and the place each leads to; those that lead nowhere are left out."""
    wanted, unwanted = place
    if not wanted and not unwanted:
        yield 0, MAX_CODE_POINT, place
        return
    if len(wanted) + len(unwanted) == 1:
        (state,) = wanted or unwanted
        starts, targets = state.edges()
        memo: dict[State, _Place | None] = {}
        for i, target in enumerate(targets):
            if target in memo:
                following = memo[target]
            else:
                following = memo[target] = _kept((target,), ()) if wanted else _kept((), (target,))
            if following is not None:
                yield starts[i], starts[i + 1] - 1 if i + 1 < len(starts) else MAX_CODE_POINT, following
        return
    parts = [state.edges() for state in (*wanted, *unwanted)]
    split = len(wanted)
    bounds = sorted(set().union(*(starts for starts, _ in parts)))
    at = [0] * len(parts)
    known: dict[tuple[State, ...], _Place | None] = {}
    for number, bound in enumerate(bounds):
        for i, (starts, _) in enumerate(parts):
            if at[i] + 1 < len(starts) and starts[at[i] + 1] <= bound:
                at[i] += 1
        values = tuple([part[1][at[i]] for i, part in enumerate(parts)])
        if values in known:
            following = known[values]
        else:
            following = known[values] = _kept(values[:split], values[split:])
        if following is not None:
            yield bound, bounds[number + 1] - 1 if number + 1 < len(bounds) else MAX_CODE_POINT, following


def _first(start: _Place, max_length: int | None, budget: Budget, *, split: bool) -> Found | None:
    """The shortest string, among the shortest the most readable.

    With `split` each alternative of a wanted language is followed for itself, as in a nondeterministic automaton: more
    places for a simple pattern, but where together they would be exponentially many these are not. Without it the
    search gives up, with None, where that is likely.
    """
    if _accepts(start):
        return Found(("",), False)
    seen = {start}
    level: dict[_Place, tuple[int, _Path]] = {start: (0, None)}
    length = 0
    while level and (max_length is None or length < max_length):
        if not split and len(level) > _SPLIT_WIDTH and len(seen) > _SPLIT_AFTER:
            return None
        length += 1
        following: dict[_Place, tuple[int, _Path]] = {}
        chosen: tuple[int, _Path] | None = None
        for place, (cost, path) in level.items():
            budget.spend(1, _WHERE)
            for low, high, whole in _ranges(place):
                if whole in seen:
                    continue
                character = best(low, high)
                if character is None:
                    continue
                total = cost + character[0]
                for target in _alternatives(whole) if split else (whole,):
                    known = following.get(target)
                    if target not in seen and (known is None or total < known[0]):
                        following[target] = total, (path, character[1])
        for place, candidate in following.items():
            if _accepts(place) and (chosen is None or candidate[0] < chosen[0]):
                chosen = candidate
        if chosen is not None:
            return Found((_text(chosen[1]),), False)
        seen.update(following)
        level = following
    return Found((), True)


def _alternatives(place: _Place) -> list[_Place]:
    """Places whose union is `place`: one for each choice of a member of each wanted language."""
    wanted, unwanted = place
    choices = [automaton.alternatives(state) for state in wanted]
    if all(len(choice) == 1 for choice in choices):
        return [place]
    kept = [_kept(choice, unwanted) for choice in itertools.product(*choices)]
    return [following for following in kept if following is not None]


def _text(path: _Path) -> str:
    codes: list[int] = []
    while path is not None:
        path, code = path
        codes.append(code)
    return "".join(map(chr, reversed(codes)))


def _several(start: _Place, max_length: int | None, count: int, budget: Budget) -> Found:
    """The `count` shortest strings. Paths to one place share their future: `count` a place and level suffice."""
    graph = _Graph(budget)
    strings: list[str] = []
    level: dict[_Place, list[tuple[int, _Path]]] = {start: [(0, None)]}
    length = 0
    while True:
        accepted = [path for place, paths in level.items() if _accepts(place) for path in paths]
        accepted.sort(key=lambda found: found[0])
        strings += [_text(path) for _, path in accepted[: count - len(strings)]]
        if len(strings) >= count:
            return Found(tuple(strings), False)
        if length == max_length:
            return Found(tuple(strings), True)
        length += 1
        arriving: dict[_Place, list[tuple[int, _Path]]] = {}
        for place, paths in level.items():
            for target, ranges in graph.edges(place).items():
                if not graph.alive(target):
                    continue
                characters = _characters(ranges, count)
                budget.spend(1 + len(paths) * len(characters) // 16, _WHERE)
                arriving.setdefault(target, []).extend(
                    (cost + more, (path, code)) for cost, path in paths for more, code in characters
                )
        level = {
            place: heapq.nsmallest(count, paths, key=lambda found: found[0]) if len(paths) > count else paths
            for place, paths in arriving.items()
        }
        if not level:
            return Found(tuple(strings), True)


def _characters(ranges: list[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    if len(ranges) == 1:
        return list(itertools.islice(preferred(*ranges[0]), count))
    return heapq.nsmallest(count, (c for low, high in ranges for c in itertools.islice(preferred(low, high), count)))


class _Graph:
    """The places seen so far, and which of them lead to an accepted string."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._edges: dict[_Place, dict[_Place, list[tuple[int, int]]]] = {}
        self._alive: dict[_Place, bool] = {}

    def edges(self, place: _Place) -> dict[_Place, list[tuple[int, int]]]:
        """The places one character on, each with the ranges of characters that lead there."""
        found = self._edges.get(place)
        if found is None:
            self._budget.spend(1, _WHERE)
            found = {}
            for low, high, target in _ranges(place):
                if best(low, high) is not None:
                    found.setdefault(target, []).append((low, high))
            self._edges[place] = found
        return found

    def alive(self, place: _Place) -> bool:
        """Whether an accepted place can be reached from `place`, itself included."""
        known = self._alive.get(place)
        if known is not None:
            return known
        parents: dict[_Place, _Place | None] = {place: None}
        queue = [place]
        for at in queue:
            if self._alive.get(at) or _accepts(at):
                step: _Place | None = at
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
