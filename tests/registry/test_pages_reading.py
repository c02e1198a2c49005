"""What a contract's page says, read as somebody who decides: nothing that applies is left out, nothing is said wrong."""

from __future__ import annotations

import re
from typing import Any

from tests.registry.conftest import INTEGER, STRING, Api, record
from tests.registry.test_observations_http import report as guarded
from tests.registry.test_observations_http import sighting

HTML = {"Accept": "text/html"}
SENT = {"role": "produces", "kind": "event", "channels": ["shop.claims"]}


def rows(api: Api, contract: str) -> dict[str, dict[str, Any]]:
    view = api.client.get(f"/contracts/{contract}.json").json
    return {field["label"]: field for section in view["sections"] for field in section["fields"]}


def form(kind: str, **more: Any) -> dict[str, Any]:
    return {**record(kind={"const": kind}, **more), "required": ["kind"]}


def test_a_row_says_what_each_branch_asks(api: Api) -> None:
    loss = {"oneOf": [form("fire", size=INTEGER), form("theft", size=STRING), form("other")]}
    kind = {"type": "object", "properties": {"kind": STRING}, "oneOf": [form("fire"), form("theft")]}
    api.publish("claims/filed", record(loss=loss, told=kind), **SENT)
    there = rows(api, "claims/filed")
    assert there["loss.kind"]["constraints"] == ['exactly "fire", or exactly "theft", or exactly "other"']
    assert there["loss.size"]["type"] == "integer or string"
    assert there["told.kind"]["presence"] == "optional"
    assert there["told.kind"]["constraints"] == ['in some forms exactly "fire", or exactly "theft"']


def test_what_many_branches_ask_is_shortened(api: Api) -> None:
    api.publish("claims/filed", {"oneOf": [form(f"k{n}") for n in range(40)]}, **SENT)
    (said,) = rows(api, "claims/filed")["kind"]["constraints"]
    assert said.startswith('exactly "k0", or exactly "k1"')
    assert said.endswith("or one of 28 more forms")


def test_the_description_is_the_shown_versions_and_whole(api: Api) -> None:
    long = "First line.\nSecond line. " + "word " * 400 + "the end"
    api.publish("claims/filed", {**record(id=STRING), "description": "Short"}, **SENT)
    api.publish("claims/filed", {**record(id=STRING, note=STRING), "description": long})
    assert api.client.get("/contracts/claims/filed/versions/1.0.0.json").json["description"] == "Short"
    page = api.client.get("/contracts/claims/filed", headers=HTML).text
    assert "the end</p></details>" in page
    (listed,) = api.client.get("/search.json?q=filed").json["contracts"]
    assert listed["description"].endswith("word …"), "where many are listed it is cut at a word, and says so"


def test_a_long_description_of_a_field_leads_to_all_of_it(api: Api) -> None:
    api.publish("claims/filed", record(id={**STRING, "description": "word " * 300 + "the end"}), **SENT)
    page = api.client.get("/contracts/claims/filed", headers=HTML).text.partition("</table>")[0]
    assert "the end" not in page
    assert '<a href="/contracts/claims/filed/fields/properties/id">all of it</a>' in page
    assert "the end" in api.client.get("/contracts/claims/filed/fields/properties/id", headers=HTML).text
    assert "the end" in rows(api, "claims/filed")["id"]["description"]


def test_items_stand_under_the_end_of_their_path(api: Api) -> None:
    api.publish("claims/filed", record(a=record(lines={"type": "array", "items": record(sku=STRING)})), **SENT)
    assert {field["short"] for field in rows(api, "claims/filed").values()} == {"a", "lines", "lines[]", "sku"}


def test_every_operation_of_an_api_is_there_with_its_words(api: Api) -> None:
    shared = {
        "name": "id", "in": "path", "required": True, "schema": STRING, "description": "Which one", "deprecated": True,
    }  # fmt: skip
    found = {"200": {"description": "ok", "content": {"application/json": {"schema": record(id=STRING)}}}}
    paths = {
        "/health": {"get": {"summary": "Says that it lives.", "responses": {"204": {"description": "it does"}}}},
        "/things/{id}": {"parameters": [shared], "get": {"responses": found}, "delete": {"responses": found}},
    }
    document = {"openapi": "3.0.3", "info": {"title": "Things", "version": "1"}, "paths": paths}
    answer = api.publish("shop/things", document, role="provides", kind="api", format="openapi")
    assert answer.status_code == 201, answer.text
    view = api.client.get("/contracts/shop/things.json").json
    assert list(dict.fromkeys(section["operation"] for section in view["sections"])) == [
        "GET /health", "GET /things/{id}", "DELETE /things/{id}",
    ]  # fmt: skip
    assert view["sections"][0]["operation_said"] == "Says that it lives. Answers 204"
    parameter = rows(api, "shop/things")["id (path)"]
    assert (parameter["description"], parameter["obsolete"]) == ("Which one", True)
    page = api.client.get("/contracts/shop/things", headers=HTML).text
    assert "Says that it lives. Answers 204" in page
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids)), "no two places of a page have one address"
    assert {"/paths/~1health/get", "/paths/~1things~1{id}/delete"} <= set(ids)


def test_what_a_matrix_leaves_out_is_said(api: Api) -> None:
    read = {**SENT, "role": "consumes"}
    for n in range(14):
        api.publish("claims/filed", record(id=STRING, **{f"n{k}": STRING for k in range(n)}), **SENT)
    for n in range(6):
        api.publish("fraud/filed", record(id=STRING, **{f"n{k}": STRING for k in range(n)}), **read)
    view = api.client.get("/fits/claims/filed.json").json
    assert (len(view["rows"]), view["rows_left_out"]) == (12, 2)
    assert (len(view["columns"]), view["left_out"]) == (4, 2)
    page = api.client.get("/fits/claims/filed", headers=HTML).text
    assert "2 older versions of claims/filed left out" in page
    assert "2 versions of the other side left out" in page


def test_who_fits_whom_comes_a_screen_at_a_time(api: Api) -> None:
    for n in range(5):
        on = {"kind": "event", "channels": [f"channel.{n}"]}
        api.publish(f"sender/m{n}", record(id=STRING), role="produces", **on)
        api.publish(f"reader/m{n}", record(id=STRING), role="consumes", **on)
    seen, address = [], "/fits.json?limit=2"
    for _ in range(4):
        view = api.client.get(address).json
        seen += [row["contract"] for row in view["items"]]
        if view["next"] is None:
            break
        address = f"/fits.json?limit=2&offset={view['next']}"
    assert seen == [f"sender/m{n}" for n in range(5)]
    assert "More of 5 contracts" in api.client.get("/fits?limit=2", headers=HTML).text
    assert "from the first on" in api.client.get("/fits?offset=9", headers=HTML).text


def test_a_field_says_how_it_drains_and_where_it_was_seen_last(api: Api) -> None:
    sent = {"role": "produces", "kind": "event", "channels": ["shop.orders"]}
    api.publish("orders/order-placed", record(id=STRING, note=STRING), **sent)
    page = "/contracts/orders/order-placed/fields/properties/note"
    assert api.client.get(f"{page}.json").json["drains"] == []
    assert "once it is marked obsolete" in api.client.get(page, headers=HTML).text
    api.publish("orders/order-placed", record(id=STRING, note={**STRING, "deprecated": True}))
    (row,) = api.client.get(f"{page}.json").json["drains"]
    assert (row["state"], row["writers"]) == ("marked", ["orders/order-placed 1.0.0", "orders/order-placed 1.1.0"])
    assert "deedbox drain orders/order-placed#/note" in api.client.get(page, headers=HTML).text
    for start, version in ((0, "1.0.0"), (10, "1.1.0"), (20, "1.0.0")):
        said = guarded(start, start + 10, sightings=[sighting(start + 4, version)])
        assert api.post("/observations", said).status_code == 201
    seen = api.client.get(f"{page}.json").json["last_seen"]
    assert [(one["version"], one["topic"], one["partition"], one["offset"]) for one in seen] == [
        ("1.0.0", "shop.orders", 0, 24),
        ("1.1.0", "shop.orders", 0, 14),
    ]
    assert "shop.orders[0]@24" in api.client.get(page, headers=HTML).text
    api.publish("orders/order-placed", record(id=STRING), version="2.0.0")
    view = api.client.get(f"{page}.json").json
    assert (view["there"], view["drains"][0]["state"], view["events"][-1]["kind"]) == (False, "stopped", "removed")
