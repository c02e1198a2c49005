"""Each finding stands under the line that changed, and what only went or came is a whole member."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from deedbox.checker import compare
from deedbox.checker.documents import load_document
from deedbox.registry.services.browsing.side_by_side import Side, side_by_side

STRING = {"type": "string"}


def side(text: str, name: str = "schema.json") -> Side:
    return Side(load_document(text, name), text.splitlines())


def written(value: Any) -> Side:
    return side(json.dumps(value, indent=2))


def record(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def told(old: Any, new: Any) -> dict[str, str]:
    """By rule of each finding: which document it stands in, and the line there."""
    sides = {"old": written(old), "new": written(new)}
    findings = compare(old, new).judge("consumes").findings
    _, places = side_by_side(sides["old"], sides["new"], findings)
    found = {}
    for finding, place in zip(findings, places, strict=True):
        assert place is not None
        found[finding.rule] = f"{place[0]} {sides[place[0]].lines[place[1] - 1].strip().rstrip(',')}"
    return found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            record(a={**STRING, "minLength": 1, "maxLength": 9}),
            record(a={**STRING, "minLength": 2, "maxLength": 9}),
            {"min-length-raised": 'new "minLength": 2'},
        ),
        (
            record(a={**STRING, "maxLength": 9}),
            record(a=STRING),
            {"max-length-raised": 'old "maxLength": 9'},
        ),
        (record("a", a=STRING, b=STRING), record("a", "b", a=STRING, b=STRING), {"required-added": 'new "b"'}),
        (record("a", "b", a=STRING, b=STRING), record("a", a=STRING, b=STRING), {"required-removed": 'old "b"'}),
        (record(a=STRING), record(a=STRING, b=STRING), {"property-added": 'new "b": {'}),
        (
            record(a={"enum": ["x", "y", "z"]}, b=STRING),
            record(a={"enum": ["x", "z"]}, b=STRING),
            {"enum-value-removed": 'old "y"'},
        ),
        (
            record(a={"$ref": "#/$defs/a"}) | {"$defs": {"a": {"type": "integer", "maximum": 9}}},
            record(a={"$ref": "#/$defs/a"}) | {"$defs": {"a": {"type": "integer", "maximum": 8}}},
            {"maximum-lowered": 'new "maximum": 8'},
        ),
    ],
)
def test_a_finding_stands_on_the_line_that_changed(old: Any, new: Any, expected: dict[str, str]) -> None:
    assert told(old, new) == expected


def runs(old: Any, new: Any) -> list[tuple[str, str]]:
    """First and last line of each run that changed."""
    rows, _ = side_by_side(written(old), written(new), ())
    lines = [(row["old"] or row["new"])[1].strip() for row in rows if row.get("changed")]
    return [(lines[0], lines[-1])] if lines else []


@pytest.mark.parametrize("gone", ["a", "b", "c"])
def test_what_went_or_came_is_a_whole_member(gone: str) -> None:
    member = {"get": {"responses": {"200": {"description": "ok"}}}}
    whole = dict.fromkeys(("a", "b", "c"), member)
    part = {name: value for name, value in whole.items() if name != gone}
    for old, new in ((whole, part), (part, whole)):
        ((first, last),) = runs(old, new)
        assert first == f'"{gone}": {{'
        assert last.rstrip(",") == "}"


def test_a_member_that_went_is_whole_behind_one_that_is_called_otherwise() -> None:
    # To begin its run at the brace that ends the other member would be as short.
    rows, _ = side_by_side(written({"c": STRING, "b": {"type": "integer"}}), written({"h": STRING}), ())
    went = [row["old"][1].strip() for row in rows if row.get("changed") and row["new"] is None]
    assert went == ['"b": {', '"type": "integer"', "}"]


def test_a_comma_is_no_change_in_json_and_one_in_yaml() -> None:
    rows, _ = side_by_side(side('{\n"a": 1\n}'), side('{\n"a": 1,\n"b": 2\n}'), ())
    assert [row["new"][1] for row in rows if row["changed"]] == ['"b": 2']
    rows, _ = side_by_side(side("title: x", "a.yaml"), side("title: x,", "a.yaml"), ())
    assert [row["changed"] for row in rows] == [True]


def test_what_is_left_out_is_said_and_its_findings_have_no_line() -> None:
    count = 3000
    old, new = (written(record(**{f"p{n}": {"type": kind} for n in range(count)})) for kind in ("string", "integer"))
    (finding,) = compare(record(p0=STRING), record(p0={"type": "integer"})).judge("consumes").findings
    ends = [replace(finding, pointer=f"/properties/p{n}", location=f"/properties/p{n}") for n in (0, count - 1)]
    rows, (first, last) = side_by_side(old, new, ends)
    assert (first is not None, last) == (True, None)
    assert rows[-1] == {"left_out": rows[-1]["left_out"]}
    assert sum(row.get("folded", row.get("left_out", 1)) for row in rows) == len(old.lines)
