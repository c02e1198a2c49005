"""The package index as installers and uploaders speak it: `/simple/` and `/legacy/`.

PEP 503 (HTML) and 691 (JSON) by content negotiation, 592 (yanked), 629 (its version), 658 and 714 (metadata apart), 700
(versions, sizes, times); uploads as twine and uv send them.
"""

from __future__ import annotations

from typing import Any

from deedbox.registry.errors import UnusableFile
from deedbox.registry.services import Services
from deedbox.registry.services.packages import Project
from deedbox.registry.services.uploads import DIGESTS, Upload
from deedbox.registry.storage.packages import IndexedFile
from deedbox.registry.web.api import actor
from deedbox.registry.web.json_out import dump
from deedbox.registry.web.problems import problem
from deedbox.registry.web.replies import FOR_EVER, lead_to, reply
from flask import Flask, Response, render_template, request, url_for
from packaging.utils import canonicalize_name
from werkzeug.exceptions import RequestedRangeNotSatisfiable

API_VERSION = "1.1"
"""Of the repository's interface: 1.0 is PEP 691, 1.1 adds PEP 700."""

_HTML, _JSON_V1, _HTML_V1 = (
    "text/html",
    "application/vnd.pypi.simple.v1+json",
    "application/vnd.pypi.simple.v1+html",
)
_OFFERED = {
    # Asked for → sent. Where several are wanted alike, the first; HTML where nothing in particular is (PEP 691).
    _JSON_V1: _JSON_V1,
    "application/vnd.pypi.simple.latest+json": _JSON_V1,
    _HTML_V1: _HTML_V1,
    "application/vnd.pypi.simple.latest+html": _HTML_V1,
    _HTML: _HTML,
}
_UPLOAD = ("file_upload", "1")


def install(app: Flask, services: Services) -> None:
    """Adds the routes."""
    _simple(app, services)
    _uploading(app, services)


def _simple(app: Flask, services: Services) -> None:
    packages = services.packages

    @app.route("/simple/")
    def simple_root() -> Response:
        """Every project's name."""
        names = packages.names()
        return _page(
            lambda: {"meta": {"api-version": API_VERSION}, "projects": [{"name": name} for name in names]},
            lambda: render_template("index/root.html", names=names, api_version=API_VERSION),
        )

    @app.route("/simple/<project>/")
    def simple_project(project: str) -> Response:
        """The files of a project, with all that an installer needs to choose one."""
        if project != canonicalize_name(project):
            return lead_to(url_for("simple_project", project=canonicalize_name(project)), 301)
        found = packages.project(project)
        return _page(
            lambda: _project(found),
            lambda: render_template("index/project.html", project=found, api_version=API_VERSION),
        )

    @app.route("/simple/<project>/<filename>")
    def simple_file(project: str, filename: str) -> Response:
        """A file, or the metadata of a wheel: `FILE.metadata`."""
        if filename.endswith(".metadata"):
            metadata = packages.metadata(project, filename.removesuffix(".metadata"))
            return file_reply(metadata, "text/plain; charset=utf-8", None)
        file, content = packages.file(project, filename)
        return file_reply(content, "application/octet-stream", file.row.digest)


def _uploading(app: Flask, services: Services) -> None:
    @app.route("/legacy/", methods=["POST"], strict_slashes=False)
    def legacy() -> Response:
        """An upload. The same file again is fine; another one of the same name is a 409."""
        form = request.form
        if (form.get(":action"), form.get("protocol_version", "1")) != _UPLOAD:
            raise UnusableFile("only uploads are taken: `:action` must be file_upload, `protocol_version` 1")
        sent = request.files.get("content")
        if sent is None or not sent.filename:
            raise UnusableFile("there is no file: send it as the part `content`, with its name", pointer="/content")
        digests = {name: form[f"{name}_digest"] for name in DIGESTS if form.get(f"{name}_digest")}
        content = sent.read()
        sent.close()
        upload = Upload(sent.filename, content, form.get("name"), form.get("version"), digests)
        file, _ = services.packages.upload(upload, _uploader())
        where = url_for("simple_file", project=file.row.project, filename=file.row.filename)
        return reply({"filename": file.row.filename, "sha256": file.row.digest, "url": where})


def _uploader() -> str:
    """Who uploads: uploaders know no `Deedbox-Actor`, but send a user's name."""
    authorization = request.authorization
    name = (authorization.username or "") if authorization is not None and authorization.type == "basic" else ""
    name = "".join(c if c.isprintable() else " " for c in name).strip()[:200]
    return name if name and name != "__token__" else actor()


def _page(as_json: Any, as_html: Any) -> Response:
    media_type = _negotiated()
    if media_type is None:
        return problem(
            "not-acceptable", f"this page comes as {', '.join(sorted(set(_OFFERED.values())))}", {"Vary": "Accept"}
        )
    body = dump(as_json()) if media_type == _JSON_V1 else as_html().encode()
    content_type = media_type if media_type == _JSON_V1 else f"{media_type}; charset=utf-8"
    response = Response(body, 200, {"Cache-Control": "no-cache", "Vary": "Accept"}, content_type=content_type)
    response.add_etag()
    response.make_conditional(request)
    return response


def _negotiated() -> str | None:
    """The media type to send, by quality, then by being named and not only covered by a range (RFC 9110 §12.5.1)."""
    accept = request.accept_mimetypes
    if not accept:
        return _HTML
    named = {value.partition(";")[0].strip().lower() for value, _ in accept}
    order = list(_OFFERED) if named & set(_OFFERED) else [_HTML]
    scored = [(accept.quality(offer), offer in named, -place, offer) for place, offer in enumerate(order)]
    quality, _, _, best = max(scored)
    if quality <= 0 and order == [_HTML]:
        # A range such as application/* leaves HTML out.
        quality, _, best = max((accept.quality(offer), -place, offer) for place, offer in enumerate(_OFFERED))
    return _OFFERED[best] if quality > 0 else None


def _project(project: Project) -> dict[str, Any]:
    return {
        "meta": {"api-version": API_VERSION},
        "name": project.name,
        "versions": list(project.versions),
        "files": [_file(file) for file in project.files],
    }


def _file(file: IndexedFile) -> dict[str, Any]:
    row = file.row
    shown: dict[str, Any] = {
        "filename": row.filename,
        "url": url_for("simple_file", project=row.project, filename=row.filename),
        "hashes": {"sha256": row.digest},
        "size": row.size,
        "upload-time": file.at,
        "yanked": file.yanked if file.yanked is not None else False,
    }
    if row.requires_python is not None:
        shown["requires-python"] = row.requires_python
    if row.metadata_digest is not None:
        # Both names: PEP 714 keeps the first one for installers that came before it.
        shown["core-metadata"] = shown["dist-info-metadata"] = {"sha256": row.metadata_digest}
    return shown


def file_reply(content: bytes, content_type: str, digest: str | None) -> Response:
    """Bytes that never change, whole or in the parts that are asked for; `digest` is their SHA-256, if it is known."""
    response = Response(content, 200, {"Cache-Control": FOR_EVER}, content_type=content_type)
    if digest is not None:
        response.set_etag(digest)
    else:
        response.add_etag()
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=len(content))
    except RequestedRangeNotSatisfiable:
        return problem(
            "range-not-satisfiable", f"it is {len(content)} bytes long", {"Content-Range": f"bytes */{len(content)}"}
        )
    return response
