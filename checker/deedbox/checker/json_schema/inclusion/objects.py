"""Objects: what must hold of every member of a region of names, members that must be there, and how many there are.

Names that regions mention one by one are looked at one by one; all others fall into cells, by the patterns they match.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

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
from deedbox.checker.json_schema.inclusion.values import OBJECT, STRING, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.inclusion.tableau import Tableau
    from deedbox.checker.json_schema.inclusion.terms import Term

MAX_MEMBERS: Final = 2_000
"""Larger objects are not made."""


class Facts:
    """The literals of an object, gathered by region."""

    def __init__(self, tableau: Tableau, literals: tuple[Term, ...]) -> None:
        self.tableau = tableau
        self.by_name: dict[str, list[Term]] = {}
        self.everywhere: list[tuple[Term, Term]] = []
        """(region, term) of each ALL whose region is more than a list of names."""
        self.must: dict[str, list[Term]] = {}
        self.some: list[tuple[Term, Term]] = []
        self.low, self.high = 0, 1 << 60
        self.barred: frozenset[Any] = frozenset()
        self.undecided = ""
        self.doubt = ""
        """Set where it is not known whether a name is in a region: then nothing is proved empty."""
        self._members: dict[str, Term] = {}
        self._listed: set[str] | None = None
        not_ = tableau.terms.not_
        for literal in literals:
            negated = literal.kind == t.NOT
            atom = literal.args[0] if negated else literal
            kind = atom.kind
            if kind == t.ALL:
                region, term = atom.args
                if negated:
                    if region.kind == t.ENUM and len(region.args[0]) == 1:
                        (name,) = region.args[0]
                        self.must.setdefault(name, []).append(not_(term))
                    else:
                        self.some.append((region, not_(term)))
                elif region.kind == t.ENUM:
                    for name in region.args[0]:
                        self.by_name.setdefault(name, []).append(term)
                else:
                    self.everywhere.append((region, term))
            elif kind == t.CNT:
                if negated:
                    self.high = min(self.high, atom.args[0] - 1)
                else:
                    self.low = max(self.low, atom.args[0])
            elif kind == t.ENUM:
                self.barred |= atom.args[0]
            elif kind == t.UNK:
                self.undecided = atom.args[0]

    def member(self, name: str) -> Term:
        """What the value under a name must be, if there is one."""
        known = self._members.get(name)
        if known is None:
            terms = self.tableau.terms
            parts = list(self.by_name.get(name, ()))
            for region, term in self.everywhere:
                inside = holds(terms, region, name)
                if inside is None:
                    self.doubt = self.tableau.reason_in(region)
                if inside is not False:
                    parts.append(term)
            known = self._members[name] = terms.and_(parts)
        return known

    @property
    def listed(self) -> set[str]:
        """All names that regions mention."""
        if self._listed is None:
            names = self._listed = {*self.by_name, *self.must}
            for region, _ in (*self.everywhere, *self.some):
                stack = [region]
                while stack:
                    term = stack.pop()
                    if term.kind == t.ENUM:
                        names.update(term.args[0])
                    elif term.kind < t.TYPE:
                        stack += term.args
        return self._listed

    def goal(self, name: str) -> Term:
        """What a member that must be there has to be."""
        return self.tableau.terms.and_((self.member(name), *self.must[name]))


def generic(tableau: Tableau, region: Term) -> Term:
    """What a region says of names that are mentioned nowhere."""
    known = tableau.generics.get(region)
    if known is None:
        terms = tableau.terms
        spec = terms.spec(region, STRING)
        kind = spec.kind
        if kind == t.ENUM:
            known = terms.false
        elif kind == t.NOT:
            known = terms.not_(generic(tableau, spec.args[0]))
        elif kind in (t.AND, t.OR, t.ONE):
            make = {t.AND: terms.and_, t.OR: terms.or_, t.ONE: terms.one}[kind]
            known = make([generic(tableau, part) for part in spec.args])
        else:
            known = spec
        tableau.generics[region] = known
    return known


def _under(region: Term, decided: dict[Term, bool]) -> bool | None:
    """The truth of a region where some of its atoms are decided; None where those do not settle it."""
    kind = region.kind
    if kind == t.NOT:
        truth = _under(region.args[0], decided)
        return None if truth is None else not truth
    if kind in (t.AND, t.OR):
        settling = kind == t.OR
        unsure = False
        for part in region.args:
            truth = _under(part, decided)
            if truth is settling:
                return settling
            unsure = unsure or truth is None
        return None if unsure else not settling
    if kind <= t.FALSE:
        return kind == t.TRUE
    return decided.get(region)


def _first_atom(region: Term, decided: dict[Term, bool]) -> Term:
    """An atom of the region that is not decided."""
    stack = [region]
    while stack:
        term = stack.pop()
        if term.kind in (t.AND, t.OR, t.NOT):
            stack += term.args
        elif term.kind > t.FALSE and term not in decided:
            return term
    raise AssertionError("a region that is open has an open atom")


def without_dead_ends(tableau: Tableau, goal: Term) -> Term:
    """The goal less the alternatives that ask for a member which cannot be. What is left is often very little."""
    terms = tableau.terms
    while True:
        literals = goal.args if goal.kind == t.AND else (goal,)
        facts = Facts(tableau, literals)
        if len(facts.must) > facts.high:
            return terms.false
        for name in facts.must:
            if tableau.sat(facts.goal(name)).status == EMPTY and not facts.doubt:
                return terms.false
        changed = False
        kept: list[Term] = []
        for literal in literals:
            if literal.kind == t.OR:
                alive: list[Term] = []
                met = False
                for alternative in literal.args:
                    state = _state(tableau, facts, alternative)
                    if state > 0:
                        met = True
                        break
                    if state == 0:
                        alive.append(alternative)
                if met:
                    changed = True
                    continue
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


def _state(tableau: Tableau, facts: Facts, alternative: Term) -> int:
    """1 where an alternative holds in any case, -1 where it cannot, else 0. Only single names are looked at."""
    terms = tableau.terms
    every = 1
    for part in alternative.args if alternative.kind == t.AND else (alternative,):
        negated = part.kind == t.NOT
        atom = part.args[0] if negated else part
        if atom.kind != t.ALL:
            every = 0
            continue
        region, term = atom.args
        if region.kind != t.ENUM or len(region.args[0]) > 1:
            every = 0
            continue
        (name,) = region.args[0]
        there = facts.must.get(name)
        own = facts.member(name)
        if facts.doubt:
            return 0
        if negated:
            wanted = terms.not_(term)
            if there is not None and terms.and_((own, *there, term)) is terms.false:
                continue
        else:
            wanted = term
            if terms.and_((own, *(there or ()), terms.not_(term))) is terms.false:
                continue
            if there is None:
                every = 0
                continue
        every = 0
        parts = [own, wanted, *(there or ())]
        if alternative.kind == t.AND:
            parts += [x.args[1] for x in alternative.args if x.kind == t.ALL and x.args[0] is region]
        if tableau.sat(terms.and_(parts)).status == EMPTY:
            return -1
    return every


def solve(tableau: Tableau, goal: Term, literals: tuple[Term, ...]) -> Result:
    """An object of literals, without alternatives."""
    facts = Facts(tableau, literals)
    if facts.low > facts.high or len(facts.must) > facts.high:
        return NOTHING
    solver = _Solver(tableau, facts)
    # What was added by a rejection is likeliest to fail, and is asked first.
    plain = tableau.terms.true
    names = sorted(facts.must, key=lambda n: all(x is plain for x in facts.must[n]))
    members: dict[str, Term] = {}
    for name in names:
        members[name] = facts.goal(name)
        answer = tableau.sat(members[name])
        if answer.status == EMPTY:
            return unknown(facts.doubt) if facts.doubt else NOTHING
        if answer.status == UNKNOWN:
            solver.reason = answer.reason
    in_order = {name: members[name] for name in facts.must}
    value = solver.object(in_order)
    if value is None:
        reason = solver.reason or facts.doubt
        return unknown(reason) if reason else NOTHING
    if facts.undecided:
        return unknown(facts.undecided)
    if facts.barred and solver.size <= MAX_SIZE:
        key = key_of(value)
        if key in facts.barred:
            return _other_than(tableau, goal, key)
    return found(value, solver.size)


def _other_than(tableau: Tableau, goal: Term, key: Any) -> Result:
    """The goal's value is one that is left out: the ways to differ from it are asked one by one."""
    terms = tableau.terms
    members = dict(key[1])
    ways = [terms.not_(terms.every(terms.not_(terms.enum(frozenset(members))) if members else terms.true, terms.false))]
    for name in sorted(members):
        region = terms.enum(frozenset((name,)))
        ways.append(terms.not_(terms.every(region, terms.enum(frozenset((members[name],))))))
        ways.append(terms.every(region, terms.false))
    return tableau.first_of((terms.and_((goal, way)) for way in ways), OBJECT)


class _Solver:
    """Places the members that must be there somewhere in a region, and fills up to the number wanted."""

    def __init__(self, tableau: Tableau, facts: Facts) -> None:
        self.tableau, self.facts = tableau, facts
        self.reason = ""
        self.size = 1
        self._splits: list[tuple[Term, Term]] | None = None
        self._always: list[Term] = []
        self._unlisted = tableau.terms.true

    def object(self, members: dict[str, Term]) -> dict[str, Any] | None:
        """An object with the members, those that must be there somewhere, and as many more as it needs."""
        some: list[tuple[int, int, Term, Term]] = []
        for region, term in self.facts.some:
            if self._met(region, term, members):
                continue
            # One that can be nowhere is found before choices for the others are multiplied.
            options = sum(1 for _ in itertools.islice(self._options(region, term, members), 3))
            if not options:
                return None
            some.append((options, len(some), region, term))
        some.sort(key=lambda entry: entry[:2])
        return self._assign([(region, term) for _, _, region, term in some], members, [])

    def _met(self, region: Term, term: Term, members: dict[str, Term]) -> bool:
        """Whether a member that is there anyway is in the region and of the term."""
        terms = self.tableau.terms
        return any(
            terms.and_((wanted, terms.not_(term))) is terms.false and holds(terms, region, name) is True
            for name, wanted in members.items()
        )

    def _options(self, region: Term, term: Term, members: dict[str, Term]) -> Iterator[tuple[str, Term]]:
        """Members in a region, each as a name and what its value must be: there already, named by a region, or other."""
        facts, terms = self.facts, self.tableau.terms
        candidates = [n for n in members if n in facts.listed]
        candidates += sorted(facts.listed - members.keys())
        for name in candidates:
            inside = holds(terms, region, name)
            if inside is None:
                self.reason = self.tableau.reason_in(region)
            if not inside:
                continue
            wanted = terms.and_((members[name] if name in members else facts.member(name), term))
            if self._possible(wanted):
                yield name, wanted
        yield from self.cells(region, term, frozenset(members))

    def _assign(
        self, some: list[tuple[Term, Term]], members: dict[str, Term], grouped: list[tuple[Term, Term, str]]
    ) -> dict[str, Any] | None:
        """An object with the members and those of `some`.

        Args:
            some: (region, term) of what must be there somewhere.
            members: name → goal of the members so far.
            grouped: (region, term, name) of the members with names made up.
        """
        self.tableau.budget.spend(1, self.tableau.where)
        if len(members) > self.facts.high:
            return None
        if not some:
            return self.fill(members)
        terms = self.tableau.terms
        (region, term), rest = some[0], some[1:]
        if self._met(region, term, members):
            return self._assign(rest, members, grouped)
        for name, wanted in self._options(region, term, members):
            made_up = [] if name in self.facts.listed else [(region, term, name)]
            value = self._assign(rest, {**members, name: wanted}, [*grouped, *made_up])
            if value is not None:
                return value
        for i, (other_region, other_term, other_name) in enumerate(grouped):
            without = {n: g for n, g in members.items() if n != other_name}
            both = (terms.and_((region, other_region)), terms.and_((term, other_term)))
            for name, wanted in self.cells(*both, frozenset(without)):
                joined = [*grouped[:i], (*both, name), *grouped[i + 1 :]]
                value = self._assign(rest, {**without, name: wanted}, joined)
                if value is not None:
                    return value
        return None

    def _possible(self, wanted: Term) -> bool:
        answer = self.tableau.sat(wanted)
        if answer.status == UNKNOWN:
            self.reason = answer.reason
        return answer.status == FOUND

    def cells(self, region: Term, term: Term, used: frozenset[str]) -> Iterator[tuple[str, Term]]:
        """A name that is mentioned nowhere, and what its value must be, for each cell of a region."""
        for cell, wanted in self.regions(region, term):
            names = self.tableau.names(cell, 1, used)
            if names.strings:
                if self._possible(wanted):
                    yield names.strings[0], wanted
            elif not names.complete:
                self.reason = names.reason
            elif used and self.tableau.names(cell, 1, frozenset()).strings:
                # The cell's names are taken. Another choice before might have left one: not followed up.
                self.reason = "few names match the patterns, and they are wanted several times"

    def regions(self, region: Term, term: Term) -> Iterator[tuple[Term, Term]]:
        """The cells of a region, each with what the values there must be: names on which all regions agree.

        What a cell asks of values grows with the regions it is in; once some regions leave no value, all cells within
        them are passed over.
        """
        tableau, terms = self.tableau, self.tableau.terms
        if self._splits is None:
            by_region: dict[Term, list[Term]] = {}
            for where, what in self.facts.everywhere:
                by_region.setdefault(generic(tableau, where), []).append(what)
            self._always = by_region.pop(terms.true, [])
            by_region.pop(terms.false, None)
            self._splits = [(where, terms.and_(what)) for where, what in by_region.items()]
            self._unlisted = terms.not_(terms.enum(frozenset(self.facts.listed)))
        splits = self._splits
        barren: list[frozenset[int]] = []
        start = terms.and_((generic(tableau, region), self._unlisted))
        nowhere: frozenset[int] = frozenset()
        stack: list[tuple[Term, Term, frozenset[int], tuple[int, ...], dict[Term, bool]]] = [
            (start, terms.and_((term, *self._always)), nowhere, tuple(range(len(splits))), {})
        ]
        while stack:
            cell, wanted, inside, open_, decided = stack.pop()
            if cell is terms.false:
                continue
            tableau.budget.spend(1, tableau.where)
            left, fresh = [], []
            for i in open_:
                truth = _under(splits[i][0], decided)
                if truth is None:
                    left.append(i)
                elif truth:
                    fresh.append(i)
            if fresh:
                inside = inside.union(fresh)
                if any(b <= inside for b in barren):
                    continue
                wanted = terms.and_((wanted, *(splits[i][1] for i in fresh)))
            if wanted is terms.false or (left and tableau.sat(wanted).status == EMPTY):
                barren.append(inside)
                continue
            if len(decided) > 1:
                there = tableau.names(cell, 1, frozenset())
                if not there.strings and there.complete:
                    continue
            if not left:
                yield cell, wanted
                continue
            atom = _first_atom(splits[left[0]][0], decided)
            rest = tuple(left)
            stack.append((terms.and_((cell, atom)), wanted, inside, rest, {**decided, atom: True}))
            stack.append((terms.and_((cell, terms.not_(atom))), wanted, inside, rest, {**decided, atom: False}))

    def fill(self, members: dict[str, Term]) -> dict[str, Any] | None:
        """The object, with as many more members as it needs."""
        facts, tableau = self.facts, self.tableau
        missing = facts.low - len(members)
        values: dict[str, Any] = {}
        self.size = 1
        for name, wanted in members.items():
            answer = tableau.sat(wanted)
            if answer.status != FOUND:
                self.reason = answer.reason or self.reason
                return None
            values[name] = answer.value
            self.size += answer.size
        if missing <= 0:
            return values
        for name in sorted(facts.listed - members.keys()):
            wanted = facts.member(name)
            if missing and wanted is not tableau.terms.false and self._possible(wanted):
                values[name] = tableau.sat(wanted).value
                self.size += tableau.sat(wanted).size
                missing -= 1
        for cell, wanted in self.regions(tableau.terms.true, tableau.terms.true):
            if missing <= 0:
                break
            if not self._possible(wanted):
                continue
            names = tableau.names(cell, min(missing, MAX_MEMBERS), frozenset(values))
            for name in names.strings:
                values[name] = tableau.sat(wanted).value
                self.size += tableau.sat(wanted).size
            missing -= len(names.strings)
            if missing > 0 and not names.complete:
                self.reason = names.reason or f"an object of {facts.low} members, which is not made"
        return values if missing <= 0 else None
