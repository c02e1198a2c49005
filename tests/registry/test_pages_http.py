"""What every page promises, asked for by HTTP: twins, validators, headers, errors, big input, hostile input."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import deedbox.registry
import pytest
from deedbox.registry.web.pages import safety
from markupsafe import escape

from tests.registry.conftest import INTEGER, STRING, Api, record

STATIC = Path(next(iter(deedbox.registry.__path__))) / "static"
SENT = {"role": "produces", "kind": "event", "channels": ["shop.orders"]}
READ = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}
HTML = {"Accept": "text/html"}
PAGES = [
    ("/", "/index.json"),
    *(
        (path, path.replace("?", ".json?") if "?" in path else f"{path}.json")
        for path in (
            "/contracts", "/contracts?role=produces", "/contracts/orders/order-placed", "/contracts/orders/order-placed/versions/1.0.0",
            "/contracts/orders/order-placed/compare/1.0.0...1.1.0", "/contracts/orders/order-placed/fields/properties/id", "/services",
            "/services/orders", "/map", "/fits", "/fits/orders/order-placed", "/search?q=id", "/try", "/drains", "/dead-letters", "/packages", "/audit",
        )
    ),
]  # fmt: skip


@pytest.fixture
def shop(api: Api) -> Api:
    api.publish("orders/order-placed", record(id=STRING, total=INTEGER), **SENT)
    api.publish("billing/order-placed", record(id=STRING), **READ)
    api.publish("orders/order-placed", record(id=STRING, total=INTEGER, note=STRING))
    return api


@pytest.mark.parametrize(("path", "twin"), PAGES)
def test_a_page_has_a_twin_that_it_names_and_an_etag(shop: Api, path: str, twin: str) -> None:
    page = shop.client.get(path, headers=HTML)
    assert page.status_code == 200, page.text
    assert f'<link rel="alternate" type="application/json" href="{twin.replace("&", "&amp;")}">' in page.text
    data = shop.client.get(twin)
    assert data.status_code == 200
    assert isinstance(data.json, dict)
    for address, reply in ((path, page), (twin, data)):
        again = shop.client.get(address, headers={**HTML, "If-None-Match": reply.headers["ETag"]})
        assert again.status_code == 304, address
    for name in ("Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"):
        assert name in page.headers
        assert name in shop.client.get(path, headers=HTML).headers, "remembered replies have them too"


def test_nothing_inline_and_nothing_from_elsewhere(shop: Api) -> None:
    for path, _ in PAGES:
        text = shop.client.get(path, headers=HTML).text
        assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)|\s(?:on[a-z]+|style)=\"", text), path
        assert not re.search(r"(?:src|href)=\"(?!/|#)", text), path


def test_the_empty_registry_says_what_to_type(api: Api) -> None:
    for path in (
        "/",
        "/contracts",
        "/services",
        "/map",
        "/fits",
        "/try",
        "/packages",
        "/drains",
        "/dead-letters",
        "/audit",
    ):
        assert re.search(r"<pre[^>]*><code>[^<]*deedbox", api.client.get(path, headers=HTML).text), path


def test_vendored_files_are_what_they_say() -> None:
    told = re.findall(r"sha256 ([0-9a-f]{64})  (\S+)", (STATIC / "VENDORED.txt").read_text())
    assert told
    for checksum, name in told:
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == checksum
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE.txt").read_text()


def test_a_page_changes_with_the_next_entry(shop: Api) -> None:
    before = shop.client.get("/contracts/orders/order-placed", headers=HTML)
    shop.publish("orders/order-placed", record(id=STRING, total=INTEGER, note=STRING, more=STRING))
    after = shop.client.get("/contracts/orders/order-placed", headers=HTML)
    assert before.headers["ETag"] != after.headers["ETag"]
    assert "1.2.0" in after.text


def test_errors_are_pages_for_browsers_and_problems_for_programs(shop: Api) -> None:
    missing = shop.client.get("/contracts/no/such", headers=HTML)
    assert (missing.status_code, missing.mimetype) == (404, "text/html")
    assert "there is no contract no/such" in missing.text
    assert shop.client.get("/contracts/no/such.json").json["code"] == "not-found"
    assert shop.client.get("/api/v1/contracts/no/such", headers=HTML).mimetype == "application/problem+json"
    for path in (
        "/contracts/orders/order-placed/versions/one",
        "/contracts/orders/order-placed/compare/1.0.0...9.9.9",
        "/contracts/orders/order-placed/fields/nothing",
        "/contracts/%00/x",
        "/services/no-such",
        "/map?group=none",
        "/fits/a/b",
        "/contracts?limit=x&after=%00",
        "/audit?before=99999999999999999999&kind=%27",
        "/search?q=" + "x" * 5000,
    ):
        assert shop.client.get(path, headers=HTML).status_code in (200, 404, 422), path


def test_what_is_published_is_shown_as_text(api: Api) -> None:
    nasty = "</td><script>alert(1)</script>"
    value = {**record(**{nasty: {**STRING, "description": nasty, "examples": [nasty]}}), "title": nasty}
    api.publish("orders/order-placed", value, **SENT)
    api.publish("orders/order-placed", {**record(), "title": nasty}, version="2.0.0", accepted=[])
    for path in ("/contracts/orders/order-placed", "/search?q=script", "/contracts/orders/order-placed/versions/1.0.0"):
        assert "<script>alert" not in api.client.get(path, headers=HTML).text


def test_a_refused_break_is_on_the_home_page_until_something_is_published(shop: Api) -> None:
    refused = shop.publish("orders/order-placed", record(id=INTEGER), version="1.2.0")
    assert refused.status_code == 422
    shop.publish("orders/order-placed", record(id=INTEGER), version="1.2.0")
    (told,) = shop.client.get("/index.json").json["refusals"]
    assert (told["contract"], told["declared"], told["verdict"]) == ("orders/order-placed", "1.2.0", "breaking")
    shop.publish("orders/order-placed", record(id=STRING, total=INTEGER, note=STRING, more=STRING))
    assert shop.client.get("/index.json").json["refusals"] == []


def test_the_fields_say_who_reads_them_and_since_when_they_are_obsolete(shop: Api) -> None:
    marked = record(id=STRING, total={**INTEGER, "deprecated": True}, note=STRING)
    shop.publish("orders/order-placed", marked)
    shop.publish("orders/order-placed", {**marked, "title": "Order"})
    view = shop.client.get("/contracts/orders/order-placed.json").json
    fields = {field["label"]: field for field in view["sections"][0]["fields"]}
    assert fields["total"]["obsolete_since"] == "1.2.0"
    assert [other["contract"] for other in fields["id"]["others"]] == ["billing/order-placed"]
    assert fields["total"]["others"] == []


def test_a_comparison_puts_each_finding_on_its_line(shop: Api) -> None:
    view = shop.client.get("/contracts/orders/order-placed/compare/1.0.0...1.1.0.json").json
    (finding,) = view["findings"]
    rows = [row for row in view["rows"] if row.get("findings")]
    assert finding["rule"] == "property-added"
    assert [row["findings"] for row in rows] == [[0]]
    assert '"note"' in rows[0]["new"][1]
    assert rows[0]["new"][0] == finding["line"]


def test_what_if_a_required_field_goes(shop: Api) -> None:
    shop.publish("shipping/order-placed", {**record(id=STRING), "required": ["id"]}, **{**READ, "version": "1.0.0"})
    # A reader that requires what the sender does not promise is refused: so the sender promises it first.
    needed = {**record(id=STRING, total=INTEGER, note=STRING), "required": ["id"]}
    shop.publish("orders/order-placed", needed)
    shop.publish("shipping/order-placed", {**record(id=STRING), "required": ["id"]}, **READ)
    view = shop.client.get("/contracts/orders/order-placed/fields/properties/id.json").json
    states = {link["consumer"]: link["state"] for link in view["without"]["links"]}
    assert states == {"billing/order-placed": "holds", "shipping/order-placed": "broken"}


def test_trying_a_message(shop: Api) -> None:
    def attempt(message: str, contract: str = "") -> Any:
        return shop.client.post("/try.json", data={"message": message, "contract": contract}).json

    results = attempt('{"id": 1}')["results"]
    assert {(r["contract"], r["accepts"]) for r in results} == {
        ("orders/order-placed", False),
        ("billing/order-placed", False),
    }
    assert all("/id" in r["why"] for r in results)
    accepted = {
        r["version"]: r["accepts"] for r in attempt('{"id": "a", "note": "b"}', "orders/order-placed")["results"]
    }
    assert accepted == {"1.1.0": True, "1.0.0": False}, "a sender may send nothing that it does not declare"
    for broken in ("", "{", '{"a":1,"a":2}', "[" * 5000):
        assert attempt(broken)["problem"], broken[:10]


def test_retiring_needs_the_forms_token_of_this_browser(shop: Api) -> None:
    path = "/contracts/orders/order-placed/versions/1.0.0/retirement"
    form = shop.client.get(path, headers=HTML)
    token = re.search(rf'name="{safety.FIELD}" value="([^"]+)"', form.text)
    assert token is not None
    assert "no-store" in form.headers["Cache-Control"]
    right = {safety.FIELD: token.group(1), "reason": "old"}
    for headers, data in (
        ({}, {"reason": "old"}),
        ({}, {**right, safety.FIELD: "guessed"}),
        ({"Origin": "http://elsewhere.example"}, right),
        ({"Sec-Fetch-Site": "cross-site"}, right),
    ):
        assert shop.client.post(path, data=data, headers=headers).status_code == 403
    assert shop.client.post(path, data={**right, "reason": " "}).status_code == 422
    assert shop.client.post(path, data=right).status_code == 303
    assert (
        shop.client.get("/contracts/orders/order-placed/versions/1.0.0.json").json["shown"]["retired_reason"] == "old"
    )


def test_a_badge_says_whether_it_fits(shop: Api) -> None:
    image = shop.client.get("/badges/orders/order-placed.svg")
    assert image.mimetype == "image/svg+xml"
    assert "1.1.0 fits 1" in image.text
    assert shop.client.get("/badges/orders/order-placed.json").json["state"] == "good"


def test_a_contract_of_a_thousand_fields_and_a_map_of_many_services_stay_small(api: Api) -> None:
    wide = record(
        **{f"field_{n}": {**STRING, "description": "Something about it", "minLength": 1} for n in range(1000)}
    )
    api.publish("wide/event", wide, **SENT)
    page = api.client.get("/contracts/wide/event", headers=HTML)
    assert page.text.count('<tr id="/properties/field_') == 1000
    assert len(page.data) < 1_000_000
    for n in range(60):
        body = SENT if n % 3 == 0 else READ
        channels = [f"channel.{n // 3}"]
        api.publish(f"team{n % 7}-service-{n}/event", record(id=STRING), **{**body, "channels": channels})
    view = api.client.get("/map.json").json
    assert {node["kind"] for node in view["map"]["nodes"]} == {"group"}
    assert len(view["map"]["nodes"]) == 8
    assert view["total"] == 40
    assert len(api.client.get("/map", headers=HTML).data) < 200_000
    one = api.client.get("/map.json?group=team1").json
    assert {n["id"] for n in one["map"]["nodes"] if n["kind"] == "service"} == {
        f"team1-service-{n}" for n in range(1, 60, 7)
    }


def _api(**properties: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": record(**properties)}}
    answered = {"200": {"description": "the order", "content": content}}
    parameter = {"name": "id", "in": "path", "required": True, "schema": STRING, "description": "Which"}
    paths = {"/orders/{id}": {"get": {"parameters": [parameter], "responses": answered}}}
    return {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1"}, "paths": paths}


def test_the_pages_of_an_api(api: Api) -> None:
    provided = {"role": "provides", "kind": "api", "format": "openapi"}
    called = {**provided, "role": "consumes", "of": "shop/orders"}
    assert api.publish("shop/orders", _api(id=STRING, total=INTEGER), **provided).status_code == 201
    assert api.publish("web/orders", _api(id=STRING, total=INTEGER), **called).status_code == 201
    api.publish("shop/orders", _api(id=STRING, total=STRING), version="2.0.0")
    view = api.client.get("/contracts/shop/orders/versions/1.0.0.json").json
    labels = {s["title"]: [f["label"] for f in s["fields"]] for s in view["sections"]}
    assert labels == {
        "GET /orders/{id}: parameters": ["id (path)"],
        "GET /orders/{id}: response 200, application/json": ["id", "total"],
    }
    assert [link["consumer"] for link in view["links"]] == ["web/orders"] * len(view["links"])
    page = api.client.get("/contracts/shop/orders/versions/1.0.0", headers=HTML)
    assert "GET /orders/{id}: parameters" in page.text
    assert api.client.get("/map.json").json["map"]["edges"][0]["from"] == "shop"


def test_two_versions_of_an_api_side_by_side(api: Api) -> None:
    provided = {"role": "provides", "kind": "api", "format": "openapi"}
    api.publish("shop/orders", json.dumps(_api(id=STRING, total=INTEGER), indent=2), **provided)
    api.publish("shop/orders", json.dumps(_api(id=STRING, total=STRING), indent=2), version="2.0.0")
    view = api.client.get("/contracts/shop/orders/compare/1.0.0...2.0.0.json").json
    assert view["verdict"] == "breaking"
    worst = view["findings"][0]
    assert (worst["level"], worst["field"]) == ("breaking", "total")
    assert any(worst["number"] in row.get("findings", ()) for row in view["rows"])
    page = api.client.get("/contracts/shop/orders/compare/1.0.0...2.0.0", headers=HTML)
    assert str(escape(worst["witness"]["why"])) in page.text


def _application(**properties: Any) -> str:
    channel = {"address": "shop.parcels", "messages": {"parcelSent": {"payload": record(**properties)}}}
    operation = {"action": "send", "channel": {"$ref": "#/channels/parcels"}}
    told = {"asyncapi": "3.0.0", "info": {"title": "Parcels", "version": "1", "description": "What leaves the house"}}
    return json.dumps({**told, "channels": {"parcels": channel}, "operations": {"sendParcel": operation}}, indent=2)


def test_the_pages_of_an_asyncapi_document(api: Api) -> None:
    sent = {"role": "produces", "kind": "event", "channels": ["shop.parcels"]}
    assert api.publish("shipping/parcels", _application(id=STRING, weight=INTEGER), **sent).status_code == 201
    assert api.publish("shipping/parcels", _application(id=STRING, weight=STRING), version="2.0.0").status_code == 201
    first = api.client.get("/contracts/shipping/parcels/versions/1.0.0.json").json
    (section,) = first["sections"]
    assert section["title"] == "send shop.parcels: parcelSent payload"
    assert [(f["label"], f["type"]) for f in section["fields"]] == [("id", "string"), ("weight", "integer")]
    page = api.client.get("/contracts/shipping/parcels", headers=HTML)
    assert "Parcels. What leaves the house" in page.text
    weight = section["fields"][1]
    field = api.client.get(f"/contracts/shipping/parcels/fields{weight['pointer']}", headers=HTML)
    assert field.status_code == 200
    assert "type: integer → string" in field.text
    view = api.client.get("/contracts/shipping/parcels/compare/1.0.0...2.0.0.json").json
    assert (view["verdict"], view["bump"]) == ("breaking", "major")
    worst = view["findings"][0]
    assert worst["field"] == "weight"
    assert any(worst["number"] in row.get("findings", ()) for row in view["rows"]), "it stands on its line"
    compared = api.client.get("/contracts/shipping/parcels/compare/1.0.0...2.0.0", headers=HTML)
    assert str(escape(worst["witness"]["why"])) in compared.text
    assert [c["contract"] for c in api.client.get("/search.json?q=leaves").json["contracts"]] == ["shipping/parcels"]


def test_a_link_that_a_deployment_broke_is_on_the_home_page(api: Api) -> None:
    api.publish("orders/order-placed", record(id=STRING), **SENT)
    api.publish("orders/order-placed", record(id=INTEGER), version="2.0.0")
    where = {"environment": "prod", "service": "orders"}
    for number, version in enumerate(("1.0.0", "2.0.0"), 1):
        body = {**where, "contracts": {"order-placed": version}, "service_version": str(number)}
        assert api.put(f"/deployments/{uuid4()}", body).status_code == 201
        if version == "1.0.0":
            assert api.publish("billing/order-placed", record(id=STRING), **READ).status_code == 201
            assert api.client.get("/index.json").json["broken"] == []
    (link,) = api.client.get("/index.json").json["broken"]
    assert (link["producer_version"], link["consumer"], link["state"]) == ("2.0.0", "billing/order-placed", "broken")
    home = api.client.get("/", headers=HTML).text.partition('<h2 id="blocked">')[2].partition("</section>")[0]
    assert "orders/order-placed 2.0.0" in home
    assert str(escape(link["reason"])) in home


def test_twins_of_contracts_and_json_named_contracts(shop: Api) -> None:
    shop.publish("orders/feed.json", record(id=STRING), **{**SENT, "channels": ["x"]})
    page = shop.client.get("/contracts/orders/feed.json", headers=HTML)
    assert page.mimetype == "text/html"
    assert "orders/feed.json" in page.text
    assert shop.client.get("/contracts/orders/feed.json.json").json["contract"] == "orders/feed.json"
    assert json.loads(shop.client.get("/contracts/orders/order-placed.json").text)["contract"] == "orders/order-placed"
