"""What cannot be decided is said to be undecided, with the reason, and never passes as compatible."""

from __future__ import annotations

import time
from typing import Any

import pytest
from deedbox.checker import compare

UNUSABLE = ["(", r"\p{Emoji}", "(?i)abc", r"\Z", "a{2,1}", "[z-a]"]


@pytest.mark.parametrize("pattern", UNUSABLE)
@pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
def test_a_pattern_that_cannot_be_read_leaves_it_open(pattern: str, keyword: str) -> None:
    held: Any = pattern if keyword == "pattern" else {pattern: {"type": "integer"}}
    old: dict[str, Any] = {keyword: held, "properties": {"a": True}}
    comparison = compare(old, {keyword: held, "properties": {"a": {"type": "string"}}, "maxLength": 3})
    for inclusion in (comparison.backward, comparison.forward):
        assert inclusion.holds is not None or inclusion.reason
    assert comparison.judge("consumes").verdict in ("breaking", "undecided")


def test_a_removal_is_not_missed_where_the_facts_cannot_be_read() -> None:
    old = {"patternProperties": {"(": True}, "properties": {"a": True, "b": True}}
    new = {"patternProperties": {"(": True}, "properties": {"a": True}}
    assert compare(old, new).judge("consumes").verdict != "additive"


def references(depth: int, leaf: Any) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}, {"$ref": f"#/$defs/a{i + 1}"}]} for i in range(depth)
    }
    return {"$ref": "#/$defs/a0", "$defs": definitions | {f"a{depth}": leaf}}


def chain(length: int, leaf: Any) -> dict[str, Any]:
    definitions: dict[str, Any] = {f"a{i}": {"$ref": f"#/$defs/a{i + 1}"} for i in range(length)}
    return {"$ref": "#/$defs/a0", "$defs": definitions | {f"a{length}": leaf}}


def dependencies(step: int) -> dict[str, Any]:
    return {"dependentRequired": {f"p{i}": [f"p{(i + step) % 14}", f"p{(i + 3) % 14}"] for i in range(14)}}


def choices(other: str) -> dict[str, Any]:
    return {"allOf": [{"anyOf": [{"required": [f"a{i}"]}, {"required": [f"{other}{i}"]}]} for i in range(16)]}


STRING, INTEGER = {"type": "string"}, {"type": "integer"}
BOMBS: dict[str, tuple[Any, Any]] = {
    "references that double": (references(40, STRING), references(40, INTEGER)),
    "a chain of references": (chain(2_500, STRING), chain(2_500, INTEGER)),
    # Each name brings all the others in, on both sides: a refactoring, though nothing looks alike.
    "dependentRequired": (dependencies(1), dependencies(2)),
    "allOf over anyOf": (choices("b"), choices("c")),
    "an enum of 10,000": ({"enum": list(range(10_000))}, {"enum": [str(i) for i in range(10_000)]}),
    "a reference to itself": ({"$ref": "#"}, STRING),
    "a loop of references": ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#"}}}, STRING),
    "a billion items": ({"minItems": 10**9}, {"minItems": 10**9 + 1}),
    "a billion characters": ({"minLength": 10**9, **STRING}, {"minLength": 10**9 + 1, **STRING}),
    "nested repeats": ({"pattern": "^(.{1,5000}){1,500}$"}, {"pattern": "^(.{1,5001}){1,500}$"}),
    "large factors": ({"multipleOf": 10**300 + 1}, {"multipleOf": 10**299 + 7}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_no_small_bomb_hangs(name: str) -> None:
    old, new = BOMBS[name]
    start = time.monotonic()
    comparison = compare(old, new, milliseconds=500)
    assert time.monotonic() - start < 20
    for inclusion in (comparison.backward, comparison.forward):
        assert inclusion.holds is not None or inclusion.reason
    assert comparison.judge("both").verdict in ("breaking", "undecided", "patch")


def many(count: int, step: int) -> dict[str, Any]:
    """Every property changes, a third are required."""
    names = [f"property_{i}" for i in range(count)]
    return {
        "type": "object",
        "properties": {name: {"type": "string", "maxLength": 100 + i + step} for i, name in enumerate(names)},
        "required": names[::3],
    }


def test_each_of_hundreds_of_changes_has_a_witness_of_its_own() -> None:
    comparison = compare(many(200, 1), many(200, 0), milliseconds=60_000)
    broken = [f for f in comparison.judge("consumes").findings if f.level == "breaking"]
    assert len(broken) == 200
    for finding in broken:
        name = finding.pointer.split("/")[2]
        assert finding.witness is not None
        faults = {n for n, v in finding.witness.value.items() if len(v) > 100 + int(n.removeprefix("property_"))}
        assert faults == {name}


def test_a_break_that_one_changed_place_does_not_show_is_searched_for() -> None:
    """Among many changes, too: the ordinary message is of the other alternative, which takes anything there."""

    def document(step: int, kind: str) -> dict[str, Any]:
        chosen = [{"required": ["of"], "properties": {"of": {"const": n}, "held": held}}
                  for n, held in ((1, {}), (2, {"type": kind}))]  # fmt: skip
        return many(80, step) | {"required": ["of"], "anyOf": chosen}

    comparison = compare(document(0, "string"), document(1, "integer"), milliseconds=60_000)
    (broken,) = [f for f in comparison.judge("consumes").findings if f.level == "breaking"]
    assert broken.pointer == "/anyOf/1/properties/held"
    assert broken.witness is not None
    assert broken.witness.value["of"] == 2


def test_thousands_of_changes_take_no_longer_than_the_time_that_is_given() -> None:
    start = time.monotonic()
    comparison = compare(many(3_000, 1), many(3_000, 0), milliseconds=500)
    assert time.monotonic() - start < 20
    assert comparison.judge("consumes").verdict in ("breaking", "undecided")
    assert all(f.witness is not None for f in comparison.findings if f.level == "breaking")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # What differs beside the properties, or in one of them, is not overlooked for their number.
        ({}, {"minProperties": 2}),
        ({"enum": [{"x": 1}]}, {"enum": [{"x": True}]}),
        ({"properties": {"x": {"const": 1}}}, {"properties": {"x": {"const": True}}}),
        ({"properties": {"x": {}}}, {"properties": {"x": {"type": "string"}}}),
        ({"properties": {"x": {"type": "object"}}}, {"properties": {"x": {"$ref": "#"}}}),
        ({"additionalProperties": True}, {"additionalProperties": False}),
    ],
)
def test_one_break_among_hundreds_of_widenings_is_found(old: dict[str, Any], new: dict[str, Any]) -> None:
    def beside(schema: dict[str, Any], step: int) -> dict[str, Any]:
        wide = many(150, step)
        wide.pop("required")
        return {**wide, **schema, "properties": wide["properties"] | schema.get("properties", {})}

    assert compare(beside(old, 0), beside(new, 0), content_model="open", milliseconds=20_000).backward.holds is False
    assert compare(beside(old, 0), beside(new, 1), content_model="open", milliseconds=20_000).backward.holds is False
    widened = compare(beside(old, 0), beside(old, 1), content_model="open", milliseconds=20_000).backward
    assert widened.holds, widened.reason
