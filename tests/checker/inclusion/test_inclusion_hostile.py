"""Hostile input: each question is answered, or undecided with a reason, in bounded time; nothing is raised."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from deedbox.checker.budget import Budget
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.inclusion import Reading, Search
from deedbox.checker.json_schema.schema import Schema


def chain(length, link):
    defs = {f"d{i}": link(f"#/$defs/d{i + 1}") for i in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**defs, f"d{length}": {"type": "string"}}}


def choices(count, keyword, width):
    return {"type": "object", "allOf": [
        {keyword: [{"properties": {f"p{i}": {"const": j}}, "required": [f"p{i}"]} for j in range(width)]}
        for i in range(count)
    ]}  # fmt: skip


def nested(depth, leaf):
    for _ in range(depth):
        leaf = {"type": "object", "properties": {"a": leaf}, "required": ["a"]}
    return leaf


def doubled(depth, keyword):
    defs = {f"d{i}": {keyword: [{"properties": {"x": {"$ref": f"#/$defs/d{i + 1}"}}, "required": ["x"]},
                                {"properties": {"y": {"$ref": f"#/$defs/d{i + 1}"}}, "required": ["y"]}]}
            for i in range(depth)}  # fmt: skip
    return {"$ref": "#/$defs/d0", "$defs": {**defs, f"d{depth}": {"type": "integer"}}}


def all_dependent(count):
    return {"dependentRequired": {f"p{i}": [f"p{j}" for j in range(count)] for i in range(count)}}


DECIDED = [
    ("references", chain(2_500, lambda r: {"$ref": r}), {"type": "string"}, "empty"),
    ("two-way anyOfs", choices(16, "anyOf", 2), choices(16, "anyOf", 3), "empty"),
    ("wider first", choices(16, "anyOf", 3), choices(16, "anyOf", 2), "found"),
    ("two-way oneOfs", choices(16, "oneOf", 2), choices(16, "oneOf", 3), "empty"),
    ("a oneOf of sixty", {"oneOf": [{"properties": {"k": {"const": i}, "v": {"type": "string"}}, "required": ["k"]}
                                    for i in range(60)]},
     {"oneOf": [{"properties": {"k": {"const": i}, "v": {"type": ["string", "null"]}}, "required": ["k"]}
                for i in range(60)]}, None),
    ("enum", {"enum": list(range(5_000))}, {"enum": list(range(1, 5_000))}, "found"),
    ("dependent names", all_dependent(40), all_dependent(39), None),
    ("allOf bomb", chain(60, lambda r: {"allOf": [{"$ref": r}, {"$ref": r}]}), {"type": "string"}, "empty"),
    ("a long number", {"type": "integer", "minimum": 10**999}, {"multipleOf": 10**998 + 1}, "found"),
    ("a small number", {"type": "number", "multipleOf": Decimal("1e-900")}, {"multipleOf": Decimal("1e-899")}, "found"),
    ("items", {"type": "array", "minItems": 10**9}, {"minItems": 5}, "empty"),
    ("different booleans", {"type": "array", "minItems": 10**9, "uniqueItems": True, "items": {"type": "boolean"}},
     {"maxItems": 5}, "empty"),
    ("deep", nested(45, {"type": "string"}), nested(45, {"type": "integer"}), "found"),
]  # fmt: skip
BOUNDED = [
    ("a billion items", {"type": "array", "minItems": 10**9}, {"maxItems": 5}),
    ("a billion characters", {"type": "string", "minLength": 10**9}, {"maxLength": 5}),
    ("a billion characters of a pattern", {"type": "string", "minLength": 10**9, "pattern": "^a*$"}, {"pattern": "^b"}),
    ("a billion members", {"type": "object", "minProperties": 10**9}, {"maxProperties": 5}),
    ("a billion contained", {"type": "array", "contains": {"const": 1}, "minContains": 10**9}, {"maxItems": 4}),
    ("pigeons", {"type": "array", "allOf": [{"contains": {"const": i}} for i in range(12)], "maxItems": 11}, False),
    ("allOf through references", chain(2_500, lambda r: {"allOf": [{"$ref": r}]}), {"type": "string"}),
    ("deep messages", chain(2_500, lambda r: {"type": "object", "properties": {"x": {"$ref": r}}, "required": ["x"]}), False),
    ("a message of 2^60 values", doubled(60, "allOf"), {"type": "string"}),
    ("anyOf of anyOfs", doubled(60, "anyOf"), doubled(59, "anyOf")),
    ("unevaluated", {"type": "object", "unevaluatedProperties": False,
                     "anyOf": [{"properties": {f"p{i}": {}}, "required": [f"p{i}"]} for i in range(16)]},
     {"maxProperties": 15}),
    ("too deep", nested(99, {"type": "string"}), nested(99, {"type": "integer"})),
]  # fmt: skip


def timed(a, b, closed, budget):
    writer, reader = Schema(load_document(a)), Schema(load_document(b))
    begun = time.monotonic()
    outcome = Search().find([Reading(writer.node, closed)], [Reading(reader.node)], budget)
    return outcome, time.monotonic() - begun


@pytest.mark.parametrize(("a", "b", "status"), [row[1:] for row in DECIDED], ids=[row[0] for row in DECIDED])
def test_decided_in_spite_of_its_size(a, b, status):
    outcome, seconds = timed(a, b, False, Budget(2_000_000, 15_000))
    assert outcome.status == status or (status is None and outcome.status != "unknown"), outcome.reason
    assert seconds < 15


@pytest.mark.parametrize("closed", [False, True], ids=["letter", "closed"])
@pytest.mark.parametrize(("a", "b"), [row[1:] for row in BOUNDED], ids=[row[0] for row in BOUNDED])
def test_bounded(a, b, closed):
    outcome, seconds = timed(a, b, closed, Budget(200_000, 700))
    assert outcome.status != "unknown" or outcome.reason
    assert seconds < 6  # far above the budget, for slow machines; without a bound these take hours


def test_an_empty_budget_says_where():
    outcome, _ = timed(choices(4, "anyOf", 3), choices(4, "anyOf", 2), False, Budget(5, 1_000))
    assert outcome.status == "unknown"
    assert "5 nodes were not enough" in outcome.reason


def test_a_search_survives_a_question_that_ran_out():
    writer, reader = (Schema(load_document(d)) for d in (choices(4, "anyOf", 3), choices(4, "anyOf", 2)))
    search = Search()
    for nodes in (1, 10, 50, 100):
        search.find([Reading(writer.node)], [Reading(reader.node)], Budget(nodes, 1_000))
    assert search.find([Reading(writer.node)], [Reading(reader.node)], Budget()).status == "found"
    assert search.find([Reading(reader.node)], [Reading(writer.node)], Budget()).status == "empty"
