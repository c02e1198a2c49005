"""Closed readings: regions of names, what is below them, and agreement with their definition in `closing`."""

from __future__ import annotations

import pytest

WRITER, BOTH, READER = (True, False), (True, True), (False, True)
A = {"type": "object", "properties": {"a": {"type": "string"}}}
AB = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("a", "b", "closed", "holds"),
    [
        (A, AB, WRITER, True),
        (A, AB, (False, False), False),
        (AB, A, WRITER, True),
        (AB, A, BOTH, False),
        (A, AB, BOTH, True),
        (AB, A, READER, False),
        ({"type": "object"}, A, WRITER, False),  # declares nothing: stays open
        ({"type": "object", "required": ["b"]}, AB, WRITER, False),  # a required name is declared
        ({**A, "additionalProperties": True}, AB, WRITER, False),
        ({**A, "additionalProperties": {"type": "null"}}, AB, WRITER, False),
        ({**A, "additionalProperties": False}, {**AB, "additionalProperties": False}, WRITER, True),
        ({"type": "object", "patternProperties": {"^a": True}}, {"propertyNames": {"pattern": "^a"}}, WRITER, True),
        ({"type": "object", "patternProperties": {"^a": True}}, {"propertyNames": {"pattern": "^b"}}, WRITER, False),
        # `x` of two branches: what one of them declares inside, both do
        ({"allOf": [{"properties": {"x": A}}, {"properties": {"x": {"properties": {"b": True}}}}], "type": "object"},
         {"properties": {"x": {"propertyNames": {"enum": ["a", "b"]}}}}, WRITER, True),
        ({"allOf": [{"properties": {"x": A}}, {"properties": {"x": {"properties": {"b": True}}}}], "type": "object"},
         {"properties": {"x": {"propertyNames": {"enum": ["a"]}}}}, WRITER, False),
        ({"type": "array", "items": A}, {"items": {"maxProperties": 1}}, WRITER, True),
        ({"type": "array", "prefixItems": [A], "items": {"type": "object"}}, {"items": {"maxProperties": 1}}, WRITER, False),
        ({"const": {"k": {"m": 1}}}, {"properties": {"k": {"required": ["m"]}}, "required": ["k"]}, WRITER, True),
        ({"type": "object", "properties": {"n": {"$ref": "#"}}}, {"propertyNames": {"const": "n"}}, WRITER, True),
    ],
)  # fmt: skip
def test_closed(ask, a, b, closed, holds):
    assert ask(a, b, closed=closed).status == ("empty" if holds else "found")


def test_a_closed_reading_is_in_the_letter(ask):
    for schema in (A, AB, {"type": "object", "properties": {"n": {"$ref": "#"}, "m": A}}):
        assert ask(schema, schema, closed=WRITER).status == "empty"
        assert ask(schema, schema, closed=BOTH).status == "empty"
        assert ask(schema, schema, closed=READER).status == "found"


def test_many_patterns_are_undecided_at_most(ask):
    patterns = {f"^[a-z]*{c}": {"type": "string"} for c in "abcdefghijkl"}
    outcome = ask({"type": "object", "patternProperties": patterns}, {"maxProperties": 0}, closed=WRITER)
    assert (outcome.status, outcome.reason) == ("unknown", "a closed reading of an object with many patterns")
