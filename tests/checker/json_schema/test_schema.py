from __future__ import annotations

from typing import Any

import pytest
from deedbox.checker.documents import load_document
from deedbox.checker.errors import NotASchema, UnknownDialect, UnresolvedReference
from deedbox.checker.json_schema.dialects import DIALECTS
from deedbox.checker.json_schema.schema import Schema, metaschema
from referencing import Registry, Resource
from referencing.jsonschema import specification_with


def schema(value: Any, dialect: str | None = None) -> Schema:
    return Schema(load_document(value, "contract"), dialect)


RESOLVING: list[tuple[str, dict[str, Any]]] = [
    ("plain pointer", {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}),
    ("escaped pointer", {"$ref": "#/$defs/a~1b%25c", "$defs": {"a/b%c": {"type": "string"}}}),
    ("anchor", {"$ref": "#here", "$defs": {"a": {"$anchor": "here", "type": "string"}}}),
    ("absolute", {"$id": "https://e.example/s", "$ref": "https://e.example/s#/$defs/a", "$defs": {"a": {"title": "a"}}}),
    ("relative to the root's", {"$id": "https://e.example/dir/s", "$ref": "t", "$defs": {"t": {"$id": "t", "title": "t"}}}),
    (
        "relative to an embedded resource",
        {
            "$id": "https://e.example/dir/s",
            "$ref": "sub/t",
            "$defs": {
                "t": {"$id": "sub/", "$defs": {"u": {"$id": "t", "$ref": "#/$defs/x", "$defs": {"x": {"title": "x"}}}}}
            },
        },
    ),
    ("urn", {"$id": "urn:example:s", "$ref": "#/$defs/a", "$defs": {"a": {"title": "a"}}}),
    ("a bool", {"$ref": "#/$defs/a", "$defs": {"a": False}}),
    ("a place no keyword holds", {"$ref": "#/shared/a", "shared": {"a": {"$ref": "#/shared/b"}, "b": {"title": "b"}}}),
]  # fmt: skip


@pytest.mark.parametrize("document", [d for _, d in RESOLVING], ids=[n for n, _ in RESOLVING])
def test_references_lead_where_the_reference_library_says(document: dict[str, Any]) -> None:
    ours = schema(document, "draft2020-12")
    resource = Resource.from_contents(document, specification_with("https://json-schema.org/draft/2020-12/schema"))
    resolver = Registry().with_resource(document.get("$id", ""), resource).resolver_with_root(resource)
    contents, node = document, ours.node
    while isinstance(contents, dict) and "$ref" in contents:
        resolved = resolver.lookup(contents["$ref"])
        contents, resolver = resolved.contents, resolved.resolver
        target = node.reference()
        assert target is not None
        node = target
        assert node.value == contents


def test_a_reference_out_of_the_document_says_how_to_bundle() -> None:
    with pytest.raises(UnresolvedReference, match="bundle") as caught:
        schema({"properties": {"a": {"$ref": "other.json#/x"}}})
    assert caught.value.pointer == "/properties/a"


@pytest.mark.parametrize("ref", ["#/nowhere", "#nowhere", "#/properties/a/title"])
def test_a_reference_to_nowhere_says_where(ref: str) -> None:
    with pytest.raises(UnresolvedReference, match=r"nowhere|no schema") as caught:
        schema({"properties": {"a": {"title": "x"}, "b": {"$ref": ref}}})
    assert caught.value.pointer == "/properties/b"


def test_siblings_of_a_reference_by_draft() -> None:
    document = {"properties": {"a": {"$ref": "#/definitions/x", "type": "string"}}, "definitions": {"x": {}}}
    assert set(schema(document, "draft7").node.child("properties", "a").keywords()) == {"$ref"}
    assert set(schema(document, "draft2019-09").node.child("properties", "a").keywords()) == {"$ref", "type"}


def test_dynamic_references_take_the_outermost_anchor() -> None:
    document = {
        "$id": "https://e.example/strict",
        "$ref": "tree",
        "$dynamicAnchor": "node",
        "$defs": {
            "tree": {
                "$id": "tree",
                "$dynamicAnchor": "node",
                "properties": {"children": {"items": {"$dynamicRef": "#node"}}},
            }
        },
    }
    ours = schema(document)
    at = "/$defs/tree/properties/children/items"
    assert ours.resolve_dynamic(at, "$dynamicRef", "#node", ("", "/$defs/tree")).pointer == ""
    assert ours.resolve_dynamic(at, "$dynamicRef", "#node", ("/$defs/tree",)).pointer == "/$defs/tree"
    assert {n.pointer for n in ours.targets(at, "$dynamicRef", "#node")} == {"", "/$defs/tree"}


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
def test_metaschemas_resolve_without_network(dialect: Any) -> None:
    assert metaschema(dialect).references
    uri = dialect.uri + ("" if dialect.rank >= 19 else "#")
    target = schema({"$schema": uri, "properties": {"s": {"$ref": uri}}}).node.child("properties", "s").reference()
    assert target is not None
    assert target.schema is metaschema(dialect)


@pytest.mark.parametrize(
    ("declared", "given", "expected"),
    [
        ("http://json-schema.org/draft-07/schema#", None, "draft7"),
        ("https://json-schema.org/draft-07/schema", "draft4", "draft7"),
        (None, None, "draft2020-12"), (None, "draft4", "draft4"),
        ("https://example.com/own", "draft6", "draft6"),
    ],
)  # fmt: skip
def test_dialects(declared: str | None, given: str | None, expected: str) -> None:
    assert schema({"$schema": declared} if declared else {}, given).dialect.name == expected


def test_an_unknown_dialect_asks_for_one() -> None:
    with pytest.raises(UnknownDialect, match="dialect"):
        schema({"$schema": "https://example.com/own"})
    with pytest.raises(UnknownDialect, match="choose from"):
        schema({}, "draft3")


@pytest.mark.parametrize("value", [[], "text", 1, None])
def test_what_is_no_schema(value: Any) -> None:
    with pytest.raises(NotASchema):
        schema(value)
