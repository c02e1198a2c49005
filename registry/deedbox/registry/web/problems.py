"""Errors as RFC 9457 problem details: the one table of codes, and the one place where an exception becomes a response."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from deedbox.checker.errors import CheckerError, DocumentError
from deedbox.registry.errors import Busy, InvalidRequest, RegistryError
from deedbox.registry.services.values import CheckResult
from deedbox.registry.web.json_out import dump
from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

log = logging.getLogger("deedbox.web")

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem: its HTTP status, its title, and what somebody who meets it should know."""

    status: int
    title: str
    explanation: str


PROBLEMS: dict[str, ProblemType] = {
    "body-not-json": ProblemType(400, "The body is not JSON", "`line` and `column` say where it stops being JSON."),
    "bad-request": ProblemType(400, "The request is malformed", "HTTP itself could not make sense of it."),
    "invalid-cursor": ProblemType(400, "Not a cursor of this list", "Cursors are opaque: use `next` as it came."),
    "forbidden": ProblemType(
        403, "Not allowed", "`detail` says why: a form is good for the site and browser it was shown to."
    ),
    "not-found": ProblemType(404, "There is no such thing", "`detail` says what is missing."),
    "method-not-allowed": ProblemType(405, "Not with this method", "`Allow` lists the methods."),
    "package-name-taken": ProblemType(
        403,
        "The package's name is somebody else's",
        "`owner` is the contract whose package it is: choose another name.",
    ),
    "not-acceptable": ProblemType(406, "Not in a form that was asked for", "`detail` lists the media types there are."),
    "file-taken": ProblemType(
        409,
        "A file of that name has other bytes",
        "Nothing on the index is ever replaced: raise version or build number.",
    ),
    "release-under-way": ProblemType(
        409, "Another release of the version is under way", "`job` is its id: wait until it has ended."
    ),
    "offsets-taken": ProblemType(
        409, "These offsets were reported before", "`positions` says, by partition, where to go on: under a new id."
    ),
    "order-open": ProblemType(
        409, "Another order for these letters is open", "`order` is its id: confirm or cancel it first."
    ),
    "order-claimed": ProblemType(409, "Another worker has the order", "`worker` has it, at least until `until`."),
    "order-not-ready": ProblemType(409, "Not as the order stands", "`state` says how it stands."),
    "lease-lost": ProblemType(409, "Another worker has it by now", "Claim it again before going on."),
    "version-taken": ProblemType(
        409, "The version has other content", "Versions never change. Publish the new content under a new version."
    ),
    "id-taken": ProblemType(409, "The id names something else", "Ids are chosen by clients: make a new UUID."),
    "precondition-failed": ProblemType(
        412, "It has changed since you read it", "`missed` lists what was written since. Read it again."
    ),
    "body-too-large": ProblemType(413, "The body is too large", "The limit is DEEDBOX_MAX_BODY_BYTES."),
    "unsupported-media-type": ProblemType(415, "Not this media type", "Send application/json."),
    "range-not-satisfiable": ProblemType(416, "Past the end", "`Content-Range` says how long it is."),
    "file-unusable": ProblemType(422, "No whole package file", "`detail` says what is wrong with it, and where."),
    "not-packageable": ProblemType(
        422, "No package can be made of it", "`reason` says why; see docs/packages.md for names and versions."
    ),
    "invalid-request": ProblemType(422, "A field cannot be used", "`pointer` says which field."),
    "invalid-name": ProblemType(422, "Not a name", "`allowed` is the pattern that names follow."),
    "invalid-version": ProblemType(422, "Not a semantic version", "See semver.org: MAJOR.MINOR.PATCH."),
    "identity-changed": ProblemType(
        422, "A contract keeps its role and format", "Publish under another name what plays another part."
    ),
    "gate-refused": ProblemType(
        422, "The gate says no", "`check.refusals` says why, `check.comparison` has the findings and their witnesses."
    ),
    "undecided": ProblemType(
        422,
        "Neither proved nor disproved",
        "It is never published silently: accept the fingerprints in `check.refusals` by name, or change the schema.",
    ),
    "document-invalid": ProblemType(422, "The document cannot be used", "`pointer`, `line` and `column` say where."),
    "syntax-invalid": ProblemType(422, "Neither JSON nor YAML", "`line` and `column` say where."),
    "duplicate-key": ProblemType(422, "A key stands twice in one object", "Parsers differ in which one they keep."),
    "not-json": ProblemType(422, "A value that JSON cannot say", "NaN, a lone surrogate, a number of absurd size."),
    "too-large": ProblemType(422, "Over a limit that protects the checker", "Size, depth or length: see `detail`."),
    "not-a-schema": ProblemType(422, "Its own metaschema rejects it", "`pointer` says where."),
    "unknown-dialect": ProblemType(422, "An unknown $schema", "Say the draft it builds on with `dialect`."),
    "unresolved-reference": ProblemType(
        422, "A $ref that leads nowhere", "Nothing is ever fetched: bundle what it names into the document."
    ),
    "file-missing": ProblemType(
        422,
        "A $ref to another file",
        "A registry reads no files: `deedbox publish` sends the document with all of them.",
    ),
    "not-bundled": ProblemType(422, "Files that cannot be made one document", "`detail` says which, and why."),
    "unknown-format": ProblemType(422, "An unknown document format", "`detail` lists the known ones."),
    "checker-error": ProblemType(422, "The checker refused the document", "`detail` says why."),
    "busy": ProblemType(503, "Too much under way", "Nothing was written. Try again after `Retry-After` seconds."),
    "storage-unavailable": ProblemType(
        503, "The database is away", "Nothing was written. Try again after `Retry-After` seconds."
    ),
    "internal": ProblemType(500, "A fault of the server", "Its log has the rest, under the same `Request-Id`."),
}
_HTTP_CODES = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
}


def install(app: Flask) -> None:
    """Turns every exception that leaves a view into a problem."""
    app.register_error_handler(RegistryError, _registry_error)
    app.register_error_handler(CheckerError, _checker_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)
    app.before_request(_check_query)


def problem(code: str, detail: str, headers: dict[str, str] | None = None, /, **extra: Any) -> Response:
    """The response for a code."""
    kind = PROBLEMS.get(code, PROBLEMS["internal"])
    body = {
        "type": f"/problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        **extra,
    }
    return Response(dump(body), kind.status, headers, content_type=MEDIA_TYPE)


def _check_query() -> None:
    # PostgreSQL keeps the null character in no text, and fails where it is asked for one.
    if request.path.startswith("/api/"):
        for name, value in request.args.items(multi=True):
            if "\x00" in value:
                raise unusable("must be without null characters", f"/{ascii(name)[1:-1][:60]}")


def invalid_parameters(error: ValidationError) -> Response:
    """The problem of path or query parameters that their model refuses."""
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return problem("invalid-request", f"{where}: {first['msg']}", pointer="/" + where.replace(".", "/"))


def _registry_error(error: RegistryError) -> Response:
    extra = dict(error.extra)
    check = extra.get("check")
    if isinstance(check, CheckResult):
        extra["check"] = check.as_dict()
        extra["needed_version"] = check.answer["needed"]
        extra["findings"] = [f for refusal in check.answer["refusals"] for f in refusal["findings"]]
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy) else None
    return problem(error.code if error.code in PROBLEMS else "internal", error.message, headers, **extra)


def _checker_error(error: CheckerError) -> Response:
    place: dict[str, Any] = {}
    if isinstance(error, DocumentError):
        place = {
            name: getattr(error, name)
            for name in ("source", "pointer", "line", "column")
            if getattr(error, name) is not None
        }
    return problem(error.code if error.code in PROBLEMS else "checker-error", str(error), **place)


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:
        assert isinstance(error.response, Response)
        return error.response
    status = error.code or 500
    if status in (301, 302, 307, 308):
        return error.get_response()  # type: ignore[return-value]
    code = _HTTP_CODES.get(status, "bad-request" if status < 500 else "internal")
    detail = error.description or PROBLEMS[code].title
    if code == "not-found":
        detail = f"{request.path} leads nowhere: /api/v1/docs lists what there is"
    if code == "body-too-large":
        detail = f"the body is longer than the limit of this server: {request.max_content_length} bytes"
    headers = {}
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        headers["Allow"] = ", ".join(sorted(allowed))
    return problem(code, detail, headers)


def _fault(error: Exception) -> Response:
    log.exception("unexpected failure", exc_info=error)
    return problem("internal", "the server failed in a way it should not; nothing of this request was written")


def unusable(message: str, pointer: str) -> InvalidRequest:
    """The error for one field of a body."""
    return InvalidRequest(f"{pointer}: {message}", pointer=pointer)
