"""Each keyword with its draft's meaning: what is included in what. Every row is asked in both directions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

OBJECT = {"type": "object"}
D4, D6, D7, D19, D20 = "draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"

# dialect, a, b, whether a is in b, whether b is in a
ROWS: list[tuple[str, Any, Any, bool, bool]] = [
    # type, enum, const
    (D20, {"type": "integer"}, {"type": "number"}, True, False),
    (D20, {"type": ["integer", "string"]}, {"type": ["number", "string"]}, True, False),
    (D20, {"type": "integer"}, {"multipleOf": 1, "type": "number"}, True, True),
    (D4, {"type": "integer"}, {"multipleOf": 1, "type": "number"}, True, True),
    (D20, {"type": "boolean"}, {"enum": [True, False]}, True, True),
    (D20, {"type": "null"}, {"const": None}, True, True),
    (D20, {"const": True}, {"const": 1}, False, False),
    (D20, {"const": Decimal("1.0")}, {"const": 1}, True, True),
    (D20, {"const": {"a": 1, "b": 2}}, {"const": {"b": 2, "a": Decimal("1.0")}}, True, True),
    (D20, {"enum": [0, False]}, {"enum": [0]}, False, True),
    (D20, {"enum": [1, "a", None]}, {"type": ["integer", "string", "null"]}, True, False),
    (D20, {"enum": []}, {"type": "string"}, True, False),
    (D4, {"const": 1}, {}, True, True),
    (D20, {"const": [1, 2]}, {"items": {"type": "integer"}, "minItems": 2}, True, False),
    (D20, {"type": "object", "not": {"const": {"a": 1}}}, {"type": "object"}, True, False),
    (D20, {"type": "array", "not": {"const": [1, 2]}}, {"type": "array"}, True, False),
    # numbers
    (D20, {"minimum": 3}, {"exclusiveMinimum": 2}, True, False),
    (D20, {"type": "integer", "minimum": 3}, {"type": "integer", "exclusiveMinimum": 2}, True, True),
    (D4, {"minimum": 3, "exclusiveMinimum": True}, {"minimum": 3}, True, False),
    (D4, {"minimum": 3, "exclusiveMinimum": False}, {"minimum": 3}, True, True),
    (D4, {"exclusiveMinimum": True}, {}, True, True),
    (D4, {"maximum": 3, "exclusiveMaximum": True}, {"maximum": 3}, True, False),
    (D20, {"type": "integer", "multipleOf": 6}, {"multipleOf": 3}, True, False),
    (D20, {"type": "number", "multipleOf": 4, "not": {"multipleOf": 6}}, {"not": {"multipleOf": 12}}, True, False),
    (D20, {"multipleOf": Decimal("0.1"), "type": "number"}, {"multipleOf": Decimal("0.01")}, True, False),
    (D20, {"type": "number", "allOf": [{"multipleOf": 2}, {"multipleOf": 3}]}, {"multipleOf": 6}, True, False),
    (D20, {"type": "integer", "minimum": 1, "maximum": 3}, {"enum": [1, 2, 3]}, True, True),
    (D20, {"type": "number", "minimum": 1, "maximum": 3}, {"enum": [1, 2, 3]}, False, True),
    (D20, {"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, {"type": "integer"}, False, False),
    (D20, {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, {"type": "string"}, True, False),
    (D20, {"type": "number", "minimum": 5, "maximum": 5}, {"const": 5}, True, True),
    (D20, {"const": 9007199254740992}, {"maximum": 9007199254740991}, False, False),
    # strings
    (D20, {"type": "string", "minLength": 3}, {"minLength": 2}, True, False),
    (D20, {"type": "string", "maxLength": 0}, {"const": ""}, True, True),
    (D20, {"type": "string", "pattern": "^a+$"}, {"pattern": "^a"}, True, False),
    (D20, {"type": "string", "pattern": "^[ab]$"}, {"enum": ["a", "b"]}, True, True),
    (D20, {"type": "string", "pattern": "^a{2,3}$"}, {"minLength": 2, "maxLength": 3}, True, False),
    (D20, {"type": "string", "pattern": "^a", "not": {"pattern": "b$"}}, {"pattern": "^a.*[^b]$"}, False, False),
    (D20, {"pattern": "^\\d+$"}, {"pattern": "^[0-9]+$"}, True, True),
    # arrays
    (D20, {"type": "array", "minItems": 2}, {"minItems": 1}, True, False),
    (D20, {"type": "array", "items": False}, {"maxItems": 0}, True, False),
    (D20, {"items": {"type": "integer"}}, {"items": {"type": "number"}}, True, False),
    (D20, {"prefixItems": [{"type": "integer"}]}, {"prefixItems": [{"type": "number"}, {}]}, True, False),
    (D20, {"prefixItems": [{}, {}], "items": False}, {"maxItems": 2}, True, True),
    (D7, {"items": [{}, {}], "additionalItems": False}, {"maxItems": 2}, True, True),
    (D7, {"items": {"type": "string"}, "additionalItems": False}, {"items": {"type": "string"}}, True, True),
    (D20, {"type": "array", "contains": {"const": 1}}, {"minItems": 1}, True, False),
    (D20, {"contains": False}, {"not": {"type": "array"}}, True, True),
    (D20, {"contains": {"const": 1}, "minContains": 0}, {}, True, True),
    (D20, {"contains": {"const": 1}, "minContains": 2}, {"contains": {"const": 1}}, True, False),
    (D20, {"type": "array", "contains": {"const": 1}, "maxContains": 1, "uniqueItems": True},
     {"type": "array", "contains": {"const": 1}, "uniqueItems": True}, True, True),
    (D20, {"type": "array", "contains": {"const": 1}, "minContains": 2}, {"not": {"uniqueItems": True}}, True, False),
    (D7, {"contains": {"const": 1}, "minContains": 2}, {"contains": {"const": 1}}, True, True),
    (D20, {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True}, {"maxItems": 2}, True, False),
    (D20, {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 4}, False, True, True),
    (D20, {"type": "array", "prefixItems": [{"enum": [1, 2]}, {"enum": [1, 2]}, {"enum": [1, 2, 3]}],
           "uniqueItems": True, "minItems": 3}, {"prefixItems": [True, True, {"const": 3}]}, True, False),
    (D20, {"uniqueItems": True, "const": [1, True]}, False, False, True),
    (D20, {"allOf": [{"contains": {"const": 1}}, {"contains": {"const": 2}}], "type": "array"},
     {"minItems": 2}, True, False),
    (D20, {"allOf": [{"contains": {"minimum": 1}}, {"contains": {"maximum": 2}}], "type": "array",
           "items": {"type": "number"}}, {"minItems": 2}, False, False),
    (D20, {"type": "array", "contains": {"type": "integer"}, "minContains": 3, "maxItems": 3},
     {"items": {"type": "integer"}}, True, False),
    # objects
    (D20, {"properties": {"a": {"type": "integer"}}}, {"properties": {"a": {"type": "number"}}}, True, False),
    (D20, {**OBJECT, "required": ["a", "b"]}, {"required": ["a"]}, True, False),
    (D20, {**OBJECT, "required": ["a", "b"]}, {"minProperties": 2}, True, False),
    (D20, {**OBJECT, "required": ["a"], "properties": {"a": False}}, False, True, True),
    (D20, {**OBJECT, "properties": {"a": {}}, "additionalProperties": False}, {"maxProperties": 1}, True, False),
    (D20, {**OBJECT, "patternProperties": {"^a": {"type": "integer"}}, "additionalProperties": False},
     {"additionalProperties": {"type": "integer"}}, True, False),
    (D20, {"patternProperties": {"^a": {"type": "integer"}}}, {"properties": {"ab": {"type": "integer"}}}, True, False),
    (D20, {"patternProperties": {"^a$": {"type": "integer"}}}, {"properties": {"a": {"type": "integer"}}}, True, True),
    (D20, {"patternProperties": {"^a": {"minimum": 1}, "b$": {"maximum": 0}}, **OBJECT},
     {"properties": {"ab": {"not": {"type": "number"}}}}, True, False),
    (D20, {**OBJECT, "propertyNames": {"maxLength": 1}}, {"patternProperties": {"..": False}}, True, False),
    (D20, {**OBJECT, "propertyNames": {"enum": ["a", "b"]}}, {"maxProperties": 2}, True, False),
    (D20, {**OBJECT, "propertyNames": {"pattern": "^[ab]$"}, "minProperties": 3}, False, True, True),
    (D20, {**OBJECT, "propertyNames": False}, {"maxProperties": 0}, True, False),
    (D4, {"propertyNames": False}, {}, True, True),
    (D7, {"dependencies": {"a": ["b"]}}, {"dependencies": {"a": {"required": ["b"]}}}, True, True),
    (D20, {"dependentRequired": {"a": ["b"]}}, {"dependentSchemas": {"a": {"required": ["b"]}}}, True, True),
    (D20, {"dependentRequired": {"a": ["b"], "b": ["c"]}}, {"dependentRequired": {"a": ["c"]}}, True, False),
    (D20, {"dependencies": {"a": ["b"]}}, {}, True, True),
    (D20, {**OBJECT, "maxProperties": 1, "required": ["a"]}, {"additionalProperties": False, "properties": {"a": {}}},
     True, False),
    # logic
    (D20, {"allOf": [{"type": "integer"}, {"minimum": 0}]}, {"type": "integer", "minimum": 0}, True, True),
    (D20, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"type": ["integer", "string"]}, True, True),
    (D20, {"oneOf": [{"type": "integer"}, {"type": "number"}]}, {"type": "number", "not": {"type": "integer"}}, True, True),
    (D20, {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
     True, False),
    (D20, {"oneOf": [{"const": 1}, {"const": 1}]}, False, True, True),
    (D20, {"oneOf": [True, {"const": 1}]}, {"not": {"const": 1}}, True, True),
    (D20, {"not": {"not": {"type": "string"}}}, {"type": "string"}, True, True),
    (D20, {**OBJECT, "not": {"required": ["a"]}}, {**OBJECT, "not": {"required": ["a", "b"]}}, True, False),
    (D7, {"if": {"type": "integer"}, "then": {"minimum": 0}}, {"anyOf": [{"not": {"type": "integer"}}, {"minimum": 0}]},
     True, True),
    (D7, {"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}, **OBJECT},
     {"anyOf": [{"required": ["b"]}, {"required": ["c"]}]}, True, False),
    (D6, {"if": {"type": "integer"}, "then": False}, {}, True, True),
    (D7, {"then": False}, {}, True, True),
    # references
    (D7, {"$ref": "#/definitions/a", "type": "string", "definitions": {"a": {"type": "integer"}}}, {"type": "integer"},
     True, True),
    (D20, {"$ref": "#/$defs/a", "minimum": 1, "$defs": {"a": {"type": "integer"}}}, {"type": "integer", "minimum": 1},
     True, True),
    (D20, {"$ref": "#a", "$defs": {"x": {"$anchor": "a", "const": 1}}}, {"const": 1}, True, True),
    # unevaluated
    (D20, {**OBJECT, "properties": {"a": {}}, "unevaluatedProperties": False},
     {**OBJECT, "properties": {"a": {}}, "additionalProperties": False}, True, True),
    (D20, {**OBJECT, "allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, {"maxProperties": 1}, True, False),
    (D20, {**OBJECT, "anyOf": [{"properties": {"a": {}}, "required": ["a"]}, True], "unevaluatedProperties": False},
     {"propertyNames": {"const": "a"}}, True, False),
    (D20, {**OBJECT, "anyOf": [{"properties": {"a": {}}, "required": ["b"]}, True], "unevaluatedProperties": False},
     {"maxProperties": 0}, True, False),
    (D20, {**OBJECT, "if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"properties": {"b": {}}},
           "unevaluatedProperties": False}, {"dependentRequired": {"b": ["a"]}}, True, False),
    (D20, {**OBJECT, "not": {"not": {"properties": {"a": {}}}}, "unevaluatedProperties": False},
     {"maxProperties": 0}, True, False),
    (D20, {**OBJECT, "patternProperties": {"^a": {}}, "unevaluatedProperties": {"type": "integer"}},
     {"patternProperties": {"^b": {"type": "integer"}}}, True, False),
    (D20, {"type": "array", "prefixItems": [{}], "unevaluatedItems": False}, {"maxItems": 1}, True, False),
    (D20, {"type": "array", "contains": {"type": "integer"}, "unevaluatedItems": False},
     {"items": {"type": "integer"}}, True, False),
    (D20, {"type": "array", "anyOf": [{"prefixItems": [{"const": 1}]}, {"prefixItems": [{}, {}]}], "minItems": 2,
           "unevaluatedItems": False}, {"maxItems": 2}, True, False),
    (D19, {"type": "array", "items": [{}], "additionalItems": {"type": "integer"}, "unevaluatedItems": False},
     {"type": "array", "items": [{}], "additionalItems": {"type": "integer"}}, True, True),
    # annotations say nothing
    (D20, {"type": "string", "format": "date", "contentEncoding": "base64", "title": "x"}, {"type": "string"}, True, True),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "a", "b", "forth", "back"), ROWS)
def test_keyword(ask, dialect, a, b, forth, back):
    if dialect == D4:  # no boolean schemas there
        a, b = ({"not": {}} if side is False else side for side in (a, b))
    assert ask(a, b, dialect).status == ("empty" if forth else "found")
    assert ask(b, a, dialect).status == ("empty" if back else "found")


@pytest.mark.parametrize(
    ("a", "b", "holds"),
    [
        ({"type": "string", "format": "date"}, {"pattern": "^[0-9-]+$"}, True),
        ({"type": "string", "format": "date", "pattern": "^2020"}, {"format": "date-time"}, False),
        ({"type": "string", "format": "ipv4"}, {"maxLength": 15}, True),
        ({"type": "string", "format": "email", "minLength": 30}, {"format": "uri"}, False),
        ({"type": "string"}, {"format": "uuid"}, False),
        ({"type": "string", "format": "no-such-format"}, {"maxLength": 3}, False),
        ({"type": "string"}, {"type": "string", "format": "no-such-format"}, True),
    ],
)
def test_asserted_format(ask, a, b, holds):
    assert ask(a, b, format_assertion=True).status == ("empty" if holds else "found")


def test_format_is_an_annotation_unless_asserted(ask):
    assert ask({"type": "string"}, {"type": "string", "format": "date"}).status == "empty"


@pytest.mark.parametrize("draft", ["draft4", "draft6", "draft7"])
def test_hidden_siblings_of_a_reference(ask, draft):
    a = {"properties": {"x": {"$ref": "#/definitions/d", "minimum": 5}}, "definitions": {"d": {"type": "integer"}}}
    assert ask(a, {"properties": {"x": {"minimum": 5}}}, draft).status == "found"


def test_metaschemas_are_read(ask):
    draft = {"$ref": "http://json-schema.org/draft-07/schema#"}
    assert ask(draft, {"type": ["object", "boolean"]}, "draft7").status == "empty"
    assert ask(draft, {"properties": {"minimum": {"type": "integer"}}}, "draft7").status == "found"


def test_readable_witnesses(ask):
    schema = {
        "type": "object",
        "properties": {
            "when": {"type": "string", "format": "date-time"},
            "email": {"type": "string"},
            "size": {"type": "string", "examples": ["XL"]},
            "count": {"type": "integer", "minimum": 3},
        },
        "required": ["when", "email", "size", "count"],
    }
    assert ask(schema, False).value == {
        "when": "2026-01-31T10:00:00Z", "email": "ada@example.com", "size": "XL", "count": 3,
    }  # fmt: skip
    assert ask(schema, {"properties": {"count": {"maximum": 9}}}).value["count"] == 10
