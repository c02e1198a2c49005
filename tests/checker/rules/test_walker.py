"""Where facts stand, what the walk follows, and what it leaves."""

from __future__ import annotations

import json
import time
from typing import Any

import jsonschema
import pytest
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.facts import Fact
from deedbox.checker.json_schema.probes import (
    Item,
    Probe,
    Property,
    PropertyName,
    SomeItem,
    SomeOtherProperty,
    SomeProperty,
    probe_schema,
)
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.walker import walk

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def told(facts: list[Fact]) -> set[tuple[str, str, str, str]]:
    return {(f.rule.id, f.pointer, f.location, f.side) for f in facts}


def test_pointer_is_the_resolved_path_and_location_the_place(facts: Any) -> None:
    def document(kind: Any) -> Any:
        return {
            "properties": {"customer": {"$ref": "#/$defs/Customer"}},
            "$defs": {"Customer": {"allOf": [{"properties": {"a~/b": kind}}]}},
        }

    assert told(facts(document(STRING), document(INTEGER))) == {
        (
            "type-changed",
            "/properties/customer/allOf/0/properties/a~0~1b",
            "/$defs/Customer/allOf/0/properties/a~0~1b",
            "new",
        )
    }


def test_what_was_removed_is_named_in_the_old_document(facts: Any) -> None:
    old = {"properties": {"c": {"$ref": "#/$defs/C"}}, "$defs": {"C": {"properties": {"x": STRING, "y": STRING}}}}
    new = {"properties": {"c": {"properties": {"x": STRING}}}}
    (fact,) = facts(old, new)
    assert told([fact]) == {("property-removed", "/properties/c/properties/y", "/$defs/C/properties/y", "old")}
    assert (fact.old, fact.new, fact.level) == (STRING, None, "breaking")


def test_a_fact_carries_its_own_subschemas_not_the_documents(facts: Any) -> None:
    """A fingerprint is made of them: it must outlast changes elsewhere."""
    (fact,) = facts({"properties": {"a": STRING, "z": {}}}, {"properties": {"a": INTEGER, "z": {}}})
    assert (fact.old, fact.new) == (STRING, INTEGER)
    (fact,) = facts({"properties": {"a": STRING}}, {"properties": {"a": STRING, "b": INTEGER}})
    assert (fact.old, fact.new) == (None, INTEGER)


def test_a_change_behind_equal_text_is_found(facts: Any) -> None:
    def document(kind: Any) -> Any:
        shared = {"properties": {"a": {"items": {"$ref": "#/$defs/A"}}}}
        return {"properties": {"x": shared}, "$defs": {"A": {"not": {"$ref": "#/$defs/B"}}, "B": kind}}

    assert {f.rule.id for f in facts(document(STRING), document(INTEGER))} == {"not-changed"}
    assert facts(document(STRING), document(STRING)) == []


def test_a_shared_definition_is_told_once_at_the_nearest_path(facts: Any) -> None:
    def document(kind: Any) -> Any:
        money = {"$ref": "#/$defs/Money"}
        return {
            "properties": {"deep": {"properties": {"price": money}}, "total": money, "tax": money},
            "$defs": {"Money": kind},
        }

    assert told(facts(document(STRING), document(NUMBER))) == {
        ("type-changed", "/properties/total", "/$defs/Money", "new")
    }


def test_recursion_ends(facts: Any) -> None:
    def tree(kind: Any) -> Any:
        return {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "v": kind}}

    assert told(facts(tree(INTEGER), tree(NUMBER))) == {("type-widened", "/properties/v", "/properties/v", "new")}


def test_mutual_recursion_of_other_shapes_ends(facts: Any) -> None:
    old = {"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"n": {"$ref": "#/$defs/A"}, "v": STRING}}}}
    new = {
        "$ref": "#/$defs/A",
        "$defs": {
            "A": {"properties": {"n": {"$ref": "#/$defs/B"}, "v": STRING}},
            "B": {"properties": {"n": {"$ref": "#/$defs/A"}, "v": INTEGER}},
        },
    }
    assert {(f.rule.id, f.pointer) for f in facts(old, new)} == {("type-changed", "/properties/n/properties/v")}


@pytest.mark.parametrize("loop", [{"$ref": "#"}, {"anyOf": [{"$ref": "#"}, STRING]}, {"allOf": [{"$ref": "#"}]}])
def test_a_schema_that_only_refers_to_itself_ends(loop: Any, facts: Any) -> None:
    for other in (STRING, {"anyOf": [STRING, INTEGER]}, {"oneOf": [{"$ref": "#"}, INTEGER]}):
        facts(loop, other)
        facts(other, loop)


def test_dynamic_references_end_and_find_the_change(facts: Any) -> None:
    def tree(kind: Any) -> Any:
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$dynamicAnchor": "node",
            "properties": {"children": {"items": {"$dynamicRef": "#node"}}, "data": kind},
        }

    assert ("type-changed", "/properties/data") in {(f.rule.id, f.pointer) for f in facts(tree(STRING), tree(INTEGER))}


class TestProperties:
    def test_moved_into_a_branch_is_not_removed(self, facts: Any) -> None:
        old = {"properties": {"a": STRING, "b": STRING}}
        new = {"properties": {"a": STRING}, "anyOf": [{"properties": {"b": STRING}}, {"required": ["a"]}]}
        assert not {"property-removed", "property-added"} & {f.rule.id for f in facts(old, new)}
        assert not {"property-removed", "property-added"} & {f.rule.id for f in facts(new, old)}

    def test_moved_between_branches_is_not_removed(self, facts: Any) -> None:
        def document(first: Any, second: Any) -> Any:
            tag = {"card": {"const": "card"}, "cash": {"const": "cash"}}
            return {
                "oneOf": [
                    {"properties": {"kind": tag["card"], **first}},
                    {"properties": {"kind": tag["cash"], **second}},
                ]
            }

        rules = {f.rule.id for f in facts(document({"x": STRING}, {}), document({}, {"x": STRING}))}
        assert not {"property-removed", "property-added", "property-renamed"} & rules
        assert rules == {"type-narrowed", "type-widened"}

    def test_taken_by_a_pattern_is_not_removed(self, facts: Any) -> None:
        old = {"properties": {"x-a": STRING}, "patternProperties": {"^x-": STRING}}
        assert facts(old, {"patternProperties": {"^x-": STRING}}) == []

    def test_renamed_only_where_exactly_one_candidate_stands_each_way(self, facts: Any) -> None:
        assert {f.rule.id for f in facts({"properties": {"a": STRING}}, {"properties": {"b": STRING}})} == {
            "property-renamed"
        }
        two = facts({"properties": {"a": STRING}}, {"properties": {"b": STRING, "c": STRING}})
        assert sorted(f.rule.id for f in two) == ["property-added", "property-added", "property-removed"]
        both = facts({"properties": {"a": STRING, "d": STRING}}, {"properties": {"b": STRING}})
        assert sorted(f.rule.id for f in both) == ["property-added", "property-removed", "property-removed"]
        other = facts({"properties": {"a": STRING}}, {"properties": {"b": INTEGER}})
        assert sorted(f.rule.id for f in other) == ["property-added", "property-removed"]

    def test_annotations_and_drafts_do_not_hinder_a_rename(self, facts: Any) -> None:
        old = {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {"a": {"items": [STRING], "title": "A"}},
        }
        new = {"properties": {"b": {"prefixItems": [STRING], "description": "B"}}}
        assert "property-renamed" in {f.rule.id for f in facts(old, new)}

    @pytest.mark.parametrize("draft", ["04", "06", "07"])
    def test_a_mark_beside_a_reference_counts_in_every_draft(self, draft: str, facts: Any) -> None:
        schema = f"http://json-schema.org/draft-{draft}/schema#"
        marked = {"$ref": "#/definitions/A", "deprecated": True}
        old = {"$schema": schema, "properties": {"a": marked}, "definitions": {"A": STRING}}
        new = {"$schema": schema, "properties": {"b": STRING}}
        assert {f.rule.id for f in facts(old, new)} == {"obsolete-property-removed", "property-added"}

    def test_a_mark_behind_a_reference_counts(self, facts: Any) -> None:
        old = {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "string", "deprecated": True}}}
        assert {f.rule.id for f in facts(old, {})} == {"obsolete-property-removed"}

    def test_a_forbidden_property_is_no_added_one(self, facts: Any) -> None:
        assert {f.rule.id for f in facts({}, {"properties": {"a": False}})} == {"schema-became-false"}

    def test_required_at_one_object_is_one_fact_where_undescribed(self, facts: Any) -> None:
        (fact,) = facts({"type": "object"}, {"type": "object", "required": ["a", "b"]})
        assert (fact.rule.id, fact.pointer) == ("required-added", "")
        assert '"a", "b"' in fact.message

    def test_a_removed_property_is_asked_about_in_every_direction(self, facts: Any) -> None:
        old, new = {"properties": {"a": STRING}}, {"additionalProperties": False}
        (fact, *_) = facts(old, new)
        assert {d: p.fragment for d, p in fact.probes.items()} == {"policy": True, "backward": True}
        (fact, *_) = facts(old, {"additionalProperties": True})
        assert {d: p.fragment for d, p in fact.probes.items()} == {"policy": True, "forward": {"not": STRING}}

    def test_what_the_old_version_cannot_send_under_a_new_name_is_told_at_once(self, facts: Any) -> None:
        def asked(old: Any, **options: Any) -> Any:
            (fact,) = facts(old, old | {"properties": {**old.get("properties", {}), "b": INTEGER}}, **options)
            assert fact.rule.id == "property-added"
            return fact.probes["backward"].fragment

        assert asked({"properties": {"a": STRING}}) is False
        assert asked({"properties": {"a": STRING}}, content_model="open") == {"not": INTEGER}
        assert asked({"properties": {"a": STRING}, "additionalProperties": True}) == {"not": INTEGER}
        assert asked({"type": "object"}) == {"not": INTEGER}

    def test_under_a_pattern_the_search_is_asked(self, facts: Any) -> None:
        """Another pattern may match the same name and declare the property there."""

        def document(kind: Any) -> Any:
            return {
                "patternProperties": {"^x": {"properties": {"a": STRING} | kind}, "y$": {"properties": {"b": STRING}}}
            }

        (fact,) = facts(document({}), document({"b": INTEGER}))
        assert (fact.rule.id, fact.probes["backward"].fragment) == ("property-added", {"not": INTEGER})


class TestBranches:
    def test_a_change_inside_a_tagged_branch_is_told_inside_it(self, facts: Any) -> None:
        def document(number: Any, *order: str) -> Any:
            branches = {
                "card": {"properties": {"kind": {"const": "card"}, "number": number}, "required": ["kind"]},
                "cash": {"properties": {"kind": {"const": "cash"}}, "required": ["kind"]},
            }
            return {"oneOf": [branches[name] for name in order]}

        found = facts(document(STRING, "card", "cash"), document(INTEGER, "cash", "card"))
        assert told(found) == {("type-changed", "/oneOf/1/properties/number", "/oneOf/1/properties/number", "new")}

    def test_branches_of_one_reference_are_paired(self, facts: Any) -> None:
        def document(a: Any) -> Any:
            return {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}], "$defs": {"A": a, "B": {"type": "null"}}}

        old, new = document({"properties": {"x": STRING}}), document({"properties": {"y": STRING, "x": INTEGER}})
        assert {(f.rule.id, f.pointer) for f in facts(old, new)} == {
            ("type-changed", "/anyOf/0/properties/x"),
            ("property-added", "/anyOf/0/properties/y"),
        }

    def test_unlike_branches_are_removed_and_added(self, facts: Any) -> None:
        found = facts({"anyOf": [STRING, {"type": "null"}]}, {"anyOf": [STRING, INTEGER]})
        assert told(found) == {
            ("any-of-branch-added", "/anyOf/1", "/anyOf/1", "new"),
            ("any-of-branch-removed", "/anyOf/1", "/anyOf/1", "old"),
        }

    def test_a_schema_that_became_one_alternative_is_compared_with_it(self, facts: Any) -> None:
        whole = {"type": "object", "properties": {"a": STRING}}
        other = {"type": "object", "properties": {"a": INTEGER}}
        found = facts({"properties": {"x": whole}}, {"properties": {"x": {"oneOf": [{"type": "null"}, other]}}})
        assert {(f.rule.id, f.pointer) for f in found} == {
            ("one-of-branch-added", "/properties/x/oneOf/0"),
            ("type-changed", "/properties/x/oneOf/1/properties/a"),
        }

    def test_thousands_of_branches(self, facts: Any) -> None:
        branches = [{"properties": {"kind": {"const": i}}, "required": ["kind"]} for i in range(2_000)]
        start = time.process_time()
        found = facts({"anyOf": branches}, {"anyOf": [*branches[1:], STRING]})
        assert {f.rule.id for f in found} == {"any-of-branch-added", "any-of-branch-removed"}
        assert time.process_time() - start < 2


class TestLists:
    def test_all_values_are_one_fact(self, facts: Any) -> None:
        (fact,) = facts({"enum": list("abcdefgh")}, {"enum": ["a"]})
        assert fact.message == '"b", "c", "d", "e", "f" and 2 more are no longer accepted'
        assert fact.probes["backward"].fragment == {"enum": list("bcdefgh")}

    def test_numbers_are_exact_and_booleans_are_no_numbers(self, facts: Any) -> None:
        assert {f.rule.id for f in facts({"const": 2**53}, {"const": 2**53 + 1})} == {"const-changed"}
        assert {f.rule.id for f in facts({"const": True}, {"const": 1})} == {"const-changed"}
        assert facts(b'{"const": 1}', b'{"const": 1.0}') == []

    def test_ten_thousand_values(self, facts: Any) -> None:
        values = [f"v{i}" for i in range(10_000)]
        start = time.process_time()
        (fact,) = facts({"enum": values}, {"enum": values[1:]})
        assert fact.rule.id == "enum-value-removed"
        assert time.process_time() - start < 1


class TestHostile:
    def test_a_chain_of_references(self, facts: Any) -> None:
        def chain(kind: Any) -> Any:
            links = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(2_500)}
            return {"properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": {**links, "d2500": kind}}

        (fact,) = facts(chain(STRING), chain(INTEGER))
        assert (fact.rule.id, fact.pointer, fact.location) == ("type-changed", "/properties/x", "/$defs/d2500")

    def test_a_tower_of_references_that_doubles(self, facts: Any) -> None:
        def tower(kind: Any) -> Any:
            floors = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(60)}
            return {"$ref": "#/$defs/d0", "$defs": {**floors, "d60": kind}}

        assert [f.rule.id for f in facts(tower(STRING), tower(INTEGER))] == ["type-changed"]

    def test_a_tower_of_branches_that_doubles(self, facts: Any) -> None:
        def tower(kind: Any) -> Any:
            floors = {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"type": "null"}] * 2} for i in range(60)}
            return {"$ref": "#/$defs/d0", "$defs": {**floors, "d60": kind}}

        start = time.process_time()
        assert "type-changed" in {f.rule.id for f in facts(tower(STRING), tower(INTEGER))}
        assert time.process_time() - start < 2

    def test_depth(self, facts: Any) -> None:
        def deep(kind: Any) -> Any:
            for _ in range(95):
                kind = {"properties": {"x": kind}}
            return kind

        (fact,) = facts(deep(STRING), deep(INTEGER))
        assert fact.pointer == "/properties/x" * 95

    def test_many_sets_of_patterns(self, facts: Any) -> None:
        def document(kind: Any) -> Any:
            patterns = {f"{chr(97 + i)}": {"$ref": "#/$defs/n"} for i in range(12)}
            names = {chr(97 + i): kind for i in range(12)}
            return {"$ref": "#/$defs/n", "$defs": {"n": {"patternProperties": patterns, "properties": names}}}

        start = time.process_time()
        facts(document(STRING), document(INTEGER))
        assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("path", "yes", "no"),
    [
        ((), 7, 8),
        ((Property("a"),), {"a": 7}, {"b": 7}),
        ((Property("a"), Property("b")), {"a": {"b": 7}}, {"a": {"b": 8}}),
        ((SomeProperty("^x"),), {"xa": 8, "xb": 7}, {"a": 7, "xa": 8}),
        ((SomeOtherProperty(("a",), ("^x",)),), {"a": 8, "b": 7}, {"a": 7, "xa": 7, "b": 8}),
        ((SomeOtherProperty((), ()),), {"b": 7}, {}),
        ((Item(1),), [0, 7], [7]),
        ((SomeItem(0),), [0, 7], []),
        ((SomeItem(1),), [0, 0, 7], [7, 0]),
        ((SomeItem(0), Property("a")), [{}, {"a": 7}], [{"a": 8}]),
    ],
)
def test_a_probe_reaches_its_place(path: Any, yes: Any, no: Any) -> None:
    schema = probe_schema(Probe(path, {"const": 7}))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(yes)
    assert not validator.is_valid(no)


def test_a_probe_of_names() -> None:
    validator = jsonschema.Draft202012Validator(probe_schema(Probe((PropertyName(),), {"maxLength": 1})))
    assert validator.is_valid({"a": 0, "bb": 0})
    assert not validator.is_valid({"bb": 0})


def test_a_probe_takes_another_fragment() -> None:
    probe = Probe((Property("a"),), None)
    assert probe_schema(probe, {"const": 1}) == {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}
    assert probe_schema(probe, False) == {"type": "object", "properties": {"a": False}, "required": ["a"]}


def test_a_recursive_subschema_is_asked_of_its_nodes(facts: Any) -> None:
    tree = {"properties": {"next": {"$ref": "#/$defs/T"}}, "type": "object"}
    old, new = {"$defs": {"T": tree}}, {"$defs": {"T": tree}, "properties": {"t": {"$ref": "#/$defs/T"}}}
    (fact,) = facts(old, new)
    probe = fact.probes["backward"]
    assert (fact.rule.id, probe.fragment) == ("property-added", None)
    assert [probe.reader.pointer, probe.writer.value] == ["/properties/t", True]


def test_fragments_are_of_one_draft_whatever_the_schemas_are(facts: Any) -> None:
    kind = {"minimum": 1, "exclusiveMinimum": True, "items": [STRING], "dependencies": {"a": ["b"]}, "const": 3}
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "anyOf": [STRING, {"type": "null"}]}
    (fact,) = facts(old, {**old, "anyOf": [*old["anyOf"], {**kind, "type": ["integer", "array"]}]})
    assert fact.probes["forward"].fragment == {
        "allOf": [
            {
                "minimum": 1,
                "exclusiveMinimum": 1,
                "prefixItems": [STRING],
                "dependentRequired": {"a": ["b"]},
                "type": ["integer", "array"],
            }
        ],
        "not": {"anyOf": [STRING, {"type": "null"}]},
    }


def test_an_odd_document_is_walked_quickly() -> None:
    """The size of a real schema, with one change deep inside."""
    names = {f"p{i}": {"type": "object", "properties": {f"q{j}": STRING for j in range(20)}} for i in range(300)}
    old = {"properties": names}
    new = json.loads(json.dumps(old))
    new["properties"]["p150"]["properties"]["q3"] = INTEGER
    pair = [Schema(load_document(d)) for d in (old, new)]
    best = min(_seconds(pair) for _ in range(3))
    assert best < 0.1, f"{best * 1000:.1f} ms for {len(json.dumps(old)) // 1024} KiB"


def _seconds(pair: list[Schema]) -> float:
    start = time.process_time()
    (fact,) = walk(*pair)
    assert fact.rule.id == "type-changed"
    return time.process_time() - start
