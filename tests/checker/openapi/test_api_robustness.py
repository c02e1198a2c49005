"""Documents with faults put in at random: an answer, or an error of ours that says where. Never anything else."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from deedbox.checker import DocumentError, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "rules"
JUNK: list[Any] = [
    None, True, 3, -1.5, "x", "", [], {}, [None], {"$ref": "#/nowhere"}, {"$ref": "#"}, {"$ref": 5}, {"type": "string"}, "#/",
    [[]], {"a": None},
]  # fmt: skip
KEYS = ("$ref", "type", "x", "description", "schema", "items")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def spoilt(document: Any, draw: random.Random) -> Any:
    """A copy with one node gone, replaced or added to."""
    made = copy.deepcopy(document)
    *path, last = draw.choice([p for p in places(made) if p])
    holder = made
    for key in path:
        holder = holder[key]
    kind = draw.random()
    if kind < 0.3:
        del holder[last]
    elif kind < 0.9 or isinstance(holder, list):
        holder[last] = copy.deepcopy(draw.choice(JUNK))
    else:
        holder[draw.choice(KEYS)] = copy.deepcopy(draw.choice(JUNK))
    return made


@pytest.mark.parametrize("format", ["openapi", "asyncapi"])
def test_faults_give_an_answer_or_an_error_with_its_line(format: str) -> None:
    documents = [yaml.safe_load(p.read_text()) for p in sorted((FOLDER / format).glob("*/*/old.yaml"))]
    draw = random.Random(20261124)
    lines: list[int | None] = []
    for _ in range(150):
        document = draw.choice(documents)
        texts = [yaml.safe_dump(d, sort_keys=False) for d in (document, spoilt(document, draw))]
        if draw.random() < 0.5:
            texts.reverse()
        try:
            answer = compare(*texts, format=format, milliseconds=300).judge("provides")
        except DocumentError as error:
            lines.append(error.line)
        else:
            assert answer.verdict in ("breaking", "additive", "patch", "identical", "undecided")
    assert None not in lines
    assert 10 < len(lines) < 140


def document(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"openapi": "3.1.0", "paths": {"/p": {"post": {"requestBody": {"content": content}, "responses": {}}}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": {}}, {"type": [["string"]]}, {"required": [None, "a"]}, {"dependentRequired": {"a": [1]}},
        {"dependentRequired": []}, {"dependencies": {"a": [{}]}}, {"$ref": "#"}, {"properties": []}, {"allOf": {}},
        {"minimum": "1"}, {"pattern": 3}, {"enum": "x"},
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused_at_its_place(schema: Any) -> None:
    old, new = (yaml.safe_dump(document(s)) for s in ({"type": "string"}, schema))
    with pytest.raises(DocumentError) as caught:
        compare(old, new, format="openapi")
    assert caught.value.line is not None
    assert (caught.value.pointer or "").startswith("/paths/~1p/post") or schema == {"$ref": "#"}


@pytest.mark.parametrize("pattern", ["(", r"\p{Emoji}", "(?i)abc"])
def test_a_pattern_that_cannot_be_read_leaves_the_operation_open(pattern: str) -> None:
    """Which names it takes is not known: so neither is whether a name that is gone is still taken."""

    def said(properties: dict[str, Any]) -> dict[str, Any]:
        schema = {"type": "object", "properties": properties, "patternProperties": {pattern: {"type": "integer"}}}
        body = {"content": {"application/json": {"schema": schema}}}
        operation = {"requestBody": body, "responses": {"200": {"description": "Kept.", **body}}}
        return {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {"/orders": {"post": operation}}}

    both, one = said({"a": True, "b": True}), said({"a": True})
    for comparison in (compare(both, one, format="openapi"), compare(one, both, format="openapi")):
        undecided = [f for f in comparison.findings if f.rule == "undecided"]
        assert {f.direction for f in undecided} >= {"policy"}
        assert all(pattern in f.message for f in undecided)
        assert comparison.judge("provides").verdict == "undecided"
