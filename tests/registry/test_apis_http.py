"""API documents over HTTP: known by what they say, gated by their role, linked from client to provider."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from .conftest import Api

STRING = {"type": "string"}


def openapi(*fields: str, required: tuple[str, ...] = (), paths: tuple[str, ...] = ("/orders",)) -> dict[str, Any]:
    """An API whose operations answer with these fields, and want the required ones in their body."""
    thing = {"type": "object", "properties": dict.fromkeys(fields, STRING), "required": list(fields)}
    wanted = {"type": "object", "properties": dict.fromkeys(required, STRING), "required": list(required)}
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": wanted}}},
        "responses": {"200": {"description": "Done", "content": {"application/json": {"schema": thing}}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {p: {"post": operation} for p in paths},
    }


def asyncapi(action: str, **properties: Any) -> dict[str, Any]:
    message = {"payload": {"type": "object", "properties": properties}}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "t", "version": "1"},
        "channels": {"orders": {"address": "shop.orders", "messages": {"placed": message}}},
        "operations": {"on": {"action": action, "channel": {"$ref": "#/channels/orders"}}},
    }


def test_the_format_is_what_the_document_says(each_api: Api) -> None:
    api = each_api
    made = [
        api.publish("shop/orders", openapi("id"), role="provides"),
        api.publish("shop/events", asyncapi("send", id=STRING), role="provides", kind="api"),
        api.publish("shop/legacy", "swagger: '2.0'\ninfo: {title: t, version: '1'}\npaths: {}\n", role="provides"),
        api.publish("shop/order", {"type": "object"}, role="consumes", kind="event"),
    ]
    assert [m.status_code for m in made] == [201] * 4, [m.json for m in made]
    assert [(m.json["format"], m.json["kind"]) for m in made] == [
        ("openapi", "api"),
        ("asyncapi", "api"),
        ("openapi", "api"),
        ("json-schema", "event"),
    ]
    kinds = [
        api.get(f"/contracts/shop/{name}/versions/1.0.0/schema").mimetype for name in ("orders", "legacy", "order")
    ]
    assert kinds == ["application/json", "application/yaml", "application/schema+json"]


@pytest.mark.parametrize(
    ("role", "loses", "gains"),
    [("provides", "breaking", "additive"), ("consumes", "additive", "breaking")],
)
def test_a_provider_keeps_its_answers_and_a_client_its_reading(api: Api, role: str, loses: str, gains: str) -> None:
    first = openapi("id", "total")
    assert api.publish("shop/orders", first, role=role, version="1.0.0").status_code == 201
    checks = [
        api.post("/check", {"contracts": [{"contract": "shop/orders", "schema": schema, "version": "1.1.0"}]}).json
        for schema in (openapi("id"), openapi("id", "total", "note"))
    ]
    assert [c["results"][0]["verdict"] for c in checks] == [loses, gains]
    assert [c["allowed"] for c in checks] == [loses != "breaking", gains != "breaking"]
    broken = checks[0 if loses == "breaking" else 1]["results"][0]["comparison"]["findings"][0]
    assert broken["level"] == "breaking"
    assert broken["witness"]["value"]
    refused = api.publish("shop/orders", openapi("id") if role == "provides" else openapi("id", "total", "note"))
    assert (refused.status_code, refused.json["code"]) == (422, "gate-refused")
    assert api.publish("shop/orders", first).status_code == 200


def test_an_asyncapi_operation_has_its_own_direction(api: Api) -> None:
    api.publish("shop/events", asyncapi("send", state={"enum": ["a", "b"]}), role="provides", kind="api")
    wider = asyncapi("send", state={"enum": ["a", "b", "c"]})
    (result,) = api.post("/check", {"contracts": [{"contract": "shop/events", "schema": wider}]}).json["results"]
    assert (result["verdict"], result["allowed"]) == ("breaking", False)
    narrower = asyncapi("send", state={"enum": ["a"]})
    assert api.publish("shop/events", narrower).json["check"]["verdict"] == "additive"


@pytest.mark.parametrize(
    ("schema", "fields", "pointer"),
    [
        (openapi("id"), {"role": "produces"}, "/role"),
        (openapi("id"), {"role": "provides", "kind": "event"}, "/kind"),
        (openapi("id"), {"role": "provides", "format": "json-schema"}, ""),
        ({"type": "object"}, {"role": "provides", "kind": "api", "format": "openapi"}, ""),
        ({"openapi": "3.1.0", "info": {}}, {"role": "provides"}, ""),
        ({"openapi": "9.1.0", "info": {}, "paths": {}}, {"role": "provides"}, "/openapi"),
        (
            {"openapi": "3.1.0", "paths": {"/a": {"$ref": "other.yaml#/a"}}},
            {"role": "provides"},
            "/paths/~1a",
        ),
        (
            {"openapi": "3.1.0", "paths": {"/a": {"$ref": "https://example.org/a.json"}}},
            {"role": "provides"},
            "/paths/~1a",
        ),
        ({"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/paths/~1a"}}}, {"role": "provides"}, "/paths/~1a"),
    ],
)
def test_what_is_no_such_api_is_refused_with_the_place(
    api: Api, schema: Any, fields: dict[str, Any], pointer: str
) -> None:
    reply = api.publish("shop/orders", schema, **fields)
    assert reply.status_code == 422, reply.json
    assert reply.json["pointer"] == pointer
    assert api.get("/contracts").json["items"] == []


def test_a_contract_stays_of_its_format(api: Api) -> None:
    api.publish("shop/orders", {"type": "object"}, role="consumes", kind="event")
    reply = api.publish("shop/orders", openapi("id"))
    assert (reply.status_code, reply.json["pointer"]) == (422, "/format")
    assert "'json-schema', not 'openapi'" in reply.json["detail"]


def test_faults_in_text_have_their_line(api: Api) -> None:
    text = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses: {}\n      parameters: 7\n"
    reply = api.publish("shop/orders", text, role="provides")
    assert (reply.status_code, reply.json["line"]) == (422, 6)


def links(api: Api) -> list[tuple[str, str, str, bool | None]]:
    items = api.get("/links").json["items"]
    return [(i["producer"], i["consumer"], i["channel"], i["holds"]) for i in items]


def test_a_client_meets_the_provider_that_it_names(each_api: Api) -> None:
    api = each_api
    api.publish("shop/orders", openapi("id", "total", paths=("/orders", "/refunds")), role="provides")
    client = api.publish("web/shop", openapi("id"), role="consumes", of="shop/orders")
    assert client.status_code == 201, client.json
    api.publish("till/orders", openapi("id"), role="consumes")  # a name in common is no link: no channel says so
    assert links(api) == [("shop/orders", "web/shop", "", True)]

    reply = api.publish("web/other", openapi("colour"), role="consumes", of="shop/orders")
    assert (reply.status_code, reply.json["code"]) == (422, "gate-refused")
    (link,) = reply.json["check"]["links"]
    assert link["witness"]["value"]

    away = openapi("id", "total", paths=("/refunds",))
    refused = api.publish("shop/orders", away, version="2.0.0")
    assert refused.status_code == 422
    assert [r["code"] for r in refused.json["check"]["refusals"]] == ["link-broken"]
    assert "web/shop 1.0.0 breaks" in refused.json["detail"]
    api.post("/contracts/web/shop/versions/1.0.0/retirement", {"reason": "it moved"})
    assert api.publish("shop/orders", away, version="2.0.0").status_code == 201


def test_a_client_is_asked_about_before_a_deployment(api: Api) -> None:
    api.publish("shop/orders", openapi("id", "total"), role="provides", version="1.0.0")
    api.publish("web/shop", openapi("id", "total"), role="consumes", of="shop/orders", version="1.0.0")
    api.put(
        f"/deployments/{uuid4()}",
        {"environment": "prod", "service": "web", "service_version": "1", "contracts": {"shop": "1.0.0"}},
    )
    answer = api.get("/can-i-deploy?environment=prod&service=shop").json
    assert (answer["allowed"], [link["consumer"] for link in answer["links"]]) == (True, ["web/shop"])


def test_a_finding_that_reaches_many_operations_is_one(api: Api) -> None:
    def shared(*fields: str) -> dict[str, Any]:
        document = openapi(*fields, paths=("/a", "/b", "/c"))
        schema = document["paths"]["/a"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        text = json.dumps({**document, "components": {"schemas": {}}})
        reference = json.dumps({"$ref": "#/components/schemas/Thing"})
        whole: dict[str, Any] = json.loads(text.replace(json.dumps(schema), reference))
        whole["components"]["schemas"]["Thing"] = schema
        return whole

    api.publish("shop/orders", shared("id", "total"), role="provides")
    (result,) = api.post("/check", {"contracts": [{"contract": "shop/orders", "schema": shared("id")}]}).json["results"]
    breaking = [f for f in result["comparison"]["findings"] if f["level"] == "breaking"]
    assert len({f["location"] for f in breaking}) == 1
    assert len(breaking[0]["reach"]) == 3
    assert breaking[0]["location"].startswith("/components/schemas/Thing")
