"""What a question has for an answer inside the search."""

from __future__ import annotations

from typing import Any, Final

EMPTY: Final = 0
FOUND: Final = 1
UNKNOWN: Final = 2


class Result:
    """`EMPTY`: there is no value; `FOUND`: `value` is one; `UNKNOWN`: `reason` says why."""

    __slots__ = ("reason", "size", "status", "value")

    def __init__(self, status: int, value: Any = None, reason: str = "", size: int = 1) -> None:
        self.status, self.value, self.reason, self.size = status, value, reason, size

    def __repr__(self) -> str:
        return ("empty", f"found {self.value!r}", f"unknown: {self.reason}")[self.status]


NOTHING: Final = Result(EMPTY)


MAX_SIZE: Final = 50_000
"""Messages of more values are not made: members that share a schema would multiply them."""


def found(value: Any, size: int = 1) -> Result:
    """A value, made of `size` values."""
    if size > MAX_SIZE:
        return unknown(f"a message of more than {MAX_SIZE} values, which is not made")
    return Result(FOUND, value, size=size)


def unknown(reason: str) -> Result:
    """No answer."""
    return Result(UNKNOWN, reason=reason)
