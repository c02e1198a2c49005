"""Which fields are obsolete, and who may still send them: told without reading schemas where that is possible."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.obsolete import ITEMS, declares, declares_plainly, marks_plainly, obsolete_pointers
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.pointers import join
from deedbox.registry.app import create_app
from deedbox.registry.config import Settings
from deedbox.registry.storage.obsolete import MOST_POINTER, marks_of
from hypothesis import given
from hypothesis import strategies as st

STRING = {"type": "string"}
NAMES = st.sampled_from(["a", "b", "", "a/b", "~", ITEMS, "required"])


def _members(below: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(NAMES, below, max_size=3)
    return st.fixed_dictionaries({}, optional={
        "type": st.sampled_from(["object", "array", "string"]),
        "title": st.just("t"),
        "deprecated": st.booleans(),
        "properties": properties,
        "required": st.lists(NAMES, max_size=2, unique=True),
        "additionalProperties": st.sampled_from([True, False, {}, {"type": "string"}]),
        "patternProperties": st.just({"^a": {}}),
        "items": below,
        "allOf": st.lists(below, min_size=1, max_size=2),
        "const": st.just({"a": {"b": 1}}),
        "$ref": st.just("#/definitions/d"),
    })  # fmt: skip


SCHEMAS = st.recursive(st.sampled_from([True, False, {}, STRING]), _members, max_leaves=8)


@given(SCHEMAS, st.lists(NAMES, max_size=4), st.sampled_from(["draft7", "draft2020-12"]))
def test_what_is_told_plainly_is_what_the_whole_reading_says(schema: Any, tokens: list[str], dialect: str) -> None:
    if isinstance(schema, dict):
        schema = {**schema, "definitions": {"d": {"properties": {"b": {}}}}}
    pointer = join("", *tokens)
    whole = Schema(load_document(json.dumps(schema), "s.json"), dialect)
    told = declares_plainly(schema, pointer)
    if told is not None:
        assert told == declares(whole, pointer)
    marked = marks_plainly(schema, pointer)
    if marked is not None and pointer:
        assert marked == (pointer in obsolete_pointers(whole))


def test_plain_schemas_are_told_plainly() -> None:
    schema = {
        "$schema": "x",
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"properties": {"b": {}}}}},
    }
    told = {p: declares_plainly(schema, p) for p in ("/a", "/a/*/b", "/a/*/c", "/z", "/a/b")}
    assert told == {"/a": True, "/a/*/b": True, "/a/*/c": False, "/z": False, "/a/b": False}


def test_a_pointer_that_no_row_can_hold_is_left_out() -> None:
    names = ["fine", "x" * MOST_POINTER, "nul\0", "ü\u202e"]
    schema = json.dumps({"properties": {name: {"deprecated": True} for name in names}}, separators=(",", ":"))
    assert marks_of(schema, None) == ("/fine", "/ü\u202e")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path}/registry.db"))
    yield app.test_client()
    app.extensions["deedbox"].sandbox.close()
    app.extensions["deedbox"].database.close()


def publish(
    client: Any, contract: str, version: str, properties: dict[str, Any], role: str = "produces", **more: Any
) -> None:
    schema = {"type": "object", "properties": properties}
    body = {"schema": schema, "version": version, "role": role, "kind": "event", "channels": ["orders"], **more}
    answer = client.post(f"/api/v1/contracts/{contract}/versions", json=body)
    assert answer.status_code == 201, answer.text


def test_a_version_from_before_the_field_is_no_stop(client: Any) -> None:
    publish(client, "shop/order", "1.0.0", {"id": STRING})
    publish(client, "shop/order", "1.1.0", {"id": STRING, "coupon": STRING})
    publish(client, "shop/order", "1.2.0", {"id": STRING, "coupon": {**STRING, "deprecated": True}})
    (field,) = client.get("/api/v1/fields").json["items"]
    assert (field["pointer"], field["state"], field["stopped_at"]) == ("/coupon", "marked", None)
    publish(client, "shop/order", "2.0.0", {"id": STRING})
    (field,) = client.get("/api/v1/fields").json["items"]
    assert field["state"] == "stopped"
    assert [p["version"] for p in field["producers"]] == ["1.1.0", "1.2.0"]


def test_the_board_shows_a_screen_at_a_time_and_leads_on(client: Any) -> None:
    fields = {f"f{n:02}": {**STRING, "deprecated": True} for n in range(40)}
    publish(client, "shop/order", "1.0.0", fields)
    publish(client, "shop/parcel", "1.0.0", {"x": {**STRING, "deprecated": True}}, channels=["parcels"])
    seen: list[str] = []
    address = "/drains.json"
    while address:
        page = client.get(address).json
        seen += [row["contract"] + row["pointer"] for row in page["items"]]
        address = f"/drains.json?offset={page['next']}" if page["next"] else ""
    assert sorted(seen) == [*(f"shop/order/{name}" for name in fields), "shop/parcel/x"]
    assert len(seen) == page["total"]
    alone = client.get("/drains?contract=shop/parcel", headers={"Accept": "text/html"}).text
    assert 'id="shop/parcel/x"' in alone
    assert "shop/order" not in alone
    first = client.get("/drains", headers={"Accept": "text/html"}).text
    assert 'href="/drains?offset=12"' in first
    assert "41 fields" in first
    assert client.get("/drains.json?offset=999").json["items"] == []
