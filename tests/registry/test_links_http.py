"""Who reads what whom writes: matching, verdicts, and what the gate makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from .conftest import Api

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
READER = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}
WRITER = {"role": "produces", "kind": "event", "channels": ["shop.orders"]}


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


def links(api: Api, query: str = "") -> list[tuple[str, str, str, str, bool | None]]:
    return [
        (i["producer"], i["producer_version"], i["consumer"], i["consumer_version"], i["holds"])
        for i in api.get(f"/links{query}").json["items"]
    ]


@pytest.fixture
def shop(each_api: Api) -> Api:
    """Orders sends what billing and shipping read; reporting reads it elsewhere."""
    api = each_api
    made = [
        api.publish("orders/order-placed", record(id=STRING, total=INTEGER), **WRITER),
        api.publish("billing/order-placed", record(id=STRING, total=INTEGER), **READER),
        api.publish("shipping/order-placed", record(id=STRING), **READER),
        api.publish("reporting/order-placed", record(id=STRING), **{**READER, "channels": ["archive"]}),
    ]
    assert [m.status_code for m in made] == [201] * 4, [m.json for m in made]
    return api


def test_links_are_found_by_name_and_channel(shop: Api) -> None:
    assert links(shop) == [
        ("orders/order-placed", "1.0.0", "billing/order-placed", "1.0.0", True),
        ("orders/order-placed", "1.0.0", "shipping/order-placed", "1.0.0", True),
    ]
    assert links(shop, "?contract=shipping/order-placed") == links(shop)[1:]
    assert links(shop, "?status=broken") == []
    assert links(shop, "?status=holds") == links(shop)


def test_links_come_in_pages(shop: Api) -> None:
    first = shop.get("/links?limit=1").json
    second = shop.get(
        "/links",
    ).json
    assert len(first["items"]) == 1
    rest = shop.client.get("/api/v1/links", query_string={"limit": 1, "after": first["next"]}).json
    assert first["items"] + rest["items"] == second["items"]
    assert rest["next"] is None


def test_verdicts_are_computed_once(shop: Api) -> None:
    def ask_all() -> None:
        links(shop)
        shop.post("/check", {"contracts": [{"contract": "shipping/order-placed", "schema": record(id=STRING)}]})

    ask_all()
    verdicts = shop.services.verdicts
    before = verdicts.computed
    assert before > 0
    ask_all()
    # The same content under another name is the same question to the same producer.
    assert shop.publish("audit/order-placed", record(id=STRING), **READER).status_code == 201
    assert verdicts.computed == before


def test_a_producer_is_told_each_consumer_it_no_longer_fits(shop: Api) -> None:
    answer = shop.post(
        "/check",
        {"contracts": [{"contract": "orders/order-placed", "schema": record(id=STRING), "version": "2.0.0"}]},
    ).json
    assert answer["allowed"] is False
    (result,) = answer["results"]
    held = {link["consumer"]: link["holds"] for link in result["links"]}
    assert held == {"billing/order-placed": False, "shipping/order-placed": True}
    broken = next(link for link in result["links"] if link["holds"] is False)
    assert broken["producer_version"] == "2.0.0"
    assert "total" not in broken["witness"]["value"]
    assert broken["witness"]["why"]
    codes = [refusal["code"] for refusal in result["refusals"]]
    assert "link-broken" in codes
    refused = shop.publish("orders/order-placed", record(id=STRING), version="2.0.0")
    assert (refused.status_code, refused.json["code"]) == (422, "gate-refused")


def test_a_consumer_is_told_each_producer_it_no_longer_covers(shop: Api) -> None:
    wants_more = record(id=STRING, total=INTEGER, currency=STRING)
    refused = shop.publish("billing/order-placed", wants_more, version="2.0.0")
    assert refused.status_code == 422
    (link,) = refused.json["check"]["links"]
    assert (link["producer"], link["consumer_version"], link["holds"]) == ("orders/order-placed", "2.0.0", False)


def test_a_new_major_on_a_channel_of_its_own_breaks_no_link(shop: Api) -> None:
    moved = shop.publish(
        "orders/order-placed", record(id=STRING, sum=INTEGER), version="2.0.0", channels=["shop.orders.v2"],
        accepted=_accept_all(shop, "orders/order-placed", record(id=STRING, sum=INTEGER)),
    )  # fmt: skip
    assert moved.status_code == 201, moved.json
    assert {link[1] for link in links(shop)} == {"1.0.0"}


def _accept_all(api: Api, contract: str, schema: Any) -> list[dict[str, str]]:
    answer = api.post("/check", {"contracts": [{"contract": contract, "schema": schema, "version": "2.0.0"}]}).json
    prints = {f for r in answer["results"][0]["refusals"] for f in r["findings"]}
    return [{"fingerprint": f, "reason": "agreed"} for f in sorted(prints)]


def test_of_names_the_other_side(each_api: Api) -> None:
    api = each_api
    api.publish("orders/placed", record(id=STRING), **WRITER)
    api.publish("other/placed", record(id=STRING), **WRITER)
    api.publish("billing/order", record(id=STRING), **READER, of="orders/placed")
    api.publish("audit/placed", record(id=STRING), **READER, of="other/placed")
    assert links(api) == [
        ("orders/placed", "1.0.0", "billing/order", "1.0.0", True),
        ("other/placed", "1.0.0", "audit/placed", "1.0.0", True),
    ]


def test_a_retired_version_has_no_links(shop: Api) -> None:
    shop.post("/contracts/billing/order-placed/versions/1.0.0/retirement", {"reason": "gone"})
    assert [link[2] for link in links(shop)] == ["shipping/order-placed"]


def test_each_live_major_has_links(shop: Api) -> None:
    api = shop
    assert api.publish("shipping/order-placed", {**record(id=STRING), "title": "T"}, version="2.0.0").status_code == 201
    assert [(link[2], link[3]) for link in links(api)] == [
        ("billing/order-placed", "1.0.0"),
        ("shipping/order-placed", "1.0.0"),
        ("shipping/order-placed", "2.0.0"),
    ]


def test_deployments_say_what_is_live(shop: Api) -> None:
    api = shop
    assert api.publish("shipping/order-placed", {**record(id=STRING), "title": "T"}, version="2.0.0").status_code == 201
    uuid = str(uuid4())
    body = {
        "environment": "prod", "service": "shipping", "service_version": "7.1", "contracts": {"order-placed": "2.0.0"},
    }  # fmt: skip
    made = api.put(f"/deployments/{uuid}", body)
    assert made.status_code == 201
    assert api.put(f"/deployments/{uuid}", body).status_code == 200
    assert api.put(f"/deployments/{uuid}", {**body, "service_version": "8"}).json["code"] == "id-taken"
    assert [(link[2], link[3]) for link in links(api)][1:] == [("shipping/order-placed", "2.0.0")]
    assert api.get("/contracts/shipping/order-placed/versions/1.0.0").json["live"] is False
    assert api.get("/deployments?environment=prod").json["items"] == [made.json]
    assert api.get("/deployments?environment=test").json["items"] == []
    unknown = api.put(f"/deployments/{uuid4()}", {**body, "contracts": {"order-placed": "3.0.0"}})
    assert (unknown.status_code, unknown.json["code"]) == (404, "not-found")
    latest = api.put(f"/deployments/{uuid4()}", {**body, "contracts": {"order-placed": "latest"}})
    assert (latest.status_code, latest.json["code"]) == (422, "invalid-version")


def test_can_i_deploy(shop: Api) -> None:
    api = shop
    for service, version in (("billing", "1.0.0"), ("shipping", "1.0.0")):
        body = {
            "environment": "prod",
            "service": service,
            "service_version": "1",
            "contracts": {"order-placed": version},
        }
        assert api.put(f"/deployments/{uuid4()}", body).status_code == 201
    answer = api.get("/can-i-deploy?service=orders&environment=prod").json
    assert answer["allowed"] is True
    assert [link["consumer"] for link in answer["links"]] == ["billing/order-placed", "shipping/order-placed"]
    named = api.get("/can-i-deploy?service=orders&environment=prod&contracts=order-placed%3D1.0.0").json
    assert named == answer
    assert api.get("/can-i-deploy?service=orders&environment=prod&contracts=order-placed%3D4.0.0").status_code == 404
    assert api.get("/can-i-deploy?service=orders&environment=empty").json == {"allowed": True, "links": []}
