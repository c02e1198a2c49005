from __future__ import annotations

from typing import Any

import pytest
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.closing import Location
from deedbox.checker.json_schema.schema import Schema

STRING = {"type": "string"}

CASES: list[tuple[str, Any, Any, str | None]] = [
    ("a declared name", {"properties": {"a": STRING}}, {"a": "x"}, None),
    ("an undeclared name", {"properties": {"a": STRING}}, {"b": 1}, "/b"),
    ("required declares", {"properties": {"a": STRING}, "required": ["b"]}, {"b": {"any": 1}}, None),
    ("a branch declares", {"properties": {"a": {}}, "anyOf": [{"properties": {"b": {}}}, True]}, {"b": 1}, None),
    ("then declares", {"if": {"required": ["a"]}, "then": {"properties": {"b": {}}}}, {"a": 1, "b": 2}, None),
    ("not declares nothing", {"properties": {"a": {}}, "not": {"properties": {"b": {}}}}, {"b": 1}, "/b"),
    ("dependentRequired declares", {"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 2}, None),
    ("a reference declares", {"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": {}}}}}, {"b": 1}, "/b"),
    ("const declares", {"const": {"k": {"l": 1}}}, {"k": {"m": 1}}, "/k/m"),
    ("enum declares", {"enum": [{"k": 1}, {"l": 2}]}, {"l": 2}, None),
    ("nothing declared is free-form", {"type": "object"}, {"a": {"b": [1, {"c": 2}]}}, None),
    ("propertyNames alone is free-form", {"propertyNames": {"minLength": 2}}, {"ab": 1}, None),
    ("a free-form member", {"properties": {"a": {"type": "object"}}}, {"a": {"x": {"y": 1}}}, None),
    ("true declares every name, and frees its inside",
     {"properties": {"a": {"properties": {"x": {}}}}, "additionalProperties": True}, {"z": {"w": 1}}, None),
    ("a name that is also declared stays closed under true",
     {"properties": {"a": {"properties": {"x": {}}}}, "additionalProperties": True}, {"a": {"w": 1}}, "/a/w"),
    ("additionalProperties: a schema", {"additionalProperties": {"properties": {"x": {}}}}, {"n": {"y": 1}}, "/n/y"),
    ("false is not free-form", {"additionalProperties": False}, {"a": 1}, "/a"),
    ("patterns", {"patternProperties": {"^x-": {"properties": {"k": {}}}}}, {"x-a": {"j": 1}}, "/x-a/j"),
    ("not matched by the pattern", {"patternProperties": {"^x-": {}}}, {"y": 1}, "/y"),
    ("one location, two branches",
     {"allOf": [{"properties": {"o": {"properties": {"a": {}}}}}, {"properties": {"o": {"properties": {"b": {}}}}}]},
     {"o": {"a": 1, "b": 2}}, None),
    ("items", {"items": {"properties": {"a": {}}}}, [{"a": 1}, {"b": 1}], "/1/b"),
    ("prefixItems then items", {"prefixItems": [{"properties": {"a": {}}}], "items": {"properties": {"b": {}}}},
     [{"a": 1}, {"a": 1}], "/1/a"),
    ("contains declares", {"items": {"properties": {"a": {}}}, "contains": {"properties": {"b": {}}}}, [{"b": 1}], None),
    ("recursion", {"properties": {"next": {"$ref": "#"}}}, {"next": {"next": {"z": 1}}}, "/next/next/z"),
    ("unevaluatedProperties: true", {"properties": {"a": {}}, "unevaluatedProperties": True}, {"b": {"c": 1}}, None),
]  # fmt: skip


@pytest.mark.parametrize(("document", "value", "refused"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_closed_reading(document: Any, value: Any, refused: str | None) -> None:
    location = Location([Schema(load_document(document)).node])
    assert location.refusal(load_document(value).value) == refused
