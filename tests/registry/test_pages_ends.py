"""What pages say at their ends: of nothing, of too much, past the last one, of what cannot be."""

from __future__ import annotations

import re

import pytest

from tests.registry.conftest import STRING, Api, record

HTML = {"Accept": "text/html"}
SENT = {"role": "produces", "kind": "event", "channels": ["shop.claims"]}


@pytest.mark.parametrize(
    ("path", "lie"),
    [
        ("/services?after=zzz", "No service has published"),
        ("/drains?offset=99", "No field is marked obsolete"),
        ("/packages?after=zzz", "No package was built"),
        ("/contracts?after=zzz", "Nothing was published"),
        ("/fits?offset=99", "No contract that is sent"),
    ],
)
def test_past_the_last_one_nothing_is_said_to_be_missing(api: Api, path: str, lie: str) -> None:
    api.publish("claims/filed", record(id={**STRING, "deprecated": True}), **SENT)
    api.publish("fraud/filed", record(id=STRING), **{**SENT, "role": "consumes"})
    page = api.client.get(path, headers=HTML)
    assert page.status_code == 200
    assert lie not in page.text


@pytest.mark.parametrize("path", ["/contracts", "/services", "/fits", "/map", "/audit"])
def test_a_limit_below_one_is_one(api: Api, path: str) -> None:
    for name in ("claims", "fraud"):
        role = "produces" if name == "claims" else "consumes"
        api.publish(f"{name}/filed", record(id=STRING), **{**SENT, "role": role})
    view = api.client.get(f"{path}.json?limit=0").json
    assert len(view["items"]) == 1


def test_the_first_part_is_shown_where_a_part_below_it_is_asked_for(api: Api) -> None:
    api.publish("claims/filed", record(id=STRING), **SENT)
    assert api.client.get("/contracts/claims/filed.json?part=0").json["sections"][0]["fields"]


def test_a_page_of_no_field_says_how_to_ask_for_one(api: Api) -> None:
    api.publish("claims/filed", record(id=STRING), **SENT)
    page = api.client.get("/contracts/claims/filed/fields", headers=HTML)
    assert page.status_code == 422
    assert "?pointer=/properties/customer" in page.text


def test_what_is_too_long_to_be_tried_is_not_sent_back(api: Api) -> None:
    api.publish("claims/filed", record(id=STRING), **SENT)
    page = api.client.post("/try", data={"message": '"' + "x" * (1 << 20) + '"'}, headers=HTML)
    assert page.status_code == 422
    assert "1,048,578 characters, and 1,048,576 are taken here at most" in page.text
    assert len(page.data) < 20_000


def test_an_api_is_not_offered_to_be_tried(api: Api) -> None:
    document = {"openapi": "3.1.0", "info": {"title": "Orders", "version": "1"}, "paths": {}}
    api.publish("shop/orders", document, role="provides", kind="api", format="openapi")
    assert "/try?contract=" not in api.client.get("/contracts/shop/orders", headers=HTML).text
    view = api.client.post("/try.json", data={"contract": "shop/orders", "message": "{}"}).json
    assert "is an API document" in view["problem"]
    assert view["results"] is None


def test_problems_have_twins(api: Api) -> None:
    for page in ("/problems/", "/problems/not-found"):
        text = api.client.get(page, headers=HTML).text
        twin = re.search(r'<link rel="alternate" type="application/json" href="([^"]+)">', text)
        assert twin is not None
        reply = api.client.get(twin.group(1), headers=HTML)
        assert reply.mimetype == "application/json"
        assert "explanation" in reply.text


def test_nothing_to_compare_offers_no_comparison(api: Api) -> None:
    api.publish("claims/filed", record(id=STRING), **SENT)
    assert "/compare" not in api.client.get("/contracts/claims/filed", headers=HTML).text
    assert "deedbox.toml" in api.client.get("/fits/claims/filed", headers=HTML).text


def test_what_is_blocked_is_said_in_clean_sentences_and_how_much_more_there_is(api: Api) -> None:
    api.publish("claims/filed", record(id=STRING), **SENT)
    for n in range(10):
        needing = {**record(id=STRING), "required": ["id"]}
        answer = api.publish(f"reader-{n}/filed", needing, **{**SENT, "role": "consumes"})
        assert answer.status_code == 422
    view = api.client.get("/index.json").json
    assert (len(view["refusals"]), view["refusals_left_out"]) == (8, 2)
    assert view["refusals"][0]["messages"] == [
        'claims/filed 1.0.0 → reader-9/filed on shop.claims breaks: "id" is a required property'
    ]
    assert "and 2 more lately" in api.client.get("/", headers=HTML).text
