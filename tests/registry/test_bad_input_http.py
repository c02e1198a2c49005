"""What nobody should send, against the API: each a clear problem, nothing half-written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Api

NAME = "billing/order-placed"
FIRST = {"role": "consumes", "kind": "event", "channels": ["shop.orders"]}


def publication(schema_text: str, **more: Any) -> str:
    """A body with a schema exactly as written."""
    return json.dumps({**FIRST, **more})[:-1] + f', "schema": {schema_text}}}'


def deep(levels: int) -> str:
    return '{"not":' * levels + "{}" + "}" * levels


SCHEMAS = [
    # text of the schema in the body, code, pointer or None, line or None
    ("[]", "not-a-schema", "", 1),
    ("3", "not-a-schema", "", 1),
    ('"just text"', "not-a-schema", "", 1),
    ('{"type": "strin"}', "not-a-schema", "/type", 1),
    ('{"properties": {\n"a": {"minLength": -1}}}', "not-a-schema", "/properties/a/minLength", 2),
    ('{"$schema": "https://example.com/my-draft"}', "unknown-dialect", "/$schema", 1),
    ('{"properties": {"a": {"$ref": "#/$defs/none"}}}', "unresolved-reference", "/properties/a", 1),
    ('{"$ref": "https://example.com/other.json"}', "unresolved-reference", "", 1),
    ('{"$ref": "file:///etc/passwd"}', "unresolved-reference", "", 1),
    ('{"title": "a", "title": "b"}', "duplicate-key", "/title", 1),
    ('{"properties": {"a": {}, "b": {}, "a": true}}', "duplicate-key", "/properties/a", 1),
    ('{"const": "\\ud800"}', "not-json", "/const", None),
    ('{"properties": {"\\udfff": {}}}', "not-json", None, None),
    ('{"const": NaN}', "not-json", "/const", 1),
    ('{"maximum": Infinity}', "not-json", "/maximum", 1),
    ('{"maximum": 1e999999999}', "not-json", "/maximum", 1),
    ('{"maximum": ' + "9" * 5000 + "}", "not-json", "/maximum", 1),
    (json.dumps("a: 1\na: 2\n"), "duplicate-key", "/a", 2),
    (json.dumps("a: [1, 2\nb: 3"), "syntax-invalid", None, 2),
    (json.dumps('{"type": "object",}'), "syntax-invalid", None, 1),
    (json.dumps("{\n'type': 'object'}\n"), "syntax-invalid", None, 2),
    (json.dumps(""), "syntax-invalid", None, 1),
    (deep(10_000), "too-large", None, None),
    (json.dumps(deep(10_000)), "too-large", None, None),
    (deep(300), "too-large", None, None),
]


@pytest.mark.parametrize(("schema", "code", "pointer", "line"), SCHEMAS)
def test_documents_of_no_use(api: Api, schema: str, code: str, pointer: str | None, line: int | None) -> None:
    answer = api.post(f"/contracts/{NAME}/versions", publication(schema))
    assert answer.status_code == 422, answer.text[:500]
    assert answer.content_type == "application/problem+json"
    problem = answer.json
    assert problem["code"] == code, problem
    assert problem["type"] == f"/problems/{code}"
    if pointer is not None:
        assert problem.get("pointer") == pointer, problem
    if line is not None:
        assert problem.get("line") == line, problem
    assert len(answer.text) < 2000
    assert api.get("/events").json["items"] == []
    # The same through check.
    checked = api.post("/check", publication(schema, contract=NAME).join(('{"contracts": [', "]}")))
    assert (checked.status_code, checked.json["code"]) == (422, code)


BODIES = [
    (b"", 400, "body-not-json"),
    (b"   ", 400, "body-not-json"),
    (b"nonsense", 400, "body-not-json"),
    (b"{", 400, "body-not-json"),
    (b'{"schema": {}', 400, "body-not-json"),
    (b'{"schema": {}} x', 400, "body-not-json"),
    (b'{"schema": {},}', 400, "body-not-json"),
    (b"{'schema': {}}", 400, "body-not-json"),
    (b'{"schema" {}}', 400, "body-not-json"),
    (b'{"schema": {}, "role\n": 1}', 400, "body-not-json"),
    (b'\xff\xfe{"schema": {}}', 400, "body-not-json"),
    (b"[]", 422, "invalid-request"),
    (b"3", 422, "invalid-request"),
    (b"{}", 422, "invalid-request"),
    (b'{"schema": null}', 422, "invalid-request"),
    (b'{"schema": {}, "schema": {}}', 422, "invalid-request"),
    (b'{"schema": {}, "r\\u00f4le": "consumes"}', 422, "invalid-request"),
    (b'{"schema": {}}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "reads", "kind": "event"}', 422, "invalid-request"),
    (b'{"schema": {}, "role": 3, "kind": "event"}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "party"}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "version": "1"}', 422, "invalid-version"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "version": "v1.0.0"}', 422, "invalid-version"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "version": "latest"}', 422, "invalid-version"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "version": "01.0.0"}', 422, "invalid-version"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "version": 1.0}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "version": "\\u0661.0.0"}', 422, "invalid-version"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "channels": "shop"}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "channels": ["a b"]}', 422, "invalid-name"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "channels": ["\\ud800"]}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "groups": ["\\u0000"]}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "of": "order"}', 422, "invalid-name"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "content_model": "shut"}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "format": "cobol"}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "dialect": "draft5"}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "id": "7"}', 422, "invalid-request"),
    (b'{"schema": {}, "role": "consumes", "kind": "event", "accepted": [{}]}', 422, "invalid-request"),
    (
        b'{"schema": {}, "role": "consumes", "kind": "event", "accepted": [{"fingerprint": "x", "until": "soon"}]}',
        422,
        "invalid-request",
    ),
    (b'{"schema": "a\\u0000b", "role": "consumes", "kind": "event"}', 422, None),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES)
def test_bodies_of_no_use(api: Api, body: bytes, status: int, code: str | None) -> None:
    answer = api.post(f"/contracts/{NAME}/versions", body)
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    if code is not None:
        assert answer.json["code"] == code, answer.json
    if status == 400 and body.strip() and body[0] != 0xFF:
        assert answer.json["line"] >= 1
    assert api.get("/events").json["items"] == []


def test_a_misspelt_field_is_told_the_right_one(api: Api) -> None:
    answer = api.post(f"/contracts/{NAME}/versions", {"schema": {}, "chanels": []}).json
    assert "did you mean 'channels'?" in answer["detail"]
    assert answer["pointer"] == "/chanels"


@pytest.mark.parametrize(
    "path",
    [
        "/contracts/bil%20ling/order/versions",
        "/contracts/billing/or%20der/versions",
        "/contracts/billing/a/b/versions",
        "/contracts/billing/a%2Fb/versions",
        "/contracts/-x/order/versions",
        "/contracts/billing/%C3%A9/versions",
        "/contracts/billing/" + "n" * 101 + "/versions",
        "/contracts/billing/a%00b/versions",
        "/contracts/billing/%2e%2e/versions",
    ],
)
def test_names_of_no_use(api: Api, path: str) -> None:
    answer = api.post(path, {"schema": {}, **FIRST})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid-name"), answer.text
    assert answer.json["allowed"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nothing", 404, "not-found"),
        ("/contracts/a/b", 404, "not-found"),
        ("/contracts/a/b/versions", 404, "not-found"),
        ("/contracts/a/b/versions/1.0.0", 404, "not-found"),
        ("/contracts/a/b/versions/latest/schema", 404, "not-found"),
        ("/contracts/a/b/nothing", 422, "invalid-name"),
        ("/contracts/a/b/compare/1.0.0", 404, "not-found"),
        ("/contracts/a/b/compare/1.0.0...2.0.0", 404, "not-found"),
        ("/contracts?limit=0", 422, "invalid-request"),
        ("/contracts?limit=1001", 422, "invalid-request"),
        ("/contracts?limit=x", 422, "invalid-request"),
        ("/events?after=x", 400, "invalid-cursor"),
        ("/events?after=-1", 400, "invalid-cursor"),
        ("/events?after=" + "9" * 40, 400, "invalid-cursor"),
        ("/links?status=maybe", 422, "invalid-request"),
        ("/links?contract=x", 422, "invalid-name"),
        ("/links?contract=x/y", 404, "not-found"),
        ("/can-i-deploy", 422, "invalid-request"),
        ("/can-i-deploy?service=x&environment=prod", 404, "not-found"),
        ("/can-i-deploy?service=x&environment=prod&contracts=y", 422, "invalid-request"),
        ("/services/x", 404, "not-found"),
        ("/services/%00", 422, "invalid-name"),
    ],
)
def test_paths_and_parameters_of_no_use(each_api: Api, path: str, status: int, code: str) -> None:
    answer = each_api.get(path)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.content_type == "application/problem+json"


def test_a_wrong_method_says_which_there_are(api: Api) -> None:
    answer = api.put(f"/contracts/{NAME}/versions/1.0.0", {})
    assert (answer.status_code, answer.json["code"]) == (405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]


def test_no_such_version_and_no_version_at_all(api: Api) -> None:
    api.publish(NAME, {}, **FIRST)
    assert api.get(f"/contracts/{NAME}/versions/1.0.1").status_code == 404
    answer = api.get(f"/contracts/{NAME}/versions/newest")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid-version")
    compared = api.get(f"/contracts/{NAME}/compare/1.0.0...9.9.9")
    assert compared.status_code == 404


def test_a_5_mb_schema_is_published(api: Api) -> None:
    schema = json.dumps({"type": "object", "description": "x" * 5_000_000})
    answer = api.post(f"/contracts/{NAME}/versions", publication(schema))
    assert answer.status_code == 201, answer.text[:300]
    assert len(api.get(f"/contracts/{NAME}/versions/1.0.0/schema").data) == len(schema)


def test_a_body_over_the_limit_is_413(tmp_path: Any, sandbox: Any) -> None:
    from .conftest import make_api

    api = make_api(f"sqlite:///{tmp_path}/r.db", sandbox, max_body_bytes=2000)
    answer = api.post(f"/contracts/{NAME}/versions", publication('{"title": "' + "x" * 3000 + '"}'))
    assert (answer.status_code, answer.json["code"]) == (413, "body-too-large")
    assert "2000" in answer.json["detail"]
    assert api.publish(NAME, {}, **FIRST).status_code == 201
    api.services.database.close()


def test_an_actor_is_made_printable_and_short(api: Api) -> None:
    made = api.publish(NAME, {}, **FIRST, headers={"Deedbox_Actor": "x\tý" * 300})
    assert made.status_code == 201
    assert len(made.json["by"]) <= 200
    assert made.json["by"].isprintable()


@pytest.mark.parametrize("kind", ["faulty", "away"])
def test_failures_of_the_server_are_problems_too(api: Api, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("secret")

    if kind == "faulty":
        monkeypatch.setattr(api.services.catalogue, "contract", fail)
        answer = api.get(f"/contracts/{NAME}")
        assert (answer.status_code, answer.json["code"]) == (500, "internal")
        assert "secret" not in answer.text
    else:
        from deedbox.registry.storage.database import Database

        away = Database("sqlite:////no/such/folder/x.db", 1)
        monkeypatch.setattr(api.services.database, "engine", away.engine)
        monkeypatch.setattr(api.services.database, "_writing", away._writing)
        monkeypatch.setattr(api.services.database, "_generation", away._generation)
        for answer in (api.get(f"/contracts/{NAME}"), api.publish(NAME, {}, **FIRST), api.get("/events")):
            assert (answer.status_code, answer.json["code"]) == (503, "storage-unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        assert api.client.get("/livez").status_code == 200
        assert api.client.get("/readyz").status_code == 503
        assert api.client.get("/health").status_code == 503


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"package_style": "attrs"}, "/package_style"),
        ({"package_style": 1}, "/package_style"),
        ({"package_open_enums": "yes"}, "/package_open_enums"),
    ],
)
def test_a_package_that_is_not_wanted_in_words(api: Api, fields: dict[str, Any], pointer: str) -> None:
    answer = api.publish(NAME, {}, **FIRST, package="billing-order-placed", **fields)
    assert answer.status_code == 422
    assert answer.json["pointer"] == pointer
    assert api.get(f"/contracts/{NAME}").status_code == 404
