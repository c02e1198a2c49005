"""The compiled closed reading says what `Location.refusal` says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.closing import Location
from deedbox.checker.json_schema.schema import Schema
from deedbox.kafka.closed import ClosedReading
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
