"""Questions that turn on one choice of the search: each is answered wrongly, or not at all, where that choice is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from deedbox.checker.json_schema.inclusion import formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.json_schema.inclusion import Outcome

INTEGER: dict[str, Any] = {"type": "integer"}
STRING: dict[str, Any] = {"type": "string"}
LATER = {"type": "array", "prefixItems": [INTEGER], "items": {"type": ["integer", "string"]}, "maxItems": 3}


def described(patterns: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "patternProperties": patterns}


@pytest.mark.parametrize(
    ("writer", "reader", "status"),
    [
        # An alternative that the first item excludes, and a later one allows.
        (LATER, {"items": INTEGER, "maxItems": 5}, "found"),
        (LATER | {"items": INTEGER}, {"items": INTEGER, "maxItems": 5}, "empty"),
        # Two regions must each have a member, and only one of them is there anyway.
        ({"type": "object", "required": ["xa"], "properties": {"xa": STRING}},
         {"anyOf": [described({"^x": INTEGER}), described({"^y": INTEGER})]}, "found"),
        ({"type": "object", "required": ["xa"], "properties": {"xa": STRING}, "patternProperties": {"^y": INTEGER}},
         {"anyOf": [described({"^x": INTEGER}), described({"^y": INTEGER})]}, "empty"),
        # Names that are listed, the first of which is taken.
        ({"type": "object", "required": ["a"], "propertyNames": {"enum": ["a", "b", "c"]}, "minProperties": 3},
         {"maxProperties": 2}, "found"),
        ({"type": "object", "required": ["b"], "propertyNames": {"enum": ["a", "b"]}, "minProperties": 3},
         {"maxProperties": 2}, "empty"),
        # A value that is first found in two alternatives, and another that is in one.
        ({"oneOf": [{"type": "number"}, INTEGER]}, STRING, "found"),
        ({"oneOf": [INTEGER, INTEGER]}, STRING, "empty"),
        ({"oneOf": [{"enum": [1, 2]}, {"enum": [2, 1, 3]}]}, {"maximum": 2}, "found"),
        # Different items of few values: as many as there are, and one more.
        ({"type": "array", "uniqueItems": True, "items": {"enum": [1, 2, 3]}, "minItems": 3}, {"maxItems": 2}, "found"),
        ({"type": "array", "uniqueItems": True, "items": {"enum": [1, 2, 3]}, "minItems": 4}, {"maxItems": 2}, "empty"),
    ],
)  # fmt: skip
def test_the_other_choice_is_tried_too(ask: Callable[..., Outcome], writer: Any, reader: Any, status: str) -> None:
    assert ask(writer, reader).status == status


def test_what_was_found_empty_while_a_goal_was_open_is_asked_again_once_it_is_not() -> None:
    """A holder of a node is taken as fitting while that node is in question; the node then does not fit by another member."""
    from deedbox.checker import compare

    def document(limit: dict[str, Any]) -> dict[str, Any]:
        node = {"type": "object", "properties": {"held": {"$ref": "#/$defs/holder"}, "number": INTEGER | limit}}
        holder = {"type": "object", "required": ["node"], "properties": {"node": {"$ref": "#/$defs/node"}}}
        return {"node": node, "holder": holder}

    def either(limit: dict[str, Any]) -> dict[str, Any]:
        sides = [{"properties": {name: {"$ref": f"#/$defs/{kind}"}}} for name, kind in (("a", "node"), ("b", "holder"))]
        return {"$defs": document(limit), "type": "object", "required": ["a", "b"], "anyOf": sides}

    old = {"$defs": document({}), "type": "object", "required": ["a", "b"],
           "properties": {"a": {"$ref": "#/$defs/node"}, "b": {"$ref": "#/$defs/holder"}}}  # fmt: skip
    for order in (1, -1):
        new = either({"minimum": 5})
        new["anyOf"] = new["anyOf"][::order]
        found = compare(old, new, content_model="open", algebra=False).backward
        assert found.holds is False
        assert compare(old, either({}), content_model="open", algebra=False).backward.holds is True


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("time", "23:59:59Z", True), ("time", "23:59:59+01:30", True), ("time", "24:00:00Z", None), ("time", "a", False),
        ("date-time", "2026-02-28T12:30:00Z", True), ("date-time", "2026-02-28", False), ("date-time", "12:30:00Z", False),
        ("uuid", "0f5e1c9a-8d2b-4c3e-9f10-abcdefabcdef", True), ("uuid", "12:30:00Z", False),
        ("uri", "http://a.b/c", True), ("uri", "x", False), ("email", "a@b.cd", True), ("email", "12:30:00Z", False),
        ("hostname", "a.b", True), ("ipv6", "1:2::3", None), ("ipv6", "x", False), ("json-pointer", "/a", True),
        ("json-pointer", "a", False), ("uri-reference", "/a", True), ("nothing-known", "12:30:00Z", None),
    ],
)  # fmt: skip
def test_each_format_is_judged_by_its_own_rule(name: str, text: str, is_one: bool | None) -> None:
    assert formats.is_of_format(name, text) is is_one
