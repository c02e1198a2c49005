"""Arrays: what must hold of items by their index, items that must be there, how many, and whether they differ."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from deedbox.checker.json_schema.inclusion import terms as t
from deedbox.checker.json_schema.inclusion.results import (
    EMPTY,
    FOUND,
    MAX_SIZE,
    NOTHING,
    UNKNOWN,
    Result,
    found,
    unknown,
)
from deedbox.checker.json_schema.inclusion.values import ARRAY, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.inclusion.tableau import Tableau
    from deedbox.checker.json_schema.inclusion.terms import Term

MAX_ITEMS: Final = 5_000
"""Longer arrays are not made."""
_MAX_DIFFERENT: Final = 600
_FEW: Final = 8


class Facts:
    """The literals of an array, gathered."""

    def __init__(self, tableau: Tableau, literals: tuple[Term, ...]) -> None:
        self.tableau = tableau
        self.every: list[tuple[int, int | None, Term]] = []
        self.some: list[tuple[int, int | None, Term]] = []
        self.holds: list[tuple[Term, int]] = []
        self.holds_fewer: list[tuple[Term, int]] = []
        self.low, self.high = 0, 1 << 60
        self.unique = self.repeated = False
        self.barred: frozenset[Any] = frozenset()
        self.undecided = ""
        not_ = tableau.terms.not_
        for literal in literals:
            negated = literal.kind == t.NOT
            atom = literal.args[0] if negated else literal
            kind, args = atom.kind, atom.args
            if kind == t.ALLI:
                if negated:
                    self.some.append((args[0], args[1], not_(args[2])))
                else:
                    self.every.append(args)
            elif kind == t.LEN:
                if negated:
                    self.high = min(self.high, args[0] - 1)
                else:
                    self.low = max(self.low, args[0])
            elif kind == t.CONT:
                (self.holds_fewer if negated else self.holds).append(args)
            elif kind == t.UNIQ:
                if negated:
                    self.repeated = True
                else:
                    self.unique = True
            elif kind == t.ENUM:
                self.barred |= args[0]
            elif kind == t.UNK:
                self.undecided = args[0]
        ends = {n for low, high, _ in (*self.every, *self.some) for n in (low, high) if n is not None}
        self.bounds = sorted(ends | {0})
        """Indexes at which something changes; all from the last on are alike."""
        self._bases: dict[int, Term] = {}

    def segment(self, index: int) -> int:
        """The last bound up to an index: items of one segment are under the same rules."""
        last = 0
        for bound in self.bounds:
            if bound > index:
                break
            last = bound
        return last

    def item(self, index: int) -> Term:
        """What the item at an index must be, if there is one."""
        segment = self.segment(index)
        known = self._bases.get(segment)
        if known is None:
            parts = [x for low, high, x in self.every if low <= segment and (high is None or segment < high)]
            known = self._bases[segment] = self.tableau.terms.and_(parts)
        return known


def without_dead_ends(tableau: Tableau, goal: Term) -> Term:
    """The goal less the alternatives that ask for an item which cannot be."""
    terms = tableau.terms
    while True:
        literals = goal.args if goal.kind == t.AND else (goal,)
        facts = Facts(tableau, literals)
        kept: list[Term] = []
        changed = False
        for literal in literals:
            if literal.kind == t.OR:
                alive = [x for x in literal.args if not _dead(tableau, facts, x)]
                if len(alive) < len(literal.args):
                    changed = True
                    if not alive:
                        return terms.false
                    kept.append(terms.or_(alive))
                    continue
            kept.append(literal)
        if not changed:
            return goal
        goal = terms.and_(kept)
        if goal is terms.false:
            return goal


def _dead(tableau: Tableau, facts: Facts, alternative: Term) -> bool:
    terms = tableau.terms
    for part in alternative.args if alternative.kind == t.AND else (alternative,):
        if part.kind != t.NOT or part.args[0].kind != t.ALLI:
            continue
        low, high, term = part.args[0].args
        places = {low, *(b for b in facts.bounds if low < b and (high is None or b < high))}
        wanted = terms.not_(term)
        if all(
            place >= facts.high or tableau.sat(terms.and_((facts.item(place), wanted))).status == EMPTY
            for place in sorted(places)
        ):
            return True
    return False


def solve(tableau: Tableau, goal: Term, literals: tuple[Term, ...]) -> Result:
    """An array of literals, without alternatives."""
    facts = Facts(tableau, literals)
    # An item beyond all bounds that nothing asks for may go: no array needs more than these.
    shortest = max([facts.low, *(low + 1 for low, _, _ in facts.some), *(n for _, n in facts.holds)])
    asked = len(facts.some) + sum(n for _, n in facts.holds) + 2 * facts.repeated
    longest = min(facts.high, max(shortest, facts.bounds[-1] + asked))
    if shortest > facts.high:
        return NOTHING
    if shortest > MAX_ITEMS:
        if tableau.sat(facts.item(facts.bounds[-1])).status == EMPTY and facts.bounds[-1] < shortest:
            return NOTHING
        if facts.unique and shortest > facts.bounds[-1] + _FEW:
            values, complete, _ = tableau.distinct(facts.item(facts.bounds[-1]), _FEW)
            if complete and len(values) < _FEW:  # few values, and more items than that to differ
                return NOTHING
        return unknown(f"an array of {shortest} items, which is not made")
    solver = _Solver(tableau, facts)
    for length in range(shortest, longest + 1):
        tableau.budget.spend(1, tableau.where)
        value = solver.of_length(length)
        if value is not None:
            if facts.undecided:
                return unknown(facts.undecided)
            if facts.barred and solver.size <= MAX_SIZE:
                key = key_of(value)
                if key in facts.barred:
                    return _other_than(tableau, goal, key)
            return found(value, solver.size)
        if solver.too_long:
            break
    return unknown(solver.reason) if solver.reason else NOTHING


def _other_than(tableau: Tableau, goal: Term, key: Any) -> Result:
    """The goal's value is one that is left out: the ways to differ from it are asked one by one."""
    terms = tableau.terms
    items = key[1]
    ways = [terms.at_least(t.LEN, len(items) + 1)]
    if items:
        ways.append(terms.not_(terms.at_least(t.LEN, len(items))))
    ways += [terms.not_(terms.items(i, i + 1, terms.enum(frozenset((item,))))) for i, item in enumerate(items)]
    return tableau.first_of((terms.and_((goal, way)) for way in ways), ARRAY)


class _Solver:
    """Gives each item that must be there an index, one length at a time."""

    def __init__(self, tableau: Tableau, facts: Facts) -> None:
        self.tableau, self.facts = tableau, facts
        self.reason = ""
        self.size = 1
        self.too_long = False
        self._failed: set[Any] = set()
        self._length = 0
        self._pair: tuple[int, int] | None = None

    def of_length(self, length: int) -> list[Any] | None:
        """An array of a length."""
        facts = self.facts
        for index in (b for b in facts.bounds if b < length):
            # Nothing at this index, and so nothing of this length or more.
            answer = self.tableau.sat(facts.item(index))
            if answer.status == EMPTY:
                self.too_long = True
                return None
        self._length = length
        for pair in self._pairs(length):
            self._pair = pair
            self._failed.clear()
            some = tuple(range(len(facts.some)))
            value = self._place(
                0, [], some, tuple(n for _, n in facts.holds), tuple(n - 1 for _, n in facts.holds_fewer)
            )
            if value is not None:
                return value
        return None

    def _pairs(self, length: int) -> Iterator[tuple[int, int] | None]:
        """Which two items are to be equal, where two must."""
        if not self.facts.repeated:
            yield None
            return
        for first, second in itertools.combinations(range(length), 2):
            self.tableau.budget.spend(1, self.tableau.where)
            yield first, second

    def _place(
        self,
        start: int,
        goals: list[Term],
        some: tuple[int, ...],
        holds: tuple[int, ...],
        quotas: tuple[int, ...],
    ) -> list[Any] | None:
        """Values for `goals` and all items from `start` on.

        Args:
            start: the index of the next item.
            goals: what the items before must be.
            some: which of the items that must be there have no index yet.
            holds: how many of each kind are still wanted.
            quotas: how many of each kind may still come.
        """
        facts, tableau = self.facts, self.tableau
        terms = tableau.terms
        index = start
        goals = list(goals)
        # Items that nothing is asked of need no recursion.
        while index < self._length and not some and not any(holds) and not quotas and self._pair is None:
            goals.append(facts.item(index))
            index += 1
        if index == self._length:
            return self._values(goals) if not some and not any(n > 0 for n in holds) else None
        state = (index, some, holds, quotas)
        if state in self._failed:
            return None
        tableau.budget.spend(1, tableau.where)
        pair, weight, places = self._pair, 1, [index]
        base = facts.item(index)
        if pair is not None and index == pair[1]:
            return self._place(index + 1, [*goals, goals[pair[0]]], some, holds, quotas)
        if pair is not None and index == pair[0]:
            base, weight, places = terms.and_((base, facts.item(pair[1]))), 2, [index, pair[1]]
        here = [i for i in some if any(_within(p, *facts.some[i][:2]) for p in places)]
        open_kinds = [i for i, n in enumerate(holds) if n > 0]
        for met, kinds, allowed in self._choices(here, open_kinds, quotas, weight):
            parts = [base, *(facts.some[i][2] for i in met), *(facts.holds[i][0] for i in kinds)]
            parts += [terms.not_(facts.holds_fewer[i][0]) for i in range(len(quotas)) if i not in allowed]
            wanted = terms.and_(parts)
            answer = tableau.sat(wanted)
            if answer.status != FOUND:
                if answer.status == UNKNOWN:
                    self.reason = answer.reason
                continue
            value = self._place(
                index + 1,
                [*goals, wanted],
                tuple(i for i in some if i not in met),
                tuple(n - weight if i in kinds else n for i, n in enumerate(holds)),
                tuple(n - weight if i in allowed else n for i, n in enumerate(quotas)),
            )
            if value is not None:
                return value
        if not facts.unique:
            self._failed.add(state)
        return None

    def _choices(
        self, here: list[int], kinds: list[int], quotas: tuple[int, ...], weight: int
    ) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
        """What an item may stand for: which of the items asked for, which kinds, and which quotas it may use up."""
        wanted = [(0, i) for i in here] + [(1, i) for i in kinds]
        free = [i for i, n in enumerate(quotas) if n >= weight]
        sizes = [1, 0, *range(2, len(wanted) + 1)] if wanted else [0]
        for size in sizes:
            for chosen in itertools.combinations(wanted, size):
                for used in range(len(free) + 1):
                    for allowed in itertools.combinations(free, used):
                        self.tableau.budget.spend(1, self.tableau.where)
                        yield (
                            tuple(i for kind, i in chosen if kind == 0),
                            tuple(i for kind, i in chosen if kind == 1),
                            allowed,
                        )

    def _values(self, goals: list[Term]) -> list[Any] | None:
        if self.facts.unique:
            return self._different(goals)
        values = []
        self.size = 1
        for goal in goals:
            answer = self.tableau.sat(goal)
            if answer.status != FOUND:
                if answer.status == UNKNOWN:
                    self.reason = answer.reason
                return None
            values.append(answer.value)
            self.size += answer.size
        return values

    def _different(self, goals: list[Term]) -> list[Any] | None:
        """Different values for all goals: those with fewer values than there are goals are matched (Hall, König)."""
        count = len(goals)
        if count == 0:
            return []
        if count > _MAX_DIFFERENT:
            kinds = set(goals)
            for goal in kinds:
                # Few values and more items of them than that: no array.
                values, complete, _ = self.tableau.distinct(goal, _FEW)
                if complete and goals.count(goal) > len(values):
                    return None
            self.reason = f"an array of {count} different items, which is not made"
            return None
        known: dict[Term, list[Result]] = {}
        for goal in goals:
            if goal not in known:
                values, complete, reason = self.tableau.distinct(goal, count)
                if not complete and reason:
                    self.reason = reason
                    return None
                known[goal] = values
        keys = {goal: [key_of(v.value) for v in values] for goal, values in known.items()}
        options = [keys[goal] for goal in goals]
        holder: dict[Any, int] = {}

        def give(at: int, tried: set[Any]) -> bool:
            self.tableau.budget.spend(1, self.tableau.where)
            for key in options[at]:
                if key not in tried:
                    tried.add(key)
                    if key not in holder or give(holder[key], tried):
                        holder[key] = at
                        return True
            return False

        for at in sorted(range(count), key=lambda i: len(options[i])):
            self.tableau.budget.spend(1, self.tableau.where)
            if not give(at, set()):
                return None
        chosen: list[Any] = [None] * count
        self.size = 1
        for key, at in holder.items():
            one = known[goals[at]][options[at].index(key)]
            chosen[at] = one.value
            self.size += one.size
        return chosen


def _within(place: int, start: int, end: int | None) -> bool:
    return start <= place and (end is None or place < end)
