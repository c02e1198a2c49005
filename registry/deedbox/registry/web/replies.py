"""Replies with their validators (RFC 9110 §8.8, §13), and the memory of those that were given before."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

from deedbox.registry.errors import InvalidRequest
from deedbox.registry.storage.database import Database
from deedbox.registry.web.json_out import dump
from flask import Response, request

JSON = "application/json"
_FOR_EVER = "public, max-age=31536000, immutable"
_MOST_BYTES = 64 << 20


class Kept:
    """A reply as it was given: its bytes and headers, and the generation of the database that it is true of."""

    __slots__ = ("body", "content_type", "etag", "generation", "immutable")

    def __init__(self, body: bytes, content_type: str, etag: str, immutable: bool, generation: int) -> None:
        self.body, self.content_type, self.etag = body, content_type, etag
        self.immutable, self.generation = immutable, generation

    def response(self) -> Response:
        """The response to this request: 304 where the client has it already."""
        headers = {"ETag": self.etag, "Cache-Control": _FOR_EVER if self.immutable else "no-cache"}
        sent = request.environ.get("HTTP_IF_NONE_MATCH")
        if sent is not None and (sent.strip() == "*" or self.etag in _tags(sent)):
            return Response(status=304, headers=headers)
        return Response(self.body, 200, headers, content_type=self.content_type)


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

    def read_text(self, make: Callable[[], tuple[bytes, str]]) -> Response:
        """Like `read`, of bytes and media type."""
        return self._current(make, None)

    def _current(self, make: Callable[[], tuple[bytes, str]], state: Callable[[], int] | None) -> Response:
        # Taken before the answer is made: an entry added meanwhile makes the reply stale, never wrongly fresh.
        generation = self._database.generation()
        key = self._key()
        kept = self._kept.get(key)
        if kept is None or kept.generation != generation:
            body, content_type = make()
            number = f"{state()}-" if state is not None else ""
            tag = hashlib.sha256(body).hexdigest()[:20]
            kept = self._keep(key, Kept(body, content_type, f'"{number}{tag}"', False, generation))
        return kept.response()

    def immutable(self, make: Callable[[], tuple[bytes, str]]) -> Response:
        """The reply to a read whose answer never changes: bytes and media type."""
        key = self._key()
        kept = self._kept.get(key)
        if kept is None:
            body, content_type = make()
            tag = hashlib.sha256(body).hexdigest()[:20]
            kept = self._keep(key, Kept(body, content_type, f'"{tag}"', True, -1))
        return kept.response()

    def _keep(self, key: str, kept: Kept) -> Kept:
        with self._lock:
            before = self._kept.get(key)
            self._bytes += len(kept.body) + len(key) + 500 - (len(before.body) + len(key) + 500 if before else 0)
            if self._bytes > _MOST_BYTES:
                self._kept.clear()
                self._bytes = len(kept.body) + len(key) + 500
            self._kept[key] = kept
        return kept

    @staticmethod
    def _key() -> str:
        query: str = request.environ.get("QUERY_STRING", "")
        path: str = request.environ["PATH_INFO"]
        return f"{path}?{query}" if query else path


def reply(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON reply to a write or a computation, which nobody may keep."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(dump(value), status, {"Cache-Control": "no-store", **named}, content_type=JSON)


def if_match() -> int | None:
    """The state that `If-Match` names; None where it is absent.

    Raises:
        InvalidRequest: `*`, several tags, or one that no reply of this server carried.
    """
    sent = request.headers.get("If-Match")
    if sent is None:
        return None
    number, dash, _ = sent.strip().removeprefix("W/").strip('"').partition("-")
    if not dash or not number.isdigit() or len(number) > 15:
        raise InvalidRequest(f"If-Match is {ascii(sent)[:80]}: send the ETag of the thing itself, as it came")
    return int(number)


def only_new() -> bool:
    """Whether `If-None-Match: *` asks that nothing be there yet."""
    return request.headers.get("If-None-Match", "").strip() == "*"


def _tags(sent: str) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in sent.split(",")]
