"""Pages to look things up in: the API's documentation, and what each problem means."""

from __future__ import annotations

from typing import Any

from deedbox.registry.errors import NotFound
from deedbox.registry.web.api import PREFIX
from deedbox.registry.web.pages.base import HTML, TWIN, render
from deedbox.registry.web.problems import PROBLEMS
from deedbox.registry.web.replies import Replies, reply
from flask import Flask, Response, request
from flask_openapi import OpenAPI


def install(app: OpenAPI, replies: Replies) -> None:
    """Adds the OpenAPI document, its page, and the pages of problems."""
    _document(app, replies)
    _problems(app)


def _document(app: OpenAPI, replies: Replies) -> None:
    @app.route(f"{PREFIX}/openapi.json")
    def openapi_document() -> Response:
        """The OpenAPI document, made from the code."""
        return replies.read(lambda: app.api_doc)

    @app.route(f"{PREFIX}/docs")
    def documentation() -> str:
        """The same for people."""
        api = app.api_doc
        return render(
            "docs.html", "api", f"{PREFIX}/openapi.json", api=api, operations=_operations(api), fields=_fields
        )


def _problems(app: Flask) -> None:
    @app.route("/problems/")
    @app.route(f"/problems{TWIN}")
    @app.route("/problems/<code>")
    def problem_page(code: str | None = None) -> Response | str:
        """What a problem means, as a page or as JSON."""
        asked_as_twin = request.path.endswith(TWIN)
        code = code.removesuffix(TWIN) if code is not None else None
        if code is not None and code not in PROBLEMS:
            raise NotFound(f"there is no problem {ascii(code)[:80]}")
        shown = PROBLEMS if code is None else {code: PROBLEMS[code]}
        best = request.accept_mimetypes.best_match(["application/json", "text/html"])
        if best == "text/html" and "html" in request.headers.get("Accept", "") and not asked_as_twin:
            twin = f"/problems{TWIN}" if code is None else f"/problems/{code}{TWIN}"
            return Response(render("problems.html", "api", twin, problems=shown), content_type=HTML)
        told = [
            {"type": f"/problems/{name}", "status": kind.status, "title": kind.title, "explanation": kind.explanation}
            for name, kind in shown.items()
        ]
        return reply({"items": told, "next": None} if code is None else told[0])


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Operations in the order of their tags, those without one at the end."""
    found = [
        {"method": method.upper(), "path": path, **operation}
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    order = [tag["name"] for tag in document.get("tags", [])]
    place = {name: number for number, name in enumerate(order)}
    return sorted(found, key=lambda operation: place.get((operation.get("tags") or [""])[0], len(place)))


def _fields(document: dict[str, Any], content: dict[str, Any] | None) -> tuple[str, list[tuple[str, str, str]]]:
    """Name of a body's schema, and its fields: name, type, description."""
    first: dict[str, Any] = next(iter((content or {}).values()), {})
    schema = first.get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    named = document["components"]["schemas"].get(name, {})
    required = named.get("required", [])
    return name, [
        (field + ("" if field in required else "?"), _type(value), value.get("description", ""))
        for field, value in named.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return _type(schema.get("items", {})) + "[]"
    return str(schema.get("type", "any"))
