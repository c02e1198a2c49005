"""What can go wrong between a client and the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ClientError(Exception):
    """Root of all that the client raises. `url` is what was asked."""

    def __init__(self, message: str, *, url: str) -> None:
        super().__init__(message)
        self.url = url


class InvalidUrl(ClientError):
    """The registry's address is none that HTTP can use."""


class RegistryUnavailable(ClientError):
    """No answer, or one that says to come back later, after `attempts` of them."""

    def __init__(self, reason: str, *, url: str, attempts: int) -> None:
        times = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(
            f"the registry did not answer: {reason} ({url}, tried {times}). Is it running? Is the address right?",
            url=url,
        )
        self.reason, self.attempts = reason, attempts


class UnexpectedReply(ClientError):
    """An answer that a registry does not give: something else listens there, or a proxy is in between."""


class Problem(ClientError):
    """The registry's refusal (RFC 9457): `status`, `code`, `title`, `detail`, and all `fields` that came."""

    def __init__(self, status: int, fields: Mapping[str, Any], *, url: str) -> None:
        self.status = status
        self.code = str(fields.get("code") or fields.get("type") or "unknown").rsplit("/", 1)[-1]
        self.title = str(fields.get("title") or "")
        self.detail = str(fields.get("detail") or "")
        self.fields = dict(fields)
        said = self.detail or self.title or self.code
        super().__init__(f"{self._where()}{said} ({self.code}, {status})", url=url)

    def _where(self) -> str:
        source, pointer, line = (self.fields.get(name) for name in ("source", "pointer", "line"))
        where = str(source) if source else ""
        if line is not None:
            where = f"{where or 'line '}{':' if where else ''}{line}"
        if pointer is not None and not (pointer and self.detail.startswith(f"{pointer}: ")):
            where += f"{' ' if where else ''}at {pointer or 'the root'}"
        return f"{where}: " if where else ""


def is_unavailable(error: ClientError) -> bool:
    """Whether asking again later may help: the registry gave no answer that is about the question."""
    if isinstance(error, Problem):
        return error.status in (408, 425, 429) or error.status >= 500
    return isinstance(error, RegistryUnavailable | UnexpectedReply)
