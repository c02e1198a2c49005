"""`unevaluatedProperties` and `unevaluatedItems` (2019-09 and 2020-12 core §11) as terms.

What is evaluated depends on which subschemas hold. Each evaluation is noted with the condition under which it counts;
members that the same evaluations reach are one region, and must be of the keyword's subschema or one of the conditions
must hold. `allOf` and references need no condition: where they fail, the whole schema does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.json_schema.inclusion import terms as t

if TYPE_CHECKING:
    from deedbox.checker.json_schema.inclusion.compiling import Compiler
    from deedbox.checker.json_schema.inclusion.places import Place
    from deedbox.checker.json_schema.inclusion.terms import Term

_MAX_PATTERNS = 8
_MAX_CONDITIONS = 8


class _Names:
    """Names that an object's evaluation reaches, under a condition."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.patterns: set[str] = set()
        self.all = False


class _Walk:
    """The places that apply in place to one, each with the condition under which its evaluations count."""

    def __init__(self, compiler: Compiler, place: Place) -> None:
        self.compiler, self.start = compiler, place
        self.found: list[tuple[Place, Term]] = []
        self.circular = False
        self._path: set[Place] = set()
        self._visit(place, compiler.terms.true)

    def _visit(self, place: Place, condition: Term) -> None:
        if place in self._path:
            self.circular = True
            return
        compiler = self.compiler
        terms = compiler.terms
        self._path.add(place)
        if compiler.budget is not None:
            compiler.budget.spend(1, place.pointer)
        self.found.append((place, condition))
        for key, child in place.children.items():
            keyword = key[0]
            if keyword == "allOf" or keyword in place.schema.dialect.references:
                self._visit(child, condition)
            elif keyword in ("anyOf", "oneOf", "if"):
                self._visit(child, terms.and_((condition, compiler.term(child))))
            elif keyword == "then" and ("if",) in place.children:
                self._visit(child, terms.and_((condition, compiler.term(place.children["if",]))))
            elif keyword == "else" and ("if",) in place.children:
                self._visit(child, terms.and_((condition, terms.not_(compiler.term(place.children["if",])))))
            elif keyword == "dependentSchemas":
                self._visit(child, terms.and_((condition, compiler.has(key[1]))))
        self._path.discard(place)


def unevaluated_properties(compiler: Compiler, place: Place) -> Term:
    """What a place's `unevaluatedProperties` says."""
    terms = compiler.terms
    rest = compiler.child(place.children["unevaluatedProperties",])
    if rest is terms.true:
        return rest
    walk = _Walk(compiler, place)
    if walk.circular:
        return terms.unknown("`unevaluatedProperties` in a schema that applies itself", place.colour)
    by_condition: dict[Term, _Names] = {}
    for at, condition in walk.found:
        if condition is terms.false:
            continue
        reached = by_condition.setdefault(condition, _Names())
        for key in at.children:
            if key[0] == "properties":
                reached.names.add(key[1])
            elif key[0] == "patternProperties":
                reached.patterns.add(key[1])
            elif key[0] == "additionalProperties" or (key[0] == "unevaluatedProperties" and at is not place):
                reached.all = True
    always = by_condition.pop(terms.true, _Names())
    if always.all:
        return terms.true
    outside = [terms.not_(terms.atom(t.PAT, p)) for p in sorted(always.patterns)]
    if always.names:
        outside.append(terms.not_(terms.enum(frozenset(always.names))))
    everything = [condition for condition, reached in by_condition.items() if reached.all]
    names = set().union(*(reached.names for reached in by_condition.values())) - always.names
    patterns = sorted(set().union(*(reached.patterns for reached in by_condition.values())) - always.patterns)
    if len(patterns) > _MAX_PATTERNS:
        return terms.unknown("`unevaluatedProperties` beside many patterns", place.colour)
    parts = []
    # Names given one by one have the signature of the conditions that reach them by name or by a pattern.
    for chosen in range(1 << len(patterns)):
        matched = {p for i, p in enumerate(patterns) if chosen >> i & 1}
        cell = [terms.atom(t.PAT, p) if p in matched else terms.not_(terms.atom(t.PAT, p)) for p in patterns]
        signatures: dict[frozenset[Term], set[str]] = {frozenset(): set()}
        for name in names:
            by_name = frozenset(c for c, reached in by_condition.items() if name in reached.names)
            signatures.setdefault(by_name, set()).add(name)
        shared = [c for c, reached in by_condition.items() if reached.patterns & matched]
        for signature, members in signatures.items():
            if signature:
                where = terms.enum(frozenset(members))
            else:
                where = terms.not_(terms.enum(frozenset(names))) if names else terms.true
            region = terms.and_([where, *cell, *outside])
            parts.append(terms.or_([terms.every(region, rest), *signature, *shared, *everything]))
    return terms.and_(parts)


def unevaluated_items(compiler: Compiler, place: Place) -> Term:
    """What a place's `unevaluatedItems` says."""
    terms = compiler.terms
    rest = compiler.child(place.children["unevaluatedItems",])
    if rest is terms.true:
        return rest
    walk = _Walk(compiler, place)
    if walk.circular:
        return terms.unknown("`unevaluatedItems` in a schema that applies itself", place.colour)
    prefixes: dict[Term, int | None] = {}  # condition → items evaluated from the start, None for all
    holding: list[tuple[Term, Term]] = []
    for at, condition in walk.found:
        if condition is terms.false:
            continue
        count: int | None = 0
        keywords = at.keywords
        prefix = keywords.get("prefixItems" if at.rank >= 20 else "items")
        if isinstance(prefix, list):
            count = len(prefix)
        elif ("items",) in at.children and at.rank < 20:
            count = None
        later = "items" if at.rank >= 20 else "additionalItems"
        if (later,) in at.children and (at.rank >= 20 or isinstance(prefix, list)):
            count = None
        if ("unevaluatedItems",) in at.children and at is not place:
            count = None
        known = prefixes.get(condition, 0)
        prefixes[condition] = None if known is None or count is None else max(known, count)
        if ("contains",) in at.children:
            held = compiler.child(at.children["contains",])
            if at.rank < 20:
                # 2019-09 core §9.3.1.3 does not count it, the validators do: no answer may rest on it.
                held = terms.and_((held, terms.unknown("`contains` beside `unevaluatedItems` in 2019-09")))
            holding.append((condition, held))
    start = prefixes.pop(terms.true, 0)
    if start is None:
        return terms.true
    conditional = sorted(holding, key=lambda pair: pair[0] is not terms.true)
    if sum(condition is not terms.true for condition, _ in conditional) > _MAX_CONDITIONS:
        return terms.unknown("`unevaluatedItems` beside many `contains`", place.colour)

    def under(at: int, admitted: Term) -> Term:
        if at < len(conditional):
            condition, held = conditional[at]
            yes = under(at + 1, terms.or_((admitted, held)))
            if condition is terms.true:
                return yes
            no = under(at + 1, admitted)
            return terms.and_((terms.or_((terms.not_(condition), yes)), terms.or_((condition, no))))
        bounds = sorted({start, *(n for n in prefixes.values() if n is not None and n > start)})
        parts = []
        for i, low in enumerate(bounds):
            high = bounds[i + 1] if i + 1 < len(bounds) else None
            reaching = [c for c, n in prefixes.items() if n is None or (high is not None and n >= high)]
            parts.append(terms.or_([terms.items(low, high, admitted), *reaching]))
        return terms.and_(parts)

    return under(0, rest)
