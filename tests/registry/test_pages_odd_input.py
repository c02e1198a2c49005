"""Pages of what people do not usually write: names of every kind, schemas of every shape, addresses a little off."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from deedbox.registry.web.pages import words

from tests.registry.conftest import STRING, Api, record

HTML = {"Accept": "text/html"}
SENT = {"role": "produces", "kind": "event", "channels": ["odd"]}
SCRIPT = "<script>alert(1)</script>"
NAMES = (
    "__proto__", "constructor", SCRIPT, "", " ", "a/b", "a~b", "~1", "~0", "a%2Fb", "%2e%2e", "..", ".", "שלום",
    "\u202eRTL", 'q"uote', "a#b", "a?b", "a&b", "nul\0", "tab\t", "new\nline", "{{7*7}}", "[]", "{}", "[0]", "*", "a.b",
    "e\u0301", "😀", "x" * 600, "compare", "x.json", "javascript:alert(1)",
)  # fmt: skip
ODD: dict[str, Any] = {
    "type": "object",
    "title": SCRIPT,
    "description": "Ünï " * 125,
    "properties": {
        **dict.fromkeys(NAMES, STRING),
        "told": {"description": "\u202eevil \u2066x", "examples": [9007199254740993, f"</pre>{SCRIPT}"]},
        "tuple": {"prefixItems": [STRING, {"properties": {"in/side": STRING}}], "items": False},
        "pattern": {
            "patternProperties": {"^x-(a|b)/": {"type": "integer"}, "<b>": STRING},
            "additionalProperties": STRING,
        },
        "anything": True,
        "nothing": False,
        "node": {"$ref": "#/$defs/node"},
        "one": {"oneOf": [{"$ref": "#/$defs/cat"}, {"$ref": "#/$defs/dog"}], "discriminator": {"propertyName": "kind"}},
        "all": {"allOf": [{"$ref": "#/$defs/cat"}, {"properties": {"extra": STRING}}]},
        "large": {"type": "integer", "maximum": 10**30},
        "listed": {"enum": [None, 1.0, "<i>", {"a": [1]}], "default": {"x": "<b>"}},
        "case": {"if": {"properties": {"k": {"const": 1}}}, "then": {"properties": {"z": STRING}}, "else": False},
    },
    "required": ["__proto__", "", "a/b"],
    "$defs": {
        "node": {"properties": {"next": {"$ref": "#/$defs/node"}, "kids": {"items": {"$ref": "#/$defs/node"}}}},
        "cat": {"properties": {"kind": {"const": "cat"}}, "required": ["kind"]},
        "dog": {"properties": {"kind": {"const": "dog"}}, "required": ["kind"]},
    },
}


def published(api: Api, contract: str, schema: Any, **body: Any) -> None:
    answer = api.publish(contract, json.dumps(schema), **{**SENT, **body})
    assert answer.status_code == 201, answer.text


def links(page: Any, address: str) -> set[str]:
    """Where a page leads, as a browser reads its addresses."""
    return {urldefrag(urljoin(address, html.unescape(h)))[0] for h in re.findall(r'href="([^"]+)"', page.text)}


def test_every_page_and_twin_of_an_odd_contract_is_there(api: Api) -> None:
    published(api, "odd/msg", ODD)
    published(api, "reader/msg", ODD, role="consumes")
    published(api, "odd/msg", {**ODD, "properties": {**ODD["properties"], "new": STRING}})
    seen: set[str] = set()
    pending = {"/contracts/odd/msg", "/contracts/odd/msg/compare/1.0.0...1.1.0"}
    while pending:
        address = pending.pop()
        seen.add(address)
        page = api.client.get(address, headers=HTML)
        assert page.status_code == 200, address
        assert "<script>alert" not in page.text or page.mimetype == "application/json", address
        if "/fields" not in address:  # pages of fields lead to what is there already, and to their twins
            pending |= {a for a in links(page, address) if a.startswith("/contracts/odd/msg")} - seen
        else:
            twin = re.findall(r'rel="alternate" type="application/json" href="([^"]+)"', page.text)
            assert api.client.get(html.unescape(twin[0])).status_code == 200, twin
    assert sum("/fields" in address for address in seen) >= len(ODD["properties"])


def test_each_field_is_found_by_its_address_and_its_anchor(api: Api) -> None:
    published(api, "odd/msg", record(**dict.fromkeys(NAMES, STRING)))
    page = api.client.get("/contracts/odd/msg", headers=HTML).text
    ids = {html.unescape(found) for found in re.findall(r'<tr id="([^"]*)"', page)}
    for name in NAMES:
        pointer = "/properties/" + name.replace("~", "~0").replace("/", "~1")
        assert pointer in ids
        assert html.escape(words.anchor(pointer)) in page
        assert unquote(words.anchor(pointer)) == f"#{pointer}"
        field = api.client.get(urljoin("/", words.field_url("odd/msg", pointer)).replace("/fields?", "/fields.json?"))
        data = field.json if field.is_json else None
        if data is None:
            data = api.client.get(words.field_url("odd/msg", pointer) + ".json").json
        assert data["field"]["pointer"] == pointer


@pytest.mark.parametrize(
    "schema",
    [
        True,
        False,
        {},
        {"type": "object"},
        {"properties": {}},
        {"$ref": "#"},
        {"items": [STRING, STRING], "$schema": "http://json-schema.org/draft-07/schema#"},
        json.loads('{"properties":{"a":' * 40 + "{}" + "}}" * 40),
    ],
    ids=str,
)
def test_schemas_of_every_shape_have_a_page(api: Api, schema: Any) -> None:
    published(api, "shape/compare", schema)
    published(api, "shape/versions", schema, role="consumes", of="shape/compare")
    addresses = ("/contracts/shape/compare", "/contracts/shape/versions", "/fits/shape/compare", "/search?q=a", "/")
    for address in addresses:
        assert api.client.get(address, headers=HTML).status_code == 200, address


def test_an_address_that_is_a_little_off_leads_on(api: Api) -> None:
    published(api, "orders/order-placed", record(id=STRING))
    for address, meant in (
        ("/contracts/", "/contracts"),
        ("/contracts/orders/order-placed/", "/contracts/orders/order-placed"),
        ("/search/?q=a", "/search?q=a"),
        ("/contracts/orders", "/services/orders"),
    ):
        answer = api.client.get(address, headers=HTML)
        assert (answer.status_code in (302, 308), answer.headers.get("Location")) == (True, meant)
    near = api.client.get("/contracts/orders/order-plcaed", headers=HTML)
    assert near.status_code == 404
    assert "near it: orders/order-placed" in near.text
    assert 'href="/search?q=order-plcaed"' in near.text
    assert "near it" in api.client.get("/contracts/orders/order-plcaed.json").json["detail"]
    assert api.client.get("/contracts/orders/order-placed/fields/properties/id/", headers=HTML).status_code == 404


def test_the_life_of_a_field_that_is_written_here_and_then_there(api: Api) -> None:
    def with_ref(target: dict[str, Any]) -> dict[str, Any]:
        return {**record(a={"$ref": "#/$defs/a"}, b=STRING), "$defs": {"a": target}}

    plain = record(a={**STRING, "minLength": 1}, b=STRING)
    for major, schema in enumerate(
        (
            record(b=STRING),
            record(a=STRING, b=STRING),
            plain,
            {**plain, "title": "Nothing about it"},
            {**plain, "required": ["a"]},
            {**with_ref({**STRING, "minLength": 1}), "required": ["a"]},
            with_ref({**STRING, "minLength": 2}),
            with_ref({**STRING, "minLength": 2, "deprecated": True}),
            record(b=STRING),
        ),
        1,
    ):
        published(api, "odd/life", schema, version=f"{major}.0.0")
    events = api.client.get("/contracts/odd/life/fields.json?pointer=/properties/a").json["events"]
    assert [(e["kind"], e["detail"]) for e in events] == [
        ("added", "string, optional"),
        ("changed", "constraints: nothing → at least 1 character"),
        ("changed", "presence: optional → required"),
        ("changed", "presence: required → optional"),
        ("changed", "constraints: at least 1 character → at least 2 characters"),
        ("obsolete", ""),
        ("removed", ""),
    ]


def test_what_a_removal_breaks_is_worked_out_of_a_large_schema_when_asked(api: Api) -> None:
    published(api, "wide/event", record(**{f"field_{n}": {**STRING, "description": "x" * 40} for n in range(600)}))
    address = "/contracts/wide/event/fields/properties/field_3"
    page = api.client.get(address, headers=HTML)
    assert '<a href="?without=1#goes"' in page.text
    assert api.client.get(f"{address}.json").json["without"] is None
    asked = api.client.get(f"{address}.json?without=1").json
    assert (asked["later"], asked["without"]["bump"]) == (False, "major")


def test_facts_lead_to_what_they_are_about() -> None:
    for subject, kind, where in (
        ("orders/order-placed@1.0.0+a", "release", "/contracts/orders/order-placed/versions/1.0.0%2Ba"),
        ("orders-order-placed-v1==1.2.1", "package", "/packages#orders-order-placed-v1"),
        (
            "orders/order-placed#/a~1b/%",
            "drain-evidence",
            "/drains?contract=orders/order-placed#orders/order-placed/a~1b/%25",
        ),
        ("payments@2.0.0", "deployment", "/services/payments"),
        ("whatever", "bundle", ""),
    ):
        assert words.entry_url(subject, kind) == where


def test_comparing_odd_pairs(api: Api) -> None:
    published(api, "orders/order-placed", record(id=STRING))
    published(api, "orders/order-placed", record(id=STRING, note=STRING))
    published(api, "orders/order-placed", record(id=STRING, note=STRING, more=STRING), version="1.2.0-rc.1+b.7")
    page = "/contracts/orders/order-placed/compare"
    for pair, status in (
        ("1.0.0...1.0.0", 200), ("1.1.0...1.0.0", 200), ("1.1.0...1.2.0-rc.1+b.7", 200), ("1.0.0...latest", 200),
        ("1.0.0...9.9.9", 404), ("x...y", 422), ("1.0.0..1.1.0", 404), (f"{SCRIPT}...1.0.0", 404),
    ):  # fmt: skip
        assert api.client.get(f"{page}/{pair}", headers=HTML).status_code == status, pair
    chosen = api.client.get(f"{page}?old={SCRIPT}&new=//elsewhere.example/", headers=HTML)
    assert chosen.headers["Location"].startswith(f"{page}/%3Cscript%3E")
    assert api.client.get(f"{page}/1.0.0...1.0.0.json").json["verdict"] == "identical"


def test_head_and_validators(api: Api) -> None:
    published(api, "orders/order-placed", record(id=STRING))
    for address in ("/", "/contracts/orders/order-placed", "/map", "/drains", "/badges/orders/order-placed.svg"):
        whole = api.client.get(address, headers=HTML)
        head = api.client.head(address, headers=HTML)
        assert (head.status_code, head.data) == (200, b""), address
        assert head.headers["ETag"] == whole.headers["ETag"], address
        for tag in (whole.headers["ETag"], f'"x", W/{whole.headers["ETag"]}'):
            assert api.client.get(address, headers={**HTML, "If-None-Match": tag}).status_code == 304, address
    assert api.client.get("/search?q=" + "x" * 10_000, headers=HTML).status_code == 200


def test_an_api_of_five_hundred_operations_is_shown_in_parts(api: Api) -> None:
    thing = {"type": "object", "properties": dict.fromkeys("abcdef", STRING)}
    answer = {
        "200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/T"}}}}
    }
    paths = {f"/things{n}": {"get": {"responses": answer}, "delete": {"responses": answer}} for n in range(250)}
    document = {"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": paths}
    published(
        api,
        "things/api",
        {**document, "components": {"schemas": {"T": thing}}},
        role="provides",
        kind="api",
        channels=[],
    )
    first = api.client.get("/contracts/things/api", headers=HTML)
    assert len(first.data) < 1_000_000
    parts = [api.client.get(f"/contracts/things/api.json?part={n}").json for n in (1, 2, 3)]
    assert [part["parts"] for part in parts] == [3, 3, 3]
    rows = [f["pointer"] for part in parts for section in part["sections"] for f in section["fields"]]
    assert len(rows) == len(set(rows)) == 500 * 6
    assert '<a href="?part=3#fields">3</a>' in first.text
    assert api.client.get("/contracts/things/api.json?part=99").json["part"] == 3
