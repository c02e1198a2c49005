"""Random schemas and values over a small vocabulary, so that they meet: for attacking verdicts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

NAMES = ["a", "b", "ab", "x1"]
PATTERNS = ["^a", "b$", "^[ab]+$", "1", "^.$", "^x\\d$"]
STRINGS = ["", "a", "b", "ab", "x1", "aa", "ba", "1", "abc", "zzzz"]
NUMBERS: list[Any] = [0, 1, 2, 3, 4, 6, -1, -2, 10, Decimal("0.5"), Decimal("1.5"), Decimal("2.5")]
DRAFTS = ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"]
_RANK = dict(zip(DRAFTS, (4, 6, 7, 19, 20), strict=True))


def value(r: random.Random, depth: int = 2) -> Any:
    """A random JSON value."""
    kind = r.randrange(8 if depth else 6)
    if kind == 0:
        return None
    if kind == 1:
        return r.random() < 0.5
    if kind in (2, 3):
        return r.choice(NUMBERS)
    if kind in (4, 5):
        return r.choice(STRINGS)
    if kind == 6:
        return [value(r, depth - 1) for _ in range(r.randrange(4))]
    return {n: value(r, depth - 1) for n in r.sample([*NAMES, "zz"], r.randrange(4))}


class Schemas:
    """Makes random schemas of one draft."""

    def __init__(self, r: random.Random, draft: str) -> None:
        self.r, self.draft, self.rank = r, draft, _RANK[draft]
        self.references = False

    def document(self) -> Any:
        """A whole document: recursive now and then."""
        self.references = self.r.random() < 0.35
        schema = self.schema(3)
        if not isinstance(schema, dict):
            schema = {"allOf": [{}]} if schema else {"not": {}}
        if self.references:
            schema["definitions"] = {"d": self.schema(2), "e": self.schema(2)}
        return schema

    def below(self, depth: int) -> Any:
        """A subschema that judges another value: may refer to what is open."""
        if self.references and self.r.random() < 0.3:
            return {"$ref": self.r.choice(["#", "#/definitions/d", "#/definitions/e"])}
        return self.schema(depth)

    def schema(self, depth: int) -> Any:
        """A random schema of at most a depth."""
        r = self.r
        if self.rank > 4 and r.random() < 0.08:
            return r.random() < 0.6
        keywords: dict[str, Any] = {}
        for _ in range(r.choice([0, 1, 1, 2, 2, 3])):
            self._keyword(keywords, depth)
        if r.random() < 0.35:
            self._type(keywords)
        return keywords

    def _type(self, keywords: dict[str, Any]) -> None:
        types = ["null", "boolean", "integer", "number", "string", "array", "object", "object", "array"]
        r = self.r
        keywords["type"] = r.choice(types) if r.random() < 0.7 else sorted(set(r.sample(types, 3)))

    def _keyword(self, keywords: dict[str, Any], depth: int) -> None:
        r = self.r
        simple = [self._number, self._string, self._array, self._object, self._values]
        if depth <= 0 or r.random() < 0.4:
            r.choice(simple)(keywords)
            return
        r.choice([self._members, self._members, self._items, self._logic, self._logic])(keywords, depth - 1)

    def _number(self, k: dict[str, Any]) -> None:
        r = self.r
        keyword = r.choice(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"])
        if keyword == "multipleOf":
            k[keyword] = r.choice([1, 2, 3, Decimal("0.5"), Decimal("1.5")])
        elif keyword.startswith("exclusive") and self.rank == 4:
            k[keyword] = True
            k[keyword[9:].lower()] = r.choice(NUMBERS)
        else:
            k[keyword] = r.choice(NUMBERS)

    def _string(self, k: dict[str, Any]) -> None:
        r = self.r
        keyword = r.choice(["minLength", "maxLength", "pattern"])
        k[keyword] = r.choice(PATTERNS) if keyword == "pattern" else r.randrange(4)

    def _array(self, k: dict[str, Any]) -> None:
        r = self.r
        keyword = r.choice(["minItems", "maxItems", "uniqueItems"])
        k[keyword] = True if keyword == "uniqueItems" else r.randrange(4)

    def _object(self, k: dict[str, Any]) -> None:
        r = self.r
        keyword = r.choice(["minProperties", "maxProperties", "required", "required"])
        if keyword == "required":
            k[keyword] = r.sample(NAMES, r.choice([1, 1, 2]))
        else:
            k[keyword] = r.randrange(4)

    def _values(self, k: dict[str, Any]) -> None:
        r = self.r
        if self.rank > 4 and r.random() < 0.4:
            k["const"] = value(r, 1)
        else:
            k["enum"] = [value(r, 1) for _ in range(r.randrange(1, 4))]

    def _members(self, k: dict[str, Any], depth: int) -> None:
        r = self.r
        keywords = ["properties", "properties", "patternProperties", "additionalProperties", "dependencies"]
        if self.rank > 4:
            keywords.append("propertyNames")
        if self.rank >= 19:
            keywords.remove("dependencies")
            keywords += ["dependentSchemas", "dependentRequired", "unevaluatedProperties"]
        keyword = r.choice(keywords)
        if keyword == "properties":
            k[keyword] = {n: self.below(depth) for n in r.sample(NAMES, r.choice([1, 2]))}
        elif keyword == "patternProperties":
            k[keyword] = {p: self.below(depth) for p in r.sample(PATTERNS, r.choice([1, 1, 2]))}
        elif keyword == "dependencies":
            k[keyword] = {r.choice(NAMES): self.schema(depth) if r.random() < 0.5 else r.sample(NAMES, 1)}
        elif keyword == "dependentSchemas":
            k[keyword] = {r.choice(NAMES): self.schema(depth)}
        elif keyword == "dependentRequired":
            k[keyword] = {r.choice(NAMES): r.sample(NAMES, 1)}
        elif keyword == "propertyNames":
            names: dict[str, Any] = {}
            self._string(names)
            k[keyword] = names if r.random() < 0.8 else self.schema(depth)
        else:
            k[keyword] = False if r.random() < 0.5 else self.below(depth)

    def _items(self, k: dict[str, Any], depth: int) -> None:
        r = self.r
        keywords = ["items", "items", "tuple"]
        if self.rank > 4:
            keywords.append("contains")
        if self.rank >= 19:
            keywords.append("unevaluatedItems")
        keyword = r.choice(keywords)
        if keyword == "tuple":
            schemas = [self.below(depth) for _ in range(r.choice([1, 2]))]
            k["prefixItems" if self.rank >= 20 else "items"] = schemas
            if r.random() < 0.5:
                rest = False if r.random() < 0.5 else self.below(depth)
                k["items" if self.rank >= 20 else "additionalItems"] = rest
        elif keyword == "contains":
            k[keyword] = self.below(depth)
            if self.rank >= 19 and r.random() < 0.6:
                k["minContains"] = r.randrange(3)
            if self.rank >= 19 and r.random() < 0.4:
                k["maxContains"] = r.randrange(1, 3)
        elif keyword == "unevaluatedItems":
            k[keyword] = False if r.random() < 0.6 else self.below(depth)
        else:
            k[keyword] = self.below(depth)

    def _logic(self, k: dict[str, Any], depth: int) -> None:
        r = self.r
        keywords = ["allOf", "anyOf", "oneOf", "not"]
        if self.rank >= 7:
            keywords.append("if")
        keyword = r.choice(keywords)
        if keyword == "not":
            k[keyword] = self.schema(depth)
        elif keyword == "if":
            k["if"] = self.schema(depth)
            for branch in ("then", "else"):
                if r.random() < 0.6:
                    k[branch] = self.schema(depth)
        else:
            k[keyword] = [self.schema(depth) for _ in range(r.choice([1, 2, 2, 3]))]


def mutated(r: random.Random, makes: Schemas, schema: Any) -> Any:
    """The schema with one place changed: what a new version of a document is like."""
    if not isinstance(schema, dict) or not schema or r.random() < 0.15:
        return makes.schema(1)
    schema = dict(schema)
    keyword = r.choice(sorted(schema))
    held = schema[keyword]
    if r.random() < 0.25:
        del schema[keyword]
    elif keyword in ("properties", "patternProperties", "definitions") and held:
        name = r.choice(sorted(held))
        schema[keyword] = {**held, name: mutated(r, makes, held[name])}
    elif keyword in ("allOf", "anyOf", "oneOf", "prefixItems") or (keyword == "items" and isinstance(held, list)):
        i = r.randrange(len(held))
        schema[keyword] = [*held[:i], mutated(r, makes, held[i]), *held[i + 1 :]]
    elif keyword in ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"):
        schema[keyword] = mutated(r, makes, held)
    else:
        makes._keyword(schema, 1)
    return schema
