"""`unevaluatedProperties` and `unevaluatedItems` beside every way in which something counts as evaluated.

Each schema of the grid is put beside a pool of small values that the validator judges: the search may neither leave one
of them out nor let one in, and each schema is asked against each other one of its kind (core §11.2, §11.3; 2019-09 core
§9.3.1.3, §9.3.2.4).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.checker.budget import Budget
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.inclusion import Reading, Search
from deedbox.checker.json_schema.reference import validator
from deedbox.checker.json_schema.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.json_schema.inclusion import Outcome

D19, D20 = "draft2019-09", "draft2020-12"
A: dict[str, Any] = {"properties": {"a": {"type": "integer"}}}
HAS_A: dict[str, Any] = {"required": ["a"]}

OBJECT_PARTS: list[dict[str, Any]] = [
    {},
    A,
    {"patternProperties": {"^[ab]$": True}},
    {"allOf": [A]},
    {"anyOf": [{**A, **HAS_A}, {"properties": {"b": True}}]},
    {"oneOf": [{**A, **HAS_A}, {"properties": {"b": True}, "required": ["b"]}]},
    {"if": HAS_A, "then": {"properties": {"a": True, "b": True}}, "else": {"properties": {"c": True}}},
    {"if": {**A, **HAS_A}},
    # Neither says anything without an `if` beside it (core §10.2.2.2, §10.2.2.3).
    {"then": {"properties": {"b": True}}, "else": {"properties": {"c": True}}},
    {"dependentSchemas": {"a": {"properties": {"a": True, "b": True}}}},
    {"$ref": "#/$defs/part", "$defs": {"part": A}},
    {"not": {"not": A}},
    {"allOf": [{"additionalProperties": True, "if": True}]},
    {"if": HAS_A, "then": {"additionalProperties": {"type": "integer"}}},
    {"allOf": [{**A, "unevaluatedProperties": {"type": "integer"}}]},
]
OBJECTS = [
    {name: value for name, value in zip("abc", values, strict=True) if value is not None}
    for values in itertools.product((None, 1, "x"), repeat=3)
]

ARRAY_PARTS: dict[str, list[dict[str, Any]]] = {
    D20: [
        {},
        {"prefixItems": [True]},
        {"prefixItems": [True], "allOf": [{"prefixItems": [True, {"type": "integer"}]}]},
        {"items": {"type": "integer"}},
        {"prefixItems": [True], "items": {"type": "integer"}},
        {"contains": {"type": "integer"}},
        {"prefixItems": [True], "contains": {"type": "string"}},
        {"if": {"prefixItems": [{"type": "integer"}]}, "then": {"prefixItems": [True, True]}},
        {"then": {"prefixItems": [True, True]}, "else": {"prefixItems": [True]}},
        {"anyOf": [{"prefixItems": [{"type": "integer"}]}, {"contains": {"type": "string"}}]},
        {"allOf": [{"prefixItems": [True], "unevaluatedItems": {"type": "integer"}}]},
        {"if": {"minItems": 2}, "then": {"items": True}},
    ],
    D19: [
        {},
        {"items": [True]},
        {"items": [True], "allOf": [{"items": [True, {"type": "integer"}]}]},
        {"items": {"type": "integer"}},
        {"items": [True], "additionalItems": {"type": "integer"}},
        # Says nothing without an array of `items` beside it (2019-09 core §9.3.1.2).
        {"additionalItems": {"type": "integer"}},
        {"items": {"type": "integer"}, "additionalItems": {"type": "string"}},
        {"if": {"items": [{"type": "integer"}]}, "then": {"items": [True, True]}},
        {"anyOf": [{"items": [{"type": "integer"}]}, {"items": [True, {"type": "string"}]}]},
        {"allOf": [{"items": [True], "unevaluatedItems": {"type": "integer"}}]},
        # No keyword of this draft.
        {"prefixItems": [True, True]},
    ],
}
ARRAYS = [list(values) for count in range(4) for values in itertools.product((1, "x"), repeat=count)]

UNEVALUATED: list[Any] = [False, {"type": "integer"}]


def grid(kind: str, dialect: str) -> list[dict[str, Any]]:
    parts = OBJECT_PARTS if kind == "object" else ARRAY_PARTS[dialect]
    keyword = "unevaluatedProperties" if kind == "object" else "unevaluatedItems"
    return [{**part, "type": kind, keyword: rest} for part in parts for rest in UNEVALUATED]


KINDS = [("object", D20), ("object", D19), ("array", D20), ("array", D19)]


@pytest.mark.parametrize(("kind", "dialect"), KINDS)
def test_each_value_of_the_pool_is_judged_as_the_validator_does(kind: str, dialect: str) -> None:
    pool = OBJECTS if kind == "object" else ARRAYS
    for document in grid(kind, dialect):
        schema = Schema(load_document(document), dialect)
        judge = validator(schema)
        valid = [value for value in pool if judge.is_valid(value)]
        invalid = [value for value in pool if value not in valid]
        assert valid, document
        left_out = Search().find([_reading({"enum": valid})], [Reading(schema.node)], Budget())
        assert left_out.status == "empty", (document, left_out)
        if invalid:
            let_in = Search().find([_reading({"enum": invalid}), Reading(schema.node)], [], Budget())
            assert let_in.status == "empty", (document, let_in)


@pytest.mark.parametrize(("kind", "dialect"), KINDS)
def test_each_schema_against_each(kind: str, dialect: str, ask: Callable[..., Outcome]) -> None:
    pool = OBJECTS if kind == "object" else ARRAYS
    schemas = grid(kind, dialect)
    admitted = [
        {str(value) for value in pool if validator(Schema(load_document(s), dialect)).is_valid(value)} for s in schemas
    ]
    # Three apart at a time: every schema is writer and reader, at a third of the cost.
    for i, j in itertools.product(range(len(schemas)), repeat=2):
        if (i + j) % 3:
            continue
        outcome = ask(schemas[i], schemas[j], dialect)
        assert outcome.status != "unknown", (schemas[i], schemas[j], outcome)
        if outcome.status == "empty":
            assert admitted[i] <= admitted[j], (schemas[i], schemas[j])


def test_contains_in_2019_09_beside_unevaluated_items_is_left_open(ask: Callable[..., Outcome]) -> None:
    # The specification and the validators disagree there, so that no answer may rest on it.
    schema = {"type": "array", "contains": {"type": "integer"}, "unevaluatedItems": False}
    assert ask(schema, {"maxItems": 0}, D19).status == "unknown"


def _reading(document: Any) -> Reading:
    return Reading(Schema(load_document(document)).node)
