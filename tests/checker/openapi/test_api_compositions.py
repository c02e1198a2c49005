"""Components where other schemas speak of the same value, references that end nowhere, and other shapes of real documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
from deedbox.checker import compare
from deedbox.checker.apis.errors import ReferenceCycle

STRING: dict[str, Any] = {"type": "string"}
INTEGER: dict[str, Any] = {"type": "integer"}
KINDS: dict[str, Any] = {
    "Kind": {"type": "string", "enum": ["cat", "dog"]},
    "Cat": {"type": "object", "required": ["meow"], "properties": {"meow": STRING}},
    "Dog": {"type": "object", "required": ["bark"], "properties": {"bark": INTEGER}},
}
CAT, DOG, KIND = ({"$ref": f"#/components/schemas/{name}"} for name in ("Cat", "Dog", "Kind"))


def api(schema: Any, version: str = "3.1.0") -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    paths = {"/p": {"post": {"requestBody": body, "responses": {"200": {"description": "Done."}}}}}
    info = {"title": "t", "version": "1"}
    return {"openapi": version, "info": info, "paths": paths, "components": {"schemas": KINDS}}


def breaks(old: Any, new: Any, version: str = "3.1.0") -> list[tuple[str, Any]]:
    """Rule and body of each breaking finding of a provider."""
    findings = compare(api(old, version), api(new, version), format="openapi").judge("provides").findings
    return [(f.rule, f.witness.value["body"]) for f in findings if f.level == "breaking" and f.witness]


def thing(name: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": ["name", "of"], "properties": {"name": name, "of": more}}


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    "beside",
    [
        {"type": "object"}, {"type": "object", "required": ["x"]}, {"type": "object", "minProperties": 1},
        {"description": "Any."}, {"required": ["x"], "properties": {"x": STRING}},
    ],
)  # fmt: skip
def test_what_stands_beside_a_union_of_components_does_not_hide_a_change(beside: Any, version: str) -> None:
    union = {"oneOf": [CAT, DOG]} | beside
    found = breaks(thing(STRING, union), thing(INTEGER, union), version)
    assert [rule for rule, _ in found] == ["type-changed"]
    assert isinstance(found[0][1]["name"], str)


def test_the_type_beside_a_union_of_components_still_counts_where_it_changes() -> None:
    old = {"type": ["object", "null"], "oneOf": [CAT, {"type": "null"}]}
    found = breaks(thing(STRING, old), thing(STRING, old | {"type": "object"}))
    assert [(rule, body["of"]) for rule, body in found] == [("type-narrowed", None)]


def test_a_component_that_another_part_narrows_does_not_hide_a_change() -> None:
    def composed(kinds: list[str]) -> Any:
        base = {"type": "object", "properties": {"kind": KIND, "x": STRING}}
        return {"allOf": [base, {"properties": {"kind": {"enum": kinds}}}]}

    found = breaks(composed(["cat", "dog"]), composed(["dog"]))
    assert [body["kind"] for _, body in found] == ["cat"]


def test_members_of_one_union_stay_apart() -> None:
    """Each member may refer to a component at the same property: neither speaks of the other's value."""
    members = [{"type": "object", "required": ["k"], "properties": {"k": r, "n": STRING}} for r in (CAT, DOG)]
    changed = [members[0], members[1] | {"properties": {"k": DOG, "n": INTEGER}}]
    found = breaks({"oneOf": members}, {"oneOf": changed})
    assert len(found) == 1
    assert "bark" in found[0][1]["k"]


def test_a_name_that_is_required_twice_is_required() -> None:
    old, new = ({"type": "object", "required": ["a", "a"], "properties": {"a": kind}} for kind in (STRING, INTEGER))
    ((rule, body),) = breaks(old, new)
    assert rule == "type-changed"
    assert isinstance(body["a"], str)


def test_a_default_that_nobody_changed_is_no_finding() -> None:
    def body(most: int) -> Any:
        properties = {"a": STRING | {"default": "x"}, "b": STRING | {"maxLength": most}}
        return {"type": "object", "required": ["a"], "properties": properties}

    found = compare(api(body(9)), api(body(5)), format="openapi").findings
    assert {f.rule for f in found} == {"max-length-lowered"}


def test_a_format_that_went_with_its_type_is_one_break() -> None:
    old, new = STRING | {"format": "uuid"}, INTEGER
    assert [rule for rule, _ in breaks(old, new)] == ["type-changed"]


def test_a_path_may_differ_by_its_query_alone() -> None:
    old, new = api(STRING), api(STRING)
    old["paths"]["/p?draft=true"] = api(INTEGER)["paths"]["/p"]
    new["paths"]["/p?draft=true"] = api(STRING)["paths"]["/p"]
    (finding,) = [f for f in compare(old, new, format="openapi").judge("provides").findings if f.level == "breaking"]
    assert finding.pointer.startswith("/paths/~1p?draft=true/post")
    assert finding.witness is not None
    assert finding.witness.value["path"] == "/p?draft=true"


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("used", [True, False])
def test_references_that_lead_only_to_each_other_are_refused_with_their_line(version: str, used: bool) -> None:
    document = api(CAT if used else STRING, version)
    document["components"] = {"schemas": KINDS | {"Cat": DOG, "Dog": CAT}}
    text = json.dumps(document, indent=1)
    with pytest.raises(ReferenceCycle) as caught:
        compare(text, text, format="openapi")
    assert caught.value.pointer in ("/components/schemas/Cat", "/components/schemas/Dog")
    assert caught.value.line is not None
    assert "$ref" in text.splitlines()[caught.value.line - 1]


def test_a_schema_that_contains_itself_is_no_cycle_of_references() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Cat"}}}
    document = api(CAT)
    document["components"] = {"schemas": {"Cat": tree}}
    assert compare(document, document, format="openapi").judge("provides").verdict == "identical"


@pytest.mark.parametrize("members", ["AB", "BA", "BCA"])
def test_members_of_a_union_may_change_places(members: str) -> None:
    """A place is that of the new document, and what is said beside the schemas is found wherever a member went."""

    def document(order: str, kind: str) -> Any:
        things: dict[str, Any] = {name: {"type": "object", "properties": {name: STRING}} for name in "ABC"}
        chosen = {"oneOf": [CAT, DOG], "discriminator": {"propertyName": kind}}
        things["A"]["properties"] = {"of": chosen} | ({"gone": STRING} if kind == "kind" else {"come": INTEGER})
        union = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in order]}
        made = api({"type": "object", "properties": {"one": union}})
        made["components"] = {"schemas": KINDS | things}
        return made

    old, new = document("AB", "kind"), document(members, "sort")
    found = {
        f.rule: f for f in compare(old, new, format="openapi").findings if f.pointer.endswith(("come", "gone", "of"))
    }
    union = "/paths/~1p/post/requestBody/content/application~1json/schema/properties/one/anyOf"
    assert found["property-removed"].pointer == f"{union}/0/properties/gone"
    assert found["property-removed"].side == "old"
    assert found["property-added"].pointer == f"{union}/{members.index('A')}/properties/come"
    assert found["discriminator-property-changed"].pointer == f"{union}/{members.index('A')}/properties/of"
    witness = found["discriminator-property-changed"].witness
    assert witness is not None
    assert "kind" in witness.value["body"]["one"]["of"]
