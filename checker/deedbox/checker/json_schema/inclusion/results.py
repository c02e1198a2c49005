"""What a question has for an answer inside the search."""

from __future__ import annotations

from typing import Any, Final

EMPTY: Final = 0
FOUND: Final = 1
UNKNOWN: Final = 2


class Result:
    """`EMPTY`: there is no value; `FOUND`: `value` is one; `UNKNOWN`: `reason` says why."""

    __slots__ = ("reason", "status", "value")

    def __init__(self, status: int, value: Any = None, reason: str = "") -> None:
        self.status, self.value, self.reason = status, value, reason

    def __repr__(self) -> str:
        return ("empty", f"found {self.value!r}", f"unknown: {self.reason}")[self.status]


NOTHING: Final = Result(EMPTY)


def found(value: Any) -> Result:
    """A value."""
    return Result(FOUND, value)


def unknown(reason: str) -> Result:
    """No answer."""
    return Result(UNKNOWN, reason=reason)
