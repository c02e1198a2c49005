"""The question that proofs rest on: which strings are in all of these languages and in none of those?

The states of all languages are walked side by side, a level a character, and each combination is visited once. What
cannot lead anywhere any more is cut off at once: one language that is empty, an excluded one that holds everything, or
one that has come to the same state among the wanted and the excluded.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from deedbox.checker.budget import Budget, BudgetExceeded
from deedbox.checker.patterns import places
from deedbox.checker.patterns.language import Language
from deedbox.checker.patterns.places import WHERE, Graph, Place
from deedbox.checker.patterns.readable import best, preferred

# A string as its last character and what stands before, so that a thousand long ones cost no more than their tree.
_Path: TypeAlias = "tuple[_Path, int] | None"
_ANSWERS_KEPT: Final = 4096
# A search as wide as this after so many places is likely to be one that must be split.
_SPLIT_AFTER: Final = 1_000
_SPLIT_WIDTH: Final = 100
# From this least length on a string is made by walking in circles, over a graph of so many places at most.
_LONG: Final = 64
_CIRCUIT: Final = 500
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
    unwanted = [*negative, Language.literals(excluded)] if excluded else negative
    budget.start()
    try:
        found = None
        if min_length >= _LONG and count == 1:
            found = _long(places.start(positive, unwanted), min_length, max_length, budget)
        if found is None:
            wanted = [*positive, Language.length(min_length)] if min_length > 0 else positive
            found = _shortest(places.start(wanted, unwanted), max_length, count, budget)
    except RecursionError:
        raise BudgetExceeded(f"{WHERE}: a pattern is nested too deeply") from None
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


def _shortest(place: Place | None, max_length: int | None, count: int, budget: Budget) -> Found:
    if place is None:
        return Found((), True)
    if count > 1:
        return _several(place, max_length, count, budget)
    found = _first(place, max_length, budget, split=False) or _first(place, max_length, budget, split=True)
    assert found is not None
    return found


def _first(start: Place, max_length: int | None, budget: Budget, *, split: bool) -> Found | None:
    """The shortest string, among the shortest the most readable.

    With `split` each alternative of a wanted language is followed for itself, as in a nondeterministic automaton: more
    places for a simple pattern, but where together they would be exponentially many these are not. Without it the
    search gives up, with None, where that is likely.
    """
    if places.accepts(start):
        return Found(("",), False)
    seen = {start}
    level: dict[Place, tuple[int, _Path]] = {start: (0, None)}
    length = 0
    while level and (max_length is None or length < max_length):
        if not split and len(level) > _SPLIT_WIDTH and len(seen) > _SPLIT_AFTER:
            return None
        length += 1
        following: dict[Place, tuple[int, _Path]] = {}
        for place, (cost, path) in level.items():
            budget.spend(1, WHERE)
            for low, high, whole in places.ranges(place):
                if whole in seen:
                    continue
                character = best(low, high)
                if character is None:
                    continue
                total = cost + character[0]
                for target in places.alternatives(whole) if split else (whole,):
                    known = following.get(target)
                    if target not in seen and (known is None or total < known[0]):
                        following[target] = total, (path, character[1])
        accepted = [found for place, found in following.items() if places.accepts(place)]
        if accepted:
            least = min(cost for cost, _ in accepted)
            return Found((min(_text(path) for cost, path in accepted if cost == least),), False)
        seen.update(following)
        level = following
    return Found((), True)


def _long(start: Place | None, least: int, most: int | None, budget: Budget) -> Found | None:
    """The shortest string of `least` characters or more; None where the graph is too large for this.

    The places from which a string can end in exactly k characters are sets that repeat as k grows, so that a length of
    thousands needs neither thousands of states nor a search.
    """
    if start is None:
        return Found((), True)
    graph = Graph(budget)
    order = [start]
    index = {start: 0}
    steps: list[list[tuple[tuple[int, int], int]]] = []  # for each place: cost and code point, and where it leads
    for place in order:
        following: list[tuple[tuple[int, int], int]] = []
        for target, ranges in graph.edges(place).items():
            if target not in index:
                if len(order) == _CIRCUIT:
                    return None
                index[target] = len(order)
                order.append(target)
            following.append((_characters(ranges, 1)[0], index[target]))
        steps.append(sorted(following))
    successors = [sum({1 << target for _, target in following}) for following in steps]
    ending = [sum(1 << i for i, place in enumerate(order) if places.accepts(place))]
    first_seen = {ending[0]: 0}
    period = 0
    while not period and (most is None or len(ending) <= most):
        budget.spend(1 + len(order) // 16, WHERE)
        now = sum(1 << i for i, reached in enumerate(successors) if reached & ending[-1])
        if now in first_seen:
            period = len(ending) - first_seen[now]
        else:
            first_seen[now] = len(ending)
            ending.append(now)

    def ends_in(length: int) -> int:
        if length >= len(ending):
            length = len(ending) - period + (length - len(ending)) % period
        return ending[length]

    last = max(least, len(ending)) + period
    for length in range(least, last if most is None else min(last, most + 1)):
        if ends_in(length) & 1:
            break
    else:
        return Found((), True)
    at, codes = 0, []
    for left in range(length - 1, -1, -1):
        budget.spend(left & 3 == 0, WHERE)
        reachable = ends_in(left)
        (_, code), at = next(step for step in steps[at] if reachable >> step[1] & 1)
        codes.append(code)
    return Found(("".join(map(chr, codes)),), False)


def _text(path: _Path) -> str:
    codes: list[int] = []
    while path is not None:
        path, code = path
        codes.append(code)
    return "".join(map(chr, reversed(codes)))


def _several(start: Place, max_length: int | None, count: int, budget: Budget) -> Found:
    """The `count` shortest strings. Paths to one place share their future: `count` a place and level suffice."""
    graph = Graph(budget)
    strings: list[str] = []
    level: dict[Place, list[tuple[int, _Path]]] = {start: [(0, None)]}
    length = 0
    while True:
        accepted = [found for place, paths in level.items() if places.accepts(place) for found in paths]
        strings += [text for _, text in sorted((cost, _text(path)) for cost, path in accepted)[: count - len(strings)]]
        if len(strings) >= count:
            return Found(tuple(strings), False)
        if length == max_length:
            return Found(tuple(strings), True)
        length += 1
        arriving: dict[Place, list[tuple[int, _Path]]] = {}
        for place, paths in level.items():
            for target, ranges in graph.edges(place).items():
                if not graph.alive(target):
                    continue
                characters = _characters(ranges, count)
                budget.spend(1 + len(paths) * len(characters) // 16, WHERE)
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
