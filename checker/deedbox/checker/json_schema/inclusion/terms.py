"""Terms: what schemas mean, as formulas over a few atoms. Equal terms are one object, so sets of them compare fast.

An atom judges values of one sort and lets all others pass, as JSON Schema's keywords do. `Terms.spec` gives what is left
of a term for values of one sort; there a literal is an atom or its negation and says just that.

| kind | arguments | a value passes when |
|---|---|---|
| TYPE | mask | its sort is in the mask |
| ENUM | keys | it is one of these |
| GE, GT | bound | number: at least, more than |
| MULT | factor | number: a multiple (`MULT 1` is "integer") |
| SLEN | n | string: n code points or more |
| PAT | source | string: the pattern is found in it |
| FMT | name | string: of that format |
| ALL | region, term | object: each member whose name is in the region has a value of the term |
| NAMES | term | object: each name is of the term (becomes an ALL) |
| CNT | n | object: n members or more |
| ALLI | low, high, term | array: each item from index low up to high (None: no end) is of the term |
| CONT | term, n | array: n items or more are of the term |
| LEN | n | array: n items or more |
| UNIQ | – | array: no two items are equal |
| ONE | terms | exactly one of the terms holds |
| LAZY | token | the term that the token stands for holds: made when first asked for |
| UNK | reason | something that is not decided here |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from deedbox.checker.json_schema.inclusion.values import (
    ANY,
    ARRAY,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    sort_of_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from deedbox.checker.budget import Budget

TRUE: Final = 0
FALSE: Final = 1
AND: Final = 2
OR: Final = 3
ONE: Final = 4
NOT: Final = 5
TYPE: Final = 6
ENUM: Final = 7
LAZY: Final = 8
UNK: Final = 9
GE: Final = 10
GT: Final = 11
MULT: Final = 12
SLEN: Final = 13
PAT: Final = 14
FMT: Final = 15
ALL: Final = 16
NAMES: Final = 17
CNT: Final = 18
ALLI: Final = 19
CONT: Final = 20
LEN: Final = 21
UNIQ: Final = 22

_SORT: Final = {
    GE: NUMBER, GT: NUMBER, MULT: NUMBER, SLEN: STRING, PAT: STRING, FMT: STRING, ALL: OBJECT, NAMES: OBJECT,
    CNT: OBJECT, ALLI: ARRAY, CONT: ARRAY, LEN: ARRAY, UNIQ: ARRAY,
}  # fmt: skip


class Term:
    """One term. Made by `Terms` only; identity is equality.

    `mask` holds at least the sorts of the values that pass. `uid` orders terms by age, the same in every run.
    """

    __slots__ = ("args", "kind", "mask", "members", "negation", "specs", "uid")

    def __init__(self, kind: int, args: tuple[Any, ...], mask: int, uid: int) -> None:
        self.kind, self.args, self.mask, self.uid = kind, args, mask, uid
        self.members: frozenset[Term] = frozenset()
        self.negation: Term | None = None
        self.specs: dict[int, Term] = {}

    def __repr__(self) -> str:
        names = "TRUE FALSE AND OR ONE NOT TYPE ENUM LAZY UNK GE GT MULT SLEN PAT FMT ALL NAMES CNT ALLI CONT LEN UNIQ"
        return f"{names.split()[self.kind]}{self.args if self.args else ''}"


def _uid(term: Term) -> int:
    return term.uid


class Terms:
    """The terms of one search, and how they are made.

    Args:
        expand: gives the term that a LAZY token stands for.
    """

    def __init__(self, expand: Callable[[Any], Term]) -> None:
        self._expand = expand
        self.budget: Budget | None = None
        self._known: dict[tuple[Any, ...], Term] = {}
        self.true, self.false = self.make(TRUE, (), ANY), self.make(FALSE, (), 0)
        self.true.negation, self.false.negation = self.false, self.true

    def make(self, kind: int, args: tuple[Any, ...], mask: int = ANY) -> Term:
        """The one term of a kind and arguments."""
        key = (kind, args)
        term = self._known.get(key)
        if term is None:
            term = self._known[key] = Term(kind, args, mask, len(self._known))
        return term

    def atom(self, kind: int, *args: Any) -> Term:
        """An atom of one sort."""
        return self.make(kind, args)

    def type(self, mask: int) -> Term:
        """Any value of these sorts."""
        if mask == ANY:
            return self.true
        return self.make(TYPE, (mask,), mask) if mask else self.false

    def enum(self, keys: frozenset[Any]) -> Term:
        """Exactly the values that have these keys."""
        if not keys:
            return self.false
        found = self._known.get((ENUM, (keys,)))
        if found is not None:
            return found
        mask = 0
        for key in keys:
            mask |= sort_of_key(key)
        return self.make(ENUM, (keys,), mask)

    def unknown(self, reason: str, *identity: Any) -> Term:
        """Something undecided; the same identity is the same something."""
        return self.make(UNK, (reason, *identity))

    def every(self, region: Term, term: Term) -> Term:
        """Each member of an object whose name is in the region (a term of strings) has a value of the term."""
        if term is self.true or region is self.false:
            return self.true
        return self.make(ALL, (region, term))

    def items(self, low: int, high: int | None, term: Term) -> Term:
        """Each item of an array from index `low` up to `high` is of the term."""
        if term is self.true or (high is not None and high <= low):
            return self.true
        if term is self.false:  # no such index
            return self.not_in(ARRAY, self.atom(LEN, low + 1))
        return self.make(ALLI, (low, high, term))

    def not_in(self, sort: int, atom: Term) -> Term:
        """Of a value of the sort the negation of an atom; values of other sorts pass."""
        if atom is self.true:
            return self.type(ANY & ~sort)
        return self.or_((self.type(ANY & ~sort), self.not_(atom)))

    def names(self, term: Term) -> Term:
        """Each name of an object's members is of the term."""
        return self.true if term is self.true else self.make(NAMES, (term,))

    def at_least(self, kind: int, count: int) -> Term:
        """`SLEN`, `CNT` or `LEN`; nothing is said by a count of 0."""
        return self.make(kind, (count,)) if count > 0 else self.true

    def one(self, terms: Iterable[Term]) -> Term:
        """Exactly one of the terms holds."""
        false = self.false
        kept: set[Term] = set()
        doubled: set[Term] = set()
        for term in terms:
            if term is not false:
                (doubled if term in kept else kept).add(term)
        certain = [term for term in kept if term is self.true]
        if certain or doubled:
            if self.true in doubled:
                return false
            # What stands there twice must not hold; beside what always holds, nothing may.
            none = [self.not_(t) for t in (kept - {self.true} if certain else doubled)]
            rest = self.true if certain else self.one(kept - doubled)
            return self.and_((*none, rest))
        if len(kept) < 2:
            return kept.pop() if kept else false
        mask = 0
        for term in kept:
            mask |= term.mask
        return self.make(ONE, tuple(sorted(kept, key=_uid)), mask)

    def lazy(self, token: Any) -> Term:
        """The term that a token stands for, not made yet."""
        return self.make(LAZY, (token,))

    def expanded(self, term: Term) -> Term:
        """What a LAZY term stands for."""
        return self._expand(term.args[0])

    def not_(self, term: Term) -> Term:
        """The term that holds where this one does not."""
        known = term.negation
        if known is not None:
            return known
        kind = term.kind
        if kind == AND:
            made = self.or_([self.not_(t) for t in term.args])
        elif kind == OR:
            made = self.and_([self.not_(t) for t in term.args])
        elif kind == NOT:
            made = term.args[0]
        elif kind == TYPE:
            made = self.type(ANY & ~term.args[0])
        else:
            made = self.make(NOT, (term,), _SORT.get(kind, ANY))
        term.negation = made
        if made.negation is None:
            made.negation = term
        return made

    def and_(self, terms: Iterable[Term]) -> Term:
        """All of the terms hold."""
        true, false = self.true, self.false
        members: set[Term] = set()
        ors: set[Term] = set()
        only: frozenset[Any] | None = None
        barred: frozenset[Any] = frozenset()
        types = ANY
        stack = list(terms)
        mask = firm = ANY  # the sorts that are left; those left by all but the disjunctions
        while True:
            while stack:
                term = stack.pop()
                if term is true or term in members or term in ors:
                    continue
                kind = term.kind
                if kind == AND:
                    stack += term.args
                    continue
                mask &= term.mask
                if not mask:
                    return false
                negation = term.negation
                if negation is not None and (negation in members or negation in ors):
                    return false
                if kind == OR:
                    ors.add(term)
                    continue
                firm &= term.mask
                if kind == TYPE:
                    types &= term.args[0]
                elif kind == ENUM:
                    only = term.args[0] if only is None else only & term.args[0]
                    if not only:
                        return false
                elif kind == NOT and term.args[0].kind == ENUM:
                    barred = barred | term.args[0].args[0]
                else:
                    members.add(term)
            if only is not None:
                kept = only - barred if barred else only
                if mask != ANY:
                    kept = frozenset(k for k in kept if sort_of_key(k) & mask)
                if not kept:
                    return false
                only, barred = kept, frozenset()
            if not ors or not self._propagate(members, ors, only, barred, stack, (mask, firm)):
                break
        if only is not None:
            members.add(self.enum(only))
        else:
            if barred:
                if mask != ANY:
                    barred = frozenset(k for k in barred if sort_of_key(k) & mask)
                if barred:
                    members.add(self.not_(self.enum(barred)))
            if types != ANY:
                members.add(self.type(types))
        members |= ors
        if not members:
            return true
        if len(members) == 1:
            return members.pop()
        made = self.make(AND, tuple(sorted(members, key=_uid)), mask)
        if not made.members:
            made.members = frozenset(members)
        return made

    def _propagate(
        self, members: set[Term], ors: set[Term], only: Any, barred: Any, stack: list[Term], masks: tuple[int, int]
    ) -> bool:
        """Drops from each OR what cannot hold beside the members, and each OR that holds anyway. True if units came up."""
        for or_ in sorted(ors, key=_uid):
            kept: list[Term] = []
            satisfied = False
            for term in or_.args:
                state = self._beside(term, members, ors, only, barred, masks)
                if state == 1:
                    satisfied = True
                    break
                if state == 0:
                    kept.append(term)
            if satisfied:
                ors.discard(or_)
            elif len(kept) < len(or_.args):
                ors.discard(or_)
                stack.append(self.or_(kept))
        return bool(stack)

    def _beside(
        self, term: Term, members: set[Term], ors: set[Term], only: Any, barred: Any, masks: tuple[int, int]
    ) -> int:
        """1 if the term holds beside the members, -1 if it cannot, 0 if that is not seen at a glance."""
        if not term.mask & masks[0]:
            return -1
        if term in members:
            return 1
        negation = term.negation
        if negation is not None and (negation in members or negation in ors):
            return -1
        kind = term.kind
        if kind == AND:
            every = 1
            for part in term.args:
                state = self._beside(part, members, ors, only, barred, masks)
                if state < 0:
                    return -1
                if state == 0:
                    every = 0
            return every
        if kind == OR:
            return 1 if term in ors else 0
        if kind == TYPE:
            return 1 if not masks[1] & ~term.args[0] else 0
        if kind == ENUM:
            keys = term.args[0]
            if only is not None:
                return 1 if only <= keys else -1 if not only & keys else 0
            return -1 if barred and keys <= barred else 0
        if kind == NOT and term.args[0].kind == ENUM:
            keys = term.args[0].args[0]
            if only is not None:
                return 1 if not only & keys else -1 if only <= keys else 0
            return 1 if barred and keys <= barred else 0
        return 0

    def or_(self, terms: Iterable[Term]) -> Term:
        """One of the terms at least holds."""
        true, false = self.true, self.false
        members: set[Term] = set()
        opened: set[Term] = set()  # disjunctions whose alternatives are among the members
        some: frozenset[Any] = frozenset()
        barred: frozenset[Any] | None = None
        types = 0
        stack = list(terms)
        while stack:
            term = stack.pop()
            if term is false or term in members:
                continue
            if term is true:
                return true
            kind = term.kind
            negation = term.negation
            if negation is not None and (negation in members or negation in opened):
                return true
            if kind == OR:
                opened.add(term)
                stack += term.args
                continue
            if kind == TYPE:
                types |= term.args[0]
            elif kind == ENUM:
                some = some | term.args[0]
            elif kind == NOT and term.args[0].kind == ENUM:
                keys = term.args[0].args[0]
                barred = keys if barred is None else barred & keys
            else:
                members.add(term)
        if types == ANY:
            return true
        if barred is not None:
            barred = frozenset(k for k in barred - some if not sort_of_key(k) & types)
            if not barred:
                return true
            members.add(self.not_(self.enum(barred)))
        else:
            if types and some:
                some = frozenset(k for k in some if not sort_of_key(k) & types)
            if some:
                members.add(self.enum(some))
            if types:
                members.add(self.type(types))
        if not members:
            return false
        if len(members) == 1:
            return members.pop()
        mask = 0
        for term in members:
            mask |= term.mask
        made = self.make(OR, tuple(sorted(members, key=_uid)), mask)
        if not made.members:
            made.members = frozenset(members)
        return made

    def spec(self, term: Term, sort: int) -> Term:
        """What the term says of values of one sort."""
        if not term.mask & sort:
            return self.false
        kind = term.kind
        if kind <= FALSE:
            return term
        known = term.specs.get(sort)
        if known is None:
            opposite = term.negation.specs.get(sort) if term.negation is not None else None
            # What is the negation of something stays it, so that the two still close a branch.
            known = self._spec(term, kind, sort) if opposite is None else self.not_(opposite)
            term.specs[sort] = known
            # A spec is its own spec, with no need to look again.
            known.specs[sort] = known
        return known

    def _spec(self, term: Term, kind: int, sort: int) -> Term:
        if kind == AND:
            return self.and_([self.spec(t, sort) for t in term.args])
        if kind == OR:
            return self.or_([self.spec(t, sort) for t in term.args])
        if kind == ONE:
            from deedbox.checker.json_schema.inclusion.apart import all_apart

            one = self.one([self.spec(t, sort) for t in term.args])
            return self.or_(one.args) if one.kind == ONE and all_apart(self, one.args) else one
        if kind == LAZY:
            return self.spec(self._expand(term.args[0]), sort)
        if kind == TYPE:
            return self.true
        if kind == ENUM:
            keys = frozenset(k for k in term.args[0] if sort_of_key(k) == sort)
            if sort == NULL or (sort == BOOLEAN and len(keys) == 2):
                return self.true
            return self.enum(keys)
        if kind == NAMES:
            return self.every(self.not_(self.spec(term.args[0], STRING)), self.false) if sort == OBJECT else self.true
        if kind == NOT:
            inner = term.args[0]
            if inner.kind >= GE and _SORT[inner.kind] != sort:
                return self.false
            return self.not_(self.spec(inner, sort))
        if kind >= GE:
            return term if _SORT[kind] == sort else self.true
        return term
