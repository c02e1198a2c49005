"""The compiled closed reading says what `Location.refusal` says."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import orjson
import pytest
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.closing import Location
from deedbox.checker.json_schema.schema import Schema
from deedbox.kafka.judging.closed import ClosedReading
from deedbox.kafka.judging.closed_schema import closed_schema
from deedbox.kafka.judging.validation import CompiledSchema
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests import strategies

TREE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#"}},
        "free": {"type": "object"},
        "^x": {},
    },
    "patternProperties": {"^x-": {"type": "object", "properties": {"a": {}}}},
}


def both(document: Any, value: Any) -> tuple[str | None, str | None]:
    schema = Schema(load_document(document))
    return ClosedReading(schema).refusal(value), Location([schema.node]).refusal(value)


@settings(max_examples=400, deadline=None)
@given(strategies.schemas, st.lists(strategies.values, min_size=1, max_size=3))
# An array whose items lead back to itself, and one place in it that closes: not to be taken for open.
@example({"items": {"items": {"$ref": "#"}}, "prefixItems": [True, {"properties": {"a": True}}]}, [[[[], {"b": 1}]]])
def test_it_refuses_what_the_reference_refuses(schema: Any, values: list[Any]) -> None:
    document = load_document(schema)
    reading = ClosedReading(Schema(document))
    for value in [*values, *values]:  # twice: what is compiled by the first must not change the second
        assert reading.refusal(value) == Location([Schema(document).node]).refusal(value)


@settings(max_examples=600, deadline=None)
@given(strategies.schemas, st.lists(strategies.values, min_size=1, max_size=3))
@example({"not": {"properties": {"a": False}}, "properties": {"a": True, "b": True}}, [{"a": 1}, {"b": 1, "c": 2}])
@example({"required": ["x"], "additionalProperties": False, "properties": {"y": True}}, [{"x": 1}, {"y": 1}])
@example({"items": {"properties": {"id": {"type": "string"}}}}, [[{"id": "a"}], [{"id": "a", "b": 1}]])
def test_both_questions_at_once_say_what_they_say_apart(schema: Any, values: list[Any]) -> None:
    compiled = CompiledSchema(json.dumps(schema))
    for value in values:
        asked = orjson.loads(orjson.dumps(value))
        assert compiled.is_valid_closed(asked) == (compiled.is_valid(asked) and compiled.closed.admits(asked))


LINE = {"type": "object", "properties": {"sku": {"type": "string"}, "text": {"type": "object"}}}


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"properties": {"a": LINE}}, {"a": {"sku": "1"}}, {"a": {"sku": "1", "x": 1}}),
        ({"properties": {"a": {"items": LINE}}}, {"a": [{"text": {"free": 1}}]}, {"a": [{"sku": "1"}, {"x": 1}]}),
        ({"anyOf": [LINE, {"required": ["b"], "properties": {"b": LINE}}]}, {"b": {"sku": "1"}}, {"b": {"x": 1}}),
        ({"$defs": {"l": LINE}, "properties": {"a": {"$ref": "#/$defs/l"}}}, {"a": {"sku": "1"}}, {"a": {"x": 1}}),
        (
            {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "definitions": {"l": LINE},
                "properties": {"a": {"$ref": "#/definitions/l"}},
            },
            {"a": {"sku": "1"}},
            {"a": {"x": 1}},
        ),
    ],
)
def test_usual_schemas_are_asked_both_at_once(schema: Any, good: Any, bad: Any) -> None:
    made = Schema(load_document(schema))
    document = closed_schema(made, ClosedReading(made))
    assert document is not None
    validator = jsonschema_rs.validator_for(document)
    assert (validator.is_valid(good), validator.is_valid(bad)) == (True, False)
    assert jsonschema_rs.validator_for(schema).is_valid(bad), "only the closing refuses it"


@pytest.mark.parametrize(
    "schema",
    [
        {"patternProperties": {"^x": True}},
        {"properties": {"a": True}, "unevaluatedProperties": False},
        {"properties": {"a": True}, "additionalProperties": True},
        {"properties": {"a": {"properties": {"b": True}}, "c": {"not": {"$ref": "#/properties/a"}}}},
        {"properties": {"next": {"$ref": "#"}}},
        {"properties": {"next": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"properties": {"n": {"$ref": "#/$defs/n"}}}}},
        {"prefixItems": [{"properties": {"a": True}}]},
    ],
)
def test_what_cannot_be_said_so_is_asked_in_two_steps(schema: Any) -> None:
    made = Schema(load_document(schema))
    assert closed_schema(made, ClosedReading(made)) is None


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"name": "a", "children": [{"name": "b", "children": [{"nam": 1}]}]}, "/children/0/children/0/nam"),
        ({"free": {"anything": {"at": "all"}}}, None),
        ({"x-1": {"a": 1}}, None),
        ({"x-1": {"b": 1}}, "/x-1/b"),
        ({"other": 1}, "/other"),
        ("text", None),
    ],
)
def test_recursion_patterns_and_free_places(value: Any, pointer: str | None) -> None:
    assert both(TREE, value) == (pointer, pointer)


def test_a_message_deeper_than_the_stack() -> None:
    value: Any = {"nam": 1}
    for _ in range(5_000):
        value = {"children": [value]}
    assert ClosedReading(Schema(load_document(json.dumps(TREE)))).refusal(value) is not None
