"""Reading through the API: lists, validators, caching, the feed, pages, and the OpenAPI document."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.registry.web import bodies, models
from deedbox.registry.web.problems import PROBLEMS

if TYPE_CHECKING:
    from .conftest import Api

STRING = {"type": "string"}
FIRST = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}
NAME = "billing/order-placed"


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_etags_say_when_nothing_changed(each_api: Api) -> None:
    api = each_api
    api.publish(NAME, record(a=STRING), **FIRST)
    for path in ("/contracts", f"/contracts/{NAME}", f"/contracts/{NAME}/versions/latest", "/events", "/services"):
        first = api.get(path)
        assert first.headers["Cache-Control"] == "no-cache"
        again = api.get(path, If_None_Match=first.headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
        weak = api.get(path, If_None_Match=f'"other", W/{first.headers["ETag"]}')
        assert weak.status_code == 304
    seen = api.get(f"/contracts/{NAME}/versions/latest").headers["ETag"]
    api.publish(NAME, {**record(a=STRING), "title": "T"})
    changed = api.get(f"/contracts/{NAME}/versions/latest", If_None_Match=seen)
    assert (changed.status_code, changed.json["version"]) == (200, "1.0.1")


def test_a_remembered_reply_is_that_of_its_own_query(api: Api) -> None:
    for i in range(3):
        api.publish(f"s{i}/x", record(a=STRING), **FIRST)
    assert len(api.get("/contracts").json["items"]) == 3
    assert len(api.get("/contracts?limit=1").json["items"]) == 1
    assert len(api.get("/contracts?service=s1").json["items"]) == 1


def test_another_process_sees_a_write_at_once(api: Api, sandbox: Any, tmp_path: Any) -> None:
    from .conftest import make_api

    other = make_api(f"sqlite:///{tmp_path}/registry.db", sandbox)
    api.publish(NAME, record(a=STRING), **FIRST)
    assert other.get(f"/contracts/{NAME}").json["versions"] == 1
    api.publish(NAME, {**record(a=STRING), "title": "T"})
    assert other.get(f"/contracts/{NAME}").json["versions"] == 2
    other.services.database.close()


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_lists_come_in_pages_without_loss(each_api: Api, limit: int) -> None:
    api = each_api
    for i in range(5):
        api.publish(f"s{i}/x", record(a=STRING), **FIRST)
    for path, key in (("/contracts", "contract"), ("/services", "service"), ("/events", "subject")):
        whole = [item[key] for item in api.get(path).json["items"]]
        assert len(whole) == 5
        got: list[str] = []
        after = None
        while True:
            query = {"limit": limit, **({"after": after} if after else {})}
            page = api.client.get(f"/api/v1{path}", query_string=query).json
            got += [item[key] for item in page["items"]]
            after = page["next"]
            if after is None or not page["items"]:
                break
        assert got == whole


def test_filters_of_contracts(api: Api) -> None:
    api.publish("a/one", record(a=STRING), **FIRST)
    api.publish("b/one", record(a=STRING), role="produces", kind="command", channels=["other"])
    api.publish("b/two", record(a=STRING), role="produces", kind="event", channels=["shop.orders"])

    def found(query: str) -> list[str]:
        return [item["contract"] for item in api.get(f"/contracts?{query}").json["items"]]

    assert found("service=b") == ["b/one", "b/two"]
    assert found("message=one") == ["a/one", "b/one"]
    assert found("channel=shop.orders") == ["a/one", "b/two"]
    assert found("role=produces&kind=event") == ["b/two"]
    assert found("service=none") == []


def test_the_feed_is_the_rows(each_api: Api) -> None:
    api = each_api
    api.publish(NAME, record(a=STRING), **FIRST, headers={"Deedbox_Actor": "ann"})
    api.put("/services/billing", {"owner": "team money"}, Deedbox_Actor="bob")
    api.post(f"/contracts/{NAME}/versions/1.0.0/retirement", {"reason": "r"}, Deedbox_Actor="cy")
    page = api.get("/events").json
    assert [(e["id"], e["by"], e["kind"], e["subject"]) for e in page["items"]] == [
        (1, "ann", "publication", f"{NAME}@1.0.0"),
        (2, "bob", "service", "billing"),
        (3, "cy", "retirement", f"{NAME}@1.0.0"),
    ]
    assert page["next"] == "3"
    empty = api.get("/events?after=3").json
    assert empty == {"items": [], "next": "3"}


def test_services(each_api: Api) -> None:
    api = each_api
    api.publish(NAME, record(a=STRING), **FIRST)
    assert api.get("/services").json["items"][0] == {
        "service": "billing", "owner": "", "description": "", "described_at": None, "by": None,
    }  # fmt: skip
    made = api.put("/services/billing", {"owner": "money", "description": "Bills."})
    assert made.status_code == 201
    assert api.put("/services/billing", {"owner": "money", "description": "Bills."}).status_code == 200
    blind = api.put("/services/billing", {"owner": "others"})
    assert (blind.status_code, blind.json["code"]) == (412, "precondition-failed")
    tag = api.get("/services/billing").headers["ETag"]
    assert api.put("/services/billing", {"owner": "others"}, If_Match=tag).status_code == 200
    assert api.put("/services/billing", {"owner": "third"}, If_Match=tag).status_code == 412
    assert api.get("/services/billing").json["owner"] == "others"
    assert api.put("/services/bad name", {"owner": "x"}).json["code"] == "invalid-name"
    assert api.put("/services/x", {"description": "x"}).json["pointer"] == "/owner"
    assert [e["kind"] for e in api.get("/events").json["items"]] == ["publication", "service", "service"]


def test_comparing_two_versions(api: Api) -> None:
    api.publish(NAME, record(a=STRING), **FIRST)
    api.publish(NAME, {**record(a=STRING), "title": "T"})
    got = api.get(f"/contracts/{NAME}/compare/1.0.0...1.0.1").json
    assert (got["verdict"], got["bump"], got["role"]) == ("patch", "patch", "consumes")
    assert api.get(f"/contracts/{NAME}/compare/1.0.0...latest?role=both&content_model=open").json["role"] == "both"
    assert api.get(f"/contracts/{NAME}/compare/1.0.0...latest?role=none").status_code == 422


def test_the_openapi_document_is_valid_and_whole(api: Api) -> None:
    document = api.get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    names = set(document["components"]["schemas"])
    for reference in re.findall(r'"\$ref": "([^"]*)"', json.dumps(document)):
        assert reference.removeprefix("#/components/schemas/") in names, reference
    routes = {
        (rule.rule, method)
        for rule in api.client.application.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.rule.startswith("/api/v1/") and method in ("GET", "POST", "PUT")
        and not rule.rule.startswith(("/api/v1/contracts/<path:", "/api/v1/openapi.json", "/api/v1/docs"))
    }  # fmt: skip
    told = {
        (re.sub(r"\{(\w+)\}", r"<\1>", path), method.upper())
        for path, item in document["paths"].items()
        for method in item
    }
    assert told == routes
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["summary"]
            declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path)), path
            for status, response in operation["responses"].items():
                assert response["description"], (path, status)


def test_bodies_take_what_the_document_says() -> None:
    fields = {field.alias or name for name, field in models.PublishBody.model_fields.items()}
    assert fields == set(bodies._PROPOSAL_FIELDS)


@pytest.mark.parametrize(
    ("path", "model"),
    [
        (f"/contracts/{NAME}", models.ContractReply),
        (f"/contracts/{NAME}/versions/1.0.0", models.PublicationReply),
        (f"/contracts/{NAME}/versions", models.VersionsPage),
        ("/contracts", models.ContractsPage),
        ("/services", models.ServicesPage),
        ("/services/billing", models.ServiceReply),
        ("/events", models.EventsPage),
        ("/links", models.LinksPage),
        ("/deployments", models.DeploymentsPage),
        (f"/contracts/{NAME}/compare/1.0.0...1.0.1", models.ComparisonReply),
        ("/can-i-deploy?service=billing&environment=prod", models.CanDeployReply),
    ],
)
def test_replies_are_what_the_document_says(api: Api, path: str, model: Any) -> None:
    made = api.publish(NAME, record(a=STRING), **FIRST).json
    models.PublishedReply.model_validate(made, strict=True)
    api.publish("orders/order-placed", record(a=STRING), role="produces", kind="event", channels=["shop.orders"])
    checked = api.post("/check", {"contracts": [{"contract": NAME, "schema": {**record(a=STRING), "title": "T"}}]}).json
    models.ChecksReply.model_validate(checked)
    api.publish(NAME, {**record(a=STRING), "title": "T"})
    reply = api.get(path).json
    assert set(reply) == set(model.model_fields)
    model.model_validate(reply)
    for item in reply.get("items", [])[:1]:
        assert set(item) == set(model.model_fields["items"].annotation.__args__[0].model_fields)


def test_problems_are_explained(api: Api) -> None:
    assert api.client.get("/problems/version-taken").json["status"] == 409
    page = api.client.get("/problems/version-taken", headers={"Accept": "text/html"})
    assert page.content_type.startswith("text/html")
    assert len(api.client.get("/problems/").json["items"]) == len(PROBLEMS)
    assert api.client.get("/problems/nothing").status_code == 404


def test_every_error_has_its_problem() -> None:
    from deedbox.checker import errors as checker_errors
    from deedbox.registry import errors

    own = {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RegistryError)
    }
    # These three never reach a client: they stop a server from starting.
    assert own - {"registry-error", "configuration", "server-failed"} <= set(PROBLEMS)
    documents = {
        kind.code for kind in vars(checker_errors).values()
        if isinstance(kind, type) and issubclass(kind, checker_errors.DocumentError)
    }  # fmt: skip
    assert documents <= set(PROBLEMS)


def test_pages_ask_for_nothing_elsewhere(api: Api) -> None:
    for path in ("/", "/api/v1/docs", "/problems/"):
        page = api.client.get(path, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)", page.text.lower())
        assert not re.search(r"\s(?:on[a-z]+|style)=", page.text.lower())
        assert not re.search(r'(?:src|href)="(?!/|#)', page.text)
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        style = re.search(r'href="(/static/[^"]+)"', page.text)
        assert style is not None
        with api.client.get(style.group(1)) as sheet:
            assert sheet.status_code == 200


def test_health_metrics_and_request_ids(api: Api) -> None:
    assert api.client.get("/livez").json == {"status": "ok"}
    assert api.client.get("/readyz").json == {"status": "ok"}
    assert api.client.get("/health").json["status"] == "ok"
    api.publish(NAME, record(a=STRING), **FIRST)
    api.publish(NAME, {**record(a=STRING), "title": "T"})
    text = api.client.get("/metrics").text
    assert re.search(r'deedbox_requests_total\{method="POST",route="[^"]*/versions",status="201"\} [1-9]', text)
    assert re.search(r'deedbox_comparisons_total\{from="checker"\} [1-9]', text)
    assert api.client.get("/livez", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    assert re.fullmatch(
        r"[0-9a-f]{32}", api.client.get("/livez", headers={"X-Request-Id": "a b"}).headers["X-Request-Id"]
    )
