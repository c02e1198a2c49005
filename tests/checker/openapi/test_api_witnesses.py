"""Each body that is said to be refused is refused: recomputed here from the documents alone, with `jsonschema` and nothing of ours."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
import yaml
from deedbox.checker import compare
from deedbox.checker.rules import catalogue
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def at(root: Any, reference: str) -> Any:
    for token in unquote(reference).removeprefix("#").split("/")[1:]:
        root = root[int(token) if isinstance(root, list) else token.replace("~1", "/").replace("~0", "~")]
    return root


def followed(root: Any, value: Any) -> Any:
    while isinstance(value, dict) and isinstance(value.get("$ref"), str):
        value = at(root, value["$ref"])
    return value


def operation_of(root: Any, method: str, path: str) -> Any:
    """The operation that a request's method and path mean."""
    given = path.split("/")
    for template, item in root.get("paths", {}).items():
        parts = template.split("/")
        fits = len(parts) == len(given) and all("{" in p or p == g for p, g in zip(parts, given, strict=True))
        held = followed(root, item)
        if fits and method.lower() in held:
            return held[method.lower()]
    return None


def schema_of(root: Any, message: Any) -> Any:
    """The schema of the body that a message has, or None where the document has none at that place."""
    asked = message.get("request", message)
    operation = operation_of(root, asked["method"], asked["path"])
    if operation is None:
        return None
    if "status" in message:
        answers, status = operation.get("responses", {}), str(message["status"])
        holder = answers.get(status) or answers.get(status[0] + "XX") or answers.get("default") or {}
    else:
        holder = operation.get("requestBody") or {}
    holder = followed(root, holder)
    media = holder.get("content", {}).get(message.get("headers", {}).get("Content-Type"))
    return None if media is None else media.get("schema", {})


def composed(root: Any, schema: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict) and depth < 10:
        yield schema
        if isinstance(schema.get("$ref"), str):
            yield from composed(root, at(root, schema["$ref"]), depth + 1)
        for part in schema.get("allOf", ()):
            yield from composed(root, part, depth + 1)


def read_as(root: Any, *, request: bool, reads: bool) -> Any:
    """The document with each schema as one side of an exchange reads it, in 2020-12."""
    made = copy.deepcopy(root)
    hidden = "readOnly" if request else "writeOnly"
    old_dialect = str(root.get("openapi", "3.0")).startswith("3.0")
    stack = [made]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        if not isinstance(value, dict):
            continue
        names: set[str] = set()
        filled: set[str] = set()
        for part in composed(root, value):
            for name, member in (
                (part.get("properties") or {}).items() if isinstance(part.get("properties"), dict) else ()
            ):
                parts = list(composed(root, member))
                names |= {name} if any(p.get(hidden) is True for p in parts) else set()
                filled |= {name} if request and reads and any("default" in p for p in parts) else set()
        if isinstance(value.get("required"), list):
            value["required"] = [n for n in dict.fromkeys(value["required"]) if n not in names | filled]
        if isinstance(value.get("properties"), dict):
            for name in names & value["properties"].keys():
                if reads:
                    del value["properties"][name]
                else:
                    value["properties"][name] = False
        if "oneOf" in value and "anyOf" not in value:
            value["anyOf"] = value.pop("oneOf")
        if old_dialect:
            if "$ref" in value:
                for key in value.keys() - {"$ref"}:
                    del value[key]
            if value.get("nullable") is True and isinstance(value.get("type"), str):
                value["type"] = [value["type"], "null"]
                if "enum" in value:
                    value["enum"] = [*value["enum"], None]
            for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
                if isinstance(value.get(key), bool) and value.pop(key) and bound in value:
                    value[key] = value[bound]
        stack += [m for k, m in value.items() if k not in ("example", "examples", "default", "enum", "const")]
    return made


def widened(reader: Any, writer: Any) -> None:
    """A reader of answers that knows each value that the writer lists at the same place."""
    if isinstance(reader, dict) and isinstance(writer, dict):
        for key, held in reader.items():
            if key == "enum" and isinstance(held, list) and isinstance(writer.get(key), list):
                kinds = {type(v) for v in held}
                held += [v for v in writer[key] if v not in held and type(v) in kinds]
            elif key in writer:
                widened(held, writer[key])
    elif isinstance(reader, list) and isinstance(writer, list) and len(reader) == len(writer):
        for one, other in zip(reader, writer, strict=True):
            widened(one, other)


def accepted(root: Any, schema: Any, value: Any) -> bool:
    return Draft202012Validator({**{k: v for k, v in root.items() if k != "$ref"}, "allOf": [schema]}).is_valid(value)


def undeclared(root: Any, schemas: list[Any], value: Any) -> bool:
    """Whether a value has a member that no schema of its place names: what a tolerant writer never sends."""
    parts = [p for s in schemas for p in flat(root, s)]
    if isinstance(value, list):
        below = [p["items"] for p in parts if "items" in p] + [i for p in parts for i in p.get("prefixItems", ())]
        return bool(below) and any(undeclared(root, below, item) for item in value)
    if not isinstance(value, dict):
        return False
    words = ("properties", "patternProperties", "additionalProperties", "required", "const", "enum")
    free = not any(p.get(word) is not None for p in parts for word in words)
    wide = any(p.get("additionalProperties", False) is not False for p in parts) or any(
        "patternProperties" in p for p in parts
    )
    for name, member in value.items():
        below = [p["properties"][name] for p in parts if name in p.get("properties", {})]
        named = (
            below
            or any(name in p.get("required", ()) for p in parts)
            or any("const" in p or "enum" in p for p in parts)
        )
        if not (named or free or wide):
            return True
        if below and undeclared(root, below, member):
            return True
    return False


def flat(root: Any, schema: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict) and depth < 15:
        yield schema
        if isinstance(schema.get("$ref"), str):
            yield from flat(root, at(root, schema["$ref"]), depth + 1)
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(key, ()):
                yield from flat(root, part, depth + 1)


def problem(old: Any, new: Any, finding: Any) -> str | None:
    """What is wrong with a finding's body; "" where nothing is, None where it is about no body that both documents have."""
    message = finding.witness.value
    backward = finding.direction == "backward"
    request = "status" not in message
    roots = (old, new) if request == backward else (new, old)
    if "schema" in message:
        return None
    if "body" not in message or None in (schema_of(old, message), schema_of(new, message)):
        return None
    writer, reader = (
        read_as(root, request=request, reads=reads) for root, reads in zip(roots, (False, True), strict=True)
    )
    if not request:
        widened(reader, writer)
    if not accepted(writer, schema_of(writer, message), message["body"]):
        return "the writer's own schema refuses it"
    if undeclared(writer, [schema_of(writer, message)], message["body"]):
        return "the writer declares no such member"
    if accepted(reader, schema_of(reader, message), message["body"]):
        return "the reader takes it"
    return ""


def checked(cases: Iterator[tuple[str, Any, Any]]) -> tuple[int, int, dict[str, str]]:
    """Bodies that were recomputed, witnesses of a schema alone, and what is wrong by case."""
    ids = {r.id for r in catalogue().values() if r.format == "json-schema"}
    bodies, alone, wrong = 0, 0, {}
    for name, old, new in cases:
        if not all(str(d.get("openapi", "")).startswith("3.") for d in (old, new)):
            continue
        for finding in compare(old, new, format="openapi").findings:
            shown = finding.level == "breaking" and finding.kind == "inclusion" and finding.rule in ids
            if not shown:
                continue
            assert finding.witness is not None, (name, finding)
            alone += "schema" in finding.witness.value
            fault = problem(old, new, finding)
            bodies += fault is not None
            if fault:
                wrong[f"{name}: {finding.rule} {finding.direction} {finding.pointer}"] = fault
    return bodies, alone, wrong


def test_the_bodies_of_the_rules_cases() -> None:
    folders = sorted((ROOT / "fixtures" / "rules" / "openapi").glob("*/*"))
    cases = ((f.name, *(yaml.safe_load((f / n).read_text()) for n in ("old.yaml", "new.yaml"))) for f in folders)
    _, alone, wrong = checked(cases)
    assert (alone, wrong) == (0, {})


@pytest.mark.cases
def test_the_bodies_of_the_labelled_pairs() -> None:
    path = ROOT.parent / "shared" / "cases" / "openapi_pairs.jsonl.gz"
    if not path.exists():
        pytest.skip("the public cases are not here (openapi_pairs.jsonl.gz)")
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    bodies, alone, wrong = checked(
        (r["id"], *(yaml.safe_load(r[k]) if isinstance(r[k], str) else r[k] for k in ("old", "new"))) for r in rows
    )
    assert (alone, wrong) == (0, {})
    assert bodies > 50


def nested(part: Any) -> Any:
    """A component in an array of a body whose other part must match a pattern, which a believable text does not."""
    code = {"type": "string", "pattern": "^[A-Z]{3}-[0-9]+$"}
    body = {
        "type": "object", "required": ["code", "parts"], "additionalProperties": False,
        "properties": {"code": code, "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}},
    }  # fmt: skip
    post = {
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "x"}},
    }
    return {"openapi": "3.1.0", "info": {}, "paths": {"/p": {"post": post}}, "components": {"schemas": {"Part": part}}}


def test_a_whole_that_no_believable_value_makes_is_searched() -> None:
    old, new = nested({"type": "string"}), nested({"type": "integer"})
    bodies, alone, wrong = checked(iter([("nested", old, new)]))
    assert (bodies, alone, wrong) == (2, 0, {})


def test_a_component_that_no_whole_can_have_is_shown_alone() -> None:
    """Nothing is ever in an array of at most no items; the component is another one all the same."""
    documents = [nested({"type": kind}) for kind in ("string", "integer")]
    for document in documents:
        schema = document["paths"]["/p"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema["properties"]["parts"]["maxItems"] = 0
    found = [f for f in compare(*documents, format="openapi").findings if f.level == "breaking"]
    assert [f.witness.value["schema"] for f in found if f.witness] == ["/components/schemas/Part"] * 2
    assert all("shown of that schema alone" in f.witness.why for f in found if f.witness)
    assert isinstance(next(f for f in found if f.direction == "backward").witness.value["value"], str)  # type: ignore[union-attr]


def test_what_a_removal_is_shown_with_passes_both_sides() -> None:
    """Nothing is refused by a removal, so nothing else of the body may be: here another part of it is narrowed as well."""
    part = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "gone": {"type": "string"}}}
    old = nested(part)
    new = nested({**part, "properties": {"a": {"type": "string"}}})
    for document, code in ((old, {"type": "integer"}), (new, {"type": "integer", "minimum": 5})):
        schema = document["paths"]["/p"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema["properties"]["code"] = code
    (removed,) = [f for f in compare(old, new, format="openapi").findings if f.rule == "property-removed"]
    assert (removed.kind, removed.level) == ("policy", "breaking")
    assert removed.witness is not None
    body = removed.witness.value["body"]
    assert "gone" in body["parts"][0]
    assert all(accepted(document, schema_of(document, removed.witness.value), body) for document in (old, new))
