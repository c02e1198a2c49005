"""Schemas as terms: each keyword with its draft's meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from deedbox.checker.json_schema.inclusion import terms as t
from deedbox.checker.json_schema.inclusion.formats import FORMATS
from deedbox.checker.json_schema.inclusion.places import FALSE_COLOUR, TRUE_COLOUR, Place, Places
from deedbox.checker.json_schema.inclusion.terms import Term, Terms
from deedbox.checker.json_schema.inclusion.unevaluated import unevaluated_items, unevaluated_properties
from deedbox.checker.json_schema.inclusion.values import (
    ANY,
    ARRAY,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    key_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.budget import Budget

_TYPES: Final = {
    "null": NULL, "boolean": BOOLEAN, "number": NUMBER, "integer": NUMBER, "string": STRING, "array": ARRAY,
    "object": OBJECT,
}  # fmt: skip


class Compiler:
    """Makes the terms of places. What it has made it keeps, by colour."""

    def __init__(self, places: Places, closed: Callable[[Any], Term]) -> None:
        self.places = places
        self.terms = Terms(self._expand)
        self._closed = closed
        self._made: dict[int, Term] = {}
        self._making: set[int] = set()
        self._names: dict[str, Term] = {}
        self.budget: Budget | None = None
        self.where = ""
        """Pointer of the place made last, for messages."""

    def _expand(self, token: Any) -> Term:
        if isinstance(token, int):
            return self.term(self.places.representatives[token])
        return self._closed(token)

    def child(self, place: Place) -> Term:
        """The term of a subschema that judges another value: made when first asked for, but for the simplest."""
        if place.colour == TRUE_COLOUR:
            return self.terms.true
        if place.colour == FALSE_COLOUR:
            return self.terms.false
        made = self._made.get(place.colour)
        if made is None and not place.children:
            made = self.term(place)
        if made is not None and place.colour not in self._making and made.kind != t.LAZY and len(made.args) < 8:
            return made
        return self.terms.lazy(place.colour)

    def term(self, place: Place) -> Term:
        """The term of a subschema that judges the same value."""
        seen: set[int] = set()
        while place.parts == ("$ref",):  # a chain of references, however long
            if place.colour in self._made:
                break
            if id(place) in seen:
                return self.terms.unknown("a schema that refers to nothing but itself", place.colour)
            seen.add(id(place))
            place = place.children["$ref",]
        colour = place.colour
        made = self._made.get(colour)
        if made is not None:
            return made
        if isinstance(place.value, bool) or not place.parts:
            return self.terms.false if place.value is False else self.terms.true
        if colour in self._making:
            return self.terms.unknown("a schema that applies itself to the same value without end", colour)
        self._making.add(colour)
        try:
            if self.budget is not None:
                self.budget.spend(1, place.pointer)
            made = self._make(place)
        finally:
            self._making.discard(colour)
        self._made[colour] = made
        return made

    def has(self, name: str) -> Term:
        """An object has a member of this name (other values: no)."""
        return self.terms.not_(self.lacks(name))

    def lacks(self, name: str) -> Term:
        """An object has no member of this name."""
        return self.terms.every(self.name(name), self.terms.false)

    def name(self, name: str) -> Term:
        """The region of one name."""
        region = self._names.get(name)
        if region is None:
            region = self._names[name] = self.terms.enum(frozenset((name,)))
        return region

    def _make(self, place: Place) -> Term:
        self.where = place.pointer
        keywords, children = place.keywords, place.children
        parts: list[Term] = []
        asked = _Keyword(self, place, parts)
        for keyword, held in keywords.items():
            maker = _MAKERS.get(keyword)
            if maker is not None:
                asked.held = held
                maker(asked)
        if "properties" in keywords or "patternProperties" in keywords or "additionalProperties" in keywords:
            self._members(place, parts)
        if "items" in keywords or "prefixItems" in keywords:
            self._items(place, parts)
        if ("contains",) in children:
            self._contains(place, parts)
        if ("if",) in children:
            self._conditional(place, parts)
        if ("unevaluatedProperties",) in children:
            parts.append(unevaluated_properties(self, place))
        if ("unevaluatedItems",) in children:
            parts.append(unevaluated_items(self, place))
        return self.terms.and_(parts)

    def _in_place(self, place: Place, keyword: str) -> list[Term]:
        return [self.term(child) for key, child in place.children.items() if key[0] == keyword]

    def _members(self, place: Place, parts: list[Term]) -> None:
        terms = self.terms
        names, patterns = set(), []
        for key, child in place.children.items():
            if key[0] == "properties":
                names.add(key[1])
                parts.append(terms.every(self.name(key[1]), self.child(child)))
            elif key[0] == "patternProperties":
                region = terms.atom(t.PAT, key[1])
                patterns.append(region)
                parts.append(terms.every(region, self.child(child)))
        rest = place.children.get(("additionalProperties",))
        if rest is not None:
            regions = [terms.not_(p) for p in patterns]
            if names:
                regions.append(terms.not_(terms.enum(frozenset(names))))
            parts.append(terms.every(terms.and_(regions), self.child(rest)))

    def _items(self, place: Place, parts: list[Term]) -> None:
        terms, children = self.terms, place.children
        prefix = "prefixItems" if place.rank >= 20 else "items"
        count = 0
        while (prefix, count) in children:
            parts.append(terms.items(count, count + 1, self.child(children[prefix, count])))
            count += 1
        rest = None
        if place.rank >= 20 or ("items",) in children:
            rest = children.get(("items",))
        elif isinstance(place.keywords.get("items"), list):
            rest = children.get(("additionalItems",))
        if rest is not None:
            parts.append(terms.items(count, None, self.child(rest)))

    def _contains(self, place: Place, parts: list[Term]) -> None:
        terms, counted = self.terms, place.rank >= 19
        term = self.child(place.children["contains",])
        least = place.keywords.get("minContains", 1) if counted else 1
        most = place.keywords.get("maxContains") if counted else None
        parts.append(self.contains(term, least))
        if most is not None:
            parts.append(terms.not_in(ARRAY, self.contains_bare(term, most + 1)))

    def contains(self, term: Term, count: int) -> Term:
        """An array holds `count` items of the term at least; other values pass."""
        bare = self.contains_bare(term, count)
        if bare.kind in (t.NOT, t.FALSE):  # these are of arrays alone, or of nothing
            return self.terms.or_((self.terms.type(ANY & ~ARRAY), bare))
        return bare

    def contains_bare(self, term: Term, count: int) -> Term:
        """The same, as a literal of arrays."""
        terms = self.terms
        if count <= 0:
            return terms.true
        if term is terms.true:
            return terms.at_least(t.LEN, count)
        if term is terms.false:
            return terms.not_(terms.true)
        if count == 1:
            return terms.not_(terms.items(0, None, terms.not_(term)))
        return terms.atom(t.CONT, term, count)

    def _conditional(self, place: Place, parts: list[Term]) -> None:
        terms, children = self.terms, place.children
        then, otherwise = children.get(("then",)), children.get(("else",))
        if then is None and otherwise is None:
            return
        condition = self.term(children["if",])
        if then is not None:
            parts.append(terms.or_((terms.not_(condition), self.term(then))))
        if otherwise is not None:
            parts.append(terms.or_((condition, self.term(otherwise))))

    def dependency(self, name: str, term: Term) -> Term:
        """An object that has the name is of the term."""
        return self.terms.or_((self.lacks(name), term))


class _Keyword:
    """A keyword of a place: what it holds, and where its terms go."""

    __slots__ = ("compiler", "held", "parts", "place")

    def __init__(self, compiler: Compiler, place: Place, parts: list[Term]) -> None:
        self.compiler, self.place, self.parts = compiler, place, parts
        self.held: Any = None


def _type(k: _Keyword) -> None:
    names = k.held if isinstance(k.held, list) else [k.held]
    if not all(isinstance(n, str) and n in _TYPES for n in names):
        k.parts.append(k.compiler.terms.unknown("an unknown type", key_of(k.held)))
        return
    mask = 0
    for name in names:
        mask |= _TYPES[name]
    k.parts.append(k.compiler.terms.type(mask))
    if "integer" in names and "number" not in names:
        k.parts.append(k.compiler.terms.atom(t.MULT, 1))


def _enum(k: _Keyword) -> None:
    if isinstance(k.held, list):
        k.parts.append(k.compiler.terms.enum(frozenset(key_of(v) for v in k.held)))


def _const(k: _Keyword) -> None:
    k.parts.append(k.compiler.terms.enum(frozenset((key_of(k.held),))))


def _multiple(k: _Keyword) -> None:
    if k.held > 0:
        k.parts.append(k.compiler.terms.atom(t.MULT, k.held))
    else:
        k.parts.append(k.compiler.terms.unknown("a multiple of nothing", key_of(k.held)))


def _minimum(k: _Keyword) -> None:
    strict = k.place.rank == 4 and k.place.keywords.get("exclusiveMinimum") is True
    k.parts.append(k.compiler.terms.atom(t.GT if strict else t.GE, k.held))


def _maximum(k: _Keyword) -> None:
    strict = k.place.rank == 4 and k.place.keywords.get("exclusiveMaximum") is True
    k.parts.append(k.compiler.terms.not_in(NUMBER, k.compiler.terms.atom(t.GE if strict else t.GT, k.held)))


def _exclusive_minimum(k: _Keyword) -> None:
    if not isinstance(k.held, bool):
        k.parts.append(k.compiler.terms.atom(t.GT, k.held))


def _exclusive_maximum(k: _Keyword) -> None:
    if not isinstance(k.held, bool):
        k.parts.append(k.compiler.terms.not_in(NUMBER, k.compiler.terms.atom(t.GE, k.held)))


def _at_least(kind: int) -> Callable[[_Keyword], None]:
    def make(k: _Keyword) -> None:
        k.parts.append(k.compiler.terms.at_least(kind, k.held))

    return make


def _at_most(kind: int, sort: int) -> Callable[[_Keyword], None]:
    def make(k: _Keyword) -> None:
        k.parts.append(k.compiler.terms.not_in(sort, k.compiler.terms.at_least(kind, k.held + 1)))

    return make


def _pattern(k: _Keyword) -> None:
    k.parts.append(k.compiler.terms.atom(t.PAT, k.held))


def _format(k: _Keyword) -> None:
    # A format that a draft does not know says nothing (validation §7.1).
    if isinstance(k.held, str) and k.held in FORMATS and FORMATS[k.held] <= k.place.rank:
        k.parts.append(k.compiler.terms.atom(t.FMT, k.held))


def _unique(k: _Keyword) -> None:
    if k.held is True:
        k.parts.append(k.compiler.terms.atom(t.UNIQ))


def _required(k: _Keyword) -> None:
    if isinstance(k.held, list):
        other = k.compiler.terms.type(ANY & ~OBJECT)
        k.parts += [k.compiler.terms.or_((other, k.compiler.has(name))) for name in k.held]


def _property_names(k: _Keyword) -> None:
    k.parts.append(k.compiler.terms.names(k.compiler.child(k.place.children["propertyNames",])))


def _all_of(k: _Keyword) -> None:
    k.parts += k.compiler._in_place(k.place, "allOf")


def _any_of(k: _Keyword) -> None:
    k.parts.append(k.compiler.terms.or_(k.compiler._in_place(k.place, "anyOf")))


def _one_of(k: _Keyword) -> None:
    k.parts.append(k.compiler.terms.one(k.compiler._in_place(k.place, "oneOf")))


def _not(k: _Keyword) -> None:
    k.parts.append(k.compiler.terms.not_(k.compiler.term(k.place.children["not",])))


def _reference(k: _Keyword) -> None:
    for keyword in k.place.schema.dialect.references:
        if k.place.keywords.get(keyword) is k.held:
            k.parts.append(k.compiler.term(k.place.children[keyword,]))


def _dependent_schemas(k: _Keyword) -> None:
    for key, child in k.place.children.items():
        if key[0] == "dependentSchemas":
            k.parts.append(k.compiler.dependency(key[1], k.compiler.term(child)))


def _dependent_required(k: _Keyword) -> None:
    for name, others in k.held.items():
        if isinstance(others, list):
            k.parts.append(
                k.compiler.dependency(name, k.compiler.terms.and_([k.compiler.has(other) for other in others]))
            )


def _dependencies(k: _Keyword) -> None:
    if k.place.rank >= 19:  # no keyword any more: 2019-09 split it in two (validation §6.5.4, appendix)
        return
    _dependent_required(k)
    for name, other in k.held.items():
        if isinstance(other, str):  # draft 3's, still met
            k.parts.append(k.compiler.dependency(name, k.compiler.has(other)))
    for key, child in k.place.children.items():
        if key[0] == "dependencies":
            k.parts.append(k.compiler.dependency(key[1], k.compiler.term(child)))


_MAKERS: Final[dict[str, Callable[[_Keyword], None]]] = {
    "type": _type, "enum": _enum, "const": _const, "multipleOf": _multiple, "minimum": _minimum, "maximum": _maximum,
    "exclusiveMinimum": _exclusive_minimum, "exclusiveMaximum": _exclusive_maximum,
    "minLength": _at_least(t.SLEN), "maxLength": _at_most(t.SLEN, STRING), "pattern": _pattern, "format": _format,
    "minItems": _at_least(t.LEN), "maxItems": _at_most(t.LEN, ARRAY), "uniqueItems": _unique,
    "minProperties": _at_least(t.CNT), "maxProperties": _at_most(t.CNT, OBJECT), "required": _required,
    "propertyNames": _property_names, "allOf": _all_of, "anyOf": _any_of, "oneOf": _one_of, "not": _not,
    "$ref": _reference, "$dynamicRef": _reference, "$recursiveRef": _reference,
    "dependentSchemas": _dependent_schemas, "dependentRequired": _dependent_required, "dependencies": _dependencies,
}  # fmt: skip
