"""Replies with their validators (RFC 9110 §8.8, §13), and the memory of those that were given before."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from deedbox.registry.errors import InvalidRequest, RegistryError
from deedbox.registry.storage.database import Database
from deedbox.registry.web.json_out import dump
from deedbox.registry.web.metrics import count
from deedbox.registry.web.request_ids import HEADER, request_id
from flask import Response, redirect, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

JSON = "application/json"
FOR_EVER = "public, max-age=31536000, immutable"
"""`Cache-Control` of what never changes."""
_MOST_BYTES = 64 << 20


class Kept:
    """A reply as it was given: its bytes and headers, and the generation of the database that it is true of."""

    __slots__ = ("body", "etag", "generation", "headers", "immutable", "not_modified", "route")

    def __init__(
        self,
        body: bytes,
        content_type: str,
        etag: str,
        immutable: bool,
        generation: int,
        route: str,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.body, self.etag, self.route = body, etag, route
        self.immutable, self.generation = immutable, generation
        self.not_modified = [
            ("ETag", etag),
            ("Cache-Control", FOR_EVER if immutable else "no-cache"),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        ]
        self.headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), *self.not_modified]

    def known_by(self, sent: str | None) -> bool:
        """Whether the `If-None-Match` that was sent says that the client has this reply."""
        return sent is not None and (sent.strip() == "*" or self.etag in _tags(sent))

    def response(self) -> Response:
        """The response to the current request: 304 where the client has it already."""
        if self.known_by(request.environ.get("HTTP_IF_NONE_MATCH")):
            return Response(status=304, headers=self.not_modified)
        return Response(self.body, 200, self.headers)


class Replies:
    """Replies to reads, remembered. What can change is true as long as no entry is added to the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[str, Kept] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def read(self, make: Callable[[], Any], state: Callable[[], int] | None = None) -> Response:
        """The reply to a read whose answer depends on the recorded entries alone.

        Args:
            make: gives the JSON value; called only where no true reply is remembered.
            state: gives, after `make`, the number that `If-Match` later compares; it goes in front of the ETag.
        """
        return self._current(lambda: (dump(make()), JSON), state)

    def read_text(self, make: Callable[[], tuple[bytes, str]], headers: Sequence[tuple[str, str]] = ()) -> Response:
        """Like `read`, of bytes and media type, with further headers."""
        return self._current(make, None, headers)

    def checked(self, body: bytes, content_type: str, headers: Sequence[tuple[str, str]] = ()) -> Response:
        """The reply to a read whose answer can change while no entry comes: never remembered, but with its ETag."""
        return _kept(body, content_type, "", immutable=False, generation=-1, headers=headers).response()

    def immutable(self, make: Callable[[], tuple[bytes, str]]) -> Response:
        """The reply to a read whose answer never changes: bytes and media type."""
        body, content_type = make()
        return self._keep(body, content_type, "", immutable=True, generation=-1).response()

    def remembered(self, environ: WSGIEnvironment) -> Kept | None:
        """The true reply to a request, if there is one."""
        kept = self._kept.get(_key(environ))
        if kept is None or kept.immutable:
            return kept
        try:
            return kept if kept.generation == self._database.generation() else None
        except RegistryError:
            return None  # the long way tells what is wrong

    def _current(
        self,
        make: Callable[[], tuple[bytes, str]],
        state: Callable[[], int] | None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Response:
        # Taken before the answer is made: an entry added meanwhile makes the reply stale, never wrongly fresh.
        generation = self._database.generation()
        body, content_type = make()
        number = f"{state()}-" if state is not None else ""
        return self._keep(
            body, content_type, number, immutable=False, generation=generation, headers=headers
        ).response()

    def _keep(
        self,
        body: bytes,
        content_type: str,
        number: str,
        *,
        immutable: bool,
        generation: int,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Kept:
        kept = _kept(body, content_type, number, immutable=immutable, generation=generation, headers=headers)
        key = _key(request.environ)
        size = len(body) + len(key) + 1000
        if size > _MOST_BYTES // 8:
            return kept
        with self._lock:
            before = self._kept.get(key)
            self._bytes += size - (len(before.body) + len(key) + 1000 if before is not None else 0)
            if self._bytes > _MOST_BYTES:
                self._kept.clear()
                self._bytes = size
            self._kept[key] = kept
        return kept


class Shortcut:
    """Answers a read that is remembered before the web framework sees it, exactly as the framework would."""

    def __init__(self, application: WSGIApplication, replies: Replies) -> None:
        self._application, self._replies = application, replies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI call."""
        if environ["REQUEST_METHOD"] != "GET":
            return self._application(environ, start_response)
        started = time.perf_counter()
        kept = self._replies.remembered(environ)
        if kept is None:
            return self._application(environ, start_response)
        own = (HEADER, request_id(environ))
        if kept.known_by(environ.get("HTTP_IF_NONE_MATCH")):
            start_response("304 NOT MODIFIED", [*kept.not_modified, own])
            count("GET", kept.route, 304, time.perf_counter() - started)
            return []
        start_response("200 OK", [*kept.headers, own])
        count("GET", kept.route, 200, time.perf_counter() - started)
        return [kept.body]


def _kept(
    body: bytes,
    content_type: str,
    number: str,
    *,
    immutable: bool,
    generation: int,
    headers: Sequence[tuple[str, str]],
) -> Kept:
    etag = f'"{number}{hashlib.sha256(body).hexdigest()[:20]}"'
    route = request.url_rule.rule if request.url_rule is not None else ""
    return Kept(body, content_type, etag, immutable, generation, route, headers)


def reply(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON reply to a write or a computation, which nobody may keep."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(dump(value), status, {"Cache-Control": "no-store", **named}, content_type=JSON)


def lead_to(address: str, status: int = 303) -> Response:
    """A reply that leads to another address: behind a form 303, for good 301 or 308, else 302."""
    return redirect(address, status)  # type: ignore[return-value] # typed as werkzeug's; made by the app's own class


def if_match() -> int | None:
    """The state that `If-Match` names; None where it is absent.

    Raises:
        InvalidRequest: `*`, several tags, or one that no reply of this server carried.
    """
    sent = request.headers.get("If-Match")
    if sent is None:
        return None
    number, dash, _ = sent.strip().removeprefix("W/").strip('"').partition("-")
    if not dash or not (number.isascii() and number.isdigit()) or len(number) > 15:
        raise InvalidRequest(f"If-Match is {ascii(sent)[:80]}: send the ETag of the thing itself, as it came")
    return int(number)


def only_new() -> bool:
    """Whether `If-None-Match: *` asks that nothing be there yet."""
    return request.headers.get("If-None-Match", "").strip() == "*"


def _key(environ: WSGIEnvironment) -> str:
    query = environ.get("QUERY_STRING")
    return f"{environ['PATH_INFO']}?{query}" if query else str(environ["PATH_INFO"])


def _tags(sent: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in sent.split(",")]
