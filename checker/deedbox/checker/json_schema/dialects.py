"""The drafts of JSON Schema: what each calls its keywords, and which of them hold subschemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from deedbox.checker.errors import UnknownDialect

Shape: TypeAlias = Literal["schema", "list", "map", "schema-or-list", "map-of-schema-or-names"]
"""How a keyword holds its subschemas: itself one, an array of them, an object of them, one or an array (`items` up to
2019-09), an object of schemas or arrays of names (`dependencies` up to draft 7)."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One draft. `applicators` are the keywords that hold subschemas, `assertions` those that judge the value itself."""

    name: str
    uri: str
    identifier: Literal["id", "$id"]
    ref_overrides_siblings: bool
    applicators: dict[str, Shape]
    assertions: frozenset[str]
    rank: int
    references: tuple[str, ...] = ("$ref",)

    def __hash__(self) -> int:
        return self.rank


_APPLICATORS_4: dict[str, Shape] = {
    "definitions": "map", "properties": "map", "patternProperties": "map", "additionalProperties": "schema",
    "items": "schema-or-list", "additionalItems": "schema", "dependencies": "map-of-schema-or-names",
    "allOf": "list", "anyOf": "list", "oneOf": "list", "not": "schema",
}  # fmt: skip
_APPLICATORS_6 = _APPLICATORS_4 | {"contains": "schema", "propertyNames": "schema"}
_APPLICATORS_7 = _APPLICATORS_6 | {"if": "schema", "then": "schema", "else": "schema"}
# 2019-09 and 2020-12 keep `dependencies` and `definitions` in their metaschemas for older documents. The places are
# walked for references and declare names; `dependencies` judges nothing there any more (2019-09 validation §A).
_APPLICATORS_2019 = _APPLICATORS_7 | {
    "$defs": "map", "dependentSchemas": "map", "unevaluatedItems": "schema", "unevaluatedProperties": "schema",
    "contentSchema": "schema",
}  # fmt: skip
_APPLICATORS_2020 = {k: v for k, v in _APPLICATORS_2019.items() if k not in ("additionalItems", "items")} | {
    "prefixItems": "list", "items": "schema",
}  # fmt: skip
_ASSERTIONS_4 = frozenset({
    "type", "enum", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
    "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "format",
})  # fmt: skip
_ASSERTIONS_6 = _ASSERTIONS_4 | {"const"}
_ASSERTIONS_2019 = _ASSERTIONS_6 | {"dependentRequired", "minContains", "maxContains"}

DRAFT4 = Dialect("draft4", "http://json-schema.org/draft-04/schema", "id", True, _APPLICATORS_4, _ASSERTIONS_4, 4)
DRAFT6 = Dialect("draft6", "http://json-schema.org/draft-06/schema", "$id", True, _APPLICATORS_6, _ASSERTIONS_6, 6)
DRAFT7 = Dialect("draft7", "http://json-schema.org/draft-07/schema", "$id", True, _APPLICATORS_7, _ASSERTIONS_6, 7)
DRAFT2019 = Dialect(
    "draft2019-09", "https://json-schema.org/draft/2019-09/schema", "$id", False, _APPLICATORS_2019, _ASSERTIONS_2019, 19,
    ("$ref", "$recursiveRef"),
)  # fmt: skip
DRAFT2020 = Dialect(
    "draft2020-12", "https://json-schema.org/draft/2020-12/schema", "$id", False, _APPLICATORS_2020, _ASSERTIONS_2019, 20,
    ("$ref", "$dynamicRef"),
)  # fmt: skip

DIALECTS: dict[str, Dialect] = {d.name: d for d in (DRAFT4, DRAFT6, DRAFT7, DRAFT2019, DRAFT2020)}
_BY_URI = {d.uri.partition("://")[2]: d for d in DIALECTS.values()}


def by_uri(uri: str) -> Dialect | None:
    """The draft that a `$schema` names (with or without its empty fragment, http or https), or None."""
    return _BY_URI.get(uri.rstrip("#").partition("://")[2])


def dialect_of(document: object, given: str | None, source: str) -> Dialect:
    """The dialect of a document: its `$schema` where that is a known draft, else the one given, else 2020-12.

    Raises:
        UnknownDialect: its `$schema` is no known draft and none was given, or the given name is none.
    """
    if given is not None and given not in DIALECTS:
        raise UnknownDialect(f"{given!r} is no dialect: choose from {', '.join(DIALECTS)}", source=source)
    declared = document.get("$schema") if isinstance(document, dict) else None
    if isinstance(declared, str):
        known = by_uri(declared)
        if known is not None:
            return known
        if given is None:
            raise UnknownDialect(
                f"{declared!r} is no known draft: say which one it extends ({', '.join(DIALECTS)}) with `dialect`",
                source=source,
                pointer="/$schema",
            )
    return DIALECTS[given] if given is not None else DRAFT2020
