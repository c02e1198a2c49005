"""Schemas that say the same in other words give no facts, or only such as change nothing."""

from __future__ import annotations

from typing import Any

import pytest

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
CUSTOMER = {"type": "object", "properties": {"name": STRING}, "required": ["name"]}

SAME: dict[str, tuple[Any, Any]] = {
    "reference-inlined": (
        {"properties": {"c": {"$ref": "#/$defs/C"}}, "$defs": {"C": CUSTOMER}},
        {"properties": {"c": CUSTOMER}},
    ),
    "definition-renamed": (
        {"properties": {"c": {"$ref": "#/$defs/C"}}, "$defs": {"C": CUSTOMER}},
        {"properties": {"c": {"$ref": "#/$defs/Customer"}}, "$defs": {"Customer": CUSTOMER}},
    ),
    "recursion-unrolled-once": (
        {"$ref": "#/$defs/T", "$defs": {"T": {"properties": {"next": {"$ref": "#/$defs/T"}, "v": INTEGER}}}},
        {
            "properties": {"next": {"$ref": "#/$defs/T"}, "v": INTEGER},
            "$defs": {"T": {"properties": {"next": {"$ref": "#/$defs/T"}, "v": INTEGER}}},
        },
    ),
    "split-with-allOf": (
        {"type": "object", "properties": {"a": STRING, "b": INTEGER}, "required": ["a", "b"]},
        {
            "allOf": [
                {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
                {"properties": {"b": INTEGER}, "required": ["b"]},
            ]
        },
    ),
    "anyOf-of-one": ({"anyOf": [CUSTOMER]}, CUSTOMER),
    "oneOf-of-one": (CUSTOMER, {"oneOf": [CUSTOMER]}),
    "alternatives-in-another-order": ({"anyOf": [STRING, INTEGER]}, {"anyOf": [INTEGER, STRING]}),
    "const-as-enum": ({"const": 1}, {"enum": [1]}),
    "enum-in-another-order": ({"enum": ["a", 1, None]}, {"enum": [None, 1, "a"]}),
    "enum-of-what-the-type-refuses": ({"type": "string", "enum": ["a", 1]}, {"enum": ["a"]}),
    "types-in-another-order": ({"type": ["string", "null"]}, {"type": ["null", "string"]}),
    "number-and-integer": ({"type": ["number", "integer"]}, {"type": "number"}),
    "names-in-another-order": (
        {"required": ["a", "b"], "properties": {"a": STRING, "b": STRING}},
        {"required": ["b", "a"], "properties": {"b": STRING, "a": STRING}},
    ),
    "integer-bounds": ({"type": "integer", "minimum": 0.5}, {"type": "integer", "exclusiveMinimum": 0}),
    "redundant-bound": ({"minimum": 3, "exclusiveMinimum": 2}, {"minimum": 3}),
    "multiples-together": ({"multipleOf": 6}, {"allOf": [{"multipleOf": 2}, {"multipleOf": 3}]}),
    "integers-are-multiples-of-a-half": ({"type": "integer", "multipleOf": 0.5}, {"type": "integer"}),
    "zero-is-no-bound": ({"minLength": 0, "minItems": 0, "minProperties": 0}, {}),
    "no-unique-items": ({"uniqueItems": False}, {}),
    "keywords-of-other-types": (
        {"type": "string", "minimum": 3, "items": STRING},
        {"type": "string", "required": ["a"]},
    ),
    "true-for-nothing-said": ({"additionalProperties": True, "items": True}, {"items": {}, "additionalProperties": {}}),
    "dependent-on-what-is-required": (
        {"required": ["b"], "dependentRequired": {"a": ["b"]}, "properties": {"a": STRING, "b": STRING}},
        {"required": ["b"], "properties": {"a": STRING, "b": STRING}},
    ),
    "closed-either-way": (
        {"properties": {"a": STRING}, "additionalProperties": False},
        {"properties": {"a": STRING}, "unevaluatedProperties": False},
    ),
    "item-schema-spelled-out": ({"items": STRING}, {"prefixItems": [STRING], "items": STRING}),
}
D4, D7 = "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"
D2019, D2020 = "https://json-schema.org/draft/2019-09/schema", "https://json-schema.org/draft/2020-12/schema"
RESPELLED: dict[str, tuple[Any, Any]] = {
    "draft4-exclusive": (
        {"$schema": D4, "minimum": 1, "exclusiveMinimum": True},
        {"$schema": D2020, "exclusiveMinimum": 1},
    ),
    "draft4-inclusive": ({"$schema": D4, "maximum": 1, "exclusiveMaximum": False}, {"$schema": D7, "maximum": 1}),
    "definitions": (
        {"$schema": D7, "properties": {"a": {"$ref": "#/definitions/A"}}, "definitions": {"A": STRING}},
        {"$schema": D2020, "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": STRING}},
    ),
    "tuple": (
        {"$schema": D7, "items": [STRING, INTEGER], "additionalItems": STRING},
        {"$schema": D2020, "prefixItems": [STRING, INTEGER], "items": STRING},
    ),
    "additional-items-of-no-tuple": (
        {"$schema": D7, "items": STRING, "additionalItems": False},
        {"$schema": D2020, "items": STRING},
    ),
    "dependencies": (
        {"$schema": D7, "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
        {"$schema": D2019, "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}},
    ),
    "siblings-of-a-reference": (
        {"$schema": D7, "$ref": "#/definitions/A", "minLength": 5, "definitions": {"A": STRING}},
        {"$schema": D2020, "type": "string"},
    ),
    "const-before-its-time": ({"$schema": D4, "const": 1}, {"$schema": D2020}),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("swapped", [False, True], ids=["", "swapped"])
def test_no_facts(name: str, swapped: bool, facts: Any) -> None:
    old, new = reversed(SAME[name]) if swapped else SAME[name]
    assert [(f.rule.id, f.pointer) for f in facts(old, new)] == []


@pytest.mark.parametrize("name", RESPELLED)
@pytest.mark.parametrize("swapped", [False, True], ids=["", "swapped"])
def test_only_the_draft_is_another(name: str, swapped: bool, facts: Any) -> None:
    old, new = reversed(RESPELLED[name]) if swapped else RESPELLED[name]
    assert [(f.rule.id, f.pointer) for f in facts(old, new)] == [("dialect-changed", "")]


@pytest.mark.parametrize("name", [*SAME, *RESPELLED])
def test_a_real_change_beside_it_is_still_seen(name: str, facts: Any) -> None:
    """The tables above would pass with a walker that sees nothing."""
    old, new = (SAME | RESPELLED)[name]
    old = {"$schema": old.get("$schema", D2020), "properties": {"it": _embedded(old), "n": STRING}} | _held(old)
    new = {"$schema": new.get("$schema", D2020), "properties": {"it": _embedded(new), "n": INTEGER}} | _held(new)
    found = {(f.rule.id, f.pointer) for f in facts(old, new)} - {("dialect-changed", "")}
    assert found == {("type-changed", "/properties/n")}


def _embedded(schema: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in schema.items() if k not in ("$schema", "$defs", "definitions")}


def _held(schema: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in schema.items() if k in ("$defs", "definitions")}
