"""`compare` attacked: verdicts against drawn messages, mirrors, widenings, refactorings."""

from __future__ import annotations

from typing import Any

import pytest
from deedbox.checker import compare, load_document
from deedbox.checker.json_schema.reference import validator
from deedbox.checker.json_schema.schema import Schema
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.strategies import changed, schemas, values

thorough = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def accepts(document: Any, value: Any) -> bool:
    return bool(validator(Schema(load_document(document), None)).is_valid(load_document([value]).value[0]))


@thorough
@given(changed(), st.lists(values, max_size=8))
def test_no_drawn_message_contradicts_a_verdict(pair: tuple[Any, Any], messages: list[Any]) -> None:
    old, new = pair
    comparison = compare(old, new, content_model="open")
    for message in messages:
        by_old, by_new = accepts(old, message), accepts(new, message)
        if comparison.backward.holds:
            assert not (by_old and not by_new), message
        if comparison.forward.holds:
            assert not (by_new and not by_old), message
        if comparison.equal:
            assert by_old is by_new, message


@thorough
@given(changed(), st.sampled_from(["open", "tolerant", "closed"]))
def test_every_break_has_a_witness_that_stands(pair: tuple[Any, Any], model: Any) -> None:
    old, new = pair
    comparison = compare(old, new, content_model=model)
    for inclusion, writer, reader in ((comparison.backward, old, new), (comparison.forward, new, old)):
        if inclusion.holds is False:
            assert inclusion.witness is not None
            assert accepts(writer, inclusion.witness.value)
            if model != "closed":
                assert not accepts(reader, inclusion.witness.value)
            assert inclusion.witness.why
        else:
            assert inclusion.witness is None
        if inclusion.holds is None:
            assert inclusion.reason
    for finding in comparison.findings:
        if finding.level == "breaking" and finding.kind == "inclusion":
            assert finding.witness is not None


@thorough
@given(changed(), st.sampled_from(["open", "tolerant", "closed"]))
def test_comparing_the_other_way_mirrors(pair: tuple[Any, Any], model: Any) -> None:
    old, new = pair
    there, back = compare(old, new, content_model=model), compare(new, old, content_model=model)
    assert (there.backward.holds, there.forward.holds) == (back.forward.holds, back.backward.holds)
    assert there.equal == back.equal


@thorough
@given(schemas, schemas)
def test_widening_never_breaks(schema: Any, more: Any) -> None:
    assert compare(schema, {"anyOf": [schema, more]}, content_model="open").backward.holds is not False
    assert compare({"allOf": [schema, more]}, schema, content_model="open").backward.holds is not False


@thorough
@given(schemas)
def test_nothing_changed(schema: Any) -> None:
    same = compare(schema, schema)
    assert (same.judge("both").verdict, same.judge("both").bump) == ("identical", "none")
    assert same.findings == ()


REFACTORINGS = {
    "wrapped in allOf": lambda s: {"allOf": [s]},
    "wrapped in anyOf": lambda s: {"anyOf": [s]},
    "moved behind a reference": lambda s: {"$ref": "#/$defs/it", "$defs": {"it": s}},
    "with a title": lambda s: s | {"title": "Z"} if isinstance(s, dict) else {"allOf": [s], "title": "Z"},
    "joined with everything": lambda s: {"allOf": [s, True]},
    "or nothing": lambda s: {"anyOf": [s, False]},
}


@pytest.mark.parametrize("name", REFACTORINGS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(schemas)
def test_a_refactoring_is_a_patch(name: str, schema: Any) -> None:
    # In a branch a mark is no longer the schema's own, and that is a change: only what judges values is moved here.
    assume("deprecated" not in str(schema))
    again = REFACTORINGS[name](schema)
    assume(again != schema)
    comparison = compare(schema, again)
    assert comparison.backward.holds is not False
    assert comparison.forward.holds is not False
    if comparison.equal is not None and comparison.backward.holds and comparison.forward.holds:
        assert comparison.judge("both").verdict == "patch", [f.rule for f in comparison.findings]
