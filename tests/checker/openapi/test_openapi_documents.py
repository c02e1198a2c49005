"""OpenAPI as a whole: positions and their directions, causes, several files, other versions, bad input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from deedbox.checker import DocumentError, compare, load_document
from deedbox.checker.apis.errors import NotAnApi, ReferenceCycle, UnsupportedVersion
from deedbox.checker.apis.sources import bundle
from deedbox.checker.errors import DuplicateKey, FileMissing, NotASchema, SyntaxInvalid, TooLarge, UnresolvedReference
from deedbox.checker.formats import detect


def api(schema: Any, *, response: bool = False, version: str = "3.0.3", paths: int = 1, **more: Any) -> dict[str, Any]:
    content = {"content": {"application/json": {"schema": schema}}}
    operation: dict[str, Any] = {"responses": {"200": {"description": "Done."} | (content if response else {})}}
    if not response:
        operation["requestBody"] = {"required": True} | content
    return {"openapi": version, "info": {"title": "t", "version": "1"},
            "paths": {f"/p{i}": {"post": operation} for i in range(paths)}} | more  # fmt: skip


def verdict(old: Any, new: Any, role: Any = "provides", **more: Any) -> str:
    return compare(old, new, format="openapi", **more).judge(role).verdict


OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
NEEDED = OPEN | {"required": ["a"]}


def test_a_request_is_asked_the_one_way_and_a_response_the_other() -> None:
    assert verdict(api(OPEN), api(NEEDED)) == "breaking"
    assert verdict(api(NEEDED), api(OPEN)) == "additive"
    assert verdict(api(OPEN, response=True), api(NEEDED, response=True)) == "additive"
    assert verdict(api(NEEDED, response=True), api(OPEN, response=True)) == "breaking"


def test_a_client_keeps_the_other_direction() -> None:
    assert verdict(api(NEEDED), api(OPEN), "consumes") == "breaking"
    assert verdict(api(OPEN), api(NEEDED), "consumes") == "additive"


def test_the_witness_is_a_request_that_the_new_provider_refuses() -> None:
    comparison = compare(api(OPEN), api(NEEDED), format="openapi")
    (finding,) = [f for f in comparison.judge("provides").findings if f.level == "breaking"]
    assert finding.witness is not None
    assert finding.witness.value == {
        "method": "POST", "path": "/p0", "headers": {"Content-Type": "application/json"}, "body": {},
    }  # fmt: skip
    assert comparison.backward.holds is False


def test_read_only_is_no_part_of_requests_and_write_only_none_of_responses() -> None:
    marked = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string", "readOnly": True}, **OPEN["properties"]},
    }
    assert verdict(api(OPEN), api(marked)) != "breaking"
    assert verdict(api(marked, response=True), api(OPEN, response=True)) == "breaking"
    hidden = {"type": "object", "properties": {"a": {"type": "string"}, "pin": {"type": "string", "writeOnly": True}}}
    assert verdict(api(hidden, response=True), api(OPEN, response=True)) != "breaking"
    assert verdict(api(hidden), api(OPEN)) == "breaking"


def test_a_value_more_in_a_response_breaks_no_tolerant_client() -> None:
    old, new = ({"type": "string", "enum": values} for values in (["a"], ["a", "b"]))
    assert verdict(api(old, response=True), api(new, response=True)) == "additive"
    assert verdict(api(old, response=True), api(new, response=True), content_model="open") == "breaking"
    assert verdict(api(new), api(old)) == "breaking"


def test_a_required_property_with_a_default_may_be_missing() -> None:
    filled = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "default": "x"}}}
    assert verdict(api(OPEN), api(filled)) == "additive"
    assert verdict(api(filled, response=True), api(OPEN, response=True)) == "breaking"


def test_nullable_and_exclusive_bounds_are_read_as_3_0_means_them() -> None:
    assert verdict(api({"type": "string", "nullable": True}), api({"type": "string"})) == "breaking"
    assert (
        verdict(api({"type": "string", "nullable": True}), api({"type": ["string", "null"]}, version="3.1.0"))
        == "patch"
    )
    old, new = {"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 1, "exclusiveMinimum": True}
    assert verdict(api(old), api(new)) == "breaking"


def test_a_shared_cause_is_one_finding_with_all_its_reach() -> None:
    def document(kind: str) -> dict[str, Any]:
        thing = {"type": "object", "properties": {"n": {"type": kind}}}
        return api(
            {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}, response=True, paths=12,
            components={"schemas": {"Thing": thing}},
        )  # fmt: skip

    findings = compare(document("integer"), document("string"), format="openapi").judge("provides").findings
    (finding,) = [f for f in findings if f.level == "breaking"]
    assert finding.location == "/components/schemas/Thing/properties/n"
    assert len(finding.reach) == 12
    assert "12 places" in finding.message
    assert finding.witness is not None
    assert isinstance(finding.witness.value["body"][0]["n"], str)


def test_a_recursive_component_ends() -> None:
    def document(kind: str) -> dict[str, Any]:
        tree = {"type": "object", "properties": {
            "v": {"type": kind}, "down": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}  # fmt: skip
        return api({"$ref": "#/components/schemas/Tree"}, components={"schemas": {"Tree": tree}})

    assert verdict(document("integer"), document("integer")) == "identical"
    assert verdict(document("integer"), document("string")) == "breaking"


def test_a_part_composed_in_place_is_judged_in_its_whole() -> None:
    """The base alone refuses nothing that it declares; beside what the whole adds, closing it refuses everything."""

    def document(*, closed: bool) -> dict[str, Any]:
        base: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
        if closed:
            base["additionalProperties"] = False
        whole = {
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"type": "object", "properties": {"b": {"type": "string"}}},
            ]
        }
        return api(whole, components={"schemas": {"Base": base}})

    assert verdict(document(closed=False), document(closed=True)) == "breaking"


def test_an_alternative_component_that_goes_is_seen() -> None:
    def document(*names: str) -> dict[str, Any]:
        schemas = {n: {"type": "object", "required": [n], "properties": {n: {"type": "integer"}}} for n in ("A", "B")}
        return api({"oneOf": [{"$ref": f"#/components/schemas/{n}"} for n in names]}, components={"schemas": schemas})

    assert verdict(document("A", "B"), document("A")) == "breaking"
    assert verdict(document("A"), document("A", "B")) == "additive"


def test_swagger_2_says_the_same_as_openapi_3() -> None:
    def document(kind: str) -> dict[str, Any]:
        body = {"name": "b", "in": "body", "required": True, "schema": {"$ref": "#/definitions/T"}}
        query = {"name": "n", "in": "query", "type": kind, "required": True}
        return {"swagger": "2.0", "info": {"title": "t", "version": "1"},
                "paths": {"/p": {"post": {"parameters": [body, query], "responses": {"200": {"description": "Done."}}}}},
                "definitions": {"T": {"type": "object", "properties": {"a": {"type": kind}}}}}  # fmt: skip

    findings = compare(document("string"), document("integer"), format="openapi").findings
    assert {f.location for f in findings if f.level == "breaking" and f.direction == "backward"} == {
        "/definitions/T/properties/a", "/paths/~1p/post/parameters/1",
    }  # fmt: skip


def test_a_renamed_path_variable_is_the_same_path_and_a_server_may_hold_the_prefix() -> None:
    old = api(OPEN, servers=[{"url": "https://x.example/v1"}])
    new = api(OPEN, servers=[{"url": "https://x.example"}])
    new["paths"] = {"/v1/p0": new["paths"]["/p0"]}
    assert verdict(old, new) == "additive"


@pytest.mark.parametrize(("old", "new", "rule"), [(["a"], [], "required-removed"), ([], ["a"], "required-added")])
def test_what_is_required_beside_a_default_is_still_a_finding_where_it_changes(
    old: list[str], new: list[str], rule: str
) -> None:
    """The provider fills the default in, so nobody is broken; and yet it is not the same document."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}
    comparison = compare(*(api(schema | {"required": names}) for names in (old, new)), format="openapi")
    findings = [f for f in comparison.judge("provides").findings if f.rule == rule and "request" in f.message]
    assert [f.level for f in findings] == ["additive"]


def test_files_under_the_root_are_read_through_the_loader_and_named_in_findings() -> None:
    def whole(kind: str) -> Any:
        files = {"parts/thing.yaml": f"Thing:\n  type: object\n  properties:\n    n:\n      type: {kind}\n"}
        root = load_document(json.dumps(api({"$ref": "parts/thing.yaml#/Thing"})), "api.json")
        return bundle(root, lambda path: load_document(files[path], path) if path in files else None)

    old, new = whole("string"), whole("integer")
    (finding,) = [f for f in compare(old, new, format="openapi").judge("provides").findings if f.level == "breaking"]
    assert new.place(finding.location)[:2] == ("parts/thing.yaml", 4)


@pytest.mark.parametrize(
    "reference", ["missing.yaml#/X", "../above.yaml#/X", "/etc/passwd", "https://example.com/x.yaml"]
)
def test_no_other_file_is_ever_read(reference: str) -> None:
    asked = []

    def loader(path: str) -> None:
        asked.append(path)

    with pytest.raises(FileMissing) as caught:
        bundle(load_document(json.dumps(api({"$ref": reference}), indent=1), "api.json"), loader)
    assert caught.value.line
    assert asked in ([], ["missing.yaml"])


@pytest.mark.parametrize(
    ("mark", "reference"), [({"$anchor": "thing"}, "#thing"), ({"$id": "https://x.example/t"}, "https://x.example/t")]
)
def test_anchors_and_identifiers_lead_to_their_schemas(mark: dict[str, str], reference: str) -> None:
    def document(kind: str) -> dict[str, Any]:
        return api({"$ref": reference}, version="3.1.0", components={"schemas": {"T": mark | {"type": kind}}})

    assert verdict(document("string"), document("string")) == "identical"
    assert verdict(document("string"), document("integer")) == "breaking"


def test_what_is_composed_without_end_is_refused() -> None:
    def document(kind: str) -> dict[str, Any]:
        chain: dict[str, Any] = {f"C{i}": {"allOf": [{"$ref": f"#/components/schemas/C{i + 1}"}]} for i in range(400)}
        return api({"$ref": "#/components/schemas/C0"}, components={"schemas": chain | {"C400": {"type": kind}}})

    with pytest.raises(TooLarge):
        verdict(document("string"), document("integer"))


def dynamic(kind: str, *, anchors: int = 1) -> dict[str, Any]:
    schemas: dict[str, Any] = {f"N{i}": {"$dynamicAnchor": "n", "type": kind} for i in range(anchors)}
    return api({"$dynamicRef": "#n"}, version="3.1.0", components={"schemas": schemas})


def test_a_dynamic_reference_with_one_anchor_is_followed() -> None:
    assert verdict(dynamic("string"), dynamic("string")) == "identical"
    assert verdict(dynamic("string"), dynamic("integer")) == "breaking"
    assert verdict(api({"type": "string"}, version="3.1.0"), dynamic("string")) == "patch"


def test_a_dynamic_reference_that_its_scope_decides_is_refused_and_never_passed_over() -> None:
    for kind in ("string", "integer"):
        with pytest.raises(NotASchema, match="dynamicRef"):
            verdict(dynamic("string", anchors=2), dynamic(kind, anchors=2))


CYCLE = """openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /p: {$ref: '#/components/pathItems/A'}
components:
  pathItems:
    A: {$ref: '#/components/pathItems/B'}
    B: {$ref: '#/components/pathItems/A'}
"""
BOMB = "openapi: 3.0.0\na: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
HEAD = "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths:\n"
BAD: list[tuple[str, type[DocumentError], int]] = [
    ("openapi: 4.0.0\npaths: {}\n", UnsupportedVersion, 1),
    ("info: {}\nswagger: '3.0'\npaths: {}\n", UnsupportedVersion, 2),
    (CYCLE, ReferenceCycle, 8),
    (BOMB, TooLarge, 8),
    (HEAD + "  /p:\n\tget: {}\n", SyntaxInvalid, 5),
    (HEAD + "  /p: {get: {responses: {}}}\n  /p: {}\n", DuplicateKey, 5),
    (HEAD + "  /p: {get: {responses: {'200': {$ref: '#/nowhere'}}}}\n", UnresolvedReference, 4),
    (HEAD + "  /p:\n    get:\n      parameters: 3\n", NotAnApi, 6),
    (
        HEAD + "  /p: {get: {responses: {'200': {description: x, content: {a/b: {schema: {type: text}}}}}}}\n",
        NotASchema,
        4,
    ),
    (HEAD + "  /p/{a}: {get: {responses: {}}}\n  /p/{b}: {get: {responses: {}}}\n", NotAnApi, 5),
]


@pytest.mark.parametrize(("text", "kind", "line"), BAD, ids=[f"{k.__name__}-{i}" for i, (_, k, _) in enumerate(BAD)])
def test_bad_documents_are_refused_with_their_line(text: str, kind: type[DocumentError], line: int) -> None:
    with pytest.raises(kind) as caught:
        compare(text, text, format="openapi", new_name="api.yaml", old_name="api.yaml")
    assert caught.value.line == line, str(caught.value)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"openapi": "3.0.0", "paths": {}}, "openapi"), ({"swagger": "2.0"}, "openapi"), ({"asyncapi": "3.0.0"}, "asyncapi"),
        ({"type": "object"}, "json-schema"), (True, "json-schema"),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "openapi": "x"}, "json-schema"),
    ],
)  # fmt: skip
def test_a_document_says_its_format(document: Any, expected: str) -> None:
    assert detect(document) == expected


def test_an_api_is_never_taken_for_a_schema_that_says_nothing() -> None:
    with pytest.raises(NotASchema, match="openapi"):
        compare(api(OPEN), api(NEEDED))
