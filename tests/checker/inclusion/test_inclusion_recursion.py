"""Recursion: what is assumed while it is tested, what may be kept of it, and colours of circles."""

from __future__ import annotations

import pytest
from deedbox.checker.budget import Budget
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.inclusion import Reading, Search
from deedbox.checker.json_schema.inclusion.places import Places
from deedbox.checker.json_schema.schema import Schema


def tree(leaf, **more):
    return {"type": "object", "properties": {"v": leaf, "l": {"$ref": "#"}, "r": {"$ref": "#"}}, **more}


def test_narrower_leaf_of_a_tree(ask):
    assert ask(tree({"type": "integer"}), tree({"type": "number"})).status == "empty"
    assert ask(tree({"type": "number"}), tree({"type": "integer"})).status == "found"


def test_a_value_that_would_need_itself_does_not_exist(ask):
    endless = tree(True, required=["l"])
    assert ask(endless, False).status == "empty"
    ends = {"anyOf": [tree(True, required=["l"]), {"type": "null"}]}
    assert ask(ends, {"type": "null"}).value == {"l": None}


def test_mutual_recursion(ask):
    def zig(leaf):
        return {
            "$ref": "#/$defs/a",
            "$defs": {
                "a": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/b"}, leaf]}},
                "b": {"type": "object", "additionalProperties": {"$ref": "#/$defs/a"}},
            },
        }

    assert ask(zig({"type": "integer"}), zig({"type": "number"})).status == "empty"
    found = ask(zig({"type": "number"}), zig({"type": "integer"}))
    assert found.status == "found"
    assert isinstance(found.value, list)


def test_an_unrolled_circle_is_the_same(ask):
    short = {"properties": {"n": {"$ref": "#"}}, "type": "object"}
    long = {"properties": {"n": {"$ref": "#/$defs/two"}}, "type": "object",
            "$defs": {"two": {"properties": {"n": {"$ref": "#"}}, "type": "object"}}}  # fmt: skip
    assert ask(short, long).status == "empty"
    assert ask(long, short).status == "empty"


def test_a_verdict_on_an_open_assumption_is_not_kept(ask):
    # While `a` is tested, `b` looks empty because it needs `a`; asked alone afterwards it is not.
    schema = {
        "$defs": {
            "a": {"anyOf": [{"type": "object", "required": ["b"], "properties": {"b": {"$ref": "#/$defs/b"}}},
                            {"const": 1}]},
            "b": {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/$defs/a"}}},
        },
        "type": "array", "minItems": 2,
        "prefixItems": [{"allOf": [{"$ref": "#/$defs/a"}, {"type": "object"}]}, {"$ref": "#/$defs/b"}],
    }  # fmt: skip
    assert ask(schema, False).value == [{"b": {"a": 1}}, {"a": 1}]


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"not": {"$ref": "#"}}])
def test_a_schema_that_applies_itself_to_the_same_value_is_undecided(schema):
    node = Schema(load_document(schema)).node
    outcome = Search().find([Reading(node)], [], Budget())
    assert outcome.status == "unknown"
    assert "itself" in outcome.reason


def test_dynamic_reference_follows_the_scope(ask):
    lists = {
        "$id": "http://example.com/strings", "$ref": "list",
        "$defs": {
            "s": {"$dynamicAnchor": "item", "type": "string"},
            "list": {"$id": "list", "type": "array", "items": {"$dynamicRef": "#item"},
                     "$defs": {"any": {"$dynamicAnchor": "item"}}},
        },
    }  # fmt: skip
    assert ask(lists, {"type": "array", "items": {"type": "string"}}).status == "empty"
    assert ask({"type": "array", "items": {"type": "string"}}, lists).status == "empty"


def test_recursive_reference_of_2019_09(ask):
    closed = {
        "$id": "http://example.com/closed", "$recursiveAnchor": True, "$ref": "tree", "unevaluatedProperties": False,
        "$defs": {"tree": {"$id": "tree", "$recursiveAnchor": True, "type": "object",
                           "properties": {"n": {"$recursiveRef": "#"}}}},
    }  # fmt: skip
    assert ask(closed, {"properties": {"n": {"propertyNames": {"const": "n"}}}}, "draft2019-09").status == "empty"
    assert ask({"type": "object", "properties": {"n": {"type": "object"}}}, closed, "draft2019-09").status == "found"


def colours(*documents):
    places = Places(format_assertion=False)
    return [places.at(Schema(load_document(d)).node, Budget()).colour for d in documents]


def test_equal_circles_have_one_colour():
    one, other, different = colours(
        {"properties": {"n": {"$ref": "#"}, "v": {"type": "string"}}},
        {"title": "x", "properties": {"v": {"type": "string", "examples": ["y"]}, "n": {"$ref": "#"}}},
        {"properties": {"n": {"$ref": "#"}, "v": {"type": "integer"}}},
    )
    assert one == other != different


def test_a_reference_has_the_colour_of_its_target():
    direct, referred = colours({"type": "string"}, {"$ref": "#/$defs/s", "$defs": {"s": {"type": "string"}}})
    assert direct == referred


def test_circles_that_look_alike_for_some_steps_are_told_apart():
    def ring(leaf, length):
        names = [f"d{i}" for i in range(length)]
        defs = {
            n: {"properties": {"n": {"$ref": f"#/$defs/{m}"}}} for n, m in zip(names, [*names[1:], "d0"], strict=True)
        }
        defs[names[-1]]["type"] = leaf
        return {"$ref": "#/$defs/d0", "$defs": defs}

    same, longer, other = colours(ring("object", 5), ring("object", 6), ring("array", 5))
    assert len({same, longer, other}) == 3
