"""The walker on drawn pairs of schemas."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.facts import Fact
from deedbox.checker.json_schema.probes import probe_schema
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.walker import walk
from hypothesis import given, settings

from tests.strategies import changed, schemas


def walked(old: Any, new: Any) -> list[Fact]:
    return walk(Schema(load_document(old, "old")), Schema(load_document(new, "new")))


@settings(max_examples=200, deadline=None)
@given(schemas)
def test_a_schema_differs_in_nothing_from_itself(schema: Any) -> None:
    assert walked(schema, json.loads(json.dumps(schema))) == []


@settings(max_examples=300, deadline=None)
@given(changed())
def test_facts_are_well_formed_and_mirrored(pair: tuple[Any, Any]) -> None:
    facts, others = walked(*pair), walked(pair[1], pair[0])
    assert len({(f.rule.id, f.side, f.pointer) for f in facts}) == len(facts)
    mirrors = {fact.rule.id for fact in others}
    if "obsolete-property-removed" in mirrors:
        mirrors.add("property-removed")
    for fact in facts:
        assert fact.rule.mirror in mirrors, fact.rule.id
        assert fact.probes or fact.level is not None, fact.rule.id
        document = Schema(load_document(pair[0] if fact.side == "old" else pair[1]))
        assert (fact.old if fact.side == "old" else fact.new) == document.value_at(fact.location)
        for probe in fact.probes.values():
            jsonschema.Draft202012Validator.check_schema(json.loads(json.dumps(probe_schema(probe), default=float)))
