"""`/npm/`: the packages of contracts as npm, pnpm and yarn ask for them. Reading only: releases put them there."""

from __future__ import annotations

from typing import Any

from deedbox.registry.services import Services
from deedbox.registry.services.npm import latest
from deedbox.registry.storage.npm import NpmVersion
from deedbox.registry.web.index import file_reply
from deedbox.registry.web.json_out import dump
from flask import Flask, Response, request, url_for


def install(app: Flask, services: Services) -> None:
    """Adds the routes. A scope's slash arrives decoded, so a scoped name is two steps of the path."""

    @app.route("/npm/<name>", defaults={"scope": ""})
    @app.route("/npm/@<scope>/<name>")
    def npm_packument(scope: str, name: str) -> Response:
        """All versions of a package; those that are retired are deprecated, with the reason."""
        found = services.npm.versions(_name(scope, name))
        response = Response(dump(_packument(scope, name, found)), 200, {"Cache-Control": "no-cache"})
        response.content_type = "application/json"
        response.add_etag()
        response.make_conditional(request)
        return response

    @app.route("/npm/<name>/-/<filename>", defaults={"scope": ""})
    @app.route("/npm/@<scope>/<name>/-/<filename>")
    def npm_tarball(scope: str, name: str, filename: str) -> Response:
        """The bytes of one version."""
        digest, content = services.npm.tarball(_name(scope, name), filename)
        return file_reply(content, "application/octet-stream", digest)


def _name(scope: str, name: str) -> str:
    return f"@{scope}/{name}" if scope else name


def _packument(scope: str, name: str, found: list[NpmVersion]) -> dict[str, Any]:
    shown = {}
    for version in found:
        row = version.row
        where = {"name": name, "filename": row.filename, **({"scope": scope} if scope else {})}
        shown[row.version] = {
            **row.manifest,
            "dist": {
                "tarball": url_for("npm_tarball", **where, _external=True),
                "shasum": row.shasum,
                "integrity": row.integrity,
            },
            **({"deprecated": version.retired} if version.retired is not None else {}),
        }
    times = {version.row.version: version.at for version in found}
    return {
        "name": _name(scope, name),
        "dist-tags": {"latest": latest(found)},
        "versions": shown,
        "time": {"created": found[0].at, "modified": found[-1].at, **times},
    }
