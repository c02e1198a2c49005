"""Closed readings as terms. What is declared where is `closing.Location`'s to say; here it becomes regions of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.closing import Location
from deedbox.checker.json_schema.inclusion import terms as t
from deedbox.checker.json_schema.inclusion.values import key_of
from deedbox.checker.patterns import MatchUndecided, NotRegular, PatternError

if TYPE_CHECKING:
    from deedbox.checker.json_schema.inclusion.compiling import Compiler
    from deedbox.checker.json_schema.inclusion.terms import Term

_MAX_PATTERNS = 9


class Closings:
    """The terms of closed readings; locations at which the same applies are one."""

    def __init__(self) -> None:
        self._locations: dict[Any, Location] = {}
        self._made: dict[Any, Term] = {}
        self.compiler: Compiler | None = None

    def term(self, location: Location) -> Term:
        """That the closed reading admits a value at a location. Made when first asked for."""
        assert self.compiler is not None
        if not location.nodes and not location.constants:
            return self.compiler.terms.true
        key = ("closed", self._identity(location))
        self._locations.setdefault(key, location)
        return self.compiler.terms.lazy(key)

    def _identity(self, location: Location) -> Any:
        assert self.compiler is not None
        budget = self.compiler.budget
        assert budget is not None
        colours: set[Any] = set()
        for node in location.nodes:
            budget.spend(1, node.pointer)
            # A dynamic reference leads elsewhere in another scope, which a colour knows and a location does not.
            if node.schema.dynamic_anchors:
                colours.add((node.schema, node.pointer))
            else:
                colours.add(self.compiler.places.at(node, budget).colour)
        return frozenset(colours), frozenset(key_of(c) for c in location.constants if isinstance(c, dict | list))

    def expand(self, token: Any) -> Term:
        """The term that a token of `term` stands for."""
        made = self._made.get(token)
        if made is None:
            made = self._made[token] = self._make(self._locations[token])
        return made

    def _make(self, location: Location) -> Term:
        assert self.compiler is not None
        try:
            return self.compiler.terms.and_([*self._members(location), *self._items(location)])
        except (PatternError, MatchUndecided, NotRegular) as error:
            return self.compiler.terms.unknown(str(error))

    def _members(self, location: Location) -> list[Term]:
        assert self.compiler is not None
        compiler, terms = self.compiler, self.compiler.terms
        assert compiler.budget is not None
        if location.free_form:
            return []
        parts = []
        for name in sorted(location.names):
            compiler.budget.spend(1, compiler.where)
            parts.append(terms.every(compiler.name(name), self.term(location.member(name))))
        patterns = location.patterns
        if len(patterns) > _MAX_PATTERNS:
            return [terms.unknown("a closed reading of an object with many patterns", self._identity(location))]
        others = terms.not_(terms.enum(location.names)) if location.names else terms.true
        # Regions of one location below are one, so that patterns in number do not multiply in vain.
        below: dict[Term, list[Term]] = {}
        for chosen in range(1 << len(patterns)):
            matched = frozenset(p for i, p in enumerate(patterns) if chosen >> i & 1)
            declared = matched or location.admits_any_name
            term = self.term(location.region(None, matched)) if declared else terms.false
            cell = [terms.atom(t.PAT, p) if p in matched else terms.not_(terms.atom(t.PAT, p)) for p in patterns]
            below.setdefault(term, []).append(terms.and_(cell))
        for term, cells in below.items():
            parts.append(terms.every(terms.and_((others, terms.or_(cells))), term))
        return parts

    def _items(self, location: Location) -> list[Term]:
        assert self.compiler is not None
        terms = self.compiler.terms
        if not location.nodes:
            return []
        boundary = location.item_boundary
        parts = [terms.items(i, i + 1, self.term(location.item(i))) for i in range(boundary)]
        parts.append(terms.items(boundary, None, self.term(location.item(boundary))))
        return parts
