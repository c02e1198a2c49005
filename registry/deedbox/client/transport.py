"""HTTP with patience: time-outs, and retries where asking twice cannot do harm."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx2
from deedbox.client.errors import InvalidUrl, Problem, RegistryUnavailable, UnexpectedReply

if TYPE_CHECKING:
    from collections.abc import Mapping

_Params: TypeAlias = "Mapping[str, str] | list[tuple[str, str | int | float | bool | None]]"

_LATER = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that say "not now" and nothing about the request."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait (seconds), how often to ask; pauses double from `base` to `most`, jittered."""

    connect: float = 5.0
    read: float = 60.0
    attempts: int = 4
    base: float = 0.25
    most: float = 5.0

    def pause(self, attempt: int, asked: float | None) -> float:
        """Seconds before the next attempt after `attempt` (from 0); what the server asked for is least."""
        # Full jitter: clients that failed together must not come back together.
        jittered = random.uniform(0, min(self.most, self.base * 2**attempt))  # noqa: S311 - no secret
        return jittered if asked is None else min(asked, self.most) + jittered


class Transport:
    """Requests to one registry. All may be asked again after a failure: the API is idempotent."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        patience: Patience,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            base = httpx2.URL(url.rstrip("/"))
        except (httpx2.InvalidURL, ValueError, TypeError) as error:
            raise InvalidUrl(f"{url!r} is no address: {error}", url=url) from None
        if base.scheme not in ("http", "https") or not base.host:
            raise InvalidUrl(f"{url!r} is no http:// or https:// address", url=url)
        self.patience, self._sleep = patience, sleep
        self._client = httpx2.Client(
            base_url=base,
            headers=dict(headers),
            timeout=httpx2.Timeout(patience.read, connect=patience.connect),
            follow_redirects=False,
            transport=transport,
        )

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: _Params | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Asks, again where that helps, and returns an answer of status 2xx.

        Raises:
            RegistryUnavailable: no answer after every attempt.
            Problem: the registry refuses.
            UnexpectedReply: the answer is none that a registry gives.
        """
        content = None if body is None else _encode(body)
        sent = dict(headers or {})
        if content is not None:
            sent["Content-Type"] = "application/json"
        for attempt in range(self.patience.attempts):
            last = attempt + 1 == self.patience.attempts
            asked: float | None = None
            try:
                response = self._client.request(method, path, params=params, content=content, headers=sent)
            except (httpx2.TransportError, httpx2.TimeoutException) as error:
                if last:
                    url = str(self._client.base_url.join(path))
                    raise RegistryUnavailable(_reason(error), url=url, attempts=attempt + 1) from error
            except httpx2.InvalidURL as error:
                raise InvalidUrl(f"{path!r} is no path: {error}", url=str(self._client.base_url)) from None
            else:
                if response.status_code not in _LATER or last:
                    return _checked(response)
                asked = _retry_after(response)
            self._sleep(self.patience.pause(attempt, asked))
        raise AssertionError("the last attempt returns or raises")

    def json(self, method: str, path: str, **options: Any) -> Any:
        """`request`, and the answer's JSON with exact numbers."""
        return decode(self.request(method, path, **options))


def decode(response: httpx2.Response) -> Any:
    """The JSON of an answer; fractions are `Decimal`.

    Raises:
        UnexpectedReply: it is no JSON.
    """
    try:
        return json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        kind = response.headers.get("content-type", "no content type")
        raise UnexpectedReply(
            f"{response.url} answered {response.status_code} with {kind} where JSON was due. Is it a registry?",
            url=str(response.url),
        ) from None


def _encode(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _checked(response: httpx2.Response) -> httpx2.Response:
    if response.is_success:
        return response
    url = str(response.url)
    if response.is_redirect:
        raise UnexpectedReply(
            f"{url} redirects to {response.headers.get('location')}: give the registry's own address", url=url
        )
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if kind in ("application/problem+json", "application/json"):
        fields = decode(response)
        if isinstance(fields, dict):
            raise Problem(response.status_code, fields, url=url)
    if response.status_code in _LATER:
        raise RegistryUnavailable(f"status {response.status_code}", url=url, attempts=1)
    raise UnexpectedReply(
        f"{url} answered {response.status_code} without a problem document. Is it a registry?", url=url
    )


def _retry_after(response: httpx2.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _reason(error: Exception) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return "the connection timed out"
    if isinstance(error, httpx2.TimeoutException):
        return "the answer timed out"
    return str(error) or type(error).__name__
