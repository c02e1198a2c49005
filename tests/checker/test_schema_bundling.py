"""Schemas of several files as one: the bundle means what the files mean, and what cannot be bundled is told."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from deedbox.checker import DocumentError, compare, load_document
from deedbox.checker.bundling import Bundle, Loader
from deedbox.checker.comparison import check_document
from deedbox.checker.documents import Document
from deedbox.checker.errors import FileMissing, NotASchema, NotBundled, UnresolvedReference
from deedbox.checker.json_schema.bundling import bundle_schema
from deedbox.checker.json_schema.dialects import DIALECTS
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.jsonschema import specification_with

FOLDER = "file:///contracts/"
DRAFTS = {name: dialect.uri + ("" if dialect.rank >= 19 else "#") for name, dialect in DIALECTS.items()}
OLDER = ("draft4", "draft6", "draft7")
NEWER = ("draft2019-09", "draft2020-12")


def loader(documents: dict[str, Document]) -> Loader:
    def load(path: str) -> Document | None:
        return documents.get(path)

    return load


def bundled(files: dict[str, Any], **more: Any) -> Any:
    """The bundle of files by path, the first of which is the root."""
    documents = {path: load_document(value if isinstance(value, str) else json.dumps(value), path)
                 for path, value in files.items()}  # fmt: skip
    return bundle_schema(next(iter(documents.values())), loader(documents), **more)


def apart(files: dict[str, Any]) -> Any:
    """A validator that reads the files one by one, as another program understands them."""
    path, root = next(iter(files.items()))
    spec = specification_with(root["$schema"])
    resources = [(FOLDER + name, spec.create_resource(value)) for name, value in files.items()]
    registry: Any = Registry().with_resources(resources)
    return validator_for(root)({"$ref": FOLDER + path, "$schema": root["$schema"]}, registry=registry)


def alone(value: Any) -> Any:
    """A validator of one document. One without an address gets one: that validator has no dynamic scope without."""
    root = value if "$id" in value or "id" in value else {"$ref": "memory:///it", "$schema": value["$schema"]}
    registry: Any = Registry().with_resource(
        "memory:///it", specification_with(value["$schema"]).create_resource(value)
    )
    return validator_for(value)(root, registry=registry)


ATOMS: list[Any] = [1, -1, "a", "", None, True, [], {}]
VALUES = [*ATOMS, *({"a": one, "b": two} for one, two in itertools.product(ATOMS, ATOMS))]
VALUES += [{"a": {name: one}} for name in ("a", "b") for one in ATOMS] + [{"a": {"a": {"b": one}}} for one in ATOMS]


def layouts(draft: str) -> dict[str, dict[str, Any]]:
    say, id_ = {"$schema": DRAFTS[draft]}, DIALECTS[draft].identifier
    text, number = {"type": "string"}, {"type": "integer"}
    found: dict[str, dict[str, Any]] = {
        "beside and below": {
            "root.json": say | {"properties": {"a": {"$ref": "text.json"}, "b": {"$ref": "parts/number.json#/definitions/n"}}},
            "text.json": text,
            "parts/number.json": {"definitions": {"n": {"$ref": "deep/limits.json"}}},
            "parts/deep/limits.json": {"type": "integer", "minimum": 0, "not": {"$ref": "../../text.json"}},
        },
        "round and round": {
            "root.json": say | {"type": "object", "properties": {"a": {"$ref": "other.json"}, "b": number}},
            "other.json": {"properties": {"a": {"$ref": "root.json"}, "b": {"$ref": "root.json#/properties/b"}}},
        },
        "identifiers of their own": {
            "root.json": say | {"properties": {"a": {"$ref": "text.json"}, "b": {"$ref": "sub/number.json"}}},
            "text.json": {id_: "https://example.org/any/text"} | text,
            "sub/number.json": {id_: "number.json", "allOf": [{"$ref": "more.json"}]},
            "sub/more.json": number,
        },
        "one with an address": {
            "root.json": say | {id_: FOLDER + "root.json", "properties": {"a": {"$ref": "sub/a.json"}}},
            "sub/a.json": {"properties": {"a": {"$ref": "../root.json"}, "b": {"$ref": FOLDER + "sub/b.json"}}},
            "sub/b.json": text,
        },
        "no schema but a bag of them": {
            "root.json": say | {"properties": {"a": {"$ref": "bag.json#/text"}, "b": {"$ref": "bag.json#/deep/more"}}},
            "bag.json": {"text": text, "deep": {"more": {"anyOf": [{"$ref": "#/text"}, {"$ref": "other.json"}]}}},
            "other.json": number,
        },
        "names that are taken": {
            "root.json": say | {"definitions": {"a": number, "p-a": text}, "$defs": {"a": number, "p-a": text},
                                "properties": {"a": {"$ref": "a.json"}, "b": {"allOf": [{"$ref": "#/definitions/a"}, {"$ref": "p/a.schema.json"}]}}},
            "a.json": text,
            "p/a.schema.json": {"minimum": 0},
        },
        "data that look like references": {
            "root.json": say | {"properties": {"a": {"enum": [{"$ref": "no.json"}, 1]}, "b": {"$ref": "text.json"},
                                               "$ref": {"type": "string"}}},
            "text.json": text,
        },
        "nested resources": {
            "root.json": say | {"properties": {"a": {"$ref": "in.json"}}},
            "in.json": {"properties": {"a": {id_: "https://example.org/in/", "properties": {"b": {"$ref": "#/definitions/x"}},
                                             "definitions": {"x": number}}}},
        },
        "beside a folder above": {
            "schemas/orders/root.json": say | {"properties": {
                "a": {"anyOf": [{"$ref": "../../common/text.json"}, {"$ref": "common/text.json"}]}, "b": {"$ref": "../root.json"}}},
            "common/text.json": {"properties": {"a": {"$ref": "../schemas/orders/root.json#/properties/b"}}, "not": {"type": "null"}},
            "schemas/orders/common/text.json": {"type": "null"},
            "schemas/root.json": {"allOf": [number, {"$ref": "orders/common/../../../common/text.json"}]},
        },
        "above, with an address": {
            "schemas/root.json": say | {id_: FOLDER + "schemas/root.json", "properties": {"a": {"$ref": "../common/text.json"}},
                                         "definitions": {"x": text}},
            "common/text.json": {"properties": {"b": {"$ref": "../schemas/root.json#/definitions/x"}, "a": {"$ref": "number.json"}}},
            "common/number.json": number,
        },
    }  # fmt: skip
    if draft in OLDER:
        found["what stands beside a reference is ignored"] = {
            "root.json": say | {"properties": {"a": {"$ref": "only.json"}, "b": {"$ref": "only.json#/definitions/n"}}},
            "only.json": {
                "$ref": "text.json",
                "type": "integer",
                id_: "https://example.org/x",
                "definitions": {"n": number},
            },
            "text.json": text,
        }
    else:
        found["what stands beside a reference counts"] = {
            "root.json": say | {"properties": {"a": {"$ref": "only.json"}, "b": {"$ref": "only.json#named"}}},
            "only.json": {"$ref": "text.json", "minLength": 1, "$defs": {"n": {"$anchor": "named"} | number}},
            "text.json": text,
        }
    tree: dict[str, Any]
    if draft != "draft4":
        found["true and false"] = {
            "root.json": say | {"properties": {"a": {"$ref": "any.json"}, "b": {"$ref": "none.json"}}},
            "any.json": True,
            "none.json": False,
        }
    if draft == "draft2020-12":
        tree = {"$id": "tree", "$dynamicAnchor": "node", "properties": {"a": {"$dynamicRef": "#node"}}}
        found["a dynamic scope"] = {
            "root.json": say | {"$dynamicAnchor": "node", "$ref": "tree", "properties": {"b": number}},
            "tree": tree,
        }
    if draft == "draft2019-09":
        tree = {"$recursiveAnchor": True, "properties": {"a": {"$recursiveRef": "#"}}}
        found["a dynamic scope"] = {
            "root.json": say | {"$recursiveAnchor": True, "$ref": "tree.json", "properties": {"b": number}},
            "tree.json": tree,
        }
    return found


CASES = [(draft, layout) for draft in DIALECTS for layout in layouts(draft)]


@pytest.mark.parametrize(("draft", "layout"), CASES)
def test_the_bundle_means_what_the_files_mean(draft: str, layout: str) -> None:
    files = layouts(draft)[layout]
    root = next(iter(files))
    bundle = bundled(files, name=root)
    assert isinstance(bundle, Bundle)
    assert set(bundle.files) == files.keys() - {root}
    check_document(bundle, "json-schema")  # all its references lead somewhere, and it is a schema of its draft
    # One that says where it is means the same to readers that give it no address.
    together = validator_for(bundle.value)(bundle.value) if "/" in root else alone(bundle.value)
    separate = apart(files)
    answers = {separate.is_valid(value) for value in VALUES}
    assert answers == {True, False}, "values that tell the schemas apart"
    for value in VALUES:
        assert together.is_valid(value) == separate.is_valid(value), value
    # As text it is the same to those who have no files, and to us.
    again = compare(bundle, json.dumps(bundle.value))
    assert (again.backward.holds, again.forward.holds, again.findings) == (True, True, ())


def test_a_relative_identifier_is_applied_once() -> None:
    def said(*values: int) -> dict[str, Any]:
        number = {"$id": "../common/number.json", "enum": list(values)}
        return {"$id": "schemas/order.json", "items": {"$ref": "../common/number.json"}, "$defs": {"number": number}}

    backward = compare(said(1, 2), said(1)).backward
    assert backward.witness is not None
    assert backward.witness.value == [2]


@pytest.mark.parametrize("draft", DIALECTS)
def test_findings_and_places_lead_back_to_the_files(draft: str) -> None:
    files = layouts(draft)["beside and below"]
    changed = files | {"parts/deep/limits.json": '{"type": "integer",\n\n "minimum": 1}'}
    old, new = bundled(files), bundled(changed)
    found = [f for f in compare(old, new).findings if f.level == "breaking"]
    assert {f.pointer for f in found} == {"/properties/b"}
    assert {new.place(f.location)[0] for f in found} == {"parts/deep/limits.json"}
    wrong = bundled(files | {"parts/deep/limits.json": '{\n"type": 7}'})
    with pytest.raises(NotASchema) as caught:
        compare(wrong, wrong)
    assert (caught.value.source, caught.value.line, caught.value.pointer) == ("parts/deep/limits.json", 2, "/type")


def test_a_file_that_moved_is_no_change_of_meaning() -> None:
    say = {"$schema": DRAFTS["draft2020-12"]}
    old = bundled({"root.json": say | {"properties": {"a": {"$ref": "a.json"}}}, "a.json": {"type": "string"}})
    new = bundled({"root.json": say | {"properties": {"a": {"$ref": "p/b.json"}}}, "p/b.json": {"type": "string"}})
    assert {f.level for f in compare(old, new).findings} <= {"patch"}


def test_files_are_definitions_by_short_names() -> None:
    files: dict[str, Any] = {
        "root.json": {"$defs": {"line": {}}, "properties": {path: {"$ref": path} for path in
                      ("parts/address.schema.json", "a/line.yaml", "b/line.yaml", "b/line.json", "b/plain")}},
        "parts/address.schema.json": {}, "a/line.yaml": "{}", "b/line.yaml": "type: string", "b/line.json": {}, "b/plain": {},
    }  # fmt: skip
    found = {name: held.get("$id") for name, held in bundled(files).value["$defs"].items()}
    assert found == {
        "line": None, "address": "parts/address.schema.json", "a-line": "a/line.yaml", "b-line": "b/line.json",
        "b-line-2": "b/line.yaml", "plain": "b/plain",
    }  # fmt: skip


def test_the_bundle_is_the_same_whatever_the_root_file_is_called() -> None:
    files = layouts("draft7")["beside and below"]
    root = files.pop("root.json")
    first, second = bundled({"root.json": root} | files), bundled({"root.json@main": root} | files, name="root.json")
    assert first.value == second.value
    files = layouts("draft7")["round and round"]
    root = files.pop("root.json")
    documents = {path: load_document(value, path) for path, value in files.items()}
    assert (
        bundle_schema(load_document(root, "root.json@main"), documents.get, "root.json").value
        == bundled({"root.json": root} | files).value
    )


@pytest.mark.parametrize(
    ("files", "kind", "where", "says"),
    [
        ({"root.json": {"$ref": "no.json"}}, FileMissing, ("root.json", 1), "there is no file no.json"),
        ({"root.json": {"$ref": "../a.json"}, "a.json": {}}, FileMissing, ("root.json", 1), "leads out of"),
        ({"root.json": {"$ref": "/a.json"}, "a.json": {}}, FileMissing, ("root.json", 1), "leads out of"),
        ({"root.json": {"$ref": "p/a.json"}, "p/a.json": '{\n"not": {"$ref": "../../a.json"}}', "a.json": {}},
         FileMissing, ("p/a.json", 2), "leads out of"),
        ({"root.json": {"$id": "https://x.example/s/r.json", "$ref": "../a.json"}, "a.json": {}},
         FileMissing, ("root.json", 1), "leads out of"),
        ({"root.json": {"$ref": "a.json"}, "a.json": [1]}, NotASchema, ("a.json", None), "object or a boolean"),
        ({"root.json": {"$ref": "a.json"}, "a.json": '{"a": 1,\n"a": 2}'}, DocumentError, ("a.json", 2), "twice"),
        ({"root.json": {"$ref": "bag.json#/held/text"}, "bag.json": '{"held":\n{"text": {\n"type": 7}}}'},
         NotASchema, ("bag.json", 3), "7"),
        ({"root.json": {"$ref": "a.json"}, "a.json": {"$schema": DRAFTS["draft7"]}},
         NotBundled, ("a.json", 1), "all files of a schema must be of one draft"),
        ({"root.json": {"$schema": DRAFTS["draft7"], "not": {"$ref": "a.json"}}, "a.json": {"$id": "#x"}},
         NotBundled, ("a.json", 1), "only a fragment"),
        ({"root.json": {"allOf": [{"$ref": "a.json"}, {"$ref": "b.json"}]}, "a.json": {"$id": "urn:x", "type": "string"},
          "b.json": {"$id": "urn:x"}}, NotBundled, ("a.json", 1), "b.json has another schema of the same $id 'urn:x'"),
    ],
)  # fmt: skip
def test_what_cannot_be_bundled_is_told(
    files: dict[str, Any], kind: type[DocumentError], where: tuple[str, int | None], says: str
) -> None:
    with pytest.raises(kind) as caught:
        bundled(files)
    assert says in str(caught.value)
    assert (caught.value.source, caught.value.line) == where


@pytest.mark.parametrize("reference", ["https://x.example/a.json", "a.json#/nothing", "a.json#none"])
def test_what_leads_nowhere_or_to_the_network_is_told_where_it_is_read(reference: str) -> None:
    document = bundled({"root.json": {"properties": {"a": {"$ref": reference}}}, "a.json": {}})
    with pytest.raises(UnresolvedReference) as caught:
        compare(document, document)
    assert caught.value.pointer == "/properties/a"


def test_one_file_alone_is_left_as_it_is() -> None:
    for value in ({"$ref": "#/$defs/a", "$defs": {"a": {}}}, {"$id": "https://x.example/s", "not": {"$ref": "s"}},
                  {"$ref": DRAFTS["draft2020-12"]}, {"enum": [{"$ref": "a.json"}]}, True):  # fmt: skip
        document = load_document(value, "root.json")
        assert bundle_schema(document, loader({})) is document
    unknown = load_document({"$schema": "https://x.example/own", "$ref": "a.json"}, "root.json")
    assert bundle_schema(unknown, loader({})) is unknown
    assert isinstance(bundled({"root.json": unknown.value, "a.json": {}}, dialect="draft7"), Bundle)
