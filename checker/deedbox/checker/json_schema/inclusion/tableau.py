"""The search itself: whether a term has a value, and one.

A goal is a term at one place of the message. It is asked sort by sort; alternatives are tried, those first that leave the
least open; what is left without alternatives is solved for its sort, which asks new goals for members and items.

Recursion. A goal that comes up again below itself is taken as empty there: a value of it that needed a value of it
inside would not be the smallest. What was found empty on that assumption is kept only as long as the goal is open, and
for good when the goal turns out empty itself.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING, Any, Final

from deedbox.checker.json_schema.inclusion import arrays, numbers, objects, strings
from deedbox.checker.json_schema.inclusion import terms as t
from deedbox.checker.json_schema.inclusion.evaluation import holds
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
from deedbox.checker.json_schema.inclusion.strings import Strings
from deedbox.checker.json_schema.inclusion.values import (
    ARRAY,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    SORTS,
    STRING,
    key_of,
    ordered,
    value_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from deedbox.checker.budget import Budget
    from deedbox.checker.json_schema.inclusion.terms import Term, Terms

MAX_DEPTH: Final = 64
"""Levels of a message that are looked into."""
_NO_ASSUMPTION: Final = 1 << 30
_PATIENCE: Final = 3
"""Branchings of one goal before it counts as stubborn."""
_MOST_AHEAD: Final = 600
_BOOLEANS: Final = (True, False)


class Tableau:
    """Goals, what is known of them, and the budget they are asked with."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.budget: Budget
        self.where = ""
        self._goals: dict[Term, Result] = {}
        self._known: dict[tuple[int, Term], Result] = {}
        self._open: dict[tuple[int, Term], int] = {}
        self._provisional: dict[tuple[int, Term], int] = {}
        self._trail: list[tuple[int, Term]] = []
        self._low = _NO_ASSUMPTION
        self._effort = 0
        self._names: dict[Any, Strings] = {}
        self.generics: dict[Term, Term] = {}

    def start(self, budget: Budget) -> None:
        """Begins a search with a budget of its own; what is known stays."""
        self.budget = self.terms.budget = budget
        self._open.clear()
        self._provisional.clear()
        self._trail.clear()
        self._low = _NO_ASSUMPTION

    def sat(self, goal: Term) -> Result:
        """A value of a goal.

        Raises:
            BudgetExceeded: out of nodes or time.
        """
        known = self._goals.get(goal)
        if known is not None:
            return known
        self.budget.spend(1, self.where)
        outer, self._low = self._low, _NO_ASSUMPTION
        result = NOTHING
        for sort in SORTS:
            if not goal.mask & sort:
                continue
            spec = self.terms.spec(goal, sort)
            if spec is self.terms.false:
                continue
            answer = self._sat_sort(spec, sort)
            if answer.status == FOUND:
                result = answer
                break
            if answer.status == UNKNOWN:
                result = answer
        if result.status != EMPTY or self._low == _NO_ASSUMPTION:
            self._goals[goal] = result
        self._low = min(outer, self._low) if result.status != FOUND else outer
        return result

    def _sat_sort(self, goal: Term, sort: int) -> Result:
        if sort < ARRAY:
            if sort == NULL:
                return self._constant(goal, None)
            known = self._known.get((sort, goal))
            if known is None:
                known = self._known[sort, goal] = self.decide(goal, sort)
            return known
        key = (sort, goal)
        known = self._known.get(key)
        if known is not None:
            return known
        depth = self._open.get(key)
        if depth is None:
            depth = self._provisional.get(key)
        if depth is not None:
            self._low = min(self._low, depth)
            return NOTHING
        depth = len(self._open)
        if depth > MAX_DEPTH:
            return unknown(f"messages of more than {MAX_DEPTH} levels are not looked into")
        outer, self._low = self._low, _NO_ASSUMPTION
        effort, self._effort = self._effort, 0
        mark = len(self._trail)
        self._open[key] = depth
        try:
            result = self.decide(goal, sort)
        finally:
            del self._open[key]
            self._effort = effort
        self._settle(key, depth, result, mark)
        self._low = min(outer, self._low) if result.status != FOUND else outer
        return result

    def _settle(self, key: tuple[int, Term], depth: int, result: Result, mark: int) -> None:
        """Keeps what has been found out while a goal was open, as far as it still stands."""
        since, self._trail = self._trail[mark:], self._trail[:mark]
        if result.status != EMPTY:
            for entry in since:
                self._provisional.pop(entry, None)
            self._known[key] = result
            if result.status == UNKNOWN and self._low < depth:
                del self._known[key]
            if self._low >= depth:
                self._low = _NO_ASSUMPTION
            return
        if self._low >= depth:
            self._low = _NO_ASSUMPTION
            self._known[key] = result
            for entry in since:
                if self._provisional[entry] >= depth:
                    del self._provisional[entry]
                    self._known[entry] = NOTHING
                else:
                    self._trail.append(entry)
            return
        for entry in since:
            self._provisional[entry] = min(self._provisional[entry], self._low)
        self._provisional[key] = self._low
        self._trail += [*since, key]

    def _constant(self, goal: Term, value: Any) -> Result:
        truth = holds(self.terms, goal, value)
        if truth:
            return found(value)
        return NOTHING if truth is False else unknown(self.reason_in(goal))

    def reason_in(self, goal: Term) -> str:
        """Why a term is not decided."""
        stack, seen = [goal], set()
        while stack:
            term = stack.pop()
            if term in seen:
                continue
            seen.add(term)
            if term.kind == t.UNK:
                return str(term.args[0])
            if term.kind in (t.AND, t.OR, t.ONE, t.NOT):
                stack += term.args
        return "a pattern or a format that is not decided"

    def decide(self, goal: Term, sort: int) -> Result:
        """A value of one sort; the goal says nothing of others."""
        terms = self.terms
        if goal is terms.false:
            return NOTHING
        self.budget.spend(1, self.where)
        if sort == BOOLEAN:
            return self._one_of(goal, _BOOLEANS)
        literals = goal.args if goal.kind == t.AND else (goal,)
        branching = exclusive = False
        for term in literals:
            kind = term.kind
            if kind == t.ENUM:
                return self._one_of(goal, [value_of(k) for k in ordered(term.args[0])])
            if kind == t.OR:
                branching = True
            elif kind == t.ONE:
                exclusive = True
            elif kind == t.NOT and term.args[0].kind == t.ONE:
                branching = True
        if exclusive:
            return self._exclusive(goal, literals, sort)
        if branching:
            return self._branch(goal, sort)
        if sort == OBJECT:
            return objects.solve(self, goal, literals)
        if sort == ARRAY:
            return arrays.solve(self, goal, literals)
        if sort == NUMBER:
            return numbers.solve(literals, self.budget)
        answer = strings.solve(literals, 1, (), self.budget)
        if answer.strings:
            return found(answer.strings[0])
        return NOTHING if answer.complete else unknown(answer.reason)

    def _one_of(self, goal: Term, values: Collection[Any]) -> Result:
        result = NOTHING
        for value in values:
            self.budget.spend(1, self.where)
            answer = self._constant(goal, value)
            if answer.status == FOUND:
                return answer
            if answer.status == UNKNOWN:
                result = answer
        return result

    def _exclusive(self, goal: Term, literals: tuple[Term, ...], sort: int) -> Result:
        """`oneOf`: first as `anyOf`, which is often empty already or gives a value that is of one alone."""
        terms = self.terms
        relaxed = terms.and_([terms.or_(x.args) if x.kind == t.ONE else x for x in literals])
        result = self.decide(relaxed, sort)
        if result.status == EMPTY or (result.status == FOUND and holds(terms, goal, result.value)):
            return result
        return self.first_of(self.alternatives(goal) or [], sort)

    def _branch(self, goal: Term, sort: int) -> Result:
        terms = self.terms
        if sort == OBJECT:
            goal = objects.without_dead_ends(self, goal)
        elif sort == ARRAY:
            goal = arrays.without_dead_ends(self, goal)
        self._effort += 1
        if self._effort > _PATIENCE:
            goal = self._looked_ahead(goal)
        if goal is terms.false:
            return NOTHING
        alternatives = self.alternatives(goal)
        if alternatives is None:
            return self.decide(goal, sort)
        return self.first_of(alternatives, sort)

    def _looked_ahead(self, goal: Term) -> Term:
        """The goal less the alternatives that contradict the rest at a glance. Dear, and so for stubborn goals alone."""
        terms = self.terms
        literals = goal.args if goal.kind == t.AND else (goal,)
        choices = [x for x in literals if x.kind == t.OR]
        if len(choices) < 2 or sum(len(x.args) for x in choices) > _MOST_AHEAD:
            return goal
        for choice in choices:
            self.budget.spend(len(choice.args), self.where)
            kept = [x for x in choice.args if terms.and_((goal, x)) is not terms.false]
            if not kept:
                return terms.false
            if len(kept) < len(choice.args):
                goal = terms.and_((goal, terms.or_(kept)))
                if goal is terms.false:
                    return goal
        return goal

    def first_of(self, alternatives: Iterable[Term], sort: int) -> Result:
        """A value of the first alternative that has one; alternatives are made as they are asked for."""
        result = NOTHING
        for alternative in alternatives:
            if alternative is self.terms.false:
                continue
            answer = self.decide(alternative, sort)
            if answer.status == FOUND:
                return answer
            if answer.status == UNKNOWN:
                result = answer
        return result

    def alternatives(self, goal: Term) -> Iterable[Term] | None:
        """Goals of which the goal is the union, made by the disjunction with the fewest; None where it has none.

        They are made as they are asked for: of thousands the first may do.
        """
        terms = self.terms
        literals = goal.args if goal.kind == t.AND else (goal,)
        best: Term | None = None
        best_cost = 0.0
        for term in literals:
            if term.kind in (t.OR, t.ONE):
                # Few alternatives are good, and alternatives that say much: those settle other disjunctions.
                count = len(term.args)
                cost = log2(count) / (sum(_size(x)[0] or 1 for x in term.args) / count - 0.5)
            elif term.kind == t.NOT and term.args[0].kind == t.ONE:
                cost = 2 * log2(len(term.args[0].args)) + 2
            else:
                continue
            if best is None or cost < best_cost:
                best, best_cost = term, cost
        if best is None:
            return None
        self.budget.spend(len(best.args), self.where)
        rest = [x for x in literals if x is not best]
        if best.kind == t.OR:
            simplest = sorted(best.args, key=_size)
            return (terms.and_([*rest, x]) for x in simplest)
        if best.kind == t.ONE:
            made = []
            for one in best.args:
                others = [terms.not_(x) for x in best.args if x is not one]
                made.append(terms.and_([*rest, one, *others]))
            return made
        return self._not_one(rest, best.args[0].args)

    def _not_one(self, rest: list[Term], members: tuple[Term, ...]) -> list[Term]:
        """None of the members holds, or two do."""
        terms = self.terms
        beside = frozenset(rest)
        certain = [x for x in members if x in beside]
        left = [x for x in members if x not in beside and terms.not_(x) not in beside]
        if len(certain) > 1:
            return [terms.and_(rest)]
        if certain:
            return [terms.and_([*rest, x]) for x in left]
        made = [terms.and_([*rest, *(terms.not_(x) for x in left)])]
        for i, one in enumerate(left):
            with_one = terms.and_([*rest, one])
            if with_one is terms.false:
                continue
            self.budget.spend(len(left) - i, self.where)
            made += [terms.and_((with_one, other)) for other in left[i + 1 :]]
        return made

    def names(self, region: Term, count: int, used: frozenset[str]) -> Strings:
        """Up to `count` strings of a region of names, none of them used."""
        key = (region, count, used)
        known = self._names.get(key)
        if known is None:
            known = self._names[key] = self._make_names(self.terms.spec(region, STRING), count, used)
        return known

    def _make_names(self, region: Term, count: int, used: frozenset[str]) -> Strings:
        terms = self.terms
        if region is terms.false:
            return Strings([], True)
        self.budget.spend(1, self.where)
        literals = region.args if region.kind == t.AND else () if region is terms.true else (region,)
        for term in literals:
            if term.kind == t.ENUM:
                chosen, unsure = [], ""
                for name in ordered(term.args[0]):
                    if name in used:
                        continue
                    truth = holds(terms, region, name)
                    if truth:
                        chosen.append(name)
                    elif truth is None:
                        unsure = self.reason_in(region)
                return Strings(chosen[:count], not unsure and len(chosen) <= count, unsure)
        alternatives = self.alternatives(region)
        if alternatives is None:
            return strings.solve(literals, count, used, self.budget)
        chosen, complete, reason = [], True, ""
        for alternative in alternatives:
            more = self._make_names(alternative, count - len(chosen), used.union(chosen))
            chosen += more.strings
            complete, reason = complete and more.complete, reason or more.reason
            if len(chosen) >= count:
                return Strings(chosen, False)
        return Strings(chosen, complete, reason)

    def distinct(self, goal: Term, count: int) -> tuple[list[Result], bool, str]:
        """Up to `count` different values of a goal, whether there are no others, and why that is not known."""
        terms = self.terms
        values: list[Result] = []
        size = 0
        keys: set[Any] = set()
        while len(values) < count:
            asked = terms.and_((goal, terms.not_(terms.enum(frozenset(keys))))) if keys else goal
            answer = self.sat(asked)
            if answer.status == EMPTY:
                return values, True, ""
            if answer.status == UNKNOWN:
                return values, False, answer.reason
            size += answer.size
            if size > MAX_SIZE:
                return values, False, f"an array of more than {MAX_SIZE} values, which is not made"
            values.append(answer)
            keys.add(key_of(answer.value))
        return values, False, ""


def _size(term: Term) -> tuple[int, int]:
    return (len(term.args) if term.kind in (t.AND, t.OR) else 0, term.uid)
