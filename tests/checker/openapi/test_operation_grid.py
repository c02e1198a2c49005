"""Every kind of change around the schemas, both ways: what the field calls breaking, and what it does not.

A row has what one operation (or document) says before and after, and two letters: the change, and the change back. B
breaks, A is compatible and changes something, P changes nothing that a message shows.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from deedbox.checker import compare

STRING: dict[str, Any] = {"schema": {"type": "string"}}
THINGS: dict[str, Any] = {"schema": {"type": "array", "items": {"type": "string"}}}
OBJECT: dict[str, Any] = {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}}
DONE: dict[str, Any] = {"200": {"description": "Done."}}
KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
FLOW = {"authorizationUrl": "https://x.example/a", "tokenUrl": "https://x.example/t", "scopes": {"r": "", "w": ""}}
OAUTH = {"type": "oauth2", "flows": {"authorizationCode": FLOW}}


def operation(**more: Any) -> dict[str, Any]:
    """A document with one operation."""
    return whole({"/p": {"post": {"responses": DONE} | more}})


def whole(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths} | more


def parameter(within: str = "query", content: dict[str, Any] = STRING, **more: Any) -> dict[str, Any]:
    return operation(parameters=[{"name": "q", "in": within} | content | more])


def path_parameter(content: dict[str, Any] = STRING, **more: Any) -> dict[str, Any]:
    one = {"name": "q", "in": "path", "required": True} | content | more
    return whole({"/p/{q}": {"get": {"parameters": [one], "responses": DONE}}})


def body(*media: str, of: dict[str, Any] = OBJECT, **more: Any) -> dict[str, Any]:
    return operation(requestBody={"content": dict.fromkeys(media or ("application/json",), of)} | more)


def answers(**by_status: Any) -> dict[str, Any]:
    return operation(responses={k.strip("_"): {"description": "It is so."} | v for k, v in by_status.items()})


def media(*names: str, of: dict[str, Any] = OBJECT) -> dict[str, Any]:
    return {"content": dict.fromkeys(names, of)}


def header(name: str = "X-Q", content: dict[str, Any] = STRING, **more: Any) -> dict[str, Any]:
    return answers(_200={"headers": {name: content | more}})


def secured(*requirements: dict[str, Any], schemes: dict[str, Any] | None = None) -> dict[str, Any]:
    held = {"key": KEY, "token": {"type": "http", "scheme": "bearer"}, "oauth": OAUTH} | (schemes or {})
    return operation(security=list(requirements)) | {"components": {"securitySchemes": held}}


def linked(**link: Any) -> dict[str, Any]:
    return answers(_200={"links": {"l": link}} if link else {})


def served(*urls: str) -> dict[str, Any]:
    return operation() | ({"servers": [{"url": url} for url in urls]} if urls else {})


def called_back(**more: Any) -> dict[str, Any]:
    return operation(callbacks={"c": {"{$request.body#/url}": {"post": {"responses": DONE} | more}}})


def hooked(**more: Any) -> dict[str, Any]:
    return operation() | {"webhooks": {"w": {"post": {"responses": DONE} | more}}}


def form(encoding: dict[str, Any]) -> dict[str, Any]:
    of = {"schema": {"type": "object", "properties": {"a": THINGS["schema"]}}}
    return body("multipart/form-data", of=of | ({"encoding": {"a": encoding}} if encoding else {}))


def moved(document: dict[str, Any], path: str) -> dict[str, Any]:
    made = copy.deepcopy(document)
    made["paths"] = {path: next(iter(made["paths"].values()))}
    return made


def with_method(*methods: str) -> dict[str, Any]:
    return whole({"/p": {m: {"responses": DONE} for m in methods}})


ROWS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    # Paths and operations
    ("path", with_method("get"), whole({"/p": {"get": {"responses": DONE}}, "/q": {"get": {"responses": DONE}}}), "AB"),
    ("method", with_method("get"), with_method("get", "post"), "AB"),
    ("method-changed", with_method("get"), with_method("post"), "BB"),
    ("path-renamed", operation(), moved(operation(), "/other"), "BB"),
    ("path-slash", operation(), moved(operation(), "/p/"), "PP"),
    ("path-variable-renamed", path_parameter(), moved(whole({"/p/{z}": {"get": {"parameters": [
        {"name": "z", "in": "path", "required": True} | STRING], "responses": DONE}}}), "/p/{z}"), "PP"),
    ("path-variable-added", with_method("get"), path_parameter(), "BB"),
    ("empty-path", with_method("get"), whole({"/p": {"get": {"responses": DONE}}, "/q": {}}), "PP"),
    ("operation-id", operation(operationId="a"), operation(operationId="b"), "AA"),
    ("operation-id-added", operation(), operation(operationId="b"), "AA"),
    ("tags", operation(tags=["a"]), operation(tags=["b"]), "PP"),
    ("summary", operation(summary="a"), operation(summary="b"), "PP"),
    ("extension", operation(), operation(**{"x-internal": True}), "PP"),
    ("deprecated", operation(), operation(deprecated=True), "AA"),
    ("sunset", operation(deprecated=True), operation(deprecated=True, **{"x-sunset": "2027-01-01"}), "AA"),
    ("sunset-later", operation(deprecated=True, **{"x-sunset": "2027-01-01"}),
     operation(deprecated=True, **{"x-sunset": "2027-06-01"}), "AB"),
    ("info", operation(), operation() | {"info": {"title": "other", "version": "9"}}, "PP"),
    ("document-tags", operation(), operation() | {"tags": [{"name": "a"}]}, "PP"),
    ("unused-component", operation(), operation() | {"components": {"schemas": {"T": {"type": "string"}}}}, "PP"),
    # Parameters
    *(row for within in ("query", "header", "cookie") for row in (
        (f"{within}-added", operation(), parameter(within), "AB"),
        (f"{within}-required-added", operation(), parameter(within, required=True), "BB"),
        (f"{within}-required", parameter(within), parameter(within, required=True), "BA"),
        (f"{within}-required-false", parameter(within), parameter(within, required=False), "PP"),
        (f"{within}-renamed", parameter(within), operation(parameters=[{"name": "z", "in": within} | STRING]), "BB"),
        (f"{within}-deprecated", parameter(within), parameter(within, deprecated=True), "AA"),
        (f"{within}-described", parameter(within), parameter(within, description="x"), "PP"),
        (f"{within}-example", parameter(within), parameter(within, example="x"), "PP"),
        (f"{within}-explode", parameter(within, THINGS, explode=True), parameter(within, THINGS, explode=False), "BB"),
        (f"{within}-explode-plain", parameter(within, explode=True), parameter(within, explode=False), "PP"),
        (f"{within}-content", parameter(within), parameter(within, {"content": {"application/json": STRING}}), "BB"),
        (f"{within}-content-type", parameter(within, {"content": {"application/json": STRING}}),
         parameter(within, {"content": {"application/xml": STRING}}), "BB"),
    )),
    ("parameter-moved", parameter("query"), parameter("header"), "BB"),
    ("header-case", parameter("header"), operation(parameters=[{"name": "Q", "in": "header"} | STRING]), "PP"),
    ("query-case", parameter("query"), operation(parameters=[{"name": "Q", "in": "query"} | STRING]), "BB"),
    ("header-accept", operation(), operation(parameters=[{"name": "Accept", "in": "header"} | STRING]), "PP"),
    ("query-style", parameter("query", THINGS, explode=False), parameter("query", THINGS, style="pipeDelimited"), "BB"),
    ("query-style-default", parameter("query", THINGS), parameter("query", THINGS, style="form", explode=True), "PP"),
    ("query-deep", parameter("query", OBJECT), parameter("query", OBJECT, style="deepObject"), "BB"),
    ("path-style", path_parameter(), path_parameter(style="label"), "BB"),
    ("path-style-default", path_parameter(), path_parameter(style="simple", explode=False), "PP"),
    ("allow-reserved", parameter(), parameter(allowReserved=True), "AB"),
    ("allow-empty", parameter(), parameter(allowEmptyValue=True), "AB"),
    ("parameter-shared", parameter(), whole({"/p": {
        "parameters": [{"name": "q", "in": "query"} | STRING], "post": {"responses": DONE}}}), "PP"),
    # Request bodies
    ("body-added", operation(), body(), "AB"),
    ("body-required-added", operation(), body(required=True), "BB"),
    ("body-required", body(), body(required=True), "BA"),
    ("body-described", body(), body(description="x"), "PP"),
    ("body-media", body(), body("application/json", "application/xml"), "AB"),
    ("body-media-changed", body(), body("application/xml"), "BB"),
    ("body-media-widened", body(), body("application/*"), "AB"),
    ("body-media-case", body(), body("Application/JSON"), "PP"),
    ("body-media-charset", body(), body("application/json; charset=utf-8"), "PP"),
    ("body-schema-added", body(of={}), body(), "BA"),
    ("body-version", body("application/vnd.x.v1+json"), body("application/vnd.x.v2+json"), "BB"),
    ("part-content-type", form({"contentType": "text/plain"}), form({"contentType": "application/json"}), "BB"),
    ("part-style", form({"style": "form", "explode": True}), form({"style": "form", "explode": False}), "BB"),
    ("part-style-default", form({}), form({"style": "form", "explode": True}), "PP"),
    # Responses
    ("status-added", operation(), answers(_200={}, _201={}), "AB"),
    ("error-added", operation(), answers(_200={}, _404={}), "AA"),
    ("default-added", operation(), answers(_200={}, default={}), "AA"),
    ("status-changed", answers(_200={}), answers(_201={}), "BB"),
    ("error-changed", answers(_200={}, _404={}), answers(_200={}, _410={}), "AA"),
    ("status-ranged", answers(_200=media("application/json")), answers(_2XX=media("application/json")), "AA"),
    ("answer-described", answers(_200={}), operation(responses={"200": {"description": "Other."}}), "PP"),
    ("answer-media", answers(_200=media("a/b")), answers(_200=media("a/b", "a/c")), "AB"),
    ("answer-media-changed", answers(_200=media("a/b")), answers(_200=media("a/c")), "BB"),
    ("answer-content-added", answers(_200={}), answers(_200=media("a/b")), "AB"),
    ("answer-schema-added", answers(_200=media("application/json", of={})), answers(_200=media("application/json")), "AB"),
    ("error-body-removed", answers(_200={}, _404=media("a/b")), answers(_200={}, _404={}), "BA"),
    ("answer-header", answers(_200={}), header(), "AB"),
    ("answer-header-required", header(), header(required=True), "AB"),
    ("answer-header-renamed", header(), header("X-Z"), "BB"),
    ("answer-header-case", header(), header("x-q"), "PP"),
    ("answer-header-deprecated", header(), header(deprecated=True), "AA"),
    ("answer-header-explode", header(content=OBJECT), header(content=OBJECT, explode=True), "BB"),
    ("answer-header-content-type", answers(_200={}), header("Content-Type"), "PP"),
    ("link", linked(), linked(operationId="x"), "AA"),
    ("link-other", linked(operationId="x"), linked(operationId="y"), "AA"),
    ("link-parameters", linked(operationId="x"), linked(operationId="x", parameters={"a": "$response.body#/a"}), "AA"),
    # Callbacks and webhooks: the API sends the request there
    ("callback", operation(), called_back(), "AB"),
    ("callback-body", called_back(), called_back(requestBody=media("application/json")), "AB"),
    ("callback-body-required", called_back(requestBody=media("application/json")),
     called_back(requestBody=media("application/json") | {"required": True}), "AB"),
    ("callback-media", called_back(requestBody=media("a/b")), called_back(requestBody=media("a/b", "a/c")), "BA"),
    ("callback-answer-removed", called_back(), called_back(responses={"204": {"description": "No."}}), "BB"),
    ("webhook", operation(), hooked(), "AB"),
    ("webhook-method", hooked(), operation() | {"webhooks": {"w": {"put": {"responses": DONE}}}}, "BB"),
    ("webhook-parameter", hooked(), hooked(parameters=[{"name": "q", "in": "header"} | STRING]), "AB"),
    ("webhook-parameter-required", hooked(parameters=[{"name": "q", "in": "header"} | STRING]),
     hooked(parameters=[{"name": "q", "in": "header", "required": True} | STRING]), "AB"),
    # Security
    ("security", operation(), secured({"key": []}), "BB"),
    ("security-optional", secured({"key": []}), secured({"key": []}, {}), "AB"),
    ("security-alternative", secured({"key": []}), secured({"key": []}, {"token": []}), "AB"),
    ("security-changed", secured({"key": []}), secured({"token": []}), "BB"),
    ("security-both", secured({"key": []}), secured({"key": [], "token": []}), "BB"),
    ("security-order", secured({"key": []}, {"token": []}), secured({"token": []}, {"key": []}), "PP"),
    ("scope", secured({"oauth": ["r"]}), secured({"oauth": ["r", "w"]}), "BB"),
    ("scope-changed", secured({"oauth": ["r"]}), secured({"oauth": ["w"]}), "BB"),
    ("scheme-name", secured({"key": []}), secured({"key": []}, schemes={"key": KEY | {"name": "X-Other"}}), "BB"),
    ("scheme-in", secured({"key": []}), secured({"key": []}, schemes={"key": KEY | {"in": "query"}}), "BB"),
    ("scheme-type", secured({"key": []}), secured({"key": []}, schemes={"key": {"type": "http", "scheme": "basic"}}), "BB"),
    ("scheme-renamed", secured({"key": []}), secured({"other": []}) | {"components": {
        "securitySchemes": {"other": KEY}}}, "PP"),
    ("scheme-unused", secured({"key": []}), secured({"key": []}, schemes={"more": KEY}), "PP"),
    ("scheme-described", secured({"key": []}), secured({"key": []}, schemes={"key": KEY | {"description": "x"}}), "PP"),
    ("token-url", secured({"oauth": ["r"]}), secured({"oauth": ["r"]}, schemes={"oauth": {
        "type": "oauth2", "flows": {"authorizationCode": FLOW | {"tokenUrl": "https://x.example/other"}}}}), "AA"),
    ("flow-removed", secured({"oauth": ["r"]}, schemes={"oauth": {"type": "oauth2", "flows": {
        "authorizationCode": FLOW, "implicit": FLOW}}}), secured({"oauth": ["r"]}), "AA"),
    ("global-security", operation(), operation() | {"security": [{"key": []}], "components": {
        "securitySchemes": {"key": KEY}}}, "BB"),
    # Servers
    ("server-added", served("https://x.example"), served("https://x.example", "https://y.example"), "AA"),
    ("server-changed", served("https://x.example"), served("https://y.example"), "AA"),
    ("server-described", served("https://x.example"),
     operation() | {"servers": [{"url": "https://x.example", "description": "x"}]}, "PP"),
    ("server-base-path", served("https://x.example/v1"), served("https://x.example/v2"), "AA"),
]  # fmt: skip

LETTERS = {"breaking": "B", "additive": "A", "patch": "P", "identical": "P", "undecided": "U"}


@pytest.mark.parametrize(("old", "new", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_change_around_the_schemas(old: Any, new: Any, expected: str) -> None:
    found = [compare(a, b, format="openapi").judge("provides") for a, b in ((old, new), (new, old))]
    assert "".join(LETTERS[j.verdict] for j in found) == expected, [f.message for j in found for f in j.findings]
