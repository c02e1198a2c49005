"""Every kind of schema change at every position of an API, both ways: what the field calls breaking, and what it does not.

A row has two schemas, and four letters: the change from the first to the second in what clients write and in what they
read, then the change back. B breaks, A is compatible and changes something, P changes nothing that a message shows.
"""

from __future__ import annotations

from typing import Any

import pytest
from deedbox.checker import compare

STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
THINGS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
PLAIN: dict[str, Any] = {"type": "object", "properties": {"a": STRING, "b": INTEGER}}
CAT: dict[str, Any] = {"type": "object", "required": ["meow"], "properties": {"meow": STRING}}
DOG: dict[str, Any] = {"type": "object", "required": ["bark"], "properties": {"bark": INTEGER}}

ROWS: list[tuple[str, Any, Any, str]] = [
    # Types
    ("type", STRING, INTEGER, "BBBB"),
    ("type-widened", INTEGER, NUMBER, "ABBA"),
    ("type-any", STRING, {}, "ABBA"),
    ("type-list", {"type": ["string"]}, {"type": ["string", "integer"]}, "ABBA"),
    ("type-null", STRING, {"type": ["string", "null"]}, "ABBA"),
    ("type-list-of-one", {"type": ["string"]}, STRING, "PPPP"),
    ("type-order", {"type": ["string", "null"]}, {"type": ["null", "string"]}, "PPPP"),
    ("null-by-any-of", {"type": ["string", "null"]}, {"anyOf": [STRING, {"type": "null"}]}, "PPPP"),
    # Values
    ("enum-value", STRING | {"enum": ["x", "y"]}, STRING | {"enum": ["x", "y", "z"]}, "AABA"),
    ("enum-of-numbers", INTEGER | {"enum": [1, 2]}, INTEGER | {"enum": [1, 2, 3]}, "AABA"),
    ("enum-order", STRING | {"enum": ["x", "y"]}, STRING | {"enum": ["y", "x"]}, "PPPP"),
    ("enum", STRING, STRING | {"enum": ["x", "y"]}, "BAAB"),
    ("const", STRING, {"const": "x"}, "BAAB"),
    ("const-value", {"const": "x"}, {"const": "y"}, "BBBB"),
    ("const-to-enum", {"const": "x"}, {"enum": ["x", "y"]}, "ABBA"),
    ("default", STRING, STRING | {"default": "x"}, "AAAA"),
    ("default-value", STRING | {"default": "x"}, STRING | {"default": "y"}, "AAAA"),
    # Numbers
    ("minimum", INTEGER, INTEGER | {"minimum": 1}, "BAAB"),
    ("minimum-raised", INTEGER | {"minimum": 1}, INTEGER | {"minimum": 2}, "BAAB"),
    ("maximum", NUMBER, NUMBER | {"maximum": 9}, "BAAB"),
    ("maximum-lowered", NUMBER | {"maximum": 9}, NUMBER | {"maximum": 8}, "BAAB"),
    ("exclusive-minimum", NUMBER | {"minimum": 1}, NUMBER | {"exclusiveMinimum": 1}, "BAAB"),
    ("exclusive-maximum", NUMBER | {"maximum": 9}, NUMBER | {"exclusiveMaximum": 9}, "BAAB"),
    ("exclusive-of-integers", INTEGER | {"minimum": 2}, INTEGER | {"exclusiveMinimum": 1}, "PPPP"),
    ("multiple-of", INTEGER, INTEGER | {"multipleOf": 5}, "BAAB"),
    ("multiple-of-raised", INTEGER | {"multipleOf": 5}, INTEGER | {"multipleOf": 10}, "BAAB"),
    ("multiple-of-other", INTEGER | {"multipleOf": 5}, INTEGER | {"multipleOf": 7}, "BBBB"),
    ("multiple-of-one", INTEGER, INTEGER | {"multipleOf": 1}, "PPPP"),
    # Texts
    ("min-length", STRING, STRING | {"minLength": 2}, "BAAB"),
    ("min-length-raised", STRING | {"minLength": 2}, STRING | {"minLength": 3}, "BAAB"),
    ("min-length-default", STRING, STRING | {"minLength": 0}, "PPPP"),
    ("max-length", STRING, STRING | {"maxLength": 5}, "BAAB"),
    ("max-length-lowered", STRING | {"maxLength": 5}, STRING | {"maxLength": 4}, "BAAB"),
    ("pattern", STRING, STRING | {"pattern": "^[a-z]+$"}, "BAAB"),
    ("pattern-other", STRING | {"pattern": "^[a-z]+$"}, STRING | {"pattern": "^[0-9]+$"}, "BBBB"),
    ("pattern-wider", STRING | {"pattern": "^[a-f]+$"}, STRING | {"pattern": "^[a-z]+$"}, "ABBA"),
    ("pattern-any", STRING, STRING | {"pattern": ".*"}, "PPPP"),
    ("format", STRING, STRING | {"format": "date"}, "BAAB"),
    ("format-other", STRING | {"format": "date"}, STRING | {"format": "uuid"}, "BBBB"),
    ("format-hint", STRING, STRING | {"format": "password"}, "AAAA"),
    ("format-wider", INTEGER | {"format": "int32"}, INTEGER | {"format": "int64"}, "ABBA"),
    # Arrays
    ("min-items", THINGS, THINGS | {"minItems": 1}, "BAAB"),
    ("min-items-default", THINGS, THINGS | {"minItems": 0}, "PPPP"),
    ("max-items", THINGS, THINGS | {"maxItems": 3}, "BAAB"),
    ("max-items-lowered", THINGS | {"maxItems": 3}, THINGS | {"maxItems": 2}, "BAAB"),
    ("unique-items", THINGS, THINGS | {"uniqueItems": True}, "BAAB"),
    ("unique-items-default", THINGS, THINGS | {"uniqueItems": False}, "PPPP"),
    ("items", THINGS, {"type": "array", "items": INTEGER}, "BBBB"),
    ("items-any", THINGS, {"type": "array", "items": {}}, "ABBA"),
    ("prefix-items", {"type": "array", "prefixItems": [STRING]}, {"type": "array", "prefixItems": [INTEGER]}, "BBBB"),
    ("prefix-items-wider", {"type": "array", "prefixItems": [INTEGER]}, {"type": "array", "prefixItems": [NUMBER]}, "ABBA"),
    ("contains", THINGS, THINGS | {"contains": {"const": "x"}}, "BAAB"),
    # Objects
    ("property-added", PLAIN, PLAIN | {"properties": PLAIN["properties"] | {"c": STRING}}, "AABB"),
    ("required-property-added", PLAIN,
     PLAIN | {"required": ["c"], "properties": PLAIN["properties"] | {"c": STRING}}, "BABB"),
    ("required", PLAIN, PLAIN | {"required": ["a"]}, "BAAB"),
    ("required-empty", PLAIN, PLAIN | {"required": []}, "PPPP"),
    ("property-renamed", PLAIN, {"type": "object", "properties": {"a": STRING, "n": INTEGER}}, "BBBB"),
    ("property-type", PLAIN, {"type": "object", "properties": {"a": STRING, "b": STRING}}, "BBBB"),
    ("min-properties", PLAIN, PLAIN | {"minProperties": 1}, "BAAB"),
    ("min-properties-default", PLAIN, PLAIN | {"minProperties": 0}, "PPPP"),
    ("max-properties", PLAIN, PLAIN | {"maxProperties": 1}, "BAAB"),
    ("additional-closed", PLAIN, PLAIN | {"additionalProperties": False}, "AAAA"),
    ("additional-typed", PLAIN, PLAIN | {"additionalProperties": STRING}, "AAAA"),
    ("additional-type", {"type": "object", "additionalProperties": STRING},
     {"type": "object", "additionalProperties": INTEGER}, "BBBB"),
    ("additional-default", {"type": "object"}, {"type": "object", "additionalProperties": True}, "PPPP"),
    ("property-names", {"type": "object"}, {"type": "object", "propertyNames": {"maxLength": 3}}, "BAAB"),
    ("pattern-properties", {"type": "object", "patternProperties": {"^x": STRING}},
     {"type": "object", "patternProperties": {"^x": INTEGER}}, "BBBB"),
    ("dependent-required", PLAIN, PLAIN | {"dependentRequired": {"a": ["b"]}}, "BAAB"),
    ("order-of-properties", PLAIN, {"type": "object", "properties": {"b": INTEGER, "a": STRING}}, "PPPP"),
    # Composition
    ("one-of-option", {"oneOf": [CAT]}, {"oneOf": [CAT, DOG]}, "ABBA"),
    ("any-of-option", {"anyOf": [CAT]}, {"anyOf": [CAT, DOG]}, "ABBA"),
    ("any-of-scalar", {"anyOf": [STRING]}, {"anyOf": [STRING, INTEGER]}, "ABBA"),
    ("one-of-scalar", {"oneOf": [STRING]}, {"oneOf": [STRING, INTEGER]}, "ABBA"),
    ("one-of-to-any-of", {"oneOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER]}, "PPPP"),
    ("one-of-order", {"oneOf": [CAT, DOG]}, {"oneOf": [DOG, CAT]}, "PPPP"),
    ("one-of-of-one", STRING, {"oneOf": [STRING]}, "PPPP"),
    ("all-of-of-one", PLAIN, {"allOf": [PLAIN]}, "PPPP"),
    ("all-of-option", {"allOf": [CAT]}, {"allOf": [CAT, DOG]}, "BABB"),
    ("all-of-annotation", {"allOf": [PLAIN]}, {"allOf": [PLAIN, {"description": "x"}]}, "PPPP"),
    ("all-of-flattened", {"allOf": [CAT, DOG]},
     {"type": "object", "required": ["meow", "bark"], "properties": {"meow": STRING, "bark": INTEGER}}, "PPPP"),
    ("not", STRING, STRING | {"not": {"const": "x"}}, "BAAB"),
    ("if-then", PLAIN, PLAIN | {"if": {"required": ["a"]}, "then": {"required": ["b"]}}, "BAAB"),
    # Marks
    ("deprecated", STRING, STRING | {"deprecated": True}, "AAAA"),
    ("description", STRING, STRING | {"description": "x"}, "PPPP"),
    ("example", STRING, STRING | {"examples": ["x"]}, "PPPP"),
    ("extension", STRING, STRING | {"x-order": 3}, "PPPP"),
    ("xml-name", STRING, STRING | {"xml": {"name": "x"}}, "PPPP"),
]  # fmt: skip

LETTERS = {"breaking": "B", "additive": "A", "patch": "P", "identical": "P", "undecided": "U"}


def document(operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/p": {"post": operation}}} | more


def content(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


DONE = {"200": {"description": "Done."}}


def in_object(schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"p": schema}}


def body(schema: Any) -> dict[str, Any]:
    return document({"requestBody": content(schema), "responses": DONE})


def answer(schema: Any) -> dict[str, Any]:
    return document({"responses": {"200": {"description": "Done."} | content(schema)}})


def parameter(within: str) -> Any:
    def build(schema: Any) -> dict[str, Any]:
        one = {"name": "q", "in": within, "required": within == "path", "schema": schema}
        made = document({"parameters": [one], "responses": DONE})
        return made | {"paths": {"/p/{q}": made["paths"]["/p"]}} if within == "path" else made

    return build


def header(schema: Any) -> dict[str, Any]:
    return document({"responses": {"200": {"description": "Done.", "headers": {"X-Q": {"schema": schema}}}}})


def by_content(schema: Any) -> dict[str, Any]:
    return document({"parameters": [{"name": "q", "in": "query"} | content(schema)], "responses": DONE})


def component(schema: Any) -> dict[str, Any]:
    reference = {"type": "array", "items": {"$ref": "#/components/schemas/T"}}
    return body(reference) | {"components": {"schemas": {"T": schema}}}


def answered_component(schema: Any) -> dict[str, Any]:
    return answer({"$ref": "#/components/schemas/T"}) | {"components": {"schemas": {"T": in_object(schema)}}}


def sent(operation: dict[str, Any]) -> dict[str, Any]:
    return document({"responses": DONE}, webhooks={"w": {"post": operation}})


def webhook(schema: Any) -> dict[str, Any]:
    return sent({"requestBody": {"required": True} | content(schema), "responses": DONE})


def webhook_answer(schema: Any) -> dict[str, Any]:
    return sent({"responses": {"200": {"description": "Done."} | content(schema)}})


def callback(schema: Any) -> dict[str, Any]:
    back = {"{$request.body#/url}": {"post": {"requestBody": {"required": True} | content(schema), "responses": DONE}}}
    return document({"callbacks": {"c": back}, "responses": DONE})


def error(schema: Any) -> dict[str, Any]:
    return document({"responses": DONE | {"4XX": {"description": "Wrong."} | content(schema)}})


WRITTEN: dict[str, Any] = {
    "body": body, "property": lambda s: body(in_object(s)), "query": parameter("query"), "path": parameter("path"),
    "header": parameter("header"), "cookie": parameter("cookie"), "content": by_content, "component": component,
    "webhook-answer": webhook_answer,
}  # fmt: skip
READ: dict[str, Any] = {
    "answer": answer, "answered-property": lambda s: answer(in_object(s)), "answer-header": header,
    "answered-component": answered_component, "webhook": webhook, "callback": callback, "error": error,
}  # fmt: skip


def letters(build: Any, old: Any, new: Any) -> str:
    """The verdicts of the change and of the change back."""
    answers = (compare(build(a), build(b), format="openapi").judge("provides") for a, b in ((old, new), (new, old)))
    return "".join(LETTERS[a.verdict] for a in answers)


@pytest.mark.parametrize(("old", "new", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_schema_change_means_the_same_wherever_it_stands(old: Any, new: Any, expected: str) -> None:
    found = {name: letters(build, old, new) for name, build in (WRITTEN | READ).items()}
    written, read = expected[0] + expected[2], expected[1] + expected[3]
    assert found == dict.fromkeys(WRITTEN, written) | dict.fromkeys(READ, read)
