"""Publishing through the API: what is written, what is refused, what is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from .conftest import Api

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
FIRST = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}
NAME = "billing/order-placed"


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_the_first_version_is_1_0_0_and_the_next_is_worked_out(each_api: Api) -> None:
    api = each_api
    first = api.publish(NAME, record(a=STRING), **FIRST, headers={"Deedbox_Actor": "ann"})
    assert first.status_code == 201
    assert first.headers["Location"] == f"/api/v1/contracts/{NAME}/versions/1.0.0"
    body = first.json
    assert (body["version"], body["ordinal"], body["schema_id"], body["by"]) == ("1.0.0", 1, 1, "ann")
    assert body["check"]["verdict"] == "new"
    second = api.publish(NAME, record(a=STRING, b=INTEGER)).json
    assert (second["version"], second["ordinal"], second["schema_id"], second["bump"]) == ("1.1.0", 2, 2, "minor")
    assert (second["role"], second["kind"], second["channels"]) == ("consumes", "event", ["shop.orders"])
    assert second["check"]["previous"] == "1.0.0"
    third = api.publish(NAME, {**record(a=STRING, b=INTEGER), "title": "Order"}).json
    assert (third["version"], third["bump"]) == ("1.1.1", "patch")
    listed = api.get(f"/contracts/{NAME}/versions").json["items"]
    assert [item["version"] for item in listed] == ["1.0.0", "1.1.0", "1.1.1"]
    assert [item["live"] for item in listed] == [False, False, True]
    assert api.get(f"/contracts/{NAME}").json["latest"]["version"] == "1.1.1"


def test_the_same_again_is_the_same_row(each_api: Api) -> None:
    api = each_api
    made = api.publish(NAME, record(a=STRING), **FIRST)
    for more in ({}, {"version": "1.0.0"}, {"channels": ["shop.orders", "shop.orders"]}):
        again = api.publish(NAME, record(a=STRING), **more)
        assert again.status_code == 200
        assert again.json == made.json
    assert len(api.get("/events").json["items"]) == 1


def test_key_order_and_number_spelling_are_no_other_content(api: Api) -> None:
    api.publish(NAME, '{"type": "object", "minProperties": 1}', **FIRST)
    again = api.publish(NAME, '{"minProperties": 1.0,\n "type": "object"}')
    assert (again.status_code, again.json["version"]) == (200, "1.0.0")


def test_another_channel_is_another_publication_of_the_same_schema(api: Api) -> None:
    first = api.publish(NAME, record(a=STRING), **FIRST).json
    second = api.publish(NAME, record(a=STRING), channels=["shop.orders", "shop.backfill"])
    assert second.status_code == 201
    assert second.json["version"] == "1.0.1"
    assert second.json["schema_id"] == first["schema_id"]
    assert second.json["digest"] != first["digest"]


def test_one_content_has_one_id_in_however_many_contracts(each_api: Api) -> None:
    ids = {each_api.publish(f"s{i}/x", record(a=STRING), **FIRST).json["schema_id"] for i in range(3)}
    assert ids == {1}
    assert each_api.publish("s9/x", record(b=STRING), **FIRST).json["schema_id"] == 2


def test_a_revert_is_a_new_version(api: Api) -> None:
    api.publish(NAME, record(a=STRING), **FIRST)
    api.publish(NAME, {**record(a=STRING), "title": "T"})
    reverted = api.publish(NAME, record(a=STRING))
    assert (reverted.status_code, reverted.json["version"], reverted.json["ordinal"]) == (201, "1.0.2", 3)
    assert reverted.json["schema_id"] == 1


def test_a_version_taken_by_other_content_is_409(each_api: Api) -> None:
    each_api.publish(NAME, record(a=STRING), **FIRST)
    taken = each_api.publish(NAME, record(a=STRING, b=STRING), version="1.0.0")
    assert taken.status_code == 409
    assert taken.content_type == "application/problem+json"
    assert taken.json["code"] == "version-taken"
    assert taken.json["type"] == "/problems/version-taken"


def test_a_version_too_low_is_refused_with_what_it_needs(api: Api) -> None:
    api.publish(NAME, record(a=STRING), **FIRST)
    refused = api.publish(NAME, record(a=STRING, b=STRING), version="1.0.1")
    assert refused.status_code == 422
    problem = refused.json
    assert (problem["code"], problem["needed_version"]) == ("gate-refused", "1.1.0")
    assert "this needs 1.1.0, you said 1.0.1" in problem["detail"]
    assert problem["check"]["refusals"][0]["code"] == "version-too-low"
    assert len(api.get("/events").json["items"]) == 1


def test_a_break_is_refused_with_the_message_that_proves_it(api: Api) -> None:
    api.publish(NAME, record(status={"enum": ["placed", "paid", "refunded"]}), **FIRST)
    refused = api.publish(NAME, record(status={"enum": ["placed", "paid"]}), version="1.1.0")
    assert refused.status_code == 422
    assert refused.json["needed_version"] == "2.0.0"
    comparison = refused.json["check"]["comparison"]
    assert comparison["verdict"] == "breaking"
    assert comparison["backward"]["witness"]["value"]["status"] == "refunded"
    assert refused.json["findings"]
    passed = api.publish(NAME, record(status={"enum": ["placed", "paid"]}), version="2.0.0")
    assert passed.status_code == 201
    assert (passed.json["check"]["verdict"], passed.json["check"]["allowed_by"]) == ("breaking", "version")


def test_a_break_can_be_accepted_by_name_and_is_recorded(api: Api) -> None:
    api.publish(NAME, record(status={"enum": ["placed", "paid", "refunded"]}), **FIRST)
    narrower = record(status={"enum": ["placed", "paid"]})
    findings = api.publish(NAME, narrower, version="1.1.0").json["findings"]
    accepted = [{"fingerprint": f, "rule": "enum", "reason": "never sent", "by": "ann"} for f in findings]
    passed = api.publish(NAME, narrower, version="1.1.0", accepted=accepted)
    assert passed.status_code == 201, passed.json
    assert passed.json["check"]["allowed_by"] == "accepted"
    kinds = [event["kind"] for event in api.get("/events").json["items"]]
    assert kinds == ["publication", "publication"] + ["acceptance"] * len(findings)


def test_a_backport_compares_with_its_predecessor(api: Api) -> None:
    api.publish(NAME, record(a=STRING), **FIRST)
    assert api.publish(NAME, record(a=STRING, b=STRING), version="2.0.0").status_code == 201
    backport = api.publish(NAME, {**record(a=STRING), "title": "T"}, version="1.0.1")
    assert backport.status_code == 201
    assert backport.json["check"]["previous"] == "1.0.0"
    assert api.get(f"/contracts/{NAME}/versions/latest").json["version"] == "2.0.0"


def test_a_prerelease_is_never_latest(api: Api) -> None:
    api.publish(NAME, record(a=STRING), **FIRST)
    assert api.publish(NAME, record(a=STRING, b=STRING), version="1.1.0-rc.1").status_code == 201
    assert api.get(f"/contracts/{NAME}/versions/latest").json["version"] == "1.0.0"
    assert api.publish(NAME, record(a=STRING, b=STRING)).json["version"] == "1.1.0"


def test_the_schema_text_is_kept_exactly(api: Api) -> None:
    text = '{\n  "type": "object",\n  "minProperties": 1.0, "title": "Zoë \\u0001"\n}'
    api.publish("a/as-text", text, **FIRST)
    got = api.get("/contracts/a/as-text/versions/1.0.0/schema")
    assert got.get_data(as_text=True) == text
    assert got.content_type == "application/schema+json"
    assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    body = '{"role": "consumes", "kind": "event",\n "schema":  {"type":  "object", "minProperties": 1.0}  }'
    assert api.post("/contracts/a/as-object/versions", body).status_code == 201
    assert api.get("/contracts/a/as-object/versions/1.0.0/schema").text == '{"type":  "object", "minProperties": 1.0}'
    api.publish("a/as-yaml", "type: object\nproperties:\n  a: {type: string}\n", **FIRST)
    got = api.get("/contracts/a/as-yaml/versions/latest/schema")
    assert (got.content_type, got.text[:12]) == ("application/yaml", "type: object")
    assert got.headers["Cache-Control"] == "no-cache"


def test_canonical_content_by_digest(api: Api) -> None:
    made = api.publish(NAME, '{"type": "object", "minProperties": 1.0, "maximum": 9007199254740993}', **FIRST).json
    got = api.get(f"/schemas/{made['schema_digest']}")
    assert got.text == '{"maximum":9007199254740993,"minProperties":1,"type":"object"}'
    assert got.headers["Cache-Control"].endswith("immutable")
    assert api.get("/schemas/" + "0" * 64).status_code == 404


def test_retiring_is_a_tombstone(each_api: Api) -> None:
    api = each_api
    api.publish(NAME, record(a=STRING), **FIRST)
    api.publish(NAME, record(a=STRING, b=STRING))
    retired = api.post(f"/contracts/{NAME}/versions/1.1.0/retirement", {"reason": "a mistake"}, Deedbox_Actor="bob")
    assert retired.status_code == 201
    assert (retired.json["retired_reason"], retired.json["live"]) == ("a mistake", False)
    again = api.post(f"/contracts/{NAME}/versions/1.1.0/retirement", {"reason": "twice"})
    assert (again.status_code, again.json["retired_reason"]) == (200, "a mistake")
    assert api.get(f"/contracts/{NAME}/versions/latest").json["version"] == "1.0.0"
    assert api.get(f"/contracts/{NAME}/versions/1.1.0").json["retired_at"] is not None
    # The number stays taken: the same change gets the next one.
    assert api.publish(NAME, record(a=STRING, b=STRING, c=STRING)).json["version"] == "1.1.1"
    last = api.get("/events").json["items"][2]
    assert (last["kind"], last["subject"], last["by"]) == ("retirement", f"{NAME}@1.1.0", "bob")
    assert api.post(f"/contracts/{NAME}/versions/7.0.0/retirement", {"reason": "x"}).status_code == 404


def test_if_match_refuses_a_stale_publication_and_says_what_was_missed(each_api: Api) -> None:
    api = each_api
    api.publish(NAME, record(a=STRING), **FIRST)
    seen = api.get(f"/contracts/{NAME}").headers["ETag"]
    api.publish(NAME, record(a=STRING, b=STRING), headers={"Deedbox_Actor": "bob"})
    stale = api.publish(NAME, record(a=STRING, c=STRING), headers={"If_Match": seen})
    assert (stale.status_code, stale.json["code"]) == (412, "precondition-failed")
    assert [(m["version"], m["by"]) for m in stale.json["missed"]] == [("1.1.0", "bob")]
    fresh = api.get(f"/contracts/{NAME}").headers["ETag"]
    wider = record(a=STRING, b=STRING, c=STRING)
    assert api.publish(NAME, wider, headers={"If_Match": fresh}).status_code == 201
    # A repeated request must not fail on what its first try wrote.
    assert api.publish(NAME, wider, headers={"If_Match": fresh}).status_code == 200
    assert api.publish(NAME, record(), headers={"If_Match": "nonsense"}).status_code == 422
    assert api.publish(NAME, record(z=STRING), headers={"If_None_Match": "*"}).status_code == 412


def test_a_client_id_makes_a_repeated_publication_safe(api: Api) -> None:
    uuid = str(uuid4())
    made = api.publish(NAME, record(a=STRING), **FIRST, id=uuid)
    assert made.json["id"] == uuid
    api.publish(NAME, {**record(a=STRING), "title": "later"})
    again = api.publish(NAME, record(a=STRING), id=uuid)
    assert (again.status_code, again.json["version"]) == (200, "1.0.0")
    other = api.publish("other/thing", record(a=STRING), **FIRST, id=uuid)
    assert (other.status_code, other.json["code"]) == (409, "id-taken")
    assert api.publish(NAME, record(), id="no-uuid").status_code == 422


def test_a_contract_keeps_its_role(api: Api) -> None:
    api.publish(NAME, record(a=STRING), **FIRST)
    changed = api.publish(NAME, record(a=STRING), role="produces")
    assert (changed.status_code, changed.json["code"], changed.json["pointer"]) == (422, "identity-changed", "/role")


def test_check_says_what_publishing_would_and_writes_nothing(each_api: Api) -> None:
    api = each_api
    api.publish(NAME, record(a=STRING), **FIRST)
    before = api.get("/events").json
    answer = api.post(
        "/check",
        {
            "contracts": [
                {"contract": NAME, "schema": record(a=STRING, b=STRING), "version": "1.0.1"},
                {"contract": NAME, "schema": record(a=STRING, b=STRING)},
                {"contract": "new/one", "schema": record(a=STRING), "role": "consumes", "kind": "event"},
            ]
        },
    )
    assert answer.status_code == 200
    assert answer.json["allowed"] is False
    assert [(r["allowed"], r["needed"], r["verdict"]) for r in answer.json["results"]] == [
        (False, "1.1.0", "additive"),
        (True, "1.1.0", "additive"),
        (True, "1.0.0", "new"),
    ]
    assert api.get("/events").json == before


def test_numbers_of_witnesses_are_exact(api: Api) -> None:
    big = 9007199254740993
    api.publish(NAME, json.dumps(record(n={"const": big})), role="produces", kind="event")
    answer = api.post("/check", {"contracts": [{"contract": NAME, "schema": record(n={"const": big + 1})}]})
    witness = answer.json["results"][0]["comparison"]["forward"]["witness"]
    assert witness["value"]["n"] == big + 1


@pytest.mark.parametrize("model", ["open", "closed"])
def test_the_content_model_is_asked_for(api: Api, model: str) -> None:
    made = api.publish(NAME, record(a=STRING), **FIRST, content_model=model).json
    assert made["content_model"] == model
    checked = api.post("/check", {"contracts": [{"contract": NAME, "schema": record(a=STRING, b=STRING)}]}).json
    assert checked["results"][0]["comparison"]["content_model"] == model
    # To the letter, an old message may hold anything under the new name.
    assert checked["results"][0]["verdict"] == ("breaking" if model == "open" else "additive")
